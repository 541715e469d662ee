//! Which of what persons said about a criterion counts.

use super::format::{CRITERION_TYPE, CriterionStatement};
use super::{Part, binding};
use crate::journal::history::{CriterionWord, PhaseHistory};
use crate::journal::{Binding, PhaseState, Signed};
use crate::manifest::to_hex;
use crate::phase::approval::{Judge, signer};
use crate::phase::gate;
use crate::plan::{CriterionPlan, Phase, Plan};
use crate::signature::PublicKey;
use crate::verdict::Verdict;

/// A word that counts, and whose it is.
struct Heard<'w> {
    word: &'w CriterionWord,
    who: String,
}

/// What the persons of a role said last about a criterion. Where the plan lists keys for the role, only what one of them signed says
/// that it holds; a refusal needs none.
pub(super) fn heard(
    judge: &Judge<'_>,
    phase: &Phase,
    history: Option<&PhaseHistory>,
    criterion: &CriterionPlan,
    role: &str,
) -> Part {
    let mut last: Vec<Heard<'_>> = Vec::new();
    let mut ignored = String::new();
    for word in history.iter().flat_map(|history| &history.criterion_words) {
        let is_meant = word.criterion == criterion.name && word.role == role;
        if !is_meant || !is_about(judge.plan, history, criterion, word) {
            continue;
        }
        match said_by(judge, phase, word) {
            Ok(who) => {
                last.retain(|earlier| earlier.word.actor != word.actor && earlier.who != who);
                last.push(Heard { word, who });
            }
            // It changes nothing of what was said before.
            Err(why) => ignored = format!(" (the word of {} does not count: {why})", word.actor),
        }
    }
    if let Some(refusal) = last.iter().find(|heard| !heard.word.holds) {
        let by = format!("{} in the role {role}: {}", refusal.who, refusal.word.why);
        return Part { verdict: Verdict::No, is_open: false, by };
    }
    match last.last() {
        Some(heard) => {
            Part { verdict: Verdict::Yes, is_open: false, by: format!("{} in the role {role}", heard.who) }
        }
        None => Part { verdict: Verdict::Unknown, is_open: true, by: format!("role {role}{ignored}") },
    }
}

/// Who said it: a person of the plan, or `user@host`. The error is why it does not count.
fn said_by(judge: &Judge<'_>, phase: &Phase, word: &CriterionWord) -> Result<String, String> {
    let is_keyed = judge.plan.is_keyed(&word.role);
    match &word.signed {
        Some(signed) if word.holds => signed_by(judge, phase, word, signed),
        None if word.holds && is_keyed => {
            Err("it is not signed, and the plan lists keys for this role".to_owned())
        }
        _ => Ok(word.actor.clone()),
    }
}

fn signed_by(
    judge: &Judge<'_>,
    phase: &Phase,
    word: &CriterionWord,
    signed: &Signed,
) -> Result<String, String> {
    let key = PublicKey::read(&signed.key).map_err(|why| format!("its key cannot be used: {why}"))?;
    let person = signer(judge.plan, judge.signatures, &word.role, &key)?;
    let envelope = signed.envelope.to_string();
    let opened = judge.signatures.verify(&envelope, CRITERION_TYPE, std::slice::from_ref(&key));
    let opened = opened.map_err(|fault| fault.to_string())?;
    let statement = CriterionStatement::read(&opened.payload)
        .map_err(|why| format!("what is signed is no word about a criterion: {why}"))?;
    let parts = [
        (statement.project == judge.plan.project.name, "another project"),
        (statement.phase == phase.name, "another phase"),
        (statement.criterion == word.criterion, "another criterion"),
        (statement.role == word.role, "another role"),
        (statement.transaction == word.transaction, "another candidate"),
        (statement.binding() == word.binding, "something else than what stands beside it"),
        (person.is_none_or(|person| person.name == statement.person), "another person"),
    ];
    if let Some((_, what)) = parts.iter().find(|(is_same, _)| !is_same) {
        return Err(format!("it was signed for {what}"));
    }
    Ok(person.map_or_else(|| word.actor.clone(), |person| person.name.clone()))
}

/// Whether somebody's word is about the criterion and the candidate as they are now.
fn is_about(
    plan: &Plan,
    history: Option<&PhaseHistory>,
    criterion: &CriterionPlan,
    word: &CriterionWord,
) -> bool {
    let Some((history, staged)) = history.and_then(|history| Some((history, history.staged.as_ref()?)))
    else {
        return false;
    };
    if word.transaction != staged.transaction || word.binding.options != to_hex(&criterion.hash) {
        return false;
    }
    // What counted at the cutover is not judged by a plan that was edited since.
    let now = Binding {
        options: word.binding.options.clone(),
        ..binding(plan, &staged.old_tree, &staged.new_tree)
    };
    history.state != PhaseState::Staged || gate::changed_since(&word.binding, &now).is_empty()
}
