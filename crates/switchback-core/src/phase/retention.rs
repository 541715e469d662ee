//! Retention: once a new snapshot was verified, those go that the plan does not keep and that nobody may need.

use super::error::{StepError, with_causes};
use super::project::Work;
use super::snapshot::needed;
use super::witness::Notice;
use crate::plan::{Keep, Phase};
use crate::port::SnapshotRecord;

/// Length of the date in a time of RFC 3339.
const DATE_BYTES: usize = 10;

/// Forgets what the rule of the plan does not keep, and tells it. That it could not be done is told too, and stops nothing:
/// there is one snapshot more than there was.
pub(super) fn retire(work: &Work<'_>, phase: &Phase) {
    let Some(keep) = work.plan().snapshot.keep else { return };
    match forgotten(work, keep) {
        Ok(None) => {}
        Ok(Some(what)) => work.done(&phase.name, what),
        Err(error) => {
            let why = with_causes(&error);
            let what = format!("older snapshots could not be forgotten, and are all there: {why}");
            work.witness.notice(Notice::Warning(what));
        }
    }
}

fn forgotten(work: &Work<'_>, keep: Keep) -> Result<Option<String>, StepError> {
    let vault = work.project.vault();
    let records = vault.list()?;
    let needed: Vec<String> = needed(&work.project)?.into_iter().map(|(id, _)| id).collect();
    let ids = outside(&records, keep, &needed);
    if ids.is_empty() {
        return Ok(None);
    }
    let freed = vault.forget(&ids)?.freed_bytes;
    Ok(Some(format!("forgot {} older snapshots, as `keep` says: {freed} bytes freed", ids.len())))
}

/// The ids of what goes, of `records`, oldest first: neither among the last, nor the newest of one of the last days that have
/// any, nor needed, nor the newest of all.
fn outside(records: &[SnapshotRecord], keep: Keep, needed: &[String]) -> Vec<String> {
    let last = usize::try_from(keep.last).unwrap_or(usize::MAX).max(1);
    let daily = usize::try_from(keep.daily).unwrap_or(usize::MAX);
    let mut days: Vec<&str> = Vec::new();
    let mut gone = Vec::new();
    for (at, record) in records.iter().rev().enumerate() {
        let day = record.time.get(..DATE_BYTES).unwrap_or(&record.time);
        let is_first_of_day = days.last() != Some(&day);
        if is_first_of_day {
            days.push(day);
        }
        let is_kept = at < last || is_first_of_day && days.len() <= daily || needed.contains(&record.id);
        if !is_kept {
            gone.push(record.id.clone());
        }
    }
    gone.reverse();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Snapshots named by their place, oldest first, of these days.
    fn records(days: &[&str]) -> Vec<SnapshotRecord> {
        let record = |(at, day): (usize, &&str)| SnapshotRecord {
            id: at.to_string(),
            time: format!("2027-01-{day}T20:00:00Z"),
            label: String::new(),
            files: 0,
            bytes: 0,
            paths: Vec::new(),
            manifest_hash: String::new(),
        };
        days.iter().enumerate().map(record).collect()
    }

    #[test]
    fn the_last_the_newest_of_days_and_what_is_needed_stay() {
        let records = records(&["01", "02", "02", "03", "03", "03"]);
        let gone = |last, daily, needed: &[&str]| {
            let needed: Vec<String> = needed.iter().map(ToString::to_string).collect();
            outside(&records, Keep { last, daily }, &needed).join(" ")
        };
        assert_eq!(gone(2, 0, &[]), "0 1 2 3");
        assert_eq!(gone(1, 2, &[]), "0 1 3 4");
        assert_eq!(gone(0, 3, &[]), "1 3 4");
        assert_eq!(gone(2, 0, &["1"]), "0 2 3");
        assert_eq!(gone(0, 0, &[]), "0 1 2 3 4", "the newest is never forgotten");
        assert_eq!(gone(6, 0, &[]), "");
        assert_eq!(gone(u64::MAX, u64::MAX, &[]), "");
    }
}
