//! What was found and done, as facts and as the document `switchback/schema/1`.

use serde_json::{Value, json};

use crate::quantity::counted;
use crate::verdict::Verdict;

/// The name and version of the document.
pub const SCHEMA: &str = "switchback/schema/1";

/// What a command about a schema found and did.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaOutcome {
    /// *yes*: it is done, or holds; *no*: a step failed, does not hold, or was refused; *could not tell*: see `refused`.
    pub verdict: Verdict,
    /// What was asked for: `status`, `deploy`, `verify`, `revert`.
    pub doing: &'static str,
    /// The database, without user and password.
    pub database: String,
    /// Every step as it is now, in order.
    pub steps: Vec<StepTold>,
    /// The steps that were deployed, or reverted, in the order in which that was done.
    pub done: Vec<String>,
    /// What was undone after a step had failed, in the order in which that was done.
    pub undone: Vec<String>,
    /// The statement that failed.
    pub failed: Option<Failed>,
    /// Why it went no further.
    pub refused: Vec<String>,
    /// What was there before, and is there now as it was; `None` where nothing was compared.
    pub kept: Option<Kept>,
    /// Rows and values that a revert takes away, or would.
    pub lost: Vec<Loss>,
    /// The copy that was made before.
    pub copy: Option<String>,
    /// The scripts that would be carried out.
    pub planned: Vec<Planned>,
    /// The next move.
    pub next: Option<String>,
}

/// One step as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTold {
    /// Its name.
    pub name: String,
    /// The word for where it stands: `pending`, `deployed`, `half-deployed`, `half-reverted`, `missing`, `late`.
    pub state: &'static str,
    /// Whether it holds, where that was looked at.
    pub verified: Option<Verdict>,
    /// When it was deployed.
    pub time: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// What there is to say about it.
    pub note: Option<String>,
}

/// A statement that the database did not carry out, or a command that ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The step.
    pub step: String,
    /// The file, below the folder of the steps.
    pub file: String,
    /// The number of the statement, from 1; of a command 1.
    pub statement: usize,
    /// How many there are.
    pub statements: usize,
    /// The line in the file.
    pub line: usize,
    /// Its first line.
    pub text: String,
    /// What the database says.
    pub message: String,
}

/// What was compared before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Tables that were there before the last step, and are compared.
    pub tables: u64,
    /// Rows in them.
    pub rows: u64,
    /// What is not as it was, a sentence each.
    pub differences: Vec<String>,
}

/// What a revert takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The step whose revert it is.
    pub step: String,
    /// The table.
    pub table: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// How many rows, or values that are not null.
    pub rows: u64,
    /// How many of them were there right after the deploy.
    pub rows_at_deploy: u64,
    /// Whether they are gone; else they would be, and nothing of that step was reverted.
    pub gone: bool,
    /// Whether the column stays with other values, of which another deploy would not make these again.
    pub stays: bool,
    /// Where they were written to.
    pub file: String,
}

/// A script that would be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The step.
    pub step: String,
    /// The file, below the folder of the steps.
    pub file: String,
    /// Whether it is one transaction.
    pub in_transaction: bool,
    /// What it declares that it changes of what was there before.
    pub declared: Vec<String>,
    /// Its statements, each with its line; passwords are not shown.
    pub statements: Vec<(usize, String)>,
}

impl Failed {
    /// Where it is and what is wrong, in one line.
    pub fn told(&self) -> String {
        format!(
            "step `{}`, `{}` line {}, statement {} of {}: {}",
            self.step,
            self.file,
            self.line,
            self.statement,
            self.statements,
            self.message.lines().collect::<Vec<_>>().join(" ")
        )
    }

    fn to_json(&self) -> Value {
        json!({
            "step": self.step,
            "file": self.file,
            "statement": self.statement,
            "statements": self.statements,
            "line": self.line,
            "text": self.text,
            "message": self.message,
        })
    }
}

impl Planned {
    /// As lines of SQL, what is special about it as comments.
    pub fn lines(&self) -> Vec<String> {
        let how = if self.in_transaction { "one transaction" } else { "no transaction" };
        let mut lines = vec![format!("-- {}: {how}", self.file)];
        lines.extend(self.declared.iter().map(|declared| format!("-- {declared}")));
        lines.extend(self.statements.iter().map(|(_, statement)| format!("{statement};")));
        lines
    }
}

impl Kept {
    /// In one line: what was compared.
    pub fn told(&self) -> String {
        let what = format!("{} in {}", counted(self.rows, "row"), counted(self.tables, "table"));
        match (self.tables, self.differences.len()) {
            (0, 0) => "nothing was there before that had to stay".to_owned(),
            (_, 0) => format!("{what} that were there before are as they were"),
            (_, number) => format!("of {what}, {} not as before", counted(number as u64, "thing")),
        }
    }
}

impl Loss {
    /// In one line: what, how many, and where it was written to.
    pub fn told(&self) -> String {
        let what = match &self.column {
            Some(column) => format!("{} of `{}.{column}`", counted(self.rows, "value"), self.table),
            None => format!("{} of `{}`", counted(self.rows, "row"), self.table),
        };
        let since = match self.rows_at_deploy {
            _ if self.stays => "another deploy would not bring them back".to_owned(),
            0 => "all written since the deploy".to_owned(),
            there => format!("{there} at the deploy"),
        };
        format!("{what} ({since}), kept in `{}`", self.file)
    }

    fn to_json(&self) -> Value {
        json!({
            "step": self.step,
            "table": self.table,
            "column": self.column,
            "rows": self.rows,
            "rows_at_deploy": self.rows_at_deploy,
            "gone": self.gone,
            "stays": self.stays,
            "file": self.file,
        })
    }
}

impl SchemaOutcome {
    pub(super) fn new(doing: &'static str, database: &str) -> Self {
        Self {
            verdict: Verdict::Unknown,
            doing,
            database: database.to_owned(),
            steps: Vec::new(),
            done: Vec::new(),
            undone: Vec::new(),
            failed: None,
            refused: Vec::new(),
            kept: None,
            lost: Vec::new(),
            copy: None,
            planned: Vec::new(),
            next: None,
        }
    }

    /// The document.
    pub fn to_json(&self) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                json!({
                    "name": step.name,
                    "state": step.state,
                    "verified": step.verified.map(Verdict::word),
                    "time": step.time,
                    "actor": step.actor,
                    "note": step.note,
                })
            })
            .collect();
        let planned: Vec<Value> = self
            .planned
            .iter()
            .map(|script| {
                let statements: Vec<Value> = script
                    .statements
                    .iter()
                    .map(|(line, text)| json!({"line": line, "text": text}))
                    .collect();
                json!({
                    "step": script.step,
                    "file": script.file,
                    "in_transaction": script.in_transaction,
                    "declared": script.declared,
                    "statements": statements,
                })
            })
            .collect();
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict.word(),
            "command": self.doing,
            "database": self.database,
            "steps": steps,
            "done": self.done,
            "undone": self.undone,
            "failed": self.failed.as_ref().map(Failed::to_json),
            "refused": self.refused,
            "kept": self.kept.as_ref().map(|kept| {
                json!({"tables": kept.tables, "rows": kept.rows, "differences": kept.differences})
            }),
            "lost": self.lost.iter().map(Loss::to_json).collect::<Vec<_>>(),
            "copy": self.copy,
            "planned": planned,
            "next": self.next,
        })
    }
}
