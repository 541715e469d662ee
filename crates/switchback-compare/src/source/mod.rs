//! Where data comes from: files on the two sides, told apart by their names.

pub(crate) mod batch;
mod blank_lines;
pub(crate) mod delimited;
mod dialect;
pub(crate) mod document;
mod encoding;
pub(crate) mod inference;
mod json;
pub(crate) mod lines;
pub(crate) mod logical;
pub(crate) mod notebook;
pub(crate) mod parquet;
pub(crate) mod table;
mod toml;
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
    /// One JSON document.
    Json,
    /// YAML: one document or several.
    Yaml,
    /// TOML.
    Toml,
    /// A Jupyter notebook.
    Notebook,
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
        matches!(self, Self::Parquet | Self::Delimited | Self::JsonLines)
    }

    /// Whether its content is one tree of values.
    #[must_use]
    pub fn is_document(self) -> bool {
        matches!(self, Self::Json | Self::Yaml | Self::Toml | Self::Notebook)
    }
}
