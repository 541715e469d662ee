//! The snapshot of a phase, as its checks look into it: by paths of the project, wherever its content stood then.

use std::path::{Path, PathBuf};

use super::project::Work;
use super::snapshot::NOTHING;
use crate::check::{Saved, SavedContent};
use crate::manifest::{Entry, Manifest};
use crate::plan::{Managed, Phase, STATE_FOLDER};
use crate::port::{PortError, SnapshotRecord, Vault};

/// The snapshot that was made before a phase.
#[derive(Debug)]
pub(super) struct PhaseSnapshot<'a> {
    vault: Box<dyn Vault>,
    managed: &'a [Managed],
    phase: &'a str,
    /// `None`: none was made yet.
    id: Option<String>,
}

impl<'a> PhaseSnapshot<'a> {
    /// That of `phase`, as the journal knows it. Nothing is read before it is asked for.
    pub(super) fn of(work: &'a Work<'_>, phase: &'a Phase) -> Self {
        let history = work.history();
        let fact = history.phase(&phase.name).and_then(|phase| phase.snapshot.as_ref());
        let id = fact.map(|fact| fact.id.clone());
        Self { vault: work.project.vault(), managed: &work.plan().project.managed, phase: &phase.name, id }
    }

    fn shown(&self) -> Result<(SnapshotRecord, Manifest), String> {
        match self.id.as_deref() {
            None => Err(format!(
                "the phase `{}` has no snapshot yet: `switchback run --until snapshot` makes it",
                self.phase
            )),
            Some(NOTHING) => Err(format!(
                "nothing that is managed existed when the phase `{}` began: its snapshot is empty",
                self.phase
            )),
            Some(id) => self.vault.show(id).map_err(|error| told(&error)),
        }
    }

    /// The folder in which the managed paths stood: that of a generation, or the root of the project.
    fn stood_in(&self, record: &SnapshotRecord) -> PathBuf {
        let inside = record.paths.iter().filter(|path| path.starts_with(STATE_FOLDER)).find_map(|path| {
            let managed = self.managed.iter().find(|managed| path.ends_with(&managed.path))?;
            path.ancestors().nth(managed.path.components().count()).map(Path::to_owned)
        });
        inside.unwrap_or_default()
    }
}

impl Saved for PhaseSnapshot<'_> {
    fn content(&self) -> Result<SavedContent, String> {
        let (record, manifest) = self.shown()?;
        let inside = self.stood_in(&record);
        let in_project = |path: &Path| path.strip_prefix(&inside).unwrap_or(path).to_owned();
        let entries = manifest.entries.into_iter().map(|entry| Entry {
            path: in_project(&entry.path),
            linked_to: entry.linked_to.as_deref().map(in_project),
            ..entry
        });
        let manifest = Manifest::from_entries(entries.collect());
        let roots = record.paths.iter().map(|path| in_project(path)).collect();
        Ok(SavedContent { id: record.id, roots, manifest })
    }

    fn restore(&self, paths: &[PathBuf], into: &Path) -> Result<Vec<PathBuf>, String> {
        let (record, manifest) = self.shown()?;
        let inside = self.stood_in(&record);
        // What is backed up beside the managed paths stood where it stands.
        let stood = |path: &PathBuf| {
            let within = inside.join(path);
            if manifest.get(&within).is_some() { within } else { path.clone() }
        };
        let stood: Vec<PathBuf> = paths.iter().map(stood).collect();
        self.vault.restore(&record.id, &stood, into).map_err(|error| told(&error))?;
        Ok(stood.iter().map(|path| into.join(path)).collect())
    }
}

fn told(error: &PortError) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", error.told())
}
