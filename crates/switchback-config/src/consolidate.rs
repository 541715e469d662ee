//! One tree an environment → one master and an override for each: what all environments agree on goes to the master, everything
//! else to the overrides, so that a master and an override laid onto it are what there was.

use crate::layers::add_comments;
use crate::value::{Entry, Index, Node, Origin, Value, is_same};

/// A master, and an override for each environment, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Consolidated {
    /// What holds everywhere.
    pub master: Node,
    /// What holds in one environment only. The smallest that does: nothing in it stands in the master alike.
    pub overrides: Vec<Node>,
}

/// Splits the trees of all environments. An override can add and replace but not take away, so a key that one environment
/// lacks never goes to the master.
pub fn consolidate(trees: &[Node]) -> Consolidated {
    let origin = trees.first().map_or_else(Origin::default, |tree| tree.origin);
    let are_maps = trees.iter().all(|tree| tree.entries().is_some());
    if !are_maps {
        let is_common = trees.windows(2).all(|pair| is_same(&pair[0].value, &pair[1].value));
        let empty = || Node::empty_map(origin);
        return match trees.first() {
            Some(first) if is_common => {
                Consolidated { master: first.clone(), overrides: trees.iter().map(|_| empty()).collect() }
            }
            _ => Consolidated { master: empty(), overrides: trees.to_vec() },
        };
    }
    let nodes: Vec<&Node> = trees.iter().collect();
    let (master, overrides) = split(&nodes);
    let overrides = overrides.into_iter().map(|over| over.unwrap_or_else(|| Node::empty_map(origin)));
    Consolidated { master, overrides: overrides.collect() }
}

/// Maps of all environments: what they share, and what each has for itself.
fn split(maps: &[&Node]) -> (Node, Vec<Option<Node>>) {
    let indices: Vec<(&[Entry], Index<'_>)> = maps
        .iter()
        .map(|map| {
            let entries = map.entries().unwrap_or_default();
            (entries, Index::new(entries))
        })
        .collect();
    let mut shared = Vec::new();
    let mut own: Vec<Vec<Entry>> = maps.iter().map(|_| Vec::new()).collect();
    // What an override adds to maps of the master stands before what it has for itself: in that order a program gets both, and so a
    // second merge finds them.
    let mut within: Vec<Vec<Entry>> = own.clone();
    for key in keys(&indices) {
        let found: Vec<Option<&Entry>> =
            indices.iter().map(|(entries, index)| index.find(key).map(|at| &entries[at])).collect();
        let all: Option<Vec<&Entry>> = found.iter().copied().collect();
        let Some(all) = all else {
            give_out(&found, &mut own);
            continue;
        };
        if all.windows(2).all(|pair| is_alike(pair[0], pair[1])) {
            shared.push(with_all_comments(&all));
        } else if all.iter().all(|entry| entry.node.entries().is_some())
            && all.windows(2).all(|pair| is_same(&pair[0].key.value, &pair[1].key.value))
        {
            let nodes: Vec<&Node> = all.iter().map(|entry| &entry.node).collect();
            let (master, overrides) = split(&nodes);
            shared.push(Entry { key: all[0].key.clone(), node: master });
            for ((entry, over), within) in all.iter().zip(overrides).zip(&mut within) {
                within.extend(over.map(|node| Entry { key: entry.key.clone(), node }));
            }
        } else {
            give_out(&found, &mut own);
        }
    }
    let first = maps[0];
    let mut master = Node { value: Value::Map(shared), ..shell(first) };
    maps[1..].iter().for_each(|map| remark_too(&mut master, map));
    let overrides = within
        .into_iter()
        .zip(own)
        .map(|(within, own)| within.into_iter().chain(own).collect::<Vec<Entry>>())
        .zip(maps)
        .map(|(entries, map)| (!entries.is_empty()).then(|| Node::new(Value::Map(entries), map.origin)));
    (master, overrides.collect())
}

fn is_alike(one: &Entry, other: &Entry) -> bool {
    is_same(&one.key.value, &other.key.value) && is_same(&one.node.value, &other.node.value)
}

/// The map without its entries: its comments go to the master.
fn shell(map: &Node) -> Node {
    Node {
        value: Value::Null,
        origin: map.origin,
        style: crate::value::Style::Free,
        comments: map.comments.clone(),
    }
}

/// All keys, in the order of the first environment that has each.
fn keys<'e>(indices: &[(&'e [Entry], Index<'e>)]) -> Vec<&'e Value> {
    let mut keys: Vec<&Value> = Vec::new();
    for (number, (entries, _)) in indices.iter().enumerate() {
        for entry in *entries {
            let is_known = indices[..number].iter().any(|(_, index)| index.find(&entry.key.value).is_some());
            if !is_known {
                keys.push(&entry.key.value);
            }
        }
    }
    keys
}

fn give_out(found: &[Option<&Entry>], own: &mut [Vec<Entry>]) {
    for (entry, own) in found.iter().zip(own) {
        own.extend(entry.cloned());
    }
}

/// The first of entries that say the same, with what any of them remarks.
fn with_all_comments(entries: &[&Entry]) -> Entry {
    let mut kept = entries[0].clone();
    for entry in &entries[1..] {
        take_over(&mut kept.node, &entry.node);
    }
    kept
}

/// The comments of a value that is the same, in it and below it.
fn take_over(kept: &mut Node, other: &Node) {
    remark_too(kept, other);
    match (&mut kept.value, &other.value) {
        (Value::List(kept), Value::List(other)) => {
            kept.iter_mut().zip(other).for_each(|(kept, other)| take_over(kept, other));
        }
        (Value::Map(kept), Value::Map(other)) => {
            let index = Index::new(other);
            for entry in kept {
                if let Some(at) = index.find(&entry.key.value) {
                    take_over(&mut entry.node, &other[at].node);
                }
            }
        }
        _ => {}
    }
}

/// The comments of another node, added to those of this one.
fn remark_too(kept: &mut Node, other: &Node) {
    if let Some(comments) = other.comments.as_deref() {
        add_comments(kept, comments.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Order, overlay};
    use crate::read::{Format, read};
    use crate::yaml::Loader;

    fn yaml(text: &str) -> Node {
        read(text.as_bytes(), Format::Yaml(Loader::PyYaml), 0).unwrap().root
    }

    fn holds(trees: &[Node]) -> Consolidated {
        let made = consolidate(trees);
        for (tree, over) in trees.iter().zip(&made.overrides) {
            let mut again = made.master.clone();
            overlay(&mut again, over.clone(), Order::LaterWins, &mut Vec::new());
            assert!(is_same(&tree.value, &again.value));
        }
        made
    }

    #[test]
    fn d57_what_all_agree_on_goes_to_the_master() {
        let made = holds(&[yaml("db: {host: localhost, port: 5432}"), yaml("db: {host: db1, port: 5432}")]);
        assert!(is_same(&made.master.value, &yaml("db: {port: 5432}").value));
        assert!(is_same(&made.overrides[0].value, &yaml("db: {host: localhost}").value));
        assert!(is_same(&made.overrides[1].value, &yaml("db: {host: db1}").value));
    }

    #[test]
    fn d58_missing_is_not_null_and_types_are_kept() {
        let made = holds(&[yaml("a: null\nb: '1'\nc: [1, 2]\nd: {}"), yaml("b: 1\nc: [1]\nd: {e: on}")]);
        assert!(is_same(&made.master.value, &yaml("d: {}").value));
        assert!(is_same(&made.overrides[1].value, &yaml("b: 1\nc: [1]\nd: {e: true}").value));
        // A map in one environment and a value in another share nothing.
        holds(&[yaml("a: {b: 1}"), yaml("a: 2"), yaml("c: 1")]);
        holds(&[yaml("a: {b: {c: 1, d: 2}}"), yaml("a: {b: {c: 1}}"), yaml("a: {b: {c: 1, d: {}}}")]);
        holds(&[yaml("1: a"), yaml("1.0: a"), yaml("true: a")]);
        holds(&[yaml("null"), yaml("{}")]);
    }
}
