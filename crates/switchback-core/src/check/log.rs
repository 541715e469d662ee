//! `log`: how often a pattern stands in what was written to a log since the last look (PC-9).

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Moment, Shape, relative, shown};
use crate::quantity::counted;
use crate::secret::clean_output;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind};

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
    /// What was found earlier in the same log; a plan may have named another one then.
    fn of(details: &Value, path: &Path) -> Option<Self> {
        let then: PathBuf = details["path"].as_str()?.into();
        (then == path).then_some(())?;
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

/// Whether a log that was put aside is called so by those who rotate logs: a number or a date behind the name of the log.
fn is_rotated(end: &str) -> bool {
    let mut characters = end.chars();
    matches!(characters.next(), Some('.' | '-'))
        && characters.next().is_some_and(|first| first.is_ascii_digit())
        && characters.all(|one| one.is_ascii_digit() || "._T:-".contains(one))
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
    fn counts_samples(&self) -> bool {
        true
    }

    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut earlier = [scene.last, scene.before].into_iter().flatten();
        let last = earlier.find_map(|details| Position::of(details, &self.path));
        let could_not = |why: String| {
            let mut details = json!({"path": self.path});
            // The next look goes on where the last one that saw the log ended.
            if let Some(last) = &last {
                (details["mark"], details["read_to"]) = (json!(last.mark), json!(last.bytes));
            }
            Looked::unknown(why, details)
        };
        let path = match scene.trees.here() {
            Ok(_) if self.path.is_absolute() => self.path.clone(),
            Ok(tree) => tree.join(&self.path),
            Err(why) => return could_not(why),
        };
        let name = self.path.display();
        let meta = match scene.world.disk.look(&path) {
            Ok(Some(meta)) if meta.kind == FileKind::File => meta,
            Ok(_) => return could_not(format!("there is no file `{name}`")),
            Err(error) => return could_not(error.to_string()),
        };
        let looked = match &last {
            Some(last) => self.look_on(scene, &path, last, meta.size),
            None => self.first_look(scene, &path, meta.size),
        };
        looked.unwrap_or_else(|why| could_not(format!("`{name}` could not be read: {why}")))
    }
}

/// Where what was written between two looks stands.
enum Since {
    /// All of it in the log.
    Same,
    /// The log began anew, and what was written before that stands in files beside it, the first of them of this name.
    Aside(String),
    /// The log began anew, and what was written before that is not to be found.
    Lost,
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

    /// Looks at what was written since the last look. Of a log that was put aside the rest is read first.
    fn look_on(&self, scene: &Scene<'_>, path: &Path, last: &Position, bytes: u64) -> Result<Looked, String> {
        let disk = scene.world.disk.as_ref();
        let mut file = disk.open_seekable(path).map_err(|error| error.to_string())?;
        let mut written = Written::default();
        let since = if is_marked(&mut file, bytes, last).map_err(|error| error.to_string())? {
            Since::Same
        } else {
            self.read_aside(disk, path, last, &mut written)?
        };
        let from = if matches!(since, Since::Same) { last.bytes } else { 0 };
        self.read_on(&mut file, from, true, &mut written).map_err(|error| error.to_string())?;
        let mark = mark(&mut file, written.read_to).map_err(|error| error.to_string())?;
        Ok(self.judge(&written, &mark, &since))
    }

    /// Reads what was written to a log after the last look and before it was put aside, and all of those that were put aside
    /// after it.
    fn read_aside(
        &self,
        disk: &dyn Disk,
        path: &Path,
        last: &Position,
        written: &mut Written,
    ) -> Result<Since, String> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(Since::Lost) };
        let name = name.to_string_lossy();
        let beside = disk.look_inside(folder).map_err(|error| error.to_string())?.into_iter();
        let mut aside: Vec<(i128, String, u64)> = beside
            .filter(|(_, meta)| meta.kind == FileKind::File)
            .map(|(other, meta)| (meta.mtime_ns, other.to_string_lossy().into_owned(), meta.size))
            .filter(|(_, other, _)| other.strip_prefix(&*name).is_some_and(is_rotated))
            .collect();
        aside.sort();
        let mut first = None;
        for (_, other, bytes) in aside {
            let mut file = disk.open_seekable(&folder.join(&other)).map_err(|error| error.to_string())?;
            if first.is_some() {
                self.read_on(&mut file, 0, false, written).map_err(|error| error.to_string())?;
            } else if last.bytes > 0
                && is_marked(&mut file, bytes, last).map_err(|error| error.to_string())?
            {
                self.read_on(&mut file, last.bytes, false, written).map_err(|error| error.to_string())?;
                first = Some(other);
            }
        }
        Ok(first.map_or(Since::Lost, Since::Aside))
    }

    /// Reads from a byte on to the end. `grows`: its last line may still be written to, and is read when it is whole.
    fn read_on(
        &self,
        file: &mut (impl Read + Seek),
        from: u64,
        grows: bool,
        written: &mut Written,
    ) -> std::io::Result<()> {
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(file);
        written.read_to = from;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? as u64;
            if read == 0 || (grows && read < LINE_BYTES_MAX && line.last() != Some(&b'\n')) {
                return Ok(());
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

    fn judge(&self, written: &Written, mark: &str, since: &Since) -> Looked {
        let Written { lines, fitting, shown: lines_shown, read_to } = written;
        let name = self.path.display();
        let details = json!({
            "path": self.path, "pattern": self.pattern.as_str(), "lines": lines, "fitting": fitting, "shown": lines_shown,
            "mark": mark, "read_to": read_to, "is_another_file": !matches!(since, Since::Same),
        });
        let is_no = *fitting > self.most;
        if *lines == 0 && !self.may_be_silent && !matches!(since, Since::Lost) {
            return Looked::unknown(format!("nothing was written to `{name}` since the last look"), details);
        }
        if matches!(since, Since::Lost) && !is_no {
            let why = format!(
                "`{name}` began anew, and what was written to it between the last look and then is in no file beside it"
            );
            return Looked::unknown(why, details);
        }
        let anew = match since {
            Since::Same => String::new(),
            Since::Aside(other) => format!(" (it began anew; `{}` was read to its end)", shown(other)),
            Since::Lost => " (it began anew)".to_owned(),
        };
        let summary = format!("{fitting} of {} in `{name}`{anew} fit", counted(*lines, "new line"));
        let looked = match lines_shown.first() {
            Some(first) if is_no => {
                Looked::new(Verdict::No, format!("{summary}, more than {}: {first}", self.most), details)
            }
            _ => Looked::new(Verdict::Yes, summary, details),
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody counts lines beyond 2^53")]
        let measure = *fitting as f64;
        looked.measured(measure).of_samples(*lines)
    }
}

/// Whether a file has what was read of the log, as far as it was read.
fn is_marked(file: &mut (impl Read + Seek), bytes: u64, last: &Position) -> std::io::Result<bool> {
    Ok(last.bytes <= bytes && mark(file, last.bytes)? == last.mark)
}
