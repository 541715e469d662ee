//! `switchback compare`.

use switchback_core::rule::{Rule, Tolerance};
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::CompareArgs;
use crate::failure::Failure;

pub(crate) fn compare(context: &Context<'_>, args: &CompareArgs) -> Result<Verdict, Failure> {
    let mut rule = Rule {
        key: args.key.clone(),
        tolerance: Tolerance {
            absolute: bound("--absolute", args.absolute)?,
            relative: bound("--relative", args.relative)?,
            ulps: args.ulps,
        },
        exclude: args.exclude.clone(),
        stages: args.stages.clone(),
        allow_empty: args.allow_empty,
        sample_max: args.sample,
        ..Rule::default()
    };
    for text in &args.tolerance {
        let (column, tolerance) = column_tolerance(text)?;
        rule.column_tolerance.insert(column, tolerance);
    }
    let comparison = context.ports.comparer.compare(&args.old, &args.new, &rule)?;
    if context.ui.json {
        context.ui.data(&comparison.report);
    } else {
        context.ui.show(&format!("{}: {}", context.ui.verdict(comparison.verdict), comparison.summary));
    }
    Ok(comparison.verdict)
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
