//! From a snapshot to a fresh directory that is the same as what was saved, down to the nanosecond, and on the disk.
//!
//! The library's own restore is not used: it writes through links, only warns where metadata cannot be set, never syncs,
//! and panics on a full disk. Here blobs come from the library and everything that is written goes through the disk's
//! operations, whose errors end the restore.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use rustic_core::repofile::Node;
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::{in_parallel, scan};
use switchback_core::world::{Disk, FileKind, Meta};

use crate::blobs::Blobs;
use crate::blocks::{BLOCK_BYTES, Blocks, is_hole};
use crate::durable;
use crate::stored::Stored;
use crate::trouble::{Trouble, guarded};

/// What file systems allocate at once; every entry is counted as using at least this much.
const ALLOCATION_BYTES: u64 = 4096;

/// Behind a hole, data is written in pieces of at most this many bytes.
const PIECE_BYTES_MAX: usize = 4 << 20;

/// The mode of directories that are only the way to what is restored.
const WAY_MODE: u32 = 0o755;

/// What is to be written, and where.
pub(crate) struct Job<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) blobs: &'a Blobs,
    pub(crate) stored: &'a Stored,
    /// The entries to write, as [`selected`] chose them.
    pub(crate) manifest: &'a Manifest,
    /// The paths to look at when it is compared afterwards.
    pub(crate) paths: &'a [PathBuf],
    /// The directory to make.
    pub(crate) into: &'a Path,
}

/// The part of a manifest at and below `paths`; all of it when there are none.
///
/// Where the first name of a file with several is not chosen, the first one that is takes its place.
pub(crate) fn selected(manifest: &Manifest, paths: &[PathBuf]) -> Result<Manifest, Trouble> {
    if paths.is_empty() {
        return Ok(manifest.clone());
    }
    for path in paths {
        if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(Trouble::new(format!("`{}` is not a path inside the snapshot", path.display()))
                .hinted("give it relative to the root of the project, without `..`"));
        }
        if manifest.below(&plain(path)).entries.is_empty() {
            return Err(Trouble::new(format!("`{}` is not in the snapshot", path.display()))
                .hinted("`switchback snapshot show` lists what is in it"));
        }
    }
    let paths: Vec<PathBuf> = paths.iter().map(|path| plain(path)).collect();
    let mut chosen: Vec<Entry> = manifest
        .entries
        .iter()
        .filter(|entry| paths.iter().any(|path| entry.path.starts_with(path)))
        .cloned()
        .collect();
    let mut firsts: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for entry in &mut chosen {
        let group = entry.linked_to.clone().unwrap_or_else(|| entry.path.clone());
        entry.linked_to = firsts.get(&group).cloned();
        if entry.linked_to.is_none() {
            firsts.insert(group, entry.path.clone());
        }
    }
    Ok(Manifest::from_entries(chosen))
}

/// The path without `.`.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

impl Job<'_> {
    /// Refuses what cannot end well, before anything is made. `data_bytes` is what the whole snapshot holds.
    pub(crate) fn precheck(&self, data_bytes: u64) -> Result<(), Trouble> {
        if self.disk.look(self.into)?.is_some() {
            return Err(Trouble::new(format!("`{}` exists already", self.into.display()))
                .hinted("name a path that does not exist yet: a restore never writes over anything"));
        }
        let parent = durable::parent(self.into);
        if self.disk.look(parent)?.is_none() {
            return Err(Trouble::new(format!("the directory `{}` does not exist", parent.display()))
                .hinted("make it, or name another place"));
        }
        let inodes = self.manifest.entries.iter().filter(|entry| entry.linked_to.is_none()).count() as u64
            + self.way().len() as u64
            + 1;
        let whole: u64 = self
            .manifest
            .entries
            .iter()
            .filter(|entry| entry.linked_to.is_none())
            .map(|entry| if let Kind::File { size, .. } = entry.kind { size } else { 0 })
            .fold(0, u64::saturating_add);
        let bytes = whole.min(data_bytes).saturating_add(inodes * ALLOCATION_BYTES);
        let space = self.disk.space(parent)?;
        if space.bytes < bytes || space.inodes < inodes {
            return Err(Trouble::new(format!(
                "`{}` has room for {} bytes and {} entries, and up to {bytes} bytes and {inodes} entries are needed",
                parent.display(),
                space.bytes,
                space.inodes
            ))
            .hinted("free some space, restore fewer paths, or name a place on another disk"));
        }
        Ok(())
    }

    /// Writes everything, waits until it is on the disk, and compares it with the manifest. On an error nothing is left.
    pub(crate) fn run(&self) -> Result<(), Trouble> {
        self.disk.make_directory(self.into, 0o700)?;
        guarded(|| self.fill().and_then(|()| self.verify())).map_err(|trouble| self.abandoned(trouble))
    }

    /// Takes away what was written; half a restore must not be taken for a whole one.
    fn abandoned(&self, mut trouble: Trouble) -> Trouble {
        if let Err(error) = durable::remove_tree(self.disk, self.into) {
            trouble.causes.push(format!("the incomplete copy could not be removed: {error}"));
        }
        trouble
    }

    fn fill(&self) -> Result<(), Trouble> {
        let way = self.way();
        let mut directories: BTreeSet<&Path> = way.iter().map(PathBuf::as_path).collect();
        directories
            .extend(self.entries(|entry| entry.kind == Kind::Directory).map(|entry| entry.path.as_path()));
        for directory in directories.iter().filter(|path| !path.as_os_str().is_empty()) {
            self.disk.make_directory(&self.place(directory), 0o700)?;
        }
        let firsts: Vec<&Entry> =
            self.entries(|entry| entry.linked_to.is_none() && entry.kind != Kind::Directory).collect();
        in_parallel(&firsts, |entry| {
            self.write(entry)
                .map_err(|trouble| trouble.under(format!("`{}` was not restored", entry.path.display())))
        })?;
        for entry in &self.manifest.entries {
            if let Some(first) = &entry.linked_to {
                self.disk.make_hard_link(&self.place(first), &self.place(&entry.path))?;
            }
        }
        in_parallel(&firsts, |entry| -> Result<(), Trouble> {
            self.describe(entry)?;
            // Links and nodes have no content; they reach the disk with their directory.
            if matches!(entry.kind, Kind::File { .. }) {
                self.disk.sync_file(&self.place(&entry.path))?;
            }
            Ok(())
        })?;
        // Children first: what happens in a directory changes its time, and its mode may forbid to enter it.
        for directory in directories.iter().rev() {
            match self.manifest.get(directory) {
                Some(entry) => self.describe(entry)?,
                None => self.disk.set_mode(&self.place(directory), WAY_MODE)?,
            }
            self.disk.sync_directory(&self.place(directory))?;
        }
        self.disk.sync_directory(self.into)?;
        Ok(self.disk.sync_directory(durable::parent(self.into))?)
    }

    /// Looks at everything again, content included, and compares it with the manifest.
    fn verify(&self) -> Result<(), Trouble> {
        let written = scan(self.disk, self.into, self.paths)?;
        let findings: Vec<String> = self
            .manifest
            .differences(&written)
            .into_iter()
            .map(|difference| format!("`{}`: {}", difference.path.display(), difference.what.word()))
            .collect();
        if findings.is_empty() {
            return Ok(());
        }
        Err(Trouble::list(findings).under("what was written is not what was saved; different are"))
    }

    /// The directories above what is restored that are not part of it.
    fn way(&self) -> BTreeSet<PathBuf> {
        self.manifest
            .entries
            .iter()
            .flat_map(|entry| entry.path.ancestors().skip(1))
            .filter(|path| !path.as_os_str().is_empty() && self.manifest.get(path).is_none())
            .map(Path::to_path_buf)
            .collect()
    }

    fn entries(&self, wanted: impl Fn(&Entry) -> bool) -> impl Iterator<Item = &Entry> {
        self.manifest.entries.iter().filter(move |entry| wanted(entry))
    }

    fn place(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() { self.into.to_owned() } else { self.into.join(path) }
    }

    fn write(&self, entry: &Entry) -> Result<(), Trouble> {
        let place = self.place(&entry.path);
        match &entry.kind {
            Kind::File { size, .. } => {
                let node = self.stored.nodes.get(&entry.path);
                let node = node.ok_or_else(|| Trouble::new("it is missing in the repository"))?;
                self.write_content(&place, node, *size)
            }
            Kind::Symlink(target) => Ok(self.disk.make_symlink(target, &place)?),
            Kind::Fifo => Ok(self.disk.make_special(&place, &Meta::special(FileKind::Fifo, 0))?),
            Kind::Device { block, number } => {
                let kind = if *block { FileKind::BlockDevice } else { FileKind::CharacterDevice };
                Ok(self.disk.make_special(&place, &Meta::special(kind, *number))?)
            }
            Kind::Socket | Kind::Directory => Err(Trouble::new("it has no content that could be written")),
        }
    }

    /// Writes up to the first hole as a stream; what is behind it piece by piece, so that holes stay holes.
    fn write_content(&self, place: &Path, node: &Node, size: u64) -> Result<(), Trouble> {
        let mut stream = UntilHole {
            blocks: Blocks::new(self.blobs, node.content.as_deref().unwrap_or_default()),
            block: Vec::new(),
            used: 0,
            done: 0,
        };
        self.disk.write_new(place, 0o600, &mut stream)?;
        let (mut blocks, mut block, mut at) = (stream.blocks, stream.block, stream.done);
        let mut written = at;
        let mut piece: Vec<u8> = Vec::new();
        while !block.is_empty() {
            let hole = is_hole(&block);
            if !hole {
                piece.extend_from_slice(&block);
            }
            at += block.len() as u64;
            if !piece.is_empty() && (hole || piece.len() >= PIECE_BYTES_MAX) {
                let end = if hole { at - block.len() as u64 } else { at };
                self.disk.overwrite(place, end - piece.len() as u64, &piece)?;
                (written, piece) = (end, Vec::new());
            }
            blocks.next_into(&mut block)?;
        }
        if !piece.is_empty() {
            self.disk.overwrite(place, at - piece.len() as u64, &piece)?;
            written = at;
        }
        if at != size {
            return Err(Trouble::new(format!("the repository holds {at} bytes of it instead of {size}")));
        }
        if written < size {
            // It ends in a hole: its last byte gives it its length.
            self.disk.overwrite(place, size - 1, &[0])?;
        }
        Ok(self.disk.start_sync(place)?)
    }

    /// Owner, attributes, mode, times, in the order in which none undoes another.
    fn describe(&self, entry: &Entry) -> Result<(), Trouble> {
        let place = self.place(&entry.path);
        let found = self.disk.look(&place)?.ok_or_else(|| {
            Trouble::new(format!("`{}` disappeared while it was restored", place.display()))
        })?;
        if (found.uid, found.gid) != (entry.uid, entry.gid) {
            self.disk.set_owner(&place, entry.uid, entry.gid).map_err(|error| {
                Trouble::from(error)
                    .under(format!(
                        "`{}` belongs to user {} and group {}",
                        entry.path.display(),
                        entry.uid,
                        entry.gid
                    ))
                    .hinted("restore as root, or leave this path out")
            })?;
        }
        for (name, value) in &entry.xattrs {
            self.disk.set_xattr(&place, name, value)?;
        }
        if !matches!(entry.kind, Kind::Symlink(_)) {
            self.disk.set_mode(&place, entry.mode)?;
        }
        Ok(self.disk.set_times(&place, entry.mtime_ns, entry.mtime_ns)?)
    }
}

/// Reads a stored file up to its first hole, and ends there; `block` then holds that hole.
struct UntilHole<'a> {
    blocks: Blocks<'a>,
    block: Vec<u8>,
    used: usize,
    /// How many bytes were handed out in whole blocks.
    done: u64,
}

impl Read for UntilHole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.block.len() {
            self.done += self.block.len() as u64;
            self.used = 0;
            self.blocks
                .next_into(&mut self.block)
                .map_err(|trouble| std::io::Error::other(trouble.line()))?;
        }
        if self.used == 0 && is_hole(&self.block) {
            return Ok(0);
        }
        let count = (self.block.len() - self.used).min(buffer.len()).min(BLOCK_BYTES);
        buffer[..count].copy_from_slice(&self.block[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, linked_to: Option<&str>) -> Entry {
        Entry {
            path: path.into(),
            kind: Kind::File { size: 1, hash: [7; 32] },
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime_ns: 0,
            xattrs: Vec::new(),
            linked_to: linked_to.map(PathBuf::from),
        }
    }

    #[test]
    fn a_selection_keeps_its_hard_links_together() {
        let manifest = Manifest::from_entries(vec![
            file("a/one", None),
            file("b/three", Some("a/one")),
            file("b/two", Some("a/one")),
            file("c", None),
        ]);
        let chosen = selected(&manifest, &["./b".into(), "c".into()]).unwrap();
        assert_eq!(chosen.entries, [file("b/three", None), file("b/two", Some("b/three")), file("c", None)]);
        assert_eq!(selected(&manifest, &[]).unwrap(), manifest);
        let said = |path: &str| selected(&manifest, &[path.into()]).unwrap_err().line();
        assert_eq!(said("b/t"), "`b/t` is not in the snapshot");
        assert_eq!(said("../b"), "`../b` is not a path inside the snapshot");
    }
}
