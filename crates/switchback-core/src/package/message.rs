//! The message of a commit, made from the evidence (RE-17): what the phase did, what was looked at, who approved, and the hashes by
//! which all of it is found again.

use std::fmt::Write as _;

use super::facts::Facts;
use super::taken::Taken;
use crate::journal::PhaseHistory;
use crate::manifest::to_hex;
use crate::phase::{TOOL, Work};
use crate::plan::Phase;
use crate::quantity::counted;
use crate::report::last_outcomes;

/// So many lines of one list are written, and how many there are beside them.
const LISTED_MAX: usize = 40;

/// What a message says beside what the journal knows.
pub(super) struct Told<'a> {
    /// What the change did.
    pub(super) facts: &'a Facts,
    /// The hash over what a checkout keeps of the candidate.
    pub(super) tree: &'a str,
    /// The package that the candidate came from.
    pub(super) package: Option<&'a Taken>,
    /// The hash of the certificate.
    pub(super) certificate: Option<&'a str>,
}

/// The message of the commit of a phase.
pub(super) fn message(work: &Work<'_>, phase: &Phase, history: &PhaseHistory, told: &Told<'_>) -> String {
    let mut text = format!("{}\n", subject(&phase.name, told.facts));
    list(&mut text, "How it was made", &told.facts.made_by);
    let modules = told.facts.api.modules.iter().map(|(old, new)| format!("{old} is {new}"));
    list(&mut text, "Modules moved", &modules.collect::<Vec<_>>());
    let breaking = told.facts.api.changes.iter().filter(|change| change["breaking"] == true);
    let breaking = breaking.map(|change| {
        let word = |key: &str| change[key].as_str().unwrap_or_default();
        format!("{} {}", word("symbol"), word("kind"))
    });
    list(&mut text, "What breaks callers", &breaking.collect::<Vec<_>>());
    let dependencies = told.facts.dependencies.iter().flat_map(|file| {
        let gone = file.gone.iter().map(move |line| format!("{}: gone {line}", file.file));
        let not_read = file.not_read.iter().map(move |why| format!("{}: not compared: {why}", file.file));
        gone.chain(file.new.iter().map(move |line| format!("{}: new {line}", file.file))).chain(not_read)
    });
    list(&mut text, "Dependencies", &dependencies.collect::<Vec<_>>());
    list(&mut text, "Checks", &checks(history));
    let approved = history.sign_offs.iter().filter(|sign_off| sign_off.binding.is_some());
    let approved = approved.map(|sign_off| {
        let who = if sign_off.person.is_empty() { &sign_off.actor } else { &sign_off.person };
        format!("{} by {who} at {}", sign_off.role, sign_off.time)
    });
    list(&mut text, "Approved", &approved.collect::<Vec<_>>());
    text.push('\n');
    trailers(&mut text, work, phase, history, told);
    work.redactor.clean(&text)
}

/// One line: the phase, and how much it did.
fn subject(phase: &str, facts: &Facts) -> String {
    let counts = [
        (facts.api.modules.len(), "module", "moved"),
        (facts.moved.len().saturating_sub(facts.api.modules.len()), "file", "moved"),
        (facts.added.len(), "file", "added"),
        (facts.removed.len(), "file", "removed"),
        (facts.changed.len(), "file", "changed"),
    ];
    let some = counts.into_iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> =
        some.map(|(count, noun, what)| format!("{} {what}", counted(count as u64, noun))).collect();
    let words = if words.is_empty() { "metadata alone".to_owned() } else { words.join(", ") };
    format!("{}: {words}", one_line(phase))
}

/// Every outcome that counts, the rehearsal among them.
fn checks(history: &PhaseHistory) -> Vec<String> {
    let outcomes = last_outcomes(history).into_iter();
    let outcome = outcomes
        .map(|fact| format!("{}: {} at {}: {}", fact.verdict.spoken(), fact.check, fact.at, fact.summary));
    let rehearsal = history.rehearsal.as_ref();
    let rehearsal = rehearsal.map(|fact| format!("{}: rehearsal: {}", fact.verdict.spoken(), fact.summary));
    outcome.chain(rehearsal).collect()
}

/// Lines that programs read (`git interpret-trailers`).
fn trailers(text: &mut String, work: &Work<'_>, phase: &Phase, history: &PhaseHistory, told: &Told<'_>) {
    let run = work.history().run.clone().unwrap_or_default();
    let transaction = history.staged.as_ref().map(|staged| staged.transaction.clone()).unwrap_or_default();
    let mut trailer = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "Switchback-{name}: {}", one_line(value));
    };
    trailer("Run", &run);
    trailer("Phase", &phase.name);
    trailer("Transaction", &transaction);
    trailer("Tree", &format!("blake3:{}", told.tree));
    trailer("Plan", &format!("blake3:{}", to_hex(&work.plan().hash)));
    if let Some(package) = told.package {
        trailer("Package", &format!("{} {} blake3:{}", package.name, package.sequence, package.manifest));
    }
    if let Some(certificate) = told.certificate {
        trailer("Certificate", &format!("blake3:{certificate}"));
    }
    trailer("Tool", TOOL);
}

/// A list with its heading; nothing where there is nothing to say.
fn list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}:");
    for line in lines.iter().take(LISTED_MAX) {
        let _ = writeln!(text, "- {}", one_line(line));
    }
    if lines.len() > LISTED_MAX {
        let _ = writeln!(text, "- and {} more", lines.len() - LISTED_MAX);
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::facts::Moved;

    #[test]
    fn the_subject_says_how_much_was_done() {
        let mut facts = Facts::default();
        assert_eq!(subject("unify", &facts), "unify: metadata alone");
        facts.changed = vec!["a".to_owned(), "b".to_owned()];
        facts.api.modules = vec![("a.b".to_owned(), "c.b".to_owned())];
        let moved = |old: &str| Moved { old: old.to_owned(), new: "n".to_owned(), is_changed: false };
        facts.moved = vec![moved("a/b.py"), moved("notes.txt")];
        assert_eq!(subject("uni\nfy", &facts), "uni fy: 1 module moved, 1 file moved, 2 files changed");
    }

    #[test]
    fn a_list_is_cut_and_says_so() {
        let mut text = String::new();
        list(&mut text, "Empty", &[]);
        assert_eq!(text, "");
        list(&mut text, "Some", &vec!["a\nb".to_owned(); LISTED_MAX + 2]);
        assert!(text.starts_with("\nSome:\n- a b\n") && text.ends_with("- and 2 more\n"), "{text}");
    }
}
