//! An object store that a test starts for itself, and that ends with it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the server knows its one user by.
pub(crate) const KEY: &str = "S3RVER";

/// How long a server may take to start, in seconds.
pub(crate) const START_SECONDS_MAX: u64 = 60;

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What tests use of npm, where `cargo xtask test` puts it.
pub(crate) fn of_npm(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/needs/node_modules").join(path)
}

/// A server that speaks S3, with a bucket `results`.
pub(crate) struct S3 {
    child: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl S3 {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "node"])
            .arg(of_npm("s3rver/bin/s3rver.js"))
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "--configure-bucket", "results", "-d"])
            .arg(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(START_SECONDS_MAX), "it does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port, _directory: directory }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
