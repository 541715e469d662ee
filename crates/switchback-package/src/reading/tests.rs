//! Packages that somebody changed: every byte counts, and what is wrong is named.

use std::io::Cursor;
use std::path::Path;

use super::*;
use crate::format::{Manifest, SCHEMA};
use crate::writing::{Archive, Draft, Source, measure};

const TIME: &str = "2027-01-01T10:20:30Z";

/// Contents by path.
struct Shelf(Vec<(&'static str, Vec<u8>)>);

impl Source for Shelf {
    fn content(&self, path: &str) -> ReadResult<Box<dyn Read + Send>> {
        let found = self.0.iter().find(|(name, _)| *name == path).unwrap();
        Ok(Box::new(Cursor::new(found.1.clone())))
    }
}

fn shelf() -> Shelf {
    let text = b"VERSION = 2\n".repeat(40);
    let noise: Vec<u8> = (0..2_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
    Shelf(vec![
        ("CHANGES.md", b"# Changes\n".to_vec()),
        ("tree/src/app.py", text),
        ("tree/src/empty", Vec::new()),
        ("tree/src/noise", noise),
    ])
}

fn drafts(shelf: &Shelf) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = shelf
        .0
        .iter()
        .map(|(path, content)| Draft {
            path: (*path).to_owned(),
            executable: Path::new(path).extension().is_some_and(|end| end == "py"),
            bytes: content.len() as u64,
            target: None,
        })
        .collect();
    drafts.push(Draft {
        path: "tree/src/zlink".to_owned(),
        executable: false,
        bytes: 6,
        target: Some("app.py".to_owned()),
    });
    drafts
}

fn manifest_of(form: Form, shelf: &Shelf, drafts: &[Draft]) -> Manifest {
    let entries = drafts.iter().map(|draft| measure(draft, form, TIME, shelf).unwrap()).collect();
    let mut manifest = crate::format::tests::manifest(entries);
    assert_eq!(manifest.schema, SCHEMA);
    (manifest.form, manifest.time) = (form, TIME.to_owned());
    manifest
}

fn write(manifest: &Manifest, statement: &str, shelf: &Shelf) -> Vec<u8> {
    let text = manifest.write();
    let mut archive = Archive::new(manifest, &text, statement.as_bytes(), shelf).unwrap();
    let mut bytes = Vec::new();
    archive.read_to_end(&mut bytes).unwrap();
    bytes
}

fn package(form: Form) -> Vec<u8> {
    let shelf = shelf();
    write(&manifest_of(form, &shelf, &drafts(&shelf)), "{\"said\":1}", &shelf)
}

/// What is found in a package: why it cannot be read, or its faults.
fn look(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut reader = Cursor::new(bytes);
    let front = open(&mut reader).map_err(|error| error.to_string())?;
    let faults = walk(&mut reader, &front).map_err(|error| error.to_string())?;
    Ok(faults.iter().map(ToString::to_string).collect())
}

const FORMS: [Form; 2] = [Form::Zip, Form::TarZst];

#[test]
fn what_was_written_is_read_and_twice_the_same() {
    for form in FORMS {
        let bytes = package(form);
        assert_eq!(bytes, package(form));
        assert_eq!(look(&bytes), Ok(Vec::new()), "{form:?}");
        let mut reader = Cursor::new(&bytes);
        let front = open(&mut reader).unwrap();
        assert_eq!(front.statement, b"{\"said\":1}");
        for (path, wanted) in shelf().0 {
            assert_eq!(content(&mut reader, &front, path, 10_000).unwrap(), Some(wanted), "{form:?} {path}");
        }
        assert_eq!(content(&mut reader, &front, "tree/src/zlink", 10).unwrap(), Some(b"app.py".to_vec()));
        assert_eq!(content(&mut reader, &front, "tree/src/noise", 10).unwrap(), None);
        assert_eq!(content(&mut reader, &front, "nothing", 10).unwrap(), None);
    }
}

/// A source that gives as many bytes at a time as a disk does.
struct Slow(Shelf, usize);

impl Source for Slow {
    fn content(&self, path: &str) -> ReadResult<Box<dyn Read + Send>> {
        let content = self.0.content(path)?;
        Ok(Box::new(BufReader::with_capacity(self.1, content)))
    }
}

#[test]
fn large_files_are_packed_the_same_however_they_are_read_and_taken_out() {
    let noise = |at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[2];
    let lines = (0..40_000_u32).map(|at| format!("{at} {}\n", noise(at)));
    let shelf = || Shelf(vec![("tree/large.csv", lines.clone().collect::<String>().into_bytes())]);
    for form in FORMS {
        let mut drafts = drafts(&shelf());
        drafts.pop();
        let manifest = manifest_of(form, &shelf(), &drafts);
        let whole = write(&manifest, "{}", &shelf());
        assert_eq!(look(&whole), Ok(Vec::new()), "{form:?}");
        let text = manifest.write();
        for (in_bytes, out_bytes) in [(4_096, 8_192), (1_000, 65_536), (100_000, 777)] {
            let slow = Slow(shelf(), in_bytes);
            let mut archive = Archive::new(&manifest, &text, b"{}", &slow).unwrap();
            let (mut bytes, mut block) = (Vec::new(), vec![0; out_bytes]);
            loop {
                let count = archive.read(&mut block).unwrap();
                if count == 0 {
                    break;
                }
                bytes.extend_from_slice(&block[..count]);
            }
            assert!(bytes == whole, "{form:?}: {in_bytes} bytes in, {out_bytes} out");
        }
    }
}

/// The bytes of the manifest itself are held against the statement, by whoever knows what that says.
fn is_of_manifest(bytes: &[u8], at: usize) -> bool {
    let front = open(&mut Cursor::new(bytes)).unwrap();
    let within = |text: &[u8]| {
        let begins = bytes.windows(text.len()).position(|window| window == text).unwrap();
        (begins..begins + text.len()).contains(&at)
    };
    within(&front.text) || within(&front.statement)
}

#[test]
fn each_changed_byte_is_found() {
    for form in FORMS {
        let whole = package(form);
        for at in 0..whole.len() {
            for mask in [0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= mask;
                let found = look(&bytes);
                let is_silent = found == Ok(Vec::new());
                // In a zip, its header has the check sum of the manifest as well.
                let is_free = form == Form::TarZst && is_of_manifest(&whole, at);
                assert!(!is_silent || is_free, "{form:?}: byte {at} of {}", whole.len());
            }
        }
    }
}

#[test]
fn each_byte_that_is_missing_or_added_is_found() {
    for form in FORMS {
        let whole = package(form);
        for at in 0..whole.len() {
            assert_ne!(look(&whole[..at]), Ok(Vec::new()), "{form:?}: cut at {at}");
            let mut without = whole.clone();
            without.remove(at);
            assert_ne!(look(&without), Ok(Vec::new()), "{form:?}: without {at}");
            let mut with = whole.clone();
            with.insert(at, 0);
            assert_ne!(look(&with), Ok(Vec::new()), "{form:?}: before {at}");
        }
        let mut longer = whole;
        longer.extend_from_slice(b"more");
        assert_eq!(look(&longer), Ok(vec!["the archive: 4 bytes follow its end".to_owned()]));
    }
}

/// Where a packed content is.
fn packed_at(bytes: &[u8], path: &str) -> (usize, usize) {
    let front = open(&mut Cursor::new(bytes)).unwrap();
    let layout = Layout::new(&front.manifest, &front.text, &front.statement).unwrap();
    let (mut number, mut offset) = (0, 0);
    loop {
        let part = layout.part(number).unwrap().unwrap();
        number += 1;
        match part {
            Part::Fixed(_, bytes) => offset += bytes.len(),
            Part::Packed(at) => {
                let bytes = usize::try_from(layout.entry(at).packed.bytes).unwrap();
                if layout.entry(at).path == path {
                    return (offset, bytes);
                }
                offset += bytes;
            }
        }
    }
}

#[test]
fn a_changed_content_is_named() {
    for form in FORMS {
        let mut bytes = package(form);
        let (begins, length) = packed_at(&bytes, "tree/src/noise");
        bytes[begins + length / 2] ^= 0x10;
        let faults = look(&bytes).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("entry `tree/src/noise`: "), "{faults:?}");
    }
}

/// The same entries under the manifest of others: entries added, taken out, or in another order.
#[test]
fn entries_that_are_added_taken_out_or_moved_are_named() {
    let shelf = shelf();
    let all = drafts(&shelf);
    for form in FORMS {
        let full = manifest_of(form, &shelf, &all);
        let behind = |bytes: &[u8]| -> Vec<u8> {
            let front = open(&mut Cursor::new(bytes)).unwrap();
            let layout = Layout::new(&front.manifest, &front.text, &front.statement).unwrap();
            let fronts = if form == Form::Zip { 4 } else { 2 };
            let length: usize = (0..fronts)
                .map(|number| match layout.part(number).unwrap().unwrap() {
                    Part::Fixed(_, bytes) => bytes.len(),
                    Part::Packed(_) => 0,
                })
                .sum();
            bytes[length..].to_vec()
        };
        let whole = write(&full, "{}", &shelf);
        let head = whole[..whole.len() - behind(&whole).len()].to_vec();
        let under = |rest: &[u8]| look(&[&head, rest].concat());
        // One taken out.
        let fewer: Vec<Draft> = all.iter().filter(|draft| draft.path != "tree/src/app.py").cloned().collect();
        let fewer = write(&manifest_of(form, &shelf, &fewer), "{}", &shelf);
        let faults = under(&behind(&fewer)).unwrap();
        assert!(faults[0].starts_with("entry `tree/src/app.py`: it is missing"), "{faults:?}");
        assert!(faults[0].contains("`tree/src/empty` stands there"), "{faults:?}");
        // One that is not in the manifest, as its own author would have written it.
        let head = fewer[..fewer.len() - behind(&fewer).len()].to_vec();
        let faults = look(&[&head[..], &behind(&whole)].concat()).unwrap();
        assert_eq!(faults, ["entry `tree/src/app.py`: it is not in the manifest"], "{form:?}");
    }
}

#[test]
fn sizes_that_lie_end_in_an_error() {
    let shelf = shelf();
    for form in FORMS {
        // A manifest that says less than comes out, with the packed bytes of the whole.
        let mut manifest = manifest_of(form, &shelf, &drafts(&shelf));
        let at = manifest.entries.iter().position(|entry| entry.path == "tree/src/noise").unwrap();
        let whole = write(&manifest, "{}", &shelf);
        let (begins, length) = packed_at(&whole, "tree/src/noise");
        let packed = whole[begins..begins + length].to_vec();
        manifest.entries[at].bytes -= 1;
        let text = manifest.write();
        let layout = Layout::new(&manifest, &text, b"{}").unwrap();
        let mut bytes = Vec::new();
        for number in 0.. {
            match layout.part(number).unwrap() {
                None => break,
                Some(Part::Fixed(_, fixed)) => bytes.extend(fixed),
                Some(Part::Packed(entry)) if entry == at => bytes.extend(&packed),
                Some(Part::Packed(entry)) => {
                    let (begins, length) = packed_at(&whole, &manifest.entries[entry].path);
                    bytes.extend(&whole[begins..begins + length]);
                }
            }
        }
        let faults = look(&bytes).unwrap();
        let wanted = match form {
            Form::Zip => "it has more than the 1999 bytes that the manifest says",
            Form::TarZst => "its header is not what the manifest makes it",
        };
        assert_eq!(faults, [format!("entry `tree/src/noise`: {wanted}")], "{form:?}");
    }
}

/// Whoever signs it: names that lead out, and sizes that nobody has room for, are refused before anything is unpacked.
#[test]
fn a_manifest_that_does_harm_is_refused() {
    let shelf = shelf();
    for form in FORMS {
        let written = manifest_of(form, &shelf, &drafts(&shelf));
        let harm = |change: fn(&mut Manifest), words: &str| {
            let mut manifest = written.clone();
            change(&mut manifest);
            let text = manifest.write();
            let front = match form {
                Form::Zip => {
                    let head = |name: &str, content: &[u8]| zipped::Member::stored(name, content, 0).local();
                    [&head(MANIFEST, &text)[..], &text, &head(STATEMENT, b"{}"), b"{}"].concat()
                }
                Form::TarZst => {
                    let frame = |name: &str, content: &[u8]| {
                        taped::raw_frame(&taped::stored(name, content, 0).unwrap())
                    };
                    [frame(MANIFEST, &text), frame(STATEMENT, b"{}")].concat()
                }
            };
            let why = look(&front).unwrap_err();
            assert!(why.contains(words), "{form:?}: {why}");
        };
        harm(|manifest| manifest.entries[1].path = "tree/../../x".to_owned(), "has a `..`");
        harm(|manifest| manifest.entries[1].path = "/etc/passwd".to_owned(), "its name is absolute");
        harm(|manifest| manifest.entries[1].path = "tree/src/EMPTY".to_owned(), "are one name");
        harm(|manifest| manifest.entries[2].path = "tree/src/app.py".to_owned(), "each of them once");
        harm(|manifest| manifest.entries[4].target = Some("/etc/x".to_owned()), "leads out of it");
        harm(|manifest| manifest.entries[1].bytes = 1 << 40, "that is a bomb");
        harm(|manifest| manifest.managed = vec!["../src".to_owned()], "the managed path `../src`");
        harm(|manifest| manifest.name = "../shop".to_owned(), "is no name of a package");
        harm(|manifest| manifest.schema = "switchback/package/2".to_owned(), "its `schema` is not");
    }
}

#[test]
fn what_is_no_package_says_so() {
    for bytes in
        [&b""[..], b"PK", b"not an archive at all", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]
    {
        assert!(look(bytes).unwrap_err().contains("it is no package of Switchback"), "{bytes:?}");
    }
    let other = zstd::stream::encode_all(&b"hello"[..], 3).unwrap();
    assert!(look(&[&other[..], &[0; 100]].concat()).unwrap_err().contains("it is no package"));
    let mut encrypted = package(Form::Zip);
    let header =
        encrypted.windows(4).enumerate().filter(|(_, mark)| *mark == b"PK\x03\x04").nth(3).unwrap().0;
    encrypted[header + 6] |= 1;
    assert_eq!(look(&encrypted), Ok(vec!["entry `tree/src/app.py`: it is encrypted".to_owned()]));
}
