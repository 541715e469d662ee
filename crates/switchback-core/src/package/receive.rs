//! Receiving a package: verified, compared with what was received before, looked at, and put where a phase takes its candidate from.
//! Nothing of it goes live by that: the decision is an approval, and the cycle of the phase does the rest.

use std::path::{Path, PathBuf};

use switchback_package::{Front, Manifest};

use super::create::{Unfinished, name_of};
use super::review::{Review, review};
use super::taken::takers;
use super::unpacked::{left_behind, would_stay};
use super::unusable;
use super::verify::{Look, verify};
use crate::change::from_root;
use crate::journal::Event;
use crate::journal::fact::ReceivedFact;
use crate::manifest::to_hex;
use crate::phase::{StepError, Work};
use crate::plan::STATE_FOLDER;
use crate::signature::PublicKey;
use crate::tree::copy::make_directories;
use crate::verdict::Verdict;
use crate::world::FileKind;

/// Which package, and where it goes.
#[derive(Debug, Clone)]
pub struct ReceiveOptions {
    /// The package, absolute.
    pub file: PathBuf,
    /// The keys that count.
    pub keys: Vec<PublicKey>,
    /// The phase that takes it; `None`: the one that takes its candidate from such an archive.
    pub phase: Option<String>,
    /// Where it goes, relative to the project; `None`: where the phase takes its candidate from.
    pub into: Option<PathBuf>,
    /// Whether one is taken that may not go, by its own report.
    pub draft: bool,
}

/// A package that stands where a phase takes its candidate from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where it is, relative to the project.
    pub path: PathBuf,
    /// What there is to know before the decision.
    pub review: Review,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// *yes*: it was received.
    pub verdict: Verdict,
    /// What the package is.
    pub look: Look,
    /// Every reason why it was not received.
    pub reasons: Vec<String>,
    /// Where it stands, with what there is to know; also where it was received before and stands there still.
    pub received: Option<Received>,
}

/// Receives a package.
///
/// # Errors
///
/// When it cannot be read, or has no place to go to.
pub fn receive(work: &Work<'_>, options: &ReceiveOptions) -> Result<Receipt, StepError> {
    let disk = work.world().disk.as_ref();
    let form = {
        let mut reader = disk.open_seekable(&options.file)?;
        let front = switchback_package::open(&mut reader).map_err(|error| unusable(&options.file, error))?;
        front.manifest.form
    };
    let inside = place(work, options, form.word())?;
    let path = work.project.root.join(&inside);
    let folder = path.parent().unwrap_or(&work.project.root);
    make_directories(disk, &work.project.root, folder)?;
    // What is verified is the copy that stays: nobody can exchange the file in between.
    let unfinished = Unfinished::write(work.world(), &path, &mut disk.open(&options.file)?)?;
    let mut reader = disk.open_seekable(unfinished.path())?;
    let signatures = work.project.ports.signatures.as_ref();
    let look =
        verify(&mut reader, &options.keys, signatures).map_err(|error| unusable(&options.file, error))?;
    let mut refusals = Refusals { reasons: look.faults.clone(), is_in_place: false };
    if look.verdict == Verdict::Unknown {
        refusals.reasons.extend(look.not_verified.first().cloned());
    }
    if look.verdict == Verdict::Yes {
        refusals = Refusals::of(work, options, &look, &inside)?;
    }
    let Refusals { reasons, is_in_place } = refusals;
    if !reasons.is_empty() && !is_in_place {
        let verdict = if look.verdict == Verdict::Unknown { Verdict::Unknown } else { Verdict::No };
        return Ok(Receipt { verdict, look, reasons, received: None });
    }
    let front = switchback_package::open(&mut reader).map_err(|error| unusable(&options.file, error))?;
    // Whoever asks again is shown what the first one was shown.
    let review = review(work, &mut reader, &front, (&options.file, &inside))?;
    let verdict = if is_in_place { Verdict::No } else { Verdict::Yes };
    if verdict == Verdict::Yes {
        take(work, &look, &front, unfinished, &inside)?;
    }
    let received = Some(Received { path: inside, review });
    Ok(Receipt { verdict, look, reasons, received })
}

/// Writes down that it was received, and puts it there.
fn take(
    work: &Work<'_>,
    look: &Look,
    front: &Front,
    unfinished: Unfinished<'_>,
    inside: &Path,
) -> Result<(), StepError> {
    let archive = unfinished.hash()?;
    work.record(Event::Received {
        package: front.manifest.name.clone(),
        sequence: front.manifest.sequence,
        manifest: look.hash.clone(),
        archive,
        path: inside.to_string_lossy().into_owned(),
        key: look.key.as_ref().map(|key| key.text().to_owned()).unwrap_or_default(),
    })?;
    Ok(unfinished.publish_over(&work.project.root.join(inside))?)
}

/// Everything that speaks against a package.
struct Refusals {
    reasons: Vec<String>,
    /// Whether it was received before, and stands at its place.
    is_in_place: bool,
}

impl Refusals {
    /// What speaks against a package that is whole and signed, and is to stand at a path of the project.
    fn of(work: &Work<'_>, options: &ReceiveOptions, look: &Look, inside: &Path) -> Result<Self, StepError> {
        let (plan, manifest) = (work.plan(), &look.manifest);
        let mut reasons = Vec::new();
        let expected = plan.package.name.clone().unwrap_or_else(|| name_of(&plan.project.name));
        if manifest.name != expected {
            reasons.push(format!("it is a package `{}`, and this project takes `{expected}`", manifest.name));
        }
        if manifest.ready != Verdict::Yes.word() && !options.draft {
            let says = if manifest.ready == Verdict::No.word() {
                "says that it may not go"
            } else {
                "could not tell whether it may go"
            };
            reasons.push(format!("its readiness report {says}; `--draft` takes it all the same"));
        }
        reasons.extend(unmanaged(work, manifest, inside));
        let path = work.project.root.join(inside);
        let mut refusals = Self { reasons, is_in_place: false };
        refusals.again(work, look, &path)?;
        if let Some(meta) = work.world().disk.look(&path)? {
            let is_package = meta.kind == FileKind::File && {
                let mut reader = work.world().disk.open_seekable(&path)?;
                switchback_package::open(&mut reader).is_ok()
            };
            if !is_package {
                let path = path.display();
                refusals
                    .reasons
                    .push(format!("`{path}` is there, and is no package: nothing is written over"));
            }
        }
        Ok(refusals)
    }

    /// A package that was received before, or is older than one that was.
    fn again(&mut self, work: &Work<'_>, look: &Look, path: &Path) -> Result<(), StepError> {
        let manifest = &look.manifest;
        let history = work.history();
        let of_name = || history.received.iter().filter(|fact| fact.package == manifest.name);
        let Some(highest) = of_name().max_by_key(|fact| fact.sequence) else { return Ok(()) };
        let sequence = manifest.sequence;
        if sequence > highest.sequence {
            return Ok(());
        }
        if sequence < highest.sequence {
            self.reasons.push(format!(
                "it is number {sequence}, and number {} was received at {}: it is older",
                highest.sequence, highest.time
            ));
            return Ok(());
        }
        let is_it = |fact: &&ReceivedFact| fact.sequence == sequence && fact.manifest == look.hash;
        let Some(fact) = of_name().rfind(is_it) else {
            let time = &highest.time;
            self.reasons.push(format!("another package of the number {sequence} was received at {time}"));
            return Ok(());
        };
        let disk = work.world().disk.as_ref();
        let kind = disk.look(path)?.map(|meta| meta.kind);
        self.is_in_place = kind == Some(FileKind::File) && to_hex(&disk.hash(path)?) == fact.archive;
        let before = format!("it was received before, at {}", fact.time);
        if self.is_in_place {
            self.reasons.push(before);
        } else if is_used(work, fact)? {
            let there = if kind.is_none() { "gone" } else { "another one" };
            self.reasons.push(format!("{before}, and a candidate was made of it; its file is {there}"));
        }
        // A process that was killed after it wrote that down, and before the file stood there, goes on: whatever stands there is not it.
        Ok(())
    }
}

/// Why a package is not taken that brings what is not managed here: a change that does not say what it takes would leave that behind
/// without a word.
fn unmanaged(work: &Work<'_>, manifest: &Manifest, inside: &Path) -> Vec<String> {
    let managed: Vec<&Path> =
        work.plan().project.managed.iter().map(|managed| managed.path.as_path()).collect();
    let takes_all = takers(work, inside).any(|(_, change)| change.change.paths().is_none());
    let brought = if takes_all { left_behind(manifest, &managed) } else { Vec::new() };
    brought.iter().map(|brought| would_stay(brought)).collect()
}

/// Whether a candidate was built of a package.
fn is_used(work: &Work<'_>, fact: &ReceivedFact) -> Result<bool, StepError> {
    let records = work.records()?;
    let is_it = |event: &Event| matches!(event, Event::Received { archive, .. } if *archive == fact.archive);
    let received = records.iter().position(|record| is_it(&record.event));
    let since = received.map_or(&[][..], |at| &records[at..]);
    let takes = |name: &str| takers(work, Path::new(&fact.path)).any(|(phase, _)| phase.name == name);
    Ok(since.iter().any(|record| match &record.event {
        // Whoever wrote down no package may have used one all the same: older programs did not.
        Event::Staged { packages, phase, .. } if packages.is_empty() => takes(phase),
        Event::Staged { packages, .. } => packages.contains(&fact.archive),
        _ => false,
    }))
}

/// Where it goes, relative to the project.
fn place(work: &Work<'_>, options: &ReceiveOptions, ending: &str) -> Result<PathBuf, StepError> {
    let plan = work.plan();
    if let Some(name) = &options.phase
        && plan.phase(name).is_none()
    {
        return Err(StepError::NoPhase(name.clone()));
    }
    let root = &work.project.root;
    let inside = if let Some(into) = &options.into {
        into.clone()
    } else {
        let phases =
            plan.phases.iter().filter(|phase| options.phase.as_ref().is_none_or(|name| *name == phase.name));
        let archives =
            phases.flat_map(|phase| phase.changes.iter().filter_map(|change| change.change.archive()));
        let mut places: Vec<PathBuf> =
            archives.filter(|from| from.ends_with(&format!(".{ending}"))).map(PathBuf::from).collect();
        places.sort();
        places.dedup();
        match places.as_slice() {
            [place] => place.clone(),
            [] => {
                let what = format!("no phase of the plan takes its candidate from an archive `….{ending}`");
                let hint = format!(
                    "let one do: `kind = \"files\"`, `from = \"incoming/change.{ending}\"` in `[[phase.change]]`; or name a place with `--into`"
                );
                return Err(StepError::not_now(what, hint));
            }
            _ => {
                let what = "several phases of the plan take their candidates from archives";
                return Err(StepError::not_now(what, "name one with `--phase`, or the place with `--into`"));
            }
        }
    };
    let whole: PathBuf = from_root(root, &inside.to_string_lossy()).components().collect();
    let refused = |why: &str| {
        let what = format!("a package cannot be put to `{}`: {why}", inside.display());
        Err(StepError::not_now(
            what,
            "name a path of the project that is not managed, e.g. `incoming/change.zip`",
        ))
    };
    let Ok(relative) = whole.strip_prefix(root) else { return refused("that is outside of the project") };
    if relative.components().any(|part| part == std::path::Component::ParentDir) {
        return refused("that leads out of the project");
    }
    if relative.starts_with(STATE_FOLDER) || relative.as_os_str().is_empty() {
        return refused("that is kept for the state of the project");
    }
    if plan.project.managed.iter().any(|managed| relative.starts_with(&managed.path)) {
        return refused("that is managed");
    }
    Ok(relative.to_owned())
}
