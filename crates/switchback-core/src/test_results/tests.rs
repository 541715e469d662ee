//! Real outputs of real runners, what they must be read as, and what no damage may turn them into.
#![expect(clippy::disallowed_methods, reason = "the fixtures are read where they are")]

use std::path::PathBuf;

use super::*;

mod comparing;
mod dialects;

/// Fixture, whether it is recognised, passed/failed/errors/skipped/xfailed/xpassed, names, whether it was cut short.
/// A reader that must refuse the fixture has, in place of the counts, words of its error.
type Case = (&'static str, bool, &'static str, NamesKnown, bool);

const fn ok(name: &'static str, counts: &'static str, names: NamesKnown) -> Case {
    (name, true, counts, names, false)
}

const fn cut(name: &'static str, counts: &'static str, names: NamesKnown) -> Case {
    (name, true, counts, names, true)
}

const fn refused(name: &'static str, recognised: bool, error: &'static str) -> Case {
    (name, recognised, error, NamesKnown::None, false)
}

use NamesKnown::{All, AllButSkipped, FailedOnly, None as NoNames};

const CASES: &[Case] = &[
    ok("cargo-all.txt", "8/4/0/2/0/0", All),
    cut("cargo-colour.txt", "2/2/0/1/0/0", All),
    ok("cargo-crash.txt", "0/0/1/0/0/0", All),
    cut("cargo-first-failure.txt", "2/2/0/1/0/0", All),
    ok("cargo-green.txt", "1/0/0/0/0/0", All),
    refused("cargo-not-compiled.txt", false, "did not run the tests: error: could not compile"),
    ok("cargo-nothing.txt", "0/0/0/0/0/0", All),
    cut("cargo-one-thread.txt", "2/1/0/0/0/0", All),
    refused(
        "cargo-printing.txt",
        true,
        "lists 2 passed, 3 failed, 1 skipped, but its summary says 2 passed, 2 failed",
    ),
    ok("cargo-quiet.txt", "8/4/0/2/0/0", FailedOnly),
    ok("cargo-stdout.txt", "8/4/0/2/0/0", All),
    cut("cargo-successes.txt", "2/2/0/1/0/0", All),
    ok("go1.19-cover.txt", "1/3/0/0/0/0", FailedOnly),
    ok("go1.19-green-json.txt", "2/0/0/1/0/0", All),
    ok("go1.19-green-verbose.txt", "2/0/0/1/0/0", All),
    ok("go1.19-green.txt", "1/0/0/0/0/0", FailedOnly),
    cut("go1.19-json.txt", "7/4/1/1/0/0", All),
    ok("go1.19-no-files.txt", "0/0/0/0/0/0", All),
    ok("go1.19-no-match.txt", "0/0/0/0/0/0", All),
    cut("go1.19-verbose.txt", "9/4/1/2/0/0", All),
    cut("go1.19.txt", "1/4/1/0/0/0", FailedOnly),
    ok("junit-jest16.xml", "3/1/0/1/0/0", All),
    ok("junit-nextest.xml", "6/5/0/0/0/0", All),
    ok("junit-node20.xml", "2/1/0/2/0/0", All),
    ok("junit-pytest6.xml", "13/7/2/2/1/0", All),
    ok("junit-pytest9-broken.xml", "0/0/1/0/0/0", All),
    refused("junit-pytest9-interrupted.xml", true, "the run was interrupted in it"),
    ok("junit-pytest9-nothing.xml", "0/0/0/0/0/0", All),
    ok("junit-pytest9-reruns.xml", "2/1/0/0/0/0", All),
    ok("junit-pytest9-subtests.xml", "1/2/0/0/0/0", All),
    ok("junit-pytest9-xunit1.xml", "13/7/2/2/1/0", All),
    ok("junit-pytest9.xml", "13/7/2/2/1/0", All),
    ok("nextest-all-levels.txt", "2/2/0/1/0/0", All),
    ok("nextest-colour.txt", "2/2/0/1/0/0", AllButSkipped),
    ok("nextest-failures-only.txt", "2/2/0/1/0/0", FailedOnly),
    cut("nextest-first-failure.txt", "2/1/0/2/0/0", AllButSkipped),
    ok("nextest-green.txt", "1/0/0/0/0/0", All),
    refused("nextest-not-compiled.txt", false, "did not run the tests: error: could not compile"),
    ok("nextest-nothing.txt", "0/0/0/13/0/0", AllButSkipped),
    ok("nextest-retries.txt", "6/5/0/2/0/0", AllButSkipped),
    ok("pytest6-all-reported.txt", "12/7/2/2/1/1", AllButSkipped),
    ok("pytest6-default.txt", "13/7/2/2/1/1", FailedOnly),
    refused("pytest6-interrupted.txt", true, "is not whole: KeyboardInterrupt"),
    ok("pytest6-verbose.txt", "12/7/2/2/1/1", All),
    ok("pytest9-all-reported.txt", "12/7/2/2/1/1", AllButSkipped),
    ok("pytest9-broken-continued.txt", "2/0/1/0/0/0", All),
    cut("pytest9-broken.txt", "0/0/1/0/0/0", All),
    refused("pytest9-collect-only.txt", false, "the line that ends it"),
    ok("pytest9-default.txt", "13/7/2/2/1/1", FailedOnly),
    refused("pytest9-exit.txt", true, "is not whole: _pytest.outcomes.Exit: enough"),
    ok("pytest9-failed-reported.txt", "13/7/2/2/1/1", NoNames),
    cut("pytest9-first-failure.txt", "10/1/0/0/0/0", All),
    ok("pytest9-green-quiet.txt", "2/0/0/0/0/0", FailedOnly),
    ok("pytest9-green-verbose.txt", "2/0/0/0/0/0", All),
    ok("pytest9-green.txt", "2/0/0/0/0/0", FailedOnly),
    refused("pytest9-interrupted-quiet.txt", true, "is not whole: KeyboardInterrupt"),
    refused("pytest9-interrupted.txt", true, "is not whole: KeyboardInterrupt"),
    refused("pytest9-missing.txt", true, "did not run the tests: ERROR: file or directory not found"),
    ok("pytest9-none-reported.txt", "13/7/2/2/1/1", NoNames),
    ok("pytest9-nothing-quiet.txt", "0/0/0/0/0/0", All),
    ok("pytest9-nothing.txt", "0/0/0/0/0/0", All),
    ok("pytest9-printing.txt", "0/1/0/0/0/0", All),
    ok("pytest9-quiet.txt", "13/7/2/2/1/1", FailedOnly),
    refused("pytest9-quieter.txt", false, "`-qq` leaves it out"),
    ok("pytest9-reruns.txt", "2/1/0/0/0/0", All),
    ok("pytest9-selected.txt", "7/5/0/0/0/0", All),
    ok("pytest9-subtests-dots.txt", "2/3/0/0/0/0", FailedOnly),
    ok("pytest9-subtests.txt", "1/2/0/0/0/0", All),
    refused("pytest9-usage.txt", false, "did not run the tests: ERROR: usage"),
    ok("pytest9-verbose-colour.txt", "12/7/2/2/1/1", All),
    ok("pytest9-verbose.txt", "12/7/2/2/1/1", All),
    ok("pytest9-xdist-verbose.txt", "12/7/2/2/1/1", All),
    ok("pytest9-xdist.txt", "2/0/0/0/0/0", FailedOnly),
    ok("unittest2.7-green.txt", "2/0/0/1/0/0", All),
    ok("unittest3.11-broken.txt", "2/0/1/1/0/0", All),
    ok("unittest3.11-dots.txt", "1/5/2/1/1/0", FailedOnly),
    ok("unittest3.11-first-failure.txt", "2/1/0/0/0/0", All),
    ok("unittest3.11-verbose.txt", "3/4/2/1/1/0", All),
    ok("unittest3.13-broken.txt", "2/0/1/1/0/0", All),
    ok("unittest3.13-dots.txt", "1/5/2/1/1/0", FailedOnly),
    ok("unittest3.13-green-dots.txt", "2/0/0/1/0/0", FailedOnly),
    ok("unittest3.13-green.txt", "2/0/0/1/0/0", All),
    ok("unittest3.13-nothing.txt", "0/0/0/0/0/0", FailedOnly),
    ok("unittest3.13-verbose.txt", "3/4/2/1/1/0", All),
    ok("unittest3.8-broken.txt", "2/0/1/1/0/0", All),
    ok("unittest3.8-dots.txt", "1/5/2/1/1/0", NoNames),
    ok("unittest3.8-nothing.txt", "0/0/0/0/0/0", FailedOnly),
    ok("unittest3.8-verbose.txt", "3/4/2/1/1/0", All),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/test_results")
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// The runner that a fixture's name begins with; none for JUnit.
fn runner_of(name: &str) -> Option<Runner> {
    let runners = [
        ("pytest", Runner::Pytest),
        ("unittest", Runner::Unittest),
        ("cargo", Runner::CargoTest),
        ("nextest", Runner::Nextest),
        ("go", Runner::Go),
    ];
    runners.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, runner)| runner)
}

fn read_as(name: &str, text: &str) -> Result<TestRun, ResultsError> {
    match runner_of(name) {
        Some(runner) => read_output(runner, text),
        None => read_junit(text),
    }
}

fn in_digits(counts: Counts) -> String {
    let Counts { passed, failed, errors, skipped, xfailed, xpassed } = counts;
    format!("{passed}/{failed}/{errors}/{skipped}/{xfailed}/{xpassed}")
}

fn check(case: &Case) {
    let (name, recognised, expected, names, stopped) = *case;
    let text = fixture(name);
    if let Some(runner) = runner_of(name) {
        assert_eq!(detect(&text), recognised.then_some(runner), "detect {name}");
    }
    let run = match read_as(name, &text) {
        Ok(run) => run,
        Err(error) => {
            assert!(error.to_string().contains(expected), "{name}: {error}");
            return;
        }
    };
    assert_eq!(in_digits(run.counts), expected, "{name}");
    assert_eq!(run.names, names, "{name}");
    assert_eq!(run.stopped.is_some(), stopped, "{name}: {:?}", run.stopped);
    let closes = !matches!(runner_of(name), Some(Runner::CargoTest | Runner::Go));
    assert_eq!(run.end_told, closes, "{name}");
    assert_eq!(read(&write(&run).unwrap()).unwrap(), run, "{name}: the record reads back");
    if names == All {
        assert_eq!(Counts::of(run.outcomes.values().copied()), run.counts, "{name}");
    }
}

#[test]
fn every_fixture_is_read_as_it_must_be() {
    for case in CASES {
        check(case);
    }
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let listed: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    assert_eq!(found, listed, "every fixture has a case");
}

#[test]
fn names_are_those_of_the_runner() {
    let cases: &[(&str, &str, TestOutcome)] = &[
        ("pytest9-verbose.txt", "tests/test_prices.py::test_names[FAILED z]", TestOutcome::Passed),
        ("pytest9-verbose.txt", "tests/test_prices.py::test_names_fail[x - y]", TestOutcome::Failed),
        ("pytest9-verbose.txt", "tests/test_prices.py::TestBook::test_none", TestOutcome::Skipped),
        ("pytest9-verbose.txt", "tests/test_prices.py::test_teardown", TestOutcome::Error),
        ("pytest9-verbose-colour.txt", "tests/test_prices.py::test_names_fail[a]b]", TestOutcome::Failed),
        ("pytest9-xdist-verbose.txt", "tests/test_prices.py::test_names[with space]", TestOutcome::Passed),
        ("pytest9-default.txt", "tests/test_prices.py::test_names_fail[x - y]", TestOutcome::Failed),
        ("pytest9-all-reported.txt", "tests/test_prices.py::test_names[x - y]", TestOutcome::Passed),
        ("pytest9-all-reported.txt", "tests/test_prices.py::test_known", TestOutcome::XFailed),
        ("pytest9-broken.txt", "broken/test_broken.py", TestOutcome::Error),
        ("pytest9-subtests.txt", "sub/test_sub.py::Old::test_old", TestOutcome::Failed),
        ("pytest9-subtests.txt", "sub/test_sub.py::test_pairs", TestOutcome::Failed),
        ("pytest9-reruns.txt", "flaky/test_flaky.py::test_flaky", TestOutcome::Passed),
        ("unittest3.8-verbose.txt", "test_ledger.Ledger.test_sub", TestOutcome::Failed),
        ("unittest3.13-verbose.txt", "test_ledger.Ledger.test_sub", TestOutcome::Failed),
        ("unittest3.13-verbose.txt", "test_ledger.Ledger.test_prints", TestOutcome::Passed),
        ("unittest3.13-verbose.txt", "test_ledger.Ledger.test_doc", TestOutcome::Passed),
        ("unittest3.13-verbose.txt", "test_ledger.Ledger.test_skip", TestOutcome::Skipped),
        ("unittest3.13-verbose.txt", "test_ledger.Ledger.test_unexpected", TestOutcome::Failed),
        ("unittest3.11-dots.txt", "test_ledger.NoClass.setUpClass", TestOutcome::Error),
        ("unittest3.8-broken.txt", "unittest.loader._FailedTest.test_broken", TestOutcome::Error),
        ("cargo-all.txt", "ledger/src/lib.rs::tests::panics", TestOutcome::Passed),
        ("cargo-all.txt", "tool/src/bin/tool.rs::adds", TestOutcome::Passed),
        ("cargo-all.txt", "whole/tests/whole.rs::works_too", TestOutcome::Failed),
        ("cargo-all.txt", "ledger/doc::src/lib.rs - add", TestOutcome::Passed),
        ("cargo-all.txt", "ledger/doc::src/lib.rs - add#4", TestOutcome::Skipped),
        ("cargo-colour.txt", "ledger/src/lib.rs::tests::ignored", TestOutcome::Skipped),
        ("cargo-quiet.txt", "tests::fails", TestOutcome::Failed),
        ("cargo-crash.txt", "more/tests/more.rs", TestOutcome::Error),
        ("nextest-retries.txt", "ledger::bin/tool::adds", TestOutcome::Passed),
        ("nextest-retries.txt", "ledger::more::flaky", TestOutcome::Passed),
        ("nextest-retries.txt", "ledger::more::aborts", TestOutcome::Failed),
        ("nextest-retries.txt", "ledger::more::sleeps", TestOutcome::Failed),
        ("junit-nextest.xml", "ledger::bin/tool::adds", TestOutcome::Passed),
        ("junit-pytest9.xml", "tests.test_prices::test_names[a::b]", TestOutcome::Passed),
        ("junit-pytest9-xunit1.xml", "tests/test_green.py::tests.test_green::test_one", TestOutcome::Passed),
        ("junit-pytest9-reruns.xml", "flaky.test_flaky::test_bad", TestOutcome::Failed),
        ("go1.19-verbose.txt", "example.com/ledger/calc/TestSub/two_words", TestOutcome::Failed),
        ("go1.19-verbose.txt", "example.com/ledger/calc/TestSub/deep/er", TestOutcome::Passed),
        ("go1.19-verbose.txt", "example.com/ledger/calc/TestPrints", TestOutcome::Passed),
        ("go1.19-json.txt", "example.com/ledger/calc/TestSub/two_words", TestOutcome::Failed),
        ("go1.19-json.txt", "example.com/ledger/broken", TestOutcome::Error),
        ("go1.19.txt", "example.com/ledger/boom/TestBoom", TestOutcome::Failed),
    ];
    for (name, test, outcome) in cases {
        let run = read_as(name, &fixture(name)).unwrap();
        assert_eq!(run.outcomes.get(*test), Some(outcome), "{name}: {test} in {:#?}", run.outcomes);
    }
}

/// Whether a run that was read could be taken for a green one.
fn looks_green(run: &Result<TestRun, ResultsError>) -> bool {
    run.as_ref().is_ok_and(|run| run.counts.bad() == 0 && run.counts.ran() > 0)
}

#[test]
fn no_text_that_is_cut_off_passes_for_a_green_run() {
    let mut cuts = 0_usize;
    for (name, ..) in CASES {
        let text = fixture(name);
        let whole = read_as(name, &text);
        let root = text.find("<testsuites").or_else(|| text.find("<testsuite"));
        let root_end = text.rfind('>').unwrap_or(0);
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let read = read_as(name, &text[..at]);
            cuts += 1;
            if runner_of(name).is_none() {
                let inside = root.is_some_and(|root| at > root && at <= root_end);
                assert!(!inside || read.is_err(), "{name} is read although it is cut off at {at}");
            } else if !looks_green(&whole) {
                // Where the runner writes no closing line, the reader says so and the exit status decides.
                let noticed = !looks_green(&read) || read.as_ref().is_ok_and(|run| !run.end_told);
                assert!(noticed, "{name} passes for green when it is cut off at {at}: {read:?}");
            }
        }
    }
    assert!(cuts > 100_000, "{cuts}");
}

#[test]
fn no_text_that_lost_a_line_passes_for_a_green_run() {
    for (name, ..) in CASES.iter().filter(|case| runner_of(case.0).is_some()) {
        let text = fixture(name);
        if looks_green(&read_as(name, &text)) {
            continue;
        }
        let lines: Vec<&str> = text.lines().collect();
        for lost in 0..lines.len() {
            // This line is all that tells these runs from green ones.
            if matches!(
                *name,
                "pytest6-interrupted.txt"
                    | "pytest9-interrupted.txt"
                    | "pytest9-interrupted-quiet.txt"
                    | "pytest9-exit.txt"
            ) && lines[lost].starts_with("!!!")
            {
                continue;
            }
            let kept: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| *line).collect();
            let read = read_as(name, &kept.join("\n"));
            assert!(!looks_green(&read), "{name} without `{}`: {read:?}", lines[lost]);
        }
    }
}

#[test]
fn no_number_is_too_large_to_be_read_or_refused() {
    let largest = u64::MAX.to_string();
    for (name, ..) in CASES {
        let text = fixture(name);
        for (at, _) in text.match_indices(|char: char| char.is_ascii_digit()) {
            if !text[..at].ends_with(|char: char| char.is_ascii_digit()) {
                let end =
                    text[at..].find(|char: char| !char.is_ascii_digit()).map_or(text.len(), |len| at + len);
                let read = read_as(name, &format!("{}{largest}{}", &text[..at], &text[end..]));
                assert!(read.is_err() || write(&read.unwrap()).is_ok(), "{name} at {at}");
            }
        }
    }
}
