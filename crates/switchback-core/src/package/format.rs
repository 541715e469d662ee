//! The statement about a package: an in-toto Statement v1, whose subject is the manifest. Whoever signs it signs every byte of the
//! package. `docs/package.md` describes each field; its bytes are decided by its content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an envelope that holds it says that it holds.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of an in-toto Statement, version 1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What our predicate is, and its version.
pub const PREDICATE_TYPE: &str = "urn:switchback:package:1";

/// An in-toto Statement, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The manifest: its name, and its hashes `blake3` and `sha256`.
    pub subject: Vec<Subject>,
    /// Always [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// Which package it is.
    pub predicate: Predicate,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The name of the manifest.
    pub name: String,
    /// Its hashes.
    pub digest: BTreeMap<String, String>,
}

/// Which package it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// Its name.
    pub name: String,
    /// Its number.
    pub sequence: u64,
    /// The public key that signs, as OpenSSH writes it; empty where nobody does.
    pub signer: String,
}

impl Statement {
    /// The bytes that are signed.
    pub fn write(&self) -> Vec<u8> {
        // Texts, a number, and a table with texts as keys: there is nothing in it that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Statement::write`] wrote.
    ///
    /// # Errors
    ///
    /// Why it is no such statement.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.kind != STATEMENT_TYPE {
            return Err(format!("its `_type` is not `{STATEMENT_TYPE}`"));
        }
        if read.predicate_type != PREDICATE_TYPE {
            return Err(format!("its `predicateType` is not `{PREDICATE_TYPE}`"));
        }
        if read.write() != bytes {
            return Err("it is not written as this program writes it".to_owned());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_pinned() {
        let digests = [("blake3", "b"), ("sha256", "s")];
        let statement = Statement {
            kind: STATEMENT_TYPE.into(),
            subject: vec![Subject {
                name: "switchback-package.json".into(),
                digest: digests.map(|(name, hash)| (name.to_owned(), hash.to_owned())).into(),
            }],
            predicate_type: PREDICATE_TYPE.into(),
            predicate: Predicate { name: "shop".into(), sequence: 3, signer: "k".into() },
        };
        let text = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"switchback-package.json","digest":{"blake3":"b","sha256":"s"}}],"predicateType":"urn:switchback:package:1","predicate":{"name":"shop","sequence":3,"signer":"k"}}"#;
        assert_eq!(String::from_utf8(statement.write()).unwrap(), text);
        assert_eq!(Statement::read(text.as_bytes()).unwrap(), statement);
        for other in [
            format!("{text}\n"),
            text.replace("package:1", "package:2"),
            text.replace("\"name\":\"shop\"", "\"name\":\"shop\",\"more\":1"),
        ] {
            assert!(Statement::read(other.as_bytes()).is_err(), "{other}");
        }
    }
}
