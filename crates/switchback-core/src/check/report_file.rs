//! The report that a command leaves in a file: it is read when the command wrote it, and not when it is of an earlier run.

use std::path::{Path, PathBuf};

use super::Scene;
use crate::plan::Fields;
use crate::world::{Disk, FileKind, Meta};

/// Where a report is to be, and what was there before the command ran.
#[derive(Debug)]
pub(super) struct ReportFile {
    path: PathBuf,
    earlier: Option<Meta>,
}

impl ReportFile {
    /// The file that `named` means (`{out}/coverage.xml`, or a path of the tree), before the command runs. It is a path for our own
    /// eyes, so nothing of it is quoted for a shell.
    pub(super) fn expected(scene: &Scene<'_>, named: &str, tree: &Path, out: &Path) -> Result<Self, String> {
        let (out, at) = (out.display().to_string(), tree.display().to_string());
        let path = tree.join(named.replace("{out}", &out).replace("{tree}", &at));
        let earlier = scene.world.disk.look(&path).map_err(|error| error.to_string())?;
        Ok(Self { path, earlier })
    }

    /// What the command wrote.
    pub(super) fn read(&self, disk: &dyn Disk, bytes_max: u64) -> Result<String, String> {
        let shown = self.path.display();
        let now = disk.look(&self.path).map_err(|error| error.to_string())?;
        let now = now.ok_or_else(|| format!("the command left no report: there is no `{shown}`"))?;
        // A pipe would never end.
        if now.kind != FileKind::File {
            return Err(format!("the command left no report: `{shown}` is no file"));
        }
        let print = |meta: &Meta| (meta.identity, meta.ctime_ns, meta.size);
        if self.earlier.as_ref().is_some_and(|then| print(then) == print(&now)) {
            return Err(format!("the command left no report: `{shown}` is of an earlier run"));
        }
        let bytes = disk.read(&self.path, bytes_max).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| format!("`{shown}` is not UTF-8"))
    }
}

/// Looks whether `name`, where it is there, names a file that a command could write.
pub(super) fn look_at_name(fields: &Fields<'_>, name: &str, text: Option<&str>) {
    let Some(text) = text else { return };
    let is_outside = text.starts_with('/') || text.split('/').any(|part| part == "..");
    if is_outside {
        let message = format!("`{name}` in {} leads out of the tree", fields.title());
        fields.find(name, message, "name a file in `{out}`, or a path of the tree");
    }
}
