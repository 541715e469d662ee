//! The content of a snapshot, read back from the repository and compared byte by byte with the manifest.
//!
//! Every byte is read, decrypted, decompressed and hashed again, whatever was proved before. What makes it quick is the order:
//! files of one blob, which most are, in that of the packs, many blobs at a time.

use std::convert::Infallible;

use rustic_core::repofile::BlobType;
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::in_parallel;

use crate::blobs::Blobs;
use crate::blocks::{Measured, measure};
use crate::contents::Content;
use crate::index::Location;
use crate::trouble::Trouble;

/// At most this much of a pack is read at once, but for a single blob that is longer.
const RUN_BYTES_MAX: u64 = 4 << 20;

/// Bytes between two blobs that are read along rather than passed over.
const GAP_BYTES_MAX: u64 = 64 * 1024;

/// What comparing the content brought.
#[derive(Debug, Default)]
pub(crate) struct ContentCheck {
    pub(crate) findings: Vec<String>,
    /// Bytes outside of holes, each file counted once.
    pub(crate) data_bytes: u64,
}

/// A file, with its number in the manifest, which is the order of the findings.
#[derive(Clone, Copy)]
struct File<'a> {
    at: usize,
    entry: &'a Entry,
    content: &'a Content,
}

/// What is different about files, each with its number, and their bytes outside of holes.
type Compared = (Vec<(usize, String)>, u64);

/// A file that is one blob.
struct Alone<'a> {
    file: File<'a>,
    location: Location,
}

/// Reads every file again and compares its BLAKE3 hash and size with the manifest. `contents` says, by the number of an entry,
/// what the repository lists of it; what it does not list is found by the comparison of entries.
pub(crate) fn compare_content(blobs: &Blobs, manifest: &Manifest, contents: &[Content]) -> ContentCheck {
    let (mut alone, mut others) = (Vec::new(), Vec::new());
    for ((at, entry), content) in manifest.entries.iter().enumerate().zip(contents) {
        if !content.is_known() || !matches!(entry.kind, Kind::File { .. }) {
            continue;
        }
        let first = entry.linked_to.as_ref().and_then(|first| manifest.number(first));
        if first.is_some_and(|first| contents[first] == *content) {
            continue;
        }
        let file = File { at, entry, content };
        match content.only().and_then(|id| blobs.index.find(BlobType::Data, id)) {
            Some(location) => alone.push(Alone { file, location }),
            None => others.push(file),
        }
    }
    alone.sort_unstable_by_key(|one| (one.location.pack, one.location.offset, one.file.at));
    let runs = runs(&alone);
    let Ok(of_runs) = in_parallel(&runs, |run| Ok::<_, Infallible>(compare_run(blobs, run)));
    let Ok(of_others) = in_parallel(&others, |&file| Ok::<_, Infallible>(compare_file(blobs, file)));
    let (mut found, mut data_bytes) = (Vec::new(), 0);
    for (findings, bytes) in of_runs.into_iter().chain(of_others) {
        found.extend(findings);
        data_bytes += bytes;
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    ContentCheck { findings: found.into_iter().map(|(_, finding)| finding).collect(), data_bytes }
}

/// Files of which the blobs lie beside each other; the same blob may be that of several.
fn runs<'a, 'b>(sorted: &'b [Alone<'a>]) -> Vec<&'b [Alone<'a>]> {
    let mut runs = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for at in 1..=sorted.len() {
        let first = &sorted[begin].location;
        let last = &sorted[at - 1].location;
        end = end.max(last.end());
        let goes_on = sorted.get(at).is_some_and(|next| {
            let next = &next.location;
            let is_same = next == last;
            let follows = u64::from(next.offset) >= end && u64::from(next.offset) - end <= GAP_BYTES_MAX;
            next.pack == first.pack
                && (is_same || follows)
                && next.end() - u64::from(first.offset) <= RUN_BYTES_MAX
        });
        if !goes_on {
            runs.push(&sorted[begin..at]);
            (begin, end) = (at, 0);
        }
    }
    runs
}

fn compare_run(blobs: &Blobs, run: &[Alone<'_>]) -> Compared {
    // Where they cannot be read together, each is told by itself.
    measure_run(blobs, run).unwrap_or_else(|_| {
        let mut compared = Compared::default();
        for one in run {
            let (findings, bytes) = compare_file(blobs, one.file);
            compared.0.extend(findings);
            compared.1 += bytes;
        }
        compared
    })
}

fn measure_run(blobs: &Blobs, run: &[Alone<'_>]) -> Result<Compared, Trouble> {
    let [first, .., last] = run else {
        return Err(Trouble::new("one alone needs no run"));
    };
    let length = last.location.end() - u64::from(first.location.offset);
    let length = u32::try_from(length).map_err(|_| Trouble::new("a pack is too long"))?;
    let mut sealed = blobs.run(&first.location, length)?;
    blobs.with_tools(|tools| {
        let mut compared = Compared::default();
        let mut before: Option<(Location, Result<Measured, String>)> = None;
        for one in run {
            let is_known = before.as_ref().is_some_and(|(location, _)| *location == one.location);
            if !is_known {
                let begin = (one.location.offset - first.location.offset) as usize;
                let sealed = sealed.get_mut(begin..begin + one.location.length as usize);
                let sealed = sealed.ok_or_else(|| Trouble::new("a pack is too short"))?;
                let opened = blobs.opened(tools, sealed, &one.location);
                let measured = opened.map(Measured::of).map_err(|trouble| trouble.line());
                before = Some((one.location, measured));
            }
            if let Some((_, measured)) = &before {
                judge(one.file, measured.as_ref(), &mut compared);
            }
        }
        Ok(compared)
    })
}

fn compare_file(blobs: &Blobs, file: File<'_>) -> Compared {
    let measured = measure(blobs, file.content.ids()).map_err(|trouble| trouble.line());
    let mut compared = Compared::default();
    judge(file, measured.as_ref(), &mut compared);
    compared
}

fn judge(file: File<'_>, measured: Result<&Measured, &String>, compared: &mut Compared) {
    let path = file.entry.path.display();
    let Kind::File { size, hash } = file.entry.kind else { return };
    let (findings, data_bytes) = compared;
    match measured {
        Err(why) => findings.push((file.at, format!("the content of `{path}` cannot be read: {why}"))),
        Ok(measured) => {
            *data_bytes += measured.data_bytes;
            if (measured.size, measured.hash) != (size, hash) {
                let finding = format!(
                    "the content of `{path}` is not what the manifest says ({} bytes instead of {size}, or other bytes)",
                    measured.size
                );
                findings.push((file.at, finding));
            }
        }
    }
}
