//! The encryption of everything in a repository, and of the records that are kept elsewhere.
//!
//! The form is that of restic's design, "Keys, Encryption and MAC": 16 bytes of nonce, the content under AES-256 in counter
//! mode, 16 bytes of Poly1305-AES.

use std::fmt;

use aes256ctr_poly1305aes::aead::AeadInPlace;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce, Tag};
use rustic_core::repofile::MasterKey;

use crate::trouble::Trouble;

const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// What is sealed is longer than its content by this.
pub(crate) const OVERHEAD_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// Seals and opens with the key of one repository.
#[derive(Clone)]
pub(crate) struct Cipher(Aes256CtrPoly1305Aes);

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is in no message.
        formatter.write_str("Cipher")
    }
}

impl Cipher {
    pub(crate) fn new(key: &MasterKey) -> Result<Self, Trouble> {
        let bytes: Vec<u8> = [&key.encrypt, &key.mac.k, &key.mac.r].into_iter().flatten().copied().collect();
        let bytes: [u8; 64] = bytes.try_into().map_err(|_| unfit())?;
        Ok(Self(Aes256CtrPoly1305Aes::new(&Key::from(bytes))))
    }

    /// Puts `content`, sealed, at the end of `into`.
    pub(crate) fn seal_into(&self, content: &[u8], into: &mut Vec<u8>) -> Result<(), Trouble> {
        // A part of a new key is random, from the generator that made the repository's own.
        let nonce: [u8; NONCE_BYTES] = MasterKey::new().mac.k.try_into().map_err(|_| unfit())?;
        into.reserve(content.len() + OVERHEAD_BYTES);
        into.extend_from_slice(&nonce);
        let from = into.len();
        into.extend_from_slice(content);
        let tag = self
            .0
            .encrypt_in_place_detached(&Nonce::from(nonce), &[], &mut into[from..])
            .map_err(|_| unfit())?;
        into.extend_from_slice(&tag);
        Ok(())
    }

    /// The content of what was sealed, in its place; `None` when it is damaged or of another key.
    pub(crate) fn open_in_place<'a>(&self, sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let (nonce, rest) = sealed.split_at_mut_checked(NONCE_BYTES)?;
        let (content, tag) = rest.split_at_mut_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
        self.0.decrypt_in_place_detached(nonce, &[], content, tag).ok()?;
        Some(content)
    }
}

fn unfit() -> Trouble {
    Trouble::new("the repository's key is not one of restic's")
}
