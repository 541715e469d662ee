//! `config`: fragments of configuration become one master and an override for each environment, with proof (PC-2, PC-3).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage, code};
use crate::code::Rewrite;
use crate::configuration::{ConfigRequest, LOADER, PLACEHOLDERS, reading};
use crate::plan::{Fields, Key, Managed, Shape};

/// The kind `config`.
pub(super) static KIND: Kind = Kind {
    word: "config",
    doc: "fragments of configuration become one master and an override for each environment, with proof",
    keys: &[
        Key::optional(
            "fragments",
            Shape::Texts,
            "files, folders and patterns, in the order in which they layer",
        ),
        Key::optional(
            "rules",
            Shape::Text,
            "a file that says how the fragments are laid out, and decides conflicts",
        ),
        Key::required("master", Shape::Text, "where the master is to be"),
        Key::required(
            "environments",
            Shape::Text,
            "where the overrides are to be, with `{name}` for the environment",
        ),
        Key::optional(
            "names",
            Shape::Texts,
            "the environments; found in the names of the fragments when left out",
        ),
        Key::optional(
            "later_wins",
            Shape::Flag,
            "`true`: a later fragment wins; else what differs is a conflict",
        ),
        Key::optional("remove", Shape::Flag, "`true`: the fragments are removed from the candidate"),
        LOADER,
        PLACEHOLDERS,
    ],
    read,
};

#[derive(Debug)]
struct ConfigChange {
    request: ConfigRequest,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let rules = fields.filled_text("rules").map(PathBuf::from);
    let fragments = fields.texts("fragments").unwrap_or_default();
    if rules.is_none() && fragments.is_empty() {
        let message =
            format!("{} has neither `fragments` nor `rules`: nothing would be merged", fields.title());
        fields.findings().add(fields.offset(), message, "e.g. `fragments = [\"config/**/*.yaml\"]`");
    }
    let environments = fields.filled_text("environments");
    if let Some(pattern) = environments.as_ref().filter(|pattern| !pattern.contains("{name}")) {
        let message = format!("`{pattern}` has no `{{name}}` for the environment");
        fields.find("environments", message, "e.g. `environments = \"config/environments/{name}.yml\"`");
    }
    Some(Box::new(ConfigChange {
        request: ConfigRequest {
            fragments,
            rules,
            master: fields.filled_text("master")?.into(),
            environments: environments?,
            names: fields.texts("names").unwrap_or_default(),
            later_wins: fields.flag("later_wins").unwrap_or(false),
            removes_fragments: fields.flag("remove").unwrap_or(false),
            reading: reading(fields),
        },
    }))
}

impl ConfigChange {
    fn worked_out(&self, stage: &Stage<'_>, tree: &Path) -> Result<Rewrite, ChangeError> {
        code::allowed(stage, &self.describe(), stage.configurer.plan_config(tree, &self.request)?)
    }
}

impl Change for ConfigChange {
    fn describe(&self) -> String {
        format!("consolidate the configuration into `{}`", self.request.master.display())
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
