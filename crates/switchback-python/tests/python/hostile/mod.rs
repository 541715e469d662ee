//! Trees that nobody would wish for: damaged sources, and files that cannot be read or should not be followed.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod broken;
mod damaged;

use std::path::Path;
use std::sync::Arc;

use switchback_core::world::{Disk, RealDisk};
use switchback_python::moving::{MoveError, MoveOptions, MovePlan, Pair, Rules, plan};

/// Writes a file, and the folders above it.
fn put(root: &Path, path: &str, content: &[u8]) {
    let place = root.join(path);
    make_folder(place.parent().unwrap());
    RealDisk.write_new(&place, 0o644, &mut &content[..]).unwrap();
}

fn make_folder(folder: &Path) {
    if RealDisk.look(folder).unwrap().is_none() {
        make_folder(folder.parent().unwrap());
        RealDisk.make_directory(folder, 0o755).unwrap();
    }
}

fn planned(root: &Path, from: &str, to: &str) -> Result<MovePlan, MoveError> {
    let rules = Rules { moves: vec![Pair { from: from.to_owned(), to: to.to_owned() }], ..Rules::default() };
    let options = MoveOptions {
        root: root.to_owned(),
        rules,
        source_roots: Vec::new(),
        shims: false,
        remove_after: None,
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    };
    plan(Arc::new(RealDisk), &options)
}

/// The bytes of a file after the move, by its old path; nothing when they stay what they are.
fn new_bytes<'p>(plan: &'p MovePlan, path: &str) -> Option<&'p [u8]> {
    plan.changes.iter().find(|change| change.old_path == path)?.new.as_deref()
}
