//! What must hold, for people: a check that says the same at several moments is told once.

use super::status::Criterion;

/// Criteria as they are told, in order: the first of those that are told together, and the text for all of them.
pub fn told_together(criteria: &[Criterion]) -> impl Iterator<Item = (&Criterion, String)> {
    criteria.chunk_by(are_alike).map(|together| {
        let first = &together[0];
        let more = together[1..].iter().map(moment);
        (first, std::iter::once(first.name.as_str()).chain(more).collect::<Vec<_>>().join(", "))
    })
}

/// Whether two criteria are one check at two moments, of which it says the same.
fn are_alike(one: &Criterion, other: &Criterion) -> bool {
    let is_check = check_of(one).is_some() && one.by == other.by;
    is_check && (one.verdict, one.is_open) == (other.verdict, other.is_open)
}

/// When the check of a criterion looks, as it is said behind another moment.
fn moment(criterion: &Criterion) -> &str {
    let name = criterion.name.as_str();
    let when = check_of(criterion).and_then(|check| name.strip_prefix(check)).unwrap_or(name).trim_start();
    when.strip_prefix("at ").unwrap_or(when)
}

/// The check that a criterion is about.
fn check_of(criterion: &Criterion) -> Option<&str> {
    criterion.by.strip_prefix("check ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn what_a_check_says_the_same_of_at_several_moments_is_one_line() {
        let one = |name: &str, by: &str, verdict: Verdict| Criterion {
            name: name.to_owned(),
            verdict,
            by: by.to_owned(),
            is_open: verdict == Verdict::Unknown,
        };
        let criteria = [
            one("a snapshot", "snapshot 1", Verdict::Yes),
            one("sums at staged", "check sums", Verdict::Yes),
            one("sums at live", "check sums", Verdict::Yes),
            one("sums at +1h", "check sums", Verdict::Unknown),
            one("sums every 5min for 1h", "check sums", Verdict::Unknown),
            one("at at +1h", "check at", Verdict::Unknown),
            one("at at rolled-back", "check at", Verdict::Unknown),
            one("approved by risk", "approval risk", Verdict::Unknown),
            one("approved by risk", "approval risk", Verdict::Unknown),
        ];
        let told: Vec<String> = told_together(&criteria).map(|(_, text)| text).collect();
        assert_eq!(
            told,
            [
                "a snapshot",
                "sums at staged, live",
                "sums at +1h, every 5min for 1h",
                "at at +1h, rolled-back",
                "approved by risk",
                "approved by risk",
            ]
        );
    }
}
