//! What a manifest may say: names that can stand in a tree, each of them once, and sizes that are possible.

use std::collections::HashMap;
use std::path::{Component, Path};

use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization;

use crate::format::{Entry, EntryKind, Form, Manifest};
use crate::{MANIFEST, PackageError, STATEMENT, TREE, shown};

/// More entries than this are refused; the list of them is held in memory.
pub const ENTRIES_MAX: usize = 200_000;
/// What Linux takes as a path, less what may stand in front of it.
const NAME_BYTES_MAX: usize = 3_072;
/// What Linux takes as one name.
const PART_BYTES_MAX: usize = 255;
/// The target of a link is at most this long.
const TARGET_BYTES_MAX: u64 = 4_095;
/// What is unpacked may be this many times as large as what is packed. Source code and tables stay far below it.
const RATIO_MAX: u64 = 200;
/// Up to so many bytes nobody asks for the ratio: a small archive of zeros harms nobody.
const RATIO_FROM_BYTES: u64 = 256 << 20;
/// A package has at most so many bytes, unpacked.
const BYTES_MAX: u64 = 1 << 44;

/// How much may come out of so many packed bytes.
pub(crate) fn unpacked_bytes_max(packed_bytes: u64) -> u64 {
    packed_bytes.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES)
}

/// Refuses a manifest that nobody may act upon, whoever signed it.
pub(crate) fn look(manifest: &Manifest) -> Result<(), PackageError> {
    let refused = |why: String| Err(PackageError::Refused(why));
    if manifest.entries.len() > ENTRIES_MAX {
        return refused(format!("it has more than {ENTRIES_MAX} entries"));
    }
    if !is_name(&manifest.name) {
        return refused(format!("{} is no name of a package", shown(&manifest.name)));
    }
    if manifest.sequence == 0 {
        return refused("packages are counted from 1, and it has the number 0".to_owned());
    }
    seconds(manifest)?;
    for path in &manifest.managed {
        part(path, "the managed path")?;
    }
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in [MANIFEST, STATEMENT] {
        seen.insert(folded(name), name);
    }
    let mut packed_bytes = 0_u64;
    let mut last = "";
    for entry in &manifest.entries {
        entry_alone(entry, manifest.form)?;
        if entry.path.as_str() <= last && !last.is_empty() {
            let (entry, last) = (shown(&entry.path), shown(last));
            return refused(format!(
                "entry {entry} stands behind {last}: entries are in order, each of them once"
            ));
        }
        last = &entry.path;
        if let Some(other) = seen.insert(folded(&entry.path), &entry.path) {
            return refused(format!(
                "entries {} and {} are one name where case, or how a letter is encoded, does not count",
                shown(other),
                shown(&entry.path)
            ));
        }
        packed_bytes = packed_bytes.saturating_add(entry.packed.bytes);
    }
    let (bytes, bytes_max) = (manifest.bytes(), unpacked_bytes_max(packed_bytes));
    if bytes > bytes_max || bytes > BYTES_MAX {
        return refused(format!("it says that {bytes} bytes come out of {packed_bytes}: that is a bomb"));
    }
    look_above(manifest, &seen)
}

/// An entry below something that is no folder.
fn look_above(manifest: &Manifest, seen: &HashMap<String, &str>) -> Result<(), PackageError> {
    for entry in &manifest.entries {
        let path = folded(&entry.path);
        for (at, _) in path.match_indices('/') {
            if let Some(above) = seen.get(&path[..at]) {
                let (entry, above) = (shown(&entry.path), shown(above));
                return Err(PackageError::Refused(format!(
                    "entry {entry} stands below {above}, which is no folder"
                )));
            }
        }
    }
    Ok(())
}

/// The name as a disk has it that tells neither cases nor encodings of a letter apart.
fn folded(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// The time of its entries, in seconds since 1970.
pub(crate) fn seconds(manifest: &Manifest) -> Result<u64, PackageError> {
    let time: Result<Timestamp, _> = manifest.time.parse();
    let seconds = time.ok().and_then(|time| u64::try_from(time.as_second()).ok());
    seconds.ok_or_else(|| PackageError::Refused(format!("{} is no time", shown(&manifest.time))))
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    !name.is_empty() && name.len() <= 100 && name.chars().all(is_letter) && !name.starts_with(['.', '-'])
}

fn part(path: &str, what: &str) -> Result<(), PackageError> {
    let refused = |why: &str| Err(PackageError::Refused(format!("{what} {} {why}", shown(path))));
    if path.is_empty() {
        return refused("has no name");
    }
    if path.len() > NAME_BYTES_MAX || path.split('/').any(|part| part.len() > PART_BYTES_MAX) {
        return refused("has a name that is too long");
    }
    if path.chars().any(char::is_control) {
        return refused("has a control character in its name");
    }
    if path.contains('\\') {
        return refused("has a backslash in its name");
    }
    if path.starts_with('/') {
        return refused("leads out of the package: its name is absolute");
    }
    if path.split('/').any(|part| part == "..") {
        return refused("leads out of the package: its name has a `..`");
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return refused("has a part in its name that says nothing");
    }
    Ok(())
}

fn entry_alone(entry: &Entry, form: Form) -> Result<(), PackageError> {
    part(&entry.path, "entry")?;
    let refused = |why: String| Err(PackageError::Refused(format!("entry {} {why}", shown(&entry.path))));
    let is_hash = |text: &str| {
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    if ![&entry.blake3, &entry.sha256, &entry.packed.blake3].into_iter().all(|hash| is_hash(hash)) {
        return refused("has something as a hash that is none".to_owned());
    }
    if entry.packed.crc32.is_some() != (form == Form::Zip) {
        return refused("has a check sum where its form has none, or lacks it".to_owned());
    }
    match (entry.kind, &entry.target) {
        (EntryKind::File, None) => Ok(()),
        (EntryKind::File, Some(_)) => refused("is a file, and leads somewhere".to_owned()),
        (EntryKind::Link, None) => refused("is a link without a target".to_owned()),
        (EntryKind::Link, Some(target)) => {
            if target.is_empty() || target.contains('\0') || entry.bytes > TARGET_BYTES_MAX {
                return refused("is a link to a name that cannot be".to_owned());
            }
            if entry.bytes != target.len() as u64 || entry.executable {
                return refused("is a link, and says something of itself that is not so".to_owned());
            }
            if leads_out(&entry.path, target) {
                return refused(format!("is a link that leads out of it, to {}", shown(target)));
            }
            Ok(())
        }
    }
}

/// Whether whoever follows a link leaves the folder at the top of its path, be it only on the way.
fn leads_out(path: &str, target: &str) -> bool {
    // Nothing but the candidate has links.
    let Some(inside) = path.strip_prefix(TREE).and_then(|rest| rest.strip_prefix('/')) else { return true };
    let mut depth = inside.matches('/').count();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::tests::{entry, manifest};

    fn hashed(path: &str) -> Entry {
        let mut entry = entry(path);
        entry.packed.blake3 = "0".repeat(64);
        entry
    }

    fn why(entries: Vec<Entry>) -> String {
        look(&manifest(entries)).unwrap_err().to_string()
    }

    #[test]
    fn names_that_cannot_stand_in_a_tree_are_refused_by_name() {
        for (path, words) in [
            ("../x", "entry `../x` leads out of the package: its name has a `..`"),
            ("tree/../../x", "has a `..`"),
            ("/etc/passwd", "entry `/etc/passwd` leads out of the package: its name is absolute"),
            ("tree//x", "says nothing"),
            ("tree/./x", "says nothing"),
            ("tree/x/", "says nothing"),
            ("", "has no name"),
            ("tree\\x", "backslash"),
            ("tree/\u{1b}[2J", "entry `tree/\\u{1b}[2J` has a control character"),
        ] {
            assert!(why(vec![hashed(path)]).contains(words), "{path}: {}", why(vec![hashed(path)]));
        }
        assert!(why(vec![hashed(&"a".repeat(300))]).contains("too long"));
        assert!(look(&manifest(vec![hashed("CHANGES.md"), hashed("tree/src/ä.py")])).is_ok());
    }

    #[test]
    fn a_name_stands_once() {
        let two = |one: &str, other: &str| why(vec![hashed(one), hashed(other)]);
        assert!(two("tree/a", "tree/a").contains("each of them once"));
        assert!(two("tree/b", "tree/a").contains("stands behind `tree/b`"));
        assert!(two("tree/README", "tree/readme").contains("are one name"));
        assert!(two("tree/a\u{308}", "tree/ä").contains("are one name"));
        assert!(two("tree/a", "tree/a/b").contains("stands below `tree/a`, which is no folder"));
        assert!(two("tree/A", "tree/a/b").contains("stands below `tree/A`"));
        assert!(why(vec![hashed("Switchback-package.json")]).contains("are one name"));
    }

    #[test]
    fn links_stay_inside() {
        let link = |path: &str, target: &str| {
            let mut entry = hashed(path);
            (entry.kind, entry.target) = (EntryKind::Link, Some(target.to_owned()));
            entry.bytes = target.len() as u64;
            look(&manifest(vec![entry])).map_err(|error| error.to_string())
        };
        assert_eq!(link("tree/src/b", "a"), Ok(()));
        assert_eq!(link("tree/src/deep/b", "../a"), Ok(()));
        for (path, target) in [
            ("tree/src/b", "/etc/passwd"),
            ("tree/src/b", "../../../x"),
            ("tree/src/b", "../../src/a"),
            ("notes/b", "a"),
        ] {
            assert!(link(path, target).unwrap_err().contains("leads out of it"), "{path} {target}");
        }
    }

    #[test]
    fn what_comes_out_of_it_is_bounded() {
        let mut bomb = hashed("tree/a");
        bomb.bytes = 1 << 40;
        assert!(why(vec![bomb.clone()]).contains("that is a bomb"));
        bomb.packed.bytes = 1 << 33;
        assert!(look(&manifest(vec![bomb])).is_ok());
        let mut zeros = hashed("tree/a");
        zeros.bytes = 200 << 20;
        assert!(look(&manifest(vec![zeros])).is_ok());
    }
}
