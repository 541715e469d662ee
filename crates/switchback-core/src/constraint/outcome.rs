//! What was found when constraints were looked at, as facts and as the document `switchback/constraint/1`.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::quantity::counted;
use crate::verdict::Verdict;

/// The name and version of the document.
pub const SCHEMA: &str = "switchback/constraint/1";

/// What was found about some constraints on the same tables.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintOutcome {
    /// The tables that were read, in the order in which they were first named.
    pub tables: Vec<TableSeen>,
    /// One for each constraint, in the order given.
    pub findings: Vec<ConstraintFinding>,
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSeen {
    /// What it is called in SQL.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: u64,
}

/// What was found about one constraint.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstraintFinding {
    /// Its name, or its own words.
    pub name: String,
    /// The key of the plan that it is written with: `holds`.
    pub form: &'static str,
    /// *yes*: no row violates it; *no*: one does; *could not tell*: see `why`.
    pub verdict: Verdict,
    /// Rows that it was about; of a query, the rows of all tables that it reads.
    pub seen: u64,
    /// Of monotony: pairs of neighbours that were held against each other.
    pub pairs: Option<u64>,
    /// How many rows violate it; of keys that are to be unique, how many keys repeat. Exact.
    pub violating: u64,
    /// The first of them, each as names of columns and values, in the order of the columns.
    pub sample: Vec<Vec<(String, Value)>>,
    /// Why it could not be told.
    pub why: Option<String>,
    /// The next move, where there is one.
    pub hint: Option<String>,
}

impl ConstraintFinding {
    /// What was found, in one line without the constraint's name.
    pub fn told(&self) -> String {
        if let Some(why) = &self.why {
            return why.clone();
        }
        let seen = match self.pairs {
            Some(pairs) => {
                format!("{}, {}", counted(self.seen, "row"), counted(pairs, "neighbouring pair"))
            }
            None => counted(self.seen, "row"),
        };
        match (self.verdict, self.form) {
            (Verdict::No, "unique") => format!("{} in {seen}", counted(self.violating, "repeated key")),
            (Verdict::No, "select") => {
                format!("{} selected from {seen}", counted(self.violating, "row"))
            }
            (Verdict::No, _) => format!("{} in {seen}", counted(self.violating, "violation")),
            _ => format!("no violation in {seen}"),
        }
    }

    /// The first row that violates it, in words: `row = 17, price = -3.5`.
    pub fn first(&self) -> Option<String> {
        let row = self.sample.first()?;
        let cells = row.iter().take(CELLS_TOLD).map(|(name, value)| format!("{name} = {}", shown(value)));
        let mut text = cells.collect::<Vec<_>>().join(", ");
        if row.len() > CELLS_TOLD {
            text.push_str(", …");
        }
        Some(text)
    }

    fn to_json(&self) -> Value {
        let rows: Vec<Value> =
            self.sample.iter().map(|row| Value::Object(row.iter().cloned().collect::<Map<_, _>>())).collect();
        let mut document = json!({
            "name": self.name,
            "form": self.form,
            "verdict": self.verdict.word(),
            "rows": self.seen,
            "violating": self.violating,
            "sample": rows,
        });
        for (name, value) in [
            ("pairs", self.pairs.map(Value::from)),
            ("why", self.why.clone().map(Value::from)),
            ("hint", self.hint.clone().map(Value::from)),
        ] {
            if let Some(value) = value {
                document[name] = value;
            }
        }
        document
    }
}

/// Cells of a violating row that a line of words shows.
const CELLS_TOLD: usize = 8;

/// A value as a person reads it: text without quotes.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl ConstraintOutcome {
    /// Of the whole: any *no* makes a *no*, else any *could not tell* makes it that; of no constraint too.
    pub fn verdict(&self) -> Verdict {
        Verdict::all(self.findings.iter().map(|finding| finding.verdict))
    }

    /// One line for a person: what decided the verdict, and the first row that violates.
    pub fn summary(&self) -> String {
        let verdict = self.verdict();
        let Some(first) = self.findings.iter().find(|finding| finding.verdict == verdict) else {
            return "no constraint was looked at".to_owned();
        };
        let seen = || format!("{} hold", counted(self.findings.len() as u64, "constraint"));
        let mut text = match (verdict, self.findings.as_slice()) {
            (Verdict::Yes, [_, _, ..]) => return seen(),
            _ => format!("{}: {}", first.name, first.told()),
        };
        if let Some(row) = first.first() {
            text = format!("{text}; first: {row}");
        }
        let others = self.findings.iter().filter(|finding| finding.verdict == verdict).count() - 1;
        if others > 0 {
            let what = if verdict == Verdict::No { "does not hold" } else { "could not be told" };
            text = format!("{text} (and {others} more {what})");
        }
        text
    }

    /// The document.
    pub fn to_json(&self) -> Value {
        let tables = self.tables.iter().map(
            |table| json!({"name": table.name, "path": table.path.display().to_string(), "rows": table.rows}),
        );
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict().word(),
            "tables": tables.collect::<Vec<_>>(),
            "constraints": self.findings.iter().map(ConstraintFinding::to_json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: Verdict, violating: u64) -> ConstraintFinding {
        ConstraintFinding {
            name: "price > 0".to_owned(),
            form: "holds",
            verdict,
            seen: 3,
            pairs: None,
            violating,
            sample: (0..violating).map(|row| vec![("row".to_owned(), row.into())]).collect(),
            why: (verdict == Verdict::Unknown).then(|| "it saw no row".to_owned()),
            hint: None,
        }
    }

    fn check(findings: &[ConstraintFinding], verdict: Verdict, summary: &str) {
        let outcome = ConstraintOutcome { tables: Vec::new(), findings: findings.to_vec() };
        assert_eq!(outcome.verdict(), verdict);
        assert_eq!(outcome.summary(), summary);
        assert_eq!(outcome.to_json()["verdict"], verdict.word());
    }

    #[test]
    fn a_summary_names_what_decides() {
        let (yes, no, unknown) =
            (finding(Verdict::Yes, 0), finding(Verdict::No, 2), finding(Verdict::Unknown, 0));
        check(&[], Verdict::Unknown, "no constraint was looked at");
        check(std::slice::from_ref(&yes), Verdict::Yes, "price > 0: no violation in 3 rows");
        check(&[yes.clone(), yes.clone()], Verdict::Yes, "2 constraints hold");
        check(&[yes, unknown.clone()], Verdict::Unknown, "price > 0: it saw no row");
        let first = "price > 0: 2 violations in 3 rows; first: row = 0";
        check(&[unknown, no.clone()], Verdict::No, first);
        check(&[no.clone(), no], Verdict::No, &format!("{first} (and 1 more does not hold)"));
    }

    #[test]
    fn pairs_are_counted_beside_rows() {
        let told = ConstraintFinding { pairs: Some(1), ..finding(Verdict::Yes, 0) }.told();
        assert_eq!(told, "no violation in 3 rows, 1 neighbouring pair");
    }
}
