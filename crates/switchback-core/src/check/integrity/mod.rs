//! `integrity`: declared data is what it was in the snapshot of the phase, file by file and record by record (RB-6).

mod bytes;
mod content;
mod counts;
mod declared;
mod json;
mod sqlite;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use self::content::{Pair, compare};
use self::counts::{Allowed, Outcome};
use self::declared::{Declared, Looks, Named};
use super::found::settle;
use super::{Check, Kind, Looked, SavedContent, Scene};
use crate::manifest::{self, Entry};
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind};

/// So many files that are not as they were stand in the evidence.
const LISTED_MAX: usize = 1_000;
/// So many digits of the id of a snapshot are shown.
const ID_DIGITS: usize = 8;

/// The kind `integrity`.
pub(super) static KIND: Kind = Kind {
    word: "integrity",
    doc: "declared data is what it was in the snapshot of the phase: no file missing or damaged, no record lost",
    keys: &[
        Key::required(
            "paths",
            Shape::Texts,
            "files and folders of data that the snapshot holds, in which `*` and `?` may stand",
        ),
        Key::optional(
            "key",
            Shape::Texts,
            "columns that together name a record; by position when left out, or where a file has no such column",
        ),
        Key::optional(
            "records",
            Shape::Word(&["same", "more", "any"]),
            "`same` as in the snapshot (when left out), `more` beside those, or `any` that can be read and are not fewer",
        ),
    ],
    read,
};

#[derive(Debug)]
struct IntegrityCheck {
    paths: Vec<Named>,
    key: Vec<String>,
    allowed: Allowed,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let allowed = match fields.word("records").as_deref() {
        Some("more") => Allowed::More,
        Some("any") => Allowed::Any,
        _ => Allowed::Same,
    };
    let mut key: Vec<String> = Vec::new();
    for (offset, column) in fields.placed_texts("key").unwrap_or_default() {
        if key.contains(&column) {
            let message = format!("the key names `{}` twice", shown(&column));
            fields.findings().add(offset, message, "name each column once");
        }
        key.push(column);
    }
    let mut paths = Vec::new();
    for (offset, text) in fields.placed_texts("paths")? {
        let path = relative(&text, offset, "the path of data", fields.findings());
        paths.extend(path.map(|path| Named::new(&path, offset)));
    }
    if fields.is_empty_list("paths") {
        fields.find(
            "paths",
            "a check of the kind `integrity` names no path",
            "name files or folders of data",
        );
    }
    Some(Box::new(IntegrityCheck { paths, key, allowed }))
}

impl Check for IntegrityCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        self.look_at_all(scene).unwrap_or_else(|why| Looked::unknown(why, json!({})))
    }

    fn saved(&self) -> Vec<(usize, PathBuf)> {
        self.paths.iter().map(|named| (named.offset, named.root.clone())).collect()
    }
}

/// A file that is there on both sides and is not the same byte by byte.
struct Differing {
    path: PathBuf,
    /// How large it is now.
    bytes: u64,
    /// What belongs to it and is in the snapshot: the log of a database.
    beside: Vec<PathBuf>,
}

/// What was found so far.
#[derive(Default)]
struct Found {
    /// Files that are the same byte by byte.
    equal: u64,
    outcomes: Vec<(PathBuf, Outcome)>,
    differing: Vec<Differing>,
    /// How many of the outcomes are about paths that mean no file.
    unmatched: u64,
}

impl IntegrityCheck {
    fn look_at_all(&self, scene: &Scene<'_>) -> Result<Looked, String> {
        let started = scene.world.clock.monotonic();
        let is_late = || scene.world.clock.monotonic().saturating_sub(started) >= scene.timeout;
        let saved = scene.saved.content()?;
        let tree = scene.trees.here()?;
        let declared = Declared::find(scene.world.disk.as_ref(), &tree, &saved, &self.paths)?;
        let mut found = Found::default();
        // What cannot be told of one file leaves what was seen of the others as it is.
        for path in declared.paths {
            let proved = if is_late() {
                Err(late(scene.timeout))
            } else {
                self.prove(scene, &tree, &saved, &path, &mut found)
            };
            if let Err(why) = proved {
                found.outcomes.push((path, Outcome::unknown(why)));
            }
        }
        let differing = std::mem::take(&mut found.differing);
        let restored = if differing.is_empty() { Ok(HashMap::new()) } else { restore(scene, &differing) };
        for (number, file) in differing.into_iter().enumerate() {
            let scratch = scene.out.join(format!("compared-{number}"));
            let (new, old_bytes) = (tree.join(&file.path), size_of(&saved, &file.path));
            let outcome = match restored.as_ref().map(|restored| restored.get(&file.path)) {
                Err(why) => Outcome::unknown(why),
                Ok(None) => Outcome::unknown("it was not brought back from the snapshot"),
                Ok(Some(_)) if is_late() => Outcome::unknown(late(scene.timeout)),
                Ok(Some(old)) => {
                    let (name, new_bytes) = (file.path.as_path(), file.bytes);
                    let pair = Pair { name, old, old_bytes, new: &new, new_bytes, scratch: &scratch };
                    compare(scene, &self.key, self.allowed, &pair).unwrap_or_else(Outcome::unknown)
                }
            };
            found.outcomes.push((file.path, outcome));
        }
        for text in declared.unmatched {
            let why = format!("the snapshot {} has no file there: nothing was compared", short(&saved.id));
            found.outcomes.push((PathBuf::from(text), Outcome::unknown(why)));
            found.unmatched += 1;
        }
        found.outcomes.sort_by(|one, two| one.0.cmp(&two.0));
        Ok(self.judge(&saved.id, found))
    }

    /// Looks at one file as far as that can be done without its content in the snapshot.
    fn prove(
        &self,
        scene: &Scene<'_>,
        tree: &Path,
        saved: &SavedContent,
        path: &Path,
        found: &mut Found,
    ) -> Result<(), String> {
        let disk = scene.world.disk.as_ref();
        let (entry, now) = (saved.manifest.get(path), Looks::at(disk, tree, saved, path)?);
        let outcome = match (entry.map(|entry| &entry.kind), now) {
            (None, Looks::Nothing) => return Ok(()),
            (None, _) => self.added(scene, &tree.join(path)),
            (Some(manifest::Kind::File { size, .. }), Looks::Nothing) => {
                Outcome::no(format!("missing; it had {}", counted(*size, "byte"))).sized(Some(*size), None)
            }
            (Some(_), Looks::Nothing) => Outcome::no("missing"),
            (Some(manifest::Kind::Symlink(target)), Looks::Link(now)) if *target == now => {
                found.equal += 1;
                return Ok(());
            }
            (Some(manifest::Kind::File { .. }), Looks::File { real, bytes }) => {
                let beside = beside_in(saved, path);
                if is_same(disk, entry, &real, bytes, &beside)? {
                    found.equal += 1;
                } else {
                    let beside = beside.into_iter().map(|entry| entry.path.clone()).collect();
                    found.differing.push(Differing { path: path.to_owned(), bytes, beside });
                }
                return Ok(());
            }
            (Some(manifest::Kind::Symlink(_)), Looks::Link(now)) => {
                Outcome::no(format!("it leads to `{}` now", now.display()))
            }
            (Some(manifest::Kind::Symlink(_)), _) => Outcome::no("it was a link and is none now"),
            (Some(_), _) => Outcome::no("it was a file and is none now"),
        };
        found.outcomes.push((path.to_owned(), outcome));
        Ok(())
    }

    /// A file that the snapshot does not have.
    fn added(&self, scene: &Scene<'_>, path: &Path) -> Outcome {
        if self.allowed == Allowed::Same {
            return Outcome::no("the snapshot does not have it");
        }
        match scene.comparer.read_through(path) {
            Ok(found) => match found.damage {
                Some(damage) => Outcome::no(format!("new, and damaged: {damage}")),
                None => Outcome::yes("new").counted(None, found.records),
            },
            Err(error) => Outcome::unknown(error.told()),
        }
    }

    fn judge(&self, id: &str, mut found: Found) -> Looked {
        let verdicts = found.outcomes.iter().map(|(_, outcome)| outcome.verdict);
        // Without a file there is nothing that says yes.
        let verdict = Verdict::all((found.equal > 0).then_some(Verdict::Yes).into_iter().chain(verdicts));
        // What decides comes first.
        found.outcomes.sort_by_key(|(_, outcome)| match outcome.verdict {
            one if one == verdict => 0,
            Verdict::No | Verdict::Unknown => 1,
            Verdict::Yes => 2,
        });
        let files = found.equal + found.outcomes.len() as u64 - found.unmatched;
        let not = found.outcomes.iter().filter(|(_, outcome)| outcome.verdict != Verdict::Yes).count();
        let summary = match (verdict, found.outcomes.first(), not) {
            (Verdict::Yes, ..) | (_, None, _) => agreement(id, &found),
            (_, Some(first), 1) => told(first),
            (_, Some(first), _) => format!("{}; {} more of {}", told(first), not - 1, counted(files, "file")),
        };
        let listed = || found.outcomes.iter().take(LISTED_MAX);
        let items: Vec<Value> = listed().flat_map(|(_, outcome)| outcome.items.clone()).collect();
        let mut details = json!({
            "snapshot": id,
            "records": self.allowed.word(),
            "files_looked_at": files,
            "files_equal_byte_by_byte": found.equal,
            "files": listed().map(|(path, outcome)| outcome.to_json(path)).collect::<Vec<_>>(),
        });
        if !items.is_empty() {
            details["comparison"] = json!({"items": items});
        }
        Looked::new(verdict, summary, details)
    }
}

/// Everything is as it may be: `3 files byte by byte as in the snapshot 1a2b3c4d; `a.csv`: 2 records added`.
fn agreement(id: &str, found: &Found) -> String {
    let equal = format!("{} byte by byte as in the snapshot {}", counted(found.equal, "file"), short(id));
    match found.outcomes.as_slice() {
        [] => equal,
        [one] if found.equal == 0 => format!("{}, beside the snapshot {}", told(one), short(id)),
        [one] => format!("{equal}; {}", told(one)),
        [one, rest @ ..] => {
            format!("{equal}; {}, and {} more", told(one), counted(rest.len() as u64, "file"))
        }
    }
}

/// Brings back what differs, and what belongs to it: where each path is then.
fn restore(scene: &Scene<'_>, differing: &[Differing]) -> Result<HashMap<PathBuf, PathBuf>, String> {
    let all = differing.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.beside));
    let wanted: Vec<PathBuf> = all.cloned().collect();
    let restored = scene.saved.restore(&wanted, &scene.out.join("snapshot"))?;
    Ok(wanted.into_iter().zip(restored).collect())
}

/// The entries that belong to a file in the snapshot: the log and the journal of a database.
fn beside_in<'s>(saved: &'s SavedContent, path: &Path) -> Vec<&'s Entry> {
    let beside = sqlite::BESIDE.iter().map(|ending| sqlite::with_ending(path, ending));
    beside.filter_map(|path| saved.manifest.get(&path)).collect()
}

/// Whether a file and what belongs to it are, byte by byte, what the manifest says.
fn is_same(
    disk: &dyn Disk,
    entry: Option<&Entry>,
    real: &Path,
    bytes: u64,
    beside: &[&Entry],
) -> Result<bool, String> {
    let is_entry = |entry: &Entry, real: &Path, bytes: u64| match entry.kind {
        manifest::Kind::File { size, hash } => {
            Ok(size == bytes && disk.hash(real).map_err(|error| error.to_string())? == hash)
        }
        _ => Ok::<bool, String>(false),
    };
    let Some(entry) = entry else { return Ok(false) };
    if !is_entry(entry, real, bytes)? {
        return Ok(false);
    }
    if !sqlite::is_database(disk, real)? {
        return Ok(true);
    }
    // What stands in the log of a database is not yet in its file.
    for ending in sqlite::BESIDE {
        let now = settle(disk, &sqlite::with_ending(real, ending))?;
        let now = now.filter(|(_, meta)| meta.kind == FileKind::File && meta.size > 0);
        let name = sqlite::with_ending(&entry.path, ending);
        let was = beside.iter().find(|entry| entry.path == name);
        let is_same = match (was, now) {
            (None, None) => true,
            (Some(was), Some((real, meta))) => is_entry(was, &real, meta.size)?,
            (Some(was), None) => matches!(was.kind, manifest::Kind::File { size: 0, .. }),
            (None, Some(_)) => false,
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn size_of(saved: &SavedContent, path: &Path) -> u64 {
    match saved.manifest.get(path).map(|entry| &entry.kind) {
        Some(manifest::Kind::File { size, .. }) => *size,
        _ => 0,
    }
}

fn told((path, outcome): &(PathBuf, Outcome)) -> String {
    format!("`{}`: {}", path.display(), outcome.told)
}

fn short(id: &str) -> &str {
    id.get(..ID_DIGITS).unwrap_or(id)
}

fn late(timeout: Duration) -> String {
    format!("the time ({} s) was up before it was looked at", timeout.as_secs())
}
