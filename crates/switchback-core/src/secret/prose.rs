//! Secrets in text that somebody else wrote: messages, logs, what a command put out.

use std::sync::LazyLock;

use regex::Regex;

use super::{MASK, chance, form, name};

/// `password = value`, `"api_key": "value"`, `--token value`, `DB_PASSWORD=value`. The value ends with its quote, or where a word ends.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "\\bpass\\b|(?:store|key)pass\\b|passw|passphrase|pwd|secret|token|credential|webhook|dsn|authorization|cookie|connection_?string|\
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
    "api key",
    "storepass",
    "keypass",
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

/// `the password is hunter2`, `password for loans was set to "…"`, `with password 'hunter2'`.
static SPOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = "(?P<name>password|passphrase|passwd|passcode|token|secret|api[ _-]?key)";
    let of_whom = r"(?:\s+(?:for|of)\s+(?:the\s+)?(?:user\s+|account\s+)?\S+)?";
    let verb =
        r"(?P<verb>\s+(?:(?:has been|was|is)\s+(?:set|changed)\s+to|set to|changed to|will be|is|was))?";
    let value = r#"(?:["'`](?P<quoted>[^"'`\s]{4,})["'`]|(?P<bare>[^\s"'`,;()\[\]{}]+))"#;
    Regex::new(&format!(r"(?i)\b{name}{of_whom}{verb}:?\s+{value}")).ok()
});

/// Words with digits that are said of secrets and are none.
const SAID_OF_SECRETS: &[&str] =
    &["base64", "sha1", "sha256", "sha512", "md5", "utf8", "utf-8", "oauth2", "argon2", "argon2id", "pbkdf2"];

/// The lengths of the lines into which keys are broken: by PEM, by MIME, and by OpenSSH.
const KEY_LINE_LENGTHS: &[usize] = &[64, 70, 76];

/// The text without secrets that have a known form or stand behind a name that says so.
pub fn clean_text(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let blanked = form::blank(text, &lower);
    if !HINTS.iter().any(|hint| lower.contains(hint)) {
        return blanked;
    }
    spoken(&named(&blanked))
}

/// The same for what a command put out: also without what is as random as a key.
pub fn clean_output(text: &str) -> String {
    let text = without_key_lines(clean_text(text));
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

/// The text without what a sentence says that a secret is. Words may be said of a secret, so only what is no word, or is quoted, counts.
fn spoken(text: &str) -> String {
    let Some(pattern) = SPOKEN.as_ref() else { return text.to_owned() };
    let (mut clean, mut copied, mut from) = (String::with_capacity(text.len()), 0, 0);
    while let Some(found) = pattern.captures_at(text, from) {
        let is_certain = found.name("name").is_some_and(|name| name::is_certain(name.as_str()));
        let is_verb = found.name("verb").is_some();
        let (value, is_told) = match (found.name("quoted"), found.name("bare")) {
            (Some(value), _) => (value, is_certain || is_verb && name::is_value(value.as_str())),
            (None, Some(value)) => (value, (is_certain || is_verb) && is_no_word(value.as_str())),
            (None, None) => break,
        };
        let word = value.as_str().trim_end_matches(['.', ':', '!', '?']);
        let is_set = word != MASK && !name::is_setting(word) && !name::is_reference(word);
        if is_told && is_set && !SAID_OF_SECRETS.contains(&word.to_lowercase().as_str()) {
            clean.push_str(&text[copied..value.start()]);
            clean.push_str(MASK);
            copied = value.start() + word.len();
            from = value.end();
        } else {
            // What follows the name may be a name itself.
            from = found.name("name").map_or(value.end(), |name| name.end());
        }
    }
    clean.push_str(&text[copied..]);
    clean
}

/// Letters and digits in one, six characters at least.
fn is_no_word(text: &str) -> bool {
    let has = |wanted: fn(&char) -> bool| text.chars().any(|letter| wanted(&letter));
    text.chars().count() >= 6 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
}

/// The text without lines of a key whose frame is not there: all of one length, in the letters of base64, and the shorter one behind them.
fn without_key_lines(text: String) -> String {
    let is_base64 = |line: &str| {
        let body = line.trim_end_matches('=');
        !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
    };
    // The first line has letters of every class; one within a key may be all zeros.
    let is_whole = |line: &str, is_within: bool| {
        let has = |wanted: fn(&u8) -> bool| line.as_bytes().iter().any(wanted);
        KEY_LINE_LENGTHS.contains(&line.len())
            && is_base64(line)
            && (is_within
                || has(u8::is_ascii_uppercase)
                    && has(u8::is_ascii_lowercase)
                    && has(|byte| byte.is_ascii_digit() || b"+/".contains(byte)))
    };
    if !text.lines().any(|line| is_whole(line.trim(), false)) {
        return text;
    }
    let (mut clean, mut is_within) = (String::with_capacity(text.len()), false);
    for line in text.split_inclusive('\n') {
        let inner = line.trim();
        let is_last = is_within && is_base64(inner) && inner.len() < 76;
        is_within = is_whole(inner, is_within);
        if is_within || is_last {
            clean.push_str(&line.replacen(inner, MASK, 1));
        } else {
            clean.push_str(line);
        }
    }
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
        // `--password`, and `-storepass` of Java's tools.
        let is_option = key.as_str().starts_with('-');
        // `PASS: test_load` is what tests say.
        let is_assigned = sign.as_str().contains('=') || !key.as_str().eq_ignore_ascii_case("pass");
        // `access-token a1b2…`, without any sign: only what no sentence has there.
        let is_bare = sign.as_str().trim().is_empty()
            && value.as_str().bytes().any(|byte| byte.is_ascii_digit())
            && !name::is_certain(key.as_str());
        // `tests/test_login.py::TestCredentials::test_missing` names a test.
        let is_path = sign.as_str() == ":" && value.as_str().starts_with(':');
        let is_told = !is_path && (is_assigned && !sign.as_str().trim().is_empty() || is_option || is_bare);
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
        && !(key.eq_ignore_ascii_case("pass") && is_share(value))
        && is_value
        && !name::is_reference(value)
        && name::is_secret_value(key, value)
}

/// `193/793 pass = 24.3%` counts what passed.
fn is_share(value: &str) -> bool {
    value.strip_suffix('%').is_some_and(|number| number.parse::<f64>().is_ok())
}
