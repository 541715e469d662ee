//! The vault: makes snapshots, believes none that it has not read back, and restores them into fresh places only.

use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{SnapshotFile, SnapshotId};
use rustic_core::{CheckOptions, Id, OpenStatus, Repository};
use switchback_core::manifest::{Kind, Manifest};
use switchback_core::port::{
    Forgotten, PortError, SnapshotCheck, SnapshotReader, SnapshotRecord, SnapshotRequest, Vault, VaultPlace,
};
use switchback_core::tree::{Seen, is_as_seen, touched, walk};
use switchback_core::world::{Disk, FileKind, World};

use crate::archive::{Archived, Job as ArchiveJob, Verified};
use crate::blobs::Blobs;
use crate::blocks;
use crate::content::compare_content;
use crate::contents::Content;
use crate::durable;
use crate::folders::folders;
use crate::record::{Head, Records};
use crate::repository::Place;
use crate::restore::{Job, selected};
use crate::secrets::Secrets;
use crate::stored::{self, Meant};
use crate::trouble::{Trouble, bounded, guarded};

/// Snapshots in a restic repository in a local directory.
///
/// The repository is made by the first [`Vault::create`]. Beside it stand the records of the verified snapshots
/// (`<repository>-manifests/<id>`) and the lock of writers (`<repository>.lock`). The password stands in the password
/// file, as stock restic wants it (`restic -r <repository> --password-file <password file>`), the master key in
/// `<password file>.master-key`; both are readable by their owner only and made when they are missing.
#[derive(Debug, Clone)]
pub struct RusticVault {
    pub(crate) place: Place,
    pub(crate) records: Records,
}

impl RusticVault {
    /// A vault at `repository`. Nothing is read or written before a method is called.
    pub fn new(world: World, repository: impl Into<PathBuf>, password_file: impl AsRef<Path>) -> Self {
        let repository = repository.into();
        let records = Records::beside(&repository);
        let secrets = Secrets::kept_for(password_file.as_ref());
        Self { place: Place::new(world, repository, secrets), records }
    }

    /// The vault of a project: its password is in the file that was named, said by a command, or in a file beside the
    /// repository, which is made.
    pub fn at(world: World, place: &VaultPlace) -> Self {
        let secrets = match (&place.password_file, &place.password_command) {
            (Some(file), _) => Secrets::named(file),
            (None, Some(command)) => Secrets::said_by(command, &place.root),
            (None, None) => Secrets::kept_for(&durable::with_suffix(&place.repository, ".password")),
        };
        let records = Records::beside(&place.repository);
        Self { place: Place::new(world, place.repository.clone(), secrets), records }
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.place.world.disk
    }

    fn save(&self, request: &SnapshotRequest) -> Result<SnapshotRecord, Trouble> {
        self.refuse_itself(request)?;
        let _lock = self.place.lock(&format!("snapshot of {}", request.root.display()))?;
        // What is there of earlier snapshots is read while the tree is looked at.
        let (seen, newest, opened) = std::thread::scope(|scope| {
            let newest = scope.spawn(|| self.newest());
            let opened = scope.spawn(|| self.open_if_there());
            let seen = walk(self.disk(), &request.root, &request.paths);
            (seen, joined(newest), joined(opened))
        });
        let seen = seen?;
        refuse_unfit(request, &seen)?;
        let blobs = opened?.map_or_else(|| self.place.open_blobs_or_make(), Ok)?;
        let now = self.place.world.clock.now();
        let job = ArchiveJob { disk: self.disk(), blobs: &blobs, request, seen: &seen, parent: newest, now };
        let archived = guarded(|| job.run())?;
        let saved = archived.id;
        // What is read back is found by an index of its own.
        let repository = blobs.into_repository();
        let kept = self.verified(request, archived, seen).and_then(|verified| {
            let head = head(request, &verified, now);
            self.records.keep(self.disk(), &head, &verified.manifest)?;
            Ok(head.record)
        });
        kept.map_err(|trouble| forgotten(&repository, &saved, trouble))
    }

    /// Opens the repository, unless there is none yet: whoever has nothing to save leaves none behind. Only under the lock.
    fn open_if_there(&self) -> Result<Option<Blobs>, Trouble> {
        if self.place.exists()? { self.place.open_blobs_or_make().map(Some) } else { Ok(None) }
    }

    /// The newest verified snapshot. A damaged record of an older one costs time here and nothing else.
    fn newest(&self) -> Option<(SnapshotId, Verified)> {
        let heads = self.heads().ok()?;
        let head = heads.last()?;
        let files = self.records.files(self.disk(), head).ok()?;
        let began_ns = head.record.time.parse::<Timestamp>().ok()?.as_nanosecond();
        Some((snapshot_id(&head.record.id).ok()?, Verified { files, began_ns }))
    }

    /// A repository that is part of what it saves would grow while it is read.
    fn refuse_itself(&self, request: &SnapshotRequest) -> Result<(), Trouble> {
        let inside = request.paths.iter().find(|path| self.place.root.starts_with(request.root.join(path)));
        inside.map_or(Ok(()), |path| {
            Err(Trouble::new(format!(
                "the repository `{}` lies inside `{}`, which it is to save",
                self.place.root.display(),
                path.display()
            ))
            .hinted("keep the repository outside of the saved paths"))
        })
    }

    /// Reads the snapshot back from a newly opened repository and compares it with the manifest, and the source with
    /// what it was before.
    fn verified(
        &self,
        request: &SnapshotRequest,
        archived: Archived,
        seen: Vec<Seen>,
    ) -> Result<Compared, Trouble> {
        let (untouched, blobs) = std::thread::scope(|scope| {
            let blobs = scope.spawn(|| self.place.open_blobs());
            let untouched = self.refuse_touched(request, &seen);
            (untouched, joined(blobs))
        });
        // Its room is needed for what is read back.
        drop(seen);
        untouched?;
        let blobs = blobs?;
        let compared = guarded(|| compare_archived(&blobs, archived, &request.paths))?;
        if compared.findings.is_empty() {
            return Ok(compared);
        }
        Err(Trouble::list(compared.findings)
            .under("what was stored is not what was read")
            .hinted("run `switchback snapshot check`: parts of the repository may be damaged"))
    }

    /// Fails when anything was changed since it was seen.
    fn refuse_touched(&self, request: &SnapshotRequest, seen: &[Seen]) -> Result<(), Trouble> {
        if is_as_seen(self.disk(), &request.root, &request.paths, seen)? {
            return Ok(());
        }
        let after = walk(self.disk(), &request.root, &request.paths)?;
        let mut changed: Vec<String> = touched(seen, &after)
            .into_iter()
            .map(|path| format!("`{}` changed while it was saved", request.root.join(path).display()))
            .collect();
        if changed.is_empty() {
            changed.push(format!("something in `{}` changed while it was saved", request.root.display()));
        }
        Err(Trouble::list(changed)
            .hinted("stop what writes to these paths, or leave them out, then try again"))
    }

    /// The verified snapshots that are still in the repository, oldest first.
    pub(crate) fn heads(&self) -> Result<Vec<Head>, Trouble> {
        let mut heads = Vec::new();
        for id in self.records.ids(self.disk())? {
            // Restic may have forgotten it: then a record is all that is left.
            if self.disk().look(&self.place.root.join("snapshots").join(&id))?.is_some() {
                heads.push(self.records.head(self.disk(), &id)?);
            }
        }
        let time = |head: &Head| head.record.time.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        heads.sort_by(|a, b| (time(a), &a.record.id).cmp(&(time(b), &b.record.id)));
        Ok(heads)
    }

    fn checked(&self, id: Option<&str>) -> Result<SnapshotCheck, Trouble> {
        let ids = match id {
            Some(id) => vec![self.records.find(self.disk(), id)?],
            None => self.records.ids(self.disk())?,
        };
        let mut check = SnapshotCheck { snapshots: ids.len(), findings: Vec::new() };
        if !self.place.exists()? {
            check.findings.extend(ids.iter().map(|id| {
                format!("snapshot {id}: there is no repository at `{}`", self.place.root.display())
            }));
            return Ok(check);
        }
        let blobs = match self.place.open_blobs() {
            // A password that is missing or open to others is no damage: it has a next move, damage has none.
            Err(trouble) if trouble.hint.is_some() => return Err(trouble),
            other => other,
        };
        match blobs {
            Ok(blobs) => {
                if id.is_none() {
                    check.findings.extend(bounded(packs(&blobs)));
                    if let Err(trouble) = self.place.check_password() {
                        let why = trouble.line();
                        check.findings.push(format!("repository: its password does not open it: {why}"));
                    }
                }
                for id in ids {
                    let found = self.check_one(&blobs, &id).unwrap_or_else(|trouble| vec![trouble.line()]);
                    check
                        .findings
                        .extend(bounded(found).iter().map(|finding| format!("snapshot {id}: {finding}")));
                }
            }
            Err(trouble) => {
                let why = trouble.line();
                check
                    .findings
                    .extend(ids.iter().map(|id| format!("snapshot {id}: nothing of it can be read: {why}")));
                if ids.is_empty() {
                    check.findings.push(why);
                }
            }
        }
        Ok(check)
    }

    pub(crate) fn check_one(&self, blobs: &Blobs, id: &str) -> Result<Vec<String>, Trouble> {
        let (head, manifest) = self.records.load(self.disk(), id)?;
        guarded(|| compare(blobs, &manifest, &head.record.paths, &snapshot_id(id)?))
    }

    fn restored(&self, id: &str, paths: &[PathBuf], into: &Path) -> Result<SnapshotRecord, Trouble> {
        let id = self.records.find(self.disk(), id)?;
        let (head, manifest) = self.records.load(self.disk(), &id)?;
        restore_from(&self.place, head, &manifest, paths, into)
    }

    fn content(&self, id: &str, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Trouble> {
        let id = self.records.find(self.disk(), id)?;
        let (_, manifest) = self.records.load(self.disk(), &id)?;
        content_of(&self.place, &manifest, &id, path, bytes_max)
    }
}

/// Writes a snapshot, or these paths of it, into a fresh place, from wherever its repository is.
pub(crate) fn restore_from(
    place: &Place,
    head: Head,
    manifest: &Manifest,
    paths: &[PathBuf],
    into: &Path,
) -> Result<SnapshotRecord, Trouble> {
    let manifest = selected(manifest, paths)?;
    let blobs = place.open_blobs()?;
    let stored = guarded(|| {
        let snapshot: SnapshotFile = blobs.file(&snapshot_id(&head.record.id)?)?;
        Ok(stored::list(&blobs, snapshot.tree))
    })?;
    let job = Job {
        disk: &*place.world.disk,
        blobs: &blobs,
        stored: &stored,
        manifest: &manifest,
        paths: if paths.is_empty() { &head.record.paths } else { paths },
        into,
    };
    job.precheck(head.data_bytes)?;
    job.run()?;
    Ok(head.record)
}

/// One file of a snapshot, compared with the manifest.
pub(crate) fn content_of(
    place: &Place,
    manifest: &Manifest,
    id: &str,
    path: &Path,
    bytes_max: u64,
) -> Result<Vec<u8>, Trouble> {
    let Some(Kind::File { hash, size }) = manifest.get(path).map(|entry| &entry.kind) else {
        return Err(Trouble::new("it is no file of the snapshot")
            .hinted("`switchback snapshot show` lists what is in it"));
    };
    if *size > bytes_max {
        return Err(Trouble::new(format!("it has {size} bytes, and at most {bytes_max} are read")));
    }
    let blobs = place.open_blobs()?;
    let content = guarded(|| {
        let snapshot: SnapshotFile = blobs.file(&snapshot_id(id)?)?;
        let stored = stored::list(&blobs, snapshot.tree);
        let node = stored.nodes.get(path).ok_or_else(|| Trouble::new("it is missing in the repository"))?;
        blocks::content(&blobs, node.content.as_deref().unwrap_or_default(), bytes_max)
    })?;
    if blake3::hash(&content).as_bytes() != hash {
        return Err(Trouble::new("it is not what was saved")
            .hinted("run `switchback snapshot check`: parts of the repository may be damaged"));
    }
    Ok(content)
}

/// What a thread came to; its panic goes on in whoever waited for it.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl SnapshotReader for RusticVault {
    fn list(&self) -> Result<Vec<SnapshotRecord>, PortError> {
        let heads = self.heads().map_err(|trouble| {
            trouble.failed(format!("could not list the snapshots of `{}`", self.place.root.display()))
        })?;
        Ok(heads.into_iter().map(|head| head.record).collect())
    }

    fn show(&self, id: &str) -> Result<(SnapshotRecord, Manifest), PortError> {
        let shown = self.records.find(self.disk(), id).and_then(|id| self.records.load(self.disk(), &id));
        let (head, manifest) =
            shown.map_err(|trouble| trouble.failed(format!("could not show snapshot `{id}`")))?;
        Ok((head.record, manifest))
    }

    fn check(&self, id: Option<&str>) -> Result<SnapshotCheck, PortError> {
        self.checked(id).map_err(|trouble| {
            trouble.failed(format!("could not check the snapshots of `{}`", self.place.root.display()))
        })
    }

    fn restore(&self, id: &str, paths: &[PathBuf], into: &Path) -> Result<SnapshotRecord, PortError> {
        self.restored(id, paths, into).map_err(|trouble| {
            trouble.failed(format!("could not restore snapshot `{id}` into `{}`", into.display()))
        })
    }

    fn read(&self, id: &str, path: &Path, bytes_max: u64) -> Result<Vec<u8>, PortError> {
        self.content(id, path, bytes_max).map_err(|trouble| {
            trouble.failed(format!("could not read `{}` of snapshot `{id}`", path.display()))
        })
    }
}

impl Vault for RusticVault {
    fn create(&self, request: &SnapshotRequest) -> Result<SnapshotRecord, PortError> {
        self.save(request).map_err(|trouble| {
            trouble.failed(format!("could not make a snapshot of `{}`", request.root.display()))
        })
    }

    fn forget(&self, ids: &[String]) -> Result<Forgotten, PortError> {
        self.removed(ids).map_err(|trouble| trouble.failed("could not forget snapshots"))
    }
}

/// Refuses sockets, which cannot be saved, and a request that names nothing that exists.
fn refuse_unfit(request: &SnapshotRequest, seen: &[Seen]) -> Result<(), Trouble> {
    let place = |path: &Path| request.root.join(path).display().to_string();
    if seen.is_empty() {
        let asked: Vec<String> = request.paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(Trouble::new(format!("none of its paths exists: {}", asked.join(", ")))
            .hinted("name at least one path that exists; a snapshot of nothing proves nothing"));
    }
    let sockets: Vec<String> = seen
        .iter()
        .filter(|seen| seen.meta.kind == FileKind::Socket)
        .map(|seen| format!("`{}` is a socket, which cannot be saved", place(&seen.path)))
        .collect();
    if sockets.is_empty() {
        return Ok(());
    }
    Err(Trouble::list(sockets).hinted("stop its process, or move sockets out of the saved paths"))
}

/// A manifest that was compared with what the repository holds.
pub(crate) struct Compared {
    manifest: Manifest,
    manifest_hash: String,
    id: SnapshotId,
    /// Everything that is different.
    findings: Vec<String>,
    /// Bytes outside of holes.
    data_bytes: u64,
}

/// Everything that is different between a manifest and what the repository holds.
pub(crate) fn compare(
    blobs: &Blobs,
    manifest: &Manifest,
    asked: &[PathBuf],
    id: &SnapshotId,
) -> Result<Vec<String>, Trouble> {
    let snapshot = snapshot_file(blobs, id)?;
    let folders = folders(manifest.entries.iter().map(|entry| {
        let is_directory = entry.kind == Kind::Directory;
        (entry.path.as_path(), is_directory)
    }));
    let contents = vec![Content::Unknown; manifest.entries.len()];
    let meant = Meant { blobs, manifest, folders: &folders, asked, listings: &[] };
    let listed = meant.compare(snapshot.tree, contents);
    let mut findings = listed.findings;
    findings.extend(compare_content(blobs, manifest, &listed.contents).findings);
    Ok(findings)
}

/// The same of what was archived a moment ago. Listings of the earlier snapshot are read again and must be what their ids
/// say; entry by entry they were compared when that was verified, and again when they were taken over.
fn compare_archived(blobs: &Blobs, archived: Archived, asked: &[PathBuf]) -> Result<Compared, Trouble> {
    let Archived { id, manifest, manifest_hash, contents, folders, listings } = archived;
    let snapshot = snapshot_file(blobs, &id)?;
    let meant = Meant { blobs, manifest: &manifest, folders: &folders, asked, listings: &listings };
    let listed = meant.compare(snapshot.tree, contents);
    drop((folders, listings));
    let mut findings = listed.findings;
    let content = compare_content(blobs, &manifest, &listed.contents);
    findings.extend(content.findings);
    Ok(Compared { manifest, manifest_hash, id, findings, data_bytes: content.data_bytes })
}

fn snapshot_file(blobs: &Blobs, id: &SnapshotId) -> Result<SnapshotFile, Trouble> {
    blobs.file(id).map_err(|trouble| trouble.under("its own file in the repository cannot be read"))
}

/// What the library's own check of indexes and packs finds, parts included that no snapshot uses.
pub(crate) fn packs(blobs: &Blobs) -> Vec<String> {
    let checked = guarded(|| Ok(blobs.repository.check(CheckOptions::default().read_data(true))?));
    match checked {
        Err(trouble) => vec![format!("the repository's packs could not be checked: {}", trouble.line())],
        Ok(results) => results
            .0
            .iter()
            // The type of the level is private to the library; its name is what can be asked.
            .filter(|(level, _)| format!("{level:?}") == "Error")
            .map(|(_, error)| format!("repository: {}", one_line(&error.to_string())))
            .collect(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn snapshot_id(id: &str) -> Result<SnapshotId, Trouble> {
    Ok(SnapshotId::from(id.parse::<Id>()?))
}

/// Removes a snapshot that did not pass, so that nobody restores it with restic; `trouble` stays what is told.
fn forgotten(repository: &Repository<OpenStatus>, saved: &SnapshotId, mut trouble: Trouble) -> Trouble {
    let removed = guarded(|| Ok(repository.delete_snapshots(&[*saved])?));
    if let Err(error) = removed {
        trouble.causes.push(format!("the unverified snapshot could not be removed: {}", error.line()));
    }
    trouble
}

fn head(request: &SnapshotRequest, verified: &Compared, now: Timestamp) -> Head {
    let Compared { manifest, manifest_hash, id, data_bytes, .. } = verified;
    Head {
        record: SnapshotRecord {
            id: id.to_hex().as_str().to_owned(),
            time: now.to_string(),
            label: request.label.clone(),
            files: manifest.files(),
            bytes: manifest.bytes(),
            paths: request.paths.clone(),
            manifest_hash: manifest_hash.clone(),
        },
        data_bytes: *data_bytes,
    }
}
