//! `switchback certificate create` and `switchback certificate verify`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchback_core::certificate::format::{CheckEntry, Predicate};
use switchback_core::certificate::{
    CERTIFICATE_BYTES_MAX, Certified, Look, PAYLOAD_TYPE, TreeIs, certify, save, verify,
};
use switchback_core::phase::{StepError, Work};
use switchback_core::plan::PLAN_FILE;
use switchback_core::port::Signer;
use switchback_core::signature::PublicKey;
use switchback_core::verdict::Verdict;
use switchback_core::world::DiskError;

use super::Context;
use crate::certificate_args::{CertificateCommand, CreateArgs, VerifyArgs};
use crate::failure::Failure;

/// A larger file holds no public keys.
const KEYS_BYTES_MAX: u64 = 1024 * 1024;

pub(crate) fn certificate(context: &Context<'_>, command: &CertificateCommand) -> Result<Verdict, Failure> {
    match command {
        CertificateCommand::Create(args) => create(context, args),
        CertificateCommand::Verify(args) => verify_file(context, args),
    }
}

fn create(context: &Context<'_>, args: &CreateArgs) -> Result<Verdict, Failure> {
    let doing = |error| Failure::doing("could not make the certificate", error);
    let signer = match args.key.place(&context.root) {
        Some(place) => Some(context.ports.signatures.open(&place).map_err(|error| doing(error.into()))?),
        None => None,
    };
    let work = Work::begin(context.project()?, "certificate", context.ui).map_err(doing)?;
    let public = signer.as_ref().map_or("", |signer| signer.public_key().text());
    let certified = match certify(&work, args.phase.as_deref(), public).map_err(doing)? {
        Ok(certified) => certified,
        Err(gate) => {
            if context.ui.json {
                context.ui.document(&json!({
                    "schema": "switchback/certificate/1",
                    "verdict": gate.verdict.word(),
                    "reasons": gate.reasons,
                    "next": gate.next,
                }));
            } else {
                let verdict = context.ui.verdict(gate.verdict);
                context.ui.show(&format!("{verdict}: there is no certificate of what does not hold"));
                context.ui.refusal(&verdict, &gate.reasons, &gate.next);
            }
            return Ok(gate.verdict);
        }
    };
    let text = written(&certified, signer.as_deref());
    let output = match &args.output {
        Some(path) => Some(write(context, &text, path)?),
        None => None,
    };
    show_created(context, &certified, &text, signer.as_deref(), output.as_deref());
    Ok(certified.verdict)
}

/// The envelope, or the bare statement.
fn written(certified: &Certified, signer: Option<&dyn Signer>) -> String {
    let payload = certified.statement.write();
    let text = match signer {
        Some(signer) => signer.sign(PAYLOAD_TYPE, &payload),
        None => String::from_utf8_lossy(&payload).into_owned(),
    };
    text + "\n"
}

fn write(context: &Context<'_>, text: &str, path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::doing("could not write the certificate", error);
    let path = std::path::absolute(path)
        .map_err(|source| failed(DiskError::new("find the folder of", path, source).into()))?;
    save(&context.ports.world, text, &path, context.ports.signatures.as_ref()).map_err(failed)?;
    Ok(path)
}

fn show_created(
    context: &Context<'_>,
    certified: &Certified,
    text: &str,
    signer: Option<&dyn Signer>,
    output: Option<&Path>,
) {
    let (ui, predicate) = (context.ui, &certified.statement.predicate);
    let key_id = signer.map(|signer| context.ports.signatures.key_id(signer.public_key()));
    if ui.json {
        let certificate: Value = serde_json::from_str(text).unwrap_or_default();
        ui.document(&json!({
            "schema": "switchback/certificate/1",
            "verdict": certified.verdict.word(),
            "reasons": predicate.reasons,
            "phase": predicate.phase,
            "point": predicate.point,
            "signed_by": key_id.iter().collect::<Vec<_>>(),
            "output": output,
            "certificate": certificate,
        }));
        return;
    }
    if output.is_none() {
        ui.text(text);
    }
    let signed = key_id.map_or_else(|| "nobody signed it".to_owned(), |key_id| format!("signed by {key_id}"));
    let verdict = ui.verdict(certified.verdict);
    ui.note(&format!("{verdict}: certificate of phase {}, {}; {signed}", predicate.phase, predicate.point));
    ui.refusal(&verdict, &predicate.reasons, "");
    if let Some(path) = output {
        ui.note(&format!("wrote {}", path.display()));
    }
}

fn verify_file(context: &Context<'_>, args: &VerifyArgs) -> Result<Verdict, Failure> {
    let failed = |error: StepError| Failure::doing("could not verify the certificate", error);
    let world = &context.ports.world;
    let bytes = world.disk.read(&args.file, CERTIFICATE_BYTES_MAX).map_err(|error| failed(error.into()))?;
    let unreadable = |why: String| {
        let what = format!("could not read the certificate `{}`", args.file.display());
        Failure::new(what, vec![why], "name a file that `switchback certificate create` wrote")
    };
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not text".to_owned()))?;
    let keys = keys(context, &args.keys)?;
    let signatures = context.ports.signatures.as_ref();
    let mut look = verify(&text, &keys, signatures).map_err(|error| unreadable(error.to_string()))?;
    let tree = if let Some(tree) = &args.tree {
        let tree = std::path::absolute(tree)
            .map_err(|source| failed(DiskError::new("find the folder", tree, source).into()))?;
        if world.disk.look(&tree.join(".")).map_err(|error| failed(error.into()))?.is_none() {
            let what = format!("there is no folder `{}`", tree.display());
            return Err(Failure::new(what, Vec::new(), "name the folder that holds the managed paths"));
        }
        Some((tree, true))
    } else {
        let plan = world.disk.look(&context.root.join(PLAN_FILE)).map_err(|error| failed(error.into()))?;
        plan.map(|_| (context.root.clone(), false))
    };
    if let Some((folder, counts)) = &tree {
        look.at_tree(world, folder, *counts).map_err(failed)?;
    } else {
        look.not_verified.push("whether a tree is the old or the new one: `--tree DIR` looks".to_owned());
    }
    if context.ui.json {
        context.ui.document(&document(&look, tree.as_ref().map(|(folder, _)| folder.as_path())));
    } else {
        show(context, &look);
    }
    Ok(look.verdict)
}

/// The public keys that were named: files of them, or lines.
pub(super) fn keys(context: &Context<'_>, named: &[String]) -> Result<Vec<PublicKey>, Failure> {
    const HINT: &str = "name a file that ends in `.pub`, or its line: `ssh-ed25519 AAAA…`";
    let mut keys = Vec::new();
    for name in named {
        if let Ok(key) = PublicKey::read(name) {
            keys.push(key);
            continue;
        }
        let what = || format!("could not read the public key `{name}`");
        let bytes = context
            .ports
            .world
            .disk
            .read(Path::new(name), KEYS_BYTES_MAX)
            .map_err(|error| Failure::new(what(), vec![error.to_string()], HINT))?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let before = keys.len();
        for line in lines {
            keys.push(PublicKey::read(line).map_err(|why| Failure::new(what(), vec![why], HINT))?);
        }
        if keys.len() == before {
            return Err(Failure::new(what(), vec!["it holds no key".to_owned()], HINT));
        }
    }
    Ok(keys)
}

fn document(look: &Look, folder: Option<&Path>) -> Value {
    let tree = look.tree.as_ref().map(|tree| {
        let other = match tree {
            TreeIs::Neither(paths) => paths.as_slice(),
            _ => &[],
        };
        json!({"path": folder, "is": tree.word(), "other_paths": other})
    });
    let statement: Value = serde_json::from_slice(&look.statement.write()).unwrap_or_default();
    json!({
        "schema": "switchback/certificate/1",
        "verdict": look.verdict.word(),
        "says": look.statement.predicate.verdict,
        "signed_by": look.signed_by,
        "verified": look.verified,
        "not_verified": look.not_verified,
        "faults": look.faults,
        "tree": tree,
        "statement": statement,
    })
}

fn show(context: &Context<'_>, look: &Look) {
    let (ui, predicate) = (context.ui, &look.statement.predicate);
    let verdict = ui.verdict(look.verdict);
    ui.show(&format!(
        "{verdict}: certificate of phase {} of {}, {}, made at {}",
        plain(&predicate.phase),
        plain(&predicate.project),
        plain(&predicate.point),
        plain(&predicate.made_at)
    ));
    for fault in &look.faults {
        ui.show(&format!("  does not hold: {}", plain(fault)));
    }
    show_says(context, predicate);
    for verified in &look.verified {
        ui.show(&format!("  verified: {}", plain(verified)));
    }
    for open in &look.not_verified {
        ui.show(&format!("  not verified: {}", plain(open)));
    }
}

/// What a certificate says, in short.
fn show_says(context: &Context<'_>, predicate: &Predicate) {
    let ui = context.ui;
    ui.show(&format!("  it says: {}", plain(&predicate.verdict)));
    for reason in &predicate.reasons {
        ui.show(&format!("    {}", plain(reason)));
    }
    for (name, tree) in [("old", &predicate.old), ("new", &predicate.new)] {
        let hash: String = tree.content.chars().take(12).collect();
        ui.show(&format!("    {name} tree {}: {} files, {} bytes", plain(&hash), tree.files, tree.bytes));
    }
    for check in &predicate.checks {
        ui.show(&format!(
            "    check {} ({}) at {}: {}: {}{}",
            plain(&check.name),
            plain(&check.kind),
            plain(&check.at),
            plain(&check.verdict),
            plain(&check.summary),
            tolerances(check)
        ));
    }
    for role in &predicate.approvals {
        let who: Vec<String> = role.votes.iter().map(|vote| plain(&vote.who)).collect();
        ui.show(&format!("    approved in the role {}: {}", plain(&role.role), who.join(", ")));
    }
}

/// The tolerances among the settings of a check.
fn tolerances(check: &CheckEntry) -> String {
    let is_tolerance = |path: &str| {
        path.split('.').any(|part| ["tolerance", "absolute", "relative", "ulps", "columns"].contains(&part))
    };
    let found = check.settings.iter().filter(|(path, _)| is_tolerance(path));
    let found: Vec<String> =
        found.map(|(path, value)| format!("{} = {}", plain(path), plain(value))).collect();
    if found.is_empty() { String::new() } else { format!(" ({})", found.join(", ")) }
}

/// A text from somebody else, without what would move the cursor of a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
