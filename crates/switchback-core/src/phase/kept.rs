//! What parts of an interrupted check found, in files of their own until the whole of it has an answer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::project::Work;
use super::redact::Redactor;
use crate::check::Kept;
use crate::journal::Binding;
use crate::manifest::to_hex;
use crate::plan::{CheckPlan, Moment, Phase, STATE_FOLDER};
use crate::tree::copy::{make_directories, remove_tree};
use crate::world::{Disk, DiskError};

/// The folder in the state folder. Commands of checks may write to `work`; here they may not.
const FOLDER: &str = "kept";
/// The largest part that is read back.
const BYTES_MAX: u64 = 256 << 20;

/// What is kept of one check at one moment.
#[derive(Debug)]
pub(super) struct KeptParts {
    disk: Arc<dyn Disk>,
    redactor: Redactor,
    root: PathBuf,
    /// Of this check at this moment, whatever it was about.
    folder: PathBuf,
    /// What it is about now.
    about: String,
}

impl KeptParts {
    pub(super) fn of(
        work: &Work<'_>,
        phase: &Phase,
        check: &CheckPlan,
        moment: Moment,
        binding: &Binding,
    ) -> Self {
        let name = hash_of(&[&phase.name, &check.name, &moment.to_string()]);
        let Binding { options, old_tree, new_tree, inputs, tool, .. } = binding;
        Self {
            disk: work.world().disk.clone(),
            redactor: work.redactor.clone(),
            root: work.project.root.clone(),
            folder: Path::new(STATE_FOLDER).join(FOLDER).join(name),
            about: hash_of(&[options, old_tree, new_tree, inputs, tool]),
        }
    }

    /// Forgets all of it: the check has an answer that is recorded, and who asks again wants it looked at again.
    pub(super) fn forget(&self) -> Result<(), DiskError> {
        remove_tree(self.disk.as_ref(), &self.root.join(&self.folder))
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(&self.folder).join(hash_of(&[&self.about, key]))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), DiskError> {
        let disk = self.disk.as_ref();
        make_directories(disk, &self.root, &self.root.join(&self.folder))?;
        let unfinished = path.with_extension("part");
        remove_tree(disk, &unfinished)?;
        let content = format!("{}\n{text}", blake3::hash(text.as_bytes()).to_hex());
        disk.write_new(&unfinished, 0o644, &mut content.as_bytes())?;
        disk.rename_over(&unfinished, path)
    }
}

impl Kept for KeptParts {
    fn get(&self, key: &str) -> Option<String> {
        let path = self.path(key);
        self.disk.look(&path).ok()??;
        let content = String::from_utf8(self.disk.read(&path, BYTES_MAX).ok()?).ok()?;
        // Nothing was synced: after a power cut it may be half there.
        let (hash, text) = content.split_once('\n')?;
        (blake3::hash(text.as_bytes()).to_hex().as_str() == hash).then(|| text.to_owned())
    }

    fn put(&self, key: &str, text: &str) {
        // It only saves time. What matters is in the evidence, and is not written before the whole is known.
        drop(self.write(&self.path(key), &self.redactor.clean(text)));
    }
}

/// Of a look that nobody goes on with, nothing is kept.
#[derive(Debug)]
pub(super) struct Nothing;

impl Kept for Nothing {
    fn get(&self, _key: &str) -> Option<String> {
        None
    }

    fn put(&self, _key: &str, _text: &str) {}
}

/// One hash of several texts, whatever stands in them.
fn hash_of(texts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    to_hex(hasher.finalize().as_bytes())
}
