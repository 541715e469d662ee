//! Two tables: agree on columns, then attack with the cheapest proof first (bytes, lockstep, join, multiset).

mod agreement;
mod assignment;
mod budget;
mod carrying;
mod columns;
mod context;
mod duplicates;
mod flow;
mod growing;
mod held;
mod index;
mod join;
mod key;
mod keyed;
mod lockstep;
pub(crate) mod mapping;
mod matching;
mod meeting;
mod multiset;
mod parts;
mod plants;
mod reasons;
mod rowed;
pub(crate) mod sensitivity;
mod spill;
mod tally;
mod unique;
mod witnesses;

use std::cmp::Ordering;

use switchback_core::rule::{Covers, Duplicates, RowOrder, Rule};
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use crate::bytes::same_bytes;
use crate::compare::Setting;
use crate::error::CompareError;
use crate::format::Applied;
use crate::known::Known;
use crate::plan::Pair;
use crate::report::{Cell, Detail, Item, Kind, Proof, Relation, RowName, Rows, Size, TableDetail};
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::table::{Table, Tables};
use agreement::Agreement;
use tally::{Details, Tally};

/// Said where rows of a database are matched by position.
const UNORDERED: &str =
    "rows are matched by position, and a table of a database has no order of its own: name a key";

/// What an attack found: the cells, and the rows on one side only.
#[derive(Debug)]
struct Found {
    tally: Tally,
    only_old: OneSided,
    only_new: OneSided,
    /// Keys that name several rows, of the old and of the new table.
    duplicate_keys: (u64, u64),
    /// Sentences about what was not done as asked.
    notes: Vec<String>,
}

impl Found {
    /// Of no rows yet.
    fn nothing(tally: Tally) -> Self {
        let (only_old, only_new) = (OneSided::default(), OneSided::default());
        Self { tally, only_old, only_new, duplicate_keys: (0, 0), notes: Vec::new() }
    }
}

/// Rows that only one side has.
#[derive(Debug, Default)]
struct OneSided {
    count: u64,
    /// The first of them.
    sample: Vec<RowName>,
    /// What the very first one holds, as bytes: it tells two rows of one number apart.
    first: Vec<u8>,
}

impl OneSided {
    /// Adds rows of another part of the same side.
    fn merge(&mut self, other: Self, sample_max: usize) {
        let number = |rows: &Self| rows.sample.first().map(|row| row.row);
        if self.count == 0 || number(&other).is_some_and(|row| Some(row) < number(self)) {
            self.first = other.first;
        }
        self.count += other.count;
        self.sample.extend(other.sample);
        self.sample.sort_by_key(|row| row.row);
        self.sample.truncate(sample_max.max(1));
    }
}

/// Compares two tables under a rule.
pub(crate) fn compare(
    pair: &Pair,
    formats: (Format, Format),
    setting: &Setting<'_>,
    disk: &dyn Disk,
) -> Result<Item, CompareError> {
    let rule = setting.rule;
    let allowance = Allowance::of(rule);
    let old =
        Table::of_side(&setting.opened.old, disk, &pair.old, (formats.0, rule.delimiter_old), allowance)?;
    let files = formats.0 != Format::Database && formats.0 == formats.1;
    let same_reading = files && rule.delimiter_old == rule.delimiter_new;
    let mapped = mapping::is_for(setting, &pair.name);
    if same_reading && rule.rename.is_empty() && !mapped && same_bytes(disk, &pair.old, &pair.new)? {
        let agreement = Agreement::new(&old, &old, setting)?;
        // Equal bytes prove equality where no option makes identical values differ.
        if agreement.bits_prove() {
            let repeated = unique::repeated_keys(&old, &agreement, rule)?;
            let rows = Rows {
                compared: old.rows,
                equal: old.rows,
                duplicate_keys_old: repeated,
                duplicate_keys_new: repeated,
                ..Rows::default()
            };
            let mut detail = agreement.detail(&old, &old, rows);
            detail.cannot_carry = carrying::cannot_carry(&old, &old, &agreement)?;
            let differs = agreement.is_refused_by(rule);
            let differs = (differs, rule);
            return Ok(conclude(&pair.name, Proof::Bytes, Relation::Bytes, detail, &agreement, differs));
        }
    }
    let new =
        Table::of_side(&setting.opened.new, disk, &pair.new, (formats.1, rule.delimiter_new), allowance)?;
    compare_mapped(&pair.name, old, new, setting)
}

/// What the comparison of two files with several tables found.
#[derive(Debug, Default)]
pub(crate) struct Several {
    /// One for each table of both files.
    pub(crate) items: Vec<Item>,
    /// Tables that only the old file has: `file#table`.
    pub(crate) only_old: Vec<String>,
    /// Tables that only the new file has.
    pub(crate) only_new: Vec<String>,
}

/// Compares two files of several tables, table by table.
pub(crate) fn compare_all(
    pair: &Pair,
    formats: (Format, Format),
    setting: &Setting<'_>,
    disk: &dyn Disk,
) -> Result<Several, CompareError> {
    let allowance = Allowance::of(setting.rule);
    let mut old = Tables::of_side(&setting.opened.old, disk, &pair.old, formats.0, allowance)?;
    let mut new = Tables::of_side(&setting.opened.new, disk, &pair.new, formats.1, allowance)?;
    let (old_names, new_names) = (old.names(), new.names());
    let named = |table: &String| format!("{}#{table}", pair.name);
    let mut found = Several {
        only_old: old_names.iter().filter(|name| !new_names.contains(name)).map(named).collect(),
        only_new: new_names.iter().filter(|name| !old_names.contains(name)).map(named).collect(),
        ..Several::default()
    };
    let setting =
        Setting { alone: setting.alone && old_names.len() == 1, terms: setting.terms.clone(), ..*setting };
    for name in &old_names {
        if !new_names.contains(name) {
            continue;
        }
        if let Some(progress) = setting.progress {
            progress.begin(&named(name));
        }
        if let (Some(old), Some(new)) = (old.take(name)?, new.take(name)?) {
            found.items.push(compare_mapped(&named(name), old, new, &setting)?);
        }
    }
    Ok(found)
}

/// Compares two tables as the mapping says that they belong together, where there is one.
fn compare_mapped(
    name: &str,
    old: Table<'_>,
    new: Table<'_>,
    setting: &Setting<'_>,
) -> Result<Item, CompareError> {
    let mapped = mapping::apply(name, old, new, setting)?;
    let setting = Setting { rule: &mapped.rule, terms: setting.terms.clone(), ..*setting };
    let mut item = compare_open(name, &mapped.old, &mapped.new, &setting)?;
    if let Detail::Table(detail) = &mut item.detail {
        // Converted values are not the bits of the file.
        let converted = mapped.applied.iter().any(|applied| !matches!(applied, Applied::Column { .. }));
        if converted && item.relation == Some(Relation::Bitwise) {
            item.relation = Some(Relation::Identical);
        }
        detail.mapping = mapped.applied;
    }
    Ok(item)
}

fn compare_open(
    name: &str,
    old: &Table<'_>,
    new: &Table<'_>,
    setting: &Setting<'_>,
) -> Result<Item, CompareError> {
    let rule = setting.rule;
    let known = Known::of(name, rule);
    let agreement = Agreement::new(old, new, setting)?.with_known(&known, rule);
    agreement.meter.expect(old.rows + new.rows);
    let (proof, found) = attack(old, new, &agreement, rule)?;
    let rows = Rows {
        compared: found.tally.rows,
        equal: found.tally.rows - found.tally.rows_different,
        different: found.tally.rows_different,
        only_old: found.only_old.count,
        only_new: found.only_new.count,
        duplicate_keys_old: found.duplicate_keys.0,
        duplicate_keys_new: found.duplicate_keys.1,
    };
    let relation = found.tally.closeness.into();
    let mut detail = agreement.detail(old, new, rows);
    detail.not_compared.extend(found.notes);
    detail.not_compared.extend(reading_notes(old, new, rule));
    detail.cannot_carry = carrying::cannot_carry(old, new, &agreement)?;
    let mut open = found.tally.open;
    detail.covered.clone_from(&found.tally.covered);
    for (side, rows) in [(Covers::OnlyOld, rows.only_old), (Covers::OnlyNew, rows.only_new)] {
        match known.of_rows(&side).filter(|_| rows > 0) {
            Some(exception) => *detail.covered.entry(exception).or_default() += rows,
            None => open += rows,
        }
    }
    let Details { mut columns, first, sample, context, witnesses } =
        found.tally.into_details(&agreement, old);
    let by_position = proof == Proof::Lockstep && agreement.keys.is_empty();
    let tables = by_position.then_some((old, new));
    reasons::explain_columns(&mut columns, witnesses, &agreement, tables, rows.compared)?;
    detail.first = first.or_else(|| first_one_sided(&found.only_old, &found.only_new));
    detail.columns = columns;
    detail.sample = sample;
    detail.context = context;
    detail.rows_only_old = found.only_old.sample;
    detail.rows_only_new = found.only_new.sample;
    let differs = open > 0 || agreement.is_refused_by(rule);
    Ok(conclude(name, proof, relation, detail, &agreement, (differs, rule)))
}

/// What is said about how the two sides were read, in an order that is the same when the sides are swapped.
fn reading_notes(old: &Table<'_>, new: &Table<'_>, rule: &Rule) -> Vec<String> {
    let mut notes: Vec<String> = old.notes().iter().chain(new.notes()).cloned().collect();
    if (old.is_unordered() || new.is_unordered()) && rule.key.is_empty() && rule.row_order != RowOrder::Any {
        notes.push(UNORDERED.to_owned());
    }
    notes.sort();
    notes.dedup();
    notes
}

fn attack(
    old: &Table<'_>,
    new: &Table<'_>,
    agreement: &Agreement,
    rule: &Rule,
) -> Result<(Proof, Found), CompareError> {
    let proved = agreement.proved(old, new)?;
    let all_proved = !proved.is_empty() && proved.iter().all(|proved| *proved);
    let keyed = !agreement.keys.is_empty();
    if all_proved {
        // Each row is equal to the one in its place, so no other pairing has more equal rows.
        let repeated = unique::repeated_keys(old, agreement, rule)?;
        let found = lockstep::compare(old, new, agreement, &proved, rule)?;
        return Ok((Proof::Chunks, Found { duplicate_keys: (repeated, repeated), ..found }));
    }
    Ok(match () {
        () if !keyed && rule.row_order == RowOrder::Any => {
            (Proof::Multiset, multiset::compare(old, new, agreement, rule)?)
        }
        () if !keyed => (Proof::Lockstep, lockstep::compare(old, new, agreement, &proved, rule)?),
        () if rule.duplicates == Duplicates::Match => {
            (Proof::Join, duplicates::compare(old, new, agreement, rule)?)
        }
        () => {
            if let Some(found) = lockstep::compare_keyed(old, new, agreement, &proved, rule)? {
                return Ok((Proof::Lockstep, found));
            }
            agreement.meter.expect(old.rows + new.rows);
            (Proof::Join, join::compare(old, new, agreement, rule)?)
        }
    })
}

/// The first row on one side only. Two that have the same number and hold the same, as they may where null or NaN differ
/// from themselves, are told together: so this choice is the same when the sides are swapped.
fn first_one_sided(old: &OneSided, new: &OneSided) -> Option<Cell> {
    let cell = |old: Option<&RowName>, new: Option<&RowName>| Cell {
        row_old: old.map(|row| row.row),
        row_new: new.map(|row| row.row),
        key: old.or(new).map(|row| row.key.clone()).unwrap_or_default(),
        column: None,
        old: serde_json::Value::Null,
        new: serde_json::Value::Null,
    };
    match (old.sample.first(), new.sample.first()) {
        (Some(one), Some(two)) => Some(match (two.row, &new.first).cmp(&(one.row, &old.first)) {
            Ordering::Less => cell(None, Some(two)),
            Ordering::Equal => cell(Some(one), Some(two)),
            Ordering::Greater => cell(Some(one), None),
        }),
        (None, None) => None,
        (one, two) => Some(cell(one, two)),
    }
}

/// `differs`: whether there is a difference that no exception covers. With known differences alone, two tables are equal
/// as far as was agreed, and their relation is still `different`.
fn conclude(
    name: &str,
    proof: Proof,
    relation: Relation,
    detail: TableDetail,
    agreement: &Agreement,
    (differs, rule): (bool, &Rule),
) -> Item {
    let rows = &detail.rows;
    let one_sided = rows.only_old + rows.only_new > 0;
    let relation = if one_sided { Relation::Different } else { relation };
    let nothing = (detail.old.rows == 0 && detail.new.rows == 0)
        || (agreement.columns.is_empty() && agreement.keys.is_empty());
    let (verdict, relation) = match () {
        () if differs => (Verdict::No, Some(Relation::Different)),
        () if nothing && !rule.allow_empty => (Verdict::Unknown, None),
        () => (Verdict::Yes, Some(relation)),
    };
    let detail = Detail::Table(Box::new(detail));
    Item { name: name.to_owned(), kind: Kind::Table, verdict, proof, relation, detail }
}

fn size(table: &Table<'_>) -> Size {
    Size { rows: table.rows, columns: table.columns.len() }
}
