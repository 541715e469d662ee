//! `switchback package create`, `list`, `verify` and `receive`; `hand_over` has the others.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchback_core::package::{
    CreateOptions, Created, Creation, Form, Look, Manifest, Receipt, ReceiveOptions, Received, Review,
    create, receive, verify,
};
use switchback_core::phase::{StepError, Work};
use switchback_core::port::Signer;
use switchback_core::quantity::counted;
use switchback_core::signature::PublicKey;
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use super::certificate::{keys, plain};
use super::{Context, hand_over};
use crate::failure::Failure;
use crate::package_args::{
    PackageCommand, PackageCreateArgs, PackageFormat, PackageListArgs, PackageReceiveArgs, PackageVerifyArgs,
};

pub(super) const SCHEMA: &str = "switchback/package/1";
/// So many new dependencies are shown one by one.
const DEPENDENCIES_MAX: usize = 100;

pub(crate) fn package(context: &Context<'_>, command: &PackageCommand) -> Result<Verdict, Failure> {
    match command {
        PackageCommand::Create(args) => create_package(context, args),
        PackageCommand::List(args) => list(context, args),
        PackageCommand::Verify(args) => verify_package(context, args),
        PackageCommand::Receive(args) => receive_package(context, args),
        PackageCommand::Send(args) => hand_over::send_package(context, args),
        PackageCommand::Commit(args) => hand_over::commit_package(context, args),
        PackageCommand::Archive(args) => hand_over::archive_phase(context, args),
    }
}

pub(super) fn absolute(path: &Path, what: &str) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path)
        .map_err(|source| Failure::doing(what, DiskError::new("find the folder of", path, source).into()))?;
    // `absolute` keeps a trailing slash or dot, which would end up in every message.
    Ok(absolute.components().collect())
}

fn create_package(context: &Context<'_>, args: &PackageCreateArgs) -> Result<Verdict, Failure> {
    const WHAT: &str = "could not make the package";
    let doing = |error: StepError| Failure::doing(WHAT, error);
    let signer = match args.key.place(&context.root) {
        Some(place) => Some(context.ports.signatures.open(&place).map_err(|error| doing(error.into()))?),
        None => None,
    };
    let options = CreateOptions {
        phase: args.phase.clone(),
        form: match args.format {
            PackageFormat::Zip => Form::Zip,
            PackageFormat::TarZst => Form::TarZst,
        },
        output: args.output.as_deref().map(|output| absolute(output, WHAT)).transpose()?,
        folder: absolute(Path::new("."), WHAT)?,
        sequence: args.sequence,
        certificate: args.certificate.as_deref().map(|path| absolute(path, WHAT)).transpose()?,
        draft: args.draft,
    };
    let work = Work::begin(context.project()?, "package create", context.ui).map_err(doing)?;
    let creation = create(&work, &options, signer.as_deref()).map_err(doing)?;
    show_creation(context, &creation, signer.as_deref());
    Ok(creation.readiness.verdict)
}

fn show_creation(context: &Context<'_>, creation: &Creation, signer: Option<&dyn Signer>) {
    let (ui, readiness) = (context.ui, &creation.readiness);
    let key_id = signer.map(|signer| context.ports.signatures.key_id(signer.public_key()));
    if ui.json {
        let mut document = json!({
            "schema": SCHEMA, "verdict": readiness.verdict.word(),
            "reasons": readiness.reasons, "notes": readiness.notes, "next": readiness.next,
            "package": creation.created.as_ref().map(|created| about(&created.manifest)),
            "signed_by": key_id.iter().collect::<Vec<_>>(),
        });
        if let Some(created) = &creation.created {
            document["output"] = json!(created.path);
            document["bytes"] = json!(created.bytes);
            document["blake3"] = json!(created.hash);
            document["was_there"] = json!(created.is_same);
            document["not_searched"] = json!(created.not_searched);
        }
        ui.document(&document);
        return;
    }
    let verdict = ui.verdict(readiness.verdict);
    match &creation.created {
        None => ui.show(&format!("{verdict}: the change may not go, and is not packed")),
        Some(created) => show_created(context, created, &verdict, key_id.as_deref()),
    }
    for note in &readiness.notes {
        ui.show(&format!("  to be looked at: {note}"));
    }
    if readiness.verdict != Verdict::Yes {
        ui.refusal(&verdict, &readiness.reasons, &readiness.next);
    }
}

fn show_created(context: &Context<'_>, created: &Created, verdict: &str, key_id: Option<&str>) {
    let (ui, manifest) = (context.ui, &created.manifest);
    let is = if manifest.ready == Verdict::Yes.word() { "ready" } else { "a draft, which may not go" };
    ui.show(&format!(
        "{verdict}: package {} {} of phase {}, {is}",
        manifest.name, manifest.sequence, manifest.phase
    ));
    let was = if created.is_same { "it was there already: " } else { "" };
    ui.show(&format!(
        "  {was}{}: {} files, {} bytes",
        created.path.display(),
        manifest.entries.len(),
        created.bytes
    ));
    ui.show(&format!("  blake3 {}", created.hash));
    if created.not_searched > 0 {
        let files = counted(created.not_searched, "file");
        ui.show(&format!("  not searched for secrets, being no text: {files}"));
    }
    ui.show(&match key_id {
        Some(key_id) => format!("  signed by {key_id}"),
        None => {
            "  nobody signed it: whoever receives it could not tell who made it; `--key` signs".to_owned()
        }
    });
}

/// What a package says of itself, for programs.
fn about(manifest: &Manifest) -> Value {
    json!({
        "name": manifest.name, "sequence": manifest.sequence, "project": manifest.project,
        "phase": manifest.phase, "ready": manifest.ready, "tool": manifest.tool, "time": manifest.time,
        "form": manifest.form.word(), "managed": manifest.managed,
        "base": manifest.base.content, "candidate": manifest.candidate.content,
        "files": manifest.entries.len(), "bytes": manifest.bytes(),
    })
}

/// What a package is, held against itself and against keys.
fn looked(context: &Context<'_>, file: &Path, keys: &[PublicKey]) -> Result<Look, Failure> {
    let unreadable = |causes: Vec<String>| {
        let what = format!("could not read the package `{}`", file.display());
        let failure = Failure::new(what, causes, "name a file that `switchback package create` wrote");
        Failure { path: Some(file.to_owned()), ..failure }
    };
    let disk = context.ports.world.disk.as_ref();
    let mut reader = disk.open_seekable(file).map_err(|error| unreadable(vec![error.to_string()]))?;
    verify(&mut reader, keys, context.ports.signatures.as_ref())
        .map_err(|error| unreadable(vec![error.to_string()]))
}

fn list(context: &Context<'_>, args: &PackageListArgs) -> Result<Verdict, Failure> {
    let look = looked(context, &args.file, &[])?;
    let ui = context.ui;
    // Whose key it is is not asked here: what is listed is what is in it.
    let verdict = if look.faults.is_empty() { Verdict::Yes } else { Verdict::No };
    if ui.json {
        let entry = |entry: &switchback_core::package::Entry| {
            json!({
                "path": entry.path, "bytes": entry.bytes, "executable": entry.executable,
                "blake3": entry.blake3, "sha256": entry.sha256, "target": entry.target,
            })
        };
        ui.document(&json!({
            "schema": SCHEMA, "verdict": verdict.word(), "package": about(&look.manifest),
            "faults": look.faults,
            "entries": look.manifest.entries.iter().map(entry).collect::<Vec<_>>(),
        }));
        return Ok(verdict);
    }
    for entry in &look.manifest.entries {
        let leads = entry.target.as_ref().map_or_else(String::new, |target| format!(" -> {}", plain(target)));
        ui.show(&format!("{}  {}  {}{leads}", entry.sha256, entry.bytes, plain(&entry.path)));
    }
    ui.note(&headline(&look.manifest));
    if verdict == Verdict::No {
        ui.refusal(&ui.verdict(verdict), &plains(&look.faults), "");
    }
    Ok(verdict)
}

fn headline(manifest: &Manifest) -> String {
    format!(
        "package {} {} of phase {} of {}, of {}: {} files, {} bytes",
        plain(&manifest.name),
        manifest.sequence,
        plain(&manifest.phase),
        plain(&manifest.project),
        plain(&manifest.time),
        manifest.entries.len(),
        manifest.bytes()
    )
}

fn plains(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| plain(text)).collect()
}

fn verify_package(context: &Context<'_>, args: &PackageVerifyArgs) -> Result<Verdict, Failure> {
    let look = looked(context, &args.file, &keys(context, &args.keys)?)?;
    let ui = context.ui;
    if ui.json {
        ui.document(&json!({
            "schema": SCHEMA, "verdict": look.verdict.word(), "package": about(&look.manifest),
            "manifest": look.hash, "signed_by": look.signed_by, "verified": look.verified,
            "not_verified": look.not_verified, "faults": look.faults,
        }));
        return Ok(look.verdict);
    }
    let verdict = ui.verdict(look.verdict);
    ui.show(&format!("{verdict}: {}", headline(&look.manifest)));
    show_look(context, &look);
    Ok(look.verdict)
}

fn show_look(context: &Context<'_>, look: &Look) {
    for (word, texts) in
        [("does not hold", &look.faults), ("verified", &look.verified), ("not verified", &look.not_verified)]
    {
        for text in texts {
            context.ui.show(&format!("  {word}: {}", plain(text)));
        }
    }
}

fn receive_package(context: &Context<'_>, args: &PackageReceiveArgs) -> Result<Verdict, Failure> {
    const WHAT: &str = "could not receive the package";
    let doing = |error: StepError| Failure::doing(WHAT, error);
    let options = ReceiveOptions {
        file: absolute(&args.file, WHAT)?,
        keys: keys(context, &args.keys)?,
        phase: args.phase.clone(),
        into: args.into.clone(),
        draft: args.draft,
    };
    let work = Work::begin(context.project()?, "package receive", context.ui).map_err(doing)?;
    let receipt = receive(&work, &options).map_err(doing)?;
    if context.ui.json {
        context.ui.document(&receipt_document(&receipt));
    } else {
        show_receipt(context, &receipt);
    }
    Ok(receipt.verdict)
}

fn receipt_document(receipt: &Receipt) -> Value {
    let review = receipt.received.as_ref().map(|received| {
        let review = &received.review;
        json!({
            "other_base": review.other_base, "not_brought": review.not_brought,
            "not_taken": review.not_taken,
            "breaking": review.breaking, "new_dependencies": review.new_dependencies,
            "not_read": review.not_read,
            "reasons": review.reasons, "notes": review.notes, "change_log": review.change_log,
        })
    });
    json!({
        "schema": SCHEMA, "verdict": receipt.verdict.word(), "package": about(&receipt.look.manifest),
        "manifest": receipt.look.hash, "signed_by": receipt.look.signed_by, "reasons": receipt.reasons,
        "path": receipt.received.as_ref().map(|received| &received.path), "review": review,
    })
}

fn show_receipt(context: &Context<'_>, receipt: &Receipt) {
    let ui = context.ui;
    let verdict = ui.verdict(receipt.verdict);
    let Some(Received { path, review }) = &receipt.received else {
        ui.show(&format!("{verdict}: not received: {}", headline(&receipt.look.manifest)));
        ui.refusal(&verdict, &plains(&receipt.reasons), "");
        return;
    };
    let headline = headline(&receipt.look.manifest);
    if receipt.verdict == Verdict::Yes {
        ui.show(&format!("{verdict}: received as {}: {headline}", path.display()));
    } else {
        ui.show(&format!("{verdict}: not received again; it stands at {}: {headline}", path.display()));
    }
    show_review(context, receipt, review);
    if receipt.verdict == Verdict::Yes {
        ui.note("\nnext: `switchback run` stages, checks and rehearses it; `switchback approve` or `switchback reject` decides");
    } else {
        ui.refusal(&verdict, &plains(&receipt.reasons), "");
    }
}

/// What there is to know before the decision.
fn show_review(context: &Context<'_>, receipt: &Receipt, review: &Review) {
    let ui = context.ui;
    for key_id in &receipt.look.signed_by {
        ui.show(&format!("  signed by {}", plain(key_id)));
    }
    let base = if review.other_base.is_empty() {
        "what is live here is what it was made from".to_owned()
    } else {
        format!("what is live here is not what it was made from: {}", plain(&review.other_base.join(", ")))
    };
    ui.show(&format!("  {base}"));
    let mut new_dependencies: Vec<String> =
        review.new_dependencies.iter().take(DEPENDENCIES_MAX).cloned().collect();
    let more = review.new_dependencies.len() - new_dependencies.len();
    if more > 0 {
        new_dependencies.push(format!("and {more} more, all of which `--json` lists"));
    }
    for (word, texts) in [
        ("not in it, and managed here", &review.not_brought),
        ("in it, and not taken here", &review.not_taken),
        ("breaks", &review.breaking),
        ("new dependency", &new_dependencies),
        ("not looked at", &review.not_read),
        ("it may not go", &review.reasons),
        ("to be looked at", &review.notes),
    ] {
        for text in texts {
            ui.show(&format!("  {word}: {}", plain(text)));
        }
    }
    ui.show("");
    for line in review.change_log.lines() {
        ui.show(&plain(line));
    }
}
