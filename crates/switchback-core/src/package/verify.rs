//! Verifying a package: by itself, without project or network. What was verified is said, and what was not.

use std::io::{Read, Seek};

use serde_json::Value;
use switchback_package::{Front, MANIFEST, Manifest, PackageError, STATEMENT, sha256};

use super::format::{PAYLOAD_TYPE, Statement};
use crate::manifest::to_hex;
use crate::port::Signatures;
use crate::quantity::counted;
use crate::signature::{PublicKey, SignatureFault};
use crate::verdict::Verdict;

/// What a look at a package came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// *yes*: it is signed, and every byte of it is as it was signed.
    pub verdict: Verdict,
    /// What it says of itself.
    pub manifest: Manifest,
    /// BLAKE3 of its manifest.
    pub hash: String,
    /// What the keys are called that signed it.
    pub signed_by: Vec<String>,
    /// The first of them.
    pub key: Option<PublicKey>,
    /// What was verified.
    pub verified: Vec<String>,
    /// What was not.
    pub not_verified: Vec<String>,
    /// What is wrong with it.
    pub faults: Vec<String>,
}

/// Verifies a package. `keys`: those that count; none: the one that it names itself.
///
/// # Errors
///
/// When it cannot be read, is no package, or says what nobody may act upon.
pub fn verify<R: Read + Seek>(
    reader: &mut R,
    keys: &[PublicKey],
    signatures: &dyn Signatures,
) -> Result<Look, PackageError> {
    let front = switchback_package::open(reader)?;
    let mut look = Look {
        verdict: Verdict::Yes,
        manifest: front.manifest.clone(),
        hash: to_hex(blake3::hash(&front.text).as_bytes()),
        signed_by: Vec::new(),
        key: None,
        verified: Vec::new(),
        not_verified: Vec::new(),
        faults: Vec::new(),
    };
    look.at_statement(&front, keys, signatures);
    let faults = switchback_package::walk(reader, &front)?;
    if faults.is_empty() {
        let files = counted(front.manifest.entries.len() as u64, "file");
        look.verified.push(format!("every byte of the archive is what its manifest makes it: {files}"));
    }
    look.faults.extend(faults.iter().map(ToString::to_string));
    look.not_verified.push(
        "that the checks saw what they say: for that, the evidence with these hashes, and the data, are needed".to_owned(),
    );
    if !look.faults.is_empty() {
        look.verdict = Verdict::No;
    }
    Ok(look)
}

impl Look {
    fn at_statement(&mut self, front: &Front, keys: &[PublicKey], signatures: &dyn Signatures) {
        let text = String::from_utf8_lossy(&front.statement).into_owned();
        if let Ok(statement) = Statement::read(&front.statement) {
            self.verdict = self.verdict.and(Verdict::Unknown);
            self.not_verified.push("nobody signed it: whoever changes all of it leaves no trace".to_owned());
            self.compare(&statement, front);
            return;
        }
        match opened(&text, keys, signatures) {
            Err(why) => self.faults.push(format!("`{STATEMENT}`: {why}")),
            Ok((statement, key)) => {
                let key_id = signatures.key_id(&key);
                if !is_written_by(&text, &key_id) {
                    self.faults.push(format!(
                        "`{STATEMENT}`: the envelope is not written as this program writes it"
                    ));
                }
                if self.compare(&statement, front) {
                    self.verified.push(format!("its manifest is the one that {key_id} signed"));
                }
                if keys.is_empty() {
                    self.not_verified.push(format!(
                        "whose key {key_id} is: anybody can make one; name the one that you trust with `--key`"
                    ));
                }
                self.signed_by.push(key_id);
                self.key = Some(key);
            }
        }
    }

    /// Holds the statement against the manifest.
    fn compare(&mut self, statement: &Statement, front: &Front) -> bool {
        let digest = |name: &str| match statement.subject.as_slice() {
            [subject] if subject.name == MANIFEST => subject.digest.get(name).cloned().unwrap_or_default(),
            _ => String::new(),
        };
        let said = (&statement.predicate.name, statement.predicate.sequence);
        let is_same = digest("blake3") == self.hash
            && digest("sha256") == sha256(&front.text)
            && said == (&front.manifest.name, front.manifest.sequence);
        if !is_same {
            self.faults.push(format!("`{MANIFEST}`: it is not the manifest that `{STATEMENT}` is about"));
        }
        is_same
    }
}

/// What is in an envelope, and the key that signed it.
fn opened(
    text: &str,
    keys: &[PublicKey],
    signatures: &dyn Signatures,
) -> Result<(Statement, PublicKey), String> {
    let (payload, _) = signatures.peek(text, PAYLOAD_TYPE).map_err(|fault| fault.to_string())?;
    let statement = Statement::read(&payload)?;
    let own;
    let keys = if keys.is_empty() {
        let key = PublicKey::read(&statement.predicate.signer);
        own = [key.map_err(|why| format!("it names no key that signed it: {why}"))?];
        &own[..]
    } else {
        keys
    };
    let opened = signatures.verify(text, PAYLOAD_TYPE, keys).map_err(|fault| match fault {
        SignatureFault::Stranger(names) => {
            format!("it is signed by another key: {}, and that is none of those that count", names.join(", "))
        }
        fault => fault.to_string(),
    })?;
    let key = opened.signed_by.into_iter().next().ok_or("nobody signed it")?;
    if key.text() != statement.predicate.signer {
        return Err("it names another key than the one that signed it".to_owned());
    }
    Ok((statement, key))
}

/// Whether an envelope is to the byte what this program writes: one signature, by the name of its key, in plain base64.
fn is_written_by(text: &str, key_id: &str) -> bool {
    let Ok(envelope) = serde_json::from_str::<Value>(text) else { return false };
    let signatures = envelope["signatures"].as_array().map_or(&[][..], Vec::as_slice);
    let [signature] = signatures else { return false };
    let is_plain = |value: &Value| value.as_str().is_some_and(|text| !text.contains(['-', '_']));
    let (payload, payload_type) = (&envelope["payload"], &envelope["payloadType"]);
    let (name, sig) = (&signature["keyid"], &signature["sig"]);
    let written = format!(
        r#"{{"payload":{payload},"payloadType":{payload_type},"signatures":[{{"keyid":{name},"sig":{sig}}}]}}"#
    );
    // Base64 has two alphabets, and DSSE takes both.
    written == text && is_plain(payload) && is_plain(sig) && name == key_id
}
