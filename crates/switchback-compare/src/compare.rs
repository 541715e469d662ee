//! A comparison, from its plan to its outcome; and the port through which the run asks for one.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use switchback_core::port::{Comparer, Comparison, FileFound, PortError};
use switchback_core::rule::Rule;
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use crate::error::CompareError;
use crate::plan::{CompareOptions, ComparePlan, Pair, Scope, Way};
use crate::progress::Progress;
use crate::report::{CompareOutcome, Detail, Divergence, Item, Relation, SCHEMA, Stage, StageName};
use crate::store::{Opened, Stores};
use crate::table::mapping::Tracing;
use crate::value::Terms;
use crate::{bytes, document, known, table};

/// What one pair is compared under.
#[derive(Debug)]
pub(crate) struct Setting<'r> {
    pub(crate) rule: &'r Rule,
    /// For what has none of its own.
    pub(crate) terms: Terms,
    /// It is the only pair: what the rule names must be in it.
    pub(crate) alone: bool,
    /// What its addresses lead to.
    pub(crate) opened: &'r Opened,
    /// Who is told how far it is.
    pub(crate) progress: Option<&'r Arc<dyn Progress>>,
    /// What the new results call, measure, label and lay out in another way.
    pub(crate) mapping: Option<&'r Tracing<'r>>,
}

/// Compares what a plan has settled. A difference is an answer, never an error.
///
/// # Errors
///
/// When no verdict can be reached: a file that cannot be read, a key that repeats or that a table does not have, a plan
/// of addresses (only a [`TableComparer`] with stores opens what they lead to).
pub fn compare(plan: &ComparePlan, disk: &dyn Disk) -> Result<CompareOutcome, CompareError> {
    compare_opened(plan, disk, &Opened::default(), None)
}

fn compare_opened(
    plan: &ComparePlan,
    disk: &dyn Disk,
    opened: &Opened,
    progress: Option<&Arc<dyn Progress>>,
) -> Result<CompareOutcome, CompareError> {
    let rule = &plan.options.rule;
    let alone = plan.scopes.len() == 1 && plan.scopes.iter().all(|scope| scope.pairs.len() == 1);
    let tracing = rule.mapping.as_ref().map(Tracing::new);
    let setting =
        Setting { rule, terms: Terms::of(rule)?, alone, opened, progress, mapping: tracing.as_ref() };
    let mut outcome = CompareOutcome {
        schema: SCHEMA,
        verdict: Verdict::Unknown,
        items: Vec::new(),
        only_old: Vec::new(),
        only_new: Vec::new(),
        stages: Vec::new(),
        first_divergence: None,
        first_not_bitwise: None,
        not_compared: plan.not_compared.clone(),
        exceptions: Vec::new(),
        calibration: None,
        sensitivity: None,
        sensitivity_notes: Vec::new(),
    };
    let mut compared = Vec::with_capacity(plan.scopes.len());
    for planned in &plan.scopes {
        compared.push(compare_scope(planned, &setting, disk)?);
    }
    let items = compared.iter_mut().flat_map(|(_, items)| items);
    outcome.exceptions = known::settle(&rule.exceptions, items);
    let mut verdicts = Vec::with_capacity(plan.scopes.len());
    for (scope, items) in compared {
        let verdict = scope_verdict(&scope, &items, rule);
        verdicts.push(verdict);
        if let Some(name) = &scope.stage {
            outcome.add_stage(name, verdict, &scope, &items);
        }
        outcome.items.extend(items);
        outcome.only_old.extend(scope.only_old.iter().cloned());
        outcome.only_new.extend(scope.only_new.iter().cloned());
    }
    if let Some(tracing) = &tracing {
        tracing.finish()?;
    }
    outcome.verdict = Verdict::all(verdicts);
    Ok(outcome)
}

/// The pairs of a scope, and the scope with what only one side of them has.
fn compare_scope<'p>(
    planned: &'p Scope,
    setting: &Setting<'_>,
    disk: &dyn Disk,
) -> Result<(Cow<'p, Scope>, Vec<Item>), CompareError> {
    let mut scope = Cow::Borrowed(planned);
    let mut items = Vec::with_capacity(scope.pairs.len());
    for pair in &planned.pairs {
        if let Some(progress) = setting.progress {
            progress.begin(&pair.name);
        }
        if let Way::Tables(old, new) = pair.way {
            let found = table::compare_all(pair, (old, new), setting, disk)?;
            items.extend(found.items);
            scope.to_mut().only_old.extend(found.only_old);
            scope.to_mut().only_new.extend(found.only_new);
        } else {
            items.push(compare_pair(pair, setting, disk)?);
        }
    }
    Ok((scope, items))
}

fn compare_pair(pair: &Pair, setting: &Setting<'_>, disk: &dyn Disk) -> Result<Item, CompareError> {
    match pair.way {
        Way::Table(old, new) => table::compare(pair, (old, new), setting, disk),
        Way::Document(old, new) => document::compare(pair, (old, new), setting, disk),
        // Several tables are several items, which the caller collects.
        Way::Tables(..) | Way::Bytes => bytes::compare(pair, disk),
        Way::Links => bytes::compare_links(pair, disk),
    }
}

/// Without a file in common nothing was compared; with one, a file on one side only is a *no*.
fn scope_verdict(scope: &Scope, items: &[Item], rule: &Rule) -> Verdict {
    let one_sided = !scope.only_old.is_empty() || !scope.only_new.is_empty();
    match () {
        () if items.is_empty() && !rule.allow_empty => Verdict::Unknown,
        () if one_sided => Verdict::No,
        () if items.is_empty() => Verdict::Yes,
        () => Verdict::all(items.iter().map(|item| item.verdict)),
    }
}

impl CompareOutcome {
    fn add_stage(&mut self, name: &str, verdict: Verdict, scope: &Scope, items: &[Item]) {
        let relation = match verdict {
            Verdict::Yes => items.iter().filter_map(|item| item.relation).max(),
            Verdict::No => Some(Relation::Different),
            Verdict::Unknown => None,
        };
        if self.first_not_bitwise.is_none() && relation.is_some_and(|relation| relation > Relation::Bitwise) {
            self.first_not_bitwise = Some(StageName { stage: name.to_owned() });
        }
        if self.first_divergence.is_none() && verdict == Verdict::No {
            self.first_divergence = Some(divergence(name, scope, items));
        }
        self.stages.push(Stage { name: name.to_owned(), verdict, relation });
    }
}

fn divergence(stage: &str, scope: &Scope, items: &[Item]) -> Divergence {
    let within = |name: &str| name.strip_prefix(&format!("{stage}/")).unwrap_or(name).to_owned();
    let mut divergence = Divergence {
        stage: stage.to_owned(),
        item: String::new(),
        key: Vec::new(),
        column: None,
        row_old: None,
        row_new: None,
        path: None,
    };
    let Some(item) = items.iter().find(|item| item.verdict == Verdict::No) else {
        divergence.item =
            scope.only_old.first().or(scope.only_new.first()).map(|name| within(name)).unwrap_or_default();
        return divergence;
    };
    divergence.item = within(&item.name);
    match &item.detail {
        Detail::Table(table) => {
            if let Some(first) = &table.first {
                divergence.key.clone_from(&first.key);
                divergence.column.clone_from(&first.column);
                divergence.row_old = first.row_old;
                divergence.row_new = first.row_new;
            }
        }
        Detail::Document(document) => {
            divergence.path = document.differences.first().map(|difference| difference.path.clone());
        }
        Detail::File(_) => {}
    }
    divergence
}

/// The comparer of tables, documents and files that holds in memory what a keyed join needs.
#[derive(Debug, Clone)]
pub struct TableComparer {
    disk: Arc<dyn Disk>,
    stores: Option<Arc<dyn Stores>>,
    progress: Option<Arc<dyn Progress>>,
}

impl TableComparer {
    /// A comparer that reads through `disk` (Parquet files excepted: their reader seeks in the file itself).
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, stores: None, progress: None }
    }

    /// The same comparer, which also opens what addresses lead to.
    #[must_use]
    pub fn with_stores(self, stores: Arc<dyn Stores>) -> Self {
        Self { stores: Some(stores), ..self }
    }

    /// The same comparer, which tells how far it is.
    #[must_use]
    pub fn with_progress(self, progress: Arc<dyn Progress>) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Plans and compares in one go, with the outcome in full.
    ///
    /// # Errors
    ///
    /// Those of [`ComparePlan::new`] and [`compare`].
    pub fn outcome(
        &self,
        old: &Path,
        new: &Path,
        options: CompareOptions,
    ) -> Result<CompareOutcome, CompareError> {
        let mut plan = ComparePlan::new(old, new, options, self.disk.as_ref())?;
        let opened = Opened::of((old, new), self.stores.as_ref(), &mut plan)?;
        compare_opened(&plan, self.disk.as_ref(), &opened, self.progress.as_ref())
            .map_err(|error| opened.explain(error))
    }
}

impl Comparer for TableComparer {
    fn compare(&self, old: &Path, new: &Path, rule: &Rule) -> Result<Comparison, PortError> {
        let outcome = self
            .outcome(old, new, CompareOptions { rule: rule.clone() })
            .map_err(|error| error.into_port_error(old, new))?;
        Ok(outcome.into())
    }

    fn read_through(&self, path: &Path) -> Result<FileFound, PortError> {
        crate::whole::read_through(self.disk.as_ref(), path).map_err(|error| error.into_read_error(path))
    }
}

impl From<CompareOutcome> for Comparison {
    fn from(outcome: CompareOutcome) -> Self {
        Self { verdict: outcome.verdict, summary: outcome.summary(), report: outcome.to_json() }
    }
}
