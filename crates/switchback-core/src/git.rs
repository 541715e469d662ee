//! The `git` program: what a repository says of its commits, and the tree of a commit laid out on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::world::{Command, DiskError, FileKind, ProcessError, World};

const TIMEOUT: Duration = Duration::from_hours(1);
const OUTPUT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Why git has no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It ended badly.
    #[error("`git {command}` says: {why}")]
    Refused {
        /// Its first argument.
        command: String,
        /// Its own words.
        why: String,
    },
}

/// The repository that a folder is in.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    /// The only door to the outside.
    pub world: &'a World,
    /// A folder of its work tree.
    pub folder: &'a Path,
}

impl Repository<'_> {
    /// Asks git; what it says on stdout, without the last line end.
    ///
    /// # Errors
    ///
    /// When it cannot be run or ends badly.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, GitError> {
        self.ask_with(arguments, Vec::new())
    }

    /// The same with an index of its own, which the repository does not know.
    ///
    /// # Errors
    ///
    /// When it cannot be run or ends badly.
    pub fn ask_beside(&self, index: &Path, arguments: &[&str]) -> Result<String, GitError> {
        self.ask_with(arguments, vec![("GIT_INDEX_FILE".to_owned(), index.display().to_string())])
    }

    /// The full id of the commit that a revision names.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub fn commit(&self, revision: &str) -> Result<String, GitError> {
        let commit = format!("{revision}^{{commit}}");
        self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
    }

    /// The submodules of a commit, relative to the top of the work tree: their content is not in it.
    ///
    /// # Errors
    ///
    /// When git does not know the commit.
    pub fn submodules(&self, commit: &str) -> Result<Vec<PathBuf>, GitError> {
        let listing = self.ask(&["ls-tree", "-r", "--full-tree", commit])?;
        let submodules = listing.lines().filter(|line| line.starts_with("160000 "));
        Ok(submodules.filter_map(|line| line.split('\t').nth(1)).map(PathBuf::from).collect())
    }

    /// Where the folder is below the top of the work tree; empty at the top.
    ///
    /// # Errors
    ///
    /// When the folder is in no work tree.
    pub fn prefix(&self) -> Result<PathBuf, GitError> {
        Ok(PathBuf::from(self.ask(&["rev-parse", "--show-prefix"])?))
    }

    /// Lays a commit out in `scratch/checkout`, through an index of its own, so that neither work tree nor index of the
    /// repository is touched; filters apply as in any checkout. Everything gets the commit's time. Returns where the
    /// folder of this repository is in it.
    ///
    /// # Errors
    ///
    /// When git refuses, or the disk does.
    pub fn check_out(&self, commit: &str, scratch: &Path) -> Result<PathBuf, GitError> {
        let into = scratch.join("checkout");
        let index = || vec![("GIT_INDEX_FILE".to_owned(), scratch.join("index").display().to_string())];
        let time = self.ask(&["log", "-1", "--format=%ct", commit])?;
        self.world.disk.make_directory(&into, 0o700)?;
        self.ask_with(&["read-tree", commit], index())?;
        let prefix = format!("--prefix={}/", into.display());
        self.ask_with(&["checkout-index", "--all", &prefix], index())?;
        set_all_times(self.world, &into, time.parse::<i128>().unwrap_or(0) * 1_000_000_000)?;
        Ok(into.join(self.prefix()?))
    }

    /// Adds a paragraph to the note of a commit, below `reference`. Nothing of a note that is there is altered.
    ///
    /// # Errors
    ///
    /// When it cannot be run or ends badly.
    pub fn annotate(&self, reference: &str, commit: &str, text: &str) -> Result<(), GitError> {
        // A note is a commit of its own, and not everybody has told git a name.
        let variables = ["AUTHOR", "COMMITTER"].iter().flat_map(|who| {
            [
                (format!("GIT_{who}_NAME"), "Switchback".to_owned()),
                (format!("GIT_{who}_EMAIL"), "switchback@localhost".to_owned()),
            ]
        });
        let arguments = ["-c", "core.fsync=all", "notes", "--ref", reference, "append", "-m", text, commit];
        self.ask_with(&arguments, variables.collect()).map(|_| ())
    }

    /// Runs git on what is in one file, and has it write into another: for what is too large for memory, or no text.
    ///
    /// # Errors
    ///
    /// When it cannot be run or ends badly.
    pub fn ask_files(&self, arguments: &[&str], input: &Path, output: &Path) -> Result<(), GitError> {
        const LINE: &str =
            "in=$1; out=$2; shift 2; exec git -c core.fsmonitor=false \"$@\" < \"$in\" > \"$out\"";
        let mut argv = ["/bin/sh", "-c", LINE, "sh"].map(str::to_owned).to_vec();
        argv.extend([input, output].map(|path| path.display().to_string()));
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self.run(argv, Vec::new(), arguments).map(|_| ())
    }

    fn ask_with(&self, arguments: &[&str], mut variables: Vec<(String, String)>) -> Result<String, GitError> {
        // No helper of the repository's own configuration is started, and no lock is taken in passing.
        let mut argv = ["git", "-c", "core.fsmonitor=false"].map(str::to_owned).to_vec();
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        variables.push(("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned()));
        self.run(argv, variables, arguments)
    }

    fn run(
        &self,
        argv: Vec<String>,
        variables: Vec<(String, String)>,
        arguments: &[&str],
    ) -> Result<String, GitError> {
        let command = Command {
            argv,
            directory: self.folder.to_owned(),
            variables,
            timeout: TIMEOUT,
            output_bytes_max: OUTPUT_BYTES_MAX,
            confinement: None,
        };
        let finished = self.world.processes.run(&command)?;
        if !finished.succeeded() {
            let words = String::from_utf8_lossy(&finished.stderr).trim().to_owned();
            let why =
                if words.is_empty() { "it is not a revision of this repository".to_owned() } else { words };
            // Options of git itself stand before what it is asked to do.
            let command = arguments.iter().find(|word| **word != "-c" && !word.contains('='));
            let command = command.copied().unwrap_or_default().to_owned();
            return Err(GitError::Refused { command, why });
        }
        Ok(String::from_utf8_lossy(&finished.stdout).trim_end_matches('\n').to_owned())
    }
}

fn set_all_times(world: &World, path: &Path, mtime_ns: i128) -> Result<(), DiskError> {
    if world.disk.look(path)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
        for name in world.disk.list(path)? {
            set_all_times(world, &path.join(name), mtime_ns)?;
        }
    }
    world.disk.set_times(path, mtime_ns, mtime_ns)
}
