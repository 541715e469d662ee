//! The certificate's format: an in-toto Statement v1 whose predicate is ours, version 1. `docs/certificate.md` describes each field.
//!
//! Its bytes are decided by its content, as those of an approval are: what is written in any other way is not read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::journal::Binding;

/// What an envelope that holds a statement of in-toto says that it holds.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of an in-toto Statement, version 1.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What our predicate is, and its version.
pub const PREDICATE_TYPE: &str = "urn:switchback:equivalence-certificate:1";
/// The digest of a tree's manifest: content and metadata, as evidence is bound to it.
pub const MANIFEST_DIGEST: &str = "switchbackManifest1";
/// The digest of what a checkout keeps of a tree.
pub const CONTENT_DIGEST: &str = "switchbackContent1";
/// The names of the subjects, in order.
pub const SUBJECTS: [&str; 2] = ["old tree", "new tree"];

/// An in-toto Statement, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Always [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The old and the new tree.
    pub subject: Vec<Subject>,
    /// Always [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said about them.
    pub predicate: Predicate,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// One of [`SUBJECTS`].
    pub name: String,
    /// [`MANIFEST_DIGEST`] and [`CONTENT_DIGEST`].
    pub digest: BTreeMap<String, String>,
}

/// What is said about two trees. Hashes are BLAKE3, 64 hexadecimal digits; times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// `yes`, `no` or `unknown`: what follows from everything below.
    pub verdict: String,
    /// Why it is not `yes`.
    pub reasons: Vec<String>,
    /// The project's name.
    pub project: String,
    /// The run.
    pub run: String,
    /// The phase.
    pub phase: String,
    /// How far it had come.
    pub point: String,
    /// Name and version of the program.
    pub tool: String,
    /// When it was made.
    pub made_at: String,
    /// When the phase went live, if it did.
    pub live_since: Option<String>,
    /// Hash of the plan file that was rehearsed.
    pub plan: String,
    /// The tree before.
    pub old: Tree,
    /// The tree after.
    pub new: Tree,
    /// The last outcome of each check at each moment.
    pub checks: Vec<CheckEntry>,
    /// What the plan checks and nobody has looked at yet.
    pub open: Vec<OpenCheck>,
    /// The way in and out again, on a copy.
    pub rehearsal: Option<RehearsalEntry>,
    /// Who had to approve, and who did.
    pub approvals: Vec<RoleEntry>,
    /// The journal that all of it is taken from.
    pub journal: JournalHead,
    /// The public key that signs, as OpenSSH writes it; empty where nobody does.
    pub signer: String,
}

/// One tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Hash of its manifest.
    pub manifest: String,
    /// Hash over `paths`.
    pub content: String,
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Each managed path with the hash of its content.
    pub paths: BTreeMap<String, String>,
}

/// One outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckEntry {
    /// Its name.
    pub name: String,
    /// Its method: the kind, as in the plan.
    pub kind: String,
    /// When it looked.
    pub at: String,
    /// What it said.
    pub verdict: String,
    /// One line.
    pub summary: String,
    /// All that the plan says about it, tolerances among it, as the text whose hash is `binding.options`; `null` where the plan is
    /// another one by now, or where there is a secret in it.
    pub options: Option<String>,
    /// The same, for people and programs: each setting by its path.
    pub settings: BTreeMap<String, String>,
    /// Hash of its report, in which the results are.
    pub results: String,
    /// How each item was compared, where it compares.
    pub items: Vec<ItemEntry>,
    /// What it was about: plan, options, both trees, inputs, tool.
    pub binding: Binding,
    /// How long it took.
    pub milliseconds: u64,
}

/// One item of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemEntry {
    /// Its name.
    pub name: String,
    /// What was said about it.
    pub verdict: String,
    /// By which proof.
    pub proof: String,
    /// The strongest relation that holds.
    pub relation: String,
}

/// A check that has not looked yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCheck {
    /// Its name.
    pub name: String,
    /// When it looks.
    pub at: String,
}

/// The rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RehearsalEntry {
    /// What it came to.
    pub verdict: String,
    /// One line.
    pub summary: String,
    /// Hash of its report.
    pub results: String,
    /// What it was about.
    pub binding: Binding,
    /// When it ended.
    pub ended_at: String,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its name.
    pub role: String,
    /// How many different persons must approve.
    pub needed: u64,
    /// Whether somebody refused, and nobody approved since.
    pub refused: bool,
    /// Who did.
    pub votes: Vec<VoteEntry>,
}

/// One approval that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteEntry {
    /// A person of the plan, or `user@host`.
    pub who: String,
    /// When it was written down.
    pub time: String,
    /// The public key that signed it; empty where none did.
    pub key: String,
    /// The envelope that holds what was signed, as text.
    pub envelope: String,
}

/// Where the journal stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHead {
    /// How many events it had.
    pub events: u64,
    /// The hash of the last one.
    pub head: String,
}

impl Statement {
    /// The bytes that are signed.
    pub fn write(&self) -> Vec<u8> {
        // Texts, numbers, lists and tables with texts as keys: there is nothing in it that cannot be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Statement::write`] wrote.
    ///
    /// # Errors
    ///
    /// Why it is no such statement.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.kind != STATEMENT_TYPE {
            return Err(format!("its `_type` is not `{STATEMENT_TYPE}`"));
        }
        if read.predicate_type != PREDICATE_TYPE {
            return Err(format!("its `predicateType` is not `{PREDICATE_TYPE}`"));
        }
        if read.write() != bytes {
            return Err("it is not written as this program writes it".to_owned());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let paths = BTreeMap::from([("src".to_owned(), "p".to_owned())]);
        Tree { manifest: "m".into(), content: "c".into(), files: 1, bytes: 2, paths }
    }

    fn check(binding: Binding) -> CheckEntry {
        CheckEntry {
            name: "equal".into(),
            kind: "equivalence".into(),
            at: "staged".into(),
            verdict: "yes".into(),
            summary: "equal".into(),
            options: None,
            settings: BTreeMap::from([("tolerance.absolute".to_owned(), "1e-12".to_owned())]),
            results: "r".into(),
            items: vec![ItemEntry {
                name: "a".into(),
                verdict: "yes".into(),
                proof: "bytes".into(),
                relation: "bytes".into(),
            }],
            binding,
            milliseconds: 3,
        }
    }

    #[test]
    fn the_format_is_pinned() {
        let binding = Binding { plan: "p".into(), tool: "t".into(), ..Binding::default() };
        let statement = Statement {
            kind: STATEMENT_TYPE.into(),
            subject: vec![Subject {
                name: SUBJECTS[0].into(),
                digest: BTreeMap::from([(CONTENT_DIGEST.to_owned(), "c".to_owned())]),
            }],
            predicate_type: PREDICATE_TYPE.into(),
            predicate: Predicate {
                verdict: "yes".into(),
                reasons: Vec::new(),
                project: "shop".into(),
                run: "r1".into(),
                phase: "unify".into(),
                point: "live".into(),
                tool: "t".into(),
                made_at: "2027-01-01T00:00:00Z".into(),
                live_since: None,
                plan: "p".into(),
                old: tree(),
                new: tree(),
                checks: vec![check(binding.clone())],
                open: vec![OpenCheck { name: "late".into(), at: "+1d".into() }],
                rehearsal: Some(RehearsalEntry {
                    verdict: "yes".into(),
                    summary: "s".into(),
                    results: "r".into(),
                    binding,
                    ended_at: "e".into(),
                }),
                approvals: vec![RoleEntry {
                    role: "risk".into(),
                    needed: 1,
                    refused: false,
                    votes: vec![VoteEntry {
                        who: "Ana".into(),
                        time: "w".into(),
                        key: "k".into(),
                        envelope: "{}".into(),
                    }],
                }],
                journal: JournalHead { events: 9, head: "h".into() },
                signer: "k".into(),
            },
        };
        let tree = r#"{"manifest":"m","content":"c","files":1,"bytes":2,"paths":{"src":"p"}}"#;
        let binding =
            r#""binding":{"plan":"p","options":"","old_tree":"","new_tree":"","inputs":"","tool":"t"}"#;
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"old tree","digest":{{"switchbackContent1":"c"}}}}],"predicateType":"urn:switchback:equivalence-certificate:1","predicate":{{"verdict":"yes","reasons":[],"project":"shop","run":"r1","phase":"unify","point":"live","tool":"t","made_at":"2027-01-01T00:00:00Z","live_since":null,"plan":"p","old":{tree},"new":{tree},"checks":[{{"name":"equal","kind":"equivalence","at":"staged","verdict":"yes","summary":"equal","options":null,"settings":{{"tolerance.absolute":"1e-12"}},"results":"r","items":[{{"name":"a","verdict":"yes","proof":"bytes","relation":"bytes"}}],{binding},"milliseconds":3}}],"open":[{{"name":"late","at":"+1d"}}],"rehearsal":{{"verdict":"yes","summary":"s","results":"r",{binding},"ended_at":"e"}},"approvals":[{{"role":"risk","needed":1,"refused":false,"votes":[{{"who":"Ana","time":"w","key":"k","envelope":"{{}}"}}]}}],"journal":{{"events":9,"head":"h"}},"signer":"k"}}}}"#
        );
        assert_eq!(String::from_utf8(statement.write()).unwrap(), text);
        assert_eq!(Statement::read(text.as_bytes()).unwrap(), statement);
        assert!(Statement::read(text.replace("\"signer\"", "\"more\":1,\"signer\"").as_bytes()).is_err());
        assert!(Statement::read(text.replace("certificate:1", "certificate:2").as_bytes()).is_err());
        assert!(Statement::read(format!("{text}\n").as_bytes()).is_err());
    }
}
