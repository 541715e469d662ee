//! A path that cannot be exchanged in one step: the places that its trees go through, and the steps between them.
//!
//! Beside the path and its candidate there are two more places: `.<name>.sb-<id>.aside` and `.<name>.sb-<id>.spare`. Each
//! step is synced before the next one, because a disk may keep the later of two renames and lose the earlier. Whoever
//! starts after a crash finds out by identity which steps were made, and goes on from there.
//!
//! | | live | beside | aside |
//! |---|---|---|---|
//! | two renames, before | old | new | |
//! | two renames, after | new | old | |
//! | file by file, before | old | new | copy of old |
//! | file by file, after | content of new | copy of old | new |

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::mirror::{keep_changed, mirror};
use super::participant::{Inode, Participant, Side, Way, inode};
use crate::world::{Disk, DiskError};

/// Where a tree stands for a moment, or, file by file, the side that is not live: beside the sibling of a path.
pub fn aside(beside: &Path) -> PathBuf {
    with_suffix(beside, ".aside")
}

/// Where the candidate stands while it and the copy of the old tree change places.
pub fn spare(beside: &Path) -> PathBuf {
    with_suffix(beside, ".spare")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// The places of one path.
pub(super) struct Places<'a> {
    disk: &'a dyn Disk,
    way: Way,
    /// The path as the transaction names it.
    name: &'a Path,
    live: PathBuf,
    beside: PathBuf,
    aside: PathBuf,
    spare: PathBuf,
    kept: PathBuf,
    old: Inode,
    new: Option<Inode>,
}

impl<'a> Places<'a> {
    /// The places of a participant that takes several steps; `None` for one that takes one: what only comes, or only
    /// goes, is renamed once, unless it cannot be renamed at all.
    pub(super) fn of(participant: &'a Participant, disk: &'a dyn Disk, root: &Path) -> Option<Self> {
        let Participant::Path { live, beside, kept, old, new, way } = participant else { return None };
        let old = (*old)?;
        match way {
            Way::Exchange => return None,
            Way::TwoRenames if new.is_none() => return None,
            Way::TwoRenames | Way::FileByFile => {}
        }
        let beside = root.join(beside);
        Some(Self {
            disk,
            way: *way,
            name: live,
            live: root.join(live),
            aside: aside(&beside),
            spare: spare(&beside),
            beside,
            kept: root.join(kept),
            old,
            new: *new,
        })
    }

    /// Which side is live. In the middle of the steps it is the new one, which an undo takes back from anywhere.
    pub(super) fn identify(&self) -> Result<Side, DiskError> {
        let is_old = match self.way {
            Way::FileByFile => self.is_old(&self.aside)? && !self.is_there(&self.spare)?,
            Way::Exchange | Way::TwoRenames => self.is_old(&self.live)? && !self.is_there(&self.aside)?,
        };
        if is_old {
            return Ok(Side::Old);
        }
        for place in [&self.beside, &self.aside, &self.kept, &self.live] {
            if self.is_old(place)? {
                return Ok(Side::New);
            }
        }
        Ok(Side::Lost(format!(
            "the old tree of `{}` is neither there nor at `{}` nor at `{}`",
            self.name.display(),
            self.beside.display(),
            self.kept.display()
        )))
    }

    /// Makes the new side live.
    pub(super) fn commit(&self) -> Result<(), DiskError> {
        match self.way {
            Way::FileByFile => {
                // From here on the undo knows that entries may be new.
                self.change_places()?;
                let from = if self.new.is_some() { Some(self.aside.as_path()) } else { None };
                mirror(self.disk, from, &self.live)
            }
            Way::Exchange | Way::TwoRenames => {
                if self.is_old(&self.live)? {
                    self.step(&self.live, &self.aside)?;
                }
                if self.new.is_some() && inode(self.disk, &self.beside)? == self.new {
                    self.step(&self.beside, &self.live)?;
                }
                self.step(&self.aside, &self.beside)
            }
        }
    }

    /// Makes the old side live again, from wherever the steps were left. What was live is kept beside it.
    pub(super) fn undo(&self) -> Result<(), DiskError> {
        if self.is_old(&self.kept)? {
            // It was put away when the phase was finished.
            self.step(&self.kept, &self.beside)?;
        }
        if self.way == Way::FileByFile { self.mirror_back() } else { self.rename_back() }
    }

    fn rename_back(&self) -> Result<(), DiskError> {
        if self.is_old(&self.beside)? {
            if self.is_there(&self.live)? {
                self.step(&self.live, &self.aside)?;
            }
            self.step(&self.beside, &self.live)?;
        } else if self.is_old(&self.aside)? {
            // The cutover was interrupted between its renames.
            if self.is_there(&self.live)? {
                self.step(&self.live, &self.beside)?;
            }
            self.step(&self.aside, &self.live)?;
        }
        if self.is_old(&self.live)? && self.is_there(&self.aside)? {
            self.step(&self.aside, &self.beside)?;
        }
        Ok(())
    }

    fn mirror_back(&self) -> Result<(), DiskError> {
        if self.is_old(&self.beside)? {
            let newer = if self.is_there(&self.spare)? { &self.spare } else { &self.aside };
            keep_changed(self.disk, &self.live, &self.beside, newer)?;
            mirror(self.disk, Some(&self.beside), &self.live)?;
            if self.is_there(&self.aside)? {
                self.step(&self.aside, &self.spare)?;
            }
            self.step(&self.beside, &self.aside)?;
        }
        if self.is_there(&self.spare)? {
            self.step(&self.spare, &self.beside)?;
        }
        Ok(())
    }

    /// The candidate and the copy of the old tree change places: beside the path stands what is not live.
    fn change_places(&self) -> Result<(), DiskError> {
        if self.new.is_some() {
            self.step(&self.beside, &self.spare)?;
        }
        self.step(&self.aside, &self.beside)?;
        if self.new.is_some() {
            self.step(&self.spare, &self.aside)?;
        }
        Ok(())
    }

    /// One rename, on the disk before the next one is made.
    fn step(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.disk.rename(from, to)?;
        let folder = |path: &Path| path.parent().unwrap_or(path).to_owned();
        if folder(from) != folder(to) {
            self.disk.sync_directory(&folder(from))?;
        }
        self.disk.sync_directory(&folder(to))
    }

    fn is_old(&self, place: &Path) -> Result<bool, DiskError> {
        Ok(inode(self.disk, place)? == Some(self.old))
    }

    fn is_there(&self, place: &Path) -> Result<bool, DiskError> {
        Ok(self.disk.look(place)?.is_some())
    }
}
