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
use crate::schema_steps::{Rehearsed, dropped, fingerprint, rehearse};
use crate::tree::copy::make_directories;
use crate::verdict::Verdict;
use crate::world::DiskError;

/// The folder below the state folder that names the copies which are on servers now.
const NOTED: &str = "schema/copies";
/// Digits of the hash in the name of a copy.
const DIGITS: usize = 12;
/// A note holds the name of a server and of a database.
const NOTE_BYTES_MAX: u64 = 64 << 10;

/// What came of the steps of one database on a copy of it.
#[derive(Debug)]
pub(in crate::phase) struct RehearsedDatabase {
    /// The database, as it may be shown.
    pub(in crate::phase) database: String,
    /// What the scripts were, in one hash; empty when they could not be read.
    scripts: String,
    /// What stood in what they drop, in one hash; empty where they drop nothing.
    dropped: String,
    /// What came of it.
    pub(in crate::phase) rehearsed: Rehearsed,
}

impl RehearsedDatabase {
    /// As evidence.
    pub(in crate::phase) fn to_json(&self) -> Value {
        json!({
            "database": self.database,
            "scripts": self.scripts,
            "dropped": self.dropped,
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
        all.push(one(work, change, &steps, &into).unwrap_or_else(|error| {
            let what = format!("the steps cannot be rehearsed: {}", error.told());
            RehearsedDatabase {
                database: change.database.shown(),
                scripts: String::new(),
                dropped: String::new(),
                rehearsed: Rehearsed { verdict: Verdict::Unknown, steps: Vec::new(), what },
            }
        }));
    }
    Ok(all)
}

fn one(
    work: &Work<'_>,
    change: &SchemaChange,
    steps: &Path,
    into: &Path,
) -> Result<RehearsedDatabase, PortError> {
    let world = work.world();
    let target = Target::of(world, &work.project.root, &change.database, false)?;
    let noted = work.project.state().join(NOTED);
    drop_left(work, &target, &noted, into)?;
    let name = copy_name(work);
    let disk = world.disk.as_ref();
    let failed =
        |error: DiskError| PortError::new("could not note the copy of the database", vec![error.to_string()]);
    make_directories(disk, &work.project.root, &noted).map_err(failed)?;
    disk.write_new(&noted.join(&name), 0o600, &mut target.which().as_bytes()).map_err(failed)?;
    let copy = target.scratch(world, into, &name)?;
    let mut on_copy = request(work, &copy, steps.to_owned(), work.project.confinement());
    into.clone_into(&mut on_copy.root);
    let to = change.to.as_deref();
    let done = dropped(&on_copy, to).and_then(|dropped| {
        let scripts = fingerprint(&on_copy)?;
        let rehearsed = rehearse(&on_copy, to)?;
        Ok(RehearsedDatabase { database: change.database.shown(), scripts, dropped, rehearsed })
    });
    target.drop_copy(world, &name, into)?;
    disk.remove_file(&noted.join(&name)).map_err(failed)?;
    done
}

/// A name that no other project has, and no other rehearsal of this one.
fn copy_name(work: &Work<'_>) -> String {
    let world = work.world();
    let text = format!(
        "{}|{}|{}",
        work.project.root.display(),
        world.surroundings.process_id(),
        world.clock.monotonic().as_nanos()
    );
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("switchback_rehearsal_{}", &hash[..DIGITS])
}

/// Drops the copies of this database that a rehearsal left which was killed.
fn drop_left(work: &Work<'_>, target: &Target, noted: &Path, folder: &Path) -> Result<(), PortError> {
    let disk = work.world().disk.as_ref();
    let failed = |error: DiskError| {
        PortError::new("could not look for copies that were left", vec![error.to_string()])
    };
    if disk.look(noted).map_err(failed)?.is_none() {
        return Ok(());
    }
    for name in disk.list(noted).map_err(failed)? {
        let note = noted.join(&name);
        if disk.read(&note, NOTE_BYTES_MAX).map_err(failed)? != target.which().as_bytes() {
            continue;
        }
        target.drop_copy(work.world(), &name.to_string_lossy(), folder)?;
        disk.remove_file(&note).map_err(failed)?;
    }
    Ok(())
}
