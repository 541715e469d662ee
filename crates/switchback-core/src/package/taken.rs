//! Which package stands where a phase takes its candidate from, and which one a candidate was built of, by the journal.

use std::path::{Path, PathBuf};

use super::certified::Certificate;
use super::{CERTIFICATE, unusable};
use crate::certificate::verify::CERTIFICATE_BYTES_MAX;
use crate::database::clean;
use crate::journal::Event;
use crate::journal::fact::{ReceivedFact, StagedFact};
use crate::manifest::to_hex;
use crate::phase::{StepError, Work};
use crate::plan::{ChangePlan, Phase};
use crate::world::FileKind;

/// A package that was received, and from which a phase took its candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// What it is called.
    pub(super) name: String,
    /// Its number.
    pub(super) sequence: u64,
    /// The hash of its manifest.
    pub(super) manifest: String,
    /// The hash of the file.
    pub(super) archive: String,
    /// Where it was put, relative to the project.
    pub(super) path: PathBuf,
    /// Whether that file is there, and still the same.
    pub(super) is_there: bool,
}

/// The package that was received last at a path, as a plan names it; `None`: none was.
pub(crate) fn arrived<'r>(received: &'r [ReceivedFact], root: &Path, from: &str) -> Option<&'r ReceivedFact> {
    received.iter().rev().find(|fact| is_one_place(root, from, &fact.path))
}

/// Whether two paths, each relative to the root or absolute, are one.
fn is_one_place(root: &Path, one: &str, other: &str) -> bool {
    clean(&root.join(one)) == clean(&root.join(other))
}

/// The changes of the plan that take their candidate from the archive at a path, each with its phase.
pub(super) fn takers<'w>(
    work: &'w Work<'_>,
    place: &Path,
) -> impl Iterator<Item = (&'w Phase, &'w ChangePlan)> {
    let changes =
        work.plan().phases.iter().flat_map(|phase| phase.changes.iter().map(move |change| (phase, change)));
    let place = place.to_string_lossy().into_owned();
    let root = &work.project.root;
    changes.filter(move |(_, change)| {
        change.change.archive().is_some_and(|from| is_one_place(root, from, &place))
    })
}

/// The packages that a phase is built of now: the hash of each file.
pub(crate) fn packages(work: &Work<'_>, phase: &Phase) -> Vec<String> {
    facts(work, phase).into_iter().map(|fact| fact.archive).collect()
}

fn facts(work: &Work<'_>, phase: &Phase) -> Vec<ReceivedFact> {
    let history = work.history();
    let archives = phase.changes.iter().filter_map(|change| change.change.archive());
    let facts = archives.filter_map(|from| arrived(&history.received, &work.project.root, from));
    let mut found: Vec<ReceivedFact> = Vec::new();
    for fact in facts {
        if !found.iter().any(|known| known.archive == fact.archive) {
            found.push(fact.clone());
        }
    }
    found
}

/// Why a candidate is not of the packages that stand for it now; `None`: it is.
pub(crate) fn other_packages(work: &Work<'_>, phase: &Phase, staged: &StagedFact) -> Option<String> {
    if !staged.has_origin {
        // Nobody wrote it down; before a cutover the other version alone makes all evidence void.
        return None;
    }
    let other = facts(work, phase).into_iter().find(|fact| !staged.packages.contains(&fact.archive))?;
    let (package, sequence, time) = (&other.package, other.sequence, &other.time);
    Some(format!(
        "the candidate was not built of the package {package} {sequence}, which was received at {time}"
    ))
}

/// The package that a candidate was built of; `None`: it came in another way, or nobody wrote that down.
pub(super) fn taken(work: &Work<'_>, staged: &StagedFact) -> Result<Option<Taken>, StepError> {
    let history = work.history();
    let used = if staged.has_origin { staged.packages.clone() } else { packages_before(work, staged)? };
    let is_it = |fact: &&ReceivedFact| used.contains(&fact.archive);
    let Some(fact) = history.received.iter().rev().find(is_it) else { return Ok(None) };
    let file = work.project.root.join(&fact.path);
    let disk = work.world().disk.as_ref();
    let is_file = disk.look(&file)?.is_some_and(|meta| meta.kind == FileKind::File);
    Ok(Some(Taken {
        name: fact.package.clone(),
        sequence: fact.sequence,
        manifest: fact.manifest.clone(),
        archive: fact.archive.clone(),
        path: PathBuf::from(&fact.path),
        is_there: is_file && to_hex(&disk.hash(&file)?) == fact.archive,
    }))
}

/// The package that stood at the place of the phase's archive when a version that wrote no origin down began to stage.
fn packages_before(work: &Work<'_>, staged: &StagedFact) -> Result<Vec<String>, StepError> {
    let name = work.history().of_transaction(&staged.transaction).map(|phase| phase.name.clone());
    let Some(phase) = name.and_then(|name| work.plan().phase(&name)) else { return Ok(Vec::new()) };
    let archives: Vec<&str> = phase.changes.iter().filter_map(|change| change.change.archive()).collect();
    let records = work.records()?;
    let is_stage = |event: &Event| matches!(event, Event::StageStarted { transaction, .. } if *transaction == staged.transaction);
    let begun = records.iter().rposition(|record| is_stage(&record.event)).unwrap_or(0);
    let root = &work.project.root;
    let package = records[..begun].iter().rev().find_map(|record| match &record.event {
        Event::Received { archive, path, .. } => {
            archives.iter().any(|from| is_one_place(root, from, path)).then(|| archive.clone())
        }
        _ => None,
    });
    Ok(package.into_iter().collect())
}

/// The certificate in a package; `None` where it has none, or is not there any more.
pub(super) fn certificate_in(work: &Work<'_>, taken: &Taken) -> Result<Option<Certificate>, StepError> {
    if !taken.is_there {
        return Ok(None);
    }
    let file = work.project.root.join(&taken.path);
    let mut reader = work.world().disk.open_seekable(&file)?;
    let front = switchback_package::open(&mut reader).map_err(|error| unusable(&file, error))?;
    let found = switchback_package::content(&mut reader, &front, CERTIFICATE, CERTIFICATE_BYTES_MAX)
        .map_err(|error| unusable(&file, error))?;
    let name = format!("the certificate in the package {} {}", taken.name, taken.sequence);
    Ok(found.map(|content| Certificate { name, content }))
}
