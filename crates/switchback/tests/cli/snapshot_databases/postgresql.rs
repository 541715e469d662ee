//! PostgreSQL: a real server, its own programs, one state while others write, and a password that nobody sees.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use postgres::{Client, NoTls};

use super::super::ground::Ground;
use super::super::postgresql_server::{PASSWORD, Postgres};
use super::{FOLDER, assert_nowhere, ground, newest, only_database, refused, snapshot, with_databases};

/// Something of everything that a database can hold.
const SHOP: &str = r#"
    CREATE SCHEMA "odd ""name";
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL, feeling mood, seen timestamptz DEFAULT now());
    CREATE TABLE "odd ""name"."o'clock" ("a b" integer, x double precision, raw bytea, span interval, amount money);
    CREATE TABLE nothing ();
    CREATE TABLE parted (day date NOT NULL, v numeric) PARTITION BY RANGE (day);
    CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE parent (a integer);
    CREATE TABLE child (z integer) INHERITS (parent);
    CREATE UNLOGGED TABLE fleeting (v integer);
    CREATE VIEW friends AS SELECT name FROM customers WHERE feeling = 'good';
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM customers;
    CREATE FUNCTION twice(v integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * v';
    CREATE INDEX by_name ON customers (lower(name));
    INSERT INTO customers (name, feeling) SELECT 'n' || v, CASE v % 3 WHEN 0 THEN 'good' WHEN 1 THEN 'bad' END::mood
        FROM generate_series(1, 5000) AS v;
    DELETE FROM customers WHERE id % 7 = 0;
    UPDATE customers SET name = NULLIF('', 'x') WHERE id = 1;
    INSERT INTO "odd ""name"."o'clock" VALUES (1, 'NaN', '\x00ff', '1 mon 2 days', 12.34), (NULL, 0.1, '', '-1 day', NULL),
        (2, '-0', NULL, NULL, -1);
    INSERT INTO nothing DEFAULT VALUES;
    INSERT INTO parted SELECT '2026-01-01'::date + v, v / 7.0 FROM generate_series(0, 300) AS v;
    INSERT INTO parent VALUES (1);
    INSERT INTO child (a, z) VALUES (2, 3);
    INSERT INTO fleeting VALUES (1);
    SELECT lo_from_bytea(0, 'a large object');
"#;

/// A connection to a database of the server.
fn connect(server: &Postgres, database: &str) -> Client {
    Client::connect(&server.address(database, ""), NoTls).unwrap()
}

/// A server with a database `shop`.
fn shop(settings: &[&str]) -> Postgres {
    let server = Postgres::start(settings);
    server.run("CREATE DATABASE shop");
    connect(&server, "shop").batch_execute(SHOP).unwrap();
    server
}

/// An address without its password.
fn address(server: &Postgres, database: &str) -> String {
    format!("postgresql://owner@127.0.0.1:{}/{database}", server.port())
}

/// Insists that two texts are the same; the first line that is not is told.
fn assert_same(one: &str, two: &str) {
    for (number, (one, two)) in one.lines().zip(two.lines()).enumerate() {
        assert_eq!(one, two, "line {number}");
    }
    assert_eq!(one.len(), two.len());
}

/// Schema and data of a database as SQL, by PostgreSQL's own program; without the words that differ from dump to dump.
fn dumped(server: &Postgres, database: &str) -> String {
    let output =
        Command::new("pg_dump").arg(format!("--dbname={}", server.address(database, ""))).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    lines.collect::<Vec<_>>().join("\n")
}

// rows: PC-4
#[test]
fn needs_postgresql_a_database_comes_back_as_it_was_with_all_that_is_in_it() {
    let server = shop(&[]);
    let ground = ground(&[&server.address("shop", "?connect_timeout=5")]);
    let id = snapshot(&ground);
    let database = only_database(&ground, &id);
    assert_eq!(database["name"], format!("postgresql://127.0.0.1:{}/shop", server.port()));
    assert_eq!(database["kind"], "PostgreSQL");
    let rows = |name: &str| {
        let tables = database["tables"].as_array().unwrap().iter();
        tables.filter(|table| table["name"] == name).map(|table| table["rows"].as_u64().unwrap()).next()
    };
    assert_eq!(rows("public.customers"), Some(4286), "{database}");
    assert_eq!(rows("odd \"name.o'clock"), Some(3), "{database}");
    assert_eq!(rows("public.parted_2026"), Some(301), "{database}");
    assert_eq!((rows("public.parted"), rows("public.counted")), (None, None), "{database}");
    assert_eq!((rows("public.nothing"), rows("(large objects)")), (Some(1), Some(1)), "{database}");
    let shown = ground.expect(0, &format!("snapshot show {id}"));
    assert!(
        shown
            .out
            .contains(&format!("  database PostgreSQL `postgresql://127.0.0.1:{}/shop`, ", server.port())),
        "{shown}"
    );

    let into = server.address("shop_restored", "");
    let back =
        ground.expect(0, &format!("snapshot restore {id} --database shop --into {into} --json")).json();
    assert_eq!(back["databases"][0]["tables"], database["tables"]);
    assert_eq!(back["into"], format!("postgresql://127.0.0.1:{}/shop_restored", server.port()));
    assert_same(&dumped(&server, "shop_restored"), &dumped(&server, "shop"));
    // The control: the proof is none if a change does not show in it.
    connect(&server, "shop").batch_execute("UPDATE customers SET name = 'other' WHERE id = 2").unwrap();
    assert_ne!(dumped(&server, "shop_restored"), dumped(&server, "shop"));

    // A dump lays the columns of a child out in another order: its rows are the same all the same.
    connect(&server, "shop").batch_execute("ALTER TABLE parent ADD COLUMN b text DEFAULT 'late'").unwrap();
    let id = snapshot(&ground);
    ground.expect(0, &format!("snapshot restore {id} --database shop --into {}", server.address("late", "")));
    let row = connect(&server, "late").query_one("SELECT a, z, b FROM child", &[]).unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (2, 3, "late"));

    assert_nowhere(&ground.at(".switchback"), PASSWORD);
    assert_nowhere(&ground.at(".switchback"), "geheim%23");
    assert_eq!(
        fs::read_dir(ground.at(".switchback/work")).unwrap().count(),
        0,
        "nothing of the restore is left"
    );
    ground.expect(0, "snapshot check");
}

#[test]
fn needs_postgresql_a_snapshot_is_one_state_while_others_write() {
    let server = Postgres::start(&[]);
    server.run("CREATE DATABASE bank");
    let mut client = connect(&server, "bank");
    let tables = "CREATE TABLE one (v bigint); CREATE TABLE two (v bigint); INSERT INTO one VALUES (1000000); \
                  INSERT INTO two VALUES (0); CREATE TABLE much AS SELECT v, md5(v::text) FROM generate_series(1, 200000) AS v";
    client.batch_execute(tables).unwrap();
    let ground = ground(&[&server.address("bank", "")]);
    let is_done = AtomicBool::new(false);
    let moved = std::thread::scope(|scope| {
        let mover = scope.spawn(|| {
            let mut moved = 0;
            while !is_done.load(Ordering::Relaxed) {
                let step = "BEGIN; UPDATE one SET v = v - 1; UPDATE two SET v = v + 1; COMMIT";
                client.batch_execute(step).unwrap();
                moved += 1;
            }
            moved
        });
        let made = ground.run("snapshot create");
        is_done.store(true, Ordering::Relaxed);
        assert_eq!(made.code, 0, "{made}");
        mover.join().unwrap()
    });
    assert!(moved > 10, "somebody wrote meanwhile: {moved}");
    let id = newest(&ground);
    ground.expect(0, &format!("snapshot restore {id} --database bank --into {}", server.address("back", "")));
    let mut back = connect(&server, "back");
    let row = back.query_one("SELECT (SELECT v FROM one), (SELECT v FROM two)", &[]).unwrap();
    let (one, two): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!(one + two, 1_000_000, "{one} and {two}");
    assert!(two < moved, "the snapshot was made before the last step: {two} of {moved}");
}

/// Puts programs in front of PostgreSQL's own that write their arguments down, and go on as those.
fn listened_to(ground: &mut Ground) {
    let path = std::env::var("PATH").unwrap();
    let heard = ground.at("../heard");
    for name in ["psql", "pg_dump", "pg_restore"] {
        let real = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        let real = String::from_utf8(real.stdout).unwrap();
        let script =
            format!("#!/bin/sh\necho {name} \"$@\" >> {}\nexec {} \"$@\"\n", heard.display(), real.trim());
        ground.write(&format!("../bin/{name}"), script);
        fs::set_permissions(ground.at(format!("../bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let bin = ground.at("../bin");
    ground.set("PATH", &format!("{}:{path}", bin.display()));
}

#[test]
fn needs_postgresql_no_password_is_among_the_arguments_of_any_program() {
    let server = Postgres::start(&[]);
    let mut ground = ground(&[]);
    listened_to(&mut ground);
    ground.set("SHOP_PASSWORD", PASSWORD);
    ground.set("SHOP_URL", &server.address("postgres", ""));
    let port = server.port();
    let named = format!("postgresql://owner:${{SHOP_PASSWORD}}@127.0.0.1:{port}/postgres");
    let option = format!("postgresql://owner@127.0.0.1:{port}/postgres?password=geheim%231%40%2Fx");
    for named in [&named, "${SHOP_URL}", &server.address("postgres", ""), &option] {
        with_databases(&ground, &[named]);
        let id = snapshot(&ground);
        assert_eq!(only_database(&ground, &id)["name"], format!("postgresql://127.0.0.1:{port}/postgres"));
    }
    let id = newest(&ground);
    let into = format!("postgresql://owner:${{SHOP_PASSWORD}}@127.0.0.1:{port}/other");
    ground.expect(0, &format!("snapshot restore {id} --database postgres --into {into}"));
    let heard = ground.read("../heard");
    for program in ["psql", "pg_dump", "pg_restore"] {
        assert!(heard.contains(&format!("{program} --no-p")), "{program} was listened to: {heard}");
    }
    assert!(!heard.contains("geheim"), "{heard}");
    assert_nowhere(&ground.at(".switchback"), "geheim");
}

#[test]
fn needs_postgresql_what_could_not_be_read_is_in_no_snapshot() {
    let server = Postgres::start(&[]);
    let mut ground = ground(&[&server.address("nowhere", "")]);
    let name = format!("could not save the database `postgresql://127.0.0.1:{}/nowhere`", server.port());
    let seen = refused(&ground, "database \"nowhere\" does not exist", "whether the server runs");
    assert!(seen.err.contains(&name) && !seen.err.contains("geheim"), "{seen}");
    with_databases(&ground, &[&address(&server, "postgres")]);
    refused(&ground, "password", "whether the server runs");
    ground.set("PGPASSWORD", "another");
    refused(&ground, "password authentication failed", "whether the server runs");
    with_databases(&ground, &["postgresql://owner:geheim-x@127.0.0.1:1/postgres"]);
    let seen = refused(&ground, "Connection refused", "whether the server runs");
    assert!(!seen.err.contains("geheim"), "{seen}");
    with_databases(&ground, &["${SHOP_URL}"]);
    refused(&ground, "the environment variable `SHOP_URL` is not set", "set `SHOP_URL`");
    // A table that this user may not read: nothing of the database is kept.
    let denied = "CREATE ROLE guest LOGIN PASSWORD 'geheim#1@/x'; CREATE TABLE kept (v int); CREATE TABLE free (v int); \
                  GRANT SELECT ON free TO guest";
    server.run(denied);
    let guest = server.address("postgres", "").replace("owner:", "guest:");
    with_databases(&ground, &[&guest]);
    refused(&ground, "permission denied for table kept", "may read all of the database");
    // One that fails takes the others with it.
    ground.write("notes.txt", "no database");
    with_databases(&ground, &[&server.address("postgres", ""), "notes.txt"]);
    refused(&ground, "is neither a file of SQLite nor one of DuckDB", "`[snapshot] also`");
    with_databases(&ground, &[&server.address("postgres", "")]);
    ground.set("PATH", "/nowhere");
    refused(&ground, "the program `pg_dump` is not there", "`apt-get install postgresql-client`");
}

#[test]
fn needs_postgresql_a_phase_does_not_begin_without_its_database() {
    let server = Postgres::start(&[]);
    let ground = ground(&[&server.address("nowhere", "")]);
    let seen = ground.expect(2, "run --until snapshot");
    assert!(seen.err.contains("\"nowhere\" does not exist"), "{seen}");
    assert!(!ground.at(FOLDER).exists());
    with_databases(&ground, &[&server.address("postgres", "")]);
    let seen = ground.expect(0, "run --until snapshot");
    let named = format!("with `postgresql://127.0.0.1:{}/postgres`", server.port());
    assert!(format!("{}{}", seen.out, seen.err).contains(&named), "{seen}");
}

#[test]
fn needs_postgresql_nothing_is_restored_over_anything_nor_left_half() {
    let server = Postgres::start(&[]);
    server.run("CREATE ROLE seller; CREATE TABLE t (v integer); ALTER TABLE t OWNER TO seller; INSERT INTO t VALUES (1)");
    let ground = ground(&[&server.address("postgres", "")]);
    let id = snapshot(&ground);
    let restore = |code: i32, more: &str, database: &str| {
        let into = server.address(database, "");
        ground.expect(code, &format!("snapshot restore {id} --database postgres --into {into} {more}"))
    };
    let seen = restore(2, "", "postgres");
    assert!(seen.err.contains("/postgres` is not empty: it has ") && !seen.err.contains("geheim"), "{seen}");
    // Of an empty one that was there nobody can say what it is for: it stays.
    server.run("CREATE DATABASE empty");
    restore(0, "", "empty");
    let names = |server: &Postgres| {
        let rows = server.run("").query("SELECT datname::text FROM pg_database ORDER BY 1", &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    server.run("DROP DATABASE empty");
    server.run("DROP TABLE t");
    server.run("DROP ROLE seller");
    let seen = restore(2, "", "fresh");
    assert!(
        seen.err.contains("role \"seller\" does not exist") && seen.err.contains("`--no-owner`"),
        "{seen}"
    );
    assert_eq!(names(&server), ["postgres", "template0", "template1"], "what was made is taken away");
    restore(0, "--no-owner", "fresh");
    let row = connect(&server, "fresh")
        .query_one("SELECT v, (SELECT tableowner::text FROM pg_tables WHERE tablename = 't') FROM t", &[]);
    let row = row.unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, String>(1)), (1, "owner".to_owned()));
    let seen = ground.expect(2, &format!("snapshot restore {id} --database other --into ../other.db"));
    assert!(seen.err.contains("it holds `postgresql://127.0.0.1:"), "{seen}");
    let seen = ground.expect(2, &format!("snapshot restore {id} --database postgres --into ../other.db"));
    assert!(seen.err.contains("a dump of PostgreSQL goes into a server"), "{seen}");
}
