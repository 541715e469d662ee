//! Telling people: what arrives at a real server on this machine, what is tried again, and what is said to be a repetition.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::ground::Ground;

/// A server that keeps what it is sent, and answers with the next of its statuses; 0 is no answer, and without one it is 200.
pub(crate) struct Hook {
    pub(crate) address: String,
    got: Arc<Mutex<Vec<String>>>,
    statuses: Arc<Mutex<Vec<u16>>>,
    /// What a redirect has beside its status: a header with its line end.
    elsewhere: Arc<Mutex<String>>,
}

impl Hook {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/services/T0/B0/geheim123456", listener.local_addr().unwrap());
        let (got, statuses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let elsewhere = Arc::new(Mutex::new(String::new()));
        let (kept, next, pointed) = (Arc::clone(&got), Arc::clone(&statuses), Arc::clone(&elsewhere));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut part = [0; 4096];
                let body = loop {
                    let count = stream.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..count]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head.lines().find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                    });
                    if body.len() >= length.unwrap_or(0) || count == 0 {
                        break body.to_owned();
                    }
                };
                kept.lock().unwrap().push(body);
                let status = next.lock().unwrap().pop().unwrap_or(200);
                if status > 0 {
                    let more = match status {
                        300..400 => pointed.lock().unwrap().clone(),
                        _ => String::new(),
                    };
                    let answer = format!(
                        "HTTP/1.1 {status} X\r\n{more}content-length: 2\r\nconnection: close\r\n\r\nok"
                    );
                    drop(stream.write_all(answer.as_bytes()));
                }
            }
        });
        Self { address, got, statuses, elsewhere }
    }

    /// What it got since it was asked last.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let got = std::mem::take(&mut *self.got.lock().unwrap());
        got.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.documents().iter().map(|body| body["text"].as_str().unwrap().to_owned()).collect()
    }
}

fn told(hook: &Hook, more: &str) -> Ground {
    let mut ground = Ground::shop(&format!("[[notify]]\nwebhook = \"${{HOOK}}\"\n{more}"));
    ground.set("HOOK", &hook.address);
    ground
}

// rows: PC-13
#[test]
fn each_turn_is_told_once_and_in_order() {
    let hook = Hook::start();
    let ground = told(&hook, "");
    ground.expect(0, "run");
    let texts = hook.texts();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    assert!(texts[0].starts_with("[info] shop: started: the run r1-"), "{texts:#?}");
    assert_eq!(texts[1], "[info] shop, phase unify: cut-over: generation 1 is live");
    assert!(texts[2].contains("watched") && texts[3].contains("finished"), "{texts:#?}");
    ground.expect(0, "rollback");
    let record = std::fs::read_dir(ground.at(".switchback/incidents")).unwrap().next().unwrap().unwrap();
    let record = record.file_name().into_string().unwrap();
    assert_eq!(
        hook.texts(),
        [format!(
            "[critical] shop, phase unify: roll-back: rolled back; live again: src; why: by hand; record: \
             .switchback/incidents/{record}"
        )]
    );
    drop(ground.run("status"));
    assert_eq!(hook.texts(), [""; 0]);
    assert!(!ground.expect(0, "log").out.contains("geheim"));
}

// rows: PC-13
#[test]
fn what_did_not_arrive_is_tried_again_and_what_may_have_is_said_to_be_a_repetition() {
    let hook = Hook::start();
    let ground = told(&hook, "on = [\"cut-over\", \"roll-back\"]\n");
    // Refused for good, as by a webhook that was removed.
    hook.statuses.lock().unwrap().push(404);
    let seen = ground.expect(0, "run");
    assert!(
        seen.err.contains("`webhook 1` was not told of event") && seen.err.contains("status 404"),
        "{seen}"
    );
    assert!(!seen.err.contains("geheim"), "{seen}");
    assert_eq!(hook.texts().len(), 1);
    // Busy, then no answer, then heard: the last one says that it may be one too many.
    hook.statuses.lock().unwrap().extend([200, 0, 503]);
    ground.expect(0, "rollback");
    let texts = hook.texts();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    assert!(texts[..2].iter().all(|text| text.ends_with("generation 1 is live")), "{texts:#?}");
    assert!(texts[2].ends_with("generation 1 is live (this may have been told before)"), "{texts:#?}");
    assert!(texts[3].contains("roll-back"), "{texts:#?}");
}

// rows: PC-13
#[test]
fn a_receiver_put_before_another_takes_nothing_from_it() {
    let (old, new) = (Hook::start(), Hook::start());
    let watched = |more: &str| {
        let check = "[[check]]\nname = \"ok\"\nkind = \"command\"\ncommand = \"true\"\nat = [\"+7d\"]\n";
        format!("{check}{more}[[notify]]\nwebhook = \"${{HOOK}}\"\n")
    };
    let mut ground = Ground::shop(&watched(""));
    ground.set("HOOK", &old.address);
    ground.set("NEW", &new.address);
    drop(ground.run("run --until live"));
    assert_eq!(old.documents().len(), 2, "started, and live");
    ground.plan("", &watched("[[notify]]\nwebhook = \"${NEW}\"\nform = \"json\"\n"));
    drop(ground.run("watch --once"));
    assert_eq!(old.texts(), [""; 0]);
    let told = new.documents();
    let turns: Vec<&Value> = told.iter().map(|one| &one["turn"]).collect();
    assert_eq!(turns, ["started", "cut-over"], "who is new is told of this run");
    assert!(told.iter().all(|one| one["may_be_a_repetition"] == false), "{told:#?}");
    // The same address under a name: nobody knows by whom it was told, and it is told so.
    ground.plan("", &watched("[[notify]]\nname = \"pager\"\nwebhook = \"${NEW}\"\nform = \"json\"\n"));
    drop(ground.run("watch --once"));
    let told = new.documents();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|one| one["may_be_a_repetition"] == true), "{told:#?}");
    ground.expect(0, "rollback");
    assert_eq!((old.texts().len(), new.documents().len()), (1, 1));
}

// rows: PC-13
#[test]
fn a_receiver_put_behind_another_of_the_same_address_leaves_it_who_it_is() {
    let hook = Hook::start();
    let plan = |more: &str| {
        let check = "[[check]]\nname = \"ok\"\nkind = \"command\"\ncommand = \"true\"\nat = [\"+7d\"]\n";
        format!("{check}[[notify]]\nwebhook = \"${{HOOK}}\"\n{more}")
    };
    let mut ground = Ground::shop(&plan(""));
    ground.set("HOOK", &hook.address);
    drop(ground.run("run --until live"));
    assert_eq!(hook.documents().len(), 2, "started, and live");
    let second = |severity: &str| format!("[[notify]]\nwebhook = \"${{HOOK}}\"\nseverity = \"{severity}\"\n");
    for severity in ["critical", "warning"] {
        ground.plan("", &plan(&second(severity)));
        drop(ground.run("watch --once"));
        assert_eq!(hook.texts(), [""; 0]);
    }
    ground.expect(0, "rollback");
    assert_eq!(hook.texts().len(), 2, "both are told of it");
}

/// What an earlier version wrote knows receivers without a name by their place.
// rows: PC-13
#[test]
fn a_journal_of_an_earlier_version_is_gone_on_with() {
    let hook = Hook::start();
    let ground = told(&hook, "");
    ground.expect(0, "run");
    assert_eq!(hook.documents().len(), 4);
    super::audit::alter(
        &ground,
        "UPDATE event SET body = json_set(json_remove(body, '$.name', '$.address'), '$.receiver', 'webhook 1') \
         WHERE event LIKE 'notification-%'",
    );
    super::audit::chain_anew(&ground, 1);
    ground.expect(0, "rollback");
    assert!(matches!(&hook.texts()[..], [text] if text.contains("roll-back")), "told once");
    let journal = ground.expect(0, "log").out;
    assert!(journal.contains("name=webhook 1") && journal.contains("receiver=webhook "), "{journal}");
}

// rows: PC-13
#[test]
fn a_message_that_is_refused_for_good_keeps_no_other_one_back() {
    let hook = Hook::start();
    let plan = |form: &str| {
        format!(
            "[[notify]]\nwebhook = \"${{HOOK}}\"\nform = \"{form}\"\non = [\"cut-over\", \"finished\", \"roll-back\"]\n"
        )
    };
    let mut ground = Ground::shop(&plan("slack"));
    ground.set("HOOK", &hook.address);
    // Too large for it; then heard.
    hook.statuses.lock().unwrap().extend([200, 413]);
    let seen = ground.expect(0, "run");
    let said = "`webhook 1` refuses the message about event";
    assert!(seen.err.contains(said) && seen.err.contains("status 413"), "{seen}");
    let texts = hook.texts();
    assert!(texts[0].ends_with("generation 1 is live") && texts[1].contains("finished"), "{texts:#?}");
    assert_eq!(texts.len(), 2, "it is tried once: {texts:#?}");
    // It is not tried for ever, and said once.
    let seen = ground.expect(0, "rollback");
    assert!(!seen.err.contains(said), "{seen}");
    assert!(matches!(&hook.texts()[..], [text] if text.contains("roll-back")));
    // Told otherwise, it may be taken.
    ground.plan("", &plan("json"));
    hook.statuses.lock().unwrap().push(413);
    drop(ground.run("run --until staged"));
    let told = hook.documents();
    assert_eq!((told.len(), &told[0]["turn"]), (1, &"cut-over".into()));
    ground.plan("", &plan("slack"));
    drop(ground.run("run --until staged"));
    let texts = hook.texts();
    assert!(texts.len() == 1 && texts[0].ends_with("generation 1 is live"), "{texts:#?}");
    drop(ground.run("run --until staged"));
    assert_eq!(hook.texts(), [""; 0]);
}

// rows: PC-13
#[test]
fn who_takes_nothing_is_not_asked_for_each_message() {
    for status in [401, 403, 404, 410] {
        let hook = Hook::start();
        let ground = told(&hook, "");
        hook.statuses.lock().unwrap().extend([status; 8]);
        let seen = ground.expect(0, "run");
        assert!(seen.err.contains("the next command tries again"), "{seen}");
        assert_eq!(hook.texts().len(), 1);
        hook.statuses.lock().unwrap().clear();
        ground.expect(0, "rollback");
        assert_eq!(hook.texts().len(), 5, "{status}");
    }
}

// rows: PC-13
#[test]
fn who_cannot_be_reached_keeps_a_command_waiting_once() {
    let hook = Hook::start();
    // Each look says no, and is told.
    let mut ground = Ground::shop(
        "[[check]]\nname = \"no\"\nkind = \"command\"\ncommand = \"false\"\nat = [\"every 1s for 8s\"]\n\
         [[notify]]\nwebhook = \"${HOOK}\"\non = [\"check\", \"roll-back\"]\n",
    );
    ground.set("HOOK", &hook.address);
    let begun = |ground: &Ground| {
        let log = ground.expect(0, "log --json").out;
        log.lines().filter(|line| line.contains("\"notification-started\"")).count()
    };
    drop(ground.run("run --until live"));
    hook.statuses.lock().unwrap().extend([503; 40]);
    let before = begun(&ground);
    let seen = ground.run("watch");
    assert_eq!(seen.err.matches("was not told of event").count(), 1, "{seen}");
    let tried = begun(&ground) - before;
    assert!(tried > 1, "each look of the watch, and the end, tries: {seen}");
    assert_eq!(hook.texts().len(), 3 + (tried - 1), "three times at first, then once");
    // Heard again, nothing is lost.
    hook.statuses.lock().unwrap().clear();
    ground.expect(0, "rollback");
    let texts = hook.texts();
    assert!(texts[0].contains("check: ") && texts.last().unwrap().contains("roll-back"), "{texts:#?}");
    assert!(texts.len() > 2, "nothing is lost: {texts:#?}");
}

// rows: PC-13
#[test]
fn a_webhook_that_points_elsewhere_was_not_told() {
    // The page takes whatever comes. After 302 and 303 a client would come without the message, after 307 with it.
    let page = Hook::start();
    let host = page.address.trim_start_matches("http://").split('/').next().unwrap();
    let there = format!("http://jo:geheim@{host}/login?next=geheim");
    let named = format!("to `{host}`");
    for (status, location, place) in
        [(302, there.as_str(), named.as_str()), (307, &there, &named), (303, "/login", "elsewhere")]
    {
        let hook = Hook::start();
        let ground = told(&hook, "on = [\"cut-over\", \"roll-back\"]\n");
        *hook.elsewhere.lock().unwrap() = format!("location: {location}\r\n");
        hook.statuses.lock().unwrap().push(status);
        let seen = ground.expect(0, "run");
        let said = format!("it answers with status {status}, which points {place}");
        assert!(seen.err.contains("was not told of event") && seen.err.contains(&said), "{seen}");
        assert!(!seen.err.contains("geheim") && !seen.err.contains("login"), "{seen}");
        assert_eq!(hook.texts().len(), 1, "trying again at once changes nothing");
        let journal = ground.expect(0, "log --json").out;
        assert!(!journal.contains("\"delivered\":true") && !journal.contains("geheim"), "{journal}");
        ground.expect(0, "rollback");
        let texts = hook.texts();
        assert!(texts[0].ends_with("generation 1 is live") && texts[1].contains("roll-back"), "{texts:#?}");
        assert_eq!((texts.len(), page.got.lock().unwrap().len()), (2, 0), "{texts:#?}");
    }
}

// rows: PC-13
#[test]
fn a_command_finds_the_notification_and_only_what_it_asked_for() {
    let ground = Ground::shop(
        "[[notify]]\nname = \"pager\"\ncommand = \"echo \\\"$SWITCHBACK_NOTIFICATION\\\" >> told.jsonl\"\nseverity = \"critical\"\n",
    );
    ground.expect(0, "run");
    assert!(!ground.at("told.jsonl").exists());
    ground.expect(0, "rollback --why later");
    let text = ground.read("told.jsonl");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["schema"], "switchback/notification/1");
    assert_eq!(
        (&told["turn"], &told["severity"], &told["phase"]),
        (&"roll-back".into(), &"critical".into(), &"unify".into())
    );
    assert_eq!(told["may_be_a_repetition"], false);
}

// rows: PC-13
#[test]
fn nobody_waits_for_somebody_who_cannot_be_reached() {
    let mut ground = Ground::shop("[[notify]]\nwebhook = \"${HOOK}\"\non = [\"cut-over\"]\n");
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("the environment variable `HOOK` is not set"), "{seen}");
    ground.set("HOOK", "http://127.0.0.1:1/geheim123456");
    let seen = ground.expect(0, "rollback");
    assert!(seen.err.contains("was not told of event") && !seen.err.contains("geheim"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}
