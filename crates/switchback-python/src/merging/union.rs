//! The proof of a merge: every definition and every test id of both sides is in the merged tree, once.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::Conflict;
use super::file::MergedFile;
use crate::moving::leaf_path;
use crate::syntax::{Binding, Dialect, Facts, Kind, Member, line_of, parse, surface};

/// One thing that speaks against a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The file of the merged tree.
    pub path: String,
    /// `module:Class.method`, or a test id.
    pub name: String,
    /// What happened to it.
    pub kind: LossKind,
}

/// What happened to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// A side defines it, the merged tree does not.
    Definition,
    /// A side tests it, the merged tree does not.
    Test,
    /// One scope defines it more often than either side did: all but the last are lost.
    Doubled,
    /// It is bound to more things than on either side.
    Rebound,
}

impl LossKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Test => "test",
            Self::Doubled => "doubled",
            Self::Rebound => "rebound",
        }
    }
}

/// A merged file that does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its path.
    pub path: String,
    /// The line of the first error, from 1.
    pub line: usize,
    /// What the error is.
    pub message: String,
}

/// What was proved of a merged tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Union {
    /// How many definitions it has.
    pub definitions: usize,
    /// How many test ids it has.
    pub tests: usize,
    /// How many files were compared with what both sides have.
    pub compared: usize,
    /// What is lost, doubled or rebound, and nobody gave up.
    pub lost: Vec<Loss>,
    /// What was lost by a decision, or given up.
    pub given_up: Vec<Loss>,
    /// Merged files that do not parse, although what they were merged from does.
    pub broken: Vec<Broken>,
    /// Files that did not parse on a side.
    pub unparsed: Vec<Broken>,
}

impl Union {
    /// Whether nothing speaks against the merge.
    pub fn holds(&self) -> bool {
        self.lost.is_empty() && self.broken.is_empty()
    }

    /// Adds what was found in one file.
    pub(super) fn add(&mut self, other: Self) {
        self.definitions += other.definitions;
        self.tests += other.tests;
        self.compared += other.compared;
        self.lost.extend(other.lost);
        self.given_up.extend(other.given_up);
        self.broken.extend(other.broken);
        self.unparsed.extend(other.unparsed);
    }
}

/// What one file says, as far as the proof asks.
#[derive(Debug, Clone, Default)]
struct Names {
    members: Vec<Member>,
    facts: Facts,
    /// Whether others import from it what it imports itself.
    is_package: bool,
}

impl Names {
    fn of(bytes: &[u8], path: &str) -> Self {
        let is_package = leaf_path(path).starts_with("__init__.");
        Self { members: surface(bytes), facts: parse(bytes, Dialect::Module), is_package }
    }

    /// What it defines; what it hands on and exports too, where it is the body of a package.
    fn set(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.members.iter().map(|member| member.name.clone()).collect();
        if self.is_package {
            names.extend(self.facts.bound().map(|(name, _)| name.to_owned()));
            names.extend(self.facts.exports.iter().flatten().map(|name| format!("__all__.{name}")));
        }
        names
    }

    /// Functions and classes, and how often each scope defines them. A name that says how it is used may be there
    /// again: overloads, and the parts of a property.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for member in &self.members {
            let is_counted = match &member.kind {
                Kind::Function { decorator, is_overload, .. } => !is_overload && decorator.is_none(),
                Kind::Class { .. } => true,
                Kind::Value { .. } => false,
            };
            if is_counted {
                *counts.entry(member.name.as_str()).or_default() += 1;
            }
        }
        counts
    }

    /// What each name of the module is bound to by imports and definitions.
    fn bound(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut bound: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (name, bindings) in self.facts.bound() {
            for binding in bindings {
                let to = match binding {
                    Binding::Import(import, at) => {
                        let Some(import) = self.facts.imports.get(*import) else { continue };
                        let Some(imported) = import.names.get(*at) else { continue };
                        match &import.from {
                            Some(from) => {
                                format!("{}{}:{}", ".".repeat(from.level), from.module, imported.name.text)
                            }
                            None if imported.alias.is_none() => name.to_owned(),
                            None => imported.name.text.clone(),
                        }
                    }
                    Binding::Definition => "a definition".to_owned(),
                    Binding::Value => continue,
                };
                bound.entry(name).or_default().insert(to);
            }
        }
        bound
    }
}

/// The test ids of a file, below its path: `test_f`, `TestClass::test_f`.
fn tests<'a>(path: &str, members: &'a [Member]) -> BTreeSet<String> {
    let leaf = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = leaf.strip_suffix(".py") else { return BTreeSet::new() };
    if !stem.starts_with("test_") && !stem.ends_with("_test") {
        return BTreeSet::new();
    }
    let is_test_class = |name: &str| {
        members.iter().any(|member| {
            let Kind::Class { bases, .. } = &member.kind else { return false };
            let is_case =
                |base: &String| base.rsplit('.').next().is_some_and(|last| last.ends_with("TestCase"));
            member.name == name && (name.starts_with("Test") || bases.iter().any(is_case))
        })
    };
    let id = |member: &'a Member| {
        if !matches!(member.kind, Kind::Function { .. }) {
            return None;
        }
        match member.name.rsplit_once('.') {
            None if member.name.starts_with("test") => Some(format!("{path}::{}", member.name)),
            Some((class, method)) if method.starts_with("test") && is_test_class(class) => {
                Some(format!("{path}::{}::{method}", class.replace('.', "::")))
            }
            _ => None,
        }
    };
    members.iter().filter_map(id).collect()
}

/// The versions of one file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sources<'a> {
    pub(super) base: Option<&'a [u8]>,
    pub(super) source: Option<&'a [u8]>,
    pub(super) target: Option<&'a [u8]>,
}

/// Proves one Python file of the merged tree; `module` is its dotted name, `given_up` what nobody is to miss.
pub(super) fn prove(
    file: &MergedFile,
    sources: Sources<'_>,
    module: &str,
    given_up: &BTreeSet<&str>,
) -> Union {
    let mut union = Union::default();
    let bytes = file.bytes().unwrap_or_default();
    let merged = Names::of(bytes, &file.path);
    let merged_tests = tests(&file.path, &merged.members);
    union.definitions = merged.set().len();
    union.tests = merged_tests.len();
    let broken = |facts: &Facts, bytes: &[u8]| {
        facts.errors.first().map(|error| Broken {
            path: file.path.clone(),
            line: line_of(bytes, error.offset).0,
            message: error.message.clone(),
        })
    };
    if file.is_verbatim && file.conflicts.is_empty() {
        // What stands there is what one side has, and the other had nothing to add.
        union.unparsed.extend(broken(&merged.facts, bytes));
        return union;
    }
    let names = |bytes: Option<&[u8]>| bytes.map(|bytes| Names::of(bytes, &file.path));
    let (base, source, target) = (names(sources.base), names(sources.source), names(sources.target));
    let sides: Vec<(&Names, &[u8])> = [(&source, sources.source), (&target, sources.target)]
        .into_iter()
        .filter_map(|(names, bytes)| Some((names.as_ref()?, bytes?)))
        .collect();
    if let Some(error) = sides.iter().find_map(|(names, bytes)| broken(&names.facts, bytes)) {
        union.unparsed.push(error);
        return union;
    }
    if file.open() > 0 {
        // The conflicts speak for themselves, and what is between markers is not lost.
        return union;
    }
    union.broken.extend(broken(&merged.facts, bytes));
    union.compared = 1;
    let mut found = Vec::new();
    let mut lose = |name: String, kind| found.push(Loss { path: file.path.clone(), name, kind });
    for name in missing(base.as_ref(), &sides, Names::set, &merged) {
        lose(format!("{module}:{name}"), LossKind::Definition);
    }
    let ids = |names: &Names| tests(&file.path, &names.members);
    for id in missing(base.as_ref(), &sides, ids, &merged) {
        lose(id, LossKind::Test);
    }
    let mut doubled: Vec<String> = Vec::new();
    for (name, count) in merged.counts() {
        let most = sides.iter().map(|(names, _)| names.counts().get(name).copied().unwrap_or(0)).max();
        // What lies in a class that is there twice is there twice with it.
        let is_within = doubled.iter().any(|outer: &String| name.starts_with(outer.as_str()));
        if count > 1 && most.is_some_and(|most| count > most) && !is_within {
            doubled.push(format!("{name}."));
            lose(format!("{module}:{name}"), LossKind::Doubled);
        }
    }
    for (name, to) in merged.bound() {
        let most = sides.iter().map(|(names, _)| names.bound().get(name).map_or(0, BTreeSet::len)).max();
        if to.len() > 1 && most.is_some_and(|most| to.len() > most) {
            lose(format!("{module}:{name}"), LossKind::Rebound);
        }
    }
    for loss in found {
        let is_meant = given_up.contains(loss.name.as_str()) || is_decided(&loss, &file.conflicts);
        if is_meant { union.given_up.push(loss) } else { union.lost.push(loss) }
    }
    union
}

/// What a side has and the merged file does not, unless one side took out on purpose what was there before.
fn missing(
    base: Option<&Names>,
    sides: &[(&Names, &[u8])],
    of: impl Fn(&Names) -> BTreeSet<String>,
    merged: &Names,
) -> BTreeSet<String> {
    let old = base.map(&of).unwrap_or_default();
    let all: Vec<BTreeSet<String>> = sides.iter().map(|(names, _)| of(names)).collect();
    let has = of(merged);
    let mut wanted: BTreeSet<String> = all.iter().flatten().cloned().collect();
    wanted.retain(|name| !has.contains(name));
    wanted.retain(|name| {
        // A side that is not there at all took the file out.
        !(old.contains(name) && (all.len() < 2 || all.iter().any(|side| !side.contains(name))))
    });
    wanted
}

/// Whether somebody decided against it: for one side, in the file or in the definition that it lies in.
fn is_decided(loss: &Loss, conflicts: &[Conflict]) -> bool {
    let name = match loss.kind {
        LossKind::Test => loss.name.split_once("::").map(|(_, name)| name.replace("::", ".")),
        _ => loss.name.split_once(':').map(|(_, name)| name.to_owned()),
    };
    let Some(name) = name else { return false };
    conflicts.iter().filter(|conflict| conflict.taken.as_deref().is_some_and(|taken| taken != "both")).any(
        |conflict| {
            conflict.definition.is_empty()
                || name == conflict.definition
                || name.strip_prefix(conflict.definition.as_str()).is_some_and(|rest| rest.starts_with('.'))
        },
    )
}
