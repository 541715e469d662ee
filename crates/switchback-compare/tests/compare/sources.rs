//! Arrow IPC, NumPy arrays and workbooks as tables.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use serde_json::{Value as Json, json};
use switchback_core::rule::{Rule, Tolerance};
use zip::write::SimpleFileOptions;

use super::{failure, key, report};

/// Writes both files, and compares them.
fn compared(old: (&str, &[u8]), new: (&str, &[u8]), rule: &Rule) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) = (folder.path().join("old").join(old.0), folder.path().join("new").join(new.0));
    for path in [&old_path, &new_path] {
        std::fs::create_dir(path.parent().unwrap()).unwrap();
    }
    std::fs::write(&old_path, old.1).unwrap();
    std::fs::write(&new_path, new.1).unwrap();
    report(&old_path, &new_path, rule)
}

fn damaged(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    failure(&path, Path::new(&path), &Rule::default())
}

fn batch(x: f64) -> RecordBatch {
    let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(x), None]));
    let s: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    RecordBatch::try_from_iter([("id", id), ("x", x), ("s", s)]).unwrap()
}

fn arrow_file(x: f64) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &batch(x).schema()).unwrap();
    writer.write(&batch(x)).unwrap();
    writer.write(&batch(7.0)).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn arrow_files_streams_and_text_are_one() {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch(1.5).schema()).unwrap();
    writer.write(&batch(1.5)).unwrap();
    writer.write(&batch(7.0)).unwrap();
    let stream = writer.into_inner().unwrap();
    let file = arrow_file(1.5);
    let item = compared(("a.arrow", &file), ("b.arrows", &stream), &Rule::default());
    assert_eq!((&item["verdict"], &item["items"][0]["relation"]), (&json!("yes"), &json!("bitwise")));
    let text = b"id,x,s\n1,1.5,a\n2,,b\n1,7.0,a\n2,,b\n";
    assert_eq!(compared(("a.feather", &file), ("b.csv", text), &Rule::default())["verdict"], "yes");
    let item = compared(("a.arrow", &file), ("b.arrow", &arrow_file(2.5)), &Rule::default());
    assert_eq!(item["items"][0]["first"]["new"], 2.5);
    for length in [0, 5, 8, 100, file.len() / 2, file.len() - 7] {
        let said = damaged("bad.arrow", &file[..length]);
        assert!(said.starts_with("`bad.arrow` cannot be read\n"), "{length}: {said}");
    }
}

/// An array with this header and these bytes.
pub(crate) fn array(header: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{header}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", length.as_slice(), header.as_bytes(), data].concat()
}

pub(crate) fn floats(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn arrays_are_tables() {
    let rows = array(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
        &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    );
    let columns = array(
        "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
        &floats(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
    );
    let item = compared(("a.npy", &rows), ("b.npy", &columns), &Rule::default())["items"][0].clone();
    assert_eq!((&item["verdict"], &item["old"]), (&json!("yes"), &json!({"rows": 2, "columns": 3})));
    let big: Vec<u8> =
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.5].iter().flat_map(|value: &f64| value.to_be_bytes()).collect();
    let big = array("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }", &big);
    let item = compared(("a.npy", &rows), ("b.npy", &big), &Rule::default())["items"][0].clone();
    assert_eq!(
        item["first"],
        json!({"row_old": 1, "row_new": 1, "key": {}, "column": "2", "old": 6.0, "new": 6.5})
    );
    let near =
        Rule { tolerance: Tolerance { absolute: Some(0.5), ..Tolerance::default() }, ..Rule::default() };
    assert_eq!(compared(("a.npy", &rows), ("b.npy", &big), &near)["verdict"], "yes");
    // Named fields, text, and a time that is none.
    let fields = |count: i64| {
        let item = [&5_i32.to_le_bytes()[..], &[b'a', 0, 0, 0, 0, 0, 0, 0], &count.to_le_bytes()].concat();
        array(
            "{'descr': [('id', '<i4'), ('s', '<U2'), ('t', '<M8[us]')], 'fortran_order': False, 'shape': (1,), }",
            &item,
        )
    };
    let item = compared(("a.npy", &fields(1_000_000)), ("b.npy", &fields(i64::MIN)), &key(&["id"]))["items"]
        [0]
    .clone();
    assert_eq!(
        item["first"],
        json!({"row_old": 0, "row_new": 0, "key": {"id": 5}, "column": "t", "old": "1970-01-01T00:00:01", "new": null})
    );
    for (bytes, said) in [
        (b"\x93NUMPY".to_vec(), "its header is cut off"),
        (b"PK".to_vec(), "it does not begin as a NumPy array does"),
        (
            array("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", &[]),
            "its type `|O` is not one that is compared",
        ),
        (
            array("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", &floats(&[1.0])),
            "its header names 2 rows of 1, and 8 bytes follow",
        ),
    ] {
        assert!(
            damaged("bad.npy", &bytes).starts_with(&format!("`bad.npy` cannot be read\n{said}\n")),
            "{said}"
        );
    }
}

pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn archives_of_arrays_are_compared_array_by_array() {
    let one =
        |value: f64| array("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", &floats(&[value]));
    let old = archive(&[("a.npy", &one(1.0)), ("b.npy", &one(2.0))]);
    let report = compared(
        ("x.npz", &old),
        ("x.npz", &archive(&[("b.npy", &one(2.5)), ("c.npy", &one(1.0))])),
        &Rule::default(),
    );
    assert_eq!(report["verdict"], "no");
    let names: Vec<_> = report["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["x.npz#b"]);
    assert_eq!((&report["only_old"], &report["only_new"]), (&json!(["x.npz#a"]), &json!(["x.npz#c"])));
}

/// A workbook of sheets, each a name and rows of cells in the words of its XML.
pub(crate) fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let (mut names, mut relations, mut members) = (String::new(), String::new(), Vec::new());
    for (at, (name, rows)) in sheets.iter().enumerate() {
        let id = at + 1;
        write!(names, "<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>").unwrap();
        write!(relations, "<Relationship Id=\"rId{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet{id}.xml\"/>").unwrap();
        let mut data = String::new();
        for (row, cells) in rows.iter().enumerate() {
            write!(data, "<row r=\"{}\">", row + 1).unwrap();
            for (column, cell) in cells.iter().enumerate() {
                let place = format!("{}{}", char::from(b'A' + u8::try_from(column).unwrap()), row + 1);
                match cell.strip_prefix('=') {
                    _ if cell.is_empty() => {}
                    Some(number) => write!(data, "<c r=\"{place}\"><v>{number}</v></c>").unwrap(),
                    None => {
                        write!(data, "<c r=\"{place}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>").unwrap();
                    }
                }
            }
            data.push_str("</row>");
        }
        members.push((format!("xl/worksheets/sheet{id}.xml"), format!("<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{data}</sheetData></worksheet>")));
    }
    members.push(("xl/workbook.xml".to_owned(), format!("<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>{names}</sheets></workbook>")));
    members.push(("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{relations}</Relationships>")));
    members.push(("_rels/.rels".to_owned(), "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>".to_owned()));
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    archive(&members)
}

#[test]
fn workbooks_are_compared_sheet_by_sheet() {
    let old = workbook(&[
        ("loans", &[&["id", "rate"], &["=1", "=0.5"], &["=2", ""]]),
        ("notes", &[&["text"], &["as is"]]),
    ]);
    let new = workbook(&[
        ("notes", &[&["text"], &["as was"]]),
        ("loans", &[&["id", "rate"], &["=2", ""], &["=1", "=0.5"]]),
    ]);
    let report = compared(("a.xlsx", &old), ("a.xlsx", &new), &Rule::default());
    assert_eq!(report["items"][1]["name"], "a.xlsx#notes");
    assert_eq!(report["items"][1]["first"]["new"], "as was");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    std::fs::write(&path, &old).unwrap();
    let said = failure(&path, &path, &key(&["id"]));
    assert!(said.starts_with("`a.xlsx#notes` has no key column `id`"), "{said}");
    let loans = workbook(&[("loans", &[&["rate", "id"], &["=0.5", "=1.0"], &["", "=2"]]), ("empty", &[])]);
    let only = workbook(&[("loans", &[&["id", "rate"], &["=2", ""], &["=1", "=0.5"]])]);
    assert_eq!(compared(("a.xlsx", &loans), ("a.xlsx", &only), &key(&["id"]))["verdict"], "yes");
    assert!(damaged("bad.xlsx", b"PK").starts_with("`bad.xlsx` cannot be read\n"));
}
