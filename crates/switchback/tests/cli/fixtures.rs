//! Fixtures: captured, valid, of the shape of live data; whether data or code changed; needs and forbidden text.

use super::ground::Ground;

/// What the check said at `staged`: verdict and summary.
fn says(ground: &Ground, code: i32, verdict: &str, words: &str) {
    let seen = ground.run("run --until staged --restage");
    assert_eq!(seen.code, code, "{seen}");
    let document = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged").unwrap();
    assert_eq!(check["verdict"], verdict, "{check}");
    assert!(check["summary"].as_str().unwrap().contains(words), "{check}");
}

const FIXTURE: &str = r#"
[[check]]
name = "sales"
kind = "fixture"
path = "fixtures/sales.csv"
capture = "cp LIVE/sales.csv {out}/sales.csv"
program = "sh src/run.sh {data} {out}/sum.csv"
key = ["id"]
"#;

/// Doubles the second column; where `$1 > 2`, it adds what stands in the script.
fn program(extra: u32) -> String {
    format!(
        "awk -F, -v OFS=, 'NR == 1 {{ print \"id\", \"amount\"; next }} {{ print $1, 2 * $2 + ($1 > 2 ? {extra} : 0) }}' \"$1\" > \"$2\"\n"
    )
}

/// Writes the plan; checks run in copies, so where live data is has to be said in full.
fn plan(ground: &Ground, checks: &str) {
    ground.plan("", &checks.replace("LIVE", ground.at("../live").to_str().unwrap()));
}

fn fixture_project() -> Ground {
    let ground = Ground::shop("");
    plan(&ground, FIXTURE);
    ground.write("src/run.sh", program(0));
    ground.write("../new/src/run.sh", program(0));
    ground.write("../live/sales.csv", "id,amount\n1,10\n2,20\n");
    ground
}

// rows: RE-13, RE-15
#[test]
fn whether_data_or_code_changed_is_told_apart_in_all_four_combinations() {
    let ground = fixture_project();
    ground.expect(0, "fixture refresh sales --write");
    says(&ground, 0, "yes", "neither data nor code changed");
    // Only the data.
    ground.write("../live/sales.csv", "id,amount\n1,10\n2,21\n");
    says(&ground, 0, "yes", "the data changed, the code did not");
    plan(&ground, &format!("{FIXTURE}live = \"must-agree\"\n"));
    says(&ground, 1, "no", "the data changed, the code did not");
    plan(&ground, FIXTURE);
    // Both.
    ground.write("../new/src/run.sh", program(0).replace("2 *", "3 *"));
    says(&ground, 1, "no", "both code and data changed: ");
    // Only the code.
    ground.write("../live/sales.csv", "id,amount\n1,10\n2,20\n");
    says(&ground, 1, "no", "the code changed, the data did not: ");
    // Only the code, where the fixture has nothing that shows it.
    ground.write("../new/src/run.sh", program(5));
    says(&ground, 0, "yes", "neither data nor code changed");
    ground.write("../live/sales.csv", "id,amount\n1,10\n2,20\n3,30\n");
    says(&ground, 1, "no", "both code and data changed: on live data alone, the fixture does not show it");
    // A program that does not run on one of both tells nothing.
    ground.write("../new/src/run.sh", "echo broken >&2; exit 4\n");
    says(&ground, 2, "unknown", "the new code on the fixture data ended with exit code 4: broken");
    ground.write("../new/src/run.sh", program(0));
    std::fs::remove_file(ground.at("../live/sales.csv")).unwrap();
    says(&ground, 2, "unknown", "the live data could not be captured");
}

// rows: RE-13, RE-15
#[test]
fn live_data_without_anything_in_it_tells_nothing() {
    let ground = fixture_project();
    ground.expect(0, "fixture refresh sales --write");
    let empty = "live data has nothing in it where the fixture has something: `sales.csv`; what is empty has no types";
    for live in ["id,amount\n", "", "\n"] {
        ground.write("../live/sales.csv", live);
        // Neither is the sum over nothing another result of the data.
        for more in ["", "live = \"must-agree\"\n"] {
            plan(&ground, &format!("{FIXTURE}{more}"));
            says(&ground, 2, "unknown", empty);
        }
    }
    // That columns are missing can be told all the same, and that the code changed.
    ground.write("../live/sales.csv", "id\n");
    says(&ground, 1, "no", "live data has another shape than the fixture");
    ground.write("../live/sales.csv", "id,amount\n");
    ground.write("../new/src/run.sh", program(0).replace("2 *", "3 *"));
    says(&ground, 1, "no", "the code changed: ");
    // One file of several.
    let ground = Ground::shop("");
    ground.write("../live/a.json", "[{\"id\": 1}]");
    ground.write("../live/b.csv", "id\n1\n");
    let check = FIXTURE.replace("sales.csv", "all").replace("cp ", "cp -r ");
    let check = check.lines().filter(|line| !line.starts_with("program") && !line.starts_with("key"));
    plan(&ground, &check.collect::<Vec<_>>().join("\n").replace("LIVE/all", "LIVE"));
    ground.expect(0, "fixture refresh sales --write");
    says(&ground, 0, "yes", "live data is what the fixture holds");
    for live in ["[]", " [ ]\n", ""] {
        ground.write("../live/a.json", live);
        says(&ground, 2, "unknown", "where the fixture has something: `a.json`; ");
    }
    ground.write("../live/a.json", "[]");
    ground.write("../live/b.csv", "id\n");
    says(&ground, 2, "unknown", "where the fixture has something: `a.json`, `b.csv`; ");
}

// rows: RE-15
#[test]
fn a_fixture_is_what_it_was_captured_as_young_enough_and_of_the_shape_of_live_data() {
    let ground = fixture_project();
    ground.write("../new/src/app.py", "VERSION = 2\n");
    says(&ground, 1, "no", "there is no fixture at `fixtures/sales.csv`");
    ground.write("fixtures/sales.csv", "id,amount\n1,10\n");
    says(&ground, 2, "unknown", "is not written down: there is no `fixtures/sales.csv.fixture.json`");
    // Looking writes nothing; it says what is different.
    let seen = ground.expect(1, "fixture refresh sales");
    assert!(seen.out.contains("changed: fixtures/sales.csv"), "{seen}");
    assert_eq!(ground.read("fixtures/sales.csv"), "id,amount\n1,10\n");
    let seen = ground.expect(0, "fixture refresh sales --write");
    assert!(seen.out.contains("`switchback undo` takes it back"), "{seen}");
    assert_eq!(ground.read("fixtures/sales.csv"), "id,amount\n1,10\n2,20\n");
    ground.expect(0, "fixture refresh sales");
    says(&ground, 0, "yes", "captured 0 days ago, as its record says");
    // Edited by hand.
    ground.write("fixtures/sales.csv", "id,amount\n1,10\n2,22\n");
    says(&ground, 1, "no", "was changed since it was captured");
    ground.expect(0, "fixture refresh sales --write");
    // Old.
    let record = ground.read("fixtures/sales.csv.fixture.json");
    let year = record.split("\"captured\": \"").nth(1).unwrap()[..4].to_owned();
    ground.write("fixtures/sales.csv.fixture.json", record.replace(&format!("\"{year}-"), "\"2001-"));
    plan(&ground, &format!("{FIXTURE}max_age = \"90d\"\n"));
    says(&ground, 1, "no", "is too old: captured ");
    ground.write("fixtures/sales.csv.fixture.json", record.replace(&format!("\"{year}-"), "\"2999-"));
    says(&ground, 2, "unknown", "was captured in the future");
    ground.write("fixtures/sales.csv.fixture.json", "{}");
    says(&ground, 2, "unknown", "is no record of a fixture");
    ground.write("fixtures/sales.csv.fixture.json", record);
    plan(&ground, FIXTURE);
    // Another shape.
    ground.write("../live/sales.csv", "id,amount,zone\n1,10,a\n2,20,b\n");
    says(
        &ground,
        1,
        "no",
        "live data has another shape than the fixture: `sales.csv`: column `zone` only in the live data",
    );
}

// rows: RE-15
#[test]
fn a_folder_is_refreshed_as_a_whole_and_taken_back() {
    let checks = "[[check]]\nname = \"all\"\nkind = \"fixture\"\npath = \"fixtures\"\ncapture = \"cp -r LIVE {out}/fixtures\"\n\n\
                [[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\n";
    let ground = Ground::shop("");
    plan(&ground, checks);
    ground.write("../live/a.csv", "id\n1\n");
    ground.write("../live/deep/b.csv", "id\n2\n");
    ground.write("fixtures/a.csv", "id\n0\n");
    ground.write("fixtures/old.csv", "id\n9\n");
    let document = ground.expect(0, "fixture refresh all --write --json").json();
    assert_eq!(document["schema"], "switchback/fixture-refresh/1");
    for (what, path) in
        [("added", "fixtures/deep/b.csv"), ("changed", "fixtures/a.csv"), ("removed", "fixtures/old.csv")]
    {
        assert_eq!(document[what].as_array().unwrap(), &[path], "{document}");
    }
    assert!(!ground.at("fixtures/old.csv").exists());
    assert_eq!(ground.read("fixtures/deep/b.csv"), "id\n2\n");
    ground.expect(0, "undo");
    assert_eq!(
        (ground.read("fixtures/a.csv").as_str(), ground.read("fixtures/old.csv").as_str()),
        ("id\n0\n", "id\n9\n")
    );
    assert!(!ground.at("fixtures/deep/b.csv").exists() && !ground.at("fixtures.fixture.json").exists());
    for (name, why) in [("there", "it has no fixture"), ("none", "no check `none`")] {
        let seen = ground.expect(2, &format!("fixture refresh {name}"));
        assert!(seen.err.contains(why), "{seen}");
    }
    // What is no data is not captured.
    std::os::unix::fs::symlink("/etc/passwd", ground.at("../live/link")).unwrap();
    let seen = ground.run("fixture refresh all --write");
    assert_eq!(seen.code, 2, "{seen}");
    assert!(seen.err.contains("neither a file nor a folder"), "{seen}");
}

// rows: RE-13
#[test]
fn text_that_must_not_be_there_is_found_with_its_place() {
    let check = |more: &str| {
        format!(
            "[[check]]\nname = \"no fixtures\"\nkind = \"absent\"\npatterns = ['tests/fixtures', '(?i)mock_data']\n{more}"
        )
    };
    let ground = Ground::shop(&check("paths = [\"src\"]\nexcept = [\"src/testing/*\"]\n"));
    ground.write("../new/src/testing/data.py", "PATH = 'tests/fixtures/a.csv'\n");
    ground.write("../new/src/binary.bin", b"\0tests/fixtures");
    let passed =
        "1 file, none of 2 patterns in them; 1 file not looked into because it is no text: `src/binary.bin`";
    says(&ground, 0, "yes", passed);
    ground.write("../new/src/app.py", "import x\nPATH = 'tests/fixtures/a.csv'\nd = MOCK_DATA\n");
    says(
        &ground,
        1,
        "no",
        "1 file; src/app.py:2: PATH = 'tests/fixtures/a.csv'; src/app.py:3: d = MOCK_DATA",
    );
    ground.plan("", &check("paths = [\"lib/*.py\"]\n"));
    says(&ground, 2, "unknown", "no text file fits lib/*.py");
}

// rows: RE-13
#[test]
fn what_is_not_looked_into_is_told() {
    let check = "[[check]]\nname = \"none\"\nkind = \"absent\"\npatterns = ['MOCK']\npaths = [\"src\"]\n";
    let ground = Ground::shop(check);
    let wide = |text: &str| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    ground.write("../new/src/wide.ps1", wide("first\r\nuse MOCK\r\n"));
    says(&ground, 1, "no", "2 files; src/wide.ps1:2: use MOCK");
    ground.write("../new/src/wide.ps1", wide("first\r\n"));
    says(&ground, 0, "yes", "2 files, none of 1 pattern in them");
    let deep = format!("src/{}", "a/".repeat(65));
    ground.write(&format!("../new/{deep}x.py"), "MOCK\n");
    says(&ground, 2, "unknown", "lies deeper than 64 folders, and was not looked into");
}

// rows: RE-13
#[test]
fn what_a_program_needs_is_probed_and_what_is_missing_is_named() {
    let check = |more: &str| format!("[[check]]\nname = \"needs\"\nkind = \"needs\"\n{more}");
    let mut ground = Ground::shop(&check(
        "variables = [\"SHOP_REGION\"]\ncommands = [\"sh\", \"awk\"]\nreadable = [\"src/app.py\"]\nwritable = [\"src\"]\n\
         probes = { \"the bucket\" = \"test -e src/app.py\" }\n",
    ));
    says(&ground, 1, "no", "not there, of 6 needed things: the variable `SHOP_REGION`");
    ground.set("SHOP_REGION", "eu-hidden-1");
    says(&ground, 0, "yes", "6 needed things, all there");
    ground.plan("", &check("commands = [\"no-such-program\"]\nreadable = [\"src/none\"]\nprobes = { bucket = \"echo denied >&2; exit 13\" }\n"));
    says(
        &ground,
        1,
        "no",
        "the command `no-such-program`; reading `src/none`; bucket (exit code 13: denied)",
    );
    ground.plan("", &check("probes = { bucket = \"no-such-program\" }\n"));
    says(&ground, 2, "unknown", "could not be probed: bucket (exit code 127");
}
