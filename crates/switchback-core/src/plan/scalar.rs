//! A value that can be written down: a text, a number, a truth.

use std::fmt;

use toml::de::DeValue;

/// A text, a number as it is written, or a truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A decimal number as it is written, without `_`.
    Number(String),
    /// `true` or `false`.
    Truth(bool),
}

impl Scalar {
    /// A value of a plan or a mapping, where it is one.
    pub(super) fn of(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Boolean(truth) => Some(Self::Truth(*truth)),
            DeValue::Integer(number) if number.radix() == 10 => {
                Some(Self::Number(number.as_str().to_owned()))
            }
            DeValue::Float(number) => {
                // `inf` and `nan` are no numbers to write down.
                let is_finite = number.as_str().parse::<f64>().is_ok_and(f64::is_finite);
                is_finite.then(|| Self::Number(number.as_str().to_owned()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(to, "{text:?}"),
            Self::Number(number) => to.write_str(number),
            Self::Truth(truth) => write!(to, "{truth}"),
        }
    }
}
