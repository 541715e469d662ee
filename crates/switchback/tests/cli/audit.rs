//! The journal for auditors: what was done to it, heads of it that are kept outside, and every act in one file.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::Value;
use switchback_core::journal::Record;

use super::approvals::{approver, key_file};
use super::ground::{Ground, Seen};
use super::s3;

const DATABASE: &str = ".switchback/journal.db";
const LOG: &str = ".switchback/journal.db-wal";

fn anchored(to: &str) -> Ground {
    Ground::shop(&anchor(to))
}

fn anchor(to: &str) -> String {
    format!("[[anchor]]\nto = \"{to}\"\n")
}

/// Runs statements on the journal, past the triggers that keep it append-only.
pub(super) fn alter(ground: &Ground, statements: &str) {
    let journal = Connection::open(ground.at(DATABASE)).unwrap();
    let drop =
        "DROP TRIGGER IF EXISTS event_is_never_changed; DROP TRIGGER IF EXISTS event_is_never_removed;";
    journal.execute_batch(drop).unwrap();
    journal.execute_batch(statements).unwrap();
    journal.close().unwrap();
}

/// Gives every event from `first` on hashes that fit what stands there, as somebody does who covers tracks.
pub(super) fn chain_anew(ground: &Ground, first: u64) {
    let journal = Connection::open(ground.at(DATABASE)).unwrap();
    let mut query = journal.prepare("SELECT seq, time, actor, event, body FROM event ORDER BY seq").unwrap();
    let rows: Vec<(u64, String, String, String, String)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut prev = "0".repeat(64);
    for (seq, time, actor, event, body) in rows {
        if seq >= first {
            let hash = Record::chained(seq, &time, &actor, &event, &body, &prev);
            let set = "UPDATE event SET prev = ?1, hash = ?2 WHERE seq = ?3";
            journal.execute(set, rusqlite::params![prev, hash, seq]).unwrap();
        }
        prev = journal.query_row("SELECT hash FROM event WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
    }
}

fn verified(ground: &Ground, code: i32) -> Value {
    ground.expect(code, "log verify --json").json()
}

fn events(ground: &Ground, word: &str) -> usize {
    let log = ground.expect(0, "log --json").out;
    log.lines().filter(|line| line.contains(&format!("\"event\":\"{word}\""))).count()
}

// rows: PC-12
#[test]
fn after_each_turn_that_matters_the_head_is_kept_in_a_file_outside() {
    let ground = anchored("../heads");
    ground.expect(0, "run --until staged");
    assert!(!ground.at("../heads").exists(), "nothing went live yet");
    let anchor = verified(&ground, 0)["anchors"][0].clone();
    assert_eq!(
        (&anchor["fits"], &anchor["verdict"], &anchor["early"]),
        (&0.into(), &"unknown".into(), &true.into())
    );
    let seen = ground.expect(0, "log verify");
    assert!(seen.out.contains("not yet: no head of this journal stands there; none is due yet"), "{seen}");
    // Whoever names a place wants it compared.
    ground.write("../other", "");
    let seen = ground.expect(2, "log verify --anchor ../other");
    assert!(seen.out.contains("no head of this journal stands there; nothing was compared"), "{seen}");
    ground.expect(0, "run");
    assert_eq!(ground.read("../heads").lines().count(), 2, "live, and finished");
    ground.expect(0, "rollback");
    let lines = ground.read("../heads");
    assert_eq!(lines.lines().count(), 3);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["schema"], &last["project"]), (&"switchback/anchor/1".into(), &"shop".into()));
    // Nothing happened since: nothing is kept.
    drop(ground.run("status"));
    assert_eq!(ground.read("../heads"), lines);
    let document = verified(&ground, 0);
    assert_eq!((&document["anchors"][0]["fits"], &document["covered"]), (&3.into(), &last["seq"]));
    assert_eq!(document["first"], Value::Null);
    insta::assert_snapshot!(ground.run("log verify"), @r#"
    $ switchback log verify
    --- stdout
    yes: 20 events
      anchor ../heads: yes: 3 heads fit, the last one at event 18 of 20
      head [HASH]
    --- stderr
    a cut-off end behind event 18 would not show: the last anchor covers what stands up to it
    --- exit 0
    "#);
}

// rows: PC-12
#[test]
fn a_journal_that_was_cut_off_or_written_anew_shows_beside_an_anchor_and_only_there() {
    let whole = |anchors: &str| {
        let ground = Ground::shop(anchors);
        ground.expect(0, "run");
        ground
    };
    // Cut off at the end of an event: what is left is a whole chain.
    let cut = "DELETE FROM event WHERE seq > (SELECT min(seq) FROM event WHERE event = 'cut-over')";
    let ground = whole("");
    alter(&ground, cut);
    let seen = ground.expect(0, "log verify");
    assert!(seen.err.contains("a cut-off end, or a journal written anew as a whole, shows only"), "{seen}");
    let ground = whole(&anchor("../heads"));
    alter(&ground, cut);
    let document = verified(&ground, 1);
    assert_eq!(document["first"]["kind"], "anchor");
    let what = document["first"]["what"].as_str().unwrap();
    assert!(what.contains("`../heads` holds its head") && what.contains("its end was cut off"), "{what}");

    // Written anew with hashes that fit.
    let other = "UPDATE event SET actor = 'somebody@else' WHERE seq = 2";
    let ground = whole("");
    alter(&ground, other);
    chain_anew(&ground, 2);
    ground.expect(0, "log verify");
    let ground = whole(&anchor("../heads"));
    alter(&ground, other);
    chain_anew(&ground, 2);
    let document = verified(&ground, 1);
    let first: Value = serde_json::from_str(ground.read("../heads").lines().next().unwrap()).unwrap();
    assert_eq!((&document["first"]["seq"], &document["first"]["kind"]), (&first["seq"], &"anchor".into()));
    // Behind a head that still fits.
    let ground = whole(&anchor("../heads"));
    let first = first["seq"].as_u64().unwrap();
    alter(&ground, &format!("UPDATE event SET actor = 'somebody@else' WHERE seq = {}", first + 1));
    chain_anew(&ground, first + 1);
    let document = verified(&ground, 1);
    let what = document["first"]["what"].as_str().unwrap();
    assert!(what.ends_with(&format!("behind event {first}, which `../heads` still confirms")), "{what}");
    assert_eq!(document["anchors"][0]["covers"], first);
}

// rows: PC-12
#[test]
fn taking_the_anchor_out_of_the_plan_or_moving_its_file_does_not_hide_it() {
    let ground = anchored("../heads");
    ground.expect(0, "run");
    ground.plan("", "");
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 2, "the journal names it");
    std::fs::rename(ground.at("../heads"), ground.at("../away")).unwrap();
    let document = verified(&ground, 2);
    let what = document["anchors"][0]["what"].as_str().unwrap();
    assert!(what.contains("which the journal says was brought there, is not there"), "{what}");
    // An auditor knows where it is.
    alter(&ground, "DELETE FROM event WHERE seq > 5");
    ground.expect(0, "log verify");
    let seen = ground.expect(1, "log verify --anchor ../away");
    assert!(seen.out.contains("`../away` holds its head"), "{seen}");
    let seen = ground.expect(2, "log verify --anchor inside");
    assert!(seen.err.contains("`inside` is in the project"), "{seen}");
}

// rows: PC-12
#[test]
fn an_anchor_that_cannot_be_reached_is_told_tried_again_and_no_yes() {
    let ground = Ground::shop(&format!(
        "{}[[notify]]\ncommand = \"echo \\\"$SWITCHBACK_MESSAGE\\\" >> ../told\"\non = [\"failed\"]\n",
        anchor("../disk/heads")
    ));
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("the head of the journal was not kept at `../disk/heads`"), "{seen}");
    assert!(ground.read("../told").contains("the head of the journal was not kept at ../disk/heads"));
    let seen = ground.expect(2, "log verify");
    assert!(seen.out.contains("anchor ../disk/heads: could not tell: it cannot be reached"), "{seen}");
    // The disk is there again.
    std::fs::create_dir(ground.at("../disk")).unwrap();
    let seen = ground.expect(2, "log verify");
    assert!(seen.out.contains("nothing was brought there since event"), "{seen}");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("../disk/heads").lines().count(), 1);
    ground.expect(0, "log verify");
    let seen = ground.expect(0, "log anchor --json").json();
    assert_eq!(
        (&seen["schema"], &seen["anchors"][0]["kept"]),
        (&"switchback/log-anchor/1".into(), &true.into())
    );
    assert_eq!(ground.read("../disk/heads").lines().count(), 2);
    std::fs::remove_dir_all(ground.at("../disk")).unwrap();
    let seen = ground.expect(2, "log anchor");
    assert!(seen.out.contains("not kept at ../disk/heads"), "{seen}");
}

// rows: PC-12
#[test]
fn a_line_that_a_crash_cut_short_hides_no_other_head() {
    let ground = anchored("../heads");
    ground.expect(0, "run");
    let lines = ground.read("../heads");
    ground.write("../heads", &lines[..lines.len() - 20]);
    let seen = ground.expect(2, "log verify");
    assert!(seen.out.contains("1 head cut short by a crash"), "{seen}");
    ground.expect(0, "rollback");
    let document = verified(&ground, 0);
    assert_eq!(document["anchors"][0]["fits"], 2);
    ground.write("../heads", format!("hello\n{lines}"));
    let seen = ground.expect(2, "log verify");
    assert!(seen.out.contains("what else stands there cannot be read: line 1"), "{seen}");
}

#[test]
fn heads_of_another_project_do_not_matter_and_those_of_a_namesake_are_doubted() {
    let ground = anchored("../heads");
    ground.expect(0, "run");
    let lines = ground.read("../heads");
    let strange =
        lines.replace("\"head\":\"", "\"head\":\"0").replace("\"root\":\"", "\"root\":\"/elsewhere");
    ground.write("../heads", format!("{lines}{}", strange.replace("\"shop\"", "\"bakery\"")));
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 2);
    ground.write("../heads", format!("{lines}{strange}"));
    let document = verified(&ground, 2);
    let what = document["anchors"][0]["what"].as_str().unwrap();
    assert!(what.contains("2 heads of a project of this name in `/elsewhere"), "{what}");
}

/// A project in a folder of a repository with one commit, whose plan keeps heads in notes.
fn noted() -> Ground {
    let ground = anchored("git-note");
    ground.tool("git", &["init", "-q", "-b", "main", ".."]);
    ground.tool("git", &["config", "grep.lineNumber", "true"]);
    ground.tool("git", &["add", "switchback.toml"]);
    let identity =
        ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"];
    ground.tool("git", &[&identity[..], &["commit", "-q", "-m", "first"]].concat());
    ground
}

// rows: PC-12
#[test]
fn needs_git_heads_are_kept_in_notes_of_their_own() {
    let ground = noted();
    let seen = ground.expect(0, "run");
    assert!(!seen.err.contains("was not kept"), "{seen}");
    let note = ground.tool("git", &["notes", "--ref", "switchback", "show", "HEAD"]);
    assert_eq!(note.lines().filter(|line| line.contains("switchback/anchor/1")).count(), 2, "{note}");
    assert_eq!(ground.tool("git", &["for-each-ref", "refs/notes/commits"]), "");
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 2);
    // At another commit, too.
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"];
    ground.tool("git", &[&identity[..], &["commit", "-q", "--allow-empty", "-m", "next"]].concat());
    ground.expect(0, "rollback");
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 3);
    alter(&ground, "DELETE FROM event WHERE seq > 6");
    assert_eq!(verified(&ground, 1)["first"]["kind"], "anchor");
    ground.tool("git", &["update-ref", "-d", "refs/notes/switchback"]);
    // A shorter chain and no head anywhere: the plan still says that there should be one once something is live.
    assert_eq!(verified(&ground, 0)["covered"], 0);
}

#[test]
fn needs_git_where_there_is_no_repository_or_no_commit_that_is_said() {
    let ground = anchored("git-note");
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("the project is in no repository of git"), "{seen}");
    ground.expect(2, "log verify");
    ground.tool("git", &["init", "-q", "-b", "main"]);
    let seen = ground.expect(2, "log anchor");
    assert!(seen.out.contains("there is no commit yet to put a note at"), "{seen}");
}

/// Puts a `git` before the real one that kills whoever asks it for a note: before or after it is written.
fn killing(ground: &mut Ground, is_written: bool) {
    let real = ground.tool("sh", &["-c", "command -v git"]).trim().to_owned();
    let write = if is_written { format!("{real} \"$@\"; ") } else { String::new() };
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" notes \"*) {write}kill -9 \"$PPID\"; exit 1;; esac\nexec {real} \"$@\"\n"
    );
    ground.write("../bin/git", script);
    std::fs::set_permissions(ground.at("../bin/git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", ground.at("../bin").display(), std::env::var("PATH").unwrap());
    ground.set("PATH", &path);
}

// rows: PC-12
#[test]
fn needs_git_a_kill_between_journal_and_anchor_loses_no_head() {
    for is_written in [false, true] {
        let mut ground = noted();
        killing(&mut ground, is_written);
        let seen = ground.run("run");
        assert_eq!(seen.code, -1, "it was not killed: {seen}");
        assert_eq!((events(&ground, "anchor-started"), events(&ground, "anchor-ended")), (1, 0));
        let document = verified(&ground, 2);
        assert_eq!(document["faults"], serde_json::json!([]));
        assert_eq!(document["anchors"][0]["fits"], u64::from(is_written));
        std::fs::remove_file(ground.at("../bin/git")).unwrap();
        ground.expect(0, "run");
        let document = verified(&ground, 0);
        assert!(document["anchors"][0]["fits"].as_u64().unwrap() > u64::from(is_written), "{document}");
        assert_eq!(events(&ground, "anchor-started"), events(&ground, "anchor-ended") + 1);
    }
}

// rows: PC-12
#[test]
fn needs_s3rver_heads_are_kept_in_a_bucket() {
    let server = s3::S3::start();
    let mut ground = anchored("s3://results/heads/shop");
    for (name, value) in [
        ("AWS_ENDPOINT_URL", server.endpoint().as_str()),
        ("AWS_ACCESS_KEY_ID", s3::KEY),
        ("AWS_SECRET_ACCESS_KEY", s3::KEY),
    ] {
        ground.set(name, value);
    }
    let seen = ground.expect(0, "run");
    assert!(!seen.err.contains("was not kept"), "{seen}");
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 2);
    ground.expect(0, "rollback");
    assert_eq!(verified(&ground, 0)["anchors"][0]["fits"], 3);
    alter(&ground, "DELETE FROM event WHERE seq > 6");
    assert_eq!(verified(&ground, 1)["first"]["kind"], "anchor");
    drop(server);
    let seen = ground.expect(2, "log verify");
    assert!(seen.out.contains("it cannot be reached") && !seen.out.contains("Signature"), "{seen}");
}

/// Appends events to the journal as one transaction each, and leaves its files as a kill leaves them: with the log. `damage` gets
/// the log, and how long it was before the last of them.
fn with_log(ground: &Ground, appends: u64, damage: impl FnOnce(&mut Vec<u8>, usize)) -> Vec<u8> {
    let path = ground.at(DATABASE);
    let whole = std::fs::read(&path).unwrap();
    let journal = Connection::open(&path).unwrap();
    journal.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let mut before = 0;
    for _ in 0..appends {
        before = std::fs::metadata(ground.at(LOG)).map_or(0, |meta| usize::try_from(meta.len()).unwrap());
        let (seq, prev): (u64, String) = journal
            .query_row("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let (time, actor, event, body) = (
            "2026-01-01T00:00:00Z",
            "tester@host",
            "check-started",
            r#"{"at":"now","check":"there","phase":"unify"}"#,
        );
        let hash = Record::chained(seq + 1, time, actor, event, body, &prev);
        let insert = "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        journal.execute(insert, rusqlite::params![seq + 1, time, actor, event, body, prev, hash]).unwrap();
    }
    let mut log = std::fs::read(ground.at(LOG)).unwrap();
    journal.close().unwrap();
    damage(&mut log, before);
    std::fs::write(&path, &whole).unwrap();
    std::fs::write(ground.at(LOG), &log).unwrap();
    whole
}

// rows: PC-12
#[test]
fn a_last_append_that_a_crash_cut_short_is_told_from_tampering() {
    let ground = Ground::shop("");
    ground.expect(0, "run --until staged");
    let count = verified(&ground, 0)["events"].as_u64().unwrap();
    let torn = |log: &mut Vec<u8>, before: usize| log.truncate(before + 900);
    let whole = with_log(&ground, 3, torn);
    let document = verified(&ground, 0);
    assert_eq!((&document["tail"]["state"], &document["events"]), (&"cut-short".into(), &(count + 2).into()));
    let seen = ground.expect(0, "log verify");
    assert!(seen.out.contains("the last append was cut short by a crash ("), "{seen}");
    // It is passed over, and the next event takes its place.
    ground.expect(0, "run --until rehearsed");
    assert_eq!(verified(&ground, 0)["tail"]["state"], "whole");
    assert_eq!(events(&ground, "journal-damaged"), 0, "it was never acknowledged");

    std::fs::write(ground.at(DATABASE), &whole).unwrap();
    with_log(&ground, 3, |_, _| {});
    let document = verified(&ground, 0);
    assert_eq!((&document["tail"]["state"], &document["events"]), (&"whole".into(), &(count + 3).into()));

    // Damaged before the last append, which was begun when all before it was on the disk.
    std::fs::remove_file(ground.at(LOG)).unwrap();
    std::fs::write(ground.at(DATABASE), &whole).unwrap();
    with_log(&ground, 3, |log, _| log[32 + 24 + 200] ^= 1);
    let document = verified(&ground, 1);
    assert_eq!(
        (&document["first"]["kind"], &document["first"]["seq"]),
        (&"damaged".into(), &(count + 1).into())
    );
    assert!(document["first"]["what"].as_str().unwrap().contains("no crash does that"), "{document}");
}

fn exported(ground: &Ground) -> Seen {
    ground.expect(0, "log export")
}

// rows: PC-12
#[test]
fn every_act_is_exported_with_who_where_when_and_on_which_evidence() {
    let mut ground = Ground::shop("");
    ground.set("API_TOKEN", "geheim-4711-geheim");
    ground.plan(
        "approve = { roles = [\"risk\"] }\n",
        &format!(
            "{}[[check]]\nname = \"says\"\nkind = \"command\"\ncommand = \"echo $API_TOKEN\"\nat = [\"staged\"]\n",
            approver("Ana", "\"risk\"", "ana")
        ),
    );
    ground.write("../keys/ana", std::fs::read(key_file("ana")).unwrap());
    std::fs::set_permissions(ground.at("../keys/ana"), std::fs::Permissions::from_mode(0o600)).unwrap();
    ground.expect(0, "run --until rehearsed");
    ground.expect(0, "approve unify --role risk --key ../keys/ana");
    ground.expect(0, "run");
    let seen = exported(&ground);
    assert!(!seen.out.contains("geheim"), "{seen}");
    assert_eq!(seen.out, exported(&ground).out, "the same journal, the same bytes");
    let document = seen.json();
    assert_eq!(document["schema"], "switchback/audit/1");
    let acts = document["acts"].as_array().unwrap();
    assert_eq!(acts.len() as u64, verified(&ground, 0)["events"].as_u64().unwrap());
    let mut prev = "0".repeat(64);
    for (seq, act) in (1..).zip(acts) {
        let text = |name: &str| act[name].as_str().unwrap();
        let actor = format!("{}@{}", text("user"), text("host"));
        let hash = Record::chained(seq, text("time"), &actor, text("act"), text("body"), &prev);
        assert_eq!(text("hash"), hash, "the chain can be walked in the export alone: {act}");
        assert_eq!(text("user"), "tester");
        prev = hash;
    }
    let approved = acts.iter().find(|act| act["act"] == "approved").unwrap();
    assert_eq!((&approved["person"], &approved["role"]), (&"Ana".into(), &"risk".into()));
    assert_eq!(approved["key"], "SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20");
    let rests_on = approved["rests_on"].as_object().unwrap();
    for place in ["binding.plan", "binding.old_tree", "binding.new_tree", "relied_on.0.evidence"] {
        assert_eq!(rests_on[place].as_str().unwrap().len(), 64, "{place}: {approved}");
    }
    ground.expect(0, "log export --format csv --output ../acts.csv");
    let table = ground.read("../acts.csv");
    assert!(table.starts_with("seq,time,user,host,person,role,key,run,phase,act,what,verdict,"), "{table}");
    assert_eq!(table.lines().count(), acts.len() + 1);
    let seen = ground.expect(2, "log export --format csv --output ../acts.csv");
    assert!(seen.err.contains("is there already"), "{seen}");
    alter(&ground, "UPDATE event SET actor = 'somebody@else' WHERE seq = 2");
    let document = ground.expect(1, "log export --json").json();
    assert_eq!(document["faults"][0]["seq"], 2);
}

#[test]
fn what_cannot_be_done_is_said_with_the_next_move() {
    let ground = Ground::shop("");
    insta::assert_snapshot!(ground.run("log anchor"), @r#"
    $ switchback log anchor
    --- stderr
    error: the plan names no place for the head of the journal

    hint: add `[[anchor]]` with `to = "git-note"`, a file outside of the project, or `s3://bucket/folder`
    --- exit 2
    "#);
    let ground = anchored("../heads");
    insta::assert_snapshot!(ground.run("log anchor"), @r#"
    $ switchback log anchor
    --- stderr
    error: there is no event yet whose head could be kept

    hint: `switchback run` begins the journal
    --- exit 2
    "#);
}

// rows: PC-12
#[test]
fn what_made_each_file_is_told_with_code_configuration_inputs_and_evidence() {
    let ground = Ground::shop(
        "[[check]]\nname = \"rules\"\nkind = \"files\"\nexist = [\"src/app.py\"]\ninputs = [\"rules.txt\"]\n",
    );
    ground.write("rules.txt", "at most 5 %\n");
    // It was there before, and the candidate leaves it as it is.
    ground.write("src/old.py", "OLD = 1\n");
    ground.write("../new/src/old.py", "OLD = 1\n");
    let document = ground.expect(2, "log lineage --json").json();
    assert_eq!(document["outputs"], serde_json::json!([]), "nothing was brought yet");
    ground.expect(0, "run");
    let document = ground.expect(2, "log lineage --json").json();
    let of = |path: &str| {
        let outputs = document["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["path"] == path).unwrap().clone()
    };
    let (brought, old) = (of("src/app.py"), of("src/old.py"));
    assert_eq!(brought["verdict"], "yes");
    assert_eq!(brought["content"], blake3_of("VERSION = 2\n"));
    assert_eq!((&old["verdict"], &old["made_by"]), (&"unknown".into(), &Value::Null));
    assert!(old["unknown"].as_str().unwrap().contains("it was there before"), "{old}");
    let making = &document["makings"][0];
    assert_eq!(making["transaction"], brought["made_by"]);
    let log: Vec<Value> =
        ground.expect(0, "log --json").out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let staged = &log.iter().find(|record| record["event"] == "staged").unwrap()["body"];
    assert_eq!(making["code"]["new_tree"], staged["new_tree"]);
    assert_eq!(making["configuration"]["changes"], staged["changes"]);
    assert_eq!(making["configuration"]["plan"], log[0]["body"]["plan"]);
    let look = making["evidence"].as_array().unwrap().iter().find(|look| look["check"] == "rules").unwrap();
    assert!(ground.at(format!(".switchback/evidence/{}", look["evidence"].as_str().unwrap())).exists());
    assert_eq!(look["inputs"].as_str().unwrap().len(), 64);
    ground.expect(0, "log lineage src/app.py");
    // What was altered since is told.
    ground.write("src/app.py", "VERSION = 3\n");
    let seen = ground.expect(1, "log lineage src/app.py");
    assert!(seen.out.contains("altered since it was brought by the phase unify"), "{seen}");
    ground.expect(0, "rollback");
    ground.expect(2, "log lineage src/app.py");
}

// rows: PC-12
#[test]
fn plan_and_status_say_where_heads_are_kept_and_what_failed() {
    let ground = anchored("../audit/heads");
    let shown = ground.expect(0, "plan");
    let line = "anchor: the head of the journal goes to ../audit/heads after live, finished, rolled-back";
    assert!(shown.out.contains(line), "{shown}");
    let planned = ground.expect(0, "plan --json").json();
    assert_eq!(
        planned["anchors"],
        serde_json::json!([{"to": "../audit/heads", "on": ["live", "finished", "rolled-back"], "kept": null,
                            "due": false, "fault": null}])
    );
    // The disk is not mounted.
    ground.expect(0, "run");
    let shown = ground.expect(0, "status");
    let head = "anchor ../audit/heads: keeps no head yet; one is due; the last try failed: ";
    assert!(shown.out.contains(head), "{shown}");
    std::fs::create_dir(ground.at("../audit")).unwrap();
    ground.expect(0, "log anchor");
    let shown = ground.expect(0, "status");
    assert!(shown.out.contains("anchor ../audit/heads: keeps the head of event "), "{shown}");
    assert!(!shown.out.contains("is due") && !shown.out.contains("failed"), "{shown}");
    let anchor = ground.expect(0, "status --json").json()["anchors"][0].clone();
    let heads = ground.read("../audit/heads");
    let kept: Value = serde_json::from_str(heads.lines().last().unwrap()).unwrap();
    assert_eq!(anchor["kept"]["seq"], kept["seq"]);
    assert!(anchor["kept"]["time"].as_str().unwrap().ends_with('Z'), "{anchor}");
    // What the plan forgot, the journal did not.
    ground.plan("", "");
    let shown = ground.run("status");
    assert!(shown.out.contains("; the plan does not name it any more"), "{shown}");
}

// rows: PC-12
#[test]
fn lineage_tells_of_the_documents_about_what_is_live() {
    let ground = Ground::shop(
        "[[check]]\nname = \"papers\"\nkind = \"compliance\"\nat = [\"live\"]\n\n[[check.report]]\nname = \"fairness\"\n\
         path = \"compliance/*.json\"\nfields = [\"/approved_by\"]\n",
    );
    ground.write("compliance/fairness.json", "{\"approved_by\": \"ana\"}");
    ground.expect(0, "run");
    let report = |code: i32, path: &str| {
        let document = ground.expect(code, &format!("log lineage {path} --json")).json();
        document["outputs"][0].clone()
    };
    let seen = report(0, "compliance/fairness.json");
    assert_eq!((&seen["kind"], &seen["verdict"]), (&"report".into(), &"yes".into()), "{seen}");
    assert_eq!(seen["content"], blake3_of("{\"approved_by\": \"ana\"}"));
    assert_eq!((&seen["seen_by"]["check"], &seen["seen_by"]["at"]), (&"papers".into(), &"live".into()));
    // The evidence that says so, and the phase that it is about.
    let evidence = format!(".switchback/evidence/{}", seen["seen_by"]["evidence"].as_str().unwrap());
    let paper = report(0, &evidence);
    assert_eq!((&paper["kind"], &paper["made_by"]), (&"evidence".into(), &seen["made_by"]), "{paper}");
    let all = ground.expect(0, "log lineage --json").json();
    let kinds: Vec<&str> =
        all["outputs"].as_array().unwrap().iter().map(|output| output["kind"].as_str().unwrap()).collect();
    for kind in ["file", "evidence", "report"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    // What was altered since it was looked at is told, and what is gone cannot be told.
    ground.write("compliance/fairness.json", "{\"approved_by\": \"eve\"}");
    assert_eq!(report(1, "compliance")["verdict"], "no");
    let shown = ground.expect(1, "log lineage compliance");
    assert!(shown.out.contains("a report, altered since papers at live saw it"), "{shown}");
    std::fs::remove_file(ground.at("compliance/fairness.json")).unwrap();
    assert_eq!(report(2, "compliance")["verdict"], "unknown");
    ground.write(&evidence, "{}");
    assert_eq!(report(1, &evidence)["verdict"], "no");
}

fn blake3_of(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), text).unwrap();
    let hash = switchback_core::world::World::real().disk.hash(&folder.path().join("text")).unwrap();
    switchback_core::manifest::to_hex(&hash)
}
