//! `switchback distribution`.

use switchback_compare::ensemble::{EnsembleOptions, ensembles};
use switchback_core::rule::Tolerance;
use switchback_core::verdict::Verdict;
use switchback_statistics::{
    Adjust, ColumnFinding, DistributionOptions, DistributionOutcome, DistributionPlan, OptionError, Proof,
    judge,
};

use super::Context;
use crate::cli::{self, DistributionArgs};
use crate::failure::Failure;
use crate::rule_args::bound;

pub(crate) fn distribution(context: &Context<'_>, args: &DistributionArgs) -> Result<Verdict, Failure> {
    let plan = DistributionPlan::new(DistributionOptions {
        alpha: args.alpha,
        margin_mean: args.margin_mean,
        margin_sd: args.margin_sd,
        margin_ks: args.margin_ks,
        adjust: match args.adjust {
            cli::Adjust::None => Adjust::None,
            cli::Adjust::Bh => Adjust::BenjaminiHochberg,
        },
        paired: args.paired,
        seed: args.seed,
        ..DistributionOptions::default()
    })?;
    let tolerance = Tolerance {
        absolute: bound("--absolute", args.absolute)?,
        relative: bound("--relative", args.relative)?,
        ulps: args.ulps,
    };
    let options = EnsembleOptions { columns: args.columns.clone(), paired: args.paired.then_some(tolerance) };
    let disk = context.ports.world.disk.as_ref();
    let outcome = judge(&plan, &ensembles(disk, &args.old, &args.new, &options)?);
    if context.ui.json {
        context.ui.data(&outcome.to_json());
    } else {
        show(context, &outcome);
    }
    Ok(outcome.verdict)
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Self {
        let hint = match error {
            OptionError::Alpha(_) => "e.g. `--alpha 0.05`",
            OptionError::Margin { .. } => {
                "e.g. `--margin-mean 0.25`, `--margin-sd 0.25` and `--margin-ks 0.15`, which hold when they are left out"
            }
            _ => "ask for a larger `--alpha`",
        };
        Self::new(error.to_string(), Vec::new(), hint)
    }
}

fn show(context: &Context<'_>, outcome: &DistributionOutcome) {
    let ui = context.ui;
    let count = |verdict| outcome.columns.iter().filter(|column| column.verdict == verdict).count();
    ui.show(&format!(
        "{}: of {} statistics, {} are equivalent, {} are not, {} are undecided (alpha {}, margins: mean {}, sd {}, ks {}; \
         seed {})",
        ui.verdict(outcome.verdict),
        outcome.columns.len(),
        count(Verdict::Yes),
        count(Verdict::No),
        count(Verdict::Unknown),
        outcome.alpha,
        outcome.margins.mean,
        outcome.margins.sd,
        outcome.margins.ks,
        outcome.seed,
    ));
    for column in &outcome.columns {
        ui.show(&format!("  {}: {}: {}", column.name, ui.verdict(column.verdict), told(column)));
    }
    for (side, names) in [("OLD", &outcome.columns_only_old), ("NEW", &outcome.columns_only_new)] {
        if !names.is_empty() {
            ui.show(&format!("  could not be compared: only {side} has {} as numbers", names.join(", ")));
        }
    }
    for left in &outcome.not_compared {
        ui.show(&format!("  not compared: {}: {}", left.column, left.why));
    }
}

/// What was found about a column, in a line.
fn told(column: &ColumnFinding) -> String {
    if let (Proof::Pairs, Some(pairs)) = (column.proof, column.paired) {
        return format!("all {} replicates agree one by one", pairs.compared);
    }
    let mut parts = Vec::new();
    if let (Some(difference), Some([low, high])) = (column.mean.difference, column.mean.interval) {
        parts.push(format!("mean {difference:+.3} [{low:+.3}, {high:+.3}] sd"));
    }
    if let (Some(ratio), Some([low, high])) = (column.sd.ratio, column.sd.interval) {
        parts.push(format!("sd x {ratio:.3} [{low:.3}, {high:.3}]"));
    }
    if let (Some(statistic), Some(band)) = (column.ks.statistic, column.ks.band) {
        parts.push(format!("ks {statistic:.3} ± {band:.3}"));
    }
    parts.extend([&column.why, &column.mean.why, &column.sd.why].into_iter().flatten().cloned());
    if column.verdict == Verdict::Unknown {
        parts.push(match column.more_replicates {
            Some(more) => format!("about {more} more replicates on each side would decide"),
            None => "no number of replicates would decide".to_owned(),
        });
    }
    parts.join("; ")
}
