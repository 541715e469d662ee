//! NumPy arrays: `.npy`, and the arrays of a `.npz` archive (NEP 1, *A Simple File Format for NumPy Arrays*).

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, DurationNanosecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};

use super::allowance::{Allowance, COLUMNS_MAX};
use super::batch::{Batch, Cells};
use super::logical::{Column, ColumnType};
use super::table::Table;
use crate::error::{CompareError, Place};

/// What a file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The largest array that is read, in bytes: it is held in memory as a whole.
pub(crate) const BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// One field of each item: a name, its type, and where in the item it starts.
#[derive(Debug, Clone)]
struct Field {
    name: String,
    kind: String,
    offset: usize,
}

/// How an array lies in a file.
#[derive(Debug)]
struct Layout {
    fields: Vec<Field>,
    item_bytes: usize,
    shape: Vec<usize>,
    fortran: bool,
}

/// Reads an array as a table: rows along its first axis, a column for each place along the others and each field.
pub(crate) fn read<'a>(path: &Path, bytes: &[u8]) -> Result<Table<'a>, CompareError> {
    let failed = |reason: String| CompareError::damaged(path, Place::default(), reason);
    let (layout, data) = layout(bytes).map_err(failed)?;
    if layout.item_bytes == 0 {
        return Err(failed("its items have no bytes".to_owned()));
    }
    let rows = layout.shape.first().copied().unwrap_or(1);
    let inner: Vec<usize> = layout.shape.iter().skip(1).copied().collect();
    let width = inner.iter().try_fold(1_usize, |width, axis| width.checked_mul(*axis));
    let width = width.filter(|width| *width <= COLUMNS_MAX);
    let width = width.ok_or_else(|| failed(format!("it has more than {COLUMNS_MAX} columns")))?;
    let items = rows.checked_mul(width).and_then(|items| items.checked_mul(layout.item_bytes));
    if items != Some(data.len()) {
        return Err(failed(format!(
            "its header names {rows} rows of {width}, and {} bytes follow",
            data.len()
        )));
    }
    let (mut columns, mut cells) = (Vec::new(), Vec::new());
    for place in 0..width {
        for field in &layout.fields {
            let at = |row: usize| {
                let item =
                    if layout.fortran { fortran(row, place, rows, &inner) } else { row * width + place };
                item * layout.item_bytes + field.offset
            };
            let array = array(&field.kind, data, rows, at).map_err(failed)?;
            columns.push(Column {
                name: name_of(place, &inner, &field.name),
                kind: ColumnType::stored(array.data_type()),
            });
            cells.push(Cells::Arrow(array));
        }
    }
    Table::held(path, columns, Batch { columns: cells, rows })
}

/// The arrays of an archive, by name.
pub(crate) fn read_archive<'a>(
    path: &Path,
    bytes: &[u8],
    allowance: Allowance,
) -> Result<Vec<(String, Table<'a>)>, CompareError> {
    let failed = |reason: String| CompareError::damaged(path, Place::default(), reason);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| failed(error.to_string()))?;
    let mut arrays = Vec::with_capacity(archive.len());
    let mut left = allowance.file_bytes(3, BYTES_MAX);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|error| failed(error.to_string()))?;
        let name = file.name().map_err(|error| failed(error.to_string()))?;
        let name = name.trim_end_matches(".npy").to_owned();
        let mut content = Vec::new();
        file.take(left.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| failed(format!("`{name}`: {error}")))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| allowance.exceeded(path))?;
        let table = read(&part_path(path, &name), &content)?;
        arrays.push((name, table));
    }
    Ok(arrays)
}

/// How a part of a file is named: `file#part`.
pub(crate) fn part_path(path: &Path, part: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("#");
    name.push(part);
    name.into()
}

/// Where in a file an item stands whose first axis runs fastest.
fn fortran(row: usize, place: usize, rows: usize, inner: &[usize]) -> usize {
    // The place counts with the last axis running fastest.
    let (mut rest, mut steps) = (place, Vec::with_capacity(inner.len()));
    for axis in inner.iter().rev() {
        steps.push(rest % axis);
        rest /= axis;
    }
    let (mut item, mut stride) = (row, rows);
    for (axis, step) in inner.iter().zip(steps.into_iter().rev()) {
        item += step * stride;
        stride *= axis;
    }
    item
}

fn name_of(place: usize, inner: &[usize], field: &str) -> String {
    let (mut rest, mut steps) = (place, Vec::with_capacity(inner.len()));
    for axis in inner.iter().rev() {
        steps.push((rest % axis).to_string());
        rest /= axis;
    }
    steps.reverse();
    match (steps.is_empty(), field.is_empty()) {
        (true, true) => "value".to_owned(),
        (true, false) => field.to_owned(),
        (false, true) => steps.join(","),
        (false, false) => format!("{}.{field}", steps.join(",")),
    }
}

fn layout(bytes: &[u8]) -> Result<(Layout, &[u8]), String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a NumPy array does")?;
    let (major, rest) = rest.split_first().ok_or("its header is cut off")?;
    let length_bytes = if *major == 1 { 2 } else { 4 };
    let rest = rest.get(1..).ok_or("its header is cut off")?;
    let length = rest.get(..length_bytes).ok_or("its header is cut off")?;
    let length = length.iter().rev().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    let header = rest.get(length_bytes..length_bytes + length).ok_or("its header is cut off")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text")?;
    let member = |name: &str| -> Option<&str> {
        let start = header.find(&format!("'{name}':"))? + name.len() + 3;
        header.get(start..).map(str::trim_start)
    };
    let shape = member("shape").and_then(|shape| shape.strip_prefix('(')?.split(')').next());
    let shape = shape.ok_or("its header has no shape")?.split(',').map(str::trim);
    let shape = shape
        .filter(|axis| !axis.is_empty())
        .map(|axis| axis.parse::<usize>().map_err(|_| format!("its shape has the axis `{axis}`")));
    let fortran = member("fortran_order").is_some_and(|order| order.starts_with("True"));
    let (fields, item_bytes) = fields(member("descr").ok_or("its header has no type")?)?;
    let layout = Layout { fields, item_bytes, shape: shape.collect::<Result<_, _>>()?, fortran };
    Ok((layout, rest.get(length_bytes + length..).unwrap_or_default()))
}

/// The fields of `'<f8'`, or of `[('a', '<f8'), ('b', '<i4')]`.
fn fields(kind: &str) -> Result<(Vec<Field>, usize), String> {
    if let Some(kind) = kind.strip_prefix('\'') {
        let kind = kind.split('\'').next().unwrap_or_default().to_owned();
        let bytes = item_bytes(&kind)?;
        return Ok((vec![Field { name: String::new(), kind, offset: 0 }], bytes));
    }
    let list = kind.strip_prefix('[').and_then(|list| list.split(")]").next());
    let list = list.ok_or_else(|| "its type is not one that is compared".to_owned())?;
    let (mut fields, mut offset) = (Vec::new(), 0);
    for field in list.split('(').skip(1) {
        let words: Vec<&str> = field.split('\'').collect();
        let [_, name, _, kind, rest] = words.as_slice() else {
            return Err("its type has nested fields, which are not compared".to_owned());
        };
        if rest.contains(|letter: char| letter.is_ascii_digit()) {
            return Err(format!("its field `{name}` is an array, which is not compared"));
        }
        fields.push(Field { name: (*name).to_owned(), kind: (*kind).to_owned(), offset });
        offset = item_bytes(kind)?.checked_add(offset).ok_or("its type is too long")?;
    }
    Ok((fields, offset))
}

fn item_bytes(kind: &str) -> Result<usize, String> {
    let wrong = || format!("its type `{kind}` is not one that is compared");
    let size = kind.get(2..).and_then(|size| size.split('[').next()).ok_or_else(wrong)?;
    let size: usize = size.parse().map_err(|_| wrong())?;
    if kind.get(1..2) == Some("U") { size.checked_mul(4).ok_or_else(wrong) } else { Ok(size) }
}

/// The items of one field. `at`: where in the data the item of a row starts.
fn array(kind: &str, data: &[u8], rows: usize, at: impl Fn(usize) -> usize) -> Result<ArrayRef, String> {
    let bytes = item_bytes(kind)?;
    let big = kind.starts_with('>');
    let item = |row: usize| data.get(at(row)..at(row) + bytes).unwrap_or_default();
    macro_rules! numbers {
        ($kind:ty, $bytes:literal, $from:expr) => {
            Arc::new(primitive::<$kind>(rows, |row| {
                let mut item: [u8; $bytes] = item(row).try_into().unwrap_or_default();
                if big {
                    item.reverse();
                }
                Some($from(item))
            }))
        };
    }
    Ok(match kind.get(1..).unwrap_or_default() {
        "b1" => Arc::new((0..rows).map(|row| Some(item(row) != [0])).collect::<BooleanArray>()),
        "i1" => numbers!(Int8Type, 1, i8::from_le_bytes),
        "i2" => numbers!(Int16Type, 2, i16::from_le_bytes),
        "i4" => numbers!(Int32Type, 4, i32::from_le_bytes),
        "i8" => numbers!(Int64Type, 8, i64::from_le_bytes),
        "u1" => numbers!(UInt8Type, 1, u8::from_le_bytes),
        "u2" => numbers!(UInt16Type, 2, u16::from_le_bytes),
        "u4" => numbers!(UInt32Type, 4, u32::from_le_bytes),
        "u8" => numbers!(UInt64Type, 8, u64::from_le_bytes),
        "f2" => numbers!(Float16Type, 2, <Float16Type as ArrowPrimitiveType>::Native::from_le_bytes),
        "f4" => numbers!(Float32Type, 4, f32::from_le_bytes),
        "f8" => numbers!(Float64Type, 8, f64::from_le_bytes),
        text if text.starts_with('U') => {
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| unicode(item(row), big))))
        }
        text if text.starts_with('S') => Arc::new(BinaryArray::from_iter_values((0..rows).map(|row| {
            let item = item(row);
            let length = item.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            item.get(..length).unwrap_or_default()
        }))),
        time => times(time, rows, |row| {
            let mut item: [u8; 8] = item(row).try_into().unwrap_or_default();
            if big {
                item.reverse();
            }
            i64::from_le_bytes(item)
        })
        .ok_or_else(|| format!("its type `{kind}` is not one that is compared"))?,
    })
}

fn primitive<T: ArrowPrimitiveType>(
    rows: usize,
    item: impl Fn(usize) -> Option<T::Native>,
) -> PrimitiveArray<T> {
    (0..rows).map(item).collect()
}

/// Code points of four bytes each, filled up with zeros.
fn unicode(item: &[u8], big: bool) -> String {
    let text: String = item
        .chunks_exact(4)
        .map(|bytes| {
            let mut bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
            if big {
                bytes.reverse();
            }
            char::from_u32(u32::from_le_bytes(bytes)).unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    text.trim_end_matches('\0').to_owned()
}

/// `M8[unit]` and `m8[unit]`; the least count is *not a time*, which is null.
fn times(kind: &str, rows: usize, count: impl Fn(usize) -> i64) -> Option<ArrayRef> {
    let (is_span, unit) = match kind.strip_prefix("M8[") {
        Some(unit) => (false, unit),
        None => (true, kind.strip_prefix("m8[")?),
    };
    let scaled = |factor: i64| move |count: i64| (count != i64::MIN).then(|| count.saturating_mul(factor));
    let unit = unit.strip_suffix(']')?;
    let factor_s = match unit {
        "W" => 604_800,
        "D" => 86_400,
        "h" => 3_600,
        "m" => 60,
        _ => 1,
    };
    if is_span {
        let factor = match unit {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" | "m" | "h" | "D" | "W" => factor_s * 1_000_000_000,
            _ => return None,
        };
        let scaled = scaled(factor);
        return Some(Arc::new(primitive::<DurationNanosecondType>(rows, |row| scaled(count(row)))));
    }
    let plain = scaled(1);
    Some(match unit {
        "ns" => Arc::new(primitive::<TimestampNanosecondType>(rows, |row| plain(count(row)))),
        "us" => Arc::new(primitive::<TimestampMicrosecondType>(rows, |row| plain(count(row)))),
        "ms" => Arc::new(primitive::<TimestampMillisecondType>(rows, |row| plain(count(row)))),
        "s" | "m" | "h" | "D" | "W" => {
            let scaled = scaled(factor_s);
            Arc::new(primitive::<TimestampSecondType>(rows, |row| scaled(count(row))))
        }
        _ => return None,
    })
}
