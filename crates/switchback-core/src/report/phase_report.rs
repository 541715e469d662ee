//! One phase in a report: what was to change, what was checked, who approved, what became of it.

use super::details::{Detail, details};
use super::material::{FileNames, Material};
use super::places::{Place, places};
use super::reasons::reasons;
use super::shadow_status::{ShadowStatus, shadows};
use super::status::{
    Criterion, PhaseStatus, approvals, as_staged, criteria, is_about, last_outcomes, phase_status,
};
use super::trigger_status::{TriggerStatus, triggers};
use crate::journal::history::{CheckFact, PhaseHistory};
use crate::journal::{Binding, EnvironmentFact, Event, PhaseState};
use crate::manifest::{EntryCounts, to_hex};
use crate::phase::TOOL;
use crate::phase::approval::{Judge, Standing, Vote};
use crate::phase::criteria::{self as plan_criteria, CriterionStanding};
use crate::phase::gate::changed_since;
use crate::phase::look::void_since;
use crate::plan::{Moment, Phase};
use crate::verdict::Verdict;

/// One phase.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseReport {
    /// Where it stands.
    pub status: PhaseStatus,
    /// How often its candidate was begun in this run.
    pub attempts: u64,
    /// What makes its candidate: kind and a few words.
    pub changes: Vec<(String, String)>,
    /// Its verified snapshot.
    pub snapshot: Option<SnapshotReport>,
    /// Its candidate.
    pub candidate: Option<CandidateReport>,
    /// The rehearsal of its candidate, told as a check at `rehearsed`; `None`: it was not rehearsed.
    pub rehearsal: Option<CheckReport>,
    /// The last outcome of each check at each moment, moments in order.
    pub checks: Vec<CheckReport>,
    /// Old and new side by side.
    pub shadows: Vec<ShadowStatus>,
    /// What starts a rollback, or asks a person.
    pub triggers: Vec<TriggerStatus>,
    /// What the plan checks and nobody looked at yet: check, kind and moment.
    pub open_checks: Vec<(String, String, String)>,
    /// A check that began and has not ended, and its moment: it is at it, or its process ended before it.
    pub unfinished: Option<(String, String)>,
    /// Every approval and refusal of this run, in order.
    pub sign_offs: Vec<SignOffReport>,
    /// The roles that must approve, and how many persons of each.
    pub roles: Vec<(String, u64)>,
    /// What must hold.
    pub criteria: Vec<Criterion>,
    /// The criteria of the plan, by point.
    pub checklist: Vec<CriterionStanding>,
    /// When it went live, who cut over, and as which generation.
    pub live: Option<(String, String, u64)>,
    /// What was taken back, in order.
    pub roll_backs: Vec<RollBackReport>,
    /// Every reason why it stands where it stands.
    pub reasons: Vec<String>,
}

/// A verified snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotReport {
    /// Its id; `nothing` when there was nothing to save.
    pub id: String,
    /// When it was verified, RFC 3339.
    pub time: String,
    /// Regular files in it.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// A staged candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateReport {
    /// When it was built, RFC 3339.
    pub time: String,
    /// The transaction that exchanges it.
    pub transaction: String,
    /// How the candidate goes live, in a word of the plan file.
    pub mechanism: String,
    /// The managed paths that differ.
    pub paths: Vec<String>,
    /// How many entries differ.
    pub counts: EntryCounts,
    /// Hash of the live tree's manifest when it was built.
    pub old_tree: String,
    /// Hash of its own manifest.
    pub new_tree: String,
    /// What the phase's commands changed outside the managed paths.
    pub outside: Vec<String>,
    /// What became of the dependency environments.
    pub environments: Vec<EnvironmentFact>,
    /// The entries by name; why not, when the manifests are gone or were changed.
    pub files: Result<FileNames, String>,
}

/// The last outcome of a check at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// Its name.
    pub name: String,
    /// Its kind; empty when the plan does not have it any more.
    pub kind: String,
    /// The moment, as in the plan.
    pub at: String,
    /// The verdict.
    pub verdict: Verdict,
    /// One line.
    pub summary: String,
    /// When it ended, RFC 3339.
    pub time: String,
    /// Who looked: `user@host`.
    pub actor: String,
    /// How long it took.
    pub milliseconds: u64,
    /// What it measured.
    pub measure: Option<f64>,
    /// How often it looked at that moment.
    pub looks: u64,
    /// The hash of its report among the evidence.
    pub evidence: String,
    /// Why the evidence cannot be read; `None`: it is there, and its content has its hash.
    pub evidence_fault: Option<String>,
    /// What it was about.
    pub binding: Binding,
    /// What changed since, so that it does not count any more. Plan and options are compared; trees and inputs are not
    /// looked at for a report.
    pub void: Vec<&'static str>,
    /// What is worth reading in its evidence.
    pub details: Vec<Detail>,
    /// Where its evidence says that something is wrong, in files of the project.
    pub places: Vec<Place>,
    /// How many more such places there are.
    pub places_left_out: u64,
    /// The line of the plan file in which it begins; `None` when the plan does not have it any more.
    pub line: Option<u64>,
}

/// An approval or a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOffReport {
    /// Its position in the journal.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// Who: `user@host`.
    pub actor: String,
    /// Who that is by the plan, where a key says so.
    pub person: Option<String>,
    /// What the key is called that signed it.
    pub key: Option<String>,
    /// In which role.
    pub role: String,
    /// Whether it is an approval.
    pub approved: bool,
    /// The reason of a refusal.
    pub why: String,
    /// Whether it has a say about the present candidate.
    pub counts: bool,
    /// How it stands, in a few words.
    pub standing: String,
}

/// Something that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollBackReport {
    /// When it was done, RFC 3339.
    pub time: String,
    /// Who: `user@host`.
    pub actor: String,
    /// Why.
    pub why: String,
    /// Whether the whole phase was taken back.
    pub whole: bool,
    /// The paths whose old tree is live again.
    pub restored: Vec<String>,
    /// What had been changed since the cutover, and is kept.
    pub kept_aside: Vec<String>,
}

impl PhaseReport {
    /// Everything that came to a verdict: the checks, and the rehearsal behind those that it held.
    pub fn outcomes(&self) -> impl Iterator<Item = &CheckReport> {
        let is_earlier =
            |check: &&CheckReport| Moment::parse(&check.at).is_some_and(|moment| moment <= Moment::Rehearsed);
        let (first, last) = (self.checks.iter().filter(is_earlier), self.checks.iter());
        first.chain(&self.rehearsal).chain(last.filter(move |check| !is_earlier(check)))
    }
}

impl CheckReport {
    /// Whether it speaks against the phase as it stands: it does not hold, and it is not what others are compared with.
    pub fn refuses(&self) -> bool {
        self.verdict == Verdict::No && self.at != "before"
    }
}

/// Collects the facts of a phase of the plan.
pub(super) fn phase_report(material: &Material<'_>, phase: &Phase) -> PhaseReport {
    let history = material.history.phase(&phase.name);
    let checks = history.map_or_else(Vec::new, |history| checks(material, phase, history));
    let roll_backs = roll_backs(material, &phase.name);
    let began = |event: &Event| matches!(event, Event::SnapshotStarted { .. });
    let trees = as_staged(material.project, material.store(), history, None).map(|(criterion, _)| criterion);
    let judge = &Judge::of(material.project);
    let mut shadows = shadows(material.plan(), phase, history);
    for shadow in &mut shadows {
        shadow.summary = material.clean(&shadow.summary);
        for (_, _, summary) in &mut shadow.told {
            *summary = material.clean(summary);
        }
    }
    let mut triggers = triggers(material.plan(), phase, history);
    for (_, seen) in triggers.iter_mut().filter_map(|trigger| trigger.rehearsed.as_mut()) {
        *seen = material.clean(seen);
    }
    let mut report = PhaseReport {
        shadows,
        triggers,
        status: phase_status(judge, phase, &material.history),
        attempts: material.about(&phase.name).filter(|record| began(&record.event)).count() as u64,
        changes: phase
            .changes
            .iter()
            .map(|change| (change.kind.to_owned(), material.clean(&change.change.describe())))
            .collect(),
        snapshot: history.and_then(|history| snapshot(material, history)),
        candidate: history.and_then(|history| candidate(material, history)),
        rehearsal: history.and_then(|history| rehearsal(material, history)),
        open_checks: open_checks(material, phase, history),
        unfinished: history.and_then(|history| history.looking.clone()),
        roles: phase.approve.roles.iter().map(|role| (role.clone(), phase.approve.needed(role))).collect(),
        criteria: criteria(judge, phase, history).into_iter().chain(trees).collect(),
        checklist: plan_criteria::standing(judge, phase, history),
        live: history.and_then(|history| live(material, history)),
        reasons: Vec::new(),
        checks,
        sign_offs: sign_offs(material, judge, phase, history),
        roll_backs,
    };
    let reasons = reasons(material, phase, history, &report);
    report.reasons = reasons.iter().map(|reason| material.clean(reason)).collect();
    report
}

fn snapshot(material: &Material<'_>, history: &PhaseHistory) -> Option<SnapshotReport> {
    let fact = history.snapshot.as_ref()?;
    material.about(&history.name).rev().find_map(|record| match &record.event {
        Event::SnapshotTaken { snapshot, files, bytes, .. } if *snapshot == fact.id => Some(SnapshotReport {
            id: fact.id.clone(),
            time: record.time.clone(),
            files: *files,
            bytes: *bytes,
        }),
        _ => None,
    })
}

fn candidate(material: &Material<'_>, history: &PhaseHistory) -> Option<CandidateReport> {
    let staged = history.staged.as_ref()?;
    let record =
        material.about(&history.name).rev().find(|record| matches!(record.event, Event::Staged { .. }))?;
    Some(CandidateReport {
        time: record.time.clone(),
        transaction: staged.transaction.clone(),
        mechanism: staged.mechanism.clone(),
        paths: staged.paths.clone(),
        counts: staged.counts,
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        outside: staged.outside.clone(),
        environments: staged.environments.clone(),
        files: material.file_names(history)?,
    })
}

/// The rehearsal of the present candidate. It is about the plan as a whole, so it has no options.
fn rehearsal(material: &Material<'_>, history: &PhaseHistory) -> Option<CheckReport> {
    let fact = history.rehearsal.as_ref()?;
    let is_it =
        |event: &Event| matches!(event, Event::Rehearsed { evidence, .. } if *evidence == fact.evidence);
    let record = material.about(&history.name).rev().find(|record| is_it(&record.event));
    let (evidence_fault, details, (places, places_left_out)) = evidence(material, &fact.evidence);
    let now = Binding { plan: to_hex(&material.plan().hash), tool: TOOL.to_owned(), ..fact.binding.clone() };
    Some(CheckReport {
        name: "rehearsal".to_owned(),
        kind: "rehearsal".to_owned(),
        at: Moment::Rehearsed.to_string(),
        verdict: fact.verdict,
        summary: material.clean(&fact.summary),
        time: fact.time.clone(),
        actor: record.map_or_else(String::new, |record| record.actor.clone()),
        milliseconds: fact.milliseconds,
        measure: None,
        looks: 1,
        evidence: fact.evidence.clone(),
        evidence_fault,
        // Whether a plan that cannot be used changed is not for anybody to say.
        void: if is_before_cutover(history) && material.plan().fault.is_none() {
            changed_since(&fact.binding, &now)
        } else {
            Vec::new()
        },
        binding: fact.binding.clone(),
        details,
        places,
        places_left_out,
        line: None,
    })
}

/// Whether evidence still has to count: what went live went live on what there was.
fn is_before_cutover(history: &PhaseHistory) -> bool {
    !history.state.is_live() && history.state != PhaseState::RolledBack
}

/// Why the evidence of that hash cannot be used, or what is worth reading in it, and the places that it names.
fn evidence(material: &Material<'_>, hash: &str) -> (Option<String>, Vec<Detail>, (Vec<Place>, u64)) {
    match material.evidence(hash) {
        Ok(evidence) => (None, details(&evidence), places(&evidence)),
        Err(why) => (Some(why), Vec::new(), (Vec::new(), 0)),
    }
}

fn live(material: &Material<'_>, history: &PhaseHistory) -> Option<(String, String, u64)> {
    let (generation, since) = (history.generation?, history.live_since.clone()?);
    let is_it =
        |event: &Event| matches!(event, Event::CutOver { generation: number, .. } if *number == generation);
    let actor = material.about(&history.name).find(|record| is_it(&record.event))?.actor.clone();
    Some((since, actor, generation))
}

fn checks(material: &Material<'_>, phase: &Phase, history: &PhaseHistory) -> Vec<CheckReport> {
    let mut found: Vec<CheckReport> = last_outcomes(history)
        .into_iter()
        .map(|fact| {
            let looks = history.checks.iter().filter(|look| look.check == fact.check && look.at == fact.at);
            check(material, phase, history, fact, looks.count() as u64)
        })
        .collect();
    // A moment that cannot be read comes last.
    found.sort_by_key(|check| (Moment::parse(&check.at).is_none(), Moment::parse(&check.at)));
    found
}

fn check(
    material: &Material<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    fact: &CheckFact,
    looks: u64,
) -> CheckReport {
    let plan = material.plan();
    let planned = plan.checks.iter().find(|check| check.name == fact.check && check.is_for(&phase.name));
    let (evidence_fault, details, (places, places_left_out)) = evidence(material, &fact.evidence);
    let void = match planned {
        Some(planned) if is_before_cutover(history) && !is_about(plan, planned, fact) => {
            let now =
                Binding { plan: to_hex(&plan.hash), options: to_hex(&planned.hash), ..fact.binding.clone() };
            changed_since(&fact.binding, &now)
        }
        // What is live is bound by what the check was asked, and not by the rest of the plan.
        Some(planned) if void_since(history, planned, fact).is_some() => {
            let now =
                Binding { options: to_hex(&planned.hash), tool: TOOL.to_owned(), ..fact.binding.clone() };
            changed_since(&fact.binding, &now)
        }
        _ => Vec::new(),
    };
    let record = material.record(fact.seq);
    CheckReport {
        name: fact.check.clone(),
        kind: planned.map_or_else(String::new, |check| check.kind.to_owned()),
        at: fact.at.clone(),
        verdict: fact.verdict,
        summary: material.clean(&fact.summary),
        time: record.map_or_else(String::new, |record| record.time.clone()),
        actor: record.map_or_else(String::new, |record| record.actor.clone()),
        milliseconds: fact.milliseconds,
        measure: fact.measure,
        looks,
        evidence: fact.evidence.clone(),
        evidence_fault,
        binding: fact.binding.clone(),
        void,
        details,
        places,
        places_left_out,
        line: planned.map(|check| check.line as u64),
    }
}

fn open_checks(
    material: &Material<'_>,
    phase: &Phase,
    history: Option<&PhaseHistory>,
) -> Vec<(String, String, String)> {
    let mut open = Vec::new();
    for check in material.plan().checks.iter().filter(|check| check.is_for(&phase.name)) {
        // Where nothing was rolled back there is nothing to see.
        let is_back = history.is_some_and(|history| history.state == PhaseState::RolledBack);
        for moment in check.at.iter().filter(|moment| is_back || **moment != Moment::RolledBack) {
            let at = moment.to_string();
            if history.is_none_or(|history| history.last_check(&check.name, &at).is_none()) {
                open.push((*moment, (check.name.clone(), check.kind.to_owned(), at)));
            }
        }
    }
    open.sort_by_key(|(moment, _)| *moment);
    open.into_iter().map(|(_, check)| check).collect()
}

fn sign_offs(
    material: &Material<'_>,
    judge: &Judge<'_>,
    phase: &Phase,
    history: Option<&PhaseHistory>,
) -> Vec<SignOffReport> {
    let tallies = history.map_or_else(Vec::new, |history| approvals(judge, phase, history));
    let mut found: Vec<SignOffReport> = Vec::new();
    for record in material.about(&phase.name) {
        let (role, approved, why) = match &record.event {
            Event::Approved { role, .. } => (role, true, String::new()),
            Event::Rejected { role, why, .. } => (role, false, material.clean(why)),
            _ => continue,
        };
        let vote = tallies
            .iter()
            .filter(|tally| tally.role == *role)
            .flat_map(|tally| &tally.votes)
            .find(|vote| vote.seq == record.seq);
        // What was said before the last candidate was built, or given up, is about another one.
        let (counts, standing) = vote.map_or_else(
            || (false, "about an earlier candidate".to_owned()),
            |vote| standing(material, history, vote),
        );
        found.push(SignOffReport {
            seq: record.seq,
            time: record.time.clone(),
            actor: record.actor.clone(),
            person: vote.map(|vote| vote.who.clone()).filter(|who| *who != record.actor),
            key: vote.and_then(|vote| vote.key.clone()),
            role: role.clone(),
            approved,
            why,
            counts,
            standing,
        });
    }
    found
}

fn standing(material: &Material<'_>, history: Option<&PhaseHistory>, vote: &Vote) -> (bool, String) {
    let is_staged = history.is_some_and(|history| history.state == PhaseState::Staged);
    match &vote.standing {
        Standing::Holds | Standing::Withdrawn(_) | Standing::Replaced => {
            (vote.standing.counts(), vote.standing.words())
        }
        _ if is_staged && material.plan().fault.is_some() => {
            (false, "whether it counts cannot be told: the plan cannot be used".to_owned())
        }
        standing if is_staged => (standing.counts(), standing.words()),
        Standing::Invalid(_) | Standing::Elsewhere(_) => (false, vote.standing.words()),
        Standing::Counts | Standing::Void(_) | Standing::Expired(_) => {
            (true, "it counted at the cutover".to_owned())
        }
    }
}

fn roll_backs(material: &Material<'_>, phase: &str) -> Vec<RollBackReport> {
    let mut reason = String::new();
    let mut found = Vec::new();
    for record in material.about(phase) {
        match &record.event {
            Event::RollBackStarted { why, .. } => reason = material.clean(why),
            Event::RolledBack { whole, restored, kept_aside, .. } => found.push(RollBackReport {
                time: record.time.clone(),
                actor: record.actor.clone(),
                why: std::mem::take(&mut reason),
                whole: *whole,
                restored: restored.clone(),
                kept_aside: kept_aside.clone(),
            }),
            Event::PartRolledBack { restored, kept_aside, why, .. } => found.push(RollBackReport {
                time: record.time.clone(),
                actor: record.actor.clone(),
                why: material.clean(why),
                whole: false,
                restored: restored.clone(),
                kept_aside: kept_aside.clone(),
            }),
            _ => {}
        }
    }
    found
}
