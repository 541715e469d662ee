//! A second copy of a repository, elsewhere: the same files under the same names, so that restic opens it as it opens the
//! first one (`restic -r s3:https://s3.amazonaws.com/bucket/folder`).
//!
//! [`shelf`] is a place that keeps files by name → [`folder`], [`s3`] and [`sftp`] are such places → [`backend`] lets the library read
//! from one → [`sealed`] keeps the records of verified snapshots there, encrypted with the repository's own key → [`RemoteCopy`]
//! sends and reads. Nothing that is there in its full length is ever altered, and nothing is removed. [`depot`] keeps single files at
//! the same kinds of places.

mod backend;
mod depot;
mod folder;
mod listing;
mod s3;
mod sealed;
mod sftp;
mod shelf;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_core::Id;
use sha2::{Digest, Sha256};
use switchback_core::manifest::Manifest;
use switchback_core::port::{
    PortError, RemoteVault, Sent, SnapshotCheck, SnapshotReader, SnapshotRecord, VaultPlace,
};
use switchback_core::world::World;

pub(crate) use self::backend::ShelfBackend;
pub use self::depot::RemoteDepot;
use self::folder::Folder;
use self::s3::Bucket;
use self::sftp::Server;
pub(crate) use self::shelf::Shelf;
use crate::blobs::Blobs;
use crate::record::Head;
use crate::repository::Place;
use crate::trouble::{Trouble, bounded, guarded};
use crate::vault::{RusticVault, compare, content_of, packs, restore_from, snapshot_id};

/// The parts of a repository in the order in which they are sent: whoever finds a snapshot finds all that it needs.
const PARTS: [&str; 5] = ["keys", "data", "index", sealed::FOLDER, "snapshots"];
/// What makes a folder a repository: its version, its id and how it cuts files.
const CONFIG: &str = "config";

/// The place that an address names.
fn shelf_at(world: &World, address: &str) -> Result<Arc<dyn Shelf>, PortError> {
    let (surroundings, clock) = (world.surroundings.as_ref(), Arc::clone(&world.clock));
    let unusable = |trouble: Trouble| trouble.failed(format!("could not use `{address}`"));
    Ok(match address.strip_prefix("s3://") {
        Some(rest) => Arc::new(Bucket::new(rest, surroundings, clock).map_err(unusable)?),
        None if address.starts_with("sftp:") => {
            Arc::new(Server::new(address, surroundings, clock).map_err(unusable)?)
        }
        None => Arc::new(Folder::new(Arc::clone(&world.disk), Path::new(address))),
    })
}

/// The second copy of a vault.
#[derive(Debug)]
pub struct RemoteCopy {
    local: RusticVault,
    place: Place,
    shelf: Arc<dyn Shelf>,
}

impl RemoteCopy {
    /// The copy at `address`: an absolute path, `s3://bucket/folder`, or `sftp:user@host:folder`. Nothing is read or written before a method is called.
    ///
    /// # Errors
    ///
    /// When the address, or what the environment says about the store, cannot be understood.
    pub fn new(world: &World, place: &VaultPlace, address: &str) -> Result<Self, PortError> {
        let shelf = shelf_at(world, address)?;
        let local = RusticVault::at(world.clone(), place);
        let place = local.place.elsewhere(Arc::clone(&shelf));
        Ok(Self { local, place, shelf })
    }

    fn failed(&self, trouble: Trouble, doing: &str) -> PortError {
        trouble.failed(format!("could not {doing} `{}`", self.shelf.address()))
    }

    /// Sends what is not there yet.
    fn sent(&self, id: &str) -> Result<Sent, Trouble> {
        let _lock = self.local.place.lock(&format!("copying to {}", self.shelf.address()))?;
        let key = self.local.place.open()?.key();
        let config = self.local.place.root.join(CONFIG);
        let config = self.place.world.disk.read(&config, shelf::FILE_BYTES_MAX)?;
        let is_new = match self.shelf.read(CONFIG)? {
            Some(there) if there == config => false,
            Some(_) => {
                return Err(Trouble::new("another repository is there")
                    .hinted("name an empty folder of its own in `remote`; nothing was written"));
            }
            None => true,
        };
        let mut sent = Sent::default();
        for part in PARTS {
            // A repository without its configuration is none: it comes when it can be opened.
            if part == "data" && is_new {
                self.shelf.write(CONFIG, &config)?;
                sent.files += 1;
                sent.bytes += config.len() as u64;
            }
            let there = self.shelf.list(part)?;
            for (name, bytes) in self.names(part)? {
                if there.get(&name).is_some_and(|size| part == sealed::FOLDER || *size == bytes) {
                    continue;
                }
                let content = self.content(part, &name, &key)?;
                self.shelf.write(&name, &content)?;
                sent.files += 1;
                sent.bytes += content.len() as u64;
            }
            self.confirm(part)?;
        }
        let (_, manifest) = self.load(id)?;
        let (_, meant) = self.local.records.load(self.local.disk(), id)?;
        if manifest != meant {
            return Err(Trouble::new(format!("the record of snapshot {id} is another one there")));
        }
        Ok(sent)
    }

    /// The files of a part of the repository, by the names that they have elsewhere, with their sizes.
    fn names(&self, part: &str) -> Result<Vec<(String, u64)>, Trouble> {
        let disk = self.local.disk();
        if part == sealed::FOLDER {
            let ids = self.local.records.ids(disk)?;
            return Ok(ids.into_iter().map(|id| (format!("{part}/{id}"), 0)).collect());
        }
        let local = Folder::new(Arc::clone(&self.place.world.disk), &self.local.place.root);
        let files = local.list(part)?.into_iter();
        // Only names of content: what a killed writer left half done has another one.
        let is_whole = |name: &str| name.rsplit('/').next().is_some_and(|last| last.parse::<Id>().is_ok());
        Ok(files.filter(|(name, _)| is_whole(name)).collect())
    }

    fn content(
        &self,
        part: &str,
        name: &str,
        key: &rustic_core::repofile::MasterKey,
    ) -> Result<Vec<u8>, Trouble> {
        let disk = self.local.disk();
        if part == sealed::FOLDER {
            let id = name.rsplit('/').next().unwrap_or_default();
            return sealed::seal(self.local.records.text(disk, id)?.as_bytes(), key);
        }
        let content = disk.read(&self.local.place.root.join(name), shelf::FILE_BYTES_MAX)?;
        // A file of a repository is named by the SHA-256 of its content (restic's design, "Repository Format").
        let found: String = Sha256::digest(&content).iter().fold(String::new(), |mut digits, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        if !name.ends_with(&found) {
            return Err(Trouble::new(format!(
                "`{}` is damaged: its content is not what its name says",
                self.local.place.root.join(name).display()
            ))
            .hinted("run `switchback snapshot check`"));
        }
        Ok(content)
    }

    /// Looks whether the place has everything of a part that is here, in full length.
    fn confirm(&self, part: &str) -> Result<(), Trouble> {
        let there = self.shelf.list(part)?;
        for (name, bytes) in self.names(part)? {
            match there.get(&name) {
                Some(size) if part == sealed::FOLDER || *size == bytes => {}
                Some(size) => {
                    let what = format!("`{name}` has {size} bytes there and {bytes} here");
                    return Err(Trouble::new(what).hinted("remove it there, then try again"));
                }
                None => return Err(Trouble::new(format!("`{name}` was sent, and is not there"))),
            }
        }
        Ok(())
    }

    fn ids(&self) -> Result<Vec<String>, Trouble> {
        let snapshots = self.shelf.list("snapshots")?;
        let last = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
        let mut ids: Vec<String> = self.shelf.list(sealed::FOLDER)?.keys().map(last).collect();
        ids.retain(|id| snapshots.contains_key(&format!("snapshots/{id}")));
        if ids.is_empty() {
            return Err(Trouble::new("there is no snapshot there").hinted(
                "each run copies its snapshots there; `switchback snapshot create` makes one and copies it",
            ));
        }
        Ok(ids)
    }

    fn find(&self, id: &str) -> Result<String, Trouble> {
        let mut fitting = self.ids()?;
        fitting.retain(|known| !id.is_empty() && known.starts_with(&id.to_ascii_lowercase()));
        match fitting.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Trouble::new(format!("no snapshot there has an id that begins with `{id}`"))
                .hinted("`switchback snapshot list --from remote` shows every id")),
            several => {
                let what = format!("{} snapshots there have an id that begins with `{id}`", several.len());
                Err(Trouble::new(what).hinted("give more digits of the id"))
            }
        }
    }

    fn load(&self, id: &str) -> Result<(Head, Manifest), Trouble> {
        let name = format!("{}/{id}", sealed::FOLDER);
        let Some(sealed) = self.shelf.read(&name)? else {
            return Err(Trouble::new(format!("`{name}` is not there")));
        };
        let key = self.place.open()?.key();
        let text = sealed::open(&sealed, &key)
            .ok_or_else(|| Trouble::new(format!("`{name}` is damaged, or of another repository")))?;
        self.local.records.read(id, text)
    }

    fn compared(&self, blobs: &Blobs, id: &str) -> Result<Vec<String>, Trouble> {
        let (head, manifest) = self.load(id)?;
        guarded(|| compare(blobs, &manifest, &head.record.paths, &snapshot_id(id)?))
    }

    fn checked(&self, id: Option<&str>) -> Result<SnapshotCheck, Trouble> {
        let ids = id.map_or_else(|| self.ids(), |id| Ok(vec![self.find(id)?]))?;
        let mut check = SnapshotCheck { snapshots: ids.len(), findings: Vec::new() };
        let blobs = self.place.open_blobs()?;
        if id.is_none() {
            check.findings.extend(bounded(packs(&blobs)));
        }
        for id in ids {
            let found = self.compared(&blobs, &id).unwrap_or_else(|trouble| vec![trouble.line()]);
            check.findings.extend(bounded(found).iter().map(|finding| format!("snapshot {id}: {finding}")));
        }
        Ok(check)
    }

    fn restored(&self, id: &str, paths: &[PathBuf], into: &Path) -> Result<SnapshotRecord, Trouble> {
        let id = self.find(id)?;
        let (head, manifest) = self.load(&id)?;
        restore_from(&self.place, head, &manifest, paths, into)
    }
}

impl SnapshotReader for RemoteCopy {
    fn list(&self) -> Result<Vec<SnapshotRecord>, PortError> {
        let records = || -> Result<Vec<SnapshotRecord>, Trouble> {
            let loaded = self.ids()?.into_iter().map(|id| Ok(self.load(&id)?.0.record));
            let mut records = loaded.collect::<Result<Vec<_>, Trouble>>()?;
            records.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
            Ok(records)
        };
        records().map_err(|trouble| self.failed(trouble, "list the snapshots in"))
    }

    fn show(&self, id: &str) -> Result<(SnapshotRecord, Manifest), PortError> {
        let shown = self.find(id).and_then(|id| self.load(&id));
        let (head, manifest) =
            shown.map_err(|trouble| self.failed(trouble, &format!("show snapshot `{id}` in")))?;
        Ok((head.record, manifest))
    }

    fn check(&self, id: Option<&str>) -> Result<SnapshotCheck, PortError> {
        self.checked(id).map_err(|trouble| self.failed(trouble, "check the snapshots in"))
    }

    fn restore(&self, id: &str, paths: &[PathBuf], into: &Path) -> Result<SnapshotRecord, PortError> {
        self.restored(id, paths, into)
            .map_err(|trouble| self.failed(trouble, &format!("restore snapshot `{id}` from")))
    }

    fn read(&self, id: &str, path: &Path, bytes_max: u64) -> Result<Vec<u8>, PortError> {
        let read = || {
            let id = self.find(id)?;
            let (_, manifest) = self.load(&id)?;
            content_of(&self.place, &manifest, &id, path, bytes_max)
        };
        let doing = format!("read `{}` of snapshot `{id}` in", path.display());
        read().map_err(|trouble| self.failed(trouble, &doing))
    }
}

impl RemoteVault for RemoteCopy {
    fn send(&self, id: &str) -> Result<Sent, PortError> {
        self.sent(id).map_err(|trouble| self.failed(trouble, "copy the snapshots to"))
    }
}
