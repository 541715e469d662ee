//! What is known of a rollback: whom it is told to, with which evidence, and what its record says.

use serde_json::Value;

use super::ground::Ground;
use super::notify::Hook;

const PLAN: &str = r#"
[[check]]
name = "prices"
kind = "command"
command = "echo 'ValueError: the price of loan 17 is negative; password=hunter2' >&2; grep -q 'VERSION = 1' src/app.py"
at = ["+1s", "rolled-back"]

[[trigger]]
when = { check = "prices" }
do = "roll-back"

[[notify]]
name = "on call"
webhook = "${HOOK}"
form = "json"
on = ["roll-back"]

[[notify]]
name = "pager"
command = "printf '%s\\n%s\\n' \"$SWITCHBACK_MESSAGE\" \"$SWITCHBACK_EVIDENCE\" > told"
on = ["roll-back"]
"#;

/// A shop that is live, whose trigger will fire, and in whose tree something was written since.
fn live(hook: &Hook) -> Ground {
    let mut ground = Ground::shop(PLAN);
    ground.set("HOOK", &hook.address);
    ground.expect(2, "run");
    ground.write("src/orders.txt", "order 4711\n");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    ground
}

/// The text from a heading up to the next one.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) =
        text.split_once(&format!("\n## {heading}")).unwrap_or_else(|| panic!("{heading}: {text}"));
    rest.split("\n## ").next().unwrap()
}

// rows: RB-12, PC-13
#[test]
fn who_is_told_of_a_rollback_gets_the_evidence_and_its_record_says_everything() {
    let hook = Hook::start();
    let ground = live(&hook);
    let seen = ground.expect(1, "watch --json").json();
    assert_eq!(ground.read("src/app.py"), "VERSION = 1\n");
    let path = seen["incident"].as_str().unwrap();

    // Whoever is called.
    let told: Vec<Value> = hook.documents();
    let [told] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((&told["turn"], &told["severity"]), (&"roll-back".into(), &"critical".into()));
    assert!(
        told["why"].as_str().unwrap().contains("the check `prices` failed its trigger at +1s"),
        "{told:#}"
    );
    let evidence = &told["evidence"][0];
    assert_eq!(
        (&evidence["check"], &evidence["at"], &evidence["verdict"]),
        (&"prices".into(), &"+1s".into(), &"no".into())
    );
    let hash = evidence["evidence"].as_str().unwrap().strip_prefix("blake3:").unwrap();
    let kept = ground.read(&format!(".switchback/evidence/{hash}"));
    assert!(kept.contains("the price of loan 17 is negative"), "{kept}");
    assert_eq!(told["incident"], path);
    let paged = ground.read("told");
    assert!(paged.contains(&format!("; record: {path}")) && paged.contains(hash), "{paged}");
    assert!(paged.contains("prices at +1s: no: exit code 1"), "{paged}");

    // The record: the trigger, ...
    // Escaped for Markdown, which is not what this is about.
    let record = ground.read(path).replace('\\', "");
    let head = record.split("\n## ").next().unwrap();
    assert!(head.contains("the check `prices` failed its trigger at +1s"), "{head}");
    // ... the time line, ...
    let line = section(&record, "Time line");
    let order = ["cut-over", "check-ended", "trigger-fired", "roll-back-started", "rolled-back"];
    let places: Vec<usize> = order
        .iter()
        .map(|event| line.find(&format!(" {event}")).unwrap_or_else(|| panic!("{event}: {line}")))
        .collect();
    assert!(places.is_sorted(), "{line}");
    // ... logs, ...
    let logs = section(&record, "Logs");
    assert!(logs.contains("ValueError: the price of loan 17 is negative"), "{logs}");
    assert!(logs.contains(&format!(".switchback/evidence/{hash}")), "{logs}");
    // ... what was restored, kept aside ...
    assert!(section(&record, "What was restored: 1 path").contains("src"), "{record}");
    let aside = section(&record, "What was written since, and is kept aside: 1 path");
    assert!(aside.contains("orders.txt"), "{aside}");
    // ... and proved.
    let proved = section(&record, "What the checks say of what is live again");
    assert!(proved.contains("| `prices` | rolled-back | **yes** |"), "{proved}");
    for text in [&record, &paged, &told.to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

// rows: RB-12
#[test]
fn a_record_that_a_killed_command_did_not_write_is_written_by_the_next_one() {
    let hook = Hook::start();
    let ground = live(&hook);
    let seen = ground.expect(1, "watch --json").json();
    let path = seen["incident"].as_str().unwrap();
    let record = ground.read(path);
    // As after a kill between the rollback and its record.
    std::fs::remove_file(ground.at(path)).unwrap();
    let seen = ground.expect(2, "watch");
    assert!(seen.err.contains(&format!("the record of the incident is `{path}`")), "{seen}");
    let line = |text: &str| text.lines().filter(|line| line.contains("rolled-back")).count();
    assert!(line(&ground.read(path)) >= line(&record), "{}", ground.read(path));
    let seen = ground.expect(2, "watch");
    assert!(!seen.err.contains("the record of the incident"), "{seen}");
}

// rows: RB-12
#[test]
fn a_record_that_is_written_late_says_nothing_of_the_next_candidate_and_none_is_left_out() {
    let hook = Hook::start();
    let ground = live(&hook);
    let path = ground.expect(1, "watch --json").json()["incident"].as_str().unwrap().to_owned();
    // As after a kill between the rollback and its record; the next candidate has the same fault, which shows at once.
    std::fs::remove_file(ground.at(&path)).unwrap();
    ground.plan("", &PLAN.replace("at = [\"+1s\", \"rolled-back\"]", "at = [\"live\", \"rolled-back\"]"));
    let seen = ground.expect(1, "run");
    let first = ground.read(&path).replace('\\', "");
    assert!(section(&first, "What the checks say of what is live again").contains("**yes**"), "{first}");
    assert!(first.contains("the check `prices` failed its trigger at +1s"), "{first}");
    let line = section(&first, "Time line");
    assert_eq!(line.matches(" cut-over-started").count(), 1, "{line}");
    let last = line.lines().rfind(|line| line.starts_with("| ")).unwrap();
    assert!(!last.contains("snapshot-started") && !last.contains("staged"), "{line}");
    let mut records: Vec<_> = std::fs::read_dir(ground.at(".switchback/incidents")).unwrap().collect();
    assert_eq!(records.len(), 2, "{records:?}\n{seen}");
    // Of several that are missing each is written.
    for record in records.drain(..) {
        std::fs::remove_file(record.unwrap().path()).unwrap();
    }
    let seen = ground.run("watch");
    assert_eq!(seen.err.matches("the record of the incident is").count(), 2, "{seen}");
    assert_eq!(ground.read(&path).replace('\\', ""), first);
}
