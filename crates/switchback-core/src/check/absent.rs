//! `absent`: text that must not stand in the files of the project, such as paths of fixtures in production code (RE-13).

use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::json;

use super::{Check, Kind, Looked, Scene};
use crate::pattern;
use crate::plan::{Fields, Key, Shape, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind};

/// A larger file is not looked into.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// More files than that are a pattern that was not meant.
const FILES_MAX: usize = 100_000;
/// Folders within folders.
const DEPTH_MAX: usize = 64;
/// How many places are named in a summary, and how many in the evidence.
const NAMED_MAX: usize = 3;
const KEPT_MAX: usize = 1_000;
/// Folders whose files are nobody's: those of tools, and of environments.
const FOREIGN: &[&str] = &[".git", ".switchback", ".venv", "venv", "node_modules", "__pycache__"];

/// The kind `absent`.
pub(super) static KIND: Kind = Kind {
    word: "absent",
    doc: "text that must not stand in the files of the project",
    keys: &[
        Key::required("patterns", Shape::Texts, "regular expressions; no line may match any of them"),
        Key::required(
            "paths",
            Shape::Texts,
            "the files that are looked at: paths, in which `*` and `?` may stand",
        ),
        Key::optional("except", Shape::Texts, "files among these that may hold it"),
    ],
    read,
};

#[derive(Debug)]
struct AbsentCheck {
    patterns: Vec<Regex>,
    paths: Vec<String>,
    except: Vec<String>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let mut patterns = Vec::new();
    for (offset, text) in fields.placed_texts("patterns").unwrap_or_default() {
        match Regex::new(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(_) => fields.findings().add(
                offset,
                format!("`{}` is no regular expression", shown(&text)),
                "correct it; a point and a bracket are written `\\.` and `\\[`",
            ),
        }
    }
    for name in ["patterns", "paths"] {
        if fields.is_empty_list(name) {
            fields.find(
                name,
                format!("`{name}` in {} is empty: nothing would be looked for", fields.title()),
                "name one",
            );
        }
    }
    let paths = fields.texts("paths");
    let except = fields.texts("except").unwrap_or_default();
    Some(Box::new(AbsentCheck { patterns, paths: paths?, except }))
}

/// A line that matches.
struct Found {
    place: String,
    pattern: String,
    line: String,
}

impl Check for AbsentCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let looked = scene.trees.here().and_then(|tree| self.look_through(scene.world.disk.as_ref(), &tree));
        let (files, skipped, found) = match looked {
            Ok(looked) => looked,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let listed = found.iter().take(KEPT_MAX);
        let listed = listed.map(|one| json!({"place": one.place, "pattern": one.pattern, "line": one.line}));
        let mut details = json!({"files": files, "skipped": skipped, "found": listed.collect::<Vec<_>>()});
        if found.len() > KEPT_MAX {
            details["found_left_out"] = json!(found.len() - KEPT_MAX);
        }
        let looked_at = counted(files, "file");
        if !found.is_empty() {
            let mut named: Vec<String> =
                found.iter().take(NAMED_MAX).map(|one| format!("{}: {}", one.place, one.line)).collect();
            if found.len() > NAMED_MAX {
                named.push(format!("and {} more", found.len() - NAMED_MAX));
            }
            return Looked::new(Verdict::No, format!("{looked_at}; {}", named.join("; ")), details);
        }
        if files == 0 {
            return Looked::unknown(format!("no text file fits {}", self.paths.join(", ")), details);
        }
        if let Some(first) = skipped.first() {
            return Looked::unknown(format!("`{first}` is too large to be looked into"), details);
        }
        Looked::new(
            Verdict::Yes,
            format!("{looked_at}, none of {} in them", counted(self.patterns.len() as u64, "pattern")),
            details,
        )
    }
}

impl AbsentCheck {
    /// How many text files were looked into, those that were too large, and every line that matches.
    fn look_through(&self, disk: &dyn Disk, tree: &Path) -> Result<(u64, Vec<String>, Vec<Found>), String> {
        let (mut files, mut skipped, mut found) = (0, Vec::new(), Vec::new());
        for path in self.files(disk, tree)? {
            let name = path.to_string_lossy().into_owned();
            let meta = disk.look(&tree.join(&path)).map_err(|error| error.to_string())?;
            if meta.is_none_or(|meta| meta.size > FILE_BYTES_MAX) {
                skipped.push(name);
                continue;
            }
            let bytes = disk.read(&tree.join(&path), FILE_BYTES_MAX).map_err(|error| error.to_string())?;
            // What holds a NUL is no text.
            if bytes.contains(&0) {
                continue;
            }
            files += 1;
            for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                if let Some(pattern) = self.patterns.iter().find(|pattern| pattern.is_match(line)) {
                    found.push(Found {
                        place: format!("{name}:{}", number + 1),
                        pattern: pattern.as_str().to_owned(),
                        line: shown(line.trim()),
                    });
                }
            }
        }
        Ok((files, skipped, found))
    }

    fn files(&self, disk: &dyn Disk, tree: &Path) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        let mut waiting = vec![(PathBuf::new(), 0)];
        while let Some((folder, depth)) = waiting.pop() {
            for name in disk.list(&tree.join(&folder)).map_err(|error| error.to_string())? {
                let path = folder.join(&name);
                let Some(meta) = disk.look(&tree.join(&path)).map_err(|error| error.to_string())? else {
                    continue;
                };
                let is_foreign = FOREIGN.iter().any(|foreign| name.as_os_str() == *foreign);
                match meta.kind {
                    FileKind::Directory if depth < DEPTH_MAX && !is_foreign => {
                        waiting.push((path, depth + 1));
                    }
                    FileKind::File if self.means(&path) => found.push(path),
                    _ => {}
                }
            }
            if found.len() > FILES_MAX {
                return Err(format!("more than {FILES_MAX} files fit {}", self.paths.join(", ")));
            }
        }
        found.sort();
        Ok(found)
    }

    fn means(&self, path: &Path) -> bool {
        let name = path.to_string_lossy();
        let fits = |wanted: &String| {
            let wanted = wanted.trim_end_matches('/');
            pattern::fits(wanted, &name)
                || name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
        };
        self.paths.iter().any(fits) && !self.except.iter().any(fits)
    }
}
