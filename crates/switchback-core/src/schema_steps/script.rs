//! A script of SQL as its statements: where each begins, and what its comments declare.
//!
//! Nothing is parsed but what hides a semicolon: strings, quoted names, comments, dollar quotes and parentheses (PostgreSQL,
//! DuckDB, whose grammar is PostgreSQL's), and the bodies of triggers and of functions in standard SQL, which end with an `END` right behind a semicolon, as
//! `sqlite3_complete` has it.

use std::ops::Range;

use super::dialect::Dialect;
use super::secret::{Secrets, shown};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, without the semicolon.
    pub text: String,
    /// The line of the script on which it begins, counted from 1.
    pub line: usize,
    /// Its first words, in capitals; none of a text, a quoted name or a comment.
    words: Vec<String>,
    /// Places in its text that are not shown.
    hidden: Vec<Range<usize>>,
}

/// A line of a comment of its own that is meant for Switchback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) text: String,
    pub(super) line: usize,
}

/// What is wrong with a script, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: String,
}

/// The statements of a script, and what it declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) statements: Vec<Statement>,
    pub(super) declared: Vec<Declared>,
}

/// What a comment for Switchback begins with.
const MARK: &str = "switchback:";

/// The first words of statements that begin or end a transaction, which is not theirs to do.
const TRANSACTIONS: &[&str] = &["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"];

/// Splits a script.
pub(super) fn split(text: &str, dialect: Dialect) -> Result<Split, Fault> {
    let mut reader = Reader {
        text,
        at: 0,
        dialect,
        found: Split::default(),
        current: Current::default(),
        counted: (0, 1),
    };
    while reader.at < text.len() {
        reader.step()?;
    }
    if let Some(open) = reader.current.open.first() {
        return reader.fault(*open, "a parenthesis is not ended: a `)` is missing");
    }
    reader.end_statement();
    Ok(reader.found)
}

impl Statement {
    /// Whether it asks for rows.
    pub(super) fn is_query(&self) -> bool {
        const WORDS: &[&str] =
            &["SELECT", "WITH", "VALUES", "TABLE", "FROM", "PRAGMA", "SHOW", "DESCRIBE", "EXPLAIN"];
        self.words.first().is_some_and(|word| WORDS.contains(&word.as_str()))
    }

    /// Its first words in capitals: `CREATE INDEX CONCURRENTLY`.
    pub(super) fn first_words(&self) -> &[String] {
        &self.words
    }

    /// The transaction statement that it is, if it is one.
    pub(super) fn transaction_word(&self) -> Option<String> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            // Part of a transaction may be taken back.
            ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => None,
            ["PREPARE", "TRANSACTION", ..] => Some("PREPARE TRANSACTION".to_owned()),
            [first, ..] if TRANSACTIONS.contains(first) => Some((*first).to_owned()),
            _ => None,
        }
    }

    /// The line of the script that a place in the statement's text is on; `offset` in bytes.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.line + self.text.get(..offset).unwrap_or_default().matches('\n').count()
    }

    /// As it may be shown: without the secrets that stand in it as texts.
    pub fn shown(&self) -> String {
        shown(&self.text, &self.hidden)
    }
}

/// The statement that is being read.
#[derive(Debug, Default)]
struct Current {
    /// Where its first character that is no comment stands.
    start: Option<usize>,
    /// Its words so far, in capitals; no more than are looked at.
    words: Vec<String>,
    /// Whether a body with semicolons is open.
    in_body: bool,
    /// Whether the last thing before the next word was a semicolon in a body, or the body's beginning.
    after_semicolon: bool,
    /// The last word, for `BEGIN ATOMIC`.
    last: String,
    /// Where each parenthesis that is open stands.
    open: Vec<usize>,
    /// What of it is not shown.
    secrets: Secrets,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    found: Split,
    current: Current,
    /// A place up to which lines were counted, and the line that it is on.
    counted: (usize, usize),
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn line(&self, at: usize) -> usize {
        let (from, line) = self.counted;
        if at < from {
            1 + self.text[..at].matches('\n').count()
        } else {
            line + self.text[from..at].matches('\n').count()
        }
    }

    fn fault<T>(&self, at: usize, what: &str) -> Result<T, Fault> {
        Err(Fault { line: self.line(at), what: what.to_owned() })
    }

    fn step(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(()) };
        match first {
            '-' if rest.starts_with("--") => {
                self.comment();
                Ok(())
            }
            '/' if rest.starts_with("/*") => self.block_comment(),
            '\'' => {
                let has_escapes = self.dialect != Dialect::Sqlite && self.is_escape_string();
                self.quoted('\'', has_escapes, "a text is not ended: a `'` is missing")
            }
            '"' => self.quoted('"', false, "a name is not ended: a `\"` is missing"),
            '`' if self.dialect == Dialect::Sqlite => self.quoted('`', false, "a name is not ended"),
            '[' if self.dialect == Dialect::Sqlite => self.quoted(']', false, "a name is not ended"),
            '$' if self.dialect != Dialect::Sqlite && self.dollar_tag().is_some() => self.dollar_quoted(),
            ';' => {
                self.semicolon();
                Ok(())
            }
            letter if letter.is_alphanumeric() || letter == '_' => {
                self.word();
                Ok(())
            }
            letter => {
                self.begin();
                if !letter.is_whitespace() {
                    self.current.after_semicolon = false;
                    self.current.secrets.symbol(letter);
                }
                match letter {
                    '(' if self.dialect != Dialect::Sqlite => self.current.open.push(self.at),
                    ')' => drop(self.current.open.pop()),
                    _ => {}
                }
                self.at += letter.len_utf8();
                Ok(())
            }
        }
    }

    /// Notes where a statement begins, unless this is only white space.
    fn begin(&mut self) {
        let is_blank = self.rest().starts_with(char::is_whitespace);
        if self.current.start.is_none() && !is_blank {
            self.current.start = Some(self.at);
        }
    }

    fn comment(&mut self) {
        let rest = self.rest();
        let end = rest.find('\n').unwrap_or(rest.len());
        let text = rest[2..end].trim();
        let is_alone = self.text[..self.at].rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        if is_alone && let Some(declared) = text.strip_prefix(MARK) {
            let declared = Declared { text: declared.trim().to_owned(), line: self.line(self.at) };
            self.found.declared.push(declared);
        }
        self.current.secrets.comment(self.text, self.at..self.at + end);
        self.at += end;
    }

    fn block_comment(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let nests = self.dialect != Dialect::Sqlite;
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") && (depth == 0 || nests) {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    self.current.secrets.comment(self.text, start + 2..self.at - 2);
                    return Ok(());
                }
            } else if let Some(letter) = rest.chars().next() {
                self.at += letter.len_utf8();
            } else {
                return self.fault(start, "a comment is not ended: `*/` is missing");
            }
        }
    }

    /// Whether the quote that comes next belongs to `E'…'`, where a backslash escapes.
    fn is_escape_string(&self) -> bool {
        let before = &self.text[..self.at];
        before.ends_with(['e', 'E'])
            && !before[..before.len() - 1].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
    }

    fn quoted(&mut self, end: char, has_escapes: bool, what: &str) -> Result<(), Fault> {
        let start = self.at;
        self.begin();
        self.current.after_semicolon = false;
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else { return self.fault(start, what) };
            let next = rest.chars().nth(1);
            self.at += letter.len_utf8();
            if has_escapes && letter == '\\' {
                self.at += next.map_or(0, char::len_utf8);
            } else if letter == end {
                // A doubled quote stands for one; a bracket does not double.
                if end != ']' && next == Some(end) {
                    self.at += end.len_utf8();
                } else {
                    let inside = start + 1..self.at - 1;
                    if end == '\'' {
                        self.current.secrets.text(self.text, inside);
                    } else {
                        self.current.secrets.word(&self.text[inside].to_uppercase());
                    }
                    return Ok(());
                }
            }
        }
    }

    /// `$tag$`, where one begins here and not within a word.
    fn dollar_tag(&self) -> Option<&str> {
        let is_in_word =
            self.text[..self.at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let rest = self.rest();
        let length = rest.get(1..)?.find('$')?;
        let tag = &rest[1..=length];
        let is_name = tag.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
            && !tag.starts_with(|letter: char| letter.is_ascii_digit());
        (is_name && !is_in_word).then(|| &rest[..length + 2])
    }

    fn dollar_quoted(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let tag = self.dollar_tag().unwrap_or("$$").to_owned();
        self.begin();
        self.current.after_semicolon = false;
        match self.rest()[tag.len()..].find(&tag) {
            Some(length) => {
                let inside = start + tag.len()..start + tag.len() + length;
                self.at = inside.end + tag.len();
                self.current.secrets.text(self.text, inside);
                Ok(())
            }
            None => self.fault(start, &format!("a text is not ended: a second `{tag}` is missing")),
        }
    }

    fn word(&mut self) {
        const WORDS_MAX: usize = 8;
        self.begin();
        let rest = self.rest();
        let end =
            rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let word = rest[..end].to_uppercase();
        self.at += end;
        let current = &mut self.current;
        if current.in_body {
            if word == "END" && current.after_semicolon {
                current.in_body = false;
            }
        } else if opens_body(&current.words, &current.last, &word) {
            current.in_body = true;
        }
        current.after_semicolon = current.in_body && matches!(word.as_str(), "BEGIN" | "ATOMIC");
        if current.words.len() < WORDS_MAX {
            current.words.push(word.clone());
        }
        current.secrets.word(&word);
        current.last = word;
    }

    fn semicolon(&mut self) {
        if self.current.in_body {
            self.current.after_semicolon = true;
        } else if self.current.open.is_empty() {
            self.end_statement();
        }
        self.at += 1;
    }

    fn end_statement(&mut self) {
        let current = std::mem::take(&mut self.current);
        if let Some(start) = current.start {
            let text = self.text[start..self.at].trim_end().to_owned();
            let line = self.line(start);
            self.counted = (start, line);
            let hidden = current.secrets.within(start, start + text.len());
            self.found.statements.push(Statement { text, line, words: current.words, hidden });
        }
    }
}

/// Whether `word` opens a body whose semicolons end nothing: of a trigger of SQLite, or of a function in standard SQL.
fn opens_body(words: &[String], last: &str, word: &str) -> bool {
    let begins = |name: &str| {
        words.first().is_some_and(|first| first == "CREATE") && words.iter().take(4).any(|word| word == name)
    };
    match word {
        "BEGIN" => begins("TRIGGER"),
        "ATOMIC" => last == "BEGIN" && (begins("FUNCTION") || begins("PROCEDURE")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, dialect: Dialect) -> Vec<(String, usize)> {
        let split = split(text, dialect).unwrap();
        split.statements.into_iter().map(|statement| (statement.text, statement.line)).collect()
    }

    fn check(dialect: Dialect, text: &str, wanted: &[(&str, usize)]) {
        let wanted: Vec<(String, usize)> =
            wanted.iter().map(|(text, line)| ((*text).to_owned(), *line)).collect();
        assert_eq!(texts(text, dialect), wanted, "{text}");
    }

    #[test]
    fn semicolons_in_texts_names_and_comments_end_nothing() {
        for dialect in [Dialect::Sqlite, Dialect::Postgresql, Dialect::Duckdb] {
            check(dialect, "", &[]);
            check(dialect, " ;; -- only; this\n;/* and; this */", &[]);
            check(dialect, "SELECT 1;\n\nSELECT 2", &[("SELECT 1", 1), ("SELECT 2", 3)]);
            check(dialect, "SELECT 'a;''b;' ; X", &[("SELECT 'a;''b;'", 1), ("X", 1)]);
            check(dialect, "SELECT \"a;\"\"b\"; X", &[("SELECT \"a;\"\"b\"", 1), ("X", 1)]);
            check(dialect, "-- a; b\nSELECT 1 -- c; d\n; X", &[("SELECT 1 -- c; d", 2), ("X", 3)]);
            check(dialect, "SELECT /* ; */ 1; X", &[("SELECT /* ; */ 1", 1), ("X", 1)]);
            check(dialect, "SELECT 1 - -1; SELECT 4 / 2", &[("SELECT 1 - -1", 1), ("SELECT 4 / 2", 1)]);
            check(dialect, "SELECT 'ä;€'; X", &[("SELECT 'ä;€'", 1), ("X", 1)]);
            check(dialect, "SELECT 'a\\'; X", &[("SELECT 'a\\'", 1), ("X", 1)]);
        }
    }

    #[test]
    fn each_database_has_quotes_of_its_own() {
        check(Dialect::Sqlite, "SELECT [a;b], `c;d`; X", &[("SELECT [a;b], `c;d`", 1), ("X", 1)]);
        check(Dialect::Postgresql, "SELECT a[1]; X", &[("SELECT a[1]", 1), ("X", 1)]);
        check(Dialect::Sqlite, "/* a /* ; */ X; Y", &[("X", 1), ("Y", 1)]);
        for dialect in [Dialect::Postgresql, Dialect::Duckdb] {
            check(dialect, "SELECT E'a\\';b'; X", &[("SELECT E'a\\';b'", 1), ("X", 1)]);
            check(dialect, "SELECT type'a\\'; X", &[("SELECT type'a\\'", 1), ("X", 1)]);
            check(dialect, "/* a /* ; */ ; */ X; Y", &[("X", 1), ("Y", 1)]);
            check(dialect, "SELECT $$a;'b$$; X", &[("SELECT $$a;'b$$", 1), ("X", 1)]);
            check(dialect, "DO $f$ a; $$ ; $$ $f$; X", &[("DO $f$ a; $$ ; $$ $f$", 1), ("X", 1)]);
            check(dialect, "SELECT $1; SELECT $2", &[("SELECT $1", 1), ("SELECT $2", 1)]);
            check(dialect, "SELECT a$b$; X", &[("SELECT a$b$", 1), ("X", 1)]);
        }
    }

    #[test]
    fn bodies_hold_their_semicolons() {
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a WHEN CASE new.x WHEN 1 THEN 1 END BEGIN\n \
             UPDATE a SET y = CASE x WHEN 1 THEN 2 END; DELETE FROM b;\nEND";
        check(Dialect::Sqlite, &format!("{trigger};\nX"), &[(trigger, 1), ("X", 4)]);
        let function = "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC\n \
             SELECT CASE a WHEN 1 THEN 2 END; SELECT 3;\nEND";
        check(Dialect::Postgresql, &format!("{function}; X"), &[(function, 1), ("X", 3)]);
        let empty = "CREATE PROCEDURE p() BEGIN ATOMIC END";
        check(Dialect::Postgresql, &format!("{empty}; X"), &[(empty, 1), ("X", 1)]);
        // A trigger of PostgreSQL has no body of its own.
        let plain = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()";
        check(Dialect::Postgresql, &format!("{plain}; X"), &[(plain, 1), ("X", 1)]);
    }

    #[test]
    fn what_is_not_ended_is_named_with_its_line() {
        for (text, line) in
            [("SELECT 1;\nSELECT 'a", 2), ("\n\n/* a", 3), ("SELECT $x$ a $y$", 1), ("SELECT \"a\n\n", 1)]
        {
            assert_eq!(split(text, Dialect::Postgresql).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn declarations_stand_in_lines_of_their_own() {
        let text = "-- switchback: no transaction\nSELECT '\n-- switchback: not this';\n  --switchback: changes a.b\nSELECT 1; -- switchback: nor this\n";
        let declared = split(text, Dialect::Sqlite).unwrap().declared;
        let told: Vec<(&str, usize)> = declared.iter().map(|one| (one.text.as_str(), one.line)).collect();
        assert_eq!(told, [("no transaction", 1), ("changes a.b", 4)]);
    }

    fn of(text: &str, dialect: Dialect) -> Statement {
        split(text, dialect).unwrap().statements.remove(0)
    }

    #[test]
    fn statements_know_what_they_are() {
        let of = |text: &str| of(text, Dialect::Sqlite);
        assert!(of("select 1").is_query() && of("WITH a AS (SELECT 1) SELECT 2").is_query());
        assert!(of("(SELECT 1)").is_query());
        assert!(!of("INSERT INTO a SELECT 1").is_query());
        assert_eq!(of("\n\na\nb\nc").line_at(4), 5);
    }

    #[test]
    fn what_ends_the_transaction_is_told_by_its_words_alone() {
        for (text, wanted) in [
            ("commit", Some("COMMIT")),
            ("END", Some("END")),
            ("ABORT", Some("ABORT")),
            ("ROLLBACK", Some("ROLLBACK")),
            ("ROLLBACK -- back TO x", Some("ROLLBACK")),
            ("ROLLBACK /* TO x */", Some("ROLLBACK")),
            ("ROLLBACK /* /* */ TO x */", Some("ROLLBACK")),
            ("ROLLBACK AND CHAIN", Some("ROLLBACK")),
            ("ROLLBACK PREPARED 'TO x'", Some("ROLLBACK")),
            ("prepare /* it */ transaction 'x'", Some("PREPARE TRANSACTION")),
            ("ROLLBACK TO SAVEPOINT a", None),
            ("ROLLBACK WORK TO a", None),
            ("rollback /* but */ transaction to a", None),
            ("PREPARE a AS SELECT 1", None),
            ("SELECT 'COMMIT'", None),
        ] {
            assert_eq!(of(text, Dialect::Postgresql).transaction_word().as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn semicolons_in_parentheses_end_nothing() {
        let rule = "CREATE RULE r AS ON INSERT TO a DO ALSO (\n INSERT INTO b VALUES (1);\n DELETE FROM c; )";
        for dialect in [Dialect::Postgresql, Dialect::Duckdb] {
            check(dialect, &format!("{rule};\nX"), &[(rule, 1), ("X", 4)]);
            check(dialect, "SELECT ')'; X", &[("SELECT ')'", 1), ("X", 1)]);
            check(dialect, "SELECT 1); X", &[("SELECT 1)", 1), ("X", 1)]);
            assert_eq!(split("X;\nSELECT (1;\nCOMMIT;", dialect).unwrap_err().line, 2);
        }
        // SQLite reads on behind every semicolon.
        check(Dialect::Sqlite, "SELECT (1; COMMIT", &[("SELECT (1", 1), ("COMMIT", 1)]);
    }
}
