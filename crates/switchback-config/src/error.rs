//! Why something cannot be told: the file, the place, the reason, the next move.

use switchback_core::port::PortError;

use crate::read::Fault;

/// An error of this crate. It never holds a value of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told())]
pub struct ConfigError {
    /// The file, as it was named.
    pub path: Option<String>,
    /// The line in it, counted from 1; 0: none.
    pub line: u32,
    /// The column, counted from 1; 0: none.
    pub column: u32,
    /// What is wrong.
    pub reason: String,
    /// What to do now.
    pub hint: String,
}

impl ConfigError {
    /// Of no file in particular.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { path: None, line: 0, column: 0, reason: reason.into(), hint: hint.into() }
    }

    /// Of a file.
    pub fn of(path: &str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { path: Some(path.to_owned()), ..Self::new(reason, hint) }
    }

    /// Of a place in a file.
    pub fn at(path: &str, line: u32, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { line, ..Self::of(path, reason, hint) }
    }

    /// A file that cannot be read as what it is.
    pub fn unreadable(path: &str, fault: &Fault, format: &str) -> Self {
        Self {
            line: fault.line,
            column: fault.column,
            ..Self::of(
                path,
                format!("it cannot be read as {format}: {}", fault.reason),
                "correct the file, or leave it out; for YAML, `--loader` says whose rules hold",
            )
        }
    }

    fn told(&self) -> String {
        let place = match (&self.path, self.line, self.column) {
            (None, ..) => String::new(),
            (Some(path), 0, _) => format!("{path}: "),
            (Some(path), line, 0) => format!("{path}:{line}: "),
            (Some(path), line, column) => format!("{path}:{line}:{column}: "),
        };
        format!("{place}{}", self.reason)
    }
}

impl From<ConfigError> for PortError {
    fn from(error: ConfigError) -> Self {
        Self::new("could not read the configuration", vec![error.told()]).hinted(error.hint)
    }
}
