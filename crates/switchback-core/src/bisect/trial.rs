//! One commit tried: laid out in a folder of its own, the command run there, its results compared with the good ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{BisectError, BisectOptions};
use crate::check::shell;
use crate::git::{GitError, Repository};
use crate::port::Comparer;
use crate::tree::copy::remove_tree;
use crate::verdict::Verdict;
use crate::world::{Command, Confinement, Finished};

/// What came of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its results equal those of the good commit.
    Equal {
        /// In one line.
        summary: String,
    },
    /// They differ.
    Different {
        /// In one line, with the first difference.
        summary: String,
        /// The document of the comparison, `switchback/compare/1`.
        report: String,
    },
    /// It could not be judged.
    Skipped {
        /// Why.
        why: String,
    },
}

/// Tries commits against the results of the good one.
#[derive(Debug)]
pub(super) struct Trials<'a> {
    git: Repository<'a>,
    comparer: &'a dyn Comparer,
    options: &'a BisectOptions,
    good: PathBuf,
    // Commits of one tree (merges, reverts) have one answer.
    known: BTreeMap<String, Outcome>,
    number: usize,
}

impl<'a> Trials<'a> {
    /// Runs the command at the good commit, twice: what it does not give twice cannot be compared.
    pub(super) fn against(
        git: Repository<'a>,
        comparer: &'a dyn Comparer,
        options: &'a BisectOptions,
        good: &str,
    ) -> Result<Self, BisectError> {
        let mut trials =
            Self { git, comparer, options, good: PathBuf::new(), known: BTreeMap::new(), number: 0 };
        let made = trials.results(good)?;
        trials.good = made.map_err(|why| {
            BisectError::ends(
                format!("the good commit cannot be judged: {why}"),
                "name a commit that runs with `--good`, or correct the command",
            )
        })?;
        match trials.of(good)? {
            Outcome::Equal { .. } => Ok(trials),
            Outcome::Different { summary, .. } => Err(BisectError::ends(
                format!("the good commit does not give the same results twice: {summary}"),
                "give the command a fixed seed, exclude what varies, or allow a tolerance",
            )),
            Outcome::Skipped { why } => Err(BisectError::ends(
                format!("the results of the good commit cannot be compared with themselves: {why}"),
                "correct the command, or name with `--path` what is to be compared",
            )),
        }
    }

    /// What comes of a commit.
    pub(super) fn of(&mut self, commit: &str) -> Result<Outcome, BisectError> {
        let tree = self.git.ask(&["rev-parse", &format!("{commit}^{{tree}}")])?;
        if let Some(known) = self.known.get(&tree) {
            return Ok(known.clone());
        }
        let outcome = match self.results(commit)? {
            Err(why) => Outcome::Skipped { why },
            Ok(results) => self.compared(&results),
        };
        remove_tree(self.git.world.disk.as_ref(), &self.folder())?;
        self.known.insert(tree, outcome.clone());
        Ok(outcome)
    }

    fn compared(&self, results: &Path) -> Outcome {
        match self.comparer.compare(&self.good, results, &self.options.rule) {
            Ok(comparison) => match comparison.verdict {
                Verdict::Yes => Outcome::Equal { summary: comparison.summary },
                Verdict::No => Outcome::Different { summary: comparison.summary, report: comparison.report },
                Verdict::Unknown => Outcome::Skipped { why: comparison.summary },
            },
            Err(error) => {
                let words = std::iter::once(&error.message).chain(&error.causes).map(String::as_str);
                Outcome::Skipped { why: words.collect::<Vec<_>>().join(": ") }
            }
        }
    }

    fn folder(&self) -> PathBuf {
        self.options.scratch.join(self.number.to_string())
    }

    /// Lays a commit out, runs the command, and returns where its results are; why there are none, if so.
    fn results(&mut self, commit: &str) -> Result<Result<PathBuf, String>, BisectError> {
        let disk = self.git.world.disk.as_ref();
        self.number += 1;
        let folder = self.folder();
        disk.make_directory(&folder, 0o700)?;
        let tree = match self.git.check_out(commit, &folder) {
            Ok(tree) => tree,
            Err(GitError::Refused { why, .. }) => return Ok(Err(format!("it cannot be checked out: {why}"))),
            Err(error) => return Err(error.into()),
        };
        if disk.look(&tree)?.is_none() {
            return Ok(Err("it does not have the project's folder".to_owned()));
        }
        let out = folder.join("out");
        disk.make_directory(&out, 0o700)?;
        let finished = self.run(&tree, &out)?;
        if !finished.succeeded() {
            let words = shell::last_words(&finished);
            return Ok(Err(format!("the command ended with {}{words}", finished.ending())));
        }
        let results = self.options.path.as_ref().map_or_else(|| out.clone(), |path| tree.join(path));
        if disk.look(&results)?.is_none() {
            return Ok(Err(format!("the command left no `{}`", results.display())));
        }
        if results == out && disk.list(&out)?.is_empty() {
            return Ok(Err("the command wrote nothing into `{out}`".to_owned()));
        }
        Ok(Ok(results))
    }

    fn run(&self, tree: &Path, out: &Path) -> Result<Finished, BisectError> {
        let mut command = match self.options.command.as_slice() {
            [line] => Command::shell(&shell::filled(line, tree, out), tree, self.options.timeout),
            argv => {
                let fill = |text: &String| {
                    text.replace("{out}", &out.display().to_string())
                        .replace("{tree}", &tree.display().to_string())
                };
                let shaped = Command::shell("", tree, self.options.timeout);
                Command { argv: argv.iter().map(fill).collect(), ..shaped }
            }
        };
        command.variables = shell::variables(tree, out);
        // A trial that wrote into the work tree would change what the next one starts from.
        command.confinement = self.git.world.processes.confines().then(|| Confinement {
            closed: self.options.folder.clone(),
            open: vec![self.options.scratch.clone()],
            ..Confinement::default()
        });
        Ok(self.git.world.processes.run(&command)?)
    }
}
