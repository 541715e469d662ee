//! The cheapest proof: the same bytes. And the only one for files of no known format.

use std::io::Read;
use std::path::Path;

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use crate::error::CompareError;
use crate::plan::Pair;
use crate::report::{Detail, FileDetail, FileSize, Item, Kind, Proof, Relation};

/// How much of each file is looked at at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Whether two files hold the same bytes.
pub(crate) fn same_bytes(disk: &dyn Disk, old: &Path, new: &Path) -> Result<bool, CompareError> {
    let (mut one, mut two) = (disk.open(old)?, disk.open(new)?);
    let (mut one_chunk, mut two_chunk) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    loop {
        let one_filled = fill(old, &mut one, &mut one_chunk)?;
        let two_filled = fill(new, &mut two, &mut two_chunk)?;
        if one_chunk.get(..one_filled) != two_chunk.get(..two_filled) {
            return Ok(false);
        }
        if one_filled == 0 {
            return Ok(true);
        }
    }
}

/// Fills the chunk, unless the file ends before; says how far.
fn fill(path: &Path, file: &mut impl Read, chunk: &mut [u8]) -> Result<usize, CompareError> {
    let mut filled = 0;
    while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(DiskError::new("read", path, error).into()),
        }
    }
    Ok(filled)
}

/// Compares two files of no known format.
pub(crate) fn compare(pair: &Pair, disk: &dyn Disk) -> Result<Item, CompareError> {
    let same = same_bytes(disk, &pair.old, &pair.new)?;
    let not_compared =
        if same { Vec::new() } else { vec!["only bytes were compared: the format is not known".to_owned()] };
    let detail = FileDetail { old: size(disk, &pair.old)?, new: size(disk, &pair.new)?, not_compared };
    Ok(item(pair, same, detail))
}

/// Compares two links that lead to no file, by their targets.
pub(crate) fn compare_links(pair: &Pair, disk: &dyn Disk) -> Result<Item, CompareError> {
    let target = |path: &Path| match disk.look(path)? {
        Some(meta) if meta.kind == switchback_core::world::FileKind::Symlink => {
            disk.read_link(path).map(Some)
        }
        _ => Ok(None),
    };
    let (old, new) = (target(&pair.old)?, target(&pair.new)?);
    let same = old.is_some() && old == new;
    let bytes = |target: Option<std::path::PathBuf>| FileSize {
        bytes: target.map_or(0, |target| target.as_os_str().len() as u64),
    };
    let not_compared = vec!["only the targets of the links were compared".to_owned()];
    Ok(item(pair, same, FileDetail { old: bytes(old), new: bytes(new), not_compared }))
}

fn item(pair: &Pair, same: bool, detail: FileDetail) -> Item {
    Item {
        name: pair.name.clone(),
        kind: Kind::File,
        verdict: if same { Verdict::Yes } else { Verdict::No },
        proof: Proof::Bytes,
        relation: Some(if same { Relation::Bytes } else { Relation::Different }),
        detail: Detail::File(detail),
    }
}

fn size(disk: &dyn Disk, path: &Path) -> Result<FileSize, CompareError> {
    let meta = disk.look(path)?.ok_or_else(|| CompareError::Missing { path: path.to_owned() })?;
    Ok(FileSize { bytes: meta.size })
}
