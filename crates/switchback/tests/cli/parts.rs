//! A part of a phase is rolled back: files, folders, and one change of several.

use super::ground::Ground;

const PLAN: &str = r#"
version = 1

[project]
name = "shop"
managed = ["src", "notes.txt"]

[[phase]]
name = "modernise"

    [[phase.change]]
    kind = "command"
    name = "prices"
    command = "sed -i s/10/12/ src/prices.py && rm src/legacy.py"

    [[phase.change]]
    kind = "command"
    name = "names"
    command = "sed -i s/PRICE/PRICE_EUR/ src/prices.py && echo 'renamed' >> notes.txt && mkdir src/new && echo 1 > src/new/one.py"
"#;

fn live() -> Ground {
    let ground = Ground::new();
    ground.write("switchback.toml", PLAN);
    ground.write("src/prices.py", "PRICE = 10\n");
    ground.write("src/legacy.py", "OLD = True\n");
    ground.write("notes.txt", "written\n");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/prices.py"), "PRICE_EUR = 12\n");
    ground
}

// rows: TM-12
#[test]
fn one_change_of_two_goes_back_though_both_touched_the_same_file() {
    let ground = live();
    let done = ground.expect(0, "rollback --only prices --json").json();
    assert_eq!(done["restored"], serde_json::json!(["src/legacy.py", "src/prices.py"]));
    assert_eq!(ground.read("src/prices.py"), "PRICE_EUR = 10\n");
    assert_eq!(ground.read("src/legacy.py"), "OLD = True\n");
    assert_eq!(ground.read("notes.txt"), "written\nrenamed\n");
    assert!(ground.at("src/new/one.py").exists());
    // Nothing of it is left to go back, and the phase can still be taken back as a whole.
    let again = ground.expect(2, "rollback --only prices");
    assert!(again.err.contains("as it was before"), "{again}");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
    assert_eq!(ground.read("notes.txt"), "written\n");
    assert!(!ground.at("src/new").exists());
}

// rows: TM-12
#[test]
fn what_came_into_being_goes_and_its_folder_with_it() {
    let ground = live();
    let shown = ground.expect(0, "rollback --only src/new --only src/legacy.py --dry-run");
    assert!(shown.out.contains("src/legacy.py, src/new/one.py"), "{shown}");
    assert!(ground.at("src/new/one.py").exists());
    ground.expect(0, "rollback --only src/new --only src/legacy.py");
    assert!(!ground.at("src/new").exists());
    assert_eq!(ground.read("src/legacy.py"), "OLD = True\n");
    assert_eq!(ground.read("src/prices.py"), "PRICE_EUR = 12\n");
    ground.expect(0, "undo");
    assert!(ground.at("src/new/one.py").exists() && !ground.at("src/legacy.py").exists());
}

// rows: TM-12
#[test]
fn a_change_is_not_taken_back_by_another_plan_or_name() {
    let ground = live();
    let refused = ground.expect(2, "rollback --only routes");
    assert!(refused.err.contains("changed nothing about routes"), "{refused}");
    let refused = ground.expect(2, "rollback --only discounts");
    assert!(refused.err.contains("changed nothing at `discounts`"), "{refused}");
    ground.write("switchback.toml", PLAN.replace("s/10/12/", "s/10/13/"));
    let refused = ground.expect(2, "rollback --only prices");
    assert!(refused.err.contains("the plan says something else"), "{refused}");
    assert_eq!(ground.read("src/prices.py"), "PRICE_EUR = 12\n");
}
