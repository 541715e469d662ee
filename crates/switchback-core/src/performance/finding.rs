//! What was found about one case: measure by measure, budget by budget, and as a whole.

use super::{Budget, LimitFinding, Measure, RatioFinding};
use crate::verdict::Verdict;

/// The runs of one side, in short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many.
    pub runs: usize,
    /// The middle one.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Summary {
    /// Of finite values; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { runs: sorted.len(), median, least, most })
    }
}

/// One measure.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureFinding {
    /// Which.
    pub measure: Measure,
    /// Its margin, where it decides.
    pub margin: Option<f64>,
    /// Runs of OLD; `None` where there is no OLD.
    pub old: Option<Summary>,
    /// Runs of NEW.
    pub new: Option<Summary>,
    /// The ratio, where there is one; what is only shown has no say in the whole.
    pub ratio: Option<RatioFinding>,
    /// Why it was not measured.
    pub why: Option<String>,
    /// It was measured, and the baseline does not have it: what decides and cannot be held against anything is *could not tell*.
    pub is_lacking: bool,
}

impl MeasureFinding {
    /// What it says about the whole: nothing where it does not decide, or was not measured and not asked for.
    pub fn verdict(&self, is_asked: bool) -> Option<Verdict> {
        self.margin?;
        match &self.ratio {
            Some(ratio) => Some(ratio.verdict),
            None => (is_asked || self.is_lacking).then_some(Verdict::Unknown),
        }
    }

    /// Whether it decides, and no further run would: the baseline does not have it.
    pub fn is_beyond_runs(&self) -> bool {
        self.margin.is_some() && self.is_lacking
    }
}

/// One budget.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetFinding {
    /// Which.
    pub budget: Budget,
    /// What was found.
    pub found: LimitFinding,
}

/// Everything about one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFinding {
    /// What tells it apart from others: `size=1000, workers=4`; empty where there is only one.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether time, or what else decides, is less than that of OLD by more than its margin.
    pub is_improved: bool,
    /// How often it was looked.
    pub looks: usize,
    /// Who went first in each turn: `O` or `N`; empty where there is no OLD to run.
    pub first: String,
    /// The measures, in the order in which they are shown.
    pub measures: Vec<MeasureFinding>,
    /// The budgets, in the order in which they were given.
    pub budgets: Vec<BudgetFinding>,
    /// What keeps it from a *yes* or a *no*, beside measures and budgets.
    pub why: Vec<String>,
    /// What was measured of OLD, a list a measure.
    pub old: Vec<(Measure, Vec<f64>)>,
    /// What was measured of NEW.
    pub new: Vec<(Measure, Vec<f64>)>,
}

impl CaseFinding {
    /// How many runs more of each side would decide all that is open; `None` where no number would.
    pub fn more_runs(&self) -> Option<u64> {
        let ratios = self.measures.iter().filter(|found| found.margin.is_some());
        let ratios =
            ratios.filter_map(|found| found.ratio.as_ref()).map(|ratio| (ratio.verdict, ratio.more_runs));
        let limits = self.budgets.iter().map(|found| (found.found.verdict, found.found.more_runs));
        let open = ratios.chain(limits).filter(|(verdict, _)| *verdict == Verdict::Unknown);
        open.map(|(_, more)| more).try_fold(0, |most, more| Some(most.max(more?)))
    }

    /// One measure.
    pub fn measure(&self, measure: &Measure) -> Option<&MeasureFinding> {
        self.measures.iter().find(|found| found.measure == *measure)
    }
}
