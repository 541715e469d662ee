//! How long a cutover takes, held against how long the plan lets it take: from before the first process is stopped until the
//! last one works on the new tree.

use std::time::Duration;

use super::project::Work;

/// A cutover that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutOverTime {
    began: Duration,
    seconds_max: Option<u64>,
}

impl CutOverTime {
    /// It begins now.
    pub(crate) fn begin(work: &Work<'_>) -> Self {
        Self { began: work.world().clock.monotonic(), seconds_max: work.plan().window.cutover_seconds_max }
    }

    /// Why it may not go on: it takes longer than it may.
    pub(crate) fn overrun(&self, work: &Work<'_>) -> Option<String> {
        let seconds_max = self.seconds_max?;
        let took = work.world().clock.monotonic().saturating_sub(self.began);
        (took > Duration::from_secs(seconds_max)).then(|| {
            format!(
                "the cutover took {:.1} s, and the plan lets it take {seconds_max} s (`cutover_seconds_max`)",
                took.as_secs_f64()
            )
        })
    }
}
