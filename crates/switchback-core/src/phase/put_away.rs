//! What follows the acknowledgement of a rollback: what was live is kept, and what was changed in it is named.

use std::path::{Path, PathBuf};

use super::error::StepError;
use super::gate::load_manifest;
use super::layout;
use super::mechanism::drop_aside;
use super::part_records;
use super::project::Work;
use super::seal::named_manifest;
use super::witness::Notice;
use crate::journal::{Event, PhaseState};
use crate::manifest::What;
use crate::tree::copy::{keeping_time, make_directories};
use crate::tree::exchange::{Participant, Side, State, Transaction};

/// What follows the acknowledgement of a rollback: the tree that was live is put away, what was changed in it is named,
/// and the journal is told. Doing it twice is doing it once.
pub(super) fn settle(work: &Work<'_>, id: &str, restored: Vec<String>) -> Result<Vec<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let root = work.project.root.as_path();
    let file = work.project.transactions().join(id);
    let Some(transaction) = Transaction::open(disk, root, &file)? else { return Ok(Vec::new()) };
    let (prepare, whole) = match transaction.state() {
        State::RolledBack(prepare) => (prepare.clone(), true),
        State::Committed(prepare, _) => (prepare.clone(), false),
        State::Empty | State::Prepared(_) | State::RollingBack(..) | State::Aborted(_) => {
            return Ok(Vec::new());
        }
    };
    part_records::overtaken(work, id)?;
    let mut kept_aside = Vec::new();
    for participant in &prepare.participants {
        let Participant::Path { live, beside, .. } = participant else { continue };
        if !restored.iter().any(|path| Path::new(path) == live) {
            continue;
        }
        if participant.identify(disk, root)? != Side::Old && disk.look(&root.join(live))?.is_some() {
            continue;
        }
        let kept = layout::kept_new(id, live);
        put_away_parked(work, beside, &kept)?;
        kept_aside.extend(changed_since_staged(work, id, live, &kept));
    }
    let state = work.history().of_transaction(id).map(|phase| phase.state);
    if work.has_journal() && state == Some(PhaseState::RollingBack) {
        work.record(Event::RolledBack {
            phase: prepare.phase.clone(),
            transaction: id.to_owned(),
            whole,
            restored,
            kept_aside: kept_aside.clone(),
        })?;
    }
    Ok(kept_aside)
}

/// Puts away what stands beside a path, both places relative to the root, with what stands aside of it.
pub(super) fn put_away_parked(work: &Work<'_>, beside: &Path, kept: &Path) -> Result<(), StepError> {
    let root = work.project.root.as_path();
    put_away(work, &root.join(beside), &root.join(kept))?;
    Ok(drop_aside(work.world().disk.as_ref(), &root.join(beside))?)
}

/// Renames a parked tree to its place among the generations; nothing when it is there already.
pub(super) fn put_away(work: &Work<'_>, from: &Path, to: &Path) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    if disk.look(from)?.is_none() {
        return Ok(());
    }
    let mut to = to.to_owned();
    let mut number = 1;
    while disk.look(&to)?.is_some() {
        // The same path was put away before, by an earlier rollback of the same transaction.
        number += 1;
        let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        to = to.with_file_name(format!("{name}.{number}"));
    }
    let (from_folder, to_folder) = (parent(from), parent(&to));
    make_directories(disk, &work.project.root, &to_folder)?;
    keeping_time(disk, &from_folder, || disk.rename(from, &to))?;
    for folder in to_folder.ancestors().take_while(|folder| folder.starts_with(work.project.state())) {
        disk.sync_directory(folder)?;
    }
    Ok(disk.sync_directory(&from_folder)?)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

/// What is in the kept tree and was not in the candidate: written since it went live.
pub(super) fn changed_since_staged(
    work: &Work<'_>,
    transaction: &str,
    live: &Path,
    kept: &Path,
) -> Vec<String> {
    let staged = work.history().of_transaction(transaction).and_then(|history| history.staged.clone());
    let all_of_it = || {
        let what = format!(
            "what was changed in `{}` since it went live cannot be told: all of it is kept aside",
            live.display()
        );
        work.witness.notice(Notice::Warning(what));
        vec![kept.to_string_lossy().into_owned()]
    };
    let Some(staged) = staged else { return all_of_it() };
    if staged.is_environment(live) {
        // It writes bytecode by itself, and is kept as a whole.
        return Vec::new();
    }
    let then = match load_manifest(work, &staged.new_tree) {
        Ok(manifest) => manifest.below(live),
        // Without the manifest nobody can say what changed: then all of it is named.
        Err(_) => return all_of_it(),
    };
    // Whoever had it open may write on: then nobody can say what changed, and all of it is named.
    let Ok(now) = named_manifest(work.world(), &work.project.root.join(kept), live) else {
        return all_of_it();
    };
    let changed = then.differences(&now).into_iter().filter(|difference| {
        let is_folder =
            now.get(&difference.path).is_some_and(|entry| entry.kind == crate::manifest::Kind::Directory);
        // A folder's time changes with every file in it, which is named itself.
        difference.what != What::Removed && !(is_folder && difference.what == What::Time)
    });
    let path_of = |path: &Path| {
        let inside = path.strip_prefix(live).unwrap_or(path);
        if inside.as_os_str().is_empty() { kept.to_owned() } else { kept.join(inside) }
    };
    changed.map(|difference| path_of(&difference.path).to_string_lossy().into_owned()).collect()
}
