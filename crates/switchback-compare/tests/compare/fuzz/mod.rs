//! Damaged files of every format end in a verdict or in an error that names the file: no panic, no waste of time or memory.

mod corpus;
mod mutation;

use std::path::Path;
use std::time::{Duration, Instant};

use switchback_core::port::Comparer;
use switchback_core::rule::Rule;
use switchback_core::verdict::Verdict;

use super::{comparer, key};
use corpus::Good;
use mutation::{Draws, damaged};

/// How many damages of each format are tried in an ordinary run, and in a slow one.
const DAMAGES: usize = 400;
const DAMAGES_SLOW: usize = 20_000;
/// The longest that one damaged file of a few kilobytes may take.
const LONGEST: Duration = Duration::from_secs(10);
/// The most memory that the whole test may have taken.
const PEAK_BYTES_MAX: u64 = 576 * 1024 * 1024;

/// The most memory that this process has had, in bytes.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Compares good files with damaged ones: so many in all, each of a seed of its own.
fn check(files: &[Good], damages: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (mut errors, mut tried) = (0, 0);
    for (number, good) in files.iter().enumerate() {
        let old = folder.path().join(format!("good{number}.{}", good.ending));
        let new = folder.path().join(format!("bad.{}", good.ending));
        std::fs::write(&old, &good.bytes).unwrap();
        let same = comparer().compare(&old, &old, &Rule::default()).unwrap();
        assert_eq!(same.verdict, Verdict::Yes, "good{number}.{} can be read", good.ending);
        for seed in 0..damages / files.len() {
            let mut draws = Draws::new((number * damages + seed) as u64);
            let bytes = damaged(&good.bytes, &mut draws);
            std::fs::write(&new, &bytes).unwrap();
            errors += usize::from(is_refused(&old, &new, seed));
            tried += 1;
        }
    }
    assert!(errors * 10 > tried, "only {errors} of {tried} damages were refused");
    // Under `cargo test` other tests take memory in the same process; nextest gives each test its own.
    let peak = if std::env::var_os("NEXTEST").is_some() { peak_bytes() } else { 0 };
    assert!(peak <= PEAK_BYTES_MAX, "{peak} bytes of memory were taken");
}

fn is_refused(old: &Path, new: &Path, seed: usize) -> bool {
    let begun = Instant::now();
    let rule = if seed.is_multiple_of(2) { Rule::default() } else { key(&["id"]) };
    let result = comparer().compare(old, new, &rule);
    let took = begun.elapsed();
    assert!(took < LONGEST, "{} of seed {seed} took {took:?}", new.display());
    match result {
        Ok(answer) => {
            assert!(answer.report.contains("verdict"), "seed {seed}");
            false
        }
        Err(error) => {
            let causes = error.causes.join("\n");
            // A file that still reads may lack the key.
            assert!(
                causes.contains("bad.") || causes.contains("`id`") || causes.contains("cannot be followed"),
                "seed {seed}: {error:?}"
            );
            true
        }
    }
}

macro_rules! fuzzed {
    ($($format:ident: $ordinary:ident, $slow:ident;)*) => {$(
        #[test]
        fn $ordinary() {
            check(&corpus::$format(), DAMAGES);
        }

        #[test]
        #[ignore = "slow: thousands of damaged files"]
        fn $slow() {
            check(&corpus::$format(), DAMAGES_SLOW);
        }
    )*};
}

fuzzed! {
    parquet: damaged_parquet, very_many_damaged_parquet;
    arrow: damaged_arrow, very_many_damaged_arrow;
    numpy: damaged_arrays, very_many_damaged_arrays;
    workbooks: damaged_workbooks, very_many_damaged_workbooks;
    text: damaged_text, very_many_damaged_text;
    documents: damaged_documents, very_many_damaged_documents;
}
