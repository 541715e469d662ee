//! The document `switchback/report/1`: that of a status, with what a report adds.

use serde_json::{Map, Value, json};

use super::details::Detail;
use super::json::{criterion, document, environments};
use super::material::{FileNames, Named};
use super::phase_report::{CandidateReport, CheckReport, PhaseReport, RollBackReport};
use super::run_report::RunReport;
use super::shadow_status::ShadowStatus;
use super::trigger_status::TriggerStatus;
use crate::manifest::EntryCounts;
use crate::phase::look::binding_json;

/// Writes the document.
pub(super) fn run_json(report: &RunReport) -> Value {
    let mut whole = document("report", report.verdict, &report.status);
    whole["root"] = json!(report.root);
    whole["made_at"] = json!(report.made_at);
    whole["tool"] = json!(report.tool);
    whole["headline"] = json!(report.headline);
    whole["checked"] =
        json!(report.phases.iter().all(|phase| !phase.checks.is_empty()) && !report.phases.is_empty());
    let run = &report.run;
    whole["began"] =
        json!({"time": run.began, "actor": run.actor, "tool": run.tool, "plan": hash(&run.plan)});
    whole["plan"] = json!(hash(&report.plan));
    whole["plan_fault"] = json!(report.plan_fault);
    let managed = report.managed.iter().map(|(path, mirrored)| json!({"path": path, "mirrored": mirrored}));
    whole["managed"] = managed.collect();
    whole["live"] = json!({
        "generation": report.status.generation,
        "since": report.live.as_ref().map(|(since, _)| since),
        "actor": report.live.as_ref().map(|(_, actor)| actor),
    });
    let undo = &report.undo;
    whole["undo"] = json!({
        "possible": !undo.command.is_empty(),
        "command": undo.command,
        "to_generation": undo.to_generation,
        "mechanism": undo.mechanism,
        "paths": undo.paths,
        "does": undo.does,
    });
    whole["phases"] = report.phases.iter().map(phase).collect();
    whole["parts"] = parts(report);
    whole["events"] = report
        .story
        .told
        .iter()
        .map(|told| {
            json!({"seq": told.seq, "time": told.time, "actor": told.actor, "event": told.event, "phase": told.phase,
                   "what": told.what})
        })
        .collect();
    whole["events_left_out"] = json!(report.story.left_out.0);
    whole["chain"] = json!({"events": report.events, "head": hash(&report.head)});
    whole
}

fn phase(phase: &PhaseReport) -> Value {
    let changes = phase.changes.iter().map(|(kind, does)| json!({"kind": kind, "does": does}));
    let open = phase.open_checks.iter().map(|(name, kind, at)| json!({"name": name, "kind": kind, "at": at}));
    let criteria = phase.criteria.iter().map(|criterion| {
        json!({"name": criterion.name, "verdict": criterion.verdict.word(), "by": criterion.by,
               "open": criterion.is_open})
    });
    let needed: Map<String, Value> =
        phase.roles.iter().map(|(role, needed)| (role.clone(), json!(needed))).collect();
    let names: Vec<&String> = phase.roles.iter().map(|(role, _)| role).collect();
    let each = phase.roles.iter().map(|(_, needed)| *needed).min().unwrap_or(1);
    let approvals = phase.sign_offs.iter().map(|sign_off| {
        json!({"seq": sign_off.seq, "time": sign_off.time, "actor": sign_off.actor, "role": sign_off.role,
               "person": sign_off.person, "key": sign_off.key,
               "approved": sign_off.approved, "why": sign_off.why, "counts": sign_off.counts,
               "standing": sign_off.standing})
    });
    let snapshot = phase.snapshot.as_ref().map(|snapshot| {
        json!({"id": snapshot.id, "time": snapshot.time, "files": snapshot.files, "bytes": snapshot.bytes})
    });
    let live = phase
        .live
        .as_ref()
        .map(|(since, actor, generation)| json!({"since": since, "actor": actor, "generation": generation}));
    json!({
        "name": phase.status.name,
        "point": phase.status.point,
        "verdict": phase.status.verdict.word(),
        "attempts": phase.attempts,
        "reasons": phase.reasons,
        "changes": changes.collect::<Vec<_>>(),
        "snapshot": snapshot,
        "candidate": phase.candidate.as_ref().map(candidate),
        "rehearsal": phase.rehearsal.as_ref().map(check),
        "shadows": phase.shadows.iter().map(ShadowStatus::to_json).collect::<Vec<_>>(),
        "triggers": phase.triggers.iter().map(TriggerStatus::to_json).collect::<Vec<_>>(),
        "checks": phase.checks.iter().map(check).collect::<Vec<_>>(),
        "open_checks": open.collect::<Vec<_>>(),
        "criteria": criteria.chain(phase.checklist.iter().map(criterion)).collect::<Vec<_>>(),
        "roles": {"names": names, "each": each, "needed": needed},
        "approvals": approvals.collect::<Vec<_>>(),
        "live": live,
        "roll_backs": phase.roll_backs.iter().map(roll_back).collect::<Vec<_>>(),
    })
}

fn candidate(candidate: &CandidateReport) -> Value {
    let EntryCounts { added, removed, changed, metadata } = candidate.counts;
    json!({
        "time": candidate.time,
        "transaction": candidate.transaction,
        "mechanism": candidate.mechanism,
        "paths": candidate.paths,
        "entries": {"added": added, "removed": removed, "changed": changed, "metadata": metadata},
        "old_tree": hash(&candidate.old_tree),
        "new_tree": hash(&candidate.new_tree),
        "outside": candidate.outside,
        "environments": environments(&candidate.environments),
        "files": candidate.files.as_ref().ok().map(files),
        "files_fault": candidate.files.as_ref().err(),
    })
}

fn files(files: &FileNames) -> Value {
    let named = |named: &Named| json!({"total": named.total, "names": named.names});
    json!({
        "added": named(&files.added),
        "removed": named(&files.removed),
        "changed": named(&files.changed),
        "metadata": named(&files.metadata),
    })
}

fn check(check: &CheckReport) -> Value {
    json!({
        "name": check.name,
        "kind": check.kind,
        "at": check.at,
        "verdict": check.verdict.word(),
        "summary": check.summary,
        "time": check.time,
        "actor": check.actor,
        "milliseconds": check.milliseconds,
        "measure": check.measure,
        "looks": check.looks,
        "evidence": hash(&check.evidence),
        "evidence_fault": check.evidence_fault,
        "binding": binding_json(&check.binding),
        "void": check.void,
        "details": check.details.iter().map(detail).collect::<Vec<_>>(),
    })
}

fn detail(detail: &Detail) -> Value {
    json!({"title": detail.title, "columns": detail.columns, "rows": detail.rows, "left_out": detail.left_out})
}

fn roll_back(back: &RollBackReport) -> Value {
    json!({
        "time": back.time,
        "actor": back.actor,
        "why": back.why,
        "whole": back.whole,
        "restored": back.restored,
        "kept_aside": back.kept_aside,
    })
}

fn parts(report: &RunReport) -> Value {
    let listed = report.parts.listed.iter().map(|part| {
        json!({"phase": part.phase, "what": part.what, "waiting": part.is_waiting, "began": part.began,
               "milliseconds": part.milliseconds})
    });
    json!({
        "listed": listed.collect::<Vec<_>>(),
        "left_out": report.parts.left_out.0,
        "work_ms": report.parts.work_ms,
        "waiting_ms": report.parts.waiting_ms,
    })
}

/// A hash as the other documents write it; nothing stays nothing.
fn hash(hash: &str) -> String {
    if hash.is_empty() { String::new() } else { format!("blake3:{hash}") }
}
