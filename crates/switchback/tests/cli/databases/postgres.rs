//! PostgreSQL: a real server, every type, one snapshot, and passwords that nobody sees.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array,
    Float64Array, Int16Array, Int32Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use serde_json::json;

use super::exports::parquet;
use super::{Ground, compare, only_cell, refused, run};
use crate::postgresql_server::Postgres;

const KINDS: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN cents AS numeric(12, 2);
    CREATE TABLE kinds (
        id bigint PRIMARY KEY, flag boolean, small smallint, whole integer, single real, double double precision,
        amount numeric(10, 2), huge numeric(60, 10), loose numeric, price cents, name text, code char(4),
        short varchar(10), raw bytea, day date, at time, seen timestamp, instant timestamptz, uid uuid,
        document jsonb, feeling mood, span interval, list integer[], forever timestamp, nan numeric(5, 1));
    INSERT INTO kinds VALUES
        (9223372036854775807, true, 32767, 2147483647, 3.4028235e38, 1.7976931348623157e308, 99999999.99,
         12345678901234567890123456789012345678901234567890.0123456789, 12345678901234567890.123456789, -0.01, 'Zürich',
         'ab', '', '\\x00ff', '5874897-12-31', '24:00:00', '9999-12-31 23:59:59.999999', '2024-07-01 12:00:00+02',
         '123e4567-e89b-12d3-a456-426614174000', '{\"b\": 1, \"a\": [null]}', 'good', '1 mon 2 days 03:04:05', '{1,NULL,3}',
         'infinity', 'NaN'),
        (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
         NULL, NULL, NULL, NULL, NULL),
        (-9223372036854775808, false, -32768, -2147483648, 'NaN', '-infinity', -99999999.99, -0.0000000001, 5, 0, '', '',
         'x', '', '0001-01-01 BC', '00:00:00.000001', '1900-01-01', '1969-12-31 23:59:59.999999Z',
         '00000000-0000-0000-0000-000000000000', '{}', 'bad', '00:00:00', '{}', '2024-01-01', 1.5);
";

/// 2024-07-01T10:00:00Z in microseconds since 1970.
const JULY: i64 = 1_719_828_000_000_000;
/// 9999-12-31T23:59:59.999999 in microseconds since 1970.
const LAST: i64 = 253_402_300_799_999_999;
/// 1900-01-01 in microseconds since 1970.
const EARLY: i64 = -2_208_988_800_000_000;
/// 5874897-12-31, the last day of PostgreSQL, in days since 1970: the difference of two Julian day numbers.
const LAST_DAY: i32 = 2_147_483_493 - 2_440_588;
/// 0001-01-01 BC in days since 1970.
const YEAR_ZERO: i32 = -719_528;

fn export(ground: &Ground, file: &str) {
    let text = |values: [&str; 2]| {
        Arc::new(StringArray::from(vec![Some(values[0]), None, Some(values[1])])) as ArrayRef
    };
    let huge = i256::from_string("123456789012345678901234567890123456789012345678900123456789").unwrap();
    let huge = vec![Some(huge), None, Some(i256::from_i128(-1))];
    let decimals = |one: i128, two: i128, precision, scale| {
        let array = Decimal128Array::from(vec![Some(one), None, Some(two)]);
        Arc::new(array.with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
    };
    let instants = |one: i64, two: i64| TimestampMicrosecondArray::from(vec![Some(one), None, Some(two)]);
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1), None, Some(3)]);
    list.append_null();
    list.append_value([]);
    let raw: Vec<Option<&[u8]>> = vec![Some(&[0, 0xff]), None, Some(&[])];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![i64::MAX, 1, i64::MIN]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("small", Arc::new(Int16Array::from(vec![Some(i16::MAX), None, Some(i16::MIN)]))),
        ("whole", Arc::new(Int32Array::from(vec![Some(i32::MAX), None, Some(i32::MIN)]))),
        ("single", Arc::new(Float32Array::from(vec![Some(f32::MAX), None, Some(f32::NAN)]))),
        ("double", Arc::new(Float64Array::from(vec![Some(f64::MAX), None, Some(f64::NEG_INFINITY)]))),
        ("amount", decimals(9_999_999_999, -9_999_999_999, 10, 2)),
        ("huge", Arc::new(Decimal256Array::from(huge).with_precision_and_scale(60, 10).unwrap())),
        ("loose", decimals(12_345_678_901_234_567_890_123_456_789, 5_000_000_000, 38, 9)),
        ("price", decimals(-1, 0, 12, 2)),
        ("name", text(["Zürich", ""])),
        ("code", text(["ab  ", "    "])),
        ("short", text(["", "x"])),
        ("raw", Arc::new(BinaryArray::from(raw))),
        ("day", Arc::new(Date32Array::from(vec![Some(LAST_DAY), None, Some(YEAR_ZERO)]))),
        ("at", Arc::new(Time64MicrosecondArray::from(vec![Some(86_400_000_000), None, Some(1)]))),
        ("seen", Arc::new(instants(LAST, EARLY))),
        ("instant", Arc::new(instants(JULY, -1).with_timezone("UTC"))),
        ("uid", text(["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000"])),
        ("document", text(["{\"a\": [null], \"b\": 1}", "{}"])),
        ("feeling", text(["good", "bad"])),
        ("span", text(["P1M2DT3H4M5S", "PT0S"])),
        ("list", Arc::new(list.finish())),
        ("forever", text(["infinity", "2024-01-01 00:00:00"])),
        ("nan", text(["NaN", "1.5"])),
    ];
    parquet(&ground.at(file), columns);
}

#[test]
fn needs_postgresql_a_table_equals_its_export_until_one_row_is_changed() {
    let ground = Ground::new();
    let server = Postgres::start(&[]);
    server.run(KINDS);
    export(&ground, "kinds.parquet");
    let table = server.address("postgres", "#kinds");
    let keyed = ["--key", "id"];
    let report = compare(&ground, 0, &table, "kinds.parquet", &keyed);
    let item = &report["items"][0];
    assert_eq!((&item["name"], &item["rows"]["equal"]), (&json!("postgres#kinds"), &json!(3)));
    let notes = item["not_compared"].as_array().unwrap();
    for (column, why) in
        [("span", "`interval`"), ("forever", "holds an infinity"), ("nan", "holds NaN or an infinity")]
    {
        let told = format!("column `{column}` of ");
        let told = |note: &serde_json::Value| {
            note.as_str().unwrap().starts_with(&told) && note.as_str().unwrap().contains(why)
        };
        assert!(notes.iter().any(told), "{column}: {notes:?}");
    }
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(!report.to_string().contains("geheim"), "{report}");
    // By position: the table's rows stand as they were written.
    compare(&ground, 0, "kinds.parquet", &server.address("postgres", "#public.kinds"), &[]);
    for (column, value, old, new) in [
        ("whole", "2147483646", json!(2_147_483_646), json!(2_147_483_647)),
        ("amount", "99999999.98", json!("99999999.98"), json!("99999999.99")),
        (
            "instant",
            "'2024-07-01 10:00:00.000001Z'",
            json!("2024-07-01T10:00:00.000001Z"),
            json!("2024-07-01T10:00:00Z"),
        ),
    ] {
        let key = i64::MAX;
        server.run(&format!(
            "CREATE TABLE kept AS TABLE kinds; UPDATE kinds SET {column} = {value} WHERE id = {key}"
        ));
        let report = compare(&ground, 1, &table, "kinds.parquet", &keyed);
        assert_eq!(only_cell(&report), (json!({"id": key.to_string()}), column.to_owned(), old, new));
        server.run("TRUNCATE kinds; INSERT INTO kinds TABLE kept; DROP TABLE kept");
    }
}

#[test]
fn needs_postgresql_all_tables_views_partitions_and_schemas() {
    let ground = Ground::new();
    let server = Postgres::start(&[]);
    let tables = "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT n, 'v' || n FROM generate_series(1, 20000) n;
        CREATE INDEX ON a (v, id); VACUUM ANALYZE a;";
    let more =
        "CREATE SCHEMA other; CREATE TABLE other.b (v int[]); INSERT INTO other.b VALUES ('{{1,2},{3,4}}');
        CREATE TABLE parts (id int, v text) PARTITION BY RANGE (id);
        CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
        CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (10) TO (20);
        INSERT INTO parts SELECT n, 'p' FROM generate_series(0, 19) n;
        CREATE VIEW recent AS SELECT v, id FROM a WHERE id > 100 ORDER BY md5(v);
        CREATE TABLE \"odd \"\"name.x\" (\"select\" int); INSERT INTO \"odd \"\"name.x\" VALUES (1);
        CREATE TABLE empty (); CREATE TABLE zero (v numeric, w date);";
    for statement in tables.split_inclusive(';').filter(|statement| !statement.trim().is_empty()) {
        server.run(statement);
    }
    server.run(more);
    server.run("CREATE DATABASE second TEMPLATE postgres");
    server.run("CREATE TABLE gone (v int)");
    let (one, two) = (server.address("postgres", ""), server.address("second", ""));
    let report = compare(&ground, 1, &one, &two, &["--allow-empty"]);
    assert_eq!((&report["only_old"], &report["only_new"]), (&json!(["postgres#gone"]), &json!([])));
    let names: Vec<_> =
        report["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    let tables = ["a", "empty", "odd \"name.x", "other.b", "parts", "zero"];
    assert_eq!(names, tables.map(|name| format!("postgres#{name}")));
    assert!(report["items"].as_array().unwrap().iter().all(|item| item["verdict"] == "yes"), "{report}");
    // Rows of a table stand in one order, though an index has all the columns; those of a view are written down once.
    let report = compare(
        &ground,
        0,
        &server.address("postgres", "#a"),
        &server.address("second", "#a"),
        &["--columns", "v"],
    );
    assert_eq!(report["items"][0]["rows"]["equal"], 20_000);
    let view = server.address("postgres", "#recent");
    let report = compare(&ground, 0, &view, &server.address("second", "#recent"), &["--key", "id"]);
    assert_eq!(report["items"][0]["rows"]["equal"], 19_900);
    let odd = server.address("postgres", "#odd \"name.x");
    compare(&ground, 0, &odd, &odd, &[]);
    let arrays = server.address("postgres", "#other.b");
    let report = compare(&ground, 0, &arrays, &arrays, &[]);
    assert!(
        report["items"][0]["not_compared"].to_string().contains("arrays of several dimensions"),
        "{report}"
    );
}

/// A guest who may not read one table, and of another sees only some rows.
const POLICED: &str =
    "CREATE TABLE t (v int); INSERT INTO t VALUES (1); CREATE ROLE guest LOGIN PASSWORD 'guest';
         CREATE TABLE policed (v int); INSERT INTO policed VALUES (1), (2); GRANT SELECT ON policed TO guest;
         ALTER TABLE policed ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON policed USING (v = 1);";

#[test]
fn needs_postgresql_what_cannot_be_read_is_named_and_no_password_is() {
    let mut ground = Ground::new();
    let server = Postgres::start(&[]);
    server.run(POLICED);
    ground.write("one.csv", "v\n1\n");
    let port = server.port();
    let at = |user: &str, more: &str| format!("postgresql://{user}@127.0.0.1:{port}/{more}");
    let told = [
        refused(
            &ground,
            &at("owner:falsch", "postgres#t"),
            "one.csv",
            "password authentication failed",
            "PGPASSWORD",
        ),
        refused(
            &ground,
            &at("owner", "postgres?password=falsch#t"),
            "one.csv",
            "password authentication",
            "PGPASSWORD",
        ),
        refused(
            &ground,
            &at("owner:falsch", "postgres?nonsense=falsch#t"),
            "one.csv",
            "nonsense",
            "postgresql://",
        ),
        refused(
            &ground,
            "one.csv",
            &server.address("nowhere", "#t"),
            "does not exist",
            "name of the database",
        ),
        refused(
            &ground,
            "one.csv",
            &server.address("postgres", "#gone"),
            "it has `policed`, `t`",
            "name one of",
        ),
        refused(&ground, &at("guest:guest", "postgres#t"), "one.csv", "permission denied", "SELECT"),
        refused(&ground, &at("guest:guest", "postgres#policed"), "one.csv", "row-level security", "policy"),
        refused(
            &ground,
            "postgresql://owner:falsch@127.0.0.1:1/d#t",
            "one.csv",
            "refused",
            "server runs there",
        ),
        refused(
            &ground,
            "postgresql://owner:falsch@host.invalid/d#t",
            "one.csv",
            "host.invalid",
            "server runs there",
        ),
        refused(&ground, "postgresql://owner:falsch@h/d", "one.csv", "is one table", "`#TABLE`"),
    ];
    for text in told {
        for secret in ["falsch", "geheim", "guest:guest"] {
            let shown = text.replace("nonsense=falsch", "");
            assert!(!shown.contains(secret), "{text}");
        }
    }
    let seen = run(&ground, &at("owner", "postgres#t"), "one.csv", &[]);
    assert_eq!(seen.code, 2, "{seen}");
    ground.set("PGPASSWORD", crate::postgresql_server::PASSWORD);
    compare(&ground, 0, &at("owner", "postgres#t"), "one.csv", &[]);
}

#[test]
fn needs_postgresql_over_tls_the_other_side_must_prove_itself() {
    let ground = Ground::new();
    let server = Postgres::start(&["ssl=on", "ssl_cert_file=../server.crt", "ssl_key_file=../server.key"]);
    server.run("CREATE TABLE t (v int); INSERT INTO t VALUES (1); CREATE VIEW tls AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    ground.write("one.csv", "v\n1\n");
    ground.write("true.csv", "ssl\ntrue\n");
    ground.write("false.csv", "ssl\nfalse\n");
    let root = server.at("server.crt").display().to_string().replace('/', "%2F");
    let trusting = |mode: &str, table: &str| {
        server.address("postgres", &format!("?sslmode={mode}&sslrootcert={root}#{table}"))
    };
    compare(&ground, 0, &trusting("require", "t"), "one.csv", &[]);
    compare(&ground, 0, &trusting("verify-full", "tls"), "true.csv", &[]);
    compare(&ground, 0, &server.address("postgres", "?sslmode=disable#tls"), "false.csv", &[]);
    // Whoever asks for TLS gets it verified; whoever does not is served without.
    refused(
        &ground,
        &server.address("postgres", "?sslmode=require#t"),
        "one.csv",
        "certificate",
        "sslrootcert",
    );
    compare(&ground, 0, &server.address("postgres", "#tls"), "false.csv", &[]);
}

/// A million rows are read a batch at a time: the program's peak stays far below what the table takes.
#[test]
#[ignore = "slow: a million rows"]
fn needs_postgresql_memory_does_not_grow_with_the_table() {
    let ground = Ground::new();
    let server = Postgres::start(&[]);
    server.run("CREATE TABLE long (id bigint PRIMARY KEY, v text)");
    server.run("INSERT INTO long SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 1000000) n");
    let peak = |table: &str| {
        let address = server.address("postgres", table);
        let seen = ground.tool(
            "python3",
            &["-c", PEAK, env!("CARGO_BIN_EXE_switchback"), "compare", "--key", "id", &address, &address],
        );
        seen.trim().parse::<u64>().unwrap()
    };
    let kilobytes = peak("#long");
    assert!(kilobytes < 200_000, "{kilobytes} KiB");
}

/// Runs a program, which must succeed, and prints its peak memory in KiB.
const PEAK: &str = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
