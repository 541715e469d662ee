//! What is asked of configuration, in plain types: a consolidation, and whether two configurations are one.

use std::path::PathBuf;

use crate::plan::{Fields, Key, Shape};

/// How configuration is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigReading {
    /// Whose rules hold for YAML: `pyyaml` or `ruamel`; the file of rules, then `pyyaml`, when left out.
    pub loader: Option<String>,
    /// How placeholders are written: `shell`, `colon` or `none`.
    pub placeholders: Option<String>,
}

/// A consolidation that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigRequest {
    /// Fragments: files, folders and patterns, relative to the tree, in the order in which they layer.
    pub fragments: Vec<String>,
    /// A file of rules, relative to the tree.
    pub rules: Option<PathBuf>,
    /// Where the master is to be, relative to the tree.
    pub master: PathBuf,
    /// Where the overrides are to be, with `{name}`.
    pub environments: String,
    /// The environments; found in the names of the fragments when empty.
    pub names: Vec<String>,
    /// Whether a later fragment wins over an earlier one.
    pub later_wins: bool,
    /// Whether the fragments are removed.
    pub removes_fragments: bool,
    /// How it is read.
    pub reading: ConfigReading,
}

/// A configuration of a tree: a master with overrides, a folder of fragments, or a file of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigPlace {
    /// The tree.
    pub tree: PathBuf,
    /// The master, the folder, or the file of rules, relative to it.
    pub path: PathBuf,
    /// Where overrides are, with `{name}`; looked for beside the master when left out.
    pub environments: Option<String>,
}

/// Two configurations that are to be one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigComparison {
    /// The old one.
    pub old: ConfigPlace,
    /// The new one.
    pub new: ConfigPlace,
    /// In which environments; none: both as they stand.
    pub names: Vec<String>,
    /// Keys that may differ, with all below them.
    pub except: Vec<String>,
    /// How they are read.
    pub reading: ConfigReading,
}

pub(crate) const LOADER: Key = Key::optional(
    "loader",
    Shape::Text,
    "whose rules hold for YAML: `pyyaml` (YAML 1.1) or `ruamel` (YAML 1.2); `pyyaml` when left out",
);
pub(crate) const PLACEHOLDERS: Key = Key::optional(
    "placeholders",
    Shape::Text,
    "how placeholders are written: `shell` (`${NAME:-default}`), `colon` (`${NAME:default}`) or `none`; `shell` when left out",
);

/// What these two keys say; a word that is not known becomes a finding.
pub(crate) fn reading(fields: &Fields<'_>) -> ConfigReading {
    let word = |name: &str, known: &[&str]| {
        let word = fields.filled_text(name)?;
        if !known.contains(&word.as_str()) {
            fields.find(
                name,
                format!("`{name} = \"{word}\"` is not known"),
                format!("name one of: {}", known.join(", ")),
            );
        }
        Some(word)
    };
    ConfigReading {
        loader: word("loader", &["pyyaml", "ruamel"]),
        placeholders: word("placeholders", &["shell", "colon", "none"]),
    }
}
