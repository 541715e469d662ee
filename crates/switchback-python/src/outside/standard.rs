//! The standard library of each version of Python 3.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The oldest minor version that the list holds.
pub(super) const OLDEST: u8 = 8;
/// The newest minor version that the list holds.
pub const NEWEST: u8 = 14;

/// Packages whose submodules are not listed: what is asked for below them is taken as it is.
const WHOLE: &[&str] = &["encodings", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "turtledemo"];

/// By name: the first and the last minor version.
static MODULES: LazyLock<HashMap<&'static str, (u8, u8)>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    for line in include_str!("standard.txt").lines().filter(|line| !line.starts_with('#')) {
        let Some((range, names)) = line.split_once(' ') else { continue };
        let Some((first, last)) = range.split_once('-') else { continue };
        let range = (first.parse().unwrap_or(0), last.parse().unwrap_or(u8::MAX));
        found.extend(names.split(' ').map(|name| (name, range)));
    }
    found
});

/// What the standard library says of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standard {
    /// It has it.
    Has,
    /// It has the package, and nothing of that name in it.
    HasNot,
    /// Another version has it: the first and the last.
    Elsewhere(u8, u8),
    /// It never had it.
    Foreign,
}

/// Whether version 3.`minor` has a module.
pub(super) fn standard(dotted: &str, minor: u8) -> Standard {
    let top = dotted.split('.').next().unwrap_or_default();
    let Some((first, last)) = MODULES.get(top).copied() else { return Standard::Foreign };
    if !(first..=last).contains(&minor) {
        return Standard::Elsewhere(first, last);
    }
    if dotted == top || WHOLE.contains(&top) {
        return Standard::Has;
    }
    match MODULES.get(dotted).copied() {
        Some((first, last)) if (first..=last).contains(&minor) => Standard::Has,
        Some((first, last)) => Standard::Elsewhere(first, last),
        None => Standard::HasNot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_own() {
        assert_eq!(standard("os.path", 13), Standard::Has);
        assert_eq!(standard("xml.etree.ElementTree", 8), Standard::Has);
        assert_eq!(standard("distutils.core", 11), Standard::Has);
        assert_eq!(standard("distutils.core", 12), Standard::Elsewhere(8, 11));
        assert_eq!(standard("tomllib", 10), Standard::Elsewhere(11, u8::MAX));
        assert_eq!(standard("tomllib", NEWEST), Standard::Has);
        assert_eq!(standard("json.nothing", 13), Standard::HasNot);
        assert_eq!(standard("yaml", 13), Standard::Foreign);
        assert_eq!(standard("test.support", OLDEST), Standard::Has);
    }
}
