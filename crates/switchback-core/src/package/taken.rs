//! Which package the candidate of a phase came from, by the journal.

use std::path::{Path, PathBuf};

use super::certified::Certificate;
use super::{CERTIFICATE, unusable};
use crate::certificate::verify::CERTIFICATE_BYTES_MAX;
use crate::journal::Event;
use crate::manifest::to_hex;
use crate::phase::{StepError, Work};
use crate::plan::Phase;
use crate::world::FileKind;

/// A package that was received, and from which a phase took its candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// What it is called.
    pub(super) name: String,
    /// Its number.
    pub(super) sequence: u64,
    /// The hash of its manifest.
    pub(super) manifest: String,
    /// The hash of the file.
    pub(super) archive: String,
    /// Where it was put, relative to the project.
    pub(super) path: PathBuf,
    /// Whether that file is there, and still the same.
    pub(super) is_there: bool,
}

/// The package that was at the place of the phase's archive when its candidate was staged; `None`: none was received there.
pub(super) fn taken(work: &Work<'_>, phase: &Phase, transaction: &str) -> Result<Option<Taken>, StepError> {
    let archives: Vec<&str> = phase.changes.iter().filter_map(|change| change.change.archive()).collect();
    let records = work.records()?;
    let is_stage =
        |event: &Event| matches!(event, Event::StageStarted { transaction: id, .. } if id == transaction);
    let Some(at) = records.iter().rposition(|record| is_stage(&record.event)) else { return Ok(None) };
    for record in records[..at].iter().rev() {
        let Event::Received { package, sequence, manifest, archive, path, .. } = &record.event else {
            continue;
        };
        if !archives.iter().any(|from| Path::new(from) == Path::new(path)) {
            continue;
        }
        let path = PathBuf::from(path);
        let file = work.project.root.join(&path);
        let disk = work.world().disk.as_ref();
        let is_file = disk.look(&file)?.is_some_and(|meta| meta.kind == FileKind::File);
        return Ok(Some(Taken {
            name: package.clone(),
            sequence: *sequence,
            manifest: manifest.clone(),
            archive: archive.clone(),
            is_there: is_file && to_hex(&disk.hash(&file)?) == *archive,
            path,
        }));
    }
    Ok(None)
}

/// The certificate in a package; `None` where it has none, or is not there any more.
pub(super) fn certificate_in(work: &Work<'_>, taken: &Taken) -> Result<Option<Certificate>, StepError> {
    if !taken.is_there {
        return Ok(None);
    }
    let file = work.project.root.join(&taken.path);
    let mut reader = work.world().disk.open_seekable(&file)?;
    let front = switchback_package::open(&mut reader).map_err(|error| unusable(&file, error))?;
    let found = switchback_package::content(&mut reader, &front, CERTIFICATE, CERTIFICATE_BYTES_MAX)
        .map_err(|error| unusable(&file, error))?;
    let name = format!("the certificate in the package {} {}", taken.name, taken.sequence);
    Ok(found.map(|content| Certificate { name, content }))
}
