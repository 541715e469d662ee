//! A project that is worked on: its plan, its state, its lock, its journal.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::databases::back;
use super::error::StepError;
use super::evidence::EvidenceStore;
use super::processes::recovery;
use super::redact::Redactor;
use super::unknown_live::{UNKNOWN_LIVE_NEXT, unknown_live};
use super::witness::{Nobody, Notice, Witness};
use crate::journal::{Event, History, Journal, Record};
use crate::manifest::{Hash, to_hex};
use crate::notify::Mailer;
use crate::plan::{self, Plan, Remote, STATE_FOLDER};
use crate::port::{
    Comparer, Configurer, Inspector, Migrator, Mover, Querier, RemoteVault, Schemas, Signatures,
    Statistician, Vault, VaultPlace, Vaults,
};
use crate::tree::copy::{keeping_time, make_directories, remove_tree};
use crate::world::{Confinement, Disk, FileKind, Lock, World};

/// Name and version of the program, as evidence is bound to it.
pub const TOOL: &str = concat!("switchback ", env!("CARGO_PKG_VERSION"));

/// What a project needs from outside: the world, and the heavy crates behind their ports.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The only door to the outside.
    pub world: World,
    /// Compares results.
    pub comparer: Arc<dyn Comparer>,
    /// Looks whether constraints hold.
    pub querier: Arc<dyn Querier>,
    /// Compares ensembles.
    pub statistician: Arc<dyn Statistician>,
    /// Rewrites source code.
    pub mover: Arc<dyn Mover>,
    /// Migrates directories of documents.
    pub migrator: Arc<dyn Migrator>,
    /// Reads source code.
    pub inspector: Arc<dyn Inspector>,
    /// Reads and consolidates configuration.
    pub configurer: Arc<dyn Configurer>,
    /// Keeps snapshots.
    pub vaults: Arc<dyn Vaults>,
    /// Opens databases whose schema is changed.
    pub schemas: Arc<dyn Schemas>,
    /// Signs, and says whether something is signed.
    pub signatures: Arc<dyn Signatures>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
}

/// A project with its plan, to be looked at.
#[derive(Debug)]
pub struct Project {
    /// Its root: that of the plan, or of the copy that is rehearsed on.
    pub root: PathBuf,
    /// Its plan. What changes read, and what commands are kept from, is where the plan is.
    pub plan: Plan,
    /// What it needs from outside.
    pub ports: Ports,
}

impl Project {
    /// What a command may do to the disk that works on a copy of this project: it writes nowhere in the live project,
    /// and reads none of its managed paths, because it would look at the wrong tree. `None` when the plan, or this
    /// system, lets commands do what they like.
    pub fn confinement(&self) -> Option<Confinement> {
        let (project, live) = (&self.plan.project, &self.plan.root);
        let is_held = project.confine && self.ports.world.processes.confines();
        is_held.then(|| Confinement {
            closed: live.clone(),
            open: vec![self.plan.state().join("work")],
            is_strict: false,
            hidden: project.managed.iter().map(|managed| live.join(&managed.path)).collect(),
            guard: None,
        })
    }

    /// Reads the plan of the project at `root`. Touches nothing.
    pub fn open(root: &Path, ports: &Ports) -> Result<Self, StepError> {
        let plan = plan::load(root, ports.world.disk.as_ref()).map_err(|error| match error {
            plan::LoadError::Disk(error) if error.source.kind() == std::io::ErrorKind::NotFound => {
                StepError::NoPlan(root.to_owned())
            }
            plan::LoadError::Disk(error) => error.into(),
            plan::LoadError::Plan(error) => error.into(),
        })?;
        Ok(Self { root: root.to_owned(), plan, ports: ports.clone() })
    }

    /// The project at `root` for a rollback, which needs no plan: when the plan cannot be used, an empty one stands in
    /// and why is returned beside it.
    pub fn open_for_rollback(root: &Path, ports: &Ports) -> (Self, Option<StepError>) {
        match Self::open(root, ports) {
            Ok(project) => (project, None),
            Err(error) => {
                let plan = Plan::stand_in(root, error.to_string());
                (Self { root: root.to_owned(), plan, ports: ports.clone() }, Some(error))
            }
        }
    }

    /// Whether anything was ever done here.
    pub fn has_state(&self) -> Result<bool, StepError> {
        Ok(self.ports.world.disk.look(&self.state())?.is_some())
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.root.join(STATE_FOLDER)
    }

    /// The folder of the transactions.
    pub fn transactions(&self) -> PathBuf {
        self.state().join("txn")
    }

    /// The vault that the plan names.
    pub fn vault(&self) -> Box<dyn Vault> {
        self.ports.vaults.open(&self.vault_place())
    }

    /// The second copy of its snapshots.
    ///
    /// # Errors
    ///
    /// When the plan names none, or one that cannot be reached with this build.
    pub fn remote(&self) -> Result<Box<dyn RemoteVault>, StepError> {
        let Some(address) = &self.plan.snapshot.remote else {
            return Err(StepError::not_now(
                "the plan names no second place where snapshots are kept",
                "name one: `remote = \"s3://bucket/folder\"`, `\"sftp:user@host:folder\"` or a folder on another disk, in `[snapshot]`",
            ));
        };
        let address = match address {
            Remote::Folder(folder) => self.root.join(folder).to_string_lossy().into_owned(),
            Remote::ObjectStore(address) | Remote::Server(address) => address.clone(),
        };
        Ok(self.ports.vaults.remote(&self.vault_place(), &address)?)
    }

    fn vault_place(&self) -> VaultPlace {
        let snapshot = &self.plan.snapshot;
        VaultPlace {
            root: self.root.clone(),
            repository: self.root.join(&snapshot.repository),
            password_file: snapshot.password_file.as_ref().map(|file| self.root.join(file)),
            password_command: snapshot.password_command.clone(),
        }
    }

    /// The history as the journal tells it; an empty one when there is no journal yet.
    pub fn history(&self) -> Result<History, StepError> {
        match Journal::open_existing(&self.state().join("journal.db"), &self.ports.world)? {
            Some(journal) => Ok(journal.history()?),
            None => Ok(History::default()),
        }
    }

    /// Everything that the journal holds, in order; nothing when there is no journal yet.
    pub fn records(&self) -> Result<Vec<Record>, StepError> {
        match Journal::open_existing(&self.state().join("journal.db"), &self.ports.world)? {
            Some(journal) => Ok(journal.records()?),
            None => Ok(Vec::new()),
        }
    }

    /// BLAKE3 of everything that decides what a phase's candidate is: managed paths, changes and environments.
    pub fn changes_hash(&self, phase: &plan::Phase) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&phase.hash);
        for managed in &self.plan.project.managed {
            hasher.update(managed.path.as_os_str().as_encoded_bytes());
            hasher.update(&[0]);
            hasher.update(&[u8::from(managed.delete)]);
        }
        for dependencies in &self.plan.dependencies {
            hasher.update(format!("{dependencies:?}").as_bytes());
        }
        let hash: Hash = *hasher.finalize().as_bytes();
        to_hex(&hash)
    }
}

/// A project that this process alone may change, until it is dropped.
#[derive(Debug)]
pub struct Work<'a> {
    /// The project.
    pub project: Project,
    /// Blanks secrets.
    pub redactor: Redactor,
    /// Reports and manifests.
    pub evidence: EvidenceStore,
    /// Who watches.
    pub witness: &'a dyn Witness,
    journal: Option<Journal>,
    history: RefCell<History>,
    /// Receivers that could not be reached since this began, by what the journal knows them as.
    unreached: RefCell<BTreeSet<String>>,
    _lock: Box<dyn Lock>,
}

impl<'a> Work<'a> {
    /// Takes the project's lock, opens its journal, and ends what an earlier process left unfinished.
    pub fn begin(project: Project, doing: &str, witness: &'a dyn Witness) -> Result<Self, StepError> {
        let work = Self::lock(project, doing, witness, true)?;
        work.recover()?;
        if let Some(live) = unknown_live(&work.project, &work.history())?.first() {
            return Err(StepError::not_now(live.words(), UNKNOWN_LIVE_NEXT));
        }
        back::recover(&work)?;
        recovery::recover(&work)?;
        Ok(work)
    }

    /// Like [`Work::begin`], for a rollback: a journal that cannot be used is said and does not stop it. Processes that were
    /// left stopped are started once the old tree is live.
    pub fn begin_rollback(
        project: Project,
        doing: &str,
        witness: &'a dyn Witness,
    ) -> Result<Self, StepError> {
        let work = Self::lock(project, doing, witness, false)?;
        work.recover()?;
        Ok(work)
    }

    fn lock(
        project: Project,
        doing: &str,
        witness: &'a dyn Witness,
        strict: bool,
    ) -> Result<Self, StepError> {
        let world = &project.ports.world;
        prepare_state(&project)?;
        let note = format!(
            "{} (process {}) runs `switchback {doing}` since {}\n",
            world.surroundings.actor(),
            world.surroundings.process_id(),
            world.clock.now()
        );
        let lock = match world.disk.lock(&project.state().join("lock"), &note)? {
            Ok(lock) => lock,
            Err(holder) => return Err(StepError::Locked(holder.note)),
        };
        let (journal, history) = match open_journal(&project, strict, witness) {
            Ok((journal, history)) => (Some(journal), history),
            Err(error) if !strict => {
                let warning = format!("the journal cannot be used, and is left as it is: {error}");
                witness.notice(Notice::Warning(warning));
                (None, History::default())
            }
            Err(error) => return Err(error),
        };
        let addresses =
            project.plan.receivers.iter().filter_map(|receiver| receiver.channel.secret_address());
        Ok(Self {
            redactor: Redactor::new(world.surroundings.as_ref())
                .knowing(addresses, world.surroundings.as_ref()),
            evidence: EvidenceStore::new(project.state()),
            witness,
            journal,
            history: RefCell::new(history),
            unreached: RefCell::default(),
            _lock: lock,
            project,
        })
    }

    /// The same project in a copy at `root`, which nobody else knows: what a rollback does there is what it would do in the
    /// live one. It has the history of the live one, and no journal; it starts, stops and checks nothing, and tells nobody.
    ///
    /// # Errors
    ///
    /// When the plan file cannot be read, or is another one by now.
    pub(super) fn on_copy(&self, root: &Path) -> Result<Work<'static>, StepError> {
        let mut plan = Project::open(&self.project.root, &self.project.ports)?.plan;
        if plan.hash != self.plan().hash {
            return Err(StepError::not_now(
                "the plan was changed meanwhile",
                "`switchback run` reads it again",
            ));
        }
        plan.processes.clear();
        plan.checks.clear();
        let mut history = self.history().clone();
        history.processes.clear();
        history.databases.clear();
        let world = self.world();
        let project = Project { root: root.to_owned(), plan, ports: self.project.ports.clone() };
        let lock = match world.disk.lock(&project.state().join("lock"), "a rehearsal\n")? {
            Ok(lock) => lock,
            Err(holder) => return Err(StepError::Locked(holder.note)),
        };
        Ok(Work {
            redactor: self.redactor.clone(),
            evidence: EvidenceStore::new(self.project.state()),
            witness: &Nobody,
            journal: None,
            history: RefCell::new(history),
            unreached: RefCell::default(),
            _lock: lock,
            project,
        })
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.project.ports.world
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.project.plan
    }

    /// Where things stand.
    pub fn history(&self) -> std::cell::Ref<'_, History> {
        self.history.borrow()
    }

    /// Receivers that could not be reached since this began, by what the journal knows them as.
    pub(crate) fn unreached(&self) -> std::cell::RefMut<'_, BTreeSet<String>> {
        self.unreached.borrow_mut()
    }

    /// Whether the journal can be used.
    pub fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Writes an event into the journal and takes it into the history. Illegal events are refused before they are
    /// written.
    pub fn record(&self, event: Event) -> Result<(), StepError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        self.history.borrow().admits(&event)?;
        let written = journal.append(event)?;
        self.history.borrow_mut().take(written)?;
        Ok(())
    }

    /// All records of the journal; none when it cannot be used.
    pub fn records(&self) -> Result<Vec<Record>, StepError> {
        Ok(self.journal.as_ref().map_or_else(|| Ok(Vec::new()), Journal::records)?)
    }

    /// A folder for one attempt at something, not made yet; what earlier attempts left is removed. No two attempts get the
    /// same one: what a run that was killed left running may still write into its own.
    pub(crate) fn attempt(&self, what: &str) -> Result<PathBuf, StepError> {
        let disk = self.world().disk.as_ref();
        let work = self.project.state().join("work");
        make_directories(disk, &self.project.root, &work)?;
        for name in disk.list(&work)? {
            let is_earlier = name
                .to_str()
                .is_some_and(|name| name.strip_prefix(what).is_some_and(|rest| rest.starts_with('-')));
            if is_earlier {
                // What is written to while it is removed stays for the next time.
                drop(remove_tree(disk, &work.join(name)));
            }
        }
        Ok(work.join(format!("{what}-{}", self.history().seq)))
    }

    /// Tells the witness that a step begins.
    pub fn began(&self, phase: &str, what: impl Into<String>) {
        self.witness.notice(Notice::Began { phase: phase.to_owned(), what: what.into() });
    }

    /// Tells the witness that a step is done.
    pub fn done(&self, phase: &str, what: impl Into<String>) {
        self.witness.notice(Notice::Done { phase: phase.to_owned(), what: what.into() });
    }
}

/// What was acknowledged and is lost ends a command that would go on from it unawares, once. A rollback is not held up by it.
fn open_journal(
    project: &Project,
    strict: bool,
    witness: &dyn Witness,
) -> Result<(Journal, History), StepError> {
    let journal = Journal::open(&project.state().join("journal.db"), &project.ports.world)?;
    if let Some(damage) = journal.damage() {
        if strict {
            return Err(StepError::not_now(
                damage.told(),
                "nothing was done; `switchback status` tells where what is left of the journal stands. `switchback rollback` makes the old tree \
                 live; the same command once more goes on from there",
            ));
        }
        witness.notice(Notice::Warning(damage.told()));
    }
    let history = journal.history()?;
    Ok((journal, history))
}

/// The state folder, which ignores itself in git, and the folder of the transactions.
fn prepare_state(project: &Project) -> Result<(), StepError> {
    let disk = project.ports.world.disk.as_ref();
    let state = project.state();
    if disk.look(&state)?.is_none() {
        keeping_time(disk, &project.root, || disk.make_directory(&state, 0o755))?;
        disk.sync_directory(&project.root)?;
    }
    let ignore = state.join(".gitignore");
    if disk.look(&ignore)?.is_none() {
        disk.write_new(&ignore, 0o644, &mut "*\n".as_bytes())?;
    }
    let transactions = project.transactions();
    if disk.look(&transactions)?.is_none() {
        disk.make_directory(&transactions, 0o755)?;
        disk.sync_directory(&state)?;
    }
    exclude_from_git(project)
}

/// Candidates and parked trees stand beside the live ones; git is told not to see them.
fn exclude_from_git(project: &Project) -> Result<(), StepError> {
    const LINES: &str = "# Switchback's candidates and parked trees\n.*.sb-*\n/.switchback/\n";
    const EXCLUDE_BYTES_MAX: u64 = 1024 * 1024;
    let disk = project.ports.world.disk.as_ref();
    let Some(repository) = git_folder(disk, &project.root)? else { return Ok(()) };
    let info = repository.join("info");
    if disk.look(&info)?.is_none() {
        disk.make_directory(&info, 0o755)?;
    }
    let exclude = info.join("exclude");
    let there = match disk.look(&exclude)? {
        Some(_) => disk.read(&exclude, EXCLUDE_BYTES_MAX)?,
        None => Vec::new(),
    };
    if !String::from_utf8_lossy(&there).contains(".*.sb-*") {
        let separator = if there.is_empty() || there.ends_with(b"\n") { "" } else { "\n" };
        disk.append(&exclude, format!("{separator}{LINES}").as_bytes())?;
    }
    Ok(())
}

/// The folder that holds `info/exclude` of the repository that the project is in. The project may be a folder of it, or a
/// work tree of its own, whose `.git` is a file that names a folder which names the common one.
pub(super) fn git_folder(disk: &dyn Disk, root: &Path) -> Result<Option<PathBuf>, StepError> {
    const POINTER_BYTES_MAX: u64 = 8 * 1024;
    for folder in root.ancestors() {
        let git = folder.join(".git");
        let Some(meta) = disk.look(&git)? else { continue };
        if meta.kind == FileKind::Directory {
            return Ok(disk.look(&git.join("HEAD"))?.map(|_| git));
        }
        let pointer = String::from_utf8_lossy(&disk.read(&git, POINTER_BYTES_MAX)?).into_owned();
        let Some(own) = pointer.strip_prefix("gitdir:").map(|path| folder.join(path.trim())) else {
            return Ok(None);
        };
        let common = own.join("commondir");
        if disk.look(&common)?.is_none() {
            return Ok(disk.look(&own)?.map(|_| own));
        }
        let common = String::from_utf8_lossy(&disk.read(&common, POINTER_BYTES_MAX)?).into_owned();
        return Ok(Some(own.join(common.trim())));
    }
    Ok(None)
}
