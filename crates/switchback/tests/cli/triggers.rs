//! Triggers: what a live check sees rolls back, holds or tells, and what it could not see does nothing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ground::Ground;

fn command(name: &str, line: &str, at: &str) -> String {
    format!("[[check]]\nname = \"{name}\"\nkind = \"command\"\ncommand = \"{line}\"\nat = [{at}]\n\n")
}

fn trigger(when: &str, action: &str) -> String {
    format!("[[trigger]]\nwhen = {{ {when} }}\ndo = \"{action}\"\n\n")
}

/// A service on this machine that answers after a delay, in milliseconds, with a status.
pub(crate) struct Service {
    pub(crate) address: String,
    pub(crate) delay_ms: Arc<AtomicU64>,
    pub(crate) status: Arc<AtomicU64>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/health", listener.local_addr().unwrap());
        let (delay_ms, status) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(200)));
        let (delay, answer) = (Arc::clone(&delay_ms), Arc::clone(&status));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let mut length = 0;
                while !request[..length].ends_with(b"\r\n\r\n") {
                    let count = stream.read(&mut request[length..]).unwrap();
                    if count == 0 {
                        break;
                    }
                    length += count;
                }
                std::thread::sleep(Duration::from_millis(delay.load(Ordering::SeqCst)));
                let status = answer.load(Ordering::SeqCst);
                let text =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: 7\r\nconnection: close\r\n\r\nhealthy");
                // A client that went away is its own business.
                drop(stream.write_all(text.as_bytes()));
            }
        });
        Self { address, delay_ms, status }
    }
}

// rows: RB-2, PC-9, PC-10
#[test]
fn a_live_check_that_says_no_rolls_back_by_itself() {
    let ground = Ground::shop(&format!(
        "{}{}",
        command("version", "grep -q 'VERSION = 1' src/app.py", "\"live\""),
        trigger("check = \"version\"", "roll-back")
    ));
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is rolled-back; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them; not rehearsed, because the plan does not say how it breaks: the trigger on `version` (roll-back)
      unify: acknowledged: generation 1 is live ([N] ms)
      check version at live: no: exit code 1
      unify: acknowledged: rolled back: src ([N] ms)
    the record of the incident is `.switchback/incidents/15-unify.md`
      no: a trigger rolled it back: the check `version` failed its trigger at live: exit code 1

    next: the old tree is live; `switchback log` tells what happened
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: rolled-back (no)
      yes: a verified snapshot exists
      no: version at live
      yes: rehearsed in and out again
      trigger (roll-back) when the check `version` says no: not rehearsed: the plan does not say how it breaks; it fired
    waits for `switchback run`
    there is nothing to roll back
    --- exit 1
    "#);
}

// rows: PC-9
#[test]
fn a_trigger_that_holds_leaves_the_new_tree_and_asks_a_person() {
    let ground = Ground::shop(&format!(
        "{}{}",
        command("kpi", "exit 1", "\"+2s\""),
        trigger("check = \"kpi\"", "hold")
    ));
    ground.expect(2, "run");
    std::thread::sleep(Duration::from_millis(2_100));
    insta::assert_snapshot!(ground.run("watch"), @r#"
    $ switchback watch
    --- stdout
    no: phase unify is live; generation 1 is live
    --- stderr
      check kpi at +2s: no: exit code 1
      no: a trigger holds it: the check `kpi` failed its trigger at +2s: exit code 1

    next: decide: `switchback rollback` makes the old tree live; `switchback check` looks again, then `switchback watch` goes on
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-9
#[test]
fn a_trigger_that_tells_lets_the_run_go_on_to_its_gate() {
    let ground = Ground::shop(&format!(
        "{}{}",
        command("kpi", "exit 1", "\"live\""),
        trigger("check = \"kpi\"", "tell")
    ));
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    no: phase unify is live; generation 1 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them; not rehearsed, because the plan does not say how it breaks: the trigger on `kpi` (tell)
      unify: acknowledged: generation 1 is live ([N] ms)
      check kpi at live: no: exit code 1
    warning: the check `kpi` failed its trigger at live: exit code 1
      no: the check `kpi` says no at live: exit code 1

    next: `switchback rollback` makes the old tree live; `switchback check kpi --at live` looks again
    --- exit 1
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-9, PC-8
#[test]
fn a_measure_that_is_worse_than_before_in_a_row_rolls_back() {
    let service = Service::start();
    let check = format!(
        "[[check]]\nname = \"latency\"\nkind = \"http\"\nurl = \"{}\"\nat = [\"before\", \"live\", \"+3s\", \"+6s\"]\n\n",
        service.address
    );
    let when = "check = \"latency\", worse_than = { times = 3.0, of = \"before\" }, in_a_row = 2";
    let ground = Ground::shop(&format!("{check}{}", trigger(when, "roll-back")));
    service.delay_ms.store(20, Ordering::SeqCst);
    ground.expect(0, "run --until staged");
    service.delay_ms.store(400, Ordering::SeqCst);
    // Once is not yet in a row.
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("the checks at +3s are due"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    std::thread::sleep(Duration::from_secs(3));
    let seen = ground.expect(1, "watch --once");
    assert!(
        seen.err
            .contains("a trigger rolled it back: the check `latency` failed its trigger 2 times in a row"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: PC-9
#[test]
fn what_could_not_be_seen_never_triggers() {
    let ground = Ground::shop(&format!(
        "{}{}",
        command("gone", "exec no-such-program", "\"live\""),
        trigger("check = \"gone\"", "roll-back")
    ));
    insta::assert_snapshot!(ground.run("run"), @r#"
    $ switchback run
    --- stdout
    could not tell: phase unify is live; generation 1 is live
    --- stderr
      unify: snapshot [ID] verified: 1 files, 12 bytes
      unify: candidate staged: 0 added, 0 removed, 1 changed
      unify: rehearsal: yes: in and out again on a copy: all 2 entries are back as they were, and the undo touched none of 2 around them; not rehearsed, because the plan does not say how it breaks: the trigger on `gone` (roll-back)
      unify: acknowledged: generation 1 is live ([N] ms)
      check gone at live: could not tell: the command was not found: /bin/sh: 1: exec: no-such-program: not found
      could not tell: the check `gone` could not tell at live: the command was not found: /bin/sh: 1: exec: no-such-program: not found

    next: `switchback check gone --at live` looks again
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.expect(2, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}
