//! The commit of what a phase brought (RE-17): the managed paths and nothing else, as they were proved, with a message made from the
//! evidence.
//!
//! The commit is made beside branch and index, where nobody sees it → the journal says that the branch is about to hold it → the branch is
//! led there, if it still holds what the commit was made on → the index follows. Whoever was killed in between goes on with the
//! same command, and nothing is committed twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::certified::{self, Certificate};
use super::message::{Told, message};
use super::taken::{Taken, certificate_in, taken};
use super::{api, facts};
use crate::certificate::content::{content_hash, path_hashes};
use crate::git::{GitError, Repository};
use crate::journal::{CommitFact, Event, PhaseHistory};
use crate::manifest::{Kind, Manifest, What};
use crate::phase::layout::live_base;
use crate::phase::look::{LOOK_AGAIN, contents, void_outcome};
use crate::phase::seal::named_manifest;
use crate::phase::{StepError, Work};
use crate::plan::Phase;
use crate::report::last_outcomes;
use crate::tree::copy::{make_directories, remove_tree};
use crate::verdict::Verdict;

/// So many paths are named one by one.
const NAMED_MAX: usize = 10;
/// What Python makes by itself is no part of what was proved.
const BYTECODE: &str = "__pycache__";

/// What is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitOptions {
    /// The phase; `None`: the one that went live last.
    pub phase: Option<String>,
    /// A certificate that the message names by its hash, absolute; `None`: the one of the package, where there is one.
    pub certificate: Option<PathBuf>,
    /// Whether it is only shown.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// *yes*: the branch holds it, or would.
    pub verdict: Verdict,
    /// The phase.
    pub phase: String,
    /// Every reason why it was not committed.
    pub reasons: Vec<String>,
    /// The next move.
    pub next: String,
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// The full id of the commit; empty where there is none.
    pub commit: String,
    /// Its message; empty where it was committed before.
    pub message: String,
    /// Paths that differ from what the branch held, relative to the top of the work tree.
    pub paths: Vec<String>,
    /// Whether it was committed before.
    pub was_there: bool,
}

/// Commits what a phase brought.
///
/// # Errors
///
/// When it is not live, or git cannot do it.
pub fn commit(work: &Work<'_>, options: &CommitOptions) -> Result<Commitment, StepError> {
    let (phase, history) = chosen(work, options.phase.as_deref())?;
    let git = Git { work, repository: Repository { world: work.world(), folder: &work.project.root } };
    let branch = git.branch()?;
    let transaction = history.staged.as_ref().map(|staged| staged.transaction.clone()).unwrap_or_default();
    let mut commitment = Commitment {
        verdict: Verdict::Yes,
        phase: phase.name.clone(),
        reasons: Vec::new(),
        next: String::new(),
        branch: branch.trim_start_matches("refs/heads/").to_owned(),
        commit: String::new(),
        message: String::new(),
        paths: Vec::new(),
        was_there: false,
    };
    let known = work.history().commits.get(&transaction).cloned();
    if let Some(known) = known
        && git.holds(&known.commit)
    {
        git.settle(&known, &phase.name, &transaction)?;
        commitment.commit = known.commit;
        commitment.was_there = true;
        return Ok(commitment);
    }
    let parent = git.ask(&["rev-parse", "--verify", "HEAD^{commit}"])?;
    let folder = work.attempt("commit")?;
    make_directories(work.world().disk.as_ref(), &work.project.root, &folder)?;
    let made = Making { git: &git, phase, history: &history, folder: &folder }.make(
        &parent,
        options,
        &mut commitment,
    );
    remove_tree(work.world().disk.as_ref(), &folder)?;
    made?;
    if commitment.verdict == Verdict::Yes && !options.dry_run {
        let fact = CommitFact { branch, parent, commit: commitment.commit.clone(), is_done: false };
        work.record(Event::CommitStarted {
            phase: phase.name.clone(),
            transaction: transaction.clone(),
            branch: fact.branch.clone(),
            parent: fact.parent.clone(),
            commit: fact.commit.clone(),
        })?;
        git.lead(&fact, &phase.name)?;
        git.settle(&fact, &phase.name, &transaction)?;
    }
    Ok(commitment)
}

/// The phase of that name, or the one that went live last. Nothing but what is live is committed.
fn chosen<'w>(work: &'w Work<'_>, name: Option<&str>) -> Result<(&'w Phase, PhaseHistory), StepError> {
    let (plan, history) = (work.plan(), work.history());
    let nothing = |what: String| {
        StepError::not_now(
            what,
            "`switchback run` goes on until it is live; `switchback status` says what it waits for",
        )
    };
    let phase = if let Some(name) = name {
        plan.phase(name).ok_or_else(|| StepError::NoPhase(name.to_owned()))?
    } else {
        let last = history.last_live().and_then(|last| plan.phase(&last.name));
        last.ok_or_else(|| nothing("no phase is live: there is nothing to commit".to_owned()))?
    };
    let found =
        history.phase(&phase.name).filter(|history| history.state.is_live() && history.staged.is_some());
    let found = found.cloned();
    let found = found.ok_or_else(|| {
        nothing(format!("the phase `{}` is not live: there is nothing to commit", phase.name))
    })?;
    Ok((phase, found))
}

/// The repository, with errors that say what to do.
struct Git<'a> {
    work: &'a Work<'a>,
    repository: Repository<'a>,
}

impl Git<'_> {
    fn refused(&self, error: GitError) -> StepError {
        match error {
            GitError::Disk(error) => error.into(),
            GitError::Process(_) | GitError::Refused { .. } => StepError::not_now(
                self.work.redactor.clean(&format!("the commit could not be made: {error}")),
                "look at the repository with `git status`, then run the same command again",
            ),
        }
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, StepError> {
        self.repository.ask(arguments).map_err(|error| self.refused(error))
    }

    /// The branch that is checked out, as git calls it in full.
    fn branch(&self) -> Result<String, StepError> {
        let is_work_tree = self.repository.ask(&["rev-parse", "--is-inside-work-tree"]);
        if !is_work_tree.is_ok_and(|answer| answer == "true") {
            return Err(StepError::not_now(
                "the project is in no work tree of git: there is nothing to commit to",
                "`git init` and a first commit make one; what is live does not depend on it",
            ));
        }
        self.repository.ask(&["symbolic-ref", "--quiet", "HEAD"]).map_err(|_| {
            StepError::not_now(
                "no branch is checked out: a commit would be lost",
                "`git switch BRANCH`, or `git switch --create BRANCH`, then run the same command again",
            )
        })
    }

    /// Whether what is checked out has that commit in its past.
    fn holds(&self, commit: &str) -> bool {
        self.repository.ask(&["merge-base", "--is-ancestor", commit, "HEAD"]).is_ok()
    }

    /// Leads the branch to the commit, if it still holds what that was made on.
    fn lead(&self, fact: &CommitFact, phase: &str) -> Result<(), StepError> {
        let words = format!("switchback: phase {phase}");
        self.ask(&["update-ref", "-m", &words, &fact.branch, &fact.commit, &fact.parent]).map(|_| ())
    }

    /// What follows once the branch holds the commit. Doing it twice is doing it once.
    fn settle(&self, fact: &CommitFact, phase: &str, transaction: &str) -> Result<(), StepError> {
        if fact.is_done {
            return Ok(());
        }
        let differs = |from: &str| {
            Ok::<_, StepError>(!self.ask(&["diff", "--cached", "--name-only", from])?.is_empty())
        };
        // An index that is neither is somebody's work since then, and is left alone.
        if differs(&fact.commit)? && !differs(&fact.parent)? {
            // Without a look at the files: they are as the commit has them, and not as the index does.
            self.ask(&["read-tree", "-i", "-m", &fact.parent, &fact.commit])?;
        }
        // It says so by its exit code where files differ from the index, which is nothing against it.
        drop(self.repository.ask(&["update-index", "-q", "--refresh"]));
        self.work.record(Event::Committed {
            phase: phase.to_owned(),
            transaction: transaction.to_owned(),
            commit: fact.commit.clone(),
        })
    }
}

/// A commit that is being made.
struct Making<'a> {
    git: &'a Git<'a>,
    phase: &'a Phase,
    history: &'a PhaseHistory,
    /// A folder that is thrown away.
    folder: &'a Path,
}

impl Making<'_> {
    /// Makes the commit, unless something speaks against it. Neither branch nor index is touched.
    fn make(
        &self,
        parent: &str,
        options: &CommitOptions,
        commitment: &mut Commitment,
    ) -> Result<(), StepError> {
        let work = self.git.work;
        self.look_at_outcomes(commitment);
        self.look_at_index(commitment)?;
        let index = self.folder.join("index");
        let beside = |arguments: &[&str]| {
            self.git.repository.ask_beside(&index, arguments).map_err(|error| self.git.refused(error))
        };
        beside(&["read-tree", parent])?;
        let paths = self.paths()?;
        if !paths.is_empty() {
            let literal = paths.iter().map(|path| format!(":(literal){path}"));
            let except = format!(":(exclude,glob)**/{BYTECODE}/**");
            let paths: Vec<String> = literal.chain([except]).collect();
            let mut arguments = vec!["add", "--all", "--"];
            arguments.extend(paths.iter().map(String::as_str));
            beside(&arguments)?;
        }
        let tree = beside(&["write-tree"])?;
        let new = self.look_at_tree(commitment)?;
        let package = self.package()?;
        let certificate = self.look_at_certificate(&new, options, package.as_ref(), commitment)?;
        let changed = self.git.ask(&["diff", "--no-renames", "--name-only", "-z", parent, &tree])?;
        commitment.paths = changed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        if commitment.verdict != Verdict::Yes {
            return Ok(());
        }
        if commitment.paths.is_empty() {
            return Err(StepError::not_now(
                format!("`{}` holds what is live already: there is nothing to commit", commitment.branch),
                "somebody committed it, or git ignores what is managed; `git status` tells",
            ));
        }
        commitment.message = self.message(&new, package.as_ref(), certificate.as_ref())?;
        if options.dry_run {
            return Ok(());
        }
        let file = self.folder.join("message");
        work.world().disk.write_new(&file, 0o600, &mut commitment.message.as_bytes())?;
        let file = file.display().to_string();
        let mut arguments = vec!["commit-tree", "-p", parent, "-F", &file];
        if self.git.repository.ask(&["config", "--type=bool", "commit.gpgSign"]).is_ok_and(|is| is == "true")
        {
            arguments.push("-S");
        }
        arguments.push(&tree);
        commitment.commit = self.git.ask(&arguments)?;
        Ok(())
    }

    /// What the checks said last, of which none may say anything but *yes*.
    fn look_at_outcomes(&self, commitment: &mut Commitment) {
        let counts = |at: &str| at != "before" && at != "now";
        let outcomes: Vec<_> =
            last_outcomes(self.history).into_iter().filter(|fact| counts(&fact.at)).collect();
        let plan = self.git.work.plan();
        for fact in &outcomes {
            if let Some(why) = void_outcome(plan, self.phase, self.history, fact) {
                commitment.close(Verdict::No, why, LOOK_AGAIN);
                continue;
            }
            if fact.verdict == Verdict::Yes {
                continue;
            }
            let reason = format!("{} at {}: {}", fact.check, fact.at, fact.summary);
            commitment.close(
                fact.verdict,
                reason,
                "`switchback doctor` looks what is wrong; `switchback rollback` takes it back",
            );
        }
        if outcomes.is_empty() {
            let reason = "no check looked at it: nothing is proved of it".to_owned();
            commitment.close(Verdict::Unknown, reason, "add a check to `switchback.toml`");
        }
    }

    /// What somebody else has begun in the repository.
    fn look_at_index(&self, commitment: &mut Commitment) -> Result<(), StepError> {
        for (name, what) in
            [("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("REVERT_HEAD", "revert")]
        {
            if self.git.repository.ask(&["rev-parse", "--verify", "--quiet", name]).is_ok() {
                let reason = format!("a {what} is under way in the repository");
                commitment.close(
                    Verdict::No,
                    reason,
                    &format!("end it: `git {what} --continue` or `--abort`"),
                );
            }
        }
        let staged = self.git.ask(&["diff", "--cached", "--no-renames", "--name-only", "-z", "HEAD"])?;
        let staged: Vec<String> =
            staged.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        if !staged.is_empty() {
            let reason = format!("the index holds what somebody prepared for a commit: {}", few(&staged));
            commitment.close(
                Verdict::No,
                reason,
                "commit it, or `git restore --staged` it, then run the same command again",
            );
        }
        Ok(())
    }

    /// The managed paths that git can take: those that are there, or were.
    fn paths(&self) -> Result<Vec<String>, StepError> {
        let work = self.git.work;
        let (disk, root) = (work.world().disk.as_ref(), &work.project.root);
        if live_base(disk, root, &work.plan().project.managed)? != *root {
            return Err(StepError::not_now(
                "the managed paths are links (`mechanism = \"pointer\"`): git would commit the links and not what they lead to",
                "commit a copy of what they lead to, or take the exchange as mechanism",
            ));
        }
        let mut paths = Vec::new();
        for managed in &work.plan().project.managed {
            let name = managed.path.to_str().ok_or_else(|| {
                let what = format!("`{}` has a name that is not UTF-8", managed.path.display());
                StepError::not_now(what, "rename it, or commit it by hand")
            })?;
            let pattern = format!(":(literal){name}");
            let is_known = !self.git.ask(&["ls-files", "-z", "--", &pattern])?.is_empty();
            let is_ignored = self.git.repository.ask(&["check-ignore", "--quiet", "--", name]).is_ok();
            let is_there = disk.look(&root.join(&managed.path))?.is_some();
            if is_known || (is_there && !is_ignored) {
                paths.push(name.to_owned());
            }
        }
        Ok(paths)
    }

    /// Holds what is live against the candidate that was proved, whose manifest is returned.
    fn look_at_tree(&self, commitment: &mut Commitment) -> Result<Manifest, StepError> {
        let work = self.git.work;
        let root = &work.project.root;
        let new_tree = self.history.staged.as_ref().map(|staged| staged.new_tree.clone()).unwrap_or_default();
        let proved = work.evidence.get_manifest(work.world().disk.as_ref(), &new_tree)?;
        let mut other: Vec<String> = Vec::new();
        for managed in &work.plan().project.managed {
            let live = named_manifest(work.world(), &root.join(&managed.path), &managed.path)?;
            let is_folder = |path: &Path| {
                let kind = |manifest: &Manifest| manifest.get(path).map(|entry| entry.kind.clone());
                let is = |kind: Option<Kind>| kind.is_none_or(|kind| kind == Kind::Directory);
                is(kind(&live)) && is(kind(&proved))
            };
            for difference in proved.below(&managed.path).differences(&live) {
                let path = &difference.path;
                let is_bytecode = path.components().any(|part| part.as_os_str() == BYTECODE);
                let counts =
                    matches!(difference.what, What::Added | What::Removed | What::Content | What::Mode);
                if !counts || is_bytecode || is_folder(path) {
                    continue;
                }
                let name = path.to_string_lossy().into_owned();
                if self.git.repository.ask(&["check-ignore", "--quiet", "--", &name]).is_err() {
                    other.push(name);
                }
            }
        }
        if !other.is_empty() {
            let reason = format!("what is live is not what was proved: {}", few(&other));
            commitment.close(
                Verdict::No,
                reason,
                "put back what was changed since the cutover, or name it in `.gitignore`; a change of its own is a phase of its own",
            );
        }
        Ok(proved)
    }

    /// The package that the candidate came from.
    fn package(&self) -> Result<Option<Taken>, StepError> {
        let Some(staged) = &self.history.staged else { return Ok(None) };
        taken(self.git.work, staged)
    }

    /// The certificate that the message names, which has to be about what was proved.
    fn look_at_certificate(
        &self,
        new: &Manifest,
        options: &CommitOptions,
        package: Option<&Taken>,
        commitment: &mut Commitment,
    ) -> Result<Option<Certificate>, StepError> {
        let work = self.git.work;
        let certificate = match (&options.certificate, package) {
            (Some(file), _) => Some(Certificate::read(work, file)?),
            (None, Some(package)) => certificate_in(work, package)?,
            (None, None) => None,
        };
        // What it was made from may be another tree where a package is taken: the review of it says so.
        let fault = certificate.as_ref().and_then(|one| one.fault(work, None, &self.path_hashes(new)));
        if let Some((verdict, reason)) = fault {
            commitment.close(verdict, reason, certified::NEXT);
        }
        Ok(certificate)
    }

    fn path_hashes(&self, manifest: &Manifest) -> BTreeMap<String, String> {
        let managed = &self.git.work.plan().project.managed;
        let managed: Vec<PathBuf> = managed.iter().map(|managed| managed.path.clone()).collect();
        path_hashes(manifest, &managed)
    }

    fn message(
        &self,
        new: &Manifest,
        package: Option<&Taken>,
        certificate: Option<&Certificate>,
    ) -> Result<String, StepError> {
        let work = self.git.work;
        let Some(staged) = &self.history.staged else { return Ok(String::new()) };
        let old = work.evidence.get_manifest(work.world().disk.as_ref(), &staged.old_tree)?;
        let (old_at, new_at) = contents(work, self.phase)?;
        let mut found = facts::files(work, (&old, new), (&old_at, &new_at))?;
        found.made_by = self.phase.changes.iter().map(|change| change.change.describe()).collect();
        found.api = api::compare(work, (&old_at, &new_at), &found.moved)?;
        let tree = content_hash(&self.path_hashes(new));
        let certificate = certificate.map(Certificate::hash);
        let told = Told { facts: &found, tree: &tree, package, certificate: certificate.as_deref() };
        Ok(message(work, self.phase, self.history, &told))
    }
}

impl Commitment {
    fn close(&mut self, verdict: Verdict, reason: String, next: &str) {
        self.verdict = self.verdict.and(verdict);
        self.reasons.push(reason);
        if self.next.is_empty() {
            next.clone_into(&mut self.next);
        }
    }
}

fn few(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(NAMED_MAX).map(|path| format!("`{path}`")).collect();
    match paths.len().saturating_sub(NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
