//! Python source: moves, merges, shims, surfaces, what is read from trees, and what is broken.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod definitions;
mod hostile;
mod merge_properties;
mod merges;
mod moves;
mod reading;
mod shims;
mod skeletons;
mod surfaces;

use std::path::Path;

use switchback_core::world::{Disk, RealDisk};

/// Files as texts, below a folder that is there.
fn lay_out(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let place = root.join(path);
        make_folder(place.parent().unwrap());
        RealDisk.write_new(&place, 0o644, &mut text.as_bytes()).unwrap();
    }
}

fn make_folder(folder: &Path) {
    if RealDisk.look(folder).unwrap().is_none() {
        make_folder(folder.parent().unwrap());
        RealDisk.make_directory(folder, 0o755).unwrap();
    }
}

/// Lines are joined, and `\n`, `\r`, `\t` and `\xNN` are bytes.
fn unescaped(body: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = body.chars().filter(|letter| *letter != '\n');
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            bytes.push(u8::try_from(letter).unwrap());
            continue;
        }
        match letters.next().unwrap() {
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'x' => {
                let digits: String = letters.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => panic!("an escape `{other}`"),
        }
    }
    bytes
}
