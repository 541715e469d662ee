//! Files of configuration → nodes: YAML, TOML, JSON, INI and `.env`, each as the program's own reader takes it.

mod dotenv;
mod ini;
mod json;
pub(crate) mod toml;

use std::path::Path;

use crate::value::{FileNumber, Node, Origin};
use crate::yaml::{self, Loader};

/// Larger files are refused.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// How a file of configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML, for this loader.
    Yaml(Loader),
    /// TOML 1.0.
    Toml,
    /// JSON as Python's `json` reads it: `NaN` and `Infinity` are numbers, the last of two equal keys wins.
    Json,
    /// INI as Python's `configparser` reads it, without interpolation: all values are text, options in lower case.
    Ini,
    /// `NAME=value` lines as python-dotenv reads them; placeholders are filled in later.
    DotEnv,
}

impl Format {
    /// The format that a file's name promises.
    pub fn of(path: &Path, loader: Loader) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        if name == ".env" || name.starts_with(".env.") {
            return Some(Self::DotEnv);
        }
        match Path::new(&name).extension()?.to_str()? {
            "env" => Some(Self::DotEnv),
            "yaml" | "yml" => Some(Self::Yaml(loader)),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            "ini" | "cfg" => Some(Self::Ini),
            _ => None,
        }
    }

    /// Its name for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yaml(_) => "YAML",
            Self::Toml => "TOML",
            Self::Json => "JSON",
            Self::Ini => "INI",
            Self::DotEnv => ".env",
        }
    }
}

/// Why a file cannot be read, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1; 0: the file as a whole.
    pub line: u32,
    /// The column, counted from 1; 0: the line as a whole.
    pub column: u32,
    /// The reason.
    pub reason: String,
}

impl Fault {
    pub(crate) fn at(line: u32, column: u32, reason: impl Into<String>) -> Self {
        Self { line, column, reason: reason.into() }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self::at(0, 0, reason)
    }
}

/// What stands in a file and its reader takes without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A key stands twice in one map, and the reader takes the last.
    RepeatedKey {
        /// The key.
        name: String,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        again: Origin,
    },
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The value of the whole file.
    pub root: Node,
    /// What its reader took without a word.
    pub findings: Vec<Finding>,
}

/// Reads the text of a file.
pub fn read(text: &[u8], format: Format, file: FileNumber) -> Result<Read, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let before = String::from_utf8_lossy(&text[..error.valid_up_to()]);
        Fault::at(number(1 + before.matches('\n').count()), 0, "it is not UTF-8")
    })?;
    match format {
        Format::Yaml(loader) => yaml::loader::read(text, file, loader),
        Format::Toml => toml::read(text, file),
        Format::Json => json::read(text, file),
        Format::Ini => ini::read(text, file),
        Format::DotEnv => dotenv::read(text, file),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Line numbers of places in a text.
struct Places {
    starts: Vec<usize>,
}

impl Places {
    fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line of a byte, counted from 1.
    fn line(&self, at: usize) -> u32 {
        number(self.starts.partition_point(|start| *start <= at))
    }

    /// The column of a byte, counted in bytes from 1.
    fn column(&self, at: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= at);
        number(at - self.starts[line - 1] + 1)
    }
}
