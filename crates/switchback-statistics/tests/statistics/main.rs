//! The promises of the statistics, simulated and tried: level, power, symmetry, and the edges.

#![expect(clippy::float_cmp, reason = "what is compared is exact, or the very same number")]
#![expect(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

mod cases;
mod edges;
mod level;
mod properties;
mod slowdowns;

use switchback_statistics::{
    ColumnFinding, DistributionOptions, DistributionOutcome, DistributionPlan, Ensemble, Ensembles, Random,
    judge,
};

/// A distribution with mean 0 and standard deviation 1.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Law {
    Normal,
    Laplace,
}

impl Law {
    pub(crate) fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Normal => random.normal(),
            Self::Laplace => {
                let side = random.uniform() - 0.5;
                -side.signum() * (1.0 - 2.0 * side.abs()).ln() / 2_f64.sqrt()
            }
        }
    }

    pub(crate) fn sample(self, random: &mut Random, size: usize) -> Vec<f64> {
        (0..size).map(|_| self.draw(random)).collect()
    }
}

pub(crate) fn ensemble(name: &str, old: &[f64], new: &[f64]) -> Ensemble {
    let some = |values: &[f64]| values.iter().copied().map(Some).collect();
    Ensemble { name: name.to_owned(), old: some(old), new: some(new), ..Ensemble::default() }
}

pub(crate) fn judge_all(options: DistributionOptions, columns: Vec<Ensemble>) -> DistributionOutcome {
    judge(&DistributionPlan::new(options).unwrap(), &Ensembles { columns, ..Ensembles::default() })
}

/// One column under the default options.
pub(crate) fn judge_one(old: &[f64], new: &[f64]) -> ColumnFinding {
    judge_all(DistributionOptions::default(), vec![ensemble("x", old, new)]).columns.remove(0)
}
