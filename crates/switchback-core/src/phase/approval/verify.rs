//! Signatures in the journal, looked at by themselves: whether each is that of the key beside it, over what stands beside it.
//! Whether that key may sign is for the plan to say, which was another one then.

use super::format::{APPROVAL_TYPE, Statement};
use crate::journal::{ChainFault, Event, FaultKind, Record, ReliedOn, Signed};
use crate::port::Signatures;
use crate::signature::PublicKey;

/// What a look at all signatures of a journal came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedLook {
    /// How many are good.
    pub verified: u64,
    /// Those that are not, and why.
    pub faults: Vec<ChainFault>,
}

/// Looks at the signature of every approval that has one.
pub fn look_at_signatures<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    signatures: &dyn Signatures,
) -> SignedLook {
    let mut found = SignedLook::default();
    for record in records {
        let Event::Approved { signed: Some(signed), .. } = &record.event else { continue };
        match look(&record.event, signed, signatures) {
            Ok(()) => found.verified += 1,
            Err(why) => {
                found.faults.push(ChainFault { seq: record.seq, kind: FaultKind::Signature, what: why })
            }
        }
    }
    found
}

fn look(event: &Event, signed: &Signed, signatures: &dyn Signatures) -> Result<(), String> {
    let key = PublicKey::read(&signed.key).map_err(|why| format!("its key cannot be used: {why}"))?;
    let envelope = signed.envelope.to_string();
    let opened = signatures
        .verify(&envelope, APPROVAL_TYPE, std::slice::from_ref(&key))
        .map_err(|fault| format!("its signature is not good: {fault}"))?;
    let statement =
        Statement::read(&opened.payload).map_err(|why| format!("what is signed is no approval: {why}"))?;
    if is_told(event, &statement) { Ok(()) } else { Err("it does not say what was signed".to_owned()) }
}

/// Whether an event says what its statement says.
fn is_told(event: &Event, statement: &Statement) -> bool {
    let Event::Approved { phase, role, binding, person, relied_on, expires, .. } = event else {
        return false;
    };
    let relied: &[ReliedOn] = relied_on;
    *phase == statement.phase
        && *role == statement.role
        && *binding == statement.binding()
        && *person == statement.person
        && relied == statement.relied_on
        && *expires == statement.expires_at.clone().unwrap_or_default()
}
