//! `merge`: two trees become one, nothing of either is lost, and what named the source names the target (TM-1, TM-3, TM-4).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage, code};
use crate::code::{MergeRequest, MoveRequest, PYTHON_PATH, Rewrite, SOURCE_ROOTS};
use crate::plan::{Fields, Key, Managed, Shape, relative};

/// The kind `merge`.
pub(super) static KIND: Kind = Kind {
    word: "merge",
    doc: "one tree is merged into another, with proof that nothing of either is lost, and whoever named the one names the other",
    keys: &[
        Key::required(
            "source",
            Shape::Text,
            "the folder whose content arrives, or a git revision (`REVISION:FOLDER`)",
        ),
        Key::required("target", Shape::Text, "the folder that the merged tree takes the place of"),
        Key::optional(
            "base",
            Shape::Text,
            "what both come from: a folder or a git revision; asked of git when left out",
        ),
        Key::optional("decisions", Shape::Text, "a file of rules and decisions; a path in the project"),
        Key::optional("keep_source", Shape::Flag, "`true`: the source stays where it is"),
        SOURCE_ROOTS,
        PYTHON_PATH,
        code::SHIMS,
        code::TEXT,
    ],
    read,
};

#[derive(Debug)]
struct MergeChange {
    merge: MergeRequest,
    /// How whoever named the source follows.
    follow: MoveRequest,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let follow = code::follow(fields);
    let target = fields.filled_text("target");
    if let Some(target) = &target {
        relative(target, fields.offset_of("target"), "the target", fields.findings())?;
    }
    let keeps_source = fields.flag("keep_source").unwrap_or(false);
    if keeps_source && fields.has("shims") {
        let message = "`shims` stand where the source was, and `keep_source` leaves it there";
        fields.find("shims", message, "take one of the two out");
    }
    let merge = MergeRequest {
        source: fields.filled_text("source")?,
        target: target?,
        base: fields.filled_text("base"),
        rules: fields.filled_text("decisions").map(PathBuf::from),
        source_roots: follow.source_roots.clone(),
        removes_source: !keeps_source,
    };
    Some(Box::new(MergeChange { merge, follow }))
}

impl MergeChange {
    fn worked_out(&self, stage: &Stage<'_>, tree: &Path) -> Result<Rewrite, ChangeError> {
        code::allowed(stage, &self.describe(), stage.mover.plan_merge(tree, &self.merge)?)
    }
}

impl Change for MergeChange {
    fn describe(&self) -> String {
        format!("merge `{}` into `{}`", self.merge.source, self.merge.target)
    }

    fn replaces(&self, _managed: &Managed) -> bool {
        false
    }

    fn needs_project(&self) -> bool {
        true
    }

    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        // Whoever names the source is not among these: that is known once the trees are merged.
        code::preview(stage, |tree| self.worked_out(stage, tree))
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        let merged = self.worked_out(stage, stage.tree)?;
        code::carry_out(stage, &self.describe(), &merged)?;
        if !self.merge.removes_source || merged.arrived.is_empty() {
            return Ok(());
        }
        let what = format!("to follow the merge into `{}`", self.merge.target);
        let request = MoveRequest { arrived: merged.arrived, ..self.follow.clone() };
        let follow = code::allowed(stage, &what, stage.mover.plan_move(stage.tree, &request)?)?;
        code::carry_out(stage, &what, &follow)
    }
}
