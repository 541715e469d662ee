//! Where the steps stand, and whether they hold.

use super::SchemaRequest;
use super::job::{Job, Stop, told};
use super::outcome::SchemaOutcome;
use super::standing::{Standing, refusals};
use crate::port::PortError;
use crate::verdict::Verdict;

/// Tells where each step stands. *yes*: folder and database agree, whether all is deployed or not; *no*: they contradict each
/// other; *could not tell*: a step is half done.
///
/// # Errors
///
/// When steps or database cannot be read.
pub fn status(request: &SchemaRequest) -> Result<SchemaOutcome, PortError> {
    let job = Job::new(request)?;
    let mut outcome = SchemaOutcome::new("status", job.target.name());
    let mut link = job.link(true)?;
    let all = job.stand(&mut link)?;
    outcome.steps = told(&all);
    outcome.refused = refusals(&all, false);
    let half = all.iter().any(|one| matches!(one.standing, Standing::HalfDeployed | Standing::HalfReverted));
    outcome.verdict = match (outcome.refused.is_empty(), half) {
        (false, _) => Verdict::No,
        (true, true) => Verdict::Unknown,
        (true, false) => Verdict::Yes,
    };
    outcome.next = match () {
        () if !outcome.refused.is_empty() => {
            Some("put back what was deployed, and write a new step for what is to be otherwise".to_owned())
        }
        () if half => {
            Some("`switchback schema deploy` or `revert` goes on, or says what nobody knows".to_owned())
        }
        () if all.iter().any(|one| one.standing == Standing::Pending) => {
            Some("`switchback schema deploy --dry-run` shows what would be carried out".to_owned())
        }
        () => None,
    };
    Ok(outcome)
}

/// Looks whether each deployed step holds. Without a deployed step, or where one has nothing that verifies it, it could not be told.
///
/// # Errors
///
/// When steps or database cannot be read.
pub fn verify(request: &SchemaRequest) -> Result<SchemaOutcome, PortError> {
    let job = Job::new(request)?;
    let mut outcome = SchemaOutcome::new("verify", job.target.name());
    let mut link = job.link(true)?;
    let all = job.stand(&mut link)?;
    outcome.steps = told(&all);
    outcome.refused = refusals(&all, true);
    let mut verdicts = Vec::new();
    for (one, told) in all.iter().zip(&mut outcome.steps) {
        let (Some(step), Standing::Deployed | Standing::HalfDeployed | Standing::HalfReverted) =
            (&one.step, one.standing)
        else {
            continue;
        };
        let verdict = match (&step.verify, one.standing) {
            (Some(_), Standing::Deployed) => {
                link.begin().map_err(|error| job.failed("verify", &error))?;
                let looked = job.look(&mut link, step);
                link.roll_back();
                match looked {
                    Ok(None) => Verdict::Yes,
                    Ok(Some(failed)) => {
                        told.note = Some(failed.told());
                        outcome.failed.get_or_insert(failed);
                        Verdict::No
                    }
                    Err(Stop::Error(error)) => return Err(error),
                    Err(_) => Verdict::Unknown,
                }
            }
            (None, Standing::Deployed) => {
                told.note = Some("nothing verifies it".to_owned());
                Verdict::Unknown
            }
            _ => Verdict::Unknown,
        };
        told.verified = Some(verdict);
        verdicts.push(verdict);
    }
    outcome.verdict = Verdict::all(verdicts);
    if !outcome.refused.is_empty() {
        outcome.verdict = Verdict::No;
    }
    Ok(outcome)
}
