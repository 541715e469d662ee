//! Criteria: what must be true at a point of a phase; computed from what was seen, or signed by a role.

use std::fmt;

use super::fields::{Fields, advise, shown};
use super::file::read_phase_names;
use super::key::{Key, Shape};
use super::lists::look_at_name;
use super::{CheckPlan, Every, Moment, Phase, Plan, Trigger};
use crate::manifest::Hash;

/// The keys of `[[criterion]]`.
pub(super) const CRITERION: &[Key] = &[
    Key::required("name", Shape::Text, "what must be true, in words"),
    Key::required(
        "at",
        Shape::Text,
        "the point that it belongs to: `cut-over`, `live`, a delay such as `+1h`, or `finish`",
    ),
    Key::optional("checks", Shape::Texts, "checks that must have said yes at this point"),
    Key::optional("approved", Shape::Text, "the role whose approval of the phase must be there"),
    Key::optional("no_trigger", Shape::Flag, "`true`: no trigger may have fired since the cutover"),
    Key::optional("signed", Shape::Text, "the role that says so, where only a person can know"),
    Key::optional(
        "required",
        Shape::Flag,
        "`true`: the cutover, or after it the end of the phase, waits for it; it is only shown when left out",
    ),
    Key::optional("phases", Shape::Texts, "for which phases; all when left out"),
];

/// The point that a criterion belongs to, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CriterionPoint {
    /// Before the cutover.
    CutOver,
    /// Right after it.
    Live,
    /// This many seconds after it.
    After(u64),
    /// Before the phase is over.
    Finish,
}

impl CriterionPoint {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "cut-over" => Some(Self::CutOver),
            "finish" => Some(Self::Finish),
            _ => match Moment::parse(text)? {
                Moment::Live => Some(Self::Live),
                Moment::After(delay_s) => Some(Self::After(delay_s)),
                _ => None,
            },
        }
    }

    /// Whether what a check saw at a moment counts at this point.
    pub fn counts(self, moment: Moment) -> bool {
        match self {
            Self::CutOver => matches!(moment, Moment::Staged | Moment::Rehearsed),
            Self::Live => moment == Moment::Live,
            Self::After(delay_s) => moment == Moment::After(delay_s),
            Self::Finish => !matches!(moment, Moment::Before | Moment::RolledBack | Moment::Now),
        }
    }

    /// The last time of a repeated check that counts at this point; `None` when none does.
    pub fn last_time(self, every: Every) -> Option<u64> {
        let last = match self {
            Self::CutOver | Self::Live => 0,
            Self::After(delay_s) => (delay_s / every.every_s).min(every.times()),
            Self::Finish => every.times(),
        };
        (last > 0).then_some(last)
    }

    /// The delay after the cutover before which nobody can know.
    pub fn moment(self) -> Option<Moment> {
        match self {
            Self::After(delay_s) => Some(Moment::After(delay_s)),
            Self::CutOver | Self::Live | Self::Finish => None,
        }
    }
}

impl fmt::Display for CriterionPoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOver => out.write_str("cut-over"),
            Self::Finish => out.write_str("finish"),
            Self::Live => Moment::Live.fmt(out),
            Self::After(delay_s) => Moment::After(*delay_s).fmt(out),
        }
    }
}

/// One criterion.
#[derive(Debug, Clone)]
pub struct CriterionPlan {
    /// What must be true.
    pub name: String,
    /// The point that it belongs to.
    pub at: CriterionPoint,
    /// Checks that must have said yes.
    pub checks: Vec<String>,
    /// The role whose approval must be there.
    pub approved: Option<String>,
    /// Whether no trigger may have fired.
    pub no_trigger: bool,
    /// The role that signs it.
    pub signed: Option<String>,
    /// Whether the cutover, or the end of the phase, waits for it.
    pub required: bool,
    /// For which phases; `None`: for all.
    pub phases: Option<Vec<String>>,
    /// BLAKE3 of everything that the plan says about it: what is signed is bound to it.
    pub hash: Hash,
}

impl CriterionPlan {
    /// Whether it is asked of that phase.
    pub fn is_for(&self, phase: &str) -> bool {
        self.phases.as_ref().is_none_or(|phases| phases.iter().any(|name| name == phase))
    }
}

impl Plan {
    /// The criteria of a phase, by point, else in the order of the plan.
    pub fn criteria_of(&self, phase: &str) -> Vec<&CriterionPlan> {
        let mut found: Vec<_> = self.criteria.iter().filter(|one| one.is_for(phase)).collect();
        found.sort_by_key(|one| one.at);
        found
    }
}

/// Reads every `[[criterion]]` of a plan.
pub(super) fn read(
    plan: &Fields<'_>,
    phases: &[Phase],
    checks: &[CheckPlan],
    check_names: &[String],
    triggers: &[Trigger],
) -> Vec<CriterionPlan> {
    let mut criteria: Vec<CriterionPlan> = Vec::new();
    for (offset, table) in plan.tables("criterion") {
        let fields = Fields::new(table, offset, "`[[criterion]]`", CRITERION, plan.findings());
        let names: Vec<String> = phases.iter().map(|phase| phase.name.clone()).collect();
        let Some(one) = read_one(&fields, &names) else { continue };
        look_at_name(&fields, &one.name, "criterion", criteria.iter().map(|other| other.name.as_str()));
        look_at_checks(&fields, &one, checks, check_names);
        look_at_approval(&fields, &one, phases);
        if one.no_trigger && (triggers.is_empty() || one.at == CriterionPoint::CutOver) {
            let why =
                if triggers.is_empty() { "the plan has none" } else { "none can fire before the cutover" };
            let message = format!("`no_trigger` of `{}` would always hold: {why}", shown(&one.name));
            fields.find(
                "no_trigger",
                message,
                "take it out, or add a `[[trigger]]` and a point after the cutover",
            );
        }
        criteria.push(one);
    }
    criteria
}

fn read_one(fields: &Fields<'_>, phases: &[String]) -> Option<CriterionPlan> {
    let (name, at) = (fields.filled_text("name"), fields.text("at"));
    let at = at.and_then(|text| {
        let point = CriterionPoint::parse(&text);
        if point.is_none() {
            let near = advise(&text, ["cut-over", "live", "+1h", "+24h", "finish"].into_iter());
            fields.find("at", format!("unknown point `{}` of a criterion", shown(&text)), near);
        }
        point
    });
    let checks = fields.texts("checks").unwrap_or_default();
    let (approved, signed) = (fields.filled_text("approved"), fields.filled_text("signed"));
    let no_trigger = fields.flag("no_trigger").unwrap_or(false);
    let required = fields.flag("required").unwrap_or(false);
    let asks = !checks.is_empty() || fields.has("approved") || fields.has("signed") || no_trigger;
    if !asks {
        fields.findings().add(
            fields.offset(),
            "a criterion says nothing of who or what can tell",
            "name `checks`, `approved`, `no_trigger`, or who has `signed` it",
        );
    }
    let phases = read_phase_names(fields, phases, "the criterion would never be asked for");
    let hash = *blake3::hash(fields.canonical().as_bytes()).as_bytes();
    Some(CriterionPlan { name: name?, at: at?, checks, approved, no_trigger, signed, required, phases, hash })
}

/// Each check must be one of the plan's, and look at the point.
fn look_at_checks(fields: &Fields<'_>, one: &CriterionPlan, checks: &[CheckPlan], names: &[String]) {
    for name in &one.checks {
        if !names.contains(name) {
            let message = format!(
                "the criterion `{}` names the check `{}`, which is not in the plan",
                shown(&one.name),
                shown(name)
            );
            fields.find("checks", message, advise(name, names.iter().map(String::as_str)));
            continue;
        }
        let Some(check) = checks.iter().find(|check| &check.name == name) else { continue };
        let is_repeated = check.every.is_some_and(|every| one.at.last_time(every).is_some());
        if !is_repeated && !check.at.iter().any(|moment| one.at.counts(*moment)) {
            let wanted = match one.at {
                CriterionPoint::CutOver => "`staged` or `rehearsed`".to_owned(),
                CriterionPoint::Finish => "a point after `before`".to_owned(),
                at => format!("`{at}`"),
            };
            let message = format!(
                "the check `{}` never looks at {wanted}: `{}` could never hold",
                shown(name),
                shown(&one.name)
            );
            fields.find("checks", message, "add the point to the `at` of the check, or move the criterion");
        }
        let is_apart = |phase: &String| !check.is_for(phase);
        if let Some(phase) = one.phases.iter().flatten().find(|phase| is_apart(phase)) {
            let message =
                format!("the check `{}` is not carried out for the phase `{}`", shown(name), shown(phase));
            fields.find("checks", message, "add the phase to the `phases` of the check, or take it out here");
        }
    }
}

fn look_at_approval(fields: &Fields<'_>, one: &CriterionPlan, phases: &[Phase]) {
    let Some(role) = &one.approved else { return };
    for phase in phases.iter().filter(|phase| one.is_for(&phase.name)) {
        if !phase.approve.roles.contains(role) {
            let message = format!(
                "the phase `{}` asks nobody in the role `{}` for an approval",
                shown(&phase.name),
                shown(role)
            );
            fields.find(
                "approved",
                message,
                "name a role of its `approve`, or have the criterion `signed` by that role",
            );
            return;
        }
    }
}
