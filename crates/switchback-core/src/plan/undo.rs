//! What a phase says about taking it back in part: which paths only go back together, and which parts are rehearsed.

use std::path::{Path, PathBuf};

use super::Managed;
use super::fields::{Fields, PlacedList, shown};
use super::key::{Key, Shape};
use super::paths;

/// What of a phase goes back alone, and what only together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undo {
    /// Paths that only go back together: of each list all that the phase changed, or nothing.
    pub together: Vec<Vec<PathBuf>>,
    /// Parts that somebody may take back: each list is what `rollback --only` takes, and is rehearsed.
    pub only: Vec<Vec<PathBuf>>,
}

/// The key of [`Undo::together`].
pub(super) const TOGETHER: Key = Key::optional(
    "rollback_together",
    Shape::TextLists,
    "paths that only go back together: `rollback --only` takes all of a list or nothing of it",
);
/// The key of [`Undo::only`].
pub(super) const ONLY: Key = Key::optional(
    "rollback_only",
    Shape::TextLists,
    "parts that may be taken back, each a list of what `rollback --only` takes: each is rehearsed",
);

/// Reads both keys of a `[[phase]]`; `managed` is what its paths may stand in.
pub(super) fn read(fields: &Fields<'_>, managed: &[Managed]) -> Undo {
    let is_managed =
        |path: &Path| managed.iter().any(|one| path.starts_with(&one.path) || one.path.starts_with(path));
    let mut together = Vec::new();
    for list in fields.placed_lists(TOGETHER.name).unwrap_or_default() {
        let paths = paths_of(fields, &list, TOGETHER.name);
        for ((offset, _), path) in list.1.iter().zip(&paths).filter(|(_, path)| !is_managed(path)) {
            let message = format!(
                "`{}` names `{}`, which is not managed",
                TOGETHER.name,
                shown(&path.to_string_lossy())
            );
            fields.findings().add(*offset, message, "name managed paths, or what is below them");
        }
        together.push(paths);
    }
    let only = fields.placed_lists(ONLY.name).unwrap_or_default();
    let only = only.iter().map(|list| paths_of(fields, list, ONLY.name)).collect();
    Undo { together, only }
}

fn paths_of(fields: &Fields<'_>, (offset, texts): &PlacedList, key: &str) -> Vec<PathBuf> {
    if texts.is_empty() {
        let message = format!("`{key}` has a list without a path: it would say nothing");
        fields.findings().add(*offset, message, "name a path, or take the list out");
    }
    let what = format!("the path in `{key}`");
    let read = |(at, text): &(usize, String)| paths::relative(text, *at, &what, fields.findings());
    texts.iter().filter_map(read).collect()
}
