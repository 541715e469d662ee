//! The manifest of a package: the format `switchback/package/1`, JSON on one line. `docs/package.md` describes each field.
//!
//! Its bytes are decided by its content: what is written in any other way is not read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a manifest says that it is.
pub const SCHEMA: &str = "switchback/package/1";
/// A longer manifest is not read: it is held in memory.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// The same for the statement about it.
pub const STATEMENT_BYTES_MAX: u64 = 64 << 10;

/// Everything that is in a package. Hashes are hexadecimal digits; paths have `/` between their parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What the package is called; its numbers are counted under this name.
    pub name: String,
    /// Which one it is: a later one of the same name has a higher number.
    pub sequence: u64,
    /// The project that it was made in.
    pub project: String,
    /// Its phase.
    pub phase: String,
    /// Whether it may go live, by its own readiness report: `yes`, `no` or `unknown`.
    pub ready: String,
    /// Name and version of the program.
    pub tool: String,
    /// When the newest of its evidence was recorded, RFC 3339, UTC. The entries of the archive have this time.
    pub time: String,
    /// How it is packed.
    pub form: Form,
    /// BLAKE3 of the plan file.
    pub plan: String,
    /// The managed paths that it brings; one that has no entry is gone in the candidate.
    pub managed: Vec<String>,
    /// The tree that the change was made from.
    pub base: Tree,
    /// The tree that it leads to.
    pub candidate: Tree,
    /// What is in the archive behind manifest and statement, in this order: that of the bytes of the paths.
    pub entries: Vec<Entry>,
}

/// One tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Hash of its manifest, to which evidence is bound: content and metadata.
    pub manifest: String,
    /// Hash over `paths`: content alone.
    pub content: String,
    /// Each managed path with the hash of its content, as in a certificate.
    pub paths: BTreeMap<String, String>,
}

/// How a package is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// Zip; each content is deflated.
    #[serde(rename = "zip")]
    Zip,
    /// Tar; each entry is a frame of zstd.
    #[serde(rename = "tar.zst")]
    TarZst,
}

impl Form {
    /// The word for it, which is also how its files end.
    pub fn word(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::TarZst => "tar.zst",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Where it stands in the archive.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// Its bytes; those of the target, where it is a link.
    pub bytes: u64,
    /// BLAKE3 of them.
    pub blake3: String,
    /// SHA-256 of them, for whoever has no other program.
    pub sha256: String,
    /// Where it leads, if it is a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the archive has for it.
    pub packed: Packed,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
}

/// The packed bytes of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packed {
    /// How many there are.
    pub bytes: u64,
    /// BLAKE3 of them.
    pub blake3: String,
    /// The check sum of the content, which a zip has in its headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
}

impl Manifest {
    /// The bytes that are hashed and signed.
    pub fn write(&self) -> Vec<u8> {
        // Texts, numbers, lists and tables with texts as keys: there is nothing in it that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Manifest::write`] wrote. What it says is not judged here.
    ///
    /// # Errors
    ///
    /// Why it is no such manifest.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.schema != SCHEMA {
            return Err(format!("its `schema` is not `{SCHEMA}`"));
        }
        if read.write() != bytes {
            return Err("it is not written as this program writes it".to_owned());
        }
        Ok(read)
    }

    /// The entry of that path.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok().map(|at| &self.entries[at])
    }

    /// The bytes of all entries, unpacked.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.bytes))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn entry(path: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            kind: EntryKind::File,
            executable: false,
            bytes: 1,
            blake3: "b".repeat(64),
            sha256: "5".repeat(64),
            target: None,
            packed: Packed { bytes: 3, blake3: "p".repeat(64), crc32: Some(7) },
        }
    }

    pub(crate) fn manifest(entries: Vec<Entry>) -> Manifest {
        let tree = |word: &str| Tree {
            manifest: word.to_owned(),
            content: format!("{word}-content"),
            paths: BTreeMap::from([("src".to_owned(), "h".to_owned())]),
        };
        Manifest {
            schema: SCHEMA.to_owned(),
            name: "shop".to_owned(),
            sequence: 3,
            project: "shop".to_owned(),
            phase: "unify".to_owned(),
            ready: "yes".to_owned(),
            tool: "switchback 0.1.0".to_owned(),
            time: "2027-01-01T10:20:30Z".to_owned(),
            form: Form::Zip,
            plan: "p".to_owned(),
            managed: vec!["src".to_owned()],
            base: tree("old"),
            candidate: tree("new"),
            entries,
        }
    }

    #[test]
    fn the_format_is_pinned() {
        let mut link = entry("tree/src/b");
        (link.kind, link.target, link.packed.crc32) = (EntryKind::Link, Some("a".to_owned()), None);
        let written = manifest(vec![entry("tree/src/a"), link]);
        let (blake3, sha256, packed) = ("b".repeat(64), "5".repeat(64), "p".repeat(64));
        let tree = |word: &str| {
            format!(r#"{{"manifest":"{word}","content":"{word}-content","paths":{{"src":"h"}}}}"#)
        };
        let text = format!(
            r#"{{"schema":"switchback/package/1","name":"shop","sequence":3,"project":"shop","phase":"unify","ready":"yes","tool":"switchback 0.1.0","time":"2027-01-01T10:20:30Z","form":"zip","plan":"p","managed":["src"],"base":{},"candidate":{},"entries":[{{"path":"tree/src/a","kind":"file","executable":false,"bytes":1,"blake3":"{blake3}","sha256":"{sha256}","packed":{{"bytes":3,"blake3":"{packed}","crc32":7}}}},{{"path":"tree/src/b","kind":"link","executable":false,"bytes":1,"blake3":"{blake3}","sha256":"{sha256}","target":"a","packed":{{"bytes":3,"blake3":"{packed}"}}}}]}}"#,
            tree("old"),
            tree("new")
        );
        assert_eq!(String::from_utf8(written.write()).unwrap(), text);
        assert_eq!(Manifest::read(text.as_bytes()).unwrap(), written);
        for other in [
            format!("{text}\n"),
            text.replace("\"plan\":\"p\"", "\"plan\": \"p\""),
            text.replace("\"plan\":\"p\"", "\"plan\":\"p\",\"more\":1"),
            text.replace("package/1", "package/2"),
            text.replace("\"sequence\":3", "\"sequence\":-3"),
        ] {
            assert!(Manifest::read(other.as_bytes()).is_err(), "{other}");
        }
    }
}
