//! `log verify`: what was changed in the journal after it was written is found and named; a cut-off end is not.

use rusqlite::Connection;
use serde_json::Value;

use super::ground::{Ground, Seen};

/// A project whose journal tells of a staged phase.
fn staged() -> Ground {
    let ground = Ground::shop(
        "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\nat = [\"staged\"]\n",
    );
    ground.expect(0, "run --until staged");
    ground
}

/// Runs statements on the journal, past the triggers that keep it append-only, looks, and puts it back as it was.
fn damaged<T>(ground: &Ground, statements: &str, look: impl FnOnce() -> T) -> T {
    let path = ground.at(".switchback/journal.db");
    let whole = std::fs::read(&path).unwrap();
    let journal = Connection::open(&path).unwrap();
    journal
        .execute_batch("DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed;")
        .unwrap();
    journal.execute_batch(statements).unwrap();
    journal.close().unwrap();
    let looked = look();
    std::fs::write(&path, whole).unwrap();
    looked
}

fn events(ground: &Ground) -> u64 {
    ground.expect(0, "log verify --json").json()["events"].as_u64().unwrap()
}

/// The faults that `log verify` names: positions and reasons.
fn faults(seen: &Seen) -> Vec<(u64, String)> {
    assert_eq!(seen.code, 1, "{seen}");
    let document = seen.json();
    assert_eq!(document["schema"], "switchback/log-verify/1");
    let text = |fault: &Value| (fault["seq"].as_u64().unwrap(), fault["what"].as_str().unwrap().to_owned());
    document["faults"].as_array().unwrap().iter().map(text).collect()
}

// rows: PC-12
#[test]
fn one_byte_changed_in_any_column_of_any_event_is_found_and_named() {
    let ground = staged();
    let count = events(&ground);
    assert!(count >= 7, "{count} events are too few to show anything");
    for seq in 1..=count {
        for column in ["time", "actor", "event", "body", "prev", "hash"] {
            let change = format!(
                "UPDATE event SET {column} = CASE substr({column}, 3, 1) WHEN '0' THEN substr({column}, 1, 2) || '1' \
                 ELSE substr({column}, 1, 2) || '0' END || substr({column}, 4) WHERE seq = {seq}"
            );
            let found = faults(&damaged(&ground, &change, || ground.run("log verify --json")));
            assert_eq!(found[0].0, seq, "{column} of event {seq}: {found:?}");
            assert!(
                found.iter().all(|(at, _)| *at == seq || *at == seq + 1),
                "{column} of event {seq}: {found:?}"
            );
        }
        let far = format!("UPDATE event SET seq = seq + 4096 WHERE seq = {seq}");
        let found = faults(&damaged(&ground, &far, || ground.run("log verify --json")));
        assert!(found.iter().any(|(at, _)| *at == seq + 4096), "position of event {seq}: {found:?}");
    }
    assert_eq!(events(&ground), count, "the journal was not put back");
}

// rows: PC-12
#[test]
fn an_event_removed_from_the_middle_is_found_and_named() {
    let ground = staged();
    let seen = damaged(&ground, "DELETE FROM event WHERE seq = 3", || ground.run("log verify"));
    insta::assert_snapshot!(seen, @r#"
    $ switchback log verify
    --- stdout
    no: 6 events
      event 4: event 3 is missing before it
    --- exit 1
    "#);
    let seen = damaged(&ground, "DELETE FROM event WHERE seq IN (2, 3, 4)", || ground.run("log verify"));
    assert!(seen.out.contains("event 5: events 2 to 4 are missing before it"), "{seen}");
    let seen = damaged(&ground, "DELETE FROM event WHERE seq = 1", || ground.run("log verify"));
    assert!(seen.out.contains("event 2: event 1 is missing before it"), "{seen}");
}

// rows: PC-12
#[test]
fn two_events_that_changed_places_are_found_and_named() {
    let ground = staged();
    let swap = "UPDATE event SET seq = -1 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 4; \
                UPDATE event SET seq = 4 WHERE seq = -1";
    let found = faults(&damaged(&ground, swap, || ground.run("log verify --json")));
    let places: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
    assert!(places.contains(&3) && places.contains(&4), "{found:?}");
}

#[test]
fn a_cut_off_end_is_not_found_without_the_head_that_was_kept_elsewhere() {
    let ground = staged();
    let head = ground.expect(0, "log verify --json").json()["head"].clone();
    let cut = "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)";
    let seen = damaged(&ground, cut, || ground.run("log verify --json"));
    assert_eq!(seen.code, 0, "{seen}");
    assert_ne!(seen.json()["head"], head, "the head is what shows it");
    let said = damaged(&ground, cut, || ground.run("log verify"));
    assert!(said.err.contains("a cut-off end"), "the limit must be said where it matters: {said}");
}

// rows: PC-12
#[test]
fn nothing_is_done_on_the_word_of_a_journal_that_was_changed() {
    let ground = staged();
    ground.plan("approve = { roles = [\"risk\"] }", "");
    let forged = "INSERT INTO event SELECT max(seq) + 1, time, actor, 'approved', \
                  '{\"binding\":{\"plan\":\"\",\"tool\":\"\"},\"phase\":\"unify\",\"role\":\"risk\"}', hash, hash FROM event";
    for command in ["run", "status", "check", "approve unify --role risk", "watch --once", "plan --json"] {
        let seen = damaged(&ground, forged, || ground.run(command));
        assert_eq!(seen.code, 2, "{seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
    insta::assert_snapshot!(damaged(&ground, forged, || ground.run("run")), @r#"
    $ switchback run
    --- stderr
    error: could not begin the run
      caused by: event 8 of the journal `[TMP]/project/.switchback/journal.db`: its content does not have its hash: it was changed after it was written

    hint: `switchback log verify` tells where it is damaged; `switchback rollback` works without it
    --- exit 2
    "#);
}

#[test]
fn a_journal_that_is_no_journal_is_refused_and_left_as_it_is() {
    let ground = staged();
    ground.write(".switchback/journal.db", "not a journal");
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stderr
    error: could not find out where the run stands
      caused by: could not read the journal `[TMP]/project/.switchback/journal.db`: file is not a database
      caused by: Error code 26: file is not a database

    hint: put the file back from a backup before anything else is run; `switchback rollback` works without it
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.run("log verify"), @r#"
    $ switchback log verify
    --- stderr
    error: could not open the journal
      caused by: could not read the journal `[TMP]/project/.switchback/journal.db`: file is not a database
      caused by: Error code 26: file is not a database

    hint: put the file back from a backup before anything else is run; `switchback rollback` works without it
    --- exit 2
    "#);
    assert_eq!(ground.read(".switchback/journal.db"), "not a journal");
}
