//! Signatures in plain types: whose key it is, where a private one is kept, and what an opened envelope says. What is
//! cryptographic stands behind the port [`Signatures`](crate::port::Signatures).

use std::fmt;
use std::path::PathBuf;

/// The beginning of the base64 of every public key of the kind `ssh-ed25519`: its own name, and the length of what follows.
const ED25519_HEAD: &str = "AAAAC3NzaC1lZDI1NTE5AAAAI";
/// A public key of that kind is 51 bytes, which is base64 without padding.
const ED25519_CHARACTERS: usize = 68;
/// The word before it.
const ED25519_WORD: &str = "ssh-ed25519";

/// A public key of the kind `ssh-ed25519`, as OpenSSH writes it, without its comment. Whether its 32 bytes are a point of the
/// curve is for whoever verifies with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(String);

impl PublicKey {
    /// Reads a line of a `.pub` file: `ssh-ed25519 AAAA… comment`.
    ///
    /// # Errors
    ///
    /// Why it is none, in words that may follow the key's place.
    pub fn read(line: &str) -> Result<Self, String> {
        let mut words = line.split_ascii_whitespace();
        let (kind, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if kind != ED25519_WORD {
            let is_key = kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-");
            return Err(if kind.starts_with("-----BEGIN") || line.contains("PRIVATE KEY") {
                "it is not the public half: that stands in the file that ends in `.pub`".to_owned()
            } else if is_key && kind.bytes().all(|byte| byte.is_ascii_graphic()) {
                format!("it is a key of the kind `{kind}`, and only `{ED25519_WORD}` is used")
            } else {
                format!("it is not of the form `{ED25519_WORD} AAAA… comment`")
            });
        }
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
        let is_whole = key.len() == ED25519_CHARACTERS && key.starts_with(ED25519_HEAD);
        if !is_whole || !key.bytes().all(is_base64) {
            return Err(format!("what stands after `{ED25519_WORD}` is not a whole key"));
        }
        Ok(Self(format!("{ED25519_WORD} {key}")))
    }

    /// As OpenSSH writes it: `ssh-ed25519 AAAA…`.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// As OpenSSH writes it.
impl fmt::Display for PublicKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// Not a secret; what it says is the same as its text.
impl fmt::Debug for PublicKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "PublicKey({})", self.0)
    }
}

/// Where a private key is, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// Its file, as OpenSSH writes it.
    pub file: PathBuf,
    /// Where its passphrase comes from, where it has one.
    pub passphrase: Passphrase,
    /// Where a command that says it is run.
    pub folder: PathBuf,
}

/// Where a passphrase comes from. It is never among the arguments of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passphrase {
    /// The key has none.
    None,
    /// An environment variable of this name holds it.
    Variable(String),
    /// A command prints it.
    Command(String),
}

/// What an envelope holds, and who signed it: at least one key, each of whose signatures is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    /// The keys, of those that were asked for, whose signature is good.
    pub signed_by: Vec<PublicKey>,
}

/// Why an envelope is not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// It is no envelope of DSSE.
    #[error("it is not an envelope of DSSE: {0}")]
    Form(String),
    /// It holds something else.
    #[error("it holds `{found}`, and `{wanted}` was expected")]
    Type {
        /// What it says that it holds.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Nobody signed it.
    #[error("nobody signed it")]
    Unsigned,
    /// It names none of the keys that were asked for.
    #[error("it is signed by {}, and that is none of the keys that count", .0.join(", "))]
    Stranger(Vec<String>),
    /// A signature is not that of its key over this content.
    #[error(
        "the signature of {0} is not over this content: one of the two was changed, or another key made it"
    )]
    Bad(String),
    /// A key that was asked for is none.
    #[error("the key `{0}` cannot be used: it is no point of the curve")]
    Key(String),
}

#[cfg(test)]
mod tests {
    use super::PublicKey;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    #[test]
    fn a_key_is_known_without_its_comment() {
        assert_eq!(PublicKey::read(&format!("{KEY} user@example.com")).unwrap().text(), KEY);
        assert_eq!(PublicKey::read(&format!("  {KEY}\n")).unwrap().text(), KEY);
    }

    #[test]
    fn what_is_no_key_says_why() {
        let why = |line: &str| PublicKey::read(line).unwrap_err();
        assert!(why("").contains("not of the form"));
        assert!(why("ssh-rsa AAAAB3").contains("kind `ssh-rsa`"));
        assert!(why("sk-ssh-ed25519@openssh.com AAAAG").contains("kind `sk-ssh-ed25519@openssh.com`"));
        assert!(why("-----BEGIN OPENSSH PRIVATE KEY-----").contains("public half"));
        assert!(why(&KEY[..KEY.len() - 1]).contains("not a whole key"));
        assert!(why(&KEY.replace("ILM+", "ILM=")).contains("not a whole key"));
        assert!(why(&KEY.replace("TE5AAAAI", "TE5AAAAJ")).contains("not a whole key"));
    }
}
