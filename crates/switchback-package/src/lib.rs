//! Packages of a change: one archive, whose manifest decides every byte of it.
//!
//! In the order of the data: [`mod@format`] is the manifest, and `names` says which names can stand in one; `packing` packs the
//! content of an entry, twice the same (`deflating`, in blocks of `steady`); [`layout`] says which bytes stand around it (`zipped` and `taped` for the two formats);
//! [`writing`] is the archive as a stream; [`reading`] reads the front of one, and holds each of its bytes against what the
//! manifest says.
//!
//! A package begins with its manifest, and with a statement about that: whoever signs it signs everything. All other bytes of the
//! archive follow from the manifest, or are held against a hash in it; what is put before, between or behind them is found.
//!
//! This crate reads and writes through readers that it is given. It knows no disk, no project and no key.

mod deflating;
pub mod format;
mod front;
pub mod layout;
mod names;
mod packing;
pub mod reading;
mod steady;
mod taped;
pub mod writing;
mod zipped;

pub use format::{Entry, EntryKind, Form, Manifest, Packed, Tree};
pub use names::ENTRIES_MAX;
pub use packing::sha256;
pub use reading::{Fault, Front, content, open, walk};
pub use writing::{Archive, Draft, Source, measure};

/// The name of the manifest, the first entry of a package.
pub const MANIFEST: &str = "switchback-package.json";
/// The name of the statement about it, the second entry: an envelope of DSSE, or the bare statement.
pub const STATEMENT: &str = "switchback-package.statement.json";
/// The folder in which the candidate is.
pub const TREE: &str = "tree";

/// A package that is not one, or that nobody may read any further.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The stream failed.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// What is wrong with it, and where, in words that may follow its name.
    #[error("{0}")]
    Refused(String),
}

impl PackageError {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

/// A text that somebody else made up, on one line, without anything that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_CHARACTERS_MAX: usize = 120;
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
