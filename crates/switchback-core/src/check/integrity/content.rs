//! One file that is not the same byte by byte: whether it is whole, and what became of its records.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::counts::{Allowed, Counts, NAMED_MAX, Outcome, Part};
use super::json::Document;
use super::{bytes, sqlite};
use crate::check::Scene;
use crate::port::{FileForm, FileFound};
use crate::quantity::counted;
use crate::rule::{Duplicates, RowOrder, Rule};
use crate::verdict::Verdict;

/// So many differences of a document are asked for, to tell what was added from what was changed.
const DIFFERENCES_MAX: usize = 10_000;

/// A file as the snapshot holds it, and as it is now.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    /// By its path in the project.
    pub(super) name: &'a Path,
    /// Where it was restored to.
    pub(super) old: &'a Path,
    pub(super) old_bytes: u64,
    /// In the tree; links are not followed yet.
    pub(super) new: &'a Path,
    pub(super) new_bytes: u64,
    /// A folder for this file alone, which does not exist yet.
    pub(super) scratch: &'a Path,
}

/// What became of records, and the items of the comparisons that told it.
type Told = (Counts, Vec<Value>);

/// Looks into both sides of a file. An error is *could not tell*.
pub(super) fn compare(
    scene: &Scene<'_>,
    key: &[String],
    allowed: Allowed,
    pair: &Pair<'_>,
) -> Result<Outcome, String> {
    let disk = scene.world.disk.as_ref();
    let cut = cut_off(scene, pair)?;
    let outcome = if sqlite::is_database(disk, pair.old)? {
        sqlite::compare(disk, pair, key, allowed)?
    } else {
        let read = |path: &Path| scene.comparer.read_through(path).map_err(|error| error.told());
        let (old, new) = (read(pair.old)?, read(pair.new)?);
        match (&old.damage, &new.damage) {
            (None, Some(damage)) => Outcome::no(format!("damaged: {damage}")).counted(old.records, None),
            (None, None) if old.form == FileForm::Bytes => of_bytes(scene, allowed, pair)?,
            (None, None) => {
                let (counts, items) = of_records(scene, key, allowed, pair, &old, &new)?;
                let mut outcome = Outcome::of(&counts, allowed);
                outcome.items = items;
                outcome
            }
            (Some(damage), _) if allowed == Allowed::Same => {
                Outcome::no(format!("other bytes; in the snapshot it could not be read either: {damage}"))
            }
            (Some(damage), _) => {
                Outcome::unknown(format!("in the snapshot it could not be read either: {damage}"))
            }
        }
    };
    let mut outcome = outcome.sized(Some(pair.old_bytes), Some(pair.new_bytes));
    if let Some(cut) = cut.filter(|_| outcome.verdict == Verdict::No) {
        outcome.told = format!("{cut}; {}", outcome.told);
    }
    let name = pair.name.display().to_string();
    for item in &mut outcome.items {
        // The comparison knows both by the names that they were given for it.
        item["name"] = Value::from(name.clone());
    }
    Ok(outcome)
}

/// Whether the file is the beginning of what it was, in words.
fn cut_off(scene: &Scene<'_>, pair: &Pair<'_>) -> Result<Option<String>, String> {
    if pair.new_bytes >= pair.old_bytes {
        return Ok(None);
    }
    if pair.new_bytes == 0 {
        return Ok(Some(format!("emptied: it had {}", counted(pair.old_bytes, "byte"))));
    }
    let disk = scene.world.disk.as_ref();
    let is_cut =
        bytes::is_beginning(disk, &real(scene, pair.new)?, pair.old).map_err(|error| error.to_string())?;
    Ok(is_cut
        .then(|| format!("truncated: {} of {} are left", pair.new_bytes, counted(pair.old_bytes, "byte"))))
}

/// A file of no known format: only its bytes can be compared, and the lines of a text counted.
fn of_bytes(scene: &Scene<'_>, allowed: Allowed, pair: &Pair<'_>) -> Result<Outcome, String> {
    let disk = scene.world.disk.as_ref();
    let failed = |error: crate::world::DiskError| error.to_string();
    let new = real(scene, pair.new)?;
    let lines = |path: &Path| bytes::lines(disk, path).map_err(failed);
    let (before, now) = (lines(pair.old)?, lines(&new)?);
    let is_cut =
        pair.new_bytes < pair.old_bytes && bytes::is_beginning(disk, &new, pair.old).map_err(failed)?;
    let sizes = format!("{}, it had {}", counted(pair.new_bytes, "byte"), pair.old_bytes);
    let outcome = match (allowed, before, now) {
        _ if is_cut => Outcome::no(sizes),
        (Allowed::Same, ..) => {
            Outcome::no(format!("other bytes ({sizes}); its format is not known, only bytes were compared"))
        }
        (Allowed::More, ..) if bytes::is_beginning(disk, pair.old, &new).map_err(failed)? => {
            let more = pair.new_bytes - pair.old_bytes;
            Outcome::yes(format!("{} more behind what it held", counted(more, "byte")))
        }
        (Allowed::More, ..) => Outcome::no(format!("what it held does not stand at its beginning ({sizes})")),
        (Allowed::Any, Some(before), Some(now)) if now >= before => {
            Outcome::yes(format!("{}, it had {before}", counted(now, "line")))
        }
        (Allowed::Any, Some(before), Some(now)) => {
            Outcome::no(format!("{}, it had {before}", counted(now, "line")))
        }
        (Allowed::Any, Some(_), None) => Outcome::no("it was a text and is none now"),
        (Allowed::Any, None, _) => Outcome::unknown(
            "other bytes; its format is not known, and nobody can say whether it holds fewer records",
        ),
    };
    Ok(outcome.counted(before, now))
}

/// A file of records on both sides.
fn of_records(
    scene: &Scene<'_>,
    key: &[String],
    allowed: Allowed,
    pair: &Pair<'_>,
    old: &FileFound,
    new: &FileFound,
) -> Result<Told, String> {
    let (Some(before), Some(now)) = (old.records, new.records) else {
        return Err("nobody counted its records".to_owned());
    };
    if allowed == Allowed::Any && now >= before {
        return Ok((Counts::of(before, now), Vec::new()));
    }
    if old.form != FileForm::Document {
        return of_tables(scene, key, allowed, (pair.old, old), (pair.new, new));
    }
    let disk = scene.world.disk.as_ref();
    let real = real(scene, pair.new)?;
    match (Document::read(disk, pair.old, pair.old)?, Document::read(disk, pair.new, &real)?) {
        (Some(one), Some(two)) => of_documents(scene, key, allowed, pair.scratch, &one, &two),
        _ => of_values(scene, pair, Counts::of(before, now)),
    }
}

/// Two tables, or two files of several.
fn of_tables(
    scene: &Scene<'_>,
    key: &[String],
    allowed: Allowed,
    (old, old_found): (&Path, &FileFound),
    (new, new_found): (&Path, &FileFound),
) -> Result<Told, String> {
    let (before, now) = (old_found.records.unwrap_or(0), new_found.records.unwrap_or(0));
    let has_key = |found: &FileFound| key.iter().all(|column| found.columns.contains(column));
    let mut rule = Rule { allow_empty: true, sample_max: NAMED_MAX, ..Rule::default() };
    if !key.is_empty() && has_key(old_found) && has_key(new_found) {
        rule.key = key.to_vec();
        rule.duplicates = Duplicates::Match;
    } else if allowed != Allowed::Same || before != now {
        // A record that is missing in the middle moves all those behind it.
        rule.row_order = RowOrder::Any;
    }
    let comparison = scene.comparer.compare(old, new, &rule).map_err(|error| error.told())?;
    if comparison.verdict == Verdict::Unknown {
        return Err(comparison.summary);
    }
    let report: Value = serde_json::from_str(&comparison.report).map_err(|error| error.to_string())?;
    let mut counts = Counts::default();
    for item in list(&report["items"]) {
        counts.add(of_item(item, old_found.form));
    }
    for (side, what, into) in [("only_old", "gone", true), ("only_new", "new", false)] {
        for name in list(&report[side]) {
            let words = format!("`{}` is {what}", name.as_str().unwrap_or_default());
            if into { counts.altered.push(words) } else { counts.grown.push(words) }
        }
    }
    (counts.before, counts.now) = (before, now);
    if comparison.verdict == Verdict::No && counts == Counts::of(before, now) {
        // What it says no to has no number here, and is a difference all the same.
        counts.altered.push(comparison.summary);
    }
    Ok((counts, list(&report["items"]).to_vec()))
}

/// One table of the document `switchback/compare/1`.
fn of_item(item: &Value, form: FileForm) -> Counts {
    let number = |side: &str| item["rows"][side].as_u64().unwrap_or(0);
    let rows = |name: &str| list(&item[name]).iter().map(|row| name_of(row, "row")).take(NAMED_MAX).collect();
    let mut changed: Vec<String> = Vec::new();
    for cell in list(&item["sample"]) {
        let column = cell["column"].as_str().filter(|column| *column != super::json::VALUE);
        let column = column.map_or_else(String::new, |column| format!("`{column}` at "));
        let name = format!("{column}{}", name_of(cell, "row_old"));
        if !changed.contains(&name) && changed.len() < NAMED_MAX {
            changed.push(name);
        }
    }
    let mut altered: Vec<String> = Vec::new();
    for (side, what) in [("columns_only_old", "gone"), ("columns_only_new", "new")] {
        let columns = list(&item[side]).iter().filter_map(Value::as_str);
        altered.extend(columns.map(|column| format!("column `{column}` is {what}")));
    }
    // A type that is found in text follows from all records, also from those that have come.
    let types = if form == FileForm::TextTable { &[] } else { list(&item["types_changed"]) };
    altered.extend(types.iter().map(|change| {
        let word = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        format!("column `{}` was {} and is {}", word("column"), word("old"), word("new"))
    }));
    Counts {
        missing: Part { count: number("only_old"), named: rows("rows_only_old") },
        changed: Part { count: number("different"), named: changed },
        added: Part { count: number("only_new"), named: rows("rows_only_new") },
        altered,
        ..Counts::default()
    }
}

/// A record by its key, or by its position.
fn name_of(record: &Value, row: &str) -> String {
    let key = record["key"].as_object().filter(|key| !key.is_empty());
    let Some(key) = key else {
        return format!("record {}, counted from 0", record[row].as_u64().unwrap_or_default());
    };
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let members: Vec<String> = key.iter().map(|(name, value)| format!("{name} = {}", words(value))).collect();
    members.join(", ")
}

/// Two documents of JSON, record by record.
fn of_documents(
    scene: &Scene<'_>,
    key: &[String],
    allowed: Allowed,
    scratch: &Path,
    old: &Document,
    new: &Document,
) -> Result<Told, String> {
    let disk = scene.world.disk.as_ref();
    let old_records = old.records(&old.shape()).ok_or("its records were not found again")?;
    let Some(new_records) = new.records(&old.shape()) else {
        let before = old_records.len() as u64;
        let mut counts = Counts::of(before, new.records(&new.shape()).map_or(0, |all| all.len() as u64));
        counts.altered.push(format!("{} is no longer there", old.shape().words()));
        return Ok((counts, Vec::new()));
    };
    disk.make_directory(scratch, 0o755).map_err(|error| error.to_string())?;
    let key = old.key(&old_records, key);
    let form = |records: u64| FileFound {
        form: FileForm::TextTable,
        records: Some(records),
        columns: key.clone(),
        damage: None,
    };
    let (before, now) = (old_records.len() as u64, new_records.len() as u64);
    let (mut counts, mut items) = (Counts::of(before, now), Vec::new());
    if before == 0 || now == 0 {
        // Nothing has columns that could be compared.
        (counts.missing.count, counts.added.count) = (before, now);
    } else {
        let place = |name: &str| scratch.join(format!("{name}.jsonl"));
        let (old_lines, new_lines) = (place("old"), place("new"));
        super::json::write(disk, &old_lines, &old_records, &key)?;
        super::json::write(disk, &new_lines, &new_records, &key)?;
        let (one, two) = (form(before), form(now));
        (counts, items) = of_tables(scene, &key, allowed, (&old_lines, &one), (&new_lines, &two))?;
    }
    for (name, is_there) in old.beside_changed(new) {
        match (is_there, allowed) {
            (false, _) => counts.altered.push(format!("the member `{name}` is gone")),
            (true, Allowed::Same) => counts.altered.push(format!("the member `{name}` is another")),
            // It is no record: a count or a date that follows from them.
            (true, _) => {}
        }
    }
    Ok((counts, items))
}

/// Two documents that are not JSON as it is defined: value by value.
fn of_values(scene: &Scene<'_>, pair: &Pair<'_>, mut counts: Counts) -> Result<Told, String> {
    let rule = Rule { allow_empty: true, sample_max: DIFFERENCES_MAX, ..Rule::default() };
    let comparison = scene.comparer.compare(pair.old, pair.new, &rule).map_err(|error| error.told())?;
    let report: Value = serde_json::from_str(&comparison.report).map_err(|error| error.to_string())?;
    let mut items = list(&report["items"]).to_vec();
    for item in &mut items {
        let differences = list(&item["differences"]).to_vec();
        let total = item["differences_total"].as_u64().unwrap_or(0);
        let added: Vec<&Value> = differences.iter().filter(|one| one.get("old").is_none()).collect();
        let other: Vec<&Value> = differences.iter().filter(|one| one.get("old").is_some()).collect();
        let at = |one: &&Value| format!("`{}`", one["path"].as_str().unwrap_or_default());
        let others = total.saturating_sub(added.len() as u64);
        if others > 0 {
            let named: Vec<String> = other.iter().take(NAMED_MAX).map(at).collect();
            counts.altered.push(format!(
                "{} changed or gone ({})",
                counted(others, "value"),
                named.join("; ")
            ));
        } else if !added.is_empty() {
            let named: Vec<String> = added.iter().take(NAMED_MAX).map(at).collect();
            counts.grown.push(format!("{} added ({})", counted(total, "value"), named.join("; ")));
        }
        item["differences"] = differences.into_iter().take(NAMED_MAX).collect();
    }
    Ok((counts, items))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Where the content of a path is once links were followed.
fn real(scene: &Scene<'_>, path: &Path) -> Result<PathBuf, String> {
    let settled = super::settle(scene.world.disk.as_ref(), path)?;
    Ok(settled.map_or_else(|| path.to_owned(), |(real, _)| real))
}
