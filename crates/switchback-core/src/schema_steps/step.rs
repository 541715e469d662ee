//! A folder of steps as it stands on the disk: ordered, checksummed, and with what each declares.
//!
//! `0001_name/deploy.sql`, `verify.sql`, `revert.sql`; each may be a command instead, `deploy.sh`. All that is wrong is found at
//! once, each with file and line.

use std::path::{Path, PathBuf};

use super::dialect::Dialect;
use super::exception::{Exception, Exceptions};
use super::script::{Declared, Statement, split};
use crate::manifest::to_hex;
use crate::port::PortError;
use crate::world::{Disk, FileKind};

/// A script is never larger: data belongs into a file that the database loads.
const SCRIPT_BYTES_MAX: u64 = 16 << 20;
/// How many findings are told.
const FINDINGS_MAX: usize = 20;
/// What cannot be done within a transaction, by its first words.
const OUTSIDE: &[(Dialect, &[&str])] = &[
    (Dialect::Postgresql, &["VACUUM"]),
    (Dialect::Postgresql, &["CREATE", "INDEX", "CONCURRENTLY"]),
    (Dialect::Postgresql, &["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"]),
    (Dialect::Postgresql, &["DROP", "INDEX", "CONCURRENTLY"]),
    (Dialect::Postgresql, &["REINDEX", "INDEX", "CONCURRENTLY"]),
    (Dialect::Postgresql, &["REINDEX", "TABLE", "CONCURRENTLY"]),
    (Dialect::Postgresql, &["CREATE", "DATABASE"]),
    (Dialect::Postgresql, &["DROP", "DATABASE"]),
    (Dialect::Postgresql, &["CREATE", "TABLESPACE"]),
    (Dialect::Postgresql, &["ALTER", "SYSTEM"]),
    (Dialect::Sqlite, &["VACUUM"]),
    (Dialect::Sqlite, &["PRAGMA", "JOURNAL_MODE"]),
    (Dialect::Sqlite, &["ATTACH"]),
];

/// What a script is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It makes the change.
    Deploy,
    /// It looks whether the change is there.
    Verify,
    /// It undoes the change.
    Revert,
}

impl Role {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Deploy, Self::Verify, Self::Revert];

    /// The word that a file is named by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Verify => "verify",
            Self::Revert => "revert",
        }
    }
}

/// What a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Statements of SQL.
    Sql(Vec<Statement>),
    /// A file for the shell.
    Command,
}

/// One file of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Where it is, below the folder of the steps.
    pub path: PathBuf,
    /// BLAKE3 of its text, with line ends of one kind; 64 hexadecimal digits.
    pub hash: String,
    /// What it does.
    pub work: Work,
    /// Whether it is one transaction.
    pub in_transaction: bool,
    /// Whether it may be carried out again from its first statement when it is not known whether a later one was.
    pub is_repeatable: bool,
}

impl Script {
    /// How many statements it has; a command is one.
    pub fn count(&self) -> usize {
        match &self.work {
            Work::Sql(statements) => statements.len(),
            Work::Command => 1,
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The name of its folder: `0003_split_names`.
    pub name: String,
    /// The number that its name begins with.
    pub number: u64,
    /// What makes the change.
    pub deploy: Script,
    /// What looks whether it is there; `None` where the step says that nothing does.
    pub verify: Option<Script>,
    /// What undoes it; `None` where the step says that nothing does.
    pub revert: Option<Script>,
    /// What it may change of what was there before.
    pub exceptions: Exceptions,
}

impl Step {
    /// The hashes of its scripts: deploy, verify, revert; empty where there is none.
    pub(super) fn hashes(&self) -> [&str; 3] {
        Role::ALL.map(|role| self.script(role).map_or("", |script| script.hash.as_str()))
    }

    /// The script of a role, where there is one.
    pub fn script(&self, role: Role) -> Option<&Script> {
        match role {
            Role::Deploy => Some(&self.deploy),
            Role::Verify => self.verify.as_ref(),
            Role::Revert => self.revert.as_ref(),
        }
    }
}

/// What the comments of a script declare.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a declaration of its own")]
struct Header {
    no_transaction: bool,
    repeatable: bool,
    no_verify: bool,
    no_revert: bool,
    exceptions: Exceptions,
}

/// Reads the folder `steps`, whose scripts are for a database of one kind.
///
/// # Errors
///
/// When it is not there, and with all that is wrong in it.
pub fn read_steps(disk: &dyn Disk, steps: &Path, dialect: Dialect) -> Result<Vec<Step>, PortError> {
    let failed = |causes: Vec<String>, hint: &str| {
        PortError::new(format!("could not read the steps in `{}`", steps.display()), causes).hinted(hint)
    };
    let no_disk = |error: crate::world::DiskError| {
        failed(vec![error.to_string()], "name the folder of the steps with `--steps`")
    };
    if disk.look(steps).map_err(no_disk)?.is_none_or(|meta| meta.kind != FileKind::Directory) {
        return Err(failed(
            vec!["it is no folder".to_owned()],
            "name the folder of the steps with `--steps`",
        ));
    }
    let mut names: Vec<String> = Vec::new();
    for name in disk.list(steps).map_err(no_disk)? {
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    let mut reading = Reading { disk, folder: steps, dialect, found: Vec::new(), findings: Vec::new() };
    for name in names {
        reading.entry(&name);
    }
    let Reading { mut found, mut findings, .. } = reading;
    found.sort_by(|one: &Step, other| (one.number, &one.name).cmp(&(other.number, &other.name)));
    for pair in found.windows(2) {
        if pair[0].number == pair[1].number {
            findings.push(format!("`{}` and `{}` have the same number", pair[0].name, pair[1].name));
        }
    }
    if !findings.is_empty() {
        let more = findings.len().saturating_sub(FINDINGS_MAX);
        findings.truncate(FINDINGS_MAX);
        if more > 0 {
            findings.push(format!("and {more} more"));
        }
        return Err(failed(findings, "correct these places; nothing was touched"));
    }
    if found.is_empty() {
        let why = "there is no step in it".to_owned();
        return Err(failed(
            vec![why],
            "a step is a folder such as `0001_orders` with `deploy.sql`, `verify.sql` and `revert.sql`",
        ));
    }
    Ok(found)
}

struct Reading<'a> {
    disk: &'a dyn Disk,
    folder: &'a Path,
    dialect: Dialect,
    found: Vec<Step>,
    findings: Vec<String>,
}

impl Reading<'_> {
    /// One entry of the folder: a step, or something that is none (a README), or a finding.
    fn entry(&mut self, name: &str) {
        let digits = name.len() - name.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let kind = match self.disk.look(&self.folder.join(name)) {
            Ok(meta) => meta.map(|meta| meta.kind),
            Err(error) => return self.findings.push(error.to_string()),
        };
        if kind != Some(FileKind::Directory) {
            if digits > 0 {
                self.findings
                    .push(format!("`{name}` is no folder: a step is a folder with its scripts in it"));
            }
            return;
        }
        if name.starts_with('.') {
            return;
        }
        let number = name[..digits].parse::<u64>().ok().filter(|_| name[digits..].starts_with(['_', '-']));
        match number {
            Some(number) => self.step(name, number),
            None => self.findings.push(format!(
                "`{name}` is no name of a step: it begins with a number and `_`, as `0001_orders`"
            )),
        }
    }

    fn step(&mut self, name: &str, number: u64) {
        let before = self.findings.len();
        let mut header = Header::default();
        let [deploy, verify, revert] = Role::ALL.map(|role| self.script(name, role, &mut header));
        for (role, script, is_left_out) in [
            (Role::Deploy, &deploy, false),
            (Role::Verify, &verify, header.no_verify),
            (Role::Revert, &revert, header.no_revert),
        ] {
            let word = role.word();
            if script.is_some() && is_left_out {
                self.findings.push(format!("`{name}` has a `{word}` script and says `no {word}`"));
            } else if script.is_none() && !is_left_out && self.findings.len() == before {
                self.findings.push(match role {
                    Role::Deploy => format!("`{name}` has no `deploy.sql`"),
                    _ => format!("`{name}` has no `{word}.sql`; write it, or say `-- switchback: no {word}` in its `deploy.sql`"),
                });
            }
        }
        if let (Some(deploy), Some(verify)) = (&deploy, &verify)
            && deploy.in_transaction
            && verify.work == Work::Command
        {
            self.findings.push(format!(
                "`{}` cannot look into the transaction of `{}`: write a `verify.sql`, or say `-- switchback: no transaction` in `{}`",
                verify.path.display(),
                deploy.path.display(),
                deploy.path.display()
            ));
        }
        if let Some(deploy) = deploy {
            let exceptions = header.exceptions;
            self.found.push(Step { name: name.to_owned(), number, deploy, verify, revert, exceptions });
        }
    }

    /// Reads one script, when it is there.
    fn script(&mut self, step: &str, role: Role, header: &mut Header) -> Option<Script> {
        let there = |ending: &str| {
            let path = Path::new(step).join(format!("{}.{ending}", role.word()));
            let is_there = self.disk.look(&self.folder.join(&path)).is_ok_and(|meta| meta.is_some());
            is_there.then_some(path)
        };
        let (path, is_command) = match (there("sql"), there("sh")) {
            (Some(sql), Some(_)) => {
                self.findings
                    .push(format!("`{}` stands beside a `.sh` of the same name: leave one", sql.display()));
                return None;
            }
            (Some(sql), None) => (sql, false),
            (None, Some(command)) => (command, true),
            (None, None) => return None,
        };
        let read =
            self.disk.read(&self.folder.join(&path), SCRIPT_BYTES_MAX).map_err(|error| error.to_string());
        let text = read.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8", path.display()))
        });
        let text = match text {
            // A checkout may have changed line ends.
            Ok(text) => text.trim_start_matches('\u{feff}').replace("\r\n", "\n"),
            Err(why) => {
                self.findings.push(why);
                return None;
            }
        };
        let mut own = Header::default();
        let work = if is_command {
            for (at, line) in text.lines().enumerate() {
                if let Some(declared) = line.trim().strip_prefix("# switchback:") {
                    let declared = Declared { text: declared.trim().to_owned(), line: at + 1 };
                    self.declared(&path, role, &declared, &mut own);
                }
            }
            // Nobody knows what it does, and when.
            own.no_transaction = true;
            Work::Command
        } else {
            Work::Sql(self.statements(&path, role, &text, &mut own)?)
        };
        header.no_verify |= own.no_verify;
        header.no_revert |= own.no_revert;
        header.exceptions.add(own.exceptions);
        Some(Script {
            path,
            hash: to_hex(blake3::hash(text.as_bytes()).as_bytes()),
            work,
            in_transaction: !own.no_transaction,
            is_repeatable: own.repeatable,
        })
    }

    fn statements(
        &mut self,
        path: &Path,
        role: Role,
        text: &str,
        own: &mut Header,
    ) -> Option<Vec<Statement>> {
        let split = match split(text, self.dialect) {
            Ok(split) => split,
            Err(fault) => {
                self.findings.push(format!("{}:{}: {}", path.display(), fault.line, fault.what));
                return None;
            }
        };
        for declared in &split.declared {
            self.declared(path, role, declared, own);
        }
        if split.statements.is_empty() {
            self.findings.push(format!("`{}` has no statement", path.display()));
        }
        for statement in &split.statements {
            if let Some(why) = self.refused(statement, role, !own.no_transaction) {
                self.findings.push(format!("{}:{}: {why}", path.display(), statement.line));
            }
        }
        Some(split.statements)
    }

    /// Why a statement cannot be part of a step.
    fn refused(&self, statement: &Statement, role: Role, in_transaction: bool) -> Option<String> {
        if let Some(word) = statement.transaction_word() {
            return Some(format!(
                "`{word}` is not for a step to say: Switchback begins and ends transactions"
            ));
        }
        if role == Role::Verify && self.dialect == Dialect::Duckdb && !statement.is_query() {
            // It cannot take back a part of a transaction.
            return Some("a `verify` script of DuckDB has queries alone: begin it with `SELECT`".to_owned());
        }
        let words = statement.first_words();
        if self.dialect == Dialect::Postgresql
            && words.first().is_some_and(|word| word == "COPY")
            && statement.text.to_uppercase().contains("FROM STDIN")
        {
            return Some("`COPY … FROM STDIN` has no input here: use `INSERT`".to_owned());
        }
        let outside = OUTSIDE.iter().find(|(dialect, outside)| {
            *dialect == self.dialect
                && words.len() >= outside.len()
                && outside.iter().zip(words).all(|(one, other)| one == other)
        });
        outside.filter(|_| in_transaction).map(|(_, words)| {
            format!(
                "`{}` cannot be in a transaction: say `-- switchback: no transaction` above it",
                words.join(" ")
            )
        })
    }

    fn declared(&mut self, path: &Path, role: Role, declared: &Declared, own: &mut Header) {
        let text = declared.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_deploy = role == Role::Deploy;
        match text.as_str() {
            "no transaction" if role != Role::Verify => own.no_transaction = true,
            "repeatable" if role != Role::Verify => own.repeatable = true,
            "no verify" if is_deploy => own.no_verify = true,
            "no revert" if is_deploy => own.no_revert = true,
            _ => match Exception::parse(&text).filter(|_| is_deploy) {
                Some(exception) => own.exceptions.push(exception),
                None => self.findings.push(format!(
                    "{}:{}: `{text}` declares nothing that is known here; known are `no transaction`, `repeatable`, and in a deploy \
                     script `no verify`, `no revert`, `changes TABLE.COLUMN`, `retypes TABLE.COLUMN`, `rows TABLE`, \
                     `drops TABLE[.COLUMN]`, `renames TABLE[.COLUMN] to NAME`",
                    path.display(),
                    declared.line
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    /// What is found in a step of these files.
    #[expect(clippy::disallowed_methods, reason = "a test lays its files out itself")]
    fn findings(dialect: Dialect, files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("0001_a")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join("0001_a").join(name), text).unwrap();
        }
        read_steps(&RealDisk, folder.path(), dialect).map_or_else(|error| error.causes, |_| Vec::new())
    }

    #[test]
    fn a_command_cannot_verify_what_is_not_committed() {
        for dialect in [Dialect::Sqlite, Dialect::Postgresql, Dialect::Duckdb] {
            let of = |deploy: (&str, &str)| {
                findings(dialect, &[deploy, ("verify.sh", "true"), ("revert.sql", "SELECT 1")])
            };
            let found = of(("deploy.sql", "SELECT 1"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains("`0001_a/verify.sh` cannot look into the transaction"), "{found:?}");
            assert!(found[0].contains("write a `verify.sql`"), "{found:?}");
            assert!(of(("deploy.sql", "-- switchback: no transaction\nSELECT 1")).is_empty());
            assert!(of(("deploy.sh", "true")).is_empty());
        }
    }

    #[test]
    fn what_verifies_in_duckdb_asks_and_does_nothing_else() {
        let of = |dialect: Dialect, verify: &str| {
            let files = [("deploy.sql", "SELECT 1"), ("verify.sql", verify), ("revert.sql", "SELECT 1")];
            findings(dialect, &files)
        };
        let found = of(Dialect::Duckdb, "SELECT 1;\nDELETE FROM a");
        assert_eq!(
            found,
            ["0001_a/verify.sql:2: a `verify` script of DuckDB has queries alone: begin it with `SELECT`"]
        );
        assert!(of(Dialect::Duckdb, "SELECT 1; FROM a").is_empty());
        assert!(of(Dialect::Postgresql, "SELECT 1;\nDELETE FROM a").is_empty());
    }
}
