//! Running a check's command: placeholders filled in, in the right tree, and what it left as evidence.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::Scene;
use crate::secret::clean_output;
use crate::world::{Command, Confinement, Exit, Finished, Interruption, ProcessError, World};

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
    Runner::of(scene).run(&filled(line, tree, out), tree, out, None)
}

/// What it takes to run commands: the part of a [`Scene`] that several threads may share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Runner<'a> {
    pub(super) world: &'a World,
    variables: &'a [(String, String)],
    confinement: Option<&'a Confinement>,
    pub(super) timeout: Duration,
}

impl<'a> Runner<'a> {
    pub(super) fn of(scene: &Scene<'a>) -> Self {
        let Scene { world, variables, confinement, timeout, .. } = *scene;
        Self { world, variables, confinement, timeout }
    }

    /// Runs a line of shell, whose placeholders are filled in, in `tree`.
    pub(super) fn run(
        &self,
        line: &str,
        tree: &Path,
        out: &Path,
        interruption: Option<&Interruption>,
    ) -> Result<Finished, ProcessError> {
        let mut command = Command::shell(line, tree, self.timeout);
        command.variables = variables(tree, out);
        command.variables.extend_from_slice(self.variables);
        command.confinement = self.confinement.cloned();
        match interruption {
            None => self.world.processes.run(&command),
            Some(_) => self.world.processes.run_until(&command, interruption),
        }
    }
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
    filled_with(line, tree, out, &[])
}

/// The line with its placeholders filled in: those of every command, and `{name}` for each of `values`. What is filled in is
/// not looked at again.
pub(crate) fn filled_with(line: &str, tree: &Path, out: &Path, values: &[(&str, &str)]) -> String {
    let (mut done, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(start) = rest.find('{') {
        done.push_str(&rest[..start]);
        rest = &rest[start..];
        let name = rest.find('}').map(|end| &rest[1..end]);
        let value = name.and_then(|name| match name {
            "out" => Some(quoted(out)),
            "tree" => Some(quoted(tree)),
            name => values.iter().find(|(known, _)| *known == name).map(|(_, value)| quoted_text(value)),
        });
        if let (Some(name), Some(value)) = (name, value) {
            done.push_str(&value);
            rest = &rest[name.len() + 2..];
        } else {
            done.push('{');
            rest = &rest[1..];
        }
    }
    done.push_str(rest);
    done
}

pub(crate) fn quoted(path: &Path) -> String {
    quoted_text(&path.display().to_string())
}

/// A text as one word of the shell.
pub(super) fn quoted_text(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
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
        Exit::Code(code) => ending_signal(code).map(|signal| {
            let told = last_words(finished);
            format!("the command ended with exit code {code}: a shell says so of one that signal {signal} killed{told}")
        }),
    }
}

/// The signal that an exit code tells of where a shell stands between, which adds 128 to its number (POSIX, Shell Command Language 2.8.2).
/// Only what ends programs from outside or at a fault counts: others are codes of their own, such as git's 129 for a wrong option.
fn ending_signal(code: i32) -> Option<i32> {
    /// `SIGINT`, `SIGQUIT`, `SIGILL`, `SIGABRT`, `SIGBUS`, `SIGFPE`, `SIGKILL`, `SIGSEGV`, `SIGALRM`, `SIGTERM`, `SIGXCPU`, `SIGXFSZ`,
    /// `SIGSYS` of Linux.
    const SIGNALS: [i32; 13] = [2, 3, 4, 6, 7, 8, 9, 11, 14, 15, 24, 25, 31];
    SIGNALS.into_iter().find(|signal| code - 128 == *signal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_known_behind_a_shell_and_other_codes_are_answers() {
        let signals = [137, 139, 143, 130].map(ending_signal);
        assert_eq!(signals, [Some(9), Some(11), Some(15), Some(2)]);
        for code in [0, 1, 2, 125, 128, 129, 141, 255, -1] {
            assert_eq!(ending_signal(code), None, "{code}");
        }
    }

    #[test]
    fn placeholders_are_filled_in_once_and_nothing_else_is_touched() {
        let (tree, out) = (Path::new("/t"), Path::new("/o o"));
        let values = [("years", "3"), ("name", "it's {out}"), ("none", "")];
        for (line, wanted) in [
            ("run {years} {out}", "run 3 '/o o'"),
            ("run {name} {none} {tree}", r"run 'it'\''s {out}' '' /t"),
            ("awk '{print $1}' {{years}} {yeers} {", "awk '{print $1}' {3} {yeers} {"),
        ] {
            assert_eq!(filled_with(line, tree, out, &values), wanted);
        }
    }
}
