//! The rehearsal: the candidate is brought into a throwaway copy of the project, checked there, taken out again, and the
//! copy is compared with what it was. The undo is proved before the change goes in (BX-2, RE-11).
//!
//! The way: `hazards` looks for what no undo could bring back → `ground` lays the copy, exchanges there and back with
//! the very protocol of the cutover, and says what is different → `environment` is what its checks run in. Then every other
//! undo: `undo` lists them → `walk` carries each out in the copy → `meant` is what it has to leave → `proof` has the checks of
//! a playbook look at it. Last, `triggers` breaks copies of their own, and sees whether the triggers would have fired.

mod environment;
mod ground;
mod hazards;
mod meant;
mod proof;
mod triggers;
mod undo;
mod walk;

use std::path::Path;

use serde_json::{Value, json};

use self::environment::Surroundings;
use self::ground::{Environments, Ground, State};
use self::triggers::Answer;
use self::undo::{Walked, undos};
use self::walk::Walk;
use super::databases::rehearsal::{RehearsedDatabase, rehearse_all};
use super::error::StepError;
use super::gate::load_manifest;
use super::look::{Place, binding_json, look_in};
use super::outlook;
use super::project::{TOOL, Work};
use super::witness::Notice;
use crate::journal::history::StagedFact;
use crate::journal::{Binding, Event};
use crate::manifest::{Manifest, to_hex};
use crate::plan::{CheckPlan, Moment, Phase};
use crate::tree::copy::remove_tree;
use crate::verdict::Verdict;

/// So many differences of one comparison are named in the evidence.
const NAMED_MAX: usize = 100;

/// One thing that the rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// *no*: it must not go in; *unknown*: nobody can say.
    verdict: Verdict,
    /// What, in a sentence without a capital and a full stop.
    what: String,
}

impl Finding {
    fn no(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::No, what: what.into() }
    }

    fn unknown(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, what: what.into() }
    }
}

/// What a rehearsal came to.
#[derive(Debug, Default)]
struct Played {
    findings: Vec<Finding>,
    /// Entries of the managed paths that were compared after the undo.
    restored: usize,
    /// Entries around them that were compared.
    around: usize,
    /// What the checks left in the copy, outside the managed paths.
    left_by_checks: Vec<String>,
    /// Every undo that was walked; that of the phase is the first.
    undos: Vec<Walked>,
    /// Databases whose schema goes with the phase, on copies.
    databases: Vec<RehearsedDatabase>,
    /// Triggers, on copies that were broken for them.
    triggers: Vec<Answer>,
    /// Triggers for which the plan does not say how a copy is broken.
    unrehearsed: Vec<String>,
}

/// What keeps a database from being changed.
fn finding_of(one: &RehearsedDatabase) -> Option<Finding> {
    let what = format!("the database `{}`: {}", one.database, one.rehearsed.what);
    (one.rehearsed.verdict != Verdict::Yes).then_some(Finding { verdict: one.rehearsed.verdict, what })
}

/// Rehearses the staged candidate of a phase, and records what came of it.
pub fn rehearse(work: &Work<'_>, phase: &Phase) -> Result<Verdict, StepError> {
    let staged = work.history().phase(&phase.name).and_then(|history| history.staged.clone());
    let Some(staged) = staged else {
        return Err(StepError::not_now("nothing is staged", "`switchback run` stages the candidate"));
    };
    let (name, transaction) = (|| phase.name.clone(), staged.transaction.clone());
    work.record(Event::RehearsalStarted { phase: name(), transaction: transaction.clone() })?;
    work.began(&phase.name, outlook::REHEARSAL);
    let started = work.world().clock.monotonic();
    let binding = binding(work, &staged);
    let folder = work.attempt("rehearsal")?;
    let mut played = Played { findings: hazards::look(work, &staged)?, ..Played::default() };
    play(work, phase, &staged, &folder, &mut played)?;
    played.databases = rehearse_all(work, phase, &staged, &folder)?;
    let findings = played.databases.iter().filter_map(finding_of);
    played.findings.extend(findings.collect::<Vec<_>>());
    // The copy has had its day; those that are broken for triggers need its room.
    remove_tree(work.world().disk.as_ref(), &folder)?;
    let is_sound = played.findings.is_empty();
    played.triggers = triggers::rehearse_triggers(work, phase, &staged, &folder, is_sound)?;
    played.unrehearsed = triggers::unrehearsed(work, phase);
    if is_sound {
        played.findings.extend(played.triggers.iter().filter_map(Answer::finding));
    }
    remove_tree(work.world().disk.as_ref(), &folder)?;
    let elapsed = work.world().clock.monotonic().saturating_sub(started);
    let verdict = verdict_of(&played);
    let mut summary = work.redactor.clean(&summary_of(&played));
    if work.project.confinement().is_none() {
        summary.push_str("; commands were not kept from the live project");
    }
    let evidence = store(work, phase, &played, verdict, &summary, &binding)?;
    work.record(Event::Rehearsed {
        phase: name(),
        transaction,
        verdict: verdict.word().to_owned(),
        summary: summary.clone(),
        evidence,
        milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        binding,
        triggers: played.triggers.into_iter().map(|answer| answer.told).collect(),
    })?;
    work.witness.notice(Notice::Rehearsed { phase: name(), verdict, summary });
    Ok(verdict)
}

/// What a rehearsal of the staged candidate is about now.
pub fn binding(work: &Work<'_>, staged: &StagedFact) -> Binding {
    Binding {
        plan: to_hex(&work.plan().hash),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        tool: TOOL.to_owned(),
        ..Binding::default()
    }
}

/// Everything that a rehearsal does; what keeps it from going on is a finding, and then the rest is left out.
fn play(
    work: &Work<'_>,
    phase: &Phase,
    staged: &StagedFact,
    folder: &Path,
    played: &mut Played,
) -> Result<(), StepError> {
    let started = work.world().clock.monotonic();
    let ground = Ground::lay(work, phase, staged, folder)?;
    let before = ground.state()?;
    let environments = ground.environments()?;
    let old = load_manifest(work, &staged.old_tree)?;
    if let Some(named) = ground::named_content(&old, &before.managed) {
        let what = format!("the copy to rehearse on is not what was staged upon: {named}");
        played.findings.push(Finding::unknown(what));
        return Ok(());
    }
    if let Err(error) = ground.forward() {
        played.findings.push(Finding::unknown(format!("the candidate could not be brought in: {error}")));
        return Ok(());
    }
    let inside = ground.state()?;
    let new = load_manifest(work, &staged.new_tree)?;
    if let Some(named) = ground::named_content(&new, &inside.managed) {
        played.findings.push(Finding::no(format!("what was brought in is not the candidate: {named}")));
    }
    if let Some(named) = ground::named_around(&before.around, &inside.around) {
        played.findings.push(Finding::no(format!("the cutover changes what is not managed: {named}")));
    }
    let staged_in = ground.environments_in(&environments, |_| false);
    if let Some(named) = ground.led_astray(&staged_in)? {
        played.findings.push(Finding::no(format!("the cutover does not bring the environment in: {named}")));
    }
    check_there(work, phase, &ground, played)?;
    let checked = ground.state()?;
    played.left_by_checks = ground::differences_around(&inside.around, &checked.around);
    played.left_by_checks.truncate(NAMED_MAX);
    if let Err(error) = ground.back() {
        played.findings.push(Finding::no(format!("it could not be taken out again: {error}")));
        return Ok(());
    }
    let after = ground.state()?;
    if let Some(named) = ground::named_content(&before.managed, &after.managed) {
        played.findings.push(Finding::no(format!("the undo does not restore what was there: {named}")));
    }
    if let Some(named) = ground::named_around(&checked.around, &after.around) {
        played.findings.push(Finding::no(format!("the undo changes what is not managed: {named}")));
    }
    if ground.led_astray(&environments)?.is_some() {
        played.findings.push(Finding::no("the undo does not bring the old environment back"));
    }
    (played.restored, played.around) = (after.managed.entries.len(), after.around.len());
    if played.restored + played.around == 0 {
        played.findings.push(Finding::unknown("nothing was there to compare after the undo"));
    }
    let elapsed = work.world().clock.monotonic().saturating_sub(started);
    played.undos.push(Walked {
        kind: "phase",
        name: phase.name.clone(),
        verdict: verdict_of(played),
        what: summary_of(played),
        milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        proofs: Vec::new(),
        is_refused: false,
    });
    // Where the whole does not go back, nothing can be said about a part.
    if played.findings.is_empty() {
        walk_undos(work, phase, &ground, (&new, after, &environments), played)?;
    }
    Ok(())
}

/// Walks every other undo in the copy. `known` is the candidate, what the copy holds now, and where its environments lead.
fn walk_undos(
    work: &Work<'_>,
    phase: &Phase,
    ground: &Ground<'_>,
    known: (&Manifest, State, &Environments),
    played: &mut Played,
) -> Result<(), StepError> {
    let (new, baseline, environments) = known;
    ground.renew()?;
    let participants = ground.participants()?;
    let mut walk =
        Walk { work, phase, ground, new, participants: &participants, baseline, environments, spoiled: None };
    for undo in undos(work.plan(), phase, &participants) {
        let (walked, findings) = walk.walk(&undo)?;
        played.undos.push(walked);
        played.findings.extend(findings);
    }
    Ok(())
}

/// Carries out the checks at `rehearsed` in the copy that has the candidate.
fn check_there(
    work: &Work<'_>,
    phase: &Phase,
    ground: &Ground<'_>,
    played: &mut Played,
) -> Result<(), StepError> {
    let checks: Vec<&CheckPlan> = work.plan().checks_at(&phase.name, Moment::Rehearsed).collect();
    if checks.is_empty() {
        return Ok(());
    }
    let candidate = ground.managed()?;
    let altered =
        || -> Result<Option<String>, StepError> { Ok(ground::altered(&candidate, &ground.managed()?)) };
    let surroundings = environment::prepare(work, phase, ground.root(), ground.folder())?;
    match surroundings {
        Surroundings::Ready(variables) => {
            let place = Place {
                tree: ground.root(),
                variables: &variables,
                altered: &altered,
                last: None,
                by_hand: false,
            };
            look_in(work, phase, Moment::Rehearsed, &checks, &place)?;
        }
        Surroundings::Refused(findings) => played.findings.extend(findings),
    }
    Ok(())
}

fn verdict_of(played: &Played) -> Verdict {
    played.findings.iter().fold(Verdict::Yes, |verdict, finding| verdict.and(finding.verdict))
}

fn summary_of(played: &Played) -> String {
    if played.findings.is_empty() {
        let left = match ground::few(&played.left_by_checks) {
            Some(named) => format!("; its checks left more there: {named}"),
            None => String::new(),
        };
        return format!(
            "in and out again on a copy: all {} entries are back as they were, and the undo touched none of {} around \
             them{left}{}{}{}",
            played.restored,
            played.around,
            undo::told(&played.undos),
            told_of_databases(&played.databases),
            triggers::told(&played.triggers, &played.unrehearsed)
        );
    }
    let words: Vec<&str> = played.findings.iter().map(|finding| finding.what.as_str()).collect();
    words.join("; ")
}

fn told_of_databases(databases: &[RehearsedDatabase]) -> String {
    let told =
        databases.iter().map(|one| format!("; the database `{}`: {}", one.database, one.rehearsed.what));
    told.collect::<Vec<_>>().concat()
}

/// The undos that were walked, or those that the program would not carry out, as evidence.
fn undos_json(played: &Played, is_refused: bool) -> Value {
    let proof = |proof: &undo::Proof| {
        json!({
            "check": proof.check,
            "verdict": proof.verdict.map(Verdict::word),
            "summary": proof.summary,
        })
    };
    let one = |walked: &Walked| {
        let mut value = json!({"name": walked.name, "kind": walked.kind, "what": walked.what});
        if !is_refused {
            value["verdict"] = json!(walked.verdict.word());
            value["milliseconds"] = json!(walked.milliseconds);
            value["proofs"] = walked.proofs.iter().map(proof).collect();
        }
        value
    };
    played.undos.iter().filter(|walked| walked.is_refused == is_refused).map(one).collect()
}

fn store(
    work: &Work<'_>,
    phase: &Phase,
    played: &Played,
    verdict: Verdict,
    summary: &str,
    binding: &Binding,
) -> Result<String, StepError> {
    let findings: Vec<Value> = played
        .findings
        .iter()
        .map(|finding| json!({"verdict": finding.verdict.word(), "what": finding.what}))
        .collect();
    let report = json!({
        "schema": "switchback/evidence/1",
        "verdict": verdict.word(),
        "phase": phase.name,
        "check": "rehearsal",
        "kind": "rehearsal",
        "at": Moment::Rehearsed.to_string(),
        "summary": summary,
        "measure": null,
        "binding": binding_json(binding),
        "details": {
            "findings": findings,
            "entries_restored": played.restored,
            "entries_around": played.around,
            "left_by_checks": played.left_by_checks,
            "databases": played.databases.iter().map(RehearsedDatabase::to_json).collect::<Vec<_>>(),
            "undos": undos_json(played, false),
            "undos_refused": undos_json(played, true),
            "triggers": played.triggers.iter().map(Answer::to_json).collect::<Vec<_>>(),
            "triggers_not_rehearsed": played.unrehearsed,
            "commands_confined": work.project.confinement().is_some(),
        },
    });
    let text = work.redactor.clean(&format!("{report:#}\n"));
    Ok(work.evidence.put(work.world().disk.as_ref(), text.as_bytes())?)
}
