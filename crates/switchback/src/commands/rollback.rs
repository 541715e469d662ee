//! `switchback rollback`.

use serde_json::json;
use switchback_core::phase::{
    Notice, Project, RollBackOptions, StepError, Witness, Work, plan_roll_back, roll_back,
};
use switchback_core::report::{json as documents, status};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::RollbackArgs;
use crate::failure::Failure;

pub(crate) fn rollback(context: &Context<'_>, args: &RollbackArgs) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not roll back", error);
    let (project, unusable) = Project::open_for_rollback(&context.root, context.ports);
    if let Some(error) = unusable {
        if matches!(error, StepError::NoPlan(_)) && !project.has_state().map_err(doing)? {
            return Err(doing(error));
        }
        context.ui.notice(Notice::Warning(format!("the plan cannot be used, and is not needed: {error}")));
    }
    let options =
        RollBackOptions { phase: args.phase.clone(), only: args.only.clone(), why: args.why.clone() };
    let work = Work::begin_rollback(project, "rollback", context.ui).map_err(doing)?;
    if args.dry_run {
        let plan = plan_roll_back(&work, &options).map_err(doing)?;
        if context.ui.json {
            let status = status(work.plan(), &work.history());
            let mut document = documents::document("rollback", Verdict::Yes, &status);
            document["dry_run"] = json!(true);
            document["would_restore"] = json!(plan.paths);
            context.ui.document(&document);
        } else {
            context.ui.show(&format!(
                "would roll back {}: {}",
                plan.phases.join(", "),
                plan.paths.join(", ")
            ));
        }
        return Ok(Verdict::Yes);
    }
    let outcome = roll_back(&work, &options).map_err(doing)?;
    if context.ui.json {
        let mut document =
            documents::document("rollback", Verdict::Yes, &status(work.plan(), &work.history()));
        document["restored"] = json!(outcome.restored);
        document["kept_aside"] = json!(outcome.kept_aside);
        document["milliseconds"] = json!(outcome.milliseconds);
        context.ui.document(&document);
    } else {
        context.ui.show(&format!("yes: rolled back {}", outcome.phases.join(", ")));
        for path in &outcome.restored {
            context.ui.show(&format!("  restored {path}"));
        }
        for path in &outcome.kept_aside {
            context.ui.show(&format!("  changed since it went live, kept aside: {path}"));
        }
    }
    Ok(Verdict::Yes)
}
