//! What a report of a run is made from: plan, history, the run's own records, and its evidence.

use serde_json::Value;

use super::visible::visible_path;
use crate::journal::history::PhaseHistory;
use crate::journal::{Event, History, Record};
use crate::manifest::{Difference, Kind, Manifest, What};
use crate::phase::evidence::EvidenceStore;
use crate::phase::redact::Redactor;
use crate::phase::{Project, StepError};
use crate::plan::Plan;
use crate::world::Disk;

/// So many files of each kind are named.
pub const FILES_NAMED_MAX: usize = 20;

/// Everything that a report is made from.
pub(super) struct Material<'a> {
    pub(super) project: &'a Project,
    pub(super) history: History,
    /// The records of the latest run, from `run-started` on.
    pub(super) records: Vec<Record>,
    /// Position and hash of the last record.
    pub(super) events: u64,
    pub(super) head: String,
    /// Since when the live tree is what it is, and by whom; `None` while it is what it was before the first cutover.
    pub(super) live: Option<(String, String)>,
    redactor: Redactor,
    evidence: EvidenceStore,
}

/// Some of a long list, and how long it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The first ones, in path order; control characters, bytes that are no text, and backslashes are escaped (`\n`,
    /// `\xff`, `\\`).
    pub names: Vec<String>,
    /// How many there are.
    pub total: u64,
}

/// The entries in which a candidate differs from the live tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileNames {
    /// Only in the candidate.
    pub added: Named,
    /// Only in the live tree.
    pub removed: Named,
    /// Of another content, kind or link target.
    pub changed: Named,
    /// The same content under another mode, owner, time, attribute or hard link.
    pub metadata: Named,
}

impl<'a> Material<'a> {
    /// Reads the journal. An error when nothing has been run yet, and when the journal is not as it was written.
    pub(super) fn read(project: &'a Project) -> Result<Self, StepError> {
        let all = project.records()?;
        let live = all.iter().rev().find_map(|record| match record.event {
            Event::CutOver { .. } | Event::RolledBack { whole: true, .. } => {
                Some((record.time.clone(), record.actor.clone()))
            }
            _ => None,
        });
        let history = History::fold(all.iter().cloned())?;
        let begun = all.iter().rposition(|record| matches!(record.event, Event::RunStarted { .. }));
        let (Some(begun), Some(last)) = (begun, all.last()) else {
            let what = format!("nothing has been run yet in `{}`", project.root.display());
            return Err(StepError::not_now(
                what,
                "`switchback run` begins a run; then there is something to report",
            ));
        };
        let (events, head) = (last.seq, last.hash.clone());
        let redactor = Redactor::new(project.ports.world.surroundings.as_ref());
        let evidence = EvidenceStore::new(project.state());
        let records = all.into_iter().skip(begun).collect();
        Ok(Self { project, history, records, events, head, live, redactor, evidence })
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.project.plan
    }

    fn disk(&self) -> &dyn Disk {
        self.project.ports.world.disk.as_ref()
    }

    /// The text without secrets.
    pub(super) fn clean(&self, text: &str) -> String {
        self.redactor.clean(text)
    }

    /// The records about a phase.
    pub(super) fn about<'m>(&'m self, phase: &'m str) -> impl DoubleEndedIterator<Item = &'m Record> {
        self.records.iter().filter(move |record| record.event.phase() == Some(phase))
    }

    /// The record at a position.
    pub(super) fn record(&self, seq: u64) -> Option<&Record> {
        self.records.iter().find(|record| record.seq == seq)
    }

    /// Where evidence is kept.
    pub(super) fn store(&self) -> &EvidenceStore {
        &self.evidence
    }

    /// The evidence of that hash; why not, when it is gone or was changed.
    pub(super) fn evidence(&self, hash: &str) -> Result<Value, String> {
        let text = self.evidence.get(self.disk(), hash).map_err(|error| error.to_string())?;
        let text = self.clean(&text);
        serde_json::from_str(&text).map_err(|error| format!("it cannot be understood: {error}"))
    }

    /// The entries in which the candidate of a phase differs from the live tree; why not, when its manifests are gone or
    /// were changed.
    pub(super) fn file_names(&self, history: &PhaseHistory) -> Option<Result<FileNames, String>> {
        let staged = history.staged.as_ref()?;
        let load =
            |hash: &str| self.evidence.get_manifest(self.disk(), hash).map_err(|error| error.to_string());
        Some(load(&staged.old_tree).and_then(|old| Ok(FileNames::between(&old, &load(&staged.new_tree)?))))
    }
}

impl Named {
    fn add(&mut self, name: impl FnOnce() -> String) {
        self.total += 1;
        if self.names.len() < FILES_NAMED_MAX {
            self.names.push(name());
        }
    }

    /// How many are not named.
    pub fn left_out(&self) -> u64 {
        self.total.saturating_sub(self.names.len() as u64)
    }
}

impl FileNames {
    fn between(old: &Manifest, new: &Manifest) -> Self {
        let mut names = Self::default();
        for difference in old.differences(new) {
            match difference.what {
                What::Added => names.added.add(|| named(&difference, new)),
                What::Removed => names.removed.add(|| named(&difference, old)),
                What::Content => names.changed.add(|| named(&difference, new)),
                what => names.metadata.add(|| format!("{} ({})", named(&difference, new), what.word())),
            }
        }
        names
    }
}

/// The path of an entry, with what is not seen written out; that of a folder ends with a slash.
fn named(difference: &Difference, tree: &Manifest) -> String {
    let path = visible_path(&difference.path);
    let is_folder = tree.get(&difference.path).is_some_and(|entry| entry.kind == Kind::Directory);
    if is_folder { format!("{path}/") } else { path }
}
