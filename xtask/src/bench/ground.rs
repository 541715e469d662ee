//! The ground of a benchmark: seeded trees, projects, journals of a given length, and writers that keep a disk busy.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::{read_text, write_text};

/// Files of each directory of a tree.
pub const FILES_PER_DIRECTORY: usize = 100;

/// The file of each directory that the candidate changes.
const CHANGED_FILE: usize = 50;

/// What the candidate has in the files that it changes.
pub const CHANGED: &str = "changed by the candidate\n";

/// Small numbers from a seed: the same on every machine (Marsaglia, *Xorshift RNGs*, 2003).
#[derive(Debug)]
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(usize::MAX) % bound
    }
}

/// Where file `number` of a tree stands, relative to the tree.
pub fn file_path(number: usize) -> PathBuf {
    let (directory, file) = (number / FILES_PER_DIRECTORY, number % FILES_PER_DIRECTORY);
    PathBuf::from(format!("directory-{directory:04}/file-{file:03}.txt"))
}

/// The last file of a tree of `files` that the candidate changes.
pub fn last_changed(files: usize) -> PathBuf {
    let directories = files.saturating_sub(CHANGED_FILE + 1) / FILES_PER_DIRECTORY;
    file_path(directories * FILES_PER_DIRECTORY + CHANGED_FILE)
}

/// Lays a tree of `files` small text files (64 to 1,087 bytes) in directories of a hundred.
pub fn lay_tree(root: &Path, files: usize) -> Result<(), Problem> {
    lay(root, files, |seeded| 64 + seeded.below(1024)).map(|_| ())
}

/// Lays a tree of `files` text files in directories of a hundred whose sizes are spread as those of real trees: about
/// log-normal (a power of two, whose exponent is binomial), half of them below 1.5 KiB, none above 64 KiB. Returns how
/// many bytes it has.
pub fn lay_spread_tree(root: &Path, files: usize) -> Result<u64, Problem> {
    lay(root, files, |seeded| {
        let scale = 32 << (seeded.next() % 1024).count_ones();
        scale + seeded.below(scale)
    })
}

fn lay(root: &Path, files: usize, length: impl Fn(&mut Seeded) -> usize) -> Result<u64, Problem> {
    let mut seeded = Seeded(0x5EED_5EED_5EED_5EED);
    let (mut text, mut bytes) = (String::new(), 0);
    for number in 0..files {
        text.clear();
        let length = length(&mut seeded);
        while text.len() < length {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:016x}", seeded.next());
        }
        text.truncate(length);
        write_text(&root.join(file_path(number)), &text)?;
        bytes += text.len() as u64;
    }
    Ok(bytes)
}

/// Lays the candidate of a tree: a copy in which every hundredth file is changed, and in every tenth directory one is
/// added and one removed.
pub fn lay_candidate(old: &Path, candidate: &Path, files: usize) -> Result<(), Problem> {
    if let Some(parent) = candidate.parent() {
        std::fs::create_dir_all(parent).map_err(|source| Problem::at("make", parent, source))?;
    }
    copy_tree(old, candidate)?;
    for number in (CHANGED_FILE..files).step_by(FILES_PER_DIRECTORY) {
        write_text(&candidate.join(file_path(number)), CHANGED)?;
    }
    for number in (0..files).step_by(10 * FILES_PER_DIRECTORY) {
        write_text(
            &candidate.join(file_path(number)).with_file_name("added.txt"),
            "added by the candidate\n",
        )?;
        let removed = candidate.join(file_path(number + FILES_PER_DIRECTORY - 1));
        if removed.exists() {
            std::fs::remove_file(&removed).map_err(|source| Problem::at("remove", &removed, source))?;
        }
    }
    Ok(())
}

/// Copies a tree with its times and modes, as `cp -a` does.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), Problem> {
    Call::new("cp", &["-a"])
        .argument(from.display().to_string())
        .argument(to.display().to_string())
        .output()
        .map(|_| ())
}

/// Whether the tree is the candidate (`true`) or the old one, by the first file that differs.
pub fn is_candidate(tree: &Path) -> Result<bool, Problem> {
    Ok(read_text(&tree.join(file_path(CHANGED_FILE)))? == CHANGED)
}

/// Fails unless the tree is what a measured step should have made it: a step that did nothing is quick, too.
pub fn expect_candidate(tree: &Path, expected: bool) -> Result<(), Problem> {
    if is_candidate(tree)? == expected {
        return Ok(());
    }
    let cause = if expected { "it is still the old tree" } else { "it is still the candidate" };
    Err(Problem::at("trust what was measured: look at", tree, cause))
}

/// Waits until all that was written is on the disk, so that one contender does not pay for another.
pub fn settle() -> Result<(), Problem> {
    Call::new("sync", &[]).output().map(|_| ())
}

/// A call of the program on a project.
pub fn switchback(program: &Path, project: &Path, arguments: &[&str]) -> Call {
    let start = Call::new(&program.display().to_string(), &["-C"]).argument(project.display().to_string());
    arguments.iter().fold(start, |call, &argument| call.argument(argument))
}

/// Checks that the plan of [`lay_journal`] has; each leaves events, so that few runs make a long journal.
const JOURNAL_CHECKS: usize = 40;
/// After this many rounds the journal is not growing as it should.
const JOURNAL_ROUNDS_MAX: usize = 2_000;

/// Lays a project whose journal has at least `events` events, by running its checks over and over. Returns how many
/// there are.
pub fn lay_journal(program: &Path, project: &Path, events: usize) -> Result<usize, Problem> {
    let mut plan = "version = 1\n\n[project]\nname = \"journal\"\nmanaged = [\"tree\"]\n\n\
                    [[phase]]\nname = \"replace\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../candidate\"\n"
        .to_owned();
    for number in 0..JOURNAL_CHECKS {
        // Writing to a string cannot fail.
        let _ = write!(
            plan,
            "\n[[check]]\nname = \"present-{number}\"\nkind = \"files\"\nexist = [\"tree/file.txt\"]\nat = [\"before\"]\n"
        );
    }
    write_text(&project.join("switchback.toml"), &plan)?;
    write_text(&project.join("tree/file.txt"), "here\n")?;
    let candidate = project.with_file_name("candidate");
    write_text(&candidate.join("tree/file.txt"), "there\n")?;
    let mut known = 0;
    for _ in 0..JOURNAL_ROUNDS_MAX {
        switchback(program, project, &["check", "--at", "before", "--quiet"]).output()?;
        let now = switchback(program, project, &["log", "--json"]).output()?.lines().count();
        if now >= events {
            // A run that is over: its status is a yes, and ends with exit code 0.
            switchback(program, project, &["run", "--quiet"]).output()?;
            return Ok(now);
        }
        if now <= known {
            return Err(Problem::at("lay a journal in", project, format!("`check` left it at {now} events")));
        }
        known = now;
    }
    Err(Problem::at(
        "lay a journal in",
        project,
        format!("{known} of {events} events after {JOURNAL_ROUNDS_MAX} rounds"),
    ))
}

/// Threads that append to files and sync them, one file each, until they are stopped.
#[derive(Debug)]
pub struct Writers {
    stop: Arc<AtomicBool>,
    appended: Arc<AtomicU64>,
    threads: Vec<JoinHandle<std::io::Result<()>>>,
}

impl Writers {
    /// Starts one writer a file, and returns when each of them has written.
    pub fn start(files: &[PathBuf]) -> Result<Self, Problem> {
        let (stop, appended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut threads = Vec::new();
        for path in files {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .map_err(|source| Problem::at("open", path, source))?;
            let mut append = move || file.write_all(&[b'+'; 256]).and_then(|()| file.sync_data());
            append().map_err(|source| Problem::at("append to", path, source))?;
            let (stop, appended) = (Arc::clone(&stop), Arc::clone(&appended));
            threads.push(std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    append()?;
                    appended.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
        Ok(Self { stop, appended, threads })
    }

    /// Stops them. Returns how often they wrote; that none failed meanwhile is part of the answer.
    pub fn stop(mut self) -> Result<u64, Problem> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread
                .join()
                .map_err(|_| Problem::new("could not keep the disk busy", "a writer panicked"))?;
            ended.map_err(|source| Problem::new("could not keep the disk busy", source))?;
        }
        Ok(self.appended.load(Ordering::Relaxed))
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        // After an error in between, they must not go on writing.
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_and_its_candidate_differ_as_stated() {
        let scratch = tempfile::tempdir().unwrap();
        let (old, candidate) = (scratch.path().join("old"), scratch.path().join("candidate"));
        lay_tree(&old, 1_200).unwrap();
        lay_candidate(&old, &candidate, 1_200).unwrap();
        let differing = Call::new("diff", &["-rq"])
            .argument(old.display().to_string())
            .argument(candidate.display().to_string())
            .run()
            .unwrap()
            .text;
        let count = |what: &str| differing.lines().filter(|line| line.contains(what)).count();
        assert_eq!((count("differ"), count("added.txt"), count("file-099.txt")), (12, 2, 2), "{differing}");
        expect_candidate(&old, false).unwrap();
        assert!(expect_candidate(&old, true).unwrap_err().to_string().contains("still the old tree"));
        expect_candidate(&candidate, true).unwrap();
    }

    #[test]
    fn the_last_changed_file_is_the_last_one() {
        let scratch = tempfile::tempdir().unwrap();
        for files in [100, 160, 300, 351] {
            let candidate = scratch.path().join(files.to_string());
            let old = scratch.path().join(format!("old-{files}"));
            let bytes = lay_spread_tree(&old, files).unwrap();
            assert!(bytes > 32 * files as u64 && bytes < 65_536 * files as u64, "{bytes}");
            lay_candidate(&old, &candidate, files).unwrap();
            let last = last_changed(files);
            assert_eq!(read_text(&candidate.join(&last)).unwrap(), CHANGED);
            assert_ne!(read_text(&old.join(&last)).unwrap(), CHANGED);
            let changed =
                Call::new("grep", &["-rlx", CHANGED.trim(), "."]).within(&candidate).output().unwrap();
            assert!(changed.lines().all(|line| Path::new(&line[2..]) <= last.as_path()), "{changed}");
        }
    }

    #[test]
    fn the_same_seed_lays_the_same_tree() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            lay_tree(&scratch.path().join(name), 30).unwrap();
        }
        let same = Call::new("diff", &["-r", "one", "two"]).within(scratch.path()).run().unwrap();
        assert!(same.status.success(), "{}", same.text);
    }

    #[test]
    fn writers_write_until_they_are_stopped() {
        let scratch = tempfile::tempdir().unwrap();
        let files = [scratch.path().join("a"), scratch.path().join("b")];
        let writers = Writers::start(&files).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        writers.stop().unwrap();
        let lengths: Vec<u64> = files.iter().map(|file| file.metadata().unwrap().len()).collect();
        assert!(lengths.iter().all(|length| *length >= 256), "{lengths:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(files[0].metadata().unwrap().len(), lengths[0]);
    }
}
