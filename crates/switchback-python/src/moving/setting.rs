//! Names without a dot: settings and options in which they can only be modules, and what is listed elsewhere.

use super::mapping::Mapping;
use crate::index::Index;
use crate::syntax::Span;

/// Keys whose values are modules, in `pyproject.toml`, `setup.cfg`, `tox.ini`, `.coveragerc` and their like.
const KEYS: &[&str] = &[
    "packages",
    "py-modules",
    "py_modules",
    "source",
    "source_pkgs",
    "known-first-party",
    "known_first_party",
    "include",
    "modules",
    "root_package",
    "root_packages",
];
/// Sections whose keys are packages.
const SECTIONS: &[&str] = &["package-data", "package_data", "exclude-package-data", "exclude_package_data"];
/// Options whose values are modules.
const OPTIONS: &[&str] = &["--cov=", "--cov ", "--source=", "--source "];
/// How far before a name its key is looked for, in bytes.
const KEY_BYTES_MAX: usize = 16 << 10;

/// Whether a single name at `span` can only be a module: after an option of a tool, or under a key that holds modules.
pub(super) fn names_module(bytes: &[u8], span: Span, is_setting: bool) -> bool {
    let before = bytes.get(span.start.saturating_sub(KEY_BYTES_MAX)..span.start).unwrap_or_default();
    if OPTIONS.iter().any(|option| before.ends_with(option.as_bytes())) {
        return true;
    }
    // `shop*` means more than the module.
    let after = bytes.get(span.end..).unwrap_or_default();
    if !is_setting || after.starts_with(b"*") {
        return false;
    }
    let before = String::from_utf8_lossy(before);
    let mut lines = before.rsplit(['\n', '\r']);
    let line = lines.next().unwrap_or_default();
    let is_key = line.trim().trim_matches('"').is_empty() && {
        let rest = after.strip_prefix(b"\"").unwrap_or(after);
        rest.trim_ascii_start().starts_with(b"=")
    };
    if is_key {
        let section = lines.find(|line| line.starts_with('['));
        return section.is_some_and(|section| {
            SECTIONS.iter().any(|name| section.trim_end().ends_with(&format!("{name}]")))
        });
    }
    std::iter::once(line)
        .chain(lines)
        .take_while(|line| !line.starts_with('['))
        .find_map(key_of)
        .is_some_and(|key| KEYS.contains(&key))
}

/// The last key that a line sets.
fn key_of(line: &str) -> Option<&str> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let (head, _) = line.rsplit_once('=')?;
    let key = head.trim_end().rsplit([' ', '\t', '{', ',', '.']).next()?.trim_matches('"');
    (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
        .then_some(key)
}

/// Why a name, or a path that leads nowhere, is listed: it may mean what moves. A word without `_` is an ordinary one in
/// sentences.
pub(super) fn why_left(
    index: &Index<'_>,
    mapping: &Mapping,
    text: &str,
    is_path: bool,
    is_setting: bool,
) -> Option<String> {
    if is_path {
        let mut parts = text.trim_start_matches("./").split('/').enumerate();
        let is_moved = |part: &str| mapping.places.iter().any(|(old, new)| old == part && old != new);
        let part = parts.find(|(at, part)| (*at == 0 || part.contains('_')) && is_moved(part))?.1;
        return Some(format!("it names `{part}`, which moves, but leads to no file of the tree"));
    }
    let is_one = !text.is_empty() && text.bytes().all(crate::syntax::is_word);
    if !is_one || !(is_setting || text.contains('_')) || !index.has(text) {
        return None;
    }
    let new = mapping.module(text);
    (new != text).then(|| format!("a single name; it would become `{new}` if the module is meant"))
}
