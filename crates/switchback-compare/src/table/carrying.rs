//! What a source can carry: numbers that are written, or stored, less precisely than what is claimed of them.

use arrow_schema::DataType;

use super::agreement::{Agreement, Shared};
use crate::error::CompareError;
use crate::report::{CannotCarry, IDENTICAL, Source, SourceKind};
use crate::source::inference::Kind;
use crate::source::logical::ColumnType;
use crate::source::table::Table;
use crate::source::written::FULL_DIGITS;
use crate::value::Value;

/// Half of a unit in the last place, relative to the largest number that has it: 2^-25 of 32-bit floats, 2^-12 of 16-bit ones.
const HALF_UNIT_32: f64 = 1.0 / (1_u32 << 25) as f64;
const HALF_UNIT_16: f64 = 1.0 / (1_u32 << 12) as f64;

/// How precise the numbers of one side are.
struct Precision {
    source: Source,
    /// Smaller relative differences cannot be seen.
    relative: f64,
    /// Smaller differences cannot be seen.
    absolute: f64,
}

/// The compared columns of which more is claimed than one of the sources can show.
pub(super) fn cannot_carry(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
) -> Result<Vec<CannotCarry>, CompareError> {
    let mut found = Vec::new();
    for column in &agreement.columns {
        let sides = (too_coarse(old, column.old, column)?, too_coarse(new, column.new, column)?);
        if sides.0.is_some() || sides.1.is_some() {
            found.push(CannotCarry {
                column: column.name.clone(),
                old: sides.0,
                new: sides.1,
                asked: asked(column),
            });
        }
    }
    Ok(found)
}

fn asked(column: &Shared) -> String {
    let tolerance = &column.terms.tolerance;
    if !column.terms.tolerates_numbers() {
        return IDENTICAL.to_owned();
    }
    let parts = [
        tolerance.absolute.map(|bound| format!("|a - b| <= {bound:?}")),
        tolerance.relative.map(|bound| format!("relative <= {bound:?}")),
        tolerance.ulps.map(|bound| format!("<= {bound} ULPs")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" or ")
}

/// The source of a column, where it is less precise than what is asked of it.
fn too_coarse(table: &Table<'_>, index: usize, column: &Shared) -> Result<Option<Source>, CompareError> {
    let Some(kind) = table.columns.get(index).map(|column| &column.kind) else { return Ok(None) };
    let Some(precision) = precision(table, index, kind, column)? else { return Ok(None) };
    let tolerance = &column.terms.tolerance;
    if !column.terms.tolerates_numbers() {
        // Floats of one width are carried by it; text that was cut does not show what was cut off.
        return Ok((precision.source.kind == SourceKind::Text).then_some(precision.source));
    }
    #[expect(clippy::cast_precision_loss, reason = "how fine a bound is need not be exact")]
    let ulps = tolerance.ulps.map(|ulps| ulps as f64 * f64::EPSILON);
    // Between two 32-bit floats, units in the last place are their own.
    let ulps = ulps.filter(|_| precision.source.kind == SourceKind::Text);
    let in_own_units = tolerance.ulps.is_some() && ulps.is_none();
    let is_finer = tolerance.absolute.is_none_or(|bound| bound < precision.absolute)
        && tolerance.relative.is_none_or(|bound| bound < precision.relative)
        && ulps.is_none_or(|bound| bound < precision.relative)
        && !in_own_units;
    Ok(is_finer.then_some(precision.source))
}

fn precision(
    table: &Table<'_>,
    index: usize,
    kind: &ColumnType,
    column: &Shared,
) -> Result<Option<Precision>, CompareError> {
    let float = |digits: u32, kind: SourceKind, half_unit: f64| -> Result<Option<Precision>, CompareError> {
        let largest = if column.terms.tolerance.absolute.is_some() { largest(table, index)? } else { 0.0 };
        let source = Source { digits, kind };
        Ok(Some(Precision { source, relative: half_unit, absolute: half_unit * largest }))
    };
    match kind {
        ColumnType::Stored(DataType::Float32) => float(7, SourceKind::Float32, HALF_UNIT_32),
        ColumnType::Stored(DataType::Float16) => float(3, SourceKind::Float16, HALF_UNIT_16),
        ColumnType::Found(Kind::Number) => {
            let written = table.written(index).filter(|written| (1..FULL_DIGITS).contains(&written.digits));
            let Some((written, decimals)) = written.and_then(|written| Some((written, written.decimals?)))
            else {
                return Ok(None);
            };
            let half = |places: i32| 0.5 * 10_f64.powi(-places);
            let source = Source { digits: written.digits, kind: SourceKind::Text };
            let digits = i32::try_from(written.digits).unwrap_or(i32::MAX);
            Ok(Some(Precision { source, relative: half(digits), absolute: half(decimals) }))
        }
        _ => Ok(None),
    }
}

/// The largest of the first numbers of a column: one that shows how far apart its neighbours are.
fn largest(table: &Table<'_>, index: usize) -> Result<f64, CompareError> {
    let Some(batch) = table.batches(&[index])?.next().transpose()? else { return Ok(0.0) };
    let Some(cells) = batch.columns.first() else { return Ok(0.0) };
    let sizes = (0..batch.rows).filter_map(|row| match cells.value(row) {
        Ok(Value::Number(number)) if number.is_finite() => number.size(),
        _ => None,
    });
    Ok(sizes.fold(0.0, f64::max))
}
