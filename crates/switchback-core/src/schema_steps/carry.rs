//! Scripts carried out: statements one at a time, commands as a whole, and what verifies.

use std::time::Duration;

use super::dialect::Dialect;
use super::job::{Job, Stop};
use super::link::Link;
use super::outcome::Failed;
use super::step::{Script, Step, Work};
use crate::port::FirstValue;
use crate::world::{Command, Finished};

/// A command of a step takes no longer.
const COMMAND_TIMEOUT: Duration = Duration::from_hours(24);
/// The first value of a query that does not hold.
const FALSE: &[&str] = &["0", "0.0", "f", "false", "F", "FALSE"];

/// Whether the statements of a script are written down one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// They are one transaction with the row of the step.
    Together,
    /// Each is written down before and after.
    OneByOne,
}

impl Job<'_> {
    /// Carries a script out from behind its statement `done`.
    pub(super) fn carry(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        script: &Script,
        done: usize,
        noted: Noted,
    ) -> Result<(), Stop> {
        for number in done + 1..=script.count() {
            if noted == Noted::OneByOne {
                link.note(&step.name, number, number - 1)
                    .map_err(|error| self.failed("write down a step of", &error))?;
            }
            match &script.work {
                Work::Sql(statements) => {
                    let Some(statement) = statements.get(number - 1) else { continue };
                    if let Err(error) = link.run(&statement.text) {
                        if error.is_cut {
                            return Err(self.failed("carry a statement out in", &error).into());
                        }
                        if noted == Noted::OneByOne {
                            // The database says that it was not carried out.
                            link.note(&step.name, number - 1, number - 1)
                                .map_err(|error| self.failed("write down a step of", &error))?;
                        }
                        return Err(self.broken(step, script, number, &error.message, error.offset));
                    }
                }
                Work::Command => {
                    let finished = self.command(link, script)?;
                    if !finished.succeeded() {
                        let said = finished.last_line().unwrap_or_else(|| "it said nothing".to_owned());
                        let message = format!("the command ended with {}: {said}", finished.ending());
                        return Err(self.broken(step, script, number, &message, None));
                    }
                }
            }
            if noted == Noted::OneByOne {
                link.note(&step.name, number, number)
                    .map_err(|error| self.failed("write down a step of", &error))?;
            }
        }
        Ok(())
    }

    /// Runs the command of a script in the root of the project.
    fn command(&self, link: &mut Link<'_>, script: &Script) -> Result<Finished, Stop> {
        let path = self.request.steps.join(&script.path).display().to_string();
        let command = Command {
            argv: vec!["/bin/sh".to_owned(), path],
            directory: self.request.root.clone(),
            variables: self.target.variables(),
            timeout: COMMAND_TIMEOUT,
            output_bytes_max: 1 << 20,
            confinement: self.request.confinement.clone(),
        };
        // DuckDB lets no second process open a file that is open for writing.
        let is_exclusive = self.dialect == Dialect::Duckdb;
        if is_exclusive {
            link.close();
        }
        let finished = self.request.world.processes.run(&command).map_err(|error| {
            crate::port::PortError::new(
                format!("could not run `{}`", script.path.display()),
                vec![error.to_string()],
            )
        })?;
        if is_exclusive {
            let place = self.target.place(link.is_read_only(), false);
            link.reopen(self.request.schemas.open(&place)?);
        }
        Ok(finished)
    }

    /// Looks whether a step holds. `None`: it does; else why not. A step that says that nothing verifies it holds.
    pub(super) fn look(&self, link: &mut Link<'_>, step: &Step) -> Result<Option<Failed>, Stop> {
        let Some(script) = &step.verify else { return Ok(None) };
        let refuted = |number: usize, why: &str, offset: Option<usize>| match self
            .broken(step, script, number, why, offset)
        {
            Stop::Failed(failed) => Ok(Some(*failed)),
            other => Err(other),
        };
        let statements = match &script.work {
            Work::Sql(statements) => statements,
            Work::Command => {
                let finished = self.command(link, script)?;
                if finished.succeeded() {
                    return Ok(None);
                }
                let said = finished.last_line().unwrap_or_else(|| "it said nothing".to_owned());
                return refuted(1, &format!("it does not hold: {}: {said}", finished.ending()), None);
            }
        };
        for (at, statement) in statements.iter().enumerate() {
            let answer = if statement.is_query() {
                link.first(&self.dialect.asked(&statement.text))
            } else {
                link.run(&statement.text).map(|()| FirstValue::Text("done".to_owned()))
            };
            let why = match answer {
                Err(error) if error.is_cut => return Err(self.failed("verify", &error).into()),
                Err(error) => {
                    return refuted(at + 1, &format!("it does not hold: {}", error.message), error.offset);
                }
                Ok(FirstValue::NoRow) => "it does not hold: the query gave no row".to_owned(),
                Ok(FirstValue::Null) => "it does not hold: the query gave null".to_owned(),
                Ok(FirstValue::Text(value)) if FALSE.contains(&value.as_str()) => {
                    format!("it does not hold: the query gave `{value}`")
                }
                Ok(FirstValue::Text(_)) => continue,
            };
            return refuted(at + 1, &why, None);
        }
        Ok(None)
    }
}
