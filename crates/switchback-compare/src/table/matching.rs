//! Which rows of two sets can be paired so that they are equal: exactly first, then within the terms.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use switchback_core::rule::{Pairing, Rule};

use super::Found;
use super::agreement::{Agreement, Meeting, Shared};
use super::assignment::largest_matching;
use super::held::{Held, tally_pairs};
use super::index::hash_of;
use super::key::Canon;
use super::lockstep::not_compared;
use crate::error::CompareError;
use crate::source::batch::Batch;
use crate::source::table::Table;
use crate::value::{Closeness, TextTerms, Value};

/// The most pairs of rows that may be equal within the terms and are looked at in one search.
const EDGES_MAX: usize = 20_000_000;

/// Pairs of an old and a new row.
pub(super) type Pairs = Vec<(usize, usize)>;

/// Both tables in memory.
#[derive(Debug)]
pub(super) struct Two<'t> {
    pub(super) old: Held<'t>,
    pub(super) new: Held<'t>,
    pub(super) agreement: &'t Agreement,
}

/// Old and new rows, each in order.
#[derive(Debug, Default, Clone)]
pub(super) struct Rows {
    pub(super) old: Vec<usize>,
    pub(super) new: Vec<usize>,
}

impl Rows {
    pub(super) fn is_one_sided(&self) -> bool {
        self.old.is_empty() || self.new.is_empty()
    }

    /// What is left without the rows of `pairs`.
    pub(super) fn without(&self, pairs: &Pairs) -> Self {
        let old: HashSet<_> = pairs.iter().map(|pair| pair.0).collect();
        let new: HashSet<_> = pairs.iter().map(|pair| pair.1).collect();
        Self {
            old: self.old.iter().copied().filter(|row| !old.contains(row)).collect(),
            new: self.new.iter().copied().filter(|row| !new.contains(row)).collect(),
        }
    }
}

/// A loose column of a block: its place among the compared ones, and whether its order bounds a search.
#[derive(Debug, Clone, Copy)]
struct Loose {
    index: usize,
    ordered: bool,
}

impl Two<'_> {
    fn side(&self, is_old: bool) -> &Held<'_> {
        if is_old { &self.old } else { &self.new }
    }

    fn columns(&self) -> impl Iterator<Item = (usize, &Shared)> {
        self.agreement.columns.iter().enumerate()
    }

    /// What a row holds, as bytes that another row shares exactly when both are identical.
    pub(super) fn content(&self, is_old: bool, row: usize) -> Result<Vec<u8>, CompareError> {
        let mut bytes = Vec::new();
        for (index, column) in self.columns() {
            let canon = Canon {
                null_is_nan: false,
                coerce: false,
                texts: TextTerms::default(),
                ..column.canon.clone()
            };
            canon.append(&mut bytes, &self.side(is_old).cell(index, column, row)?);
        }
        Ok(bytes)
    }

    /// Whether a row can be equal to any: no value in it differs from itself.
    fn equals_itself(&self, is_old: bool, row: usize) -> Result<bool, CompareError> {
        for (index, column) in self.columns().filter(|(_, column)| !column.bits_prove()) {
            let value = self.side(is_old).cell(index, column, row)?;
            let strict = column.meeting != Meeting::OneType && column.terms.bitwise;
            if holds_unequal(&value, column) || (strict && !matches!(value, Value::Null)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all cells of two rows are equal under the terms.
    pub(super) fn are_equal(&self, old: usize, new: usize) -> Result<bool, CompareError> {
        for (index, column) in self.columns() {
            let found = column.find(&self.old.cell(index, column, old)?, &self.new.cell(index, column, new)?);
            if found.closeness == Closeness::Different {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many cells of two rows differ.
    pub(super) fn cells_different(&self, old: usize, new: usize) -> Result<u32, CompareError> {
        let mut different = 0;
        for (index, column) in self.columns() {
            let found = column.find(&self.old.cell(index, column, old)?, &self.new.cell(index, column, new)?);
            different += u32::from(found.closeness == Closeness::Different);
        }
        Ok(different)
    }

    /// Pairs rows of identical content, in the order of the rows.
    pub(super) fn exact(&self, rows: &Rows) -> Result<Pairs, CompareError> {
        let mut waiting: HashMap<Vec<u8>, VecDeque<usize>> = HashMap::new();
        for row in &rows.new {
            waiting.entry(self.content(false, *row)?).or_default().push_back(*row);
        }
        let mut pairs = Pairs::new();
        for row in &rows.old {
            if let Some(others) = waiting.get_mut(&self.content(true, *row)?)
                && !others.is_empty()
                && self.equals_itself(true, *row)?
                && let Some(other) = others.pop_front()
            {
                pairs.push((*row, other));
            }
        }
        Ok(pairs)
    }

    /// Whether rows that are not identical can be equal at all.
    pub(super) fn is_loose(&self) -> bool {
        self.columns().any(|(_, column)| {
            column.meeting != Meeting::OneType
                || column.terms.tolerates_numbers()
                || column.terms.tolerates_times()
                || column.terms.null_is_nan
                || !column.terms.texts.is_exact()
        })
    }

    /// What a row must share with another to be equal to it, as [`block_of`] tells it.
    fn block(
        &self,
        is_old: bool,
        row: usize,
        loose: &mut BTreeMap<usize, bool>,
    ) -> Result<Vec<u8>, CompareError> {
        block_of(self.agreement, |index, column| self.side(is_old).cell(index, column, row), loose)
    }

    /// Compares the pairs cell by cell, and counts what is left. `first`: what the first row that is left on the old
    /// and on the new side holds, as bytes.
    pub(super) fn conclude(
        &self,
        mut pairs: Pairs,
        left: &Rows,
        first: (Vec<u8>, Vec<u8>),
        rule: &Rule,
        found: &mut Found,
    ) -> Result<(), CompareError> {
        pairs.sort_unstable();
        tally_pairs(&self.old, &self.new, self.agreement, &pairs, &mut found.tally)?;
        let only_old = self.old.one_sided(self.agreement, &left.old, first.0, rule.sample_max)?;
        let only_new = self.new.one_sided(self.agreement, &left.new, first.1, rule.sample_max)?;
        found.only_old.merge(only_old, rule.sample_max);
        found.only_new.merge(only_new, rule.sample_max);
        Ok(())
    }

    /// Whether the old side is to come first. The answer depends on what the rows hold and not on which side is which,
    /// so that swapping the sides swaps the pairs and nothing else.
    pub(super) fn old_first(&self, rows: &Rows) -> Result<bool, CompareError> {
        if rows.old.len() != rows.new.len() {
            return Ok(rows.old.len() < rows.new.len());
        }
        let contents = |is_old: bool, rows: &[usize]| -> Result<Vec<Vec<u8>>, CompareError> {
            rows.iter().map(|row| self.content(is_old, *row)).collect()
        };
        Ok(contents(true, &rows.old)? <= contents(false, &rows.new)?)
    }

    /// A largest pairing of rows that are equal under the terms. `seed`: pairs to start from, whose rows stay paired.
    pub(super) fn largest(&self, rows: &Rows, seed: &Pairs) -> Result<Pairs, CompareError> {
        let mut loose = BTreeMap::new();
        let mut blocks: BTreeMap<Vec<u8>, Rows> = BTreeMap::new();
        for row in &rows.old {
            if self.equals_itself(true, *row)? {
                blocks.entry(self.block(true, *row, &mut loose)?).or_default().old.push(*row);
            }
        }
        for row in &rows.new {
            if self.equals_itself(false, *row)? {
                blocks.entry(self.block(false, *row, &mut loose)?).or_default().new.push(*row);
            }
        }
        let loose: Vec<Loose> = loose.into_iter().map(|(index, ordered)| Loose { index, ordered }).collect();
        let mut pairs = Pairs::new();
        let partner: HashMap<usize, usize> = seed.iter().copied().collect();
        for block in blocks.values().filter(|block| !block.is_one_sided()) {
            let seed: Pairs = block.old.iter().filter_map(|row| Some((*row, *partner.get(row)?))).collect();
            pairs.extend(self.largest_of_block(block, &loose, &seed)?);
        }
        pairs.sort_unstable();
        Ok(pairs)
    }

    fn largest_of_block(&self, block: &Rows, loose: &[Loose], seed: &Pairs) -> Result<Pairs, CompareError> {
        let ordered = loose.iter().find(|loose| loose.ordered);
        if let ([only], Some(_)) = (loose, ordered) {
            let pairs = self.in_step(block, only.index)?;
            // Pairs that are given are kept, unless there are more without them.
            let complete = seed.len() == block.old.len().min(block.new.len());
            return Ok(if complete || pairs.len() <= seed.len() { seed.clone() } else { pairs });
        }
        let old_first = self.old_first(block)?;
        let (one, two) = if old_first { (&block.old, &block.new) } else { (&block.new, &block.old) };
        let edges = self.edges(one, two, old_first, self.most_telling(two, old_first, loose)?)?;
        let places = |rows: &[usize]| -> HashMap<usize, usize> {
            rows.iter().enumerate().map(|(at, row)| (*row, at)).collect()
        };
        let (of_one, of_two) = (places(one), places(two));
        let seed: Vec<_> = seed
            .iter()
            .filter_map(|(old, new)| {
                let (first, second) = if old_first { (*old, *new) } else { (*new, *old) };
                Some((*of_one.get(&first)?, *of_two.get(&second)?))
            })
            .collect();
        let matched = largest_matching(&edges, two.len(), &seed);
        let pairs = one.iter().zip(matched).filter_map(|(first, second)| {
            let second = *two.get(second?)?;
            Some(if old_first { (*first, second) } else { (second, *first) })
        });
        Ok(pairs.collect())
    }

    /// The ordered column that leaves the fewest rows near to one another: the one to search along.
    fn most_telling(
        &self,
        rows: &[usize],
        old_first: bool,
        loose: &[Loose],
    ) -> Result<Option<usize>, CompareError> {
        let mut best = None;
        for index in loose.iter().filter(|loose| loose.ordered).map(|loose| loose.index) {
            let sorted = self.sorted(!old_first, rows, index)?;
            let neighbours = sorted.iter().zip(sorted.iter().skip(1));
            let gaps = neighbours
                .filter(|((_, value), (_, next))| !self.is_near(index, old_first, value, next))
                .count();
            if best.is_none_or(|(_, most)| gaps > most) {
                best = Some((index, gaps));
            }
        }
        Ok(best.map(|(index, _)| index))
    }

    /// The rows in the order of one column.
    fn sorted(
        &self,
        is_old: bool,
        rows: &[usize],
        index: usize,
    ) -> Result<Vec<(usize, Value<'_>)>, CompareError> {
        let Some(column) = self.agreement.columns.get(index) else { return Ok(Vec::new()) };
        let mut sorted = Vec::with_capacity(rows.len());
        for row in rows {
            sorted.push((*row, self.side(is_old).cell(index, column, *row)?));
        }
        sorted.sort_by(|one, two| along(&one.1, &two.1));
        Ok(sorted)
    }

    fn is_near(&self, index: usize, is_old: bool, one: &Value<'_>, two: &Value<'_>) -> bool {
        let (old, new) = if is_old { (one, two) } else { (two, one) };
        let column = self.agreement.columns.get(index);
        column.is_some_and(|column| column.find(old, new).closeness != Closeness::Different)
    }

    /// Rows that differ in one ordered column alone: the smallest with the smallest that it can be paired with.
    fn in_step(&self, block: &Rows, index: usize) -> Result<Pairs, CompareError> {
        let (old, new) = (self.sorted(true, &block.old, index)?, self.sorted(false, &block.new, index)?);
        let (mut one, mut two) = (old.iter().peekable(), new.iter().peekable());
        let mut pairs = Pairs::new();
        while let (Some((old, value)), Some((new, other))) = (one.peek(), two.peek()) {
            if self.is_near(index, true, value, other) {
                pairs.push((*old, *new));
                one.next();
                two.next();
            } else if along(value, other) == Ordering::Less {
                one.next();
            } else {
                two.next();
            }
        }
        Ok(pairs)
    }

    /// For each row of the first side, the places of the rows of the second that are equal to it.
    fn edges(
        &self,
        one: &[usize],
        two: &[usize],
        old_first: bool,
        ordered: Option<usize>,
    ) -> Result<Vec<Vec<usize>>, CompareError> {
        let equal = |first: usize, second: usize| {
            if old_first { self.are_equal(first, second) } else { self.are_equal(second, first) }
        };
        let place: HashMap<usize, usize> = two.iter().enumerate().map(|(at, row)| (*row, at)).collect();
        let sorted = match ordered {
            Some(index) => self.sorted(!old_first, two, index)?,
            None => two.iter().map(|row| (*row, Value::Null)).collect(),
        };
        let mut total = 0;
        let mut edges = Vec::with_capacity(one.len());
        for first in one {
            let mut found = Vec::new();
            let candidates = match ordered.and_then(|index| Some((index, self.agreement.columns.get(index)?)))
            {
                None => 0..sorted.len(),
                Some((index, column)) => {
                    let value = self.side(old_first).cell(index, column, *first)?;
                    let middle = sorted.partition_point(|(_, other)| along(other, &value) == Ordering::Less);
                    let near = |at: &usize| {
                        sorted
                            .get(*at)
                            .is_some_and(|(_, other)| self.is_near(index, old_first, &value, other))
                    };
                    let below = (0..middle).rev().take_while(near).count();
                    let above = (middle..sorted.len()).take_while(near).count();
                    middle - below..middle + above
                }
            };
            for (second, _) in sorted.get(candidates).unwrap_or_default() {
                if equal(*first, *second)? {
                    found.extend(place.get(second).copied());
                }
            }
            found.sort_unstable();
            total += found.len();
            if total > EDGES_MAX {
                return Err(CompareError::TooAlike { rows: one.len().max(two.len()) });
            }
            edges.push(found);
        }
        Ok(edges)
    }
}

/// The order of two values of one ordered kind.
fn along(one: &Value<'_>, two: &Value<'_>) -> Ordering {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one.order(two),
        (Value::Instant { ns: one, .. }, Value::Instant { ns: two, .. })
        | (Value::Duration(one), Value::Duration(two)) => one.cmp(two),
        (Value::Date(one), Value::Date(two)) | (Value::Time(one), Value::Time(two)) => one.cmp(two),
        _ => Ordering::Equal,
    }
}

/// Whether a value differs from itself under the terms of its column.
fn holds_unequal(value: &Value<'_>, column: &Shared) -> bool {
    match value {
        Value::Null => column.terms.null == Pairing::Different,
        Value::Number(number) => column.terms.nan == Pairing::Different && number.is_nan(),
        Value::List(items) => items.iter().any(|item| holds_unequal(item, column)),
        Value::Object(members) => members.iter().any(|(_, member)| holds_unequal(member, column)),
        _ => false,
    }
}
/// What a row must share with another to be equal to it, as bytes: its values where nothing is tolerated, else only
/// their kinds. Notes the columns of which only the kind is told.
fn block_of<'v>(
    agreement: &Agreement,
    read: impl Fn(usize, &Shared) -> Result<Value<'v>, CompareError>,
    loose: &mut BTreeMap<usize, bool>,
) -> Result<Vec<u8>, CompareError> {
    let mut bytes = Vec::new();
    for (index, column) in agreement.columns.iter().enumerate() {
        let value = read(index, column)?;
        let terms = &column.terms;
        let mut note = |kind: &[u8], ordered: bool| {
            bytes.extend_from_slice(kind);
            let known = loose.entry(index).or_insert(ordered);
            *known &= ordered;
        };
        match &value {
            _ if column.meeting != Meeting::OneType => note(b"?", false),
            Value::Number(number) if terms.tolerates_numbers() && number.is_finite() => {
                note(b"N", terms.tolerance.relative.is_none_or(|bound| bound < 1.0));
            }
            Value::Instant { zoned: true, .. } if terms.tolerates_times() => note(b"Z", true),
            Value::Instant { .. } | Value::Date(_) | Value::Time(_) | Value::Duration(_)
                if terms.tolerates_times() =>
            {
                note(b"T", true);
            }
            Value::List(_) | Value::Object(_) => note(b"L", false),
            _ => {
                let canon = Canon { texts: terms.texts.clone(), ..column.canon.clone() };
                canon.append(&mut bytes, &value);
            }
        }
    }
    Ok(bytes)
}

/// A hash for each row of a batch, which two rows share that may be equal to one another.
pub(super) fn block_hashes(
    agreement: &Agreement,
    table: &Table<'_>,
    batch: &Batch,
) -> Result<Vec<u64>, CompareError> {
    let mut loose = BTreeMap::new();
    let block = |row: usize| {
        let read = |index: usize, column: &Shared| {
            let cells = batch.columns.get(index);
            cells
                .map_or(Ok(Value::Null), |cells| column.read(cells, row))
                .map_err(|kind| not_compared(table, (column.name.clone(), kind)))
        };
        block_of(agreement, read, &mut loose).map(|bytes| hash_of(&bytes))
    };
    (0..batch.rows).map(block).collect()
}
