//! What only goes back together: the lists of the plan, and the pointer with the links that lead through it.
//!
//! It is looked at before a rollback of a part touches anything. A rollback of the whole phase never parts anything.

use std::path::{Path, PathBuf};

use super::error::StepError;
use super::gate::load_manifest;
use super::layout;
use super::parts::{entry_at, files_of, is_same, shown};
use super::project::Work;
use super::roll_back::LiveTransaction;
use crate::manifest::Manifest;
use crate::tree::exchange::Participant;

/// Looks whether what is taken back (`restored`: exchanged paths, or files) is all of each list of the plan that it has
/// something of.
///
/// # Errors
///
/// When it is not: what would be left, and what would take all of it back.
pub(super) fn look(
    work: &Work<'_>,
    live: &LiveTransaction<'_>,
    restored: &[PathBuf],
) -> Result<(), StepError> {
    let Some(phase) = work.plan().phase(&live.prepare.phase) else { return Ok(()) };
    if phase.undo.together.is_empty() {
        return Ok(());
    }
    let staged = work.history().of_transaction(&live.id).and_then(|history| history.staged.clone());
    let Some(staged) = staged else {
        // A rollback in an emergency does not wait for a journal: then the paths themselves have to say it.
        return phase.undo.together.iter().try_for_each(|list| {
            let paths: Vec<Changed> = list.iter().map(|path| Changed::alone(path)).collect();
            look_at(work, live, restored, list, &paths)
        });
    };
    let sides =
        Sides { old: load_manifest(work, &staged.old_tree)?, new: load_manifest(work, &staged.new_tree)? };
    let differing = files_of(&sides.old, &sides.new);
    for list in &phase.undo.together {
        let is_listed = |path: &Path| list.iter().any(|one| path.starts_with(one));
        let mut changed: Vec<Changed> = differing
            .iter()
            .filter(|path| is_listed(path))
            .map(|path| Changed { path: path.clone(), old: Some(&sides.old) })
            .collect();
        let environments = staged.exchanged_environments().map(|one| Path::new(&one.path));
        changed.extend(environments.filter(|path| is_listed(path)).map(Changed::alone));
        look_at(work, live, restored, list, &changed)?;
    }
    Ok(())
}

/// The trees before and after the phase.
struct Sides {
    old: Manifest,
    new: Manifest,
}

/// A path that the phase changed.
struct Changed<'m> {
    path: PathBuf,
    /// What it was, where that is known.
    old: Option<&'m Manifest>,
}

impl Changed<'_> {
    fn alone(path: &Path) -> Self {
        Self { path: path.to_owned(), old: None }
    }

    /// Whether an earlier rollback brought it back.
    fn is_back(&self, work: &Work<'_>, live: &LiveTransaction<'_>) -> bool {
        let back: Vec<&Path> = live.back_already().collect();
        if is_covered(work, &self.path, &back) {
            return true;
        }
        let Some(old) = self.old else { return false };
        // What cannot be read is not back.
        let there = entry_at(work, &work.project.root.join(&self.path), &self.path);
        there.is_ok_and(|there| is_same(there.as_ref(), old.get(&self.path)))
    }
}

/// Whether a path is, or is in, one of those that go back. With the pointer goes every managed path.
fn is_covered(work: &Work<'_>, path: &Path, restored: &[&Path]) -> bool {
    let managed = &work.plan().project.managed;
    restored.iter().any(|one| {
        path.starts_with(one)
            || (**one == layout::pointer() && managed.iter().any(|managed| path.starts_with(&managed.path)))
    })
}

fn look_at(
    work: &Work<'_>,
    live: &LiveTransaction<'_>,
    restored: &[PathBuf],
    list: &[PathBuf],
    changed: &[Changed<'_>],
) -> Result<(), StepError> {
    let restored: Vec<&Path> = restored.iter().map(PathBuf::as_path).collect();
    let (back, stays): (Vec<_>, Vec<_>) =
        changed.iter().partition(|one| is_covered(work, &one.path, &restored));
    let Some(taken) = back.first() else { return Ok(()) };
    let Some(left) = stays.iter().find(|one| !one.is_back(work, live)) else { return Ok(()) };
    let all: Vec<String> = list.iter().map(|path| format!("`{}`", shown(path))).collect();
    let words: Vec<String> = list.iter().map(|path| format!("--only {}", shown(path))).collect();
    let whole = if all.len() == 1 { "as a whole" } else { "together" };
    Err(StepError::not_now(
        format!(
            "{} of the phase `{}` only go{} back {whole} (`rollback_together` in `switchback.toml`): this would take back \
             `{}` and leave `{}`",
            all.join(" and "),
            live.prepare.phase,
            if all.len() == 1 { "es" } else { "" },
            shown(&taken.path),
            shown(&left.path)
        ),
        format!(
            "take all of it back: `switchback rollback {}`, or the phase: `switchback rollback`",
            words.join(" ")
        ),
    ))
}

/// Looks whether a rollback of some exchanged paths leaves links that lead through a pointer which leads elsewhere by then.
///
/// # Errors
///
/// When it would: such a phase goes back as a whole.
pub(super) fn look_at_layout(work: &Work<'_>, live: &LiveTransaction<'_>) -> Result<(), StepError> {
    let is_pointer = |one: &Participant| matches!(one, Participant::Pointer { .. });
    if !live.prepare.participants.iter().any(is_pointer) {
        return Ok(());
    }
    let managed = &work.plan().project.managed;
    let is_of_tree =
        |path: &Path| path == layout::pointer() || managed.iter().any(|managed| managed.path == path);
    let all = live.prepare.participants.iter().filter(|one| is_of_tree(one.live())).count();
    let back = live.back_already().filter(|path| is_of_tree(path)).count();
    let taken = live.participants().filter(|one| is_of_tree(one.live())).count();
    if taken == 0 || taken + back == all {
        return Ok(());
    }
    Err(StepError::not_now(
        format!(
            "the phase `{}` made its managed paths links through a pointer, or took such links away: these go back together",
            live.prepare.phase
        ),
        "roll the whole phase back: `switchback rollback`",
    ))
}
