//! What two fragments say of one key, and whose word holds.

use crate::error::ConfigError;
use crate::gather::{Fragment, Gathered};
use crate::layers::{Meeting, Order};
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

/// Carries out the decisions, on what was noted and in the trees of the environments.
pub(super) fn decide(
    met: &mut [Met],
    trees: &mut [Node],
    environments: &[String],
    gathered: &Gathered,
    decisions: &[Decision],
) -> Result<(), ConfigError> {
    for decision in decisions {
        let mut is_used = false;
        for met in met.iter_mut() {
            let is_meant = met.is_open() && is_at_or_below(&met.meeting.path, &decision.key);
            if !is_meant {
                continue;
            }
            is_used = true;
            let value = value(&decision.choice, met, decision, gathered)?;
            for (tree, environment) in trees.iter_mut().zip(environments) {
                if met.environment.as_ref().is_none_or(|only| only == environment) {
                    set(tree, &met.meeting.path, met.meeting.first.origin, &value);
                }
            }
            met.outcome = Outcome::Decided(decision.place.clone());
        }
        if !is_used {
            return Err(ConfigError::new(
                format!(
                    "{}: the decision on `{}` decides nothing: no fragments differ there",
                    decision.place, decision.key
                ),
                "correct the key, or remove the decision",
            ));
        }
    }
    Ok(())
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

fn value(choice: &Choice, met: &Met, decision: &Decision, gathered: &Gathered) -> Result<Node, ConfigError> {
    let taken = match choice {
        Choice::Value(node) if decision.key == met.meeting.path => return Ok(node.clone()),
        Choice::Value(_) => {
            let reason = format!(
                "{}: `value` decides one key, and the fragments differ in `{}`, which is below it",
                decision.place, met.meeting.path
            );
            return Err(ConfigError::new(reason, "name that key, or use `take`"));
        }
        Choice::Take(path) => path,
    };
    let is_meant = |fragment: &&Fragment| fragment.path == *taken && fragment.environment == met.environment;
    let found =
        gathered.fragments.iter().find(is_meant).and_then(|fragment| find(&fragment.root, &met.meeting.path));
    found.cloned().map(|node| Node { comments: None, ..node }).ok_or_else(|| {
        let reason = format!("{}: `{taken}` is no fragment that says `{}`", decision.place, met.meeting.path);
        ConfigError::new(reason, "take one of the fragments that differ there, or give a `value`")
    })
}

/// Puts a value where the first of those that differ stands; where an environment has a value of its own, that stays.
fn set(tree: &mut Node, path: &KeyPath, first: crate::value::Origin, value: &Node) {
    let mut node = tree;
    for step in path.steps() {
        let Value::Map(entries) = &mut node.value else { return };
        let Step::Key(key) = step else { return };
        let Some(entry) = entries.iter_mut().find(|entry| is_same_key(&entry.key.value, key)) else { return };
        node = &mut entry.node;
    }
    if node.origin == first {
        let comments = node.comments.take();
        *node = Node { comments, ..value.clone() };
    }
}
