//! What a revert takes away: found by trying it, counted, and written to files before it is done.
//!
//! Nothing that came with the step and is as it came counts as lost, because another deploy brings it back. Everything else does:
//! rows of tables that go, values of columns that go, rows of what stays that would be other rows.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::content::{Content, Shape, Table, row_hash};
use super::job::{Job, Stop};
use super::link::Link;
use super::outcome::{Kept, Loss};
use super::record::Record;
use super::step::Step;
use crate::port::{PortError, StatementError};
use crate::world::DiskError;

/// How many bytes of rows are written at once.
const CHUNK_BYTES: usize = 1 << 20;

/// What stays of the tables that were there before a revert: columns in common, by their old and new names, and what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Left {
    tables: BTreeMap<String, LeftTable>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct LeftTable {
    /// Columns that stay, by the names that they have now.
    columns: Vec<String>,
    /// What they hold after the revert.
    content: Content,
    /// Columns that are there afterwards and may hold other values, by the names that they have now.
    changed: Vec<String>,
}

impl Left {
    /// The columns that are there afterwards with other values: each with those that stay beside it.
    pub(super) fn changed(&self) -> Vec<Changed> {
        let of_table = |(name, table): (&String, &LeftTable)| -> Vec<Changed> {
            let beside = |column: &String| Changed {
                table: name.clone(),
                column: column.clone(),
                beside: table.columns.iter().chain([column]).cloned().collect(),
                coming_back: HashMap::new(),
            };
            table.changed.iter().map(beside).collect()
        };
        self.tables.iter().flat_map(of_table).collect()
    }

    /// What was compared.
    pub(super) fn kept(&self) -> Kept {
        Kept {
            tables: self.tables.len() as u64,
            rows: self.tables.values().map(|table| table.content.rows).sum(),
            differences: Vec::new(),
        }
    }
}

/// What a revert takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Takes {
    /// Tables that go, with how many rows they had at the deploy.
    tables: Vec<(String, u64)>,
    /// Columns that go, with how many values they had at the deploy.
    columns: Vec<(String, String, u64)>,
    /// Tables that stay and would have other rows, with the columns that stay.
    rows: Vec<(String, Vec<String>)>,
    /// Columns whose values another deploy would not bring back.
    pub(super) changed: Vec<Changed>,
}

/// A column that stays, with other values.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) table: String,
    pub(super) column: String,
    /// The columns whose values tell its rows apart, itself among them.
    pub(super) beside: Vec<String>,
    /// How often each row, of those columns, would come back.
    pub(super) coming_back: HashMap<u128, u64>,
}

impl Takes {
    pub(super) fn is_nothing(&self) -> bool {
        self.tables.is_empty() && self.columns.is_empty() && self.rows.is_empty() && self.changed.is_empty()
    }
}

/// What of a table came with a step.
enum Came {
    /// All of it.
    Table,
    /// These columns.
    Columns(Vec<String>),
    /// All columns but these, which were there before a deploy that never ended.
    AllBut(Vec<String>),
}

/// What a step's row says of a table.
fn came(facts: &Value, table: &str) -> Came {
    if let Some(shape) = facts.get("shape").and_then(Value::as_array) {
        let before = shape.iter().find(|one| one.get(0).and_then(Value::as_str) == Some(table));
        let Some(columns) = before.and_then(|one| one.get(1)).and_then(Value::as_array) else {
            return Came::Table;
        };
        return Came::AllBut(columns.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    if facts.get("tables").is_some_and(|tables| tables.get(table).is_some()) {
        return Came::Table;
    }
    let columns = facts.get("columns").and_then(|all| all.get(table)).and_then(Value::as_object);
    Came::Columns(columns.map(|columns| columns.keys().cloned().collect()).unwrap_or_default())
}

/// The columns of a table that were there before the step.
pub(super) fn old_columns(facts: &Value, name: &str, table: &Table) -> Vec<String> {
    let names = table.names().into_iter();
    match came(facts, name) {
        Came::Table => Vec::new(),
        Came::Columns(columns) => names.filter(|column| !columns.contains(column)).collect(),
        Came::AllBut(columns) => names.filter(|column| columns.contains(column)).collect(),
    }
}

/// A table, a column of it that goes, what was there at the deploy, and the columns that stay of a table that stays.
type Gone<'a> = (&'a str, Option<&'a str>, u64, Option<&'a Vec<String>>);

/// How often each row would be there after a revert, by its hash.
pub(super) type Staying = BTreeMap<String, HashMap<u128, u64>>;

impl Link<'_> {
    /// What is left of the tables of `shape` now that the revert was carried out.
    pub(super) fn left(
        &mut self,
        step: &Step,
        shape: &Shape,
        mut each: Option<(&str, &mut dyn FnMut(u128))>,
    ) -> Result<Left, StatementError> {
        let undone = step.exceptions.undone();
        let now = self.shape()?;
        let mut left = Left::default();
        for (name, table) in shape {
            if each.as_ref().is_some_and(|(wanted, _)| *wanted != name.as_str()) {
                continue;
            }
            let Some(after) = now.get(undone.new_table(name)) else { continue };
            let is_there = |column: &String| after.has(undone.new_column(name, column));
            let (changed, columns): (Vec<String>, Vec<String>) =
                table.names().into_iter().filter(is_there).partition(|column| undone.changes(name, column));
            let names: Vec<String> =
                columns.iter().map(|column| undone.new_column(name, column).to_owned()).collect();
            let content = match &mut each {
                Some((_, each)) => self.content(&after.sql, &names, each)?,
                None => self.content(&after.sql, &names, &mut |_| {})?,
            };
            left.tables.insert(name.clone(), LeftTable { columns, content, changed });
        }
        Ok(left)
    }

    /// What the revert takes, now that it was taken back: what was there against what would be left.
    pub(super) fn takes(
        &mut self,
        record: &Record,
        shape: &Shape,
        left: &Left,
    ) -> Result<Takes, StatementError> {
        let mut takes = Takes::default();
        for (name, table) in shape {
            let Some(stays) = left.tables.get(name) else {
                takes.tables.extend(self.table_taken(record, name, table)?);
                continue;
            };
            let now = self.content(&table.sql, &stays.columns, &mut |_| {})?;
            // Exactly the rows that came with the step may go with it.
            let came = record.facts.get("rows").and_then(|rows| rows.get(name));
            if now != stays.content && came != Some(&now.more_than(&stays.content)) {
                takes.rows.push((name.clone(), stays.columns.clone()));
            }
            for column in table.names() {
                if !stays.columns.contains(&column) && !stays.changed.contains(&column) {
                    takes.columns.extend(self.column_taken(record, name, table, column)?);
                }
            }
        }
        Ok(takes)
    }

    /// Whether a column that the step declares to change holds what it held right after the deploy, in the rows of then.
    pub(super) fn is_as_deployed(
        &mut self,
        record: &Record,
        table: (&str, &Table),
        column: &str,
        beside: &[String],
    ) -> Result<bool, StatementError> {
        let (name, table) = table;
        let noted = record.facts.get("changed").and_then(|all| all.get(name)).and_then(|all| all.get(column));
        let Some(then) = noted.and_then(Content::from_json) else { return Ok(false) };
        Ok(self.content(&table.sql, beside, &mut |_| {})? == then)
    }

    /// What a revert that cannot be tried may take: all that came with the step, and all that stands in columns that it changes.
    pub(super) fn may_take(
        &mut self,
        step: &Step,
        record: &Record,
        shape: &Shape,
    ) -> Result<Takes, StatementError> {
        let undone = step.exceptions.undone();
        let mut takes = Takes::default();
        for (name, table) in shape {
            let (changed, beside): (Vec<String>, Vec<String>) = old_columns(&record.facts, name, table)
                .into_iter()
                .partition(|column| undone.changes(name, column));
            for column in changed {
                let beside: Vec<String> = beside.iter().chain([&column]).cloned().collect();
                if !self.is_as_deployed(record, (name.as_str(), table), &column, &beside)? {
                    let (table, coming_back) = (name.clone(), HashMap::new());
                    takes.changed.push(Changed { table, column, beside, coming_back });
                }
            }
            match came(&record.facts, name) {
                Came::Table => takes.tables.extend(self.table_taken(record, name, table)?),
                Came::Columns(columns) => {
                    for column in columns.into_iter().filter(|column| table.has(column)) {
                        takes.columns.extend(self.column_taken(record, name, table, column)?);
                    }
                }
                Came::AllBut(columns) => {
                    for column in table.names().into_iter().filter(|column| !columns.contains(column)) {
                        takes.columns.extend(self.column_taken(record, name, table, column)?);
                    }
                }
            }
        }
        Ok(takes)
    }

    /// A table that goes, unless it has no row or is as it came.
    fn table_taken(
        &mut self,
        record: &Record,
        name: &str,
        table: &Table,
    ) -> Result<Option<(String, u64)>, StatementError> {
        let content = self.content(&table.sql, &table.names(), &mut |_| {})?;
        let came =
            record.facts.get("tables").and_then(|tables| tables.get(name)).and_then(Content::from_json);
        if content.rows == 0 || came.as_ref() == Some(&content) {
            return Ok(None);
        }
        Ok(Some((name.to_owned(), came.map_or(0, |came| came.rows))))
    }

    /// A column that goes, unless it has no value or is as it came.
    fn column_taken(
        &mut self,
        record: &Record,
        name: &str,
        table: &Table,
        column: String,
    ) -> Result<Option<(String, String, u64)>, StatementError> {
        let content = self.content(&table.sql, std::slice::from_ref(&column), &mut |_| {})?;
        let came = record.facts.get("columns").and_then(|all| all.get(name)).and_then(|all| all.get(&column));
        let sums = content.to_json();
        let values = content.columns.first().map_or(0, |(_, values)| *values);
        if values == 0 || came == sums["columns"].get(0) {
            return Ok(None);
        }
        let there = came.and_then(|came| came.get(1)).and_then(Value::as_u64).unwrap_or(0);
        Ok(Some((name.to_owned(), column, there)))
    }

    /// The rows that stay, of tables that would have other rows. The revert was carried out.
    pub(super) fn staying(
        &mut self,
        step: &Step,
        shape: &Shape,
        takes: &Takes,
    ) -> Result<Staying, StatementError> {
        let mut staying = Staying::new();
        for (name, _) in &takes.rows {
            let mut rows: HashMap<u128, u64> = HashMap::new();
            let mut each = |hash: u128| *rows.entry(hash).or_default() += 1;
            self.left(step, shape, Some((name.as_str(), &mut each)))?;
            staying.insert(name.clone(), rows);
        }
        Ok(staying)
    }
}

impl Job<'_> {
    /// Writes all that would be lost to files, which are on the disk when this returns.
    pub(super) fn write_down(
        &self,
        link: &mut Link<'_>,
        step: &Step,
        shape: &Shape,
        takes: &Takes,
        mut staying: Staying,
    ) -> Result<Vec<Loss>, Stop> {
        if takes.is_nothing() {
            return Ok(Vec::new());
        }
        let disk = self.request.world.disk.as_ref();
        let time = self.request.world.clock.now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
        let folder = self.folder()?.join(format!("lost-{time}-{}", step.name));
        disk.make_directory(&folder, 0o700).map_err(|error| unwritten(&error))?;
        let mut lost = Vec::new();
        let mut gone: Vec<Gone<'_>> = Vec::new();
        gone.extend(takes.tables.iter().map(|(table, there)| (table.as_str(), None, *there, None)));
        gone.extend(
            takes
                .columns
                .iter()
                .map(|(table, column, there)| (table.as_str(), Some(column.as_str()), *there, None)),
        );
        gone.extend(takes.rows.iter().map(|(table, columns)| (table.as_str(), None, 0, Some(columns))));
        for (name, column, there, stays) in gone {
            let Some(table) = shape.get(name) else { continue };
            let last = match (column, stays) {
                (Some(column), _) => format!("{name}.{column}"),
                (None, Some(_)) => format!("{name}-rows"),
                (None, None) => name.to_owned(),
            };
            let path = self.free(&folder, &last)?;
            let mut file = File { job: self, path: &path, text: String::new(), failed: None };
            let mut rest = stays.map(|columns| (columns, staying.remove(name).unwrap_or_default()));
            let rows = file.write(link, table, column, rest.as_mut())?;
            disk.sync_file(&path).map_err(|error| unwritten(&error))?;
            lost.push(Loss {
                step: step.name.clone(),
                table: name.to_owned(),
                column: column.map(str::to_owned),
                rows,
                rows_at_deploy: there,
                gone: false,
                stays: false,
                file: self.shown(&path),
            });
        }
        for Changed { table: name, column, beside, coming_back } in &takes.changed {
            let Some(table) = shape.get(name) else { continue };
            let path = self.free(&folder, &format!("{name}.{column}"))?;
            let mut file = File { job: self, path: &path, text: String::new(), failed: None };
            let mut rest = (beside, coming_back.clone());
            let rows = file.write(link, table, None, Some(&mut rest))?;
            disk.sync_file(&path).map_err(|error| unwritten(&error))?;
            // All come back, and others with them.
            if rows > 0 {
                lost.push(Loss {
                    step: step.name.clone(),
                    table: name.clone(),
                    column: Some(column.clone()),
                    rows,
                    rows_at_deploy: 0,
                    gone: false,
                    stays: true,
                    file: self.shown(&path),
                });
            }
        }
        disk.sync_directory(&folder).map_err(|error| unwritten(&error))?;
        Ok(lost)
    }

    /// A path in the folder that is not taken; names of tables may have letters that no file should.
    fn free(&self, folder: &Path, name: &str) -> Result<PathBuf, Stop> {
        let plain =
            |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
        let name: String = name.chars().take(100).map(plain).collect();
        let mut path = folder.join(format!("{name}.csv"));
        let mut number = 1;
        while self.request.world.disk.look(&path).map_err(|error| unwritten(&error))?.is_some() {
            number += 1;
            path = folder.join(format!("{name}-{number}.csv"));
        }
        Ok(path)
    }
}

/// A disk that said no.
fn unwritten(error: &DiskError) -> Stop {
    let message = "could not write down what the revert takes away; nothing was reverted".to_owned();
    Stop::Error(PortError::new(message, vec![error.to_string()]).hinted("make room, then revert again"))
}

/// A file of rows, as CSV: null is an empty field, an empty text is `""`.
struct File<'a> {
    job: &'a Job<'a>,
    path: &'a Path,
    text: String,
    failed: Option<DiskError>,
}

impl File<'_> {
    /// Writes the rows that are lost: of a column those that have a value, of what stays those that would not be there. Returns
    /// how many.
    fn write(
        &mut self,
        link: &mut Link<'_>,
        table: &Table,
        column: Option<&str>,
        mut rest: Option<&mut (&Vec<String>, HashMap<u128, u64>)>,
    ) -> Result<u64, Stop> {
        let names = table.names();
        let width = names.len();
        let mut shown: Vec<String> = names.iter().map(|name| link.dialect.for_people(name)).collect();
        if let Some((columns, _)) = &rest {
            shown.extend(columns.iter().map(|name| link.dialect.as_text(name)));
        }
        let condition = column
            .map_or(String::new(), |column| format!(" WHERE {} IS NOT NULL", super::dialect::quoted(column)));
        let query = format!("SELECT {} FROM {}{condition}", shown.join(", "), table.sql);
        self.line(names.iter().map(|name| Some(name.as_str())));
        let mut rows = 0;
        let asked = link.with_texts(|link| {
            link.rows(&query, &mut |cells| {
                if let Some((_, staying)) = rest.as_deref_mut()
                    && let Some(left) = staying.get_mut(&row_hash(cells.get(width..).unwrap_or_default()))
                    && *left > 0
                {
                    *left -= 1;
                    return true;
                }
                rows += 1;
                self.line(cells.iter().take(width).map(Option::as_deref));
                self.failed.is_none()
            })
        });
        self.flush();
        if let Some(error) = &self.failed {
            return Err(unwritten(error));
        }
        asked.map_err(|error| self.job.failed("write down rows of", &error))?;
        Ok(rows)
    }

    fn line<'t>(&mut self, cells: impl Iterator<Item = Option<&'t str>>) {
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.text.push_str(&field(cell));
        }
        self.text.push('\n');
        if self.text.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let disk = self.job.request.world.disk.as_ref();
        if self.failed.is_none()
            && let Err(error) = disk.append(self.path, self.text.as_bytes())
        {
            self.failed = Some(error);
        }
        self.text.clear();
    }
}

/// A field of CSV (RFC 4180).
fn field(cell: Option<&str>) -> String {
    match cell {
        None => String::new(),
        Some(text) if text.is_empty() || text.contains(['"', ',', '\n', '\r']) || text.trim() != text => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_back_as_what_they_were() {
        for (cell, wanted) in [
            (None, ""),
            (Some(""), "\"\""),
            (Some("a"), "a"),
            (Some("a,b"), "\"a,b\""),
            (Some("a\"b"), "\"a\"\"b\""),
            (Some("a\nb"), "\"a\nb\""),
            (Some(" a"), "\" a\""),
        ] {
            assert_eq!(field(cell), wanted);
        }
    }
}
