//! A journal that somebody else wrote: its chain of hashes is whole, and what is not signed as the plan says counts for nothing.

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use switchback_core::journal::Record;

use super::super::ground::Ground;
use super::{approve, of_risk, persons, public, rehearsed};

/// Appends an event as whoever can write to the disk may: with a chain that is whole.
pub(crate) fn append(ground: &Ground, word: &str, body: &Value) {
    let journal = Connection::open(ground.at(".switchback/journal.db")).unwrap();
    let (seq, prev): (u64, String) = journal
        .query_row("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let (seq, time, actor, body) = (seq + 1, "2027-01-01T00:00:00Z", "ana@laptop", body.to_string());
    let hash = Record::chained(seq, time, actor, word, &body, &prev);
    journal
        .execute(
            "INSERT INTO event (seq, time, actor, event, body, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![seq, time, actor, word, body, prev, hash],
        )
        .unwrap();
}

/// The body of the last approval.
fn approved(ground: &Ground) -> Value {
    let log = ground.run("log --json").out;
    let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.rfind(|event| event["event"] == "approved").unwrap()["body"].clone()
}

/// The project refuses to go live, and says why; the journal is found out where its signatures are looked at.
fn refused(ground: &Ground, why: &str, verified: Option<&str>) {
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains(why), "{why}: {seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    match verified {
        Some(fault) => {
            let seen = ground.expect(1, "log verify");
            assert!(seen.out.contains(fault), "{fault}: {seen}");
        }
        None => drop(ground.expect(0, "log verify")),
    }
}

// rows: PC-6, PC-12
#[test]
fn an_approval_that_nobody_signed_or_somebody_else_signed_counts_for_nothing() {
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"]", &persons());
    approve(&ground, 1, "risk", "ana");
    let real = approved(&ground);
    let change = |change: &dyn Fn(&mut Value)| {
        let mut body = real.clone();
        body["role"] = json!("tech-lead");
        change(&mut body);
        body
    };
    append(&ground, "approved", &change(&|body| drop(body.as_object_mut().unwrap().remove("signed"))));
    refused(&ground, "it is not signed, and the plan lists keys for this role", None);
    // Ana's signature in another role: she does not have it, and did not sign for it.
    append(&ground, "approved", &change(&|_| ()));
    refused(&ground, "Ana does not have this role", Some("it does not say what was signed"));
    // The same, with Bo's key beside it.
    append(&ground, "approved", &change(&|body| body["signed"]["key"] = json!(public("bo"))));
    refused(&ground, "that is none of the keys that count", Some("its signature is not good"));
    // A key that the plan does not know.
    append(&ground, "approved", &change(&|body| body["signed"]["key"] = json!(public("cy"))));
    refused(&ground, "for nobody", Some("its signature is not good"));
}

// rows: PC-6
#[test]
fn a_signature_for_one_thing_is_none_for_another() {
    // Bo may sign in both roles, and signs in one.
    let ground = rehearsed("roles = [\"risk\", \"tech-lead\"], several_roles = true", &persons());
    approve(&ground, 1, "risk", "bo");
    let mut body = approved(&ground);
    body["role"] = json!("tech-lead");
    append(&ground, "approved", &body);
    refused(&ground, "it was signed for another role", Some("it does not say what was signed"));
}

// rows: PC-6, BX-10
#[test]
fn an_approval_of_an_earlier_candidate_that_is_brought_back_is_found() {
    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    approve(&ground, 0, "risk", "ana");
    let old = approved(&ground);
    // The very same candidate, staged again: another one all the same, which nobody has approved.
    ground.expect(1, "run --restage");
    append(&ground, "approved", &old);
    refused(&ground, "it was signed for another candidate", None);
}

// rows: PC-12
#[test]
fn what_is_written_beside_a_signature_does_not_count() {
    // The plan changes, and the event is made to say that the new one was approved.
    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    approve(&ground, 0, "risk", "ana");
    let mut body = approved(&ground);
    ground.write("switchback.toml", format!("{}#", ground.read("switchback.toml")));
    ground.expect(0, "check rules --at staged");
    ground.expect(1, "run");
    let log = ground.run("log --json").out;
    let mut looked = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let plan =
        looked.rfind(|event| event["event"] == "rehearsed").unwrap()["body"]["binding"]["plan"].clone();
    body["binding"]["plan"] = plan;
    append(&ground, "approved", &body);
    refused(
        &ground,
        "the approval of Ana is void, because since then the plan",
        Some("it does not say what was signed"),
    );
}
