//! Which findings are new: each is told by its rule and by what stands around its place, never by the number of its line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Finding, place};
use crate::world::{Disk, FileKind};

/// A larger file is not looked into.
const SOURCE_BYTES_MAX: u64 = 16 << 20;

/// What stands around a place, without the white space at the ends of lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The nearest line before it that says something.
    pub before: String,
    /// The line itself.
    pub line: String,
    /// The nearest line after it that says something.
    pub after: String,
}

/// A finding, and what stands around it where that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The finding.
    pub finding: Finding,
    /// Nothing, where the file lies outside of the tree, or the tool names no line of it.
    pub context: Option<Context>,
}

impl Placed {
    /// The findings with what stands around them in `tree`. Each file is read once.
    pub fn all(findings: Vec<Finding>, disk: &dyn Disk, tree: &Path) -> Vec<Self> {
        let mut files: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
        let mut placed = Vec::with_capacity(findings.len());
        for finding in findings {
            let lines = files.entry(finding.path.clone()).or_insert_with(|| {
                if place::is_inside(&finding.path) { lines(disk, &tree.join(&finding.path)) } else { None }
            });
            let context = lines.as_ref().and_then(|lines| context(lines, finding.line));
            placed.push(Self { finding, context });
        }
        placed
    }
}

/// The lines of a file; nothing when it is none, is too large, or cannot be read.
pub(super) fn lines(disk: &dyn Disk, path: &Path) -> Option<Vec<String>> {
    let meta = disk.look(path).ok()??;
    if meta.kind != FileKind::File || meta.size > SOURCE_BYTES_MAX {
        return None;
    }
    let bytes = disk.read(path, SOURCE_BYTES_MAX).ok()?;
    Some(String::from_utf8_lossy(&bytes).lines().map(|line| line.trim().to_owned()).collect())
}

fn context(lines: &[String], line: u64) -> Option<Context> {
    let at = usize::try_from(line.checked_sub(1)?).ok()?;
    let here = lines.get(at)?;
    let is_filled = |line: &&String| !line.is_empty();
    Some(Context {
        before: lines[..at].iter().rfind(is_filled).cloned().unwrap_or_default(),
        line: here.clone(),
        after: lines[at + 1..].iter().find(is_filled).cloned().unwrap_or_default(),
    })
}

/// What became of the findings of one tree in another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Those that were not there, in the order in which they came.
    pub new: Vec<Finding>,
    /// How many were there and are no more.
    pub gone: u64,
    /// How many were there and still are.
    pub kept: u64,
}

/// How a finding is told from others: the first way that finds a partner decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By what the tool itself tells it by.
    Fingerprints,
    /// By the line and both its neighbours.
    Surroundings,
    /// By the line and the one before it: what follows was edited.
    LineAndBefore,
    /// By the line and the one after it.
    LineAndAfter,
    /// By the line alone, where it says enough to be told from others.
    Line,
    /// By both neighbours: the line itself was edited, as an import is that a move rewrites.
    Neighbours,
    /// By line and neighbours in whatever file: the code went there.
    Anywhere,
    /// By the message, where there is no line to look at.
    Message,
}

const WAYS: [Way; 8] = [
    Way::Fingerprints,
    Way::Surroundings,
    Way::LineAndBefore,
    Way::LineAndAfter,
    Way::Neighbours,
    Way::Line,
    Way::Anywhere,
    Way::Message,
];

/// Tells new findings from those that were there. `moved`: the old names of files that have another name now.
pub fn compare(old: &[Placed], new: &[Placed], moved: &BTreeMap<String, String>) -> Compared {
    let none = BTreeMap::new();
    // Where a tool gives fingerprints in both reports, they are what tells its findings apart.
    let printed: BTreeSet<&str> = old
        .iter()
        .filter(|one| !one.finding.fingerprints.is_empty())
        .map(|one| one.finding.tool.as_str())
        .collect();
    let mut open_old: Vec<usize> = (0..old.len()).collect();
    let mut open_new: Vec<usize> = (0..new.len()).collect();
    for way in WAYS {
        let mut partners: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        // The last is taken first, so that partners come in the order of the file.
        for at in open_old.iter().rev() {
            if let Some(key) = key(way, &old[*at], &none, &printed) {
                partners.entry(key).or_default().push(*at);
            }
        }
        let mut met = BTreeSet::new();
        open_new.retain(|at| {
            let key = key(way, &new[*at], moved, &printed);
            let partner = key.and_then(|key| partners.get_mut(&key)?.pop());
            met.extend(partner);
            partner.is_none()
        });
        open_old.retain(|at| !met.contains(at));
    }
    Compared {
        kept: (new.len() - open_new.len()) as u64,
        gone: open_old.len() as u64,
        new: open_new.into_iter().map(|at| new[at].finding.clone()).collect(),
    }
}

/// What two findings must have in common to be the same in this way; `None` where the way does not lead to this one.
fn key<'a>(
    way: Way,
    placed: &'a Placed,
    moved: &'a BTreeMap<String, String>,
    printed: &BTreeSet<&str>,
) -> Option<Vec<&'a str>> {
    let finding = &placed.finding;
    let path = moved.get(&finding.path).unwrap_or(&finding.path).as_str();
    let is_printed = !finding.fingerprints.is_empty() && printed.contains(finding.tool.as_str());
    let mut key = vec![finding.tool.as_str(), finding.rule.as_str()];
    if way != Way::Anywhere {
        key.push(path);
    }
    let context = placed.context.as_ref();
    match way {
        Way::Fingerprints => {
            is_printed.then_some(())?;
            key.extend(finding.fingerprints.iter().flat_map(|(name, print)| [name.as_str(), print.as_str()]));
        }
        Way::Surroundings => {
            let context = context?;
            key.extend([context.before.as_str(), context.line.as_str(), context.after.as_str()]);
        }
        Way::LineAndBefore => {
            let context = context.filter(|context| !is_printed && says(&context.before, 4))?;
            key.extend([context.before.as_str(), context.line.as_str()]);
        }
        Way::LineAndAfter => {
            let context = context.filter(|context| !is_printed && says(&context.after, 4))?;
            key.extend([context.line.as_str(), context.after.as_str()]);
        }
        Way::Neighbours => {
            let context = context.filter(|context| !is_printed && is_among_words(context))?;
            key.extend([context.before.as_str(), context.after.as_str()]);
        }
        Way::Line => {
            let context = context.filter(|context| !is_printed && says(&context.line, 8))?;
            key.push(context.line.as_str());
        }
        Way::Anywhere => {
            let context = context.filter(|context| !is_printed && is_among_words(context))?;
            key.extend([context.before.as_str(), context.line.as_str(), context.after.as_str()]);
        }
        Way::Message => {
            (context.is_none() && !is_printed).then_some(())?;
            key.push(finding.message.as_str());
        }
    }
    Some(key)
}

/// Whether both neighbours say more than that a block begins or ends.
fn is_among_words(context: &Context) -> bool {
    says(&context.before, 4) && says(&context.after, 4)
}

/// Whether a line has so many letters and digits.
fn says(line: &str, letters: usize) -> bool {
    line.chars().filter(|letter| letter.is_alphanumeric()).count() >= letters
}
