//! The format `switchback/snapshot-facts/1`: what a snapshot says of the databases that it holds and of where it was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The name of the format, with its version.
pub(super) const SCHEMA: &str = "switchback/snapshot-facts/1";

/// What was so when a snapshot was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The name of this format.
    pub(super) schema: String,
    /// When, RFC 3339, UTC.
    pub time: String,
    /// On which host.
    pub host: String,
    /// The commit of the project's repository; `None` without one.
    pub commit: Option<Commit>,
    /// Versions of programs by name; one that is not there is left out.
    pub versions: BTreeMap<String, String>,
    /// Environment variables.
    pub environment: Environment,
    /// Databases, in the order of the plan.
    pub databases: Vec<Saved>,
}

/// Where a repository stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The full id of the commit.
    pub id: String,
    /// Whether there were changes that are not in it.
    pub is_dirty: bool,
}

/// Environment variables: names alone, and the value of the one that names the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The names of all variables, sorted.
    pub names: Vec<String>,
    /// The variable that `[environment] select` names, where it is set.
    pub select: Option<Selected>,
}

/// The variable that names the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// PostgreSQL, as a dump of `pg_dump --format=custom`.
    Postgresql,
    /// A file of SQLite, as its online backup wrote it.
    Sqlite,
    /// A file of DuckDB, with its log where there was one.
    Duckdb,
}

/// One database that a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its name: the address without user and password, or the file as the plan names it.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its files: the dump or the copy first.
    pub files: Vec<SavedFile>,
    /// What read it, with its version.
    pub read_by: String,
    /// The version of the server, where there is one.
    pub server: Option<String>,
    /// What a database of the same kind is made with on a server.
    pub locale: Option<Locale>,
    /// Tables by name; none where the content of the files is all that is known.
    pub tables: Vec<Table>,
}

/// A file of a database, in the folder of the facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its content, 64 hexadecimal digits.
    pub blake3: String,
}

/// How a database of PostgreSQL was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// Its encoding: `UTF8`.
    pub encoding: String,
    /// Its order of text.
    pub collate: String,
    /// Its classes of characters.
    pub ctype: String,
    /// Who provides both: `c` (the system), `i` (ICU), `b` (built in); older servers know the system alone.
    pub provider: Option<String>,
    /// The locale of a provider other than the system.
    pub name: Option<String>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name, with its schema.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// A hash of all rows that does not depend on their order; `None` where the hash of the file covers it.
    pub content: Option<String>,
}

impl Facts {
    /// As it is written.
    ///
    /// # Errors
    ///
    /// Never for what this program can hold; the library has a result.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads what `to_text` writes.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let facts: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if facts.schema == SCHEMA {
            return Ok(facts);
        }
        Err(format!("it is of the format `{}`; this Switchback reads `{SCHEMA}`", facts.schema))
    }

    /// The database of that name: the whole name, or its last part where only one has it.
    pub fn database(&self, name: &str) -> Option<&Saved> {
        let whole = self.databases.iter().find(|saved| saved.name == name);
        whole.or_else(|| {
            let last = |saved: &&Saved| saved.name.rsplit('/').next() == Some(name);
            let mut fitting = self.databases.iter().filter(last);
            let first = fitting.next()?;
            fitting.next().is_none().then_some(first)
        })
    }
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgresql => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Duckdb => "DuckDB",
        }
    }
}

impl Saved {
    /// The rows of all tables together.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The bytes of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(name: &str) -> Saved {
        Saved {
            name: name.to_owned(),
            kind: Kind::Postgresql,
            files: vec![SavedFile { name: "1-shop.dump".to_owned(), bytes: 3, blake3: "ab".repeat(32) }],
            read_by: "pg_dump 15.3".to_owned(),
            server: Some("15.3".to_owned()),
            locale: None,
            tables: vec![Table { name: "public.a".to_owned(), rows: 2, content: Some("1-2".to_owned()) }],
        }
    }

    fn facts(names: &[&str]) -> Facts {
        Facts {
            schema: SCHEMA.to_owned(),
            time: "2027-01-12T20:00:00Z".to_owned(),
            host: "build".to_owned(),
            commit: Some(Commit { id: "c0".to_owned(), is_dirty: true }),
            versions: BTreeMap::from([("git".to_owned(), "2.39.5".to_owned())]),
            environment: Environment { names: vec!["HOME".to_owned()], select: None },
            databases: names.iter().map(|name| saved(name)).collect(),
        }
    }

    #[test]
    fn facts_read_back_and_their_format_is_pinned() {
        let facts = facts(&["postgresql://db.example.org/shop"]);
        let text = facts.to_text().unwrap();
        assert_eq!(Facts::from_bytes(text.as_bytes()), Ok(facts));
        let compact: serde_json::Value = serde_json::from_str(&text).unwrap();
        let wanted = format!(
            "{{\"commit\":{{\"id\":\"c0\",\"is_dirty\":true}},\"databases\":[{{\"files\":[{{\"blake3\":\"{}\",\"bytes\":3,\
             \"name\":\"1-shop.dump\"}}],\"kind\":\"postgresql\",\"locale\":null,\
             \"name\":\"postgresql://db.example.org/shop\",\"read_by\":\"pg_dump 15.3\",\"server\":\"15.3\",\
             \"tables\":[{{\"content\":\"1-2\",\"name\":\"public.a\",\"rows\":2}}]}}],\
             \"environment\":{{\"names\":[\"HOME\"],\"select\":null}},\"host\":\"build\",\
             \"schema\":\"switchback/snapshot-facts/1\",\"time\":\"2027-01-12T20:00:00Z\",\
             \"versions\":{{\"git\":\"2.39.5\"}}}}",
            "ab".repeat(32)
        );
        assert_eq!(compact, serde_json::from_str::<serde_json::Value>(&wanted).unwrap());
        let later = text.replace("facts/1", "facts/2");
        assert!(Facts::from_bytes(later.as_bytes()).unwrap_err().contains("switchback/snapshot-facts/2"));
    }

    #[test]
    fn a_database_is_found_by_its_whole_name_or_by_a_last_part_that_only_one_has() {
        let facts = facts(&["postgresql://one/shop", "postgresql://two/shop", "data/app.sqlite"]);
        let name = |asked: &str| facts.database(asked).map(|saved| saved.name.as_str());
        assert_eq!(name("postgresql://two/shop"), Some("postgresql://two/shop"));
        assert_eq!(name("app.sqlite"), Some("data/app.sqlite"));
        assert_eq!(name("shop"), None, "two have it");
        assert_eq!(name("other"), None);
    }
}
