//! `log`: how often a pattern stands in what was written to a log since the last look (PC-9).

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Moment, Shape, relative};
use crate::quantity::counted;
use crate::secret::clean_output;
use crate::verdict::Verdict;
use crate::world::FileKind;

/// A longer line is looked at in parts of this length.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// So much of both ends of what was read tells a log from another one.
const MARK_BYTES: u64 = 4096;
/// So many of the lines that fit are evidence, each so long at most.
const LINES_SHOWN_MAX: usize = 20;
const SHOWN_CHARACTERS_MAX: usize = 500;

/// The kind `log`.
pub(super) static KIND: Kind = Kind {
    word: "log",
    doc: "how often a pattern stands in what was written to a log since the last look",
    keys: &[
        Key::required("path", Shape::Text, "the log, relative to the project or absolute"),
        Key::required(
            "pattern",
            Shape::Text,
            "a regular expression; each line in which it is found counts once",
        ),
        Key::optional("most", Shape::Whole, "so many lines may fit; 0 when left out"),
        Key::optional(
            "may_be_silent",
            Shape::Flag,
            "`true`: that nothing was written is a yes; else it is *could not tell*",
        ),
    ],
    read,
};

#[derive(Debug)]
struct LogCheck {
    path: PathBuf,
    pattern: Regex,
    most: u64,
    may_be_silent: bool,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let pattern = fields.filled_text("pattern").and_then(|text| match Regex::new(&text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim().to_owned();
            fields.find(
                "pattern",
                format!("`pattern` is no regular expression: {why}"),
                "e.g. `ERROR|CRITICAL`",
            );
            None
        }
    });
    let path = fields.filled_text("path").and_then(|text| {
        if text.starts_with('/') {
            return Some(PathBuf::from(text));
        }
        relative(&text, fields.offset_of("path"), "the path in `path`", fields.findings())
    });
    let (most, may_be_silent) =
        (fields.whole("most").unwrap_or(0), fields.flag("may_be_silent").unwrap_or(false));
    Some(Box::new(LogCheck { path: path?, pattern: pattern?, most, may_be_silent }))
}

/// How far the log was read.
struct Position {
    bytes: u64,
    mark: String,
}

impl Position {
    fn of(details: &Value) -> Option<Self> {
        Some(Self { bytes: details["read_to"].as_u64()?, mark: details["mark"].as_str()?.to_owned() })
    }
}

/// What tells this log from another one that is as long: the hash of what it begins with, and of what stands before `bytes`. Before the cutover
/// a copy of it is looked at, so that its inode says nothing; and programs that rotate logs may keep the inode.
fn mark(file: &mut (impl Read + Seek), bytes: u64) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let length = bytes.min(MARK_BYTES);
    for from in [0, bytes - length] {
        file.seek(SeekFrom::Start(from))?;
        hasher.update_reader(file.by_ref().take(length))?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// What was written since.
#[derive(Default)]
struct Written {
    lines: u64,
    fitting: u64,
    shown: Vec<String>,
    /// Behind the last whole line.
    read_to: u64,
}

impl Check for LogCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let path = match scene.trees.here() {
            Ok(_) if self.path.is_absolute() => self.path.clone(),
            Ok(tree) => tree.join(&self.path),
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let name = self.path.display();
        let meta = match scene.world.disk.look(&path) {
            Ok(Some(meta)) if meta.kind == FileKind::File => meta,
            Ok(_) => {
                return Looked::unknown(format!("there is no file `{name}`"), json!({"path": self.path}));
            }
            Err(error) => return Looked::unknown(error.to_string(), json!({"path": self.path})),
        };
        let last = scene.last.and_then(Position::of).or_else(|| scene.before.and_then(Position::of));
        let looked = match last {
            Some(last) => self.look_on(scene, &path, &last, meta.size),
            None => self.first_look(scene, &path, meta.size),
        };
        looked.unwrap_or_else(|why| {
            Looked::unknown(format!("`{name}` could not be read: {why}"), json!({"path": self.path}))
        })
    }
}

impl LogCheck {
    /// There is nothing yet to go on from: the place is marked from which the next look reads.
    fn first_look(&self, scene: &Scene<'_>, path: &Path, bytes: u64) -> Result<Looked, String> {
        let mut file = scene.world.disk.open_seekable(path).map_err(|error| error.to_string())?;
        let mark = mark(&mut file, bytes).map_err(|error| error.to_string())?;
        let details = json!({"path": self.path, "mark": mark, "read_to": bytes, "lines": 0});
        let name = self.path.display();
        if scene.moment == Moment::Before {
            return Ok(Looked::new(Verdict::Yes, format!("`{name}` is read from byte {bytes} on"), details));
        }
        let why = format!("`{name}` is read from byte {bytes} on; what came before it was not looked at");
        Ok(Looked::unknown(why, details))
    }

    /// Looks at what was written since the last look. A log that was put aside, or began anew, is read from its beginning.
    fn look_on(&self, scene: &Scene<'_>, path: &Path, last: &Position, bytes: u64) -> Result<Looked, String> {
        let mut file = scene.world.disk.open_seekable(path).map_err(|error| error.to_string())?;
        let marked =
            |file: &mut _, bytes| mark(file, bytes).map_err(|error: std::io::Error| error.to_string());
        let is_same = last.bytes <= bytes && marked(&mut file, last.bytes)? == last.mark;
        let written = self.written(&mut file, if is_same { last.bytes } else { 0 });
        let written = written.map_err(|error| error.to_string())?;
        let mark = marked(&mut file, written.read_to)?;
        Ok(self.judge(&written, &mark, is_same))
    }

    fn written(&self, file: &mut (impl Read + Seek), from: u64) -> std::io::Result<Written> {
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(file);
        let mut written = Written { read_to: from, ..Written::default() };
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? as u64;
            // A line that is still being written is looked at when it is whole.
            if read == 0 || (read < LINE_BYTES_MAX && line.last() != Some(&b'\n')) {
                return Ok(written);
            }
            written.read_to += read;
            written.lines += 1;
            let text = String::from_utf8_lossy(&line);
            if self.pattern.is_match(&text) {
                written.fitting += 1;
                if written.shown.len() < LINES_SHOWN_MAX {
                    let shown: String =
                        clean_output(text.trim_end()).chars().take(SHOWN_CHARACTERS_MAX).collect();
                    written.shown.push(shown);
                }
            }
        }
    }

    fn judge(&self, written: &Written, mark: &str, is_same: bool) -> Looked {
        let Written { lines, fitting, shown, read_to } = written;
        let name = self.path.display();
        let details = json!({
            "path": self.path, "pattern": self.pattern.as_str(), "lines": lines, "fitting": fitting, "shown": shown,
            "mark": mark, "read_to": read_to, "is_another_file": !is_same,
        });
        if *lines == 0 && !self.may_be_silent {
            return Looked::unknown(format!("nothing was written to `{name}` since the last look"), details);
        }
        let anew = if is_same { "" } else { " (it began anew)" };
        let summary = format!("{fitting} of {} in `{name}`{anew} fit", counted(*lines, "new line"));
        let looked = match shown.first() {
            Some(first) if *fitting > self.most => {
                Looked::new(Verdict::No, format!("{summary}, more than {}: {first}", self.most), details)
            }
            _ => Looked::new(Verdict::Yes, summary, details),
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody counts lines beyond 2^53")]
        let measure = *fitting as f64;
        looked.measured(measure).of_samples(*lines)
    }
}
