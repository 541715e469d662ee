//! The proof of a merge: what was written is read back as the program will read it, laid as it will be laid, and compared with what
//! the fragments came to.

use std::path::PathBuf;

use crate::difference::{Difference, differences};
use crate::error::ConfigError;
use crate::layers::{Order, leaves, overlay};
use crate::path::{KeyPath, Step};
use crate::read::{Format, read};
use crate::secrets::SecretFinding;
use crate::value::{Node, Sources, Value, is_same_key};

/// Whether an environment gets what it got.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentProof {
    /// The environment.
    pub environment: String,
    /// How many keys were compared.
    pub keys: usize,
    /// What differs.
    pub differences: Vec<Difference>,
}

pub(super) fn prove(
    files: &[(PathBuf, String)],
    [master, over]: [Format; 2],
    environments: &[String],
    before: &[Node],
    secrets: &[SecretFinding],
) -> Result<Vec<EnvironmentProof>, ConfigError> {
    let mut sources = Sources::default();
    let mut again = |(path, text): &(PathBuf, String), format: Format| {
        let name = path.to_string_lossy();
        read(text.as_bytes(), format, sources.add(&name)).map(|read| read.root).map_err(|fault| {
            ConfigError::new(
                format!(
                    "what would be written to `{name}` does not read back: line {}: {}",
                    fault.line, fault.reason
                ),
                "this is a fault of Switchback: please report it with the fragment; nothing was written",
            )
        })
    };
    let Some((first, rest)) = files.split_first() else { return Ok(Vec::new()) };
    let base = again(first, master)?;
    let mut proofs = Vec::new();
    for ((file, environment), before) in rest.iter().zip(environments).zip(before) {
        let mut tree = base.clone();
        overlay(&mut tree, again(file, over)?, Order::LaterWins, &mut Vec::new());
        for secret in secrets {
            // The variable is to hold what stood there: with that in its place, the trees are compared.
            if let Some(old) = crate::path::find(before, &secret.path).map(|node| node.value.clone()) {
                put_back(&mut tree, &secret.path, &format!("${{{}}}", secret.variable), old);
            }
        }
        proofs.push(EnvironmentProof {
            environment: environment.clone(),
            keys: leaves(before).iter().filter(|(path, _)| !path.steps().is_empty()).count(),
            differences: differences(before, &tree),
        });
    }
    Ok(proofs)
}

fn put_back(tree: &mut Node, path: &KeyPath, placeholder: &str, old: Value) {
    let mut node = tree;
    for step in path.steps() {
        let next = match (step, &mut node.value) {
            (Step::Key(key), Value::Map(entries)) => entries
                .iter_mut()
                .find(|entry| is_same_key(&entry.key.value, key))
                .map(|entry| &mut entry.node),
            (Step::Item(number), Value::List(items)) => items.get_mut(*number),
            _ => None,
        };
        let Some(next) = next else { return };
        node = next;
    }
    // Only the very placeholder, and only text: a variable holds nothing else, so a number would become another type.
    if node.value == Value::Text(placeholder.to_owned()) && matches!(old, Value::Text(_)) {
        node.value = old;
    }
}
