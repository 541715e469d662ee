//! What changes of code have in common: their keys, what they may write, and the writing.

use std::path::Path;

use super::{ChangeError, FileCounts, Stage};
use crate::code::{MoveRequest, Rewrite};
use crate::plan::{Fields, Key, STATE_FOLDER, Shape};
use crate::tree::copy::remove_tree;
use crate::tree::rewrite::rewrite;
use crate::verdict::Verdict;

/// How many paths or reasons an error names.
const NAMED_MAX: usize = 5;

pub(super) const SHIMS: Key = Key::optional(
    "shims",
    Shape::Table(&[Key::optional(
        "remove_after",
        Shape::Text,
        "the day after which the old names may go, `YYYY-MM-DD`; shims name it when they warn",
    )]),
    "the old names stay importable, and warn",
);
pub(super) const TEXT: Key =
    Key::optional("text", Shape::Flag, "`false`: files that are no code are left as they are");

/// What these keys say of a move: everything but what moves.
pub(super) fn follow(fields: &Fields<'_>) -> MoveRequest {
    let shims = fields.table("shims");
    let day = shims.as_ref().and_then(|shims| shims.day("remove_after"));
    MoveRequest {
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        python_path: fields.texts("python_path").unwrap_or_default(),
        shims: shims.is_some(),
        remove_after: day.map(|day| day.to_string()),
        with_text: fields.flag("text").unwrap_or(true),
        ..MoveRequest::default()
    }
}

/// A rewrite that is proved and stays within the managed paths; `what` it is, in a few words.
pub(super) fn allowed(stage: &Stage<'_>, what: &str, rewrite: Rewrite) -> Result<Rewrite, ChangeError> {
    let what = what.to_owned();
    if rewrite.verdict != Verdict::Yes {
        let why = if rewrite.against.is_empty() { rewrite.summary } else { some_of(&rewrite.against) };
        return Err(ChangeError::Refuted { what, why });
    }
    let strangers: Vec<String> = rewrite
        .puts
        .iter()
        .filter(|(path, _)| !stage.managed.iter().any(|managed| path.starts_with(&managed.path)))
        .map(|(path, _)| format!("`{}`", path.display()))
        .collect();
    if strangers.is_empty() {
        return Ok(rewrite);
    }
    Err(ChangeError::Unmanaged { what, paths: some_of(&strangers) })
}

/// What a rewrite of the live project would do to its files; nothing where that cannot be told.
pub(super) fn preview(
    stage: &Stage<'_>,
    work_out: impl FnOnce(&Path) -> Result<Rewrite, ChangeError>,
) -> Result<Option<FileCounts>, ChangeError> {
    if stage.live != stage.root {
        // The managed paths are links there, and what they lead to is no project.
        return Ok(None);
    }
    let rewrite = work_out(stage.root)?;
    Ok(Some(FileCounts { added: rewrite.created, removed: 0, changed: rewrite.edited, moved: rewrite.moved }))
}

/// Writes a rewrite into the candidate.
pub(super) fn carry_out(stage: &Stage<'_>, what: &str, worked_out: &Rewrite) -> Result<(), ChangeError> {
    if worked_out.puts.is_empty() {
        return Ok(());
    }
    rewrite(stage.world, stage.tree, what, &worked_out.puts)?;
    // The candidate is thrown away as a whole: nothing in it is ever taken back.
    Ok(remove_tree(stage.world.disk.as_ref(), &stage.tree.join(STATE_FOLDER))?)
}

fn some_of(lines: &[String]) -> String {
    let mut told: Vec<String> = lines.iter().take(NAMED_MAX).cloned().collect();
    if lines.len() > NAMED_MAX {
        told.push(format!("and {} more", lines.len() - NAMED_MAX));
    }
    told.join("; ")
}
