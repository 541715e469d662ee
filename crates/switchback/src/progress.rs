//! What is being done, how far it is, and how long still: one line on a terminal, and nothing anywhere else.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use switchback_core::phase::outlook::Ahead;

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// Before that a speed is nothing to rely on.
const MEASURED_AFTER: Duration = Duration::from_secs(1);
/// How much of a file's name is shown.
const ITEM_MAX: usize = 40;
/// What stands before the name of what is compared.
const COMPARING: &str = "comparing ";

/// The line.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    steps: Mutex<Steps>,
    /// What is being done, without how far it is.
    doing: Mutex<String>,
}

#[derive(Debug, Default)]
struct Steps {
    ahead: Vec<Ahead>,
    total: usize,
}

impl Progress {
    /// A line that is drawn on a terminal, if it is wanted there.
    pub(crate) fn new(is_wanted: bool) -> Self {
        let target = if is_wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar, steps: Mutex::default(), doing: Mutex::default() }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// What is to come.
    pub(crate) fn expect(&self, ahead: Vec<Ahead>) {
        if let Ok(mut steps) = self.steps.lock() {
            steps.total = ahead.len();
            steps.ahead = ahead;
        }
    }

    /// A step begins.
    pub(crate) fn begin(&self, phase: &str, what: &str) {
        let place = self.steps.lock().map_or_else(|_| String::new(), |mut steps| steps.advance(what));
        self.bar.reset_elapsed();
        let doing = format!("{phase}: {what}{place}");
        self.bar.set_message(doing.clone());
        self.remember(doing);
        self.bar.enable_steady_tick(TICK);
    }

    fn remember(&self, what: String) {
        if let Ok(mut doing) = self.doing.lock() {
            *doing = what;
        }
    }

    /// Something else is written to the terminal: the line steps aside.
    pub(crate) fn aside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Nothing is being done any more.
    pub(crate) fn end(&self) {
        self.remember(String::new());
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }
}

impl switchback_compare::Progress for Progress {
    fn begin(&self, item: &str) {
        if self.bar.is_hidden() {
            return;
        }
        let mut what = format!("{COMPARING}{item:.ITEM_MAX$}");
        if let Ok(mut doing) = self.doing.lock() {
            // A check compares within a step of a run, and one file comes after the other.
            let step = doing.split(COMPARING).next().unwrap_or_default().trim_end_matches(": ");
            what = if step.is_empty() { what } else { format!("{step}: {what}") };
            doing.clone_from(&what);
        }
        self.bar.set_message(what);
        self.bar.reset();
        self.bar.enable_steady_tick(TICK);
    }

    fn rows(&self, done: u64, total: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let Ok(doing) = self.doing.lock() else { return };
        self.bar.set_length(total);
        self.bar.set_position(done);
        let is_measured = self.bar.elapsed() >= MEASURED_AFTER;
        let speed = is_measured.then(|| (self.bar.per_sec(), self.bar.eta()));
        let far = far(done, total, speed);
        self.bar.set_message(format!("{doing}: {far}"));
    }
}

/// `3,400,000 rows read, 28 %, 1,200,000 rows/s, about 7 s left`. Before any time has passed there is no speed to tell.
fn far(done: u64, total: u64, speed: Option<(f64, Duration)>) -> String {
    let share = if total == 0 { 0 } else { u128::from(done) * 100 / u128::from(total) };
    let mut far = format!("{} rows read, {share} %", HumanCount(done));
    if let Some((rows_per_second, left)) = speed.filter(|(speed, _)| speed.is_finite() && *speed >= 1.0) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float too large is the largest count"
        )]
        let speed = rows_per_second as u64;
        // Writing to a string cannot fail.
        let _ = write!(far, ", {} rows/s, {} left", HumanCount(speed), seconds("about", left));
    }
    far
}

impl Steps {
    /// Goes on to a step, and says where it stands: `, step 3 of 8, about 40 s left`. Nothing for a part of a step.
    fn advance(&mut self, what: &str) -> String {
        let Some(at) = self.ahead.iter().position(|step| step.what == what) else { return String::new() };
        self.ahead.drain(..at);
        let number = self.total.saturating_sub(self.ahead.len()) + 1;
        let known: Duration = self.ahead.iter().filter_map(|step| step.expected).sum();
        let left = if self.ahead.iter().all(|step| step.expected.is_some()) {
            format!(", {} left", seconds("about", known))
        } else if known > Duration::ZERO {
            format!(", {} left", seconds("at least", known))
        } else {
            String::new()
        };
        self.ahead.remove(0);
        format!(", step {number} of {}{left}", self.total)
    }
}

/// A duration for a person who waits: `less than 1 s`, `about 40 s`, `about 3 min`.
fn seconds(how: &str, duration: Duration) -> String {
    match duration.as_secs() {
        0 => "less than 1 s".to_owned(),
        seconds @ 1..=99 => format!("{how} {seconds} s"),
        seconds => format!("{how} {} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(what: &str, expected_s: Option<u64>) -> Ahead {
        Ahead { what: what.to_owned(), expected: expected_s.map(Duration::from_secs) }
    }

    #[test]
    fn a_step_says_its_place_and_what_is_left_as_far_as_that_is_known() {
        let steps = [ahead("a", Some(2)), ahead("b", None), ahead("a", Some(2)), ahead("c", Some(150))];
        let mut steps = Steps { total: steps.len(), ahead: steps.to_vec() };
        assert_eq!(steps.advance("a"), ", step 1 of 4, at least 3 min left");
        assert_eq!(steps.advance("a part of it"), "");
        // Skipped: it was not needed.
        assert_eq!(steps.advance("a"), ", step 3 of 4, about 3 min left");
        assert_eq!(steps.advance("c"), ", step 4 of 4, about 3 min left");
        assert_eq!(steps.advance("c"), "");
    }

    #[test]
    fn a_comparison_says_how_far_it_is_how_fast_and_how_long_still() {
        let left = Duration::from_secs(7);
        assert_eq!(
            far(3_400_000, 12_000_000, Some((1.2e6, left))),
            "3,400,000 rows read, 28 %, 1,200,000 rows/s, about 7 s left"
        );
        assert_eq!(far(8192, 16384, None), "8,192 rows read, 50 %");
        assert_eq!(far(0, 0, Some((f64::NAN, left))), "0 rows read, 0 %");
    }

    #[test]
    fn durations_are_rounded_for_people() {
        for (seconds_left, shown) in [
            (0, "less than 1 s"),
            (1, "about 1 s"),
            (99, "about 99 s"),
            (100, "about 2 min"),
            (600, "about 10 min"),
        ] {
            assert_eq!(seconds("about", Duration::from_secs(seconds_left)), shown);
        }
    }
}
