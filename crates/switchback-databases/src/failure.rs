//! Errors of the drivers, as the port has them.

use std::error::Error;
use std::fmt::Display;

use switchback_compare::store::StoreError;

/// The next move where a table is not in its database.
pub(crate) const NO_TABLE: &str = "name one of its tables, or leave `#TABLE` out to compare all of them";

/// The most tables that an error lists.
const LISTED_MAX: usize = 20;

/// A store that cannot be read: why, outermost first, and the next move.
pub(crate) fn failed<R: Into<String>>(
    address: impl Display,
    reasons: impl IntoIterator<Item = R>,
    hint: &str,
) -> StoreError {
    StoreError {
        address: address.to_string(),
        reasons: reasons.into_iter().map(Into::into).collect(),
        hint: hint.to_owned(),
    }
}

/// A table that is not in its database, and those that are.
pub(crate) fn no_table(address: impl Display, name: &str, mut names: Vec<String>) -> StoreError {
    let found = names.len();
    names.truncate(LISTED_MAX);
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let has = match (names.is_empty(), found > LISTED_MAX) {
        (true, _) => "it has no tables".to_owned(),
        (false, false) => format!("it has {}", names.join(", ")),
        (false, true) => format!("it has {} and {} more", names.join(", "), found - LISTED_MAX),
    };
    failed(address, [format!("there is no table `{name}`"), has], NO_TABLE)
}

/// An error and what caused it, each once.
pub(crate) fn chain(error: &dyn Error) -> Vec<String> {
    let mut reasons: Vec<String> = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        if !reasons.iter().any(|reason| reason.contains(&words)) {
            reasons.push(words);
        }
        source = error.source();
    }
    reasons
}

/// A sentence about a column that is compared as text.
pub(crate) fn as_text(table: impl Display, column: &str, why: &str) -> String {
    format!("column `{column}` of `{table}` is compared as text: {why}")
}
