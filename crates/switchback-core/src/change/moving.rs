//! `move`: Python modules and packages move, and everything that names them follows, with proof (TM-5, TM-6, OM-6).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage, code};
use crate::code::{MoveRequest, PYTHON_PATH, Rewrite, SOURCE_ROOTS};
use crate::plan::{Fields, Key, Managed, Shape};

/// The kind `move`.
pub(super) static KIND: Kind = Kind {
    word: "move",
    doc: "Python modules and packages move, and everything that names them is rewritten, with proof",
    keys: &[
        Key::optional("from", Shape::Text, "a module or package: a dotted name, or a path"),
        Key::optional("to", Shape::Text, "what it becomes: a dotted name, or a path"),
        Key::optional(
            "rules",
            Shape::Text,
            "a file of rules, for several moves at once; a path in the project",
        ),
        SOURCE_ROOTS,
        PYTHON_PATH,
        code::SHIMS,
        code::TEXT,
    ],
    read,
};

#[derive(Debug)]
struct MoveChange {
    request: MoveRequest,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let (from, to) = (fields.filled_text("from"), fields.filled_text("to"));
    let rules = fields.filled_text("rules").map(PathBuf::from);
    for (one, other) in [("from", "to"), ("to", "from")] {
        if fields.has(one) && !fields.has(other) {
            fields.find(one, format!("`{one}` stands without `{other}`"), format!("add `{other} = …`"));
        }
    }
    if !fields.has("from") && !fields.has("to") && !fields.has("rules") {
        let message =
            format!("{} has neither `from` and `to` nor `rules`: nothing would move", fields.title());
        fields.findings().add(
            fields.offset(),
            message,
            "e.g. `from = \"shop.cart\"` and `to = \"store.cart\"`",
        );
    }
    let pairs = from.zip(to).into_iter().collect();
    let request = MoveRequest { pairs, rules, ..code::follow(fields) };
    Some(Box::new(MoveChange { request }))
}

impl MoveChange {
    fn worked_out(&self, stage: &Stage<'_>, tree: &Path) -> Result<Rewrite, ChangeError> {
        code::allowed(stage, &self.describe(), stage.mover.plan_move(tree, &self.request)?)
    }
}

impl Change for MoveChange {
    fn describe(&self) -> String {
        match (self.request.pairs.as_slice(), &self.request.rules) {
            ([(from, to), ..], _) => format!("move `{from}` to `{to}`"),
            ([], Some(rules)) => format!("move by the rules of `{}`", rules.display()),
            ([], None) => "move nothing".to_owned(),
        }
    }

    fn replaces(&self, _managed: &Managed) -> bool {
        false
    }

    fn needs_project(&self) -> bool {
        true
    }

    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        code::preview(stage, |tree| self.worked_out(stage, tree))
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        code::carry_out(stage, &self.describe(), &self.worked_out(stage, stage.tree)?)
    }
}
