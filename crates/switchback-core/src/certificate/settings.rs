//! What the plan says about a check, read back from the text that its hash is over: each setting by its path.

use std::collections::BTreeMap;

/// Plans nest no deeper; whoever made the text may have.
const DEPTH_MAX: usize = 64;

/// The settings in a text as the plan's reader makes it: `{"name"=value;…}`, with `[value;…]`, `"text"`, and numbers behind a letter.
/// `None` when it is no such text.
pub(super) fn settings(options: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader { rest: options, found: BTreeMap::new() };
    reader.value("", 0)?;
    reader.rest.is_empty().then_some(reader.found)
}

struct Reader<'t> {
    rest: &'t str,
    found: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn takes(&mut self, letter: char) -> bool {
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, path: &str, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        if self.takes('{') {
            while !self.takes('}') {
                let name = self.text()?;
                self.takes('=').then_some(())?;
                self.value(&inner(&name), depth + 1)?;
                self.takes(';').then_some(())?;
            }
            return Some(());
        }
        if self.takes('[') {
            let mut at = 0;
            while !self.takes(']') {
                self.value(&inner(&at.to_string()), depth + 1)?;
                self.takes(';').then_some(())?;
                at += 1;
            }
            return Some(());
        }
        let value = if self.rest.starts_with('"') { self.text()? } else { self.word()? };
        self.found.insert(path.to_owned(), value);
        Some(())
    }

    /// A number, a truth, or a time.
    fn word(&mut self) -> Option<String> {
        let (word, rest) = self.rest.split_at(self.rest.find(';')?);
        self.rest = rest;
        let decimal =
            word.strip_prefix("i10:").or_else(|| word.strip_prefix('f').filter(|_| word != "false"));
        let time = word.strip_prefix('t').filter(|_| word != "true");
        Some(decimal.or(time).unwrap_or(word).to_owned())
    }

    /// A text in quotes, escaped as Rust escapes it.
    fn text(&mut self) -> Option<String> {
        self.takes('"').then_some(())?;
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    '0' => text.push('\0'),
                    'u' => {
                        let digits: String = letters
                            .by_ref()
                            .map(|(_, letter)| letter)
                            .take_while(|letter| *letter != '}')
                            .collect();
                        let code = u32::from_str_radix(digits.strip_prefix('{')?, 16).ok()?;
                        text.push(char::from_u32(code)?);
                    }
                    plain => text.push(plain),
                },
                plain => text.push(plain),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn each_setting_is_found_by_its_path() {
        let text = "{\"kind\"=\"equivalence\";\"old\"={\"command\"=\"echo \\\"a;b\\\" \\u{1b}\";};\"stages\"=[\"a\";\"b\";];\
                    \"tolerance\"={\"absolute\"=f1e-12;};\"ulps\"=i10:4;\"strict\"=true;\"loose\"=false;\"day\"=t2026-01-01;\"hex\"=i16:ff;}";
        let found = settings(text).unwrap();
        let expected = [
            ("day", "2026-01-01"),
            ("hex", "i16:ff"),
            ("kind", "equivalence"),
            ("loose", "false"),
            ("old.command", "echo \"a;b\" \u{1b}"),
            ("stages.0", "a"),
            ("stages.1", "b"),
            ("strict", "true"),
            ("tolerance.absolute", "1e-12"),
            ("ulps", "4"),
        ];
        let found: Vec<(&str, &str)> =
            found.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_such_text_is_none_and_never_a_panic() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{\"a\"}", "{\"a\"=", "{\"a\"=1}", "\"\\u{zz}\"", "\"é", "{}x", deep.as_str()]
        {
            assert_eq!(settings(text), None, "{text:.20}");
        }
    }
}
