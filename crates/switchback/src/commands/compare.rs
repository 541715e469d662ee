//! `switchback compare`.

use std::ffi::OsString;
use std::path::Path;

use switchback_compare::page::{self, Form, Screen};
use switchback_compare::{
    CompareError, CompareOptions, CompareOutcome, ComparePlan, calibration, exceptions, sensitivity,
};
use switchback_core::port::Comparison;
use switchback_core::rule::Rule;
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use super::Context;
use crate::cli::{CompareArgs, CompareFormat};
use crate::failure::Failure;

pub(crate) fn compare(context: &Context<'_>, args: &CompareArgs) -> Result<Verdict, Failure> {
    let comparison = compared(context, args)?;
    // What was found of the planted differences is a table, which no line can tell.
    let format = args.format.or(args.prove_sensitivity.then_some(CompareFormat::Text));
    let format = if args.output.is_some() { args.format } else { format };
    let screen = if args.output.is_some() { Screen::NONE } else { context.ui.screen() };
    let written = format.map(|format| written(&comparison.report, format, screen)).transpose()?;
    if let Some(path) = &args.output {
        let text = written.as_deref().unwrap_or(&comparison.report);
        save(context, text, path)?;
    }
    match &written {
        _ if context.ui.json => context.ui.data(&comparison.report),
        Some(text) if args.output.is_none() => context.ui.text(text),
        _ => {
            context.ui.show(&format!("{}: {}", context.ui.verdict(comparison.verdict), comparison.summary));
            if args.output.is_none() && context.ui.is_read_by_a_person() {
                let text = self::written(&comparison.report, CompareFormat::Text, screen)?;
                context.ui.text(&format!("\n{text}"));
            }
        }
    }
    Ok(comparison.verdict)
}

fn compared(context: &Context<'_>, args: &CompareArgs) -> Result<Comparison, Failure> {
    let world = &context.ports.world;
    let disk = world.disk.as_ref();
    let failed = |error: CompareError| error.into_port_error(&args.old, &args.new);
    let mut rule = args.rule.rule(disk)?;
    if args.calibrate {
        return Ok(calibration::calibrate(&args.old, &args.new, &rule, disk).map_err(failed)?.into());
    }
    if let Some(path) = &args.noise {
        let noise = calibration::load(disk, path).map_err(failed)?;
        calibration::judge(&noise, &rule).map_err(failed)?;
    }
    if let Some(path) = &args.exceptions {
        rule.exceptions = exceptions::load(disk, path, world.clock.now()).map_err(failed)?;
    }
    if args.prove_sensitivity {
        return Ok(proved(args, rule, disk).map_err(failed)?.into());
    }
    Ok(context.ports.comparer.compare(&args.old, &args.new, &rule)?)
}

/// A comparison, and what it would find.
fn proved(args: &CompareArgs, rule: Rule, disk: &dyn Disk) -> Result<CompareOutcome, CompareError> {
    let plan = ComparePlan::new(&args.old, &args.new, CompareOptions { rule }, disk)?;
    let mut outcome = switchback_compare::compare(&plan, disk)?;
    sensitivity::prove(&plan, &mut outcome, disk)?;
    Ok(outcome)
}

fn written(report: &str, format: CompareFormat, screen: Screen) -> Result<String, Failure> {
    let form = match format {
        CompareFormat::Json => return Ok(format!("{report}\n")),
        CompareFormat::Text => Form::Text(screen),
        CompareFormat::Html => Form::Html,
        CompareFormat::Markdown => Form::Markdown,
        CompareFormat::Junit => Form::Junit,
    };
    let report = serde_json::from_str(report).map_err(|error| {
        Failure::new("could not write the result", vec![error.to_string()], "use `--format json`")
    })?;
    Ok(page::write(&report, form))
}

/// Writes a file as a whole, over one that is there.
fn save(context: &Context<'_>, text: &str, path: &Path) -> Result<(), Failure> {
    let disk = context.ports.world.disk.as_ref();
    let failed = |cause: String| {
        let what = format!("could not write the result to `{}`", path.display());
        Failure::new(what, vec![cause], "name a file in a folder that exists and can be written to")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if disk.look(&folder.join(".")).map_err(|error| failed(error.to_string()))?.is_none() {
        return Err(failed(format!("the folder `{}` does not exist", folder.display())));
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", context.ports.world.surroundings.process_id()));
    let unfinished = path.with_file_name(name);
    let published = disk
        .write_new(&unfinished, 0o644, &mut text.as_bytes())
        .and_then(|()| disk.rename_over(&unfinished, path));
    published.map_err(|error| {
        // What was begun is of no use; that it cannot be removed either is not what the person must hear of.
        drop(disk.remove_file(&unfinished));
        failed(error.to_string())
    })?;
    context.ui.note(&format!("wrote {}", path.display()));
    Ok(())
}
