//! Processes: what runs the tree, and how it is handed over when the tree is exchanged.

use super::fields::Fields;
use super::file::read_phase_names;
use super::key::{Key, Shape};

const TIMEOUT_S: u64 = 60;
const WITHIN_S: u64 = 30;
/// Stands for the number of the generation that an instance serves.
pub const GENERATION: &str = "{generation}";

/// A process that runs the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its name.
    pub name: String,
    /// How it is handed over.
    pub handover: Handover,
    /// What says that it does its work; `None`: that its command ended well.
    pub ready: Option<Ready>,
    /// The file that holds its process id, relative to the project or absolute; `{generation}` may stand in it.
    pub pid_file: Option<String>,
    /// Each of its commands is given up after this long.
    pub timeout_s: u64,
    /// For which phases; `None`: for all.
    pub phases: Option<Vec<String>>,
}

/// How a process gets from one tree to the other; each command is a line of shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// It is stopped, the trees are exchanged, it is started.
    StopStart {
        /// Ends it.
        stop: String,
        /// Starts it, and comes back.
        start: String,
    },
    /// The trees are exchanged, then it is told to read them anew.
    Reload {
        /// Tells it.
        reload: String,
    },
    /// The trees are exchanged, an instance for the new one is started beside the old one, then the old one is drained.
    Parallel {
        /// Drains and ends the instance of a generation.
        stop: String,
        /// Starts the instance of a generation, and comes back.
        start: String,
    },
}

/// What says that a process does its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// What is asked, again and again.
    pub probe: Probe,
    /// For so long.
    pub within_s: u64,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// An address, which must answer with a status from 200 to 299; `{generation}` may stand in both.
    Http {
        /// The address.
        url: String,
        /// What the answer must contain.
        contains: Option<String>,
    },
    /// A line of shell, which must end with 0.
    Command(String),
}

impl Handover {
    /// The word in the plan.
    pub fn word(&self) -> &'static str {
        match self {
            Self::StopStart { .. } => STOP_START,
            Self::Reload { .. } => RELOAD,
            Self::Parallel { .. } => PARALLEL,
        }
    }

    /// What happens around an exchange, in words.
    pub fn does(&self) -> &'static str {
        match self {
            Self::StopStart { .. } => "stopped before the exchange, started after it",
            Self::Reload { .. } => "told to reload after the exchange",
            Self::Parallel { .. } => {
                "a new instance is started after the exchange, then the old one is drained"
            }
        }
    }
}

impl Process {
    /// Whether it runs what this phase changes.
    pub fn is_for(&self, phase: &str) -> bool {
        self.phases.as_ref().is_none_or(|phases| phases.iter().any(|name| name == phase))
    }
}

const STOP_START: &str = "stop-start";
const RELOAD: &str = "reload";
/// The word of [`Handover::Parallel`].
pub const PARALLEL: &str = "parallel";

const READY: &[Key] = &[
    Key::optional("http", Shape::Text, "an address that answers with a status from 200 to 299"),
    Key::optional(
        "contains",
        Shape::Text,
        "what the answer must contain; `{generation}` stands for the generation that the instance serves",
    ),
    Key::optional("command", Shape::Text, "a line of shell that ends with 0"),
    Key::optional("within_s", Shape::Whole, "for how long it is asked; 30 seconds when left out"),
];
/// The keys of `[[process]]`.
pub(super) const PROCESS: &[Key] = &[
    Key::required("name", Shape::Text, "what it is called"),
    Key::optional(
        "stop",
        Shape::Text,
        "a line of shell that ends it, or drains the instance of a generation",
    ),
    Key::optional("start", Shape::Text, "a line of shell that starts it in the background"),
    Key::optional("reload", Shape::Text, "a line of shell that has it read the tree anew"),
    Key::optional("ready", Shape::Table(READY), "what says that it does its work"),
    Key::optional(
        "handover",
        Shape::Word(&[STOP_START, RELOAD, PARALLEL]),
        "how it gets from one tree to the other; `stop-start` when left out",
    ),
    Key::optional("pid_file", Shape::Text, "the file with its process id, which is looked at for old code"),
    Key::optional(
        "timeout_s",
        Shape::Whole,
        "each command is given up after this many seconds; 60 when left out",
    ),
    Key::optional("phases", Shape::Texts, "for which phases; all when left out"),
];

/// Reads one `[[process]]`; `phases` are the names of the plan's phases.
pub(super) fn read(fields: &Fields<'_>, phases: &[String]) -> Option<Process> {
    let name = fields.filled_text("name");
    let word = fields.word("handover");
    let handover = read_handover(fields, word.as_deref().unwrap_or(STOP_START));
    let ready = fields.table("ready").map(|table| read_ready(&table));
    let pid_file = fields.filled_text("pid_file");
    let timeout_s = fields.whole("timeout_s").unwrap_or(TIMEOUT_S);
    if timeout_s == 0 {
        fields.find("timeout_s", "`timeout_s` cannot be 0", "give each command at least one second");
    }
    let for_phases = read_phase_names(fields, phases, "it would never be handed over");
    if word.as_deref() == Some(PARALLEL) {
        look_at_parallel(fields, ready.as_ref());
    }
    let ready = match ready {
        Some(ready) => Some(ready?),
        None => None,
    };
    Some(Process { name: name?, handover: handover?, ready, pid_file, timeout_s, phases: for_phases })
}

fn read_handover(fields: &Fields<'_>, word: &str) -> Option<Handover> {
    // All of them are looked at, whatever is used.
    let [stop, start, reload] = ["stop", "start", "reload"].map(|key| fields.filled_text(key));
    let needed: &[&str] = if word == RELOAD { &[RELOAD] } else { &["stop", "start"] };
    for key in needed.iter().filter(|key| !fields.has(key)) {
        fields.findings().add(
            fields.offset(),
            format!("`[[process]]` has no `{key}`, which `handover = \"{word}\"` needs"),
            format!("add `{key} = …`: a line of shell"),
        );
    }
    if word != RELOAD && fields.has(RELOAD) {
        fields.find(
            RELOAD,
            format!("`reload` is never carried out with `handover = \"{word}\"`"),
            "take it out, or say `handover = \"reload\"`",
        );
    }
    Some(match word {
        RELOAD => Handover::Reload { reload: reload? },
        PARALLEL => Handover::Parallel { stop: stop?, start: start? },
        _ => Handover::StopStart { stop: stop?, start: start? },
    })
}

fn read_ready(fields: &Fields<'_>) -> Option<Ready> {
    let within_s = fields.whole("within_s").unwrap_or(WITHIN_S);
    if within_s == 0 {
        fields.find("within_s", "`within_s` cannot be 0", "give it at least one second");
    }
    let url = fields.http_address("http");
    let command = fields.filled_text("command");
    let contains = fields.filled_text("contains");
    if fields.has("http") == fields.has("command") {
        fields.find("http", "`ready` needs either `http` or `command`", "name one of both");
    }
    if fields.has("contains") && !fields.has("http") {
        fields.find("contains", "`contains` is about an answer, and `ready` has no `http`", "take it out");
    }
    let probe = match (url, command) {
        (Some(url), _) => Probe::Http { url, contains },
        (None, command) => Probe::Command(command?),
    };
    Some(Ready { probe, within_s })
}

/// While two instances run, the old one could answer for the new one, and would be drained on its own word.
fn look_at_parallel(fields: &Fields<'_>, ready: Option<&Option<Ready>>) {
    let Some(ready) = ready else {
        fields.find(
            "ready",
            "`handover = \"parallel\"` needs `ready`: the old instance is drained once the new one says so",
            "add `ready = { command = … }`, or one with `http` and `contains`",
        );
        return;
    };
    let Some(Ready { probe: Probe::Http { url, contains }, .. }) = ready else { return };
    if ![Some(url), contains.as_ref()].into_iter().flatten().any(|text| text.contains(GENERATION)) {
        fields.find(
            "ready",
            "`ready` could be answered by the old instance: nothing in it tells the two apart",
            "put `{generation}` into the address or into `contains`: `SWITCHBACK_GENERATION` tells an instance its own",
        );
    }
}
