//! The rehearsal of every undo: playbooks, declared parts, and what was exchanged, each alone; and what only goes back together.

use serde_json::{Value, json};

use super::ground::{Ground, Seen};

/// A phase that changes two managed paths, and adds a module that a changed one imports.
const PLAN: &str = r#"
version = 1

[project]
name = "shop"
managed = ["src", "config"]

[[phase]]
name = "modernise"

    [[phase.change]]
    kind = "command"
    name = "prices"
    command = "echo 'PRICE = 12' > src/prices.py && echo 'currency = eur' > config/shop.ini"

    [[phase.change]]
    kind = "command"
    name = "rates"
    command = "echo 'RATE = 2' > src/rates.py && mkdir src/more && echo 'from prices import PRICE' > src/more/one.py"

[[check]]
name = "agree"
kind = "command"
command = "if grep -q 12 src/prices.py; then grep -q eur config/shop.ini; else grep -q usd config/shop.ini; fi"
at = ["staged", "live"]

[[check]]
name = "answers"
kind = "command"
command = "test -e there-is-only-one-live-tree"
at = ["live"]

"#;

const BOTH: &str = r#"
[[playbook]]
name = "prices-wrong"
symptoms = ["agree"]
restore = ["src/prices.py", "config"]
prove = ["agree"]

[[playbook]]
name = "all-wrong"
phase = "modernise"
symptoms = ["agree", "answers"]
restore = "phase"
prove = ["agree", "answers"]
"#;

/// A project with this plan.
fn ground(plan: &str) -> Ground {
    let ground = Ground::new();
    ground.write("switchback.toml", plan);
    for (path, text) in [
        ("src/prices.py", "PRICE = 10\n"),
        ("src/rates.py", "RATE = 1\n"),
        ("src/untouched.py", "UNTOUCHED = True\n"),
        ("config/shop.ini", "currency = usd\n"),
        ("there-is-only-one-live-tree", ""),
    ] {
        ground.write(path, text);
    }
    ground
}

/// A plan whose phase says this about its undo.
fn saying(undo: &str, more: &str) -> String {
    format!("{}{more}", PLAN.replace("name = \"modernise\"\n", &format!("name = \"modernise\"\n{undo}\n")))
}

/// What the last rehearsal found, as evidence.
fn details(ground: &Ground) -> Value {
    let log = ground.expect(0, "log --json").out;
    let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let last = events.rfind(|event| event["event"] == "rehearsed").unwrap();
    let evidence = last["body"]["evidence"].as_str().unwrap().to_owned();
    let text = ground.read(&format!(".switchback/evidence/{evidence}"));
    serde_json::from_str::<Value>(&text).unwrap()["details"].clone()
}

/// Kind, name and verdict of each undo that was rehearsed.
fn undos(ground: &Ground) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = details(ground)["undos"].as_array().unwrap().clone();
    all.iter().map(|one| (text(&one["kind"]), text(&one["name"]), text(&one["verdict"]))).collect()
}

fn named(kind: &str, name: &str, verdict: &str) -> (String, String, String) {
    (kind.to_owned(), name.to_owned(), verdict.to_owned())
}

/// The run is refused at the rehearsal with these words, and nothing went live.
fn refused(ground: &Ground, code: i32, words: &[&str]) -> Seen {
    let before = ground.listing();
    let prices = ground.read("src/prices.py");
    let seen = ground.expect(code, "run");
    for word in words {
        assert!(seen.err.contains(word), "`{word}` is missing: {seen}");
    }
    assert_eq!(ground.read("src/prices.py"), prices, "{before}");
    seen
}

// rows: OM-11, RB-3
#[test]
fn each_playbook_and_each_path_alone_goes_back_on_the_copy_before_the_cutover() {
    let ground = ground(&saying("", BOTH));
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(
        seen.err.contains(
            "rehearsed as well: the playbook `prices-wrong`, the playbook `all-wrong`, `--only config`, `--only src`"
        ),
        "{seen}"
    );
    assert!(
        seen.err.contains(
            "checks that no copy can show were not carried out: `answers` of the playbook `all-wrong`"
        ),
        "{seen}"
    );
    assert_eq!(
        undos(&ground),
        [
            named("phase", "modernise", "yes"),
            named("playbook", "prices-wrong", "yes"),
            named("playbook", "all-wrong", "yes"),
            named("participant", "--only config", "yes"),
            named("participant", "--only src", "yes"),
        ]
    );
    let found = details(&ground);
    let proofs = |at: usize| found["undos"][at]["proofs"].clone();
    assert_eq!(proofs(1)[0]["verdict"], "yes", "{found:#}");
    // One that looks at the live tree alone is named, and not taken for a proof.
    let verdicts: Vec<Value> =
        proofs(2).as_array().unwrap().iter().map(|one| one["verdict"].clone()).collect();
    assert!(verdicts.contains(&json!("yes")) && verdicts.contains(&Value::Null), "{found:#}");
    assert_eq!(found["undos_refused"], json!([]));
    // What it looks like in the report, and what was rehearsed is what happens.
    let report = ground.expect(0, "report --format markdown").out;
    assert!(
        report.contains("every undo, carried out on the copy") && report.contains("prices-wrong"),
        "{report}"
    );
    ground.expect(0, "run");
    ground.expect(0, "rollback --playbook prices-wrong");
    assert_eq!(ground.read("config/shop.ini"), "currency = usd\n");
    assert_eq!(ground.read("src/rates.py"), "RATE = 2\n");
}

// rows: OM-11, RB-3
#[test]
fn a_playbook_that_breaks_its_own_check_refuses_the_cutover() {
    // Prices go back, and the configuration that belongs to them does not.
    let ground = ground(&saying("", &BOTH.replace("[\"src/prices.py\", \"config\"]", "[\"src/prices.py\"]")));
    let seen = refused(&ground, 1, &["the playbook `prices-wrong`: the check `agree` says no afterwards"]);
    assert!(seen.err.contains("the rehearsal refuses it"), "{seen}");
    assert_eq!(undos(&ground)[1], named("playbook", "prices-wrong", "no"));
    // The others are rehearsed all the same: the copy went back to what it was.
    assert_eq!(undos(&ground)[2], named("playbook", "all-wrong", "yes"));
    ground.write("switchback.toml", saying("", BOTH));
    ground.expect(0, "run --restage");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 12\n");
}

// rows: OM-11
#[test]
fn a_playbook_that_would_be_refused_refuses_the_cutover() {
    for (restore, word) in [
        (
            "[\"src/nowhere.py\"]",
            "it would be refused: the phase `modernise` changed nothing at `src/nowhere.py`",
        ),
        ("[\"routes\"]", "it would be refused: the phase `modernise` changed nothing about routes"),
    ] {
        let plan = saying("", &BOTH.replace("[\"src/prices.py\", \"config\"]", restore));
        refused(&ground(&plan), 1, &[&format!("the playbook `prices-wrong`: {word}")]);
    }
    // For a playbook without a phase it may be another phase: then it is only said.
    let plan = saying("", &BOTH.replace("[\"src/prices.py\", \"config\"]", "[\"routes\"]"));
    let more = "[[phase]]\nname = \"later\"\n[[phase.change]]\nkind = \"command\"\ncommand = \"echo 3 > src/rates.py\"\n";
    let ground = ground(&format!("{plan}\n{more}"));
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(seen.err.contains("not possible in this phase: the playbook `prices-wrong`"), "{seen}");
    assert_eq!(details(&ground)["undos_refused"][0]["name"], "prices-wrong");
    assert!(undos(&ground).iter().all(|(_, name, _)| name != "prices-wrong"));
}

// rows: OM-11, TM-12
#[test]
fn what_only_goes_back_together_is_refused_alone_and_rehearsed_together() {
    let undo = "rollback_together = [[\"src/prices.py\", \"config\"]]\n\
                rollback_only = [[\"src/prices.py\", \"config\"], [\"rates\"], [\"src/more\", \"src/rates.py\"]]";
    let ground = ground(&saying(undo, ""));
    ground.expect(0, "run");
    let refused = &details(&ground)["undos_refused"];
    assert_eq!(refused.as_array().unwrap().len(), 2, "{refused:#}");
    assert!(refused.to_string().contains("only go back together"), "{refused:#}");
    assert_eq!(
        undos(&ground)[1..],
        [
            named("only", "--only src/prices.py --only config", "yes"),
            named("only", "--only rates", "yes"),
            named("only", "--only src/more --only src/rates.py", "yes"),
        ]
    );
    for only in ["--only config", "--only src", "--only src/prices.py", "--only prices --only src/rates.py"] {
        let seen = ground.run(&format!("rollback {only}"));
        if only.contains("prices --only") {
            // The change touched both of them.
            assert_eq!(seen.code, 0, "{seen}");
            ground.expect(0, "undo");
            continue;
        }
        assert_eq!(seen.code, 2, "{seen}");
        assert!(
            seen.err.contains(
                "`src/prices.py` and `config` of the phase `modernise` only go back together (`rollback_together`"
            ),
            "{seen}"
        );
        assert!(seen.err.contains("`switchback rollback --only src/prices.py --only config`"), "{seen}");
        assert_eq!(ground.read("config/shop.ini"), "currency = eur\n");
    }
    ground.expect(0, "rollback --only src/prices.py --only config");
    assert_eq!(ground.read("config/shop.ini"), "currency = usd\n");
    assert_eq!(ground.read("src/rates.py"), "RATE = 2\n");
    // What is back already is not left behind.
    ground.expect(0, "rollback --only src");
    ground.expect(0, "rollback");
}

// rows: OM-11
#[test]
fn a_declared_part_that_cannot_be_done_refuses_the_cutover() {
    let together = "rollback_together = [[\"src\", \"config\"]]\n";
    let seen = refused(
        &ground(&saying(&format!("{together}rollback_only = [[\"config\"]]"), "")),
        1,
        &[
            "`rollback --only config`: it would be refused: `src` and `config` of the phase `modernise` only go back together",
        ],
    );
    assert!(seen.err.contains("the rehearsal refuses it"), "{seen}");
    refused(&ground(&saying("rollback_only = [[\"notes\"]]", "")), 1, &["changed nothing at `notes`"]);
}

/// What a playbook restores although the phase left it alone is lost in the copy first: else nothing would be rehearsed.
// rows: OM-11
#[test]
fn what_the_phase_left_alone_is_lost_and_restored_on_the_copy() {
    let plan = saying("", &BOTH.replace("[\"src/prices.py\", \"config\"]", "[\"src/untouched.py\"]"));
    let ground = ground(&plan);
    ground.expect(0, "run");
    assert_eq!(undos(&ground)[1], named("playbook", "prices-wrong", "yes"));
    assert_eq!(
        details(&ground)["undos"][1]["what"],
        "1 path went back, and all else is as it should be; proved by `agree`"
    );
    assert_eq!(ground.read("src/untouched.py"), "UNTOUCHED = True\n");
}

/// The controls: what makes an undo wrong is seen.
// rows: OM-11, BX-2
#[test]
fn a_check_that_alters_what_it_proves_and_a_file_that_two_paths_share_are_found() {
    let alters = PLAN.replace("if grep -q 12", "echo '# seen' >> src/untouched.py; if grep -q 12");
    let ground = ground(&format!("{alters}{BOTH}"));
    let seen = refused(
        &ground,
        1,
        &["the playbook `prices-wrong`: its checks alter what is managed: `src/untouched.py`"],
    );
    // In the tree of before, it is what would be restored.
    assert!(seen.err.contains("the playbook `all-wrong`: its checks alter what is managed"), "{seen}");
    assert!(
        seen.err.contains("it was not rehearsed, because the playbook `all-wrong` left the copy"),
        "{seen}"
    );
    assert_eq!(undos(&ground).last().unwrap(), &named("participant", "--only src", "unknown"));

    let plan = saying("", "");
    let ground = self::ground(&plan);
    std::fs::hard_link(ground.at("src/untouched.py"), ground.at("config/same.py")).unwrap();
    refused(
        &ground,
        1,
        &[
            "`rollback --only src`: afterwards, files are one file with what is kept to go back to: `src/untouched.py` with \
         `config/same.py`",
        ],
    );
    let together = "rollback_together = [[\"src\", \"config\"]]";
    ground.write("switchback.toml", saying(together, ""));
    ground.expect(0, "run --restage");
    assert_eq!(undos(&ground).len(), 1);
}

/// Checks leave caches: nobody is harmed, and the next undo is told by what is there then.
// rows: OM-11
#[test]
fn what_checks_add_in_the_copy_is_not_taken_for_a_bad_undo() {
    let adds = PLAN.replace("if grep -q 12", "mkdir -p src/cache && echo x >> src/cache/one; if grep -q 12");
    let ground = ground(&format!("{adds}{BOTH}"));
    ground.expect(0, "run --until rehearsed");
    assert!(undos(&ground).iter().all(|(_, _, verdict)| verdict == "yes"));
    assert!(!ground.at("src/cache").exists());
}

// rows: OM-11
#[test]
fn a_playbook_for_another_phase_is_rehearsed_with_that_one() {
    let more = "[[phase]]\nname = \"later\"\n[[phase.change]]\nkind = \"command\"\ncommand = \"echo 3 > src/rates.py\"\n\
                [[playbook]]\nname = \"everything\"\nsymptoms = [\"agree\"]\nrestore = \"everything\"\nprove = [\"agree\"]\n";
    let ground = ground(&saying("", &format!("{BOTH}{more}")));
    ground.expect(0, "run");
    let found = undos(&ground);
    assert_eq!(
        found,
        [named("phase", "later", "yes"), named("playbook", "everything", "yes")],
        "what `modernise` restores is not there to restore in `later`"
    );
    let what = details(&ground)["undos"][1]["what"].clone();
    assert!(
        what.as_str().unwrap().contains("the phases that are live already were rehearsed before"),
        "{what}"
    );
    assert_eq!(details(&ground)["undos"][1]["proofs"][0]["verdict"], Value::Null);
}

// rows: OM-11, RE-20
#[test]
fn an_environment_goes_back_alone_on_the_copy() {
    let environment = "[[environment.dependencies]]\nbuild = 'mkdir -p {env} && cp src/rates.py {env}/lock'\npath = \"tools\"\n\n";
    let ground = ground(&saying("", "").replace("[[phase]]\n", &format!("{environment}[[phase]]\n")));
    ground.write("tools/lock", "1\n");
    ground.expect(0, "run");
    let found = undos(&ground);
    assert_eq!(
        found[1..],
        ["--only config", "--only src", "--only tools"].map(|name| named("participant", name, "yes")),
    );
    ground.expect(0, "rollback --only tools");
    assert_eq!(ground.read("tools/lock"), "1\n");
}

// rows: OM-11
#[test]
fn where_a_pointer_leads_to_the_tree_what_is_refused_live_is_refused_in_the_rehearsal() {
    let pointed = saying("", "").replace("name = \"shop\"\n", "name = \"shop\"\nmechanism = \"pointer\"\n");
    let ground = ground(&pointed);
    ground.expect(0, "run");
    // The paths become links: they go back with the pointer, or not at all.
    let refused = details(&ground)["undos_refused"].clone();
    assert_eq!(refused.as_array().unwrap().len(), 3, "{refused:#}");
    let seen = ground.expect(2, "rollback --only src");
    assert!(seen.err.contains("these go back together"), "{seen}");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
    // A part cannot be done there: a playbook that promises it is no way back.
    let ground = self::ground(&format!("{pointed}{BOTH}"));
    self::refused(
        &ground,
        1,
        &["the playbook `prices-wrong`: it would be refused: a part cannot be rolled back where a pointer"],
    );
}

// rows: OM-11
#[test]
fn every_undo_is_rehearsed_by_the_mechanism_that_will_carry_it_out() {
    for mechanism in ["two-renames", "file-by-file"] {
        let with = format!("name = \"shop\"\nmechanism = \"{mechanism}\"\n");
        let ground = ground(&saying("", BOTH).replace("name = \"shop\"\n", &with));
        let seen = ground.expect(0, "run");
        let found = undos(&ground);
        assert_eq!(found.len(), 5, "{mechanism}: {seen}");
        assert!(found.iter().all(|(_, _, verdict)| verdict == "yes"), "{mechanism}: {found:?}");
        ground.expect(0, "rollback --only config");
        assert_eq!(ground.read("config/shop.ini"), "currency = usd\n", "{mechanism}");
        assert_eq!(ground.read("src/prices.py"), "PRICE = 12\n", "{mechanism}");
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n", "{mechanism}");
    }
}

#[test]
fn lists_that_say_nothing_or_name_what_is_not_managed_are_findings() {
    for (undo, word) in [
        (
            "rollback_together = [[\"notes\", \"src\"]]",
            "`rollback_together` names `notes`, which is not managed",
        ),
        ("rollback_only = [[]]", "`rollback_only` has a list without a path"),
        ("rollback_only = [\"src\"]", "must be a list of lists of texts"),
        ("rollback_only = [[\"../src\"]]", "leads out of the project"),
    ] {
        let seen = ground(&saying(undo, "")).expect(2, "plan");
        assert!(seen.err.contains(word), "`{word}` is missing: {seen}");
    }
}
