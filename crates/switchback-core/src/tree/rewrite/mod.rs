//! Rewriting many files of a project at once, outside of any run: all of it or nothing, and it can be taken back.
//!
//! 1. Everything new is written below `.switchback/undo/<id>.staging`, everything old gets a second name there, a record
//!    says which inode belongs where, and all of it is synced.
//! 2. The folder is renamed to `<id>.intent`. A crash from here on ends **all old**: whoever starts next sees to it.
//! 3. The new files are renamed into place, one by one, and their folders are synced.
//! 4. The folder is renamed to `<id>`: the rewrite is done. What it keeps is what `undo` puts back.
//!
//! What stands where is decided by identity (device, inode, time of birth), never by counting.

mod folders;
mod put;
mod record;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use put::{Put, RewriteError, Rewritten};
use record::{Entry, Record, VERSION};

use super::copy::{Copier, make_directories, remove_tree, sync_all, sync_tree};
use crate::world::{Disk, FileKind, World};

/// What the owner of a folder must be allowed while it is filled.
const OWNER_MAY: u32 = 0o700;
/// The largest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 1 << 30;

/// Rewrites files of the project at `root`. Paths are relative to it; a path that is not named is not touched.
///
/// # Errors
///
/// When it was not done: then every file is as it was, unless the error is of the disk; then whoever starts next puts
/// everything back.
pub fn rewrite(
    world: &World,
    root: &Path,
    command: &str,
    puts: &[(PathBuf, Put)],
) -> Result<Rewritten, RewriteError> {
    let _lock = Place::open(world, root)?.lock(command)?;
    rewrite_held(world, root, command, puts)
}

/// Like [`rewrite`], for a caller that holds the lock of the project.
///
/// # Errors
///
/// Those of [`rewrite`].
pub fn rewrite_held(
    world: &World,
    root: &Path,
    command: &str,
    puts: &[(PathBuf, Put)],
) -> Result<Rewritten, RewriteError> {
    let place = Place::open(world, root)?;
    place.settle()?;
    place.carry_out(command, puts, None)
}

/// Makes a rewrite one that `undo` does not take back any more: what it wrote has been overtaken. Its bytes stay.
///
/// # Errors
///
/// When its folder cannot be renamed.
pub fn retire(world: &World, root: &Path, id: &str) -> Result<(), RewriteError> {
    let place = Place::open(world, root)?;
    world.disk.rename(&place.undo.join(id), &place.undo.join(format!("{id}.retired")))?;
    Ok(world.disk.sync_directory(&place.undo)?)
}

/// Every rewrite that was done and not taken back, oldest first; and what is wrong with the records that are gone or
/// damaged.
///
/// # Errors
///
/// Those of the disk.
pub fn written(world: &World, root: &Path) -> Result<(Vec<Rewritten>, Vec<RewriteError>), RewriteError> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    if world.disk.look(&root.join(".switchback/undo"))?.is_none() {
        return Ok((found, unreadable));
    }
    let place = Place::open(world, root)?;
    for id in place.done()? {
        let record = match place.read(&place.undo.join(&id)) {
            Ok(record) => record,
            Err(error @ RewriteError::Record { .. }) => {
                unreadable.push(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let paths = record.entries.into_iter().map(|entry| entry.path).collect();
        found.push(Rewritten { id, command: record.command, time: record.time, paths });
    }
    Ok((found, unreadable))
}

/// Ends what an earlier process left unfinished: every file is as it was before it. Says what was taken back.
pub fn recover(world: &World, root: &Path) -> Result<Option<Rewritten>, RewriteError> {
    if !is_unfinished(world, root)? {
        return Ok(None);
    }
    let place = Place::open(world, root)?;
    let Ok(_lock) = place.lock("recover") else { return Ok(None) };
    place.settle()
}

/// Like [`recover`], for a caller that holds the lock of the project.
pub fn recover_held(world: &World, root: &Path) -> Result<Option<Rewritten>, RewriteError> {
    if is_unfinished(world, root)? { Place::open(world, root)?.settle() } else { Ok(None) }
}

fn is_unfinished(world: &World, root: &Path) -> Result<bool, RewriteError> {
    let folder = root.join(".switchback/undo");
    if world.disk.look(&folder)?.is_none() {
        return Ok(false);
    }
    let is_unfinished = |name: &std::ffi::OsString| {
        Path::new(name).extension().is_some_and(|end| end == "intent" || end == "staging")
    };
    Ok(world.disk.list(&folder)?.iter().any(is_unfinished))
}

/// Takes the last rewrite back. A file that was changed since is refused before anything is touched.
pub fn undo(world: &World, root: &Path) -> Result<Rewritten, RewriteError> {
    let place = Place::open(world, root)?;
    let _lock = place.lock("undo")?;
    place.settle()?;
    let Some(id) = place.done()?.pop() else { return Err(RewriteError::Nothing) };
    let folder = place.undo.join(&id);
    let record = place.read(&folder)?;
    place.refuse_changed(&record)?;
    let mut puts = Vec::new();
    for (at, entry) in record.entries.iter().enumerate() {
        let put = match entry.old {
            Some(_) => Put::From(folder.join("old").join(at.to_string())),
            None => Put::Nothing,
        };
        puts.push((entry.path.clone(), put));
    }
    let done = place.carry_out(&record.command, &puts, Some(id.clone()))?;
    // What was taken back cannot be taken back again: both records have served.
    for id in [&id, &done.id] {
        remove_tree(place.disk(), &place.undo.join(id))?;
    }
    Ok(Rewritten { id, command: record.command, time: record.time, paths: done.paths })
}

struct Place<'a> {
    world: &'a World,
    root: PathBuf,
    undo: PathBuf,
}

impl<'a> Place<'a> {
    fn open(world: &'a World, root: &Path) -> Result<Self, RewriteError> {
        let disk = world.disk.as_ref();
        let state = root.join(".switchback");
        if disk.look(&state)?.is_none() {
            disk.make_directory(&state, 0o755)?;
        }
        let ignore = state.join(".gitignore");
        if disk.look(&ignore)?.is_none() {
            disk.write_new(&ignore, 0o644, &mut "*\n".as_bytes())?;
        }
        let undo = state.join("undo");
        make_directories(disk, &state, &undo)?;
        Ok(Self { world, root: root.to_owned(), undo })
    }

    fn disk(&self) -> &dyn Disk {
        self.world.disk.as_ref()
    }

    fn lock(&self, doing: &str) -> Result<Box<dyn crate::world::Lock>, RewriteError> {
        let note = format!(
            "{} (process {}) runs `switchback {doing}` since {}\n",
            self.world.surroundings.actor(),
            self.world.surroundings.process_id(),
            self.world.clock.now()
        );
        let lock = self.root.join(".switchback/lock");
        self.disk().lock(&lock, &note)?.map_err(|holder| RewriteError::Locked(holder.note.trim().to_owned()))
    }

    /// Finished rewrites, oldest first.
    fn done(&self) -> Result<Vec<String>, RewriteError> {
        let mut names: Vec<String> = self
            .disk()
            .list(&self.undo)?
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
            .collect();
        names.sort_by_key(|name| name.parse::<u64>().unwrap_or(0));
        Ok(names)
    }

    /// The highest number that a rewrite has, be it done, retired or under way.
    fn last_number(&self) -> Result<u64, RewriteError> {
        let names = self.disk().list(&self.undo)?;
        let number = |name: &std::ffi::OsString| name.to_str()?.split('.').next()?.parse::<u64>().ok();
        Ok(names.iter().filter_map(number).max().unwrap_or(0))
    }

    fn carry_out(
        &self,
        command: &str,
        puts: &[(PathBuf, Put)],
        undoes: Option<String>,
    ) -> Result<Rewritten, RewriteError> {
        let disk = self.disk();
        let id = (self.last_number()? + 1).to_string();
        let staging = self.undo.join(format!("{id}.staging"));
        remove_tree(disk, &staging)?;
        let time = self.world.clock.now().to_string();
        let record = match self.stage(&staging, command, &time, puts, undoes) {
            Ok(record) => record,
            Err(error) => {
                remove_tree(disk, &staging)?;
                return Err(error);
            }
        };
        let intent = self.undo.join(format!("{id}.intent"));
        disk.rename(&staging, &intent)?;
        disk.sync_directory(&self.undo)?;
        if let Err(error) = self.apply(&intent, &record) {
            // Put back at once what can be put back; what cannot is for whoever starts next.
            self.restore(&intent)?;
            return Err(error);
        }
        disk.rename(&intent, &self.undo.join(&id))?;
        disk.sync_directory(&self.undo)?;
        let paths = record.entries.into_iter().map(|entry| entry.path).collect();
        Ok(Rewritten { id, command: command.to_owned(), time, paths })
    }

    /// The content of a file: the same inode may be written to in place later, and then it is not what was moved.
    fn hash_of_file(&self, path: &Path) -> Result<Option<String>, RewriteError> {
        let disk = self.world.disk.as_ref();
        match disk.look(path)? {
            Some(meta) if meta.kind == FileKind::File => {
                Ok(Some(blake3::Hash::from_bytes(disk.hash(path)?).to_hex().to_string()))
            }
            _ => Ok(None),
        }
    }

    /// Writes everything new, and gives everything old a second name.
    fn stage(
        &self,
        staging: &Path,
        command: &str,
        time: &str,
        puts: &[(PathBuf, Put)],
        undoes: Option<String>,
    ) -> Result<Record, RewriteError> {
        let disk = self.disk();
        let (old, new) = (staging.join("old"), staging.join("new"));
        for folder in [staging, &old, &new] {
            disk.make_directory(folder, 0o755)?;
        }
        let mut entries = Vec::new();
        // One for all: files that are one stay one.
        let mut copier = Copier::new(disk);
        for (at, (path, put)) in puts.iter().enumerate() {
            self.refuse_outside(path)?;
            let live = self.root.join(path);
            let there = disk.look(&live)?;
            if there.is_some_and(|meta| !matches!(meta.kind, FileKind::File | FileKind::Symlink)) {
                return Err(RewriteError::InTheWay(path.clone()));
            }
            if there.is_some() {
                self.second_name(&live, &old.join(at.to_string()))?;
            }
            let staged = new.join(at.to_string());
            let new_hash = match put {
                Put::Bytes(bytes, mode) => {
                    disk.write_new(&staged, *mode & 0o7777, &mut bytes.as_slice())?;
                    disk.set_mode(&staged, *mode & 0o7777)?;
                    Some(blake3::hash(bytes).to_hex().to_string())
                }
                Put::Edited(bytes, of) | Put::Tightened(bytes, of, _) => {
                    self.write_like(&self.root.join(of), &staged, bytes, put.mode_mask())?;
                    Some(blake3::hash(bytes).to_hex().to_string())
                }
                Put::From(from) => {
                    self.second_name(&self.root.join(from), &staged)?;
                    self.hash_of_file(&staged)?
                }
                Put::Copy(from, mode) => {
                    disk.copy(&self.root.join(from), &staged, *mode & 0o7777)?;
                    Some(blake3::Hash::from_bytes(disk.hash(&staged)?).to_hex().to_string())
                }
                Put::Restored(from) => {
                    copier.copy(from, &staged, &|_| false)?;
                    let is_file = disk.look(&staged)?.is_some_and(|meta| meta.kind == FileKind::File);
                    let hash = if is_file { Some(disk.hash(&staged)?) } else { None };
                    hash.map(|hash| blake3::Hash::from_bytes(hash).to_hex().to_string())
                }
                Put::Link(leads_to) => {
                    disk.make_symlink(leads_to, &staged)?;
                    None
                }
                Put::Nothing => None,
            };
            let identity = disk.look(&staged)?.map(|meta| meta.identity.into());
            let there = there.map(|meta| meta.identity.into());
            entries.push(Entry { path: path.clone(), old: there, new: identity, new_hash });
        }
        let made = self.folders_to_make(&entries, puts)?;
        let emptied = self.folders_to_empty(&entries)?;
        let record = Record {
            version: VERSION,
            command: command.to_owned(),
            time: time.to_owned(),
            entries,
            made,
            emptied,
            undoes,
        };
        let path = staging.join("record.json");
        let text = serde_json::to_vec(&record)
            .map_err(|error| RewriteError::Record { path: path.clone(), why: error.to_string() })?;
        disk.write_new(&path, 0o644, &mut text.as_slice())?;
        sync_tree(disk, staging)?;
        Ok(record)
    }

    /// A file of other bytes that has the mode, the owner and the attributes of the one at `of`.
    fn write_like(&self, of: &Path, to: &Path, bytes: &[u8], allowed: u32) -> Result<(), RewriteError> {
        let disk = self.disk();
        let Some(meta) = disk.look(of)? else { return Err(RewriteError::InTheWay(of.to_owned())) };
        disk.write_new(to, meta.mode & allowed & 0o777, &mut &*bytes)?;
        if let Some(there) = disk.look(to)?
            && (there.uid, there.gid) != (meta.uid, meta.gid)
        {
            // Only root gives files away; whoever may not still keeps the group, where it is one of theirs.
            disk.set_owner(to, meta.uid, meta.gid).or_else(|_| disk.set_owner(to, there.uid, meta.gid)).ok();
        }
        for (name, value) in disk.xattrs(of)? {
            disk.set_xattr(to, &name, &value)?;
        }
        Ok(disk.set_mode(to, meta.mode & allowed & 0o7777)?)
    }

    /// Another name for a file, or a copy where the file system has no second names.
    fn second_name(&self, from: &Path, to: &Path) -> Result<(), RewriteError> {
        let disk = self.disk();
        if disk.make_hard_link(from, to).is_ok() {
            return Ok(());
        }
        let Some(meta) = disk.look(from)? else { return Err(RewriteError::InTheWay(from.to_owned())) };
        match meta.kind {
            FileKind::Symlink => disk.make_symlink(&disk.read_link(from)?, to)?,
            _ => disk.copy(from, to, meta.mode)?,
        }
        Ok(())
    }

    fn refuse_outside(&self, path: &Path) -> Result<(), RewriteError> {
        use std::path::Component::Normal;
        let is_inside = path.components().all(|part| matches!(part, Normal(_)))
            && !path.starts_with(".switchback")
            && !path.starts_with(".git");
        if !is_inside {
            return Err(RewriteError::Outside(path.to_owned()));
        }
        // A folder that is a link leads somewhere else.
        let mut here = self.root.clone();
        for part in path.parent().into_iter().flat_map(Path::components) {
            here.push(part);
            // A file there is no hindrance: when it goes, it makes room for a folder of its name.
            if self.disk().look(&here)?.is_some_and(|meta| meta.kind == FileKind::Symlink) {
                return Err(RewriteError::Outside(path.to_owned()));
            }
        }
        Ok(())
    }

    /// Puts everything new into place.
    fn apply(&self, intent: &Path, record: &Record) -> Result<(), RewriteError> {
        let disk = self.disk();
        // What goes, goes first: a module makes room for a package of its name.
        for entry in record.entries.iter().filter(|entry| entry.new.is_none() && entry.old.is_some()) {
            disk.remove_file(&self.root.join(&entry.path))?;
        }
        for folder in &record.made {
            if disk.look(&self.root.join(&folder.path))?.is_none() {
                disk.make_directory(&self.root.join(&folder.path), folder.mode | OWNER_MAY)?;
            }
        }
        for (at, entry) in record.entries.iter().enumerate().filter(|(_, entry)| entry.new.is_some()) {
            let staged = intent.join("new").join(at.to_string());
            let live = self.root.join(&entry.path);
            // A rename onto another name of the same inode does nothing at all.
            if disk.look(&live)?.map(|meta| meta.identity.into()) == entry.new {
                disk.remove_file(&staged)?;
            } else {
                disk.rename_over(&staged, &live)?;
            }
        }
        for folder in &record.made {
            disk.set_mode(&self.root.join(&folder.path), folder.mode)?;
        }
        for folder in &record.emptied {
            self.remove_emptied(&self.root.join(&folder.path))?;
        }
        self.sync_around(record)
    }

    fn remove_emptied(&self, folder: &Path) -> Result<(), RewriteError> {
        let disk = self.disk();
        if disk.look(folder)?.is_none() {
            return Ok(());
        }
        let names = disk.list(folder)?;
        if names.iter().any(|name| name != "__pycache__") {
            // Somebody put something there in the meantime.
            return Ok(());
        }
        for name in names {
            remove_tree(disk, &folder.join(name))?;
        }
        Ok(disk.remove_directory(folder)?)
    }

    fn sync_around(&self, record: &Record) -> Result<(), RewriteError> {
        let mut folders = BTreeSet::new();
        let paths = record.entries.iter().map(|entry| &entry.path);
        for path in paths.chain(record.made.iter().chain(&record.emptied).map(|folder| &folder.path)) {
            let folder = self.root.join(path.parent().unwrap_or(Path::new("")));
            if self.disk().look(&folder)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
                folders.insert(folder);
            }
        }
        Ok(sync_all(self.disk(), &[], &folders.into_iter().collect::<Vec<_>>())?)
    }

    /// Ends what was left unfinished.
    fn settle(&self) -> Result<Option<Rewritten>, RewriteError> {
        let mut settled = None;
        for name in self.disk().list(&self.undo)? {
            let folder = self.undo.join(&name);
            match Path::new(&name).extension().and_then(std::ffi::OsStr::to_str) {
                Some("staging") => remove_tree(self.disk(), &folder)?,
                Some("intent") => settled = Some(self.restore(&folder)?),
                _ => {}
            }
        }
        // A process that ended after an undo was done, and before its records were removed.
        for id in self.done()? {
            let folder = self.undo.join(&id);
            if let Some(undone) = self.read(&folder)?.undoes {
                remove_tree(self.disk(), &self.undo.join(undone))?;
                remove_tree(self.disk(), &folder)?;
            }
        }
        Ok(settled)
    }

    /// Puts everything back as it was before. Done twice, it does no more than done once.
    fn restore(&self, intent: &Path) -> Result<Rewritten, RewriteError> {
        let disk = self.disk();
        let record = self.read(intent)?;
        for entry in &record.entries {
            let live = self.root.join(&entry.path);
            let there = disk.look(&live)?.filter(|meta| meta.kind != FileKind::Directory);
            let Some(there) = there else { continue };
            let there = Some(there.identity.into());
            if there == entry.old {
                continue;
            }
            if there == entry.new {
                disk.remove_file(&live)?;
            } else {
                self.keep_aside(&live)?;
            }
        }
        for folder in record
            .made
            .iter()
            .rev()
            .filter(|folder| !record.emptied.iter().any(|one| one.path == folder.path))
        {
            let live = self.root.join(&folder.path);
            let is_empty = disk.look(&live)?.is_some_and(|meta| meta.kind == FileKind::Directory)
                && disk.list(&live)?.is_empty();
            if is_empty {
                disk.remove_directory(&live)?;
            }
        }
        for folder in record.emptied.iter().rev() {
            let live = self.root.join(&folder.path);
            if disk.look(&live)?.is_none() {
                disk.make_directory(&live, folder.mode)?;
                disk.set_mode(&live, folder.mode)?;
            }
        }
        for (at, entry) in record.entries.iter().enumerate() {
            let live = self.root.join(&entry.path);
            if entry.old.is_some() && disk.look(&live)?.is_none() {
                let spare = intent.join(format!("back-{at}"));
                remove_tree(disk, &spare)?;
                self.second_name(&intent.join("old").join(at.to_string()), &spare)?;
                disk.rename(&spare, &live)?;
            }
        }
        self.sync_around(&record)?;
        let paths = record.entries.into_iter().map(|entry| entry.path).collect();
        let id = intent.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let staging = self.undo.join(format!("{id}.staging"));
        disk.rename(intent, &staging)?;
        disk.sync_directory(&self.undo)?;
        remove_tree(disk, &staging)?;
        Ok(Rewritten { id, command: record.command, time: record.time, paths })
    }

    /// What somebody put in our way is kept beside it.
    fn keep_aside(&self, live: &Path) -> Result<(), RewriteError> {
        let mut name = live.file_name().unwrap_or_default().to_owned();
        name.push(".sb-kept");
        let mut aside = live.with_file_name(&name);
        while self.disk().look(&aside)?.is_some() {
            name.push("-");
            aside = live.with_file_name(&name);
        }
        Ok(self.disk().rename(live, &aside)?)
    }

    fn read(&self, folder: &Path) -> Result<Record, RewriteError> {
        let path = folder.join("record.json");
        let failed = |why: String| RewriteError::Record { path: path.clone(), why };
        let bytes = match self.disk().read(&path, RECORD_BYTES_MAX) {
            Err(error) if error.source.kind() == ErrorKind::NotFound => {
                return Err(failed("it is not there".to_owned()));
            }
            read => read?,
        };
        let record: Record = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        if record.version != VERSION {
            return Err(failed(format!("it is of version {}", record.version)));
        }
        Ok(record)
    }

    /// Files that are not what was written. One that only moved may have been worked on: it moves back as it is.
    fn refuse_changed(&self, record: &Record) -> Result<(), RewriteError> {
        let disk = self.disk();
        let mut changed = Vec::new();
        for entry in &record.entries {
            let live = self.root.join(&entry.path);
            let there = disk.look(&live)?;
            let is_same = match (&entry.new, &there) {
                (None, None) => true,
                (Some(new), Some(meta)) if *new == meta.identity.into() => match &entry.new_hash {
                    Some(hash) => blake3::Hash::from_bytes(disk.hash(&live)?).to_hex().as_str() == hash,
                    None => true,
                },
                (Some(_), Some(_)) => match &entry.new_hash {
                    Some(hash) => blake3::Hash::from_bytes(disk.hash(&live)?).to_hex().as_str() == hash,
                    None => false,
                },
                _ => false,
            };
            if !is_same {
                changed.push(entry.path.clone());
            }
        }
        if changed.is_empty() { Ok(()) } else { Err(RewriteError::Changed(changed)) }
    }
}

#[cfg(test)]
mod tests;
