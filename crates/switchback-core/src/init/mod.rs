//! `init`: a first plan for a project, from what stands in it.
//!
//! The way of the data: `listing` looks, bounded → `layout`, `settings`, `suite`, `history` and `interpreter` make facts of
//! it, each with its ground → `candidate` and `checks` decide → `text` writes → our own reader reads it → it is published.
//! Nothing of the project is run or changed: git is asked, and Python compiles without writing.

mod candidate;
mod checks;
mod history;
mod interpreter;
mod layout;
mod listing;
mod names;
mod quote;
mod settings;
mod suite;
mod text;

use std::path::{Path, PathBuf};

pub use candidate::Candidate;

use self::candidate::Source;
use self::checks::Written;
use self::interpreter::Interpreter;
use self::layout::Layout;
use self::listing::{FileEntry, Listing};
use self::settings::Settings;
use self::suite::TestPlan;
use crate::phase::preview::preview;
use crate::phase::{Ports, Project, StepError};
use crate::plan::{self, PLAN_FILE, PlanError};
use crate::world::{Disk, DiskError, World};

/// So many paths are managed at most: each is exchanged by a call of its own.
const MANAGED_MAX: usize = 200;
/// A larger project's own guess of a candidate is not tried: both trees would have to be read.
const TRIED_ENTRIES_MAX: u64 = 20_000;
const NAME_CHARACTERS_MAX: usize = 100;
const PLAN_MODE: u32 = 0o644;

/// What can be asked for.
#[derive(Debug, Clone, Default)]
pub struct InitOptions {
    /// Where the candidate comes from, as it is to stand in the plan; found out when left out.
    pub from: Option<String>,
}

/// What was found, and written.
#[derive(Debug, Clone)]
pub struct InitOutcome {
    /// The plan file.
    pub path: PathBuf,
    /// What the project is called.
    pub project: String,
    /// The managed paths, in order.
    pub managed: Vec<ManagedPath>,
    /// Paths that checked copies link to, each with its reason.
    pub linked: Vec<(String, String)>,
    /// Databases that are backed up and never changed.
    pub also: Vec<String>,
    /// Where the candidate comes from.
    pub candidate: Candidate,
    /// The checks.
    pub checks: Vec<WrittenCheck>,
    /// What a person should know beside it: sentences without a full stop.
    pub notes: Vec<String>,
    /// How many entries were looked at.
    pub entries: u64,
    /// Whether these were all.
    pub is_complete: bool,
}

/// A managed path, and what it was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPath {
    /// Relative to the root.
    pub path: String,
    /// Whether what the candidate does not have is deleted.
    pub delete: bool,
    /// What it was taken for, and on what ground.
    pub what: String,
}

/// A check of the written plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenCheck {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// What it looks at.
    pub what: String,
    /// Whether it is carried out; else it is only written as a comment, which says why.
    pub is_active: bool,
}

/// No plan was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one already.
    #[error("there is a `switchback.toml` in `{}` already", .0.display())]
    Exists(PathBuf),
    /// There is nothing that a plan could manage.
    #[error("there is neither code nor configuration in `{}` that a plan could manage", .0.display())]
    NothingFound(PathBuf),
    /// The candidate that was named cannot be one.
    #[error("the candidate `{from}` {why}")]
    Source {
        /// As it was named.
        from: String,
        /// What is wrong with it.
        why: String,
    },
    /// Our own reader refuses what was written: a defect of Switchback.
    #[error(transparent)]
    Unreadable(#[from] PlanError),
    /// The plan that was written cannot be shown.
    #[error(transparent)]
    Preview(#[from] StepError),
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Everything that the text is made of.
#[derive(Debug)]
struct Facts {
    name: String,
    name_why: String,
    listing: Listing,
    layout: Layout,
    has_git: bool,
    /// Whether the project is made to be installed.
    is_distribution: bool,
    candidate: Candidate,
    python: Option<Interpreter>,
    /// Why there is no interpreter.
    python_problem: String,
    tests: Option<TestPlan>,
    notes: Vec<String>,
}

/// Looks at the project at `root` and writes a plan for it.
///
/// # Errors
///
/// When there is a plan already, nothing to manage, or no candidate where one was named; then nothing is written.
pub fn init(root: &Path, options: &InitOptions, ports: &Ports) -> Result<InitOutcome, InitError> {
    let disk = ports.world.disk.as_ref();
    let path = root.join(PLAN_FILE);
    if disk.look(&path)?.is_some() {
        return Err(InitError::Exists(root.to_owned()));
    }
    let source = options.from.as_deref().map(|from| candidate::open(&ports.world, root, from)).transpose()?;
    let mut facts = look(root, options, source.as_ref(), ports)?;
    let known = match &source {
        Some(Source::Known(listing)) => Some(listing),
        _ => None,
    };
    let checks = checks::all(&facts, known);
    facts.notes.extend(checks::not_compiled(&facts));
    facts.notes.extend(checks.iter().flat_map(|check| check.warnings.iter().cloned()));
    let mut text = text::plan(&facts, &checks);
    if let Err(error) = try_plan(root, &text, &facts, options, ports) {
        // What was asked for is an error when it does not work; what was only a guess is guessed again.
        let InitError::Preview(why) = error else { return Err(error) };
        if options.from.is_some() {
            return Err(why.into());
        }
        facts.candidate = candidate::without(&facts.candidate, &why.to_string());
        text = text::plan(&facts, &checks);
        try_plan(root, &text, &facts, options, ports)?;
    }
    publish(disk, &path, &text, ports.world.surroundings.process_id())?;
    Ok(outcome(path, facts, checks))
}

/// Reads the text as a plan, and does what `switchback plan` does with it, where that takes seconds at most.
fn try_plan(
    root: &Path,
    text: &str,
    facts: &Facts,
    options: &InitOptions,
    ports: &Ports,
) -> Result<(), InitError> {
    let plan = plan::read(text.as_bytes(), root, ports.world.disk.as_ref())?;
    if options.from.is_some() || facts.listing.entries <= TRIED_ENTRIES_MAX {
        preview(&Project { root: root.to_owned(), plan, ports: ports.clone() })?;
    }
    Ok(())
}

fn look(
    root: &Path,
    options: &InitOptions,
    source: Option<&Source>,
    ports: &Ports,
) -> Result<Facts, InitError> {
    let world = &ports.world;
    let disk = world.disk.as_ref();
    let inside = options.from.as_deref().and_then(candidate::inside);
    let listing = listing::look(world, root, inside.as_deref())?;
    let settings = settings::read(disk, root, &listing);
    let mut layout = Layout::of(&listing, &settings.source_roots);
    let mut notes = listing.notes();
    if let Some(Source::Known(theirs)) = source {
        notes.extend(join(&mut layout, theirs, &settings, options)?);
    }
    if layout.managed.is_empty() {
        return Err(InitError::NothingFound(root.to_owned()));
    }
    if layout.managed.len() > MANAGED_MAX {
        notes.push(format!("only the first {MANAGED_MAX} of {} paths are managed", layout.managed.len()));
        layout.managed.truncate(MANAGED_MAX);
    }
    let history = history::look(world, root, &layout.managed);
    let is_from_git = options.from.as_ref().is_none_or(|from| from.starts_with("git:"));
    if let Some(history) = history.as_ref().filter(|_| is_from_git) {
        keep_untracked(&mut layout, &history.untracked);
    }
    if !settings.damaged.is_empty() {
        notes.push(format!("could not be read, and was passed over: {}", listing::named(&settings.damaged)));
    }
    let candidate = candidate::choose(options.from.as_deref(), history.as_ref());
    let (name, name_why) = name(root, settings.name.clone());
    let mut facts = Facts {
        name,
        name_why,
        listing,
        layout,
        has_git: history.is_some(),
        is_distribution: settings.name.is_some(),
        candidate,
        python: None,
        python_problem: String::new(),
        tests: None,
        notes,
    };
    try_python(root, &settings, world, &mut facts);
    Ok(facts)
}

/// Finds out which Python runs the code, what it makes of it, and how the tests are run.
fn try_python(root: &Path, settings: &Settings, world: &World, facts: &mut Facts) {
    let is_managed_python =
        |file: &FileEntry| file.class == names::Class::Python && facts.layout.is_managed(&file.path);
    if !facts.listing.files.iter().any(is_managed_python) {
        return;
    }
    let suite = suite::look(world.disk.as_ref(), root, &facts.listing, &facts.layout, settings);
    let name = settings.name.as_ref().map(|(name, _)| name.as_str());
    match interpreter::find(world, root, &facts.listing, &facts.layout.managed, &suite::modules(), name) {
        Ok(python) => {
            for refused in &python.refused {
                facts.notes.push(format!("{refused}; so `{}` is asked instead", python.word));
            }
            facts.tests = suite.plan(&facts.layout, &facts.listing, &python);
            facts.python = Some(python);
        }
        Err(why) => {
            facts.notes.push(format!("no Python runs here, so nothing of the code was tried: {why}"));
            facts.python_problem = why;
        }
    }
    if suite.is_empty() {
        let note = "no tests were found: the plan proves little until it has a check of your own";
        facts.notes.push(note.to_owned());
    }
}

/// Manages what the candidate has, too; a candidate that has nothing of the kind is none.
fn join(
    layout: &mut Layout,
    theirs: &Listing,
    settings: &Settings,
    options: &InitOptions,
) -> Result<Option<String>, InitError> {
    let found = Layout::of(theirs, &settings.source_roots);
    let left = candidate::join(layout, &found);
    if !layout.managed.iter().any(|item| theirs.has(&item.path)) {
        let from = plan::shown(options.from.as_deref().unwrap_or_default());
        let why = "has neither code nor configuration that a plan could manage".to_owned();
        return Err(InitError::Source { from, why });
    }
    let words = format!(
        "managed by parts here, so what is new in the candidate beside these is left: {}",
        listing::named(&left)
    );
    Ok((!left.is_empty()).then_some(words))
}

/// What git does not have would be deleted by a candidate from git: it is kept.
fn keep_untracked(layout: &mut Layout, untracked: &[String]) {
    for item in &mut layout.managed {
        let kept: Vec<String> = untracked
            .iter()
            .filter(|path| names::is_below(path.trim_end_matches('/'), &item.path))
            .cloned()
            .collect();
        if !kept.is_empty() {
            item.overlaid = true;
            item.what = format!("{}; keeps what git does not have: {}", item.what, listing::named(&kept));
        }
    }
}

/// The project's name, and where it comes from.
fn name(root: &Path, said: Option<(String, &'static str)>) -> (String, String) {
    let clean = |text: &str| -> String {
        let plain = text.trim().chars().filter(|char| !char.is_control() && *char != '\u{fffd}');
        plain.take(NAME_CHARACTERS_MAX).collect()
    };
    if let Some((name, file)) =
        said.map(|(name, file)| (clean(&name), file)).filter(|(name, _)| !name.is_empty())
    {
        return (name, format!("as `{file}` says"));
    }
    let folder = clean(&root.file_name().unwrap_or_default().to_string_lossy());
    if folder.is_empty() {
        ("project".to_owned(), "the folder has no name".to_owned())
    } else {
        (folder, "the name of the folder".to_owned())
    }
}

/// Writes the plan whole or not at all, and never over another.
fn publish(disk: &dyn Disk, path: &Path, text: &str, process: u32) -> Result<(), InitError> {
    let folder = path.parent().unwrap_or(path);
    let fresh = folder.join(format!(".{PLAN_FILE}.{process}.new"));
    let written = disk
        .write_new(&fresh, PLAN_MODE, &mut text.as_bytes())
        .and_then(|()| disk.sync_file(&fresh))
        .and_then(|()| disk.rename(&fresh, path));
    if let Err(error) = written {
        // Of no use to anybody; that it could not be removed either changes nothing.
        drop(disk.remove_file(&fresh));
        let exists = error.source.kind() == std::io::ErrorKind::AlreadyExists && error.doing == "rename";
        return Err(if exists { InitError::Exists(folder.to_owned()) } else { error.into() });
    }
    Ok(disk.sync_directory(folder)?)
}

fn outcome(path: PathBuf, facts: Facts, checks: Vec<Written>) -> InitOutcome {
    let managed =
        |item: layout::Item| ManagedPath { path: item.path, delete: !item.overlaid, what: item.what };
    let check = |check: Written| WrittenCheck {
        name: check.name.to_owned(),
        kind: check.kind.to_owned(),
        what: check.what,
        is_active: check.is_active,
    };
    InitOutcome {
        path,
        project: facts.name,
        managed: facts.layout.managed.into_iter().map(managed).collect(),
        linked: facts.layout.linked.into_iter().map(|named| (named.path, named.what)).collect(),
        also: facts.layout.databases,
        candidate: facts.candidate,
        checks: checks.into_iter().map(check).collect(),
        notes: facts.notes,
        entries: facts.listing.entries,
        is_complete: facts.listing.is_complete(),
    }
}
