//! The document `switchback/merge/1`, the list of what is open, and lines for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use switchback_core::quantity::counted;

use super::file::{Action, MergedFile, Sides};
use super::plan::MergePlan;
use super::union::{Broken, Loss, LossKind};

impl MergePlan {
    /// The document `switchback/merge/1`.
    pub fn to_json(&self) -> Value {
        let losses = |list: &[Loss]| -> Vec<Value> {
            list.iter()
                .map(|one| json!({"path": one.path, "name": one.name, "kind": one.kind.word()}))
                .collect()
        };
        let broken = |list: &[Broken]| -> Vec<Value> {
            list.iter().map(|one| json!({"path": one.path, "line": one.line, "why": one.message})).collect()
        };
        let candidates: Vec<Value> = self
            .candidates
            .iter()
            .map(|one| json!({"from": one.from, "to": one.to, "why": one.why}))
            .collect();
        let odd: Vec<String> = self.odd.iter().map(|path| path.display().to_string()).collect();
        json!({
            "schema": "switchback/merge/1",
            "verdict": self.verdict().word(),
            "source": self.labels.source,
            "target": self.labels.target,
            "base": self.has_base.then_some(&self.labels.base),
            "files": self.files.iter().map(file_json).collect::<Vec<_>>(),
            "counts": self.counts(),
            "move_candidates": candidates,
            "not_merged": odd,
            "rewritten_outside": self.users.iter().map(|user| &user.path).collect::<Vec<_>>(),
            "source_removed": self.removes_source,
            "notes": self.notes,
            "union": {
                "definitions": self.union.definitions,
                "tests": self.union.tests,
                "files_compared": self.union.compared,
                "lost": losses(&self.union.lost),
                "given_up": losses(&self.union.given_up),
                "broken": broken(&self.union.broken),
                "unparsed": broken(&self.union.unparsed),
            },
        })
    }

    /// How many files are of which class, and how many something is done with.
    fn counts(&self) -> Value {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for file in &self.files {
            *counts.entry(file.class.word()).or_default() += 1;
            *counts.entry(file.action.word()).or_default() += 1;
        }
        json!(counts)
    }

    /// What it comes to, in one line.
    pub fn summary(&self) -> String {
        let of = |class: Sides| self.files.iter().filter(|file| file.class == class).count();
        format!(
            "{}: {} of the source alone, {} of the target alone, {} equal, {} of both; {} and {} of either side, {} open",
            counted(self.files.len() as u64, "file"),
            of(Sides::SourceOnly),
            of(Sides::TargetOnly),
            of(Sides::Equal),
            of(Sides::Conflict),
            counted(self.union.definitions as u64, "definition"),
            counted(self.union.tests as u64, "test"),
            counted(self.open() as u64, "conflict")
        )
    }

    /// What speaks against the merge, one line each.
    pub fn against(&self) -> Vec<String> {
        let mut told = Vec::new();
        for file in &self.files {
            for conflict in file.conflicts.iter().filter(|conflict| conflict.is_open()) {
                let place = if conflict.definition.is_empty() {
                    String::new()
                } else {
                    format!(", `{}`", conflict.definition)
                };
                told.push(format!("`{}`{place}: {}", file.path, conflict.why));
            }
        }
        for loss in &self.union.lost {
            told.push(match loss.kind {
                LossKind::Definition => format!("`{}` is lost", loss.name),
                LossKind::Test => format!("the test `{}` is lost", loss.name),
                LossKind::Doubled => format!("`{}` is defined twice: one of the two is lost", loss.name),
                LossKind::Rebound => format!("`{}` is bound to different things", loss.name),
            });
        }
        told.extend(self.users_against.iter().cloned());
        for one in &self.union.broken {
            told.push(format!(
                "`{}`, line {}: merged, it does not parse: {}",
                one.path, one.line, one.message
            ));
        }
        told
    }

    /// What would be, or was, done, one line each: files that change, what may have moved, what is left.
    pub fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        for file in &self.files {
            let is_told = match file.action {
                Action::Keep => file.class == Sides::Conflict && !file.conflicts.is_empty(),
                _ => true,
            };
            if is_told {
                told.push(line(file));
            }
        }
        for user in &self.users {
            told.push(format!("rewrite: `{}` names what moves", user.path));
        }
        for one in &self.candidates {
            told.push(format!("may have moved: `{}` is `{}`: {}", one.from, one.to, one.why));
        }
        for path in &self.odd {
            told.push(format!(
                "not merged: `{}` is a submodule, or no plain file with a name in UTF-8",
                path.display()
            ));
        }
        for one in &self.union.unparsed {
            told.push(format!("does not parse: `{}`, line {}: {}", one.path, one.line, one.message));
        }
        told.extend(self.notes.iter().cloned());
        told
    }

    /// What is to be said of the source: it stays until the checks of the phase hold.
    pub fn source_told(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let count = self.source_there.len();
        Some(if self.removes_source {
            format!("`{source}` goes: {count} files")
        } else {
            format!("`{source}` stays: {count} files; remove it when the checks of the phase hold")
        })
    }

    /// Every open conflict as an entry for the rules, to be filled in.
    pub fn open_decisions(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            for conflict in file.conflicts.iter().filter(|conflict| conflict.is_open()) {
                let quoted = |word: &str| toml::Value::String(word.to_owned()).to_string();
                let mut entry = format!("# {}\n[[decide]]\npath = {}\n", conflict.why, quoted(&file.path));
                if !conflict.definition.is_empty() {
                    let _ = writeln!(entry, "definition = {}", quoted(&conflict.definition));
                }
                if conflict.number > 1 {
                    let _ = writeln!(entry, "number = {}", conflict.number);
                }
                let _ = writeln!(entry, "take = \"\"");
                let _ = writeln!(entry, "inputs = {}\n", quoted(&conflict.inputs));
                text.push_str(&entry);
            }
        }
        text
    }
}

fn line(file: &MergedFile) -> String {
    let note = file.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    let conflicts = match file.open() {
        0 => String::new(),
        1 => ", 1 conflict".to_owned(),
        open => format!(", {open} conflicts"),
    };
    format!("{}: `{}` ({} risk{conflicts}){note}", file.action.word(), file.path, file.risk.word())
}

fn file_json(file: &MergedFile) -> Value {
    let mut value = json!({
        "path": file.path,
        "class": file.class.word(),
        "action": file.action.word(),
        "risk": file.risk.word(),
        "conflicts": file.open(),
    });
    if let Some(note) = &file.note {
        value["note"] = json!(note);
    }
    if !file.conflicts.is_empty() {
        let list = file.conflicts.iter().map(|one| {
            json!({
                "definition": one.definition,
                "number": one.number,
                "why": one.why,
                "inputs": one.inputs,
                "take": one.taken,
            })
        });
        value["decisions"] = list.collect();
    }
    value
}
