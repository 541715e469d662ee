//! Where results come from: what a command makes in one of the trees, or what stands in it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Scene, Which, shell};
use crate::plan::{Fields, Key, Shape, relative};
use crate::world::Disk;

pub(super) const COMMAND: Key =
    Key::optional("command", Shape::Text, "a line of shell that writes its results into `{out}`");
pub(super) const PATH: Key = Key::optional(
    "path",
    Shape::Text,
    "what is looked at: a path in `{out}`, or in the tree when there is no command",
);
pub(super) const TREES: Shape = Shape::Word(&["live", "candidate"]);

/// The keys of one of two sides.
pub(super) const SIDE: &[Key] = &[
    Key::required("tree", TREES, "`live`: the tree before this phase; `candidate`: the tree with it"),
    COMMAND,
    PATH,
];

/// Where results come from.
#[derive(Debug)]
pub(super) struct Side {
    tree: Tree,
    command: Option<String>,
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
enum Tree {
    Of(Which),
    /// What the moment of the check is about.
    Here,
}

/// A command in one of the trees, and which of its results are looked at.
#[derive(Debug)]
pub(super) struct Program {
    /// The tree that it runs in.
    pub(super) which: Which,
    /// A line of shell.
    pub(super) command: String,
    /// Below `{out}`; all of it when there is none.
    pub(super) path: Option<PathBuf>,
}

impl Program {
    /// The program that the table at `name` describes, with keys of [`SIDE`].
    pub(super) fn named(fields: &Fields<'_>, name: &str) -> Option<Self> {
        Self::of(&fields.table(name)?, fields.title(), name)
    }

    /// The program that these keys describe, those of the table at `name` in `title`.
    pub(super) fn of(side: &Fields<'_>, title: &str, name: &str) -> Option<Self> {
        let path = match side.text("path") {
            Some(text) => Some(relative(&text, side.offset_of("path"), "the path", side.findings())?),
            None => None,
        };
        if !side.has("command") && !side.is_required("command") {
            let message = format!("`{name}` in {title} has no `command`: there would be nothing to run");
            side.findings().add(side.offset(), message, "add a command that writes into `{out}`");
        }
        let (which, command) = (which(side, "tree"), side.filled_text("command"));
        Some(Self { which: which?, command: command?, path })
    }
}

/// The tree that one of [`TREES`] names.
pub(super) fn which(fields: &Fields<'_>, name: &str) -> Option<Which> {
    Some(if fields.word(name)? == "live" { Which::Old } else { Which::New })
}

impl Side {
    /// The side that the table at `name` describes.
    pub(super) fn named(fields: &Fields<'_>, name: &str) -> Option<Self> {
        let side = fields.table(name)?;
        let read = Self::of(&side, &format!("`{name}`"));
        // A missing tree is a finding by itself.
        if side.has("tree") { read } else { None }
    }

    /// The side that these keys describe. `title`: what it is called in messages.
    pub(super) fn of(side: &Fields<'_>, title: &str) -> Option<Self> {
        let path = match side.text("path") {
            Some(text) => Some(relative(&text, side.offset_of("path"), "the path", side.findings())?),
            None => None,
        };
        let command = side.filled_text("command");
        if !side.has("command") && !side.has("path") {
            let message =
                format!("{title} has neither `command` nor `path`: there would be nothing to look at");
            let help = "add a command that writes into `{out}`, or a path of the tree";
            side.findings().add(side.offset(), message, help);
        }
        let tree = match which(side, "tree") {
            Some(which) => Tree::Of(which),
            None if side.has("tree") => return None,
            None => Tree::Here,
        };
        Some(Self { tree, command, path })
    }

    /// The path of the results, made by the command if there is one, in a folder of its own below `{out}`.
    pub(super) fn results(
        &self,
        scene: &Scene<'_>,
        name: &str,
        evidence: &mut Value,
    ) -> Result<PathBuf, String> {
        let tree = match self.tree {
            Tree::Of(Which::Old) => scene.trees.old_project()?,
            Tree::Of(Which::New) => scene.trees.new_project()?,
            Tree::Here => scene.trees.here()?,
        };
        let base = match &self.command {
            None => tree,
            Some(command) => made(scene, command, &tree, name, evidence)?,
        };
        there(scene.world.disk.as_ref(), &base, self.path.as_deref())
    }
}

/// What is looked at below `base`: all of it, or what is at `path`.
pub(super) fn there(disk: &dyn Disk, base: &Path, path: Option<&Path>) -> Result<PathBuf, String> {
    let path = path.map_or_else(|| base.to_owned(), |path| base.join(path));
    match disk.look(&path) {
        Ok(Some(_)) => Ok(path),
        Ok(None) => Err(format!("there is no `{}` to look at", path.display())),
        Err(error) => Err(error.to_string()),
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

/// The results of both sides, old before new; why there are none, with the side's name.
pub(super) fn both(
    scene: &Scene<'_>,
    old: &Side,
    new: &Side,
    evidence: &mut Value,
) -> Result<(PathBuf, PathBuf), String> {
    let mut results =
        |side: &Side, name: &str| side.results(scene, name, evidence).map_err(|why| format!("{name}: {why}"));
    Ok((results(old, "old")?, results(new, "new")?))
}
