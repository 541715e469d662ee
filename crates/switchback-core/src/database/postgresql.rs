//! PostgreSQL by its own programs: `psql` and `pg_dump` read one state, `pg_restore` brings it back in one transaction.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::address::Address;
use super::facts::version;
use super::format::{Locale, Saved, Table};
use super::{Why, script};
use crate::world::{Command, Finished, ProcessError, World};

/// No dump and no restore takes longer.
const TIMEOUT: Duration = Duration::from_hours(48);
/// What a script says: a line for each table.
const OUTPUT_BYTES_MAX: usize = 256 << 20;
/// How many lines of the messages of a program are shown.
const LINES_MAX: usize = 4;
/// The database that every server has, from which others are made.
const MAINTENANCE: &str = "postgres";

/// A server's database, and the folder in which programs run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server<'a> {
    pub(super) world: &'a World,
    pub(super) address: &'a Address,
    pub(super) folder: &'a Path,
}

/// What a database says of itself and of its tables.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) server: String,
    pub(super) locale: Option<Locale>,
    pub(super) tables: Vec<Table>,
    dumped: Option<i64>,
}

impl Server<'_> {
    /// Dumps the database into `file`, and tells what it holds in that very state.
    pub(super) fn dump(&self, file: &Path) -> Result<Told, Why> {
        let told = self.tell(Some(file))?;
        match told.dumped {
            Some(0) => Ok(told),
            _ => Err(Why::new("`pg_dump` did not say that it was done")),
        }
    }

    /// The program that dumps, with its version.
    pub(super) fn reader(&self) -> Result<String, Why> {
        match version(self.world, self.folder, "pg_dump") {
            Some(version) => Ok(format!("pg_dump {version}")),
            None => Err(missing("pg_dump")),
        }
    }

    /// What the database holds. With a file, it is dumped into that from the same state.
    pub(super) fn tell(&self, dump: Option<&Path>) -> Result<Told, Why> {
        let disk = self.world.disk.as_ref();
        let path = self.folder.join("script.sql");
        disk.write_new(&path, 0o600, &mut script::telling(dump.is_some()).as_bytes())?;
        let mut variables = vec![("SWITCHBACK_ADDRESS".to_owned(), self.address.without_password())];
        variables.extend(dump.map(|file| ("SWITCHBACK_DUMP".to_owned(), file.display().to_string())));
        let finished = self.client("psql", &["--file", &path.display().to_string()], variables);
        disk.remove_file(&path)?;
        let finished = finished?;
        let told = read(&finished.stdout);
        // When the dump fails, the script goes on: its words come before those of the script.
        if let Ok(Told { dumped: Some(code @ 1..), .. }) = &told {
            return Err(refused("pg_dump", &format!("exit code {code}"), &finished));
        }
        if !finished.succeeded() {
            return Err(refused("psql", &finished.ending(), &finished));
        }
        told.map_err(Why::new)
    }

    /// Brings a dump back, all of it or nothing. Returns whether the database was made for it.
    pub(super) fn restore(&self, saved: &Saved, dump: &Path, has_owners: bool) -> Result<bool, Why> {
        let is_new = !self.exists()?;
        if is_new {
            let statement = script::making(&self.address.database, saved.locale.as_ref());
            self.at(&self.maintenance()).ask(&statement)?;
        } else {
            let objects = self.ask(script::OBJECTS)?;
            if objects != "0" {
                let why = format!("`{}` is not empty: it has {objects} objects", self.address.name());
                return Err(Why::new(why).hinted(
                    "name a database that does not exist yet, which is then made, or an empty one: nothing is written over",
                ));
            }
        }
        let dump = dump.display().to_string();
        let mut arguments = vec!["--no-password", "--single-transaction", "--exit-on-error"];
        if !has_owners {
            arguments.extend(["--no-owner", "--no-privileges"]);
        }
        let into = format!("--dbname={}", self.address.without_password());
        arguments.extend([into.as_str(), dump.as_str()]);
        let restored = self.run("pg_restore", &arguments, Vec::new()).and_then(|finished| {
            if finished.succeeded() {
                return Ok(());
            }
            let why = refused("pg_restore", &finished.ending(), &finished);
            let is_role = why.causes.iter().any(|cause| cause.contains("role ") && cause.contains("does not exist"));
            Err(if is_role {
                why.hinted("make the roles first, or restore with `--no-owner`: then all belongs to whoever restores")
            } else {
                why
            })
        });
        restored.map_err(|why| self.given_up(why, is_new))?;
        Ok(is_new)
    }

    /// Takes a database away again that was made for a restore that failed.
    pub(super) fn given_up(&self, mut why: Why, is_new: bool) -> Why {
        if is_new {
            let statement = format!("DROP DATABASE {}", script::identifier(&self.address.database));
            if let Err(error) = self.at(&self.maintenance()).ask(&statement) {
                why.causes
                    .push(format!("the database could not be dropped again: {}", error.causes.join(": ")));
            }
        }
        why
    }

    /// Drops the database, with whatever is in it.
    pub(super) fn drop_if_there(&self) -> Result<(), Why> {
        let statement = format!("DROP DATABASE IF EXISTS {}", script::identifier(&self.address.database));
        self.at(&self.maintenance()).ask(&statement).map(drop)
    }

    /// Whether there is a database of that name.
    fn exists(&self) -> Result<bool, Why> {
        let name = script::literal(&self.address.database);
        let asked = format!("SELECT count(*) FROM pg_catalog.pg_database WHERE datname = {name}");
        match self.at(&self.maintenance()).ask(&asked) {
            Ok(count) => Ok(count != "0"),
            // Not everybody may use that database: then this one has to be there.
            Err(why) => match self.ask("SELECT 1") {
                Ok(_) => Ok(true),
                Err(_) => Err(why),
            },
        }
    }

    fn maintenance(&self) -> Address {
        self.address.with_database(MAINTENANCE)
    }

    fn at<'b>(&'b self, address: &'b Address) -> Server<'b> {
        Server { address, ..*self }
    }

    /// Runs one statement; what it says, without the last line end.
    fn ask(&self, statement: &str) -> Result<String, Why> {
        let finished =
            self.client("psql", &["--set", "ON_ERROR_STOP=1", "--command", statement], Vec::new())?;
        if !finished.succeeded() {
            return Err(refused("psql", &finished.ending(), &finished));
        }
        Ok(String::from_utf8_lossy(&finished.stdout).trim().to_owned())
    }

    /// Runs `psql` so that nothing but what is asked for is on its output.
    fn client(
        &self,
        program: &str,
        more: &[&str],
        variables: Vec<(String, String)>,
    ) -> Result<Finished, Why> {
        let address = self.address.without_password();
        let mut arguments = vec!["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only"];
        let into = format!("--dbname={address}");
        arguments.push(&into);
        arguments.extend(more);
        self.run(program, &arguments, variables)
    }

    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        mut variables: Vec<(String, String)>,
    ) -> Result<Finished, Why> {
        variables.extend(self.address.variables());
        let mut argv = vec![program.to_owned()];
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let command = Command {
            argv,
            directory: self.folder.to_owned(),
            variables,
            timeout: TIMEOUT,
            output_bytes_max: OUTPUT_BYTES_MAX,
            confinement: None,
        };
        self.world.processes.run(&command).map_err(|error: ProcessError| {
            if error.source.kind() == std::io::ErrorKind::NotFound { missing(program) } else { error.into() }
        })
    }
}

fn missing(program: &str) -> Why {
    Why::new(format!("the program `{program}` is not there"))
        .hinted("install the client programs of PostgreSQL: `apt-get install postgresql-client`, or your system's own way")
}

/// What a program of PostgreSQL said when it ended badly.
fn refused(program: &str, ending: &str, finished: &Finished) -> Why {
    const CHARACTERS_MAX: usize = 300;
    let words = String::from_utf8_lossy(&finished.stderr).into_owned();
    let lines: Vec<&str> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut causes = vec![format!("`{program}` ended with {ending}")];
    let shown =
        lines.iter().take(LINES_MAX).map(|line| line.chars().take(CHARACTERS_MAX).collect::<String>());
    causes.extend(shown);
    let why = Why { causes, hint: None };
    if words.contains("server version mismatch") {
        return why.hinted(
            "install the client programs of the server's version or of a newer one, e.g. `apt-get install postgresql-client-17`",
        );
    }
    why.hinted("look whether the server runs, and whether this user may read all of the database")
}

/// Reads what the script says.
fn read(output: &[u8]) -> Result<Told, String> {
    let mut told = Told { server: String::new(), locale: None, tables: Vec::new(), dumped: None };
    for line in String::from_utf8_lossy(output).lines().filter(|line| !line.is_empty()) {
        let value: Value =
            serde_json::from_str(line).map_err(|_| "`psql` said something else than was asked")?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(code) = value.get("dump") {
            told.dumped = code.as_i64();
        } else if let Some(server) = text("server") {
            told.server = server;
            told.locale = text("encoding").map(|encoding| Locale {
                encoding,
                collate: text("collate").unwrap_or_default(),
                ctype: text("ctype").unwrap_or_default(),
                provider: text("provider"),
                name: text("locale"),
            });
        } else if let (Some(name), Some(rows)) = (text("table"), value.get("rows").and_then(Value::as_u64)) {
            told.tables.push(Table { name, rows, content: text("content") });
        } else {
            return Err("`psql` said something else than was asked".to_owned());
        }
    }
    if told.server.is_empty() {
        // The first line is missing: more was said than is kept, or nothing.
        return Err("`psql` did not say which server it is".to_owned());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_says_is_read_and_nothing_else_is_taken_for_it() {
        let head = r#"{"server" : "15.3", "encoding" : "UTF8", "collate" : "C", "ctype" : "C", "provider" : "c", "locale" : null}"#;
        let whole = format!(
            "{head}\n{{\"dump\": 0}}\n{{\"table\" : \"a\\nb\", \"rows\" : 2, \"content\" : \"1-2\"}}\n"
        );
        let told = read(whole.as_bytes()).unwrap();
        assert_eq!((told.server.as_str(), told.dumped), ("15.3", Some(0)));
        assert_eq!(
            told.tables,
            [Table { name: "a\nb".to_owned(), rows: 2, content: Some("1-2".to_owned()) }]
        );
        assert!(read(b"").is_err());
        assert!(read(format!("{head}\nNOTICE: x\n").as_bytes()).is_err());
        assert!(read(b"{\"table\" : \"a\", \"rows\" : 2, \"content\" : \"1-2\"}\n").is_err());
    }
}
