//! `symbols`: modules, classes, methods and functions are there, or gone (RB-5).

use serde_json::json;

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::code::{SOURCE_ROOTS, SymbolsRequest};
use crate::plan::{Fields, Key, Shape};

/// The kind `symbols`.
pub(super) static KIND: Kind = Kind {
    word: "symbols",
    doc: "modules, classes, methods and functions are there, or gone",
    keys: &[
        Key::optional(
            "exist",
            Shape::Texts,
            "what must be there: `module`, `module:name`, `module:Class.method`",
        ),
        Key::optional("gone", Shape::Texts, "what must not be there any more"),
        SOURCE_ROOTS,
    ],
    read,
};

#[derive(Debug)]
struct SymbolsCheck {
    request: SymbolsRequest,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let request = SymbolsRequest {
        exist: fields.texts("exist").unwrap_or_default(),
        gone: fields.texts("gone").unwrap_or_default(),
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        ..SymbolsRequest::default()
    };
    if request.exist.is_empty() && request.gone.is_empty() {
        let message = format!("{} names neither what must `exist` nor what must be `gone`", fields.title());
        fields.findings().add(fields.offset(), message, "e.g. `exist = [\"shop.cart:Cart.add\"]`");
    }
    Some(Box::new(SymbolsCheck { request }))
}

impl Check for SymbolsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let request = SymbolsRequest { tree, ..self.request.clone() };
        match scene.inspector.symbols(&request) {
            Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
            Err(error) => Looked::failed(&error, json!({})),
        }
    }
}
