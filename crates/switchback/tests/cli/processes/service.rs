//! A real service over the live tree of a test's project, and whoever asks it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::ground::Ground;

/// A project whose `src` holds two files, and the port that its service listens at.
pub(super) struct Shop {
    pub(super) ground: Ground,
    pub(super) port: u16,
}

/// Writes a version of the two files.
pub(super) fn version(ground: &Ground, folder: &str, word: &str) {
    ground.write(&format!("{folder}/one.txt"), word);
    ground.write(&format!("{folder}/other.txt"), word);
}

impl Shop {
    /// The project, without a plan.
    pub(super) fn new() -> Self {
        let ground = Ground::new();
        version(&ground, "src", "old");
        version(&ground, "../new/src", "new");
        ground.write("run/.keep", "");
        for name in ["serve.py", "hold.py", "stop.sh"] {
            let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/processes").join(name);
            std::fs::copy(from, ground.at(name)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        ground.write("run/port", port.to_string());
        Self { ground, port }
    }

    /// The line that starts the service, as a plan would have it.
    pub(super) fn start(&self) -> String {
        format!("python3 serve.py {} & echo $! > run/api.pid", self.port)
    }

    /// The plan with these processes.
    pub(super) fn plan(&self, processes: &str) {
        self.ground.plan("", processes);
    }

    /// Starts what a project has running before anybody thinks of Switchback.
    pub(super) fn begin(&self, line: &str) {
        self.ground.tool("sh", &["-c", &format!("exec >/dev/null 2>&1; {line}")]);
        let end = Instant::now() + Duration::from_secs(30);
        while self.ask("/tree").is_err() {
            assert!(Instant::now() < end, "the service does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn ask(&self, path: &str) -> std::io::Result<String> {
        ask(self.port, path)
    }

    /// What it says of the tree, without its generation.
    pub(super) fn said(&self, path: &str) -> String {
        let answer = self.ask(path).unwrap();
        answer.split(" generation ").next().unwrap().to_owned()
    }

    /// The words of the journal's events about processes and exchanges, in order.
    pub(super) fn events(&self) -> Vec<String> {
        let log = self.ground.run("log --json");
        let word = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["event"].as_str().unwrap().to_owned()
        };
        let wanted = ["cut-over", "process", "hand-over", "roll"];
        log.out.lines().map(word).filter(|word| wanted.iter().any(|start| word.starts_with(start))).collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // Whatever a failed test left running ends with its project.
        let Ok(files) = std::fs::read_dir(self.ground.at("run")) else { return };
        for file in files.flatten().filter(|file| file.path().extension().is_some_and(|end| end == "pid")) {
            if let Ok(id) = std::fs::read_to_string(file.path()) {
                drop(std::process::Command::new("kill").args(["-9", id.trim()]).output());
            }
        }
    }
}

/// One request over a connection of its own.
pub(super) fn ask(port: u16, path: &str) -> std::io::Result<String> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.0 200") && body.ends_with('.') => Ok(body.to_owned()),
        _ => Err(std::io::Error::other(format!("no whole answer: {answer:?}"))),
    }
}

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) old: u64,
    pub(super) new: u64,
    pub(super) mixed: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) slowest: Duration,
    pub(super) lasted: Duration,
}

impl Answers {
    pub(super) fn all(&self) -> u64 {
        self.old + self.new + (self.mixed.len() + self.failed.len()) as u64
    }
}

/// Requests at a fixed rate, whether the ones before were answered or not, until it is ended.
pub(super) struct Load {
    ended: Arc<AtomicBool>,
    workers: Vec<std::thread::JoinHandle<Answers>>,
    began: Instant,
}

impl Load {
    pub(super) fn begin(port: u16, per_second: u32) -> Self {
        const WORKERS: u32 = 20;
        let ended = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let tick = Duration::from_secs(1) / per_second;
        let worker = |number: u32| {
            let ended = Arc::clone(&ended);
            std::thread::spawn(move || work(port, &ended, began + tick * number, tick * WORKERS))
        };
        Self { workers: (0..WORKERS).map(worker).collect(), ended, began }
    }

    pub(super) fn end(self) -> Answers {
        self.ended.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        for worker in self.workers {
            let one = worker.join().unwrap();
            all.old += one.old;
            all.new += one.new;
            all.mixed.extend(one.mixed);
            all.failed.extend(one.failed);
            all.slowest = all.slowest.max(one.slowest);
        }
        all.lasted = self.began.elapsed();
        all
    }
}

fn work(port: u16, ended: &AtomicBool, first: Instant, every: Duration) -> Answers {
    let mut answers = Answers::default();
    let mut next = first;
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += every;
        let began = Instant::now();
        match ask(port, "/tree") {
            Ok(said) if said.starts_with("old old ") => answers.old += 1,
            Ok(said) if said.starts_with("new new ") => answers.new += 1,
            Ok(said) => answers.mixed.push(said),
            Err(error) => answers.failed.push(error.to_string()),
        }
        answers.slowest = answers.slowest.max(began.elapsed());
    }
    answers
}
