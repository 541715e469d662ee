//! `bisect`: the commit after which a command gives other results, and what keeps it from being found.

use serde_json::Value;

use super::ground::Ground;

const STAGES: [&str; 3] = ["01_load", "02_clean", "03_score"];
const COMMITS: usize = 12;
const ROWS: usize = 20;

/// What a test chooses from: a small generator, so that each try is another and every run the same.
struct Choice(u64);

impl Choice {
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's multiplier of a linear congruential generator; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn git(ground: &Ground, arguments: &[&str]) -> String {
    let identity =
        ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"];
    ground.tool("git", &[&identity[..], arguments].concat()).trim().to_owned()
}

fn commit(ground: &Ground, subject: &str) -> String {
    git(ground, &["add", "-A"]);
    git(ground, &["commit", "-q", "--allow-empty", "-m", subject]);
    git(ground, &["rev-parse", "HEAD"])
}

fn table(wrong: Option<usize>) -> String {
    let rows = (0..ROWS).map(|row| format!("{row},{}\n", if wrong == Some(row) { 9.75 } else { 1.5 }));
    format!("id,value\n{}", rows.collect::<String>())
}

/// A history in which one stage's table has one wrong row from one commit on; every commit changes something else.
fn planted(choice: &mut Choice) -> (Ground, Vec<String>, usize, &'static str, usize) {
    let ground = Ground::new();
    git(&ground, &["init", "-q", "-b", "main"]);
    let (at, stage, row) = (1 + choice.below(COMMITS - 1), STAGES[choice.below(3)], choice.below(ROWS));
    let commits = (0..COMMITS).map(|number| {
        for name in STAGES {
            let wrong = (name == stage && number >= at).then_some(row);
            ground.write(&format!("results/{name}.csv"), table(wrong));
        }
        ground.write("notes.txt", format!("{number}\n"));
        commit(&ground, &format!("change {number}"))
    });
    let commits = commits.collect();
    (ground, commits, at, stage, row)
}

fn bisect(ground: &Ground, good: &str, bad: &str, line: &str) -> super::ground::Seen {
    let stages = format!("--stages={}", STAGES.join(","));
    ground.run_arguments(&[
        "bisect", "--good", good, "--bad", bad, "--json", "--key", "id", &stages, "--", line,
    ])
}

fn found_exactly(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let (ground, commits, at, stage, row) = planted(&mut Choice(seed));
        let seen = bisect(&ground, &commits[0], "main", "cp results/* {out}");
        assert_eq!(seen.code, 0, "seed {seed}: {seen}");
        let said = seen.json();
        assert_eq!(said["first_bad"]["commit"], commits[at].as_str(), "seed {seed}: {said}");
        let parted = &said["first_bad"]["comparison"]["first_divergence"];
        assert_eq!(parted["stage"], stage, "seed {seed}: {parted}");
        assert_eq!((&parted["key"]["id"], &parted["column"]), (&Value::from(row), &Value::from("value")));
        assert!(said["steps"].as_array().unwrap().len() <= 6, "it halves: {said}");
        assert_eq!(git(&ground, &["status", "--porcelain"]), "", "the work tree is as it was");
    }
}

// rows: BX-3
#[test]
fn needs_git_a_planted_difference_is_found_exactly_in_25_histories() {
    found_exactly(0..25);
}

// rows: BX-3
#[test]
fn needs_git_a_planted_difference_is_found_exactly_in_25_more_histories() {
    found_exactly(25..50);
}

// rows: BX-3
#[test]
fn needs_git_a_planted_difference_is_found_exactly_in_the_next_25_histories() {
    found_exactly(50..75);
}

// rows: BX-3
#[test]
fn needs_git_a_planted_difference_is_found_exactly_in_the_last_25_histories() {
    found_exactly(75..100);
}

#[test]
fn needs_git_a_commit_that_does_not_run_is_skipped_and_one_that_hides_the_answer_is_said() {
    let ground = Ground::new();
    git(&ground, &["init", "-q", "-b", "main"]);
    let mut commits = Vec::new();
    for (value, fails) in [("1", false), ("1", true), ("1", false), ("2", true), ("2", false), ("2", false)] {
        ground.write("run.sh", if fails { "exit 3\n" } else { "cp value \"$1/value.json\"\n" });
        ground.write("value", format!("{value}\n"));
        commits.push(commit(&ground, &format!("{value} {fails}")));
    }
    let arguments = |good: &str, bad: &str| {
        let seen = ground.run_arguments(&[
            "bisect", "--good", good, "--bad", bad, "--json", "--", "sh", "run.sh", "{out}",
        ]);
        (seen.code, seen.json())
    };
    // Nobody can say whether the commit that fails or the one after it is the first.
    let (code, said) = arguments(&commits[0], &commits[5]);
    assert_eq!((code, &said["verdict"]), (2, &Value::from("unknown")), "{said}");
    let suspects: Vec<&str> =
        said["suspects"].as_array().unwrap().iter().map(|one| one["commit"].as_str().unwrap()).collect();
    let mut wanted = [commits[3].as_str(), commits[4].as_str()];
    let mut suspects = suspects;
    suspects.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(suspects, wanted);
    // Without a gap before it, the answer is one commit.
    let (code, said) = arguments(&commits[4], &commits[5]);
    assert_eq!(code, 2, "{said}");
    assert!(said["error"]["causes"].to_string().contains("there is nothing to look for"), "{said}");
}

#[test]
fn needs_git_what_cannot_be_bisected_is_refused_with_the_reason() {
    let ground = Ground::new();
    git(&ground, &["init", "-q", "-b", "main"]);
    ground.write("value", "1\n");
    let first = commit(&ground, "first");
    ground.write("value", "2\n");
    let second = commit(&ground, "second");
    git(&ground, &["checkout", "-q", "-b", "side", &first]);
    ground.write("value", "3\n");
    let side = commit(&ground, "side");
    let copies = "cp value {out}/value.json";
    for (good, bad, line, why) in [
        ("nowhere", "main", copies, "`--good nowhere` is not a commit"),
        (first.as_str(), first.as_str(), copies, "the same commit"),
        (second.as_str(), side.as_str(), copies, "is not an ancestor of"),
        (
            first.as_str(),
            second.as_str(),
            "exit 4",
            "the good commit cannot be judged: the command ended with exit code 4",
        ),
        (first.as_str(), second.as_str(), "true", "wrote nothing into `{out}`"),
        (first.as_str(), second.as_str(), "date +%s%N > {out}/value.json", "not give the same results twice"),
        (
            first.as_str(),
            second.as_str(),
            "grep -q 1 value && cp value {out}/value.json",
            "the bad commit cannot be judged",
        ),
        (first.as_str(), second.as_str(), "echo 1 > {out}/value.json", "there is nothing to look for"),
    ] {
        let seen = ground.run_arguments(&["bisect", "--good", good, "--bad", bad, "--", line]);
        assert_eq!(seen.code, 2, "{line}: {seen}");
        assert!(seen.err.contains(why) && seen.err.contains("hint: "), "{line}: {seen}");
    }
    let seen = Ground::new().run_arguments(&["bisect", "--good", "a", "--bad", "b", "--", "true"]);
    assert!(seen.code == 2 && seen.err.contains("is in no git work tree"), "{seen}");
    // A merge is looked into: the wrong value came by the side branch.
    git(&ground, &["checkout", "-q", "main"]);
    git(&ground, &["merge", "-q", "-X", "theirs", "-m", "merge", &side]);
    let seen = ground.run_arguments(&["bisect", "--good", &first, "--bad", &side, "--json", "--", copies]);
    assert_eq!(seen.json()["first_bad"]["commit"], side.as_str(), "{seen}");
}
