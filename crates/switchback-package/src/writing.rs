//! A package as a stream: nothing of it but the manifest is held in memory.

use std::io::{Cursor, Error, Read, Result};

use crate::format::{Entry, EntryKind, Form, Manifest, Packed};
use crate::layout::{Layout, Part, wrapping};
use crate::packing::{Exactly, Sums, Told, packed};
use crate::{PackageError, names, shown};

/// An entry that is to be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where it is to stand in the archive.
    pub path: String,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// How many bytes its content has.
    pub bytes: u64,
    /// Where it leads, if it is a link.
    pub target: Option<String>,
}

/// Where contents come from. Each is read twice, and must be the same both times.
pub trait Source {
    /// The content of the entry of that path.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn content(&self, path: &str) -> Result<Box<dyn Read + Send>>;
}

/// Reads the content of an entry once, and says what the manifest has to say about it. `time` is that of the manifest.
///
/// # Errors
///
/// When its content cannot be read, or has another length.
pub fn measure(
    draft: &Draft,
    form: Form,
    time: &str,
    source: &dyn Source,
) -> std::result::Result<Entry, PackageError> {
    let seconds = time.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_second()).ok());
    let seconds = seconds.ok_or_else(|| PackageError::Refused(format!("{} is no time", shown(time))))?;
    let mut entry = Entry {
        path: draft.path.clone(),
        kind: if draft.target.is_some() { EntryKind::Link } else { EntryKind::File },
        executable: draft.executable,
        bytes: draft.bytes,
        blake3: String::new(),
        sha256: String::new(),
        target: draft.target.clone(),
        packed: Packed { bytes: 0, blake3: String::new(), crc32: None },
    };
    let mut sums = Sums::default();
    let content = Told { reader: plain(&entry, source)?, tell: |bytes: &[u8]| sums.add(bytes) };
    let mut hasher = blake3::Hasher::new();
    let mut packed_bytes = 0_u64;
    {
        let (wrapping, bytes) = (wrapping(&entry, form, seconds)?, in_stream_bytes(&entry, form));
        let mut stream = packed(form, wrapping, in_stream(&entry, form, content), bytes)?;
        let mut block = vec![0; 64 << 10];
        loop {
            match stream.read(&mut block)? {
                0 => break,
                count => {
                    hasher.update(&block[..count]);
                    packed_bytes += count as u64;
                }
            }
        }
    }
    if form == Form::TarZst && entry.kind == EntryKind::Link {
        // Its target stands in the header.
        sums.add(entry.target.as_deref().unwrap_or_default().as_bytes());
    }
    let summed = sums.end();
    entry.blake3 = summed.blake3;
    entry.sha256 = summed.sha256;
    entry.packed = Packed {
        bytes: packed_bytes,
        blake3: hasher.finalize().to_hex().to_string(),
        crc32: (form == Form::Zip).then_some(summed.crc32),
    };
    Ok(entry)
}

/// The content of an entry, as long as it should be.
fn plain(entry: &Entry, source: &dyn Source) -> Result<Box<dyn Read>> {
    match &entry.target {
        Some(target) => Ok(Box::new(Cursor::new(target.clone().into_bytes()))),
        None => Ok(Box::new(Exactly::new(source.content(&entry.path)?, &entry.path, entry.bytes))),
    }
}

/// What of the content stands behind the header: of a link in a tar, nothing.
fn in_stream<'a>(entry: &Entry, form: Form, content: impl Read + 'a) -> Box<dyn Read + 'a> {
    if in_stream_bytes(entry, form) < entry.bytes { Box::new(std::io::empty()) } else { Box::new(content) }
}

/// How many bytes that are.
pub(crate) fn in_stream_bytes(entry: &Entry, form: Form) -> u64 {
    if form == Form::TarZst && entry.kind == EntryKind::Link { 0 } else { entry.bytes }
}

/// A package that is being read from its contents.
pub struct Archive<'a> {
    layout: Layout<'a>,
    source: &'a dyn Source,
    next: usize,
    current: Box<dyn Read + 'a>,
    /// The entry that is being packed, and what came of it so far.
    packing: Option<(usize, blake3::Hasher, u64)>,
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Archive").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<'a> Archive<'a> {
    /// The package of that manifest; `text` are its bytes.
    ///
    /// # Errors
    ///
    /// When the manifest says what no reader would act upon.
    pub fn new(
        manifest: &'a Manifest,
        text: &'a [u8],
        statement: &'a [u8],
        source: &'a dyn Source,
    ) -> std::result::Result<Self, PackageError> {
        names::look(manifest)?;
        let layout = Layout::new(manifest, text, statement)?;
        Ok(Self { layout, source, next: 0, current: Box::new(std::io::empty()), packing: None })
    }

    /// Goes on to the next part; not behind the last one.
    fn turn(&mut self) -> Result<bool> {
        if let Some((at, hasher, bytes)) = self.packing.take() {
            let entry = self.layout.entry(at);
            if hasher.finalize().to_hex().as_str() != entry.packed.blake3 || bytes != entry.packed.bytes {
                return Err(Error::other(format!("{} was changed while it was packed", shown(&entry.path))));
            }
        }
        let Some(part) = self.layout.part(self.next)? else { return Ok(false) };
        self.next += 1;
        match part {
            Part::Fixed(_, bytes) => self.current = Box::new(Cursor::new(bytes)),
            Part::Packed(at) => {
                let entry = self.layout.entry(at);
                let form = self.layout.form();
                let content = in_stream(entry, form, plain(entry, self.source)?);
                self.current =
                    packed(form, self.layout.wrapping(entry)?, content, in_stream_bytes(entry, form))?;
                self.packing = Some((at, blake3::Hasher::new(), 0));
            }
        }
        Ok(true)
    }
}

impl Read for Archive<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.current.read(into)?;
            if count > 0 {
                if let Some((_, hasher, bytes)) = &mut self.packing {
                    hasher.update(&into[..count]);
                    *bytes += count as u64;
                }
                return Ok(count);
            }
            if !self.turn()? {
                return Ok(0);
            }
        }
    }
}
