//! The content of a snapshot, read back from the repository and compared byte by byte with the manifest.
//!
//! Every byte is read, decrypted, decompressed and hashed again, whatever was proved before. What makes it quick is the order:
//! files of one blob, which most are, in that of the packs, many blobs at a time.

use std::convert::Infallible;

use rustic_core::DataId;
use rustic_core::repofile::{BlobType, Node};
use switchback_core::manifest::{Entry, Kind, Manifest};
use switchback_core::tree::in_parallel;

use crate::blobs::Blobs;
use crate::blocks::{Measured, measure};
use crate::index::Location;
use crate::stored::Stored;
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
    node: &'a Node,
}

/// What is different about a file, and its bytes outside of holes.
type Compared = (usize, Option<String>, u64);

/// A file that is one blob.
struct Alone<'a> {
    file: File<'a>,
    location: Location,
}

/// Reads every file again and compares its BLAKE3 hash and size with the manifest.
pub(crate) fn compare_content(blobs: &Blobs, manifest: &Manifest, stored: &Stored) -> ContentCheck {
    let (mut alone, mut others) = (Vec::new(), Vec::new());
    for (at, entry) in manifest.entries.iter().enumerate() {
        // What is not stored at all is found by the comparison of entries.
        let Some(node) = stored.nodes.get(&entry.path).filter(|_| matches!(entry.kind, Kind::File { .. }))
        else {
            continue;
        };
        let first = entry.linked_to.as_ref().and_then(|first| stored.nodes.get(first));
        if first.is_some_and(|first| first.content == node.content) {
            continue;
        }
        let file = File { at, entry, node };
        match only_blob(node).and_then(|id| blobs.index.find(BlobType::Data, id)) {
            Some(&location) => alone.push(Alone { file, location }),
            None => others.push(file),
        }
    }
    alone.sort_by_key(|one| (one.location.pack, one.location.offset));
    let runs = runs(&alone);
    let Ok(of_runs) = in_parallel(&runs, |run| Ok::<_, Infallible>(compare_run(blobs, run)));
    let Ok(of_others) = in_parallel(&others, |&file| Ok::<_, Infallible>(compare_file(blobs, file)));
    let mut compared: Vec<Compared> = of_runs.into_iter().flatten().chain(of_others).collect();
    compared.sort_by_key(|(at, ..)| *at);
    let mut check = ContentCheck::default();
    for (_, finding, data_bytes) in compared {
        check.findings.extend(finding);
        check.data_bytes += data_bytes;
    }
    check
}

fn only_blob(node: &Node) -> Option<&DataId> {
    match node.content.as_deref() {
        Some([only]) => Some(only),
        _ => None,
    }
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

fn compare_run(blobs: &Blobs, run: &[Alone<'_>]) -> Vec<Compared> {
    // Where they cannot be read together, each is told by itself.
    measure_run(blobs, run).unwrap_or_else(|_| run.iter().map(|one| compare_file(blobs, one.file)).collect())
}

fn measure_run(blobs: &Blobs, run: &[Alone<'_>]) -> Result<Vec<Compared>, Trouble> {
    let [first, .., last] = run else {
        return Ok(run.iter().map(|one| compare_file(blobs, one.file)).collect());
    };
    let length = last.location.end() - u64::from(first.location.offset);
    let length = u32::try_from(length).map_err(|_| Trouble::new("a pack is too long"))?;
    let mut sealed = blobs.run(&first.location, length)?;
    blobs.with_tools(|tools| {
        let mut compared = Vec::with_capacity(run.len());
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
            compared.extend(before.as_ref().map(|(_, measured)| judged(one.file, measured.as_ref())));
        }
        Ok(compared)
    })
}

fn compare_file(blobs: &Blobs, file: File<'_>) -> Compared {
    let measured = measure(blobs, file.node).map_err(|trouble| trouble.line());
    judged(file, measured.as_ref())
}

fn judged(file: File<'_>, measured: Result<&Measured, &String>) -> Compared {
    let path = file.entry.path.display();
    let Kind::File { size, hash } = file.entry.kind else { return (file.at, None, 0) };
    match measured {
        Err(why) => (file.at, Some(format!("the content of `{path}` cannot be read: {why}")), 0),
        Ok(measured) if (measured.size, measured.hash) == (size, hash) => {
            (file.at, None, measured.data_bytes)
        }
        Ok(measured) => {
            let finding = format!(
                "the content of `{path}` is not what the manifest says ({} bytes instead of {size}, or other bytes)",
                measured.size
            );
            (file.at, Some(finding), measured.data_bytes)
        }
    }
}
