//! What a coverage report says: which lines and which branches of which files were run.
//!
//! [`read`] tells Cobertura XML and coverage.py's JSON apart by their content; [`Coverage::of`] adds up what lies below a path.
//! Lines and branches are two measures and are never added to each other.

mod cobertura;
mod coverage_py;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::pattern;

/// The largest report that is read, in bytes.
pub const REPORT_BYTES_MAX: u64 = 256 << 20;
/// The most files that one report may hold.
const FILES_MAX: usize = 200_000;

/// Some of many: lines, or branches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that were run.
    pub covered: u64,
    /// All of them.
    pub all: u64,
}

impl Share {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { covered: self.covered.saturating_add(other.covered), all: self.all.saturating_add(other.all) }
    }

    /// Whether it reaches so many millionths of a percent.
    pub fn reaches(self, percent_millionths: u64) -> bool {
        u128::from(self.covered) * 100_000_000 >= u128::from(percent_millionths) * u128::from(self.all)
    }

    /// Whether it is a smaller part than another one. Exact: nothing is rounded.
    pub fn is_below(self, other: Self) -> bool {
        u128::from(self.covered) * u128::from(other.all) < u128::from(other.covered) * u128::from(self.all)
    }

    /// `85.7 % (12 of 14)`. Rounded down, so that what is short of a bound never looks as if it reached it.
    pub fn told(self) -> String {
        if self.all == 0 {
            return "nothing".to_owned();
        }
        let tenths = u128::from(self.covered) * 1_000 / u128::from(self.all);
        format!("{}.{} % ({} of {})", tenths / 10, tenths % 10, self.covered, self.all)
    }
}

/// What was run of one file, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Covered {
    /// Its lines that can be run.
    pub lines: Share,
    /// The ways that its conditions can go.
    pub branches: Share,
}

impl Covered {
    fn plus(self, other: Self) -> Self {
        Self { lines: self.lines.plus(other.lines), branches: self.branches.plus(other.branches) }
    }
}

/// What a report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By path: relative to the tree where the file lies in it, else as the report has it.
    pub files: BTreeMap<String, Covered>,
    /// The tool that wrote it, as far as it says so.
    pub tool: String,
}

impl Coverage {
    /// All of it.
    pub fn total(&self) -> Covered {
        self.files.values().copied().fold(Covered::default(), Covered::plus)
    }

    /// What lies at or below a path, or fits a pattern; `None` when no file of the report does.
    pub fn of(&self, wanted: &str) -> Option<Covered> {
        let found = self.files.iter().filter(|(path, _)| is_meant(wanted, path)).map(|(_, covered)| *covered);
        found.reduce(Covered::plus)
    }

    fn add(&mut self, path: String, covered: Covered) -> Result<(), String> {
        if self.files.len() >= FILES_MAX {
            return Err(format!("it names more than {FILES_MAX} files"));
        }
        let entry = self.files.entry(path).or_default();
        *entry = entry.plus(covered);
        Ok(())
    }
}

/// Whether a path or pattern of the plan means a file: the file itself, a folder above it, or a pattern that fits.
fn is_meant(wanted: &str, path: &str) -> bool {
    let wanted = wanted.trim_end_matches('/');
    if wanted.contains(['*', '?']) {
        return pattern::fits(wanted, path);
    }
    path == wanted || path.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
}

/// Reads a report. `tree`: where the tests ran; `is_file` says whether there is a file at a path below it.
///
/// # Errors
///
/// What is wrong with it: nothing is read from a damaged report.
pub fn read(text: &str, tree: &Path, is_file: &dyn Fn(&Path) -> bool) -> Result<Coverage, String> {
    let text = text.trim_start_matches('\u{feff}');
    let place = Place { tree, is_file };
    if text.trim_start().starts_with('{') {
        coverage_py::read(text, &place)
    } else {
        cobertura::read(text, &place)
    }
}

/// Where the files of a report are.
struct Place<'a> {
    tree: &'a Path,
    is_file: &'a dyn Fn(&Path) -> bool,
}

impl Place<'_> {
    /// The name of a file: relative to the tree where it lies in it. `sources`: the folders that the report's names may be
    /// relative to.
    fn name(&self, written: &str, sources: &[String]) -> String {
        let written = written.replace('\\', "/");
        if Path::new(&written).is_absolute() {
            return self.inside(Path::new(&written)).unwrap_or(written);
        }
        let within = sources.iter().filter_map(|source| self.inside(&Path::new(source).join(&written)));
        let mut within = within.filter(|path| (self.is_file)(Path::new(path)));
        within.next().or_else(|| plain(Path::new(&written))).unwrap_or(written)
    }

    fn inside(&self, path: &Path) -> Option<String> {
        let path = if path.is_absolute() { path.strip_prefix(self.tree).ok()? } else { path };
        plain(path)
    }
}

/// A relative path without `.` and `..`, as text; `None` for one that leads out.
fn plain(path: &Path) -> Option<String> {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !parts.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.to_string_lossy().into_owned())
}
