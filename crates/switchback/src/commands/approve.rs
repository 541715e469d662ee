//! `switchback approve` and `switchback reject`.

use switchback_core::phase::Work;
use switchback_core::phase::criteria::CriterionSaid;
use switchback_core::phase::sign_off::{self, ApproveOptions};
use switchback_core::report::{json, status};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::{ApproveArgs, RejectArgs};
use crate::failure::Failure;

pub(crate) fn approve(context: &Context<'_>, args: &ApproveArgs) -> Result<Verdict, Failure> {
    if let Some(criterion) = &args.criterion {
        let said =
            CriterionSaid { criterion, role: &args.role, refusal: None, key: args.key.place(&context.root) };
        return super::criterion::sign(context, &args.phase, &said);
    }
    let doing = |error| Failure::doing("could not approve", error);
    let project = context.project()?;
    sign_off::phase_with(&project, &args.phase, &args.role).map_err(doing)?;
    let work = Work::begin(project, "approve", context.ui).map_err(doing)?;
    let options = ApproveOptions { role: args.role.clone(), key: args.key.place(&context.root) };
    let gate = sign_off::approve(&work, &args.phase, &options).map_err(doing)?;
    context.notify(&work);
    if context.ui.json {
        let mut document = json::document("approve", gate.verdict, &status(&work.project, &work.history()));
        document["reasons"] = gate.reasons.iter().cloned().collect();
        document["next"] = gate.next.clone().into();
        context.ui.document(&document);
        return Ok(gate.verdict);
    }
    match gate.verdict {
        Verdict::Yes => context.ui.show(&format!("yes: phase {} is approved", args.phase)),
        verdict => {
            context.ui.show(&format!(
                "{}: phase {} does not go live yet",
                context.ui.verdict(verdict),
                args.phase
            ));
            context.ui.refusal(&context.ui.verdict(verdict), &gate.reasons, &gate.next);
        }
    }
    Ok(gate.verdict)
}

pub(crate) fn reject(context: &Context<'_>, args: &RejectArgs) -> Result<Verdict, Failure> {
    if let Some(criterion) = &args.criterion {
        let said = CriterionSaid { criterion, role: &args.role, refusal: Some(&args.why), key: None };
        return super::criterion::sign(context, &args.phase, &said);
    }
    let doing = |error| Failure::doing("could not reject", error);
    let project = context.project()?;
    sign_off::phase_with(&project, &args.phase, &args.role).map_err(doing)?;
    let work = Work::begin(project, "reject", context.ui).map_err(doing)?;
    sign_off::reject(&work, &args.phase, &args.role, &args.why).map_err(doing)?;
    context.notify(&work);
    if context.ui.json {
        context.ui.document(&json::document("reject", Verdict::Yes, &status(&work.project, &work.history())));
    } else {
        context.ui.show(&format!(
            "phase {} is rejected in the role {}; it will not go live",
            args.phase, args.role
        ));
    }
    Ok(Verdict::Yes)
}
