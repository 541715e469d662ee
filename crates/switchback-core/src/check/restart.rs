//! `restart`: a program that is stopped on its way and resumed, by itself or by its successor, ends as one that was never stopped
//! (OM-9).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::agreement::{Agreement, MAPPING, Results};
use super::copies::Copies;
use super::equivalence::report;
use super::shell::{self, Runner};
use super::side::{Program, TREES, there};
use super::{Check, Kind, Looked, Scene, Which, rule_keys};
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::port::Comparer;
use crate::verdict::Verdict;
use crate::world::{Disk, Exit, Finished, Interrupted, Interruption, Signal};

const TREE: Key =
    Key::required("tree", TREES, "`live`: the tree before this phase; `candidate`: the tree with it");
const COMMAND: Key =
    Key::required("command", Shape::Text, "a line of shell that works in `{out}`; `{step}` is the step");
const PROGRAM: &[Key] = &[TREE, COMMAND];
const STOPPED: &[Key] = &[
    TREE,
    COMMAND,
    Key::optional(
        "when",
        Shape::Text,
        "a path below `{out}`; the program is sent a signal when it is there. It stops by itself when left out",
    ),
    Key::optional("signal", Shape::Word(&["kill", "terminate", "interrupt"]), "what it is sent then"),
    Key::optional("exit_code", Shape::Whole, "how it ends when it stops, by itself or on a signal"),
];
const OWN: [Key; 6] = [
    Key::required(
        "whole",
        Shape::Table(PROGRAM),
        "the run that is never stopped: what the others must end as",
    ),
    Key::required("stopped", Shape::Table(STOPPED), "the run that is stopped after a step"),
    Key::required("resumed", Shape::Table(PROGRAM), "what goes on from what it left in `{out}`"),
    Key::optional(
        "migrate",
        Shape::Table(PROGRAM),
        "a command between both: it brings what was left in `{from}` into a new `{out}`",
    ),
    Key::required(
        "stop_after",
        Shape::Values,
        "the steps, each of which is a run of its own: values for `{step}`",
    ),
    Key::optional("path", Shape::Text, "what is compared, below `{out}`; all of it when left out"),
];
const KEYS: [Key; 33] = rule_keys::joined(&[&OWN, &rule_keys::TABLES, &MAPPING, &rule_keys::VALUES]);

/// The kind `restart`.
pub(super) static KIND: Kind = Kind {
    word: "restart",
    doc: "a program that is stopped after a step and resumed ends as one that was never stopped",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct RestartCheck {
    whole: Program,
    stopped: Program,
    stop: Stop,
    migrate: Option<Program>,
    resumed: Program,
    /// At least one.
    steps: Vec<String>,
    path: Option<PathBuf>,
    agreement: Agreement,
}

/// How the program is stopped.
#[derive(Debug)]
enum Stop {
    /// By itself: it ends with this exit code.
    ByItself(i32),
    /// By a signal, when this path below `{out}` is there; it ends with this exit code then, or however one ends that was stopped.
    When(String, Signal, Option<i32>),
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let agreement = Agreement::read(fields);
    let program = |name: &str| Program::named(fields, name);
    let (whole, resumed) = (program("whole"), program("resumed"));
    let migrate = if fields.has("migrate") { Some(program("migrate")) } else { None };
    let stopped = fields.table("stopped");
    let stop = stopped.as_ref().and_then(read_stop);
    let stopped = stopped.and_then(|stopped| Program::of(&stopped, fields.title(), "stopped"));
    let steps = read_steps(fields);
    let path = match fields.text("path") {
        Some(text) => Some(relative(&text, fields.offset_of("path"), "the path", fields.findings())?),
        None => None,
    };
    let check = RestartCheck {
        whole: whole?,
        stopped: stopped?,
        stop: stop?,
        migrate: match migrate {
            Some(migrate) => Some(migrate?),
            None => None,
        },
        resumed: resumed?,
        steps: steps?,
        path,
        agreement,
    };
    let is_named = match &check.stop {
        Stop::When(when, ..) => when.contains("{step}") || check.stopped.command.contains("{step}"),
        Stop::ByItself(_) => check.stopped.command.contains("{step}"),
    };
    if !is_named {
        let message =
            format!("neither `command` nor `when` of `stopped` in {} names `{{step}}`", fields.title());
        fields.find(
            "stopped",
            message,
            "e.g. `--stop-after {step}`, or `when = \"checkpoints/{step}.json\"`",
        );
    }
    if let Some(migrate) = check.migrate.as_ref().filter(|migrate| !migrate.command.contains("{from}")) {
        let message =
            format!("the command of `migrate` does not name `{{from}}`: `{}`", shown(&migrate.command));
        fields.find("migrate", message, "name what it brings over, `{from}`, and where to, `{out}`");
    }
    Some(Box::new(check))
}

fn read_steps(fields: &Fields<'_>) -> Option<Vec<String>> {
    let steps = fields.placed_values("stop_after")?;
    if steps.is_empty() {
        fields.find(
            "stop_after",
            "`stop_after` is empty: nothing would be stopped",
            "name at least one step",
        );
        return None;
    }
    Some(steps.into_iter().map(|(_, step)| step).collect())
}

fn read_stop(stopped: &Fields<'_>) -> Option<Stop> {
    let (when, signal) = (stopped.filled_text("when"), stopped.word("signal"));
    let exit_code = stopped.whole("exit_code").map(|code| i32::try_from(code).unwrap_or(i32::MAX));
    if !stopped.has("when") {
        if stopped.has("signal") {
            stopped.find(
                "signal",
                "`signal` says nothing without `when`",
                "name the file that it is sent at",
            );
        }
        return Some(Stop::ByItself(exit_code.unwrap_or(0)));
    }
    let when = when?;
    relative(&when, stopped.offset_of("when"), "the path", stopped.findings())?;
    let signal = match signal.as_deref() {
        Some("terminate") => Signal::Terminate,
        Some("interrupt") => Signal::Interrupt,
        Some(_) | None => Signal::Kill,
    };
    Some(Stop::When(when, signal, exit_code))
}

impl Check for RestartCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        match self.look_at_all(scene, &mut evidence) {
            Ok(steps) => of_all(&steps, evidence),
            Err(why) => Looked::unknown(why, evidence),
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.agreement.reads()
    }
}

/// What came of one step.
struct Step {
    verdict: Verdict,
    summary: String,
}

impl Step {
    fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self { verdict, summary: summary.into() }
    }

    /// What came of this step before the check was interrupted, from what was kept of it.
    fn kept(text: &str, step: &str) -> Option<(Self, Value)> {
        let mut evidence: Value =
            serde_json::from_str(text).ok().filter(|kept: &Value| kept["step"] == step)?;
        let verdict = Verdict::from_word(evidence["verdict"].as_str()?)?;
        let one = Self::new(verdict, evidence["summary"].as_str()?);
        evidence["kept"] = json!(true);
        Some((one, evidence))
    }
}

/// What one run after the other needs.
struct Stand<'a> {
    runner: Runner<'a>,
    comparer: &'a dyn Comparer,
    copies: Copies<'a>,
    /// The results of the run that was never stopped.
    whole: PathBuf,
}

impl Stand<'_> {
    fn disk(&self) -> &dyn Disk {
        self.runner.world.disk.as_ref()
    }

    /// Runs a program; what it left goes into the evidence under `name`.
    fn run(
        &mut self,
        program: &Program,
        name: &str,
        out: &Path,
        values: &[(&str, &str)],
        evidence: &mut Value,
    ) -> Result<Finished, String> {
        self.run_until(program, name, out, values, None, evidence)
    }

    fn run_until(
        &mut self,
        program: &Program,
        name: &str,
        out: &Path,
        values: &[(&str, &str)],
        interruption: Option<&Interruption>,
        evidence: &mut Value,
    ) -> Result<Finished, String> {
        let tree = self.copies.tree(program.which)?;
        let line = shell::filled_with(&program.command, &tree, out, values);
        let finished = self.runner.run(&line, &tree, out, interruption).map_err(|error| error.to_string())?;
        evidence[name] = shell::evidence(&program.command, &finished);
        Ok(finished)
    }

    fn folder(&self, path: PathBuf) -> Result<PathBuf, String> {
        self.disk().make_directory(&path, 0o755).map_err(|error| error.to_string())?;
        Ok(path)
    }
}

impl RestartCheck {
    /// What came of each step, in order, with its evidence. Steps that an interrupted check has looked at are not looked at again;
    /// the run that is never stopped is made anew, because others are compared with what it leaves.
    fn look_at_all(&self, scene: &Scene<'_>, evidence: &mut Value) -> Result<Vec<(Step, Value)>, String> {
        let disk = scene.world.disk.as_ref();
        let trees = scene.out.join("trees");
        disk.make_directory(&trees, 0o755).map_err(|error| error.to_string())?;
        let mut stand = Stand {
            runner: Runner::of(scene),
            comparer: scene.comparer,
            copies: Copies::new(scene.trees, disk, trees),
            whole: PathBuf::new(),
        };
        let programs = [&self.whole, &self.stopped, &self.resumed].into_iter().chain(&self.migrate);
        let used: Vec<Which> = programs.map(|program| program.which).collect();
        let about = stand.copies.about(&used)?;
        let key = |step: &str| format!("{about}\n{step}");
        let kept: Vec<Option<(Step, Value)>> =
            self.steps.iter().map(|step| Step::kept(&scene.kept.get(&key(step))?, step)).collect();
        if kept.iter().any(Option::is_none) {
            self.run_whole(scene, &mut stand, evidence)?;
        }
        let mut found = Vec::new();
        for (number, (step, kept)) in self.steps.iter().zip(kept).enumerate() {
            if let Some(kept) = kept {
                found.push(kept);
                continue;
            }
            // What the run before it left in a tree would help this one.
            stand.copies.renew()?;
            let folder = stand.folder(scene.out.join(format!("step-{number}")))?;
            let mut evidence = json!({"step": step});
            let one = self.look_at_one(&mut stand, step, &folder, &mut evidence);
            let one = one.unwrap_or_else(|why| Step::new(Verdict::Unknown, why));
            evidence["verdict"] = json!(one.verdict.word());
            evidence["summary"] = json!(one.summary);
            if one.verdict != Verdict::Unknown {
                scene.kept.put(&key(step), &evidence.to_string());
            }
            found.push((one, evidence));
        }
        Ok(found)
    }

    /// Runs the program that is never stopped.
    fn run_whole(
        &self,
        scene: &Scene<'_>,
        stand: &mut Stand<'_>,
        evidence: &mut Value,
    ) -> Result<(), String> {
        let out = stand.folder(scene.out.join("whole"))?;
        let finished = stand.run(&self.whole, "whole", &out, &[], evidence)?;
        if !finished.succeeded() {
            let why = shell::no_answer(&finished).unwrap_or_else(|| ending(&finished));
            return Err(format!("the run that is never stopped does not end well: {why}"));
        }
        stand.whole = there(scene.world.disk.as_ref(), &out, self.path.as_deref())?;
        Ok(())
    }

    fn look_at_one(
        &self,
        stand: &mut Stand<'_>,
        step: &str,
        folder: &Path,
        evidence: &mut Value,
    ) -> Result<Step, String> {
        let mut out = stand.folder(folder.join("stopped"))?;
        let values = [("step", step)];
        if let Some(why) = self.stop(stand, step, &out, evidence)? {
            return Ok(Step::new(Verdict::Unknown, why));
        }
        if self.was_whole(stand, &out) {
            let why = "it had all results by then: nothing was interrupted";
            return Ok(Step::new(Verdict::Unknown, why));
        }
        if let Some(migrate) = &self.migrate {
            let from = std::mem::replace(&mut out, stand.folder(folder.join("migrated"))?);
            let from = from.display().to_string();
            let values = [("step", step), ("from", from.as_str())];
            let finished = stand.run(migrate, "migrate", &out, &values, evidence)?;
            if let Some(step) = not_well("the migration of what it left", &finished) {
                return Ok(step);
            }
        }
        let finished = stand.run(&self.resumed, "resumed", &out, &values, evidence)?;
        if let Some(step) = not_well("the resumed run", &finished) {
            return Ok(step);
        }
        let disk = stand.runner.world.disk.as_ref();
        let Ok(results) = there(disk, &out, self.path.as_deref()) else {
            return Ok(Step::new(Verdict::No, "the resumed run left no results"));
        };
        let rule = {
            let between = Results { out: &out, old: &stand.whole, new: &results };
            let copies = &mut stand.copies;
            self.agreement.rule(|| copies.tree(Which::New), &between, disk)?
        };
        let compared = stand.comparer.compare(&stand.whole, &results, &rule).map_err(|error| error.told())?;
        let (verdict, summary) = (compared.verdict, compared.summary.clone());
        evidence["comparison"] = report(compared);
        Ok(Step::new(verdict, summary))
    }

    /// Runs the program that is stopped; why it was not stopped as it should have been.
    fn stop(
        &self,
        stand: &mut Stand<'_>,
        step: &str,
        out: &Path,
        evidence: &mut Value,
    ) -> Result<Option<String>, String> {
        let interruption = match &self.stop {
            Stop::ByItself(_) => None,
            Stop::When(when, signal, _) => {
                Some(Interruption { when: out.join(when.replace("{step}", step)), signal: *signal })
            }
        };
        let values = [("step", step)];
        let finished =
            stand.run_until(&self.stopped, "stopped", out, &values, interruption.as_ref(), evidence)?;
        let why = match &self.stop {
            Stop::When(when, _, exit_code) => match &finished.interrupted {
                Some(interrupted) => not_stopped(&finished, *interrupted, *exit_code),
                None => Some(shell::no_answer(&finished).unwrap_or_else(|| {
                    let when = when.replace("{step}", step);
                    format!("it ended with {} and was not stopped: there was no `{when}`", ending(&finished))
                })),
            },
            Stop::ByItself(code) if finished.exit == Exit::Code(*code) => None,
            Stop::ByItself(code) => Some(shell::no_answer(&finished).unwrap_or_else(|| {
                format!("it did not stop as it should, with exit code {code}: {}", ending(&finished))
            })),
        };
        if why.is_some() {
            return Ok(why);
        }
        let disk = stand.disk();
        let is_empty = disk.list(out).map_err(|error| error.to_string())?.is_empty();
        let is_left = !is_empty || stand.copies.is_changed(self.stopped.which);
        Ok((!is_left).then(|| "it left nothing to go on from".to_owned()))
    }

    /// Whether the stopped run had the results of the whole one already.
    fn was_whole(&self, stand: &mut Stand<'_>, out: &Path) -> bool {
        let disk = stand.runner.world.disk.as_ref();
        let Ok(results) = there(disk, out, self.path.as_deref()) else { return false };
        let between = Results { out, old: &stand.whole, new: &results };
        let copies = &mut stand.copies;
        // Where stages or files are missing there is no rule, or no comparison: then not all is there.
        let Ok(rule) = self.agreement.rule(|| copies.tree(Which::New), &between, disk) else {
            return false;
        };
        let compared = stand.comparer.compare(&stand.whole, &results, &rule);
        compared.is_ok_and(|compared| compared.verdict == Verdict::Yes)
    }
}

fn ending(finished: &Finished) -> String {
    format!("{}{}", finished.ending(), shell::last_words(finished))
}

/// Why a program that was sent a signal cannot be said to have been stopped by it.
fn not_stopped(finished: &Finished, interrupted: Interrupted, exit_code: Option<i32>) -> Option<String> {
    let signal = interrupted.signal.name();
    match (finished.exit, exit_code) {
        (Exit::TimedOut, _) => Some(format!(
            "it ignores {signal}: it went on until its time was up, {:.0} s after it had begun",
            finished.elapsed.as_secs_f64()
        )),
        _ if interrupted.outlived => Some(format!(
            "it ignores {signal}: something of it went on when the command had ended with {}, and had to be killed",
            finished.ending()
        )),
        (Exit::Code(0), None) => Some(format!(
            "it was sent {signal} and ended with exit code 0, as a program does that was not stopped; \
             where that is how it stops, say `exit_code = 0`"
        )),
        (exit, Some(code)) if exit != Exit::Code(code) => Some(format!(
            "it did not stop as it should on {signal}, with exit code {code}: {}",
            ending(finished)
        )),
        _ => None,
    }
}

/// What is to be said of a command that did not end well; it could have.
fn not_well(what: &str, finished: &Finished) -> Option<Step> {
    if let Some(why) = shell::no_answer(finished) {
        return Some(Step::new(Verdict::Unknown, format!("{what}: {why}")));
    }
    let is_well = finished.succeeded();
    (!is_well).then(|| Step::new(Verdict::No, format!("{what} ended with {}", ending(finished))))
}

fn of_all(steps: &[(Step, Value)], mut evidence: Value) -> Looked {
    let verdict = Verdict::all(steps.iter().map(|(step, _)| step.verdict));
    let name = |evidence: &Value| evidence["step"].as_str().unwrap_or_default().to_owned();
    let summary = if verdict == Verdict::Yes {
        let named: Vec<String> = steps.iter().map(|(_, evidence)| shown(&name(evidence))).collect();
        format!("stopped after {} and resumed, it ends as it does without", named.join(", "))
    } else {
        let deciding = steps.iter().filter(|(step, _)| step.verdict == verdict);
        let told = deciding
            .map(|(step, evidence)| format!("stopped after {}: {}", shown(&name(evidence)), step.summary));
        let told: Vec<String> = told.collect();
        let more = if told.len() > 1 { format!("; {} more like it", told.len() - 1) } else { String::new() };
        format!("{}{more}", told.first().map_or("there was nothing to stop", String::as_str))
    };
    let kept = steps.iter().filter(|(_, evidence)| evidence["kept"] == true).count();
    let summary = match kept {
        0 => summary,
        kept => format!("{summary}; {kept} not run again after an interruption"),
    };
    let mut table = vec![["stopped after", "verdict", "what was seen"].map(str::to_owned).to_vec()];
    table.extend(steps.iter().map(|(step, evidence)| {
        vec![name(evidence), step.verdict.spoken().to_owned(), step.summary.clone()]
    }));
    evidence["steps"] = steps.iter().map(|(_, evidence)| evidence.clone()).collect();
    Looked::new(verdict, summary, evidence).shown(table)
}
