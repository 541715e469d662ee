//! Two tables: agree on columns, then attack with the cheapest proof first (bytes, lockstep, join).

mod agreement;
mod join;
mod key;
mod lockstep;
mod tally;

use switchback_core::rule::Rule;
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use crate::bytes::same_bytes;
use crate::error::CompareError;
use crate::plan::Pair;
use crate::report::{Cell, Detail, Item, Kind, Proof, Relation, RowName, Rows, Size, TableDetail};
use crate::source::Format;
use crate::source::table::Table;
use crate::value::Closeness;
use agreement::Agreement;
use tally::Tally;

/// What an attack found: the cells, and the rows on one side only.
#[derive(Debug)]
struct Found {
    tally: Tally,
    only_old: OneSided,
    only_new: OneSided,
}

/// Rows that only one side has.
#[derive(Debug, Default)]
struct OneSided {
    count: u64,
    /// The first of them.
    sample: Vec<RowName>,
}

/// Compares two tables under a rule.
pub(crate) fn compare(
    pair: &Pair,
    formats: (Format, Format),
    rule: &Rule,
    disk: &dyn Disk,
) -> Result<Item, CompareError> {
    let old = Table::open(disk, &pair.old, formats.0)?;
    // Equal bytes prove equality, because no option of a rule makes identical values differ.
    if formats.0 == formats.1 && same_bytes(disk, &pair.old, &pair.new)? {
        let agreement = Agreement::new(&old, &old, rule)?;
        join::check_unique(&old, &agreement)?;
        let rows = Rows { compared: old.rows, equal: old.rows, ..Rows::default() };
        let detail = agreement.detail(&old, &old, rows);
        return Ok(conclude(pair, Proof::Bytes, Relation::Bytes, detail, &agreement, rule));
    }
    let new = Table::open(disk, &pair.new, formats.1)?;
    let agreement = Agreement::new(&old, &new, rule)?;
    let (proof, found) = if agreement.keys.is_empty() {
        (Proof::Lockstep, lockstep::compare(&old, &new, &agreement, rule)?)
    } else {
        (Proof::Join, join::compare(&old, &new, &agreement, rule)?)
    };
    let rows = Rows {
        compared: found.tally.rows,
        equal: found.tally.rows - found.tally.rows_different,
        different: found.tally.rows_different,
        only_old: found.only_old.count,
        only_new: found.only_new.count,
        ..Rows::default()
    };
    let relation = match found.tally.closeness {
        Closeness::Bitwise => Relation::Bitwise,
        Closeness::Identical => Relation::Identical,
        Closeness::Within => Relation::Tolerance,
        Closeness::Different => Relation::Different,
    };
    let mut detail = agreement.detail(&old, &new, rows);
    let (columns, first, sample) = found.tally.into_details();
    detail.first = first.or_else(|| first_one_sided(&found.only_old, &found.only_new));
    detail.columns = columns;
    detail.sample = sample;
    detail.rows_only_old = found.only_old.sample;
    detail.rows_only_new = found.only_new.sample;
    Ok(conclude(pair, proof, relation, detail, &agreement, rule))
}

fn first_one_sided(old: &OneSided, new: &OneSided) -> Option<Cell> {
    let cell = |row: &RowName, is_old: bool| Cell {
        row_old: is_old.then_some(row.row),
        row_new: (!is_old).then_some(row.row),
        key: row.key.clone(),
        column: None,
        old: serde_json::Value::Null,
        new: serde_json::Value::Null,
    };
    // Rows on different sides have different keys, so this choice is the same when the sides are swapped.
    let place = |row: &RowName| (row.row, format!("{:?}", row.key));
    match (old.sample.first(), new.sample.first()) {
        (Some(one), Some(two)) if place(two) < place(one) => Some(cell(two, false)),
        (Some(one), _) => Some(cell(one, true)),
        (None, two) => two.map(|row| cell(row, false)),
    }
}

fn conclude(
    pair: &Pair,
    proof: Proof,
    relation: Relation,
    detail: TableDetail,
    agreement: &Agreement,
    rule: &Rule,
) -> Item {
    let rows = &detail.rows;
    let differs = relation == Relation::Different
        || rows.different + rows.only_old + rows.only_new > 0
        || !agreement.is_one_schema();
    let nothing = (detail.old.rows == 0 && detail.new.rows == 0)
        || (agreement.columns.is_empty() && agreement.keys.is_empty());
    let (verdict, relation) = match () {
        () if differs => (Verdict::No, Some(Relation::Different)),
        () if nothing && !rule.allow_empty => (Verdict::Unknown, None),
        () => (Verdict::Yes, Some(relation)),
    };
    let detail = Detail::Table(Box::new(detail));
    Item { name: pair.name.clone(), kind: Kind::Table, verdict, proof, relation, detail }
}

fn size(table: &Table<'_>) -> Size {
    Size { rows: table.rows, columns: table.columns.len() }
}
