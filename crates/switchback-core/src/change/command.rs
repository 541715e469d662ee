//! `command`: a line of shell changes the candidate, in a copy of the project.

use std::path::PathBuf;
use std::time::Duration;

use super::{Change, ChangeError, Kind, Stage};
use crate::plan::{Fields, Key, Managed, Shape, shown};
use crate::world::{Command, Confinement};

const TIMEOUT_S: u64 = 3_600;

/// The kind `command`.
pub(super) static KIND: Kind = Kind {
    word: "command",
    doc: "a command that changes the managed paths in a copy of the project",
    keys: &[
        Key::required(
            "command",
            Shape::Text,
            "a line of shell; it runs in a copy of the project that has the candidate",
        ),
        Key::optional(
            "timeout_s",
            Shape::Whole,
            "it is given up after this many seconds; 3600 when left out",
        ),
        Key::optional(
            "writes",
            Shape::Texts,
            "absolute paths outside the project that it may write to as well: a cache, a build folder",
        ),
    ],
    read,
};

#[derive(Debug)]
struct CommandChange {
    command: String,
    timeout: Duration,
    writes: Vec<PathBuf>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let timeout_s = fields.whole("timeout_s").unwrap_or(TIMEOUT_S);
    if timeout_s == 0 {
        fields.find("timeout_s", "`timeout_s` cannot be 0", "give the command at least one second");
    }
    let timeout = Duration::from_secs(timeout_s);
    let writes: Vec<PathBuf> =
        fields.texts("writes").unwrap_or_default().into_iter().map(PathBuf::from).collect();
    if writes.iter().any(|path| !path.is_absolute()) {
        fields.find(
            "writes",
            "`writes` names a path that is not absolute",
            "e.g. `writes = [\"/var/cache/build\"]`",
        );
    }
    Some(Box::new(CommandChange { command: fields.filled_text("command")?, timeout, writes }))
}

impl Change for CommandChange {
    fn describe(&self) -> String {
        format!("run `{}`", shown(&self.command))
    }

    fn replaces(&self, _managed: &Managed) -> bool {
        false
    }

    fn needs_project(&self) -> bool {
        true
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        let mut command = Command::shell(&self.command, stage.tree, self.timeout);
        // Bytecode beside the sources would become part of the candidate.
        command.variables.push(("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()));
        command.confinement = stage.confinement.clone().map(|confinement| Confinement {
            // What it leaves anywhere else, no undo takes back; and the live tree is what its copy was made of.
            is_strict: true,
            open: confinement.open.into_iter().chain(self.writes.iter().cloned()).collect(),
            hidden: Vec::new(),
            ..confinement
        });
        let finished = stage.world.processes.run(&command)?;
        if finished.succeeded() {
            return Ok(());
        }
        Err(ChangeError::Command {
            command: shown(&self.command),
            ending: finished.ending(),
            words: finished.last_line().map_or_else(String::new, |line| format!(": {line}")),
        })
    }
}
