//! A place elsewhere that loses or alters what it is given.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::Mutex;

use switchback_package::format::SCHEMA;
use switchback_package::{Archive, Draft, Form, Manifest, Source, Tree, measure};

use super::*;
use crate::port::PortError;

struct App;

impl Source for App {
    fn content(&self, _path: &str) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(b"VERSION = 2\n")))
    }
}

/// A package with one file, in a folder of its own.
fn package() -> (tempfile::TempDir, PathBuf) {
    let time = "2027-01-01T10:20:30Z".to_owned();
    let path = "tree/src/app.py".to_owned();
    let draft = Draft { path, executable: false, bytes: 12, target: None };
    let tree = Tree { manifest: "m".to_owned(), content: "c".to_owned(), paths: BTreeMap::new() };
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        name: "shop".to_owned(),
        sequence: 1,
        project: "shop".to_owned(),
        phase: "unify".to_owned(),
        ready: "yes".to_owned(),
        tool: "switchback".to_owned(),
        form: Form::Zip,
        plan: "p".to_owned(),
        managed: vec!["src".to_owned()],
        base: tree.clone(),
        candidate: tree,
        entries: vec![measure(&draft, Form::Zip, &time, &App).unwrap()],
        time,
    };
    let text = manifest.write();
    let mut archive = Archive::new(&manifest, &text, b"{}", &App).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop-1.zip");
    World::real().disk.write_new(&file, 0o644, &mut archive).unwrap();
    (folder, file)
}

/// What the place does with a file that it is given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Keep,
    Alter,
    Lose,
    Refuse,
    /// Alters it, and says that something is wrong.
    AlterAndSay,
    /// Keeps it as it is, and says that something is wrong: its answer got lost, and the next one knew nothing of it.
    KeepAndSay,
}

#[derive(Debug)]
struct Place {
    does: Does,
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Place {
    fn new(does: Does) -> Self {
        Self { does, files: Mutex::default() }
    }

    fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }
}

impl Depot for Place {
    fn address(&self) -> String {
        "s3://bucket/in/".to_owned()
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, PortError> {
        Ok(self.names().into_iter().filter(|name| name.starts_with(folder)).collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.files.lock().unwrap().get(name).cloned())
    }

    fn size(&self, name: &str) -> Result<Option<u64>, PortError> {
        Ok(self.get(name)?.map(|content| content.len() as u64))
    }

    fn get_part(&self, name: &str, at: u64, bytes: u64) -> Result<Vec<u8>, PortError> {
        let content = self.get(name)?.unwrap_or_default();
        let content = content.iter().skip(usize::try_from(at).unwrap());
        Ok(content.take(usize::try_from(bytes).unwrap()).copied().collect())
    }

    fn put_parts(&self, name: &str, content: &dyn Parts) -> Result<(), PortError> {
        // Two parts, of which the second is read twice, as after a transfer that broke off.
        let half = content.bytes() / 2;
        let mut whole = content.part(0, half)?;
        drop(content.part(half, content.bytes() - half)?);
        whole.extend(content.part(half, content.bytes() - half)?);
        self.put(name, &whole)
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), PortError> {
        let mut content = content.to_vec();
        match self.does {
            Does::Keep | Does::KeepAndSay => {}
            Does::Alter | Does::AlterAndSay => content[40] ^= 1,
            Does::Lose => return Ok(()),
            Does::Refuse => return Err(PortError::new("the place is full", Vec::new())),
        }
        self.files.lock().unwrap().insert(name.to_owned(), content);
        if matches!(self.does, Does::AlterAndSay | Does::KeepAndSay) {
            return Err(PortError::new("something went wrong", Vec::new()));
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), PortError> {
        self.files.lock().unwrap().remove(name);
        Ok(())
    }
}

#[test]
fn what_does_not_read_back_as_it_was_sent_is_not_left_there() {
    let (_folder, file) = package();
    for (does, words) in [
        (Does::Alter, "does not read back as it was sent"),
        (Does::Lose, "does not read back as it was sent"),
        (Does::Refuse, "the place is full"),
        (Does::AlterAndSay, "something went wrong"),
    ] {
        let place = Place::new(does);
        let error = send_elsewhere(&World::real(), &file, &place).unwrap_err().to_string();
        assert!(error.contains(words), "{does:?}: {error}");
        assert_eq!(place.names(), Vec::<String>::new(), "{does:?}");
    }
}

#[test]
fn what_arrived_as_a_whole_was_sent_whatever_the_place_said() {
    let (_folder, file) = package();
    let place = Place::new(Does::KeepAndSay);
    let sent = send_elsewhere(&World::real(), &file, &place).unwrap();
    assert!(!sent.is_same && place.names() == ["shop-1.zip"], "{sent:?}");
}

#[test]
fn what_is_there_already_is_told_and_what_is_another_file_is_left_alone() {
    let (_folder, file) = package();
    let place = Place::new(Does::Keep);
    let sent = send_elsewhere(&World::real(), &file, &place).unwrap();
    assert_eq!((sent.path.to_str(), sent.is_same), (Some("s3://bucket/in/shop-1.zip"), false));
    assert!(send_elsewhere(&World::real(), &file, &place).unwrap().is_same);
    place.put("shop-1.zip", b"another").unwrap();
    let error = send_elsewhere(&World::real(), &file, &place).unwrap_err().to_string();
    assert!(error.contains("is there, and is another file"), "{error}");
    assert_eq!(place.get("shop-1.zip").unwrap().unwrap(), b"another");
}

#[test]
fn a_file_that_became_shorter_is_an_error_and_not_a_short_part() {
    let (_folder, file) = package();
    let world = World::real();
    let bytes = world.disk.look(&file).unwrap().unwrap().size;
    let local = Local { disk: world.disk.as_ref(), file: &file, bytes };
    assert_eq!(local.part(bytes - 3, 3).unwrap().len(), 3);
    let error = local.part(bytes - 3, 4).unwrap_err().told();
    assert!(error.contains("it became shorter while it was sent"), "{error}");
}

#[test]
fn half_a_package_is_not_sent() {
    let (folder, file) = package();
    let mut bytes = World::real().disk.read(&file, 1 << 20).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let half = folder.path().join("half.zip");
    World::real().disk.write_new(&half, 0o644, &mut &bytes[..]).unwrap();
    let place = Place::new(Does::Keep);
    let error = send_elsewhere(&World::real(), &half, &place).unwrap_err().to_string();
    assert!(error.contains("is not whole, and is not sent"), "{error}");
    assert_eq!(place.names(), Vec::<String>::new());
}
