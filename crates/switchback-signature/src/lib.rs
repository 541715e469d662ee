//! Signatures: keys of OpenSSH, ed25519, and the envelopes of DSSE.
//!
//! In the order of the data: `key` opens private keys and names public ones; [`envelope`] signs and opens envelopes, whose
//! JSON is in [`mod@format`]; [`ports`] is what the rest of the program calls.
//!
//! The cryptographic crates live here and only here. Nothing is random in it: a signature of ed25519 is decided by key and
//! content, so this crate makes no keys and needs no generator. It never shows a passphrase, nor any part of a private key.

pub mod envelope;
pub mod format;
mod key;
pub mod ports;
