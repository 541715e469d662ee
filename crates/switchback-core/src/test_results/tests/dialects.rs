//! JUnit dialects, plain outputs of other versions, and reports that must be refused.

use super::{in_digits, looks_green};
use crate::test_results::{
    NamesKnown, ResultsError, Runner, TestOutcome, TestRun, detect, read_junit, read_output,
};

/// What a report is read as: its counts and its names, or its error.
fn read_as_text(read: &Result<TestRun, ResultsError>) -> String {
    match read {
        Ok(run) => {
            let names: Vec<String> =
                run.outcomes.iter().map(|(name, outcome)| format!("{name}={}", outcome.word())).collect();
            format!("{} {} {}", in_digits(run.counts), run.names.word(), names.join(" "))
        }
        Err(error) => format!("error: {error}"),
    }
}

fn check_junit(xml: &str, expected: &str) {
    assert_eq!(read_as_text(&read_junit(xml)), expected, "{xml}");
}

#[test]
fn junit_dialects() {
    let cases = [
        // surefire: one suite a file; attempts are kept beside the result.
        (
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="org.ledger.BookTest" time="0.1" tests="4" errors="1" skipped="1" failures="1" flakes="1">
  <properties><property name="java.version" value="21"/></properties>
  <testcase name="adds" classname="org.ledger.BookTest" time="0.01"><flakyFailure message="once" type="x"><stackTrace>at</stackTrace></flakyFailure></testcase>
  <testcase name="fails" classname="org.ledger.BookTest"><failure message="1 &lt; 2 &#10;" type="E"><![CDATA[<failure>]]></failure><rerunFailure message="again"/></testcase>
  <testcase name="breaks" classname="org.ledger.BookTest"><error type="NPE">x &amp; y</error><system-out><![CDATA[<testcase/>]]></system-out></testcase>
  <testcase name="later" classname="org.ledger.BookTest"><skipped message="later"/></testcase>
</testsuite>
"#,
            "1/1/1/1/0/0 all org.ledger.BookTest::adds=passed org.ledger.BookTest::breaks=error org.ledger.BookTest::fails=failed org.ledger.BookTest::later=skipped",
        ),
        // gotestsum: no `errors` and no `skipped` on a suite.
        (
            r#"<testsuites tests="3" failures="1" errors="0" time="1.3">
	<testsuite tests="3" failures="1" time="0.01" name="example.com/ledger" timestamp="2026-01-01T00:00:00Z">
		<properties><property name="go.version" value="go1.24"></property></properties>
		<testcase classname="example.com/ledger" name="TestA" time="0.00"></testcase>
		<testcase classname="example.com/ledger" name="TestB/sub" time="0.00"><failure message="Failed" type="">out</failure></testcase>
		<testcase classname="example.com/ledger" name="TestC" time="0.00"><skipped message="later"></skipped></testcase>
	</testsuite>
</testsuites>"#,
            "1/1/0/1/0/0 all example.com/ledger::TestA=passed example.com/ledger::TestB/sub=failed example.com/ledger::TestC=skipped",
        ),
        // Repeated names keep their number; a failure counts once whether the suite counts tests or failures.
        (
            r#"<testsuite name="s" tests="3" failures="1" skipped="0"><testcase name="a"/><testcase name="a"><failure/><failure/></testcase><testcase name="a"/></testsuite>"#,
            "2/1/0/0/0/0 all a=passed a#2=failed a#3=passed",
        ),
        (
            r#"<testsuite name="s" tests="1" failures="2"><testcase name="a"><failure/><failure/></testcase></testsuite>"#,
            "0/1/0/0/0/0 all a=failed",
        ),
        // A suite that fails outside of its cases; nested suites; a disabled test.
        (
            r#"<testsuites><testsuite name="outer" tests="2" errors="1"><testsuite name="inner" tests="1"><testcase classname="c" name="a"/></testsuite><error message="set-up"/><testcase classname="c" name="b" status="notrun"/></testsuite></testsuites>"#,
            "1/0/1/1/0/0 all c::a=passed c::b=skipped outer (suite)=error",
        ),
        // A relative file belongs to the name, an absolute one does not: two copies of a tree are compared.
        (
            r#"<testsuite name="s"><testcase file="/srv/x/a.js" classname="c" name="a"/><testcase file="C:\x\a.js" name="b"/><testcase file="t/a.js" name="c"/></testsuite>"#,
            "3/0/0/0/0/0 all b=passed c::a=passed t/a.js::c=passed",
        ),
        ("\u{feff}<testsuites/>\n<!-- end -->\n", "0/0/0/0/0/0 all "),
    ];
    for (xml, expected) in cases {
        check_junit(xml, expected);
    }
}

#[test]
fn junit_reports_that_are_refused() {
    let deep = format!("<testsuites>{}", "<testsuite>".repeat(100));
    let long = format!(r#"<testsuite><testcase name="{}"/></testsuite>"#, "a".repeat(20_000));
    let cases = [
        ("", "line 1, byte 0: it holds no element, so no report"),
        ("not xml", "line 1, byte 0: there is text outside the report"),
        (
            "<html/>",
            "line 1, byte 0: `<html>` is no JUnit report; it would be `<testsuites>` or `<testsuite>`",
        ),
        (
            "<testsuite>\n<testcase name='a'>",
            "line 2, byte 31: it ends before its last element is closed: it was cut off, or is still being written",
        ),
        (
            "<testsuite></testsuites>",
            "line 1, byte 11: ill-formed document: expected `</testsuite>`, but `</testsuites>` was found",
        ),
        ("<testsuites/><testsuites/>", "line 1, byte 13: a second report follows the first"),
        ("<testsuites/>left over", "line 1, byte 13: there is text outside the report"),
        (
            "<!DOCTYPE x [<!ENTITY a 'b'>]><testsuites/>",
            "line 1, byte 0: it declares a document type; no test report needs one",
        ),
        ("<testsuite>&bomb;</testsuite>", "line 1, byte 11: it uses the unknown entity `&bomb;`"),
        (
            "<testsuite><testcase name='a'><testcase name='b'/></testcase></testsuite>",
            "line 1, byte 30: `<testcase>` stands where none can be",
        ),
        (
            "<testsuite name='s' tests='2'><testcase name='a'/></testsuite>",
            "test suite `s` lists 1 tests (1 passed), but its summary says 2 tests",
        ),
        (
            "<testsuite name='s' tests='1' failures='1'><testcase name='a'/></testsuite>",
            "test suite `s` lists 1 tests (1 passed), but its summary says 1 failures, 1 tests",
        ),
        (
            "<testsuite name='s' failures='0' errors='0'><testcase name='a'><failure/></testcase></testsuite>",
            "test suite `s` lists 1 tests (1 failed), but its summary says 0 errors, 0 failures",
        ),
        (
            "<testsuite name='s' skipped='1'><testcase name='a'/></testsuite>",
            "test suite `s` lists 1 tests (1 passed), but its summary says 1 skipped",
        ),
        (deep.as_str(), "the report has 65 levels of elements; at most 64 are read"),
        (long.as_str(), "the report has 20000 bytes in one name; at most 16384 are read"),
    ];
    for (xml, expected) in cases {
        check_junit(xml, &format!("error: {expected}"));
    }
    let unknown = read_junit("<testsuite><testcase name='&bomb;'/></testsuite>").unwrap_err().to_string();
    assert!(unknown.starts_with("line 1, byte 11: ") && unknown.contains("bomb"), "{unknown}");
}

fn check_output(runner: Runner, text: &str, expected: &str) {
    assert_eq!(read_as_text(&read_output(runner, text)), expected, "{text}");
}

#[test]
fn plain_outputs_of_other_versions() {
    let cases = [
        // Without a short summary, what a test printed is not taken for one.
        (
            Runner::Pytest,
            "a.py F\n\n== FAILURES ==\nFAILED b.py::t - no\n== 1 failed in 0.1s ==",
            "0/1/0/0/0/0 none ",
        ),
        (
            Runner::Pytest,
            "== 3 failed, 2509 passed, 4 skipped, 1 xfailed, 2 warnings in 1.2s ==",
            "2509/3/0/4/1/0 none ",
        ),
        (Runner::Pytest, "2 passed in 61.20s (0:01:01)\n", "2/0/0/0/0/0 failed-only "),
        (Runner::Pytest, "=== 2 passed in 0.04 seconds ===\r\n", "2/0/0/0/0/0 failed-only "),
        (Runner::Pytest, "a.py::t PASSED [100%]\n1 passed in 0.1s", "1/0/0/0/0/0 all a.py::t=passed"),
        (
            Runner::Pytest,
            "a.py::t SKIPPED (no ok)\nm.py::t[x] XPASS\n1 skipped, 1 xpassed in 0.1s",
            "0/0/0/1/0/1 all a.py::t=skipped m.py::t[x]=xpassed",
        ),
        (
            Runner::Pytest,
            "a.py::t PASSED [100%]\n1 passed, 1 skipped in 0.1s",
            "1/0/0/1/0/0 all-but-skipped a.py::t=passed",
        ),
        (
            Runner::Nextest,
            "        PASS [   0.004s] ledger tests::adds\n  TRY 1 FAIL [   0.004s] ledger tests::b\n  TRY 2 PASS [   0.004s] ledger tests::b\n     SIGSEGV [   0.1s] ledger c\n------------\n     Summary [   0.012s] 3 tests run: 2 passed (1 flaky, 1 leaky), 1 failed, 0 skipped\n",
            "2/1/0/0/0/0 all ledger::c=failed ledger::tests::adds=passed ledger::tests::b=passed",
        ),
        (
            Runner::CargoTest,
            "     Running target/debug/deps/ledger-6bc935356f631c94\n\nrunning 2 tests\ntest a ... ok <0.001s>\ntest b ... bench:         1 ns/iter (+/- 0)\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out\n",
            "2/0/0/0/0/0 all ledger::a=passed ledger::b=passed",
        ),
        (
            Runner::CargoTest,
            "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            "2/0/0/0/0/0 all a=passed a#2=passed",
        ),
        (
            Runner::Go,
            "{\"Action\":\"start\",\"Package\":\"p\"}\n{\"ImportPath\":\"p\",\"Action\":\"build-output\",\"Output\":\"x\"}\n{\"Action\":\"fail\",\"Package\":\"p\",\"FailedBuild\":\"p\"}",
            "0/0/1/0/0/0 all p=error",
        ),
        (
            Runner::Go,
            "=== RUN   TestA\npanic: test timed out after 1s\nFAIL\tp\t1.0s\n",
            "0/0/1/0/0/0 all p/TestA=error",
        ),
        (
            Runner::Go,
            "\tp/q\t\tcoverage: 0.0% of statements\nok  \tp\t0.1s\tcoverage: 10.0% of statements\n",
            "1/0/0/0/0/0 failed-only ",
        ),
        (
            Runner::Unittest,
            "test_f (m)\nDoctest: m.f ... ok\n\n----------------------------------------------------------------------\nRan 1 test in 0.1s\n\nOK\n",
            "1/0/0/0/0/0 all m.test_f=passed",
        ),
        (
            Runner::Unittest,
            "setUpClass (m.C) ... skipped 'no'\ntest_a (m.D.test_a) ... ok\n\n----------------------------------------------------------------------\nRan 1 test in 0.1s\n\nOK (skipped=1)\n",
            "1/0/0/1/0/0 all m.C.setUpClass=skipped m.D.test_a=passed",
        ),
    ];
    for (runner, text, expected) in cases {
        check_output(runner, text, expected);
    }
}

#[test]
fn outputs_of_pytest_that_are_refused() {
    let cases = [
        (
            Runner::Pytest,
            "a.py::t PASSED\n2 passed in 0.1s".to_owned(),
            "the pytest output lists 1 passed, but its summary says 2 passed",
        ),
        (
            Runner::Pytest,
            "a.py ..F  [100%]\n=== 3 passed in 0.1s ===".to_owned(),
            "the pytest output lists 2 passed, 1 failed, but its summary says 3 passed",
        ),
        (
            Runner::Pytest,
            "collected 9 items\n\na.py ... [ 33%]\n=== 3 passed in 0.1s ===".to_owned(),
            "the pytest output lists 9 tests collected, but its summary says 3 passed",
        ),
        (
            Runner::Pytest,
            "=== FAILURES ===\n=== 3 passed in 0.1s ===".to_owned(),
            "the pytest output lists failures, but its summary says 3 passed",
        ),
        (
            Runner::Pytest,
            "=== 3 passed, 1 quarantined in 0.1s ===".to_owned(),
            "pytest output, line 1: the summary counts `quarantined`, which is no outcome that is known here",
        ),
        (
            Runner::Pytest,
            "INTERNALERROR> KeyError: 'x'\n=== 1 passed in 0.1s ===".to_owned(),
            "pytest did not run the tests: INTERNALERROR> KeyError: 'x'",
        ),
    ];
    for (runner, text, expected) in cases {
        check_output(runner, &text, &format!("error: {expected}"));
    }
}

#[test]
fn outputs_of_unittest_that_are_refused() {
    let rule = "-".repeat(70);
    let unittest = |end: &str| format!("..\n{rule}\nRan 2 tests in 0.1s\n\n{end}");
    let cases = [
        (
            Runner::Unittest,
            "..\n".to_owned(),
            "the unittest run is not whole: the line `Ran … tests in …` is missing",
        ),
        (
            Runner::Unittest,
            unittest(""),
            "the unittest run is not whole: the line after `Ran … tests` is missing",
        ),
        (
            Runner::Unittest,
            unittest("FAILED"),
            "unittest output, line 4: `FAILED` is not whole, or no end of 2 tests",
        ),
        (
            Runner::Unittest,
            unittest("OK (failures=1)"),
            "unittest output, line 4: `OK (failures=1)` is not whole, or no end of 2 tests",
        ),
        (
            Runner::Unittest,
            unittest("OK (skipped=1"),
            "unittest output, line 4: `OK (skipped=1` is not whole, or no end of 2 tests",
        ),
        (
            Runner::Unittest,
            format!("F{}", unittest("OK")),
            "the unittest output lists `F..`, but its summary says 2 tests ran (2 passed)",
        ),
    ];
    for (runner, text, expected) in cases {
        check_output(runner, &text, &format!("error: {expected}"));
    }
}

#[test]
fn outputs_of_cargo_test_and_nextest_that_are_refused() {
    let cases = [
        (
            Runner::CargoTest,
            "running 1 test\n".to_owned(),
            "the cargo-test run is not whole: the line `test result: …` of `a program` is missing",
        ),
        (
            Runner::CargoTest,
            "   Doc-tests ledger\n".to_owned(),
            "the cargo-test run is not whole: `ledger/doc` was started and printed no tests",
        ),
        (
            Runner::CargoTest,
            "running 1 test\ntest result: ok. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"
                .to_owned(),
            "cargo-test output, line 2: `ok` and the number of failed tests contradict each other",
        ),
        (
            Runner::Nextest,
            "     Summary [   0.012s] 3 tests run: 2 passed, 0 skipped".to_owned(),
            "the nextest summary lists 2 passed, but its summary says 3 tests run",
        ),
        (
            Runner::Nextest,
            "     Summary [   0.012s] 2/3 tests run: 2 passed, 0 skipped".to_owned(),
            "the nextest run is not whole: 2 of 3 tests were run",
        ),
        (
            Runner::Nextest,
            "     Summary [   0.012s] 1 test run: 1 exploded".to_owned(),
            "nextest output, line 1: `exploded` is no outcome that is known here",
        ),
    ];
    for (runner, text, expected) in cases {
        check_output(runner, &text, &format!("error: {expected}"));
    }
}

#[test]
fn outputs_of_go_that_are_refused() {
    let cases = [
        (
            Runner::Go,
            "=== RUN   TestA\n--- FAIL: TestA (0.0s)\nok  \tp\t0.1s".to_owned(),
            "package `p` lists a test that failed or did not end, but its summary says that all passed",
        ),
        (
            Runner::Go,
            "--- FAIL: TestA (0.0s)\n".to_owned(),
            "the go run is not whole: the result of `the package of TestA` is missing",
        ),
        (
            Runner::Go,
            "ok  \tp\t0.".to_owned() + "1",
            "go output, line 1: the result of a package is not whole",
        ),
        (
            Runner::Go,
            "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"T\"}".to_owned(),
            "the go run is not whole: the result of `p` is missing",
        ),
        (
            Runner::Go,
            "{\"Time\":\"2026".to_owned(),
            "go output, line 1: it is no whole event of `go test -json`",
        ),
        (
            Runner::Go,
            String::new(),
            "the go run is not whole: it holds no result of a package (`ok`, `FAIL` or `?`)",
        ),
    ];
    for (runner, text, expected) in cases {
        check_output(runner, &text, &format!("error: {expected}"));
    }
}

#[test]
fn two_runners_in_one_text_are_not_guessed_between() {
    let pytest = "=== 2 passed in 0.04s ===\n";
    let go = "ok  \tp\t0.1s\n";
    assert_eq!(detect(pytest), Some(Runner::Pytest));
    assert_eq!(detect(go), Some(Runner::Go));
    assert_eq!(detect(&format!("{pytest}{go}")), None);
    assert_eq!(detect("all is well\n"), None);
}

#[test]
fn words_read_back() {
    for runner in Runner::ALL {
        assert_eq!(Runner::from_word(runner.word()), Some(runner));
    }
    for word in ["passed", "failed", "error", "skipped", "xfailed", "xpassed"] {
        assert_eq!(TestOutcome::from_word(word).unwrap().word(), word);
    }
    for word in ["all", "all-but-skipped", "failed-only", "none"] {
        assert_eq!(NamesKnown::from_word(word).unwrap().word(), word);
    }
    assert!(!looks_green(&read_junit("<testsuites/>")), "nothing ran");
}
