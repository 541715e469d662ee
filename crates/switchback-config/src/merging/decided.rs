//! What two fragments say of one key, and whose word holds.

use crate::error::ConfigError;
use crate::gather::Fragment;
use crate::layers::{Meeting, Order, overlay};
use crate::layout::{Choice, Decision};
use crate::path::{KeyPath, Step, find};
use crate::value::{Node, Value, is_same_key};

/// Two fragments of one level that both say a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Met {
    /// What they say.
    pub meeting: Meeting,
    /// The environment in which both hold; none: all of them.
    pub environment: Option<String>,
    /// What follows from it.
    pub outcome: Outcome,
}

/// What follows from two fragments that both say a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Both say the same.
    Duplicate,
    /// They differ, and nobody decided.
    Open,
    /// They differ, and the later one wins by the layout.
    LaterWins,
    /// They differ, and it was decided here.
    Decided(String),
}

impl Met {
    pub(super) fn new(meeting: Meeting, environment: Option<String>, order: Order) -> Self {
        let outcome = match order {
            _ if meeting.is_duplicate() => Outcome::Duplicate,
            Order::LaterWins => Outcome::LaterWins,
            Order::Unordered => Outcome::Open,
        };
        Self { meeting, environment, outcome }
    }

    /// Whether it has to be decided.
    pub fn is_open(&self) -> bool {
        self.outcome == Outcome::Open
    }
}

/// Carries out the decisions among the fragments of one level, on what was noted and in the tree of the level. Keys above
/// others come first, and of several decisions the one that names the most of a key holds, one for this environment alone before one for all.
pub(super) fn decide(
    met: &mut [Met],
    tree: &mut Node,
    fragments: &[&Fragment],
    decisions: &[Decision],
    environment: &str,
    used: &mut [bool],
) -> Result<(), ConfigError> {
    let mut open: Vec<KeyPath> = Vec::new();
    for met in met.iter().filter(|met| met.is_open()) {
        if !open.contains(&met.meeting.path) {
            open.push(met.meeting.path.clone());
        }
    }
    open.sort_by_key(|path| path.steps().len());
    for path in open {
        let is_here =
            |decision: &Decision| decision.environment.as_deref().is_none_or(|only| only == environment);
        let fitting = decisions
            .iter()
            .enumerate()
            .filter(|(_, decision)| is_here(decision) && is_at_or_below(&path, &decision.key));
        let weight = |decision: &Decision| (decision.key.steps().len(), decision.environment.is_some());
        let Some((number, decision)) = fitting.max_by_key(|(_, decision)| weight(decision)) else {
            continue;
        };
        let Some(value) = value(decision, &path, fragments)? else { continue };
        used[number] = true;
        set(tree, &path, value);
        for met in met.iter_mut().filter(|met| met.is_open() && met.meeting.path == path) {
            met.outcome = Outcome::Decided(decision.place.clone());
        }
    }
    Ok(())
}

/// What became of the conflicts among fragments that hold everywhere: once for all environments where it is the same in all of them, and
/// else for each.
pub(super) fn of_all(each: &[&[Met]], environments: &[String]) -> Vec<Met> {
    let Some((first, rest)) = each.split_first() else { return Vec::new() };
    let mut all = Vec::new();
    for (at, met) in first.iter().enumerate() {
        if rest.iter().all(|other| other[at].outcome == met.outcome) {
            all.push(met.clone());
            continue;
        }
        let apart = each.iter().zip(environments);
        all.extend(apart.map(|(mets, name)| Met { environment: Some(name.clone()), ..mets[at].clone() }));
    }
    all
}

/// A decision that decides nothing is a mistake.
pub(super) fn refuse_unused(decisions: &[Decision], used: &[bool]) -> Result<(), ConfigError> {
    let Some((decision, _)) = decisions.iter().zip(used).find(|(_, used)| !**used) else { return Ok(()) };
    let within = decision.environment.as_ref().map(|name| format!(" in `{name}`")).unwrap_or_default();
    let reason = format!(
        "{}: the decision on `{}`{within} decides nothing: no fragments of one level, of which it takes one, differ there",
        decision.place, decision.key
    );
    Err(ConfigError::new(reason, "correct the key or the fragment, or remove the decision"))
}

fn is_at_or_below(path: &KeyPath, above: &KeyPath) -> bool {
    let is_step = |(one, other): (&Step, &Step)| match (one, other) {
        (Step::Key(one), Step::Key(other)) => {
            is_same_key(one, other) || crate::path::words(one) == crate::path::words(other)
        }
        (one, other) => one == other,
    };
    path.steps().len() >= above.steps().len() && path.steps().iter().zip(above.steps()).all(is_step)
}

/// What holds at a path by a decision; nothing where the fragment that it takes says nothing there at this level.
fn value(decision: &Decision, path: &KeyPath, fragments: &[&Fragment]) -> Result<Option<Node>, ConfigError> {
    let taken = match &decision.choice {
        Choice::Value(node) if decision.key.steps().len() == path.steps().len() => {
            return Ok(Some(node.clone()));
        }
        Choice::Value(_) => {
            let reason = format!(
                "{}: `value` decides one key, and the fragments differ in `{path}`, which is below it",
                decision.place
            );
            return Err(ConfigError::new(reason, "name that key, or use `take`"));
        }
        Choice::Take(taken) => taken,
    };
    let is_taken = |fragment: &&&Fragment| fragment.path == *taken;
    let found = fragments.iter().find(is_taken).and_then(|fragment| find(&fragment.root, path));
    let Some(found) = found else { return Ok(None) };
    let mut node = Node { comments: None, ..found.clone() };
    if node.entries().is_some() {
        // Where a map was taken, what the other maps say beside it stays; where they differ from it below, it holds.
        for other in fragments.iter().filter(|fragment| fragment.path != *taken) {
            if let Some(other) = find(&other.root, path).filter(|other| other.entries().is_some()) {
                let mut meetings = Vec::new();
                overlay(&mut node, other.clone(), Order::Unordered, &mut meetings);
            }
        }
    }
    Ok(Some(node))
}

fn set(tree: &mut Node, path: &KeyPath, value: Node) {
    let mut node = tree;
    for step in path.steps() {
        let Value::Map(entries) = &mut node.value else { return };
        let Step::Key(key) = step else { return };
        let Some(entry) = entries.iter_mut().find(|entry| is_same_key(&entry.key.value, key)) else { return };
        node = &mut entry.node;
    }
    let comments = node.comments.take().or_else(|| value.comments.clone());
    *node = Node { comments, ..value };
}
