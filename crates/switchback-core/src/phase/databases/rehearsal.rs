//! Steps of databases on copies: in, and out again, before any of it goes live (BX-2).

use std::path::Path;

use serde_json::{Value, json};

use super::{of, request, steps_of};
use crate::change::SchemaChange;
use crate::database::Target;
use crate::journal::history::StagedFact;
use crate::phase::error::StepError;
use crate::phase::outlook;
use crate::phase::project::Work;
use crate::plan::Phase;
use crate::port::PortError;
use crate::schema_steps::{Rehearsed, fingerprint, rehearse};
use crate::verdict::Verdict;

/// What came of the steps of one database on a copy of it.
#[derive(Debug)]
pub(in crate::phase) struct RehearsedDatabase {
    /// The database, as it may be shown.
    pub(in crate::phase) database: String,
    /// What the scripts were, in one hash; empty when they could not be read.
    scripts: String,
    /// What came of it.
    pub(in crate::phase) rehearsed: Rehearsed,
}

impl RehearsedDatabase {
    /// As evidence.
    pub(in crate::phase) fn to_json(&self) -> Value {
        json!({
            "database": self.database,
            "scripts": self.scripts,
            "steps": self.rehearsed.steps,
            "verdict": self.rehearsed.verdict.word(),
            "what": self.rehearsed.what,
        })
    }
}

/// Rehearses every database of a phase, in copies below `folder`, which is thrown away.
pub(in crate::phase) fn rehearse_all(
    work: &Work<'_>,
    phase: &Phase,
    staged: &StagedFact,
    folder: &Path,
) -> Result<Vec<RehearsedDatabase>, StepError> {
    let mut all = Vec::new();
    for (at, change) in of(work, phase)?.into_iter().enumerate() {
        work.began(&phase.name, format!("{}: {}", outlook::REHEARSAL, change.database.shown()));
        let into = folder.join(format!("database-{}", at + 1));
        work.world().disk.make_directory(&into, 0o700)?;
        let steps = steps_of(work, staged, change)?;
        let (scripts, rehearsed) = match one(work, staged, change, &steps, &into) {
            Ok(done) => done,
            Err(error) => {
                let what = format!("the steps cannot be rehearsed: {}", error.told());
                (String::new(), Rehearsed { verdict: Verdict::Unknown, steps: Vec::new(), what })
            }
        };
        all.push(RehearsedDatabase { database: change.database.shown(), scripts, rehearsed });
    }
    Ok(all)
}

fn one(
    work: &Work<'_>,
    staged: &StagedFact,
    change: &SchemaChange,
    steps: &Path,
    into: &Path,
) -> Result<(String, Rehearsed), PortError> {
    let world = work.world();
    let scripts = fingerprint(&request(work, &change.database, steps.to_owned(), None))?;
    let target = Target::of(world, &work.project.root, &change.database, false)?;
    let name = format!("switchback_rehearsal_{}", staged.transaction);
    let copy = target.scratch(world, into, &name)?;
    let mut on_copy = request(work, &copy.database, steps.to_owned(), work.project.confinement());
    into.clone_into(&mut on_copy.root);
    let rehearsed = rehearse(&on_copy, change.to.as_deref());
    let removed = copy.remove(world, into);
    let rehearsed = rehearsed?;
    removed?;
    Ok((scripts, rehearsed))
}
