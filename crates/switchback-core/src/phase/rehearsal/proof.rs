//! The checks that prove a playbook, carried out in the copy in which its undo was.

use super::environment::{self, Surroundings};
use super::ground::{Ground, altered};
use super::undo::{Proof, Undo};
use crate::phase::error::{StepError, with_causes};
use crate::phase::look::{Place, see_in};
use crate::phase::project::Work;
use crate::phase::roll_back::live_phases;
use crate::plan::{CheckPlan, Moment, Phase, Restore};
use crate::tree::copy::{make_directories, remove_tree};
use crate::verdict::Verdict;

/// Carries out what proves an undo, as far as a copy can show it; the rest is named.
pub(super) fn prove(
    work: &Work<'_>,
    phase: &Phase,
    ground: &Ground<'_>,
    undo: &Undo<'_>,
) -> Result<Vec<Proof>, StepError> {
    let Some(playbook) = undo.playbook else { return Ok(Vec::new()) };
    let is_named = |check: &&CheckPlan| playbook.prove.contains(&check.name) && check.is_for(&phase.name);
    let checks: Vec<&CheckPlan> = work.plan().checks.iter().filter(is_named).collect();
    let live = live_phases(work)?;
    let mut proofs = Vec::new();
    let mut able = Vec::new();
    for check in checks {
        match unable(check, playbook.restore == Restore::Everything && !live.is_empty()) {
            Some(why) => proofs.push(not_carried_out(check, why)),
            None => able.push(check),
        }
    }
    if able.is_empty() {
        return Ok(proofs);
    }
    let folder = ground.folder().join("proof");
    make_directories(work.world().disk.as_ref(), ground.folder(), &folder)?;
    match environment::prepare(work, phase, ground.root(), &folder)? {
        Surroundings::Refused(findings) => {
            let why = findings.first().map_or("", |finding| finding.what.as_str());
            proofs.extend(able.into_iter().map(|check| not_carried_out(check, why)));
        }
        Surroundings::Ready(variables) => {
            let there = ground.managed()?;
            let altered = || -> Result<Option<String>, StepError> { Ok(altered(&there, &ground.managed()?)) };
            let place = Place {
                tree: ground.root(),
                variables: &variables,
                altered: &altered,
                last: None,
                by_hand: false,
            };
            // After the undo of all of it, there are no two trees that could be compared any more.
            let moment = if undo.is_whole() { Moment::RolledBack } else { Moment::Rehearsed };
            for check in able {
                let (verdict, summary) = match see_in(work, phase, moment, &[check], &place) {
                    Ok(looked) => looked
                        .into_iter()
                        .next()
                        .map_or((Verdict::Unknown, String::new()), |looked| (looked.verdict, looked.summary)),
                    Err(error) => (Verdict::Unknown, work.redactor.clean(&with_causes(&error))),
                };
                proofs.push(Proof { check: check.name.clone(), verdict: Some(verdict), summary });
            }
        }
    }
    remove_tree(work.world().disk.as_ref(), &folder)?;
    Ok(proofs)
}

fn not_carried_out(check: &CheckPlan, why: &str) -> Proof {
    Proof { check: check.name.clone(), verdict: None, summary: why.to_owned() }
}

/// Why a check cannot say anything of a copy; `None` when it can.
fn unable(check: &CheckPlan, is_only_in_part: bool) -> Option<&'static str> {
    let looks_at_copies =
        check.at.iter().any(|at| matches!(at, Moment::Before | Moment::Staged | Moment::Rehearsed));
    if check.check.asks_a_service() {
        Some("it asks a service that runs, and none runs in the copy")
    } else if !looks_at_copies {
        Some("it looks at the live tree only: none of `before`, `staged` and `rehearsed` is in its `at`")
    } else if is_only_in_part {
        Some("phases that went live before are not undone in the copy")
    } else {
        None
    }
}
