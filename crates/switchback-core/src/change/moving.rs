//! `move`: Python modules and packages move, and everything that names them follows, with proof (TM-5, TM-6, OM-6).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage};
use crate::code::{MoveRequest, Rewrite};
use crate::plan::{Fields, Key, Managed, STATE_FOLDER, Shape};
use crate::tree::copy::remove_tree;
use crate::tree::rewrite::rewrite;
use crate::verdict::Verdict;

/// How many paths or reasons an error names.
const NAMED_MAX: usize = 5;

const SHIMS: &[Key] = &[Key::optional(
    "remove_after",
    Shape::Text,
    "the day after which the old names may go, `YYYY-MM-DD`; shims name it when they warn",
)];

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
        Key::optional(
            "source_roots",
            Shape::Texts,
            "folders from which dotted names start; found by looking when left out",
        ),
        Key::optional("shims", Shape::Table(SHIMS), "the old names stay importable, and warn"),
        Key::optional("text", Shape::Flag, "`false`: files that are no code are left as they are"),
    ],
    read,
};

#[derive(Debug)]
struct MoveChange {
    request: MoveRequest,
}

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
    let shims = fields.table("shims");
    let remove_after = shims.as_ref().and_then(|shims| shims.day("remove_after")).map(|day| day.to_string());
    let request = MoveRequest {
        pairs: from.zip(to).into_iter().collect(),
        rules,
        arrived: Vec::new(),
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        shims: shims.is_some(),
        remove_after,
        with_text: fields.flag("text").unwrap_or(true),
    };
    Some(Box::new(MoveChange { request }))
}

impl MoveChange {
    fn worked_out(&self, stage: &Stage<'_>, tree: &Path) -> Result<Rewrite, ChangeError> {
        // Rules are part of the project, whether it manages them or not.
        let request = MoveRequest {
            rules: self.request.rules.as_ref().map(|path| stage.root.join(path)),
            ..self.request.clone()
        };
        let rewrite = stage.mover.plan_move(tree, &request)?;
        if rewrite.verdict != Verdict::Yes {
            return Err(ChangeError::Refuted { what: self.describe(), why: some_of(&rewrite.against) });
        }
        let strangers: Vec<String> = rewrite
            .puts
            .iter()
            .filter(|(path, _)| !stage.managed.iter().any(|managed| path.starts_with(&managed.path)))
            .map(|(path, _)| format!("`{}`", path.display()))
            .collect();
        if strangers.is_empty() {
            return Ok(rewrite);
        }
        Err(ChangeError::Unmanaged { what: self.describe(), paths: some_of(&strangers) })
    }
}

fn some_of(lines: &[String]) -> String {
    let mut told: Vec<String> = lines.iter().take(NAMED_MAX).cloned().collect();
    if lines.len() > NAMED_MAX {
        told.push(format!("and {} more", lines.len() - NAMED_MAX));
    }
    told.join("; ")
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
        if stage.live != stage.root {
            // The managed paths are links there, and what they lead to is no project.
            return Ok(None);
        }
        let rewrite = self.worked_out(stage, stage.root)?;
        Ok(Some(FileCounts {
            added: rewrite.created,
            removed: 0,
            changed: rewrite.edited,
            moved: rewrite.moved,
        }))
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        let worked_out = self.worked_out(stage, stage.tree)?;
        if worked_out.puts.is_empty() {
            return Ok(());
        }
        rewrite(stage.world, stage.tree, &self.describe(), &worked_out.puts)?;
        // The candidate is thrown away as a whole: nothing in it is ever taken back.
        Ok(remove_tree(stage.world.disk.as_ref(), &stage.tree.join(STATE_FOLDER))?)
    }
}
