//! The step *cut over*: the candidate becomes live, and right after it the old tree is looked at for late writers.

use std::path::{Path, PathBuf};

use super::environment;
use super::error::StepError;
use super::gate::{Gate, load_manifest, load_seal};
use super::layout;
use super::project::Work;
use super::seal::{Sealed, named_manifest};
use super::stage::named;
use super::witness::Notice;
use super::writers::writers;
use crate::journal::Event;
use crate::journal::history::StagedFact;
use crate::manifest::to_hex;
use crate::plan::{Managed, Mechanism, Phase, STATE_FOLDER};
use crate::tree::ScanError;
use crate::tree::exchange::participant::{Inode, inode, link_target};
use crate::tree::exchange::{ExchangeError, Participant, Prepare, State, Transaction, Way, aside};
use crate::world::{Disk, FileKind};

/// Makes the staged candidate of a phase live.
pub fn cut_over(work: &Work<'_>, phase: &Phase, gate: &Gate) -> Result<(), StepError> {
    let started = work.world().clock.monotonic();
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let Some(staged) = work.history().phase(&phase.name).and_then(|history| history.staged.clone()) else {
        return Err(StepError::not_now("nothing is staged", "`switchback run` stages the candidate"));
    };
    let file = work.project.transactions().join(&staged.transaction);
    let mut transaction =
        Transaction::open(disk, root, &file)?.ok_or_else(|| ExchangeError::NotLive(file.clone()))?;
    let generation = work.history().generations + 1;
    let prepare = Prepare {
        phase: phase.name.clone(),
        generation,
        plan: to_hex(&work.plan().hash),
        participants: participants(disk, root, &work.plan().project.managed, &staged)?,
        takes_back: None,
    };
    look_at_copies(work, &staged, &prepare.participants)?;
    let writers = writers(work, &prepare.participants);
    if !writers.is_empty() {
        return Err(StepError::not_now(
            format!(
                "what is live is replaced file by file, and what they write would be lost: {}",
                writers.join(", ")
            ),
            "stop them, or let the plan stop and start them (`[[process]]`), then `switchback run`",
        ));
    }
    let name = || phase.name.clone();
    work.record(Event::CutOverStarted {
        phase: name(),
        transaction: staged.transaction.clone(),
        unseen: gate.unseen.clone(),
    })?;
    if let Err(error) = transaction.cut_over(prepare) {
        if !matches!(error, ExchangeError::Uncertain(_)) && !matches!(transaction.state(), State::Prepared(_))
        {
            let why = work.redactor.clean(&error.to_string());
            work.record(Event::CutOverUndone { phase: name(), transaction: staged.transaction, why })?;
        }
        return Err(error.into());
    }
    work.witness.notice(Notice::Acknowledged {
        phase: name(),
        what: format!("generation {generation} is live"),
        milliseconds: work.world().clock.monotonic().saturating_sub(started).as_secs_f64() * 1_000.0,
    });
    let unseen = gate.unseen.len();
    work.record(Event::CutOver { phase: name(), transaction: staged.transaction, generation })?;
    if unseen > 0 {
        work.began(
            &phase.name,
            format!("second look at what the first one had no time for ({unseen} of the paths)"),
        );
    }
    Ok(())
}

/// File by file, what a rollback would restore is a copy: it must still be what is live.
fn look_at_copies(
    work: &Work<'_>,
    staged: &StagedFact,
    participants: &[Participant],
) -> Result<(), StepError> {
    let root = work.project.root.as_path();
    let copies: Vec<(&PathBuf, &PathBuf)> = participants
        .iter()
        .filter_map(|participant| match participant {
            Participant::Path { live, beside, old: Some(_), way: Way::FileByFile, .. } => {
                Some((live, beside))
            }
            Participant::Path { .. } | Participant::Pointer { .. } => None,
        })
        .collect();
    if copies.is_empty() {
        return Ok(());
    }
    let old = load_manifest(work, &staged.old_tree)?;
    for (live, beside) in copies {
        let then = old.below(live);
        let now = named_manifest(work.world(), &root.join(aside(beside)), live)?;
        if then != now {
            return Err(StepError::not_now(
                format!("the copy of what is live was changed: {}", named((&then, &now))),
                "`switchback run --restage` makes it again",
            ));
        }
    }
    Ok(())
}

/// What takes part in the project at `root`, in order: first the pointer, then the paths, then the environments.
pub(super) fn participants(
    disk: &dyn Disk,
    root: &Path,
    managed: &[Managed],
    staged: &StagedFact,
) -> Result<Vec<Participant>, StepError> {
    let paths = staged.paths.iter().filter(|path| !staged.is_environment(Path::new(path)));
    let paths: Vec<String> = paths.cloned().collect();
    let (transaction, mechanism) = (staged.transaction.as_str(), staged.mechanism.as_str());
    let mut participants = managed_participants(disk, root, managed, transaction, mechanism, &paths)?;
    participants.extend(environment::participants(disk, root, staged)?);
    Ok(participants)
}

/// Those of the managed paths.
pub(super) fn managed_participants(
    disk: &dyn Disk,
    root: &Path,
    managed: &[Managed],
    transaction: &str,
    mechanism: &str,
    paths: &[String],
) -> Result<Vec<Participant>, StepError> {
    let way = Mechanism::from_word(mechanism).map_or(Way::Exchange, Mechanism::way);
    let path_participant = |path: &Path| -> Result<Participant, StepError> {
        let beside = layout::beside(path, transaction);
        let there = inode(disk, &root.join(path))?;
        let old = match there {
            // The path itself stays: what is parked is its copy.
            Some(_) if way == Way::FileByFile => Some(parked_copy(disk, root, &beside)?),
            there => there,
        };
        Ok(Participant::Path {
            live: path.to_owned(),
            old,
            new: inode(disk, &root.join(&beside))?,
            kept: layout::kept_old(transaction, path),
            beside,
            way,
        })
    };
    if mechanism != Mechanism::Pointer.word() {
        return paths.iter().map(|path| path_participant(Path::new(path))).collect();
    }
    let mut participants = vec![Participant::Pointer {
        link: layout::pointer(),
        old: link_target(disk, &root.join(layout::pointer()))?,
        new: layout::pointer_target(transaction),
    }];
    for managed in managed {
        let path = &managed.path;
        let has_candidate = disk.look(&root.join(layout::pointed_tree(transaction)).join(path))?.is_some();
        let is_pointed = layout::is_pointed(disk, root, path)?;
        let is_there = disk.look(&root.join(path))?.is_some();
        if has_candidate && !is_pointed {
            put_link(disk, root, path, transaction)?;
            participants.push(path_participant(path)?);
        } else if !has_candidate && is_there {
            participants.push(path_participant(path)?);
        }
    }
    Ok(participants)
}

/// The copy of the old tree that stands aside until a cutover file by file.
fn parked_copy(disk: &dyn Disk, root: &Path, beside: &Path) -> Result<Inode, StepError> {
    let place = aside(beside);
    inode(disk, &root.join(&place))?.ok_or_else(|| {
        StepError::not_now(
            format!("the copy of what is live is gone: `{}`", place.display()),
            "`switchback run --restage` makes it again",
        )
    })
}

/// Puts the link that will stand at a managed path beside it.
fn put_link(disk: &dyn Disk, root: &Path, path: &Path, transaction: &str) -> Result<(), StepError> {
    let beside = root.join(layout::beside(path, transaction));
    if disk.look(&beside)?.is_none() {
        let parent = beside.parent().unwrap_or(root).to_owned();
        crate::tree::copy::keeping_time(disk, &parent, || {
            disk.make_symlink(&layout::pointer_link(path), &beside)
        })?;
    }
    Ok(())
}

/// The tree that the pointer led to before a transaction: what its managed paths held then.
pub fn pointed_before(disk: &dyn Disk, root: &Path, file: &Path) -> Result<Option<PathBuf>, StepError> {
    let Some(transaction) = Transaction::open(disk, root, file)? else { return Ok(None) };
    let prepare = match transaction.state() {
        State::Prepared(prepare)
        | State::Committed(prepare, _)
        | State::RollingBack(prepare, _, _)
        | State::RolledBack(prepare)
        | State::Aborted(prepare) => prepare,
        State::Empty => return Ok(None),
    };
    Ok(prepare.participants.iter().find_map(|participant| match participant {
        Participant::Pointer { old: Some(old), .. } => Some(root.join(STATE_FOLDER).join(old)),
        Participant::Pointer { old: None, .. } | Participant::Path { .. } => None,
    }))
}

/// Looks at the parked old tree once more: what was written into it after it was sealed, by whoever still had it open,
/// would be lost in the new one. Returns what drifted, in words.
pub fn late_drift(work: &Work<'_>, phase: &Phase, unseen: &[String]) -> Result<Vec<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let Some(staged) = work.history().phase(&phase.name).and_then(|history| history.staged.clone()) else {
        return Ok(Vec::new());
    };
    let seal = load_seal(work, &staged)?;
    let file = work.project.transactions().join(&staged.transaction);
    let pointed = pointed_before(disk, root, &file)?;
    let is_unseen = |path: &Path| unseen.iter().any(|unseen| Path::new(unseen) == path);
    let mut drift = Vec::new();
    for (path, sealed) in &seal.paths {
        let parked = parked_tree(disk, root, pointed.as_deref(), path, &staged.transaction)?;
        drift.extend(drifted(work, &parked, path, sealed.old.as_ref(), &staged.old_tree)?);
        if is_unseen(path) {
            let base = layout::live_base(disk, root, &work.plan().project.managed)?;
            drift.extend(drifted(work, &base.join(path), path, sealed.new.as_ref(), &staged.new_tree)?);
        }
    }
    // What the candidate leaves alone is where the new program works now, as what was exchanged in is: only what nobody looked at
    // before the exchange is looked at after it.
    for (path, sealed) in seal.kept.iter().filter(|(path, _)| is_unseen(path)) {
        let content = unmoved(disk, root, path)?;
        drift.extend(drifted(work, &content, path, sealed.as_ref(), &staged.new_tree)?);
    }
    Ok(drift)
}

/// Where the content is of a managed path that was not exchanged: where it was before. That may be through the pointer, which
/// other paths were taken out of.
fn unmoved(disk: &dyn Disk, root: &Path, path: &Path) -> Result<PathBuf, StepError> {
    if layout::is_pointed(disk, root, path)?
        && let Some(target) = link_target(disk, &root.join(layout::pointer()))?
    {
        return Ok(root.join(STATE_FOLDER).join(target).join(path));
    }
    Ok(root.join(path))
}

/// Where the content is that a managed path had before a transaction: beside it, unless what was parked there is only
/// the link that led to it through the pointer, or was put away already: the journal may have lost that its phase was finished.
fn parked_tree(
    disk: &dyn Disk,
    root: &Path,
    pointed: Option<&Path>,
    path: &Path,
    transaction: &str,
) -> Result<PathBuf, StepError> {
    let beside = root.join(layout::beside(path, transaction));
    let Some(pointed) = pointed else {
        let kept = root.join(layout::kept_old(transaction, path));
        let is_put_away = disk.look(&beside)?.is_none() && disk.look(&kept)?.is_some();
        return Ok(if is_put_away { kept } else { beside });
    };
    let is_tree = match disk.look(&beside)? {
        None => false,
        Some(meta) if meta.kind == FileKind::Symlink => {
            disk.read_link(&beside)? != layout::pointer_link(path)
        }
        Some(_) => true,
    };
    Ok(if is_tree { beside } else { pointed.join(path) })
}

/// What is different between a tree that was moved by the exchange and what it was when it was sealed, in words.
fn drifted(
    work: &Work<'_>,
    content: &Path,
    path: &Path,
    sealed: Option<&Sealed>,
    manifest_hash: &str,
) -> Result<Option<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let survey = match disk.look(content)? {
        Some(_) => disk.survey(content, None)?.map(Sealed::from),
        None => None,
    };
    let moved = |sealed: &Sealed| sealed.digest_moved.clone();
    if survey.as_ref().map(moved) == sealed.map(moved) {
        return Ok(None);
    }
    let then = load_manifest(work, manifest_hash)?.below(path);
    let now = match named_manifest(work.world(), content, path) {
        Ok(now) => now,
        // It is being written to at this very moment: that is what is looked for.
        Err(StepError::Scan(ScanError::Changed { path })) => {
            return Ok(Some(format!("`{}` (being written to)", path.display())));
        }
        Err(error) => return Err(error),
    };
    Ok((then != now).then(|| named((&then, &now))))
}
