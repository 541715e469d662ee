//! The few texts of an environment that must work in two places: scripts, path files, and what activates it.
//!
//! Before the cutover an environment stands beside its place, and checks reach it through a link in their copy of the
//! project; after it, it stands in its place. Neither may be written into these texts.

use std::path::{Component, Path, PathBuf};

/// What stands in for the first line of a script: the shell finds the interpreter beside the script, by the way it was
/// called, or where a link to it leads; to Python the second and third line are one text.
fn opening(interpreter: &str, options: &str) -> String {
    format!(
        "#!/bin/sh\n'''exec' \"$(bin=\"$(dirname -- \"$0\")\"; [ -e \"$bin/../pyvenv.cfg\" ] || bin=\"$(dirname -- \
         \"$(realpath -- \"$0\")\")\"; printf %s \"$bin\")/{interpreter}\"{options} \"$0\" \"$@\"\n' '''\n"
    )
}

/// A script whose interpreter is the Python of the environment at `built`, as one that finds that beside itself; `None`
/// when it is no such script.
pub(super) fn beside_itself(text: &[u8], built: &Path) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (first, rest) = text.split_once('\n')?;
    let (command, rest) = match first.strip_prefix("#!")?.trim() {
        // What installers write where the path is too long for a first line, or has a space in it.
        "/bin/sh" => {
            let (second, rest) = rest.split_once('\n')?;
            let command = second.strip_prefix("'''exec' ")?.strip_suffix(" \"$0\" \"$@\"")?;
            (command, rest.strip_prefix("' '''\n")?)
        }
        command => (command, rest),
    };
    let folder = format!("{}/", built.join("bin").display());
    let command = command.replace(['"', '\''], "");
    let called = command.strip_prefix(&folder)?;
    let (interpreter, options) = called.split_once(' ').unwrap_or((called, ""));
    let is_python = ["python", "pypy"].iter().any(|name| interpreter.starts_with(name));
    let is_plain =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._= ".contains(&byte));
    if !is_python || !is_plain(interpreter) || !is_plain(options) {
        return None;
    }
    let options = if options.trim().is_empty() { String::new() } else { format!(" {}", options.trim()) };
    Some(format!("{}{rest}", opening(interpreter, &options)).into_bytes())
}

/// A path file (`*.pth`) whose lines into the tree are found from where the environment stands: what is installed from the
/// tree itself is found in the tree that the environment is reached in.
pub(super) fn path_file(text: &[u8], tree: &Path, live: &Path) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
    let lines = text.split_inclusive('\n').map(|line| {
        let path = Path::new(line.trim());
        let Ok(inside) = path.strip_prefix(tree) else { return line.to_owned() };
        let Some(parts) = literals(inside) else { return line.to_owned() };
        let root = live.components().fold("sys.prefix".to_owned(), |at, _| format!("os.path.dirname({at})"));
        let joined = std::iter::once(root).chain(parts).collect::<Vec<_>>().join(", ");
        format!("import os, sys; sys.path.append(os.path.join({joined}))\n")
    });
    lines.collect::<String>().into_bytes()
}

/// The parts of a path as texts of Python, where that needs no thought.
fn literals(path: &Path) -> Option<Vec<String>> {
    let part = |part: Component<'_>| {
        let text = part.as_os_str().to_str()?;
        let is_plain = !text.contains(['\'', '\\']) && !text.chars().any(char::is_control);
        is_plain.then(|| format!("'{text}'"))
    };
    path.components().map(part).collect()
}

/// The script that a shell reads to activate the environment. A script that is read cannot ask where it stands, so it
/// takes the tree of a check (`SWITCHBACK_TREE`) where there is one, else the live place.
pub(super) fn activation(text: &[u8], built: &Path, root: &Path, live: &Path) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
    let lines = text.split_inclusive('\n').map(|line| {
        let statement = line.trim();
        let statement = statement.strip_prefix("export ").unwrap_or(statement);
        let is_it = statement
            .strip_prefix("VIRTUAL_ENV=")
            .is_some_and(|value| Path::new(value.trim_matches(['"', '\''])) == built);
        if !is_it {
            return line.to_owned();
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let (inside, whole) = (in_shell(Path::new("/"), live), in_shell(root, live));
        format!(
            "{indent}if [ -n \"${{SWITCHBACK_TREE:-}}\" ]; then VIRTUAL_ENV=\"$SWITCHBACK_TREE\"{inside}; else \
             VIRTUAL_ENV={whole}; fi; export VIRTUAL_ENV\n"
        )
    });
    lines.collect::<String>().into_bytes()
}

fn in_shell(root: &Path, live: &Path) -> String {
    let path: PathBuf = root.join(live);
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILT: &str = "/p/work/env";

    fn opened(text: &str) -> Option<String> {
        beside_itself(text.as_bytes(), Path::new(BUILT)).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn scripts_of_the_environment_find_their_interpreter_beside_themselves() {
        let body = "import sys\nsys.exit(0)\n";
        let expected = format!("{}{body}", opening("python3.11", ""));
        for first in [
            "#!/p/work/env/bin/python3.11\n".to_owned(),
            "#!/bin/sh\n'''exec' /p/work/env/bin/python3.11 \"$0\" \"$@\"\n' '''\n".to_owned(),
            "#!/bin/sh\n'''exec' \"/p/work/env/bin/python3.11\" \"$0\" \"$@\"\n' '''\n".to_owned(),
        ] {
            assert_eq!(opened(&format!("{first}{body}")), Some(expected.clone()), "{first}");
        }
        let with_options = opened("#!/p/work/env/bin/python -E -s\npass\n").unwrap();
        assert!(with_options.contains("/python\" -E -s \"$0\""), "{with_options}");
        for other in
            ["#!/usr/bin/python3\n", "#!/p/work/env/bin/node\n", "#!/bin/sh\necho\n", "import os\n", ""]
        {
            assert_eq!(opened(other), None, "{other}");
        }
        // Once opened, it is left.
        assert_eq!(opened(&expected), None);
    }

    #[test]
    fn path_files_into_the_tree_are_found_from_the_environment() {
        let text = "/p/work/tree/src\n/elsewhere\nimport site\n";
        let made = path_file(text.as_bytes(), Path::new("/p/work/tree"), Path::new("tools/.venv"));
        assert_eq!(
            String::from_utf8(made).unwrap(),
            "import os, sys; sys.path.append(os.path.join(os.path.dirname(os.path.dirname(sys.prefix)), 'src'))\n\
             /elsewhere\nimport site\n"
        );
    }

    #[test]
    fn activating_takes_the_tree_of_a_check_first() {
        let text = "deactivate () {\n}\n    export VIRTUAL_ENV=\"/p/work/env\"\nPS1=\"(env) \"\n";
        let made = activation(text.as_bytes(), Path::new(BUILT), Path::new("/it's"), Path::new(".venv"));
        assert_eq!(
            String::from_utf8(made).unwrap(),
            "deactivate () {\n}\n    if [ -n \"${SWITCHBACK_TREE:-}\" ]; then VIRTUAL_ENV=\"$SWITCHBACK_TREE\"'/.venv'; else \
             VIRTUAL_ENV='/it'\\''s/.venv'; fi; export VIRTUAL_ENV\nPS1=\"(env) \"\n"
        );
    }
}
