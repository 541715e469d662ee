//! Conflicts and how they are decided: by which file, definition and number, and upon which bytes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use super::lines::{Clash, Piece};
use super::rules::Decision;

/// Something that the sides do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The definition that it lies in, dotted; empty for the file itself.
    pub definition: String,
    /// Which of several of that definition, from 1.
    pub number: usize,
    /// What it is.
    pub why: String,
    /// The hash of what is to be decided upon.
    pub inputs: String,
    /// What was taken; nothing while it is open.
    pub taken: Option<String>,
}

impl Conflict {
    /// Whether nobody decided it.
    pub fn is_open(&self) -> bool {
        self.taken.is_none()
    }
}

/// The decisions of the rules, and what became of each.
#[derive(Debug)]
pub(super) struct Decisions<'a> {
    made: &'a [Decision],
    /// The texts of `take = "file"`, in the order of the decisions.
    files: Vec<Option<Vec<u8>>>,
    used: Mutex<BTreeSet<usize>>,
    void: Mutex<BTreeSet<usize>>,
}

/// What a decision says.
pub(super) enum Taken<'a> {
    Source,
    Target,
    Both,
    File(&'a [u8]),
}

impl<'a> Decisions<'a> {
    pub(super) fn new(decisions: &'a [Decision], files: Vec<Option<Vec<u8>>>) -> Self {
        Self { made: decisions, files, used: Mutex::default(), void: Mutex::default() }
    }

    /// The decision on a conflict; one that was made upon other bytes is void.
    pub(super) fn on(&self, path: &str, definition: &str, number: usize, inputs: &str) -> Option<Taken<'_>> {
        let is_meant = |decision: &Decision| {
            decision.path == path
                && decision.definition.as_deref().unwrap_or_default() == definition
                && decision.number.unwrap_or(1) == number
                && !decision.take.is_empty()
        };
        for (at, decision) in self.made.iter().enumerate().filter(|(_, decision)| is_meant(decision)) {
            if decision.inputs.as_deref().is_some_and(|decided| decided != inputs) {
                note(&self.void, at);
                continue;
            }
            note(&self.used, at);
            return match decision.take.as_str() {
                "source" => Some(Taken::Source),
                "target" => Some(Taken::Target),
                "both" => Some(Taken::Both),
                _ => self.files.get(at).and_then(Option::as_deref).map(Taken::File),
            };
        }
        None
    }

    /// What is to be said of decisions that did not hold, one line each.
    pub(super) fn told(&self) -> Vec<String> {
        let (used, void) = (seen(&self.used), seen(&self.void));
        let mut told = Vec::new();
        for (at, decision) in self.made.iter().enumerate() {
            let name = named(decision);
            if void.contains(&at) {
                told.push(format!("the decision on {name} is void: what it was made upon has changed"));
            } else if !used.contains(&at) && !decision.take.is_empty() {
                told.push(format!("the decision on {name} decides nothing: there is no such conflict"));
            }
        }
        told
    }
}

fn named(decision: &Decision) -> String {
    let number = decision.number.map(|number| format!(" ({number})")).unwrap_or_default();
    match &decision.definition {
        Some(definition) => format!("`{}`, `{definition}`{number}", decision.path),
        None => format!("`{}`{number}", decision.path),
    }
}

/// A thread that died while it noted something leaves the notes as they were.
fn note(notes: &Mutex<BTreeSet<usize>>, at: usize) {
    notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at);
}

fn seen(notes: &Mutex<BTreeSet<usize>>) -> BTreeSet<usize> {
    notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

/// The files that decisions name.
pub(super) fn files(decisions: &[Decision]) -> impl Iterator<Item = Option<&PathBuf>> {
    decisions.iter().map(|decision| decision.file.as_ref())
}

/// The hash of what is to be decided upon: sixteen hexadecimal digits.
pub(super) fn inputs(parts: &[Option<&[u8]>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        match part {
            Some(part) => {
                hasher.update(&(part.len() as u64 + 1).to_le_bytes());
                hasher.update(part);
            }
            None => {
                hasher.update(&0_u64.to_le_bytes());
            }
        }
    }
    hasher.finalize().to_hex().chars().take(HASH_DIGITS).collect()
}

const HASH_DIGITS: usize = 16;

/// Puts what was decided into the pieces, and lists what was in conflict.
pub(super) fn replay(pieces: &mut [Piece], path: &str, decisions: &Decisions<'_>) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = Vec::new();
    for piece in pieces {
        let Piece::Clash(clash) = piece else { continue };
        let definition = clash.definition.clone();
        let number = conflicts.iter().filter(|other| other.definition == definition).count() + 1;
        let inputs = inputs(&[clash.base.as_deref(), Some(&clash.source), Some(&clash.target)]);
        let why = why(clash).to_owned();
        let taken = decisions.on(path, &definition, number, &inputs);
        let word = taken.as_ref().map(|taken| taken.word().to_owned());
        if let Some(taken) = taken {
            *piece = Piece::Text(taken.text(clash));
        }
        conflicts.push(Conflict { definition, number, why, inputs, taken: word });
    }
    conflicts
}

impl Taken<'_> {
    /// The word for it in the rules.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Both => "both",
            Self::File(_) => "file",
        }
    }

    fn text(&self, clash: &Clash) -> Vec<u8> {
        match self {
            Self::Source => clash.source.clone(),
            Self::Target => clash.target.clone(),
            Self::Both => {
                let mut text = clash.target.clone();
                if !text.is_empty() && !text.ends_with(b"\n") {
                    text.push(b'\n');
                }
                text.extend_from_slice(&clash.source);
                text
            }
            Self::File(bytes) => bytes.to_vec(),
        }
    }
}

fn why(clash: &Clash) -> &'static str {
    match (&clash.base, clash.source.is_empty(), clash.target.is_empty()) {
        (Some(base), true, false) if !base.is_empty() => "the target changed what the source took out",
        (Some(base), false, true) if !base.is_empty() => "the source changed what the target took out",
        (_, true, false) => "the target alone has it",
        (_, false, true) => "the source alone has it",
        (Some(base), ..) if base.is_empty() => "both added something else here",
        (Some(_), ..) => "both changed it",
        (None, ..) => "the two differ, and no ancestor is known",
    }
}
