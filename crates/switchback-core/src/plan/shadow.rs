//! `[[shadow]]`: the inputs that old and new run side by side before a phase goes live.

use std::path::{Component, Path, PathBuf};

use super::fields::{Fields, shown};
use super::file::read_phase_names;
use super::key::{Key, Shape};
use super::lists::look_at_name;
use super::moment::Moment;
use crate::check::shadow::{Allowed, KEYS, Pair};
use crate::manifest::Hash;
use crate::pattern::fits;
use crate::quantity::duration_ns;

/// A shadow without a name is called that.
const NAME: &str = "shadow";
/// An input that was changed this short a time ago may still be written.
const SETTLE_S: u64 = 5;
const TIMEOUT_S: u64 = 3_600;
/// Longer periods are taken for a mistake.
const PERIOD_S_MAX: u64 = 366 * 86_400;
/// Longer than a day nobody writes at one input.
const SETTLE_S_MAX: u64 = 86_400;

const ALLOW: &[Key] = &[
    Key::optional("paths", Shape::Texts, "files and folders that both may write to, which exist"),
    Key::optional(
        "hosts",
        Shape::Texts,
        "what both may connect to: `host`, `host:port`, or the path of a socket",
    ),
    Key::optional("programs", Shape::Texts, "programs that hand over mail and that both may run: `sendmail`"),
];

const OWN: [Key; 9] = [
    Key::optional("name", Shape::Text, "what it is called; `shadow` when left out"),
    Key::required(
        "inputs",
        Shape::Text,
        "a file, a folder or a pattern, of the project or absolute: `data/raw/*.csv`",
    ),
    Key::optional(
        "for",
        Shape::Text,
        "how long inputs are waited for: a number and s, m, h or d; only those that are there when left out",
    ),
    Key::optional("only_new", Shape::Flag, "`true`: inputs that were there before it began are left aside"),
    Key::optional(
        "minimum",
        Shape::Whole,
        "with fewer inputs that could be compared it could not tell; 1 when left out",
    ),
    Key::optional(
        "settle_s",
        Shape::Whole,
        "an input is run once it was left alone for so many seconds; 5 when left out",
    ),
    Key::optional("allow", Shape::Table(ALLOW), "what both sides may reach outside; nothing when left out"),
    Key::optional("phases", Shape::Texts, "for which phases; all when left out"),
    Key::optional(
        "timeout_s",
        Shape::Whole,
        "each side is given up after this many seconds; 3600 when left out",
    ),
];

/// The keys of `[[shadow]]`.
pub(super) const SHADOW: &[Key] = &joined();

const fn joined() -> [Key; OWN.len() + KEYS.len()] {
    let mut all = [Key::optional("", Shape::Flag, ""); OWN.len() + KEYS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OWN.len() { OWN[at] } else { KEYS[at - OWN.len()] };
        at += 1;
    }
    all
}

/// Old and new side by side.
#[derive(Debug)]
pub struct Shadow {
    /// Its name.
    pub name: String,
    /// For which phases; `None`: for all.
    pub phases: Option<Vec<String>>,
    /// Which files are inputs.
    pub inputs: Inputs,
    /// For how long inputs are waited for; `None`: only what is there.
    pub period_s: Option<u64>,
    /// Whether inputs that were there before it began are left aside.
    pub only_new: bool,
    /// With fewer inputs that were compared it could not tell.
    pub minimum: u64,
    /// An input is run once it was left alone for so long.
    pub settle_s: u64,
    /// What both sides may reach outside.
    pub allowed: Allowed,
    /// Each side is given up after this long.
    pub timeout_s: u64,
    /// BLAKE3 of everything that the plan says about it.
    pub hash: Hash,
    /// Both programs.
    pub pair: Pair,
}

/// A path or a pattern of inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The path that it is, or the folder in which its first `*` or `?` stands; of the project, or absolute.
    pub root: PathBuf,
    text: String,
}

impl Inputs {
    fn new(text: &str) -> Self {
        let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(['*', '?']);
        let root = Path::new(text).components().take_while(|part| !is_wild(part)).collect();
        Self { root, text: text.to_owned() }
    }

    /// As the plan has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a path, as it is named in the plan, is meant.
    pub fn means(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
            && (self.root == Path::new(&self.text) || fits(&self.text, &path.to_string_lossy()))
    }
}

impl Shadow {
    /// For how long, in words: `for 24h`.
    pub fn period(&self) -> String {
        match self.period_s {
            None => "as far as they are there".to_owned(),
            Some(seconds) => format!("for {}", Moment::After(seconds).to_string().trim_start_matches('+')),
        }
    }

    /// Whether it is for that phase.
    pub fn is_for(&self, phase: &str) -> bool {
        self.phases.as_ref().is_none_or(|phases| phases.iter().any(|name| name == phase))
    }
}

/// Reads every `[[shadow]]`; `phases` are those of the plan. `is_confined`: whether commands on copies are held at all.
pub(super) fn read_all(plan: &Fields<'_>, phases: &[String], is_confined: bool) -> Vec<Shadow> {
    let mut shadows: Vec<Shadow> = Vec::new();
    for (offset, table) in plan.tables("shadow") {
        let fields = Fields::new(table, offset, "`[[shadow]]`", SHADOW, plan.findings());
        if !is_confined {
            let message = "a `[[shadow]]` beside `confine = false`: nothing of it may reach outside";
            fields.findings().add(offset, message, "take `confine = false` out, or the shadow");
        }
        let Some(read) = read(&fields, phases) else { continue };
        look_at_name(&fields, &read.name, "shadow", shadows.iter().map(|one| one.name.as_str()));
        shadows.push(read);
    }
    shadows
}

fn read(fields: &Fields<'_>, phases: &[String]) -> Option<Shadow> {
    let name = if fields.has("name") { fields.filled_text("name") } else { Some(NAME.to_owned()) };
    let inputs = read_inputs(fields);
    let period_s = if fields.has("for") { read_period(fields) } else { None };
    let is_period_wrong = fields.has("for") && period_s.is_none();
    let only_new = fields.flag("only_new").unwrap_or(false);
    if only_new && !fields.has("for") {
        fields.find(
            "only_new",
            "`only_new` without `for`: there would be no input at all",
            "say for how long, e.g. `for = \"24h\"`",
        );
    }
    let settle_s = fields.whole("settle_s").unwrap_or(SETTLE_S);
    if settle_s > SETTLE_S_MAX {
        fields.find(
            "settle_s",
            format!("`settle_s` is more than {SETTLE_S_MAX}"),
            "an input would be waited for longer than a day",
        );
    }
    let minimum = fields.whole("minimum").unwrap_or(1);
    if minimum == 0 {
        fields.find(
            "minimum",
            "`minimum` cannot be 0",
            "a shadow without an input proves nothing: write 1 or more",
        );
    }
    let timeout_s = fields.whole("timeout_s").unwrap_or(TIMEOUT_S);
    if timeout_s == 0 {
        fields.find("timeout_s", "`timeout_s` cannot be 0", "give both sides at least one second");
    }
    let allowed = fields.table("allow").map(|allow| read_allowed(&allow)).unwrap_or_default();
    let for_phases = read_phase_names(fields, phases, "nothing would ever be run side by side");
    let pair = Pair::read(fields);
    if is_period_wrong {
        return None;
    }
    Some(Shadow {
        name: name?,
        phases: for_phases,
        inputs: inputs?,
        period_s,
        only_new,
        minimum,
        settle_s,
        allowed,
        timeout_s,
        hash: *blake3::hash(fields.canonical().as_bytes()).as_bytes(),
        pair: pair?,
    })
}

fn read_inputs(fields: &Fields<'_>) -> Option<Inputs> {
    let text = fields.filled_text("inputs")?;
    let is_way_up = |part: Component<'_>| matches!(part, Component::ParentDir | Component::CurDir);
    if Path::new(&text).components().any(is_way_up) {
        let message = format!("`inputs` is `{}`, which is no plain path", shown(&text));
        fields.find(
            "inputs",
            message,
            "write it from the folder of the plan, or absolute, without `.` and `..`",
        );
        return None;
    }
    Some(Inputs::new(&text))
}

fn read_period(fields: &Fields<'_>) -> Option<u64> {
    let text = fields.text("for")?;
    let seconds = duration_ns(&text)
        .map(|ns| ns / 1_000_000_000)
        .filter(|seconds| (1..=PERIOD_S_MAX).contains(seconds));
    if seconds.is_none() {
        let message = format!("`for` is `{}`, which is no period", shown(&text));
        fields.find("for", message, "write it like `\"24h\"`: one second to one year, in s, m, h or d");
    }
    seconds
}

fn read_allowed(fields: &Fields<'_>) -> Allowed {
    let texts = |name: &str| fields.texts(name).unwrap_or_default();
    for name in ["paths", "hosts", "programs"] {
        for (offset, text) in fields.placed_texts(name).unwrap_or_default() {
            let is_path = name != "hosts" && text.contains("..");
            if text.trim().is_empty() || is_path || (name == "programs" && text.contains('/')) {
                let message = format!("`{}` in `{name}` cannot be allowed", shown(&text));
                let help = match name {
                    "paths" => "name a file or a folder, of the project or absolute, without `..`",
                    "hosts" => "name a host, `host:port`, or the path of a socket",
                    _ => "name a program as it is typed, without its folder",
                };
                fields.findings().add(offset, message, help);
            }
        }
    }
    Allowed {
        paths: texts("paths").into_iter().map(PathBuf::from).collect(),
        hosts: texts("hosts"),
        programs: texts("programs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_patterns_mean_files() {
        let inputs = Inputs::new("data/raw/*.csv");
        assert_eq!(inputs.root, Path::new("data/raw"));
        assert!(inputs.means(Path::new("data/raw/a.csv")) && !inputs.means(Path::new("data/raw/a.txt")));
        assert!(!inputs.means(Path::new("data/other/a.csv")));
        let one = Inputs::new("/in/a.csv");
        assert!(one.means(Path::new("/in/a.csv")) && !one.means(Path::new("/in/b.csv")));
        assert!(Inputs::new("/in").means(Path::new("/in/deep/b.csv")), "a folder means all that is in it");
    }
}
