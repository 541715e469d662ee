//! `switchback distribution`.

use switchback_compare::ensemble::EnsembleJudge;
use switchback_core::rule::{DistributionRule, Tolerance};
use switchback_core::verdict::Verdict;
use switchback_statistics::{ColumnFinding, DistributionOutcome, Proof};

use super::Context;
use crate::cli::{Adjust, DistributionArgs};
use crate::failure::Failure;
use crate::rule_args::bound;

pub(crate) fn distribution(context: &Context<'_>, args: &DistributionArgs) -> Result<Verdict, Failure> {
    let tolerance = Tolerance {
        absolute: bound("--absolute", args.absolute)?,
        relative: bound("--relative", args.relative)?,
        ulps: args.ulps,
    };
    let rule = DistributionRule {
        alpha: Some(args.alpha),
        margin_mean: Some(args.margin_mean),
        margin_sd: Some(args.margin_sd),
        margin_ks: Some(args.margin_ks),
        margin_interval: args.margin_interval,
        interval_level: Some(args.interval_level),
        paired: args.paired.then_some(tolerance),
        is_adjusted: args.adjust == Adjust::Bh,
        columns: args.columns.clone(),
        seed: Some(args.seed),
    };
    let outcome =
        EnsembleJudge::new(context.ports.world.disk.clone()).outcome(&args.old, &args.new, &rule)?;
    if context.ui.json {
        context.ui.data(&outcome.to_json());
    } else {
        show(context, &outcome);
    }
    Ok(outcome.verdict)
}

fn show(context: &Context<'_>, outcome: &DistributionOutcome) {
    let ui = context.ui;
    ui.show(&format!("{}: {}", ui.verdict(outcome.verdict), outcome.summary()));
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
    if let Some(ends) = &column.interval {
        parts.extend([("low", &ends.low), ("high", &ends.high)].into_iter().filter_map(|(name, end)| {
            let (difference, [low, high]) = (end.difference?, end.interval?);
            Some(format!("{name} end {difference:+.3} [{low:+.3}, {high:+.3}] sd"))
        }));
    }
    let of_ends = column.interval.as_ref().map(|ends| &ends.why);
    let why = [&column.why, &column.mean.why, &column.sd.why].into_iter().chain(of_ends);
    parts.extend(why.flatten().cloned());
    if column.verdict == Verdict::Unknown {
        parts.push(match column.more_replicates {
            Some(more) => format!("about {more} more replicates on each side would decide"),
            None => "no number of replicates would decide".to_owned(),
        });
    }
    parts.join("; ")
}
