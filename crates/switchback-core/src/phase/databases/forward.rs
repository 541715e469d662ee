//! Before the exchange: the steps are kept, and deployed. Where one fails, all of them are taken back.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::back::follow;
use super::{of, request, steps_of};
use crate::change::SchemaChange;
use crate::journal::Event;
use crate::journal::databases::Direction;
use crate::journal::history::StagedFact;
use crate::phase::error::StepError;
use crate::phase::project::Work;
use crate::plan::{Phase, STATE_FOLDER};
use crate::port::PortError;
use crate::quantity::counted;
use crate::schema_steps::{DeployOptions, deploy, fingerprint, standing};
use crate::tree::copy::{Copier, make_directories, remove_tree, sync_tree};
use crate::verdict::Verdict;

/// The folder below the state folder that keeps the steps of a transaction.
const KEPT: &str = "schema/steps";

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
    let rehearsed = rehearsed_scripts(work, evidence.as_deref())?;
    for (at, change) in changes.into_iter().enumerate() {
        let one = Forward { work, phase, staged: &staged, change, at };
        if let Err(why) = one.carry_out(&rehearsed)? {
            let mut reasons = vec![why];
            for back in follow(work, None)? {
                if back.verdict != Verdict::Yes {
                    reasons.push(back.line());
                }
            }
            return Ok(Err(reasons));
        }
    }
    Ok(Ok(()))
}

/// Nothing was exchanged: what was deployed is reverted. What could not be, in words.
pub(in crate::phase) fn put_back(work: &Work<'_>) -> Result<Vec<String>, StepError> {
    let back = follow(work, None)?;
    Ok(back.into_iter().filter(|one| one.verdict != Verdict::Yes).map(|one| one.line()).collect())
}

/// Of each database, what its scripts were when they were rehearsed.
fn rehearsed_scripts(work: &Work<'_>, evidence: Option<&str>) -> Result<Vec<(String, String)>, StepError> {
    let Some(hash) = evidence else { return Ok(Vec::new()) };
    let text = work.evidence.get(work.world().disk.as_ref(), hash)?;
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    let all = report.pointer("/details/databases").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(all.iter().map(|one| (text(one, "database"), text(one, "scripts"))).collect())
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
    fn carry_out(&self, rehearsed: &[(String, String)]) -> Result<Result<(), String>, StepError> {
        let (work, name) = (self.work, self.name());
        let kept = self.keep()?;
        let request = request(work, &self.change.database, work.project.root.join(&kept), None);
        let looked = fingerprint(&request)
            .and_then(|scripts| Ok((scripts, standing(&request, self.change.to.as_deref())?.1)));
        let (scripts, steps) = match looked {
            Ok(looked) => looked,
            Err(error) => return Ok(Err(self.told(&error))),
        };
        if !rehearsed.contains(&(name.clone(), scripts)) {
            let what = format!("the steps of the database `{name}` are not those that were rehearsed");
            return Ok(Err(format!("{what}: `switchback run --restage` begins anew")));
        }
        work.record(Event::DatabaseStarted {
            phase: self.phase.name.clone(),
            transaction: self.staged.transaction.clone(),
            database: name.clone(),
            direction: Direction::Deploy.word().to_owned(),
            address: self.change.database.without_secret().unwrap_or_default().to_owned(),
            scripts: kept.display().to_string(),
            steps: steps.clone(),
        })?;
        let options = DeployOptions { to: self.change.to.clone(), undo: true, ..DeployOptions::default() };
        let (verdict, there, summary) = match deploy(&request, &options) {
            Ok(outcome) if outcome.verdict == Verdict::Yes => {
                let copy = outcome
                    .copy
                    .map_or_else(String::new, |copy| format!("; the copy made before is in `{copy}`"));
                let done = counted(steps.len() as u64, "step");
                (Verdict::Yes, steps, format!("{done} deployed into the database `{name}`{copy}"))
            }
            Ok(outcome) => {
                let left =
                    outcome.done.iter().filter(|step| !outcome.undone.contains(step)).cloned().collect();
                let why =
                    format!("the steps of the database `{name}` could not be deployed: {}", outcome.why());
                (outcome.verdict, left, why)
            }
            // Nobody knows which of them are there: all are looked at when they are reverted.
            Err(error) => (Verdict::Unknown, steps, self.told(&error)),
        };
        let summary = work.redactor.clean(&summary);
        work.record(Event::DatabaseEnded {
            phase: self.phase.name.clone(),
            transaction: self.staged.transaction.clone(),
            database: name,
            verdict: verdict.word().to_owned(),
            steps: there,
            summary: summary.clone(),
        })?;
        if verdict != Verdict::Yes {
            return Ok(Err(summary));
        }
        work.done(&self.phase.name, summary);
        Ok(Ok(()))
    }

    fn told(&self, error: &PortError) -> String {
        let text = format!("the database `{}`: {}", self.name(), error.told());
        self.work.redactor.clean(&text)
    }

    /// Keeps the steps as they are now: a rollback needs them when the tree that they came with is gone.
    fn keep(&self) -> Result<PathBuf, StepError> {
        let disk = self.work.world().disk.as_ref();
        let root = &self.work.project.root;
        let from = steps_of(self.work, self.staged, self.change)?;
        let folder =
            Path::new(STATE_FOLDER).join(KEPT).join(format!("{}-{}", self.staged.transaction, self.at + 1));
        let to = root.join(&folder);
        make_directories(disk, root, to.parent().unwrap_or(root))?;
        if disk.look(&to)?.is_some() {
            remove_tree(disk, &to)?;
        }
        Copier::new(disk).copy(&from, &to, &|_| false)?;
        sync_tree(disk, &to)?;
        disk.sync_directory(to.parent().unwrap_or(root))?;
        Ok(folder)
    }
}
