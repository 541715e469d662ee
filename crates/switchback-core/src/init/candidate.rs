//! Where the candidate comes from: as asked for, or the last commit, or a line that is still to be written.

use std::path::Path;

use super::InitError;
use super::history::{self, History};
use super::layout::{Item, Layout};
use super::listing::{self, Listing};
use super::names;
use crate::plan::shown;
use crate::world::{FileKind, World};

/// How the candidate of the written plan is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The `from` of a change of the kind `files`; nothing: a change of the kind `command` that does nothing yet.
    pub from: Option<String>,
    /// What it is, and on what ground: sentences.
    pub why: Vec<String>,
    /// Branches and tags that could be one, newest first.
    pub others: Vec<String>,
}

/// The tree that was named as the candidate.
#[derive(Debug)]
pub(super) enum Source {
    /// What stands in it.
    Known(Listing),
    /// An archive: what stands in it is seen when the plan is tried.
    Packed,
}

/// Looks at the source that `--from` names.
pub(super) fn open(world: &World, root: &Path, from: &str) -> Result<Source, InitError> {
    let refused = |why: String| InitError::Source { from: shown(from), why };
    if from.trim().is_empty() || from.chars().any(char::is_control) {
        return Err(refused("is no name of a folder, a revision or an archive".to_owned()));
    }
    if let Some(revision) = from.strip_prefix("git:") {
        return history::listing(world, root, revision)
            .map(Source::Known)
            .map_err(|why| refused(format!("is no revision that git has: {why}")));
    }
    let path = root.join(from);
    match world.disk.look(&path)?.map(|meta| meta.kind) {
        Some(FileKind::Directory) if same_folder(world, &path, root)? => {
            Err(refused("is the project itself".to_owned()))
        }
        Some(FileKind::Directory) => Ok(Source::Known(listing::look(world, &path, None)?)),
        Some(FileKind::File) => Ok(Source::Packed),
        Some(_) => Err(refused("is neither a folder nor an archive".to_owned())),
        None => Err(refused("does not exist".to_owned())),
    }
}

fn same_folder(world: &World, one: &Path, other: &Path) -> Result<bool, InitError> {
    let identity = |path: &Path| -> Result<_, InitError> {
        Ok(world.disk.look(&path.join("."))?.map(|meta| meta.identity))
    };
    Ok(identity(one)? == identity(other)?)
}

/// The folder of the project that the candidate stands in, when it does.
pub(super) fn inside(from: &str) -> Option<String> {
    let clean = from.trim_start_matches("./").trim_end_matches('/');
    let is_inside = !from.starts_with("git:") && !from.starts_with('/') && !clean.starts_with("..");
    is_inside.then(|| clean.to_owned())
}

/// Adds to the managed paths what only the candidate has. Returns what could not be added, in words.
pub(super) fn join(layout: &mut Layout, candidate: &Layout) -> Vec<String> {
    let mut left = Vec::new();
    for item in &candidate.managed {
        let is_known = layout.is_managed(&item.path);
        let holds_known = layout.managed.iter().any(|known| names::is_below(&known.path, &item.path));
        if holds_known && !is_known {
            left.push(item.path.clone());
        } else if !is_known {
            let what = format!("only in the candidate: {}", item.what);
            layout.managed.push(Item { what, ..item.clone() });
        }
    }
    layout.managed.sort_by(|one, other| one.path.cmp(&other.path));
    left
}

/// Decides where the candidate comes from.
pub(super) fn choose(from: Option<&str>, history: Option<&History>) -> Candidate {
    let others = history.map(|history| history.others.clone()).unwrap_or_default();
    if let Some(from) = from {
        let why = vec!["As `--from` named it.".to_owned()];
        return Candidate { from: Some(from.to_owned()), why, others };
    }
    let nothing = |reason: String| nothing_yet(reason, others.clone());
    let Some(history) = history else {
        return nothing("No candidate was named, and the project is in no git repository.".to_owned());
    };
    if let Some(why) = &history.unusable {
        return nothing(format!("No candidate was named, and none is taken from git: {why}."));
    }
    if !history.changed.is_empty() {
        return nothing(format!(
            "No candidate was named. It is not the last commit, because that would take back what is not committed yet: {}.",
            listing::named(&history.changed)
        ));
    }
    let why = "The last commit, because no candidate was named. It is what is live now, so a run stops when the \
               candidate is staged, and nothing is touched: put the branch, tag or commit here that is to go live";
    let why = match history.others.first() {
        Some(other) => format!("{why}, e.g. `git:{}`, which has commits that are not live.", shown(other)),
        None => format!("{why}."),
    };
    Candidate { from: Some("git:HEAD".to_owned()), why: vec![why], others }
}

/// The same without its `from`, which did not work.
pub(super) fn without(candidate: &Candidate, why: &str) -> Candidate {
    let reason = format!("No candidate was named. The last commit was tried, and cannot be one: {why}.");
    nothing_yet(reason, candidate.others.clone())
}

/// A candidate that is still to be made.
fn nothing_yet(reason: String, others: Vec<String>) -> Candidate {
    let then = "So this line changes nothing yet: a run stops when the candidate is staged, because it is the same as \
                what is live, and nothing is touched. Write the command that makes the change (it runs in a copy of the \
                project), or name a ready tree:";
    Candidate { from: None, why: vec![reason, then.to_owned()], others }
}
