//! Verifying a certificate: by itself, without data, project or network. What was verified is said, and what was not.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::conclusion::conclusion;
use super::content::{content_hash, path_hash};
use super::format::{CheckEntry, PAYLOAD_TYPE, Predicate, RoleEntry, Statement, Tree, VoteEntry};
use super::make::subjects;
use super::settings::settings;
use crate::journal::Binding;
use crate::manifest::to_hex;
use crate::phase::StepError;
use crate::phase::approval::{APPROVAL_TYPE, Statement as Approval};
use crate::phase::seal::named_manifest;
use crate::port::Signatures;
use crate::quantity::counted;
use crate::signature::{PublicKey, SignatureFault};
use crate::verdict::Verdict;
use crate::world::World;

/// A larger file is not a certificate.
pub const CERTIFICATE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// So many paths of a tree that is neither are named.
const NAMED_MAX: usize = 5;

/// What a tree is by the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeIs {
    /// The old one.
    Old,
    /// The new one.
    New,
    /// Both: they differ in what no checkout keeps.
    Both,
    /// Neither; the managed paths that are not those of the new one.
    Neither(Vec<String>),
}

impl TreeIs {
    /// The word for it: `old`, `new`, `both`, `neither`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Both => "both",
            Self::Neither(_) => "neither",
        }
    }
}

/// What a look at a certificate came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// *yes*: it is as it was signed, nothing in it contradicts itself, and it says *yes*.
    pub verdict: Verdict,
    /// What was verified.
    pub verified: Vec<String>,
    /// What was not.
    pub not_verified: Vec<String>,
    /// What is wrong with it.
    pub faults: Vec<String>,
    /// What the keys are called whose signature is good.
    pub signed_by: Vec<String>,
    /// What it says; believed only as far as the verdict goes.
    pub statement: Statement,
    /// What the tree is that was looked at.
    pub tree: Option<TreeIs>,
}

/// Why nothing can be said about a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no envelope, and no statement.
    #[error(transparent)]
    Envelope(SignatureFault),
    /// What is signed is no certificate.
    #[error("it is no certificate of Switchback: {0}")]
    Statement(String),
}

/// Verifies a certificate. With `keys`, one of them must have signed it; without, the key that it names itself. Whose keys approved is
/// known only of those among `keys`.
///
/// # Errors
///
/// When it is no certificate.
pub fn verify(text: &str, keys: &[PublicKey], signatures: &dyn Signatures) -> Result<Look, Unreadable> {
    let (payload, is_signed) = payload(text, signatures)?;
    let statement = Statement::read(&payload).map_err(Unreadable::Statement)?;
    let mut look = Look {
        verdict: Verdict::Yes,
        verified: Vec::new(),
        not_verified: Vec::new(),
        faults: Vec::new(),
        signed_by: Vec::new(),
        statement,
        tree: None,
    };
    if is_signed {
        look.at_signature(text, keys, signatures);
    } else {
        look.verdict = Verdict::Unknown;
        look.not_verified.push("who made it, and that it was not changed since: nobody signed it".to_owned());
    }
    look.at_consistency(keys, signatures);
    look.not_verified.push(
        "that the checks saw what they say: for that, the data and the evidence with these hashes are needed"
            .to_owned(),
    );
    look.conclude();
    Ok(look)
}

/// What is in an envelope, or the statement that stands by itself.
pub(super) fn payload(text: &str, signatures: &dyn Signatures) -> Result<(Vec<u8>, bool), Unreadable> {
    match signatures.peek(text, PAYLOAD_TYPE) {
        Ok((payload, _)) => Ok((payload, true)),
        Err(SignatureFault::Form(_)) if text.trim_start().starts_with("{\"_type\"") => {
            Ok((text.trim_end().as_bytes().to_vec(), false))
        }
        Err(fault) => Err(Unreadable::Envelope(fault)),
    }
}

impl Look {
    fn at_signature(&mut self, text: &str, keys: &[PublicKey], signatures: &dyn Signatures) {
        let named = PublicKey::read(&self.statement.predicate.signer);
        let is_trusted = !keys.is_empty();
        let tried = match (&named, is_trusted) {
            (_, true) => keys.to_vec(),
            (Ok(named), false) => vec![named.clone()],
            (Err(why), false) => {
                self.faults.push(format!("the key that it names as its own cannot be used: {why}"));
                return;
            }
        };
        match signatures.verify(text, PAYLOAD_TYPE, &tried) {
            Ok(opened) => {
                self.signed_by = opened.signed_by.iter().map(|key| signatures.key_id(key)).collect();
                let who = self.signed_by.join(", ");
                self.verified.push(format!("every byte of it is as {who} signed it"));
                if !is_trusted {
                    self.not_verified.push(format!(
                        "whose key {who} is: anybody can make one; name the one that you trust with `--key`"
                    ));
                }
            }
            Err(fault) => self.faults.push(fault.to_string()),
        }
    }

    fn at_consistency(&mut self, keys: &[PublicKey], signatures: &dyn Signatures) {
        let predicate = &self.statement.predicate;
        let mut faults = Vec::new();
        if self.statement.subject != subjects(predicate) {
            faults.push("what it is about is not what its predicate is about".to_owned());
        }
        for (name, tree) in [("old", &predicate.old), ("new", &predicate.new)] {
            if content_hash(&tree.paths) != tree.content {
                faults.push(format!("the hash of the {name} tree is not that of its paths"));
            }
        }
        let mut blanked = Vec::new();
        for (at, check) in predicate.checks.iter().enumerate() {
            let again =
                predicate.checks[..at].iter().any(|other| other.name == check.name && other.at == check.at);
            if again {
                faults.push(format!("the check `{}` stands there twice at {}", check.name, check.at));
            }
            faults.extend(faults_of_check(check, predicate));
            if check.options.is_none() {
                blanked.push(format!("`{}` at {}", check.name, check.at));
            }
        }
        if let Some(rehearsal) = &predicate.rehearsal {
            faults.extend(faults_of_binding("the rehearsal", &rehearsal.binding, predicate, true));
        }
        let mut signed: u64 = 0;
        for role in &predicate.approvals {
            let (good, bad) = at_role(role, predicate, signatures);
            signed += good;
            faults.extend(bad);
            self.not_verified.extend(unknown_keys(role, keys, signatures));
            if role.votes.iter().any(|vote| vote.envelope.is_empty()) {
                let what =
                    format!("who approved in the role `{}`: the journal says so, and no key", role.role);
                self.not_verified.push(what);
            }
        }
        let (verdict, reasons) = conclusion(predicate);
        if verdict.word() != predicate.verdict || reasons != predicate.reasons {
            faults.push(format!(
                "it says *{}*, and from what it holds follows *{}*",
                predicate.verdict,
                verdict.word()
            ));
        }
        if faults.is_empty() {
            self.verified.push(
                "subjects, trees, settings, evidence, rehearsal and verdict belong together".to_owned(),
            );
            if signed > 0 {
                self.verified.push(format!("{}, of exactly this", counted(signed, "signed approval")));
            }
        }
        if !blanked.is_empty() {
            let what = format!("the settings of {}: only their hash is there", blanked.join(", "));
            self.not_verified.push(what);
        }
        self.faults.extend(faults);
    }

    /// Holds a tree on the disk against it: managed paths below `folder`. With `counts`, a tree that is neither speaks against it.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn at_tree(&mut self, world: &World, folder: &Path, counts: bool) -> Result<(), StepError> {
        let predicate = &self.statement.predicate;
        let names: Vec<&String> = predicate.new.paths.keys().collect();
        let is_plain = |name: &&String| {
            Path::new(name.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some(odd) = names.iter().find(|name| name.is_empty() || !is_plain(name)) {
            self.faults.push(format!("the path `{}` leads out of a tree", odd.escape_debug()));
            self.conclude();
            return Ok(());
        }
        let mut found = BTreeMap::new();
        for name in names {
            let manifest = named_manifest(world, &folder.join(name), Path::new(name))?;
            found.insert(name.clone(), path_hash(&manifest, Path::new(name)));
        }
        let is = |tree: &Tree| tree.paths == found;
        let tree = match (is(&predicate.old), is(&predicate.new)) {
            (true, true) => TreeIs::Both,
            (true, false) => TreeIs::Old,
            (false, true) => TreeIs::New,
            (false, false) => {
                let other = found.iter().filter(|(name, hash)| predicate.new.paths.get(*name) != Some(*hash));
                TreeIs::Neither(other.map(|(name, _)| name.clone()).collect())
            }
        };
        let place = folder.display();
        match &tree {
            TreeIs::Old => self.verified.push(format!("the tree in `{place}` is the old one")),
            TreeIs::New => self.verified.push(format!("the tree in `{place}` is the new one")),
            TreeIs::Both => {
                self.verified.push(format!("the tree in `{place}` is both the old and the new one"));
            }
            TreeIs::Neither(paths) => {
                let named = paths.iter().take(NAMED_MAX).map(|path| format!("`{path}`")).collect::<Vec<_>>();
                let what = format!(
                    "the tree in `{place}` is neither the old nor the new one: {} is another one than the new",
                    named.join(", ")
                );
                if counts { self.faults.push(what) } else { self.not_verified.push(what) }
            }
        }
        self.tree = Some(tree);
        self.conclude();
        Ok(())
    }

    fn conclude(&mut self) {
        let says = Verdict::from_word(&self.statement.predicate.verdict).unwrap_or(Verdict::Unknown);
        self.verdict = self.verdict.and(says);
        if !self.faults.is_empty() {
            self.verdict = Verdict::No;
        }
    }
}

fn faults_of_check(check: &CheckEntry, predicate: &Predicate) -> Vec<String> {
    let what = format!("the check `{}` at {}", check.name, check.at);
    let mut faults = Vec::new();
    if Verdict::from_word(&check.verdict).is_none() {
        faults.push(format!("{what} has no verdict"));
    }
    match &check.options {
        Some(options) => {
            if to_hex(blake3::hash(options.as_bytes()).as_bytes()) != check.binding.options {
                faults.push(format!("the settings of {what} are not those that its evidence is about"));
            }
            if settings(options).as_ref() != Some(&check.settings) {
                faults.push(format!("the settings of {what} are not what its options say"));
            }
        }
        None if !check.settings.is_empty() => {
            faults.push(format!("the settings of {what} are not what its options say"));
        }
        None => {}
    }
    if check.at != "before" {
        let is_planned = ["staged", "rehearsed"].contains(&check.at.as_str());
        faults.extend(faults_of_binding(&what, &check.binding, predicate, is_planned));
    }
    faults
}

/// Evidence is about these trees; before the cutover also about this plan, which may be another one afterwards.
fn faults_of_binding(what: &str, binding: &Binding, predicate: &Predicate, is_planned: bool) -> Vec<String> {
    let parts = [
        (binding.old_tree == predicate.old.manifest, "old tree"),
        (binding.new_tree == predicate.new.manifest, "new tree"),
        (!is_planned || binding.plan == predicate.plan, "plan"),
    ];
    let wrong = parts.into_iter().filter(|(is_same, _)| !is_same);
    wrong.map(|(_, part)| format!("{what} is about another {part}")).collect()
}

/// How many approvals of a role are signed and good, and what is wrong with the others.
fn at_role(role: &RoleEntry, predicate: &Predicate, signatures: &dyn Signatures) -> (u64, Vec<String>) {
    let (mut good, mut faults) = (0, Vec::new());
    for (at, vote) in role.votes.iter().enumerate() {
        if role.votes[..at].iter().any(|other| other.who == vote.who) {
            faults.push(format!("{} counts twice in the role `{}`", vote.who, role.role));
        }
        if vote.envelope.is_empty() {
            continue;
        }
        match at_vote(role, vote, predicate, signatures) {
            Ok(()) => good += 1,
            Err(why) => {
                faults.push(format!("the approval of {} in the role `{}`: {why}", vote.who, role.role));
            }
        }
    }
    (good, faults)
}

/// The keys of approvals that stand in the certificate alone: anybody can write there whose they are.
fn unknown_keys(role: &RoleEntry, keys: &[PublicKey], signatures: &dyn Signatures) -> Vec<String> {
    let signed = role.votes.iter().filter(|vote| !vote.envelope.is_empty());
    let unknown = signed.filter_map(|vote| {
        let key = PublicKey::read(&vote.key).ok().filter(|key| !keys.contains(key))?;
        Some(format!(
            "whose key {} is, which approved in the role `{}`: the certificate itself says that it is that of {}; name it with \
             `--key` as well, if you trust it",
            signatures.key_id(&key),
            role.role,
            vote.who
        ))
    });
    unknown.collect()
}

fn at_vote(
    role: &RoleEntry,
    vote: &VoteEntry,
    predicate: &Predicate,
    signatures: &dyn Signatures,
) -> Result<(), String> {
    let key = PublicKey::read(&vote.key)?;
    let opened = signatures
        .verify(&vote.envelope, APPROVAL_TYPE, std::slice::from_ref(&key))
        .map_err(|fault| fault.to_string())?;
    let approval = Approval::read(&opened.payload)?;
    let parts = [
        (approval.project == predicate.project, "project"),
        (approval.phase == predicate.phase, "phase"),
        (approval.role == role.role, "role"),
        (approval.person.is_empty() || approval.person == vote.who, "person"),
        (approval.plan == predicate.plan, "plan"),
        (approval.old_tree == predicate.old.manifest, "old tree"),
        (approval.new_tree == predicate.new.manifest, "new tree"),
    ];
    match parts.iter().find(|(is_same, _)| !is_same) {
        Some((_, part)) => Err(format!("it is about another {part}")),
        None => Ok(()),
    }
}
