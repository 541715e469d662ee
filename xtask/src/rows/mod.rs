//! `cargo xtask rows`: which rows of the mission are claimed, which tests name them, and how those ended.
//!
//! [`codes`] knows the rows that there are, [`claims`] reads what is claimed, [`markers`] finds the tests that name
//! rows, [`results`] how tests ended, and [`account`] puts them together.

pub mod account;
pub mod claims;
pub mod codes;
pub mod markers;
pub mod results;

use std::path::Path;

use crate::problem::Problem;
use crate::suite::Runner;
use crate::workspace::{Workspace, modified, read_text};
use account::Account;
use claims::Claims;
use markers::Marked;
use results::Results;

/// What `cargo xtask rows` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsOptions {
    /// One JSON document instead of a table.
    pub json: bool,
}

/// Shows every claimed row with its tests and their results. Answers whether each has a test and all passed.
pub fn rows(workspace: &Workspace, options: &RowsOptions) -> Result<bool, Problem> {
    let (claims, marked) = gather(workspace)?;
    let wanted: Vec<&Marked> =
        marked.iter().filter(|test| test.rows.iter().any(|row| claims.contains_key(row))).collect();

    let mut results = fresh_results(workspace)?;
    let unknown: Vec<&Marked> = wanted.into_iter().filter(|test| results.of(test).is_none()).collect();
    if !unknown.is_empty() {
        eprintln!(
            "the last run of the suite says nothing about {} of these tests: running them",
            unknown.len()
        );
        results.extend(results::run(workspace, Runner::of(workspace)?, &unknown)?);
    }

    let account = Account::of(&claims, &marked, &results);
    if options.json {
        println!("{}", account.json());
    } else {
        print!("{}", account.table());
    }
    Ok(account.holds())
}

/// What is claimed, and which tests name rows.
fn gather(workspace: &Workspace) -> Result<(Claims, Vec<Marked>), Problem> {
    let path = workspace.root.join(claims::PATH);
    let text = read_text(&path).map_err(|problem| {
        problem.hint(format!("`{}` lists the rows that the project claims", claims::PATH))
    })?;
    Ok((claims::parse(&text)?, markers::collect(workspace)?))
}

/// The results of the last whole run of the suite, if no file changed since; else none.
fn fresh_results(workspace: &Workspace) -> Result<Results, Problem> {
    let junit = results::junit_path(workspace, "ci");
    if !junit.is_file() {
        return Ok(Results::default());
    }
    let sources: Vec<String> = workspace.files()?.into_iter().filter(|file| decides_results(file)).collect();
    if workspace.newest_change(&sources)? >= modified(&junit)? {
        return Ok(Results::default());
    }
    results::of_junit(&read_text(&junit)?)
}

/// Whether a change of this file may change how a test ends. Prose may not; everything else counts.
fn decides_results(file: &str) -> bool {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
    !(file == claims::PATH || extension == Some("md") && !file.starts_with("crates/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Call;
    use crate::workspace::write_text;

    /// A folder with one crate whose `journal` module holds `source`, and these claims.
    fn fixture(source: &str, claims: &str) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { root: folder.path().to_owned() };
        for (path, text) in [
            ("crates/engine/Cargo.toml", "[package]\nname = \"the-engine\"\n"),
            ("crates/engine/src/journal.rs", source),
            ("crates/engine/tests/all/main.rs", "// rows: RB-4\n#[test]\nfn from_outside() {}\n"),
            ("crates/engine/tests/data.txt", "// rows: not Rust\n"),
            (claims::PATH, claims),
        ] {
            write_text(&folder.path().join(path), text).unwrap();
        }
        Call::new("git", &["init", "--quiet"]).within(folder.path()).output().unwrap();
        (folder, workspace)
    }

    const SOURCE: &str = "mod tests {\n    // rows: RB-1, RB-2\n    #[test]\n    fn reads_back() {}\n}\n";

    fn account(claims: &str, junit: &str) -> Account {
        let (_folder, workspace) = fixture(SOURCE, claims);
        let (claims, marked) = gather(&workspace).unwrap();
        Account::of(&claims, &marked, &results::of_junit(junit).unwrap())
    }

    #[test]
    fn needs_git_a_folder_is_accounted_for() {
        let junit = "<testsuites><testcase classname='the-engine' name='journal::tests::reads_back'/>\
                     <testcase classname='the-engine::all' name='from_outside'/></testsuites>";
        let account = account("[claimed]\nRB-1 = \"a\"\nRB-4 = \"b\"\n", junit);
        assert!(account.holds(), "{}", account.table());
        assert_eq!(account.json()["not_claimed"], serde_json::json!(["RB-2"]));
    }

    #[test]
    fn needs_git_a_claim_without_a_test_and_a_failed_one_do_not_hold() {
        let junit = "<testsuites><testcase classname='the-engine' name='journal::tests::reads_back'>\
                     <failure/></testcase></testsuites>";
        let account = account("[claimed]\nRB-1 = \"a\"\nRB-3 = \"b\"\n", junit);
        assert!(!account.holds());
        assert!(account.table().ends_with("not proved: RB-1, RB-3\n"), "{}", account.table());
    }

    #[test]
    fn needs_git_an_unknown_code_in_a_test_is_an_error() {
        let (_folder, workspace) =
            fixture("// rows: RB-1, QQ-7\n#[test]\nfn a() {}\n", "[claimed]\nRB-1 = \"a\"\n");
        let shown = gather(&workspace).unwrap_err().to_string();
        assert!(shown.contains("crates/engine/src/journal.rs:1: the mission has no row `QQ-7`"), "{shown}");
    }

    #[test]
    fn prose_alone_does_not_make_results_old() {
        for (file, decides) in [
            ("crates/switchback-core/src/lib.rs", true),
            ("crates/switchback/tests/expected.md", true),
            ("examples/merge/switchback.toml", true),
            ("Cargo.lock", true),
            ("CHANGELOG.md", false),
            ("docs/mission-rows.toml", false),
        ] {
            assert_eq!(decides_results(file), decides, "{file}");
        }
    }
}
