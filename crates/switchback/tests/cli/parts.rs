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

/// Taken back one after the other, together, or after a path: a change that is gone does not come back with another one.
// rows: TM-12
#[test]
fn a_change_that_was_taken_back_stays_so() {
    for words in [
        &["--only prices", "--only names"][..],
        &["--only prices --only names"],
        &["--only names", "--only command"],
    ] {
        let ground = live();
        for only in words {
            ground.expect(0, &format!("rollback {only}"));
        }
        assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n", "{words:?}");
        assert_eq!(ground.read("notes.txt"), "written\n", "{words:?}");
        assert!(ground.at("src/legacy.py").exists() && !ground.at("src/new").exists(), "{words:?}");
    }
    let ground = live();
    ground.expect(0, "rollback --only ./src/./prices.py");
    ground.expect(0, "rollback --only names");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
    assert_eq!(ground.read("notes.txt"), "written\n");
}

// rows: TM-12, RB-2
#[test]
fn what_was_exchanged_back_is_nobodys_any_more() {
    let ground = live();
    ground.expect(0, "rollback --only notes.txt");
    ground.expect(0, "rollback --only names");
    assert_eq!(ground.read("notes.txt"), "written\n");
    // Written anew, as editors do: another file at the same path.
    ground.write("other.txt", "by hand\n");
    std::fs::rename(ground.at("other.txt"), ground.at("notes.txt")).unwrap();
    ground.expect(0, "rollback");
    assert_eq!(ground.read("notes.txt"), "by hand\n");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
    // What was written by a part is not live any more, and undone by nobody.
    let refused = ground.expect(2, "undo");
    assert!(refused.err.contains("no write that could be taken back"), "{refused}");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
}

#[test]
fn what_became_a_folder_goes_back_with_its_path_only() {
    let ground = Ground::new();
    let plan = PLAN.replace(
        "sed -i s/10/12/ src/prices.py && rm src/legacy.py",
        "rm src/legacy.py src/prices.py && mkdir src/legacy.py && echo 1 > src/legacy.py/one",
    );
    let plan = plan.replace("sed -i s/PRICE/PRICE_EUR/ src/prices.py && ", "");
    ground.write("switchback.toml", plan);
    ground.write("src/prices.py", "PRICE = 10\n");
    ground.write("src/legacy.py", "OLD = True\n");
    ground.write("src/private/key", "K\n");
    ground.write("notes.txt", "written\n");
    ground.expect(0, "run");
    for only in ["src/legacy.py", "src/legacy.py/one", "prices"] {
        let refused = ground.expect(2, &format!("rollback --only {only}"));
        assert!(
            refused.err.contains("`src/legacy.py` was a file before the phase and is a folder now"),
            "{refused}"
        );
        assert!(refused.err.contains("switchback rollback --only src"), "{refused}");
    }
    ground.expect(0, "rollback --only src/prices.py");
    ground.expect(0, "rollback --only src");
    assert_eq!(ground.read("src/legacy.py"), "OLD = True\n");
}

#[test]
fn a_folder_that_comes_back_is_as_closed_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new();
    ground.write("switchback.toml", PLAN.replace("rm src/legacy.py", "rm -r src/private"));
    ground.write("src/prices.py", "PRICE = 10\n");
    ground.write("src/private/key", "K\n");
    std::fs::set_permissions(ground.at("src/private"), std::fs::Permissions::from_mode(0o700)).unwrap();
    ground.write("notes.txt", "written\n");
    ground.expect(0, "run");
    ground.expect(0, "rollback --only src/private");
    let mode = std::fs::metadata(ground.at("src/private")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

// rows: TM-12, RB-2
#[test]
fn a_damaged_record_of_what_was_written_keeps_nobody_from_rolling_back() {
    let ground = live();
    ground.expect(0, "rollback --only notes.txt");
    ground.expect(0, "rollback --only names");
    let undo = ground.at(".switchback/undo");
    let mut records =
        std::fs::read_dir(&undo).unwrap().map(|entry| entry.unwrap().path().join("record.json"));
    let record = records.find(|path| path.exists()).unwrap();
    for damage in [Some("{\"version\": 1, \"comm"), None] {
        match damage {
            Some(text) => std::fs::write(&record, text).unwrap(),
            None => std::fs::remove_file(&record).unwrap(),
        }
        let warned = ground.expect(0, "rollback --dry-run");
        assert!(warned.err.contains("record.json") && warned.err.contains("passed over"), "{warned}");
        let refused = ground.expect(2, "undo");
        assert!(refused.err.contains("record.json"), "{refused}");
    }
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/prices.py"), "PRICE = 10\n");
    assert_eq!(ground.read("notes.txt"), "written\n");
}

/// Code that imports a name from one place or else from another is ready for one of them to be gone, not for both.
// rows: TM-12
#[test]
fn a_file_whose_imports_would_lead_nowhere_whichever_is_tried_does_not_go_back() {
    let ground = Ground::shop("");
    let ladder = "try:\n    from .tracker import T\nexcept ImportError:\n    from NAME.tracker import T\n";
    let ready = "try:\n    from .tracker import T\nexcept ImportError:\n    T = None\n";
    // The folder `src` is a package here, so that `shop` alone leads nowhere; `src.shop` does.
    for package in ["src/__init__.py", "src/shop/__init__.py"] {
        ground.write(package, "");
        ground.write(&format!("../new/{package}"), "");
    }
    ground.write("src/shop/tracker.py", "T = 1\n");
    ground.write("../new/src/shop/metrics.py", "T = 1\n");
    let files = [
        ("inside", ladder.replace("NAME", "src.shop")),
        ("beside", ladder.replace("NAME", "shop")),
        ("ready", ready.to_owned()),
    ];
    for (name, text) in files {
        ground.write(&format!("src/shop/{name}.py"), &text);
        ground.write(&format!("../new/src/shop/{name}.py"), text.replace("tracker", "metrics"));
    }
    ground.expect(0, "run");
    for name in ["inside", "beside"] {
        let refused = ground.expect(1, &format!("rollback --only src/shop/{name}.py"));
        let place = format!("src/shop/{name}.py:2: ");
        assert!(refused.out.contains(&place) || refused.err.contains(&place), "{refused}");
        assert!(ground.read(&format!("src/shop/{name}.py")).contains("metrics"));
    }
    ground.expect(0, "rollback --only src/shop/ready.py");
    ground
        .expect(0, "rollback --only src/shop/inside.py --only src/shop/beside.py --only src/shop/tracker.py");
    assert!(ground.read("src/shop/beside.py").contains("shop.tracker"));
}

/// Two packages, of which one imports what the phase brings into the other.
const TWO_PACKAGES: &str = r#"
version = 1

[project]
name = "shop"
managed = ["app", "tools"]

[[phase]]
name = "rename"

    [[phase.change]]
    kind = "command"
    command = "mv tools/old.py tools/new.py && sed -i s/old/new/ app/main.py"
"#;

// rows: TM-12
#[test]
fn an_exchanged_path_does_not_go_back_alone_where_imports_would_break() {
    let ground = Ground::new();
    ground.write("switchback.toml", TWO_PACKAGES);
    ground.write("app/__init__.py", "");
    ground.write("app/main.py", "from tools.old import price\n");
    ground.write("tools/__init__.py", "");
    ground.write("tools/old.py", "def price():\n    return 10\n");
    let run = ground.expect(0, "run");
    let refused = "not possible in this phase: `--only app`, `--only tools`";
    assert!(run.err.contains(refused), "{run}");
    for command in ["rollback --only tools --dry-run", "rollback --only tools", "rollback --only app"] {
        let refused = ground.expect(1, command);
        assert!(refused.out.contains("app/main.py:1"), "{refused}");
        assert_eq!(ground.read("app/main.py"), "from tools.new import price\n", "{refused}");
        assert!(ground.at("tools/new.py").exists() && !ground.at("tools/old.py").exists(), "{refused}");
    }
    // Without a journal nobody can tell what was changed; the way back is open all the same.
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        drop(std::fs::remove_file(ground.at(".switchback").join(name)));
    }
    let done = ground.expect(0, "rollback --only tools --only app");
    assert_eq!(ground.read("app/main.py"), "from tools.old import price\n", "{done}");
    assert!(ground.at("tools/old.py").exists(), "{done}");
}
