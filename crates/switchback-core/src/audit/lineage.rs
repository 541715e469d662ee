//! What made each file that is live, and each document about it: read from the journal and from the manifests among the evidence, never worked out anew. What
//! was not recorded is unknown, and said to be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::documents::{documents, seen_by};
use crate::journal::{Binding, Event, Record};
use crate::manifest::{Hash, Kind, Manifest, to_hex};
use crate::phase::evidence::EvidenceStore;
use crate::phase::{Project, StepError};
use crate::verdict::Verdict;

/// The schema of the document.
pub const SCHEMA: &str = "switchback/lineage/1";

/// What a phase of a run brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Making {
    /// The transaction that brought it.
    pub transaction: String,
    /// The run.
    pub run: String,
    /// The phase.
    pub phase: String,
    /// The generation that it became; `None` while it was never live.
    pub generation: Option<u64>,
    /// When it went live, RFC 3339.
    pub time: String,
    /// Who brought it: `user@host`.
    pub actor: String,
    /// Name and version of the program that staged it; empty where that was not recorded.
    pub tool: String,
    /// The packages that it was built of.
    pub packages: Vec<Origin>,
    /// The plan file that it was looked at under, last before it went live; empty where no look was recorded.
    pub plan: String,
    /// Hash of what the plan said about managed paths and changes.
    pub changes: String,
    /// Hash of the manifest of what was live before.
    pub old_tree: String,
    /// Hash of its own manifest.
    pub new_tree: String,
    /// The snapshot of what was live before; `nothing`, or empty where none was recorded.
    pub snapshot: String,
    /// The manifest of that snapshot.
    pub saved: String,
    /// The looks at it, in order.
    pub looks: Vec<Look>,
    is_live: bool,
    /// What of it was rolled back alone.
    returned: Vec<PathBuf>,
}

/// A package that was received, and that a candidate was built of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What it is called.
    pub package: String,
    /// Its number.
    pub sequence: u64,
    /// The hash of its manifest.
    pub manifest: String,
    /// The hash of its file.
    pub archive: String,
    /// The public key that signed it.
    pub key: String,
}

/// One look at what a phase brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The check; empty: the rehearsal.
    pub check: String,
    /// At which moment.
    pub at: String,
    /// Its verdict.
    pub verdict: String,
    /// The hash of its report.
    pub evidence: String,
    /// What it was about.
    pub binding: Binding,
}

/// What an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A file below the managed paths.
    File,
    /// What a look at it found.
    Evidence,
    /// A report that a check looked at.
    Report,
}

impl Source {
    /// The word for it in the document.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Evidence => "evidence",
            Self::Report => "report",
        }
    }
}

/// One file that is live, or a document that was written about what is.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Relative to the root.
    pub path: PathBuf,
    /// What it is.
    pub kind: Source,
    /// The hash of its content now; empty where it cannot be read.
    pub content: String,
    /// *yes*: it is what was brought, or looked at. *no*: it was altered since.
    pub verdict: Verdict,
    /// The transaction that brought it, or that it is about.
    pub made_by: Option<String>,
    /// What is not known, in words.
    pub unknown: Option<String>,
    /// Of a document: the look that wrote it, or looked at it last.
    pub seen_by: Option<Look>,
}

/// What made the files that are live.
#[derive(Debug, Clone, PartialEq)]
pub struct Lineage {
    /// All of its outputs, together.
    pub verdict: Verdict,
    /// In the order of their paths.
    pub outputs: Vec<Output>,
    /// What brought them, the newest first.
    pub makings: Vec<Making>,
}

/// Tells what made the files that are live, and the documents about them, or those of both at or below `paths`, which are relative
/// to the root.
///
/// # Errors
///
/// When the journal cannot be read.
pub fn lineage(project: &Project, paths: &[PathBuf]) -> Result<Lineage, StepError> {
    let mut teller =
        Teller { project, evidence: EvidenceStore::new(project.state()), trees: BTreeMap::new() };
    let mut makings: Vec<Making> =
        makings(&project.records()?).into_iter().filter(|making| making.is_live).collect();
    makings.sort_by_key(|making| std::cmp::Reverse(making.generation));
    let mut outputs = documents(project, &teller.evidence, &makings, paths);
    for path in teller.files(&makings, paths, &outputs) {
        outputs.retain(|output| output.path != path);
        outputs.push(teller.output(&makings, &path));
    }
    outputs.sort_by(|one, other| one.path.cmp(&other.path));
    makings
        .retain(|making| outputs.iter().any(|output| output.made_by.as_ref() == Some(&making.transaction)));
    let told = |verdict| outputs.iter().any(|output: &Output| output.verdict == verdict);
    let verdict = if told(Verdict::No) {
        Verdict::No
    } else if outputs.is_empty() || told(Verdict::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Yes
    };
    Ok(Lineage { verdict, outputs, makings })
}

/// What every phase of every run brought, in order.
fn makings(records: &[Record]) -> Vec<Making> {
    let (mut found, mut run) = (Vec::<Making>::new(), String::new());
    let mut received = Vec::<Origin>::new();
    let mut saved: BTreeMap<String, (String, String)> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::RunStarted { run: begun, .. } => run.clone_from(begun),
            Event::Received { package, sequence, manifest, archive, key, .. } => received.push(Origin {
                package: package.clone(),
                sequence: *sequence,
                manifest: manifest.clone(),
                archive: archive.clone(),
                key: key.clone(),
            }),
            Event::SnapshotTaken { phase, snapshot, manifest, .. } => {
                saved.insert(phase.clone(), (snapshot.clone(), manifest.clone()));
            }
            Event::Staged { phase, transaction, changes, old_tree, new_tree, packages, tool, .. } => {
                let of = |hash: &String| received.iter().rev().find(|origin| origin.archive == *hash);
                let (snapshot, manifest) = saved.get(phase).cloned().unwrap_or_default();
                found.push(Making {
                    transaction: transaction.clone(),
                    run: run.clone(),
                    phase: phase.clone(),
                    tool: tool.clone(),
                    packages: packages.iter().filter_map(of).cloned().collect(),
                    changes: changes.clone(),
                    old_tree: old_tree.clone(),
                    new_tree: new_tree.clone(),
                    snapshot,
                    saved: manifest,
                    ..Making::default()
                });
            }
            event => take(&mut found, event, record),
        }
    }
    found
}

/// What a transaction brought.
fn of<'f>(found: &'f mut [Making], transaction: &str) -> Option<&'f mut Making> {
    found.iter_mut().rev().find(|making| making.transaction == transaction)
}

/// Takes what happened to something that was staged.
fn take(found: &mut [Making], event: &Event, record: &Record) {
    match event {
        Event::CutOver { transaction, generation, .. } => {
            let Some(making) = of(found, transaction) else { return };
            (making.is_live, making.generation) = (true, Some(*generation));
            making.time.clone_from(&record.time);
            making.actor.clone_from(&record.actor);
        }
        Event::CutOverUndone { transaction, .. } | Event::RolledBack { transaction, whole: true, .. } => {
            if let Some(making) = of(found, transaction) {
                making.is_live = false;
            }
        }
        Event::RolledBack { transaction, restored, .. }
        | Event::PartRolledBack { transaction, restored, .. } => {
            if let Some(making) = of(found, transaction) {
                making.returned.extend(restored.iter().map(PathBuf::from));
            }
        }
        Event::Rehearsed { transaction, verdict, evidence, binding, .. } => {
            let look = Look {
                check: String::new(),
                at: "rehearsed".to_owned(),
                verdict: verdict.clone(),
                evidence: evidence.clone(),
                binding: binding.clone(),
            };
            if let Some(making) = of(found, transaction) {
                making.looked(look);
            }
        }
        Event::CheckEnded { phase, check, at, verdict, evidence, binding, .. } => {
            let look = Look {
                check: check.clone(),
                at: at.clone(),
                verdict: verdict.clone(),
                evidence: evidence.clone(),
                binding: binding.clone(),
            };
            let making = found.iter_mut().rev().find(|making| &making.phase == phase);
            if let Some(making) = making.filter(|making| making.new_tree == look.binding.new_tree) {
                making.looked(look);
            }
        }
        _ => {}
    }
}

impl Making {
    fn looked(&mut self, look: Look) {
        if self.generation.is_none() {
            self.plan.clone_from(&look.binding.plan);
        }
        self.looks.push(look);
    }

    /// As it stands in the document.
    fn to_json(&self) -> Value {
        let looks = self.looks.iter().map(|look| {
            json!({
                "check": look.check,
                "at": look.at,
                "verdict": look.verdict,
                "evidence": look.evidence,
                "plan": look.binding.plan,
                "options": known(&look.binding.options),
                "inputs": known(&look.binding.inputs),
                "old_tree": known(&look.binding.old_tree),
                "new_tree": known(&look.binding.new_tree),
                "tool": look.binding.tool,
            })
        });
        let packages = self.packages.iter().map(|origin| {
            json!({
                "package": origin.package,
                "sequence": origin.sequence,
                "manifest": origin.manifest,
                "archive": origin.archive,
                "key": known(&origin.key),
            })
        });
        json!({
            "transaction": self.transaction,
            "run": self.run,
            "phase": self.phase,
            "generation": self.generation,
            "time": self.time,
            "actor": self.actor,
            "code": {"tool": known(&self.tool), "old_tree": self.old_tree, "new_tree": self.new_tree},
            "configuration": {"plan": known(&self.plan), "changes": self.changes},
            "inputs": {
                "snapshot": known(&self.snapshot),
                "manifest": known(&self.saved),
                "packages": packages.collect::<Vec<_>>(),
            },
            "evidence": looks.collect::<Vec<_>>(),
        })
    }
}

/// What was recorded; `null` where nothing was.
fn known(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

impl Lineage {
    /// The document.
    pub fn to_json(&self) -> Value {
        let outputs = self.outputs.iter().map(|output| {
            json!({
                "path": output.path,
                "kind": output.kind.word(),
                "content": known(&output.content),
                "verdict": output.verdict.word(),
                "made_by": output.made_by,
                "unknown": output.unknown,
                "seen_by": output.seen_by.as_ref().map(seen_by),
            })
        });
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict.word(),
            "outputs": outputs.collect::<Vec<_>>(),
            "makings": self.makings.iter().map(Making::to_json).collect::<Vec<_>>(),
        })
    }
}

/// Tells files one after the other.
struct Teller<'a> {
    project: &'a Project,
    evidence: EvidenceStore,
    /// Manifests by their hashes, or why there is none.
    trees: BTreeMap<String, Result<Manifest, String>>,
}

impl Teller<'_> {
    fn tree(&mut self, hash: &str) -> &Result<Manifest, String> {
        let (evidence, disk) = (&self.evidence, self.project.ports.world.disk.as_ref());
        self.trees
            .entry(hash.to_owned())
            .or_insert_with(|| evidence.get_manifest(disk, hash).map_err(|error| error.to_string()))
    }

    /// The files of the newest tree, or those of them that are asked for; and what else is asked for and is no document either.
    fn files(&mut self, makings: &[Making], paths: &[PathBuf], documents: &[Output]) -> Vec<PathBuf> {
        let mut files = Vec::new();
        if let Some(newest) = makings.first()
            && let Ok(tree) = self.tree(&newest.new_tree)
        {
            let all = tree.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. }));
            files.extend(all.map(|entry| entry.path.clone()));
        }
        if paths.is_empty() {
            return files;
        }
        let all = std::mem::take(&mut files);
        for path in paths {
            let before = files.len();
            files.extend(all.iter().filter(|file| file.starts_with(path)).cloned());
            let is_document = documents.iter().any(|document| document.path.starts_with(path));
            if files.len() == before && !is_document {
                files.push(path.clone());
            }
        }
        files.sort();
        files.dedup();
        files
    }

    fn output(&mut self, makings: &[Making], path: &Path) -> Output {
        let disk = self.project.ports.world.disk.as_ref();
        let (content, unread) = match disk.hash(&self.project.root.join(path)) {
            Ok(hash) => (to_hex(&hash), None),
            Err(error) => (String::new(), Some(error.to_string())),
        };
        let output = |verdict, made_by, unknown| Output {
            path: path.to_owned(),
            kind: Source::File,
            content: content.clone(),
            verdict,
            made_by,
            unknown,
            seen_by: None,
        };
        match self.maker(makings, path) {
            Err(why) => output(Verdict::Unknown, None, Some(why)),
            Ok((transaction, hash)) => {
                let verdict = match &unread {
                    Some(_) => Verdict::Unknown,
                    None if to_hex(&hash) == content => Verdict::Yes,
                    None => Verdict::No,
                };
                output(verdict, Some(transaction), unread)
            }
        }
    }

    /// The transaction that brought a file, and the content that it brought.
    fn maker(&mut self, makings: &[Making], path: &Path) -> Result<(String, Hash), String> {
        for making in makings {
            if making.returned.iter().any(|returned| path.starts_with(returned)) {
                continue;
            }
            let of = |tree: &Result<Manifest, String>| match tree {
                Ok(tree) => Ok(tree.get(path).and_then(|entry| match entry.kind {
                    Kind::File { hash, .. } => Some(hash),
                    _ => None,
                })),
                Err(why) => Err(format!("what the phase `{}` brought is not known: {why}", making.phase)),
            };
            let (old, new) = (of(self.tree(&making.old_tree))?, of(self.tree(&making.new_tree))?);
            if let Some(new) = new.filter(|new| old != Some(*new)) {
                return Ok((making.transaction.clone(), new));
            }
        }
        Err("no run that is live brought it: it was there before, or came in another way".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event: Event) -> Record {
        let text = String::new;
        Record { seq: 1, time: text(), actor: text(), event, prev: text(), hash: text() }
    }

    fn staged(tool: &str) -> Record {
        let body = r#"{"added":0,"changed":1,"changes":"c","mechanism":"exchange","new_tree":"n","old_tree":"o","paths":[],"phase":"unify","removed":0,"seal":"s","transaction":"t2"}"#;
        let mut event = Event::read("staged", body).unwrap();
        if let Event::Staged { tool: with, .. } = &mut event {
            tool.clone_into(with);
        }
        record(event)
    }

    /// A run can go on with another version of the program than the one that began it.
    #[test]
    fn the_program_that_staged_is_not_the_one_that_began_the_run() {
        let begun = record(Event::RunStarted {
            run: "r".into(),
            project: "shop".into(),
            plan: "p".into(),
            tool: "switchback 1".into(),
            phases: vec!["unify".into()],
        });
        let made = |tool: &str| makings(&[begun.clone(), staged(tool)])[0].to_json()["code"]["tool"].clone();
        assert_eq!(made("switchback 2"), json!("switchback 2"));
        // What was not recorded is not made up.
        assert_eq!(made(""), Value::Null);
    }
}
