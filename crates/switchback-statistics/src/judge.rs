//! Two ensembles, column by column, against the margins of a plan.

use switchback_core::verdict::Verdict;

use crate::discovery::benjamini_hochberg;
use crate::ends::{self, Asked, Ends};
use crate::format::{
    ColumnFinding, Counts, DistributionOutcome, EndsFinding, Margins, MeanFinding, NotCompared, PairFinding,
    Proof, SCHEMA, ShapeFinding, SpreadFinding,
};
use crate::kolmogorov::{Distance, Together, band, error_above};
use crate::mean::{self, Mean};
use crate::moments::{Common, Moments, float};
use crate::outlook::{Future, Outlook, PLANNED_POWER, Shrinking};
use crate::plan::{Adjust, DistributionOptions, DistributionPlan};
use crate::random::stream_of;
use crate::spread::{self, Draws, REPLICATES_MIN, Source, Spread};

/// What is to be compared.
#[derive(Debug, Clone, Default)]
pub struct Ensembles {
    /// Numeric columns that both sides have.
    pub columns: Vec<Ensemble>,
    /// Numeric columns that only OLD has.
    pub only_old: Vec<String>,
    /// Numeric columns that only NEW has.
    pub only_new: Vec<String>,
    /// Other columns, and why they are left out.
    pub not_compared: Vec<NotCompared>,
}

/// One column: a statistic, one value for each replicate, `None` for a null.
#[derive(Debug, Clone, Default)]
pub struct Ensemble {
    /// Its name, which also names the stream of random numbers of its bootstrap.
    pub name: String,
    /// Replicates of OLD.
    pub old: Vec<Option<f64>>,
    /// Replicates of NEW.
    pub new: Vec<Option<f64>>,
    /// How the replicates compare one by one, where the plan says that they belong together; then both sides have as many.
    pub pairs: Option<PairFinding>,
}

/// Compares two ensembles. A difference is an answer; so is *could not tell*.
#[must_use]
pub fn judge(plan: &DistributionPlan, ensembles: &Ensembles) -> DistributionOutcome {
    let options = &plan.options;
    let judged: Vec<Judged> = ensembles.columns.iter().map(|column| judge_column(column, options)).collect();
    let columns = settle(judged, options);
    let mut verdict = Verdict::all(columns.iter().map(|column| column.verdict));
    if !ensembles.only_old.is_empty() || !ensembles.only_new.is_empty() {
        verdict = verdict.and(Verdict::Unknown);
    }
    DistributionOutcome {
        schema: SCHEMA,
        verdict,
        alpha: options.alpha,
        margins: Margins {
            mean: options.margin_mean,
            sd: options.margin_sd,
            ks: options.margin_ks,
            interval: options.margin_interval,
        },
        adjust: options.adjust.word(),
        paired: options.paired,
        seed: options.seed,
        resamples: options.resamples,
        planned_power: PLANNED_POWER,
        columns,
        columns_only_old: ensembles.only_old.clone(),
        columns_only_new: ensembles.only_new.clone(),
        not_compared: ensembles.not_compared.clone(),
    }
}

/// A column, its verdict not yet held against the other columns.
struct Judged {
    finding: ColumnFinding,
    /// The probability of what was seen if the truth lay on a margin: the least of the three.
    beyond: f64,
    future: Future,
}

/// Holds the columns against each other, and says what an undecided one still needs.
///
/// A *no* among many columns stands only as a discovery: its interval is wholly outside at a level that the number of
/// discoveries allows (Y. Benjamini and D. Yekutieli, *False discovery rate-adjusted multiple confidence intervals for
/// selected parameters*, Journal of the American Statistical Association 100 (2005) 71). A *yes* needs no such thing: the
/// whole says *yes* only when each column does, and that is a test of level alpha already (R. L. Berger,
/// *Multiparameter hypothesis testing and acceptance sampling*, Technometrics 24 (1982) 295).
fn settle(judged: Vec<Judged>, options: &DistributionOptions) -> Vec<ColumnFinding> {
    let is_adjusted = options.adjust == Adjust::BenjaminiHochberg;
    let beyond = benjamini_hochberg(&judged.iter().map(|column| column.beyond).collect::<Vec<_>>());
    let with_p: Vec<usize> =
        (0..judged.len()).filter(|index| judged[*index].finding.ks.p.is_some()).collect();
    let p: Vec<f64> = with_p.iter().filter_map(|index| judged[*index].finding.ks.p).collect();
    let p_adjusted = if is_adjusted { benjamini_hochberg(&p) } else { p };
    let columns = judged.len();
    let mut found: Vec<ColumnFinding> = Vec::with_capacity(columns);
    for (column, beyond) in judged.into_iter().zip(beyond) {
        let Judged { mut finding, future, .. } = column;
        let mut level = *options;
        if is_adjusted && finding.verdict == Verdict::No && beyond > options.alpha {
            finding.verdict = Verdict::Unknown;
            finding.why = Some(format!("one of {columns} columns may lie outside by chance"));
            // Bonferroni's level is reached whatever the other columns say.
            level.alpha /= float(columns);
        }
        finding.more_replicates =
            if finding.verdict == Verdict::Unknown { future.more(&level) } else { Some(0) };
        found.push(finding);
    }
    for (index, p) in with_p.into_iter().zip(p_adjusted) {
        found[index].ks.p_adjusted = Some(p);
    }
    found
}

fn judge_column(column: &Ensemble, options: &DistributionOptions) -> Judged {
    let is_paired = options.paired && column.pairs.is_some();
    let together = if is_paired { Together::Paired } else { Together::Independent };
    let [old, new] = [&column.old, &column.new].map(|values| Side::of(values));
    let (ks, ks_beyond) = shape(&old, &new, together, options);
    let (centre, future) = if old.counts.infinite + new.counts.infinite > 0 {
        (Centre::unknown("infinite replicates have no mean and no spread", options), Future::Never)
    } else {
        centre(column, &old, &new, is_paired, options)
    };
    let future = future.with_statistic(ks.statistic);
    let beyond = centre.beyond.min(ks_beyond);
    let ends_verdict = centre.ends.as_ref().map(|ends| ends.verdict);
    let mut finding = ColumnFinding {
        name: column.name.clone(),
        verdict: Verdict::all(
            [centre.mean.verdict, centre.sd.verdict, ks.verdict].into_iter().chain(ends_verdict),
        ),
        proof: Proof::Intervals,
        why: None,
        old: old.counts,
        new: new.counts,
        mean: centre.mean,
        sd: centre.sd,
        ks,
        interval: centre.ends,
        paired: column.pairs.filter(|_| is_paired),
        power: 0.0,
        more_replicates: None,
    };
    if let Some(power) = future.power(options) {
        finding.mean.power = Some(power.mean);
        finding.sd.power = Some(power.spread);
        finding.ks.power = Some(power.shape);
        if let Some(ends) = &mut finding.interval {
            ends.power = power.ends;
        }
        finding.power = power.of_all();
    }
    if finding.paired.is_some_and(|pairs| pairs.compared > 0 && pairs.different == 0) {
        (finding.verdict, finding.proof) = (Verdict::Yes, Proof::Pairs);
    }
    let is_same = finding.ks.statistic == Some(0.0) && finding.old.replicates == finding.new.replicates;
    if finding.verdict == Verdict::Unknown && is_same && !is_paired {
        let why =
            "the replicates of both sides are the same; that alone is a proof only where they are paired";
        finding.why = Some(why.to_owned());
    }
    let beyond = if finding.proof == Proof::Pairs { 1.0 } else { beyond };
    Judged { finding, beyond, future }
}

/// One side of a column.
struct Side {
    counts: Counts,
    /// Everything but nulls.
    values: Vec<f64>,
    /// Ascending.
    finite: Vec<f64>,
}

impl Side {
    fn of(replicates: &[Option<f64>]) -> Self {
        let values: Vec<f64> = replicates.iter().copied().flatten().collect();
        let mut finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        // Sums depend on the order of what is added; results are not to depend on that of the replicates.
        finite.sort_by(f64::total_cmp);
        let counts = Counts {
            replicates: replicates.len(),
            null: replicates.len() - values.len(),
            nan: values.iter().filter(|value| value.is_nan()).count(),
            infinite: values.iter().filter(|value| value.is_infinite()).count(),
        };
        Self { counts, values, finite }
    }
}

fn shape(old: &Side, new: &Side, together: Together, options: &DistributionOptions) -> (ShapeFinding, f64) {
    let Some(distance) = Distance::of((&old.values, old.counts.null), (&new.values, new.counts.null)) else {
        let none = ShapeFinding {
            verdict: Verdict::Unknown,
            statistic: None,
            band: None,
            bound: None,
            p: None,
            p_adjusted: None,
            power: None,
        };
        return (none, 1.0);
    };
    let sizes = (float(old.counts.replicates), float(new.counts.replicates));
    let (statistic, p) = (distance.statistic(), distance.probability());
    let band = band(options.alpha, sizes.0, sizes.1, together);
    let verdict = match () {
        () if statistic + band < options.margin_ks => Verdict::Yes,
        () if statistic - band > options.margin_ks => Verdict::No,
        () => Verdict::Unknown,
    };
    let gap = statistic - options.margin_ks;
    let beyond = if gap > 0.0 { error_above(gap, sizes.0, sizes.1, together) } else { 1.0 };
    let (statistic, band, bound) = (Some(statistic), Some(band), Some((statistic + band).min(1.0)));
    (ShapeFinding { verdict, statistic, band, bound, p: Some(p), p_adjusted: None, power: None }, beyond)
}

/// Mean, spread, and ends.
struct Centre {
    mean: MeanFinding,
    sd: SpreadFinding,
    ends: Option<EndsFinding>,
    beyond: f64,
}

impl Centre {
    fn unknown(why: &str, options: &DistributionOptions) -> Self {
        let ends = options.margin_interval.map(|_| EndsFinding::unknown(why, options.interval_level));
        Self { mean: MeanFinding::unknown(why), sd: SpreadFinding::unknown(why), ends, beyond: 1.0 }
    }
}

fn centre(
    column: &Ensemble,
    old: &Side,
    new: &Side,
    is_paired: bool,
    options: &DistributionOptions,
) -> (Centre, Future) {
    let complete: Option<(Vec<f64>, Vec<f64>)> = is_paired.then(|| complete_pairs(column));
    let (old_values, new_values) =
        complete.as_ref().map_or((&old.finite, &new.finite), |(old, new)| (old, new));
    let common = Common::of(old_values, new_values);
    let [old, new] = [&common.old, &common.new].map(|placed| Moments::of(&placed.values));
    let ratio = common.unit_ratio();
    let difference = common.difference(&old, &new);
    let is_estimable = old.count >= 2 && new.count >= 2 && !old.is_constant();
    let mean = is_estimable.then(|| {
        let variance = is_paired.then(|| {
            let gap = |(old, new): (&f64, &f64)| new * ratio - old;
            Moments::of(&common.old.values.iter().zip(&common.new.values).map(gap).collect::<Vec<_>>())
                .variance
        });
        Mean::of(&old, &new, difference, ratio, variance)
    });
    let is_spread = old.count.min(new.count) >= REPLICATES_MIN && !old.is_constant() && !new.is_constant();
    let spread = is_spread.then(|| draw(&common, is_paired, &column.name, options));
    let off = off_the_most_frequent(if old.is_constant() { &common.new.values } else { &common.old.values });
    let (mean_finding, mean_beyond) =
        mean::find(&old, &new, difference, mean.as_ref(), (options.alpha, options.margin_mean));
    let (sd, sd_beyond) = spread::find(&old, &new, spread.as_ref(), off, (options.alpha, options.margin_sd));
    let sides = (old_values.as_slice(), new_values.as_slice());
    let ends =
        options.ends().map(|asked| Outer::of(asked, &common, sides, (is_paired, &column.name), options));
    let sizes = (float(old.count), float(new.count));
    let future = match (old.is_constant(), new.is_constant()) {
        _ if old.count < 2 || new.count < 2 => Future::Sizes(Outlook::alike(sizes, options)),
        (true, true) if difference == 0.0 => Future::Sizes(Outlook::certain(sizes, options)),
        (true, true) => Future::Constant { marked: old.count, side: old.count, total: old.count + new.count },
        (true, false) | (false, true) => {
            let side = if old.is_constant() { new.count } else { old.count };
            Future::Constant { marked: off, side, total: old.count + new.count }
        }
        (false, false) => {
            let shrinking = |estimate: f64, margin: f64, error: f64, (one, two): (f64, f64)| {
                // What the two sides add, scaled to the error that was measured: paired samples have less, or more.
                let by_theory = one / sizes.0 + two / sizes.1;
                let scale = if by_theory > 0.0 { error * error / by_theory } else { 1.0 };
                Shrinking { estimate: estimate.abs(), margin, variances: (one * scale, two * scale) }
            };
            let mean_error = mean.as_ref().map_or(0.0, |mean| mean.error_at(options.margin_mean));
            let difference = mean.as_ref().map_or(0.0, |mean| mean.difference);
            let sd_ratio = new.deviation() / old.deviation() * ratio;
            let fourth = ((old.kurtosis - 1.0) / 4.0, (new.kurtosis - 1.0) / 4.0);
            let by_theory = (fourth.0 / sizes.0 + fourth.1 / sizes.1).sqrt();
            let (log_ratio, error) =
                spread.as_ref().map_or((sd_ratio.ln(), by_theory), |spread| (spread.log_ratio, spread.error));
            Future::Sizes(Outlook {
                sizes,
                mean: shrinking(difference, options.margin_mean, mean_error, (1.0, sd_ratio * sd_ratio)),
                spread: shrinking(log_ratio, options.margin_sd.ln_1p(), error, fourth),
                ends: ends.as_ref().map(|outer| outer.outlook(sizes, sd_ratio, shrinking)),
                is_interval_open: spread.is_none() || ends.as_ref().is_some_and(|outer| outer.ends.is_none()),
                statistic: 0.0,
                together: if is_paired { Together::Paired } else { Together::Independent },
            })
        }
    };
    let beyond = ends.as_ref().map_or(1.0, |outer| outer.beyond).min(mean_beyond).min(sd_beyond);
    let ends = ends.map(|outer| outer.finding);
    (Centre { mean: mean_finding, sd, ends, beyond }, future)
}

/// The ends of the percentile intervals.
struct Outer {
    asked: Asked,
    /// `None` where there are too few replicates, or OLD has no spread.
    ends: Option<Ends>,
    finding: EndsFinding,
    beyond: f64,
}

impl Outer {
    fn of(
        asked: Asked,
        common: &Common,
        values: (&[f64], &[f64]),
        (is_paired, name): (bool, &str),
        options: &DistributionOptions,
    ) -> Self {
        let is_constant = common.old.values.iter().all(|value| *value == 0.0);
        let is_enough = float(values.0.len().min(values.1.len())) >= asked.replicates_min() && !is_constant;
        let draws = Draws { seed: options.seed, stream: 0, resamples: options.resamples };
        let ends = is_enough.then(|| ends::ends(common, is_paired, name, asked.tail(), draws));
        let (finding, beyond) = ends::find(asked, values, ends.as_ref());
        Self { asked, ends, finding, beyond }
    }

    /// Where the ends stand; without an interval, what is to be expected of a normal distribution.
    fn outlook(
        &self,
        sizes: (f64, f64),
        sd_ratio: f64,
        shrinking: impl Fn(f64, f64, f64, (f64, f64)) -> Shrinking,
    ) -> [Shrinking; 2] {
        let variances = (1.0, sd_ratio * sd_ratio);
        let error = (self.asked.normal_variance() * (variances.0 / sizes.0 + variances.1 / sizes.1)).sqrt();
        let none = shrinking(0.0, self.asked.margin, error, variances);
        self.ends.as_ref().map_or([none; 2], |ends| {
            ends.each_ref().map(|end| {
                shrinking(end.difference, self.asked.margin, end.error(self.asked.alpha), variances)
            })
        })
    }
}

/// The replicates that are finite on both sides, in an order that follows the values and neither that of the rows nor that
/// of the sides.
fn complete_pairs(column: &Ensemble) -> (Vec<f64>, Vec<f64>) {
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let pairs = column.old.iter().zip(&column.new);
    let mut pairs: Vec<(f64, f64)> =
        pairs.filter_map(|(old, new)| Some((finite(old)?, finite(new)?))).collect();
    let [mut old, mut new]: [Vec<f64>; 2] =
        [pairs.iter().map(|pair| pair.0).collect(), pairs.iter().map(|pair| pair.1).collect()];
    old.sort_by(f64::total_cmp);
    new.sort_by(f64::total_cmp);
    let is_old_first = spread::comes_first(&old, &new, 1.0);
    pairs.sort_by(|one, two| {
        let by_old = one.0.total_cmp(&two.0);
        let by_new = one.1.total_cmp(&two.1);
        if is_old_first { by_old.then(by_new) } else { by_new.then(by_old) }
    });
    pairs.into_iter().unzip()
}

fn draw(common: &Common, is_paired: bool, name: &str, options: &DistributionOptions) -> Spread {
    let draws = Draws { seed: options.seed, stream: stream_of(name), resamples: options.resamples };
    let (old, new) = (&common.old.values, &common.new.values);
    if !is_paired {
        return Spread::of(Source::Independent(old, new), common.unit_ratio(), draws);
    }
    let pairs: Vec<(f64, f64)> = old.iter().copied().zip(new.iter().copied()).collect();
    Spread::of(Source::Paired(&pairs), common.unit_ratio(), draws)
}

/// How many values are not the most frequent one.
fn off_the_most_frequent(values: &[f64]) -> usize {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let most = values.chunk_by(|one, two| one.total_cmp(two).is_eq()).map(<[f64]>::len).max();
    values.len() - most.unwrap_or(0)
}
