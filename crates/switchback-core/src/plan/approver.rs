//! Who signs off: the roles that a phase asks for, and the persons who have them, with their public keys.

use std::collections::BTreeMap;

use super::Phase;
use super::fields::{Fields, WholeOrNamed, advise, shown};
use super::key::{Key, Shape};
use super::moment::Moment;
use crate::signature::PublicKey;

/// Who must approve a phase before it goes live. No role: nobody is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approve {
    /// Roles.
    pub roles: Vec<String>,
    /// How many different persons of each role.
    pub each: u64,
    /// How many of single roles, where that is another number.
    pub each_of: BTreeMap<String, u64>,
    /// An approval counts for so many seconds; `None`: until something changes.
    pub valid_for_s: Option<u64>,
    /// Whether a person whom the plan lists may approve in several of the roles.
    pub several_roles: bool,
}

impl Approve {
    /// How many different persons of a role must approve.
    pub fn needed(&self, role: &str) -> u64 {
        self.each_of.get(role).copied().unwrap_or(self.each)
    }
}

/// A person who may approve, and is known by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// What the person is called.
    pub name: String,
    /// The roles that the person has.
    pub roles: Vec<String>,
    /// The person's keys, at least one.
    pub keys: Vec<PublicKey>,
}

impl Approver {
    /// Whether the person has a role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }
}

/// The keys of `approve` in a `[[phase]]`.
pub(super) const APPROVE: &[Key] = &[
    Key::required("roles", Shape::Texts, "who must approve"),
    Key::optional(
        "each",
        Shape::WholeOrNamed,
        "how many different persons of each role, or of single ones: `{ risk = 2 }`; 1 when left out",
    ),
    Key::optional(
        "valid_for",
        Shape::Text,
        "how long an approval counts, e.g. `24h`; until something changes when left out",
    ),
    Key::optional(
        "several_roles",
        Shape::Flag,
        "`true`: one person may approve in several of these roles; `false` when left out",
    ),
];

/// The keys of `[[approver]]`.
pub(super) const APPROVER: &[Key] = &[
    Key::required("name", Shape::Text, "what the person is called in approvals and reports"),
    Key::required("roles", Shape::Texts, "the roles that the person has"),
    Key::required("keys", Shape::Texts, "the person's public keys: `ssh-ed25519 AAAA…`"),
];

/// Reads `approve` of a `[[phase]]`.
pub(super) fn read_approve(fields: &Fields<'_>) -> Approve {
    let roles = fields.texts("roles");
    if roles.as_ref().is_some_and(|roles| roles.iter().all(|role| role.trim().is_empty())) {
        fields.find("roles", "`roles` names nobody", "name at least one role, or take `approve` out");
    }
    let roles = roles.unwrap_or_default();
    let (each, named) = match fields.whole_or_named("each") {
        Some(WholeOrNamed::Whole(each)) => (Some(each), Vec::new()),
        Some(WholeOrNamed::Named(named)) => (None, named),
        None => (None, Vec::new()),
    };
    if each == Some(0) || named.iter().any(|(_, _, number)| *number == 0) {
        fields.find("each", "`each` cannot be 0", "use 1 or more, or take `approve` out");
    }
    for (offset, role, _) in &named {
        if !roles.contains(role) {
            let message = format!("`each` counts the role `{}`, which is not in `roles`", shown(role));
            fields.findings().add(*offset, message, advise(role, roles.iter().map(String::as_str)));
        }
    }
    let valid_for_s = fields.text("valid_for").and_then(|text| {
        let delay = Moment::parse(&format!("+{text}")).and_then(Moment::delay_s);
        if delay.is_none() {
            let message = format!("`valid_for` cannot be `{}`", shown(&text));
            fields.find("valid_for", message, "write a time such as `90m`, `24h` or `7d`, of at most a year");
        }
        delay
    });
    let several_roles = fields.flag("several_roles").unwrap_or(false);
    let each_of = named.into_iter().map(|(_, role, number)| (role, number)).collect();
    Approve { roles, each: each.unwrap_or(1), each_of, valid_for_s, several_roles }
}

/// Reads one `[[approver]]`, where `others` were read before. `asked`: every role that a phase or a criterion asks for.
pub(super) fn read(fields: &Fields<'_>, asked: &[&str], others: &[Approver]) -> Option<Approver> {
    let name = fields.filled_text("name");
    let roles = fields.placed_texts("roles").unwrap_or_default();
    if roles.is_empty() && fields.is_empty_list("roles") {
        fields.find("roles", "an approver without a role approves nothing", "name a role of a phase");
    }
    for (offset, role) in roles.iter().filter(|(_, role)| !asked.contains(&role.as_str())) {
        let message = format!("no phase and no criterion asks for the role `{}`", shown(role));
        let help = if asked.is_empty() {
            "let a phase ask for it: `approve = { roles = […] }`".to_owned()
        } else {
            advise(role, asked.iter().copied())
        };
        fields.findings().add(*offset, message, help);
    }
    if fields.is_empty_list("keys") {
        fields.find("keys", "an approver without a key cannot be told from others", "name a public key");
    }
    let mut keys: Vec<PublicKey> = Vec::new();
    for (offset, text) in fields.placed_texts("keys").unwrap_or_default() {
        let key = match PublicKey::read(&text) {
            Ok(key) => key,
            Err(why) => {
                let help =
                    "copy the line of the file that `ssh-keygen -t ed25519` wrote, the one ending in `.pub`";
                fields.findings().add(offset, format!("this is no key that can be used: {why}"), help);
                continue;
            }
        };
        if let Some(other) = others.iter().find(|other| other.keys.contains(&key)) {
            let message = format!("this key is that of `{}` already", shown(&other.name));
            fields.findings().add(offset, message, "a key belongs to one person: give each their own");
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let roles = roles.into_iter().map(|(_, role)| role).collect();
    Some(Approver { name: name?, roles, keys })
}

/// Where a role has persons, there have to be as many as are asked for: else the phase could never go live.
pub(super) fn look_at_quorum(plan: &Fields<'_>, phases: &[Phase], approvers: &[Approver]) {
    for phase in phases {
        for role in &phase.approve.roles {
            let persons = approvers.iter().filter(|approver| approver.has(role)).count() as u64;
            let needed = phase.approve.needed(role);
            if (1..needed).contains(&persons) {
                let have =
                    if persons == 1 { "1 person has".to_owned() } else { format!("{persons} persons have") };
                plan.find(
                    "approver",
                    format!(
                        "the phase `{}` needs {needed} approvals of the role `{}`, and {have} it",
                        phase.name,
                        shown(role)
                    ),
                    "add an `[[approver]]` with that role, or ask for fewer",
                );
            }
        }
    }
}
