//! Restart: a program is stopped by itself or by a signal, and resumed by itself or by its successor.

use std::fs;
use std::time::{Duration, Instant};

use super::ground::Ground;

/// A simulation that keeps a checkpoint for each year, in JSON with one name or another.
const OLD: &str = r#"
import argparse, json, os, sys, time

FIELD = "headcount"
parser = argparse.ArgumentParser()
parser.add_argument("--out")
parser.add_argument("--stop-after", type=int)
parser.add_argument("--pause", type=float, default=0)
options = parser.parse_args()
if os.environ.get("RUNS"):
    with open(os.environ["RUNS"], "a") as runs:
        runs.write(f"{options.stop_after}\n")
    while os.path.exists(os.environ["RUNS"] + ".wait") and options.stop_after == 2027:
        time.sleep(0.01)
folder = os.path.join(options.out, "checkpoints")
os.makedirs(folder, exist_ok=True)
done = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
year, count, history = 2024, 100.0, []
if done:
    state = json.load(open(os.path.join(folder, done[-1])))
    year, count, history = state["year"], state[FIELD], state["history"]
while year < 2028:
    year += 1
    count = count * 1.03 + year % 7
    history.append([year, count])
    part = os.path.join(folder, f"{year}.part")
    with open(part, "w") as file:
        json.dump({"year": year, FIELD: count, "history": history}, file)
    os.rename(part, os.path.join(folder, f"{year}.json"))
    if year == options.stop_after:
        sys.exit(0)
    time.sleep(options.pause)
with open(os.path.join(options.out, "result.csv"), "w") as file:
    file.write("year,count\n")
    for year, count in history:
        file.write(f"{year},{count!r}\n")
"#;

const MIGRATE: &str = r#"
import json, os, sys

source, target = sys.argv[1:]
os.makedirs(os.path.join(target, "checkpoints"))
for name in os.listdir(os.path.join(source, "checkpoints")):
    state = json.load(open(os.path.join(source, "checkpoints", name)))
    state["employees"] = state.pop("headcount")
    json.dump(state, open(os.path.join(target, "checkpoints", name), "w"))
"#;

fn new_program() -> String {
    OLD.replace("FIELD = \"headcount\"", "FIELD = \"employees\"")
}

fn side(tree: &str, rest: &str) -> String {
    format!("{{ tree = \"{tree}\", command = \"python3 src/sim.py --out {{out}}{rest}\" }}")
}

fn check(stopped: &str, more: &str) -> String {
    format!(
        "[[check]]\nname = \"resumes\"\nkind = \"restart\"\nwhole = {}\nstopped = {stopped}\nresumed = {}\n\
         path = \"result.csv\"\nkey = [\"year\"]\n{more}\n",
        side("candidate", ""),
        side("candidate", "")
    )
}

fn simulation(check: &str) -> Ground {
    let ground = Ground::shop(check);
    ground.write("src/sim.py", OLD);
    ground.write("../new/src/sim.py", new_program());
    ground.write("../new/src/migrate.py", MIGRATE);
    ground
}

fn says(ground: &Ground, code: i32, words: &str) {
    let seen = ground.expect(code, "run --until staged --restage");
    assert!(seen.err.contains(words), "{words}: {}\n{seen}", seen.err);
}

const STEPS: &str = "stop_after = [2025, 2027]";

// rows: OM-9
#[test]
fn needs_python3_stopped_by_itself_after_each_step_it_ends_as_it_does_without() {
    let stopped = side("candidate", " --stop-after {step}");
    let ground = simulation(&check(&stopped, STEPS));
    let seen = ground.expect(0, "run --until staged");
    insta::assert_snapshot!(seen, @r"
    $ switchback run --until staged
    --- stdout
    yes: phase unify is staged; generation 0 is live
    --- stderr
      unify: snapshot [ID] verified: 2 files, 1413 bytes
      unify: candidate staged: 1 added, 0 removed, 2 changed
      check resumes at staged: yes: stopped after 2025, 2027 and resumed, it ends as it does without
        stopped after  verdict  what was seen
        2025           yes      identical byte by byte (`result.csv`: 4 rows)
        2027           yes      identical byte by byte (`result.csv`: 4 rows)
    --- exit 0
    ");
    // Resumed, it forgets what it knew of one year.
    ground.write("../new/src/sim.py", new_program().replace("state[\"history\"]", "state[\"history\"][1:]"));
    says(&ground, 1, "stopped after 2025: `result.csv` differs");
    ground.write(
        "../new/src/sim.py",
        new_program().replace("year, count, history = state", "raise KeyError('year') #"),
    );
    says(
        &ground,
        1,
        "stopped after 2025: the resumed run ended with exit code 1: KeyError: 'year'; 1 more like it",
    );
}

// rows: OM-9
#[test]
fn needs_python3_killed_when_a_checkpoint_appears_it_ends_as_it_does_without() {
    for signal in ["kill", "terminate", "interrupt"] {
        let command = "command = \"python3 src/sim.py --out {out} --pause 0.3\"";
        let stopped = format!(
            "{{ tree = \"candidate\", {command}, when = \"checkpoints/{{step}}.json\", signal = \"{signal}\" }}"
        );
        let ground = simulation(&check(&stopped, STEPS));
        says(&ground, 0, "stopped after 2025, 2027 and resumed, it ends as it does without");
        // A program that counts what is half done as done.
        let torn = new_program().replace(
            "count = count * 1.03",
            "open(f'{options.out}/torn', 'a').write('x')\n    count = count * 1.03",
        );
        let torn = torn.replace(
            "if done:",
            "if os.path.exists(f'{options.out}/torn'):\n    count = 99.0\nif done:\n    count0 = count",
        );
        let torn = torn.replace(
            "year, count, history = state[\"year\"], state[FIELD]",
            "year, count, history = state[\"year\"], count0",
        );
        ground.write("../new/src/sim.py", torn);
        says(&ground, 1, "stopped after 2025: `result.csv` differs");
    }
}

// rows: OM-9
#[test]
fn needs_python3_the_new_program_goes_on_from_a_migrated_checkpoint_of_the_old_one() {
    let stopped = side("live", " --stop-after {step}");
    let migrate = "migrate = { tree = \"candidate\", command = \"python3 src/migrate.py {from} {out}\" }";
    let ground = simulation(&check(&stopped, &format!("{STEPS}\n{migrate}")));
    says(&ground, 0, "stopped after 2025, 2027 and resumed, it ends as it does without");
    // Without the migration it does not find its way, and a migration that fails is a no.
    ground.plan("", &check(&stopped, STEPS));
    says(&ground, 1, "the resumed run ended with exit code 1: KeyError: 'employees'");
    ground.plan("", &check(&stopped, &format!("{STEPS}\n{migrate}")));
    ground
        .write("../new/src/migrate.py", MIGRATE.replace("state.pop(\"headcount\")", "state.pop(\"people\")"));
    says(&ground, 1, "the migration of what it left ended with exit code 1: KeyError: 'people'");
}

// rows: OM-9
#[test]
fn needs_python3_what_was_not_stopped_proves_nothing() {
    let ignoring = side("candidate", " --stop-after 1999 # {step}");
    let ground = simulation(&check(&ignoring, STEPS));
    says(&ground, 2, "stopped after 2025: it had all results by then: nothing was interrupted");
    let wrong = side("candidate", " --stop-behind {step}");
    ground.plan("", &check(&wrong, STEPS));
    says(&ground, 2, "it did not stop as it should, with exit code 0: exit code 2");
    let never =
        "{ tree = \"candidate\", command = \"python3 src/sim.py --out {out}\", when = \"gone/{step}\" }";
    ground.plan("", &check(never, STEPS));
    says(&ground, 2, "it ended with exit code 0 and was not stopped: there was no `gone/2025`");
    let nothing = "{ tree = \"candidate\", command = \"true {step}\" }";
    ground.plan("", &check(nothing, STEPS));
    says(&ground, 2, "it left nothing to go on from");
    ground.write("../new/src/sim.py", "import sys\nsys.exit('no data')\n");
    says(&ground, 2, "the run that is never stopped does not end well: exit code 1: no data");
}

/// Stopped by SIGTERM when a checkpoint appears, by this line of shell.
fn terminated(line: &str, more: &str) -> String {
    format!(
        "{{ tree = \"candidate\", command = \"{line}\", when = \"checkpoints/{{step}}.json\", signal = \"terminate\"{more} }}"
    )
}

// rows: OM-9
#[test]
fn needs_python3_a_program_that_ignores_its_stop_was_not_stopped() {
    let ignoring = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n";
    let own_way = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(CODE))\n";
    let slow = "python3 src/sim.py --out {out} --pause 0.3";
    let steps = "stop_after = [2025]";
    let ground = simulation(&check(&terminated(slow, ""), steps));
    // It goes on to its end, and what it leaves then is not what the whole run left: nothing but its exit code tells.
    let last = "    if '--pause' in sys.argv:\n        file.write('2029,0\\n')\n";
    let ignores = format!("{ignoring}{}{last}", new_program());
    for line in [slow, "cd . && python3 src/sim.py --out {out} --pause 0.3 > log.txt"] {
        ground.plan("", &check(&terminated(line, ""), steps));
        ground.write("../new/src/sim.py", &ignores);
        says(
            &ground,
            2,
            "stopped after 2025: it was sent SIGTERM and ended with exit code 0, as a program does",
        );
    }
    // It never ends.
    let hangs = ignores.replace("time.sleep(options.pause)", "time.sleep(1000 * options.pause)");
    ground.plan("", &check(&terminated(slow, ""), &format!("{steps}\ntimeout_s = 3")));
    ground.write("../new/src/sim.py", hangs);
    says(&ground, 2, "stopped after 2025: it ignores SIGTERM: it went on until its time was up, 3 s after");
    // Where it stops in its own way, that is declared.
    let stops = |code: &str| format!("{}{}", own_way.replace("CODE", code), new_program());
    ground.plan("", &check(&terminated(slow, ""), steps));
    ground.write("../new/src/sim.py", stops("0"));
    says(&ground, 2, "where that is how it stops, say `exit_code = 0`");
    ground.plan("", &check(&terminated(slow, ", exit_code = 0"), steps));
    says(&ground, 0, "stopped after 2025 and resumed, it ends as it does without");
    ground.write("../new/src/sim.py", stops("7"));
    says(&ground, 2, "it did not stop as it should on SIGTERM, with exit code 0: exit code 7");
    ground.plan("", &check(&terminated(slow, ""), steps));
    says(&ground, 0, "stopped after 2025 and resumed, it ends as it does without");
}

// rows: OM-9
#[test]
fn needs_python3_what_goes_on_behind_a_command_that_ended_was_not_stopped() {
    let line = "python3 src/sim.py --out {out} --pause 0.3 & sleep 60";
    let ground = simulation(&check(&terminated(line, ""), "stop_after = [2025]"));
    let ignoring = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n";
    let hangs = new_program().replace("time.sleep(options.pause)", "time.sleep(1000 * options.pause)");
    ground.write("../new/src/sim.py", format!("{ignoring}{hangs}"));
    says(
        &ground,
        2,
        "stopped after 2025: it ignores SIGTERM: something of it went on when the command had ended",
    );
}

// rows: OM-9
#[test]
fn needs_python3_a_killed_check_goes_on_with_the_steps_that_are_open() {
    let mut ground = simulation(&check(&side("candidate", " --stop-after {step}"), STEPS));
    let runs = ground.at("../home/runs.txt");
    ground.set("RUNS", &runs.display().to_string());
    let told = || -> Vec<String> {
        fs::read_to_string(&runs).unwrap_or_default().lines().map(str::to_owned).collect()
    };
    let wait = ground.at("../home/runs.txt.wait");
    fs::write(&wait, "").unwrap();
    let mut running = ground.spawn("run --until staged");
    let started = Instant::now();
    while !told().contains(&"2027".to_owned()) {
        assert!(started.elapsed() < Duration::from_mins(1), "{:?}", told());
        std::thread::sleep(Duration::from_millis(10));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    fs::remove_file(&wait).unwrap();
    assert_eq!(told(), ["None", "2025", "None", "2027"]);
    fs::remove_file(&runs).unwrap();
    says(&ground, 0, "it ends as it does without; 1 not run again after an interruption");
    assert_eq!(told(), ["None", "2027", "None"]);
    // With an answer nothing is kept.
    fs::remove_file(&runs).unwrap();
    ground.expect(0, "check --at staged");
    assert_eq!(told(), ["None", "2025", "None", "2027", "None"]);
}
