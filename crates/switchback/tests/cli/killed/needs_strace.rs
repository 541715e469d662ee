//! `kill -9` at every system call of a cutover, a rollback and a recovery, and every call refused with an error.

use super::scene::Layout;
use super::strace::Stroke;
use super::trial::{Doing, Sample, Trial};

/// What a call is refused with.
const ERRORS: [Stroke; 4] =
    [Stroke::Fail("EIO"), Stroke::Fail("ENOSPC"), Stroke::Fail("EINTR"), Stroke::Fail("EACCES")];

/// Calls that only look leave the disk as the next call finds it: of these some are struck, and all with `--slow`.
const LOOKING_ONE_IN: usize = 64;

const CUT_OVER_AGAIN: Doing = Doing::Recovery(&Doing::CutOver);
const ROLL_BACK_AGAIN: Doing = Doing::Recovery(&Doing::RollBack);

const OTHERS: [Layout; 4] = [Layout::TwoRenames, Layout::FileByFile, Layout::Adoption, Layout::Pointer];

fn killed(layout: Layout, doing: Doing, sample: Sample) {
    let tally = Trial::new(layout, doing).strike_everywhere(sample, &[Stroke::Kill]);
    assert!(layout == Layout::Pointer || tally.mixed > 0, "no kill was in the middle of the exchange");
}

fn failed(layout: Layout, doing: Doing, sample: Sample) {
    Trial::new(layout, doing).strike_everywhere(sample, &ERRORS);
}

// rows: BX-1
#[test]
fn a_cutover_killed_at_every_call_ends_whole() {
    killed(Layout::Exchange, Doing::CutOver, Sample::All);
}

// rows: BX-1
#[test]
fn a_rollback_killed_at_every_call_ends_whole() {
    killed(Layout::Exchange, Doing::RollBack, Sample::All);
}

// rows: BX-1
#[test]
fn the_recovery_of_a_cutover_killed_at_every_call_ends_whole() {
    killed(Layout::Exchange, CUT_OVER_AGAIN, Sample::All);
}

// rows: BX-1
#[test]
fn the_recovery_of_a_rollback_killed_at_every_call_ends_whole() {
    killed(Layout::Exchange, ROLL_BACK_AGAIN, Sample::All);
}

// rows: BX-1
#[test]
fn a_cutover_through_the_pointer_killed_at_calls_ends_whole() {
    killed(Layout::Adoption, Doing::CutOver, Sample::Every(4));
    killed(Layout::Pointer, Doing::CutOver, Sample::Every(8));
}

// rows: BX-1
#[test]
fn two_renames_killed_at_any_call_end_whole() {
    for doing in [Doing::CutOver, Doing::RollBack, CUT_OVER_AGAIN, ROLL_BACK_AGAIN] {
        killed(Layout::TwoRenames, doing, Sample::Looking(4 * LOOKING_ONE_IN));
    }
}

// rows: BX-1
#[test]
fn two_renames_that_are_refused_calls_end_whole() {
    failed(Layout::TwoRenames, Doing::CutOver, Sample::Every(24));
    failed(Layout::TwoRenames, Doing::RollBack, Sample::Every(24));
}

// rows: BX-1
#[test]
fn file_by_file_killed_at_any_call_ends_whole() {
    for doing in [Doing::CutOver, Doing::RollBack] {
        killed(Layout::FileByFile, doing, Sample::Looking(4 * LOOKING_ONE_IN));
    }
}

// rows: BX-1
#[test]
fn the_recovery_of_file_by_file_killed_at_any_call_ends_whole() {
    for doing in [CUT_OVER_AGAIN, ROLL_BACK_AGAIN] {
        killed(Layout::FileByFile, doing, Sample::Looking(4 * LOOKING_ONE_IN));
    }
}

// rows: BX-1
#[test]
fn file_by_file_that_is_refused_calls_ends_whole() {
    failed(Layout::FileByFile, Doing::CutOver, Sample::Every(48));
    failed(Layout::FileByFile, Doing::RollBack, Sample::Every(48));
}

// rows: BX-1
#[test]
fn a_cutover_that_is_refused_calls_ends_whole() {
    failed(Layout::Exchange, Doing::CutOver, Sample::Looking(LOOKING_ONE_IN));
}

// rows: BX-1
#[test]
fn a_rollback_that_is_refused_calls_ends_whole() {
    failed(Layout::Exchange, Doing::RollBack, Sample::Looking(LOOKING_ONE_IN));
}

/// Killed at every call, whatever it does.
fn killed_everywhere(layout: Layout) {
    for doing in [Doing::CutOver, Doing::RollBack, CUT_OVER_AGAIN, ROLL_BACK_AGAIN] {
        // The paths of a project that has the pointer switch in one step: nothing is in the middle.
        let has_middle = layout != Layout::Pointer;
        if has_middle || !matches!(doing, Doing::Recovery(_)) {
            killed(layout, doing, Sample::All);
        }
    }
}

/// Refused every call, whatever it does, with every error.
fn refused_everywhere(layout: Layout) {
    for doing in [Doing::CutOver, Doing::RollBack] {
        failed(layout, doing, Sample::All);
    }
}

#[test]
#[ignore = "every call and every error: some twenty minutes on two cores"]
fn an_exchange_that_is_refused_every_call_ends_whole() {
    refused_everywhere(Layout::Exchange);
    for doing in [CUT_OVER_AGAIN, ROLL_BACK_AGAIN] {
        failed(Layout::Exchange, doing, Sample::All);
    }
}

#[test]
#[ignore = "every call, in every other layout: an hour on two cores"]
fn everything_killed_at_every_call_ends_whole() {
    OTHERS.into_iter().for_each(killed_everywhere);
}

#[test]
#[ignore = "every call and every error, in every other layout: two hours on two cores"]
fn everything_that_is_refused_every_call_ends_whole() {
    OTHERS.into_iter().for_each(refused_everywhere);
}
