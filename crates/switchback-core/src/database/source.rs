//! Which database is meant: what stands in the plan, and what it leads to with this environment and on this disk.

use std::fmt;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::address::{Address, encoded, is_address};
use super::format::Kind;
use super::{Saved, Why};
use crate::world::{Disk, DiskError, FileKind, Surroundings, World};

/// What a file of SQLite begins with ("Database File Format", section 1.3).
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";
/// What a file of DuckDB has behind the checksum of its first block.
const DUCKDB_MAGIC: (usize, &[u8]) = (8, b"DUCK");
const MAGIC_BYTES: u64 = 16;
/// Prefixes that say the kind of a file, as for `compare`.
const PREFIXES: &[(&str, Kind)] = &[("sqlite:", Kind::Sqlite), ("duckdb:", Kind::Duckdb)];

/// A database as it is named by whoever asks for it: an address or a file, with `${NAME}` for variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    text: String,
}

/// There may be a password in it.
impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// What a [`Database`] leads to.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in a snapshot: an address without user and password, or a file as it was written.
    pub name: String,
    pub(super) place: Place,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// On a server of PostgreSQL.
    Server(Address),
    /// In a file, of the kind that was said, if any was.
    File(PathBuf, Option<Kind>),
}

impl Database {
    /// Takes a text, when it can be one: else what is wrong, and the next move. What is in variables is not known yet.
    ///
    /// # Errors
    ///
    /// When it is empty, an address that cannot be read, or of a kind that is not known. No password is in the words.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let database = Self { text: text.to_owned() };
        let names = placeholders(text).ok_or_else(|| {
            let help = "write it as `${NAME}`, with a name of letters, digits and `_`";
            ("a database has a `${` that is no variable".to_owned(), help.to_owned())
        })?;
        let known = || "`postgresql://USER@HOST/DATABASE`, a file of SQLite or a file of DuckDB".to_owned();
        if text.trim().is_empty() {
            return Err(("a database has no address".to_owned(), format!("name {}", known())));
        }
        if !names.is_empty() && !is_address(text) {
            return Ok(database);
        }
        if is_address(text) {
            Address::parse(text).map_err(|why| {
                let place = why.causes.join("; ");
                (format!("a database cannot be used: {place}"), why.hint.unwrap_or_else(known))
            })?;
        } else if text.contains("://") {
            let scheme = text.split("://").next().unwrap_or_default();
            return Err((format!("no database is known at `{scheme}://`"), format!("name {}", known())));
        }
        Ok(database)
    }

    /// A database that is a file.
    pub(crate) fn of_file(kind: Kind, path: &Path) -> Self {
        let prefix = PREFIXES.iter().find(|(_, known)| *known == kind).map_or("", |(prefix, _)| prefix);
        Self { text: format!("{prefix}{}", path.display()) }
    }

    /// A database of a server.
    pub(super) fn of_server(address: &Address) -> Self {
        Self { text: address.whole() }
    }

    /// Its file, where it is one, below or beside `root`; `None` too where a variable of it is not set.
    pub(crate) fn file(&self, surroundings: &dyn Surroundings, root: &Path) -> Option<PathBuf> {
        match self.source(surroundings, root).ok()?.place {
            Place::File(path, _) => Some(clean(&path)),
            Place::Server(_) => None,
        }
    }

    /// Which database it is, as far as it can be told without looking: a file, or server and database.
    pub(crate) fn which(&self, surroundings: &dyn Surroundings, root: &Path) -> String {
        match self.source(surroundings, root) {
            Ok(Source { place: Place::File(path, _), .. }) => clean(&path).display().to_string(),
            Ok(source) => source.name,
            Err(_) => self.shown(),
        }
    }

    /// As it was written, where no password is in it: variables stand for them.
    pub(crate) fn without_secret(&self) -> Option<&str> {
        let is_variable = |text: &str| {
            placeholders(text)
                .is_some_and(|names| matches!(&names[..], [name] if text == format!("${{{name}}}")))
        };
        if !is_address(&self.text) {
            return Some(&self.text);
        }
        let address = Address::parse(&self.text).ok()?;
        address.password.as_deref().is_none_or(is_variable).then_some(self.text.as_str())
    }

    /// As it may be shown: without user, password and options.
    pub fn shown(&self) -> String {
        if !self.text.contains("://") {
            return self.text.clone();
        }
        Address::parse(&self.text).map_or_else(|_| "postgresql://…".to_owned(), |address| address.name())
    }

    /// What it leads to now. Files are relative to `root`.
    pub(super) fn source(&self, surroundings: &dyn Surroundings, root: &Path) -> Result<Source, Why> {
        let text = self.filled(surroundings)?;
        if is_address(&text) {
            let address = Address::parse(&text)?;
            return Ok(Source { name: address.name(), place: Place::Server(address) });
        }
        if text.contains("://") {
            return Err(Why::new("its address does not begin with `postgresql://`")
                .hinted("name a database that is known"));
        }
        let prefix = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix));
        let file = prefix.map_or(text.as_str(), |(prefix, _)| &text[prefix.len()..]);
        Ok(Source {
            name: file.to_owned(),
            place: Place::File(root.join(file), prefix.map(|(_, kind)| *kind)),
        })
    }

    /// The text with the values of its variables. A variable that is all of it holds a whole address; within an address it
    /// stands for a plain value, whatever characters that has.
    fn filled(&self, surroundings: &dyn Surroundings) -> Result<String, Why> {
        let names = placeholders(&self.text).unwrap_or_default();
        let mut filled = self.text.clone();
        for name in names {
            let value = surroundings.variable(&name).filter(|value| !value.is_empty()).ok_or_else(|| {
                Why::new(format!("the environment variable `{name}` is not set"))
                    .hinted(format!("set `{name}` where Switchback runs"))
            })?;
            let placeholder = format!("${{{name}}}");
            let is_all = self.text == placeholder;
            let value = if is_address(&self.text) && !is_all { encoded(&value) } else { value };
            filled = filled.replace(&placeholder, &value);
        }
        Ok(filled)
    }
}

/// A path without `.` and `..`, as far as its words go.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => drop(clean.pop()),
            other => clean.push(other),
        }
    }
    clean
}

/// The names in `${NAME}`, each once; `None` when one is no name.
fn placeholders(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (name, behind) = rest[at + 2..].split_once('}')?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        rest = behind;
    }
    Some(names)
}

/// The kind of a file: what was said, or what its first bytes say; both must agree.
pub(super) fn kind_of(world: &World, path: &Path, said: Option<Kind>) -> Result<Kind, Why> {
    let disk = world.disk.as_ref();
    let meta = disk.look(path)?.ok_or_else(|| {
        Why::new(format!("there is no file `{}`", path.display()))
            .hinted("correct its name in `[snapshot] databases`, or take it out")
    })?;
    if meta.kind != FileKind::File {
        return Err(Why::new(format!("`{}` is no regular file", path.display()))
            .hinted("name the file itself, not a link to it or its folder"));
    }
    let first = first_bytes(disk, path)?;
    let (at, magic) = DUCKDB_MAGIC;
    let found = if first.starts_with(SQLITE_MAGIC) {
        Some(Kind::Sqlite)
    } else if first.get(at..).is_some_and(|rest| rest.starts_with(magic)) {
        Some(Kind::Duckdb)
    } else {
        // A database of SQLite that nobody wrote to yet has no bytes.
        said.filter(|kind| *kind == Kind::Sqlite && first.is_empty())
    };
    match (found, said) {
        (Some(found), said) if said.is_none_or(|said| said == found) => Ok(found),
        (_, Some(said)) => Err(Why::new(format!("`{}` is no file of {}", path.display(), said.word()))
            .hinted("correct its name in `[snapshot] databases`")),
        (_, None) => {
            Err(Why::new(format!("`{}` is neither a file of SQLite nor one of DuckDB", path.display()))
                .hinted("name a database, or back the file up with `[snapshot] also`"))
        }
    }
}

fn first_bytes(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, Why> {
    let mut first = Vec::new();
    let read = disk.open(path)?.take(MAGIC_BYTES).read_to_end(&mut first);
    read.map_err(|error| DiskError::new("read", path, error))?;
    Ok(first)
}

/// The name of a file for the number-th database of a snapshot.
pub(super) fn file_name(number: usize, name: &str, ending: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let last = name.rsplit('/').next().unwrap_or(name);
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let last: String = last.chars().take(CHARACTERS_MAX).map(plain).collect();
    format!("{number}-{last}{ending}")
}

/// The path of a file that stands beside a database: `FILE-wal`, `FILE.wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// What the files of a database are called in a message.
pub(super) fn told(saved: &Saved) -> String {
    format!("{} `{}`", saved.kind.word(), saved.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;

    impl Surroundings for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "URL" => Some("postgresql://me:a%23@db/shop".to_owned()),
                "PASSWORD" => Some("geheim#1@/x".to_owned()),
                _ => None,
            }
        }
        fn variables(&self) -> Vec<(String, String)> {
            Vec::new()
        }
        fn actor(&self) -> String {
            "a@b".to_owned()
        }
        fn process_id(&self) -> u32 {
            1
        }
    }

    fn source(text: &str) -> Result<Source, Why> {
        Database::parse(text).unwrap().source(&Fixed, Path::new("/p"))
    }

    #[test]
    fn a_variable_is_a_whole_address_or_a_plain_value_in_one() {
        let whole = source("${URL}").unwrap();
        assert_eq!(whole.name, "postgresql://db/shop");
        let Place::Server(address) = source("postgresql://me:${PASSWORD}@db/shop").unwrap().place else {
            panic!("it is an address");
        };
        assert!(address.variables().contains(&("PGPASSWORD".to_owned(), "geheim#1@/x".to_owned())));
        let why = source("postgresql://me:${NONE}@db/shop").unwrap_err();
        assert!(why.causes[0].contains("`NONE` is not set"), "{why:?}");
    }

    #[test]
    fn files_are_relative_to_the_project_and_may_say_their_kind() {
        let Place::File(path, kind) = source("duckdb:data/s.db").unwrap().place else {
            panic!("it is a file")
        };
        assert_eq!((path, kind), (PathBuf::from("/p/data/s.db"), Some(Kind::Duckdb)));
        let Place::File(path, kind) = source("/srv/app.db").unwrap().place else { panic!("it is a file") };
        assert_eq!((path, kind), (PathBuf::from("/srv/app.db"), None));
    }

    #[test]
    fn what_cannot_be_a_database_is_refused_without_its_password() {
        for text in ["", "mysql://me:geheim@db/x", "postgresql://me:geheim@db", "${", "${A-B}", "${A"] {
            let (message, help) = Database::parse(text).unwrap_err();
            assert!(!message.contains("geheim") && !help.contains("geheim"), "{message}; {help}");
        }
        let shown = format!("{:?}", Database::parse("postgresql://me:geheim@db/x").unwrap());
        assert_eq!(shown, "postgresql://db/x");
    }
}
