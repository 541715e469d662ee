//! Numbers that changed by one rule: sign, digits, the order of a sum, a factor, an offset.

use std::collections::BTreeSet;

use super::{CELLS_MIN, Cell, Digits, Evidence, Side, What};

/// Sums of a few thousand terms, taken in another order, stay within this many units in the last place.
const REASSOCIATED_ULPS_MAX: u64 = 256;
/// A product or a sum of two floats, and the estimate of its constant, are right to some units in the last place.
const SLACK_ULPS: f64 = 6.0;
/// An offset must stand out from the rounding of the cells by this factor.
const STANDS_OUT: f64 = 1000.0;

/// The 1 % point of the Kolmogorov–Smirnov distance, times the root of the number of cells.
const EVEN_POINT: f64 = 1.63;
/// With fewer cells, rounding cannot be told from small changes next to numbers of few digits.
const ROUNDED_CELLS_MIN: usize = 8;

/// Pairs of finite numbers as floats, with the precision that they have.
struct Pairs {
    cells: Vec<(f64, f64)>,
    /// Half of the distance from 1 to the next number, of the coarser kind of cell.
    epsilon: f64,
}

impl Pairs {
    /// All differing cells as pairs of numbers, of which enough are different.
    fn of(evidence: &Evidence<'_>) -> Option<Self> {
        let cells = || evidence.differences.iter().flat_map(|difference| [&difference.old, &difference.new]);
        let is_single = cells().any(|cell| matches!(cell, Cell::Single(_)));
        let epsilon = if is_single { f64::from(f32::EPSILON) / 2.0 } else { f64::EPSILON / 2.0 };
        let pairs: Vec<(f64, f64)> = evidence
            .differences
            .iter()
            .map(|difference| Some((as_float(&difference.old)?, as_float(&difference.new)?)))
            .collect::<Option<_>>()?;
        let distinct = |pick: fn(&(f64, f64)) -> f64| {
            pairs.iter().map(|pair| (pick(pair) + 0.0).to_bits()).collect::<BTreeSet<_>>().len()
        };
        let is_evidence = distinct(|pair| pair.0) >= CELLS_MIN && distinct(|pair| pair.1) >= CELLS_MIN;
        is_evidence.then_some(Self { cells: pairs, epsilon })
    }

    fn mirrored(&self) -> Self {
        let cells = self.cells.iter().map(|(old, new)| (*new, *old)).collect();
        Self { cells, epsilon: self.epsilon }
    }

    /// Whether a rule gives NEW from OLD everywhere, up to the rounding at the magnitude that the rule names.
    fn all_follow(&self, rule: impl Fn(f64) -> f64, magnitude: impl Fn(f64, f64) -> f64) -> bool {
        self.cells
            .iter()
            .all(|(old, new)| (new - rule(*old)).abs() <= SLACK_ULPS * self.epsilon * magnitude(*old, *new))
    }
}

/// A finite number as a 64-bit float.
fn as_float(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(value) => Some(*value),
        Cell::Single(value) => Some(f64::from(*value)),
        #[expect(clippy::cast_precision_loss, reason = "a rule is about the leading digits")]
        Cell::Integer(value) => Some(*value as f64),
        _ => None,
    }
    .filter(|value| value.is_finite())
}

/// `new = -old`, exactly.
pub(super) fn sign(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = Pairs::of(evidence)?;
    pairs.all_follow(|old| -old, |_, _| 0.0).then_some(What::Sign)
}

/// One side is the other with fewer digits: as a 32-bit float, to a number of decimals, or to a number of digits.
pub(super) fn rounded(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = Pairs::of(evidence)?;
    if pairs.cells.len() < ROUNDED_CELLS_MIN {
        return None;
    }
    let stayed: Vec<f64> = evidence.equal.iter().filter_map(as_float).collect();
    // What was rounded already stays as it is; where most cells stayed, the others are no rounding of them all.
    let stayed_whole = stayed.iter().filter(|value| **value != 0.0).count() as u128;
    let (moved, stayed_whole) = match evidence.totals {
        // The share of the sample stands for the share of all.
        Some((differences, equal)) => {
            let listed = evidence.equal.len().max(1) as u128;
            (u128::from(differences) * listed, stayed_whole * u128::from(equal))
        }
        None => (pairs.cells.len() as u128, stayed_whole),
    };
    if stayed_whole > moved {
        return None;
    }
    let of_side = |pairs: &Pairs, side: Side| {
        rounded_to(&pairs.cells, &stayed).map(|(to, digits)| What::Rounded { to, digits, side })
    };
    of_side(&pairs, Side::New).or_else(|| of_side(&pairs.mirrored(), Side::Old))
}

fn rounded_to(cells: &[(f64, f64)], stayed: &[f64]) -> Option<(Digits, Option<i32>)> {
    // What was not rounded and stayed all the same contradicts.
    let holds = |rule: &dyn Fn(f64, f64) -> Option<Fit>| {
        let fits = cells.iter().map(|(whole, part)| rule(*whole, *part)).collect::<Option<Vec<Fit>>>();
        let stays = |value: &f64| *value == 0.0 || rule(*value, *value).is_some();
        fits.is_some_and(|fits| is_rounding(&fits)) && stayed.iter().all(stays)
    };
    if holds(&as_single) {
        return Some((Digits::Float32, None));
    }
    // The most decimals that hold are the tightest rule.
    let decimals = (-9..=15).rev().find(|decimals| holds(&|whole, part| as_decimals(whole, part, *decimals)));
    if let Some(decimals) = decimals {
        return Some((Digits::Decimals, Some(decimals)));
    }
    let significant = (1..=15).rev().find(|digits| {
        holds(&|whole, part| {
            // The place of the first digit of what was rounded, and of what came out: 9.99 becomes 10.0.
            let leading = [whole, part].into_iter().filter(|leading| *leading != 0.0);
            leading.map(leading_place).find_map(|place| as_decimals(whole, part, digits - 1 - place))
        })
    });
    significant.map(|digits| (Digits::Significant, Some(digits)))
}

/// How a pair follows a rule of rounding.
struct Fit {
    /// Its error in half units: from 0 to 1.
    fill: f64,
    /// Whether the last digit is there.
    has_last: bool,
}

/// Whether errors lie evenly in their half unit, as those of rounding do, and the last digits are mostly there. Otherwise it
/// is something smaller, next to numbers that had few digits to begin with. Evenness is the Kolmogorov–Smirnov distance to
/// the uniform distribution; a true rounding misses the bound once in a hundred columns.
fn is_rounding(fits: &[Fit]) -> bool {
    let mut fills: Vec<f64> = fits.iter().map(|fit| fit.fill).collect();
    fills.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a number of cells")]
    let (count, share) = (fills.len() as f64, |place: usize| place as f64 / fills.len() as f64);
    let distance =
        |(place, fill): (usize, &f64)| (fill - share(place)).abs().max((share(place + 1) - fill).abs());
    let largest = fills.iter().enumerate().map(distance).fold(0.0_f64, f64::max);
    // Every tenth last digit is a zero.
    let has_last = fits.iter().filter(|fit| fit.has_last).count();
    largest <= EVEN_POINT / count.sqrt() && has_last > 0 && has_last + 2 >= fits.len() / 2
}

fn as_single(whole: f64, part: f64) -> Option<Fit> {
    #[expect(clippy::cast_possible_truncation, reason = "that is the question")]
    let single = whole as f32;
    // The distance to the next 32-bit float, away from zero.
    let unit = f64::from(f32::from_bits(single.abs().to_bits().saturating_add(1))) - f64::from(single.abs());
    let is_nearest = f64::from(single).to_bits() == part.to_bits() && unit.is_finite() && unit > 0.0;
    is_nearest.then(|| Fit { fill: (whole - part).abs() / (0.5 * unit), has_last: true })
}

/// The power of ten of the first digit.
#[expect(clippy::cast_possible_truncation, reason = "between -324 and 308")]
fn leading_place(value: f64) -> i32 {
    value.abs().log10().floor() as i32
}

/// How `part` is the nearest number of so many decimals to `whole`, ties either way; `None` when it is not.
fn as_decimals(whole: f64, part: f64, decimals: i32) -> Option<Fit> {
    let unit = 10_f64.powi(-decimals);
    // A tie that is no tie in binary may have gone either way.
    let half = unit * 0.5 * (1.0 + 1e-9) + 2.0 * f64::EPSILON * whole.abs();
    let gap = (whole - part).abs();
    let is_nearest = gap <= half && unit > 4.0 * f64::EPSILON * whole.abs();
    (is_nearest && has_decimals_only(part, decimals))
        .then(|| Fit { fill: gap / half, has_last: !has_decimals_only(part, decimals - 1) })
}

fn has_decimals_only(value: f64, decimals: i32) -> bool {
    match usize::try_from(decimals) {
        Ok(places) => {
            format!("{value:.places$}").parse::<f64>().is_ok_and(|again| again.to_bits() == value.to_bits())
        }
        Err(_) => (value / 10_f64.powi(-decimals)).fract() == 0.0,
    }
}

/// Floats that are only some units in the last place apart.
pub(super) fn reassociated(evidence: &Evidence<'_>) -> Option<What> {
    let distance = |difference: &super::Difference| match (&difference.old, &difference.new) {
        (Cell::Number(old), Cell::Number(new)) => Some(rank(*old)?.abs_diff(rank(*new)?)),
        (Cell::Single(old), Cell::Single(new)) => Some(single_rank(*old)?.abs_diff(single_rank(*new)?)),
        _ => None,
    };
    Pairs::of(evidence)?;
    let distances: Vec<u64> = evidence.differences.iter().map(distance).collect::<Option<_>>()?;
    let ulps = distances.into_iter().max()?;
    (ulps <= REASSOCIATED_ULPS_MAX).then_some(What::Reassociated { ulps })
}

/// The place of a float among all floats.
fn rank(value: f64) -> Option<i64> {
    let bits = value.to_bits() & (u64::MAX >> 1);
    let magnitude = i64::try_from(bits).ok()?;
    value.is_finite().then_some(if value.is_sign_negative() { -magnitude } else { magnitude })
}

fn single_rank(value: f32) -> Option<i64> {
    let magnitude = i64::from(value.to_bits() & (u32::MAX >> 1));
    value.is_finite().then_some(if value.is_sign_negative() { -magnitude } else { magnitude })
}

/// All differing cells as pairs of integers.
fn integers(evidence: &Evidence<'_>) -> Option<Vec<(i128, i128)>> {
    let pair = |difference: &super::Difference| match (&difference.old, &difference.new) {
        (Cell::Integer(old), Cell::Integer(new)) => Some((*old, *new)),
        _ => None,
    };
    evidence.differences.iter().map(pair).collect()
}

/// `new = factor * old`. Of integers exactly, by cross multiplication.
pub(super) fn scaled(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = Pairs::of(evidence)?;
    if let Some(integers) = integers(evidence) {
        let (first_old, first_new) = *integers.first()?;
        let is_multiple = |(old, new): &(i128, i128)| {
            let products = new.checked_mul(first_old).zip(old.checked_mul(first_new));
            *old != 0 && products.is_some_and(|(one, two)| one == two)
        };
        #[expect(clippy::cast_precision_loss, reason = "a factor is told as the nearest float")]
        let factor = first_new as f64 / first_old as f64;
        return (factor != 0.0 && integers.iter().all(is_multiple)).then_some(What::Scaled { factor });
    }
    // The largest pair has the most digits, where digits are lost to a fixed point.
    let (old, new) = *pairs.cells.iter().max_by(|one, two| one.1.abs().total_cmp(&two.1.abs()))?;
    let factor = new / old;
    let fits = |factor: f64| {
        factor.is_finite() && factor != 0.0 && pairs.all_follow(|old| factor * old, |_, new| new.abs())
    };
    let rounded =
        DIGITS_PLAIN.flat_map(|digits| [plain(factor, digits), plain(factor.recip(), digits).recip()]);
    let factor = rounded.chain([factor]).find(|factor| fits(*factor))?;
    Some(What::Scaled { factor })
}

/// `new = old + offset`. Of integers exactly.
pub(super) fn offset(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = Pairs::of(evidence)?;
    if let Some(integers) = integers(evidence) {
        let gap = |(old, new): &(i128, i128)| new.checked_sub(*old);
        let first = gap(integers.first()?)?;
        #[expect(clippy::cast_precision_loss, reason = "an offset is told as the nearest float")]
        let offset = first as f64;
        let is_one = integers.iter().all(|pair| gap(pair) == Some(first));
        return is_one.then_some(What::Offset { offset, unit: None });
    }
    let magnitude = |old: f64, new: f64| old.abs().max(new.abs());
    // The smallest pair has the most digits of the offset.
    let (old, new) =
        *pairs.cells.iter().min_by(|one, two| magnitude(one.0, one.1).total_cmp(&magnitude(two.0, two.1)))?;
    let offset = new - old;
    let stands_out = pairs
        .cells
        .iter()
        .all(|(old, new)| offset.abs() > STANDS_OUT * pairs.epsilon * magnitude(*old, *new));
    let fits =
        |offset: f64| pairs.all_follow(|old| old + offset, |old, new| magnitude(old, new).max(offset.abs()));
    if !stands_out {
        return None;
    }
    let rounded = DIGITS_PLAIN.map(|digits| plain(offset, digits));
    let offset = rounded.chain([offset]).find(|offset| fits(*offset))?;
    Some(What::Offset { offset, unit: None })
}

/// How many digits a person may have typed: the fewest that explain the cells are told.
const DIGITS_PLAIN: std::ops::RangeInclusive<usize> = 1..=12;

/// The number to so many digits.
fn plain(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}
