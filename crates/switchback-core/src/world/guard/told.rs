//! What a guarded command tried, as it is written down: one JSON object a line, the first of which says that it was guarded at all.

use serde_json::{Value, json};

/// The largest such file that is read.
pub const TOLD_BYTES_MAX: u64 = 4 << 20;
/// So many different attempts of one command are written down.
#[cfg(target_arch = "x86_64")]
pub(super) const ATTEMPTS_MAX: usize = 200;

/// What kind of thing was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptKind {
    /// A file, or what is known about it, would have been changed.
    Write,
    /// Something would have been connected to.
    Connection,
    /// A mail would have been handed over.
    Mail,
    /// A call that cannot be looked into.
    Call,
}

impl AttemptKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Write, Self::Connection, Self::Mail, Self::Call];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Connection => "connection",
            Self::Mail => "mail",
            Self::Call => "call",
        }
    }

    /// Reads the word that [`AttemptKind::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One thing that a command tried and was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// What kind of thing.
    pub kind: AttemptKind,
    /// The path, the address, or the program.
    pub what: String,
    /// The system call.
    pub call: String,
}

impl Attempt {
    /// In words: ``a write to `/var/log/x` ``.
    pub fn words(&self) -> String {
        let Self { what, .. } = self;
        match self.kind {
            AttemptKind::Write => format!("a write to `{what}`"),
            AttemptKind::Connection => format!("a connection to `{what}`"),
            AttemptKind::Mail => format!("a mail by `{what}`"),
            AttemptKind::Call => format!("the call `{what}`"),
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn line(&self) -> String {
        json!({"kind": self.kind.word(), "what": self.what, "call": self.call}).to_string()
    }
}

/// All that was told of one command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Whether it was guarded. Where not, it was not run either.
    pub is_guarded: bool,
    /// What it tried, in order, each once.
    pub attempts: Vec<Attempt>,
}

impl Told {
    /// The first line.
    pub fn beginning() -> String {
        json!({"guarded": true}).to_string()
    }

    /// Reads what was written. A line that was not finished is left out.
    pub fn read(text: &str) -> Self {
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut told = Self::default();
        for value in lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            told.is_guarded |= value["guarded"] == true;
            let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            if let Some(kind) = AttemptKind::from_word(&text("kind")) {
                told.attempts.push(Attempt { kind, what: text("what"), call: text("call") });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_half_a_line_is_not() {
        let attempt =
            Attempt { kind: AttemptKind::Write, what: "/srv/a \"b\"\n".into(), call: "openat".into() };
        let text = format!(
            "{}\n{}\n{{\"kind\":\"mail\"",
            Told::beginning(),
            json!({"kind": "write", "what": attempt.what, "call": "openat"})
        );
        let told = Told::read(&text);
        assert_eq!(told, Told { is_guarded: true, attempts: vec![attempt] });
        assert!(!Told::read("").is_guarded);
    }
}
