//! `switchback fixture refresh`: live data is captured, and put in the place of a fixture when that is asked for.

use std::path::PathBuf;

use serde_json::json;
use switchback_core::fixture::{Refresh, Refreshed, refresh};
use switchback_core::phase::Work;
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;
use crate::fixture_args::FixtureRefreshArgs;

pub(crate) fn refresh_fixture(context: &Context<'_>, args: &FixtureRefreshArgs) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not refresh the fixture", error);
    let work = Work::begin(context.project()?, "fixture refresh", context.ui).map_err(doing)?;
    let asked = Refresh { check: &args.check, writes: args.write };
    let done = refresh(&work, &asked).map_err(doing)?;
    // What was only looked at, and is not what stands there, is a *no*: the fixture is not what live data is.
    let verdict = if done.is_same() || done.is_written { Verdict::Yes } else { Verdict::No };
    if context.ui.json {
        context.ui.document(&json!({
            "schema": "switchback/fixture-refresh/1",
            "verdict": verdict.word(),
            "path": done.path,
            "old": done.old.as_ref().map(|hash| format!("blake3:{hash}")),
            "new": format!("blake3:{}", done.record.hash),
            "captured": done.record.captured.to_string(),
            "files": done.record.files,
            "bytes": done.record.bytes,
            "added": done.added,
            "changed": done.changed,
            "removed": done.removed,
            "written": done.is_written,
        }));
    } else {
        show(context, &done);
    }
    Ok(verdict)
}

fn show(context: &Context<'_>, done: &Refreshed) {
    let ui = context.ui;
    let path = done.path.display();
    let of = |paths: &[PathBuf], what: &str| {
        for path in paths {
            ui.show(&format!("  {what}: {}", path.display()));
        }
    };
    of(&done.added, "added");
    of(&done.changed, "changed");
    of(&done.removed, "removed");
    match (done.is_written, done.is_same()) {
        (true, _) => ui.show(&format!(
            "{path} is what was captured at {}; `switchback undo` takes it back",
            done.record.captured
        )),
        (false, true) => ui
            .show(&format!("live data is what {path} holds; `--write` writes down that it was captured now")),
        (false, false) => ui.show(&format!("live data is not what {path} holds; `--write` puts it there")),
    }
}
