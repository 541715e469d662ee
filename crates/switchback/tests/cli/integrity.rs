//! The check `integrity`: what is damaged, cut off, missing, changed or added in declared data is told from the snapshot of
//! the phase, file by file and record by record.

use std::fs::{self, File};
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::ground::Ground;

const USERS: &str = "[\n  {\"id\": 1, \"name\": \"Ada\"},\n  {\"id\": 2, \"name\": \"Alan\"},\n  {\"id\": 3, \"name\": \"Grace\"}\n]\n";
const ROWS: &str = "id,amount\n1,10.5\n2,20.0\n3,30.25\n4,40\n";

/// A plan whose snapshots hold `data` and a database, and a check of the kind with these keys.
fn plan(keys: &str, more: &str) -> String {
    format!(
        "version = 1\n\n[project]\nname = \"shop\"\nmanaged = [\"src\"]\n\n[snapshot]\nalso = [\"data\", \"app.sqlite\"]\n\n\
         [[phase]]\nname = \"unify\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n\n\
         [[check]]\nname = \"data\"\nkind = \"integrity\"\nat = [\"live\", \"+1h\", \"rolled-back\"]\n{keys}\n\n{more}"
    )
}

/// A project that is live under watch, with data that is as it was in its snapshot.
fn live(keys: &str, lay_out: impl Fn(&Ground)) -> Ground {
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("data/users.json", USERS);
    ground.write("data/rows.csv", ROWS);
    ground.write("switchback.toml", plan(keys, ""));
    lay_out(&ground);
    ground.expect(2, "run");
    let (verdict, line) = said(&ground, 0);
    assert!(verdict == "yes" && line.contains("byte by byte as in the snapshot"), "{line}");
    ground
}

/// What the check says of the live tree: verdict and line.
fn said(ground: &Ground, code: i32) -> (String, String) {
    let seen = ground.expect(code, "check data --at live --json");
    let document = seen.json();
    let check = document["checks"].as_array().unwrap().iter().rfind(|check| check["name"] == "data");
    let check = check.unwrap_or_else(|| panic!("{seen}"));
    let text = |name: &str| check[name].as_str().unwrap().to_owned();
    (text("verdict"), text("summary"))
}

/// The evidence of what the check said last.
fn evidence(ground: &Ground) -> Value {
    let document = ground.run("status --json").json();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().rfind(|check| check["name"] == "data" && check["at"] == "live").unwrap();
    let hash = check["evidence"].as_str().unwrap().trim_start_matches("blake3:");
    let mut waiting = vec![ground.at(".switchback/evidence")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.to_string_lossy().replace('/', "").contains(hash) {
                return serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            }
        }
    }
    panic!("no evidence {hash}");
}

/// After `text` is written to the data, the check answers with `code` and a line that has all of `words`.
fn check(ground: &Ground, path: &str, text: impl AsRef<[u8]>, code: i32, words: &[&str]) {
    let before = fs::read(ground.at(path)).ok();
    ground.write(path, text);
    let (verdict, line) = said(ground, code);
    assert_eq!(verdict, ["yes", "no", "unknown"][usize::try_from(code).unwrap()], "{line}");
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
    match before {
        Some(before) => fs::write(ground.at(path), before).unwrap(),
        None => fs::remove_file(ground.at(path)).unwrap(),
    }
}

// rows: RB-6
#[test]
fn damage_is_named_with_its_place_and_a_cut_with_both_sizes() {
    let ground = live("paths = [\"data\"]\nkey = [\"id\"]", |ground| {
        ground.write("data/notes.bin", [0, 159, 146, 150]);
    });
    let broken = USERS.replace("\"id\": 2, ", "\"id\": 2 ");
    check(
        &ground,
        "data/users.json",
        broken,
        1,
        &["`data/users.json`: damaged: line 3 column 12: expected `,` or `}`"],
    );
    let cut = &USERS[..40];
    check(
        &ground,
        "data/users.json",
        cut,
        1,
        &["truncated: 40 of 90 bytes are left; damaged: line 3 column "],
    );
    check(&ground, "data/users.json", "", 1, &["`data/users.json`: emptied: it had 90 bytes; damaged: "]);
    // Cut between two rows it can still be read: what is gone is named.
    let words =
        ["`data/rows.csv`: truncated: 24 of 37 bytes are left; 2 of 4 records missing (id = 3; id = 4)"];
    check(&ground, "data/rows.csv", &ROWS[..24], 1, &words);
    check(
        &ground,
        "data/rows.csv",
        &ROWS[..25],
        1,
        &["truncated: 25 of 37 bytes are left; damaged: line 4: a row of 1 fields"],
    );
    check(&ground, "data/notes.bin", [0, 159], 1, &["truncated: 2 of 4 bytes are left"]);
    check(
        &ground,
        "data/notes.bin",
        [0, 159, 146, 151],
        1,
        &["other bytes (4 bytes, it had 4); its format is not known"],
    );
    check(&ground, "data/new.csv", "a\n1\n", 1, &["`data/new.csv`: the snapshot does not have it"]);
    let (bytes, other) = (fs::read(ground.at("data/rows.csv")).unwrap(), "data/users.json");
    fs::remove_file(ground.at("data/rows.csv")).unwrap();
    check(&ground, other, "{", 1, &["`data/rows.csv`: missing; it had 37 bytes; 1 more of 3 files"]);
    fs::write(ground.at("data/rows.csv"), bytes).unwrap();
    assert_eq!(said(&ground, 0).0, "yes");
}

// rows: RB-6
#[test]
fn missing_changed_and_added_records_are_named_by_key_or_by_position() {
    let ground = live("paths = [\"data/**/*.json\", \"data/*.csv\"]\nkey = [\"id\"]", |ground| {
        ground.write("data/deep/er/settings.json", "{\"a\": {\"v\": 1}, \"b\": {\"v\": NaN}}");
        ground.write("data/log.json", "{\"count\": 2, \"lines\": [\"one\", \"two\"]}");
        ground.write("data/bare.csv", "v,w\n1,a\n2,b\n3,c\n");
    });
    let users = "data/users.json";
    let without = USERS.replace("  {\"id\": 2, \"name\": \"Alan\"},\n", "");
    check(&ground, users, &without, 1, &["`data/users.json`: 1 of 3 records missing (id = 2)"]);
    let row = &evidence(&ground)["details"]["files"][0];
    let told = ["records_before", "records_now", "missing", "changed", "added"].map(|name| row[name].clone());
    assert_eq!(told, [json!(3), json!(2), json!(1), json!(0), json!(0)], "{row}");
    let other = without.replace("Grace", "grace").replace("\n]", ",\n  {\"id\": 9, \"name\": \"New\"}\n]");
    let words = ["1 of 3 records missing (id = 2), 1 changed (id = 3), 1 added (id = 9)"];
    check(&ground, users, other, 1, &words);
    // Records are matched by key: their order is none of their content, and neither is the layout.
    let turned = "[{\"id\":3,\"name\":\"Grace\"},{\"name\":\"Alan\",\"id\":2},{\"id\":1,\"name\":\"Ada\"}]";
    check(
        &ground,
        users,
        turned,
        0,
        &["4 files byte by byte as in the snapshot", "3 records as before, in other bytes"],
    );
    check(&ground, users, "{\"users\": []}", 1, &["its list is no longer there"]);
    let rows = ROWS.replace("3,30.25", "3,30.26").replace("2,20.0\n", "");
    check(
        &ground,
        "data/rows.csv",
        rows,
        1,
        &["1 of 4 records missing (id = 2), 1 changed (`amount` at id = 3)"],
    );
    check(&ground, "data/rows.csv", "id\n1\n2\n3\n4\n", 1, &["column `amount` is gone"]);
    // Without such a column: by position, and what is missing in the middle moves nothing behind it.
    check(
        &ground,
        "data/bare.csv",
        "v,w\n1,a\n3,c\n",
        1,
        &["1 of 3 records missing (record 1, counted from 0)"],
    );
    check(
        &ground,
        "data/bare.csv",
        "v,w\n1,a\n2,x\n3,c\n",
        1,
        &["1 record changed (`w` at record 1, counted from 0)"],
    );
    let settings = "data/deep/er/settings.json";
    check(&ground, settings, "{\"a\": {\"v\": 1}}", 1, &["1 of 2 records missing (member = b)"]);
    check(
        &ground,
        settings,
        "{\"b\": {\"v\": NaN}, \"a\": {\"v\": \"1\"}}",
        1,
        &["1 record changed (member = a)"],
    );
    check(
        &ground,
        "data/log.json",
        "{\"count\": 3, \"lines\": [\"one\", \"two\"]}",
        1,
        &["the member `count` is another"],
    );
}

// rows: RB-6
#[test]
fn more_records_are_allowed_where_the_plan_says_so_and_fewer_never() {
    let keys = "paths = [\"data\"]\nkey = [\"id\"]\nrecords = \"more\"";
    let ground = live(keys, |ground| {
        ground.write("data/app.log", "started\n");
        ground.write("data/log.json", "{\"count\": 1, \"lines\": [\"one\"]}");
    });
    check(
        &ground,
        "data/rows.csv",
        format!("{ROWS}5,abc\n"),
        0,
        &["`data/rows.csv`: 1 record added (id = 5)"],
    );
    check(&ground, "data/app.log", "started\nstopped\n", 0, &["8 bytes more behind what it held"]);
    check(&ground, "data/log.json", "{\"count\": 2, \"lines\": [\"one\", \"two\"]}", 0, &["1 record added"]);
    check(&ground, "data/more.csv", "a\n1\n", 0, &["`data/more.csv`: new"]);
    check(&ground, "data/more.csv", "a\n1,2\n", 1, &["`data/more.csv`: new, and damaged: line 2"]);
    check(
        &ground,
        "data/rows.csv",
        ROWS.replace("4,40", "5,40\n6,60"),
        1,
        &["1 of 4 records missing (id = 4), 2 added"],
    );
    check(&ground, "data/rows.csv", format!("{}5,1\n", ROWS.replace("40", "41")), 1, &["1 record changed"]);
    check(
        &ground,
        "data/app.log",
        "stopped\nstarted\n",
        1,
        &["what it held does not stand at its beginning"],
    );
    ground.write("switchback.toml", plan(&keys.replace("more", "any"), ""));
    check(
        &ground,
        "data/rows.csv",
        "id,other\n7,1\n8,2\n9,3\n10,4\n",
        0,
        &["4 records as before, in other bytes"],
    );
    check(&ground, "data/app.log", "anything\n", 0, &["1 line, it had 1"]);
    check(&ground, "data/rows.csv", "id,amount\n7,1\n", 1, &["4 of 4 records missing"]);
    check(&ground, "data/app.log", [0, 1], 1, &["it was a text and is none now"]);
}

/// A Parquet file of so many rows.
fn parquet(ground: &Ground, path: &str, ids: std::ops::Range<i64>) {
    let values = ids.clone().map(|id| f64::from(i32::try_from(id).unwrap()) / 2.0).collect::<Vec<_>>();
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from(ids.collect::<Vec<_>>()))),
        ("value", Arc::new(Float64Array::from(values))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(ground.at(path)).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

// rows: RB-6
#[test]
fn a_row_of_a_parquet_file_that_is_lost_is_named_and_a_damaged_page_too() {
    let path = "data/scores.parquet";
    let ground =
        live("paths = [\"data/scores.parquet\"]\nkey = [\"id\"]", |ground| parquet(ground, path, 0..1000));
    let whole = fs::read(ground.at(path)).unwrap();
    parquet(&ground, path, 1..1000);
    let (_, line) = said(&ground, 1);
    assert_eq!(line, "`data/scores.parquet`: 1 of 1000 records missing (id = 0)");
    check(&ground, path, &whole[..whole.len() / 2], 1, &["truncated: ", "; damaged: "]);
    let mut flipped = whole.clone();
    // Where pages of data are, and not the footer.
    flipped[20..400].fill(0xff);
    check(&ground, path, flipped, 1, &["damaged: "]);
    fs::write(ground.at(path), whole).unwrap();
    assert_eq!(said(&ground, 0).0, "yes");
}

fn sqlite(ground: &Ground, lines: &str) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(ground.at("app.sqlite")).unwrap();
    connection.execute_batch(lines).unwrap();
    connection
}

// rows: RB-6
#[test]
fn rows_of_a_database_are_counted_and_named_table_by_table_also_those_in_its_log() {
    let ground = live("paths = [\"app.sqlite\"]", |ground| {
        drop(sqlite(
            ground,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE);
             CREATE TABLE events (what TEXT, at INTEGER);
             INSERT INTO users VALUES (1, 'Ada'), (2, 'Alan'), (3, 'Grace');
             INSERT INTO events VALUES ('in', 1), ('in', 1), ('out', 2);",
        ));
    });
    let whole = fs::read(ground.at("app.sqlite")).unwrap();
    drop(sqlite(&ground, "VACUUM; PRAGMA user_version = 7;"));
    let (_, line) = said(&ground, 0);
    assert!(
        line.starts_with("`app.sqlite`: 6 records as before, in other bytes, beside the snapshot"),
        "{line}"
    );
    let changes = "DELETE FROM users WHERE id = 2; UPDATE users SET name = 'ADA' WHERE id = 1;
        DELETE FROM events WHERE rowid = 1; CREATE TABLE notes (text TEXT);";
    drop(sqlite(&ground, changes));
    let (_, line) = said(&ground, 1);
    assert_eq!(
        line,
        "`app.sqlite`: 2 of 6 records missing (of `events`; `users` id = 2), 1 changed (`users` id = 1), \
         the table `notes` with 0 rows is new"
    );
    fs::write(ground.at("app.sqlite"), &whole).unwrap();
    // A transaction that stands in the log alone, while the program still runs: the file itself is what it was.
    drop(sqlite(&ground, "PRAGMA journal_mode = WAL;"));
    let writer = sqlite(&ground, "PRAGMA wal_autocheckpoint = 0; DELETE FROM users;");
    let (_, line) = said(&ground, 1);
    assert!(
        line.contains("3 of 6 records missing (`users` id = 1; `users` id = 2; `users` id = 3)"),
        "{line}"
    );
    assert_eq!(
        fs::read_dir(ground.at(""))
            .unwrap()
            .filter(|entry| {
                entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("app.sqlite")
            })
            .count(),
        3,
        "the check leaves no file beside the database"
    );
    drop(writer);
    let mut damaged = whole.clone();
    damaged[4096..4200].fill(0xff);
    check(&ground, "app.sqlite", damaged, 1, &["`app.sqlite`: damaged: "]);
    let any = plan("paths = [\"app.sqlite\"]\nrecords = \"any\"", "");
    ground.write("switchback.toml", any);
    fs::write(ground.at("app.sqlite"), &whole).unwrap();
    drop(sqlite(&ground, "INSERT INTO users VALUES (4, 'Joan'); DELETE FROM events WHERE rowid = 1;"));
    let (_, line) = said(&ground, 1);
    assert_eq!(line, "`app.sqlite`: `events` has 2 of 3 rows");
}

// rows: RB-6
#[test]
fn where_there_is_nothing_to_compare_with_nobody_could_tell() {
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("data/users.json", USERS);
    let keys = "paths = [\"data/users.json\", \"data/rows.csv\"]";
    ground.write("switchback.toml", plan(keys, "").replace("\"live\"", "\"before\", \"live\""));
    let seen = ground.expect(2, "check data --at before");
    let words = "the phase `unify` has no snapshot yet: `switchback run --until snapshot` makes it";
    assert!(format!("{seen}").contains(words), "{seen}");
    ground.expect(0, "run --until snapshot");
    let seen = ground.expect(2, "check data --at before");
    assert!(seen.err.contains("`data/rows.csv`: the snapshot "), "{seen}");
    assert!(seen.err.contains("has no file there: nothing was compared"), "{seen}");
    // What is damaged all the same is a no, whatever else could not be told.
    ground.write("data/users.json", "{");
    let seen = ground.expect(1, "check data --at before");
    assert!(
        seen.err.contains("`data/users.json`: truncated") || seen.err.contains("`data/users.json`: damaged"),
        "{seen}"
    );
    // A snapshot that somebody removed by hand.
    for folder in [".switchback/snapshots-manifests", ".switchback/snapshots"] {
        fs::remove_dir_all(ground.at(folder)).unwrap();
    }
    let seen = ground.expect(2, "check data --at before");
    assert!(seen.err.contains("could not show snapshot"), "{seen}");
}

// rows: RB-6, RB-10
#[test]
fn after_a_rollback_the_data_is_what_it_was_and_is_told_under_data() {
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("src/users.json", USERS);
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("../new/src/users.json", USERS.replace("Alan", "Alonzo"));
    ground.write("switchback.toml", plan("paths = [\"src/*.json\"]\nkey = [\"id\"]", ""));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("`src/users.json`: 1 record changed (id = 2)"), "{seen}");
    let seen = ground.expect(0, "rollback --json").json();
    let validations = seen["validated"].as_array().unwrap();
    let data = validations.iter().find(|one| one["check"] == "data").unwrap_or_else(|| panic!("{seen:#}"));
    assert_eq!((&data["step"], &data["verdict"]), (&json!("data"), &json!("yes")), "{data}");
    assert!(
        data["summary"].as_str().unwrap().starts_with("1 file byte by byte as in the snapshot "),
        "{data}"
    );
}

// rows: RB-6, RB-2
#[test]
fn a_trigger_rolls_back_when_data_is_lost_also_where_the_pointer_leads_to_it() {
    let more = "[[trigger]]\nwhen = { check = \"data\" }\ndo = \"roll-back\"\n";
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("src/rows.csv", ROWS);
    ground.write("data/users.json", USERS);
    let plan = plan("paths = [\"src/rows.csv\", \"data\"]\nkey = [\"id\"]\nrecords = \"more\"", more);
    let plan = plan.replace("managed = [\"src\"]", "managed = [\"src\"]\nmechanism = \"pointer\"");
    // The first phase adopts the layout of the pointer, the second one begins in it.
    let second =
        "[[phase]]\nname = \"tune\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../next\"\n\n[[check]]";
    ground.write("switchback.toml", plan.replace("\"+1h\", ", "").replace("[[check]]", second));
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("../new/src/rows.csv", format!("{ROWS}5,50\n"));
    ground.write("../next/src/app.py", "VERSION = 3\n");
    ground.write("../next/src/rows.csv", ROWS.replace("2,20.0\n", ""));
    let seen = ground.expect(1, "run");
    let (added, lost) = (
        "`src/rows.csv`: 1 record added (id = 5)",
        "`src/rows.csv`: 2 of 5 records missing (id = 2; id = 5)",
    );
    assert!(seen.err.contains(added) && seen.err.contains(lost), "{seen}");
    assert!(seen.err.contains("a trigger rolled it back"), "{seen}");
    let again = ground.expect(0, "check data --phase tune --at rolled-back");
    assert!(again.err.contains("2 files byte by byte as in the snapshot"), "{again}");
    assert_eq!(ground.read("src/rows.csv"), format!("{ROWS}5,50\n"));
}

// rows: RB-6
#[test]
fn other_forms_of_data_are_read_as_what_they_are() {
    let ground = live("paths = [\"data\"]\nkey = [\"id\"]", |ground| {
        ground.write("data/events.jsonl", "{\"id\": 1, \"v\": 1}\n{\"id\": 2, \"v\": 2}\n");
        ground.write("data/settings.yaml", "a: 1\nb: [1, 2]\n");
        let cells = "{\"cells\": [{\"cell_type\": \"markdown\", \"id\": \"one\", \"metadata\": {}, \"source\": \"a\"}], \
                     \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5}";
        ground.write("data/book.ipynb", cells);
    });
    let events = "data/events.jsonl";
    check(
        &ground,
        events,
        "{\"id\": 1, \"v\": 1}\n",
        1,
        &["truncated: 18 of 36 bytes are left; 1 of 2 records missing (id = 2)"],
    );
    check(&ground, events, "{\"id\": 1, \"v\": 1}\n{\"id\": ]}\n", 1, &["damaged: line 2 column 8"]);
    check(&ground, "data/settings.yaml", "a: 1\nb: [1, 3]\n", 1, &["1 value changed or gone (`/b/1`)"]);
    check(&ground, "data/settings.yaml", "a: [\n", 1, &["`data/settings.yaml`: damaged: line "]);
    check(&ground, "data/settings.yaml", "b:\n- 1\n- 2\na: 1\n", 0, &["as before, in other bytes"]);
    let book = ground.read("data/book.ipynb").replace("\"a\"", "\"b\"");
    check(&ground, "data/book.ipynb", book, 1, &["`data/book.ipynb`: 1 record changed (id = one)"]);
}

// rows: RB-6
#[test]
fn the_candidate_is_looked_at_before_it_is_live_beside_data_that_is_linked() {
    let ground = Ground::new();
    ground.write("src/app.py", "VERSION = 1\n");
    ground.write("src/rows.csv", ROWS);
    ground.write("data/users.json", USERS);
    ground.write("../new/src/app.py", "VERSION = 2\n");
    ground.write("../new/src/rows.csv", ROWS);
    let plan = plan("paths = [\"src/*.csv\", \"data\"]\nkey = [\"id\"]", "");
    let plan = plan.replace("managed = [\"src\"]", "managed = [\"src\"]\nlinked = [\"data\"]");
    ground
        .write("switchback.toml", plan.replace("\"live\", \"+1h\"", "\"before\", \"staged\", \"rehearsed\""));
    let seen = ground.expect(0, "run --until rehearsed");
    let agrees = "check data at staged: yes: 2 files byte by byte as in the snapshot";
    assert!(seen.err.contains(agrees) && seen.err.contains(&agrees.replace("staged", "rehearsed")), "{seen}");
    fs::remove_file(ground.at("../new/src/rows.csv")).unwrap();
    let seen = ground.expect(1, "run --until staged --restage");
    assert!(
        seen.err.contains("check data at staged: no: `src/rows.csv`: missing; it had 37 bytes"),
        "{seen}"
    );
}

#[test]
fn what_no_snapshot_holds_is_refused_with_the_plan() {
    let ground = Ground::new();
    ground
        .write("switchback.toml", plan("paths = [\"logs/*.json\", \"data/x\"]\nkey = [\"id\", \"id\"]", ""));
    let seen = ground.expect(2, "plan");
    assert!(seen.err.contains("no snapshot holds `logs`: it is not managed"), "{seen}");
    assert!(seen.err.contains("the key names `id` twice"), "{seen}");
    assert!(!seen.err.contains("`data/x`"), "{seen}");
}
