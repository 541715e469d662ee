//! What a plan would do, found out without touching anything of the project.

use std::path::PathBuf;

use super::error::StepError;
use super::layout;
use super::mechanism::is_mount;
use super::project::Project;
use crate::change::{FileCounts, Stage};
use crate::journal::fact::ReceivedFact;
use crate::plan::{Mechanism, Plan};
use crate::tree::copy::remove_tree;
use crate::world::Disk;

/// One exchange takes about this long (`research`: 6 µs on ext4, whatever the size of the tree), rounded up.
const EXCHANGE_MS: f64 = 0.01;
/// A rename that is on the disk before the next one (the same source: 4 ms for a sync under load).
const SYNCED_MS: f64 = 4.0;

/// What one change would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePreview {
    /// The phase.
    pub phase: String,
    /// The kind of change.
    pub kind: &'static str,
    /// What it does, in a few words.
    pub does: String,
    /// How many files it touches; `None` when that is known only once it is staged.
    pub files: Option<FileCounts>,
    /// What it would have a database carry out, as lines; passwords are not shown.
    pub statements: Vec<String>,
}

/// What a plan would do.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanPreview {
    /// Every change of every phase, in order.
    pub changes: Vec<ChangePreview>,
    /// How the candidate goes live.
    pub mechanism: Mechanism,
    /// For how long a reader could see old and new paths together, in milliseconds.
    pub window_ms_expected: f64,
}

/// Looks at the sources of the candidates. Only the first change of the first phase meets the tree that is live now; of
/// those after it, the counts are against that tree too.
pub fn preview(project: &Project) -> Result<PlanPreview, StepError> {
    let world = &project.ports.world;
    let disk = world.disk.as_ref();
    let plan = &project.plan;
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let mechanism = mechanism_expected(disk, plan)?;
    let received = received(project)?;
    let mut changes = Vec::new();
    for (at, phase) in plan.phases.iter().enumerate() {
        for (number, change) in phase.changes.iter().enumerate() {
            let described = |files, statements| ChangePreview {
                phase: phase.name.clone(),
                kind: change.kind,
                does: change.change.describe(),
                files,
                statements,
            };
            let is_later = change.change.needs_project() && (at, number) != (0, 0);
            if is_later && change.change.schema().is_none() {
                // It works on what the changes before it leave, which is known once these were made.
                changes.push(described(None, Vec::new()));
                continue;
            }
            let scratch = scratch(project)?;
            let stage = Stage {
                world,
                mover: project.ports.mover.as_ref(),
                configurer: project.ports.configurer.as_ref(),
                migrator: project.ports.migrator.as_ref(),
                schemas: &project.ports.schemas,
                root: &plan.root,
                live: &base,
                tree: &scratch,
                scratch: &scratch,
                managed: &plan.project.managed,
                received: &received,
                confinement: project.confinement(),
            };
            let files = change.change.preview(&stage);
            let statements = change.change.statements(&stage);
            remove_tree(disk, &scratch)?;
            changes.push(described(files?, statements));
        }
    }
    let window_ms_expected = window_ms(plan, mechanism, &changes);
    Ok(PlanPreview { changes, mechanism, window_ms_expected })
}

/// Packages that were received; the journal is not asked where no change takes one.
fn received(project: &Project) -> Result<Vec<ReceivedFact>, StepError> {
    let mut changes = project.plan.phases.iter().flat_map(|phase| &phase.changes);
    if changes.any(|change| change.change.archive().is_some()) {
        return Ok(project.history()?.received);
    }
    Ok(Vec::new())
}

/// What a plan can know without touching anything: what was asked for, what the project has, and what is a mount.
fn mechanism_expected(disk: &dyn Disk, plan: &Plan) -> Result<Mechanism, StepError> {
    let managed = &plan.project.managed;
    let mechanism = layout::mechanism(disk, &plan.root, managed, plan.project.mechanism)?;
    let is_free = mechanism == Mechanism::Exchange && plan.project.mechanism.is_none();
    if is_free && managed.iter().any(|managed| is_mount(disk, &plan.root.join(&managed.path))) {
        return Ok(Mechanism::FileByFile);
    }
    Ok(mechanism)
}

/// For how long old and new could be seen mixed.
fn window_ms(plan: &Plan, mechanism: Mechanism, changes: &[ChangePreview]) -> f64 {
    let times = |each_ms: f64, count: u64| each_ms * f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let paths = plan.project.managed.len() as u64;
    let environments = plan.dependencies.len() as u64;
    let managed_ms = match mechanism {
        Mechanism::Pointer => 0.0,
        Mechanism::Exchange => times(EXCHANGE_MS, paths),
        Mechanism::TwoRenames => times(SYNCED_MS, paths),
        Mechanism::FileByFile => {
            let files = |counts: &FileCounts| counts.added + counts.removed + counts.changed;
            let known: u64 = changes.iter().filter_map(|change| change.files.as_ref()).map(files).sum();
            times(SYNCED_MS, known.max(paths))
        }
    };
    managed_ms + times(EXCHANGE_MS, environments)
}

/// A folder outside of the project, for sources that must be unpacked to be looked at.
fn scratch(project: &Project) -> Result<PathBuf, StepError> {
    let world = &project.ports.world;
    let folder = world.surroundings.variable("TMPDIR").unwrap_or_else(|| "/tmp".to_owned());
    let name =
        format!("switchback-plan-{}-{}", world.surroundings.process_id(), world.clock.monotonic().as_nanos());
    let path = PathBuf::from(folder).join(name);
    world.disk.make_directory(&path, 0o700)?;
    Ok(path)
}
