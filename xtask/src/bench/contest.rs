//! Contenders that take turns: A B A B, so that whatever the machine does meanwhile meets all of them.

use std::cell::RefCell;
use std::fmt;

use crate::bench::statistics::{Summary, summary};
use crate::problem::Problem;

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What was measured: `cutover, to the acknowledgement`.
    pub step: String,
    /// How long it took.
    pub milliseconds: f64,
}

/// One turn: it prepares, measures, and leaves things as its next turn needs them.
pub type Turn = Box<dyn FnMut() -> Result<Vec<Sample>, Problem>>;

/// One who takes part.
pub struct Contender {
    /// Who: `switchback`, `rsync`.
    pub name: String,
    /// The command lines that are measured, as one would type them.
    pub commands: Vec<String>,
    /// Steps that are held to a target, with the most milliseconds for each.
    pub targets_ms: Vec<(String, f64)>,
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
            targets_ms: Vec::new(),
            turn: RefCell::new(turn),
        }
    }

    /// A step is held to a target.
    #[must_use]
    pub fn held_to(mut self, step: &str, most_ms: f64) -> Self {
        self.targets_ms.push((step.to_owned(), most_ms));
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
    /// Its numbers, in milliseconds.
    pub summary: Summary,
    /// The most that it should take, and whether the median keeps to it.
    pub target: Option<(f64, bool)>,
}

impl Contest {
    /// Lets everyone take turns, and sums up step by step.
    pub fn hold(&self) -> Result<Vec<Row>, Problem> {
        let mut columns: Vec<(String, usize, Vec<f64>)> = Vec::new();
        for run in 0..self.warmups + self.runs {
            for (who, contender) in self.contenders.iter().enumerate() {
                let samples = (contender.turn.borrow_mut())().map_err(|problem| {
                    problem.because(format!("`{}`, {}, turn {}", contender.name, self.name, run + 1))
                })?;
                if run < self.warmups {
                    continue;
                }
                for sample in samples {
                    match columns.iter_mut().find(|(step, of, _)| *of == who && *step == sample.step) {
                        Some((_, _, values)) => values.push(sample.milliseconds),
                        None => columns.push((sample.step, who, vec![sample.milliseconds])),
                    }
                }
            }
        }
        self.rows(columns)
    }

    fn rows(&self, columns: Vec<(String, usize, Vec<f64>)>) -> Result<Vec<Row>, Problem> {
        let mut steps: Vec<String> = Vec::new();
        for (step, _, _) in &columns {
            if !steps.contains(step) {
                steps.push(step.clone());
            }
        }
        let mut rows = Vec::new();
        for (step, who, values) in columns {
            let contender = &self.contenders[who];
            let summary = summary(&values).filter(|summary| summary.runs == self.runs).ok_or_else(|| {
                let cause = format!("{} of {} runs measured `{step}`", values.len(), self.runs);
                Problem::new(format!("could not sum up `{}`", contender.name), cause)
            })?;
            let target = contender.targets_ms.iter().find(|(held, _)| *held == step);
            rows.push(Row {
                step,
                contender: contender.name.clone(),
                target: target.map(|(_, most_ms)| (*most_ms, summary.median <= *most_ms)),
                summary,
            });
        }
        if rows.is_empty() {
            return Err(Problem::new(format!("could not sum up `{}`", self.name), "nothing was measured"));
        }
        rows.sort_by_key(|row| steps.iter().position(|step| *step == row.step));
        Ok(rows)
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
            let milliseconds = values.remove(0);
            Ok(vec![Sample { step: "there".to_owned(), milliseconds }])
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
        assert_eq!(rows[0].target, Some((2.0, true)));
        assert_eq!(rows[1].target, Some((9.0, false)));
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
