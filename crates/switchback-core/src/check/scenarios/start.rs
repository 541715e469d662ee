//! Whether a program failed because it never began: a command with a slip of the pen refuses every input, on both sides alike, and
//! that proves nothing about either.

use std::sync::LazyLock;

use regex::Regex;

use crate::world::Finished;

/// What shells, interpreters and loaders say when there is nothing to run. The first part has to be at the begin of a line.
const SAID: &[&str] = &[
    // dash, bash, busybox: a word of the line that is no command.
    r"(\S*/)?(sh|dash|bash|ash|zsh|ksh)(:| line| \d+:|\[)?.*(: not found|command not found|: [Pp]ermission denied|[Cc]an't open|cannot open|cannot execute).*",
    r"(\S*/)?(bash|zsh|ksh): .*: No such file or directory",
    r"env: .*: (No such file or directory|Permission denied)",
    // Python: a script or a module that is not there.
    r"(\S*/)?(python|pypy)[0-9.]*: (can't open file|can't find '__main__' module|No module named|Error while finding module).*",
    // node, java, R, perl, ruby.
    r"(Error: )?Cannot find module '.*",
    r"Error: (Unable to access jarfile|Could not find or load main class) .*",
    r"Fatal error: cannot open file '.*",
    r#"Can't open perl script ".*"#,
    r"ruby: No such file or directory -- .*",
];
/// What the last line of a traceback of Python begins with where code could not be loaded.
const NOT_LOADED: &[&str] =
    &["ModuleNotFoundError:", "ImportError:", "SyntaxError:", "IndentationError:", "TabError:"];

static COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // Whether it can be compiled is looked at by the test of this module.
    Regex::new(&format!("^({})$", SAID.join("|"))).ok()
});

/// The line that says that a program never began, where it says so.
pub(in crate::check) fn never_began(finished: &Finished) -> Option<String> {
    let text = String::from_utf8_lossy(&finished.stderr);
    let is_said = |line: &&str| COMPILED.as_ref().is_some_and(|said| said.is_match(line));
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let last = lines().next_back().filter(|line| NOT_LOADED.iter().any(|begin| line.starts_with(begin)));
    lines().find(is_said).or(last).map(without_path)
}

/// The line without the folder of the program that says it, so that what it says is not cut off.
fn without_path(line: &str) -> String {
    let (speaker, rest) = line.split_once(':').unwrap_or((line, ""));
    match speaker.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() && !rest.is_empty() => format!("{name}:{rest}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::Exit;

    fn said(stderr: &str) -> Option<String> {
        never_began(&Finished {
            exit: Exit::Code(1),
            stdout: Vec::new(),
            stderr: stderr.as_bytes().to_vec(),
            elapsed: Duration::ZERO,
            interrupted: None,
        })
    }

    #[test]
    fn what_never_began_is_told_from_what_refuses() {
        assert!(COMPILED.is_some());
        for line in [
            "/bin/sh: 1: no-such-python: not found",
            "sh: line 1: no-such-python: command not found",
            "/bin/sh: 0: cannot open run.sh: No such file",
            "sh: 0: Can't open run.sh",
            "bash: run.sh: No such file or directory",
            "/bin/sh: 1: ./run.sh: Permission denied",
            "env: ‘no-such-python’: No such file or directory",
            "python3: can't open file '/t/sim.py': [Errno 2] No such file or directory",
            "/usr/bin/python3.12: No module named sim",
            "Error: Cannot find module '/t/sim.js'",
            "Error: Unable to access jarfile sim.jar",
            "Traceback (most recent call last):\n  File \"sim.py\", line 1, in <module>\nModuleNotFoundError: No module named 'x'",
            "  File \"sim.py\", line 3\nSyntaxError: invalid syntax",
        ] {
            assert!(said(line).is_some(), "{line}");
        }
        for line in [
            "",
            "config/gone.json: not found",
            "FileNotFoundError: [Errno 2] No such file or directory: 'config/gone.json'",
            "sim.py: error: argument --years: invalid int value: 'much'",
            "shares: 1: employee 7 not found in the plan",
            "the module was not loaded: ImportError: x\ngrowth must be between 0 and 1",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
