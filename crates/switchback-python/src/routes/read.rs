//! Reads the routes of one tree.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use super::arguments::Arguments;
use super::collect::{Collector, Found, Root};
use super::evaluate::Evaluator;
use super::value::{Entry, Framework, Value, What};
use super::{Route, Undecided, described};
use crate::deep::deep;
use crate::index::Index;
use crate::roots;
use crate::syntax::line_of;
use crate::tree::{Class, Tree, is_test};

/// Words of files that are about routes.
const MARKS: &[&str] = &[
    "fastapi",
    "FastAPI",
    "APIRouter",
    "starlette",
    "Starlette",
    "flask",
    "Flask",
    "Blueprint",
    "quart",
    "urlpatterns",
    "django.urls",
    "django.conf.urls",
    "ROOT_URLCONF",
    "DefaultRouter",
    "SimpleRouter",
    "add_url_rule",
    "include_router",
    "register_blueprint",
    "add_api_route",
    "api_route",
    "add_route",
    "add_resource",
    ".route(",
    ".mount(",
    "@router.",
    "@app.",
    "@bp.",
];
/// Words of functions that do something about routes, whoever calls them.
const DEEDS: &[&str] = &[
    "FastAPI(",
    "APIRouter(",
    "Starlette(",
    "Flask(",
    "Blueprint(",
    "Quart(",
    ".route(",
    ".api_route(",
    ".websocket(",
    "add_url_rule(",
    "add_api_route(",
    "add_route(",
    "include_router(",
    "register_blueprint(",
    ".mount(",
    "add_resource(",
    "@app.",
    "@router.",
    "@bp.",
    "add_websocket_route(",
    ".register(",
    "include(",
    "path(",
];
/// Words of files that make an application.
const MAKERS: &[&str] = &["FastAPI(", "Starlette(", "Flask(", "Quart(", "APIFlask(", "ROOT_URLCONF"];
/// Names of parameters that are an application by habit.
const GIVEN: &[&str] = &["app", "application", "router", "blueprint", "bp", "api", "api_router"];

/// What is to be read.
#[derive(Debug, Clone, Default)]
pub struct RoutesOptions {
    /// The root of the tree.
    pub root: PathBuf,
    /// Source roots, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Whether routes that tests make for themselves count.
    pub with_tests: bool,
}

/// The routes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// A file or folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The threads for it could not be started.
    #[error("the threads that read files could not be started: {0}")]
    Threads(String),
}

/// The routes of a tree.
#[derive(Debug, Clone, Default)]
pub struct RoutesOutcome {
    /// The routes, by application, in the order in which they are asked.
    pub routes: Vec<Route>,
    /// What could not be read.
    pub undecided: Vec<Undecided>,
    /// How many files were looked at.
    pub scanned: usize,
    /// Tests that were not looked at.
    pub tests: usize,
}

impl RoutesOutcome {
    /// *Yes* when there are routes and all could be read; *unknown* otherwise.
    pub fn verdict(&self) -> Verdict {
        if self.routes.is_empty() || !self.undecided.is_empty() { Verdict::Unknown } else { Verdict::Yes }
    }
}

/// Reads the routes of the tree at `options.root`.
pub fn routes(disk: Arc<dyn Disk>, options: &RoutesOptions) -> Result<RoutesOutcome, RoutesError> {
    deep(|| read(disk, options)).map_err(RoutesError::Threads)?
}

fn read(disk: Arc<dyn Disk>, options: &RoutesOptions) -> Result<RoutesOutcome, RoutesError> {
    let tree = Tree::open(disk, &options.root)?;
    let source_roots = roots::given_or_found(&tree, &options.source_roots);
    of_tree(&Index::new(&tree, &source_roots), options.with_tests)
}

/// Words that put routes together which other files define.
const JOINS: &[&str] = &[
    "urlpatterns",
    "ROOT_URLCONF",
    "include_router(",
    "register_blueprint(",
    ".mount(",
    "add_url_rule(",
    "add_api_route(",
    "add_resource(",
    "add_route(",
];

/// The files that define routes, describe them, or put them together.
pub(crate) fn files_of_routes(index: &Index<'_>) -> Result<BTreeSet<String>, RoutesError> {
    let mut files: BTreeSet<String> =
        of_tree(index, false)?.routes.into_iter().map(|route| route.file).collect();
    let joins = search(JOINS)?;
    for file in index.tree.files.iter().filter(|file| file.class == Class::Python && !is_test(&file.path)) {
        if index.tree.content_if(file, |bytes| joins.is_match(bytes))?.is_some() {
            files.insert(file.path.clone());
        }
    }
    Ok(files)
}

fn of_tree(index: &Index<'_>, with_tests: bool) -> Result<RoutesOutcome, RoutesError> {
    let tree = index.tree;
    let is_looked_at = |path: &str| with_tests || !is_test(path);
    let marks = search(MARKS)?;
    let relevant: Vec<bool> = tree
        .files
        .par_iter()
        .map(|file| {
            let is_one = file.class == Class::Python && is_looked_at(&file.path);
            Ok(is_one && tree.content_if(file, |bytes| marks.is_match(bytes))?.is_some())
        })
        .collect::<Result<_, DiskError>>()?;
    let tests =
        tree.files.iter().filter(|file| file.class == Class::Python && !is_looked_at(&file.path)).count();
    let scanned = tree.files.iter().filter(|file| file.class == Class::Python).count() - tests;
    let mut evaluator = Evaluator::new(index, relevant);
    follow(&mut evaluator, tree)?;
    let mut found = gather(&mut evaluator);
    found.undecided.extend(broken(&evaluator, tree));
    for file in tree.files.iter().filter(|file| is_looked_at(&file.path)) {
        let described = described::read(tree, file);
        found.routes.extend(described.routes);
        found.undecided.extend(described.undecided);
    }
    Ok(RoutesOutcome { routes: found.routes, undecided: found.undecided, scanned, tests })
}

/// Files about routes that do not parse: what could be recovered was followed.
fn broken(evaluator: &Evaluator<'_, '_>, tree: &Tree) -> Vec<Undecided> {
    let files = tree.files.iter().enumerate().filter(|(at, _)| evaluator.is_relevant(*at));
    files
        .filter_map(|(_, file)| {
            let error = tree.facts(file).errors.first().cloned()?;
            let bytes = tree.content(file).ok()?;
            Some(Undecided {
                what: file.path.clone(),
                why: format!("it does not parse: {}", error.message),
                file: file.path.clone(),
                line: line_of(&bytes, error.offset).0,
                framework: None,
            })
        })
        .collect()
}

fn search(words: &[&str]) -> Result<AhoCorasick, RoutesError> {
    AhoCorasick::new(words).map_err(|error| RoutesError::Threads(error.to_string()))
}

/// Runs all files that are about routes, and the functions in them that nobody calls.
fn follow(evaluator: &mut Evaluator<'_, '_>, tree: &Tree) -> Result<(), RoutesError> {
    let makers = search(MAKERS)?;
    let files: Vec<usize> = (0..tree.files.len()).filter(|at| evaluator.is_relevant(*at)).collect();
    let makes = |at: &usize| {
        tree.file(*at)
            .and_then(|file| tree.content(file).ok())
            .is_some_and(|bytes| makers.is_match(bytes.as_ref()))
    };
    let (first, rest): (Vec<usize>, Vec<usize>) = files.into_iter().partition(makes);
    for file in first.into_iter().chain(rest) {
        evaluator.module(file);
    }
    let deeds = search(DEEDS)?;
    let mut at = 0;
    // Running one can define more.
    while at < evaluator.functions.len() {
        run_if_idle(evaluator, at, &deeds);
        at += 1;
    }
    Ok(())
}

fn run_if_idle(evaluator: &mut Evaluator<'_, '_>, at: usize, deeds: &AhoCorasick) {
    let Some(function) = evaluator.functions.get(at).filter(|function| function.runs == 0).cloned() else {
        return;
    };
    let index = evaluator.index;
    let content = index.tree.file(function.file).and_then(|file| index.tree.content(file).ok());
    let is_deed = content.is_some_and(|bytes| deeds.is_match(function.definition.span.of(&bytes)));
    if !is_deed || !evaluator.is_relevant(function.file) {
        return;
    }
    let own = function.class.map(|class| evaluator.any_of(class));
    // Making one may have run it.
    if evaluator.functions.get(at).is_some_and(|function| function.runs > 0) {
        return;
    }
    let mut arguments = Arguments::default();
    for parameter in &function.definition.parameters {
        let annotation =
            parameter.annotation.as_ref().map(|written| evaluator.value(function.frame, written));
        let framework = match &annotation {
            Some(Value::Outside(dotted)) => given_framework(dotted),
            _ => None,
        };
        let framework =
            framework.or_else(|| GIVEN.contains(&parameter.name.as_str()).then_some(Framework::FastApi));
        if let Some(framework) = framework.filter(|_| parameter.default.is_none()) {
            let router = evaluator.router(framework, false, None);
            if let Some(router) = evaluator.routers.get_mut(router) {
                router.is_given = true;
            }
            arguments.names.push((parameter.name.clone(), Value::Router(router)));
        }
    }
    if let Some(own) = own {
        // The first parameter is what it is bound to.
        let first = function.definition.parameters.first().map(|first| first.name.clone());
        arguments.names.retain(|(name, _)| Some(name) != first.as_ref());
        let given = evaluator.call_function(at, Some(own), &arguments);
        evaluator.keep_loose(given);
    } else {
        let given = evaluator.call_function(at, None, &arguments);
        evaluator.keep_loose(given);
    }
}

/// The framework whose application an annotation names.
fn given_framework(dotted: &str) -> Option<Framework> {
    let leaf = dotted.rsplit('.').next().unwrap_or_default();
    match leaf {
        "FastAPI" | "APIRouter" => Some(Framework::FastApi),
        "Starlette" | "Router" => Some(Framework::Starlette),
        "Flask" | "Blueprint" | "Quart" => Some(Framework::Flask),
        _ => None,
    }
}

fn gather(evaluator: &mut Evaluator<'_, '_>) -> Found {
    let mut found = Found::default();
    let (named, patterns) = evaluator.url_configurations();
    let applications: Vec<usize> = (0..evaluator.routers.len())
        .filter(|at| {
            evaluator.routers.get(*at).is_some_and(|router| router.is_application && !router.is_included)
        })
        .collect();
    let loose: Vec<usize> = (0..evaluator.routers.len())
        .filter(|at| {
            evaluator.routers.get(*at).is_some_and(|router| {
                !router.is_application && !router.is_included && !router.entries.is_empty()
            })
        })
        .collect();
    let stray = std::mem::take(&mut evaluator.stray);
    let reached = evaluator.included_patterns();
    let givens: Vec<bool> =
        loose.iter().map(|at| evaluator.routers.get(*at).is_some_and(|router| router.is_given)).collect();
    let lists = evaluator.loose.len();
    let mut collector = Collector::new(evaluator);
    for application in applications {
        found.take(collector.collect(Root::Router(application)));
    }
    for file in &named {
        found.take(collector.collect(Root::Patterns(*file)));
    }
    for file in patterns {
        if collector.visited.contains(&file) || reached.contains(&file) {
            continue;
        }
        if named.is_empty() {
            found.take(collector.collect(Root::Patterns(file)));
            continue;
        }
        let why = "no `ROOT_URLCONF` that could be found leads to its `urlpatterns`";
        found.take_loose(collector.collect(Root::Patterns(file)), why);
    }
    for (router, is_given) in loose.into_iter().zip(givens) {
        let why = if is_given {
            "it is added to what a function is given, and no call of that function could be read"
        } else {
            "its router is in no application that could be found"
        };
        found.take_loose(collector.collect(Root::Router(router)), why);
    }
    for at in 0..lists {
        let why = "a function gives it, and who takes it could not be read";
        found.take_loose(collector.collect(Root::Loose(at)), why);
    }
    for Entry { place, what, .. } in stray {
        if let What::Undecided(text, why) = what {
            let (file, line) = collector.where_is(place);
            found.undecided.push(Undecided { what: text, why, file, line, framework: None });
        }
    }
    found.settle();
    found
}

impl Found {
    fn take(&mut self, other: Self) {
        for route in other.routes {
            if !self.routes.contains(&route) {
                self.routes.push(route);
            }
        }
        self.undecided.extend(other.undecided);
    }

    /// Routes that nobody is known to serve are undecided.
    fn take_loose(&mut self, other: Self, why: &str) {
        self.undecided.extend(other.undecided);
        self.undecided.extend(other.routes.into_iter().map(|route| Undecided {
            what: format!("{} {} → {}", route.method, route.path, route.handler),
            why: why.to_owned(),
            file: route.file,
            line: route.line,
            framework: Some(route.framework),
        }));
    }

    /// Each once: an application that is made several times says everything several times; and what is a route of one
    /// that is known needs no line for one that is not.
    fn settle(&mut self) {
        let mut seen = BTreeSet::new();
        let known: BTreeSet<(String, usize)> =
            self.routes.iter().map(|route| (route.file.clone(), route.line)).collect();
        self.undecided.retain(|one| {
            let is_told = one.what.contains(" → ")
                && known.contains(&(one.file.clone(), one.line))
                && one.why.contains("could be");
            !is_told && seen.insert((one.file.clone(), one.line, one.what.clone(), one.why.clone()))
        });
    }
}
