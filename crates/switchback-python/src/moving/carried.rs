//! A move with definitions in it: what it comes to seen from the files on the disk, and its proof.

use std::collections::{BTreeSet, HashMap, HashSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};
use switchback_core::world::DiskError;

use super::carry::Carried;
use super::edit::{Edit, EditKind, Left};
use super::mapping::Mapping;
use super::order::Ordered;
use super::plan::{FileChange, NewFile};
use super::proof::{self, Proof, Unresolved};
use crate::graph;
use crate::index::{Index, join};
use crate::syntax::{Facts, Span, line_of};
use crate::tree::{Class, File};

/// Tells every change from what is on the disk: `changes` were found in a tree where the definitions had moved already.
pub(super) fn restore(
    before: &Index<'_>,
    carried: &Carried,
    mapping: &Mapping,
    after: &Index<'_>,
    changes: &mut Vec<FileChange>,
    created: &mut Vec<NewFile>,
) -> Result<(), DiskError> {
    for path in carried.contents.keys() {
        let new_path = mapping.new_path(path).to_owned();
        let found = after.tree.find(&new_path).and_then(|at| after.tree.file(at));
        let Some(file) = found else { continue };
        let new = after.tree.content(file)?;
        let at = changes.iter().position(|change| change.old_path == *path);
        if carried.created.contains(path) {
            if let Some(at) = at {
                changes.remove(at);
            }
            created.push(NewFile { path: new_path, content: new.to_vec(), is_shim: false });
            continue;
        }
        let Some(file) = before.tree.find(path).and_then(|at| before.tree.file(at)) else { continue };
        let old = before.tree.content(file)?;
        let middle = carried.contents.get(path).cloned().unwrap_or_else(|| old.clone());
        let left = at.and_then(|at| changes.get(at)).map(|change| change.left.clone()).unwrap_or_default();
        let mut left: Vec<Left> = left
            .into_iter()
            .map(|left| Left { offset: offset_before(&old, &middle, left.offset), ..left })
            .collect();
        left.extend(carried.left.iter().filter(|(file, _)| file == path).map(|(_, left)| left.clone()));
        let change = FileChange {
            old_path: path.clone(),
            new_path,
            edits: by_lines(&old, &new, EditKind::Definition),
            old: Some(old.clone()),
            new: (new != old).then_some(new),
            left,
        };
        match at.and_then(|at| changes.get_mut(at)) {
            Some(there) => *there = change,
            None => changes.push(change),
        }
    }
    changes.sort_by(|one, other| one.old_path.cmp(&other.old_path));
    Ok(())
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// The edits that make a file what it becomes with import blocks put in order: in such a block by lines, and outside of it as
/// they were.
pub(super) fn with_order(old: &[u8], edits: Vec<Edit>, blocks: &[Ordered], new: &[u8]) -> Vec<Edit> {
    let places: Option<Vec<(Span, &Ordered)>> =
        blocks.iter().map(|block| Some((block.was?, block))).collect();
    let Some(places) = places else { return by_lines(old, new, EditKind::Import) };
    let is_inside = |edit: &Edit| {
        places.iter().any(|(place, _)| place.start <= edit.span.start && edit.span.end <= place.end)
    };
    let mut all: Vec<Edit> = edits.into_iter().filter(|edit| !is_inside(edit)).collect();
    for (place, block) in &places {
        let of_block = by_lines(place.of(old), &block.new, EditKind::Import).into_iter();
        all.extend(of_block.map(|edit| Edit { span: edit.span.shifted(place.start), ..edit }));
    }
    all.sort_by_key(|edit| edit.span.start);
    all
}

/// The edits that make one text the other, whole lines at a time.
fn by_lines(old: &[u8], new: &[u8], kind: EditKind) -> Vec<Edit> {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let starts = starts(&old_lines);
    let at = |line: usize| starts.get(line).copied().unwrap_or(old.len());
    capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines)
        .into_iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| {
            let (gone, fresh) = (op.old_range(), op.new_range());
            let fresh = new_lines.get(fresh).unwrap_or_default().concat();
            Edit {
                span: Span::new(at(gone.start), at(gone.end)),
                new: String::from_utf8_lossy(&fresh).into_owned(),
                kind,
            }
        })
        .collect()
}

fn starts(lines: &[&[u8]]) -> Vec<usize> {
    let mut at = 0;
    lines
        .iter()
        .map(|line| {
            let start = at;
            at += line.len();
            start
        })
        .collect()
}

/// Where a place of the text `middle` was in `old`; for what was not there, the place that it was put at.
fn offset_before(old: &[u8], middle: &[u8], offset: usize) -> usize {
    let (old_lines, middle_lines) = (lines(old), lines(middle));
    let starts_middle = starts(&middle_lines);
    let line = starts_middle.partition_point(|start| *start <= offset).saturating_sub(1);
    let column = offset - starts_middle.get(line).copied().unwrap_or(0);
    let old_starts = starts(&old_lines);
    for op in capture_diff_slices(Algorithm::Myers, &old_lines, &middle_lines) {
        if !op.new_range().contains(&line) {
            continue;
        }
        let first = op.old_range().start;
        return match op {
            DiffOp::Equal { .. } => {
                old_starts.get(first + line - op.new_range().start).copied().unwrap_or(0) + column
            }
            _ => old_starts.get(first).copied().unwrap_or(old.len()),
        };
    }
    old.len()
}

/// The proof against what is on the disk, and that no name got lost, and no circle came to be.
pub(super) fn prove(
    before: &Index<'_>,
    between: &Index<'_>,
    after: &Index<'_>,
    carried: &Carried,
    mapping: &Mapping,
    parsed: &[(usize, String)],
) -> Proof {
    let mut mine = Vec::new();
    let mut made = Vec::new();
    for (at, path) in parsed {
        let Some(file) = between.tree.file(*at) else { continue };
        match before.tree.find(&file.path) {
            Some(at) => mine.push((at, path.clone())),
            None => made.push((*at, path.clone())),
        }
    }
    let mut proof =
        proof::prove(before, after, mapping, &mine).join(proof::prove(between, after, mapping, &made));
    let gone: HashSet<String> = carried
        .names
        .iter()
        .filter_map(|name| name.rsplit_once('.'))
        .map(|(module, name)| join(&mapping.module(module), name))
        .collect();
    proof.api.retain(|change| !gone.contains(&change.symbol));
    names_lost(before, after, carried, mapping, &mut proof);
    circles(before, after, carried, mapping, &mut proof);
    proof.unresolved.sort();
    proof
}

/// Names that are bound by nothing any more in the files that definitions left or came to.
fn names_lost(
    before: &Index<'_>,
    after: &Index<'_>,
    carried: &Carried,
    mapping: &Mapping,
    proof: &mut Proof,
) {
    let file_before = |path: &str| before.tree.find(path).and_then(|at| before.tree.file(at));
    let touched: Vec<&File> = carried.contents.keys().filter_map(|path| file_before(path)).collect();
    let mut unbound: HashSet<String> = HashSet::new();
    for file in touched.iter().filter(|file| file.class == Class::Python) {
        unbound.extend(unbound_names(&before.tree.facts(file)).into_iter().map(|(name, _)| name));
    }
    for path in carried.contents.keys() {
        let found = after.tree.find(mapping.new_path(path)).and_then(|at| after.tree.file(at));
        let Some(file) = found else { continue };
        let facts = after.tree.facts(file);
        let Ok(bytes) = after.tree.content(file) else { continue };
        if facts.stars().next().is_some() {
            continue;
        }
        for (name, offset) in unbound_names(&facts) {
            if unbound.contains(&name) {
                continue;
            }
            proof.unresolved.push(Unresolved {
                path: file.path.clone(),
                line: line_of(&bytes, offset).0,
                module: String::new(),
                why: format!("nothing binds `{name}` there any more"),
                name: Some(name),
            });
        }
    }
}

/// Names that no statement of the file binds, each with a place.
fn unbound_names(facts: &Facts) -> Vec<(String, usize)> {
    let mut found: HashMap<&str, usize> = HashMap::new();
    for chain in &facts.chains {
        let Some(first) = chain.words.first() else { continue };
        if facts.resolve(chain.scope, &first.text).is_none() {
            found.entry(&first.text).or_insert(first.span.start);
        }
    }
    found.into_iter().map(|(name, offset)| (name.to_owned(), offset)).collect()
}

/// Modules that would import each other in a circle, and did not.
fn circles(before: &Index<'_>, after: &Index<'_>, carried: &Carried, mapping: &Mapping, proof: &mut Proof) {
    let old: Vec<BTreeSet<String>> = graph::circles(before)
        .into_iter()
        .map(|circle| circle.iter().map(|module| mapping.module(module)).collect())
        .collect();
    for circle in graph::circles(after) {
        // What is new is as good as the module that it was taken from.
        let known: BTreeSet<String> = circle
            .iter()
            .map(|module| {
                carried.origins.get(module).map_or_else(|| module.clone(), |from| mapping.module(from))
            })
            .collect();
        if known.len() < 2 || old.iter().any(|old| known.is_subset(old)) {
            continue;
        }
        let first = circle.first().map_or("", String::as_str);
        let at = after.file_of(first).and_then(|at| after.tree.file(at));
        proof.unresolved.push(Unresolved {
            path: at.map_or_else(|| first.to_owned(), |file| file.path.clone()),
            line: 1,
            module: first.to_owned(),
            name: None,
            why: format!("`{}` would import each other in a circle", circle.join("`, `")),
        });
    }
}
