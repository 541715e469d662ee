//! `equivalence`: the old and the new program, or what they left, give the same results within stated tolerances.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::agreement::{Agreement, MAPPING, Results};
use super::side::{SIDE, Side, both};
use super::{Check, Kind, Looked, Scene, rule_keys};
use crate::plan::{Fields, Key, Shape};
use crate::port::Comparison;

const SIDES: [Key; 2] = [
    Key::required("old", Shape::Table(SIDE), "where the old results come from"),
    Key::required("new", Shape::Table(SIDE), "where the new results come from"),
];
const KEYS: [Key; 29] = rule_keys::joined(&[&SIDES, &rule_keys::TABLES, &MAPPING, &rule_keys::VALUES]);

/// The kind `equivalence`.
pub(super) static KIND: Kind = Kind {
    word: "equivalence",
    doc: "the results of the old and the new tree are equal within stated tolerances",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct EquivalenceCheck {
    old: Side,
    new: Side,
    agreement: Agreement,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let agreement = Agreement::read(fields);
    let (old, new) = (Side::named(fields, "old"), Side::named(fields, "new"));
    Some(Box::new(EquivalenceCheck { old: old?, new: new?, agreement }))
}

impl Check for EquivalenceCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let (old, new) = match both(scene, &self.old, &self.new, &mut evidence) {
            Ok(results) => results,
            Err(why) => return Looked::unknown(why, evidence),
        };
        let results = Results { out: &scene.out.join("new"), old: &old, new: &new };
        let project = || scene.trees.new_project();
        let rule = match self.agreement.rule(project, &results, scene.world.disk.as_ref()) {
            Ok(rule) => rule,
            Err(why) => return Looked::unknown(why, evidence),
        };
        match scene.comparer.compare(&old, &new, &rule) {
            Ok(comparison) => {
                let (verdict, summary) = (comparison.verdict, comparison.summary.clone());
                evidence["comparison"] = report(comparison);
                Looked::new(verdict, summary, evidence)
            }
            Err(error) => Looked::failed(&error, evidence),
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.agreement.reads()
    }
}

/// The report of a comparison, which it wrote itself; as text it is evidence all the same.
pub(super) fn report(comparison: Comparison) -> Value {
    serde_json::from_str(&comparison.report).unwrap_or(Value::String(comparison.report))
}
