//! What `psql` is told: how a dump and the fingerprints of all tables come from one and the same state.
//!
//! A transaction of the isolation level *repeatable read* exports its snapshot; `pg_dump` is started from within it and reads
//! that snapshot (PostgreSQL's documentation, "Snapshot Synchronization Functions"); then each table is fingerprinted in the
//! same transaction. The fingerprint of a table is the sum, over all rows, of two numbers of 60 bits out of the SHA-256 of
//! the row's text with its columns sorted by name: it depends neither on the order of rows nor on that of columns, both of
//! which a restore may change. It finds what went wrong, not what somebody forged.

use std::fmt::Write as _;

/// How values become text, whatever server, database or user say: as `pg_dump` does it.
const SETTINGS: &str = "\
SET LOCAL search_path = pg_catalog;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex';
SET LOCAL timezone = 'UTC';
SET LOCAL lc_monetary = 'C';
SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT FROM pg_settings, set_config(name, '0', true) WHERE name = 'transaction_timeout';
";

/// Starts the dump with what stands in the environment; its exit code is the next line of the output.
const DUMP: &str = r#"SELECT pg_export_snapshot() AS snapshot \gset
\setenv SWITCHBACK_SNAPSHOT :snapshot
\! pg_dump --no-password --format=custom --compress=0 --snapshot="$SWITCHBACK_SNAPSHOT" --file="$SWITCHBACK_DUMP" --dbname="$SWITCHBACK_ADDRESS" </dev/null; echo "{\"dump\": $?}"
"#;

/// What a database is made with.
const DATABASE: &str = r"SELECT json_build_object(
  'server', current_setting('server_version'), 'encoding', getdatabaseencoding(),
  'collate', d ->> 'datcollate', 'ctype', d ->> 'datctype', 'provider', d ->> 'datlocprovider',
  'locale', coalesce(d ->> 'datlocale', d ->> 'daticulocale'))
FROM (SELECT to_jsonb(of) AS d FROM pg_database AS of WHERE datname = current_database()) AS one;
SELECT CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END AS encoding \gset
";

/// Makes one query a table, a sequence and the large objects, and runs them. Left out is what a dump does not carry: members of
/// extensions, foreign tables and, because they are built anew, materialized views.
const TABLES: &str = r#"SELECT format(
  'SELECT json_build_object(''table'', %L, ''rows'', count(*), ''content'', '
  'coalesce(sum((''x'' || substr(h, 1, 15))::bit(60)::bigint), 0) || ''-'' || '
  'coalesce(sum((''x'' || substr(h, 16, 15))::bit(60)::bigint), 0)) '
  'FROM (SELECT encode(sha256(convert_to(ROW(%s)::text, %L)), ''hex'') AS h FROM %s) AS hashes',
  name, columns, :'encoding', place)
FROM (
  SELECT n.nspname || '.' || c.relname AS name,
    CASE c.relkind WHEN 'S' THEN 'r.last_value, r.is_called' ELSE coalesce((
      SELECT string_agg(format('r.%I', a.attname), ', ' ORDER BY a.attname COLLATE "C")
      FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') END AS columns,
    format(CASE c.relkind WHEN 'S' THEN '%I.%I AS r' ELSE 'ONLY %I.%I AS r' END, n.nspname, c.relname) AS place
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'S') AND c.relpersistence <> 't' AND c.oid >= 16384
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT '(large objects)', 'r.oid, lo_get(r.oid)', 'pg_largeobject_metadata AS r'
  WHERE EXISTS (SELECT FROM pg_largeobject_metadata)
) AS tables ORDER BY name COLLATE "C" \gexec
"#;

/// The objects that somebody made in a database: none in a new one.
pub(super) const OBJECTS: &str = "SELECT (SELECT count(*) FROM pg_catalog.pg_class WHERE oid >= 16384) \
     + (SELECT count(*) FROM pg_catalog.pg_proc WHERE oid >= 16384) \
     + (SELECT count(*) FROM pg_catalog.pg_type WHERE oid >= 16384) \
     + (SELECT count(*) FROM pg_catalog.pg_namespace WHERE oid >= 16384 AND nspname !~ '^pg_') \
     + (SELECT count(*) FROM pg_catalog.pg_extension WHERE oid >= 16384) \
     + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)";

/// The script that tells a database and all its tables, one JSON document a line; `with_dump`: and dumps it meanwhile.
pub(super) fn telling(with_dump: bool) -> String {
    let dump = if with_dump { DUMP } else { "" };
    format!(
        "\\set ON_ERROR_STOP on\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{SETTINGS}{DATABASE}{dump}{TABLES}COMMIT;\n"
    )
}

/// The statement that makes a database: `name` as it is, the rest as it was.
pub(super) fn making(name: &str, locale: Option<&super::Locale>) -> String {
    let mut statement = format!("CREATE DATABASE {} TEMPLATE template0", identifier(name));
    let Some(locale) = locale else { return statement };
    let mut add = |key: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = write!(statement, " {key} {}", literal(value));
    };
    add("ENCODING", &locale.encoding);
    add("LC_COLLATE", &locale.collate);
    add("LC_CTYPE", &locale.ctype);
    match (locale.provider.as_deref(), &locale.name) {
        (Some("i"), Some(name)) => {
            add("LOCALE_PROVIDER", "icu");
            add("ICU_LOCALE", name);
        }
        (Some("b"), Some(name)) => {
            add("LOCALE_PROVIDER", "builtin");
            add("BUILTIN_LOCALE", name);
        }
        _ => {}
    }
    statement
}

/// A name in SQL.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in SQL, also where backslashes mean something.
pub(super) fn literal(text: &str) -> String {
    if text.contains('\\') {
        return format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    }
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Locale;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b"), "'a''b'");
        assert_eq!(literal("a\\'b"), "E'a\\\\''b'");
        let locale = Locale {
            encoding: "UTF8".to_owned(),
            collate: "C".to_owned(),
            ctype: "C".to_owned(),
            provider: Some("i".to_owned()),
            name: Some("de".to_owned()),
        };
        assert_eq!(
            making("sh\"op", Some(&locale)),
            "CREATE DATABASE \"sh\"\"op\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER 'icu' \
             ICU_LOCALE 'de'"
        );
    }
}
