//! What no undo could bring back: names outside the tree, content that its owner may not read, and what a command changed
//! elsewhere. It is found in both trees before anything is rehearsed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::journal::history::StagedFact;
use crate::phase::error::StepError;
use crate::phase::layout;
use crate::phase::project::Work;
use crate::phase::stage::candidate;
use crate::plan::Mechanism;
use crate::tree::{Seen, walk};
use crate::world::{FileKind, Identity};

/// Of each kind of hazard so many are named; the rest is counted.
const NAMED_MAX: usize = 5;
/// What a file needs of its owner to be read.
const MAY_READ: u32 = 0o400;
/// What a directory needs of its owner to be looked into.
const MAY_LOOK_INTO: u32 = 0o500;

/// Looks at the live tree and at the candidate.
pub(super) fn look(work: &Work<'_>, staged: &StagedFact) -> Result<Vec<Finding>, StepError> {
    let disk = work.world().disk.as_ref();
    let plan = work.plan();
    let base = layout::live_base(disk, &plan.root, &plan.project.managed)?;
    let mechanism = Mechanism::from_word(&staged.mechanism).unwrap_or(Mechanism::Exchange);
    let old = plan.project.managed.iter().map(|managed| (managed.path.clone(), base.join(&managed.path)));
    // An environment is nobody's to write to, and installers link its files from their caches.
    let new = staged.paths.iter().map(PathBuf::from).filter(|path| !staged.is_environment(path));
    let new = new.map(|path| {
        let content = plan.root.join(candidate(mechanism, &staged.transaction, &path));
        (path, content)
    });
    let sides = [("the live tree", entries(work, old)?), ("the candidate", entries(work, new)?)];
    let mut findings = Vec::new();
    for (side, entries) in &sides {
        findings.extend(links_out(side, entries));
        findings.extend(unreadable(side, entries));
    }
    if !staged.outside.is_empty() {
        findings.push(Finding::no(format!(
            "a command of the change writes outside the managed paths ({}): that would not go live with the candidate, \
             and nothing could undo it",
            listed(&staged.outside)
        )));
    }
    Ok(findings)
}

/// Every entry of some trees, under the managed path that it stands in.
fn entries(work: &Work<'_>, trees: impl Iterator<Item = (PathBuf, PathBuf)>) -> Result<Vec<Seen>, StepError> {
    let disk = work.world().disk.as_ref();
    let mut entries = Vec::new();
    for (path, content) in trees {
        if disk.look(&content)?.is_none() {
            continue;
        }
        let under = |inside: &Path| {
            if inside.as_os_str().is_empty() { path.clone() } else { path.join(inside) }
        };
        let seen = walk(disk, &content, &[PathBuf::new()])?;
        entries.extend(seen.into_iter().map(|seen| Seen { path: under(&seen.path), meta: seen.meta }));
    }
    Ok(entries)
}

/// Files with names that are not in the tree: whoever writes through such a name writes into both generations.
fn links_out(side: &str, entries: &[Seen]) -> Option<Finding> {
    let mut inside: HashMap<Identity, u64> = HashMap::new();
    let is_linked = |seen: &&Seen| seen.meta.kind != FileKind::Directory && seen.meta.links > 1;
    for seen in entries.iter().filter(is_linked) {
        *inside.entry(seen.meta.identity).or_default() += 1;
    }
    let leads_out =
        |seen: &&Seen| inside.get(&seen.meta.identity).is_some_and(|&names| names < seen.meta.links);
    let named: Vec<String> = entries
        .iter()
        .filter(is_linked)
        .filter(leads_out)
        .map(|seen| seen.path.display().to_string())
        .collect();
    (!named.is_empty()).then(|| {
        Finding::no(format!(
            "{side} has hard links that lead out of the managed paths ({}): a write through the other name reaches the \
             tree that an undo brings back; replace each by a copy of its own",
            listed(&named)
        ))
    })
}

/// Files and directories that nobody but root can read: no copy of them can be verified.
fn unreadable(side: &str, entries: &[Seen]) -> Option<Finding> {
    let is_closed = |seen: &&Seen| match seen.meta.kind {
        FileKind::Directory => seen.meta.mode & MAY_LOOK_INTO != MAY_LOOK_INTO,
        FileKind::File => seen.meta.mode & MAY_READ == 0,
        _ => false,
    };
    let named: Vec<String> = entries
        .iter()
        .filter(is_closed)
        .map(|seen| format!("{}, mode {:03o}", seen.path.display(), seen.meta.mode))
        .collect();
    (!named.is_empty()).then(|| {
        Finding::no(format!(
            "{side} has entries that may not be read ({}): what cannot be read cannot be verified after an undo; give \
             their owner permission to read, or take them out",
            listed(&named)
        ))
    })
}

fn listed(named: &[String]) -> String {
    let mut words: Vec<String> = named.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    if named.len() > NAMED_MAX {
        words.push(format!("and {} more", named.len() - NAMED_MAX));
    }
    words.join(", ")
}
