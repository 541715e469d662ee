//! One restic repository: how it comes to be, how it is opened, who may write to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_core::{
    ConfigOptions, Credentials, KeyOptions, OpenStatus, Repository, RepositoryBackends, RepositoryOptions,
    WriteBackend,
};
use switchback_core::world::{FileKind, Lock, World};

use crate::backend::DurableLocal;
use crate::blobs::Blobs;
use crate::durable;
use crate::remote::{Shelf, ShelfBackend};
use crate::secrets::Secrets;
use crate::trouble::{Trouble, guarded};

/// A repository and its secrets; nothing is touched before it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) root: PathBuf,
    secrets: Secrets,
    /// The repository is read from there, and never written.
    shelf: Option<Arc<dyn Shelf>>,
}

impl Place {
    pub(crate) fn new(world: World, root: PathBuf, secrets: Secrets) -> Self {
        Self { world, root, secrets, shelf: None }
    }

    /// The same repository, opened by the same secrets, as it is kept elsewhere.
    pub(crate) fn elsewhere(&self, shelf: Arc<dyn Shelf>) -> Self {
        Self { shelf: Some(shelf), ..self.clone() }
    }

    pub(crate) fn exists(&self) -> Result<bool, Trouble> {
        Ok(self.world.disk.look(&self.root.join("config"))?.is_some())
    }

    /// Keeps other writers of Switchback out until the answer is dropped.
    pub(crate) fn lock(&self, purpose: &str) -> Result<Box<dyn Lock>, Trouble> {
        durable::make_directories(&*self.world.disk, durable::parent(&self.root))?;
        let note = format!(
            "{}, process {}, since {}: {purpose}",
            self.world.surroundings.actor(),
            self.world.surroundings.process_id(),
            self.world.clock.now()
        );
        let path = durable::with_suffix(&self.root, ".lock");
        self.world.disk.lock(&path, &note)?.map_err(|holder| {
            Trouble::new(format!("the repository `{}` is in use: {}", self.root.display(), holder.note))
                .hinted("wait until that has ended, then try again")
        })
    }

    /// Opens the repository, which is made when it is missing. Only under the lock.
    pub(crate) fn open_or_make(&self) -> Result<Repository<OpenStatus>, Trouble> {
        if !self.exists()? {
            self.make()?;
        }
        self.backend(&self.root).sweep()?;
        self.open()
    }

    /// Opens the repository with the kept master key, or else with the password.
    pub(crate) fn open(&self) -> Result<Repository<OpenStatus>, Trouble> {
        let disk = &*self.world.disk;
        let key = self.secrets.key(disk)?;
        let refused = match key {
            None => self.secrets.missing(),
            Some(key) => match self.open_with(&self.root, &Credentials::Masterkey(key)) {
                Ok(repository) => return Ok(repository),
                Err(trouble) => trouble,
            },
        };
        let Some(password) = self.secrets.password(&self.world)? else { return Err(refused) };
        let opened = self.open_with(&self.root, &Credentials::Password(password));
        let repository = opened.map_err(|trouble| {
            // The library's own code for a password that opens no key: that is no damage.
            let is_password = trouble.line().contains("C002");
            if is_password {
                trouble.hinted("give the password that the repository was made with")
            } else {
                trouble
            }
        })?;
        // The key only spares the password's slow derivation; a disk that may not be written to can still be read.
        drop(self.secrets.keep_key(disk, &repository.key()));
        Ok(repository)
    }

    /// Whether its password opens it, as it does for `restic`: the kept master key opens it also where no key file does.
    pub(crate) fn check_password(&self) -> Result<(), Trouble> {
        let Some(password) = self.secrets.password(&self.world)? else { return Ok(()) };
        self.open_with(&self.root, &Credentials::Password(password)).map(drop)
    }

    /// Opens the repository anew, from where it is kept alone, with its whole index.
    pub(crate) fn open_blobs(&self) -> Result<Blobs, Trouble> {
        self.indexed(self.open()?)
    }

    /// Opens the repository, which is made when it is missing, with its whole index. Only under the lock.
    pub(crate) fn open_blobs_or_make(&self) -> Result<Blobs, Trouble> {
        self.indexed(self.open_or_make()?)
    }

    fn indexed(&self, repository: Repository<OpenStatus>) -> Result<Blobs, Trouble> {
        guarded(|| Blobs::of(repository, self.files(&self.root)))
    }

    /// The files of the repository, wherever they are.
    fn files(&self, root: &Path) -> Arc<dyn WriteBackend> {
        match &self.shelf {
            Some(shelf) => Arc::new(ShelfBackend::new(Arc::clone(shelf))),
            None => Arc::new(self.backend(root)),
        }
    }

    /// Makes the repository beside its place and renames it there: a crash leaves no repository with half its keys.
    fn make(&self) -> Result<(), Trouble> {
        let disk = &*self.world.disk;
        if let Some(meta) = disk.look(&self.root)? {
            if meta.kind != FileKind::Directory || !disk.list(&self.root)?.is_empty() {
                return Err(Trouble::new(format!(
                    "`{}` exists and is not a snapshot repository",
                    self.root.display()
                ))
                .hinted("name another place for the repository, or move away what is there"));
            }
            disk.remove_directory(&self.root)?;
        }
        let unfinished = durable::with_suffix(&self.root, ".new");
        durable::remove_tree(disk, &unfinished)?;
        let password = self.secrets.password_or_new(&self.world)?;
        let mut options = ConfigOptions::default();
        // The library would unpack again in memory what it has just packed. All of it is read back from the disk and
        // compared with the source before a snapshot counts, which finds that and more.
        options.set_extra_verify = Some(false);
        let made = guarded(|| {
            let credentials = Credentials::Password(password);
            Ok(self.bare(&unfinished)?.init(&credentials, &KeyOptions::default(), &options)?)
        })?;
        disk.rename(&unfinished, &self.root)?;
        disk.sync_directory(durable::parent(&self.root))?;
        self.secrets.keep_key(disk, &made.key())
    }

    fn backend(&self, root: &Path) -> DurableLocal {
        DurableLocal::new(Arc::clone(&self.world.disk), root)
    }

    fn bare(&self, root: &Path) -> Result<Repository<()>, Trouble> {
        let mut options = RepositoryOptions::default();
        // A cache could answer in place of the disk, and what is verified is the disk.
        options.no_cache = true;
        Ok(Repository::new(&options, &RepositoryBackends::new(self.files(root), None))?)
    }

    fn open_with(&self, root: &Path, credentials: &Credentials) -> Result<Repository<OpenStatus>, Trouble> {
        guarded(|| Ok(self.bare(root)?.open(credentials)?)).map_err(|trouble| {
            let place =
                self.shelf.as_ref().map_or_else(|| self.root.display().to_string(), |shelf| shelf.address());
            trouble.under(format!("the repository `{place}` could not be opened"))
        })
    }
}
