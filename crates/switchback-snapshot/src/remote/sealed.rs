//! The records of verified snapshots, as they are kept elsewhere: encrypted like every other file of the repository, because
//! a manifest names files and gives small contents away.

use rustic_core::repofile::MasterKey;

use crate::cipher::Cipher;
use crate::trouble::Trouble;

/// The folder in which they are; restic does not look at it.
pub(crate) const FOLDER: &str = "manifests";

/// Encrypts a record.
pub(crate) fn seal(text: &[u8], key: &MasterKey) -> Result<Vec<u8>, Trouble> {
    let mut sealed = Vec::new();
    Cipher::new(key)?.seal_into(text, &mut sealed)?;
    Ok(sealed)
}

/// Decrypts a record; `None` when it is damaged or of another key.
pub(crate) fn open(sealed: &[u8], key: &MasterKey) -> Option<String> {
    let mut sealed = sealed.to_vec();
    String::from_utf8(Cipher::new(key).ok()?.open_in_place(&mut sealed)?.to_vec()).ok()
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
