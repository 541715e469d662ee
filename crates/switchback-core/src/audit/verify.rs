//! Whether a journal is as it was written: its chain, its end, its signatures, and the heads of it that are kept outside.

use std::collections::BTreeSet;
use std::path::Path;

use super::format::{Head, Kept, host_of};
use super::place::Reached;
use crate::journal::store::Row;
use crate::journal::{AnchorFacts, ChainFault, Event, FaultKind, Journal, Record, Tail, verify};
use crate::phase::approval::look_at_signatures;
use crate::phase::redact::Redactor;
use crate::phase::{Ports, Project, StepError};
use crate::plan::{AnchorPlace, STATE_FOLDER};
use crate::verdict::Verdict;

/// What a look at a journal came to.
#[derive(Debug, Clone)]
pub struct Verification {
    /// *no*: something was altered. *unknown*: there is nothing to look at, or an anchor could not be compared.
    pub verdict: Verdict,
    /// How many events there are.
    pub events: u64,
    /// The hash of the last one.
    pub head: Option<String>,
    /// How many signatures are good.
    pub signatures: u64,
    /// How the journal ends.
    pub tail: Tail,
    /// What is not as it was written, in order.
    pub faults: Vec<ChainFault>,
    /// What each anchor says.
    pub anchors: Vec<AnchorLook>,
    /// Why it is not known which anchors there are, where the plan cannot be used.
    pub plan_fault: Option<String>,
}

/// What an anchor says about a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorLook {
    /// The place, as the plan, the journal or the caller says it.
    pub to: String,
    /// *yes*: every head of this journal that stands there fits. *unknown*: none could be compared, or not all.
    pub verdict: Verdict,
    /// Whether the plan asks for no head there yet: then none is missing, and nothing was compared.
    pub is_early: bool,
    /// How many heads fit.
    pub fits: u64,
    /// The last event whose head fits: all up to it is as it was then. 0 without one.
    pub covers: u64,
    /// In words.
    pub what: String,
}

impl Verification {
    /// The last event that an anchor covers.
    pub fn covered(&self) -> u64 {
        self.anchors.iter().map(|anchor| anchor.covers).max().unwrap_or(0)
    }
}

/// Looks at the journal of the project at `root`; `None` when there is none, and no head of it stands outside. Beside the anchors that the
/// plan and the journal name, those of `more` are looked at.
///
/// # Errors
///
/// When the journal cannot be read at all, and when one of `more` is no place.
pub fn verify_journal(
    root: &Path,
    ports: &Ports,
    more: &[String],
) -> Result<Option<Verification>, StepError> {
    let state = root.join(STATE_FOLDER);
    let (path, lock) = (state.join("journal.db"), state.join("lock"));
    for to in more {
        AnchorPlace::parse(to, root).map_err(|(what, help)| StepError::not_now(what, help))?;
    }
    // Before anybody opens it: SQLite passes over what is not whole.
    let tail = Tail::of(ports.world.disk.as_ref(), &path, &lock)?;
    let journal = Journal::open_existing(&path, &ports.world)?;
    let rows = journal.as_ref().map_or_else(|| Ok(Vec::new()), |journal| journal.rows_after(0))?;
    let mut faults = verify(&rows);
    let records: Vec<Record> = rows.iter().filter_map(record_of).collect();
    let signed = look_at_signatures(&records, ports.signatures.as_ref());
    faults.extend(signed.faults);
    faults.extend(damaged(&tail, rows.len() as u64));
    faults.extend(records.iter().filter_map(lost));
    let mut look = Look { root, ports, rows: &rows, facts: AnchorFacts::default(), project: None };
    let plan_fault = look.prepare(&records);
    let mut anchors = Vec::new();
    for to in look.places(more) {
        anchors.push(look.at(&to, &mut faults));
    }
    faults.sort_by_key(|fault| fault.seq);
    let is_open = anchors.iter().any(|anchor| anchor.verdict == Verdict::Unknown && !anchor.is_early);
    // What this version does not know was not altered by that.
    let is_altered = faults.iter().any(|fault| fault.kind != FaultKind::Unread);
    let verdict = if is_altered {
        Verdict::No
    } else if rows.is_empty() || !faults.is_empty() || is_open {
        Verdict::Unknown
    } else {
        Verdict::Yes
    };
    // Without a journal there is nothing to say, unless its head stands outside.
    if journal.is_none() && verdict != Verdict::No {
        return Ok(None);
    }
    Ok(Some(Verification {
        verdict,
        events: rows.len() as u64,
        head: rows.last().map(|row| row.hash.clone()),
        signatures: signed.verified,
        tail,
        faults,
        anchors,
        plan_fault,
    }))
}

/// What a damaged end says, to which nobody has appended yet.
pub(super) fn damaged(tail: &Tail, events: u64) -> Option<ChainFault> {
    let Tail::Damaged { frame } = tail else { return None };
    let what = format!(
        "frame {frame} of the write-ahead log is damaged, and whole ones follow it: no crash does that, and events that were \
         acknowledged are lost"
    );
    Some(ChainFault { seq: events + 1, kind: FaultKind::Damaged, what })
}

/// What a journal says of its own damage, which was found when somebody appended to it.
pub(super) fn lost(record: &Record) -> Option<ChainFault> {
    let Event::JournalDamaged { frame, kept } = &record.event else { return None };
    let what = format!(
        "events that were acknowledged and stood here are lost: frame {frame} of the write-ahead log was damaged, and whole ones followed \
         it; that log is kept as `{STATE_FOLDER}/{kept}`"
    );
    Some(ChainFault { seq: record.seq, kind: FaultKind::Damaged, what })
}

/// A row as an event, where this program knows it; what it does not know is a fault by itself.
pub(super) fn record_of(row: &Row) -> Option<Record> {
    Some(Record {
        seq: row.seq,
        time: row.time.clone(),
        actor: row.actor.clone(),
        event: Event::read(&row.event, &row.body).ok()?,
        prev: row.prev.clone(),
        hash: row.hash.clone(),
    })
}

/// A look at anchors.
struct Look<'a> {
    root: &'a Path,
    ports: &'a Ports,
    rows: &'a [Row],
    facts: AnchorFacts,
    project: Option<Project>,
}

impl Look<'_> {
    /// Finds out what plan and journal say about anchors. Why the plan says nothing, when it cannot be used.
    fn prepare(&mut self, records: &[Record]) -> Option<String> {
        self.facts = AnchorFacts::of(records);
        match Project::open(self.root, self.ports) {
            Ok(project) => self.project = Some(project),
            Err(error) => return Some(error.to_string()),
        }
        None
    }

    /// Every place that somebody names, once each.
    fn places(&self, more: &[String]) -> Vec<String> {
        let planned = self.project.iter().flat_map(|project| &project.plan.anchors);
        let named = planned.map(|anchor| &anchor.to).chain(self.facts.places.keys()).chain(more);
        let mut seen = BTreeSet::new();
        named.filter(|to| seen.insert(to.as_str())).cloned().collect()
    }

    fn at(&self, to: &str, faults: &mut Vec<ChainFault>) -> AnchorLook {
        let unknown = |what: String| AnchorLook {
            to: to.to_owned(),
            verdict: Verdict::Unknown,
            is_early: false,
            fits: 0,
            covers: 0,
            what,
        };
        let place = match AnchorPlace::parse(to, self.root) {
            Ok(place) => place,
            Err((what, _)) => return unknown(what),
        };
        let reached = Reached { root: self.root, ports: self.ports, place: &place };
        match reached.kept() {
            Ok(kept) => self.compare(to, &kept, faults),
            Err(why) => {
                let redactor = Redactor::new(self.ports.world.surroundings.as_ref());
                unknown(format!("it cannot be reached: {}", redactor.clean_output(&why)))
            }
        }
    }

    fn row(&self, seq: u64) -> Option<&Row> {
        self.rows.iter().find(|row| row.seq == seq)
    }

    fn fits(&self, head: &Head) -> bool {
        self.row(head.seq).is_some_and(|row| row.hash == head.head)
    }

    /// Whether a head was brought there from this folder of this host.
    fn is_of_here(&self, head: &Head) -> bool {
        let actor = self.ports.world.surroundings.actor();
        head.root == self.root.display().to_string() && head.host() == host_of(&actor)
    }

    /// Whether a head is of a project of this name.
    fn is_of_this_name(&self, head: &Head) -> bool {
        self.project.as_ref().is_none_or(|project| project.plan.project.name == head.project)
    }

    fn compare(&self, to: &str, kept: &Kept, faults: &mut Vec<ChainFault>) -> AnchorLook {
        let (fitting, others): (Vec<&Head>, Vec<&Head>) = kept.heads.iter().partition(|head| self.fits(head));
        let covers = fitting.iter().map(|head| head.seq).max().unwrap_or(0);
        let mut look = AnchorLook {
            to: to.to_owned(),
            verdict: if fitting.is_empty() { Verdict::Unknown } else { Verdict::Yes },
            is_early: false,
            fits: fitting.len() as u64,
            covers,
            what: String::new(),
        };
        let refuting = others.iter().filter(|head| self.is_of_here(head)).min_by_key(|head| head.seq);
        if let Some(head) = refuting {
            let what = self.refuted(to, head, &fitting);
            faults.push(ChainFault { seq: head.seq, kind: FaultKind::Anchor, what: what.clone() });
            return AnchorLook { verdict: Verdict::No, what, ..look };
        }
        let doubts = self.doubts(to, kept, &others, covers);
        let mut words = Vec::new();
        if fitting.is_empty() {
            look.is_early = doubts.is_empty() && self.is_planned(to);
            let why = if look.is_early { "none is due yet" } else { "nothing was compared" };
            words.push(format!("no head of this journal stands there; {why}"));
        } else {
            let last = self.rows.last().map_or(0, |row| row.seq);
            words.push(format!("{} fit, the last one at event {covers} of {last}", heads(fitting.len())));
        }
        if !doubts.is_empty() {
            look.verdict = Verdict::Unknown;
            words.extend(doubts);
        }
        if kept.cut_short > 0 {
            words.push(format!(
                "{} cut short by a crash",
                heads(usize::try_from(kept.cut_short).unwrap_or(0))
            ));
        }
        AnchorLook { what: words.join("; "), ..look }
    }

    /// Why what stands there is not enough for a *yes*.
    fn doubts(&self, to: &str, kept: &Kept, others: &[&Head], covers: u64) -> Vec<String> {
        let mut doubts = Vec::new();
        let known = self.facts.places.get(to);
        if let Some(written) = known.and_then(|fact| fact.written).filter(|written| *written > covers) {
            doubts.push(format!(
                "that of event {written}, which the journal says was brought there, is not there"
            ));
        } else if let Some(turn) = self.is_due(to) {
            doubts.push(format!("nothing was brought there since event {turn}, which it is due after"));
        }
        let strangers = others.iter().filter(|head| self.is_of_this_name(head));
        if let Some(head) = strangers.clone().next() {
            doubts.push(format!(
                "{} of a project of this name in `{}` on {} do not fit, and may be of another copy of it",
                heads(strangers.count()),
                head.root,
                head.host()
            ));
        }
        if let Some(first) = kept.strange.first() {
            doubts.push(format!("what else stands there cannot be read: {first}"));
        }
        doubts
    }

    fn is_planned(&self, to: &str) -> bool {
        self.project.iter().flat_map(|project| &project.plan.anchors).any(|anchor| anchor.to == to)
    }

    /// The turn after which a head should stand there and does not.
    fn is_due(&self, to: &str) -> Option<u64> {
        let planned = self.project.iter().flat_map(|project| &project.plan.anchors);
        let anchor = planned.into_iter().find(|anchor| anchor.to == to)?;
        self.facts.is_due(to, &anchor.on).then(|| self.facts.last_turn(&anchor.on)).flatten()
    }

    /// What a head says that does not fit: what must have happened to the journal since.
    fn refuted(&self, to: &str, head: &Head, fitting: &[&Head]) -> String {
        let last = self.rows.last().map_or(0, |row| row.seq);
        let seq = head.seq;
        let since = match fitting.iter().map(|head| head.seq).filter(|fits| *fits < seq).max() {
            Some(fits) => format!("behind event {fits}, which `{to}` still confirms"),
            None => "from its beginning or later on".to_owned(),
        };
        if last == 0 {
            return format!(
                "`{to}` holds its head of {}, and there is no event any more: the journal was removed, or emptied",
                head.time
            );
        }
        if seq > last {
            return format!(
                "`{to}` holds its head of {}, and the journal ends at event {last}: its end was cut off, or it was written anew \
                 {since}",
                head.time
            );
        }
        format!("`{to}` holds another head for it, of {}: the journal was written anew {since}", head.time)
    }
}

fn heads(count: usize) -> String {
    if count == 1 { "1 head".to_owned() } else { format!("{count} heads") }
}
