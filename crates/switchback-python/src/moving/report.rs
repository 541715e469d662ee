//! The document `switchback/move/1`, and the diff for a person.

use serde_json::{Value, json};
use similar::TextDiff;

use super::plan::{FileChange, MovePlan};
use crate::syntax::line_of;

impl MovePlan {
    /// The document `switchback/move/1`.
    pub fn to_json(&self) -> Value {
        let edits: Vec<Value> = self.changes.iter().flat_map(edits_json).collect();
        let declared = self.proof.declared.iter().map(|one| {
            let text = format!("{} {}", one.module, one.name.as_deref().unwrap_or_default());
            json!({"path": one.path, "line": one.line, "text": text.trim_end(), "why": format!("{}: {NOT_YET}", one.why)})
        });
        let undecided: Vec<Value> = self.changes.iter().flat_map(left_json).chain(declared).collect();
        let unresolved = |list: &[super::proof::Unresolved]| -> Vec<Value> {
            list.iter()
                .map(|one| {
                    let mut value =
                        json!({"path": one.path, "line": one.line, "module": one.module, "why": one.why});
                    if let Some(name) = &one.name {
                        value["name"] = json!(name);
                    }
                    value
                })
                .collect()
        };
        let left: Vec<Value> = self
            .proof
            .left
            .iter()
            .map(|one| json!({"path": one.path, "line": one.line, "text": one.text}))
            .collect();
        let api: Vec<Value> = self
            .proof
            .api
            .iter()
            .map(|one| json!({"symbol": one.symbol, "kind": one.kind, "breaking": true}))
            .collect();
        let created: Vec<&str> = self.created.iter().map(|file| file.path.as_str()).collect();
        let unparsed: Vec<Value> = self
            .unparsed
            .iter()
            .map(|one| json!({"path": one.path, "line": one.line, "why": one.message, "edits": one.edits}))
            .collect();
        let passed_over: Vec<Value> =
            self.passed_over.iter().map(|one| json!({"path": one.path, "why": one.why})).collect();
        json!({
            "schema": "switchback/move/1",
            "verdict": self.verdict().word(),
            "files": {
                "moved": self.moved(),
                "edited": self.edited(),
                "shims": self.shims(),
                "created": self.created.len() - self.shims(),
                "scanned": self.scanned,
            },
            "moves": self.moves_json(),
            "created": created,
            "edits": edits,
            "undecided": undecided,
            "unparsed": unparsed,
            "passed_over": passed_over,
            "proof": {
                "imports_checked": self.proof.imports,
                "imports_unresolved": unresolved(&self.proof.unresolved),
                "old_names_left": left,
                "api_changes": api,
                "syntax_broken": unresolved(&self.proof.broken),
            },
        })
    }

    fn moves_json(&self) -> Vec<Value> {
        self.changes
            .iter()
            .filter(|change| change.old_path != change.new_path)
            .map(|change| json!({"from": change.old_path, "to": change.new_path}))
            .collect()
    }

    /// What was left, one line each: `path:line: text: why`.
    pub fn left_told(&self) -> Vec<String> {
        let mut told = Vec::new();
        for change in &self.changes {
            let Some(bytes) = &change.old else { continue };
            for left in &change.left {
                let (line, _) = line_of(bytes, left.offset);
                let text: String = left
                    .text
                    .chars()
                    .take(TEXT_LETTERS_MAX)
                    .map(|letter| if letter.is_control() { ' ' } else { letter })
                    .collect();
                told.push(format!("{}:{line}: `{text}`: {}", change.old_path, left.why));
            }
        }
        told.extend(
            self.proof
                .declared
                .iter()
                .map(|one| format!("{}:{}: {}: {NOT_YET}", one.path, one.line, one.why)),
        );
        told.extend(self.passed_over.iter().map(|one| format!("{}: {}", one.path, one.why)));
        told
    }

    /// Everything that would be done, as a patch that `git apply` takes.
    pub fn diff(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            text.push_str(&diff_of(change));
        }
        for file in &self.created {
            let new = String::from_utf8_lossy(&file.content);
            let head = format!("diff --git a/{0} b/{0}\nnew file mode 100644\n", file.path);
            text.push_str(&head);
            if !new.is_empty() {
                let diff = TextDiff::from_lines("", &new);
                let name = format!("b/{}", file.path);
                text.push_str(
                    &diff.unified_diff().context_radius(CONTEXT_LINES).header("/dev/null", &name).to_string(),
                );
            }
        }
        text
    }
}

/// Why a definition that a rule names may be missing.
const NOT_YET: &str = "the rules say that it will be there; move the definition";
/// How much of what was left is shown to a person, in characters.
const TEXT_LETTERS_MAX: usize = 80;
/// How many lines are shown around a change.
const CONTEXT_LINES: usize = 3;

fn diff_of(change: &FileChange) -> String {
    let (old, new) = (&change.old_path, &change.new_path);
    let is_moved = old != new;
    let edited = change.old.as_ref().zip(change.new.as_ref());
    if !is_moved && edited.is_none() {
        return String::new();
    }
    let mut text = format!("diff --git a/{old} b/{new}\n");
    if is_moved {
        let similarity = if edited.is_none() { 100 } else { 90 };
        let head = format!("similarity index {similarity}%\nrename from {old}\nrename to {new}\n");
        text.push_str(&head);
    }
    if let Some((before, after)) = edited {
        let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
        let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
        let (old, new) = (format!("a/{old}"), format!("b/{new}"));
        text.push_str(&diff.unified_diff().context_radius(CONTEXT_LINES).header(&old, &new).to_string());
    }
    text
}

fn edits_json(change: &FileChange) -> Vec<Value> {
    let Some(bytes) = &change.old else { return Vec::new() };
    change
        .edits
        .iter()
        .map(|edit| {
            let (line, column) = line_of(bytes, edit.span.start);
            json!({
                "path": change.old_path,
                "line": line,
                "column": column,
                "old": String::from_utf8_lossy(edit.span.of(bytes)),
                "new": edit.new,
                "kind": edit.kind.word(),
                "class": edit.kind.class(),
            })
        })
        .collect()
}

fn left_json(change: &FileChange) -> Vec<Value> {
    let Some(bytes) = &change.old else { return Vec::new() };
    change
        .left
        .iter()
        .map(|left| {
            let (line, _) = line_of(bytes, left.offset);
            json!({"path": change.old_path, "line": line, "text": left.text, "why": left.why})
        })
        .collect()
}
