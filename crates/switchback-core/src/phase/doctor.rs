//! What is wrong with what is live, and which playbook is for it.

use super::error::StepError;
use super::playbook::{can_be_done, command, options};
use super::project::Work;
use super::roll_back::live_phases;
use super::validate::{Validation, carry_out, verdict_of};
use crate::plan::{CheckPlan, Moment, Phase, Playbook, Restore};
use crate::verdict::Verdict;

/// What was found.
#[derive(Debug, Clone)]
pub struct Examination {
    /// Whether every check that was carried out says yes.
    pub verdict: Verdict,
    /// What each check said.
    pub checks: Vec<Validation>,
    /// Whether the symptoms of each playbook hold that is for what is live: all of them say no.
    pub playbooks: Vec<(String, Verdict)>,
    /// The playbook that is for what was found: the one with the smallest scope that explains every no.
    pub proposed: Option<String>,
    /// Checks that say no, and that no playbook whose symptoms hold is about.
    pub unexplained: Vec<String>,
    /// The command that comes next.
    pub next: String,
}

/// Looks at the live tree: carries out the symptoms of the playbooks and the checks at `live`.
///
/// # Errors
///
/// When nothing is live, or the plan has no check that could look.
pub fn examine(work: &Work<'_>) -> Result<Examination, StepError> {
    let live = live_phases(work)?;
    if let Some(unknown) = live.iter().find(|name| work.plan().phase(name).is_none()) {
        return Err(StepError::not_now(
            format!(
                "the phase `{unknown}` is live, and the plan does not know it: nobody can say what it broke"
            ),
            "bring back the plan that it was run with, or roll it back: `switchback rollback`",
        ));
    }
    let phases: Vec<&Phase> = live.iter().filter_map(|name| work.plan().phase(name)).collect();
    let Some(last) = phases.first() else {
        return Err(StepError::not_now(
            "nothing is live that this plan could have broken",
            "`switchback status` shows where things stand",
        ));
    };
    let playbooks: Vec<&Playbook> =
        work.plan().playbooks.iter().filter(|playbook| options(&live, playbook).is_ok()).collect();
    let mut seen: Vec<&str> = Vec::new();
    let mut checks = Vec::new();
    // How many phases have to go back for a check that says no.
    let mut reach = 0;
    for (at, phase) in phases.iter().enumerate() {
        let is_asked = |check: &&CheckPlan| {
            check.is_for(&phase.name)
                && !seen.contains(&check.name.as_str())
                && (check.at.contains(&Moment::Live)
                    || check.every.is_some()
                    || check.at.iter().any(|at| at.delay_s().is_some())
                    || playbooks.iter().any(|playbook| playbook.symptoms.contains(&check.name)))
        };
        let of_phase: Vec<&CheckPlan> = work.plan().checks.iter().filter(is_asked).collect();
        seen.extend(of_phase.iter().map(|check| check.name.as_str()));
        let said = carry_out(work, phase, Moment::Now, &of_phase);
        if said.iter().any(|one| one.verdict == Verdict::No) {
            reach = at;
        }
        checks.extend(said);
    }
    if checks.is_empty() {
        return Err(StepError::not_now(
            format!("the plan has no check that looks at the live tree of the phase `{}`", last.name),
            "add `\"live\"` to the `at` of a check, or a `[[playbook]]` with symptoms",
        ));
    }
    let found = Found { checks: &checks, playbooks: &playbooks };
    let proposed = found.proposed(work).map(|playbook| playbook.name.clone());
    let verdict = verdict_of(&checks);
    let next = match (&proposed, verdict) {
        (Some(playbook), _) => command(playbook),
        (None, Verdict::No) => {
            format!(
                "switchback rollback --phase {}",
                phases.get(reach).map_or(&last.name, |phase| &phase.name)
            )
        }
        (None, Verdict::Unknown) => "switchback doctor".to_owned(),
        (None, Verdict::Yes) => "switchback status".to_owned(),
    };
    Ok(Examination {
        verdict,
        playbooks: playbooks.iter().map(|playbook| (playbook.name.clone(), found.holds(playbook))).collect(),
        unexplained: found.unexplained(),
        proposed,
        next,
        checks,
    })
}

/// What the checks said, and the playbooks that it may call for.
struct Found<'a> {
    checks: &'a [Validation],
    playbooks: &'a [&'a Playbook],
}

impl<'a> Found<'a> {
    fn verdict(&self, check: &str) -> Verdict {
        self.checks.iter().find(|one| one.check == check).map_or(Verdict::Unknown, |one| one.verdict)
    }

    /// Whether every symptom is there: its check says no.
    fn holds(&self, playbook: &Playbook) -> Verdict {
        let there = |check: &String| match self.verdict(check) {
            Verdict::No => Verdict::Yes,
            Verdict::Yes => Verdict::No,
            Verdict::Unknown => Verdict::Unknown,
        };
        Verdict::all(playbook.symptoms.iter().map(there))
    }

    fn noes(&self) -> impl Iterator<Item = &'a str> {
        self.checks.iter().filter(|one| one.verdict == Verdict::No).map(|one| one.check.as_str())
    }

    /// Of the playbooks whose symptoms hold and that explain every no: the smallest scope, then the most symptoms, then the
    /// order of the plan.
    fn proposed(&self, work: &Work<'_>) -> Option<&'a Playbook> {
        let scope = |restore: &Restore| match restore {
            Restore::Parts(_) => 0,
            Restore::Phase => 1,
            Restore::Everything => 2,
        };
        let fits = |playbook: &&&'a Playbook| {
            self.holds(playbook) == Verdict::Yes && self.noes().all(|check| playbook.explains(check))
        };
        let mut fitting: Vec<&'a Playbook> = self.playbooks.iter().filter(fits).copied().collect();
        fitting.sort_by_key(|one| (scope(&one.restore), std::cmp::Reverse(one.symptoms.len())));
        // What was carried out already, or cannot be, is no answer.
        fitting.into_iter().find(|one| can_be_done(work, &one.name))
    }

    fn unexplained(&self) -> Vec<String> {
        let held: Vec<&&Playbook> =
            self.playbooks.iter().filter(|one| self.holds(one) == Verdict::Yes).collect();
        let is_known = |check: &str| held.iter().any(|playbook| playbook.explains(check));
        self.noes().filter(|check| !is_known(check)).map(ToOwned::to_owned).collect()
    }
}
