//! The counts that test runners print in their closing lines.

use std::fmt;

/// How many tests passed, failed, and were not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ran and held.
    pub passed: u64,
    /// Ran and did not hold, timed out, or could not be started.
    pub failed: u64,
    /// Not run: ignored, filtered out, or excluded.
    pub skipped: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The counts of nextest: `Summary [ 0.1s] 4 tests run: 3 passed (1 slow), 1 failed, 2 skipped`.
pub fn of_nextest(text: &str) -> Counts {
    let text = without_colour(text);
    let summary = text.lines().rev().find(|line| line.trim_start().starts_with("Summary ["));
    let counts = summary.and_then(|line| line.split_once("run: ")).map_or("", |(_, counts)| counts);
    sum(&without_parentheses(counts), ',')
}

/// The counts of libtest, over all its binaries: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
pub fn of_libtest(text: &str) -> Counts {
    without_colour(text)
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ")?.split_once(". "))
        .map(|(_, counts)| sum(counts, ';'))
        .fold(Counts::default(), Counts::and)
}

/// Adds up `3 passed, 1 timed out, …`. Words that are not counts of tests (`0 measured`) are left out.
fn sum(counts: &str, separator: char) -> Counts {
    let mut total = Counts::default();
    for part in counts.split(separator) {
        let Some((number, word)) = part.trim().split_once(' ') else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        match word {
            "passed" => total.passed += number,
            "failed" | "timed out" | "exec failed" => total.failed += number,
            "skipped" | "ignored" | "filtered out" => total.skipped += number,
            _ => {}
        }
    }
    total
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|&character| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect::<String>()
        .replace(" ,", ",")
}

/// The text without the escape sequences that colour it.
fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        // A sequence ends with its first letter.
        rest =
            after.split_once(|character: char| character.is_ascii_alphabetic()).map_or("", |(_, tail)| tail);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_summaries_are_read() {
        for (line, passed, failed, skipped) in [
            ("     Summary [   0.005s] 12 tests run: 12 passed, 0 skipped\n", 12, 0, 0),
            (
                "Summary [1s] 9/12 tests run: 5 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 1 exec failed, 3 skipped",
                5,
                4,
                3,
            ),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m7\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m",
                1,
                0,
                7,
            ),
            ("error: could not compile", 0, 0, 0),
        ] {
            assert_eq!(of_nextest(line), Counts { passed, failed, skipped }, "{line}");
        }
    }

    #[test]
    fn libtest_results_are_added_up() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s\n";
        assert_eq!(of_libtest(text), Counts { passed: 4, failed: 2, skipped: 3 });
    }

    #[test]
    fn the_closing_line_is_the_plain_one() {
        let counts = Counts { passed: 3, failed: 1, skipped: 2 };
        assert_eq!(counts.to_string(), "3 passed, 1 failed, 2 skipped");
    }
}
