//! JUnit XML, in the dialects of pytest, nextest, surefire, gotestsum, jest-junit and node.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::error::{self, INPUT_BYTES_MAX};
use super::plain::{describe, insert_distinct};
use super::{Counts, ResultsError, TestOutcome, TestRun};

/// The deepest nesting of elements that is read.
const LEVELS_MAX: usize = 64;

/// Reads a JUnit XML report.
///
/// - A `failure` or `error` that stands in a suite and in no case counts as an error of that suite.
/// - A repeated id gets a running number, unless the suite says by its count that the repeats are new attempts (as
///   pytest-rerunfailures writes them); then the test has its worst outcome. Attempts that surefire and nextest keep
///   beside the result (`flakyFailure`, `rerunFailure`) say nothing about it.
/// - A case without a name is what pytest leaves of a test in which the run was interrupted: an error.
/// - The counts of a suite must agree with what it lists. It may list *more* tests than it counts, since jest-junit
///   does not count its `todo` tests; and pytest counts sub-tests that it does not list.
///
/// A report says nothing of files that could not be loaded where the runner leaves them out (jest-junit does unless
/// `reportTestSuiteErrors` is set): only the exit status tells.
///
/// # Errors
///
/// Anything but one whole, well-formed report: nothing is read from a damaged or truncated one. Document types and
/// entities of one's own are refused.
pub fn read_junit(xml: &str) -> Result<TestRun, ResultsError> {
    if xml.len() > INPUT_BYTES_MAX {
        let max = INPUT_BYTES_MAX as u64;
        return Err(ResultsError::TooMuch { what: "bytes", found: xml.len() as u64, max });
    }
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut report = Report::default();
    loop {
        let start = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(source) => return Err(at(xml, reader.error_position(), source.to_string())),
        };
        let end = matches!(event, Event::Eof);
        report.take(&event).map_err(|refusal| refusal.located(xml, start))?;
        if end {
            break;
        }
    }
    let mut outcomes = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for (id, outcome) in report.cases {
        insert_distinct(&mut outcomes, &mut seen, &id, outcome);
    }
    error::bounded(&outcomes)?;
    Ok(TestRun::named(outcomes))
}

/// What keeps an event from being taken: a reason whose place is not known yet, or a finished error.
enum Refusal {
    Here(String),
    Done(ResultsError),
}

impl Refusal {
    fn located(self, xml: &str, offset: u64) -> ResultsError {
        match self {
            Self::Here(reason) => at(xml, offset, reason),
            Self::Done(error) => error,
        }
    }
}

fn here(reason: impl Into<String>) -> Refusal {
    Refusal::Here(reason.into())
}

fn at(xml: &str, offset: u64, reason: String) -> ResultsError {
    let end = usize::try_from(offset).map_or(xml.len(), |offset| offset.min(xml.len()));
    let line = xml.as_bytes()[..end].split(|byte| *byte == b'\n').count() as u64;
    ResultsError::Xml { line, offset, reason }
}

/// What an open element is to the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Suites,
    Suite,
    Case,
    Other,
}

/// A `testsuite` or `testsuites` element while it is open.
#[derive(Debug, Default)]
struct Suite {
    name: String,
    /// Whether pytest wrote it: it counts sub-tests and tear-downs that it does not list.
    pytest: bool,
    declared: BTreeMap<String, u64>,
    first_case: usize,
    /// How many `failure` and `error`, and `skipped` elements were seen when it was opened.
    marks_before: (u64, u64),
}

#[derive(Debug, Default)]
struct Report {
    levels: Vec<Level>,
    suites: Vec<Suite>,
    cases: Vec<(String, TestOutcome)>,
    open_case: Option<(String, TestOutcome)>,
    /// `failure` and `error`, and `skipped` elements so far.
    marks: (u64, u64),
    closed: bool,
}

impl Report {
    fn take(&mut self, event: &Event<'_>) -> Result<(), Refusal> {
        match event {
            Event::Start(element) => self.open(element),
            Event::End(_) => self.close(),
            Event::Empty(_) => Err(here("an empty element was not expanded")),
            Event::Text(text) if self.levels.is_empty() && !text.trim_ascii().is_empty() => {
                Err(here("there is text outside the report"))
            }
            Event::CData(_) | Event::GeneralRef(_) if self.levels.is_empty() => {
                Err(here("there is text outside the report"))
            }
            Event::GeneralRef(name) => known_entity(name),
            Event::DocType(_) => Err(here("it declares a document type; no test report needs one")),

            Event::Eof if !self.levels.is_empty() => Err(here(
                "it ends before its last element is closed: it was cut off, or is still being written",
            )),
            Event::Eof if !self.closed => Err(here("it holds no element, so no report")),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Refusal> {
        if self.closed {
            return Err(here("a second report follows the first"));
        }
        if self.levels.len() >= LEVELS_MAX {
            let (found, max) = (self.levels.len() as u64 + 1, LEVELS_MAX as u64);
            return Err(Refusal::Done(ResultsError::TooMuch { what: "levels of elements", found, max }));
        }
        let parent = self.levels.last().copied();
        let attributes = attributes(element)?;
        let name = element.local_name();
        let name: &str = name.as_ref();
        let level = match (name, parent) {
            ("testsuites", None) => self.open_suite(&attributes, Level::Suites),
            ("testsuite", None | Some(Level::Suites | Level::Suite)) => {
                self.open_suite(&attributes, Level::Suite)
            }
            (other, None) => {
                return Err(here(format!(
                    "`<{other}>` is no JUnit report; it would be `<testsuites>` or `<testsuite>`"
                )));
            }
            ("testcase", Some(Level::Suites | Level::Suite)) => self.open_case(&attributes)?,
            ("testsuite" | "testsuites" | "testcase", Some(_)) => {
                return Err(here(format!("`<{name}>` stands where none can be")));
            }
            (mark, Some(Level::Case | Level::Suite)) => self.mark(mark, &attributes),
            (_, Some(_)) => Level::Other,
        };
        self.levels.push(level);
        Ok(())
    }

    fn open_suite(&mut self, attributes: &BTreeMap<String, String>, level: Level) -> Level {
        let number = |key: &str| Some((key.to_owned(), attributes.get(key)?.trim().parse().ok()?));
        let name = attributes.get("name").cloned().unwrap_or_default();
        let inherited = self.suites.last().is_some_and(|suite| suite.pytest);
        self.suites.push(Suite {
            pytest: inherited || name == "pytest" || name == "pytest tests",
            name,
            declared: ["tests", "failures", "errors", "skipped"].into_iter().filter_map(number).collect(),
            first_case: self.cases.len(),
            marks_before: self.marks,
        });
        level
    }

    fn open_case(&mut self, attributes: &BTreeMap<String, String>) -> Result<Level, Refusal> {
        let name = attributes.get("name").map_or("", String::as_str);
        let class = attributes.get("classname").map_or("", String::as_str);
        if name.is_empty() && class.is_empty() {
            return Err(here("a test case has no name: the run was interrupted in it"));
        }
        // An absolute path differs between two copies of a tree, and the same test must keep its name.
        let file =
            attributes.get("file").filter(|file| !file.starts_with(['/', '\\']) && !file.contains(':'));
        let parts = [file.map_or("", String::as_str), class, name];
        let id: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let not_run = matches!(attributes.get("status").map(String::as_str), Some("notrun" | "disabled"));
        let outcome = if not_run { TestOutcome::Skipped } else { TestOutcome::Passed };
        self.open_case = Some((id.join("::"), outcome));
        Ok(Level::Case)
    }

    /// Takes an element inside a case or a suite.
    fn mark(&mut self, name: &str, attributes: &BTreeMap<String, String>) -> Level {
        let expected = attributes.get("type").is_some_and(|kind| kind == "pytest.xfail");
        let outcome = match name {
            "failure" => TestOutcome::Failed,
            "error" => TestOutcome::Error,
            "skipped" if expected => TestOutcome::XFailed,
            "skipped" | "disabled" => TestOutcome::Skipped,
            _ => return Level::Other,
        };
        if outcome.is_bad() {
            self.marks.0 += 1;
        } else {
            self.marks.1 += 1;
        }
        match &mut self.open_case {
            Some((_, worst)) => *worst = worst.worse(outcome),
            None if outcome.is_bad() => {
                let suite = self.suites.last().map_or("", |suite| suite.name.as_str());
                self.cases.push((format!("{suite} (suite)"), TestOutcome::Error));
            }
            None => {}
        }
        Level::Other
    }

    fn close(&mut self) -> Result<(), Refusal> {
        match self.levels.pop() {
            Some(Level::Case) => self.cases.extend(self.open_case.take()),
            Some(Level::Suite | Level::Suites) => {
                if let Some(suite) = self.suites.pop() {
                    self.settle(&suite)?;
                }
            }
            Some(Level::Other) | None => {}
        }
        self.closed = self.levels.is_empty();
        Ok(())
    }

    /// Compares the counts of a closed suite with what it lists, and takes repeated attempts together.
    fn settle(&mut self, suite: &Suite) -> Result<(), Refusal> {
        let cases = &self.cases[suite.first_case..];
        let mut distinct: BTreeMap<&String, TestOutcome> = BTreeMap::new();
        for (id, outcome) in cases {
            distinct.entry(id).and_modify(|old| *old = old.worse(*outcome)).or_insert(*outcome);
        }
        let listed = Counts::of(cases.iter().map(|(_, outcome)| *outcome));
        let (bad_marks, skip_marks) =
            (self.marks.0 - suite.marks_before.0, self.marks.1 - suite.marks_before.1);
        let declared = |key: &str| suite.declared.get(key).copied();
        // Some count failed tests, others count failures, of which a test can have several.
        let bad_range = listed.bad()..=bad_marks.max(listed.bad());
        let bad =
            declared("failures").map(|failures| failures.saturating_add(declared("errors").unwrap_or(0)));
        let bad_agree = bad.is_none_or(|bad| bad_range.contains(&bad));
        let skips_agree = declared("skipped").is_none_or(|skipped| skipped <= skip_marks.max(listed.skipped));
        let count = cases.len() as u64;
        let tests_agree = suite.pytest || declared("tests").is_none_or(|tests| tests <= count);
        if !(bad_agree && skips_agree && tests_agree) {
            let said: Vec<String> =
                suite.declared.iter().map(|(key, number)| format!("{number} {key}")).collect();
            return Err(Refusal::Done(ResultsError::Disagree {
                place: format!("test suite `{}`", suite.name),
                listed: format!("{count} tests ({})", describe(listed)),
                summary: said.join(", "),
            }));
        }
        let distinct_count = distinct.len() as u64;
        if distinct_count < count && declared("tests") == Some(distinct_count) {
            let attempts: Vec<_> = distinct.into_iter().map(|(id, outcome)| (id.clone(), outcome)).collect();
            self.cases.truncate(suite.first_case);
            self.cases.extend(attempts);
        }
        Ok(())
    }
}

/// Lets the five entities of XML and character references through.
fn known_entity(name: &str) -> Result<(), Refusal> {
    let known = name.starts_with('#') || matches!(name, "lt" | "gt" | "amp" | "quot" | "apos");
    if known { Ok(()) } else { Err(here(format!("it uses the unknown entity `&{name};`"))) }
}

fn attributes(element: &BytesStart<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut found = BTreeMap::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|source| here(source.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|source| here(source.to_string()))?
            .into_owned();
        let key: &str = attribute.key.as_ref();
        found.insert(key.to_owned(), value);
    }
    Ok(found)
}
