//! `distribution`: two ensembles, such as bootstrap replicates, are distributed alike within stated margins.

use serde_json::{Value, json};

use super::side::{SIDE, Side, both};
use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Shape};
use crate::rule::{DistributionRule, Tolerance};

/// The bounds of a pair, which ask for `paired`.
const BOUNDS: &[&str] = &["absolute", "relative", "ulps"];

/// The kind `distribution`.
pub(super) static KIND: Kind = Kind {
    word: "distribution",
    doc: "the statistics of the old and the new tree are distributed alike within stated margins",
    keys: &[
        Key::required("old", Shape::Table(SIDE), "where the old ensemble comes from"),
        Key::required("new", Shape::Table(SIDE), "where the new ensemble comes from"),
        Key::optional("columns", Shape::Texts, "only these statistics; every numeric column when left out"),
        Key::optional("alpha", Shape::Number, "the level of each test"),
        Key::optional(
            "margin_mean",
            Shape::Number,
            "how far the means may lie apart, in standard deviations of the old side",
        ),
        Key::optional(
            "margin_sd",
            Shape::Number,
            "how far the standard deviations may lie apart, as a share of the old one",
        ),
        Key::optional("margin_ks", Shape::Number, "how far the distribution functions may lie apart"),
        Key::optional(
            "margin_interval",
            Shape::Number,
            "how far the ends of the percentile interval may lie apart, in standard deviations of the old side; they are \
             not looked at when left out",
        ),
        Key::optional(
            "interval_level",
            Shape::Number,
            "the share of the replicates in the percentile interval",
        ),
        Key::optional(
            "paired",
            Shape::Flag,
            "`true`: replicates are compared one by one first; when all agree, that is a yes",
        ),
        Key::optional("absolute", Shape::Number, "of a pair: largest allowed |a - b|"),
        Key::optional("relative", Shape::Number, "of a pair: largest allowed |a - b| / max(|a|, |b|)"),
        Key::optional("ulps", Shape::Whole, "of a pair: largest allowed distance in units in the last place"),
        Key::optional("adjust", Shape::Word(&["none", "bh"]), "how many columns at once are dealt with"),
        Key::optional("seed", Shape::Whole, "what the bootstrap follows from"),
    ],
    read,
};

#[derive(Debug)]
struct DistributionCheck {
    old: Side,
    new: Side,
    rule: DistributionRule,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let is_paired = fields.flag("paired").unwrap_or(false);
    let bounds = Tolerance {
        absolute: fields.number("absolute"),
        relative: fields.number("relative"),
        ulps: fields.whole("ulps"),
    };
    if let Some(bound) = BOUNDS.iter().find(|bound| fields.has(bound)).filter(|_| !is_paired) {
        let message =
            format!("`{bound}` in {} is a bound of pairs, and no pairs are compared", fields.title());
        fields.find(bound, message, "add `paired = true`, or take it out");
    }
    let rule = DistributionRule {
        alpha: fields.number("alpha"),
        margin_mean: fields.number("margin_mean"),
        margin_sd: fields.number("margin_sd"),
        margin_ks: fields.number("margin_ks"),
        margin_interval: fields.number("margin_interval"),
        interval_level: fields.number("interval_level"),
        paired: is_paired.then_some(bounds),
        is_adjusted: fields.word("adjust").as_deref() == Some("bh"),
        columns: fields.texts("columns").unwrap_or_default(),
        seed: fields.whole("seed"),
    };
    let (old, new) = (Side::named(fields, "old"), Side::named(fields, "new"));
    Some(Box::new(DistributionCheck { old: old?, new: new?, rule }))
}

impl Check for DistributionCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let (old, new) = match both(scene, &self.old, &self.new, &mut evidence) {
            Ok(results) => results,
            Err(why) => return Looked::unknown(why, evidence),
        };
        match scene.statistician.judge(&old, &new, &self.rule) {
            Ok(judged) => {
                // The report was written by the other side of the port; as text it is evidence all the same.
                evidence["distribution"] =
                    serde_json::from_str(&judged.report).unwrap_or(Value::String(judged.report));
                Looked::new(judged.verdict, judged.summary, evidence)
            }
            Err(error) => Looked::failed(&error, evidence),
        }
    }
}
