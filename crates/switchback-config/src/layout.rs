//! How a configuration is laid out: which fragments it has, where the keys of each go, in which environment each holds, and how
//! they layer. It is said on the command line, in a plan, or in a file of rules.

use std::path::Path;

use crate::error::ConfigError;
use crate::path::KeyPath;
use crate::placeholder::Syntax;
use crate::read::{self, Format};
use crate::value::{Entry, Node, Value};
use crate::yaml::Loader;

/// What was asked for, before any file is looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layout {
    /// The fragments, in the order in which they layer.
    pub fragments: Vec<Pattern>,
    /// The environments; found in the names of the fragments when empty.
    pub environments: Vec<String>,
    /// Whether a later fragment wins over an earlier one. Else fragments of one level that differ are a conflict.
    pub later_wins: bool,
    /// Whose rules hold for YAML.
    pub loader: Loader,
    /// How placeholders are written.
    pub placeholders: Syntax,
    /// Environment variables that win over all files.
    pub variables: Option<Variables>,
    /// How conflicts are decided.
    pub decisions: Vec<Decision>,
}

/// Fragments by a path, a folder, or a pattern with `*` and `?`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Relative to the project.
    pub path: String,
    /// Where their keys go; `{stem}` is the name of the file without its ending.
    pub at: Option<String>,
    /// The only environment in which they hold.
    pub environment: Option<String>,
    /// Whose rules hold for these.
    pub loader: Option<Loader>,
}

/// Variables such as `APP__DB__HOST`, which is `db.host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// What their names begin with.
    pub prefix: String,
    /// What stands between keys.
    pub separator: String,
}

/// Whose value holds where fragments differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The key, or one above it.
    pub key: KeyPath,
    /// What holds.
    pub choice: Choice,
    /// The only environment in which it does.
    pub environment: Option<String>,
    /// Where it was decided, for messages.
    pub place: String,
}

/// What holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// What this fragment says.
    Take(String),
    /// This value.
    Value(Node),
}

impl Pattern {
    /// A path without anything else said of it.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), at: None, environment: None, loader: None }
    }
}

/// What may stand in a file of rules.
const KEYS: &[&str] =
    &["loader", "placeholders", "later_wins", "environments", "variables", "fragment", "decide"];

/// Whether a text is a file of rules: it names fragments.
pub fn is_rules(text: &[u8]) -> bool {
    read::read(text, Format::Toml, 0)
        .is_ok_and(|read| matches!(get(&read.root, "fragment"), Some(Node { value: Value::List(_), .. })))
}

/// Reads a file of rules onto a layout.
pub fn read_rules(layout: &mut Layout, text: &[u8], path: &str) -> Result<(), ConfigError> {
    let root = read::read(text, Format::Toml, 0)
        .map_err(|fault| ConfigError::unreadable(path, &fault, "TOML"))?
        .root;
    let rules = Rules { path };
    rules.known(&root, KEYS, "the rules")?;
    if let Some(node) = get(&root, "loader") {
        layout.loader = rules.loader(node)?;
    }
    if let Some(node) = get(&root, "placeholders") {
        let word = rules.text(node, "placeholders")?;
        layout.placeholders = Syntax::from_word(word)
            .ok_or_else(|| rules.wrong(node, "`placeholders` is `shell`, `colon` or `none`"))?;
    }
    if let Some(node) = get(&root, "later_wins") {
        let Value::Bool(flag) = node.value else {
            return Err(rules.wrong(node, "`later_wins` is `true` or `false`"));
        };
        layout.later_wins = flag;
    }
    for node in get(&root, "environments")
        .map(|node| rules.list(node, "environments"))
        .transpose()?
        .unwrap_or_default()
    {
        layout.environments.push(rules.text(node, "environments")?.to_owned());
    }
    if let Some(node) = get(&root, "variables") {
        layout.variables = Some(rules.variables(node)?);
    }
    for node in
        get(&root, "fragment").map(|node| rules.list(node, "fragment")).transpose()?.unwrap_or_default()
    {
        layout.fragments.push(rules.fragment(node)?);
    }
    for node in get(&root, "decide").map(|node| rules.list(node, "decide")).transpose()?.unwrap_or_default() {
        layout.decisions.push(rules.decision(node)?);
    }
    Ok(())
}

struct Rules<'p> {
    path: &'p str,
}

impl Rules<'_> {
    fn wrong(&self, node: &Node, reason: impl Into<String>) -> ConfigError {
        ConfigError::at(
            self.path,
            node.origin.line,
            reason,
            "correct the rules; docs/config.md lists what they can say",
        )
    }

    fn known(&self, node: &Node, keys: &[&str], what: &str) -> Result<(), ConfigError> {
        for Entry { key, .. } in node.entries().unwrap_or_default() {
            let name = crate::path::words(&key.value);
            if !keys.contains(&name.as_str()) {
                return Err(
                    self.wrong(key, format!("{what} have no `{name}`; they have: {}", keys.join(", ")))
                );
            }
        }
        Ok(())
    }

    fn text<'n>(&self, node: &'n Node, name: &str) -> Result<&'n str, ConfigError> {
        match &node.value {
            Value::Text(text) if !text.is_empty() => Ok(text),
            _ => Err(self.wrong(node, format!("`{name}` is text"))),
        }
    }

    fn list<'n>(&self, node: &'n Node, name: &str) -> Result<Vec<&'n Node>, ConfigError> {
        match &node.value {
            Value::List(items) => Ok(items.iter().collect()),
            _ => Err(self.wrong(node, format!("`{name}` is a list"))),
        }
    }

    fn loader(&self, node: &Node) -> Result<Loader, ConfigError> {
        let word = self.text(node, "loader")?;
        Loader::from_word(word).ok_or_else(|| self.wrong(node, "`loader` is `pyyaml` or `ruamel`"))
    }

    fn needed<'n>(&self, node: &'n Node, name: &str) -> Result<&'n str, ConfigError> {
        let found = get(node, name).ok_or_else(|| self.wrong(node, format!("`{name}` is missing")))?;
        self.text(found, name)
    }

    fn optional(&self, node: &Node, name: &str) -> Result<Option<String>, ConfigError> {
        get(node, name).map(|found| self.text(found, name).map(str::to_owned)).transpose()
    }

    fn variables(&self, node: &Node) -> Result<Variables, ConfigError> {
        self.known(node, &["prefix", "separator"], "`variables`")?;
        Ok(Variables {
            prefix: self.needed(node, "prefix")?.to_owned(),
            separator: self.optional(node, "separator")?.unwrap_or_else(|| "__".to_owned()),
        })
    }

    fn fragment(&self, node: &Node) -> Result<Pattern, ConfigError> {
        self.known(node, &["path", "at", "environment", "loader"], "fragments")?;
        Ok(Pattern {
            path: self.needed(node, "path")?.to_owned(),
            at: self.optional(node, "at")?,
            environment: self.optional(node, "environment")?,
            loader: get(node, "loader").map(|node| self.loader(node)).transpose()?,
        })
    }

    fn decision(&self, node: &Node) -> Result<Decision, ConfigError> {
        self.known(node, &["key", "take", "value", "environment"], "decisions")?;
        let key = self.needed(node, "key")?;
        let key = KeyPath::parse_shown(key)
            .map_err(|why| self.wrong(node, format!("`{key}` names no key: {why}")))?;
        let choice = match (self.optional(node, "take")?, get(node, "value")) {
            (Some(take), None) => Choice::Take(take),
            (None, Some(value)) => Choice::Value(value.clone()),
            _ => return Err(self.wrong(node, "a decision has either `take` or `value`")),
        };
        let environment = self.optional(node, "environment")?;
        Ok(Decision { key, choice, environment, place: format!("{}:{}", self.path, node.origin.line) })
    }
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(&Value::Text(key.to_owned()))
}

/// Names of environments that are known without being declared.
const KNOWN: &[&str] = &[
    "development",
    "dev",
    "local",
    "test",
    "testing",
    "ci",
    "qa",
    "uat",
    "staging",
    "stage",
    "preprod",
    "preproduction",
    "production",
    "prod",
    "live",
    "sandbox",
    "demo",
    "canary",
];

/// The environment that a path names: its stem, what follows the last dot, hyphen or underscore of it, or a folder.
pub fn environment_of(path: &Path, declared: &[String]) -> Option<String> {
    let is_one = |word: &str| {
        if declared.is_empty() {
            KNOWN.contains(&word.to_ascii_lowercase().as_str())
        } else {
            declared.iter().any(|name| name == word)
        }
    };
    let name = path.file_name()?.to_string_lossy();
    // `.env.production` has no stem of its own.
    let stem = match name.strip_prefix(".env.") {
        Some(rest) => rest.to_owned(),
        None => path.file_stem()?.to_string_lossy().into_owned(),
    };
    let last = stem.rsplit(['.', '-', '_']).next().unwrap_or(&stem);
    let folders = path.parent().into_iter().flat_map(Path::components).rev();
    let folders = folders.map(|part| part.as_os_str().to_string_lossy().into_owned());
    let found = [stem.clone(), last.to_owned()].into_iter().chain(folders).find(|word| is_one(word));
    // Two spellings are one environment, unless they were declared.
    found.map(|word| if declared.is_empty() { word.to_ascii_lowercase() } else { word })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_wrong_ones_are_named_with_their_line() {
        let mut layout = Layout::default();
        let rules = b"later_wins = true\nplaceholders = \"colon\"\nenvironments = [\"dev\"]\n[variables]\nprefix = \"APP__\"\n[[fragment]]\npath = \"a.yml\"\nat = \"x.{stem}\"\n[[decide]]\nkey = \"x.a\"\nvalue = 1\n";
        read_rules(&mut layout, rules, "rules.toml").unwrap();
        assert!(layout.later_wins && layout.placeholders == Syntax::Colon);
        assert_eq!(layout.fragments[0].at.as_deref(), Some("x.{stem}"));
        assert_eq!(layout.decisions[0].place, "rules.toml:9");
        for (rules, wanted) in [
            ("fragments = []", "rules.toml:1: the rules have no `fragments`"),
            ("loader = \"yaml\"", "rules.toml:1: `loader` is"),
            ("[[fragment]]\nat = \"x\"", "`path` is missing"),
            ("[[decide]]\nkey = \"a..b\"\nvalue = 1", "`a..b` names no key"),
            ("[[decide]]\nkey = \"a\"", "either `take` or `value`"),
            ("x = ", "rules.toml:1:"),
        ] {
            let told =
                read_rules(&mut Layout::default(), rules.as_bytes(), "rules.toml").unwrap_err().to_string();
            assert!(told.contains(wanted), "{rules}: {told}");
        }
    }

    #[test]
    fn an_environment_stands_in_the_name_or_in_a_folder() {
        for (path, wanted) in [
            ("config/prod.yml", Some("prod")),
            ("config/settings.production.toml", Some("production")),
            ("config/staging/db.yml", Some("staging")),
            (".env.test", Some("test")),
            ("config/products.yml", None),
            ("config/base.yaml", None),
        ] {
            assert_eq!(environment_of(Path::new(path), &[]).as_deref(), wanted, "{path}");
        }
        let declared = ["eu".to_owned()];
        assert_eq!(environment_of(Path::new("c/eu.yml"), &declared).as_deref(), Some("eu"));
        assert_eq!(environment_of(Path::new("c/prod.yml"), &declared), None);
    }
}
