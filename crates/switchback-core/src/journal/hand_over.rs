//! What the journal tells about packages, and about what follows a phase: its commit and its archive. None of it moves a phase.

use super::event::Event;
use super::fact::{PackagedFact, ReceivedFact};
use super::history::History;

/// A commit of git that holds what a phase brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFact {
    /// The branch, as git calls it in full.
    pub branch: String,
    /// What the branch held before.
    pub parent: String,
    /// The commit.
    pub commit: String,
    /// Whether the branch is known to hold it; else it was about to be led there.
    pub is_done: bool,
}

/// The archive of a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFact {
    /// Its folder, relative to the project.
    pub path: String,
    /// The hash of the list of its files; `None`: it was about to be put together.
    pub manifest: Option<String>,
}

impl History {
    /// Events about packages, commits and archives.
    pub(super) fn take_hand_over(&mut self, event: &Event, time: &str) {
        match event {
            Event::Packaged { package, sequence, content, .. } => self.packaged.push(PackagedFact {
                package: package.clone(),
                sequence: *sequence,
                content: content.clone(),
            }),
            Event::Received { package, sequence, manifest, archive, path, .. } => {
                self.received.push(ReceivedFact {
                    package: package.clone(),
                    sequence: *sequence,
                    manifest: manifest.clone(),
                    archive: archive.clone(),
                    path: path.clone(),
                    time: time.to_owned(),
                });
            }
            Event::CommitStarted { transaction, branch, parent, commit, .. } => {
                let fact = CommitFact {
                    branch: branch.clone(),
                    parent: parent.clone(),
                    commit: commit.clone(),
                    is_done: false,
                };
                self.commits.insert(transaction.clone(), fact);
            }
            Event::Committed { transaction, commit, .. } => {
                let open = self.commits.get_mut(transaction).filter(|fact| fact.commit == *commit);
                if let Some(fact) = open {
                    fact.is_done = true;
                }
            }
            Event::ArchiveStarted { transaction, path, .. } => {
                let fact = ArchiveFact { path: path.clone(), manifest: None };
                self.archives.insert(transaction.clone(), fact);
            }
            Event::Archived { transaction, path, manifest, .. } => {
                let fact = ArchiveFact { path: path.clone(), manifest: Some(manifest.clone()) };
                self.archives.insert(transaction.clone(), fact);
            }
            _ => {}
        }
    }
}
