//! Why it could not be told, in words: the engine's errors in one sentence each.

use std::collections::BTreeSet;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use switchback_core::plan::advise;
use switchback_core::port::PortError;

/// Columns that a sentence lists.
const LISTED_MAX: usize = 20;

/// Why it could not be told, and the next move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) why: String,
    pub(crate) hint: Option<String>,
}

impl Unknown {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), hint: None }
    }

    pub(crate) fn hinted(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn of_port(error: &PortError) -> Self {
        let words: Vec<&str> =
            std::iter::once(&error.message).chain(&error.causes).map(String::as_str).collect();
        Self { hint: error.hint.clone(), ..Self::new(words.join(": ")) }
    }

    /// A column that a table does not have.
    pub(crate) fn no_column<'c>(column: &str, known: impl Iterator<Item = &'c str>) -> Self {
        let known: BTreeSet<&str> = known.collect();
        let advice = advise(column, known.iter().copied());
        if advice.starts_with("did you mean") {
            return Self::new(format!("there is no column `{column}`; {advice}"));
        }
        let listed: Vec<String> = known.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
        let more = known.len() - listed.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let why = format!("there is no column `{column}`; there are {}{more}", listed.join(", "));
        Self::new(why).hinted("a text stands in single quotes, a name in double ones or none")
    }
}

impl From<DataFusionError> for Unknown {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::SchemaError(error, _) => match error.as_ref() {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    Self::no_column(field.name(), valid_fields.iter().map(Column::name))
                }
                SchemaError::AmbiguousReference { field } => {
                    Self::new(format!("several tables have a column `{}`", field.name()))
                        .hinted("write the table in front of it: `table.column`")
                }
                other => Self::new(sentence(&other.to_string())),
            },
            DataFusionError::External(error) => match error.downcast_ref::<PortError>() {
                Some(error) => Self::of_port(error),
                None => Self::new(sentence(&error.to_string())),
            },
            error @ DataFusionError::ResourcesExhausted(_) => {
                Self::new(format!("it needs more memory than it may take ({})", said(error)))
                    .hinted("allow more memory, or ask for less: fewer columns, a condition on the rows")
            }
            DataFusionError::Collection(errors) if !errors.is_empty() => {
                Self::new(errors.first().map(said).unwrap_or_default())
            }
            other => Self::new(said(other)),
        }
    }
}

/// What an error says, without its kind and without where in the engine it was made.
fn said(error: &DataFusionError) -> String {
    let text = error.message().into_owned();
    sentence(text.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or(&text))
}

/// In one line that begins small.
fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_line_that_begins_small() {
        assert_eq!(
            sentence("Invalid function 'abss'.\nDid you mean 'abs'?"),
            "invalid function 'abss'. Did you mean 'abs'?"
        );
        assert_eq!(sentence("SQL is wrong."), "SQL is wrong");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn a_column_that_is_near_is_named_and_others_are_listed() {
        let known = ["price", "row", "week"];
        let near = Unknown::no_column("prise", known.into_iter());
        assert_eq!(near.why, "there is no column `prise`; did you mean `price`?");
        let far = Unknown::no_column("enrolled", known.into_iter());
        assert_eq!(far.why, "there is no column `enrolled`; there are `price`, `row`, `week`");
    }
}
