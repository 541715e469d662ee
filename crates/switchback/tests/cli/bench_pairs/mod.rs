//! `bench` on real programs, 200 times for each question, on a machine as it is and beside a busy neighbour: how often the same program is
//! reported as a regression, and how often a real one is missed. It takes an hour, and so is run only when asked for.
//!
//! `SWITCHBACK_PAIRS` says how many pairs instead of 200, `SWITCHBACK_QUESTION` which question alone. Beside it: pytest-benchmark, which
//! holds the same runs against each other by its own rules, and hyperfine, which runs the same programs on the same machine.

#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

mod rivals;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use switchback_statistics::Random;

use super::ground::Ground;
use rivals::Runs;

/// One question: two programs, and what is asked about them.
struct Question {
    name: &'static str,
    old: &'static str,
    new: &'static str,
    measure: &'static str,
    is_regression: bool,
}

/// A shell that only counts takes time in proportion to what it is told, and next to none to start.
const QUESTIONS: &[Question] = &[
    Question {
        name: "time, the same program",
        old: "sh loop.sh 30000",
        new: "sh loop.sh 30000",
        measure: "time",
        is_regression: false,
    },
    Question {
        name: "time, 15 % slower",
        old: "sh loop.sh 30000",
        new: "sh loop.sh 34500",
        measure: "time",
        is_regression: true,
    },
    Question {
        name: "memory, the same program",
        old: "python3 take.py 64",
        new: "python3 take.py 64",
        measure: "memory",
        is_regression: false,
    },
    Question {
        name: "memory, 20 % more",
        old: "python3 take.py 64",
        new: "python3 take.py 79",
        measure: "memory",
        is_regression: true,
    },
    Question {
        name: "a counter, the same program",
        old: "sh count.sh 1000",
        new: "sh count.sh 1000",
        measure: "queries",
        is_regression: false,
    },
    Question {
        name: "a counter, 15 % more",
        old: "sh count.sh 1000",
        new: "sh count.sh 1150",
        measure: "queries",
        is_regression: true,
    },
];

const LOOP: &str = "i=0\nwhile [ $i -lt $1 ]; do i=$((i+1)); done\n";
/// Memory that is not the same from run to run: up to 8 MiB more.
const TAKE: &str = "import os, sys\nsize = (int(sys.argv[1]) << 20) + (os.urandom(1)[0] << 15)\n\
                    taken = bytearray(size)\ntaken[::4096] = b'x' * len(taken[::4096])\n";
/// A count that is not the same from run to run: up to a tenth more.
const COUNT: &str = "extra=$(od -An -N2 -tu2 /dev/urandom)\necho queries: $(( $1 + $1 * extra / 655360 ))\n";

/// Busy loops that come and go.
struct Neighbour {
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Neighbour {
    fn moves_in() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = is_over.clone();
        let thread = std::thread::spawn(move || {
            let mut random = Random::new(1, 0);
            while !stop.load(Ordering::Relaxed) {
                let count = 1 + random.below(2);
                let busy: Vec<_> = (0..count)
                    .map(|_| {
                        std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()
                    })
                    .collect();
                std::thread::sleep(Duration::from_millis(100 + random.below(1_500) as u64));
                for mut child in busy {
                    child.kill().unwrap();
                    child.wait().unwrap();
                }
                std::thread::sleep(Duration::from_millis(100 + random.below(1_500) as u64));
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn list(case: &Value, side: &str, measure: &str) -> Vec<f64> {
    case["samples"][side][measure].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn ask(question: &Question, pairs: u32, place: &str) -> [u32; 3] {
    let ground = Ground::new();
    for (path, text) in [("loop.sh", LOOP), ("take.py", TAKE), ("count.sh", COUNT)] {
        ground.write(path, text);
    }
    let margin = if question.measure == "memory" { 0.10 } else { 0.05 };
    let (mut ended, mut runs, mut turns, mut by_hyperfine) = ([0_u32; 3], Vec::new(), 0, 0_u32);
    for pair in 0..pairs {
        let seed = pair.to_string();
        let mut line =
            vec!["bench", "run", "--json", "--quiet", "--seed", &seed, "--measure", question.measure];
        line.extend(["--old-command", question.old]);
        if question.measure == "queries" {
            line.extend(["--counter", "queries=queries: (\\d+)"]);
        }
        line.extend(["--", question.new]);
        let seen = ground.run_arguments(&line);
        let document: Value = serde_json::from_str(&seen.out).unwrap_or_else(|_| panic!("{seen}"));
        assert_eq!(document["schema"], "switchback/bench/1", "{seen}");
        ended[usize::try_from(seen.code).unwrap()] += 1;
        let case = &document["cases"][0];
        turns += case["turns"].as_u64().unwrap();
        let [old, new] = ["old", "new"].map(|side| list(case, side, question.measure));
        runs.push(Runs { old, new });
        if question.measure == "time" {
            by_hyperfine += u32::from(rivals::hyperfine(&ground, question));
        }
    }
    let reported = rivals::pytest_benchmark(&runs, margin);
    let [yes, no, unknown] = ended;
    println!(
        "{place}: {}: yes {yes}, no {no}, could not tell {unknown} of {pairs}; {:.1} turns each; a regression for \
         pytest-benchmark mean {}, min {}, for Welch's test {}, for hyperfine's own runs {by_hyperfine}",
        question.name,
        f64::from(u32::try_from(turns).unwrap()) / f64::from(pairs),
        reported.mean,
        reported.least,
        reported.welch,
    );
    ended
}

fn pairs() -> u32 {
    std::env::var("SWITCHBACK_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(200)
}

/// The questions that are asked: all, or the one that is named.
fn questions() -> Vec<&'static Question> {
    let only = std::env::var("SWITCHBACK_QUESTION").ok();
    let asked: Vec<_> =
        QUESTIONS.iter().filter(|question| only.as_ref().is_none_or(|only| only == question.name)).collect();
    assert!(!asked.is_empty(), "no question is called {only:?}");
    asked
}

#[test]
#[ignore = "slow: half an hour, on a machine that does nothing else"]
fn needs_pypi_pytest_benchmark_needs_hyperfine_bench_pairs_on_a_quiet_machine() {
    let pairs = pairs();
    for question in questions() {
        let [yes, no, unknown] = ask(question, pairs, "quiet");
        if question.is_regression {
            assert!(no * 100 >= pairs * 95, "{}: {no} of {pairs} found", question.name);
            assert_eq!(yes, 0, "{}", question.name);
        } else {
            assert!(no * 100 < pairs * 5, "{}: {no} of {pairs} reported", question.name);
            assert!(unknown * 100 <= pairs * 10, "{}: {unknown} of {pairs} not told", question.name);
        }
    }
}

#[test]
#[ignore = "slow: an hour"]
fn needs_pypi_pytest_benchmark_needs_hyperfine_bench_pairs_beside_a_busy_neighbour() {
    let pairs = pairs();
    let _neighbour = Neighbour::moves_in();
    for question in questions() {
        let [_, no, _] = ask(question, pairs, "busy neighbour");
        if question.is_regression {
            assert!(no * 100 >= pairs * 95, "{}: {no} of {pairs} found", question.name);
        } else {
            assert!(no * 100 < pairs * 5, "{}: {no} of {pairs} reported", question.name);
        }
    }
}
