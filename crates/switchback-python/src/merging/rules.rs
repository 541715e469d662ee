//! The rules of a merge: the format of the file that `--rules` names, and of the decisions that are replayed.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::glob::Glob;
use crate::moving::{Leave, Pair, RulesError};

/// Files that come to lie somewhere else, by a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Which files: a path in the project with `*`, `?` and `**`.
    pub from: String,
    /// Where they go: a folder, with `/` at its end, or a path with the same stars in the same order.
    pub to: String,
}

/// How a conflict is decided.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The file, in the merged tree.
    pub path: String,
    /// The definition, dotted; nothing for the file as a whole.
    #[serde(default)]
    pub definition: Option<String>,
    /// Which of several conflicts within it, from 1.
    #[serde(default)]
    pub number: Option<usize>,
    /// `source`, `target`, `both` (the target's first) or `file`; empty while it is open.
    pub take: String,
    /// For `file`: where what stands there instead is to be read, relative to the rules.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// The hash of what was decided upon; a decision on anything else is void.
    #[serde(default)]
    pub inputs: Option<String>,
}

/// A loss that is meant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GiveUp {
    /// `module:Class.method`, or a test id.
    pub name: String,
}

/// A program that merges files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// Which files: a path in the merged tree with `*`, `?` and `**`.
    pub files: String,
    /// What is run: `%O` is the ancestor, `%A` the target's file, into which the result is written, `%B` the source's,
    /// `%L` the length of markers, `%P` the path.
    pub command: String,
}

/// All rules of one merge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MergeRules {
    /// What one side moved: the other follows.
    #[serde(default, rename = "move")]
    pub moves: Vec<Pair>,
    /// Single definitions that moved.
    #[serde(default, rename = "symbol")]
    pub symbols: Vec<Pair>,
    /// Files that the rules must not move.
    #[serde(default, rename = "leave")]
    pub leaves: Vec<Leave>,
    /// Restructuring by pattern; the first that fits a file holds.
    #[serde(default, rename = "place")]
    pub places: Vec<Place>,
    /// Decisions.
    #[serde(default, rename = "decide")]
    pub decisions: Vec<Decision>,
    /// Losses that are meant.
    #[serde(default, rename = "give-up")]
    pub given_up: Vec<GiveUp>,
    /// Programs that merge files; the first that fits a file holds.
    #[serde(default, rename = "driver")]
    pub drivers: Vec<Driver>,
}

impl MergeRules {
    /// Reads a rules file.
    pub fn read(path: &Path, text: &str) -> Result<Self, RulesError> {
        let failed =
            |line: Option<usize>, message: String| RulesError { path: path.to_owned(), line, message };
        let rules: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            failed(line, error.message().to_owned())
        })?;
        for place in &rules.places {
            if let Err(why) = Glob::new(&place.from).fits_into(&place.to) {
                return Err(failed(None, why));
            }
        }
        for decision in &rules.decisions {
            let is_known = matches!(decision.take.as_str(), "" | "source" | "target" | "both" | "file");
            if !is_known {
                let message = format!("`take = \"{}\"` is none of source, target, both, file", decision.take);
                return Err(failed(None, message));
            }
            if (decision.take == "file") != decision.file.is_some() {
                let message =
                    format!("the decision on `{}`: `take = \"file\"` and `file` go together", decision.path);
                return Err(failed(None, message));
            }
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        MergeRules::read(Path::new("r.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_rule_is_read() {
        let text = "[[move]]\nfrom = \"a\"\nto = \"b\"\n[[place]]\nfrom = \"a/**/*.py\"\nto = \"b/**/*.py\"\n\
                    [[decide]]\npath = \"x.py\"\ndefinition = \"K.f\"\ntake = \"both\"\ninputs = \"12\"\n\
                    [[give-up]]\nname = \"x:f\"\n[[driver]]\nfiles = \"*.po\"\ncommand = \"m %O %A %B\"\n";
        let rules = MergeRules::read(Path::new("r.toml"), text).unwrap();
        assert_eq!(rules.moves.len() + rules.places.len() + rules.given_up.len() + rules.drivers.len(), 4);
        assert_eq!(rules.decisions[0].definition.as_deref(), Some("K.f"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(error("[[decide]]\npath = \"x\"\ntake = \"mine\"\n").contains("none of source"));
        assert!(error("[[decide]]\npath = \"x\"\ntake = \"file\"\n").contains("go together"));
        assert!(error("[[place]]\nfrom = \"a/*.py\"\nto = \"b/**/*.py\"\n").contains("stars"));
        assert!(error("[[place]]\nform = 1\n").contains("line 2"));
    }
}
