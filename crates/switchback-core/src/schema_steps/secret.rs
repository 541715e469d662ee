//! Which texts of a statement are secrets: those behind words that say so. Told while a script is split, by what knows where its
//! texts and comments are.

use std::ops::Range;

/// What a word has in it, in capitals, behind which a text is a secret.
const SECRETS: &[&str] = &["PASSWORD", "SECRET", "TOKEN", "KEY_ID"];
/// Words that may stand between that and the text: `SET password TO 'x'`, `password TEXT NOT NULL DEFAULT 'x'`, `PASSWORD E'x'`.
const BETWEEN: &[&str] =
    &["AS", "BY", "DEFAULT", "E", "IS", "LIKE", "N", "NOT", "NULL", "TEXT", "TO", "U", "VARCHAR", "X"];
/// What stands for a secret.
const SHOWN: &str = "***";

/// What of the statement that is being read is not shown.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// Whether a text that comes next is a secret.
    is_next: bool,
    /// The last word was `IDENTIFIED`.
    is_identified: bool,
    /// Places in the script, in order.
    hidden: Vec<Range<usize>>,
}

fn says_secret(word: &str) -> bool {
    SECRETS.iter().any(|secret| word.contains(secret))
}

impl Secrets {
    /// A word, in capitals, or a quoted name.
    pub(super) fn word(&mut self, word: &str) {
        let is_identified = std::mem::take(&mut self.is_identified);
        if says_secret(word) || (is_identified && word == "BY") {
            self.is_next = true;
        } else if !BETWEEN.contains(&word) {
            self.is_next = false;
            self.is_identified = word == "IDENTIFIED";
        }
    }

    /// A character that is neither of a word nor of a text.
    pub(super) fn symbol(&mut self, letter: char) {
        if matches!(letter, ',' | ')' | '}' | ';') {
            self.is_next = false;
        }
    }

    /// A text, whose inside is `place`.
    pub(super) fn text(&mut self, text: &str, place: Range<usize>) {
        if self.is_next {
            self.hidden.push(place);
        } else {
            // The key of a map: `{'password': 'x'}`.
            self.is_next = says_secret(&text.get(place).unwrap_or_default().to_uppercase());
        }
    }

    /// A comment: nobody knows what is in it, so it ends where it names a secret.
    pub(super) fn comment(&mut self, text: &str, place: Range<usize>) {
        let comment = text.get(place.clone()).unwrap_or_default().to_ascii_uppercase();
        let named = SECRETS.iter().filter_map(|word| Some(comment.find(word)? + word.len())).min();
        if let Some(behind) = named.filter(|behind| place.start + behind < place.end) {
            self.hidden.push(place.start + behind..place.end);
        }
    }

    /// The places within a statement that begins at `start` and ends at `end`.
    pub(super) fn within(self, start: usize, end: usize) -> Vec<Range<usize>> {
        let inside = self.hidden.into_iter().filter(|place| start <= place.start && place.start < end);
        inside.map(|place| place.start - start..place.end.min(end) - start).collect()
    }
}

/// A text without these places of it.
pub(super) fn shown(text: &str, hidden: &[Range<usize>]) -> String {
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for place in hidden {
        shown.push_str(text.get(at..place.start).unwrap_or_default());
        shown.push_str(SHOWN);
        at = place.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::super::script::split;

    fn check(dialect: Dialect, cases: &[(&str, &str)]) {
        for (text, wanted) in cases {
            let split = split(text, dialect).unwrap();
            assert_eq!(split.statements[0].shown(), *wanted, "{text}");
        }
    }

    #[test]
    fn secrets_in_statements_are_not_shown() {
        for dialect in [Dialect::Postgresql, Dialect::Duckdb, Dialect::Sqlite] {
            check(
                dialect,
                &[
                    ("ALTER USER a PASSWORD 'geheim' LOGIN", "ALTER USER a PASSWORD '***' LOGIN"),
                    ("create user a identified by  'geheim'", "create user a identified by  '***'"),
                    ("SELECT password FROM a WHERE b = 'c'", "SELECT password FROM a WHERE b = 'c'"),
                    ("OPTIONS (password 'x', user 'y')", "OPTIONS (password '***', user 'y')"),
                    ("ALTER USER a PASSWORD 'ge''heim' LOGIN", "ALTER USER a PASSWORD '***' LOGIN"),
                    (
                        "UPDATE a SET \"password\" = 'x', b = 'y'",
                        "UPDATE a SET \"password\" = '***', b = 'y'",
                    ),
                    ("ALTER USER a PASSWORD /* 'new' */ 'x'", "ALTER USER a PASSWORD /* 'new' */ '***'"),
                    ("PASSWORD 'x'\n  'y' VALID UNTIL 'z'", "PASSWORD '***'\n  '***' VALID UNTIL 'z'"),
                    ("SELECT 1 -- password is x\n, 2", "SELECT 1 -- password***\n, 2"),
                    ("SELECT '', 'b'", "SELECT '', 'b'"),
                ],
            );
        }
        for dialect in [Dialect::Postgresql, Dialect::Duckdb] {
            check(
                dialect,
                &[
                    ("ALTER USER a PASSWORD E'ge\\'heim' LOGIN", "ALTER USER a PASSWORD E'***' LOGIN"),
                    ("ALTER USER a PASSWORD $$ge'heim$$ LOGIN", "ALTER USER a PASSWORD $$***$$ LOGIN"),
                    ("ALTER USER a PASSWORD $q$geheim$q$", "ALTER USER a PASSWORD $q$***$q$"),
                ],
            );
        }
        check(
            Dialect::Duckdb,
            &[
                (
                    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b', SESSION_TOKEN 'c', REGION 'd')",
                    "CREATE SECRET s (TYPE s3, KEY_ID '***', SECRET '***', SESSION_TOKEN '***', REGION 'd')",
                ),
                ("SELECT {'password': 'x', 'user': 'y'}", "SELECT {'password': '***', 'user': 'y'}"),
            ],
        );
    }
}
