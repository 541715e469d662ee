//! `imports`: every import of the candidate resolves, or did not before either (TM-8).

use serde_json::{Value, json};

use super::{Check, Kind, Looked, Scene};
use crate::code::{ImportsRequest, PYTHON_PATH, SOURCE_ROOTS};
use crate::plan::{Fields, Key, Moment, Shape};

/// The kind `imports`.
pub(super) static KIND: Kind = Kind {
    word: "imports",
    doc: "every import of the project resolves, without running it",
    keys: &[
        SOURCE_ROOTS,
        PYTHON_PATH,
        Key::optional(
            "known",
            Shape::Word(&["allow", "refuse"]),
            "what is made of imports that did not resolve in the tree before this phase either; `allow` when left out",
        ),
    ],
    read,
};

#[derive(Debug)]
struct ImportsCheck {
    source_roots: Vec<String>,
    python_path: Vec<String>,
    allows_known: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    Some(Box::new(ImportsCheck {
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        python_path: fields.texts("python_path").unwrap_or_default(),
        allows_known: fields.word("known").as_deref() != Some("refuse"),
    }))
}

impl Check for ImportsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        match self.request(scene) {
            Err(why) => Looked::unknown(why, json!({})),
            Ok(request) => match scene.inspector.imports(&request) {
                Ok(found) => Looked::new(found.verdict, found.summary, document(&found.report)),
                Err(error) => Looked::failed(&error, json!({})),
            },
        }
    }
}

impl ImportsCheck {
    fn request(&self, scene: &Scene<'_>) -> Result<ImportsRequest, String> {
        // Before anything is staged, there is nothing older to hold it against.
        let has_before = self.allows_known && scene.moment != Moment::Before;
        Ok(ImportsRequest {
            tree: scene.trees.here()?,
            before: if has_before { Some(scene.trees.old_project()?) } else { None },
            source_roots: self.source_roots.clone(),
            python_path: self.python_path.clone(),
        })
    }
}

/// A report as evidence; as text it is evidence all the same.
pub(super) fn document(report: &str) -> Value {
    serde_json::from_str(report).unwrap_or_else(|_| Value::String(report.to_owned()))
}
