//! `bisect`: the commit after which a command gives other results (BX-3).
//!
//! The way of the data: `range` asks git which commit halves what is left → `trial` lays it out, runs the command and
//! compares its results with those of the good commit → here the range shrinks, until one commit is left. It is the
//! search of `git bisect`, with a comparison under tolerance as its test; work tree, index and refs are never touched.

mod range;
mod trial;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::range::Range;
pub use self::trial::Outcome;
use self::trial::Trials;
use crate::git::{GitError, Repository};
use crate::port::{Comparer, PortError};
use crate::rule::Rule;
use crate::tree::copy::remove_tree;
use crate::world::{DiskError, ProcessError, World};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct BisectOptions {
    /// A folder of the repository's work tree; the command runs in the same folder of each commit.
    pub folder: PathBuf,
    /// A revision whose results are right.
    pub good: String,
    /// A later revision whose results are wrong.
    pub bad: String,
    /// The command and its arguments; a single one is a line of shell. `{out}` and `{tree}` become the folder for its
    /// results and the commit's tree.
    pub command: Vec<String>,
    /// What is compared, relative to the commit's folder; what the command writes into `{out}` when left out.
    pub path: Option<PathBuf>,
    /// When results are equal.
    pub rule: Rule,
    /// A run of the command takes no longer than this.
    pub timeout: Duration,
    /// A folder that is made for the trials and removed after them; its parent exists.
    pub scratch: PathBuf,
}

/// One commit, and what came of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its full id.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Bisection {
    /// The good commit.
    pub good: String,
    /// The bad commit.
    pub bad: String,
    /// Every commit that was tried, in order.
    pub steps: Vec<Step>,
    /// The first commit with other results is among these; one, unless commits could not be tried.
    pub suspects: Vec<(String, String)>,
}

impl Bisection {
    /// The commit that broke equality, if it is a single one.
    pub fn found(&self) -> Option<&Step> {
        let [(commit, _)] = self.suspects.as_slice() else { return None };
        self.steps.iter().find(|step| step.commit == *commit)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BisectError {
    /// Git has no answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The command could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The results of the good commit cannot be compared even with themselves.
    #[error(transparent)]
    Port(#[from] PortError),
    /// There is nothing to look for between the two.
    #[error("{what}")]
    Ends {
        /// What is wrong with the two ends.
        what: String,
        /// The next move.
        help: String,
    },
}

impl BisectError {
    fn ends(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Ends { what: what.into(), help: help.into() }
    }
}

/// Finds the first commit from `good` to `bad` whose results differ from those of `good`. It is assumed, as in any
/// bisection, that results once different stay different up to `bad`. `told` hears of each trial before it begins, with
/// the number of commits that are left.
///
/// # Errors
///
/// When an end cannot be run, the good one does not give the same results twice, or both give the same.
pub fn bisect(
    world: &World,
    comparer: &dyn Comparer,
    options: &BisectOptions,
    told: &mut dyn FnMut(&str, usize),
) -> Result<Bisection, BisectError> {
    let disk = world.disk.as_ref();
    disk.make_directory(&options.scratch, 0o700)?;
    let found = search(world, comparer, options, told);
    let removed = remove_tree(disk, &options.scratch);
    let found = found?;
    removed?;
    Ok(found)
}

fn search(
    world: &World,
    comparer: &dyn Comparer,
    options: &BisectOptions,
    told: &mut dyn FnMut(&str, usize),
) -> Result<Bisection, BisectError> {
    let git = Repository { world, folder: &options.folder };
    let mut range = Range::between(git, &options.good, &options.bad)?;
    let (good, bad) = (range.good().to_owned(), range.bad().to_owned());
    let mut left = range.left()?;
    told(&range.subject(&good)?, left.len());
    let mut trials = Trials::against(git, comparer, options, &good)?;
    let mut steps = Vec::new();
    told(&range.subject(&bad)?, left.len());
    let outcome = trials.of(&bad)?;
    refuse_ends(&outcome)?;
    steps.push(Step { subject: range.subject(&bad)?, commit: bad.clone(), outcome });
    while let Some(next) = range.halving(&left) {
        let subject = range.subject(&next)?;
        told(&subject, left.len());
        let outcome = trials.of(&next)?;
        range.learn(&next, &outcome);
        steps.push(Step { commit: next, subject, outcome });
        left = range.left()?;
    }
    let suspects = left.into_iter().map(|commit| Ok((range.subject(&commit)?, commit)));
    let suspects: Result<Vec<_>, GitError> = suspects.collect();
    let suspects = suspects?.into_iter().map(|(subject, commit)| (commit, subject)).collect();
    Ok(Bisection { good, bad, steps, suspects })
}

fn refuse_ends(bad: &Outcome) -> Result<(), BisectError> {
    match bad {
        Outcome::Different { .. } => Ok(()),
        Outcome::Equal { .. } => Err(BisectError::ends(
            "the results of the bad commit equal those of the good one: there is nothing to look for",
            "name another commit with `--bad`, or compare more strictly",
        )),
        Outcome::Skipped { why } => Err(BisectError::ends(
            format!("the bad commit cannot be judged: {why}"),
            "name a commit that runs with `--bad`",
        )),
    }
}

/// A folder below `parent` that does not exist yet.
pub fn free_scratch(world: &World, parent: &Path) -> Result<PathBuf, DiskError> {
    let process = world.surroundings.process_id();
    let mut number = 0_u64;
    loop {
        let folder = parent.join(format!("switchback-bisect-{process}-{number}"));
        if world.disk.look(&folder)?.is_none() {
            return Ok(folder);
        }
        number += 1;
    }
}
