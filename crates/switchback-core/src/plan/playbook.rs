//! Playbooks: named repairs. The checks that say that one is needed, what it restores, and the checks that prove it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::fields::{Fields, advise, shown};
use super::key::{Key, Shape};

/// A named repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Its name.
    pub name: String,
    /// The phase that it repairs; the one that went live last when left out.
    pub phase: Option<String>,
    /// The checks that all say no when it is needed; at least one.
    pub symptoms: Vec<String>,
    /// What is made as it was.
    pub restore: Restore,
    /// The checks that prove the repair; at least one.
    pub prove: Vec<String>,
    /// The playbook that comes next when this one does not help.
    pub escalate: Option<String>,
}

/// What a playbook makes as it was, the smallest scope first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Restore {
    /// These parts of the phase: paths, `imports`, `routes`, names or kinds of its changes; at least one.
    Parts(Vec<PathBuf>),
    /// The phase, and what went live after it.
    Phase,
    /// Every phase that is live.
    Everything,
}

impl Playbook {
    /// Whether a check that says no is what this playbook is about: one of its symptoms, or proved by it.
    pub fn explains(&self, check: &str) -> bool {
        self.symptoms.iter().chain(&self.prove).any(|name| name == check)
    }
}

impl Restore {
    /// In words, for people: `src/shop, docs`, `the phase`, `everything`.
    pub fn words(&self) -> String {
        match self {
            Self::Parts(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
                parts.join(", ")
            }
            Self::Phase => "the phase".to_owned(),
            Self::Everything => "everything".to_owned(),
        }
    }
}

const SCOPES: &[&str] = &["phase", "everything"];

/// The keys of `[[playbook]]`.
pub(super) const PLAYBOOK: &[Key] = &[
    Key::required("name", Shape::Text, "what it is called"),
    Key::optional(
        "phase",
        Shape::Text,
        "the phase that it repairs; the one that went live last when left out",
    ),
    Key::required("symptoms", Shape::Texts, "the checks that all say no when it is needed"),
    Key::required(
        "restore",
        Shape::WordOrTexts(SCOPES),
        "what is made as it was: a list of what `rollback --only` takes, or `\"phase\"`, or `\"everything\"`",
    ),
    Key::required("prove", Shape::Texts, "the checks that prove the repair"),
    Key::optional("escalate", Shape::Text, "the playbook that comes next when this one does not help"),
];

/// Reads one `[[playbook]]`; `checks` and `phases` are the names that it may use, `playbooks` those of all playbooks.
pub(super) fn read(
    fields: &Fields<'_>,
    checks: &[String],
    phases: &[String],
    playbooks: &[String],
) -> Option<Playbook> {
    let name = fields.filled_text("name");
    let phase = fields.filled_text("phase");
    if let Some(phase) = &phase {
        look_for(fields, "phase", "phase", phase, phases);
    }
    let symptoms = check_names(fields, "symptoms", checks);
    let prove = check_names(fields, "prove", checks);
    let escalate = fields.filled_text("escalate");
    if let Some(next) = &escalate {
        look_for(fields, "escalate", "playbook", next, playbooks);
    }
    let restore = read_restore(fields);
    Some(Playbook { name: name?, phase, symptoms: symptoms?, restore: restore?, prove: prove?, escalate })
}

fn read_restore(fields: &Fields<'_>) -> Option<Restore> {
    let texts = match fields.word_or_texts("restore")? {
        Ok(word) => return Some(if word == "phase" { Restore::Phase } else { Restore::Everything }),
        Err(texts) => texts,
    };
    if texts.is_empty() {
        fields.find(
            "restore",
            "`restore` is empty: the playbook would restore nothing",
            "name paths, or `\"phase\"`",
        );
        return None;
    }
    let parts: Vec<PathBuf> = texts
        .iter()
        .filter_map(|(offset, text)| {
            super::paths::relative(text, *offset, "the path in `restore`", fields.findings())
        })
        .collect();
    (parts.len() == texts.len()).then_some(Restore::Parts(parts))
}

/// The names of checks in a list that must hold at least one.
fn check_names(fields: &Fields<'_>, key: &str, checks: &[String]) -> Option<Vec<String>> {
    let texts = fields.placed_texts(key)?;
    if texts.is_empty() {
        let why = if key == "prove" { "nothing would prove the repair" } else { "nothing would call for it" };
        fields.find(key, format!("`{key}` is empty: {why}"), "name a check");
        return None;
    }
    for (offset, text) in &texts {
        if !checks.contains(text) {
            let message = format!("no check is called `{}`", shown(text));
            fields.findings().add(*offset, message, advise(text, checks.iter().map(String::as_str)));
        }
    }
    Some(texts.into_iter().map(|(_, text)| text).collect())
}

fn look_for(fields: &Fields<'_>, key: &str, what: &str, name: &str, known: &[String]) {
    if !known.iter().any(|one| one == name) {
        let message = format!("no {what} is called `{}`", shown(name));
        fields.find(key, message, advise(name, known.iter().map(String::as_str)));
    }
}

/// The first playbook whose escalation leads back to itself, with the way round.
pub(super) fn circle(playbooks: &[Playbook]) -> Option<(usize, String)> {
    playbooks.iter().enumerate().find_map(|(at, start)| {
        let mut way = vec![start.name.as_str()];
        let mut seen = BTreeSet::new();
        let mut next = start.escalate.as_deref();
        while let Some(name) = next.filter(|name| seen.insert(*name)) {
            way.push(name);
            if name == start.name {
                return Some((at, way.join(" → ")));
            }
            next = playbooks.iter().find(|one| one.name == name).and_then(|one| one.escalate.as_deref());
        }
        None
    })
}
