//! A document: one tree of values.

use std::path::Path;

use switchback_core::world::Disk;

use super::allowance::{Allowance, Meter};
use super::json::Fault;
use super::{Format, json, notebook, toml, yaml};
use crate::error::{CompareError, Place};
use crate::value::Value;

/// The largest document that is read, in bytes: it is held in memory as a whole.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How many times its size a TOML file takes while it is decoded, at most.
const TOML_TIMES: u64 = 160;

/// Reads a JSON, YAML or TOML file, or a notebook. A YAML file without a document is null.
pub(crate) fn read(
    disk: &dyn Disk,
    path: &Path,
    format: Format,
    allowance: Allowance,
) -> Result<Value<'static>, CompareError> {
    let times = if format == Format::Toml { TOML_TIMES } else { 2 };
    let bytes = allowance.read(disk, path, times, DOCUMENT_BYTES_MAX)?;
    // The text stays in memory while it is decoded.
    let mut meter = Meter::new(allowance.bytes().saturating_sub(bytes.len() as u64));
    let meter = &mut meter;
    let failed = |fault: Fault| {
        if fault.is_large {
            return allowance.exceeded(path);
        }
        CompareError::damaged(path, Place::at(fault.line, fault.column), fault.reason)
    };
    if format == Format::Json {
        return json::read(&bytes, meter).map_err(failed);
    }
    if format == Format::Notebook {
        return notebook::read(&bytes, meter).map_err(failed);
    }
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() as u64 + 1;
        CompareError::damaged(path, Place::line(line), "it is not UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if format == Format::Toml {
        return toml::read(text).map_err(failed);
    }
    yaml::read(text, meter).map_err(failed).map(|document| document.unwrap_or(Value::Null))
}
