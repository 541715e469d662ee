//! Columns of every type that Arrow and Parquet have, made from small codes: two cells are equal when their codes are.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray, Float64Array, Int64Array,
    IntervalDayTimeArray, IntervalYearMonthArray, LargeListArray, ListArray, MapArray, NullArray,
    RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{IntervalDayTime, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};

/// A cell: null, or one of so many values.
pub(crate) type Code = Option<u8>;

/// How many values a cell may have.
pub(crate) const CODES: u8 = 100;

/// The code of a value that the cell does not have.
pub(crate) fn changed(code: Code) -> Code {
    code.map_or(Some(0), |code| Some(code ^ 1))
}

const UNITS: [TimeUnit; 4] =
    [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];

fn item(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new("item", kind, true))
}

fn fields(members: &[(&str, DataType)]) -> Fields {
    members.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect()
}

/// Every type, the nested ones with one another inside.
pub(crate) fn all() -> Vec<DataType> {
    use DataType as T;
    let mut kinds = vec![
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Float16,
        T::Float32,
        T::Float64,
        T::Decimal32(9, 2),
        T::Decimal64(18, 4),
        T::Decimal128(38, 10),
        T::Decimal256(70, 20),
        T::Date32,
        T::Date64,
        T::Time32(TimeUnit::Second),
        T::Time32(TimeUnit::Millisecond),
        T::Time64(TimeUnit::Microsecond),
        T::Time64(TimeUnit::Nanosecond),
        T::Interval(IntervalUnit::YearMonth),
        T::Interval(IntervalUnit::DayTime),
        T::Utf8,
        T::LargeUtf8,
        T::Utf8View,
        T::Binary,
        T::LargeBinary,
        T::BinaryView,
        T::FixedSizeBinary(5),
        T::Dictionary(Box::new(T::Int32), Box::new(T::Utf8)),
        T::Dictionary(Box::new(T::UInt8), Box::new(T::Int64)),
    ];
    for unit in UNITS {
        kinds.push(T::Duration(unit));
        for zone in [None, Some("UTC"), Some("+02:00"), Some("America/New_York")] {
            kinds.push(T::Timestamp(unit, zone.map(Into::into)));
        }
    }
    let record = T::Struct(fields(&[("x", T::Float64), ("words", T::List(item(T::Utf8)))]));
    let entries = T::Struct(Fields::from(vec![
        Field::new("keys", T::Utf8, false),
        Field::new("values", T::Decimal128(20, 3), true),
    ]));
    kinds.extend([
        T::List(item(T::Float32)),
        T::LargeList(item(T::Utf8)),
        T::List(item(T::List(item(T::Int16)))),
        T::FixedSizeList(item(T::Float64), 2),
        T::List(item(record.clone())),
        record,
        T::Map(Arc::new(Field::new("entries", entries, false)), false),
    ]);
    kinds
}

/// A column of a type, with a cell for each code.
pub(crate) fn array(kind: &DataType, codes: &[Code]) -> ArrayRef {
    let nulls = || Some(codes.iter().map(Option::is_some).collect::<NullBuffer>());
    let plain: Vec<Code> = codes.iter().map(|code| Some(code.unwrap_or(0))).collect();
    match kind {
        DataType::Null => Arc::new(NullArray::new(codes.len())),
        DataType::Boolean => {
            Arc::new(codes.iter().map(|code| code.map(|code| code % 2 == 1)).collect::<BooleanArray>())
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => cast(&floats(codes), kind),
        DataType::Interval(IntervalUnit::YearMonth) => {
            Arc::new(codes.iter().map(|code| code.map(i32::from)).collect::<IntervalYearMonthArray>())
        }
        DataType::Interval(_) => Arc::new(
            codes
                .iter()
                .map(|code| code.map(|code| IntervalDayTime::new(code.into(), 7)))
                .collect::<IntervalDayTimeArray>(),
        ),
        DataType::FixedSizeBinary(length) => {
            let cells =
                codes.iter().map(|code| code.map(|code| vec![code; usize::try_from(*length).unwrap()]));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(cells, *length).unwrap())
        }
        DataType::List(field) => {
            let (lengths, inner) = lists(codes);
            let values = array(field.data_type(), &inner);
            Arc::new(
                ListArray::try_new(field.clone(), OffsetBuffer::from_lengths(lengths), values, nulls())
                    .unwrap(),
            )
        }
        DataType::LargeList(field) => {
            let (lengths, inner) = lists(codes);
            let values = array(field.data_type(), &inner);
            let offsets = OffsetBuffer::from_lengths(lengths);
            Arc::new(LargeListArray::try_new(field.clone(), offsets, values, nulls()).unwrap())
        }
        DataType::FixedSizeList(field, length) => {
            let copies = usize::try_from(*length).unwrap();
            let inner: Vec<Code> = plain.iter().flat_map(|code| vec![*code; copies]).collect();
            let values = array(field.data_type(), &inner);
            Arc::new(FixedSizeListArray::try_new(field.clone(), *length, values, nulls()).unwrap())
        }
        DataType::Struct(members) => {
            let columns = members.iter().map(|member| array(member.data_type(), &plain)).collect();
            Arc::new(StructArray::try_new(members.clone(), columns, nulls()).unwrap())
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(members) = entries.data_type() else { panic!("a map has entries") };
            // A null map has no entries: Parquet cannot keep them.
            let kept: Vec<Code> = codes.iter().copied().flatten().map(Some).collect();
            let columns = members.iter().map(|member| array(member.data_type(), &kept)).collect();
            let values = StructArray::try_new(members.clone(), columns, None).unwrap();
            let offsets = OffsetBuffer::from_lengths(codes.iter().map(|code| usize::from(code.is_some())));
            Arc::new(MapArray::try_new(entries.clone(), offsets, values, nulls(), false).unwrap())
        }
        DataType::Utf8View
        | DataType::LargeUtf8
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => cast(&texts(codes), kind),
        DataType::Utf8 => texts(codes),
        DataType::Dictionary(_, values) => cast(&array(values, codes), kind),
        DataType::Date64 => {
            let days = codes.iter().map(|code| code.map(|code| i64::from(code) * 86_400_000));
            cast(&(Arc::new(days.collect::<Int64Array>()) as ArrayRef), kind)
        }
        DataType::Time32(_) => cast(&cast(&integers(codes), &DataType::Int32), kind),
        _ => cast(&integers(codes), kind),
    }
}

fn cast(array: &ArrayRef, kind: &DataType) -> ArrayRef {
    arrow_cast::cast(array, kind).unwrap()
}

fn integers(codes: &[Code]) -> ArrayRef {
    Arc::new(codes.iter().map(|code| code.map(i64::from)).collect::<Int64Array>())
}

/// NaN, an infinity and a negative zero among them.
fn floats(codes: &[Code]) -> ArrayRef {
    let value = |code: u8| match code {
        0 => f64::NAN,
        2 => -0.0,
        4 => f64::INFINITY,
        code => f64::from(code) * 0.5,
    };
    Arc::new(codes.iter().map(|code| code.map(value)).collect::<Float64Array>())
}

/// Short and long ones, not only of ASCII; none that looks like a number, none empty.
fn texts(codes: &[Code]) -> ArrayRef {
    let text = |code: u8| format!("é{code}{}", "x".repeat(usize::from(code % 4) * 9));
    Arc::new(codes.iter().map(|code| code.map(text)).collect::<StringArray>())
}

/// The lengths of the lists, and the cells inside: the first tells the lists apart, the second is null.
fn lists(codes: &[Code]) -> (Vec<usize>, Vec<Code>) {
    let (mut lengths, mut inner) = (Vec::new(), Vec::new());
    for code in codes {
        lengths.push(if code.is_some() { 2 } else { 0 });
        if code.is_some() {
            inner.extend([*code, None]);
        }
    }
    (lengths, inner)
}

/// A table: `id`, counted from 0, and a column of each kind, named `c0`, `c1` and so on. `codes`: column by column.
pub(crate) fn table(kinds: &[DataType], codes: &[Vec<Code>]) -> RecordBatch {
    let rows = codes.first().map_or(0, Vec::len);
    let ids = Int64Array::from_iter_values((0..rows).map(|row| i64::try_from(row).unwrap()));
    let mut members = vec![Field::new("id", DataType::Int64, false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
    for (at, (kind, codes)) in kinds.iter().zip(codes).enumerate() {
        members.push(Field::new(format!("c{at}"), kind.clone(), true));
        columns.push(array(kind, codes));
    }
    RecordBatch::try_new(Arc::new(Schema::new(members)), columns).unwrap()
}

/// Codes for every column: many of each kind of cell, the same at every run.
pub(crate) fn some_codes(columns: usize, rows: usize) -> Vec<Vec<Code>> {
    let code = |column: usize, row: usize| {
        let mixed = (column * 31 + row * 17 + row * row) % 113;
        u8::try_from(mixed).ok().filter(|code| *code < CODES)
    };
    (0..columns).map(|column| (0..rows).map(|row| code(column, row)).collect()).collect()
}
