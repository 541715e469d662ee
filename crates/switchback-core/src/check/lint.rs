//! `lint`: what linters, type checkers and interpreters complain about, none of it or none of it new (PC-14, RE-5).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::report_file::{self, ReportFile};
use super::{Check, Kind, Looked, Scene, shell};
use crate::findings::{self, Compared, Finding, Form, Level, Placed, REPORT_BYTES_MAX, Report};
use crate::plan::{Fields, Key, Moment, Shape, shown};
use crate::quantity::counted;
use crate::verdict::Verdict;
use crate::world::{Exit, Finished};

/// How many findings are named in a summary.
const NAMED_MAX: usize = 3;
/// How many findings are named in the evidence.
const KEPT_MAX: usize = 1_000;
/// What a tool says that found nothing to look at, and ends as if all were well.
const LOOKED_AT_NOTHING: &[&str] = &["No Python files found", "no files to check"];

/// The kind `lint`.
pub(super) static KIND: Kind = Kind {
    word: "lint",
    doc: "what linters, type checkers and interpreters complain about: none of it, or none of it new",
    keys: &[
        Key::required(
            "command",
            Shape::Text,
            "a line of shell that runs the tool; `{out}` is an empty folder",
        ),
        Key::optional(
            "format",
            Shape::Word(&["sarif", "ruff", "mypy", "eslint", "python-warnings", "exit-code"]),
            "how the tool reports; `sarif` when left out and `results` is given, else `exit-code`",
        ),
        Key::optional(
            "results",
            Shape::Text,
            "the file that it writes: `{out}/lint.sarif`; its output is read when left out",
        ),
        Key::optional(
            "level",
            Shape::Word(&["note", "warning", "error"]),
            "findings below this level are told and do not count; `warning` when left out",
        ),
        Key::optional(
            "maximum",
            Shape::Whole,
            "more findings than this are a no; 0 when left out, unless `no_worse` is `true`",
        ),
        Key::optional(
            "no_worse",
            Shape::Flag,
            "`true`: a finding that the tree before this phase does not have is a no, and others are none",
        ),
        Key::optional(
            "exit_codes",
            Shape::Values,
            "exit codes with which the tool ends when it found something; `[1]` when left out",
        ),
    ],
    read,
};

#[derive(Debug)]
struct LintCheck {
    command: String,
    /// `None`: its exit code says it all.
    form: Option<Form>,
    results: Option<String>,
    level: Level,
    maximum: Option<u64>,
    no_worse: bool,
    exit_codes: Vec<i32>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let (command, results) = (fields.filled_text("command"), fields.filled_text("results"));
    report_file::look_at_name(fields, "results", results.as_deref());
    let word = fields.word("format");
    let form = match word.as_deref() {
        Some(word) => Form::from_word(word),
        None => results.as_ref().map(|_| Form::Sarif),
    };
    if word.as_deref() == Some("exit-code") {
        for name in ["results", "level", "maximum"] {
            if fields.has(name) {
                let message =
                    format!("`{name}` in {} says nothing where only the exit code is read", fields.title());
                fields.find(name, message, "take it out, or name the `format` of its report");
            }
        }
    }
    let no_worse = fields.flag("no_worse").unwrap_or(false);
    let maximum = fields.whole("maximum");
    let level = fields.word("level").and_then(|word| Level::from_word(&word)).unwrap_or(Level::Warning);
    let exit_codes = exit_codes(fields);
    Some(Box::new(LintCheck {
        command: command?,
        form,
        results,
        level,
        maximum: if no_worse { maximum } else { Some(maximum.unwrap_or(0)) },
        no_worse,
        exit_codes,
    }))
}

fn exit_codes(fields: &Fields<'_>) -> Vec<i32> {
    let Some(values) = fields.placed_values("exit_codes") else { return vec![1] };
    let mut codes = Vec::new();
    for (offset, text) in values {
        match text.parse::<u8>() {
            Ok(code @ 1..=125) => codes.push(i32::from(code)),
            _ => fields.findings().add(
                offset,
                format!("`{}` in `exit_codes` is no exit code of a tool that found something", shown(&text)),
                "write numbers from 1 to 125, e.g. `[1, 4]`; 0 always means that it came to its end",
            ),
        }
    }
    codes
}

/// What a tool said about one tree.
enum Said {
    /// Its report.
    Report(Report),
    /// Only whether it found something.
    Found(bool),
}

impl Check for LintCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut details = json!({});
        match self.look_at(scene, &mut details) {
            Ok(judged) => Looked::new(judged.verdict, judged.words, details).shown(judged.table),
            Err(why) => Looked::unknown(why, details),
        }
    }
}

/// What came of it, in words and as a table for a person.
struct Judged {
    verdict: Verdict,
    words: String,
    table: Vec<Vec<String>>,
}

impl LintCheck {
    fn look_at(&self, scene: &Scene<'_>, details: &mut Value) -> Result<Judged, String> {
        let tree = scene.trees.here()?;
        let new = self.run(scene, &tree, "new", details)?;
        let old = if self.no_worse && scene.moment != Moment::Before {
            let old = scene.trees.old_project()?;
            let said =
                self.run(scene, &old, "old", details).map_err(|why| format!("the tree before: {why}"))?;
            Some((old, said))
        } else {
            None
        };
        match (new, old) {
            (Said::Report(new), Some((old_tree, Said::Report(old)))) => {
                Ok(self.judge_new(scene, (&tree, new), (&old_tree, old), details))
            }
            (Said::Report(new), _) => Ok(self.judge(new, details)),
            (Said::Found(new), old) => {
                let old = old.map(|(_, said)| matches!(said, Said::Found(true)));
                Ok(Self::judge_by_exit(new, old))
            }
        }
    }

    /// Runs the tool in one tree.
    fn run(&self, scene: &Scene<'_>, tree: &Path, side: &str, details: &mut Value) -> Result<Said, String> {
        let disk = scene.world.disk.as_ref();
        let out = scene.out.join(side);
        disk.make_directory(&out, 0o755).map_err(|error| error.to_string())?;
        let file =
            self.results.as_ref().map(|named| ReportFile::expected(scene, named, tree, &out)).transpose()?;
        let finished = shell::run(scene, &self.command, tree, &out).map_err(|error| error.to_string())?;
        details[side] = shell::evidence(&self.command, &finished);
        let found_something = self.found_something(&finished)?;
        let Some(form) = self.form else { return Ok(Said::Found(found_something)) };
        let text = match file {
            Some(file) => file.read(disk, REPORT_BYTES_MAX)?,
            None => output(form, &finished),
        };
        let report = findings::read(form, &text, tree).map_err(|why| {
            let what =
                if self.results.is_some() { "the report of the tool" } else { "what the tool put out" };
            format!("{what} cannot be used: {why} (the command ended with {})", finished.ending())
        })?;
        if found_something && report.is_empty() {
            let words = shell::last_words(&finished);
            return Err(format!("the tool ended with {}, and yet reports nothing{words}", finished.ending()));
        }
        Ok(Said::Report(report))
    }

    /// Whether the tool says by its exit code that it found something; why not, when it did not come to an end.
    fn found_something(&self, finished: &Finished) -> Result<bool, String> {
        if let Some(why) = shell::no_answer(finished) {
            return Err(why);
        }
        let said = String::from_utf8_lossy(&finished.stderr);
        if let Some(words) = LOOKED_AT_NOTHING.iter().find(|words| said.contains(**words)) {
            return Err(format!(
                "the tool looked at nothing: it says `{words}`; where it leaves out what git ignores, take that out, e.g. \
                 `--no-respect-gitignore`"
            ));
        }
        // A run of tests that warns of something ends well.
        let codes = if self.form == Some(Form::PythonWarnings) { &[][..] } else { &self.exit_codes };
        match finished.exit {
            Exit::Code(0) => Ok(false),
            Exit::Code(code) if codes.contains(&code) => Ok(true),
            _ => {
                let (ending, words) = (finished.ending(), shell::last_words(finished));
                Err(format!("the tool did not come to its end: {ending}{words}"))
            }
        }
    }

    fn judge_by_exit(now: bool, before: Option<bool>) -> Judged {
        let (verdict, words) = match (now, before) {
            (false, _) => (Verdict::Yes, "the tool found nothing".to_owned()),
            (true, None) => (Verdict::No, "the tool found something".to_owned()),
            (true, Some(false)) => {
                (Verdict::No, "the tool found something, and nothing in the tree before".to_owned())
            }
            (true, Some(true)) => {
                let why = "the tool found something in both trees, and its exit code does not say whether it is the \
                           same; let it report by `format`";
                (Verdict::Unknown, why.to_owned())
            }
        };
        Judged { verdict, words, table: Vec::new() }
    }

    /// Those findings that count; how many do not is told.
    fn counting(&self, report: Report) -> (Vec<Finding>, String, Verdict) {
        let all = report.findings.len();
        let counting: Vec<Finding> =
            report.findings.into_iter().filter(|finding| finding.level >= self.level).collect();
        let mut notes = String::new();
        let below = all - counting.len();
        if below > 0 {
            let _ = write!(notes, ", {below} below `{}`", self.level.word());
        }
        if report.suppressed > 0 {
            let _ = write!(notes, ", {} suppressed", report.suppressed);
        }
        if report.open > 0 {
            let _ = write!(notes, ", {} that the tool could not judge", report.open);
        }
        let verdict = if report.open > 0 { Verdict::Unknown } else { Verdict::Yes };
        (counting, notes, verdict)
    }

    /// Holds the number of findings against the maximum.
    fn judge(&self, report: Report, details: &mut Value) -> Judged {
        let tools = report.tools.join(", ");
        let (found, notes, verdict) = self.counting(report);
        list(details, "findings", &found);
        let (within, reason) = self.within(&found);
        let told =
            if found.is_empty() { format!("no finding of {tools}") } else { findings_told(found.len()) };
        let mut words = format!("{told}{notes}{reason}");
        if within == Verdict::No {
            let _ = write!(words, ": {}", named(&found));
        }
        let table = if within == Verdict::No { table(&found) } else { Vec::new() };
        Judged { verdict: verdict.and(within), words, table }
    }

    fn within(&self, found: &[Finding]) -> (Verdict, String) {
        match self.maximum {
            Some(maximum) if found.len() as u64 > maximum => {
                let allowed = if maximum == 0 { "none".to_owned() } else { format!("at most {maximum}") };
                let verb = if maximum <= 1 { "is" } else { "are" };
                (Verdict::No, format!(", {allowed} {verb} allowed"))
            }
            _ => (Verdict::Yes, String::new()),
        }
    }

    /// Tells new findings from those that the tree before has, and holds all against the maximum.
    fn judge_new(
        &self,
        scene: &Scene<'_>,
        (tree, new): (&PathBuf, Report),
        (old_tree, old): (&PathBuf, Report),
        details: &mut Value,
    ) -> Judged {
        let disk = scene.world.disk.as_ref();
        let (found, notes, verdict) = self.counting(new);
        let (old, _, _) = self.counting(old);
        let (old, placed) = (Placed::all(old, disk, old_tree), Placed::all(found.clone(), disk, tree));
        let moved = findings::moved(disk, (old_tree, &paths(&old)), (tree, &paths(&placed)));
        let Compared { new, gone, kept } = findings::compare(&old, &placed, &moved);
        list(details, "findings", &found);
        list(details, "new", &new);
        details["compared"] = json!({"new": new.len(), "kept": kept, "gone": gone, "moved": moved});
        let (within, reason) = self.within(&found);
        let mut words = format!("{}{notes}{reason}", findings_told(found.len()));
        match new.as_slice() {
            [] if found.is_empty() => {}
            [] => words.push_str(", none of them new"),
            some => {
                let _ = write!(words, ", {} new: {}", some.len(), named(some));
            }
        }
        if gone > 0 {
            let _ = write!(words, "; {gone} of before {} gone", if gone == 1 { "is" } else { "are" });
        }
        let against = if new.is_empty() { Verdict::Yes } else { Verdict::No };
        Judged { verdict: verdict.and(within).and(against), words, table: table(&new) }
    }
}

/// The output that a report is read from.
fn output(form: Form, finished: &Finished) -> String {
    let mut text = String::from_utf8_lossy(&finished.stdout).into_owned();
    if form == Form::PythonWarnings {
        // unittest reports on stderr, and so does Python.
        text.push('\n');
        text.push_str(&String::from_utf8_lossy(&finished.stderr));
    }
    text
}

fn paths(placed: &[Placed]) -> BTreeSet<&str> {
    placed.iter().map(|one| one.finding.path.as_str()).collect()
}

fn findings_told(number: usize) -> String {
    if number == 0 { "no finding".to_owned() } else { counted(number as u64, "finding") }
}

fn named(found: &[Finding]) -> String {
    let mut told: Vec<String> = found.iter().take(NAMED_MAX).map(Finding::told).collect();
    if found.len() > NAMED_MAX {
        told.push(format!("and {} more", found.len() - NAMED_MAX));
    }
    told.join("; ")
}

/// Puts findings into the evidence, and says how many more there are than it keeps.
fn list(details: &mut Value, name: &str, found: &[Finding]) {
    let listed = found.iter().take(KEPT_MAX).map(|finding| {
        json!({
            "path": finding.path,
            "line": finding.line,
            "rule": finding.rule,
            "level": finding.level.word(),
            "message": finding.message,
        })
    });
    details[name] = listed.collect();
    if found.len() > KEPT_MAX {
        details[format!("{name}_left_out")] = json!(found.len() - KEPT_MAX);
    }
}

fn table(found: &[Finding]) -> Vec<Vec<String>> {
    if found.is_empty() {
        return Vec::new();
    }
    let heading = ["place", "rule", "level", "message"].map(str::to_owned).to_vec();
    let rows = found.iter().take(KEPT_MAX).map(|finding| {
        vec![finding.place(), finding.rule.clone(), finding.level.word().to_owned(), finding.message.clone()]
    });
    std::iter::once(heading).chain(rows).collect()
}
