//! `bench` and the check `performance`. What is certain about a program decides here (counts, bytes, memory); times are too
//! uncertain for a test, and are simulated where the statistics are.

use serde_json::{Value, json};
use switchback_statistics::Random;

use super::ground::{Ground, Seen};

/// Seconds around one, with a spread of 2 %, as a JSON list.
fn seconds(seed: u64, size: usize, factor: f64) -> String {
    let mut random = Random::new(seed, 0);
    json!((0..size).map(|_| factor * (0.02 * random.normal()).exp()).collect::<Vec<_>>()).to_string()
}

fn samples(new_factor: f64, size: usize) -> Ground {
    let ground = Ground::new();
    ground.write("old.json", seconds(1, size, 1.0));
    ground.write("new.json", seconds(2, size, new_factor));
    ground
}

const COMPARE: &str = "bench compare --samples old.json new.json --margin 0.05 --alpha 0.05";

// rows: OM-8
#[test]
fn lists_of_seconds_are_decided_by_the_ratio_of_their_medians() {
    for (factor, code, improved, first) in [
        (1.0, 0, false, "yes: not slower by more than 5 %\n"),
        (1.15, 1, false, "no: slower by more than 5 %\n"),
        (0.8, 0, true, "yes: faster by more than 5 %\n"),
    ] {
        let ground = samples(factor, 20);
        let seen = ground.expect(code, COMPARE);
        assert!(seen.out.starts_with(first), "{seen}");
        assert!(seen.out.contains("\n  new / old: ") && seen.out.contains(", 90 % interval ["), "{seen}");
        let document = ground.expect(code, &format!("{COMPARE} --json")).json();
        assert_eq!(document["schema"], "switchback/bench/1");
        assert_eq!(document["improved"], improved, "{document:#}");
        let number = |place: &str| document.pointer(place).and_then(Value::as_f64).unwrap();
        assert!((number("/ratio") / factor - 1.0).abs() < 0.02, "{document:#}");
        assert!(number("/interval/0") < number("/ratio") && number("/ratio") < number("/interval/1"));
        assert_eq!((number("/margin"), number("/alpha"), number("/old/runs")), (0.05, 0.05, 20.0));
        assert!((number("/new/median") / number("/old/median") / number("/ratio") - 1.0).abs() < 1e-9);
        assert_eq!(document["more_runs"], 0);
        assert_eq!(
            ground.run(&format!("{COMPARE} --json")).out,
            ground.run(&format!("{COMPARE} --json")).out
        );
    }
}

// rows: OM-8
#[test]
fn what_is_too_noisy_or_too_little_is_unknown_and_says_how_much_more_it_takes() {
    let ground = samples(1.05, 10);
    let seen = ground.expect(2, COMPARE);
    assert!(seen.out.starts_with("could not tell: whether it is slower by more than 5 %\n"), "{seen}");
    let few = samples(2.0, 4);
    let document = few.expect(2, &format!("{COMPARE} --json")).json();
    assert_eq!(document["more_runs"], 1);
    assert_eq!(document["why"], "at this level it takes 5 runs on each side at least");
    let seen = few.expect(2, COMPARE);
    assert!(seen.out.contains("about 1 run more on each side would decide"), "{seen}");
    few.expect(1, &COMPARE.replace("0.05 --alpha 0.05", "0.5 --alpha 0.1"));
}

#[test]
fn lists_of_one_session_may_be_paired_and_then_shared_noise_is_none() {
    let ground = Ground::new();
    let mut random = Random::new(3, 0);
    let shared: Vec<f64> = (0..20).map(|_| 1.0 + random.uniform()).collect();
    let slower: Vec<f64> = shared.iter().map(|value| value * 1.08 * (0.01 * random.normal()).exp()).collect();
    ground.write("old.json", json!(shared).to_string());
    ground.write("new.json", json!(slower).to_string());
    ground.expect(2, COMPARE);
    let document = ground.expect(1, &format!("{COMPARE} --paired --json")).json();
    assert_eq!((&document["paired"], &document["method"]), (&json!(true), &json!("samples")));
    ground.write("new.json", json!(slower[1..]).to_string());
    let seen = ground.expect(2, &format!("{COMPARE} --paired --json"));
    assert!(failure(&seen).contains("20 and 19 values"), "{seen}");
}

fn failure(seen: &Seen) -> String {
    let document = seen.json();
    assert_eq!(document["schema"], "switchback/error/1", "{seen}");
    assert!(!document["error"]["hint"].as_str().unwrap().is_empty(), "{seen}");
    let causes = document["error"]["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap());
    let message = document["error"]["message"].as_str().unwrap();
    std::iter::once(message).chain(causes).collect::<Vec<_>>().join("\n")
}

#[test]
fn samples_that_are_none_are_an_error_with_file_and_place() {
    let ground = samples(1.0, 10);
    for (text, wanted) in [
        ("[]", "`new.json`: its list is empty"),
        ("[1, NaN]", "`new.json`:1:5: it is no JSON"),
        ("[1, 2, -3]", "`new.json`: [2] is -3, which is no time above 0"),
        ("[0]", "`new.json`: [0] is 0, which is no time above 0"),
        ("[true]", "`new.json`: [0] is a truth, and not a number of seconds"),
        ("{}", "`new.json`: it holds an object"),
    ] {
        ground.write("new.json", text);
        let seen = ground.expect(2, &format!("{COMPARE} --json"));
        assert!(failure(&seen).contains(wanted), "{text}: {seen}");
        assert_eq!(seen.json()["error"]["path"], "new.json");
        ground.expect(2, COMPARE);
    }
    for (line, wanted) in [
        ("bench compare --samples old.json gone.json", "gone.json"),
        ("bench compare --samples old.json old.json --margin=-1", "`--margin`"),
        ("bench compare --samples old.json old.json --alpha 0.5", "`--alpha`"),
        ("bench compare --samples old.json", "--samples"),
        ("bench compare", "--baseline"),
        ("bench run --over size=1 -- true", "no command names `{size}`"),
        ("bench run --counter n -- true", "has no `=`"),
        ("bench run --budget fast -- true", "`--budget`: `fast` is no budget"),
        ("bench run --margin-of speed=1 -- true", "`--margin-of`: there is no measure `speed`"),
        ("bench run --turns 20 --turns-max 10 -- true", "`--turns-max`"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let (before, behind) =
            words.split_at(words.iter().position(|word| *word == "--").unwrap_or(words.len()));
        let all: Vec<&str> = before.iter().copied().chain(["--json"]).chain(behind.iter().copied()).collect();
        let seen = ground.run_arguments(&all);
        assert_eq!(seen.code, 2, "{seen}");
        assert!(failure(&seen).contains(wanted), "{line}: {seen}");
    }
}

/// Programs that say how many queries they made, in `old` and in the project.
fn programs(old: &str, new: &str) -> Ground {
    let ground = Ground::new();
    ground.write("../old/app.sh", old);
    ground.write("app.sh", new);
    ground
}

const RUN: &[&str] = &[
    "bench",
    "run",
    "--json",
    "--old",
    "../old",
    "--measure",
    "queries",
    "--counter",
    "queries=queries: (\\d+)",
];

fn measure<'d>(document: &'d Value, name: &str) -> &'d Value {
    let measures = document["cases"][0]["measures"].as_array().unwrap();
    measures.iter().find(|measure| measure["name"] == name).unwrap_or_else(|| panic!("{document:#}"))
}

// rows: OM-8
#[test]
fn old_and_new_run_in_turn_and_a_counter_decides() {
    for (new, code) in [(40, 0), (42, 0), (43, 1), (20, 0)] {
        let ground = programs("echo queries: 40\n", &format!("echo queries: {new}\n"));
        let seen = ground.run_arguments(&[RUN, &["--", "sh", "app.sh"]].concat());
        assert_eq!(seen.code, code, "{seen}");
        let document = seen.json();
        assert_eq!(
            (&document["method"], &document["commands"]["new"]),
            (&json!("turns"), &json!("sh app.sh"))
        );
        let case = &document["cases"][0];
        assert_eq!((&case["turns"], &case["looks"], &case["more_runs"]), (&json!(10), &json!(1), &json!(0)));
        let first = case["first"].as_str().unwrap();
        assert!(first.len() == 10 && first.contains('O') && first.contains('N'), "{first}");
        let queries = measure(&document, "queries");
        assert_eq!(queries["ratio"], f64::from(new) / 40.0, "{queries:#}");
        assert_eq!(queries["improved"], new == 20);
        assert_eq!(document["improved"], new == 20);
        assert_eq!(case["samples"]["new"]["queries"], json!(vec![f64::from(new); 10]));
        let time = measure(&document, "time");
        assert_eq!((&time["decides"], &time["verdict"]), (&json!(false), &Value::Null));
        assert!(time["old"]["median"].as_f64().unwrap() > 0.0, "{time:#}");
        assert!(document["machine"]["cores"].as_u64().unwrap() > 0, "{document:#}");
    }
}

#[test]
fn a_person_sees_a_table_and_the_same_verdict() {
    let ground = programs("echo queries: 40\n", "echo queries: 44\n");
    let line: Vec<&str> = RUN.iter().copied().filter(|word| *word != "--json").collect();
    let seen = ground.run_arguments(&[&line[..], &["--", "sh", "app.sh"]].concat());
    assert_eq!(seen.code, 1, "{seen}");
    let lines: Vec<&str> = seen.out.lines().collect();
    assert_eq!(lines[0], "no: queries x 1.100 [1.100, 1.100]; 10 turns");
    let heading: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(heading, ["measure", "old", "new", "new", "/", "old", "interval", "margin", "verdict"]);
    let row = lines.iter().find(|line| line.trim_start().starts_with("queries")).unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["queries", "40", "44", "1.100", "[1.100,", "1.100]", "5", "%", "no"]);
    assert!(!seen.out.contains('\u{1b}'), "{seen}");
}

#[test]
fn a_run_that_fails_is_no_measurement_and_its_words_are_without_secrets() {
    let broken = "echo queries: 40\necho 'connected with password=hunter2-hunter2' >&2\necho 'no such table' >&2\nexit 3\n";
    let ground = programs("echo queries: 40\n", broken);
    let seen = ground.run_arguments(&[RUN, &["--", "sh", "app.sh"]].concat());
    assert_eq!(seen.code, 2, "{seen}");
    let said = failure(&seen);
    assert!(said.contains("of the new program ended with exit code 3\n"), "{said}");
    assert!(said.contains("no such table") && !said.contains("hunter2"), "{said}");
    let known = ground.run_arguments(&[RUN, &["--exit-code", "3", "--", "sh", "app.sh"]].concat());
    assert!(failure(&known).contains("of the old program ended with exit code 0, and not with 3"), "{known}");
    let gone = ground.run_arguments(&[RUN, &["--", "there-is-no-such-program"]].concat());
    assert!(failure(&gone).contains("exit code 127: the command was not found"), "{gone}");
    let slow = ground.run_arguments(&[RUN, &["--timeout-s", "1", "--", "sleep", "20"]].concat());
    assert!(failure(&slow).contains("it was stopped after 1 s"), "{slow}");
    let killed = ground.run_arguments(&[RUN, &["--", "kill -9 $$"]].concat());
    assert!(failure(&killed).contains("killed by signal 9"), "{killed}");
    ground.write("app.sh", "echo nothing\n");
    let silent = ground.run_arguments(&[RUN, &["--", "sh", "app.sh"]].concat());
    assert!(failure(&silent).contains("the counter `queries` found nothing"), "{silent}");
    assert_eq!(std::fs::read_dir(ground.at("../tmp")).unwrap().count(), 0, "what was made for runs is gone");
}

// rows: OM-8
#[test]
fn bytes_and_memory_of_all_processes_are_measured() {
    let ground = programs(
        "head -c 3000000 /dev/zero > \"$1\"/a\n",
        "head -c 1000000 /dev/zero > \"$1\"/a & head -c 4000000 /dev/zero > \"$1\"/b & wait\n",
    );
    let line = ["bench", "run", "--json", "--old", "../old", "--measure", "written", "--", "sh app.sh {out}"];
    let seen = ground.run_arguments(&line);
    assert_eq!(seen.code, 1, "{seen}");
    let written = measure(&seen.json(), "written").clone();
    for (side, wanted) in [("old", 3_000_000.0), ("new", 5_000_000.0)] {
        let median = written[side]["median"].as_f64().unwrap();
        assert!(median >= wanted && median < wanted + 10_000.0, "{side}: {written:#}");
    }
}

// rows: OM-8
#[test]
fn needs_python3_memory_that_processes_take_together_is_added_up() {
    let take = "import sys, time\nbytes = bytearray(int(sys.argv[1]) << 20)\nbytes[::4096] = b'x' * len(bytes[::4096])\ntime.sleep(0.5)\n";
    let ground = programs("exec python3 take.py 64\n", "python3 take.py 64 & python3 take.py 64 & wait\n");
    for path in ["take.py", "../old/take.py"] {
        ground.write(path, take);
    }
    let turns = ["--turns", "5", "--turns-max", "5", "--warm-ups", "0"];
    let line = ["bench", "run", "--json", "--old", "../old", "--measure", "memory"];
    let seen = ground.run_arguments(&[&line[..], &turns, &["--", "sh", "app.sh"]].concat());
    assert_eq!(seen.code, 1, "{seen}");
    let memory = measure(&seen.json(), "memory").clone();
    let mebibytes = |side: &str| memory[side]["median"].as_f64().unwrap() / f64::from(1 << 20);
    assert!((64.0..100.0).contains(&mebibytes("old")), "{memory:#}");
    assert!((128.0..190.0).contains(&mebibytes("new")), "{memory:#}");
}

#[test]
fn what_cannot_be_measured_is_named_and_decides_only_where_it_was_asked_for() {
    let counter = ["--counter", "queries=queries: (\\d+)"];
    let line = ["bench", "run", "--json", "--old", "../old", "--measure", "queries,memory"];
    let ground = programs("echo queries: 40\n", "echo queries: 40\n");
    // A shell takes less memory than the program that measures it.
    let seen =
        ground.run_arguments(&[&line[..], &counter, &["--turns-max", "10", "--", "sh", "app.sh"]].concat());
    assert_eq!(seen.code, 2, "{seen}");
    let case = &seen.json()["cases"][0];
    assert_eq!(case["not_measured"][0]["measure"], "memory", "{case:#}");
    let none = ["bench", "run", "--json", "--old", "../old", "--measure", "read,selects"];
    let never = ["--counter", "selects=^SELECT", "--turns-max", "10", "--", "sh", "app.sh"];
    let seen = ground.run_arguments(&[&none[..], &never].concat());
    assert_eq!(seen.code, 2, "nothing counted is nothing compared: {seen}");
    assert!(seen.out.contains("it counted nothing in any run"), "{seen}");
}

// rows: OM-8
#[test]
fn every_combination_of_values_is_a_case_of_its_own() {
    let script = "echo queries: $(( $1 * $2 ))\n";
    let ground =
        programs(script, "test \"$1\" = 100 && echo queries: 1000 || echo queries: $(( $1 * $2 ))\n");
    let over = ["--over", "size=10,100", "--over", "workers=1,2", "--", "sh app.sh {size} {workers}"];
    let seen = ground.run_arguments(&[RUN, &over].concat());
    assert_eq!(seen.code, 1, "{seen}");
    let document = seen.json();
    let cases = document["cases"].as_array().unwrap();
    let told: Vec<(&str, &str)> = cases
        .iter()
        .map(|case| (case["name"].as_str().unwrap(), case["verdict"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("size=10, workers=1", "yes"),
        ("size=10, workers=2", "yes"),
        ("size=100, workers=1", "no"),
        ("size=100, workers=2", "no"),
    ];
    assert_eq!(told, wanted);
}

// rows: TM-10
#[test]
fn budgets_are_held_against_every_run() {
    let ground = programs("", "echo queries: 40\n");
    let counter = ["bench", "run", "--json", "--counter", "queries=queries: (\\d+)"];
    for (budget, code) in [
        ("queries < 41", 0),
        ("queries < 40", 1),
        ("queries max < 40", 1),
        ("queries p95 < 100", 0),
        ("memory < 2 GB", 0),
        ("memory < 1 KiB", 1),
        ("< 10 m", 0),
        ("time p95 < 1 us", 1),
    ] {
        let seen =
            ground.run_arguments(&[&counter[..], &["--budget", budget, "--", "sh", "app.sh"]].concat());
        assert_eq!(seen.code, code, "{budget}: {seen}");
        let document = seen.json();
        assert_eq!(document["method"], "budgets");
        assert_eq!(document["cases"][0]["budgets"][0]["budget"], budget);
    }
    let short = ["--budget", "queries p95 < 100", "--turns-max", "20", "--", "sh", "app.sh"];
    let seen = ground.run_arguments(&[&counter[..], &short].concat());
    assert_eq!(seen.code, 2, "20 runs say nothing of 95 in 100: {seen}");
    assert!(seen.json()["cases"][0]["more_runs"].as_u64().unwrap() > 30, "{seen}");
    let nothing = ground.run_arguments(&["bench", "run", "--turns", "3", "--", "sh", "app.sh"]);
    assert_eq!(nothing.code, 2, "{nothing}");
    assert!(
        nothing.out.starts_with("could not tell: there is nothing to hold it against; 3 runs\n"),
        "{nothing}"
    );
}

// rows: RE-16
#[test]
fn a_baseline_is_written_on_purpose_and_compared_with() {
    let ground = programs("", "echo queries: 40\n");
    let counter = ["--counter", "queries=queries: (\\d+)"];
    let run = |words: &[&str]| ground.run_arguments(&[&["bench"], words].concat());
    let update = |more: &[&str]| {
        run(&[&["update", "--baseline", "perf.json"], &counter[..], more, &["--", "sh", "app.sh"]].concat())
    };
    let compare = |more: &[&str]| {
        let judged = ["compare", "--json", "--baseline", "perf.json", "--measure", "queries"];
        run(&[&judged, &counter[..], more, &["--", "sh", "app.sh"]].concat())
    };
    let none = compare(&[]);
    assert_eq!(none.code, 2, "{none}");
    assert!(failure(&none).contains("there is no baseline `perf.json`"), "{none}");
    let kept = update(&["--turns", "8"]);
    assert_eq!(kept.code, 0, "{kept}");
    assert!(kept.err.contains("kept as `default` in `perf.json`"), "{kept}");
    let text = ground.read("perf.json");
    assert_eq!(compare(&[]).code, 0);
    ground.write("app.sh", "echo queries: 44\n");
    let worse = compare(&[]);
    assert_eq!(worse.code, 1, "{worse}");
    assert_eq!(worse.json()["method"], "baseline");
    assert_eq!(worse.json()["baseline"]["command"], "sh app.sh");
    assert_eq!(measure(&worse.json(), "queries")["old"]["runs"], 8);
    assert_eq!(ground.read("perf.json"), text, "only an update writes");
    assert_eq!(update(&["--turns", "8", "--name", "other"]).code, 0);
    assert_eq!(compare(&[]).code, 1, "the other figures stay");
    assert_eq!(compare(&["--name", "other"]).code, 0);
    let unknown = compare(&["--name", "third"]);
    assert!(failure(&unknown).contains("no figures of `third`; it has `default`, `other`"), "{unknown}");
    ground.write("perf.json", "{\n");
    assert!(failure(&compare(&[])).contains("`perf.json`:"), "a damaged one");
    assert_eq!(update(&[]).code, 2, "and it is not written over");
}

// rows: RE-16
#[test]
fn a_baseline_of_another_machine_is_told_and_taken_only_when_asked_for() {
    let ground = programs("", "echo queries: 40\n");
    let words = ["--baseline", "perf.json", "--counter", "queries=queries: (\\d+)"];
    let run = |verb: &str, more: &[&str]| {
        ground.run_arguments(&[&["bench", verb][..], &words, more, &["--", "sh", "app.sh"]].concat())
    };
    assert_eq!(run("update", &["--turns", "10"]).code, 0);
    let mut file: Value = serde_json::from_str(&ground.read("perf.json")).unwrap();
    file["entries"]["default"]["machine"]["cpu"] = json!("Abacus 3000");
    file["entries"]["default"]["machine"]["kernel"] = json!("1.0");
    ground.write("perf.json", file.to_string());
    let measured = ["--measure", "queries"];
    let seen = run("compare", &[&["--json"], &measured[..]].concat());
    assert_eq!(seen.code, 2, "{seen}");
    let said = failure(&seen);
    assert!(said.starts_with("the baseline `perf.json` is of another machine\n"), "{said}");
    assert!(
        said.contains("its processor was `Abacus 3000`, and is ") && said.contains("its kernel was `1.0`"),
        "{said}"
    );
    let seen = run("compare", &[&["--json", "--other-machine"], &measured[..]].concat());
    assert_eq!(seen.code, 0, "{seen}");
    assert_eq!(seen.json()["baseline"]["differences"].as_array().unwrap().len(), 2);
    let seen = run("run", &[&["--other-machine"], &measured[..]].concat());
    assert!(seen.err.contains("warning: the baseline is of another machine: its processor was"), "{seen}");
}

const CHECK: &str = "[[check]]\nname = \"lean\"\nkind = \"performance\"\n\
    old = { tree = \"live\", command = \"sh src/app.sh\" }\n\
    new = { tree = \"candidate\", command = \"sh src/app.sh\" }\n\
    counters = { queries = 'queries: (\\d+)' }\nmeasures = [\"queries\"]\n";

fn shop(check: &str, old: &str, new: &str) -> Ground {
    let ground = Ground::shop(check);
    ground.write("src/app.sh", old);
    ground.write("../new/src/app.sh", new);
    ground
}

fn said(ground: &Ground, name: &str, at: &str) -> (String, String) {
    let document: Value = ground.run("status --json").json();
    let check = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == name && check["at"] == at);
    let check = check.unwrap_or_else(|| panic!("{document:#}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

// rows: OM-8
#[test]
fn a_plan_refuses_a_candidate_that_takes_more() {
    let check = format!("{CHECK}at = [\"staged\", \"live\"]\n");
    let ground = shop(&check, "echo queries: 40\n", "echo queries: 44\n");
    let seen = ground.expect(1, "run");
    assert!(
        seen.err.contains("check lean at staged: no: queries x 1.100 [1.100, 1.100]; 10 turns\n"),
        "{seen}"
    );
    assert!(seen.err.contains("    queries  40  "), "the table is shown: {seen}");
    let report = ground.run("report --format json").out;
    assert!(report.contains("switchback/bench/1"), "{report}");
    ground.write("../new/src/app.sh", "echo queries: 41\n");
    ground.expect(0, "run --restage");
    assert_eq!(said(&ground, "lean", "live").0, "yes");
    let broken = shop(&check, "echo queries: 40\n", "echo 'password=hunter2-hunter2' >&2\nexit 3\n");
    broken.expect(2, "run");
    let (verdict, summary) = said(&broken, "lean", "staged");
    assert_eq!(verdict, "unknown");
    assert!(summary.contains("of the new program ended with exit code 3: "), "{summary}");
    assert!(!summary.contains("hunter2"), "{summary}");
}

// rows: RB-8, TM-10, RE-16
#[test]
fn a_baseline_and_budgets_are_held_against_what_is_live_and_rolled_back() {
    let check = "[[check]]\nname = \"lean\"\nkind = \"performance\"\ncommand = \"sh src/app.sh\"\n\
        counters = { queries = 'queries: (\\d+)' }\nmeasures = [\"queries\"]\nbaseline = \"perf.json\"\n\
        budgets = [\"queries < 100\", \"time < 10 m\"]\nat = [\"before\", \"live\", \"rolled-back\"]\n";
    let ground = shop(check, "echo queries: 40\n", "echo queries: 50\n");
    let words = [
        "bench",
        "update",
        "--baseline",
        "perf.json",
        "--turns",
        "10",
        "--counter",
        "queries=queries: (\\d+)",
    ];
    let kept = ground.run_arguments(&[&words[..], &["--", "sh src/app.sh"]].concat());
    assert_eq!(kept.code, 0, "{kept}");
    ground.run("run");
    assert_eq!(said(&ground, "lean", "before").0, "yes");
    let (verdict, summary) = said(&ground, "lean", "live");
    assert_eq!(verdict, "no", "{summary}");
    assert!(
        summary.starts_with("queries x 1.250 [1.250, 1.250]; queries median 50 (queries < 100)"),
        "{summary}"
    );
    ground.run("rollback");
    assert_eq!(said(&ground, "lean", "rolled-back").0, "yes");
}

/// A plan whose check is held against `perf.json`, with `more` among its keys.
fn kept(more: &str) -> String {
    format!(
        "[[check]]\nname = \"lean\"\nkind = \"performance\"\ncommand = \"sh src/app.sh {{size}}\"\nover = {{ size = SIZES }}\n\
         counters = {{ queries = 'queries: (\\d+)' }}\nbaseline = \"perf.json\"\nbudgets = [\"queries < 100\"]\n{more}"
    )
}

fn update(ground: &Ground, words: &[&str]) {
    let update = ["bench", "update", "--baseline", "perf.json", "--turns", "10"];
    let seen = ground.run_arguments(&[&update, words, &["--", "sh src/app.sh {size}"]].concat());
    assert_eq!(seen.code, 0, "{seen}");
}

const COUNTER: [&str; 2] = ["--counter", "queries=queries: (\\d+)"];

// rows: RB-8, RE-16
#[test]
fn what_a_baseline_lacks_could_not_be_told() {
    let asked = "measures = [\"queries\"]\n";
    let ground = shop(&kept(asked).replace("SIZES", "[1]"), "echo queries: 40\n", "echo queries: 040\n");
    update(&ground, &[&COUNTER[..], &["--over", "size=1"]].concat());
    ground.expect(0, "run --until staged");
    // A case that it does not have, also where nothing is asked for by name.
    let next = "`switchback bench update` takes what the baseline lacks into it, on purpose";
    for more in [asked, "margins = { time = 1000, memory = 1000 }\n"] {
        ground.plan("", &kept(more).replace("SIZES", "[1, 2]"));
        ground.expect(2, "run --until staged --restage");
        let (verdict, summary) = said(&ground, "lean", "staged");
        assert_eq!(verdict, "unknown", "{summary}");
        assert!(summary.starts_with("size=2: "), "{summary}");
        assert!(summary.contains("queries not compared: the baseline does not have it"), "{summary}");
        assert!(summary.contains(next) && !summary.contains("more would decide"), "{summary}");
    }
    // A measure that it is older than.
    std::fs::remove_file(ground.at("perf.json")).unwrap();
    update(&ground, &["--over", "size=1"]);
    let margins = "margins = { time = 1000, memory = 1000, queries = 0.05 }\n";
    ground.plan("", &kept(margins).replace("SIZES", "[1]"));
    ground.expect(2, "run --until staged --restage");
    let (verdict, summary) = said(&ground, "lean", "staged");
    assert_eq!(verdict, "unknown", "{summary}");
    assert!(summary.contains("queries not compared: the baseline does not have it"), "{summary}");
    assert!(summary.contains(next), "{summary}");
    update(&ground, &[&COUNTER[..], &["--over", "size=1"]].concat());
    ground.expect(0, "run --until staged --restage");
}

// rows: RB-8, BX-10
#[test]
fn a_candidate_does_not_bring_the_baseline_that_it_is_held_against() {
    let check = kept("measures = [\"queries\"]\nat = [\"staged\", \"live\"]\n").replace("SIZES", "[1]");
    let check = check.replace("perf.json", "src/perf.json");
    let ground = shop(&check, "echo queries: 40\n", "echo queries: 50\n");
    let at = |ground: &Ground, path: &str, queries: u32| {
        let app = ground.read("src/app.sh");
        ground.write("src/app.sh", format!("echo queries: {queries}\n"));
        update(ground, &[&COUNTER[..], &["--over", "size=1"]].concat());
        std::fs::rename(ground.at("perf.json"), ground.at(path)).unwrap();
        ground.write("src/app.sh", app);
    };
    at(&ground, "src/perf.json", 40);
    at(&ground, "../new/src/perf.json", 60);
    ground.expect(1, "run --until staged");
    let (verdict, summary) = said(&ground, "lean", "staged");
    assert_eq!(verdict, "no", "{summary}");
    let changes = "; the candidate changes `src/perf.json`: it is held against the one from before the phase";
    assert!(summary.contains("queries x 1.250") && summary.ends_with(changes), "{summary}");
    // What is no worse goes live with it, and is held against the same one there.
    ground.write("../new/src/app.sh", "echo queries: 41\n");
    ground.expect(0, "run --until live --restage");
    let (verdict, summary) = said(&ground, "lean", "live");
    assert_eq!(verdict, "yes", "{summary}");
    assert!(summary.contains("queries x 1.025") && summary.ends_with(changes), "{summary}");
    let removes = "the candidate removes `src/perf.json`: it is held against the one from before the phase";
    let ground = shop(&check, "echo queries: 40\n", "echo queries: 40;\n");
    at(&ground, "src/perf.json", 40);
    ground.expect(0, "run --until staged");
    assert!(said(&ground, "lean", "staged").1.contains(removes));
}

#[test]
fn a_trigger_compares_the_time_with_that_before() {
    let check = "[[check]]\nname = \"quick\"\nkind = \"performance\"\ncommand = \"sh src/app.sh\"\n\
        budgets = [\"time < 10 m\"]\nturns = 6\nturns_max = 6\nat = [\"before\", \"live\"]\n\
        [[trigger]]\nwhen = { check = \"quick\", worse_than = { times = 2.0, of = \"before\" } }\ndo = \"roll-back\"\n";
    // So far apart that no machine is slow enough to hide it.
    let ground = shop(check, "true\n", "sleep 0.7\n");
    let seen = ground.expect(1, "run");
    assert_eq!(ground.read("src/app.sh"), "true\n", "{seen}");
}

#[test]
fn keys_that_do_not_go_together_are_findings() {
    let head = "[[check]]\nname = \"lean\"\nkind = \"performance\"\n";
    let sides =
        "old = { tree = \"live\", command = \"a\" }\nnew = { tree = \"candidate\", command = \"a\" }\n";
    for (keys, wanted) in [
        (format!("{sides}command = \"a\""), "has `command` beside `old` or `new`"),
        (format!("{sides}baseline = \"perf.json\""), "has both `old` and `baseline`"),
        ("command = \"a\"".to_owned(), "has nothing to hold the program against"),
        ("old = { tree = \"live\", command = \"a\" }".to_owned(), "has no program to judge"),
        (format!("{sides}over = {{ size = [1] }}"), "no command names `{size}`"),
        (format!("{sides}alpha = 0.7"), "the level must be above 0 and below 0.5"),
        (format!("{sides}budgets = [\"soon\"]"), "`soon` is no budget"),
        (format!("{sides}margins = {{ speed = 0.1 }}"), "there is no measure `speed`"),
        (format!("{sides}margins = {{ time = \"much\" }}"), "every one of `margins` must be a number"),
        (format!("{sides}counters = {{ q = '(' }}"), "`(` is no regular expression"),
        (format!("{sides}exit_code = 300"), "no program ends with an exit code above 255"),
        (format!("{sides}turns = 0"), "the number of turns must be between"),
    ] {
        let ground = Ground::shop(&format!("{head}{keys}\nat = [\"staged\"]\n"));
        let seen = ground.expect(2, "plan");
        assert!(seen.err.contains(wanted), "{wanted}: {seen}");
    }
}
