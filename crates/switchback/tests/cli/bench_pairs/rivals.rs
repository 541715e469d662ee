//! What other programs say: pytest-benchmark of the very runs that `bench` made, hyperfine of runs that it makes itself.

use serde_json::Value;

use super::super::ground::{Ground, packages};
use super::Question;

/// The runs of one pair, by side.
pub(super) struct Runs {
    pub(super) old: Vec<f64>,
    pub(super) new: Vec<f64>,
}

/// For how many pairs each rule reports a regression.
#[derive(Default)]
pub(super) struct Reported {
    /// `pytest-benchmark --benchmark-compare-fail=mean:5%`.
    pub(super) mean: usize,
    /// `pytest-benchmark --benchmark-compare-fail=min:5%`.
    pub(super) least: usize,
    /// Welch's test at 5 %, as `hyperfine` has it in a script beside it, of the runs that `bench` made.
    pub(super) welch: usize,
}

/// A clock that shows what was measured before: pytest-benchmark asks it before and after each round.
const CLOCK: &str = "ticks = iter(())
def replay(durations):
    global ticks
    ticks = (tick for duration in durations for tick in (0.0, duration))
def clock():
    return next(ticks)
";

/// One test a pair; each round lasts as long as the run of that pair lasted.
const REPLAYED: &str = "import json, os, pytest, replayed_clock
SIDE = json.load(open(os.environ['RUNS']))
@pytest.mark.parametrize('pair', range(len(SIDE)))
def test_pair(benchmark, pair):
    replayed_clock.replay(SIDE[pair])
    benchmark.pedantic(lambda: None, rounds=len(SIDE[pair]), iterations=1)
";

/// Has pytest-benchmark keep the old runs, and hold the new ones against them.
pub(super) fn pytest_benchmark(pairs: &[Runs], margin: f64) -> Reported {
    let mut ground = Ground::new();
    ground.write("replayed_clock.py", CLOCK);
    ground.write("test_replayed.py", REPLAYED);
    for (file, side) in
        [("old.json", side(pairs, |runs| &runs.old)), ("new.json", side(pairs, |runs| &runs.new))]
    {
        ground.write(file, serde_json::to_vec(&side).unwrap());
    }
    ground.set("PYTHONPATH", &format!("{}:.", packages().display()));
    let arguments = "-m pytest -q -p no:cacheprovider --benchmark-storage=file://kept --benchmark-timer=replayed_clock.clock";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    ground.set("RUNS", "old.json");
    ground.tool("python3", &[&arguments[..], &["--benchmark-save=old"]].concat());
    ground.set("RUNS", "new.json");
    let percent = (margin * 100.0).round();
    let rules = ["mean", "min"].map(|field| format!("{field}:{percent}%"));
    let seen = ground.shell(&format!(
        "python3 {} --benchmark-compare --benchmark-compare-fail {} 2>&1",
        arguments.join(" "),
        rules.join(" ")
    ));
    let said = |field: &str| seen.out.matches(&format!("Field '{field}' has failed")).count();
    let reported = Reported {
        mean: said("mean"),
        least: said("min"),
        welch: pairs.iter().filter(|runs| welch(&runs.old, &runs.new)).count(),
    };
    let is_refused = seen.out.contains("Performance has regressed");
    assert_eq!(is_refused, reported.mean + reported.least > 0, "{seen}");
    // Whatever it says of them, it compared all of them.
    assert_eq!(seen.out.matches("(NOW)").count(), pairs.len(), "{seen}");
    reported
}

fn side(pairs: &[Runs], of: fn(&Runs) -> &Vec<f64>) -> Vec<&Vec<f64>> {
    pairs.iter().map(of).collect()
}

/// Has hyperfine run both programs, one after the other, ten times each, which is the least it does by itself. Whether its script
/// would report a regression.
pub(super) fn hyperfine(ground: &Ground, question: &Question) -> bool {
    let options = ["--shell=none", "--style=none", "--warmup=1", "--runs=10", "--export-json=hyperfine.json"];
    ground.tool("hyperfine", &[&options[..], &[question.old, question.new]].concat());
    let kept: Value = serde_json::from_str(&ground.read("hyperfine.json")).unwrap();
    let times = |index: usize| -> Vec<f64> {
        kept["results"][index]["times"]
            .as_array()
            .unwrap()
            .iter()
            .map(|time| time.as_f64().unwrap())
            .collect()
    };
    welch(&times(0), &times(1))
}

/// Whether the new runs take longer, by Welch's test at 5 % of both sides.
fn welch(old: &[f64], new: &[f64]) -> bool {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count(values);
    let error = |values: &[f64]| {
        let middle = mean(values);
        values.iter().map(|value| (value - middle).powi(2)).sum::<f64>()
            / (count(values) - 1.0)
            / count(values)
    };
    let (one, two) = (error(old), error(new));
    let degrees = (one + two).powi(2) / (one * one / (count(old) - 1.0) + two * two / (count(new) - 1.0));
    // The point of Student's distribution above which 2.5 % lie (Cornish and Fisher).
    let point = 1.96 + (1.96_f64.powi(3) + 1.96) / (4.0 * degrees.max(1.0));
    (mean(new) - mean(old)) / (one + two).sqrt() > point
}

#[expect(clippy::cast_precision_loss, reason = "a few runs")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

/// Two pairs, of which the second takes a tenth longer in every run but its first: seen by the mean and by Welch's test, not by the least.
#[test]
fn needs_pypi_pytest_benchmark_what_was_measured_is_held_by_its_rules() {
    let old = vec![1.00, 1.01, 1.02, 1.01, 1.00];
    let slower: Vec<f64> = [1.00, 1.11, 1.12, 1.11, 1.10].to_vec();
    let pairs = [Runs { old: old.clone(), new: old.clone() }, Runs { old, new: slower }];
    let reported = pytest_benchmark(&pairs, 0.05);
    assert_eq!([reported.mean, reported.least, reported.welch], [1, 0, 1]);
}
