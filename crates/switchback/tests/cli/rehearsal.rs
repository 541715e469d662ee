//! The rehearsal: what no undo could bring back is refused before it goes in, with the reason.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use super::ground::{APPROVE, Ground, Seen};

/// A check that reads the candidate where it is rehearsed, and says where it looked.
const READS: &str = "[[check]]\nname = \"reads\"\nkind = \"command\"\ncommand = \"grep -q 'VERSION = 2' src/app.py \
                     && pwd > {out}/where && case $PWD in */rehearsal-[0-9]*/project) ;; *) exit 7;; esac\"\n\
                     at = [\"rehearsed\"]\n";

/// Says what Python finds as the module `app`.
fn imports(at: &str) -> String {
    format!(
        "[[check]]\nname = \"imports\"\nkind = \"command\"\n\
         command = \"python3 -c 'import app; print(app.VERSION); assert app.VERSION == 2'\"\nat = [{at}]\n"
    )
}

fn rehearsal(ground: &Ground) -> Value {
    let log = ground.expect(0, "log --json").out;
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut rehearsals: Vec<Value> = events.filter(|event| event["event"] == "rehearsed").collect();
    rehearsals.pop().map_or(Value::Null, |event| event["body"].clone())
}

/// Whether a copy to rehearse on stands somewhere.
fn rehearsal_is_left(ground: &Ground) -> bool {
    let work = std::fs::read_dir(ground.at(".switchback/work"));
    work.is_ok_and(|mut entries| {
        entries.any(|entry| entry.unwrap().file_name().to_str().unwrap().starts_with("rehearsal"))
    })
}

/// The run stops at the rehearsal, which says this; nothing went live, and nothing of the rehearsal is left.
fn refused(ground: &Ground, code: i32, word: &str) -> Seen {
    let before = ground.read("src/app.py");
    let seen = ground.run("run");
    assert_eq!(seen.code, code, "{seen}");
    assert!(seen.err.contains(word), "`{word}` is missing: {seen}");
    assert_eq!(ground.read("src/app.py"), before);
    assert!(!rehearsal_is_left(ground));
    seen
}

// rows: BX-2, RE-11, OM-11
#[test]
fn a_candidate_goes_in_and_out_of_a_copy_before_it_goes_live() {
    let ground = Ground::shop(READS);
    ground.write("data/kept.csv", "1\n");
    ground.plan(APPROVE, READS);
    let seen = ground.expect(0, "run --until rehearsed --json").json();
    assert_eq!(seen["point"], "rehearsed", "{seen}");
    assert!(seen["criteria"].to_string().contains("rehearsed in and out again"), "{seen}");
    let body = rehearsal(&ground);
    assert_eq!(body["verdict"], "yes", "{body}");
    let evidence = ground.read(&format!(".switchback/evidence/{}", body["evidence"].as_str().unwrap()));
    let evidence: Value = serde_json::from_str(&evidence).unwrap();
    // src and its file are back; the root, data and its file, and the plan were around them.
    assert_eq!(evidence["details"]["entries_restored"], 2, "{evidence}");
    assert!(evidence["details"]["entries_around"].as_u64().unwrap() >= 4, "{evidence}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    assert!(!rehearsal_is_left(&ground));
    ground.expect(1, "run");
    ground.expect(1, "approve unify --role risk");
    ground.expect(0, "approve unify --role tech-lead");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.expect(0, "rollback");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
}

// rows: BX-10
#[test]
fn a_rehearsal_of_another_plan_is_carried_out_again_and_never_counts() {
    let ground = Ground::shop("");
    ground.plan(APPROVE, "");
    ground.expect(0, "run --until rehearsed");
    let first = rehearsal(&ground);
    ground.write("switchback.toml", format!("# another word\n{}", ground.read("switchback.toml")));
    let seen = ground.expect(2, "status --json");
    assert_eq!(seen.json()["point"], "staged", "{seen}");
    ground.expect(1, "run");
    let second = rehearsal(&ground);
    assert_ne!(first["binding"]["plan"], second["binding"]["plan"]);
    // A candidate that changed since is refused, and not rehearsed either.
    ground.expect(1, "approve unify --role risk");
    ground.expect(0, "approve unify --role tech-lead");
    let staged = std::fs::read_dir(ground.at("")).unwrap().find_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with(".src.sb-").then_some(name)
    });
    ground.write(&format!("{}/app.py", staged.unwrap()), "VERSION = 3\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("the rehearsal is void, because since then the candidate changed"), "{seen}");
}

// rows: BX-2
#[test]
fn a_command_that_writes_outside_what_it_declares_is_refused() {
    for (command, named) in [
        ("echo 2 > src/app.py && echo x > data/other.csv", "`data/other.csv`"),
        ("echo 2 > src/app.py && rm data/kept.csv", "`data/kept.csv`"),
    ] {
        let ground = Ground::shop("");
        ground.write("data/kept.csv", "1\n");
        let plan = ground.read("switchback.toml").replace(
            "kind = \"files\"\nfrom = \"../new\"",
            &format!("kind = \"command\"\ncommand = \"{command}\""),
        );
        ground.write("switchback.toml", plan);
        let seen = refused(&ground, 1, named);
        assert!(seen.err.contains("writes outside the managed paths"), "{seen}");
        assert_eq!(ground.read("data/kept.csv"), "1\n");
        assert_eq!(rehearsal(&ground)["verdict"], "no");
    }
}

#[test]
fn what_a_command_leaves_in_caches_is_no_part_of_a_change() {
    let ground = Ground::shop("");
    let command =
        "mkdir -p __pycache__ tools/__pycache__ && echo x > tools/__pycache__/a.pyc && echo 2 > src/app.py";
    let plan = ground.read("switchback.toml").replace(
        "kind = \"files\"\nfrom = \"../new\"",
        &format!("kind = \"command\"\ncommand = \"{command}\""),
    );
    ground.write("tools/a.py", "");
    ground.write("switchback.toml", plan);
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "2\n");
}

// rows: BX-2
#[test]
fn a_hard_link_out_of_the_tree_is_refused() {
    let ground = Ground::shop("");
    std::fs::hard_link(ground.at("src/app.py"), ground.at("other-name.py")).unwrap();
    let seen = refused(&ground, 1, "hard links that lead out");
    assert!(seen.err.contains("the live tree") && seen.err.contains("`src/app.py`"), "{seen}");
    // Within the managed paths it is nobody's harm.
    std::fs::remove_file(ground.at("other-name.py")).unwrap();
    std::fs::hard_link(ground.at("src/app.py"), ground.at("src/same.py")).unwrap();
    ground.expect(0, "run --restage");
}

// rows: BX-2
#[test]
fn a_file_without_read_permission_is_refused() {
    let ground = Ground::shop("");
    ground.write("../new/src/closed.py", "SECRET = 1\n");
    let closed = ground.at("../new/src/closed.py");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let seen = ground.run("run");
    // Root reads what nobody may; for everybody else it is the staging that cannot read it.
    assert!([1, 2].contains(&seen.code), "{seen}");
    assert!(seen.err.contains("closed.py"), "{seen}");
    if seen.code == 1 {
        assert!(seen.err.contains("may not be read") && seen.err.contains("mode 000"), "{seen}");
    }
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    // Others may, its owner may not.
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o044)).unwrap();
    let seen = ground.run("run --restage");
    assert!(seen.code == 2 || seen.err.contains("mode 044"), "{seen}");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o600)).unwrap();
    ground.expect(0, "run --restage");
}

// rows: RE-11
#[test]
fn the_environment_is_built_for_the_rehearsal_and_its_checks_run_in_it() {
    let environment = "[rehearsal]\nenvironment = \"python3 -m venv --without-pip {env} && cp src/app.py \
                       {env}/lib/python3*/site-packages/\"\n\n";
    let ground = Ground::shop("");
    ground.plan("", &imports("\"rehearsed\""));
    let plan = ground.read("switchback.toml").replace("[[phase]]\n", &format!("{environment}[[phase]]\n"));
    // One that cannot be built is no yes.
    ground.write("switchback.toml", plan.replace("--without-pip", "--no-such-option"));
    let seen = refused(&ground, 2, "the environment of the rehearsal could not be built");
    assert!(seen.err.contains("was not carried out at rehearsed"), "{seen}");
    let makes_none = plan.replace(environment, "[rehearsal]\nenvironment = \"echo {env}\"\n\n");
    ground.write("switchback.toml", makes_none);
    refused(&ground, 2, "made no folder");
    ground.write("switchback.toml", plan);
    ground.expect(0, "run --until rehearsed");
    assert!(!ground.at(".switchback/work/rehearsal").exists(), "the environment was left");
}

// rows: RE-11
#[test]
fn an_environment_that_reads_from_the_live_tree_is_refused() {
    let mut ground = Ground::shop("");
    ground.plan("", &imports("\"rehearsed\""));
    // An editable installation in the project's own environment, as `pip install -e .` leaves it.
    ground.write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    let live = ground.at("src").canonicalize().unwrap();
    ground.write(".venv/lib/python3/site-packages/editable.pth", format!("{}\n", live.display()));
    let seen = refused(&ground, 1, "reads from the live tree");
    assert!(seen.err.contains("`.venv/lib/python3/site-packages/editable.pth` names `"), "{seen}");
    std::fs::remove_dir_all(ground.at(".venv")).unwrap();
    ground.set("PYTHONPATH", live.to_str().unwrap());
    refused(&ground, 1, "`PYTHONPATH` names `");
    ground.set("PYTHONPATH", "");
    // One that is built for the rehearsal is looked at in the same way.
    let build = format!("mkdir {{env}} && ln -s {} {{env}}/code", live.display());
    let plan = ground.read("switchback.toml");
    let plan = plan.replace("[[phase]]\n", &format!("[rehearsal]\nenvironment = \"{build}\"\n\n[[phase]]\n"));
    ground.write("switchback.toml", plan);
    refused(&ground, 1, "`environment/code` is a link to `");
}

#[test]
fn what_checks_leave_in_the_copy_is_told_and_is_not_taken_for_a_bad_undo() {
    let leaves = "[[check]]\nname = \"leaves\"\nkind = \"command\"\ncommand = \"echo x > left.txt; echo y > src/z.py\"\n\
                  at = [\"rehearsed\"]\n";
    let ground = Ground::shop(leaves);
    let seen = ground.expect(0, "run --until rehearsed");
    assert!(seen.err.contains("its checks left more there: `.` (changed), `left.txt` (added)"), "{seen}");
    let body = rehearsal(&ground);
    let evidence = ground.read(&format!(".switchback/evidence/{}", body["evidence"].as_str().unwrap()));
    assert!(evidence.contains("`left.txt` (added)"), "{evidence}");
    assert!(!ground.at("left.txt").exists() && !ground.at("src/z.py").exists());
}

#[test]
fn a_check_that_says_no_in_the_rehearsal_holds_the_gate() {
    let ground = Ground::shop(&super::ground::answering("\"rehearsed\""));
    ground.write("answer", "1");
    let seen = refused(&ground, 1, "the check `answer` says no at rehearsed");
    assert!(seen.err.contains("switchback run --restage"), "{seen}");
    ground.write("answer", "0");
    ground.expect(0, "check --at rehearsed");
    let named = ground.expect(2, "check answer --at rehearsed");
    assert!(named.err.contains("carried out together"), "{named}");
    ground.expect(0, "run");
}

// rows: BX-2
#[test]
fn a_project_with_the_pointer_layout_is_rehearsed_in_that_layout() {
    let ground = Ground::shop(READS);
    let plan = ground
        .read("switchback.toml")
        .replace("managed = [\"src\"]", "managed = [\"src\"]\nmechanism = \"pointer\"");
    ground.write("switchback.toml", &plan);
    ground.expect(0, "run");
    assert!(ground.at("src").symlink_metadata().unwrap().is_symlink());
    // The next candidate goes in by the pointer alone.
    ground.write("../new/src/more.py", "");
    ground.write("switchback.toml", format!("# the second one\n{plan}"));
    ground.expect(0, "run");
    assert_eq!(rehearsal(&ground)["verdict"], "yes");
    assert!(ground.at("src/more.py").exists());
    ground.expect(0, "rollback");
    assert!(!ground.at("src/more.py").exists());
}

#[test]
fn links_to_the_live_project_that_the_plan_asks_for_are_allowed() {
    let ground = Ground::shop(READS);
    ground.write("big/data.csv", "1\n");
    let plan = ground
        .read("switchback.toml")
        .replace("managed = [\"src\"]", "managed = [\"src\"]\nlinked = [\"big\"]");
    ground.write("switchback.toml", plan);
    symlink("app.py", ground.at("src/same.py")).unwrap();
    ground.expect(0, "run");
}

/// The plan of [`Ground::shop`] whose change is a line of shell.
fn by_command(ground: &Ground, command: &str) {
    let plan = ground.read("switchback.toml").replace(
        "kind = \"files\"\nfrom = \"../new\"",
        &format!("kind = \"command\"\ncommand = '{command}'"),
    );
    ground.write("switchback.toml", plan);
}

// rows: BX-2
#[test]
fn a_command_of_a_change_can_write_to_its_copy_and_nowhere_else() {
    for (write, file) in [
        ("echo evil >> lib/data.txt", "lib/data.txt"),
        ("echo evil >> {root}/lib/data.txt", "lib/data.txt"),
        ("echo evil > {root}/src/app.py", "src/app.py"),
        ("echo evil > {root}/beside.txt", "beside.txt"),
        ("echo evil > {root}/../outside.txt", "../outside.txt"),
        ("truncate -s 0 {root}/lib/data.txt", "lib/data.txt"),
        ("rm {root}/lib/data.txt", "lib/data.txt"),
        ("mv {root}/lib/data.txt src/moved.txt", "lib/data.txt"),
        ("ln {root}/lib/data.txt src/linked.txt", "lib/data.txt"),
    ] {
        let ground = Ground::shop("");
        ground.write("lib/data.txt", "1\n");
        let linked = ground
            .read("switchback.toml")
            .replace("managed = [\"src\"]", "managed = [\"src\"]\nlinked = [\"lib\"]");
        ground.write("switchback.toml", linked);
        let root = ground.at("").canonicalize().unwrap();
        let write = write.replace("{root}", root.to_str().unwrap());
        by_command(&ground, &format!("echo 2 > src/app.py; {write}"));
        let then = std::fs::read(ground.at(file)).ok();
        let seen = ground.run("run");
        assert_eq!(seen.code, 2, "{write}: {seen}");
        assert!(
            seen.err.contains("ermission denied") || seen.err.contains("cross-device"),
            "{write}: {seen}"
        );
        assert_eq!(std::fs::read(ground.at(file)).ok(), then, "{write}");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
}

#[test]
fn a_command_has_a_temporary_folder_and_may_write_to_what_the_plan_declares() {
    let ground = Ground::shop("");
    let cache = ground.at("../cache");
    std::fs::create_dir(&cache).unwrap();
    let cache = cache.canonicalize().unwrap();
    by_command(
        &ground,
        &format!("echo 2 > $(mktemp) && echo 3 > {}/kept && echo 2 > src/app.py", cache.display()),
    );
    assert_eq!(ground.run("run").code, 2, "the plan does not declare it yet");
    let plan = ground.read("switchback.toml");
    let writes = format!("kind = \"command\"\nwrites = [\"{}\"]", cache.display());
    ground.write("switchback.toml", plan.replace("kind = \"command\"", &writes));
    ground.expect(0, "run");
    assert_eq!(std::fs::read_to_string(cache.join("kept")).unwrap(), "3\n");
    assert_eq!(ground.read("src/app.py"), "2\n");
}

// rows: RE-11
#[test]
fn a_check_on_a_copy_reads_nothing_of_the_live_tree_and_writes_nothing_to_the_project() {
    for (line, is_refused) in [
        ("cat {root}/src/app.py", true),
        ("cat shortcut/app.py", true),
        ("sh {root}/src/run.sh", true),
        ("echo x > {root}/left.txt", true),
        ("echo x >> lib/data.txt", true),
        ("cat {root}/lib/data.txt lib/data.txt src/app.py && echo x > own.txt && echo y > $(mktemp)", false),
    ] {
        let ground = Ground::shop("");
        ground.write("lib/data.txt", "1\n");
        ground.write("src/run.sh", "true\n");
        let root = ground.at("").canonicalize().unwrap();
        symlink(root.join("src"), ground.at("shortcut")).unwrap();
        let line = line.replace("{root}", root.to_str().unwrap());
        let check = format!(
            "[[check]]\nname = \"reads\"\nkind = \"command\"\ncommand = '{line}'\nat = [\"staged\", \"rehearsed\"]\n"
        );
        ground.plan("", &check);
        let linked = ground
            .read("switchback.toml")
            .replace("managed = [\"src\"]", "managed = [\"src\"]\nlinked = [\"lib\"]");
        ground.write("switchback.toml", linked);
        let seen = ground.run("run");
        assert_eq!(seen.code, i32::from(is_refused), "{line}: {seen}");
        assert_eq!(ground.read("lib/data.txt"), "1\n");
        assert!(!ground.at("left.txt").exists());
    }
}

#[test]
fn a_plan_can_let_commands_go_free_and_the_rehearsal_says_so() {
    let ground = Ground::shop("");
    let plan = ground.read("switchback.toml");
    ground.write(
        "switchback.toml",
        plan.replace("managed = [\"src\"]", "managed = [\"src\"]\nconfine = false"),
    );
    let root = ground.at("").canonicalize().unwrap();
    by_command(&ground, &format!("echo 2 > src/app.py; echo x > {}/../outside.txt", root.display()));
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("commands were not kept from the live project"), "{seen}");
    assert!(ground.at("../outside.txt").exists());
}

// rows: RE-11
#[test]
fn a_check_after_one_that_changed_the_candidate_could_not_tell() {
    let check = |name: &str, line: &str| {
        format!(
            "[[check]]\nname = \"{name}\"\nkind = \"command\"\ncommand = '{line}'\nat = [\"rehearsed\"]\n"
        )
    };
    let ground =
        Ground::shop(&[check("first", "echo 9 > src/app.py"), check("second", "grep 9 src/app.py")].concat());
    let seen =
        refused(&ground, 2, "what ran before it changed what it was to look at: `src/app.py` (changed)");
    assert!(seen.err.contains("check second at rehearsed: could not tell"), "{seen}");
    // New files beside it are no harm.
    let ground = Ground::shop(&[check("first", "echo 9 > src/new.py"), check("second", "true")].concat());
    ground.expect(0, "run");
    // What builds the environment is held to the same.
    let ground = Ground::shop(&check("second", "true"));
    let plan = ground.read("switchback.toml");
    let build = "[rehearsal]\nenvironment = \"mkdir {env}; rm src/app.py\"\n\n[[phase]]\n";
    ground.write("switchback.toml", plan.replace("[[phase]]\n", build));
    refused(&ground, 2, "`src/app.py` (removed)");
}

#[test]
fn what_a_killed_run_left_running_does_not_reach_the_next_rehearsal() {
    let ground = Ground::shop(
        "[[check]]\nname = \"slow\"\nkind = \"command\"\ncommand = 'touch {out}/../../begun; sleep 2; echo ORPHAN > \
         {tree}/src/app.py'\nat = [\"rehearsed\"]\n",
    );
    let mut child = ground.spawn("run");
    let begun = || {
        std::fs::read_dir(ground.at(".switchback/work"))
            .is_ok_and(|mut entries| entries.any(|entry| entry.unwrap().file_name() == "begun"))
    };
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its check began");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let plan = ground.read("switchback.toml");
    let at = plan.find("[[check]]").unwrap();
    let looks = "[[check]]\nname = \"looks\"\nkind = \"command\"\ncommand = 'sleep 3; ! grep ORPHAN src/app.py'\n\
                 at = [\"rehearsed\"]\n";
    ground.write("switchback.toml", format!("{}{looks}", &plan[..at]));
    ground.expect(0, "run");
}
