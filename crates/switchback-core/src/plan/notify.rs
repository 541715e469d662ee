//! `[[notify]]`: who is told of what, and how.

use super::fields::{Fields, advise, shown};
use super::key::{Key, Shape};

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The name, by which the journal keeps what was told.
    pub name: String,
    /// The turns that are told; all when empty.
    pub on: Vec<Turn>,
    /// Nothing less is told.
    pub severity: Severity,
    /// How.
    pub channel: Channel,
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// A `POST` to an address, with `${NAME}` for environment variables.
    Webhook {
        /// The address.
        url: String,
        /// What is sent.
        form: Form,
    },
    /// A line of shell, which finds the message in its environment.
    Command(String),
}

/// What a webhook gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{"text": …}`, as Slack, Mattermost and others take it.
    Slack,
    /// The whole notification.
    Json,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All goes as it should.
    Info,
    /// Somebody should look.
    Warning,
    /// Something went wrong, or was taken back.
    Critical,
}

impl Severity {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical].into_iter().find(|one| one.word() == word)
    }
}

/// A turn of a run that people want to know of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A run began.
    Started,
    /// A candidate is rehearsed, and waits for approvals.
    Approval,
    /// Somebody approved or refused.
    SignOff,
    /// A candidate is live.
    CutOver,
    /// The old tree, or a part of it, is live again.
    RollBack,
    /// A trigger holds the run until somebody decides.
    Hold,
    /// A trigger that only tells.
    Tell,
    /// A check of what is live does not say yes.
    Check,
    /// The watch is over.
    Watched,
    /// A phase is over.
    Finished,
    /// A step could not be carried out.
    Failed,
}

const TURNS: &[(Turn, &str)] = &[
    (Turn::Started, "started"),
    (Turn::Approval, "approval"),
    (Turn::SignOff, "sign-off"),
    (Turn::CutOver, "cut-over"),
    (Turn::RollBack, "roll-back"),
    (Turn::Hold, "hold"),
    (Turn::Tell, "tell"),
    (Turn::Check, "check"),
    (Turn::Watched, "watched"),
    (Turn::Finished, "finished"),
    (Turn::Failed, "failed"),
];

impl Turn {
    /// Its word in the plan, in a message and in the journal.
    pub fn word(self) -> &'static str {
        TURNS.iter().find(|(turn, _)| *turn == self).map_or("", |(_, word)| word)
    }

    fn from_word(word: &str) -> Option<Self> {
        TURNS.iter().find(|(_, known)| *known == word).map(|(turn, _)| *turn)
    }
}

/// The keys of `[[notify]]`.
pub(super) const NOTIFY: &[Key] = &[
    Key::optional(
        "name",
        Shape::Text,
        "what the receiver is called; `webhook` or `command` with its number when left out",
    ),
    Key::optional(
        "on",
        Shape::Texts,
        "the turns that are told: started, approval, sign-off, cut-over, roll-back, hold, tell, check, watched, finished, failed; all when \
         left out",
    ),
    Key::optional(
        "severity",
        Shape::Word(&["info", "warning", "critical"]),
        "nothing less is told; `info` when left out",
    ),
    Key::optional(
        "webhook",
        Shape::Text,
        "an address that gets a POST; `${NAME}` is an environment variable",
    ),
    Key::optional(
        "form",
        Shape::Word(&["slack", "json"]),
        "with `webhook`: `slack` sends a text, `json` the whole notification; `slack` when left out",
    ),
    Key::optional(
        "command",
        Shape::Text,
        "a line of shell; `SWITCHBACK_MESSAGE` and others say what happened",
    ),
];

/// Reads one `[[notify]]`; `number` is its place among all, from 1.
pub(super) fn read(fields: &Fields<'_>, number: usize) -> Option<Receiver> {
    let (webhook, command) = (fields.filled_text("webhook"), fields.filled_text("command"));
    let severity =
        fields.word("severity").and_then(|word| Severity::from_word(&word)).unwrap_or(Severity::Info);
    let on = read_turns(fields);
    if fields.has("form") && !fields.has("webhook") {
        fields.find("form", "`form` goes with `webhook` alone", "take it out");
    }
    let form = if fields.word("form").as_deref() == Some("json") { Form::Json } else { Form::Slack };
    let channel = match (webhook, command) {
        (Some(_), Some(_)) => {
            fields.find("command", "`webhook` stands beside `command`", "make a `[[notify]]` of each");
            None
        }
        (Some(url), None) => {
            let is_address = ["http://", "https://", "${"].iter().any(|start| url.starts_with(start));
            if !is_address {
                let message = format!("`webhook` is `{}`, which is not an HTTP address", shown(&url));
                fields.find(
                    "webhook",
                    message,
                    "begin it with `https://`, or name a variable: `${SLACK_WEBHOOK}`",
                );
            }
            Some(Channel::Webhook { url, form })
        }
        (None, Some(line)) => Some(Channel::Command(line)),
        (None, None) => {
            if !fields.has("webhook") && !fields.has("command") {
                let message = "`[[notify]]` does not say how anybody is told";
                fields.findings().add(fields.offset(), message, "add `webhook` or `command`");
            }
            None
        }
    };
    let kind = if fields.has("webhook") { "webhook" } else { "command" };
    let name = fields.filled_text("name").unwrap_or_else(|| format!("{kind} {number}"));
    Some(Receiver { name, on, severity, channel: channel? })
}

fn read_turns(fields: &Fields<'_>) -> Vec<Turn> {
    let Some(texts) = fields.placed_texts("on") else { return Vec::new() };
    if texts.is_empty() {
        fields.find(
            "on",
            "`on` is empty: nothing would be told",
            "name a turn, e.g. `roll-back`, or take it out",
        );
    }
    let mut turns = Vec::new();
    for (offset, text) in texts {
        if let Some(turn) = Turn::from_word(&text) {
            turns.push(turn);
        } else {
            let near = advise(&text, TURNS.iter().map(|(_, word)| *word));
            fields.findings().add(offset, format!("unknown turn `{}` in `on`", shown(&text)), near);
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_reads_back() {
        for (turn, word) in TURNS {
            assert_eq!(Turn::from_word(word), Some(*turn));
            assert_eq!(turn.word(), *word);
        }
        assert_eq!(Turn::from_word("rollback"), None);
    }
}
