//! `equivalence`: the old and the new program, or what they left, give the same results within stated tolerances.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene, rule_keys, shell};
use crate::mapping;
use crate::plan::{Fields, Key, Shape, relative};
use crate::rule::Rule;

const SIDE: &[Key] = &[
    Key::required(
        "tree",
        Shape::Word(&["live", "candidate"]),
        "`live`: the tree before this phase; `candidate`: the tree with it",
    ),
    Key::optional("command", Shape::Text, "a line of shell that writes its results into `{out}`"),
    Key::optional(
        "path",
        Shape::Text,
        "what is compared: a path in `{out}`, or in the tree when there is no command",
    ),
];
const SIDES: [Key; 2] = [
    Key::required("old", Shape::Table(SIDE), "where the old results come from"),
    Key::required("new", Shape::Table(SIDE), "where the new results come from"),
];
const MAPPING: [Key; 1] = [Key::optional(
    "mapping",
    Shape::Text,
    "a file of the project that says which columns have other names, units, labels or another layout",
)];
const KEYS: [Key; 29] = rule_keys::joined(&[&SIDES, &rule_keys::TABLES, &MAPPING, &rule_keys::VALUES]);

/// The kind `equivalence`.
pub(super) static KIND: Kind = Kind {
    word: "equivalence",
    doc: "the results of the old and the new tree are equal within stated tolerances",
    keys: &KEYS,
    read,
};

#[derive(Debug)]
struct Source {
    is_old: bool,
    command: Option<String>,
    path: Option<PathBuf>,
}

#[derive(Debug)]
struct EquivalenceCheck {
    old: Source,
    new: Source,
    rule: Rule,
    /// Relative to the project.
    mapping: Option<PathBuf>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let rule = rule_keys::read(fields);
    let path = |text: String| relative(&text, fields.offset_of("mapping"), "the mapping", fields.findings());
    let mapping = fields.text("mapping").and_then(path);
    let (old, new) = (read_source(fields, "old"), read_source(fields, "new"));
    Some(Box::new(EquivalenceCheck { old: old?, new: new?, rule, mapping }))
}

fn read_source(fields: &Fields<'_>, name: &str) -> Option<Source> {
    let side = fields.table(name)?;
    let path = match side.text("path") {
        Some(text) => Some(relative(&text, side.offset_of("path"), "the path", side.findings())?),
        None => None,
    };
    let command = side.filled_text("command");
    if !side.has("command") && !side.has("path") {
        let message = format!("`{name}` has neither `command` nor `path`: there would be nothing to compare");
        side.findings().add(
            side.offset(),
            message,
            "add a command that writes into `{out}`, or a path of the tree",
        );
    }
    Some(Source { is_old: side.word("tree")? == "live", command, path })
}

impl Check for EquivalenceCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let mut evidence = json!({});
        let mut results = Vec::new();
        for (name, source) in [("old", &self.old), ("new", &self.new)] {
            match source.results(scene, name, &mut evidence) {
                Ok(path) => results.push(path),
                Err(why) => return Looked::unknown(format!("{name}: {why}"), evidence),
            }
        }
        let rule = match self.mapped_rule(scene) {
            Ok(rule) => rule,
            Err(why) => return Looked::unknown(why, evidence),
        };
        match scene.comparer.compare(&results[0], &results[1], &rule) {
            Ok(comparison) => {
                // The report was written by the comparison itself; as text it is evidence all the same.
                let report =
                    serde_json::from_str(&comparison.report).unwrap_or(Value::String(comparison.report));
                evidence["comparison"] = report;
                Looked::new(comparison.verdict, comparison.summary, evidence)
            }
            Err(error) => {
                evidence["error"] =
                    json!({"message": error.message, "causes": error.causes, "hint": error.hint});
                let words: Vec<&str> =
                    std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect();
                Looked::unknown(words.join(": "), evidence)
            }
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        self.mapping.iter().cloned().collect()
    }
}

impl EquivalenceCheck {
    /// The rule with its mapping, as the project with the candidate has it.
    fn mapped_rule(&self, scene: &Scene<'_>) -> Result<Rule, String> {
        let mut rule = self.rule.clone();
        if let Some(path) = &self.mapping {
            let path = scene.trees.new_project()?.join(path);
            let mapping = mapping::load(&path, scene.world.disk.as_ref()).map_err(|error| {
                let words: Vec<String> = std::iter::once(error.to_string()).chain(error.causes()).collect();
                words.join(": ")
            })?;
            rule.mapping = Some(mapping);
        }
        Ok(rule)
    }
}

impl Source {
    /// The path of the results, made by the command if there is one.
    fn results(&self, scene: &Scene<'_>, name: &str, evidence: &mut Value) -> Result<PathBuf, String> {
        let tree = if self.is_old { scene.trees.old_project()? } else { scene.trees.new_project()? };
        let base = match &self.command {
            None => tree,
            Some(command) => made(scene, command, &tree, name, evidence)?,
        };
        let path = self.path.as_ref().map_or_else(|| base.clone(), |path| base.join(path));
        match scene.world.disk.look(&path) {
            Ok(Some(_)) => Ok(path),
            Ok(None) => Err(format!("there is no `{}` to compare", path.display())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Runs the command of one side; its results are in the folder that it was given.
fn made(
    scene: &Scene<'_>,
    command: &str,
    tree: &Path,
    name: &str,
    evidence: &mut Value,
) -> Result<PathBuf, String> {
    let out = scene.out.join(name);
    scene.world.disk.make_directory(&out, 0o755).map_err(|error| error.to_string())?;
    let finished = shell::run(scene, command, tree, &out).map_err(|error| error.to_string())?;
    evidence[name] = shell::evidence(command, &finished);
    if !finished.succeeded() {
        let words = shell::last_words(&finished);
        return Err(format!("the command ended with {}{words}", finished.ending()));
    }
    Ok(out)
}
