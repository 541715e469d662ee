//! JSON Schemas: a schema is compiled once, and says of documents what they violate and where.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12, told apart by `$schema`; without it 2020-12. `format` is looked at in every draft.
//! A schema stands by itself: a `$ref` that leads out of it is refused, so that nothing is ever fetched. What is told of a
//! violation is its place, the keyword and what the keyword asks for, never the value, which may be a secret.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

/// More violations of one document than this are not listed.
pub const VIOLATIONS_MAX: usize = 1000;
/// What stands for the value in messages.
const HIDDEN: &str = "the value";

/// A schema that can be asked.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
}

/// A schema that cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// It refers to what is not in it.
    #[error("the schema refers to `{0}`, which is not in it, and nothing is fetched")]
    Remote(String),
    /// It is no schema.
    #[error("it is no JSON Schema: at `{place}`: {reason}")]
    Invalid {
        /// Where in the schema, a JSON pointer.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl SchemaError {
    /// The next move.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Remote(_) => {
                "copy that schema into this one, under `$defs` and with its `$id`, and refer to it there"
            }
            Self::Invalid { .. } => "correct the schema there",
        }
    }
}

/// What a document has, or has not, against its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where in the document: a JSON pointer (RFC 6901), empty for the document as a whole.
    pub pointer: String,
    /// The keyword of the schema that is violated: `type`, `required`.
    pub keyword: String,
    /// What it asks for. Names of members may be in it, a value of the document never is.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = if self.pointer.is_empty() { "as a whole" } else { &self.pointer };
        write!(to, "{place}: {} (`{}`)", self.message, self.keyword)
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// When it is no schema, or refers to another one.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        let refused = Refused::default();
        let built =
            jsonschema::options().with_retriever(refused.clone()).should_validate_formats(true).build(schema);
        match built {
            Ok(validator) => Ok(Self { validator }),
            Err(error) => Err(match refused.first() {
                Some(address) => SchemaError::Remote(address),
                None => SchemaError::Invalid {
                    place: error.instance_path().to_string(),
                    reason: error.to_string(),
                },
            }),
        }
    }

    /// Whether the document violates nothing.
    pub fn holds(&self, document: &Value) -> bool {
        self.validator.is_valid(document)
    }

    /// What the document violates, by place, at most [`VIOLATIONS_MAX`].
    pub fn violations(&self, document: &Value) -> Vec<Violation> {
        let found = self.validator.iter_errors(document).take(VIOLATIONS_MAX);
        let found: BTreeSet<Violation> = found
            .map(|error| Violation {
                pointer: error.instance_path().to_string(),
                keyword: error.kind().keyword().to_owned(),
                message: told(&error),
            })
            .collect();
        found.into_iter().collect()
    }
}

/// What is asked for, without the value.
fn told(error: &ValidationError<'_>) -> String {
    match error.kind() {
        // The library hides the object and not its name, which is a value here.
        ValidationErrorKind::PropertyNames { error } => format!("a name in it: {}", told(error)),
        _ => error.masked_with(HIDDEN).to_string(),
    }
}

/// Fetches nothing, and remembers what it was asked for.
#[derive(Debug, Clone, Default)]
struct Refused {
    asked: Arc<Mutex<Option<String>>>,
}

impl Refused {
    fn first(&self) -> Option<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Retrieve for Refused {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // The library makes addresses of its own of those that are relative.
        asked.get_or_insert_with(|| uri.as_str().trim_start_matches("json-schema:///").to_owned());
        Err("nothing is fetched".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn violations(schema: &Value, document: &Value) -> Vec<String> {
        Schema::compile(schema).unwrap().violations(document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_violation_has_a_place_a_keyword_and_no_value() {
        let schema = json!({
            "type": "object",
            "required": ["year"],
            "properties": {
                "year": {"type": "integer", "minimum": 2000},
                "password": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
                "mode": {"enum": ["fast", "slow"]},
                "when": {"format": "date"},
                "a/b": {"items": {"const": 1}},
            },
            "additionalProperties": false,
        });
        let document = json!({
            "password": "hunter2-SECRET", "mode": "SECRET", "when": "SECRET", "a/b": [1, "SECRET"], "more": "SECRET",
        });
        let found = violations(&schema, &document);
        assert!(found.iter().all(|line| !line.contains("SECRET")), "{found:#?}");
        let places: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(
            places,
            ["as a whole", "as a whole", "/a~1b/1", "/mode", "/password", "/password", "/when"],
            "{found:#?}"
        );
        for wanted in ["\"year\" is a required property (`required`)", "more", "(`maxLength`)", "(`pattern`)"]
        {
            assert!(found.iter().any(|line| line.contains(wanted)), "{wanted}: {found:#?}");
        }
        let named = violations(&json!({"propertyNames": {"maxLength": 3}}), &json!({"SECRET": 1}));
        assert_eq!(
            named,
            ["as a whole: a name in it: the value is longer than 3 characters (`propertyNames`)"]
        );
        assert!(Schema::compile(&schema).unwrap().holds(&json!({"year": 2025, "mode": "fast"})));
    }

    #[test]
    fn a_reference_that_leads_out_is_refused_and_one_within_is_followed() {
        for away in
            ["https://example.org/other.json", "http://127.0.0.1:9/x.json#/a", "other.json", "file:///etc/x"]
        {
            let error = Schema::compile(&json!({"properties": {"a": {"$ref": away}}})).unwrap_err();
            let SchemaError::Remote(address) = &error else { panic!("{away}: {error}") };
            assert!(away.contains(address.trim_start_matches('/')), "{away}: {address}");
        }
        let within = json!({
            "$defs": {"n": {"type": "number"}, "m": {"$id": "https://example.org/m.json", "type": "string"}},
            "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"$ref": "https://example.org/m.json"}},
        });
        assert_eq!(violations(&within, &json!({"a": "x", "b": 1})).len(), 2);
        for draft in
            ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
        {
            let of_draft = json!({"$schema": draft, "type": "object", "properties": {"s": {"$ref": draft}}});
            assert!(Schema::compile(&of_draft).unwrap().holds(&json!({"s": {}})), "{draft}");
        }
    }

    #[test]
    fn what_is_no_schema_is_refused_with_its_place() {
        for (wrong, at) in [(json!({"type": "nothing"}), "/type"), (json!({"properties": []}), "/properties")]
        {
            let error = Schema::compile(&wrong).unwrap_err();
            let SchemaError::Invalid { place, .. } = &error else { panic!("{error}") };
            assert_eq!(place, at);
        }
        assert!(Schema::compile(&json!({"pattern": "("})).is_err());
    }

    #[test]
    fn a_document_with_very_many_faults_is_listed_up_to_a_bound() {
        let many: Vec<Value> = (0..5000).map(|_| json!("x")).collect();
        assert_eq!(violations(&json!({"items": {"type": "number"}}), &json!(many)).len(), VIOLATIONS_MAX);
    }
}
