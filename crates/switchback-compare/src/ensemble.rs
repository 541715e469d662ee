//! Two ensembles as columns of numbers: what `switchback-statistics` judges, read from tables.

use std::path::Path;
use std::sync::Arc;

use num_traits::ToPrimitive;
use switchback_core::performance::{LimitFinding, RatioFinding, RatioRequest};
use switchback_core::port::{Comparison, PortError, Statistician};
use switchback_core::rule::{DistributionRule, Tolerance};
use switchback_core::world::Disk;
use switchback_statistics::{
    Adjust, DistributionOptions, DistributionOutcome, DistributionPlan, Ensemble, Ensembles, NotCompared,
    OptionError, PairFinding, judge,
};

use crate::error::{CompareError, Place};
use crate::plan::{CompareOptions, ComparePlan, Way};
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::inference::Kind;
use crate::source::logical::ColumnType;
use crate::source::table::Table;
use crate::value::{Number, Value};

/// What is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnsembleOptions {
    /// The statistics; every numeric column that both sides have when empty.
    pub columns: Vec<String>,
    /// Under which tolerance replicates are compared one by one; not at all when `None`.
    pub paired: Option<Tolerance>,
}

/// Reads two tables whose rows are replicates and whose numeric columns are statistics. Nothing is judged here.
///
/// A number is the nearest 64-bit float of what the file holds; one by one, numbers are compared exactly.
///
/// # Errors
///
/// When a side is no table or cannot be read, has no numeric column in common with the other or lacks one that was asked
/// for, or has another number of replicates where they are to be compared one by one.
pub fn ensembles(
    disk: &dyn Disk,
    old: &Path,
    new: &Path,
    options: &EnsembleOptions,
) -> Result<Ensembles, PortError> {
    let failed = |error: CompareError| error.into_port_error(old, new);
    let plan = ComparePlan::new(old, new, CompareOptions::default(), disk).map_err(failed)?;
    let pair = plan.scopes.first().and_then(|scope| scope.pairs.first());
    let (Some(pair), [_]) = (pair, plan.scopes.first().map_or(&[][..], |scope| &scope.pairs[..])) else {
        return Err(refusal(old, new, "an ensemble is one table, not a directory".to_owned(), TABLES));
    };
    let Way::Table(old_format, new_format) = pair.way else {
        let odd = if Format::of(&pair.old).is_table() { &pair.new } else { &pair.old };
        let why = format!("`{}` is no table of replicates", odd.display());
        return Err(refusal(old, new, why, TABLES));
    };
    let old_table = Table::open(disk, &pair.old, old_format, None, Allowance::UNBOUNDED).map_err(failed)?;
    let new_table = Table::open(disk, &pair.new, new_format, None, Allowance::UNBOUNDED).map_err(failed)?;
    if options.paired.is_some() && old_table.rows != new_table.rows {
        let why = format!("there are {} replicates in OLD and {} in NEW", old_table.rows, new_table.rows);
        return Err(refusal(old, new, why, "compare them without pairing, or write as many of both"));
    }
    let choice =
        choose(&old_table, &new_table, options).map_err(|(why, hint)| refusal(old, new, why, &hint))?;
    let columns = read(&old_table, &new_table, choice.both, options.paired.as_ref()).map_err(failed)?;
    Ok(Ensembles {
        columns,
        only_old: choice.only_old,
        only_new: choice.only_new,
        not_compared: choice.not_compared,
    })
}

/// Judges the ensembles of two tables.
#[derive(Debug, Clone)]
pub struct EnsembleJudge {
    disk: Arc<dyn Disk>,
}

impl EnsembleJudge {
    /// A judge that reads through `disk` (Parquet files excepted: their reader seeks in the file itself).
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// Reads and judges, with the outcome in full.
    ///
    /// # Errors
    ///
    /// Those of [`ensembles`], and margins or a level that cannot be followed.
    pub fn outcome(
        &self,
        old: &Path,
        new: &Path,
        rule: &DistributionRule,
    ) -> Result<DistributionOutcome, PortError> {
        let usual = DistributionOptions::default();
        let plan = DistributionPlan::new(DistributionOptions {
            alpha: rule.alpha.unwrap_or(usual.alpha),
            margin_mean: rule.margin_mean.unwrap_or(usual.margin_mean),
            margin_sd: rule.margin_sd.unwrap_or(usual.margin_sd),
            margin_ks: rule.margin_ks.unwrap_or(usual.margin_ks),
            margin_interval: rule.margin_interval,
            interval_level: rule.interval_level.unwrap_or(usual.interval_level),
            adjust: if rule.is_adjusted { Adjust::BenjaminiHochberg } else { Adjust::None },
            paired: rule.paired.is_some(),
            seed: rule.seed.unwrap_or(usual.seed),
            ..usual
        });
        let plan = plan.map_err(|error| {
            let hint = hint_for(&error);
            PortError::new(error.to_string(), Vec::new()).hinted(hint)
        })?;
        let options = EnsembleOptions { columns: rule.columns.clone(), paired: rule.paired };
        Ok(judge(&plan, &ensembles(self.disk.as_ref(), old, new, &options)?))
    }
}

impl Statistician for EnsembleJudge {
    fn judge(&self, old: &Path, new: &Path, rule: &DistributionRule) -> Result<Comparison, PortError> {
        let outcome = self.outcome(old, new, rule)?;
        Ok(Comparison { verdict: outcome.verdict, summary: outcome.summary(), report: outcome.to_json() })
    }

    fn slowdown(&self, request: &RatioRequest<'_>) -> RatioFinding {
        switchback_statistics::slowdown(request)
    }

    fn limit(&self, values: &[f64], share: f64, limit: f64, alpha: f64) -> LimitFinding {
        switchback_statistics::limit(values, share, limit, alpha)
    }
}

fn hint_for(error: &OptionError) -> &'static str {
    match error {
        OptionError::Alpha(_) => "e.g. an alpha of 0.05",
        OptionError::IntervalLevel(_) => "e.g. 0.95, which holds when it is left out",
        OptionError::Margin { .. } => {
            "e.g. 0.25 for the mean, 0.25 for the standard deviation and 0.15 for the distribution function, which hold \
             when they are left out"
        }
        _ => "ask for a larger alpha",
    }
}

const TABLES: &str = "name two files of Parquet, CSV or JSON lines, a row for each replicate";

fn refusal(old: &Path, new: &Path, why: String, hint: &str) -> PortError {
    let message = format!("could not compare `{}` with `{}`", old.display(), new.display());
    PortError::new(message, vec![why]).hinted(hint)
}

/// What a column is to an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Numeric,
    /// Without any value: as good as numeric beside numbers.
    Empty,
    Other,
}

fn role(kind: &ColumnType) -> Role {
    match kind {
        ColumnType::Numeric | ColumnType::Found(Kind::Integer | Kind::Number) => Role::Numeric,
        ColumnType::Found(Kind::Nothing) => Role::Empty,
        ColumnType::Stored(kind) if kind.is_integer() || kind.is_floating() || kind.is_decimal() => {
            Role::Numeric
        }
        ColumnType::Stored(kind) if kind.is_null() => Role::Empty,
        ColumnType::Found(_) | ColumnType::Stored(_) => Role::Other,
    }
}

/// A column that is read: its name, and its index in OLD and in NEW.
type Both = (String, usize, usize);

/// Which columns are read, and what becomes of the others.
#[derive(Debug, Default)]
struct Choice {
    both: Vec<Both>,
    only_old: Vec<String>,
    only_new: Vec<String>,
    not_compared: Vec<NotCompared>,
}

impl Choice {
    fn leave(&mut self, column: &str, why: impl Into<String>) {
        self.not_compared.push(NotCompared { column: column.to_owned(), why: why.into() });
    }
}

fn choose(old: &Table<'_>, new: &Table<'_>, options: &EnsembleOptions) -> Result<Choice, (String, String)> {
    let position =
        |table: &Table<'_>, name: &str| table.columns.iter().position(|column| column.name == name);
    for name in &options.columns {
        for table in [old, new] {
            let names = || {
                let names: Vec<String> =
                    table.columns.iter().take(20).map(|column| format!("`{}`", column.name)).collect();
                format!("it begins with {}", names.join(", "))
            };
            let Some(index) = position(table, name) else {
                return Err((format!("`{}` has no column `{name}`", table.path.display()), names()));
            };
            if role(&table.columns[index].kind) == Role::Other {
                let kind = table.columns[index].kind.name();
                let why = format!("the column `{name}` of `{}` is no number ({kind})", table.path.display());
                return Err((why, "ask for numeric columns only".to_owned()));
            }
        }
    }
    let mut choice = Choice::default();
    let is_asked = |name: &String| options.columns.is_empty() || options.columns.contains(name);
    for (index, column) in old.columns.iter().enumerate() {
        let name = &column.name;
        let here = role(&column.kind);
        let there = position(new, name).map(|index| (index, role(&new.columns[index].kind)));
        match (here, there) {
            _ if !is_asked(name) => choice.leave(name, "it was not asked for"),
            (Role::Empty, Some((_, Role::Empty))) => choice.leave(name, "it has no value on either side"),
            (Role::Numeric | Role::Empty, Some((other, Role::Numeric)))
            | (Role::Numeric, Some((other, Role::Empty))) => choice.both.push((name.clone(), index, other)),
            (Role::Numeric, None) => choice.only_old.push(name.clone()),
            (Role::Numeric, Some((other, Role::Other))) => {
                choice.only_old.push(name.clone());
                choice.leave(
                    name,
                    format!("it is a number in OLD and {} in NEW", new.columns[other].kind.name()),
                );
            }
            (Role::Other, Some((_, Role::Numeric))) => {
                choice.only_new.push(name.clone());
                choice.leave(name, format!("it is {} in OLD and a number in NEW", column.kind.name()));
            }
            (Role::Empty | Role::Other, _) => {
                choice.leave(name, format!("it is no number ({})", column.kind.name()));
            }
        }
    }
    for column in new.columns.iter().filter(|column| position(old, &column.name).is_none()) {
        match role(&column.kind) {
            _ if !is_asked(&column.name) => choice.leave(&column.name, "it was not asked for"),
            Role::Numeric => choice.only_new.push(column.name.clone()),
            Role::Empty | Role::Other => {
                choice.leave(&column.name, format!("it is no number ({})", column.kind.name()));
            }
        }
    }
    if choice.both.is_empty() {
        let why = "the two have no numeric column in common".to_owned();
        return Err((
            why,
            "each statistic is a column of the same name on both sides, a row for each replicate".to_owned(),
        ));
    }
    Ok(choice)
}

fn read(
    old: &Table<'_>,
    new: &Table<'_>,
    both: Vec<Both>,
    paired: Option<&Tolerance>,
) -> Result<Vec<Ensemble>, CompareError> {
    let old_indexes: Vec<usize> = both.iter().map(|(_, index, _)| *index).collect();
    let new_indexes: Vec<usize> = both.iter().map(|(_, _, index)| *index).collect();
    let float = |number: Option<Number>| number.as_ref().map(nearest_float);
    let Some(tolerance) = paired else {
        let sides =
            read_side(old, &old_indexes, float)?.into_iter().zip(read_side(new, &new_indexes, float)?);
        let ensemble =
            |((name, ..), (old, new)): (Both, (Vec<_>, Vec<_>))| Ensemble { name, old, new, pairs: None };
        return Ok(both.into_iter().zip(sides).map(ensemble).collect());
    };
    // One by one, what counts is the number as it stands in the file.
    let exact = |number: Option<Number>| number;
    let sides = read_side(old, &old_indexes, exact)?.into_iter().zip(read_side(new, &new_indexes, exact)?);
    let ensemble = |((name, ..), (old, new)): (Both, (Vec<_>, Vec<_>))| {
        let pairs = Some(compare_pairs(&old, &new, tolerance));
        let floats = |numbers: Vec<Option<Number>>| numbers.into_iter().map(float).collect();
        Ensemble { name, old: floats(old), new: floats(new), pairs }
    };
    Ok(both.into_iter().zip(sides).map(ensemble).collect())
}

/// The cells of some columns of numbers, each as `take` keeps it; a null is `None`.
fn read_side<T: Clone>(
    table: &Table<'_>,
    wanted: &[usize],
    take: impl Fn(Option<Number>) -> T,
) -> Result<Vec<Vec<T>>, CompareError> {
    let mut columns: Vec<Vec<T>> = vec![Vec::new(); wanted.len()];
    for batch in table.batches(wanted)? {
        let batch = batch?;
        for ((column, cells), index) in columns.iter_mut().zip(&batch.columns).zip(wanted) {
            for row in 0..batch.rows {
                let number = match cells.value(row) {
                    Ok(Value::Number(number)) => Some(number),
                    Ok(Value::Null) => None,
                    Ok(other) => {
                        let reason = format!("`{}` is no number", other.to_text());
                        return Err(damaged(table, *index, reason));
                    }
                    Err(kind) => return Err(damaged(table, *index, format!("{kind} cannot be compared"))),
                };
                column.push(take(number));
            }
        }
    }
    Ok(columns)
}

fn damaged(table: &Table<'_>, index: usize, reason: String) -> CompareError {
    let field = table.columns.get(index).map(|column| column.name.clone());
    CompareError::damaged(&table.path, Place { field, ..Place::default() }, reason)
}

fn compare_pairs(old: &[Option<Number>], new: &[Option<Number>], tolerance: &Tolerance) -> PairFinding {
    let mut finding = PairFinding { compared: 0, different: 0, first_different: None, max_absolute: None };
    for pair in old.iter().zip(new) {
        let is_equal = match pair {
            (None, None) => true,
            (Some(one), Some(two)) => {
                if let Some(gap) = one.absolute(two) {
                    finding.max_absolute = Some(finding.max_absolute.map_or(gap, |largest| largest.max(gap)));
                }
                one.is_identical(two) || one.is_within(two, tolerance)
            }
            _ => false,
        };
        if !is_equal {
            finding.different += 1;
            finding.first_different = finding.first_different.or(Some(finding.compared));
        }
        finding.compared += 1;
    }
    finding
}

/// The 64-bit float that is nearest.
pub(crate) fn nearest_float(number: &Number) -> f64 {
    let decimal = |mantissa: &str, scale: i32| {
        // Reading is exact to the last bit, whatever the number of digits.
        format!("{mantissa}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
    };
    match number {
        Number::Float(value) => *value,
        Number::Single(value) => f64::from(*value),
        Number::Decimal { mantissa, scale: 0 } => mantissa.to_f64().unwrap_or(f64::NAN),
        Number::Decimal { mantissa, scale } => decimal(&mantissa.to_string(), *scale),
        Number::Large { mantissa, scale } => decimal(&mantissa.to_string(), *scale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_the_nearest_float() {
        let decimal = |mantissa: i128, scale| nearest_float(&Number::Decimal { mantissa, scale });
        assert_eq!(decimal(15, 1).to_bits(), 1.5_f64.to_bits());
        assert_eq!(decimal(1, 1).to_bits(), 0.1_f64.to_bits());
        assert_eq!(decimal(3, -2).to_bits(), 300_f64.to_bits());
        assert_eq!(decimal((1 << 53) + 1, 0).to_bits(), 9_007_199_254_740_992_f64.to_bits());
        assert!(nearest_float(&Number::Float(f64::NAN)).is_nan());
        let large = Number::from_integer_text(&"9".repeat(50)).unwrap();
        assert_eq!(nearest_float(&large).to_bits(), 1e50_f64.to_bits());
    }

    #[test]
    fn pairs_are_equal_within_the_tolerance_and_missing_ones_among_themselves() {
        let float = |value: f64| Some(Number::Float(value));
        let old = [float(1.0), None, float(f64::NAN), float(2.0), None];
        let new = [float(1.0 + 1e-13), None, float(f64::NAN), float(2.5), float(0.0)];
        let tolerance = Tolerance { absolute: Some(1e-12), ..Tolerance::default() };
        let finding = compare_pairs(&old, &new, &tolerance);
        assert_eq!((finding.compared, finding.different, finding.first_different), (5, 2, Some(3)));
        assert_eq!(finding.max_absolute, Some(0.5));
        assert_eq!(compare_pairs(&old, &old, &Tolerance::default()).different, 0);
    }
}
