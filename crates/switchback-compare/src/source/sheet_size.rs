//! How large a workbook is once it is read, found before the library sets memory aside for it.
//!
//! A workbook is an archive that may hold far more than its own size, and the library keeps each sheet as a full
//! rectangle, however few of its cells have a value.

use std::io::{Cursor, Read};

use calamine::{Cell, Data, DataRef, Sheets};
use quick_xml::events::Event;

use super::allowance::{Exceeded, Meter};

/// What a cell takes: in the library's rectangle, and as a value.
const CELL_BYTES: u64 = (size_of::<Data>() + size_of::<crate::value::Value<'_>>()) as u64;
/// How many times its size an entry of the archive takes: as it is read, and as the texts or formulas that it holds.
const ENTRY_TIMES: u64 = 2;

/// Why a workbook is not read.
#[derive(Debug)]
pub(super) enum Refused {
    Damaged(String),
    Large,
}

impl From<Exceeded> for Refused {
    fn from(_: Exceeded) -> Self {
        Self::Large
    }
}

/// Pays for what the archive holds. A file that is no archive is one of Excel 97, which holds no more than its size.
pub(super) fn spend_archive(bytes: &[u8], meter: &mut Meter) -> Result<(), Refused> {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    for index in 0..archive.len() {
        // What cannot be read the library will not read either, or will say so.
        let Ok(mut entry) = archive.by_index(index) else { continue };
        let is_rows = entry.name().is_ok_and(|name| name == "content.xml");
        let mut chunk = vec![0; 64 * 1024];
        if is_rows {
            return spend_rows(entry, meter);
        }
        while let Ok(length @ 1..) = entry.read(&mut chunk) {
            meter.spend(length as u64 * ENTRY_TIMES)?;
        }
    }
    Ok(())
}

/// Pays for the cells of an `OpenDocument` spreadsheet, which names rows and cells that repeat only once.
fn spend_rows(entry: impl Read, meter: &mut Meter) -> Result<(), Refused> {
    // One piece of text may be as long as all memory.
    let entry = entry.take(meter.left() / ENTRY_TIMES);
    let mut reader = quick_xml::Reader::from_reader(std::io::BufReader::new(entry));
    let mut buffer = Vec::new();
    let (mut row_repeats, mut width, mut blank) = (1, 0_u64, 0_u64);
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(Event::Eof) | Err(_) => break,
            Ok(event) => event,
        };
        meter.spend(ENTRY_TIMES * event.len() as u64)?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let attribute = |name: &str| {
                    let found = start.try_get_attribute(name).ok().flatten();
                    found.and_then(|found| found.value.parse::<u64>().ok())
                };
                match start.local_name().as_ref() {
                    "table-row" => {
                        row_repeats = attribute("table:number-rows-repeated").unwrap_or(1);
                        (width, blank) = (0, 0);
                    }
                    "table-cell" | "covered-table-cell" => {
                        let repeats = attribute("table:number-columns-repeated").unwrap_or(1);
                        let has_value = start.try_get_attribute("office:value-type").ok().flatten().is_some();
                        if has_value {
                            width = width.saturating_add(blank).saturating_add(repeats);
                            blank = 0;
                        } else {
                            blank = blank.saturating_add(repeats);
                        }
                    }
                    _ => {}
                }
            }
            Event::End(end) if end.local_name().as_ref() == "table-row" => {
                meter.spend(width.saturating_mul(row_repeats).saturating_mul(CELL_BYTES))?;
            }
            _ => {}
        }
    }
    if reader.into_inner().into_inner().limit() == 0 { Err(Refused::Large) } else { Ok(()) }
}

/// Pays for the rectangle of a sheet and for its texts, where the library can tell cells one by one.
pub(super) fn spend_sheet(
    book: &mut Sheets<Cursor<&[u8]>>,
    name: &str,
    meter: &mut Meter,
) -> Result<(), Refused> {
    let mut rectangle = Rectangle::default();
    let damaged = |error: &dyn std::fmt::Display| Refused::Damaged(error.to_string());
    match book {
        Sheets::Xlsx(book) => {
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
            while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
                rectangle.include(&cell, meter)?;
            }
        }
        Sheets::Xlsb(book) => {
            let mut cells = book.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
            while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
                rectangle.include(&cell, meter)?;
            }
        }
        // A sheet of Excel 97 has 65,536 rows of 256 cells at most; OpenDocument is paid for already.
        Sheets::Xls(_) | Sheets::Ods(_) => return Ok(()),
    }
    Ok(meter.spend(rectangle.cells().saturating_mul(CELL_BYTES))?)
}

/// The smallest rectangle that holds all cells: rows and columns, each from the first to the last.
#[derive(Debug, Default)]
struct Rectangle(Option<((u32, u32), (u32, u32))>);

impl Rectangle {
    fn include(&mut self, cell: &Cell<DataRef<'_>>, meter: &mut Meter) -> Result<(), Refused> {
        let text = match cell.get_value() {
            DataRef::Empty => return Ok(()),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.len(),
            DataRef::SharedString(text) => text.len(),
            _ => 0,
        };
        // Once in the rectangle, once as a value; and the cell in a list before the rectangle is made.
        meter.spend(2 * text as u64 + size_of::<Cell<Data>>() as u64)?;
        let (row, column) = cell.get_position();
        let ((top, bottom), (left, right)) = self.0.unwrap_or(((row, row), (column, column)));
        self.0 = Some(((top.min(row), bottom.max(row)), (left.min(column), right.max(column))));
        Ok(())
    }

    fn cells(&self) -> u64 {
        self.0.map_or(0, |((top, bottom), (left, right))| {
            (u64::from(bottom - top) + 1) * (u64::from(right - left) + 1)
        })
    }
}
