//! The tables that constraints can name: found at once, and opened when one is first named.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use switchback_compare::records::{Records, Source};
use switchback_core::constraint::{TableFile, TableSeen};
use switchback_core::plan::advise;
use switchback_core::port::PortError;
use switchback_core::world::Disk;

use crate::words::Unknown;

/// Names that a message lists.
const LISTED_MAX: usize = 12;

/// Files of tables, and those tables that have been opened.
#[derive(Debug)]
pub(crate) struct Shelf<'d> {
    disk: &'d dyn Disk,
    files: Vec<File>,
    opened: Mutex<Vec<Arc<Opened<'d>>>>,
}

#[derive(Debug)]
struct File {
    source: Source,
    /// What it is called; none of them is called by another one.
    names: Vec<String>,
}

/// A table that has been opened.
#[derive(Debug)]
pub(crate) struct Opened<'d> {
    file: usize,
    part: Option<String>,
    pub(crate) records: Records<'d>,
}

/// Which of the opened tables.
pub(crate) type Id = usize;

impl<'d> Shelf<'d> {
    /// All tables at these places.
    pub(crate) fn of(disk: &'d dyn Disk, tables: &[TableFile]) -> Result<Self, PortError> {
        let mut files = Vec::new();
        for table in tables {
            let sources = Source::find(disk, &table.path)?;
            let is_one = sources.len() == 1;
            if sources.is_empty() || (table.name.is_some() && !is_one) {
                let why =
                    if sources.is_empty() { "no table is in it" } else { "it holds more than one file" };
                let message = format!("could not read `{}`", table.path.display());
                let hint = "name files or folders of tables: .parquet, .csv, .jsonl, .arrow, .npy, .xlsx";
                return Err(PortError::new(message, vec![why.to_owned()]).hinted(hint));
            }
            files.extend(sources.into_iter().map(|source| File::new(table, source)));
        }
        Ok(Self { disk, files, opened: Mutex::default() })
    }

    /// The table of that name.
    pub(crate) fn find(&self, name: &str) -> Result<Id, Unknown> {
        let is_called = |file: &&File| file.names.iter().any(|other| other == name);
        let called: Vec<&File> = self.files.iter().filter(is_called).collect();
        match called.as_slice() {
            [file] if file.source.has_parts() => {
                let parts = self.parts(self.position(file))?;
                match parts.as_slice() {
                    [only] => Ok(*only),
                    _ => Err(self.unknown(name)),
                }
            }
            [file] => self.parts(self.position(file))?.first().copied().ok_or_else(|| self.unknown(name)),
            [] => self.find_part(name),
            several => {
                let names: Vec<String> =
                    several.iter().map(|file| format!("`\"{}\"`", file.source.name.display())).collect();
                let why = format!("several tables are called `{name}`");
                Err(Unknown::new(why).hinted(format!("take one of {}", names.join(", "))))
            }
        }
    }

    /// The only table that there is.
    pub(crate) fn only(&self) -> Result<Id, Unknown> {
        if let [_] = self.files.as_slice()
            && let [only] = self.parts(0)?.as_slice()
        {
            return Ok(*only);
        }
        let why = "there is more than one table, and none is named".to_owned();
        Err(Unknown::new(why).hinted(format!("name one: {}", self.listed())))
    }

    /// What a table is called where it has to be called something.
    pub(crate) fn name_of(&self, id: Id) -> String {
        let opened = self.opened();
        let name = opened.get(id).and_then(|table| {
            let name = self.files.get(table.file)?.names.first()?;
            Some(table.part.as_ref().map_or_else(|| name.clone(), |part| format!("{name}#{part}")))
        });
        name.unwrap_or_default()
    }

    pub(crate) fn table(&self, id: Id) -> Option<Arc<Opened<'d>>> {
        self.opened().get(id).cloned()
    }

    /// What has been opened.
    pub(crate) fn seen(&self) -> Vec<TableSeen> {
        let tables = self.opened().clone();
        let seen = tables.iter().enumerate().map(|(id, table)| TableSeen {
            name: self.name_of(id),
            path: table.records.path().to_owned(),
            rows: table.records.rows(),
        });
        seen.collect()
    }

    /// A sheet, or an array of an archive: by its own name, or behind that of its file.
    fn find_part(&self, name: &str) -> Result<Id, Unknown> {
        let mut found = Vec::new();
        for (at, file) in self.files.iter().enumerate().filter(|(_, file)| file.source.has_parts()) {
            for id in self.parts(at)? {
                let part = self.table(id).and_then(|table| table.part.clone()).unwrap_or_default();
                let is_behind = |file: &String| name.strip_prefix(file.as_str()) == Some(&format!("#{part}"));
                if part == name || file.names.iter().any(is_behind) {
                    found.push(id);
                }
            }
        }
        match found.as_slice() {
            [only] => Ok(*only),
            [] => Err(self.unknown(name)),
            several => {
                let names: Vec<String> =
                    several.iter().map(|id| format!("`\"{}\"`", self.name_of(*id))).collect();
                let why = format!("several tables are called `{name}`");
                Err(Unknown::new(why).hinted(format!("take one of {}", names.join(", "))))
            }
        }
    }

    /// The tables of a file, opened when they are not yet.
    fn parts(&self, file: usize) -> Result<Vec<Id>, Unknown> {
        let of_file = |opened: &[Arc<Opened<'d>>]| -> Vec<Id> {
            (0..opened.len()).filter(|id| opened.get(*id).is_some_and(|table| table.file == file)).collect()
        };
        let ids = of_file(&self.opened());
        let Some(entry) = self.files.get(file).filter(|_| ids.is_empty()) else { return Ok(ids) };
        let parts = entry.source.open(self.disk).map_err(|error| Unknown::of_port(&error))?;
        let mut opened = self.opened();
        let tables = parts.into_iter().map(|part| Opened { file, part: part.name, records: part.records });
        opened.extend(tables.map(Arc::new));
        Ok(of_file(&opened))
    }

    fn position(&self, file: &File) -> usize {
        self.files.iter().position(|other| std::ptr::eq(other, file)).unwrap_or(usize::MAX)
    }

    fn unknown(&self, name: &str) -> Unknown {
        let known: BTreeSet<&str> =
            self.files.iter().flat_map(|file| &file.names).map(String::as_str).collect();
        let near = advise(name, known.into_iter());
        let why = format!("there is no table `{name}`");
        match near.strip_prefix("did you mean") {
            Some(_) => Unknown::new(format!("{why}; {near}")),
            None => Unknown::new(why).hinted(format!("tables here: {}", self.listed())),
        }
    }

    fn listed(&self) -> String {
        let names = self.files.iter().filter_map(|file| file.names.first());
        let mut listed: Vec<String> = names.take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
        // Of a single workbook it is the sheets that can be named.
        if let [file] = self.files.as_slice()
            && file.source.has_parts()
        {
            let parts = self.opened();
            let parts = parts.iter().filter_map(|table| table.part.as_ref());
            listed = parts.take(LISTED_MAX).map(|part| format!("`{part}`")).collect();
        }
        if self.files.len() > LISTED_MAX {
            listed.push("…".to_owned());
        }
        listed.join(", ")
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Opened<'d>>>> {
        // Tables are only ever added, each in one step: a panic elsewhere leaves the list whole.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl File {
    fn new(table: &TableFile, source: Source) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        if let Some(name) = &table.name {
            return Self { source, names: vec![name.clone()] };
        }
        let stem = source.name.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut names: Vec<String> = stem.into_iter().chain([text(&source.name)]).collect();
        if table.path.ends_with(&source.name) {
            names.push(text(&table.path));
        }
        names.dedup();
        Self { source, names }
    }
}
