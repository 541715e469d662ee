//! Which approvals count: every vote looked at again, against the plan, the evidence and the trees as they are now.

use jiff::{SignedDuration, Timestamp};

use super::format::{APPROVAL_TYPE, Statement};
use super::relied::relied_on;
use super::who::signer;
use crate::journal::history::SignOff;
use crate::journal::{Binding, PhaseHistory, ReliedOn, Signed};
use crate::phase::evidence::EvidenceStore;
use crate::phase::project::Project;
use crate::plan::{Phase, Plan};
use crate::port::Signatures;
use crate::signature::PublicKey;
use crate::world::Disk;

/// A signature may be so much ahead of this machine's clock.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Everything that votes are judged by.
#[derive(Debug)]
pub struct Judge<'a> {
    /// The plan as it is now.
    pub plan: &'a Plan,
    /// What verifies signatures.
    pub(in crate::phase) signatures: &'a dyn Signatures,
    disk: &'a dyn Disk,
    evidence: EvidenceStore,
    /// Now.
    pub now: Timestamp,
}

impl<'a> Judge<'a> {
    /// For a project, at this moment.
    pub fn of(project: &'a Project) -> Self {
        Self {
            plan: &project.plan,
            signatures: project.ports.signatures.as_ref(),
            disk: project.ports.world.disk.as_ref(),
            evidence: EvidenceStore::new(project.state()),
            now: project.ports.world.clock.now(),
        }
    }
}

/// Something that is not what was approved any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// What it is: `the candidate`.
    pub what: String,
    /// Its hash as it was approved; of the tool, its name and version.
    pub approved: String,
    /// As it is now; empty where it is gone or damaged.
    pub now: String,
}

/// How a vote stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It counts.
    Counts,
    /// A refusal: it holds the phase.
    Holds,
    /// A refusal, after which this person approved in the same role.
    Withdrawn(String),
    /// A later word of the same person replaced it.
    Replaced,
    /// What it was about has changed.
    Void(Vec<Altered>),
    /// Its time is over since then.
    Expired(String),
    /// It does not count, for this reason.
    Invalid(String),
    /// The person counts in this other role already.
    Elsewhere(String),
}

/// One approval or refusal, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Position of the event.
    pub seq: u64,
    /// When it was written down.
    pub time: String,
    /// Who: a person of the plan, or `user@host`.
    pub who: String,
    /// What the key is called that signed it.
    pub key: Option<String>,
    /// Whether it is an approval.
    pub approved: bool,
    /// The reason of a refusal.
    pub why: String,
    /// Until when it counts; empty: until something changes.
    pub expires: String,
    /// What it is about.
    pub about: Option<Binding>,
    /// How it stands.
    pub standing: Standing,
    /// Whom the plan takes it for, where it lists the key.
    person: Option<String>,
    /// What makes another vote one of the same person.
    same: Vec<String>,
}

/// What was said in one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTally {
    /// The role.
    pub role: String,
    /// How many different persons must approve.
    pub needed: u64,
    /// Everything that was said about the present candidate, in order.
    pub votes: Vec<Vote>,
}

impl Standing {
    /// Whether it has a say: an approval that counts, or a refusal that holds.
    pub fn counts(&self) -> bool {
        matches!(self, Self::Counts | Self::Holds)
    }

    /// In a few words.
    pub fn words(&self) -> String {
        match self {
            Self::Counts => "it counts".to_owned(),
            Self::Holds => "it holds the phase".to_owned(),
            Self::Withdrawn(who) => format!("withdrawn: {who} approved in the same role after it"),
            Self::Replaced => "a later word of the same person replaced it".to_owned(),
            Self::Void(altered) => format!("void, because since then {} changed", names(altered)),
            Self::Expired(at) => format!("expired at {at}"),
            Self::Invalid(why) => format!("does not count: {why}"),
            Self::Elsewhere(role) => format!("the same person counts in the role `{role}` already"),
        }
    }
}

fn names(altered: &[Altered]) -> String {
    altered.iter().map(|one| one.what.as_str()).collect::<Vec<_>>().join(", ")
}

impl RoleTally {
    /// How many approvals count.
    pub fn have(&self) -> u64 {
        self.votes.iter().filter(|vote| vote.standing == Standing::Counts).count() as u64
    }

    /// How many different persons approved, whether that counts now or not.
    pub fn said(&self) -> usize {
        let is_said = |vote: &&Vote| {
            let is_none =
                matches!(vote.standing, Standing::Replaced | Standing::Invalid(_) | Standing::Elsewhere(_));
            vote.approved && !is_none
        };
        self.votes.iter().filter(is_said).count()
    }

    /// How many approvals are missing.
    pub fn missing(&self) -> u64 {
        self.needed.saturating_sub(self.have())
    }

    /// Whether somebody refused, and nobody approved in this role since.
    pub fn is_refused(&self) -> bool {
        self.votes.iter().any(|vote| vote.standing == Standing::Holds)
    }

    /// Whether nothing is missing.
    pub fn is_met(&self) -> bool {
        self.missing() == 0 && !self.is_refused()
    }

    /// Why approvals that there are do not count, and who refused.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.votes.iter().filter_map(Vote::problem).collect();
        for vote in self.votes.iter().filter(|vote| vote.standing == Standing::Counts) {
            let is_earlier = |one: &&Vote| one.standing == Standing::Replaced && one.is_same(vote);
            let again = self.votes.iter().filter(|one| one.approved).filter(is_earlier).count();
            if again > 0 && self.missing() > 0 {
                problems.push(format!("{} approved {} times and counts once", vote.who, again + 1));
            }
        }
        problems
    }

    /// Where it stands, in one line.
    pub fn reason(&self) -> String {
        let wanted = format!("role `{}`: {} of {} approvals", self.role, self.have(), self.needed);
        let problems = self.problems();
        if problems.is_empty() { wanted } else { format!("{wanted} ({})", problems.join("; ")) }
    }
}

impl Vote {
    fn is_same(&self, other: &Self) -> bool {
        self.same.iter().any(|token| other.same.contains(token))
    }

    fn problem(&self) -> Option<String> {
        let who = &self.who;
        match &self.standing {
            Standing::Counts | Standing::Withdrawn(_) | Standing::Replaced => None,
            Standing::Holds => Some(format!("{who} refused: {}", self.why)),
            Standing::Void(altered) => {
                Some(format!("the approval of {who} is void, because since then {} changed", names(altered)))
            }
            Standing::Expired(at) => Some(format!("the approval of {who} expired at {at}")),
            Standing::Invalid(why) => Some(format!("the approval of {who} does not count: {why}")),
            Standing::Elsewhere(role) => {
                Some(format!("{who} approved in the role `{role}`, and one person counts once"))
            }
        }
    }
}

/// Counts what was said in each role of a phase. `now`: what an approval has to be about.
pub fn tally(judge: &Judge<'_>, phase: &Phase, history: &PhaseHistory, now: &Binding) -> Vec<RoleTally> {
    let relied = relied_on(judge.plan, phase, history);
    let scene = Scene { judge, phase, history, now, relied };
    let mut tallies: Vec<RoleTally> = phase.approve.roles.iter().map(|role| scene.in_role(role)).collect();
    if !phase.approve.several_roles {
        count_once(&mut tallies);
    }
    tallies
}

/// One person who is known counts in one role: the one of the first vote that counts.
fn count_once(tallies: &mut [RoleTally]) {
    let mut counted: Vec<(u64, usize, String)> = Vec::new();
    for (at, tally) in tallies.iter().enumerate() {
        for vote in tally.votes.iter().filter(|vote| vote.standing == Standing::Counts) {
            counted.extend(vote.person.clone().map(|person| (vote.seq, at, person)));
        }
    }
    counted.sort();
    let mut home: Vec<(String, usize)> = Vec::new();
    for (seq, at, person) in counted {
        let first = home.iter().find(|(known, _)| *known == person).map(|(_, first)| *first);
        match first {
            Some(first) if first != at => {
                let role = tallies[first].role.clone();
                let vote = tallies[at].votes.iter_mut().find(|vote| vote.seq == seq);
                if let Some(vote) = vote {
                    vote.standing = Standing::Elsewhere(role);
                }
            }
            Some(_) => {}
            None => home.push((person, at)),
        }
    }
}

/// What the votes of one phase are looked at with.
struct Scene<'s> {
    judge: &'s Judge<'s>,
    phase: &'s Phase,
    history: &'s PhaseHistory,
    now: &'s Binding,
    relied: Vec<ReliedOn>,
}

impl Scene<'_> {
    fn in_role(&self, role: &str) -> RoleTally {
        let mut votes: Vec<Vote> = Vec::new();
        for sign_off in self.history.sign_offs.iter().filter(|sign_off| sign_off.role == role) {
            let vote = self.vote(sign_off);
            // What is not authentic changes nothing of what was said before.
            let is_authentic = !vote.same.is_empty();
            for earlier in votes.iter_mut().filter(|_| is_authentic) {
                let is_same = earlier.is_same(&vote);
                if vote.approved && earlier.standing == Standing::Holds {
                    earlier.standing = Standing::Withdrawn(vote.who.clone());
                } else if is_same && !matches!(earlier.standing, Standing::Withdrawn(_)) {
                    earlier.standing = Standing::Replaced;
                }
            }
            votes.push(vote);
        }
        RoleTally { role: role.to_owned(), needed: self.phase.approve.needed(role), votes }
    }

    fn vote(&self, sign_off: &SignOff) -> Vote {
        let actor = format!("actor {}", sign_off.actor);
        let mut vote = Vote {
            seq: sign_off.seq,
            time: sign_off.time.clone(),
            who: sign_off.actor.clone(),
            key: None,
            approved: sign_off.binding.is_some(),
            why: sign_off.why.clone(),
            expires: sign_off.expires.clone(),
            about: sign_off.binding.clone(),
            standing: Standing::Holds,
            person: None,
            same: vec![actor],
        };
        let Some(binding) = &sign_off.binding else { return vote };
        let is_keyed = self.judge.plan.is_keyed(&sign_off.role);
        match &sign_off.signed {
            Some(signed) => self.look_at_signed(sign_off, signed, is_keyed, &mut vote),
            None if is_keyed => {
                vote.same.clear();
                let why = "it is not signed, and the plan lists keys for this role";
                vote.standing = Standing::Invalid(why.to_owned());
            }
            None => {
                let times = (sign_off.time.as_str(), sign_off.expires.as_str());
                vote.standing = self.standing(binding, &sign_off.relied_on, times);
            }
        }
        vote
    }

    /// A vote that is signed is what its signature says, not what stands beside it.
    fn look_at_signed(&self, sign_off: &SignOff, signed: &Signed, is_keyed: bool, vote: &mut Vote) {
        match self.opened(sign_off, signed, is_keyed, vote) {
            Ok(statement) => {
                let expires = statement.expires_at.as_deref().unwrap_or_default();
                expires.clone_into(&mut vote.expires);
                let binding = statement.binding();
                vote.standing =
                    self.standing(&binding, &statement.relied_on, (statement.signed_at.as_str(), expires));
                vote.about = Some(binding);
            }
            Err(why) => {
                vote.same.clear();
                vote.person = None;
                vote.standing = Standing::Invalid(why);
            }
        }
    }

    /// The statement of an approval whose signature is good, by a key that may sign it, for this role of this candidate.
    fn opened(
        &self,
        sign_off: &SignOff,
        signed: &Signed,
        is_keyed: bool,
        vote: &mut Vote,
    ) -> Result<Statement, String> {
        let key = PublicKey::read(&signed.key).map_err(|why| format!("its key cannot be used: {why}"))?;
        let key_id = self.judge.signatures.key_id(&key);
        let person = self.judge.plan.approver_with(&key);
        vote.key = Some(key_id.clone());
        if let Some(person) = person {
            vote.who.clone_from(&person.name);
            vote.person = Some(person.name.clone());
        }
        signer(self.judge.plan, self.judge.signatures, &sign_off.role, &key)?;
        if is_keyed {
            // Whoever writes the journal down says nothing of who signed.
            vote.same.clear();
        } else {
            vote.same.push(format!("key {key_id}"));
        }
        vote.same.extend(person.map(|person| format!("person {}", person.name)));
        let envelope = signed.envelope.to_string();
        let opened = self.judge.signatures.verify(&envelope, APPROVAL_TYPE, std::slice::from_ref(&key));
        let opened = opened.map_err(|fault| fault.to_string())?;
        let statement = Statement::read(&opened.payload)
            .map_err(|why| format!("what is signed is no approval: {why}"))?;
        let transaction = self.history.staged.as_ref().map(|staged| staged.transaction.as_str());
        let parts = [
            (statement.project == self.judge.plan.project.name, "another project"),
            (statement.phase == self.phase.name, "another phase"),
            (statement.role == sign_off.role, "another role"),
            (Some(statement.transaction.as_str()) == transaction, "another candidate"),
            (person.is_none_or(|person| person.name == statement.person), "another person"),
        ];
        match parts.iter().find(|(is_same, _)| !is_same) {
            Some((_, what)) => Err(format!("it was signed for {what}")),
            None => Ok(statement),
        }
    }

    fn standing(&self, about: &Binding, relied: &[ReliedOn], (signed, expires): (&str, &str)) -> Standing {
        let mut altered = altered_binding(about, self.now);
        altered.extend(relied.iter().filter_map(|one| self.altered_evidence(one)));
        if !altered.is_empty() {
            return Standing::Void(altered);
        }
        let Ok(signed_at) = signed.parse::<Timestamp>() else {
            return Standing::Invalid(format!("its time is none: `{signed}`"));
        };
        if signed_at.duration_since(self.judge.now) > AHEAD_MAX {
            return Standing::Invalid(format!("its time has not come yet: {signed}"));
        }
        let mut ends: Option<Timestamp> = None;
        if !expires.is_empty() {
            let Ok(end) = expires.parse() else {
                return Standing::Invalid(format!("its end is no time: `{expires}`"));
            };
            ends = Some(end);
        }
        if let Some(valid_for_s) = self.phase.approve.valid_for_s {
            // Whoever signs cannot sign for longer than the plan says.
            let longest = SignedDuration::from_secs(i64::try_from(valid_for_s).unwrap_or(i64::MAX));
            let planned = signed_at.checked_add(longest).ok();
            ends = ends.into_iter().chain(planned).min();
        }
        match ends {
            Some(end) if self.judge.now >= end => Standing::Expired(end.to_string()),
            _ => Standing::Counts,
        }
    }

    /// What became of a piece of evidence: another look came since, or its report is not as it was stored.
    fn altered_evidence(&self, one: &ReliedOn) -> Option<Altered> {
        let is_it = |present: &&ReliedOn| present.check == one.check && present.at == one.at;
        let present = self.relied.iter().find(is_it);
        let altered = |now: String| Altered { what: one.words(), approved: one.evidence.clone(), now };
        match present {
            None => Some(altered(String::new())),
            Some(present) if present != one => Some(altered(present.evidence.clone())),
            Some(_) if one.evidence.is_empty() => None,
            Some(_) => {
                let read = self.judge.evidence.get(self.judge.disk, &one.evidence);
                read.is_err().then(|| altered(String::new()))
            }
        }
    }
}

/// What is different between what was approved and what is there, by name and with both hashes.
fn altered_binding(about: &Binding, now: &Binding) -> Vec<Altered> {
    let parts = [
        ("the plan", &about.plan, &now.plan),
        ("the live tree", &about.old_tree, &now.old_tree),
        ("the candidate", &about.new_tree, &now.new_tree),
        ("the inputs", &about.inputs, &now.inputs),
        ("the version of Switchback", &about.tool, &now.tool),
    ];
    let altered = |(what, approved, now): (&str, &String, &String)| Altered {
        what: what.to_owned(),
        approved: approved.clone(),
        now: now.clone(),
    };
    parts.into_iter().filter(|(_, approved, now)| approved != now).map(altered).collect()
}
