//! Where each step stands: the folder held against what the database says of itself. No input, no output.

use super::record::{Record, State};
use super::step::{Role, Step};

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is in the folder, and not in the database.
    Pending,
    /// It is in the database.
    Deployed,
    /// Its deploy was begun and never ended.
    HalfDeployed,
    /// Its revert was begun and never ended.
    HalfReverted,
    /// It is in the database, and not in the folder: it was taken out of it, or came from another one.
    Missing,
    /// It is not in the database, and comes before one that is.
    Late,
}

impl Standing {
    /// The word for it in the document.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deployed => "deployed",
            Self::HalfDeployed => "half-deployed",
            Self::HalfReverted => "half-reverted",
            Self::Missing => "missing",
            Self::Late => "late",
        }
    }
}

/// A step, as the folder and the database know it; one of them may not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stood {
    pub(super) name: String,
    pub(super) number: u64,
    pub(super) standing: Standing,
    pub(super) step: Option<Step>,
    pub(super) record: Option<Record>,
    /// Scripts that are not what they were when it was deployed.
    pub(super) changed: Vec<Role>,
}

/// All steps of both, in their order.
pub(super) fn stand(steps: &[Step], records: &[Record]) -> Vec<Stood> {
    let last = records.iter().map(|record| (record.number, record.step.as_str())).max();
    let mut all: Vec<Stood> = steps
        .iter()
        .map(|step| {
            let record = records.iter().find(|record| record.step == step.name);
            let is_late = last.is_some_and(|last| (step.number, step.name.as_str()) < last);
            Stood {
                name: step.name.clone(),
                number: step.number,
                standing: match record.map(|record| record.state) {
                    Some(State::Deployed) => Standing::Deployed,
                    Some(State::Deploying) => Standing::HalfDeployed,
                    Some(State::Reverting) => Standing::HalfReverted,
                    None if is_late => Standing::Late,
                    None => Standing::Pending,
                },
                step: Some(step.clone()),
                record: record.cloned(),
                changed: record.map(|record| record.changed(step)).unwrap_or_default(),
            }
        })
        .collect();
    let is_gone = |record: &&Record| !steps.iter().any(|step| step.name == record.step);
    all.extend(records.iter().filter(is_gone).map(|record| Stood {
        name: record.step.clone(),
        number: record.number,
        standing: Standing::Missing,
        step: None,
        record: Some(record.clone()),
        changed: Vec::new(),
    }));
    all.sort_by(|one, other| (one.number, &one.name).cmp(&(other.number, &other.name)));
    all
}

/// Why nothing may be deployed or reverted as folder and database stand; empty when all is well. `accepts_changed`: a `verify` or
/// `revert` script may be another one than at the deploy.
pub(super) fn refusals(all: &[Stood], accepts_changed: bool) -> Vec<String> {
    let mut refusals = Vec::new();
    for one in all {
        let name = &one.name;
        match one.standing {
            Standing::Missing => refusals.push(format!("step `{name}` was deployed, and is not in this folder")),
            Standing::Late => refusals.push(format!(
                "step `{name}` was not deployed, and comes before one that was: give it a number behind all of those"
            )),
            Standing::Pending | Standing::Deployed | Standing::HalfDeployed | Standing::HalfReverted => {}
        }
        for role in &one.changed {
            if *role == Role::Deploy || !accepts_changed {
                refusals.push(format!(
                    "the {} script of step `{name}` was changed after it was deployed",
                    role.word()
                ));
            }
        }
    }
    refusals
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;

    use super::super::exception::Exceptions;
    use super::super::step::{Script, Work};
    use super::*;

    fn script(hash: &str) -> Script {
        Script {
            path: PathBuf::from("x"),
            hash: hash.to_owned(),
            work: Work::Sql(Vec::new()),
            in_transaction: true,
            is_repeatable: false,
        }
    }

    fn step(number: u64) -> Step {
        Step {
            name: format!("{number:04}_x"),
            number,
            deploy: script("d"),
            verify: Some(script("v")),
            revert: Some(script("r")),
            exceptions: Exceptions::default(),
        }
    }

    fn record(number: u64, state: State) -> Record {
        Record::of(&step(number), state, "2026-01-01T00:00:00Z", "a@b")
    }

    fn told(steps: &[Step], records: &[Record]) -> String {
        stand(steps, records).iter().map(|one| one.standing.word()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_step_of_either_side_stands_somewhere() {
        let steps = [step(1), step(2), step(3)];
        assert_eq!(told(&steps, &[]), "pending pending pending");
        assert_eq!(told(&steps, &[record(1, State::Deployed)]), "deployed pending pending");
        assert_eq!(
            told(&steps, &[record(1, State::Deployed), record(2, State::Deploying)]),
            "deployed half-deployed pending"
        );
        assert_eq!(told(&steps, &[record(2, State::Reverting)]), "late half-reverted pending");
        assert_eq!(
            told(&steps[..1], &[record(1, State::Deployed), record(9, State::Deployed)]),
            "deployed missing"
        );
    }

    #[test]
    fn what_is_not_what_it_was_is_refused() {
        let refused = |steps: &[Step], records: &[Record], accepts| refusals(&stand(steps, records), accepts);
        let deployed = [record(1, State::Deployed), record(2, State::Deployed)];
        assert_eq!(refused(&[step(1), step(2), step(3)], &deployed, false), Vec::<String>::new());
        assert_eq!(refused(&[step(1)], &deployed, false).len(), 1, "a step is gone");
        assert_eq!(refused(&[step(1), step(2)], &deployed[1..], false).len(), 1, "a step was inserted");
        let mut other = step(2);
        other.revert = Some(script("other"));
        assert_eq!(refused(&[step(1), other.clone()], &deployed, false).len(), 1);
        assert_eq!(refused(&[step(1), other.clone()], &deployed, true).len(), 0);
        other.deploy = script("other");
        assert_eq!(refused(&[step(1), other], &deployed, true).len(), 1, "a deploy is never another one");
    }
}
