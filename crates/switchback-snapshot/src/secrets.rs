//! The password and the master key of a repository, each in a file that only its owner may read. Neither is ever shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustic_core::Id;
use rustic_core::repofile::MasterKey;
use switchback_core::world::{Command, Disk, World};

use crate::durable;
use crate::trouble::Trouble;

/// Only the owner reads or writes a secret.
const SECRET_MODE: u32 = 0o600;

/// No secret is longer.
const SECRET_BYTES_MAX: u64 = 4096;

/// How long a command may take to print a password: somebody may have to touch a key.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// Where the secrets of one repository are.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    password: Password,
    /// Where the master key is kept, so that the password's slow derivation is needed once; nowhere when a command says the
    /// password, because whoever asks for that wants nothing on this disk.
    key_file: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Password {
    /// In a file of ours, which is made when it is missing.
    Kept(PathBuf),
    /// In a file of the user's.
    Named(PathBuf),
    /// Said by a command, which runs in a folder.
    Said { command: String, folder: PathBuf },
}

impl Secrets {
    /// In a file of Switchback's own.
    pub(crate) fn kept_for(file: &Path) -> Self {
        Self { key_file: Some(key_file(file)), password: Password::Kept(file.to_owned()) }
    }

    /// In a file that somebody else keeps.
    pub(crate) fn named(file: &Path) -> Self {
        Self { key_file: Some(key_file(file)), password: Password::Named(file.to_owned()) }
    }

    /// Said by a command.
    pub(crate) fn said_by(command: &str, folder: &Path) -> Self {
        let password = Password::Said { command: command.to_owned(), folder: folder.to_owned() };
        Self { key_file: None, password }
    }

    /// The password; a random one is made and kept when there is none yet, and it is ours to make.
    pub(crate) fn password_or_new(&self, world: &World) -> Result<String, Trouble> {
        if let Some(password) = self.password(world)? {
            return Ok(password);
        }
        let disk = &*world.disk;
        let Password::Kept(file) = &self.password else { return Err(self.missing()) };
        durable::make_directories(disk, durable::parent(file))?;
        // 256 bits from the generator of the system's randomness that also makes the repository's keys.
        let password = Id::random().to_hex().as_str().to_owned();
        durable::publish(disk, file, SECRET_MODE, &mut format!("{password}\n").as_bytes())?;
        Ok(password)
    }

    pub(crate) fn password(&self, world: &World) -> Result<Option<String>, Trouble> {
        let (content, place) = match &self.password {
            Password::Kept(file) | Password::Named(file) => {
                let Some(content) = read_secret(&*world.disk, file)? else { return Ok(None) };
                (content, format!("the password file `{}` is", file.display()))
            }
            Password::Said { command, folder } => {
                (said(world, command, folder)?, "what the command in `password_command` prints is".to_owned())
            }
        };
        let password = String::from_utf8(content).unwrap_or_default().trim().to_owned();
        if password.is_empty() {
            return Err(Trouble::new(format!("{place} empty or not text"))
                .hinted("put the repository's password there"));
        }
        Ok(Some(password))
    }

    /// The master key, if it was kept. One that cannot be understood is as good as none: the password still opens.
    pub(crate) fn key(&self, disk: &dyn Disk) -> Result<Option<MasterKey>, Trouble> {
        let Some(file) = &self.key_file else { return Ok(None) };
        let content = read_secret(disk, file)?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    pub(crate) fn keep_key(&self, disk: &dyn Disk, key: &MasterKey) -> Result<(), Trouble> {
        let Some(file) = &self.key_file else { return Ok(()) };
        let content = serde_json::to_vec(key)
            .map_err(|_| Trouble::new("the master key could not be brought into its stored form"))?;
        Ok(durable::publish(disk, file, SECRET_MODE, &mut content.as_slice())?)
    }

    pub(crate) fn missing(&self) -> Trouble {
        let place = match &self.password {
            Password::Kept(file) | Password::Named(file) => format!("`{}`", file.display()),
            Password::Said { .. } => "what `password_command` prints".to_owned(),
        };
        Trouble::new(format!("there is no password in {place}"))
            .hinted(format!("put the repository's password into {place}"))
    }
}

fn key_file(password_file: &Path) -> PathBuf {
    durable::with_suffix(password_file, ".master-key")
}

/// What a command prints. Neither that nor what it says beside it is ever shown: it may hold the password.
fn said(world: &World, command: &str, folder: &Path) -> Result<Vec<u8>, Trouble> {
    let refused = |why: String| {
        Trouble::new(format!("the command in `password_command` failed: {why}"))
            .hinted("run it by hand: it has to print the password, and end with exit code 0")
    };
    let finished = world
        .processes
        .run(&Command::shell(command, folder, COMMAND_TIMEOUT))
        .map_err(|error| refused(error.to_string()))?;
    if finished.succeeded() { Ok(finished.stdout) } else { Err(refused(finished.ending())) }
}

fn read_secret(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(meta) = disk.look(path)? else { return Ok(None) };
    if meta.mode & 0o077 != 0 {
        return Err(Trouble::new(format!(
            "`{}` may be read by others (mode {:o})",
            path.display(),
            meta.mode
        ))
        .hinted(format!("run `chmod 600 {}`", path.display())));
    }
    Ok(Some(disk.read(path, SECRET_BYTES_MAX)?))
}
