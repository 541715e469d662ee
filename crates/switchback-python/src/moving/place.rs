//! Where a rule puts files and folders: paths as they are, dotted names by the source root that they belong to.

use super::mapping::{MappingError, leaf_path, parent_path};
use super::rules::Pair;
use crate::index::Index;
use crate::roots::normal;
use crate::tree::has_extension;

/// The files and folders that one rule moves, each with its new path; none when it was carried out already.
pub(super) fn places(
    index: &Index<'_>,
    pair: &Pair,
    roots: &[String],
) -> Result<Vec<(String, String)>, MappingError> {
    let tree = index.tree;
    let from_path = checked_path(&pair.from)?;
    let to_path = checked_path(&pair.to)?;
    let is_path = |text: &str| {
        text.contains('/') || ["py", "pyi", "ipynb"].iter().any(|extension| has_extension(text, extension))
    };
    if is_path(&pair.from) || (!index.has(&pair.from) && tree.has(&from_path)) {
        let to_path = if pair.to.ends_with('/') && tree.find(&from_path).is_some() {
            format!("{to_path}/{}", leaf_path(&from_path))
        } else {
            to_path
        };
        if tree.has(&from_path) {
            return Ok(vec![(from_path, to_path)]);
        }
        let with_suffix = |path: &str| format!("{path}.py");
        if tree.find(&with_suffix(&from_path)).is_some() {
            return Ok(vec![(with_suffix(&from_path), with_suffix(to_path.trim_end_matches(".py")))]);
        }
        return if tree.has(&to_path) {
            Ok(Vec::new())
        } else {
            Err(MappingError::Missing(pair.from.clone()))
        };
    }
    let mut found = Vec::new();
    let old = pair.from.replace('.', "/");
    for root in &index.roots {
        let place = |below: &str| if root.is_empty() { below.to_owned() } else { format!("{root}/{below}") };
        let target = |suffix: &str| {
            if is_path(&pair.to) {
                let stem = to_path.strip_suffix(suffix).unwrap_or(&to_path);
                format!("{stem}{suffix}")
            } else {
                format!("{}{suffix}", placed(index, root, &pair.to, roots))
            }
        };
        let folder = place(&old);
        if tree.is_directory(&folder) {
            found.push((folder, target("")));
        }
        for suffix in [".py", ".pyi", ".pyx", ".pxd"] {
            let file = place(&format!("{old}{suffix}"));
            if tree.find(&file).is_some() {
                found.push((file, target(suffix)));
            }
        }
    }
    if found.is_empty() {
        let is_done = index.has(&pair.to) || tree.has(&to_path);
        return if is_done { Ok(Vec::new()) } else { Err(MappingError::Missing(pair.from.clone())) };
    }
    Ok(found)
}

/// The path of a dotted name that comes into being: in the root that holds most of its package already, else where it
/// came from.
pub(super) fn placed(index: &Index<'_>, own: &str, dotted: &str, roots: &[String]) -> String {
    let below = dotted.replace('.', "/");
    let in_root = |root: &str| if root.is_empty() { below.clone() } else { format!("{root}/{below}") };
    let depth = |root: &str| {
        let mut folder = in_root(root);
        let mut depth = below.matches('/').count() + 1;
        while depth > 0 && !index.tree.is_directory(&folder) {
            folder = parent_path(&folder).to_owned();
            depth -= 1;
        }
        depth
    };
    let best =
        roots.iter().max_by_key(|root| (depth(root), root.as_str() == own)).map_or(own, String::as_str);
    if depth(best) > depth(own) { in_root(best) } else { in_root(own) }
}

fn checked_path(text: &str) -> Result<String, MappingError> {
    let path = normal(text);
    if path.is_empty()
        || text.starts_with('/')
        || path.split('/').any(|part| part == "..")
        || path.contains('\0')
    {
        return Err(MappingError::Outside(text.to_owned()));
    }
    Ok(path)
}
