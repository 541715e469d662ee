//! Files and folders: how they open, how long they are, what they are called, how many test binaries a crate has.
//!
//! The length of functions is clippy's `too_many_lines`, set in `clippy.toml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{Finding, Source};

/// The most lines that a Rust file may have.
pub const FILE_LINES_MAX: usize = 600;

/// Names that say nothing about what a module is for.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers"];

/// Every Rust file opens with `//!` and a sentence.
pub fn openings(sources: &[Source]) -> Vec<Finding> {
    let opens =
        |source: &Source| source.text.strip_prefix("//! ").is_some_and(|rest| !rest.trim().is_empty());
    sources
        .iter()
        .filter(|source| source.is_rust() && !opens(source))
        .map(|source| source.finding(1, "open the file with `//!` and one sentence about what it is"))
        .collect()
}

/// No Rust file is longer than [`FILE_LINES_MAX`].
pub fn lengths(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|source| source.is_rust())
        .map(|source| (source, source.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(source, lines)| {
            source
                .finding(FILE_LINES_MAX + 1, format!("{lines} lines: split it, {FILE_LINES_MAX} is the most"))
        })
        .collect()
}

/// No module is named after nothing, neither as a file or folder nor inline.
pub fn module_names(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let in_path = source.path.trim_end_matches(".rs").split('/').find(|part| says_nothing(part));
        findings.extend(
            in_path.map(|name| source.finding(1, format!("`{name}` does not say what the module is for"))),
        );
        for (number, line) in source.lines() {
            let declared = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = declared.strip_prefix("mod ").and_then(|rest| rest.split([' ', ';', '{']).next());
            if let Some(name) = name.filter(|name| says_nothing(name)) {
                findings
                    .push(source.finding(number, format!("`{name}` does not say what the module is for")));
            }
        }
    }
    findings
}

fn says_nothing(name: &str) -> bool {
    name.split('_').any(|word| EMPTY_NAMES.contains(&word))
}

/// Every crate has at most one integration-test binary: linking is our time.
pub fn test_binaries(sources: &[Source]) -> Vec<Finding> {
    let mut binaries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        let Some((package, place)) = source.path.split_once("/tests/") else { continue };
        let is_package =
            package == "xtask" || package.strip_prefix("crates/").is_some_and(|name| !name.contains('/'));
        let is_binary = match place.split_once('/') {
            None => source.is_rust(),
            Some((_, inside)) => inside == "main.rs",
        };
        if is_package && is_binary {
            binaries.entry(package).or_default().insert(&source.path);
        }
    }
    binaries
        .into_iter()
        .filter(|(_, files)| files.len() > 1)
        .filter_map(|(package, files)| {
            let listed = files.iter().copied().collect::<Vec<_>>().join(", ");
            let what =
                format!("`{package}` has {} test binaries ({listed}): make them modules of one", files.len());
            files.first().map(|path| Finding { path: (*path).to_owned(), line: 1, what })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_opening_is_caught() {
        let caught = openings(&[
            Source::new("a.rs", "//! What it is.\n"),
            Source::new("b.rs", "use std::fmt;\n"),
            Source::new("c.rs", "//! \n"),
            Source::new("d.py", "x = 1\n"),
        ]);
        assert_eq!(caught.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["b.rs", "c.rs"]);
    }

    #[test]
    fn a_file_that_is_too_long_is_caught() {
        let lines = |count: usize| "//! x\n".repeat(count);
        assert_eq!(lengths(&[Source::new("a.rs", &lines(FILE_LINES_MAX))]), []);
        assert_eq!(lengths(&[Source::new("a.rs", &lines(FILE_LINES_MAX + 1))])[0].line, FILE_LINES_MAX + 1);
    }

    #[test]
    fn names_that_say_nothing_are_caught() {
        for (path, text, caught) in [
            ("crates/a/src/utils.rs", "", 1),
            ("crates/a/src/misc/tree.rs", "", 1),
            ("crates/a/src/path_helpers.rs", "", 1),
            ("crates/a/src/lib.rs", "pub mod common;\nmod tree;\n", 1),
            ("crates/a/src/lib.rs", "mod manager {\n}\n", 1),
            ("crates/a/src/tree.rs", "mod utility_rate;\n", 0),
        ] {
            assert_eq!(module_names(&[Source::new(path, text)]).len(), caught, "{path}: {text}");
        }
    }

    #[test]
    fn a_second_test_binary_is_caught() {
        let one = ["crates/a/tests/all/main.rs", "crates/a/tests/all/cutover.rs", "crates/b/tests/all.rs"];
        let sources: Vec<Source> = one.iter().map(|path| Source::new(path, "")).collect();
        assert_eq!(test_binaries(&sources), []);
        let two = ["crates/a/tests/all/main.rs", "crates/a/tests/more.rs", "crates/a/tests/data/x.csv"];
        let sources: Vec<Source> = two.iter().map(|path| Source::new(path, "")).collect();
        assert!(test_binaries(&sources)[0].what.contains("2 test binaries"));
    }
}
