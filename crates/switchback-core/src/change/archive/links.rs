//! Where the symbolic links of an archive lead. One that leads out would bring what is elsewhere into the candidate.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::super::ChangeError;
use super::Refusal;
use super::entry::Shown;
use crate::world::{Disk, DiskError, FileKind};

/// Linux gives up after as many links on one way.
const FOLLOWED_MAX: u32 = 40;
/// Links that lead through links are looked at step by step; a real tree stays far below this.
const STEPS_MAX: u64 = 20_000_000;

/// The symbolic links of an archive that was unpacked.
#[derive(Debug)]
pub(in super::super) struct Links {
    paths: Vec<PathBuf>,
}

impl Links {
    /// These links: absolute paths.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths }
    }

    /// Refuses links that lead out of `root`, which is the candidate of the archive `name`.
    pub(in super::super) fn stay_in(
        &self,
        disk: &dyn Disk,
        name: &str,
        root: &Path,
    ) -> Result<(), ChangeError> {
        self.look(disk, root).map_err(|refusal| refusal.of(name))
    }

    fn look(&self, disk: &dyn Disk, root: &Path) -> Result<(), Refusal> {
        let mut steps_left = STEPS_MAX;
        for path in &self.paths {
            // Those beside the candidate are not taken.
            let Ok(inside) = path.strip_prefix(root) else { continue };
            if leads_out(disk, root, inside, &mut steps_left)? {
                let (link, target) = (shown(inside), shown(&disk.read_link(path)?));
                return Err(Refusal::Why(format!(
                    "entry {link} is a link that leads out of it, to {target}"
                )));
            }
            if steps_left == 0 {
                return Err(Refusal::why("its links lead through each other too often"));
            }
        }
        Ok(())
    }
}

fn shown(path: &Path) -> Shown {
    Shown::new(path.as_os_str().as_encoded_bytes())
}

/// Whether whoever follows the link leaves `root`, be it only on the way.
fn leads_out(disk: &dyn Disk, root: &Path, link: &Path, steps_left: &mut u64) -> Result<bool, DiskError> {
    // The folders above it are real ones: that was seen to when it was written.
    let mut here = link.parent().unwrap_or(Path::new("")).to_owned();
    let mut ahead: Vec<Option<OsString>> = Vec::new();
    if !go_on(&mut ahead, &disk.read_link(&root.join(link))?) {
        return Ok(true);
    }
    let mut followed = 1;
    while let Some(part) = ahead.pop() {
        *steps_left = steps_left.saturating_sub(1);
        if *steps_left == 0 {
            return Ok(false);
        }
        let Some(name) = part else {
            if !here.pop() {
                return Ok(true);
            }
            continue;
        };
        here.push(name);
        let path = root.join(&here);
        if disk.look(&path)?.is_some_and(|meta| meta.kind == FileKind::Symlink) {
            followed += 1;
            if followed > FOLLOWED_MAX {
                return Ok(false); // nobody gets anywhere on it
            }
            here.pop();
            if !go_on(&mut ahead, &disk.read_link(&path)?) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Puts the parts of a target before what is ahead; `None` is `..`. Not when the target is absolute.
fn go_on(ahead: &mut Vec<Option<OsString>>, target: &Path) -> bool {
    let at = ahead.len();
    for part in target.components() {
        match part {
            Component::Normal(name) => ahead.push(Some(name.to_owned())),
            Component::ParentDir => ahead.push(None),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    ahead[at..].reverse();
    true
}
