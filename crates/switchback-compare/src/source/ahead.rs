//! Batches that are read ahead, by threads of their own, while the ones before are compared.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Scope, available_parallelism};

use super::batch::Batch;
use super::table::{BATCH_ROWS, Batches, Table, TableFile};
use crate::error::CompareError;

/// How many batches of each thread wait to be compared.
const WAITING_MAX: usize = 4;
/// A table of fewer rows is read before a thread has started.
const ROWS_MIN: u64 = 4 * BATCH_ROWS as u64;
/// Threads for one table: beyond, whoever compares is what takes time.
const THREADS_MAX: usize = 4;

/// The `wanted` columns of a table from its start, read ahead where that is worth a thread.
///
/// `tables`: how many are read at a time, of which each has its part of the machine.
pub(crate) fn ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    table: &'scope Table<'_>,
    wanted: &[usize],
    tables: usize,
) -> Result<Batches<'scope>, CompareError> {
    let processors = available_parallelism().map_or(1, NonZero::get);
    if processors == 1 || table.rows < ROWS_MIN || wanted.is_empty() {
        return table.batches(wanted);
    }
    let Some(file) = table.file() else { return table.batches(wanted) };
    let threads = (processors / tables.max(1)).clamp(1, THREADS_MAX);
    Ok(in_threads(scope, file, (wanted, &table.weights(wanted)), threads))
}

/// The same, by so many threads at most: each reads columns of its own, of about the same weight.
fn in_threads<'scope>(
    scope: &'scope Scope<'scope, '_>,
    file: TableFile<'scope>,
    (wanted, weights): (&[usize], &[u64]),
    threads: usize,
) -> Batches<'scope> {
    let threads = if weights.is_empty() { 1 } else { threads.clamp(1, wanted.len()) };
    let mut groups = vec![(0, Vec::new()); threads];
    let mut places: Vec<usize> = (0..wanted.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(weights.get(*place).copied().unwrap_or(0)));
    for place in places {
        if let Some(lightest) = groups.iter_mut().min_by_key(|(weight, _)| *weight) {
            lightest.0 += weights.get(place).copied().unwrap_or(0);
            lightest.1.push(place);
        }
    }
    let parts = groups.into_iter().map(|(_, places)| {
        let columns = places.iter().filter_map(|place| wanted.get(*place).copied()).collect();
        Part { places, batches: started(scope, file, columns) }
    });
    Box::new(Together { parts: parts.collect(), columns: wanted.len() })
}

/// Reads in a thread. It ends with the table, with the first error, or when nobody takes its batches any more.
fn started<'scope>(
    scope: &'scope Scope<'scope, '_>,
    file: TableFile<'scope>,
    wanted: Vec<usize>,
) -> Receiver<Result<Batch, CompareError>> {
    let (sender, receiver) = sync_channel(WAITING_MAX);
    scope.spawn(move || {
        let batches = match file.batches(&wanted) {
            Ok(batches) => batches,
            Err(error) => {
                drop(sender.send(Err(error)));
                return;
            }
        };
        for batch in batches {
            if sender.send(batch).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Columns that one thread reads.
struct Part {
    /// Where they belong among all.
    places: Vec<usize>,
    batches: Receiver<Result<Batch, CompareError>>,
}

/// Puts the columns of all threads side by side.
struct Together {
    parts: Vec<Part>,
    columns: usize,
}

impl Iterator for Together {
    type Item = Result<Batch, CompareError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut columns = vec![None; self.columns];
        let mut rows = None;
        for part in &self.parts {
            let batch = match part.batches.recv().ok()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            // Readers of one file cut it at the same rows; where one ends earlier, so does the table.
            rows = Some(rows.map_or(batch.rows, |rows: usize| rows.min(batch.rows)));
            for (place, cells) in part.places.iter().zip(batch.columns) {
                if let Some(column) = columns.get_mut(*place) {
                    *column = Some(cells);
                }
            }
        }
        Some(Ok(Batch { columns: columns.into_iter().flatten().collect(), rows: rows? }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use switchback_core::rule::Rule;
    use switchback_core::world::RealDisk;

    use super::*;
    use crate::source::Format;
    use crate::source::allowance::Allowance;
    use crate::source::batch::Cells;

    #[test]
    fn many_threads_read_what_one_reads() {
        let rows = 100_000;
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| row.to_string())));
        let columns = ["a", "b", "c"].map(|name| (name, if name == "b" { &texts } else { &numbers }.clone()));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a.parquet");
        let file = tempfile::NamedTempFile::new_in(scratch.path()).unwrap();
        let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file.persist(&path).unwrap();

        let disk = RealDisk;
        let table =
            Table::open(&disk, &path, Format::Parquet, None, Allowance::of(&Rule::default())).unwrap();
        for threads in [1, 2, 3, 8] {
            let wanted = [2, 1, 0];
            std::thread::scope(|scope| {
                let (mut row, mut rows_seen) = (0, 0);
                for batch in
                    in_threads(scope, table.file().unwrap(), (&wanted, &table.weights(&wanted)), threads)
                {
                    let batch = batch.unwrap();
                    let texts = &batch.columns[1];
                    let expected = Cells::Arrow(Arc::new(self::texts(row, batch.rows)));
                    let marks = texts.different_bits(0, &expected, 0, batch.rows);
                    assert_eq!(marks, Some(vec![false; batch.rows]));
                    assert!(batch.columns[0].same_bits(0, &batch.columns[2], 0, batch.rows));
                    row += batch.rows;
                    rows_seen += batch.rows;
                }
                assert_eq!(rows_seen, 100_000);
            });
        }
    }

    fn texts(from: usize, rows: usize) -> StringArray {
        StringArray::from_iter_values((from..from + rows).map(|row| row.to_string()))
    }
}
