//! What a person signs who approves: the statement `switchback/approval/1`.
//!
//! Its bytes are decided by its content: JSON on one line, with the fields in the order below and nothing between them. A
//! statement that is written in any other way is not read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::journal::{Binding, ReliedOn};

/// What an envelope that holds a statement says that it holds.
pub const APPROVAL_TYPE: &str = "application/vnd.switchback.approval+json";
/// The version of the statement.
pub const APPROVAL_SCHEMA: &str = "switchback/approval/1";
/// No statement is larger.
const STATEMENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is approved, by whom, and for how long. Hashes are BLAKE3, 64 hexadecimal digits; empty where there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`APPROVAL_SCHEMA`].
    pub schema: String,
    /// The project's name.
    pub project: String,
    /// The phase.
    pub phase: String,
    /// The exchange that it is for: one candidate, staged once.
    pub transaction: String,
    /// In which role.
    pub role: String,
    /// Who that is by the plan; empty where the plan does not list the key.
    pub person: String,
    /// Hash of the plan file.
    pub plan: String,
    /// Hash of the live tree's manifest.
    pub old_tree: String,
    /// Hash of the candidate's manifest.
    pub new_tree: String,
    /// Hash of what the checks had read.
    pub inputs: String,
    /// Hash of all of `relied_on`.
    pub evidence: String,
    /// Each check that had looked, with its verdict and the hash of its report; the rehearsal, if there was
    /// one; and each shadow that is over.
    pub relied_on: Vec<ReliedOn>,
    /// Name and version of the program.
    pub tool: String,
    /// When, RFC 3339, UTC.
    pub signed_at: String,
    /// Until when it counts; `null`: until something of the above changes.
    pub expires_at: Option<String>,
}

impl Statement {
    /// The bytes that are signed.
    pub fn write(&self) -> Vec<u8> {
        // Texts and lists of texts: there is nothing in it that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Statement::write`] wrote.
    ///
    /// # Errors
    ///
    /// Why it is no such statement.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = read_as_written(bytes)?;
        if read.schema == APPROVAL_SCHEMA {
            Ok(read)
        } else {
            Err(format!("it is not of the schema `{APPROVAL_SCHEMA}`"))
        }
    }

    /// What it is about, as evidence says it.
    pub fn binding(&self) -> Binding {
        Binding {
            plan: self.plan.clone(),
            options: String::new(),
            old_tree: self.old_tree.clone(),
            new_tree: self.new_tree.clone(),
            inputs: self.inputs.clone(),
            tool: self.tool.clone(),
        }
    }
}

/// Reads a statement, and only one that is written as this program writes it: no two texts say the same.
pub(in crate::phase) fn read_as_written<S: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<S, String> {
    if bytes.len() > STATEMENT_BYTES_MAX {
        return Err(format!("it has {} bytes, and {STATEMENT_BYTES_MAX} is the most", bytes.len()));
    }
    let read: S = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if serde_json::to_vec(&read).is_ok_and(|written| written == bytes) {
        Ok(read)
    } else {
        Err("it is not written as this program writes it".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement {
            schema: APPROVAL_SCHEMA.into(),
            project: "shop".into(),
            phase: "unify".into(),
            transaction: "t7".into(),
            role: "risk".into(),
            person: "Ana".into(),
            plan: "p".into(),
            old_tree: "o".into(),
            new_tree: "n".into(),
            inputs: String::new(),
            evidence: "e".into(),
            relied_on: vec![ReliedOn {
                check: "rules".into(),
                at: "staged".into(),
                verdict: "yes".into(),
                evidence: "r".into(),
            }],
            tool: "switchback 0".into(),
            signed_at: "2027-01-01T00:00:00Z".into(),
            expires_at: None,
        }
    }

    #[test]
    fn the_format_is_pinned() {
        let text = r#"{"schema":"switchback/approval/1","project":"shop","phase":"unify","transaction":"t7","role":"risk","person":"Ana","plan":"p","old_tree":"o","new_tree":"n","inputs":"","evidence":"e","relied_on":[{"check":"rules","at":"staged","verdict":"yes","evidence":"r"}],"tool":"switchback 0","signed_at":"2027-01-01T00:00:00Z","expires_at":null}"#;
        assert_eq!(String::from_utf8(statement().write()).unwrap(), text);
        assert_eq!(Statement::read(text.as_bytes()).unwrap(), statement());
    }

    #[test]
    fn a_statement_in_other_words_is_not_read() {
        let text = String::from_utf8(statement().write()).unwrap();
        for other in [
            text.replace("{\"schema\"", "{ \"schema\""),
            text.replace("approval/1", "approval/2"),
            text.replace(",\"expires_at\":null", ""),
            text.replace("\"expires_at\":null", "\"expires_at\":null,\"more\":1"),
            text.replace("\"role\":\"risk\"", "\"role\":\"risk\",\"role\":\"tech\""),
            text.replace("risk", "\\u0072isk"),
            String::new(),
        ] {
            assert!(Statement::read(other.as_bytes()).is_err(), "{other}");
        }
    }
}
