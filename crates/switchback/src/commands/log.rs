//! `switchback log` and `switchback log verify`.

use std::time::Duration;

use serde_json::{Value, json as value};
use switchback_core::journal::store::Row;
use switchback_core::journal::{Event, Journal, Record, verify};
use switchback_core::phase::approval::look_at_signatures;
use switchback_core::phase::{StepError, Untold, open_to_tell};
use switchback_core::plan::STATE_FOLDER;
use switchback_core::quantity::counted;
use switchback_core::report::json;
use switchback_core::verdict::Verdict;

use super::Context;
use crate::cli::{LogAction, LogArgs};
use crate::failure::Failure;

const FOLLOW_PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn log(context: &Context<'_>, args: &LogArgs) -> Result<Verdict, Failure> {
    let journal = open(context)?;
    match args.action {
        Some(LogAction::Verify) => verify_chain(context, &journal),
        None => show(context, args, &journal),
    }
}

fn open(context: &Context<'_>) -> Result<Journal, Failure> {
    let path = context.root.join(STATE_FOLDER).join("journal.db");
    let journal = Journal::open_existing(&path, &context.ports.world)
        .map_err(|error| Failure::doing("could not open the journal", error.into()))?;
    journal.ok_or_else(|| {
        // A run whose journal is missing is not taken for none.
        let told = open_to_tell(&context.root, context.ports, "log", context.ui);
        if let Err(Untold::Run(error)) = told {
            return Failure::doing("could not open the journal", error);
        }
        let what = format!("there is no journal in `{}`", context.root.display());
        Failure::new(what, Vec::new(), "nothing has been run yet: `switchback run` begins one")
    })
}

fn show(context: &Context<'_>, args: &LogArgs, journal: &Journal) -> Result<Verdict, Failure> {
    let doing = |error: StepError| Failure::doing("could not read the journal", error);
    let (mut seen, mut run) = (0, String::new());
    loop {
        for record in journal.records_after(seen).map_err(|error| doing(error.into()))? {
            seen = record.seq;
            if let Event::RunStarted { run: begun, .. } = &record.event {
                run.clone_from(begun);
            }
            if args.run.as_ref().is_none_or(|wanted| *wanted == run) {
                show_record(context, &record);
            }
        }
        if !args.follow {
            return Ok(Verdict::Yes);
        }
        context.ports.world.clock.sleep(FOLLOW_PAUSE);
    }
}

fn show_record(context: &Context<'_>, record: &Record) {
    let event = json::event(record);
    if context.ui.json {
        context.ui.data(&event.to_string());
        return;
    }
    let word = event["event"].as_str().unwrap_or_default();
    let body = event["body"].as_object().map_or_else(String::new, |body| {
        // What has parts of its own is in `--json`.
        let is_plain = |value: &Value| !value.is_object() && !value.get(0).is_some_and(Value::is_object);
        let shown = body.iter().filter(|(_, value)| is_plain(value));
        let words = shown.map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // Hashes are shown as git shows them; all of them are in `--json`.
            let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            format!("{name}={}", if is_hash { &text[..12] } else { &text })
        });
        words.collect::<Vec<_>>().join(" ")
    });
    context.ui.show(&format!("{:>5}  {}  {}  {word}  {body}", record.seq, record.time, record.actor));
}

fn verify_chain(context: &Context<'_>, journal: &Journal) -> Result<Verdict, Failure> {
    let rows =
        journal.rows_after(0).map_err(|error| Failure::doing("could not read the journal", error.into()))?;
    let mut faults = verify(&rows);
    let records = rows.iter().filter_map(record_of).collect::<Vec<_>>();
    let signed = look_at_signatures(&records, context.ports.signatures.as_ref());
    faults.extend(signed.faults);
    faults.sort_by_key(|fault| fault.seq);
    let verdict = match (rows.is_empty(), faults.is_empty()) {
        (true, _) => Verdict::Unknown,
        (false, true) => Verdict::Yes,
        (false, false) => Verdict::No,
    };
    let head = rows.last().map(|row| row.hash.clone());
    if context.ui.json {
        let listed: Vec<_> =
            faults.iter().map(|fault| value!({"seq": fault.seq, "what": fault.what})).collect();
        context.ui.document(&value!({
            "schema": "switchback/log-verify/1",
            "verdict": verdict.word(),
            "events": rows.len(),
            "head": head,
            "signatures": signed.verified,
            "faults": listed,
        }));
        return Ok(verdict);
    }
    let signatures = match signed.verified {
        0 => String::new(),
        verified => format!(", {} verified", counted(verified, "signature")),
    };
    context.ui.show(&format!("{}: {} events{signatures}", context.ui.verdict(verdict), rows.len()));
    for fault in &faults {
        context.ui.show(&format!("  event {}: {}", fault.seq, fault.what));
    }
    if let Some(head) = head.filter(|_| faults.is_empty()) {
        context.ui.show(&format!("  head {head}"));
        context.ui.note(
            "a cut-off end, or a journal written anew as a whole, shows only beside a head kept elsewhere",
        );
    }
    Ok(verdict)
}

/// A row as an event, where this program knows it; what it does not know is a fault by itself.
fn record_of(row: &Row) -> Option<Record> {
    Some(Record {
        seq: row.seq,
        time: row.time.clone(),
        actor: row.actor.clone(),
        event: Event::read(&row.event, &row.body).ok()?,
        prev: row.prev.clone(),
        hash: row.hash.clone(),
    })
}
