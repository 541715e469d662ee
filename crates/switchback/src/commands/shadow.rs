//! `switchback shadow`.

use switchback_core::phase::{ShadowOptions, Work, shadow as run_shadow};
use switchback_core::report::status as derive;
use switchback_core::verdict::Verdict;

use super::status::show_criteria;
use super::{Context, run};
use crate::cli::ShadowArgs;
use crate::failure::Failure;

pub(crate) fn shadow(context: &Context<'_>, args: &ShadowArgs) -> Result<Verdict, Failure> {
    let options = ShadowOptions { phase: args.phase.clone(), once: args.once, again: args.again };
    let work = Work::begin(context.project()?, "shadow", context.ui)
        .map_err(|error| Failure::doing("could not begin the shadow", error))?;
    let first = work.history().seq;
    let outcome = run_shadow(&work, &options)
        .map_err(|error| Failure::doing("could not carry on the shadow", error))?;
    let verdict = run::show(context, &work, "shadow", &outcome, first, None)?;
    if !context.ui.json {
        // What they came to, also where all of them were over before.
        let mut criteria = derive(&work.project, &work.history()).criteria;
        criteria.retain(|criterion| criterion.by.starts_with("shadow "));
        show_criteria(context, &criteria);
    }
    Ok(verdict)
}
