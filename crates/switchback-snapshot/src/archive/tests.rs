//! What the library stored is found again, and the other way round.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustic_core::repofile::{Node, SnapshotFile};
use rustic_core::{BackupOptions, PathList, SnapshotOptions};
use switchback_core::manifest::{Hash, Kind};
use switchback_core::port::{SnapshotReader, SnapshotRequest, Vault};
use switchback_core::world::{Disk, RealDisk, World};

use super::*;
use crate::content::compare_content;
use crate::repository::Place;
use crate::secrets::Secrets;
use crate::stored::Meant;
use crate::vault::RusticVault;

/// Lengths around every bound: of the window, of the smallest chunk, of a pack.
const LENGTHS: [usize; 12] =
    [0, 1, 64, 4096, 524_287, 524_288, 524_289, 524_352, 1 << 20, 3_000_017, 9 << 20, 20 << 20];

fn lay(root: &Path) {
    for (number, length) in LENGTHS.into_iter().enumerate() {
        let mut content = vec![0; length];
        blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut content);
        let path = root.join(format!("tree/{}/{number}", number % 3));
        RealDisk.make_directory(&root.join("tree"), 0o755).ok();
        RealDisk.make_directory(path.parent().unwrap(), 0o755).ok();
        RealDisk.write_new(&path, 0o644, &mut content.as_slice()).unwrap();
    }
    RealDisk.write_new(&root.join("tree/zeros"), 0o644, &mut std::io::repeat(0).take(3 << 20)).unwrap();
}

fn pack_bytes(place: &Place) -> u64 {
    let listed = place.open().unwrap().infos_files().unwrap();
    listed.repo.iter().filter(|info| info.tpe == FileType::Pack).map(|info| info.size).sum()
}

fn by_the_library(place: &Place, tree: &Path) -> SnapshotFile {
    let repository = place.open_or_make().unwrap().to_indexed_ids().unwrap();
    let source = PathList::from_string(tree.to_str().unwrap()).unwrap().sanitize().unwrap();
    let about = SnapshotOptions::default().to_snapshot().unwrap();
    repository.backup(&BackupOptions::default(), &source, about).unwrap()
}

fn ground() -> (tempfile::TempDir, Place, RusticVault, SnapshotRequest) {
    let directory = tempfile::tempdir().unwrap();
    let (root, password) = (directory.path().join("vault"), directory.path().join("password"));
    lay(directory.path());
    let place = Place::new(World::real(), root.clone(), Secrets::kept_for(&password));
    let vault = RusticVault::new(World::real(), root, &password);
    let request = SnapshotRequest {
        root: directory.path().to_owned(),
        paths: vec![PathBuf::from("tree")],
        label: String::new(),
    };
    (directory, place, vault, request)
}

/// Listings differ, by owners' names for one; content is far more.
const LISTINGS_BYTES_MAX: u64 = 200_000;

#[test]
fn what_the_library_stored_is_not_stored_again() {
    let (directory, place, vault, request) = ground();
    by_the_library(&place, &directory.path().join("tree"));
    let before = pack_bytes(&place);
    assert!(before > 30 << 20);
    vault.create(&request).unwrap();
    let added = pack_bytes(&place) - before;
    assert!(added < LISTINGS_BYTES_MAX, "{added} bytes were added");
}

#[test]
fn what_is_stored_is_not_stored_again_by_the_library() {
    let (directory, place, vault, request) = ground();
    vault.create(&request).unwrap();
    let before = pack_bytes(&place);
    by_the_library(&place, &directory.path().join("tree"));
    let added = pack_bytes(&place) - before;
    assert!(added < LISTINGS_BYTES_MAX, "{added} bytes were added");
}

#[test]
fn a_second_snapshot_of_the_same_tree_has_the_same_listings() {
    let (_directory, place, vault, request) = ground();
    vault.create(&request).unwrap();
    let before = pack_bytes(&place);
    vault.create(&request).unwrap();
    assert_eq!(pack_bytes(&place), before);
}

#[test]
fn the_blobs_of_then_are_kept_as_long_as_the_hash_is_that_of_then() {
    let (directory, place, vault, request) = ground();
    vault.create(&request).unwrap();
    let blobs = place.open_blobs().unwrap();
    let path = directory.path().join("tree/2/5");
    let content = RealDisk.read(&path, u64::MAX).unwrap();
    assert_eq!(content.len(), 524_288);
    let read = |before: Hash| {
        let (full, _waiting) = sync_channel(WAITING_PACKS);
        let cutting = Cutting::of(blobs.repository.config()).unwrap();
        let contents = vec![Content::from(vec![rustic_core::DataId::default()])];
        let store = Store::new(&blobs, cutting, (contents, HashMap::from([(0, before)])), None, full);
        let hash = store.read_file(&RealDisk, 0, &path).unwrap();
        assert_eq!(hash, *blake3::hash(&content).as_bytes());
        store.take_contents().remove(0).ids().to_vec()
    };
    assert_eq!(read(*blake3::hash(&content).as_bytes()), [rustic_core::DataId::default()]);
    // Whatever the inode says: with another hash it is another content, and read again.
    assert_ne!(read([7; 32]), [rustic_core::DataId::default()]);
}

#[test]
fn a_file_without_content_and_a_second_one_of_its_name_are_findings() {
    let (_directory, place, vault, request) = ground();
    let record = vault.create(&request).unwrap();
    let manifest = vault.show(&record.id).unwrap().1;
    let blobs = place.open_blobs().unwrap();
    let is_directory = |entry: &switchback_core::manifest::Entry| entry.kind == Kind::Directory;
    let folders = folders(manifest.entries.iter().map(|entry| (entry.path.as_path(), is_directory(entry))));
    let meant =
        Meant { blobs: &blobs, manifest: &manifest, folders: &folders, asked: &request.paths, listings: &[] };
    let folder = folders.iter().position(|folder| folder.path == Path::new("tree/2")).unwrap();
    let id: SnapshotId = record.id.parse().unwrap();
    let top = blobs.tree(blobs.file::<SnapshotFile>(&id).unwrap().tree).unwrap();
    let tree = blobs.tree(top.nodes[0].subtree.unwrap()).unwrap();
    let listed = tree.nodes.iter().find(|node| *node.name() == *"2").unwrap().subtree.unwrap();
    let compared = |change: &dyn Fn(&mut Vec<Node>)| {
        let mut listing = blobs.tree(listed).unwrap();
        change(&mut listing.nodes);
        let looked = meant.look_at_folder(folder, listing);
        let mut findings: Vec<String> = looked.1.iter().map(|path| path.display().to_string()).collect();
        findings.extend(compare_content(&blobs, &manifest, &looked.0).findings);
        findings
    };
    assert_eq!(compared(&|_| ()), [""; 0]);
    let findings = compared(&|nodes| nodes.iter_mut().for_each(|node| node.content = None));
    // The shortest ones are empty or not in this folder.
    assert_eq!(findings.len(), 4, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.contains("0 bytes instead of")), "{findings:?}");
    let findings = compared(&|nodes| nodes.push(nodes[0].clone()));
    assert_eq!(findings.len(), 1, "{findings:?}");
}
