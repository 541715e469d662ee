//! How a candidate can go live here: tried out in each place that is to be exchanged, before anything is built.
//!
//! The plan may ask for a mechanism; else the best one that works everywhere is taken: `exchange`, `two-renames`,
//! `file-by-file`. Links through the pointer stay links through the pointer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::StepError;
use super::project::Work;
use super::witness::Notice;
use super::{environment, layout};
use crate::plan::{Managed, Mechanism};
use crate::tree::copy::{Copier, keeping_time, remove_tree};
use crate::tree::exchange::{Probe, Way, aside, moves, probe};
use crate::world::{Disk, DiskError, FileKind};

/// The table of mounts of this process (proc(5), `/proc/pid/mountinfo`).
const MOUNTS: &str = "/proc/self/mountinfo";
const MOUNTS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What was found to be needed, and why.
struct Needed {
    way: Way,
    why: String,
}

impl Needed {
    fn at_least(&mut self, way: Way, why: impl FnOnce() -> String) {
        if way > self.way {
            *self = Self { way, why: why() };
        }
    }
}

/// Finds the mechanism, by trying. Each managed path must have a parent to stand in, and nothing may be mounted inside.
pub(super) fn choose(work: &Work<'_>, mark: &str) -> Result<Mechanism, StepError> {
    let disk = work.world().disk.as_ref();
    let (root, project) = (work.project.root.as_path(), &work.plan().project);
    let wanted = layout::mechanism(disk, root, &project.managed, project.mechanism)?;
    let mut needed = Needed { way: Way::Exchange, why: String::new() };
    let mounts = mounts(disk);
    let mut parents = BTreeSet::new();
    for managed in &project.managed {
        let path = root.join(&managed.path);
        let parent = path.parent().unwrap_or(root).to_owned();
        must_have_parent(disk, root, managed, &parent)?;
        refuse_mounts_inside(&mounts, managed, &path)?;
        if wanted == Mechanism::Pointer && layout::is_pointed(disk, root, &managed.path)? {
            continue;
        }
        parents.insert(parent);
        look_at_path(work, &path, mark, &mut needed)?;
    }
    parents.extend(environment::parents(work)?);
    for parent in parents {
        match probe(disk, &parent, mark)? {
            Probe::Exchanges => {}
            Probe::Renames(why) => needed.at_least(Way::TwoRenames, || {
                format!("an exchange does not work in `{}`: {why}", parent.display())
            }),
            Probe::Cannot(why) => {
                return Err(StepError::not_now(
                    format!("neither an exchange nor a rename works in `{}`: {why}", parent.display()),
                    "use `mechanism = \"pointer\"` with managed paths that are links already, or a file system on which \
                     folders can be renamed",
                ));
            }
        }
    }
    settle(work, wanted, needed)
}

/// The better of what is wanted and what is needed; what is asked for and cannot be is refused.
fn settle(work: &Work<'_>, wanted: Mechanism, needed: Needed) -> Result<Mechanism, StepError> {
    if needed.way <= wanted.way() {
        return Ok(wanted);
    }
    let instead = match needed.way {
        Way::Exchange => Mechanism::Exchange,
        Way::TwoRenames => Mechanism::TwoRenames,
        Way::FileByFile => Mechanism::FileByFile,
    };
    if wanted == Mechanism::Pointer || work.plan().project.mechanism.is_some() {
        return Err(StepError::not_now(
            needed.why,
            format!(
                "the plan asks for `mechanism = \"{}\"`: leave it out, or say `\"{}\"`, which works here and is wider open \
                 (`switchback plan` says how wide)",
                wanted.word(),
                instead.word()
            ),
        ));
    }
    let what = format!("{}: the cutover is by {}", needed.why, instead.word());
    work.witness.notice(Notice::Warning(what));
    Ok(instead)
}

fn must_have_parent(disk: &dyn Disk, root: &Path, managed: &Managed, parent: &Path) -> Result<(), StepError> {
    if disk.look(parent)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
        return Ok(());
    }
    Err(StepError::not_now(
        format!("the managed path `{}` has no folder to stand in", managed.path.display()),
        format!("make `{}`, or manage it instead", parent.strip_prefix(root).unwrap_or(parent).display()),
    ))
}

/// A mount would move along with the tree that is exchanged away.
fn refuse_mounts_inside(mounts: &[PathBuf], managed: &Managed, path: &Path) -> Result<(), StepError> {
    let Some(mount) = mounts.iter().find(|mount| mount.starts_with(path) && mount.as_path() != path) else {
        return Ok(());
    };
    Err(StepError::not_now(
        format!(
            "something is mounted inside the managed path `{}`: at `{}`",
            managed.path.display(),
            mount.display()
        ),
        "unmount it for the cutover, or manage the paths beside it instead",
    ))
}

/// Whether what is live at a path can be moved at all.
fn look_at_path(work: &Work<'_>, path: &Path, mark: &str, needed: &mut Needed) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    match disk.look(path)?.map(|meta| meta.kind) {
        Some(FileKind::Directory) => {
            if let Err(why) = moves(disk, path, mark)? {
                needed.at_least(Way::FileByFile, || format!("`{}` cannot be moved: {why}", path.display()));
            }
        }
        // A file of an image below an overlay becomes another inode when it is first opened for writing: let it be now, and not
        // between the look at its identity and the exchange. Where it cannot be opened, the exchange is what tells.
        Some(FileKind::File) => drop(disk.overwrite(path, 0, &[])),
        _ => {}
    }
    Ok(())
}

/// File by file, the old tree is parked as a copy, which is made ahead of time, durably, and is what a rollback restores.
/// Other mechanisms need none.
pub(super) fn park_copy(
    disk: &dyn Disk,
    root: &Path,
    mechanism: Mechanism,
    transaction: &str,
    path: &Path,
) -> Result<Option<PathBuf>, StepError> {
    let live = root.join(path);
    if mechanism.way() != Way::FileByFile || disk.look(&live)?.is_none() {
        return Ok(None);
    }
    let place = root.join(aside(&layout::beside(path, transaction)));
    let parent = place.parent().unwrap_or(root).to_owned();
    keeping_time(disk, &parent, || -> Result<(), StepError> {
        remove_tree(disk, &place)?;
        let mut copier = Copier::new(disk);
        copier.copy(&live, &place, &|_| false)?;
        Ok(copier.sync()?)
    })?;
    disk.sync_directory(&parent)?;
    Ok(Some(place))
}

/// File by file, the candidate of what is live, or the copy of what is not, stands aside: it goes when the phase is over.
pub(super) fn drop_aside(disk: &dyn Disk, beside: &Path) -> Result<(), DiskError> {
    let place = aside(beside);
    if disk.look(&place)?.is_none() {
        return Ok(());
    }
    let parent = place.parent().unwrap_or(beside).to_owned();
    keeping_time(disk, &parent, || remove_tree(disk, &place))
}

/// Whether something is mounted at a path, as far as the kernel tells: then it can only be replaced file by file.
pub(super) fn is_mount(disk: &dyn Disk, path: &Path) -> bool {
    mounts(disk).iter().any(|mount| mount == path)
}

/// The places where something is mounted; none where the kernel does not tell.
fn mounts(disk: &dyn Disk) -> Vec<PathBuf> {
    let Ok(content) = disk.read(Path::new(MOUNTS), MOUNTS_BYTES_MAX) else { return Vec::new() };
    content.split(|byte| *byte == b'\n').filter_map(mount_point).collect()
}

/// The fifth word of a line; blanks, tabs, line ends and backslashes are written as three octal digits.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let word = line.split(|byte| *byte == b' ').nth(4)?;
    let mut name = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *first == b'\\');
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        name.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[3..] } else { after };
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_read_with_its_blanks() {
        let line = br"36 35 98:0 /mnt1 /mnt/two\040words\134x rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(mount_point(line), Some(PathBuf::from(r"/mnt/two words\x")));
        assert_eq!(mount_point(b""), None);
        assert_eq!(mount_point(br"1 2 3:4 / /a\04"), Some(PathBuf::from(r"/a\04")));
    }
}
