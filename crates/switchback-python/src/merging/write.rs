//! The writing of a merge: all of it or nothing, and only onto what was planned with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use switchback_core::tree::rewrite::{Put, RewriteError, Rewritten, rewrite};
use switchback_core::verdict::Verdict;
use switchback_core::world::{DiskError, FileKind, World};

use super::file::Content;
use super::plan::MergePlan;
use super::side::{There, link_print};
use super::users::is_as_it_was as is_user_as_it_was;

/// A merge that was not written. The tree is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MergeWriteError {
    /// The writing itself.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// A file changed since it was read.
    #[error("`{0}` changed while the merge was planned")]
    Changed(String),
    /// Something is open or lost.
    #[error(
        "the merge is not proved: {open} conflicts are open, {lost} names are lost, {broken} files do not parse"
    )]
    Refuted {
        /// Conflicts that nobody decided.
        open: usize,
        /// Definitions and tests that are lost.
        lost: usize,
        /// Files that do not parse.
        broken: usize,
    },
    /// A file takes the place of a folder, or a folder that of a file.
    #[error("`{0}` would change from a file to a folder, or back: remove it first, then merge")]
    KindChange(String),
    /// There is no folder in the project that the merged tree could take the place of.
    #[error("the target is no folder of the project")]
    NoFolder,
}

impl From<DiskError> for MergeWriteError {
    fn from(error: DiskError) -> Self {
        Self::Rewrite(RewriteError::Disk(error))
    }
}

/// How a merge is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteChoice {
    /// Write although conflicts are open, with markers as git writes them.
    pub with_markers: bool,
}

/// Writes what `plan` says; `command` is kept for people.
///
/// # Errors
///
/// When the merge is not proved, when a file changed since, when the disk fails: the tree is as it was.
pub fn write(
    world: &World,
    plan: &MergePlan,
    choice: WriteChoice,
    command: &str,
) -> Result<Rewritten, MergeWriteError> {
    let puts = puts(plan, choice)?;
    let sources: &BTreeMap<String, There> = if plan.source.is_some() { &plan.source_there } else { &NONE };
    for (path, _) in &puts {
        let path = path.to_string_lossy();
        if let Some(user) = plan.users.iter().find(|user| user.path == path) {
            if !is_user_as_it_was(world, &plan.root, user) {
                return Err(MergeWriteError::Changed(path.into_owned()));
            }
            continue;
        }
        let known = plan.there.get(path.as_ref()).or_else(|| sources.get(path.as_ref()));
        if !is_as_it_was(world, plan, &path, known)? {
            return Err(MergeWriteError::Changed(path.into_owned()));
        }
    }
    Ok(rewrite(world, &plan.root, command, &puts)?)
}

/// What is to stand where afterwards, by path, relative to the project.
///
/// # Errors
///
/// When the merge is not proved, or has no place in the project.
pub fn puts(plan: &MergePlan, choice: WriteChoice) -> Result<Vec<(PathBuf, Put)>, MergeWriteError> {
    if plan.verdict() != Verdict::Yes && !choice.with_markers {
        return Err(MergeWriteError::Refuted {
            open: plan.open(),
            lost: plan.union.lost.len(),
            broken: plan.union.broken.len() + plan.union.unparsed.len(),
        });
    }
    let Some(target) = &plan.target else { return Err(MergeWriteError::NoFolder) };
    let mut puts = merged(plan, target);
    if plan.removes_source {
        for path in plan.source_there.keys() {
            puts.entry(path.clone()).or_insert(Put::Nothing);
        }
    }
    if let Some(path) = changed_kind(plan, &puts) {
        return Err(MergeWriteError::KindChange(path));
    }
    for user in &plan.users {
        puts.insert(user.path.clone(), Put::Edited(user.bytes().to_vec(), PathBuf::from(&user.path)));
    }
    Ok(puts.into_iter().map(|(path, put)| (PathBuf::from(path), put)).collect())
}

/// A path that is a file now and a folder afterwards, or the other way round: what takes that back would be two writes.
fn changed_kind(plan: &MergePlan, puts: &BTreeMap<String, Put>) -> Option<String> {
    let written = puts.iter().filter(|(_, put)| **put != Put::Nothing).map(|(path, _)| path);
    for path in written {
        let above = path.match_indices('/').find_map(|(at, _)| plan.there.get_key_value(path.get(..at)?));
        if let Some((above, _)) = above {
            return Some(above.clone());
        }
        let prefix = format!("{path}/");
        if plan.there.range(prefix.clone()..).next().is_some_and(|(below, _)| below.starts_with(&prefix)) {
            return Some(path.clone());
        }
    }
    None
}

static NONE: BTreeMap<String, There> = BTreeMap::new();

/// What is to be written, by path in the project: nothing that stands there already.
fn merged(plan: &MergePlan, target: &str) -> BTreeMap<String, Put> {
    let mut puts = BTreeMap::new();
    let mut stays = BTreeSet::new();
    for file in &plan.files {
        let place = if target.is_empty() { file.path.clone() } else { format!("{target}/{}", file.path) };
        let there = plan.there.get(&place);
        let has = |print: [u8; 32], is_link: bool| {
            there.is_some_and(|there| {
                there.print == print && there.is_link == is_link && (is_link || there.mode == file.mode)
            })
        };
        let put = match &file.content {
            Content::Nothing if there.is_none() => continue,
            Content::Nothing => Put::Nothing,
            Content::Bytes(bytes) if has(*blake3::hash(bytes).as_bytes(), false) => {
                stays.insert(place);
                continue;
            }
            Content::Bytes(bytes) => Put::Bytes(bytes.to_vec(), file.mode),
            Content::Like(from)
                if *from == plan.root.join(&place) && there.is_some_and(|one| one.mode == file.mode) =>
            {
                stays.insert(place);
                continue;
            }
            Content::Like(from) => Put::Copy(from.clone(), file.mode),
            Content::Link(to) if has(link_print(to), true) => {
                stays.insert(place);
                continue;
            }
            Content::Link(to) => Put::Link(to.clone()),
        };
        puts.insert(place, put);
    }
    // What was moved within the target is no longer where it was.
    for place in plan.there.keys() {
        if !stays.contains(place) {
            puts.entry(place.clone()).or_insert(Put::Nothing);
        }
    }
    puts
}

fn is_as_it_was(
    world: &World,
    plan: &MergePlan,
    path: &str,
    known: Option<&There>,
) -> Result<bool, DiskError> {
    let disk = world.disk.as_ref();
    let place = plan.root.join(path);
    let Some(meta) = disk.look(&place)? else { return Ok(known.is_none()) };
    let Some(known) = known else {
        // A folder is in nobody's way: when its files go, it goes.
        return Ok(meta.kind == FileKind::Directory);
    };
    match meta.kind {
        FileKind::Symlink => Ok(known.is_link && link_print(&disk.read_link(&place)?) == known.print),
        FileKind::File => Ok(!known.is_link && disk.hash(&place)? == known.print),
        _ => Ok(false),
    }
}
