//! Which inputs are there: those that are ready to be run, and those that may still be written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::super::error::StepError;
use super::super::project::Work;
use crate::journal::ShadowFact;
use crate::manifest::to_hex;
use crate::plan::Shadow;
use crate::tree::walk;
use crate::world::{FileKind, Meta};

/// What tells that a file was not touched.
type Fingerprint = (u64, u64, i128, i128);

/// Contents that were read already, by path, so that a look at a folder does not read every file in it again.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<PathBuf, (Fingerprint, String)>);

/// An input that can be run.
#[derive(Debug)]
pub(super) struct Pending {
    /// Where it is.
    pub(super) path: PathBuf,
    /// As the journal names it: relative to the project, or absolute.
    pub(super) name: String,
    /// The hash of its bytes.
    pub(super) content: String,
}

/// What is there and was not run yet.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Left alone for long enough, by path.
    pub(super) ready: Vec<Pending>,
    /// When the first of the others may be ready.
    pub(super) settles: Option<Timestamp>,
}

/// Looks for inputs of a shadow.
pub(super) fn list(
    work: &Work<'_>,
    shadow: &Shadow,
    fact: &ShadowFact,
    known: &mut Known,
) -> Result<Listed, StepError> {
    let mut listed = Listed::default();
    let now = work.world().clock.now();
    let settle = SignedDuration::from_secs(i64::try_from(shadow.settle_s).unwrap_or(i64::MAX));
    for (name, path, meta) in files(work, shadow)? {
        // Content that is put into place keeps its time of change; only the time of the inode tells when it came.
        let Ok(came) = Timestamp::from_nanosecond(meta.ctime_ns) else { continue };
        if !is_of_the_period(shadow, fact, (came, meta.mtime_ns)) {
            continue;
        }
        let settled = came.checked_add(settle).unwrap_or(Timestamp::MAX);
        if settled > now {
            listed.settles = Some(listed.settles.map_or(settled, |first| first.min(settled)));
            continue;
        }
        // Who takes inputs away while they are listed has them.
        let Some(content) = known.content(work, &path, &meta)? else { continue };
        let name = name.to_string_lossy().into_owned();
        let key = (name, content);
        if fact.inputs.contains_key(&key) || fact.running.as_ref() == Some(&key) {
            continue;
        }
        let (name, content) = key;
        listed.ready.push(Pending { path, name, content });
    }
    Ok(listed)
}

/// The first input of a set that is over which was not counted as it is now, in words: it came since, or it was changed.
pub(super) fn uncounted(
    work: &Work<'_>,
    shadow: &Shadow,
    fact: &ShadowFact,
    known: &mut Known,
) -> Result<Option<String>, StepError> {
    for (name, path, meta) in files(work, shadow)? {
        let name = name.to_string_lossy().into_owned();
        let Some(content) = known.content(work, &path, &meta)? else {
            return Ok(Some(format!("the input `{name}` changed while it was read")));
        };
        if fact.inputs.contains_key(&(name.clone(), content)) {
            continue;
        }
        let is_known = fact.inputs.keys().any(|(counted, _)| *counted == name);
        let what = if is_known { "changed" } else { "came" };
        return Ok(Some(format!("the input `{name}` {what}")));
    }
    Ok(None)
}

/// Whether an input that came then is one of the shadow. One whose inode was touched after the end, and whose content is older,
/// may have come before it: it is run rather than left aside without a word.
fn is_of_the_period(shadow: &Shadow, fact: &ShadowFact, (came, written_ns): (Timestamp, i128)) -> bool {
    let began: Option<Timestamp> = fact.began.parse().ok();
    let until: Option<Timestamp> = fact.until.parse().ok();
    let is_early = shadow.only_new && began.is_some_and(|began| came < began);
    !is_early && until.is_none_or(|until| came <= until || written_ns <= until.as_nanosecond())
}

/// The files that are meant: as they are named, where they are, and what is known of them.
fn files(work: &Work<'_>, shadow: &Shadow) -> Result<Vec<(PathBuf, PathBuf, Meta)>, StepError> {
    let disk = work.world().disk.as_ref();
    let base = &shadow.inputs.root;
    let root = work.project.root.join(base);
    let Some(meta) = disk.look(&root)? else { return Ok(Vec::new()) };
    if meta.kind == FileKind::Symlink {
        return Err(StepError::not_now(
            format!(
                "the inputs of the shadow `{}` are looked for in `{}`, which is a link",
                shadow.name,
                base.display()
            ),
            "name the folder that it leads to in `inputs`",
        ));
    }
    if meta.kind == FileKind::File {
        return Ok(vec![(base.clone(), root, meta)]);
    }
    let mut files = Vec::new();
    for seen in walk(disk, &root, &[PathBuf::new()])? {
        let name = base.join(&seen.path);
        if seen.meta.kind == FileKind::File && shadow.inputs.means(&name) {
            files.push((name, root.join(&seen.path), seen.meta));
        }
    }
    Ok(files)
}

impl Known {
    /// The hash of a file's bytes; nothing for one that is gone, or was changed while it was read.
    fn content(&mut self, work: &Work<'_>, path: &Path, meta: &Meta) -> Result<Option<String>, StepError> {
        let print = fingerprint(meta);
        if let Some((then, content)) = self.0.get(path)
            && *then == print
        {
            return Ok(Some(content.clone()));
        }
        let disk = work.world().disk.as_ref();
        let read = disk.hash(path);
        if disk.look(path)?.is_none_or(|now| fingerprint(&now) != print) {
            return Ok(None);
        }
        let content = to_hex(&read?);
        self.0.insert(path.to_owned(), (print, content.clone()));
        Ok(Some(content))
    }
}

fn fingerprint(meta: &Meta) -> Fingerprint {
    (meta.identity.inode, meta.size, meta.mtime_ns, meta.ctime_ns)
}
