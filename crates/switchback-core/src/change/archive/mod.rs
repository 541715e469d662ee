//! Archives unpacked into a folder: tar, plain or compressed (gzip, zstd), and zip. Whoever made one is not trusted.
//!
//! An archive is looked through before anything of it is written: `tape` and `zipped` read the two formats as entries,
//! `entry` says which names can stand in a tree, `bounds` how much there may be of it all, `writing` puts the entries on
//! the disk, and `links` looks at where symbolic links lead once all of them are there.

mod bounds;
mod content;
mod entry;
mod links;
mod tape;
mod writing;
mod zipped;

use std::io::BufReader;
use std::path::Path;

use bounds::{Bounds, stream_bytes_max};
use content::Content;
use entry::Entry;
pub(super) use links::Links;
use writing::Writing;

use super::ChangeError;
use crate::world::{Disk, DiskError};

/// The endings of the archives that can be unpacked.
pub(super) const ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tar.zst", ".tgz", ".zip"];

/// A frame of zstd may not ask for a larger window: 128 MiB.
const WINDOW_LOG_MAX: u32 = 27;

/// Whether a name is that of an archive.
pub(super) fn is_archive(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending))
}

/// Unpacks the archive at `path`, which the plan calls `name`, into the folder `into`, which exists and is empty.
///
/// The links that it returns are to be looked at once it is known which folder of the archive is the candidate.
pub(super) fn unpack(disk: &dyn Disk, name: &str, path: &Path, into: &Path) -> Result<Links, ChangeError> {
    let packed_bytes = disk.look(path)?.map_or(0, |meta| meta.size);
    let archive = Archive { disk, path, format: Format::of(name), packed_bytes };
    archive.unpack(into).map_err(|refusal| refusal.of(name))
}

/// Why an archive is not unpacked.
#[derive(Debug)]
enum Refusal {
    /// What is wrong with it.
    Why(String),
    /// The disk said no.
    Disk(DiskError),
}

impl Refusal {
    fn of(self, name: &str) -> ChangeError {
        match self {
            Self::Why(why) => ChangeError::Archive { from: name.to_owned(), why },
            Self::Disk(error) => ChangeError::Disk(error),
        }
    }

    fn why(why: impl Into<String>) -> Self {
        Self::Why(why.into())
    }

    /// Bytes that are not what the format asks for.
    fn damaged(place: &str, error: &impl std::fmt::Display) -> Self {
        Self::Why(format!("{place} is damaged: {error}"))
    }
}

impl From<DiskError> for Refusal {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// Takes one entry after the other. There is no content where only the list of the entries is read.
type Take<'a> = dyn FnMut(&Entry, Option<&mut Content<'_>>) -> Result<(), Refusal> + 'a;

/// How the entries are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Tar,
    CompressedTar,
    FramedTar,
    Zip,
}

impl Format {
    fn of(name: &str) -> Self {
        match Path::new(&name.to_ascii_lowercase()).extension().and_then(|ending| ending.to_str()) {
            Some("zip") => Self::Zip,
            Some("tar") => Self::Tar,
            Some("zst") => Self::FramedTar,
            _ => Self::CompressedTar,
        }
    }
}

struct Archive<'a> {
    disk: &'a dyn Disk,
    path: &'a Path,
    format: Format,
    packed_bytes: u64,
}

impl Archive<'_> {
    fn unpack(&self, into: &Path) -> Result<Links, Refusal> {
        let packed_bytes = self.packed_bytes;
        let free = self.disk.space(into)?;
        let mut bounds = Bounds::new(packed_bytes, free);
        self.read(false, &mut |entry, content| {
            bounds.add(entry)?;
            content.map_or(Ok(()), |content| content.pass_over(entry))
        })?;
        // Once more, for what is read now might not be what was looked through.
        let mut bounds = Bounds::new(packed_bytes, free);
        let mut writing = Writing::new(self.disk, into);
        self.read(true, &mut |entry, content| {
            bounds.add(entry)?;
            writing.write(entry, content)
        })?;
        writing.finish()
    }

    /// Reads all entries. A tar has to be read whole for its list; of a zip, contents are read for `with_content` only.
    fn read(&self, with_content: bool, take: &mut Take<'_>) -> Result<(), Refusal> {
        let bytes_max = stream_bytes_max(self.packed_bytes);
        match self.format {
            Format::Tar => tape::read(Box::new(BufReader::new(self.disk.open(self.path)?)), bytes_max, take),
            Format::CompressedTar => {
                // Several members one after the other are one stream, as parallel compressors write them.
                let stream = flate2::read::MultiGzDecoder::new(self.disk.open(self.path)?);
                tape::read(Box::new(stream), bytes_max, take)
            }
            Format::FramedTar => {
                let damaged = |error: std::io::Error| Refusal::damaged("its start", &error);
                let mut stream =
                    zstd::stream::read::Decoder::new(self.disk.open(self.path)?).map_err(damaged)?;
                stream.window_log_max(WINDOW_LOG_MAX).map_err(damaged)?;
                tape::read(Box::new(stream), bytes_max, take)
            }
            Format::Zip if with_content => {
                let readers = (self.disk.open_seekable(self.path)?, self.disk.open_seekable(self.path)?);
                zipped::read(readers.0, readers.1, take)
            }
            Format::Zip => zipped::list(self.disk.open_seekable(self.path)?, take),
        }
    }
}
