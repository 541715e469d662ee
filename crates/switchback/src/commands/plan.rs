//! `switchback plan`.

use serde_json::{Value, json};
use switchback_core::phase::preview::{PlanPreview, preview};
use switchback_core::plan::{Dependencies, Moment, Phase, Plan, Window, json_schema};
use switchback_core::report::{json as documents, status};
use switchback_core::signature::PublicKey;
use switchback_core::verdict::Verdict;

use super::{Context, plan_beside, processes};
use crate::cli::PlanArgs;
use crate::failure::Failure;

pub(crate) fn plan(context: &Context<'_>, args: &PlanArgs) -> Result<Verdict, Failure> {
    if args.schema {
        context.ui.document(&json_schema());
        return Ok(Verdict::Yes);
    }
    let project = context.project()?;
    let failed = |error| Failure::doing("could not find out what the plan would do", error);
    let preview = preview(&project).map_err(failed)?;
    if context.ui.json {
        let status = status(&project, &project.history().map_err(failed)?);
        let mut document = documents::document("plan", Verdict::Yes, &status);
        document["changes"] = changes(&preview);
        document["mechanism"] = json!(preview.mechanism.word());
        if !project.plan.dependencies.is_empty() {
            document["environments"] = environments(&project.plan);
        }
        if project.plan.phases.iter().any(|phase| !phase.approve.roles.is_empty()) {
            document["required_approvals"] = approvals(&project.plan);
        }
        if project.plan.window != Window::default() {
            document["window"] = window(&project.plan.window);
        }
        document["window_ms_expected"] = json!(preview.window_ms_expected);
        if !project.plan.processes.is_empty() {
            document["processes"] = processes::planned(&project.plan);
        }
        context.ui.document(&document);
    } else {
        show(context, &project.plan, &preview);
    }
    Ok(Verdict::Yes)
}

fn changes(preview: &PlanPreview) -> Value {
    let changes = preview.changes.iter().map(|change| {
        let files = change.files.map(|files| {
            json!({"added": files.added, "removed": files.removed, "changed": files.changed, "moved": files.moved})
        });
        let mut value =
            json!({"phase": change.phase, "kind": change.kind, "does": change.does, "files": files, "conflicts": []});
        if !change.statements.is_empty() {
            value["statements"] = json!(change.statements);
        }
        value
    });
    changes.collect()
}

fn environments(plan: &Plan) -> Value {
    let environment =
        |one: &Dependencies| json!({"path": one.path, "build": one.build, "requirements": one.requirements});
    plan.dependencies.iter().map(environment).collect()
}

/// When an environment is built anew, in words.
fn built_when(dependencies: &Dependencies) -> String {
    let files: Vec<String> =
        dependencies.requirements.iter().map(|file| file.display().to_string()).collect();
    match files.as_slice() {
        [] => "built anew for each candidate".to_owned(),
        [file] => format!("built anew when {file} changes"),
        files => format!("built anew when one of {} changes", files.join(", ")),
    }
}

fn show(context: &Context<'_>, plan: &Plan, preview: &PlanPreview) {
    let ui = context.ui;
    ui.show(&format!("project {}", plan.project.name));
    for managed in &plan.project.managed {
        let way = if managed.delete { "mirrored" } else { "overlaid: nothing is deleted" };
        ui.show(&format!("  manages {} ({way})", managed.path.display()));
    }
    for dependencies in &plan.dependencies {
        ui.show(&format!("  environment {} ({})", dependencies.path.display(), built_when(dependencies)));
    }
    if let Some(words) = plan_beside::snapshots(plan) {
        ui.show(&format!("  {words}"));
    }
    for phase in &plan.phases {
        show_phase(context, plan, preview, phase);
    }
    for trigger in &plan.triggers {
        let rehearsed = match &trigger.rehearse {
            Some(_) => "; rehearsed on a copy that is broken for it",
            None => "; not rehearsed",
        };
        ui.show(&format!("trigger: {} when {}{rehearsed}", trigger.action.word(), trigger.condition.words()));
    }
    for line in plan_beside::whole(plan) {
        ui.show(&line);
    }
    if let Some(opening) = &plan.window.opening {
        ui.show(&format!("cutovers happen {}", opening.words()));
    }
    if let Some(seconds_max) = plan.window.cutover_seconds_max {
        ui.show(&format!("a cutover that takes more than {seconds_max} s is taken back"));
    }
    ui.show(&format!(
        "cutover by {}; old and new can be seen mixed for about {:.2} ms",
        preview.mechanism.word(),
        preview.window_ms_expected
    ));
}

fn show_phase(context: &Context<'_>, plan: &Plan, preview: &PlanPreview, phase: &Phase) {
    let ui = context.ui;
    ui.show(&format!("phase {}", phase.name));
    for change in preview.changes.iter().filter(|change| change.phase == phase.name) {
        let files = match change.files {
            Some(files) => {
                let moved = if files.moved > 0 { format!(", {} moved", files.moved) } else { String::new() };
                format!("{} added, {} removed, {} changed{moved}", files.added, files.removed, files.changed)
            }
            None => "known when it is staged".to_owned(),
        };
        ui.show(&format!("  change: {}: {files}", change.does));
        for line in &change.statements {
            ui.show(&format!("    {line}"));
        }
    }
    for check in plan.checks.iter().filter(|check| check.is_for(&phase.name)) {
        let mut at: Vec<String> = check.at.iter().map(ToString::to_string).collect();
        at.extend(check.every.map(|every| every.to_string()));
        ui.show(&format!("  check: {} ({}) at {}", check.name, check.kind, at.join(", ")));
    }
    for shadow in plan.shadows_of(&phase.name) {
        ui.show(&format!("  shadow: {} by old and new, {}", shadow.inputs.text(), shadow.period()));
    }
    if !plan.checks.iter().any(|check| check.is_for(&phase.name))
        && plan.shadows_of(&phase.name).next().is_none()
    {
        ui.show("  no checks: nothing will be proved");
    }
    for process in plan.processes.iter().filter(|process| process.is_for(&phase.name)) {
        ui.show(&format!("  process: {}", processes::would(process)));
    }
    for role in &phase.approve.roles {
        ui.show(&format!("  approval: {}", sign_off(plan, phase, role)));
    }
    for line in plan_beside::criteria(plan, phase) {
        ui.show(&format!("  {line}"));
    }
}

/// Who must approve in a role, in words.
fn sign_off(plan: &Plan, phase: &Phase, role: &str) -> String {
    let names: Vec<&str> = plan.approvers_of(role).map(|approver| approver.name.as_str()).collect();
    let signed = if names.is_empty() { String::new() } else { format!(", signed by {}", names.join(" or ")) };
    let valid = phase.approve.valid_for_s.map_or_else(String::new, |valid_for_s| {
        let delay = Moment::After(valid_for_s).to_string();
        format!("; it counts for {}", delay.trim_start_matches('+'))
    });
    format!("{} of role {role}{signed}{valid}", phase.approve.needed(role))
}

/// Who must approve, and when a cutover may happen.
fn approvals(plan: &Plan) -> Value {
    let of_role = |phase: &Phase, role: &String| {
        let persons: Vec<Value> = plan
            .approvers_of(role)
            .map(|approver| json!({"name": approver.name, "keys": approver.keys.iter().map(PublicKey::text).collect::<Vec<_>>()}))
            .collect();
        json!({"phase": phase.name, "role": role, "needed": phase.approve.needed(role), "persons": persons,
               "valid_for_seconds": phase.approve.valid_for_s, "several_roles": phase.approve.several_roles})
    };
    let of_phase =
        |phase: &Phase| phase.approve.roles.iter().map(|role| of_role(phase, role)).collect::<Vec<_>>();
    plan.phases.iter().flat_map(of_phase).collect()
}

fn window(window: &Window) -> Value {
    let opening = window.opening.as_ref();
    json!({"from": opening.map(|opening| opening.shown(opening.from)),
           "minutes": opening.map(|opening| opening.minutes),
           "every_seconds": opening.and_then(|opening| opening.every_s),
           "cutover_seconds_max": window.cutover_seconds_max})
}
