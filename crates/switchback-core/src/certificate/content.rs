//! What a checkout keeps of a tree: paths, kinds, content, link targets, and whether a file can be executed. Times, owners, other
//! permissions, attributes, hard links and empty folders are not part of it, so that a tree has the same hash wherever it lies.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::manifest::{Kind, Manifest, to_hex};

/// The hash of what is at one managed path. A path that is not there has that of nothing.
///
/// BLAKE3 over one record for each entry that is no folder, in the order of the paths' bytes: a letter (`x` a file that its owner may
/// execute, `f` another file, `l` a link, `o` anything else), then path, relative to the managed one, and content (the hash of a file,
/// the target of a link), each behind its length as 8 bytes, little-endian.
pub fn path_hash(manifest: &Manifest, path: &Path) -> String {
    let below = manifest.below(path);
    let mut entries: Vec<_> = below
        .entries
        .iter()
        .filter(|entry| !matches!(entry.kind, Kind::Directory))
        .map(|entry| (entry.path.strip_prefix(path).unwrap_or(&entry.path), entry))
        .collect();
    entries.sort_by(|(one, _), (other, _)| one.as_os_str().as_bytes().cmp(other.as_os_str().as_bytes()));
    let mut hasher = blake3::Hasher::new();
    for (name, entry) in entries {
        let (letter, content): (&[u8], Vec<u8>) = match &entry.kind {
            Kind::File { hash, .. } if entry.mode & 0o100 != 0 => (b"x", hash.to_vec()),
            Kind::File { hash, .. } => (b"f", hash.to_vec()),
            Kind::Symlink(target) => (b"l", target.as_os_str().as_bytes().to_vec()),
            Kind::Directory | Kind::Fifo | Kind::Socket | Kind::Device { .. } => (b"o", Vec::new()),
        };
        hasher.update(letter);
        for field in [name.as_os_str().as_bytes(), &content] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
    }
    to_hex(hasher.finalize().as_bytes())
}

/// The hashes of all managed paths, by their names as they may be shown.
pub fn path_hashes(manifest: &Manifest, managed: &[PathBuf]) -> BTreeMap<String, String> {
    managed.iter().map(|path| (name_of(path), path_hash(manifest, path))).collect()
}

/// One hash over the hashes of all managed paths: BLAKE3 over name and hash of each, each behind its length as above, in the order
/// of the names' bytes.
pub fn content_hash(paths: &BTreeMap<String, String>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, hash) in paths {
        for field in [name, hash] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
    }
    to_hex(hasher.finalize().as_bytes())
}

/// A managed path as text. Plans are UTF-8, and so are the paths in them.
pub fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Entry;

    fn file(path: &str, content: &[u8], mode: u32, mtime_ns: i128) -> Entry {
        let kind = Kind::File { size: content.len() as u64, hash: *blake3::hash(content).as_bytes() };
        let (uid, gid, xattrs) = (7, 7, Vec::new());
        Entry { path: path.into(), kind, mode, uid, gid, mtime_ns, xattrs, linked_to: None }
    }

    fn hash(entries: Vec<Entry>) -> String {
        path_hash(&Manifest::from_entries(entries), Path::new("src"))
    }

    #[test]
    fn only_what_a_checkout_keeps_is_hashed() {
        let one = hash(vec![file("src/a", b"1", 0o644, 5), file("src/b", b"2", 0o644, 5)]);
        assert_eq!(hash(vec![file("src/b", b"2", 0o600, 9), file("src/a", b"1", 0o664, 8)]), one);
        let folder = Entry { kind: Kind::Directory, ..file("src/empty", b"", 0o755, 1) };
        assert_eq!(hash(vec![file("src/a", b"1", 0o644, 5), file("src/b", b"2", 0o644, 5), folder]), one);
        for other in [
            vec![file("src/a", b"1", 0o755, 5), file("src/b", b"2", 0o644, 5)],
            vec![file("src/a", b"2", 0o644, 5), file("src/b", b"1", 0o644, 5)],
            vec![file("src/a", b"1", 0o644, 5)],
            vec![file("src/a", b"1", 0o644, 5), file("src/c", b"2", 0o644, 5)],
        ] {
            assert_ne!(hash(other), one);
        }
    }

    #[test]
    fn the_hash_is_pinned() {
        let entries = vec![file("src/a.py", b"x = 1\n", 0o644, 0)];
        let paths = path_hashes(&Manifest::from_entries(entries), &["src".into(), "gone".into()]);
        let nothing = to_hex(blake3::hash(b"").as_bytes());
        assert_eq!(paths["gone"], nothing);
        let mut record = b"f\x04\0\0\0\0\0\0\0a.py\x20\0\0\0\0\0\0\0".to_vec();
        record.extend_from_slice(blake3::hash(b"x = 1\n").as_bytes());
        assert_eq!(paths["src"], to_hex(blake3::hash(&record).as_bytes()));
    }
}
