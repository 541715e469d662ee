//! Making a package of a phase that is staged, or live: everything comes from its candidate, the journal and the evidence, so that
//! the same phase gives the same bytes each time.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use switchback_package::format::SCHEMA;
use switchback_package::{Archive, Entry, Form, MANIFEST, Manifest, STATEMENT, Tree, measure, sha256};

use super::certified::{self, Certificate};
use super::format::{PAYLOAD_TYPE, PREDICATE_TYPE, Predicate, STATEMENT_TYPE, Statement, Subject};
use super::readiness::{self, OTHER_PLAN_NEXT, Readiness, other_plan};
use super::shelf::Shelf;
use super::{
    CERTIFICATE, CHANGE_LOG, FACTS, INSTRUCTIONS, READINESS, api, change_log, facts, gather, leak,
    still_named, unusable,
};
use crate::certificate::content::{content_hash, path_hashes};
use crate::journal::{Event, PhaseHistory, PhaseState};
use crate::manifest::{self, to_hex};
use crate::phase::look::contents;
use crate::phase::{StepError, TOOL, Work};
use crate::plan::Phase;
use crate::port::Signer;
use crate::verdict::Verdict;
use crate::world::{DiskError, World};

/// What is packed, and where to.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// The phase; `None`: the one that was staged last.
    pub phase: Option<String>,
    /// How it is packed.
    pub form: Form,
    /// Where the package goes, absolute; `None`: into the folder.
    pub output: Option<PathBuf>,
    /// The folder in which a package without such a path is made.
    pub folder: PathBuf,
    /// Its number; `None`: the next one.
    pub sequence: Option<u64>,
    /// A certificate that goes with it.
    pub certificate: Option<PathBuf>,
    /// Whether it is made although it may not go.
    pub draft: bool,
}

/// A package that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// Whether it was there already, to the byte.
    pub is_same: bool,
    /// How many bytes it has.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub hash: String,
    /// How many files in it are no text, and were not searched for secrets.
    pub not_searched: u64,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// Whether the change may go.
    pub readiness: Readiness,
    /// The package; `None`: it may not go, and no draft was asked for.
    pub created: Option<Created>,
}

/// Makes a package. One that may not go is made only where a draft is asked for.
///
/// # Errors
///
/// When there is no candidate, something cannot be packed, a secret would go with it, or another file stands in the way.
pub fn create(
    work: &Work<'_>,
    options: &CreateOptions,
    signer: Option<&dyn Signer>,
) -> Result<Creation, StepError> {
    let phase = chosen(work, options.phase.as_deref())?;
    let (shelf, readiness, trees) = filled(work, phase, options)?;
    if readiness.verdict != Verdict::Yes && !options.draft {
        return Ok(Creation { readiness, created: None });
    }
    let history = work.history().phase(&phase.name).cloned();
    if let Some(why) = history.and_then(|history| other_plan(work, phase, &history)) {
        // Not even as a draft: it would say that it brings, or deletes, what nobody looked at.
        return Err(StepError::not_now(why, OTHER_PLAN_NEXT));
    }
    let not_searched = leak::look(work, &shelf)?;
    let time = newest(work, &phase.name)?;
    let entries = entries(&shelf, options.form, &time)?;
    let plan = work.plan();
    let mut manifest = Manifest {
        schema: SCHEMA.to_owned(),
        name: plan.package.name.clone().unwrap_or_else(|| name_of(&plan.project.name)),
        sequence: 0,
        project: plan.project.name.clone(),
        phase: phase.name.clone(),
        ready: readiness.verdict.word().to_owned(),
        tool: TOOL.to_owned(),
        time,
        form: options.form,
        plan: to_hex(&plan.hash),
        managed: plan
            .project
            .managed
            .iter()
            .map(|managed| managed.path.to_string_lossy().into_owned())
            .collect(),
        base: trees.0,
        candidate: trees.1,
        entries,
    };
    let content = to_hex(blake3::hash(&manifest.write()).as_bytes());
    let is_known = number(work, options, &mut manifest, &content)?;
    let created = publish(work, options, &manifest, &shelf, signer, (content, is_known), not_searched)?;
    Ok(Creation { readiness, created: Some(created) })
}

/// The phase of that name, or the one that was staged last.
fn chosen<'w>(work: &'w Work<'_>, name: Option<&str>) -> Result<&'w Phase, StepError> {
    let (plan, history) = (work.plan(), work.history());
    if let Some(name) = name {
        return plan.phase(name).ok_or_else(|| StepError::NoPhase(name.to_owned()));
    }
    let is_staged =
        |phase: &&Phase| history.phase(&phase.name).is_some_and(|history| history.staged.is_some());
    plan.phases.iter().rev().find(is_staged).ok_or_else(|| {
        StepError::not_now(
            "no phase has a candidate yet: there is nothing to pack",
            "`switchback run --until rehearsed` stages, checks and rehearses it",
        )
    })
}

/// Everything that goes into the package, whether it may go, and both trees.
fn filled(
    work: &Work<'_>,
    phase: &Phase,
    options: &CreateOptions,
) -> Result<(Shelf, Readiness, (Tree, Tree)), StepError> {
    let history = work.history().phase(&phase.name).cloned();
    let usable = |history: &PhaseHistory| history.state == PhaseState::Staged || history.state.is_live();
    let Some(history) = history.filter(|history| usable(history) && history.staged.is_some()) else {
        let what = format!("the phase `{}` has no candidate: there is nothing to pack", phase.name);
        return Err(StepError::not_now(
            what,
            "`switchback run --until rehearsed` stages, checks and rehearses it",
        ));
    };
    let (old_hash, new_hash) = history
        .staged
        .as_ref()
        .map(|staged| (staged.old_tree.clone(), staged.new_tree.clone()))
        .unwrap_or_default();
    let disk = work.world().disk.as_ref();
    let (old, new) =
        (work.evidence.get_manifest(disk, &old_hash)?, work.evidence.get_manifest(disk, &new_hash)?);
    let (old_at, new_at) = contents(work, phase)?;
    let mut shelf = Shelf::new(work.world().disk.clone());
    gather::candidate(work, &new, &new_at, &mut shelf)?;
    gather::of_project(work, &mut shelf)?;
    gather::evidence(work, &history, &mut shelf)?;
    let mut found = facts::files(work, (&old, &new), (&old_at, &new_at))?;
    found.made_by = phase.changes.iter().map(|change| change.change.describe()).collect();
    found.api = api::compare(work, (&old_at, &new_at), &found.moved)?;
    found.still_named = still_named::look(work, &found, &new, &new_at)?;
    let sections = change_log::sections(work)?;
    let title = format!("{}: the phase {}", work.plan().project.name, phase.name);
    let mut readiness = readiness::judge(work, phase, &history, &found, &sections)?;
    let trees = (tree(work, &old_hash, &old), tree(work, &new_hash, &new));
    if let Some(file) = &options.certificate {
        let certificate = Certificate::read(work, file)?;
        if let Some((verdict, reason)) = certificate.fault(work, Some(&trees.0.paths), &trees.1.paths) {
            readiness.close(verdict, reason, certified::NEXT);
        }
        shelf.add_text(CERTIFICATE, certificate.content);
    }
    shelf.add_text(CHANGE_LOG, change_log::markdown(&title, &found, &sections));
    shelf.add_text(FACTS, format!("{:#}\n", found.to_json()));
    shelf.add_text(READINESS, format!("{:#}\n", readiness.to_json()));
    shelf.add_text(INSTRUCTIONS, instructions(&title, options.form));
    Ok((shelf, readiness, trees))
}

fn tree(work: &Work<'_>, hash: &str, manifest: &manifest::Manifest) -> Tree {
    let managed: Vec<PathBuf> =
        work.plan().project.managed.iter().map(|managed| managed.path.clone()).collect();
    let paths = path_hashes(manifest, &managed);
    Tree { manifest: hash.to_owned(), content: content_hash(&paths), paths }
}

/// When the newest evidence about a phase was recorded, in whole seconds.
fn newest(work: &Work<'_>, phase: &str) -> Result<String, StepError> {
    let is_evidence = |event: &Event| {
        event.phase() == Some(phase)
            && matches!(
                event,
                Event::Staged { .. }
                    | Event::CheckEnded { .. }
                    | Event::Rehearsed { .. }
                    | Event::CutOver { .. }
            )
    };
    let records = work.records()?;
    let newest = records.iter().rev().find(|record| is_evidence(&record.event));
    let time = newest.and_then(|record| record.time.parse::<jiff::Timestamp>().ok());
    let seconds = time.map(jiff::Timestamp::as_second).unwrap_or_default();
    Ok(jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string())
}

fn entries(shelf: &Shelf, form: Form, time: &str) -> Result<Vec<Entry>, StepError> {
    let mut entries = Vec::new();
    for (path, item) in &shelf.items {
        let entry =
            measure(&item.draft, form, time, shelf).map_err(|error| unusable(Path::new(path), error))?;
        if item.hash.is_some_and(|hash| to_hex(&hash) != entry.blake3) {
            let shown = item.origin.as_deref().unwrap_or(Path::new(path)).display().to_string();
            return Err(StepError::not_now(
                format!("`{shown}` of the candidate was changed since it was staged"),
                "`switchback run --restage` builds and checks the candidate anew",
            ));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Gives the package its number: that of the last one, where that was the same, else the next one. Whether it was the same.
fn number(
    work: &Work<'_>,
    options: &CreateOptions,
    manifest: &mut Manifest,
    content: &str,
) -> Result<bool, StepError> {
    let history = work.history();
    let last = history.packaged.iter().rev().find(|fact| fact.package == manifest.name);
    let is_same = last.is_some_and(|last| {
        last.content == content && options.sequence.is_none_or(|sequence| sequence == last.sequence)
    });
    let highest =
        history.packaged.iter().filter(|fact| fact.package == manifest.name).map(|fact| fact.sequence).max();
    manifest.sequence = match (options.sequence, last) {
        (Some(sequence), _) => sequence,
        (None, Some(last)) if is_same => last.sequence,
        (None, _) => highest.unwrap_or(0).checked_add(1).ok_or_else(|| {
            StepError::not_now(
                format!(
                    "a package `{}` has the highest number that there is: no other one can follow it",
                    manifest.name
                ),
                "give the packages another name, in `name` of `[package]`",
            )
        })?,
    };
    Ok(is_same)
}

/// Writes the package beside where it goes, reads it back, and gives it its name.
fn publish(
    work: &Work<'_>,
    options: &CreateOptions,
    manifest: &Manifest,
    shelf: &Shelf,
    signer: Option<&dyn Signer>,
    (content, is_known): (String, bool),
    not_searched: u64,
) -> Result<Created, StepError> {
    let name = format!("{}-{}.{}", manifest.name, manifest.sequence, manifest.form.word());
    let path = options.output.clone().unwrap_or_else(|| options.folder.join(name));
    let text = manifest.write();
    let statement = statement(manifest, &text, signer);
    let mut archive =
        Archive::new(manifest, &text, statement.as_bytes(), shelf).map_err(|error| unusable(&path, error))?;
    let unfinished = Unfinished::write(work.world(), &path, &mut archive)?;
    unfinished.read_back(&path)?;
    let hash = unfinished.hash()?;
    let disk = work.world().disk.as_ref();
    let bytes = disk.look(&unfinished.path)?.map_or(0, |meta| meta.size);
    let is_same = unfinished.is_there(&path, &hash)?;
    if !is_known {
        work.record(Event::Packaged {
            package: manifest.name.clone(),
            sequence: manifest.sequence,
            phase: manifest.phase.clone(),
            content,
            manifest: to_hex(blake3::hash(&text).as_bytes()),
            key: signer.map(|signer| signer.public_key().text().to_owned()).unwrap_or_default(),
        })?;
    }
    if !is_same {
        unfinished.publish(&path)?;
    }
    Ok(Created { path, manifest: manifest.clone(), is_same, bytes, hash, not_searched })
}

/// The statement about a manifest: in an envelope, or bare.
fn statement(manifest: &Manifest, text: &[u8], signer: Option<&dyn Signer>) -> String {
    let digest = BTreeMap::from([
        ("blake3".to_owned(), to_hex(blake3::hash(text).as_bytes())),
        ("sha256".to_owned(), sha256(text)),
    ]);
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![Subject { name: MANIFEST.to_owned(), digest }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            name: manifest.name.clone(),
            sequence: manifest.sequence,
            signer: signer.map(|signer| signer.public_key().text().to_owned()).unwrap_or_default(),
        },
    };
    let payload = statement.write();
    match signer {
        Some(signer) => signer.sign(PAYLOAD_TYPE, &payload),
        None => String::from_utf8_lossy(&payload).into_owned(),
    }
}

/// How many letters of a hash tell files that are being written apart.
const UNFINISHED_LETTERS: usize = 16;

/// A file that is being written beside where it is to stand; removed unless it gets there. What a killed process began is removed
/// by whoever writes the same file next: its name follows from that of the file.
pub(super) struct Unfinished<'a> {
    world: &'a World,
    path: PathBuf,
}

impl<'a> Unfinished<'a> {
    pub(super) fn write(world: &'a World, path: &Path, content: &mut dyn Read) -> Result<Self, StepError> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let of = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
        let name = format!(".switchback-package-{}", &of[..UNFINISHED_LETTERS]);
        let unfinished = Self { world, path: folder.join(name) };
        let disk = world.disk.as_ref();
        if disk.look(&unfinished.path)?.is_some() {
            disk.remove_file(&unfinished.path)?;
        }
        disk.write_new(&unfinished.path, 0o644, content)?;
        disk.sync_file(&unfinished.path)?;
        Ok(unfinished)
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn hash(&self) -> Result<String, StepError> {
        Ok(to_hex(&self.world.disk.hash(&self.path)?))
    }

    /// Holds what is on the disk now against its own manifest; `path` is what it is called.
    fn read_back(&self, path: &Path) -> Result<(), StepError> {
        let mut reader = self.world.disk.open_seekable(&self.path)?;
        let front = switchback_package::open(&mut reader).map_err(|error| unusable(path, error))?;
        let faults = switchback_package::walk(&mut reader, &front).map_err(|error| unusable(path, error))?;
        let Some(fault) = faults.first() else { return Ok(()) };
        Err(StepError::not_now(
            format!("what was written is not what was packed: {fault}"),
            "look at the disk, then make the package again",
        ))
    }

    /// Whether the same is at its place already. Anything else there is left alone.
    pub(super) fn is_there(&self, path: &Path, hash: &str) -> Result<bool, StepError> {
        let disk = self.world.disk.as_ref();
        if disk.look(path)?.is_none() {
            return Ok(false);
        }
        if to_hex(&disk.hash(path)?) == *hash {
            return Ok(true);
        }
        Err(StepError::not_now(
            format!("`{}` is there, and is another file", path.display()),
            "name another place, or move that file away: nothing is written over",
        ))
    }

    pub(super) fn publish(self, path: &Path) -> Result<(), DiskError> {
        let disk = self.world.disk.as_ref();
        disk.rename(&self.path, path)?;
        disk.sync_directory(path.parent().unwrap_or(Path::new("/")))
    }

    /// Puts it in the place of what is there.
    pub(super) fn publish_over(self, path: &Path) -> Result<(), DiskError> {
        let disk = self.world.disk.as_ref();
        disk.rename_over(&self.path, path)?;
        disk.sync_directory(path.parent().unwrap_or(Path::new("/")))
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        // What was begun is of no use; that it cannot be removed is not what the person must hear of.
        if matches!(self.world.disk.look(&self.path), Ok(Some(_))) {
            drop(self.world.disk.remove_file(&self.path));
        }
    }
}

/// The name of a project as that of a package.
pub(super) fn name_of(project: &str) -> String {
    let letter = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = project.chars().take(50).map(letter).collect();
    let name = name.trim_start_matches(['-', '.']);
    if name.is_empty() { "package".to_owned() } else { name.to_owned() }
}

fn instructions(title: &str, form: Form) -> String {
    let file = format!("PACKAGE.{}", form.word());
    format!(
        "# {title}\n\n\
         A package of Switchback. `{MANIFEST}` lists every file of it with its hashes, and `{STATEMENT}` says who signed \
         that.\n\n\
         1. Ask whoever made it for the public key, by another way than this file came.\n\
         2. `switchback package verify {file} --key KEY.pub` holds every byte against manifest and signature.\n\
         3. `{CHANGE_LOG}` says what changed; `{READINESS}` whether it may go, with every reason; `checks.json` what the checks \
         said, and `evidence/` has their reports.\n\
         4. In the project that takes it, a phase has a change `kind = \"files\"`, `from = \"change.{}\"`. \
         `switchback package receive {file} --key KEY.pub` puts it there.\n\
         5. `switchback run` makes a snapshot, stages, checks and rehearses it; `switchback approve` or `switchback reject` \
         decides; `switchback rollback` takes it back.\n",
        form.word()
    )
}
