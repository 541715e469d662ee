//! Trees that are hard to carry: modes, owners, times, links of both kinds, attributes, odd names, empty folders.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use switchback_core::world::{Disk, DiskError};

/// The managed paths of a scratch project. `created` is in generation 1 alone and `removed` in all others, so each step
/// makes one and removes the other; `same` never changes; `config/pipeline` stands in a folder that is not managed.
pub const MANAGED: [&str; 7] =
    ["config/pipeline", "created", "empty", "removed", "same", "settings.toml", "src"];

/// 2027-01-15T08:00:00Z in nanoseconds; each generation is some seconds and nanoseconds later.
const START_NS: i128 = 1_800_000_000_000_000_000;
const GENERATION_NS: i128 = 1_000_000_007;

/// Writes the managed paths of a generation (0, 1, 2 …) into `folder`, which exists.
pub fn write_generation(disk: &dyn Disk, folder: &Path, generation: u32) -> Result<(), DiskError> {
    let mut tree = Tree { disk, folder, generation, made: Vec::new() };
    tree.source()?;
    if disk.look(&folder.join("config"))?.is_none() {
        disk.make_directory(&folder.join("config"), 0o755)?;
    }
    tree.directory("config/pipeline", 0o755)?;
    tree.file("config/pipeline/base.yml", 0o644)?;
    tree.file("config/pipeline/stages.yml", 0o640)?;
    // Differs in its mode alone.
    tree.directory("empty", if generation.is_multiple_of(2) { 0o700 } else { 0o750 })?;
    tree.file("settings.toml", 0o664)?;
    if generation == 1 {
        tree.directory("created", 0o755)?;
        tree.file("created/first.py", 0o644)?;
    } else {
        tree.directory("removed", 0o711)?;
        tree.file("removed/last.py", 0o644)?;
    }
    tree.set_times(START_NS + i128::from(generation) * GENERATION_NS)?;
    tree.generation = 0;
    tree.directory("same", 0o755)?;
    tree.file("same/same.txt", 0o644)?;
    tree.set_times(START_NS)
}

#[derive(Debug)]
struct Tree<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    generation: u32,
    made: Vec<PathBuf>,
}

impl Tree<'_> {
    fn source(&mut self) -> Result<(), DiskError> {
        let generation = self.generation;
        self.directory("src", 0o755)?;
        self.file("src/main.py", 0o644)?;
        self.file("src/secret.key", 0o600)?;
        self.file("src/first.dat", 0o644)?;
        let second = self.folder.join("src/second.dat");
        self.disk.make_hard_link(&self.folder.join("src/first.dat"), &second)?;
        let target = if generation == 0 { "main.py" } else { "first.dat" };
        self.link("src/current", target)?;
        self.link("src/dangling", "nowhere")?;
        // Content that no generation changes, with a mode that each does.
        self.write(
            Path::new("src/tool.sh"),
            b"#!/bin/sh\nexit 0\n",
            if generation == 0 { 0o644 } else { 0o4755 },
        )?;
        self.write(
            Path::new(OsStr::from_bytes(b"src/odd \xff name")),
            format!("odd {generation}").as_bytes(),
            0o644,
        )?;
        self.directory("src/deep", 0o750)?;
        self.directory("src/deep/hollow", 0o555)?;
        self.file(&format!("src/deep/only-in-{generation}"), 0o444)?;
        self.note("src/main.py")?;
        self.give_away("src/secret.key")
    }

    fn directory(&mut self, path: &str, mode: u32) -> Result<(), DiskError> {
        let at = self.folder.join(path);
        self.disk.make_directory(&at, mode)?;
        self.disk.set_mode(&at, mode)?;
        self.made.push(at);
        Ok(())
    }

    /// Content that no other file of any generation has, so that a hash tells which file it is.
    fn file(&mut self, path: &str, mode: u32) -> Result<(), DiskError> {
        let content = format!("{path} of generation {}\n", self.generation);
        self.write(Path::new(path), content.as_bytes(), mode)
    }

    fn write(&mut self, path: &Path, mut content: &[u8], mode: u32) -> Result<(), DiskError> {
        let at = self.folder.join(path);
        self.disk.write_new(&at, mode, &mut content)?;
        self.disk.set_mode(&at, mode)?;
        self.made.push(at);
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) -> Result<(), DiskError> {
        let at = self.folder.join(path);
        self.disk.make_symlink(Path::new(target), &at)?;
        self.made.push(at);
        Ok(())
    }

    /// An extended attribute, where the file system has them.
    fn note(&self, path: &str) -> Result<(), DiskError> {
        let value = self.generation.to_string();
        match self.disk.set_xattr(&self.folder.join(path), OsStr::new("user.generation"), value.as_bytes()) {
            Err(error) if error.source.kind() != std::io::ErrorKind::Unsupported => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Another owner, where this user may set one.
    fn give_away(&self, path: &str) -> Result<(), DiskError> {
        if !rustix::process::getuid().is_root() {
            return Ok(());
        }
        let owner = 4_000 + self.generation;
        self.disk.set_owner(&self.folder.join(path), owner, owner)
    }

    /// Children first: making an entry changes the time of its folder.
    fn set_times(&mut self, mtime_ns: i128) -> Result<(), DiskError> {
        for path in std::mem::take(&mut self.made).iter().rev() {
            self.disk.set_times(path, mtime_ns, mtime_ns)?;
        }
        Ok(())
    }
}
