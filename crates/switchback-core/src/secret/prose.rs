//! Secrets in text that somebody else wrote: messages, logs, what a command put out.

use std::sync::LazyLock;

use regex::Regex;

use super::{MASK, chance, form, name};

/// `password = value`, `"api_key": "value"`, `--token value`, `DB_PASSWORD=value`. The value ends with its quote, or where a word ends.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "\\bpass\\b|passw|passphrase|pwd|secret|token|credential|webhook|dsn|authorization|cookie|connection_?string|\
                 (?:api|access|private|signing|encryption|client|account|shared|master|auth|ssh|deploy)[_-]?key";
    let name = format!("(?P<name>-{{0,2}}[A-Za-z0-9_.-]*(?i:{words})[A-Za-z0-9_.-]*)");
    let sign = r#"(?P<sign>\\?["']?\s*(?:=>|:=|[:=])\s*|\s+)"#;
    let value = r#"(?:\\?"(?P<double>[^"\\\n]+)|\\?'(?P<single>[^'\\\n]+)|(?P<bare>[^\s"'\\,;]+))"#;
    Regex::new(&format!("{name}{sign}{value}")).ok()
});

/// A text without any of these has no name that says so.
const HINTS: &[&str] = &[
    "pass=",
    "pass =",
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "webhook",
    "dsn",
    "authorization",
    "cookie",
    "connection",
    "_key",
    "-key",
    "apikey",
    "accesskey",
    "privatekey",
    "accountkey",
    "signingkey",
    "encryptionkey",
    "clientkey",
    "sharedkey",
    "masterkey",
    "authkey",
    "sshkey",
    "deploykey",
];

/// The text without secrets that have a known form or stand behind a name that says so.
pub fn clean_text(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let blanked = form::blank(text, &lower);
    if HINTS.iter().any(|hint| lower.contains(hint)) { named(&blanked) } else { blanked }
}

/// The same for what a command put out: also without what is as random as a key.
pub fn clean_output(text: &str) -> String {
    let text = clean_text(text);
    let (mut clean, mut copied) = (String::with_capacity(text.len()), 0);
    for (word, at) in chance::words(&text) {
        if chance::is_random_word(word) {
            clean.push_str(&text[copied..at]);
            clean.push_str(MASK);
            copied = at + word.len();
        }
    }
    clean.push_str(&text[copied..]);
    clean
}

fn named(text: &str) -> String {
    let Some(pattern) = NAMED.as_ref() else { return text.to_owned() };
    let (mut clean, mut copied, mut from) = (String::with_capacity(text.len()), 0, 0);
    while let Some(found) = pattern.captures_at(text, from) {
        let value = ["double", "single", "bare"].iter().find_map(|group| found.name(group));
        let (Some(key), Some(sign), Some(value)) = (found.name("name"), found.name("sign"), value) else {
            break;
        };
        let is_option = key.as_str().starts_with("--");
        // `PASS: test_load` is what tests say.
        let is_assigned = sign.as_str().contains('=') || !key.as_str().eq_ignore_ascii_case("pass");
        // `access-token a1b2…`, without any sign: only what no sentence has there.
        let is_bare = sign.as_str().trim().is_empty()
            && value.as_str().bytes().any(|byte| byte.is_ascii_digit())
            && !name::is_certain(key.as_str());
        let is_told = is_assigned && !sign.as_str().trim().is_empty() || is_option || is_bare;
        let word = value.as_str().trim_end_matches(['.', ':', ')', ']', '}', '>']);
        if is_told && is_secret(key.as_str().trim_start_matches('-'), word, is_option) {
            clean.push_str(&text[copied..value.start()]);
            clean.push_str(MASK);
            copied = value.start() + word.len();
            from = value.end();
        } else {
            // What was taken for a value may be a name itself: `--password secret`.
            from = value.start();
        }
    }
    clean.push_str(&text[copied..]);
    clean
}

fn is_secret(key: &str, value: &str, is_option: bool) -> bool {
    // In prose a name is followed by a colon as well: `password: wrong`. Options are followed by their value.
    let is_value = is_option || value.len() >= 4;
    // A placeholder may have been cut at a space of its message.
    let is_placeholder = value.starts_with("${") && !value.contains(":-") && !value.contains('-');
    value != MASK
        && !is_placeholder
        && is_value
        && !name::is_reference(value)
        && name::is_secret_value(key, value)
}
