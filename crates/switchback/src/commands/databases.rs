//! What happens, or happened, to databases whose schema goes with a phase: as JSON, and in lines for people.

use serde_json::{Value, json};
use switchback_core::phase::DatabaseBack;

use super::Context;

/// What a rollback would do.
pub(super) fn would_be(databases: &[(String, String)]) -> Value {
    databases.iter().map(|(name, does)| json!({"name": name, "does": does})).collect()
}

/// What a rollback did.
pub(super) fn done(databases: &[DatabaseBack]) -> Value {
    let one = |one: &DatabaseBack| {
        json!({
            "name": one.database,
            "verdict": one.verdict.word(),
            "summary": one.summary,
            "left": one.left,
            "would_lose": one.would_lose,
            "next": one.next,
        })
    };
    databases.iter().map(one).collect()
}

/// The same for people.
pub(super) fn show(context: &Context<'_>, databases: &[DatabaseBack]) {
    for one in databases {
        context.ui.show(&format!("  {}: {}", context.ui.verdict(one.verdict), one.summary));
        if !one.next.is_empty() {
            context.ui.show(&format!("    next: {}", one.next));
        }
    }
}
