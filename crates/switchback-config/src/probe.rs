//! Whether an old configuration serves a new program (OM-3): which keys it lacks, which it has in excess, which are of another type.
//! What the new program needs is said by an example of its configuration.

use serde_json::{Value as Json, json};
use switchback_core::verdict::Verdict;

use crate::merging::document::{SCHEMA, value_json};
use crate::path::{KeyPath, Step};
use crate::resolve::Resolved;
use crate::value::{Index, Node, Value};

/// What speaks for or against an old configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Keys that the new program needs and the old configuration lacks.
    pub lacking: Vec<KeyPath>,
    /// Keys that only the old configuration has.
    pub excess: Vec<KeyPath>,
    /// Keys of another type: the old value, and the new one.
    pub types: Vec<(KeyPath, Node, Node)>,
    /// How many keys were looked at.
    pub keys: usize,
}

/// Probes an old configuration against an example of a new one. Values are not compared, nor are the items of lists beyond the
/// first of each.
pub fn probe(old: &Node, example: &Node) -> Probe {
    let mut probe = Probe { lacking: Vec::new(), excess: Vec::new(), types: Vec::new(), keys: 0 };
    walk(old, example, &KeyPath::default(), &mut probe);
    probe
}

fn walk(old: &Node, example: &Node, path: &KeyPath, probe: &mut Probe) {
    probe.keys += 1;
    match (&old.value, &example.value) {
        (Value::Map(old), Value::Map(example)) => {
            let (in_old, in_example) = (Index::new(old), Index::new(example));
            for entry in example {
                let path = path.key(&entry.key.value);
                match in_old.find(&entry.key.value) {
                    Some(at) => walk(&old[at].node, &entry.node, &path, probe),
                    None => probe.lacking.push(path),
                }
            }
            let excess = old.iter().filter(|entry| in_example.find(&entry.key.value).is_none());
            probe.excess.extend(excess.map(|entry| path.key(&entry.key.value)));
        }
        (Value::List(old), Value::List(example)) => {
            if let (Some(old), Some(example)) = (old.first(), example.first()) {
                walk(old, example, &path.with(Step::Item(0)), probe);
            }
        }
        // What the example leaves empty may be anything.
        (_, Value::Null) => {}
        (one, other) if one.type_name() == other.type_name() => {}
        _ => probe.types.push((path.clone(), old.clone(), example.clone())),
    }
}

impl Probe {
    /// *No* when a key is lacking or of another type; what is in excess is told, and hurts nobody.
    pub fn verdict(&self) -> Verdict {
        if !self.lacking.is_empty() || !self.types.is_empty() {
            Verdict::No
        } else if self.keys <= 1 {
            Verdict::Unknown
        } else {
            Verdict::Yes
        }
    }

    /// A line each.
    pub fn told(&self, old: &Resolved) -> Vec<String> {
        let lacking = self.lacking.iter().map(|path| format!("lacks `{path}`"));
        let types = self.types.iter().map(|(path, one, other)| {
            let place = old.sources.place(one.origin);
            format!(
                "`{path}` at {place} is {}, and {} is needed",
                one.value.type_name(),
                other.value.type_name()
            )
        });
        let excess = self.excess.iter().map(|path| format!("`{path}` is in excess"));
        lacking.chain(types).chain(excess).collect()
    }

    /// The document.
    pub fn to_json(&self, old: &Resolved, example: &Resolved) -> Json {
        let names = |paths: &[KeyPath]| paths.iter().map(KeyPath::to_string).collect::<Vec<_>>();
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict().word(),
            "action": "check",
            "keys": self.keys,
            "lacking": names(&self.lacking),
            "excess": names(&self.excess),
            "types": self.types.iter().map(|(path, one, other)| json!({
                "key": path.to_string(),
                "old": value_json(path, one, &old.sources),
                "needed": value_json(path, other, &example.sources),
            })).collect::<Vec<_>>(),
        })
    }
}
