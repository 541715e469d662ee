//! `checkpoints`: directories of documents are listed, migrated with proof, verified, and go back byte by byte.

use serde_json::json;

use super::ground::Ground;

/// The years of a simulation, as an old program left them.
const YEAR_1: &str = "{\"format\": 1, \"year\": 2025, \"seed\": 9007199254740993, \"rate\": 0.12345678901234567890, \
                      \"completed\": [\"hire\", \"promote\"], \"employees\": {\"a\": 1, \"b\": 2}}\n";
const YEAR_2: &str = "{\n  \"format\": 1,\n  \"year\": 2026,\n  \"seed\": 2,\n  \"rate\": 0.50,\n  \"completed\": [],\n  \
                      \"employees\": {}\n}";

const RULES: &str = r#"
version = 1

[document]
version = ".format // .meta.format"

[[step]]
from = "1"
to = "2"
program = "up.jq"
inverse = "down.jq"
counts = { ".completed" = ".progress.steps", ".employees" = ".workforce" }

[schemas]
"2" = "v2.json"

[[rename]]
from = 'ckpt_(\d+)\.(json|pkl)'
to = "years/$1/state.$2"
"#;
const UP: &str = "# What the new program reads.\n{meta: {format: 2}, year, seed, rate,\n progress: {steps: .completed}, workforce: .employees}\n";
const DOWN: &str = "{format: 1, year, seed, rate, completed: .progress.steps, employees: .workforce}\n";
const SCHEMA: &str = r#"{"type": "object", "required": ["meta", "year", "progress"],
  "properties": {"year": {"type": "integer", "minimum": 2000}, "progress": {"required": ["steps"]}}}"#;

fn ground() -> Ground {
    let ground = Ground::new();
    ground.write("state/ckpt_2025.json", YEAR_1);
    ground.write("state/ckpt_2026.json", YEAR_2);
    ground.write("state/ckpt_2025.pkl", b"\x80\x04cos\nsystem\n(S'touch loaded'\ntR.");
    ground.write("state/notes.txt", "as it is\n");
    ground.write("rules/checkpoints.toml", RULES);
    ground.write("rules/up.jq", UP);
    ground.write("rules/down.jq", DOWN);
    ground.write("rules/v2.json", SCHEMA);
    ground
}

const MIGRATE: &str = "checkpoints migrate state --rules rules/checkpoints.toml";
const VERIFY: &str = "checkpoints verify state --rules rules/checkpoints.toml";

// rows: OM-2
#[test]
fn a_directory_is_listed_and_what_would_become_of_it_is_shown() {
    let ground = ground();
    let before = ground.listing();
    insta::assert_snapshot!(ground.expect(0, "checkpoints list state --rules rules/checkpoints.toml"), @r#"
    $ switchback checkpoints list state --rules rules/checkpoints.toml
    --- stdout
    ckpt_2025.json → years/2025/state.json  (document, version 1)
    ckpt_2025.pkl → years/2025/state.pkl  (pickle)
    ckpt_2026.json → years/2026/state.json  (document, version 1)
    notes.txt  (other)
    --- stderr
    yes: 2 documents, 1 pickle (never loaded), 1 other file
    --- exit 0
    "#);
    insta::assert_snapshot!(ground.expect(1, VERIFY), @r#"
    $ switchback checkpoints verify state --rules rules/checkpoints.toml
    --- stderr
      no: `ckpt_2025.json` is of the version 1, which is not the last one
      no: `ckpt_2025.json` is to be called `years/2025/state.json`
      no: `ckpt_2025.pkl` is to be called `years/2025/state.pkl`
      no: `ckpt_2026.json` is of the version 1, which is not the last one
      no: `ckpt_2026.json` is to be called `years/2026/state.json`

    next: `switchback checkpoints migrate` with the same rules shows what would become of them
    no: 2 documents, 1 pickle (never loaded), 1 other file
    --- exit 1
    "#);
    insta::assert_snapshot!(ground.expect(0, MIGRATE), @r#"
    $ switchback checkpoints migrate state --rules rules/checkpoints.toml
    --- stdout
    ckpt_2025.json → years/2025/state.json  (document, version 1 → 2, 2 items kept in `.progress.steps`, 2 items kept in `.workforce`, there and back the same, its schema holds)
    ckpt_2025.pkl → years/2025/state.pkl  (pickle)
    ckpt_2026.json → years/2026/state.json  (document, version 1 → 2, 0 items kept in `.progress.steps`, 0 items kept in `.workforce`, there and back the same, its schema holds)
    --- stderr
    yes: 2 documents, 1 pickle (never loaded), 1 other file, 2 migrated, 3 renamed, 2 held against a schema; nothing was touched; `--write` writes it
    --- exit 0
    "#);
    assert_eq!(ground.listing(), before);
}

// rows: OM-2
#[test]
fn what_is_written_keeps_digits_and_layout_and_is_taken_back_byte_by_byte() {
    let ground = ground();
    let document = ground.expect(0, &format!("{MIGRATE} --write --json")).json();
    assert_eq!(document["schema"], "switchback/checkpoints/1");
    assert_eq!((&document["verdict"], &document["written"]), (&json!("yes"), &json!(true)));
    assert_eq!(document["documents"], json!({"old": 2, "new": 2}));
    assert_eq!(
        document["files"][0]["steps"],
        json!([{"from": "1", "to": "2", "round_trip": "yes", "differs_at": null, "counts": [
            {"old": ".completed", "new": ".progress.steps", "items_old": 2, "items_new": 2},
            {"old": ".employees", "new": ".workforce", "items_old": 2, "items_new": 2},
        ]}])
    );
    // Every digit, the order that the program gives, and each file's own layout.
    assert_eq!(
        ground.read("state/years/2025/state.json"),
        "{\"meta\": {\"format\": 2}, \"year\": 2025, \"seed\": 9007199254740993, \"rate\": 0.12345678901234567890, \
         \"progress\": {\"steps\": [\"hire\", \"promote\"]}, \"workforce\": {\"a\": 1, \"b\": 2}}\n"
    );
    assert_eq!(
        ground.read("state/years/2026/state.json"),
        "{\n  \"meta\": {\n    \"format\": 2\n  },\n  \"year\": 2026,\n  \"seed\": 2,\n  \"rate\": 0.50,\n  \
         \"progress\": {\n    \"steps\": []\n  },\n  \"workforce\": {}\n}"
    );
    assert!(ground.at("state/years/2025/state.pkl").exists() && !ground.at("state/ckpt_2025.pkl").exists());
    assert!(!ground.at("loaded").exists() && !ground.at("state/loaded").exists());
    insta::assert_snapshot!(ground.expect(0, VERIFY), @r#"
    $ switchback checkpoints verify state --rules rules/checkpoints.toml
    --- stderr
    yes: 2 documents, 1 pickle (never loaded), 1 other file, 2 held against a schema
    --- exit 0
    "#);
    let again = ground.expect(0, &format!("{MIGRATE} --write"));
    assert!(
        again.err.contains("0 migrated, 0 renamed") && again.err.contains("nothing was to be written"),
        "{again}"
    );
    ground.expect(0, "undo");
    assert_eq!(ground.read("state/ckpt_2025.json"), YEAR_1);
    assert_eq!(ground.read("state/ckpt_2026.json"), YEAR_2);
    assert!(!ground.at("state/years").exists());
}

/// With these rules and documents, `migrate --write` ends with this code and these words, and nothing is touched.
fn refused(ground: &Ground, code: i32, words: &str) {
    let before = ground.listing();
    let seen = ground.expect(code, &format!("{MIGRATE} --write"));
    assert!(seen.err.contains(words), "{words}: {seen}");
    let after = ground.listing();
    assert_eq!(after, before, "{seen}");
}

// rows: OM-2
#[test]
fn what_a_schema_a_count_or_the_way_back_says_no_to_is_not_written() {
    let ground = ground();
    ground.write(
        "rules/up.jq",
        UP.replace("seed, rate", "rate, seed").replace(".completed", "(.completed[:1])"),
    );
    refused(&ground, 1, "`ckpt_2025.json`: 1 → 2: `.completed` has 2 and `.progress.steps` 1");
    refused(&ground, 1, "`ckpt_2025.json`: 1 → 2 and back is not what it was: /completed/1");
    ground.write("rules/up.jq", UP);
    ground.write("rules/v2.json", SCHEMA.replace("2000", "2026"));
    refused(
        &ground,
        1,
        "`years/2025/state.json`: /year: the value is less than the minimum of 2026 (`minimum`)",
    );
    let seen = ground.expect(1, MIGRATE);
    assert!(!seen.err.contains("2025 is less"), "{seen}");
}

// rows: OM-2
#[test]
fn what_cannot_be_told_is_one_clear_error_and_nothing_is_written() {
    for (path, content, words) in [
        (
            "state/ckpt_2025.json",
            "{\"format\": 1,\n \"year\": }",
            "`ckpt_2025.json`, line 2: column 10: expected value",
        ),
        ("state/ckpt_2025.json", "{\"format\": 1, \"format\": 1}", "an object has the key `format` twice"),
        ("state/ckpt_2025.json", "{\"format\": 1, \"rate\": NaN}", "`NaN` is no JSON"),
        ("state/ckpt_2025.json", "{\"year\": 2025}", "it says no version, and the rules have no `missing`"),
        (
            "state/ckpt_2025.json",
            "{\"format\": 7}",
            "its version is 7, which neither a step nor a schema knows",
        ),
        ("rules/up.jq", "empty", "`up.jq` yields no result, and has to yield one"),
        (
            "rules/up.jq",
            "reduce range(100000) as $level (.; [.])",
            "`up.jq` yields what nests deeper than 127 levels, and no document may",
        ),
        (
            "rules/down.jq",
            "{format: 1, year, deep: reduce range(100000) as $level (0; {a: .})}",
            "`down.jq` yields what nests deeper than 127 levels, and no document may",
        ),
        ("rules/up.jq", "., .", "`up.jq` yields several results, and has to yield one"),
        ("rules/up.jq", ".year.x", "`up.jq` failed: "),
        ("rules/up.jq", ".", "the step 1 → 2 leaves a document that says version 1"),
        ("rules/up.jq", "{meta: {format: 2}, seed: (.seed + 0.5)}", "does not keep the number at `/seed`"),
        ("rules/up.jq", "{meta: {format: 2}, rate: (0/0)}", "at `/rate`: it is no finite number"),
        ("rules/up.jq", "{meta:\n {format: foo}}", "`up.jq`, line 2, column 11: there is no filter `foo`"),
        (
            "rules/v2.json",
            "{\"$ref\": \"https://example.org/x.json\"}",
            "refers to `https://example.org/x.json`",
        ),
        (
            "state/years/2025/state.json",
            "{\"meta\": {\"format\": 2}}",
            "would both become `years/2025/state.json`",
        ),
        ("rules/checkpoints.toml", &RULES.replace("years/$1/state.$2", "../$1"), "no path below the folder"),
        ("rules/checkpoints.toml", &RULES.replace("years/$1/state.$2", "state"), "would both become `state`"),
        ("rules/checkpoints.toml", &RULES.replace("years/$1/", "ckpt_$1."), "captures"),
        (
            "rules/checkpoints.toml",
            &RULES.replace("to = \"2\"", "to = \"1\""),
            "the steps go round in a circle",
        ),
        ("rules/checkpoints.toml", &RULES.replace("up.jq", "gone.jq"), "gone.jq` cannot be read"),
    ] {
        let ground = ground();
        ground.write(path, content);
        if words == "captures" {
            // A rule that takes the new name up again.
            ground.write(path, RULES.replace("years/$1/state.$2", "ckpt_${1}0.$2"));
            refused(&ground, 2, "which the rules would rename once more");
        } else {
            refused(&ground, 2, words);
        }
    }
}

#[test]
fn rules_that_verify_nothing_and_a_folder_that_is_not_there_are_refused() {
    let ground = ground();
    ground.write(
        "rules/checkpoints.toml",
        RULES.replace("inverse = \"down.jq\"", "").replace("counts =", "#").replace("\"2\" =", "#"),
    );
    insta::assert_snapshot!(ground.expect(2, MIGRATE), @r#"
    $ switchback checkpoints migrate state --rules rules/checkpoints.toml
    --- stderr
    error: could not read the rules of the checkpoints
      caused by: the rules `rules/checkpoints.toml` cannot be used
      caused by: rules/checkpoints.toml:7:1: nothing verifies the step 1 → 2; give a schema of the version 2, `counts`, or an `inverse`

    hint: correct these places: see `docs/checkpoints.md`
    --- exit 2
    "#);
    insta::assert_snapshot!(ground.expect(2, "checkpoints list elsewhere"), @r#"
    $ switchback checkpoints list elsewhere
    --- stderr
    error: could not tell what becomes of the checkpoints
      caused by: `[TMP]/project/elsewhere` does not exist

    hint: name a folder of checkpoints, relative to the project
    --- exit 2
    "#);
}

#[test]
fn nothing_found_or_nothing_asked_is_no_yes() {
    let ground = ground();
    ground.expect(0, &format!("{MIGRATE} --write"));
    ground.write("empty/notes.txt", "");
    ground.expect(2, "checkpoints migrate empty --rules rules/checkpoints.toml");
    ground.expect(2, "checkpoints verify empty --rules rules/checkpoints.toml");
    ground.write("rules/checkpoints.toml", RULES.replace("[schemas]\n\"2\" = \"v2.json\"", ""));
    let seen = ground.expect(2, VERIFY);
    assert!(seen.err.contains("not every document has a schema"), "{seen}");
    // A damaged document is told in a list, and makes it a *no*.
    ground.write("state/years/2026/state.json", "{");
    let seen = ground.expect(1, "checkpoints list state");
    assert!(seen.out.contains("years/2026/state.json  (document, damaged)"), "{seen}");
}

#[test]
fn a_secret_in_a_document_is_in_no_message() {
    let ground = ground();
    let secret = "hunter2-SECRET";
    ground.write("state/ckpt_2025.json", YEAR_1.replace("\"hire\"", &format!("\"{secret}\"")));
    for (path, content) in [
        ("rules/up.jq", ".completed[0] + 1".to_owned()),
        ("rules/up.jq", "error(.completed[0])".to_owned()),
        (
            "rules/v2.json",
            SCHEMA.replace(
                "\"required\": [\"steps\"]",
                "\"properties\": {\"steps\": {\"items\": {\"enum\": [\"promote\"]}}}",
            ),
        ),
    ] {
        ground.write(path, &content);
        for format in ["", " --json"] {
            let seen = ground.run(&format!("{MIGRATE}{format}"));
            assert!(seen.code != 0 && !format!("{seen}").contains("SECRET"), "{seen}");
        }
        ground.write("rules/up.jq", UP);
    }
}

/// A plan whose candidate has the checkpoints migrated, and which looks at them.
const PLAN: &str = r#"version = 1

[project]
name = "workforce"
managed = ["state"]

[[phase]]
name = "checkpoints"

[[phase.change]]
kind = "checkpoints"
path = "state"
rules = "rules/checkpoints.toml"

[[check]]
name = "checkpoints"
kind = "checkpoints"
at = ["staged", "live"]
path = "state"
rules = "rules/checkpoints.toml"
"#;

// rows: OM-2
#[test]
fn in_a_plan_they_are_part_of_the_candidate_the_rehearsal_and_the_undo() {
    let ground = ground();
    ground.write("switchback.toml", PLAN);
    let preview = ground.expect(0, "plan --json").json();
    assert_eq!(preview["changes"][0]["files"], json!({"added": 0, "removed": 0, "changed": 0, "moved": 3}));
    ground.expect(0, "run");
    assert!(ground.at("state/years/2025/state.json").exists() && !ground.at("state/ckpt_2025.json").exists());
    let status = ground.run("status --json").json();
    let said: Vec<_> = status["checks"].as_array().unwrap().iter().map(|check| &check["verdict"]).collect();
    assert_eq!(said, ["yes", "yes"], "{status:#}");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("state/ckpt_2025.json"), YEAR_1);
    assert!(!ground.at("state/years").exists());
    // What is refuted makes no candidate.
    ground.write("rules/v2.json", SCHEMA.replace("2000", "2030"));
    let seen = ground.expect(2, "run");
    assert!(
        seen.err.contains("migrate the checkpoints in `state` is refuted: `years/2025/state.json`: /year"),
        "{seen}"
    );
}
