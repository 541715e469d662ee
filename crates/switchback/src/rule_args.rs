//! When values are equal, as it is typed: the options that every comparison has.

use clap::{Args, ValueEnum};
use switchback_core::rule::{
    ColumnCase, ColumnOrder, Duplicates, KeyTypes, Pairing, RowOrder, Rule, SchemaRule, TextRule, Tolerance,
};

use crate::failure::Failure;

/// Units of a duration, with their nanoseconds. `m` comes after the units that end in it.
const DURATION_UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

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
    /// How much of both sides may be held in memory, such as `2GiB`; not bounded when left out
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
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
    /// When a bound, a duration, a size, a name or a delimiter cannot be read.
    pub(crate) fn rule(&self) -> Result<Rule, Failure> {
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
            columns: self.columns.clone(),
            exclude: self.exclude.clone(),
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
            memory_max_bytes: self.memory.as_deref().map(bytes).transpose()?,
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

/// A whole number or a decimal fraction, and a unit; `0` needs none.
fn duration_ns(text: &str) -> Result<u64, Failure> {
    let wrong = || {
        let what = format!("`--time-tolerance {text}` is not a number and a unit");
        Failure::new(what, Vec::new(), "e.g. `--time-tolerance 500ms`; units are ns, us, ms, s, m, h and d")
    };
    let text = text.trim();
    if text == "0" {
        return Ok(0);
    }
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let (_, unit_ns) = DURATION_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole_ns =
        whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(*unit_ns)).ok_or_else(wrong)?;
    let mut fraction_ns = 0;
    let mut place_ns = *unit_ns;
    for digit in fraction.chars() {
        // What is finer than a nanosecond cannot be said.
        if place_ns % 10 != 0 {
            return Err(wrong());
        }
        place_ns /= 10;
        fraction_ns += u64::from(digit.to_digit(10).ok_or_else(wrong)?) * place_ns;
    }
    whole_ns.checked_add(fraction_ns).ok_or_else(wrong)
}

/// A whole number of bytes, or of a unit.
pub(crate) fn bytes(text: &str) -> Result<u64, Failure> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1_u64 << 30),
        _ => None,
    };
    let bytes = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    bytes.ok_or_else(|| {
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

/// One delimiter for both sides, or `OLD,NEW`. The comma itself may be either.
fn delimiters(text: &str) -> Result<(Option<u8>, Option<u8>), Failure> {
    let wrong = || {
        let what =
            format!("`--delimiter {text}` is neither one ASCII character nor two with a comma between");
        Failure::new(what, Vec::new(), "e.g. `--delimiter ';'`, `--delimiter ',,;'`, `--delimiter tab`")
    };
    let (old, rest) = delimiter(text).ok_or_else(wrong)?;
    if rest.is_empty() {
        return Ok((Some(old), Some(old)));
    }
    let (new, rest) = rest.strip_prefix(',').and_then(delimiter).ok_or_else(wrong)?;
    if rest.is_empty() { Ok((Some(old), Some(new))) } else { Err(wrong()) }
}

/// The delimiter at the start of a text, and what follows it.
fn delimiter(text: &str) -> Option<(u8, &str)> {
    for (word, delimiter) in [
        ("tab", b'\t'),
        ("\\t", b'\t'),
        ("space", b' '),
        ("comma", b','),
        ("semicolon", b';'),
        ("pipe", b'|'),
    ] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((delimiter, rest));
        }
    }
    let first = text
        .chars()
        .next()
        .filter(char::is_ascii)
        .filter(|letter| !matches!(letter, '"' | '\r' | '\n' | '\0'))?;
    Some((u8::try_from(first).ok()?, text.get(1..)?))
}

pub(crate) fn bound(flag: &str, bound: Option<f64>) -> Result<Option<f64>, Failure> {
    if bound.is_some_and(|bound| !bound.is_finite() || bound < 0.0) {
        let what = format!("`{flag}` must be a finite number, 0 or more");
        return Err(Failure::new(what, Vec::new(), format!("e.g. `{flag} 1e-12`")));
    }
    Ok(bound)
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
