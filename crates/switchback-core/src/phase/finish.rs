//! The step *finish*: the phase is over; the old tree is put away as a generation that can be exchanged back.

use super::error::StepError;
use super::project::Work;
use super::put_away::put_away_parked;
use crate::journal::Event;
use crate::plan::Phase;
use crate::tree::exchange::{Participant, State, Transaction};

/// Ends a phase.
pub fn finish(work: &Work<'_>, phase: &Phase) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let (staged, generation) = {
        let history = work.history();
        let phase = history.phase(&phase.name);
        (phase.and_then(|phase| phase.staged.clone()), phase.and_then(|phase| phase.generation))
    };
    if let Some(staged) = staged {
        let path = work.project.transactions().join(&staged.transaction);
        if let Some(transaction) = Transaction::open(disk, root, &path)?
            && let State::Committed(prepare, undone) = transaction.state()
        {
            for (at, participant) in prepare.participants.iter().enumerate() {
                if let Participant::Path { beside, kept, .. } = participant
                    && !undone.contains(&at)
                {
                    put_away_parked(work, beside, kept)?;
                }
            }
        }
    }
    let generation = generation.unwrap_or(0);
    work.record(Event::Finished { phase: phase.name.clone(), generation })?;
    work.done(&phase.name, format!("finished: generation {generation} stays, the one before it is kept"));
    Ok(())
}
