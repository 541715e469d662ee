//! What two resolved configurations differ in, key by key and type by type.

use crate::path::{KeyPath, Step};
use crate::value::{Index, Node, Value, is_same};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The key.
    pub path: KeyPath,
    /// What it is.
    pub kind: Kind,
    /// What stood there.
    pub old: Option<Node>,
    /// What stands there.
    pub new: Option<Node>,
}

/// Of what kind a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The key is gone, with all that stood under it.
    Lost,
    /// The key is new, with all that stands under it.
    Added,
    /// The value is another one of the same type.
    Value,
    /// The value is of another type.
    Type,
}

impl Kind {
    /// Its word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Added => "added",
            Self::Value => "value",
            Self::Type => "type",
        }
    }
}

/// All differences, in the order of the old keys, then of the new ones. Lists of one length are compared item by item.
pub fn differences(old: &Node, new: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(old, new, &KeyPath::default(), &mut found);
    found
}

fn walk(old: &Node, new: &Node, path: &KeyPath, found: &mut Vec<Difference>) {
    match (&old.value, &new.value) {
        (Value::Map(one), Value::Map(other)) => {
            let (in_old, in_new) = (Index::new(one), Index::new(other));
            for entry in one {
                let path = path.key(&entry.key.value);
                let counterpart = in_new.find(&entry.key.value).map(|at| &other[at]);
                match counterpart {
                    None => found.push(Difference {
                        path,
                        kind: Kind::Lost,
                        old: Some(entry.node.clone()),
                        new: None,
                    }),
                    Some(other) if !is_same(&entry.key.value, &other.key.value) => found.push(Difference {
                        path,
                        kind: Kind::Type,
                        old: Some(entry.key.clone()),
                        new: Some(other.key.clone()),
                    }),
                    Some(other) => walk(&entry.node, &other.node, &path, found),
                }
            }
            let added = other.iter().filter(|entry| in_old.find(&entry.key.value).is_none());
            found.extend(added.map(|entry| Difference {
                path: path.key(&entry.key.value),
                kind: Kind::Added,
                old: None,
                new: Some(entry.node.clone()),
            }));
        }
        (Value::List(one), Value::List(other)) if one.len() == other.len() => {
            for (at, (old, new)) in one.iter().zip(other).enumerate() {
                walk(old, new, &path.with(Step::Item(at)), found);
            }
        }
        (one, other) if is_same(one, other) => {}
        (one, other) => found.push(Difference {
            path: path.clone(),
            kind: if one.type_name() == other.type_name() { Kind::Value } else { Kind::Type },
            old: Some(old.clone()),
            new: Some(new.clone()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    #[test]
    fn every_kind_is_found_at_its_key() {
        let yaml = |text: &str| read(text.as_bytes(), Format::Yaml(Loader::PyYaml), 0).unwrap().root;
        let old = yaml("a: 1\nb: {c: x, d: [1, 2]}\ne: null\nf: 1\ng: [1]\n1: x");
        let new = yaml("a: 1.0\nb: {c: y, d: [1, 3]}\nf: 1\ng: [1, 2]\nh: 2\ntrue: x");
        let told: Vec<String> = differences(&old, &new)
            .iter()
            .map(|difference| format!("{} {}", difference.path, difference.kind.word()))
            .collect();
        assert_eq!(told, ["a type", "b.c value", "b.d[1] value", "e lost", "g value", "1 type", "h added"]);
        assert_eq!(differences(&old, &old), []);
    }
}
