//! Running a check's command: placeholders filled in, in the right tree, and what it left as evidence.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Scene;
use crate::secret::clean_output;
use crate::world::{Command, Exit, Finished, ProcessError};

/// So much of a command's output is kept as evidence: the end of it.
const EVIDENCE_CHARACTERS_MAX: usize = 20_000;

/// Runs a line of shell in the tree that the check is about; why not, when it could not be run.
pub(super) fn run_here(scene: &Scene<'_>, line: &str) -> Result<(PathBuf, Finished), String> {
    let tree = scene.trees.here()?;
    let finished = run(scene, line, &tree, scene.out).map_err(|error| error.to_string())?;
    Ok((tree, finished))
}

/// Runs a line of shell in `tree`. `{out}` and `{tree}` in it become the quoted paths of `out` and `tree`.
pub(super) fn run(scene: &Scene<'_>, line: &str, tree: &Path, out: &Path) -> Result<Finished, ProcessError> {
    let mut command = Command::shell(&filled(line, tree, out), tree, scene.timeout);
    command.variables = variables(tree, out);
    command.variables.extend_from_slice(scene.variables);
    command.confinement = scene.confinement.cloned();
    scene.world.processes.run(&command)
}

/// What every command finds in its environment.
pub(crate) fn variables(tree: &Path, out: &Path) -> Vec<(String, String)> {
    [
        // A check looks and never changes: bytecode beside the sources would be a change.
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ("SWITCHBACK_OUT", out.display().to_string()),
        ("SWITCHBACK_TREE", tree.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The line with its placeholders filled in.
pub(crate) fn filled(line: &str, tree: &Path, out: &Path) -> String {
    line.replace("{out}", &quoted(out)).replace("{tree}", &quoted(tree))
}

pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What a command left, as evidence.
pub(super) fn evidence(line: &str, finished: &Finished) -> Value {
    json!({
        "command": line,
        "ending": finished.ending(),
        "seconds": finished.elapsed.as_secs_f64(),
        "stdout": clean_output(&tail(&finished.stdout)),
        "stderr": clean_output(&tail(&finished.stderr)),
    })
}

/// The end of some output as text. It begins with a whole word: half a secret would not be known as one.
pub(super) fn tail(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let skip = text.chars().count().saturating_sub(EVIDENCE_CHARACTERS_MAX);
    let rest: String = text.chars().skip(skip).collect();
    match rest.find(char::is_whitespace).filter(|_| skip > 0) {
        Some(at) => rest[at..].trim_start().to_owned(),
        None => rest,
    }
}

/// The last line that says something, for a summary; empty when there is none.
pub(crate) fn last_words(finished: &Finished) -> String {
    finished.last_line().map_or_else(String::new, |line| format!(": {}", clean_output(&line)))
}

/// Why a command that did not run to an answer gives none; `None` when it did.
pub(super) fn no_answer(finished: &Finished) -> Option<String> {
    match finished.exit {
        Exit::Code(126) => Some(format!("the command cannot be executed{}", last_words(finished))),
        Exit::Code(127) => Some(format!("the command was not found{}", last_words(finished))),
        Exit::Signal(_) => Some(format!("the command was {}", finished.ending())),
        Exit::TimedOut => {
            Some(format!("the command was stopped after {:.0} s", finished.elapsed.as_secs_f64()))
        }
        Exit::Code(_) => None,
    }
}
