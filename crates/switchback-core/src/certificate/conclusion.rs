//! What follows from a certificate's parts: made from them when it is written, and from nothing else when it is verified.

use super::format::{CheckEntry, Predicate};
use crate::verdict::Verdict;

/// The verdict, and every reason why it is not *yes*.
pub(super) fn conclusion(predicate: &Predicate) -> (Verdict, Vec<String>) {
    let mut reasons = Vec::new();
    let mut verdict = Verdict::Yes;
    let mut speak = |says: Verdict, why: String| {
        verdict = verdict.and(says);
        reasons.push(why);
    };
    let looked: Vec<&CheckEntry> = predicate.checks.iter().filter(|check| check.at != "before").collect();
    if looked.is_empty() {
        speak(Verdict::Unknown, "nothing was checked".to_owned());
    }
    for check in looked {
        match Verdict::from_word(&check.verdict) {
            Some(Verdict::Yes) => {}
            Some(Verdict::No) => {
                speak(Verdict::No, format!("the check `{}` says no at {}", check.name, check.at));
            }
            _ => {
                speak(Verdict::Unknown, format!("the check `{}` could not tell at {}", check.name, check.at));
            }
        }
    }
    // What is looked at after the cutover is open until then, and a watch until it is over.
    let is_due =
        |at: &str| ["staged", "rehearsed"].contains(&at) || (at == "live" && predicate.live_since.is_some());
    for open in predicate.open.iter().filter(|open| is_due(&open.at)) {
        speak(Verdict::Unknown, format!("the check `{}` has not looked at {}", open.name, open.at));
    }
    match predicate.rehearsal.as_ref().and_then(|rehearsal| Verdict::from_word(&rehearsal.verdict)) {
        Some(Verdict::Yes) => {}
        Some(Verdict::No) => speak(Verdict::No, "the rehearsal says no".to_owned()),
        _ => speak(Verdict::Unknown, "it was not rehearsed".to_owned()),
    }
    for role in &predicate.approvals {
        if role.refused {
            speak(Verdict::No, format!("the role `{}` refused", role.role));
        }
        let persons = role.votes.len() as u64;
        if persons < role.needed {
            let why = format!("role `{}`: {persons} of {} approvals", role.role, role.needed);
            speak(Verdict::Unknown, why);
        }
    }
    (verdict, reasons)
}
