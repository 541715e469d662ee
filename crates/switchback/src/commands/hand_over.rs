//! `switchback package send`, `commit` and `archive`: what follows once a package is made, and once it is live.

use std::path::Path;

use serde_json::json;
use switchback_core::package::{Archived, CommitOptions, Commitment, archive, commit, send, send_elsewhere};
use switchback_core::phase::{StepError, Work};
use switchback_core::verdict::Verdict;

use super::Context;
use super::certificate::plain;
use super::package::{SCHEMA, absolute};
use crate::failure::Failure;
use crate::package_args::{PackageArchiveArgs, PackageCommitArgs, PackageSendArgs};

pub(super) fn send_package(context: &Context<'_>, args: &PackageSendArgs) -> Result<Verdict, Failure> {
    const WHAT: &str = "could not send the package";
    let doing = |error: StepError| Failure::doing(WHAT, error);
    let file = absolute(&args.file, WHAT)?;
    let world = &context.ports.world;
    let sent = if args.to.starts_with("s3://") || args.to.starts_with("sftp:") {
        let depot = context.ports.vaults.depot(&args.to).map_err(|error| doing(error.into()))?;
        send_elsewhere(world, &file, depot.as_ref())
    } else if args.to.contains("://") {
        let hint = "name a folder, `s3://bucket/folder`, or `sftp:user@host:folder`";
        return Err(Failure::new("packages are not sent to addresses of that kind", Vec::new(), hint));
    } else {
        send(world, &file, &absolute(Path::new(&args.to), WHAT)?)
    };
    let sent = sent.map_err(doing)?;
    let ui = context.ui;
    if ui.json {
        ui.document(&json!({
            "schema": SCHEMA, "verdict": "yes", "path": sent.path, "blake3": sent.hash,
            "bytes": sent.bytes, "was_there": sent.is_same,
        }));
        return Ok(Verdict::Yes);
    }
    let verdict = ui.verdict(Verdict::Yes);
    let what = if sent.is_same { "was there already" } else { "sent, and read back" };
    ui.show(&format!(
        "{verdict}: {what}: {}: {} bytes, blake3 {}",
        sent.path.display(),
        sent.bytes,
        sent.hash
    ));
    Ok(Verdict::Yes)
}

pub(super) fn commit_package(context: &Context<'_>, args: &PackageCommitArgs) -> Result<Verdict, Failure> {
    const WHAT: &str = "could not commit";
    let doing = |error: StepError| Failure::doing(WHAT, error);
    let certificate = args.certificate.as_deref().map(|path| absolute(path, WHAT)).transpose()?;
    let options = CommitOptions { phase: args.phase.clone(), certificate, dry_run: args.dry_run };
    let work = Work::begin(context.project()?, "package commit", context.ui).map_err(doing)?;
    let commitment = commit(&work, &options).map_err(doing)?;
    if context.ui.json {
        context.ui.document(&json!({
            "schema": SCHEMA, "verdict": commitment.verdict.word(), "phase": commitment.phase,
            "branch": commitment.branch, "commit": commitment.commit, "message": commitment.message,
            "paths": commitment.paths, "was_there": commitment.was_there,
            "reasons": commitment.reasons, "next": commitment.next,
        }));
    } else {
        show_commitment(context, &commitment, args.dry_run);
    }
    Ok(commitment.verdict)
}

fn show_commitment(context: &Context<'_>, commitment: &Commitment, dry_run: bool) {
    let ui = context.ui;
    let verdict = ui.verdict(commitment.verdict);
    let (phase, branch) = (&commitment.phase, plain(&commitment.branch));
    if commitment.verdict != Verdict::Yes {
        ui.show(&format!("{verdict}: phase {phase} is not committed"));
        ui.refusal(&verdict, &commitment.reasons, &commitment.next);
        return;
    }
    let is = match (commitment.was_there, dry_run) {
        (true, _) => format!("was committed to {branch} before, as {}", commitment.commit),
        (false, true) => format!("would be committed to {branch}"),
        (false, false) => format!("is committed to {branch} as {}", commitment.commit),
    };
    ui.show(&format!("{verdict}: phase {phase} {is}"));
    for path in &commitment.paths {
        ui.show(&format!("  {}", plain(path)));
    }
    if !commitment.message.is_empty() {
        ui.show("");
        for line in commitment.message.lines() {
            ui.show(&plain(line));
        }
    }
}

pub(super) fn archive_phase(context: &Context<'_>, args: &PackageArchiveArgs) -> Result<Verdict, Failure> {
    let doing = |error: StepError| Failure::doing("could not make the archive", error);
    let work = Work::begin(context.project()?, "package archive", context.ui).map_err(doing)?;
    let archived = archive(&work, args.phase.as_deref()).map_err(doing)?;
    if context.ui.json {
        context.ui.document(&json!({
            "schema": SCHEMA, "verdict": archived.verdict.word(), "phase": archived.phase,
            "path": archived.path, "manifest": archived.manifest, "files": archived.files,
            "bytes": archived.bytes, "was_there": archived.was_there, "removed": archived.removed,
            "faults": archived.faults,
            "plan": archived.plan.as_ref().map(|plan| json!({
                "went_live": plan.went_live, "file": plan.file, "is_that_one": plan.is_that_one,
            })),
        }));
    } else {
        show_archive(context, &archived);
    }
    Ok(archived.verdict)
}

fn show_archive(context: &Context<'_>, archived: &Archived) {
    let ui = context.ui;
    let verdict = ui.verdict(archived.verdict);
    let (phase, path) = (&archived.phase, archived.path.display());
    if archived.verdict != Verdict::Yes {
        ui.show(&format!("{verdict}: the archive of phase {phase} at {path} is not what it was"));
        let faults: Vec<String> = archived.faults.iter().map(|fault| plain(fault)).collect();
        ui.refusal(&verdict, &faults, "keep it as it is, and look who changed it: nothing was removed");
        return;
    }
    let is = if archived.was_there { "was archived before, and is whole" } else { "is archived" };
    ui.show(&format!(
        "{verdict}: phase {phase} {is}: {path}: {} files, {} bytes",
        archived.files, archived.bytes
    ));
    ui.show(&format!("  blake3 of its list {}", archived.manifest));
    if let Some(plan) = archived.plan.as_ref().filter(|plan| !plan.is_that_one) {
        let then = plan.went_live.as_deref().unwrap_or("not known");
        ui.show(&format!(
            "  the plan in it is not the one that the phase went live with, whose blake3 is {then}: it was changed since"
        ));
    }
    for path in &archived.removed {
        ui.show(&format!("  removed: {}", plain(&path.display().to_string())));
    }
}
