//! Contenders that take turns: A B A B, so that whatever the machine does meanwhile meets all of them.

use std::cell::RefCell;
use std::fmt;
use std::time::{Duration, Instant};

use crate::bench::statistics::{Summary, summary};
use crate::problem::Problem;

/// Turns that take longer are told, so that whoever waits knows how far it is.
const TOLD_FROM_S: u64 = 2;

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What was measured: `cutover, to the acknowledgement`.
    pub step: String,
    /// How much of it.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

/// What a measured value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Time.
    Milliseconds,
    /// Memory, in 2^20 bytes.
    Mebibytes,
    /// Files.
    Files,
    /// How often a reader looked.
    Looks,
}

impl Unit {
    /// As it stands behind a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::Files => "files",
            Self::Looks => "looks",
        }
    }
}

impl Sample {
    /// A time.
    pub fn time(step: impl Into<String>, duration: Duration) -> Self {
        Self { step: step.into(), value: duration.as_secs_f64() * 1000.0, unit: Unit::Milliseconds }
    }
}

/// What a step is held to.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// At most so much, in the unit of the step.
    Most(f64),
    /// At most so many times what another contender takes for the same step.
    Times {
        /// Who.
        of: String,
        /// How many times: below one when it must be faster.
        times: f64,
    },
}

/// One turn: it prepares, measures, and leaves things as its next turn needs them.
pub type Turn = Box<dyn FnMut() -> Result<Vec<Sample>, Problem>>;

/// One who takes part.
pub struct Contender {
    /// Who: `switchback`, `rsync`.
    pub name: String,
    /// The command lines that are measured, as one would type them.
    pub commands: Vec<String>,
    /// Steps that are held to a target.
    pub targets: Vec<(String, Target)>,
    /// Its turn.
    pub turn: RefCell<Turn>,
}

impl fmt::Debug for Contender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Contender {
    /// A contender without targets.
    pub fn new(name: &str, commands: &[&str], turn: Turn) -> Self {
        Self {
            name: name.to_owned(),
            commands: commands.iter().map(|&command| command.to_owned()).collect(),
            targets: Vec::new(),
            turn: RefCell::new(turn),
        }
    }

    /// A step is held to a target.
    #[must_use]
    pub fn held_to(mut self, step: &str, most_ms: f64) -> Self {
        self.targets.push((step.to_owned(), Target::Most(most_ms)));
        self
    }

    /// A step is held to what another contender takes for it.
    #[must_use]
    pub fn held_to_times(mut self, step: &str, times: f64, of: &str) -> Self {
        self.targets.push((step.to_owned(), Target::Times { of: of.to_owned(), times }));
        self
    }
}

/// Contenders under one condition.
#[derive(Debug)]
pub struct Contest {
    /// The condition: `quiet tree`.
    pub name: String,
    /// Turns before any is counted.
    pub warmups: usize,
    /// Turns that are counted.
    pub runs: usize,
    /// Who takes turns, in this order.
    pub contenders: Vec<Contender>,
}

/// What came out for one step of one contender.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was measured.
    pub step: String,
    /// Who it was.
    pub contender: String,
    /// Its numbers.
    pub summary: Summary,
    /// What they count.
    pub unit: Unit,
    /// What it is held to, in words, and whether the median keeps to it.
    pub targets: Vec<(String, bool)>,
}

impl Contest {
    /// Lets everyone take turns, and sums up step by step.
    pub fn hold(&self) -> Result<Vec<Row>, Problem> {
        let mut columns: Vec<Column> = Vec::new();
        for run in 0..self.warmups + self.runs {
            for (who, contender) in self.contenders.iter().enumerate() {
                let begun = Instant::now();
                let samples = (contender.turn.borrow_mut())().map_err(|problem| {
                    problem.because(format!("`{}`, {}, turn {}", contender.name, self.name, run + 1))
                })?;
                let (turn, turns, took_s) = (run + 1, self.warmups + self.runs, begun.elapsed().as_secs());
                if took_s > TOLD_FROM_S {
                    eprintln!("turn {turn} of {turns}: {}, {took_s} s", contender.name);
                }
                if run < self.warmups {
                    continue;
                }
                for sample in samples {
                    match columns.iter_mut().find(|column| column.who == who && column.step == sample.step) {
                        Some(column) => column.values.push(sample.value),
                        None => columns.push(Column {
                            step: sample.step,
                            who,
                            unit: sample.unit,
                            values: vec![sample.value],
                        }),
                    }
                }
            }
        }
        self.rows(columns)
    }

    fn rows(&self, columns: Vec<Column>) -> Result<Vec<Row>, Problem> {
        let mut steps: Vec<String> = Vec::new();
        for column in &columns {
            if !steps.contains(&column.step) {
                steps.push(column.step.clone());
            }
        }
        let mut rows = Vec::new();
        for Column { step, who, unit, values } in columns {
            let contender = self.contenders[who].name.clone();
            let summary = summary(&values).filter(|summary| summary.runs == self.runs).ok_or_else(|| {
                let cause = format!("{} of {} runs measured `{step}`", values.len(), self.runs);
                Problem::new(format!("could not sum up `{contender}`"), cause)
            })?;
            rows.push(Row { step, contender, summary, unit, targets: Vec::new() });
        }
        if rows.is_empty() {
            return Err(Problem::new(format!("could not sum up `{}`", self.name), "nothing was measured"));
        }
        rows.sort_by_key(|row| steps.iter().position(|step| *step == row.step));
        for contender in &self.contenders {
            for (step, target) in &contender.targets {
                judge(&mut rows, &contender.name, step, target)?;
            }
        }
        Ok(rows)
    }
}

/// The values of one step of one contender.
struct Column {
    step: String,
    who: usize,
    unit: Unit,
    values: Vec<f64>,
}

/// Notes whether a median keeps to its target. A target that names nobody or nothing is an error.
fn judge(rows: &mut [Row], contender: &str, step: &str, target: &Target) -> Result<(), Problem> {
    let find = |who: &str| rows.iter().position(|row| row.contender == who && row.step == step);
    let missing = |who: &str| {
        Problem::new(
            format!("could not hold `{contender}` to its target"),
            format!("`{who}` has no `{step}`"),
        )
    };
    let at = find(contender).ok_or_else(|| missing(contender))?;
    let (median, unit) = (rows[at].summary.median, rows[at].unit);
    let judged = match target {
        Target::Most(most) => (format!("{} {}", shown(*most), unit.symbol()), median <= *most),
        Target::Times { of, times } => {
            let other = rows[find(of).ok_or_else(|| missing(of))?].summary.median;
            let words = if *times < 1.0 {
                format!("{:.0}x faster than {of} (it is {:.1}x)", 1.0 / times, other / median)
            } else {
                format!("{times}x of {of} (it is {:.2}x)", median / other)
            };
            (words, median <= other * times)
        }
    };
    rows[at].targets.push(judged);
    Ok(())
}

/// A number with as many digits as mean something.
pub fn shown(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{small:.2}"),
        middle if middle < 100.0 => format!("{middle:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn contender(name: &'static str, log: &Rc<RefCell<String>>, mut values: Vec<f64>) -> Contender {
        let log = Rc::clone(log);
        let turn = move || {
            log.borrow_mut().push_str(name);
            let value = values.remove(0);
            Ok(vec![Sample { step: "there".to_owned(), value, unit: Unit::Milliseconds }])
        };
        Contender::new(name, &[name], Box::new(turn))
    }

    #[test]
    fn turns_alternate_and_warm_ups_do_not_count() {
        let log = Rc::default();
        let contenders = vec![
            contender("A", &log, vec![900.0, 1.0, 3.0, 2.0]).held_to("there", 2.0),
            contender("B", &log, vec![900.0, 10.0, 10.0, 10.0]).held_to("there", 9.0),
        ];
        let contest = Contest { name: "quiet".to_owned(), warmups: 1, runs: 3, contenders };
        let rows = contest.hold().unwrap();
        assert_eq!(*log.borrow(), "ABABABAB");
        assert!((rows[0].summary.median - 2.0).abs() < 1e-9);
        assert_eq!(rows[0].targets, [("2.00 ms".to_owned(), true)]);
        assert_eq!(rows[1].targets, [("9.00 ms".to_owned(), false)]);
    }

    #[test]
    fn a_target_may_be_another_contender() {
        let log = Rc::default();
        let contenders = vec![
            contender("A", &log, vec![2.0])
                .held_to_times("there", 1.0 / 3.0, "B")
                .held_to_times("there", 1.2, "C"),
            contender("B", &log, vec![7.0]),
            contender("C", &log, vec![1.0]),
        ];
        let contest = Contest { name: "quiet".to_owned(), warmups: 0, runs: 1, contenders };
        let expected = [("3x faster than B (it is 3.5x)", true), ("1.2x of C (it is 2.00x)", false)];
        let rows = contest.hold().unwrap();
        assert_eq!(rows[0].targets, expected.map(|(words, met)| (words.to_owned(), met)));
    }

    #[test]
    fn a_target_that_names_nobody_is_an_error() {
        let contenders =
            vec![contender("A", &Rc::default(), vec![2.0]).held_to_times("there", 1.0, "nobody")];
        let contest = Contest { name: "quiet".to_owned(), warmups: 0, runs: 1, contenders };
        assert!(contest.hold().unwrap_err().to_string().contains("`nobody` has no `there`"));
    }

    #[test]
    fn a_failed_turn_says_whose_it_was() {
        let turn = || Err(Problem::new("could not run it", "gone"));
        let contenders = vec![Contender::new("A", &["a"], Box::new(turn))];
        let contest = Contest { name: "quiet".to_owned(), warmups: 0, runs: 1, contenders };
        let shown = contest.hold().unwrap_err().to_string();
        assert!(shown.contains("`A`, quiet, turn 1"), "{shown}");
    }

    #[test]
    fn nothing_measured_is_an_error() {
        let contenders = vec![Contender::new("A", &["a"], Box::new(|| Ok(Vec::new())))];
        let contest = Contest { name: "quiet".to_owned(), warmups: 0, runs: 1, contenders };
        assert!(contest.hold().unwrap_err().to_string().contains("nothing was measured"));
    }
}
