//! Whether a process runs the code that is live: what the kernel says of where it stands and what it has open.
//!
//! A process that was not really started anew keeps its folder, its program, its libraries and its open files; after the
//! exchange these are in a parked tree.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::phase::layout;
use crate::phase::project::Work;
use crate::plan::STATE_FOLDER;
use crate::world::{Disk, DiskError, FileKind};

const TABLE: &str = "/proc";
const MAPS_BYTES_MAX: u64 = 64 * 1024 * 1024;
const SMALL_BYTES_MAX: u64 = 64 * 1024;
/// A path with more links than that leads in a circle.
const LINKS_MAX: usize = 40;
/// So many findings are named.
const NAMED_MAX: usize = 3;

/// What was seen of some processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Code {
    /// None of them has anything of a parked tree.
    Live(String),
    /// One has.
    Parked(String),
    /// Not all of them could be looked at.
    Unknown(String),
}

/// Where parked trees stand.
struct Parked {
    root: PathBuf,
    live: PathBuf,
}

impl Parked {
    fn of(work: &Work<'_>) -> Result<Self, DiskError> {
        let disk = work.world().disk.as_ref();
        let root = resolved(disk, &work.project.root)?;
        let live = layout::live_base(disk, &root, &work.plan().project.managed)?;
        Ok(Self { root, live })
    }

    /// Whether a path is in a tree that is not live.
    fn holds(&self, path: &Path) -> bool {
        let Ok(inside) = path.strip_prefix(&self.root) else { return false };
        let is_live_generation = self.live != self.root && path.starts_with(&self.live);
        let generations = Path::new(STATE_FOLDER).join("generations");
        let is_beside = |part: Component<'_>| {
            let name = part.as_os_str().to_string_lossy();
            name.starts_with('.') && name.contains(".sb-")
        };
        (inside.starts_with(&generations) && !is_live_generation) || inside.components().any(is_beside)
    }
}

/// Looks at the process whose id is in `pid_file`, and at all that it started.
pub(super) fn of_pid_file(work: &Work<'_>, pid_file: &Path) -> Code {
    let disk = work.world().disk.as_ref();
    let shown = pid_file.strip_prefix(&work.project.root).unwrap_or(pid_file).display().to_string();
    let text = match disk.read(pid_file, SMALL_BYTES_MAX) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return Code::Unknown(format!("`{shown}`: {}", error.source)),
    };
    let Some(id) = text.split_whitespace().next().and_then(|word| word.parse::<u32>().ok()) else {
        return Code::Unknown(format!("`{shown}` holds no process id"));
    };
    let looked = Parked::of(work).and_then(|parked| {
        let mut family = family(disk, id)?;
        // This program opens what it likes of both trees.
        family.remove(&work.world().surroundings.process_id());
        if !family.contains_key(&id) {
            return Ok(Code::Unknown(format!("no process has the id {id} that stands in `{shown}`")));
        }
        Ok(look_at(disk, &parked, &family))
    });
    looked.unwrap_or_else(|error| Code::Unknown(error.to_string()))
}

/// Looks at every process of this user. One of them may be anybody's: what is found is for a person to judge.
pub(super) fn of_user(work: &Work<'_>) -> Code {
    let disk = work.world().disk.as_ref();
    let own = work.world().surroundings.process_id();
    let looked = Parked::of(work).and_then(|parked| {
        let all = parents(disk)?;
        let user = disk.look(&Path::new(TABLE).join(own.to_string()))?.map(|meta| meta.uid);
        let ours = ancestors(&all, own);
        let mut found = Vec::new();
        let mut looked_at = 0;
        for id in all.keys().filter(|id| !ours.contains(id)) {
            let folder = Path::new(TABLE).join(id.to_string());
            let is_of_user =
                disk.look(&folder).is_ok_and(|meta| meta.is_some_and(|meta| Some(meta.uid) == user));
            if !is_of_user {
                continue;
            }
            looked_at += 1;
            // Without permission for one of them nothing is known of it; the others are looked at all the same.
            if let Ok(places) = places(disk, &folder) {
                found.extend(named(disk, *id, &parked, &places));
            }
        }
        Ok(if found.is_empty() {
            Code::Live(format!("none of {looked_at} processes of this user has anything of a parked tree"))
        } else {
            Code::Parked(listed(&found))
        })
    });
    looked.unwrap_or_else(|error| Code::Unknown(error.to_string()))
}

fn look_at(disk: &dyn Disk, parked: &Parked, family: &BTreeMap<u32, u32>) -> Code {
    let (mut found, mut refused, mut seen) = (Vec::new(), Vec::new(), 0);
    for id in family.keys() {
        let folder = Path::new(TABLE).join(id.to_string());
        if is_elsewhere(disk, &folder) {
            refused.push(format!("process {id} sees other file systems than this one (a container)"));
            continue;
        }
        match places(disk, &folder) {
            Ok(places) => {
                seen += 1;
                found.extend(named(disk, *id, parked, &places));
            }
            // It ended meanwhile: then it runs nothing.
            Err(error) if is_gone(&error) => {}
            Err(error) => refused.push(format!("process {id} may not be looked at: {}", error.source)),
        }
    }
    match (found.is_empty(), refused.is_empty()) {
        (false, _) => Code::Parked(listed(&found)),
        (true, false) => Code::Unknown(listed(&refused)),
        (true, true) if seen == 0 => Code::Unknown("it ended before it could be looked at".to_owned()),
        (true, true) => {
            let what =
                if seen == 1 { "its process has".to_owned() } else { format!("its {seen} processes have") };
            Code::Live(format!("{what} nothing of a parked tree"))
        }
    }
}

fn listed(all: &[String]) -> String {
    let shown = all.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The first of the places of a process that is in a parked tree, in words.
fn named(disk: &dyn Disk, id: u32, parked: &Parked, places: &[(&'static str, PathBuf)]) -> Option<String> {
    let (what, path) = places.iter().find(|(_, path)| parked.holds(path))?;
    let name = disk.read(&Path::new(TABLE).join(id.to_string()).join("comm"), SMALL_BYTES_MAX);
    let name = name.map_or_else(|_| String::new(), |name| String::from_utf8_lossy(&name).trim().to_owned());
    Some(format!("process {id} (`{name}`) {what} `{}`", path.display()))
}

/// What a process has of the file system: its program, its folder, its root, what it has mapped and what it has open.
fn places(disk: &dyn Disk, folder: &Path) -> Result<Vec<(&'static str, PathBuf)>, DiskError> {
    let mut places = Vec::new();
    for (name, what) in [("exe", "runs"), ("cwd", "stands in"), ("root", "has as its root")] {
        places.push((what, disk.read_link(&folder.join(name))?));
    }
    let maps = disk.read(&folder.join("maps"), MAPS_BYTES_MAX)?;
    for line in String::from_utf8_lossy(&maps).lines() {
        if let Some(at) = line.find(" /") {
            places.push(("has mapped", PathBuf::from(&line[at + 1..])));
        }
    }
    let open = folder.join("fd");
    for name in disk.list(&open)? {
        match disk.read_link(&open.join(name)) {
            Ok(path) => places.push(("has open", path)),
            // Closed since it was listed.
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(places)
}

fn is_gone(error: &DiskError) -> bool {
    const NO_SUCH_PROCESS: i32 = 3;
    error.source.kind() == ErrorKind::NotFound || error.source.raw_os_error() == Some(NO_SUCH_PROCESS)
}

/// Whether a process is in another mount namespace, where the same path is another file.
fn is_elsewhere(disk: &dyn Disk, folder: &Path) -> bool {
    let own = disk.read_link(&Path::new(TABLE).join("self/ns/mnt"));
    let its = disk.read_link(&folder.join("ns/mnt"));
    matches!((own, its), (Ok(own), Ok(its)) if own != its)
}

/// A process and all that it started, with their parents.
fn family(disk: &dyn Disk, id: u32) -> Result<BTreeMap<u32, u32>, DiskError> {
    let all = parents(disk)?;
    let is_of = |of: u32| ancestors(&all, of).contains(&id);
    Ok(all.iter().filter(|(of, _)| is_of(**of)).map(|(of, parent)| (*of, *parent)).collect())
}

/// A process and those that it comes from.
fn ancestors(all: &BTreeMap<u32, u32>, id: u32) -> Vec<u32> {
    let mut line = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next.filter(|id| all.contains_key(id) && !line.contains(id)) {
        line.push(id);
        next = all.get(&id).copied();
    }
    line
}

/// Every process with its parent.
fn parents(disk: &dyn Disk) -> Result<BTreeMap<u32, u32>, DiskError> {
    let mut all = BTreeMap::new();
    for name in disk.list(Path::new(TABLE))? {
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It ended since it was listed.
        let Ok(stat) = disk.read(&Path::new(TABLE).join(name).join("stat"), SMALL_BYTES_MAX) else {
            continue;
        };
        let stat = String::from_utf8_lossy(&stat).into_owned();
        // The name of the program may hold anything, a parenthesis as well: what follows the last one is fixed.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            all.insert(id, parent);
        }
    }
    Ok(all)
}

/// An absolute path without links, as the kernel names it.
fn resolved(disk: &dyn Disk, path: &Path) -> Result<PathBuf, DiskError> {
    let mut done = PathBuf::from("/");
    let mut rest: Vec<PathBuf> = parts(path);
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part.as_os_str() == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&part);
        let is_link = disk.look(&next)?.is_some_and(|meta| meta.kind == FileKind::Symlink);
        if !is_link || links > LINKS_MAX {
            done = next;
            continue;
        }
        links += 1;
        let target = disk.read_link(&next)?;
        if target.is_absolute() {
            done = PathBuf::from("/");
        }
        rest.extend(parts(&target));
    }
    Ok(done)
}

/// The parts of a path, the last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    parts.collect::<Vec<_>>().into_iter().rev().collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test makes its own small tree")]
mod tests {
    use super::*;
    use crate::world::RealDisk;

    fn holds(live: &str, path: &str) -> bool {
        Parked { root: PathBuf::from("/p"), live: PathBuf::from(live) }.holds(Path::new(path))
    }

    #[test]
    fn what_is_beside_a_path_or_a_generation_is_parked_and_what_is_live_is_not() {
        assert!(holds("/p", "/p/.src.sb-t7-1"));
        assert!(holds("/p", "/p/config/.pipeline.sb-t7/a/b.py (deleted)"));
        assert!(holds("/p", "/p/.switchback/generations/t7/new/src"));
        assert!(!holds("/p", "/p/src"));
        assert!(!holds("/p", "/p/.switchback/processes/api.start.log"));
        assert!(!holds("/p", "/elsewhere/.src.sb-t7"));
        // Through the pointer, the live tree is a generation itself.
        let live = "/p/.switchback/generations/t8/tree";
        assert!(!holds(live, "/p/.switchback/generations/t8/tree/src"));
        assert!(holds(live, "/p/.switchback/generations/t7/tree/src"));
    }

    #[test]
    fn a_root_behind_links_is_named_as_the_kernel_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir_all(real.join("a/project")).unwrap();
        std::os::unix::fs::symlink("a", real.join("relative")).unwrap();
        std::os::unix::fs::symlink(real.join("relative/../relative"), real.join("absolute")).unwrap();
        let found = resolved(&RealDisk, &real.join("absolute/project")).unwrap();
        assert_eq!(found, real.join("a/project"));
    }
}
