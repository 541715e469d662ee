//! Content of which only bytes are known.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::world::{Disk, DiskError};

/// How much is looked at at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Whether the content of `short` is what `long` begins with.
pub(super) fn is_beginning(disk: &dyn Disk, short: &Path, long: &Path) -> Result<bool, DiskError> {
    let (mut one, mut two) = (disk.open(short)?, disk.open(long)?);
    let (mut one_chunk, mut two_chunk) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    loop {
        let filled = fill(short, &mut one, &mut one_chunk)?;
        if filled == 0 {
            return Ok(true);
        }
        let other = fill(long, &mut two, &mut two_chunk[..filled])?;
        if one_chunk[..filled] != two_chunk[..other] {
            return Ok(false);
        }
    }
}

/// How many lines a text has; `None` when it is no text: not UTF-8, or with a NUL byte.
pub(super) fn lines(disk: &dyn Disk, path: &Path) -> Result<Option<u64>, DiskError> {
    let mut file = disk.open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    // The last bytes of a chunk may be the beginning of a character.
    let (mut kept, mut lines, mut last) = (0, 0, b'\n');
    loop {
        let filled = kept + fill(path, &mut file, &mut chunk[kept..])?;
        if filled == kept {
            return Ok((kept == 0).then_some(lines + u64::from(last != b'\n')));
        }
        let valid = match std::str::from_utf8(&chunk[..filled]) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Ok(None),
        };
        if chunk[..valid].contains(&0) {
            return Ok(None);
        }
        lines += chunk[..valid].split(|byte| *byte == b'\n').count() as u64 - 1;
        last = chunk[..valid].last().copied().unwrap_or(last);
        chunk.copy_within(valid..filled, 0);
        kept = filled - valid;
    }
}

/// The first bytes of a file, as many as there are.
pub(super) fn beginning(disk: &dyn Disk, path: &Path, bytes: usize) -> Result<Vec<u8>, DiskError> {
    let mut begin = vec![0; bytes];
    let filled = fill(path, &mut disk.open(path)?, &mut begin)?;
    begin.truncate(filled);
    Ok(begin)
}

/// Fills the chunk, unless the file ends before; says how far.
fn fill(path: &Path, file: &mut dyn Read, chunk: &mut [u8]) -> Result<usize, DiskError> {
    let mut filled = 0;
    while filled < chunk.len() {
        match file.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(DiskError::new("read", path, error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    #[test]
    fn lines_are_counted_across_chunks_and_only_in_text() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, content: &[u8], expected: Option<u64>| {
            let path = folder.path().join(name);
            RealDisk.write_new(&path, 0o644, &mut &content[..]).unwrap();
            assert_eq!(lines(&RealDisk, &path).unwrap(), expected, "{name}");
        };
        check("empty", b"", Some(0));
        check("two", b"a\nb", Some(2));
        check("ended", b"a\nb\n", Some(2));
        check("nul", b"a\0b\n", None);
        check("latin", b"caf\xe9\n", None);
        check("cut", b"caf\xc3", None);
        // A character that lies across the end of the first chunk.
        let mut long = vec![b'x'; CHUNK_BYTES - 1];
        long.extend("é\nz".as_bytes());
        check("long", &long, Some(2));
    }

    #[test]
    fn a_beginning_is_the_same_bytes_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            RealDisk.write_new(&path, 0o644, &mut &content[..]).unwrap();
            path
        };
        let (whole, part) = (file("whole", b"abcdef"), file("part", b"abc"));
        let (other, empty) = (file("other", b"abx"), file("empty", b""));
        for (short, expected) in [(&part, true), (&other, false), (&empty, true), (&whole, true)] {
            assert_eq!(is_beginning(&RealDisk, short, &whole).unwrap(), expected, "{}", short.display());
        }
        assert!(!is_beginning(&RealDisk, &whole, &part).unwrap());
    }
}
