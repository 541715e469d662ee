//! The words and fields of events, as they are written for good.

use super::*;

#[test]
fn the_format_is_pinned() {
    let event = Event::CutOver { phase: "unify".into(), transaction: "t7".into(), generation: 3 };
    let (word, body) = event.write().unwrap();
    assert_eq!(
        (word.as_str(), body.as_str()),
        ("cut-over", r#"{"generation":3,"phase":"unify","transaction":"t7"}"#)
    );
    assert_eq!(
        Record::chained(1, "2026-01-01T00:00:00Z", "a@b", &word, &body, &"0".repeat(64)),
        "cba373ef4020eff343d6c486c8d2bbed22b9ea90cb83442dd32004cc0271ad32"
    );
}

#[test]
fn an_approval_is_pinned_with_and_without_a_signature() {
    let binding = Binding { plan: "p".into(), tool: "t".into(), ..Binding::default() };
    let mut event = Event::Approved {
        phase: "unify".into(),
        role: "risk".into(),
        binding,
        person: String::new(),
        relied_on: Vec::new(),
        expires: String::new(),
        signed: None,
    };
    let (word, body) = event.write().unwrap();
    let binding = r#""binding":{"inputs":"","new_tree":"","old_tree":"","options":"","plan":"p","tool":"t"}"#;
    assert_eq!(word, "approved");
    assert_eq!(body, format!(r#"{{{binding},"phase":"unify","role":"risk"}}"#));
    assert_eq!(Event::read(&word, &body).unwrap(), event);
    let Event::Approved { person, relied_on, expires, signed, .. } = &mut event else { unreachable!() };
    "Ana".clone_into(person);
    "2027-01-01T00:00:00Z".clone_into(expires);
    let fact = |check: &str, at: &str| ReliedOn {
        check: check.into(),
        at: at.into(),
        verdict: "yes".into(),
        evidence: "e".into(),
    };
    *relied_on = vec![fact("rules", "staged"), fact("", "rehearsed")];
    *signed = Some(Signed { key: "ssh-ed25519 A".into(), envelope: serde_json::json!({"payload": "x"}) });
    let (word, body) = event.write().unwrap();
    assert_eq!(
        body,
        format!(
            r#"{{{binding},"expires":"2027-01-01T00:00:00Z","person":"Ana","phase":"unify","relied_on":[{{"at":"staged","check":"rules","evidence":"e","verdict":"yes"}},{{"at":"rehearsed","evidence":"e","verdict":"yes"}}],"role":"risk","signed":{{"envelope":{{"payload":"x"}},"key":"ssh-ed25519 A"}}}}"#
        )
    );
    assert_eq!(Event::read(&word, &body).unwrap(), event);
}

#[test]
fn what_a_rehearsal_came_to_is_pinned_with_and_without_triggers() {
    let mut event = Event::Rehearsed {
        phase: "unify".into(),
        transaction: "t7".into(),
        verdict: "yes".into(),
        summary: "s".into(),
        evidence: "e".into(),
        milliseconds: 3,
        binding: Binding { plan: "p".into(), tool: "t".into(), ..Binding::default() },
        triggers: Vec::new(),
    };
    let start = r#"{"binding":{"inputs":"","new_tree":"","old_tree":"","options":"","plan":"p","tool":"t"},"evidence":"e","milliseconds":3,"phase":"unify","summary":"s","transaction":"t7","#;
    let (word, body) = event.write().unwrap();
    assert_eq!(body, format!(r#"{start}"verdict":"yes"}}"#));
    assert_eq!(Event::read(&word, &body).unwrap(), event);
    let Event::Rehearsed { triggers, .. } = &mut event else { unreachable!() };
    let (check, action, when) = ("kpi".into(), "roll-back".into(), "w".into());
    triggers.push(RehearsedTrigger { check, action, when, verdict: "yes".into(), summary: "x".into() });
    let (word, body) = event.write().unwrap();
    let told = r#"[{"action":"roll-back","check":"kpi","summary":"x","verdict":"yes","when":"w"}]"#;
    assert_eq!(body, format!(r#"{start}"triggers":{told},"verdict":"yes"}}"#));
    assert_eq!(Event::read(&word, &body).unwrap(), event);
}

#[test]
fn what_processes_did_is_pinned() {
    let event = Event::HandOverStarted {
        phase: "unify".into(),
        transaction: "t7".into(),
        process: "api".into(),
        handover: "stop-start".into(),
        from: 0,
        to: 1,
        kept: false,
        start: "systemctl start api".into(),
    };
    let (word, body) = event.write().unwrap();
    assert_eq!(word, "hand-over-started");
    assert_eq!(
        body,
        r#"{"from":0,"handover":"stop-start","phase":"unify","process":"api","start":"systemctl start api","to":1,"transaction":"t7"}"#
    );
    let event = Event::ProcessStarted {
        phase: "unify".into(),
        transaction: "t7".into(),
        process: "api".into(),
        generation: 1,
        way: "start".into(),
        milliseconds: 12,
        down_milliseconds: Some(40),
    };
    let (word, body) = event.write().unwrap();
    assert_eq!(word, "process-started");
    assert_eq!(
        body,
        r#"{"down_milliseconds":40,"generation":1,"milliseconds":12,"phase":"unify","process":"api","transaction":"t7","way":"start"}"#
    );
    assert_eq!(Event::read(&word, &body).unwrap(), event);
}

#[test]
fn what_is_kept_outside_is_pinned() {
    let event = Event::AnchorStarted { to: "git-note".into(), about: 7, head: "ab".into() };
    let (word, body) = event.write().unwrap();
    assert_eq!(
        (word.as_str(), body.as_str()),
        ("anchor-started", r#"{"about":7,"head":"ab","to":"git-note"}"#)
    );
    let event = Event::AnchorEnded { to: "git-note".into(), about: 7, written: true, why: String::new() };
    let (word, body) = event.write().unwrap();
    assert_eq!(
        (word.as_str(), body.as_str()),
        ("anchor-ended", r#"{"about":7,"to":"git-note","written":true}"#)
    );
    assert_eq!(Event::read(&word, &body).unwrap(), event);
    let event = Event::JournalDamaged { frame: 3, kept: "journal.db-wal.damaged-ab".into() };
    let (word, body) = event.write().unwrap();
    assert_eq!(
        (word.as_str(), body.as_str()),
        ("journal-damaged", r#"{"frame":3,"kept":"journal.db-wal.damaged-ab"}"#)
    );
}

#[test]
fn unknown_fields_pass_and_unknown_events_stop() {
    assert_eq!(
        Event::read("watched", r#"{"phase":"p","added_later":1}"#).unwrap(),
        Event::Watched { phase: "p".into() }
    );
    assert!(Event::read("teleported", r#"{"phase":"p"}"#).unwrap_err().to_string().contains("teleported"));
}

#[test]
fn what_was_staged_is_pinned_with_and_without_packages() {
    let staged = |packages: &[&str]| Event::Staged {
        phase: "unify".into(),
        transaction: "t4".into(),
        mechanism: "exchange".into(),
        changes: "c".into(),
        old_tree: "o".into(),
        new_tree: "n".into(),
        seal: "s".into(),
        paths: vec!["src".into()],
        added: 1,
        removed: 2,
        changed: 3,
        metadata: 4,
        outside: Vec::new(),
        environments: Vec::new(),
        packages: packages.iter().map(|hash| (*hash).to_owned()).collect(),
        tool: packages.iter().map(|_| "t").collect(),
    };
    let rest = r#""paths":["src"],"phase":"unify","removed":2,"seal":"s",TOOL"transaction":"t4"}"#;
    let begin = r#"{"added":1,"changed":3,"changes":"c","mechanism":"exchange","metadata":4,"new_tree":"n","old_tree":"o","#;
    for (packages, words) in [(&[][..], ""), (&["a"][..], r#""packages":["a"],"#)] {
        let rest = rest.replace("TOOL", if packages.is_empty() { "" } else { r#""tool":"t","# });
        let (word, body) = staged(packages).write().unwrap();
        assert_eq!((word.as_str(), body), ("staged", format!("{begin}{words}{rest}")));
        assert_eq!(Event::read(&word, &format!("{begin}{words}{rest}")).unwrap(), staged(packages));
    }
}
