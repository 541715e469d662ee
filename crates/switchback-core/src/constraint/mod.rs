//! What a result must satisfy by itself, without another one beside it: constraints on its tables.
//!
//! A [`Constraint`] says what must hold for which rows; [`ConstraintOutcome`] (`outcome`) says what was found. Whatever
//! looks is behind the port [`crate::port::Querier`].

mod outcome;

use std::path::PathBuf;
use std::time::Duration;

pub use outcome::{ConstraintFinding, ConstraintOutcome, SCHEMA, TableSeen, shown};

/// Memory that looking may take, in bytes, when nothing else is said: 1 GiB.
pub const MEMORY_BYTES: u64 = 1 << 30;
/// Violating rows that are shown of each constraint, when nothing else is said.
pub const SHOWN_ROWS: usize = 10;

/// One constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// What it is called; its own words when `None`.
    pub name: Option<String>,
    /// Which rows it is about.
    pub about: About,
    /// What must hold for them.
    pub form: Form,
}

/// Which rows a constraint is about. [`Form::Select`] names its tables itself, and has no use for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Where the rows come from.
    pub rows: Rows,
    /// A condition in SQL: only rows for which it is true.
    pub filter: Option<String>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Rows {
    /// The only table that there is.
    #[default]
    OnlyTable,
    /// The table of that name, to the letter.
    Table(String),
    /// What stands behind `FROM` in SQL: tables, joins, queries in parentheses.
    From(String),
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A query that must select no row: what it selects violates.
    Select(String),
    /// A condition in SQL that must be true for every row. Null is not true, and NaN fulfils no condition that does not
    /// ask for it with `isnan` or `nanvl`.
    Holds(String),
    /// These columns have a value in every row. NaN is a value.
    NotNull(Vec<String>),
    /// No two rows have the same values in these columns. Null is the same as null.
    Unique(Vec<String>),
    /// Every value of a column has a sign. Null and NaN have none.
    Sign {
        /// The column, a number.
        column: String,
        /// The sign.
        is: Sign,
    },
    /// A column goes one way as another one grows.
    Monotone(Monotone),
}

/// A column that goes one way as another one grows, among the rows that agree in some others.
///
/// Rows that agree in `by` say nothing about each other. A row without a value (null or NaN) in `column` or `by` has no
/// place in the order, and violates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monotone {
    /// The column that goes one way.
    pub column: String,
    /// What it follows.
    pub by: String,
    /// Only rows that agree in these columns are held against each other; all of them when empty.
    pub within: Vec<String>,
    /// Which way.
    pub direction: Direction,
    /// Whether it may not stay the same.
    pub is_strict: bool,
}

/// The sign of a number. Zero is neither positive nor negative, and has no sign of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// More than 0.
    Positive,
    /// Less than 0.
    Negative,
    /// 0 or more.
    NotNegative,
    /// 0 or less.
    NotPositive,
}

/// Which way a column goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It never falls.
    Increasing,
    /// It never rises.
    Decreasing,
}

impl Sign {
    /// The words for signs.
    pub const WORDS: &'static [&'static str] = &["positive", "negative", "not-negative", "not-positive"];

    /// Reads one of [`Sign::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "positive" => Self::Positive,
            "negative" => Self::Negative,
            "not-negative" => Self::NotNegative,
            "not-positive" => Self::NotPositive,
            _ => return None,
        })
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::NotNegative => "not-negative",
            Self::NotPositive => "not-positive",
        }
    }
}

impl Direction {
    /// The words for directions.
    pub const WORDS: &'static [&'static str] = &["increasing", "decreasing"];

    /// Reads one of [`Direction::WORDS`].
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "increasing" => Some(Self::Increasing),
            "decreasing" => Some(Self::Decreasing),
            _ => None,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Increasing => "increasing",
            Self::Decreasing => "decreasing",
        }
    }
}

impl Constraint {
    /// Its name, or its own words in one line.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.form.words())
    }
}

impl Form {
    /// What it asks, in one line.
    pub fn words(&self) -> String {
        match self {
            Self::Select(sql) => in_one_line(sql),
            Self::Holds(condition) => in_one_line(condition),
            Self::NotNull(columns) => format!("{} not null", columns.join(", ")),
            Self::Unique(columns) => format!("{} unique", columns.join(", ")),
            Self::Sign { column, is } => format!("{column} {}", is.word()),
            Self::Monotone(monotone) => {
                let strict = if monotone.is_strict { "strictly " } else { "" };
                let within = match monotone.within.as_slice() {
                    [] => String::new(),
                    columns => format!(" within {}", columns.join(", ")),
                };
                let Monotone { column, by, direction, .. } = monotone;
                format!("{column} {strict}{} by {by}{within}", direction.word())
            }
        }
    }

    /// The key of the plan, and the option of the command line, that it is written with.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Select(_) => "select",
            Self::Holds(_) => "holds",
            Self::NotNull(_) => "not_null",
            Self::Unique(_) => "unique",
            Self::Sign { .. } => "sign",
            Self::Monotone(_) => "monotone",
        }
    }
}

fn in_one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A table, or a file or folder of tables, that constraints can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// What it is called in SQL; when `None`, the file's stem, or its path below `path` where two share a stem.
    pub name: Option<String>,
    /// A file of one or more tables; or, without a name, a folder: all tables in it.
    pub path: PathBuf,
}

/// What looking may take, and how much it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Memory for sorting, joining and grouping, in bytes; what needs more goes to disk, or could not tell.
    pub memory_bytes: u64,
    /// Violating rows that are shown of each constraint.
    pub shown_rows: usize,
    /// All of it is given up after this time; `None`: never.
    pub timeout: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { memory_bytes: MEMORY_BYTES, shown_rows: SHOWN_ROWS, timeout: None }
    }
}
