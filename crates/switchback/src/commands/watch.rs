//! `switchback watch`.

use std::path::Path;

use serde_json::json;
use switchback_core::phase::{Notice, Witness, Work, watch_live};
use switchback_core::systemd::{self, Kind, Units, Wanted};
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use super::{Context, run};
use crate::cli::WatchArgs;
use crate::failure::Failure;

pub(crate) fn watch(context: &Context<'_>, args: &WatchArgs) -> Result<Verdict, Failure> {
    if let Some(folder) = &args.write_unit {
        return write_unit(context, args, folder);
    }
    let work = Work::begin(context.project()?, "watch", context.ui)
        .map_err(|error| Failure::doing("could not begin the watch", error))?;
    context.earlier_incidents(&work);
    let first = work.history().seq;
    let outcome = watch_live(&work, args.once);
    // It is written before anybody is told, so that they are told where it is.
    let incident = context.incident(&work, first);
    context.notify(&work);
    let outcome = outcome.map_err(|error| Failure::doing("could not carry on the watch", error))?;
    run::show(context, &work, "watch", &outcome, first, incident)
}

/// Writes the units, and says what enables them.
fn write_unit(context: &Context<'_>, args: &WatchArgs, folder: &Path) -> Result<Verdict, Failure> {
    let failed = |error| Failure::doing("could not write the unit", error);
    let folder = std::path::absolute(folder)
        .map_err(|source| failed(DiskError::new("find the folder", folder, source).into()))?;
    let wanted = Wanted {
        folder: &folder.components().collect::<std::path::PathBuf>(),
        kind: if args.once { Kind::Once } else { Kind::Stays },
        is_system: args.system,
        is_forced: args.force,
    };
    let units = systemd::write(&context.project()?, wanted).map_err(failed)?;
    let ui = context.ui;
    let next = commands(&units, args.system, &folder);
    if units.is_path_left_out {
        let what = "`PATH` is not in the unit: what commands of checks need of it belongs into its file of variables";
        ui.notice(Notice::Warning(what.to_owned()));
    }
    if ui.json {
        let files = units.written.iter().map(|file| json!({"path": file.path, "state": file.state}));
        ui.document(&json!({
            "schema": "switchback/watch-unit/1",
            "verdict": Verdict::Yes.word(),
            "files": files.collect::<Vec<_>>(),
            "enabled": units.enabled,
            "variables": units.variables,
            "environment_file": units.environment_file,
            "next": next,
        }));
        return Ok(Verdict::Yes);
    }
    for file in &units.written {
        ui.show(&format!("{} {}", file.state, file.path.display()));
    }
    if !units.variables.is_empty() {
        let (names, file) = (units.variables.join(", "), &units.environment_file);
        ui.note(&format!("the plan uses {names}: write them into `{file}` (`%h`: your home), mode 600"));
    }
    ui.note(&format!(
        "\nnext: {}",
        next.iter().map(|line| format!("`{line}`")).collect::<Vec<_>>().join(", then ")
    ));
    Ok(Verdict::Yes)
}

/// The folders in which a service manager finds units by itself.
const SEARCHED: &[&str] = &["systemd/system", "systemd/user"];

/// What a person types to enable them.
fn commands(units: &Units, is_system: bool, folder: &Path) -> Vec<String> {
    let systemctl = if is_system { "systemctl" } else { "systemctl --user" };
    let mut commands = Vec::new();
    if !SEARCHED.iter().any(|place| folder.ends_with(place)) {
        let paths: Vec<String> = units.written.iter().map(|file| quoted(&file.path)).collect();
        commands.push(format!("{systemctl} link {}", paths.join(" ")));
    }
    commands.push(format!("{systemctl} daemon-reload"));
    commands.push(format!("{systemctl} enable --now {}", units.enabled));
    if !is_system {
        commands.push("loginctl enable-linger".to_owned());
    }
    commands
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
