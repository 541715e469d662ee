//! Keys of the kind `ssh-ed25519`, as OpenSSH keeps them.

use ed25519_dalek::{SigningKey, VerifyingKey};
use ssh_key::private::KeypairData;
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{HashAlg, Kdf, PrivateKey};
use switchback_core::signature::{PublicKey, SignatureFault};

/// A larger file is not a private key.
pub(crate) const KEY_BYTES_MAX: u64 = 64 * 1024;
/// `ssh-keygen` does 24 rounds unless it is told otherwise; so many take seconds, and more would be an attack.
const ROUNDS_MAX: u32 = 4_096;

/// Why a private key is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyFault {
    /// It is none that OpenSSH wrote.
    #[error("it is not a private key of the kind `ssh-ed25519`, as OpenSSH writes it")]
    Form,
    /// It is a public key.
    #[error("it is the public half; the private one has the same name without `.pub`")]
    Public,
    /// It is of another kind.
    #[error("it is a key of the kind `{0}`, and only `ssh-ed25519` is used")]
    Kind(String),
    /// It is locked, and nobody said with what.
    #[error("it is locked with a passphrase")]
    Locked,
    /// The passphrase is another one.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It asks for more work than any real one.
    #[error("its passphrase takes {0} rounds of hashing, and {ROUNDS_MAX} is the most")]
    Rounds(u32),
    /// Its two halves do not belong together.
    #[error("its public half is not that of its private half")]
    Halves,
}

/// Opens a private key; `passphrase` is asked for only where the key is locked, and says `None` where there is none.
pub(crate) fn open<E: From<KeyFault>>(
    text: &str,
    passphrase: impl FnOnce() -> Result<Option<zeroize::Zeroizing<String>>, E>,
) -> Result<SigningKey, E> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let text = zeroize::Zeroizing::new(text);
    if text.trim_start().starts_with("ssh-") {
        return Err(KeyFault::Public.into());
    }
    let mut private = PrivateKey::from_openssh(text.trim()).map_err(|_| KeyFault::Form)?;
    let kind = private.algorithm().as_str().to_owned();
    if kind != "ssh-ed25519" {
        return Err(KeyFault::Kind(kind).into());
    }
    if private.is_encrypted() {
        if let Kdf::Bcrypt { rounds, .. } = private.kdf()
            && *rounds > ROUNDS_MAX
        {
            return Err(KeyFault::Rounds(*rounds).into());
        }
        let passphrase = passphrase()?.ok_or(KeyFault::Locked)?;
        private = private.decrypt(passphrase.as_bytes()).map_err(|_| KeyFault::Passphrase)?;
    }
    let KeypairData::Ed25519(pair) = private.key_data() else { return Err(KeyFault::Kind(kind).into()) };
    let secret = SigningKey::from_bytes(&pair.private.to_bytes());
    if secret.verifying_key().to_bytes() != pair.public.0 {
        return Err(KeyFault::Halves.into());
    }
    Ok(secret)
}

/// The public half, as OpenSSH writes it.
pub(crate) fn public(key: &VerifyingKey) -> PublicKey {
    let data = KeyData::Ed25519(Ed25519PublicKey(key.to_bytes()));
    let line = ssh_key::PublicKey::new(data, "").to_openssh().unwrap_or_default();
    PublicKey::read(&line).unwrap_or_else(|_| unreachable!("a key of 32 bytes is written as one"))
}

/// The 32 bytes of a public key. A [`PublicKey`] has been looked at, so they are there.
fn bytes(key: &PublicKey) -> Option<[u8; 32]> {
    let parsed = ssh_key::PublicKey::from_openssh(key.text()).ok()?;
    parsed.key_data().ed25519().map(|key| key.0)
}

/// What `ssh-keygen -l` calls it: `SHA256:…`.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    match ssh_key::PublicKey::from_openssh(key.text()) {
        Ok(parsed) => parsed.fingerprint(HashAlg::Sha256).to_string(),
        Err(_) => key.text().to_owned(),
    }
}

/// The key as a point of the curve.
pub(crate) fn verifying(key: &PublicKey) -> Result<VerifyingKey, SignatureFault> {
    let point = bytes(key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    point.filter(|point| !point.is_weak()).ok_or_else(|| SignatureFault::Key(key.text().to_owned()))
}
