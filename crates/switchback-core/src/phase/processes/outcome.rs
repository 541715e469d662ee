//! What came of a process: whether it works, on which tree, for how long it was down, and whether its code is what is live.

use std::time::Duration;

use super::code::{Code, of_pid_file, of_user};
use super::{Failed, HandOver, Started};
use crate::journal::Event;
use crate::plan::Handover;
use crate::verdict::Verdict;

/// How long is waited between two looks at what a process has open.
const PAUSE: Duration = Duration::from_millis(50);

/// A process that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// Its name.
    pub process: String,
    /// How, as in the plan.
    pub handover: &'static str,
    /// *yes*: it works, and nothing says that it runs other code than what is live.
    pub verdict: Verdict,
    /// In words.
    pub summary: String,
    /// From the beginning of its stop until it was ready; nothing where it was not stopped.
    pub down_milliseconds: Option<u64>,
}

impl HandedOver {
    /// In one line, for people.
    pub fn line(&self) -> String {
        match self.verdict {
            Verdict::No => self.summary.clone(),
            Verdict::Yes | Verdict::Unknown => format!("process {}: {}", self.process, self.summary),
        }
    }
}

impl HandOver<'_> {
    pub(super) fn outcome(&self, at: usize, result: Result<Started, Failed>) -> HandedOver {
        let member = &self.members[at];
        let (verdict, summary, down_milliseconds) = match result {
            Err(failed) => (Verdict::No, failed.words(), None),
            Ok(started) => {
                let words = ready_words(&member.handover, started);
                // The `pid_file` says what runs now; of an instance beside it, it says nothing.
                let is_open =
                    member.process.pid_file.is_none() || matches!(member.handover, Handover::Parallel { .. });
                let doubt = member.doubt.as_ref().filter(|_| is_open);
                let (verdict, words) = doubt.map_or((Verdict::Yes, words.clone()), |doubt| {
                    let what =
                        "could not tell whether what ran before has ended, because it could not be stopped";
                    (Verdict::Unknown, format!("{words}; {what}: {doubt}"))
                });
                (verdict, words, started.down_milliseconds)
            }
        };
        let (process, handover) = (member.process.name.clone(), member.handover.word());
        HandedOver { process, handover, verdict, summary, down_milliseconds }
    }

    /// Looks whether what was started runs the code that is live.
    pub(super) fn look_at_code(&mut self, all: &mut [HandedOver]) {
        let has_survey = self.members.iter().any(|member| member.process.pid_file.is_none());
        let survey = has_survey.then(|| of_user(self.work));
        for (at, one) in all.iter_mut().enumerate() {
            if one.verdict == Verdict::No {
                continue;
            }
            let (verdict, summary) = match self.instance(at).pid_file(self.to) {
                Some(file) => match self.settled_code(at, &file) {
                    Code::Live(what) => (Verdict::Yes, what),
                    Code::Parked(what) => (Verdict::No, format!("{}: {what}", self.still_running())),
                    Code::Unknown(why) => (Verdict::Unknown, why),
                },
                None => match &survey {
                    Some(Code::Live(what)) => (Verdict::Yes, what.clone()),
                    Some(Code::Parked(what) | Code::Unknown(what)) => (Verdict::Unknown, what.clone()),
                    None => continue,
                },
            };
            self.take_code(at, verdict, &summary, one);
        }
    }

    /// Old workers may still be ending: looked at again for as long as the process may take to be ready.
    fn settled_code(&self, at: usize, file: &std::path::Path) -> Code {
        let within_s = self.members[at].process.ready.as_ref().map_or(0, |ready| ready.within_s);
        let end = self.now().saturating_add(Duration::from_secs(within_s));
        loop {
            let code = of_pid_file(self.work, file);
            if matches!(code, Code::Live(_)) || self.now() + PAUSE >= end {
                return code;
            }
            self.work.world().clock.sleep(PAUSE);
        }
    }

    fn still_running(&self) -> &'static str {
        if self.is_roll_back {
            "the code that was rolled back is still running"
        } else {
            "the old code is still running"
        }
    }

    fn take_code(&mut self, at: usize, verdict: Verdict, summary: &str, one: &mut HandedOver) {
        let process = self.members[at].process;
        self.tell(Event::ProcessChecked {
            phase: self.phase.clone(),
            transaction: self.transaction.clone(),
            process: process.name.clone(),
            verdict: verdict.word().to_owned(),
            summary: summary.to_owned(),
        });
        match verdict {
            Verdict::Yes => {}
            Verdict::No => {
                let failed = Failed { process: process.name.clone(), doing: "code", why: summary.to_owned() };
                self.tell_failed(&failed);
                one.verdict = Verdict::No;
                one.summary = failed.words();
            }
            Verdict::Unknown => {
                let advice = if process.pid_file.is_some() {
                    one.verdict = Verdict::Unknown;
                    ""
                } else {
                    "; a `pid_file` in the plan says which process is meant"
                };
                self.warn(format!(
                    "could not tell whether the process `{}` runs the code that is live: {summary}{advice}",
                    process.name
                ));
            }
        }
    }
}

fn ready_words(handover: &Handover, started: Started) -> String {
    let took = started.milliseconds;
    match (started.way, started.down_milliseconds) {
        ("kept", _) => "its instance went on working".to_owned(),
        ("reload", _) => format!("reloaded, ready after {took} ms"),
        (_, Some(down)) => format!("started, ready after {took} ms; down for {down} ms"),
        _ if matches!(handover, Handover::Parallel { .. }) => {
            format!("a new instance was ready after {took} ms, then the other one was drained")
        }
        _ => format!("started, ready after {took} ms"),
    }
}
