//! The report of a run as facts: what was to change, what was checked, who approved, what is live, how to undo.

use super::material::Material;
use super::parts::{Parts, parts};
use super::phase_report::{PhaseReport, phase_report};
use super::reasons::{headline, verdict};
use super::status::{Status, WaitsFor, status};
use super::story::{Story, listed, story};
use crate::journal::{Event, PhaseState};
use crate::manifest::to_hex;
use crate::phase::{Project, StepError, TOOL};
use crate::plan::Mechanism;
use crate::verdict::Verdict;

/// Everything that a report of a run says. Each format is written from it, and looks at nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// The project's folder.
    pub root: String,
    /// When the report was made, RFC 3339.
    pub made_at: String,
    /// Name and version of the program that made it.
    pub tool: String,
    /// The run.
    pub run: RunFact,
    /// BLAKE3 of the plan file as it is now; empty when it cannot be used.
    pub plan: String,
    /// Why the plan file cannot be used; then everything is told from the journal alone, and what only the plan says is
    /// left out.
    pub plan_fault: Option<String>,
    /// The verdict of the whole: nothing better than what the last looks and their evidence allow.
    pub verdict: Verdict,
    /// The run in one sentence.
    pub headline: String,
    /// Where everything stands.
    pub status: Status,
    /// The paths that the plan may change, and whether each is mirrored (`true`) or overlaid.
    pub managed: Vec<(String, bool)>,
    /// Whether the plan has any check; where it cannot be used, whether any has looked. Without one, nothing is proved.
    pub has_checks: bool,
    /// The phases, in the order of the plan.
    pub phases: Vec<PhaseReport>,
    /// Since when generation `status.generation` is live, and who made it so; `None` while it is what was there before
    /// the first cutover.
    pub live: Option<(String, String)>,
    /// How to undo.
    pub undo: Undo,
    /// How long each part took.
    pub parts: Parts,
    /// The journal's time line.
    pub story: Story,
    /// How many events the journal has.
    pub events: u64,
    /// The hash of the last event, to be kept where whoever could change the journal cannot reach it.
    pub head: String,
}

/// A run as its first event tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFact {
    /// Its id.
    pub id: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// Who began it: `user@host`.
    pub actor: String,
    /// Name and version of the program that began it.
    pub tool: String,
    /// BLAKE3 of the plan file when it began.
    pub plan: String,
}

/// How to undo what is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The command; empty when there is nothing to undo.
    pub command: String,
    /// The generation that becomes live.
    pub to_generation: Option<u64>,
    /// How it went live, [`Mechanism::word`]; empty when there is nothing to undo.
    pub mechanism: String,
    /// The paths whose old tree becomes live.
    pub paths: Vec<String>,
    /// What it does, in words.
    pub does: String,
}

/// Collects the facts of the latest run.
///
/// # Errors
///
/// When nothing has been run yet, and when the journal is not as it was written. Evidence that is gone or was changed is
/// no error: the report says so.
pub fn run_report(project: &Project) -> Result<RunReport, StepError> {
    let material = Material::read(project)?;
    let plan = &project.plan;
    let phases: Vec<PhaseReport> = plan.phases.iter().map(|phase| phase_report(&material, phase)).collect();
    let mut status = status(project, &material.history);
    for check in &mut status.checks {
        check.summary = material.clean(&check.summary);
    }
    for process in &mut status.processes {
        process.summary = material.clean(&process.summary);
    }
    for database in &mut status.databases {
        database.summary = material.clean(&database.summary);
    }
    status.failed = status.failed.map(|(step, why)| (step, material.clean(&why)));
    for vote in status.approvals.iter_mut().flat_map(|tally| &mut tally.votes) {
        vote.why = material.clean(&vote.why);
    }
    for waits in &mut status.waits_for {
        if let WaitsFor::Approval { why, .. } = waits {
            *why = why.iter().map(|why| material.clean(why)).collect();
        }
    }
    let verdict = verdict(&status, &phases);
    Ok(RunReport {
        root: project.root.to_string_lossy().into_owned(),
        made_at: project.ports.world.clock.now().to_string(),
        tool: TOOL.to_owned(),
        run: run_fact(&material),
        plan: if plan.fault.is_none() { to_hex(&plan.hash) } else { String::new() },
        plan_fault: plan.fault.as_ref().map(|fault| material.clean(fault)),
        verdict,
        headline: headline(verdict, &phases),
        managed: plan
            .project
            .managed
            .iter()
            .map(|managed| (managed.path.to_string_lossy().into_owned(), managed.delete))
            .collect(),
        has_checks: !plan.checks.is_empty()
            || (plan.fault.is_some() && phases.iter().any(|phase| !phase.checks.is_empty())),
        live: material.live.clone(),
        undo: undo(&material, &status),
        parts: parts(&material.records),
        story: story(&material),
        events: material.events,
        head: material.head.clone(),
        status,
        phases,
    })
}

fn run_fact(material: &Material<'_>) -> RunFact {
    let Some(record) = material.records.first() else { return RunFact::default() };
    match &record.event {
        Event::RunStarted { run, plan, tool, .. } => RunFact {
            id: run.clone(),
            began: record.time.clone(),
            actor: record.actor.clone(),
            tool: tool.clone(),
            plan: plan.clone(),
        },
        _ => RunFact::default(),
    }
}

fn undo(material: &Material<'_>, status: &Status) -> Undo {
    if let (Some(unknown), Some((to, mechanism))) = (status.unknown_live.first(), &status.rollback) {
        return Undo {
            command: "switchback rollback".to_owned(),
            to_generation: Some(*to),
            mechanism: mechanism.clone(),
            paths: Vec::new(),
            does: format!("It makes generation {to} live again: {}.", unknown.words()),
        };
    }
    let live = material.history.last_live();
    let staged = live.and_then(|live| Some((live, live.staged.as_ref()?)));
    let (Some((to, mechanism)), Some((live, staged))) = (&status.rollback, staged) else {
        let was_rolled_back =
            material.history.phases.iter().any(|phase| phase.state == PhaseState::RolledBack);
        let does = if was_rolled_back {
            "It was undone already: what is live is the tree from before the change."
        } else {
            "Nothing has gone live, so there is nothing to undo."
        };
        let (command, mechanism, paths) = (String::new(), String::new(), Vec::new());
        return Undo { command, to_generation: None, mechanism, paths, does: does.to_owned() };
    };
    let is_back = |path: &&String| !live.rolled_back_paths.contains(path);
    let paths: Vec<String> = staged.paths.iter().filter(is_back).cloned().collect();
    let how = match Mechanism::from_word(mechanism) {
        Some(Mechanism::Pointer) => "One link is set back to the tree of before, which is kept whole.",
        Some(Mechanism::TwoRenames) => {
            "Each path is renamed away and its old tree, which is kept whole, renamed into its place."
        }
        Some(Mechanism::FileByFile) => {
            "What is different in each path is replaced file by file from a copy of its old tree, which is kept whole."
        }
        _ => "Each path is exchanged with its old tree, which is kept whole, by one system call.",
    };
    let does = format!(
        "It makes generation {to} live again and takes back the phase {}: {}. {how} What was changed there since is kept \
         aside and named.",
        live.name,
        listed(&paths)
    );
    Undo {
        command: "switchback rollback".to_owned(),
        to_generation: Some(*to),
        mechanism: mechanism.clone(),
        paths,
        does,
    }
}
