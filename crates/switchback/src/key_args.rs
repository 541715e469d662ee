//! A private key on the command line: its file, and where its passphrase comes from. The passphrase itself is never there.

use std::path::{Path, PathBuf};

use clap::Args;
use switchback_core::signature::{KeyPlace, Passphrase};

/// The key that signs.
#[derive(Debug, Clone, Args)]
pub struct KeyArgs {
    /// Sign with this private key of OpenSSH (ssh-ed25519)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// A command that prints the passphrase of the key
    #[arg(long, value_name = "COMMAND", requires = "key", conflicts_with = "passphrase_variable")]
    pub passphrase_command: Option<String>,
    /// The environment variable that holds the passphrase of the key
    #[arg(long, value_name = "NAME", requires = "key")]
    pub passphrase_variable: Option<String>,
}

impl KeyArgs {
    /// Where the key is, where one is named; the command that prints its passphrase runs in `folder`.
    pub(crate) fn place(&self, folder: &Path) -> Option<KeyPlace> {
        let passphrase = match (&self.passphrase_command, &self.passphrase_variable) {
            (Some(command), _) => Passphrase::Command(command.clone()),
            (None, Some(name)) => Passphrase::Variable(name.clone()),
            (None, None) => Passphrase::None,
        };
        let file = self.key.clone()?;
        Some(KeyPlace { file, passphrase, folder: folder.to_owned() })
    }
}
