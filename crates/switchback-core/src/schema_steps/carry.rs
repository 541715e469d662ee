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
/// Whether the first value of a query says that it does not hold: false, or the number zero however it is written.
fn is_false(value: &str) -> bool {
    let value = value.trim();
    if value.eq_ignore_ascii_case("f") || value.eq_ignore_ascii_case("false") {
        return true;
    }
    // A number that is only nearly zero is parsed as zero, too.
    let digits = value.split(['e', 'E']).next().unwrap_or_default();
    value.parse::<f64>() == Ok(0.0) && !digits.contains(|letter: char| ('1'..='9').contains(&letter))
}

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
        if noted == Noted::Together { self.settle(link, step, script) } else { Ok(()) }
    }

    /// What is deferred to the end of the transaction happens now, before anybody looks at what the script did.
    fn settle(&self, link: &mut Link<'_>, step: &Step, script: &Script) -> Result<(), Stop> {
        let Some(statement) = self.dialect.settle() else { return Ok(()) };
        link.run(statement).map_err(|error| {
            if error.is_cut {
                return self.failed("carry a statement out in", &error).into();
            }
            let message = format!("at the end of the transaction: {}", error.message);
            self.broken(step, script, script.count(), &message, None)
        })
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
                Ok(FirstValue::Text(value)) if is_false(&value) => {
                    format!("it does not hold: the query gave `{value}`")
                }
                Ok(FirstValue::Text(_)) => continue,
            };
            return refuted(at + 1, &why, None);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::is_false;

    #[test]
    fn zero_is_zero_however_it_is_written() {
        for value in
            ["0", "0.0", "0.00", "-0", "-0.0", "+0", "0.0000", ".0", "0e5", "0E-400", " 0 ", "f", "FALSE"]
        {
            assert!(is_false(value), "{value}");
        }
        for value in ["1", "0.001", "1e-400", "-1e-999", "t", "true", "", "x", "NaN", "inf", "0 rows"] {
            assert!(!is_false(value), "{value}");
        }
    }
}
