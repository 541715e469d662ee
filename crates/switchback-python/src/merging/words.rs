//! Three lists of words: what came in, and what went.

use std::collections::HashSet;

/// The words of each side.
#[derive(Debug, Clone)]
pub(super) struct Lists<'a> {
    /// What both come from, where that is known.
    pub(super) base: Option<Vec<&'a str>>,
    /// The source's.
    pub(super) source: Vec<&'a str>,
    /// The target's.
    pub(super) target: Vec<&'a str>,
}

impl<'a> Lists<'a> {
    fn known(&self) -> HashSet<&'a str> {
        self.base.iter().flatten().copied().collect()
    }

    /// What the source brings that the target does not have.
    pub(super) fn added(&self) -> HashSet<&'a str> {
        let (known, target) = (self.known(), self.target.iter().copied().collect::<HashSet<_>>());
        self.source.iter().copied().filter(|word| !known.contains(word) && !target.contains(word)).collect()
    }

    /// What the source took out.
    pub(super) fn removed(&self) -> HashSet<&'a str> {
        let source: HashSet<&str> = self.source.iter().copied().collect();
        self.known().into_iter().filter(|word| !source.contains(word)).collect()
    }

    /// Whether any word of any side is such.
    pub(super) fn any(&self, is_such: impl Fn(&str) -> bool) -> bool {
        self.base.iter().flatten().chain(&self.source).chain(&self.target).any(|word| is_such(word))
    }

    /// Whether a side has a word twice.
    pub(super) fn has_duplicates(&self) -> bool {
        [self.base.as_ref(), Some(&self.source), Some(&self.target)].into_iter().flatten().any(|words| {
            let mut seen = HashSet::new();
            !words.iter().all(|word| seen.insert(*word))
        })
    }
}
