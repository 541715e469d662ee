//! Two runs compared, and one run kept as a record.

use super::{fixture, read_as};
use crate::test_results::{
    Counts, FORMAT, NamesKnown, TestOutcome, TestRun, read, read_junit, regressions, write,
};
use crate::verdict::Verdict;

/// A run of tests like `a=passed b=failed`, all known by name.
fn run(tests: &str) -> TestRun {
    let outcomes = tests.split_whitespace().map(|test| {
        let (name, word) = test.split_once('=').unwrap();
        (name.to_owned(), TestOutcome::from_word(word).unwrap())
    });
    TestRun::named(outcomes.collect())
}

fn with_names(tests: &str, names: NamesKnown, counts: Counts) -> TestRun {
    TestRun::counted(run(tests).outcomes, names, counts)
}

fn check(old: &TestRun, new: &TestRun, expected: &str, verdict: Verdict) {
    let found = regressions(old, new);
    let why = found.why_not.as_deref().map_or(String::new(), |why| format!("; {why}"));
    let text = format!(
        "failed {}; missing {}; skipped {}{why}",
        found.failed.join(","),
        found.missing.join(","),
        found.skipped.join(",")
    );
    assert_eq!(text, expected);
    assert_eq!(found.verdict(), verdict, "{expected}");
    assert_eq!(found.decidable(), found.why_not.is_none());
}

#[test]
fn a_regression_is_what_passed_before_and_does_not_now() {
    let old = run("a=passed b=passed c=failed d=skipped e=xpassed");
    let cases = [
        ("a=passed b=passed c=failed d=skipped e=passed", "failed ; missing ; skipped ", Verdict::Yes),
        (
            "a=passed b=passed c=passed d=failed e=passed n=failed",
            "failed ; missing ; skipped ",
            Verdict::Yes,
        ),
        ("a=failed b=error c=failed e=passed", "failed a,b; missing ; skipped ", Verdict::No),
        ("a=passed c=failed", "failed ; missing b,e; skipped ", Verdict::No),
        ("a=skipped b=xfailed e=passed", "failed ; missing ; skipped a,b", Verdict::Yes),
    ];
    for (new, expected, verdict) in cases {
        check(&old, &run(new), expected, verdict);
    }
}

#[test]
fn what_is_not_named_cannot_be_told() {
    let old = run("a=passed b=passed");
    let counts = |passed, failed, skipped| Counts { passed, failed, skipped, ..Counts::default() };
    let failed_only = |tests, counts| with_names(tests, NamesKnown::FailedOnly, counts);
    let nothing = failed_only("", counts(2, 0, 0));
    let only = "the new run names only the tests that failed";
    check(&old, &nothing, &format!("failed ; missing ; skipped ; {only}"), Verdict::Unknown);
    let one = failed_only("a=failed", counts(1, 1, 0));
    check(&old, &one, &format!("failed a; missing ; skipped ; {only}"), Verdict::No);
    let unnamed = with_names("", NamesKnown::None, counts(2, 1, 0));
    check(
        &old,
        &unnamed,
        "failed ; missing ; skipped ; the new run does not name its tests",
        Verdict::Unknown,
    );
    let before = "the run before does not name the tests that passed";
    check(&nothing, &old, &format!("failed ; missing ; skipped ; {before}"), Verdict::Unknown);
    check(
        &run("a=failed"),
        &old,
        "failed ; missing ; skipped ; no test passed in the run before",
        Verdict::Unknown,
    );
    check(
        &run(""),
        &run(""),
        "failed ; missing ; skipped ; no test passed in the run before",
        Verdict::Unknown,
    );
    let skips = with_names("a=passed", NamesKnown::AllButSkipped, counts(1, 0, 1));
    let gone = "1 tests that passed before are gone or skipped, and the new run does not name the tests that it skipped";
    check(&old, &skips, &format!("failed ; missing ; skipped ; {gone}"), Verdict::Unknown);
    let whole = with_names("a=passed b=passed", NamesKnown::AllButSkipped, counts(2, 0, 1));
    check(&old, &whole, "failed ; missing ; skipped ", Verdict::Yes);
}

#[test]
fn a_run_that_was_cut_short_does_not_call_the_rest_missing() {
    let whole = read_as("pytest9-verbose.txt", &fixture("pytest9-verbose.txt")).unwrap();
    let short = read_as("pytest9-first-failure.txt", &fixture("pytest9-first-failure.txt")).unwrap();
    let expected = "failed ; missing ; skipped ; the new run was cut short: stopping after 1 failures";
    check(&whole, &short, expected, Verdict::Unknown);
}

#[test]
fn the_same_tests_have_the_same_names_in_another_version() {
    let pairs = [
        ("pytest6-verbose.txt", "pytest9-verbose-colour.txt"),
        ("pytest9-verbose.txt", "pytest9-xdist-verbose.txt"),
        ("pytest9-verbose.txt", "pytest9-all-reported.txt"),
        ("junit-pytest6.xml", "junit-pytest9.xml"),
        ("unittest3.8-verbose.txt", "unittest3.13-verbose.txt"),
        ("nextest-retries.txt", "junit-nextest.xml"),
    ];
    for (old, new) in pairs {
        let found = regressions(&read_as(old, &fixture(old)).unwrap(), &read_as(new, &fixture(new)).unwrap());
        assert_eq!(found.verdict(), Verdict::Yes, "{old} and {new}: {found:#?}");
    }
}

#[test]
fn the_record_is_these_bytes() {
    let xml = r#"<testsuite name="s"><testcase classname="m" name="&quot;a&quot;"/><testcase name="b"><error/></testcase></testsuite>"#;
    let mut run = read_junit(xml).unwrap();
    run.stopped = Some("after 1 failure".to_owned());
    let text = concat!(
        r#"{"format":"switchback/test-run/1","names":"all","end_told":true,"stopped":"after 1 failure","#,
        r#""counts":{"passed":1,"failed":0,"errors":1,"skipped":0,"xfailed":0,"xpassed":0},"#,
        r#""outcomes":{"b":"error","m::\"a\"":"passed"}}"#,
        "\n"
    );
    assert_eq!(write(&run).unwrap(), text);
    assert_eq!(read(text).unwrap(), run);
    assert!(text.contains(FORMAT));
}

#[test]
fn names_that_become_one_without_their_secrets_are_told_apart_and_read_again() {
    let run = run("login:a1b2=passed login:c3d4=failed logout=passed");
    let cleaned = run.clone().cleaned(|name| name.split(':').next().unwrap().to_owned());
    assert_eq!(cleaned.outcomes.keys().collect::<Vec<_>>(), ["login", "login#2", "logout"]);
    assert_eq!(cleaned.counts, run.counts);
    assert_eq!(read(&write(&cleaned).unwrap()).unwrap(), cleaned);
}

#[test]
fn a_damaged_record_is_refused() {
    let good = write(&run("a=passed b=failed")).unwrap();
    let body = good.trim_end();
    for at in (0..body.len()).filter(|at| body.is_char_boundary(*at)) {
        assert!(read(&body[..at]).is_err(), "cut off at {at}");
    }
    let cases = [
        (
            "test-run/1",
            "test-run/2",
            "it has the format `switchback/test-run/2`; this program reads `switchback/test-run/1`",
        ),
        ("\"passed\":1", "\"passed\":2", "its counts are not those of its outcomes"),
        ("\"b\":\"failed\"", "\"b\":\"fine\"", "test `b` has the unknown outcome `fine`"),
        ("\"names\":\"all\"", "\"names\":\"most\"", "`most` does not say which names are known"),
        ("\"names\":\"all\"", "\"names\":\"none\"", "its counts are not those of its outcomes"),
        ("\"names\":\"all\"", "\"names\":\"failed-only\"", "its counts are not those of its outcomes"),
        ("{\"format\"", "{\"more\":1,\"format\"", "unknown field `more`"),
    ];
    for (old, new, expected) in cases {
        let error = read(&good.replace(old, new)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let green = write(&run("a=passed")).unwrap().replace("null", "\"stopped\"");
    assert!(read(&green).unwrap_err().to_string().contains("cut short and holds no failure"));
}
