//! Whether two ensembles are equivalent within stated margins: *yes*, *no*, or too few replicates to tell.
//!
//! In the order in which the data goes: [`DistributionOptions`] become a [`DistributionPlan`]; [`judge()`] holds every column
//! of two [`Ensembles`] against it by three criteria, each an interval against a margin (`mean`, `spread`, `kolmogorov`),
//! holds the columns against each other (`discovery`), and says what an undecided one still needs (`outlook`);
//! [`DistributionOutcome`] (`format`) is the answer.
//!
//! What runs of programs take has a way of its own: [`turn_ratio`] and [`median_ratio`] are intervals of ratios, which [`slowdown()`]
//! holds against a margin; [`limit()`] holds a share of the runs against a limit.
//!
//! It deliberately reads nothing and knows no files: numbers in, results out. It never takes *not significantly different*
//! for *equal*, and the same numbers under the same seed give the same result, in whatever order the replicates come.
//! `docs/statistics.md` has the methods, their formulas and their sources.

mod discovery;
mod ends;
mod format;
mod judge;
mod kolmogorov;
mod limit;
mod mean;
mod median;
mod moments;
mod outlook;
mod plan;
mod quantile;
mod random;
mod separation;
mod slowdown;
mod spread;
mod turns;

pub use discovery::benjamini_hochberg;
pub use format::{
    ColumnFinding, Counts, DistributionOutcome, EndFinding, EndsFinding, Margins, MeanFinding, NotCompared,
    PairFinding, Proof, SCHEMA, ShapeFinding, SpreadFinding,
};
pub use judge::{Ensemble, Ensembles, judge};
pub use limit::limit;
pub use median::{MedianRatio, median_ratio, runs_min};
pub use outlook::PLANNED_POWER;
pub use plan::{Adjust, DistributionOptions, DistributionPlan, OptionError};
pub use random::{Random, stream_of};
pub use slowdown::slowdown;
pub use turns::{TURNS_MAX, TurnRatio, turn_ratio};
