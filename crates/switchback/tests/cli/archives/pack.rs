//! Archives byte by byte, so that each of them can lie.

use std::io::Write;

/// A tar archive that is being written.
#[derive(Default)]
pub(super) struct Tape(Vec<u8>);

/// What a header of a tar archive says.
#[derive(Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: u8,
    pub(super) link: &'a [u8],
    pub(super) mode: u32,
    pub(super) size: u64,
}

impl Default for Header<'_> {
    fn default() -> Self {
        Self { name: b"src/app.py", kind: b'0', link: b"", mode: 0o644, size: 0 }
    }
}

impl Header<'_> {
    /// The block; a size of 8 GiB and more as GNU writes it.
    pub(super) fn block(&self) -> [u8; 512] {
        let mut block = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, self.name);
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        if self.size >> 33 == 0 {
            put(124, format!("{:011o}", self.size).as_bytes());
        } else {
            put(124, &[0x80, 0, 0, 0]);
            put(128, &self.size.to_be_bytes());
        }
        put(136, b"14000000000");
        put(156, &[self.kind]);
        put(157, self.link);
        put(257, b"ustar\x0000");
        sealed(block)
    }
}

/// A header with the sum that it has to have.
pub(super) fn sealed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

impl Tape {
    /// One with the file that makes it a candidate.
    pub(super) fn new() -> Self {
        Self::default().file("src/app.py", "VERSION = 2\n")
    }

    pub(super) fn file(self, name: &str, content: &str) -> Self {
        self.entry(Header { name: name.as_bytes(), ..Header::default() }, content.as_bytes())
    }

    /// A header with the size of its content, and the content.
    pub(super) fn entry(self, header: Header<'_>, content: &[u8]) -> Self {
        self.lying(Header { size: content.len() as u64, ..header }, content)
    }

    /// A header that says whatever it says, and content.
    pub(super) fn lying(self, header: Header<'_>, content: &[u8]) -> Self {
        self.raw(&header.block())
            .raw(content)
            .raw(&vec![0; content.len().next_multiple_of(512) - content.len()])
    }

    pub(super) fn symlink(self, name: &str, target: &str) -> Self {
        let header =
            Header { name: name.as_bytes(), kind: b'2', link: target.as_bytes(), mode: 0o777, size: 0 };
        self.entry(header, b"")
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        let header =
            Header { name: name.as_bytes(), kind: b'1', link: target.as_bytes(), ..Header::default() };
        self.entry(header, b"")
    }

    pub(super) fn of_kind(self, kind: u8, name: &str) -> Self {
        self.entry(Header { name: name.as_bytes(), kind, ..Header::default() }, b"")
    }

    /// An extended header of POSIX with these records, for the next entry or (`g`) for all.
    pub(super) fn records(self, kind: u8, records: &[(&str, &[u8])]) -> Self {
        let mut content = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let length =
                (1..1_usize << 30).find(|length| length.to_string().len() + rest == *length).unwrap();
            content.extend_from_slice(format!("{length} {key}=").as_bytes());
            content.extend_from_slice(value);
            content.push(b'\n');
        }
        self.entry(Header { name: b"PaxHeaders/app.py", kind, ..Header::default() }, &content)
    }

    /// A long name as GNU writes it.
    pub(super) fn long(self, kind: u8, name: &[u8]) -> Self {
        self.entry(Header { name: b"././@LongLink", kind, ..Header::default() }, &[name, b"\0"].concat())
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// With the end mark.
    pub(super) fn ended(self) -> Vec<u8> {
        self.raw(&[0; 1024]).0
    }

    /// Without one.
    pub(super) fn cut(self) -> Vec<u8> {
        self.0
    }
}

/// Compressed as one member.
pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A member of a zip archive, and what is said of it.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) is_deflated: bool,
    /// The method that is named, where it is another one.
    pub(super) method: Option<u16>,
    pub(super) flags: u16,
    pub(super) mode: u32,
    /// The size that is told, where it is another one.
    pub(super) size: Option<u32>,
    pub(super) sum: Option<u32>,
    pub(super) is_zip64: bool,
}

impl Member {
    pub(super) fn new(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            content: content.as_ref().to_vec(),
            is_deflated: true,
            method: None,
            flags: 0,
            mode: 0o100_644,
            size: None,
            sum: None,
            is_zip64: false,
        }
    }

    fn sum(&self) -> u32 {
        let mut sum = flate2::Crc::new();
        sum.update(&self.content);
        self.sum.unwrap_or(sum.sum())
    }

    fn packed(&self) -> Vec<u8> {
        if !self.is_deflated {
            return self.content.clone();
        }
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&self.content).unwrap();
        encoder.finish().unwrap()
    }

    /// What stands both before the content and in the directory, with the lengths of what follows.
    fn facts(&self, packed_bytes: usize, extra_bytes: u16) -> Vec<u8> {
        let size = self.size.unwrap_or(u32::try_from(self.content.len()).unwrap());
        let packed = u32::try_from(packed_bytes).unwrap();
        let (packed, size) = if self.is_zip64 { (u32::MAX, u32::MAX) } else { (packed, size) };
        let method = self.method.unwrap_or(if self.is_deflated { 8 } else { 0 });
        let mut facts = Vec::new();
        for short in [45, self.flags, method, 0, 0x21] {
            facts.extend_from_slice(&u16::to_le_bytes(short));
        }
        for long in [self.sum(), packed, size] {
            facts.extend_from_slice(&long.to_le_bytes());
        }
        facts.extend_from_slice(&u16::try_from(self.name.len()).unwrap().to_le_bytes());
        facts.extend_from_slice(&extra_bytes.to_le_bytes());
        facts
    }

    fn extra(&self, packed_bytes: usize) -> Vec<u8> {
        if !self.is_zip64 {
            return Vec::new();
        }
        let sizes = [self.content.len() as u64, packed_bytes as u64].map(u64::to_le_bytes);
        [b"\x01\0\x10\0".as_slice(), &sizes.concat()].concat()
    }
}

/// A zip archive of these members.
pub(super) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let packed = member.packed();
        let extra = member.extra(packed.len());
        let facts = member.facts(packed.len(), u16::try_from(extra.len()).unwrap());
        let at = u32::try_from(bytes.len()).unwrap();
        bytes.extend([b"PK\x03\x04".as_slice(), &facts, &member.name, &extra, &packed].concat());
        // Made on Unix: the mode is in the upper half of the attributes.
        directory.extend([b"PK\x01\x02\x2d\x03".as_slice(), &facts, &[0; 6]].concat());
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend([member.name.as_slice(), &extra].concat());
    }
    let counts =
        [0, 0, members.len(), members.len()].map(|count| u16::try_from(count).unwrap().to_le_bytes());
    let places = [directory.len(), bytes.len()].map(|place| u32::try_from(place).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06".as_slice(), &counts.concat(), &places.concat(), &[0; 2]].concat();
    [bytes, directory, end].concat()
}
