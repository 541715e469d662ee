//! A report as JUnit XML: one suite for each phase and moment, one case for each check, and one for the rehearsal.
//!
//! *No* is a failure, *could not tell* an error. A check that has not looked is skipped, and so is a *no* at `before`:
//! that is what later looks are compared with, and it holds nothing up.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::details::Detail;
use super::phase_report::{CheckReport, PhaseReport};
use super::run_report::RunReport;
use super::save::JUNIT_MARK;
use super::visible::{visible, visible_name};
use crate::verdict::Verdict;

/// The checks of one phase at one moment.
struct Suite<'r> {
    phase: &'r PhaseReport,
    at: &'r str,
    looked: Vec<&'r CheckReport>,
    /// Checks that have not looked.
    open: Vec<&'r str>,
}

impl<'r> Suite<'r> {
    fn all(report: &'r RunReport) -> Vec<Self> {
        let mut suites: Vec<Self> = Vec::new();
        for phase in &report.phases {
            let looked = phase.outcomes().map(|check| (check.at.as_str(), Some(check), None));
            let open = phase.open_checks.iter().map(|(name, _, at)| (at.as_str(), None, Some(name.as_str())));
            for (at, check, name) in looked.chain(open) {
                let is_it = |suite: &Self| suite.phase.status.name == phase.status.name && suite.at == at;
                if !suites.iter().any(is_it) {
                    suites.push(Self { phase, at, looked: Vec::new(), open: Vec::new() });
                }
                if let Some(suite) = suites.iter_mut().find(|suite| is_it(suite)) {
                    suite.looked.extend(check);
                    suite.open.extend(name);
                }
            }
        }
        suites
    }

    fn count(&self, wanted: Ending) -> usize {
        self.looked.iter().filter(|check| Ending::of(check) == wanted).count()
    }

    fn name(&self) -> String {
        format!("{} {}", self.phase.status.name, self.at)
    }

    /// The attributes that a suite and the whole have: counts, and the time in seconds.
    fn counts(suites: &[&Self]) -> [(&'static str, String); 5] {
        let sum = |count: &dyn Fn(&Self) -> usize| {
            suites.iter().map(|suite| count(suite)).sum::<usize>().to_string()
        };
        let milliseconds =
            suites.iter().flat_map(|suite| &suite.looked).map(|check| check.milliseconds).sum();
        [
            ("tests", sum(&|suite| suite.looked.len() + suite.open.len())),
            ("failures", sum(&|suite| suite.count(Ending::Failure))),
            ("errors", sum(&|suite| suite.count(Ending::Error))),
            ("skipped", sum(&|suite| suite.count(Ending::Skipped) + suite.open.len())),
            ("time", seconds(milliseconds)),
        ]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Ending {
    fn of(check: &CheckReport) -> Self {
        match check.verdict {
            _ if check.evidence_fault.is_some() || !check.void.is_empty() => Self::Error,
            Verdict::Yes => Self::Passed,
            Verdict::No if check.refuses() => Self::Failure,
            Verdict::No => Self::Skipped,
            Verdict::Unknown => Self::Error,
        }
    }
}

/// Writes the document.
///
/// # Errors
///
/// Never in practice: it is written into memory.
pub(super) fn junit(report: &RunReport) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = Suite::all(report);
    let name = format!("{JUNIT_MARK}{} {}", report.status.project, report.run.id);
    let mut whole = writer.create_element("testsuites").with_attribute(("name", visible(&name).as_str()));
    for (name, value) in &Suite::counts(&suites.iter().collect::<Vec<_>>()) {
        whole = whole.with_attribute((*name, value.as_str()));
    }
    whole.write_inner_content(|writer| {
        suites.iter().try_for_each(|suite| write_suite(writer, suite, report))
    })?;
    let text = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
    Ok(text + "\n")
}

fn write_suite(writer: &mut Writer<Vec<u8>>, suite: &Suite<'_>, report: &RunReport) -> io::Result<()> {
    let name = visible(&suite.name());
    let mut element = writer.create_element("testsuite").with_attribute(("name", name.as_str()));
    for (name, value) in &Suite::counts(&[suite]) {
        element = element.with_attribute((*name, value.as_str()));
    }
    let first = suite.looked.first().map_or(report.run.began.as_str(), |check| check.time.as_str());
    let timestamp = visible(first);
    let class = visible(&format!("{}.{}.{}", report.status.project, suite.phase.status.name, suite.at));
    element.with_attribute(("timestamp", timestamp.as_str())).write_inner_content(|writer| {
        suite.looked.iter().try_for_each(|check| write_case(writer, check, &class))?;
        suite.open.iter().try_for_each(|name| {
            let name = visible(name);
            let case = writer.create_element("testcase").with_attribute(("name", name.as_str()));
            case.with_attribute(("classname", class.as_str()))
                .with_attribute(("time", "0"))
                .write_inner_content(|writer| {
                    let skipped = writer.create_element("skipped");
                    skipped.with_attribute(("message", "it has not looked yet")).write_empty().map(drop)
                })?;
            Ok(())
        })
    })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, check: &CheckReport, class: &str) -> io::Result<()> {
    let (name, time) = (visible(&check.name), seconds(check.milliseconds));
    let case = writer.create_element("testcase").with_attribute(("name", name.as_str()));
    let case = case.with_attribute(("classname", class)).with_attribute(("time", time.as_str()));
    let ending = Ending::of(check);
    let element = match ending {
        Ending::Passed => {
            case.write_inner_content(|writer| {
                let said = format!("yes: {}\nevidence blake3:{}", check.summary, check.evidence);
                writer
                    .create_element("system-out")
                    .write_text_content(BytesText::new(&lines(&said)))
                    .map(drop)
            })?;
            return Ok(());
        }
        Ending::Failure => "failure",
        Ending::Error => "error",
        Ending::Skipped => "skipped",
    };
    let message = visible(&message(check));
    let body = lines(&body(check));
    case.write_inner_content(|writer| {
        let element = writer.create_element(element).with_attribute(("message", message.as_str()));
        let element = if ending == Ending::Skipped {
            element
        } else {
            element.with_attribute(("type", check.verdict.word()))
        };
        element.write_text_content(BytesText::new(&body)).map(drop)
    })?;
    Ok(())
}

fn message(check: &CheckReport) -> String {
    if let Some(fault) = &check.evidence_fault {
        return format!("its evidence cannot be used: {fault}");
    }
    if !check.void.is_empty() {
        return format!("its evidence is void, because since then {} changed", check.void.join(", "));
    }
    check.summary.clone()
}

fn body(check: &CheckReport) -> String {
    let said = [check.verdict.spoken(), check.summary.as_str()].join(": ");
    let mut lines = vec![said, format!("evidence blake3:{}", check.evidence)];
    for Detail { title, columns, rows, left_out, is_output } in &check.details {
        let shown = |cell: &String| if *is_output { visible(cell) } else { visible_name(cell) };
        lines.extend([String::new(), title.clone(), columns.join("\t")]);
        lines.extend(rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("\t")));
        if *left_out > 0 {
            lines.push(format!("{left_out} more"));
        }
    }
    lines.join("\n")
}

/// Each line made visible, so that line ends and tabs between cells stay.
fn lines(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}
