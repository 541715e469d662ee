//! The file of known differences: strict, and all that is wrong with it at once.

use std::path::Path;

use jiff::Timestamp;
use switchback_core::exception::{EXCEPTION, as_of, read};
use switchback_core::plan::{Fields, Finding, Findings, Key, Shape, place};
use switchback_core::rule::Exception;
use switchback_core::world::Disk;
use toml::de::DeTable;

use crate::error::CompareError;

/// The largest file that is read.
const BYTES_MAX: u64 = 16 << 20;

const FILE: &[Key] =
    &[Key::required("exception", Shape::Tables(EXCEPTION), "a list of known differences, `[[exception]]`")];

/// Reads a file of known differences, as they stand at `now`.
///
/// # Errors
///
/// A file that cannot be read, and everything in it that is wrong, by line.
pub fn load(disk: &dyn Disk, path: &Path, now: Timestamp) -> Result<Vec<Exception>, CompareError> {
    let bytes = disk.read(path, BYTES_MAX)?;
    let refused = |findings: Vec<Finding>| CompareError::Exceptions { path: path.to_owned(), findings };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        let (line, column) = place(&valid, valid.len());
        let help = "save the file as UTF-8".to_owned();
        refused(vec![Finding { line, column, message: "it is not UTF-8".to_owned(), help }])
    })?;
    let findings = Findings::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let message = error.message().lines().next().unwrap_or("the TOML is damaged").to_owned();
        findings.add(error.span().map_or(0, |span| span.start), message, "correct the TOML at this place");
    }
    let mut exceptions = Vec::new();
    if findings.is_empty() {
        let table = table.into_inner();
        let file = Fields::new(&table, 0, "the file", FILE, &findings);
        for (offset, table) in file.tables("exception") {
            let fields = Fields::new(table, offset, "`[[exception]]`", EXCEPTION, &findings);
            exceptions.extend(read(&fields).map(|exception| as_of(exception, now)));
        }
    }
    if findings.is_empty() { Ok(exceptions) } else { Err(refused(findings.into_sorted())) }
}
