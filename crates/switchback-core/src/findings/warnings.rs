//! The warnings that Python prints while a program runs, and that pytest lists after its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Finding, Level, Report, place};
use crate::test_results::{self, Runner};

/// So much of a message is kept.
const MESSAGE_CHARACTERS_MAX: usize = 300;

/// Reads the output of a run of tests, or of a program whose last line says so. A warning that was given at one place several times
/// is one.
///
/// # Errors
///
/// When tests ran and did not come to their end, when none ran, and when pytest counts warnings that it does not list.
pub(super) fn read(text: &str, tree: &Path) -> Result<Report, String> {
    let runner =
        test_results::detect(text).filter(|runner| matches!(runner, Runner::Pytest | Runner::Unittest));
    let runner =
        runner.ok_or("it is not what pytest or unittest prints: nobody knows whether anything ran")?;
    let run = test_results::read_output(runner, text).map_err(|error| error.to_string())?;
    if run.counts.ran() == 0 {
        return Err("no test ran".to_owned());
    }
    if run.stopped.is_some() || run.counts.bad() > 0 {
        return Err("the tests did not pass: what they warn of is not all there is".to_owned());
    }
    let mut seen = BTreeSet::new();
    let mut report = Report { tools: vec![runner.word().to_owned()], ..Report::default() };
    for line in text.lines() {
        let Some((path, number, category, message)) = warning(line) else { continue };
        let path = place::of_path(path, tree);
        if !seen.insert((path.clone(), number, category.to_owned(), message.to_owned())) {
            continue;
        }
        report.add(Finding {
            tool: runner.word().to_owned(),
            rule: category.to_owned(),
            level: Level::Warning,
            path,
            line: number,
            message: one_line(message),
            fingerprints: BTreeMap::new(),
        })?;
    }
    let counted = text.lines().rev().find_map(counted);
    if report.findings.is_empty() && counted.is_some_and(|counted| counted > 0) {
        return Err("pytest counts warnings and lists none: take `--disable-warnings` out".to_owned());
    }
    Ok(report)
}

/// Reads `  src/app.py:17: DeprecationWarning: old is going away`.
fn warning(line: &str) -> Option<(&str, u64, &str, &str)> {
    let line = line.trim_start();
    // The category is the first word that ends a class of warnings.
    let at = line.find("Warning: ").or_else(|| line.strip_suffix("Warning:").map(str::len))?;
    let head = &line[..at + "Warning".len()];
    let message = line[at + "Warning".len()..].trim_start_matches(':').trim();
    let (place, category) = head.rsplit_once(": ")?;
    let (path, number) = place.rsplit_once(':')?;
    let is_name = category.chars().all(|letter| letter.is_alphanumeric() || "_.".contains(letter));
    (is_name && !path.is_empty() && !path.contains("  ")).then_some(())?;
    Some((path, number.parse().ok()?, category, message))
}

/// The count in `2 passed, 1 warning in 0.02s`.
fn counted(line: &str) -> Option<u64> {
    let (said, _) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let part = said.split(", ").find(|part| part.ends_with(" warning") || part.ends_with(" warnings"))?;
    part.split(' ').next()?.parse().ok()
}

/// A message as one line without control characters, cut where it is too long.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|letter| !letter.is_control()).collect();
    match line.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
