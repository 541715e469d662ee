//! `switchback.toml`: read, checked in full, and turned into a [`Plan`].

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::environment::{self, ENVIRONMENT};
use super::fields::{Fields, advise, shown};
use super::finding::{Finding, Findings, PlanError, place};
use super::key::{Key, KindKeys, Shape};
use super::lists::{
    look_at_name, look_at_proofs, look_at_rehearsals, names_of, read_approvers, read_playbooks,
    read_processes, read_receivers, read_triggers,
};
use super::moment::{Every, Moment};
use super::paths;
use super::{
    Approve, ChangePlan, CheckPlan, Managed, Mechanism, Phase, Plan, Project, Rehearsal, anchor, approver,
    criterion, notify, package, playbook, process, shadow, snapshot, trigger, undo, window,
};
use crate::change;
use crate::check;
use crate::manifest::Hash;
use crate::world::{Disk, DiskError};

/// The name of the plan file.
pub const PLAN_FILE: &str = "switchback.toml";
/// A larger file is not a plan.
pub const PLAN_BYTES_MAX: u64 = 1024 * 1024;

const VERSION: u64 = 1;
const CHECK_TIMEOUT_S: u64 = 3_600;

const PROJECT: &[Key] = &[
    Key::required("name", Shape::Text, "what the project is called in reports"),
    Key::required(
        "managed",
        Shape::TextsOrTables(paths::MANAGED_ITEM),
        "the paths that the plan may change: `[\"src\", { path = \"notebooks\", delete = false }]`",
    ),
    Key::optional(
        "linked",
        Shape::Texts,
        "unmanaged paths that checked trees link to instead of copying them",
    ),
    Key::optional(
        "mechanism",
        Shape::Word(&["pointer", "exchange", "two-renames", "file-by-file"]),
        "how candidates go live; found by probing when left out",
    ),
    Key::optional(
        "confine",
        Shape::Flag,
        "`false`: commands that work on copies are not kept from the live project",
    ),
];
const REHEARSAL: &[Key] = &[
    Key::optional(
        "environment",
        Shape::Text,
        "a command that builds the environment of the checks at `rehearsed` in the folder `{env}`, e.g. \
         `python3 -m venv {env}`",
    ),
    Key::optional(
        "timeout_s",
        Shape::Whole,
        "the building is given up after this many seconds; 3600 when left out",
    ),
];
const CHANGE: &[Key] = &[
    Key::required("kind", Shape::Text, "the kind of change"),
    Key::optional("name", Shape::Text, "what it is called: `rollback --only NAME` takes it back alone"),
];
const PHASE: &[Key] = &[
    Key::required("name", Shape::Text, "what the phase is called"),
    Key::optional("approve", Shape::Table(approver::APPROVE), "who must approve before it goes live"),
    undo::TOGETHER,
    undo::ONLY,
    Key::required("change", Shape::Kinds(CHANGE, change::kinds), "how the candidate is made"),
];
const CHECK: &[Key] = &[
    Key::required("name", Shape::Text, "what the check is called"),
    Key::required("kind", Shape::Text, "the kind of check"),
    Key::optional(
        "at",
        Shape::Texts,
        "when: `before`, `staged`, `rehearsed`, `live`, a delay such as `+1h`, or `rolled-back`; `[\"staged\"]` when left \
         out",
    ),
    Key::optional("phases", Shape::Texts, "for which phases; all when left out"),
    Key::optional(
        "inputs",
        Shape::Texts,
        "files and folders that it reads beside the trees; its evidence is bound to them",
    ),
    Key::optional(
        "step",
        Shape::Word(&["imports", "function", "data", "speed", "tests"]),
        "what it looks at after a rollback; told from its kind when left out",
    ),
    Key::optional("timeout_s", Shape::Whole, "it is given up after this many seconds; 3600 when left out"),
];
const PLAN: &[Key] = &[
    Key::required("version", Shape::Whole, "the version of the plan file's format: 1"),
    Key::required("project", Shape::Table(PROJECT), "what is changed"),
    Key::optional("snapshot", Shape::Table(snapshot::SNAPSHOT), "where snapshots go"),
    Key::optional("environment", Shape::Table(ENVIRONMENT), "what the program runs in"),
    Key::optional("rehearsal", Shape::Table(REHEARSAL), "what the rehearsal has of its own"),
    Key::required("phase", Shape::Tables(PHASE), "the phases, in order"),
    Key::optional("check", Shape::Kinds(CHECK, check::kinds), "the checks"),
    Key::optional("trigger", Shape::Tables(trigger::TRIGGER), "what starts a rollback"),
    Key::optional(
        "criterion",
        Shape::Tables(criterion::CRITERION),
        "what must be true, and who or what can tell",
    ),
    Key::optional("playbook", Shape::Tables(playbook::PLAYBOOK), "named repairs"),
    Key::optional("process", Shape::Tables(process::PROCESS), "what runs the tree"),
    Key::optional("approver", Shape::Tables(approver::APPROVER), "who approves, and is known by a key"),
    Key::optional("window", Shape::Table(window::WINDOW), "when a cutover may happen"),
    Key::optional("notify", Shape::Tables(notify::NOTIFY), "who is told what turn a run took"),
    Key::optional("anchor", Shape::Tables(anchor::ANCHOR), "where the head of the journal is kept outside"),
    Key::optional("package", Shape::Table(package::PACKAGE), "what packages of a change hold"),
    Key::optional(
        "shadow",
        Shape::Tables(shadow::SHADOW),
        "what old and new run side by side before a phase goes live",
    ),
];

/// The keys of the plan file, for the JSON Schema and for the test that the documentation names each of them.
pub fn plan_keys() -> &'static [Key] {
    PLAN
}

/// The plan file could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not there, or not readable.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It was read, and cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Reads the plan of the project at `root`.
///
/// # Errors
///
/// When there is no plan file, or with every finding about it.
pub fn load(root: &Path, disk: &dyn Disk) -> Result<Plan, LoadError> {
    let path = root.join(PLAN_FILE);
    if let Some(meta) = disk.look(&path)?
        && meta.size > PLAN_BYTES_MAX
    {
        let finding = Finding {
            line: 1,
            column: 1,
            message: format!("the file has {} bytes; a plan has at most {PLAN_BYTES_MAX}", meta.size),
            help: format!(
                "put a plan into `{PLAN_FILE}`; `switchback plan --schema` says what it looks like"
            ),
        };
        return Err(PlanError { path: PLAN_FILE.into(), findings: vec![finding] }.into());
    }
    let bytes = disk.read(&path, PLAN_BYTES_MAX)?;
    Ok(read(&bytes, root, disk)?)
}

/// Makes a plan of the bytes of a plan file whose project is at `root`.
///
/// # Errors
///
/// With every finding, in the order of the file.
pub fn read(bytes: &[u8], root: &Path, disk: &dyn Disk) -> Result<Plan, PlanError> {
    let refused = |findings| PlanError { path: PLAN_FILE.into(), findings };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        let (line, column) = place(&valid, valid.len());
        let message = format!("byte {} is not UTF-8", error.valid_up_to());
        refused(vec![Finding { line, column, message, help: "save the file as UTF-8".to_owned() }])
    })?;
    let (table, errors) = DeTable::parse_recoverable(text);
    let findings = Findings::new(text);
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message().split('\n').next().unwrap_or("the TOML is damaged").trim().to_owned();
        findings.add(offset, shown(&message), "correct the TOML at this place");
    }
    if !findings.is_empty() {
        return Err(refused(findings.into_sorted()));
    }
    let plan = read_plan(&table.into_inner(), bytes, root, disk, &findings);
    match plan {
        Some(plan) if findings.is_empty() => Ok(plan),
        _ => Err(refused(findings.into_sorted())),
    }
}

fn read_plan<'a>(
    table: &'a DeTable<'a>,
    bytes: &[u8],
    root: &Path,
    disk: &dyn Disk,
    findings: &'a Findings<'a>,
) -> Option<Plan> {
    if let Some(version) = table.get("version").and_then(|version| version.get_ref().as_integer())
        && version.as_str() != VERSION.to_string()
    {
        // Nothing else in it can be judged: a later version may give every key another meaning.
        findings.add(
            table.get("version").map_or(0, |version| version.span().start),
            format!("the plan is of version {}; this Switchback reads version {VERSION}", version.as_str()),
            "use the Switchback that the plan was written for, or write it for version 1",
        );
        return None;
    }
    let fields = Fields::new(table, 0, "the plan", PLAN, findings);
    fields.whole("version");
    let project = read_project(&fields, root, disk);
    let snapshot = snapshot::read(&fields);
    let (environment, dependencies) = read_environment(&fields, project.as_ref(), findings);
    let rehearsal = read_rehearsal(&fields);
    let managed = project.as_ref().map_or(&[][..], |project| &project.managed);
    let phases = read_phases(&fields, managed, findings);
    let names: Vec<String> = phases.iter().map(|phase| phase.name.clone()).collect();
    let checks = read_checks(&fields, &names, findings);
    // A check that has findings of its own is there all the same: a trigger may watch it.
    let mut check_names = names_of(&fields, "check");
    check_names.sort();
    check_names.dedup();
    let triggers = read_triggers(&fields, &check_names, &checks, findings);
    let is_confined = project.as_ref().is_none_or(|project| project.confine);
    look_at_rehearsals(&fields, &rehearsal, &triggers, &checks, is_confined);
    let criteria = criterion::read(&fields, &phases, &checks, &check_names, &triggers);
    let playbooks = read_playbooks(&fields, &check_names, &names, findings);
    look_at_proofs(&fields, &playbooks, &checks);
    if let (Some(project), Some(snapshot)) = (&project, &snapshot) {
        let held = project.managed.iter().map(|managed| &managed.path).chain(&snapshot.also);
        let held: Vec<&Path> = held.map(PathBuf::as_path).collect();
        let wanted = checks.iter().flat_map(|check| check.check.saved());
        paths::look_for_unsaved(wanted, &held, findings);
    }
    let processes = read_processes(&fields, &names, findings);
    let approvers = read_approvers(&fields, &phases, &criteria, findings);
    let package = fields.table("package").map(|package| package::read(&package)).unwrap_or_default();
    let window = fields.table("window").map(|window| window::read(&window)).unwrap_or_default();
    let shadows = shadow::read_all(&fields, &names, is_confined);
    Some(Plan {
        path: root.join(PLAN_FILE),
        root: root.to_owned(),
        hash: *blake3::hash(bytes).as_bytes(),
        project: project?,
        snapshot: snapshot?,
        environment,
        dependencies,
        rehearsal,
        phases,
        checks,
        triggers,
        criteria,
        playbooks,
        processes,
        approvers,
        window,
        receivers: read_receivers(&fields, findings),
        anchors: anchor::read_all(&fields, root, findings),
        package,
        shadows,
        fault: None,
    })
}

/// The command that selects an environment, and the environments of the managed paths.
fn read_environment<'a>(
    plan: &Fields<'a>,
    project: Option<&Project>,
    findings: &'a Findings<'a>,
) -> (Option<String>, Vec<environment::Dependencies>) {
    let Some(table) = plan.table("environment") else { return (None, Vec::new()) };
    let (managed, linked) = project.map_or((&[][..], &[][..]), |project| (&project.managed, &project.linked));
    (table.filled_text("select"), environment::read(&table, managed, linked, findings))
}

fn read_rehearsal(plan: &Fields<'_>) -> Rehearsal {
    let Some(fields) = plan.table("rehearsal") else {
        return Rehearsal { environment: None, timeout_s: CHECK_TIMEOUT_S };
    };
    let environment = fields.filled_text("environment");
    if environment.as_ref().is_some_and(|line| !line.contains("{env}")) {
        fields.find(
            "environment",
            "`environment` does not name `{env}`, the folder that it is built in",
            "e.g. `python3 -m venv {env} && {env}/bin/pip install -r requirements.txt`",
        );
    }
    let timeout_s = fields.whole("timeout_s").unwrap_or(CHECK_TIMEOUT_S);
    if timeout_s == 0 {
        fields.find("timeout_s", "`timeout_s` cannot be 0", "give the building at least one second");
    }
    Rehearsal { environment, timeout_s }
}

fn read_project(plan: &Fields<'_>, root: &Path, disk: &dyn Disk) -> Option<Project> {
    let fields = plan.table("project")?;
    let managed = paths::managed(&fields, root, disk);
    let linked = relative_paths(&fields, "linked");
    for path in &linked {
        if managed.iter().any(|managed| managed.path.starts_with(path) || path.starts_with(&managed.path)) {
            let message = format!("`linked` names `{}`, which is managed", path.display());
            fields.find("linked", message, "only unmanaged paths can be linked: take it out of one of both");
        }
    }
    let mechanism = fields.word("mechanism").and_then(|word| Mechanism::from_word(&word));
    let confine = fields.flag("confine").unwrap_or(true);
    Some(Project { name: fields.filled_text("name")?, managed, linked, mechanism, confine })
}

pub(super) fn relative_paths(fields: &Fields<'_>, name: &str) -> Vec<PathBuf> {
    let texts = fields.placed_texts(name).unwrap_or_default();
    let what = format!("the path in `{name}`");
    texts
        .iter()
        .filter_map(|(offset, text)| paths::relative(text, *offset, &what, fields.findings()))
        .collect()
}

fn read_phases<'a>(plan: &Fields<'a>, managed: &[Managed], findings: &'a Findings<'a>) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    if plan.is_empty_list("phase") {
        plan.find("phase", "the plan has no phase", "add a `[[phase]]` with at least one `[[phase.change]]`");
    }
    for (offset, table) in plan.tables("phase") {
        let fields = Fields::new(table, offset, "`[[phase]]`", PHASE, findings);
        let Some(name) = fields.filled_text("name") else { continue };
        look_at_name(&fields, &name, "phase", phases.iter().map(|phase| phase.name.as_str()));
        let approve =
            fields.table("approve").map_or_else(Approve::default, |approve| approver::read_approve(&approve));
        let changes = read_changes(&fields, findings);
        if fields.is_empty_list("change") {
            fields.find("change", format!("the phase `{name}` has no change"), "add a `[[phase.change]]`");
        }
        let hash = *blake3::hash(fields.canonical().as_bytes()).as_bytes();
        let undo = undo::read(&fields, managed);
        phases.push(Phase { name, approve, undo, changes, hash });
    }
    phases
}

/// The kind of a table, when it is one of `known`; else a finding.
fn read_kind<'k, K: Copy>(
    table: &DeTable<'_>,
    offset: usize,
    what: &str,
    known: &'k [(&'static str, K)],
    later: &[&str],
    findings: &Findings<'_>,
) -> Option<&'k (&'static str, K)> {
    let Some(value) = table.get("kind") else {
        // Which other keys it may have depends on the kind: nothing more can be said about it.
        let words: Vec<String> = known.iter().map(|kind| format!("`{}`", kind.0)).collect();
        findings.add(
            offset,
            format!("a {what} has no `kind`"),
            format!("add `kind = …`: one of {}", words.join(", ")),
        );
        return None;
    };
    let at = value.span().start.max(offset);
    let Some(word) = value.get_ref().as_str() else {
        findings.add(at, format!("`kind` of a {what} must be a text"), advise("", known.iter().map(|k| k.0)));
        return None;
    };
    let entry = known.iter().find(|entry| entry.0 == word);
    if entry.is_none() {
        if later.contains(&word) {
            findings.add(
                at,
                format!("the {what} kind `{word}` is not built yet"),
                "take it out: this version of Switchback cannot carry it out",
            );
        } else {
            let message = format!("unknown {what} kind `{}`", shown(word));
            findings.add(at, message, advise(word, known.iter().map(|entry| entry.0)));
        }
    }
    entry
}

fn read_changes<'a>(phase: &Fields<'a>, findings: &'a Findings<'a>) -> Vec<ChangePlan> {
    let known: Vec<_> = change::KINDS.iter().map(|kind| (kind.word, kind)).collect();
    let mut changes = Vec::new();
    for (offset, table) in phase.tables("change") {
        let title = "`[[phase.change]]`";
        let kind = read_kind(table, offset, "change", &known, change::NOT_BUILT, findings);
        let Some((word, kind)) = kind else { continue };
        let keys: Vec<Key> = CHANGE.iter().chain(kind.keys).copied().collect();
        let fields = Fields::new(table, offset, title, &keys, findings);
        if let Some(change) = (kind.read)(&fields) {
            changes.push(ChangePlan { name: fields.text("name"), kind: word, change });
        }
    }
    changes
}

fn read_checks<'a>(plan: &Fields<'a>, phases: &[String], findings: &'a Findings<'a>) -> Vec<CheckPlan> {
    let known: Vec<_> = check::KINDS.iter().map(|kind| (kind.word, kind)).collect();
    let mut checks: Vec<CheckPlan> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (offset, table) in plan.tables("check") {
        let title = "`[[check]]`";
        let kind = read_kind(table, offset, "check", &known, check::NOT_BUILT, findings);
        let Some((word, kind)) = kind else { continue };
        let keys: Vec<Key> = CHECK.iter().chain(kind.keys).copied().collect();
        let fields = Fields::new(table, offset, title, &keys, findings);
        let read = (kind.read)(&fields);
        let Some(name) = fields.filled_text("name") else { continue };
        look_at_name(&fields, &name, "check", names.iter().map(String::as_str));
        names.push(name.clone());
        let (at, every) = read_moments(&fields);
        let for_phases = read_phase_names(&fields, phases, "the check would never be carried out");
        let timeout_s = fields.whole("timeout_s").unwrap_or(CHECK_TIMEOUT_S);
        if timeout_s == 0 {
            fields.find("timeout_s", "`timeout_s` cannot be 0", "give the check at least one second");
        }
        let settings = fields.canonical();
        let hash: Hash = *blake3::hash(settings.as_bytes()).as_bytes();
        let inputs = fields.texts("inputs").unwrap_or_default().into_iter().map(PathBuf::from);
        if let Some(check) = read {
            let mut inputs: Vec<PathBuf> = inputs.collect();
            for path in check.reads() {
                if !inputs.contains(&path) {
                    inputs.push(path);
                }
            }
            checks.push(CheckPlan {
                name,
                line: findings.line_of(offset),
                kind: word,
                at,
                every,
                phases: for_phases,
                inputs,
                step: fields.word("step"),
                timeout_s,
                settings,
                hash,
                check,
            });
        }
    }
    checks
}

fn read_moments(fields: &Fields<'_>) -> (Vec<Moment>, Option<Every>) {
    let Some(texts) = fields.placed_texts("at") else { return (vec![Moment::Staged], None) };
    if texts.is_empty() {
        fields.find(
            "at",
            "`at` is empty: the check would never be carried out",
            "name a point, e.g. `staged`",
        );
    }
    let (mut moments, mut every) = (Vec::new(), None);
    for (offset, text) in texts {
        if let Some(moment) = Moment::parse(&text) {
            moments.push(moment);
            continue;
        }
        if let Some(found) = Every::parse(&text) {
            if every.replace(found).is_some() {
                let message = "`at` says twice how often the check is repeated";
                fields.findings().add(offset, message, "keep one, or make a second check");
            }
            continue;
        }
        let near = if text.starts_with('+') {
            "a delay is written as `+90s`, `+30m`, `+1h` or `+7d`, of at most a year".to_owned()
        } else if text.starts_with("every") {
            "what is repeated is written as `every 5m for 24h`, the interval not longer than the period"
                .to_owned()
        } else {
            advise(&text, ["before", "staged", "rehearsed", "live", "rolled-back"].into_iter())
        };
        fields.findings().add(offset, format!("unknown point `{}` in `at`", shown(&text)), near);
    }
    (moments, every)
}

/// The phases that something is for; `never` says what an empty list would mean.
pub(super) fn read_phase_names(fields: &Fields<'_>, phases: &[String], never: &str) -> Option<Vec<String>> {
    let texts = fields.placed_texts("phases")?;
    if texts.is_empty() {
        fields.find("phases", format!("`phases` is empty: {never}"), "name a phase, or take it out");
    }
    for (offset, text) in &texts {
        if !phases.contains(text) {
            let near = advise(text, phases.iter().map(String::as_str));
            fields.findings().add(*offset, format!("no phase is called `{}`", shown(text)), near);
        }
    }
    Some(texts.into_iter().map(|(_, text)| text).collect())
}

/// The kinds of a table of kinds, for the schema.
pub(super) fn kinds_of(shape: Shape) -> Option<(&'static [Key], Vec<KindKeys>)> {
    match shape {
        Shape::Kinds(keys, kinds) => Some((keys, kinds())),
        _ => None,
    }
}
