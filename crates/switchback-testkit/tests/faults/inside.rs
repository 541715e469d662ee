//! Every call fails once, or is the last one before a death, inside this process; and what is acknowledged stays true.

use std::time::Instant;

use rustix::io::Errno;
use switchback_core::verdict::Verdict;
use switchback_testkit::{Fault, Layout, Scratch, Standing};

use crate::act::{Attempt, Doing, attempt, journal_holds, nothing_lost, recover, whole};

/// What is tried at every call, and where it leads.
struct Trial {
    layout: Layout,
    /// Done in each copy before.
    before: Option<Doing>,
    doing: Doing,
    /// What the tree is once it was done.
    end: Standing,
}

impl Trial {
    fn run(layout: Layout) -> Self {
        Self { layout, before: None, doing: Doing::Run, end: Standing::New }
    }

    fn roll_back(layout: Layout) -> Self {
        let doing = Doing::RollBack(Vec::new());
        Self { layout, before: Some(Doing::Run), doing, end: Standing::Old }
    }

    /// Strikes every call until none is left. Returns how many scenarios there were.
    fn strike_everywhere(
        &self,
        fault_at: fn(u64) -> Fault,
        judge: fn(&Self, &Scratch, &Attempt, &str),
    ) -> u32 {
        let started = Instant::now();
        let base = Scratch::staged(self.layout).unwrap();
        let mut scenarios = 0;
        for call in 1.. {
            let victim = base.copy("victim").unwrap();
            if let Some(before) = &self.before {
                assert_eq!(
                    attempt(&victim, before, Fault::None).result,
                    Ok(Verdict::Yes),
                    "before call {call}"
                );
            }
            let struck = attempt(&victim, &self.doing, fault_at(call));
            let Some(at) = &struck.struck else {
                assert_eq!(struck.result, Ok(Verdict::Yes), "unharmed");
                break;
            };
            scenarios += 1;
            let case = format!("{:?} {:?}, {:?}: {at}: {struck:?}", self.layout, self.doing, fault_at(call));
            judge(self, &victim, &struck, &case);
            victim.discard().unwrap();
        }
        println!(
            "{:?}, {:?}, {:?}…: {scenarios} scenarios, {:.1} s",
            self.doing,
            self.layout,
            fault_at(1),
            started.elapsed().as_secs_f64()
        );
        assert!(scenarios > 40, "{scenarios}: a whole trial has more calls");
        scenarios
    }

    /// The next attempt, in a world that works, brings it to its end.
    fn completes(&self, victim: &Scratch, case: &str) {
        let before = victim.standing().unwrap();
        let again = attempt(victim, &self.doing, Fault::None);
        match &self.doing {
            // It was rolled back already, and says so.
            Doing::RollBack(_) if before == Standing::Old && self.layout != Layout::Pointer => {
                assert!(
                    again.result.as_ref().is_err_and(|why| why.contains("nothing is live")),
                    "{case}: {again:?}"
                );
            }
            Doing::RollBack(_) if before == Standing::Old => {}
            _ => assert_eq!(again.result, Ok(Verdict::Yes), "{case}: again: {again:?}"),
        }
        if !(self.layout == Layout::Pointer && self.end == Standing::Old && before == Standing::Old) {
            assert_eq!(whole(victim, case), self.end, "{case}: again");
        }
        journal_holds(victim, case);
    }
}

/// After a death: recovery finds a whole tree, what was acknowledged is still so, and the next attempt ends it.
fn judge_death(trial: &Trial, victim: &Scratch, struck: &Attempt, case: &str) {
    nothing_lost(victim, case);
    recover(victim, case);
    let standing = whole(victim, case);
    assert!(!struck.acknowledged || standing == trial.end, "{case}: acknowledged, and then {standing:?}");
    trial.completes(victim, case);
}

/// After one failure: the tree is whole at once, without any recovery.
fn judge_failure(trial: &Trial, victim: &Scratch, struck: &Attempt, case: &str) {
    let standing = whole(victim, case);
    assert!(!struck.acknowledged || standing == trial.end, "{case}: acknowledged, and {standing:?}");
    assert!(
        struck.result.is_err() || struck.result == Ok(Verdict::Yes),
        "{case}: a failing disk is no answer"
    );
    recover(victim, case);
    let recovered = whole(victim, case);
    assert!(!struck.acknowledged || recovered == trial.end, "{case}: acknowledged, and then {recovered:?}");
    trial.completes(victim, case);
}

const fn io_error_at(call: u64) -> Fault {
    Fault::FailAt(call, Errno::IO)
}

const fn full_disk_at(call: u64) -> Fault {
    Fault::FailAt(call, Errno::NOSPC)
}

#[test]
fn a_run_that_dies_at_any_call_ends_whole() {
    for layout in Layout::ALL {
        Trial::run(layout).strike_everywhere(Fault::DieAt, judge_death);
    }
}

#[test]
fn a_run_that_dies_within_any_write_ends_whole() {
    Trial::run(Layout::Exchange).strike_everywhere(Fault::DieWithin, judge_death);
}

#[test]
fn a_rollback_that_dies_at_any_call_ends_whole() {
    for layout in Layout::ALL {
        Trial::roll_back(layout).strike_everywhere(Fault::DieAt, judge_death);
    }
}

#[test]
fn a_run_ends_whole_when_any_call_fails() {
    for layout in Layout::ALL {
        Trial::run(layout).strike_everywhere(io_error_at, judge_failure);
    }
}

#[test]
fn a_run_ends_whole_when_the_disk_is_full_at_any_call() {
    Trial::run(Layout::Exchange).strike_everywhere(full_disk_at, judge_failure);
}

#[test]
fn a_rollback_ends_whole_when_any_call_fails() {
    for layout in Layout::ALL {
        Trial::roll_back(layout).strike_everywhere(io_error_at, judge_failure);
    }
}

#[test]
fn a_rollback_ends_whole_when_the_disk_is_full_at_any_call() {
    Trial::roll_back(Layout::Exchange).strike_everywhere(full_disk_at, judge_failure);
}
