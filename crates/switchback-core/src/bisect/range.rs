//! The commits between good and bad, and which of them halves what is left; git computes both.

use std::collections::{BTreeMap, BTreeSet};

use super::BisectError;
use super::trial::Outcome;
use crate::git::{GitError, Repository};

/// What is known of the commits between two ends.
#[derive(Debug)]
pub(super) struct Range<'a> {
    git: Repository<'a>,
    good: Vec<String>,
    bad: String,
    skipped: BTreeSet<String>,
    subjects: BTreeMap<String, String>,
}

impl<'a> Range<'a> {
    /// The range between two revisions; the good one must be an ancestor of the bad one.
    pub(super) fn between(git: Repository<'a>, good: &str, bad: &str) -> Result<Self, BisectError> {
        let named = |flag: &str, revision: &str| {
            git.commit(revision).map_err(|error| match error {
                GitError::Refused { .. } => BisectError::ends(
                    format!("`{flag} {revision}` is not a commit of this repository"),
                    "`git log --oneline` lists the commits",
                ),
                other => other.into(),
            })
        };
        if git.ask(&["rev-parse", "--show-toplevel"]).is_err() {
            return Err(BisectError::ends(
                format!("`{}` is in no git work tree", git.folder.display()),
                "run it in the project, or name the project with `-C`",
            ));
        }
        let (first, last) = (named("--good", good)?, named("--bad", bad)?);
        if first == last {
            return Err(BisectError::ends(
                "good and bad are the same commit",
                "name an earlier commit with `--good`",
            ));
        }
        if git.ask(&["merge-base", "--is-ancestor", &first, &last]).is_err() {
            return Err(BisectError::ends(
                format!("`{good}` is not an ancestor of `{bad}`: there is no way from one to the other"),
                "name a commit that `--bad` descends from; `git merge-base` finds one",
            ));
        }
        Ok(Self { git, good: vec![first], bad: last, skipped: BTreeSet::new(), subjects: BTreeMap::new() })
    }

    pub(super) fn good(&self) -> &str {
        self.good.first().map_or("", String::as_str)
    }

    pub(super) fn bad(&self) -> &str {
        &self.bad
    }

    /// The commits that can still be the first bad one, the best to try next first, the bad one last.
    pub(super) fn left(&self) -> Result<Vec<String>, GitError> {
        let not: Vec<String> = self.good.iter().map(|commit| format!("^{commit}")).collect();
        let mut question = vec!["rev-list", "--bisect-all", self.bad.as_str()];
        question.extend(not.iter().map(String::as_str));
        let said = self.git.ask(&question)?;
        // `--bisect-all` sorts by how evenly a commit halves the range; behind each hash stands that distance.
        let mut left: Vec<String> =
            said.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
        left.retain(|commit| *commit != self.bad);
        left.push(self.bad.clone());
        Ok(left)
    }

    /// The next commit to try; `None` when no untried one is left.
    pub(super) fn halving(&self, left: &[String]) -> Option<String> {
        left.iter().find(|commit| **commit != self.bad && !self.skipped.contains(*commit)).cloned()
    }

    /// Takes in what came of a commit.
    pub(super) fn learn(&mut self, commit: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Equal { .. } => self.good.push(commit.to_owned()),
            Outcome::Different { .. } => commit.clone_into(&mut self.bad),
            Outcome::Skipped { .. } => {
                self.skipped.insert(commit.to_owned());
            }
        }
    }

    /// The first line of a commit's message.
    pub(super) fn subject(&mut self, commit: &str) -> Result<String, GitError> {
        if let Some(known) = self.subjects.get(commit) {
            return Ok(known.clone());
        }
        let subject = self.git.ask(&["log", "-1", "--format=%s", commit])?;
        self.subjects.insert(commit.to_owned(), subject.clone());
        Ok(subject)
    }
}
