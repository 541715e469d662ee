//! Tar in frames of zstd, one an entry: manifest and statement in frames without compression, which are written here, because
//! each of their bytes follows from their content; the others are held against a hash.
//!
//! Frames one after the other are one stream (RFC 8878, section 3), so any program reads it that reads `tar.zst`.

use std::io::{Error, Read, Result, Seek, SeekFrom};

use tar::{EntryType, Header};

use crate::format::{Entry, EntryKind};
use crate::packing::Wrapping;

const BLOCK_BYTES: u64 = 512;
/// Two empty blocks end a tape.
pub(crate) const END_BYTES: usize = 1_024;
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The size of the content stands in 8 bytes; no check sum, no dictionary.
const FRAME: u8 = 0xc0;
/// A window of 128 KiB, which is as long as a block may be.
const WINDOW: u8 = 0x38;
const RAW_BYTES_MAX: usize = 128 << 10;
const FRAME_HEAD_BYTES: usize = 14;
/// A frame may not ask for a larger window: 128 MiB.
pub(crate) const WINDOW_LOG_MAX: u32 = 27;

/// What stands around the content of an entry.
pub(crate) fn wrapping(entry: &Entry, seconds: u64) -> Result<Wrapping> {
    let kind = if entry.kind == EntryKind::Link { EntryType::Symlink } else { EntryType::Regular };
    let bytes = if entry.kind == EntryKind::Link { 0 } else { entry.bytes };
    let head = head(&entry.path, kind, entry.executable, bytes, entry.target.as_deref(), seconds)?;
    Ok(Wrapping { head, zeros: bytes.next_multiple_of(BLOCK_BYTES) - bytes })
}

/// Manifest or statement as an entry, content and all.
pub(crate) fn stored(name: &str, content: &[u8], seconds: u64) -> Result<Vec<u8>> {
    let mut all = head(name, EntryType::Regular, false, content.len() as u64, None, seconds)?;
    all.extend_from_slice(content);
    all.resize(usize::try_from((all.len() as u64).next_multiple_of(BLOCK_BYTES)).unwrap_or(usize::MAX), 0);
    Ok(all)
}

/// The header of an entry, with what long names need before it.
fn head(
    path: &str,
    kind: EntryType,
    executable: bool,
    bytes: u64,
    target: Option<&str>,
    seconds: u64,
) -> Result<Vec<u8>> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(match kind {
        EntryType::Symlink => 0o777,
        _ if executable => 0o755,
        _ => 0o644,
    });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(seconds);
    header.set_size(bytes);
    let mut tape = tar::Builder::new(Vec::new());
    match target {
        Some(target) => tape.append_link(&mut header, path, target)?,
        None => tape.append_data(&mut header, path, std::io::empty())?,
    }
    Ok(tape.get_ref().clone())
}

/// A frame of zstd that holds `content` as it is.
pub(crate) fn raw_frame(content: &[u8]) -> Vec<u8> {
    let mut frame = MAGIC.to_vec();
    frame.extend_from_slice(&[FRAME, WINDOW]);
    frame.extend_from_slice(&(content.len() as u64).to_le_bytes());
    let mut blocks = content.chunks(RAW_BYTES_MAX).peekable();
    if content.is_empty() {
        frame.extend_from_slice(&[1, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        // The last bit says whether it is the last one; the two above it, that it is raw.
        let head = (block.len() << 3) | usize::from(blocks.peek().is_none());
        frame.extend_from_slice(&head.to_le_bytes()[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

/// Reads the content of such a frame, which has at most so many bytes. `None`: it is none.
pub(crate) fn read_raw_frame(reader: &mut dyn Read, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let mut head = [0; FRAME_HEAD_BYTES];
    reader.read_exact(&mut head)?;
    let mut size = [0; 8];
    size.copy_from_slice(&head[6..]);
    let size = u64::from_le_bytes(size);
    if head[..4] != MAGIC || head[4] != FRAME || head[5] != WINDOW || size > bytes_max {
        return Ok(None);
    }
    let mut content = Vec::new();
    loop {
        let mut head = [0; 3];
        reader.read_exact(&mut head)?;
        let head = u64::from(u32::from_le_bytes([head[0], head[1], head[2], 0]));
        let (is_last, is_raw, bytes) = (head & 1 == 1, (head >> 1).is_multiple_of(4), head >> 3);
        if !is_raw || content.len() as u64 + bytes > size {
            return Ok(None);
        }
        if reader.take(bytes).read_to_end(&mut content)? as u64 != bytes {
            return Err(Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        if is_last {
            return Ok((content.len() as u64 == size).then_some(content));
        }
    }
}

/// The content of an entry that [`stored`] made, where it has that name.
pub(crate) fn content_of<'a>(tape: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let block = usize::try_from(BLOCK_BYTES).ok()?;
    let header = Header::from_byte_slice(tape.get(..block)?);
    let bytes = usize::try_from(header.size().ok()?).ok()?;
    if *header.path_bytes() != *name.as_bytes() {
        return None;
    }
    tape.get(block..block.checked_add(bytes)?)
}

/// The name of the entry in the frame at a place, where there is one.
pub(crate) fn name_at<R: Read + Seek>(reader: &mut R, offset: u64) -> Option<String> {
    /// No name is longer, and no more of it is unpacked.
    const NAME_BYTES_MAX: u64 = 16 << 10;
    reader.seek(SeekFrom::Start(offset)).ok()?;
    let mut decoder = zstd::stream::read::Decoder::new(reader).ok()?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).ok()?;
    let mut tape = tar::Archive::new(decoder.take(NAME_BYTES_MAX));
    let entry = tape.entries().ok()?.next()?.ok()?;
    Some(String::from_utf8_lossy(&entry.path_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_frame_is_one_of_zstd_and_comes_back() {
        for bytes in [0, 1, RAW_BYTES_MAX, RAW_BYTES_MAX + 1, 3 * RAW_BYTES_MAX] {
            let content: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let frame = raw_frame(&content);
            assert_eq!(zstd::stream::decode_all(&frame[..]).unwrap(), content, "{bytes}");
            assert_eq!(read_raw_frame(&mut &frame[..], bytes as u64).unwrap(), Some(content), "{bytes}");
            if bytes > 0 {
                assert_eq!(read_raw_frame(&mut &frame[..], bytes as u64 - 1).unwrap(), None);
            }
        }
    }

    #[test]
    fn an_entry_has_its_header_also_where_its_name_is_long() {
        let long = format!("tree/{}", "d/".repeat(100) + "x");
        for path in ["tree/a", long.as_str()] {
            let mut entry = crate::format::tests::entry(path);
            entry.bytes = 600;
            let wrapping = wrapping(&entry, 5).unwrap();
            let mut all = wrapping.head;
            all.resize(all.len() + 600, b'x');
            all.resize(all.len() + usize::try_from(wrapping.zeros).unwrap() + END_BYTES, 0);
            let mut tape = tar::Archive::new(&all[..]);
            let found = tape.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(found.path().unwrap().to_str().unwrap(), path);
            assert_eq!((found.size(), found.header().mtime().unwrap()), (600, 5));
        }
    }
}
