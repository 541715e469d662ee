//! The record of a test run, `switchback/test-run/1`: one small JSON document, kept as evidence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counts, NamesKnown, ResultsError, TestOutcome, TestRun, error};

/// The name and version of the format.
pub const FORMAT: &str = "switchback/test-run/1";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    format: String,
    names: String,
    end_told: bool,
    stopped: Option<String>,
    counts: CountsRecord,
    outcomes: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountsRecord {
    passed: u64,
    failed: u64,
    errors: u64,
    skipped: u64,
    xfailed: u64,
    xpassed: u64,
}

/// Only the version, so that a record of another one is named and not called damaged.
#[derive(Debug, Deserialize)]
struct Version {
    format: String,
}

/// Writes the record of `run`: the same bytes for the same run, names in order, a line feed at the end.
pub fn write(run: &TestRun) -> Result<String, ResultsError> {
    let Counts { passed, failed, errors, skipped, xfailed, xpassed } = run.counts;
    let record = Record {
        format: FORMAT.to_owned(),
        names: run.names.word().to_owned(),
        end_told: run.end_told,
        stopped: run.stopped.clone(),
        counts: CountsRecord { passed, failed, errors, skipped, xfailed, xpassed },
        outcomes: run.outcomes.iter().map(|(name, end)| (name.clone(), end.word().to_owned())).collect(),
    };
    let mut text = serde_json::to_string(&record).map_err(|source| damaged(&source))?;
    text.push('\n');
    Ok(text)
}

/// Reads what [`write()`] wrote, and refuses a record whose counts are not those of its outcomes.
pub fn read(text: &str) -> Result<TestRun, ResultsError> {
    if text.len() > error::INPUT_BYTES_MAX {
        let max = error::INPUT_BYTES_MAX as u64;
        return Err(ResultsError::TooMuch { what: "bytes", found: text.len() as u64, max });
    }
    let version: Version = serde_json::from_str(text).map_err(|source| damaged(&source))?;
    if version.format != FORMAT {
        let found = version.format;
        return Err(refused(format!("it has the format `{found}`; this program reads `{FORMAT}`")));
    }
    let record: Record = serde_json::from_str(text).map_err(|source| damaged(&source))?;
    let names = NamesKnown::from_word(&record.names)
        .ok_or_else(|| refused(format!("`{}` does not say which names are known", record.names)))?;
    let mut outcomes = BTreeMap::new();
    for (name, word) in record.outcomes {
        let outcome = TestOutcome::from_word(&word)
            .ok_or_else(|| refused(format!("test `{name}` has the unknown outcome `{word}`")))?;
        outcomes.insert(name, outcome);
    }
    let CountsRecord { passed, failed, errors, skipped, xfailed, xpassed } = record.counts;
    let counts = Counts { passed, failed, errors, skipped, xfailed, xpassed };
    let run = TestRun { outcomes, names, counts, stopped: record.stopped, end_told: record.end_told };
    check(&run)?;
    Ok(run)
}

fn check(run: &TestRun) -> Result<(), ResultsError> {
    error::bounded(&run.outcomes)?;
    let counted = Counts::of(run.outcomes.values().copied());
    let agree = match run.names {
        NamesKnown::All => counted == run.counts,
        NamesKnown::AllButSkipped => {
            counted.skipped <= run.counts.skipped
                && Counts { skipped: run.counts.skipped, ..counted } == run.counts
        }
        // A test with several failures is one outcome and several counts.
        NamesKnown::FailedOnly => {
            run.outcomes.values().all(|outcome| outcome.is_bad())
                && counted.bad() <= run.counts.bad()
                && (counted.bad() == 0) == (run.counts.bad() == 0)
        }
        NamesKnown::None => run.outcomes.is_empty(),
    };
    if !agree {
        return Err(refused("its counts are not those of its outcomes".to_owned()));
    }
    if run.stopped.is_some() && run.counts.bad() == 0 {
        return Err(refused("it was cut short and holds no failure".to_owned()));
    }
    Ok(())
}

fn damaged(source: &serde_json::Error) -> ResultsError {
    refused(source.to_string())
}

fn refused(reason: String) -> ResultsError {
    ResultsError::Record { reason }
}
