//! Checks that name files, where the paths of the project are links: through the pointer, or from a copy into the live project.

use serde_json::Value;

use super::ground::Ground;

const BY: &str = "{\"by\": \"Ana\"}";
const ROWS: &str = "id,amount\n1,10\n";

/// One check of each kind that names files, at this moment: `DATA` is a folder of fixtures, `REPORTS` one of reports.
fn checks(at: &str) -> String {
    let checks = "[[check]]\nname = \"absent\"\nkind = \"absent\"\npatterns = ['MOCK']\npaths = [\"reports\", \"tools/*.sh\"]\n\n\
        [[check]]\nname = \"folder\"\nkind = \"fixture\"\npath = \"data\"\ncapture = \"cp -r PROJECT/../kept/data {out}/data\"\n\n\
        [[check]]\nname = \"file\"\nkind = \"fixture\"\npath = \"one.csv\"\ncapture = \"cp PROJECT/../kept/one.csv {out}/one.csv\"\n\n\
        [[check]]\nname = \"fresh folder\"\nkind = \"freshness\"\npath = \"reports\"\nwithin = \"1d\"\n\n\
        [[check]]\nname = \"fresh names\"\nkind = \"freshness\"\npath = \"reports/*.json\"\nwithin = \"1d\"\n\n\
        [[check]]\nname = \"fresh file\"\nkind = \"freshness\"\npath = \"one.csv\"\nwithin = \"1d\"\n\n\
        [[check]]\nname = \"reports\"\nkind = \"compliance\"\n[[check.report]]\nname = \"fairness\"\n\
        path = \"reports/*.json\"\nfields = [\"/by\"]\n[[check.report]]\nname = \"rows\"\npath = \"one.csv\"\n";
    checks.replace("\nkind = ", &format!("\nat = [\"{at}\"]\nkind = "))
}

/// Data, reports and one file, in the project and beside it.
fn laid_out(project: &str, more: &str, at: &str) -> Ground {
    let ground = Ground::shop("");
    for root in ["", "../kept/"] {
        ground.write(&format!("{root}data/a.csv"), ROWS);
        ground.write(&format!("{root}one.csv"), ROWS);
        ground.write(&format!("{root}reports/fair.json"), BY);
    }
    ground.write("tools/a.sh", "true\n");
    ground.plan("", &format!("{}{more}", checks(at).replace("PROJECT", ground.at("").to_str().unwrap())));
    for check in ["folder", "file"] {
        ground.expect(0, &format!("fixture refresh {check} --write"));
    }
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("managed = [\"src\"]", project));
    ground
}

/// The verdict and the summary of each check, by name.
fn said(ground: &Ground) -> Vec<(String, String, String)> {
    let document = ground.run("status --json").json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = document["checks"].as_array().unwrap().iter();
    checks.map(|check| (text(&check["name"]), text(&check["verdict"]), text(&check["summary"]))).collect()
}

fn all_are_yes(ground: &Ground) {
    let said = said(ground);
    assert_eq!(said.len(), 7, "{said:?}");
    for (name, verdict, summary) in &said {
        assert_eq!(verdict, "yes", "{name}: {summary}");
    }
    let absent = said.iter().find(|one| one.0 == "absent").unwrap();
    assert_eq!(absent.2, "2 files, none of 1 pattern in them");
}

const MANAGED: &str = "managed = [\"src\", \"data\", \"one.csv\", \"reports\"]\nmechanism = \"pointer\"";

/// A project in the layout of the pointer, whose candidate has these reports.
fn pointed(report: &str, more: &str) -> Ground {
    let ground = laid_out(MANAGED, more, "live");
    for (path, content) in [("data/a.csv", ROWS), ("one.csv", ROWS), ("reports/fair.json", report)] {
        ground.write(&format!("../new/{path}"), content);
    }
    ground
}

// rows: RE-13, PC-9, PC-12
#[test]
fn what_is_live_through_the_pointer_is_looked_into() {
    let ground = pointed(BY, "");
    ground.expect(0, "run --until live");
    assert!(ground.at("reports").is_symlink() && ground.at("one.csv").is_symlink());
    all_are_yes(&ground);
    // A link is no place to capture to.
    let seen = ground.expect(2, "fixture refresh file --write");
    assert!(seen.err.contains("the fixture `one.csv` is a link"), "{seen}");
    assert!(ground.at("one.csv").is_symlink());
}

// rows: RE-13, PC-12
#[test]
fn what_is_wrong_behind_the_pointer_is_found() {
    let ground = pointed("{\"by\": \"MOCK\"}", "");
    ground.expect(1, "run --until live");
    for (name, verdict, summary) in said(&ground) {
        match name.as_str() {
            "absent" => {
                assert_eq!(
                    (verdict.as_str(), summary.as_str()),
                    ("no", "2 files; reports/fair.json:1: {\"by\": \"MOCK\"}")
                );
            }
            _ => assert_eq!(verdict, "yes", "{name}: {summary}"),
        }
    }
}

// rows: PC-12, RB-2
#[test]
fn a_trigger_on_reports_behind_the_pointer_fires_when_they_lack_something_and_not_before() {
    let trigger = "[[trigger]]\nwhen = { check = \"reports\" }\ndo = \"roll-back\"\n";
    let ground = pointed(BY, trigger);
    ground.expect(0, "run --until live");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    let ground = pointed("{\"by\": \"\"}", trigger);
    let seen = ground.expect(1, "run --until live");
    assert!(seen.err.contains("`reports/fair.json` says nothing at `/by`"), "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: RE-13, PC-9, PC-12
#[test]
fn what_a_copy_links_to_is_looked_into() {
    let linked = "managed = [\"src\"]\nlinked = [\"data\", \"one.csv\", \"reports\"]";
    let ground = laid_out(linked, "", "staged");
    ground.expect(0, "run --until staged");
    all_are_yes(&ground);
}
