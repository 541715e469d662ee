//! Parquet's footer and page headers, walked through before the library sets memory aside for what they count.

use std::fs::File;
use std::os::unix::fs::FileExt;

use parquet::file::metadata::ColumnChunkMetaData;

use super::guard::guarded;
use super::thrift::{Fault, walk};

/// What a file ends in (Parquet format, *File format*); an encrypted footer ends otherwise, and is not looked at.
const MAGIC: &[u8; 4] = b"PAR1";
/// The length of the footer, and what the file ends in.
const TAIL_BYTES: u64 = 8;
/// How much is read for a page's header at first; statistics may make it longer.
const HEADER_BYTES: u64 = 4 * 1024;
/// A page up to this size, decompressed, is never refused: some writers count a chunk's bytes wrongly.
const PAGE_BYTES_TRUSTED: u64 = 64 * 1024 * 1024;

/// Refuses a footer that counts more than it holds. What else is wrong with it, the library says.
pub(super) fn check_footer(file: &File) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let size = file.metadata().map_err(failed)?.len();
    let Some(tail_start) = size.checked_sub(TAIL_BYTES) else { return Ok(()) };
    let mut tail = [0; 8];
    file.read_exact_at(&mut tail, tail_start).map_err(failed)?;
    let [a, b, c, d, magic @ ..] = tail;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let Some(start) = tail_start.checked_sub(length).filter(|_| magic == *MAGIC) else { return Ok(()) };
    let mut footer = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
    file.read_exact_at(&mut footer, start).map_err(failed)?;
    match walk(&footer, &mut |_, _, _| {}) {
        Ok(_) => Ok(()),
        Err(Fault::CutOff) => Err("its footer counts more than it holds".to_owned()),
        Err(Fault::Wrong) => Err("its footer is damaged".to_owned()),
    }
}

/// Where in the file a column chunk lies: its first byte and its length.
pub(super) fn byte_range(chunk: &ColumnChunkMetaData) -> Result<(u64, u64), String> {
    guarded(|| Ok::<_, String>(chunk.byte_range()))
}

/// Refuses a column chunk with a page that is said to be larger than the whole chunk, or than `page_bytes_max`.
pub(super) fn check_pages(
    file: &File,
    chunk: &ColumnChunkMetaData,
    page_bytes_max: u64,
) -> Result<(), PageFault> {
    let damaged = |reason: &str| PageFault::Damaged(reason.to_owned());
    let (mut at, length) = byte_range(chunk).map_err(PageFault::Damaged)?;
    let end = at.checked_add(length).ok_or_else(|| damaged("its footer names bytes that are not there"))?;
    let chunk_bytes = u64::try_from(chunk.uncompressed_size()).unwrap_or(0).max(PAGE_BYTES_TRUSTED);
    while at < end {
        let header = read_header(file, at, end)?;
        let size = |bytes: Option<i64>| {
            bytes
                .and_then(|bytes| u64::try_from(bytes).ok())
                .ok_or_else(|| damaged("the header of a page has no size"))
        };
        if size(header.uncompressed)? > chunk_bytes {
            return Err(damaged("the header of a page names more bytes than its column has"));
        }
        if size(header.uncompressed)? > page_bytes_max {
            return Err(PageFault::Large);
        }
        at = at.saturating_add(header.length).saturating_add(size(header.compressed)?);
    }
    Ok(())
}

/// How many bytes a value of a column chunk takes on average, decoded: what a dictionary keeps once stands in many rows.
pub(super) fn value_bytes(file: &File, chunk: &ColumnChunkMetaData) -> u64 {
    let size = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let values = size(chunk.num_values()).max(1);
    let encoded = size(chunk.uncompressed_size()) / values;
    if let Some(bytes) = chunk.unencoded_byte_array_data_bytes() {
        return encoded.max(size(bytes) / values);
    }
    let dictionary = chunk.dictionary_page_offset().and_then(|_| {
        let (at, length) = byte_range(chunk).ok()?;
        let header = read_header(file, at, at.checked_add(length)?).ok()?;
        Some(size(header.uncompressed?) / size(header.dictionary_values?).max(1))
    });
    encoded.max(dictionary.unwrap_or(0))
}

/// Why a page is not read.
#[derive(Debug)]
pub(super) enum PageFault {
    Damaged(String),
    /// It takes more memory than is allowed.
    Large,
}

/// What the header of a page says: its own length, and that of the content.
struct PageHeader {
    length: u64,
    uncompressed: Option<i64>,
    compressed: Option<i64>,
    /// How many values a dictionary has; other pages have none.
    dictionary_values: Option<i64>,
}

fn read_header(file: &File, at: u64, end: u64) -> Result<PageHeader, PageFault> {
    let mut window = HEADER_BYTES;
    loop {
        let readable = window.min(end - at);
        let mut bytes = vec![0; usize::try_from(readable).unwrap_or(0)];
        file.read_exact_at(&mut bytes, at).map_err(|error| {
            PageFault::Damaged(format!("its footer names bytes that are not there ({error})"))
        })?;
        let (mut uncompressed, mut compressed, mut dictionary_values) = (None, None, None);
        let walked = walk(&bytes, &mut |within, field, value| match (within, field) {
            (0, 2) => uncompressed = Some(value),
            (0, 3) => compressed = Some(value),
            (7, 1) => dictionary_values = Some(value),
            _ => {}
        });
        match walked {
            Ok(length) => {
                let length = length as u64;
                return Ok(PageHeader { length, uncompressed, compressed, dictionary_values });
            }
            Err(Fault::CutOff) if readable < end - at && window < PAGE_BYTES_TRUSTED => window *= 4,
            Err(_) => return Err(PageFault::Damaged("the header of a page is damaged".to_owned())),
        }
    }
}
