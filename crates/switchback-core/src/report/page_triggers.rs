//! What a report says about the triggers of a phase.

use super::page::{Block, Table};
use super::trigger_status::TriggerStatus;
use super::wording::{Bit, marked, words};

/// One table of all of them.
pub(super) fn triggers(triggers: &[TriggerStatus]) -> Vec<Block> {
    let columns =
        ["condition", "what it starts", "would have fired on a broken copy", "fired", "what was seen"];
    let mut table = Table::new("What starts a rollback, or asks a person", &columns);
    for trigger in triggers {
        let (answer, seen) = match &trigger.rehearsed {
            Some((verdict, seen)) => (Bit::Verdict(*verdict), seen.as_str()),
            None if trigger.is_declared => (Bit::NotYet, ""),
            None => (Bit::Text("not rehearsed".to_owned()), "the plan does not say how it breaks"),
        };
        let fired = match trigger.fired {
            0 => "no".to_owned(),
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        table.rows.push(vec![
            marked(&trigger.when, &[]),
            words(trigger.action),
            vec![answer],
            words(fired),
            marked(seen, &[]),
        ]);
    }
    vec![Block::Table(table)]
}
