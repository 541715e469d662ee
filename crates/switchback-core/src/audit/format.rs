//! What stands at an anchor: one line of JSON for each head, version 1.

use serde::{Deserialize, Serialize};

/// The format that each line names.
pub const FORMAT: &str = "switchback/anchor/1";

/// The head of a journal, as it was when it was brought outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub schema: String,
    /// The project's name.
    pub project: String,
    /// The run that was under way.
    pub run: String,
    /// Position of the event.
    pub seq: u64,
    /// Its hash, and by that all before it.
    pub head: String,
    /// When it was brought there, RFC 3339, UTC.
    pub time: String,
    /// Who did: `user@host`.
    pub actor: String,
    /// The folder of the project.
    pub root: String,
}

/// What stands at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The heads, in the order in which they stand there.
    pub heads: Vec<Head>,
    /// So many lines were cut short by a crash.
    pub cut_short: u64,
    /// What else stands there and cannot be read.
    pub strange: Vec<String>,
}

impl Head {
    /// As a line, with its end.
    pub fn to_line(&self) -> String {
        // A struct of texts and a number has a form in JSON.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// The host of whoever brought it there.
    pub fn host(&self) -> &str {
        host_of(&self.actor)
    }
}

/// The host of an actor.
pub(super) fn host_of(actor: &str) -> &str {
    actor.rsplit_once('@').map_or("", |(_, host)| host)
}

impl Kept {
    /// Reads the lines of a place.
    pub fn read(text: &str) -> Self {
        let mut kept = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            kept.read_line(number, line);
        }
        kept
    }

    fn read_line(&mut self, number: u64, line: &str) {
        let begin = format!("{{\"schema\":\"{FORMAT}\",");
        if line.trim().is_empty() {
            return;
        }
        match serde_json::from_str::<Head>(line) {
            Ok(head) if head.schema == FORMAT => self.heads.push(head),
            Ok(head) => self.strange.push(format!("line {number} is of the format `{}`", head.schema)),
            // A crash leaves the beginning of a line, and nothing else.
            Err(error) if error.is_eof() && (line.starts_with(&begin) || begin.starts_with(line)) => {
                self.cut_short += 1;
            }
            Err(error) => self.strange.push(format!("line {number} cannot be read: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            schema: FORMAT.into(),
            project: "shop".into(),
            run: "r1-0".into(),
            seq: 7,
            head: "ab".into(),
            time: "2026-01-01T00:00:00Z".into(),
            actor: "ana@host".into(),
            root: "/srv/shop".into(),
        }
    }

    #[test]
    fn the_format_is_pinned() {
        let line = "{\"schema\":\"switchback/anchor/1\",\"project\":\"shop\",\"run\":\"r1-0\",\"seq\":7,\"head\":\"ab\",\
                    \"time\":\"2026-01-01T00:00:00Z\",\"actor\":\"ana@host\",\"root\":\"/srv/shop\"}\n";
        assert_eq!(head().to_line(), line);
        assert_eq!(Kept::read(line).heads, [head()]);
        assert_eq!(head().host(), "host");
    }

    #[test]
    fn a_line_that_was_cut_short_anywhere_is_told_from_one_that_was_altered() {
        let line = head().to_line();
        for cut in 1..line.len() - 1 {
            let kept = Kept::read(&format!("{line}{}\n{line}", &line[..cut]));
            assert_eq!((kept.heads.len(), kept.cut_short, kept.strange.len()), (2, 1, 0), "{cut}");
        }
        for strange in ["hello", "{}", "{\"schema\":\"switchback/anchor/2\"}"] {
            let kept = Kept::read(&format!("{strange}\n{line}"));
            assert_eq!((kept.heads.len(), kept.strange.len()), (1, 1), "{strange}");
        }
        let other = line.replace("anchor/1", "anchor/2");
        assert!(Kept::read(&other).strange[0].contains("switchback/anchor/2"));
    }
}
