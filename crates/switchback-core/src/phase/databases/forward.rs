//! Before the exchange: the steps are kept, and deployed. Where one fails, all of them are taken back.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::back::{follow, hand_on, left_in, left_lines};
use super::{of, request, steps_of};
use crate::change::SchemaChange;
use crate::database::Target;
use crate::journal::Event;
use crate::journal::databases::{DatabaseKey, Direction};
use crate::journal::history::StagedFact;
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::plan::{Phase, STATE_FOLDER};
use crate::port::PortError;
use crate::quantity::counted;
use crate::schema_steps::{DeployOptions, deploy, dropped, fingerprint, standing};
use crate::tree::copy::{Copier, make_directories, remove_tree, sync_tree};
use crate::verdict::Verdict;

/// The folder below the state folder that keeps the steps of a transaction.
const KEPT: &str = "schema/steps";
/// Digits of the hash of the scripts in the name of a folder.
const DIGITS: usize = 8;

/// Deploys the steps of every database of a phase. `Ok(Err)`: why not, and nothing of it is in any database but what the
/// reasons name.
///
/// # Errors
///
/// When the journal cannot be written, or the steps not be kept.
pub(in crate::phase) fn deploy_all(
    work: &Work<'_>,
    phase: &Phase,
) -> Result<Result<(), Vec<String>>, StepError> {
    let changes = of(work, phase)?;
    if changes.is_empty() {
        return Ok(Ok(()));
    }
    let (staged, evidence) = {
        let history = work.history();
        let known = history.phase(&phase.name);
        let staged = known.and_then(|phase| phase.staged.clone());
        (staged, known.and_then(|phase| phase.rehearsal.as_ref()).map(|fact| fact.evidence.clone()))
    };
    let Some(staged) = staged else {
        return Err(StepError::not_now("nothing is staged", "`switchback run` stages the candidate"));
    };
    let rehearsed = rehearsed_databases(work, evidence.as_deref())?;
    for (at, change) in changes.into_iter().enumerate() {
        let one = Forward { work, phase, staged: &staged, change, at };
        if let Err(why) = one.carry_out(&rehearsed)? {
            let mut reasons = vec![why];
            reasons.extend(put_back(work)?);
            return Ok(Err(reasons));
        }
    }
    Ok(Ok(()))
}

/// Nothing was exchanged: what was deployed is reverted. What could not be, in words.
pub(in crate::phase) fn put_back(work: &Work<'_>) -> Result<Vec<String>, StepError> {
    Ok(left_lines(&follow(work, None)?))
}

/// What was rehearsed of each database.
fn rehearsed_databases(work: &Work<'_>, evidence: Option<&str>) -> Result<Vec<Known>, StepError> {
    let Some(hash) = evidence else { return Ok(Vec::new()) };
    let text = work.evidence.get(work.world().disk.as_ref(), hash)?;
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    let all = report.pointer("/details/databases").and_then(Value::as_array).cloned().unwrap_or_default();
    let known = |one: &Value| {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Known { database: text("database"), scripts: text("scripts"), dropped: text("dropped") }
    };
    Ok(all.iter().map(known).collect())
}

/// One database on its way.
struct Forward<'a, 'w> {
    work: &'a Work<'w>,
    phase: &'a Phase,
    staged: &'a StagedFact,
    change: &'a SchemaChange,
    at: usize,
}

impl Forward<'_, '_> {
    fn name(&self) -> String {
        self.change.database.shown()
    }

    /// `Ok(Err)`: why it was not deployed.
    fn carry_out(&self, rehearsed: &[Known]) -> Result<Result<(), String>, StepError> {
        let (work, name) = (self.work, self.name());
        let source = steps_of(work, self.staged, self.change)?;
        let looked = match self.look(&source) {
            Ok(looked) => looked,
            Err(error) => return Ok(Err(self.told(&error))),
        };
        if let Err(why) = looked.must_be(rehearsed, &name) {
            return Ok(Err(format!("{why}: `switchback run --restage` begins anew")));
        }
        let left = left_in(work, &looked.place)?;
        let is_ours = |step: &&String| left.iter().any(|(_, steps)| steps.contains(step));
        // What an earlier attempt left goes back with this phase.
        let mut steps: Vec<String> = looked.there.iter().filter(is_ours).cloned().collect();
        steps.extend(looked.pending.iter().cloned());
        let kept = self.keep(&source, &looked.scripts)?;
        work.record(Event::DatabaseStarted {
            phase: self.phase.name.clone(),
            transaction: self.staged.transaction.clone(),
            database: name.clone(),
            direction: Direction::Deploy.word().to_owned(),
            address: self.change.database.without_secret().unwrap_or_default().to_owned(),
            place: looked.place.clone(),
            scripts: kept.display().to_string(),
            steps: steps.clone(),
        })?;
        let (verdict, there, summary) = self.deploy(&kept, &looked, steps);
        work.record(Event::DatabaseEnded {
            phase: self.phase.name.clone(),
            transaction: self.staged.transaction.clone(),
            database: name,
            verdict: verdict.word().to_owned(),
            steps: there,
            summary: summary.clone(),
        })?;
        let others: Vec<DatabaseKey> =
            left.into_iter().map(|(key, _)| key).filter(|key| key.0 != self.staged.transaction).collect();
        hand_on(work, &others, &self.phase.name)?;
        if verdict != Verdict::Yes {
            return Ok(Err(summary));
        }
        work.done(&self.phase.name, summary);
        Ok(Ok(()))
    }

    fn look(&self, source: &Path) -> Result<Looked, PortError> {
        let work = self.work;
        let request = request(work, &self.change.database, source.to_owned(), None);
        let to = self.change.to.as_deref();
        let (there, pending) = standing(&request, to)?;
        Ok(Looked {
            place: Target::of(work.world(), &work.project.root, &self.change.database, false)?.which(),
            scripts: fingerprint(&request)?,
            dropped: dropped(&request, to)?,
            there,
            pending,
        })
    }

    /// Deploys; which of `steps` are in the database then, and what is said of it.
    fn deploy(&self, kept: &Path, looked: &Looked, steps: Vec<String>) -> (Verdict, Vec<String>, String) {
        let name = self.name();
        let request = request(self.work, &self.change.database, self.work.project.root.join(kept), None);
        let options = DeployOptions { to: self.change.to.clone(), undo: true, ..DeployOptions::default() };
        let deployed = deploy(&request, &options);
        if let Ok(outcome) = &deployed
            && outcome.verdict == Verdict::Yes
        {
            let copy = outcome.copy.as_ref();
            let copy = copy.map_or_else(String::new, |copy| format!("; the copy made before is in `{copy}`"));
            let done = counted(looked.pending.len() as u64, "step");
            let taken = (steps.len() - looked.pending.len()) as u64;
            let taken = match taken {
                0 => String::new(),
                taken => format!(", {} taken over that an earlier attempt had left", counted(taken, "step")),
            };
            let summary = format!("{done} deployed into the database `{name}`{taken}{copy}");
            return (Verdict::Yes, steps, self.work.redactor.clean(&summary));
        }
        // Nobody knows which of them are there, where it cannot be looked: all are looked at when they are reverted.
        let left = match standing(&request, None) {
            Ok((there, _)) => steps.into_iter().filter(|step| there.contains(step)).collect(),
            Err(_) => steps,
        };
        let (verdict, why) = match deployed {
            Ok(outcome) => (
                outcome.verdict,
                format!("the steps of the database `{name}` could not be deployed: {}", outcome.why()),
            ),
            Err(error) => (Verdict::Unknown, self.told(&error)),
        };
        (verdict, left, self.work.redactor.clean(&why))
    }

    fn told(&self, error: &PortError) -> String {
        let text = format!("the database `{}`: {}", self.name(), error.told());
        self.work.redactor.clean(&text)
    }

    /// Keeps the steps as they are now: a rollback needs them when the tree that they came with is gone. Other steps have another
    /// folder, so that what is kept for others is never replaced.
    fn keep(&self, from: &Path, scripts: &str) -> Result<PathBuf, StepError> {
        let disk = self.work.world().disk.as_ref();
        let root = &self.work.project.root;
        let digits = scripts.get(..DIGITS).unwrap_or(scripts);
        let folder = Path::new(STATE_FOLDER).join(KEPT).join(format!(
            "{}-{}-{digits}",
            self.staged.transaction,
            self.at + 1
        ));
        let to = root.join(&folder);
        make_directories(disk, root, to.parent().unwrap_or(root))?;
        if disk.look(&to)?.is_some() {
            // The same scripts, perhaps half copied by a run that was killed.
            remove_tree(disk, &to)?;
        }
        Copier::new(disk).copy(from, &to, &|_| false)?;
        sync_tree(disk, &to)?;
        disk.sync_directory(to.parent().unwrap_or(root))?;
        Ok(folder)
    }
}

/// A database right before its steps are deployed.
struct Looked {
    place: String,
    scripts: String,
    dropped: String,
    there: Vec<String>,
    pending: Vec<String>,
}

impl Looked {
    fn must_be(&self, rehearsed: &[Known], name: &str) -> Result<(), String> {
        let Some(known) = rehearsed.iter().find(|known| known.database == name) else {
            return Err(format!("the database `{name}` was not rehearsed"));
        };
        if known.scripts != self.scripts {
            return Err(format!("the steps of the database `{name}` are not those that were rehearsed"));
        }
        if known.dropped != self.dropped {
            return Err(format!(
                "what the steps of the database `{name}` drop does not hold what it held when that was rehearsed, and no revert would \
                 bring it back"
            ));
        }
        Ok(())
    }
}

/// What was rehearsed of a database.
struct Known {
    database: String,
    scripts: String,
    dropped: String,
}
