//! The three answers that anything here can end in.

/// *Yes*, *no* or *could not tell*. The third never passes for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It could not be found out.
    Unknown,
}

impl Verdict {
    /// The verdict of a whole: any *no* makes a *no*; else any *unknown* makes it *unknown*.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// The verdict of all parts together; of no parts it is *unknown*, because nothing was looked at.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().reduce(Self::and).unwrap_or(Self::Unknown)
    }

    /// The word for it in JSON and in the journal: `yes`, `no` or `unknown`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    /// The words for it in a sentence: `yes`, `no` or `could not tell`.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "could not tell",
        }
    }

    /// Reads the word that [`Verdict::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "yes" => Some(Self::Yes),
            "no" => Some(Self::No),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The exit code of a command that ends in this verdict: 0, 1 or 2.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Unknown => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{No, Unknown, Yes};
    use super::*;

    #[test]
    fn no_wins_over_unknown_and_unknown_over_yes() {
        assert_eq!(Verdict::all([Yes, Unknown, No]), No);
        assert_eq!(Verdict::all([Yes, Unknown, Yes]), Unknown);
        assert_eq!(Verdict::all([Yes, Yes]), Yes);
    }

    #[test]
    fn nothing_looked_at_is_unknown() {
        assert_eq!(Verdict::all([]), Unknown);
    }

    #[test]
    fn words_read_back() {
        for verdict in [Yes, No, Unknown] {
            assert_eq!(Verdict::from_word(verdict.word()), Some(verdict));
        }
    }
}
