//! The evidence that an approval relies on: what all checks before the cutover said, the rehearsal, and the shadows.

use crate::journal::{PhaseHistory, ReliedOn};
use crate::manifest::to_hex;
use crate::plan::{Moment, Phase, Plan};

/// What stands for the moment of a shadow, which has none.
const AT_SHADOW: &str = "shadow";

/// The evidence that there is, in the order of the plan. A check that has not looked yet is not among it: the gate asks for
/// that by itself.
pub fn relied_on(plan: &Plan, phase: &Phase, history: &PhaseHistory) -> Vec<ReliedOn> {
    let mut found = Vec::new();
    for moment in [Moment::Before, Moment::Staged, Moment::Rehearsed] {
        let at = moment.to_string();
        for check in plan.checks_at(&phase.name, moment) {
            let Some(fact) = history.last_check(&check.name, &at) else { continue };
            found.push(ReliedOn {
                check: check.name.clone(),
                at: at.clone(),
                verdict: fact.verdict.word().to_owned(),
                evidence: fact.evidence.clone(),
            });
        }
    }
    found.extend(history.rehearsal.as_ref().map(|fact| ReliedOn {
        check: String::new(),
        at: Moment::Rehearsed.to_string(),
        verdict: fact.verdict.word().to_owned(),
        evidence: fact.evidence.clone(),
    }));
    for shadow in plan.shadows_of(&phase.name) {
        let end = history.shadows.get(&shadow.name).and_then(|fact| fact.end.as_ref());
        found.extend(end.map(|end| ReliedOn {
            check: shadow.name.clone(),
            at: AT_SHADOW.to_owned(),
            verdict: end.verdict.word().to_owned(),
            evidence: end.evidence.clone(),
        }));
    }
    found
}

/// One hash of all of it.
pub fn evidence_hash(relied: &[ReliedOn]) -> String {
    let mut hasher = blake3::Hasher::new();
    for one in relied {
        for field in [&one.check, &one.at, &one.verdict, &one.evidence] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
    }
    to_hex(hasher.finalize().as_bytes())
}

impl ReliedOn {
    /// What it is, in words.
    pub fn words(&self) -> String {
        if self.at == AT_SHADOW {
            format!("the evidence of the shadow `{}`", self.check)
        } else if self.check.is_empty() {
            "the evidence of the rehearsal".to_owned()
        } else {
            format!("the evidence of the check `{}` at {}", self.check, self.at)
        }
    }
}
