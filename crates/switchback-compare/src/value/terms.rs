//! The terms under which two values are equal: the part of a rule that one column follows.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;
use switchback_core::rule::{Pairing, Rule, Tolerance};

use crate::error::CompareError;

/// What a pair of values must meet.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) tolerance: Tolerance,
    /// Largest distance of dates, times and timestamps.
    pub(crate) time_ns: u64,
    /// Only identical bits are equal.
    pub(crate) bitwise: bool,
    pub(crate) nan: Pairing,
    pub(crate) null: Pairing,
    pub(crate) null_is_nan: bool,
    pub(crate) texts: TextTerms,
    /// Numbers that are told in text are compared as numbers.
    pub(crate) tells_numbers: bool,
}

/// What is ignored in text.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextTerms {
    pub(crate) ignore_case: bool,
    pub(crate) trim: bool,
    masks: Arc<[Regex]>,
}

impl Terms {
    /// The terms of a rule for what has none of its own.
    ///
    /// # Errors
    ///
    /// A mask that is no regular expression.
    pub(crate) fn of(rule: &Rule) -> Result<Self, CompareError> {
        let masks = rule.text.masks.iter().map(|mask| {
            Regex::new(mask).map_err(|error| {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                CompareError::Rule { reason: format!("the mask `{mask}` is no regular expression: {why}") }
            })
        });
        Ok(Self {
            tolerance: rule.tolerance,
            time_ns: rule.time_tolerance_ns.unwrap_or(0),
            bitwise: rule.bitwise,
            nan: rule.nan,
            null: rule.null,
            null_is_nan: rule.null_is_nan,
            texts: TextTerms {
                ignore_case: rule.text.ignore_case,
                trim: rule.text.trim,
                masks: masks.collect::<Result<_, _>>()?,
            },
            tells_numbers: false,
        })
    }

    /// The same, with a tolerance of their own.
    pub(crate) fn with(&self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self.clone() }
    }

    /// The same for text in which numbers are told, or are not.
    pub(crate) fn telling_numbers(&self, tells_numbers: bool) -> Self {
        Self { tells_numbers, ..self.clone() }
    }

    /// Whether a value always equals itself; if not, equal bits prove nothing.
    pub(crate) fn is_reflexive(&self) -> bool {
        self.nan == Pairing::Equal && self.null == Pairing::Equal
    }

    /// Whether numbers may differ and still be equal.
    pub(crate) fn tolerates_numbers(&self) -> bool {
        let tolerance = &self.tolerance;
        !self.bitwise
            && (tolerance.absolute.is_some_and(|bound| bound > 0.0)
                || tolerance.relative.is_some_and(|bound| bound > 0.0)
                || tolerance.ulps.is_some_and(|bound| bound > 0))
    }

    /// Whether times may differ and still be equal.
    pub(crate) fn tolerates_times(&self) -> bool {
        !self.bitwise && self.time_ns > 0
    }
}

impl TextTerms {
    /// The same without masks, as they hold for keys.
    pub(crate) fn unmasked(&self) -> Self {
        Self { masks: Arc::default(), ..self.clone() }
    }

    /// Whether nothing is ignored.
    pub(crate) fn is_exact(&self) -> bool {
        !self.ignore_case && !self.trim && self.masks.is_empty()
    }

    /// The text without what is ignored in it.
    pub(crate) fn plain<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for mask in self.masks.iter() {
            if let Cow::Owned(blanked) = mask.replace_all(&text, "") {
                text = Cow::Owned(blanked);
            }
        }
        if self.trim {
            text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            };
        }
        if self.ignore_case {
            // Up and down again folds what has several lower or upper forms, such as `ß`, `ς` and `ſ`.
            text = Cow::Owned(text.to_uppercase().to_lowercase());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchback_core::rule::TextRule;

    fn check(text: TextRule, one: &str, two: &str, same: bool) {
        let terms = Terms::of(&Rule { text, ..Rule::default() }).unwrap();
        assert_eq!(terms.texts.plain(one) == terms.texts.plain(two), same, "{one} {two}");
    }

    #[test]
    fn what_is_ignored_in_text() {
        let fold = TextRule { ignore_case: true, ..TextRule::default() };
        check(fold.clone(), "STRASSE", "straße", true);
        check(fold.clone(), "ΟΔΟΣ", "οδος", true);
        check(fold, "a", " a", false);
        let trim = TextRule { trim: true, ..TextRule::default() };
        check(trim.clone(), "\u{a0}a\t", "a", true);
        check(trim, "a b", "ab", false);
        let mask = TextRule { masks: vec!["[0-9.]+ s".to_owned()], ..TextRule::default() };
        check(mask, "fit in 1.5 s", "fit in 22 s", true);
    }

    #[test]
    fn a_mask_that_is_no_expression_is_refused() {
        let rule =
            Rule { text: TextRule { masks: vec!["(".to_owned()], ..TextRule::default() }, ..Rule::default() };
        let said = Terms::of(&rule).unwrap_err().to_string();
        assert_eq!(
            said,
            "the rule cannot be followed: the mask `(` is no regular expression: unclosed group"
        );
    }
}
