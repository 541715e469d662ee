//! How a chore fails: what was being done, why it did not work, and what to do next.

use std::fmt;
use std::path::Path;

/// A chore could not tell. Shown as `error:`, `caused by:` lines, and one `hint:`.
#[derive(Debug)]
pub struct Problem {
    doing: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Problem {
    /// What could not be done (`could not …`), and why.
    pub fn new(doing: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self { doing: doing.into(), causes: vec![cause.to_string()], hint: None }
    }

    /// An operation on a file or folder failed.
    pub fn at(verb: &str, path: &Path, cause: impl fmt::Display) -> Self {
        Self::new(format!("could not {verb} `{}`", path.display()), cause)
    }

    /// A further cause, shown below the others.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// The one next move.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "error: {}", self.doing)?;
        for cause in &self.causes {
            write!(formatter, "\n  caused by: {cause}")?;
        }
        match &self.hint {
            Some(hint) => write!(formatter, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_why_and_what_now() {
        let problem =
            Problem::at("read", Path::new("a.toml"), "no such file").because("line 3").hint("write it");
        let expected = "error: could not read `a.toml`\n  caused by: no such file\n  caused by: line 3\n\nhint: write it";
        assert_eq!(problem.to_string(), expected);
    }
}
