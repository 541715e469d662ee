//! `switchback watch`.

use switchback_core::phase::{Work, watch_live};
use switchback_core::verdict::Verdict;

use super::{Context, run};
use crate::cli::WatchArgs;
use crate::failure::Failure;

pub(crate) fn watch(context: &Context<'_>, args: &WatchArgs) -> Result<Verdict, Failure> {
    let work = Work::begin(context.project()?, "watch", context.ui)
        .map_err(|error| Failure::doing("could not begin the watch", error))?;
    let first = work.history().seq;
    let outcome = watch_live(&work, args.once);
    context.notify(&work);
    let outcome = outcome.map_err(|error| Failure::doing("could not carry on the watch", error))?;
    run::show(context, &work, "watch", &outcome, first)
}
