//! A configuration held against a JSON Schema: what it lacks, what it has in excess, what is of another type, and what else it violates.

use serde_json::{Value as Json, json};
use switchback_core::verdict::Verdict;
use switchback_documents::json_schema::{Schema, Violation};

use crate::error::ConfigError;
use crate::layers::leaves;
use crate::merging::document::SCHEMA;
use crate::path::words;
use crate::resolve::Resolved;
use crate::value::{Node, Value};

/// What a schema says of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Conformance {
    /// What it violates.
    pub violations: Vec<Violation>,
    /// Keys that the schema does not speak of, as JSON pointers. They hurt nobody unless it forbids them.
    pub excess: Vec<String>,
    /// How many keys the configuration has.
    pub keys: usize,
}

/// Whether a document is a JSON Schema, and not an example of a configuration: it says so with `$schema`.
pub fn is_schema(root: &Node) -> bool {
    root.get(&Value::Text("$schema".to_owned())).is_some()
}

/// Holds a configuration against a schema, which stands in `path`.
///
/// # Errors
///
/// When the schema is none, or refers to another one.
pub fn conformance(found: &Resolved, schema: &Node, path: &str) -> Result<Conformance, ConfigError> {
    let schema = plain(&schema.value);
    let compiled =
        Schema::compile(&schema).map_err(|error| ConfigError::of(path, error.to_string(), error.hint()))?;
    let document = plain(&found.root.value);
    let mut excess = Vec::new();
    undeclared(&document, &schema, "", &mut excess);
    let keys = leaves(&found.root).iter().filter(|(path, _)| !path.steps().is_empty()).count();
    Ok(Conformance { violations: compiled.violations(&document), excess, keys })
}

/// Keys of maps for which the schema has `properties` without them.
fn undeclared(document: &Json, schema: &Json, pointer: &str, excess: &mut Vec<String>) {
    let (Some(members), Some(properties)) = (document.as_object(), schema["properties"].as_object()) else {
        return;
    };
    let has_patterns = schema["patternProperties"].is_object() || schema["additionalProperties"].is_object();
    for (name, value) in members {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match properties.get(name) {
            Some(property) => undeclared(value, property, &pointer, excess),
            None if has_patterns => {}
            None => excess.push(pointer),
        }
    }
}

/// A value as JSON has it. It may hold secrets: for the validator, and for nobody's eyes.
fn plain(value: &Value) -> Json {
    match value {
        Value::Null | Value::Bytes(_) => Json::Null,
        Value::Bool(flag) => json!(flag),
        Value::Integer(number) => match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => json!(number),
            (_, Ok(number)) => json!(number),
            _ => num_traits::ToPrimitive::to_f64(number).map_or(Json::Null, |number| json!(number)),
        },
        Value::Float(number) => json!(number),
        Value::Text(text) | Value::Date(text) | Value::Clock(text) | Value::Time(text) => json!(text),
        Value::List(items) => items.iter().map(|item| plain(&item.value)).collect(),
        Value::Map(entries) => Json::Object(
            entries.iter().map(|entry| (words(&entry.key.value), plain(&entry.node.value))).collect(),
        ),
    }
}

impl Conformance {
    /// *No* when anything is violated; a configuration without keys is nothing to look at.
    pub fn verdict(&self) -> Verdict {
        match (self.keys, self.violations.is_empty()) {
            (0, _) => Verdict::Unknown,
            (_, true) => Verdict::Yes,
            (_, false) => Verdict::No,
        }
    }

    /// A line each.
    pub fn told(&self) -> Vec<String> {
        let violated = self.violations.iter().map(Violation::to_string);
        violated
            .chain(self.excess.iter().map(|pointer| format!("{pointer}: the schema does not speak of it")))
            .collect()
    }

    /// The document.
    pub fn to_json(&self) -> Json {
        let of = |keyword: &str| -> Vec<Json> {
            let violations = self.violations.iter().filter(|violation| violation.keyword == keyword);
            violations
                .map(|violation| json!({"key": violation.pointer, "message": violation.message}))
                .collect()
        };
        let others = self
            .violations
            .iter()
            .filter(|violation| !["required", "type"].contains(&violation.keyword.as_str()));
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict().word(),
            "action": "check",
            "keys": self.keys,
            "lacking": of("required"),
            "types": of("type"),
            "violations": others.map(|violation| json!({
                "key": violation.pointer,
                "keyword": violation.keyword,
                "message": violation.message,
            })).collect::<Vec<_>>(),
            "excess": self.excess,
        })
    }
}
