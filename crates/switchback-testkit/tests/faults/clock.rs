//! A clock that jumps, back and forth: nothing is decided by it but when a delay is due.

use std::sync::Arc;

use switchback_core::phase::watch::{Watch, watch};
use switchback_core::phase::{Nobody, Project, Work};
use switchback_core::world::{Disk, RealDisk, World};
use switchback_testkit::fixed::FixedClock;
use switchback_testkit::{Counted, Fault, Layout, Scratch, Standing};

use crate::act::{Attempt, Doing, attempt_in, journal_holds, whole};

/// 2030-01-01T00:00:00Z.
const NOW_S: i64 = 1_893_456_000;
const DAY_S: i64 = 86_400;
const CHECK: &str =
    "\n[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/main.py\"]\nat = [\"+1h\"]\n";

fn world_at(second: i64) -> World {
    World { clock: Arc::new(FixedClock::at(second)), ..World::real() }
}

fn attempt_at(scratch: &Scratch, doing: &Doing, second: i64) -> Attempt {
    let (world, counted) = Counted::around(&world_at(second), Fault::None);
    attempt_in(scratch, doing, world, &counted)
}

/// What a watch at that second comes to.
fn watched_at(scratch: &Scratch, second: i64) -> Watch {
    let project = Project::open(scratch.root(), &scratch.ports(world_at(second))).unwrap();
    let work = Work::begin(project, "watch", &Nobody).unwrap();
    watch(&work, &work.plan().phases[0]).unwrap()
}

#[test]
fn a_clock_that_jumps_changes_nothing_but_when_a_delay_is_due() {
    let scratch = Scratch::new(Layout::Exchange).unwrap();
    RealDisk.append(&scratch.root().join("switchback.toml"), CHECK.as_bytes()).unwrap();
    // Each command at another end of time; the last one is before the first.
    let live = attempt_at(&scratch, &Doing::Run, NOW_S);
    assert!(live.acknowledged, "{live:?}");
    assert_eq!(whole(&scratch, "live"), Standing::New);
    for second in [0, NOW_S - 365 * DAY_S, NOW_S - 1, NOW_S, NOW_S + 3_599] {
        assert!(matches!(watched_at(&scratch, second), Watch::Waits { .. }), "at {second}");
    }
    assert_eq!(watched_at(&scratch, NOW_S + 3_600), Watch::Over);
    // What was looked at is looked at, whatever the clock says later.
    assert_eq!(watched_at(&scratch, 0), Watch::Over);
    let back = attempt_at(&scratch, &Doing::RollBack(Vec::new()), 1);
    assert!(back.acknowledged, "{back:?}");
    assert_eq!(whole(&scratch, "rolled back"), Standing::Old);
    journal_holds(&scratch, "a clock that jumps");
}

#[test]
fn a_check_that_a_clock_from_the_future_made_due_is_carried_out_once() {
    let scratch = Scratch::new(Layout::Exchange).unwrap();
    RealDisk.append(&scratch.root().join("switchback.toml"), CHECK.as_bytes()).unwrap();
    assert!(attempt_at(&scratch, &Doing::Run, NOW_S).acknowledged);
    assert_eq!(watched_at(&scratch, NOW_S + 100 * 365 * DAY_S), Watch::Over);
    let seq = crate::act::state_of(&scratch);
    assert_eq!(watched_at(&scratch, NOW_S), Watch::Over);
    assert_eq!(crate::act::state_of(&scratch), seq, "it is looked at once");
}
