//! What follows once a phase is live: its commit, with a message made from the evidence, and its archive.

use std::fs;

use super::super::approvals::key_file;
use super::super::ground::{Ground, Seen};
use super::{CHECK, create, rehearsed, said, shop};

/// Makes the project a repository whose branch holds it.
pub(super) fn in_git(ground: &Ground) {
    ground.write(".gitignore", "__pycache__/\n*.log\n");
    ground.tool("git", &["init", "-q", "-b", "main"]);
    ground.tool("git", &["config", "user.name", "Ana Tester"]);
    ground.tool("git", &["config", "user.email", "ana@localhost"]);
    ground.tool("git", &["add", "."]);
    ground.tool("git", &["commit", "-q", "-m", "first"]);
}

pub(super) fn commits(ground: &Ground) -> usize {
    ground.tool("git", &["rev-list", "--count", "HEAD"]).trim().parse().unwrap()
}

/// What git says about the managed paths.
pub(super) fn status(ground: &Ground) -> String {
    ground.tool("git", &["status", "--porcelain", "--", "src"])
}

/// A project in git whose phase is live.
fn live() -> Ground {
    let ground = shop("");
    ground.plan("", &CHECK.replace("[\"src/app.py\"]\n", "[\"src/app.py\"]\nat = [\"staged\", \"live\"]\n"));
    in_git(&ground);
    ground.expect(0, "run");
    ground
}

/// The text of a commit without what differs from run to run.
fn told(seen: &Seen) -> String {
    let text =
        regex::Regex::new(r"\b[0-9a-f]{40}\b").unwrap().replace_all(&said(seen), "[COMMIT]").into_owned();
    let text = regex::Regex::new(r"none of \d+ around")
        .unwrap()
        .replace_all(&text, "none of [N] around")
        .into_owned();
    regex::Regex::new(r"Transaction: \S+").unwrap().replace_all(&text, "Transaction: [ID]").into_owned()
}

// rows: RE-17
#[test]
fn needs_git_what_went_live_is_committed_with_a_message_made_from_the_evidence() {
    let ground = live();
    ground.write("notes.txt", "mine, and of nobody else's concern\n");
    ground.write("src/__pycache__/app.pyc", "made by Python");
    let shown = ground.expect(0, "package commit --dry-run");
    assert_eq!(commits(&ground), 1, "{shown}");
    assert!(shown.out.starts_with("yes: phase unify would be committed to main\n"), "{shown}");
    let seen = ground.expect(0, "package commit");
    insta::assert_snapshot!(told(&seen), @r"
    $ switchback package commit
    --- stdout
    yes: phase unify is committed to main as [COMMIT]
      src/app.py
      src/requirements.txt
      src/settings.toml
      src/shop/cart.py
      src/shop/tax.py
      src/store/__init__.py
      src/store/cart.py

    unify: 1 module moved, 1 file added, 4 files changed

    How it was made:
    - take files from `../new`

    Modules moved:
    - shop.cart is store.cart

    What breaks callers:
    - shop.tax.tax signature

    Dependencies:
    - src/requirements.txt: new pandas==2.2.0

    Checks:
    - yes: there at staged: 1 path that must be there is
    - yes: there at live: 1 path that must be there is
    - yes: rehearsal: in and out again on a copy: all 8 entries are back as they were, and the undo touched none of [N] around them

    Switchback-Run: r1-[ID]
    Switchback-Phase: unify
    Switchback-Transaction: [ID]
    Switchback-Tree: blake3:[HASH]
    Switchback-Plan: blake3:[HASH]
    Switchback-Tool: switchback [VERSION]
    --- exit 0
    ");
    assert_eq!(commits(&ground), 2);
    let message = ground.tool("git", &["log", "-1", "--format=%B"]);
    assert!(seen.out.contains(message.trim()), "{seen}{message}");
    assert_eq!(ground.tool("git", &["log", "-1", "--format=%an %ae"]), "Ana Tester ana@localhost\n");
    // The managed paths, and nothing else; the index follows.
    assert_eq!(status(&ground), "", "{seen}");
    assert_eq!(ground.tool("git", &["status", "--porcelain"]), "?? notes.txt\n");
    assert_eq!(ground.tool("git", &["show", "HEAD:src/app.py"]), "VERSION = 2\n");
    let trailers = ground.tool("git", &["log", "-1", "--format=%(trailers:key=Switchback-Phase,valueonly)"]);
    assert_eq!(trailers.trim(), "unify");
    // Once, and not twice.
    let again = ground.expect(0, "package commit");
    assert!(again.out.contains("was committed to main before, as "), "{again}");
    assert_eq!(commits(&ground), 2);
    assert_eq!(ground.run("log --json").out.matches("\"committed\"").count(), 1);
    ground.expect(0, "log verify");
    // What is live comes back whatever git holds.
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let seen = ground.expect(2, "package commit");
    assert!(seen.err.contains("no phase is live: there is nothing to commit"), "{seen}");
}

// rows: RE-17
#[test]
fn needs_git_what_is_not_what_was_proved_is_not_committed() {
    let ground = live();
    let refused = |ground: &Ground, word: &str| {
        let head = ground.tool("git", &["rev-parse", "HEAD"]);
        let seen = ground.expect(1, "package commit");
        assert!(seen.err.contains(word), "`{word}` is missing: {seen}");
        assert_eq!(ground.tool("git", &["rev-parse", "HEAD"]), head, "{seen}");
    };
    // The index of somebody else.
    ground.write("notes.txt", "mine\n");
    ground.tool("git", &["add", "notes.txt"]);
    refused(&ground, "the index holds what somebody prepared for a commit: `notes.txt`");
    assert_eq!(ground.tool("git", &["status", "--porcelain", "--", "notes.txt"]), "A  notes.txt\n");
    ground.tool("git", &["reset", "-q"]);
    // A byte that nobody proved; a file that git ignores is no matter.
    ground.write("src/run.log", "ignored\n");
    ground.write("src/app.py", "VERSION = 3\n");
    refused(&ground, "what is live is not what was proved: `src/app.py`");
    ground.write("src/app.py", "VERSION = 2\n");
    ground.write("src/more.py", "x = 1\n");
    refused(&ground, "what is live is not what was proved: `src/more.py`");
    fs::remove_file(ground.at("src/more.py")).unwrap();
    // No branch, no repository, no name.
    ground.tool("git", &["checkout", "-q", "--detach"]);
    let seen = ground.expect(2, "package commit");
    assert!(seen.err.contains("no branch is checked out"), "{seen}");
    ground.tool("git", &["checkout", "-q", "main"]);
    ground.tool("git", &["config", "user.useConfigOnly", "true"]);
    ground.tool("git", &["config", "--unset", "user.email"]);
    let seen = ground.expect(2, "package commit");
    assert!(seen.err.contains("the commit could not be made: `git commit-tree` says: "), "{seen}");
    ground.tool("git", &["config", "user.email", "ana@localhost"]);
    ground.expect(0, "package commit");
    assert!(ground.read(".git/HEAD").contains("refs/heads/main"));
}

#[test]
fn needs_git_what_git_holds_already_is_not_committed_again() {
    let ground = live();
    ground.tool("git", &["add", "src"]);
    ground.tool("git", &["commit", "-q", "-m", "by hand"]);
    let seen = ground.expect(2, "package commit");
    assert!(seen.err.contains("`main` holds what is live already"), "{seen}");
    assert_eq!(commits(&ground), 2);
    let plain = shop("");
    plain.expect(0, "run");
    let seen = plain.expect(2, "package commit");
    assert!(seen.err.contains("the project is in no work tree of git"), "{seen}");
}

#[test]
fn needs_git_a_check_that_says_no_keeps_it_from_being_committed() {
    let ground = shop("");
    let check = "[[check]]\nname = \"answer\"\nkind = \"command\"\ncommand = \"exit $(cat answer)\"\nat = [\"live\"]\n";
    ground.plan("", check);
    ground.write("answer", "0\n");
    in_git(&ground);
    ground.expect(0, "run --until live");
    ground.write("answer", "1\n");
    let looked = ground.run("check answer --at live");
    assert_ne!(looked.code, 0, "{looked}");
    let seen = ground.run("package commit");
    assert_ne!(seen.code, 0, "{seen}");
    assert_eq!(commits(&ground), 1, "{seen}");
}

fn archived(ground: &Ground, code: i32) -> serde_json::Value {
    ground.expect(code, "package archive --json").json()
}

// rows: RE-19
#[test]
fn the_archive_of_a_phase_holds_all_that_is_known_of_it() {
    let maker = rehearsed("");
    create(&maker, 0, "--output ../shop.zip");
    let taker = shop("");
    taker.write("switchback.toml", taker.read("switchback.toml").replace("../new", "incoming/change.zip"));
    taker.write("../shop.zip", fs::read(maker.at("../shop.zip")).unwrap());
    taker.expect(0, &format!("package receive ../shop.zip --key {}", key_file("ana.pub").display()));
    let seen = taker.expect(2, "package archive");
    assert!(seen.err.contains("no phase is over: there is nothing to archive"), "{seen}");
    taker.expect(0, "run --until rehearsed");
    let seen = taker.expect(2, "package archive --phase unify");
    assert!(seen.err.contains("the phase `unify` is staged, and not over"), "{seen}");
    taker.expect(0, "run");
    // What processes that were killed left.
    taker.write("incoming/.switchback-package-17", "half");
    taker.write(".switchback/work/look-3/trees/x", "half");
    let live = taker.read("src/app.py");
    let told = archived(&taker, 0);
    let folder = told["path"].as_str().unwrap().to_owned();
    assert_eq!(told["was_there"], false);
    let removed = told["removed"].to_string();
    assert!(
        removed.contains("incoming/.switchback-package-17") && removed.contains(".switchback/work/look-3"),
        "{told}"
    );
    assert_eq!(fs::read_dir(taker.at(".switchback/work")).unwrap().count(), 0);
    // Package, plan, report, journal, evidence, both manifests.
    let list: serde_json::Value =
        serde_json::from_str(&taker.read(&format!("{folder}/archive.json"))).unwrap();
    let names: Vec<&str> =
        list["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    for name in [
        "change.zip",
        "journal.jsonl",
        "new-tree.manifest",
        "old-tree.manifest",
        "report.html",
        "report.json",
        "switchback.toml",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(names.iter().filter(|name| name.starts_with("evidence/")).count() >= 2, "{names:?}");
    assert_eq!(
        fs::read(taker.at(format!("{folder}/change.zip"))).unwrap(),
        fs::read(maker.at("../shop.zip")).unwrap()
    );
    assert_eq!(
        (list["package"]["name"].as_str(), list["package"]["is_in_it"].as_bool()),
        (Some("shop"), Some(true))
    );
    assert_eq!(list["plan"]["is_that_one"], true, "{list}");
    assert!(taker.read(&format!("{folder}/journal.jsonl")).contains("\"event\":\"finished\""));
    assert_eq!(
        fs::read_dir(taker.at("incoming")).unwrap().count(),
        1,
        "the package stays where the plan names it"
    );
    // Again: it is looked at, and nothing is written.
    let again = archived(&taker, 0);
    assert_eq!((&again["was_there"], &again["manifest"]), (&serde_json::json!(true), &told["manifest"]));
    assert_eq!(taker.run("log --json").out.matches("\"archived\"").count(), 1);
    // A rollback does not need it, and it is there afterwards.
    assert_eq!(taker.read("src/app.py"), live);
    taker.expect(0, "rollback");
    assert_eq!(taker.read("src/app.py"), "VERSION = 1\n");
    what_was_put_away_is_known(&taker, &folder);
}

/// What was changed in an archive is named, and what was used is not received again.
fn what_was_put_away_is_known(taker: &Ground, folder: &str) {
    taker.write(&format!("{folder}/report.json"), "{}\n");
    taker.write(&format!("{folder}/more"), "");
    let seen = taker.expect(1, "package archive");
    assert!(
        seen.err.contains("`report.json` is not what it was")
            && seen.err.contains("`more` is not in its list"),
        "{seen}"
    );
    // A package that was used is not received again, though its file is gone.
    fs::remove_file(taker.at("incoming/change.zip")).unwrap();
    let seen =
        taker.expect(1, &format!("package receive ../shop.zip --key {}", key_file("ana.pub").display()));
    assert!(seen.err.contains("it was received before, at"), "{seen}");
}

// rows: BX-10, RE-7, RE-17
#[test]
fn needs_git_what_is_void_of_what_is_live_is_neither_packed_nor_committed() {
    let ground = shop("");
    let plan = |timeout_s: u32| {
        let keys = format!("[\"src/app.py\"]\nat = [\"staged\", \"live\"]\ntimeout_s = {timeout_s}\n");
        CHECK.replace("[\"src/app.py\"]\n", &keys)
    };
    ground.plan("", &plan(50));
    in_git(&ground);
    ground.expect(0, "run --until watched");
    ground.plan("", &plan(60));
    let void =
        "the evidence of the check `there` at live is void, because since then the check's options changed";
    let seen = create(&ground, 1, "");
    assert!(seen.err.contains(void), "{seen}");
    let seen = ground.expect(1, "package commit");
    assert!(seen.err.contains(void), "{seen}");
    assert_eq!(commits(&ground), 1);
    let status = ground.run("status");
    assert!(status.out.contains("waits for") && status.out.contains("there"), "{status}");
    let report: serde_json::Value = serde_json::from_str(&ground.run("report --format json").out).unwrap();
    let checks = report["phases"][0]["checks"].as_array().unwrap();
    let live = checks.iter().find(|check| check["at"] == "live").unwrap();
    assert_eq!(live["void"], serde_json::json!(["the check's options"]), "{live:#}");
    ground.expect(0, "watch");
    ground.expect(0, "package commit");
    create(&ground, 0, "");
}

// rows: RE-7
#[test]
fn what_was_so_before_the_change_keeps_no_package_back_when_it_is_live_either() {
    let ground = shop("");
    let lint = "[[check]]\nname = \"lint\"\nkind = \"command\"\ncommand = \"grep -q 2 src/app.py\"\n\
                at = [\"before\", \"staged\", \"live\"]\n";
    ground.plan("", &format!("{CHECK}{lint}"));
    ground.expect(0, "run --until rehearsed");
    create(&ground, 0, "--output ../staged.zip");
    ground.expect(0, "run");
    create(&ground, 0, "--output ../live.zip");
    // There is no number behind the highest one.
    create(&ground, 0, &format!("--output ../highest.zip --sequence {}", u64::MAX));
    let seen = create(&ground, 2, "--output ../other.tar.zst --format tar.zst");
    assert!(seen.err.contains("has the highest number that there is"), "{seen}");
    assert!(!ground.at("../other.tar.zst").exists());
}
