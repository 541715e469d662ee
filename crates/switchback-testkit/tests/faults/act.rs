//! What every test does: start the program, or the library in a world with a fault, and judge what is left.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use switchback_core::journal::{Journal, verify};
use switchback_core::phase::{
    Notice, Project, RollBackOptions, RunOptions, StepError, Witness, Work, roll_back, run,
};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Command, Exit, Finished, Processes, RealProcesses, World};
use switchback_testkit::{Counted, Fault, Scratch, Standing};

/// A program that takes longer hangs.
const PROGRAM_SECONDS_MAX: u64 = 60;

/// Runs the program in the project. With a fault it dies; without one it is the program as it is.
pub(crate) fn program(scratch: &Scratch, arguments: &[&str], fault: Fault) -> Finished {
    let mut argv = vec![env!("CARGO_BIN_EXE_switchback-dies").to_owned()];
    argv.extend(["-C", scratch.root().to_str().unwrap()].map(str::to_owned));
    argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let variables = match fault {
        Fault::KillAt(call) => vec![("SWITCHBACK_TESTKIT_KILL_AT".to_owned(), call.to_string())],
        Fault::KillWithin(call) => vec![("SWITCHBACK_TESTKIT_KILL_WITHIN".to_owned(), call.to_string())],
        Fault::None => Vec::new(),
        other => panic!("a process cannot have {other:?}"),
    };
    let directory = scratch.root().to_owned();
    let timeout = Duration::from_secs(PROGRAM_SECONDS_MAX);
    RealProcesses::default()
        .run(&Command { argv, directory, variables, timeout, output_bytes_max: 1 << 20, confinement: None })
        .unwrap()
}

/// What the program said, for a person.
pub(crate) fn said(finished: &Finished) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", finished.ending(), text(&finished.stdout), text(&finished.stderr))
}

/// The program ends with that exit code.
pub(crate) fn program_ends(scratch: &Scratch, arguments: &[&str], code: i32, case: &str) -> Finished {
    let finished = program(scratch, arguments, Fault::None);
    assert_eq!(finished.exit, Exit::Code(code), "{case}: `{}` said {}", arguments.join(" "), said(&finished));
    finished
}

/// Whether a process was killed, and what it was about to do: the word of the call.
pub(crate) fn killed_at(finished: &Finished) -> Option<String> {
    if finished.exit != Exit::Signal(9) {
        return None;
    }
    let text = String::from_utf8_lossy(&finished.stderr).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("testkit: killed at call ").map(str::to_owned));
    Some(line.expect("only the testkit kills").split_once(": ").unwrap().1.to_owned())
}

/// Whether the program said that its outcome will stay true.
pub(crate) fn acknowledged(finished: &Finished) -> bool {
    String::from_utf8_lossy(&finished.stderr).contains(": acknowledged: ")
}

/// The tree is wholly old or wholly new, and no file of either side is lost.
pub(crate) fn whole(scratch: &Scratch, case: &str) -> Standing {
    nothing_lost(scratch, case);
    let standing = scratch.standing().unwrap();
    assert!(!matches!(standing, Standing::Mixed(_)), "{case}: {standing:?}");
    standing
}

/// No file of either side is lost.
pub(crate) fn nothing_lost(scratch: &Scratch, case: &str) {
    assert_eq!(scratch.lost().unwrap(), Vec::<std::path::PathBuf>::new(), "{case}: lost");
}

/// Remembers what was acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    acknowledged: Mutex<bool>,
    said: Mutex<Vec<String>>,
}

impl Witness for Recorder {
    fn notice(&self, notice: Notice) {
        match notice {
            Notice::Acknowledged { .. } => *self.acknowledged.lock().unwrap() = true,
            Notice::Warning(what) => self.said.lock().unwrap().push(what),
            Notice::Began { .. } | Notice::Done { .. } | Notice::Looked { .. } | Notice::Rehearsed { .. } => {
            }
        }
    }
}

/// What an attempt inside this process came to.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Its verdict, or the error in words.
    pub(crate) result: Result<Verdict, String>,
    /// Whether its outcome was acknowledged.
    pub(crate) acknowledged: bool,
    /// The call that the fault struck, if it was reached.
    pub(crate) struck: Option<String>,
    /// Reasons and warnings.
    pub(crate) said: Vec<String>,
}

/// What is attempted.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    /// `switchback run`.
    Run,
    /// `switchback rollback`, of these paths only when there are any.
    RollBack(Vec<String>),
    /// What every command begins with: recovery.
    Recover,
}

/// Attempts it in this process, in the real world with a fault.
pub(crate) fn attempt(scratch: &Scratch, doing: &Doing, fault: Fault) -> Attempt {
    let (world, counted) = Counted::around(&World::real(), fault);
    attempt_in(scratch, doing, world, &counted)
}

/// Attempts it in this process, in that world.
pub(crate) fn attempt_in(scratch: &Scratch, doing: &Doing, world: World, counted: &Arc<Counted>) -> Attempt {
    let recorder = Recorder::default();
    let mut reasons = Vec::new();
    let result = carry_out(scratch, doing, world, &recorder, &mut reasons).map_err(|error| error.to_string());
    reasons.extend(recorder.said.into_inner().unwrap());
    Attempt {
        result,
        acknowledged: recorder.acknowledged.into_inner().unwrap(),
        struck: counted.struck(),
        said: reasons,
    }
}

fn carry_out(
    scratch: &Scratch,
    doing: &Doing,
    world: World,
    recorder: &Recorder,
    reasons: &mut Vec<String>,
) -> Result<Verdict, StepError> {
    let ports = scratch.ports(world);
    match doing {
        Doing::Run => {
            let work = Work::begin(Project::open(scratch.root(), &ports)?, "run", recorder)?;
            let outcome = run(&work, &RunOptions::default())?;
            reasons.extend(outcome.reasons);
            Ok(outcome.verdict)
        }
        Doing::RollBack(only) => {
            let (project, _) = Project::open_for_rollback(scratch.root(), &ports);
            let work = Work::begin_rollback(project, "rollback", recorder)?;
            let only = only.iter().map(Into::into).collect();
            roll_back(
                &work,
                &RollBackOptions { only, why: "a test".to_owned(), ..RollBackOptions::default() },
            )?;
            Ok(Verdict::Yes)
        }
        Doing::Recover => {
            drop(Work::begin(Project::open(scratch.root(), &ports)?, "status", recorder)?);
            Ok(Verdict::Yes)
        }
    }
}

/// The journal's chain of hashes holds, and no event of it is impossible.
pub(crate) fn journal_holds(scratch: &Scratch, case: &str) {
    let path = scratch.root().join(".switchback/journal.db");
    let journal = Journal::open_existing(&path, &World::real()).unwrap().unwrap();
    let rows = journal.rows_after(0).unwrap();
    assert!(!rows.is_empty(), "{case}: the journal is empty");
    assert_eq!(verify(&rows), [], "{case}: the journal's chain");
    journal.history().unwrap_or_else(|error| panic!("{case}: {error}"));
}

/// Recovers in this process, as the first thing of any command.
pub(crate) fn recover(scratch: &Scratch, case: &str) {
    let done = attempt(scratch, &Doing::Recover, Fault::None);
    assert_eq!(done.result, Ok(Verdict::Yes), "{case}: recovery");
}

/// All that decides: the transactions' files and the events of the journal, to compare two moments.
pub(crate) fn state_of(scratch: &Scratch) -> (Vec<(String, Vec<u8>)>, u64) {
    use switchback_core::world::{Disk, RealDisk};
    let folder = scratch.root().join(".switchback/txn");
    let mut names = RealDisk.list(&folder).unwrap();
    names.sort();
    let read = |name: &Path| RealDisk.read(&folder.join(name), 1 << 30).unwrap();
    let files =
        names.iter().map(|name| (name.to_string_lossy().into_owned(), read(Path::new(name)))).collect();
    let project = Project::open(scratch.root(), &scratch.ports(World::real())).unwrap();
    (files, project.history().unwrap().seq)
}
