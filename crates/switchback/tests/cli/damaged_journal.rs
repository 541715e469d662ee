//! A journal whose end is damaged, or that is gone: who works on hears of it, it stays visible, and rolling back stays possible.

use rusqlite::Connection;
use serde_json::Value;

use super::ground::Ground;

const DATABASE: &str = ".switchback/journal.db";
const LOG: &str = ".switchback/journal.db-wal";

/// Puts all events from the first one called `word` on back into the log, one append each, as a kill leaves them, and damages the first
/// of these. The log as it is then.
fn damaged_from(ground: &Ground, word: &str) -> Vec<u8> {
    let path = ground.at(DATABASE);
    let journal = Connection::open(&path).unwrap();
    let first: u64 =
        journal.query_row("SELECT min(seq) FROM event WHERE event = ?1", [word], |row| row.get(0)).unwrap();
    let mut query = journal
        .prepare("SELECT seq, time, actor, event, body, prev, hash FROM event WHERE seq >= ?1 ORDER BY seq")
        .unwrap();
    let rows: Vec<(u64, [String; 6])> = query
        .query_map([first], |row| {
            let text = |index: usize| row.get::<_, String>(index);
            Ok((row.get(0)?, [text(1)?, text(2)?, text(3)?, text(4)?, text(5)?, text(6)?]))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(query);
    assert!(rows.len() > 1, "one append that is not whole is what a crash leaves");
    journal.execute_batch("DROP TRIGGER event_is_never_removed").unwrap();
    journal.execute("DELETE FROM event WHERE seq >= ?1", [first]).unwrap();
    journal.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let journal = Connection::open(&path).unwrap();
    journal.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    for (seq, [time, actor, event, body, prev, hash]) in rows {
        let insert = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        journal.execute(insert, rusqlite::params![seq, time, actor, event, body, prev, hash]).unwrap();
    }
    let mut log = std::fs::read(ground.at(LOG)).unwrap();
    journal.close().unwrap();
    log[32 + 24 + 200] ^= 1;
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(ground.at(LOG), &log).unwrap();
    log
}

/// The log as it was found stays beside the journal, which says so for good.
fn assert_is_visible(ground: &Ground, log: &[u8]) {
    let document = ground.expect(1, "log verify --json").json();
    assert_eq!(document["first"]["kind"], "damaged", "{document:#}");
    let events = ground.expect(0, "log --json").out;
    let said: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["event"] == "journal-damaged")
        .collect();
    assert_eq!(said.len(), 1, "{events}");
    assert_eq!(document["first"]["seq"], said[0]["seq"]);
    let kept = said[0]["body"]["kept"].as_str().unwrap();
    assert_eq!(std::fs::read(ground.at(".switchback").join(kept)).unwrap(), log);
}

// rows: PC-12
#[test]
fn acknowledged_events_that_are_lost_end_the_first_command_that_would_go_on_and_stay_visible() {
    for lost in ["watched", "cut-over", "cut-over-started"] {
        let ground = Ground::shop(
            "[[notify]]\ncommand = \"echo \\\"$SWITCHBACK_MESSAGE\\\" >> told.txt\"\non = [\"failed\"]\n",
        );
        ground.expect(0, "run");
        let log = damaged_from(&ground, lost);
        let seen = ground.expect(2, "run");
        assert!(seen.err.contains("events that were acknowledged are lost"), "{seen}");
        assert!(seen.err.contains("hint:") && seen.err.contains("`switchback rollback`"), "{seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        assert_is_visible(&ground, &log);
        // It was said; what is left, and the records of the exchange, tell where things stand.
        ground.expect(0, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        assert_is_visible(&ground, &log);
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        assert_is_visible(&ground, &log);
        assert!(ground.read("told.txt").contains("[critical] shop: failed: events that were acknowledged"));
    }
}

// rows: PC-12
#[test]
fn a_rollback_is_not_held_up_by_a_damaged_journal() {
    for lost in ["watched", "cut-over", "cut-over-started", "staged"] {
        let ground = Ground::shop("");
        ground.expect(0, "run");
        let log = damaged_from(&ground, lost);
        let seen = ground.expect(0, "rollback");
        assert!(seen.err.contains("events that were acknowledged are lost"), "{lost}: {seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{lost}: {seen}");
        assert_is_visible(&ground, &log);
    }
}

// rows: PC-12
#[test]
fn a_journal_that_is_gone_is_held_against_the_heads_outside() {
    let ground = Ground::shop("[[anchor]]\nto = \"../heads\"\n");
    let seen = ground.expect(2, "log verify");
    assert!(seen.err.contains("there is no journal in"), "{seen}");
    ground.expect(0, "run");
    for is_emptied in [false, true] {
        if is_emptied {
            ground.write(DATABASE, "");
        } else {
            std::fs::remove_file(ground.at(DATABASE)).unwrap();
        }
        let seen = ground.expect(1, "log verify");
        assert!(seen.out.contains("`../heads` holds its head of"), "{seen}");
        assert!(seen.out.contains("the journal was removed, or emptied"), "{seen}");
        let document = ground.expect(1, "log verify --json").json();
        assert_eq!((&document["events"], &document["first"]["kind"]), (&0.into(), &"anchor".into()));
    }
    // Nothing outside says that there was one.
    std::fs::remove_file(ground.at("../heads")).unwrap();
    ground.expect(2, "log verify");
}

// rows: PC-12, RB-9
#[test]
fn what_is_live_and_told_by_no_event_any_more_does_not_pass_for_the_old_tree() {
    for lost in ["staged", "stage-started"] {
        let ground = Ground::shop("");
        ground.expect(0, "run");
        let log = damaged_from(&ground, lost);
        ground.expect(2, "run");
        for command in ["run", "run --restage", "check", "watch --once"] {
            let seen = ground.expect(2, command);
            assert!(seen.err.contains("the events that told of it are lost"), "{command}: {seen}");
            assert!(seen.err.contains("`switchback rollback`"), "{command}: {seen}");
        }
        let seen = ground.run("status");
        assert!(seen.err.contains("the events that told of it are lost"), "{seen}");
        assert!(seen.out.contains("`switchback rollback` makes generation 0 live again"), "{seen}");
        assert!(!seen.out.contains("waits for"), "{seen}");
        let report = ground.run("report").out;
        assert!(!report.contains("Nothing has gone live"), "{report}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        ground.expect(0, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        assert_is_visible(&ground, &log);
    }
}

// rows: PC-12
#[test]
fn one_damage_is_said_once_and_to_auditors_too() {
    let ground = Ground::shop("");
    ground.expect(0, "run");
    let log = damaged_from(&ground, "watched");
    let document = ground.expect(1, "log export").json();
    assert_eq!((&document["verdict"], &document["faults"][0]["kind"]), (&"no".into(), &"damaged".into()));
    let reader = Connection::open(ground.at(DATABASE)).unwrap();
    ground.expect(2, "run");
    ground.expect(0, "run");
    let events: u64 = reader.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    assert!(events > 0);
    ground.expect(0, "run");
    assert_is_visible(&ground, &log);
    let document = ground.expect(1, "log export").json();
    assert_eq!((&document["verdict"], &document["faults"][0]["kind"]), (&"no".into(), &"damaged".into()));
}

// rows: PC-12, RE-18
#[test]
fn a_restore_that_no_event_tells_of_any_more_is_told_again() {
    let ground = Ground::shop("");
    ground.expect(0, "run");
    ground.expect(0, "rollback --from snapshot");
    let log = damaged_from(&ground, "restore-started");
    ground.expect(2, "run --until staged");
    let seen = ground.run("status");
    assert!(seen.err.contains("took back what it calls live"), "{seen}");
    assert!(seen.out.contains("there is nothing to roll back"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    assert_is_visible(&ground, &log);
}

// rows: PC-12, BX-10
#[test]
fn where_the_journal_is_gone_or_cut_what_is_live_is_not_taken_for_the_old_tree() {
    for is_gone in [true, false] {
        let ground = Ground::shop("");
        ground.expect(0, "run");
        if is_gone {
            for name in [DATABASE, LOG, ".switchback/journal.db-shm"] {
                drop(std::fs::remove_file(ground.at(name)));
            }
        } else {
            let journal = Connection::open(ground.at(DATABASE)).unwrap();
            journal.execute_batch("DROP TRIGGER event_is_never_removed").unwrap();
            let cut =
                "DELETE FROM event WHERE seq >= (SELECT min(seq) FROM event WHERE event = 'stage-started')";
            assert!(journal.execute(cut, []).unwrap() > 3);
            journal.close().unwrap();
        }
        ground.write("../new/src/app.py", "VERSION = 3\n");
        let live = "the candidate of the phase `unify` is live (generation 1, transaction ";
        for command in ["run", "watch --once", "check", "package create", "run"] {
            let seen = ground.expect(2, command);
            assert!(
                seen.err.contains(live) && seen.err.contains("`switchback rollback` makes that live"),
                "{seen}"
            );
        }
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        let seen = ground.expect(0, "rollback --dry-run");
        assert!(
            seen.out.contains("would roll back unify: src\n  what changes in them cannot be told"),
            "{seen}"
        );
        assert!(ground.expect(0, "rollback --dry-run --json").json()["would_change"].is_null());
        let seen = ground.expect(0, "rollback");
        assert!(seen.err.contains("what was changed in `src` since it went live cannot be told"), "{seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        ground.expect(0, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 3\n");
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
}
