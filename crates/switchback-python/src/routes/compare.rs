//! The routes of two trees, held against each other: kept, lost, added, and how what was kept changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use super::read::{RoutesError, RoutesOptions, RoutesOutcome, routes};
use super::template::UNREAD;
use super::value::Framework;
use super::{Route, Undecided};
use crate::api::through;

/// Two trees whose routes are compared.
#[derive(Debug, Clone)]
pub struct CompareRoutesOptions {
    /// The old tree.
    pub old: RoutesOptions,
    /// The new one.
    pub new: RoutesOptions,
    /// Modules and names that moved, old and new: handlers are compared through it.
    pub moved: Vec<(String, String)>,
}

/// How a kept route changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteChangeKind {
    /// Another function answers.
    Handler,
    /// A parameter is called otherwise, or restricted otherwise.
    Parameters,
    /// Any method was answered, and now only some are known to be.
    Methods,
    /// It is there under another condition.
    Condition,
    /// An earlier route answers instead, and did not before.
    Shadowed,
    /// The document names other servers.
    Servers,
}

impl RouteChangeKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Parameters => "parameters",
            Self::Methods => "methods",
            Self::Condition => "condition",
            Self::Shadowed => "shadowed",
            Self::Servers => "servers",
        }
    }
}

/// A route that was kept and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// How.
    pub kind: RouteChangeKind,
    /// As it was.
    pub old: Route,
    /// As it is.
    pub new: Route,
}

/// A route of the old tree that was not found in the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRoute {
    /// As it was.
    pub route: Route,
    /// A route of the new tree that may stand for it.
    pub near: Option<String>,
    /// Whether it is gone: its handler may still answer it, at a path that could not be read.
    pub is_sure: bool,
}

/// What came of a comparison.
#[derive(Debug, Clone, Default)]
pub struct RoutesComparison {
    /// What the old tree has.
    pub old: RoutesOutcome,
    /// What the new tree has.
    pub new: RoutesOutcome,
    /// How many routes of the old tree are in the new one.
    pub kept: usize,
    /// Routes of the old tree that were not found in the new one.
    pub lost: Vec<LostRoute>,
    /// Routes of the new tree that the old one has not.
    pub added: Vec<Route>,
    /// Kept routes that changed.
    pub changed: Vec<RouteChange>,
}

impl RoutesComparison {
    /// *No* when a route is lost; *unknown* when the old tree has none, or something could not be read in which one may
    /// have been lost, or when one may be answered no more.
    pub fn verdict(&self) -> Verdict {
        let is_doubtful = |change: &RouteChange| {
            matches!(
                change.kind,
                RouteChangeKind::Methods | RouteChangeKind::Shadowed | RouteChangeKind::Condition
            )
        };
        if self.old.routes.is_empty() {
            Verdict::Unknown
        } else if self.lost.iter().any(|lost| lost.is_sure) {
            Verdict::No
        } else if !self.lost.is_empty()
            || !self.old.undecided.is_empty()
            || self.changed.iter().any(is_doubtful)
        {
            Verdict::Unknown
        } else {
            Verdict::Yes
        }
    }

    /// What could not be read, with the tree it is in: `old`, `new`, or `both`.
    pub fn undecided(&self) -> Vec<(&Undecided, &'static str)> {
        let same = |one: &Undecided, other: &Undecided| one.what == other.what && one.why == other.why;
        let mut found: Vec<(&Undecided, &'static str)> = Vec::new();
        for one in &self.old.undecided {
            let is_both = self.new.undecided.iter().any(|other| same(one, other));
            found.push((one, if is_both { "both" } else { "old" }));
        }
        let only_new =
            self.new.undecided.iter().filter(|one| !self.old.undecided.iter().any(|other| same(one, other)));
        found.extend(only_new.map(|one| (one, "new")));
        found
    }
}

/// Compares the routes of two trees.
pub fn compare_routes(
    disk: &Arc<dyn Disk>,
    options: &CompareRoutesOptions,
) -> Result<RoutesComparison, RoutesError> {
    let old = routes(disk.clone(), &options.old)?;
    let new = routes(disk.clone(), &options.new)?;
    Ok(compare(old, new, &options.moved))
}

/// What a route is compared by: documents are held against documents.
fn key_of(route: &Route) -> (bool, String) {
    (route.framework == Framework::OpenApi, route.key.clone())
}

fn compare(old: RoutesOutcome, new: RoutesOutcome, moved: &[(String, String)]) -> RoutesComparison {
    let mut left: BTreeMap<(bool, String), Vec<usize>> = BTreeMap::new();
    for (at, route) in new.routes.iter().enumerate() {
        left.entry(key_of(route)).or_default().push(at);
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut open: Vec<usize> = (0..old.routes.len()).collect();
    // The same handler first: of two applications with one path each keeps its own.
    for pass in [Pass::Handler, Pass::Method, Pass::Any] {
        open.retain(|at| {
            let Some(route) = old.routes.get(*at) else { return false };
            let Some(candidates) = left.get_mut(&key_of(route)) else { return true };
            let found = candidates
                .iter()
                .position(|other| new.routes.get(*other).is_some_and(|other| pass.fits(route, other, moved)));
            let Some(found) = found else { return true };
            pairs.push((*at, candidates.remove(found)));
            false
        });
    }
    // A route that answers any method answers for several.
    let mut shared = Vec::new();
    open.retain(|at| {
        let Some(route) = old.routes.get(*at) else { return false };
        let any = new
            .routes
            .iter()
            .position(|other| key_of(other) == key_of(route) && other.method == "*" && !other.is_outside);
        shared.extend(any.map(|other| (*at, other)));
        any.is_none()
    });
    pairs.extend(&shared);
    let added: Vec<Route> = {
        let mut rest: Vec<usize> = left.into_values().flatten().collect();
        rest.sort_unstable();
        // What took the place of "any method" is not new.
        let widened: Vec<(bool, String)> = pairs
            .iter()
            .filter_map(|(old_at, _)| old.routes.get(*old_at))
            .filter(|route| route.method == "*" && !route.is_outside)
            .map(key_of)
            .collect();
        rest.into_iter()
            .filter(|at| !shared.iter().any(|(_, other)| other == at))
            .filter_map(|at| new.routes.get(at))
            .filter(|route| !widened.contains(&key_of(route)))
            .cloned()
            .collect()
    };
    pairs.sort_unstable();
    let changed = pairs
        .iter()
        .filter_map(|(one, other)| old.routes.get(*one).zip(new.routes.get(*other)))
        .flat_map(|(one, other)| changes(one, other, moved))
        .collect();
    let lost = open
        .iter()
        .filter_map(|at| old.routes.get(*at))
        .map(|route| lost_route(route, &new, moved))
        .collect();
    RoutesComparison { kept: pairs.len(), lost, added, changed, old, new }
}

/// How alike two routes of one path must be to be one.
#[derive(Clone, Copy)]
enum Pass {
    Handler,
    Method,
    Any,
}

impl Pass {
    fn fits(self, old: &Route, new: &Route, moved: &[(String, String)]) -> bool {
        let is_method = old.method == new.method && old.is_outside == new.is_outside;
        match self {
            Self::Handler => is_method && handler_of(old, moved) == new.handler,
            Self::Method => is_method,
            Self::Any => old.method == "*" && !old.is_outside && !new.is_outside,
        }
    }
}

/// The handler of an old route as it is called in the new tree.
fn handler_of(route: &Route, moved: &[(String, String)]) -> String {
    let Some((module, name)) = route.handler.split_once(':') else { return route.handler.clone() };
    let whole = through(moved, &format!("{module}.{name}"));
    let own_module = through(moved, module);
    if let Some(name) = whole.strip_prefix(&format!("{own_module}.")) {
        return format!("{own_module}:{name}");
    }
    // A single definition moved: it is found by its own name.
    let depth = name.matches('.').count() + 1;
    let names: Vec<&str> = whole.split('.').collect();
    let (module, name) = names.split_at(names.len().saturating_sub(depth));
    format!("{}:{}", module.join("."), name.join("."))
}

fn changes(old: &Route, new: &Route, moved: &[(String, String)]) -> Vec<RouteChange> {
    let mut kinds = Vec::new();
    if handler_of(old, moved) != new.handler {
        kinds.push(RouteChangeKind::Handler);
    }
    let names = |route: &Route| route.parameters.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    // Another framework writes restrictions otherwise.
    let is_other = old.framework == new.framework
        && old
            .parameters
            .iter()
            .map(|one| &one.converter)
            .ne(new.parameters.iter().map(|one| &one.converter));
    if names(old) != names(new) || is_other {
        kinds.push(RouteChangeKind::Parameters);
    }
    if old.method != new.method && old.method == "*" {
        kinds.push(RouteChangeKind::Methods);
    }
    if old.condition != new.condition && new.condition.is_some() {
        kinds.push(RouteChangeKind::Condition);
    }
    if old.framework == Framework::OpenApi {
        if old.note != new.note {
            kinds.push(RouteChangeKind::Servers);
        }
    } else if old.note.is_none() && new.note.is_some() {
        kinds.push(RouteChangeKind::Shadowed);
    }
    kinds.into_iter().map(|kind| RouteChange { kind, old: old.clone(), new: new.clone() }).collect()
}

fn lost_route(route: &Route, new: &RoutesOutcome, moved: &[(String, String)]) -> LostRoute {
    let handler = handler_of(route, moved);
    let is_it = |one: &&Undecided| {
        one.what.contains(UNREAD)
            && one.what.split_once(" → ").is_some_and(|(what, answers)| {
                let method = what.split(' ').next().unwrap_or_default();
                answers == handler && (method == route.method || matches!(method, "*" | "?"))
            })
    };
    match new.undecided.iter().find(is_it) {
        Some(one) => {
            let near =
                format!("its handler answers at a path that could not be read, at {}:{}", one.file, one.line);
            LostRoute { route: route.clone(), near: Some(near), is_sure: false }
        }
        None => LostRoute { route: route.clone(), near: near(route, &new.routes, moved), is_sure: true },
    }
}

/// A route of the new tree that may stand for a lost one.
fn near(lost: &Route, new: &[Route], moved: &[(String, String)]) -> Option<String> {
    let plain = |key: &str| key.trim_end_matches('/').to_ascii_lowercase();
    let told = |route: &Route| format!("`{} {}` at {}:{}", route.method, route.path, route.file, route.line);
    let slash = new.iter().find(|route| plain(&route.key) == plain(&lost.key) && route.key != lost.key);
    if let Some(route) = slash {
        return Some(format!("there is {}", told(route)));
    }
    if let Some(route) = new.iter().find(|route| route.key == lost.key) {
        return Some(format!("the path is there for another method: {}", told(route)));
    }
    let handler = handler_of(lost, moved);
    let same = new.iter().find(|route| !handler.is_empty() && handler != "?" && route.handler == handler);
    same.map(|route| format!("its handler answers {}", told(route)))
}
