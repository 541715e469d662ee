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

/// Writes down the rollbacks that the journal got after the record `first`: all of them, in one file; and with them the last
/// one before, where the command that carried it out did not live to write it down. Where it was written, relative to the
/// project; nothing when nothing was rolled back.
///
/// # Errors
///
/// When the journal cannot be read, or the disk says no.
pub fn write_incident(work: &Work<'_>, first: u64) -> Result<Option<String>, StepError> {
    let records = work.records()?;
    let first = match last_rollback(&records) {
        Some(last) if last <= first && incident_of(work, &records, last)?.is_none() => {
            beginning(&records, last).saturating_sub(1)
        }
        _ => first,
    };
    let Some(incident) = Incident::find(&records, first) else { return Ok(None) };
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
    Ok(Some(format!("{}/{FOLDER}/{name}", crate::plan::STATE_FOLDER)))
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

/// The last event of a rollback.
fn last_rollback(records: &[Record]) -> Option<u64> {
    records.iter().rev().find(|record| is_rollback(&record.event)).map(|record| record.seq)
}

/// The first event of a rollback of the command that rolled back with the event `seq`: between two of one command nothing is but
/// the way back itself.
fn beginning(records: &[Record], seq: u64) -> u64 {
    let before = records.iter().rev().skip_while(|record| record.seq > seq);
    let is_on_the_way = |record: &&Record| {
        is_rollback(&record.event)
            || matches!(record.event, Event::RollBackStarted { .. })
            || record.event.process().is_some()
            || record.event.database().is_some()
    };
    let way = before.take_while(is_on_the_way);
    way.filter(|record| is_rollback(&record.event)).last().map_or(seq, |record| record.seq)
}

/// What a letter is in the name of a file.
fn plain(letter: char) -> char {
    if letter.is_ascii_alphanumeric() || "-.".contains(letter) { letter } else { '_' }
}

/// Rollbacks that belong together: those of one command.
struct Incident<'r> {
    /// From the cutover of the phase that went live first on.
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
    fn find(records: &'r [Record], first: u64) -> Option<Self> {
        let new = records.iter().filter(|record| record.seq > first);
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
        Some(Self {
            records: records.get(began.unwrap_or(0)..)?,
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
