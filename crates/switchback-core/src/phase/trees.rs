//! Whole projects to look at: copies with the old or the new managed paths, made when a check asks for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::environment;
use super::error::StepError;
use super::layout;
use super::project::Work;
use crate::check::{Trees, Which};
use crate::plan::{Moment, Plan, STATE_FOLDER};
use crate::tree::copy::{Copier, make_directories};
use crate::tree::{Seen, touched, walk};
use crate::world::{FileKind, World};

/// A copy, and what a survey said of it when it was new.
#[derive(Debug)]
struct Copied {
    path: PathBuf,
    survey: Option<[u8; 32]>,
}

/// Where the content of each managed path is, by path; nothing for one that does not exist on that side.
pub(super) type Contents = BTreeMap<PathBuf, Option<PathBuf>>;

const NO_CANDIDATE: &str = "there is no candidate before it is staged";

/// The trees of one phase at one moment.
#[derive(Debug)]
pub(super) struct PhaseTrees<'a> {
    world: &'a World,
    plan: &'a Plan,
    moment: Moment,
    /// The tree that is looked at in place: the live project, or the copy that is rehearsed on.
    place: PathBuf,
    /// Copies are made below this folder.
    folder: PathBuf,
    old: Contents,
    new: Contents,
    made: Mutex<BTreeMap<Which, Copied>>,
    count: AtomicU32,
}

impl<'a> PhaseTrees<'a> {
    /// The trees whose copies are made below `folder`, which exists.
    pub(super) fn new(
        world: &'a World,
        plan: &'a Plan,
        moment: Moment,
        place: PathBuf,
        folder: PathBuf,
        old: Contents,
        new: Contents,
    ) -> Self {
        let (made, count) = (Mutex::default(), AtomicU32::default());
        Self { world, plan, moment, place, folder, old, new, made, count }
    }

    fn copied(&self, side: Which) -> Result<PathBuf, String> {
        let mut made = self.made();
        if let Some(copied) = made.get(&side) {
            return Ok(copied.path.clone());
        }
        let name = if side == Which::Old { "old" } else { "new" };
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let into = self.folder.join(format!("{name}-{count}"));
        self.make(side, &into)?;
        let survey = self.survey(&into);
        made.insert(side, Copied { path: into.clone(), survey });
        Ok(into)
    }

    fn make(&self, side: Which, into: &Path) -> Result<(), String> {
        let contents = if side == Which::Old { &self.old } else { &self.new };
        copy_project(self.world, self.plan, contents, into)
            .map_err(|error| format!("the tree to look at could not be made: {error}"))
    }

    /// A thread that panicked left no copy half entered.
    fn made(&self) -> MutexGuard<'_, BTreeMap<Which, Copied>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a rollback the old tree would be held against itself.
    fn look_for_two(&self) -> Result<(), String> {
        if self.moment == Moment::RolledBack {
            return Err(
                "after a rollback the old tree is the live one: there are no two to compare".to_owned()
            );
        }
        Ok(())
    }

    fn survey(&self, tree: &Path) -> Option<[u8; 32]> {
        self.world.disk.survey(tree, None).ok().flatten().map(|survey| survey.digest)
    }

    /// Throws away copies that a check changed, so that the next one sees the tree as it is. Returns whether there were
    /// any.
    pub(super) fn renew(&self) -> bool {
        let mut made = self.made();
        let count = made.len();
        made.retain(|_, copied| copied.survey.is_some() && self.survey(&copied.path) == copied.survey);
        made.len() < count
    }
}

impl Trees for PhaseTrees<'_> {
    fn here(&self) -> Result<PathBuf, String> {
        match self.moment {
            Moment::Before => self.copied(Which::Old),
            Moment::Staged => self.copied(Which::New),
            Moment::Rehearsed | Moment::Live | Moment::After(_) | Moment::RolledBack | Moment::Now => {
                Ok(self.place.clone())
            }
        }
    }

    fn old_project(&self) -> Result<PathBuf, String> {
        self.look_for_two()?;
        self.copied(Which::Old)
    }

    fn new_project(&self) -> Result<PathBuf, String> {
        match self.moment {
            Moment::Before => Err(NO_CANDIDATE.to_owned()),
            Moment::Staged => self.copied(Which::New),
            Moment::Rehearsed | Moment::Live | Moment::After(_) | Moment::RolledBack | Moment::Now => {
                Ok(self.place.clone())
            }
        }
    }

    fn place(&self, which: Which, path: &Path) -> Option<PathBuf> {
        let contents = if which == Which::Old { &self.old } else { &self.new };
        for (managed, content) in contents {
            let Ok(inside) = path.strip_prefix(managed) else { continue };
            let content = content.as_ref()?;
            return Some(if inside.as_os_str().is_empty() { content.clone() } else { content.join(inside) });
        }
        Some(self.plan.root.join(path))
    }

    fn copy(&self, which: Which, into: &Path) -> Result<(), String> {
        self.look_for_two()?;
        if which == Which::New && self.moment == Moment::Before {
            return Err(NO_CANDIDATE.to_owned());
        }
        self.make(which, into)
    }
}

/// Copies the project into `into`, which must not exist: everything that is not managed as it is, `linked` paths as
/// links, and the managed paths from where `contents` says.
pub(super) fn copy_project(
    world: &World,
    plan: &Plan,
    contents: &Contents,
    into: &Path,
) -> Result<(), StepError> {
    let disk = world.disk.as_ref();
    disk.make_directory(into, 0o755)?;
    copy_unmanaged(world, plan, into)?;
    let mut copier = Copier::new(disk);
    for (path, content) in contents {
        if let Some(content) = content.as_ref().filter(|_| environment::is_environment(plan, path)) {
            environment::link(disk, content, into, path)?;
            continue;
        }
        let to = into.join(path);
        if let Some(parent) = to.parent() {
            make_directories(disk, into, parent)?;
        }
        if let Some(content) = content {
            copier.copy(content, &to, &|_| false)?;
        }
    }
    Ok(())
}

/// Copies everything that is not managed into `into`, which exists.
pub(super) fn copy_unmanaged(world: &World, plan: &Plan, into: &Path) -> Result<(), StepError> {
    let disk = world.disk.as_ref();
    let root = plan.root.as_path();
    let skip = |path: &Path| {
        let inside = path.strip_prefix(root).unwrap_or(path);
        inside == Path::new(STATE_FOLDER)
            || plan.project.managed.iter().any(|managed| managed.path == inside)
            || plan.project.linked.iter().any(|linked| linked == inside)
            || environment::is_environment(plan, inside)
            || is_sibling(plan, inside)
            || disk.look(path).is_ok_and(|meta| meta.is_some_and(|meta| meta.kind == FileKind::Socket))
    };
    Copier::new(disk).copy_children(root, into, &skip)?;
    for linked in &plan.project.linked {
        if disk.look(&root.join(linked))?.is_some() {
            let to = into.join(linked);
            if let Some(parent) = to.parent() {
                make_directories(disk, into, parent)?;
            }
            disk.make_symlink(&root.join(linked), &to)?;
        }
    }
    Ok(())
}

/// Whether a path is a candidate or a parked tree.
pub(super) fn is_sibling(plan: &Plan, inside: &Path) -> bool {
    let Some(name) = inside.file_name().and_then(|name| name.to_str()) else { return false };
    let managed = plan.project.managed.iter().map(|managed| &managed.path);
    let mut paths = managed.chain(plan.dependencies.iter().map(|dependencies| &dependencies.path));
    paths.any(|path| path.parent() == inside.parent() && layout::transaction_of_sibling(name, path).is_some())
}

/// What is around the managed paths of a copy in which a command runs, without content.
#[derive(Debug)]
pub(super) struct Around(Vec<Seen>);

/// Folders that tools keep for themselves: what is in them is no part of a change.
const CACHES: &[&str] = &["__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"];

impl Around {
    /// What is in `folder`, which holds the copy as `tree` and the scratch folder of the command.
    pub(super) fn of(work: &Work<'_>, folder: &Path) -> Result<Self, StepError> {
        let managed = &work.plan().project.managed;
        let is_around = |seen: &Seen| match seen.path.strip_prefix("tree") {
            Ok(inside) => !managed.iter().any(|managed| inside.starts_with(&managed.path)),
            Err(_) => !seen.path.starts_with("scratch"),
        };
        let is_cache = |seen: &Seen| seen.path.iter().any(|part| CACHES.iter().any(|cache| part == *cache));
        let mut seen = walk(work.world().disk.as_ref(), folder, &[PathBuf::new()])?;
        seen.retain(|seen| is_around(seen) && !is_cache(seen));
        Ok(Self(seen))
    }

    /// What is not there any more, there now, or changed, as paths of the project.
    pub(super) fn changed(&self, now: &Self) -> Vec<String> {
        let is_folder = |all: &[Seen], path: &Path| {
            all.iter().any(|seen| seen.path == path && seen.meta.kind == FileKind::Directory)
        };
        let changed = touched(&self.0, &now.0).into_iter();
        changed
            // A folder's times change with what is in it, which is named itself.
            .filter(|path| !(is_folder(&self.0, path) && is_folder(&now.0, path)))
            .map(|path| match path.strip_prefix("tree") {
                Ok(inside) => inside.display().to_string(),
                Err(_) => format!("../{}", path.display()),
            })
            .collect()
    }
}
