//! Errors as a person meets them: what was being done, why it could not be, and what now. All hints that name a flag or
//! a command are made here.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchback_core::change::ChangeError;
use switchback_core::init::InitError;
use switchback_core::journal::JournalError;
use switchback_core::phase::StepError;
use switchback_core::port::PortError;
use switchback_core::tree::exchange::ExchangeError;
use switchback_core::tree::rewrite::RewriteError;
use switchback_core::world::DiskError;
use switchback_documents::checkpoints;
use switchback_python::merging::MergeWriteError;
use switchback_python::moving::WriteError;

/// The next move wherever a step is resumed by whoever starts next.
const SAME_COMMAND: &str = "correct the cause, then run the same command again; it goes on where it stopped";

/// A command that could not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What was being done, lower case, no full stop.
    pub(crate) message: String,
    /// The chain of reasons, outermost first.
    pub(crate) causes: Vec<String>,
    /// The next move.
    pub(crate) hint: String,
    /// The file, where it is about one.
    pub(crate) path: Option<PathBuf>,
    /// The line in it, counted from 1.
    pub(crate) line: Option<usize>,
}

impl Failure {
    /// A failure without a place.
    pub(crate) fn new(message: impl Into<String>, causes: Vec<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), causes, hint: hint.into(), path: None, line: None }
    }

    /// What could not be done, and the error that says why.
    pub(crate) fn doing(what: &str, error: StepError) -> Self {
        let hint = hint_for(&error);
        match error {
            StepError::Plan(error) => {
                let first = error.findings.first();
                Self {
                    message: error.to_string(),
                    line: first.map(|finding| finding.line),
                    causes: error
                        .findings
                        .iter()
                        .map(|finding| {
                            format!(
                                "{}:{}:{}: {}; {}",
                                error.path.display(),
                                finding.line,
                                finding.column,
                                finding.message,
                                finding.help
                            )
                        })
                        .collect(),
                    hint,
                    path: Some(error.path),
                }
            }
            StepError::Port(error) => error.into(),
            StepError::NotNow { what, help } => Self::new(what, Vec::new(), help),
            error => Self::new(what, chain(&error), hint),
        }
    }

    /// The same failure with another next move.
    fn hinted(self, hint: &str) -> Self {
        Self { hint: hint.to_owned(), ..self }
    }

    /// The same failure, met while a demo was made ready: what was begun is not gone on with.
    pub(crate) fn making_demo(self) -> Self {
        if self.hint == SAME_COMMAND {
            return self.hinted("correct the cause, then begin again in a new folder: `switchback demo DIR`");
        }
        self
    }

    /// The same failure, met while the plan of a demo was carried out: the demo itself is not gone on with, its project
    /// is.
    pub(crate) fn within_demo(self, project: &Path) -> Self {
        let go_on = go_on_in_demo(project);
        if self.hint == SAME_COMMAND {
            return self.hinted(&format!("correct the cause, then {go_on}"));
        }
        if self.hint.contains("`switchback ") {
            let hint = format!("{}; the project is `{}`", self.hint, project.display());
            return self.hinted(&hint);
        }
        self
    }

    /// The folder of a demo is in use. `begun` is its project when the plan was begun there.
    pub(crate) fn demo_not_empty(directory: &Path, begun: Option<&Path>) -> Self {
        let what = format!("`{}` is not an empty folder", directory.display());
        let hint = match begun {
            Some(project) => format!("a demo was begun there: {}", go_on_in_demo(project)),
            None => "name a new folder, or none: then a temporary one is made".to_owned(),
        };
        Self::new(what, Vec::new(), hint)
    }

    /// The same failure with each of its texts changed.
    pub(crate) fn map_texts(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            message: change(&self.message),
            causes: self.causes.iter().map(|cause| change(cause)).collect(),
            hint: change(&self.hint),
            path: self.path.clone(),
            line: self.line,
        }
    }

    /// The document `switchback/error/1`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({"message": self.message, "causes": self.causes, "hint": self.hint});
        if let Some(path) = &self.path {
            error["path"] = json!(path.display().to_string());
        }
        if let Some(line) = self.line {
            error["line"] = json!(line);
        }
        json!({"schema": "switchback/error/1", "verdict": "unknown", "error": error})
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Self {
        let what = "could not write a plan";
        let hint = match error {
            InitError::Exists(_) => {
                "`switchback plan` shows what it would do; move it away, and `switchback init` writes a new one"
            }
            InitError::NothingFound(_) => {
                "name the folder that holds the project with `--project`, or write a `switchback.toml` by hand"
            }
            InitError::Source { .. } => {
                "name a directory, `git:REVISION` or an archive with `--from`, or leave it out and write it later"
            }
            InitError::Unreadable(error) => {
                let hint = "this is a defect of Switchback: nothing was written; please report it";
                return Self::doing(what, error.into()).hinted(hint);
            }
            InitError::Preview(error) => {
                let hint = "nothing was written; name another candidate with `--from`";
                return Self::doing(what, error).hinted(hint);
            }
            InitError::Disk(error) => {
                let hint = "correct the cause, then `switchback init` again";
                return Self::doing(what, error.into()).hinted(hint);
            }
        };
        Self::new(what, vec![error.to_string()], hint)
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::new(error.message, error.causes, error.hint.unwrap_or_default())
    }
}

fn go_on_in_demo(project: &Path) -> String {
    format!(
        "go on in its project with `switchback -C {} run`, or begin a new demo in a new folder",
        project.display()
    )
}

fn chain(error: &StepError) -> Vec<String> {
    let mut causes = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        let words = error.to_string();
        // A transparent wrapper says the same as what it wraps.
        if causes.last() != Some(&words) && !causes.last().is_some_and(|last| last.ends_with(&words)) {
            causes.push(words);
        }
        source = error.source();
    }
    causes
}

fn hint_for(error: &StepError) -> String {
    let hint = match error {
        StepError::NoPlan(_) => {
            "write a `switchback.toml` there, or name the project's folder with `--project`"
        }
        StepError::Plan(_) => "correct these places, then `switchback plan` shows what a run would do",
        StepError::Locked(_) => "wait until it has ended; `switchback log --follow` shows what it does",
        StepError::NoPhase(_) | StepError::NoCheck(_) => "`switchback plan` shows the phases and checks",
        StepError::NoPlaybook(_) => "`switchback doctor` shows the playbooks, and which is for what is wrong",
        StepError::Journal(JournalError::Sqlite { .. } | JournalError::Disk(_)) => {
            "put the file back from a backup before anything else is run; `switchback rollback` works without it"
        }
        StepError::Journal(_) | StepError::Illegal(_) => {
            "`switchback log verify` tells where it is damaged; `switchback rollback` works without it"
        }
        StepError::Exchange(ExchangeError::Uncertain(_)) => {
            "look at the disk; the next command decides from what is on it: `switchback status`"
        }
        StepError::Exchange(ExchangeError::Lost { .. }) => {
            "nothing more was touched; put it back where it was, or restore the snapshot: `switchback snapshot list`"
        }
        StepError::Evidence(_) => "`switchback run --restage` makes all evidence anew",
        StepError::Disk(_) | StepError::Scan(_) | StepError::Copy(_) | StepError::Exchange(_) => SAME_COMMAND,
        StepError::Change(ChangeError::NotReceived { .. }) => {
            "`switchback package receive` takes a newer package, or puts back the one that was received while no candidate was built of it; else put that very file back. What is no package has a path of its own in `from`"
        }
        StepError::Change(ChangeError::Archive { .. }) => {
            "make the archive again without that; or, if you trust it, unpack it yourself and name the folder in `from`"
        }
        StepError::Change(_) => {
            "correct the phase's change in `switchback.toml`, then `switchback run` again"
        }
        StepError::Port(_) | StepError::NotNow { .. } => "",
    };
    hint.to_owned()
}

/// What has to do with Python source.
impl Failure {
    /// A tree, or a file, that could not be read.
    pub(crate) fn reading_code(what: &str, error: &DiskError) -> Self {
        let hint = "name the folder that holds the code with `--project`";
        Self { path: Some(error.path.clone()), ..Self::new(what, vec![error.to_string()], hint) }
    }

    /// A move that was planned and could not be written.
    pub(crate) fn writing_move(error: &WriteError) -> Self {
        match error {
            WriteError::Rewrite(error) => Self::rewriting("could not write the move", error),
            WriteError::Changed(_) | WriteError::Refuted => {
                let hint = "nothing was written; run the same command again";
                Self::new("could not write the move", vec![error.to_string()], hint)
            }
        }
    }

    /// A merge that was planned and could not be written.
    pub(crate) fn writing_merge(error: &MergeWriteError) -> Self {
        let hint = match error {
            MergeWriteError::Rewrite(error) => return Self::rewriting("could not write the merge", error),
            MergeWriteError::Changed(_) => "nothing was written; run the same command again",
            MergeWriteError::Refuted { .. } => "decide what is open, or give `--with-markers`",
            MergeWriteError::KindChange(_) => {
                "merge it in two steps: first without that path, see `docs/merge.md`"
            }
            MergeWriteError::NoFolder => "name a folder of the project",
        };
        Self::new("could not write the merge", vec![error.to_string()], hint)
    }

    /// A migration of checkpoints that was worked out and could not be written.
    pub(crate) fn writing_checkpoints(error: &checkpoints::WriteError) -> Self {
        let what = "could not write the migration";
        match error {
            checkpoints::WriteError::Rewrite(error) => Self::rewriting(what, error),
            checkpoints::WriteError::Changed(_) | checkpoints::WriteError::Refuted => {
                let hint = "nothing was written; run the same command again";
                Self::new(what, vec![error.to_string()], hint)
            }
        }
    }

    /// A rewrite of many files that was not done.
    pub(crate) fn rewriting(what: &str, error: &RewriteError) -> Self {
        let hint = match error {
            RewriteError::Disk(_) => {
                "correct the cause, then run any command: it first puts everything back as it was"
            }
            RewriteError::Copy(_) => "nothing was written; see whether what is to be put back can be read",
            RewriteError::Locked(_) => "wait until it has ended",
            RewriteError::Record { .. } => "the old files are beside the record, under `old/`",
            RewriteError::Nothing => "only what a `--write` of its own wrote can be taken back",
            RewriteError::Changed(_) => "move your changes aside first; nothing was touched",
            RewriteError::Outside(_) | RewriteError::InTheWay(_) => "nothing was written; move it away first",
        };
        Self::new(what, vec![error.to_string()], hint)
    }
}
