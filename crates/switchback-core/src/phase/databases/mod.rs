//! Databases whose schema goes with a phase: they stand around the exchange, as processes do.
//!
//! A cutover: [`rehearsal`] on a copy → [`forward`] (the steps kept, the intent, the deploy) → the exchange. A rollback: the exchange
//! back → [`back`] (the intent, the revert). A database follows the tree: whatever its phase left in it while the tree of that
//! phase is not live is reverted by whoever comes next. What that would lose stays, and is told.

pub(super) mod back;
pub(super) mod forward;
pub(super) mod rehearsal;

use std::path::{Path, PathBuf};

pub use back::DatabaseBack;

use super::error::StepError;
use super::layout;
use super::project::Work;
use super::stage::candidate;
use crate::change::SchemaChange;
use crate::database::Database;
use crate::journal::history::StagedFact;
use crate::plan::{Mechanism, Phase};
use crate::schema_steps::SchemaRequest;
use crate::world::Confinement;

/// The databases of a phase that are not part of its candidate, in the order of the plan.
fn of<'p>(work: &Work<'_>, phase: &'p Phase) -> Result<Vec<&'p SchemaChange>, StepError> {
    let managed = &work.plan().project.managed;
    let surroundings = work.world().surroundings.as_ref();
    let root = work.project.root.as_path();
    let all: Vec<&SchemaChange> = phase
        .changes
        .iter()
        .filter_map(|change| change.change.schema())
        .filter(|change| !change.is_in(root, managed, surroundings))
        .collect();
    let which = |change: &SchemaChange| change.database.which(surroundings, root);
    for (at, change) in all.iter().enumerate() {
        if all[..at].iter().any(|other| which(other) == which(change)) {
            return Err(StepError::not_now(
                format!(
                    "the phase `{}` changes the database `{}` twice",
                    phase.name,
                    change.database.shown()
                ),
                "put all steps of a database into one folder",
            ));
        }
    }
    Ok(all)
}

/// Whether a phase changes a database that is not part of its candidate; what is wrong with that is said by whoever changes it.
pub(super) fn has_any(work: &Work<'_>, phase: &Phase) -> bool {
    of(work, phase).map_or(true, |all| !all.is_empty())
}

/// Where the steps are that go live with a candidate: in the candidate, where they are managed.
fn steps_of(work: &Work<'_>, staged: &StagedFact, change: &SchemaChange) -> Result<PathBuf, StepError> {
    let disk = work.world().disk.as_ref();
    let managed = &work.plan().project.managed;
    let root = &work.project.root;
    let Some(holder) = managed.iter().find(|managed| change.steps.starts_with(&managed.path)) else {
        return Ok(root.join(&change.steps));
    };
    let mechanism = Mechanism::from_word(&staged.mechanism).unwrap_or(Mechanism::Exchange);
    let beside = root.join(candidate(mechanism, &staged.transaction, &holder.path));
    let rest = change.steps.strip_prefix(&holder.path).unwrap_or(Path::new(""));
    // A path that does not change has no candidate.
    let holding = match disk.look(&beside)? {
        Some(_) => beside,
        None => layout::live_base(disk, root, managed)?.join(&holder.path),
    };
    // A managed path that is the folder itself has no rest, and joining nothing would add a slash.
    Ok(if rest.as_os_str().is_empty() { holding } else { holding.join(rest) })
}

fn request(
    work: &Work<'_>,
    database: &Database,
    steps: PathBuf,
    confinement: Option<Confinement>,
) -> SchemaRequest {
    SchemaRequest {
        world: work.world().clone(),
        schemas: work.project.ports.schemas.clone(),
        root: work.project.root.clone(),
        database: database.clone(),
        steps,
        is_made: false,
        confinement,
    }
}
