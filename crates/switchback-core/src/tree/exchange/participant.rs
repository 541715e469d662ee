//! One thing that takes part in an exchange: a managed path, or the pointer that several paths go through.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::places::Places;
use crate::world::{Disk, DiskError, Identity};

/// Which inode it is, as it is written into a transaction.
///
/// A device has another number after a restart of the machine, wherever the kernel gives numbers out in the order in
/// which it finds devices (loop devices, fast disks) or makes them up (btrfs). So the number of the inode and the time of its birth
/// tell, and the device counts only where a file system keeps no time of birth.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the number of an inode is called inode everywhere")]
pub struct Inode {
    device: u64,
    inode: u64,
    /// Nanoseconds since 1970, which fit until the year 2262; wider integers do not survive a tagged JSON record.
    born_ns: i64,
}

impl PartialEq for Inode {
    fn eq(&self, other: &Self) -> bool {
        let is_known = self.born_ns != 0;
        self.inode == other.inode
            && self.born_ns == other.born_ns
            && (is_known || self.device == other.device)
    }
}

impl Eq for Inode {}

impl From<Identity> for Inode {
    fn from(identity: Identity) -> Self {
        Self {
            device: identity.device,
            inode: identity.inode,
            born_ns: i64::try_from(identity.born_ns).unwrap_or(0),
        }
    }
}

/// How a path and its candidate change places. What a project's file system can do is found by trying
/// ([`mod@super::probe`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By one `renameat2(RENAME_EXCHANGE)`: nobody ever sees neither.
    #[default]
    Exchange,
    /// The old one is renamed away, then the new one into its place: for a moment nothing stands there.
    TwoRenames,
    /// The path itself stays, and what is in it is replaced entry by entry: a reader sees old and new ones together.
    FileByFile,
}

impl Way {
    /// Left out of a record: what was written before there were other ways has none.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    fn is_exchange(&self) -> bool {
        *self == Self::Exchange
    }
}

/// Something that is exchanged. Paths are relative to the project's root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "participant", rename_all = "kebab-case")]
pub enum Participant {
    /// A path and the place beside it where the other tree stands.
    Path {
        /// The managed path.
        live: PathBuf,
        /// Its sibling: the candidate before the cutover, the old tree after it.
        beside: PathBuf,
        /// Where the old tree is moved to when the phase is finished.
        kept: PathBuf,
        /// What was live; nothing when the path is made by the cutover. File by file: the copy of it that was made beside
        /// it, for the path itself stays.
        old: Option<Inode>,
        /// The candidate; nothing when the path is removed by the cutover.
        new: Option<Inode>,
        /// How they change places.
        #[serde(default, skip_serializing_if = "Way::is_exchange")]
        way: Way,
    },
    /// A symbolic link that several managed paths go through; it is switched by one rename.
    Pointer {
        /// The link.
        link: PathBuf,
        /// Where it pointed; nothing when the cutover makes it.
        old: Option<PathBuf>,
        /// Where it points after the cutover.
        new: PathBuf,
    },
}

/// Which side of a participant is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The old one.
    Old,
    /// The new one, or what became of it since.
    New,
    /// Neither can be found where it must be: a person must look.
    Lost(String),
}

impl Participant {
    /// The managed path or link, relative to the root.
    pub fn live(&self) -> &Path {
        match self {
            Self::Path { live, .. } => live,
            Self::Pointer { link, .. } => link,
        }
    }

    /// Which side is live, found by identity, never by counting.
    pub fn identify(&self, disk: &dyn Disk, root: &Path) -> Result<Side, DiskError> {
        if let Some(places) = Places::of(self, disk, root) {
            return places.identify();
        }
        match self {
            Self::Path { live, beside, kept, old, new, .. } => {
                let at_live = inode(disk, &root.join(live))?;
                let at_beside = inode(disk, &root.join(beside))?;
                if at_live == *old && (old.is_some() || at_beside == *new) {
                    return Ok(Side::Old);
                }
                let old_is_there = match old {
                    None => true,
                    Some(old) => at_beside == Some(*old) || inode(disk, &root.join(kept))? == Some(*old),
                };
                if old_is_there {
                    return Ok(Side::New);
                }
                Ok(Side::Lost(format!(
                    "the old tree of `{}` is neither there nor at `{}` nor at `{}`",
                    live.display(),
                    beside.display(),
                    kept.display()
                )))
            }
            Self::Pointer { link, old, new } => {
                let target = link_target(disk, &root.join(link))?;
                if target == *old {
                    Ok(Side::Old)
                } else if target.as_ref() == Some(new) {
                    Ok(Side::New)
                } else {
                    Ok(Side::Lost(format!(
                        "`{}` points to `{}`, which this exchange did not make",
                        link.display(),
                        target.map_or_else(|| "nothing".to_owned(), |target| target.display().to_string())
                    )))
                }
            }
        }
    }

    /// Makes the new side live. The old one must be.
    pub fn commit(&self, disk: &dyn Disk, root: &Path) -> Result<(), DiskError> {
        if let Some(places) = Places::of(self, disk, root) {
            return places.commit();
        }
        match self {
            Self::Path { live, beside, old, new, .. } => {
                let (live, beside) = (root.join(live), root.join(beside));
                match (old, new) {
                    (Some(_), Some(_)) => disk.exchange(&beside, &live),
                    (None, Some(_)) => disk.rename(&beside, &live),
                    (Some(_), None) => disk.rename(&live, &beside),
                    (None, None) => Ok(()),
                }
            }
            Self::Pointer { link, new, .. } => point(disk, &root.join(link), new),
        }
    }

    /// Makes the old side live again, whatever became of the new one, which is kept beside it. Nothing is done when the
    /// old side is live already.
    pub fn undo(&self, disk: &dyn Disk, root: &Path) -> Result<Side, DiskError> {
        let side = self.identify(disk, root)?;
        if side != Side::New {
            return Ok(side);
        }
        if let Some(places) = Places::of(self, disk, root) {
            places.undo()?;
            return Ok(Side::Old);
        }
        match self {
            Self::Path { live, beside, kept, old, .. } => {
                let (live, beside, kept) = (root.join(live), root.join(beside), root.join(kept));
                let is_live = disk.look(&live)?.is_some();
                match old {
                    None if is_live => disk.rename(&live, &beside)?,
                    None => {}
                    Some(old) => {
                        if inode(disk, &beside)? != Some(*old) {
                            // It was put away when the phase was finished.
                            disk.rename(&kept, &beside)?;
                        }
                        if is_live {
                            disk.exchange(&beside, &live)?;
                        } else {
                            disk.rename(&beside, &live)?;
                        }
                    }
                }
            }
            Self::Pointer { link, old, .. } => match old {
                Some(old) => point(disk, &root.join(link), old)?,
                None => disk.remove_file(&root.join(link))?,
            },
        }
        Ok(Side::Old)
    }

    /// The directories whose entries an exchange alters.
    pub fn directories(&self, root: &Path) -> Vec<PathBuf> {
        let parent = |path: &Path| root.join(path).parent().unwrap_or(root).to_owned();
        match self {
            Self::Path { live, .. } => vec![parent(live)],
            Self::Pointer { link, .. } => vec![parent(link)],
        }
    }
}

/// Which inode is at `path`.
pub fn inode(disk: &dyn Disk, path: &Path) -> Result<Option<Inode>, DiskError> {
    Ok(disk.look(path)?.map(|meta| meta.identity.into()))
}

/// Where the link at `path` points; `None` when nothing is there.
pub fn link_target(disk: &dyn Disk, path: &Path) -> Result<Option<PathBuf>, DiskError> {
    if disk.look(path)?.is_none() { Ok(None) } else { disk.read_link(path).map(Some) }
}

/// Lets the link at `path` point to `target`, in one step: a link made beside it is exchanged with it, or renamed over it
/// where there is none yet.
///
/// The exchange leaves the link that leads back beside it, so that a rollback needs no new name on a full disk.
fn point(disk: &dyn Disk, path: &Path, target: &Path) -> Result<(), DiskError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".next");
    let next = path.with_file_name(name);
    let waiting = link_target(disk, &next)?;
    if waiting.as_deref() != Some(target) {
        if waiting.is_some() {
            disk.remove_file(&next)?;
        }
        disk.make_symlink(target, &next)?;
    }
    if disk.look(path)?.is_some() && disk.exchange(&next, path).is_ok() {
        return Ok(());
    }
    disk.rename_over(&next, path)
}
