//! The state of a run as a pure fold over its events, with a table of legal transitions. No input, no output, no clock.

use std::collections::BTreeMap;

use super::databases::{DatabaseFact, DatabaseKey};
use super::event::{Event, Record};
pub use super::fact::{
    CheckFact, CriterionWord, FiredFact, OpenRestore, PackagedFact, ReceivedFact, RehearsalFact, SafetyFact,
    SignOff, SnapshotFact, StagedFact,
};
use super::hand_over::{ArchiveFact, CommitFact};
use super::{anchors::AnchorFacts, processes::ProcessFact, shadow::ShadowFact, told::ToldFacts};
use crate::manifest::EntryCounts;
use crate::verdict::Verdict;

/// Where a phase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseState {
    /// Nothing has been done, or what was done was given up.
    Waiting,
    /// A snapshot is being made.
    Snapshotting,
    /// The snapshot is verified.
    Snapshotted,
    /// The candidate is being built.
    Staging,
    /// The candidate stands beside the live tree.
    Staged,
    /// The exchange has begun.
    CuttingOver,
    /// The candidate is live.
    Live,
    /// All watch checks hold.
    Watched,
    /// The phase is over, and the old tree is kept.
    Finished,
    /// A rollback has begun; it will be finished whatever happens.
    RollingBack,
    /// The old tree is live again.
    RolledBack,
}

impl PhaseState {
    /// The word for it in output and in `--until`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Snapshotting => "snapshotting",
            Self::Snapshotted => "snapshot",
            Self::Staging => "staging",
            Self::Staged => "staged",
            Self::CuttingOver => "cutting-over",
            Self::Live => "live",
            Self::Watched => "watched",
            Self::Finished => "finished",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        }
    }

    /// Whether the phase's candidate is what is live.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Watched | Self::Finished)
    }

    /// The table of legal transitions: the state after `event`, or `None` when the event cannot follow.
    pub fn after(self, event: &Event) -> Option<Self> {
        use PhaseState as S;
        Some(match (self, event) {
            (
                S::Waiting | S::RolledBack | S::Snapshotting | S::Snapshotted | S::Staging,
                Event::SnapshotStarted { .. },
            ) => S::Snapshotting,
            (S::Snapshotting, Event::SnapshotTaken { .. })
            | (S::Snapshotted, Event::SafetyBranchMade { .. }) => S::Snapshotted,
            (S::Snapshotted | S::Staging, Event::StageStarted { .. }) => S::Staging,
            (S::Staging, Event::Staged { .. })
            | (S::CuttingOver | S::Staged, Event::CutOverUndone { .. })
            | (
                S::Staged,
                Event::Approved { .. }
                | Event::Rejected { .. }
                | Event::CriterionSigned { .. }
                | Event::RehearsalStarted { .. }
                | Event::Rehearsed { .. }
                | Event::ShadowStarted { .. }
                | Event::ShadowInputStarted { .. }
                | Event::ShadowInputEnded { .. }
                | Event::ShadowEnded { .. },
            ) => S::Staged,
            (S::Staged | S::CuttingOver, Event::CutOverStarted { .. }) => S::CuttingOver,
            (S::CuttingOver, Event::CutOver { .. })
            | (S::Live, Event::DriftChecked { .. })
            | (S::RollingBack, Event::RolledBack { whole: false, .. }) => S::Live,
            (S::Live, Event::Watched { .. }) => S::Watched,
            (S::Live | S::Watched, Event::Finished { .. }) => S::Finished,
            (S::Live | S::Watched | S::Finished | S::RollingBack, Event::RollBackStarted { .. }) => {
                S::RollingBack
            }
            (S::RollingBack, Event::RolledBack { whole: true, .. }) => S::RolledBack,
            (S::Snapshotting | S::Snapshotted | S::Staging | S::Staged, Event::Abandoned { .. }) => {
                S::Waiting
            }
            (state, Event::CheckStarted { .. } | Event::CheckEnded { .. } | Event::StepFailed { .. }) => {
                state
            }
            (
                state @ (S::Live | S::Watched | S::Finished),
                Event::TriggerFired { .. } | Event::PartRolledBack { .. },
            )
            | (state @ (S::Live | S::Watched), Event::CriterionSigned { .. }) => state,
            _ => return None,
        })
    }
}

/// An event that cannot follow what went before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} (`{event}`) cannot follow: {why}")]
pub struct IllegalEvent {
    /// Its position.
    pub seq: u64,
    /// Its word.
    pub event: String,
    /// Why not.
    pub why: String,
}

/// One phase as the journal tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseHistory {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: PhaseState,
    /// Its snapshot.
    pub snapshot: Option<SnapshotFact>,
    /// Its safety branch, where the project is in a repository of git.
    pub safety: Option<SafetyFact>,
    /// Its candidate.
    pub staged: Option<StagedFact>,
    /// The rehearsal of the candidate.
    pub rehearsal: Option<RehearsalFact>,
    /// Its shadows, by name.
    pub shadows: BTreeMap<String, ShadowFact>,
    /// The generation that its candidate became.
    pub generation: Option<u64>,
    /// When it went live, RFC 3339.
    pub live_since: Option<String>,
    /// Every outcome of a check since the phase was last begun, in order.
    pub checks: Vec<CheckFact>,
    /// A check that began and did not end, with its moment.
    pub looking: Option<(String, String)>,
    /// Approvals and refusals of the present candidate.
    pub sign_offs: Vec<SignOff>,
    /// What was said about the criteria of the plan.
    pub criterion_words: Vec<CriterionWord>,
    /// Managed paths that were rolled back alone.
    pub rolled_back_paths: Vec<String>,
    /// What was kept aside by rollbacks.
    pub kept_aside: Vec<String>,
    /// Whether the old tree was looked at again after the cutover, for what was written into it at the last moment.
    pub drift_checked: bool,
    /// Managed paths that there was no time to look at before the exchange.
    pub unseen: Vec<String>,
    /// Triggers that fired.
    pub fired: Vec<FiredFact>,
    /// The step that failed last and why, until a later one succeeds.
    pub failed: Option<(String, String)>,
}

impl PhaseHistory {
    /// One of which nothing is known yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: PhaseState::Waiting,
            snapshot: None,
            safety: None,
            staged: None,
            rehearsal: None,
            shadows: BTreeMap::new(),
            generation: None,
            live_since: None,
            checks: Vec::new(),
            looking: None,
            sign_offs: Vec::new(),
            criterion_words: Vec::new(),
            rolled_back_paths: Vec::new(),
            kept_aside: Vec::new(),
            drift_checked: false,
            unseen: Vec::new(),
            fired: Vec::new(),
            failed: None,
        }
    }

    /// The last outcome of a check at a moment.
    pub fn last_check(&self, check: &str, at: &str) -> Option<&CheckFact> {
        self.checks.iter().rev().find(|fact| fact.check == check && fact.at == at)
    }

    fn has_transaction(&self, transaction: &str) -> bool {
        self.staged.as_ref().is_some_and(|staged| staged.transaction == transaction)
    }

    fn begin_anew(&mut self) {
        let rolled_back = std::mem::take(&mut self.kept_aside);
        let mut shadows = std::mem::take(&mut self.shadows);
        for shadow in shadows.values_mut() {
            shadow.is_void = true;
        }
        *self = Self { state: self.state, kept_aside: rolled_back, shadows, ..Self::new(&self.name) };
    }

    fn take(&mut self, record: Record) {
        let is_failure = matches!(record.event, Event::StepFailed { .. });
        match record.event {
            Event::SnapshotStarted { .. } => self.begin_anew(),
            Event::SnapshotTaken { snapshot, manifest, .. } => {
                self.snapshot = Some(SnapshotFact { id: snapshot, manifest });
            }
            Event::SafetyBranchMade { branch, commit, .. } => {
                self.safety = Some(SafetyFact { branch, commit });
            }
            Event::Staged {
                transaction,
                mechanism,
                changes,
                old_tree,
                new_tree,
                seal,
                paths,
                added,
                removed,
                changed,
                metadata,
                outside,
                environments,
                packages,
                tool,
                ..
            } => {
                self.staged = Some(StagedFact {
                    transaction,
                    mechanism,
                    changes,
                    old_tree,
                    new_tree,
                    paths,
                    seal,
                    counts: EntryCounts { added, removed, changed, metadata },
                    outside,
                    environments,
                    packages,
                    has_origin: !tool.is_empty(),
                });
                self.rehearsal = None;
                self.sign_offs.clear();
            }
            Event::Abandoned { .. } => {
                self.staged = None;
                self.rehearsal = None;
                self.sign_offs.clear();
            }
            Event::CutOverStarted { unseen, .. } => self.unseen = unseen,
            Event::CutOver { generation, .. } => {
                self.generation = Some(generation);
                self.live_since = Some(record.time);
                self.drift_checked = false;
            }
            Event::DriftChecked { .. } => self.drift_checked = true,
            Event::RolledBack { whole, restored, kept_aside, .. } => {
                self.kept_aside.extend(kept_aside);
                if !whole {
                    self.rolled_back_paths.extend(restored);
                }
            }
            Event::StepFailed { step, why, .. } => self.failed = Some((step, why)),
            _ => self.take_look(record),
        }
        if !is_failure {
            self.failed = None;
        }
    }

    fn take_look(&mut self, record: Record) {
        match record.event {
            Event::CheckStarted { check, at, .. } => self.looking = Some((check, at)),
            Event::CheckEnded {
                check,
                at,
                verdict,
                summary,
                evidence,
                milliseconds,
                measure,
                samples,
                by_hand,
                binding,
                ..
            } => {
                self.looking = None;
                self.checks.push(CheckFact {
                    check,
                    at,
                    verdict: Verdict::from_word(&verdict).unwrap_or(Verdict::Unknown),
                    summary,
                    evidence,
                    time: record.time,
                    milliseconds,
                    measure,
                    samples,
                    by_hand,
                    binding,
                    seq: record.seq,
                });
            }
            Event::Rehearsed { .. } => self.rehearsal = RehearsalFact::of(record),
            Event::Approved { role, binding, person, relied_on, expires, signed, .. } => {
                let (seq, time, actor) = (record.seq, record.time, record.actor);
                let (binding, why) = (Some(binding), String::new());
                self.sign_offs.push(SignOff {
                    seq,
                    time,
                    role,
                    actor,
                    binding,
                    why,
                    person,
                    relied_on,
                    expires,
                    signed,
                });
            }
            Event::Rejected { role, why, .. } => {
                let (seq, time, actor) = (record.seq, record.time, record.actor);
                self.sign_offs.push(SignOff { seq, time, role, actor, why, ..SignOff::default() });
            }
            Event::CriterionSigned { criterion, role, holds, why, transaction, binding, signed, .. } => {
                let actor = record.actor;
                let word = CriterionWord { criterion, role, actor, holds, why, transaction, binding, signed };
                self.criterion_words.push(word);
            }
            Event::TriggerFired { .. } => self.fired.extend(FiredFact::of(record)),
            _ => ShadowFact::take(&mut self.shadows, record),
        }
    }
}

/// What an event does to the number of the live generation.
#[derive(Clone, Copy)]
enum Turn {
    /// This one went live.
    Live(u64),
    /// This one was rolled back.
    Back(u64),
}

impl Turn {
    fn of(event: &Event, phase: &PhaseHistory) -> Option<Self> {
        match event {
            Event::CutOver { generation, .. } => Some(Self::Live(*generation)),
            Event::RolledBack { whole: true, .. } => phase.generation.map(Self::Back),
            _ => None,
        }
    }
}

/// What the journal tells about the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The id of the latest run; `None` when nothing has ever been run.
    pub run: Option<String>,
    /// The phases of the latest run, in the order of its plan.
    pub phases: Vec<PhaseHistory>,
    /// Phases of earlier runs that are still live: they can be rolled back.
    pub earlier: Vec<PhaseHistory>,
    /// The number of the live generation; 0 is the tree before the first cutover.
    pub generation: u64,
    /// The highest generation number ever given.
    pub generations: u64,
    /// A restore that was begun and whose end is not known.
    pub restoring: Option<OpenRestore>,
    /// Where each live generation came from: generation → the one before it.
    before: BTreeMap<u64, u64>,
    /// What was last told of each process, by its name.
    pub processes: BTreeMap<String, ProcessFact>,
    /// What was last told of each database around each transaction.
    pub databases: BTreeMap<DatabaseKey, DatabaseFact>,
    /// What was told to whom.
    pub told: ToldFacts,
    /// Heads that are kept outside.
    pub anchors: AnchorFacts,
    /// Packages that were made here, in order.
    pub packaged: Vec<PackagedFact>,
    /// Packages that were received here, in order.
    pub received: Vec<ReceivedFact>,
    /// What was committed of phases, by their transactions.
    pub commits: BTreeMap<String, CommitFact>,
    /// What was put into archives of phases, by their transactions.
    pub archives: BTreeMap<String, ArchiveFact>,
    /// Whether events that were acknowledged are lost.
    pub is_damaged: bool,
    /// Position of the last event.
    pub seq: u64,
    /// Hash of the last event.
    pub head: String,
}

impl History {
    /// Folds all records, from the first.
    ///
    /// # Errors
    ///
    /// At the first event that cannot follow what went before.
    pub fn fold(records: impl IntoIterator<Item = Record>) -> Result<Self, IllegalEvent> {
        let mut history = Self::default();
        for record in records {
            history.take(record)?;
        }
        Ok(history)
    }

    /// Takes one more record.
    ///
    /// # Errors
    ///
    /// When its event cannot follow what went before.
    pub fn take(&mut self, record: Record) -> Result<(), IllegalEvent> {
        let illegal = |why: String| IllegalEvent {
            seq: record.seq,
            event: record.event.write().map_or_else(|_| "?".to_owned(), |(word, _)| word),
            why,
        };
        self.anchors.take(record.seq, &record.time, &record.event);
        self.told.take(&record.event);
        if record.event.process().is_some() {
            ProcessFact::take(&mut self.processes, &record).map_err(illegal)?;
            (self.seq, self.head) = (record.seq, record.hash);
            return Ok(());
        }
        if record.event.database().is_some() {
            DatabaseFact::take(&mut self.databases, &record).map_err(illegal)?;
            (self.seq, self.head) = (record.seq, record.hash);
            return Ok(());
        }
        if let Event::RunStarted { run, phases, .. } = &record.event {
            self.run = Some(run.clone());
            let before = std::mem::take(&mut self.phases);
            self.earlier.extend(before.into_iter().filter(|phase| phase.state.is_live()));
            self.phases = phases.iter().map(|name| PhaseHistory::new(name)).collect();
        }
        if let Some(name) = record.event.phase() {
            if self.run.is_none() {
                return Err(illegal("no run has begun".to_owned()));
            }
            if self.place(name, &record.event).is_none() {
                // The plan may have gained a phase while the run was under way.
                self.phases.push(PhaseHistory::new(name));
            }
            let Some(phase) = self.place_mut(name, &record.event) else {
                return Err(illegal("its phase is unknown".to_owned()));
            };
            let state = phase.state.word();
            let next = phase
                .state
                .after(&record.event)
                .ok_or_else(|| illegal(format!("the phase `{name}` is {state}")))?;
            ShadowFact::admits(&phase.shadows, &record.event).map_err(illegal)?;
            let turn = Turn::of(&record.event, phase);
            let (seq, hash) = (record.seq, record.hash.clone());
            phase.take(record);
            phase.state = next;
            self.count_generations(turn);
            (self.seq, self.head) = (seq, hash);
        } else {
            (self.seq, self.head) = (record.seq, record.hash);
            self.take_hand_over(&record.event, &record.time);
            self.take_other(record.event);
        }
        Ok(())
    }

    /// Events that are about no phase. What a restore takes back is told by the rollbacks between its beginning and its end.
    fn take_other(&mut self, event: Event) {
        match event {
            Event::RestoreStarted { transaction, from, source, takes_back, why } => {
                self.restoring = Some(OpenRestore { transaction, from, source, takes_back, why });
            }
            Event::Restored { .. } | Event::RestoreUndone { .. } => self.restoring = None,
            Event::JournalDamaged { .. } => self.is_damaged = true,
            _ => {}
        }
    }

    /// Whether an event may follow now, without taking it.
    ///
    /// # Errors
    ///
    /// When it may not.
    pub fn admits(&self, event: &Event) -> Result<(), IllegalEvent> {
        let Some(name) = event.phase() else { return Ok(()) };
        if let Some(process) = event.process() {
            return ProcessFact::admits(self.processes.get(process), event).map_err(|why| {
                let word = event.write().map_or_else(|_| "?".to_owned(), |(word, _)| word);
                IllegalEvent { seq: self.seq + 1, event: word, why }
            });
        }
        if event.database().is_some() {
            return DatabaseFact::admits(&self.databases, event).map_err(|why| {
                let word = event.write().map_or_else(|_| "?".to_owned(), |(word, _)| word);
                IllegalEvent { seq: self.seq + 1, event: word, why }
            });
        }
        let phase = self.place(name, event);
        let state = phase.map_or(PhaseState::Waiting, |phase| phase.state);
        let mut why = format!("the phase `{name}` is {}", state.word());
        if self.run.is_some() && state.after(event).is_some() {
            match phase.map_or(Ok(()), |phase| ShadowFact::admits(&phase.shadows, event)) {
                Ok(()) => return Ok(()),
                Err(told) => why = told,
            }
        }
        let word = event.write().map_or_else(|_| "?".to_owned(), |(word, _)| word);
        Err(IllegalEvent { seq: self.seq + 1, event: word, why })
    }

    fn count_generations(&mut self, turn: Option<Turn>) {
        match turn {
            Some(Turn::Live(generation)) => {
                self.before.insert(generation, self.generation);
                self.generation = generation;
                self.generations = self.generations.max(generation);
            }
            Some(Turn::Back(generation)) => {
                self.generation = self.before.get(&generation).copied().unwrap_or(0);
            }
            None => {}
        }
    }

    /// The generation that a rollback of the live one leads to.
    pub fn generation_before(&self) -> Option<u64> {
        self.before.get(&self.generation).copied()
    }

    /// The phase that an event is about: for a rollback that of its transaction, else that of the name in this run.
    fn place(&self, name: &str, event: &Event) -> Option<&PhaseHistory> {
        match event.rolled_back_transaction() {
            Some(transaction) => self.of_transaction(transaction),
            None => self.phase(name),
        }
    }

    fn place_mut(&mut self, name: &str, event: &Event) -> Option<&mut PhaseHistory> {
        match event.rolled_back_transaction() {
            Some(transaction) => {
                let mut all = self.phases.iter_mut().chain(&mut self.earlier);
                all.find(|phase| phase.has_transaction(transaction))
            }
            None => self.phases.iter_mut().find(|phase| phase.name == name),
        }
    }

    /// The phase, of this run or of an earlier one, whose candidate belongs to that transaction.
    pub fn of_transaction(&self, transaction: &str) -> Option<&PhaseHistory> {
        self.phases.iter().chain(&self.earlier).find(|phase| phase.has_transaction(transaction))
    }

    /// The phase of that name.
    pub fn phase(&self, name: &str) -> Option<&PhaseHistory> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The phase that went live last and still is.
    pub fn last_live(&self) -> Option<&PhaseHistory> {
        let all = self.phases.iter().chain(&self.earlier);
        all.filter(|phase| phase.state.is_live()).max_by_key(|phase| phase.generation)
    }
}
