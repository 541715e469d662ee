//! The safety branch: what was live before a phase, as a commit of git that anybody can look at without Switchback.
//!
//! Git keeps bytes and no more, so the branch holds the manifest too, from which [`lay_out`] gives modes, owners, times and
//! empty folders back. Blobs are written as they are on the disk: no filter, no line ending, no attribute of the repository
//! has a say. Neither the work tree nor the index of the repository is touched.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::{StepError, with_causes};
use super::layout;
use super::project::{Work, git_folder};
use super::snapshot::{NOTHING, managed_manifest};
use super::witness::Notice;
use crate::git::{GitError, Repository};
use crate::journal::Event;
use crate::manifest::{Entry, Kind, Manifest};
use crate::plan::Phase;
use crate::tree::copy::{make_directories, remove_tree};
use crate::world::{DiskError, FileKind, Meta};

/// Where the branch keeps the manifest, beside the managed paths.
const MANIFEST: &str = ".switchback.manifest";
/// No listing of a tree, and no manifest, is larger.
const LISTING_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// No line that git writes before an object is longer.
const HEADER_BYTES_MAX: u64 = 256;

/// A safety branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its name, without `refs/heads/`.
    pub(super) name: String,
    /// The commit that it was made at; the branch may have moved or be gone since.
    pub(super) commit: String,
}

/// Makes the branch of a phase whose snapshot is verified. Where the project is in no repository, none is made. The
/// snapshot is the copy that is relied on: what keeps git from it is a warning.
pub(super) fn make(work: &Work<'_>, phase: &Phase) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let history = work.history().phase(&phase.name).cloned();
    let snapshot = history.and_then(|history| history.snapshot).map(|snapshot| snapshot.id);
    let Some(snapshot) = snapshot.filter(|id| id != NOTHING) else { return Ok(()) };
    if !work.plan().snapshot.git || git_folder(disk, &work.project.root)?.is_none() {
        return Ok(());
    }
    let folder = work.attempt("safety")?;
    make_directories(disk, &work.project.root, &folder)?;
    let made = commit(work, phase, &snapshot, &folder);
    remove_tree(disk, &folder)?;
    match made {
        Ok(branch) => {
            let (name, commit) = (branch.name.clone(), branch.commit);
            work.record(Event::SafetyBranchMade { phase: phase.name.clone(), branch: branch.name, commit })?;
            work.done(&phase.name, format!("safety branch `{name}`"));
        }
        Err(error) => {
            let why = work.redactor.clean(&with_causes(&error));
            work.witness.notice(Notice::Warning(format!(
                "no safety branch was made, `rollback --from git` will not be possible: {why}"
            )));
        }
    }
    Ok(())
}

fn repository<'w>(work: &'w Work<'_>) -> Repository<'w> {
    Repository { world: work.world(), folder: &work.project.root }
}

fn refused(error: GitError) -> StepError {
    match error {
        GitError::Disk(error) => error.into(),
        GitError::Process(_) | GitError::Refused { .. } => StepError::not_now(
            with_causes(&error),
            "look at the repository with `git status`; the snapshot does not depend on it",
        ),
    }
}

fn commit(work: &Work<'_>, phase: &Phase, snapshot: &str, folder: &Path) -> Result<Branch, StepError> {
    let disk = work.world().disk.as_ref();
    let manifest = managed_manifest(work, snapshot)?;
    let is_git = |path: &Path| path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
    if let Some(entry) = manifest.entries.iter().find(|entry| is_git(&entry.path)) {
        return Err(StepError::not_now(
            format!("`{}` is a repository's own, which git keeps in no commit", entry.path.display()),
            "`git = false` in `[snapshot]` goes on without a branch",
        ));
    }
    let repository = repository(work);
    let prefix = repository.prefix().map_err(refused)?;
    let head = repository.commit("HEAD").ok();
    let name = format!("switchback/before-{}-{}", slug(&phase.name), snapshot.get(..8).unwrap_or(snapshot));
    let mut stream = Stream::new(work, &manifest, &prefix)?;
    stream.begin(
        &name,
        head.as_deref(),
        &format!("Before the phase {}\n\nSnapshot {snapshot}\n", phase.name),
    );
    let (input, output) = (folder.join("stream"), folder.join("output"));
    let written = disk.write_new(&input, 0o600, &mut stream);
    if let Some(trouble) = stream.trouble.take() {
        return Err(trouble);
    }
    written?;
    let arguments = ["-c", "core.fsync=all", "fast-import", "--quiet", "--done"];
    repository.ask_files(&arguments, &input, &output).map_err(refused)?;
    let commit = repository.commit(&format!("refs/heads/{name}")).map_err(refused)?;
    Ok(Branch { name, commit })
}

/// What a name of a branch may hold (`git help check-ref-format`) of the name of a phase.
fn slug(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let slug: String = name.chars().map(plain).collect();
    slug.trim_matches('-').to_owned()
}

/// What `git fast-import` reads (`git help fast-import`): one commit with every file of the managed paths, made while it is
/// read, so that no file is ever in memory as a whole.
struct Stream<'a> {
    work: &'a Work<'a>,
    base: PathBuf,
    prefix: &'a Path,
    entries: std::slice::Iter<'a, Entry>,
    /// What is to be handed out next.
    ready: Vec<u8>,
    /// How much of it was.
    done: usize,
    /// A file that is being handed out, what is left of it, and what it must come to.
    file: Option<(Box<dyn Read + Send>, u64, blake3::Hasher, &'a Entry)>,
    is_over: bool,
    /// Why it ended early.
    trouble: Option<StepError>,
    manifest: &'a Manifest,
}

impl<'a> Stream<'a> {
    fn new(work: &'a Work<'a>, manifest: &'a Manifest, prefix: &'a Path) -> Result<Self, StepError> {
        let plan = work.plan();
        let base = layout::live_base(work.world().disk.as_ref(), &plan.root, &plan.project.managed)?;
        Ok(Self {
            work,
            base,
            prefix,
            entries: manifest.entries.iter(),
            ready: Vec::new(),
            done: 0,
            file: None,
            is_over: false,
            trouble: None,
            manifest,
        })
    }

    fn begin(&mut self, branch: &str, head: Option<&str>, message: &str) {
        let seconds = self.work.world().clock.now().as_second();
        self.say(&format!(
            "commit refs/heads/{branch}\ncommitter Switchback <switchback@localhost> {seconds} +0000\ndata {}\n{message}",
            message.len()
        ));
        if let Some(head) = head {
            self.say(&format!("from {head}\n"));
        }
        for managed in &self.work.plan().project.managed {
            self.ready.extend_from_slice(b"D ");
            self.name(&managed.path);
            self.say("\n");
        }
        let text = self.manifest.to_text();
        self.say("M 100644 inline ");
        self.name(Path::new(MANIFEST));
        self.say(&format!("\ndata {}\n{text}\n", text.len()));
    }

    fn say(&mut self, words: &str) {
        self.ready.extend_from_slice(words.as_bytes());
    }

    /// A path in the quotes of C, as git takes any bytes.
    fn name(&mut self, path: &Path) {
        self.ready.push(b'"');
        for byte in self.prefix.join(path).as_os_str().as_bytes() {
            match byte {
                b'"' | b'\\' => self.ready.extend_from_slice(&[b'\\', *byte]),
                b' '..=b'~' => self.ready.push(*byte),
                _ => self.ready.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            }
        }
        self.ready.push(b'"');
    }

    /// Makes the next part ready; at the end nothing is.
    fn advance(&mut self) -> Result<(), StepError> {
        let Some(entry) = self.entries.next() else {
            if !self.is_over {
                self.say("done\n");
                self.is_over = true;
            }
            return Ok(());
        };
        let mode = match &entry.kind {
            Kind::File { .. } if entry.mode & 0o100 != 0 => "100755",
            Kind::File { .. } => "100644",
            Kind::Symlink(_) => "120000",
            // They are in the manifest alone.
            Kind::Directory | Kind::Fifo | Kind::Socket | Kind::Device { .. } => return self.advance(),
        };
        self.say(&format!("M {mode} inline "));
        self.name(&entry.path);
        match &entry.kind {
            Kind::File { size, .. } => {
                self.say(&format!("\ndata {size}\n"));
                let content = self.work.world().disk.open(&self.base.join(&entry.path))?;
                self.file = Some((content, *size, blake3::Hasher::new(), entry));
            }
            Kind::Symlink(target) => {
                let target = target.as_os_str().as_bytes();
                self.say(&format!("\ndata {}\n", target.len()));
                self.ready.extend_from_slice(target);
                self.say("\n");
            }
            _ => {}
        }
        Ok(())
    }

    /// Hands out more of the file that is open, and looks at its end whether it is what the snapshot holds.
    fn read_file(&mut self, buffer: &mut [u8]) -> Result<usize, StepError> {
        let Some((content, left, hasher, entry)) = &mut self.file else { return Ok(0) };
        let place = self.base.join(&entry.path);
        let limit = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
        let count =
            content.read(&mut buffer[..limit]).map_err(|error| DiskError::new("read", &place, error))?;
        hasher.update(&buffer[..count]);
        *left -= count as u64;
        if *left > 0 && count > 0 {
            return Ok(count);
        }
        let is_same = matches!(&entry.kind, Kind::File { hash, .. } if hash == hasher.finalize().as_bytes());
        if *left > 0 || !is_same {
            return Err(StepError::not_now(
                format!("`{}` changed since its snapshot", place.display()),
                "stop what writes to it, then `switchback run --restage`",
            ));
        }
        self.file = None;
        self.say("\n");
        Ok(count)
    }

    fn next_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, StepError> {
        loop {
            if self.done < self.ready.len() {
                let count = buffer.len().min(self.ready.len() - self.done);
                buffer[..count].copy_from_slice(&self.ready[self.done..self.done + count]);
                self.done += count;
                return Ok(count);
            }
            self.ready.clear();
            self.done = 0;
            if self.file.is_some() {
                let count = self.read_file(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                continue;
            }
            self.advance()?;
            if self.ready.is_empty() && self.file.is_none() {
                return Ok(0);
            }
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.next_bytes(buffer).map_err(|error| {
            self.trouble = Some(error);
            std::io::Error::other("what is read for git is not what it was")
        })
    }
}

/// What the branch says that it holds.
pub(super) fn manifest(work: &Work<'_>, branch: &Branch) -> Result<Manifest, StepError> {
    let repository = repository(work);
    let prefix = repository.prefix().map_err(refused)?;
    let damaged = |why: String| {
        StepError::not_now(
            format!("the branch `{}` cannot be restored from: {why}", branch.name),
            "use `--from snapshot`",
        )
    };
    let place = format!("{}:{}", branch.commit, prefix.join(MANIFEST).display());
    let text = repository.ask(&["cat-file", "blob", &place]).map_err(|error| damaged(error.to_string()))?;
    // The last line end is not part of what git's answer is handed on with.
    let manifest = Manifest::from_text(&format!("{text}\n")).map_err(damaged)?;
    let managed = &work.plan().project.managed;
    let is_managed = |path: &Path| managed.iter().any(|managed| path.starts_with(&managed.path));
    Ok(Manifest::from_entries(manifest.entries.into_iter().filter(|entry| is_managed(&entry.path)).collect()))
}

/// Writes what a manifest names into `into`, which is made: content from the branch, all else from the manifest.
pub(super) fn lay_out(
    work: &Work<'_>,
    branch: &Branch,
    manifest: &Manifest,
    folder: &Path,
    into: &Path,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    disk.make_directory(into, 0o700)?;
    for entry in &manifest.entries {
        let place = into.join(&entry.path);
        make_directories(disk, into, place.parent().unwrap_or(into))?;
        match &entry.kind {
            Kind::Directory => disk.make_directory(&place, 0o700)?,
            Kind::Symlink(target) => disk.make_symlink(target, &place)?,
            Kind::Fifo => disk.make_special(&place, &Meta::special(FileKind::Fifo, 0))?,
            Kind::Device { block: true, number } => {
                disk.make_special(&place, &Meta::special(FileKind::BlockDevice, *number))?;
            }
            Kind::Device { block: false, number } => {
                disk.make_special(&place, &Meta::special(FileKind::CharacterDevice, *number))?;
            }
            Kind::File { .. } | Kind::Socket => {}
        }
    }
    write_files(work, branch, manifest, folder, into)?;
    for entry in &manifest.entries {
        if let Some(first) = &entry.linked_to {
            disk.make_hard_link(&into.join(first), &into.join(&entry.path))?;
        }
    }
    // Children first: what happens in a folder changes its time.
    manifest.entries.iter().rev().try_for_each(|entry| describe(work, &into.join(&entry.path), entry))
}

fn write_files(
    work: &Work<'_>,
    branch: &Branch,
    manifest: &Manifest,
    folder: &Path,
    into: &Path,
) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let repository = repository(work);
    let prefix = repository.prefix().map_err(refused)?;
    let (listing, objects, content) =
        (folder.join("listing"), folder.join("objects"), folder.join("content"));
    let nothing = Path::new("/dev/null");
    let arguments = ["ls-tree", "-r", "-z", "--full-tree", &branch.commit];
    repository.ask_files(&arguments, nothing, &listing).map_err(refused)?;
    let names = object_names(&disk.read(&listing, LISTING_BYTES_MAX)?);
    let is_first = |entry: &&Entry| matches!(entry.kind, Kind::File { .. }) && entry.linked_to.is_none();
    let files: Vec<&Entry> = manifest.entries.iter().filter(is_first).collect();
    let mut wanted = String::new();
    for entry in &files {
        let Some(name) = names.get(&prefix.join(&entry.path)) else { return Err(lacks(branch, &entry.path)) };
        wanted.push_str(name);
        wanted.push('\n');
    }
    disk.write_new(&objects, 0o600, &mut wanted.as_bytes())?;
    repository.ask_files(&["cat-file", "--batch", "--buffer"], &objects, &content).map_err(refused)?;
    let mut reader = BufReader::new(disk.open(&content)?);
    let unread = |error| DiskError::new("read", &content, error);
    for entry in files {
        let mut header = String::new();
        (&mut reader).take(HEADER_BYTES_MAX).read_line(&mut header).map_err(unread)?;
        let size = header.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok());
        let Some(size) = size.filter(|_| header.contains(" blob ")) else {
            return Err(lacks(branch, &entry.path));
        };
        disk.write_new(&into.join(&entry.path), 0o600, &mut (&mut reader).take(size))?;
        reader.read_exact(&mut [0]).map_err(unread)?;
    }
    Ok(())
}

fn lacks(branch: &Branch, path: &Path) -> StepError {
    StepError::not_now(
        format!("the branch `{}` does not hold `{}`", branch.name, path.display()),
        "use `--from snapshot`",
    )
}

/// The names of objects by path, from the output of `git ls-tree -r -z`.
fn object_names(listing: &[u8]) -> BTreeMap<PathBuf, String> {
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let name = std::str::from_utf8(&line[..tab]).ok()?.rsplit(' ').next()?.to_owned();
        Some((PathBuf::from(OsStr::from_bytes(&line[tab + 1..])), name))
    };
    listing.split(|byte| *byte == 0).filter_map(entry).collect()
}

/// Owner, attributes, mode, times, in the order in which none undoes another.
fn describe(work: &Work<'_>, place: &Path, entry: &Entry) -> Result<(), StepError> {
    let disk = work.world().disk.as_ref();
    let Some(found) = disk.look(place)? else { return Ok(()) };
    if (found.uid, found.gid) != (entry.uid, entry.gid) {
        disk.set_owner(place, entry.uid, entry.gid)?;
    }
    for (name, value) in &entry.xattrs {
        disk.set_xattr(place, name, value)?;
    }
    if !matches!(entry.kind, Kind::Symlink(_)) {
        disk.set_mode(place, entry.mode)?;
    }
    Ok(disk.set_times(place, entry.mtime_ns, entry.mtime_ns)?)
}
