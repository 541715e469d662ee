//! Recovery: what an earlier process left unfinished is ended, first of all, and the journal is told.

use std::path::Path;

use super::databases::back;
use super::error::StepError;
use super::part_records;
use super::project::{Project, Work};
use super::put_away::settle;
use super::restore;
use super::witness::Notice;
use crate::database;
use crate::journal::history::PhaseHistory;
use crate::journal::{Event, History, PhaseState, ProcessFact};
use crate::tree::exchange::{Outcome, Participant, Prepare, State, Transaction, recover};

/// Whether an earlier process left something unfinished. While another process works, nothing is: it is at it.
pub(super) fn is_interrupted(project: &Project, history: &History) -> Result<bool, StepError> {
    let disk = project.ports.world.disk.as_ref();
    let folder = project.transactions();
    if disk.look(&folder)?.is_none() {
        return Ok(false);
    }
    let lock = project.state().join("lock");
    if disk.look(&lock)?.is_some() && disk.is_locked(&lock)? {
        return Ok(false);
    }
    if is_half_done(project)? || history.processes.values().any(ProcessFact::is_open) {
        return Ok(true);
    }
    if history.restoring.is_some() || back::is_due(project, history, false)? {
        return Ok(true);
    }
    if !restore::ending::lost(project, history)?.is_empty() {
        return Ok(true);
    }
    for phase in &history.phases {
        if matches!(phase.state, PhaseState::CuttingOver | PhaseState::RollingBack) {
            return Ok(true);
        }
        let Some(staged) = &phase.staged else { continue };
        let state = state_of(project, &staged.transaction)?;
        if is_untold(phase, &state) || is_undecided(phase, &state) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an exchange was begun and neither ended nor taken back.
pub(super) fn is_half_done(project: &Project) -> Result<bool, StepError> {
    let disk = project.ports.world.disk.as_ref();
    let folder = project.transactions();
    for name in disk.list(&folder)? {
        if let Some(transaction) = Transaction::open(disk, &project.root, &folder.join(name))?
            && matches!(transaction.state(), State::Prepared(_) | State::RollingBack(..))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the records of a transaction add up to.
fn state_of(project: &Project, id: &str) -> Result<State, StepError> {
    let disk = project.ports.world.disk.as_ref();
    let transaction = Transaction::open(disk, &project.root, &project.transactions().join(id))?;
    Ok(transaction.map_or(State::Empty, |transaction| transaction.state().clone()))
}

/// Whether the journal does not know of a rollback that was done: it could not be written then.
fn is_untold(phase: &PhaseHistory, state: &State) -> bool {
    match state {
        State::RolledBack(_) => phase.state.is_live(),
        State::Committed(prepare, undone) => {
            phase.state.is_live() && !untold(phase, prepare, undone).is_empty()
        }
        State::Empty | State::Prepared(_) | State::RollingBack(..) | State::Aborted(_) => false,
    }
}

/// Whether the records of a phase that went live know of no decision. The journal is told that it is live after the decision
/// is on the disk, so they are damaged or gone, and to act on them would take back what was acknowledged.
fn is_undecided(phase: &PhaseHistory, state: &State) -> bool {
    (phase.state.is_live() || phase.state == PhaseState::RollingBack)
        && matches!(state, State::Empty | State::Prepared(_) | State::Aborted(_))
}

/// The paths that were rolled back alone and that the journal does not know of.
fn untold(phase: &PhaseHistory, prepare: &Prepare, undone: &[usize]) -> Vec<String> {
    let paths = undone.iter().filter_map(|at| prepare.participants.get(*at));
    let paths = paths.map(|participant| participant.live().to_string_lossy().into_owned());
    paths.filter(|path| !phase.rolled_back_paths.contains(path)).collect()
}

impl Work<'_> {
    /// Ends what an earlier process left unfinished. The transactions' own files decide; the journal follows them.
    pub(super) fn recover(&self) -> Result<(), StepError> {
        self.must_agree()?;
        let disk = self.world().disk.as_ref();
        let recovered = recover(disk, &self.project.root, &self.project.transactions())?;
        let restoring = self.history().restoring.as_ref().map(|open| open.transaction.clone());
        for (id, outcome) in &recovered {
            let what = match outcome {
                Outcome::TakenBack if restoring.as_deref() == Some(id) => {
                    format!("an interrupted restore ({id}) was taken back: what was live before it is live")
                }
                Outcome::TakenBack => {
                    format!("an interrupted cutover ({id}) was taken back: the old tree is live")
                }
                Outcome::RolledBack(_) => {
                    format!("an interrupted rollback ({id}) was finished: the old tree is live")
                }
            };
            self.witness.notice(Notice::Warning(what));
        }
        // A snapshot was being made: dumps do not lie about longer than that takes.
        database::remove(disk, &self.project.root)?;
        if self.has_journal() {
            self.reconcile()?;
            part_records::reconcile(self)?;
        }
        Ok(())
    }

    /// Refuses to act on the records of a transaction that the journal contradicts.
    fn must_agree(&self) -> Result<(), StepError> {
        let history = self.history();
        for phase in history.phases.iter().chain(&history.earlier) {
            let Some(staged) = &phase.staged else { continue };
            if is_undecided(phase, &state_of(&self.project, &staged.transaction)?) {
                let file = self.project.transactions().join(&staged.transaction);
                return Err(StepError::not_now(
                    format!(
                        "the phase `{}` is live, and its transaction `{}` is gone or damaged",
                        phase.name,
                        file.display()
                    ),
                    format!(
                        "nothing was touched; the old tree stands beside what is live as `.<name>.sb-{0}`, or in \
                         `.switchback/generations/{0}`; put `txn/{0}` back, or restore the snapshot: `switchback \
                         snapshot list`",
                        staged.transaction
                    ),
                ));
            }
        }
        Ok(())
    }

    fn reconcile(&self) -> Result<(), StepError> {
        restore::ending::reconcile(self)?;
        let phases: Vec<_> = {
            let history = self.history();
            history.phases.iter().chain(&history.earlier).cloned().collect()
        };
        for mut phase in phases {
            let Some(staged) = phase.staged.clone() else { continue };
            let disk = self.world().disk.as_ref();
            let file = self.project.transactions().join(&staged.transaction);
            if phase.state == PhaseState::CuttingOver
                && Transaction::open(disk, &self.project.root, &file)?.is_none()
            {
                // Nobody can say which side of the exchange each path is on: nothing is touched on a guess.
                return Err(StepError::not_now(
                    format!(
                        "a cutover was under way, and its transaction `{}` is gone or cut short",
                        file.display()
                    ),
                    format!(
                        "nothing was touched; what was live is live, or stands beside it as `.<name>.sb-{0}`; \
                         put `txn/{0}` back, or restore the snapshot: `switchback snapshot list`",
                        staged.transaction
                    ),
                ));
            }
            let state = state_of(&self.project, &staged.transaction)?;
            if phase.state == PhaseState::Staged
                && matches!(state, State::Committed(..) | State::RolledBack(_))
            {
                // Nothing is exchanged before the journal has the intent: it stood in a part of the journal that is lost.
                self.record(Event::CutOverStarted {
                    phase: phase.name.clone(),
                    transaction: staged.transaction.clone(),
                    unseen: Vec::new(),
                })?;
                phase.state = PhaseState::CuttingOver;
            }
            self.reconcile_phase(&phase, &staged.transaction, state)?;
        }
        Ok(())
    }

    fn reconcile_phase(&self, phase: &PhaseHistory, id: &str, state: State) -> Result<(), StepError> {
        let name = phase.name.as_str();
        let (owned, transaction) = (|| name.to_owned(), || id.to_owned());
        match (phase.state, state) {
            (PhaseState::CuttingOver, State::Committed(prepare, _)) => self.record(Event::CutOver {
                phase: owned(),
                transaction: transaction(),
                generation: prepare.generation,
            }),
            (PhaseState::CuttingOver, State::Empty | State::Aborted(_)) => {
                self.record(Event::CutOverUndone {
                    phase: owned(),
                    transaction: transaction(),
                    why: "the process ended before the decision".to_owned(),
                })
            }
            (PhaseState::CuttingOver, State::RolledBack(prepare)) => {
                let generation = prepare.generation;
                self.record(Event::CutOver { phase: owned(), transaction: transaction(), generation })?;
                self.tell_roll_back(name, id, Vec::new(), paths(&prepare, |_| true))
            }
            (PhaseState::Live | PhaseState::Watched | PhaseState::Finished, State::RolledBack(prepare)) => {
                self.tell_roll_back(name, id, Vec::new(), paths(&prepare, |_| true))
            }
            (
                PhaseState::Live | PhaseState::Watched | PhaseState::Finished,
                State::Committed(prepare, undone),
            ) => {
                let only = untold(phase, &prepare, &undone);
                if only.is_empty() { Ok(()) } else { self.tell_roll_back(name, id, only.clone(), only) }
            }
            (PhaseState::RollingBack, State::RolledBack(prepare)) => {
                settle(self, id, paths(&prepare, |_| true)).map(|_| ())
            }
            (PhaseState::RollingBack, State::Committed(prepare, undone)) => {
                self.finish_intent(id, &prepare, &undone)
            }
            _ => Ok(()),
        }
    }

    /// A rollback that was done while the journal could not be written.
    fn tell_roll_back(
        &self,
        name: &str,
        id: &str,
        only: Vec<String>,
        restored: Vec<String>,
    ) -> Result<(), StepError> {
        self.record(Event::RollBackStarted {
            phase: name.to_owned(),
            transaction: id.to_owned(),
            only,
            why: "found in the transaction's own records".to_owned(),
        })?;
        settle(self, id, restored).map(|_| ())
    }

    /// The journal has the intent of a rollback. Either its transaction ended for the paths that were meant, and only
    /// the outcome is missing, or it was never begun, and is carried out now.
    fn finish_intent(&self, id: &str, prepare: &Prepare, undone: &[usize]) -> Result<(), StepError> {
        let meant = self.last_meant(id)?;
        let is_meant = |path: &Path| meant.is_empty() || meant.iter().any(|only| Path::new(only) == path);
        let positions: Vec<usize> =
            (0..prepare.participants.len()).filter(|at| is_meant(prepare.participants[*at].live())).collect();
        if !positions.iter().all(|at| undone.contains(at)) {
            let disk = self.world().disk.as_ref();
            let path = self.project.transactions().join(id);
            if let Some(mut transaction) = Transaction::open(disk, &self.project.root, &path)? {
                let only: &[usize] = if meant.is_empty() { &[] } else { &positions };
                transaction.roll_back(only)?;
                let what = format!("a rollback ({id}) that was intended and not begun was carried out");
                self.witness.notice(Notice::Warning(what));
            }
        }
        settle(self, id, paths(prepare, is_meant)).map(|_| ())
    }

    /// The paths that the last intent of a rollback of this transaction named; empty: all.
    fn last_meant(&self, id: &str) -> Result<Vec<String>, StepError> {
        let records = self.records()?;
        Ok(records
            .into_iter()
            .rev()
            .find_map(|record| match record.event {
                Event::RollBackStarted { transaction, only, .. } if transaction == id => Some(only),
                _ => None,
            })
            .unwrap_or_default())
    }
}

fn paths(prepare: &Prepare, wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let live = prepare.participants.iter().map(Participant::live);
    live.filter(|path| wanted(path)).map(|path| path.to_string_lossy().into_owned()).collect()
}
