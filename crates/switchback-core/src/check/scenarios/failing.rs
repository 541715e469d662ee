//! Two programs that refuse their input: with the same exit code, the same words, and nothing left half done.

use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::json;

use super::super::copies::LeftOver;
use super::agree::code;
use super::case::{Bench, Found, Ran};
use super::start;
use crate::pattern;
use crate::plan::shown;
use crate::tree::walk;
use crate::verdict::Verdict;
use crate::world::{FileKind, OUTPUT_BYTES_MAX};

/// What two programs may be asked to say alike.
pub(super) const STREAMS: &[&str] = &["stderr", "stdout", "both", "ignore"];
/// So many files that were left behind are named.
const NAMED_MAX: usize = 5;
/// What a traceback of Python begins with.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// What it takes to fail alike.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) streams: Streams,
    /// What both say matches this.
    pub(super) message: Option<Regex>,
    /// How both end.
    pub(super) exit_code: Option<i32>,
    /// Patterns of files that may be left.
    pub(super) leaves: Vec<String>,
}

/// Where programs say what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Streams {
    #[default]
    Stderr,
    Stdout,
    Both,
    Ignore,
}

impl Streams {
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "stderr" => Self::Stderr,
            "stdout" => Self::Stdout,
            "both" => Self::Both,
            "ignore" => Self::Ignore,
            _ => return None,
        })
    }
}

/// Judges two programs that were to refuse their input.
pub(super) fn judge(bench: &Bench<'_>, failing: &Failing, old: &Ran, new: &Ran) -> Result<Found, String> {
    if let Some(found) = by_ending(failing, old, new) {
        return Ok(found);
    }
    let masks = bench.check.agreement.masks();
    if let Some(found) = by_words(failing, old, new, &masks) {
        return Ok(found);
    }
    if let Some(found) = by_what_is_left(bench, failing, old, new)? {
        return Ok(found);
    }
    let said = said(failing.streams, new, &masks);
    let words = said.lines().rfind(|line| !line.trim().is_empty());
    let words = words.map_or_else(String::new, |line| format!(": {}", shown(line.trim())));
    let left = not_allowed(failing, &new.left_over);
    let left = match left.as_slice() {
        [] => String::new(),
        left => {
            format!("; both do the same to {} of their trees", named(left.iter().map(|left| &*left.path)))
        }
    };
    Ok(Found::new(Verdict::Yes, format!("both fail alike with {}{words}{left}", new.finished.ending())))
}

fn refused(why: String) -> Found {
    Found::new(Verdict::No, why)
}

/// What the ways in which both ended decide.
fn by_ending(failing: &Failing, old: &Ran, new: &Ran) -> Option<Found> {
    let (old_code, new_code) = (code(old), code(new));
    let codes = json!({"what": "exit code", "old": old_code, "new": new_code});
    let endings = (old.finished.ending(), new.finished.ending());
    match (old.finished.succeeded(), new.finished.succeeded()) {
        (true, true) => return Some(refused("neither program refuses the input".to_owned())),
        (false, true) => {
            let why = format!("old fails with {}, and new takes the input", endings.0);
            return Some(refused(why).parted(codes));
        }
        (true, false) => {
            let why = format!("old takes the input, and new fails with {}", endings.1);
            return Some(refused(why).parted(codes));
        }
        (false, false) => {}
    }
    // A failure that is declared by its words is meant, even if it is one of not being there.
    let is_meant = |line: &str| failing.message.as_ref().is_some_and(|message| message.is_match(line));
    let absent = |ran: &Ran| start::never_began(&ran.finished).filter(|line| !is_meant(line));
    match (absent(old), absent(new)) {
        (Some(line), is_new) => {
            let who = if is_new.is_some() { "neither program ever" } else { "old never" };
            let why = format!(
                "{who} began: `{}`; correct the command, or name the failure with `message` where it is meant",
                shown(&line)
            );
            return Some(Found::new(Verdict::Unknown, why));
        }
        (None, Some(line)) => {
            let why = format!("old refuses the input, and new never began: `{}`", shown(&line));
            return Some(refused(why).parted(codes));
        }
        (None, None) => {}
    }
    if old_code != new_code {
        return Some(refused(format!("old fails with {}, new with {}", endings.0, endings.1)).parted(codes));
    }
    let wanted = failing.exit_code.filter(|wanted| Some(*wanted) != new_code)?;
    let why = format!("both fail with {}, and not with exit code {wanted}", endings.1);
    Some(refused(why).parted(codes))
}

/// What both say decides.
fn by_words(failing: &Failing, old: &Ran, new: &Ran, masks: &[Regex]) -> Option<Found> {
    let is_cut = |ran: &&Ran| {
        [&ran.finished.stdout, &ran.finished.stderr].iter().any(|output| output.len() >= OUTPUT_BYTES_MAX)
    };
    if failing.streams != Streams::Ignore
        && let Some(ran) = [old, new].into_iter().find(is_cut)
    {
        let why = format!("{} says more than is kept: what it says first cannot be compared", ran.name);
        return Some(Found::new(Verdict::Unknown, why));
    }
    let (old_said, new_said) = (said(failing.streams, old, masks), said(failing.streams, new, masks));
    if let Some((number, one, other)) = first_line(&old_said, &new_said) {
        let why = format!("they say different things: `{}` and `{}`", shown(one), shown(other));
        return Some(refused(why).parted(json!({"what": "error", "line": number, "old": one, "new": other})));
    }
    if let Some(message) = &failing.message
        && let Some(ran) =
            [old, new].into_iter().find(|ran| !message.is_match(&said(Streams::Both, ran, masks)))
    {
        let why = format!("nothing that {} says matches `{}`", ran.name, shown(message.as_str()));
        return Some(refused(why));
    }
    let is_declared = failing.message.is_some() || failing.exit_code.is_some();
    (!is_declared && new_said.trim().is_empty()).then(|| {
        let why = format!(
            "both end with {} and say nothing, which any failure could be; declare it with `exit_code` or `message`",
            new.finished.ending()
        );
        Found::new(Verdict::Unknown, why)
    })
}

/// What both leave behind decides: nothing in `{out}`, and the same in their trees.
fn by_what_is_left(
    bench: &Bench<'_>,
    failing: &Failing,
    old: &Ran,
    new: &Ran,
) -> Result<Option<Found>, String> {
    for ran in [new, old] {
        let left = left_behind(bench, failing, &ran.out)?;
        if let Some(first) = left.first() {
            let why = format!(
                "{} leaves {} behind though it fails",
                ran.name,
                named(left.iter().map(|path| &**path))
            );
            let first = json!({"what": "left behind", "side": ran.name, "path": first.display().to_string()});
            return Ok(Some(refused(why).parted(first)));
        }
    }
    let of = |ran: &Ran| not_allowed(failing, &ran.left_over);
    let (in_old, in_new) = (of(old), of(new));
    let parted =
        [(&in_new, &in_old, new), (&in_old, &in_new, old)].into_iter().find_map(|(one, other, ran)| {
            one.iter().find(|left| !other.contains(left)).map(|left| (left.clone(), other, ran))
        });
    Ok(parted.map(|(left, other, ran)| {
        let path = left.path.display().to_string();
        let shared = other.iter().find(|other| other.path == left.path && other.how == left.how);
        let other_name = if ran.name == "new" { "old" } else { "new" };
        let why = match shared {
            Some(_) => format!("both leave `{path}` in their trees though they fail, with different content"),
            None => format!(
                "{} {} `{path}` in its tree though it fails, and {other_name} does not",
                ran.name,
                left.how.does()
            ),
        };
        let told = |all: &[LeftOver]| -> Vec<serde_json::Value> {
            all.iter()
                .map(|left| json!({"path": left.path.display().to_string(), "does": left.how.does()}))
                .collect()
        };
        let first = json!({"what": "left in the tree", "side": ran.name, "path": path});
        let mut found = refused(why).parted(first);
        let left = json!({"old": told(&in_old), "new": told(&in_new)});
        found.details.insert("left_in_the_tree".to_owned(), left);
        found
    }))
}

/// What was left in a tree and may not stay there.
fn not_allowed(failing: &Failing, left: &[LeftOver]) -> Vec<LeftOver> {
    left.iter().filter(|left| !failing.allows(&left.path)).cloned().collect()
}

/// The first few of these paths.
fn named<'p>(paths: impl ExactSizeIterator<Item = &'p Path>) -> String {
    let more = if paths.len() > NAMED_MAX { ", …" } else { "" };
    let named: Vec<String> = paths.take(NAMED_MAX).map(|path| format!("`{}`", path.display())).collect();
    format!("{}{more}", named.join(", "))
}

impl Failing {
    /// Whether a file may be left.
    fn allows(&self, path: &Path) -> bool {
        self.leaves.iter().any(|allowed| pattern::fits(allowed, &path.to_string_lossy()))
    }
}

/// What a program said, without what is never the same twice: paths of its tree and of what it writes into, the frames of
/// tracebacks, and whatever the plan masks.
fn said(streams: Streams, ran: &Ran, masks: &[Regex]) -> String {
    let of = |bytes: &[u8]| normal(&as_text(bytes), &ran.tree, &ran.out, masks);
    match streams {
        Streams::Stderr => of(&ran.finished.stderr),
        Streams::Stdout => of(&ran.finished.stdout),
        Streams::Both => format!("{}\n{}", of(&ran.finished.stderr), of(&ran.finished.stdout)),
        Streams::Ignore => String::new(),
    }
}

/// Bytes as text: what is no UTF-8 stays what it is, as escapes, so that other bytes are other text.
fn as_text(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

pub(in crate::check) fn normal(text: &str, tree: &Path, out: &Path, masks: &[Regex]) -> String {
    let text =
        text.replace(&out.display().to_string(), "{out}").replace(&tree.display().to_string(), "{tree}");
    let mut lines = Vec::new();
    let mut is_in_frames = false;
    for line in text.lines() {
        if line.trim() == TRACEBACK {
            is_in_frames = true;
        } else if !(is_in_frames && line.starts_with(' ')) {
            is_in_frames = false;
            lines.push(line.trim_end());
        }
    }
    let text = lines.join("\n");
    let masked = masks.iter().fold(text, |text, mask| mask.replace_all(&text, "").into_owned());
    masked.trim_end().to_owned()
}

/// The first line in which two texts differ, counted from 1, and what it is in both.
pub(in crate::check) fn first_line<'t>(old: &'t str, new: &'t str) -> Option<(usize, &'t str, &'t str)> {
    let (mut old, mut new) = (old.lines(), new.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (old.next(), new.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => return Some((number, one.unwrap_or_default(), other.unwrap_or_default())),
        }
    }
}

/// The files below `out` that a program which fails may not leave there.
fn left_behind(bench: &Bench<'_>, failing: &Failing, out: &Path) -> Result<Vec<PathBuf>, String> {
    let disk = bench.runner.world.disk.as_ref();
    let seen = walk(disk, out, &[PathBuf::new()]).map_err(|error| error.to_string())?;
    let left =
        seen.into_iter().filter(|seen| seen.meta.kind != FileKind::Directory && !failing.allows(&seen.path));
    Ok(left.map(|seen| seen.path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_frames_and_masks_are_no_difference_and_all_else_is() {
        let old = "warning: slow\nTraceback (most recent call last):\n  File \"/old/sim.py\", line 9, in run\n    \
                   check(rate)\nValueError: rate -1 in /old/bad.json (id 77)\n";
        let new = "warning: slow\nTraceback (most recent call last):\n  File \"/new/pkg/a.py\", line 3, in x\n    \
                   check(rate)\nValueError: rate -1 in /new/bad.json (id 5)\n";
        let masks = [Regex::new("id [0-9]+").unwrap()];
        let of = |text: &str, tree: &str| normal(text, Path::new(tree), Path::new("/results"), &masks);
        assert_eq!(of(old, "/old"), "warning: slow\nValueError: rate -1 in {tree}/bad.json ()");
        assert_eq!(first_line(&of(old, "/old"), &of(new, "/new")), None);
        let other = new.replace("rate -1", "rate -2");
        let (line, one, two) = {
            let (old, other) = (of(old, "/old"), of(&other, "/new"));
            let (line, one, two) = first_line(&old, &other).unwrap();
            (line, one.to_owned(), two.to_owned())
        };
        assert_eq!((line, one.contains("-1"), two.contains("-2")), (2, true, true));
        assert_eq!(first_line("a", "a\nb"), Some((2, "", "b")));
    }
}
