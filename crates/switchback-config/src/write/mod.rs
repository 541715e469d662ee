//! Nodes → text: YAML with its comments, TOML with its comments, JSON. What is written is always read back before it counts.

pub(crate) mod json;
pub(crate) mod toml;
pub(crate) mod yaml;

use crate::path::KeyPath;
use crate::read::Format;
use crate::value::{Node, Value};

/// Why a value cannot be written in a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be written as {format}: {reason}")]
pub struct WriteFault {
    /// Where it stands.
    pub path: String,
    /// The format's name.
    pub format: &'static str,
    /// What the format lacks.
    pub reason: String,
}

/// The text of a configuration in this format.
pub fn write(root: &Node, format: Format) -> Result<String, WriteFault> {
    match format {
        Format::Yaml(loader) => yaml::write(root, loader),
        Format::Toml => toml::write(root),
        Format::Json => json::write(root),
        Format::Ini | Format::DotEnv => Err(WriteFault {
            path: KeyPath::default().to_string(),
            format: format.word(),
            reason: "a consolidated configuration is written as YAML, TOML or JSON".to_owned(),
        }),
    }
}

/// Whether the format keeps comments.
pub fn keeps_comments(format: Format) -> bool {
    !matches!(format, Format::Json)
}

fn fault(path: &KeyPath, format: &'static str, reason: impl Into<String>) -> WriteFault {
    WriteFault { path: path.to_string(), format, reason: reason.into() }
}

/// The name of a key, which most formats want to be text.
fn text_key<'n>(key: &'n Value, path: &KeyPath, format: &'static str) -> Result<&'n str, WriteFault> {
    match key {
        Value::Text(text) => Ok(text),
        other => Err(fault(path, format, format!("a key of it is no text but {}", other.type_name()))),
    }
}
