//! Which of Arrow's types carries a column, decided for the whole of it, and cells brought into that type.

use std::sync::Arc;

use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, PrimitiveArray,
    StringArray, TimestampMicrosecondArray, TimestampNanosecondArray, new_null_array,
};
use arrow_cast::cast;
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType, TimeUnit};

use crate::ensemble::nearest_float;
use crate::error::CompareError;
use crate::source::batch::Cells;
use crate::source::inference::Kind;
use crate::source::logical::ColumnType;
use crate::source::table::Table;
use crate::value::{Number, Value};

const DAY_MS: i64 = 86_400_000;
/// Integers below it have at most as many digits as a decimal of 128 bits.
const DECIMAL_MAX: u128 = 10_u128.pow(DECIMAL128_MAX_PRECISION as u32);
/// The zone of instants.
const UTC: &str = "+00:00";

/// What carries the cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Carrier {
    /// The type that the file says.
    Stored(DataType),
    /// No cell has a value.
    Nothing,
    Integer,
    /// Integers beyond 64 bits.
    LongInteger,
    Float,
    Boolean,
    Date,
    /// A count of nanoseconds since 1970.
    Nanoseconds {
        zoned: bool,
    },
    /// Where years before 1678 or after 2261 leave no room for nanoseconds.
    Microseconds {
        zoned: bool,
    },
    /// The text; of lists and objects, their JSON; of what no other type carries exactly, the digits.
    Text,
}

/// The carrier of every column. Where it depends on the values, they are read through once.
pub(super) fn decide(table: &Table<'_>) -> Result<Vec<Carrier>, CompareError> {
    let kinds = table.columns.iter().map(|column| match &column.kind {
        ColumnType::Stored(kind) => Carrier::Stored(kind.clone()),
        ColumnType::Found(Kind::Nothing) => Carrier::Nothing,
        ColumnType::Found(Kind::Integer) => Carrier::Integer,
        ColumnType::Found(Kind::Number) => Carrier::Float,
        ColumnType::Found(Kind::Boolean) => Carrier::Boolean,
        ColumnType::Found(Kind::Date) => Carrier::Date,
        ColumnType::Found(Kind::Timestamp) => Carrier::Nanoseconds { zoned: false },
        ColumnType::Found(Kind::ZonedTimestamp) => Carrier::Nanoseconds { zoned: true },
        ColumnType::Numeric | ColumnType::Found(Kind::Text | Kind::List | Kind::Object | Kind::Mixed) => {
            Carrier::Text
        }
    });
    let mut carriers: Vec<Carrier> = kinds.collect();
    let depends = |carrier: &Carrier| matches!(carrier, Carrier::Integer | Carrier::Nanoseconds { .. });
    let open: Vec<usize> = (0..carriers.len()).filter(|at| carriers.get(*at).is_some_and(depends)).collect();
    if open.is_empty() {
        return Ok(carriers);
    }
    let mut fits = vec![Fits { narrow: true, wide: true }; open.len()];
    for batch in table.batches(&open)? {
        let batch = batch?;
        for (fits, cells) in fits.iter_mut().zip(&batch.columns) {
            fits.look(cells, batch.rows);
        }
    }
    for (at, fits) in open.into_iter().zip(fits) {
        if let Some(carrier) = carriers.get_mut(at) {
            *carrier = match (&carrier, fits) {
                (_, Fits { narrow: true, .. }) => continue,
                (Carrier::Integer, Fits { wide: true, .. }) => Carrier::LongInteger,
                (Carrier::Nanoseconds { zoned }, Fits { wide: true, .. }) => {
                    Carrier::Microseconds { zoned: *zoned }
                }
                _ => Carrier::Text,
            };
        }
    }
    Ok(carriers)
}

/// Whether all cells of a column go into its first carrier, and into its second one.
#[derive(Debug, Clone, Copy)]
struct Fits {
    narrow: bool,
    wide: bool,
}

impl Fits {
    fn look(&mut self, cells: &Cells, rows: usize) {
        for row in 0..rows {
            let (narrow, wide) = match cells.value(row) {
                Ok(Value::Null) => (true, true),
                Ok(Value::Number(Number::Decimal { mantissa, scale: 0 })) => {
                    (i64::try_from(mantissa).is_ok(), mantissa.unsigned_abs() < DECIMAL_MAX)
                }
                Ok(Value::Instant { ns, .. }) => {
                    (i64::try_from(ns).is_ok(), ns % 1_000 == 0 && i64::try_from(ns / 1_000).is_ok())
                }
                _ => (false, false),
            };
            self.narrow &= narrow;
            self.wide &= wide;
        }
    }
}

impl Carrier {
    pub(super) fn data_type(&self) -> DataType {
        let instants = |unit, zoned: bool| DataType::Timestamp(unit, zoned.then(|| UTC.into()));
        match self {
            Self::Stored(kind) => kind.clone(),
            Self::Nothing => DataType::Null,
            Self::Integer => DataType::Int64,
            Self::LongInteger => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Nanoseconds { zoned } => instants(TimeUnit::Nanosecond, *zoned),
            Self::Microseconds { zoned } => instants(TimeUnit::Microsecond, *zoned),
            Self::Text => DataType::Utf8,
        }
    }

    /// The cells in this carrier's type. The reason, when one does not fit.
    pub(super) fn carry(&self, cells: &Cells, rows: usize) -> Result<ArrayRef, String> {
        match (self, cells) {
            (Self::Stored(kind), Cells::Arrow(array)) => {
                let array = if array.data_type() == kind {
                    array.clone()
                } else {
                    cast(array, kind).map_err(|error| error.to_string())?
                };
                Ok(without_negative_zero(array))
            }
            (Self::Text, Cells::Text(texts, _)) => Ok(Arc::new(texts.clone())),
            (Self::Nothing, _) => Ok(new_null_array(&DataType::Null, rows)),
            _ => self.carry_values(cells, rows),
        }
    }

    fn carry_values(&self, cells: &Cells, rows: usize) -> Result<ArrayRef, String> {
        Ok(match self {
            Self::Integer => Arc::new(filled::<_, Int64Array>(cells, rows, |value| match value {
                Value::Number(Number::Decimal { mantissa, scale: 0 }) => i64::try_from(mantissa).ok(),
                _ => None,
            })?),
            Self::LongInteger => {
                let digits = filled::<_, Decimal128Array>(cells, rows, |value| match value {
                    Value::Number(Number::Decimal { mantissa, scale: 0 }) => Some(mantissa),
                    _ => None,
                })?;
                let typed = digits.with_precision_and_scale(DECIMAL128_MAX_PRECISION, 0);
                Arc::new(typed.map_err(|error| error.to_string())?)
            }
            Self::Float => Arc::new(filled::<_, Float64Array>(cells, rows, |value| match value {
                // The sum turns -0.0 into 0.0 and every other number into itself.
                Value::Number(number) => Some(nearest_float(&number) + 0.0),
                _ => None,
            })?),
            Self::Boolean => Arc::new(filled::<_, BooleanArray>(cells, rows, |value| match value {
                Value::Boolean(flag) => Some(flag),
                _ => None,
            })?),
            Self::Date => Arc::new(filled::<_, Date32Array>(cells, rows, |value| match value {
                Value::Date(ms) => i32::try_from(ms.div_euclid(DAY_MS)).ok(),
                _ => None,
            })?),
            Self::Nanoseconds { zoned } => {
                let instants = filled::<_, TimestampNanosecondArray>(cells, rows, |value| match value {
                    Value::Instant { ns, .. } => i64::try_from(ns).ok(),
                    _ => None,
                })?;
                Arc::new(instants.with_timezone_opt(zoned.then_some(UTC)))
            }
            Self::Microseconds { zoned } => {
                let instants = filled::<_, TimestampMicrosecondArray>(cells, rows, |value| match value {
                    Value::Instant { ns, .. } => i64::try_from(ns / 1_000).ok(),
                    _ => None,
                })?;
                Arc::new(instants.with_timezone_opt(zoned.then_some(UTC)))
            }
            Self::Text | Self::Stored(_) | Self::Nothing => {
                Arc::new(filled::<_, StringArray>(cells, rows, |value| Some(value.to_text()))?)
            }
        })
    }
}

/// An array of what `take` makes of each cell; null stays null, and a cell that it makes nothing of is the reason.
fn filled<T, A: FromIterator<Option<T>>>(
    cells: &Cells,
    rows: usize,
    take: impl Fn(Value<'_>) -> Option<T>,
) -> Result<A, String> {
    (0..rows)
        .map(|row| match cells.value(row)? {
            Value::Null => Ok(None),
            value => {
                let text = value.to_text();
                take(value).map(Some).ok_or_else(|| format!("`{text}` does not fit its column"))
            }
        })
        .collect()
}

fn without_negative_zero(array: ArrayRef) -> ArrayRef {
    let any: &dyn std::any::Any = array.as_any();
    if let Some(floats) = any.downcast_ref::<PrimitiveArray<Float64Type>>() {
        return Arc::new(floats.unary::<_, Float64Type>(|value| value + 0.0));
    }
    match any.downcast_ref::<PrimitiveArray<Float32Type>>() {
        Some(floats) => Arc::new(floats.unary::<_, Float32Type>(|value| value + 0.0)),
        None => array,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::*;

    fn values(numbers: &[&str]) -> Cells {
        let numbers = numbers.iter().map(|text| match *text {
            "" => Value::Null,
            text => Number::from_integer_text(text).map_or(Value::Null, Value::Number),
        });
        Cells::Values(numbers.collect())
    }

    fn fits(cells: &Cells, rows: usize) -> (bool, bool) {
        let mut fits = Fits { narrow: true, wide: true };
        fits.look(cells, rows);
        (fits.narrow, fits.wide)
    }

    #[test]
    fn integers_of_any_length_are_carried_exactly() {
        let long = "9".repeat(38);
        assert_eq!(fits(&values(&["9223372036854775807", ""]), 2), (true, true));
        assert_eq!(fits(&values(&["1", "9223372036854775808"]), 2), (false, true));
        assert_eq!(fits(&values(&[&long]), 1), (false, true));
        assert_eq!(fits(&values(&[&format!("{long}9")]), 1), (false, false));
        let carried = Carrier::LongInteger.carry(&values(&[&long, ""]), 2).unwrap();
        assert_eq!(crate::records::cell(&carried, 0), long.as_str());
        assert!(carried.is_null(1));
        let carried = Carrier::Text.carry(&values(&[&format!("{long}9")]), 1).unwrap();
        assert_eq!(crate::records::cell(&carried, 0), format!("{long}9").as_str());
    }

    #[test]
    fn instants_beyond_nanoseconds_are_carried_as_microseconds() {
        let instant = |ns| Cells::Values(vec![Value::Instant { ns, zoned: true }]);
        let far = 253_402_300_799_i128 * 1_000_000_000;
        assert_eq!(fits(&instant(1), 1), (true, false));
        assert_eq!(fits(&instant(far), 1), (false, true));
        assert_eq!(fits(&instant(far + 1), 1), (false, false));
        let carried = Carrier::Microseconds { zoned: true }.carry(&instant(far), 1).unwrap();
        assert_eq!(crate::records::cell(&carried, 0), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn no_zero_is_negative() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, -1.5]));
        let carried = Carrier::Stored(DataType::Float64).carry(&Cells::Arrow(floats), 2).unwrap();
        let carried = carried.as_any().downcast_ref::<Float64Array>().unwrap();
        assert_eq!(carried.value(0).to_bits(), 0);
        assert_eq!(carried.value(1).to_bits(), (-1.5_f64).to_bits());
    }
}
