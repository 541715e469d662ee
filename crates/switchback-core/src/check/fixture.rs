//! `fixture`: captured data is what it was captured as, young enough, and of the shape that live data has; and old and new code on both
//! tell whether data or code changed (RE-13, RE-15).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::equivalence::report;
use super::found::{Found, Search, settle};
use super::{Check, Kind, Looked, Scene, rule_keys, shell};
use crate::fixture::{self, Content, Fixture, Record};
use crate::plan::{Fields, Key, Moment, Shape, relative};
use crate::port::Comparison;
use crate::quantity;
use crate::rule::Rule;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind};

const RECORD_BYTES_MAX: u64 = 1 << 20;
const DAY_NS: u64 = 86_400_000_000_000;
/// More files, or folders within folders, are none that were captured.
const FILES_MAX: usize = 1_000_000;
const DEPTH_MAX: usize = 128;
/// So many files without content are named.
const EMPTY_NAMED_MAX: usize = 3;
/// What is longer than that is looked at by the comparison alone.
const EMPTY_BYTES_MAX: u64 = 64;

const OWN: [Key; 6] = [
    Key::required("path", Shape::Text, "the fixture: a file or a folder of the tree"),
    Key::optional(
        "record",
        Shape::Text,
        "where it stands when and how it was captured; beside it when left out",
    ),
    Key::optional("max_age", Shape::Text, "it is too old after so long: a number and h or d, e.g. `90d`"),
    Key::optional(
        "capture",
        Shape::Text,
        "a line of shell that writes the live data into `{out}`, by the name of the fixture",
    ),
    Key::optional(
        "program",
        Shape::Text,
        "a line of shell that computes results from `{data}` into `{out}`: it is run in both trees, on fixture and live data",
    ),
    Key::optional(
        "live",
        Shape::Word(&["may-differ", "must-agree"]),
        "whether live data may give other results than the fixture; `may-differ` when left out",
    ),
];
const KEYS: [Key; 32] = rule_keys::joined(&[&OWN, &rule_keys::TABLES, &rule_keys::VALUES]);

/// The kind `fixture`.
pub(super) static KIND: Kind = Kind {
    word: "fixture",
    doc: "captured data is valid, and old and new code on it and on live data tell which of both changed",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct FixtureCheck {
    fixture: Fixture,
    program: Option<String>,
    must_agree: bool,
    rule: Rule,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let path = |name: &str, text: String| {
        relative(&text, fields.offset_of(name), "the path of the fixture", fields.findings())
    };
    let fixture = fields.filled_text("path").and_then(|text| path("path", text));
    let record = fields.filled_text("record").and_then(|text| path("record", text));
    let (capture, program) = (fields.filled_text("capture"), fields.filled_text("program"));
    for (name, line, wanted, example) in [
        ("capture", &capture, &["{out}"][..], "e.g. `python3 capture.py --to {out}/sales.csv`"),
        ("program", &program, &["{data}", "{out}"], "e.g. `python3 run.py --data {data} --out {out}`"),
    ] {
        let Some(line) = line else { continue };
        if let Some(missing) = wanted.iter().find(|word| !line.contains(**word)) {
            let message = format!("`{name}` in {} does not name `{missing}`", fields.title());
            fields.find(name, message, example);
        }
    }
    let age = fields.text("max_age");
    let age_max_ns = age.as_ref().and_then(|text| quantity::duration_ns(text));
    if age.is_some() && age_max_ns.is_none_or(|age| age == 0) {
        fields.find("max_age", "`max_age` is no duration", "write a number and a unit: `12h`, `90d`");
    }
    let must_agree = fields.word("live").as_deref() == Some("must-agree");
    if must_agree && (capture.is_none() || program.is_none()) {
        let message = "`live = \"must-agree\"` needs both `capture` and `program`: else nothing could agree";
        fields.find("live", message, "name both, or take it out");
    }
    let rule = rule_keys::read(fields);
    let path = fixture?;
    let record = record.unwrap_or_else(|| Fixture::record_of(&path));
    Some(Box::new(FixtureCheck {
        fixture: Fixture { path, record, capture, age_max_ns },
        program,
        must_agree,
        rule,
    }))
}

/// What one look came to: a verdict, in words.
type Part = (Verdict, String);

/// What a look at the shape of live data came to.
struct Shaped {
    part: Part,
    /// Whether there is data in all of it.
    is_data: bool,
}

impl Shaped {
    /// These tables and files of the live data hold nothing.
    fn of_nothing(empty: &[String]) -> Self {
        let named: Vec<&str> = empty.iter().take(EMPTY_NAMED_MAX).map(String::as_str).collect();
        let more = match empty.len().saturating_sub(EMPTY_NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = format!(
            "live data has nothing in it where the fixture has something: {}{more}; what is empty has no types and no values",
            named.join(", ")
        );
        Self { part: (Verdict::Unknown, why), is_data: false }
    }
}

impl Check for FixtureCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut details = json!({});
        match self.look_at(scene, &mut details) {
            Ok(mut parts) => {
                let verdict = Verdict::all(parts.iter().map(|(verdict, _)| *verdict));
                // What decides comes first.
                parts.sort_by_key(|(one, _)| *one != verdict);
                let words: Vec<String> = parts.into_iter().map(|(_, words)| words).collect();
                Looked::new(verdict, words.join("; "), details)
            }
            Err(why) => Looked::unknown(why, details),
        }
    }

    fn finds(
        &self,
        disk: &dyn Disk,
        tree: &Path,
        enters: &dyn Fn(&Path) -> bool,
    ) -> Result<Vec<Found>, String> {
        let (depth_max, files_max) = (DEPTH_MAX, FILES_MAX);
        let search = Search { disk, tree, enters, means: &|_| true, depth_max, files_max };
        let mut found = search.below(&self.fixture.path)?.files;
        if !self.fixture.record.starts_with(&self.fixture.path) {
            found.extend(search.below(&self.fixture.record)?.files);
        }
        Ok(found)
    }

    fn fixture(&self) -> Option<&Fixture> {
        Some(&self.fixture)
    }
}

impl FixtureCheck {
    fn look_at(&self, scene: &Scene<'_>, details: &mut Value) -> Result<Vec<Part>, String> {
        let tree = scene.trees.here()?;
        let disk = scene.world.disk.as_ref();
        let shown = self.fixture.path.display();
        let content = Content::of(disk, &tree, &self.fixture.path)?;
        let Some(content) = content.filter(|content| !content.files.is_empty()) else {
            return Ok(vec![(Verdict::No, format!("there is no fixture at `{shown}`"))]);
        };
        details["fixture"] =
            json!({"hash": content.hash, "files": content.files.len(), "bytes": content.bytes});
        let mut parts = vec![self.of_record(scene, &tree, &content, details)?];
        let mut live = match &self.fixture.capture {
            None => None,
            Some(_) => Some(self.captured(scene, &tree, details)?),
        };
        let held = content.real.clone();
        if let Some(captured) = &live {
            let shaped = self.of_shape(scene, &content, captured, details)?;
            let is_data = shaped.is_data;
            parts.push(shaped.part);
            // What is no data says nothing about code either.
            live = live.filter(|_| is_data);
        }
        // Before anything is staged there is only one code.
        if let Some(program) = self.program.as_ref().filter(|_| scene.moment != Moment::Before) {
            parts.push(self.of_code(scene, program, (&held, live.as_deref()), details)?);
        }
        Ok(parts)
    }

    /// Whether the fixture is what its record says, and young enough.
    fn of_record(
        &self,
        scene: &Scene<'_>,
        tree: &Path,
        content: &Content,
        details: &mut Value,
    ) -> Result<Part, String> {
        let (disk, shown) = (scene.world.disk.as_ref(), self.fixture.path.display());
        let Some((path, _)) = settle(disk, &tree.join(&self.fixture.record))? else {
            let name = self.fixture.record.display();
            let why = format!("when `{shown}` was captured is not written down: there is no `{name}`");
            return Ok((Verdict::Unknown, why));
        };
        let bytes = disk.read(&path, RECORD_BYTES_MAX).map_err(|error| error.to_string())?;
        let record = Record::from_text(&String::from_utf8_lossy(&bytes))
            .ok_or_else(|| format!("`{}` is no record of a fixture", self.fixture.record.display()))?;
        details["record"] =
            json!({"captured": record.captured.to_string(), "hash": record.hash, "command": record.command});
        if record.hash != content.hash {
            let why = format!("`{shown}` was changed since it was captured: it is not what its record says");
            return Ok((Verdict::No, why));
        }
        let age = scene.world.clock.now().duration_since(record.captured).as_nanos();
        let Ok(age) = u64::try_from(age) else {
            return Ok((
                Verdict::Unknown,
                format!("`{shown}` was captured in the future: {}", record.captured),
            ));
        };
        let days = age / DAY_NS;
        let told = format!("captured {} ago, as its record says", quantity::counted(days, "day"));
        match self.fixture.age_max_ns {
            Some(most) if age > most => Ok((
                Verdict::No,
                format!("`{shown}` is too old: {told}; `switchback fixture refresh` captures it anew"),
            )),
            _ => Ok((Verdict::Yes, told)),
        }
    }

    /// The live data.
    fn captured(&self, scene: &Scene<'_>, tree: &Path, details: &mut Value) -> Result<PathBuf, String> {
        let out = folder(scene, "live-data")?;
        fixture::capture(&self.fixture, scene.world.disk.as_ref(), &out, |line| {
            let finished = shell::run(scene, line, tree, &out).map_err(|error| error.to_string())?;
            details["capture"] = shell::evidence(line, &finished);
            Ok(finished)
        })
    }

    /// Whether live data has the tables, columns and types of the fixture. Its values may be others.
    fn of_shape(
        &self,
        scene: &Scene<'_>,
        content: &Content,
        live: &Path,
        details: &mut Value,
    ) -> Result<Shaped, String> {
        let disk = scene.world.disk.as_ref();
        let mut empty = emptied(disk, &self.fixture.path, content, live)?;
        let found = match compare(scene, &content.real, live, &self.rule) {
            Ok(found) => found,
            // Of what is empty there is often nothing to read.
            Err(_) if !empty.is_empty() => return Ok(Shaped::of_nothing(&empty)),
            Err(why) => return Err(format!("live data against fixture: {why}")),
        };
        let verdict = found.verdict;
        let document = report(found);
        let differences = shape(&document);
        empty.extend(without_rows(&document));
        empty.sort();
        empty.dedup();
        details["live_against_fixture"] = document;
        if !differences.is_empty() {
            let why = format!("live data has another shape than the fixture: {}", differences.join(", "));
            return Ok(Shaped { part: (Verdict::No, why), is_data: empty.is_empty() });
        }
        if !empty.is_empty() {
            return Ok(Shaped::of_nothing(&empty));
        }
        let part = match verdict {
            Verdict::Yes => (Verdict::Yes, "live data is what the fixture holds".to_owned()),
            Verdict::No => {
                (Verdict::Yes, "live data has the shape of the fixture and other values".to_owned())
            }
            Verdict::Unknown => (Verdict::Unknown, "live data and fixture could not be compared".to_owned()),
        };
        Ok(Shaped { part, is_data: true })
    }

    /// Runs old and new code on fixture and live data, and tells which of both changed the results.
    fn of_code(
        &self,
        scene: &Scene<'_>,
        program: &str,
        (held, live): (&Path, Option<&Path>),
        details: &mut Value,
    ) -> Result<Part, String> {
        let trees = [("old", scene.trees.old_project()?), ("new", scene.trees.new_project()?)];
        let mut results = Vec::new();
        for (data_name, data) in [("fixture", Some(held)), ("live", live)] {
            let Some(data) = data else { continue };
            for (code, tree) in &trees {
                let name = format!("{code}-on-{data_name}");
                let out = folder(scene, &name)?;
                let line = program.replace("{data}", &shell::quoted(data));
                let finished = shell::run(scene, &line, tree, &out).map_err(|error| error.to_string())?;
                details["runs"][&name] = shell::evidence(&line, &finished);
                if !finished.succeeded() {
                    let words = shell::last_words(&finished);
                    return Err(format!(
                        "the {code} code on the {data_name} data ended with {}{words}",
                        finished.ending()
                    ));
                }
                results.push(out);
            }
        }
        let mut compared = |what: &str, one: &Path, other: &Path| -> Result<Part, String> {
            let found = compare(scene, one, other, &self.rule).map_err(|why| format!("{what}: {why}"))?;
            let (verdict, summary) = (found.verdict, found.summary.clone());
            details["compared"][what.replace(' ', "_")] = report(found);
            Ok((verdict, summary))
        };
        let on_fixture = compared("code on fixture", &results[0], &results[1])?;
        if results.len() < 4 {
            return Ok(told_of_code(on_fixture));
        }
        let on_live = compared("code on live data", &results[2], &results[3])?;
        let of_data = compared("data by old code", &results[0], &results[2])?;
        Ok(told(&on_fixture, &on_live, &of_data, self.must_agree))
    }
}

/// What it means that the code gives these results on the fixture, where there is no live data.
fn told_of_code((verdict, summary): Part) -> Part {
    match verdict {
        Verdict::Yes => (Verdict::Yes, "old and new code agree on the fixture".to_owned()),
        Verdict::No => (Verdict::No, format!("the code changed: {summary}")),
        Verdict::Unknown => (Verdict::Unknown, format!("old and new code could not be compared: {summary}")),
    }
}

/// Tells all four combinations of changed code and changed data apart.
fn told(on_fixture: &Part, on_live: &Part, of_data: &Part, must_agree: bool) -> Part {
    let all = [on_fixture, on_live, of_data];
    if let Some((_, why)) = all.into_iter().find(|(verdict, _)| *verdict == Verdict::Unknown) {
        return (Verdict::Unknown, format!("results could not be compared: {why}"));
    }
    let is_data = of_data.0 == Verdict::No;
    let first = match (on_fixture.0, on_live.0) {
        (Verdict::No, _) => Some(on_fixture.1.clone()),
        (_, Verdict::No) => Some(format!("on live data alone, the fixture does not show it: {}", on_live.1)),
        _ => None,
    };
    match (first, is_data) {
        (None, false) => (Verdict::Yes, "neither data nor code changed: all four results agree".to_owned()),
        (None, true) => {
            let verdict = if must_agree { Verdict::No } else { Verdict::Yes };
            let words = "the data changed, the code did not: old and new code agree on fixture and live data, and these give \
                         other results";
            (verdict, words.to_owned())
        }
        (Some(first), false) => (Verdict::No, format!("the code changed, the data did not: {first}")),
        (Some(first), true) => (Verdict::No, format!("both code and data changed: {first}")),
    }
}

fn folder(scene: &Scene<'_>, name: &str) -> Result<PathBuf, String> {
    let folder = scene.out.join(name);
    scene.world.disk.make_directory(&folder, 0o755).map_err(|error| error.to_string())?;
    Ok(folder)
}

fn compare(scene: &Scene<'_>, old: &Path, new: &Path, rule: &Rule) -> Result<Comparison, String> {
    scene.comparer.compare(old, new, rule).map_err(|error| error.told())
}

/// Files of the live data that hold nothing, where those of the fixture hold something.
fn emptied(disk: &dyn Disk, path: &Path, fixture: &Content, live: &Path) -> Result<Vec<String>, String> {
    let mut empty = Vec::new();
    for file in &fixture.files {
        let inside = file.strip_prefix(path).unwrap_or(file);
        let is_root = inside.as_os_str().is_empty();
        let below = |root: &Path| if is_root { root.to_owned() } else { root.join(inside) };
        if is_empty(disk, &below(live))? == Some(true)
            && is_empty(disk, &below(&fixture.real))? == Some(false)
        {
            let name = if is_root { file.file_name().map_or(file.as_path(), Path::new) } else { inside };
            empty.push(format!("`{}`", name.display()));
        }
    }
    Ok(empty)
}

/// Whether a file says nothing: no byte, or an empty document. Nothing where there is no file.
fn is_empty(disk: &dyn Disk, path: &Path) -> Result<Option<bool>, String> {
    let told = |error: crate::world::DiskError| error.to_string();
    let Some(meta) = disk.look(path).map_err(told)?.filter(|meta| meta.kind == FileKind::File) else {
        return Ok(None);
    };
    if meta.size > EMPTY_BYTES_MAX {
        return Ok(Some(false));
    }
    let bytes = disk.read(path, EMPTY_BYTES_MAX).map_err(told)?;
    let text: String = String::from_utf8_lossy(&bytes).split_whitespace().collect();
    Ok(Some(matches!(text.trim_start_matches('\u{feff}'), "" | "[]" | "{}" | "null")))
}

/// Tables of the live data without a row, where those of the fixture have some.
fn without_rows(document: &Value) -> Vec<String> {
    let items = document["items"].as_array().into_iter().flatten();
    let rows = |item: &Value, side: &str| item[side]["rows"].as_u64();
    let empty =
        items.filter(|item| rows(item, "new") == Some(0) && rows(item, "old").is_some_and(|rows| rows > 0));
    empty.map(|item| format!("`{}`", item["name"].as_str().unwrap_or("the table"))).collect()
}

/// What a comparison says about files, columns and types: everything but values.
fn shape(document: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut found = Vec::new();
    for (name, side) in [("only_old", "fixture"), ("only_new", "live data")] {
        found.extend(list(&document[name]).iter().map(|file| format!("`{}` only in the {side}", text(file))));
    }
    for item in list(&document["items"]) {
        let name = text(&item["name"]);
        for (columns, side) in [("columns_only_old", "fixture"), ("columns_only_new", "live data")] {
            let columns = list(&item[columns]);
            found.extend(
                columns
                    .iter()
                    .map(|column| format!("`{name}`: column `{}` only in the {side}", text(column))),
            );
        }
        let types = list(&item["types_changed"]);
        found.extend(types.iter().map(|change| {
            let cell = |key: &str| text(&change[key]);
            format!("`{name}`: column `{}` is {} and was {}", cell("column"), cell("new"), cell("old"))
        }));
    }
    found
}
