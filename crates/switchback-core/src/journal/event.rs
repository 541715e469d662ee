//! What can happen, and how it is written down: the format of the journal, version 1.
//!
//! Unknown fields pass, so that an older program can read what a newer one adds; an unknown event stops the reader,
//! because half a history must not be acted upon.

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess};
use serde::{Deserialize, Serialize};
use serde_json::de::StrRead;

/// The version of the format that the journal's own table names.
pub const FORMAT: &str = "switchback/journal/1";

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// When it was written, RFC 3339, UTC. For people: nothing is decided by it, delays that are due apart.
    pub time: String,
    /// Who: `user@host`.
    pub actor: String,
    /// What.
    pub event: Event,
    /// The hash of the entry before; 64 zeros for the first one.
    pub prev: String,
    /// BLAKE3 of this entry: of `seq`, `time`, `actor`, event, body and `prev`.
    pub hash: String,
}

/// What evidence and approvals are about. They count only while all of it is unchanged (BX-10).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Binding {
    /// BLAKE3 of the plan file.
    pub plan: String,
    /// BLAKE3 of the check's own options; empty for an approval.
    #[serde(default)]
    pub options: String,
    /// Hash of the live tree's manifest; empty when nothing is staged.
    #[serde(default)]
    pub old_tree: String,
    /// Hash of the candidate's manifest; empty when nothing is staged.
    #[serde(default)]
    pub new_tree: String,
    /// Hash of the declared inputs; empty when there are none. Of an approval: of the inputs of all checks that it
    /// relies on.
    #[serde(default)]
    pub inputs: String,
    /// Name and version of the program.
    pub tool: String,
}

/// One piece of evidence that an approval relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReliedOn {
    /// The check, or the shadow; empty: the rehearsal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check: String,
    /// At which moment it looked; `shadow` for a shadow.
    pub at: String,
    /// Its verdict.
    pub verdict: String,
    /// The hash of its report.
    pub evidence: String,
}

/// The signature of an approval: what was signed is in the envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    /// The public key, as OpenSSH writes it.
    pub key: String,
    /// The envelope of DSSE.
    pub envelope: serde_json::Value,
}

/// Whether a trigger would have fired on a copy that was broken for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RehearsedTrigger {
    /// The check that it watches.
    pub check: String,
    /// What it starts.
    pub action: String,
    /// Its condition, in words.
    pub when: String,
    /// `yes`: on the broken copy, and not on the whole one; `no`; or `unknown`.
    pub verdict: String,
    /// What was seen, in one line.
    pub summary: String,
}

/// What became of a dependency environment when a candidate was staged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvironmentFact {
    /// Where it is live.
    pub path: String,
    /// Whether it was built anew, and is exchanged with the managed paths.
    pub is_built: bool,
    /// One line: which versions it brings, or why it stays as it is.
    pub summary: String,
    /// Hash of the report about it; empty when it stays as it is.
    #[serde(default)]
    pub evidence: String,
}

/// What happened. Hashes are 64 hexadecimal digits; paths are relative to the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "body", rename_all = "kebab-case", rename_all_fields = "snake_case")]
#[expect(missing_docs, reason = "the fields are the format; `docs/journal-format.md` describes each of them")]
pub enum Event {
    /// A run of a plan began.
    RunStarted { run: String, project: String, plan: String, tool: String, phases: Vec<String> },
    /// A snapshot of what the phase will change is about to be made.
    SnapshotStarted { phase: String },
    /// The snapshot was made and verified.
    SnapshotTaken { phase: String, snapshot: String, manifest: String, files: u64, bytes: u64 },
    /// A candidate is about to be built.
    StageStarted { phase: String, transaction: String },
    /// The candidate was built, synced and read back.
    Staged {
        phase: String,
        transaction: String,
        mechanism: String,
        changes: String,
        old_tree: String,
        new_tree: String,
        seal: String,
        paths: Vec<String>,
        added: u64,
        removed: u64,
        changed: u64,
        /// Entries that differ in mode, owner, time, attributes or links alone.
        #[serde(default)]
        metadata: u64,
        /// What the phase's commands changed outside the managed paths of the copy that they ran in.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outside: Vec<String>,
        /// The dependency environments of the plan.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        environments: Vec<EnvironmentFact>,
        /// The hashes of the packages that were received, and that it was built of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        packages: Vec<String>,
        /// Name and version of the program that built it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        tool: String,
    },
    /// A rehearsal on a throwaway copy is about to begin.
    RehearsalStarted { phase: String, transaction: String },
    /// The rehearsal came to a verdict: forward, checked, back, and compared.
    Rehearsed {
        phase: String,
        transaction: String,
        verdict: String,
        summary: String,
        evidence: String,
        milliseconds: u64,
        binding: Binding,
        /// Triggers for which the plan says how a copy is broken, in its order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        triggers: Vec<RehearsedTrigger>,
    },
    /// A check is about to look.
    CheckStarted { phase: String, check: String, at: String },
    /// A check came to a verdict.
    CheckEnded {
        phase: String,
        check: String,
        at: String,
        verdict: String,
        summary: String,
        evidence: String,
        milliseconds: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measure: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        samples: Option<u64>,
        /// Whether a person had it look, and not the watch.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_hand: bool,
        binding: Binding,
    },
    /// Somebody approved in a role. `person`: who that is by the plan, where it lists the key; `relied_on`: the evidence that
    /// there was; `signed`: the signature, where a key was used.
    Approved {
        phase: String,
        role: String,
        binding: Binding,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        person: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        relied_on: Vec<ReliedOn>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        expires: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Signed>,
    },
    /// Somebody refused in a role.
    Rejected { phase: String, role: String, why: String },
    /// Somebody said in a role whether a criterion of the plan holds. `person` and `signed` as in `Approved`.
    CriterionSigned {
        phase: String,
        criterion: String,
        role: String,
        holds: bool,
        why: String,
        transaction: String,
        binding: Binding,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        person: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Signed>,
    },
    /// The exchange is about to begin.
    CutOverStarted {
        phase: String,
        transaction: String,
        /// Managed paths that there was no time to look at before it. They are looked at after it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unseen: Vec<String>,
    },
    /// The candidate is live.
    CutOver { phase: String, transaction: String, generation: u64 },
    /// The old tree was looked at again after the cutover; what was written into it since it was staged.
    DriftChecked { phase: String, drift: Vec<String> },
    /// The exchange did not happen, or was taken back; the old tree is live.
    CutOverUndone { phase: String, transaction: String, why: String },
    /// A rollback is about to begin. `only`: some of the paths; empty: all.
    RollBackStarted { phase: String, transaction: String, only: Vec<String>, why: String },
    /// The old tree, or the named part of it, is live again.
    RolledBack {
        phase: String,
        transaction: String,
        whole: bool,
        restored: Vec<String>,
        kept_aside: Vec<String>,
    },
    /// A package of a phase is about to be written. `content`: the hash of its manifest without its number.
    Packaged {
        package: String,
        sequence: u64,
        phase: String,
        content: String,
        manifest: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
    },
    /// A package was verified, and is about to stand at a path of the project. `key`: the public one that signed it.
    Received { package: String, sequence: u64, manifest: String, archive: String, path: String, key: String },
    /// A branch of git is about to be led from `parent` to `commit`, which holds what the phase brought and is there already.
    CommitStarted { phase: String, transaction: String, branch: String, parent: String, commit: String },
    /// The branch holds that commit, and the index with it.
    Committed { phase: String, transaction: String, commit: String },
    /// What is known of a phase that is over is about to be put together in a folder.
    ArchiveStarted { phase: String, transaction: String, path: String },
    /// It is there as a whole. `manifest`: the hash of the list of its files.
    Archived { phase: String, transaction: String, path: String, manifest: String, files: u64, bytes: u64 },
    /// Some of the files that the phase touched are as they were before it; the phase stays live. `undo`: where the bytes
    /// that were live are kept, below `.switchback/undo`.
    PartRolledBack {
        phase: String,
        transaction: String,
        parts: Vec<String>,
        restored: Vec<String>,
        kept_aside: Vec<String>,
        undo: String,
        why: String,
    },
    /// The managed paths are about to be restored from a copy: `from` is `snapshot`, `remote` or `git`, `source` the id of
    /// the snapshot or commit, `takes_back` the transactions whose outcome is taken back by it.
    RestoreStarted { transaction: String, from: String, source: String, takes_back: Vec<String>, why: String },
    /// They hold what the copy held.
    Restored {
        transaction: String,
        from: String,
        source: String,
        restored: Vec<String>,
        kept_aside: Vec<String>,
    },
    /// They were not restored, and are as they were.
    RestoreUndone { transaction: String, why: String },
    /// A branch of git holds what was live before the phase.
    SafetyBranchMade { phase: String, branch: String, commit: String },
    /// A trigger's condition held. `when`: the condition in words, by which two triggers on one check are told apart; versions
    /// before it was written leave it empty.
    TriggerFired {
        phase: String,
        check: String,
        action: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        when: String,
        why: String,
    },
    /// All watch checks were carried out and hold.
    Watched { phase: String },
    /// The phase is over; the old tree is kept as a generation.
    Finished { phase: String, generation: u64 },
    /// A candidate was given up before it went live.
    Abandoned { phase: String, why: String },
    /// A step could not be carried out; it can be tried again.
    StepFailed { phase: String, step: String, why: String },
    /// A process is about to be handed over from the tree of one generation to that of another. `kept`: the instance of
    /// `to` still runs. `start`: the line that starts it, where it has no secret.
    HandOverStarted {
        phase: String,
        transaction: String,
        process: String,
        handover: String,
        from: u64,
        to: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        kept: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        start: String,
    },
    /// The instance of a generation was stopped.
    ProcessStopped { phase: String, transaction: String, process: String, generation: u64, milliseconds: u64 },
    /// It runs the tree of this generation and is ready. `way`: how it came to that.
    ProcessStarted {
        phase: String,
        transaction: String,
        process: String,
        generation: u64,
        way: String,
        milliseconds: u64,
        /// From the beginning of its stop until it was ready.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        down_milliseconds: Option<u64>,
    },
    /// Whether it runs the code that is live.
    ProcessChecked { phase: String, transaction: String, process: String, verdict: String, summary: String },
    /// It could not be handed over. `doing`: `stop`, `start`, `reload`, `ready` or `code`.
    HandOverFailed { phase: String, transaction: String, process: String, doing: String, why: String },
    /// Steps of a database are about to be deployed, or undone: `direction` is `deploy` or `revert`. `address`: as the plan has it,
    /// where it has no secret. `scripts`: the folder that keeps them. `steps`: those that may be in the database from now on.
    DatabaseStarted {
        phase: String,
        transaction: String,
        database: String,
        direction: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        address: String,
        /// Where that led, a file or server and database, without user and password.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        place: String,
        scripts: String,
        steps: Vec<String>,
    },
    /// How that ended. `steps`: those of the phase that are in the database now.
    DatabaseEnded {
        phase: String,
        transaction: String,
        database: String,
        verdict: String,
        steps: Vec<String>,
        summary: String,
    },
    /// Somebody is about to be told of the event at that position.
    /// `receiver`: by what the journal knows it; `name`: what the plan calls it, where that is another; `address`: a hash of where
    /// that goes, empty in what earlier versions wrote; `doubt`: all up to that event may have been told there under another name.
    NotificationStarted {
        receiver: String,
        about: u64,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<u64>,
    },
    /// Whether that arrived, as far as can be known.
    NotificationEnded {
        receiver: String,
        about: u64,
        delivered: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        may_have_arrived: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// The channel by which it was refused for good, as a hash; empty where it was not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        refused: String,
    },
    /// What was acknowledged and stood behind the event before this one is lost: frame `frame` of the write-ahead log is damaged, and
    /// whole ones follow it. `kept`: the file beside the journal that holds that log.
    JournalDamaged { frame: u64, kept: String },
    /// The head of the journal, event `about` with the hash `head`, is about to be kept outside, where the plan says.
    AnchorStarted { to: String, about: u64, head: String },
    /// Whether it is there.
    AnchorEnded {
        to: String,
        about: u64,
        written: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// Old and new are about to run the inputs of a shadow side by side. `until`: when its period is over; empty for a set of
    /// inputs. `voids`: what was counted before and does not count any more, in words.
    ShadowStarted {
        phase: String,
        shadow: String,
        until: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        voids: String,
        binding: Binding,
    },
    /// Both are about to run an input. `content`: the hash of its bytes.
    ShadowInputStarted { phase: String, shadow: String, input: String, content: String },
    /// What came of it.
    ShadowInputEnded {
        phase: String,
        shadow: String,
        input: String,
        content: String,
        verdict: String,
        outcome: String,
        summary: String,
        evidence: String,
        milliseconds: u64,
    },
    /// The shadow is over: the verdict over all of its inputs.
    ShadowEnded { phase: String, shadow: String, verdict: String, summary: String, evidence: String },
}

impl Event {
    /// The event's word and its body, as they are written.
    ///
    /// # Errors
    ///
    /// When the body cannot be written as JSON.
    pub fn write(&self) -> Result<(String, String), serde_json::Error> {
        let value = serde_json::to_value(self)?;
        let word = value.get("event").and_then(|word| word.as_str()).unwrap_or_default().to_owned();
        let body = value.get("body").map_or_else(|| "{}".to_owned(), ToString::to_string);
        Ok((word, body))
    }

    /// Reads what [`Event::write`] wrote.
    ///
    /// # Errors
    ///
    /// When the word is unknown, or a field is missing or of another type.
    pub fn read(word: &str, body: &str) -> Result<Self, serde_json::Error> {
        let mut body = serde_json::Deserializer::from_str(body);
        let event = Self::deserialize(MapAccessDeserializer::new(WordAndBody::Word(word, &mut body)))?;
        body.end()?;
        Ok(event)
    }
}

/// Word and body as the one map that they were written from, without a text or a value of its own for it: the journal
/// of a long watch has tens of thousands of events.
enum WordAndBody<'a, 'de> {
    Word(&'de str, &'a mut serde_json::Deserializer<StrRead<'de>>),
    Body(&'a mut serde_json::Deserializer<StrRead<'de>>),
    End,
}

impl<'de> MapAccess<'de> for WordAndBody<'_, 'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let key = match self {
            Self::Word(..) => "event",
            Self::Body(_) => "body",
            Self::End => return Ok(None),
        };
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        match std::mem::replace(self, Self::End) {
            Self::Word(word, body) => {
                *self = Self::Body(body);
                seed.deserialize(BorrowedStrDeserializer::new(word))
            }
            Self::Body(body) => seed.deserialize(body),
            Self::End => Err(serde::de::Error::custom("an event has a word and a body, and nothing else")),
        }
    }
}

impl Record {
    /// The hash that an entry with this content must have.
    pub fn chained(seq: u64, time: &str, actor: &str, word: &str, body: &str, prev: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(FORMAT.as_bytes());
        hasher.update(&seq.to_le_bytes());
        for field in [time, actor, word, body, prev] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests;
