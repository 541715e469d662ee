//! `schema`: the steps of a database's schema are deployed, each holds, and folder and database agree (OM-1).

use std::path::PathBuf;

use serde_json::json;

use super::{Check, Kind, Looked, Scene};
use crate::change::database_and_steps;
use crate::database::Database;
use crate::plan::{Fields, Key, Shape};
use crate::schema_steps::{SchemaRequest, verify};
use crate::verdict::Verdict;

/// The kind `schema`.
pub(super) static KIND: Kind = Kind {
    word: "schema",
    doc: "the steps of a database's schema are deployed, and each holds",
    keys: &[
        Key::required(
            "database",
            Shape::Text,
            "an address of PostgreSQL, or a file of SQLite or DuckDB, relative to the project; `${NAME}` is a variable",
        ),
        Key::required("steps", Shape::Text, "the folder of the steps, relative to the project"),
        Key::optional("pending", Shape::Flag, "whether steps that are not deployed yet are no fault"),
    ],
    read,
};

#[derive(Debug)]
struct SchemaCheck {
    database: Database,
    steps: PathBuf,
    pending: bool,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Check>> {
    let pending = fields.flag("pending").unwrap_or(false);
    let (database, steps) = database_and_steps(fields)?;
    Some(Box::new(SchemaCheck { database, steps, pending }))
}

impl Check for SchemaCheck {
    fn look(&self, scene: &Scene<'_>) -> Looked {
        let tree = match scene.trees.here() {
            Ok(tree) => tree,
            Err(why) => return Looked::unknown(why, json!({})),
        };
        let request = SchemaRequest {
            world: scene.world.clone(),
            schemas: scene.schemas.clone(),
            steps: tree.join(&self.steps),
            root: tree,
            database: self.database.clone(),
            is_made: false,
            confinement: scene.confinement.cloned(),
        };
        let found = match verify(&request) {
            Ok(found) => found,
            Err(error) => return Looked::failed(&error, json!({})),
        };
        let number = |state: &str| found.steps.iter().filter(|step| step.state == state).count();
        let (deployed, pending) = (number("deployed"), number("pending"));
        let held = found.steps.iter().filter(|step| step.verified == Some(Verdict::Yes)).count();
        let is_short = pending > 0 && !self.pending;
        let verdict = if is_short { found.verdict.and(Verdict::No) } else { found.verdict };
        let why = match (&found.failed, found.refused.first()) {
            (_, Some(refused)) => format!(": {refused}"),
            (Some(failed), None) => format!(": {}", failed.told()),
            (None, None) => String::new(),
        };
        let left = if pending > 0 { format!(", {pending} not deployed") } else { String::new() };
        let summary = format!("{held} of {deployed} deployed steps of `{}` hold{left}{why}", found.database);
        Looked::new(verdict, summary, found.to_json())
    }
}
