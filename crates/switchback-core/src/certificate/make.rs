//! Making a certificate: everything is taken from the journal and the evidence that it names; nothing is looked at again, except that
//! what is staged has to be as it was when it was approved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::conclusion::conclusion;
use super::content::{content_hash, path_hashes};
use super::format::{
    CONTENT_DIGEST, CheckEntry, ItemEntry, JournalHead, MANIFEST_DIGEST, OpenCheck, PREDICATE_TYPE,
    Predicate, RehearsalEntry, RoleEntry, STATEMENT_TYPE, SUBJECTS, Statement, Subject, Tree, VoteEntry,
};
use super::settings::settings;
use crate::journal::history::{CheckFact, StagedFact};
use crate::journal::{Binding, PhaseHistory, PhaseState};
use crate::manifest::to_hex;
use crate::phase::approval::{Judge, RoleTally, Standing, tally};
use crate::phase::evidence::EvidenceError;
use crate::phase::gate::{self, Gate, Needs, Upto, inputs_relied_on};
use crate::phase::{StepError, TOOL, Work};
use crate::plan::{Moment, Phase};
use crate::report::last_outcomes;
use crate::verdict::Verdict;

/// So many items of one comparison are named.
const ITEMS_MAX: usize = 10_000;

/// A certificate that is not signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// What there is to sign.
    pub statement: Statement,
    /// What it says.
    pub verdict: Verdict,
}

/// Takes a certificate of a phase from its journal: of the one named, else of the one that was staged last. `signer`: the public key
/// that is going to sign it.
///
/// A closed gate is returned where the phase is staged, and something keeps it from going live: that is not certified.
///
/// # Errors
///
/// When nothing was staged, evidence is gone or was changed, or the plan is another one than when it was rehearsed.
pub fn certify(
    work: &Work<'_>,
    name: Option<&str>,
    signer: &str,
) -> Result<Result<Certified, Gate>, StepError> {
    let phase = chosen(work, name)?;
    let history = work.history().phase(&phase.name).cloned();
    let Some((history, staged)) = history.and_then(|h| h.staged.clone().map(|staged| (h, staged))) else {
        let what = format!("the phase `{}` has no candidate yet: there is nothing to certify", phase.name);
        return Err(StepError::not_now(what, "`switchback run` stages and checks it"));
    };
    if history.state == PhaseState::Staged {
        let needs = Needs { rehearsal: true, upto: Upto::Approvals };
        let gate = gate::before_cut_over(work, phase, needs)?;
        if gate.verdict != Verdict::Yes {
            return Ok(Err(gate));
        }
    }
    let rehearsed = history.rehearsal.as_ref().map(|fact| fact.binding.plan.as_str());
    if let Some(then) = rehearsed.filter(|then| *then != to_hex(&work.plan().hash)) {
        return Err(another_plan(work, &history, then));
    }
    let mut predicate = predicate(work, phase, &history, &staged)?;
    let (verdict, reasons) = conclusion(&predicate);
    verdict.word().clone_into(&mut predicate.verdict);
    predicate.reasons = reasons;
    signer.clone_into(&mut predicate.signer);
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: subjects(&predicate),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate,
    };
    Ok(Ok(Certified { statement, verdict }))
}

/// Managed paths, open checks, roles and keys stand in the plan, of which no other copy is kept: a plan that was changed since says
/// nothing about what was decided by the one before.
fn another_plan(work: &Work<'_>, history: &PhaseHistory, then: &str) -> StepError {
    let (phase, state) = (&history.name, history.state.word());
    let file = work.plan().path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    StepError::not_now(
        format!(
            "the phase `{phase}` is {state}, and `{file}` is another one than when it was rehearsed: what it managed, what was to be \
             checked and who had to approve cannot be told any more"
        ),
        format!(
            "put `{file}` back as it was (its BLAKE3 was {then}; `git log -p {file}` may have it), and make the certificate then"
        ),
    )
}

/// What a predicate is about.
pub(super) fn subjects(predicate: &Predicate) -> Vec<Subject> {
    let subject = |name: &str, tree: &Tree| {
        let digests = [(MANIFEST_DIGEST, &tree.manifest), (CONTENT_DIGEST, &tree.content)];
        let digest = digests.map(|(name, hash)| (name.to_owned(), hash.clone()));
        Subject { name: name.to_owned(), digest: BTreeMap::from(digest) }
    };
    vec![subject(SUBJECTS[0], &predicate.old), subject(SUBJECTS[1], &predicate.new)]
}

fn chosen<'w>(work: &'w Work<'_>, name: Option<&str>) -> Result<&'w Phase, StepError> {
    let plan = work.plan();
    if let Some(name) = name {
        return plan.phase(name).ok_or_else(|| StepError::NoPhase(name.to_owned()));
    }
    let history = work.history();
    let is_staged =
        |phase: &&Phase| history.phase(&phase.name).is_some_and(|history| history.staged.is_some());
    plan.phases.iter().rev().find(is_staged).ok_or_else(|| {
        StepError::not_now(
            "no phase has a candidate yet: there is nothing to certify",
            "`switchback run` stages and checks it",
        )
    })
}

fn predicate(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    staged: &StagedFact,
) -> Result<Predicate, StepError> {
    let (run, journal) = {
        let whole = work.history();
        let journal = JournalHead { events: whole.seq, head: whole.head.clone() };
        (whole.run.clone().unwrap_or_default(), journal)
    };
    let rehearsed = history.rehearsal.as_ref();
    // What was rehearsed is what went live, and it was rehearsed with this very plan.
    let plan = to_hex(&work.plan().hash);
    let mut checks = Vec::new();
    for fact in last_outcomes(history).into_iter().filter(|fact| fact.at != Moment::Now.to_string()) {
        checks.push(check(work, fact)?);
    }
    Ok(Predicate {
        verdict: String::new(),
        reasons: Vec::new(),
        project: work.plan().project.name.clone(),
        run,
        phase: phase.name.clone(),
        point: history.state.word().to_owned(),
        tool: TOOL.to_owned(),
        made_at: work.world().clock.now().to_string(),
        live_since: history.live_since.clone(),
        old: tree(work, &staged.old_tree)?,
        new: tree(work, &staged.new_tree)?,
        checks,
        open: open(work, phase, history),
        rehearsal: rehearsed.map(|fact| RehearsalEntry {
            verdict: fact.verdict.word().to_owned(),
            summary: fact.summary.clone(),
            results: fact.evidence.clone(),
            binding: fact.binding.clone(),
            ended_at: fact.time.clone(),
        }),
        approvals: roles(work, phase, history, staged, &plan),
        plan,
        journal,
        signer: String::new(),
    })
}

fn tree(work: &Work<'_>, hash: &str) -> Result<Tree, StepError> {
    let manifest = work.evidence.get_manifest(work.world().disk.as_ref(), hash)?;
    let managed: Vec<PathBuf> =
        work.plan().project.managed.iter().map(|managed| managed.path.clone()).collect();
    let paths = path_hashes(&manifest, &managed);
    Ok(Tree {
        manifest: hash.to_owned(),
        content: content_hash(&paths),
        files: manifest.files(),
        bytes: manifest.bytes(),
        paths,
    })
}

fn check(work: &Work<'_>, fact: &CheckFact) -> Result<CheckEntry, StepError> {
    let text = work.evidence.get(work.world().disk.as_ref(), &fact.evidence)?;
    let report: Value = serde_json::from_str(&text).map_err(|error| EvidenceError::Damaged {
        path: work.evidence.path(&fact.evidence),
        why: error.to_string(),
    })?;
    let planned = work.plan().checks.iter().find(|check| check.name == fact.check);
    let options = planned
        .filter(|check| to_hex(&check.hash) == fact.binding.options)
        .map(|check| check.settings.clone())
        .filter(|options| work.redactor.clean(options) == *options);
    Ok(CheckEntry {
        name: fact.check.clone(),
        kind: text_of(&report, "/kind"),
        at: fact.at.clone(),
        verdict: fact.verdict.word().to_owned(),
        summary: fact.summary.clone(),
        settings: options.as_deref().and_then(settings).unwrap_or_default(),
        options,
        results: fact.evidence.clone(),
        items: items(&report),
        binding: fact.binding.clone(),
        milliseconds: fact.milliseconds,
    })
}

fn text_of(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How each item of a comparison was compared.
fn items(report: &Value) -> Vec<ItemEntry> {
    let items = report.pointer("/details/comparison/items").and_then(Value::as_array);
    let item = |item: &Value| ItemEntry {
        name: text_of(item, "/name"),
        verdict: text_of(item, "/verdict"),
        proof: text_of(item, "/proof"),
        relation: text_of(item, "/relation"),
    };
    items.map_or_else(Vec::new, |items| items.iter().take(ITEMS_MAX).map(item).collect())
}

/// What the plan checks and nobody has looked at yet.
fn open(work: &Work<'_>, phase: &Phase, history: &PhaseHistory) -> Vec<OpenCheck> {
    let mut open = Vec::new();
    for check in work.plan().checks.iter().filter(|check| check.is_for(&phase.name)) {
        let asked = check.at.iter().filter(|at| !matches!(at, Moment::Before | Moment::RolledBack));
        for at in asked.map(ToString::to_string) {
            if history.last_check(&check.name, &at).is_none() {
                open.push(OpenCheck { name: check.name.clone(), at });
            }
        }
    }
    open
}

/// Who had to approve, and whose approval counts, or counted when the phase went live.
fn roles(
    work: &Work<'_>,
    phase: &Phase,
    history: &PhaseHistory,
    staged: &StagedFact,
    plan: &str,
) -> Vec<RoleEntry> {
    let about = Binding {
        plan: plan.to_owned(),
        old_tree: staged.old_tree.clone(),
        new_tree: staged.new_tree.clone(),
        inputs: inputs_relied_on(work.plan(), phase, history),
        tool: history.rehearsal.as_ref().map_or_else(|| TOOL.to_owned(), |fact| fact.binding.tool.clone()),
        ..Binding::default()
    };
    let tallies = tally(&Judge::of(&work.project), phase, history, &about);
    tallies.iter().map(|tally| role(tally, history)).collect()
}

fn role(tally: &RoleTally, history: &PhaseHistory) -> RoleEntry {
    let votes = tally.votes.iter().filter(|vote| {
        let is_over = matches!(vote.standing, Standing::Expired(_)) && history.state != PhaseState::Staged;
        vote.standing == Standing::Counts || is_over
    });
    let entry = |vote: &crate::phase::approval::Vote| {
        let sign_off = history.sign_offs.iter().find(|sign_off| sign_off.seq == vote.seq);
        let signed = sign_off.and_then(|sign_off| sign_off.signed.as_ref());
        VoteEntry {
            who: vote.who.clone(),
            time: vote.time.clone(),
            key: signed.map(|signed| signed.key.clone()).unwrap_or_default(),
            envelope: signed.map(|signed| signed.envelope.to_string()).unwrap_or_default(),
        }
    };
    RoleEntry {
        role: tally.role.clone(),
        needed: tally.needed,
        refused: tally.is_refused(),
        votes: votes.map(entry).collect(),
    }
}
