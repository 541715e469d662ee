//! Whether one file is whole, and how many records it holds: it is read through to its end, and compared with nothing.

use std::path::Path;

use switchback_core::port::{FileForm, FileFound};
use switchback_core::rule::Rule;
use switchback_core::world::Disk;

use crate::error::CompareError;
use crate::plan::settle;
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::document;
use crate::source::table::Table;
use crate::value::Value;

/// Reads a file as what its name promises. What is wrong with its content is part of the answer.
pub(crate) fn read_through(disk: &dyn Disk, path: &Path) -> Result<FileFound, CompareError> {
    let format = Format::of(path);
    let (real, _) = settle(disk, path)?;
    let form = match format {
        Format::Parquet | Format::Arrow | Format::Array => FileForm::TypedTable,
        _ if format.is_table() => FileForm::TextTable,
        _ if format.is_tables() => FileForm::Tables,
        _ if format.is_document() => FileForm::Document,
        _ => FileForm::Bytes,
    };
    let mut found = FileFound { form, records: None, columns: Vec::new(), damage: None };
    match read(disk, &real, format, &mut found) {
        Ok(records) => found.records = records,
        Err(CompareError::Damaged { place, reason, .. }) => {
            let place = place.to_string();
            let place = if place.is_empty() { place } else { format!("{}: ", place.trim_start()) };
            found.damage = Some(format!("{place}{reason}"));
        }
        Err(CompareError::RepeatedColumn { column, .. }) => {
            found.damage = Some(format!("two columns are named `{column}`"));
        }
        Err(error) => return Err(error),
    }
    Ok(found)
}

fn read(
    disk: &dyn Disk,
    path: &Path,
    format: Format,
    found: &mut FileFound,
) -> Result<Option<u64>, CompareError> {
    let allowance = Allowance::of(&Rule::default());
    Ok(match found.form {
        FileForm::TypedTable | FileForm::TextTable => {
            let table = Table::open(disk, path, format, None, allowance)?;
            found.columns = table.columns.iter().map(|column| column.name.clone()).collect();
            let all: Vec<usize> = (0..table.columns.len()).collect();
            let mut rows = 0;
            // The header of a file may promise rows that cannot be read.
            for batch in table.batches(&all)? {
                rows += batch?.rows as u64;
            }
            if all.is_empty() { Some(table.rows) } else { Some(rows) }
        }
        FileForm::Tables => {
            let tables = Table::all_of(disk, path, format, allowance)?;
            Some(tables.iter().map(|(_, table)| table.rows).sum())
        }
        FileForm::Document => Some(records(&document::read(disk, path, format, allowance)?)),
        FileForm::Bytes => None,
    })
}

/// The items of a list, or of the only list of an object; else the members of an object. Any other value is one record.
fn records(document: &Value<'_>) -> u64 {
    let Value::Object(members) = document else {
        return if let Value::List(items) = document { items.len() as u64 } else { 1 };
    };
    let mut lists = members.iter().filter_map(|(_, value)| match value {
        Value::List(items) => Some(items.len() as u64),
        _ => None,
    });
    match (lists.next(), lists.next()) {
        (Some(items), None) => items,
        _ => members.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use switchback_core::world::RealDisk;

    use super::*;

    /// What reading a file of this name and content says: records, or what is wrong.
    fn said(name: &str, content: &[u8]) -> Result<u64, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        RealDisk.write_new(&path, 0o644, &mut &content[..]).unwrap();
        let found = read_through(&RealDisk, &path).unwrap();
        match found.damage {
            Some(damage) => Err(damage),
            None => Ok(found.records.unwrap_or(u64::MAX)),
        }
    }

    #[test]
    fn records_are_counted_and_damage_has_its_place() {
        for (name, content, records) in [
            ("a.csv", "id,v\n1,2\n3,4\n", 2),
            ("a.jsonl", "{\"id\": 1}\n\n{\"id\": 2}\n", 2),
            ("a.json", "[1, 2, 3]", 3),
            ("a.json", "{\"version\": 1, \"users\": [{}, {}]}", 2),
            ("a.json", "{\"a\": [1], \"b\": [2], \"c\": 3}", 3),
            ("a.json", "NaN", 1),
            ("a.yaml", "a: 1\nb: 2\n", 2),
            ("a.bin", "anything", u64::MAX),
        ] {
            assert_eq!(said(name, content.as_bytes()), Ok(records), "{name} {content}");
        }
        for (name, content, damage) in [
            ("a.csv", "id,v\n1,2\n3\n", "line 3: a row of 1 fields under a header of 2"),
            ("a.csv", "id,id\n1,2\n", "two columns are named `id`"),
            ("a.jsonl", "{\"id\": 1}\n{\"id\": ]}\n", "line 2 column 8: expected value"),
            ("a.json", "{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3 column 7: expected `:`"),
        ] {
            assert_eq!(said(name, content.as_bytes()), Err(damage.to_owned()), "{name} {content}");
        }
        assert!(said("a.parquet", b"PAR1 and then nothing of the kind").is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_through(&RealDisk, &folder.path().join("a.csv")).is_err());
    }
}
