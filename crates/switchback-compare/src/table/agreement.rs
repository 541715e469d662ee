//! Which columns of two tables belong together, and whether they have one schema.

use std::sync::Arc;

use switchback_core::rule::{ColumnOrder, KeyTypes, Rule, SchemaRule};

use super::columns::{Names, pair_columns};
use super::key::Canon;
use super::size;
use crate::compare::Setting;
use crate::error::CompareError;
use crate::known::{Known, OfCells};
use crate::progress::Meter;
use crate::report::{Rows, TableDetail, TypeChange};
use crate::source::batch::Cells;
use crate::source::logical::ColumnType;
use crate::source::table::Table;
use crate::value::{Closeness, Finding, Terms, Value, find, find_across_types};

/// How the cells of two columns meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    /// Both have one logical type.
    OneType,
    /// Their types differ: as numbers where both are, else as text.
    Retyped,
    /// Their types differ, and one of them was found in text: as the text that stands in the file.
    Texts,
}

impl Meeting {
    fn of(old: &ColumnType, new: &ColumnType) -> Self {
        match (old, new) {
            _ if old.is_same(new) => Self::OneType,
            _ if old.is_numeric() && new.is_numeric() => Self::Retyped,
            (ColumnType::Stored(_), ColumnType::Stored(_)) => Self::Retyped,
            _ => Self::Texts,
        }
    }
}

/// A column of both tables.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    /// As the old table has it.
    pub(super) name: String,
    new_name: String,
    pub(super) old: usize,
    pub(super) new: usize,
    pub(super) meeting: Meeting,
    pub(super) terms: Terms,
    /// How its cells become bytes when they name a row.
    pub(super) canon: Canon,
}

impl Shared {
    /// A place among all columns that is the same when the sides are swapped.
    fn order(&self) -> (usize, usize, &str, &str) {
        let names = (self.name.as_str(), self.new_name.as_str());
        (self.old.min(self.new), self.old.max(self.new), names.0.min(names.1), names.0.max(names.1))
    }

    /// The cell at `row` as this column is compared.
    ///
    /// # Errors
    ///
    /// The name of a type that cannot be compared.
    pub(super) fn read<'c>(&self, cells: &'c Cells, row: usize) -> Result<Value<'c>, String> {
        if self.meeting == Meeting::Texts { cells.text(row) } else { cells.value(row) }
    }

    /// How close two cells are.
    pub(super) fn find(&self, old: &Value<'_>, new: &Value<'_>) -> Finding {
        if self.meeting == Meeting::OneType {
            find(old, new, &self.terms)
        } else {
            find_across_types(old, new, &self.terms)
        }
    }

    /// Whether the same bits prove that cells are equal.
    pub(super) fn bits_prove(&self) -> bool {
        self.meeting == Meeting::OneType && self.terms.is_reflexive()
    }
}

/// What two tables have in common, and what not.
#[derive(Debug)]
pub(super) struct Agreement {
    /// In an order that is the same when the sides are swapped.
    pub(super) columns: Vec<Shared>,
    /// In the order of the rule.
    pub(super) keys: Vec<Shared>,
    only_old: Vec<String>,
    only_new: Vec<String>,
    types_changed: Vec<TypeChange>,
    reordered: bool,
    not_compared: Vec<String>,
    /// For each compared column, the known differences that may cover its cells.
    pub(super) known: Vec<Vec<OfCells>>,
    /// Counts the rows that were read.
    pub(super) meter: Arc<Meter>,
}

impl Agreement {
    pub(super) fn new(old: &Table<'_>, new: &Table<'_>, setting: &Setting<'_>) -> Result<Self, CompareError> {
        let rule = setting.rule;
        let names = Names::of(rule);
        let pairs = pair_columns(old, new, setting)?;
        let mut shared: Vec<Shared> = pairs
            .common
            .iter()
            .filter_map(|(at, other_at)| {
                let (one, two) = (old.columns.get(*at)?, new.columns.get(*other_at)?);
                Some(shared_column((*at, &one.name, &one.kind), (*other_at, &two.name, &two.kind), setting))
            })
            .collect();
        let reordered = !shared.is_sorted_by_key(|column| column.new);
        let mut keys = Vec::with_capacity(rule.key.len());
        for name in &rule.key {
            let position = names.position(shared.iter().map(|column| column.name.as_str()), name);
            keys.push(shared.remove(position.ok_or_else(|| missing_key(old, new, rule, name))?));
        }
        let mut types_changed: Vec<_> =
            shared.iter().chain(&keys).filter(|column| column.meeting != Meeting::OneType).collect();
        types_changed.sort_by(|one, two| one.order().cmp(&two.order()));
        let types_changed = types_changed
            .into_iter()
            .filter_map(|column| {
                let (one, two) = (old.columns.get(column.old)?, new.columns.get(column.new)?);
                Some(TypeChange { column: one.name.clone(), old: one.kind.name(), new: two.kind.name() })
            })
            .collect();
        shared.sort_by(|one, two| one.order().cmp(&two.order()));
        let mut not_compared = pairs.left_out;
        if rule.schema == SchemaRule::Common {
            let mut one_sided: Vec<_> = pairs.only_old.iter().chain(&pairs.only_new).collect();
            one_sided.sort();
            not_compared.extend(one_sided.iter().map(|name| format!("column `{name}` is on one side only")));
        }
        let (only_old, only_new) = (pairs.only_old, pairs.only_new);
        let (known, meter) = (Vec::new(), Arc::new(Meter::new(setting.progress)));
        let columns = shared;
        Ok(Self { columns, keys, only_old, only_new, types_changed, reordered, not_compared, known, meter })
    }

    /// The same with the known differences of these tables.
    pub(super) fn with_known(mut self, known: &Known<'_>, rule: &Rule) -> Self {
        let names = Names::of(rule);
        let of_column = |column: &Shared| known.of_cells(|name| names.are_one(name, &column.name));
        self.known = self.columns.iter().map(of_column).collect();
        self
    }

    /// Whether the schema stands in the way of a *yes* under a rule.
    pub(super) fn is_refused_by(&self, rule: &Rule) -> bool {
        let differs =
            !self.only_old.is_empty() || !self.only_new.is_empty() || !self.types_changed.is_empty();
        (rule.schema == SchemaRule::Strict && differs)
            || (rule.column_order == ColumnOrder::Strict && self.reordered)
    }

    /// Whether the same bits prove that all cells are equal.
    pub(super) fn bits_prove(&self) -> bool {
        self.columns.iter().all(Shared::bits_prove)
    }

    /// For each compared column, then each of the key, whether the files show that nothing in it differs.
    pub(super) fn proved(&self, old: &Table<'_>, new: &Table<'_>) -> Result<Vec<bool>, CompareError> {
        let all: Vec<&Shared> = self.columns.iter().chain(&self.keys).collect();
        let pairs: Vec<(usize, usize)> = all.iter().map(|column| (column.old, column.new)).collect();
        let same = old.same_chunks(new, &pairs)?;
        let is_key = |at: usize| at >= self.columns.len();
        let proves = |(at, same): (usize, bool)| {
            same && all.get(at).is_some_and(|column| is_key(at) || column.bits_prove())
        };
        Ok(same.into_iter().enumerate().map(proves).collect())
    }

    /// The closest that two tables of these columns can be.
    pub(super) fn closest(&self) -> Closeness {
        let one_type = self.columns.iter().chain(&self.keys).all(|column| column.meeting == Meeting::OneType);
        if one_type { Closeness::Bitwise } else { Closeness::Identical }
    }

    /// The columns to read of the old table: the compared ones, then the keys.
    pub(super) fn old_columns(&self) -> Vec<usize> {
        self.columns.iter().chain(&self.keys).map(|column| column.old).collect()
    }

    /// The same of the new table.
    pub(super) fn new_columns(&self) -> Vec<usize> {
        self.columns.iter().chain(&self.keys).map(|column| column.new).collect()
    }

    /// The part of a report that is known before any cell is.
    pub(super) fn detail(&self, old: &Table<'_>, new: &Table<'_>, rows: Rows) -> TableDetail {
        TableDetail {
            old: size(old),
            new: size(new),
            rows,
            columns_only_old: self.only_old.clone(),
            columns_only_new: self.only_new.clone(),
            columns_reordered: self.reordered,
            types_changed: self.types_changed.clone(),
            not_compared: self.not_compared.clone(),
            compared: self.columns.iter().map(|column| column.name.clone()).collect(),
            ..TableDetail::default()
        }
    }
}

fn shared_column(
    (old, name, old_kind): (usize, &str, &ColumnType),
    (new, new_name, new_kind): (usize, &str, &ColumnType),
    setting: &Setting<'_>,
) -> Shared {
    let rule = setting.rule;
    let meeting = Meeting::of(old_kind, new_kind);
    let names = Names::of(rule);
    let own = rule.column_tolerance.iter().find(|(other, _)| names.are_one(other, name));
    Shared {
        name: name.to_owned(),
        new_name: new_name.to_owned(),
        old,
        new,
        meeting,
        terms: own.map_or_else(|| setting.terms.clone(), |(_, own)| setting.terms.with(*own)),
        canon: Canon {
            meeting,
            bitwise: rule.bitwise,
            null_is_nan: rule.null_is_nan,
            coerce: rule.key_types == KeyTypes::Coerce,
            texts: setting.terms.texts.unmasked(),
        },
    }
}

fn missing_key(old: &Table<'_>, new: &Table<'_>, rule: &Rule, name: &str) -> CompareError {
    let names = Names::of(rule);
    let has = |table: &Table<'_>, name: &str| {
        names.position(table.columns.iter().map(|column| column.name.as_str()), name).is_some()
    };
    let (table, name) = if has(old, name) { (new, names.new_name(name)) } else { (old, name) };
    CompareError::MissingKey {
        path: table.path.clone(),
        column: name.to_owned(),
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    }
}
