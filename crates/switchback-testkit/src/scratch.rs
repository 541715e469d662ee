//! A temporary project with everything that a fault can break.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::phase::{Nobody, Point, Ports, Project, RunOptions, Work, run};
use switchback_core::tree::copy::{Copier, remove_tree};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk, World};
use tempfile::TempDir;

use crate::Trouble;
use crate::content::{MANAGED, write_generation};
use crate::standing::{Sides, Standing};

/// How the candidate goes live, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Real folders, exchanged one by one.
    Exchange,
    /// Real folders that become links through the pointer.
    Adoption,
    /// Links through the pointer already: phase `one` is finished, and phase `two` is what is tried.
    Pointer,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Exchange, Self::Adoption, Self::Pointer];

    /// The phase that is tried.
    pub fn phase(self) -> &'static str {
        if self == Self::Pointer { "two" } else { "one" }
    }

    fn mechanism(self) -> &'static str {
        if self == Self::Exchange { "exchange" } else { "pointer" }
    }
}

/// A project, its candidates beside it, and what both sides of the change look like.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: Arc<TempDir>,
    root: PathBuf,
    /// Both sides of the phase that is tried.
    pub sides: Sides,
    /// How it goes live.
    pub layout: Layout,
}

impl Scratch {
    /// A project whose phase (see [`Layout::phase`]) has not begun.
    pub fn new(layout: Layout) -> Result<Self, Trouble> {
        let folder = Arc::new(temporary_folder()?);
        let place = |name: &str| folder.path().join(name);
        for (generation, name) in ["project", "candidate-1", "candidate-2"].into_iter().enumerate() {
            RealDisk.make_directory(&place(name), 0o755)?;
            write_generation(&RealDisk, &place(name), u32::try_from(generation).unwrap_or_default())?;
        }
        let root = place("project");
        for (name, content) in [("README.md", "not managed\n"), ("config/other.yml", "not managed either\n")]
        {
            RealDisk.write_new(&root.join(name), 0o644, &mut content.as_bytes())?;
        }
        RealDisk.write_new(&root.join("switchback.toml"), 0o644, &mut plan(layout).as_bytes())?;
        let sides = match layout {
            Layout::Exchange | Layout::Adoption => Sides::of(&root, &place("candidate-1"))?,
            Layout::Pointer => Sides::of(&place("candidate-1"), &place("candidate-2"))?,
        };
        let scratch = Self { folder, root, sides, layout };
        if layout == Layout::Pointer {
            scratch.run_until("one", Point::Finished)?;
        }
        Ok(scratch)
    }

    /// A project whose candidate is staged, checked and approved: a run goes on with the cutover.
    pub fn staged(layout: Layout) -> Result<Self, Trouble> {
        let scratch = Self::new(layout)?;
        scratch.run_until(layout.phase(), Point::Approved)?;
        Ok(scratch)
    }

    fn run_until(&self, phase: &str, until: Point) -> Result<(), Trouble> {
        let project = Project::open(&self.root, &self.ports(World::real()))?;
        let work = Work::begin(project, "run", &Nobody)?;
        let options = RunOptions { phase: Some(phase.to_owned()), until: Some(until), restage: false };
        let outcome = run(&work, &options)?;
        if outcome.verdict == Verdict::Yes { Ok(()) } else { Err(Trouble::Held(outcome.reasons.join("; "))) }
    }

    /// The program's own wiring in a world.
    pub fn ports(&self, world: World) -> Ports {
        switchback_cli::ports(world)
    }

    /// The project's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A copy of the whole project beside it, snapshots left out. Its inodes are others, as after any copy, so what is
    /// live in it can no longer be told apart by identity: copy before a cutover, not after it.
    pub fn copy(&self, name: &str) -> Result<Self, Trouble> {
        let root = self.folder.path().join(name);
        remove_tree(&RealDisk, &root)?;
        let snapshots = self.root.join(".switchback/snapshots");
        Copier::new(&RealDisk).copy(&self.root, &root, &|path| path == snapshots)?;
        Ok(Self { root, ..self.clone() })
    }

    /// Removes this copy.
    pub fn discard(self) -> Result<(), Trouble> {
        Ok(remove_tree(&RealDisk, &self.root)?)
    }

    /// What the live tree is.
    pub fn standing(&self) -> Result<Standing, Trouble> {
        self.sides.standing(&self.root)
    }

    /// The files of either side whose content is nowhere in the project.
    pub fn lost(&self) -> Result<Vec<PathBuf>, Trouble> {
        self.sides.lost(&self.root)
    }
}

fn plan(layout: Layout) -> String {
    let managed: Vec<String> = MANAGED.iter().map(|path| format!("\"{path}\"")).collect();
    let phases: &[_] = if layout == Layout::Pointer { &[("one", 1), ("two", 2)] } else { &[("one", 1)] };
    let phases: Vec<String> = phases
        .iter()
        .map(|(phase, candidate)| {
            format!(
                "[[phase]]\nname = \"{phase}\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../candidate-{candidate}\"\n"
            )
        })
        .collect();
    format!(
        "version = 1\n\n[project]\nname = \"scratch\"\nmanaged = [{}]\nmechanism = \"{}\"\n\n{}",
        managed.join(", "),
        layout.mechanism(),
        phases.join("\n")
    )
}

/// In memory where there is such a place: a test that starts a thousand processes must not wait for a disk, and a
/// killed process loses nothing of what it handed to the kernel on either.
fn temporary_folder() -> Result<TempDir, Trouble> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("switchback-scratch-");
    match builder.tempdir_in("/dev/shm") {
        Ok(folder) => Ok(folder),
        Err(_) => Ok(builder.tempdir()?),
    }
}
