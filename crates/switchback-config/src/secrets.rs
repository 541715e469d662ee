//! Literal secrets in a configuration: found, and replaced by placeholders before anything is written.

use std::collections::{HashMap, HashSet};

use switchback_core::secret::{Suspicion, clean_output, suspect};

use crate::path::{KeyPath, Step, words};
use crate::placeholder::Syntax;
use crate::value::{Node, Origin, Style, Value};

/// A literal secret. It never holds the value.
#[derive(Debug, Clone, PartialEq)]
pub struct SecretFinding {
    /// Its key.
    pub path: KeyPath,
    /// Where it is written.
    pub origin: Origin,
    /// Why it is taken for one.
    pub why: Suspicion,
    /// The environment variable that is to hold it from now on.
    pub variable: String,
}

/// The names of variables for secrets, one a key.
#[derive(Debug, Default)]
pub struct Variables {
    /// By the path with the types of its keys: `1` and `"1"` are two keys.
    by_path: HashMap<String, String>,
    /// Names that mean something already.
    taken: HashSet<String>,
}

/// Variables that every program has.
const USUAL: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "PWD",
    "OLDPWD",
    "LANG",
    "TERM",
    "HOSTNAME",
    "LOGNAME",
    "TMPDIR",
    "EDITOR",
    "PYTHONPATH",
    "MAIL",
    "IFS",
    "PS1",
    "TZ",
    "DISPLAY",
];

impl Variables {
    /// None yet, and none that the trees name or every program has.
    pub fn besides(trees: &[Node]) -> Self {
        let mut taken: HashSet<String> = USUAL.iter().map(|name| (*name).to_owned()).collect();
        for (_, leaf) in trees.iter().flat_map(crate::layers::leaves) {
            named(leaf, &mut taken);
        }
        Self { by_path: HashMap::new(), taken }
    }

    /// `DB_PASSWORD` for `db.password`; numbered where two keys would have one name.
    fn name(&mut self, path: &KeyPath) -> String {
        let typed = format!("{path:?}");
        if let Some(known) = self.by_path.get(&typed) {
            return known.clone();
        }
        let shown = path.to_string();
        let mut base: String = shown
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
            .collect();
        while base.contains("__") {
            base = base.replace("__", "_");
        }
        let base = base.trim_matches('_');
        let base = if base.starts_with(|letter: char| letter.is_ascii_digit()) {
            format!("_{base}")
        } else {
            base.to_owned()
        };
        let is_taken =
            |name: &str| self.taken.contains(name) || self.by_path.values().any(|known| known == name);
        let (mut name, mut number) = (base.clone(), 2);
        while is_taken(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.by_path.insert(typed, name.clone());
        name
    }
}

/// The names in the placeholders of a value, and of what stands in a list.
fn named(node: &Node, taken: &mut HashSet<String>) {
    match &node.value {
        Value::Text(text) => {
            for part in text.split("${").skip(1) {
                let part = part.strip_prefix("env:").unwrap_or(part);
                let end = part.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
                taken.insert(part[..end.unwrap_or(part.len())].to_owned());
            }
        }
        Value::List(items) => items.iter().for_each(|item| named(item, taken)),
        Value::Map(entries) => entries.iter().for_each(|entry| named(&entry.node, taken)),
        _ => {}
    }
}

/// Whether the value at a path is a literal secret, and why.
pub fn suspicion(path: &KeyPath, value: &Value) -> Option<Suspicion> {
    let text = match value {
        Value::Text(text) | Value::Date(text) | Value::Clock(text) | Value::Time(text) => text.clone(),
        // A PIN, or a password of digits.
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bytes(_) => "(bytes)".to_owned(),
        _ => return None,
    };
    let keys: Vec<String> = path
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(words(key)),
            Step::Item(_) => None,
        })
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    suspect(&keys, &text).filter(|why| matches!(value, Value::Text(_)) || is_number_secret(*why, &keys))
}

/// Of numbers only what a password's key names: `max_tokens` and ports are none.
fn is_number_secret(why: Suspicion, keys: &[&str]) -> bool {
    let certain = ["password", "passwd", "passphrase", "pin"];
    let last = keys.last().map(|key| key.to_ascii_lowercase()).unwrap_or_default();
    why == Suspicion::Name && certain.iter().any(|word| last == *word || last.ends_with(&format!("_{word}")))
}

/// Replaces every literal secret of a tree by a placeholder.
pub fn replace(root: &mut Node, syntax: Syntax, variables: &mut Variables) -> Vec<SecretFinding> {
    let mut found = Vec::new();
    walk(root, &KeyPath::default(), syntax, variables, &mut found);
    found
}

fn walk(
    node: &mut Node,
    path: &KeyPath,
    syntax: Syntax,
    variables: &mut Variables,
    found: &mut Vec<SecretFinding>,
) {
    // What was commented out may be a secret as well.
    for comment in node.comments.iter_mut().flat_map(|comments| comments.all_mut()) {
        *comment = clean_output(comment);
    }
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries {
                walk(&mut entry.node, &path.key(&entry.key.value), syntax, variables, found);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                walk(item, &path.with(Step::Item(at)), syntax, variables, found);
            }
        }
        value => {
            let Some(why) = suspicion(path, value) else { return };
            let variable = variables.name(path);
            found.push(SecretFinding {
                path: path.clone(),
                origin: node.origin,
                why,
                variable: variable.clone(),
            });
            if syntax != Syntax::None {
                node.value = Value::Text(format!("${{{variable}}}"));
                node.style = Style::DoubleQuoted;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    #[test]
    fn a_literal_secret_becomes_a_placeholder_of_its_own() {
        let text = "db: {password: hunter2, user: me, port: 5432}\ndb_password: other\nlist:\n  - token: a1b2c3d4e5\npin: 1234\n";
        let mut root = read(text.as_bytes(), Format::Yaml(Loader::PyYaml), 0).unwrap().root;
        let found = replace(&mut root, Syntax::Shell, &mut Variables::default());
        let told: Vec<String> =
            found.iter().map(|secret| format!("{} {}", secret.path, secret.variable)).collect();
        assert_eq!(
            told,
            ["db.password DB_PASSWORD", "db_password DB_PASSWORD_2", "list[0].token LIST_0_TOKEN", "pin PIN"]
        );
        let shown = format!("{root:?}");
        for secret in ["hunter2", "other", "a1b2c3d4e5", "1234"] {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}
