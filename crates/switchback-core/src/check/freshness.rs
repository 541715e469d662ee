//! `freshness`: something was written not too long ago (PC-9).

use std::path::{Path, PathBuf};

use serde_json::json;

use super::found::settle;
use super::{Check, Kind, Looked, Scene};
use crate::pattern;
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::quantity::duration_ns;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind, Meta};

/// The kind `freshness`.
pub(super) static KIND: Kind = Kind {
    word: "freshness",
    doc: "a file, or the newest of several, was written not too long ago",
    keys: &[
        Key::required(
            "path",
            Shape::Text,
            "a file, a folder (its newest file counts), or a folder and a pattern for names, e.g. `data/out/*.csv`",
        ),
        Key::required("within", Shape::Text, "how old it may be, e.g. `\"15m\"`, `\"24h\"`"),
        Key::optional("least_bytes", Shape::Whole, "a shorter file does not count; 1 when left out"),
    ],
    read,
};

#[derive(Debug)]
struct FreshnessCheck {
    path: PathBuf,
    within_ns: i128,
    least_bytes: u64,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let within = fields.filled_text("within").and_then(|text| {
        let found = duration_ns(&text).filter(|within| *within > 0);
        if found.is_none() {
            let message = format!("`within` is `{}`, which is no duration", shown(&text));
            fields.find("within", message, "e.g. `\"15m\"`, `\"24h\"`");
        }
        found
    });
    let path = fields.filled_text("path").and_then(|text| {
        let folder = Path::new(&text).parent();
        if folder.is_some_and(|folder| is_pattern(&folder.to_string_lossy())) {
            fields.find("path", "only the last name may be a pattern", "e.g. `data/out/*.csv`");
            return None;
        }
        relative(&text, fields.offset_of("path"), "the path in `path`", fields.findings())
    });
    let least_bytes = fields.whole("least_bytes").unwrap_or(1);
    Some(Box::new(FreshnessCheck { path: path?, within_ns: within?.into(), least_bytes }))
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

impl Check for FreshnessCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let details = json!({"path": self.path});
        let root = match scene.trees.here() {
            Ok(root) => root,
            Err(why) => return Looked::unknown(why, details),
        };
        let mut newest = None;
        if let Err(error) = self.find(scene.world.disk.as_ref(), &root, &mut newest) {
            return Looked::unknown(error, details);
        }
        let shown_path = self.path.display();
        let Some((path, meta)) = newest else {
            // What is not there is no old file: somebody may be about to write the first one.
            return Looked::unknown(format!("there is no file at `{shown_path}` that counts"), details);
        };
        let age_ns = scene.world.clock.now().as_nanosecond() - meta.mtime_ns;
        let path = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        let seconds = seconds(age_ns);
        let details = json!({"path": self.path, "newest": path, "age_seconds": seconds, "bytes": meta.size});
        if age_ns < 0 {
            return Looked::unknown(
                format!("`{path}` is of the future: one of the clocks is wrong"),
                details,
            );
        }
        let summary = format!("`{path}` was written {seconds:.0} s ago");
        if age_ns <= self.within_ns {
            Looked::new(Verdict::Yes, summary, details)
        } else {
            let allowed = self::seconds(self.within_ns);
            Looked::new(Verdict::No, format!("{summary}, more than {allowed:.0} s"), details)
        }
        .measured(seconds)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an age is shown, and compared with another one, in seconds")]
fn seconds(ns: i128) -> f64 {
    ns as f64 / 1e9
}

impl FreshnessCheck {
    /// The newest file that counts, by the path at which it is named.
    fn find(&self, disk: &dyn Disk, root: &Path, newest: &mut Option<(PathBuf, Meta)>) -> Result<(), String> {
        let path = root.join(&self.path);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !is_pattern(&name) {
            return self.visit(disk, path, newest);
        }
        let folder = path.parent().unwrap_or(root).to_owned();
        let Some((real, _)) = settle(disk, &folder)? else { return Ok(()) };
        for child in disk.list(&real).map_err(|error| error.to_string())? {
            if pattern::fits(&name, &child.to_string_lossy()) {
                self.visit(disk, folder.join(child), newest)?;
            }
        }
        Ok(())
    }

    /// Looks at a path that may be a link, through the pointer or into the live project, and at everything below it.
    fn visit(
        &self,
        disk: &dyn Disk,
        path: PathBuf,
        newest: &mut Option<(PathBuf, Meta)>,
    ) -> Result<(), String> {
        let Some((real, meta)) = settle(disk, &path)? else { return Ok(()) };
        let mut waiting = vec![(path, real, meta)];
        while let Some((path, real, meta)) = waiting.pop() {
            match meta.kind {
                FileKind::Directory => {
                    for child in disk.list(&real).map_err(|error| error.to_string())? {
                        let inside = real.join(&child);
                        let meta = disk.look(&inside).map_err(|error| error.to_string())?;
                        waiting.extend(meta.map(|meta| (path.join(&child), inside, meta)));
                    }
                }
                FileKind::File
                    if meta.size >= self.least_bytes
                        && newest.as_ref().is_none_or(|(_, known)| known.mtime_ns < meta.mtime_ns) =>
                {
                    *newest = Some((path, meta));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
