//! Constraints on real files: what holds, what does not, and what could not be told.

#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]
#![expect(clippy::disallowed_methods, reason = "a test lays out its files directly")]

mod bounds;
mod forms;
mod tables;
mod unknown;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use switchback_core::constraint::{
    About, Bounds, Constraint, ConstraintFinding, Direction, Form, Monotone, Rows, Sign, TableFile,
};
use switchback_core::port::{PortError, Querier};
use switchback_core::world::RealDisk;
use switchback_sql::SqlQuerier;

/// Some tables in a temporary folder.
pub(crate) struct Shelf {
    folder: tempfile::TempDir,
}

impl Shelf {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let shelf = Self { folder: tempfile::tempdir().unwrap() };
        for (name, content) in files {
            let path = shelf.at(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        shelf
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn ask(&self, constraint: Constraint) -> ConstraintFinding {
        let folder = TableFile { name: None, path: self.folder.path().to_owned() };
        look(&[folder], constraint, &Bounds::default()).unwrap()
    }
}

pub(crate) fn look(
    tables: &[TableFile],
    constraint: Constraint,
    bounds: &Bounds,
) -> Result<ConstraintFinding, PortError> {
    let outcome = SqlQuerier::new(Arc::new(RealDisk)).query(tables, &[constraint], bounds)?;
    Ok(outcome.findings.into_iter().next().unwrap())
}

pub(crate) fn about(form: Form) -> Constraint {
    Constraint { name: None, about: About::default(), form }
}

pub(crate) fn select(sql: &str) -> Constraint {
    about(Form::Select(sql.to_owned()))
}

pub(crate) fn holds(condition: &str) -> Constraint {
    about(Form::Holds(condition.to_owned()))
}

pub(crate) fn sign(column: &str, is: Sign) -> Constraint {
    about(Form::Sign { column: column.to_owned(), is })
}

pub(crate) fn monotone(column: &str, by: &str, within: &[&str], direction: Direction) -> Monotone {
    Monotone {
        column: column.to_owned(),
        by: by.to_owned(),
        within: within.iter().map(|name| (*name).to_owned()).collect(),
        direction,
        is_strict: false,
    }
}

pub(crate) fn filtered(constraint: Constraint, filter: &str) -> Constraint {
    let about = About { filter: Some(filter.to_owned()), ..constraint.about };
    Constraint { about, ..constraint }
}

pub(crate) fn from(constraint: Constraint, from: &str) -> Constraint {
    let about = About { rows: Rows::From(from.to_owned()), ..constraint.about };
    Constraint { about, ..constraint }
}

/// The cell of a row that is shown.
pub(crate) fn cell(finding: &ConstraintFinding, row: usize, column: &str) -> Value {
    let cells = finding.sample.get(row).unwrap_or_else(|| panic!("no row {row}: {finding:?}"));
    let found = cells.iter().find(|(name, _)| name == column);
    found.unwrap_or_else(|| panic!("no column {column}: {finding:?}")).1.clone()
}
