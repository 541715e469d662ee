//! `notebook`: notebooks are executed, and what their cells put out is what it was (RE-14).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene, rule_keys, shell};
use crate::pattern;
use crate::plan::{Fields, Key, Shape, relative, shown};
use crate::rule::Rule;
use crate::verdict::Verdict;
use crate::world::{Disk, FileKind};

const NOTEBOOK_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// More notebooks than that are a pattern that was not meant.
const NOTEBOOKS_MAX: usize = 1_000;
/// Folders within folders.
const DEPTH_MAX: usize = 64;
/// So much of what an exception says is shown.
const EXCEPTION_CHARACTERS_MAX: usize = 200;
/// Folders whose notebooks are nobody's: those of tools, and of environments.
const FOREIGN: &[&str] = &[".git", ".ipynb_checkpoints", ".switchback", ".venv", "venv", "node_modules"];

/// Executes with the environment of the project, where it has one. What Jupyter writes for itself stays in `{out}`, and a
/// cell that raises is stored, so that it can be named.
const COMMAND: &str = "for jupyter in .venv/bin/jupyter-nbconvert venv/bin/jupyter-nbconvert jupyter-nbconvert; do \
    command -v \"$jupyter\" >/dev/null && break; done; \
    export JUPYTER_RUNTIME_DIR={out}/.jupyter/runtime IPYTHONDIR={out}/.jupyter/ipython; \
    \"$jupyter\" --to notebook --execute --allow-errors --ExecutePreprocessor.timeout=-1 --output-dir {out} {notebook}";
const INSTALL: &str =
    "install it beside the project (`pip install nbconvert ipykernel`), or name another `command`";

const OWN: [Key; 5] = [
    Key::required("paths", Shape::Texts, "notebooks: paths in the tree, in which `*` and `?` may stand"),
    Key::optional("tree", Shape::Word(&["candidate", "live"]), "whose notebooks are executed"),
    Key::optional("baseline", Shape::Text, "a folder of executed notebooks in the tree before this phase"),
    Key::optional(
        "command",
        Shape::Text,
        "a line of shell that executes `{notebook}` and writes it, by its name, into `{out}`",
    ),
    Key::optional("sources", Shape::Word(&["ignore", "compare"]), "whether the code and text of cells count"),
];
const KEYS: [Key; 16] = rule_keys::joined(&[&OWN, &rule_keys::VALUES]);

/// The kind `notebook`.
pub(super) static KIND: Kind = Kind {
    word: "notebook",
    doc: "notebooks are executed, and their outputs are those of the executed baseline, cell by cell",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct NotebookCheck {
    patterns: Vec<String>,
    is_old: bool,
    baseline: Option<PathBuf>,
    command: Option<String>,
    compares_sources: bool,
    rule: Rule,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let mut patterns = Vec::new();
    for (offset, text) in fields.placed_texts("paths")? {
        let path = relative(&text, offset, "the notebook", fields.findings())?;
        patterns.push(path.to_string_lossy().into_owned());
    }
    if patterns.is_empty() {
        fields.find("paths", "`paths` is empty: no notebook would be executed", "name one, e.g. `*.ipynb`");
    }
    let command = fields.filled_text("command");
    if command.as_ref().is_some_and(|line| !line.contains("{notebook}") || !line.contains("{out}")) {
        let message =
            "`command` does not name `{notebook}`, what it executes, and `{out}`, where it writes it";
        fields.find(
            "command",
            message,
            "e.g. `papermill {notebook} {out}/result.ipynb` with the notebook's name",
        );
    }
    let folder =
        |text: String| relative(&text, fields.offset_of("baseline"), "the baseline", fields.findings());
    Some(Box::new(NotebookCheck {
        patterns,
        is_old: fields.word("tree").as_deref() == Some("live"),
        baseline: fields.text("baseline").and_then(folder),
        command,
        compares_sources: fields.word("sources").as_deref() == Some("compare"),
        rule: rule_keys::read(fields),
    }))
}

/// What became of one notebook.
struct Outcome {
    verdict: Verdict,
    why: String,
    details: Value,
}

impl Outcome {
    fn new(verdict: Verdict, why: impl Into<String>, details: Value) -> Self {
        Self { verdict, why: why.into(), details }
    }
}

impl Check for NotebookCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        match self.execute_all(scene) {
            Ok(looked) => looked,
            Err(why) => Looked::unknown(why, json!({})),
        }
    }
}

impl NotebookCheck {
    fn execute_all(&self, scene: &Scene<'_>) -> Result<Looked, String> {
        let old = scene.trees.old_project()?;
        let tree = if self.is_old { old.clone() } else { scene.trees.new_project()? };
        let baseline = self.baseline.as_ref().map_or_else(|| old.clone(), |folder| old.join(folder));
        let names = notebooks(scene.world.disk.as_ref(), &tree, &self.patterns)?;
        if names.is_empty() {
            return Err(format!("no notebook of the tree fits {}", self.patterns.join(", ")));
        }
        let started = scene.world.clock.monotonic();
        let mut details = serde_json::Map::new();
        let (mut verdicts, mut told) = (Vec::new(), Vec::new());
        for name in &names {
            let spent = scene.world.clock.monotonic().saturating_sub(started);
            let timeout = scene.timeout.saturating_sub(spent);
            let outcome = if timeout.is_zero() {
                Outcome::new(Verdict::Unknown, "the time was up before it was executed", json!({}))
            } else {
                let scene = Scene { timeout, ..*scene };
                self.execute(&scene, &tree, name, &baseline.join(name))
                    .unwrap_or_else(|why| Outcome::new(Verdict::Unknown, why, json!({})))
            };
            if outcome.verdict != Verdict::Yes {
                told.push((outcome.verdict, format!("`{}`: {}", name.display(), outcome.why)));
            }
            verdicts.push(outcome.verdict);
            details.insert(name.display().to_string(), outcome.details);
        }
        let verdict = Verdict::all(verdicts);
        // What decides comes first.
        told.sort_by_key(|(one, _)| *one != verdict);
        let summary = match told.as_slice() {
            [] => format!("{} executed, with the outputs of the baseline", counted(names.len())),
            [(_, one)] => one.clone(),
            [(_, one), rest @ ..] => format!("{one}; {} of {} more", rest.len(), counted(names.len())),
        };
        Ok(Looked::new(verdict, summary, json!({"notebooks": details})))
    }

    /// Executes one notebook and compares it with its baseline. An error is *could not tell*.
    fn execute(
        &self,
        scene: &Scene<'_>,
        tree: &Path,
        name: &Path,
        baseline: &Path,
    ) -> Result<Outcome, String> {
        let disk = scene.world.disk.as_ref();
        if disk.look(baseline).map_err(|error| error.to_string())?.is_none() {
            return Err("there is no baseline to compare it with".to_owned());
        }
        let stored = read_notebook(disk, baseline)?;
        let mut out = scene.out.to_owned();
        for part in Path::new("executed").join(name).components() {
            out.push(part);
            disk.make_directory(&out, 0o755).or_else(|error| {
                // Two notebooks may share a folder.
                if disk.look(&out).is_ok_and(|found| found.is_some()) {
                    Ok(())
                } else {
                    Err(error.to_string())
                }
            })?;
        }
        let line = self.command.as_deref().unwrap_or(COMMAND);
        let line = line.replace("{notebook}", &shell::quoted(&tree.join(name)));
        let finished = shell::run(scene, &line, tree, &out).map_err(|error| error.to_string())?;
        let mut details = json!({"execution": shell::evidence(&line, &finished)});
        if let Some(why) = shell::no_answer(&finished) {
            let help = if self.command.is_none() { format!("; {INSTALL}") } else { String::new() };
            return Ok(Outcome::new(Verdict::Unknown, format!("{why}{help}"), details));
        }
        let result = out.join(name.file_name().unwrap_or_default());
        if disk.look(&result).map_err(|error| error.to_string())?.is_none() {
            let words = shell::last_words(&finished);
            let why = format!("it was not executed: the command ended with {}{words}", finished.ending());
            return Ok(Outcome::new(Verdict::Unknown, why, details));
        }
        let executed = read_notebook(disk, &result)?;
        if let Some((cell, exception)) = raised(&executed) {
            details["raised"] = json!({"cell": cell, "exception": exception});
            return Ok(Outcome::new(Verdict::No, format!("cell {cell} raised {exception}"), details));
        }
        if outputs(&stored) == 0 && outputs(&executed) > 0 {
            let why = "its baseline has no outputs: store it executed, or name executed ones with `baseline`";
            return Ok(Outcome::new(Verdict::Unknown, why, details));
        }
        let rule = self.rule_for(cells(&stored).len().max(cells(&executed).len()));
        match scene.comparer.compare(baseline, &result, &rule) {
            Ok(comparison) => {
                details["comparison"] =
                    serde_json::from_str(&comparison.report).unwrap_or(Value::String(comparison.report));
                Ok(Outcome::new(comparison.verdict, comparison.summary, details))
            }
            Err(error) => Ok(Outcome::new(Verdict::Unknown, error.told(), details)),
        }
    }

    /// The metadata of the whole notebook tell of the kernel and its version; sources count when they are asked for.
    fn rule_for(&self, cells: usize) -> Rule {
        let mut rule = self.rule.clone();
        rule.exclude.push("/metadata".to_owned());
        if !self.compares_sources {
            rule.exclude.extend((0..cells).map(|cell| format!("/cells/{cell}/source")));
        }
        rule
    }
}

fn counted(notebooks: usize) -> String {
    if notebooks == 1 { "1 notebook".to_owned() } else { format!("{notebooks} notebooks") }
}

/// The notebooks of a tree that fit a pattern, relative to it, sorted.
fn notebooks(disk: &dyn Disk, tree: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut waiting = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        for name in disk.list(&tree.join(&folder)).map_err(|error| error.to_string())? {
            let path = folder.join(&name);
            let Some(meta) = disk.look(&tree.join(&path)).map_err(|error| error.to_string())? else {
                continue;
            };
            let is_foreign = FOREIGN.iter().any(|foreign| name.as_os_str() == *foreign);
            match meta.kind {
                FileKind::Directory if depth < DEPTH_MAX && !is_foreign => waiting.push((path, depth + 1)),
                FileKind::File if path.extension().is_some_and(|ending| ending == "ipynb") => {
                    let text = path.to_string_lossy();
                    if patterns.iter().any(|pattern| pattern::fits(pattern, &text)) {
                        found.push(path);
                    }
                }
                _ => {}
            }
        }
    }
    if found.len() > NOTEBOOKS_MAX {
        return Err(format!("{} notebooks fit, more than {NOTEBOOKS_MAX}", found.len()));
    }
    found.sort();
    Ok(found)
}

fn read_notebook(disk: &dyn Disk, path: &Path) -> Result<Value, String> {
    let bytes = disk.read(path, NOTEBOOK_BYTES_MAX).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("`{}` is no notebook: {error}", path.display()))
}

fn cells(notebook: &Value) -> &[Value] {
    notebook["cells"].as_array().map_or(&[], Vec::as_slice)
}

fn outputs_of(cell: &Value) -> &[Value] {
    cell["outputs"].as_array().map_or(&[], Vec::as_slice)
}

fn outputs(notebook: &Value) -> usize {
    cells(notebook).iter().map(|cell| outputs_of(cell).len()).sum()
}

/// The first cell that raised, counted from 1, and what: unless it is tagged to (`raises-exception`, as nbclient has it).
fn raised(notebook: &Value) -> Option<(usize, String)> {
    cells(notebook).iter().enumerate().find_map(|(at, cell)| {
        let tags = cell["metadata"]["tags"].as_array();
        if tags.is_some_and(|tags| tags.iter().any(|tag| tag == "raises-exception")) {
            return None;
        }
        let error = outputs_of(cell).iter().find(|output| output["output_type"] == "error")?;
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let said = text("evalue");
        let said = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let said: String = said.chars().filter(|c| !c.is_control()).take(EXCEPTION_CHARACTERS_MAX).collect();
        let name = shown(&text("ename"));
        Some((at + 1, if said.is_empty() { name } else { format!("{name}: {said}") }))
    })
}
