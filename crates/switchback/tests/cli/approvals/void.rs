//! One byte changed in anything that was approved, and the approval is void; what changed is named, in `run` and in `status`.

use rusqlite::{Connection, params};
use serde_json::Value;
use switchback_core::journal::Record;
use switchback_core::phase::evidence::EvidenceStore;
use switchback_core::world::RealDisk;

use super::super::ground::Ground;
use super::{approve, laid_out, of_risk, rehearsed};

fn approved() -> Ground {
    let ground = rehearsed("roles = [\"risk\"]", &of_risk());
    approve(&ground, 0, "risk", "ana");
    ground.expect(0, "run --until approved");
    ground
}

/// The report of the check that the approval relies on, relative to the project.
fn report(ground: &Ground) -> String {
    let hash = ground.run("log --json").out.lines().find_map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        let is_it = event["event"] == "check-ended" && event["body"]["check"] == "rules";
        is_it.then(|| event["body"]["evidence"].as_str().unwrap().to_owned())
    });
    format!(".switchback/evidence/{}", hash.unwrap())
}

fn candidate(ground: &Ground) -> String {
    let names = std::fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().file_name());
    let name =
        names.map(|name| name.into_string().unwrap()).find(|name| name.starts_with(".src.sb-")).unwrap();
    format!("{name}/app.py")
}

fn flip(ground: &Ground, path: &str) {
    let mut bytes = ground.read(path).into_bytes();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    ground.write(path, bytes);
}

/// What `status --json` says keeps the role open.
fn why(ground: &Ground) -> String {
    let document = ground.run("status --json").json();
    let waits = document["waits_for"].as_array().unwrap().clone();
    let approval = waits.iter().find(|waits| waits["kind"] == "approval");
    let approval = approval.unwrap_or_else(|| panic!("no approval is missing: {document}"));
    assert_eq!(approval["role"], "risk");
    assert_eq!(approval["missing"], 1);
    approval["why"].to_string()
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_plan() {
    let ground = approved();
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", format!("{plan}#"));
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("(the approval of Ana is void, because since then the plan changed)"),
        "{seen}"
    );
    assert!(why(&ground).contains("the approval of Ana is void, because since then the plan changed"));
    // The very bytes that were approved count again: nothing of it was used up.
    ground.write("switchback.toml", plan);
    ground.expect(0, "run");
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_candidate() {
    let ground = approved();
    flip(&ground, &candidate(&ground));
    assert!(why(&ground).contains("the candidate was touched since it was staged"));
    let status = ground.run("status");
    assert!(status.out.contains("could not tell: approved by risk"), "{status}");
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("(the approval of Ana is void, because since then the candidate changed)"),
        "{seen}"
    );
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10, PC-6, RE-10
#[test]
fn a_byte_of_the_evidence() {
    let ground = approved();
    let report = report(&ground);
    flip(&ground, &report);
    let seen = ground.expect(1, "run");
    let what = "the evidence of the check `rules` at staged changed";
    assert!(
        seen.err.contains(&format!("(the approval of Ana is void, because since then {what})")),
        "{seen}"
    );
    assert!(why(&ground).contains(what));
    insta::assert_snapshot!(ground.run("status"), @r#"
    $ switchback status
    --- stdout
    project shop: generation 0 is live
      phase unify: rehearsed
      yes: a verified snapshot exists
      yes: rules at staged
      yes: rehearsed in and out again
      not yet: approved by risk
      yes: both trees are as they were staged
      approval in the role risk by Ana (SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20): void, because since then the evidence of the check `rules` at staged changed
        the evidence of the check `rules` at staged: approved was [ID], now it is gone or damaged
    waits for an approval in the role `risk`
    there is nothing to roll back
    --- exit 2
    "#);
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    std::fs::remove_file(ground.at(&report)).unwrap();
    assert!(why(&ground).contains(what), "evidence that is gone is no evidence");
}

// rows: BX-10
#[test]
fn another_look_of_a_check_with_another_answer() {
    let ground = approved();
    // What it reads changes, and it looks again: its evidence is another one, and nobody has seen that.
    ground.write("rules.txt", "at most 50 %\n");
    ground.expect(0, "check rules --at staged");
    let status = ground.run("status --json").json();
    let changed = &status["approvals"][0]["votes"][0]["changed"];
    let what: Vec<&str> =
        changed.as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert!(what.contains(&"the inputs"), "{status}");
    assert_ne!(changed[0]["approved"], changed[0]["now"]);
    ground.expect(1, "run");
    approve(&ground, 0, "risk", "ana");
    ground.expect(0, "run");
}

// rows: BX-10
#[test]
fn another_candidate() {
    let ground = approved();
    ground.expect(1, "run --restage");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("role `risk`: 0 of 1 approvals"), "{seen}");
}

/// A project that manages `config`, too, and whose candidate leaves it alone.
fn beside(mechanism: &str) -> Ground {
    let ground = laid_out("roles = [\"risk\"]", &of_risk());
    ground.write("config/limits.yml", "limit: 5\n");
    ground.write("config/more/rates.yml", "rate: 1\n");
    let managed = format!(
        "managed = [\"src\", {{ path = \"config\", delete = false }}, {{ path = \"more\", delete = false }}]\n\
         mechanism = \"{mechanism}\""
    );
    let plan = ground.read("switchback.toml").replace("managed = [\"src\"]", &managed);
    ground.write("switchback.toml", plan);
    ground.expect(0, "run --until rehearsed");
    ground
}

const MECHANISMS: [&str; 4] = ["exchange", "two-renames", "file-by-file", "pointer"];

// rows: BX-10, PC-6
#[test]
fn a_byte_of_a_managed_path_that_the_candidate_leaves_alone() {
    for mechanism in MECHANISMS {
        let ground = beside(mechanism);
        // Nobody signs what is another one than was checked.
        ground.write("config/limits.yml", "limit: 6\n");
        let seen = approve(&ground, 1, "risk", "ana");
        assert!(
            seen.err.contains(
                "the live tree changed since the candidate was staged: `config/limits.yml` (content"
            ),
            "{mechanism}: {seen}"
        );
        ground.expect(0, "run --until rehearsed --restage");
        approve(&ground, 0, "risk", "ana");
        let looked = ground.run("status");
        assert!(looked.out.contains("yes: both trees are as they were staged"), "{mechanism}: {looked}");
        // What was signed is not what would be live.
        ground.write("config/limits.yml", "limit: 7\n");
        assert!(why(&ground).contains("the live tree was touched"), "{mechanism}: {}", why(&ground));
        let seen = ground.expect(1, "run");
        for words in [
            "the live tree changed since the candidate was staged: `config/limits.yml` (content",
            "the evidence of the check `rules` at staged is void, because since then the live tree, the candidate changed",
            "the rehearsal is void, because since then the live tree, the candidate changed",
            "(the approval of Ana is void, because since then the live tree, the candidate changed)",
        ] {
            // The candidate of the pointer is a whole tree: it is as it was.
            let words =
                if mechanism == "pointer" { words.replace(", the candidate", "") } else { words.to_owned() };
            assert!(seen.err.contains(&words), "{mechanism}: {words}: {seen}");
        }
        assert!(!seen.err.contains("the candidate changed since it was checked"), "{mechanism}: {seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
}

// rows: BX-10, RE-12
#[test]
fn what_the_candidate_leaves_alone_may_not_come_or_go_either() {
    for mechanism in MECHANISMS {
        let ground = beside(mechanism);
        approve(&ground, 0, "risk", "ana");
        ground.write("more/new.yml", "x\n");
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains("`more/new.yml` (added)"), "{mechanism}: {seen}");
        std::fs::remove_dir_all(ground.at("more")).unwrap();
        std::fs::remove_dir_all(ground.at("config")).unwrap();
        let seen = ground.expect(1, "run");
        assert!(seen.err.contains("`config/limits.yml` (removed)"), "{mechanism}: {seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        // Touched is not changed: what stands there again counts again.
        let ground = beside(mechanism);
        approve(&ground, 0, "risk", "ana");
        let mode = std::fs::metadata(ground.at("config/limits.yml")).unwrap().permissions();
        std::fs::set_permissions(ground.at("config/limits.yml"), mode).unwrap();
        assert!(why(&ground).contains("the live tree was touched"), "{mechanism}");
        ground.expect(0, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
        ground.write("config/limits.yml", "limit: 9\n");
        ground.expect(0, "rollback");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        let kept = if mechanism == "pointer" { "limit: 5\n" } else { "limit: 9\n" };
        assert_eq!(ground.read("config/limits.yml"), kept, "{mechanism}");
    }
}

/// Takes out of the seal what earlier versions did not write, and lets the journal be as they would have written it.
fn as_an_earlier_version_sealed_it(ground: &Ground) {
    let journal = Connection::open(ground.at(".switchback/journal.db")).unwrap();
    let store = EvidenceStore::new(ground.at(".switchback"));
    // It is append-only: what keeps it so is put back afterwards.
    let mut guards = journal.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").unwrap();
    let guards: Vec<(String, String)> =
        guards.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (name, _) in &guards {
        journal.execute(&format!("DROP TRIGGER {name}"), []).unwrap();
    }
    let mut statement =
        journal.prepare("SELECT seq, time, actor, event, body, prev FROM event ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, u64>(0)?,
            [row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
        ))
    });
    let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    let mut prev = rows[0].1[4].clone();
    for (seq, [time, actor, event, body, _]) in rows {
        let mut body = body;
        if event == "staged" {
            let mut staged: Value = serde_json::from_str(&body).unwrap();
            let seal = store.get(&RealDisk, staged["seal"].as_str().unwrap()).unwrap();
            let mut seal: Value = serde_json::from_str(&seal).unwrap();
            seal.as_object_mut().unwrap().remove("kept");
            staged["seal"] = store.put(&RealDisk, seal.to_string().as_bytes()).unwrap().into();
            body = staged.to_string();
        }
        let hash = Record::chained(seq, &time, &actor, &event, &body, &prev);
        let update = "UPDATE event SET body = ?2, prev = ?3, hash = ?4 WHERE seq = ?1";
        assert_eq!(journal.execute(update, params![seq, body, prev, hash]).unwrap(), 1);
        prev = hash;
    }
    for (_, guard) in guards {
        journal.execute(&guard, []).unwrap();
    }
}

// rows: BX-10
#[test]
fn a_phase_that_an_earlier_version_staged_is_read_guarded_and_rolled_back() {
    let ground = beside("exchange");
    approve(&ground, 0, "risk", "ana");
    as_an_earlier_version_sealed_it(&ground);
    let looked = ground.run("status --json").json();
    assert!(looked.to_string().contains("a quick look was not enough for all of both trees"), "{looked}");
    ground.write("config/limits.yml", "limit: 7\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("the live tree changed since the candidate was staged: `config/"), "{seen}");
    ground.expect(0, "run --until rehearsed --restage");
    as_an_earlier_version_sealed_it(&ground);
    approve(&ground, 0, "risk", "ana");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

/// An approved phase whose check names files that are in neither tree.
fn naming(check: &str, files: &[(&str, &str)], first: &str) -> Ground {
    let ground = Ground::shop("");
    for (path, content) in files {
        ground.write(path, content);
    }
    let check = format!("[[check]]\nname = \"named\"\n{check}");
    ground.plan(
        "approve = { roles = [\"risk\"] }\n",
        &check.replace("PROJECT", ground.at("").to_str().unwrap()),
    );
    if !first.is_empty() {
        ground.expect(0, first);
    }
    ground.expect(0, "run --until rehearsed");
    ground.expect(0, "approve unify --role risk");
    ground
}

fn inputs_are_void(ground: &Ground) {
    let seen = ground.expect(1, "run");
    let why = "the evidence of the check `named` at staged is void, because since then the inputs changed";
    assert!(seen.err.contains(why), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10, RE-13, RE-15
#[test]
fn a_fixture_that_no_tree_holds() {
    let check = "kind = \"fixture\"\npath = \"fixtures/sales.csv\"\ncapture = \"cp PROJECT/../live.csv {out}/sales.csv\"\n";
    let rows = "id,amount\n1,10\n";
    let ground = naming(check, &[("../live.csv", rows)], "fixture refresh named --write");
    ground.write("fixtures/sales.csv", "id,amount\n1,11\n");
    inputs_are_void(&ground);
    ground.write("fixtures/sales.csv", rows);
    let record = ground.read("fixtures/sales.csv.fixture.json");
    std::fs::remove_file(ground.at("fixtures/sales.csv.fixture.json")).unwrap();
    inputs_are_void(&ground);
    ground.write("fixtures/sales.csv.fixture.json", record);
    std::fs::remove_file(ground.at("fixtures/sales.csv")).unwrap();
    inputs_are_void(&ground);
    ground.write("fixtures/sales.csv", rows);
    ground.expect(0, "run");
}

// rows: BX-10, RE-13
#[test]
fn files_that_forbidden_text_is_looked_for_in() {
    let check = "kind = \"absent\"\npatterns = ['MOCK']\npaths = [\"src\", \"tools/*.sh\", \"more\"]\n";
    let ground = naming(check, &[("tools/a.sh", "true\n"), ("tools/b.py", "true\n")], "");
    ground.write("tools/b.py", "MOCK\n");
    ground.write("more/new.txt", "MOCK\n");
    inputs_are_void(&ground);
    std::fs::remove_dir_all(ground.at("more")).unwrap();
    ground.write("tools/a.sh", "MOCK\n");
    inputs_are_void(&ground);
    ground.write("tools/a.sh", "true\n");
    ground.expect(0, "run");
}

// rows: BX-10, PC-12
#[test]
fn reports_that_somebody_demands_and_no_tree_holds() {
    let check = "kind = \"compliance\"\n[[check.report]]\nname = \"fairness\"\npath = \"reports/*.json\"\nfields = [\"/by\"]\n";
    let by = "{\"by\": \"Ana\"}";
    let ground = naming(check, &[("reports/a.json", by), ("reports/notes.txt", "x")], "");
    ground.write("reports/notes.txt", "y");
    ground.write("reports/b.json", "{}");
    inputs_are_void(&ground);
    std::fs::remove_file(ground.at("reports/b.json")).unwrap();
    ground.write("reports/a.json", by.replace("Ana", "Bo"));
    inputs_are_void(&ground);
    std::fs::remove_file(ground.at("reports/a.json")).unwrap();
    inputs_are_void(&ground);
    ground.write("reports/a.json", by);
    ground.expect(0, "run");
}
