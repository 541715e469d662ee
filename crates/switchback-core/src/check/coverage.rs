//! `coverage`: how much of the code the tests run, by lines and by branches, held against minima and the live tree (PC-14).

use std::path::Path;

use serde_json::{Value, json};

use super::report_file::{self, ReportFile};
use super::{Check, Kind, Looked, Scene, shell};
use crate::coverage::{self, Coverage, Covered, REPORT_BYTES_MAX, Share};
use crate::plan::{Fields, Key, Moment, Shape, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::FileKind;

const MINIMUM: Key = Key::optional("minimum", Shape::Number, "percent of the lines that the tests must run");
const MINIMUM_BRANCHES: Key =
    Key::optional("minimum_branches", Shape::Number, "percent of the branches that the tests must take");
const NO_WORSE: Key = Key::optional(
    "no_worse",
    Shape::Flag,
    "`true`: neither lines nor branches may be run to a smaller part than in the tree before this phase",
);
const PATH: &[Key] = &[MINIMUM, MINIMUM_BRANCHES, NO_WORSE];

/// The kind `coverage`.
pub(super) static KIND: Kind = Kind {
    word: "coverage",
    doc: "how much of the code the tests run: lines and branches, with minima, and no worse than before",
    keys: &[
        Key::required(
            "command",
            Shape::Text,
            "a line of shell that runs the tests and writes the report; `{out}` is an empty folder",
        ),
        Key::required(
            "report",
            Shape::Text,
            "what it writes, Cobertura XML or coverage.py's JSON: `{out}/coverage.xml`",
        ),
        MINIMUM,
        MINIMUM_BRANCHES,
        NO_WORSE,
        Key::optional(
            "paths",
            Shape::Named(PATH),
            "what is asked of single paths: files, folders, or patterns with `*` and `?`",
        ),
    ],
    read,
};

/// What is asked of one path, or of all.
#[derive(Debug)]
struct Asked {
    /// `None`: of all.
    path: Option<String>,
    /// Millionths of a percent.
    lines: Option<u64>,
    branches: Option<u64>,
    no_worse: bool,
}

#[derive(Debug)]
struct CoverageCheck {
    command: String,
    report: String,
    asked: Vec<Asked>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let (command, report) = (fields.filled_text("command"), fields.filled_text("report"));
    report_file::look_at_name(fields, "report", report.as_deref());
    let mut asked = vec![Asked::read(fields, None)];
    for (path, table) in fields.named("paths") {
        let one = Asked::read(&table, Some(path));
        if one.is_nothing() {
            let message = format!("{} asks for nothing", table.title());
            table.findings().add(table.offset(), message, "add a `minimum`, or `no_worse = true`");
        }
        asked.push(one);
    }
    if asked.iter().all(Asked::is_nothing) {
        let message = format!("{} asks for nothing: any coverage would do", fields.title());
        fields.findings().add(fields.offset(), message, "add a `minimum`, or `no_worse = true`");
    }
    Some(Box::new(CoverageCheck { command: command?, report: report?, asked }))
}

impl Asked {
    fn read(fields: &Fields<'_>, path: Option<String>) -> Self {
        Self {
            path,
            lines: percent(fields, "minimum"),
            branches: percent(fields, "minimum_branches"),
            no_worse: fields.flag("no_worse").unwrap_or(false),
        }
    }

    fn is_nothing(&self) -> bool {
        self.lines.is_none() && self.branches.is_none() && !self.no_worse
    }
}

/// A percentage as millionths of a percent: exact, where a float is not.
fn percent(fields: &Fields<'_>, name: &str) -> Option<u64> {
    let number = fields.number(name)?;
    if number > 100.0 {
        fields.find(name, format!("`{name}` is more than 100 percent"), "write a percentage: 85, or 92.5");
        return None;
    }
    format!("{number:.6}").replace('.', "").parse().ok()
}

/// `85`, `92.5`.
fn percent_told(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Check for CoverageCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut details = json!({});
        match self.look_at(scene, &mut details) {
            Ok((verdict, summary)) => Looked::new(verdict, summary, details),
            Err(why) => Looked::unknown(why, details),
        }
    }
}

impl CoverageCheck {
    fn look_at(&self, scene: &Scene<'_>, details: &mut Value) -> Result<(Verdict, String), String> {
        let tree = scene.trees.here()?;
        let now = self.measure(scene, &tree, "new", details)?;
        let wants_before = self.asked.iter().any(|asked| asked.no_worse) && scene.moment != Moment::Before;
        let before = if wants_before { Some(self.before(scene, details)?) } else { None };
        let (mut verdict, mut reasons) = (Verdict::Yes, Vec::new());
        for asked in &self.asked {
            let (one, reason) = judge(asked, &now, before.as_ref());
            verdict = verdict.and(one);
            reasons.extend(reason);
        }
        // What is wrong comes first.
        reasons.sort_by_key(|(one, _)| *one != verdict);
        let reasons: Vec<String> = reasons.into_iter().map(|(_, words)| words).collect();
        Ok((verdict, reasons.join("; ")))
    }

    /// Runs the tests in one tree, and reads what they left.
    fn measure(
        &self,
        scene: &Scene<'_>,
        tree: &Path,
        side: &str,
        details: &mut Value,
    ) -> Result<Coverage, String> {
        let disk = scene.world.disk.as_ref();
        let out = scene.out.join(side);
        disk.make_directory(&out, 0o755).map_err(|error| error.to_string())?;
        let report = ReportFile::expected(scene, &self.report, tree, &out)?;
        let finished = shell::run(scene, &self.command, tree, &out).map_err(|error| error.to_string())?;
        details[side] = shell::evidence(&self.command, &finished);
        if let Some(why) = shell::no_answer(&finished) {
            return Err(why);
        }
        if !finished.succeeded() {
            let words = shell::last_words(&finished);
            let ending = finished.ending();
            return Err(format!("the command ended with {ending}{words}: what it ran is not all there is"));
        }
        let text = report.read(disk, REPORT_BYTES_MAX)?;
        let is_file = |path: &Path| {
            disk.look(&tree.join(path))
                .is_ok_and(|found| found.is_some_and(|meta| meta.kind == FileKind::File))
        };
        let found = coverage::read(&text, tree, &is_file)
            .map_err(|why| format!("the report `{}` cannot be used: {why}", shown(&self.report)))?;
        details["measured"][side] = measured(&found);
        Ok(found)
    }

    /// What was measured of the tree before this phase: at `before`, where the check looked then, else now.
    fn before(&self, scene: &Scene<'_>, details: &mut Value) -> Result<Coverage, String> {
        if let Some(found) = scene.before.and_then(|before| read_measured(&before["measured"]["new"])) {
            return Ok(found);
        }
        let old = scene.trees.old_project()?;
        self.measure(scene, &old, "old", details).map_err(|why| format!("the tree before: {why}"))
    }
}

/// What was measured, as evidence that can be read back.
fn measured(found: &Coverage) -> Value {
    let numbers = |covered: &Covered| {
        json!([covered.lines.covered, covered.lines.all, covered.branches.covered, covered.branches.all])
    };
    let total = found.total();
    let files: serde_json::Map<String, Value> =
        found.files.iter().map(|(path, covered)| (path.clone(), numbers(covered))).collect();
    json!({
        "tool": found.tool,
        "lines": total.lines.told(),
        "branches": total.branches.told(),
        "files": files,
    })
}

fn read_measured(value: &Value) -> Option<Coverage> {
    let mut found = Coverage { tool: value["tool"].as_str()?.to_owned(), ..Coverage::default() };
    for (path, numbers) in value["files"].as_object()? {
        let number = |at: usize| numbers[at].as_u64();
        let lines = Share { covered: number(0)?, all: number(1)? };
        let branches = Share { covered: number(2)?, all: number(3)? };
        found.files.insert(path.clone(), Covered { lines, branches });
    }
    Some(found)
}

/// What was found about what is asked of one path, each in words.
fn judge(asked: &Asked, now: &Coverage, before: Option<&Coverage>) -> (Verdict, Vec<(Verdict, String)>) {
    let of = asked.path.as_ref().map_or_else(String::new, |path| format!("`{}`: ", shown(path)));
    if asked.is_nothing() {
        return (Verdict::Yes, Vec::new());
    }
    let measured = |coverage: &Coverage| match &asked.path {
        Some(path) => coverage.of(path),
        None => Some(coverage.total()),
    };
    let Some(found) = measured(now).filter(|found| found.lines.all > 0) else {
        let why = if now.files.is_empty() {
            format!("{of}the report names no file: nothing was measured")
        } else if measured(now).is_none() {
            format!(
                "{of}no file of the report lies there; it has {}",
                counted(now.files.len() as u64, "file")
            )
        } else {
            format!("{of}the report has no line that could be run: nothing was measured")
        };
        return (Verdict::Unknown, vec![(Verdict::Unknown, why)]);
    };
    let mut found_out = Vec::new();
    for (noun, share, minimum) in
        [("lines", found.lines, asked.lines), ("branches", found.branches, asked.branches)]
    {
        let Some(minimum) = minimum else { continue };
        let wanted = percent_told(minimum);
        found_out.push(if share.all == 0 {
            (Verdict::Unknown, format!("{of}the report has no {noun}, and {wanted} % of them are asked for"))
        } else if share.reaches(minimum) {
            (Verdict::Yes, format!("{of}{noun} {}, at least {wanted} %", share.told()))
        } else {
            (Verdict::No, format!("{of}{noun} {}, less than {wanted} %", share.told()))
        });
    }
    if asked.no_worse
        && let Some(before) = before
    {
        found_out.extend(against(&of, found, measured(before)));
    } else if found_out.is_empty() {
        // At `before` there is nothing older: it is what later outcomes are compared with.
        found_out.push((Verdict::Yes, format!("{of}lines {}", found.lines.told())));
    }
    (Verdict::all(found_out.iter().map(|(verdict, _)| *verdict)), found_out)
}

/// Holds what was measured against what was measured before.
fn against(of: &str, now: Covered, before: Option<Covered>) -> Vec<(Verdict, String)> {
    let Some(before) = before.filter(|before| before.lines.all > 0) else {
        let why = format!("{of}nothing of it was measured before: whether it is worse cannot be told");
        return vec![(Verdict::Unknown, why)];
    };
    let mut found = Vec::new();
    for (noun, now, before) in
        [("lines", now.lines, before.lines), ("branches", now.branches, before.branches)]
    {
        let (told, then) = (now.told(), before.told());
        match (now.all, before.all) {
            (0, 0) => {}
            (_, 0) | (0, _) => found.push((
                Verdict::Unknown,
                format!("{of}{noun} {told} now, {then} before: only one of both reports has any"),
            )),
            _ if now.is_below(before) => {
                found.push((Verdict::No, format!("{of}{noun} {told}, before {then}")));
            }
            _ => found.push((Verdict::Yes, format!("{of}{noun} {told}, no worse than before ({then})"))),
        }
    }
    found
}
