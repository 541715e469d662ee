//! Which Python a project's checks would run, and what it makes of the project's code.
//!
//! The interpreter is asked by a small program (`probe.py`) that compiles and looks for modules; it imports nothing of
//! the project and writes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::layout::{Item, Role};
use super::listing::Listing;
use super::names;
use crate::world::{Command, Exit, World};

const PROBE: &str = include_str!("probe.py");
const PROBE_S_MAX: u64 = 60;
/// The interpreter itself gets some seconds more, to start and to answer.
const ANSWER_S_MAX: u64 = PROBE_S_MAX + 30;
/// An interpreter that does nothing within so many seconds is not one to run tests with.
const START_S_MAX: u64 = 10;
const FILES_MAX: u64 = 10_000;
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Where a project's own environment usually stands.
const ENVIRONMENTS: [&str; 4] = [".venv", "venv", "env", ".env"];
/// Files that only build the project: what they import is no matter of its tests.
const BUILD_FILES: [&str; 4] = ["setup.py", "noxfile.py", "tasks.py", "fabfile.py"];

/// A Python that runs.
#[derive(Debug, Clone)]
pub(super) struct Interpreter {
    /// As it stands in commands.
    pub(super) word: String,
    /// Why it, and not another.
    pub(super) why: String,
    /// Those that were tried before it, each with why it does not run.
    pub(super) refused: Vec<String>,
    /// What it says.
    pub(super) answer: Answer,
}

/// What the probe says.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) version: String,
    /// Of the modules that were asked for, those that can be imported.
    pub(super) present: Vec<String>,
    /// How many files were compiled.
    pub(super) tried: u64,
    /// Whether these were all.
    pub(super) complete: bool,
    /// Files that do not compile.
    pub(super) bad: Vec<String>,
    /// Modules that are imported at the top of a file and cannot be found, each with the first such file.
    pub(super) missing: BTreeMap<String, String>,
    /// Whether the project itself is installed.
    pub(super) installed: bool,
}

impl Interpreter {
    pub(super) fn has(&self, module: &str) -> bool {
        self.answer.present.iter().any(|name| name == module)
    }
}

/// Finds the interpreter for the project at `root`, and asks it about the managed code. Else why there is none.
pub(super) fn find(
    world: &World,
    root: &Path,
    listing: &Listing,
    managed: &[Item],
    modules: &[String],
    name: Option<&str>,
) -> Result<Interpreter, String> {
    let request = request(root, listing, managed, modules, name);
    let mut refused = Vec::new();
    for folder in ENVIRONMENTS {
        let word = format!("{folder}/bin/python");
        if !listing.aside.iter().any(|aside| aside.path == folder && aside.what == "a Python environment") {
            continue;
        }
        match ask(world, &root.join(&word).display().to_string(), &request) {
            Ok(answer) => {
                let why = format!("the project's own environment, `{folder}`");
                return Ok(Interpreter { word, why, refused, answer });
            }
            Err(why) => refused.push(format!("`{word}`: {why}")),
        }
    }
    for word in ["python3", "python"] {
        match ask(world, word, &request) {
            Ok(answer) => {
                let why = match refused.as_slice() {
                    [] => "found on the search path; the project has no environment of its own".to_owned(),
                    refused => {
                        format!("found on the search path, because {} does not run", refused.join("; "))
                    }
                };
                return Ok(Interpreter { word: word.to_owned(), why, refused, answer });
            }
            Err(why) => refused.push(format!("`{word}`: {why}")),
        }
    }
    Err(refused.join("; "))
}

fn request(
    root: &Path,
    listing: &Listing,
    managed: &[Item],
    modules: &[String],
    name: Option<&str>,
) -> String {
    let has_python =
        |item: &&Item| names::module(&item.path).is_some() || listing.folder(&item.path).python > 0;
    let compile: Vec<&str> = managed.iter().filter(has_python).map(|item| item.path.as_str()).collect();
    let counts = |item: &&Item| {
        let folder = listing.folder(&item.path);
        let is_root = item.what.starts_with("imports start here");
        item.role == Role::Tests
            || folder.is_package
            || is_root
            || (names::module(&item.path).is_some() && !BUILD_FILES.contains(&item.path.as_str()))
    };
    let imports: Vec<&str> = managed.iter().filter(counts).map(|item| item.path.as_str()).collect();
    json!({
        "root": root.display().to_string(),
        "compile": compile,
        "imports": imports,
        "modules": modules,
        "name": name,
        "files_max": FILES_MAX,
        "seconds_max": PROBE_S_MAX,
    })
    .to_string()
}

fn ask(world: &World, program: &str, request: &str) -> Result<Answer, String> {
    // Whether it starts at all is found out first: compiling a large project takes far longer.
    say(world, &[program, "-c", ""], START_S_MAX)?;
    let said = say(world, &[program, "-c", PROBE, request], ANSWER_S_MAX)?;
    let said: Value =
        serde_json::from_slice(&said).map_err(|error| format!("its answer cannot be read: {error}"))?;
    read(&said).ok_or_else(|| "its answer is not whole".to_owned())
}

/// What a command prints.
fn say(world: &World, argv: &[&str], seconds_max: u64) -> Result<Vec<u8>, String> {
    let command = Command {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        // Not the project: nothing that stands there may be taken for a module of the standard library.
        directory: "/".into(),
        variables: vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())],
        timeout: Duration::from_secs(seconds_max),
        output_bytes_max: ANSWER_BYTES_MAX,
        confinement: None,
    };
    let finished = world.processes.run(&command).map_err(|error| error.source.to_string())?;
    if finished.exit == Exit::TimedOut {
        return Err(format!("it did not answer within {seconds_max} s"));
    }
    if !finished.succeeded() {
        let words = finished.last_line().map_or_else(String::new, |line| format!(": {line}"));
        return Err(format!("{}{words}", finished.ending()));
    }
    Ok(finished.stdout)
}

fn read(said: &Value) -> Option<Answer> {
    let texts = |name: &str| -> Option<Vec<String>> {
        said.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let missing = said.get("missing")?.as_object()?.iter();
    Some(Answer {
        version: said.get("version")?.as_str()?.to_owned(),
        present: texts("present")?,
        tried: said.get("tried")?.as_u64()?,
        complete: said.get("complete")?.as_bool()?,
        bad: texts("bad")?,
        missing: missing
            .map(|(name, file)| Some((name.clone(), file.as_str()?.to_owned())))
            .collect::<Option<_>>()?,
        installed: said.get("installed")?.as_bool()?,
    })
}
