//! What a person signs who says that a criterion holds: the statement `switchback/criterion/1`. Its bytes are decided by its
//! content, as those of an approval are.

use serde::{Deserialize, Serialize};

use crate::journal::Binding;
use crate::phase::approval::format::read_as_written;

/// What an envelope that holds a statement says that it holds.
pub const CRITERION_TYPE: &str = "application/vnd.switchback.criterion+json";
/// The version of the statement.
pub const CRITERION_SCHEMA: &str = "switchback/criterion/1";

/// What holds, and who says so. Hashes are BLAKE3, 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionStatement {
    /// Always [`CRITERION_SCHEMA`].
    pub schema: String,
    /// The project's name.
    pub project: String,
    /// The phase.
    pub phase: String,
    /// The exchange that it is about.
    pub transaction: String,
    /// The criterion, by its name.
    pub criterion: String,
    /// Hash of the criterion as the plan words it.
    pub wording: String,
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
    /// Name and version of the program.
    pub tool: String,
    /// When, RFC 3339, UTC.
    pub signed_at: String,
}

impl CriterionStatement {
    /// The bytes that are signed.
    pub fn write(&self) -> Vec<u8> {
        // Texts alone: there is nothing in it that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`CriterionStatement::write`] wrote.
    ///
    /// # Errors
    ///
    /// Why it is no such statement.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = read_as_written(bytes)?;
        if read.schema == CRITERION_SCHEMA {
            Ok(read)
        } else {
            Err(format!("it is not of the schema `{CRITERION_SCHEMA}`"))
        }
    }

    /// What it is about, as the journal says it.
    pub fn binding(&self) -> Binding {
        Binding {
            plan: self.plan.clone(),
            options: self.wording.clone(),
            old_tree: self.old_tree.clone(),
            new_tree: self.new_tree.clone(),
            inputs: String::new(),
            tool: self.tool.clone(),
        }
    }
}
