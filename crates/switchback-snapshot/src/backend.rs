//! A restic repository in a local directory, laid out as restic does it, that a power cut cannot damage.
//!
//! The layout is that of restic's design document, section "Repository Layout". Every file is written beside its place,
//! synced, made read-only, renamed, and its directory synced; only then does the library go on.

use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustic_core::{BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend};
use switchback_core::world::{Disk, DiskError};

use crate::durable;

/// No file of a repository is read whole that is larger: restic's packs end at 128 MiB, indexes far below.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// Restic removes the right to write from every file it has finished.
const FINISHED_MODE: u32 = 0o400;

/// The backend.
#[derive(Debug, Clone)]
pub(crate) struct DurableLocal {
    disk: Arc<dyn Disk>,
    root: PathBuf,
}

impl DurableLocal {
    pub(crate) fn new(disk: Arc<dyn Disk>, root: &Path) -> Self {
        Self { disk, root: root.to_owned() }
    }

    /// Removes what a killed backup left half written. Only under the repository's lock.
    pub(crate) fn sweep(&self) -> Result<(), DiskError> {
        let mut directories: Vec<PathBuf> =
            ["keys", "snapshots", "index"].iter().map(|name| self.root.join(name)).collect();
        directories.extend(self.pack_directories());
        directories.push(self.root.clone());
        for directory in directories {
            if self.disk.look(&directory)?.is_none() {
                continue;
            }
            for name in self.disk.list(&directory)? {
                if name.to_string_lossy().ends_with(durable::UNFINISHED) {
                    self.disk.remove_file(&directory.join(name))?;
                }
            }
        }
        Ok(())
    }

    fn pack_directories(&self) -> impl Iterator<Item = PathBuf> {
        (0..=u8::MAX).map(|byte| self.root.join("data").join(format!("{byte:02x}")))
    }

    fn place(&self, kind: FileType, id: &Id) -> PathBuf {
        let name = id.to_hex();
        match kind {
            FileType::Config => self.root.join("config"),
            FileType::Pack => self.root.join("data").join(&name.as_str()[..2]).join(name.as_str()),
            FileType::Index | FileType::Key | FileType::Snapshot => {
                self.root.join(kind.dirname()).join(name.as_str())
            }
        }
    }

    fn list_directory(&self, directory: &Path) -> Result<Vec<(Id, u32)>, DiskError> {
        if self.disk.look(directory)?.is_none() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for name in self.disk.list(directory)? {
            // Anything else is not a file of the repository: half written ones, or what a user put there.
            let Some(id) = name.to_str().and_then(|name| name.parse::<Id>().ok()) else { continue };
            let path = directory.join(&name);
            let Some(meta) = self.disk.look(&path)? else { continue };
            let size = u32::try_from(meta.size).map_err(|_| {
                DiskError::new("list", &path, std::io::Error::other("it is larger than 4 GiB"))
            })?;
            found.push((id, size));
        }
        Ok(found)
    }

    fn make_layout(&self) -> Result<(), DiskError> {
        durable::make_directories(&*self.disk, &self.root)?;
        let names = ["keys", "snapshots", "index", "locks", "data"];
        let directories = names.iter().map(|name| self.root.join(name)).chain(self.pack_directories());
        for directory in directories {
            if self.disk.look(&directory)?.is_none() {
                self.disk.make_directory(&directory, 0o700)?;
            }
        }
        self.disk.sync_directory(&self.root.join("data"))?;
        self.disk.sync_directory(&self.root)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the library's own reading, the named exception: parts of a pack"
    )]
    fn read_part(&self, kind: FileType, id: &Id, offset: u32, length: u32) -> Result<Vec<u8>, DiskError> {
        let path = self.place(kind, id);
        let failed = |error| DiskError::new("read", &path, error);
        let file = std::fs::File::open(&path).map_err(failed)?;
        let mut content = vec![0; length as usize];
        file.read_exact_at(&mut content, u64::from(offset)).map_err(failed)?;
        Ok(content)
    }
}

impl ReadBackend for DurableLocal {
    fn location(&self) -> String {
        format!("local:{}", self.root.display())
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        match kind {
            FileType::Config => {
                let config = self.disk.look(&self.place(kind, &Id::default())).map_err(failed)?;
                Ok(config
                    .map(|meta| (Id::default(), u32::try_from(meta.size).unwrap_or(u32::MAX)))
                    .into_iter()
                    .collect())
            }
            FileType::Pack => {
                let mut found = Vec::new();
                for directory in self.pack_directories() {
                    found.extend(self.list_directory(&directory).map_err(failed)?);
                }
                Ok(found)
            }
            FileType::Index | FileType::Key | FileType::Snapshot => {
                self.list_directory(&self.root.join(kind.dirname())).map_err(failed)
            }
        }
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        self.disk.read(&self.place(kind, id), FILE_BYTES_MAX).map(Bytes::from).map_err(failed)
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        _cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        self.read_part(kind, id, offset, length).map(Bytes::from).map_err(failed)
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.place(kind, id).display().to_string()
    }
}

impl WriteBackend for DurableLocal {
    fn create(&self) -> RusticResult<()> {
        self.make_layout().map_err(failed)
    }

    fn write_bytes(&self, kind: FileType, id: &Id, _cacheable: bool, content: BytesList) -> RusticResult<()> {
        let mut reader: Box<dyn Read> = Box::new(content.reader());
        durable::publish(&*self.disk, &self.place(kind, id), FINISHED_MODE, &mut reader).map_err(failed)
    }

    fn remove(&self, kind: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let path = self.place(kind, id);
        self.disk.remove_file(&path).map_err(failed)?;
        self.disk.sync_directory(durable::parent(&path)).map_err(failed)
    }
}

fn failed(error: DiskError) -> Box<RusticError> {
    let text = error.to_string();
    RusticError::with_source(ErrorKind::Backend, text, error.source)
}
