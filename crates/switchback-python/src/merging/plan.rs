//! The plan of a merge: every file classified and merged, what may have moved, the proof, before anything is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use switchback_core::git::{GitError, Repository};
use switchback_core::tree::copy::{make_directories, remove_tree};
use switchback_core::verdict::Verdict;
use switchback_core::world::{DiskError, World};

use super::collision;
use super::decision::{self, Decisions};
use super::driver::DriverError;
use super::file::{MergedFile, Merging};
use super::following::{Follow, follow};
use super::lines::Labels;
use super::pairing::{Candidate, Paired, Trio, pair};
use super::rules::MergeRules;
use super::side::{self, Opened, Side, There};
use super::union::{Sources, Union, prove};
use super::users::{self, User, Users};
use crate::index::module_name;
use crate::moving::{MoveError, STACK_BYTES};
use crate::roots;
use crate::tree::{PYTHON_BYTES_MAX, Tree, has_extension};

/// What is to be merged, and how.
#[derive(Debug, Clone)]
pub struct MergeOptions {
    /// The project: folders are relative to it, and what is written lies in it.
    pub root: PathBuf,
    /// Where the changes come from.
    pub source: Side,
    /// What the merged tree takes the place of.
    pub target: Side,
    /// What both come from; found in the repository where source and target say which commits they are of.
    pub base: Option<Side>,
    /// The rules.
    pub rules: MergeRules,
    /// The folder of the rules file, from which `file` in decisions is meant.
    pub rules_folder: PathBuf,
    /// Files of the project that say what is to be merged, plan and rules: they stay as they are.
    pub kept: Vec<String>,
    /// Source roots, relative to the project; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Whether the source goes when the merge is written: whoever else names it is rewritten. Only after the checks of
    /// the phase: nothing here runs them.
    pub removes_source: bool,
    /// A folder of the project's state in which commits are laid out and drivers run; made, and removed.
    pub scratch: PathBuf,
}

/// A merge that could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// Neither a folder nor a commit.
    #[error("`{0}` is neither a folder nor a commit of this repository")]
    NoSide(String),
    /// One tree twice.
    #[error("source and target are the same tree, `{0}`")]
    Same(String),
    /// A tree without files.
    #[error("there is no file in `{0}`")]
    Nothing(String),
    /// A rule that puts a file where nothing is merged.
    #[error("the rules put `{0}` outside of the target")]
    OutsideTarget(String),
    /// Two files of one side that come to lie at one path.
    #[error("`{one}` and `{other}` would both be `{path}` in the merged tree")]
    Twice {
        /// One file.
        one: String,
        /// The other.
        other: String,
        /// Where both would be.
        path: String,
    },
    /// A rule that means nothing in any tree.
    #[error("no tree has a module, file or folder `{0}`, which a rule moves")]
    NoSuchMove(String),
    /// A move that could not be followed.
    #[error("in `{side}`: {source}")]
    Move {
        /// Which tree.
        side: String,
        /// Why.
        source: MoveError,
    },
    /// Git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file that could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A driver that could not be run.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// The source cannot go.
    #[error("the source `{0}` is no folder of the project: it cannot be removed")]
    NoSource(String),
    /// No threads.
    #[error("no threads could be started: {0}")]
    Threads(String),
}

/// A merge as it would be done.
#[derive(Debug)]
pub struct MergePlan {
    /// The project.
    pub root: PathBuf,
    /// Where the merged tree will be, in the project; nothing when the target is a commit or lies elsewhere.
    pub target: Option<String>,
    /// Where the source is, in the project; nothing when it is a commit or lies elsewhere.
    pub source: Option<String>,
    /// What the sides are called.
    pub labels: Labels,
    /// Whether an ancestor is known.
    pub has_base: bool,
    /// The files, by path; what both sides took out is not there.
    pub files: Vec<MergedFile>,
    /// Files that may have moved: shown, not applied.
    pub candidates: Vec<Candidate>,
    /// Entries that are no plain files with names in UTF-8, and submodules: not merged.
    pub odd: Vec<PathBuf>,
    /// Where each file of the source stood, and where what became of it stands; both in the project.
    pub taken_over: Vec<(String, String)>,
    /// Files outside of both trees that name what moves, and follow.
    pub users: Vec<User>,
    /// What speaks against their edits.
    pub users_against: Vec<String>,
    /// Whether the source goes.
    pub removes_source: bool,
    /// What is to be said: decisions that are void, ancestors that were chosen.
    pub notes: Vec<String>,
    /// The proof.
    pub union: Union,
    /// The files of the target as they are on the disk: path in the target, hash.
    pub(super) there: BTreeMap<String, There>,
    /// The files of the source as they are on the disk.
    pub(super) source_there: BTreeMap<String, There>,
}

impl MergePlan {
    /// Whether nothing is open and nothing is lost; *unknown* when there was nothing that could be lost.
    pub fn verdict(&self) -> Verdict {
        if self.open() > 0 || !self.union.holds() || !self.users_against.is_empty() {
            Verdict::No
        } else if self.union.definitions == 0 || !self.union_is_whole() {
            Verdict::Unknown
        } else {
            Verdict::Yes
        }
    }

    /// How many conflicts nobody decided.
    pub fn open(&self) -> usize {
        self.files.iter().map(MergedFile::open).sum()
    }

    /// Whether every file that was put together could be compared.
    fn union_is_whole(&self) -> bool {
        let put_together = |path: &str| self.files.iter().any(|file| file.path == path && !file.is_verbatim);
        !self.union.unparsed.iter().any(|one| put_together(&one.path))
    }
}

/// Plans a merge; nothing is touched.
pub fn plan(world: &World, options: &MergeOptions) -> Result<MergePlan, MergeError> {
    // Source that nests deeply needs a deep stack.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build();
    let pool = pool.map_err(|error| MergeError::Threads(error.to_string()))?;
    let disk = world.disk.as_ref();
    remove_tree(disk, &options.scratch)?;
    make_directories(disk, &options.root, &options.scratch)?;
    let planned = pool.install(|| Work { world, options }.plan());
    remove_tree(disk, &options.scratch)?;
    planned
}

struct Work<'a> {
    world: &'a World,
    options: &'a MergeOptions,
}

/// The sides under the names of the merge.
struct All {
    base: Option<Opened>,
    source: Opened,
    target: Opened,
}

impl Work<'_> {
    fn plan(&self) -> Result<MergePlan, MergeError> {
        let options = self.options;
        if options.source == options.target {
            return Err(MergeError::Same(options.source.label()));
        }
        let mut notes = Vec::new();
        let base = self.base(&mut notes);
        let labels = Labels {
            source: options.source.label(),
            target: options.target.label(),
            base: base.as_ref().map_or_else(|| "base".to_owned(), Side::label),
        };
        let (all, odd) = self.open(base.as_ref())?;
        let Paired { trios, candidates } = pair(all.base.as_ref(), &all.source, &all.target);
        let files = decision::files(&options.rules.decisions)
            .map(|file| file.map(|file| self.decided(file)).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let decisions = Decisions::new(&options.rules.decisions, files);
        let merging = Merging {
            world: self.world,
            base: all.base.as_ref(),
            source: &all.source,
            target: &all.target,
            rules: &options.rules,
            decisions: &decisions,
            labels: &labels,
            scratch: &options.scratch,
        };
        let merged: Result<Vec<Option<MergedFile>>, MergeError> =
            trios.par_iter().map(|trio| merging.file(trio)).collect();
        let mut merged = merged?;
        collision::find(&trios, &mut merged, &decisions);
        let union = self.prove(&all, &trios, &merged)?;
        notes.extend(decisions.told());
        let of_folder = |side: &Side| match side {
            Side::Folder(_) => side.prefix(&options.root),
            Side::Revision { .. } => None,
        };
        let taken_over = self.taken_over(&all.source, of_folder(&options.target), &trios, &merged);
        let source = of_folder(&options.source);
        if options.removes_source && source.is_none() {
            return Err(MergeError::NoSource(options.source.label()));
        }
        let users = self.users(of_folder(&options.target).as_deref(), source.as_deref())?;
        Ok(MergePlan {
            taken_over,
            root: options.root.clone(),
            target: of_folder(&options.target),
            source,
            users: users.users,
            users_against: users.against,
            removes_source: options.removes_source,
            has_base: all.base.is_some(),
            labels,
            files: merged.into_iter().flatten().collect(),
            candidates,
            odd,
            notes,
            union,
            there: all.target.there,
            source_there: all.source.there,
        })
    }

    /// Where files of the source stood in the project, and where they stand now.
    fn taken_over(
        &self,
        source: &Opened,
        target: Option<String>,
        trios: &[Trio<'_>],
        merged: &[Option<MergedFile>],
    ) -> Vec<(String, String)> {
        let Some(target) = target.filter(|_| matches!(self.options.source, Side::Folder(_))) else {
            return Vec::new();
        };
        let pairs = trios.iter().zip(merged).filter_map(|(trio, file)| {
            let origin = source.origin(trio.source?)?;
            let old = origin.strip_prefix(&self.options.root).ok()?.to_str()?.to_owned();
            let file = file.as_ref().filter(|file| file.stands())?;
            Some((old, if target.is_empty() { file.path.clone() } else { format!("{target}/{}", file.path) }))
        });
        pairs.collect()
    }

    /// Who else names what moves.
    fn users(&self, target: Option<&str>, source: Option<&str>) -> Result<Users, MergeError> {
        let Some(target) = target else { return Ok(Users::default()) };
        let by = Follow {
            root: &self.options.root,
            rules: &self.options.rules,
            source_roots: &self.options.source_roots,
            kept: &self.options.kept,
            target,
        };
        users::find(self.world, &by, source, self.options.removes_source)
    }

    /// The text of a decision that names a file.
    fn decided(&self, file: &Path) -> Result<Vec<u8>, MergeError> {
        let place = self.options.root.join(&self.options.rules_folder).join(file);
        Ok(self.world.disk.read(&place, PYTHON_BYTES_MAX)?)
    }

    /// What both sides come from: as it was said, or where their commits meet.
    fn base(&self, notes: &mut Vec<String>) -> Option<Side> {
        let options = self.options;
        if options.base.is_some() {
            return options.base.clone();
        }
        let (one, other) = match (&options.source, &options.target) {
            (Side::Revision { revision, .. }, Side::Revision { revision: other, .. }) => {
                (revision.as_str(), other.as_str())
            }
            // The work tree comes from the commit that is checked out.
            (Side::Revision { revision, .. }, Side::Folder(_))
                if options.target.prefix(&options.root).is_some() =>
            {
                (revision.as_str(), "HEAD")
            }
            _ => return None,
        };
        let git = Repository { world: self.world, folder: &options.root };
        let Ok(found) = git.ask(&["merge-base", "--all", one, other]) else {
            notes.push(format!("`{one}` and `{other}` have no commit in common: merged without an ancestor"));
            return None;
        };
        let mut commits = found.lines();
        let first = commits.next()?;
        if commits.next().is_some() {
            notes
                .push(format!("`{one}` and `{other}` have several ancestors in common; `{first}` was taken"));
        }
        Some(Side::Revision { revision: first.to_owned(), path: None })
    }

    /// Opens all sides, each after the moves of the rules.
    fn open(&self, base: Option<&Side>) -> Result<(All, Vec<PathBuf>), MergeError> {
        let options = self.options;
        let own = |side: &Side| side.prefix(&options.root);
        let (source_own, target_own) = (own(&options.source), own(&options.target));
        // A commit without a folder means the folder of the other side.
        let target_prefix = target_own.clone().or_else(|| match options.target {
            Side::Revision { .. } => source_own.clone(),
            Side::Folder(_) => None,
        });
        let target_prefix = target_prefix.unwrap_or_default();
        let source_prefix = match options.source {
            Side::Revision { .. } => source_own.unwrap_or_else(|| target_prefix.clone()),
            Side::Folder(_) => source_own.unwrap_or_default(),
        };
        let base_prefix = base.map(|base| match base {
            Side::Revision { .. } => own(base).unwrap_or_else(|| target_prefix.clone()),
            Side::Folder(_) => source_prefix.clone(),
        });
        let source = self.listed(&options.source, &source_prefix, "source")?;
        let target = self.listed(&options.target, &target_prefix, "target")?;
        let source = without(source, &source_prefix, &target_prefix);
        let target = without(target, &target_prefix, &source_prefix);
        let base = base.zip(base_prefix.as_ref()).map(|(side, prefix)| self.listed(side, prefix, "base"));
        let base = base.transpose()?;
        for (tree, side) in [(&source, &options.source), (&target, &options.target)] {
            if tree.files.is_empty() {
                return Err(MergeError::Nothing(side.label()));
            }
        }
        let mut odd: Vec<PathBuf> = source.odd.iter().chain(&target.odd).cloned().collect();
        odd.sort();
        odd.dedup();
        let follow_up = Follow {
            root: &options.root,
            rules: &options.rules,
            source_roots: &options.source_roots,
            kept: &options.kept,
            target: &target_prefix,
        };
        let mut unknown: Option<BTreeSet<String>> = None;
        let mut opened = |tree: Tree, prefix: &str, side: &str| {
            let followed = follow(&follow_up, tree, prefix, side)?;
            unknown = Some(match unknown.take() {
                Some(known) => known.intersection(&followed.unknown).cloned().collect(),
                None => followed.unknown,
            });
            side::open(followed.tree, prefix, &target_prefix, &followed.moved)
        };
        let all = All {
            source: opened(source, &source_prefix, "source")?,
            target: opened(target, &target_prefix, "target")?,
            base: base
                .zip(base_prefix.as_ref())
                .map(|(tree, prefix)| opened(tree, prefix, "base"))
                .transpose()?,
        };
        if let Some(name) = unknown.into_iter().flatten().next() {
            return Err(MergeError::NoSuchMove(name));
        }
        Ok((all, odd))
    }

    fn listed(&self, side: &Side, prefix: &str, name: &str) -> Result<Tree, MergeError> {
        side::list(self.world, &self.options.root, side, prefix, &self.options.scratch.join(name))
    }

    fn prove(
        &self,
        all: &All,
        trios: &[Trio<'_>],
        merged: &[Option<MergedFile>],
    ) -> Result<Union, MergeError> {
        let prefix = self.options.target.prefix(&self.options.root).unwrap_or_default();
        let roots = if self.options.source_roots.is_empty() {
            roots::discover(&all.target.tree)
        } else {
            self.options.source_roots.iter().map(|root| roots::normal(root)).collect()
        };
        let given_up: BTreeSet<&str> =
            self.options.rules.given_up.iter().map(|one| one.name.as_str()).collect();
        let parts: Result<Vec<Union>, DiskError> = trios
            .par_iter()
            .zip(merged)
            .filter_map(|(trio, file)| Some((trio, file.as_ref()?)))
            .filter(|(_, file)| is_python(file))
            .map(|(trio, file)| {
                let read = |opened: Option<&Opened>, version: Option<&side::Version>| match (opened, version)
                {
                    (Some(opened), Some(version)) => opened.bytes(version),
                    _ => Ok(None),
                };
                let base = read(all.base.as_ref(), trio.base)?;
                let source = read(Some(&all.source), trio.source)?;
                let target = read(Some(&all.target), trio.target)?;
                let sources =
                    Sources { base: base.as_deref(), source: source.as_deref(), target: target.as_deref() };
                let place =
                    if prefix.is_empty() { file.path.clone() } else { format!("{prefix}/{}", file.path) };
                let module = module_name(&place, &roots).map_or(place, |name| name.dotted);
                Ok(prove(file, sources, &module, &given_up))
            })
            .collect();
        let mut union = Union::default();
        parts?.into_iter().for_each(|part| union.add(part));
        Ok(union)
    }
}

/// A tree without the other one, where that lies in it.
fn without(tree: Tree, own: &str, other: &str) -> Tree {
    if side::below(other, own).is_none_or(str::is_empty) || other == own {
        return tree;
    }
    let files = tree.files.iter().filter(|file| side::below(&file.path, other).is_none());
    let files = files.map(|file| file.placed(file.path.clone())).collect();
    tree.with(files)
}

fn is_python(file: &MergedFile) -> bool {
    file.bytes().is_some()
        && ["py", "pyi", "pyw"].iter().any(|extension| has_extension(&file.path, extension))
}
