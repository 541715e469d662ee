//! `switchback log`: the journal shown, verified, kept outside, and exported.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json as value};
use switchback_core::audit::{
    Lineage, Output, Source, Verification, anchor_all, export, lineage, verify_journal,
};
use switchback_core::journal::{ChainFault, Event, Journal, Record, Tail};
use switchback_core::phase::{StepError, Untold, Work, open_to_tell};
use switchback_core::plan::STATE_FOLDER;
use switchback_core::quantity::counted;
use switchback_core::report::{json, visible};
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use super::Context;
use super::certificate::plain;
use crate::failure::Failure;
use crate::log_args::{ExportFormat, LogAction, LogArgs, LogExportArgs, LogLineageArgs, LogVerifyArgs};
use crate::ui::document_text;

const FOLLOW_PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn log(context: &Context<'_>, args: &LogArgs) -> Result<Verdict, Failure> {
    match &args.action {
        Some(LogAction::Verify(args)) => verify_all(context, args),
        Some(LogAction::Anchor) => anchor(context),
        Some(LogAction::Export(args)) => export_acts(context, args),
        Some(LogAction::Lineage(args)) => tell_lineage(context, args),
        None => show(context, args, &open(context)?),
    }
}

/// The journal, if there is one.
fn look_for(context: &Context<'_>) -> Result<Option<Journal>, Failure> {
    let path = context.root.join(STATE_FOLDER).join("journal.db");
    Journal::open_existing(&path, &context.ports.world)
        .map_err(|error| Failure::doing("could not open the journal", error.into()))
}

fn open(context: &Context<'_>) -> Result<Journal, Failure> {
    look_for(context)?.ok_or_else(|| {
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
            format!("{name}={}", visible(if is_hash { &text[..12] } else { &text }))
        });
        words.collect::<Vec<_>>().join(" ")
    });
    context.ui.show(&format!(
        "{:>5}  {}  {}  {word}  {body}",
        record.seq,
        record.time,
        visible(&record.actor)
    ));
}

fn verify_all(context: &Context<'_>, args: &LogVerifyArgs) -> Result<Verdict, Failure> {
    let failed = |error: StepError| Failure::doing("could not read the journal", error);
    // One that cannot be opened is said as by every other command.
    drop(look_for(context)?);
    let looked = verify_journal(&context.root, context.ports, &args.anchors).map_err(failed)?;
    let Some(looked) = looked else {
        // No head of it stands outside: that it is missing is said as by every other command.
        drop(open(context)?);
        return Ok(Verdict::Unknown);
    };
    if context.ui.json {
        context.ui.document(&verification(&looked));
    } else {
        show_verification(context, &looked);
    }
    Ok(looked.verdict)
}

fn verification(looked: &Verification) -> Value {
    let fault =
        |fault: &ChainFault| value!({"seq": fault.seq, "kind": fault.kind.word(), "what": fault.what});
    let anchors = looked.anchors.iter().map(|anchor| {
        value!({
            "to": anchor.to,
            "verdict": anchor.verdict.word(),
            "early": anchor.is_early,
            "fits": anchor.fits,
            "covers": anchor.covers,
            "what": anchor.what,
        })
    });
    let bytes = if let Tail::CutShort { bytes } = looked.tail { Some(bytes) } else { None };
    value!({
        "schema": "switchback/log-verify/1",
        "verdict": looked.verdict.word(),
        "events": looked.events,
        "head": looked.head,
        "signatures": looked.signatures,
        "tail": {"state": looked.tail.word(), "bytes": bytes},
        "anchors": anchors.collect::<Vec<_>>(),
        "covered": looked.covered(),
        "anchors_unknown": looked.plan_fault,
        "first": looked.faults.first().map(fault),
        "faults": looked.faults.iter().map(fault).collect::<Vec<_>>(),
    })
}

fn show_verification(context: &Context<'_>, looked: &Verification) {
    let ui = context.ui;
    let signatures = match looked.signatures {
        0 => String::new(),
        verified => format!(", {} verified", counted(verified, "signature")),
    };
    ui.show(&format!("{}: {} events{signatures}", ui.verdict(looked.verdict), looked.events));
    for fault in &looked.faults {
        ui.show(&format!("  event {}: {}", fault.seq, fault.what));
    }
    for anchor in looked.anchors.iter().filter(|anchor| anchor.verdict != Verdict::No) {
        let verdict = if anchor.is_early { "not yet".to_owned() } else { ui.verdict(anchor.verdict) };
        ui.show(&format!("  anchor {}: {verdict}: {}", anchor.to, anchor.what));
    }
    match looked.tail {
        Tail::CutShort { bytes } => ui.show(&format!(
            "  the last append was cut short by a crash ({bytes} bytes): it was never acknowledged, and the next event takes its place"
        )),
        Tail::Busy => ui.show("  a command is at work: how the journal ends was not looked at"),
        Tail::Whole | Tail::Damaged { .. } => {}
    }
    let Some(head) = looked.head.as_ref().filter(|_| looked.faults.is_empty()) else { return };
    ui.show(&format!("  head {head}"));
    if let Some(fault) = &looked.plan_fault {
        ui.note(&format!("the plan cannot be used, so that its anchors are not known: {fault}"));
    }
    match looked.covered() {
        0 => ui.note(
            "a cut-off end, or a journal written anew as a whole, shows only beside a head kept elsewhere",
        ),
        covered if covered < looked.events => ui.note(&format!(
            "a cut-off end behind event {covered} would not show: the last anchor covers what stands up to it"
        )),
        _ => {}
    }
}

fn anchor(context: &Context<'_>) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not keep the head of the journal outside", error);
    let project = context.project()?;
    if project.plan.anchors.is_empty() {
        return Err(doing(StepError::not_now(
            "the plan names no place for the head of the journal",
            "add `[[anchor]]` with `to = \"git-note\"`, a file outside of the project, or `s3://bucket/folder`",
        )));
    }
    if project.history().map_err(doing)?.seq == 0 {
        return Err(doing(StepError::not_now(
            "there is no event yet whose head could be kept",
            "`switchback run` begins the journal",
        )));
    }
    let work = Work::begin(project, "log anchor", context.ui).map_err(doing)?;
    let anchored = anchor_all(&work).map_err(doing)?;
    let is_kept = anchored.iter().all(|one| one.fault.is_none());
    let verdict = if is_kept { Verdict::Yes } else { Verdict::Unknown };
    if context.ui.json {
        let anchors = anchored.iter().map(|one| {
            value!({"to": one.to, "seq": one.seq, "head": one.head, "kept": one.fault.is_none(), "why": one.fault})
        });
        context.ui.document(&value!({
            "schema": "switchback/log-anchor/1",
            "verdict": verdict.word(),
            "anchors": anchors.collect::<Vec<_>>(),
        }));
        return Ok(verdict);
    }
    for one in &anchored {
        match &one.fault {
            None => context.ui.show(&format!("kept at {}: event {}, {}", one.to, one.seq, one.head)),
            Some(why) => context.ui.show(&format!("not kept at {}: {why}", one.to)),
        }
    }
    if !is_kept {
        context.ui.note("the next `run`, `watch`, `approve` or `rollback` tries again");
    }
    Ok(verdict)
}

fn export_acts(context: &Context<'_>, args: &LogExportArgs) -> Result<Verdict, Failure> {
    let journal = open(context)?;
    let failed = |error: StepError| Failure::doing("could not export the journal", error);
    let export = export(&context.root, &journal, context.ports).map_err(failed)?;
    let text = match args.format {
        ExportFormat::Json => document_text(&export.to_json()) + "\n",
        ExportFormat::Csv => export.to_csv(),
    };
    // A file of that name is `./-`.
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = output {
        let absolute = std::path::absolute(path)
            .map_err(|source| failed(DiskError::new("find the folder of", path, source).into()))?;
        let disk = context.ports.world.disk.as_ref();
        if disk.look(&absolute).map_err(|error| failed(error.into()))?.is_some() {
            let what = format!("`{}` is there already", path.display());
            return Err(failed(StepError::not_now(
                what,
                "name another file: what auditors were given stays",
            )));
        }
        disk.write_new(&absolute, 0o644, &mut text.as_bytes())
            .and_then(|()| disk.sync_file(&absolute))
            .map_err(|error| failed(error.into()))?;
        context.ui.note(&format!("wrote {}: {} acts", path.display(), export.acts()));
    }
    if context.ui.json {
        context.ui.document(&export.to_json());
    } else if output.is_none() {
        context.ui.text(&text);
    }
    Ok(export.verdict)
}

fn tell_lineage(context: &Context<'_>, args: &LogLineageArgs) -> Result<Verdict, Failure> {
    let what = "could not tell what made it";
    let (project, _) = context.told("log lineage", what)?;
    // `./src/` and `src` are one.
    let paths: Vec<PathBuf> = args
        .paths
        .iter()
        .map(|path| path.strip_prefix(&context.root).unwrap_or(path).components())
        .map(|parts| parts.filter(|part| *part != Component::CurDir).collect())
        .collect();
    let told = lineage(&project, &paths).map_err(|error| Failure::doing(what, error))?;
    if context.ui.json {
        context.ui.document(&told.to_json());
        return Ok(told.verdict);
    }
    show_lineage(context, &told);
    Ok(told.verdict)
}

/// A document, in words: what looked, and whether it is still what that saw.
fn document_told(output: &Output, verdict: Verdict) -> String {
    let look = output.seen_by.as_ref();
    let check = match look.map_or("", |look| look.check.as_str()) {
        "" => "rehearsal",
        check => check,
    };
    let at = look.map_or("", |look| look.at.as_str());
    match (output.kind, verdict) {
        (Source::Report, Verdict::Yes) => format!("a report, as {check} at {at} saw it"),
        (Source::Report, _) => format!("a report, altered since {check} at {at} saw it"),
        (_, Verdict::Yes) => format!("evidence of {check} at {at}"),
        (_, _) => format!("evidence of {check} at {at}, altered since"),
    }
}

fn show_lineage(context: &Context<'_>, told: &Lineage) {
    let ui = context.ui;
    ui.show(&format!("{}: {}", ui.verdict(told.verdict), counted(told.outputs.len() as u64, "file")));
    for output in &told.outputs {
        let making = told.makings.iter().find(|making| Some(&making.transaction) == output.made_by.as_ref());
        let by = making.map_or_else(String::new, |making| {
            format!(" by the phase {} of the run {}", making.phase, making.run)
        });
        let words = match (output.verdict, &output.unknown) {
            (_, Some(why)) => format!("could not tell: {why}"),
            (verdict, None) if output.kind != Source::File => document_told(output, verdict),
            (Verdict::No, None) => format!("altered since it was brought{by}"),
            (_, None) => format!("brought{by}"),
        };
        let hash = output.content.get(..12).unwrap_or("-");
        ui.show(&format!("  {}  {hash}  {words}", output.path.display()));
    }
    let documents = told.outputs.iter().filter(|output| output.kind != Source::File).count();
    if documents > 0 {
        ui.show(&format!("{documents} of these are documents about what is live"));
    }
    for making in &told.makings {
        let generation = making.generation.unwrap_or_default();
        ui.show(&format!(
            "generation {generation}: phase {}, {}, {}",
            making.phase, making.time, making.actor
        ));
        for (name, value) in [
            ("tool", &making.tool),
            ("plan", &making.plan),
            ("changes", &making.changes),
            ("old tree", &making.old_tree),
            ("new tree", &making.new_tree),
            ("snapshot", &making.snapshot),
        ] {
            let value = if value.is_empty() { "was not recorded" } else { value.as_str() };
            ui.show(&format!("  {name:<9} {value}"));
        }
        for origin in &making.packages {
            let name = plain(&origin.package);
            ui.show(&format!("  package   {name} {}, file {}", origin.sequence, origin.archive));
        }
        for look in &making.looks {
            let check = if look.check.is_empty() { "rehearsal" } else { look.check.as_str() };
            let inputs = match look.binding.inputs.as_str() {
                "" => String::new(),
                inputs => format!(", inputs {inputs}"),
            };
            ui.show(&format!(
                "  evidence  {} of {check} at {}: {}{inputs}",
                look.verdict, look.at, look.evidence
            ));
        }
    }
}
