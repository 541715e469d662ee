//! Lists of the plan file whose entries are read alike: triggers, receivers, playbooks, processes, approvers.

use super::fields::{Fields, shown};
use super::finding::Findings;
use super::{
    Approver, Breakage, CheckPlan, CriterionPlan, Moment, Phase, Playbook, Process, Receiver, Rehearsal,
    Trigger, approver, notify, playbook, process, trigger,
};

const NAME_CHARACTERS_MAX: usize = 100;

/// The names of all tables of a list, whatever else may be wrong with them.
pub(super) fn names_of(plan: &Fields<'_>, list: &str) -> Vec<String> {
    let tables = plan.tables(list).into_iter();
    tables.filter_map(|(_, table)| Some(table.get("name")?.get_ref().as_str()?.to_owned())).collect()
}

pub(super) fn read_triggers<'a>(
    plan: &Fields<'a>,
    names: &[String],
    checks: &[CheckPlan],
    findings: &'a Findings<'a>,
) -> Vec<Trigger> {
    let tables = plan.tables("trigger").into_iter();
    tables
        .filter_map(|(offset, table)| {
            let fields = Fields::new(table, offset, "`[[trigger]]`", trigger::TRIGGER, findings);
            trigger::read(&fields, names, checks)
        })
        .collect()
}

/// What of a rehearsal could never be carried out: an environment for which nothing looks, and breakages that no copy shows.
pub(super) fn look_at_rehearsals(
    plan: &Fields<'_>,
    rehearsal: &Rehearsal,
    triggers: &[Trigger],
    checks: &[CheckPlan],
    is_confined: bool,
) {
    let is_looked_at = checks.iter().any(|check| check.at.contains(&Moment::Rehearsed))
        || triggers.iter().any(|trigger| trigger.rehearse.is_some());
    if rehearsal.environment.is_some() && !is_looked_at {
        plan.find(
            "rehearsal",
            "`[rehearsal]` has an `environment`, and no check looks at `rehearsed`: it would never be built",
            "add `\"rehearsed\"` to the `at` of a check, or take the environment out",
        );
    }
    for trigger in triggers {
        let title = trigger.title();
        let asks =
            checks.iter().find(|check| check.name == trigger.condition.check && check.check.asks_a_service());
        if trigger.rehearse.is_some() && asks.is_some() {
            plan.find(
                "trigger",
                format!("{title} cannot be rehearsed: its check asks a service, and a copy has none"),
                "take `rehearse` out; what looks at the tree itself, or starts the service from it, can be rehearsed",
            );
        }
        if matches!(trigger.rehearse, Some(Breakage::Command(_))) && !is_confined {
            plan.find(
                "trigger",
                format!(
                    "{title} breaks a copy by a command, and `confine = false` lets it reach the live project"
                ),
                "name a `file` and what becomes of it, or take `confine` out",
            );
        }
    }
}

pub(super) fn read_receivers<'a>(plan: &Fields<'a>, findings: &'a Findings<'a>) -> Vec<Receiver> {
    let mut receivers: Vec<Receiver> = Vec::new();
    for (number, (offset, table)) in (1..).zip(plan.tables("notify")) {
        let fields = Fields::new(table, offset, "`[[notify]]`", notify::NOTIFY, findings);
        let Some(read) = notify::read(&fields, number) else { continue };
        look_at_name(&fields, &read.name, "receiver", receivers.iter().map(|one| one.name.as_str()));
        receivers.push(read);
    }
    notify::tell_apart(&mut receivers);
    receivers
}

pub(super) fn read_playbooks<'a>(
    plan: &Fields<'a>,
    checks: &[String],
    phases: &[String],
    findings: &'a Findings<'a>,
) -> Vec<Playbook> {
    let all = names_of(plan, "playbook");
    let mut playbooks: Vec<Playbook> = Vec::new();
    let mut offsets = Vec::new();
    for (offset, table) in plan.tables("playbook") {
        let fields = Fields::new(table, offset, "`[[playbook]]`", playbook::PLAYBOOK, findings);
        let Some(read) = playbook::read(&fields, checks, phases, &all) else { continue };
        look_at_name(&fields, &read.name, "playbook", playbooks.iter().map(|one| one.name.as_str()));
        playbooks.push(read);
        offsets.push(fields.offset_of("escalate"));
    }
    if let Some((at, way)) = playbook::circle(&playbooks) {
        findings.add(
            offsets.get(at).copied().unwrap_or_default(),
            format!("the playbooks escalate in a circle: {way}"),
            "let the last one end without `escalate`",
        );
    }
    playbooks
}

pub(super) fn read_processes<'a>(
    plan: &Fields<'a>,
    phases: &[String],
    findings: &'a Findings<'a>,
) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    for (offset, table) in plan.tables("process") {
        let fields = Fields::new(table, offset, "`[[process]]`", process::PROCESS, findings);
        let Some(read) = process::read(&fields, phases) else { continue };
        look_at_name(&fields, &read.name, "process", processes.iter().map(|one| one.name.as_str()));
        processes.push(read);
    }
    processes
}

pub(super) fn read_approvers<'a>(
    plan: &Fields<'a>,
    phases: &[Phase],
    criteria: &[CriterionPlan],
    findings: &'a Findings<'a>,
) -> Vec<Approver> {
    let signed = criteria.iter().filter_map(|criterion| criterion.signed.as_ref());
    let asked = phases.iter().flat_map(|phase| &phase.approve.roles).chain(signed);
    let asked: Vec<&str> = asked.map(String::as_str).collect();
    let mut approvers: Vec<Approver> = Vec::new();
    for (offset, table) in plan.tables("approver") {
        let fields = Fields::new(table, offset, "`[[approver]]`", approver::APPROVER, findings);
        let Some(read) = approver::read(&fields, &asked, &approvers) else { continue };
        look_at_name(&fields, &read.name, "approver", approvers.iter().map(|one| one.name.as_str()));
        approvers.push(read);
    }
    approver::look_at_quorum(plan, phases, &approvers);
    approvers
}

/// A check that is not carried out for the phase of a playbook can neither call for it nor prove it.
pub(super) fn look_at_proofs(plan: &Fields<'_>, playbooks: &[Playbook], checks: &[CheckPlan]) {
    for playbook in playbooks {
        let Some(phase) = &playbook.phase else { continue };
        let named = playbook.symptoms.iter().chain(&playbook.prove);
        let is_not_for = |check: &&CheckPlan| !check.is_for(phase);
        for check in
            named.filter_map(|name| checks.iter().find(|check| &check.name == name)).filter(is_not_for)
        {
            let message = format!(
                "the playbook `{}` is for the phase `{phase}`, and its check `{}` is not carried out for that",
                playbook.name, check.name
            );
            plan.find("playbook", message, format!("add `{phase}` to the `phases` of the check"));
        }
    }
}

pub(super) fn look_at_name<'n>(
    fields: &Fields<'_>,
    name: &str,
    what: &str,
    mut others: impl Iterator<Item = &'n str>,
) {
    if others.any(|other| other == name) {
        fields.find(
            "name",
            format!(
                "two {} are called `{}`",
                match what {
                    "process" => "processes".to_owned(),
                    "criterion" => "criteria".to_owned(),
                    _ => format!("{what}s"),
                },
                shown(name)
            ),
            "give each a name of its own",
        );
    }
    if name.chars().any(char::is_control) || name.chars().count() > NAME_CHARACTERS_MAX {
        let message =
            format!("the name of the {what} `{}` is too long or has control characters", shown(name));
        fields.find("name", message, "use a short name in plain characters");
    }
}
