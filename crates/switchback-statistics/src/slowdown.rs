//! Whether NEW takes more than OLD by more than a margin: yes, it does not; no, it does; or too noisy to tell.

use switchback_core::performance::{RatioFinding, RatioRequest, Runs};
use switchback_core::verdict::Verdict;

use crate::median::{median_ratio, runs_min};
use crate::moments::float;
use crate::outlook::PLANNED_POWER;
use crate::quantile::normal_point;
use crate::turns::turn_ratio;

/// So many samples the bootstrap draws, as long as that is not too slow.
const RESAMPLES: usize = 9_999;
/// So many at least.
const RESAMPLES_MIN: usize = 999;
/// More values than this are not drawn in all resamples together, as long as there are enough of these.
const DRAWN_MAX: usize = 100_000_000;
/// Logarithms that are nearer than this are the same: a ratio on the margin is not beyond it, whatever a division rounds.
const SAME: f64 = 1e-9;
/// More runs than this are as good as none.
const MORE_MAX: f64 = 1e9;

/// Decides by the interval of level `1 - 2 alpha` of the ratio NEW by OLD: of what was run in turn that of [`turn_ratio`], of sides that
/// were measured each for itself that of [`median_ratio`]. *Yes* when it ends at `1 + margin` or before (`is_improved`: even before
/// `1 / (1 + margin)`), *no* when it begins beyond, else *could not tell*, with the number of further runs on each side
/// that would decide with a power of 80 % if the ratio that was found is the true one.
///
/// So each of *yes* and *no* is wrong with a probability of at most `alpha`, whatever the noise of what was run in turn, and about
/// `alpha` otherwise.
#[must_use]
pub fn slowdown(request: &RatioRequest<'_>) -> RatioFinding {
    let RatioRequest { runs, margin, alpha, seed } = *request;
    let (found, count) = match runs {
        Runs::InTurn(turns) => {
            let found = turn_ratio(turns, alpha).map(|found| (found.ratio, found.interval));
            (found, turns.len())
        }
        Runs::Apart { old, new } => {
            let resamples = (DRAWN_MAX / (old.len() + new.len()).max(1)).clamp(RESAMPLES_MIN, RESAMPLES);
            let found =
                median_ratio(old, new, alpha, resamples, seed).map(|found| (found.ratio, found.interval));
            (found, old.len().min(new.len()))
        }
    };
    let needed = (runs_min(alpha)).saturating_sub(count) as u64;
    let Some((ratio, interval)) = found else {
        return RatioFinding {
            verdict: Verdict::Unknown,
            is_improved: false,
            ratio: None,
            interval: None,
            more_runs: (needed > 0).then_some(needed),
            why: Some(match needed {
                0 => "there is a number that is below 0, or none".to_owned(),
                _ => format!("at this level it takes {} runs on each side at least", runs_min(alpha)),
            }),
        };
    };
    let limit = margin.ln_1p();
    let [low, high] = interval.map(f64::ln);
    let verdict = match () {
        () if high <= limit + SAME => Verdict::Yes,
        () if low > limit + SAME => Verdict::No,
        () => Verdict::Unknown,
    };
    let more_runs = match verdict {
        Verdict::Unknown if needed > 0 => Some(needed),
        Verdict::Unknown => more(count, ratio.ln(), [low, high], limit, alpha),
        Verdict::Yes | Verdict::No => Some(0),
    };
    let is_open = low == f64::NEG_INFINITY && high == f64::INFINITY;
    RatioFinding {
        verdict,
        is_improved: verdict == Verdict::Yes && high < -limit - SAME,
        ratio: Some(ratio),
        interval: (!is_open).then_some(interval),
        more_runs,
        why: None,
    }
}

/// How many runs more on each side would decide: widths shrink with the root of the number of runs.
fn more(count: usize, estimate: f64, [low, high]: [f64; 2], limit: f64, alpha: f64) -> Option<u64> {
    let (distance, width) = if estimate <= limit {
        (limit - estimate, high - estimate)
    } else {
        (estimate - limit, estimate - low)
    };
    if !(distance > 0.0 && width.is_finite()) {
        return None;
    }
    let point = -normal_point(alpha);
    // Seen from the true ratio, the estimate itself has to lie far enough from the limit.
    let planned = (width / distance * (point + normal_point(PLANNED_POWER)) / point).powi(2);
    let wanted = float(count) * planned.max(1.0);
    let more = (wanted - float(count)).ceil().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive whole number below the most"
    )]
    (more <= MORE_MAX).then_some(more as u64)
}
