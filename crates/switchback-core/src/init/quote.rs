//! Names in TOML, in a line of shell, and in a pattern of Python's `re`.

use std::fmt::Write;

/// A text as a basic string of TOML.
pub(super) fn toml_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(char);
            }
            char if char.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// A list of texts on one line.
pub(super) fn toml_list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(toml_text).collect();
    format!("[{}]", texts.join(", "))
}

/// A text as one word of a line of shell. What begins like an option becomes a path.
pub(super) fn shell_word(text: &str) -> String {
    let path = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !path.is_empty() && path.bytes().all(is_plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// A text as it stands in a pattern that is to find just it.
pub(super) fn pattern(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        if char.is_ascii_punctuation() && !matches!(char, '_' | '/') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_reads_back() {
        for text in ["plain", "a \"quoted\" \\ name", "tab\tand\u{7f}", "ünïcode", ""] {
            let table: toml::Table = format!("key = {}", toml_text(text)).parse().unwrap();
            assert_eq!(table["key"].as_str(), Some(text));
        }
    }

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(shell_word("src/app.py"), "src/app.py");
        assert_eq!(shell_word("it's; rm"), r"'it'\''s; rm'");
        assert_eq!(shell_word("-x.py"), "./-x.py");
    }

    #[test]
    fn punctuation_stands_for_itself() {
        assert_eq!(pattern("a/b_c.py"), r"a/b_c\.py");
        assert_eq!(pattern("(x)+"), r"\(x\)\+");
    }
}
