//! Archives unpacked into a folder: tar, plain or compressed, and zip. No entry can lead out of the folder.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::ChangeError;
use crate::tree::copy::make_directories;
use crate::world::{Disk, DiskError, FileKind};

/// The endings of the archives that can be unpacked.
pub(super) const ENDINGS: &[&str] = &[".tar", ".tar.gz", ".tgz", ".zip"];

const NANOSECONDS: i128 = 1_000_000_000;
const LINK_BYTES_MAX: u64 = 4_096;

/// Whether a name is that of an archive.
pub(super) fn is_archive(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending))
}

/// Unpacks the archive at `path` into the folder `into`, which exists and is empty.
pub(super) fn unpack(disk: &dyn Disk, path: &Path, into: &Path) -> Result<(), ChangeError> {
    let from = path.display().to_string();
    let mut unpacking = Unpacking { disk, from: &from, into, directories: Vec::new() };
    let name = from.to_ascii_lowercase();
    if name.ends_with(".zip") {
        unpacking.zip(path)?;
    } else if name.ends_with(".tar") {
        unpacking.tar(disk.open(path)?)?;
    } else {
        unpacking.tar(Box::new(flate2::read::GzDecoder::new(disk.open(path)?)))?;
    }
    // Last of all, and the deepest first: making what is in a directory sets its time.
    for (directory, mtime_ns) in unpacking.directories.iter().rev() {
        disk.set_times(directory, *mtime_ns, *mtime_ns)?;
    }
    Ok(())
}

struct Unpacking<'a> {
    disk: &'a dyn Disk,
    from: &'a str,
    into: &'a Path,
    directories: Vec<(PathBuf, i128)>,
}

impl Unpacking<'_> {
    fn refused(&self, why: impl Into<String>) -> ChangeError {
        ChangeError::Source { from: self.from.to_owned(), why: why.into() }
    }

    fn damaged(&self, error: &impl std::fmt::Display) -> ChangeError {
        self.refused(format!("is damaged: {error}"))
    }

    fn tar(&mut self, reader: Box<dyn Read + Send>) -> Result<(), ChangeError> {
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries().map_err(|error| self.damaged(&error))? {
            let mut entry = entry.map_err(|error| self.damaged(&error))?;
            let name = entry.path().map_err(|error| self.damaged(&error))?.into_owned();
            let header = entry.header();
            let kind = header.entry_type();
            let mode = header.mode().map_err(|error| self.damaged(&error))?;
            let mtime_ns = i128::from(header.mtime().map_err(|error| self.damaged(&error))?) * NANOSECONDS;
            if matches!(kind, tar::EntryType::XGlobalHeader) {
                continue;
            }
            let Some(path) = self.place(&name)? else { continue };
            match kind {
                tar::EntryType::Directory => self.directory(&path, mode, mtime_ns)?,
                tar::EntryType::Symlink => {
                    let target = entry.link_name().map_err(|error| self.damaged(&error))?;
                    let target = target.ok_or_else(|| self.refused("has a link without a target"))?;
                    self.disk.make_symlink(&target, &path)?;
                    self.disk.set_times(&path, mtime_ns, mtime_ns)?;
                }
                tar::EntryType::Link => {
                    let target = entry.link_name().map_err(|error| self.damaged(&error))?;
                    let target = target.ok_or_else(|| self.refused("has a link without a target"))?;
                    let target = self.place(&target)?.ok_or_else(|| self.refused("has a link to nothing"))?;
                    self.disk.make_hard_link(&target, &path)?;
                }
                tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                    self.file(&path, mode, mtime_ns, &mut entry)?;
                }
                other => {
                    let why = format!("has an entry `{}` of the kind {other:?}", name.display());
                    return Err(self.refused(why));
                }
            }
        }
        Ok(())
    }

    fn zip(&mut self, path: &Path) -> Result<(), ChangeError> {
        let mut archive =
            zip::ZipArchive::new(self.disk.open_seekable(path)?).map_err(|error| self.damaged(&error))?;
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(|error| self.damaged(&error))?;
            let name = PathBuf::from(entry.name().map_err(|error| self.damaged(&error))?.into_owned());
            let mode = entry.unix_mode().unwrap_or(if entry.is_dir() { 0o755 } else { 0o644 });
            let mtime_ns = entry.last_modified().map_or(0, zip_time_ns);
            let Some(path) = self.place(&name)? else { continue };
            if entry.is_dir() {
                self.directory(&path, mode, mtime_ns)?;
            } else if entry.is_symlink() {
                let mut target = String::new();
                (&mut entry)
                    .take(LINK_BYTES_MAX)
                    .read_to_string(&mut target)
                    .map_err(|error| self.damaged(&error))?;
                self.disk.make_symlink(Path::new(&target), &path)?;
                self.disk.set_times(&path, mtime_ns, mtime_ns)?;
            } else {
                self.file(&path, mode, mtime_ns, &mut entry)?;
            }
        }
        Ok(())
    }

    /// Where an entry goes; its parents are made and are real directories. `None` for the root itself.
    fn place(&self, name: &Path) -> Result<Option<PathBuf>, ChangeError> {
        let mut inside = PathBuf::new();
        for part in name.components() {
            match part {
                Component::Normal(part) => inside.push(part),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(
                        self.refused(format!("has an entry `{}` that leads out of it", name.display()))
                    );
                }
            }
        }
        if inside.as_os_str().is_empty() {
            return Ok(None);
        }
        let path = self.into.join(&inside);
        let parent = path.parent().unwrap_or(self.into).to_owned();
        let mut here = self.into.to_owned();
        for part in parent.strip_prefix(self.into).unwrap_or(Path::new("")).components() {
            here.push(part);
            if self.disk.look(&here)?.is_some_and(|meta| meta.kind != FileKind::Directory) {
                let why = format!("has an entry `{}` whose folder is a link or a file", name.display());
                return Err(self.refused(why));
            }
        }
        make_directories(self.disk, self.into, &parent)?;
        Ok(Some(path))
    }

    fn directory(&mut self, path: &Path, mode: u32, mtime_ns: i128) -> Result<(), DiskError> {
        if self.disk.look(path)?.is_none() {
            self.disk.make_directory(path, 0o755)?;
        }
        self.disk.set_mode(path, mode & 0o7777 | 0o700)?;
        self.directories.push((path.to_owned(), mtime_ns));
        Ok(())
    }

    fn file(&self, path: &Path, mode: u32, mtime_ns: i128, content: &mut dyn Read) -> Result<(), DiskError> {
        self.disk.write_new(path, 0o600, content)?;
        self.disk.set_mode(path, mode & 0o7777)?;
        self.disk.set_times(path, mtime_ns, mtime_ns)
    }
}

/// The time of a zip entry, which has no zone; it is taken as UTC, so that unpacking gives the same everywhere.
fn zip_time_ns(time: zip::DateTime) -> i128 {
    let civil = jiff::civil::DateTime::new(
        i16::try_from(time.year()).unwrap_or(1980),
        i8::try_from(time.month()).unwrap_or(1),
        i8::try_from(time.day()).unwrap_or(1),
        i8::try_from(time.hour()).unwrap_or(0),
        i8::try_from(time.minute()).unwrap_or(0),
        i8::try_from(time.second()).unwrap_or(0),
        0,
    );
    let zoned = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC));
    // A date that does not exist, as some programs write for "unknown".
    zoned.map_or(0, |zoned| zoned.timestamp().as_nanosecond())
}
