//! Two programs that refuse their input: with the same exit code, the same words, and nothing left half done.

use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::json;

use super::agree::code;
use super::case::{Bench, Found, Ran};
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
    let (old_code, new_code) = (code(old), code(new));
    let codes = json!({"what": "exit code", "old": old_code, "new": new_code});
    let refused = |why: String| Found::new(Verdict::No, why);
    match (old.finished.succeeded(), new.finished.succeeded()) {
        (true, true) => return Ok(refused("neither program refuses the input".to_owned())),
        (false, true) => {
            let why = format!("old fails with {}, and new takes the input", old.finished.ending());
            return Ok(refused(why).parted(codes));
        }
        (true, false) => {
            let why = format!("old takes the input, and new fails with {}", new.finished.ending());
            return Ok(refused(why).parted(codes));
        }
        (false, false) if old_code != new_code => {
            let why = format!("old fails with {}, new with {}", old.finished.ending(), new.finished.ending());
            return Ok(refused(why).parted(codes));
        }
        (false, false) => {}
    }
    let is_cut = |ran: &&Ran| {
        [&ran.finished.stdout, &ran.finished.stderr].iter().any(|output| output.len() >= OUTPUT_BYTES_MAX)
    };
    if failing.streams != Streams::Ignore
        && let Some(ran) = [old, new].into_iter().find(is_cut)
    {
        let why = format!("{} says more than is kept: what it says first cannot be compared", ran.name);
        return Ok(Found::new(Verdict::Unknown, why));
    }
    let masks = bench.check.agreement.masks();
    let (old_said, new_said) = (said(failing.streams, old, &masks), said(failing.streams, new, &masks));
    if let Some((number, one, other)) = first_line(&old_said, &new_said) {
        let why = format!("they say different things: `{}` and `{}`", shown(one), shown(other));
        return Ok(refused(why).parted(json!({"what": "error", "line": number, "old": one, "new": other})));
    }
    if let Some(message) = &failing.message
        && let Some(ran) =
            [old, new].into_iter().find(|ran| !message.is_match(&said(Streams::Both, ran, &masks)))
    {
        let why = format!("nothing that {} says matches `{}`", ran.name, shown(message.as_str()));
        return Ok(refused(why));
    }
    for ran in [new, old] {
        let left = left_behind(bench, failing, &ran.out)?;
        if let Some(first) = left.first() {
            let named: Vec<String> =
                left.iter().take(NAMED_MAX).map(|path| format!("`{}`", path.display())).collect();
            let more = if left.len() > NAMED_MAX { ", …" } else { "" };
            let why = format!("{} leaves {}{more} behind though it fails", ran.name, named.join(", "));
            let first = json!({"what": "left behind", "side": ran.name, "path": first.display().to_string()});
            return Ok(refused(why).parted(first));
        }
    }
    let words = new_said.lines().rfind(|line| !line.trim().is_empty());
    let words = words.map_or_else(String::new, |line| format!(": {}", shown(line.trim())));
    Ok(Found::new(Verdict::Yes, format!("both fail alike with {}{words}", new.finished.ending())))
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

fn normal(text: &str, tree: &Path, out: &Path, masks: &[Regex]) -> String {
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
fn first_line<'t>(old: &'t str, new: &'t str) -> Option<(usize, &'t str, &'t str)> {
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
    let is_allowed =
        |path: &Path| failing.leaves.iter().any(|allowed| pattern::fits(allowed, &path.to_string_lossy()));
    let left =
        seen.into_iter().filter(|seen| seen.meta.kind != FileKind::Directory && !is_allowed(&seen.path));
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
