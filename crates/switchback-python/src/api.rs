//! The public surface of two trees, compared: what was removed, added or changed, and whether callers break.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::index::leaf_of;
use crate::offer::{Found, Offer, Surface};
use crate::syntax::{Kind, Parameter, ParameterKind};
use crate::tree::Tree;

/// Two trees to compare.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// The old tree, or package.
    pub old: PathBuf,
    /// The new one.
    pub new: PathBuf,
    /// Modules that moved, old name and new name: they are compared through it.
    pub moved: Vec<(String, String)>,
}

/// How something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is gone.
    Removed,
    /// It is new.
    Added,
    /// Its parameters, or its bases, are others.
    Signature,
    /// It is another kind of thing, or its annotation is another.
    Type,
    /// Its value is another.
    Value,
}

impl ChangeKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Signature => "signature",
            Self::Type => "type",
            Self::Value => "value",
        }
    }
}

/// One change of the surface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What changed, dotted, as it is called in the old tree; in the new one when it was added.
    pub symbol: String,
    /// How.
    pub kind: ChangeKind,
    /// How it was written.
    pub old: Option<String>,
    /// How it is written.
    pub new: Option<String>,
    /// Whether code that used it can break.
    pub breaking: bool,
}

/// What came of a comparison.
#[derive(Debug, Clone, Default)]
pub struct ApiOutcome {
    /// How many public names the old tree offers.
    pub symbols: usize,
    /// The changes, by name.
    pub changes: Vec<Change>,
}

impl ApiOutcome {
    /// *No* when a change breaks callers; *unknown* when the old tree offers nothing.
    pub fn verdict(&self) -> Verdict {
        if self.symbols == 0 {
            Verdict::Unknown
        } else if self.changes.iter().any(|change| change.breaking) {
            Verdict::No
        } else {
            Verdict::Yes
        }
    }

    /// The document `switchback/api/1`.
    pub fn to_json(&self) -> Value {
        let changes: Vec<Value> = self
            .changes
            .iter()
            .map(|change| {
                let mut value =
                    json!({"symbol": change.symbol, "kind": change.kind.word(), "breaking": change.breaking});
                for (key, text) in [("old", &change.old), ("new", &change.new)] {
                    if let Some(text) = text {
                        value[key] = json!(text);
                    }
                }
                value
            })
            .collect();
        json!({"schema": "switchback/api/1", "verdict": self.verdict().word(), "symbols": self.symbols, "changes": changes})
    }
}

/// Compares two surfaces.
pub fn api(disk: &Arc<dyn Disk>, options: &ApiOptions) -> Result<ApiOutcome, DiskError> {
    let (old_tree, new_tree) =
        (Tree::open(disk.clone(), &options.old)?, Tree::open(disk.clone(), &options.new)?);
    let (old, new) = (Surface::of(&old_tree, &options.old), Surface::of(&new_tree, &options.new));
    let renamed = |name: &str| through(&options.moved, name);
    let mut changes = Vec::new();
    let mut met = std::collections::BTreeSet::new();
    for (name, offer) in &old.offers {
        let target = renamed(name);
        match new.find(&target) {
            Found::Nothing => {
                // What lies in something that is gone needs no line of its own.
                let is_gone = |head: &str| matches!(new.find(&renamed(head)), Found::Nothing);
                let is_within = parents(name).any(|head| old.offers.contains_key(head) && is_gone(head));
                if !is_within {
                    changes.push(Change {
                        symbol: name.clone(),
                        kind: ChangeKind::Removed,
                        old: Some(shown(offer)),
                        new: None,
                        breaking: true,
                    });
                }
            }
            Found::Offer(other) => compare(name, old.definition(offer), other, &renamed, &mut changes),
            Found::Elsewhere => {}
        }
        met.insert(target);
    }
    for (name, offer) in new.offers.iter().filter(|(name, _)| !met.contains(*name)) {
        let is_within = parents(name).any(|head| new.offers.contains_key(head) && !met.contains(head));
        if !is_within {
            changes.push(Change {
                symbol: name.clone(),
                kind: ChangeKind::Added,
                old: None,
                new: Some(shown(offer)),
                breaking: false,
            });
        }
    }
    changes.sort();
    Ok(ApiOutcome { symbols: old.offers.len(), changes })
}

/// A dotted name as it is called after what `moved` says, old names and new ones; the longest match wins.
pub(crate) fn through(moved: &[(String, String)], name: &str) -> String {
    let best = moved
        .iter()
        .filter(|(from, _)| {
            name.strip_prefix(from.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
        .max_by_key(|(from, _)| from.len());
    best.map_or(name.to_owned(), |(from, to)| {
        format!("{to}{}", name.strip_prefix(from.as_str()).unwrap_or_default())
    })
}

fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('.').map(|(head, _)| head), |head| {
        head.rsplit_once('.').map(|(head, _)| head)
    })
}

fn compare(
    name: &str,
    old: &Offer,
    new: &Offer,
    renamed: &impl Fn(&str) -> String,
    changes: &mut Vec<Change>,
) {
    // Where a name comes from is nobody's business as long as it is there; what it is, is.
    let (Offer::Defined(old_kinds), Offer::Defined(new_kinds)) = (old, new) else { return };
    if old_kinds == new_kinds {
        return;
    }
    if let Some((kind, breaking)) = change(old_kinds, new_kinds, renamed) {
        let (old, new) = (Some(shown(old)), Some(shown(new)));
        changes.push(Change { symbol: name.to_owned(), kind, old, new, breaking });
    }
}

/// How two definitions differ, and whether callers can break.
fn change(old: &[Kind], new: &[Kind], renamed: &impl Fn(&str) -> String) -> Option<(ChangeKind, bool)> {
    match (old.last()?, new.last()?) {
        (Kind::Function { .. }, Kind::Function { .. }) => function_change(old, new),
        (
            Kind::Class { bases: before, is_dataclass: was },
            Kind::Class { bases: after, is_dataclass: is },
        ) => {
            let before: Vec<String> = before.iter().map(|base| renamed(base)).collect();
            if before != *after {
                let is_there = |base: &String| after.iter().any(|other| leaf_of(other) == leaf_of(base));
                return Some((ChangeKind::Signature, !before.iter().all(is_there)));
            }
            (was != is).then_some((ChangeKind::Type, *was))
        }
        (
            Kind::Value { literal: before, annotation: old_annotation, is_set: was },
            Kind::Value { literal: after, annotation: new_annotation, is_set: is },
        ) => {
            // Only literals have a value that can be read; a computed one may be what it was.
            if before.is_some() && after.is_some() && before != after {
                return Some((ChangeKind::Value, false));
            }
            // A field that loses its default must be given from now on.
            if was != is {
                return Some((ChangeKind::Signature, *was && !*is));
            }
            (old_annotation != new_annotation).then_some((ChangeKind::Type, false))
        }
        _ => Some((ChangeKind::Type, true)),
    }
}

fn function_change(old: &[Kind], new: &[Kind]) -> Option<(ChangeKind, bool)> {
    let (
        Kind::Function { parameters: before, returns: gave, is_async: was, decorator: old_decorator, .. },
        Kind::Function { parameters: after, returns: gives, is_async: is, decorator: new_decorator, .. },
    ) = (old.last()?, new.last()?)
    else {
        return None;
    };
    if was != is || old_decorator != new_decorator {
        return Some((ChangeKind::Type, true));
    }
    if let Some(breaking) = signature(before, after) {
        return Some((ChangeKind::Signature, breaking));
    }
    if gave != gives || annotations(before) != annotations(after) {
        return Some((ChangeKind::Type, false));
    }
    // Overloads that are gone were promises to type checkers.
    (old.len() != new.len()).then_some((ChangeKind::Signature, old.len() > new.len()))
}

fn annotations(parameters: &[Parameter]) -> Vec<Option<&str>> {
    parameters.iter().map(|parameter| parameter.annotation.as_deref()).collect()
}

/// Whether two lists of parameters differ for a caller, and whether a call that was right can be wrong.
fn signature(old: &[Parameter], new: &[Parameter]) -> Option<bool> {
    let plain = |parameters: &[Parameter]| -> Vec<(String, ParameterKind, Option<String>)> {
        parameters.iter().map(|one| (one.name.clone(), one.kind, one.default.clone())).collect()
    };
    if plain(old) == plain(new) {
        return None;
    }
    Some(breaks(old, new))
}

fn breaks(old: &[Parameter], new: &[Parameter]) -> bool {
    let by_position = |parameters: &[Parameter]| -> Vec<Parameter> {
        parameters
            .iter()
            .filter(|one| matches!(one.kind, ParameterKind::PositionOnly | ParameterKind::Either))
            .cloned()
            .collect()
    };
    let takes = |parameters: &[Parameter], kind| parameters.iter().any(|one| one.kind == kind);
    let (old_places, new_places) = (by_position(old), by_position(new));
    for (at, parameter) in old_places.iter().enumerate() {
        let is_named = parameter.kind == ParameterKind::Either;
        match new_places.get(at) {
            Some(there) if there.name == parameter.name => {
                let lost_name = is_named && there.kind == ParameterKind::PositionOnly;
                let lost_default = parameter.default.is_some() && there.default.is_none();
                if lost_name || lost_default {
                    return true;
                }
            }
            // Another one has its place: who gives it by position means something else now.
            Some(_) if is_named || parameter.name != "self" => return true,
            Some(_) => {}
            None if takes(new, ParameterKind::Positions) && !is_named => {}
            None => return true,
        }
    }
    for parameter in old.iter().filter(|one| one.kind == ParameterKind::KeywordOnly) {
        let there = new.iter().find(|one| {
            one.name == parameter.name
                && matches!(one.kind, ParameterKind::KeywordOnly | ParameterKind::Either)
        });
        match there {
            Some(there) if parameter.default.is_some() && there.default.is_none() => return true,
            Some(_) => {}
            None if takes(new, ParameterKind::Keywords) => {}
            None => return true,
        }
    }
    let is_new_duty = new.iter().any(|one| {
        let is_asked = matches!(
            one.kind,
            ParameterKind::PositionOnly | ParameterKind::Either | ParameterKind::KeywordOnly
        );
        is_asked && one.default.is_none() && !old.iter().any(|other| other.name == one.name)
    });
    let lost = |kind| takes(old, kind) && !takes(new, kind);
    is_new_duty || lost(ParameterKind::Positions) || lost(ParameterKind::Keywords)
}

fn shown(offer: &Offer) -> String {
    match offer {
        Offer::Imported(target) if target.is_empty() => "module".to_owned(),
        Offer::Imported(target) => format!("import of {target}"),
        Offer::Defined(kinds) => kinds.iter().map(shown_kind).collect::<Vec<_>>().join(" | "),
    }
}

fn shown_kind(kind: &Kind) -> String {
    match kind {
        Kind::Function { parameters, returns, is_async, .. } => {
            let mut shown: Vec<String> = Vec::new();
            let mut is_star_needed = true;
            for (at, one) in parameters.iter().enumerate() {
                if one.kind == ParameterKind::Positions {
                    is_star_needed = false;
                }
                if one.kind == ParameterKind::KeywordOnly && std::mem::take(&mut is_star_needed) {
                    shown.push("*".to_owned());
                }
                shown.push(shown_parameter(one));
                let is_last_by_position = one.kind == ParameterKind::PositionOnly
                    && parameters.get(at + 1).is_none_or(|next| next.kind != ParameterKind::PositionOnly);
                if is_last_by_position {
                    shown.push("/".to_owned());
                }
            }
            let returns = returns.as_ref().map(|returns| format!(" -> {returns}")).unwrap_or_default();
            let before = if *is_async { "async " } else { "" };
            format!("{before}({}){returns}", shown.join(", "))
        }
        Kind::Class { bases, .. } => format!("class({})", bases.join(", ")),
        Kind::Value { literal, annotation, .. } => {
            let annotation =
                annotation.as_ref().map(|annotation| format!(": {annotation}")).unwrap_or_default();
            let literal = literal.as_ref().map(|literal| format!(" = {literal}")).unwrap_or_default();
            format!("value{annotation}{literal}")
        }
    }
}

fn shown_parameter(parameter: &Parameter) -> String {
    let star = match parameter.kind {
        ParameterKind::Positions => "*",
        ParameterKind::Keywords => "**",
        _ => "",
    };
    let annotation =
        parameter.annotation.as_ref().map(|annotation| format!(": {annotation}")).unwrap_or_default();
    let default = parameter.default.as_ref().map(|default| format!("={default}")).unwrap_or_default();
    format!("{star}{}{annotation}{default}", parameter.name)
}
