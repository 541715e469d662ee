//! `switchback check`.

use switchback_core::phase::Work;
use switchback_core::phase::alone::{CheckOptions, check as carry_out};
use switchback_core::plan::Moment;
use switchback_core::report::{json, status};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::CheckArgs;
use crate::failure::Failure;

pub(crate) fn check(context: &Context<'_>, args: &CheckArgs) -> Result<Verdict, Failure> {
    let at = match &args.at {
        Some(word) => Some(Moment::parse(word).ok_or_else(|| {
            let hint = "points are `before`, `staged`, `live`, `rolled-back`, and the delays of the plan, such as `+1h`";
            Failure::new(format!("unknown point `{word}`"), Vec::new(), hint)
        })?),
        None => None,
    };
    let options = CheckOptions { names: args.names.clone(), at, phase: args.phase.clone() };
    let work = Work::begin(context.project()?, "check", context.ui)
        .map_err(|error| Failure::doing("could not begin the checks", error))?;
    let first = work.history().seq;
    let verdict = carry_out(&work, &options)
        .map_err(|error| Failure::doing("could not carry out the checks", error))?;
    if context.ui.json {
        let mut document = json::document("check", verdict, &status(&work.project, &work.history()));
        let records = work.records().map_err(|error| Failure::doing("could not read the journal", error))?;
        let new: Vec<_> = records.into_iter().filter(|record| record.seq > first).collect();
        json::add_events(&mut document, &new);
        context.ui.document(&document);
    } else {
        context.ui.show(&context.ui.verdict(verdict));
    }
    Ok(verdict)
}
