//! Where a shadow stands: whether it is over, and whether what it counted is about what would go in now.

use jiff::Timestamp;

use super::super::error::StepError;
use super::super::gate::{Gate, changed_since};
use super::super::project::{TOOL, Work};
use super::super::seal::named_manifest;
use super::inputs::{Known, uncounted};
use super::tally;
use crate::journal::history::{PhaseHistory, StagedFact};
use crate::journal::{Binding, ShadowEnd, ShadowFact};
use crate::manifest::{Manifest, to_hex};
use crate::plan::{Phase, Plan, Shadow};
use crate::verdict::Verdict;

/// Where it stands.
#[derive(Debug)]
pub enum Standing<'f> {
    /// Nothing was run yet.
    NotBegun,
    /// What it counted does not count any more, and why.
    Void(String),
    /// Inputs are still waited for.
    UnderWay(&'f ShadowFact),
    /// It has a verdict.
    Over(&'f ShadowEnd),
}

/// Where a shadow stands; `now` is what it has to be about.
pub fn standing<'f>(fact: Option<&'f ShadowFact>, now: &Binding) -> Standing<'f> {
    let Some(fact) = fact else { return Standing::NotBegun };
    let changed = changed_since(&fact.binding, now);
    if !changed.is_empty() {
        return Standing::Void(format!("since then {} changed", changed.join(", ")));
    }
    if fact.is_void {
        return Standing::Void("the candidate was built again since".to_owned());
    }
    fact.end.as_ref().map_or(Standing::UnderWay(fact), Standing::Over)
}

/// Where a shadow stands, its inputs looked at again: of a set that was counted every one has to be as it was counted. Of a period,
/// what comes later is no input.
pub(super) fn standing_now<'f>(
    work: &Work<'_>,
    shadow: &Shadow,
    fact: Option<&'f ShadowFact>,
    now: &Binding,
    known: &mut Known,
) -> Result<Standing<'f>, StepError> {
    let found = standing(fact, now);
    if let (Standing::Over(_), Some(fact), None) = (&found, fact, shadow.period_s)
        && let Some(what) = uncounted(work, shadow, fact, known)?
    {
        return Ok(Standing::Void(format!("since then {what}")));
    }
    Ok(found)
}

/// What a shadow has to be about, as far as the plan and the journal tell it; the files that it reads are those of `fact`.
pub fn told_binding(plan: &Plan, shadow: &Shadow, staged: &StagedFact, fact: Option<&ShadowFact>) -> Binding {
    Binding {
        plan: to_hex(&plan.hash),
        options: to_hex(&shadow.hash),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        inputs: fact.map_or_else(String::new, |fact| fact.binding.inputs.clone()),
        tool: TOOL.to_owned(),
    }
}

/// What a shadow has to be about now.
pub(super) fn binding(work: &Work<'_>, phase: &Phase, shadow: &Shadow) -> Result<Binding, StepError> {
    let staged = work.history().phase(&phase.name).and_then(|history| history.staged.clone());
    let Some(staged) = staged else {
        return Err(StepError::not_now("nothing is staged", "`switchback run` stages the candidate"));
    };
    let inputs = reads_hash(work, shadow)?;
    Ok(Binding { inputs, ..told_binding(work.plan(), shadow, &staged, None) })
}

/// The hash of the files of the project that it reads beside the trees; empty when there are none.
fn reads_hash(work: &Work<'_>, shadow: &Shadow) -> Result<String, StepError> {
    let reads = shadow.pair.reads();
    if reads.is_empty() {
        return Ok(String::new());
    }
    let mut hasher = blake3::Hasher::new();
    for path in reads {
        let at = work.project.root.join(&path);
        if work.world().disk.look(&at)?.is_none() {
            return Err(StepError::not_now(
                format!("`{}`, which the shadow `{}` reads, does not exist", path.display(), shadow.name),
                "correct the plan, or bring the file",
            ));
        }
        for mut entry in named_manifest(work.world(), &at, &path)?.entries {
            entry.mtime_ns = 0;
            hasher.update(&Manifest { entries: vec![entry] }.hash());
        }
    }
    Ok(to_hex(hasher.finalize().as_bytes()))
}

/// Every shadow of a phase must be over and say yes, about the trees that are there now.
pub(in crate::phase) fn look_at(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    (old_tree, new_tree): (&str, &str),
    gate: &mut Gate,
) -> Result<(), StepError> {
    const GOES_ON: &str = "`switchback shadow` goes on with it";
    for shadow in work.plan().shadows_of(&phase.name) {
        let name = &shadow.name;
        let now = Binding {
            old_tree: old_tree.to_owned(),
            new_tree: new_tree.to_owned(),
            ..binding(work, phase, shadow)?
        };
        match standing_now(work, shadow, history.shadows.get(name), &now, &mut Known::default())? {
            Standing::NotBegun => {
                gate.close(
                    Verdict::Unknown,
                    format!("the shadow `{name}` has not begun"),
                    "`switchback shadow` begins it",
                );
            }
            Standing::Void(why) => {
                let reason = format!("the shadow `{name}` is void: {why}");
                gate.close(Verdict::No, reason, "`switchback shadow` begins it anew");
            }
            Standing::UnderWay(fact) => {
                let far = how_far(fact, work.world().clock.now());
                let reason = format!("the shadow `{name}` is not over: {far}, {}", tally::of(fact).words());
                gate.close(Verdict::Unknown, reason, GOES_ON);
            }
            Standing::Over(end) if end.verdict == Verdict::Yes => {}
            Standing::Over(end) if end.verdict == Verdict::No => gate.close(
                Verdict::No,
                format!("the shadow `{name}` says no: {}", end.summary),
                "correct the candidate, then `switchback run --restage`",
            ),
            Standing::Over(end) => gate.close(
                Verdict::Unknown,
                format!("the shadow `{name}` could not tell: {}", end.summary),
                "`switchback shadow --again` begins it anew",
            ),
        }
    }
    Ok(())
}

/// How much of its period is over: `12 of 24 h`; for a set of inputs, that they are run.
pub fn how_far(fact: &ShadowFact, now: Timestamp) -> String {
    let (Ok(began), Ok(until)) = (fact.began.parse::<Timestamp>(), fact.until.parse::<Timestamp>()) else {
        return "its inputs are being run".to_owned();
    };
    // The journal has the time at which it was written, a moment after the period was set.
    let whole = (until.duration_since(began).as_millis() + 500) / 1_000;
    let whole = i64::try_from(whole).unwrap_or(i64::MAX).max(1);
    let gone = now.duration_since(began).as_secs().clamp(0, whole);
    let (unit_s, unit) = match whole {
        172_800.. => (86_400, "days"),
        7_200.. => (3_600, "h"),
        120.. => (60, "min"),
        _ => (1, "s"),
    };
    format!("{} of {} {unit}", gone / unit_s, whole / unit_s)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn fact(until: &str) -> ShadowFact {
        ShadowFact {
            began: "2026-01-01T00:00:00Z".into(),
            until: until.into(),
            binding: Binding { plan: "p".into(), ..Binding::default() },
            inputs: BTreeMap::new(),
            running: None,
            end: None,
            is_void: false,
        }
    }

    #[test]
    fn what_changed_since_voids_it_by_name() {
        let (fact, now) = (fact(""), Binding { plan: "p".into(), ..Binding::default() });
        assert!(matches!(standing(Some(&fact), &now), Standing::UnderWay(_)));
        assert!(matches!(standing(None, &now), Standing::NotBegun));
        let other = Binding { plan: "q".into(), new_tree: "n".into(), ..now.clone() };
        let Standing::Void(why) = standing(Some(&fact), &other) else { panic!("it is void") };
        assert_eq!(why, "since then the plan, the candidate changed");
        let anew = ShadowFact { is_void: true, ..fact };
        assert!(matches!(standing(Some(&anew), &now), Standing::Void(_)));
    }

    #[test]
    fn how_far_it_is_has_the_unit_of_the_whole() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(how_far(&fact("2026-01-02T00:00:00Z"), at("2026-01-01T12:30:00Z")), "12 of 24 h");
        assert_eq!(how_far(&fact("2026-01-01T00:00:09Z"), at("2026-01-01T00:00:04Z")), "4 of 9 s");
        assert_eq!(how_far(&fact("2026-01-08T00:00:00Z"), at("2026-02-01T00:00:00Z")), "7 of 7 days");
        assert_eq!(how_far(&fact(""), at("2026-01-01T00:00:04Z")), "its inputs are being run");
    }
}
