//! The rules of a move: the format of the file that `--rules` names, and the moves typed on the command line.

use std::path::PathBuf;

use serde::Deserialize;

use super::signature::Signature;

/// A rules file that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{path}`{place}: {message}", path = path.display(), place = line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct RulesError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// One thing and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// What it is called now: a dotted name, or for moves a path too.
    pub from: String,
    /// What it will be called.
    pub to: String,
}

/// A file that the rules must not move.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leave {
    /// Its path.
    pub path: String,
}

/// All rules of one move. They hold at once, on the original names; the longest match wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rules {
    /// Modules, packages, files and folders that move.
    #[serde(default, rename = "move")]
    pub moves: Vec<Pair>,
    /// Single definitions that move, or that a facade keeps under the same name.
    #[serde(default, rename = "symbol")]
    pub symbols: Vec<Pair>,
    /// Packages whose own body becomes another module.
    #[serde(default, rename = "package-body")]
    pub bodies: Vec<Pair>,
    /// Files that stay.
    #[serde(default, rename = "leave")]
    pub leaves: Vec<Leave>,
    /// Functions that are called as they were under their old names.
    #[serde(default, rename = "signature")]
    pub signatures: Vec<Signature>,
    /// A mapping file beside the rules, whose calls are signatures as well.
    #[serde(default)]
    pub mapping: Option<PathBuf>,
    /// Whether tasks whose registered name is made from their module's get the old name written out.
    #[serde(default)]
    pub pin_task_names: bool,
    /// Whether definitions that rules name are moved by hand, before or after.
    #[serde(default)]
    pub definitions_by_hand: bool,
}

impl Rules {
    /// Reads a rules file.
    pub fn read(path: PathBuf, text: &str) -> Result<Self, RulesError> {
        toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
            RulesError { path, line, message: error.message().to_owned() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_rule_is_read() {
        let text = "pin-task-names = true\n[[move]]\nfrom = \"a\"\nto = \"b\"\n[[symbol]]\nfrom = \"a.f\"\nto = \"c.f\"\n\
                    [[package-body]]\nfrom = \"a.core\"\nto = \"a\"\n[[leave]]\npath = \"a/__init__.py\"\n";
        let rules = Rules::read(PathBuf::from("r.toml"), text).unwrap();
        assert_eq!(rules.moves, [Pair { from: "a".into(), to: "b".into() }]);
        assert_eq!(rules.symbols[0].to, "c.f");
        assert_eq!(rules.bodies[0].from, "a.core");
        assert_eq!(rules.leaves[0].path, "a/__init__.py");
        assert!(rules.pin_task_names);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = Rules::read(PathBuf::from("r.toml"), "[[move]]\nfrom = \"a\"\nto = \"b\"\nform = 1\n")
            .unwrap_err();
        assert_eq!(error.line, Some(4));
        assert!(error.message.contains("form"), "{error}");
    }
}
