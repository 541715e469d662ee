//! The newest verified snapshot, asked for what it has of files that nobody touched since.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::jiff::Timestamp;
use rustic_core::repofile::{BlobType, Node, Tree};
use rustic_core::{DataId, TreeId};
use switchback_core::manifest::{Hash, Kind, Manifest};
use switchback_core::tree::Seen;

use crate::blobs::Blobs;

/// So many listings are kept; files are asked for in path order, so few are enough.
const LISTINGS_MAX: usize = 64;

/// A file that was touched less than this before the earlier snapshot is read again. A kernel stamps with the time of its last
/// tick, and writes through a mapping stamp only when the page was clean: Linux writes pages back after 30 s and cleans them
/// (`vm.dirty_expire_centisecs`, Documentation/admin-guide/sysctl/vm.rst), and looks for such pages every 5 s.
const SETTLED_NS: i128 = 60 * 1_000_000_000;

/// What a verified snapshot says of itself.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Its manifest.
    pub(crate) manifest: Manifest,
    /// When its first file was read, nanoseconds since 1970.
    pub(crate) began_ns: i128,
}

/// An earlier snapshot.
pub(crate) struct Earlier<'a> {
    blobs: &'a Blobs,
    verified: &'a Verified,
    tree: TreeId,
    listings: Mutex<HashMap<TreeId, Arc<Tree>>>,
}

impl<'a> Earlier<'a> {
    pub(crate) fn new(blobs: &'a Blobs, verified: &'a Verified, tree: TreeId) -> Self {
        Self { blobs, verified, tree, listings: Mutex::default() }
    }

    /// The hash and the blobs of a file that nobody touched since well before the earlier snapshot: it has the same
    /// device, inode, size and times, the time of change among them, which nobody can set.
    pub(crate) fn untouched(&self, seen: &Seen) -> Option<(Hash, Vec<DataId>)> {
        if seen.meta.ctime_ns + SETTLED_NS > self.verified.began_ns {
            return None;
        }
        let Kind::File { size, hash } = &self.verified.manifest.get(&seen.path)?.kind else { return None };
        let content = self.content(seen)?;
        (*size == seen.meta.size).then_some((*hash, content))
    }

    /// The blobs of a file that has the same device, inode, size, and times of modification and of change as then, if the
    /// repository still has all of them. What is damaged in the earlier snapshot costs time here and nothing else.
    pub(crate) fn content(&self, seen: &Seen) -> Option<Vec<DataId>> {
        let node = self.node(&seen.path)?;
        let meta = &node.meta;
        let ns = |time: Option<Timestamp>| time.map(Timestamp::as_nanosecond);
        let same = node.is_file()
            && meta.size == seen.meta.size
            && (meta.device_id, meta.inode) == (seen.meta.identity.device, seen.meta.identity.inode)
            && ns(meta.mtime) == Some(seen.meta.mtime_ns)
            && ns(meta.ctime) == Some(seen.meta.ctime_ns);
        let content = node.content.filter(|_| same)?;
        content.iter().all(|id| self.blobs.index.find(BlobType::Data, id).is_some()).then_some(content)
    }

    fn node(&self, path: &Path) -> Option<Node> {
        let mut tree = self.tree;
        let mut found: Option<Node> = None;
        for name in path {
            if let Some(above) = found {
                tree = above.subtree?;
            }
            let listing = self.listing(tree)?;
            let at = listing
                .nodes
                .binary_search_by(|node| AsRef::<std::ffi::OsStr>::as_ref(&node.name()).cmp(name))
                .ok()?;
            found = Some(listing.nodes[at].clone());
        }
        found
    }

    fn listing(&self, id: TreeId) -> Option<Arc<Tree>> {
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listing) = listings.get(&id) {
            return Some(Arc::clone(listing));
        }
        if listings.len() >= LISTINGS_MAX {
            listings.clear();
        }
        let listing = Arc::new(self.blobs.tree(id).ok()?);
        listings.insert(id, Arc::clone(&listing));
        Some(listing)
    }
}
