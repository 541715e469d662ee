//! What git knows of a project: whether its last commit can be the candidate, and what else could be.

use std::path::Path;
use std::time::Duration;

use super::layout::Item;
use super::listing::Listing;
use super::names;
use crate::world::{Command, World};

const GIT_S_MAX: u64 = 60;
const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// So many branches and tags are asked for.
const OTHERS_MAX: usize = 5;
/// Made anew by whoever needs it: that git does not have it is no loss.
const MADE_ANEW: [&str; 7] = [
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    ".DS_Store",
    ".hypothesis",
];

/// What git knows.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Why no revision can be the candidate; nothing when the last commit can.
    pub(super) unusable: Option<String>,
    /// Managed files that differ from the last commit.
    pub(super) changed: Vec<String>,
    /// Files below managed paths that git does not have.
    pub(super) untracked: Vec<String>,
    /// Branches and tags with commits that are not live, newest first.
    pub(super) others: Vec<String>,
}

/// Asks git about the project at `root`; `None` when it is in no repository.
pub(super) fn look(world: &World, root: &Path, managed: &[Item]) -> Option<History> {
    let git = Git { world, root };
    if git.ask(&["rev-parse", "--is-inside-work-tree"], &[]).ok()?.trim() != "true" {
        return None;
    }
    let mut history = History::default();
    if git.ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], &[]).is_err() {
        history.unusable = Some("the repository has no commit yet".to_owned());
        return Some(history);
    }
    let paths: Vec<&str> = managed.iter().map(|item| item.path.as_str()).collect();
    match git.facts(&paths, &mut history) {
        Ok(()) => {}
        Err(why) => history.unusable = Some(format!("git could not tell what it has: {why}")),
    }
    Some(history)
}

/// The files of a revision as a listing.
///
/// # Errors
///
/// What git says when it does not have the revision.
pub(super) fn listing(world: &World, root: &Path, revision: &str) -> Result<Listing, String> {
    let git = Git { world, root };
    let commit = format!("{revision}^{{commit}}");
    let commit = git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit], &[])?;
    let text = git.ask(&["ls-tree", "-r", "-l", "-z", commit.trim()], &[])?;
    let mut listing = Listing::default();
    for line in text.split('\0').filter(|line| !line.is_empty()) {
        let Some((head, path)) = line.split_once('\t') else { continue };
        let mut fields = head.split_whitespace();
        let (mode, size) = (fields.next().unwrap_or_default(), fields.nth(2).unwrap_or_default());
        let is_ours = path.split('/').all(|part| !names::is_tool_folder(part) || !path.contains('/'));
        // A name that git had to mask, a link, a submodule: nothing that a plan would name.
        if is_ours && mode.starts_with("100") && !path.contains(['\u{fffd}', '\n']) {
            listing.add_file(path, size.parse().unwrap_or(0));
        }
    }
    listing.sort();
    Ok(listing)
}

struct Git<'a> {
    world: &'a World,
    root: &'a Path,
}

impl Git<'_> {
    fn facts(&self, paths: &[&str], history: &mut History) -> Result<(), String> {
        let list = |text: String| -> Vec<String> {
            text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()
        };
        let tree = self.ask(&["ls-tree", "-r", "-z", "HEAD"], paths)?;
        let is_module = |entry: &&str| entry.starts_with("160000 ");
        if tree.is_empty() {
            history.unusable = Some("the last commit has none of the managed paths".to_owned());
        } else if let Some(module) =
            tree.split('\0').find(is_module).and_then(|entry| entry.split('\t').nth(1))
        {
            let why = format!(
                "the submodule `{}` is managed, and git keeps its content elsewhere",
                crate::plan::shown(module)
            );
            history.unusable = Some(why);
        }
        history.changed =
            list(self.ask(&["diff", "--name-only", "--no-ext-diff", "--relative", "-z", "HEAD"], paths)?);
        let untracked = list(self.ask(&["ls-files", "--others", "--directory", "-z"], paths)?);
        let is_made_anew = |path: &String| {
            path.strip_suffix(".pyc").is_some()
                || path.trim_end_matches('/').split('/').any(|part| MADE_ANEW.contains(&part))
        };
        history.untracked = untracked.into_iter().filter(|path| !is_made_anew(path)).collect();
        history.others = self.others(paths)?;
        Ok(())
    }

    /// Branches and tags that are newer than what is live (an old one is rarely what is to come) and have some of the
    /// managed paths.
    fn others(&self, paths: &[&str]) -> Result<Vec<String>, String> {
        let seconds = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
        let newest = seconds(&self.ask(&["log", "-1", "--format=%ct", "HEAD"], &[])?);
        let places = ["refs/heads", "refs/tags", "refs/remotes"];
        let mut question = vec!["for-each-ref", "--sort=-creatordate", "--no-merged=HEAD", "--count=50"];
        question.push("--format=%(creatordate:unix) %(refname:short)");
        question.extend(places);
        let refs = self.ask(&question, &[])?;
        let newer = refs.lines().filter_map(|line| {
            let (time, name) = line.split_once(' ')?;
            (seconds(time) >= newest && !name.ends_with("/HEAD")).then(|| name.to_owned())
        });
        let has_code = |name: &String| {
            let names = self.ask(&["ls-tree", "--name-only", "-z", "--end-of-options", name], paths);
            names.is_ok_and(|names| !names.is_empty())
        };
        Ok(newer.take(2 * OTHERS_MAX).filter(has_code).take(OTHERS_MAX).collect())
    }

    /// Asks git a question about paths, each taken letter by letter. Nothing is written, no hook or helper is run.
    fn ask(&self, arguments: &[&str], paths: &[&str]) -> Result<String, String> {
        let mut argv = vec!["git", "-c", "core.fsmonitor=false"];
        argv.extend(arguments);
        if !paths.is_empty() {
            argv.push("--");
        }
        argv.extend(paths);
        let command = Command {
            argv: argv.into_iter().map(str::to_owned).collect(),
            directory: self.root.to_owned(),
            variables: [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_LITERAL_PATHSPECS", "1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            timeout: Duration::from_secs(GIT_S_MAX),
            output_bytes_max: OUTPUT_BYTES_MAX,
            confinement: None,
        };
        let finished = self.world.processes.run(&command).map_err(|error| error.to_string())?;
        if !finished.succeeded() {
            return Err(finished.last_line().unwrap_or_else(|| "it has no such revision".to_owned()));
        }
        Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
    }
}
