//! Who signs: by the plan, and by the key.

use crate::journal::Signed;
use crate::phase::error::StepError;
use crate::plan::{Approver, Plan};
use crate::port::{Signatures, Signer};
use crate::signature::PublicKey;

/// Why somebody may not sign, and what helps.
#[derive(Debug)]
pub struct NotThey {
    /// Why.
    pub why: String,
    /// The next move.
    pub next: String,
}

/// Who it is by the plan; empty where it lists nobody for the role and does not know the key. `line`: the command that signs,
/// without its key and its closing quote.
///
/// # Errors
///
/// When a key is missing, or is not that of somebody who has the role.
pub fn who(
    plan: &Plan,
    signatures: &dyn Signatures,
    role: &str,
    signer: Option<&dyn Signer>,
    line: &str,
) -> Result<String, NotThey> {
    let names: Vec<&str> = plan.approvers_of(role).map(|approver| approver.name.as_str()).collect();
    let Some(signer) = signer else {
        if names.is_empty() {
            return Ok(String::new());
        }
        let names = names.join(", ");
        return Err(NotThey {
            why: format!("approvals in the role `{role}` are signed: the plan lists the keys of {names}"),
            next: format!("{line} --key FILE` signs with a private key"),
        });
    };
    let key_id = signatures.key_id(signer.public_key());
    let refused =
        |why| Err(NotThey { why, next: format!("whoever has the role signs: {}", names.join(", ")) });
    match plan.approver_with(signer.public_key()) {
        None if names.is_empty() => Ok(String::new()),
        None => refused(format!("the key {key_id} belongs to nobody: the plan lists it for no approver")),
        Some(person) if !names.is_empty() && !person.has(role) => refused(format!(
            "the key {key_id} is that of {}, who does not have the role `{role}`",
            person.name
        )),
        Some(person) => Ok(person.name.clone()),
    }
}

/// Whose key it is by the plan, if it may sign in a role; any key may where the plan lists none for it.
///
/// # Errors
///
/// Why it may not, in words.
pub fn signer<'p>(
    plan: &'p Plan,
    signatures: &dyn Signatures,
    role: &str,
    key: &PublicKey,
) -> Result<Option<&'p Approver>, String> {
    let is_keyed = plan.is_keyed(role);
    match plan.approver_with(key) {
        None if is_keyed => Err(format!("the plan lists the key {} for nobody", signatures.key_id(key))),
        Some(person) if is_keyed && !person.has(role) => {
            Err(format!("{} does not have this role", person.name))
        }
        person => Ok(person),
    }
}

/// A signature as the journal keeps it.
///
/// # Errors
///
/// When it cannot be written.
pub fn signed(signer: &dyn Signer, payload_type: &str, statement: &[u8]) -> Result<Signed, StepError> {
    let envelope = serde_json::from_str(&signer.sign(payload_type, statement)).map_err(|error| {
        StepError::not_now(format!("the signature could not be written: {error}"), "sign again")
    })?;
    Ok(Signed { key: signer.public_key().text().to_owned(), envelope })
}
