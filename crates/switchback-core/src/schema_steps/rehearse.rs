//! Steps tried on a copy: deployed, verified, reverted, and the copy compared with what it was.

use super::SchemaRequest;
use super::content::Shape;
use super::deploy::{DeployOptions, deploy};
use super::exception::Exceptions;
use super::job::Job;
use super::kept::Before;
use super::outcome::{Failed, Loss, SchemaOutcome};
use super::revert::{RevertOptions, RevertTo, revert};
use super::standing::Standing;
use crate::port::{PortError, StatementError};
use crate::quantity::counted;
use crate::verdict::Verdict;

/// So many differences are named.
const NAMED_MAX: usize = 10;

/// What came of steps on a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// *Yes*: all went in, held, went out again, and the copy holds what it held.
    pub verdict: Verdict,
    /// The steps that were deployed.
    pub steps: Vec<String>,
    /// What was seen, in one line.
    pub what: String,
}

/// What the scripts of all steps are, in one hash, in hexadecimal.
///
/// # Errors
///
/// When the steps cannot be read.
pub fn fingerprint(request: &SchemaRequest) -> Result<String, PortError> {
    let mut hasher = blake3::Hasher::new();
    for step in &Job::new(request)?.steps {
        for word in [step.name.as_str()].into_iter().chain(step.hashes()) {
            hasher.update(&(word.len() as u64).to_le_bytes());
            hasher.update(word.as_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The steps of a folder that are in the database, and those that are not, up to and with `to`.
///
/// # Errors
///
/// When steps or database cannot be read.
pub fn standing(request: &SchemaRequest, to: Option<&str>) -> Result<(Vec<String>, Vec<String>), PortError> {
    let job = Job::new(request)?;
    let all = job.stand(&mut job.link(true)?)?;
    let there = all.iter().filter(|one| one.record.is_some()).map(|one| one.name.clone()).collect();
    let end = to.and_then(|to| all.iter().position(|one| one.name == to)).map_or(all.len(), |at| at + 1);
    let is_open = |standing| matches!(standing, Standing::Pending | Standing::HalfDeployed);
    let open = all[..end].iter().filter(|one| is_open(one.standing));
    Ok((there, open.map(|one| one.name.clone()).collect()))
}

/// What stands in the columns and tables that steps which are not deployed yet declare to drop, in one hash; empty where they drop
/// nothing. A revert brings back columns and tables, and not what stood in them, so that a rehearsal holds for this alone.
///
/// # Errors
///
/// When steps or database cannot be read.
pub fn dropped(request: &SchemaRequest, to: Option<&str>) -> Result<String, PortError> {
    let (_, pending) = standing(request, to)?;
    let job = Job::new(request)?;
    let mut link = job.link(true)?;
    let ours = |error: StatementError| job.failed("compare what is in", &error);
    let mut hasher = blake3::Hasher::new();
    let mut has_any = false;
    let steps: Vec<_> = job.steps.iter().filter(|step| pending.contains(&step.name)).collect();
    for (name, table) in &link.shape().map_err(ours)? {
        let is_dropped = |column: &String| {
            steps
                .iter()
                .any(|step| step.exceptions.drops_table(name) || step.exceptions.drops_column(name, column))
        };
        let columns: Vec<String> = table.names().into_iter().filter(is_dropped).collect();
        if !columns.is_empty() {
            has_any = true;
            let content = link.content(&table.sql, &columns, &mut |_| {}).map_err(ours)?;
            hasher.update(content.to_json().to_string().as_bytes());
        }
    }
    Ok(if has_any { hasher.finalize().to_hex().to_string() } else { String::new() })
}

/// How far a revert goes that leaves all but these steps.
pub fn behind(there: &[String], steps: &[String]) -> RevertTo {
    let first = there.iter().position(|one| steps.contains(one));
    match first.and_then(|at| at.checked_sub(1)).and_then(|at| there.get(at)) {
        Some(last) => RevertTo::Step(last.clone()),
        None => RevertTo::All,
    }
}

/// Deploys what is not deployed into a copy that nobody else has, and reverts it.
///
/// # Errors
///
/// When steps or database cannot be read, or a copy of the copy not be made.
pub fn rehearse(request: &SchemaRequest, to: Option<&str>) -> Result<Rehearsed, PortError> {
    let (there, steps) = standing(request, to)?;
    let before = content(request)?;
    let options = DeployOptions { to: to.map(str::to_owned), no_copy: true, ..DeployOptions::default() };
    let deployed = deploy(request, &options)?;
    if deployed.verdict != Verdict::Yes {
        return Ok(stopped(&deployed, steps, "the steps cannot be deployed"));
    }
    if steps.is_empty() {
        let what = format!("nothing to deploy: all {} are there", counted(there.len() as u64, "step"));
        return Ok(Rehearsed { verdict: Verdict::Yes, steps, what });
    }
    let (now, _) = standing(request, None)?;
    let options = RevertOptions { to: behind(&now, &steps), ..RevertOptions::default() };
    let reverted = revert(request, &options)?;
    if reverted.verdict != Verdict::Yes {
        return Ok(stopped(&reverted, steps, "the steps cannot be reverted"));
    }
    let differences = different(request, &before)?;
    let (tables, rows) = (before.0.len() as u64, before.1.rows());
    let verdict = if differences.is_empty() { Verdict::Yes } else { Verdict::No };
    let what = if differences.is_empty() {
        format!(
            "{} in and out again on a copy: {} in {} are as they were",
            counted(steps.len() as u64, "step"),
            counted(rows, "row"),
            counted(tables, "table")
        )
    } else {
        format!("the revert does not restore what was there: {}", differences.join("; "))
    };
    Ok(Rehearsed { verdict, steps, what })
}

fn content(request: &SchemaRequest) -> Result<(Shape, Before), PortError> {
    let job = Job::new(request)?;
    let mut link = job.link(true)?;
    let ours = |error: StatementError| job.failed("compare what is in", &error);
    let shape = link.shape().map_err(ours)?;
    let before = link.before(&shape, &Exceptions::default()).map_err(ours)?;
    Ok((shape, before))
}

fn different(request: &SchemaRequest, before: &(Shape, Before)) -> Result<Vec<String>, PortError> {
    let job = Job::new(request)?;
    let mut link = job.link(true)?;
    let ours = |error: StatementError| job.failed("compare what is in", &error);
    let shape = link.shape().map_err(ours)?;
    let mut differences = link.kept(&before.1, &shape, &Exceptions::default()).map_err(ours)?.differences;
    for (name, table) in &shape {
        match before.0.get(name) {
            None => differences.push(format!("the table `{name}` is left")),
            Some(then) => {
                let left = table.names().into_iter().filter(|column| !then.has(column));
                differences.extend(left.map(|column| format!("the column `{name}.{column}` is left")));
            }
        }
    }
    differences.truncate(NAMED_MAX);
    Ok(differences)
}

fn stopped(outcome: &SchemaOutcome, steps: Vec<String>, what: &str) -> Rehearsed {
    Rehearsed { verdict: outcome.verdict, steps, what: format!("{what}: {}", outcome.why()) }
}

impl SchemaOutcome {
    /// Why it went no further, in one line.
    pub fn why(&self) -> String {
        let failed = self.failed.iter().map(Failed::told);
        let lost = self.lost.iter().filter(|loss| !loss.gone).map(Loss::told);
        let why: Vec<String> = failed.chain(self.refused.iter().cloned()).chain(lost).collect();
        why.join("; ")
    }
}
