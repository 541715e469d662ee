//! Where data comes from: files on the two sides, told apart by their names.

pub(crate) mod ahead;
pub(crate) mod allowance;
pub(crate) mod batch;
pub(crate) mod bits;
mod blank_lines;
mod bounded_rows;
pub(crate) mod delimited;
mod dialect;
pub(crate) mod document;
mod encoding;
pub(crate) mod guard;
mod headers;
pub(crate) mod inference;
pub(crate) mod ipc;
mod json;
pub(crate) mod lines;
pub(crate) mod logical;
pub(crate) mod mapped;
mod messages;
pub(crate) mod notebook;
pub(crate) mod numpy;
pub(crate) mod parquet;
mod positioned;
pub(crate) mod reshaped;
mod sheet_size;
mod stored;
pub(crate) mod table;
mod thrift;
mod toml;
pub(crate) mod workbook;
pub(crate) mod written;
mod yaml;

use std::path::Path;

/// How a file is read, found from the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Text with a delimiter, with a header.
    Delimited,
    /// One JSON object a line.
    JsonLines,
    /// Arrow IPC: a file or a stream.
    Arrow,
    /// One NumPy array.
    Array,
    /// Several NumPy arrays in one archive.
    Arrays,
    /// A workbook of Excel or OpenDocument.
    Workbook,
    /// One JSON document.
    Json,
    /// YAML: one document or several.
    Yaml,
    /// TOML.
    Toml,
    /// A Jupyter notebook.
    Notebook,
    /// A table of a database, or all of them.
    Database,
    /// Anything else: only its bytes are compared.
    Bytes,
}

impl Format {
    /// The format that the file's name promises, in any case.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("parquet" | "pq") => Self::Parquet,
            Some("csv" | "tsv") => Self::Delimited,
            Some("jsonl" | "ndjson") => Self::JsonLines,
            Some("arrow" | "feather" | "ipc" | "arrows") => Self::Arrow,
            Some("npy") => Self::Array,
            Some("npz") => Self::Arrays,
            Some("xlsx" | "xlsm" | "xlsb" | "xls" | "ods") => Self::Workbook,
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            Some("toml") => Self::Toml,
            Some("ipynb") => Self::Notebook,
            _ => Self::Bytes,
        }
    }

    /// Whether its content is rows of columns.
    #[must_use]
    pub fn is_table(self) -> bool {
        matches!(
            self,
            Self::Parquet | Self::Delimited | Self::JsonLines | Self::Arrow | Self::Array | Self::Database
        )
    }

    /// Whether its content is several tables, each with a name.
    #[must_use]
    pub fn is_tables(self) -> bool {
        matches!(self, Self::Arrays | Self::Workbook)
    }

    /// Whether its content is one tree of values.
    #[must_use]
    pub fn is_document(self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::Toml | Self::Notebook)
    }
}
