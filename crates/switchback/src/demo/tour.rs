//! The tour of a demo: run, look, roll back, look, run again, look.

use std::path::PathBuf;
use std::time::Duration;

use switchback_core::manifest::Manifest;
use switchback_core::phase::{
    Ports, Project, RollBackOptions, RunOptions, RunOutcome, StepError, Work, roll_back, run,
};
use switchback_core::tree::scan;
use switchback_core::verdict::Verdict;

use super::found::{Found, differences};
use super::scene::Scene;
use crate::commands::run::expect;
use crate::failure::Failure;
use crate::ui::Ui;

/// What a tour came to.
#[derive(Debug)]
pub(crate) enum Tour {
    /// The candidate went in, came out, and went in again.
    Accepted(Accepted),
    /// It did not go in.
    Refused {
        /// Every reason.
        reasons: Vec<String>,
        /// *no*, or *unknown* when something could not tell.
        verdict: Verdict,
        /// What the evidence names.
        found: Vec<Found>,
    },
}

/// A whole tour, with what was seen at its turns.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Entries of the live tree that were compared after the rollback.
    pub(crate) entries: usize,
    /// From the beginning of the exchange back to its acknowledgement.
    pub(crate) rollback_ms: f64,
    /// How long the first run took.
    pub(crate) first_run: Duration,
    /// How long the second run took.
    pub(crate) second_run: Duration,
    /// What was proved before the candidate went live: who said it, and their line.
    pub(crate) proofs: Vec<(String, String)>,
}

/// One run of the plan.
#[derive(Debug)]
struct Run {
    outcome: RunOutcome,
    found: Vec<Found>,
    proofs: Vec<(String, String)>,
    took: Duration,
}

/// Runs the plan, rolls it back, and runs it again; after each it is looked whether the live tree is what was said.
pub(crate) fn tour(ports: &Ports, ui: &Ui, scene: &Scene) -> Result<Tour, Failure> {
    let old = managed(ports, scene, &scene.project)?;
    let new = managed(ports, scene, &scene.candidate)?;
    ui.note("run:");
    let first = run_once(ports, ui, scene)?;
    if first.outcome.verdict != Verdict::Yes {
        must_be(ports, scene, &old, "although nothing went live, the live tree changed")?;
        return Ok(first.refused());
    }
    must_be(ports, scene, &new, "after the run, the live tree is not the candidate")?;
    ui.note("rollback:");
    let doing = |error| Failure::doing("could not roll the demo back", error);
    let project = Project::open(&scene.project, ports).map_err(doing)?;
    let work = Work::begin_rollback(project, "demo", ui).map_err(doing)?;
    let options =
        RollBackOptions { why: "the demo shows the way back".to_owned(), ..RollBackOptions::default() };
    let back = roll_back(&work, &options).map_err(doing)?;
    drop(work);
    let entries = must_be(ports, scene, &old, "after the rollback, the live tree is not what it was")?;
    ui.note("run again:");
    let second = run_once(ports, ui, scene)?;
    if second.outcome.verdict != Verdict::Yes {
        must_be(ports, scene, &old, "although nothing went live again, the live tree changed")?;
        return Ok(second.refused());
    }
    must_be(ports, scene, &new, "after the second run, the live tree is not the candidate")?;
    Ok(Tour::Accepted(Accepted {
        entries,
        rollback_ms: back.milliseconds,
        first_run: first.took,
        second_run: second.took,
        proofs: second.proofs,
    }))
}

impl Run {
    fn refused(self) -> Tour {
        Tour::Refused { reasons: self.outcome.reasons, verdict: self.outcome.verdict, found: self.found }
    }
}

fn run_once(ports: &Ports, ui: &Ui, scene: &Scene) -> Result<Run, Failure> {
    let doing = |error| Failure::doing("could not run the demo", error);
    let clock = ports.world.clock.as_ref();
    let started = clock.monotonic();
    let project = Project::open(&scene.project, ports).map_err(doing)?;
    let work = Work::begin(project, "demo", ui).map_err(doing)?;
    expect(ui, &work)?;
    let outcome = run(&work, &RunOptions::default()).map_err(doing)?;
    let found = differences(&work, &outcome.phase).map_err(doing)?;
    let proofs = proofs(&work, &outcome.phase);
    Ok(Run { outcome, found, proofs, took: clock.monotonic().saturating_sub(started) })
}

/// What the checks of the staged candidate and the rehearsal said, where they said yes.
fn proofs(work: &Work<'_>, phase: &str) -> Vec<(String, String)> {
    let history = work.history();
    let Some(history) = history.phase(phase) else { return Vec::new() };
    let staged = history.checks.iter().filter(|fact| fact.at == "staged" && fact.verdict == Verdict::Yes);
    let mut proofs: Vec<(String, String)> =
        staged.map(|fact| (fact.check.clone(), fact.summary.clone())).collect();
    let rehearsal = history.rehearsal.iter().filter(|fact| fact.verdict == Verdict::Yes);
    proofs.extend(rehearsal.map(|fact| ("rehearsal".to_owned(), fact.summary.clone())));
    proofs
}

/// The manifest of the managed paths below a folder.
fn managed(ports: &Ports, scene: &Scene, root: &std::path::Path) -> Result<Manifest, Failure> {
    let doing = |error| Failure::doing("could not look at the trees of the demo", error);
    let project = Project::open(&scene.project, ports).map_err(doing)?;
    let paths: Vec<PathBuf> =
        project.plan.project.managed.iter().map(|managed| managed.path.clone()).collect();
    scan(ports.world.disk.as_ref(), root, &paths).map_err(|error| doing(StepError::Scan(error)))
}

/// The live tree must be this one, in content and metadata. Returns how many entries were compared.
fn must_be(ports: &Ports, scene: &Scene, expected: &Manifest, otherwise: &str) -> Result<usize, Failure> {
    let live = managed(ports, scene, &scene.project)?;
    let differences = expected.differences(&live);
    if let Some(first) = differences.first() {
        let cause = format!(
            "`{}` ({}), and {} more",
            first.path.display(),
            first.what.word(),
            differences.len().saturating_sub(1)
        );
        return Err(Failure::new(
            otherwise,
            vec![cause],
            "please report this: the demo proved Switchback wrong",
        ));
    }
    Ok(live.entries.len())
}
