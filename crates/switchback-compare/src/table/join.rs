//! Row by row, matched by key: the new table is held in memory, the old one streams past it; in parts when that is too
//! much.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use switchback_core::rule::Rule;

use super::agreement::Agreement;
use super::budget::Budget;
use super::flow::{Flow, Numbered, next_group};
use super::index::{KeyForm, hashes};
use super::key::{key_not_compared, key_of, named_key};
use super::keyed::{Form, Keyed, gather};
use super::lockstep::not_compared;
use super::meeting::{Met, Pairs, Partner};
use super::parts::in_parts;
use super::rowed::{Layout, can_lay_out};
use super::tally::Tally;
use super::unique::repeated_key;
use super::{Found, OneSided};
use crate::error::CompareError;
use crate::report::RowName;
use crate::source::batch::{Batch, Cells};
use crate::source::table::Table;

/// What each old row may take, when the new side has not its key: its hash and its number, in a table that is half empty.
const ALONE_BYTES: u64 = 36;

/// Compares two tables by key.
pub(super) fn compare(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<Found, CompareError> {
    let (old_columns, new_columns) = (agreement.old_columns(), agreement.new_columns());
    let (old, new) =
        (Flow::counted(old, &old_columns, agreement), Flow::counted(new, &new_columns, agreement));
    let keys = KeyForm::of(agreement, old.table, new.table);
    let lays_out = can_lay_out(agreement, old.table, new.table);
    let form = Form { keys: &keys, agreement, lays_out };
    let mut found = Found::nothing(Tally::new(agreement, rule.sample_max));
    in_parts(&old, &new, &|flow, batch| Ok(hashes(&form.key_arrays(flow, batch)?)), &mut |old, new| {
        Join { agreement, rule, form }.run(old, new, &mut found)
    })?;
    Ok(found)
}

struct Join<'j> {
    agreement: &'j Agreement,
    rule: &'j Rule,
    form: Form<'j>,
}

/// What has become of the keys so far.
struct Seen {
    /// For each place of the new side, the old row that has its key.
    partners: Vec<Option<u64>>,
    /// Old rows whose key the new side has not, by the hash of their key.
    alone: HashMap<u64, u64>,
    /// More of them, of hashes that are there already.
    also_alone: Vec<(u64, u64)>,
    only_old: OneSided,
}

impl Join<'_> {
    fn run(&self, old: &Flow<'_>, new: &Flow<'_>, found: &mut Found) -> Result<(), CompareError> {
        let mut budget = Budget::of(self.rule);
        // Whatever becomes of the old rows, there is room to remember it: after this nothing is refused.
        budget.spend(old.table, old.rows().saturating_mul(ALONE_BYTES))?;
        let keyed = Keyed::read(new, self.form, &mut budget)?;
        let keyed = keyed.map_err(|rows| self.repeated(new, rows))?;
        let mut seen = Seen {
            partners: vec![None; keyed.rows()],
            alone: HashMap::new(),
            also_alone: Vec::new(),
            only_old: OneSided::default(),
        };
        std::thread::scope(|scope| {
            let mut read = old.batches(scope)?;
            let mut layout = None;
            loop {
                let group = next_group(&mut read)?;
                let Some(first) = group.first() else { return Ok::<(), CompareError>(()) };
                if layout.is_none() {
                    layout = self.form.layout(old, &first.batch)?;
                }
                self.meet((old, layout.as_ref()), &group, &keyed, &mut seen, &mut found.tally)?;
            }
        })?;
        found.only_new.merge(self.left_over(new, &keyed, &seen)?, self.rule.sample_max);
        found.only_old.merge(seen.only_old, self.rule.sample_max);
        Ok(())
    }

    fn repeated(&self, flow: &Flow<'_>, rows: (u64, u64)) -> CompareError {
        let keys = flow.wanted.get(self.agreement.columns.len()..).unwrap_or_default();
        repeated_key(flow.table, self.agreement, keys, rows)
    }

    /// Compares the rows of some old batches with those that have their keys: looked up by all threads, counted in order.
    fn meet(
        &self,
        (old, layout): (&Flow<'_>, Option<&Layout>),
        group: &[Numbered],
        keyed: &Keyed,
        seen: &mut Seen,
        tally: &mut Tally,
    ) -> Result<(), CompareError> {
        let met = group.par_iter().map(|batch| Met::of(old, batch, keyed, (self.form, layout)));
        let met: Vec<Met> = met.collect::<Result<_, CompareError>>()?;
        let mut pairs = Pairs::default();
        let mut same = 0;
        for (at, (Numbered { batch, numbers }, met)) in group.iter().zip(&met).enumerate() {
            for (row, (partner, hash)) in met.partners.iter().zip(&met.hashes).enumerate() {
                let number = numbers.at(row);
                let Some(Partner { place, is_same }) = *partner else {
                    self.alone(old, batch, (row, number, *hash), seen)?;
                    continue;
                };
                if let Some(first) = seen.partners.get_mut(place).and_then(|partner| partner.replace(number))
                {
                    return Err(self.repeated(old, (first, number)));
                }
                let rows = (number, keyed.number(place));
                if is_same && !tally.wants(rows) {
                    same += 1;
                } else {
                    pairs.push((at, row), place, rows);
                }
            }
        }
        tally.add_same(same);
        let batches: Vec<&Batch> = group.iter().map(|numbered| &numbered.batch).collect();
        let old_cells = gather(&batches, &pairs.old, &old.table.path)?;
        let new_cells = keyed.gather(&pairs.new, old)?;
        tally.add(&pairs.block(&old_cells, &new_cells)).map_err(|fault| not_compared(old.table, fault))
    }

    /// Notes an old row that has no partner. That no other one has its key is checked where hashes are the same.
    fn alone(
        &self,
        old: &Flow<'_>,
        batch: &Batch,
        (row, number, hash): (usize, u64, u64),
        seen: &mut Seen,
    ) -> Result<(), CompareError> {
        match seen.alone.entry(hash) {
            Entry::Vacant(slot) => {
                slot.insert(number);
            }
            Entry::Occupied(slot) => {
                let first = *slot.get();
                let others = seen.also_alone.iter().filter(|(other, _)| *other == hash).map(|(_, row)| *row);
                for other in std::iter::once(first).chain(others) {
                    if self.key_of_row(old, other)? == Some(self.key_bytes(old.table, batch, row)?) {
                        return Err(self.repeated(old, (other, number)));
                    }
                }
                seen.also_alone.push((hash, number));
            }
        }
        self.one_sided((old, number), (batch, row), &mut seen.only_old)
    }

    /// The key of an old row that has passed, read once more.
    fn key_of_row(&self, flow: &Flow<'_>, number: u64) -> Result<Option<Vec<u8>>, CompareError> {
        std::thread::scope(|scope| {
            for batch in flow.batches(scope)? {
                let Numbered { batch, numbers } = batch?;
                if let Some(row) = (0..batch.rows).find(|row| numbers.at(*row) == number) {
                    return self.key_bytes(flow.table, &batch, row).map(Some);
                }
            }
            Ok(None)
        })
    }

    /// The new rows whose keys no old row has.
    fn left_over(&self, new: &Flow<'_>, keyed: &Keyed, seen: &Seen) -> Result<OneSided, CompareError> {
        let mut only_new = OneSided::default();
        for place in (0..seen.partners.len()).filter(|place| seen.partners.get(*place) == Some(&None)) {
            if only_new.sample.len() < self.rule.sample_max.max(1) {
                let batch = Batch { columns: keyed.gather(&[place], new)?, rows: 1 };
                self.one_sided((new, keyed.number(place)), (&batch, 0), &mut only_new)?;
            } else {
                only_new.count += 1;
            }
        }
        Ok(only_new)
    }

    /// Counts a row that only one side has.
    fn one_sided(
        &self,
        (flow, number): (&Flow<'_>, u64),
        (batch, row): (&Batch, usize),
        found: &mut OneSided,
    ) -> Result<(), CompareError> {
        if found.count == 0 {
            found.first = self.key_bytes(flow.table, batch, row)?;
        }
        found.count += 1;
        // One is always kept: it may be the first difference.
        if found.sample.len() < self.rule.sample_max.max(1) {
            let key = named_key(&self.agreement.keys, self.key_cells(batch), row)
                .map_err(|kind| key_not_compared(flow.table, &kind))?;
            found.sample.push(RowName { row: number, key });
        }
        Ok(())
    }

    fn key_cells<'b>(&self, batch: &'b Batch) -> &'b [Cells] {
        batch.columns.get(self.agreement.columns.len()..).unwrap_or_default()
    }

    fn key_bytes(&self, table: &Table<'_>, batch: &Batch, row: usize) -> Result<Vec<u8>, CompareError> {
        key_of(&self.agreement.keys, self.key_cells(batch), row)
            .map(<[u8]>::into_vec)
            .map_err(|kind| key_not_compared(table, &kind))
    }
}
