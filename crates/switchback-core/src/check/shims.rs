//! `shims`: no old name stands past the day of its end, and each warns whoever uses it (PC-11).

use jiff::civil::Date;
use serde_json::{Value, json};

use super::imports::document;
use super::{Check, Kind, Looked, Scene};
use crate::code::{PYTHON_PATH, SOURCE_ROOTS, ShimsRequest};
use crate::plan::{Fields, Key, Shape};
use crate::quantity::day_of;

/// The kind `shims`.
pub(super) static KIND: Kind = Kind {
    word: "shims",
    doc: "no old name stands past the day of its end, and each warns",
    keys: &[
        Key::optional(
            "due",
            Shape::Text,
            "the day on which it is looked; the day of the look, UTC, when left out",
        ),
        Key::optional(
            "undated",
            Shape::Word(&["allow", "refuse"]),
            "what is made of old names without a day of their end; `allow` when left out",
        ),
        SOURCE_ROOTS,
        PYTHON_PATH,
    ],
    read,
};

#[derive(Debug)]
struct ShimsCheck {
    due: Option<Date>,
    request: ShimsRequest,
}

#[expect(clippy::unnecessary_wraps, reason = "every kind is read by a function of this form")]
fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let request = ShimsRequest {
        source_roots: fields.texts("source_roots").unwrap_or_default(),
        python_path: fields.texts("python_path").unwrap_or_default(),
        refuses_undated: fields.word("undated").as_deref() == Some("refuse"),
        ..ShimsRequest::default()
    };
    Some(Box::new(ShimsCheck { due: fields.day("due"), request }))
}

impl Check for ShimsCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let day = self.due.unwrap_or_else(|| day_of(scene.world.clock.now()));
        let request = ShimsRequest { tree, day: day.to_string(), ..self.request.clone() };
        match scene.inspector.shims(&request) {
            Ok(found) => {
                let details = document(&found.report);
                let table = table(&details);
                Looked::new(found.verdict, found.summary, details).shown(table)
            }
            Err(error) => Looked::failed(&error, json!({})),
        }
    }
}

/// The old names for people: nothing where there is none.
fn table(details: &Value) -> Vec<Vec<String>> {
    let heading = ["old name", "new name", "since", "until", "used by"].map(str::to_owned).to_vec();
    let shims = details["shims"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |shim: &Value| {
        let text = |key: &str| shim[key].as_str().unwrap_or("no day is set").to_owned();
        let places = ["used_by", "named_in"].map(|key| shim[key].as_array().cloned().unwrap_or_default());
        let places = places
            .iter()
            .flatten()
            .map(|place| format!("{}:{}", place["path"].as_str().unwrap_or_default(), place["line"]));
        let places: Vec<String> = places.collect();
        let users = if places.is_empty() { "nobody".to_owned() } else { places.join(", ") };
        vec![text("old"), text("new"), text("since"), text("until"), users]
    };
    if shims.is_empty() {
        Vec::new()
    } else {
        std::iter::once(heading).chain(shims.iter().map(row)).collect()
    }
}
