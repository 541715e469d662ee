//! `scenarios`: named scenarios, each with every combination of its parameters, are run by the old and the new program in copies
//! of their own; results are equal, conditions hold, and bad inputs fail alike (OM-4, OM-7, OM-10).
//!
//! The way of the data: `matrix` (keys → scenarios → cases) → `case` (both programs, in copies) → `agree` (results) or `failing`
//! (errors) → `condition` → `outcome` (verdict, words, table).

mod agree;
mod case;
mod condition;
mod failing;
mod matrix;
mod outcome;
mod start;

pub(super) use self::failing::{first_line, normal};
pub(super) use self::start::never_began;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use self::case::Bench;
use self::condition::{CONDITION, Condition};
use self::matrix::{Case, SCENARIO, Scenario};
use super::agreement::{Agreement, MAPPING};
use super::copies::Copies;
use super::side::{Program, SIDE};
use super::{Check, Kind, Looked, Scene, rule_keys};
use crate::plan::{Fields, Key, Shape};

/// So many programs may run at once.
const PARALLEL_MAX: u64 = 256;

const OWN: [Key; 5] = [
    Key::required("old", Shape::Table(SIDE), "the old program; it is run once for each case"),
    Key::required("new", Shape::Table(SIDE), "the new program; it is run once for each case"),
    Key::required("scenario", Shape::Tables(SCENARIO), "the scenarios, `[[check.scenario]]`"),
    Key::optional(
        "conditions",
        Shape::Tables(CONDITION),
        "what the results of every scenario satisfy that does not fail",
    ),
    Key::optional("parallel", Shape::Whole, "how many cases are run at once; 1 when left out"),
];
const KEYS: [Key; 32] = rule_keys::joined(&[&OWN, &rule_keys::TABLES, &MAPPING, &rule_keys::VALUES]);

/// The kind `scenarios`.
pub(super) static KIND: Kind = Kind {
    word: "scenarios",
    doc: "named scenarios are run by the old and the new program: equal results, conditions, and errors alike",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct ScenariosCheck {
    old: Program,
    new: Program,
    scenarios: Vec<Scenario>,
    conditions: Vec<Condition>,
    agreement: Agreement,
    parallel: usize,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let agreement = Agreement::read(fields);
    let (old, new) = (Program::named(fields, "old"), Program::named(fields, "new"));
    let conditions = condition::read_all(fields);
    let parallel = fields.whole("parallel").unwrap_or(1);
    if parallel == 0 || parallel > PARALLEL_MAX {
        let message = format!("`parallel` in {} is {parallel}", fields.title());
        fields.find("parallel", message, format!("write 1 to {PARALLEL_MAX}"));
    }
    let scenarios = matrix::read_all(fields);
    let check = ScenariosCheck {
        old: old?,
        new: new?,
        scenarios: scenarios?,
        conditions: conditions?,
        agreement,
        parallel: usize::try_from(parallel).unwrap_or(1).max(1),
    };
    matrix::look_for_unused(&check, fields);
    Some(Box::new(check))
}

impl Check for ScenariosCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        match self.run_all(scene) {
            Ok(found) => outcome::of_all(&found),
            Err(why) => Looked::unknown(why, json!({})),
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.agreement.reads()
    }
}

impl ScenariosCheck {
    /// What came of each case, in order.
    fn run_all(&self, scene: &Scene<'_>) -> Result<Vec<Value>, String> {
        let cases: Vec<Case<'_>> = self.scenarios.iter().flat_map(Scenario::cases).collect();
        let mut first = copies_of(scene, 0)?;
        // What every case is about: all that can be read in the trees that the programs run in.
        let about = first.about(&[self.old.which, self.new.which])?;
        let bench = Bench::new(self, scene, about);
        let (next, found) = (AtomicUsize::new(0), Mutex::new(vec![Value::Null; cases.len()]));
        let work = |folder: &Path, copies: &mut Copies<'_>| {
            while let Some((at, case)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                cases.get(at).map(|case| (at, case))
            } {
                let result = bench.look(case, folder, copies);
                // A thread that panics takes the check with it, so nobody sees what it left half done.
                found.lock().unwrap_or_else(PoisonError::into_inner)[at] = result;
            }
        };
        let mut others = Vec::new();
        for number in 1..self.parallel.min(cases.len()) {
            others.push((worker(scene, number), copies_of(scene, number)?));
        }
        std::thread::scope(|scope| {
            let work = &work;
            for (folder, copies) in &mut others {
                scope.spawn(move || work(folder, copies));
            }
            work(&worker(scene, 0), &mut first);
        });
        Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Copies for one thread, in its folder.
fn copies_of<'a>(scene: &Scene<'a>, number: usize) -> Result<Copies<'a>, String> {
    let disk = scene.world.disk.as_ref();
    let folder = worker(scene, number);
    for folder in [&folder, &folder.join("trees")] {
        disk.make_directory(folder, 0o755).map_err(|error| error.to_string())?;
    }
    Ok(Copies::new(scene.trees, disk, folder.join("trees")))
}

/// The folder of one thread: its copies of the trees, and what its cases write.
fn worker(scene: &Scene<'_>, number: usize) -> PathBuf {
    scene.out.join(format!("worker-{number}"))
}
