//! Placeholders, filled in after all layers are laid: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${env:NAME}`,
//! `${some.key}`, `$$` for a dollar sign.

use std::collections::HashMap;

use crate::path::{KeyPath, Step, find, words};
use crate::value::{Node, Value};

/// How placeholders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Syntax {
    /// As in a shell (POSIX.1-2024, 2.6.2): `:-` gives a default, `:?` a message, without the colon an empty value counts. What is
    /// missing is an error.
    #[default]
    Shell,
    /// `${NAME:default}`, as many small loaders have it: what is missing and has no default is empty.
    Colon,
    /// A dollar sign is a dollar sign.
    None,
}

impl Syntax {
    /// Its word in plans and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Colon => "colon",
            Self::None => "none",
        }
    }

    /// The syntax of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Shell, Self::Colon, Self::None].into_iter().find(|syntax| syntax.word() == word)
    }
}

/// A placeholder that cannot be filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfilled {
    /// The key whose value it stands in.
    pub path: KeyPath,
    /// Where that is written.
    pub origin: crate::value::Origin,
    /// Why.
    pub reason: String,
}

/// A tree with its placeholders filled in.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The tree.
    pub root: Node,
    /// The keys into whose values something from the environment went, with the names of the variables.
    pub from_environment: Vec<(KeyPath, Vec<String>)>,
    /// What could not be filled in: its text is left.
    pub unfilled: Vec<Unfilled>,
}

/// Placeholders within placeholders, and keys that refer to keys.
const DEPTH_MAX: usize = 100;
/// A value that comes to more is a few lines that refer to each other.
const FILLED_BYTES_MAX: usize = 1 << 20;

/// Whether anything in a tree could be a placeholder.
pub fn could_be_filled(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => text.contains('$'),
        Value::List(items) => items.iter().any(could_be_filled),
        Value::Map(entries) => entries.iter().any(|entry| could_be_filled(&entry.node)),
        _ => false,
    }
}

/// Fills in the placeholders of a tree from environment variables and from the tree itself.
pub fn fill(root: &Node, syntax: Syntax, variable: &dyn Fn(&str) -> Option<String>) -> Filled {
    let mut filler = Filler {
        root,
        syntax,
        variable,
        done: HashMap::new(),
        depth: 0,
        from_environment: Vec::new(),
        unfilled: Vec::new(),
    };
    let filled = if syntax == Syntax::None { root.clone() } else { filler.node(root, &KeyPath::default()) };
    Filled { root: filled, from_environment: filler.from_environment, unfilled: filler.unfilled }
}

struct Filler<'a> {
    root: &'a Node,
    syntax: Syntax,
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// What the text at a path came to, and the variables in it.
    done: HashMap<String, (String, Vec<String>)>,
    /// How deep it is in placeholders.
    depth: usize,
    from_environment: Vec<(KeyPath, Vec<String>)>,
    unfilled: Vec<Unfilled>,
}

impl Filler<'_> {
    fn node(&mut self, node: &Node, path: &KeyPath) -> Node {
        let value = match &node.value {
            Value::Text(text) if text.contains('$') => match self.at(path, text, &mut Vec::new()) {
                Ok((filled, variables)) => {
                    if !variables.is_empty() {
                        self.from_environment.push((path.clone(), variables));
                    }
                    Value::Text(filled)
                }
                Err(reason) => {
                    self.unfilled.push(Unfilled { path: path.clone(), origin: node.origin, reason });
                    node.value.clone()
                }
            },
            Value::List(items) => Value::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.node(item, &path.with(Step::Item(at))))
                    .collect(),
            ),
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|entry| crate::value::Entry {
                        key: entry.key.clone(),
                        node: self.node(&entry.node, &path.key(&entry.key.value)),
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Node { value, ..node.clone() }
    }

    /// The text at a path, filled in; `open` are the paths that wait for it.
    fn at(
        &mut self,
        path: &KeyPath,
        text: &str,
        open: &mut Vec<String>,
    ) -> Result<(String, Vec<String>), String> {
        let typed = format!("{path:?}");
        if let Some(done) = self.done.get(&typed) {
            return Ok(done.clone());
        }
        let name = path.to_string();
        if let Some(begin) = open.iter().position(|waiting| *waiting == name) {
            let circle: Vec<&str> = open[begin..].iter().map(String::as_str).chain([name.as_str()]).collect();
            return Err(format!("it refers to itself: {}", circle.join(" → ")));
        }
        open.push(name.clone());
        let mut variables = Vec::new();
        let filled = self.text(text, open, &mut variables);
        open.pop();
        let done = (filled?, variables);
        self.done.insert(typed, done.clone());
        Ok(done)
    }

    fn text(
        &mut self,
        text: &str,
        open: &mut Vec<String>,
        variables: &mut Vec<String>,
    ) -> Result<String, String> {
        self.depth += 1;
        let filled = if self.depth > DEPTH_MAX {
            Err(format!("placeholders are nested deeper than {DEPTH_MAX} levels"))
        } else {
            self.filled(text, open, variables)
        };
        self.depth -= 1;
        filled
    }

    fn filled(
        &mut self,
        text: &str,
        open: &mut Vec<String>,
        variables: &mut Vec<String>,
    ) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if self.syntax == Syntax::Shell && rest.starts_with('$') {
                filled.push('$');
                rest = &rest[1..];
            } else if let Some(inner) = rest.strip_prefix('{') {
                let end = closing(inner).ok_or_else(|| "a `${` is opened and not closed".to_owned())?;
                filled.push_str(&self.one(&inner[..end], open, variables)?);
                rest = &inner[end + 1..];
            } else {
                filled.push('$');
            }
        }
        filled.push_str(rest);
        if filled.len() > FILLED_BYTES_MAX {
            return Err(format!("it comes to more than {FILLED_BYTES_MAX} bytes"));
        }
        Ok(filled)
    }

    fn one(
        &mut self,
        inner: &str,
        open: &mut Vec<String>,
        variables: &mut Vec<String>,
    ) -> Result<String, String> {
        let (name, otherwise) = parts(inner, self.syntax);
        if name.is_empty() {
            return Err("a placeholder names nothing".to_owned());
        }
        let found = self.look_up(name, open, variables)?;
        match otherwise {
            Otherwise::Default { text, when_empty } => match found {
                Some(found) if !(found.is_empty() && when_empty) => Ok(found),
                _ => {
                    // A default of what names a secret is shown no more than the secret.
                    variables.push(name.to_owned());
                    if self.syntax == Syntax::Colon {
                        Ok(text.to_owned())
                    } else {
                        self.text(text, open, variables)
                    }
                }
            },
            Otherwise::Message { text, when_empty } => match found {
                Some(found) if !(found.is_empty() && when_empty) => Ok(found),
                _ if text.is_empty() => Err(format!("`{name}` is not set")),
                _ => Err(format!("`{name}` is not set: {text}")),
            },
            Otherwise::Nothing => match found {
                Some(found) => Ok(found),
                None if self.syntax == Syntax::Colon => Ok(String::new()),
                None => Err(format!("`{name}` is neither an environment variable that is set nor a key")),
            },
        }
    }

    fn look_up(
        &mut self,
        name: &str,
        open: &mut Vec<String>,
        variables: &mut Vec<String>,
    ) -> Result<Option<String>, String> {
        if let Some(name) = name.strip_prefix("env:") {
            return Ok(self.variable(name, variables));
        }
        let is_variable =
            name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if !is_variable
            && let Ok(path) = KeyPath::parse(name)
            && let Some(node) = find(self.root, &path)
        {
            return match &node.value {
                Value::Text(text) => {
                    let (text, more) = self.at(&path, &text.clone(), open)?;
                    variables.extend(more);
                    if crate::secrets::suspicion(&path, &Value::Text(text.clone())).is_some() {
                        variables.push(path.to_string());
                    }
                    Ok(Some(text))
                }
                value if value.is_collection() || *value == Value::Null => {
                    Err(format!("the key `{path}` holds {}, which has no text", value.type_name()))
                }
                value => Ok(Some(words(value))),
            };
        }
        Ok(self.variable(name, variables))
    }

    fn variable(&self, name: &str, variables: &mut Vec<String>) -> Option<String> {
        let found = (self.variable)(name)?;
        if !variables.iter().any(|known| known == name) {
            variables.push(name.to_owned());
        }
        Some(found)
    }
}

/// Where the brace closes that was opened before this text; braces within are placeholders in a default.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

enum Otherwise<'t> {
    Nothing,
    Default { text: &'t str, when_empty: bool },
    Message { text: &'t str, when_empty: bool },
}

fn parts(inner: &str, syntax: Syntax) -> (&str, Otherwise<'_>) {
    if syntax == Syntax::Colon {
        return match inner.split_once(':') {
            Some((name, text)) => (name, Otherwise::Default { text, when_empty: false }),
            None => (inner, Otherwise::Nothing),
        };
    }
    // `env:NAME` has a colon of its own.
    let from = if inner.starts_with("env:") { 4 } else { 0 };
    let Some(at) = inner[from..].find([':', '-', '?']).map(|at| at + from) else {
        return (inner, Otherwise::Nothing);
    };
    let (name, rest) = inner.split_at(at);
    for (sign, when_empty) in [(":-", true), ("-", false)] {
        if let Some(text) = rest.strip_prefix(sign) {
            return (name, Otherwise::Default { text, when_empty });
        }
    }
    for (sign, when_empty) in [(":?", true), ("?", false)] {
        if let Some(text) = rest.strip_prefix(sign) {
            return (name, Otherwise::Message { text, when_empty });
        }
    }
    (inner, Otherwise::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    fn filled(text: &str, key: &str, syntax: Syntax) -> Result<String, String> {
        let root = read(text.as_bytes(), Format::Yaml(Loader::PyYaml), 0).unwrap().root;
        let variable = |name: &str| match name {
            "DB_PW" => Some("s3cret".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let filled = fill(&root, syntax, &variable);
        if let Some(unfilled) = filled.unfilled.first() {
            return Err(format!("{}: {}", unfilled.path, unfilled.reason));
        }
        Ok(words(&find(&filled.root, &KeyPath::parse(key).unwrap()).unwrap().value))
    }

    #[test]
    fn d59_keys_variables_defaults_and_escapes() {
        let text = "db: {user: me, host: h, port: 5432}\nurl: \"postgres://${db.user}:${env:DB_PW}@${db.host}:${db.port}/${db.name:-app}\"\ncost: 5$$ or $5\nnested: ${NOT_SET:-${db.user}-x}\nempty: x${EMPTY:-y}${EMPTY-w}z\n";
        for (key, wanted) in [
            ("url", "postgres://me:s3cret@h:5432/app"),
            ("cost", "5$ or $5"),
            ("nested", "me-x"),
            ("empty", "xyz"),
        ] {
            assert_eq!(filled(text, key, Syntax::Shell).unwrap(), wanted);
        }
    }

    #[test]
    fn d59_what_is_missing_or_circular_is_named_with_its_key() {
        for (text, wanted) in [
            ("a: {b: \"${NOT_SET}\"}", "a.b: `NOT_SET` is neither"),
            ("a: \"${NOT_SET:?set it in the vault}\"", "a: `NOT_SET` is not set: set it in the vault"),
            ("a: ${b}\nb: ${c}\nc: ${a}", "a: it refers to itself: a → b → c → a"),
            ("a: ${b}\nb: [1]", "a: the key `b` holds list"),
            ("a: ${b", "a: a `${` is opened"),
            ("a: ${}", "a: a placeholder names nothing"),
        ] {
            let why = filled(text, "a", Syntax::Shell).unwrap_err();
            assert!(why.starts_with(wanted), "{why}");
        }
    }

    #[test]
    fn other_syntaxes() {
        assert_eq!(filled("a: ${X:d}${Y}$$", "a", Syntax::Colon).unwrap(), "d$$");
        assert_eq!(filled("a: ${X:-d}", "a", Syntax::Colon).unwrap(), "-d");
        assert_eq!(filled("a: ${X}", "a", Syntax::None).unwrap(), "${X}");
    }
}
