//! What is installed in an environment, asked of its own Python, and whether that is what the requirements say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::phase::project::Work;
use crate::world::{Command, Confinement, Exit, Finished};

/// Asks the Python that it runs in.
const QUESTION: &str = include_str!("versions.py");
/// No environment takes longer to be asked.
const TIMEOUT: Duration = Duration::from_mins(10);
/// Of what is not as it should be so much is named.
const NAMED_MAX: usize = 5;

/// What is installed in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// The version of its Python.
    pub(super) python: String,
    /// Names and versions.
    pub(super) installed: BTreeMap<String, String>,
    /// What does not hold of the requirements, in words.
    pub(super) against: Vec<String>,
    /// Requirements that name no version: paths, addresses.
    pub(super) unjudged: Vec<String>,
}

/// Asks the Python of an environment; why there is no answer, when there is none. `files` are held against what is
/// installed; they are relative to `directory`.
pub(super) fn ask(
    work: &Work<'_>,
    environment: &Path,
    directory: &Path,
    files: &[&PathBuf],
) -> Result<Versions, String> {
    let names = files.iter().map(|file| file.to_string_lossy().into_owned());
    let arguments = ["-I", "-B", "-c", QUESTION].into_iter().map(str::to_owned).chain(names);
    let finished = run(work, environment, directory, arguments.collect())?;
    let words = finished.last_line().unwrap_or_default();
    let failed = || format!("its Python did not say what is installed ({}): {words}", finished.ending());
    if !finished.succeeded() {
        return Err(failed());
    }
    let text = String::from_utf8_lossy(&finished.stdout);
    let line = text.lines().last().unwrap_or_default();
    let answer: Value = serde_json::from_str(line).map_err(|_| failed())?;
    if let Some(why) = answer["unknown"].as_str() {
        return Err(why.to_owned());
    }
    let texts = |name: &str| -> Option<Vec<String>> {
        answer.get(name)?.as_array()?.iter().map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let read = || {
        let installed = answer.get("installed")?.as_object()?.iter();
        Some(Versions {
            python: answer.get("python")?.as_str()?.to_owned(),
            installed: installed
                .map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned())))
                .collect::<Option<_>>()?,
            against: texts("against")?,
            unjudged: texts("unjudged")?,
        })
    };
    read().ok_or_else(failed)
}

/// What `pip check` finds wrong in an environment: one package that needs another which is not there, or in another version.
pub(super) fn broken(work: &Work<'_>, environment: &Path, directory: &Path) -> Result<Vec<String>, String> {
    let arguments = ["-I", "-B", "-m", "pip", "--disable-pip-version-check", "check"];
    let finished = run(work, environment, directory, arguments.into_iter().map(str::to_owned).collect())?;
    match finished.exit {
        Exit::Code(0) => Ok(Vec::new()),
        Exit::Code(1) if !finished.stdout.is_empty() => {
            Ok(String::from_utf8_lossy(&finished.stdout).lines().map(str::to_owned).collect())
        }
        _ => {
            let words = finished.last_line().unwrap_or_default();
            Err(format!("`pip check` gave no answer ({}): {words}", finished.ending()))
        }
    }
}

fn run(
    work: &Work<'_>,
    environment: &Path,
    directory: &Path,
    arguments: Vec<String>,
) -> Result<Finished, String> {
    let python = environment.join("bin/python");
    match work.world().disk.look(&python) {
        Ok(Some(_)) => {}
        Ok(None) => return Err("there is no `bin/python` in it".to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    let program = std::iter::once(python.to_string_lossy().into_owned());
    let command = Command {
        argv: program.chain(arguments).collect(),
        variables: vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())],
        // Whatever stands in it is only asked.
        confinement: work.project.confinement().map(|held| Confinement {
            is_strict: true,
            hidden: Vec::new(),
            ..held
        }),
        ..Command::shell("", directory, TIMEOUT)
    };
    work.world().processes.run(&command).map_err(|error| error.to_string())
}

impl Versions {
    /// As it stands in a report.
    pub(super) fn to_json(&self) -> Value {
        json!({"python": self.python, "installed": self.installed, "without_version": self.unjudged})
    }

    /// What is different from `old`, in words: `dep 1.0 → 2.0, new 3 added`; at most some of it.
    pub(super) fn changed_since(&self, old: &Self) -> String {
        let mut words = Vec::new();
        if old.python != self.python {
            words.push(format!("Python {} → {}", old.python, self.python));
        }
        for (name, version) in &self.installed {
            match old.installed.get(name) {
                Some(before) if before != version => words.push(format!("{name} {before} → {version}")),
                Some(_) => {}
                None => words.push(format!("{name} {version} added")),
            }
        }
        let gone = old.installed.iter().filter(|(name, _)| !self.installed.contains_key(*name));
        words.extend(gone.map(|(name, version)| format!("{name} {version} gone")));
        if words.is_empty() { "the same versions".to_owned() } else { few(words) }
    }
}

/// The first ones of a list, and how many more there are.
pub(super) fn few(mut words: Vec<String>) -> String {
    let more = words.len().saturating_sub(NAMED_MAX);
    words.truncate(NAMED_MAX);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_and_counted() {
        let versions = |installed: &[(&str, &str)]| Versions {
            python: "3.11.7".to_owned(),
            installed: installed.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect(),
            ..Versions::default()
        };
        let old = versions(&[("dep", "1.0"), ("gone", "1"), ("pip", "23")]);
        assert_eq!(
            versions(&[("dep", "2.0"), ("new", "3"), ("pip", "23")]).changed_since(&old),
            "dep 1.0 → 2.0, new 3 added, gone 1 gone"
        );
        assert_eq!(old.changed_since(&old), "the same versions");
        let many: Vec<String> = (0..7).map(|number| number.to_string()).collect();
        assert_eq!(few(many), "0, 1, 2, 3, 4, and 2 more");
    }
}
