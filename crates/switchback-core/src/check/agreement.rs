//! What "the same" means for a check that compares results: the rule of its keys, and what files of the project add to it.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::{dbt, rule_keys};
use crate::mapping;
use crate::plan::{Fields, Key, Shape, relative};
use crate::rule::Rule;
use crate::world::Disk;

/// The key that names a file of the project, beside those of [`rule_keys`].
pub(super) const MAPPING: [Key; 1] = [Key::optional(
    "mapping",
    Shape::Text,
    "a file of the project that says which columns have other names, units, labels or another layout",
)];

/// What a command writes into, at the beginning of a path.
const OUT: &str = "{out}/";

/// When two results are the same.
#[derive(Debug)]
pub(super) struct Agreement {
    rule: Rule,
    /// Relative to the project.
    mapping: Option<PathBuf>,
    order: Option<Manifest>,
}

/// Where dbt's manifest is, whose graph orders the stages.
#[derive(Debug)]
enum Manifest {
    /// In the project.
    Project(PathBuf),
    /// In what the new command wrote.
    Out(PathBuf),
}

/// Two results, and where they come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Results<'a> {
    /// What the new command wrote into.
    pub(super) out: &'a Path,
    /// The old results.
    pub(super) old: &'a Path,
    /// The new results.
    pub(super) new: &'a Path,
}

impl Agreement {
    /// As the keys of a check say it. What is wrong with them becomes a finding.
    pub(super) fn read(fields: &Fields<'_>) -> Self {
        let rule = rule_keys::read(fields);
        let path =
            |text: String| relative(&text, fields.offset_of("mapping"), "the mapping", fields.findings());
        let mapping = fields.text("mapping").and_then(path);
        let order = if fields.is_table("stages") { read_order(fields) } else { None };
        Self { rule, mapping, order }
    }

    /// Files of the project that it reads.
    pub(super) fn reads(&self) -> Vec<PathBuf> {
        let manifest = match &self.order {
            Some(Manifest::Project(path)) => Some(path),
            Some(Manifest::Out(_)) | None => None,
        };
        self.mapping.iter().chain(manifest).cloned().collect()
    }

    /// What is blanked before texts are compared. Each was looked at when the plan was read.
    pub(super) fn masks(&self) -> Vec<Regex> {
        self.rule.text.masks.iter().filter_map(|mask| Regex::new(mask).ok()).collect()
    }

    /// The rule for these two results. `project` is the one with the candidate; it is asked for where a file of it is read.
    pub(super) fn rule(
        &self,
        mut project: impl FnMut() -> Result<PathBuf, String>,
        results: &Results<'_>,
        disk: &dyn Disk,
    ) -> Result<Rule, String> {
        let mut rule = self.rule.clone();
        if let Some(path) = &self.mapping {
            let mapping = mapping::load(&project()?.join(path), disk).map_err(|error| {
                let words: Vec<String> = std::iter::once(error.to_string()).chain(error.causes()).collect();
                words.join(": ")
            })?;
            rule.mapping = Some(mapping);
        }
        if let Some(manifest) = &self.order {
            let path = match manifest {
                Manifest::Project(path) => project()?.join(path),
                Manifest::Out(path) => results.out.join(path),
            };
            rule.stages = dbt::stages(disk, &path, &[results.old, results.new])?;
        }
        Ok(rule)
    }
}

fn read_order(fields: &Fields<'_>) -> Option<Manifest> {
    let stages = fields.table("stages")?;
    let text = stages.filled_text("dbt")?;
    let (path, is_out) = text.strip_prefix(OUT).map_or((text.as_str(), false), |path| (path, true));
    let path = relative(path, stages.offset_of("dbt"), "the manifest", stages.findings())?;
    Some(if is_out { Manifest::Out(path) } else { Manifest::Project(path) })
}
