//! TOML as a document.

use std::borrow::Cow;

use super::json::{Fault, line_and_column};
use crate::value::{Number, Value};

/// Reads one TOML document.
pub(crate) fn read(text: &str) -> Result<Value<'static>, Fault> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
        Fault::new(line, column, error.message())
    })?;
    Ok(build_table(table))
}

fn build_table(table: toml::Table) -> Value<'static> {
    Value::Object(table.into_iter().map(|(name, value)| (Cow::Owned(name), build(value))).collect())
}

fn build(value: toml::Value) -> Value<'static> {
    match value {
        toml::Value::String(text) => Value::Text(Cow::Owned(text)),
        toml::Value::Integer(value) => Value::Number(Number::integer(value)),
        toml::Value::Float(value) => Value::Number(Number::Float(value)),
        toml::Value::Boolean(flag) => Value::Boolean(flag),
        toml::Value::Datetime(at) => Value::Other(at.to_string()),
        toml::Value::Array(items) => Value::List(items.into_iter().map(build).collect()),
        toml::Value::Table(table) => build_table(table),
    }
}
