//! The protocol: prepare, exchange, sync, decide; back again; and what to do after a crash.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::participant::{Participant, Side};
use super::record::{Prepare, Record, RecordError, State, TransactionFile};
use crate::tree::copy::keeping_time;
use crate::world::{Disk, DiskError};

/// An exchange that did not go as it should.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The disk said no, and everything is as it was before.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The transaction's file could not be read or written, and everything is as it was before.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Something moved away what must be exchanged. Nothing more is touched until a person has looked.
    #[error("`{}` cannot be exchanged: {why}", .path.display())]
    Lost {
        /// The managed path.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The exchange was made and then could not be made durable. What holds is decided by the next start, from what is
    /// on the disk: a failed sync must not be tried again, because the kernel may have dropped what it could not write.
    #[error("the exchange could not be made durable: {0}")]
    Uncertain(String),
    /// There is nothing to take back.
    #[error("the transaction `{}` is not live", .0.display())]
    NotLive(PathBuf),
}

/// What an interrupted transaction was driven to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The cutover was interrupted: all old.
    TakenBack,
    /// The rollback was interrupted: it was finished. These participants are old.
    RolledBack(Vec<usize>),
}

/// One exchange of a project.
#[derive(Debug)]
pub struct Transaction<'a> {
    disk: &'a dyn Disk,
    root: &'a Path,
    file: TransactionFile,
}

impl<'a> Transaction<'a> {
    /// Makes the transaction's file, ahead of time, so that the cutover itself need not.
    pub fn create(
        disk: &'a dyn Disk,
        root: &'a Path,
        path: &Path,
        participants: usize,
    ) -> Result<Self, ExchangeError> {
        Ok(Self { disk, root, file: TransactionFile::create(disk, path, participants)? })
    }

    /// Opens the transaction at `path`; `None` when there is none, or it was killed while it was being made.
    pub fn open(disk: &'a dyn Disk, root: &'a Path, path: &Path) -> Result<Option<Self>, ExchangeError> {
        if disk.look(path)?.is_none() {
            return Ok(None);
        }
        Ok(TransactionFile::open(disk, path)?.map(|file| Self { disk, root, file }))
    }

    /// What its records add up to.
    pub fn state(&self) -> &State {
        self.file.state()
    }

    /// Makes the candidates live: all of them, or on an error none.
    pub fn cut_over(&mut self, prepare: Prepare) -> Result<(), ExchangeError> {
        for participant in &prepare.participants {
            self.must_be_old(participant)?;
        }
        let participants = prepare.participants.clone();
        self.file.append(self.disk, &Record::Prepare(prepare))?;
        if let Err(error) = self.commit_all(&participants) {
            self.take_back()?;
            return Err(error.into());
        }
        let decided = self.sync(&participants).map_err(RecordError::from);
        let decided = decided.and_then(|()| self.file.append(self.disk, &Record::Commit));
        decided.map_err(|error| ExchangeError::Uncertain(error.to_string()))
    }

    fn must_be_old(&self, participant: &Participant) -> Result<(), ExchangeError> {
        let lost = |why: String| ExchangeError::Lost { path: participant.live().to_owned(), why };
        match participant.identify(self.disk, self.root)? {
            Side::Old
                if !has_candidate(participant) || candidate_waits(participant, self.disk, self.root)? =>
            {
                Ok(())
            }
            Side::Old => Err(lost("its candidate is not the one that was staged".to_owned())),
            Side::New => Err(lost("it is not what was live when the candidate was staged".to_owned())),
            Side::Lost(why) => Err(lost(why)),
        }
    }

    fn commit_all(&self, participants: &[Participant]) -> Result<(), DiskError> {
        self.keeping_times(participants, || {
            participants.iter().try_for_each(|participant| participant.commit(self.disk, self.root))
        })
    }

    /// Does `work` without leaving a trace in the times of the directories that the participants stand in.
    fn keeping_times(
        &self,
        participants: &[Participant],
        work: impl FnOnce() -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        fn nested(
            disk: &dyn Disk,
            directories: &[PathBuf],
            work: Box<dyn FnOnce() -> Result<(), DiskError> + '_>,
        ) -> Result<(), DiskError> {
            match directories.split_first() {
                None => work(),
                Some((first, rest)) => keeping_time(disk, first, || nested(disk, rest, work)),
            }
        }
        nested(self.disk, &self.directories(participants), Box::new(work))
    }

    fn directories(&self, participants: &[Participant]) -> Vec<PathBuf> {
        let all: BTreeSet<PathBuf> =
            participants.iter().flat_map(|participant| participant.directories(self.root)).collect();
        all.into_iter().collect()
    }

    fn sync(&self, participants: &[Participant]) -> Result<(), DiskError> {
        let directories = self.directories(participants);
        directories.iter().try_for_each(|directory| self.disk.sync_directory(directory))
    }

    /// Drives the participants back to the old side, last one first.
    fn drive_to_old(&self, participants: &[&Participant]) -> Result<(), ExchangeError> {
        let owned: Vec<Participant> = participants.iter().map(|participant| (*participant).clone()).collect();
        let mut lost = None;
        self.keeping_times(&owned, || {
            for participant in owned.iter().rev() {
                let undo = || participant.undo(self.disk, self.root);
                // A passing failure must not leave half a rollback; undoing twice is undoing once.
                if let Side::Lost(why) = undo().or_else(|_| undo())? {
                    lost = Some(ExchangeError::Lost { path: participant.live().to_owned(), why });
                    return Ok(());
                }
            }
            Ok(())
        })?;
        if let Some(lost) = lost {
            return Err(lost);
        }
        self.sync(&owned).map_err(|error| ExchangeError::Uncertain(error.to_string()))
    }

    fn take_back(&mut self) -> Result<(), ExchangeError> {
        let State::Prepared(prepare) = self.file.state() else {
            return Err(ExchangeError::NotLive(self.file.path().to_owned()));
        };
        let prepare = prepare.clone();
        self.drive_to_old(&prepare.participants.iter().collect::<Vec<_>>())?;
        Ok(self.file.append(self.disk, &Record::Aborted)?)
    }

    /// Makes the old trees live again: all of them, or the participants at the positions `only`.
    ///
    /// Once its intent is on the disk, it is finished by whoever starts next.
    pub fn roll_back(&mut self, only: &[usize]) -> Result<(), ExchangeError> {
        let State::Committed(prepare, undone) = self.file.state() else {
            return Err(ExchangeError::NotLive(self.file.path().to_owned()));
        };
        for (at, participant) in prepare.participants.iter().enumerate() {
            let wanted = (only.is_empty() || only.contains(&at)) && !undone.contains(&at);
            if wanted && let Side::Lost(why) = participant.identify(self.disk, self.root)? {
                return Err(ExchangeError::Lost { path: participant.live().to_owned(), why });
            }
        }
        self.file.append(self.disk, &Record::Rollback { only: only.to_vec() })?;
        self.finish_roll_back()?;
        Ok(())
    }

    fn finish_roll_back(&mut self) -> Result<Vec<usize>, ExchangeError> {
        let State::RollingBack(prepare, wanted, _) = self.file.state() else {
            return Err(ExchangeError::NotLive(self.file.path().to_owned()));
        };
        let (prepare, wanted) = (prepare.clone(), wanted.clone());
        let participants: Vec<&Participant> =
            wanted.iter().filter_map(|at| prepare.participants.get(*at)).collect();
        self.drive_to_old(&participants)?;
        self.file
            .append(self.disk, &Record::RolledBack)
            .map_err(|error| ExchangeError::Uncertain(error.to_string()))?;
        Ok(wanted)
    }

    /// Ends what was interrupted; `None` when nothing was. Doing it twice is doing it once.
    pub fn recover(&mut self) -> Result<Option<Outcome>, ExchangeError> {
        match self.file.state().clone() {
            State::Empty | State::Aborted(_) | State::RolledBack(_) => Ok(None),
            State::Prepared(_) => self.take_back().map(|()| Some(Outcome::TakenBack)),
            State::RollingBack(..) => self.finish_roll_back().map(|wanted| Some(Outcome::RolledBack(wanted))),
            State::Committed(prepare, undone) => {
                // Heals a file system that lost an exchange whose decision it kept.
                for (at, participant) in prepare.participants.iter().enumerate() {
                    let is_old = || participant.identify(self.disk, self.root).map(|side| side == Side::Old);
                    if !undone.contains(&at)
                        && candidate_waits(participant, self.disk, self.root)?
                        && is_old()?
                    {
                        participant.commit(self.disk, self.root)?;
                        self.sync(std::slice::from_ref(participant))?;
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Whether a candidate must stand beside the path until the exchange.
fn has_candidate(participant: &Participant) -> bool {
    matches!(participant, Participant::Path { new: Some(_), .. })
}

/// Whether the candidate still stands beside its path, as it does before the exchange.
fn candidate_waits(participant: &Participant, disk: &dyn Disk, root: &Path) -> Result<bool, DiskError> {
    match participant {
        Participant::Path { beside, new: Some(new), .. } => {
            Ok(super::participant::inode(disk, &root.join(beside))? == Some(*new))
        }
        // A removal leaves no candidate, and a later phase may have set the pointer: neither is healed by guessing.
        Participant::Path { new: None, .. } | Participant::Pointer { .. } => Ok(false),
    }
}

/// Ends every interrupted transaction in the folder `transactions`: its name and what it was driven to.
pub fn recover(
    disk: &dyn Disk,
    root: &Path,
    transactions: &Path,
) -> Result<Vec<(String, Outcome)>, ExchangeError> {
    let mut recovered = Vec::new();
    if disk.look(transactions)?.is_none() {
        return Ok(recovered);
    }
    let mut names = disk.list(transactions)?;
    names.sort();
    for name in names {
        let Some(mut transaction) = Transaction::open(disk, root, &transactions.join(&name))? else {
            continue;
        };
        if let Some(outcome) = transaction.recover()? {
            recovered.push((name.to_string_lossy().into_owned(), outcome));
        }
    }
    Ok(recovered)
}
