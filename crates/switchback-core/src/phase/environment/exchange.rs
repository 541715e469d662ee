//! The environment as one that takes part in the exchange, and where checks find it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Built;
use crate::journal::history::StagedFact;
use crate::phase::error::StepError;
use crate::phase::layout;
use crate::phase::project::Work;
use crate::phase::stage::stand;
use crate::phase::trees::Contents;
use crate::plan::{Dependencies, Mechanism, Plan};
use crate::tree::copy::make_directories;
use crate::tree::exchange::participant::inode;
use crate::tree::exchange::{Participant, Way};
use crate::world::{Disk, DiskError, FileKind};

/// Whether a path is that of an environment of the plan.
pub(in crate::phase) fn is_environment(plan: &Plan, path: &Path) -> bool {
    plan.dependencies.iter().any(|dependencies| dependencies.path == path)
}

/// The first folder above a path that is none, or is reached through a link, which could lead out of the project.
fn no_folder(disk: &dyn Disk, root: &Path, path: &Path) -> Result<Option<PathBuf>, DiskError> {
    let mut here = root.to_owned();
    for part in path.parent().unwrap_or(Path::new("")).components() {
        here.push(part);
        if !disk.look(&here)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
            return Ok(Some(here.strip_prefix(root).unwrap_or(&here).to_owned()));
        }
    }
    Ok(None)
}

/// The folders that environments stand in: an exchange must work there.
pub(in crate::phase) fn parents(work: &Work<'_>) -> Result<BTreeSet<PathBuf>, StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    let mut parents = BTreeSet::new();
    for Dependencies { path, .. } in &work.plan().dependencies {
        if let Some(folder) = no_folder(disk, root, path)? {
            let (path, folder) = (path.display(), folder.display());
            return Err(StepError::not_now(
                format!("the environment `{path}` has no folder to stand in: `{folder}` is none"),
                format!("make `{folder}` a real folder"),
            ));
        }
        parents.insert(root.join(path).parent().unwrap_or(root).to_owned());
    }
    Ok(parents)
}

/// The environments that can have anything beside them.
pub(in crate::phase) fn standing<'w>(work: &'w Work<'_>) -> Result<Vec<&'w PathBuf>, StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    let mut standing = Vec::new();
    for Dependencies { path, .. } in &work.plan().dependencies {
        if no_folder(disk, root, path)?.is_none() {
            standing.push(path);
        }
    }
    Ok(standing)
}

/// Stands what was built beside its path, durably.
pub(in crate::phase) fn place(work: &Work<'_>, transaction: &str, built: &Built) -> Result<(), StepError> {
    for (from, live) in &built.places {
        stand(work, from, &work.project.root.join(layout::beside(live, transaction)))?;
    }
    Ok(())
}

/// The environments that were staged and are no longer there.
pub(in crate::phase) fn missing(
    disk: &dyn Disk,
    root: &Path,
    staged: &StagedFact,
) -> Result<Vec<String>, DiskError> {
    let mut missing = Vec::new();
    for environment in staged.exchanged_environments() {
        let beside = layout::beside(Path::new(&environment.path), &staged.transaction);
        if disk.look(&root.join(beside))?.is_none() {
            missing.push(environment.path.clone());
        }
    }
    Ok(missing)
}

/// The environments as they take part, in whatever way the managed paths go live.
pub(in crate::phase) fn participants(
    disk: &dyn Disk,
    root: &Path,
    staged: &StagedFact,
) -> Result<Vec<Participant>, StepError> {
    if let Some(path) = missing(disk, root, staged)?.first() {
        // Without its candidate, the exchange would take the live one away.
        return Err(StepError::not_now(
            format!("the staged environment `{path}` is gone"),
            "`switchback run --restage` builds it again",
        ));
    }
    // Nothing of an environment is replaced file by file: it works as a whole or not at all.
    let way = match Mechanism::from_word(&staged.mechanism).map(Mechanism::way) {
        Some(Way::TwoRenames) => Way::TwoRenames,
        _ => Way::Exchange,
    };
    let participant = |path: &Path| {
        let beside = layout::beside(path, &staged.transaction);
        Ok(Participant::Path {
            live: path.to_owned(),
            old: inode(disk, &root.join(path))?,
            new: inode(disk, &root.join(&beside))?,
            kept: layout::kept_old(&staged.transaction, path),
            beside,
            way,
        })
    };
    staged.exchanged_environments().map(|environment| participant(Path::new(&environment.path))).collect()
}

/// Adds where each environment is on the old and on the new side.
pub(in crate::phase) fn add_contents(
    work: &Work<'_>,
    staged: Option<&StagedFact>,
    is_live: bool,
    (old, new): (&mut Contents, &mut Contents),
) -> Result<(), StepError> {
    let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
    let existing = |path: PathBuf| -> Result<Option<PathBuf>, DiskError> {
        let path = root.join(path);
        Ok(disk.look(&path)?.map(|_| path))
    };
    for dependencies in &work.plan().dependencies {
        let path = &dependencies.path;
        let live = existing(path.clone())?;
        let (old_place, new_place) = match staged.filter(|staged| staged.is_environment(path)) {
            None => (live.clone(), live),
            Some(staged) => {
                let beside = existing(layout::beside(path, &staged.transaction))?;
                if is_live {
                    let kept = existing(layout::kept_old(&staged.transaction, path))?;
                    (beside.or(kept), live)
                } else {
                    (live, beside)
                }
            }
        };
        old.insert(path.clone(), old_place);
        new.insert(path.clone(), new_place);
    }
    Ok(())
}

/// Lets a copy of the project reach an environment where it would be live. It is not copied: it is large, only read, and
/// runs where it stands.
pub(in crate::phase) fn link(
    disk: &dyn Disk,
    environment: &Path,
    copy: &Path,
    path: &Path,
) -> Result<(), DiskError> {
    let to = copy.join(path);
    make_directories(disk, copy, to.parent().unwrap_or(copy))?;
    disk.make_symlink(environment, &to)
}

/// Lets a copy of the project reach the live environments.
pub(in crate::phase) fn link_live(disk: &dyn Disk, plan: &Plan, copy: &Path) -> Result<(), DiskError> {
    for dependencies in &plan.dependencies {
        let live = plan.root.join(&dependencies.path);
        if disk.look(&live)?.is_some() {
            link(disk, &live, copy, &dependencies.path)?;
        }
    }
    Ok(())
}
