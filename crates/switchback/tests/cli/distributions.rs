//! `distribution`: two ensembles in files, told alike, told apart, or not told.

use serde_json::{Value, json};
use switchback_statistics::Random;

use super::ground::{Ground, Seen};

/// Replicates of two statistics, `shift` and `stretch` away from a normal distribution, as a table.
fn replicates(seed: u64, size: usize, (shift, stretch): (f64, f64)) -> Vec<[f64; 2]> {
    let mut random = Random::new(seed, 0);
    (0..size).map(|_| [random.normal(), 40.0 + 0.001 * (shift + stretch * random.normal())]).collect()
}

fn csv(rows: &[[f64; 2]]) -> String {
    let lines: Vec<String> =
        rows.iter().enumerate().map(|(row, [one, two])| format!("r{row},{one},{two}")).collect();
    format!("run,elasticity,rate\n{}\n", lines.join("\n"))
}

fn json_lines(rows: &[[f64; 2]]) -> String {
    let lines: Vec<String> =
        rows.iter().map(|[one, two]| format!("{{\"elasticity\": {one}, \"rate\": {two}}}")).collect();
    lines.join("\n")
}

fn column<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()
}

fn ground(size: usize, change: (f64, f64)) -> Ground {
    let ground = Ground::new();
    ground.write("old.csv", csv(&replicates(1, size, (0.0, 1.0))));
    ground.write("new.csv", csv(&replicates(2, size, change)));
    ground
}

// rows: RE-3
#[test]
fn enough_replicates_of_one_distribution_are_yes() {
    let ground = ground(1000, (0.0, 1.0));
    let seen = ground.expect(0, "distribution old.csv new.csv --seed 7");
    assert!(
        seen.out
            .starts_with("yes: of 2 statistics, 2 are equivalent, 0 are not, 0 are undecided (alpha 0.05, ")
    );
    assert!(seen.out.contains("; seed 7)\n  elasticity: yes: mean "), "{seen}");
    assert!(seen.out.contains("  not compared: run: it is no number (text)\n"), "{seen}");
    let document = ground.expect(0, "distribution old.csv new.csv --seed 7 --json").json();
    assert_eq!(document["schema"], "switchback/distribution/1");
    let rate = column(&document, "rate");
    assert_eq!(rate["more_replicates"], 0);
    assert!(rate["power"].as_f64().unwrap() > 0.9, "{rate}");
    let [low, high] = [0, 1].map(|end| rate["mean"]["interval"][end].as_f64().unwrap());
    assert!(-0.25 < low && low < rate["mean"]["difference"].as_f64().unwrap() && high < 0.25, "{rate}");
    for place in
        ["/sd/ratio", "/sd/interval/0", "/ks/statistic", "/ks/band", "/ks/p", "/ks/p_adjusted", "/sd/bound"]
    {
        assert!(rate.pointer(place).unwrap().is_f64(), "{place}: {rate}");
    }
    assert_eq!(document["seed"], 7);
    assert_eq!(document["not_compared"][0]["column"], "run");
}

// rows: RE-3
#[test]
fn a_shift_and_a_spread_beyond_the_margins_are_no() {
    for change in [(0.6, 1.0), (0.0, 1.8)] {
        let document = ground(1000, change).expect(1, "distribution old.csv new.csv --json").json();
        assert_eq!(column(&document, "elasticity")["verdict"], "yes");
        assert_eq!(column(&document, "rate")["verdict"], "no");
    }
}

// rows: RE-3
#[test]
fn few_replicates_are_unknown_and_say_how_many_more() {
    let ground = ground(8, (0.0, 1.0));
    let seen = ground.expect(2, "distribution old.csv new.csv");
    assert!(
        seen.out.starts_with("could not tell: of 2 statistics, 0 are equivalent, 0 are not, 2 are undecided")
    );
    assert!(seen.out.contains("more replicates on each side would decide"), "{seen}");
    let document = ground.expect(2, "distribution old.csv new.csv --json").json();
    assert!(column(&document, "elasticity")["more_replicates"].as_u64().unwrap() > 100, "{document}");
    assert_eq!(column(&document, "elasticity")["power"], 0.0);
}

#[test]
fn formats_may_differ_and_the_seed_fixes_the_result() {
    let ground = ground(600, (0.0, 1.0));
    ground.write("new.jsonl", json_lines(&replicates(2, 600, (0.0, 1.0))));
    let run = |line: &str| ground.run(&format!("distribution {line} --json")).json()["columns"].clone();
    assert_eq!(run("old.csv new.csv"), run("old.csv new.jsonl"));
    assert_eq!(run("old.csv new.csv --seed 3"), run("old.csv new.csv --seed 3"));
    assert_ne!(run("old.csv new.csv --seed 3"), run("old.csv new.csv --seed 4"));
}

// rows: RE-3
#[test]
fn paired_replicates_that_agree_need_no_statistics() {
    let ground = ground(8, (0.0, 1.0));
    let moved: Vec<[f64; 2]> =
        replicates(1, 8, (0.0, 1.0)).iter().map(|row| row.map(|value| value * (1.0 + 1e-14))).collect();
    ground.write("moved.csv", csv(&moved));
    ground.expect(2, "distribution old.csv moved.csv --paired");
    let seen = ground.expect(0, "distribution old.csv moved.csv --paired --relative 1e-12");
    assert!(seen.out.contains("elasticity: yes: all 8 replicates agree one by one"), "{seen}");
    ground.expect(0, "distribution old.csv moved.csv --paired --ulps 200");
    let document = ground.expect(2, "distribution old.csv new.csv --paired --absolute 1e-12 --json").json();
    assert_eq!(column(&document, "elasticity")["paired"]["different"], 8);
    assert_eq!(column(&document, "elasticity")["paired"]["first_different"], 0);
    assert_eq!(column(&document, "elasticity")["proof"], "intervals");
}

fn failure(seen: &Seen) -> String {
    let document = seen.json();
    assert_eq!(document["schema"], "switchback/error/1", "{seen}");
    let causes = document["error"]["causes"].as_array().unwrap().iter().map(|cause| cause.as_str().unwrap());
    let message = document["error"]["message"].as_str().unwrap();
    assert!(!document["error"]["hint"].as_str().unwrap().is_empty(), "{seen}");
    std::iter::once(message).chain(causes).collect::<Vec<_>>().join(": ")
}

#[test]
fn what_cannot_be_compared_is_an_error_that_says_why() {
    let ground = ground(8, (0.0, 1.0));
    ground.write("longer.csv", csv(&replicates(2, 9, (0.0, 1.0))));
    ground.write("text.csv", "elasticity,rate\na,b\n");
    ground.write("other.csv", "beta\n1.5\n");
    ground.write("empty.csv", "elasticity,rate\n");
    ground.write("folder/a.csv", "x\n1\n");
    ground.write("folder/b.csv", "x\n1\n");
    ground.write("tree.json", "{}");
    for (line, wanted) in [
        ("old.csv gone.csv", "could not compare `old.csv` with `gone.csv`: `gone.csv` does not exist"),
        ("old.csv longer.csv --paired", "there are 8 replicates in OLD and 9 in NEW"),
        ("old.csv other.csv", "the two have no numeric column in common"),
        ("old.csv text.csv", "the two have no numeric column in common"),
        ("empty.csv empty.csv", "the two have no numeric column in common"),
        ("old.csv new.csv --columns beta", "`old.csv` has no column `beta`"),
        ("old.csv other.csv --columns rate", "`other.csv` has no column `rate`"),
        ("old.csv new.csv --columns run", "the column `run` of `old.csv` is no number (text)"),
        ("folder folder", "an ensemble is one table, not a directory"),
        ("tree.json tree.json", "`tree.json` is no table of replicates"),
        ("old.csv new.csv --alpha 0.7", "the level alpha must be above 0 and below 0.5, and is 0.7"),
        (
            "old.csv new.csv --margin-ks 0",
            "the margin of the distribution function must be a finite number above 0",
        ),
        ("old.csv new.csv --alpha 0.0001", "1999 resamples cannot show an interval at the level 0.0001"),
        ("old.csv new.csv --paired --absolute -1", "unexpected argument"),
        ("old.csv new.csv --paired --absolute=-1", "`--absolute` must be a finite number, 0 or more"),
        ("old.csv new.csv --absolute 1", "the following required arguments were not provided"),
    ] {
        let seen = ground.expect(2, &format!("distribution {line} --json"));
        let words = failure(&seen);
        assert!(words.contains(wanted), "{line}: {words}");
    }
}

#[test]
fn a_statistic_that_is_gone_leaves_no_yes() {
    let ground = ground(1000, (0.0, 1.0));
    let rows = replicates(2, 1000, (0.0, 1.0));
    let lines: Vec<String> = rows.iter().map(|[one, _]| format!("{one},x")).collect();
    ground.write("less.csv", format!("elasticity,rate\n{}\n", lines.join("\n")));
    let document = ground.expect(2, "distribution old.csv less.csv --json").json();
    assert_eq!(column(&document, "elasticity")["verdict"], "yes");
    assert_eq!(document["columns_only_old"], json!(["rate"]));
    let seen = ground.expect(2, "distribution old.csv less.csv");
    assert!(seen.out.contains("could not be compared: only OLD has rate as numbers"), "{seen}");
    assert!(seen.out.contains("not compared: rate: it is a number in OLD and text in NEW"), "{seen}");
    ground.expect(0, "distribution old.csv less.csv --columns elasticity");
}

#[test]
fn many_columns_are_held_against_their_number() {
    let ground = Ground::new();
    let table = |seed| {
        let mut random = Random::new(seed, 0);
        let names: Vec<String> = (0..200).map(|number| format!("s{number}")).collect();
        let rows = (0..12).map(|_| {
            let cells: Vec<String> = (0..200).map(|_| random.normal().to_string()).collect();
            cells.join(",")
        });
        let rows: Vec<String> = rows.collect();
        format!("{}\n{}\n", names.join(","), rows.join("\n"))
    };
    ground.write("old.csv", table(1));
    ground.write("new.csv", table(2));
    let below = |document: &Value| {
        let columns = document["columns"].as_array().unwrap();
        columns.iter().filter(|column| column["ks"]["p_adjusted"].as_f64().unwrap() < 0.05).count()
    };
    assert!(below(&ground.expect(1, "distribution old.csv new.csv --json").json()) > 0);
    assert_eq!(below(&ground.expect(2, "distribution old.csv new.csv --adjust bh --json").json()), 0);
}

/// What the check of a plan said about the candidate.
fn staged(ground: &Ground, code: i32) -> (String, String) {
    let seen = ground.expect(code, "run --until staged --restage");
    let document = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().last().unwrap_or_else(|| panic!("{seen}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

// rows: RE-3
#[test]
fn a_plan_compares_ensembles() {
    let side = |tree: &str| {
        format!(
            "{{ tree = \"{tree}\", command = \"cp src/replicates.csv {{out}}/r.csv\", path = \"r.csv\" }}"
        )
    };
    let check = |more: &str| {
        let (old, new) = (side("live"), side("candidate"));
        format!("[[check]]\nname = \"alike\"\nkind = \"distribution\"\nold = {old}\nnew = {new}\n{more}")
    };
    let replicates = |size: u64, shift: f64| {
        let mut random = Random::new(size, 0);
        let lines = (0..size).map(|_| format!("{}\n", random.normal() + shift));
        format!("elasticity\n{}", lines.collect::<String>())
    };
    let ground = Ground::shop(&check(""));
    ground.write("src/replicates.csv", replicates(1000, 0.0));
    for (code, replicates, words) in [
        (0, replicates(1001, 0.0), "of 1 statistics, 1 are equivalent"),
        (1, replicates(1001, 0.9), "1 are not"),
        (2, replicates(8, 0.0), "1 are undecided"),
        (2, "name\nx\n".to_owned(), "no numeric column in common"),
    ] {
        ground.write("../new/src/replicates.csv", replicates);
        let (_, summary) = staged(&ground, code);
        assert!(summary.contains(words), "{summary}");
    }
    ground.write("../new/src/replicates.csv", replicates(1000, 0.0));
    ground.plan("", &check("paired = true\nmargin_ks = 0.01\n"));
    assert_eq!(staged(&ground, 0).0, "yes");
    ground.plan("", &check("margin_ks = 0.01\nalpha = 0.01\nadjust = \"bh\"\nseed = 3\n"));
    assert!(staged(&ground, 2).1.ends_with("(alpha 0.01, margins: mean 0.25, sd 0.25, ks 0.01; seed 3)"));
    ground.plan("", &check("margin_sd = 0\n"));
    assert!(staged(&ground, 2).1.contains("the margin of the standard deviation"));
    ground.plan("", &check("columns = [\"elastic\"]\n"));
    assert!(staged(&ground, 2).1.contains("has no column `elastic`"));
}
