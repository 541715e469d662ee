//! Signatures in the journal, looked at by themselves: whether each is that of the key beside it, over what stands beside it.
//! Whether that key may sign is for the plan to say, which was another one then.

use super::format::{APPROVAL_TYPE, Statement};
use crate::journal::{ChainFault, Event, FaultKind, Record, ReliedOn, Signed};
use crate::phase::criteria::format::{CRITERION_TYPE, CriterionStatement};
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

/// Looks at the signature of every approval, and of every word about a criterion, that has one.
pub fn look_at_signatures<'r>(
    records: impl IntoIterator<Item = &'r Record>,
    signatures: &dyn Signatures,
) -> SignedLook {
    let mut found = SignedLook::default();
    for record in records {
        let seen = match &record.event {
            Event::Approved { signed: Some(signed), .. } => look(&record.event, signed, signatures),
            Event::CriterionSigned { signed: Some(signed), .. } => {
                look_at_word(&record.event, signed, signatures)
            }
            _ => continue,
        };
        match seen {
            Ok(()) => found.verified += 1,
            Err(why) => {
                found.faults.push(ChainFault { seq: record.seq, kind: FaultKind::Signature, what: why });
            }
        }
    }
    found
}

fn look(event: &Event, signed: &Signed, signatures: &dyn Signatures) -> Result<(), String> {
    let payload = opened(signed, APPROVAL_TYPE, signatures)?;
    let statement =
        Statement::read(&payload).map_err(|why| format!("what is signed is no approval: {why}"))?;
    if is_told(event, &statement) { Ok(()) } else { Err("it does not say what was signed".to_owned()) }
}

/// The same of somebody's word about a criterion.
fn look_at_word(event: &Event, signed: &Signed, signatures: &dyn Signatures) -> Result<(), String> {
    let payload = opened(signed, CRITERION_TYPE, signatures)?;
    let statement = CriterionStatement::read(&payload)
        .map_err(|why| format!("what is signed is no word about a criterion: {why}"))?;
    let Event::CriterionSigned { phase, criterion, role, holds, transaction, binding, person, .. } = event
    else {
        return Err("it is no word about a criterion".to_owned());
    };
    let is_told = *holds
        && *phase == statement.phase
        && *criterion == statement.criterion
        && *role == statement.role
        && *transaction == statement.transaction
        && *person == statement.person
        && *binding == statement.binding();
    if is_told { Ok(()) } else { Err("it does not say what was signed".to_owned()) }
}

/// What an envelope holds, if its signature is that of the key beside it.
fn opened(signed: &Signed, payload_type: &str, signatures: &dyn Signatures) -> Result<Vec<u8>, String> {
    let key = PublicKey::read(&signed.key).map_err(|why| format!("its key cannot be used: {why}"))?;
    let envelope = signed.envelope.to_string();
    let opened = signatures.verify(&envelope, payload_type, std::slice::from_ref(&key));
    Ok(opened.map_err(|fault| format!("its signature is not good: {fault}"))?.payload)
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
