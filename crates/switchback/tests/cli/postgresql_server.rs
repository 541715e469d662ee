//! A server of PostgreSQL that a test starts for itself, and that ends with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::s3::{START_SECONDS_MAX, free_port};

/// The password of the server's owner; one that has to be written with `%` in an address.
pub(crate) const PASSWORD: &str = "geheim#1@/x";

/// PostgreSQL in a temporary folder, on a port of its own.
pub(crate) struct Postgres {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Postgres {
    /// Makes a cluster and starts it. `settings`: `name=value`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        fs::write(directory.path().join("password"), PASSWORD).unwrap();
        let certificate = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
             -keyout server.key -out server.crt";
        done(directory.path(), &["openssl".to_owned()], certificate);
        if is_root() {
            done(directory.path(), &["chown".to_owned()], "-R postgres:postgres .");
        }
        let initdb = as_nobody(&[binary("initdb").to_str().unwrap()]);
        let cluster =
            "-D data -U owner --pwfile password -A scram-sha-256 -E UTF8 --locale C.UTF-8 --no-sync";
        done(directory.path(), &initdb, cluster);
        let port = free_port();
        let child = serve(directory.path(), port, settings);
        let server = Self { child, port, directory };
        let started = Instant::now();
        while Client::connect(&server.address("postgres", ""), NoTls).is_err() {
            let log = fs::read_to_string(server.at("log")).unwrap();
            assert!(started.elapsed() < Duration::from_secs(START_SECONDS_MAX), "it does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// An address with the password in it. `more`: parameters and the table.
    pub(crate) fn address(&self, database: &str, more: &str) -> String {
        format!("postgresql://owner:geheim%231%40%2Fx@127.0.0.1:{}/{database}{more}", self.port)
    }

    /// A path in the server's folder.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements in the database `postgres`.
    pub(crate) fn run(&self, statements: &str) -> Client {
        self.run_in("postgres", statements)
    }

    /// Runs statements in a database.
    pub(crate) fn run_in(&self, database: &str, statements: &str) -> Client {
        let mut client = Client::connect(&self.address(database, ""), NoTls).unwrap();
        client.batch_execute(statements).unwrap();
        client
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        // SIGINT is the fast shutdown; killed outright, it would leave its children to notice.
        drop(Command::new("kill").args(["-INT", &id]).status());
        drop(self.child.wait());
    }
}

fn serve(directory: &Path, port: u16, settings: &[&str]) -> Child {
    let program = as_nobody(&["setpriv", "--pdeathsig", "INT", binary("postgres").to_str().unwrap()]);
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).args([
        "-D",
        "data",
        "-p",
        &port.to_string(),
        "-k",
        "/tmp",
        "-h",
        "127.0.0.1",
    ]);
    for setting in settings.iter().chain(&["fsync=off"]) {
        command.args(["-c", setting]);
    }
    let log = fs::File::create(directory.join("log")).unwrap();
    command.current_dir(directory).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Runs a program in a folder, which must succeed.
fn done(directory: &Path, program: &[String], arguments: &str) {
    let output = Command::new(&program[0])
        .args(&program[1..])
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package makes.
fn as_nobody(program: &[&str]) -> Vec<String> {
    let who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    let who: &[&str] = if is_root() { &who } else { &[] };
    who.iter().chain(program).map(ToString::to_string).collect()
}

/// A program of the server, which Debian keeps out of the way; the newest one.
pub(crate) fn binary(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}
