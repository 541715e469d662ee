//! The tests that name rows of the mission, found in the source: `// rows: RB-1, BX-2` directly above a test.

use crate::problem::Problem;
use crate::rows::codes;
use crate::workspace::{Workspace, read_text};

/// A test that names rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The codes that it names, as written.
    pub rows: Vec<String>,
    /// The package that it belongs to.
    pub package: String,
    /// The integration-test binary that it is in; `None` for a test inside the library or the program.
    pub integration: Option<String>,
    /// Its path inside the binary, as the test runner names it: `journal::tests::events_read_back`.
    pub path: String,
    /// The file that it stands in, from the root.
    pub file: String,
    /// The line of the mark, counted from 1.
    pub line: usize,
}

/// All marked tests under `crates/`, in the order of files and lines. Wrong marks are all named in one error.
pub fn collect(workspace: &Workspace) -> Result<Vec<Marked>, Problem> {
    let mut marked = Vec::new();
    let mut faults = Vec::new();
    for file in workspace.files()? {
        let is_rust = std::path::Path::new(&file).extension().is_some_and(|extension| extension == "rs");
        let Some((folder, place)) = file.strip_prefix("crates/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if !is_rust {
            continue;
        }
        let text = read_text(&workspace.root.join(&file))?;
        if !text.contains("rows:") {
            continue;
        }
        let package = package_name(workspace, folder)?;
        match of_file(&text, &file, &package, place) {
            Ok(found) => marked.extend(found),
            Err(found) => faults.extend(found),
        }
    }
    let mut faults = faults.into_iter();
    match faults.next() {
        None => Ok(marked),
        Some(first) => {
            Err(faults.fold(Problem::new("could not read which tests name rows", first), Problem::because))
        }
    }
}

fn package_name(workspace: &Workspace, folder: &str) -> Result<String, Problem> {
    let path = workspace.root.join("crates").join(folder).join("Cargo.toml");
    let manifest: toml::Table =
        read_text(&path)?.parse().map_err(|source: toml::de::Error| Problem::at("read", &path, source))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).ok_or_else(|| Problem::at("read", &path, "`package.name` is missing"))
}

/// The marked tests of one file. `place` is the file's path inside its package. The error is every wrong mark.
pub fn of_file(text: &str, file: &str, package: &str, place: &str) -> Result<Vec<Marked>, Vec<String>> {
    let (integration, modules) = binary_and_modules(place);
    let mut marked = Vec::new();
    let mut faults = Vec::new();
    let mut open = Vec::new();
    let mut pending: Option<(usize, Vec<String>)> = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim();
        if let Some(rows) = marked_rows(code) {
            faults.extend(faults_of(&rows, file, index + 1));
            pending.get_or_insert((index + 1, Vec::new())).1.extend(rows);
        } else if let Some(name) = function_name(code) {
            if let Some((line, rows)) = pending.take() {
                let path = modules
                    .iter()
                    .chain(open.iter().map(|(_, name)| name))
                    .fold(String::new(), |path, module| path + module + "::");
                marked.push(Marked {
                    rows,
                    package: package.to_owned(),
                    integration: integration.clone(),
                    path: path + name,
                    file: file.to_owned(),
                    line,
                });
            }
        } else if code.starts_with("#[ignore")
            && let Some((line, _)) = pending.take()
        {
            // The suite leaves it out, so that it could prove nothing.
            faults.push(format!("{file}:{line}: `rows:` stands above a test that the suite does not run"));
        } else if let Some(name) = inline_module(code) {
            open.push((indent, name.to_owned()));
        } else if code == "}" {
            open.retain(|(opened_at, _)| *opened_at < indent);
        } else if code.is_empty()
            && let Some((line, _)) = pending.take()
        {
            faults.push(format!("{file}:{line}: `rows:` does not stand directly above a test"));
        }
    }
    if let Some((line, _)) = pending {
        faults.push(format!("{file}:{line}: `rows:` does not stand above a test"));
    }
    if faults.is_empty() { Ok(marked) } else { Err(faults) }
}

/// The integration-test binary of a file of a package, and the modules that its place stands for.
fn binary_and_modules(place: &str) -> (Option<String>, Vec<String>) {
    let mut parts: Vec<&str> = place.trim_end_matches(".rs").split('/').collect();
    let root = parts.remove(0);
    let integration = match (root, parts.as_slice()) {
        ("tests", [binary, ..]) => {
            let binary = (*binary).to_owned();
            parts.remove(0);
            Some(binary)
        }
        ("src", ["bin", _, ..]) => {
            parts.drain(..2);
            None
        }
        _ => None,
    };
    if let [.., "mod"] | ["lib" | "main"] = parts.as_slice() {
        parts.pop();
    }
    (integration, parts.into_iter().map(str::to_owned).collect())
}

/// The codes of a `// rows:` comment (or `/// rows:`).
fn marked_rows(code: &str) -> Option<Vec<String>> {
    let comment = code.strip_prefix("///").or_else(|| code.strip_prefix("//"))?.trim_start();
    let rows = comment.strip_prefix("rows:")?;
    Some(rows.split(',').map(|row| row.trim().to_owned()).collect())
}

fn faults_of(rows: &[String], file: &str, line: usize) -> Vec<String> {
    rows.iter()
        .filter(|row| !codes::is_known(row))
        .map(|row| format!("{file}:{line}: the mission has no row `{row}`"))
        .collect()
}

fn function_name(code: &str) -> Option<&str> {
    let words = code.strip_prefix("pub ").unwrap_or(code);
    let words = words.strip_prefix("async ").unwrap_or(words);
    words.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// The name of a module that opens here; the formatter puts its brace on the same line.
fn inline_module(code: &str) -> Option<&str> {
    code.strip_prefix("pub ").unwrap_or(code).strip_prefix("mod ")?.strip_suffix(" {")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! A file.

// rows: RB-1
#[test]
fn at_the_top() {
}

mod tests {
    mod inner {
        /// Says more.
        // rows: RB-2, BX-1
        #[test]
        fn deep() {
            if true {
            }
        }
    }

    #[test]
    // rows: PC-1
    #[expect(
        clippy::unwrap_used,
        reason = \"it is a test\"
    )]
    async fn after_inner() {}

    #[test]
    fn unmarked() {}
}
";

    fn paths(place: &str) -> Vec<(Option<String>, String)> {
        let found = of_file(SOURCE, "f.rs", "p", place).unwrap();
        found.into_iter().map(|marked| (marked.integration, marked.path)).collect()
    }

    #[test]
    fn a_test_has_the_path_that_the_runner_gives_it() {
        let plain = |path: &str| (None, path.to_owned());
        assert_eq!(
            paths("src/journal/fold.rs"),
            [
                plain("journal::fold::at_the_top"),
                plain("journal::fold::tests::inner::deep"),
                plain("journal::fold::tests::after_inner")
            ]
        );
        assert_eq!(paths("src/lib.rs")[0], plain("at_the_top"));
        assert_eq!(paths("src/journal/mod.rs")[0], plain("journal::at_the_top"));
        assert_eq!(paths("src/bin/probe.rs")[0], plain("at_the_top"));
        let integration = |path: &str| (Some("runs".to_owned()), path.to_owned());
        assert_eq!(paths("tests/runs.rs")[0], integration("at_the_top"));
        assert_eq!(paths("tests/runs/main.rs")[0], integration("at_the_top"));
        assert_eq!(paths("tests/runs/cutover.rs")[0], integration("cutover::at_the_top"));
    }

    #[test]
    fn rows_and_places_are_kept() {
        let found = of_file(SOURCE, "f.rs", "p", "src/lib.rs").unwrap();
        assert_eq!(found[1].rows, ["RB-2", "BX-1"]);
        assert_eq!((found[1].file.as_str(), found[1].line), ("f.rs", 11));
    }

    #[test]
    fn wrong_marks_are_all_named() {
        let source = "// rows: RB-77, RB-1\n#[test]\nfn a() {}\n// rows: RB-2\n\nfn b() {}\n// rows: RB-3\n#[test]\n#[ignore = \"slow\"]\nfn c() {}\n// rows: RB-4\n";
        let faults = of_file(source, "f.rs", "p", "src/lib.rs").unwrap_err();
        assert_eq!(
            faults,
            [
                "f.rs:1: the mission has no row `RB-77`",
                "f.rs:4: `rows:` does not stand directly above a test",
                "f.rs:7: `rows:` stands above a test that the suite does not run",
                "f.rs:11: `rows:` does not stand above a test"
            ]
        );
    }
}
