//! dbt's `manifest.json`: the order in which its nodes are computed, as the stages of a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::world::{Disk, FileKind};

const MANIFEST_BYTES_MAX: u64 = 512 << 20;
/// What leaves a table behind. Tests and analyses leave none.
const TABLES: &[&str] = &["model", "seed", "snapshot"];
/// So many nodes of a circle are named.
const NAMED_MAX: usize = 5;

/// The nodes of the manifest at `path` that one of `results` holds, in an order in which each comes after all that it is made
/// of: by name where nothing else decides.
///
/// Results are folders or files of the name that a node has in the database (`alias`), or of its own.
///
/// # Errors
///
/// When the manifest cannot be read or its graph goes round in a circle, and when no result is one of its nodes.
pub(super) fn stages(disk: &dyn Disk, path: &Path, results: &[&Path]) -> Result<Vec<String>, String> {
    let refused = |why: String| format!("dbt's manifest `{}`: {why}", path.display());
    let bytes = disk.read(path, MANIFEST_BYTES_MAX).map_err(|error| error.to_string())?;
    let manifest: Value = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
    let nodes = nodes(&manifest).ok_or_else(|| refused("it has no `nodes`".to_owned()))?;
    let order = in_order(&nodes).map_err(refused)?;
    let mut there = BTreeSet::new();
    for folder in results {
        there.extend(names(disk, folder).map_err(|error| error.to_string())?);
    }
    let name = |node: &Node| node.names.iter().find(|&name| there.contains(name)).cloned();
    let mut found = Vec::new();
    for name in order.iter().filter_map(|id| name(&nodes[*id])) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty() {
        return Err(refused("no result has the name of one of its models, seeds or snapshots".to_owned()));
    }
    Ok(found)
}

/// A node that leaves a table.
#[derive(Debug)]
struct Node {
    /// What its table may be called, the most likely first.
    names: Vec<String>,
    /// What it is made of, by id.
    parents: Vec<String>,
}

fn nodes(manifest: &Value) -> Option<BTreeMap<String, Node>> {
    let all = manifest.get("nodes")?.as_object()?;
    let parents = |node: &Value| {
        let nodes = node["depends_on"]["nodes"].as_array().map_or(&[][..], Vec::as_slice);
        nodes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let is_table = |node: &Value| node["resource_type"].as_str().is_some_and(|kind| TABLES.contains(&kind));
    let found = all.iter().filter(|(_, node)| is_table(node)).map(|(id, node)| {
        let names = ["alias", "name"].into_iter().filter_map(|key| node[key].as_str());
        (id.clone(), Node { names: names.map(str::to_owned).collect(), parents: parents(node) })
    });
    Some(found.collect())
}

/// The ids of the nodes, each after its parents; of several that may be next, the first by name (Kahn 1962, *Topological
/// sorting of large networks*).
fn in_order(nodes: &BTreeMap<String, Node>) -> Result<Vec<&str>, String> {
    let mut open: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, node) in nodes {
        // Sources, macros and tests are no nodes here.
        let parents: BTreeSet<&str> =
            node.parents.iter().map(String::as_str).filter(|parent| nodes.contains_key(*parent)).collect();
        for parent in &parents {
            children.entry(*parent).or_default().push(id);
        }
        open.insert(id, parents);
    }
    let key = |id: &str| nodes.get(id).and_then(|node| node.names.first()).cloned();
    let is_ready = |(_, parents): &(&&str, &BTreeSet<&str>)| parents.is_empty();
    let mut ready: BTreeSet<(Option<String>, &str)> =
        open.iter().filter(is_ready).map(|(id, _)| (key(id), *id)).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some((_, id)) = ready.pop_first() {
        order.push(id);
        open.remove(id);
        for child in children.get(id).into_iter().flatten() {
            let Some(parents) = open.get_mut(child) else { continue };
            parents.remove(id);
            if parents.is_empty() {
                ready.insert((key(child), *child));
            }
        }
    }
    if open.is_empty() { Ok(order) } else { Err(circle(&open)) }
}

/// A circle among nodes that are all waiting for each other, in words.
fn circle(open: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut way: Vec<&str> = Vec::new();
    let mut here = open.keys().next().copied();
    while let Some(id) = here.filter(|id| !way.contains(id)) {
        way.push(id);
        // Whatever waits has a parent that waits.
        here = open.get(id).and_then(|parents| parents.first()).copied();
    }
    let start = here.and_then(|id| way.iter().position(|other| *other == id)).unwrap_or_default();
    let mut named: Vec<String> = way[start..].iter().take(NAMED_MAX).map(|id| format!("`{id}`")).collect();
    if way.len() - start > NAMED_MAX {
        named.push("…".to_owned());
    }
    format!("its graph goes round in a circle: {} depends on itself", named.join(" on "))
}

/// The names of what stands directly in a folder of results, without the ends of file names; of a single file its own.
fn names(disk: &dyn Disk, results: &Path) -> Result<Vec<String>, crate::world::DiskError> {
    let is_folder = disk.look(results)?.is_some_and(|meta| meta.kind == FileKind::Directory);
    let listed = if is_folder {
        disk.list(results)?
    } else {
        results.file_name().map(std::ffi::OsStr::to_owned).into_iter().collect()
    };
    let mut names = Vec::new();
    for name in listed {
        let name = name.to_string_lossy().into_owned();
        names.extend(Path::new(&name).file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, parents: &[&str]) -> Value {
        let parents: Vec<String> = parents.iter().map(|parent| format!("model.shop.{parent}")).collect();
        json!({"resource_type": "model", "name": name, "alias": name, "depends_on": {"nodes": parents, "macros": []}})
    }

    fn order(nodes: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
        let listed: serde_json::Map<String, Value> =
            nodes.iter().map(|(name, parents)| (format!("model.shop.{name}"), node(name, parents))).collect();
        let nodes = super::nodes(&json!({"nodes": listed})).unwrap();
        in_order(&nodes).map(|ids| ids.into_iter().map(|id| id.replace("model.shop.", "")).collect())
    }

    #[test]
    fn what_a_node_is_made_of_comes_before_it_and_names_decide_the_rest() {
        let found = order(&[("z", &[]), ("a", &["z"]), ("m", &["a", "gone"]), ("b", &["z"]), ("y", &[])]);
        assert_eq!(found.unwrap(), ["y", "z", "a", "b", "m"]);
        assert_eq!(order(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_circle_is_named_and_what_only_hangs_on_it_is_not() {
        let why = order(&[("a", &["c"]), ("b", &["a"]), ("c", &["b"]), ("late", &["c"]), ("free", &[])]);
        let why = why.unwrap_err();
        assert!(why.contains("circle"), "{why}");
        for name in ["a", "b", "c"] {
            assert!(why.contains(&format!("model.shop.{name}`")), "{why}");
        }
        assert!(!why.contains("late") && !why.contains("free"), "{why}");
        assert!(order(&[("a", &["a"])]).unwrap_err().contains("`model.shop.a` depends on itself"));
    }

    #[test]
    fn tests_and_sources_are_no_stages() {
        let manifest = json!({"nodes": {
            "test.shop.unique": {"resource_type": "test", "name": "unique", "depends_on": {"nodes": ["model.shop.a"]}},
            "seed.shop.rates": {"resource_type": "seed", "name": "rates", "alias": "tax_rates", "depends_on": {}},
            "model.shop.a": {"resource_type": "model", "name": "a", "depends_on": {"nodes": ["source.shop.raw", "seed.shop.rates"]}}}});
        let nodes = nodes(&manifest).unwrap();
        assert_eq!(in_order(&nodes).unwrap(), ["seed.shop.rates", "model.shop.a"]);
        assert_eq!(nodes["seed.shop.rates"].names, ["tax_rates", "rates"]);
    }
}
