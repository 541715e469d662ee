//! A mapping at work: the old table is read as the new one names, measures, labels and lays out its columns.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use switchback_core::mapping::{self, Call, Decimal, Entry, Mapping, Reshape};
use switchback_core::rule::Rule;

use super::columns::Names;
use crate::compare::Setting;
use crate::error::CompareError;
use crate::format::{Applied, WithoutValue};
use crate::source::inference::{Kind, kind_of};
use crate::source::logical::ColumnType;
use crate::source::mapped::Change;
use crate::source::reshaped::Melting;
use crate::source::table::Table;
use crate::value::{Conversion, Target};

/// A mapping, and how far each of its entries has come.
#[derive(Debug)]
pub(crate) struct Tracing<'r> {
    mapping: &'r Mapping,
    reached: Mutex<Vec<Reach>>,
    /// The lines of the calls whose documents were met.
    called: Mutex<Vec<usize>>,
}

/// How far an entry has come in all tables so far.
#[derive(Debug, Clone)]
enum Reach {
    /// No table is one that it is for.
    NoTable,
    /// A table that it is for lacks a column.
    NoColumn {
        side: &'static str,
        column: String,
        has: Vec<String>,
    },
    Applied,
}

impl<'r> Tracing<'r> {
    pub(crate) fn new(mapping: &'r Mapping) -> Self {
        let reached = Mutex::new(vec![Reach::NoTable; mapping.entries.len()]);
        Self { mapping, reached, called: Mutex::default() }
    }

    /// The call whose result stands in the document `name`.
    ///
    /// # Errors
    ///
    /// When there are two.
    pub(crate) fn call_of(&self, name: &str) -> Result<Option<&'r Call>, CompareError> {
        let calls = self.mapping.calls_of(name);
        let Some(call) = calls.first().copied() else { return Ok(None) };
        if let Some(second) = calls.get(1) {
            let reason = format!("`{name}` is what the call in line {} returned, too", call.line);
            return Err(self.refuse_line(second.line, reason));
        }
        self.called.lock().unwrap_or_else(PoisonError::into_inner).push(call.line);
        Ok(Some(call))
    }

    /// A line of the mapping that cannot be followed.
    pub(crate) fn refuse_line(&self, line: usize, reason: String) -> CompareError {
        CompareError::Mapping { path: self.mapping.path.clone(), line, reason }
    }

    fn note(&self, at: usize, reach: Reach) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(so_far) = reached.get_mut(at)
            && !matches!(so_far, Reach::Applied)
        {
            *so_far = reach;
        }
    }

    fn lacks(&self, at: usize, side: &'static str, column: &str, table: &Table<'_>) {
        let has = table.columns.iter().map(|column| column.name.clone()).collect();
        self.note(at, Reach::NoColumn { side, column: column.to_owned(), has });
    }

    fn refuse(&self, at: usize, reason: String) -> CompareError {
        self.refuse_line(self.mapping.entries.get(at).map_or(0, |entry| entry.line), reason)
    }

    /// What an entry says and no table has was mistyped, and would not be done.
    ///
    /// # Errors
    ///
    /// The first such entry of the file.
    pub(crate) fn finish(&self) -> Result<(), CompareError> {
        let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        let mut with_documents = self.mapping.calls.iter().filter(|call| !call.documents.is_empty());
        if let Some(call) = with_documents.find(|call| !called.contains(&call.line)) {
            let named = call.documents.join("`, `");
            let reason = format!("no document that both sides have is called `{named}`");
            return Err(self.refuse_line(call.line, reason));
        }
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let left = reached.iter().enumerate().filter(|(_, reach)| !matches!(reach, Reach::Applied));
        let line = |at: usize| self.mapping.entries.get(at).map(|entry| entry.line);
        let Some((at, reach)) = left.min_by_key(|(at, _)| line(*at)) else { return Ok(()) };
        let pattern = self.mapping.entries.get(at).and_then(|entry| entry.tables.as_deref());
        Err(self.refuse(
            at,
            match (reach, pattern) {
                (Reach::NoColumn { side, column, has }, _) => {
                    let near = switchback_core::plan::advise(column, has.iter().map(String::as_str));
                    format!("no {side} table has the column `{column}`: {near}")
                }
                (_, Some(pattern)) => format!("no table that both sides have is called `{pattern}`"),
                (_, None) => "both sides have no table in common".to_owned(),
            },
        ))
    }
}

/// Two tables under a mapping.
#[derive(Debug)]
pub(super) struct Pair<'a, 'r> {
    pub(super) old: Table<'a>,
    pub(super) new: Table<'a>,
    /// With the new names, and with the key of a reshaped table.
    pub(super) rule: Cow<'r, Rule>,
    pub(super) applied: Vec<Applied>,
}

/// Old and new labels.
type Labels<'m> = &'m [(String, String)];

/// The entries for one table, each with its index in the mapping.
#[derive(Debug, Default)]
struct Chosen<'m> {
    renamed: BTreeMap<&'m str, (usize, &'m str)>,
    units: BTreeMap<&'m str, (usize, Unit<'m>)>,
    categories: BTreeMap<&'m str, (usize, Labels<'m>)>,
    shape: Option<(usize, &'m Reshape)>,
}

#[derive(Debug, Clone, Copy)]
struct Unit<'m> {
    name: Option<&'m str>,
    factor: Decimal,
    offset: Decimal,
}

/// Whether any entry of the mapping is for a table of this name.
pub(super) fn is_for(setting: &Setting<'_>, name: &str) -> bool {
    let entries = setting.mapping.map(|tracing| tracing.mapping.entries.as_slice());
    entries.unwrap_or_default().iter().any(|entry| entry.is_for(name))
}

/// Two tables as the mapping says that they belong together.
///
/// # Errors
///
/// When a table cannot be read, or has not what the mapping is about.
pub(super) fn apply<'a, 'r>(
    name: &str,
    old: Table<'a>,
    new: Table<'a>,
    setting: &Setting<'r>,
) -> Result<Pair<'a, 'r>, CompareError> {
    let mut pair = Pair { old, new, rule: Cow::Borrowed(setting.rule), applied: Vec::new() };
    let Some(tracing) = setting.mapping else { return Ok(pair) };
    let chosen = choose(tracing, name)?;
    pair.rename(&chosen, tracing)?;
    match chosen.shape {
        None => pair.convert(&chosen, tracing, &Stage::default())?,
        Some((at, shape)) => pair.reshape(at, shape, &chosen, tracing)?,
    }
    Ok(pair)
}

fn choose<'m>(tracing: &Tracing<'m>, name: &str) -> Result<Chosen<'m>, CompareError> {
    let mut chosen = Chosen::default();
    // What is said of all tables first: what is said of one replaces it.
    let entries = || tracing.mapping.entries.iter().enumerate().filter(|(_, entry)| entry.is_for(name));
    let general = entries().filter(|(_, entry)| entry.tables.is_none());
    for (at, entry) in general.chain(entries().filter(|(_, entry)| entry.tables.is_some())) {
        let earlier = match &entry.change {
            mapping::Change::Renamed { old, new } => {
                chosen.renamed.insert(old, (at, new.as_str())).map(|one| one.0)
            }
            mapping::Change::Unit { column, name, factor, offset } => {
                let unit = Unit { name: name.as_deref(), factor: *factor, offset: *offset };
                chosen.units.insert(column, (at, unit)).map(|one| one.0)
            }
            mapping::Change::Categories { column, labels } => {
                chosen.categories.insert(column, (at, labels.as_slice())).map(|one| one.0)
            }
            mapping::Change::Shape(shape) => chosen.shape.replace((at, shape)).map(|one| one.0),
        };
        let earlier = earlier.and_then(|earlier| Some((earlier, tracing.mapping.entries.get(earlier)?)));
        match earlier {
            Some((_, Entry { tables: Some(_), line, .. })) => {
                let reason = format!("line {line} says something else of the same thing in `{name}`");
                return Err(tracing.refuse(at, reason));
            }
            // What it was replaced by stands for it.
            Some((earlier, _)) => tracing.note(earlier, Reach::Applied),
            None => {}
        }
    }
    if let Some((column, (at, _))) =
        chosen.units.iter().find(|(column, _)| chosen.categories.contains_key(*column))
    {
        let reason = format!("`{column}` has a unit and categories: a column has numbers or labels");
        return Err(tracing.refuse(*at, reason));
    }
    Ok(chosen)
}

/// The columns of the old table that are converted at one time.
#[derive(Debug, Default)]
struct Stage {
    /// Columns that become rows, and meet the new table's column of values.
    melted: Vec<usize>,
    /// The new table's column of values.
    value: Option<String>,
    /// Columns that were converted already, or will be later.
    others: Vec<String>,
}

impl Pair<'_, '_> {
    fn rename(&mut self, chosen: &Chosen<'_>, tracing: &Tracing<'_>) -> Result<(), CompareError> {
        for (old, (at, new)) in &chosen.renamed {
            let names = Names::of(&self.rule);
            if find(&self.old, names, old).is_none() {
                tracing.lacks(*at, "old", old, &self.old);
            } else if find(&self.new, names, new).is_none() {
                tracing.lacks(*at, "new", new, &self.new);
            } else if let Some(other) = self.rule.rename.get(*old).filter(|other| *other != new) {
                let reason = format!("`{old}` is called `{other}` by another option, and `{new}` here");
                return Err(tracing.refuse(*at, reason));
            } else {
                self.rule.to_mut().rename.insert((*old).to_owned(), (*new).to_owned());
                self.applied.push(Applied::Column { old: (*old).to_owned(), new: (*new).to_owned() });
                tracing.note(*at, Reach::Applied);
            }
        }
        Ok(())
    }

    /// Converts the units and labels of the old table's columns.
    fn convert(
        &mut self,
        chosen: &Chosen<'_>,
        tracing: &Tracing<'_>,
        stage: &Stage,
    ) -> Result<(), CompareError> {
        let (mut changes, mut kinds) = (HashMap::new(), HashMap::new());
        for (column, (at, unit)) in &chosen.units {
            let Some((index, partner)) = self.met(column, *at, tracing, stage) else { continue };
            let Some(old) = self.old.columns.get(index).map(|column| &column.kind) else { continue };
            if !old.is_numeric() && *old != ColumnType::Found(Kind::Nothing) {
                let reason = format!("`{column}` has a unit, and is of the type {}", old.name());
                return Err(tracing.refuse(*at, reason));
            }
            let conversion = Conversion::new(unit.factor, unit.offset, target(partner));
            kinds.insert(index, converted_type(old, partner, &conversion));
            changes.insert(index, Change::Unit(conversion));
            self.applied.push(Applied::Unit {
                column: (*column).to_owned(),
                unit: unit.name.map(str::to_owned),
                factor: unit.factor.to_string(),
                offset: unit.offset.to_string(),
            });
        }
        for (column, (at, labels)) in &chosen.categories {
            let Some((index, partner)) = self.met(column, *at, tracing, stage) else { continue };
            let Some(old) = self.old.columns.get(index).map(|column| &column.kind) else { continue };
            if !has_labels(old) {
                let reason = format!("`{column}` has categories, and is of the type {}", old.name());
                return Err(tracing.refuse(*at, reason));
            }
            let kind = label_kind(labels, partner);
            kinds.insert(index, ColumnType::Found(kind));
            changes.insert(index, Change::Labels(labels.iter().cloned().collect(), kind));
            self.applied.push(categories(column, labels));
        }
        if !changes.is_empty() {
            replace(&mut self.old, |old| Ok(old.mapped(changes, &kinds)))?;
        }
        Ok(())
    }

    /// Where a column of the old table is, and the type of the new one's that it is compared with.
    fn met(
        &self,
        column: &str,
        at: usize,
        tracing: &Tracing<'_>,
        stage: &Stage,
    ) -> Option<(usize, Option<&ColumnType>)> {
        let names = Names::of(&self.rule);
        if stage.others.iter().any(|other| names.are_one(other, column)) {
            return None;
        }
        let Some(index) = find(&self.old, names, column) else {
            tracing.lacks(at, "old", column, &self.old);
            return None;
        };
        tracing.note(at, Reach::Applied);
        let value = stage.value.as_deref().filter(|_| stage.melted.contains(&index));
        let partner = find(&self.new, names, value.unwrap_or_else(|| names.new_name(column)));
        Some((index, partner.and_then(|partner| self.new.columns.get(partner)).map(|other| &other.kind)))
    }

    fn reshape(
        &mut self,
        at: usize,
        shape: &Reshape,
        chosen: &Chosen<'_>,
        tracing: &Tracing<'_>,
    ) -> Result<(), CompareError> {
        let rule = self.rule.clone();
        let names = Names::of(&rule);
        let (wide, side) = if shape.old_is_wide { (&self.old, "old") } else { (&self.new, "new") };
        let id: Vec<&str> =
            shape.id.iter().map(|id| if shape.old_is_wide { id } else { names.new_name(id) }).collect();
        let Some(melted) = melted(wide, side, &id, shape, (names, at, tracing)) else { return Ok(()) };
        let columns: Vec<String> =
            melted.iter().filter_map(|index| wide.columns.get(*index)).map(|one| one.name.clone()).collect();
        let (long, side) = if shape.old_is_wide { (&self.new, "new") } else { (&self.old, "old") };
        let name_at = find(long, names, &shape.name);
        let (Some(name_at), Some(value_at)) = (name_at, find(long, names, &shape.value)) else {
            let lacking = if name_at.is_some() { &shape.value } else { &shape.name };
            tracing.lacks(at, side, lacking, long);
            return Ok(());
        };
        let names_of = long.columns.get(name_at).map(|column| column.kind.clone());
        let long_names = [name_at, value_at].map(|at| long.columns.get(at).map(|one| one.name.clone()));
        let [Some(name), Some(value)] = long_names else { return Ok(()) };
        let nan_is_missing = rule.null_is_nan;
        let melting = |columns| Melting {
            columns,
            name: &name,
            value: &value,
            names_of: names_of.as_ref(),
            nan_is_missing,
        };
        let mut without_value = WithoutValue::default();
        let long_only = vec![shape.name.clone(), shape.value.clone()];
        if shape.old_is_wide {
            let stage = Stage { melted: melted.clone(), value: Some(value.clone()), others: long_only };
            self.convert(chosen, tracing, &stage)?;
            replace(&mut self.old, |old| {
                Ok(counted(old.made_long(&melting(melted))?, &mut without_value.old))
            })?;
            let stored = chosen.units.keys().chain(chosen.categories.keys());
            let stored =
                stored.filter(|column| !stage.others.iter().any(|other| names.are_one(other, column)));
            let others = stored.map(|column| (*column).to_owned()).collect();
            self.convert(chosen, tracing, &Stage { others, ..Stage::default() })?;
            replace(&mut self.new, |new| {
                Ok(counted(new.valued(value_at, nan_is_missing)?, &mut without_value.new))
            })?;
        } else {
            replace(&mut self.new, |new| {
                Ok(counted(new.made_long(&melting(melted))?, &mut without_value.new))
            })?;
            self.convert(chosen, tracing, &Stage::default())?;
            replace(&mut self.old, |old| {
                Ok(counted(old.valued(value_at, nan_is_missing)?, &mut without_value.old))
            })?;
        }
        let layout = |is_wide: bool| if is_wide { "wide" } else { "long" };
        self.applied.push(Applied::Shape {
            old: layout(shape.old_is_wide),
            new: layout(!shape.old_is_wide),
            id: shape.id.clone(),
            name: shape.name.clone(),
            value: shape.value.clone(),
            columns,
            without_value,
        });
        tracing.note(at, Reach::Applied);
        let key = shape.id.iter().chain(std::iter::once(&shape.name)).cloned().collect();
        self.rule.to_mut().key = key;
        Ok(())
    }
}

/// The columns of the wide table that become rows. `None`: it lacks one, which is noted.
fn melted(
    wide: &Table<'_>,
    side: &'static str,
    id: &[&str],
    shape: &Reshape,
    (names, at, tracing): (Names<'_>, usize, &Tracing<'_>),
) -> Option<Vec<usize>> {
    let place = |column: &str| {
        let found = find(wide, names, column);
        if found.is_none() {
            tracing.lacks(at, side, column, wide);
        }
        found
    };
    let id: Vec<usize> = id.iter().map(|column| place(column)).collect::<Option<_>>()?;
    if shape.columns.is_empty() {
        return Some((0..wide.columns.len()).filter(|index| !id.contains(index)).collect());
    }
    shape.columns.iter().map(|column| place(column)).collect()
}

fn find(table: &Table<'_>, names: Names<'_>, column: &str) -> Option<usize> {
    names.position(table.columns.iter().map(|column| column.name.as_str()), column)
}

/// Puts what is made of a table in its place.
fn replace<'a>(
    table: &mut Table<'a>,
    change: impl FnOnce(Table<'a>) -> Result<Table<'a>, CompareError>,
) -> Result<(), CompareError> {
    let empty = Table::empty(&table.path);
    *table = change(std::mem::replace(table, empty))?;
    Ok(())
}

fn counted<'a>((table, missing): (Table<'a>, u64), to: &mut u64) -> Table<'a> {
    *to = missing;
    table
}

/// What converted values must be to meet those of the new column.
fn target(partner: Option<&ColumnType>) -> Target {
    use arrow_schema::DataType;
    match partner {
        Some(ColumnType::Stored(DataType::Float64)) => Target::Double,
        Some(ColumnType::Stored(DataType::Float32 | DataType::Float16)) => Target::Single,
        Some(ColumnType::Found(Kind::Integer | Kind::Number)) => Target::Text,
        _ => Target::Exact,
    }
}

/// The type of a converted column: another unit may need another type of number, so that is no change of the schema.
fn converted_type(old: &ColumnType, partner: Option<&ColumnType>, conversion: &Conversion) -> ColumnType {
    let is_float = matches!(old, ColumnType::Stored(kind) if kind.is_floating());
    match partner {
        Some(partner) if partner.is_numeric() => partner.clone(),
        _ if is_float || *old == ColumnType::Found(Kind::Nothing) => old.clone(),
        _ if conversion.keeps_integers() => old.clone(),
        _ => ColumnType::Found(Kind::Number),
    }
}

fn has_labels(kind: &ColumnType) -> bool {
    use arrow_schema::DataType;
    match kind {
        ColumnType::Numeric => false,
        ColumnType::Stored(kind) => kind.is_integer() || matches!(kind, DataType::Utf8 | DataType::Boolean),
        ColumnType::Found(kind) => {
            matches!(kind, Kind::Nothing | Kind::Text | Kind::Integer | Kind::Boolean | Kind::Mixed)
        }
    }
}

/// What the new labels are read as: what the new column holds, where all of them can be that.
fn label_kind(labels: &[(String, String)], partner: Option<&ColumnType>) -> Kind {
    let found = labels.iter().fold(Kind::Nothing, |kind, (_, new)| kind.join(kind_of(new), Kind::Text));
    let is_text = ColumnType::Found(Kind::Text);
    match partner {
        Some(partner) if !is_text.is_same(partner) && ColumnType::Found(found).is_same(partner) => found,
        _ => Kind::Text,
    }
}

fn categories(column: &str, labels: &[(String, String)]) -> Applied {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (old, new) in labels {
        joined.entry(new.clone()).or_default().push(old.clone());
    }
    joined.retain(|_, old| old.len() > 1);
    Applied::Categories { column: column.to_owned(), labels: labels.iter().cloned().collect(), joined }
}
