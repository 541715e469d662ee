//! The port: constraints in, findings out; threads that read, and an engine that computes.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use switchback_core::constraint::{
    Bounds, Constraint, ConstraintFinding, ConstraintOutcome, Form, TableFile,
};
use switchback_core::port::{PortError, Querier};
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout_at};

use crate::look::Found;
use crate::session::Session;
use crate::shelf::Shelf;
use crate::table::Job;
use crate::words::Unknown;

/// Looks at constraints in SQL.
#[derive(Debug, Clone)]
pub struct SqlQuerier {
    disk: Arc<dyn Disk>,
}

impl SqlQuerier {
    /// A querier that reads tables through `disk` (Parquet files excepted: their reader seeks in the file itself). What does
    /// not fit into memory goes into a temporary folder of the system's, which is removed.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }
}

impl Querier for SqlQuerier {
    fn query(
        &self,
        tables: &[TableFile],
        constraints: &[Constraint],
        bounds: &Bounds,
    ) -> Result<ConstraintOutcome, PortError> {
        let shelf = Shelf::of(self.disk.as_ref(), tables)?;
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| PortError::new("could not look at the constraints", vec![error.to_string()]))?;
        let findings = thread::scope(|scope| {
            let (jobs, waiting) = mpsc::channel::<Job>();
            let shelf = &shelf;
            // Ends when the last session is gone, and with it the last sender.
            scope.spawn(move || {
                for job in waiting {
                    if let Some(table) = shelf.table(job.table) {
                        scope.spawn(move || job.serve(&table.records));
                    }
                }
            });
            let looking = Looking { shelf, jobs, bounds, runtime: &runtime };
            looking.all(constraints)
        });
        Ok(ConstraintOutcome { tables: shelf.seen(), findings })
    }
}

struct Looking<'s, 'd> {
    shelf: &'s Shelf<'d>,
    jobs: mpsc::Sender<Job>,
    bounds: &'s Bounds,
    runtime: &'s Runtime,
}

impl Looking<'_, '_> {
    fn all(self, constraints: &[Constraint]) -> Vec<ConstraintFinding> {
        // Counted in whole: a limit that lies beyond the clock's range is none.
        let end = self.bounds.timeout.and_then(|limit| Instant::now().checked_add(limit));
        let shown_rows = self.bounds.shown_rows;
        constraints
            .iter()
            .map(|constraint| finding(constraint, self.found(constraint, end), shown_rows))
            .collect()
    }

    fn found(&self, constraint: &Constraint, end: Option<Instant>) -> Result<Found, Unknown> {
        let look = async {
            let session = Session::new(self.shelf, self.jobs.clone(), self.bounds)?;
            session.look(constraint, self.bounds.shown_rows).await
        };
        let run = || {
            self.runtime.block_on(async {
                match end {
                    Some(end) => timeout_at(end, look).await.map_err(|_| self.late())?,
                    None => look.await,
                }
            })
        };
        // An engine that fails on odd data is no reason to fail without a word.
        let failed = |words| Unknown::new(format!("the engine failed on it: {words}"));
        switchback_compare::guarded(|| Ok::<_, String>(run())).map_err(failed)?
    }

    fn late(&self) -> Unknown {
        let limit = self.bounds.timeout.unwrap_or(Duration::ZERO);
        Unknown::new(format!("it was given up after {} s", limit.as_secs())).hinted("allow more time")
    }
}

fn finding(constraint: &Constraint, found: Result<Found, Unknown>, shown_rows: usize) -> ConstraintFinding {
    let (found, unknown) = match found {
        // Counted and shown by two queries: where they contradict each other, neither is believed.
        Ok(found) if (found.violating == 0) != found.sample.is_empty() && shown_rows > 0 => {
            let why = format!(
                "the engine contradicts itself: {} rows were counted and {} shown",
                found.violating,
                found.sample.len()
            );
            (Found::default(), Some(Unknown::new(why).hinted("say the same in another form")))
        }
        Ok(found) => {
            let unknown = saw_nothing(constraint, &found);
            (found, unknown)
        }
        Err(unknown) => (Found::default(), Some(unknown)),
    };
    let verdict = match &unknown {
        Some(_) => Verdict::Unknown,
        None if found.violating > 0 => Verdict::No,
        None => Verdict::Yes,
    };
    let (why, hint) = unknown.map_or((None, None), |unknown| (Some(unknown.why), unknown.hint));
    ConstraintFinding {
        name: constraint.title(),
        form: constraint.form.key(),
        verdict,
        seen: found.seen,
        pairs: found.pairs,
        violating: found.violating,
        sample: found.sample,
        why,
        hint,
    }
}

/// Why nothing was looked at; `None` when something was, or violates.
fn saw_nothing(constraint: &Constraint, found: &Found) -> Option<Unknown> {
    if found.violating > 0 {
        return None;
    }
    let filtered = constraint.about.filter.is_some() && !matches!(constraint.form, Form::Select(_));
    if let Some(table) = &found.empty {
        let why = format!("it saw no row of `{table}`, which is empty");
        return Some(Unknown::new(why).hinted("look at what should have written it"));
    }
    match (found.seen, found.pairs) {
        (0, _) if filtered => {
            let hint = "look at the condition on the rows: does it name values that are there?";
            Some(Unknown::new("it saw no row: the condition is true for none").hinted(hint))
        }
        (0, _) => Some(Unknown::new("it saw no row").hinted("look at what should have written them")),
        (_, Some(0)) => {
            let why = "it saw no two rows to hold against each other";
            Some(
                Unknown::new(why)
                    .hinted("look at `by` and `within`: rows of one group need different values of `by`"),
            )
        }
        _ => None,
    }
}
