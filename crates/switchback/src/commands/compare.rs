//! `switchback compare`.

use std::ffi::OsString;
use std::path::Path;

use switchback_compare::page::{self, Form};
use switchback_core::rule::{
    ColumnCase, ColumnOrder, Duplicates, KeyTypes, Pairing, RowOrder, Rule, SchemaRule, TextRule, Tolerance,
};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::{
    ColumnCaseChoice, ColumnOrderChoice, CompareArgs, CompareFormat, DuplicatesChoice, OrderChoice,
    PairingChoice, SchemaChoice,
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

pub(crate) fn compare(context: &Context<'_>, args: &CompareArgs) -> Result<Verdict, Failure> {
    let rule = rule(args)?;
    let comparison = context.ports.comparer.compare(&args.old, &args.new, &rule)?;
    let written = args.format.map(|format| written(&comparison.report, format)).transpose()?;
    if let Some(path) = &args.output {
        let text = written.as_deref().unwrap_or(&comparison.report);
        save(context, text, path)?;
    }
    match &written {
        _ if context.ui.json => context.ui.data(&comparison.report),
        Some(text) if args.output.is_none() => context.ui.text(text),
        _ => {
            context.ui.show(&format!("{}: {}", context.ui.verdict(comparison.verdict), comparison.summary));
        }
    }
    Ok(comparison.verdict)
}

fn written(report: &str, format: CompareFormat) -> Result<String, Failure> {
    let form = match format {
        CompareFormat::Json => return Ok(format!("{report}\n")),
        CompareFormat::Text => Form::Text,
        CompareFormat::Html => Form::Html,
        CompareFormat::Markdown => Form::Markdown,
        CompareFormat::Junit => Form::Junit,
    };
    let report = serde_json::from_str(report).map_err(|error| {
        Failure::new("could not write the result", vec![error.to_string()], "use `--format json`")
    })?;
    Ok(page::write(&report, form))
}

/// Writes a file as a whole, over one that is there.
fn save(context: &Context<'_>, text: &str, path: &Path) -> Result<(), Failure> {
    let disk = context.ports.world.disk.as_ref();
    let failed = |cause: String| {
        let what = format!("could not write the result to `{}`", path.display());
        Failure::new(what, vec![cause], "name a file in a folder that exists and can be written to")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if disk.look(&folder.join(".")).map_err(|error| failed(error.to_string()))?.is_none() {
        return Err(failed(format!("the folder `{}` does not exist", folder.display())));
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", context.ports.world.surroundings.process_id()));
    let unfinished = path.with_file_name(name);
    let published = disk
        .write_new(&unfinished, 0o644, &mut text.as_bytes())
        .and_then(|()| disk.rename_over(&unfinished, path));
    published.map_err(|error| {
        // What was begun is of no use; that it cannot be removed either is not what the person must hear of.
        drop(disk.remove_file(&unfinished));
        failed(error.to_string())
    })?;
    context.ui.note(&format!("wrote {}", path.display()));
    Ok(())
}

fn rule(args: &CompareArgs) -> Result<Rule, Failure> {
    let mut rule = Rule {
        key: args.key.clone(),
        duplicates: match args.duplicates {
            DuplicatesChoice::Error => Duplicates::Error,
            DuplicatesChoice::Match => Duplicates::Match,
        },
        key_types: if args.coerce_keys { KeyTypes::Coerce } else { KeyTypes::Exact },
        row_order: match args.order {
            OrderChoice::Position => RowOrder::Position,
            OrderChoice::Any => RowOrder::Any,
        },
        bitwise: args.bitwise,
        tolerance: Tolerance {
            absolute: bound("--absolute", args.absolute)?,
            relative: bound("--relative", args.relative)?,
            ulps: args.ulps,
        },
        time_tolerance_ns: args.time_tolerance.as_deref().map(duration_ns).transpose()?,
        nan: pairing(args.nan),
        null: pairing(args.null),
        null_is_nan: args.null_is_nan,
        text: TextRule { ignore_case: args.ignore_case, trim: args.trim, masks: args.mask.clone() },
        columns: args.columns.clone(),
        exclude: args.exclude.clone(),
        schema: match args.schema {
            SchemaChoice::Strict => SchemaRule::Strict,
            SchemaChoice::Common => SchemaRule::Common,
        },
        column_order: match args.column_order {
            ColumnOrderChoice::Free => ColumnOrder::Free,
            ColumnOrderChoice::Strict => ColumnOrder::Strict,
        },
        column_case: match args.column_case {
            ColumnCaseChoice::Exact => ColumnCase::Exact,
            ColumnCaseChoice::Ignore => ColumnCase::Ignore,
        },
        stages: args.stages.clone(),
        allow_empty: args.allow_empty,
        sample_max: args.sample,
        memory_max_bytes: args.memory.as_deref().map(bytes).transpose()?,
        ..Rule::default()
    };
    for text in &args.tolerance {
        let (column, tolerance) = column_tolerance(text)?;
        // Several bounds of one column hold as the global ones do: within any of them.
        let own = rule.column_tolerance.entry(column).or_default();
        own.absolute = tolerance.absolute.or(own.absolute);
        own.relative = tolerance.relative.or(own.relative);
        own.ulps = tolerance.ulps.or(own.ulps);
    }
    for text in &args.rename {
        let (old, new) = renamed(text)?;
        if rule.rename.insert(old.clone(), new).is_some() {
            let what = format!("`--rename` names `{old}` twice");
            return Err(Failure::new(what, Vec::new(), "give each column one new name"));
        }
    }
    if let Some(text) = &args.delimiter {
        (rule.delimiter_old, rule.delimiter_new) = delimiters(text)?;
    }
    Ok(rule)
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
fn bytes(text: &str) -> Result<u64, Failure> {
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

pub(super) fn bound(flag: &str, bound: Option<f64>) -> Result<Option<f64>, Failure> {
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
