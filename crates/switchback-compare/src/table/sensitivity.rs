//! Differences planted in a copy of one table, and a comparison of each copy with the table itself.

use std::collections::BTreeMap;

use switchback_core::rule::{Duplicates, RowOrder, Rule};
use switchback_core::verdict::Verdict;
use switchback_statistics::{Random, stream_of};

use super::agreement::Agreement;
use super::columns::Names;
use super::compare_open;
use super::plants::{Planted, of_null, of_value};
use crate::compare::Setting;
use crate::error::CompareError;
use crate::sensitivity::Plant;
use crate::source::batch::{Batch, Cells};
use crate::source::logical::Column;
use crate::source::table::Table;
use crate::value::{Terms, Value};

/// The choice of rows is the same at every run.
const SEED: u64 = 0x0005_eed0_fa11;
/// How many rows of a table are copied.
const ROWS_MAX: usize = 256;
/// In how many columns of a table differences are planted.
const COLUMNS_MAX: usize = 200;

/// What was planted in a table.
#[derive(Debug, Default)]
pub(crate) struct Sown {
    pub(crate) plants: Vec<Plant>,
    /// Sentences about where it was planted, and where not.
    pub(crate) notes: Vec<String>,
}

/// Plants differences in copies of some rows of a table, by the names that the old side gives its columns.
pub(crate) fn plant(
    name: &str,
    table: &Table<'_>,
    renamed: &BTreeMap<String, String>,
    setting: &Setting<'_>,
) -> Result<Sown, CompareError> {
    let copy = Copied::of(name, table, renamed, setting)?;
    let mut sown = Sown::default();
    let rows = copy.rows();
    if rows == 0 {
        sown.notes.push(format!("nothing was planted in `{name}`, which has no rows"));
        return Ok(sown);
    }
    sown.notes.push(format!("planted in a copy of {rows} of the {} rows of `{name}`", table.rows));
    let left = copy.columns.len().saturating_sub(COLUMNS_MAX);
    if left > 0 {
        sown.notes.push(format!("nothing was planted in the last {left} columns of `{name}`"));
    }
    for at in 0..copy.columns.len().min(COLUMNS_MAX) {
        copy.plant_values(at, &mut sown.plants)?;
        copy.swap_columns(at, &mut sown.plants)?;
    }
    copy.plant_rows(&mut sown.plants)?;
    Ok(sown)
}

/// Some rows of a table, in memory.
struct Copied<'s> {
    name: &'s str,
    table: &'s Table<'s>,
    setting: &'s Setting<'s>,
    columns: Vec<Column>,
    /// Column by column.
    cells: Vec<Vec<Value<'static>>>,
    /// Of each column, the terms under which its cells are compared; none of a key, whose values must be the same.
    terms: Vec<Option<Terms>>,
    /// Rows in the order in which a place for a difference is looked for.
    tried: Vec<usize>,
}

impl<'s> Copied<'s> {
    fn of(
        name: &'s str,
        table: &'s Table<'s>,
        renamed: &BTreeMap<String, String>,
        setting: &'s Setting<'s>,
    ) -> Result<Self, CompareError> {
        let mut random = Random::new(SEED, stream_of(name));
        let all: Vec<usize> = (0..table.columns.len()).collect();
        let batch = table.batches(&all)?.next().transpose()?;
        let batch = batch.unwrap_or(Batch { columns: Vec::new(), rows: 0 });
        let mut chosen = shuffled(batch.rows, &mut random);
        chosen.truncate(ROWS_MAX);
        chosen.sort_unstable();
        let old_name = |new: &str| {
            renamed.iter().find(|(_, other)| *other == new).map_or(new, |(old, _)| old).to_owned()
        };
        let mut copy = Self {
            name,
            table,
            setting,
            columns: table
                .columns
                .iter()
                .map(|column| Column { name: old_name(&column.name), kind: column.kind.clone() })
                .collect(),
            cells: Vec::with_capacity(batch.columns.len()),
            terms: Vec::new(),
            tried: shuffled(chosen.len(), &mut random),
        };
        for cells in &batch.columns {
            // What cannot be read ended the comparison itself with an error.
            let value = |row: &usize| cells.value(*row).map_or(Value::Null, Value::into_owned);
            copy.cells.push(chosen.iter().map(value).collect());
        }
        let whole = copy.held(&copy.cells, &all)?;
        let agreement = Agreement::new(&whole, &whole, setting)?;
        copy.terms = copy
            .columns
            .iter()
            .map(|column| {
                let shared = agreement.columns.iter().find(|shared| shared.name == column.name);
                shared.map(|shared| shared.terms.clone())
            })
            .collect();
        Ok(copy)
    }

    fn rows(&self) -> usize {
        self.tried.len()
    }

    fn rule(&self) -> &Rule {
        self.setting.rule
    }

    fn held(&self, cells: &[Vec<Value<'static>>], wanted: &[usize]) -> Result<Table<'static>, CompareError> {
        let columns = wanted.iter().filter_map(|at| self.columns.get(*at).cloned()).collect();
        let rows = cells.first().map_or(0, Vec::len);
        let cells = wanted.iter().filter_map(|at| cells.get(*at)).map(|cells| Cells::Values(cells.clone()));
        Table::held(&self.table.path, columns, Batch { columns: cells.collect(), rows })
    }

    /// Whether the comparison tells a copy from the rows themselves. `changed`: the only column that is not the same.
    fn is_found(
        &self,
        planted: &[Vec<Value<'static>>],
        changed: Option<usize>,
    ) -> Result<bool, CompareError> {
        let rule = self.rule();
        // Where rows find each other by key or by position, the other columns have no part in it.
        let apart = if rule.key.is_empty() {
            rule.row_order == RowOrder::Position
        } else {
            rule.duplicates == Duplicates::Error
        };
        let names = Names::of(rule);
        let is_key = |at: usize| {
            self.columns
                .get(at)
                .is_some_and(|column| rule.key.iter().any(|key| names.are_one(key, &column.name)))
        };
        let counts = |at: &usize| changed.is_none_or(|changed| !apart || *at == changed || is_key(*at));
        let wanted: Vec<usize> = (0..self.columns.len()).filter(counts).collect();
        let (one, two) = (self.held(&self.cells, &wanted)?, self.held(planted, &wanted)?);
        match compare_open(self.name, &one, &two, self.setting) {
            Ok(item) => Ok(item.verdict == Verdict::No),
            // A key that now names two rows is refused, which nobody overlooks.
            Err(CompareError::RepeatedKey { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// One value after the other is replaced, and put back.
    fn plant_values(&self, at: usize, plants: &mut Vec<Plant>) -> Result<(), CompareError> {
        let (Some(column), Some(cells)) = (self.columns.get(at), self.cells.get(at)) else { return Ok(()) };
        let terms = self.terms.get(at).and_then(Option::as_ref);
        let first = |is_fit: &dyn Fn(&Value<'_>) -> bool| {
            self.tried.iter().copied().find(|row| cells.get(*row).is_some_and(is_fit))
        };
        let is_plain = |value: &Value<'_>| match value {
            Value::Null => false,
            Value::Number(number) => number.is_finite(),
            _ => true,
        };
        let mut sown: Vec<(usize, Planted)> = Vec::new();
        if let Some(row) = first(&is_plain)
            && let Some(value) = cells.get(row)
        {
            sown.extend(of_value(value, &column.kind, terms).into_iter().map(|planted| (row, planted)));
        }
        if let Some(row) = first(&|value| matches!(value, Value::Null)) {
            sown.extend(of_null(&column.kind).map(|planted| (row, planted)));
        }
        for (row, planted) in sown {
            let mut copy = self.cells.clone();
            let Some(cell) = copy.get_mut(at).and_then(|cells| cells.get_mut(row)) else { continue };
            let old = std::mem::replace(cell, planted.value.clone());
            plants.push(Plant {
                item: self.name.to_owned(),
                column: Some(column.name.clone()),
                plant: planted.plant,
                size: planted.size,
                old: old.to_json(),
                new: planted.value.to_json(),
                found: self.is_found(&copy, Some(at))?,
            });
        }
        Ok(())
    }

    /// A column changes places with the next one of its type that has other values.
    fn swap_columns(&self, at: usize, plants: &mut Vec<Plant>) -> Result<(), CompareError> {
        let Some(column) = self.columns.get(at) else { return Ok(()) };
        let is_other = |other: &usize| {
            let kind = self.columns.get(*other).map(|column| &column.kind);
            kind == Some(&column.kind) && !same(self.cells.get(at), self.cells.get(*other))
        };
        let Some(other) = (at + 1..self.columns.len()).find(is_other) else { return Ok(()) };
        let mut copy = self.cells.clone();
        copy.swap(at, other);
        let found = self.is_found(&copy, None)?;
        let mut plant = self.of_rows("columns-swapped", found);
        plant.column = Some(column.name.clone());
        plant.new = self.columns.get(other).map(|other| other.name.clone()).into();
        plants.push(plant);
        Ok(())
    }

    /// A row is left out, comes twice, or changes places with the next one that is another.
    fn plant_rows(&self, plants: &mut Vec<Plant>) -> Result<(), CompareError> {
        let Some(row) = self.tried.first().copied() else { return Ok(()) };
        let changed = |change: &dyn Fn(&mut Vec<Value<'static>>)| {
            let mut copy = self.cells.clone();
            copy.iter_mut().for_each(change);
            copy
        };
        let dropped = changed(&|cells| {
            cells.remove(row);
        });
        plants.push(self.of_rows("row-dropped", self.is_found(&dropped, None)?));
        let doubled = changed(&|cells| cells.insert(row, cells.get(row).cloned().unwrap_or(Value::Null)));
        plants.push(self.of_rows("row-duplicated", self.is_found(&doubled, None)?));
        let whole = |row: usize| -> Vec<_> {
            self.cells.iter().filter_map(|cells| cells.get(row)).map(Value::to_json).collect()
        };
        if let Some(row) = (1..self.rows()).find(|row| whole(*row) != whole(row - 1)) {
            let swapped = changed(&|cells| cells.swap(row, row - 1));
            plants.push(self.of_rows("rows-swapped", self.is_found(&swapped, None)?));
        }
        Ok(())
    }

    fn of_rows(&self, plant: &'static str, found: bool) -> Plant {
        let none = serde_json::Value::Null;
        Plant {
            item: self.name.to_owned(),
            column: None,
            plant,
            size: None,
            old: none.clone(),
            new: none,
            found,
        }
    }
}

fn same(one: Option<&Vec<Value<'static>>>, two: Option<&Vec<Value<'static>>>) -> bool {
    let json = |cells: Option<&Vec<Value<'static>>>| -> Vec<_> {
        cells.into_iter().flatten().map(Value::to_json).collect()
    };
    json(one) == json(two)
}

/// The numbers below `count` in a random order (Fisher and Yates).
fn shuffled(count: usize, random: &mut Random) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        numbers.swap(at, random.below(at + 1));
    }
    numbers
}
