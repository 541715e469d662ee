//! The plan: what is managed, which phases change it, which checks and triggers guard it.
//!
//! The way in: [`load`] reads `switchback.toml` → `fields` asks every table for its keys and collects findings →
//! [`Plan`], which holds no text of the file any more. `schema` makes the JSON Schema from the same tables of keys.

mod anchor;
mod approver;
mod criterion;
mod environment;
mod fields;
mod file;
mod finding;
mod key;
mod lists;
mod moment;
mod notify;
mod package;
mod paths;
mod playbook;
mod process;
mod scalar;
mod schema;
mod server;
mod shadow;
mod snapshot;
mod trigger;
mod undo;
mod window;

use std::path::{Path, PathBuf};

pub use anchor::{Anchor, AnchorPlace};
pub use approver::{Approve, Approver};
pub use criterion::{CriterionPlan, CriterionPoint};
pub use environment::Dependencies;
pub use fields::{Fields, NamedText, OneOrMore, TextOrTable, advise, shown};
pub use file::{LoadError, PLAN_BYTES_MAX, PLAN_FILE, load, plan_keys, read};
pub use finding::{Finding, Findings, PlanError, place};
pub use key::{Key, KindKeys, Shape};
pub use moment::{Every, Moment};
pub use notify::{Channel, Form, Receiver, Severity, Turn};
pub use package::Package;
pub use paths::{STATE_FOLDER, relative};
pub use playbook::{Playbook, Restore};
pub use process::{GENERATION, Handover, PARALLEL, Probe, Process, Ready};
pub use scalar::Scalar;
pub use schema::json_schema;
pub use server::SftpAddress;
pub use shadow::{Inputs, Shadow};
pub use snapshot::{Keep, Remote, Snapshot};
pub use trigger::{Action, Breakage, Condition, Damage, Direction, OffBy, Trigger, is_beyond};
pub use undo::Undo;
pub use window::{Opening, Window, WindowStanding};

use crate::change::Change;
use crate::check::Check;
use crate::manifest::Hash;
use crate::signature::PublicKey;
use crate::tree::exchange::Way;

/// A plan that can be carried out.
#[derive(Debug)]
pub struct Plan {
    /// The plan file.
    pub path: PathBuf,
    /// The root of the project: the folder that holds the plan file.
    pub root: PathBuf,
    /// BLAKE3 of the plan file's bytes.
    pub hash: Hash,
    /// `[project]`.
    pub project: Project,
    /// `[snapshot]`.
    pub snapshot: Snapshot,
    /// The environment variable that names the environment, from `[environment]`.
    pub environment: Option<String>,
    /// The dependency environments that go live with the tree, from `[[environment.dependencies]]`.
    pub dependencies: Vec<Dependencies>,
    /// `[rehearsal]`.
    pub rehearsal: Rehearsal,
    /// The phases, at least one, in order.
    pub phases: Vec<Phase>,
    /// The checks; there may be none, and then every report says so.
    pub checks: Vec<CheckPlan>,
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// What must be true, by point.
    pub criteria: Vec<CriterionPlan>,
    /// The playbooks.
    pub playbooks: Vec<Playbook>,
    /// What runs the tree, in the order in which it is started.
    pub processes: Vec<Process>,
    /// Who approves, and is known by a key.
    pub approvers: Vec<Approver>,
    /// `[window]`.
    pub window: Window,
    /// Who is told what turn a run took.
    pub receivers: Vec<Receiver>,
    /// Where heads of the journal are kept outside.
    pub anchors: Vec<Anchor>,
    /// `[package]`.
    pub package: Package,
    /// What old and new run side by side before a phase goes live.
    pub shadows: Vec<Shadow>,
    /// Why the plan file cannot be used, where this only stands in for it.
    pub fault: Option<String>,
}

/// What is changed, and how it is exchanged.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The paths that the plan may change: relative, disjoint, at least one.
    pub managed: Vec<Managed>,
    /// Unmanaged paths that a checked tree links to instead of copying them: large data that is only read.
    pub linked: Vec<PathBuf>,
    /// The mechanism of the exchange that the plan asks for; `None`: found by probing.
    pub mechanism: Option<Mechanism>,
    /// Whether commands that work on copies are kept from writing to the live project and from reading its managed paths.
    pub confine: bool,
}

/// A path that the plan may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed {
    /// Relative to the root.
    pub path: PathBuf,
    /// Whether files that the candidate does not have are deleted (mirrored), or kept (overlaid).
    pub delete: bool,
}

/// How a candidate becomes live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// All managed paths are links into a generation; one rename switches them together.
    Pointer,
    /// Each managed path is exchanged with its candidate by one `renameat2(RENAME_EXCHANGE)`.
    Exchange,
    /// Each managed path is renamed away, and its candidate into its place.
    TwoRenames,
    /// Each managed path stays, and what is in it is replaced entry by entry.
    FileByFile,
}

impl Mechanism {
    /// All of them, the best one first.
    pub const ALL: [Self; 4] = [Self::Pointer, Self::Exchange, Self::TwoRenames, Self::FileByFile];

    /// The word for it: `pointer`, `exchange`, `two-renames` or `file-by-file`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pointer => "pointer",
            Self::Exchange => "exchange",
            Self::TwoRenames => "two-renames",
            Self::FileByFile => "file-by-file",
        }
    }

    /// How a path that is exchanged for itself changes places with its candidate.
    pub fn way(self) -> Way {
        match self {
            Self::Pointer | Self::Exchange => Way::Exchange,
            Self::TwoRenames => Way::TwoRenames,
            Self::FileByFile => Way::FileByFile,
        }
    }

    /// Reads the word that [`Mechanism::word`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.word() == word)
    }
}

/// What the rehearsal has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// The command that builds the environment of the checks at `rehearsed`; `None`: they have that of all others.
    pub environment: Option<String>,
    /// The building is given up after this long.
    pub timeout_s: u64,
}

/// One reversible change.
#[derive(Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Who must approve.
    pub approve: Approve,
    /// What of it goes back alone, and what only together.
    pub undo: Undo,
    /// How the candidate is made: at least one change, in order.
    pub changes: Vec<ChangePlan>,
    /// BLAKE3 of what the plan says about managed paths and this phase's changes: the candidate is bound to it.
    pub hash: Hash,
}

/// One change of a phase.
#[derive(Debug)]
pub struct ChangePlan {
    /// Its name, where it has one: a rollback of this change alone is asked for by it.
    pub name: Option<String>,
    /// Its kind, as in the plan.
    pub kind: &'static str,
    /// What it does.
    pub change: Box<dyn Change>,
}

/// One check.
#[derive(Debug)]
pub struct CheckPlan {
    /// Its name.
    pub name: String,
    /// The line of the plan file in which it begins, from 1.
    pub line: usize,
    /// Its kind, as in the plan.
    pub kind: &'static str,
    /// When it is carried out.
    pub at: Vec<Moment>,
    /// After the cutover it is carried out again and again.
    pub every: Option<Every>,
    /// For which phases; `None`: for all.
    pub phases: Option<Vec<String>>,
    /// Files and folders that it reads beside the trees; its evidence is bound to their content.
    pub inputs: Vec<PathBuf>,
    /// What it looks at after a rollback: `imports`, `function`, `data`, `speed` or `tests`, where the plan says so.
    pub step: Option<String>,
    /// It is given up after this long.
    pub timeout_s: u64,
    /// Everything that the plan says about it, as text that does not depend on layout.
    pub settings: String,
    /// BLAKE3 of that.
    pub hash: Hash,
    /// What it looks at.
    pub check: Box<dyn Check>,
}

impl Plan {
    /// A plan that says nothing, where the plan file cannot be used: for a rollback, whose transactions say what was
    /// exchanged, and for what is told from the journal alone. `fault` says why.
    pub fn stand_in(root: &Path, fault: String) -> Self {
        let project = Project {
            name: "?".to_owned(),
            managed: Vec::new(),
            linked: Vec::new(),
            mechanism: None,
            confine: true,
        };
        let snapshot = Snapshot::default();
        Self {
            path: root.join(PLAN_FILE),
            root: root.to_owned(),
            hash: Hash::default(),
            project,
            snapshot,
            environment: None,
            dependencies: Vec::new(),
            rehearsal: Rehearsal::default(),
            phases: Vec::new(),
            checks: Vec::new(),
            triggers: Vec::new(),
            criteria: Vec::new(),
            playbooks: Vec::new(),
            receivers: Vec::new(),
            anchors: Vec::new(),
            processes: Vec::new(),
            approvers: Vec::new(),
            window: Window::default(),
            package: Package::default(),
            shadows: Vec::new(),
            fault: Some(fault),
        }
    }

    /// The phase of that name.
    pub fn phase(&self, name: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// The checks of a phase at a moment, in the order of the plan.
    pub fn checks_at<'a>(&'a self, phase: &'a str, moment: Moment) -> impl Iterator<Item = &'a CheckPlan> {
        self.checks.iter().filter(move |check| check.is_for(phase) && check.at.contains(&moment))
    }

    /// The shadows of a phase, in the order of the plan.
    pub fn shadows_of<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = &'a Shadow> {
        self.shadows.iter().filter(move |shadow| shadow.is_for(phase))
    }

    /// The triggers on checks of a phase, in the order of the plan.
    pub fn triggers_of<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = (&'a Trigger, &'a CheckPlan)> {
        let check_of = move |trigger: &'a Trigger| {
            let of_phase = |check: &&CheckPlan| check.name == trigger.condition.check && check.is_for(phase);
            Some((trigger, self.checks.iter().find(of_phase)?))
        };
        self.triggers.iter().filter_map(check_of)
    }

    /// The playbook of that name.
    pub fn playbook(&self, name: &str) -> Option<&Playbook> {
        self.playbooks.iter().find(|playbook| playbook.name == name)
    }

    /// The persons who have a role and are known by a key; none: the role is approved in without one.
    pub fn approvers_of(&self, role: &str) -> impl Iterator<Item = &Approver> {
        self.approvers.iter().filter(move |approver| approver.has(role))
    }

    /// Whether a role is approved in with a key, and in no other way.
    pub fn is_keyed(&self, role: &str) -> bool {
        self.approvers_of(role).next().is_some()
    }

    /// Whose key it is.
    pub fn approver_with(&self, key: &PublicKey) -> Option<&Approver> {
        self.approvers.iter().find(|approver| approver.keys.contains(key))
    }

    /// The delays after the cutover at which a phase is looked at, shortest first.
    pub fn watch_moments(&self, phase: &str) -> Vec<Moment> {
        let checks = self.checks.iter().filter(|check| check.is_for(phase));
        let mut moments: Vec<Moment> =
            checks.flat_map(|check| check.at.iter().copied()).filter(|at| at.delay_s().is_some()).collect();
        moments.sort();
        moments.dedup();
        moments
    }

    /// The checks of a phase that are carried out again and again after the cutover.
    pub fn repeated_checks<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = (&'a CheckPlan, Every)> {
        self.checks
            .iter()
            .filter(move |check| check.is_for(phase))
            .filter_map(|check| Some((check, check.every?)))
    }

    /// The folder of the project's state: `.switchback` at its root.
    pub fn state(&self) -> PathBuf {
        self.root.join(STATE_FOLDER)
    }
}

impl CheckPlan {
    /// Whether it is carried out for that phase.
    pub fn is_for(&self, phase: &str) -> bool {
        self.phases.as_ref().is_none_or(|phases| phases.iter().any(|name| name == phase))
    }
}
