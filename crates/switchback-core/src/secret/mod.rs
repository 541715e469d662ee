//! What is a secret: by the name that it stands under (`name`), by a form that is known (`form`), by being random (`chance`).
//!
//! A secret that is overlooked is printed, and a value that is taken for one is missing where somebody looks for it: both are
//! counted by tests, over planted secrets and over innocent values.

mod chance;
mod form;
mod name;
mod prose;

pub use name::{is_secret_name, is_secret_variable};
pub use prose::{clean_output, clean_text};

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Why a value of a configuration is taken for a secret. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Its key says so.
    Name,
    /// It has a form that only secrets have, by this name.
    Form(&'static str),
    /// It is as random as a key.
    Random,
}

impl Suspicion {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::Name => "its key names a secret".to_owned(),
            Self::Form(form) => format!("it has the form of {form}"),
            Self::Random => "it is as random as a key".to_owned(),
        }
    }
}

/// Whether a value under these keys, the outermost first, is a literal secret. What only refers to one (`${NAME}`, the name of a
/// variable, the path of a file) is none.
pub fn suspect(keys: &[&str], value: &str) -> Option<Suspicion> {
    if let Some(form) = form::find(value) {
        return Some(Suspicion::Form(form));
    }
    if name::is_reference(value) {
        return None;
    }
    if clean_text(value) != value {
        return Some(Suspicion::Form("a secret behind its name"));
    }
    let (last, parents) = keys.split_last().map_or(("", &[][..]), |(last, parents)| (*last, parents));
    if name::is_secret_value(last, value) || name::is_within_secrets(parents, last, value) {
        return Some(Suspicion::Name);
    }
    (!name::is_identity_name(last) && chance::is_random(value)).then_some(Suspicion::Random)
}

#[cfg(test)]
mod tests;
