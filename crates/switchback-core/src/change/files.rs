//! `files`: the candidate is a ready tree: a directory, a git revision, or an archive; mirrored or overlaid (RE-12).

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage, archive, from_root};
use crate::git::{GitError, Repository};
use crate::manifest::{What, to_hex};
use crate::package::{Unusable, arrived, candidate_of};
use crate::plan::{Fields, Key, Managed, Shape, relative};
use crate::tree::copy::{Copier, remove_tree};
use crate::tree::scan;
use crate::world::{FileKind, Meta, World};

/// The kind `files`.
pub(super) static KIND: Kind = Kind {
    word: "files",
    doc: "the candidate is a ready tree: a directory, a git revision or an archive",
    keys: &[
        Key::required(
            "from",
            Shape::Text,
            "a directory, `git:REVISION`, or an archive (.zip, .tar, .tar.gz, .tgz, .tar.zst), also a package",
        ),
        Key::optional("paths", Shape::Texts, "the managed paths that it brings; all when left out"),
    ],
    read,
};

#[derive(Debug)]
struct FilesChange {
    from: String,
    paths: Option<Vec<PathBuf>>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let from = fields.filled_text("from")?;
    if from == "git:" {
        fields.find("from", "`from` names no git revision", "write a revision after `git:`, e.g. `git:v2.0`");
    }
    let paths = fields.placed_texts("paths").map(|texts| {
        let paths: Vec<PathBuf> = texts
            .iter()
            .filter_map(|(offset, text)| relative(text, *offset, "the path in `paths`", fields.findings()))
            .collect();
        if texts.is_empty() {
            fields.find(
                "paths",
                "`paths` is empty: the change would do nothing",
                "name a managed path, or take it out",
            );
        }
        paths
    });
    Some(Box::new(FilesChange { from, paths }))
}

impl FilesChange {
    fn brings(&self, managed: &Managed) -> bool {
        self.paths.as_ref().is_none_or(|paths| paths.contains(&managed.path))
    }

    fn refused(&self, why: impl Into<String>) -> ChangeError {
        ChangeError::Source { from: self.from.clone(), why: why.into() }
    }

    /// The source as a directory, and whether it carries owners and times of its own.
    fn source(&self, stage: &Stage<'_>) -> Result<(PathBuf, bool), ChangeError> {
        let disk = stage.world.disk.as_ref();
        if let Some(revision) = self.from.strip_prefix("git:") {
            return Ok((self.check_out(revision, stage)?, false));
        }
        let path = from_root(stage.root, &self.from);
        let path = self.as_received(stage, &path)?.unwrap_or(path);
        match disk.look(&path)?.map(|meta| meta.kind) {
            None => Err(self.refused("does not exist")),
            Some(FileKind::Directory) => Ok((path, true)),
            Some(FileKind::File) if archive::is_archive(&self.from) => {
                let into = stage.scratch.join("archive");
                disk.make_directory(&into, 0o700)?;
                let links = archive::unpack(disk, &self.from, &path, &into)?;
                if let Some(source) = self.package(stage, &into)? {
                    links.stay_in(disk, &self.from, &source)?;
                    return Ok((source, false));
                }
                let source = self.only_folder(stage, &into)?;
                links.stay_in(disk, &self.from, &source)?;
                Ok((source, false))
            }
            Some(FileKind::Symlink) => Err(self.refused("is a symbolic link; name what it points to")),
            Some(_) => Err(self
                .refused(format!("is neither a directory nor an archive ({})", archive::ENDINGS.join(", ")))),
        }
    }

    /// Where a package was received, a copy of it that nobody can exchange any more, once it is known to be that package.
    fn as_received(&self, stage: &Stage<'_>, path: &Path) -> Result<Option<PathBuf>, ChangeError> {
        let fact = self.archive().and_then(|from| arrived(stage.received, stage.root, from));
        let Some(fact) = fact else { return Ok(None) };
        let disk = stage.world.disk.as_ref();
        let other = |found: String| ChangeError::NotReceived {
            from: self.from.clone(),
            package: fact.package.clone(),
            sequence: fact.sequence,
            expected: fact.archive.clone(),
            found,
        };
        match disk.look(path)?.map(|meta| meta.kind) {
            Some(FileKind::File) => {}
            Some(_) => return Err(other("what is there is no file".to_owned())),
            None => return Err(other("nothing is there".to_owned())),
        }
        let copy = stage.scratch.join("received");
        disk.copy(path, &copy, 0o600)?;
        let found = to_hex(&disk.hash(&copy)?);
        if found != fact.archive {
            return Err(other(format!("the file that is there has {found}")));
        }
        Ok(Some(copy))
    }

    /// The candidate in a package that was unpacked, where it is one: every file of it as its manifest says.
    fn package(&self, stage: &Stage<'_>, unpacked: &Path) -> Result<Option<PathBuf>, ChangeError> {
        let brought = stage.managed.iter().filter(|managed| self.brings(managed) && managed.delete);
        let brought: Vec<&Path> = brought.map(|managed| managed.path.as_path()).collect();
        let refused = |why: String| ChangeError::Archive { from: self.from.clone(), why };
        // Where the plan names what it takes, the rest is left behind on purpose.
        let all: Vec<&Path> = stage.managed.iter().map(|managed| managed.path.as_path()).collect();
        let managed = self.paths.is_none().then_some(all.as_slice());
        candidate_of(stage.world.disk.as_ref(), unpacked, &brought, managed).map_err(|error| match error {
            Unusable::Disk(error) => error.into(),
            Unusable::Why(why) => refused(why),
        })
    }

    /// Archives often hold one folder with everything in it; that folder is then the source.
    fn only_folder(&self, stage: &Stage<'_>, unpacked: &Path) -> Result<PathBuf, ChangeError> {
        let disk = stage.world.disk.as_ref();
        let has_managed = |folder: &Path| -> Result<bool, ChangeError> {
            for managed in stage.managed.iter().filter(|managed| self.brings(managed)) {
                if disk.look(&folder.join(&managed.path))?.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if has_managed(unpacked)? {
            return Ok(unpacked.to_owned());
        }
        if let [name] = disk.list(unpacked)?.as_slice() {
            let inner = unpacked.join(name);
            if disk.look(&inner)?.is_some_and(|meta| meta.kind == FileKind::Directory) {
                return Ok(inner);
            }
        }
        Ok(unpacked.to_owned())
    }

    /// Checks the revision out beside everything else, through an index of its own; filters apply as in any checkout.
    fn check_out(&self, revision: &str, stage: &Stage<'_>) -> Result<PathBuf, ChangeError> {
        let refused = |error| match error {
            GitError::Disk(error) => ChangeError::Disk(error),
            GitError::Process(error) => ChangeError::Process(error),
            refused @ GitError::Refused { .. } => self.refused(format!("cannot be had from git: {refused}")),
        };
        let git = Repository { world: stage.world, folder: stage.root };
        let commit = git.commit(revision).map_err(refused)?;
        let prefix = git.prefix().map_err(refused)?;
        for path in git.submodules(&commit).map_err(refused)? {
            let is_ours = stage.managed.iter().any(|managed| path.starts_with(prefix.join(&managed.path)));
            if is_ours {
                let path = path.display();
                return Err(self.refused(format!("has the submodule `{path}`, whose content is not in it")));
            }
        }
        git.check_out(&commit, stage.scratch).map_err(refused)
    }
}

impl Change for FilesChange {
    fn describe(&self) -> String {
        format!("take files from `{}`", self.from)
    }

    fn replaces(&self, managed: &Managed) -> bool {
        managed.delete && self.brings(managed)
    }

    fn archive(&self) -> Option<&str> {
        archive::is_archive(&self.from).then_some(self.from.as_str())
    }

    fn paths(&self) -> Option<&[PathBuf]> {
        self.paths.as_deref()
    }

    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        let disk = stage.world.disk.as_ref();
        let (source, _) = self.source(stage)?;
        let mut counts = FileCounts::default();
        for managed in stage.managed.iter().filter(|managed| self.brings(managed)) {
            let paths = [managed.path.clone()];
            let (old, new) = (scan(disk, stage.live, &paths)?, scan(disk, &source, &paths)?);
            for difference in old.differences(&new) {
                match difference.what {
                    What::Added => counts.added += 1,
                    What::Removed if managed.delete => counts.removed += 1,
                    What::Content => counts.changed += 1,
                    _ => {}
                }
            }
        }
        Ok(Some(counts))
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        if let Some(paths) = &self.paths
            && let Some(stranger) = paths.iter().find(|path| !stage.managed.iter().any(|m| m.path == **path))
        {
            return Err(
                self.refused(format!("is to bring `{}`, which is not a managed path", stranger.display()))
            );
        }
        let disk = stage.world.disk.as_ref();
        let (source, has_own_metadata) = self.source(stage)?;
        let mut copier = Copier::new(disk);
        let mut brought = 0;
        for managed in stage.managed.iter().filter(|managed| self.brings(managed)) {
            let (from, to) = (source.join(&managed.path), stage.tree.join(&managed.path));
            if disk.look(&from)?.is_none() {
                if managed.delete {
                    remove_tree(disk, &to)?;
                }
                continue;
            }
            brought += 1;
            if !has_own_metadata {
                inherit(stage.world, &from, &stage.live.join(&managed.path))?;
            }
            if managed.delete {
                remove_tree(disk, &to)?;
                copier.copy(&from, &to, &|_| false)?;
            } else {
                copier.overlay(&from, &to)?;
            }
        }
        if brought == 0 {
            return Err(self.refused("has none of the managed paths: everything would be deleted"));
        }
        Ok(())
    }
}

/// Gives what came without metadata of its own the owner, mode and attributes of the live entry of the same path, and
/// its times where the content is the same: what did not change must not look changed.
fn inherit(world: &World, from: &Path, live: &Path) -> Result<(), ChangeError> {
    let disk = world.disk.as_ref();
    let (Some(there), Some(here)) = (disk.look(live)?, disk.look(from)?) else { return Ok(()) };
    if there.kind != here.kind {
        return Ok(());
    }
    let is_same = match here.kind {
        FileKind::Directory => {
            for name in disk.list(from)? {
                inherit(world, &from.join(&name), &live.join(&name))?;
            }
            true
        }
        FileKind::File => there.size == here.size && disk.hash(from)? == disk.hash(live)?,
        FileKind::Symlink => disk.read_link(from)? == disk.read_link(live)?,
        FileKind::Fifo | FileKind::Socket | FileKind::BlockDevice | FileKind::CharacterDevice => false,
    };
    disk.set_owner(from, there.uid, there.gid)?;
    if here.kind != FileKind::Symlink {
        disk.set_mode(from, inherited_mode(&there, &here))?;
    }
    for (name, value) in disk.xattrs(live)? {
        disk.set_xattr(from, &name, &value)?;
    }
    let mtime_ns = if is_same { there.mtime_ns } else { here.mtime_ns };
    Ok(disk.set_times(from, mtime_ns, mtime_ns)?)
}

/// The live mode; whether a file can be executed is part of the candidate, as git and archives know it.
fn inherited_mode(there: &Meta, here: &Meta) -> u32 {
    if here.kind == FileKind::Directory {
        return there.mode;
    }
    let readers = (there.mode & 0o444) >> 2;
    if here.mode & 0o100 == 0 { there.mode & !0o111 } else { there.mode | readers }
}
