//! The password and the master key of a repository, each in a file that only its owner may read. Neither is ever shown.

use std::path::{Path, PathBuf};

use rustic_core::Id;
use rustic_core::repofile::MasterKey;
use switchback_core::world::Disk;

use crate::durable;
use crate::trouble::Trouble;

/// Only the owner reads or writes a secret.
const SECRET_MODE: u32 = 0o600;

/// No secret is longer.
const SECRET_BYTES_MAX: u64 = 4096;

/// Where the secrets of one repository are.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    password_file: PathBuf,
    key_file: PathBuf,
}

impl Secrets {
    pub(crate) fn new(password_file: &Path) -> Self {
        Self {
            password_file: password_file.to_owned(),
            key_file: durable::with_suffix(password_file, ".master-key"),
        }
    }

    /// The password; a random one is made and kept when there is none yet.
    pub(crate) fn password_or_new(&self, disk: &dyn Disk) -> Result<String, Trouble> {
        if let Some(password) = self.password(disk)? {
            return Ok(password);
        }
        durable::make_directories(disk, durable::parent(&self.password_file))?;
        // 256 bits from the generator of the system's randomness that also makes the repository's keys.
        let password = Id::random().to_hex().as_str().to_owned();
        durable::publish(disk, &self.password_file, SECRET_MODE, &mut format!("{password}\n").as_bytes())?;
        Ok(password)
    }

    pub(crate) fn password(&self, disk: &dyn Disk) -> Result<Option<String>, Trouble> {
        let Some(content) = read_secret(disk, &self.password_file)? else { return Ok(None) };
        let password = String::from_utf8(content).unwrap_or_default().trim().to_owned();
        if password.is_empty() {
            return Err(Trouble::new(format!(
                "the password file `{}` is empty or not text",
                self.password_file.display()
            ))
            .hinted("put the repository's password into it"));
        }
        Ok(Some(password))
    }

    /// The master key, if it was kept. One that cannot be understood is as good as none: the password still opens.
    pub(crate) fn key(&self, disk: &dyn Disk) -> Result<Option<MasterKey>, Trouble> {
        let content = read_secret(disk, &self.key_file)?;
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    pub(crate) fn keep_key(&self, disk: &dyn Disk, key: &MasterKey) -> Result<(), Trouble> {
        let content = serde_json::to_vec(key)
            .map_err(|_| Trouble::new("the master key could not be brought into its stored form"))?;
        Ok(durable::publish(disk, &self.key_file, SECRET_MODE, &mut content.as_slice())?)
    }

    pub(crate) fn missing(&self) -> Trouble {
        Trouble::new(format!("there is no password in `{}`", self.password_file.display()))
            .hinted(format!("put the repository's password back into `{}`", self.password_file.display()))
    }
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
