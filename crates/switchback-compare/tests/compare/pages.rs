//! Pages: rows that differ in their context, tables that fit, and nothing in a value that would become part of a page.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use quick_xml::events::Event;
use serde_json::{Value as Json, json};
use switchback_compare::page::{self, Form, Screen};
use switchback_core::rule::{Rule, Tolerance};
use unicode_width::UnicodeWidthStr as _;

use super::{key, report};

/// What would leave its place on a page, if it were let.
const EVIL: &str = "</td><script>alert(1)</script>![x](http://example.invalid/x.png)|`\u{1b}[31m\u{202e}&\"'";

fn compared(old: &str, new: &str, rule: &Rule) -> Json {
    let folder = tempfile::tempdir().unwrap();
    let [old_path, new_path] = ["old.csv", "new.csv"].map(|name| folder.path().join(name));
    std::fs::write(&old_path, old).unwrap();
    std::fs::write(&new_path, new).unwrap();
    report(&old_path, &new_path, rule)
}

fn text(report: &Json, columns: usize) -> String {
    page::write(report, Form::Text(Screen { columns, color: false }))
}

/// All forms; in passing, that text fits every screen and that HTML and JUnit are XML which asks nobody.
fn pages(report: &Json) -> [String; 4] {
    for columns in [40, 60, 80, 100, 120, 200] {
        let page = text(report, columns);
        let wide = page.lines().find(|line| line.width() > columns);
        assert_eq!(wide, None, "{columns}: {page}");
    }
    let forms = [Form::Text(Screen::NONE), Form::Markdown, Form::Html, Form::Junit];
    let pages = forms.map(|form| page::write(report, form));
    for page in &pages {
        assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page}");
    }
    for page in &pages[2..] {
        let mut reader = quick_xml::Reader::from_str(page.trim_start_matches("<!DOCTYPE html>"));
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(tag) => {
                    assert!(!matches!(tag.name().as_ref(), "script" | "img" | "iframe" | "object"), "{page}");
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap();
                        let is_place = matches!(attribute.key.as_ref(), "href" | "src");
                        assert!(
                            !is_place || attribute.value.starts_with('#') || *attribute.value == *"data:,",
                            "{page}"
                        );
                    }
                }
                _ => {}
            }
        }
    }
    pages
}

#[test]
fn a_row_that_differs_is_told_with_the_cells_beside() {
    let old = "id,region,price,day\n1,north,1.5,2026-01-01\n2,south,2.0,2026-01-02\n3,west,-0.0,2026-01-03\n";
    let new = "id,region,price,day\n3,west,0.0,2026-01-03\n2,SOUTH,2.5,2026-01-02\n1,north,1.5,2026-01-01\n";
    let report = compared(old, new, &key(&["id"]));
    let cell = |column: &str, old: Json, new: Json, relation: &str| json!({"column": column, "old": old, "new": new, "relation": relation});
    assert_eq!(
        report["items"][0]["context"],
        json!([{"row_old": 1, "row_new": 1, "key": {"id": 2}, "columns_more": 0, "cells": [
            cell("region", "south".into(), "SOUTH".into(), "different"),
            cell("price", 2.0.into(), 2.5.into(), "different"),
            cell("day", "2026-01-02".into(), "2026-01-02".into(), "bitwise"),
        ]}])
    );
    let [text, markdown, html, _] = pages(&report);
    for line in [
        "  id = 2 (row 1)",
        "    ≠ region  south → SOUTH",
        "    ≠ price   2.0 → 2.5",
        "      day     2026-01-02",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    assert!(
        markdown.contains("| id = 2 (row 1) | **south → SOUTH** | **2.0 → 2.5** | 2026-01-02 |"),
        "{markdown}"
    );
    assert!(
        html.contains("<td class=\"differs\" data-column=\"price\"><del><span class=\"short\">2.0"),
        "{html}"
    );
    // Without a difference there is no row to be told.
    assert_eq!(compared(old, old, &key(&["id"]))["items"][0].get("context"), None);
}

#[test]
fn the_context_is_bounded_however_wide_and_long_rows_are() {
    let head: Vec<String> = (0..100).map(|at| format!("column_number_{at}")).collect();
    let row = |change: usize, text: &str| -> String {
        let cells: Vec<String> =
            (0..100).map(|at| if at == change { text.to_owned() } else { "x".repeat(500) }).collect();
        cells.join(",")
    };
    let table =
        |text: &str| format!("{}\n{}\n", head.join(","), row(50, &format!("{}{text}", "y".repeat(900))));
    let report = compared(&table("old"), &table("new"), &Rule::default());
    let context = &report["items"][0]["context"][0];
    let cells = context["cells"].as_array().unwrap();
    assert_eq!((cells.len(), &context["columns_more"]), (13, &json!(87)));
    assert!(cells.iter().all(|cell| cell["old"].as_str().unwrap().chars().count() <= 256));
    let [old, new] = ["old", "new"].map(|side| cells[6][side].as_str().unwrap());
    assert!(old.ends_with("yold") && new.ends_with("ynew"), "the piece is where they part: {old} {new}");
    assert_eq!(report["items"][0]["sample"][0]["old"].as_str().unwrap().len(), 903, "a sample is whole");
    let [text, ..] = pages(&report);
    assert!(text.contains("… and 95 columns more"), "{text}");
}

fn parquet(path: &Path, value: f64) {
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..5000))),
        ("name", Arc::new(StringArray::from_iter_values((0..5000).map(|row| format!("name {row}"))))),
        (
            "value",
            Arc::new(Float64Array::from_iter_values(
                (0..5000).map(|row| if row == 4321 { value } else { 0.5 }),
            )),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn cells_of_columns_that_were_proved_unread_are_shown_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old.parquet", "new.parquet"].map(|name| folder.path().join(name));
    parquet(&old, 0.5);
    parquet(&new, 0.75);
    let report = report(&old, &new, &Rule::default());
    let cells = &report["items"][0]["context"][0]["cells"];
    assert_eq!(
        *cells,
        json!([
            {"column": "id", "old": 4321, "new": 4321, "relation": "bitwise"},
            {"column": "name", "old": "name 4321", "new": "name 4321", "relation": "bitwise"},
            {"column": "value", "old": 0.5, "new": 0.75, "relation": "different"},
        ])
    );
}

#[test]
fn a_yes_shows_its_worst_cell() {
    let global = Tolerance { absolute: Some(0.1), ..Tolerance::default() };
    let rule = Rule { tolerance: global, ..key(&["id"]) };
    let report = compared("id,売上\n1,1.0\n2,2.0\n", "id,売上\n1,1.0\n2,2.0625\n", &rule);
    let [text, markdown, html, junit] = pages(&report);
    assert!(text.starts_with("Verdict: yes\n  Equal within the tolerance: 0 of 2 rows differ\n"), "{text}");
    assert!(text.contains("  売上            0          1    0.0625    0.0303"), "{text}");
    assert!(text.contains("  id = 2    2.0 → 2.0625"), "{text}");
    assert!(markdown.contains("| id = 2 | 2.0 → 2.0625 |"), "{markdown}");
    assert!(html.contains("<strong class=\"verdict yes\">yes</strong>"), "{html}");
    assert!(junit.contains("tests=\"1\" failures=\"0\" errors=\"0\""), "{junit}");
}

#[test]
fn nothing_in_a_value_becomes_part_of_a_page() {
    let quoted = format!("\"{}\"", EVIL.replace('"', "\"\""));
    let table = |value: &str| format!("id,{quoted},x\n{quoted},{value},1\n");
    let report = compared(&table("a"), &table(&quoted), &key(&["id"]));
    let [text, markdown, html, junit] = pages(&report);
    assert!(text.contains(r"\u{1b}[31m\u{202e}"), "{text}");
    assert!(!markdown.contains("![x]") && !markdown.replace("\\<", "").contains("<script"), "{markdown}");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    assert!(junit.contains("&lt;script&gt;"), "{junit}");
}

fn tree(folder: &Path, files: usize, changed: &[usize]) {
    std::fs::create_dir_all(folder.join("a/b")).unwrap();
    for file in 0..files {
        let mut text = String::from("id,x\n");
        for row in 0..3 {
            writeln!(text, "{row},{}", if changed.contains(&file) && row == 1 { 99 } else { row + file })
                .unwrap();
        }
        std::fs::write(folder.join(format!("a/b/part_{file:02}.csv")), text).unwrap();
    }
}

#[test]
fn of_many_files_those_that_differ_come_first_and_the_same_ones_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    tree(&old, 50, &[]);
    tree(&new, 50, &[7, 31]);
    let report = report(&old, &new, &Rule::default());
    let [text, markdown, html, junit] = pages(&report);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "  2 of 50 files differ");
    assert!(
        lines[5].starts_with("  a/b/part_07.csv  no ") && lines[6].starts_with("  a/b/part_31.csv  no "),
        "{text}"
    );
    assert_eq!(lines[7], "  … and 48 files the same bit by bit (proof by bytes: 48)");
    assert!(
        markdown.contains("48 files the same bit by bit") && !markdown.contains("part\\_08"),
        "{markdown}"
    );
    assert!(
        html.contains("<a href=\"#part-1\">a/b/part_31.csv</a>")
            && html.contains("<h2 id=\"part-1\">a/b/part_31.csv")
    );
    assert!(junit.contains("tests=\"50\" failures=\"2\" errors=\"0\""), "{junit}");
    assert_eq!(junit.matches("<testcase ").count(), 50);
    assert!(junit.contains("<failure message=\"1 of 3 rows differ\">"), "{junit}");
}

#[test]
fn stages_are_cases_and_say_where_two_runs_part() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    for (root, value) in [(&old, "1"), (&new, "2")] {
        std::fs::create_dir_all(root).unwrap();
        std::fs::write(root.join("01_load.csv"), "id,x\n1,1\n").unwrap();
        std::fs::write(root.join("02_clean.csv"), format!("id,x\n7,{value}\n")).unwrap();
    }
    let stages = vec!["01_load".to_owned(), "02_clean".to_owned()];
    let report = report(&old, &new, &Rule { stages, ..key(&["id"]) });
    let [text, _, _, junit] = pages(&report);
    assert!(
        text.contains("  They first part in stage 02_clean, 02_clean.csv, column x, id = 7, row 0\n"),
        "{text}"
    );
    assert!(junit.contains("tests=\"4\" failures=\"2\" errors=\"0\""), "{junit}");
    assert!(
        junit.contains(
            "<testcase classname=\"compare.stage\" name=\"02_clean\"><failure message=\"this stage differs\">They first part in stage 02_clean"
        ),
        "{junit}"
    );
}

#[test]
fn documents_show_where_long_texts_part_and_what_is_absent() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old.json", "new.json"].map(|name| folder.path().join(name));
    let long = "all work and no play ".repeat(60);
    std::fs::write(&old, json!({"text": format!("{long}old"), "gone": 1, "n": 1, "empty": null}).to_string())
        .unwrap();
    std::fs::write(&new, json!({"text": format!("{long}new"), "n": "1", "empty": ""}).to_string()).unwrap();
    let report = report(&old, &new, &Rule::default());
    let [text, _, html, _] = pages(&report);
    for line in ["  /empty  null → \"\"", "  /gone   1 → (absent)", "  /n      1 → \"1\""] {
        assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
    }
    assert!(text.lines().any(|line| line.starts_with("  /text   …") && line.ends_with("play new")), "{text}");
    assert!(html.contains("<mark>old</mark>") && html.contains("<mark>new</mark>"), "{html}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    let report = compared("id,x\n1,1\n", "id,x\n1,2\n", &key(&["id"]));
    let colored = page::write(&report, Form::Text(Screen { columns: 100, color: true }));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert!(colored.contains('\u{1b}'));
    assert_eq!(plain, text(&report, 100));
}
