//! Absolute paths: an environment that was built in one place is made to run in any other.
//!
//! Scripts find the interpreter beside themselves; every other text that names the place where it was built names the
//! place where it will be live; bytecode that names it goes. Then all bytes are searched: what still names that place is
//! no text, nobody here can rewrite it, and the environment is refused.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use regex::bytes::{NoExpand, Regex};

use super::script;
use crate::phase::error::StepError;
use crate::tree::{Seen, walk};
use crate::world::{Disk, DiskError, FileKind};

/// A larger file that names the place is not taken for text.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// So much of a file is searched at once.
const CHUNK_BYTES: usize = 1024 * 1024;
/// Of what cannot be rewritten so much is named.
const NAMED_MAX: usize = 5;

/// Where an environment was built, and where it goes.
#[derive(Debug)]
pub(super) struct Places<'a> {
    /// The folder of the attempt, below the project's root: whatever names it names a place that will be gone.
    pub(super) folder: &'a Path,
    /// The environment as it was built, in that folder.
    pub(super) built: &'a Path,
    /// The copy of the project that it was built in, in that folder.
    pub(super) tree: &'a Path,
    /// The root of the project.
    pub(super) root: &'a Path,
    /// Where the environment will be live, relative to the root.
    pub(super) live: &'a Path,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Relocated {
    /// Files and links that were rewritten.
    pub(super) rewritten: u64,
    /// Files of bytecode that were removed.
    pub(super) bytecode: u64,
}

/// Makes the environment independent of the place where it was built.
pub(super) fn relocate(disk: &dyn Disk, places: &Places<'_>) -> Result<Relocated, StepError> {
    let mark = Mark::of(places);
    let mut done = Relocated::default();
    let mut rewritten = BTreeSet::new();
    for seen in walk(disk, places.built, &[PathBuf::new()])? {
        let path = places.built.join(&seen.path);
        match seen.meta.kind {
            FileKind::Symlink if relink(disk, places, &path, &mark)? => done.rewritten += 1,
            FileKind::File if names(disk, &path, &mark)? => {
                if is_bytecode(&seen.path) {
                    disk.remove_file(&path)?;
                    done.bytecode += 1;
                } else if rewrite(disk, places, &seen, &mark)? {
                    done.rewritten += 1;
                    done.bytecode += drop_bytecode_of(disk, &path)?;
                    rewritten.insert(path);
                }
            }
            _ => {}
        }
    }
    unrecord(disk, places.built, &rewritten)?;
    verify(disk, places, &mark)?;
    Ok(done)
}

/// How the folder of the attempt is recognised, whichever way its root is spelled.
struct Mark(Regex);

impl Mark {
    fn of(places: &Places<'_>) -> Self {
        let below = places.folder.strip_prefix(places.root).unwrap_or(places.folder);
        Self(pattern(below.as_os_str().as_encoded_bytes()))
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }
}

/// These bytes as a whole part of a path: `work/t7` is not in `work/t71`.
fn pattern(bytes: &[u8]) -> Regex {
    let escaped: Vec<String> = bytes.iter().map(|byte| format!(r"\x{byte:02x}")).collect();
    let escaped = escaped.concat();
    let ends_in_word = bytes.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let end = if ends_in_word { r"\b" } else { "" };
    #[expect(clippy::expect_used, reason = "a list of escaped bytes is a pattern")]
    Regex::new(&format!("(?-u){escaped}{end}")).expect("escaped bytes")
}

/// Whether a file names the place, found without holding all of it.
fn names(disk: &dyn Disk, path: &Path, mark: &Mark) -> Result<bool, DiskError> {
    /// Longer than any path: what is cut at the end of one chunk is whole in the next.
    const OVERLAP_BYTES: usize = 8 * 1024;
    let mut file = disk.open(path)?;
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let mut chunk = Vec::new();
        let read = file.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
        if read.map_err(|error| DiskError::new("read", path, error))? == 0 {
            return Ok(false);
        }
        buffer.extend_from_slice(&chunk);
        if mark.is_in(&buffer) {
            return Ok(true);
        }
        buffer.drain(..buffer.len().saturating_sub(OVERLAP_BYTES));
    }
}

/// A link that names the place leads there by the way from itself; returns whether it did.
fn relink(disk: &dyn Disk, places: &Places<'_>, path: &Path, mark: &Mark) -> Result<bool, DiskError> {
    let target = disk.read_link(path)?;
    let Ok(inside) = target.strip_prefix(places.built) else { return Ok(false) };
    if !mark.is_in(target.as_os_str().as_encoded_bytes()) {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(places.built).strip_prefix(places.built).unwrap_or(Path::new(""));
    let up: PathBuf = folder.components().map(|_| Component::ParentDir).collect();
    disk.remove_file(path)?;
    disk.make_symlink(&up.join(inside), path)?;
    Ok(true)
}

fn is_bytecode(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pyc")
        && path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "__pycache__")
}

/// Rewrites a text; returns whether it was one.
fn rewrite(disk: &dyn Disk, places: &Places<'_>, seen: &Seen, mark: &Mark) -> Result<bool, StepError> {
    let path = places.built.join(&seen.path);
    if seen.meta.size > TEXT_BYTES_MAX {
        return Ok(false);
    }
    let mut text = disk.read(&path, TEXT_BYTES_MAX)?;
    if text.contains(&0) {
        return Ok(false);
    }
    text = script::beside_itself(&text, places.built).unwrap_or(text);
    if path.extension().is_some_and(|extension| extension == "pth") {
        text = script::path_file(&text, places.tree, places.live);
    }
    if path.file_name().is_some_and(|name| name == "activate") {
        text = script::activation(&text, places.built, places.root, places.live);
    }
    let live = places.root.join(places.live);
    for (from, to) in [(places.built, live.as_path()), (places.tree, places.root)] {
        for spelled in [plain, in_address] {
            text = pattern(&spelled(from)).replace_all(&text, NoExpand(&spelled(to))).into_owned();
        }
    }
    if mark.is_in(&text) {
        return Ok(false);
    }
    replace(disk, &path, &seen.meta, &text)?;
    Ok(true)
}

/// Puts a new file in the place of one that may share its bytes with others, as installers that link from a cache leave
/// it: those are not touched.
fn replace(disk: &dyn Disk, path: &Path, meta: &crate::world::Meta, text: &[u8]) -> Result<(), DiskError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".sb-new");
    let new = path.with_file_name(name);
    disk.write_new(&new, meta.mode, &mut &text[..])?;
    disk.set_mode(&new, meta.mode)?;
    disk.rename_over(&new, path)
}

/// Bytecode of a source that was rewritten; returns how many files there were.
fn drop_bytecode_of(disk: &dyn Disk, source: &Path) -> Result<u64, DiskError> {
    let Some(stem) = source.file_name().and_then(|name| name.to_str()?.strip_suffix(".py")) else {
        return Ok(0);
    };
    let caches = source.with_file_name("__pycache__");
    if disk.look(&caches)?.is_none() {
        return Ok(0);
    }
    let mut count = 0;
    for name in disk.list(&caches)? {
        let is_of_it = name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_prefix('.')).is_some();
        if is_of_it && disk.look(&caches.join(&name))?.is_some() {
            disk.remove_file(&caches.join(&name))?;
            count += 1;
        }
    }
    Ok(count)
}

/// Takes hash and size of rewritten files out of the lists of what was installed (`RECORD`), where both may be left out.
fn unrecord(disk: &dyn Disk, built: &Path, rewritten: &BTreeSet<PathBuf>) -> Result<(), StepError> {
    let is_record = |seen: &Seen| {
        seen.meta.kind == FileKind::File
            && seen.path.file_name().is_some_and(|name| name == "RECORD")
            && seen.meta.size <= TEXT_BYTES_MAX
    };
    let records: Vec<Seen> =
        walk(disk, built, &[PathBuf::new()])?.into_iter().filter(|seen| is_record(seen)).collect();
    for record in records {
        let path = built.join(&record.path);
        let Some(packages) = path.parent().and_then(Path::parent) else { continue };
        let Ok(text) = String::from_utf8(disk.read(&path, TEXT_BYTES_MAX)?) else { continue };
        let mut is_changed = false;
        let lines: Vec<String> = text
            .split_inclusive('\n')
            .map(|line| {
                let end = &line[line.trim_end().len()..];
                let mut fields = line.trim_end().rsplitn(3, ',');
                let (_, Some(hash), Some(name)) = (fields.next(), fields.next(), fields.next()) else {
                    return line.to_owned();
                };
                let file = without_dots(&packages.join(name.trim_matches('"')));
                if hash.is_empty() || !rewritten.contains(&file) {
                    return line.to_owned();
                }
                is_changed = true;
                format!("{name},,{end}")
            })
            .collect();
        if is_changed {
            replace(disk, &path, &record.meta, lines.concat().as_bytes())?;
        }
    }
    Ok(())
}

/// Nothing in it names the place any more.
fn verify(disk: &dyn Disk, places: &Places<'_>, mark: &Mark) -> Result<(), StepError> {
    let mut left = Vec::new();
    for seen in walk(disk, places.built, &[PathBuf::new()])? {
        let path = places.built.join(&seen.path);
        let is_left = match seen.meta.kind {
            FileKind::Symlink => mark.is_in(disk.read_link(&path)?.as_os_str().as_encoded_bytes()),
            FileKind::File => names(disk, &path, mark)?,
            _ => false,
        };
        if is_left {
            left.push(format!("`{}`", seen.path.display()));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let more = left.len().saturating_sub(NAMED_MAX);
    left.truncate(NAMED_MAX);
    if more > 0 {
        left.push(format!("and {more} more"));
    }
    Err(StepError::not_now(
        format!(
            "the environment `{}` would not run where it is live: {} in it name the folder in which it was built, and \
             are no text that could be rewritten",
            places.live.display(),
            left.join(", ")
        ),
        "install these packages in another way (a ready wheel instead of a build, no link into the tree)",
    ))
}

fn plain(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

/// A path as it stands in a `file:` address.
fn in_address(path: &Path) -> Vec<u8> {
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let mut address = Vec::new();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if is_kept(byte) {
            address.push(byte);
        } else {
            address.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    address
}

fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    struct Ground {
        folder: tempfile::TempDir,
    }

    impl Ground {
        fn new() -> Self {
            let ground = Self { folder: tempfile::tempdir().unwrap() };
            for folder in ["env/bin", "env/lib/__pycache__", "env/lib/a.dist-info", "tree"] {
                for part in ground.at(folder).ancestors().collect::<Vec<_>>().into_iter().rev() {
                    if RealDisk.look(part).unwrap().is_none() {
                        RealDisk.make_directory(part, 0o755).unwrap();
                    }
                }
            }
            ground
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().join(".switchback/work/t7").join(path)
        }

        fn write(&self, path: &str, content: impl AsRef<[u8]>) {
            RealDisk.write_new(&self.at(path), 0o755, &mut content.as_ref()).unwrap();
        }

        fn read(&self, path: &str) -> String {
            String::from_utf8(RealDisk.read(&self.at(path), 1024).unwrap()).unwrap()
        }

        fn relocate(&self) -> Result<Relocated, String> {
            let places = Places {
                folder: &self.at(""),
                built: &self.at("env"),
                tree: &self.at("tree"),
                root: self.folder.path(),
                live: Path::new(".venv"),
            };
            relocate(&RealDisk, &places).map_err(|error| error.to_string())
        }
    }

    #[test]
    fn texts_name_the_live_place_and_what_was_linked_elsewhere_stays_as_it_was() {
        let ground = Ground::new();
        let built = ground.at("env").display().to_string();
        ground.write("env/bin/note", format!("built in {built} and {built}/lib\n"));
        ground.write("env/lib/direct_url.json", format!("\"file://{}\"", ground.at("tree/x").display()));
        RealDisk.make_hard_link(&ground.at("env/bin/note"), &ground.at("cached")).unwrap();
        let before = ground.read("cached");
        ground.relocate().unwrap();
        let live = ground.folder.path().join(".venv").display().to_string();
        assert_eq!(ground.read("env/bin/note"), format!("built in {live} and {live}/lib\n"));
        let address = format!("\"file://{}\"", ground.folder.path().join("x").display());
        assert_eq!(ground.read("env/lib/direct_url.json"), address);
        assert_eq!(ground.read("cached"), before);
        assert_eq!(ground.relocate().unwrap(), Relocated::default());
        // A name that only begins as the environment does is another place, which will be gone as well.
        ground.write("env/bin/other", format!("{built}1\n"));
        assert!(ground.relocate().unwrap_err().contains("`bin/other`"));
    }

    #[test]
    fn bytecode_goes_links_turn_round_and_records_forget_what_was_rewritten() {
        let ground = Ground::new();
        let built = ground.at("env").display().to_string();
        ground.write("env/lib/__pycache__/m.cpython-311.pyc", format!("\0{built}/lib/m.py"));
        ground.write("env/lib/__pycache__/n.cpython-311.pyc", "\0of a source that is rewritten");
        ground.write("env/lib/n.py", format!("HOME = '{built}'\n"));
        ground.write(
            "env/lib/a.dist-info/RECORD",
            "n.py,sha256=abc,10\nm.py,sha256=def,1\na.dist-info/RECORD,,\n",
        );
        RealDisk.make_symlink(&ground.at("env/lib/n.py"), &ground.at("env/bin/link")).unwrap();
        let done = ground.relocate().unwrap();
        assert_eq!(done, Relocated { rewritten: 2, bytecode: 2 });
        assert_eq!(RealDisk.read_link(&ground.at("env/bin/link")).unwrap(), Path::new("../lib/n.py"));
        assert_eq!(
            ground.read("env/lib/a.dist-info/RECORD"),
            "n.py,,\nm.py,sha256=def,1\na.dist-info/RECORD,,\n"
        );
    }

    #[test]
    fn a_binary_that_names_the_place_is_refused_by_name() {
        let ground = Ground::new();
        ground.write("env/lib/fast.so", format!("\0{}\0", ground.at("env/lib").display()));
        let why = ground.relocate().unwrap_err();
        assert!(why.contains("`lib/fast.so` in it name the folder"), "{why}");
        // Also where the name lies across two pieces that are searched one after the other.
        let ground = Ground::new();
        let mut large = vec![1; CHUNK_BYTES - 10];
        large.extend_from_slice(ground.at("env").as_os_str().as_encoded_bytes());
        large.push(0);
        ground.write("env/lib/large.so", &large);
        assert!(ground.relocate().unwrap_err().contains("`lib/large.so`"));
    }
}
