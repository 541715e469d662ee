//! Workbooks of Excel and OpenDocument: each sheet is a table, its first row the header. Values, no formulas, no styles.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Range, Reader, open_workbook_auto_from_rs};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::allowance::{Allowance, Meter};
use super::batch::{Batch, Cells};
use super::guard::guarded;
use super::inference::Kind;
use super::logical::{Column, ColumnType};
use super::numpy::{BYTES_MAX, part_path};
use super::sheet_size::{Refused, spend_archive, spend_sheet};
use super::table::Table;
use crate::error::{CompareError, Place};
use crate::value::{Number, Value};

/// The sheets of a workbook that hold anything, by name, in their order.
pub(crate) fn read<'a>(
    path: &Path,
    bytes: &[u8],
    allowance: Allowance,
) -> Result<Vec<(String, Table<'a>)>, CompareError> {
    let failed = |reason: String| CompareError::damaged(path, Place::default(), reason);
    let refused = |why: Refused, sheet: &str| match why {
        Refused::Large => allowance.exceeded(path),
        Refused::Damaged(reason) => failed(format!("sheet `{sheet}`: {reason}")),
    };
    let mut meter = Meter::new(allowance.file_bytes(1, BYTES_MAX).saturating_sub(bytes.len() as u64));
    spend_archive(bytes, &mut meter).map_err(|why| refused(why, ""))?;
    let mut book = guarded(|| open_workbook_auto_from_rs(Cursor::new(bytes))).map_err(failed)?;
    let mut sheets = Vec::new();
    for name in book.sheet_names() {
        let paid = guarded(|| Ok::<_, String>(spend_sheet(&mut book, &name, &mut meter)));
        paid.map_err(failed)?.map_err(|why| refused(why, &name))?;
        let range = guarded(|| book.worksheet_range(&name))
            .map_err(|error| failed(format!("sheet `{name}`: {error}")))?;
        if !range.is_empty() {
            let table = table(&part_path(path, &name), &range)?;
            sheets.push((name, table));
        }
    }
    Ok(sheets)
}

fn table<'a>(path: &Path, range: &Range<Data>) -> Result<Table<'a>, CompareError> {
    let mut rows = range.rows();
    let header = rows.next().unwrap_or_default();
    let mut cells: Vec<Vec<Value<'static>>> = vec![Vec::new(); header.len()];
    for row in rows {
        for (column, cell) in cells.iter_mut().zip(row) {
            column.push(value(cell));
        }
    }
    let columns = header.iter().enumerate().zip(&cells).map(|((at, name), cells)| Column {
        name: if matches!(name, Data::Empty) { letters(at) } else { value(name).to_text() },
        kind: ColumnType::Found(
            cells.iter().fold(Kind::Nothing, |kind, cell| kind.join(kind_of(cell), Kind::Mixed)),
        ),
    });
    let columns = columns.collect();
    let rows = range.height().saturating_sub(1);
    Table::held(path, columns, Batch { columns: cells.into_iter().map(Cells::Values).collect(), rows })
}

/// The name of a column without one, as a spreadsheet shows it: `(A)`, `(AB)`.
fn letters(at: usize) -> String {
    let (mut rest, mut letters) = (at + 1, String::new());
    while rest > 0 {
        let letter = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.insert(0, char::from(b'A' + letter));
        rest = (rest - 1) / 26;
    }
    format!("({letters})")
}

fn value(cell: &Data) -> Value<'static> {
    match cell {
        Data::Empty => Value::Null,
        Data::Bool(flag) => Value::Boolean(*flag),
        Data::Int(number) => Value::Number(Number::integer(*number)),
        Data::Float(number) => Value::Number(Number::Float(*number)),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Value::Text(Cow::Owned(text.clone()))
        }
        Data::DateTime(at) if at.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            moment((year, month, day), (hour, minute, second, milli))
                .unwrap_or(Value::Number(Number::Float(at.as_f64())))
        }
        Data::DateTime(span) => Value::Number(Number::Float(span.as_f64())),
        Data::Error(error) => Value::Other(error.to_string()),
    }
}

/// A spreadsheet's clock has no zone, and milliseconds at best.
fn moment(
    (year, month, day): (u16, u8, u8),
    (hour, minute, second, milli): (u8, u8, u8, u16),
) -> Option<Value<'static>> {
    let small = |value: u8| i8::try_from(value).ok();
    let date = Date::new(i16::try_from(year).ok()?, small(month)?, small(day)?).ok()?;
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, i32::from(milli) * 1_000_000).ok()?;
    let at = date.to_datetime(time).to_zoned(TimeZone::UTC).ok()?;
    Some(Value::Instant { ns: at.timestamp().as_nanosecond(), zoned: false })
}

fn kind_of(value: &Value<'_>) -> Kind {
    match value {
        Value::Null => Kind::Nothing,
        Value::Boolean(_) => Kind::Boolean,
        // A spreadsheet has one kind of number.
        Value::Number(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
        Value::Instant { .. } => Kind::Timestamp,
        _ => Kind::Mixed,
    }
}
