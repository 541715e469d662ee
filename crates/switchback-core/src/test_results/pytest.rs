//! The plain output of pytest: progress lines, the short summary, and the line that ends it.

use super::plain::{Listing, describe};
use super::{Counts, NamesKnown, ResultsError, Runner, TestOutcome, TestRun};

const RUNNER: Runner = Runner::Pytest;

/// The words that pytest prints for an outcome in its lists.
const WORDS: [(&str, TestOutcome); 6] = [
    ("PASSED", TestOutcome::Passed),
    ("FAILED", TestOutcome::Failed),
    ("ERROR", TestOutcome::Error),
    ("SKIPPED", TestOutcome::Skipped),
    ("XFAIL", TestOutcome::XFailed),
    ("XPASS", TestOutcome::XPassed),
];

pub(super) fn recognises(lines: &[String]) -> bool {
    let framed = |line: &String| title(line, '=').is_some_and(|title| summary(title).is_some());
    lines.iter().any(|line| title(line, '=') == Some("test session starts") || framed(line))
        // What stands on both streams may be joined by an empty line.
        || lines
            .iter()
            .rfind(|line| !line.trim().is_empty())
            .is_some_and(|line| summary(line).is_some_and(|summary| summary.unknown.is_none()))
}

pub(super) fn read(lines: &[String]) -> Result<TestRun, ResultsError> {
    let (end, said) = closing(lines)?;
    let zones = Zones::of(&lines[..end]);
    let progress = zones.progress.iter().map(String::as_str).fold(Progress::default(), Progress::taking);
    let short = zones.short.iter().map(String::as_str).fold(Short::default(), Short::taking);
    let red_section = lines[..end].iter().any(|line| matches!(title(line, '='), Some("FAILURES" | "ERRORS")));
    let letters = Counts::of(progress.letters.iter().copied());
    let more_letters = WORDS.iter().any(|(_, outcome)| letters.get(*outcome) > said.get(*outcome));
    if (red_section && said.bad() == 0) || more_letters {
        let listed = if more_letters { describe(letters) } else { "failures".to_owned() };
        return Err(disagree(listed, said));
    }
    let stopped = zones.stopped();
    if stopped.is_none()
        && let Some(collected) = zones.collected()
        && said.ran().saturating_add(said.skipped) < collected
    {
        return Err(disagree(format!("{collected} tests collected"), said));
    }
    let names = if progress.listing.outcomes.is_empty() {
        names_of_short(&short, said)?
    } else {
        names_of_verbose(&progress.listing, &short, said)?
    };
    let mut listing = progress.listing;
    for (name, outcome) in &short.listing.outcomes {
        listing.mark(name, *outcome);
    }
    TestRun::counted(listing.outcomes, names, said).cut_short(RUNNER, stopped)
}

/// Which names are known when tests are listed one a line as they end.
fn names_of_verbose(progress: &Listing, short: &Short, said: Counts) -> Result<NamesKnown, ResultsError> {
    let (first, second) = (progress.counts(), short.listing.counts());
    let listed = Counts {
        passed: first.passed.max(second.passed),
        failed: first.failed.max(second.failed),
        errors: first.errors.max(second.errors),
        skipped: first.skipped,
        xfailed: first.xfailed.max(second.xfailed),
        xpassed: first.xpassed.max(second.xpassed),
    };
    // A module that skips itself is counted, and no test of it is listed.
    if listed.skipped > said.skipped || (Counts { skipped: said.skipped, ..listed }) != said {
        return Err(disagree(describe(listed), said));
    }
    Ok(if listed.skipped == said.skipped { NamesKnown::All } else { NamesKnown::AllButSkipped })
}

/// Which names are known when only the short summary lists tests; what it lists is chosen with `-r`.
fn names_of_short(short: &Short, said: Counts) -> Result<NamesKnown, ResultsError> {
    let listed = short.listing.counts();
    let named = |outcome| match (listed.get(outcome), said.get(outcome)) {
        (listed, said) if listed == said => Ok(true),
        (0, _) => Ok(false),
        _ => Err(()),
    };
    let whole = |outcomes: &[TestOutcome]| -> Result<bool, ()> {
        outcomes.iter().try_fold(true, |all, outcome| Ok(all & named(*outcome)?))
    };
    let refused = |()| disagree(describe(listed), said);
    let failed = whole(&[TestOutcome::Failed, TestOutcome::Error]).map_err(refused)?;
    let others =
        whole(&[TestOutcome::Passed, TestOutcome::XFailed, TestOutcome::XPassed]).map_err(refused)?;
    Ok(match (failed, others) {
        (true, true) if said.skipped == 0 => NamesKnown::All,
        (true, true) => NamesKnown::AllButSkipped,
        (true, false) => NamesKnown::FailedOnly,
        (false, _) => NamesKnown::None,
    })
}

fn disagree(listed: String, said: Counts) -> ResultsError {
    ResultsError::Disagree { place: "the pytest output".to_owned(), listed, summary: describe(said) }
}

/// Finds the line that ends the run, and what it says.
fn closing(lines: &[String]) -> Result<(usize, Counts), ResultsError> {
    let not_run = |line: &String| ResultsError::NotRun { runner: RUNNER, reason: line.trim().to_owned() };
    if let Some(line) =
        lines.iter().find(|line| line.starts_with("INTERNALERROR>") && line.contains("Error:"))
    {
        return Err(not_run(line));
    }
    let found = lines.iter().enumerate().rev().find_map(|(index, line)| {
        let framed = title(line, '=').and_then(summary);
        let bare = || summary(line).filter(|summary| summary.unknown.is_none());
        framed.or_else(bare).map(|summary| (index, summary))
    });
    let Some((index, summary)) = found else {
        let usage = lines.iter().find(|line| line.starts_with("ERROR: "));
        return Err(usage.map_or_else(
            || ResultsError::Incomplete {
                runner: RUNNER,
                reason: "the line that ends it (`3 passed in 0.12s`) is missing; `-qq` leaves it out"
                    .to_owned(),
            },
            not_run,
        ));
    };
    if let Some(line) = lines[index..].iter().find(|line| line.starts_with("ERROR: ")) {
        return Err(not_run(line));
    }
    match summary.unknown {
        Some(word) => Err(ResultsError::Line {
            runner: RUNNER,
            line: index as u64 + 1,
            reason: format!("the summary counts `{word}`, which is no outcome that is known here"),
        }),
        None => Ok((index, summary.counts)),
    }
}

/// What the last line says.
struct Summary {
    counts: Counts,
    /// The first word that is not known.
    unknown: Option<String>,
}

/// Reads `3 failed, 2509 passed, 2 warnings in 1.20s (0:00:01)`, without its frame.
fn summary(text: &str) -> Option<Summary> {
    let (said, duration) = text.trim().rsplit_once(" in ")?;
    let seconds = duration.split_once(" (").map_or(duration, |(seconds, _)| seconds);
    let seconds = seconds.strip_suffix(" seconds").or_else(|| seconds.strip_suffix('s'))?;
    seconds.parse::<f64>().ok()?;
    let mut found = Summary { counts: Counts::default(), unknown: None };
    if said == "no tests ran" {
        return Some(found);
    }
    for part in said.split(", ") {
        let (number, word) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        let slot = match word {
            "passed" => &mut found.counts.passed,
            "failed" | "subtests failed" => &mut found.counts.failed,
            "error" | "errors" => &mut found.counts.errors,
            "skipped" => &mut found.counts.skipped,
            "xfailed" => &mut found.counts.xfailed,
            "xpassed" => &mut found.counts.xpassed,
            "warning" | "warnings" | "deselected" | "rerun" => continue,
            word if word.starts_with("subtests ") => continue,
            word => {
                found.unknown.get_or_insert_with(|| word.to_owned());
                continue;
            }
        };
        *slot = slot.saturating_add(number);
    }
    Some(found)
}

/// The title in a line like `=== title ===`.
fn title(line: &str, frame: char) -> Option<&str> {
    let inner = line.trim_end().strip_prefix(frame)?.strip_suffix(frame)?;
    let inner = inner.trim_start_matches(frame).trim_end_matches(frame);
    inner.strip_prefix(' ')?.strip_suffix(' ')
}

/// The parts of the output that are read.
struct Zones<'a> {
    /// Up to the first section after the tests began.
    progress: &'a [String],
    /// The short summary; empty when there is none.
    short: &'a [String],
    /// From the short summary on, or all after the progress: where it says that the run was stopped.
    last: &'a [String],
}

impl<'a> Zones<'a> {
    fn of(lines: &'a [String]) -> Self {
        let begins = |line: &String| title(line, '=') == Some("test session starts");
        let start = lines.iter().position(begins).map_or(0, |index| index + 1);
        let is_head = |line: &String| title(line, '=').is_some() || title(line, '!').is_some();
        let end = lines[start..].iter().position(is_head).map_or(lines.len(), |length| start + length);
        let is_short = |line: &String| title(line, '=') == Some("short test summary info");
        let short = lines.iter().rposition(is_short);
        Self {
            progress: &lines[start..end],
            short: &lines[short.unwrap_or(lines.len())..],
            last: &lines[short.unwrap_or(end)..],
        }
    }

    /// Why the run was stopped, when it says so: `!!! Interrupted: 1 error during collection !!!`.
    fn stopped(&self) -> Option<String> {
        let known = ["Interrupted", "KeyboardInterrupt", "stopping after", "Exit", "xdist.dsession"];
        let mut titles = self.last.iter().filter_map(|line| title(line, '!'));
        titles.rfind(|title| known.iter().any(|word| title.contains(word))).map(str::to_owned)
    }

    /// How many tests were to be run: `collected 25 items / 13 deselected / 12 selected`.
    fn collected(&self) -> Option<u64> {
        let line = self.progress.iter().find_map(|line| {
            let at = line.find("collected ")?;
            line[at..].strip_prefix("collected ").filter(|rest| rest.contains(" item"))
        })?;
        let mut parts = line.split(" / ");
        let mut count: u64 = parts.next()?.split(' ').next()?.parse().ok()?;
        for part in parts {
            let (number, word) = part.split_once(' ')?;
            if word.trim() == "deselected" {
                count = count.saturating_sub(number.parse().ok()?);
            }
        }
        Some(count)
    }
}

/// What the progress lines list.
#[derive(Debug, Default)]
struct Progress {
    listing: Listing,
    letters: Vec<TestOutcome>,
}

impl Progress {
    fn taking(mut self, line: &str) -> Self {
        if let Some((name, outcome)) = verbose_line(line) {
            self.listing.note(name, outcome);
        } else if let Some(letters) = letters(line) {
            self.letters.extend(letters);
        }
        self
    }
}

/// Reads `path::test PASSED   [ 12%]`, `path::test SKIPPED (why)  [ 16%]`, `[gw0] [ 20%] PASSED path::test`.
fn verbose_line(line: &str) -> Option<(&str, TestOutcome)> {
    if let Some(rest) = line.strip_prefix("[gw") {
        let rest = rest.split_once("] [")?.1.split_once("] ")?.1;
        let (word, name) = rest.split_once(' ')?;
        let outcome = outcome_of(word)?;
        return Some((name.trim_end(), outcome));
    }
    let line = without_percent(line);
    if !line.contains("::") {
        return None;
    }
    for mark in [" SUBFAILED", " SUBFAIL"] {
        if let Some(at) = line.find(mark) {
            return Some((line[..at].split(" [").next()?, TestOutcome::Failed));
        }
    }
    let (name, word) = line.rsplit_once(' ')?;
    if let Some(outcome) = outcome_of(word) {
        return Some((name, outcome));
    }
    let reasoned = [
        (" SKIPPED (", TestOutcome::Skipped),
        (" XFAIL (", TestOutcome::XFailed),
        (" XPASS (", TestOutcome::XPassed),
    ];
    let found = reasoned.into_iter().filter_map(|(mark, outcome)| Some((line.find(mark)?, outcome)));
    found.min_by_key(|(at, _)| *at).map(|(at, outcome)| (&line[..at], outcome))
}

fn outcome_of(word: &str) -> Option<TestOutcome> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, outcome)| *outcome)
}

/// Cuts off `   [ 12%]` or `   [ 3/25]`.
fn without_percent(line: &str) -> &str {
    let line = line.trim_end();
    let cut = || {
        let (rest, mark) = line.rsplit_once('[')?;
        let mark = mark.strip_suffix(']')?.trim_end_matches('%');
        let numeric = mark.chars().all(|char| char.is_ascii_digit() || matches!(char, ' ' | '/'));
        (numeric && !mark.is_empty() && rest.ends_with(' ')).then(|| rest.trim_end())
    };
    cut().unwrap_or(line)
}

/// Reads `tests/test_a.py ..F`, or `..F` alone.
fn letters(line: &str) -> Option<Vec<TestOutcome>> {
    let line = without_percent(line);
    let letters = match line.split_once(' ') {
        None => line,
        Some((path, letters)) if path.contains('.') => letters,
        Some(_) => return None,
    };
    let known = letters.chars().all(|char| ".FEsxXRu,-".contains(char));
    let outcome = |char| match char {
        '.' => Some(TestOutcome::Passed),
        'F' | 'u' => Some(TestOutcome::Failed),
        'E' => Some(TestOutcome::Error),
        's' => Some(TestOutcome::Skipped),
        'x' => Some(TestOutcome::XFailed),
        'X' => Some(TestOutcome::XPassed),
        _ => None,
    };
    known.then(|| letters.chars().filter_map(outcome).collect())
}

/// What the short summary lists.
#[derive(Debug, Default)]
struct Short {
    listing: Listing,
}

impl Short {
    fn taking(mut self, line: &str) -> Self {
        if line.starts_with("SUBFAIL") {
            // `SUBFAILED[message] (i=1) path::test - reason`: the node id is the first word with `::`.
            if let Some(name) = line.split(' ').find(|word| word.contains("::")) {
                self.listing.note(name, TestOutcome::Failed);
            }
        } else if let Some((word, rest)) = line.split_once(' ')
            && let Some(outcome) = outcome_of(word)
            && outcome != TestOutcome::Skipped
        {
            let name = if outcome == TestOutcome::Passed { rest } else { before_reason(rest) };
            self.listing.note(name.trim_end(), outcome);
        }
        self
    }
}

/// Cuts ` - reason` off a node id whose parameters may hold ` - ` themselves.
fn before_reason(text: &str) -> &str {
    let whole = |name: &str| !name.contains('[') || name.ends_with(']');
    let mut cuts = text.match_indices(" - ").map(|(at, _)| &text[..at]);
    cuts.find(|name| whole(name)).unwrap_or(text)
}
