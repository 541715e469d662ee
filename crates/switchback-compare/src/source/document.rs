//! A document: one tree of values.

use std::path::Path;

use switchback_core::world::Disk;

use super::json::Fault;
use super::{Format, json, notebook, toml, yaml};
use crate::error::{CompareError, Place};
use crate::value::Value;

/// The largest document that is read, in bytes: it is held in memory as a whole.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads a JSON, YAML or TOML file, or a notebook. A YAML file without a document is null.
pub(crate) fn read(disk: &dyn Disk, path: &Path, format: Format) -> Result<Value<'static>, CompareError> {
    let bytes = disk.read(path, DOCUMENT_BYTES_MAX)?;
    let failed =
        |fault: Fault| CompareError::damaged(path, Place::at(fault.line, fault.column), fault.reason);
    if format == Format::Json {
        return json::read(&bytes).map_err(failed);
    }
    if format == Format::Notebook {
        return notebook::read(&bytes).map_err(failed);
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() as u64 + 1;
        CompareError::damaged(path, Place::line(line), "it is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if format == Format::Toml {
        return toml::read(text).map_err(failed);
    }
    yaml::read(text).map_err(failed).map(|document| document.unwrap_or(Value::Null))
}
