//! The records of verified snapshots, as they are kept elsewhere: encrypted like every other file of the repository, because
//! a manifest names files and gives small contents away.
//!
//! The form is that of restic's design, "Keys, Encryption and MAC": 16 bytes of nonce, the content under AES-256 in counter
//! mode, 16 bytes of Poly1305-AES.

use aes256ctr_poly1305aes::aead::Aead;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce};
use rustic_core::repofile::MasterKey;

use crate::trouble::Trouble;

/// The folder in which they are; restic does not look at it.
pub(crate) const FOLDER: &str = "manifests";

const NONCE_BYTES: usize = 16;

fn cipher(key: &MasterKey) -> Option<Aes256CtrPoly1305Aes> {
    let bytes: Vec<u8> = [&key.encrypt, &key.mac.k, &key.mac.r].into_iter().flatten().copied().collect();
    let bytes: [u8; 64] = bytes.try_into().ok()?;
    Some(Aes256CtrPoly1305Aes::new(&Key::from(bytes)))
}

/// Encrypts a record.
pub(crate) fn seal(text: &[u8], key: &MasterKey) -> Result<Vec<u8>, Trouble> {
    let unfit = || Trouble::new("the repository's key is not one of restic's");
    // A part of a new key is random, from the generator that made the repository's own.
    let nonce: [u8; NONCE_BYTES] = MasterKey::new().mac.k.try_into().map_err(|_| unfit())?;
    let content = cipher(key).ok_or_else(unfit)?.encrypt(&Nonce::from(nonce), text).map_err(|_| unfit())?;
    Ok([nonce.as_slice(), &content].concat())
}

/// Decrypts a record; `None` when it is damaged or of another key.
pub(crate) fn open(sealed: &[u8], key: &MasterKey) -> Option<String> {
    let (nonce, content) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    String::from_utf8(cipher(key)?.decrypt(&Nonce::from(nonce), content).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_opens_with_its_own_key_alone_and_not_when_a_bit_is_wrong() {
        let (key, other) = (MasterKey::new(), MasterKey::new());
        let sealed = seal(b"src/secret_plan.py", &key).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
        assert_eq!(open(&sealed, &key).as_deref(), Some("src/secret_plan.py"));
        assert_eq!(open(&sealed, &other), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&damaged, &key), None, "byte {at}");
        }
        assert_eq!(open(&sealed[..10], &key), None);
    }
}
