//! The rules of a migration of checkpoints: which documents, how they say their version, steps from version to version,
//! schemas, new names.

use std::path::{Path, PathBuf};

use regex::Regex;
use switchback_core::plan::{Fields, Finding, Findings, Key, Shape, shown};
use switchback_core::world::Disk;
use toml::de::DeTable;

use crate::json_schema::Schema;
use crate::program::{Program, ProgramError};

/// Larger files are no rules, no program and no schema.
const RULES_BYTES_MAX: u64 = 4 * 1024 * 1024;

const DOCUMENT: &[Key] = &[
    Key::optional("files", Shape::Texts, "which files are documents: names or paths, with `*` and `?`"),
    Key::required("version", Shape::Text, "jq: what a document says its version is"),
    Key::optional("missing", Shape::Text, "the version of a document that says none"),
];
const STEP: &[Key] = &[
    Key::required("from", Shape::Text, "the version that it starts from"),
    Key::required("to", Shape::Text, "the version that it leads to"),
    Key::required("program", Shape::Text, "jq: the program, or the name of its file (`….jq`)"),
    Key::optional("inverse", Shape::Text, "jq: what leads back; the way there and back is proved"),
    Key::optional("counts", Shape::NamedTexts, "jq: lists whose length stays, old = new"),
    Key::optional("rounds", Shape::Flag, "`true`: numbers that no double holds may be lost"),
];
const RENAME: &[Key] = &[
    Key::required("from", Shape::Text, "a regular expression for the whole path below the folder"),
    Key::required("to", Shape::Text, "the new path, with `$1` or `${name}` for what was captured"),
];
const FILE: &[Key] = &[
    Key::required("version", Shape::Whole, "the version of the format: 1"),
    Key::optional(
        "document",
        Shape::Table(DOCUMENT),
        "which files are documents, and where their version stands",
    ),
    Key::optional("step", Shape::Tables(STEP), "from one version to the next"),
    Key::optional("schemas", Shape::NamedTexts, "the JSON Schema of each version, a file beside this one"),
    Key::optional("rename", Shape::Tables(RENAME), "new names"),
];

/// The rules, ready to be applied.
#[derive(Debug)]
pub struct Rules {
    /// Patterns of names or paths; what fits none is no document.
    pub(super) files: Vec<String>,
    pub(super) version: Option<Declared>,
    pub(super) steps: Vec<Step>,
    pub(super) schemas: Vec<(String, Schema)>,
    pub(super) renames: Vec<Rename>,
}

/// How a document says its version.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) program: Program,
    pub(super) missing: Option<String>,
}

/// From one version to another.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) program: Program,
    pub(super) inverse: Option<Program>,
    pub(super) counts: Vec<Counted>,
    pub(super) may_round: bool,
}

/// Two lists that have as many items.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) old: (String, Program),
    pub(super) new: (String, Program),
}

/// A rule for names.
#[derive(Debug)]
pub(super) struct Rename {
    pub(super) from: Regex,
    pub(super) to: String,
}

/// Rules that cannot be used.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RulesError {
    /// A file of theirs could not be read.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// They say what no rules say.
    #[error("the rules `{}` cannot be used", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// At least one, in the order of the file.
        findings: Vec<Finding>,
    },
}

impl RulesError {
    /// Each finding with its place; nothing where the file could not be read.
    pub fn causes(&self) -> Vec<String> {
        let Self::Refused { path, findings } = self else { return Vec::new() };
        let told = |one: &Finding| {
            format!("{}:{}:{}: {}; {}", path.display(), one.line, one.column, one.message, one.help)
        };
        findings.iter().map(told).collect()
    }
}

impl Rules {
    /// What holds without rules: every file that ends in `.json` is a document.
    pub fn none() -> Self {
        Self {
            files: every_json(),
            version: None,
            steps: Vec::new(),
            schemas: Vec::new(),
            renames: Vec::new(),
        }
    }

    /// Reads the rules at `path`, relative to `root` or absolute, and the programs and schemas beside them.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or says what no rules say; then with every place.
    pub fn load(root: &Path, path: &Path, disk: &dyn Disk) -> Result<Self, RulesError> {
        let text = read_text(root, path, disk)?;
        let findings = Findings::new(&text);
        let refused = |findings: Findings<'_>| RulesError::Refused {
            path: path.to_owned(),
            findings: findings.into_sorted(),
        };
        let table = match DeTable::parse(&text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                findings.add(offset, error.message().to_owned(), "correct the TOML");
                return Err(refused(findings));
            }
        };
        let reader = Reader { root, folder: path.parent().unwrap_or(Path::new("")), disk };
        let rules = reader.rules(&Fields::new(&table, 0, "the rules", FILE, &findings))?;
        if findings.is_empty() { Ok(rules) } else { Err(refused(findings)) }
    }

    /// Whether a step starts from a version or leads to it, or a schema is for it.
    pub(super) fn knows(&self, version: &str) -> bool {
        let is_of_step = |step: &Step| step.from == version || step.to == version;
        self.steps.iter().any(is_of_step) || self.schema(version).is_some()
    }

    /// The schema of a version.
    pub(super) fn schema(&self, version: &str) -> Option<&Schema> {
        self.schemas.iter().find(|(of, _)| of == version).map(|(_, schema)| schema)
    }
}

fn every_json() -> Vec<String> {
    vec!["*.json".to_owned()]
}

/// The text of a file at `path`, as people know it.
fn read_text(root: &Path, path: &Path, disk: &dyn Disk) -> Result<String, RulesError> {
    let unreadable = |reason: String| RulesError::Unreadable { path: path.to_owned(), reason };
    let bytes =
        disk.read(&root.join(path), RULES_BYTES_MAX).map_err(|error| unreadable(error.source.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

struct Reader<'a> {
    root: &'a Path,
    /// Where the rules lie.
    folder: &'a Path,
    disk: &'a dyn Disk,
}

impl Reader<'_> {
    fn rules(&self, file: &Fields<'_>) -> Result<Rules, RulesError> {
        if file.whole("version").is_some_and(|version| version != 1) {
            file.find("version", "this Switchback reads rules of version 1", "write `version = 1`");
        }
        let mut rules = Rules::none();
        if let Some(document) = file.table("document") {
            if let Some(files) = document.texts("files") {
                rules.files = files;
            }
            if rules.files.is_empty() {
                document.find(
                    "files",
                    "`files` is empty: nothing is a document",
                    "write a pattern: `*.json`",
                );
            }
            let program = self.program(&document, "version", "the program of `version`")?;
            let missing = document.filled_text("missing");
            rules.version = program.map(|program| Declared { program, missing });
        }
        for (offset, table) in file.tables("step") {
            let fields = Fields::new(table, offset, "a `[[step]]`", STEP, file.findings());
            rules.steps.extend(self.step(&fields)?);
        }
        for (offset, version, name) in file.named_texts("schemas") {
            if let Some(schema) = self.schema(&name, offset, file.findings())? {
                rules.schemas.push((version, schema));
            }
        }
        for (offset, table) in file.tables("rename") {
            let fields = Fields::new(table, offset, "a `[[rename]]`", RENAME, file.findings());
            rules.renames.extend(rename(&fields));
        }
        if file.findings().is_empty() {
            agree(&rules, file);
        }
        Ok(rules)
    }

    fn step(&self, fields: &Fields<'_>) -> Result<Option<Step>, RulesError> {
        let (from, to) = (fields.filled_text("from"), fields.filled_text("to"));
        let name = match (&from, &to) {
            (Some(from), Some(to)) => format!("the program of the step {} → {}", shown(from), shown(to)),
            _ => "the program of a step".to_owned(),
        };
        let program = self.program(fields, "program", &name)?;
        let inverse = self.program(fields, "inverse", &name.replacen("the program", "the inverse", 1))?;
        let mut counts = Vec::new();
        for (offset, old, new) in fields.named_texts("counts") {
            let compile = |code: &str| {
                let compiled = Program::compile(&format!("the count `{}`", shown(code)), code);
                settled(compiled, offset, fields.findings()).map(|program| (code.to_owned(), program))
            };
            if let (Some(old), Some(new)) = (compile(&old), compile(&new)) {
                counts.push(Counted { old, new });
            }
        }
        let may_round = fields.flag("rounds").unwrap_or(false);
        let (Some(from), Some(to), Some(program)) = (from, to, program) else { return Ok(None) };
        Ok(Some(Step { from, to, program, inverse, counts, may_round }))
    }

    /// A program that is written out, or stands in a file of its own.
    fn program(&self, fields: &Fields<'_>, key: &str, name: &str) -> Result<Option<Program>, RulesError> {
        let Some(written) = fields.filled_text(key) else { return Ok(None) };
        let is_file = Path::new(&written).extension().is_some_and(|end| end == "jq");
        let compiled = if is_file {
            let code = read_text(self.root, &self.folder.join(&written), self.disk)?;
            Program::compile(&format!("`{}`", shown(&written)), &code)
        } else {
            Program::compile(name, &written)
        };
        Ok(settled(compiled, fields.offset_of(key), fields.findings()))
    }

    fn schema(
        &self,
        name: &str,
        offset: usize,
        findings: &Findings<'_>,
    ) -> Result<Option<Schema>, RulesError> {
        let path = self.folder.join(name);
        let text = read_text(self.root, &path, self.disk)?;
        let value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                let reason = format!("it is no JSON: {error}");
                return Err(RulesError::Unreadable { path, reason });
            }
        };
        match Schema::compile(&value) {
            Ok(schema) => Ok(Some(schema)),
            Err(error) => {
                findings.add(offset, format!("the schema `{}`: {error}", shown(name)), error.hint());
                Ok(None)
            }
        }
    }
}

fn settled(
    compiled: Result<Program, ProgramError>,
    offset: usize,
    findings: &Findings<'_>,
) -> Option<Program> {
    compiled.map_err(|error| findings.add(offset, error.to_string(), "correct the jq program")).ok()
}

fn rename(fields: &Fields<'_>) -> Option<Rename> {
    let (from, to) = (fields.filled_text("from")?, fields.filled_text("to")?);
    // The whole path has to fit: a rule that fits somewhere in a name would rename by chance.
    let Ok(regex) = Regex::new(&format!("^(?:{from})$")) else {
        fields.find("from", "it is no regular expression", "e.g. `from = 'checkpoint_(\\d+)\\.json'`");
        return None;
    };
    let is_there = |name: &String| match name.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|known| known == name),
    };
    if let Some(name) = captures(&to).into_iter().find(|name| !is_there(name)) {
        let message = format!("`to` takes `{}`, which `from` does not capture", shown(&name));
        fields.find("to", message, "write `${1}` where a letter or a digit follows, or name a capture");
        return None;
    }
    Some(Rename { from: regex, to })
}

/// The captures that a new name takes, as the expansion reads them.
fn captures(to: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = to;
    while let Some((_, behind)) = rest.split_once('$') {
        if let Some(behind) = behind.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let name: String = match behind.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => name.to_owned(),
            None => behind.chars().take_while(|one| one.is_ascii_alphanumeric() || *one == '_').collect(),
        };
        if !name.is_empty() {
            names.push(name);
        }
        rest = behind;
    }
    names
}

/// What the parts say of each other.
fn agree(rules: &Rules, file: &Fields<'_>) {
    if rules.steps.is_empty() && rules.renames.is_empty() && rules.schemas.is_empty() {
        file.findings().add(0, "the rules say nothing", "add a `[[step]]`, a `[[rename]]` or `[schemas]`");
    }
    if rules.version.is_none() && !(rules.steps.is_empty() && rules.schemas.is_empty()) {
        let help = "add `[document]` with `version = \".version\"`, and `missing` for those that say none";
        file.findings().add(0, "nothing says how a document says its version", help);
    }
    for (at, step) in rules.steps.iter().enumerate() {
        let words = format!("the step {} → {}", shown(&step.from), shown(&step.to));
        let before = rules.steps.get(..at).unwrap_or_default();
        if before.iter().any(|other| other.from == step.from) {
            file.find(
                "step",
                format!("{words} is the second that starts from there"),
                "take one of them out",
            );
        }
        if step.counts.is_empty() && step.inverse.is_none() && rules.schema(&step.to).is_none() {
            let help = format!("give a schema of the version {}, `counts`, or an `inverse`", shown(&step.to));
            file.find("step", format!("nothing verifies {words}"), help);
        }
        if goes_round(rules, step) {
            file.find(
                "step",
                format!("from {words} on, the steps go round in a circle"),
                "end them somewhere",
            );
        }
    }
}

fn goes_round(rules: &Rules, first: &Step) -> bool {
    let mut version = first.from.as_str();
    for _ in 0..=rules.steps.len() {
        match rules.steps.iter().find(|step| step.from == version) {
            Some(step) => version = &step.to,
            None => return false,
        }
    }
    true
}
