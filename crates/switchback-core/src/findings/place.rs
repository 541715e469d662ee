//! Names of files in reports: URIs with percent signs, absolute paths, and what both mean in the tree.

use std::path::{Component, Path, PathBuf};

/// The name of a file that a tool writes as a path: relative to the tree where it lies in it.
pub(super) fn of_path(written: &str, tree: &Path) -> String {
    let written = written.replace('\\', "/");
    let path = Path::new(&written);
    let inside = if path.is_absolute() { path.strip_prefix(tree).ok() } else { Some(path) };
    inside.and_then(plain).unwrap_or(written)
}

/// The name of a file that a tool writes as a URI, which may be relative to the tree.
pub(super) fn of_uri(uri: &str, tree: &Path) -> String {
    if let Some(rest) = strip_scheme(uri, "file") {
        let rest =
            rest.strip_prefix("//").map_or(rest, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
        // `file://server/share` is a file of another machine.
        if !rest.starts_with('/') {
            return uri.to_owned();
        }
        return of_path(&decoded(rest), tree);
    }
    if has_scheme(uri) {
        return uri.to_owned();
    }
    of_path(&decoded(uri), tree)
}

/// A URI and the one that it is relative to, as one.
pub(super) fn joined(base: &str, uri: &str) -> String {
    if has_scheme(uri) || uri.starts_with('/') || base.is_empty() {
        uri.to_owned()
    } else if base.ends_with('/') {
        format!("{base}{uri}")
    } else {
        format!("{base}/{uri}")
    }
}

/// Whether a URI begins with a scheme. One letter is the drive of a path.
pub(super) fn has_scheme(uri: &str) -> bool {
    let Some((scheme, _)) = uri.split_once(':') else { return false };
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(is_letter)
}

fn strip_scheme<'u>(uri: &'u str, scheme: &str) -> Option<&'u str> {
    let (found, rest) = uri.split_once(':')?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// `%20` is a blank. What is no such sign stays as it is written.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let sign = if *byte == b'%' { bytes.get(at + 1..at + 3) } else { None };
        let value = sign
            .filter(|sign| sign.iter().all(u8::is_ascii_hexdigit))
            .and_then(|sign| u8::from_str_radix(std::str::from_utf8(sign).ok()?, 16).ok())
            // No path holds a NUL.
            .filter(|value| *value != 0);
        found.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&found).into_owned()
}

/// A relative path without `.` and `..`, as text; `None` for one that leads out.
fn plain(path: &Path) -> Option<String> {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.to_string_lossy().into_owned())
}

/// Whether a name is one of a file in the tree, which may be looked at.
pub(super) fn is_inside(name: &str) -> bool {
    !name.is_empty() && !has_scheme(name) && plain(Path::new(name)).as_deref() == Some(name)
}
