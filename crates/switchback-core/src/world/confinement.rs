//! Commands that can do no harm: the kernel (Landlock, Linux 5.19 and newer) refuses them what they must not write or read.
//!
//! A process can only confine itself. So a confined command is started through this very program, which gives up
//! its rights and then becomes the command. Landlock knows no *all but this*: what stays allowed is listed, everything that
//! stands around the closed paths, from the root of the file system down. What is new there later is refused too.
//! It governs content and names; modes, owners and times can still be set, and are seen by comparing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr,
};

use super::guard::Guard;

/// The first version of Landlock that lets files be renamed between folders: with an older one, ordinary tools fail.
const NEEDED: ABI = ABI::V2;
/// The newest version that is made use of: with it, files cannot be truncated either.
const WANTED: ABI = ABI::V3;
/// What every program may write to, however confined it is.
pub(super) const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
    "/proc",
];

/// What a command may do to the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// A tree that it may not write to.
    pub closed: PathBuf,
    /// Where it may write all the same; a folder for temporary files is made in the first one.
    pub open: Vec<PathBuf>,
    /// Whether it may write nowhere else at all, not even outside of the closed tree.
    pub is_strict: bool,
    /// What it may not read or execute.
    pub hidden: Vec<PathBuf>,
    /// What it may reach beside the disk, where it is watched at each step.
    pub guard: Option<Guard>,
}

/// Why a process could not confine itself.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    /// A path that the rules are about could not be looked at.
    #[error("`{}`: {source}", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The kernel refused a rule.
    #[error("the kernel refuses the rules: {0}")]
    Rules(String),
}

/// Whether this kernel can confine a command.
pub fn is_supported() -> bool {
    static IS_SUPPORTED: OnceLock<bool> = OnceLock::new();
    *IS_SUPPORTED.get_or_init(|| {
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        ruleset.handle_access(AccessFs::from_all(NEEDED)).is_ok_and(|ruleset| ruleset.create().is_ok())
    })
}

impl Confinement {
    /// The arguments of the subcommand `confined` that say all of this; the command itself goes behind `--`.
    pub fn to_arguments(&self) -> Vec<OsString> {
        let mut arguments = vec![OsString::from("--closed"), self.closed.clone().into_os_string()];
        for (flag, paths) in [("--open", &self.open), ("--hidden", &self.hidden)] {
            for path in paths {
                arguments.extend([OsString::from(flag), path.clone().into_os_string()]);
            }
        }
        if self.is_strict {
            arguments.push(OsString::from("--strict"));
        }
        arguments.extend(self.guard.iter().flat_map(Guard::to_arguments));
        arguments
    }

    /// Confines this process, for good. Returns where its temporary files go, when they cannot go where they go now.
    ///
    /// # Errors
    ///
    /// When a path cannot be looked at or the kernel refuses a rule. The process is not confined then.
    pub fn enter(&self, temporary: &Path) -> Result<Option<PathBuf>, ConfinementError> {
        let closed = canonical(&self.closed)?;
        let temporary = canonical(temporary).unwrap_or_else(|_| temporary.to_owned());
        let own = match self.open.first() {
            Some(open) if self.is_strict || closed.starts_with(&temporary) => Some(open.join("tmp")),
            Some(_) | None => None,
        };
        if let Some(own) = &own {
            make_folder(own)?;
        }
        let hidden: Vec<PathBuf> = self.hidden.iter().filter_map(|path| canonical(path).ok()).collect();
        let writing = AccessFs::from_write(WANTED);
        let reading =
            if hidden.is_empty() { BitFlags::EMPTY } else { AccessFs::ReadFile | AccessFs::Execute };
        let mut rules: Vec<(PathBuf, BitFlags<AccessFs>)> = Vec::new();
        if self.is_strict {
            rules.extend(DEVICES.iter().map(|device| (PathBuf::from(device), writing)));
        } else {
            rules.extend(around(&[closed])?.into_iter().map(|path| (path, writing)));
        }
        rules.extend(self.open.iter().map(|path| (path.clone(), writing | reading)));
        if !hidden.is_empty() {
            rules.extend(around(&hidden)?.into_iter().map(|path| (path, reading)));
        }
        restrict(writing | reading, &rules).map_err(ConfinementError::Rules)?;
        Ok(own)
    }
}

fn restrict(handled: BitFlags<AccessFs>, rules: &[(PathBuf, BitFlags<AccessFs>)]) -> Result<(), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled)
        .map_err(|error| words(&error))?;
    let mut ruleset = ruleset.create().map_err(|error| words(&error))?;
    for (path, access) in rules {
        // What is gone by now needs no rule.
        let Ok(descriptor) = PathFd::new(path) else { continue };
        let rule = PathBeneath::new(descriptor, *access).set_compatibility(CompatLevel::BestEffort);
        ruleset = ruleset.add_rule(rule).map_err(|error| words(&error))?;
    }
    let status = ruleset.restrict_self().map_err(|error| words(&error))?;
    match status.ruleset {
        landlock::RulesetStatus::NotEnforced => Err("they were not enforced".to_owned()),
        landlock::RulesetStatus::FullyEnforced | landlock::RulesetStatus::PartiallyEnforced => Ok(()),
    }
}

/// Paths that together hold everything but `closed`, which are canonical.
fn around(closed: &[PathBuf]) -> Result<Vec<PathBuf>, ConfinementError> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("/")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if closed.contains(&path) {
                continue;
            }
            if closed.iter().any(|closed| closed.starts_with(&path)) {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// What is in a folder, links left out: a rule about a link would be one about whatever it leads to, and that has a
/// place of its own.
#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ConfinementError> {
    let failed = |source| ConfinementError::Path { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn canonical(path: &Path) -> Result<PathBuf, ConfinementError> {
    std::fs::canonicalize(path).map_err(|source| ConfinementError::Path { path: path.to_owned(), source })
}

#[expect(clippy::disallowed_methods, reason = "this is the door that the ban points to")]
fn make_folder(path: &Path) -> Result<(), ConfinementError> {
    std::fs::create_dir_all(path).map_err(|source| ConfinementError::Path { path: path.to_owned(), source })
}
