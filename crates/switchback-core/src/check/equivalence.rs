//! `equivalence`: the old and the new program, or what they left, give the same results within stated tolerances.

use serde_json::{Value, json};

use super::side::{SIDE, Side, both};
use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Shape};
use crate::rule::{Rule, Tolerance};

const TOLERANCE: &[Key] = &[
    Key::optional("absolute", Shape::Number, "largest allowed |a - b|"),
    Key::optional("relative", Shape::Number, "largest allowed |a - b| / max(|a|, |b|)"),
    Key::optional("ulps", Shape::Whole, "largest allowed distance in units in the last place"),
];

/// The kind `equivalence`.
pub(super) static KIND: Kind = Kind {
    word: "equivalence",
    doc: "the results of the old and the new tree are equal within stated tolerances",
    keys: &[
        Key::required("old", Shape::Table(SIDE), "where the old results come from"),
        Key::required("new", Shape::Table(SIDE), "where the new results come from"),
        Key::optional("key", Shape::Texts, "columns that together name a row; by position when left out"),
        Key::optional(
            "tolerance",
            Shape::Table(TOLERANCE),
            "for all columns; identical values when left out",
        ),
        Key::optional(
            "columns",
            Shape::Named(TOLERANCE),
            "tolerances of single columns, which replace the global one",
        ),
        Key::optional("exclude", Shape::Texts, "columns that are left out of the verdict"),
        Key::optional(
            "stages",
            Shape::Texts,
            "folders or file stems of the results, in the order in which they are computed",
        ),
        Key::optional("allow_empty", Shape::Flag, "`true`: two results without a row are equal"),
    ],
    read,
};

#[derive(Debug)]
struct EquivalenceCheck {
    old: Side,
    new: Side,
    rule: Rule,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let rule = Rule {
        key: fields.texts("key").unwrap_or_default(),
        tolerance: fields.table("tolerance").map_or_else(Tolerance::default, |table| read_tolerance(&table)),
        column_tolerance: fields
            .named("columns")
            .into_iter()
            .map(|(name, table)| (name, read_tolerance(&table)))
            .collect(),
        exclude: fields.texts("exclude").unwrap_or_default(),
        stages: fields.texts("stages").unwrap_or_default(),
        allow_empty: fields.flag("allow_empty").unwrap_or(false),
        ..Rule::default()
    };
    let (old, new) = (Side::named(fields, "old"), Side::named(fields, "new"));
    Some(Box::new(EquivalenceCheck { old: old?, new: new?, rule }))
}

fn read_tolerance(fields: &Fields<'_>) -> Tolerance {
    Tolerance {
        absolute: fields.number("absolute"),
        relative: fields.number("relative"),
        ulps: fields.whole("ulps"),
    }
}

impl Check for EquivalenceCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let (old, new) = match both(scene, &self.old, &self.new, &mut evidence) {
            Ok(results) => results,
            Err(why) => return Looked::unknown(why, evidence),
        };
        match scene.comparer.compare(&old, &new, &self.rule) {
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
}
