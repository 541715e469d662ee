//! Evidence: reports and manifests, stored by the hash of their content.

use std::path::PathBuf;

use crate::manifest::{Hash, Manifest, from_hex, to_hex};
use crate::tree::copy::make_directories;
use crate::world::{Disk, DiskError, FileKind};

const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// The store of evidence of a project.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    state: PathBuf,
}

/// Evidence that is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Its content has another hash than its name.
    #[error("the evidence `{}` was changed after it was stored", .0.display())]
    Changed(PathBuf),
    /// It cannot be understood.
    #[error("the evidence `{}` cannot be read: {why}", .path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl EvidenceStore {
    /// The store in the state folder `state`.
    pub fn new(state: PathBuf) -> Self {
        Self { state }
    }

    /// Where content of that hash is stored.
    pub fn path(&self, hash: &str) -> PathBuf {
        self.state.join("evidence").join(hash)
    }

    /// Stores content and returns its hash, 64 hexadecimal digits; it is on the disk then.
    pub fn put(&self, disk: &dyn Disk, content: &[u8]) -> Result<String, DiskError> {
        let hash: Hash = *blake3::hash(content).as_bytes();
        let hash = to_hex(&hash);
        let path = self.path(&hash);
        if disk.look(&path)?.is_some() {
            return Ok(hash);
        }
        let folder = self.state.join("evidence");
        make_directories(disk, &self.state, &folder)?;
        let unfinished = folder.join(format!("{hash}.part"));
        if disk.look(&unfinished)?.is_some() {
            disk.remove_file(&unfinished)?;
        }
        disk.write_new(&unfinished, 0o644, &mut &content[..])?;
        disk.sync_file(&unfinished)?;
        disk.rename_over(&unfinished, &path)?;
        disk.sync_directory(&folder)?;
        Ok(hash)
    }

    /// Stores a manifest so that it can be found again by its own hash, which is not the hash of its text.
    pub fn put_manifest(&self, disk: &dyn Disk, manifest: &Manifest) -> Result<String, DiskError> {
        let text = self.put(disk, manifest.to_text().as_bytes())?;
        let hash = to_hex(&manifest.hash());
        let link = self.path(&format!("{hash}.manifest"));
        if disk.look(&link)?.is_none() {
            disk.make_symlink(std::path::Path::new(&text), &link)?;
        }
        Ok(hash)
    }

    /// The manifest of that hash.
    pub fn get_manifest(&self, disk: &dyn Disk, hash: &str) -> Result<Manifest, EvidenceError> {
        let link = self.path(&format!("{hash}.manifest"));
        match disk.look(&link)?.map(|meta| meta.kind) {
            Some(FileKind::Symlink) => {}
            Some(_) => return Err(EvidenceError::Changed(link)),
            None => return Err(EvidenceError::Damaged { path: link, why: "it is gone".to_owned() }),
        }
        let name = disk.read_link(&link)?;
        let text = self.get(disk, &name.to_string_lossy())?;
        let manifest =
            Manifest::from_text(&text).map_err(|why| EvidenceError::Damaged { path: link.clone(), why })?;
        if to_hex(&manifest.hash()) == hash { Ok(manifest) } else { Err(EvidenceError::Changed(link)) }
    }

    /// The content of that hash, as text.
    pub fn get(&self, disk: &dyn Disk, hash: &str) -> Result<String, EvidenceError> {
        let path = self.path(hash);
        let content = disk.read(&path, BYTES_MAX)?;
        if from_hex(hash) != Some(*blake3::hash(&content).as_bytes()) {
            return Err(EvidenceError::Changed(path));
        }
        String::from_utf8(content).map_err(|error| EvidenceError::Damaged { path, why: error.to_string() })
    }
}
