//! What a plan has beside its changes and checks, in lines: criteria, snapshots, playbooks, who is told, where heads are kept.

use switchback_core::plan::{Channel, CriterionPlan, Phase, Plan, Receiver, Remote, Severity, Snapshot};

/// The criteria of a phase, by point.
pub(super) fn criteria(plan: &Plan, phase: &Phase) -> Vec<String> {
    plan.criteria_of(&phase.name).into_iter().map(criterion).collect()
}

fn criterion(one: &CriterionPlan) -> String {
    let mut by = Vec::new();
    match one.checks.as_slice() {
        [] => {}
        [check] => by.push(format!("check {check}")),
        checks => by.push(format!("checks {}", checks.join(", "))),
    }
    by.extend(one.approved.as_ref().map(|role| format!("approved by {role}")));
    by.extend(one.no_trigger.then(|| "no trigger fired".to_owned()));
    by.extend(one.signed.as_ref().map(|role| format!("signed in the role {role}")));
    let required = if one.required { "; required" } else { "" };
    format!("criterion at {}: {} ({}{required})", one.at, one.name, by.join("; "))
}

/// Where snapshots go and what is in them beside the managed paths; nothing where the plan says nothing of it.
pub(super) fn snapshots(plan: &Plan) -> Option<String> {
    let Snapshot { repository, also, remote, databases, .. } = &plan.snapshot;
    let mut words = format!("snapshots go to {}", repository.display());
    if let Some(remote) = remote {
        words.push_str(", and a copy of each to ");
        words.push_str(&match remote {
            Remote::Folder(folder) => folder.display().to_string(),
            Remote::ObjectStore(address) | Remote::Server(address) => address.clone(),
        });
    }
    let beside = also.iter().map(|path| path.display().to_string());
    let beside = beside.chain(databases.iter().map(|database| format!("the database {}", database.shown())));
    let beside = beside.collect::<Vec<_>>().join(", ");
    if !beside.is_empty() {
        words.push_str("; with ");
        words.push_str(&beside);
    }
    let is_said = *repository != Snapshot::default().repository || remote.is_some() || !beside.is_empty();
    is_said.then_some(words)
}

/// What is for the whole plan: playbooks, who is told, where heads of the journal are kept.
pub(super) fn whole(plan: &Plan) -> Vec<String> {
    let playbooks = plan.playbooks.iter().map(|one| {
        let say = if one.symptoms.len() == 1 { "says" } else { "say" };
        format!("playbook: {} when {} {say} no", one.name, one.symptoms.join(" and "))
    });
    let told = plan.receivers.iter().map(receiver);
    let anchors = plan.anchors.iter().map(|anchor| {
        let turns: Vec<&str> = anchor.on.iter().map(|turn| turn.word()).collect();
        format!("anchor: the head of the journal goes to {} after {}", anchor.to, turns.join(", "))
    });
    playbooks.chain(told).chain(anchors).collect()
}

/// The address of a webhook is a secret, and is not among the words.
fn receiver(one: &Receiver) -> String {
    let channel = match &one.channel {
        Channel::Webhook { .. } => "webhook".to_owned(),
        Channel::Mail { to, .. } => format!("mail to {}", to.join(", ")),
        Channel::Command(_) => "command".to_owned(),
    };
    let turns: Vec<&str> = one.on.iter().map(|turn| turn.word()).collect();
    let turns = if turns.is_empty() { "every turn".to_owned() } else { turns.join(", ") };
    let severity = match one.severity {
        Severity::Info => "",
        Severity::Warning => ", warnings and worse",
        Severity::Critical => ", only what is critical",
    };
    format!("told: {} by {channel}: {turns}{severity}", one.name)
}
