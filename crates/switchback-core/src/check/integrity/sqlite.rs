//! Databases of SQLite, table by table. Both sides are copies of the check's own: nothing is locked and nothing is written
//! where the live one stands.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::bytes;
use super::content::Pair;
use super::counts::{Allowed, Counts, NAMED_MAX, Outcome, Part};
use crate::check::found::settle;
use crate::world::{Disk, FileKind};

/// What belongs to a database beside its file: the log of its newest transactions, and how to take back one that was cut off.
pub(super) const BESIDE: [&str; 2] = ["-wal", "-journal"];
/// The index of the log, which is made anew by whoever opens it.
pub(super) const INDEX: &str = "-shm";
/// How a file of SQLite begins (SQLite, *Database File Format*, section 1.3).
const HEADER: &[u8] = b"SQLite format 3\0";
/// The name of an index that is made in the copies, with a number behind it.
const OWN_INDEX: &str = "switchback_integrity_";

/// The path of a file that belongs to a database.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Whether a file is a database, by what it begins with.
pub(super) fn is_database(disk: &dyn Disk, path: &Path) -> Result<bool, String> {
    let begin = bytes::beginning(disk, path, HEADER.len()).map_err(|error| error.to_string())?;
    Ok(begin == HEADER)
}

/// Looks into both sides of a database.
pub(super) fn compare(
    disk: &dyn Disk,
    pair: &Pair<'_>,
    key: &[String],
    allowed: Allowed,
) -> Result<Outcome, String> {
    disk.make_directory(pair.scratch, 0o755).map_err(|error| error.to_string())?;
    let new = pair.scratch.join("new");
    copy(disk, pair.new, &new)?;
    for path in [pair.old, &new] {
        disk.foreign_effect("open the copy of a database", path).map_err(|error| error.to_string())?;
    }
    match (damage(pair.old)?, damage(&new)?) {
        (None, None) => {}
        (None, Some(damage)) => return Ok(Outcome::no(format!("damaged: {damage}"))),
        (Some(damage), _) if allowed == Allowed::Same => {
            return Ok(Outcome::no(format!("other bytes; in the snapshot it was damaged too: {damage}")));
        }
        (Some(damage), _) => {
            return Ok(Outcome::unknown(format!("in the snapshot it was damaged too: {damage}")));
        }
    }
    let both = Both::open(pair.old, &new).map_err(|error| error.to_string())?;
    let (counts, fewer) = both.counts(key, allowed).map_err(|error| format!("SQLite: {error}"))?;
    if allowed == Allowed::Any && !fewer.is_empty() {
        return Ok(Outcome::no(fewer.join(", ")).counted(Some(counts.before), Some(counts.now)));
    }
    Ok(Outcome::of(&counts, allowed))
}

/// Copies a database with what belongs to it, all of it from one moment.
fn copy(disk: &dyn Disk, from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: crate::world::DiskError| error.to_string();
    let (real, _) = settle(disk, from)?.ok_or_else(|| format!("`{}` is gone", from.display()))?;
    let mut parts = vec![(real.clone(), to.to_owned())];
    for ending in BESIDE {
        let part = settle(disk, &with_ending(&real, ending))?;
        let part = part.filter(|(_, meta)| meta.kind == FileKind::File);
        parts.extend(part.map(|(part, _)| (part, with_ending(to, ending))));
    }
    let hashes: Vec<_> =
        parts.iter().map(|(part, _)| disk.hash(part)).collect::<Result<_, _>>().map_err(failed)?;
    for (part, copied) in &parts {
        disk.copy(part, copied, 0o600).map_err(failed)?;
    }
    for ((_, copied), hash) in parts.iter().zip(hashes) {
        if disk.hash(copied).map_err(failed)? != hash {
            return Err("it was written to while it was copied: look again in a quiet moment".to_owned());
        }
    }
    Ok(())
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Nothing that the database itself defines is carried out.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(connection)
}

/// What SQLite itself finds wrong with a database.
fn damage(path: &Path) -> Result<Option<String>, String> {
    let looked = open(path).and_then(|connection| {
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
    });
    match looked {
        Ok(said) if said == "ok" => Ok(None),
        Ok(said) => Ok(Some(said.split_whitespace().collect::<Vec<_>>().join(" "))),
        Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
        Err(error) => Err(format!("SQLite: {error}")),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Both sides in one connection: the new one is `main`, the old one `old`.
struct Both(Connection);

/// A table's columns that both sides have, and what is different about the others.
struct Columns {
    shared: Vec<String>,
    primary: Vec<String>,
    altered: Vec<String>,
}

impl Both {
    fn open(old: &Path, new: &Path) -> rusqlite::Result<Self> {
        let connection = open(new)?;
        // A path that is no text would make an empty database of another name.
        let old = old.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(old.to_owned()))?;
        connection.execute("ATTACH DATABASE ?1 AS old", [old])?;
        Ok(Self(connection))
    }

    /// What became of the rows of all tables, and which of them have fewer.
    fn counts(&self, key: &[String], allowed: Allowed) -> rusqlite::Result<(Counts, Vec<String>)> {
        let (old, new) = (self.tables("old")?, self.tables("main")?);
        let (mut all, mut fewer) = (Counts::default(), Vec::new());
        for (number, table) in old.iter().enumerate() {
            let before = self.rows("old", table)?;
            if !new.contains(table) {
                let words = format!("the table `{table}` with {before} rows is gone");
                all.add(Counts { altered: vec![words.clone()], ..Counts::of(before, 0) });
                fewer.push(words);
                continue;
            }
            let now = self.rows("main", table)?;
            if now < before {
                fewer.push(format!("`{table}` has {now} of {before} rows"));
            }
            let mut counts = Counts::of(before, now);
            if allowed != Allowed::Any {
                counts = Counts { before, now, ..self.table(table, key, number)? };
            }
            all.add(counts);
        }
        for table in new.iter().filter(|table| !old.contains(table)) {
            let now = self.rows("main", table)?;
            let words = format!("the table `{table}` with {now} rows is new");
            all.add(Counts { grown: vec![words], ..Counts::of(0, now) });
        }
        Ok((all, fewer))
    }

    /// Tables with rows of their own, without those of SQLite itself.
    fn tables(&self, side: &str) -> rusqlite::Result<Vec<String>> {
        let sql = format!(
            "SELECT name FROM {side}.sqlite_schema WHERE type = 'table' AND rootpage > 0 \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        );
        self.list(&sql, |row| row.get(0))
    }

    fn rows(&self, side: &str, table: &str) -> rusqlite::Result<u64> {
        self.number(&format!("SELECT count(*) FROM {side}.{}", quoted(table)))
    }

    fn table(&self, table: &str, key: &[String], number: usize) -> rusqlite::Result<Counts> {
        let columns = self.columns(table)?;
        let mut counts = Counts { altered: columns.altered.clone(), ..Counts::default() };
        if columns.shared.is_empty() {
            return Ok(counts);
        }
        let is_key =
            |key: &&[String]| !key.is_empty() && key.iter().all(|column| columns.shared.contains(column));
        for key in [key, columns.primary.as_slice()].iter().filter(|key| is_key(key)) {
            if self.is_unique("old", table, key)? && self.is_unique("main", table, key)? {
                if *key != columns.primary.as_slice() {
                    self.index(table, key, number)?;
                }
                self.by_key(table, key, &columns.shared, &mut counts)?;
                return Ok(counts);
            }
        }
        self.by_content(table, &columns.shared, &mut counts)?;
        Ok(counts)
    }

    fn columns(&self, table: &str) -> rusqlite::Result<Columns> {
        let of = |side: &str| {
            let mut statement =
                self.0.prepare("SELECT name, type, pk FROM pragma_table_info(?1, ?2) ORDER BY cid")?;
            let columns = statement.query_map([table, side], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
            })?;
            columns.collect::<rusqlite::Result<Vec<_>>>()
        };
        let (old, new) = (of("old")?, of("main")?);
        let (mut shared, mut altered) = (Vec::new(), Vec::new());
        for (name, declared, _) in &old {
            match new.iter().find(|(other, ..)| other == name) {
                None => altered.push(format!("column `{table}.{name}` is gone")),
                Some((_, other, _)) => {
                    shared.push(name.clone());
                    if other != declared {
                        altered.push(format!("column `{table}.{name}` was `{declared}` and is `{other}`"));
                    }
                }
            }
        }
        let come = new.iter().filter(|(name, ..)| !shared.contains(name));
        altered.extend(come.map(|(name, ..)| format!("column `{table}.{name}` is new")));
        let primary = old.into_iter().filter(|(_, _, place)| *place > 0).map(|(name, ..)| name).collect();
        Ok(Columns { shared, primary, altered })
    }

    fn is_unique(&self, side: &str, table: &str, key: &[String]) -> rusqlite::Result<bool> {
        let (table, key) = (quoted(table), listed(key, quoted));
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {side}.{table} GROUP BY {key} HAVING count(*) > 1 LIMIT 1)"
        );
        Ok(self.number(&sql)? == 0)
    }

    /// Rows are looked up by this key, in both copies.
    fn index(&self, table: &str, key: &[String], number: usize) -> rusqlite::Result<()> {
        let (table, key) = (quoted(table), listed(key, quoted));
        for side in ["old", "main"] {
            self.0.execute_batch(&format!("CREATE INDEX {side}.{OWN_INDEX}{number} ON {table} ({key})"))?;
        }
        Ok(())
    }

    /// Rows are matched by a key that is unique on both sides.
    fn by_key(
        &self,
        table: &str,
        key: &[String],
        columns: &[String],
        counts: &mut Counts,
    ) -> rusqlite::Result<()> {
        let name = quoted(table);
        let matches = key.iter().map(|column| format!("o.{0} IS n.{0}", quoted(column)));
        let matches = matches.collect::<Vec<_>>().join(" AND ");
        let differs =
            columns.iter().map(|column| format!("o.{0} IS NOT n.{0} COLLATE BINARY", quoted(column)));
        let differs = differs.collect::<Vec<_>>().join(" OR ");
        let one_side = |here: &str, there: &str, there_side: &str| {
            format!(
                "FROM {here}.{name} AS {0} WHERE NOT EXISTS (SELECT 1 FROM {there}.{name} AS {there_side} \
                 WHERE {matches})",
                if there_side == "n" { "o" } else { "n" }
            )
        };
        let changed = format!("FROM old.{name} AS o JOIN main.{name} AS n ON {matches} WHERE {differs}");
        counts.missing = self.part(table, key, "o", &one_side("old", "main", "n"))?;
        counts.added = self.part(table, key, "n", &one_side("main", "old", "o"))?;
        counts.changed = self.part(table, key, "o", &changed)?;
        Ok(())
    }

    /// How many rows there are in `from`, and the keys of the first ones.
    fn part(&self, table: &str, key: &[String], side: &str, from: &str) -> rusqlite::Result<Part> {
        let count = self.number(&format!("SELECT count(*) {from}"))?;
        if count == 0 {
            return Ok(Part::default());
        }
        let columns = listed(key, |column| format!("quote({side}.{})", quoted(column)));
        let named = self.list(&format!("SELECT {columns} {from} LIMIT {NAMED_MAX}"), |row| {
            let value =
                |(at, column): (usize, &String)| Ok(format!("{column} = {}", row.get::<_, String>(at)?));
            let values: Vec<String> = key.iter().enumerate().map(value).collect::<rusqlite::Result<_>>()?;
            Ok(format!("`{table}` {}", values.join(", ")))
        })?;
        Ok(Part { count, named })
    }

    /// Rows without a key: how often each content is there.
    fn by_content(&self, table: &str, columns: &[String], counts: &mut Counts) -> rusqlite::Result<()> {
        let name = quoted(table);
        let cells = columns.iter().enumerate().map(|(at, column)| format!("{} AS c{at}", quoted(column)));
        let cells = cells.collect::<Vec<_>>().join(", ");
        let groups = (0..columns.len()).map(|at| format!("c{at} COLLATE BINARY"));
        let groups = groups.collect::<Vec<_>>().join(", ");
        let sums = format!(
            "(SELECT sum(times) AS times FROM (SELECT {cells}, 1 AS times FROM old.{name} \
             UNION ALL SELECT {cells}, -1 FROM main.{name}) GROUP BY {groups})"
        );
        let one_side =
            |sign: &str| self.number(&format!("SELECT coalesce(sum(max({sign}times, 0)), 0) FROM {sums}"));
        (counts.missing.count, counts.added.count) = (one_side("")?, one_side("-")?);
        if counts.missing.count > 0 {
            counts.missing.named.push(format!("of `{table}`"));
        }
        Ok(())
    }

    fn number(&self, sql: &str) -> rusqlite::Result<u64> {
        self.0.query_row(sql, [], |row| row.get(0))
    }

    fn list<T>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.0.prepare(sql)?;
        let rows = statement.query_map([], read)?;
        rows.collect()
    }
}

/// A name in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn listed<S: AsRef<str>>(names: &[String], shown: impl Fn(&str) -> S) -> String {
    let shown: Vec<S> = names.iter().map(|name| shown(name)).collect();
    shown.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
