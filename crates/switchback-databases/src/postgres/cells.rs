//! Cells of PostgreSQL's binary format as Arrow arrays.

use std::error::Error;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, Float32Builder,
    Float64Builder, Int16Builder, Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, i256};
use arrow_schema::{ArrowError, DataType, FieldRef};
use num_traits::CheckedAdd;
use postgres::types::{FromSql, Type};

/// 2000-01-01, from which PostgreSQL counts, in days since 1970-01-01.
const EPOCH_DAYS: i32 = 10_957;

/// The same in microseconds.
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// The bytes of a cell, of whatever type.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The cells of one column of a batch.
#[derive(Debug)]
pub(super) enum Cells {
    Boolean(BooleanBuilder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt32(UInt32Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder, usize),
    Decimal256(Decimal256Builder, usize),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    List { item: FieldRef, items: Box<Cells>, ends: Vec<usize>, valid: Vec<bool>, count: usize },
}

impl Cells {
    /// Empty cells of a type that [`super::column`] settles on.
    pub(super) fn of(data_type: &DataType) -> Self {
        let places = |scale: i8| usize::try_from(scale).unwrap_or(0);
        match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Int16 => Self::Int16(Int16Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::UInt32 => Self::UInt32(UInt32Builder::new()),
            DataType::Float32 => Self::Float32(Float32Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Decimal128(_, scale) => {
                Self::Decimal128(Decimal128Builder::new().with_data_type(data_type.clone()), places(*scale))
            }
            DataType::Decimal256(_, scale) => {
                Self::Decimal256(Decimal256Builder::new().with_data_type(data_type.clone()), places(*scale))
            }
            DataType::Binary => Self::Bytes(BinaryBuilder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Time64(_) => Self::Time(Time64MicrosecondBuilder::new()),
            DataType::Timestamp(..) => {
                Self::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()))
            }
            DataType::List(item) => {
                let items = Box::new(Self::of(item.data_type()));
                Self::List { item: item.clone(), items, ends: Vec::new(), valid: Vec::new(), count: 0 }
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a cell.
    ///
    /// # Errors
    ///
    /// Why the bytes are not what their type has.
    pub(super) fn push(&mut self, cell: Option<&[u8]>) -> Result<(), String> {
        match self {
            Self::Boolean(to) => {
                to.append_option(cell.map(|raw| fixed(raw).map(|[byte]| byte != 0)).transpose()?);
            }
            Self::Int16(to) => to.append_option(cell.map(fixed).transpose()?.map(i16::from_be_bytes)),
            Self::Int32(to) => to.append_option(cell.map(fixed).transpose()?.map(i32::from_be_bytes)),
            Self::Int64(to) => to.append_option(cell.map(fixed).transpose()?.map(i64::from_be_bytes)),
            Self::UInt32(to) => to.append_option(cell.map(fixed).transpose()?.map(u32::from_be_bytes)),
            Self::Float32(to) => to.append_option(cell.map(fixed).transpose()?.map(f32::from_be_bytes)),
            Self::Float64(to) => to.append_option(cell.map(fixed).transpose()?.map(f64::from_be_bytes)),
            Self::Decimal128(to, places) => {
                let digits = cell.map(|raw| digits(raw, *places)).transpose()?;
                to.append_option(
                    digits.map(|digits| digits.parse().map_err(|_| no_decimal(&digits))).transpose()?,
                );
            }
            Self::Decimal256(to, places) => {
                let digits = cell.map(|raw| digits(raw, *places)).transpose()?;
                let value =
                    digits.map(|digits| i256::from_string(&digits).ok_or_else(|| no_decimal(&digits)));
                to.append_option(value.transpose()?);
            }
            Self::Text(to) => to.append_option(cell.map(text).transpose()?),
            Self::Bytes(to) => to.append_option(cell),
            Self::Date(to) => {
                let days = cell.map(fixed).transpose()?.map(i32::from_be_bytes);
                to.append_option(days.map(|days| shifted(&days, &EPOCH_DAYS)).transpose()?);
            }
            Self::Time(to) => to.append_option(cell.map(fixed).transpose()?.map(i64::from_be_bytes)),
            Self::Timestamp(to) => {
                let at = cell.map(fixed).transpose()?.map(i64::from_be_bytes);
                to.append_option(at.map(|at| shifted(&at, &EPOCH_MICROSECONDS)).transpose()?);
            }
            Self::List { items, ends, valid, count, .. } => {
                valid.push(cell.is_some());
                *count += cell.map_or(Ok(0), |raw| push_items(items, raw))?;
                ends.push(*count);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(mut cells) => Arc::new(cells.finish()),
            Self::Int16(mut cells) => Arc::new(cells.finish()),
            Self::Int32(mut cells) => Arc::new(cells.finish()),
            Self::Int64(mut cells) => Arc::new(cells.finish()),
            Self::UInt32(mut cells) => Arc::new(cells.finish()),
            Self::Float32(mut cells) => Arc::new(cells.finish()),
            Self::Float64(mut cells) => Arc::new(cells.finish()),
            Self::Decimal128(mut cells, _) => Arc::new(cells.finish()),
            Self::Decimal256(mut cells, _) => Arc::new(cells.finish()),
            Self::Text(mut cells) => Arc::new(cells.finish()),
            Self::Bytes(mut cells) => Arc::new(cells.finish()),
            Self::Date(mut cells) => Arc::new(cells.finish()),
            Self::Time(mut cells) => Arc::new(cells.finish()),
            Self::Timestamp(mut cells) => Arc::new(cells.finish()),
            Self::List { item, items, ends, valid, .. } => {
                let mut start = 0;
                let lengths = ends.into_iter().map(|end| end - std::mem::replace(&mut start, end));
                let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
                let valid = NullBuffer::from(valid);
                Arc::new(ListArray::try_new(item, offsets, items.finish()?, Some(valid))?)
            }
        })
    }
}

/// Adds the items of an array (PostgreSQL, `array_send`): dimensions, whether it has nulls, the items' type; for each
/// dimension its length and where it begins; then the items, each after its length.
fn push_items(to: &mut Cells, raw: &[u8]) -> Result<usize, String> {
    let mut rest = raw;
    let dimensions = take_integer(&mut rest)?;
    take(&mut rest, 8)?;
    if dimensions == 0 {
        return Ok(0);
    }
    if dimensions != 1 {
        return Err(format!("an array has {dimensions} dimensions"));
    }
    let length = usize::try_from(take_integer(&mut rest)?).map_err(|error| error.to_string())?;
    take(&mut rest, 4)?;
    for _ in 0..length {
        // A null has the length -1.
        match usize::try_from(take_integer(&mut rest)?) {
            Ok(bytes) => to.push(Some(take(&mut rest, bytes)?))?,
            Err(_) => to.push(None)?,
        }
    }
    Ok(length)
}

fn take<'a>(from: &mut &'a [u8], bytes: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = from.split_at_checked(bytes).ok_or("an array ends early")?;
    *from = rest;
    Ok(taken)
}

fn take_integer(from: &mut &[u8]) -> Result<i32, String> {
    Ok(i32::from_be_bytes(fixed(take(from, 4)?)?))
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], String> {
    raw.try_into().map_err(|_| format!("a value has {} bytes, and its type {N}", raw.len()))
}

fn text(raw: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(raw).map_err(|error| format!("a text is not UTF-8: {error}"))
}

fn shifted<T: CheckedAdd>(at: &T, epoch: &T) -> Result<T, String> {
    at.checked_add(epoch).ok_or_else(|| "a date lies too far off to be held".to_owned())
}

fn no_decimal(digits: &str) -> String {
    format!("`{digits}` is more than its type holds")
}

/// The digits of a plain decimal number, with `places` of them after the point and no point.
fn digits(raw: &[u8], places: usize) -> Result<String, String> {
    let number = text(raw)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let missing = places
        .checked_sub(fraction.len())
        .ok_or_else(|| format!("`{number}` has more than {places} digits after the point"))?;
    Ok(format!("{whole}{fraction}{}", "0".repeat(missing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_never_rounded() {
        assert_eq!(digits(b"-12.5", 3), Ok("-12500".to_owned()));
        assert_eq!(digits(b"7", 0), Ok("7".to_owned()));
        assert_eq!(digits(b"-0.05", 2), Ok("-005".to_owned()));
        assert!(digits(b"1.234", 2).is_err());
        let mut cells = Cells::of(&DataType::Decimal128(38, 2));
        assert!(cells.push(Some("9".repeat(60).as_bytes())).is_err());
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let mut cells = Cells::of(&DataType::Int32);
        assert!(cells.push(Some(&[0, 0, 1])).is_err());
        let list = DataType::List(Arc::new(arrow_schema::Field::new("item", DataType::Int32, true)));
        assert!(Cells::of(&list).push(Some(&[0, 0, 0, 1, 0, 0])).is_err());
    }
}
