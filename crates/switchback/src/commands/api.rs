//! `switchback api`.

use switchback_core::verdict::Verdict;
use switchback_python::api::{ApiOptions, api as compare};

use super::Context;
use crate::cli::ApiArgs;
use crate::failure::Failure;

/// Pairs of modules as they were typed, `OLD=NEW`.
pub(super) fn moved(typed: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pairs = typed.iter().map(|pair| {
        let Some((old, new)) = pair.split_once('=') else {
            let message = format!("`--moved {pair}` names no two modules");
            return Err(Failure::new(message, Vec::new(), "write it as `--moved OLD=NEW`"));
        };
        Ok((old.to_owned(), new.to_owned()))
    });
    pairs.collect()
}

pub(crate) fn api(context: &Context<'_>, args: &ApiArgs) -> Result<Verdict, Failure> {
    let moved = moved(&args.moved)?;
    let options = ApiOptions { old: context.root.join(&args.old), new: context.root.join(&args.new), moved };
    let outcome = compare(&context.ports.world.disk, &options)
        .map_err(|error| Failure::reading_code("could not compare the public surfaces", &error))?;
    let ui = context.ui;
    if ui.json {
        ui.document(&outcome.to_json());
        return Ok(outcome.verdict());
    }
    for change in &outcome.changes {
        let breaking = if change.breaking { "breaking: " } else { "" };
        let sides = [&change.old, &change.new].into_iter().flatten().cloned().collect::<Vec<_>>().join(" → ");
        ui.show(&format!("{breaking}{}: {}: {sides}", change.kind.word(), change.symbol));
    }
    let breaking = outcome.changes.iter().filter(|change| change.breaking).count();
    ui.show(&format!(
        "{}: {} public names, {} changes, {breaking} of them breaking",
        ui.verdict(outcome.verdict()),
        outcome.symbols,
        outcome.changes.len()
    ));
    Ok(outcome.verdict())
}
