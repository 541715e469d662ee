//! A program that merges files, called the way git calls its merge drivers.

use std::path::Path;
use std::time::Duration;

use switchback_core::tree::copy::{make_directories, remove_tree};
use switchback_core::world::{Command, DiskError, Exit, ProcessError, World};

use super::glob::Glob;
use super::rules::Driver;
use crate::tree::PYTHON_BYTES_MAX;

/// How long a driver may take for one file.
const TIMEOUT: Duration = Duration::from_mins(10);
/// Exit codes beyond this are failures, not conflicts, as in git.
const CONFLICT_CODE_MAX: i32 = 128;
/// How long markers are.
const MARKER_LETTERS: &str = "7";

/// What a driver came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Driven {
    /// It merged.
    Merged(Vec<u8>),
    /// It left conflicts.
    Conflicts(Vec<u8>),
    /// It failed, and how.
    Failed(String),
}

/// A driver that could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The program could not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// The driver that the rules have for a path.
pub(super) fn for_path<'a>(drivers: &'a [Driver], path: &str) -> Option<&'a Driver> {
    let leaf = path.rsplit('/').next().unwrap_or(path);
    drivers.iter().find(|driver| {
        // As in git's attributes, a pattern without a slash means the name of the file.
        let means = if driver.files.contains('/') { path } else { leaf };
        Glob::new(&driver.files).captures(means).is_some()
    })
}

/// Runs a driver on three texts; it works in `folder`, which is made and removed.
pub(super) fn run(
    world: &World,
    driver: &Driver,
    path: &str,
    folder: &Path,
    texts: super::python::Texts<'_>,
) -> Result<Driven, DriverError> {
    let disk = world.disk.as_ref();
    let parent = folder.parent().unwrap_or(folder);
    make_directories(disk, parent, folder)?;
    let end = path.rsplit('/').next().unwrap_or(path);
    let place = |side: &str| folder.join(format!("{side}.{end}"));
    let (ancestor, ours, theirs) = (place("base"), place("target"), place("source"));
    for (place, text) in
        [(&ancestor, texts.base.unwrap_or_default()), (&ours, texts.target), (&theirs, texts.source)]
    {
        disk.write_new(place, 0o600, &mut &*text)?;
    }
    let line = filled(&driver.command, |letter| match letter {
        'O' => Some(quoted(&ancestor.display().to_string())),
        'A' => Some(quoted(&ours.display().to_string())),
        'B' => Some(quoted(&theirs.display().to_string())),
        'P' => Some(quoted(path)),
        'L' => Some(MARKER_LETTERS.to_owned()),
        '%' => Some("%".to_owned()),
        _ => None,
    });
    let finished = world.processes.run(&Command::shell(&line, folder, TIMEOUT))?;
    let driven = match finished.exit {
        Exit::Code(0) => Driven::Merged(disk.read(&ours, PYTHON_BYTES_MAX)?),
        Exit::Code(code) if code <= CONFLICT_CODE_MAX => {
            Driven::Conflicts(disk.read(&ours, PYTHON_BYTES_MAX)?)
        }
        _ => {
            let said = finished.last_line().map(|line| format!(": {line}")).unwrap_or_default();
            Driven::Failed(format!("`{}` ended with {}{said}", driver.command, finished.ending()))
        }
    };
    remove_tree(disk, folder)?;
    Ok(driven)
}

fn filled(command: &str, value: impl Fn(char) -> Option<String>) -> String {
    let mut line = String::new();
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            line.push(letter);
            continue;
        }
        match letters.next() {
            Some(named) => match value(named) {
                Some(value) => line.push_str(&value),
                None => line.extend(['%', named]),
            },
            None => line.push('%'),
        }
    }
    line
}

/// A word for the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_quote_is_one_word_and_what_is_unknown_stays() {
        let value = |letter| (letter == 'A').then(|| quoted("it's"));
        assert_eq!(filled("m %A %x 100%", value), "m 'it'\\''s' %x 100%");
    }

    #[test]
    fn a_pattern_without_a_slash_means_names() {
        let drivers = [Driver { files: "*.po".into(), command: "m".into() }];
        assert!(for_path(&drivers, "a/b/x.po").is_some());
        assert!(for_path(&drivers, "a/b/x.py").is_none());
    }
}
