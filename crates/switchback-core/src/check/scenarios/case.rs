//! One case: both programs are run in copies of their trees, and what they left is judged.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::copies::{Copies, LeftOver};
use super::super::shell::{self, Runner};
use super::super::side::Program;
use super::super::{Kept, Scene};
use super::matrix::Case;
use super::{ScenariosCheck, agree, failing};
use crate::constraint::{Bounds, Constraint, ConstraintOutcome, TableFile};
use crate::port::{Comparer, Comparison, PortError, Querier};
use crate::rule::Rule;
use crate::tree::copy::remove_tree;
use crate::verdict::Verdict;
use crate::world::Finished;

/// What all cases of a check are looked at with, by several threads.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) check: &'a ScenariosCheck,
    pub(super) runner: Runner<'a>,
    pub(super) now: Timestamp,
    comparer: &'a dyn Comparer,
    querier: &'a dyn Querier,
    kept: &'a dyn Kept,
    /// What all cases depend on, as text.
    about: String,
    /// Comparing and asking take all cores and much memory by themselves.
    turn: Mutex<()>,
}

/// What came of a case.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) summary: String,
    /// Where old and new first part; null where they do not.
    pub(super) first: Value,
    /// Everything else, by name.
    pub(super) details: Map<String, Value>,
}

/// A program that ran.
#[derive(Debug)]
pub(super) struct Ran {
    /// `old` or `new`.
    pub(super) name: &'static str,
    pub(super) tree: PathBuf,
    pub(super) out: PathBuf,
    pub(super) finished: Finished,
    /// What it left in its tree; looked at only where it is to fail.
    pub(super) left_over: Vec<LeftOver>,
}

impl Found {
    pub(super) fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self { verdict, summary: summary.into(), first: Value::Null, details: Map::new() }
    }

    /// With where old and new first part.
    pub(super) fn parted(mut self, first: Value) -> Self {
        self.first = first;
        self
    }
}

impl<'a> Bench<'a> {
    pub(super) fn new(check: &'a ScenariosCheck, scene: &Scene<'a>, about: String) -> Self {
        Self {
            check,
            runner: Runner::of(scene),
            now: scene.world.clock.now(),
            comparer: scene.comparer,
            querier: scene.querier,
            kept: scene.kept,
            about,
            turn: Mutex::new(()),
        }
    }

    /// What comes of a case, or what came of it before the check was interrupted. `folder` is for it alone.
    pub(super) fn look(&self, case: &Case<'_>, folder: &Path, copies: &mut Copies<'_>) -> Value {
        let key = self.key(case);
        let kept = self.kept.get(&key).and_then(|text| serde_json::from_str::<Value>(&text).ok());
        if let Some(mut kept) = kept.filter(|kept| kept["case"] == case.name) {
            kept["kept"] = json!(true);
            return kept;
        }
        let mut seconds = Map::new();
        let found = self.run(case, &folder.join("case"), copies, &mut seconds);
        let found = found.unwrap_or_else(|why| Found::new(Verdict::Unknown, why));
        let parameters: Map<String, Value> =
            case.values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut value = json!({
            "case": case.name,
            "scenario": case.scenario.name,
            "parameters": parameters,
            "fails": case.scenario.failing.is_some(),
            "verdict": found.verdict.word(),
            "seconds": seconds,
            "summary": found.summary,
            "first_difference": found.first,
        });
        if let Some(fields) = value.as_object_mut() {
            fields.extend(found.details);
        }
        if found.verdict != Verdict::Unknown {
            self.kept.put(&key, &value.to_string());
        }
        value
    }

    /// What a result is kept under: everything that it depends on and that is not part of what evidence is bound to.
    fn key(&self, case: &Case<'_>) -> String {
        let known = case.scenario.known.iter().map(|known| self.as_of_now(known).expired);
        format!("{}\n{}\n{:?}\n{:?}", self.about, case.name, case.values, known.collect::<Vec<_>>())
    }

    pub(super) fn as_of_now(&self, known: &crate::rule::Exception) -> crate::rule::Exception {
        crate::exception::as_of(known.clone(), self.now)
    }

    fn run(
        &self,
        case: &Case<'_>,
        folder: &Path,
        copies: &mut Copies<'_>,
        seconds: &mut Map<String, Value>,
    ) -> Result<Found, String> {
        let disk = self.runner.world.disk.as_ref();
        // What the case before it left goes first: so nothing of a failure is lost before it was looked at.
        copies.renew()?;
        remove_tree(disk, folder).map_err(|error| error.to_string())?;
        disk.make_directory(folder, 0o755).map_err(|error| error.to_string())?;
        let mut ran = Vec::new();
        for (name, program) in [("old", &self.check.old), ("new", &self.check.new)] {
            if name == "new" && program.which == self.check.old.which {
                copies.renew()?;
            }
            let one = self.run_one(case, name, program, folder, copies)?;
            seconds.insert(name.to_owned(), json!(one.finished.elapsed.as_secs_f64()));
            if let Some(why) = shell::no_answer(&one.finished) {
                let mut found = Found::new(Verdict::Unknown, format!("{name}: {why}"));
                found.details.insert(name.to_owned(), shell::evidence(&program.command, &one.finished));
                return Ok(found);
            }
            ran.push(one);
        }
        let [old, new] = ran.as_slice() else { return Err("it was not run".to_owned()) };
        let mut found = match &case.scenario.failing {
            Some(failing) => failing::judge(self, failing, old, new)?,
            None => agree::judge(self, case, old, new, copies)?,
        };
        if found.verdict != Verdict::Yes {
            for (one, program) in [(old, &self.check.old), (new, &self.check.new)] {
                found.details.insert(one.name.to_owned(), shell::evidence(&program.command, &one.finished));
            }
        }
        Ok(found)
    }

    fn run_one(
        &self,
        case: &Case<'_>,
        name: &'static str,
        program: &Program,
        folder: &Path,
        copies: &mut Copies<'_>,
    ) -> Result<Ran, String> {
        let is_to_fail = case.scenario.failing.is_some();
        let tree = if is_to_fail { copies.remembered(program.which)? } else { copies.tree(program.which)? };
        let out = folder.join(name);
        self.runner.world.disk.make_directory(&out, 0o755).map_err(|error| error.to_string())?;
        let line = shell::filled_with(&program.command, &tree, &out, &case.values);
        let finished =
            self.runner.run(&line, &tree, &out, None).map_err(|error| format!("{name}: {error}"))?;
        let left_over = if is_to_fail { copies.left_over(program.which)? } else { Vec::new() };
        Ok(Ran { name, tree, out, finished, left_over })
    }

    /// Compares, one comparison at a time.
    pub(super) fn compare(&self, old: &Path, new: &Path, rule: &Rule) -> Result<Comparison, PortError> {
        // A comparison that panicked takes the check with it.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.comparer.compare(old, new, rule)
    }

    /// Looks at a constraint, one at a time.
    pub(super) fn query(
        &self,
        tables: &[TableFile],
        constraint: &Constraint,
    ) -> Result<ConstraintOutcome, PortError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = Bounds { timeout: Some(self.runner.timeout), ..Bounds::default() };
        self.querier.query(tables, std::slice::from_ref(constraint), &bounds)
    }
}
