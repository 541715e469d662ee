//! Paths that cannot stand beside each other: a file where a folder is, and names that differ in nothing but case.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{Conflict, Decisions, inputs};
use super::file::{Action, Content, MergedFile, Risk};
use super::pairing::Trio;

/// Marks what collides in the merged tree.
pub(super) fn find(trios: &[Trio<'_>], merged: &mut [Option<MergedFile>], decisions: &Decisions<'_>) {
    let paths: BTreeSet<String> = merged
        .iter()
        .flatten()
        .filter(|file| file.content != Content::Nothing)
        .map(|file| file.path.clone())
        .collect();
    let mut folded: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    let mut spelled: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for path in &paths {
        folded.entry(path.to_lowercase()).or_default().push(path);
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or_default();
            spelled.entry(folder.to_lowercase()).or_default().insert(folder);
        }
    }
    for (trio, file) in trios.iter().zip(merged) {
        let Some(file) = file.as_mut().filter(|file| file.content != Content::Nothing) else { continue };
        let prefix = format!("{}/", file.path);
        let below = paths.range(prefix.clone()..).next().filter(|other| other.starts_with(&prefix));
        let same = folded.get(&file.path.to_lowercase()).filter(|same| same.len() > 1);
        let other_case = same.and_then(|same| same.iter().find(|other| ***other != file.path));
        // One side wrote both: that is how it wants them.
        let is_new = |other: &str| {
            let sides = |path: &str| {
                let trio = trios.iter().find(|trio| trio.path == path);
                (
                    trio.is_some_and(|trio| trio.source.is_some()),
                    trio.is_some_and(|trio| trio.target.is_some()),
                )
            };
            let (one, two) = (sides(&file.path), sides(other));
            !(one.0 && two.0 || one.1 && two.1)
        };
        let folder_case = file.path.match_indices('/').find_map(|(at, _)| {
            let folder = file.path.get(..at)?;
            let ways = spelled.get(&folder.to_lowercase())?;
            ways.iter().find(|other| **other != folder).map(|other| (*other).to_owned())
        });
        let above = file.path.match_indices('/').find_map(|(at, _)| paths.get(file.path.get(..at)?));
        let why = if let Some(other) = below {
            Some(format!("it is a file on one side and a folder on the other, with `{other}` in it"))
        } else if let Some(other) = above {
            Some(format!("`{other}` is a file on one side and a folder on the other"))
        } else if let Some(other) = other_case.filter(|other| is_new(other)) {
            Some(format!("`{other}` differs from it in nothing but case"))
        } else {
            folder_case.filter(|_| file.class != super::file::Sides::Equal).and_then(|other| {
                let is_one_sided = trio.source.is_some() != trio.target.is_some() && trio.base.is_none();
                is_one_sided.then(|| format!("the folder `{other}` differs from its own in nothing but case"))
            })
        };
        if let Some(why) = why {
            ask(trio, file, (why, below.or(above).is_some()), decisions);
        }
    }
}

fn ask(
    trio: &Trio<'_>,
    file: &mut MergedFile,
    (why, is_in_the_way): (String, bool),
    decisions: &Decisions<'_>,
) {
    let print = |version: Option<&super::side::Version>| version.map(|version| version.print);
    let (old, one, other) = (print(trio.base), print(trio.source), print(trio.target));
    let inputs = inputs(&[
        old.as_ref().map(<[u8; 32]>::as_slice),
        one.as_ref().map(<[u8; 32]>::as_slice),
        other.as_ref().map(<[u8; 32]>::as_slice),
    ]);
    let taken = decisions.on(&file.path, "", 1, &inputs).map(|taken| taken.word());
    // A file cannot stand beside a folder of its name.
    let taken = taken.filter(|taken| !(is_in_the_way && *taken == "both"));
    // `both` keeps it beside the other; a side keeps it where that side has it. While it is open, the target stays.
    let stays = match taken {
        Some("source") => trio.source.is_some(),
        Some("target") => trio.target.is_some(),
        Some(_) => true,
        None => !is_in_the_way || trio.target.is_some(),
    };
    file.risk = Risk::High;
    if taken.is_none() {
        file.action = Action::Ask;
    }
    if !stays {
        file.action = if taken.is_some() { Action::Remove } else { Action::Ask };
        file.content = Content::Nothing;
    }
    file.conflicts.push(Conflict {
        definition: String::new(),
        number: 1,
        why,
        inputs,
        taken: taken.map(ToOwned::to_owned),
    });
}
