//! The manifest of a tree: what it holds, entry by entry, with everything a restore must bring back.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The first line of a manifest's text.
const FORMAT: &str = "switchback/manifest/1";

/// So much text of a manifest is made at once where it is not kept.
const LINES_BYTES: usize = 64 * 1024;

/// BLAKE3 of some content, 32 bytes.
pub type Hash = [u8; 32];

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: its size in bytes and the BLAKE3 hash of its content.
    File {
        /// Bytes.
        size: u64,
        /// BLAKE3 of the content.
        hash: Hash,
    },
    /// A directory.
    Directory,
    /// A symbolic link and its target, as stored.
    Symlink(PathBuf),
    /// A named pipe.
    Fifo,
    /// A socket. It cannot be copied; it is listed so that nobody believes it was.
    Socket,
    /// A block or character device with its device number.
    Device {
        /// Whether it is a block device.
        block: bool,
        /// Device number, as `st_rdev`.
        number: u64,
    },
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to the root of the manifest.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky (`st_mode & 0o7777`); 0 for symbolic links.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Time of last modification, nanoseconds since 1970-01-01 UTC.
    pub mtime_ns: i128,
    /// Extended attributes (ACLs among them), sorted by name.
    pub xattrs: Vec<(OsString, Vec<u8>)>,
    /// The first path, in manifest order, of the file that this one is a hard link to; `None` for a first or only link.
    pub linked_to: Option<PathBuf>,
}

/// A whole tree, sorted by path bytes, parents before children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The entries.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// Sorts the entries; every other function relies on it.
    pub fn from_entries(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Self { entries }
    }

    /// The number of regular files.
    pub fn files(&self) -> u64 {
        self.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. })).count() as u64
    }

    /// The bytes in regular files; a file with several links counts once.
    pub fn bytes(&self) -> u64 {
        self.entries
            .iter()
            .filter(|entry| entry.linked_to.is_none())
            .map(|entry| if let Kind::File { size, .. } = entry.kind { size } else { 0 })
            .sum()
    }

    /// BLAKE3 over all entries and everything they say.
    pub fn hash(&self) -> Hash {
        let (mut hasher, mut lines) = (blake3::Hasher::new(), String::new());
        for entry in &self.entries {
            entry.write_line(&mut lines);
            if lines.len() >= LINES_BYTES {
                hasher.update(lines.as_bytes());
                lines.clear();
            }
        }
        *hasher.update(lines.as_bytes()).finalize().as_bytes()
    }

    /// The number of the entry at `path`.
    pub fn number(&self, path: &Path) -> Option<usize> {
        self.entries.binary_search_by(|entry| entry.path.as_path().cmp(path)).ok()
    }

    /// The entry at `path`.
    pub fn get(&self, path: &Path) -> Option<&Entry> {
        self.number(path).map(|at| &self.entries[at])
    }

    /// The entries at or below `path`.
    #[must_use]
    pub fn below(&self, path: &Path) -> Self {
        Self { entries: self.entries.iter().filter(|entry| entry.path.starts_with(path)).cloned().collect() }
    }

    /// What is different in `new`, in path order; empty when both trees are the same in content and metadata.
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let (mut old_rest, mut new_rest) = (self.entries.as_slice(), new.entries.as_slice());
        loop {
            match (old_rest.first(), new_rest.first()) {
                (None, None) => return found,
                (Some(old), Some(new)) if old.path == new.path => {
                    found.extend(Difference::between(old, new));
                    (old_rest, new_rest) = (&old_rest[1..], &new_rest[1..]);
                }
                (Some(old), new) if new.is_none_or(|new| old.path < new.path) => {
                    found.push(Difference { path: old.path.clone(), what: What::Removed });
                    old_rest = &old_rest[1..];
                }
                (_, Some(new)) => {
                    found.push(Difference { path: new.path.clone(), what: What::Added });
                    new_rest = &new_rest[1..];
                }
                (Some(_), None) => unreachable!("an old entry without a new one is a removal, matched above"),
            }
        }
    }

    /// One line an entry, for storing; [`Manifest::from_text`] reads it back.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FORMAT}\n");
        for entry in &self.entries {
            entry.write_line(&mut text);
        }
        text
    }

    /// The same text, made while it is read.
    pub fn to_read(&self) -> impl std::io::Read {
        Lines { entries: self.entries.iter(), text: format!("{FORMAT}\n"), used: 0 }
    }

    /// Reads what [`Manifest::to_text`] wrote, entry by entry, and keeps nothing: each is handed to `each`. The hash is that of the
    /// manifest, as in [`Manifest::hash`].
    ///
    /// # Errors
    ///
    /// As for [`Manifest::from_text`], and when the text cannot be read.
    pub fn read_entries(
        mut text: impl std::io::BufRead,
        mut each: impl FnMut(Entry),
    ) -> Result<Hash, String> {
        let (mut hasher, mut line) = (blake3::Hasher::new(), String::new());
        for number in 1_usize.. {
            line.clear();
            if text.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
                break;
            }
            let content = line.strip_suffix('\n').unwrap_or(&line);
            if number == 1 {
                if content != FORMAT {
                    return Err(format!("line 1 is not `{FORMAT}`"));
                }
                continue;
            }
            each(Entry::from_line(content).ok_or_else(|| format!("line {number} is damaged"))?);
            hasher.update(line.as_bytes());
        }
        Ok(*hasher.finalize().as_bytes())
    }

    /// Reads what [`Manifest::to_text`] wrote. The error names the line, counted from 1, and the field.
    ///
    /// # Errors
    ///
    /// When the header is another one or a line is damaged.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some(FORMAT) {
            return Err(format!("line 1 is not `{FORMAT}`"));
        }
        let entries = lines
            .enumerate()
            .map(|(at, line)| Entry::from_line(line).ok_or_else(|| format!("line {} is damaged", at + 2)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { entries })
    }
}

/// The text of a manifest, some lines at a time.
struct Lines<'a> {
    entries: std::slice::Iter<'a, Entry>,
    text: String,
    used: usize,
}

impl std::io::Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.used == self.text.len() {
            self.text.clear();
            self.used = 0;
            while self.text.len() < LINES_BYTES {
                let Some(entry) = self.entries.next() else { break };
                entry.write_line(&mut self.text);
            }
        }
        let rest = &self.text.as_bytes()[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(count)
    }
}

/// One thing that is different between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub what: What,
}

/// How many entries differ between two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EntryCounts {
    /// Only in the new tree.
    pub added: u64,
    /// Only in the old tree.
    pub removed: u64,
    /// In both, of another content or kind.
    pub changed: u64,
    /// In both, different in mode, owner, time, attributes or links alone.
    pub metadata: u64,
}

impl EntryCounts {
    /// Counts what [`Manifest::differences`] found.
    pub fn of(differences: &[Difference]) -> Self {
        let mut counts = Self::default();
        for difference in differences {
            *match difference.what {
                What::Added => &mut counts.added,
                What::Removed => &mut counts.removed,
                What::Content => &mut counts.changed,
                What::Mode | What::Owner | What::Time | What::Xattrs | What::Links => &mut counts.metadata,
            } += 1;
        }
        counts
    }
}

impl std::fmt::Display for EntryCounts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { added, removed, changed, metadata } = self;
        write!(formatter, "{added} added, {removed} removed, {changed} changed")?;
        if *metadata > 0 {
            write!(formatter, ", {metadata} in metadata alone")?;
        }
        Ok(())
    }
}

/// What is different about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Only in the new tree.
    Added,
    /// Only in the old tree.
    Removed,
    /// Of another kind, another content, or a link to another target.
    Content,
    /// Other permission bits.
    Mode,
    /// Another owner or group.
    Owner,
    /// Another time of modification.
    Time,
    /// Other extended attributes.
    Xattrs,
    /// Hard-linked differently.
    Links,
}

impl What {
    /// In words: `content`, `mode`, `added` …
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Content => "content",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Time => "time",
            Self::Xattrs => "extended attributes",
            Self::Links => "hard links",
        }
    }
}

impl Difference {
    fn between(old: &Entry, new: &Entry) -> Option<Self> {
        let what = if old.kind != new.kind {
            What::Content
        } else if old.mode != new.mode {
            What::Mode
        } else if (old.uid, old.gid) != (new.uid, new.gid) {
            What::Owner
        } else if old.mtime_ns != new.mtime_ns {
            What::Time
        } else if old.xattrs != new.xattrs {
            What::Xattrs
        } else if old.linked_to != new.linked_to {
            What::Links
        } else {
            return None;
        };
        Some(Self { path: old.path.clone(), what })
    }
}

impl Entry {
    /// Tab-separated: kind, mode, uid, gid, mtime, size, hash or target or device, xattrs, link, path.
    fn write_line(&self, text: &mut String) {
        let (kind, size) = match &self.kind {
            Kind::File { size, .. } => ('f', *size),
            Kind::Directory => ('d', 0),
            Kind::Symlink(_) => ('l', 0),
            Kind::Fifo => ('p', 0),
            Kind::Socket => ('s', 0),
            Kind::Device { block, .. } => (if *block { 'b' } else { 'c' }, 0),
        };
        let Self { mode, uid, gid, mtime_ns, .. } = self;
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "{kind}\t{mode:o}\t{uid}\t{gid}\t{mtime_ns}\t{size}\t");
        match &self.kind {
            Kind::File { hash, .. } => text.push_str(&blake3::Hash::from_bytes(*hash).to_hex()),
            Kind::Symlink(target) => escape_into(target.as_os_str().as_bytes(), text),
            Kind::Device { number, .. } => {
                let _ = write!(text, "{number}");
            }
            Kind::Directory | Kind::Fifo | Kind::Socket => {}
        }
        text.push('\t');
        for (at, (name, value)) in self.xattrs.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "," });
            escape_into(name.as_bytes(), text);
            text.push('=');
            for byte in value {
                let _ = write!(text, "{byte:02x}");
            }
        }
        text.push('\t');
        if let Some(first) = &self.linked_to {
            escape_into(first.as_os_str().as_bytes(), text);
        }
        text.push('\t');
        escape_into(self.path.as_os_str().as_bytes(), text);
        text.push('\n');
    }

    fn from_line(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[kind, mode, uid, gid, mtime, size, detail, xattrs, link, path] = fields.as_slice() else {
            return None;
        };
        let kind = match kind {
            "f" => Kind::File { size: size.parse().ok()?, hash: from_hex(detail)? },
            "d" => Kind::Directory,
            "l" => Kind::Symlink(unescape_path(detail)?),
            "p" => Kind::Fifo,
            "s" => Kind::Socket,
            "b" | "c" => Kind::Device { block: kind == "b", number: detail.parse().ok()? },
            _ => return None,
        };
        let xattrs = xattrs
            .split(',')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((OsString::from_vec(unescape(name)?), bytes_from_hex(value)?))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            path: unescape_path(path)?,
            kind,
            mode: u32::from_str_radix(mode, 8).ok()?,
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            mtime_ns: mtime.parse().ok()?,
            xattrs,
            linked_to: if link.is_empty() { None } else { Some(unescape_path(link)?) },
        })
    }
}

/// 64 lower-case hexadecimal digits.
pub fn to_hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// Reads 64 hexadecimal digits.
pub fn from_hex(text: &str) -> Option<Hash> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Bytes as text that stays readable: printable ASCII as it is, all else (and `%`, `,`, `=`) as `%XX`.
fn escape_into(bytes: &[u8], text: &mut String) {
    for &byte in bytes {
        if (0x20..0x7f).contains(&byte) && !matches!(byte, b'%' | b',' | b'=') {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02x}");
        }
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Some(bytes)
}

fn unescape_path(text: &str) -> Option<PathBuf> {
    unescape(text).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn entry(path: &str, kind: Kind) -> Entry {
        Entry {
            path: path.into(),
            kind,
            mode: 0o644,
            uid: 1,
            gid: 2,
            mtime_ns: -5,
            xattrs: vec![],
            linked_to: None,
        }
    }

    #[test]
    fn text_reads_back_whatever_the_names() {
        let mut file = entry("a%b,c=\td\n", Kind::File { size: 3, hash: *blake3::hash(b"abc").as_bytes() });
        file.xattrs = vec![("user.a,b".into(), vec![0, 255]), ("user.empty".into(), vec![])];
        file.linked_to = Some("a".into());
        let odd = Entry { path: OsString::from_vec(vec![0xff, b'/', 0xfe]).into(), ..entry("x", Kind::Fifo) };
        let manifest = Manifest::from_entries(vec![
            file,
            odd,
            entry("link", Kind::Symlink("../to".into())),
            entry("dev", Kind::Device { block: true, number: 77 }),
            entry("dir", Kind::Directory),
        ]);
        assert_eq!(Manifest::from_text(&manifest.to_text()).unwrap(), manifest);
        let (mut text, mut entries) = (String::new(), Vec::new());
        manifest.to_read().read_to_string(&mut text).unwrap();
        assert_eq!(text, manifest.to_text());
        let hash = Manifest::read_entries(text.as_bytes(), |entry| entries.push(entry));
        assert_eq!((hash, entries), (Ok(manifest.hash()), manifest.entries));
    }

    #[test]
    fn a_long_manifest_is_read_in_parts() {
        let numbered = |number: usize| entry(&format!("a/{number:09}"), Kind::Fifo);
        let manifest = Manifest::from_entries((0..10_000).map(numbered).collect());
        let (mut text, mut count) = (String::new(), 0);
        manifest.to_read().read_to_string(&mut text).unwrap();
        assert!(text.len() > 2 * LINES_BYTES);
        assert_eq!(text, manifest.to_text());
        let hash = *blake3::hash(text.split_once('\n').unwrap().1.as_bytes()).as_bytes();
        assert_eq!(manifest.hash(), hash);
        assert_eq!(Manifest::read_entries(text.as_bytes(), |_| count += 1), Ok(hash));
        assert_eq!(count, manifest.entries.len());
        let damaged = text.replace("\ta/000000007\n", "\n");
        assert_eq!(Manifest::read_entries(damaged.as_bytes(), |_| ()), Err("line 9 is damaged".to_owned()));
    }

    #[test]
    fn the_format_is_pinned() {
        let manifest = Manifest::from_entries(vec![
            entry("b", Kind::File { size: 3, hash: *blake3::hash(b"abc").as_bytes() }),
            entry("a", Kind::Directory),
        ]);
        assert_eq!(
            manifest.to_text(),
            "switchback/manifest/1\nd\t644\t1\t2\t-5\t0\t\t\t\ta\n\
             f\t644\t1\t2\t-5\t3\t6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85\t\t\tb\n"
        );
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        let old = Manifest::from_entries(vec![
            entry("a", Kind::Directory),
            entry("b", Kind::Fifo),
            entry("d", Kind::Fifo),
        ]);
        let mut changed = entry("b", Kind::Fifo);
        changed.mode = 0o600;
        let new = Manifest::from_entries(vec![entry("a", Kind::Directory), changed, entry("c", Kind::Fifo)]);
        let found: Vec<_> = old
            .differences(&new)
            .into_iter()
            .map(|d| (d.path.display().to_string(), d.what.word()))
            .collect();
        assert_eq!(found, [("b".into(), "mode"), ("c".into(), "added"), ("d".into(), "removed")]);
    }
}
