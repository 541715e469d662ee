//! The record of an incident: what made a rollback necessary, what happened since the change went live, what was restored
//! and kept aside, and what the checks say of what is live again (RB-12).

use serde_json::Value;

use super::details::details;
use super::markdown::markdown;
use super::page::{Block, Page, Section, Table};
use super::page_phase::shown;
use super::save::publish;
use super::story::{Story, tell_all};
use super::wording::{Bit, Words, code, codes, hash, took, words};
use crate::journal::{Event, Record};
use crate::phase::{StepError, TOOL, Work};
use crate::quantity::counted;
use crate::tree::copy::make_directories;
use crate::verdict::Verdict;

/// The folder of the records, below the folder of the state.
const FOLDER: &str = "incidents";
/// How much of the names of phases a record has in its name.
const NAME_CHARACTERS_MAX: usize = 100;

/// Writes down the rollbacks that the journal got after the record `first`: all of them, in one file. Where it was written, relative
/// to the project; nothing when nothing was rolled back.
///
/// # Errors
///
/// When the journal cannot be read, or the disk says no.
pub fn write_incident(work: &Work<'_>, first: u64) -> Result<Option<String>, StepError> {
    let records = work.records()?;
    Incident::find(&records, first, u64::MAX).map(|incident| write(work, &incident)).transpose()
}

/// Writes down each earlier rollback that has no record, because the command that carried it out did not live to write it. Where they
/// were written, relative to the project.
///
/// # Errors
///
/// When the journal cannot be read, or the disk says no.
pub fn write_missing_incidents(work: &Work<'_>) -> Result<Vec<String>, StepError> {
    let records = work.records()?;
    let mut written = Vec::new();
    for way in ways_back(&records) {
        if incident_of(work, &records, way.last)?.is_none()
            && let Some(incident) = Incident::find(&records, way.after, way.last)
        {
            written.push(write(work, &incident)?);
        }
    }
    Ok(written)
}

fn write(work: &Work<'_>, incident: &Incident<'_>) -> Result<String, StepError> {
    let clean = |text: &str| work.redactor.clean(text);
    let text = work.redactor.clean(&markdown(&incident.page(work, &clean)));
    let disk = work.world().disk.as_ref();
    let folder = work.project.state().join(FOLDER);
    make_directories(disk, &work.project.root, &folder)?;
    let phases: String = incident.phases.join("-").chars().map(plain).collect();
    let stem =
        format!("{}-{}", incident.restored.seq, phases.chars().take(NAME_CHARACTERS_MAX).collect::<String>());
    let mut name = format!("{stem}.md");
    // Another journal may have had the same number.
    for number in 2.. {
        if disk.look(&folder.join(&name))?.is_none() {
            break;
        }
        name = format!("{stem}-{number}.md");
    }
    let path = folder.join(&name);
    publish(disk, &text, &folder.join(".part"), &path)?;
    Ok(format!("{}/{FOLDER}/{name}", crate::plan::STATE_FOLDER))
}

/// The record of the incident that the rollback of the event `seq` belongs to, relative to the project, where there is one.
///
/// # Errors
///
/// When the disk says no.
pub(crate) fn incident_of(
    work: &Work<'_>,
    records: &[Record],
    seq: u64,
) -> Result<Option<String>, StepError> {
    let disk = work.world().disk.as_ref();
    let folder = work.project.state().join(FOLDER);
    if disk.look(&folder)?.is_none() {
        return Ok(None);
    }
    let covered = beginning(records, seq)..=seq;
    let mut found = None;
    for name in disk.list(&folder)? {
        let name = name.to_string_lossy().into_owned();
        let number = name.split('-').next().and_then(|number| number.parse::<u64>().ok());
        if number.is_some_and(|number| covered.contains(&number)) {
            // Of two with one number, the one that was written last.
            let written = disk.look(&folder.join(&name))?.map(|meta| meta.mtime_ns);
            found = found.max(Some((number, written, name)));
        }
    }
    Ok(found.map(|(.., name)| format!("{}/{FOLDER}/{name}", crate::plan::STATE_FOLDER)))
}

fn is_rollback(event: &Event) -> bool {
    matches!(event, Event::RolledBack { .. } | Event::PartRolledBack { .. })
}

/// Whether an event belongs to a way back: between two rollbacks of one command nothing else is.
fn is_on_the_way(event: &Event) -> bool {
    is_rollback(event)
        || matches!(event, Event::RollBackStarted { .. })
        || event.process().is_some()
        || event.database().is_some()
}

/// The first event of a rollback of the command that rolled back with the event `seq`.
fn beginning(records: &[Record], seq: u64) -> u64 {
    let before = records.iter().rev().skip_while(|record| record.seq > seq);
    let way = before.take_while(|record| is_on_the_way(&record.event));
    way.filter(|record| is_rollback(&record.event)).last().map_or(seq, |record| record.seq)
}

/// The rollbacks of one command, by their places in the journal.
#[derive(Debug, PartialEq, Eq)]
struct WayBack {
    /// The last record before the way began.
    after: u64,
    /// The last event of a rollback.
    last: u64,
}

/// Every way back that restored something, in order.
fn ways_back(records: &[Record]) -> Vec<WayBack> {
    let (mut found, mut began, mut is_open) = (Vec::<WayBack>::new(), None, false);
    for Record { seq, event, .. } in records {
        if !is_on_the_way(event) {
            (began, is_open) = (None, false);
        } else if matches!(event, Event::RollBackStarted { .. }) {
            began = began.or(Some(*seq));
        } else if is_rollback(event) {
            match found.last_mut().filter(|_| is_open) {
                Some(way) => way.last = *seq,
                None => found.push(WayBack { after: began.unwrap_or(*seq).saturating_sub(1), last: *seq }),
            }
            is_open = true;
        }
    }
    found
}

/// Whether something else is live, or about to be, from an event on: what is said then is no longer said of what was restored.
fn is_next_change(event: &Event) -> bool {
    is_rollback(event)
        || matches!(
            event,
            Event::SnapshotStarted { .. }
                | Event::StageStarted { .. }
                | Event::Staged { .. }
                | Event::CutOverStarted { .. }
        )
}

/// What a letter is in the name of a file.
fn plain(letter: char) -> char {
    if letter.is_ascii_alphanumeric() || "-.".contains(letter) { letter } else { '_' }
}

/// Rollbacks that belong together: those of one command.
struct Incident<'r> {
    /// From the cutover of the phase that went live first on, until the next change began.
    records: &'r [Record],
    /// The phases, in the order in which they were rolled back.
    phases: Vec<String>,
    /// What started it.
    why: String,
    /// The first record of something restored.
    restored: &'r Record,
    /// The last record before the command.
    after: u64,
    /// Restored, and kept aside.
    paths: (Vec<String>, Vec<String>),
    /// Whether phases are still live of which parts were rolled back.
    is_part: bool,
}

impl<'r> Incident<'r> {
    /// The rollbacks after the record `first`, up to the record `last`.
    fn find(records: &'r [Record], first: u64, last: u64) -> Option<Self> {
        let new = records.iter().filter(|record| record.seq > first && record.seq <= last);
        let is_restored = |record: &&Record| is_rollback(&record.event);
        let restored: Vec<&Record> = new.clone().filter(is_restored).collect();
        let (mut paths, mut phases, mut is_part) = ((Vec::new(), Vec::new()), Vec::new(), false);
        let mut why = None;
        for record in new {
            let (phase, restored, kept_aside) = match &record.event {
                Event::RollBackStarted { why: reason, .. } => {
                    why = why.or(Some(reason.clone()));
                    continue;
                }
                Event::RolledBack { phase, whole, restored, kept_aside, .. } => {
                    is_part |= !whole;
                    (phase, restored, kept_aside)
                }
                Event::PartRolledBack { phase, restored, kept_aside, why: reason, .. } => {
                    is_part = true;
                    why = why.or(Some(reason.clone()));
                    (phase, restored, kept_aside)
                }
                _ => continue,
            };
            phases.push(phase.clone());
            paths.0.extend(restored.iter().cloned());
            paths.1.extend(kept_aside.iter().cloned());
        }
        let began = records.iter().position(|record| {
            matches!(&record.event, Event::CutOverStarted { transaction, .. }
                if restored.iter().any(|one| transaction_of(&one.event) == Some(transaction)))
        });
        let done = restored.last()?.seq;
        let next = records.iter().position(|record| record.seq > done && is_next_change(&record.event));
        Some(Self {
            records: records.get(began.unwrap_or(0)..next.unwrap_or(records.len()))?,
            phases,
            why: why.unwrap_or_else(|| "the journal does not say why".to_owned()),
            restored: restored.first()?,
            after: first,
            paths,
            is_part,
        })
    }

    /// The last outcome of each check before the first path came back, or after it.
    fn outcomes(&self, is_after: bool) -> Vec<&'r Record> {
        let mut found: Vec<&Record> = Vec::new();
        for record in self.records.iter().filter(|record| (record.seq > self.restored.seq) == is_after) {
            let Event::CheckEnded { check, .. } = &record.event else { continue };
            found.retain(
                |other| !matches!(&other.event, Event::CheckEnded { check: known, .. } if known == check),
            );
            found.push(record);
        }
        found
    }

    fn verdict(&self) -> Verdict {
        let said = |record: &&Record| match &record.event {
            Event::CheckEnded { verdict, .. } => Verdict::from_word(verdict).unwrap_or(Verdict::Unknown),
            _ => Verdict::Unknown,
        };
        let unanswered = if self.unanswered().is_empty() { Verdict::Yes } else { Verdict::Unknown };
        Verdict::all(self.outcomes(true).iter().map(said)).and(unanswered)
    }

    /// Checks that began after the first path came back, and came to no answer.
    fn unanswered(&self) -> Vec<&'r str> {
        let mut begun: Vec<&str> = Vec::new();
        for record in self.records.iter().filter(|record| record.seq > self.restored.seq) {
            match &record.event {
                Event::CheckStarted { check, .. } => begun.push(check),
                Event::CheckEnded { check, .. } => begun.retain(|name| name != check),
                _ => {}
            }
        }
        begun
    }

    fn page(&self, work: &Work<'_>, clean: &dyn Fn(&str) -> String) -> Page {
        let project = &work.plan().project.name;
        let verdict = self.verdict();
        let headline = match verdict {
            Verdict::Yes => "what is live again was looked at, and every check says yes",
            Verdict::No => "what is live again was looked at, and a check says no",
            Verdict::Unknown => "whether what is live again works was not looked at, or could not be told",
        };
        let what = if self.is_part { "a part was rolled back" } else { "rolled back" };
        Page {
            title: format!("{project}: {what}: {}", self.phases.join(", ")),
            verdict,
            headline: headline.to_owned(),
            notes: self
                .unanswered()
                .into_iter()
                .map(|check| words(format!("The check {check} was not carried out: it could not tell.")))
                .collect(),
            facts: self.facts(),
            sections: vec![
                listed("restored", "What was restored", &self.paths.0),
                listed("kept", "What was written since, and is kept aside", &self.paths.1),
                self.databases(clean),
                checks("after", "What the checks say of what is live again", &self.outcomes(true), clean),
                checks("before", "What they said before it", &self.outcomes(false), clean),
                self.logs(work),
                time_line(&tell_all(self.records, clean)),
            ],
            foot: words(format!("Made by {TOOL} from the journal, event {}.", self.restored.seq)),
        }
    }

    /// What became of the databases that went live with the phases: the last word on each.
    fn databases(&self, clean: &dyn Fn(&str) -> String) -> Section {
        let mut last: Vec<(&str, &str, &[String], &str)> = Vec::new();
        // They follow the tree before that is put away.
        for record in self.records.iter().filter(|record| record.seq > self.after) {
            let Event::DatabaseEnded { database, verdict, steps, summary, .. } = &record.event else {
                continue;
            };
            last.retain(|(known, ..)| known != database);
            last.push((database, verdict, steps, summary));
        }
        if last.is_empty() {
            let text = "The journal tells of none that these phases changed.";
            return Section::new("databases", 2, "Databases", vec![Block::Text(words(text))]);
        }
        let mut table =
            Table::new("Databases", &["database", "verdict", "steps still in it", "what was done"]);
        for (database, verdict, steps, summary) in last {
            let verdict = Verdict::from_word(verdict).unwrap_or(Verdict::Unknown).spoken();
            let left = if steps.is_empty() { words("none") } else { codes(steps) };
            let row = vec![
                code(clean(database)),
                vec![Bit::Strong(verdict.to_owned())],
                left,
                words(clean(summary)),
            ];
            table.rows.push(row);
        }
        Section::new("databases", 2, "Databases", vec![Block::Table(table)])
    }

    /// What the checks that did not say yes had to show: the last lines of their commands, and what else their evidence holds.
    fn logs(&self, work: &Work<'_>) -> Section {
        let mut blocks = Vec::new();
        for record in [false, true].into_iter().flat_map(|is_after| self.outcomes(is_after)) {
            let Event::CheckEnded { check, at, verdict, evidence, .. } = &record.event else { continue };
            if verdict == Verdict::Yes.word() {
                continue;
            }
            let place = work.evidence.path(evidence);
            let place = place.strip_prefix(&work.project.root).unwrap_or(&place).display().to_string();
            blocks.push(Block::Text(
                [words(format!("The check {check} at {at}: ")), code(place), words(".")].concat(),
            ));
            match seen(work, evidence) {
                Ok(seen) => blocks.extend(details(&seen).iter().map(shown)),
                Err(why) => blocks.push(Block::Note(words(format!("Its evidence cannot be used: {why}.")))),
            }
        }
        if blocks.is_empty() {
            blocks.push(Block::Text(words("Every check that looked said yes.")));
        }
        Section::new("logs", 2, "Logs", blocks)
    }

    fn facts(&self) -> Vec<(&'static str, Words)> {
        let mut facts = vec![
            ("Why", words(self.why.clone())),
            ("Phases", codes(&self.phases)),
            (
                "Rolled back",
                vec![
                    Bit::Time(self.restored.time.clone()),
                    Bit::Text(" by ".to_owned()),
                    Bit::Code(self.restored.actor.clone()),
                ],
            ),
        ];
        if let Some(first) = self.records.first() {
            facts.insert(2, ("Live since", vec![Bit::Time(first.time.clone())]));
        }
        facts
    }
}

/// The evidence of that hash, without secrets; why it cannot be used.
fn seen(work: &Work<'_>, hash: &str) -> Result<Value, String> {
    let text = work.evidence.get(work.world().disk.as_ref(), hash).map_err(|error| error.to_string())?;
    serde_json::from_str(&work.redactor.clean(&text))
        .map_err(|error| format!("it cannot be understood: {error}"))
}

fn transaction_of(event: &Event) -> Option<&String> {
    match event {
        Event::RolledBack { transaction, .. } | Event::PartRolledBack { transaction, .. } => {
            Some(transaction)
        }
        _ => None,
    }
}

fn listed(id: &str, title: &str, paths: &[String]) -> Section {
    let block = if paths.is_empty() {
        Block::Text(words("Nothing."))
    } else {
        Block::List(paths.iter().map(code).collect())
    };
    Section::new(id, 2, format!("{title}: {}", counted(paths.len() as u64, "path")), vec![block])
}

fn checks(id: &str, title: &str, outcomes: &[&Record], clean: &dyn Fn(&str) -> String) -> Section {
    if outcomes.is_empty() {
        return Section::new(id, 2, title, vec![Block::Text(words("No check looked."))]);
    }
    let mut table = Table::new("Outcomes", &["check", "at", "verdict", "took", "what it saw", "evidence"]);
    for record in outcomes {
        let Event::CheckEnded { check, at, verdict, summary, milliseconds, evidence, .. } = &record.event
        else {
            continue;
        };
        let verdict = Verdict::from_word(verdict).unwrap_or(Verdict::Unknown).spoken();
        table.rows.push(vec![
            code(check),
            words(at.clone()),
            vec![Bit::Strong(verdict.to_owned())],
            took(*milliseconds),
            words(clean(summary)),
            hash(evidence),
        ]);
    }
    Section::new(id, 2, title, vec![Block::Table(table)])
}

fn time_line(story: &Story) -> Section {
    let mut table = Table::new("Events since it went live", &["event", "time", "actor", "what happened"]);
    table.left_out = story.left_out;
    for told in &story.told {
        let what =
            if told.phase.is_empty() { told.what.clone() } else { format!("{}: {}", told.phase, told.what) };
        let event = vec![Bit::Fixed(format!("{} {}", told.seq, told.event))];
        table.rows.push(vec![event, vec![Bit::Time(told.time.clone())], code(&told.actor), words(what)]);
    }
    Section::new("time-line", 2, "Time line", vec![Block::Table(table)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(events: Vec<Event>) -> Vec<Record> {
        let record = |(at, event): (usize, Event)| Record {
            seq: at as u64 + 1,
            time: "2026-11-02T10:00:00Z".to_owned(),
            actor: "ada@host".to_owned(),
            event,
            prev: String::new(),
            hash: String::new(),
        };
        events.into_iter().enumerate().map(record).collect()
    }

    fn cut_over(transaction: &str) -> Event {
        Event::CutOverStarted {
            phase: "unify".to_owned(),
            transaction: transaction.to_owned(),
            unseen: Vec::new(),
        }
    }

    fn back(transaction: &str, why: &str) -> [Event; 2] {
        let (phase, transaction) = ("unify".to_owned(), transaction.to_owned());
        let started = Event::RollBackStarted {
            phase: phase.clone(),
            transaction: transaction.clone(),
            only: Vec::new(),
            why: why.to_owned(),
        };
        let done = Event::RolledBack {
            phase,
            transaction,
            whole: true,
            restored: Vec::new(),
            kept_aside: Vec::new(),
        };
        [started, done]
    }

    fn started(check: &str) -> Event {
        Event::CheckStarted { phase: "unify".to_owned(), check: check.to_owned(), at: "live".to_owned() }
    }

    #[test]
    fn each_way_back_is_found_and_ends_where_the_next_change_begins() {
        let mut events = vec![cut_over("a"), started("one")];
        events.extend(back("a", "too slow"));
        events.extend([started("two"), Event::SnapshotStarted { phase: "unify".to_owned() }]);
        events.extend([started("three"), cut_over("b"), started("four")]);
        events.extend(back("b", "wrong"));
        events.extend(back("a", "wrong"));
        let records = records(events);
        let ways = ways_back(&records);
        assert_eq!(ways, [WayBack { after: 2, last: 4 }, WayBack { after: 9, last: 13 }]);
        let found = |way: &WayBack| {
            let incident = Incident::find(&records, way.after, way.last).unwrap();
            let range = (incident.records[0].seq, incident.records.last().unwrap().seq);
            (range, incident.why.clone(), incident.phases.len(), incident.unanswered().join(" "))
        };
        assert_eq!(found(&ways[0]), ((1, 5), "too slow".to_owned(), 1, "two".to_owned()));
        assert_eq!(found(&ways[1]), ((1, 13), "wrong".to_owned(), 2, String::new()));
    }
}
