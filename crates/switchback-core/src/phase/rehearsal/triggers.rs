//! Whether each trigger would have fired: in a copy of its own the candidate is brought in, looked at, broken as the plan says,
//! and looked at again, as often as the trigger needs and through the eyes of its own check.
//!
//! Every trigger has a copy for itself: what one breaks, no other one sees.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::Finding;
use super::environment::{self, Surroundings};
use super::ground::{Ground, altered, differences_around, few};
use crate::check::Looked;
use crate::journal::history::{CheckFact, PhaseHistory, StagedFact};
use crate::journal::{Binding, RehearsedTrigger};
use crate::phase::error::{StepError, with_causes};
use crate::phase::layout;
use crate::phase::look::{Place, see_in};
use crate::phase::project::Work;
use crate::phase::watch::{compared, holds, is_worse, without_multiple};
use crate::plan::{Breakage, CheckPlan, Damage, Moment, Phase, STATE_FOLDER, Trigger};
use crate::tree::copy::{make_directories, remove_tree};
use crate::tree::{Seen, walk};
use crate::verdict::Verdict;
use crate::world::{Command, FileKind};

/// A larger file is not damaged.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// The mode of a file that a breakage makes.
const FILE_MODE: u32 = 0o644;
/// Outcomes of these looks stand where those of a live tree do, so that the very code of the watch judges them.
const AT: &str = "live";

/// What came of one trigger.
#[derive(Debug)]
pub(super) struct Answer {
    /// As in the plan.
    title: String,
    /// What the journal says of it.
    pub(super) told: RehearsedTrigger,
    verdict: Verdict,
    /// What the breakage changed in the copy.
    broken: Vec<String>,
    /// What its check said of the whole copy, and of the broken one, look by look.
    looks: [Vec<(Verdict, String)>; 2],
}

impl Answer {
    /// What keeps the phase from going live; `None`: the trigger would have fired, and on the broken copy alone.
    pub(super) fn finding(&self) -> Option<Finding> {
        let what = format!("{}: {}", self.title, self.told.summary);
        (self.verdict != Verdict::Yes).then_some(Finding { verdict: self.verdict, what })
    }

    /// As evidence.
    pub(super) fn to_json(&self) -> Value {
        let looks = |looks: &[(Verdict, String)]| -> Value {
            looks
                .iter()
                .map(|(verdict, summary)| json!({"verdict": verdict.word(), "summary": summary}))
                .collect()
        };
        json!({
            "check": self.told.check,
            "action": self.told.action,
            "when": self.told.when,
            "verdict": self.told.verdict,
            "what": self.told.summary,
            "broken": self.broken,
            "whole_copy": looks(&self.looks[0]),
            "broken_copy": looks(&self.looks[1]),
        })
    }
}

/// Rehearses the triggers of a phase for which the plan says how a copy is broken. `is_sound`: the candidate went in and out
/// as it should; else nothing can be said of a trigger.
pub(super) fn rehearse_triggers(
    work: &Work<'_>,
    phase: &Phase,
    staged: &StagedFact,
    folder: &Path,
    is_sound: bool,
) -> Result<Vec<Answer>, StepError> {
    let mut answers = Vec::new();
    for (number, (trigger, check)) in work.plan().triggers_of(&phase.name).enumerate() {
        let Some(breakage) = &trigger.rehearse else { continue };
        let title = trigger.title();
        let mut one = Trial { work, phase, trigger, check, broken: Vec::new(), looks: Default::default() };
        let (verdict, summary) = if is_sound {
            work.began(&phase.name, format!("rehearsal: {title}"));
            let own = folder.join(format!("trigger-{number}"));
            let seen = one.carry_out(staged, breakage, &own);
            remove_tree(work.world().disk.as_ref(), &own)?;
            seen?
        } else {
            (
                Verdict::Unknown,
                "it was not rehearsed, because the candidate does not go in and out as it should".to_owned(),
            )
        };
        let told = RehearsedTrigger {
            check: check.name.clone(),
            action: trigger.action.word().to_owned(),
            when: trigger.condition.words(),
            verdict: verdict.word().to_owned(),
            summary: work.redactor.clean(&summary),
        };
        answers.push(Answer { title, told, verdict, broken: one.broken, looks: one.looks });
    }
    Ok(answers)
}

/// The triggers of a phase for which the plan does not say how a copy is broken.
pub(super) fn unrehearsed(work: &Work<'_>, phase: &Phase) -> Vec<String> {
    let triggers = work.plan().triggers_of(&phase.name).filter(|(trigger, _)| trigger.rehearse.is_none());
    triggers.map(|(trigger, _)| trigger.title()).collect()
}

/// What was said of the triggers, in words to follow what was said of the undo; empty when there is none.
pub(super) fn told(answers: &[Answer], unrehearsed: &[String]) -> String {
    let fired: Vec<String> = answers.iter().map(|answer| answer.title.clone()).collect();
    let mut told = String::new();
    if let Some(named) = few(&fired) {
        told.push_str("; would have fired on a broken copy, and not on the whole one: ");
        told.push_str(&named);
    }
    if let Some(named) = few(unrehearsed) {
        told.push_str("; not rehearsed, because the plan does not say how it breaks: ");
        told.push_str(&named);
    }
    told
}

/// What the looks at one copy come to.
enum Row {
    /// The trigger fires.
    Fires(String),
    /// It does not, because of this.
    Rests(String),
    /// Nobody could tell.
    Unknown(String),
}

/// One trigger at work.
struct Trial<'a> {
    work: &'a Work<'a>,
    phase: &'a Phase,
    trigger: &'a Trigger,
    check: &'a CheckPlan,
    broken: Vec<String>,
    looks: [Vec<(Verdict, String)>; 2],
}

impl Trial<'_> {
    fn carry_out(
        &mut self,
        staged: &StagedFact,
        breakage: &Breakage,
        folder: &Path,
    ) -> Result<(Verdict, String), StepError> {
        let ground = Ground::lay(self.work, self.phase, staged, folder)?;
        if let Err(error) = ground.forward() {
            let why = format!("the candidate could not be brought in: {error}");
            return Ok((Verdict::Unknown, why));
        }
        let mut last = None;
        let beside = match self.row(&ground, &folder.join("whole"), 0, &mut last)? {
            Row::Fires(why) => {
                let why = format!("it fires on the copy that is not broken: {why}");
                return Ok((Verdict::No, why));
            }
            Row::Rests(_) => String::new(),
            // What could not be told fires nothing. Whether there is anything to be seen at all, the broken copy shows.
            Row::Unknown(why) => format!("; on the whole copy its check could not tell: {why}"),
        };
        if let Err(why) = self.break_copy(&ground, breakage)? {
            return Ok((Verdict::Unknown, format!("the copy could not be broken: {why}")));
        }
        Ok(match self.row(&ground, &folder.join("broken"), 1, &mut last)? {
            Row::Fires(why) => (Verdict::Yes, format!("it would have fired: {why}{beside}")),
            Row::Rests(why) => {
                (Verdict::No, format!("it would not have fired on the broken copy: {why}{beside}"))
            }
            Row::Unknown(why) => {
                (Verdict::Unknown, format!("whether it would have fired could not be told: {why}{beside}"))
            }
        })
    }

    /// Looks at the copy until the trigger fires, or its row ends. `last` is what its check found when it last looked.
    fn row(
        &mut self,
        ground: &Ground<'_>,
        folder: &Path,
        copy: usize,
        last: &mut Option<Value>,
    ) -> Result<Row, StepError> {
        let disk = self.work.world().disk.as_ref();
        make_directories(disk, ground.folder(), folder)?;
        let variables = match environment::prepare(self.work, self.phase, ground.root(), folder)? {
            Surroundings::Ready(variables) => variables,
            Surroundings::Refused(findings) => {
                let why = findings.into_iter().next().map_or_else(String::new, |finding| finding.what);
                return Ok(Row::Unknown(why));
            }
        };
        let there = ground.managed()?;
        let is_altered = || -> Result<Option<String>, StepError> { Ok(altered(&there, &ground.managed()?)) };
        let mut history = self.before();
        for number in 0..self.trigger.condition.in_a_row {
            let place = Place {
                tree: ground.root(),
                variables: &variables,
                altered: &is_altered,
                last: last.as_ref(),
                by_hand: false,
            };
            let looked = match see_in(self.work, self.phase, Moment::Rehearsed, &[self.check], &place) {
                Ok(looked) => looked.into_iter().next(),
                Err(error) => return Ok(Row::Unknown(with_causes(&error))),
            };
            let Some(looked) = looked else { return Ok(Row::Unknown("it was not carried out".to_owned())) };
            self.looks[copy].push((looked.verdict, looked.summary.clone()));
            let fact = fact(self.check, number, &looked);
            *last = Some(looked.details);
            let baseline = history.checks.iter().rev().find(|fact| fact.at == "before");
            match is_worse(&self.trigger.condition, &fact, baseline) {
                None => return Ok(Row::Unknown(self.untold(&fact, baseline))),
                Some(false) => return Ok(Row::Rests(self.rests(&fact, baseline))),
                Some(true) => {}
            }
            history.checks.push(fact);
        }
        Ok(match (holds(self.trigger, &history), history.checks.pop()) {
            (Some(_), Some(fact)) => Row::Fires(match self.trigger.condition.in_a_row {
                1 => fact.summary,
                times => format!("{times} times in a row, {}", fact.summary),
            }),
            _ => Row::Rests("its condition does not hold".to_owned()),
        })
    }

    /// The phase as it would be right after the cutover: with what its check saw before, and nothing else.
    fn before(&self) -> PhaseHistory {
        let history = self.work.history();
        let known = history.phase(&self.phase.name);
        let mut history = known.cloned().unwrap_or_else(|| PhaseHistory::new(&self.phase.name));
        history.checks.retain(|fact| fact.check == self.check.name && fact.at == "before");
        history
    }

    /// Why an outcome says nothing.
    fn untold(&self, fact: &CheckFact, baseline: Option<&CheckFact>) -> String {
        if fact.verdict == Verdict::Unknown {
            return fact.summary.clone();
        }
        if let Some(why) = without_multiple(&self.trigger.condition, baseline) {
            return why;
        }
        let samples =
            fact.samples.map_or_else(|| "none that it counts".to_owned(), |samples| samples.to_string());
        let least = self.trigger.condition.least_samples.unwrap_or_default();
        format!("it rests on too few samples ({samples}, and {least} are asked for): {}", fact.summary)
    }

    /// Why an outcome does not count.
    fn rests(&self, fact: &CheckFact, baseline: Option<&CheckFact>) -> String {
        let condition = &self.trigger.condition;
        let summary = &fact.summary;
        if condition.is_compared() && baseline.and_then(|before| before.measure).is_none() {
            return format!("{summary}; its check measured nothing at `before`");
        }
        format!("{summary}{}", compared(condition, fact, baseline))
    }

    /// Breaks the copy, and looks whether that changed anything in it; why it could not be broken, where it could not.
    fn break_copy(
        &mut self,
        ground: &Ground<'_>,
        breakage: &Breakage,
    ) -> Result<Result<(), String>, StepError> {
        let before = self.entries(ground)?;
        let done = match breakage {
            Breakage::Command(line) => self.run(ground, line),
            Breakage::File(path, damage) => self.damage(ground, path, damage)?,
        };
        if done.is_err() {
            return Ok(done);
        }
        self.broken = differences_around(&before, &self.entries(ground)?);
        let is_broken = !self.broken.is_empty();
        Ok(is_broken.then_some(()).ok_or_else(|| "nothing in it changed".to_owned()))
    }

    /// Everything in the copy but what is ours.
    fn entries(&self, ground: &Ground<'_>) -> Result<Vec<Seen>, StepError> {
        let managed = ground.managed()?;
        let mut entries = walk(self.work.world().disk.as_ref(), ground.root(), &[PathBuf::new()])?;
        let is_ours = |path: &Path| path.starts_with(STATE_FOLDER);
        // Where managed paths are links, what they lead to stands among what is ours.
        let paths: Vec<&Path> = entries.iter().map(|seen| seen.path.as_path()).collect();
        let more: Vec<Seen> =
            managed.into_iter().filter(|seen| paths.binary_search(&seen.path.as_path()).is_err()).collect();
        entries.retain(|seen| !is_ours(&seen.path));
        entries.extend(more);
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn run(&self, ground: &Ground<'_>, line: &str) -> Result<(), String> {
        let Some(confinement) = self.work.project.confinement() else {
            return Err(
                "this system cannot keep its command from the live project; name a `file` instead".to_owned()
            );
        };
        let timeout = Duration::from_secs(self.work.plan().rehearsal.timeout_s);
        let command =
            Command { confinement: Some(confinement), ..Command::shell(line, ground.root(), timeout) };
        let finished = self.work.world().processes.run(&command).map_err(|error| error.to_string())?;
        if finished.succeeded() {
            return Ok(());
        }
        let words = finished.last_line().map_or_else(String::new, |line| format!(": {line}"));
        Err(format!("its command did not succeed: {}{words}", finished.ending()))
    }

    /// Damages one file of the copy, which no link leads out of.
    fn damage(
        &self,
        ground: &Ground<'_>,
        path: &Path,
        damage: &Damage,
    ) -> Result<Result<(), String>, StepError> {
        let disk = self.work.world().disk.as_ref();
        let name = path.display();
        let managed = &self.work.plan().project.managed;
        let is_managed = managed.iter().any(|managed| path.starts_with(&managed.path));
        let base = if is_managed {
            layout::live_base(disk, ground.root(), managed)?
        } else {
            ground.root().to_owned()
        };
        let mut folder = base.clone();
        for part in path.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            let is_folder = disk.look(&folder)?.is_some_and(|meta| meta.kind == FileKind::Directory);
            if !is_folder {
                return Ok(Err(format!("there is no folder for `{name}` in it that no link leads out of")));
            }
        }
        let file = base.join(path);
        let meta = disk.look(&file)?;
        let content = match (&meta, damage) {
            (Some(meta), _) if meta.kind != FileKind::File => return Ok(Err(format!("`{name}` is no file"))),
            (None, Damage::Append(_) | Damage::Remove) => return Ok(Err(format!("it has no file `{name}`"))),
            (_, Damage::Remove) => return Ok(Ok(disk.remove_file(&file)?)),
            (_, Damage::Write(text)) => text.clone().into_bytes(),
            (_, Damage::Append(text)) => {
                let mut content = disk.read(&file, FILE_BYTES_MAX)?;
                content.extend_from_slice(text.as_bytes());
                content
            }
        };
        // Another name of the file keeps what is in it.
        if meta.is_some() {
            disk.remove_file(&file)?;
        }
        disk.write_new(&file, meta.map_or(FILE_MODE, |meta| meta.mode), &mut content.as_slice())?;
        Ok(Ok(()))
    }
}

/// An outcome, as the journal would tell it: the first one right after the cutover, each at a time of its own.
fn fact(check: &CheckPlan, number: u64, looked: &Looked) -> CheckFact {
    CheckFact {
        check: check.name.clone(),
        at: if number == 0 { AT.to_owned() } else { format!("+{number}s") },
        verdict: looked.verdict,
        summary: looked.summary.clone(),
        evidence: String::new(),
        time: String::new(),
        milliseconds: 0,
        measure: looked.measure,
        samples: looked.samples,
        by_hand: false,
        binding: Binding::default(),
        seq: 0,
    }
}
