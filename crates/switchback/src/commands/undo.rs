//! `switchback undo`, and what every command does first: end what a stand-alone `--write` left unfinished.

use serde_json::json;
use switchback_core::tree::rewrite;
use switchback_core::verdict::Verdict;

use super::Context;
use crate::failure::Failure;

pub(crate) fn undo(context: &Context<'_>) -> Result<Verdict, Failure> {
    let undone = rewrite::undo(&context.ports.world, &context.root)
        .map_err(|error| Failure::rewriting("could not take the last write back", &error))?;
    if context.ui.json {
        context.ui.document(&json!({
            "schema": "switchback/undo/1",
            "verdict": Verdict::Yes.word(),
            "command": undone.command,
            "time": undone.time,
            "restored": undone.paths,
        }));
    } else {
        let files = undone.paths.len();
        context.ui.show(&format!(
            "took back `{}` of {}: {files} paths are as they were",
            undone.command, undone.time
        ));
    }
    Ok(Verdict::Yes)
}

/// Puts back what a process that ended in the middle of a write had begun.
pub(crate) fn recover(context: &Context<'_>) -> Result<(), Failure> {
    let recovered = rewrite::recover(&context.ports.world, &context.root)
        .map_err(|error| Failure::rewriting("could not end an unfinished write", &error))?;
    if let Some(recovered) = recovered {
        let files = recovered.paths.len();
        context.ui.note(&format!(
            "warning: `{}` had been interrupted; its {files} paths were put back as they were",
            recovered.command
        ));
    }
    Ok(())
}
