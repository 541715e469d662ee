//! DuckDB: the file and its log under the lock that DuckDB takes, held here by a process of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::super::ground::Ground;
use super::{ground, only_database, refused, snapshot};

/// Holds the lock of a file as DuckDB does: `fcntl`, of the whole file, for as long as it is open.
const HOLDER: &str = "
import fcntl, sys
file = open(sys.argv[1], 'rb+')
fcntl.lockf(file, (fcntl.LOCK_EX if sys.argv[2] == 'write' else fcntl.LOCK_SH) | fcntl.LOCK_NB)
print('held', flush=True)
sys.stdin.read()
";

/// A process that holds the lock until it is dropped.
struct Holder(Child);

impl Holder {
    fn of(ground: &Ground, file: &str, how: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", HOLDER])
            .arg(ground.at(file))
            .arg(how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// What begins like a file of DuckDB; its content is nobody's business here.
fn file() -> Vec<u8> {
    let mut bytes = vec![7; 12_288];
    bytes[8..12].copy_from_slice(b"DUCK");
    bytes
}

#[test]
fn needs_python3_a_file_that_somebody_writes_to_is_in_no_snapshot() {
    let ground = ground(&["data/simulation.duckdb"]);
    ground.write("data/simulation.duckdb", file());
    let holder = Holder::of(&ground, "data/simulation.duckdb", "write");
    let seen = refused(&ground, "has it open for writing", "let that process close the database");
    let named = format!("process {} has it open", holder.0.id());
    assert!(seen.err.contains("could not save the database `data/simulation.duckdb`"), "{seen}");
    assert!(seen.err.contains(&named), "{seen}");
    drop(holder);
    snapshot(&ground);
}

#[test]
fn needs_python3_a_file_and_its_log_come_back_byte_for_byte() {
    let ground = ground(&["data/simulation.duckdb"]);
    ground.write("data/simulation.duckdb", file());
    ground.write("data/simulation.duckdb.wal", "what is not in the file yet");
    let reader = Holder::of(&ground, "data/simulation.duckdb", "read");
    let id = snapshot(&ground);
    drop(reader);
    let database = only_database(&ground, &id);
    assert_eq!(
        (database["kind"].as_str(), database["files"].as_array().map(Vec::len)),
        (Some("DuckDB"), Some(2))
    );
    ground.expect(0, &format!("snapshot restore {id} --database simulation.duckdb --into ../back.duckdb"));
    assert_eq!(fs::read(ground.at("../back.duckdb")).unwrap(), file());
    assert_eq!(ground.read("../back.duckdb.wal"), "what is not in the file yet");
    ground.write("../other.duckdb.wal", "a log that would be taken for its own");
    let seen = ground
        .expect(2, &format!("snapshot restore {id} --database simulation.duckdb --into ../other.duckdb"));
    assert!(seen.err.contains("other.duckdb.wal` exists already"), "{seen}");
    assert!(!ground.at("../other.duckdb").exists());
}
