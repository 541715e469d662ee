//! What a number may be: the keys `least` and `most` of checks that find one, and what they say of it.

use serde_json::Value;

use super::Looked;
use crate::plan::{Fields, Key, Shape};
use crate::verdict::Verdict;

pub(super) const LEAST: Key = Key::optional("least", Shape::Decimal, "the check says no below it");
pub(super) const MOST: Key = Key::optional("most", Shape::Decimal, "the check says no above it");

/// The bounds of a number, which is inside when it is one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    least: Option<f64>,
    most: Option<f64>,
}

impl Limits {
    /// Reads both keys; what is wrong with them becomes a finding.
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let number =
            |name: &str| fields.literal(name).and_then(|text| text.replace('_', "").parse::<f64>().ok());
        let limits = Self { least: number("least"), most: number("most") };
        for name in ["least", "most"] {
            if fields.has(name) && number(name).is_none_or(|number| !number.is_finite()) {
                fields.find(name, format!("`{name}` is no finite number"), "e.g. `most = 0.05`");
            }
        }
        if let (Some(least), Some(most)) = (limits.least, limits.most)
            && least > most
        {
            fields.find(
                "most",
                format!("`most` is {most}, and `least` is {least}: no number is both"),
                "correct one",
            );
        }
        limits
    }

    /// What they say of a number that was found: `what` names it, `details` is the evidence.
    pub(super) fn judge(&self, number: f64, what: &str, mut details: Value) -> Looked {
        if !number.is_finite() {
            return Looked::unknown(format!("{what} is {number}, which says nothing"), details);
        }
        details["figure"] = number.into();
        details["least"] = self.least.into();
        details["most"] = self.most.into();
        let outside = match *self {
            Self { least: Some(least), .. } if number < least => Some(format!("less than {least}")),
            Self { most: Some(most), .. } if number > most => Some(format!("more than {most}")),
            _ => None,
        };
        match outside {
            None => Looked::new(Verdict::Yes, format!("{what} is {number}"), details),
            Some(why) => Looked::new(Verdict::No, format!("{what} is {number}, {why}"), details),
        }
        .measured(number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(least: Option<f64>, most: Option<f64>, number: f64) -> Verdict {
        Limits { least, most }.judge(number, "it", json!({})).verdict
    }

    #[test]
    fn the_bounds_are_inside_and_what_is_no_number_says_nothing() {
        for (number, wanted) in
            [(0.9, Verdict::No), (1.0, Verdict::Yes), (2.0, Verdict::Yes), (2.1, Verdict::No)]
        {
            assert_eq!(verdict(Some(1.0), Some(2.0), number), wanted, "{number}");
        }
        assert_eq!(verdict(None, None, -1e300), Verdict::Yes);
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(verdict(None, Some(1.0), number), Verdict::Unknown, "{number}");
        }
    }
}
