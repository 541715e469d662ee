//! How tests ended: read from the file that the runner left, or found out by running them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::problem::Problem;
use crate::program::{Call, Ended};
use crate::rows::markers::Marked;
use crate::suite::Runner;
use crate::workspace::{Workspace, read_text};

/// A filter longer than this many tests is given to the runner in parts, because a command line is bounded.
const TESTS_PER_CALL_MAX: usize = 200;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not hold, or did not end.
    Failed,
}

/// Outcomes by binary (as nextest names it: `package`, `package::integration`, `package::bin/name`) and path.
#[derive(Debug, Default)]
pub struct Results {
    outcomes: BTreeMap<(String, String), Outcome>,
}

impl Results {
    /// Notes one outcome. A failure is never taken back by another result of the same test.
    pub fn note(&mut self, binary: &str, path: &str, outcome: Outcome) {
        let known = self.outcomes.entry((binary.to_owned(), path.to_owned())).or_insert(outcome);
        if outcome == Outcome::Failed {
            *known = Outcome::Failed;
        }
    }

    /// How a test ended in all binaries that it is in; `None` when it is in none of them.
    pub fn of(&self, test: &Marked) -> Option<Outcome> {
        let mut found = None;
        for ((binary, path), outcome) in &self.outcomes {
            if *path == test.path && is_binary_of(binary, test) && found != Some(Outcome::Failed) {
                found = Some(*outcome);
            }
        }
        found
    }

    /// Takes over what another source knows.
    pub fn extend(&mut self, other: Self) {
        for ((binary, path), outcome) in other.outcomes {
            self.note(&binary, &path, outcome);
        }
    }
}

fn is_binary_of(binary: &str, test: &Marked) -> bool {
    match (&test.integration, binary.split_once("::")) {
        (Some(name), Some((package, inside))) => package == test.package && inside == name,
        (None, Some((package, inside))) => package == test.package && inside.starts_with("bin/"),
        (None, None) => binary == test.package,
        (Some(_), None) => false,
    }
}

/// Where nextest leaves its `JUnit` file: inside the checkout, as `.config/nextest.toml` says, wherever cargo builds.
pub fn junit_path(workspace: &Workspace, profile: &str) -> PathBuf {
    workspace.root.join("target/nextest").join(profile).join("junit.xml")
}

/// Reads the results from nextest's `JUnit` file.
pub fn of_junit(text: &str) -> Result<Results, Problem> {
    let wrong = |cause: String| Problem::new("could not read the runner's JUnit file", cause);
    let mut results = Results::default();
    let mut reader = Reader::from_str(text);
    let mut current: Option<(String, String, Outcome)> = None;
    loop {
        match reader.read_event().map_err(|source| wrong(source.to_string()))? {
            Event::Eof => return Ok(results),
            Event::Empty(tag) if tag.name().as_ref() == "testcase" => {
                let (binary, path) = identity(&tag).map_err(wrong)?;
                results.note(&binary, &path, Outcome::Passed);
            }
            Event::Start(tag) if tag.name().as_ref() == "testcase" => {
                let (binary, path) = identity(&tag).map_err(wrong)?;
                current = Some((binary, path, Outcome::Passed));
            }
            Event::Start(tag) | Event::Empty(tag) if matches!(tag.name().as_ref(), "failure" | "error") => {
                if let Some((_, _, outcome)) = &mut current {
                    *outcome = Outcome::Failed;
                }
            }
            Event::End(tag) if tag.name().as_ref() == "testcase" => {
                if let Some((binary, path, outcome)) = current.take() {
                    results.note(&binary, &path, outcome);
                }
            }
            _ => {}
        }
    }
}

fn identity(tag: &BytesStart<'_>) -> Result<(String, String), String> {
    let attribute = |name: &str| -> Result<String, String> {
        let found = tag.try_get_attribute(name).map_err(|source| source.to_string())?;
        let found = found.ok_or_else(|| format!("a `testcase` has no `{name}`"))?;
        quick_xml::escape::unescape(&found.value)
            .map(std::borrow::Cow::into_owned)
            .map_err(|source| source.to_string())
    };
    Ok((attribute("classname")?, attribute("name")?))
}

/// Runs the given tests, slow ones included. A test that the runner does not find stays without a result.
pub fn run(workspace: &Workspace, runner: Runner, tests: &[&Marked]) -> Result<Results, Problem> {
    match runner {
        Runner::Nextest => run_with_nextest(workspace, tests),
        Runner::CargoTest => run_with_cargo_test(workspace, tests),
    }
}

fn run_with_nextest(workspace: &Workspace, tests: &[&Marked]) -> Result<Results, Problem> {
    let mut results = Results::default();
    let junit = junit_path(workspace, "rows");
    for part in tests.chunks(TESTS_PER_CALL_MAX) {
        if junit.exists() {
            std::fs::remove_file(&junit).map_err(|source| Problem::at("remove", &junit, source))?;
        }
        let filter: Vec<String> =
            part.iter().map(|test| format!("(package(={}) & test(={}))", test.package, test.path)).collect();
        let ended = workspace
            .cargo(&["nextest", "run", "--workspace", "--profile", "rows", "--no-tests", "pass"])
            .argument("--run-ignored")
            .argument("all")
            .argument("-E")
            .argument(filter.join(" | "))
            .run()?;
        if junit.is_file() {
            results.extend(of_junit(&read_text(&junit)?)?);
        } else if !ended.status.success() {
            return Err(not_run(&ended));
        }
    }
    Ok(results)
}

fn run_with_cargo_test(workspace: &Workspace, tests: &[&Marked]) -> Result<Results, Problem> {
    let mut results = Results::default();
    let binaries: BTreeSet<(&str, Option<&str>)> =
        tests.iter().map(|test| (test.package.as_str(), test.integration.as_deref())).collect();
    for (package, integration) in binaries {
        let call = workspace.cargo(&["test", "--package", package, "--no-fail-fast"]);
        let (call, binary) = match integration {
            Some(name) => (call.argument("--test").argument(name), format!("{package}::{name}")),
            None => (call.argument("--lib").argument("--bins"), package.to_owned()),
        };
        let call = call.argument("--").argument("--exact").argument("--include-ignored");
        let of_binary = tests
            .iter()
            .filter(|test| test.package == package && test.integration.as_deref() == integration)
            .map(|test| test.path.clone());
        let ended = of_binary.fold(call, Call::argument).run()?;
        let found = of_libtest(&ended.text, &binary);
        if found.outcomes.is_empty() && !ended.status.success() {
            return Err(not_run(&ended));
        }
        results.extend(found);
    }
    Ok(results)
}

fn not_run(ended: &Ended) -> Problem {
    Problem::new("could not run the tests that name rows", ended.status).because(ended.text.trim())
}

/// Reads the lines `test path ... ok` of one binary.
fn of_libtest(text: &str, binary: &str) -> Results {
    let mut results = Results::default();
    for line in text.lines() {
        let Some((path, word)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
            continue;
        };
        let outcome = if word == "ok" { Outcome::Passed } else { Outcome::Failed };
        results.note(binary, path.trim_end_matches(" - should panic"), outcome);
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="ci" tests="4" failures="1" errors="0">
  <testsuite name="core" tests="3">
    <testcase name="journal::tests::reads_back" classname="core" time="0.004"></testcase>
    <testcase name="twice" classname="core"/>
    <testcase name="twice" classname="core::bin/tool"><failure type="test failure">it &lt; broke</failure></testcase>
    <testcase name="runs" classname="core::all"><system-out>failure</system-out></testcase>
  </testsuite>
</testsuites>"#;

    fn test(integration: Option<&str>, path: &str) -> Marked {
        Marked {
            rows: vec!["RB-1".to_owned()],
            package: "core".to_owned(),
            integration: integration.map(str::to_owned),
            path: path.to_owned(),
            file: "f.rs".to_owned(),
            line: 1,
        }
    }

    #[test]
    fn junit_results_are_found_by_binary_and_path() {
        let results = of_junit(JUNIT).unwrap();
        assert_eq!(results.of(&test(None, "journal::tests::reads_back")), Some(Outcome::Passed));
        assert_eq!(results.of(&test(None, "twice")), Some(Outcome::Failed), "one binary of two failed");
        assert_eq!(results.of(&test(Some("all"), "runs")), Some(Outcome::Passed));
        assert_eq!(results.of(&test(None, "runs")), None, "that test is in another binary");
        assert_eq!(results.of(&test(Some("other"), "runs")), None);
    }

    #[test]
    fn a_broken_junit_file_is_an_error() {
        let shown = of_junit("<testsuites><testcase name='x'/></testsuites>").unwrap_err().to_string();
        assert!(shown.contains("no `classname`"), "{shown}");
        assert!(of_junit("<testsuites></testcase>").is_err());
    }

    #[test]
    fn libtest_lines_are_read() {
        let text =
            "running 2 tests\ntest a::b ... ok\ntest c - should panic ... FAILED\n\ntest result: FAILED. 1";
        let results = of_libtest(text, "core");
        assert_eq!(results.of(&test(None, "a::b")), Some(Outcome::Passed));
        assert_eq!(results.of(&test(None, "c")), Some(Outcome::Failed));
    }
}
