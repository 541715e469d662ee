//! The front of a package: its manifest, and the statement about it. Nothing is unpacked for that.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use crate::format::{Form, MANIFEST_BYTES_MAX, Manifest, STATEMENT_BYTES_MAX};
use crate::{MANIFEST, PackageError, STATEMENT, names, taped, zipped};

const NONE: &str = "it is no package of Switchback: it does not begin with a manifest";
/// Room for headers around manifest and statement.
const HEADERS_BYTES: u64 = 4_096;

/// What a package says of itself. Nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// Its manifest.
    pub manifest: Manifest,
    /// The bytes of that.
    pub text: Vec<u8>,
    /// The statement about it.
    pub statement: Vec<u8>,
}

/// Reads the front of a package.
///
/// # Errors
///
/// When it is none, or its manifest says what nobody may act upon.
pub fn open<R: Read + Seek>(reader: &mut R) -> Result<Front, PackageError> {
    let cut = |error: std::io::Error| match error.kind() {
        ErrorKind::UnexpectedEof => {
            PackageError::refused("it ends before its manifest, and what is said about that, do")
        }
        _ => PackageError::Read(error),
    };
    reader.seek(SeekFrom::Start(0))?;
    let mut mark = Vec::new();
    reader.take(4).read_to_end(&mut mark)?;
    reader.seek(SeekFrom::Start(0))?;
    let (form, text, statement) = match mark.as_slice() {
        b"PK\x03\x04" => {
            let text = zipped::read_stored(reader, MANIFEST, MANIFEST_BYTES_MAX).map_err(cut)?;
            let text = text.ok_or_else(|| PackageError::refused(NONE))?;
            let statement = zipped::read_stored(reader, STATEMENT, STATEMENT_BYTES_MAX).map_err(cut)?;
            (Form::Zip, text, statement)
        }
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut next = |name: &str, bytes_max: u64| -> Result<Option<Vec<u8>>, PackageError> {
                let tape = taped::read_raw_frame(reader, bytes_max + HEADERS_BYTES).map_err(cut)?;
                Ok(tape.and_then(|tape| taped::content_of(&tape, name).map(<[u8]>::to_vec)))
            };
            let text = next(MANIFEST, MANIFEST_BYTES_MAX)?.ok_or_else(|| PackageError::refused(NONE))?;
            (Form::TarZst, text, next(STATEMENT, STATEMENT_BYTES_MAX)?)
        }
        _ => return Err(PackageError::refused(NONE)),
    };
    let statement = statement
        .ok_or_else(|| PackageError::refused("what follows its manifest is not the statement about that"))?;
    let unreadable = |why: String| PackageError::Refused(format!("its manifest cannot be read: {why}"));
    let manifest = Manifest::read(&text).map_err(unreadable)?;
    if manifest.form != form {
        let (says, is) = (manifest.form.word(), form.word());
        return Err(PackageError::Refused(format!("its manifest says that it is {says}, and it is {is}")));
    }
    names::look(&manifest)?;
    Ok(Front { manifest, text, statement })
}
