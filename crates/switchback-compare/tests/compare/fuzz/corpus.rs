//! Good files of every format, made here: what is damaged afterwards.

use std::fmt::Write as _;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::super::{sources, types};

/// A file as it should be.
pub(super) struct Good {
    /// How the file's name ends.
    pub(super) ending: &'static str,
    pub(super) bytes: Vec<u8>,
}

fn good(ending: &'static str, bytes: impl Into<Vec<u8>>) -> Good {
    Good { ending, bytes: bytes.into() }
}

fn table(rows: usize) -> RecordBatch {
    let kinds = types::all();
    types::table(&kinds, &types::some_codes(kinds.len(), rows))
}

/// A few columns, so that a damage seldom hides in what is not read.
fn narrow(rows: usize) -> RecordBatch {
    let all = table(rows);
    let names = ["id", "c4", "c11", "c14", "c24", "c31"];
    let chosen: Vec<usize> = names.iter().map(|name| all.schema().index_of(name).unwrap()).collect();
    all.project(&chosen).unwrap()
}

fn parquet_of(batch: &RecordBatch, settings: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(settings)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Every compression, both page versions, the encodings of which there are several.
pub(super) fn parquet() -> Vec<Good> {
    let settings = |compression| {
        WriterProperties::builder()
            .set_compression(compression)
            .set_data_page_row_count_limit(40)
            .set_max_row_group_row_count(Some(100))
    };
    let plain = settings(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None);
    let second = |compression| settings(compression).set_writer_version(WriterVersion::PARQUET_2_0);
    let delta = second(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_column_encoding("id".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding("c11".into(), Encoding::BYTE_STREAM_SPLIT)
        .set_column_encoding("c24".into(), Encoding::DELTA_BYTE_ARRAY)
        .set_column_encoding("c31".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    let brotli = second(Compression::BROTLI(BrotliLevel::try_new(1).unwrap()));
    let files = [
        parquet_of(&narrow(200), plain.build()),
        parquet_of(&narrow(200), delta.build()),
        parquet_of(&narrow(200), settings(Compression::SNAPPY).build()),
        parquet_of(&narrow(200), settings(Compression::GZIP(GzipLevel::default())).build()),
        parquet_of(&narrow(200), second(Compression::ZSTD(ZstdLevel::default())).build()),
        parquet_of(&narrow(200), second(Compression::LZ4_RAW).build()),
        parquet_of(&narrow(200), brotli.build()),
        parquet_of(&table(40), second(Compression::SNAPPY).build()),
    ];
    files.into_iter().map(|bytes| good("parquet", bytes)).collect()
}

fn ipc(batch: &RecordBatch, compression: Option<CompressionType>, stream: bool) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut bytes = Vec::new();
    if stream {
        let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
    } else {
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
    }
    bytes
}

/// Files and streams, with and without compression, with dictionaries and nested types.
pub(super) fn arrow() -> Vec<Good> {
    let files = [
        ipc(&narrow(60), None, false),
        ipc(&narrow(60), Some(CompressionType::ZSTD), false),
        ipc(&narrow(60), Some(CompressionType::LZ4_FRAME), true),
        ipc(&table(20), None, true),
        ipc(&table(20), Some(CompressionType::LZ4_FRAME), false),
    ];
    files.into_iter().map(|bytes| good("arrow", bytes)).collect()
}

/// One array of numbers, one of records, one of text; and an archive of them.
pub(super) fn numpy() -> Vec<Good> {
    let floats: Vec<f64> = (0..12).map(f64::from).collect();
    let numbers = sources::array(
        "{'descr': '<f8', 'fortran_order': True, 'shape': (4, 3), }",
        &sources::floats(&floats),
    );
    let records = sources::array(
        "{'descr': [('a', '<f8'), ('b', '|b1')], 'fortran_order': False, 'shape': (3,), }",
        &[7; 27],
    );
    let text =
        sources::array("{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }", &[65, 0, 0, 0].repeat(4));
    let archive = sources::archive(&[("numbers.npy", &numbers), ("text.npy", &text)]);
    vec![good("npy", numbers), good("npy", records), good("npy", text), good("npz", archive)]
}

/// A workbook of two sheets.
pub(super) fn workbooks() -> Vec<Good> {
    let sheets = sources::workbook(&[
        ("loans", &[&["id", "x"], &["=1", "=2.5"], &["=2", "text"]]),
        ("notes", &[&["a"], &["b"]]),
    ]);
    vec![good("xlsx", sheets)]
}

/// Text with every kind of cell.
pub(super) fn text() -> Vec<Good> {
    let mut csv = "id,n,x,s,d,t\n".to_owned();
    let mut lines = String::new();
    for row in 0..30 {
        let day = row % 28 + 1;
        writeln!(
            csv,
            "{row},{row}00,{row}.5e-3,\"a \"\"{row}\"\",2026-01-{day:02},2026-01-01T00:00:{row:02}Z"
        )
        .unwrap();
        let more = "null, {\"y\": \"é\\u00e9\"}]";
        writeln!(lines, "{{\"id\": {row}, \"x\": [{row}.5, {more}, \"b\": true}}").unwrap();
    }
    let wide: Vec<u8> = csv.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &wide].concat();
    vec![good("csv", csv), good("csv", marked), good("jsonl", lines)]
}

/// Documents of every kind, and a notebook.
pub(super) fn documents() -> Vec<Good> {
    let json = r#"{"a": [1, 2.5e-3, NaN, -Infinity, null, true], "b": {"c": "d\n\ud83d\ude00", "e": 12345678901234567890123}}"#;
    let yaml = "a: &x [1, 2.5, ~, true, .inf]\nb: {c: *x, d: !!float 1}\n---\n- |\n  text\n  more\n- 'x'\n";
    let toml = "a = 1\nb = [1.5, 2, inf]\n[c]\nd = 2026-01-01T00:00:00Z\n[[e]]\nf = \"\"\"x\ny\"\"\"\n";
    let notebook = r#"{"cells": [{"cell_type": "code", "source": ["1"], "metadata": {}, "execution_count": 1,
        "outputs": [{"output_type": "execute_result", "data": {"text/plain": ["0.5"], "text/html": "<td>1.5</td>"}, "metadata": {}, "execution_count": 1}]}],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5}"#;
    vec![good("json", json), good("yaml", yaml), good("toml", toml), good("ipynb", notebook)]
}
