//! `[[notify]]`: who is told of what, and how.

use std::collections::BTreeMap;

use super::fields::{Fields, advise, shown};
use super::key::{Key, Shape};

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The name, for people.
    pub name: String,
    /// By what the journal knows what was told: the name that the plan gives it; without one its way and a hash of its address, so
    /// that it stays the same wherever it stands in the plan.
    pub known_as: String,
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
    /// Mail to people.
    Mail {
        /// Who gets it.
        to: Vec<String>,
        /// Who sends it.
        from: String,
        /// The address of the server, with `${NAME}` for environment variables.
        server: String,
    },
    /// A line of shell, which finds the message in its environment.
    Command(String),
}

impl Channel {
    /// The key of the plan for it.
    pub fn way(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Mail { .. } => "mail",
            Self::Command(_) => "command",
        }
    }

    /// Its address, as the plan writes it, where that is a secret by itself.
    pub fn secret_address(&self) -> Option<&str> {
        match self {
            Self::Webhook { url: address, .. } | Self::Mail { server: address, .. } => Some(address),
            Self::Command(_) => None,
        }
    }

    /// A hash of where it goes, as the plan writes it. What an address has of passwords is no part of it.
    pub fn address(&self) -> String {
        match self {
            Self::Webhook { url, .. } => short_hash(&["webhook", &without_password(url)]),
            Self::Mail { to, .. } => short_hash(&["mail", &to.join("\n")]),
            Self::Command(line) => short_hash(&["command", line]),
        }
    }

    /// A hash of all of it, as the plan writes it: what was refused by one channel may be taken by another.
    pub fn hash(&self) -> String {
        match self {
            Self::Webhook { form: Form::Slack, .. } => short_hash(&[&self.address(), "slack"]),
            Self::Webhook { form: Form::Json, .. } => short_hash(&[&self.address(), "json"]),
            Self::Mail { from, server, .. } => {
                short_hash(&[&self.address(), from, &without_password(server)])
            }
            Self::Command(_) => self.address(),
        }
    }
}

/// Enough to tell the receivers of a plan apart.
const SHORT_HASH_CHARACTERS: usize = 12;

fn short_hash(parts: &[&str]) -> String {
    let hash = blake3::hash(parts.join("\0").as_bytes()).to_hex();
    hash.chars().take(SHORT_HASH_CHARACTERS).collect()
}

/// An address without who signs in there: a short hash of a short password would tell it to whoever tries all of them.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
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
        "what the receiver is called, and by what the journal keeps what it was told; `webhook`, `mail` or `command` with its number when \
         left out, and then its address is what the journal goes by",
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
    Key::optional("mail", Shape::Texts, "who gets a mail: `name@host`, or `Name <name@host>`"),
    Key::optional("from", Shape::Text, "with `mail`: who sends it"),
    Key::optional(
        "smtp",
        Shape::Text,
        "with `mail`: the server, e.g. `smtps://user:password@host`; `${NAME}` is an environment variable; `${SMTP_URL}` when left out",
    ),
    Key::optional(
        "command",
        Shape::Text,
        "a line of shell; `SWITCHBACK_MESSAGE` and others say what happened",
    ),
];

/// The ways of telling, by their keys, each with the keys that go with it alone.
const CHANNELS: [(&str, &[&str]); 3] =
    [("webhook", &["form"]), ("mail", &["from", "smtp"]), ("command", &[])];

/// Reads one `[[notify]]`; `number` is its place among all, from 1.
pub(super) fn read(fields: &Fields<'_>, number: usize) -> Option<Receiver> {
    let severity =
        fields.word("severity").and_then(|word| Severity::from_word(&word)).unwrap_or(Severity::Info);
    let on = read_turns(fields);
    for (way, keys) in CHANNELS {
        for key in keys.iter().filter(|key| fields.has(key) && !fields.has(way)) {
            fields.find(key, format!("`{key}` goes with `{way}` alone"), "take it out");
        }
    }
    let named: Vec<&str> = CHANNELS.map(|(way, _)| way).into_iter().filter(|way| fields.has(way)).collect();
    if let [first, other, ..] = named[..] {
        fields.find(other, format!("`{first}` stands beside `{other}`"), "make a `[[notify]]` of each");
        return None;
    }
    let channel = match named.first() {
        Some(&"webhook") => read_webhook(fields),
        Some(&"mail") => read_mail(fields),
        Some(_) => fields.filled_text("command").map(Channel::Command),
        None => {
            let message = "`[[notify]]` does not say how anybody is told";
            fields.findings().add(fields.offset(), message, "add `webhook`, `mail` or `command`");
            None
        }
    };
    let name = fields.filled_text("name");
    let channel = channel?;
    let (name, known_as) = match name {
        Some(name) => (name.clone(), name),
        None => (format!("{} {number}", channel.way()), format!("{} {}", channel.way(), channel.address())),
    };
    Some(Receiver { name, known_as, on, severity, channel })
}

/// Of receivers without a name that have one address, the first is known by it as if it were alone, so that it stays who it is when
/// another one is put behind it. The others are told apart by what they are told; where that is the same, too, by their order, which
/// then makes no difference.
pub(super) fn tell_apart(receivers: &mut [Receiver]) {
    let known: Vec<String> = receivers.iter().map(|one| one.known_as.clone()).collect();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (at, (one, name)) in receivers.iter_mut().zip(&known).enumerate() {
        if *name == one.name || !known[..at].contains(name) {
            continue;
        }
        let turns = one.on.iter().map(|turn| turn.word()).collect::<Vec<_>>().join(" ");
        let told = [name, one.severity.word(), &turns].join("\n");
        let earlier = seen.entry(told.clone()).or_default();
        one.known_as = format!("{} {}", one.channel.way(), short_hash(&[&told, &earlier.to_string()]));
        *earlier += 1;
    }
}

fn read_webhook(fields: &Fields<'_>) -> Option<Channel> {
    let form = if fields.word("form").as_deref() == Some("json") { Form::Json } else { Form::Slack };
    let url = fields.filled_text("webhook")?;
    if !["http://", "https://", "${"].iter().any(|start| url.starts_with(start)) {
        let message = format!("`webhook` is `{}`, which is not an HTTP address", shown(&url));
        fields.find("webhook", message, "begin it with `https://`, or name a variable: `${SLACK_WEBHOOK}`");
    }
    Some(Channel::Webhook { url, form })
}

fn read_mail(fields: &Fields<'_>) -> Option<Channel> {
    let is_address =
        |text: &str| text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let to = fields.placed_texts("mail").unwrap_or_default();
    if to.is_empty() {
        fields.find(
            "mail",
            "`mail` is empty: nobody would be told",
            "name an address, e.g. `risk@example.com`",
        );
    }
    for (offset, text) in to.iter().filter(|(_, text)| !is_address(text)) {
        let message = format!("`{}` in `mail` is no address", shown(text));
        fields.findings().add(*offset, message, "write it as `name@host`, or `Name <name@host>`");
    }
    let from = fields.filled_text("from");
    match &from {
        None if !fields.has("from") => {
            fields.find(
                "mail",
                "`mail` has no `from`: servers refuse what nobody sends",
                "add `from = \"name@host\"`",
            );
        }
        Some(from) if !is_address(from) => {
            let message = format!("`from` is `{}`, which is no address", shown(from));
            fields.find("from", message, "write it as `name@host`, or `Name <name@host>`");
        }
        _ => {}
    }
    let server = fields.filled_text("smtp").unwrap_or_else(|| "${SMTP_URL}".to_owned());
    if !["smtp://", "smtps://", "${"].iter().any(|start| server.starts_with(start)) {
        let message = format!("`smtp` is `{}`, which is no address of a mail server", shown(&server));
        fields.find("smtp", message, "begin it with `smtps://`, or name a variable: `${SMTP_URL}`");
    }
    Some(Channel::Mail { to: to.into_iter().map(|(_, text)| text).collect(), from: from?, server })
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

    fn receiver(url: &str, severity: Severity) -> Receiver {
        let channel = Channel::Webhook { url: url.to_owned(), form: Form::Slack };
        let known_as = format!("webhook {}", channel.address());
        Receiver { name: "webhook 1".to_owned(), known_as, on: Vec::new(), severity, channel }
    }

    fn known(mut receivers: Vec<Receiver>) -> Vec<String> {
        tell_apart(&mut receivers);
        receivers.into_iter().map(|one| one.known_as).collect()
    }

    #[test]
    fn a_receiver_without_a_name_is_known_wherever_it_stands() {
        use Severity::{Critical, Info};
        let [one, other] = ["${ONE}", "${OTHER}"].map(|url| receiver(url, Info));
        let alone = known(vec![one.clone()]);
        assert_eq!(known(vec![other, one.clone()])[1..], alone);
        // Of two that have one address the first stays who it is, and the other is known by what it is told.
        let both = known(vec![one.clone(), receiver("${ONE}", Critical)]);
        assert!(both[..1] == alone && both[1] != both[0], "{both:?} {alone:?}");
        let more = known(vec![one.clone(), one.clone(), receiver("${ONE}", Critical)]);
        assert!(more[..1] == alone && more[2] == both[1], "{more:?}");
        let same = known(vec![one.clone(), one]);
        assert_ne!(same[0], same[1]);
    }

    #[test]
    fn a_password_is_no_part_of_what_an_address_is_known_by() {
        for (address, without) in [
            ("https://jo:geheim@hooks.example/a@b?c", "https://hooks.example/a@b?c"),
            ("https://hooks.example/a", "https://hooks.example/a"),
            ("${HOOK}", "${HOOK}"),
            ("smtp://jo:ge@heim@mail.example", "smtp://mail.example"),
        ] {
            assert_eq!(without_password(address), without);
        }
    }
}
