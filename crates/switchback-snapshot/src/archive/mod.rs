//! From a tree on the disk to a snapshot in a repository, reading each file once.
//!
//! In the order of the data: [`chunks`] cuts files, [`store`] turns chunks into blobs, [`pack`] writes blobs and their index,
//! [`folders`] lists directories, and [`earlier`] knows what need not be cut again. The library's own archiver makes the
//! tables of the cutting, the state of the compressor and three messages between threads anew for every small file, which takes
//! several times as long as all the rest. What is written is the same: the format is restic's, and any restic reads it.

mod chunks;
mod earlier;
mod folders;
mod pack;
mod store;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::mpsc::sync_channel;

use rustic_core::jiff::Timestamp;
use rustic_core::jiff::tz::TimeZone;
use rustic_core::repofile::{ConfigFile, SnapshotFile, SnapshotId};
use rustic_core::{FileType, SnapshotOptions, TreeId};
use serde_json::{Value, json};
use switchback_core::manifest::{Manifest, to_hex};
use switchback_core::port::SnapshotRequest;
use switchback_core::tree::{Seen, read_through};
use switchback_core::world::Disk;

use crate::archive::earlier::Earlier;
pub(crate) use crate::archive::earlier::Verified;
use crate::archive::folders::Described;
use crate::archive::pack::Writer;
use crate::archive::store::Store;
use crate::blobs::Blobs;
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

impl Job<'_> {
    /// Stores the tree, and what the repository is to say of it. Returns its manifest and the snapshot's id.
    ///
    /// Both are of the same reading. That the repository really has it is still to be proved.
    pub(crate) fn run(&self) -> Result<(Manifest, SnapshotId), Trouble> {
        let compression = compression(self.blobs.repository.config())?;
        let writer = Writer { backend: &*self.blobs.backend, cipher: &self.blobs.cipher, compression };
        let (full, waiting) = sync_channel(WAITING_PACKS);
        let (manifest, tree) = std::thread::scope(|scope| {
            let writer = &writer;
            // The writer's own end of the queue: when it gives up, nobody waits for it.
            let writing = scope.spawn(move || guarded(|| writer.run(&waiting)));
            let stored = Store::new(self.blobs, self.earlier(), compression, full)
                .and_then(|store| guarded(|| self.store(store)));
            let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // Who cannot write any more takes nothing more, so the writer's reason is the first one.
            written.and(stored)
        })?;
        let about = self.about(&manifest, tree)?;
        let id = writer.file(FileType::Snapshot, about.to_string().as_bytes())?;
        Ok((manifest, SnapshotId::from(id)))
    }

    fn store(&self, store: Store<'_>) -> Result<(Manifest, TreeId), Trouble> {
        let read = |at: usize, path: &std::path::Path| store.read_file(self.disk, at, &self.seen[at], path);
        let manifest = read_through(self.disk, &self.request.root, self.seen, &read);
        let manifest = match store.take_trouble() {
            Some(trouble) => return Err(trouble),
            None => manifest?,
        };
        let contents = store.take_contents();
        let tree = Described::new(&manifest, self.seen, &contents)?.store(&store)?;
        store.close()?;
        Ok((manifest, tree))
    }

    fn earlier(&self) -> Option<Earlier<'_>> {
        let (id, verified) = self.parent.as_ref()?;
        let snapshot: SnapshotFile = self.blobs.file(id).ok()?;
        Some(Earlier::new(self.blobs, verified, snapshot.tree))
    }

    /// The snapshot's own file.
    fn about(&self, manifest: &Manifest, tree: TreeId) -> Result<Value, Trouble> {
        let mut options = SnapshotOptions::default();
        options.label = Some(self.request.label.clone());
        options.description = Some(format!("manifest blake3 {}", to_hex(&manifest.hash())));
        options.time = Some(self.now.to_zoned(TimeZone::UTC));
        let mut about = serde_json::to_value(options.to_snapshot()?)
            .map_err(|error| Trouble::new(format!("the snapshot could not be described: {error}")))?;
        about["tree"] = json!(tree.to_hex().as_str());
        // Shown by restic and nothing more, so a name that is not text may lose some bytes here.
        let shown = |path: &PathBuf| path.to_string_lossy().into_owned();
        about["paths"] = json!(self.request.paths.iter().map(shown).collect::<Vec<_>>());
        if let Some((parent, _)) = &self.parent {
            about["parent"] = json!(parent.to_hex().as_str());
        }
        Ok(about)
    }
}

/// The level of compression of a repository; the first version of the format has none.
fn compression(config: &ConfigFile) -> Result<Option<i32>, Trouble> {
    Ok(config.zstd()?.map(|_| config.compression.unwrap_or(COMPRESSION)))
}
