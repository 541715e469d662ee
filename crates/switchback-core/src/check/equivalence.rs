//! `equivalence`: the old and the new program, or what they left, give the same results within stated tolerances.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::side::{SIDE, Side, both};
use super::{Check, Kind, Looked, Scene, rule_keys};
use crate::mapping;
use crate::plan::{Fields, Key, Shape, relative};
use crate::rule::Rule;

const SIDES: [Key; 2] = [
    Key::required("old", Shape::Table(SIDE), "where the old results come from"),
    Key::required("new", Shape::Table(SIDE), "where the new results come from"),
];
const MAPPING: [Key; 1] = [Key::optional(
    "mapping",
    Shape::Text,
    "a file of the project that says which columns have other names, units, labels or another layout",
)];
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
    rule: Rule,
    /// Relative to the project.
    mapping: Option<PathBuf>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let rule = rule_keys::read(fields);
    let path = |text: String| relative(&text, fields.offset_of("mapping"), "the mapping", fields.findings());
    let mapping = fields.text("mapping").and_then(path);
    let (old, new) = (Side::named(fields, "old"), Side::named(fields, "new"));
    Some(Box::new(EquivalenceCheck { old: old?, new: new?, rule, mapping }))
}

impl Check for EquivalenceCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let (old, new) = match both(scene, &self.old, &self.new, &mut evidence) {
            Ok(results) => results,
            Err(why) => return Looked::unknown(why, evidence),
        };
        let rule = match self.mapped_rule(scene) {
            Ok(rule) => rule,
            Err(why) => return Looked::unknown(why, evidence),
        };
        match scene.comparer.compare(&old, &new, &rule) {
            Ok(comparison) => {
                // The report was written by the comparison itself; as text it is evidence all the same.
                let report =
                    serde_json::from_str(&comparison.report).unwrap_or(Value::String(comparison.report));
                evidence["comparison"] = report;
                Looked::new(comparison.verdict, comparison.summary, evidence)
            }
            Err(error) => Looked::failed(&error, evidence),
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.mapping.iter().cloned().collect()
    }
}

impl EquivalenceCheck {
    /// The rule with its mapping, as the project with the candidate has it.
    fn mapped_rule(&self, scene: &Scene<'_>) -> Result<Rule, String> {
        let mut rule = self.rule.clone();
        if let Some(path) = &self.mapping {
            let path = scene.trees.new_project()?.join(path);
            let mapping = mapping::load(&path, scene.world.disk.as_ref()).map_err(|error| {
                let words: Vec<String> = std::iter::once(error.to_string()).chain(error.causes()).collect();
                words.join(": ")
            })?;
            rule.mapping = Some(mapping);
        }
        Ok(rule)
    }
}
