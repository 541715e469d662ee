//! The journal for auditors: each act with who, where from, with which key, when and on which evidence; one file that needs nothing
//! else, the same to the byte for the same journal.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::format::host_of;
use super::verify::{damaged, lost, record_of};
use crate::journal::store::Row;
use crate::journal::{Event, FaultKind, Journal, Tail, verify};
use crate::phase::redact::Redactor;
use crate::phase::{Ports, StepError};
use crate::plan::STATE_FOLDER;
use crate::port::Signatures;
use crate::report::told;
use crate::signature::PublicKey;
use crate::verdict::Verdict;

/// The schema of the document.
pub const SCHEMA: &str = "switchback/audit/1";
/// The columns of the table, in order.
const COLUMNS: [&str; 17] = [
    "seq", "time", "user", "host", "person", "role", "key", "run", "phase", "act", "what", "verdict", "plan",
    "old_tree", "new_tree", "rests_on", "hash",
];

/// All acts of a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// *yes*: the chain holds. *no*: it does not, and the faults are in it.
    pub verdict: Verdict,
    acts: Vec<Map<String, Value>>,
    faults: Vec<Value>,
    head: Option<String>,
}

/// Makes the export of the journal of the project at `root`.
///
/// # Errors
///
/// When it cannot be read.
pub fn export(root: &Path, journal: &Journal, ports: &Ports) -> Result<Export, StepError> {
    let state = root.join(STATE_FOLDER);
    let tail = Tail::of(ports.world.disk.as_ref(), &state.join("journal.db"), &state.join("lock"))?;
    let rows = journal.rows_after(0)?;
    let mut faults = verify(&rows);
    faults.extend(rows.iter().filter_map(record_of).filter_map(|record| lost(&record)));
    faults.extend(damaged(&tail, rows.len() as u64));
    faults.sort_by_key(|fault| fault.seq);
    let verdict = if faults.iter().any(|fault| fault.kind != FaultKind::Unread) {
        Verdict::No
    } else if rows.is_empty() || !faults.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Yes
    };
    let redactor = Redactor::new(ports.world.surroundings.as_ref());
    let mut teller =
        Teller { redactor: &redactor, signatures: ports.signatures.as_ref(), run: String::new() };
    Ok(Export {
        verdict,
        acts: rows.iter().map(|row| teller.act(row)).collect(),
        faults: faults
            .iter()
            .map(|fault| json!({"seq": fault.seq, "kind": fault.kind.word(), "what": fault.what}))
            .collect(),
        head: rows.last().map(|row| row.hash.clone()),
    })
}

impl Export {
    /// How many acts there are.
    pub fn acts(&self) -> usize {
        self.acts.len()
    }

    /// The document.
    pub fn to_json(&self) -> Value {
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict.word(),
            "journal": crate::journal::event::FORMAT,
            "events": self.acts.len(),
            "head": self.head,
            "faults": self.faults,
            "acts": self.acts,
        })
    }

    /// The table, as RFC 4180 writes it. A cell that a spreadsheet would take for a formula has an apostrophe before it.
    pub fn to_csv(&self) -> String {
        let mut text = COLUMNS.join(",") + "\r\n";
        for act in &self.acts {
            let cells: Vec<String> = COLUMNS.iter().map(|column| cell(act.get(*column))).collect();
            text += &cells.join(",");
            text += "\r\n";
        }
        text
    }
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(named)) => {
            let pairs =
                named.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
            pairs.collect::<Vec<_>>().join("; ")
        }
        Some(other) => other.to_string(),
    };
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Tells rows one after the other.
struct Teller<'a> {
    redactor: &'a Redactor,
    signatures: &'a dyn Signatures,
    /// The run that is under way.
    run: String,
}

impl Teller<'_> {
    fn act(&mut self, row: &Row) -> Map<String, Value> {
        let record = record_of(row);
        if let Some(Event::RunStarted { run, .. }) = record.as_ref().map(|record| &record.event) {
            self.run.clone_from(run);
        }
        let body: Value = serde_json::from_str(&row.body).unwrap_or(Value::Null);
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let mut act = Map::new();
        let mut put = |name: &str, value: Value| act.insert(name.to_owned(), value);
        put("seq", json!(row.seq));
        put("time", json!(row.time));
        put("user", json!(row.actor.rsplit_once('@').map_or(row.actor.as_str(), |(user, _)| user)));
        put("host", json!(host_of(&row.actor)));
        put("run", json!(self.run));
        put("act", json!(row.event));
        for name in ["phase", "person", "role", "verdict"] {
            if let Some(text) = text(name).filter(|text| !text.is_empty()) {
                put(name, json!(self.redactor.clean(text)));
            }
        }
        let key = body.pointer("/signed/key").or(body.get("key")).and_then(Value::as_str);
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            let known = PublicKey::read(key).map(|key| self.signatures.key_id(&key));
            put("key", json!(known.unwrap_or_else(|_| "cannot be read".to_owned())));
        }
        if let Some(record) = &record {
            put("what", json!(told(record, &|text| self.redactor.clean(text))));
        }
        for (name, place) in
            [("plan", "/binding/plan"), ("old_tree", "/binding/old_tree"), ("new_tree", "/binding/new_tree")]
        {
            let hash = body.pointer(place).or(body.get(name)).and_then(Value::as_str);
            if let Some(hash) = hash.filter(|hash| is_hash(hash)) {
                put(name, json!(hash));
            }
        }
        let mut hashes = Map::new();
        collect("", &body, &mut hashes);
        put("rests_on", Value::Object(hashes));
        let clean = self.redactor.clean(&row.body);
        if clean != row.body {
            // Then the hash cannot be computed from it.
            put("body_blanked", json!(true));
        }
        put("body", json!(clean));
        put("prev", json!(row.prev));
        put("hash", json!(row.hash));
        act
    }
}

/// Every hash in a body, by its place: plan, trees, evidence, seals, inputs.
fn collect(place: &str, value: &Value, found: &mut Map<String, Value>) {
    let inner = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::String(text) if is_hash(text) => {
            found.insert(place.to_owned(), json!(text));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(&inner(name), value, found)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(&inner(&index.to_string()), item, found);
            }
        }
        _ => {}
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula_and_breaks_no_line() {
        assert_eq!(cell(Some(&json!("=1+1"))), "'=1+1");
        assert_eq!(cell(Some(&json!("a,\"b\"\n"))), "\"a,\"\"b\"\"\n\"");
        assert_eq!(cell(Some(&json!(7))), "7");
        assert_eq!(cell(Some(&json!({"a": "1", "b": "2"}))), "a=1; b=2");
        assert_eq!(cell(None), "");
    }

    #[test]
    fn every_hash_of_a_body_is_found_by_its_place() {
        let hash = "a".repeat(64);
        let body =
            json!({"x": [{"evidence": hash}, {"evidence": "short"}], "binding": {"plan": hash}, "n": 1});
        let mut found = Map::new();
        collect("", &body, &mut found);
        let places: Vec<&String> = found.keys().collect();
        assert_eq!(places, ["binding.plan", "x.0.evidence"]);
    }
}
