//! `files`: what must be there, and what must be gone.

use std::path::PathBuf;

use serde_json::json;

use super::{Check, Kind, Looked, Scene};
use crate::plan::{Fields, Key, Shape, relative};
use crate::verdict::Verdict;

/// The kind `files`.
pub(super) static KIND: Kind = Kind {
    word: "files",
    doc: "paths that must exist, and paths that must be gone",
    keys: &[
        Key::optional("exist", Shape::Texts, "paths, relative to the project, that must be there"),
        Key::optional("gone", Shape::Texts, "paths, relative to the project, that must not be there"),
    ],
    read,
};

#[derive(Debug)]
struct FilesCheck {
    exist: Vec<PathBuf>,
    gone: Vec<PathBuf>,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this type")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let paths = |name: &str| -> Vec<PathBuf> {
        let texts = fields.placed_texts(name).unwrap_or_default();
        let what = format!("the path in `{name}`");
        texts.iter().filter_map(|(offset, text)| relative(text, *offset, &what, fields.findings())).collect()
    };
    let (exist, gone) = (paths("exist"), paths("gone"));
    let is_empty = |name: &str| !fields.has(name) || fields.is_empty_list(name);
    if is_empty("exist") && is_empty("gone") {
        let message = "a check of the kind `files` names no path";
        fields.findings().add(fields.offset(), message, "name paths in `exist` or `gone`");
    }
    Some(Box::new(FilesCheck { exist, gone }))
}

impl Check for FilesCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let (mut missing, mut left) = (Vec::new(), Vec::new());
        for (paths, wanted, wrong) in [(&self.exist, true, &mut missing), (&self.gone, false, &mut left)] {
            for path in paths {
                match scene.world.disk.look(&tree.join(path)) {
                    Ok(found) if found.is_some() == wanted => {}
                    Ok(_) => wrong.push(path.display().to_string()),
                    Err(error) => return Looked::unknown(error.to_string(), json!({})),
                }
            }
        }
        let looked_at = self.exist.len() + self.gone.len();
        let details = json!({"looked_at": looked_at, "missing": missing, "still_there": left});
        let mut wrong = Vec::new();
        if !missing.is_empty() {
            wrong.push(format!("missing: {}", missing.join(", ")));
        }
        if !left.is_empty() {
            wrong.push(format!("still there: {}", left.join(", ")));
        }
        if wrong.is_empty() {
            Looked::new(Verdict::Yes, self.agreement(), details)
        } else {
            Looked::new(Verdict::No, wrong.join("; "), details)
        }
    }
}

impl FilesCheck {
    /// That everything is as it must be: `2 paths that must be there are, 1 that must be gone is`.
    fn agreement(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (paths, wanted) in [(&self.exist, "there"), (&self.gone, "gone")] {
            let (noun, verb) = if paths.len() == 1 { ("path ", "is") } else { ("paths ", "are") };
            let noun = if parts.is_empty() { noun } else { "" };
            if !paths.is_empty() {
                parts.push(format!("{} {noun}that must be {wanted} {verb}", paths.len()));
            }
        }
        parts.join(", ")
    }
}
