//! `switchback demo`.

use std::path::PathBuf;

use serde_json::{Value, json};
use switchback_core::phase::{Notice, Project, Witness};
use switchback_core::report::{run_report, save};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::DemoArgs;
use crate::demo::{Accepted, Found, Scene, SceneOptions, Tour, tour};
use crate::failure::Failure;

pub(crate) fn demo(context: &Context<'_>, args: &DemoArgs) -> Result<Verdict, Failure> {
    let ui = context.ui;
    let options = SceneOptions { directory: args.directory.clone(), seed: args.seed, defect: args.defect };
    let scene = Scene::set(&context.ports.world, &options)?;
    ui.note(&format!("demo in {}", scene.directory.display()));
    ui.note(&format!("  seed {}: {}", args.seed, scene.tape));
    if let Some(defect) = &scene.defect {
        ui.note(&format!("  planted into the candidate: {}", defect.words()));
    }
    let within = |failure: Failure| failure.within_demo(&scene.project);
    let toured = tour(context.ports, ui, &scene).map_err(within)?;
    let report = report(context, &scene).map_err(within)?;
    let (verdict, found) = judge(&scene, &toured)?;
    if ui.json {
        let mut document = json!({
            "schema": "switchback/demo/1",
            "verdict": verdict.word(),
            "directory": scene.directory.display().to_string(),
            "project": scene.project.display().to_string(),
            "report": report.display().to_string(),
            "seed": args.seed,
            "defect": scene.defect.as_ref().map(|defect| defect.said.clone()),
            "found": found.map(Found::to_json),
        });
        add_tour(&mut document, &toured);
        ui.document(&document);
    } else {
        show(context, &scene, &toured, verdict, found);
        ui.show(&format!("  project  {}", scene.project.display()));
        ui.show(&format!("  report   {}", report.display()));
    }
    Ok(verdict)
}

/// Writes the report of the last run into the folder of the demo.
fn report(context: &Context<'_>, scene: &Scene) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::doing("could not write the report of the demo", error);
    let project = Project::open(&scene.project, context.ports).map_err(failed)?;
    let path = scene.directory.join("report.html");
    let html = run_report(&project).map_err(failed)?.to_html();
    if let Some(warning) = save(&project, &html, &path).map_err(failed)? {
        context.ui.notice(Notice::Warning(warning));
    }
    Ok(path)
}

/// The verdict about the candidate, and what named its defect. A demo that does not show what it is for is an error.
fn judge<'t>(scene: &Scene, toured: &'t Tour) -> Result<(Verdict, Option<&'t Found>), Failure> {
    let hint = "please report this, with the seed: the demo proved Switchback wrong";
    match (toured, &scene.defect) {
        (Tour::Accepted(_), None) => Ok((Verdict::Yes, None)),
        (Tour::Accepted(_), Some(defect)) => {
            Err(Failure::new("the planted defect went live unseen", vec![defect.said.to_string()], hint))
        }
        (Tour::Refused { verdict, .. }, None) => Ok((*verdict, None)),
        // What could not be looked at names nothing, and proves nothing wrong.
        (Tour::Refused { verdict: Verdict::Unknown, found, .. }, Some(_)) if found.is_empty() => {
            Ok((Verdict::Unknown, None))
        }
        (Tour::Refused { verdict, found, reasons }, Some(defect)) => {
            let named = found.iter().find(|found| {
                found.table == defect.table() && found.column == defect.column() && &found.row == defect.row()
            });
            match named {
                Some(named) => Ok((*verdict, Some(named))),
                None => Err(Failure::new(
                    "the candidate was refused, and its defect was not named",
                    reasons.clone(),
                    hint,
                )),
            }
        }
    }
}

fn add_tour(document: &mut Value, toured: &Tour) {
    match toured {
        Tour::Accepted(Accepted { entries, rollback_ms, first_run, second_run, proofs }) => {
            let proofs = proofs.iter().map(|(who, what)| json!({"by": who, "what": what}));
            document["proved"] = proofs.collect();
            document["entries_compared"] = json!(entries);
            document["rollback_milliseconds"] = json!(rollback_ms);
            document["run_seconds"] = json!([first_run.as_secs_f64(), second_run.as_secs_f64()]);
        }
        Tour::Refused { reasons, found, .. } => {
            document["reasons"] = json!(reasons);
            document["differences"] = found.iter().map(Found::to_json).collect();
        }
    }
}

fn show(context: &Context<'_>, scene: &Scene, toured: &Tour, verdict: Verdict, found: Option<&Found>) {
    let ui = context.ui;
    let word = ui.verdict(verdict);
    match toured {
        Tour::Accepted(accepted) => {
            ui.show(&format!("{word}: the new pipeline went live, was taken back, and went live again"));
            for (who, what) in &accepted.proofs {
                ui.show(&format!("  {who}: {what}"));
            }
            ui.show(&format!(
                "  rollback: {:.1} ms, and all {} entries were back as they were, content and metadata",
                accepted.rollback_ms, accepted.entries
            ));
            ui.show(&format!(
                "  runs: {:.1} s and {:.1} s, from the snapshot to the end",
                accepted.first_run.as_secs_f64(),
                accepted.second_run.as_secs_f64()
            ));
        }
        Tour::Refused { reasons, .. } => {
            let what = match verdict {
                Verdict::Unknown => {
                    "whether the candidate is as it must be could not be found out, so it did not go live"
                }
                _ => "the candidate was refused",
            };
            ui.show(&format!("{word}: {what}; the old pipeline is live, untouched"));
            for reason in reasons {
                ui.show(&format!("  {reason}"));
            }
            if let (Some(defect), Some(found)) = (&scene.defect, found) {
                ui.show(&format!("  planted  {}", defect.words()));
                ui.show(&format!("  found    {}", found.words()));
            }
        }
    }
}
