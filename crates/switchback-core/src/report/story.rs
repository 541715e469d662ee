//! The journal's time line in words.

use super::material::Material;
use crate::journal::{Event, Record};
use crate::manifest::EntryCounts;

/// So many events at the beginning and at the end are told one by one.
const FIRST_MAX: usize = 100;
const LAST_MAX: usize = 100;
const PATHS_MAX: usize = 5;

/// One event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its position in the journal.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// Who: `user@host`.
    pub actor: String,
    /// Its word in the journal.
    pub event: String,
    /// The phase, where it is about one.
    pub phase: String,
    /// What happened.
    pub what: String,
}

/// The events of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// In order; of a very long run only the first and the last ones.
    pub told: Vec<Told>,
    /// How many are left out, and after how many of the told ones.
    pub left_out: (u64, usize),
}

/// Tells the records of the run.
pub(super) fn story(material: &Material<'_>) -> Story {
    tell_all(&material.records, &|text| material.clean(text))
}

/// Tells records; `clean` takes secrets out.
pub(super) fn tell_all(records: &[Record], clean: &dyn Fn(&str) -> String) -> Story {
    let left_out = records.len().saturating_sub(FIRST_MAX + LAST_MAX);
    let (first, rest) = records.split_at(records.len().min(FIRST_MAX));
    let shown = first.iter().chain(&rest[left_out..]);
    let told = shown.map(|record| tell(record, clean)).collect();
    Story { told, left_out: (left_out as u64, FIRST_MAX) }
}

/// What a record says, in words; `clean` takes secrets out.
pub(crate) fn told(record: &Record, clean: &dyn Fn(&str) -> String) -> String {
    clean(&words(&record.event))
}

fn tell(record: &Record, clean: &dyn Fn(&str) -> String) -> Told {
    let event = record.event.write().map_or_else(|_| "?".to_owned(), |(word, _)| word);
    Told {
        seq: record.seq,
        time: record.time.clone(),
        actor: record.actor.clone(),
        event,
        phase: record.event.phase().unwrap_or_default().to_owned(),
        what: told(record, clean),
    }
}

/// A verdict as it is said, from its word in the journal.
fn spoken(word: &str) -> &str {
    crate::verdict::Verdict::from_word(word).map_or(word, |known| known.spoken())
}

fn words(event: &Event) -> String {
    match event {
        Event::RunStarted { run, tool, .. } => format!("run {run} began, with {tool}"),
        Event::SnapshotStarted { .. } => "a snapshot of everything that may change".to_owned(),
        Event::SnapshotTaken { snapshot, .. } if snapshot == "nothing" => {
            "there was nothing to save".to_owned()
        }
        Event::SnapshotTaken { snapshot, files, bytes, .. } => {
            format!("snapshot {} verified: {files} files, {bytes} bytes", short(snapshot))
        }
        &Event::Staged { added, removed, changed, metadata, .. } => {
            format!("candidate built: {}", EntryCounts { added, removed, changed, metadata })
        }
        Event::CheckStarted { check, at, .. } => format!("check {check} at {at}"),
        Event::CheckEnded { check, at, verdict, summary, .. } => {
            format!("check {check} at {at}: {}: {summary}", spoken(verdict))
        }
        Event::Approved { role, person, .. } if !person.is_empty() => {
            format!("approved in the role {role} by {person}")
        }
        Event::Approved { role, .. } => format!("approved in the role {role}"),
        Event::Rejected { role, why, .. } => format!("refused in the role {role}: {why}"),
        Event::CriterionSigned { criterion, role, holds: true, .. } => {
            format!("`{criterion}` holds, signed in the role {role}")
        }
        Event::CriterionSigned { criterion, role, why, .. } => {
            format!("`{criterion}` does not hold, said in the role {role}: {why}")
        }
        Event::CutOver { generation, .. } => format!("generation {generation} went live"),
        Event::DriftChecked { drift, .. } if drift.is_empty() => {
            "nothing was written at the last moment".to_owned()
        }
        Event::DriftChecked { drift, .. } => format!("written at the last moment: {}", listed(drift)),
        Event::CutOverUndone { why, .. } => format!("the exchange was taken back: {why}"),
        Event::SafetyBranchMade { branch, .. } => format!("safety branch {branch}"),
        Event::TriggerFired { check, action, why, .. } => format!("{action}, because of {check}: {why}"),
        Event::Watched { .. } => "every watch check was carried out and holds".to_owned(),
        Event::Finished { generation, .. } => format!("generation {generation} stays; the old tree is kept"),
        Event::Abandoned { why, .. } => format!("the candidate was given up: {why}"),
        Event::StepFailed { step, why, .. } => format!("{step}: {why}"),
        Event::DatabaseStarted { database, direction, steps, .. } => {
            format!("database {database}: {direction} of {}", listed(steps))
        }
        Event::DatabaseEnded { summary, .. } => summary.clone(),
        Event::AnchorStarted { .. } | Event::AnchorEnded { .. } | Event::JournalDamaged { .. } => {
            of_journal(event)
        }
        about_process if about_process.process().is_some() => of_process(about_process),
        about_shadow if about_shadow.shadow().is_some() => of_shadow(about_shadow),
        other => of_return(other),
    }
}

/// What was brought back, by a rollback or from a snapshot.
fn of_return(event: &Event) -> String {
    match event {
        Event::RollBackStarted { only, why, .. } if only.is_empty() => why.clone(),
        Event::RollBackStarted { only, why, .. } => format!("{why}; only {}", listed(only)),
        Event::RolledBack { restored, kept_aside, .. } if kept_aside.is_empty() => {
            format!("live again: {}", listed(restored))
        }
        Event::RolledBack { restored, kept_aside, .. } => {
            format!("live again: {}; kept aside: {}", listed(restored), listed(kept_aside))
        }
        Event::PartRolledBack { parts, restored, why, .. } => {
            format!("{why}; only {}: as before the phase: {}", listed(parts), listed(restored))
        }
        Event::RestoreStarted { from, source, why, .. } => {
            format!("{why}; from {from} {}", source.get(..12).unwrap_or(source))
        }
        Event::Restored { from, restored, .. } => {
            format!("as {from} holds it: {}", listed(restored))
        }
        Event::RestoreUndone { why, .. } => format!("nothing was restored: {why}"),
        other => of_hand_over(other),
    }
}

/// What happened to a package, a commit or an archive.
fn of_hand_over(event: &Event) -> String {
    match event {
        Event::Packaged { package, sequence, phase, .. } => {
            format!("package {package} {sequence} of the phase {phase}")
        }
        Event::Received { package, sequence, path, .. } => {
            format!("package {package} {sequence} received as {path}")
        }
        Event::CommitStarted { branch, commit, .. } => {
            format!("commit {} for {branch}", short_commit(commit))
        }
        Event::Committed { commit, .. } => format!("committed as {}", short_commit(commit)),
        Event::ArchiveStarted { path, .. } => format!("an archive at {path}"),
        Event::Archived { path, files, bytes, .. } => {
            format!("archived at {path}: {files} files, {bytes} bytes")
        }
        other => of_fields(other),
    }
}

/// What became of the head outside, and of the journal itself.
fn of_journal(event: &Event) -> String {
    match event {
        Event::AnchorStarted { to, about, .. } => format!("the head at event {about} is to be kept at {to}"),
        Event::AnchorEnded { to, about, written: true, .. } => {
            format!("the head at event {about} is kept at {to}")
        }
        Event::AnchorEnded { to, why, .. } => format!("no head was kept at {to}: {why}"),
        Event::JournalDamaged { kept, .. } => {
            format!(
                "events that were acknowledged and stood here are lost; what was left of them is kept as {kept}"
            )
        }
        other => of_fields(other),
    }
}

/// What happened to a shadow.
fn of_shadow(event: &Event) -> String {
    match event {
        Event::ShadowStarted { shadow, until, voids, .. } => {
            let until = if until.is_empty() { String::new() } else { format!(", until {until}") };
            let voids = if voids.is_empty() { String::new() } else { format!("; {voids}") };
            format!("shadow {shadow}: old and new side by side{until}{voids}")
        }
        Event::ShadowInputStarted { shadow, input, .. } => format!("shadow {shadow}: {input}"),
        Event::ShadowInputEnded { shadow, input, summary: told, verdict, .. } => {
            format!("shadow {shadow}: {input}: {}: {told}", spoken(verdict))
        }
        Event::ShadowEnded { shadow, verdict, summary, .. } => {
            format!("shadow {shadow} is over: {}: {summary}", spoken(verdict))
        }
        other => of_fields(other),
    }
}

/// What happened to a process.
fn of_process(event: &Event) -> String {
    match event {
        Event::HandOverStarted { process, handover, from, to, .. } => {
            format!("process {process}: from generation {from} to {to} ({handover})")
        }
        Event::ProcessStopped { process, generation, milliseconds, .. } => {
            format!("process {process}: stopped on generation {generation} in {milliseconds} ms")
        }
        Event::ProcessStarted { process, generation, way, milliseconds, down_milliseconds, .. } => {
            let down = down_milliseconds.map_or_else(String::new, |down| format!("; down for {down} ms"));
            format!("process {process}: works on generation {generation} ({way}, {milliseconds} ms){down}")
        }
        Event::ProcessChecked { process, verdict, summary, .. } => {
            let verdict = crate::verdict::Verdict::from_word(verdict);
            let verdict = verdict.map_or("?", |known| known.spoken());
            format!("process {process}: runs the code that is live: {verdict}: {summary}")
        }
        Event::HandOverFailed { process, doing, why, .. } => format!("process {process}: {doing}: {why}"),
        other => of_fields(other),
    }
}

/// An event that needs no sentence of its own: what it says beside its phase.
fn of_fields(event: &Event) -> String {
    let body = event.write().ok().and_then(|(_, body)| serde_json::from_str::<serde_json::Value>(&body).ok());
    let fields = body.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten();
    let words = fields
        .filter(|(name, value)| *name != "phase" && (value.is_string() || value.is_number()))
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), |text| short(text).to_owned());
            format!("{} {text}", name.replace('_', " "))
        });
    words.collect::<Vec<_>>().join(", ")
}

/// A hash is shown as git shows it; all of it is in the journal.
pub(super) fn short(text: &str) -> &str {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { &text[..12] } else { text }
}

/// A commit as git shows it.
fn short_commit(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Some paths in words: `a, b and 3 more`.
pub(super) fn listed(paths: &[String]) -> String {
    let shown = paths.iter().take(PATHS_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(PATHS_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
