//! Every undo that somebody may ask for while the phase is live: what each is called, and what it would be asked for with.

use std::path::{Path, PathBuf};

use super::ground::first_of;
use crate::phase::parts::clean;
use crate::phase::playbook;
use crate::phase::roll_back::RollBackOptions;
use crate::plan::{Phase, Plan, Playbook, Restore};
use crate::verdict::Verdict;

/// So many undos are named in a summary; the evidence has them all.
const SUMMARY_MAX: usize = 20;

/// One undo.
#[derive(Debug)]
pub(super) struct Undo<'p> {
    /// What sort of undo it is: `playbook`, `only` or `participant`.
    pub(super) kind: &'static str,
    /// The playbook's name, or the paths.
    pub(super) name: String,
    /// What a rollback would be asked for with.
    pub(super) options: RollBackOptions,
    /// The playbook, where it is one.
    pub(super) playbook: Option<&'p Playbook>,
    /// Whether the plan says that it can be done: then a refusal is a *no*.
    pub(super) is_promised: bool,
}

impl Undo<'_> {
    /// In words, for people.
    pub(super) fn words(&self) -> String {
        match self.playbook {
            Some(_) => format!("the playbook `{}`", self.name),
            None => format!("`rollback {}`", self.name),
        }
    }

    /// Whether all of the phase goes back.
    pub(super) fn is_whole(&self) -> bool {
        self.options.only.is_empty()
    }
}

/// What came of one undo.
#[derive(Debug)]
pub(super) struct Walked {
    /// As [`Undo::kind`], or `phase`.
    pub(super) kind: &'static str,
    /// As [`Undo::name`], or the phase.
    pub(super) name: String,
    /// *Yes*: it was carried out, and left exactly what it should.
    pub(super) verdict: Verdict,
    /// What was seen, in one line.
    pub(super) what: String,
    /// How long it took, there and back, with what proves it.
    pub(super) milliseconds: u64,
    /// The checks that prove it: name, verdict, summary. No verdict: it cannot be carried out in a copy.
    pub(super) proofs: Vec<Proof>,
    /// Whether the program would not do it, and nobody said that it would.
    pub(super) is_refused: bool,
}

/// What a check said of the tree after an undo.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// The check.
    pub(super) check: String,
    /// What it said; `None`: it cannot be carried out in a copy.
    pub(super) verdict: Option<Verdict>,
    /// In one line.
    pub(super) summary: String,
}

/// The undos of a phase beside that of the whole: playbooks, the lists of `rollback_only`, and what was exchanged, each
/// alone. `participants` are the live paths of what is exchanged.
pub(super) fn undos<'p>(plan: &'p Plan, phase: &'p Phase, participants: &[PathBuf]) -> Vec<Undo<'p>> {
    let live = [phase.name.clone()];
    let mut undos = Vec::new();
    for playbook in &plan.playbooks {
        // One that is for another phase is rehearsed with that.
        let Ok(options) = playbook::options(&live, playbook) else { continue };
        undos.push(Undo {
            kind: "playbook",
            name: playbook.name.clone(),
            options,
            // Without a phase it is for whichever is the last one: for another one than this, perhaps.
            is_promised: playbook.phase.is_some()
                || plan.phases.len() == 1
                || !matches!(playbook.restore, Restore::Parts(_)),
            playbook: Some(playbook),
        });
    }
    let part = |kind, only: Vec<PathBuf>| Undo {
        kind,
        name: only.iter().map(|path| format!("--only {}", path.display())).collect::<Vec<_>>().join(" "),
        options: RollBackOptions { only, ..RollBackOptions::default() },
        playbook: None,
        is_promised: kind == "only",
    };
    undos.extend(phase.undo.only.iter().map(|only| part("only", only.clone())));
    // A single one goes back with the phase, which is rehearsed first.
    if participants.len() > 1 {
        let is_listed =
            |path: &Path| phase.undo.only.iter().any(|only| only.len() == 1 && clean(&only[0]) == path);
        let alone = participants.iter().filter(|path| !is_listed(path));
        undos.extend(alone.map(|path| part("participant", vec![path.clone()])));
    }
    undos
}

/// The undos beside that of the phase, in words to follow what was said about that; empty when there is none.
pub(super) fn told(walked: &[Walked]) -> String {
    let words = |one: &Walked| match one.kind {
        "playbook" => format!("the playbook `{}`", one.name),
        _ => format!("`{}`", one.name),
    };
    let more: Vec<&Walked> = walked.iter().filter(|one| one.kind != "phase").collect();
    let mut told = Vec::new();
    let done: Vec<String> = more.iter().filter(|one| !one.is_refused).map(|one| words(one)).collect();
    if let Some(named) = first_of(&done, SUMMARY_MAX) {
        told.push(format!("rehearsed as well: {named}"));
    }
    let unproved = more.iter().flat_map(|one| one.proofs.iter().map(move |proof| (one, proof)));
    let unproved: Vec<String> = unproved
        .filter(|(_, proof)| proof.verdict.is_none())
        .map(|(one, proof)| format!("`{}` of {}", proof.check, words(one)))
        .collect();
    if let Some(named) = first_of(&unproved, SUMMARY_MAX) {
        told.push(format!("checks that no copy can show were not carried out: {named}"));
    }
    let refused: Vec<String> = more.iter().filter(|one| one.is_refused).map(|one| words(one)).collect();
    if let Some(named) = first_of(&refused, SUMMARY_MAX) {
        told.push(format!("not possible in this phase: {named}"));
    }
    if told.is_empty() { String::new() } else { format!("; {}", told.join("; ")) }
}
