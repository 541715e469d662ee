//! What the rest of the program calls: keys from files, passphrases from where the user says.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use switchback_core::port::{PortError, Signatures, Signer};
use switchback_core::signature::{KeyPlace, Opened, Passphrase, PublicKey, SignatureFault};
use switchback_core::world::{Command, World};
use zeroize::Zeroizing;

use crate::envelope;
use crate::key::{self, KEY_BYTES_MAX, KeyFault};

/// A person may have to type it somewhere.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// Keys of OpenSSH, and envelopes of DSSE.
#[derive(Debug, Clone)]
pub struct OpenSsh {
    world: World,
}

impl OpenSsh {
    /// In that world.
    pub fn new(world: World) -> Self {
        Self { world }
    }

    fn passphrase(&self, place: &KeyPlace) -> Result<Option<Zeroizing<String>>, Trouble> {
        match &place.passphrase {
            Passphrase::None => Ok(None),
            Passphrase::Variable(name) => {
                let value = self.world.surroundings.variable(name).filter(|value| !value.is_empty());
                let why = || Trouble::Passphrase(format!("the variable `{name}` holds no passphrase"));
                value.map(|value| Some(Zeroizing::new(value))).ok_or_else(why)
            }
            Passphrase::Command(line) => self.said(line, place).map(Some),
        }
    }

    /// What a command prints, without the end of its line. Neither that nor what it says beside it is ever shown: it may hold
    /// the passphrase.
    fn said(&self, line: &str, place: &KeyPlace) -> Result<Zeroizing<String>, Trouble> {
        let refused = |why: String| {
            Trouble::Passphrase(format!("the command that prints the passphrase failed: {why}"))
        };
        let mut command = Command::shell(line, place.folder.as_path(), COMMAND_TIMEOUT);
        command.output_bytes_max = 16 * 1024;
        let finished = self.world.processes.run(&command).map_err(|error| refused(error.to_string()))?;
        let printed = Zeroizing::new(finished.stdout.clone());
        if !finished.succeeded() {
            return Err(refused(finished.ending()));
        }
        let printed = std::str::from_utf8(&printed).map_err(|_| refused("it is not text".to_owned()))?;
        let passphrase = printed.strip_suffix('\n').unwrap_or(printed);
        let passphrase = passphrase.strip_suffix('\r').unwrap_or(passphrase);
        if passphrase.is_empty() {
            return Err(refused("it printed nothing".to_owned()));
        }
        Ok(Zeroizing::new(passphrase.to_owned()))
    }
}

/// The next move where a file is no key.
const FILE_HINT: &str = "name the private key: `--key ~/.ssh/id_ed25519`; `ssh-keygen -t ed25519` makes one";
/// The next move where a key does not open.
const PASSPHRASE_HINT: &str =
    "name what knows it: `--passphrase-command CMD` or `--passphrase-variable NAME`";

/// Why a key was not opened.
#[derive(Debug)]
enum Trouble {
    Key(KeyFault),
    Passphrase(String),
}

impl From<KeyFault> for Trouble {
    fn from(fault: KeyFault) -> Self {
        Self::Key(fault)
    }
}

impl Signatures for OpenSsh {
    fn open(&self, place: &KeyPlace) -> Result<Box<dyn Signer>, PortError> {
        let what = format!("could not open the key `{}`", place.file.display());
        let failed = |why: String, hint: &str| PortError::new(what.clone(), vec![why]).hinted(hint);
        let disk = self.world.disk.as_ref();
        let bytes =
            disk.read(&place.file, KEY_BYTES_MAX).map_err(|error| failed(error.to_string(), FILE_HINT))?;
        let bytes = Zeroizing::new(bytes);
        let text = std::str::from_utf8(&bytes).map_err(|_| failed(KeyFault::Form.to_string(), FILE_HINT))?;
        let secret = key::open(text, || self.passphrase(place)).map_err(|trouble| match trouble {
            Trouble::Key(fault @ (KeyFault::Locked | KeyFault::Passphrase)) => {
                failed(fault.to_string(), PASSPHRASE_HINT)
            }
            Trouble::Key(fault) => failed(fault.to_string(), FILE_HINT),
            Trouble::Passphrase(why) => failed(why, PASSPHRASE_HINT),
        })?;
        let public = key::public(&secret.verifying_key());
        Ok(Box::new(OpenKey { secret, public }))
    }

    fn key_id(&self, key: &PublicKey) -> String {
        key::fingerprint(key)
    }

    fn verify(
        &self,
        envelope: &str,
        payload_type: &str,
        keys: &[PublicKey],
    ) -> Result<Opened, SignatureFault> {
        envelope::open(envelope, payload_type, keys)
    }

    fn peek(&self, envelope: &str, payload_type: &str) -> Result<(Vec<u8>, Vec<String>), SignatureFault> {
        let envelope::Content { payload, signatures } = envelope::read(envelope, payload_type)?;
        let names = envelope::names(&signatures);
        Ok((payload, names))
    }
}

/// A private key that is open.
struct OpenKey {
    secret: SigningKey,
    public: PublicKey,
}

/// The private half is not shown.
impl std::fmt::Debug for OpenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Signer for OpenKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, payload_type: &str, payload: &[u8]) -> String {
        let sealed = envelope::seal(&self.secret, key::fingerprint(&self.public), payload_type, payload);
        // Three texts and a list of two: nothing of it can fail to be written.
        serde_json::to_string(&sealed).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
