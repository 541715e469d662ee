//! Carrying it out: warm-ups, turns, and looks, until everything is decided or there is no turn left.

use std::collections::BTreeMap;

use super::turn::{Look, is_old_first, looks};
use super::{
    Budget, BudgetFinding, CaseFinding, LimitFinding, Measure, MeasureFinding, Of, PerformanceRule,
    RatioRequest, Runs, Sample, Summary,
};
use crate::port::Statistician;
use crate::verdict::Verdict;

/// Which program a run is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The old one.
    Old,
    /// The new one.
    New,
}

impl Side {
    /// In messages: `old`, `new`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// A run that gives no measurement: whatever it took, it did not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFailed {
    /// How it ended: `the old program ended with exit code 3`.
    pub what: String,
    /// The last lines that it put out, without secrets.
    pub output: Vec<String>,
}

/// What NEW is held against.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// OLD, run in turn with it.
    Old,
    /// Runs of another day, by the name of the measure.
    Kept(&'a BTreeMap<String, Vec<f64>>),
    /// Budgets alone.
    Nothing,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Turns that are done.
    pub turns: usize,
    /// Turns at the last look.
    pub turns_max: usize,
}

/// Measures one case. `run` carries out one run; `goes_on` is told of each turn before it begins, and says whether there is time left.
///
/// # Errors
///
/// When a run fails: then there is no measurement at all.
pub fn measured(
    rule: &PerformanceRule,
    against: Against<'_>,
    statistician: &dyn Statistician,
    run: &mut dyn FnMut(Side) -> Result<Sample, RunFailed>,
    goes_on: &mut dyn FnMut(Step) -> bool,
) -> Result<CaseFinding, RunFailed> {
    let mut taken = Taken { rule, against, old: Vec::new(), new: Vec::new(), first: String::new() };
    let mut decided = Decided::default();
    let looks = looks(rule.turns, rule.turns_max, rule.alpha);
    let mut looked = 0;
    let mut why = Vec::new();
    for _ in 0..rule.warm_ups {
        taken.warm_up(run)?;
    }
    'looks: for look in &looks {
        while taken.new.len() < look.turns {
            let step = Step { turns: taken.new.len(), turns_max: rule.turns_max };
            if !goes_on(step) {
                why.push(format!("the time was up after {} of {} turns", step.turns, look.turns));
                break 'looks;
            }
            taken.turn(run)?;
        }
        looked += 1;
        taken.look(*look, statistician, &mut decided);
        if taken.is_decided(&decided) {
            break;
        }
    }
    Ok(taken.into_finding(looked, decided, why))
}

/// What was found at the last look; what is decided stays.
#[derive(Debug, Default)]
struct Decided {
    measures: BTreeMap<Measure, MeasureFinding>,
    budgets: BTreeMap<usize, BudgetFinding>,
}

/// What was measured so far.
struct Taken<'a> {
    rule: &'a PerformanceRule,
    against: Against<'a>,
    old: Vec<Sample>,
    new: Vec<Sample>,
    first: String,
}

impl Taken<'_> {
    fn has_old(&self) -> bool {
        matches!(self.against, Against::Old)
    }

    fn warm_up(&self, run: &mut dyn FnMut(Side) -> Result<Sample, RunFailed>) -> Result<(), RunFailed> {
        if self.has_old() {
            run(Side::Old)?;
        }
        run(Side::New).map(drop)
    }

    fn turn(&mut self, run: &mut dyn FnMut(Side) -> Result<Sample, RunFailed>) -> Result<(), RunFailed> {
        if !self.has_old() {
            self.new.push(run(Side::New)?);
            return Ok(());
        }
        let is_old_first = is_old_first(self.rule.seed, self.new.len());
        let (old, new) = if is_old_first {
            let old = run(Side::Old)?;
            (old, run(Side::New)?)
        } else {
            let new = run(Side::New)?;
            (run(Side::Old)?, new)
        };
        self.first.push(if is_old_first { 'O' } else { 'N' });
        self.old.push(old);
        self.new.push(new);
        Ok(())
    }

    fn look(&self, look: Look, statistician: &dyn Statistician, decided: &mut Decided) {
        for measure in self.rule.measures() {
            let is_open = decided.measures.get(&measure).is_none_or(|found| {
                found.ratio.as_ref().is_none_or(|ratio| ratio.verdict == Verdict::Unknown)
                    || found.margin.is_none()
            });
            if is_open {
                let found = self.measure(&measure, look.alpha, statistician);
                decided.measures.insert(measure, found);
            }
        }
        for (place, budget) in self.rule.budgets.iter().enumerate() {
            let is_open =
                decided.budgets.get(&place).is_none_or(|found| found.found.verdict == Verdict::Unknown);
            if is_open {
                let found = self.budget(budget, look.alpha, statistician);
                decided.budgets.insert(place, BudgetFinding { budget: budget.clone(), found });
            }
        }
    }

    /// Whether another turn can change nothing: one *no* makes the whole *no*.
    fn is_decided(&self, decided: &Decided) -> bool {
        let is_beyond = decided.measures.values().any(MeasureFinding::is_beyond_runs);
        let open = decided.measures.values().filter(|found| !found.is_beyond_runs());
        let measures = open.filter_map(|found| found.verdict(self.rule.is_asked));
        let budgets = decided.budgets.values().map(|found| found.found.verdict);
        let verdicts: Vec<Verdict> = measures.chain(budgets).collect();
        (is_beyond && verdicts.is_empty()) || Verdict::all(verdicts) != Verdict::Unknown
    }

    fn values(samples: &[Sample], measure: &Measure) -> Vec<f64> {
        samples.iter().filter_map(|sample| sample.values.get(measure).copied()).collect()
    }

    /// Why a measure is not there for every run, if so.
    fn missing(&self, measure: &Measure) -> Option<String> {
        let mut all = self.old.iter().chain(&self.new);
        all.find_map(|sample| {
            let why = || sample.missing.get(measure).cloned();
            (!sample.values.contains_key(measure))
                .then(|| why().unwrap_or_else(|| "it was not measured".to_owned()))
        })
    }

    fn measure(&self, measure: &Measure, alpha: f64, statistician: &dyn Statistician) -> MeasureFinding {
        let margin = self.rule.margins.get(measure).copied();
        let new = Self::values(&self.new, measure);
        let old = match self.against {
            Against::Old => Self::values(&self.old, measure),
            Against::Kept(kept) => kept.get(measure.name()).cloned().unwrap_or_default(),
            Against::Nothing => Vec::new(),
        };
        let mut found = MeasureFinding {
            measure: measure.clone(),
            margin: margin.filter(|_| !matches!(self.against, Against::Nothing)),
            old: Summary::of(&old),
            new: Summary::of(&new),
            ratio: None,
            why: self.missing(measure),
            is_lacking: false,
        };
        if found.why.is_some() || matches!(self.against, Against::Nothing) {
            return found;
        }
        let at_most = |sample: &Sample| sample.at_most.get(measure).cloned();
        if self.old.iter().chain(&self.new).all(|sample| at_most(sample).is_some()) {
            found.why = self.new.first().and_then(at_most);
            return found;
        }
        if old.is_empty() {
            found.why = Some("the baseline does not have it".to_owned());
            found.is_lacking = true;
            return found;
        }
        let is_counter = matches!(measure, Measure::Counter(_));
        if is_counter && old.iter().chain(&new).all(|count| *count == 0.0) {
            found.why = Some("it counted nothing in any run".to_owned());
            return found;
        }
        let turns: Vec<(f64, f64)>;
        let runs = if self.has_old() {
            turns = old.iter().copied().zip(new.iter().copied()).collect();
            Runs::InTurn(&turns)
        } else {
            Runs::Apart { old: &old, new: &new }
        };
        let margin = margin.unwrap_or(0.0);
        let request = RatioRequest { runs, margin, alpha, seed: self.rule.seed };
        found.ratio = Some(statistician.slowdown(&request));
        found
    }

    fn budget(&self, budget: &Budget, alpha: f64, statistician: &dyn Statistician) -> LimitFinding {
        let values = Self::values(&self.new, &budget.measure);
        let missing = self.new.len() > values.len() || values.is_empty();
        match budget.of {
            _ if missing => LimitFinding {
                verdict: Verdict::Unknown,
                value: None,
                low: None,
                high: None,
                more_runs: None,
            },
            Of::Share(share) => statistician.limit(&values, share, budget.limit, alpha),
            Of::Every => {
                let most = values.iter().copied().fold(0.0, f64::max);
                let verdict = if most < budget.limit { Verdict::Yes } else { Verdict::No };
                LimitFinding { verdict, value: Some(most), low: None, high: None, more_runs: Some(0) }
            }
        }
    }

    fn into_finding(self, looks: usize, decided: Decided, mut why: Vec<String>) -> CaseFinding {
        let is_asked = self.rule.is_asked;
        let measures: Vec<MeasureFinding> = self
            .rule
            .measures()
            .iter()
            .filter_map(|measure| decided.measures.get(measure).cloned())
            .collect();
        let budgets: Vec<BudgetFinding> = decided.budgets.into_values().collect();
        let verdicts: Vec<Verdict> = measures
            .iter()
            .filter_map(|found| found.verdict(is_asked))
            .chain(budgets.iter().map(|found| found.found.verdict))
            .collect();
        if looks > 0 && verdicts.is_empty() {
            why.push(match self.against {
                Against::Nothing => "there is nothing to hold it against".to_owned(),
                Against::Old | Against::Kept(_) => "nothing that decides could be measured".to_owned(),
            });
        }
        if measures.iter().any(MeasureFinding::is_beyond_runs) {
            why.push(
                "`switchback bench update` takes what the baseline lacks into it, on purpose".to_owned(),
            );
        }
        let verdict = Verdict::all(verdicts);
        let is_improved = verdict == Verdict::Yes
            && measures.iter().any(|found| {
                found.margin.is_some() && found.ratio.as_ref().is_some_and(|ratio| ratio.is_improved)
            });
        let lists = |samples: &[Sample]| {
            let named = self.rule.measures().into_iter().map(|measure| {
                let values = Self::values(samples, &measure);
                (measure, values)
            });
            named.filter(|(_, values)| !values.is_empty()).collect()
        };
        let (old, new) = (lists(&self.old), lists(&self.new));
        let first = self.first;
        CaseFinding {
            name: String::new(),
            verdict,
            is_improved,
            looks,
            first,
            measures,
            budgets,
            why,
            old,
            new,
        }
    }
}
