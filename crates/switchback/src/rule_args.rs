//! When values are equal, as it is typed: the options that every comparison has.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use switchback_core::mapping::{self, Mapping};
use switchback_core::quantity;
use switchback_core::rule::{
    ColumnCase, ColumnOrder, Duplicates, ImageTolerance, KeyTypes, Pairing, RowOrder, Rule, SchemaRule,
    TextRule, Tolerance,
};
use switchback_core::world::Disk;

use crate::failure::Failure;

/// When values are equal.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct RuleArgs {
    /// Columns that together name a row; rows are matched by position when left out
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub key: Vec<String>,
    /// Largest allowed |a - b|
    #[arg(long, value_name = "X")]
    pub absolute: Option<f64>,
    /// Largest allowed |a - b| / max(|a|, |b|)
    #[arg(long, value_name = "X")]
    pub relative: Option<f64>,
    /// Largest allowed distance in units in the last place
    #[arg(long, value_name = "N")]
    pub ulps: Option<u64>,
    /// Largest allowed distance of two dates, times or timestamps: a number and ns, us, ms, s, m, h or d
    #[arg(long, value_name = "D")]
    pub time_tolerance: Option<String>,
    /// The tolerance of one column, which replaces the global ones: `COLUMN=X[abs|rel|ulps]`; may be repeated
    #[arg(long, value_name = "COLUMN=X")]
    pub tolerance: Vec<String>,
    /// Only identical bits are equal: no tolerance counts, and -0.0 is not 0.0
    #[arg(long)]
    pub bitwise: bool,
    /// The only columns that count, beside the key
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub columns: Vec<String>,
    /// Columns that are left out
    #[arg(long, value_delimiter = ',', value_name = "C,…")]
    pub exclude: Vec<String>,
    /// A column that has another name in NEW; may be repeated. All other options name columns as OLD does
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<String>,
    /// A file that says which columns have other names, units, labels or another layout in NEW
    #[arg(long, value_name = "F")]
    pub mapping: Option<PathBuf>,
    /// Whether names and types of columns are part of the verdict, or only common columns and values count
    #[arg(long, value_name = "WHICH", default_value = "strict")]
    pub schema: SchemaChoice,
    /// Whether the order of columns counts
    #[arg(long, value_name = "WHICH", default_value = "free")]
    pub column_order: ColumnOrderChoice,
    /// Whether names of columns that differ in case only are one name
    #[arg(long, value_name = "WHICH", default_value = "exact")]
    pub column_case: ColumnCaseChoice,
    /// Without a key: rows are matched by position, or in any order
    #[arg(long, value_name = "WHICH", default_value = "position")]
    pub order: OrderChoice,
    /// What is done about rows that share a key: an error, or paired so that as many as possible are equal
    #[arg(long, value_name = "WHICH", default_value = "error")]
    pub duplicates: DuplicatesChoice,
    /// Whether two NaN are equal
    #[arg(long, value_name = "WHICH", default_value = "equal")]
    pub nan: PairingChoice,
    /// Whether two nulls are equal
    #[arg(long, value_name = "WHICH", default_value = "equal")]
    pub null: PairingChoice,
    /// NaN and null are one and the same
    #[arg(long)]
    pub null_is_nan: bool,
    /// Upper and lower case of text are the same, also in keys
    #[arg(long)]
    pub ignore_case: bool,
    /// White space at both ends of text does not count, also in keys
    #[arg(long)]
    pub trim: bool,
    /// Keys of different types meet: text that reads as a number is that number
    #[arg(long)]
    pub coerce_keys: bool,
    /// Text that matches this regular expression is blanked before it is compared; may be repeated
    #[arg(long, value_name = "REGEX", allow_hyphen_values = true)]
    pub mask: Vec<String>,
    /// Pixels of pictures in notebooks are apart when a channel differs by more than this, 0 to 255
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub image_threshold: u8,
    /// How many percent of a picture's pixels may be apart
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub image_pixels: f64,
    /// The delimiter of text tables, or that of OLD and that of NEW; found for each file when left out
    #[arg(long, value_name = "OLD[,NEW]", allow_hyphen_values = true)]
    pub delimiter: Option<String>,
    /// Folders or file stems directly under OLD and NEW, in the order in which they were computed
    #[arg(long, value_delimiter = ',', value_name = "A,B,…")]
    pub stages: Vec<String>,
    /// Two results without a row are equal
    #[arg(long)]
    pub allow_empty: bool,
    /// How many differing cells are shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub sample: usize,
    /// How much of both sides may be held in memory, such as `2GiB`; rows beyond are split on disk, in the folder for
    /// temporary files
    #[arg(long, value_name = "SIZE", default_value = "2GiB")]
    pub memory: String,
}

/// Whether names and types of columns count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaChoice {
    /// They are part of the verdict.
    Strict,
    /// Only common columns and values count; the rest is reported.
    Common,
}

/// Whether the order of columns counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColumnOrderChoice {
    /// It does not.
    Free,
    /// A reorder is a no.
    Strict,
}

/// Whether case tells names of columns apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColumnCaseChoice {
    /// It does.
    Exact,
    /// It does not.
    Ignore,
}

/// How rows are matched without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OrderChoice {
    /// By position.
    Position,
    /// As a multiset.
    Any,
}

/// What is done about rows that share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DuplicatesChoice {
    /// They are an error.
    Error,
    /// They are paired.
    Match,
}

/// Whether two values that are none are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PairingChoice {
    /// They are.
    Equal,
    /// They are not.
    Different,
}

impl RuleArgs {
    /// The rule that they say.
    ///
    /// # Errors
    ///
    /// When a bound, a duration, a size, a name, a delimiter or the mapping cannot be read.
    pub(crate) fn rule(&self, disk: &dyn Disk) -> Result<Rule, Failure> {
        let mut rule = Rule {
            key: self.key.clone(),
            duplicates: match self.duplicates {
                DuplicatesChoice::Error => Duplicates::Error,
                DuplicatesChoice::Match => Duplicates::Match,
            },
            key_types: if self.coerce_keys { KeyTypes::Coerce } else { KeyTypes::Exact },
            row_order: match self.order {
                OrderChoice::Position => RowOrder::Position,
                OrderChoice::Any => RowOrder::Any,
            },
            bitwise: self.bitwise,
            tolerance: Tolerance {
                absolute: bound("--absolute", self.absolute)?,
                relative: bound("--relative", self.relative)?,
                ulps: self.ulps,
            },
            time_tolerance_ns: self.time_tolerance.as_deref().map(duration_ns).transpose()?,
            nan: pairing(self.nan),
            null: pairing(self.null),
            null_is_nan: self.null_is_nan,
            text: TextRule { ignore_case: self.ignore_case, trim: self.trim, masks: self.mask.clone() },
            image: ImageTolerance {
                channel_max: self.image_threshold,
                pixels_percent_max: percent(self.image_pixels)?,
            },
            columns: self.columns.clone(),
            exclude: self.exclude.clone(),
            mapping: self.mapping.as_deref().map(|path| mapping(path, disk)).transpose()?,
            schema: match self.schema {
                SchemaChoice::Strict => SchemaRule::Strict,
                SchemaChoice::Common => SchemaRule::Common,
            },
            column_order: match self.column_order {
                ColumnOrderChoice::Free => ColumnOrder::Free,
                ColumnOrderChoice::Strict => ColumnOrder::Strict,
            },
            column_case: match self.column_case {
                ColumnCaseChoice::Exact => ColumnCase::Exact,
                ColumnCaseChoice::Ignore => ColumnCase::Ignore,
            },
            stages: self.stages.clone(),
            allow_empty: self.allow_empty,
            sample_max: self.sample,
            memory_max_bytes: Some(bytes(&self.memory)?),
            ..Rule::default()
        };
        for text in &self.tolerance {
            let (column, tolerance) = column_tolerance(text)?;
            // Several bounds of one column hold as the global ones do: within any of them.
            let own = rule.column_tolerance.entry(column).or_default();
            own.absolute = tolerance.absolute.or(own.absolute);
            own.relative = tolerance.relative.or(own.relative);
            own.ulps = tolerance.ulps.or(own.ulps);
        }
        for text in &self.rename {
            let (old, new) = renamed(text)?;
            if rule.rename.insert(old.clone(), new).is_some() {
                let what = format!("`--rename` names `{old}` twice");
                return Err(Failure::new(what, Vec::new(), "give each column one new name"));
            }
        }
        if let Some(text) = &self.delimiter {
            (rule.delimiter_old, rule.delimiter_new) = delimiters(text)?;
        }
        Ok(rule)
    }
}

fn pairing(choice: PairingChoice) -> Pairing {
    match choice {
        PairingChoice::Equal => Pairing::Equal,
        PairingChoice::Different => Pairing::Different,
    }
}

fn mapping(path: &Path, disk: &dyn Disk) -> Result<Mapping, Failure> {
    mapping::load(path, disk).map_err(|error| {
        Failure::new(
            error.to_string(),
            error.causes(),
            "correct these places; docs/mapping.md says what a mapping says",
        )
    })
}

/// `--time-tolerance`.
fn duration_ns(text: &str) -> Result<u64, Failure> {
    quantity::duration_ns(text).ok_or_else(|| {
        let what = format!("`--time-tolerance {text}` is not a number and a unit");
        Failure::new(what, Vec::new(), "e.g. `--time-tolerance 500ms`; units are ns, us, ms, s, m, h and d")
    })
}

/// A whole number of bytes, or of a unit.
pub(crate) fn bytes(text: &str) -> Result<u64, Failure> {
    quantity::bytes(text).ok_or_else(|| {
        let what = format!("`--memory {text}` is not a size");
        Failure::new(what, Vec::new(), "e.g. `--memory 2GiB`; units are B, KB, MB, GB, KiB, MiB and GiB")
    })
}

fn renamed(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => {
            let what = format!("`--rename {text}` is not `OLD=NEW`");
            Err(Failure::new(what, Vec::new(), "e.g. `--rename amt=amount`"))
        }
    }
}

/// `--delimiter`.
fn delimiters(text: &str) -> Result<(Option<u8>, Option<u8>), Failure> {
    let delimiters = quantity::delimiters(text).map(|(old, new)| (Some(old), Some(new)));
    delimiters.ok_or_else(|| {
        let what =
            format!("`--delimiter {text}` is neither one ASCII character nor two with a comma between");
        Failure::new(what, Vec::new(), "e.g. `--delimiter ';'`, `--delimiter ',,;'`, `--delimiter tab`")
    })
}

pub(crate) fn bound(flag: &str, bound: Option<f64>) -> Result<Option<f64>, Failure> {
    if bound.is_some_and(|bound| !bound.is_finite() || bound < 0.0) {
        let what = format!("`{flag}` must be a finite number, 0 or more");
        return Err(Failure::new(what, Vec::new(), format!("e.g. `{flag} 1e-12`")));
    }
    Ok(bound)
}

/// `--image-pixels`.
fn percent(percent: f64) -> Result<f64, Failure> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent);
    }
    Err(Failure::new("`--image-pixels` must be from 0 to 100", Vec::new(), "e.g. `--image-pixels 0.1`"))
}

/// `COLUMN=X[abs|rel|ulps]`; without a unit it is absolute.
fn column_tolerance(text: &str) -> Result<(String, Tolerance), Failure> {
    let wrong = || {
        let what =
            format!("`--tolerance {text}` is not `COLUMN=X`, `COLUMN=Xabs`, `COLUMN=Xrel` or `COLUMN=Nulps`");
        Failure::new(what, Vec::new(), "e.g. `--tolerance price=1e-9rel`")
    };
    let (column, value) = text.rsplit_once('=').ok_or_else(wrong)?;
    let mut tolerance = Tolerance::default();
    if let Some(number) = value.strip_suffix("ulps") {
        tolerance.ulps = Some(number.parse().map_err(|_| wrong())?);
    } else {
        let (number, is_relative) = match (value.strip_suffix("rel"), value.strip_suffix("abs")) {
            (Some(number), _) => (number, true),
            (None, Some(number)) => (number, false),
            (None, None) => (value, false),
        };
        let number = bound("--tolerance", Some(number.parse().map_err(|_| wrong())?))?;
        if is_relative {
            tolerance.relative = number;
        } else {
            tolerance.absolute = number;
        }
    }
    if column.is_empty() { Err(wrong()) } else { Ok((column.to_owned(), tolerance)) }
}
