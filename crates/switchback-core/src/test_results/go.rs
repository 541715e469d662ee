//! The output of `go test`: plain, `-v` and `-json`, package by package, and no line that closes the whole.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Counts, NamesKnown, ResultsError, Runner, TestOutcome, TestRun};

const RUNNER: Runner = Runner::Go;

/// The words between `--- ` and `: TestName (0.00s)`.
const WORDS: [(&str, TestOutcome); 3] = [
    ("--- PASS: ", TestOutcome::Passed),
    ("--- FAIL: ", TestOutcome::Failed),
    ("--- SKIP: ", TestOutcome::Skipped),
];

pub(super) fn recognises(lines: &[String]) -> bool {
    lines.iter().any(|line| {
        package_line(line).is_some()
            || (line.starts_with('{') && line.contains("\"Action\":") && event(line).is_some())
    })
}

pub(super) fn read(lines: &[String]) -> Result<TestRun, ResultsError> {
    let mut output = Output::default();
    for (index, line) in lines.iter().enumerate() {
        output.take(line, index as u64 + 1)?;
    }
    output.finish()
}

/// The packages that ended, and the one whose lines come in.
#[derive(Debug, Default)]
struct Output {
    open: Package,
    /// The packages of `-json`, whose lines may be mixed.
    json: BTreeMap<String, Package>,
    outcomes: BTreeMap<String, TestOutcome>,
    /// Packages that passed and did not say with which tests.
    passed_unnamed: u64,
    /// Whether any package did not name the tests that passed.
    some_unnamed: bool,
    packages: u64,
    panicked: Option<String>,
}

/// What one package said so far.
#[derive(Debug, Default)]
struct Package {
    /// Tests, and how they ended, when they did.
    tests: BTreeMap<String, Option<TestOutcome>>,
    verbose: bool,
    panicked: bool,
}

impl Package {
    fn end(&mut self, test: &str, outcome: TestOutcome) {
        let entry = self.tests.entry(test.to_owned()).or_insert(None);
        *entry = Some(entry.map_or(outcome, |old| old.worse(outcome)));
    }

    /// Reads what is in the output of an event and in no event of its own: a panic, and the end of a test that
    /// printed something without a line feed before it (which `go test -json` does not see before Go 1.20).
    fn take_output(&mut self, event: &Event) {
        let Some(output) = &event.output else { return };
        self.panicked |= output.starts_with("panic: ");
        if let Some((name, outcome)) = test_line(output.trim_end())
            && event.test.as_deref() == Some(name)
        {
            self.end(name, outcome);
        }
    }
}

/// How a package ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// It has no tests, or none that the pattern selects.
    Nothing,
}

impl Output {
    fn take(&mut self, line: &str, number: u64) -> Result<(), ResultsError> {
        let wrong = |reason: String| ResultsError::Line { runner: RUNNER, line: number, reason };
        // Tests print JSON too; these are the first keys of an event.
        if ["{\"Time\":", "{\"Action\":", "{\"ImportPath\":"].iter().any(|key| line.starts_with(key)) {
            let event =
                event(line).ok_or_else(|| wrong("it is no whole event of `go test -json`".to_owned()))?;
            return self.take_event(&event);
        }
        if let Some((package, end)) = package_line(line) {
            let open = std::mem::take(&mut self.open);
            return self.close(package, &open, end);
        }
        if line.starts_with("ok  \t") || line.starts_with("FAIL\t") {
            return Err(wrong("the result of a package is not whole".to_owned()));
        }
        if let Some(test) = line.strip_prefix("=== RUN ") {
            self.open.verbose = true;
            self.open.tests.entry(test.trim().to_owned()).or_insert(None);
        } else if let Some((test, outcome)) = test_line(line) {
            self.open.end(test, outcome);
        } else if line.starts_with("panic: ") {
            self.open.panicked = true;
        }
        Ok(())
    }

    fn take_event(&mut self, event: &Event) -> Result<(), ResultsError> {
        let Some(name) = &event.package else { return Ok(()) };
        let package = self.json.entry(name.clone()).or_default();
        package.verbose = true;
        let outcome = match event.action.as_str() {
            "pass" | "bench" => TestOutcome::Passed,
            "fail" => TestOutcome::Failed,
            "skip" => TestOutcome::Skipped,
            "run" => {
                if let Some(test) = &event.test {
                    package.tests.entry(test.clone()).or_insert(None);
                }
                return Ok(());
            }
            "output" => {
                package.take_output(event);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if let Some(test) = &event.test {
            package.end(test, outcome);
            return Ok(());
        }
        let end = match outcome {
            TestOutcome::Passed => End::Passed,
            TestOutcome::Skipped => End::Nothing,
            _ => End::Failed,
        };
        let package = self.json.remove(name).unwrap_or_default();
        self.close(name, &package, end)
    }

    fn close(&mut self, name: &str, package: &Package, end: End) -> Result<(), ResultsError> {
        self.packages += 1;
        let mut failed = false;
        for (test, outcome) in &package.tests {
            // A test without an end was running when its package ended in a panic or by its time limit.
            let outcome = outcome.unwrap_or(TestOutcome::Error);
            failed |= outcome.is_bad();
            self.note(format!("{name}/{test}"), outcome);
        }
        match end {
            End::Passed | End::Nothing if failed => {
                return Err(ResultsError::Disagree {
                    place: format!("package `{name}`"),
                    listed: "a test that failed or did not end".to_owned(),
                    summary: "that all passed".to_owned(),
                });
            }
            End::Failed if !failed => self.note(name.to_owned(), TestOutcome::Error),
            End::Passed if !package.verbose => self.passed_unnamed += 1,
            _ => {}
        }
        // A package that was not built, or has no tests, has none to name.
        let could_name = end == End::Passed || !package.tests.is_empty();
        self.some_unnamed |= could_name && !package.verbose;
        if package.panicked && end == End::Failed {
            self.panicked = Some(format!("package `{name}` ended in a panic"));
        }
        Ok(())
    }

    fn note(&mut self, name: String, outcome: TestOutcome) {
        self.outcomes.entry(name).and_modify(|old| *old = old.worse(outcome)).or_insert(outcome);
    }

    fn finish(self) -> Result<TestRun, ResultsError> {
        let open = self.json.keys().next().cloned();
        let open =
            open.or_else(|| self.open.tests.keys().next().map(|test| format!("the package of {test}")));
        let reason = match open {
            Some(package) => Some(format!("the result of `{package}` is missing")),
            None if self.packages == 0 => {
                Some("it holds no result of a package (`ok`, `FAIL` or `?`)".to_owned())
            }
            None => None,
        };
        if let Some(reason) = reason {
            return Err(ResultsError::Incomplete { runner: RUNNER, reason });
        }
        let mut counts = Counts::of(self.outcomes.values().copied());
        let names = if self.some_unnamed { NamesKnown::FailedOnly } else { NamesKnown::All };
        counts.passed = counts.passed.saturating_add(self.passed_unnamed);
        let mut run = TestRun::counted(self.outcomes, names, counts);
        run.end_told = false;
        run.cut_short(RUNNER, self.panicked)
    }
}

/// Reads `ok  \tpackage\t0.012s`, `FAIL\tpackage [build failed]`, `?   \tpackage\t[no test files]`.
fn package_line(line: &str) -> Option<(&str, End)> {
    let (word, rest) = line.split_once('\t')?;
    let timed = |text: &str| {
        let time = text.split(['\t', ' ']).next().unwrap_or(text);
        time == "(cached)" || time.strip_suffix('s').is_some_and(|seconds| seconds.parse::<f64>().is_ok())
    };
    match word {
        "ok  " => {
            let (package, rest) = rest.split_once('\t')?;
            let end = if rest.contains("[no tests to run]") { End::Nothing } else { End::Passed };
            timed(rest).then_some((package, end))
        }
        "FAIL" => {
            let not_built = || rest.split_once(" [").filter(|(_, reason)| reason.ends_with(" failed]"));
            let ran = rest.split_once('\t').filter(|(_, rest)| timed(rest));
            ran.or_else(not_built).map(|(package, _)| (package, End::Failed))
        }
        "?   " => rest
            .split_once('\t')
            .filter(|(_, why)| why.starts_with('['))
            .map(|(package, _)| (package, End::Nothing)),
        // With `-cover`, a package without tests.
        "" => rest.split_once("\t\tcoverage: ").map(|(package, _)| (package, End::Nothing)),
        _ => None,
    }
}

/// Reads `    --- PASS: TestA/sub (0.00s)`; what a test printed without a line feed may stand before it.
fn test_line(line: &str) -> Option<(&str, TestOutcome)> {
    let (at, word, outcome) =
        WORDS.into_iter().find_map(|(word, outcome)| Some((line.rfind(word)?, word, outcome)))?;
    let (name, time) = line[at + word.len()..].rsplit_once(" (")?;
    let seconds = time.strip_suffix("s)")?;
    seconds.parse::<f64>().ok().map(|_| (name, outcome))
}

/// One line of `-json`, as far as it is read.
struct Event {
    action: String,
    package: Option<String>,
    test: Option<String>,
    output: Option<String>,
}

fn event(line: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Event {
        action: text("Action")?,
        package: text("Package"),
        test: text("Test"),
        output: text("Output"),
    })
}
