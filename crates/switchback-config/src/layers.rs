//! Layers of configuration, one over the other: maps are merged key by key, everything else, lists included, is replaced whole.
//! A key that is missing is not a key whose value is null: null replaces, what is missing does not.

use crate::path::KeyPath;
use crate::value::{Comments, Entry, Index, Node, Origin, Value, is_same};

/// What two layers that have no order say of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    /// The key.
    pub path: KeyPath,
    /// What the first says, and where.
    pub first: Node,
    /// What the second says, and where.
    pub second: Node,
}

impl Meeting {
    /// Whether both say the same, with the same type.
    pub fn is_duplicate(&self) -> bool {
        is_same(&self.first.value, &self.second.value)
    }
}

/// How a later layer meets an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The later one wins.
    LaterWins,
    /// Neither wins: where they differ it is noted, and the first is kept for the time being.
    Unordered,
}

/// Puts `over` onto `base`. Where both say something of a key, it is noted in `met`.
pub fn overlay(base: &mut Node, over: Node, order: Order, met: &mut Vec<Meeting>) {
    put(base, over, &KeyPath::default(), order, met);
}

fn put(base: &mut Node, over: Node, path: &KeyPath, order: Order, met: &mut Vec<Meeting>) {
    let both_are_maps = matches!((&base.value, &over.value), (Value::Map(_), Value::Map(_)));
    if !both_are_maps {
        let meeting = Meeting { path: path.clone(), first: bare(base), second: bare(&over) };
        let keeps_first = meeting.is_duplicate() || order == Order::Unordered;
        met.push(meeting);
        let other = if keeps_first { over } else { std::mem::replace(base, over) };
        add_comments(base, comments_of(other));
        return;
    }
    if let Some(comments) = over.comments {
        add_comments(base, *comments);
    }
    let (Value::Map(entries), Value::Map(new)) = (&mut base.value, over.value) else { return };
    let index = Index::new(entries);
    let known: Vec<Option<usize>> = new.iter().map(|entry| index.find(&entry.key.value)).collect();
    for (entry, known) in new.into_iter().zip(known) {
        match known {
            Some(known) => {
                let path = path.key(&entry.key.value);
                put(&mut entries[known].node, entry.node, &path, order, met);
            }
            None => entries.push(entry),
        }
    }
}

/// A value with its place, without what was written around it.
fn bare(node: &Node) -> Node {
    Node { value: node.value.clone(), origin: node.origin, style: node.style.clone(), comments: None }
}

/// All that is remarked on a value that is not kept: its own comments, and those of everything in it before them.
pub(crate) fn comments_of(node: Node) -> Comments {
    let mut comments = node.comments.map(|comments| *comments).unwrap_or_default();
    let within: Vec<Node> = match node.value {
        Value::List(items) => items,
        Value::Map(entries) => entries.into_iter().map(|entry| entry.node).collect(),
        _ => return comments,
    };
    for node in within {
        let inner = comments_of(node);
        comments.before.extend(inner.before.into_iter().chain(inner.behind).chain(inner.after));
    }
    comments
}

/// Adds comments that are not there yet.
pub(crate) fn add_comments(node: &mut Node, more: Comments) {
    let own = node.comments_mut();
    for (own, more) in
        [(&mut own.before, more.before), (&mut own.behind, more.behind), (&mut own.after, more.after)]
    {
        for comment in more {
            if !own.contains(&comment) {
                own.push(comment);
            }
        }
    }
    if own.is_empty() {
        node.comments = None;
    }
}

/// A value at a path of its own: `at` of a fragment.
pub fn placed(mut node: Node, at: &KeyPath) -> Node {
    for step in at.steps().iter().rev() {
        let crate::path::Step::Key(key) = step else { continue };
        let origin = Origin { line: 0, ..node.origin };
        let key = Node::new(key.clone(), origin);
        node = Node::new(Value::Map(vec![Entry { key, node }]), origin);
    }
    node
}

/// Every value that is no map, and every empty map, with its path.
pub fn leaves(root: &Node) -> Vec<(KeyPath, &Node)> {
    let mut found = Vec::new();
    walk(root, &KeyPath::default(), &mut found);
    found
}

fn walk<'n>(node: &'n Node, path: &KeyPath, found: &mut Vec<(KeyPath, &'n Node)>) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                walk(&entry.node, &path.key(&entry.key.value), found);
            }
        }
        _ => found.push((path.clone(), node)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    fn yaml(text: &str) -> Node {
        read(text.as_bytes(), Format::Yaml(Loader::PyYaml), 0).unwrap().root
    }

    fn laid(base: &str, over: &str, order: Order) -> (Node, Vec<String>) {
        let (mut base, mut met) = (yaml(base), Vec::new());
        overlay(&mut base, yaml(over), order, &mut met);
        let told = met.iter().map(|met| format!("{} {}", met.path, met.is_duplicate())).collect();
        (base, told)
    }

    #[test]
    fn maps_are_merged_lists_are_replaced_and_null_is_a_value() {
        let (root, met) = laid("a: {b: 1, c: [1, 2], d: x}", "a: {c: [3], d: null, e: 4}", Order::LaterWins);
        assert!(is_same(&root.value, &yaml("a: {b: 1, c: [3], d: null, e: 4}").value));
        assert_eq!(met, ["a.c false", "a.d false"]);
    }

    #[test]
    fn without_an_order_a_difference_of_types_is_a_conflict() {
        let (root, met) = laid("a: 1\nb: x\nc: {d: 1}", "a: 1.0\nb: x\nc: 2", Order::Unordered);
        assert_eq!(met, ["a false", "b true", "c false"]);
        assert!(is_same(&root.value, &yaml("a: 1\nb: x\nc: {d: 1}").value));
    }

    #[test]
    fn a_place_of_its_own() {
        let root = placed(yaml("x: 1"), &KeyPath::parse("a.\"b.c\"").unwrap());
        assert!(is_same(&root.value, &yaml("a: {b.c: {x: 1}}").value));
        assert_eq!(leaves(&root)[0].0.to_string(), "a.\"b.c\".x");
    }
}
