//! Compliance reports that somebody demands: one that is missing, empty, incomplete or too old is a *no*, and a trigger may act on it.

use super::ground::{Ground, Seen};

const REPORTS: &str = "[[check]]\nname = \"compliance\"\nkind = \"compliance\"\nat = [\"staged\"]\n\n\
    [[check.report]]\nname = \"fairness\"\npath = \"src/compliance/fairness-*.json\"\nfields = [\"/model\", \"/approved/by\"]\n\
    newest_within = \"30d\"\n\n\
    [[check.report]]\nname = \"register\"\npath = \"src/compliance/register.csv\"\ncolumns = [\"model\", \"owner\"]\n\n\
    [[check.report]]\nname = \"statement\"\npath = \"src/compliance/statement.txt\"\ncontains = [\"Signed:\"]\n";

const FAIRNESS: &str = r#"{"model": "risk-2", "approved": {"by": "Ana"}}"#;

fn write(ground: &Ground, root: &str, name: &str, content: &str) {
    ground.write(&format!("{root}/compliance/{name}"), content);
}

/// A candidate with all reports.
fn complete() -> Ground {
    let ground = Ground::shop(REPORTS);
    write(&ground, "../new/src", "fairness-1.json", FAIRNESS);
    write(&ground, "../new/src", "register.csv", "model,owner\nrisk-2,\"Ana, Bo\"\n");
    write(&ground, "../new/src", "statement.txt", "Signed: Ana\n");
    ground
}

fn staged(ground: &Ground, code: i32) -> Seen {
    ground.expect(code, "run --until staged")
}

// rows: PC-12
#[test]
fn reports_that_are_there_and_complete_are_a_yes() {
    let ground = complete();
    let seen = staged(&ground, 0);
    let check = &ground.run("status --json").json()["checks"][0];
    assert_eq!(check["verdict"], "yes", "{seen}");
    assert_eq!(check["summary"], "3 compliance reports: there, and complete");
}

// rows: PC-12
#[test]
fn a_report_that_is_missing_empty_or_incomplete_is_a_no_that_names_it() {
    let cases: [(&str, Option<&str>, &str); 10] = [
        ("fairness-1.json", None, "fairness: there is no `src/compliance/fairness-*.json`"),
        ("fairness-1.json", Some(""), "`src/compliance/fairness-1.json` is empty"),
        ("fairness-1.json", Some("{}"), "says nothing"),
        ("fairness-1.json", Some("{\"model\": \"risk-2\""), "is no whole JSON"),
        (
            "fairness-1.json",
            Some(r#"{"model": "risk-2", "approved": {"by": " "}}"#),
            "says nothing at `/approved/by`",
        ),
        ("register.csv", Some("model\nrisk-2\n"), "has no column `owner`"),
        ("register.csv", Some("model,owner\nrisk-2,\n"), "row 1 says nothing in `owner`"),
        ("register.csv", Some("model,owner\n"), "has no row"),
        ("statement.txt", Some("Signed by nobody\n"), "does not say `Signed:`"),
        ("statement.txt", None, "statement: there is no `src/compliance/statement.txt`"),
    ];
    for (name, content, told) in cases {
        let ground = complete();
        match content {
            Some(content) => write(&ground, "../new/src", name, content),
            None => std::fs::remove_file(ground.at(format!("../new/src/compliance/{name}"))).unwrap(),
        }
        let seen = staged(&ground, 1);
        assert!(seen.err.contains(told), "{told}: {seen}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
    // Of several that fit, each has to be complete.
    let ground = complete();
    write(&ground, "../new/src", "fairness-2.json", "[]");
    assert!(staged(&ground, 1).err.contains("`src/compliance/fairness-2.json` says nothing"));
}

// rows: PC-12
#[test]
fn the_newest_report_must_not_be_too_old() {
    let ground = complete();
    let path = ground.at("../new/src/compliance/fairness-1.json");
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(31 * 24 + 5);
    std::fs::File::open(&path).unwrap().set_modified(old).unwrap();
    let seen = staged(&ground, 1);
    assert!(seen.err.contains("fairness: the newest is 31 d 5 h old"), "{seen}");
    let ground = complete();
    write(&ground, "../new/src", "fairness-0.json", FAIRNESS);
    std::fs::File::open(ground.at("../new/src/compliance/fairness-0.json"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    staged(&ground, 0);
}

// rows: PC-12, PC-9
#[test]
fn a_report_that_is_gone_while_it_is_live_fires_a_trigger_and_complete_ones_do_not() {
    let plan = REPORTS.replace("at = [\"staged\"]", "at = [\"live\"]")
        + "\n[[trigger]]\nwhen = { check = \"compliance\" }\ndo = \"roll-back\"\n";
    let ground = complete();
    ground.plan("", &plan);
    std::fs::remove_file(ground.at("../new/src/compliance/statement.txt")).unwrap();
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("statement: there is no"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
    // Its near miss.
    let ground = complete();
    ground.plan("", &plan);
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}
