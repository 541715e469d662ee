//! `[environment]`: what names the environment, and the dependency environments that go live with the tree.

use std::path::{Path, PathBuf};

use super::Managed;
use super::fields::{Fields, shown};
use super::finding::Findings;
use super::key::{Key, Shape};
use super::paths::{relative, reserved};

const TIMEOUT_S: u64 = 3_600;

/// A dependency environment that is built beside the tree and exchanged with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies {
    /// The line of shell that builds it in the folder `{env}`.
    pub build: String,
    /// Where it is live, relative to the root; apart from managed paths and other environments.
    pub path: PathBuf,
    /// The files that it is built from, relative to the root; it is built anew when one of them changes. None named:
    /// for each candidate.
    pub requirements: Vec<PathBuf>,
    /// Absolute paths outside the project that the command may write to.
    pub writes: Vec<PathBuf>,
    /// The building is given up after this long.
    pub timeout_s: u64,
}

impl Dependencies {
    /// The requirement files that name versions in pip's format; what is installed is held against them. Others, such as
    /// a lock file, only say when the environment is built anew.
    pub fn versioned(&self) -> impl Iterator<Item = &PathBuf> {
        let is_of_pip = |path: &&PathBuf| {
            path.extension().is_some_and(|extension| extension == "txt" || extension == "in")
        };
        self.requirements.iter().filter(is_of_pip)
    }
}

/// The keys of `[environment]`.
pub(super) const ENVIRONMENT: &[Key] = &[
    Key::optional("select", Shape::Text, "the environment variable that names the environment"),
    Key::optional(
        "dependencies",
        Shape::Tables(DEPENDENCIES),
        "dependency environments that are built beside the tree and go live with it",
    ),
];

/// The keys of `[[environment.dependencies]]`.
const DEPENDENCIES: &[Key] = &[
    Key::required(
        "build",
        Shape::Text,
        "a line of shell that builds the environment in the folder `{env}`; it runs in a copy of the project that has the \
         candidate",
    ),
    Key::required("path", Shape::Text, "where the environment is live, e.g. `.venv`"),
    Key::optional(
        "requirements",
        Shape::Texts,
        "the files that it is built from: it is built anew when one changes, and what is installed is held against them",
    ),
    Key::optional(
        "writes",
        Shape::Texts,
        "absolute paths outside the project that the command may write to as well: a cache",
    ),
    Key::optional(
        "timeout_s",
        Shape::Whole,
        "the building is given up after this many seconds; 3600 when left out",
    ),
];

/// Reads the dependency environments; `managed` and `linked` are the paths that they must lie apart from.
pub(super) fn read<'a>(
    environment: &Fields<'a>,
    managed: &[Managed],
    linked: &[PathBuf],
    findings: &'a Findings<'a>,
) -> Vec<Dependencies> {
    let mut found: Vec<Dependencies> = Vec::new();
    for (offset, table) in environment.tables("dependencies") {
        let fields = Fields::new(table, offset, "`[[environment.dependencies]]`", DEPENDENCIES, findings);
        let (build, path) = (read_build(&fields), read_path(&fields));
        let requirements = read_requirements(&fields);
        let writes = read_writes(&fields);
        let timeout_s = fields.whole("timeout_s").unwrap_or(TIMEOUT_S);
        if timeout_s == 0 {
            fields.find("timeout_s", "`timeout_s` cannot be 0", "give the building at least one second");
        }
        let (Some(build), Some(path)) = (build, path) else { continue };
        let others = managed.iter().map(|managed| (managed.path.as_path(), "managed"));
        let others = others.chain(linked.iter().map(|linked| (linked.as_path(), "linked")));
        let others = others.chain(found.iter().map(|one| (one.path.as_path(), "another environment")));
        for (other, what) in others {
            look_for_overlap(&fields, &path, other, what);
        }
        for file in requirements.iter().filter(|file| file.starts_with(&path)) {
            let message = format!("`{}` lies in the environment that is built from it", file.display());
            fields.find("requirements", message, "keep it with the tree");
        }
        found.push(Dependencies { build, path, requirements, writes, timeout_s });
    }
    found
}

fn read_build(fields: &Fields<'_>) -> Option<String> {
    let line = fields.filled_text("build")?;
    if !line.contains("{env}") {
        fields.find(
            "build",
            "`build` does not name `{env}`, the folder that it builds in",
            "e.g. `python3 -m venv {env} && {env}/bin/pip install -r requirements.txt`",
        );
        return None;
    }
    Some(line)
}

fn read_path(fields: &Fields<'_>) -> Option<PathBuf> {
    let text = fields.filled_text("path")?;
    let path = relative(&text, fields.offset_of("path"), "the environment", fields.findings())?;
    if let Some((folder, why)) = reserved(&path) {
        let message = format!("the environment `{}` is in `{folder}`: {why}", shown(&text));
        fields.find("path", message, "e.g. `.venv`");
        return None;
    }
    Some(path)
}

fn read_requirements(fields: &Fields<'_>) -> Vec<PathBuf> {
    if fields.is_empty_list("requirements") {
        fields.find("requirements", "`requirements` is empty", "name a file, or take it out");
    }
    let texts = fields.placed_texts("requirements").unwrap_or_default();
    let read = |(offset, text): &(usize, String)| {
        relative(text, *offset, "the path in `requirements`", fields.findings())
    };
    texts.iter().filter_map(read).collect()
}

fn read_writes(fields: &Fields<'_>) -> Vec<PathBuf> {
    let writes: Vec<PathBuf> =
        fields.texts("writes").unwrap_or_default().into_iter().map(PathBuf::from).collect();
    if writes.iter().any(|path| !path.is_absolute()) {
        fields.find(
            "writes",
            "`writes` names a path that is not absolute",
            "e.g. `writes = [\"/var/cache/pip\"]`",
        );
    }
    writes
}

fn look_for_overlap(fields: &Fields<'_>, path: &Path, other: &Path, what: &str) {
    if !path.starts_with(other) && !other.starts_with(path) {
        return;
    }
    let (path, other) = (path.display(), other.display());
    let (message, help) = match what {
        "managed" => (
            format!("the environment `{path}` and the managed path `{other}` overlap"),
            "an environment is rebuilt, not managed: take it out of one of both",
        ),
        "linked" => (
            format!("`linked` names `{other}`, and the environment `{path}` is linked by itself"),
            "take it out of `linked`",
        ),
        _ => (
            format!("the environments `{other}` and `{path}` overlap"),
            "give each environment a path of its own",
        ),
    };
    fields.find("path", message, help);
}
