//! What was so when a snapshot was made: commit, versions, names of environment variables. No value that may be a secret.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::format::{Commit, Environment, Facts, SCHEMA, Saved, Selected};
use crate::git::Repository;
use crate::phase::TOOL;
use crate::phase::redact::{Redactor, looks_secret};
use crate::world::{Command, World};

/// A program that says its version takes no longer.
const VERSION_TIMEOUT: Duration = Duration::from_mins(1);
/// Programs whose versions are worth knowing.
const PROGRAMS: &[&str] = &["git", "python3"];

/// Looks around. `select` is the variable that names the environment.
pub(super) fn gather(world: &World, root: &Path, select: Option<&str>, databases: Vec<Saved>) -> Facts {
    let mut versions = BTreeMap::new();
    if let Some((name, version)) = TOOL.split_once(' ') {
        versions.insert(name.to_owned(), version.to_owned());
    }
    for program in PROGRAMS {
        versions.extend(version(world, root, program).map(|version| ((*program).to_owned(), version)));
    }
    let actor = world.surroundings.actor();
    Facts {
        schema: SCHEMA.to_owned(),
        time: world.clock.now().to_string(),
        host: actor.rsplit('@').next().unwrap_or_default().to_owned(),
        commit: commit(world, root),
        versions,
        environment: environment(world, select),
        databases,
    }
}

/// The version that a program says of itself, without its name; `None` when it is not there.
pub(super) fn version(world: &World, directory: &Path, program: &str) -> Option<String> {
    let command = Command {
        argv: vec![program.to_owned(), "--version".to_owned()],
        directory: directory.to_owned(),
        variables: Vec::new(),
        timeout: VERSION_TIMEOUT,
        output_bytes_max: 4096,
        confinement: None,
    };
    let finished = world.processes.run(&command).ok().filter(crate::world::Finished::succeeded)?;
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    let line = said.lines().next().unwrap_or_default().trim().to_owned();
    // `git version 2.39.5`, `Python 3.11.2`, `pg_dump (PostgreSQL) 15.3 (Debian …)`.
    let from = line.find(|c: char| c.is_ascii_digit())?;
    line[from..].split_whitespace().next().map(str::to_owned)
}

/// The commit, where the project is in a repository that has one.
fn commit(world: &World, root: &Path) -> Option<Commit> {
    let repository = Repository { world, folder: root };
    let id = repository.commit("HEAD").ok()?;
    let changes = repository.ask(&["status", "--porcelain"]).ok()?;
    Some(Commit { id, is_dirty: !changes.is_empty() })
}

fn environment(world: &World, select: Option<&str>) -> Environment {
    let variables = world.surroundings.variables();
    let mut names: Vec<String> = variables.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    let redactor = Redactor::new(world.surroundings.as_ref());
    let select = select.filter(|name| !looks_secret(name)).and_then(|name| {
        let (_, value) = variables.iter().find(|(known, _)| known == name)?;
        Some(Selected { name: name.to_owned(), value: redactor.clean(value) })
    });
    Environment { names, select }
}
