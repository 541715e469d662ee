//! From a tree on the disk to a snapshot in a repository, reading each file once.
//!
//! In the order of the data: [`chunks`] cuts files, [`store`] turns chunks into blobs, [`pack`] writes blobs and their index,
//! [`listings`] lists directories, and [`earlier`] knows what need not be done again. The library's own archiver makes the
//! tables of the cutting, the state of the compressor and three messages between threads anew for every small file, which takes
//! several times as long as all the rest. What is written is the same: the format is restic's, and any restic reads it.

mod chunks;
mod earlier;
mod listings;
mod pack;
mod store;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use rustic_core::jiff::Timestamp;
use rustic_core::jiff::tz::TimeZone;
use rustic_core::repofile::{ConfigFile, SnapshotFile, SnapshotId};
use rustic_core::{FileType, SnapshotOptions, TreeId};
use serde_json::{Value, json};
use switchback_core::manifest::{Manifest, to_hex};
use switchback_core::port::SnapshotRequest;
use switchback_core::tree::{Seen, read_unknown};
use switchback_core::world::{Disk, FileKind};

use crate::archive::chunks::Cutting;
pub(crate) use crate::archive::earlier::Verified;
use crate::archive::earlier::{Earlier, Known};
pub(crate) use crate::archive::listings::Listing;
use crate::archive::listings::{Described, completed};
use crate::archive::pack::{Pack, Writer};
use crate::archive::store::Store;
use crate::blobs::Blobs;
use crate::contents::Content;
use crate::folders::{Folder, folders};
use crate::trouble::{Trouble, guarded};

/// How hard blobs are compressed where the repository's configuration does not say; about as hard as restic does.
const COMPRESSION: i32 = 1;

/// So many full packs wait for the writer; whoever has another one waits, too.
const WAITING_PACKS: usize = 1;

/// What is to be saved.
pub(crate) struct Job<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) blobs: &'a Blobs,
    pub(crate) request: &'a SnapshotRequest,
    pub(crate) seen: &'a [Seen],
    /// The newest verified snapshot, and what it says of itself.
    pub(crate) parent: Option<(SnapshotId, Verified)>,
    pub(crate) now: Timestamp,
}

/// What was stored. Manifest and contents go by the numbers of what was seen, listings by those of the directories.
#[derive(Debug)]
pub(crate) struct Archived {
    pub(crate) id: SnapshotId,
    pub(crate) manifest: Manifest,
    /// The hash of the manifest.
    pub(crate) manifest_hash: String,
    pub(crate) contents: Vec<Content>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) listings: Vec<Listing>,
}

impl Job<'_> {
    /// Stores the tree, and what the repository is to say of it; all of it is of the same reading.
    ///
    /// That the repository really has it is still to be proved, and that nobody changed the tree meanwhile: files that are known
    /// are not even looked at again.
    pub(crate) fn run(self) -> Result<Archived, Trouble> {
        let compression = compression(self.blobs.repository.config())?;
        let writer = Writer { backend: &*self.blobs.backend, cipher: &self.blobs.cipher, compression };
        let (full, waiting) = sync_channel(WAITING_PACKS);
        let folders = folders(self.seen.iter().map(|seen| {
            let is_directory = seen.meta.kind == FileKind::Directory;
            (seen.path.as_path(), is_directory)
        }));
        let parent = self.parent.as_ref().map(|(id, _)| *id);
        let (request, now) = (self.request, self.now);
        let (manifest, manifest_hash, contents, listings) = std::thread::scope(|scope| {
            let writer = &writer;
            // The writer's own end of the queue: when it gives up, nobody waits for it.
            let writing = scope.spawn(move || guarded(|| writer.run(&waiting)));
            let stored = guarded(|| self.store(&folders, compression, full));
            let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // Who cannot write any more takes nothing more, so the writer's reason is the first one.
            written.and(stored)
        })?;
        let about = about(request, now, parent, &manifest_hash, listings[0].tree)?;
        let id = SnapshotId::from(writer.file(FileType::Snapshot, about.to_string().as_bytes())?);
        Ok(Archived { id, manifest, manifest_hash, contents, folders, listings })
    }

    fn store(self, folders: &[Folder], compression: Option<i32>, full: SyncSender<Pack>) -> Stored {
        let Self { disk, blobs, request, seen, .. } = self;
        let cutting = Cutting::of(blobs.repository.config())?;
        let Known { hashes, contents, before_hashes, before } = self.known(folders, &cutting);
        let store = Store::new(blobs, cutting, (contents, before_hashes), compression, full);
        let read = |at: usize, path: &Path| store.read_file(disk, at, path);
        let manifest = read_unknown(disk, &request.root, seen, &|at| hashes[at], &read);
        let manifest = match store.take_trouble() {
            Some(trouble) => return Err(trouble),
            None => manifest?,
        };
        drop(hashes);
        let contents = completed(&manifest, seen, store.take_contents())?;
        let (hash, listings) = std::thread::scope(|scope| {
            let hash = scope.spawn(|| to_hex(&manifest.hash()));
            let described =
                Described { manifest: &manifest, seen, contents: &contents, folders, before: &before };
            let listings = described.store(&store);
            (hash.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), listings)
        });
        let listings = listings?;
        store.close()?;
        Ok((manifest, hash, contents, listings))
    }

    /// What the earlier snapshot knows, which is then needed no more.
    fn known(self, folders: &[Folder], cutting: &Cutting) -> Known {
        let nothing = || Known::nothing(self.seen, folders);
        let Some((id, verified)) = &self.parent else { return nothing() };
        let Ok(snapshot) = self.blobs.file::<SnapshotFile>(id) else { return nothing() };
        let cut_from = cutting.bytes_min() as u64;
        Earlier { blobs: self.blobs, verified, tree: snapshot.tree, cut_from }.known(self.seen, folders)
    }
}

/// A manifest and its hash, the blobs of its files, and its listings.
type Stored = Result<(Manifest, String, Vec<Content>, Vec<Listing>), Trouble>;

/// The snapshot's own file.
fn about(
    request: &SnapshotRequest,
    now: Timestamp,
    parent: Option<SnapshotId>,
    manifest_hash: &str,
    tree: TreeId,
) -> Result<Value, Trouble> {
    let mut options = SnapshotOptions::default();
    options.label = Some(request.label.clone());
    options.description = Some(format!("manifest blake3 {manifest_hash}"));
    options.time = Some(now.to_zoned(TimeZone::UTC));
    let mut about = serde_json::to_value(options.to_snapshot()?)
        .map_err(|error| Trouble::new(format!("the snapshot could not be described: {error}")))?;
    about["tree"] = json!(tree.to_hex().as_str());
    // Shown by restic and nothing more, so a name that is not text may lose some bytes here.
    let shown = |path: &PathBuf| path.to_string_lossy().into_owned();
    about["paths"] = json!(request.paths.iter().map(shown).collect::<Vec<_>>());
    if let Some(parent) = parent {
        about["parent"] = json!(parent.to_hex().as_str());
    }
    Ok(about)
}

/// The level of compression of a repository; the first version of the format has none.
fn compression(config: &ConfigFile) -> Result<Option<i32>, Trouble> {
    Ok(config.zstd()?.map(|_| config.compression.unwrap_or(COMPRESSION)))
}
