//! Symbolic links: one is moved as it is, and one that would not lead to the same file any more is named.

use std::path::{Component, Path};

use switchback_core::world::DiskError;

use super::mapping::{Mapping, parent_path};
use crate::tree::{PassedOver, Tree};

/// The links of the old tree that lead somewhere in it, and would not lead there after the move.
pub(super) fn broken(old: &Tree, new: &Tree, mapping: &Mapping) -> Result<Vec<PassedOver>, DiskError> {
    let mut found = Vec::new();
    for file in old.files.iter().filter(|file| file.is_link) {
        let target = old.link_target(file)?;
        let was = resolved(old, parent_path(&file.path), &target);
        let Some(was) = was.filter(|was| was.is_empty() || old.has(was)) else { continue };
        let now = resolved(new, parent_path(mapping.new_path(&file.path)), &target);
        let is_same = now.is_some_and(|now| match old.find(&was) {
            Some(_) => mapping.new_path(&was) == now,
            None if was.is_empty() => now.is_empty(),
            None => new.has(&now),
        });
        if !is_same {
            let why = format!("it leads to `{was}`, and would not any more: make the link anew");
            found.push(PassedOver { path: file.path.clone(), why });
        }
    }
    Ok(found)
}

/// The path in the tree to which a link in `folder` leads; nothing when it leads out of the tree.
fn resolved(tree: &Tree, folder: &str, target: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let below = if target.is_absolute() {
        target.strip_prefix(&tree.root).ok()?
    } else {
        parts.extend(folder.split('/').filter(|part| !part.is_empty()));
        target
    };
    for part in below.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
