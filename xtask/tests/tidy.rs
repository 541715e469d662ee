//! The house rules, over the whole tree. That each rule bites is shown beside it, in `src/tidy/`.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use xtask::tidy::{self, Finding, Source};
use xtask::workspace::Workspace;

/// The findings of one rule, one a line. The tree must hold what the rule is about.
fn findings(rule: &str) -> String {
    let sources = tidy::read(&Workspace::find().unwrap()).unwrap();
    assert!(sources.iter().filter(|source| source.is_rust()).count() > 20, "the tree was not read");
    let (_, check) = tidy::RULES.iter().find(|(name, _)| *name == rule).unwrap();
    check(&sources).iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

macro_rules! rules {
    ($($test:ident: $rule:literal,)*) => {
        $(#[test]
        fn $test() {
            let found = findings($rule);
            assert!(found.is_empty(), "{}:\n{found}", $rule);
        })*

        #[test]
        fn every_rule_is_run() {
            let run = [$($rule),*];
            let all: Vec<&str> = tidy::RULES.iter().map(|(name, _)| *name).collect();
            assert_eq!(run.as_slice(), all);
        }
    };
}

rules! {
    needs_git_openings: "every Rust file opens with a sentence",
    needs_git_lengths: "no Rust file is longer than one idea",
    needs_git_module_names: "modules are nouns of the domain",
    needs_git_test_binaries: "a crate has one integration-test binary",
    needs_git_markers: "nothing is left for later in the text",
    needs_git_machine_paths: "no path of a machine",
    needs_git_registry_hosts: "no host of a registry",
    needs_git_printing: "core never prints",
    needs_git_time: "core asks the time only in `world`",
    needs_git_effects: "core touches disk, processes and network only in `world`",
    needs_git_serde: "only format files derive serde",
    needs_git_heavy: "heavy dependencies stay in their crate",
    needs_git_lock_size: "the lock file stays below its ceiling",
}

#[test]
fn a_broken_tree_is_caught() {
    let broken = [
        Source::new("crates/switchback-core/src/util.rs", "use std::fs;\n"),
        Source::new(
            "crates/switchback-core/src/plan.rs",
            "//! x\n#[derive(Serialize)]\nfn a() { println!() }\n",
        ),
    ];
    let found: Vec<Finding> = tidy::RULES.iter().flat_map(|(_, check)| check(&broken)).collect();
    let caught = |what: &str| found.iter().any(|finding| finding.what.contains(what));
    for what in ["open the file", "`util`", "`std::fs`", "`println!`", "format.rs", "nothing pins"] {
        assert!(caught(what), "{what} is not in {found:?}");
    }
}
