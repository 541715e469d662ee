//! The plain output of `cargo test`: one block for each program, and no line that closes the whole.

use std::collections::BTreeMap;

use super::plain::{describe, insert_distinct};
use super::{Counts, NamesKnown, ResultsError, Runner, TestOutcome, TestRun};

const RUNNER: Runner = Runner::CargoTest;

pub(super) fn recognises(lines: &[String]) -> bool {
    let told = |line: &String| result_line(line).is_some() || program(line).is_some();
    lines.iter().any(|line| announced(line).is_some()) && lines.iter().any(told)
}

pub(super) fn read(lines: &[String]) -> Result<TestRun, ResultsError> {
    let mut output = Output::default();
    for (index, line) in lines.iter().enumerate() {
        output.take(line, index as u64 + 1)?;
    }
    output.finish()
}

/// The blocks read so far, and the one that is open.
#[derive(Debug, Default)]
struct Output {
    /// The program that runs, `name/path`, where standard error says it.
    program: Option<String>,
    /// Whether a program was announced whose block has not begun.
    awaited: bool,
    block: Option<Block>,
    done: Vec<Block>,
    /// Programs that ended without a result.
    crashed: Vec<String>,
    /// The last `error: test failed, to rerun pass …`, until a closing list of failed targets is seen.
    rerun: Option<String>,
    closed: bool,
}

impl Output {
    fn take(&mut self, line: &str, number: u64) -> Result<(), ResultsError> {
        // A test that crashes with `--nocapture` leaves its own line unfinished before the message.
        let crash = ["error: test failed, to rerun pass `", "error: doctest failed, to rerun pass `"];
        if let Some(at) = crash.iter().find_map(|message| line.find(message)) {
            if let Some(block) = self.block.take() {
                self.crashed.push(block.program.unwrap_or_else(|| "a program".to_owned()));
            } else if self.awaited {
                self.crashed.extend(self.program.clone());
            }
            self.awaited = false;
            self.rerun = Some(line[at..].to_owned());
            return Ok(());
        }
        if let Some(block) = &mut self.block {
            if block.take(line, number)? {
                self.done.extend(self.block.take());
            }
            return Ok(());
        }
        if let Some(count) = announced(line) {
            self.awaited = false;
            self.block = Some(Block::new(self.program.clone(), count));
        } else if let Some(program) = program(line) {
            self.refuse_awaited()?;
            self.program = Some(program);
            self.awaited = true;
        } else if line.starts_with("error: could not compile") {
            return Err(ResultsError::NotRun { runner: RUNNER, reason: line.to_owned() });
        } else if is_target_count(line) {
            self.closed = true;
        }
        Ok(())
    }

    fn refuse_awaited(&self) -> Result<(), ResultsError> {
        match &self.program {
            Some(program) if self.awaited => {
                Err(incomplete(format!("`{program}` was started and printed no tests")))
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self) -> Result<TestRun, ResultsError> {
        if let Some(block) = &self.block {
            let program = block.program.as_deref().unwrap_or("a program");
            return Err(incomplete(format!("the line `test result: …` of `{program}` is missing")));
        }
        self.refuse_awaited()?;
        if self.done.is_empty() && self.crashed.is_empty() {
            return Err(incomplete("it holds no line `test result: …`".to_owned()));
        }
        let mut names = NamesKnown::All;
        let mut counts = Counts::default();
        let mut outcomes = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for block in &mut self.done {
            names = weaker(names, block.names());
            counts = sum(counts, block.said);
            for (name, outcome) in block.named() {
                insert_distinct(&mut outcomes, &mut seen, &name, outcome);
            }
        }
        for program in &self.crashed {
            counts.errors += 1;
            insert_distinct(&mut outcomes, &mut seen, program, TestOutcome::Error);
        }
        let stopped = self.rerun.filter(|_| !self.closed);
        let mut run = TestRun::counted(outcomes, names, counts);
        run.end_told = false;
        run.cut_short(RUNNER, stopped)
    }
}

fn incomplete(reason: String) -> ResultsError {
    ResultsError::Incomplete { runner: RUNNER, reason }
}

fn weaker(first: NamesKnown, second: NamesKnown) -> NamesKnown {
    match (first, second) {
        (NamesKnown::None, _) | (_, NamesKnown::None) => NamesKnown::None,
        (NamesKnown::FailedOnly, _) | (_, NamesKnown::FailedOnly) => NamesKnown::FailedOnly,
        _ => NamesKnown::All,
    }
}

fn sum(first: Counts, second: Counts) -> Counts {
    Counts {
        passed: first.passed.saturating_add(second.passed),
        failed: first.failed.saturating_add(second.failed),
        errors: first.errors.saturating_add(second.errors),
        skipped: first.skipped.saturating_add(second.skipped),
        ..first
    }
}

/// From `running 5 tests` to `test result: …`.
#[derive(Debug)]
struct Block {
    program: Option<String>,
    announced: u64,
    listing: Vec<(String, TestOutcome)>,
    /// A test whose line was begun, when its output came between its name and its outcome.
    open: Option<String>,
    /// What the last list under `failures:` holds.
    failures: Option<Vec<String>>,
    /// Whether the captured output of tests has begun, in which no line is the runner's but the last ones.
    in_captured: bool,
    said: Counts,
}

impl Block {
    fn new(program: Option<String>, announced: u64) -> Self {
        let (listing, said) = (Vec::new(), Counts::default());
        Self { program, announced, listing, open: None, failures: None, in_captured: false, said }
    }

    /// Takes a line; true when it was the last one of the block.
    fn take(&mut self, line: &str, number: u64) -> Result<bool, ResultsError> {
        if let Some((good, said)) = result_line(line)
            && said.ran().saturating_add(said.skipped) == self.announced
        {
            return self.settle(good, said, number).map(|()| true);
        }
        if matches!(line, "failures:" | "successes:") {
            self.in_captured = true;
            self.failures = (line == "failures:").then(Vec::new);
        } else if self.in_captured {
            if let (Some(failures), Some(name)) = (&mut self.failures, line.strip_prefix("    ")) {
                failures.push(name.to_owned());
            }
        } else {
            self.take_test(line);
        }
        Ok(false)
    }

    fn take_test(&mut self, line: &str) {
        let named = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "));
        if let Some((name, rest)) = named {
            match word(rest) {
                Some(outcome) => self.listing.push((name.to_owned(), outcome)),
                None => self.open = Some(name.to_owned()),
            }
        } else if let Some(outcome) = word(line)
            && let Some(name) = self.open.take()
        {
            self.listing.push((name, outcome));
        }
    }

    fn settle(&mut self, good: bool, said: Counts, number: u64) -> Result<(), ResultsError> {
        if good != (said.failed == 0) {
            let reason = "`ok` and the number of failed tests contradict each other".to_owned();
            return Err(ResultsError::Line { runner: RUNNER, line: number, reason });
        }
        self.said = said;
        let listed = Counts::of(self.listing.iter().map(|(_, outcome)| *outcome));
        let place = || self.program.clone().unwrap_or_else(|| "the cargo test output".to_owned());
        if !self.listing.is_empty() && listed != said {
            let (listed, summary) = (describe(listed), describe(said));
            return Err(ResultsError::Disagree { place: place(), listed, summary });
        }
        let named = self.failures.as_ref().map_or(0, |failures| failures.len() as u64);
        if named != said.failed && (named > 0 || said.failed > 0) && self.listing.is_empty() {
            let listed = format!("{named} failures");
            return Err(ResultsError::Disagree { place: place(), listed, summary: describe(said) });
        }
        Ok(())
    }

    fn names(&self) -> NamesKnown {
        if self.listing.len() as u64 == self.announced { NamesKnown::All } else { NamesKnown::FailedOnly }
    }

    /// The tests by the names they keep from run to run, those of the same name in the order of the source.
    fn named(&mut self) -> Vec<(String, TestOutcome)> {
        let mut listing = std::mem::take(&mut self.listing);
        if listing.is_empty() {
            let failures = self.failures.take().unwrap_or_default();
            listing = failures.into_iter().map(|name| (name, TestOutcome::Failed)).collect();
        }
        let mut named: Vec<(String, u64, TestOutcome)> = listing
            .into_iter()
            .map(|(name, outcome)| {
                let (name, line) = without_line(without_kind(&name));
                let program = self.program.as_deref();
                (program.map_or_else(|| name.clone(), |program| format!("{program}::{name}")), line, outcome)
            })
            .collect();
        named.sort_by(|first, second| (&first.0, first.1).cmp(&(&second.0, second.1)));
        named.into_iter().map(|(name, _, outcome)| (name, outcome)).collect()
    }
}

/// Cuts off what cargo adds about the kind of a test.
fn without_kind(name: &str) -> &str {
    let kinds = [" - should panic", " - compile fail", " - compile"];
    kinds.iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(name)
}

/// Cuts the line off `src/lib.rs - add (line 4)`: it changes whenever something above it does.
fn without_line(name: &str) -> (String, u64) {
    let cut = || {
        let (item, rest) = name.rsplit_once(" (line ")?;
        Some((item.to_owned(), rest.strip_suffix(')')?.parse().ok()?))
    };
    cut().unwrap_or_else(|| (name.to_owned(), 0))
}

fn word(text: &str) -> Option<TestOutcome> {
    let timed = text.split_once(" <").filter(|(_, rest)| rest.ends_with("s>"));
    match timed.map_or(text, |(word, _)| word) {
        "ok" => Some(TestOutcome::Passed),
        "FAILED" | "FAILED (time limit exceeded)" => Some(TestOutcome::Failed),
        "ignored" => Some(TestOutcome::Skipped),
        text if text.starts_with("ignored, ") => Some(TestOutcome::Skipped),
        text if text.starts_with("bench: ") => Some(TestOutcome::Passed),
        _ => None,
    }
}

/// Reads `running 5 tests`.
fn announced(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("running ")?;
    rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"))?.parse().ok()
}

/// Reads `test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s`.
fn result_line(line: &str) -> Option<(bool, Counts)> {
    let rest = line.strip_prefix("test result: ")?;
    let (good, rest) = match rest.strip_prefix("ok. ") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("FAILED. ")?),
    };
    let mut parts = rest.split("; ");
    let mut number =
        |word: &str| -> Option<u64> { parts.next()?.strip_suffix(word)?.trim_end().parse().ok() };
    let (passed, failed) = (number(" passed")?, number(" failed")?);
    let (skipped, measured) = (number(" ignored")?, number(" measured")?);
    number(" filtered out")?;
    Some((good, Counts { passed: passed.saturating_add(measured), failed, skipped, ..Counts::default() }))
}

/// Reads `Running unittests src/lib.rs (target/debug/deps/ledger-6bc935356f631c94)` and `Doc-tests ledger`.
fn program(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{name}/doc"));
    }
    let rest = line.strip_prefix("Running ")?;
    let (source, file) = match rest.split_once(" (") {
        Some((source, file)) => (source.trim_start_matches("unittests").trim(), file.strip_suffix(')')?),
        None => ("", rest),
    };
    let file = file.rsplit(['/', '\\']).next()?;
    let name = file.rsplit_once('-').filter(|(_, hash)| hash.len() == 16).map_or(file, |(name, _)| name);
    Some(if source.is_empty() { name.to_owned() } else { format!("{name}/{source}") })
}

/// Reads `error: 3 targets failed:`, which cargo writes only when it ran every program.
fn is_target_count(line: &str) -> bool {
    line.strip_prefix("error: ").is_some_and(|rest| {
        let count = rest.strip_suffix(" targets failed:").or_else(|| rest.strip_suffix(" target failed:"));
        count.is_some_and(|count| count.parse::<u64>().is_ok())
    })
}
