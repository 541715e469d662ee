//! Text that tells numbers: the words must be the same, the numbers near.

use std::sync::LazyLock;

use regex::Regex;

use super::Number;
use crate::source::inference::number;

/// What may be a number; whether it is one depends on what stands around it.
#[expect(clippy::expect_used, reason = "the expression is constant, and a test reads text with it")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?").expect("it is a regular expression")
});

/// A piece of a text.
#[derive(Debug)]
pub(crate) enum Piece<'t> {
    Words(&'t str),
    Number(Number),
}

/// Cuts a text at its numbers. A number that is part of a name, a version or a date stays words.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    let is_wordy = |letter: char| letter.is_alphanumeric() || letter == '_';
    for found in NUMBER.find_iter(text) {
        let mut before = text.get(..found.start()).unwrap_or_default().chars();
        let previous = before.next_back();
        let mut after = text.get(found.end()..).unwrap_or_default().chars();
        let next = after.next();
        let goes_on = next.is_some_and(is_wordy)
            || (next.is_some_and(|next| matches!(next, '.' | '-' | ':' | '/'))
                && after.next().is_some_and(|after| after.is_ascii_digit()));
        let is_part = previous.is_some_and(|previous| {
            is_wordy(previous)
                || previous == '.'
                || (matches!(previous, ':' | '/')
                    && before.next_back().is_some_and(|before| before.is_ascii_digit()))
        });
        if is_part || goes_on {
            continue;
        }
        let Some(value) = number(found.as_str().trim_start_matches('+')) else { continue };
        if done < found.start() {
            pieces.push(Piece::Words(text.get(done..found.start()).unwrap_or_default()));
        }
        pieces.push(Piece::Number(value));
        done = found.end();
    }
    if done < text.len() {
        pieces.push(Piece::Words(text.get(done..).unwrap_or_default()));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, numbers: &[&str]) {
        let found: Vec<String> = pieces(text)
            .into_iter()
            .filter_map(|piece| if let Piece::Number(number) = piece { Some(number.to_text()) } else { None })
            .collect();
        assert_eq!(found, numbers, "{text}");
    }

    #[test]
    fn numbers_are_told_from_names_versions_and_dates() {
        check("rmse 0.125, r2=-1e-3 (n = 10)", &["0.125", "-0.001", "10"]);
        check("<td>1.5</td><td>+2</td>", &["1.5", "2"]);
        check("0x7f2a v2 x_1 1.2.3 2026-01-02 10:30 007 col1", &[]);
        check("[ 1.  -2.5]", &["1.0", "-2.5"]);
        check("", &[]);
    }
}
