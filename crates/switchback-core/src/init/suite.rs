//! The project's tests: where they are, how many, and what runs them.

use std::path::Path;

use super::interpreter::Interpreter;
use super::layout::{Layout, is_test_file, plural};
use super::listing::Listing;
use super::names;
use super::quote::shell_word;
use super::settings::{Pytest, Settings};
use crate::world::Disk;

/// So many test files are read to count their tests.
const FILES_MAX: usize = 2_000;
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// What pytest's options need to be known: the plugin's module, and how its options begin.
const PLUGINS: [(&str, &[&str]); 12] = [
    ("pytest_cov", &["--cov", "--no-cov"]),
    ("xdist", &["-n", "--dist", "--numprocesses", "--maxprocesses"]),
    ("pytest_timeout", &["--timeout"]),
    ("pytest_asyncio", &["--asyncio-mode"]),
    ("pytest_benchmark", &["--benchmark"]),
    ("pytest_django", &["--ds", "--reuse-db", "--nomigrations", "--no-migrations", "--create-db"]),
    ("pytest_randomly", &["--randomly"]),
    ("pytest_mock", &["--mock"]),
    ("pytest_html", &["--html", "--self-contained-html"]),
    ("pytest_rerunfailures", &["--reruns"]),
    ("pytest_mypy", &["--mypy"]),
    ("pytest_socket", &["--disable-socket", "--allow-hosts", "--allow-unix-socket"]),
];

/// What was found of tests.
#[derive(Debug, Clone, Default)]
pub(super) struct Suite {
    files: Vec<TestFile>,
    pytest: Option<Pytest>,
    /// Whether the files' own text, or a `conftest.py`, speaks of pytest, and which file does.
    spoken: Option<String>,
    has_manage: bool,
}

/// A file of tests.
#[derive(Debug, Clone, Default)]
struct TestFile {
    path: String,
    /// Test functions outside of classes.
    functions: u64,
    /// Test methods of classes that are derived from a test case.
    methods: u64,
    /// Test methods of other classes whose names pytest takes for tests.
    plain_methods: u64,
    imports_pytest: bool,
}

/// How the tests are run.
#[derive(Debug, Clone)]
pub(super) struct TestPlan {
    pub(super) runner: &'static str,
    pub(super) command: String,
    /// Whether it writes JUnit XML.
    pub(super) has_results: bool,
    pub(super) files: u64,
    pub(super) tests: u64,
    /// What it was taken for, and on what ground: sentences.
    pub(super) why: Vec<String>,
    /// Why it cannot be run here and now; then it is only written as a comment.
    pub(super) cannot: Option<String>,
}

impl TestPlan {
    /// Half of what was counted: tests that are skipped here do not count as run.
    pub(super) fn minimum(&self) -> u64 {
        (self.tests / 2).max(1)
    }
}

/// Reads the test files.
pub(super) fn look(
    disk: &dyn Disk,
    root: &Path,
    listing: &Listing,
    layout: &Layout,
    settings: &Settings,
) -> Suite {
    let mut suite = Suite { pytest: settings.pytest.clone(), ..Suite::default() };
    suite.has_manage = listing.has_file("manage.py");
    for file in listing.files.iter().filter(|file| layout.is_managed(&file.path)) {
        if names::base(&file.path) == "conftest.py" && suite.spoken.is_none() {
            suite.spoken = Some(file.path.clone());
        }
        if !suite.is_test(&file.path) || suite.files.len() >= FILES_MAX || !is_speakable(&file.path) {
            continue;
        }
        // What cannot be read is not counted, so that the minimum stays a lower bound.
        let Ok(bytes) = disk.read(&root.join(&file.path), FILE_BYTES_MAX) else { continue };
        let counted = count(&file.path, &String::from_utf8_lossy(&bytes));
        if counted.imports_pytest && suite.spoken.is_none() {
            suite.spoken = Some(file.path.clone());
        }
        suite.files.push(counted);
    }
    suite.files.retain(|file| file.functions + file.methods + file.plain_methods > 0);
    suite
}

/// Whether a path may stand in a command: placeholders in it would be filled in.
fn is_speakable(path: &str) -> bool {
    !path.contains("{out}") && !path.contains("{tree}")
}

/// The modules that decide how tests can be run.
pub(super) fn modules() -> Vec<String> {
    let plugins = PLUGINS.iter().map(|(module, _)| (*module).to_owned());
    ["pytest", "django"].into_iter().map(str::to_owned).chain(plugins).collect()
}

impl Suite {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn is_test(&self, path: &str) -> bool {
        let Some(pytest) = &self.pytest else { return is_test_file(path) };
        let paths: Vec<&String> = pytest.testpaths.iter().filter(|path| !path.contains('*')).collect();
        let is_in = paths.len() < pytest.testpaths.len()
            || paths.is_empty()
            || paths.iter().any(|folder| names::is_below(path, folder));
        let is_named = match pytest.python_files.as_slice() {
            [] => is_test_file(path) && names::base(path) != "tests.py",
            patterns => {
                names::module(path).is_some() && patterns.iter().any(|one| fits(names::base(path), one))
            }
        };
        is_in && is_named
    }

    /// How to run them with that interpreter; nothing when there are none.
    pub(super) fn plan(&self, layout: &Layout, listing: &Listing, python: &Interpreter) -> Option<TestPlan> {
        if self.is_empty() {
            return None;
        }
        let plain: u64 = self.files.iter().map(|file| file.functions + file.plain_methods).sum();
        let needs_pytest = plain > 0 || self.files.iter().any(|file| file.imports_pytest);
        let wants_pytest = needs_pytest || self.pytest.is_some() || self.spoken.is_some();
        if self.has_manage && !wants_pytest {
            return Some(self.django(layout, python));
        }
        if wants_pytest && (python.has("pytest") || needs_pytest) {
            return Some(self.with_pytest(layout, python));
        }
        let mut plan = self.with_unittest(layout, listing, python);
        if wants_pytest {
            let why =
                format!("pytest is set up, but `{}` has none; unittest finds these tests too", python.word);
            plan.why.push(why);
        }
        Some(plan)
    }

    fn with_pytest(&self, layout: &Layout, python: &Interpreter) -> TestPlan {
        let mut why = Vec::new();
        why.push(match (&self.pytest, &self.spoken) {
            (Some(pytest), _) => format!("pytest, because `{}` sets it up", pytest.file),
            (None, Some(file)) => format!("pytest, because of `{file}`"),
            (None, None) => "pytest, because there are tests that are functions".to_owned(),
        });
        let mut words = vec![format!("{}{} -m pytest -q", prefix(layout), shell_word(&python.word))];
        let (options, reason) = self.options(python);
        words.extend(options);
        why.extend(reason);
        words.push("--junitxml={out}/junit.xml".to_owned());
        // Without patterns of the project, pytest itself does not look into a `tests.py`.
        let has_patterns = self.pytest.as_ref().is_some_and(|pytest| !pytest.python_files.is_empty());
        let is_found = |file: &&TestFile| has_patterns || names::base(&file.path) != "tests.py";
        let files: Vec<&TestFile> = self.files.iter().filter(is_found).collect();
        if self.pytest.as_ref().is_none_or(|pytest| pytest.testpaths.is_empty()) {
            words.extend(tops(&files).iter().map(|path| shell_word(path)));
        }
        let tests = files.iter().map(|file| file.functions + file.methods + file.plain_methods).sum();
        let cannot = (!python.has("pytest")).then(|| {
            format!("`{}` has no pytest: install it, then take the `#` off these lines", python.word)
        });
        TestPlan {
            runner: "pytest",
            command: words.join(" "),
            has_results: true,
            files: files.len() as u64,
            tests,
            why,
            cannot,
        }
    }

    /// Options that keep a look from leaving traces, and from needing what is not installed.
    fn options(&self, python: &Interpreter) -> (Vec<String>, Option<String>) {
        let addopts = self.pytest.as_ref().map_or("", |pytest| pytest.addopts.as_str());
        let words: Vec<&str> = addopts.split_whitespace().collect();
        let uses =
            |starts: &[&str]| words.iter().any(|word| starts.iter().any(|start| word.starts_with(start)));
        let absent: Vec<String> = PLUGINS
            .iter()
            .filter(|(module, starts)| uses(starts) && !python.has(module))
            .map(|(module, _)| (*module).to_owned())
            .collect();
        let mut options = Vec::new();
        let mut reason = None;
        if !absent.is_empty() {
            options.push("-o addopts=''".to_owned());
            let names = super::listing::named(&absent);
            reason = Some(format!("without the project's `addopts`, which need {names}, not installed here"));
        } else if uses(&["--cov"]) {
            options.push("--no-cov".to_owned());
            reason = Some("coverage is not measured: it would be written into the tree".to_owned());
        }
        let cache = ["--lf", "--ff", "--nf", "--last-failed", "--failed-first", "--new-first", "--cache"];
        let keys = self.pytest.iter().flat_map(|pytest| &pytest.keys);
        if (absent.is_empty() && uses(&cache)) || keys.into_iter().any(|key| key == "cache_dir") {
            return (options, reason);
        }
        options.insert(0, "-p no:cacheprovider".to_owned());
        (options, reason)
    }

    fn with_unittest(&self, layout: &Layout, listing: &Listing, python: &Interpreter) -> TestPlan {
        let files: Vec<&TestFile> = self.files.iter().filter(|file| file.methods > 0).collect();
        let mut folders: Vec<(&str, u64)> = Vec::new();
        for file in &files {
            let folder = names::parent(&file.path);
            match folders.iter_mut().find(|(known, _)| *known == folder) {
                Some((_, methods)) => *methods += file.methods,
                None => folders.push((folder, file.methods)),
            }
        }
        let (start, is_package) = start_folder(listing, &folders);
        let counted: Vec<&&TestFile> =
            files.iter().filter(|file| discovers(listing, start, is_package, &file.path)).collect();
        let mut why = vec!["unittest, because the tests are methods of test cases".to_owned()];
        if counted.len() < files.len() {
            let left = plural((files.len() - counted.len()) as u64, "test file");
            why.push(format!(
                "only what `{start}` leads to; {left} elsewhere would need a check of their own"
            ));
        }
        let mut words =
            vec![format!("{}{} -m unittest discover -v", prefix(layout), shell_word(&python.word))];
        if !start.is_empty() {
            words.push(format!("-s {}", shell_word(start)));
            if is_package {
                words.push("-t .".to_owned());
            }
        }
        if let Some(pattern) = pattern(&counted) {
            words.push(format!("-p '{pattern}'"));
        }
        TestPlan {
            runner: "unittest",
            command: words.join(" "),
            has_results: false,
            files: counted.len() as u64,
            tests: counted.iter().map(|file| file.methods).sum(),
            why,
            cannot: None,
        }
    }

    fn django(&self, layout: &Layout, python: &Interpreter) -> TestPlan {
        let word = shell_word(&python.word);
        TestPlan {
            runner: "unittest",
            command: format!("{}{word} manage.py test -v 2 --noinput", prefix(layout)),
            has_results: false,
            files: self.files.len() as u64,
            tests: self.files.iter().map(|file| file.methods).sum(),
            why: vec!["Django's test runner, because there is a `manage.py`".to_owned()],
            cannot: (!python.has("django")).then(|| {
                format!("`{}` has no Django: install it, then take the `#` off these lines", python.word)
            }),
        }
    }
}

/// The entries of the root under which test files stand: a folder of tests as deep as it goes, when there is one.
fn tops(files: &[&TestFile]) -> Vec<String> {
    let mut tops: Vec<String> = files
        .iter()
        .map(|file| {
            let mut parts: Vec<&str> = file.path.split('/').collect();
            let test_folder = parts.iter().position(|part| names::is_test_folder(part));
            parts.truncate(test_folder.unwrap_or(0) + 1);
            parts.join("/")
        })
        .collect();
    tops.sort();
    tops.dedup();
    let all = tops.clone();
    tops.retain(|top| !all.iter().any(|other| other != top && names::is_below(top, other)));
    tops
}

/// What stands before the interpreter, so that the code of the tree that is looked at is imported, and not a copy of the
/// project that is installed somewhere.
fn prefix(layout: &Layout) -> String {
    let roots: Vec<String> = layout
        .source_roots
        .iter()
        .filter(|root| is_speakable(root))
        .map(|root| format!("{{tree}}/{}", shell_word(root)))
        .collect();
    if roots.is_empty() {
        String::new()
    } else {
        format!("PYTHONPATH={}${{PYTHONPATH:+:$PYTHONPATH}} ", roots.join(":"))
    }
}

/// Where unittest begins to look, and whether that is a package.
fn start_folder<'p>(listing: &Listing, folders: &[(&'p str, u64)]) -> (&'p str, bool) {
    let is_package = |folder: &str| {
        let mut here = folder;
        while !here.is_empty() {
            if !listing.folder(here).is_package {
                return false;
            }
            here = names::parent(here);
        }
        !folder.is_empty()
    };
    let packages: Vec<&(&str, u64)> = folders.iter().filter(|(folder, _)| is_package(folder)).collect();
    let in_packages: u64 = packages.iter().map(|(_, methods)| methods).sum();
    let largest =
        folders.iter().filter(|(folder, _)| !is_package(folder)).max_by_key(|(_, methods)| *methods);
    match (packages.as_slice(), largest) {
        (_, Some((folder, methods))) if *methods > in_packages => (folder, false),
        ([(folder, _)], _) => (folder, true),
        // From the root, every package is found.
        ([_, ..], _) => ("", true),
        ([], largest) => (largest.map_or("", |(folder, _)| *folder), false),
    }
}

/// Whether unittest comes to a file from where it starts: through packages only.
fn discovers(listing: &Listing, start: &str, is_package: bool, path: &str) -> bool {
    if !names::is_below(path, start) {
        return false;
    }
    let mut here = names::parent(path);
    while here != start {
        if !listing.folder(here).is_package {
            return false;
        }
        here = names::parent(here);
    }
    !is_package || !here.is_empty() || start.is_empty()
}

/// The pattern of names, when unittest's own `test*.py` does not fit.
fn pattern(files: &[&&TestFile]) -> Option<&'static str> {
    let is_usual = |file: &&&TestFile| names::base(&file.path).starts_with("test");
    if files.iter().all(is_usual) {
        None
    } else if files.iter().any(is_usual) {
        Some("*test*.py")
    } else {
        Some("*_test.py")
    }
}

/// Whether a name fits a pattern in which `*` stands for anything.
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            rest.is_empty() || left.char_indices().any(|(at, _)| fits(&left[at..], rest))
        }),
    }
}

/// Counts the tests of a file line by line: functions at its top, and methods of classes at its top.
fn count(path: &str, text: &str) -> TestFile {
    let mut file = TestFile { path: path.to_owned(), ..TestFile::default() };
    let (mut in_case, mut in_plain) = (false, false);
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        if words.starts_with("import pytest") || words.starts_with("from pytest") {
            file.imports_pytest = true;
        }
        if indent == 0
            && let Some(head) = words.strip_prefix("class ")
        {
            let (name, bases) = head.split_once('(').unwrap_or((head, ""));
            in_case = bases.contains("Test");
            in_plain = !in_case && name.starts_with("Test");
            seen.clear();
        }
        let definition = words.strip_prefix("async ").unwrap_or(words).trim_start();
        let Some(name) = definition.strip_prefix("def ") else { continue };
        let name = name.split('(').next().unwrap_or_default();
        if indent == 0 {
            (in_case, in_plain) = (false, false);
        }
        // A name that is defined twice is one test.
        if !name.starts_with("test") || indent > 4 || !seen.insert((indent == 0, name.to_owned())) {
            continue;
        }
        match (indent, in_case, in_plain) {
            (0, ..) => file.functions += 1,
            (_, true, _) => file.methods += 1,
            (_, _, true) => file.plain_methods += 1,
            _ => {}
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_by_what_would_run_them() {
        let text = "import pytest\n\ndef test_a():\n    def test_inner(): pass\n\nasync def test_b(): pass\n\ndef helper(): pass\n\n\
                    class TestPlain:\n    def test_c(self): pass\n    def test_c(self): pass\n\nclass Case(unittest.TestCase):\n\
                    \x20   def test_d(self): pass\n    def setUp(self): pass\n\nclass Other:\n    def test_e(self): pass\n";
        let file = count("tests/test_x.py", text);
        assert_eq!((file.functions, file.plain_methods, file.methods), (2, 1, 1));
        assert!(file.imports_pytest);
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("test_a.py", "test_*.py"));
        assert!(fits("a_test.py", "*_test.py"));
        assert!(!fits("a_test.pyc", "*_test.py"));
        assert!(!fits("tests.py", "test_*.py"));
    }
}
