//! `tests`: the project's tests are run, and what they left is read: counts, and the outcome of each test (RE-1, RB-2).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::categories::{self, CATEGORIES, Category};
use super::{Check, Kind, Looked, Scene, shell};
use crate::plan::{Fields, Key, Moment, Shape};
use crate::secret::clean_text;
use crate::test_results::{self, Runner, TestRun, regressions};
use crate::verdict::Verdict;
use crate::world::{Finished, Meta};

const RESULTS_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many tests are named in a summary; all of them are in the evidence.
const NAMED_MAX: usize = 5;

/// The kind `tests`.
pub(super) static KIND: Kind = Kind {
    word: "tests",
    doc: "the project's tests: a minimum, no failure, and no test that passed `before` fails after",
    keys: &[
        Key::required(
            "command",
            Shape::Text,
            "a line of shell that runs the tests; `{out}` is an empty folder",
        ),
        Key::optional(
            "results",
            Shape::Text,
            "what it writes, JUnit XML or dbt's `run_results.json`: `{out}/junit.xml`; its output is read when left out",
        ),
        Key::optional(
            "runner",
            Shape::Word(&["pytest", "unittest", "cargo-test", "nextest", "go"]),
            "whose output it is; found out when left out",
        ),
        Key::optional("minimum", Shape::Whole, "fewer tests than this are a no; 1 when left out"),
        Key::optional("known_failures", Shape::Flag, "`true`: a test that failed `before` too may fail"),
        Key::optional(
            "missing",
            Shape::Word(&["refuse", "allow"]),
            "whether a test that passed `before` may be gone; `refuse` when left out",
        ),
        CATEGORIES,
    ],
    read,
};

#[derive(Debug, Clone)]
pub(super) struct TestsCheck {
    command: String,
    results: Option<String>,
    runner: Option<Runner>,
    minimum: u64,
    /// Whether a run of no test is a *no*: somebody has said how many there must be.
    none_is_no: bool,
    known_failures: bool,
    missing_allowed: bool,
    pub(super) categories: Vec<Category>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let minimum = fields.whole("minimum").unwrap_or(1);
    if minimum == 0 {
        fields.find(
            "minimum",
            "`minimum` cannot be 0: a run that collects nothing is not a success",
            "use 1 or more",
        );
    }
    let command = fields.filled_text("command");
    let categories = categories::read(fields, command.as_deref());
    Some(Box::new(TestsCheck {
        command: command?,
        results: fields.filled_text("results"),
        runner: fields.word("runner").and_then(|word| Runner::from_word(&word)),
        minimum,
        none_is_no: false,
        categories,
        known_failures: fields.flag("known_failures").unwrap_or(false),
        missing_allowed: fields.word("missing").as_deref() == Some("allow"),
    }))
}

impl Check for TestsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        if !self.categories.is_empty() {
            return categories::look(self, scene);
        }
        let ran = scene.trees.here().and_then(|tree| {
            let earlier = self.results_in(scene, &tree)?;
            let finished = shell::run(scene, &self.command, &tree, scene.out);
            Ok((tree, earlier, finished.map_err(|error| error.to_string())?))
        });
        let (tree, earlier, finished) = match ran {
            Ok(ran) => ran,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let mut details = shell::evidence(&self.command, &finished);
        if let Some(why) = shell::no_answer(&finished) {
            return Looked::unknown(why, details);
        }
        let run = match self.read_results(scene, &tree, earlier.as_ref(), &finished) {
            // A name may hold what looks like a secret, and two names with that blanked may be one.
            Ok(run) => run.cleaned(clean_text),
            Err(why) => {
                let words = shell::last_words(&finished);
                return Looked::unknown(format!("{why} ({}{words})", finished.ending()), details);
            }
        };
        match test_results::write(&run) {
            Ok(text) => details["run"] = Value::String(text),
            Err(why) => return Looked::unknown(format!("the results could not be kept: {why}"), details),
        }
        let seconds = finished.elapsed.as_secs_f64();
        self.judge(scene, &finished, &run, details).measured(seconds)
    }
}

impl TestsCheck {
    /// The same check of the tests that `select` says, which takes the place of `{select}` in the command; `minimum`: what is
    /// asked of these alone.
    pub(super) fn of(&self, select: &str, minimum: Option<u64>) -> Self {
        Self {
            command: self.command.replace("{select}", select),
            minimum: minimum.unwrap_or(self.minimum),
            none_is_no: minimum.is_some(),
            categories: Vec::new(),
            ..self.clone()
        }
    }

    /// Where the file of the results is, if there is to be one. A path for our own eyes, so nothing of it is quoted for a shell.
    fn results_path(&self, scene: &Scene<'_>, tree: &Path) -> Option<PathBuf> {
        let (out, at) = (scene.out.display().to_string(), tree.display().to_string());
        self.results.as_ref().map(|results| tree.join(results.replace("{out}", &out).replace("{tree}", &at)))
    }

    /// What is there now of the file of the results.
    fn results_in(&self, scene: &Scene<'_>, tree: &Path) -> Result<Option<Meta>, String> {
        let Some(path) = self.results_path(scene, tree) else { return Ok(None) };
        scene.world.disk.look(&path).map_err(|error| error.to_string())
    }

    fn read_results(
        &self,
        scene: &Scene<'_>,
        tree: &Path,
        earlier: Option<&Meta>,
        finished: &Finished,
    ) -> Result<TestRun, String> {
        if let Some(path) = self.results_path(scene, tree) {
            let is_written = |now: &Meta, then: &Meta| {
                (now.identity, now.ctime_ns, now.size) != (then.identity, then.ctime_ns, then.size)
            };
            let now = self.results_in(scene, tree)?;
            let is_earlier = earlier.zip(now.as_ref()).is_some_and(|(then, now)| !is_written(now, then));
            let bytes = scene
                .world
                .disk
                .read(&path, RESULTS_BYTES_MAX)
                .map_err(|error| format!("the tests left no results: {error}"))?;
            let text = String::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8", path.display()))?;
            // dbt leaves its results in the tree; those of an earlier run stay where it stopped before it wrote any.
            if is_earlier && text.trim_start().starts_with('{') {
                return Err(format!("the tests left no results: `{}` is of an earlier run", path.display()));
            }
            return test_results::read_report(&text)
                .map_err(|error| format!("`{}`: {error}", path.display()));
        }
        let mut text = String::from_utf8_lossy(&finished.stdout).into_owned();
        text.push('\n');
        // unittest and nextest report on stderr.
        text.push_str(&String::from_utf8_lossy(&finished.stderr));
        let runner = self.runner.or_else(|| test_results::detect(&text)).ok_or_else(|| {
            "its output is of no test runner that is known; name the `runner`, or JUnit `results`".to_owned()
        })?;
        test_results::read_output(runner, &text).map_err(|error| error.to_string())
    }

    fn judge(&self, scene: &Scene<'_>, finished: &Finished, run: &TestRun, mut details: Value) -> Looked {
        let counts = run.counts;
        let (ran, bad) = (counts.ran(), counts.bad());
        let words = format!(
            "{} passed, {} failed, {} errors, {} skipped",
            counts.passed, counts.failed, counts.errors, counts.skipped
        );
        if ran == 0 && self.none_is_no {
            let why = format!("no test ran, fewer than {} ({words})", self.minimum);
            return Looked::new(Verdict::No, why, details);
        }
        if ran == 0 {
            return Looked::unknown(format!("no test ran ({words})"), details);
        }
        if let Some(stopped) = &run.stopped {
            return Looked::unknown(
                format!("the tests were not run to their end: {stopped} ({words})"),
                details,
            );
        }
        if bad == 0 && !finished.succeeded() {
            let why =
                format!("no test failed, and yet the command ended with {} ({words})", finished.ending());
            return Looked::unknown(why, details);
        }
        let mut verdict = Verdict::Yes;
        let mut reasons = vec![words];
        if ran < self.minimum {
            verdict = Verdict::No;
            reasons.push(format!("fewer than {}", self.minimum));
        }
        if scene.moment != Moment::Before
            && let Some(before) = scene.before
        {
            let (against, reason) = self.against(before, run, &mut details);
            verdict = verdict.and(against);
            reasons.extend(reason);
        } else if self.known_failures && scene.moment != Moment::Before && bad > 0 {
            verdict = verdict.and(Verdict::Unknown);
            reasons
                .push("which failures are known cannot be told: the check did not look `before`".to_owned());
        }
        if bad > 0 && !self.known_failures {
            verdict = Verdict::No;
            reasons.push(format!("failed: {}", listed(&bad_names(run))));
        }
        Looked::new(verdict, reasons.join("; "), details)
    }

    /// No test that passed before may fail, or be gone, now.
    fn against(&self, before: &Value, run: &TestRun, details: &mut Value) -> (Verdict, Option<String>) {
        let text = before.get("run").and_then(Value::as_str).unwrap_or_default();
        let then = match test_results::read(text) {
            Ok(then) => then,
            Err(error) => {
                return (Verdict::Unknown, Some(format!("what it saw before cannot be read: {error}")));
            }
        };
        let found = regressions(&then, run);
        details["regressions"] = json!({
            "failed": found.failed,
            "missing": found.missing,
            "skipped": found.skipped,
            "why_not": found.why_not,
        });
        if !found.failed.is_empty() {
            return (Verdict::No, Some(format!("passed before and fail now: {}", listed(&found.failed))));
        }
        if !found.missing.is_empty() && !self.missing_allowed {
            return (Verdict::No, Some(format!("passed before and are gone: {}", listed(&found.missing))));
        }
        match found.why_not {
            // Where no test fails at all, none that passed before does; whether one is gone is not asked.
            Some(_) if run.counts.bad() == 0 && self.missing_allowed => (Verdict::Yes, None),
            Some(why) => {
                let advice = "let the runner name each test, e.g. `pytest -rA`, or write JUnit `results`";
                (
                    Verdict::Unknown,
                    Some(format!("it cannot be told which tests passed before: {why}; {advice}")),
                )
            }
            None => (Verdict::Yes, Some("no test that passed before fails".to_owned())),
        }
    }
}

fn bad_names(run: &TestRun) -> Vec<String> {
    run.outcomes.iter().filter(|(_, outcome)| outcome.is_bad()).map(|(name, _)| name.clone()).collect()
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    if names.len() > NAMED_MAX {
        shown.push(format!("and {} more", names.len() - NAMED_MAX));
    }
    if shown.is_empty() { "tests that the output does not name".to_owned() } else { shown.join(", ") }
}
