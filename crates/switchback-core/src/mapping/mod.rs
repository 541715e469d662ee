//! The mapping file: what the new results call, measure, label and lay out in another way than the old ones.
//!
//! Its table `data` is about columns of results; its tables `call` are about functions and what they return. One file says it
//! once, for comparisons, for the check `equivalence`, for shims, and for reports.

mod calls;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::pattern;
use crate::plan::{Fields, Finding, Findings, Key, Shape, TextOrTable, place, shown};
use crate::world::Disk;

pub use calls::{Call, Form, Path as ValuePath, Step};

/// Larger files are no mapping.
pub const MAPPING_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// More decimal digits than that a factor cannot have.
const DIGITS_MAX: usize = 30;
/// The longest decimal exponent of a factor.
const EXPONENT_MAX: i32 = 30;

/// Units with a name, and the factor that leads to them.
const NAMED_UNITS: &[(&str, &str)] = &[
    ("percent", "100"),
    ("per-mille", "1000"),
    ("basis-points", "10000"),
    ("share", "0.01"),
    ("cents", "100"),
    ("thousands", "0.001"),
    ("millions", "0.000001"),
];

const UNIT: &[Key] = &[
    Key::required("factor", Shape::Decimal, "the old value times this one is the new one"),
    Key::optional("offset", Shape::Decimal, "is added after that"),
];
const SHAPE: &[Key] = &[
    Key::required("old", Shape::Word(&["wide", "long"]), "how the old table is laid out"),
    Key::required("new", Shape::Word(&["wide", "long"]), "how the new table is laid out"),
    Key::required("id", Shape::Texts, "columns that both have and that name a row of the wide table"),
    Key::required("name", Shape::Text, "the column of the long table that names the wide one's column"),
    Key::required("value", Shape::Text, "the column of the long table that holds the value"),
    Key::optional("columns", Shape::Texts, "the wide table's columns that are rows of the long one"),
];
const DATA: &[Key] = &[
    COLUMNS,
    UNITS,
    CATEGORIES,
    RESHAPED,
    Key::optional(
        "tables",
        Shape::Named(TABLE),
        "the same for tables of a name, or of a name with `*` and `?`",
    ),
];
const TABLE: &[Key] = &[COLUMNS, UNITS, CATEGORIES, RESHAPED];
const COLUMNS: Key = Key::optional("columns", Shape::NamedTexts, "new names of columns, by their old ones");
const UNITS: Key =
    Key::optional("units", Shape::NamedTextsOrTables(UNIT), "units of columns that changed, by old names");
const CATEGORIES: Key =
    Key::optional("categories", Shape::NamedGroups, "for a column, by its old name: new labels by old ones");
const RESHAPED: Key = Key::optional("shape", Shape::Table(SHAPE), "a wide table that became long, or back");
const FILE: &[Key] = &[
    Key::required("version", Shape::Whole, "the version of the format: 1"),
    Key::optional("data", Shape::Table(DATA), "what changed in results"),
    Key::optional("call", Shape::Tables(calls::CALL), "functions that are called, or answer, in another way"),
];

/// A mapping file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where it was read.
    pub path: PathBuf,
    /// What it says, in no order that means anything.
    pub entries: Vec<Entry>,
    /// Functions that are called, or answer, in another way.
    pub calls: Vec<Call>,
}

impl Mapping {
    /// The calls whose results stand in the document `item`: a path, the stem of a file, or a name with `*` and `?`.
    pub fn calls_of(&self, item: &str) -> Vec<&Call> {
        let is_of = |call: &&Call| call.documents.iter().any(|pattern| is_called(pattern, item));
        self.calls.iter().filter(is_of).collect()
    }
}

/// One thing that a mapping says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// For which tables: a name, in which `*` stands for any characters and `?` for one. `None`: for all.
    pub tables: Option<String>,
    /// What it says.
    pub change: Change,
}

/// What became of a column or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A column has another name.
    Renamed {
        /// In the old table.
        old: String,
        /// In the new table.
        new: String,
    },
    /// A column has another unit.
    Unit {
        /// Its old name.
        column: String,
        /// The unit's name, where it has one.
        name: Option<String>,
        /// `new = old * factor + offset`. Not 0.
        factor: Decimal,
        /// Of the new unit.
        offset: Decimal,
    },
    /// A column has other labels.
    Categories {
        /// Its old name.
        column: String,
        /// Old and new label. A label that is not among them stays.
        labels: Vec<(String, String)>,
    },
    /// A table is laid out in another way.
    Shape(Reshape),
}

/// A table that is wide on one side and long on the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    /// Whether the old one is the wide one.
    pub old_is_wide: bool,
    /// Columns of both, by their old names, that name a row of the wide table.
    pub id: Vec<String>,
    /// The long table's column that names the wide one's column.
    pub name: String,
    /// The long table's column that holds the value.
    pub value: String,
    /// The wide table's columns that are rows of the long one; empty: all but `id`.
    pub columns: Vec<String>,
}

/// An exact decimal number: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All its digits.
    pub mantissa: i128,
    /// How many of them stand behind the point; negative: how many zeros follow.
    pub scale: i32,
}

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };

    /// Reads a decimal literal: `-0.25`, `1e-3`. `None`: it is none, or longer than 30 digits.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = whole.strip_prefix('-').unwrap_or(whole).len() + fraction.len();
        let all_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
        if digits == 0 || digits > DIGITS_MAX || exponent.abs() > EXPONENT_MAX || !all_digits {
            return None;
        }
        let mut mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let mut scale = i32::try_from(fraction.len()).ok()? - exponent;
        while mantissa != 0 && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Some(if mantissa == 0 { Self::ZERO } else { Self { mantissa, scale } })
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        match usize::try_from(self.scale) {
            Ok(0) => write!(to, "{sign}{digits}"),
            Ok(places) => {
                let padded = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                write!(to, "{sign}{whole}.{fraction}")
            }
            Err(_) => write!(to, "{sign}{digits}{}", "0".repeat(self.scale.unsigned_abs() as usize)),
        }
    }
}

impl Entry {
    /// Whether it is for the table `item`: by its whole name, by the stem of its file, or by its name in a file of several.
    pub fn is_for(&self, item: &str) -> bool {
        self.tables.as_ref().is_none_or(|pattern| is_called(pattern, item))
    }
}

fn is_called(pattern: &str, item: &str) -> bool {
    let (file, table) = item.split_once('#').unwrap_or((item, ""));
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy());
    let names = [Some(item), stem.as_deref(), Some(table).filter(|table| !table.is_empty())];
    names.into_iter().flatten().any(|name| pattern::fits(pattern, name))
}

/// A mapping that cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// It could not be read.
    #[error("the mapping `{}` cannot be read: {reason}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It says what no mapping says.
    #[error("the mapping `{}` cannot be used", .path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// At least one, in the order of the file.
        findings: Vec<Finding>,
    },
}

impl MappingError {
    /// Each finding with its place, or why it could not be read.
    pub fn causes(&self) -> Vec<String> {
        match self {
            Self::Unreadable { .. } => Vec::new(),
            Self::Refused { path, findings } => findings
                .iter()
                .map(|one| {
                    let (path, line, column) = (path.display(), one.line, one.column);
                    format!("{path}:{line}:{column}: {}; {}", one.message, one.help)
                })
                .collect(),
        }
    }
}

/// Reads the mapping file at `path`.
///
/// # Errors
///
/// When it cannot be read, or says what no mapping says; then with every place.
pub fn load(path: &Path, disk: &dyn Disk) -> Result<Mapping, MappingError> {
    let unreadable = |reason: String| MappingError::Unreadable { path: path.to_owned(), reason };
    let bytes = disk.read(path, MAPPING_BYTES_MAX).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    read(path, &text)
}

/// Reads the text of a mapping file.
///
/// # Errors
///
/// When it says what no mapping says.
pub fn read(path: &Path, text: &str) -> Result<Mapping, MappingError> {
    let findings = Findings::new(text);
    let refused = |findings: Findings<'_>| MappingError::Refused {
        path: path.to_owned(),
        findings: findings.into_sorted(),
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let message = error.message().to_owned();
            findings.add(error.span().map_or(0, |span| span.start), message, "correct the TOML");
            return Err(refused(findings));
        }
    };
    let table = table.into_inner();
    let (entries, calls) = read_file(&Fields::new(&table, 0, "the mapping", FILE, &findings), text);
    if findings.is_empty() {
        Ok(Mapping { path: path.to_owned(), entries, calls })
    } else {
        Err(refused(findings))
    }
}

fn read_file(file: &Fields<'_>, text: &str) -> (Vec<Entry>, Vec<Call>) {
    if file.whole("version").is_some_and(|version| version != 1) {
        file.find("version", "this Switchback reads mappings of version 1", "write `version = 1`");
    }
    let mut entries = Vec::new();
    let data = file.table("data");
    if let Some(data) = &data {
        read_table(data, None, text, &mut entries);
        for (pattern, table) in data.named("tables") {
            if pattern.is_empty() {
                let help = "name a table: a path, a stem, or a name with `*` and `?`";
                table.findings().add(table.offset(), "a table without a name", help);
            }
            read_table(&table, Some(&pattern), text, &mut entries);
        }
    }
    let tables = file.tables("call").into_iter();
    let calls: Vec<Call> = tables
        .filter_map(|(offset, table)| {
            calls::read(&Fields::new(table, offset, "a `[[call]]`", calls::CALL, file.findings()), text)
        })
        .collect();
    if entries.is_empty() && calls.is_empty() && file.findings().is_empty() {
        file.findings().add(0, "the mapping says nothing", "add `[data.columns]` and what has another name");
    }
    (entries, calls)
}

fn read_table(fields: &Fields<'_>, tables: Option<&str>, text: &str, entries: &mut Vec<Entry>) {
    let mut add = |offset: usize, change: Change| {
        let line = place(text, offset).0;
        entries.push(Entry { line, tables: tables.map(str::to_owned), change });
    };
    for (offset, old, new) in fields.named_texts("columns") {
        if old.is_empty() || new.is_empty() {
            fields.findings().add(offset, "a column without a name", "write `old = \"new\"`");
        }
        add(offset, Change::Renamed { old, new });
    }
    for (offset, column, unit) in fields.named_texts_or_tables("units") {
        if let Some((name, factor, decimal)) = read_unit(fields, offset, &unit) {
            add(offset, Change::Unit { column, name, factor, offset: decimal });
        }
    }
    for (offset, column, labels) in fields.named_groups("categories") {
        if labels.is_empty() {
            let message = format!("the categories of `{}` are empty", shown(&column));
            fields.findings().add(offset, message, "add `\"old label\" = \"new label\"`");
        }
        let labels = labels.into_iter().map(|(_, old, new)| (old, new)).collect();
        add(offset, Change::Categories { column, labels });
    }
    if let Some(shape) = fields.table("shape")
        && let Some(reshape) = read_shape(&shape)
    {
        add(shape.offset(), Change::Shape(reshape));
    }
}

/// The unit's name, its factor and its offset.
fn read_unit(
    fields: &Fields<'_>,
    offset: usize,
    unit: &TextOrTable<'_>,
) -> Option<(Option<String>, Decimal, Decimal)> {
    match unit {
        TextOrTable::Text(name) => {
            let factor = NAMED_UNITS.iter().find(|(known, _)| known == name);
            let Some(factor) = factor.and_then(|(_, factor)| Decimal::parse(factor)) else {
                let known = NAMED_UNITS.iter().map(|(name, _)| *name);
                let message = format!("unknown unit `{}`", shown(name));
                let help = format!("{}, or write `{{ factor = … }}`", crate::plan::advise(name, known));
                fields.findings().add(offset, message, help);
                return None;
            };
            Some((Some(name.clone()), factor, Decimal::ZERO))
        }
        TextOrTable::Table(table) => {
            let number = |name: &str| {
                let literal = table.literal(name)?;
                let parsed = Decimal::parse(&literal);
                if parsed.is_none() {
                    let message =
                        format!("`{name}` is `{}`, which is no plain decimal number", shown(&literal));
                    table.find(name, message, "write at most 30 digits, e.g. `0.01`");
                }
                parsed
            };
            let (factor, offset) = (number("factor")?, number("offset"));
            if factor == Decimal::ZERO {
                table.find(
                    "factor",
                    "`factor` is 0: every value would be the same",
                    "write what to multiply by",
                );
                return None;
            }
            Some((None, factor, offset.unwrap_or(Decimal::ZERO)))
        }
    }
}

fn read_shape(fields: &Fields<'_>) -> Option<Reshape> {
    let (old, new) = (fields.word("old")?, fields.word("new")?);
    if old == new {
        let message = format!("both tables are {old}: nothing would be reshaped");
        fields.find("new", message, "one of them is `wide` and the other `long`");
    }
    let reshape = Reshape {
        old_is_wide: old == "wide",
        id: fields.texts("id")?,
        name: fields.filled_text("name")?,
        value: fields.filled_text("value")?,
        columns: fields.texts("columns").unwrap_or_default(),
    };
    let long = [("name", &reshape.name), ("value", &reshape.value)];
    if reshape.name == reshape.value {
        fields.find("value", "`name` and `value` are one column", "name two columns of the long table");
    }
    for (key, column) in long {
        if reshape.id.contains(column) {
            fields.find(key, format!("`{}` is in `id` too", shown(column)), "name another column");
        }
    }
    for (key, columns) in [("id", &reshape.id), ("columns", &reshape.columns)] {
        let twice = columns.iter().enumerate().find(|(at, one)| columns[..*at].contains(one));
        if let Some((_, column)) = twice {
            fields.find(key, format!("`{key}` names `{}` twice", shown(column)), "name it once");
        }
    }
    if let Some(column) = reshape.columns.iter().find(|column| reshape.id.contains(column)) {
        fields.find("columns", format!("`{}` is in `id` too", shown(column)), "take it out of one of them");
    }
    Some(reshape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: &[&str]) {
        let found = match read(Path::new("m.toml"), text) {
            Ok(_) => Vec::new(),
            Err(error) => error.causes(),
        };
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn a_mapping_is_read_with_its_lines() {
        let text = "version = 1\n[data.columns]\namt = \"amount\"\n[data.units]\nrate = \"percent\"\n\
                    temperature = { factor = 1.8, offset = 32 }\n[data.tables.\"sum*\".categories.status]\n\
                    A = \"active\"\nB = \"active\"\n[data.tables.wide.shape]\nold = \"wide\"\nnew = \"long\"\n\
                    id = [\"id\"]\nname = \"statistic\"\nvalue = \"value\"\n";
        let mapping = read(Path::new("m.toml"), text).unwrap();
        let lines: Vec<_> =
            mapping.entries.iter().map(|entry| (entry.line, entry.tables.as_deref())).collect();
        assert_eq!(lines, [(3, None), (5, None), (6, None), (7, Some("sum*")), (10, Some("wide"))]);
        let Change::Unit { factor, offset, .. } = &mapping.entries[2].change else { panic!("{mapping:?}") };
        assert_eq!((factor.to_string(), offset.to_string()), ("1.8".to_owned(), "32".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_found_with_its_place() {
        check(
            "",
            &["m.toml:1:1: the mapping has no `version`; add `version = …`: the version of the format: 1"],
        );
        check(
            "version = 1\n",
            &["m.toml:1:1: the mapping says nothing; add `[data.columns]` and what has another name"],
        );
        check(
            "version = 1\n[data.colums]\na = \"b\"\n",
            &["m.toml:2:7: unknown key `colums` in `data` of the mapping; did you mean `columns`?"],
        );
        check(
            "version = 1\n[data.units]\na = \"percents\"\nb = { factor = 0 }\nc = { factor = inf }\n",
            &[
                "m.toml:3:5: unknown unit `percents`; did you mean `percent`?, or write `{ factor = … }`",
                "m.toml:4:16: `factor` is 0: every value would be the same; write what to multiply by",
                "m.toml:5:16: `factor` is `inf`, which is no plain decimal number; write at most 30 digits, e.g. `0.01`",
            ],
        );
        check(
            "version = 1\n[data.shape]\nold = \"long\"\nnew = \"long\"\nid = [\"v\"]\nname = \"n\"\nvalue = \"v\"\n",
            &[
                "m.toml:4:7: both tables are long: nothing would be reshaped; one of them is `wide` and the other `long`",
                "m.toml:7:9: `v` is in `id` too; name another column",
            ],
        );
    }

    #[test]
    fn decimals_are_exact() {
        let text = |text| Decimal::parse(text).map(|decimal| decimal.to_string());
        for (literal, wanted) in
            [("100", "100"), ("-0.250", "-0.25"), ("1e-3", "0.001"), ("2.5E+2", "250"), ("-0.0", "0")]
        {
            assert_eq!(text(literal).as_deref(), Some(wanted), "{literal}");
        }
        for wrong in ["", "-", ".", "inf", "nan", "1e400", "1.-5", "1234567890123456789012345678901"] {
            assert_eq!(text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_pattern_means_a_path_a_stem_or_a_table_of_a_file() {
        let is_for = |pattern: &str, item: &str| {
            let change = Change::Renamed { old: String::new(), new: String::new() };
            Entry { line: 1, tables: Some(pattern.to_owned()), change }.is_for(item)
        };
        assert!(is_for("summary", "out/summary.csv") && is_for("out/*.csv", "out/summary.csv"));
        assert!(
            is_for("s?mm*y", "summary.csv")
                && is_for("Sheet1", "book.xlsx#Sheet1")
                && is_for("book", "book.xlsx#1")
        );
        assert!(!is_for("summary", "summary2.csv") && !is_for("*.csv", "book.xlsx#Sheet1"));
    }
}
