//! All cases of one question: every combination of values, each measured for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Against, CaseFinding, Kept, PerformanceRule, Programs, RunFailed, Side, Step, measured};
use crate::port::Statistician;

/// More cases than this are a mistake.
const CASES_MAX: usize = 1_000;
/// Names that mean something else in a command.
const TAKEN: &[&str] = &["out", "tree"];

/// Everything that it takes to measure all cases.
#[derive(Debug)]
pub struct Session<'a> {
    /// What is measured, and how.
    pub rule: &'a PerformanceRule,
    /// Names and values; without any there is one case.
    pub over: &'a [(String, Vec<String>)],
    /// Who knows statistics.
    pub statistician: &'a dyn Statistician,
    /// What is run.
    pub programs: Programs<'a>,
    /// Figures of another day to hold it against, where the old program is not run.
    pub kept: Option<&'a Kept>,
    /// All of it takes no longer than this.
    pub within: Option<Duration>,
}

impl Session<'_> {
    /// Measures every case. `told` hears of each turn before it begins, with the name of its case.
    ///
    /// # Errors
    ///
    /// When a run fails.
    pub fn carry_out(&mut self, told: &mut dyn FnMut(&str, Step)) -> Result<Vec<CaseFinding>, RunFailed> {
        let clock = self.programs.world.clock.clone();
        let deadline = self.within.map(|within| clock.monotonic().saturating_add(within));
        let timeout = self.programs.timeout;
        let mut found = Vec::new();
        for (name, values) in cases(self.over) {
            self.programs.values = values;
            let none = BTreeMap::new();
            let against = match (&self.programs.old, self.kept) {
                (Some(_), _) => Against::Old,
                (None, Some(kept)) => Against::Kept(kept.cases.get(&name).unwrap_or(&none)),
                (None, None) => Against::Nothing,
            };
            let programs = &mut self.programs;
            let mut run = |side: Side| {
                // The last run is not to take longer than all may.
                let left = deadline.map(|deadline| deadline.saturating_sub(clock.monotonic()));
                programs.timeout =
                    left.map_or(timeout, |left| left.min(timeout)).max(Duration::from_millis(1));
                programs.run(side)
            };
            let mut goes_on = |step: Step| {
                told(&name, step);
                deadline.is_none_or(|deadline| clock.monotonic() < deadline)
            };
            let case = measured(self.rule, against, self.statistician, &mut run, &mut goes_on);
            let case =
                case.map_err(|failed| RunFailed { what: within_case(&name, &failed.what), ..failed })?;
            found.push(CaseFinding { name, ..case });
        }
        Ok(found)
    }
}

fn within_case(name: &str, what: &str) -> String {
    if name.is_empty() { what.to_owned() } else { format!("{name}: {what}") }
}

/// Why these names and values make no cases; nothing when they do.
pub fn refuse(over: &[(String, Vec<String>)]) -> Option<String> {
    let count = over.iter().fold(1_usize, |count, (_, values)| count.saturating_mul(values.len()));
    let mut names: Vec<&str> = Vec::new();
    for (name, values) in over {
        if TAKEN.contains(&name.as_str()) {
            return Some(format!("`{{{name}}}` means something else in a command"));
        }
        if names.contains(&name.as_str()) {
            return Some(format!("there are two lists of values for `{name}`"));
        }
        if values.is_empty() || name.is_empty() {
            return Some(format!("`{name}` has no values"));
        }
        names.push(name);
    }
    (count > CASES_MAX).then(|| format!("these values make {count} cases, and {CASES_MAX} are the most"))
}

/// Every combination of values, each with its name; the last list changes first. One case without a name when there is no list.
fn cases(over: &[(String, Vec<String>)]) -> Vec<(String, Vec<(String, String)>)> {
    let mut all: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (name, values) in over {
        let longer = |case: &Vec<(String, String)>| {
            let each = values.iter().map(|value| {
                let one = (name.clone(), value.clone());
                case.iter().cloned().chain([one]).collect()
            });
            each.collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    let named = |case: &Vec<(String, String)>| {
        case.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    };
    all.into_iter().map(|case| (named(&case), case)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(lists: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        lists.iter().map(|(name, values)| ((*name).to_owned(), list(values))).collect()
    }

    #[test]
    fn every_combination_is_a_case() {
        let names = |lists| cases(&over(lists)).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&[]), [""]);
        let wanted = ["size=1, workers=2", "size=1, workers=4", "size=9, workers=2", "size=9, workers=4"];
        assert_eq!(names(&[("size", &["1", "9"]), ("workers", &["2", "4"])]), wanted);
    }

    #[test]
    fn what_makes_no_cases_is_refused() {
        assert_eq!(refuse(&over(&[("size", &["1"])])), None);
        for lists in [
            &[("out", &["1"][..])][..],
            &[("size", &[])],
            &[("size", &["1"]), ("size", &["2"])],
            &[("a", &["1"; 40]), ("b", &["1"; 40])],
        ] {
            assert!(refuse(&over(lists)).is_some(), "{lists:?}");
        }
    }
}
