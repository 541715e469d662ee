//! `switchback compare`.

use std::ffi::OsString;
use std::path::Path;

use switchback_compare::page::{self, Form};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::{CompareArgs, CompareFormat};
use crate::failure::Failure;

pub(crate) fn compare(context: &Context<'_>, args: &CompareArgs) -> Result<Verdict, Failure> {
    let rule = args.rule.rule(context.ports.world.disk.as_ref())?;
    let comparison = context.ports.comparer.compare(&args.old, &args.new, &rule)?;
    let written = args.format.map(|format| written(&comparison.report, format)).transpose()?;
    if let Some(path) = &args.output {
        let text = written.as_deref().unwrap_or(&comparison.report);
        save(context, text, path)?;
    }
    match &written {
        _ if context.ui.json => context.ui.data(&comparison.report),
        Some(text) if args.output.is_none() => context.ui.text(text),
        _ => {
            context.ui.show(&format!("{}: {}", context.ui.verdict(comparison.verdict), comparison.summary));
        }
    }
    Ok(comparison.verdict)
}

fn written(report: &str, format: CompareFormat) -> Result<String, Failure> {
    let form = match format {
        CompareFormat::Json => return Ok(format!("{report}\n")),
        CompareFormat::Text => Form::Text,
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
