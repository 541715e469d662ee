//! One cell of an Arrow array as a value.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};

use super::{Number, Value};

/// The cell at `row`, which must be within the array.
///
/// # Errors
///
/// The name of the type when it is one that is not compared.
pub(crate) fn value_at(array: &dyn Array, row: usize) -> Result<Value<'_>, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let number = match array.data_type() {
        DataType::Int8 => integer::<Int8Type>(array, row),
        DataType::Int16 => integer::<Int16Type>(array, row),
        DataType::Int32 => integer::<Int32Type>(array, row),
        DataType::Int64 => integer::<Int64Type>(array, row),
        DataType::UInt8 => integer::<UInt8Type>(array, row),
        DataType::UInt16 => integer::<UInt16Type>(array, row),
        DataType::UInt32 => integer::<UInt32Type>(array, row),
        DataType::UInt64 => integer::<UInt64Type>(array, row),
        DataType::Float16 => Number::Single(array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => Number::Single(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Number::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(array, row, *scale),
        DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(array, row, *scale),
        DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(array, row, *scale),
        DataType::Decimal256(_, scale) => {
            let value = array.as_primitive::<Decimal256Type>().value(row);
            let scale = i32::from(*scale);
            value.to_i128().map_or_else(
                || Number::Large {
                    mantissa: num_bigint::BigInt::from_signed_bytes_le(&value.to_le_bytes()),
                    scale,
                },
                |mantissa| Number::Decimal { mantissa, scale },
            )
        }
        _ => return not_a_number(array, row),
    };
    Ok(Value::Number(number))
}

fn integer<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Number
where
    T::Native: Into<i128>,
{
    Number::integer(array.as_primitive::<T>().value(row))
}

fn decimal<T: DecimalType>(array: &dyn Array, row: usize, scale: i8) -> Number
where
    T::Native: Into<i128>,
{
    Number::Decimal { mantissa: array.as_primitive::<T>().value(row).into(), scale: i32::from(scale) }
}

fn not_a_number(array: &dyn Array, row: usize) -> Result<Value<'_>, String> {
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Utf8 => Value::Text(Cow::Borrowed(array.as_string::<i32>().value(row))),
        DataType::LargeUtf8 => Value::Text(Cow::Borrowed(array.as_string::<i64>().value(row))),
        DataType::Utf8View => Value::Text(Cow::Borrowed(array.as_string_view().value(row))),
        DataType::Binary => Value::Bytes(Cow::Borrowed(array.as_binary::<i32>().value(row))),
        DataType::LargeBinary => Value::Bytes(Cow::Borrowed(array.as_binary::<i64>().value(row))),
        DataType::BinaryView => Value::Bytes(Cow::Borrowed(array.as_binary_view().value(row))),
        DataType::FixedSizeBinary(_) => Value::Bytes(Cow::Borrowed(array.as_fixed_size_binary().value(row))),
        DataType::Timestamp(unit, zone) => instant(array, row, *unit, zone.is_some()),
        DataType::Duration(unit) => duration(array, row, *unit),
        DataType::Date32 => {
            Value::Date(i64::from(array.as_primitive::<Date32Type>().value(row)) * 86_400_000)
        }
        DataType::Date64 => Value::Date(array.as_primitive::<Date64Type>().value(row)),
        DataType::Time32(_) | DataType::Time64(_) => time(array, row),
        _ => return nested(array, row),
    })
}

fn nested(array: &dyn Array, row: usize) -> Result<Value<'_>, String> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            list(array.as_list::<i32>().values(), offsets(array.as_list::<i32>().value_offsets(), row))?
        }
        DataType::LargeList(_) => {
            list(array.as_list::<i64>().values(), offsets(array.as_list::<i64>().value_offsets(), row))?
        }
        DataType::FixedSizeList(_, _) => {
            let lists = array.as_fixed_size_list();
            let (start, length) = (lists.value_offset(row), lists.value_length());
            list(lists.values(), offsets(&[start, start + length], 0))?
        }
        DataType::Map(_, _) => {
            let map = array.as_map();
            let mut entries = Vec::new();
            for entry in offsets(map.value_offsets(), row) {
                let key = value_at(map.keys().as_ref(), entry)?;
                entries.push((Cow::Owned(key.to_text()), value_at(map.values().as_ref(), entry)?));
            }
            Value::Object(entries)
        }
        DataType::Struct(fields) => {
            let members = array.as_struct();
            let mut values = Vec::with_capacity(fields.len());
            for (field, column) in fields.iter().zip(members.columns()) {
                values.push((Cow::Borrowed(field.name().as_str()), value_at(column.as_ref(), row)?));
            }
            Value::Object(values)
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            match dictionary.normalized_keys().get(row) {
                Some(key) => value_at(dictionary.values().as_ref(), *key)?,
                None => Value::Null,
            }
        }
        DataType::Interval(_) => Value::Other(
            arrow_cast::display::array_value_to_string(array, row).map_err(|error| error.to_string())?,
        ),
        other => return Err(other.to_string()),
    })
}

fn offsets<T: num_traits::ToPrimitive>(offsets: &[T], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(T::to_usize).unwrap_or(0);
    at(row)..at(row + 1)
}

fn list(values: &ArrayRef, range: std::ops::Range<usize>) -> Result<Value<'_>, String> {
    range.map(|index| value_at(values.as_ref(), index)).collect::<Result<_, _>>().map(Value::List)
}

fn unit_ns(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn instant(array: &dyn Array, row: usize, unit: TimeUnit, zoned: bool) -> Value<'static> {
    let count = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
    };
    Value::Instant { ns: i128::from(count) * unit_ns(unit), zoned }
}

fn duration(array: &dyn Array, row: usize, unit: TimeUnit) -> Value<'static> {
    let count = match unit {
        TimeUnit::Second => array.as_primitive::<DurationSecondType>().value(row),
        TimeUnit::Millisecond => array.as_primitive::<DurationMillisecondType>().value(row),
        TimeUnit::Microsecond => array.as_primitive::<DurationMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<DurationNanosecondType>().value(row),
    };
    Value::Duration(i128::from(count) * unit_ns(unit))
}

fn time(array: &dyn Array, row: usize) -> Value<'static> {
    Value::Time(match array.data_type() {
        DataType::Time32(TimeUnit::Second) => {
            i64::from(array.as_primitive::<Time32SecondType>().value(row)).saturating_mul(1_000_000_000)
        }
        DataType::Time32(_) => {
            i64::from(array.as_primitive::<Time32MillisecondType>().value(row)).saturating_mul(1_000_000)
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            array.as_primitive::<Time64MicrosecondType>().value(row).saturating_mul(1_000)
        }
        _ => array.as_primitive::<Time64NanosecondType>().value(row),
    })
}
