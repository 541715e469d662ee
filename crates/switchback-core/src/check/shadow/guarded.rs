//! One side of a shadow: its command in a folder of its own, with what it tried to reach outside.

use std::path::{Path, PathBuf};

use super::{Ring, shell};
use crate::world::{Attempt, Command, Confinement, Finished, Guard, TOLD_BYTES_MAX, Told};

/// A command that ran.
#[derive(Debug)]
pub(super) struct Ran {
    /// `old` or `new`.
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) finished: Finished,
    pub(super) told: Told,
}

impl Ran {
    /// What it tried first, and how much more.
    pub(super) fn tried(&self) -> Option<String> {
        let first = self.told.attempts.first().map(Attempt::words)?;
        let more = self.told.attempts.len() - 1;
        Some(if more == 0 { first } else { format!("{first} (and {more} more)") })
    }
}

/// Where a side works.
#[derive(Debug)]
pub(super) struct Place {
    name: &'static str,
    /// All that it may write to, its tree apart.
    pub(super) folder: PathBuf,
    pub(super) tree: PathBuf,
    pub(super) out: PathBuf,
    /// Where its copy of the input is.
    pub(super) inputs: PathBuf,
    pub(super) input: PathBuf,
    told: PathBuf,
}

impl Place {
    pub(super) fn new(
        name: &'static str,
        folder: &Path,
        tree: PathBuf,
        input: &Path,
    ) -> Result<Self, String> {
        let file = input.file_name().ok_or("the input has no name")?;
        let own = folder.join(name);
        Ok(Self {
            name,
            tree,
            out: own.join("out"),
            inputs: own.join("input"),
            input: own.join("input").join(file),
            told: folder.join(format!("{name}.told")),
            folder: own,
        })
    }
}

/// Runs a command where it can reach nothing but what is allowed.
pub(super) fn run(ring: &Ring<'_>, line: &str, place: Place) -> Result<Ran, String> {
    let (name, disk) = (place.name, ring.world.disk.as_ref());
    let allowed = ring.allowed;
    let mut command = Command::shell("", &place.tree, ring.timeout);
    let input = place.input.display().to_string();
    let filled = shell::filled_with(line, &place.tree, &place.out, &[("input", &input)]);
    if let Some(last) = command.argv.last_mut() {
        *last = filled;
    }
    command.variables = shell::variables(&place.tree, &place.out);
    command.variables.push(("SWITCHBACK_INPUT".to_owned(), input));
    // Caches are no results; in the home of whoever runs this they would be an effect outside.
    command.variables.push(("XDG_CACHE_HOME".to_owned(), place.folder.join("cache").display().to_string()));
    let open = [&place.folder, &place.tree].into_iter().chain(&allowed.paths).cloned().collect();
    command.confinement = Some(Confinement {
        open,
        is_strict: true,
        guard: Some(Guard {
            told: place.told.clone(),
            hosts: allowed.hosts.clone(),
            programs: allowed.programs.clone(),
        }),
        ..ring.confinement.clone()
    });
    let finished = ring.world.processes.run(&command).map_err(|error| format!("{name}: {error}"))?;
    let told = match disk.look(&place.told).map_err(|error| error.to_string())? {
        Some(_) => disk.read(&place.told, TOLD_BYTES_MAX).map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    let told = Told::read(&String::from_utf8_lossy(&told));
    if !told.is_guarded {
        let words = shell::last_words(&finished);
        return Err(format!("{name}: it could not be kept from reaching outside, and was not run{words}"));
    }
    Ok(Ran { name, place, finished, told })
}
