//! A project that is only told about: what its journal knows, also where the plan cannot be used, and never *nothing* where
//! a run has left traces.

use std::path::{Path, PathBuf};

use super::error::StepError;
use super::layout::transaction_of_sibling;
use super::project::{Ports, Project, Work};
use super::recover::is_interrupted;
use super::unknown_live::unknown_live;
use super::witness::{Notice, Witness};
use crate::journal::{Event, History};
use crate::plan::{Approve, Phase, Undo};
use crate::world::DiskError;

/// So many traces are named.
const TRACES_NAMED_MAX: usize = 4;

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// The plan cannot be used, and nothing was run under one.
    #[error(transparent)]
    Plan(StepError),
    /// What was run cannot be read.
    #[error(transparent)]
    Run(#[from] StepError),
}

/// The project at `root` and its history, for a command that only tells about them. What an earlier process left
/// unfinished is ended first.
///
/// A plan that cannot be used does not keep back what the journal knows: one that stands in for it has the phases of the
/// journal, its [`fault`](crate::plan::Plan::fault) says why, and the witness is told.
///
/// # Errors
///
/// When the plan cannot be used and nothing was run, when the journal cannot be read, and when there are traces of a run
/// without a journal that tells of one.
pub fn open_to_tell(
    root: &Path,
    ports: &Ports,
    doing: &str,
    witness: &dyn Witness,
) -> Result<(Project, History), Untold> {
    let (mut project, unusable) = Project::open_for_rollback(root, ports);
    let mut history = match project.history() {
        Ok(history) => history,
        Err(error) => return Err(unusable.map_or(Untold::Run(error), Untold::Plan)),
    };
    if is_interrupted(&project, &history)? {
        project = Work::begin(project, doing, witness)?.project;
        history = project.history()?;
    }
    if history.run.is_none() {
        let traces = traces(&project).map_err(StepError::from)?;
        return match unusable {
            _ if !traces.is_empty() => Err(without_journal(&project, &traces).into()),
            Some(error) => Err(Untold::Plan(error)),
            None => Ok((project, history)),
        };
    }
    for live in unknown_live(&project, &history)? {
        let what = format!("{}; `switchback rollback` makes the old tree live", live.words());
        witness.notice(Notice::Warning(what));
    }
    if let Some(error) = unusable {
        stand_in(&mut project, &history, &error)?;
        let fault = project.plan.fault.as_deref().unwrap_or_default();
        witness.notice(Notice::Warning(format!(
            "the plan cannot be used, and what follows is what the journal alone knows: {fault}"
        )));
    }
    Ok((project, history))
}

/// Gives the plan that stands in what the journal knows of the run: its project, its phases, and who had a say.
fn stand_in(project: &mut Project, history: &History, error: &StepError) -> Result<(), StepError> {
    let mut fault = error.to_string();
    if let StepError::Plan(error) = error
        && let Some(first) = error.findings.first()
    {
        fault = format!("{fault}; line {}: {}", first.line, first.message);
    }
    project.plan.fault = Some(fault);
    let name = project.records()?.into_iter().rev().find_map(|record| match record.event {
        Event::RunStarted { project, .. } => Some(project),
        _ => None,
    });
    project.plan.project.name = name.unwrap_or_default();
    for phase in &history.phases {
        let mut roles: Vec<String> = Vec::new();
        for sign_off in &phase.sign_offs {
            if !roles.contains(&sign_off.role) {
                roles.push(sign_off.role.clone());
            }
        }
        project.plan.phases.push(Phase {
            name: phase.name.clone(),
            approve: Approve { roles, each: 1, ..Approve::default() },
            undo: Undo::default(),
            changes: Vec::new(),
            hash: project.plan.hash,
        });
    }
    Ok(())
}

/// What only a run leaves: records of transactions, and candidates or parked trees beside the managed paths. Relative to
/// the root, in order.
fn traces(project: &Project) -> Result<Vec<PathBuf>, DiskError> {
    let disk = project.ports.world.disk.as_ref();
    let mut found = Vec::new();
    let transactions = project.transactions();
    if disk.look(&transactions)?.is_some() {
        let within = transactions.strip_prefix(&project.root).unwrap_or(&transactions).to_owned();
        found.extend(disk.list(&transactions)?.into_iter().map(|name| within.join(name)));
    }
    for managed in &project.plan.project.managed {
        let within = managed.path.parent().unwrap_or(Path::new(""));
        let folder = project.root.join(within);
        if disk.look(&folder.join("."))?.is_none() {
            continue;
        }
        let names = disk.list(&folder)?.into_iter();
        let is_sibling = |name: &std::ffi::OsString| {
            transaction_of_sibling(&name.to_string_lossy(), &managed.path).is_some()
        };
        found.extend(names.filter(is_sibling).map(|name| within.join(name)));
    }
    found.sort();
    Ok(found)
}

fn without_journal(project: &Project, traces: &[PathBuf]) -> StepError {
    let shown = traces.iter().take(TRACES_NAMED_MAX).map(|path| format!("`{}`", path.display()));
    let mut shown = shown.collect::<Vec<_>>().join(", ");
    let more = traces.len().saturating_sub(TRACES_NAMED_MAX);
    if more > 0 {
        shown = format!("{shown} and {more} more");
    }
    StepError::not_now(
        format!(
            "there are traces of a run in `{}`, and no journal that tells of one: {shown}",
            project.root.display()
        ),
        "put `.switchback/journal.db` back from a backup; what is live and can be taken back, `switchback rollback` \
         takes back without it",
    )
}
