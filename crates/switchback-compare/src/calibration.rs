//! Noise: how far two runs of the same program lie apart, the tolerances that follow, and those that it rules out.
//!
//! Two runs show a part of the noise only, so the tolerance that follows is [`MARGIN`] times what they show. A tolerance below
//! what they show is refused: the old program itself would not meet it.

use std::path::Path;

use switchback_core::quantity::counted;
use switchback_core::rule::{ColumnCase, Duplicates, RowOrder, Rule, Tolerance};
use switchback_core::world::Disk;

use crate::compare::compare;
use crate::error::{BelowNoise, CompareError};
use crate::format::Calibrated;
pub use crate::format::{Calibration, Noise, Size};
use crate::plan::{CompareOptions, ComparePlan};
use crate::report::{ColumnDetail, CompareOutcome, Detail, Item};
use crate::value::Distance;

/// How many times the noise that was seen a tolerance should be.
pub const MARGIN: f64 = 10.0;
/// The largest document that is read.
const BYTES_MAX: u64 = 1 << 30;
const SECOND_NS: f64 = 1e9;

impl Size {
    const ZERO: Self = Self { absolute: Some(0.0), relative: Some(0.0), ulps: Some(0), seconds: None };

    fn of(distance: &Distance) -> Self {
        match distance {
            // No bound reaches an infinity.
            Distance { absolute: Some(absolute), .. } if absolute.is_infinite() => {
                Self { absolute: Some(f64::MAX), ..Self::default() }
            }
            // Only points and spans of time have a distance and no relative one.
            Distance { absolute: Some(seconds), relative: None, ulps: None } => {
                Self { seconds: Some(*seconds), ..Self::default() }
            }
            Distance { absolute: None, .. } => Self::ZERO,
            Distance { absolute, relative, ulps } => {
                Self { absolute: *absolute, relative: *relative, ulps: *ulps, seconds: None }
            }
        }
    }

    fn times(&self, factor: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a float beyond the range of integers becomes the largest one"
        )]
        let ulps = self.ulps.map(|ulps| (ulps as f64 * factor).ceil() as u64);
        let larger = |size: Option<f64>| size.map(|size| (size * factor).min(f64::MAX));
        Self {
            absolute: larger(self.absolute),
            relative: larger(self.relative),
            ulps,
            seconds: larger(self.seconds),
        }
    }

    fn is_zero(&self) -> bool {
        let none = |size: Option<f64>| size.is_none_or(|size| size <= 0.0);
        none(self.absolute) && none(self.seconds)
    }

    /// Whether one of the bounds of a rule reaches it.
    fn is_reached_by(&self, tolerance: &Tolerance, time_ns: Option<u64>) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a bound in seconds is told as the nearest float")]
        let seconds = time_ns.map(|ns| ns as f64 / SECOND_NS);
        let reaches = |bound: Option<f64>, size: Option<f64>| {
            bound.zip(size).is_some_and(|(bound, size)| bound >= size)
        };
        reaches(tolerance.absolute, self.absolute)
            || reaches(tolerance.relative, self.relative)
            || tolerance.ulps.zip(self.ulps).is_some_and(|(bound, size)| bound >= size)
            || reaches(seconds, self.seconds)
    }

    /// `|a - b| 3e-13, relative 1e-13, 2 ULPs`.
    fn told(&self) -> String {
        let parts = [
            self.absolute.map(|size| format!("|a - b| {size:?}")),
            self.relative.map(|size| format!("relative {size:?}")),
            self.ulps.map(|size| format!("{size} ULPs")),
            self.seconds.map(|size| format!("{size:?} s")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Compares two runs of one program. The verdict is *yes* when they differ by nothing that a tolerance cannot cover, and the
/// outcome has the [`Calibration`].
///
/// # Errors
///
/// Those of a comparison; a rule that asks for what noise has no part in; tolerances that lie below the noise.
pub fn calibrate(
    old: &Path,
    again: &Path,
    rule: &Rule,
    disk: &dyn Disk,
) -> Result<CompareOutcome, CompareError> {
    check(rule)?;
    let limitless = Tolerance { absolute: Some(f64::MAX), ..Tolerance::default() };
    let loose = Rule {
        tolerance: limitless,
        column_tolerance: rule.column_tolerance.keys().map(|name| (name.clone(), limitless)).collect(),
        time_tolerance_ns: Some(u64::MAX),
        exceptions: Vec::new(),
        ..rule.clone()
    };
    let compared = |rule: Rule| -> Result<CompareOutcome, CompareError> {
        compare(&ComparePlan::new(old, again, CompareOptions { rule }, disk)?, disk)
    };
    let mut outcome = compared(loose)?;
    let calibration =
        Calibration { margin: MARGIN, columns: outcome.items.iter().flat_map(noises).collect() };
    let asks = rule.tolerance != Tolerance::default()
        || !rule.column_tolerance.is_empty()
        || rule.time_tolerance_ns.is_some();
    if asks {
        // Bounds are met in combination, cell by cell: so what was measured is judged, and not its largest distances.
        let judged = compared(Rule { exceptions: Vec::new(), ..rule.clone() })?;
        let mut pairs = outcome.items.iter().zip(&judged.items);
        if let Some(noise) = pairs.find_map(|(loose, strict)| undercut(&calibration, loose, strict)) {
            return Err(below(noise, rule));
        }
    }
    outcome.calibration = Some(calibration);
    Ok(outcome)
}

/// Noise is measured between rows that belong together, and where bounds count.
fn check(rule: &Rule) -> Result<(), CompareError> {
    let refuse = |reason: &str| Err(CompareError::Rule { reason: reason.to_owned() });
    match () {
        () if rule.bitwise => refuse("noise is measured for tolerances, and bitwise sets all of them aside"),
        () if rule.key.is_empty() && rule.row_order == RowOrder::Any => {
            refuse("noise is measured between rows that belong together: by a key, or by position")
        }
        () if rule.duplicates == Duplicates::Match => {
            refuse("noise is measured between rows that belong together: a key must name one row")
        }
        () => Ok(()),
    }
}

/// The noise of an item: of each compared column, or of a document as a whole.
fn noises(item: &Item) -> Vec<Noise> {
    let noise = |column: Option<&str>, not_identical: u64, distance: &Distance| {
        let noise = Size::of(distance);
        let column = column.map(str::to_owned);
        Noise { item: item.name.clone(), column, not_identical, noise, tolerance: noise.times(MARGIN) }
    };
    match &item.detail {
        Detail::Table(table) => {
            let of = |name: &String| {
                let column = table.columns.iter().find(|column| column.name == *name);
                let distance = column.map(|column| Distance {
                    absolute: column.max_absolute,
                    relative: column.max_relative,
                    ulps: column.max_ulps,
                });
                let not_identical = column.map_or(0, |column| column.cells_not_identical);
                noise(Some(name), not_identical, &distance.unwrap_or_default())
            };
            table.compared.iter().map(of).collect()
        }
        Detail::Document(document) => vec![noise(None, document.not_identical, &document.distance)],
        Detail::File(_) => Vec::new(),
    }
}

/// A column (or a document) that two runs show to differ more than the rule allows, and no more than some tolerance could.
fn undercut<'c>(calibration: &'c Calibration, loose: &Item, strict: &Item) -> Option<&'c Noise> {
    let is_undercut = |noise: &&Noise| match (&loose.detail, &strict.detail, &noise.column) {
        (Detail::Table(loose), Detail::Table(strict), Some(name)) => {
            let different = |columns: &[ColumnDetail]| {
                let column = columns.iter().find(|column| column.name == *name);
                column.map_or(0, |column| column.cells_different)
            };
            different(&strict.columns) > different(&loose.columns)
        }
        (Detail::Document(loose), Detail::Document(strict), None) => {
            strict.differences_total > loose.differences_total
        }
        _ => false,
    };
    calibration.columns.iter().filter(|noise| noise.item == loose.name).find(is_undercut)
}

/// Refuses a rule whose tolerances lie below the noise that a calibration shows.
///
/// # Errors
///
/// The first column whose noise no bound of the rule reaches.
pub fn judge(calibration: &Calibration, rule: &Rule) -> Result<(), CompareError> {
    for noise in calibration.columns.iter().filter(|noise| !noise.noise.is_zero()) {
        if let Some(column) = &noise.column {
            let is_in = |list: &[String]| list.iter().any(|other| is_one(rule, other, column));
            let counts = rule.columns.is_empty() || is_in(&rule.columns);
            if !counts || is_in(&rule.exclude) || is_in(&rule.key) {
                continue;
            }
        }
        if rule.bitwise || !noise.noise.is_reached_by(bounds(noise, rule), rule.time_tolerance_ns) {
            return Err(below(noise, rule));
        }
    }
    Ok(())
}

fn bounds<'r>(noise: &Noise, rule: &'r Rule) -> &'r Tolerance {
    let is_own = |name: &&String| noise.column.as_ref().is_some_and(|column| is_one(rule, name, column));
    let own = rule.column_tolerance.keys().find(is_own).and_then(|name| rule.column_tolerance.get(name));
    own.unwrap_or(&rule.tolerance)
}

/// Whether two names of columns are one under a rule.
fn is_one(rule: &Rule, one: &str, two: &str) -> bool {
    let folded = |name: &str| name.to_uppercase().to_lowercase();
    one == two || (rule.column_case == ColumnCase::Ignore && folded(one) == folded(two))
}

fn below(noise: &Noise, rule: &Rule) -> CompareError {
    let bounds = bounds(noise, rule);
    let time_ns = rule.time_tolerance_ns.filter(|_| noise.noise.seconds.is_some());
    #[expect(clippy::cast_precision_loss, reason = "a bound in seconds is told as the nearest float")]
    let seconds = time_ns.map(|ns| ns as f64 / SECOND_NS);
    let asked = if noise.noise.seconds.is_some() {
        Size { seconds, ..Size::default() }
    } else {
        Size { absolute: bounds.absolute, relative: bounds.relative, ulps: bounds.ulps, seconds: None }
    };
    let asked =
        if asked == Size::default() || rule.bitwise { "identical values".to_owned() } else { asked.told() };
    CompareError::BelowNoise(Box::new(BelowNoise {
        item: noise.item.clone(),
        column: noise.column.clone().unwrap_or_else(|| "its values".to_owned()),
        asked,
        noise: noise.noise.told(),
        tolerance: noise.tolerance.told(),
    }))
}

/// Reads the calibration of a document that `--calibrate` wrote.
///
/// # Errors
///
/// A file that cannot be read, or that has no calibration.
pub fn load(disk: &dyn Disk, path: &Path) -> Result<Calibration, CompareError> {
    let bytes = disk.read(path, BYTES_MAX)?;
    let document: Result<Calibrated, serde_json::Error> = serde_json::from_slice(&bytes);
    let damaged = |error: &serde_json::Error| {
        let place = crate::error::Place::at(error.line(), error.column());
        CompareError::damaged(path, place, format!("it is no result of `compare --calibrate`: {error}"))
    };
    document.map(|document| document.calibration).map_err(|error| damaged(&error))
}

impl Calibration {
    /// In one line: the noisiest column.
    pub(crate) fn summary(&self) -> String {
        let noisy: Vec<&Noise> = self.columns.iter().filter(|noise| !noise.noise.is_zero()).collect();
        let size = |noise: &Noise| noise.noise.relative.or(noise.noise.seconds).unwrap_or(0.0);
        let Some(worst) = noisy.iter().max_by(|one, two| size(one).total_cmp(&size(two))) else {
            return format!(
                "no noise: two runs have the same numbers in {}",
                counted(self.columns.len() as u64, "column")
            );
        };
        let name = worst.column.as_deref().unwrap_or("its values");
        format!(
            "noise in {} of {}, the largest in `{name}` of `{}`: {}; the tolerance that follows: {}",
            noisy.len(),
            counted(self.columns.len() as u64, "column"),
            worst.item,
            worst.noise.told(),
            worst.tolerance.told()
        )
    }
}
