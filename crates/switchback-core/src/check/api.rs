//! `api`: what the code offers is still offered, through the moves of the phase (BX-6).

use std::path::PathBuf;

use serde_json::json;

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::code::ApiRequest;
use crate::plan::{Fields, Key, Shape, relative};

/// The kind `api`.
pub(super) static KIND: Kind = Kind {
    word: "api",
    doc: "the public surface of the old and the new code: nothing that callers rely on is gone or changed",
    keys: &[
        Key::optional(
            "path",
            Shape::Text,
            "the folder or package whose surface is compared; the whole project when left out",
        ),
        Key::optional("new_path", Shape::Text, "the same in the candidate, where it stands somewhere else"),
        Key::optional(
            "moved",
            Shape::NamedTexts,
            "modules that moved: `moved = { \"shop.cart\" = \"store.cart\" }`",
        ),
    ],
    read,
};

#[derive(Debug)]
struct ApiCheck {
    old: PathBuf,
    new: PathBuf,
    moved: Vec<(String, String)>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let path = |name: &str| match fields.filled_text(name) {
        Some(text) => relative(&text, fields.offset_of(name), "the path", fields.findings()).map(Some),
        None => Some(None),
    };
    let (old, new) = (path("path")?, path("new_path")?);
    let old = old.unwrap_or_default();
    let moved = fields.named_texts("moved").into_iter().map(|(_, from, to)| (from, to)).collect();
    Some(Box::new(ApiCheck { new: new.unwrap_or_else(|| old.clone()), old, moved }))
}

impl Check for ApiCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let trees = scene.trees.old_project().and_then(|old| Ok((old, scene.trees.new_project()?)));
        let (old, new) = match trees {
            Ok(trees) => trees,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        // An empty path adds a slash, which would end up in messages.
        let below =
            |tree: PathBuf, path: &PathBuf| if path.as_os_str().is_empty() { tree } else { tree.join(path) };
        let request =
            ApiRequest { old: below(old, &self.old), new: below(new, &self.new), moved: self.moved.clone() };
        match scene.inspector.api(&request) {
            Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
            Err(error) => Looked::failed(&error, json!({})),
        }
    }
}
