//! How a key is named: `db.host`, `kpis."risk.par_30".formula`, `hosts[0]`.

use std::fmt;

use crate::value::{Node, Value, is_same, is_same_key};

/// Longer paths lead to nothing that is read.
const STEPS_MAX: usize = 200;

/// One step from a map to what stands under a key, or from a list to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Under this key.
    Key(Value),
    /// The item of this number, from 0.
    Item(usize),
}

/// The way from the root to a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyPath {
    steps: Vec<Step>,
}

impl KeyPath {
    /// One step further.
    #[must_use]
    pub fn with(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { steps }
    }

    /// Under a key.
    #[must_use]
    pub fn key(&self, key: &Value) -> Self {
        self.with(Step::Key(key.clone()))
    }

    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The key of the last step that has one.
    pub fn last_key(&self) -> Option<&Value> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            Step::Item(_) => None,
        })
    }

    /// Reads a name as it is typed: parts between dots, in double quotes where a part has dots of its own, `[0]` for an item.
    /// Every key is text; [`find`] also finds keys of other types by their words.
    pub fn parse(name: &str) -> Result<Self, String> {
        Self::parse_as(name, |part| Value::Text(part.to_owned()))
    }

    /// Reads a name as [`KeyPath`] shows it: a part without quotes that is a number, a truth or `null` is a key of that type, where
    /// there is one; else the text.
    pub fn parse_shown(name: &str) -> Result<Self, String> {
        Self::parse_as(name, |part| other_than_text(part).unwrap_or_else(|| Value::Text(part.to_owned())))
    }

    fn parse_as(name: &str, key_of: impl Fn(&str) -> Value) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = name.trim();
        while !rest.is_empty() {
            let (step, left) = if let Some(item) = rest.strip_prefix('[') {
                item_step(item).ok_or_else(|| format!("`{rest}` is not `[NUMBER]`"))?
            } else if let Some(quoted) = rest.strip_prefix('"') {
                quoted_step(quoted).ok_or_else(|| format!("`{rest}` has no closing quote"))?
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                (Step::Key(key_of(&rest[..end])), &rest[end..])
            };
            if matches!(&step, Step::Key(Value::Text(text)) if text.is_empty()) {
                return Err("it has an empty part".to_owned());
            }
            steps.push(step);
            if steps.len() > STEPS_MAX {
                return Err(format!("it has more than {STEPS_MAX} parts"));
            }
            rest = match left.strip_prefix('.') {
                Some("") => return Err("it ends with a dot".to_owned()),
                Some(after) => after,
                None if left.is_empty() || left.starts_with('[') => left,
                None => return Err(format!("a dot was expected before `{left}`")),
            };
        }
        if steps.is_empty() { Err("it is empty".to_owned()) } else { Ok(Self { steps }) }
    }
}

fn item_step(text: &str) -> Option<(Step, &str)> {
    let (number, left) = text.split_once(']')?;
    Some((Step::Item(number.parse().ok()?), left))
}

fn quoted_step(text: &str) -> Option<(Step, &str)> {
    let mut part = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((Step::Key(Value::Text(part)), &text[at + 1..])),
            '\\' => part.push(letters.next()?.1),
            letter => part.push(letter),
        }
    }
    None
}

/// What stands at a path.
pub fn find<'n>(root: &'n Node, path: &KeyPath) -> Option<&'n Node> {
    path.steps.iter().try_fold(root, |node, step| match (step, &node.value) {
        (Step::Item(number), Value::List(items)) => items.get(*number),
        (Step::Key(key), Value::Map(entries)) => {
            let exact = entries.iter().find(|entry| is_same(&entry.key.value, key));
            let in_words = || entries.iter().find(|entry| words(&entry.key.value) == words(key));
            let same = || entries.iter().find(|entry| is_same_key(&entry.key.value, key));
            exact.or_else(in_words).or_else(same).map(|entry| &entry.node)
        }
        _ => None,
    })
}

/// The key of another type than text that these words stand for, as [`words`] has them.
fn other_than_text(part: &str) -> Option<Value> {
    let found = match part {
        "null" => Value::Null,
        "true" | "false" => Value::Bool(part == "true"),
        _ => match (part.parse().map(Value::Integer), part.parse().map(Value::Float)) {
            (Ok(whole), _) => whole,
            (_, Ok(float)) => float,
            _ => return None,
        },
    };
    (words(&found) == part).then_some(found)
}

/// A key in words.
pub fn words(key: &Value) -> String {
    match key {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) | Value::Date(text) | Value::Clock(text) | Value::Time(text) => text.clone(),
        Value::Bytes(_) => "(bytes)".to_owned(),
        Value::List(_) | Value::Map(_) => "(collection)".to_owned(),
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return formatter.write_str("(root)");
        }
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Item(number) => write!(formatter, "[{number}]")?,
                Step::Key(key) => {
                    if at > 0 {
                        formatter.write_str(".")?;
                    }
                    let words = words(key);
                    let is_plain = !words.is_empty()
                        && words.chars().all(|letter| {
                            !letter.is_whitespace() && !letter.is_control() && !".[]\"\\".contains(letter)
                        })
                        // `"1"` is a text, and `1` a number.
                        && !(matches!(key, Value::Text(_)) && other_than_text(&words).is_some());
                    if is_plain {
                        formatter.write_str(&words)?;
                    } else {
                        formatter.write_str(&quoted(&words))?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Text between double quotes, with control characters as escapes, so that a name stays on its line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.extend(letter.escape_default()),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_it_is_shown() {
        for shown in
            ["db", "db.host", "kpis.\"risk.par_30\".formula", "hosts[0].name", "a[1][2]", "\"a b\".c"]
        {
            assert_eq!(KeyPath::parse(shown).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_text_that_looks_like_another_type_is_told_from_it() {
        use crate::read::{Format, read};
        let text = "a:\n  1: whole\n  '1': text\n  null: nothing\n  'null': word\n  0.5: half\n";
        let root = read(text.as_bytes(), Format::Yaml(crate::yaml::Loader::PyYaml), 0).unwrap().root;
        let found = |path: &KeyPath| find(&root, path).map(|node| words(&node.value)).unwrap_or_default();
        let shown: Vec<String> =
            crate::layers::leaves(&root).iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(shown, ["a.1", "a.\"1\"", "a.null", "a.\"null\"", "a.\"0.5\""]);
        let again: Vec<String> =
            shown.iter().map(|shown| found(&KeyPath::parse_shown(shown).unwrap())).collect();
        assert_eq!(again, ["whole", "text", "nothing", "word", "half"]);
        // Where keys go is said in text.
        assert_eq!(KeyPath::parse("a.1").unwrap().steps()[1], Step::Key(Value::Text("1".to_owned())));
        assert_eq!(found(&KeyPath::parse("a.1").unwrap()), "text");
    }

    #[test]
    fn a_path_that_is_none_says_why() {
        for (typed, wanted) in [
            ("", "empty"),
            ("a.", "ends with a dot"),
            ("a..b", "empty part"),
            ("a[x]", "not `[NUMBER]`"),
            ("\"a", "closing quote"),
            ("\"a\"b", "a dot was expected"),
        ] {
            let why = KeyPath::parse(typed).unwrap_err();
            assert!(why.contains(wanted), "{typed}: {why}");
        }
    }
}
