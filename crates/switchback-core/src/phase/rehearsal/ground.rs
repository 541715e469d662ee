//! The ground of a rehearsal: a throwaway copy of the project, with the candidate beside its live trees, and a
//! transaction of its own.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::NAMED_MAX;
use crate::journal::history::StagedFact;
use crate::manifest::{Manifest, What, to_hex};
use crate::phase::cut_over::participants;
use crate::phase::environment;
use crate::phase::error::StepError;
use crate::phase::gate::load_manifest;
use crate::phase::layout;
use crate::phase::look::contents;
use crate::phase::mechanism::park_copy;
use crate::phase::project::Work;
use crate::phase::seal::named_manifest;
use crate::phase::stage::{candidate, look_at_room, named};
use crate::phase::trees::{Contents, copy_project, copy_unmanaged, is_sibling};
use crate::plan::{Mechanism, Phase, STATE_FOLDER};
use crate::tree::copy::{Copier, keeping_time, make_directories, remove_tree};
use crate::tree::exchange::participant::link_target;
use crate::tree::exchange::{Prepare, Transaction, TransactionFile};
use crate::tree::{Seen, walk};
use crate::world::{Disk, FileKind, Identity};

/// Where the live trees of a project with the pointer layout stand in its copy.
const LIVE: &str = "live";
/// How many of a list of differences are named in a summary.
const SUMMARY_MAX: usize = 5;

/// Where each environment leads, by its path.
pub(super) type Environments = BTreeMap<PathBuf, Option<PathBuf>>;

/// The copy.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    work: &'a Work<'a>,
    phase: &'a Phase,
    staged: &'a StagedFact,
    folder: PathBuf,
    root: PathBuf,
    transaction: PathBuf,
}

/// What is in the copy at one moment.
#[derive(Debug)]
pub(super) struct State {
    /// The content of the managed paths.
    pub(super) managed: Manifest,
    /// Everything else, without its content: what changes a file changes its times.
    pub(super) around: Vec<Seen>,
}

impl<'a> Ground<'a> {
    /// Copies the project and the staged candidate into `folder`, and makes the transaction's file.
    pub(super) fn lay(
        work: &'a Work<'a>,
        phase: &'a Phase,
        staged: &'a StagedFact,
        folder: &Path,
    ) -> Result<Self, StepError> {
        let disk = work.world().disk.as_ref();
        let plan = work.plan();
        make_directories(disk, &work.project.root, folder)?;
        let root = folder.join("project");
        let (live, _) = contents(work, phase)?;
        look_at_room_for(work, staged)?;
        if layout::is_adopted(disk, &plan.root, &plan.project.managed)? {
            lay_pointed(work, &live, &root)?;
        } else {
            copy_project(work.world(), plan, &live, &root)?;
        }
        let transactions = root.join(STATE_FOLDER).join("txn");
        keeping_time(disk, &root, || make_directories(disk, &root, &transactions))?;
        let transaction = transactions.join(&staged.transaction);
        let ground = Self { work, phase, staged, folder: folder.to_owned(), root, transaction };
        ground.ready()?;
        Ok(ground)
    }

    /// Makes the transaction's file, and lays the candidate beside the live trees.
    fn ready(&self) -> Result<(), StepError> {
        let participants_max = self.staged.paths.len() + self.work.plan().project.managed.len() + 1;
        TransactionFile::create(self.disk(), &self.transaction, participants_max)?;
        self.lay_candidate()
    }

    /// Takes away everything that the transaction left, and makes the candidate ready to be brought in once more.
    pub(super) fn renew(&self) -> Result<(), StepError> {
        let (disk, id) = (self.disk(), self.staged.transaction.as_str());
        remove_tree(disk, &self.transaction)?;
        remove_tree(disk, &self.root.join(layout::generation(id)))?;
        remove_tree(disk, &self.root.join(STATE_FOLDER).join("undo"))?;
        let managed = self.work.plan().project.managed.iter().map(|managed| managed.path.as_path());
        let environments = self.staged.exchanged_environments().map(|one| Path::new(&one.path));
        for path in managed.chain(environments) {
            for place in self.beside(path)? {
                keeping_time(disk, place.parent().unwrap_or(&self.root), || remove_tree(disk, &place))?;
            }
        }
        self.ready()
    }

    /// What of the transaction stands beside a path.
    fn beside(&self, path: &Path) -> Result<Vec<PathBuf>, StepError> {
        let folder = self.root.join(path).parent().unwrap_or(&self.root).to_owned();
        if self.disk().look(&folder)?.is_none() {
            return Ok(Vec::new());
        }
        let is_ours = |name: &std::ffi::OsString| {
            let id = name.to_str().and_then(|name| layout::transaction_of_sibling(name, path));
            id == Some(self.staged.transaction.as_str())
        };
        let names = self.disk().list(&folder)?;
        Ok(names.into_iter().filter(is_ours).map(|name| folder.join(name)).collect())
    }

    /// Files of the live trees that are one file with what is kept of another path, in words: who writes to one writes to
    /// both, and that path would not go back to what it was. `None` when there is none.
    pub(super) fn shared_with_kept(&self) -> Result<Option<String>, StepError> {
        let is_linked = |seen: &Seen| seen.meta.kind != FileKind::Directory && seen.meta.links > 1;
        let mut live: HashMap<Identity, PathBuf> = HashMap::new();
        for seen in self.managed()?.into_iter().filter(is_linked) {
            live.entry(seen.meta.identity).or_insert(seen.path);
        }
        let mut named = Vec::new();
        for managed in &self.work.plan().project.managed {
            for place in self.beside(&managed.path)? {
                let kept = walk(self.disk(), &place, &[PathBuf::new()])?;
                for seen in kept.into_iter().filter(is_linked) {
                    let Some(path) = live.get(&seen.meta.identity) else { continue };
                    let other = managed.path.join(&seen.path);
                    named.push(format!("`{}` with `{}`", path.display(), other.display()));
                }
            }
        }
        Ok(few(&named))
    }

    /// What takes part in the exchange, by its live path.
    pub(super) fn participants(&self) -> Result<Vec<PathBuf>, StepError> {
        let managed = &self.work.plan().project.managed;
        let all = participants(self.disk(), &self.root, managed, self.staged)?;
        Ok(all.iter().map(|participant| participant.live().to_owned()).collect())
    }

    /// The folder that everything of the rehearsal is in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The root of the copy.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn disk(&self) -> &'a dyn Disk {
        self.work.world().disk.as_ref()
    }

    fn lay_candidate(&self) -> Result<(), StepError> {
        let disk = self.disk();
        let mechanism = Mechanism::from_word(&self.staged.mechanism).unwrap_or(Mechanism::Exchange);
        let mut copier = Copier::new(disk);
        for managed in &self.work.plan().project.managed {
            let place = candidate(mechanism, &self.staged.transaction, &managed.path);
            let (from, to) = (self.work.project.root.join(&place), self.root.join(&place));
            if disk.look(&from)?.is_none() {
                continue;
            }
            let parent = to.parent().unwrap_or(&self.root).to_owned();
            make_directories(disk, &self.root, &parent)?;
            keeping_time(disk, &parent, || copier.copy(&from, &to, &|_| false))?;
        }
        for path in self.staged.paths.iter().map(Path::new).filter(|path| !self.staged.is_environment(path)) {
            park_copy(disk, &self.root, mechanism, &self.staged.transaction, path)?;
        }
        for environment in self.staged.exchanged_environments() {
            let beside = layout::beside(Path::new(&environment.path), &self.staged.transaction);
            let from = self.work.project.root.join(&beside);
            let parent = self.root.join(&beside).parent().unwrap_or(&self.root).to_owned();
            make_directories(disk, &self.root, &parent)?;
            keeping_time(disk, &parent, || environment::link(disk, &from, &self.root, &beside))?;
        }
        Ok(())
    }

    /// Where each environment of the copy leads: to the live one, or to the one that was staged.
    pub(super) fn environments(&self) -> Result<Environments, StepError> {
        let mut found = BTreeMap::new();
        for dependencies in &self.work.plan().dependencies {
            let target = link_target(self.disk(), &self.root.join(&dependencies.path))?;
            found.insert(dependencies.path.clone(), target);
        }
        Ok(found)
    }

    /// Where each of them leads when the staged ones are in, except for those that are not.
    pub(super) fn environments_in(
        &self,
        before: &Environments,
        is_out: impl Fn(&Path) -> bool,
    ) -> Environments {
        let mut meant = before.clone();
        for path in self.staged.exchanged_environments().map(|one| PathBuf::from(&one.path)) {
            if !is_out(&path) {
                let beside = layout::beside(&path, &self.staged.transaction);
                meant.insert(path, Some(self.work.project.root.join(beside)));
            }
        }
        meant
    }

    /// The environments that do not lead to where they should, in words; `None` when all do.
    pub(super) fn led_astray(&self, meant: &Environments) -> Result<Option<String>, StepError> {
        let there = self.environments()?;
        let astray = meant.iter().filter(|(path, target)| there.get(*path) != Some(*target));
        let named: Vec<String> = astray.map(|(path, _)| format!("`{}`", path.display())).collect();
        Ok(few(&named))
    }

    /// Brings the candidate in, by the protocol of the cutover.
    pub(super) fn forward(&self) -> Result<(), StepError> {
        let disk = self.disk();
        let managed = &self.work.plan().project.managed;
        let prepare = Prepare {
            phase: self.phase.name.clone(),
            generation: 1,
            plan: to_hex(&self.work.plan().hash),
            participants: participants(disk, &self.root, managed, self.staged)?,
            takes_back: None,
        };
        Ok(self.open()?.cut_over(prepare)?)
    }

    /// Takes it out again, by the protocol of the rollback.
    pub(super) fn back(&self) -> Result<(), StepError> {
        Ok(self.open()?.roll_back(&[])?)
    }

    fn open(&self) -> Result<Transaction<'_>, StepError> {
        Transaction::open(self.disk(), &self.root, &self.transaction)?
            .ok_or_else(|| StepError::not_now("the transaction of the rehearsal is gone", "`switchback run`"))
    }

    /// What stands in the managed paths of the copy, without its content.
    pub(super) fn managed(&self) -> Result<Vec<Seen>, StepError> {
        let managed = &self.work.plan().project.managed;
        let base = layout::live_base(self.disk(), &self.root, managed)?;
        let paths: Vec<PathBuf> = managed.iter().map(|managed| managed.path.clone()).collect();
        Ok(walk(self.disk(), &base, &paths)?)
    }

    /// What is in the copy now.
    pub(super) fn state(&self) -> Result<State, StepError> {
        let plan = self.work.plan();
        let base = layout::live_base(self.disk(), &self.root, &plan.project.managed)?;
        let mut entries = Vec::new();
        for managed in &plan.project.managed {
            let content = base.join(&managed.path);
            entries.extend(named_manifest(self.work.world(), &content, &managed.path)?.entries);
        }
        let is_managed =
            |path: &Path| plan.project.managed.iter().any(|managed| path.starts_with(&managed.path));
        let is_ours = |path: &Path| {
            path.starts_with(STATE_FOLDER) || path.ancestors().any(|part| is_sibling(plan, part))
        };
        let mut around = walk(self.disk(), &self.root, &[PathBuf::new()])?;
        // An environment is exchanged too; where it leads is looked at by itself.
        let is_exchanged = |path: &Path| is_managed(path) || environment::is_environment(plan, path);
        around.retain(|seen| !is_exchanged(&seen.path) && !is_ours(&seen.path));
        Ok(State { managed: Manifest::from_entries(entries), around })
    }
}

/// Both trees are copied; how large the rest of the project is shows only while it is copied.
fn look_at_room_for(work: &Work<'_>, staged: &StagedFact) -> Result<(), StepError> {
    let (old, new) = (load_manifest(work, &staged.old_tree)?, load_manifest(work, &staged.new_tree)?);
    let entries = (old.entries.len() + new.entries.len()) as u64;
    look_at_room(work, "a rehearsal", old.bytes() + new.bytes(), entries)
}

/// Copies a project whose managed paths are links through the pointer.
fn lay_pointed(work: &Work<'_>, live: &Contents, root: &Path) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    disk.make_directory(root, 0o755)?;
    copy_unmanaged(work.world(), work.plan(), root)?;
    let mut copier = Copier::new(disk);
    for (path, content) in live {
        let Some(content) = content else { continue };
        if environment::is_environment(work.plan(), path) {
            environment::link(disk, content, root, path)?;
            continue;
        }
        let to = root.join(layout::pointed_tree(LIVE)).join(path);
        make_directories(disk, root, to.parent().unwrap_or(root))?;
        copier.copy(content, &to, &|_| false)?;
        let link = root.join(path);
        make_directories(disk, root, link.parent().unwrap_or(root))?;
        disk.make_symlink(&layout::pointer_link(path), &link)?;
    }
    Ok(disk.make_symlink(&layout::pointer_target(LIVE), &root.join(layout::pointer()))?)
}

/// What is different between two contents of the managed paths, in words; `None` when nothing is.
pub(super) fn named_content(then: &Manifest, now: &Manifest) -> Option<String> {
    // Links between managed paths are seen in one scan and not in the other.
    let is_real = then.differences(now).iter().any(|difference| difference.what != What::Links);
    is_real.then(|| named((then, now)))
}

/// What is different around the managed paths, in words; `None` when nothing is.
pub(super) fn named_around(then: &[Seen], now: &[Seen]) -> Option<String> {
    few(&differences_around(then, now))
}

/// The first ones of a list, and how many more there are; `None` when it is empty.
pub(super) fn few(all: &[String]) -> Option<String> {
    first_of(all, SUMMARY_MAX)
}

/// The first so many of a list, and how many more there are; `None` when it is empty.
pub(super) fn first_of(all: &[String], named_max: usize) -> Option<String> {
    if all.is_empty() {
        return None;
    }
    let mut words: Vec<String> = all.iter().take(named_max).cloned().collect();
    if all.len() > named_max {
        words.push(format!("and {} more", all.len() - named_max));
    }
    Some(words.join(", "))
}

/// What of the candidate is no longer there as it was, in words. What is there besides, and the times of folders, change
/// nothing that a check looks at.
pub(super) fn altered(then: &[Seen], now: &[Seen]) -> Option<String> {
    let is_file = |seen: &&Seen| seen.meta.kind != FileKind::Directory;
    let then: Vec<Seen> = then.iter().filter(is_file).cloned().collect();
    let is_of_then = |seen: &&Seen| then.binary_search_by(|old| old.path.cmp(&seen.path)).is_ok();
    let now: Vec<Seen> = now.iter().filter(is_file).filter(is_of_then).cloned().collect();
    named_around(&then, &now)
}

/// What is different around the managed paths, in path order: at most some more than are named.
pub(super) fn differences_around(then: &[Seen], now: &[Seen]) -> Vec<String> {
    let shown = |seen: &Seen, what: &str| {
        let path = if seen.path.as_os_str().is_empty() { Path::new(".") } else { &seen.path };
        format!("`{}` ({what})", path.display())
    };
    let mut found = Vec::new();
    let (mut then, mut now) = (then.iter().peekable(), now.iter().peekable());
    while found.len() <= NAMED_MAX {
        let (old, new) = match (then.peek(), now.peek()) {
            (None, None) => break,
            (Some(old), Some(new)) if old.path == new.path => (then.next(), now.next()),
            (Some(old), Some(new)) if old.path < new.path => (then.next(), None),
            (Some(_), None) => (then.next(), None),
            (_, Some(_)) => (None, now.next()),
        };
        match (old, new) {
            (Some(old), Some(new)) if is_same(old, new) => {}
            (Some(old), Some(_)) => found.push(shown(old, "changed")),
            (Some(old), None) => found.push(shown(old, "removed")),
            (None, Some(new)) => found.push(shown(new, "added")),
            (None, None) => break,
        }
    }
    found
}

/// Whether an entry is what it was. A directory's change time is left aside: an exchange in it alters that, and nobody
/// can set it.
fn is_same(old: &Seen, new: &Seen) -> bool {
    let (a, b) = (&old.meta, &new.meta);
    let is_alike = (a.kind, a.identity, a.mode, a.uid, a.gid, a.mtime_ns)
        == (b.kind, b.identity, b.mode, b.uid, b.gid, b.mtime_ns);
    is_alike
        && (a.kind == FileKind::Directory || (a.size, a.links, a.ctime_ns) == (b.size, b.links, b.ctime_ns))
}
