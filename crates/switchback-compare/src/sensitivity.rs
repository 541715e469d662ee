//! Whether a comparison would find a difference: some are planted in a copy of NEW, in memory, and compared with NEW itself
//! under the same rule.
//!
//! That is about the power of the rule, whatever OLD and NEW have shown.

use switchback_core::rule::Rule;
use switchback_core::world::Disk;

use crate::compare::Setting;
use crate::error::CompareError;
pub use crate::format::Plant;
use crate::plan::{ComparePlan, Pair, Way};
use crate::report::CompareOutcome;
use crate::source::Format;
use crate::source::allowance::Allowance;
use crate::source::table::Table;
use crate::store::Opened;
use crate::table::sensitivity::plant;
use crate::value::Terms;

/// Plants differences in a copy of every table of NEW, and adds to an outcome which of them are found.
///
/// # Errors
///
/// When NEW cannot be read again.
pub fn prove(plan: &ComparePlan, outcome: &mut CompareOutcome, disk: &dyn Disk) -> Result<(), CompareError> {
    // A copy has one side's names, and nothing of it is shown.
    let rule = Rule {
        rename: [].into(),
        stages: Vec::new(),
        sample_max: 0,
        memory_max_bytes: None,
        ..plan.options.rule.clone()
    };
    let opened = Opened::default();
    let setting = Setting {
        terms: Terms::of(&rule)?,
        rule: &rule,
        alone: false,
        opened: &opened,
        progress: None,
        mapping: None,
    };
    if plan.options.rule.mapping.is_some() {
        outcome.sensitivity = Some(Vec::new());
        outcome.sensitivity_notes = vec!["nothing was planted: a copy of NEW has nothing to map".to_owned()];
        return Ok(());
    }
    let renamed = &plan.options.rule.rename;
    let (mut plants, mut notes) = (Vec::new(), Vec::new());
    for pair in plan.scopes.iter().flat_map(|scope| &scope.pairs) {
        let tables = tables(pair, &plan.options.rule, disk)?;
        if matches!(pair.way, Way::Table(_, Format::Database) | Way::Tables(_, Format::Database)) {
            notes.push(format!("nothing was planted in `{}`, which is in a database", pair.name));
        } else if tables.is_empty() {
            notes.push(format!("nothing was planted in `{}`, which is no table", pair.name));
        }
        for (name, table) in tables {
            if outcome.items.iter().any(|item| item.name == name) {
                let planted = plant(&name, &table, renamed, &setting)?;
                plants.extend(planted.plants);
                notes.extend(planted.notes);
            }
        }
    }
    outcome.sensitivity = Some(plants);
    outcome.sensitivity_notes = notes;
    Ok(())
}

/// The tables of the new side of a pair, by the names of their items.
fn tables<'d>(
    pair: &Pair,
    rule: &Rule,
    disk: &'d dyn Disk,
) -> Result<Vec<(String, Table<'d>)>, CompareError> {
    let allowance = Allowance::of(rule);
    Ok(match pair.way {
        Way::Table(_, format) if format != Format::Database => {
            vec![(pair.name.clone(), Table::open(disk, &pair.new, format, rule.delimiter_new, allowance)?)]
        }
        Way::Tables(_, format) if format != Format::Database => {
            let tables = Table::all_of(disk, &pair.new, format, allowance)?.into_iter();
            tables.map(|(name, table)| (format!("{}#{name}", pair.name), table)).collect()
        }
        // Nothing is planted in a database.
        Way::Table(..) | Way::Tables(..) | Way::Document(..) | Way::Bytes | Way::Links => Vec::new(),
    })
}
