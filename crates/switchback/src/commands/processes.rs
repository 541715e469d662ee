//! What happens, or happened, to the processes that run the tree: as JSON, and in lines for people.

use serde_json::{Value, json};
use switchback_core::phase::HandedOver;
use switchback_core::plan::{Plan, Process};

use super::Context;

/// A list of `{name, handover, does, phases}`.
pub(super) fn planned(plan: &Plan) -> Value {
    let one = |process: &Process| {
        json!({
            "name": process.name,
            "handover": process.handover.word(),
            "does": process.handover.does(),
            "phases": process.phases,
            "timeout_s": process.timeout_s,
            "ready_within_s": process.ready.as_ref().map(|ready| ready.within_s),
            "pid_file": process.pid_file,
        })
    };
    plan.processes.iter().map(one).collect()
}

/// What an exchange would do to a process, in a line.
pub(super) fn would(process: &Process) -> String {
    let ready = process.ready.as_ref().map_or_else(
        || "ready when its command has ended".to_owned(),
        |ready| format!("ready within {} s", ready.within_s),
    );
    format!("{}: {}; {ready}", process.name, process.handover.does())
}

/// A list of `{name, does}`, of a rollback that was not carried out.
pub(super) fn would_be(processes: &[(String, String)]) -> Value {
    processes.iter().map(|(name, does)| json!({"name": name, "does": does})).collect()
}

/// A list of `{name, handover, verdict, summary, down_milliseconds}`.
pub(super) fn done(processes: &[HandedOver]) -> Value {
    let one = |one: &HandedOver| {
        json!({
            "name": one.process,
            "handover": one.handover,
            "verdict": one.verdict.word(),
            "summary": one.summary,
            "down_milliseconds": one.down_milliseconds,
        })
    };
    processes.iter().map(one).collect()
}

/// What came of each, in a line.
pub(super) fn show(context: &Context<'_>, processes: &[HandedOver]) {
    for one in processes {
        context.ui.show(&format!("  {}: {}", context.ui.verdict(one.verdict), one.line()));
    }
}
