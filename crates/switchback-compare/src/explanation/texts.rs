//! Texts that are the same but for case, white space, the form of their characters, or their end.

use unicode_normalization::UnicodeNormalization;

use super::{Case, Cell, Difference, Evidence, Form, Side, What, Where, distinct_pairs};

/// Texts that are the same after a change are evidence by themselves, but not one text again and again.
const DISTINCT_MIN: usize = 2;
/// A cut leaves texts that differ; one beginning may be shared by chance.
const CUT_DISTINCT_MIN: usize = 3;

fn pairs<'a>(evidence: &Evidence<'a>) -> Option<Vec<(&'a str, &'a str)>> {
    let pair = |difference: &'a Difference| match (&difference.old, &difference.new) {
        (Cell::Text(old), Cell::Text(new)) => Some((old.as_str(), new.as_str())),
        _ => None,
    };
    let pairs: Vec<_> = evidence.differences.iter().map(pair).collect::<Option<_>>()?;
    (distinct_pairs(evidence.differences) >= DISTINCT_MIN).then_some(pairs)
}

/// The same letters in another case.
pub(super) fn case(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = pairs(evidence)?;
    pairs.iter().all(|(old, new)| old.to_lowercase() == new.to_lowercase()).then(|| {
        let is_all = |change: fn(&str) -> String| pairs.iter().all(|(_, new)| change(new) == *new);
        let to = match () {
            () if is_all(str::to_uppercase) => Case::Upper,
            () if is_all(str::to_lowercase) => Case::Lower,
            () => Case::Other,
        };
        What::Case { to }
    })
}

/// The same text but for white space: at its ends, or in runs inside that count as one space.
pub(super) fn white_space(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = pairs(evidence)?;
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A text of white space alone says nothing about its words.
    let is_word = |text: &str| !text.trim().is_empty();
    if !pairs.iter().any(|(old, _)| is_word(old)) {
        return None;
    }
    match () {
        () if pairs.iter().all(|(old, new)| old.trim() == new.trim()) => {
            Some(What::WhiteSpace { at: Where::Ends })
        }
        () if pairs.iter().all(|(old, new)| words(old) == words(new)) => {
            Some(What::WhiteSpace { at: Where::Inside })
        }
        () => None,
    }
}

/// The same text in another form of Unicode Standard Annex 15.
pub(super) fn unicode(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = pairs(evidence)?;
    match () {
        () if pairs.iter().all(|(old, new)| old.nfc().eq(new.nfc())) => {
            Some(What::Unicode { form: Form::Nfc })
        }
        () if pairs.iter().all(|(old, new)| old.nfkc().eq(new.nfkc())) => {
            Some(What::Unicode { form: Form::Nfkc })
        }
        () => None,
    }
}

/// One side is the beginning of the other, always cut at the same length, and nothing longer stayed.
pub(super) fn truncated(evidence: &Evidence<'_>) -> Option<What> {
    let pairs = pairs(evidence)?;
    if distinct_pairs(evidence.differences) < CUT_DISTINCT_MIN {
        return None;
    }
    let cut = |pairs: &[(&str, &str)], side: Side| {
        let characters = pairs.first()?.1.chars().count();
        let is_cut = |(whole, part): &(&str, &str)| {
            whole.starts_with(part) && part.chars().count() == characters && whole.len() > part.len()
        };
        let stayed = |cell: &Cell| matches!(cell, Cell::Text(text) if text.chars().count() > characters);
        let holds = characters > 0 && pairs.iter().all(is_cut) && !evidence.equal.iter().any(stayed);
        holds.then_some(What::Truncated { characters, side })
    };
    let mirrored: Vec<(&str, &str)> = pairs.iter().map(|(old, new)| (*new, *old)).collect();
    cut(&pairs, Side::New).or_else(|| cut(&mirrored, Side::Old))
}
