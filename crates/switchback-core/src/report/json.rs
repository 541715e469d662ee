//! The JSON documents of the command line: a format that other programs are written against.

use serde_json::{Map, Value, json};

use super::anchor_status::AnchorStatus;
use super::database_status::DatabaseStatus;
use super::process_status::ProcessStatus;
use super::shadow_status::ShadowStatus;
use super::status::{Status, WaitsFor};
use super::trigger_status::TriggerStatus;
use crate::journal::{EnvironmentFact, Record};
use crate::phase::RunOutcome;
use crate::phase::approval::{RoleTally, Standing};
use crate::phase::criteria::CriterionStanding;
use crate::verdict::Verdict;

/// The document `switchback/<name>/1` of a status, with the verdict of what was done.
pub fn document(name: &str, verdict: Verdict, status: &Status) -> Value {
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!(format!("switchback/{name}/1")));
    document.insert("verdict".to_owned(), json!(verdict.word()));
    document.insert("project".to_owned(), json!(status.project));
    document.insert("run".to_owned(), json!(status.run));
    document.insert("phase".to_owned(), json!(status.phase));
    document.insert("point".to_owned(), json!(status.point));
    document.insert("waits_for".to_owned(), status.waits_for.iter().map(waits_for).collect());
    document.insert("generation".to_owned(), json!(status.generation));
    let phases = status
        .phases
        .iter()
        .map(|phase| json!({"name": phase.name, "point": phase.point, "verdict": phase.verdict.word()}));
    document.insert("phases".to_owned(), phases.collect());
    let checks = status.checks.iter().map(|fact| {
        json!({
            "name": fact.check,
            "at": fact.at,
            "verdict": fact.verdict.word(),
            "summary": fact.summary,
            "evidence": format!("blake3:{}", fact.evidence),
            "seconds": seconds(fact.milliseconds),
        })
    });
    document.insert("checks".to_owned(), checks.collect());
    let criteria = status.criteria.iter().map(
        |criterion| json!({"name": criterion.name, "verdict": criterion.verdict.word(), "by": criterion.by}),
    );
    let listed = status.checklist.iter().map(criterion);
    document.insert("criteria".to_owned(), criteria.chain(listed).collect());
    if !status.approvals.is_empty() {
        document.insert("approvals".to_owned(), status.approvals.iter().map(approval).collect());
    }
    if !status.environments.is_empty() {
        document.insert("environments".to_owned(), environments(&status.environments));
    }
    if !status.processes.is_empty() {
        document.insert("processes".to_owned(), status.processes.iter().map(process).collect());
    }
    if !status.databases.is_empty() {
        let databases = status.databases.iter().map(DatabaseStatus::to_json);
        document.insert("databases".to_owned(), databases.collect());
    }
    if !status.shadows.is_empty() {
        document.insert("shadows".to_owned(), status.shadows.iter().map(ShadowStatus::to_json).collect());
    }
    if !status.triggers.is_empty() {
        document.insert("triggers".to_owned(), status.triggers.iter().map(TriggerStatus::to_json).collect());
    }
    if !status.anchors.is_empty() {
        document.insert("anchors".to_owned(), status.anchors.iter().map(AnchorStatus::to_json).collect());
    }
    let rollback = match &status.rollback {
        Some((to, mechanism)) => json!({"possible": true, "to_generation": to, "mechanism": mechanism}),
        None => json!({"possible": false, "to_generation": null, "mechanism": null}),
    };
    document.insert("rollback".to_owned(), rollback);
    let failed = status.failed.as_ref().map(|(step, why)| json!({"step": step, "why": why}));
    document.insert("failed".to_owned(), json!(failed));
    Value::Object(document)
}

/// What was said in a role, and how each of it stands.
fn approval(tally: &RoleTally) -> Value {
    let votes = tally.votes.iter().map(|vote| {
        let altered = match &vote.standing {
            Standing::Void(altered) => altered.as_slice(),
            _ => &[],
        };
        let changed = altered
            .iter()
            .map(|one| json!({"what": one.what, "approved": one.approved, "now": one.now}))
            .collect::<Vec<_>>();
        let about = vote.about.as_ref().map(|about| {
            json!({"plan": about.plan, "old_tree": about.old_tree, "new_tree": about.new_tree,
                   "inputs": about.inputs, "tool": about.tool})
        });
        let expires = (!vote.expires.is_empty()).then_some(&vote.expires);
        json!({
            "seq": vote.seq,
            "time": vote.time,
            "who": vote.who,
            "key": vote.key,
            "approved": vote.approved,
            "why": vote.why,
            "expires": expires,
            "counts": vote.standing.counts(),
            "standing": vote.standing.words(),
            "about": about,
            "changed": changed,
        })
    });
    json!({
        "role": tally.role,
        "needed": tally.needed,
        "missing": tally.missing(),
        "refused": tally.is_refused(),
        "votes": votes.collect::<Vec<_>>(),
    })
}

/// A criterion of the plan: with its point, which those that the program adds do not have.
pub(super) fn criterion(one: &CriterionStanding) -> Value {
    json!({
        "name": one.name,
        "verdict": one.verdict.word(),
        "by": one.by,
        "at": one.at.to_string(),
        "required": one.required,
        "open": one.is_open,
    })
}

/// What became of the dependency environments.
pub(super) fn environments(facts: &[EnvironmentFact]) -> Value {
    let fact = |fact: &EnvironmentFact| {
        let evidence = (!fact.evidence.is_empty()).then(|| format!("blake3:{}", fact.evidence));
        json!({"path": fact.path, "built": fact.is_built, "summary": fact.summary, "evidence": evidence})
    };
    facts.iter().map(fact).collect()
}

fn process(process: &ProcessStatus) -> Value {
    json!({
        "name": process.name,
        "handover": process.handover,
        "state": process.state,
        "generation": process.generation,
        "down_milliseconds": process.down_milliseconds,
        "verdict": process.verdict.word(),
        "summary": process.summary,
        "told_at": process.told_at,
    })
}

/// Adds what a run came to.
pub fn add_outcome(document: &mut Value, outcome: &RunOutcome) {
    document["reasons"] = json!(outcome.reasons);
    document["next"] = json!(outcome.next);
}

/// Adds the events of a run.
pub fn add_events(document: &mut Value, records: &[Record]) {
    document["events"] = records.iter().map(event).collect();
}

/// One event of the journal, as `switchback log --json` prints it.
pub fn event(record: &Record) -> Value {
    let (word, body) = record.event.write().unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    json!({
        "seq": record.seq,
        "time": record.time,
        "actor": record.actor,
        "event": word,
        "body": body,
        "prev": record.prev,
        "hash": record.hash,
    })
}

fn waits_for(waits: &WaitsFor) -> Value {
    match waits {
        WaitsFor::Approval { role, missing, why } => {
            json!({"kind": "approval", "role": role, "missing": missing, "why": why})
        }
        WaitsFor::Check { name, at } => json!({"kind": "check", "name": name, "at": at}),
        WaitsFor::Rehearsal => json!({"kind": "rehearsal"}),
        WaitsFor::Criterion { name, role } => json!({"kind": "criterion", "name": name, "role": role}),
        WaitsFor::Shadow { name, until } => json!({"kind": "shadow", "name": name, "until": until}),
        WaitsFor::Watch { at, due } => json!({"kind": "watch", "at": at, "due": due}),
        WaitsFor::Window { opens } => json!({"kind": "window", "opens": opens}),
        WaitsFor::Plan => json!({"kind": "plan"}),
        WaitsFor::Run => json!({"kind": "run"}),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a check that takes 2^53 milliseconds is not to be expected")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1_000.0
}
