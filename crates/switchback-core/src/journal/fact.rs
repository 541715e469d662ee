//! What the journal says about one thing: plain facts, as the fold keeps them.

use std::path::Path;

use super::event::{Binding, EnvironmentFact, Event, Record, RehearsedTrigger, ReliedOn, Signed};
use crate::manifest::EntryCounts;
use crate::verdict::Verdict;

/// What the journal says about a package that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedFact {
    /// What it is called.
    pub package: String,
    /// Its number.
    pub sequence: u64,
    /// Hash of its manifest without that number: the same content has the same number again.
    pub content: String,
}

/// What the journal says about a package that was received here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFact {
    /// What it is called.
    pub package: String,
    /// Its number.
    pub sequence: u64,
    /// Hash of its manifest.
    pub manifest: String,
    /// Hash of the file.
    pub archive: String,
    /// Where it was put, relative to the project.
    pub path: String,
    /// When, RFC 3339.
    pub time: String,
}

/// What the journal says about the snapshot of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFact {
    /// Its id.
    pub id: String,
    /// Hash of its manifest.
    pub manifest: String,
}

/// What the journal says about the branch of git that holds what was live before a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyFact {
    /// Its name.
    pub branch: String,
    /// The commit that it was made at.
    pub commit: String,
}

/// A restore from a copy that was begun and whose end the journal does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRestore {
    /// The transaction that exchanges it.
    pub transaction: String,
    /// Where it comes from: `snapshot`, `remote` or `git`.
    pub from: String,
    /// The id of the snapshot or commit.
    pub source: String,
    /// The transactions whose outcome it takes back.
    pub takes_back: Vec<String>,
    /// Why.
    pub why: String,
}

/// What the journal says about a staged candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFact {
    /// The transaction that will exchange it.
    pub transaction: String,
    /// How the candidate goes live, in a word of the plan file.
    pub mechanism: String,
    /// Hash of what the plan said about managed paths and changes.
    pub changes: String,
    /// Hash of the live tree's manifest.
    pub old_tree: String,
    /// Hash of the candidate's manifest.
    pub new_tree: String,
    /// The managed paths that differ.
    pub paths: Vec<String>,
    /// The hash of the seal among the evidence.
    pub seal: String,
    /// How many entries differ.
    pub counts: EntryCounts,
    /// What the phase's commands changed outside the managed paths.
    pub outside: Vec<String>,
    /// The dependency environments of the plan.
    pub environments: Vec<EnvironmentFact>,
    /// The hashes of the packages that were received, and that it was built of.
    pub packages: Vec<String>,
    /// Whether it was written down of which packages it was built: versions before that was did not.
    pub has_origin: bool,
}

impl StagedFact {
    /// The dependency environments that are exchanged with the managed paths.
    pub fn exchanged_environments(&self) -> impl Iterator<Item = &EnvironmentFact> {
        self.environments.iter().filter(|environment| environment.is_built)
    }

    /// Whether a path is that of an environment that is exchanged.
    pub fn is_environment(&self, path: &Path) -> bool {
        self.exchanged_environments().any(|environment| Path::new(&environment.path) == path)
    }
}

/// What the journal says about the rehearsal of the present candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalFact {
    /// The verdict: *yes* when the undo brought the copy back, byte for byte.
    pub verdict: Verdict,
    /// One line.
    pub summary: String,
    /// The hash of its report among the evidence.
    pub evidence: String,
    /// How long it took.
    pub milliseconds: u64,
    /// What it was about.
    pub binding: Binding,
    /// When it ended, RFC 3339.
    pub time: String,
    /// Triggers for which the plan says how a copy is broken.
    pub triggers: Vec<RehearsedTrigger>,
}

impl RehearsalFact {
    /// Of the event that says how a rehearsal ended; `None` of any other.
    pub(super) fn of(record: Record) -> Option<Self> {
        let Event::Rehearsed { verdict, summary, evidence, milliseconds, binding, triggers, .. } =
            record.event
        else {
            return None;
        };
        let verdict = Verdict::from_word(&verdict).unwrap_or(Verdict::Unknown);
        Some(Self { verdict, summary, evidence, milliseconds, binding, time: record.time, triggers })
    }
}

/// What the journal says about one outcome of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckFact {
    /// Its name.
    pub check: String,
    /// The moment, as text.
    pub at: String,
    /// The verdict.
    pub verdict: Verdict,
    /// One line.
    pub summary: String,
    /// The hash of its report among the evidence.
    pub evidence: String,
    /// When it ended, RFC 3339.
    pub time: String,
    /// How long it took.
    pub milliseconds: u64,
    /// What `worse_than` compares, where the check measures something.
    pub measure: Option<f64>,
    /// How many samples it rests on, where that was counted.
    pub samples: Option<u64>,
    /// Whether a person had it look, and not the watch.
    pub by_hand: bool,
    /// What it was about.
    pub binding: Binding,
    /// Position of the event.
    pub seq: u64,
}

/// What somebody said about a criterion of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct CriterionWord {
    /// The criterion, by its name.
    pub criterion: String,
    /// In which role.
    pub role: String,
    /// Who.
    pub actor: String,
    /// Whether it holds.
    pub holds: bool,
    /// Why not, where it does not.
    pub why: String,
    /// The transaction of the candidate that it is about.
    pub transaction: String,
    /// What else it is about.
    pub binding: Binding,
    /// The signature, where there is one.
    pub signed: Option<Signed>,
}

/// A trigger that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredFact {
    /// The check that it watches.
    pub check: String,
    /// What it starts, in a word of the plan file.
    pub action: String,
    /// Its condition, in words; empty where an earlier version wrote it down.
    pub when: String,
    /// Why.
    pub why: String,
    /// Position of the event.
    pub seq: u64,
}

impl FiredFact {
    /// Of the event that says so; `None` of any other.
    pub(super) fn of(record: Record) -> Option<Self> {
        let Event::TriggerFired { check, action, when, why, .. } = record.event else { return None };
        Some(Self { check, action, when, why, seq: record.seq })
    }
}

/// An approval or a refusal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SignOff {
    /// Position of the event.
    pub seq: u64,
    /// When it was written down, RFC 3339.
    pub time: String,
    /// In which role.
    pub role: String,
    /// Who.
    pub actor: String,
    /// What it was about; `None` for a refusal.
    pub binding: Option<Binding>,
    /// The reason of a refusal.
    pub why: String,
    /// Who that is by the plan; empty where only the actor is known.
    pub person: String,
    /// The evidence that an approval relied on.
    pub relied_on: Vec<ReliedOn>,
    /// Until when an approval counts, RFC 3339; empty: until something changes.
    pub expires: String,
    /// Its signature.
    pub signed: Option<Signed>,
}
