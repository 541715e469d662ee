//! The record of a verified snapshot: what it is for, and its manifest. Without a record there is no snapshot.
//!
//! One text file for each, named by the id: a line with the format's name, a line of JSON, a line with the BLAKE3 hash
//! of that JSON, then the manifest's own text, whose hash stands in the JSON. Paths are percent-encoded in the JSON.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchback_core::manifest::{Entry, Hash, Kind, Manifest, to_hex};
use switchback_core::port::SnapshotRecord;
use switchback_core::world::{Disk, FileKind};

use crate::durable;
use crate::trouble::Trouble;

const FORMAT: &str = "switchback/snapshot-record/1";

/// No record is larger: about ten million entries.
const RECORD_BYTES_MAX: u64 = 2 << 30;

/// The first three lines are never longer than this.
const HEAD_BYTES_MAX: u64 = 1 << 20;

/// Format, JSON, and its hash.
const HEAD_LINES: usize = 3;

/// So much of a record is read at once.
const READ_BYTES: usize = 256 * 1024;

/// So many names begin with the same bits, on average, up to twice as many.
const ROWS_TOGETHER: usize = 4;

/// Room is made for at most so many files before they are there.
const FILES_ROOM_MAX: usize = 1 << 20;

/// How many candidates an error names.
const CANDIDATES_MAX: usize = 5;

/// A verified snapshot without its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) record: SnapshotRecord,
    /// Bytes that a restore of everything writes, holes left out.
    pub(crate) data_bytes: u64,
}

/// Size and hash of each file of a manifest, found by its path, of which no more is kept than a hash.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// In the order of their names.
    rows: Vec<FileRow>,
    /// Where the rows begin whose names begin with the same bits: names are spread evenly, so these are a handful.
    begins: Vec<u32>,
    /// How many bits these are.
    bits: u32,
}

#[derive(Debug)]
struct FileRow {
    name: [u8; 16],
    size: u64,
    hash: Hash,
}

impl Files {
    fn with_room(files: u64) -> Self {
        // What is written there may be wrong; that costs time at most.
        let room = usize::try_from(files).unwrap_or(0).min(FILES_ROOM_MAX);
        Self { rows: Vec::with_capacity(room), ..Self::default() }
    }

    fn add(&mut self, entry: &Entry) {
        if let Kind::File { size, hash } = entry.kind {
            self.rows.push(FileRow { name: name_of(&entry.path), size, hash });
        }
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_unstable_by_key(|row| row.name);
        self.bits = (self.rows.len() / ROWS_TOGETHER).max(2).ilog2();
        let mut begins = Vec::with_capacity((1 << self.bits) + 1);
        for (at, row) in (0_u32..).zip(&self.rows) {
            begins.resize(begins.len().max(self.place_of(&row.name) + 1), at);
        }
        begins.resize((1 << self.bits) + 1, u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        self.begins = begins;
        self
    }

    pub(crate) fn get(&self, path: &Path) -> Option<(u64, Hash)> {
        let name = name_of(path);
        let place = self.place_of(&name);
        let (begin, end) = (*self.begins.get(place)?, *self.begins.get(place + 1)?);
        let row = self.rows.get(begin as usize..end as usize)?.iter().find(|row| row.name == name)?;
        Some((row.size, row.hash))
    }

    /// The first bits of a name.
    fn place_of(&self, name: &[u8; 16]) -> usize {
        let first = u32::from_be_bytes([name[0], name[1], name[2], name[3]]);
        // Shifted as far as it goes, there is nothing left of it.
        first.checked_shr(32 - self.bits).unwrap_or(0) as usize
    }
}

/// 128 bits of the BLAKE3 hash of a path: nobody finds two paths that have the same.
fn name_of(path: &Path) -> [u8; 16] {
    let mut name = [0; 16];
    name.copy_from_slice(&blake3::hash(path.as_os_str().as_bytes()).as_bytes()[..16]);
    name
}

/// The directory of the records of one repository.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    directory: PathBuf,
}

impl Records {
    pub(crate) fn beside(repository: &Path) -> Self {
        Self { directory: durable::with_suffix(repository, "-manifests") }
    }

    /// Writes a record, so that it is there after a power cut too.
    pub(crate) fn keep(&self, disk: &dyn Disk, head: &Head, manifest: &Manifest) -> Result<(), Trouble> {
        durable::make_directories(disk, &self.directory)?;
        let about = head.to_text();
        let mut text = about.as_bytes().chain(manifest.to_read());
        // The manifest's hashes give small contents away, so it is as private as the repository.
        Ok(durable::publish(disk, &self.directory.join(&head.record.id), 0o600, &mut text)?)
    }

    /// Removes a record; nothing when there is none.
    pub(crate) fn remove(&self, disk: &dyn Disk, id: &str) -> Result<(), Trouble> {
        let path = self.directory.join(id);
        if disk.look(&path)?.is_some() {
            disk.remove_file(&path)?;
            disk.sync_directory(&self.directory)?;
        }
        Ok(())
    }

    /// The ids of all records, in order.
    pub(crate) fn ids(&self, disk: &dyn Disk) -> Result<Vec<String>, Trouble> {
        if disk.look(&self.directory)?.is_none_or(|meta| meta.kind != FileKind::Directory) {
            return Ok(Vec::new());
        }
        let mut ids: Vec<String> = disk
            .list(&self.directory)?
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// What a record says, without reading the manifest.
    pub(crate) fn head(&self, disk: &dyn Disk, id: &str) -> Result<Head, Trouble> {
        let path = self.directory.join(id);
        let mut content = Vec::new();
        disk.open(&path)?
            .take(HEAD_BYTES_MAX)
            .read_to_end(&mut content)
            .map_err(|error| Trouble::new(format!("could not read `{}`: {error}", path.display())))?;
        // The cut may fall into the middle of a letter of the manifest, but what is looked at here is before it.
        Ok(self.parse_head(id, &String::from_utf8_lossy(&content))?.0)
    }

    /// The files of a record, which is checked against its hashes.
    pub(crate) fn files(&self, disk: &dyn Disk, head: &Head) -> Result<Files, Trouble> {
        let id = &head.record.id;
        let record = disk.open(&self.directory.join(id))?.take(RECORD_BYTES_MAX);
        let mut text = BufReader::with_capacity(READ_BYTES, record);
        for _ in 0..HEAD_LINES {
            let read = text.by_ref().take(HEAD_BYTES_MAX).read_until(b'\n', &mut Vec::new());
            read.map_err(|error| self.damaged(id, &error.to_string()))?;
        }
        let mut files = Files::with_room(head.record.files);
        let hash = Manifest::read_entries(text, |entry| files.add(&entry))
            .map_err(|why| self.damaged(id, &format!("its manifest: {why}")))?;
        if to_hex(&hash) != head.record.manifest_hash {
            return Err(self.damaged(id, "its manifest is not the one that was verified"));
        }
        Ok(files.sorted())
    }

    /// A record and its manifest, both checked against their hashes.
    pub(crate) fn load(&self, disk: &dyn Disk, id: &str) -> Result<(Head, Manifest), Trouble> {
        self.read(id, self.text(disk, id)?)
    }

    /// A record as it is stored.
    pub(crate) fn text(&self, disk: &dyn Disk, id: &str) -> Result<String, Trouble> {
        let content = disk.read(&self.directory.join(id), RECORD_BYTES_MAX)?;
        String::from_utf8(content).map_err(|_| self.damaged(id, "it is not text"))
    }

    /// What the text of a record says, checked against its hashes.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it is as long as the manifest, and nobody needs it twice"
    )]
    pub(crate) fn read(&self, id: &str, text: String) -> Result<(Head, Manifest), Trouble> {
        let (head, rest) = self.parse_head(id, &text)?;
        let manifest =
            Manifest::from_text(rest).map_err(|why| self.damaged(id, &format!("its manifest: {why}")))?;
        if to_hex(&manifest.hash()) != head.record.manifest_hash {
            return Err(self.damaged(id, "its manifest is not the one that was verified"));
        }
        Ok((head, manifest))
    }

    /// The one snapshot whose id is `id` or begins with it.
    pub(crate) fn find(&self, disk: &dyn Disk, id: &str) -> Result<String, Trouble> {
        let ids = self.ids(disk)?;
        let wanted = id.to_ascii_lowercase();
        let fitting: Vec<&String> =
            ids.iter().filter(|known| !wanted.is_empty() && known.starts_with(&wanted)).collect();
        match fitting.as_slice() {
            [only] => Ok((*only).clone()),
            [] if ids.is_empty() => Err(Trouble::new("there is no verified snapshot in this repository")
                .hinted("make one with `switchback snapshot create`")),
            [] => Err(self
                .candidates(disk, &format!("no snapshot has an id that begins with `{id}`"), ids.iter())
                .hinted("`switchback snapshot list` shows every id")),
            several => {
                let what = format!("{} snapshots have an id that begins with `{id}`", several.len());
                Err(self
                    .candidates(disk, &what, several.iter().copied())
                    .hinted("give more digits of the id"))
            }
        }
    }

    fn candidates<'a>(&self, disk: &dyn Disk, what: &str, ids: impl Iterator<Item = &'a String>) -> Trouble {
        let ids: Vec<&String> = ids.collect();
        let mut causes = vec![what.to_owned()];
        for id in ids.iter().take(CANDIDATES_MAX) {
            // A damaged record is still a candidate: `check` says what is wrong with it.
            let about = self.head(disk, id).map_or_else(
                |_| "damaged record".to_owned(),
                |head| format!("{}, {}", head.record.time, head.record.label),
            );
            causes.push(format!("candidate: `{}` ({about})", shortened(id, &ids)));
        }
        if ids.len() > CANDIDATES_MAX {
            causes.push(format!("and {} more", ids.len() - CANDIDATES_MAX));
        }
        Trouble { causes, hint: None }
    }

    fn parse_head<'a>(&self, id: &str, text: &'a str) -> Result<(Head, &'a str), Trouble> {
        let mut parts = text.splitn(4, '\n');
        let mut line = || parts.next().unwrap_or_default();
        let (format, json, hash, rest) = (line(), line(), line(), line());
        if format != FORMAT {
            return Err(self.damaged(id, &format!("line 1 is not `{FORMAT}`")));
        }
        if blake3::hash(json.as_bytes()).to_hex().as_str() != hash {
            return Err(self.damaged(id, "line 2 does not fit its hash in line 3"));
        }
        let head = serde_json::from_str(json).ok().and_then(|value| Head::from_json(&value));
        let head = head.filter(|head| head.record.id == id);
        Ok((head.ok_or_else(|| self.damaged(id, "line 2 lacks a field or is about another snapshot"))?, rest))
    }

    fn damaged(&self, id: &str, why: &str) -> Trouble {
        Trouble::new(format!("the record `{}` is damaged: {why}", self.directory.join(id).display())).hinted(
            format!(
                "move it away to go on without this snapshot; `restic restore {id}` still reads its data"
            ),
        )
    }
}

impl Head {
    fn to_text(&self) -> String {
        let record = &self.record;
        let json = json!({
            "id": record.id,
            "time": record.time,
            "label": record.label,
            "files": record.files,
            "bytes": record.bytes,
            "data_bytes": self.data_bytes,
            "paths": record.paths.iter().map(|path| encode(path)).collect::<Vec<_>>(),
            "manifest": record.manifest_hash,
        })
        .to_string();
        format!("{FORMAT}\n{json}\n{}\n", blake3::hash(json.as_bytes()).to_hex())
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
        let number = |key: &str| value.get(key)?.as_u64();
        let paths = value.get("paths")?.as_array()?;
        Some(Self {
            record: SnapshotRecord {
                id: text("id")?,
                time: text("time")?,
                label: text("label")?,
                files: number("files")?,
                bytes: number("bytes")?,
                paths: paths.iter().map(|path| decode(path.as_str()?)).collect::<Option<_>>()?,
                manifest_hash: text("manifest")?,
            },
            data_bytes: number("data_bytes")?,
        })
    }
}

/// As many digits as tell `id` apart from the others, and never fewer than eight.
fn shortened<'a>(id: &'a str, others: &[&String]) -> &'a str {
    let unique = |length: &usize| others.iter().filter(|other| other.starts_with(&id[..*length])).count() < 2;
    &id[..(8..id.len()).find(unique).unwrap_or(id.len())]
}

/// A path as text: what is not printable ASCII becomes `%XX`, byte by byte.
fn encode(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

fn decode(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let mut left = tail;
        if first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(tail.get(..2)?).ok()?, 16).ok()?);
            left = &tail[2..];
        } else {
            bytes.push(first);
        }
        rest = left;
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            record: SnapshotRecord {
                id: "ab".repeat(32),
                time: "2027-01-12T20:00:00Z".into(),
                label: "before phase \"unify\"".into(),
                files: 2,
                bytes: 10,
                paths: vec!["src".into(), std::ffi::OsString::from_vec(vec![b'%', 0xff, b'\n']).into()],
                manifest_hash: to_hex(&Manifest::default().hash()),
            },
            data_bytes: 9,
        }
    }

    #[test]
    fn a_record_reads_back_and_its_format_is_pinned() {
        let text = head().to_text();
        let json = text.lines().nth(1).unwrap();
        assert_eq!(Head::from_json(&serde_json::from_str(json).unwrap()), Some(head()));
        let id = "ab".repeat(32);
        let manifest = to_hex(&Manifest::default().hash());
        assert_eq!(
            json,
            format!(
                "{{\"bytes\":10,\"data_bytes\":9,\"files\":2,\"id\":\"{id}\",\"label\":\"before phase \\\"unify\\\"\",\
                 \"manifest\":\"{manifest}\",\"paths\":[\"src\",\"%25%ff%0a\"],\"time\":\"2027-01-12T20:00:00Z\"}}"
            )
        );
    }

    #[test]
    fn files_are_found_by_their_paths() {
        for count in [0, 1, 2, 7, 8, 1_000] {
            let mut files = Files::with_room(3);
            for number in 0..count {
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&u64::to_le_bytes(number));
                files.add(&Entry {
                    path: format!("a/{number}").into(),
                    kind: Kind::File { size: number, hash },
                    mode: 0,
                    uid: 0,
                    gid: 0,
                    mtime_ns: 0,
                    xattrs: Vec::new(),
                    linked_to: None,
                });
            }
            let files = files.sorted();
            for number in 0..count {
                let (size, hash) = files.get(Path::new(&format!("a/{number}"))).unwrap();
                assert_eq!((size, &hash[..8]), (number, number.to_le_bytes().as_slice()));
            }
            assert_eq!(files.get(Path::new("b")), None);
        }
    }

    #[test]
    fn a_changed_line_is_found() {
        let records = Records::beside(Path::new("vault"));
        let text = head().to_text();
        assert!(records.parse_head(&head().record.id, &text).is_ok());
        let error = records.parse_head(&head().record.id, &text.replace("unify", "unifx")).unwrap_err();
        assert!(
            error.line().ends_with("is damaged: line 2 does not fit its hash in line 3"),
            "{}",
            error.line()
        );
    }
}
