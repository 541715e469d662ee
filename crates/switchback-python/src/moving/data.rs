//! Data that outlives the code and names it: pickles, databases, queues that were written down. It is never rewritten;
//! what it names has to stay importable, and is listed.

use super::edit::{Edits, Left};
use super::mapping::Mapping;
use crate::syntax::is_word;

/// How files with such data end.
const EXTENSIONS: &[&str] =
    &["pickle", "pkl", "pck", "p", "joblib", "dill", "cloudpickle", "sqlite", "sqlite3", "db", "dump", "rdb"];
/// Before the length of a short text, in a pickle of protocol 4 or later (`SHORT_BINUNICODE`, `pickletools`).
const SHORT_TEXT: u8 = 0x8c;
/// Before the module of a class, in a pickle of an earlier protocol (`GLOBAL`, `pickletools`).
const GLOBAL: u8 = b'c';

/// Whether a file holds data that may name modules, by its name.
pub(super) fn is_data(path: &str) -> bool {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Lists the modules that move and that the data names. `has_shims`: whether they stay importable.
pub(super) fn report(bytes: &[u8], mapping: &Mapping, has_shims: bool, edits: &mut Edits) {
    let why = if has_shims {
        "data outlives the code and is not rewritten: it needs the shim for as long as it is read"
    } else {
        "data outlives the code and is not rewritten: nobody can read it unless the old name stays importable, see `--shims`"
    };
    let mut found: Vec<&str> = mapping
        .modules
        .iter()
        .filter(|(old, new)| old != new && is_named(bytes, old))
        .map(|(old, _)| old.as_str())
        .collect();
    found.sort_unstable();
    let left = found.into_iter().map(|old| Left { offset: 0, text: old.to_owned(), why: why.to_owned() });
    edits.left.extend(left);
}

fn is_named(bytes: &[u8], module: &str) -> bool {
    memchr::memmem::find_iter(bytes, module).any(|at| {
        let after = bytes.get(at + module.len()).copied().unwrap_or_default();
        let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
        let earlier = at.checked_sub(2).and_then(|at| bytes.get(at)).copied().unwrap_or_default();
        let is_pickled = (usize::from(before) == module.len() && earlier == SHORT_TEXT)
            || (before == GLOBAL && after == b'\n');
        // One name alone may be any word.
        is_pickled || (module.contains('.') && !is_word(after) && before != b'.')
    })
}
