//! The document `switchback/distribution/1`.

use serde::{Serialize, Serializer};
use switchback_core::verdict::Verdict;

/// The name and version of the document.
pub const SCHEMA: &str = "switchback/distribution/1";

/// What was found about two ensembles. Members stand in the order of the document. Infinities are strings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DistributionOutcome {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Of the whole: *yes* only when every column is, and no numeric column stands on one side alone.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// The level of each test.
    pub alpha: f64,
    /// What the two ensembles may differ by.
    pub margins: Margins,
    /// `none` or `bh`.
    pub adjust: &'static str,
    /// Whether replicates were compared one by one.
    pub paired: bool,
    /// What the bootstrap follows from.
    pub seed: u64,
    /// Samples that the bootstrap drew for each column.
    pub resamples: usize,
    /// The power that `more_replicates` is planned for.
    pub planned_power: f64,
    /// Numeric columns that both sides have, in OLD's order.
    pub columns: Vec<ColumnFinding>,
    /// Numeric columns that only OLD has.
    pub columns_only_old: Vec<String>,
    /// Numeric columns that only NEW has.
    pub columns_only_new: Vec<String>,
    /// What the verdict does not cover, and why.
    pub not_compared: Vec<NotCompared>,
}

/// The margins, as in [`crate::DistributionOptions`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margins {
    /// In standard deviations of OLD.
    pub mean: f64,
    /// As a share of OLD's standard deviation.
    pub sd: f64,
    /// Of the distribution functions.
    pub ks: f64,
    /// Of the ends of the percentile interval, in standard deviations of OLD, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<f64>,
}

/// A column that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    /// Its name.
    pub column: String,
    /// Why.
    pub why: String,
}

/// What was found about one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnFinding {
    /// Its name.
    pub name: String,
    /// *yes*: all intervals lie inside, or all replicates are equal one by one; *no*: one lies wholly outside.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// What the verdict rests on.
    pub proof: Proof,
    /// Why it is not decided, where there is more to say than that the intervals are too wide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What OLD holds.
    pub old: Counts,
    /// What NEW holds.
    pub new: Counts,
    /// The means.
    pub mean: MeanFinding,
    /// The standard deviations.
    pub sd: SpreadFinding,
    /// The distribution functions.
    pub ks: ShapeFinding,
    /// The ends of the percentile interval, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<EndsFinding>,
    /// One by one, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired: Option<PairFinding>,
    /// The probability, at least, of a *yes* with these numbers of replicates, if both sides are one distribution.
    pub power: f64,
    /// How many replicates more on each side would decide; 0 when it is decided, `None` when no number would.
    pub more_replicates: Option<u64>,
}

/// What the verdict on a column rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Intervals against margins.
    Intervals,
    /// All replicates agree one by one.
    Pairs,
}

/// The replicates of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub replicates: usize,
    /// Without a value.
    pub null: usize,
    /// Not a number.
    pub nan: usize,
    /// Infinite.
    pub infinite: usize,
}

/// The difference of means, in standard deviations of OLD.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeanFinding {
    /// Of this criterion.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// NEW minus OLD.
    #[serde(serialize_with = "number")]
    pub difference: Option<f64>,
    /// Of level 1 - 2 alpha.
    #[serde(serialize_with = "pair")]
    pub interval: Option<[f64; 2]>,
    /// The smallest margin that would have said *yes*: larger differences are excluded at the level alpha.
    #[serde(serialize_with = "number")]
    pub bound: Option<f64>,
    /// The probability of a *yes* if both sides are one distribution.
    pub power: Option<f64>,
    /// Why there is no interval, or why it does not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The ratio of standard deviations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpreadFinding {
    /// Of this criterion.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// NEW by OLD.
    #[serde(serialize_with = "number")]
    pub ratio: Option<f64>,
    /// Of level 1 - 2 alpha.
    #[serde(serialize_with = "pair")]
    pub interval: Option<[f64; 2]>,
    /// The smallest margin that would have said *yes*.
    #[serde(serialize_with = "number")]
    pub bound: Option<f64>,
    /// The probability of a *yes* if both sides are one distribution.
    pub power: Option<f64>,
    /// Why there is no interval, or why it does not decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The Kolmogorov–Smirnov distance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShapeFinding {
    /// Of this criterion.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// The largest distance of the two empirical distribution functions.
    pub statistic: Option<f64>,
    /// How far the true distance may lie from it, at the level alpha.
    pub band: Option<f64>,
    /// The smallest margin that would have said *yes*.
    pub bound: Option<f64>,
    /// The probability of such a distance or a larger one, if both are one distribution. It decides nothing: a large one
    /// does not say that they are equal.
    pub p: Option<f64>,
    /// The same, adjusted for the number of columns where that was asked for.
    pub p_adjusted: Option<f64>,
    /// The probability of a *yes* if both sides are one distribution.
    pub power: Option<f64>,
}

/// The ends of the central percentile interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndsFinding {
    /// Of this criterion: *yes* when both ends are.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// The share of the replicates between the ends.
    pub level: f64,
    /// The lower end.
    pub low: EndFinding,
    /// The upper end.
    pub high: EndFinding,
    /// The probability, at least, of a *yes* if both sides are one distribution.
    pub power: Option<f64>,
    /// Why there is no interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One end of the percentile interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EndFinding {
    /// Of this end.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// Of OLD, in the column's unit.
    #[serde(serialize_with = "number")]
    pub old: Option<f64>,
    /// Of NEW, in the column's unit.
    #[serde(serialize_with = "number")]
    pub new: Option<f64>,
    /// NEW minus OLD, in standard deviations of OLD.
    #[serde(serialize_with = "number")]
    pub difference: Option<f64>,
    /// Of level 1 - 2 alpha.
    #[serde(serialize_with = "pair")]
    pub interval: Option<[f64; 2]>,
    /// The smallest margin that would have said *yes*.
    #[serde(serialize_with = "number")]
    pub bound: Option<f64>,
}

/// Replicates, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairFinding {
    /// How many were compared.
    pub compared: u64,
    /// How many are farther apart than the tolerance.
    pub different: u64,
    /// The first of these, counted from 0.
    pub first_different: Option<u64>,
    /// The largest difference of all pairs of numbers.
    #[serde(serialize_with = "number")]
    pub max_absolute: Option<f64>,
}

impl DistributionOutcome {
    /// The document, over several lines.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Keys are texts and every number is finite, so nothing here can fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// One line for a person: how many statistics are equivalent, are not, are undecided, and under which margins.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |verdict| self.columns.iter().filter(|column| column.verdict == verdict).count();
        format!(
            "of {} statistics, {} are equivalent, {} are not, {} are undecided (alpha {}, margins: mean {}, sd {}, \
             ks {}{}; seed {})",
            self.columns.len(),
            count(Verdict::Yes),
            count(Verdict::No),
            count(Verdict::Unknown),
            self.alpha,
            self.margins.mean,
            self.margins.sd,
            self.margins.ks,
            self.margins.interval.map_or_else(String::new, |margin| format!(", interval {margin}")),
            self.seed,
        )
    }
}

impl MeanFinding {
    pub(crate) fn unknown(why: &str) -> Self {
        let (verdict, why) = (Verdict::Unknown, Some(why.to_owned()));
        Self { verdict, difference: None, interval: None, bound: None, power: None, why }
    }
}

impl EndsFinding {
    pub(crate) fn unknown(why: &str, level: f64) -> Self {
        let (verdict, why) = (Verdict::Unknown, Some(why.to_owned()));
        let end = EndFinding { verdict, old: None, new: None, difference: None, interval: None, bound: None };
        Self { verdict, level, low: end.clone(), high: end, power: None, why }
    }
}

impl SpreadFinding {
    pub(crate) fn unknown(why: &str) -> Self {
        let (verdict, why) = (Verdict::Unknown, Some(why.to_owned()));
        Self { verdict, ratio: None, interval: None, bound: None, power: None, why }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn verdict_word<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(verdict.word())
}

/// A number, or a string where JSON has none for it.
struct Plain(f64);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { to.serialize_f64(self.0) } else { to.collect_str(&self.0) }
    }
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn number<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
    number.map(Plain).serialize(to)
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn pair<S: Serializer>(pair: &Option<[f64; 2]>, to: S) -> Result<S::Ok, S::Error> {
    pair.map(|pair| pair.map(Plain)).serialize(to)
}
