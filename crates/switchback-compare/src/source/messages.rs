//! The messages of an Arrow IPC file or stream, looked at before the library sets memory aside for what they say.
//!
//! The layout is that of the Arrow Columnar Format, *Serialization and Interprocess Communication (IPC)*.

use std::io::{Read, Seek, SeekFrom};

use arrow_ipc::{Block, FieldNode, Message, RecordBatch, root_as_footer, root_as_message};

/// What stands before the length of a message; files of old writers lack it.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// The length of the footer, and the magic word behind it.
const TAIL_BYTES: u64 = 10;
/// The most rows of one batch: more than a length of 32 bits can say is in no file that several programs read.
const BATCH_ROWS_MAX: i64 = i32::MAX as i64;
/// The most that compression may shrink a buffer: Zstandard stores 128 KiB of one byte in four.
const SHRINKING_MAX: u64 = 64 * 1024;

/// Reads from a file, and knows how long it is.
struct Source<R> {
    from: R,
    size: u64,
    /// How many bytes the largest message holds so far.
    largest: u64,
}

/// Refuses a file (with a footer) or a stream whose messages say more than there is. Answers how many bytes the largest
/// message holds, decompressed.
pub(super) fn check<R: Read + Seek>(mut from: R, has_footer: bool) -> Result<u64, String> {
    let size = from.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let mut source = Source { from, size, largest: 0 };
    if has_footer {
        source.check_file()?;
    } else {
        source.check_stream()?;
    }
    Ok(source.largest)
}

impl<R: Read + Seek> Source<R> {
    fn bytes(&mut self, start: u64, length: u64) -> Result<Vec<u8>, String> {
        if start.checked_add(length).is_none_or(|end| end > self.size) {
            return Err("it names bytes that are not there".to_owned());
        }
        self.from.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        (&mut self.from).take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 != length {
            return Err("it is cut off".to_owned());
        }
        Ok(bytes)
    }

    fn check_file(&mut self) -> Result<(), String> {
        let tail_start = self.size.checked_sub(TAIL_BYTES).ok_or("it is cut off")?;
        let tail = self.bytes(tail_start, TAIL_BYTES)?;
        let length = tail.first_chunk().map_or(-1, |length| i32::from_le_bytes(*length));
        let length = u64::try_from(length).map_err(|_| "the length of its footer is damaged")?;
        let start = tail_start.checked_sub(length).ok_or("its footer is longer than the file")?;
        let footer = self.bytes(start, length)?;
        let footer = root_as_footer(&footer).map_err(|_| "its footer is damaged")?;
        let blocks =
            footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
        for block in blocks {
            self.check_block(*block)?;
        }
        Ok(())
    }

    fn check_block(&mut self, block: Block) -> Result<(), String> {
        let wrong = |_| "its footer names a block of less than nothing".to_owned();
        let start = u64::try_from(block.offset()).map_err(wrong)?;
        let header_length = u64::try_from(block.metaDataLength()).map_err(wrong)?;
        let body_length = u64::try_from(block.bodyLength()).map_err(wrong)?;
        let header = self.bytes(start, header_length)?;
        let prefix = if header.starts_with(&CONTINUATION) { 8 } else { 4 };
        let header = header.get(prefix..).ok_or("a message is cut off")?;
        let message = root_as_message(header).map_err(|_| "a message is damaged")?;
        self.check_message(message, start.saturating_add(header_length), body_length)
    }

    fn check_stream(&mut self) -> Result<(), String> {
        let mut at = 0;
        while self.size - at >= 4 {
            let mut length = self.bytes(at, 4)?;
            at += 4;
            if length == CONTINUATION {
                if self.size - at < 4 {
                    break;
                }
                length = self.bytes(at, 4)?;
                at += 4;
            }
            let length = length.first_chunk().map_or(-1, |length| i32::from_le_bytes(*length));
            let length = u64::try_from(length).map_err(|_| "the length of a message is damaged")?;
            if length == 0 {
                break;
            }
            let header = self.bytes(at, length)?;
            let message = root_as_message(&header).map_err(|_| "a message is damaged")?;
            let body = at.saturating_add(length);
            let body_length =
                u64::try_from(message.bodyLength()).map_err(|_| "the length of a message is damaged")?;
            self.check_message(message, body, body_length)?;
            at = body.saturating_add(body_length);
        }
        Ok(())
    }

    fn check_message(&mut self, message: Message<'_>, body: u64, body_length: u64) -> Result<(), String> {
        if body.checked_add(body_length).is_none_or(|end| end > self.size) {
            return Err("a message names more bytes than there are".to_owned());
        }
        let batch = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch().and_then(|batch| batch.data()));
        batch.map_or(Ok(()), |batch| self.check_batch(batch, body, body_length))
    }

    fn check_batch(&mut self, batch: RecordBatch<'_>, body: u64, body_length: u64) -> Result<(), String> {
        let lengths = batch.nodes().into_iter().flatten().map(FieldNode::length);
        if let Some(rows) = lengths.chain([batch.length()]).find(|rows| !(0..=BATCH_ROWS_MAX).contains(rows))
        {
            return Err(format!("a batch has {rows} rows; 0 to {BATCH_ROWS_MAX} can be read"));
        }
        self.largest = self.largest.max(body_length);
        if batch.compression().is_none() {
            return Ok(());
        }
        let mut content = 0_u64;
        for buffer in batch.buffers().into_iter().flatten() {
            let (Ok(offset), Ok(length)) = (u64::try_from(buffer.offset()), u64::try_from(buffer.length()))
            else {
                return Err("a buffer has less than no bytes".to_owned());
            };
            if length < 8 {
                continue;
            }
            if offset.checked_add(length).is_none_or(|end| end > body_length) {
                return Err("a buffer lies outside of its message".to_owned());
            }
            let prefix = self.bytes(body.saturating_add(offset), 8)?;
            let size = prefix.first_chunk().map_or(-1, |size| i64::from_le_bytes(*size));
            // -1: it is not compressed.
            let size = u64::try_from(size).unwrap_or(0);
            if size > length.saturating_mul(SHRINKING_MAX) {
                return Err(format!("{length} bytes are said to hold {size} bytes, compressed"));
            }
            reservable(size)?;
            content = content.saturating_add(size);
        }
        self.largest = self.largest.max(content);
        Ok(())
    }
}

/// Whether that much memory could be had at all: the library would end the program.
fn reservable(bytes: u64) -> Result<(), String> {
    let size = usize::try_from(bytes).map_err(|error| error.to_string())?;
    Vec::<u8>::new().try_reserve_exact(size).map_err(|_| format!("a buffer takes {bytes} bytes of memory"))
}
