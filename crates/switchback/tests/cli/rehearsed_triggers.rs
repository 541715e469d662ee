//! Triggers in the rehearsal: whether each would have fired on a copy that was broken for it, and on no other.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::ground::Ground;

/// A plan with one check and its trigger, which is rehearsed.
fn rehearsed(check: &str, condition: &str, rehearse: &str) -> Ground {
    Ground::shop(&more(check, condition, rehearse))
}

fn more(check: &str, condition: &str, rehearse: &str) -> String {
    format!(
        "[[check]]\nname = \"it\"\n{check}\n\n[[trigger]]\nwhen = {{ check = \"it\"{condition} }}\ndo = \"roll-back\"\n\
         rehearse = {{ {rehearse} }}\n"
    )
}

/// The last rehearsal, as the journal has it.
fn last(ground: &Ground) -> Value {
    let log = ground.expect(0, "log --json").out;
    let mut events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.rfind(|event| event["event"] == "rehearsed").unwrap()["body"].clone()
}

/// What the journal says of the triggers.
fn told(ground: &Ground) -> Vec<Value> {
    last(ground)["triggers"].as_array().cloned().unwrap_or_default()
}

/// What the evidence of the rehearsal says of the first trigger.
fn evidence(ground: &Ground) -> Value {
    let text = ground.read(&format!(".switchback/evidence/{}", last(ground)["evidence"].as_str().unwrap()));
    serde_json::from_str::<Value>(&text).unwrap()["details"]["triggers"][0].clone()
}

/// Rehearses, with what is live left as it is and nothing left in the folder for work.
fn rehearse(ground: &Ground, code: i32) -> super::ground::Seen {
    let seen = ground.run("run --until rehearsed");
    assert_eq!(seen.code, code, "{seen}");
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n", "{seen}");
    let left = std::fs::read_dir(ground.at(".switchback/work"));
    let left: Vec<_> = left.into_iter().flatten().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("rehearsal")), "{left:?}");
    seen
}

const FIGURE: &str =
    "kind = \"figure\"\nfile = \"kpi.json\"\npointer = \"/kpi\"\nat = [\"before\", \"live\"]";
const FIVE_PERCENT: &str = ", off_by = { percent = 5.0, of = \"before\" }";

// rows: PC-9, RB-2
#[test]
fn a_trigger_would_have_fired_on_the_copy_that_is_broken_and_not_on_its_near_miss() {
    for (kpi, code, verdict) in [("94.9", 0, "yes"), ("95.1", 1, "no"), ("104.9", 1, "no"), ("106", 0, "yes")]
    {
        let write = format!("file = \"kpi.json\", write = '{{\"kpi\": {kpi}}}'");
        let ground = rehearsed(FIGURE, FIVE_PERCENT, &write);
        ground.write("kpi.json", r#"{"kpi": 100}"#);
        let seen = rehearse(&ground, code);
        assert_eq!(ground.read("kpi.json"), r#"{"kpi": 100}"#);
        let told = &told(&ground)[0];
        assert_eq!((told["verdict"].as_str(), told["check"].as_str()), (Some(verdict), Some("it")), "{seen}");
        let words = match code {
            0 => {
                "would have fired on a broken copy, and not on the whole one: the trigger on `it` (roll-back)"
            }
            _ => "the trigger on `it` (roll-back): it would not have fired on the broken copy",
        };
        assert!(seen.err.contains(words), "{seen}");
        if code == 1 {
            assert!(seen.err.contains(&format!("({kpi}, and 100 before)")), "{seen}");
            // It stays refused, whatever is tried.
            assert!(ground.expect(1, "run").err.contains("it would not have fired"), "{seen}");
            assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
        }
    }
}

// rows: PC-9
#[test]
fn what_was_not_measured_before_would_never_fire_and_the_rehearsal_says_so() {
    let check = "kind = \"files\"\nexist = [\"src/app.py\"]\nat = [\"before\", \"live\"]";
    let ground = rehearsed(check, FIVE_PERCENT, "file = \"kpi.json\", write = '{\"kpi\": 1}'");
    ground.write("kpi.json", r#"{"kpi": 100}"#);
    let seen = rehearse(&ground, 1);
    assert!(seen.err.contains("its check measured nothing at `before`"), "{seen}");
}

// rows: PC-9
#[test]
fn what_has_no_multiple_is_not_said_to_fire_or_to_rest() {
    let twice = ", worse_than = { times = 2.0, of = \"before\" }";
    let ground = rehearsed(FIGURE, twice, "file = \"kpi.json\", write = '{\"kpi\": 100}'");
    ground.write("kpi.json", r#"{"kpi": -1}"#);
    let seen = rehearse(&ground, 2);
    assert!(
        seen.err.contains("its check measured -1 at `before`, and `worse_than` needs more than 0"),
        "{seen}"
    );
}

const WORKS: &str = "kind = \"command\"\ncommand = \"grep -q VERSION src/app.py\"\nat = [\"live\"]";

// rows: PC-9
#[test]
fn it_is_looked_at_as_often_as_the_trigger_needs() {
    let ground = rehearsed(WORKS, ", in_a_row = 3", "file = \"src/app.py\", remove = true");
    rehearse(&ground, 0);
    let seen = evidence(&ground);
    assert_eq!(seen["broken"], serde_json::json!(["`src` (changed)", "`src/app.py` (removed)"]), "{seen:#}");
    assert_eq!(seen["whole_copy"].as_array().unwrap().len(), 1, "one good look ends every row: {seen:#}");
    assert_eq!(seen["broken_copy"].as_array().unwrap().len(), 3, "{seen:#}");
    assert!(seen["what"].as_str().unwrap().starts_with("it would have fired: 3 times in a row"), "{seen:#}");
}

// rows: PC-9
#[test]
fn what_is_no_answer_refuses_the_candidate_or_leaves_it_open() {
    let copy = "the copy could not be broken";
    for (check, rehearse_by, code, words) in [
        // It fires anyhow: on what goes in too.
        (
            WORKS.replace("grep -q VERSION", "grep -q OLD"),
            "file = \"src/app.py\", remove = true",
            1,
            "it fires on the copy that is not broken: exit code 1",
        ),
        (
            WORKS.to_owned(),
            "file = \"src/app.py\", append = \"# VERSION\"",
            1,
            "it would not have fired on the broken copy",
        ),
        (WORKS.to_owned(), "command = \"true\"", 2, "nothing in it changed"),
        (
            WORKS.to_owned(),
            "command = \"echo no room >&2; exit 3\"",
            2,
            "its command did not succeed: exit code 3: no room",
        ),
        (WORKS.to_owned(), "file = \"src/none.py\", remove = true", 2, "it has no file `src/none.py`"),
        (WORKS.to_owned(), "file = \"src\", remove = true", 2, "`src` is no file"),
        (WORKS.to_owned(), "file = \"none/app.py\", write = \"x\"", 2, copy),
        // The check itself needs what is broken.
        (
            WORKS.replace("grep -q VERSION src/app.py", "./look"),
            "file = \"look\", remove = true",
            2,
            "whether it would have fired could not be told",
        ),
    ] {
        let ground = rehearsed(&check, "", rehearse_by);
        ground.write("look", "#!/bin/sh\ntrue\n");
        ground.tool("chmod", &["+x", "look"]);
        let seen = rehearse(&ground, code);
        assert!(seen.err.contains(words), "{rehearse_by}: {seen}");
        let verdict = if code == 1 { "no" } else { "unknown" };
        assert_eq!(told(&ground)[0]["verdict"], verdict, "{rehearse_by}");
        ground.expect(code, "run");
        assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    }
}

// rows: RE-11, PC-9
#[test]
fn what_breaks_a_copy_reaches_nothing_else() {
    for by in [
        "command = \"echo x > {root}/src/app.py\"",
        "command = \"echo x >> {root}/lib/data.txt\"",
        "command = \"echo x >> lib/data.txt\"",
        "command = \"echo x > {root}/../outside.txt\"",
        "file = \"lib/data.txt\", append = \"x\"",
        "file = \"shortcut/app.py\", remove = true",
    ] {
        let ground = Ground::new();
        let root = ground.at("").canonicalize().unwrap();
        ground.write("src/app.py", "VERSION = 1\n");
        ground.write("../new/src/app.py", "VERSION = 2\n");
        ground.write("lib/data.txt", "1\n");
        symlink(root.join("src"), ground.at("shortcut")).unwrap();
        ground.plan("", &more(WORKS, "", &by.replace("{root}", root.to_str().unwrap())));
        let plan = ground.read("switchback.toml");
        ground.write(
            "switchback.toml",
            plan.replace("managed = [\"src\"]", "managed = [\"src\"]\nlinked = [\"lib\"]"),
        );
        let seen = rehearse(&ground, 2);
        assert!(seen.err.contains("the copy could not be broken"), "{by}: {seen}");
        assert_eq!(ground.read("lib/data.txt"), "1\n", "{by}");
        assert!(!ground.at("../outside.txt").exists(), "{by}");
    }
}

// rows: PC-9
#[test]
fn what_one_breaks_no_other_trigger_sees() {
    let check = |name: &str, file: &str| {
        format!(
            "[[check]]\nname = \"{name}\"\nkind = \"command\"\ncommand = \"test -e src/{file} && test -e src/app.py\"\nat = [\"live\"]\n\n"
        )
    };
    let trigger = |name: &str, by: &str| {
        format!("[[trigger]]\nwhen = {{ check = \"{name}\" }}\ndo = \"hold\"\nrehearse = {{ {by} }}\n\n")
    };
    let ground = Ground::shop(&format!(
        "{}{}{}{}",
        check("one", "one.py"),
        check("two", "two.py"),
        trigger("one", "command = \"rm src/*.py\""),
        trigger("two", "file = \"src/two.py\", remove = true")
    ));
    for file in ["one.py", "two.py"] {
        ground.write(&format!("../new/src/{file}"), "");
    }
    rehearse(&ground, 0);
    let told = told(&ground);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told.iter().all(|one| one["verdict"] == "yes" && one["action"] == "hold"), "{told:#?}");
}

// rows: PC-9
#[test]
fn a_log_counts_what_the_breakage_writes_to_it() {
    let check = "kind = \"log\"\npath = \"app.log\"\npattern = \"ERROR\"\nat = [\"live\"]";
    let ground = rehearsed(check, "", "file = \"app.log\", append = \"ERROR it is on fire\\n\"");
    ground.write("app.log", "ERROR long ago\n");
    let seen = rehearse(&ground, 0);
    let one = &told(&ground)[0];
    assert!(one["summary"].as_str().unwrap().contains("1 of 1 new line"), "{seen}");
    assert!(
        one["summary"].as_str().unwrap().contains("on the whole copy its check could not tell"),
        "{seen}"
    );
    assert_eq!(ground.read("app.log"), "ERROR long ago\n");
}

// rows: PC-9
#[test]
fn a_project_with_the_pointer_layout_is_broken_in_its_copy_too() {
    let ground = rehearsed(WORKS, "", "file = \"src/app.py\", append = \"\\n\"");
    let plan = ground
        .read("switchback.toml")
        .replace("managed = [\"src\"]", "managed = [\"src\"]\nmechanism = \"pointer\"");
    let plan = plan.replace("grep -q VERSION", "test 1 -eq $(grep -c '' src/app.py) && grep -q VERSION");
    ground.write("switchback.toml", &plan);
    ground.expect(0, "run");
    ground.write("../new/src/more.py", "");
    ground.write("switchback.toml", format!("# the second one\n{plan}"));
    ground.expect(0, "run");
    assert_eq!(told(&ground)[0]["verdict"], "yes");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
}

// rows: PC-9, RE-11
#[test]
fn an_environment_is_built_anew_from_the_broken_copy() {
    // What runs is what was installed.
    let check = "kind = \"command\"\ncommand = \"sh $VIRTUAL_ENV/app.sh\"\nat = [\"live\"]";
    let ground = rehearsed(check, "", "file = \"src/app.sh\", write = \"exit 1\"");
    ground.write("../new/src/app.sh", "exit 0\n");
    let plan = ground.read("switchback.toml");
    let build = "[rehearsal]\nenvironment = \"mkdir {env} && cp src/app.sh {env}/\"\n\n[[phase]]\n";
    ground.write("switchback.toml", plan.replace("[[phase]]\n", build));
    let seen = rehearse(&ground, 0);
    assert_eq!(told(&ground)[0]["verdict"], "yes", "{seen}");
}

// rows: PC-9
#[test]
fn what_is_not_rehearsed_is_said_and_is_no_yes() {
    let ground = rehearsed(WORKS, "", "file = \"src/app.py\", remove = true");
    let plan = ground.read("switchback.toml");
    let more = "\n[[trigger]]\nwhen = { check = \"it\", in_a_row = 2 }\ndo = \"tell\"\n";
    ground.write("switchback.toml", format!("{plan}{more}"));
    let lines = ground.expect(0, "plan").out;
    assert!(
        lines.contains(
            "trigger: roll-back when the check `it` says no; rehearsed on a copy that is broken for it"
        ),
        "{lines}"
    );
    assert!(
        lines.contains("trigger: tell when the check `it` says no, 2 times in a row; not rehearsed"),
        "{lines}"
    );
    let before = ground.run("status");
    assert!(
        before.out.contains("trigger (roll-back) when the check `it` says no: not rehearsed yet"),
        "{before}"
    );
    let seen = rehearse(&ground, 0);
    assert!(
        seen.err.contains(
            "; not rehearsed, because the plan does not say how it breaks: the trigger on `it` (tell)"
        ),
        "{seen}"
    );
    let status = ground.run("status");
    assert!(
        status
            .out
            .contains("trigger (roll-back) when the check `it` says no: rehearsed, and would have fired\n"),
        "{status}"
    );
    assert!(
        status.out.contains("trigger (tell) when the check `it` says no, 2 times in a row: not rehearsed: the plan does not say how it breaks\n"),
        "{status}"
    );
    let triggers = ground.run("status --json").json()["triggers"].clone();
    assert_eq!(triggers[0]["would_have_fired"], "yes", "{triggers:#}");
    assert_eq!(triggers[0]["rehearsal_declared"], true, "{triggers:#}");
    assert_eq!(
        (&triggers[1]["would_have_fired"], &triggers[1]["rehearsal_declared"]),
        (&Value::Null, &Value::Bool(false))
    );
    // The report was written, whatever the verdict in it.
    let report: Value = serde_json::from_str(&ground.expect(0, "report --json").out).unwrap();
    assert_eq!(report["phases"][0]["triggers"], triggers, "{report:#}");
    let page = ground.expect(0, "report --format markdown").out;
    assert!(page.contains("would have fired on a broken copy") && page.contains("not rehearsed"), "{page}");
    // Under another plan nobody knows.
    ground.write(
        "switchback.toml",
        format!("{}{more}# another one\n", plan.replace("remove = true", "append = \"x\"")),
    );
    let status = ground.run("status");
    assert!(
        status.out.contains("trigger (roll-back) when the check `it` says no: not rehearsed yet"),
        "{status}"
    );
}

// rows: PC-9
#[test]
fn killed_on_a_broken_copy_it_is_rehearsed_anew() {
    let check = "kind = \"command\"\ncommand = 'grep -q VERSION src/app.py || { touch {out}/../../begun; sleep 2; exit 1; }'\nat = [\"live\"]";
    let ground = rehearsed(check, "", "file = \"src/app.py\", write = \"\"");
    let mut child = ground.spawn("run --until rehearsed");
    let begun = || {
        std::fs::read_dir(ground.at(".switchback/work"))
            .is_ok_and(|mut entries| entries.any(|entry| entry.unwrap().file_name() == "begun"))
    };
    while !begun() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its copy was broken");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    rehearse(&ground, 0);
    assert_eq!(told(&ground)[0]["verdict"], "yes");
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    ground.expect(0, "log verify");
}
