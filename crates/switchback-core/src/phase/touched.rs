//! Whether the two trees of a staged phase are still as they were when it was staged, by a quick look that reads nothing.
//! What was touched may still have the same content: only the look of the next run can tell.

use std::time::Duration;

use super::error::StepError;
use super::evidence::EvidenceStore;
use super::gate::{is_untouched, seal_of};
use super::layout;
use super::project::Project;
use super::stage::candidate;
use crate::journal::history::StagedFact;
use crate::plan::Mechanism;

/// What the look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Touched {
    /// Something was done to the live tree.
    pub live: bool,
    /// Something was done to the candidate.
    pub candidate: bool,
    /// Not all of it was looked at in time.
    pub is_partial: bool,
}

impl Touched {
    /// In words; `None` when both are as they were.
    pub fn words(self) -> Option<&'static str> {
        match (self.live, self.candidate, self.is_partial) {
            (true, true, _) => Some("the live tree and the candidate were touched since it was staged"),
            (true, false, _) => Some("the live tree was touched since the candidate was staged"),
            (false, true, _) => Some("the candidate was touched since it was staged"),
            (false, false, true) => {
                Some("a quick look was not enough for all of both trees: the next run looks at them")
            }
            (false, false, false) => None,
        }
    }
}

/// Looks at both trees, for no longer than `within` if that is given.
///
/// # Errors
///
/// When a tree cannot be looked at, or the seal among the evidence is gone or was changed.
pub fn touched(
    project: &Project,
    evidence: &EvidenceStore,
    staged: &StagedFact,
    within: Option<Duration>,
) -> Result<Touched, StepError> {
    let world = &project.ports.world;
    let disk = world.disk.as_ref();
    let plan = &project.plan;
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let mechanism = Mechanism::from_word(&staged.mechanism).unwrap_or(Mechanism::Exchange);
    let started = world.clock.monotonic();
    let mut found = Touched::default();
    let seal = seal_of(disk, evidence, staged)?;
    let exchanged = seal.paths.iter().flat_map(|(path, sealed)| {
        let new = plan.root.join(candidate(mechanism, &staged.transaction, path));
        [(base.join(path), &sealed.old, true), (new, &sealed.new, false)]
    });
    let kept = seal.kept.iter().map(|(path, sealed)| (base.join(path), sealed, true));
    for (content, sealed, is_live) in exchanged.chain(kept) {
        let used = world.clock.monotonic().saturating_sub(started);
        let left = within.map(|within| within.saturating_sub(used).as_millis());
        let left = left.map(|left| u64::try_from(left).unwrap_or(u64::MAX));
        match is_untouched(disk, &content, sealed.as_ref(), left)? {
            Some(true) => {}
            Some(false) if is_live => found.live = true,
            Some(false) => found.candidate = true,
            None => found.is_partial = true,
        }
    }
    // Sealed by an earlier version, which did not look at what the candidate leaves alone.
    found.is_partial |= mechanism != Mechanism::Pointer
        && plan.project.managed.iter().any(|managed| !seal.has(&managed.path));
    Ok(found)
}
