//! `switchback doctor`.

use serde_json::json;
use switchback_core::phase::{Examination, Work, examine};
use switchback_core::report::{json as documents, status};
use switchback_core::verdict::Verdict;

use super::{Context, validation};
use crate::failure::Failure;

pub(crate) fn doctor(context: &Context<'_>) -> Result<Verdict, Failure> {
    let work = Work::begin(context.project()?, "doctor", context.ui)
        .map_err(|error| Failure::doing("could not begin to look", error))?;
    let found = examine(&work).map_err(|error| Failure::doing("could not look at what is live", error))?;
    if context.ui.json {
        let mut document =
            documents::document("doctor", found.verdict, &status(&work.project, &work.history()));
        document["found"] = validation::as_json(&found.checks);
        document["playbooks"] = found
            .playbooks
            .iter()
            .map(|(name, holds)| json!({"name": name, "symptoms_hold": holds.word()}))
            .collect();
        document["proposed"] = json!(found.proposed);
        document["unexplained"] = json!(found.unexplained);
        document["next"] = json!(found.next);
        context.ui.document(&document);
    } else {
        show(context, &work, &found);
    }
    Ok(found.verdict)
}

fn show(context: &Context<'_>, work: &Work<'_>, found: &Examination) {
    for one in &found.checks {
        context.ui.show(&validation::line(one.kind, one));
    }
    for (name, holds) in &found.playbooks {
        let holds = match holds {
            Verdict::Yes => "its symptoms hold",
            Verdict::No => "its symptoms do not hold",
            Verdict::Unknown => "could not tell whether its symptoms hold",
        };
        context.ui.show(&format!("  playbook `{name}`: {holds}"));
    }
    for check in &found.unexplained {
        context.ui.show(&format!("  no playbook whose symptoms hold is about the check `{check}`"));
    }
    context.ui.show(&context.ui.verdict(found.verdict));
    if let Some(playbook) = found.proposed.as_deref().and_then(|name| work.plan().playbook(name)) {
        let restores = playbook.restore.words();
        context.ui.show(&format!("  the playbook `{}` is for this: it restores {restores}", playbook.name));
    }
    if found.verdict != Verdict::Yes {
        context.ui.show(&format!("  next: `{}`", found.next));
    }
}
