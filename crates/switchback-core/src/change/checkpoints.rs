//! `checkpoints`: a directory of documents is migrated by rules, with proof (OM-2).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage, code, from_root};
use crate::code::Rewrite;
use crate::documents::{CheckpointsRequest, DIRECTORY, RULES};
use crate::plan::{Fields, Managed, relative};

/// The kind `checkpoints`.
pub(super) static KIND: Kind = Kind {
    word: "checkpoints",
    doc: "a directory of checkpoints is renamed and migrated from version to version, with proof",
    keys: &[DIRECTORY, RULES],
    read,
};

#[derive(Debug)]
struct CheckpointsChange {
    directory: PathBuf,
    rules: String,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let (path, rules) = (fields.filled_text("path"), fields.filled_text("rules"));
    let directory = relative(&path?, fields.offset_of("path"), "the directory", fields.findings())?;
    Some(Box::new(CheckpointsChange { directory, rules: rules? }))
}

impl CheckpointsChange {
    fn worked_out(&self, stage: &Stage<'_>, tree: &Path) -> Result<Rewrite, ChangeError> {
        let request = CheckpointsRequest {
            directory: self.directory.clone(),
            rules: from_root(stage.root, &self.rules),
        };
        code::allowed(stage, &self.describe(), stage.migrator.plan_checkpoints(tree, &request)?)
    }
}

impl Change for CheckpointsChange {
    fn describe(&self) -> String {
        format!("migrate the checkpoints in `{}`", self.directory.display())
    }

    fn replaces(&self, _managed: &Managed) -> bool {
        false
    }

    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        if stage.world.disk.look(&stage.live.join(&self.directory))?.is_none() {
            // A change before this one brings it.
            return Ok(None);
        }
        let rewrite = self.worked_out(stage, stage.live)?;
        Ok(Some(FileCounts { changed: rewrite.edited, moved: rewrite.moved, ..FileCounts::default() }))
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        code::carry_out(stage, &self.describe(), &self.worked_out(stage, stage.tree)?)
    }
}
