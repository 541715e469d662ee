//! What each database has its own words for: transactions, tables and columns, values as text.

use crate::database::Kind;

/// The way that a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgresql,
    /// DuckDB.
    Duckdb,
}

/// The table in which the database itself says which steps it has.
pub(super) const STATE: &str = "switchback_schema";

impl From<Kind> for Dialect {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite,
            Kind::Postgresql => Self::Postgresql,
            Kind::Duckdb => Self::Duckdb,
        }
    }
}

/// How values become text while they are looked at, whatever server, database or step say.
const POSTGRESQL_TEXTS: &[(&str, &str)] = &[
    ("datestyle", "'ISO, YMD'"),
    ("intervalstyle", "'postgres'"),
    ("extra_float_digits", "3"),
    ("bytea_output", "'hex'"),
    ("timezone", "'UTC'"),
    ("lc_monetary", "'C'"),
    ("row_security", "off"),
    ("statement_timeout", "0"),
];

impl Dialect {
    /// Begins a transaction.
    pub(super) fn begin(self, is_read_only: bool) -> &'static str {
        match (self, is_read_only) {
            // One that takes the lock later could find it taken, and the database changed.
            (Self::Sqlite, false) => "BEGIN IMMEDIATE",
            // What verifies may not change anything.
            (Self::Postgresql, true) => "BEGIN READ ONLY",
            // Whatever the server's default is: what others committed while tables were waited for must be seen.
            (Self::Postgresql, false) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Self::Sqlite, true) => "BEGIN",
            (Self::Duckdb, _) => "BEGIN TRANSACTION",
        }
    }

    /// Whether part of a transaction can be taken back.
    pub(super) fn has_savepoints(self) -> bool {
        self != Self::Duckdb
    }

    /// Carries out what would be left for the end of the transaction, so that nothing changes after it was looked at.
    pub(super) fn settle(self) -> Option<&'static str> {
        (self == Self::Postgresql).then_some("SET CONSTRAINTS ALL IMMEDIATE")
    }

    /// What makes a session as a new one, before each step.
    pub(super) fn fresh(self) -> &'static [&'static str] {
        match self {
            // Tables are rebuilt by copying and dropping, which must not cascade (SQLite, *ALTER TABLE*, section 7).
            Self::Sqlite => &["PRAGMA foreign_keys = OFF"],
            // What a step set for its session is not for the next one. Not `DISCARD ALL`: that gives locks up.
            Self::Postgresql => &["RESET SESSION AUTHORIZATION", "RESET ALL"],
            Self::Duckdb => &[],
        }
    }

    /// What makes values texts of one kind within a transaction, and what takes that back; `None` where they are.
    pub(super) fn texts_as_one(self) -> Option<(String, String)> {
        let set = POSTGRESQL_TEXTS.iter().map(|(name, value)| format!("SET LOCAL {name} = {value}"));
        let back = POSTGRESQL_TEXTS.iter().map(|(name, _)| format!("SET LOCAL {name} TO DEFAULT"));
        let together = |all: Vec<String>| all.join("; ");
        (self == Self::Postgresql).then(|| (together(set.collect()), together(back.collect())))
    }

    /// Asks for the schema in which the state stands; `None` where names need none.
    pub(super) fn home(self) -> Option<&'static str> {
        (self == Self::Postgresql).then_some("SELECT current_schema()::text")
    }

    /// Asks whether there is a table of the state in a schema.
    pub(super) fn has_state(self, home: Option<&str>) -> String {
        match self {
            Self::Sqlite => {
                format!("SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = '{STATE}'")
            }
            Self::Postgresql => format!(
                "SELECT count(*)::text FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE c.relname = '{STATE}' AND n.nspname = {}",
                literal(home.unwrap_or("public"))
            ),
            Self::Duckdb => format!(
                "SELECT count(*)::VARCHAR FROM duckdb_tables() WHERE database_name = current_database() \
                 AND schema_name = 'main' AND table_name = '{STATE}'"
            ),
        }
    }

    /// The table of the state, as SQL names it.
    pub(super) fn state(self, home: Option<&str>) -> String {
        match (self, home) {
            (Self::Sqlite | Self::Duckdb, _) => format!("main.{STATE}"),
            (Self::Postgresql, Some(home)) => format!("{}.{STATE}", quoted(home)),
            (Self::Postgresql, None) => format!("public.{STATE}"),
        }
    }

    /// Asks for every column of every table: the table as it is shown, as SQL names it, the column, its declared type.
    pub(super) fn columns(self) -> String {
        match self {
            Self::Sqlite => format!(
                "SELECT t.name, '\"' || replace(t.name, '\"', '\"\"') || '\"', c.name, c.type \
                 FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name, 'main') AS c ON c.hidden <> 1 \
                 WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 AND t.name <> '{STATE}' ORDER BY t.name, c.cid"
            ),
            Self::Postgresql => format!(
                "SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname::text || '.' END || c.relname::text, \
                 pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod) \
                 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
                 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname <> '{STATE}' \
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::regclass \
                 AND d.objid = c.oid AND d.deptype = 'e') \
                 ORDER BY 1, a.attnum"
            ),
            Self::Duckdb => format!(
                "SELECT CASE WHEN schema_name = 'main' THEN '' ELSE schema_name || '.' END || table_name, \
                 '\"' || replace(schema_name, '\"', '\"\"') || '\".\"' || replace(table_name, '\"', '\"\"') || '\"', \
                 column_name, data_type \
                 FROM duckdb_columns() AS c WHERE database_name = current_database() AND NOT internal \
                 AND table_name <> '{STATE}' AND EXISTS (SELECT 1 FROM duckdb_tables() AS t \
                 WHERE t.database_name = c.database_name AND t.schema_name = c.schema_name \
                 AND t.table_name = c.table_name AND NOT t.temporary) \
                 ORDER BY 1, column_index"
            ),
        }
    }

    /// A column as a text that is another one for each other value; null stays null.
    pub(super) fn as_text(self, column: &str) -> String {
        let column = quoted(column);
        match self {
            // With its storage class: 1, 1.0 and '1' are three values. Bytes, because a text may have a NUL in it, or be no UTF-8. A
            // real number has all its digits only as the driver writes it.
            Self::Sqlite => format!(
                "CASE typeof({column}) WHEN 'null' THEN NULL WHEN 'real' THEN {column} \
                 ELSE typeof({column}) || ':' || hex(CAST({column} AS BLOB)) END"
            ),
            Self::Postgresql => format!("{column}::text"),
            Self::Duckdb => format!("{column}::VARCHAR"),
        }
    }

    /// A column as a text for people, which can be read back; null stays null.
    pub(super) fn for_people(self, column: &str) -> String {
        match self {
            // A text that is no plain one, or looks like what stands for others, is the expression that makes it. So the driver has it
            // for one that is no UTF-8.
            Self::Sqlite => {
                let column = quoted(column);
                format!(
                    "CASE typeof({column}) WHEN 'blob' THEN 'x''' || hex({column}) || '''' WHEN 'text' THEN \
                     CASE WHEN instr({column}, char(0)) > 0 OR substr({column}, 1, 2) = 'x''' \
                     OR substr({column}, 1, 7) = 'CAST(x''' \
                     THEN 'CAST(x''' || hex(CAST({column} AS BLOB)) || ''' AS TEXT)' ELSE {column} END ELSE {column} END"
                )
            }
            Self::Postgresql | Self::Duckdb => self.as_text(column),
        }
    }

    /// A text in SQL, also where backslashes mean something.
    pub(super) fn literal(self, text: &str) -> String {
        if self == Self::Postgresql && text.contains('\\') {
            return format!("E{}", literal(&text.replace('\\', "\\\\")));
        }
        literal(text)
    }

    /// A query of a `verify` script as it is asked.
    pub(super) fn asked(self, query: &str) -> String {
        match self {
            // Every type as text; the line end closes a comment at the end of the query.
            Self::Duckdb => format!("SELECT COLUMNS(*)::VARCHAR FROM ({query}\n) LIMIT 1"),
            Self::Sqlite | Self::Postgresql => query.to_owned(),
        }
    }
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_sqlite_that_are_not_the_same_are_not_the_same_text() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        database.execute_batch("CREATE TABLE odd (a)").unwrap();
        let texts = |value: &str| -> (String, String) {
            let (hashed, shown) = (Dialect::Sqlite.as_text("a"), Dialect::Sqlite.for_people("a"));
            database.execute_batch(&format!("DELETE FROM odd; INSERT INTO odd VALUES ({value})")).unwrap();
            let told = |value: rusqlite::types::Value| format!("{value:?}");
            database
                .query_row(&format!("SELECT {hashed}, {shown} FROM odd"), [], |row| {
                    let shown = row.get(1).map_or_else(|error| error.to_string(), told);
                    Ok((told(row.get(0)?), shown))
                })
                .unwrap()
        };
        let values = [
            "NULL",
            "1",
            "1.0",
            "'1'",
            "x'31'",
            "''",
            "x''",
            "0.1 + 0.2",
            "0.3",
            "CAST(x'61' AS TEXT)",
            "CAST(x'610062' AS TEXT)",
            "CAST(x'610063' AS TEXT)",
            "CAST(x'FE' AS TEXT)",
            "CAST(x'FF' AS TEXT)",
        ];
        let mut hashed: Vec<String> = values.iter().map(|value| texts(value).0).collect();
        assert_eq!(hashed[0], "Null");
        hashed.sort();
        hashed.dedup();
        assert_eq!(hashed.len(), values.len(), "{hashed:?}");
        for (value, wanted) in [
            ("CAST(x'610062' AS TEXT)", "Text(\"CAST(x'610062' AS TEXT)\")"),
            ("x'00FF'", "Text(\"x'00FF'\")"),
            ("'x''00'", "Text(\"CAST(x'78273030' AS TEXT)\")"),
            ("'plain'", "Text(\"plain\")"),
            ("0.1 + 0.2", "Real(0.30000000000000004)"),
        ] {
            assert_eq!(texts(value).1, wanted);
        }
    }

    #[test]
    fn postgresql_sees_what_others_commit_and_leaves_nothing_for_the_end() {
        assert_eq!(Dialect::Postgresql.begin(false), "BEGIN ISOLATION LEVEL READ COMMITTED");
        assert_eq!(Dialect::Postgresql.settle(), Some("SET CONSTRAINTS ALL IMMEDIATE"));
    }
}
