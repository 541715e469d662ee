//! Bringing messages to those who are told: each in order, with retries, and in the journal before and after.

use std::time::{Duration, SystemTime};

use super::mail::{Mail, MailFailure as Failure, Refusal};
use super::message::Message;
use crate::journal::{Event, ToldFact};
use crate::phase::{Notice, StepError, Work};
use crate::plan::{Channel, Form, Receiver, Turn};
use crate::report::incident_of;
use crate::world::{Command, HttpRequest};

/// How often a message is tried within one command, where its receiver could be reached before.
const TRIES_MAX: u32 = 3;
/// The pause before the second try; it doubles with each.
const PAUSE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: u64 = 4_096;

/// Tells everybody what happened since they were last told. Who cannot be reached is a warning, and is told by the next command:
/// nothing else waits for it. What somebody refuses for good is a warning, once, and is told again when its channel has changed.
///
/// # Errors
///
/// When the journal cannot be read or written.
pub fn deliver(work: &Work<'_>) -> Result<(), StepError> {
    if work.plan().receivers.is_empty() {
        return Ok(());
    }
    let records = work.records()?;
    // Whoever is new is told of this run, and not of those before.
    let began = records.iter().rev().find(|record| matches!(record.event, Event::RunStarted { .. }));
    let began = began.map_or(0, |record| record.seq.saturating_sub(1));
    // What is known of each is asked before anybody is told: who is told takes over what was written about its place.
    let receivers: Vec<(&Receiver, ToldFact)> =
        work.plan().receivers.iter().map(|receiver| (receiver, standing(work, receiver, began))).collect();
    for (receiver, told) in receivers {
        let hash = receiver.channel.hash();
        let untold = (0..records.len()).filter(|at| told.owes(records[*at].seq, &hash));
        let messages = untold
            .filter_map(|at| Message::of(work.plan(), &records, at))
            .filter(|message| receiver.wants(message));
        for mut message in messages {
            if message.turn == Turn::RollBack {
                message.incident = incident_of(work, &records, message.seq)?;
            }
            let Err(Failure { why, refusal, .. }) = tell(work, receiver, &message, &told)? else { continue };
            let (name, about) = (&receiver.name, message.seq);
            if refusal == Refusal::OfMessage {
                work.witness.notice(Notice::Warning(format!(
                    "`{name}` refuses the message about event {about} for good: {why}; it is told what follows, and this again once the \
                     plan says otherwise how it is told"
                )));
                continue;
            }
            let what = format!("`{name}` was not told of event {about}: {why}; the next command tries again");
            // Said once in a command, which may be a watch of days.
            if work.unreached().insert(receiver.known_as.clone()) {
                work.witness.notice(Notice::Warning(what));
            }
            break;
        }
    }
    Ok(())
}

/// What a receiver was told. One that is new is owed all behind the event `began`; where its address may have heard some of it under
/// another name, that is said with each.
fn standing(work: &Work<'_>, receiver: &Receiver, began: u64) -> ToldFact {
    let history = work.history();
    let told = &history.told;
    let doubt = || told.doubt(receiver.channel.way(), &receiver.channel.address());
    told.of(&receiver.known_as, &receiver.name).cloned().unwrap_or_else(|| ToldFact::new(began, doubt()))
}

impl Receiver {
    fn wants(&self, message: &Message) -> bool {
        message.severity >= self.severity && (self.on.is_empty() || self.on.contains(&message.turn))
    }
}

/// Tells one message; why it did not arrive, without secrets, when it did not.
fn tell(
    work: &Work<'_>,
    receiver: &Receiver,
    message: &Message,
    told: &ToldFact,
) -> Result<Result<(), Failure>, StepError> {
    let Receiver { name, known_as, .. } = receiver;
    work.record(Event::NotificationStarted {
        receiver: known_as.clone(),
        about: message.seq,
        name: if name == known_as { String::new() } else { name.clone() },
        address: receiver.channel.address(),
        doubt: (message.seq <= told.doubt).then_some(told.doubt),
    })?;
    // Who could not be reached a moment ago is asked once: a rollback, or the next look of a watch, is not kept waiting again.
    let tries_max = if work.unreached().contains(known_as) { 1 } else { TRIES_MAX };
    let (mut pause, mut tries, mut again) = (PAUSE, 1, told.may_repeat(message.seq));
    let outcome = loop {
        let outcome = sent(work, receiver, message, again);
        let Err(failure) = &outcome else { break outcome };
        // Nobody knows whether what got no answer arrived.
        again |= failure.may_have_arrived;
        if tries == tries_max || failure.refusal != Refusal::Passing {
            break outcome;
        }
        work.world().clock.sleep(pause);
        (pause, tries) = (pause * 2, tries + 1);
    };
    let outcome = outcome.map_err(|failure| Failure { why: work.redactor.clean(&failure.why), ..failure });
    let failure = outcome.as_ref().err();
    let is_refused = failure.is_some_and(|failure| failure.refusal == Refusal::OfMessage);
    if failure.is_none() || is_refused {
        work.unreached().remove(known_as);
    }
    work.record(Event::NotificationEnded {
        receiver: known_as.clone(),
        about: message.seq,
        delivered: failure.is_none(),
        may_have_arrived: failure.is_some() && again,
        why: failure.map(|failure| failure.why.clone()).unwrap_or_default(),
        refused: if is_refused { receiver.channel.hash() } else { String::new() },
    })?;
    Ok(outcome)
}

fn sent(work: &Work<'_>, receiver: &Receiver, message: &Message, again: bool) -> Result<(), Failure> {
    let line = work.redactor.clean(&message.line(again));
    let evidence = work.redactor.clean(&message.evidence_lines().join("\n"));
    let document = work.redactor.clean(&message.to_json(again).to_string());
    match &receiver.channel {
        Channel::Webhook { url, form } => {
            let url = filled(work, url).map_err(Failure::of_us)?;
            let body = match form {
                Form::Slack if evidence.is_empty() => serde_json::json!({ "text": line }).to_string(),
                Form::Slack => serde_json::json!({ "text": format!("{line}\n{evidence}") }).to_string(),
                Form::Json => document,
            };
            posted(work, &url, body)
        }
        Channel::Mail { to, from, server } => {
            let server = filled(work, server).map_err(Failure::of_us)?;
            let mail = mailed(message, again, to, from, |text| work.redactor.clean(&text))
                .map_err(Failure::of_us)?;
            work.project.ports.mailer.send(&server, &mail)
        }
        Channel::Command(command) => {
            let mut command = Command::shell(command, &work.project.root, TIMEOUT);
            command.variables = [
                ("SWITCHBACK_MESSAGE", line),
                ("SWITCHBACK_EVIDENCE", evidence),
                ("SWITCHBACK_NOTIFICATION", document),
                ("SWITCHBACK_SEVERITY", message.severity.word().to_owned()),
                ("SWITCHBACK_TURN", message.turn.word().to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
            let failed = |why: String| Failure { why, refusal: Refusal::Passing, may_have_arrived: true };
            let finished = work.world().processes.run(&command).map_err(|error| failed(error.to_string()))?;
            if finished.succeeded() {
                return Ok(());
            }
            let said = finished
                .last_line()
                .map_or_else(String::new, |line| format!(": {}", work.redactor.clean_output(&line)));
            Err(failed(format!("the command ended with {}{said}", finished.ending())))
        }
    }
}

/// A message as mail. Sent again, it has the same id.
fn mailed(
    message: &Message,
    again: bool,
    to: &[String],
    from: &str,
    clean: impl Fn(String) -> String,
) -> Result<Mail, String> {
    let Message { seq, time, actor, project, phase, .. } = message;
    let line = message.line(again);
    let about = if phase.is_empty() { String::new() } else { format!("phase    {phase}\n") };
    let mut evidence = String::new();
    for line in message.evidence_lines() {
        evidence.extend(["seen     ", &line, "\n"]);
    }
    let body =
        format!("{line}\n\nproject  {project}\n{about}event    {seq}, {time}\nby       {actor}\n{evidence}");
    let told = format!("{project}\n{time}\n{actor}");
    let id = format!("{seq}.{}@switchback.invalid", blake3::hash(told.as_bytes()).to_hex());
    let at = time.parse::<jiff::Timestamp>().map_err(|error| format!("event {seq} has no time: {error}"))?;
    let [subject, body] = [line, body].map(clean);
    Ok(Mail { from: from.to_owned(), to: to.to_vec(), subject, body, id, time: SystemTime::from(at) })
}

/// What a status that is no success is about (RFC 9110, 15.5; RFC 6585). One that could be about either stops what follows: what is owed
/// is not lost.
fn refusal_of(status: u16) -> Refusal {
    match status {
        // It cannot be understood, conflicts, is too large, of a kind that is not taken, or says what cannot be.
        400 | 409 | 413 | 415 | 422 => Refusal::OfMessage,
        408 | 425 | 429 => Refusal::Passing,
        300..500 => Refusal::OfReceiver,
        _ => Refusal::Passing,
    }
}

fn posted(work: &Work<'_>, url: &str, body: String) -> Result<(), Failure> {
    let request = HttpRequest {
        url: url.to_owned(),
        method: "POST".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(body.into_bytes()),
        timeout: TIMEOUT,
        body_bytes_max: ANSWER_BYTES_MAX,
        is_direct: false,
    };
    // The address of a webhook is a secret, and errors of the network quote it.
    let hidden = |text: String| text.replace(url, "***");
    match work.world().network.ask(&request) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        // Who sends elsewhere did not take it; what is there was not asked, and may be a page that takes nothing.
        Ok(answer) if (300..400).contains(&answer.status) => {
            let place =
                answer.points_to().map_or_else(|| "elsewhere".to_owned(), |host| format!("to `{host}`"));
            let why = format!(
                "it answers with status {}, which points {place}: correct its address",
                answer.status
            );
            Err(Failure::of_us(hidden(why)))
        }
        Ok(answer) => Err(Failure {
            why: format!("it answers with status {}", answer.status),
            refusal: refusal_of(answer.status),
            may_have_arrived: false,
        }),
        Err(error) => {
            Err(Failure { why: hidden(error.to_string()), refusal: Refusal::Passing, may_have_arrived: true })
        }
    }
}

/// An address with its variables filled in.
fn filled(work: &Work<'_>, text: &str) -> Result<String, String> {
    work.world().surroundings.filled(text).map_err(|why| format!("{why}, in the address"))
}
