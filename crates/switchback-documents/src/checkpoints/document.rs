//! One document on its way: from version to version, each step proved.

use jaq_json::Val;

use super::rules::{Declared, Rules, Step};
use super::{Count, Taken};
use crate::json_schema::Violation;
use crate::program::Program;
use crate::text::{self, Layout};
use crate::value::{Fault as ValueFault, first_difference, lost_number, text_of, to_json};

/// Why a document cannot be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Counted from 1; 0 when it is the whole.
    pub(super) line: usize,
    pub(super) why: String,
}

impl Fault {
    fn whole(why: impl Into<String>) -> Self {
        Self { line: 0, why: why.into() }
    }

    /// With its line, where it has one.
    pub(super) fn told(&self) -> String {
        if self.line == 0 { self.why.clone() } else { format!("line {}: {}", self.line, self.why) }
    }
}

/// What became of a document.
#[derive(Debug, Default)]
pub(super) struct Migrated {
    pub(super) version: Option<String>,
    pub(super) taken: Vec<Taken>,
    pub(super) violations: Option<Vec<Violation>>,
    /// Its new bytes; nothing where it stays as it is.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Takes every step that there is from the document's version on. Without `takes_steps` it is only looked at.
///
/// # Errors
///
/// When it is no document, when a program fails on it, when a number would be lost.
pub(super) fn migrate(bytes: &[u8], rules: &Rules, takes_steps: bool) -> Result<Migrated, Fault> {
    let old = text::read(bytes).map_err(|error| Fault {
        line: error.line,
        why: format!("column {}: {}", error.column, error.why),
    })?;
    let Some(declared) = &rules.version else { return Ok(Migrated::default()) };
    let first = version_of(&old, declared)?;
    let mut value = old.clone();
    let mut version = first.clone();
    let mut taken = Vec::new();
    let mut violations = None;
    // Steps do not go round: the rules were refused else. Each version is asked for its schema: a later one may not have one.
    while takes_steps
        && violations.as_ref().is_none_or(Vec::is_empty)
        && let Some(step) = rules.steps.iter().find(|step| step.from == version)
    {
        let (next, proof) = take(step, &value, declared)?;
        version.clone_from(&step.to);
        value = next;
        taken.push(proof);
        violations = asked(rules, &version, &value)?.or(violations);
    }
    if !rules.knows(&version) {
        let why = format!("it says that its version is {version}, which neither a step nor a schema knows");
        return Err(Fault::whole(why));
    }
    if taken.is_empty() {
        violations = asked(rules, &version, &value)?;
    }
    let is_same = taken.is_empty() || first_difference(&old, &value).is_none();
    let new_bytes = (!is_same).then(|| Layout::of(bytes).write(&value));
    Ok(Migrated { version: Some(first), taken, violations, bytes: new_bytes })
}

/// What the schema of a version says; nothing where it has none.
fn asked(rules: &Rules, version: &str, value: &Val) -> Result<Option<Vec<Violation>>, Fault> {
    let Some(schema) = rules.schema(version) else { return Ok(None) };
    let document = to_json(value).map_err(|fault| not_json("the document", &fault))?;
    Ok(Some(schema.violations(&document)))
}

fn not_json(what: &str, fault: &ValueFault) -> Fault {
    let place =
        if fault.pointer.is_empty() { "as a whole".to_owned() } else { format!("at `{}`", fault.pointer) };
    Fault::whole(format!("{what} is no JSON {place}: {}", fault.why))
}

fn run(program: &Program, value: &Val) -> Result<Val, Fault> {
    program.run(value).map_err(|error| Fault::whole(error.to_string()))
}

/// The version that a document says it has.
fn version_of(value: &Val, declared: &Declared) -> Result<String, Fault> {
    let said = run(&declared.program, value)?;
    match &said {
        Val::Null => declared.missing.clone().ok_or_else(|| {
            Fault::whole("it says no version, and the rules have no `missing` for such documents")
        }),
        Val::Num(number) => Ok(number.to_string()),
        Val::TStr(_) => Ok(text_of(&said).unwrap_or_default().to_owned()),
        _ => Err(Fault::whole("what it says for its version is neither a text nor a number")),
    }
}

fn take(step: &Step, old: &Val, declared: &Declared) -> Result<(Val, Taken), Fault> {
    let words = format!("the step {} → {}", step.from, step.to);
    let new = run(&step.program, old)?;
    to_json(&new).map_err(|fault| not_json(&format!("what {words} makes"), &fault))?;
    if !step.may_round
        && let Some(place) = lost_number(old, &new)
    {
        return Err(Fault::whole(format!(
            "{words} does not keep the number at `{place}`, which no double holds; \
             let it pass as it is, or allow it with `rounds = true`"
        )));
    }
    let now = version_of(&new, declared)?;
    if now != step.to {
        return Err(Fault::whole(format!("{words} leaves a document that says version {now}")));
    }
    let mut counts = Vec::new();
    for counted in &step.counts {
        counts.push(Count {
            old: counted.old.0.clone(),
            new: counted.new.0.clone(),
            items_old: items(&counted.old, old)?,
            items_new: items(&counted.new, &new)?,
        });
    }
    let round_trip = match &step.inverse {
        Some(inverse) => Some(match first_difference(old, &run(inverse, &new)?) {
            None => Ok(()),
            Some(place) => Err(place),
        }),
        None => None,
    };
    Ok((new, Taken { from: step.from.clone(), to: step.to.clone(), counts, round_trip }))
}

/// How many items a list, or how many members an object has.
fn items((code, program): &(String, Program), value: &Val) -> Result<u64, Fault> {
    match run(program, value)? {
        Val::Arr(items) => Ok(items.len() as u64),
        Val::Obj(members) => Ok(members.len() as u64),
        _ => Err(Fault::whole(format!("`{code}` is neither a list nor an object: nothing to be counted"))),
    }
}
