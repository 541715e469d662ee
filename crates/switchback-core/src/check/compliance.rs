//! `compliance`: the reports that somebody demands are there, complete, and not too old (PC-12).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::found::{Found, Search};
use super::{Check, Kind, Looked, Scene};
use crate::manifest::to_hex;
use crate::pattern;
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::quantity::{counted, duration_ns};
use crate::verdict::Verdict;
use crate::world::{Disk, DiskError, Meta};

/// No report is read that is longer.
const BYTES_MAX: u64 = 256 << 20;
/// More files than that are a pattern that was not meant.
const FILES_MAX: usize = 100_000;
/// So many gaps of one report are named.
const GAPS_NAMED_MAX: usize = 5;
/// So many rows of a table are looked at for cells that say nothing.
const ROWS_MAX: u64 = 10_000_000;

const REPORT: &[Key] = &[
    Key::required("name", Shape::Text, "what the report is called"),
    Key::required(
        "path",
        Shape::Text,
        "the file, or a folder and a pattern for names, e.g. `compliance/fairness-*.json`: each that fits is looked at",
    ),
    Key::optional(
        "fields",
        Shape::Texts,
        "places in JSON that must say something, e.g. `/approved_by` (RFC 6901)",
    ),
    Key::optional(
        "columns",
        Shape::Texts,
        "columns of CSV that must be there and say something in every row",
    ),
    Key::optional("contains", Shape::Texts, "texts that must stand in it"),
    Key::optional("newest_within", Shape::Text, "how old the newest may be, e.g. `\"30d\"`"),
];

/// The kind `compliance`.
pub(super) static KIND: Kind = Kind {
    word: "compliance",
    doc: "the reports that somebody demands are there, complete, and not too old",
    keys: &[Key::required("report", Shape::Tables(REPORT), "the reports, `[[check.report]]`")],
    read,
};

#[derive(Debug)]
struct ComplianceCheck {
    reports: Vec<Report>,
}

#[derive(Debug)]
struct Report {
    name: String,
    path: PathBuf,
    fields: Vec<String>,
    columns: Vec<String>,
    contains: Vec<String>,
    within_ns: Option<i128>,
}

/// What is wrong with a report, or why nobody can tell.
#[derive(Debug)]
enum Gap {
    Lacks(String),
    Untold(String),
}

impl From<DiskError> for Gap {
    fn from(error: DiskError) -> Self {
        Self::Untold(error.to_string())
    }
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let mut reports: Vec<Report> = Vec::new();
    let tables = fields.tables("report");
    let count = tables.len();
    for (offset, table) in tables {
        let one = Fields::new(table, offset, "`[[check.report]]`", REPORT, fields.findings());
        let Some(report) = read_report(&one) else { continue };
        if reports.iter().any(|known| known.name == report.name) {
            let message = format!("two reports are called `{}`", shown(&report.name));
            one.find("name", message, "give each a name of its own");
        }
        reports.push(report);
    }
    if fields.is_empty_list("report") {
        fields.find("report", "`report` is empty: nothing is demanded", "add a `[[check.report]]`");
    }
    (count > 0 && reports.len() == count).then(|| Box::new(ComplianceCheck { reports }) as Box<dyn Check>)
}

fn read_report(fields: &Fields<'_>) -> Option<Report> {
    let name = fields.filled_text("name");
    let path = fields.filled_text("path").and_then(|text| {
        let folder = Path::new(&text).parent();
        if folder.is_some_and(|folder| is_pattern(&folder.to_string_lossy())) {
            fields.find("path", "only the last name may be a pattern", "e.g. `compliance/*.json`");
            return None;
        }
        relative(&text, fields.offset_of("path"), "the path in `path`", fields.findings())
    });
    let places = fields.placed_texts("fields").unwrap_or_default();
    for (offset, place) in places.iter().filter(|(_, place)| !place.starts_with('/')) {
        let message = format!("`{}` in `fields` is no JSON pointer", shown(place));
        fields.findings().add(*offset, message, "it begins with `/`, e.g. `/approved_by`");
    }
    let columns = fields.texts("columns").unwrap_or_default();
    if let Some(path) = &path {
        for (key, ending, is_wanted) in
            [("fields", "json", !places.is_empty()), ("columns", "csv", !columns.is_empty())]
        {
            if is_wanted && !is_of(path, ending) {
                let message = format!(
                    "`{key}` is for {}, and `path` does not end in `.{ending}`",
                    ending.to_uppercase()
                );
                fields.find(key, message, "take it out, or correct `path`; `contains` is for any text");
            }
        }
    }
    let within_ns = fields.filled_text("newest_within").and_then(|text| {
        let found = duration_ns(&text).filter(|within| *within > 0);
        if found.is_none() {
            let message = format!("`newest_within` is `{}`, which is no duration", shown(&text));
            fields.find("newest_within", message, "e.g. `\"30d\"`, `\"24h\"`");
        }
        found.map(i128::from)
    });
    Some(Report {
        name: name?,
        path: path?,
        fields: places.into_iter().map(|(_, place)| place).collect(),
        columns,
        contains: fields.texts("contains").unwrap_or_default(),
        within_ns,
    })
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

fn is_of(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

impl Check for ComplianceCheck {
    fn counts_samples(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let root = match scene.trees.here() {
            Ok(root) => root,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let (mut lacking, mut untold, mut seen, mut table) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        table.push(["report", "verdict", "files", "what"].map(str::to_owned).to_vec());
        for report in &self.reports {
            let (files, gaps) = report.look(scene, &root);
            let hashes: Map<String, Value> = files
                .iter()
                .filter_map(|file| {
                    let hash = scene.world.disk.hash(&file.real).ok()?;
                    Some((shown_path(file), json!(to_hex(&hash))))
                })
                .collect();
            let files: Vec<String> = files.iter().map(shown_path).collect();
            let verdict = match &gaps[..] {
                [] => Verdict::Yes,
                gaps if gaps.iter().any(|gap| matches!(gap, Gap::Lacks(_))) => Verdict::No,
                _ => Verdict::Unknown,
            };
            let words = gaps.iter().map(|gap| match gap {
                Gap::Lacks(what) | Gap::Untold(what) => what.clone(),
            });
            let words: Vec<String> = words.collect();
            let told = listed(&words);
            table.push(vec![
                report.name.clone(),
                verdict.spoken().to_owned(),
                files.join(", "),
                told.clone(),
            ]);
            seen.push(json!({"name": report.name, "verdict": verdict.word(), "files": files, "hashes": hashes, "gaps": words}));
            match verdict {
                Verdict::Yes => {}
                Verdict::No => lacking.push(format!("{}: {told}", report.name)),
                Verdict::Unknown => untold.push(format!("{}: {told}", report.name)),
            }
        }
        let details = json!({"reports": Value::Array(seen)});
        let count = self.reports.len() as u64;
        let looked = if !lacking.is_empty() {
            Looked::new(Verdict::No, lacking.join("; "), details)
        } else if !untold.is_empty() {
            Looked::unknown(untold.join("; "), details)
        } else {
            let what = format!("{}: there, and complete", counted(count, "compliance report"));
            Looked::new(Verdict::Yes, what, details)
        };
        looked.of_samples(count).shown(table)
    }

    fn finds(
        &self,
        disk: &dyn Disk,
        tree: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Found>, String> {
        let mut found = Vec::new();
        for report in &self.reports {
            found.extend(report.find(disk, tree, enters)?);
        }
        Ok(found)
    }
}

fn shown_path(file: &Found) -> String {
    file.path.display().to_string()
}

/// Gaps in words: the first ones, and how many more.
fn listed(gaps: &[String]) -> String {
    let first = gaps.iter().take(GAPS_NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match gaps.len().saturating_sub(GAPS_NAMED_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

impl Report {
    /// The files that were looked at, and what is wrong.
    fn look(&self, scene: &Scene<'_>, root: &Path) -> (Vec<Found>, Vec<Gap>) {
        let found = match self.find(scene.world.disk.as_ref(), root, &|_| true) {
            Ok(found) => found,
            Err(why) => return (Vec::new(), vec![Gap::Untold(why)]),
        };
        if found.is_empty() {
            return (found, vec![Gap::Lacks(format!("there is no `{}`", self.path.display()))]);
        }
        let mut gaps = Vec::new();
        for file in &found {
            let name = shown_path(file);
            if let Err(gap) = self.complete(scene, &file.real, &file.meta, &mut gaps, &name) {
                gaps.push(match gap {
                    Gap::Lacks(what) => Gap::Lacks(format!("`{name}` {what}")),
                    untold @ Gap::Untold(_) => untold,
                });
            }
        }
        gaps.extend(self.too_old(scene, &found));
        (found, gaps)
    }

    /// Every file that counts, in the order of their names.
    fn find(
        &self,
        disk: &dyn Disk,
        root: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Found>, String> {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let start = if is_pattern(&name) { folder } else { &self.path };
        let fits = |path: &Path| {
            let found = path.file_name().map(std::ffi::OsStr::to_string_lossy).unwrap_or_default();
            path == self.path || (is_pattern(&name) && pattern::fits(&name, &found))
        };
        let search = Search { disk, tree: root, enters, means: &fits, depth_max: 0, files_max: FILES_MAX };
        Ok(search.below(start)?.files)
    }

    fn too_old(&self, scene: &Scene<'_>, found: &[Found]) -> Option<Gap> {
        let within = self.within_ns?;
        let newest = found.iter().map(|file| file.meta.mtime_ns).max()?;
        let age = scene.world.clock.now().as_nanosecond() - newest;
        if age < 0 {
            return Some(Gap::Untold("the newest is of the future: one of the clocks is wrong".to_owned()));
        }
        let days = |ns: i128| ns / (24 * 3_600 * 1_000_000_000);
        let hours = |ns: i128| ns / (3_600 * 1_000_000_000) % 24;
        (age > within).then(|| Gap::Lacks(format!("the newest is {} d {} h old", days(age), hours(age))))
    }

    /// Looks whether a file says everything that it has to.
    fn complete(
        &self,
        scene: &Scene<'_>,
        path: &Path,
        meta: &Meta,
        gaps: &mut Vec<Gap>,
        name: &str,
    ) -> Result<(), Gap> {
        if meta.size == 0 {
            return Err(Gap::Lacks("is empty".to_owned()));
        }
        if meta.size > BYTES_MAX {
            return Err(Gap::Untold(format!("`{name}` is longer than {BYTES_MAX} bytes")));
        }
        let bytes = scene.world.disk.read(path, BYTES_MAX)?;
        let text = String::from_utf8_lossy(&bytes);
        if text.trim().is_empty() {
            return Err(Gap::Lacks("is empty".to_owned()));
        }
        let lacking = self.contains.iter().filter(|wanted| !text.contains(wanted.as_str()));
        gaps.extend(lacking.map(|wanted| Gap::Lacks(format!("`{name}` does not say `{}`", shown(wanted)))));
        if is_of(Path::new(name), "json") {
            let value: Value = serde_json::from_slice(&bytes)
                .map_err(|error| Gap::Lacks(format!("is no whole JSON: {error}")))?;
            if says_nothing(&value) {
                return Err(Gap::Lacks("says nothing".to_owned()));
            }
            let lacking = self.fields.iter().filter(|place| value.pointer(place).is_none_or(says_nothing));
            gaps.extend(
                lacking.map(|place| Gap::Lacks(format!("`{name}` says nothing at `{}`", shown(place)))),
            );
        }
        if is_of(Path::new(name), "csv") {
            for gap in self.table_gaps(&text) {
                gaps.push(Gap::Lacks(format!("`{name}` {gap}")));
            }
        }
        Ok(())
    }

    /// What a table lacks.
    fn table_gaps(&self, text: &str) -> Vec<String> {
        let mut rows = Rows { rest: text.trim_start_matches('\u{feff}') };
        let header = match rows.next() {
            Some(Ok(header)) => header,
            Some(Err(why)) => return vec![why],
            None => return vec!["has no header".to_owned()],
        };
        let mut gaps = Vec::new();
        let mut places = Vec::new();
        for column in &self.columns {
            match header.iter().position(|name| name.trim() == column) {
                Some(place) => places.push((column, place)),
                None => gaps.push(format!("has no column `{}`", shown(column))),
            }
        }
        let mut count = 0;
        for row in rows {
            count += 1;
            let row = match row {
                Ok(row) => row,
                Err(why) => {
                    gaps.push(format!("row {count} {why}"));
                    break;
                }
            };
            if row.len() != header.len() {
                gaps.push(format!("row {count} has {} of {} columns", row.len(), header.len()));
            }
            let empty = |place: usize| row.get(place).is_none_or(|cell| cell.trim().is_empty());
            let empty = places.iter().filter(|(_, place)| empty(*place));
            gaps.extend(empty.map(|(column, _)| format!("row {count} says nothing in `{}`", shown(column))));
            if gaps.len() > GAPS_NAMED_MAX || count >= ROWS_MAX {
                break;
            }
        }
        if count == 0 {
            gaps.push("has no row".to_owned());
        }
        gaps
    }
}

/// The rows of a text of comma-separated values, as RFC 4180 has them; lines without anything are passed over.
struct Rows<'t> {
    rest: &'t str,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<String>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(['\r', '\n']);
        if self.rest.is_empty() {
            return None;
        }
        let (mut cells, mut cell, mut is_quoted, mut end) =
            (Vec::new(), String::new(), false, self.rest.len());
        let mut letters = self.rest.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' if is_quoted && letters.peek().is_some_and(|(_, next)| *next == '"') => {
                    letters.next();
                    cell.push('"');
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
                '\n' if !is_quoted => {
                    end = at;
                    break;
                }
                '\r' if !is_quoted => {}
                letter => cell.push(letter),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        if is_quoted {
            return Some(Err("ends within quotes: it is cut off".to_owned()));
        }
        cells.push(cell);
        Some(Ok(cells))
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(columns: &[&str], text: &str) -> Vec<String> {
        let report = Report {
            name: "r".into(),
            path: "r.csv".into(),
            fields: Vec::new(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            contains: Vec::new(),
            within_ns: None,
        };
        report.table_gaps(text)
    }

    #[test]
    fn a_table_is_complete_only_with_every_column_in_every_row() {
        let none: [&str; 0] = [];
        assert_eq!(
            gaps(&["model", "owner"], "\u{feff}model,owner\r\n\"a,b\",ana\r\n\r\n\"c \"\"d\"\"\ne\",ben\n"),
            none
        );
        assert_eq!(gaps(&[], "model\na\n"), none);
        assert_eq!(gaps(&["owner"], "model\na\n"), ["has no column `owner`"]);
        assert_eq!(gaps(&["owner"], "model,owner\na,\nb,x\n"), ["row 1 says nothing in `owner`"]);
        assert_eq!(gaps(&["model"], "model,owner\n"), ["has no row"]);
        assert_eq!(gaps(&["model"], "model,owner\na\n"), ["row 1 has 1 of 2 columns"]);
        assert_eq!(gaps(&["model"], "model\n\"a\nb"), ["row 1 ends within quotes: it is cut off"]);
    }

    #[test]
    fn what_says_nothing_is_no_answer() {
        for value in [json!(null), json!(" "), json!([]), json!({})] {
            assert!(says_nothing(&value), "{value}");
        }
        for value in [json!(0), json!(false), json!("x"), json!([null])] {
            assert!(!says_nothing(&value), "{value}");
        }
    }
}
