//! `figure`: one number, from a command, a file, a service or a database, and what it may be (PC-9).

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::limits::{LEAST, Limits, MOST};
use super::{Check, Kind, Looked, Scene, shell};
use crate::database::{Database, Target};
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::port::FirstValue;
use crate::world::{Exit, HttpRequest};

/// So much of a file or an answer is read.
const BYTES_MAX: u64 = 64 << 20;
const REQUEST_TIMEOUT_MS: u64 = 10_000;

/// Where it comes from: exactly one of these keys is there.
const SOURCES: &[&str] = &["command", "file", "url", "database"];

/// The kind `figure`.
pub(super) static KIND: Kind = Kind {
    word: "figure",
    doc: "a number that a command prints, or that stands in a file, an answer or a database",
    keys: &[
        Key::optional("command", Shape::Text, "a line of shell whose last line is the number"),
        Key::optional(
            "file",
            Shape::Text,
            "a JSON file, relative to the project; `pointer` says where in it",
        ),
        Key::optional("url", Shape::Text, "an address that answers with JSON, or with the number alone"),
        Key::optional(
            "database",
            Shape::Text,
            "an address of PostgreSQL, or a file of SQLite or DuckDB; `select` is what is asked",
        ),
        Key::optional(
            "pointer",
            Shape::Text,
            "with `file` or `url`: where the number stands, e.g. `/totals/0/amount` (RFC 6901)",
        ),
        Key::optional("select", Shape::Text, "with `database`: a query whose first value is the number"),
        LEAST,
        MOST,
    ],
    read,
};

#[derive(Debug)]
struct FigureCheck {
    source: Source,
    limits: Limits,
}

#[derive(Debug)]
enum Source {
    Command(String),
    File { path: PathBuf, pointer: String },
    Url { url: String, pointer: Option<String> },
    Database { database: Database, select: String },
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let limits = Limits::read(fields);
    let listed = || SOURCES.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let named: Vec<&&str> = SOURCES.iter().filter(|key| fields.has(key)).collect();
    let source = match named.as_slice() {
        [source] => read_source(fields, source),
        [] => {
            let message = format!("{} names no source of its number", fields.title());
            fields.findings().add(fields.offset(), message, format!("add one of {}", listed()));
            None
        }
        [_, second, ..] => {
            let message = format!("{} names more than one of {}", fields.title(), listed());
            fields.find(second, message, "make a check of each");
            None
        }
    };
    for (key, with) in [("pointer", ["file", "url"].as_slice()), ("select", &["database"])] {
        if fields.has(key) && !with.iter().any(|source| fields.has(source)) {
            fields.find(
                key,
                format!("`{key}` has nothing to look into"),
                format!("it goes with `{}`", with.join("` or `")),
            );
        }
    }
    let pointer = fields.text("pointer").unwrap_or_default();
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let message = format!("`{}` is no JSON pointer", shown(&pointer));
        fields.find("pointer", message, "it begins with `/`, e.g. `/totals/amount`");
    }
    Some(Box::new(FigureCheck { source: source?, limits }))
}

fn read_source(fields: &Fields<'_>, source: &str) -> Option<Source> {
    match source {
        "command" => Some(Source::Command(fields.filled_text("command")?)),
        "file" => {
            let text = fields.filled_text("file")?;
            let path = relative(&text, fields.offset_of("file"), "the path in `file`", fields.findings());
            let Some(pointer) = fields.filled_text("pointer") else {
                if !fields.has("pointer") {
                    fields.find(
                        "file",
                        "nothing says where in the file the number stands",
                        "e.g. `pointer = \"/total\"`",
                    );
                }
                return None;
            };
            Some(Source::File { path: path?, pointer })
        }
        "url" => {
            let url = fields.http_address("url")?;
            Some(Source::Url { url, pointer: fields.filled_text("pointer") })
        }
        _ => {
            let database = fields.filled_text("database")?;
            let Some(select) = fields.filled_text("select") else {
                if !fields.has("select") {
                    fields.find(
                        "database",
                        "nothing says what is asked",
                        "e.g. `select = \"SELECT count(*) FROM orders\"`",
                    );
                }
                return None;
            };
            match Database::parse(&database) {
                Ok(database) => Some(Source::Database { database, select }),
                Err((message, help)) => {
                    fields.find("database", message, &help);
                    None
                }
            }
        }
    }
}

impl Check for FigureCheck {
    fn asks_a_service(&self) -> bool {
        matches!(self.source, Source::Url { .. })
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let (what, found, details) = match &self.source {
            Source::Command(line) => match of_command(scene, line) {
                Ok((found, details)) => ("what the command prints".to_owned(), Ok(found), details),
                Err((why, details)) => return Looked::unknown(why, details),
            },
            Source::File { path, pointer } => {
                let what = format!("`{pointer}` in `{}`", path.display());
                (what, of_file(scene, path, pointer), json!({"file": path, "pointer": pointer}))
            }
            Source::Url { url, pointer } => {
                let what = pointer
                    .as_ref()
                    .map_or("the answer".to_owned(), |pointer| format!("`{pointer}` in the answer"));
                (what, of_answer(scene, url, pointer.as_deref()), json!({"url": url, "pointer": pointer}))
            }
            Source::Database { database, select } => {
                let details = json!({"database": database.shown(), "select": select});
                (
                    format!("what `{}` answers", database.shown()),
                    of_database(scene, database, select),
                    details,
                )
            }
        };
        match found {
            Ok(number) => self.limits.judge(number, &what, details),
            // A source that does not answer is no bad number.
            Err(why) => Looked::unknown(why, details),
        }
    }
}

fn of_command(scene: &Scene<'_>, line: &str) -> Result<(f64, Value), (String, Value)> {
    let (_, finished) = shell::run_here(scene, line).map_err(|why| (why, json!({})))?;
    let details = shell::evidence(line, &finished);
    if let Some(why) = shell::no_answer(&finished) {
        return Err((why, details));
    }
    if finished.exit != Exit::Code(0) {
        let why =
            format!("the command prints no figure: {}{}", finished.ending(), shell::last_words(&finished));
        return Err((why, details));
    }
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    match last.map(|last| (last, last.parse::<f64>())) {
        Some((_, Ok(number))) => Ok((number, details)),
        Some((_, Err(_))) => Err(("the last line that the command prints is no number".to_owned(), details)),
        None => Err(("the command prints nothing".to_owned(), details)),
    }
}

fn of_file(scene: &Scene<'_>, path: &PathBuf, pointer: &str) -> Result<f64, String> {
    let file = scene.trees.here()?.join(path);
    let content = scene.world.disk.read(&file, BYTES_MAX).map_err(|error| error.to_string())?;
    pointed(&content, Some(pointer)).map_err(|why| format!("`{}`: {why}", path.display()))
}

fn of_answer(scene: &Scene<'_>, url: &str, pointer: Option<&str>) -> Result<f64, String> {
    let request = HttpRequest {
        url: url.to_owned(),
        method: "GET".to_owned(),
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_millis(REQUEST_TIMEOUT_MS).min(scene.timeout),
        body_bytes_max: BYTES_MAX,
        is_direct: false,
    };
    let answer = scene.world.network.ask(&request).map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("the service answers with status {}", answer.status));
    }
    pointed(&answer.body, pointer).map_err(|why| format!("the answer: {why}"))
}

/// The number that stands at a JSON pointer; a number as a text is one, too.
pub(super) fn pointed(content: &[u8], pointer: Option<&str>) -> Result<f64, String> {
    let value: Value = serde_json::from_slice(content).map_err(|error| format!("it is no JSON: {error}"))?;
    let place = pointer.unwrap_or("");
    match value.pointer(place) {
        Some(Value::Number(number)) => number.as_f64().ok_or_else(|| "the number is too large".to_owned()),
        Some(Value::String(text)) => {
            text.trim().parse().map_err(|_| format!("`{place}` is a text and no number"))
        }
        Some(Value::Null) => Err(format!("`{place}` is null")),
        Some(_) => Err(format!("`{place}` is no number")),
        None => Err(format!("there is nothing at `{place}`")),
    }
}

fn of_database(scene: &Scene<'_>, database: &Database, select: &str) -> Result<f64, String> {
    let root = scene.trees.here()?;
    let target = Target::of(scene.world, &root, database, false).map_err(|error| error.told())?;
    let mut session = scene.schemas.open(&target.place(true, false)).map_err(|error| error.told())?;
    match session.first(select).map_err(|error| format!("the query failed: {}", error.message))? {
        FirstValue::NoRow => Err("the query selects no row".to_owned()),
        FirstValue::Null => Err("the query answers null".to_owned()),
        FirstValue::Text(text) => {
            text.trim().parse().map_err(|_| "what the query answers is no number".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_where_it_stands_and_nothing_else_is_one() {
        let content = br#"{"a": {"b": [1, "2.5", null, "x", true]}, "": 7}"#;
        let at = |pointer: &str| pointed(content, Some(pointer));
        assert_eq!(at("/a/b/0"), Ok(1.0));
        assert_eq!(at("/a/b/1"), Ok(2.5));
        assert_eq!(at("/"), Ok(7.0));
        for (pointer, why) in [
            ("/a/b/2", "is null"),
            ("/a/b/3", "no number"),
            ("/a/b/4", "no number"),
            ("/a/b/9", "nothing at"),
            ("/a", "no number"),
        ] {
            assert!(at(pointer).unwrap_err().contains(why), "{pointer}");
        }
        assert_eq!(pointed(b"17\n", None), Ok(17.0));
        assert!(pointed(b"<html>", None).unwrap_err().contains("no JSON"));
    }
}
