//! Bringing the head of the journal outside: after the turns that the plan names, and when somebody asks for it.
//!
//! The journal knows what was brought where. Between the intent and its outcome nobody knows whether it arrived; then the head of
//! that moment is brought there anew, which does no harm: each head that was ever true stays true.

use super::format::{FORMAT, Head};
use super::place::Reached;
use crate::journal::Event;
use crate::phase::{Notice, StepError, Work};
use crate::plan::Anchor;

/// What became of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// The place, as the plan says it.
    pub to: String,
    /// Position of the head.
    pub seq: u64,
    /// Its hash.
    pub head: String,
    /// Why it is not there, when it is not.
    pub fault: Option<String>,
}

/// Brings the head to every place behind which there was a turn since. What could not be brought is a warning, and tried by the next
/// command: nothing else waits for it.
///
/// # Errors
///
/// When the journal cannot be written.
pub fn anchor_due(work: &Work<'_>) -> Result<(), StepError> {
    anchor_where(work, |work, anchor| work.history().anchors.is_due(&anchor.to, &anchor.on))
}

/// The same, only where nobody tried since the last turn: for a watch, which comes by every few seconds.
///
/// # Errors
///
/// When the journal cannot be written.
pub fn anchor_untried(work: &Work<'_>) -> Result<(), StepError> {
    anchor_where(work, |work, anchor| work.history().anchors.is_untried(&anchor.to, &anchor.on))
}

/// Brings the head to every place of the plan now.
///
/// # Errors
///
/// When the journal cannot be written.
pub fn anchor_all(work: &Work<'_>) -> Result<Vec<Anchored>, StepError> {
    work.plan().anchors.iter().map(|anchor| bring(work, anchor)).collect()
}

fn anchor_where(work: &Work<'_>, is_wanted: impl Fn(&Work<'_>, &Anchor) -> bool) -> Result<(), StepError> {
    // Without a journal there is no head.
    if !work.has_journal() {
        return Ok(());
    }
    for anchor in work.plan().anchors.iter().filter(|anchor| is_wanted(work, anchor)) {
        let anchored = bring(work, anchor)?;
        if let Some(why) = &anchored.fault {
            let what = format!(
                "the head of the journal was not kept at `{}`: {why}; the next command tries again",
                anchored.to
            );
            work.witness.notice(Notice::Warning(what));
        }
    }
    Ok(())
}

fn bring(work: &Work<'_>, anchor: &Anchor) -> Result<Anchored, StepError> {
    let (run, seq, hash) = {
        let history = work.history();
        (history.run.clone().unwrap_or_default(), history.seq, history.head.clone())
    };
    let to = || anchor.to.clone();
    work.record(Event::AnchorStarted { to: to(), about: seq, head: hash.clone() })?;
    let world = work.world();
    let head = Head {
        schema: FORMAT.to_owned(),
        project: work.plan().project.name.clone(),
        run,
        seq,
        head: hash.clone(),
        time: world.clock.now().to_string(),
        actor: world.surroundings.actor(),
        root: work.project.root.display().to_string(),
    };
    let place = Reached { root: &work.project.root, ports: &work.project.ports, place: &anchor.place };
    let fault = place.keep(&head).err().map(|why| work.redactor.clean_output(&why));
    work.record(Event::AnchorEnded {
        to: to(),
        about: seq,
        written: fault.is_none(),
        why: fault.clone().unwrap_or_default(),
    })?;
    Ok(Anchored { to: to(), seq, head: hash, fault })
}
