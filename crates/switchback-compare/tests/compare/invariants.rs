//! What holds for columns of every type: how a table is stored makes no difference, and each change is found.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::{Int64Array, RecordBatch};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::DataType;
use arrow_select::take::take_record_batch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use serde_json::Value as Json;
use switchback_core::rule::{RowOrder, Rule};

use super::types::{self, CODES, Code};
use super::{key, report};

/// One way to store a table.
#[derive(Debug, Clone)]
enum Storage {
    Parquet {
        compression: Compression,
        second: bool,
        dictionary: bool,
        encoding: usize,
        group: usize,
        page: usize,
    },
    Ipc {
        compression: Option<CompressionType>,
        stream: bool,
        batch: usize,
    },
}

fn storage() -> impl Strategy<Value = Storage> {
    let compressions = vec![
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::LZ4_RAW,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::BROTLI(BrotliLevel::try_new(1).unwrap()),
    ];
    let parquet = (
        proptest::sample::select(compressions),
        any::<bool>(),
        any::<bool>(),
        0..4_usize,
        1..40_usize,
        1..20_usize,
    );
    let parquet = parquet.prop_map(|(compression, second, dictionary, encoding, group, page)| {
        Storage::Parquet { compression, second, dictionary, encoding, group, page }
    });
    let compressions = vec![None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)];
    let ipc = (proptest::sample::select(compressions), any::<bool>(), 1..40_usize)
        .prop_map(|(compression, stream, batch)| Storage::Ipc { compression, stream, batch });
    prop_oneof![3 => parquet, 1 => ipc]
}

/// Encodings beside the plain one, where a column's type has them; the first is left to the writer.
fn encoding(kind: &DataType, choice: usize) -> Option<Encoding> {
    let of_kind: &[Encoding] = match kind {
        DataType::Int32 | DataType::Int64 | DataType::UInt32 | DataType::UInt64 | DataType::Timestamp(..) => {
            &[Encoding::PLAIN, Encoding::DELTA_BINARY_PACKED, Encoding::BYTE_STREAM_SPLIT]
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::FixedSizeBinary(_) => {
            &[Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT]
        }
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::BinaryView => {
            &[Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY]
        }
        _ => &[],
    };
    choice.checked_sub(1).and_then(|choice| of_kind.get(choice % of_kind.len().max(1)).copied())
}

fn write(folder: &Path, name: &str, batch: &RecordBatch, storage: &Storage) -> PathBuf {
    match storage {
        Storage::Parquet { compression, second, dictionary, encoding: choice, group, page } => {
            let version = if *second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
            let mut settings = WriterProperties::builder()
                .set_compression(*compression)
                .set_writer_version(version)
                .set_dictionary_enabled(*dictionary)
                .set_max_row_group_row_count(Some(*group))
                .set_data_page_row_count_limit(*page)
                .set_write_batch_size(*page);
            for field in batch.schema().fields() {
                if let Some(encoding) = encoding(field.data_type(), *choice) {
                    settings = settings.set_column_encoding(field.name().as_str().into(), encoding);
                }
            }
            let path = folder.join(format!("{name}.parquet"));
            let file = File::create(&path).unwrap();
            let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(settings.build())).unwrap();
            writer.write(batch).unwrap();
            writer.close().unwrap();
            path
        }
        Storage::Ipc { compression, stream, batch: rows } => {
            let path = folder.join(format!("{name}.arrow"));
            let options = IpcWriteOptions::default().try_with_compression(*compression).unwrap();
            let file = File::create(&path).unwrap();
            let starts = (0..batch.num_rows()).step_by(*rows);
            let parts = starts.map(|start| batch.slice(start, (*rows).min(batch.num_rows() - start)));
            if *stream {
                let mut writer = StreamWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
                parts.for_each(|part| writer.write(&part).unwrap());
                writer.finish().unwrap();
            } else {
                let mut writer = FileWriter::try_new_with_options(file, &batch.schema(), options).unwrap();
                parts.for_each(|part| writer.write(&part).unwrap());
                writer.finish().unwrap();
            }
            path
        }
    }
}

/// Some types, and codes for so many rows of each.
fn tables() -> impl Strategy<Value = (Vec<DataType>, Vec<Vec<Code>>)> {
    let kinds = types::all();
    let count = kinds.len();
    (subsequence(kinds, 1..=count.min(8)), 1..50_usize).prop_flat_map(|(kinds, rows)| {
        let codes = proptest::option::weighted(0.85, 0..CODES);
        let columns = proptest::collection::vec(proptest::collection::vec(codes, rows), kinds.len());
        (Just(kinds), columns)
    })
}

/// A file cannot hold dictionaries that differ from batch to batch; Parquet has no small dictionary of numbers.
fn can_hold(storage: &Storage, kinds: &[DataType]) -> bool {
    matches!(storage, Storage::Parquet { .. })
        || !kinds.iter().any(|kind| matches!(kind, DataType::Dictionary(..)))
}

fn rows<'r>(report: &'r Json, name: &str) -> &'r Json {
    &report["items"][0]["rows"][name]
}

fn cells_different(report: &Json) -> usize {
    let columns = report["items"][0]["columns"].as_array().unwrap().iter();
    usize::try_from(columns.map(|column| column["cells_different"].as_u64().unwrap()).sum::<u64>()).unwrap()
}

fn taken(batch: &RecordBatch, rows: &[usize]) -> RecordBatch {
    let rows = Int64Array::from_iter_values(rows.iter().map(|row| i64::try_from(*row).unwrap()));
    take_record_batch(batch, &rows).unwrap()
}

/// The rows in another order, the same at every run for the same turn.
fn shuffled(rows: usize, turn: Index) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(|row| (row + 1).wrapping_mul(turn.index(1 << 30) * 2 + 1) % 7_919);
    order
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn how_a_table_is_stored_and_ordered_makes_no_difference(
        (kinds, codes) in tables(), one in storage(), two in storage(), turn in any::<Index>()) {
        prop_assume!(can_hold(&one, &kinds) && can_hold(&two, &kinds));
        let folder = tempfile::tempdir().unwrap();
        let batch = types::table(&kinds, &codes);
        let old = write(folder.path(), "old", &batch, &one);
        let new = write(folder.path(), "new", &batch, &two);
        let mixed = taken(&batch, &shuffled(batch.num_rows(), turn));
        let mixed = write(folder.path(), "mixed", &mixed, &two);
        let any_order = Rule { row_order: RowOrder::Any, ..Rule::default() };
        for (new, rule) in [(&new, Rule::default()), (&new, key(&["id"])), (&mixed, key(&["id"])), (&mixed, any_order)] {
            let report = report(&old, new, &rule);
            prop_assert_eq!(&report["verdict"], "yes", "{:#}", report);
            prop_assert_eq!(rows(&report, "equal"), batch.num_rows());
            prop_assert_eq!(&report["items"][0]["types_changed"].as_array().unwrap().len(), &0);
        }
    }

    #[test]
    fn changed_cells_and_dropped_and_added_rows_are_found_exactly(
        (kinds, codes) in tables(), one in storage(), two in storage(), turn in any::<Index>(),
        picks in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..8),
        dropped in any::<Index>(), drops in 0..3_usize, adds in 0..3_usize) {
        prop_assume!(can_hold(&one, &kinds) && can_hold(&two, &kinds));
        let folder = tempfile::tempdir().unwrap();
        let total = codes[0].len();
        // The last rows are new ones; the old table lacks them. The new table lacks some of the others.
        let adds = adds.min(total - 1);
        let kept = total - adds;
        let gone: Vec<usize> = (0..drops.min(kept - 1)).map(|step| (dropped.index(kept) + step) % kept).collect();
        let mut cells: Vec<(usize, usize)> =
            picks.iter().map(|(column, row)| (column.index(kinds.len()), row.index(kept))).collect();
        cells.retain(|(_, row)| !gone.contains(row));
        cells.sort_unstable();
        cells.dedup();
        let mut changed = codes.clone();
        for (column, row) in &cells {
            changed[*column][*row] = types::changed(changed[*column][*row]);
        }
        let (before, after) = (types::table(&kinds, &codes), types::table(&kinds, &changed));
        let old = write(folder.path(), "old", &before.slice(0, kept), &one);
        let order: Vec<usize> = shuffled(total, turn).into_iter().filter(|row| !gone.contains(row)).collect();
        let new = write(folder.path(), "new", &taken(&after, &order), &two);
        let report = report(&old, &new, &key(&["id"]));
        let mut different: Vec<usize> = cells.iter().map(|(_, row)| *row).collect();
        different.sort_unstable();
        different.dedup();
        prop_assert_eq!(cells_different(&report), cells.len(), "{:#}", report);
        prop_assert_eq!(rows(&report, "different"), different.len());
        prop_assert_eq!(rows(&report, "equal"), kept - gone.len() - different.len());
        prop_assert_eq!(rows(&report, "only_old"), gone.len());
        prop_assert_eq!(rows(&report, "only_new"), adds);
        let is_equal = cells.is_empty() && gone.is_empty() && adds == 0;
        prop_assert_eq!(&report["verdict"], if is_equal { "yes" } else { "no" });
    }
}

/// The types that text has too, and a cell of each as text; JSON has no dates.
fn as_text(kind: &DataType, code: Code, is_json: bool) -> String {
    let Some(code) = code else { return if is_json { "null".to_owned() } else { String::new() } };
    let quoted = |text: String| if is_json { format!("\"{text}\"") } else { text };
    match kind {
        DataType::Int64 => code.to_string(),
        DataType::Float64 => match code {
            0 => "NaN".to_owned(),
            2 => "-0.0".to_owned(),
            4 => "Infinity".to_owned(),
            code => format!("{:e}", f64::from(code) * 0.5),
        },
        DataType::Boolean => (code % 2 == 1).to_string(),
        DataType::Date32 => {
            quoted(jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(code)).to_string())
        }
        DataType::Timestamp(..) => quoted(format!("1970-01-01T00:00:00.0000{code:02}")),
        _ => quoted(format!("é{code}{}", "x".repeat(usize::from(code % 4) * 9))),
    }
}

fn write_text(folder: &Path, kinds: &[DataType], codes: &[Vec<Code>], is_json: bool) -> PathBuf {
    let path = folder.join(if is_json { "text.jsonl" } else { "text.csv" });
    let names: Vec<String> = (0..kinds.len()).map(|at| format!("c{at}")).collect();
    let mut text = if is_json { String::new() } else { format!("id,{}\n", names.join(",")) };
    for row in 0..codes[0].len() {
        let cells = kinds.iter().zip(codes).map(|(kind, codes)| as_text(kind, codes[row], is_json));
        let cells: Vec<String> = if is_json {
            names.iter().zip(cells).map(|(name, cell)| format!("\"{name}\": {cell}")).collect()
        } else {
            cells.collect()
        };
        let cells = cells.join(",");
        if is_json {
            writeln!(text, "{{\"id\": {row}, {cells}}}").unwrap();
        } else {
            writeln!(text, "{row},{cells}").unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    path
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_table_and_its_text_are_one(is_json in any::<bool>(), storage in storage(), rows in 1..30_usize, seed in 0..1_000_usize) {
        let micros = DataType::Timestamp(arrow_schema::TimeUnit::Microsecond, None);
        let mut kinds = vec![DataType::Int64, DataType::Float64, DataType::Boolean, DataType::Utf8];
        if !is_json {
            kinds.extend([DataType::Date32, micros]);
        }
        let codes: Vec<Vec<Code>> =
            types::some_codes(kinds.len() + seed, rows).into_iter().skip(seed).collect();
        let folder = tempfile::tempdir().unwrap();
        let table = write(folder.path(), "table", &types::table(&kinds, &codes), &storage);
        let text = write_text(folder.path(), &kinds, &codes, is_json);
        for rule in [Rule::default(), key(&["id"])] {
            let report = report(&table, &text, &rule);
            prop_assert_eq!(&report["verdict"], "yes", "{:#}", report);
            prop_assert_eq!(self::rows(&report, "equal"), rows);
        }
    }
}
