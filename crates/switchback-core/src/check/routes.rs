//! `routes`: every HTTP route of the old tree is one of the candidate, read without running either (TM-14).

use serde_json::json;

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::code::{RoutesRequest, SOURCE_ROOTS};
use crate::plan::{Fields, Key, Shape};

/// The kind `routes`.
pub(super) static KIND: Kind = Kind {
    word: "routes",
    doc: "every HTTP route of the old code is one of the new code",
    keys: &[
        Key::optional(
            "moved",
            Shape::NamedTexts,
            "modules that moved: `moved = { \"shop.cart\" = \"store.cart\" }`",
        ),
        SOURCE_ROOTS,
    ],
    read,
};

#[derive(Debug)]
struct RoutesCheck {
    request: RoutesRequest,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let request = RoutesRequest {
        moved: fields.named_texts("moved").into_iter().map(|(_, from, to)| (from, to)).collect(),
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        ..RoutesRequest::default()
    };
    Some(Box::new(RoutesCheck { request }))
}

impl Check for RoutesCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let trees = scene.trees.old_project().and_then(|old| Ok((old, scene.trees.new_project()?)));
        let (old, new) = match trees {
            Ok(trees) => trees,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let request = RoutesRequest { old, new, ..self.request.clone() };
        match scene.inspector.routes(&request) {
            Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
            Err(error) => Looked::failed(&error, json!({})),
        }
    }
}
