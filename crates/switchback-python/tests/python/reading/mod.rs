//! What is read from trees: routes, symbols, who refers to what, and where imports lead.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod referrers;
mod routes;
mod symbols;

use std::path::Path;

use switchback_core::tree::copy::make_directories;
use switchback_core::world::{Disk, RealDisk};

fn lay_out(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let place = root.join(path);
        make_directories(&RealDisk, root, place.parent().unwrap()).unwrap();
        RealDisk.write_new(&place, 0o644, &mut text.as_bytes()).unwrap();
    }
}
