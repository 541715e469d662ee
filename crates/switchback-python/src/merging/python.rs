//! The merge of Python by its structure: definitions by name, imports by what they bind, all else line by line.

use std::collections::{HashMap, HashSet};

use super::lines::{self, Clash, Piece, push_text, settle};
use super::listing::{self, Listed};
use crate::syntax::{Body, Span, Unit, UnitKind, units};

/// The texts of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a> {
    /// What both come from.
    pub(super) base: Option<&'a [u8]>,
    /// What the source says.
    pub(super) source: &'a [u8],
    /// What the target says.
    pub(super) target: &'a [u8],
}

/// Merges a Python file: line by line as git does; by structure where that leaves conflicts or no ancestor is known.
pub(super) fn merge(texts: Texts<'_>) -> Vec<Piece> {
    let by_line = match texts.base {
        Some(base) => lines::merge(base, texts.source, texts.target),
        None => lines::compare(texts.source, texts.target),
    };
    if lines::clashes(&by_line) == 0 {
        return by_line;
    }
    let Some(by_structure) = structured(texts) else { return by_line };
    let is_sound = lines::clean(&by_structure).is_none_or(|text| crate::syntax::parses(&text));
    let is_tighter = texts.base.is_none() || lines::clashes(&by_structure) <= lines::clashes(&by_line);
    if is_sound && is_tighter { by_structure } else { by_line }
}

fn structured(texts: Texts<'_>) -> Option<Vec<Piece>> {
    let (source, target) = (units(texts.source)?, units(texts.target)?);
    let base = match texts.base {
        Some(base) => Some(units(base)?),
        None => None,
    };
    let mut pieces = Vec::new();
    // A byte order mark is the target's.
    push_text(
        &mut pieces,
        texts.target.get(..3).filter(|start| *start == b"\xef\xbb\xbf").unwrap_or_default(),
    );
    pieces.extend(texts.body(base.as_ref(), &source, &target, "")?);
    Some(pieces)
}

/// A unit as the sides have it.
#[derive(Debug, Clone, Copy, Default)]
struct Slot<'a> {
    base: Option<&'a Unit>,
    source: Option<&'a Unit>,
    target: Option<&'a Unit>,
}

impl<'a> Slot<'a> {
    fn any(&self) -> Option<&'a Unit> {
        self.target.or(self.source).or(self.base)
    }

    /// Whether one side alone has it, and nobody had it before.
    fn is_added_by_one(&self) -> bool {
        self.base.is_none() && self.source.is_some() != self.target.is_some()
    }
}

impl Texts<'_> {
    fn body(&self, base: Option<&Body>, source: &Body, target: &Body, within: &str) -> Option<Vec<Piece>> {
        let slots = slots(base, source, target)?;
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(slot) = slots.get(at) {
            let run: Vec<&Slot<'_>> =
                slots.iter().skip(at).take_while(|slot| slot.is_added_by_one()).collect();
            if run.is_empty() {
                self.slot(slot, within, &mut pieces)?;
                at += 1;
            } else {
                self.run(&run, within, &mut pieces);
                at += run.len();
            }
        }
        let tail = |body: Option<&Body>, bytes: &[u8]| {
            body.and_then(|body| body.tail).map_or_else(Vec::new, |tail| tail.of(bytes).to_vec())
        };
        let (one, other) = (tail(Some(source), self.source), tail(Some(target), self.target));
        let old = self.base.map(|bytes| tail(base, bytes));
        for piece in self.remarks(old.as_deref(), &one, &other) {
            join(&mut pieces, piece);
        }
        Some(pieces)
    }

    /// Units that stand side by side and that one side each added.
    fn run(&self, run: &[&Slot<'_>], within: &str, pieces: &mut Vec<Piece>) {
        let of_source: Vec<&Unit> = run.iter().filter_map(|slot| slot.source).collect();
        let of_target: Vec<&Unit> = run.iter().filter_map(|slot| slot.target).collect();
        if of_source.is_empty() || of_target.is_empty() || are_independent(&of_source, &of_target) {
            for slot in run {
                for (unit, bytes) in [(slot.target, self.target), (slot.source, self.source)] {
                    if let Some(unit) = unit {
                        join(pieces, Piece::Text(unit.span.of(bytes).to_vec()));
                    }
                }
            }
            return;
        }
        let text = |units: &[&Unit], bytes: &[u8]| -> Vec<u8> {
            units.iter().flat_map(|unit| unit.span.of(bytes).iter().copied()).collect()
        };
        let base = self.base.map(|_| Vec::new());
        let (source, target) = (text(&of_source, self.source), text(&of_target, self.target));
        let mut found = Vec::new();
        settle(&mut found, base, &source, &target);
        let label = of_target.first().map(|unit| unit.label.as_str()).unwrap_or_default();
        name(&mut found, &dotted(within, label));
        for piece in found {
            join(pieces, piece);
        }
    }

    fn slot(&self, slot: &Slot<'_>, within: &str, pieces: &mut Vec<Piece>) -> Option<()> {
        let label = dotted(within, &slot.any()?.label);
        let (source, target) = match (slot.source, slot.target) {
            (Some(source), Some(target)) => (source, target),
            (one, other) => {
                // The other side took it out: that stands, unless this one changed it.
                let old = core(slot.base?, self.base?);
                let (side, bytes) = if one.is_some() { (one, self.source) } else { (other, self.target) };
                let Some(side) = side else { return Some(()) };
                if core(side, bytes) != old {
                    let text = side.span.of(bytes).to_vec();
                    let (source, target) =
                        if one.is_some() { (text, Vec::new()) } else { (Vec::new(), text) };
                    let base = Some(slot.base?.span.of(self.base?).to_vec());
                    join(pieces, Piece::Clash(Clash { base, source, target, definition: label }));
                }
                return Some(());
            }
        };
        let old = slot.base.zip(self.base);
        let above = self.remarks(
            old.map(|(unit, bytes)| lead(unit, bytes)).or(self.base.map(|_| &[][..])),
            lead(source, self.source),
            lead(target, self.target),
        );
        let mut found = above;
        found.extend(self.core(slot.base, source, target, &label)?);
        name(&mut found, &label);
        for piece in found {
            join(pieces, piece);
        }
        Some(())
    }

    /// A unit that both sides have, without what stands above it.
    fn core(&self, base: Option<&Unit>, source: &Unit, target: &Unit, label: &str) -> Option<Vec<Piece>> {
        let (one, other) = (core(source, self.source), core(target, self.target));
        let old = base.zip(self.base).map(|(unit, bytes)| core(unit, bytes));
        if one == other || old == Some(one) {
            return Some(vec![Piece::Text(other.to_vec())]);
        }
        if old == Some(other) {
            return Some(vec![Piece::Text(one.to_vec())]);
        }
        if let (Some(inner), Some(other_inner)) = (&source.inner, &target.inner)
            && base.is_none_or(|base| base.inner.is_some())
        {
            let header = |unit: &Unit, end: usize, bytes: &[u8]| {
                Span::new(core_start(unit, bytes), end).of(bytes).to_vec()
            };
            let one = header(source, inner.header.end, self.source);
            let other = header(target, other_inner.header.end, self.target);
            let base_inner = base.and_then(|base| base.inner.as_ref().map(|inner| (base, inner)));
            let old =
                base_inner.zip(self.base).map(|((base, inner), bytes)| header(base, inner.header.end, bytes));
            let mut pieces = self.texts(old, &one, &other);
            let body = base_inner.map(|(_, inner)| &inner.body);
            pieces.extend(self.body(body, &inner.body, &other_inner.body, label)?);
            return Some(pieces);
        }
        if !source.items.is_empty() && !target.items.is_empty() {
            let listed = |unit, bytes| Listed { bytes, unit, start: core_start(unit, bytes) };
            let old = base.zip(self.base).map(|(unit, bytes)| listed(unit, bytes));
            if let Some(text) = listing::merge(old, listed(source, self.source), listed(target, self.target))
            {
                return Some(vec![Piece::Text(text)]);
            }
        }
        Some(self.texts(old.map(<[u8]>::to_vec), one, other))
    }

    fn texts(&self, old: Option<Vec<u8>>, source: &[u8], target: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        match old {
            _ if source == target => push_text(&mut pieces, target),
            Some(old) => pieces = lines::merge(&old, source, target),
            None => settle(&mut pieces, self.base.map(|_| Vec::new()), source, target),
        }
        pieces
    }

    /// Blank lines and remarks: those who have more of the same are right, and blank lines are the target's.
    fn remarks(&self, old: Option<&[u8]>, source: &[u8], target: &[u8]) -> Vec<Piece> {
        let said = |text: &[u8]| -> Vec<Vec<u8>> {
            lines::lines(text)
                .into_iter()
                .map(|line| line.trim_ascii().to_vec())
                .filter(|line| !line.is_empty())
                .collect()
        };
        let (one, other) = (said(source), said(target));
        let before = old.map(said);
        let all = |text: &[u8]| if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.to_vec())] };
        if one == other {
            let is_target_unchanged = old.is_some_and(|old| old == target);
            return all(if is_target_unchanged { source } else { target });
        }
        if before.as_ref() == Some(&one) {
            return all(target);
        }
        if before.as_ref() == Some(&other) {
            return all(source);
        }
        if before.is_none() && one.iter().all(|line| other.contains(line)) {
            return all(target);
        }
        if before.is_none() && other.iter().all(|line| one.contains(line)) {
            return all(source);
        }
        self.texts(old.map(<[u8]>::to_vec), source, target)
    }
}

/// Whether units that were added at one place do not care for each other: new names, none bound to two things.
fn are_independent(source: &[&Unit], target: &[&Unit]) -> bool {
    let is_free = |unit: &&Unit| {
        matches!(unit.kind, UnitKind::Import | UnitKind::Definition | UnitKind::Value | UnitKind::Exports)
    };
    if !source.iter().chain(target).all(is_free) {
        return false;
    }
    let bound = |units: &[&Unit]| -> HashMap<String, String> {
        let mut bound = HashMap::new();
        for unit in units {
            if unit.kind == UnitKind::Import {
                for item in &unit.items {
                    let is_root = unit.origin.is_empty() && !item.word.contains(" as ");
                    let from =
                        if is_root { item.bound.clone() } else { format!("{} {}", unit.origin, item.word) };
                    bound.insert(item.bound.clone(), from);
                }
            } else {
                bound.insert(unit.label.clone(), unit.key.clone());
            }
        }
        bound
    };
    let (one, other) = (bound(source), bound(target));
    one.iter().all(|(name, from)| other.get(name).is_none_or(|same| same == from)) && !one.contains_key("*")
}

/// The units of all sides in the order of the merged body; nothing when both sides reordered what was there.
fn slots<'a>(base: Option<&'a Body>, source: &'a Body, target: &'a Body) -> Option<Vec<Slot<'a>>> {
    let by_key = |body: &'a Body| -> HashMap<&'a str, &'a Unit> {
        body.units.iter().map(|unit| (unit.key.as_str(), unit)).collect()
    };
    let old = base.map(by_key).unwrap_or_default();
    let (one, other) = (by_key(source), by_key(target));
    let order = |body: &'a Body, known: &HashMap<&str, &Unit>| -> Vec<&'a str> {
        body.units.iter().map(|unit| unit.key.as_str()).filter(|key| known.contains_key(key)).collect()
    };
    let is_target_first = if order(source, &other) == order(target, &one) {
        true
    } else if let Some(base) = base {
        let all: HashSet<&str> =
            old.keys().copied().filter(|key| one.contains_key(key) && other.contains_key(key)).collect();
        let kept = |body: &'a Body| -> Vec<&'a str> {
            body.units.iter().map(|unit| unit.key.as_str()).filter(|key| all.contains(key)).collect()
        };
        let was = kept(base);
        if kept(source) == was {
            true
        } else if kept(target) == was {
            false
        } else {
            return None;
        }
    } else {
        true
    };
    let keys = if is_target_first {
        woven(target, source, &other, &one, &old, true)
    } else {
        woven(source, target, &one, &other, &old, false)
    };
    let slot = |key: &str| Slot {
        base: old.get(key).copied(),
        source: one.get(key).copied(),
        target: other.get(key).copied(),
    };
    Some(keys.into_iter().map(slot).collect())
}

type Units<'a> = HashMap<&'a str, &'a Unit>;

/// The keys of `first`, and those of `second` put in after what they follow there. Where both added something at one
/// place, the target's comes first, but imports keep to their letters.
fn woven<'a>(
    first: &'a Body,
    second: &'a Body,
    in_first: &Units<'a>,
    in_second: &Units<'a>,
    old: &Units<'a>,
    is_target_first: bool,
) -> Vec<&'a str> {
    let mut keys: Vec<&str> = first.units.iter().map(|unit| unit.key.as_str()).collect();
    let mut next = 0;
    for unit in &second.units {
        let key = unit.key.as_str();
        if in_first.contains_key(key) {
            next = keys.iter().position(|one| *one == key).map_or(next, |at| at + 1);
            continue;
        }
        let is_added = |other: &str| !in_second.contains_key(other) && !old.contains_key(other);
        while let Some(other) = keys.get(next).and_then(|other| in_first.get(other)) {
            let comes_before = match (unit.kind, other.kind) {
                (UnitKind::Import, UnitKind::Import) => other.key < unit.key,
                (UnitKind::Import, _) => false,
                (_, UnitKind::Import) => true,
                _ => is_target_first,
            };
            if !is_added(&other.key) || !comes_before {
                break;
            }
            next += 1;
        }
        keys.insert(next, key);
        next += 1;
    }
    keys
}

fn core_start(unit: &Unit, bytes: &[u8]) -> usize {
    let before = Span::new(unit.span.start, unit.statement.start).of(bytes);
    unit.span.start + before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// What stands above a unit.
fn lead<'a>(unit: &Unit, bytes: &'a [u8]) -> &'a [u8] {
    Span::new(unit.span.start, core_start(unit, bytes)).of(bytes)
}

/// A unit without what stands above it.
fn core<'a>(unit: &Unit, bytes: &'a [u8]) -> &'a [u8] {
    Span::new(core_start(unit, bytes), unit.span.end).of(bytes)
}

fn dotted(within: &str, label: &str) -> String {
    if within.is_empty() { label.to_owned() } else { format!("{within}.{label}") }
}

fn name(pieces: &mut [Piece], label: &str) {
    for piece in pieces {
        if let Piece::Clash(clash) = piece
            && clash.definition.is_empty()
        {
            label.clone_into(&mut clash.definition);
        }
    }
}

/// Adds a piece that begins on a line of its own.
fn join(pieces: &mut Vec<Piece>, piece: Piece) {
    let is_nothing = matches!(&piece, Piece::Text(text) if text.is_empty());
    if is_nothing {
        return;
    }
    if let Some(Piece::Text(last)) = pieces.last_mut()
        && !last.ends_with(b"\n")
        && last != b"\xef\xbb\xbf"
    {
        last.push(b'\n');
    }
    match piece {
        Piece::Text(text) => push_text(pieces, &text),
        clash @ Piece::Clash(_) => pieces.push(clash),
    }
}
