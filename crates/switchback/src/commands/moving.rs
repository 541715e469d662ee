//! `switchback move`.

use std::collections::BTreeSet;

use switchback_core::code::MoveRequest;
use switchback_core::git::Repository;
use switchback_core::port::PortError;
use switchback_core::quantity::is_day;
use switchback_core::verdict::Verdict;
use switchback_python::moving::{MovePlan, plan, write};
use switchback_python::ports::move_options;

use super::Context;
use crate::cli::MoveArgs;
use crate::failure::Failure;

/// How many places of one kind are shown to a person; all of them are in the JSON.
const SHOWN_MAX: usize = 20;

pub(crate) fn moving(context: &Context<'_>, args: &MoveArgs) -> Result<Verdict, Failure> {
    let world = &context.ports.world;
    let remove_after =
        args.remove_after.as_deref().map(|day| checked_day("--remove-after", day)).transpose()?;
    let request = MoveRequest {
        pairs: pairs(args)?,
        rules: args.rules.clone(),
        arrived: Vec::new(),
        source_roots: args.source_roots.clone(),
        python_path: args.python_path.clone(),
        shims: args.shims,
        remove_after: remove_after.map(ToOwned::to_owned),
        with_text: !args.no_text,
    };
    let options = move_options(world, &context.root, &request)?;
    let planned = plan(world.disk.clone(), &options).map_err(|error| PortError::from(&error))?;
    let is_written = args.write && planned.verdict() == Verdict::Yes && has_changes(&planned);
    if is_written {
        if !args.allow_dirty {
            let changed = planned
                .changes
                .iter()
                .filter(|change| change.new.is_some() || change.old_path != change.new_path)
                .map(|change| change.old_path.as_str());
            refuse_dirty(context, "the move", changed)?;
        }
        write(world, &planned, &typed(args)).map_err(|error| Failure::writing_move(&error))?;
    }
    show(context, args, &planned, is_written);
    Ok(planned.verdict())
}

/// A day as it was typed.
pub(super) fn checked_day<'a>(option: &str, day: &'a str) -> Result<&'a str, Failure> {
    if is_day(day) {
        return Ok(day);
    }
    Err(Failure::new(format!("`{option} {day}` is no day"), Vec::new(), "write it as `2027-03-31`"))
}

fn pairs(args: &MoveArgs) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    for pair in args.pairs.chunks(2) {
        match pair {
            [from, to] => pairs.push((from.clone(), to.clone())),
            [alone, ..] => {
                let message = format!("`{alone}` has no TO");
                let hint = "give pairs: `switchback move FROM TO [FROM TO]…`";
                return Err(Failure::new(message, Vec::new(), hint));
            }
            [] => {}
        }
    }
    Ok(pairs)
}

fn typed(args: &MoveArgs) -> String {
    let rules = args.rules.as_ref().map(|path| format!(" --rules {}", path.display())).unwrap_or_default();
    let words: Vec<&str> =
        std::iter::once("switchback move").chain(args.pairs.iter().map(String::as_str)).collect();
    format!("{}{rules}", words.join(" "))
}

fn has_changes(plan: &MovePlan) -> bool {
    plan.moved() + plan.edited() + plan.created.len() > 0
}

/// Files with changes that git does not have are refused: what is done to them could not be told apart.
pub(super) fn refuse_dirty<'a>(
    context: &Context<'_>,
    what: &str,
    paths: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    let git = Repository { world: &context.ports.world, folder: &context.root };
    // Without git there is nothing to be told apart from; the old bytes are kept either way.
    let Ok(status) =
        git.ask(&["status", "--porcelain", "-z", "--no-renames", "--untracked-files=no", "--", "."])
    else {
        return Ok(());
    };
    let prefix = git.prefix().unwrap_or_default();
    let dirty: BTreeSet<String> = status
        .split('\0')
        .filter_map(|line| line.get(3..))
        .filter_map(|path| std::path::Path::new(path).strip_prefix(&prefix).ok())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let met: Vec<&str> = paths.filter(|path| dirty.contains(*path)).collect();
    if met.is_empty() {
        return Ok(());
    }
    let mut causes: Vec<String> = met
        .iter()
        .take(SHOWN_MAX)
        .map(|path| format!("`{path}` has changes that are not committed"))
        .collect();
    if met.len() > SHOWN_MAX {
        causes.push(format!("and {} more", met.len() - SHOWN_MAX));
    }
    let hint = "commit or stash them, or give `--allow-dirty`; nothing was written";
    Err(Failure::new(format!("{what} would write onto changes of yours"), causes, hint))
}

fn show(context: &Context<'_>, args: &MoveArgs, plan: &MovePlan, is_written: bool) {
    let ui = context.ui;
    if ui.json {
        let mut document = plan.to_json();
        document["written"] = serde_json::json!(is_written);
        ui.document(&document);
        return;
    }
    if !args.write {
        ui.text(&plan.diff());
    }
    for pair in &plan.done {
        ui.note(&format!("`{}` is `{}` already", pair.from, pair.to));
    }
    let mut left: Vec<String> = plan.left_told();
    let more = left.len().saturating_sub(SHOWN_MAX);
    left.truncate(SHOWN_MAX);
    for line in left {
        ui.note(&format!("left: {line}"));
    }
    if more > 0 {
        ui.note(&format!("left: and {more} more; `--json` lists them"));
    }
    for file in &plan.unparsed {
        ui.note(&format!(
            "{}:{}: it does not parse: {}; {} edits",
            file.path, file.line, file.message, file.edits
        ));
    }
    let against = plan.proof.told();
    let next = if against.is_empty() { "" } else { "correct the rules; nothing was written" };
    ui.refusal("no", &against, next);
    let done = match (is_written, args.write) {
        (true, _) => "written; `switchback undo` takes it back",
        (false, true) => "nothing was written",
        (false, false) => "nothing was touched; `--write` writes it",
    };
    ui.note(&format!("{}: {}; {done}", ui.verdict(plan.verdict()), plan.summary()));
}
