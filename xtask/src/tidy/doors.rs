//! What the core may not do by itself: print, ask the time, touch the outside; and which files define formats.

use crate::tidy::{Finding, Source};

const CORE: &str = "crates/switchback-core/src/";
const DOOR: &str = "crates/switchback-core/src/world/";

const PRINTS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"];
const TIMES: &[&str] =
    &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now", "UNIX_EPOCH", "thread::sleep"];
const EFFECTS: &[&str] =
    &["std::fs", "std::process", "std::net", "std::env::var", "rustix::fs", "rustix::process", "ureq::"];

/// Files beside those named `format.rs` (or in a folder `format/`) that define a format, and so may derive serde.
/// Each is pinned by a test that compares bytes.
pub const FORMAT_FILES: &[&str] = &[
    "crates/switchback-compare/src/report.rs",
    // Values are put aside on disk while they do not fit into memory, and never outlive the process.
    "crates/switchback-compare/src/value/mod.rs",
    "crates/switchback-compare/src/value/number.rs",
    "crates/switchback-core/src/journal/event.rs",
    "crates/switchback-core/src/tree/exchange/participant.rs",
    "crates/switchback-core/src/tree/exchange/record.rs",
    "crates/switchback-core/src/tree/rewrite/record.rs",
    "crates/switchback-python/src/merging/rules.rs",
    "crates/switchback-python/src/moving/rules.rs",
    "crates/switchback-python/src/moving/signature.rs",
];

/// The core has no terminal: what it found is a value, and the command line shows it.
pub fn printing(sources: &[Source]) -> Vec<Finding> {
    forbid(sources, CORE, "", PRINTS, "return it, and let the command line show it")
}

/// The core is told the time, so that a test can fix it.
pub fn time(sources: &[Source]) -> Vec<Finding> {
    forbid(sources, CORE, DOOR, TIMES, "ask the clock of `world`")
}

/// The core has one door to the outside, so that a test can fail or kill it at any call.
pub fn effects(sources: &[Source]) -> Vec<Finding> {
    let mut findings = forbid(sources, CORE, DOOR, EFFECTS, "go through `world`");
    for source in within(sources, CORE, DOOR) {
        for (number, line) in program_lines(&source.text) {
            let grouped = line.trim().strip_prefix("use std::{").unwrap_or_default();
            let named = grouped
                .split([',', ' ', '{', '}', ';', ':'])
                .any(|name| ["fs", "process", "net"].contains(&name));
            if named {
                findings.push(source.finding(number, "go through `world` instead of what this imports"));
            }
        }
    }
    findings
}

/// A type that derives serde is a format, and formats live in files of their own.
pub fn serde(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rust =
        sources.iter().filter(|source| source.path.starts_with("crates/") && source.path.contains("/src/"));
    for source in rust.filter(|source| source.is_rust() && !is_format_file(&source.path)) {
        let mut in_derive = false;
        for (number, line) in program_lines(&source.text) {
            in_derive |= line.contains("derive(");
            if in_derive && ["Serialize", "Deserialize"].iter().any(|name| line.contains(name)) {
                let what =
                    "move the format into a `format.rs`, or name this file in FORMAT_FILES of xtask's tidy";
                findings.push(source.finding(number, what));
            }
            in_derive &= !line.contains(")]");
        }
    }
    let exists = |path: &str| sources.iter().any(|source| source.path == path);
    let gone = FORMAT_FILES.iter().filter(|path| !exists(path));
    findings.extend(gone.map(|path| Finding {
        path: (*path).to_owned(),
        line: 1,
        what: "FORMAT_FILES names it, and it does not exist".to_owned(),
    }));
    findings
}

fn is_format_file(path: &str) -> bool {
    path.ends_with("/format.rs") || path.contains("/format/") || FORMAT_FILES.contains(&path)
}

/// Rust files that begin with `root` and not with `except`, tests' files left out.
fn within<'a>(sources: &'a [Source], root: &'a str, except: &'a str) -> impl Iterator<Item = &'a Source> {
    sources.iter().filter(move |source| {
        let excepted = !except.is_empty() && source.path.starts_with(except);
        let tests = source.path.contains("/tests/") || source.path.ends_with("tests.rs");
        source.is_rust() && source.path.starts_with(root) && !excepted && !tests
    })
}

fn forbid(sources: &[Source], root: &str, except: &str, calls: &[&str], instead: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in within(sources, root, except) {
        for (number, line) in program_lines(&source.text) {
            if let Some(call) = calls.iter().find(|call| names(line, call)) {
                findings.push(source.finding(number, format!("`{call}`: {instead}")));
            }
        }
    }
    findings
}

/// Whether the line names `call` as a whole: `eprint!` is not `print!`, `std::fs` is not `std::fsync`.
fn names(line: &str, call: &str) -> bool {
    let continues = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(call).any(|(start, _)| {
        !line[..start].ends_with(continues) && !line[start + call.len()..].starts_with(continues)
            || call.ends_with(':') && !line[..start].ends_with(continues)
    })
}

/// The lines of the program itself: without comments, and without items under `#[cfg(test)]`.
fn program_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // The indentation of the `#[cfg(test)]` whose item is being left out.
    let mut test_item: Option<usize> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        if let Some(outer) = test_item {
            let ends =
                indent == outer && (code.starts_with('}') || code.ends_with(';') || code.ends_with("{}"));
            if ends {
                test_item = None;
            }
            return None;
        }
        if code.starts_with("#[cfg(test)]") {
            test_item = Some(indent);
            return None;
        }
        let code = line.split(" // ").next().unwrap_or(line);
        (!code.trim_start().starts_with("//")).then_some((index + 1, code))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(file: &str, line: &str) -> [Source; 1] {
        [Source::new(&format!("{CORE}{file}"), &format!("//! x\n{line}\n"))]
    }

    #[test]
    fn printing_in_core_is_caught() {
        for call in PRINTS {
            assert_eq!(printing(&core("world/disk.rs", &format!("    {call}(\"x\");"))).len(), 1, "{call}");
        }
        assert_eq!(printing(&core("plan.rs", "/// `println!` is not used here")), []);
        assert_eq!(printing(&[Source::new("crates/switchback/src/ui.rs", "println!()")]), []);
    }

    #[test]
    fn asking_the_time_outside_world_is_caught() {
        for call in TIMES {
            assert_eq!(time(&core("journal.rs", &format!("let now = {call}();"))).len(), 1, "{call}");
            assert_eq!(time(&core("world/clock.rs", &format!("let now = {call}();"))), [], "{call}");
        }
    }

    #[test]
    fn effects_outside_world_are_caught() {
        for call in EFFECTS {
            assert_eq!(effects(&core("tree/mod.rs", &format!("use {call}::x;"))).len(), 1, "{call}");
            assert_eq!(effects(&core("world/real_disk.rs", &format!("use {call}::x;"))), [], "{call}");
        }
        assert_eq!(effects(&core("tree.rs", "use std::{fmt, fs::File};")).len(), 1);
        assert_eq!(effects(&core("tree.rs", "use std::{fmt, path::Path};")), []);
    }

    #[test]
    fn what_is_only_for_tests_may_touch_the_outside() {
        let inside = "#[cfg(test)]\nmod tests {\n    use std::fs;\n    fn x() {\n    }\n}\n";
        assert_eq!(effects(&core("tree.rs", inside)), []);
        assert_eq!(
            effects(&core("tree.rs", &format!("{inside}use std::fs;"))).len(),
            1,
            "the program goes on after it"
        );
        assert_eq!(effects(&core("tree.rs", "#[cfg(test)]\nuse std::fs;\nuse std::process;")).len(), 1);
    }

    #[test]
    fn serde_outside_of_formats_is_caught() {
        let derives = "#[derive(Debug, Serialize)]\nstruct A;";
        let spread = "#[derive(\n    Debug,\n    serde::Deserialize,\n)]\nstruct A;";
        let file = |path: &str, text: &str| serde(&[Source::new(path, text)]).len() - FORMAT_FILES.len();
        assert_eq!(file("crates/a/src/plan.rs", derives), 1);
        assert_eq!(file("crates/a/src/plan.rs", spread), 1);
        assert_eq!(file("crates/a/src/plan/format.rs", derives), 0);
        assert_eq!(file("crates/a/src/format/plan.rs", derives), 0);
        assert_eq!(file("crates/a/src/plan.rs", "use serde::Serialize;"), 0);
    }
}
