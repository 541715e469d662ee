//! `performance`: the new program takes no more time and memory than the old one, than it took on another day, or than it may
//! (OM-8, RE-16, RB-8, TM-10).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::found::settle;
use super::side::{COMMAND, Program as SideProgram, TREES};
use super::{Check, Kind, Looked, Scene, Which};
use crate::manifest::to_hex;
use crate::performance::document::{self, About};
use crate::performance::{
    Baseline, BaselineError, Draft, Kept, Line, Machine, Measure, PerformanceRule, Program, Programs,
    RunFailed, Session, page, refuse,
};
use crate::plan::{Fields, Key, OneOrMore, Shape, relative, shown};
use crate::verdict::Verdict;

/// The name of figures in a baseline, when nothing else is said.
const FIGURES: &str = "default";

const PROGRAM: &[Key] = &[
    Key::required("tree", TREES, "`live`: the tree before this phase; `candidate`: the tree with it"),
    COMMAND,
];

/// The kind `performance`.
pub(super) static KIND: Kind = Kind {
    word: "performance",
    doc: "the new program takes no more time and memory than the old one, a stored baseline, or a budget",
    keys: &[
        Key::optional("old", Shape::Table(PROGRAM), "the program that is run in turn with the new one"),
        Key::optional("new", Shape::Table(PROGRAM), "the program that is judged"),
        Key::optional(
            "command",
            Shape::Text,
            "instead of both: a line of shell in the tree that is looked at, against `baseline` or `budgets`",
        ),
        Key::optional(
            "baseline",
            Shape::Text,
            "a file of the project that `switchback bench update` wrote, instead of `old`",
        ),
        Key::optional(
            "figures",
            Shape::Text,
            "the name of the figures in the baseline; `default` when left out",
        ),
        Key::optional("other_machine", Shape::Flag, "`true`: figures of another machine will do"),
        Key::optional(
            "budgets",
            Shape::Texts,
            "what it may take: `time < 3 s`, `time p95 < 200 ms`, `memory < 2 GB`",
        ),
        Key::optional(
            "measures",
            Shape::Texts,
            "what decides, of `time`, `cpu`, `memory`, `read`, `written` and counters",
        ),
        Key::optional("margin", Shape::Number, "so much more, as a share, is no regression"),
        Key::optional("margins", Shape::NamedValues, "margins of single measures: `{ memory = 0.2 }`"),
        Key::optional("alpha", Shape::Number, "how often a wrong answer is given at most"),
        Key::optional("turns", Shape::Whole, "so many turns before it is first looked at what was found"),
        Key::optional("turns_max", Shape::Whole, "so many turns at most"),
        Key::optional("warm_ups", Shape::Whole, "so many runs of each before the first turn"),
        Key::optional(
            "counters",
            Shape::NamedTexts,
            "numbers in the output, each with a pattern: `{ queries = 'queries: (\\d+)' }`",
        ),
        Key::optional(
            "over",
            Shape::NamedValues,
            "values for `{name}` in the commands: each combination is a case of its own",
        ),
        Key::optional("exit_code", Shape::Whole, "how a run ends that did its work; 0 when left out"),
        Key::optional("seed", Shape::Whole, "what the coins of the turns follow from"),
    ],
    read,
};

/// Figures that a program is held against.
struct Held {
    kept: Kept,
    /// Of the file that they were read from.
    hash: String,
    /// What the candidate does to that file, in words.
    other: Option<String>,
}

#[derive(Debug)]
struct PerformanceCheck {
    what: What,
    rule: PerformanceRule,
    over: Vec<(String, Vec<String>)>,
    baseline: Option<PathBuf>,
    figures: String,
    takes_other_machine: bool,
    exit_code: i32,
}

/// What is run.
#[derive(Debug)]
enum What {
    /// One program, in the tree that the moment is about.
    Here(String),
    /// One in a tree of its own.
    Alone(Which, String),
    /// Old and new, in turn.
    Both([(Which, String); 2]),
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let rule = read_rule(fields);
    let what = read_what(fields);
    let baseline = match fields.text("baseline") {
        Some(text) => Some(relative(&text, fields.offset_of("baseline"), "the baseline", fields.findings())?),
        None => None,
    };
    let over = read_over(fields, what.as_ref());
    let is_both = fields.has("old");
    if is_both && baseline.is_some() {
        let message = format!("{} has both `old` and `baseline`", fields.title());
        fields.find("baseline", message, "hold it against one of them");
    }
    if !is_both && baseline.is_none() && !fields.has("budgets") {
        let message = format!("{} has nothing to hold the program against", fields.title());
        fields.find("command", message, "add `old`, `baseline` or `budgets`");
    }
    let exit_code = fields.whole("exit_code").unwrap_or(0);
    if exit_code > 255 {
        fields.find("exit_code", "no program ends with an exit code above 255", "name one from 0 to 255");
    }
    Some(Box::new(PerformanceCheck {
        what: what?,
        rule: rule?,
        over,
        baseline,
        figures: fields.filled_text("figures").unwrap_or_else(|| FIGURES.to_owned()),
        takes_other_machine: fields.flag("other_machine").unwrap_or(false),
        exit_code: i32::try_from(exit_code).unwrap_or(0),
    }))
}

fn read_what(fields: &Fields<'_>) -> Option<What> {
    let (has_old, has_new) = (fields.has("old"), fields.has("new"));
    let program =
        |name: &str| SideProgram::named(fields, name).map(|program| (program.which, program.command));
    if fields.has("command") {
        if has_old || has_new {
            let message = format!("{} has `command` beside `old` or `new`", fields.title());
            fields.find("command", message, "take one of them out");
        }
        return fields.filled_text("command").map(What::Here);
    }
    if !has_new {
        let message = format!("{} has no program to judge", fields.title());
        fields.find("old", message, "add `new = { tree = \"candidate\", command = \"…\" }`, or `command`");
        return None;
    }
    let old = has_old.then(|| program("old"));
    let (which, command) = program("new")?;
    match old {
        None => Some(What::Alone(which, command)),
        Some(old) => Some(What::Both([old?, (which, command)])),
    }
}

fn read_rule(fields: &Fields<'_>) -> Option<PerformanceRule> {
    let margins = fields.named_values("margins").into_iter().map(|(_, name, value)| {
        let OneOrMore::One(text) = value else { return None };
        text.parse().ok().map(|margin: f64| (name, margin))
    });
    let margins: Option<Vec<(String, f64)>> = margins.collect();
    if margins.is_none() {
        fields.find("margins", "every one of `margins` must be a number", "e.g. `{ memory = 0.2 }`");
    }
    let margins = margins.unwrap_or_default();
    let draft = Draft {
        alpha: fields.number("alpha"),
        margin: fields.number("margin"),
        margins,
        measures: fields.texts("measures").unwrap_or_default(),
        turns: fields.whole("turns"),
        turns_max: fields.whole("turns_max"),
        warm_ups: fields.whole("warm_ups"),
        counters: fields.named_texts("counters").into_iter().map(|(_, name, text)| (name, text)).collect(),
        budgets: fields.texts("budgets").unwrap_or_default(),
        seed: fields.whole("seed"),
    };
    match PerformanceRule::new(&draft) {
        Ok(rule) => Some(rule),
        Err(errors) => {
            for error in errors {
                fields.find(error.key, shown_whole(&error.what), error.help);
            }
            None
        }
    }
}

/// A message that may quote a value of the plan.
fn shown_whole(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

fn read_over(fields: &Fields<'_>, what: Option<&What>) -> Vec<(String, Vec<String>)> {
    let lists = fields.named_values("over").into_iter().map(|(_, name, values)| match values {
        OneOrMore::One(value) => (name, vec![value]),
        OneOrMore::More(values) => (name, values.into_iter().map(|(_, value)| value).collect()),
    });
    let over: Vec<(String, Vec<String>)> = lists.collect();
    if let Some(why) = refuse(&over) {
        fields.find("over", why, "each value of a list makes a case of its own");
    }
    let commands: Vec<&str> = match what {
        None => return over,
        Some(What::Here(command) | What::Alone(_, command)) => vec![command],
        Some(What::Both([old, new])) => vec![&old.1, &new.1],
    };
    for (name, _) in &over {
        if !commands.iter().any(|command| command.contains(&format!("{{{name}}}"))) {
            let message = format!("no command names `{{{}}}`", shown(name));
            fields.find("over", message, "name it where its value belongs");
        }
    }
    over
}

impl Check for PerformanceCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let machine = Machine::this(scene.world.disk.as_ref());
        let held = match self.held(scene, &machine) {
            Ok(held) => held,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let kept = held.as_ref().map(|held| &held.kept);
        let (old, new) = match self.programs(scene) {
            Ok(programs) => programs,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let shown = (old.as_ref().map(|old| old.line.shown()), new.line.shown());
        let programs = Programs {
            world: scene.world,
            old,
            new,
            values: Vec::new(),
            variables: scene.variables,
            confinement: scene.confinement,
            counters: &self.rule.counters,
            exit_code: self.exit_code,
            timeout: scene.timeout,
            scratch: scene.out.to_owned(),
            runs: 0,
        };
        let mut session = Session {
            rule: &self.rule,
            over: &self.over,
            statistician: scene.statistician,
            programs,
            kept,
            within: Some(scene.timeout),
        };
        let cases = match session.carry_out(&mut |_, _| {}) {
            Ok(cases) => cases,
            Err(failed) => return not_measured(&failed),
        };
        let about = About {
            method: self.method(),
            old: shown.0.as_deref(),
            new: &shown.1,
            rule: &self.rule,
            machine: &machine,
        };
        let mut details = document::of_cases(&about, &cases);
        let mut line = page::line(&cases);
        if let Some(held) = &held {
            details["baseline"] = json!({"name": self.figures, "time": held.kept.time, "hash": held.hash,
                                         "differences": held.kept.differences, "candidate_changes_it": held.other.is_some()});
            line.extend(held.other.iter().flat_map(|other| ["; ", other.as_str()]));
        }
        let verdict = document::verdict(&cases);
        let looked = Looked::new(verdict, line, details);
        let looked = match cases.as_slice() {
            [case] => looked.shown(page::table(case)),
            _ => looked,
        };
        // What triggers compare: the slowest of the cases.
        let times = cases.iter().filter_map(|case| case.measure(&Measure::Time)?.new);
        match times.map(|time| time.median).reduce(f64::max) {
            Some(seconds) => looked.measured(seconds),
            None => looked,
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.baseline.iter().cloned().collect()
    }
}

fn not_measured(failed: &RunFailed) -> Looked {
    let last = failed.output.last().map_or_else(String::new, |line| format!(": {line}"));
    let details: Value = json!({"failed": failed.what, "output": failed.output});
    Looked::new(Verdict::Unknown, format!("{}{last}", failed.what), details)
}

impl PerformanceCheck {
    fn method(&self) -> &'static str {
        match (&self.what, &self.baseline) {
            (What::Both(_), _) => "turns",
            (_, Some(_)) => "baseline",
            (_, None) => "budgets",
        }
    }

    /// The baseline as it was before the phase: a candidate does not bring the figures that it is held against.
    fn held(&self, scene: &Scene<'_>, machine: &Machine) -> Result<Option<Held>, String> {
        let Some(path) = &self.baseline else { return Ok(None) };
        let disk = scene.world.disk.as_ref();
        let file = |which: Which| match scene.trees.place(which, path) {
            Some(place) => Ok(settle(disk, &place)?.map(|(real, _)| real)),
            None => Ok::<_, String>(None),
        };
        let (old, new) = (file(Which::Old)?, file(Which::New)?);
        let Some(real) = old.as_ref().or(new.as_ref()) else {
            return Err(BaselineError::None(path.clone()).to_string());
        };
        let hash = |real: &Path| disk.hash(real).map(|hash| to_hex(&hash)).map_err(|error| error.to_string());
        // It is told as the file of the project that the plan names.
        let (here, named) = (real.display().to_string(), path.display().to_string());
        let told = |error: BaselineError| error.to_string().replace(&here, &named);
        let baseline = Baseline::read(disk, real).map_err(told)?;
        let kept = baseline.kept(&self.figures, machine).map_err(told)?;
        if !kept.differences.is_empty() && !self.takes_other_machine {
            return Err(format!("the baseline is of another machine: {}", kept.differences.join("; ")));
        }
        let hash_read = hash(real)?;
        let against = format!("`{named}`: it is held against the one from before the phase");
        let other = match (&old, &new) {
            (Some(_), None) => Some(format!("the candidate removes {against}")),
            (Some(_), Some(new)) if hash(new)? != hash_read => {
                Some(format!("the candidate changes {against}"))
            }
            _ => None,
        };
        Ok(Some(Held { kept, hash: hash_read, other }))
    }

    fn programs(&self, scene: &Scene<'_>) -> Result<(Option<Program>, Program), String> {
        let tree = |which: Which| match which {
            Which::Old => scene.trees.old_project(),
            Which::New => scene.trees.new_project(),
        };
        let program = |command: &str, tree: PathBuf| Program { line: Line::Shell(command.to_owned()), tree };
        Ok(match &self.what {
            What::Here(command) => (None, program(command, scene.trees.here()?)),
            What::Alone(which, command) => (None, program(command, tree(*which)?)),
            What::Both([old, new]) => (Some(program(&old.1, tree(old.0)?)), program(&new.1, tree(new.0)?)),
        })
    }
}
