//! `checkpoints`: every document of a directory is of the last version, and as its schema says (OM-2).

use std::path::PathBuf;

use serde_json::json;

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::documents::{CheckpointsRequest, DIRECTORY, RULES};
use crate::plan::{Fields, relative};

/// The kind `checkpoints`.
pub(super) static KIND: Kind = Kind {
    word: "checkpoints",
    doc: "every document of a directory is of the last version, under its last name, and as its schema says",
    keys: &[DIRECTORY, RULES],
    read,
};

#[derive(Debug)]
struct CheckpointsCheck {
    request: CheckpointsRequest,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let place = |key: &str, what: &str| {
        relative(&fields.filled_text(key)?, fields.offset_of(key), what, fields.findings())
    };
    let (directory, rules) = (place("path", "the directory"), place("rules", "the rules"));
    Some(Box::new(CheckpointsCheck { request: CheckpointsRequest { directory: directory?, rules: rules? } }))
}

impl Check for CheckpointsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        match scene.migrator.verify_checkpoints(&tree, &self.request) {
            Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
            Err(error) => Looked::failed(&error, json!({})),
        }
    }

    fn reads(&self) -> Vec<PathBuf> {
        vec![self.request.rules.clone()]
    }
}
