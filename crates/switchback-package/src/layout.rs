//! Which bytes stand in a package, one part after the other: those that follow from the manifest, and the packed contents.

use crate::format::{Entry, Form, Manifest};
use crate::packing::Wrapping;
use crate::zipped::{self, Member};
use crate::{MANIFEST, STATEMENT, names, taped};

/// One part of a package.
#[derive(Debug)]
pub enum Part {
    /// These bytes, and no other ones.
    Fixed(Place, Vec<u8>),
    /// The packed content of the entry of that number.
    Packed(usize),
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The manifest, and what stands before it.
    Manifest,
    /// The statement about it, and what stands before it.
    Statement,
    /// The header of an entry.
    Header(usize),
    /// What the directory at the end says about the manifest (0), the statement (1), and the entries (from 2).
    Directory(usize),
    /// What ends it.
    End,
}

/// The layout of one package.
#[derive(Debug)]
pub struct Layout<'a> {
    manifest: &'a Manifest,
    text: &'a [u8],
    statement: &'a [u8],
    seconds: u64,
    /// Where the headers of manifest, statement and entries are in a zip, and then where its directory is.
    offsets: Vec<u64>,
}

impl<'a> Layout<'a> {
    /// That of this manifest, of its bytes, and of the statement about it.
    ///
    /// # Errors
    ///
    /// When the manifest says something that nobody may act upon.
    pub fn new(
        manifest: &'a Manifest,
        text: &'a [u8],
        statement: &'a [u8],
    ) -> Result<Self, crate::PackageError> {
        names::look(manifest)?;
        let seconds = names::seconds(manifest)?;
        let mut layout = Self { manifest, text, statement, seconds, offsets: Vec::new() };
        if manifest.form == Form::Zip {
            let mut at = 0_u64;
            for number in 0..manifest.entries.len() + 2 {
                layout.offsets.push(at);
                let packed = match number {
                    0 => text.len() as u64,
                    1 => statement.len() as u64,
                    number => manifest.entries[number - 2].packed.bytes,
                };
                at += layout.member(number).local().len() as u64 + packed;
            }
            layout.offsets.push(at);
        }
        Ok(layout)
    }

    /// The part of that number; `None` behind the last one.
    ///
    /// # Errors
    ///
    /// When an entry has a name that the format cannot hold.
    pub fn part(&self, number: usize) -> std::io::Result<Option<Part>> {
        match self.manifest.form {
            Form::Zip => Ok(self.zip_part(number)),
            Form::TarZst => self.tape_part(number),
        }
    }

    fn zip_part(&self, number: usize) -> Option<Part> {
        let entries = self.manifest.entries.len();
        let fixed = |place: Place, bytes: Vec<u8>| Some(Part::Fixed(place, bytes));
        match number {
            0 => return fixed(Place::Manifest, self.member(0).local()),
            1 => return fixed(Place::Manifest, self.text.to_vec()),
            2 => return fixed(Place::Statement, self.member(1).local()),
            3 => return fixed(Place::Statement, self.statement.to_vec()),
            _ => {}
        }
        let behind = number - 4;
        if behind < 2 * entries {
            let at = behind / 2;
            let is_header = behind.is_multiple_of(2);
            return if is_header {
                fixed(Place::Header(at), self.member(at + 2).local())
            } else {
                Some(Part::Packed(at))
            };
        }
        let listed = behind - 2 * entries;
        if listed < entries + 2 {
            return fixed(Place::Directory(listed), self.member(listed).central(self.offsets[listed]));
        }
        if listed > entries + 2 {
            return None;
        }
        let directory: u64 =
            (0..entries + 2).map(|at| self.member(at).central(self.offsets[at]).len() as u64).sum();
        fixed(Place::End, zipped::end(entries as u64 + 2, directory, self.offsets[entries + 2]))
    }

    fn tape_part(&self, number: usize) -> std::io::Result<Option<Part>> {
        let entries = self.manifest.entries.len();
        Ok(match number {
            0 => {
                let tape = taped::stored(MANIFEST, self.text, self.seconds)?;
                Some(Part::Fixed(Place::Manifest, taped::raw_frame(&tape)))
            }
            1 => {
                let tape = taped::stored(STATEMENT, self.statement, self.seconds)?;
                Some(Part::Fixed(Place::Statement, taped::raw_frame(&tape)))
            }
            number if number < entries + 2 => Some(Part::Packed(number - 2)),
            number if number == entries + 2 => {
                Some(Part::Fixed(Place::End, taped::raw_frame(&[0; taped::END_BYTES])))
            }
            _ => None,
        })
    }

    fn member(&self, number: usize) -> Member<'a> {
        match number {
            0 => Member::stored(MANIFEST, self.text, self.seconds),
            1 => Member::stored(STATEMENT, self.statement, self.seconds),
            number => Member::of(&self.manifest.entries[number - 2], self.seconds),
        }
    }

    /// What is packed around the content of an entry.
    pub(crate) fn wrapping(&self, entry: &Entry) -> std::io::Result<Wrapping> {
        wrapping(entry, self.manifest.form, self.seconds)
    }

    /// The entry of that number.
    pub(crate) fn entry(&self, at: usize) -> &'a Entry {
        &self.manifest.entries[at]
    }

    pub(crate) fn form(&self) -> Form {
        self.manifest.form
    }

    pub(crate) fn manifest(&self) -> &'a Manifest {
        self.manifest
    }
}

/// What is packed around the content of an entry.
pub(crate) fn wrapping(entry: &Entry, form: Form, seconds: u64) -> std::io::Result<Wrapping> {
    match form {
        Form::Zip => Ok(Wrapping::default()),
        Form::TarZst => taped::wrapping(entry, seconds),
    }
}
