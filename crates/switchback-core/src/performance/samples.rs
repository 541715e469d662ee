//! Times that somebody else measured: a JSON file with one list of seconds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{Disk, DiskError};

/// A larger file is no list of times.
const SAMPLES_BYTES_MAX: u64 = 256 << 20;

/// Why a file holds no times.
#[derive(Debug, thiserror::Error)]
pub enum SamplesError {
    /// It cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It is no JSON.
    #[error("`{}`:{line}:{column}: it is no JSON: {what}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// Where in the line.
        column: usize,
        /// What the reader says.
        what: String,
    },
    /// It is no list of times, or one without any.
    #[error("`{}`: {what}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        what: String,
    },
    /// A value of the list is no time.
    #[error("`{}`: [{place}] is {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which one, counted from 0.
        place: usize,
        /// What it is instead.
        what: String,
    },
}

impl SamplesError {
    /// The next move.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Disk(_) => "name a file that holds one JSON list of seconds: `[1.23, 1.31, 1.27]`",
            Self::Syntax { .. } | Self::List { .. } => {
                "write it as one JSON list of seconds: `[1.23, 1.31, 1.27]`"
            }
            Self::Value { .. } => {
                "every value is a time in seconds above 0; leave a run out that failed, and let a run that is too short for \
                 the clock do more at once"
            }
        }
    }

    /// The line, where it is known.
    pub fn line(&self) -> Option<usize> {
        if let Self::Syntax { line, .. } = self { Some(*line) } else { None }
    }
}

/// The seconds that a file lists: finite numbers above 0, one at least.
///
/// # Errors
///
/// When it does not.
pub fn seconds(disk: &dyn Disk, path: &Path) -> Result<Vec<f64>, SamplesError> {
    let bytes = disk.read(path, SAMPLES_BYTES_MAX)?;
    let list = |what: &str| SamplesError::List { path: path.to_owned(), what: what.to_owned() };
    let read = serde_json::from_slice(&bytes).map_err(|error| SamplesError::Syntax {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        what: words_of(&error),
    })?;
    let Value::Array(values) = read else {
        return Err(list(&format!("it holds {}, and not a list of seconds", kind_of(&read))));
    };
    if values.is_empty() {
        return Err(list("its list is empty"));
    }
    let found = values.iter().enumerate().map(|(place, value)| {
        let wrong = |what: String| SamplesError::Value { path: path.to_owned(), place, what };
        match value.as_f64() {
            Some(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(seconds),
            Some(_) => Err(wrong(format!("{value}, which is no time above 0"))),
            None => Err(wrong(format!("{}, and not a number of seconds", kind_of(value)))),
        }
    });
    found.collect()
}

/// What the reader says, without the place, which stands in front of it.
fn words_of(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or(&words).to_owned()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test lays out and looks at files directly")]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    fn read(text: &str) -> Result<Vec<f64>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.json");
        std::fs::write(&path, text).unwrap();
        seconds(&RealDisk, &path)
            .map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn a_list_of_seconds_is_read_and_nothing_else() {
        assert_eq!(read("[1.5, 2, 1e-3]\n").unwrap(), [1.5, 2.0, 0.001]);
        for (text, wanted) in [
            ("[]", "`old.json`: its list is empty"),
            ("{\"times\": [1]}", "`old.json`: it holds an object, and not a list of seconds"),
            ("[1, NaN]", "`old.json`:1:5: it is no JSON: expected value"),
            ("[1,\n 2", "`old.json`:2:2: it is no JSON: EOF while parsing a list"),
            ("[1, -2.5]", "`old.json`: [1] is -2.5, which is no time above 0"),
            ("[0.0]", "`old.json`: [0] is 0.0, which is no time above 0"),
            ("[1, 2, \"3\"]", "`old.json`: [2] is a text, and not a number of seconds"),
            ("[[1]]", "`old.json`: [0] is a list, and not a number of seconds"),
            ("[null]", "`old.json`: [0] is null, and not a number of seconds"),
        ] {
            assert_eq!(read(text).unwrap_err(), wanted);
        }
        assert!(read("[1e999]").unwrap_err().contains("it is no JSON: number out of range"));
    }
}
