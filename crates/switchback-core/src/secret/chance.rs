//! Whether a text is as random as a key: letters of both cases and digits, mixed as no word and no name mixes them.

use std::collections::HashMap;

/// Shorter keys are found by their names.
const LENGTH_MIN: usize = 20;
/// Bits a character that a text must have at least. Twenty characters drawn from 62 have about 4.1; English words have less than 3.6.
const ENTROPY_MIN: f64 = 3.7;
/// Of all neighbours, so many are of different classes (lower, upper, digit) at least. Of random ones it is 57 %; in `camelCase2024`
/// about a quarter.
const CHANGES_MIN: f64 = 0.34;

/// Documents of Amazon use keys that end so, and no others.
pub(super) fn is_example(key: &str) -> bool {
    key.ends_with("EXAMPLEKEY")
}

/// Whether one word of a text is random.
pub(super) fn is_random(text: &str) -> bool {
    words(text).any(|(word, _)| is_random_word(word))
}

/// Words of the letters that keys are written in, with their places; what follows on `sha256-` is no secret but its hash.
pub(super) fn words(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+/_=-".contains(letter);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + text[rest..].find(is_letter)?;
        let end = begin + text[begin..].find(|letter| !is_letter(letter)).unwrap_or(text.len() - begin);
        rest = end;
        Some((&text[begin..end], begin))
    })
}

pub(super) fn is_random_word(word: &str) -> bool {
    let is_hash =
        ["sha256-", "sha384-", "sha512-", "sha1-", "md5-"].iter().any(|hash| word.starts_with(hash));
    if word.len() < LENGTH_MIN || is_hash || is_example(word) {
        return false;
    }
    // The longest piece between signs: paths and names with hyphens have short ones.
    let longest = word.split(['/', '-', '_', '+', '=']).map(str::len).max().unwrap_or_default();
    let classes: Vec<u8> = word.bytes().filter_map(class).collect();
    if longest < 10 && classes.len() * 5 < word.len() * 4 {
        return false;
    }
    let has = |wanted: u8| classes.contains(&wanted);
    if !(has(0) && has(1) && has(2)) || classes.len() < LENGTH_MIN - 2 {
        return false;
    }
    let changes = classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    #[expect(clippy::cast_precision_loss, reason = "a word is short")]
    let share = changes as f64 / (classes.len() - 1) as f64;
    share >= CHANGES_MIN && entropy(word) >= ENTROPY_MIN
}

fn class(byte: u8) -> Option<u8> {
    match byte {
        b'a'..=b'z' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        _ => None,
    }
}

/// Bits a character, by the characters' own frequencies (Shannon, *A mathematical theory of communication*, 1948).
fn entropy(word: &str) -> f64 {
    let mut counts: HashMap<u8, usize> = HashMap::new();
    for byte in word.bytes() {
        *counts.entry(byte).or_default() += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a word is short")]
    let length = word.len() as f64;
    #[expect(clippy::cast_precision_loss, reason = "a word is short")]
    counts.values().map(|&count| count as f64 / length).map(|share| -share * share.log2()).sum()
}
