//! The checks that a project's own facts allow, each as lines of a plan with their ground.

use super::Facts;
use super::layout::{Role, plural};
use super::listing::{Listing, named};
use super::names;
use super::quote::{pattern, shell_word, toml_list, toml_text};
use super::suite::TestPlan;

/// So many files that do not compile are left out one by one; beyond, their folders are.
const EXCLUDED_MAX: usize = 20;
/// So many paths are looked for.
const EXIST_MAX: usize = 20;
const MOMENTS: &str = "at = [\"before\", \"staged\", \"live\"]";

/// A check as it is written into the plan.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// What it looks at, in a few words.
    pub(super) what: String,
    /// Sentences before it.
    pub(super) why: Vec<String>,
    /// What keeps it from saying yes today.
    pub(super) warnings: Vec<String>,
    pub(super) lines: Vec<String>,
    /// Whether it is carried out, or only written as a comment.
    pub(super) is_active: bool,
    /// How much it proves, beside the others.
    pub(super) weight: u8,
}

/// All checks, in the order in which they are carried out: quick ones first.
pub(super) fn all(facts: &Facts, candidate: Option<&Listing>) -> Vec<Written> {
    let is_coming = |path: &str| candidate.is_none_or(|listing| listing.has(path));
    let mut checks = vec![files(facts, &is_coming)];
    checks.extend(compile(facts, candidate, &is_coming));
    checks.extend(facts.tests.as_ref().map(|tests| suite(facts, tests)));
    checks
}

fn heading(name: &str, kind: &str) -> Vec<String> {
    vec!["[[check]]".to_owned(), format!("name = {}", toml_text(name)), format!("kind = {}", toml_text(kind))]
}

fn files(facts: &Facts, is_coming: &dyn Fn(&str) -> bool) -> Written {
    let settings = |role| matches!(role, Role::Configuration | Role::Dependencies);
    let mut paths: Vec<String> = Vec::new();
    for item in facts.layout.managed.iter().filter(|item| settings(item.role)) {
        let below = facts.listing.below(&item.path).map(|file| file.path.clone());
        paths.extend(below.filter(|path| is_coming(path)));
    }
    let mut why = "What the project is set up by must be there";
    if paths.is_empty() {
        why = "What is managed must be there";
        let here = facts.layout.managed.iter().map(|item| item.path.clone());
        paths.extend(here.filter(|path| facts.listing.has(path) && is_coming(path)));
    }
    if paths.is_empty() {
        // Old and new have nothing in common: then there is only what will be.
        paths
            .extend(facts.layout.managed.iter().map(|item| item.path.clone()).filter(|path| is_coming(path)));
    }
    let more = paths.len().saturating_sub(EXIST_MAX);
    paths.truncate(EXIST_MAX);
    let why = if more > 0 {
        format!("{why}: the first {EXIST_MAX} of {}.", EXIST_MAX + more)
    } else {
        format!("{why}.")
    };
    let mut lines = heading("files", "files");
    lines.push(format!("exist = {}", toml_list(paths.iter().map(String::as_str))));
    lines.push(MOMENTS.to_owned());
    let what = plural(paths.len() as u64, "path") + " must exist";
    Written {
        name: "files",
        kind: "files",
        what,
        why: vec![why],
        warnings: Vec::new(),
        lines,
        is_active: true,
        weight: 0,
    }
}

/// The managed paths with Python code.
fn python(facts: &Facts) -> impl Iterator<Item = &str> {
    let is_python = |path: &&str| names::module(path).is_some() || facts.listing.folder(path).python > 0;
    facts.layout.managed.iter().map(|item| item.path.as_str()).filter(is_python)
}

/// Whether a command of a plan can name the path: there, these words stand for folders.
fn can_be_said(path: &str) -> bool {
    !path.contains("{out}") && !path.contains("{tree}")
}

/// A note on the code that no check compiles, because no command can name it.
pub(super) fn not_compiled(facts: &Facts) -> Option<String> {
    let left: Vec<String> = python(facts).filter(|path| !can_be_said(path)).map(str::to_owned).collect();
    (!left.is_empty()).then(|| {
        let names = named(&left);
        format!("not compiled by any check, because `{{out}}` and `{{tree}}` stand for folders in a command: {names}")
    })
}

fn compile(facts: &Facts, candidate: Option<&Listing>, is_coming: &dyn Fn(&str) -> bool) -> Option<Written> {
    let is_in_both = |path: &str| facts.listing.has(path) && is_coming(path);
    let paths: Vec<String> =
        python(facts).filter(|path| is_in_both(path) && can_be_said(path)).map(shell_word).collect();
    if paths.is_empty() {
        return None;
    }
    // What only one of both trees has, as when a package is renamed, is compiled where it is.
    let is_code = |path: &str| {
        names::module(path).is_some()
            || facts.listing.folder(path).python > 0
            || candidate.is_some_and(|listing| listing.folder(path).python > 0)
    };
    let managed = facts.layout.managed.iter().map(|item| item.path.as_str());
    let either: Vec<String> = managed
        .filter(|path| is_code(path) && !is_in_both(path) && can_be_said(path))
        .map(shell_word)
        .collect();
    let written = |why, command: String, is_active| {
        let mut lines = heading("compile", "command");
        lines.push(format!("command = {}", toml_text(&command)));
        lines.push(MOMENTS.to_owned());
        let named = paths.iter().chain(&either).map(String::as_str).collect::<Vec<_>>();
        let what = format!("Python code compiles: {}", named.join(" "));
        Written {
            name: "compile",
            kind: "command",
            what,
            why,
            warnings: Vec::new(),
            lines,
            is_active,
            weight: 1,
        }
    };
    // Bytecode goes into the check's own folder: the tree stays as it is.
    let command = |python: &str, options: &str| {
        let python = shell_word(python);
        let compile = format!("{python} -m compileall -q{options} {}", paths.join(" "));
        if either.is_empty() {
            return format!("PYTHONPYCACHEPREFIX={{out}} {compile}");
        }
        let there = format!("find {} -maxdepth 0 -print0 2>/dev/null", either.join(" "));
        format!("{there} | PYTHONPYCACHEPREFIX={{out}} xargs -0 {compile}")
    };
    let Some(python) = &facts.python else {
        let why =
            format!("All Python code compiles. Not active: no Python runs here ({}).", facts.python_problem);
        return Some(written(vec![why], command("python3", ""), false));
    };
    let answer = &python.answer;
    let files = plural(answer.tried, "file");
    let mut why = vec![format!(
        "All Python code compiles, tried with Python {} (`{}`, {}): {} of {files} do.",
        answer.version,
        python.word,
        python.why,
        answer.tried.saturating_sub(answer.bad.len() as u64)
    )];
    if !answer.complete {
        why.push("There are more files than could be tried; should one of them not compile, leave it out with `-x`.".to_owned());
    }
    if answer.bad.is_empty() {
        return Some(written(why, command(&python.word, ""), true));
    }
    let Some(expression) = exclusion(&answer.bad) else {
        why.push(format!("Not active: too many do not compile today, e.g. {}.", named(&answer.bad)));
        return Some(written(why, command(&python.word, ""), false));
    };
    why.push(format!("These do not compile today, and are left out: {}.", named(&answer.bad)));
    let options = format!(" -x {}", shell_word(&expression));
    Some(written(why, command(&python.word, &options), true))
}

/// A pattern that finds just these files, or, when there are many, all in their folders.
fn exclusion(bad: &[String]) -> Option<String> {
    let can_be_said = |path: &String| {
        !path.contains("{out}") && !path.contains("{tree}") && !path.contains(char::is_control)
    };
    if !bad.iter().all(can_be_said) {
        return None;
    }
    let expression = |texts: Vec<String>, end: &str| format!("^({}){end}", texts.join("|"));
    if bad.len() <= EXCLUDED_MAX {
        return Some(expression(bad.iter().map(|path| pattern(path)).collect(), "$"));
    }
    let mut folders: Vec<&str> = bad.iter().map(|path| names::parent(path)).collect();
    folders.sort_unstable();
    folders.dedup();
    if folders.len() > EXCLUDED_MAX || folders.contains(&"") {
        return None;
    }
    Some(expression(folders.into_iter().map(pattern).collect(), "/"))
}

fn suite(facts: &Facts, tests: &TestPlan) -> Written {
    let (why, warnings) = grounds(facts, tests);
    let mut lines = heading("tests", "tests");
    lines.push(format!("command = {}", toml_text(&tests.command)));
    if tests.has_results {
        lines.push("results = \"{out}/junit.xml\"".to_owned());
    } else {
        lines.push(format!("runner = {}", toml_text(tests.runner)));
    }
    let counted = format!("{} in {}", plural(tests.tests, "test"), plural(tests.files, "file"));
    lines.push(format!(
        "minimum = {} # half of the {counted} that were counted in the source; skipped ones do not count as run",
        tests.minimum()
    ));
    lines.push(MOMENTS.to_owned());
    let is_active = tests.cannot.is_none();
    if is_active {
        lines
            .push("#known_failures = true # when some fail already today: they may go on failing".to_owned());
    }
    let what = format!("{}: {counted}, at least {} must run", tests.runner, tests.minimum());
    Written { name: "tests", kind: "tests", what, why, warnings, lines, is_active, weight: 2 }
}

/// Why the tests are run as they are, and what keeps them from passing today.
fn grounds(facts: &Facts, tests: &TestPlan) -> (Vec<String>, Vec<String>) {
    let (mut why, mut warnings) = (Vec::new(), Vec::new());
    why.push(format!("The project's own tests: {}.", tests.why.join("; ")));
    if tests.command.starts_with("PYTHONPATH=") {
        why.push(
            "PYTHONPATH makes them import the tree that is looked at, also where the project itself is installed."
                .to_owned(),
        );
    }
    if let Some(python) = &facts.python {
        let names: Vec<String> = python.answer.missing.keys().cloned().collect();
        if !names.is_empty() {
            let words = format!("`{}` cannot import {} today", python.word, named(&names));
            why.push(format!("{words}: install what the tests need, or they will fail."));
            warnings.push(format!("{words}: the tests that need it will fail until it is installed"));
        }
        if facts.is_distribution && !python.answer.installed {
            why.push(
                "The project itself is not installed in that Python: tests that need its metadata or entry points will \
                 fail."
                    .to_owned(),
            );
        }
    }
    if let Some(cannot) = &tests.cannot {
        why.push(format!("Not active: {cannot}."));
        warnings.push(format!("the tests are not among the checks that are carried out: {cannot}"));
    }
    (why, warnings)
}
