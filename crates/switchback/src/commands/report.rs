//! `switchback report`.

use std::path::Path;

use switchback_core::phase::{Notice, Project, Witness};
use switchback_core::report::{RunReport, run_report, save};
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use super::Context;
use crate::cli::{ReportArgs, ReportFormat};
use crate::failure::Failure;
use crate::ui::document_text;

pub(crate) fn report(context: &Context<'_>, args: &ReportArgs) -> Result<Verdict, Failure> {
    let failed = |error| Failure::doing("could not make the report", error);
    let (project, _) = context.told("report", "could not make the report")?;
    let report = run_report(&project).map_err(failed)?;
    // A file of that name is `./-`.
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = output {
        write(context, &project, &written(&report, args.format)?, path)?;
    }
    if context.ui.json {
        context.ui.document(&report.to_json());
    } else if output.is_none() {
        context.ui.text(&written(&report, args.format)?);
    }
    // The report was written, whatever the verdict in it.
    Ok(Verdict::Yes)
}

fn written(report: &RunReport, format: ReportFormat) -> Result<String, Failure> {
    match format {
        ReportFormat::Html => Ok(report.to_html()),
        ReportFormat::Markdown => Ok(report.to_markdown()),
        ReportFormat::Json => Ok(document_text(&report.to_json()) + "\n"),
        ReportFormat::Sarif => Ok(format!("{:#}\n", report.to_sarif())),
        ReportFormat::Junit => report.to_junit().map_err(|error| {
            Failure::new(
                "could not write the report as JUnit XML",
                vec![error.to_string()],
                "use `--format json`",
            )
        }),
    }
}

fn write(context: &Context<'_>, project: &Project, text: &str, path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::doing("could not write the report", error);
    let path = std::path::absolute(path)
        .map_err(|source| failed(DiskError::new("find the folder of", path, source).into()))?;
    if let Some(warning) = save(project, text, &path).map_err(failed)? {
        context.ui.notice(Notice::Warning(warning));
    }
    context.ui.note(&format!("wrote {}", path.display()));
    Ok(())
}
