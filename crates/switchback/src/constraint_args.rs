//! `constraint`: what can be typed, and the constraints that it stands for.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use switchback_core::constraint::{
    About, Bounds, Constraint, Direction, Form, Monotone, Rows, SHOWN_ROWS, Sign, TableFile,
};

use crate::failure::Failure;
use crate::rule_args::bytes;

/// `constraint`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("form").required(true).multiple(true).args(["holds", "select", "not_null", "unique", "sign", "monotone"])))]
pub struct ConstraintArgs {
    /// Tables, or folders of tables; `NAME=FILE` gives one a name of its own, else it is called by its stem
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// A condition in SQL that must be true for every row
    #[arg(long, value_name = "SQL")]
    pub holds: Vec<String>,
    /// A query in SQL that must select no row
    #[arg(long, value_name = "SQL")]
    pub select: Vec<String>,
    /// Columns that have a value in every row
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub not_null: Vec<String>,
    /// Columns in which no two rows have the same values
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub unique: Vec<String>,
    /// A column has one sign in every row: positive, negative, not-positive, not-negative
    #[arg(long, value_name = "C=SIGN")]
    pub sign: Vec<String>,
    /// This column goes one way as the column of `--by` grows
    #[arg(long, value_name = "C", requires_all = ["by", "direction"])]
    pub monotone: Option<String>,
    /// With `--monotone`: what it follows
    #[arg(long, value_name = "C", requires = "monotone")]
    pub by: Option<String>,
    /// With `--monotone`: which way it goes
    #[arg(long, value_enum, value_name = "WAY", requires = "monotone")]
    pub direction: Option<Way>,
    /// With `--monotone`: only rows that agree in these columns are held against each other
    #[arg(long, value_delimiter = ',', value_name = "C,…", requires = "monotone")]
    pub within: Vec<String>,
    /// With `--monotone`: it may not stay the same
    #[arg(long, requires = "monotone")]
    pub strict: bool,
    /// The table whose rows it is about; may be left out where there is only one
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    pub table: Option<String>,
    /// With `--holds`, instead of a table: what stands behind FROM in SQL
    #[arg(long, value_name = "SQL", requires = "holds")]
    pub from: Option<String>,
    /// A condition in SQL: it is about the rows for which it is true
    #[arg(long = "where", value_name = "SQL", conflicts_with = "select")]
    pub filter: Option<String>,
    /// The most violating rows that are shown of each constraint
    #[arg(long, value_name = "N", default_value_t = SHOWN_ROWS)]
    pub sample: usize,
    /// Memory for sorting, joining and grouping; 1GiB when left out
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
}

/// Which way a column goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// It never falls.
    Increasing,
    /// It never rises.
    Decreasing,
}

impl ConstraintArgs {
    /// The tables that were named.
    pub(crate) fn tables(&self) -> Vec<TableFile> {
        let table = |text: &String| match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !name.contains('/') && !path.is_empty() => {
                TableFile { name: Some(name.to_owned()), path: PathBuf::from(path) }
            }
            _ => TableFile { name: None, path: PathBuf::from(text) },
        };
        self.files.iter().map(table).collect()
    }

    /// The constraints that were asked for, conditions first.
    pub(crate) fn constraints(&self) -> Result<Vec<Constraint>, Failure> {
        let mut forms: Vec<Form> = self.holds.iter().cloned().map(Form::Holds).collect();
        forms.extend(self.select.iter().cloned().map(Form::Select));
        if !self.not_null.is_empty() {
            forms.push(Form::NotNull(self.not_null.clone()));
        }
        if !self.unique.is_empty() {
            forms.push(Form::Unique(self.unique.clone()));
        }
        for text in &self.sign {
            forms.push(sign(text)?);
        }
        if let (Some(column), Some(by), Some(way)) = (&self.monotone, &self.by, self.direction) {
            forms.push(Form::Monotone(Monotone {
                column: column.clone(),
                by: by.clone(),
                within: self.within.clone(),
                direction: match way {
                    Way::Increasing => Direction::Increasing,
                    Way::Decreasing => Direction::Decreasing,
                },
                is_strict: self.strict,
            }));
        }
        let rows = match (&self.from, &self.table) {
            (Some(from), _) => Rows::From(from.clone()),
            (None, Some(table)) => Rows::Table(table.clone()),
            (None, None) => Rows::OnlyTable,
        };
        let about = About { rows, filter: self.filter.clone() };
        Ok(forms.into_iter().map(|form| Constraint { name: None, about: about.clone(), form }).collect())
    }

    /// What looking may take.
    pub(crate) fn bounds(&self) -> Result<Bounds, Failure> {
        let usual = Bounds { shown_rows: self.sample, ..Bounds::default() };
        let memory_bytes = self.memory.as_deref().map(bytes).transpose()?;
        Ok(Bounds { memory_bytes: memory_bytes.unwrap_or(usual.memory_bytes), ..usual })
    }
}

fn sign(text: &str) -> Result<Form, Failure> {
    let read = text.rsplit_once('=').and_then(|(column, word)| {
        Some(Form::Sign { column: column.to_owned(), is: Sign::from_word(word)? })
    });
    read.ok_or_else(|| {
        let what = format!("`--sign {text}` is not `COLUMN=SIGN`");
        let hint = format!("e.g. `--sign elasticity=negative`; signs are {}", Sign::WORDS.join(", "));
        Failure::new(what, Vec::new(), hint)
    })
}
