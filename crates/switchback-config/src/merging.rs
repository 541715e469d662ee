//! `config merge`: fragments → one master and a minimal override for each environment, with the proof that each environment gets
//! from them what it got from the fragments.

mod decided;
pub(crate) mod document;
mod proof;
mod told;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use decided::Met;
pub use proof::EnvironmentProof;
use switchback_core::tree::rewrite::Put;
use switchback_core::verdict::Verdict;
use switchback_core::world::{FileKind, World};

use crate::consolidate::{Consolidated, consolidate};
use crate::error::ConfigError;
use crate::gather::{Fragment, Gathered, NOTHING_DIFFERS, gather};
use crate::layers::{Meeting, Order, overlay};
use crate::layout::Layout;
use crate::path::KeyPath;
use crate::placeholder::Syntax;
use crate::read::{FILE_BYTES_MAX, Format};
use crate::secrets::{SecretFinding, Variables, replace};
use crate::unused::{Unused, unused};
use crate::value::{Node, Origin, Value};
use crate::write::write;

/// The name of the only environment where none is known.
pub const ONLY: &str = "default";

/// What is to be merged, and where to.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// The fragments, and how they layer.
    pub layout: Layout,
    /// The master, relative to the project.
    pub master: PathBuf,
    /// The overrides, relative to the project, with `{name}` for the environment.
    pub environments: String,
    /// Whether the fragments are removed.
    pub removes_fragments: bool,
}

/// A merge as it would be written; nothing was touched.
#[derive(Debug)]
pub struct ConfigMerge {
    /// What was read.
    pub gathered: Gathered,
    /// The environments.
    pub environments: Vec<String>,
    /// What two fragments say of one key: duplicates, conflicts, and what was decided.
    pub met: Vec<Met>,
    /// Keys of a common fragment that an environment's own fragment says otherwise.
    pub overridden: usize,
    /// Literal secrets, which became placeholders.
    pub secrets: Vec<SecretFinding>,
    /// What goes where.
    pub consolidated: Consolidated,
    /// Keys that no code names, where there is code.
    pub unused: Option<Unused>,
    /// For each environment.
    pub proofs: Vec<EnvironmentProof>,
    /// What is to be written, relative to the project.
    pub files: Vec<(PathBuf, String)>,
    /// Comments that stand nowhere in what is written.
    pub comments_lost: usize,
    /// The permission bits of those files that stand there already.
    standing: Vec<Option<u32>>,
    removes_fragments: bool,
    syntax: Syntax,
}

/// Works out a merge. Nothing is touched.
pub fn plan(world: &World, root: &Path, request: &MergeRequest) -> Result<ConfigMerge, ConfigError> {
    let layout = &request.layout;
    let formats = formats(request)?;
    let gathered = gather(world.disk.as_ref(), root, layout)?;
    let environments = match gathered.environments.as_slice() {
        [] => vec![ONLY.to_owned()],
        known => known.to_vec(),
    };
    let Layered { mut trees, met, overridden } = layered(&gathered, &environments, layout)?;
    let before = trees.clone();
    let mut variables = Variables::besides(&trees);
    let mut secrets: Vec<SecretFinding> = Vec::new();
    for tree in &mut trees {
        for secret in replace(tree, layout.placeholders, &mut variables) {
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
    }
    let consolidated = consolidate(&trees);
    let files = texts(request, &consolidated, &environments, formats)?;
    let proofs = proof::prove(&files, formats, &environments, &before, &secrets)?;
    let comments_lost = comments_lost(&gathered, &files);
    let standing = standing(world, root, &files, &gathered)?;
    let unused = unused(world.disk.as_ref(), root, &consolidated)?;
    Ok(ConfigMerge {
        gathered,
        environments,
        met,
        overridden,
        secrets,
        consolidated,
        unused,
        proofs,
        files,
        comments_lost,
        standing,
        removes_fragments: request.removes_fragments,
        syntax: layout.placeholders,
    })
}

/// How the master and the overrides are written, by their names.
fn formats(request: &MergeRequest) -> Result<[Format; 2], ConfigError> {
    let of = |path: &Path| {
        let format = Format::of(path, request.layout.loader)
            .filter(|format| matches!(format, Format::Yaml(_) | Format::Toml | Format::Json));
        format.ok_or_else(|| {
            let hint = "name it `.yml`, `.yaml`, `.toml` or `.json`";
            ConfigError::of(&path.to_string_lossy(), "its name says no format that can be written", hint)
        })
    };
    if !request.environments.contains("{name}") {
        let hint = "e.g. `--environments 'config/environments/{name}.yml'`";
        return Err(ConfigError::of(&request.environments, "it has no `{name}` for the environment", hint));
    }
    Ok([of(&request.master)?, of(Path::new(&request.environments))?])
}

/// What fragments come to, before anything is made of it.
#[derive(Debug)]
pub(crate) struct Layered {
    /// One tree an environment.
    pub(crate) trees: Vec<Node>,
    /// What two fragments say of one key.
    pub(crate) met: Vec<Met>,
    /// Keys of a common fragment that an environment's own fragment says otherwise.
    pub(crate) overridden: usize,
}

/// The tree of each environment as the fragments layer and the decisions have it. Decisions hold among the fragments of one level:
/// an environment's own value is never decided away.
pub(crate) fn layered(
    gathered: &Gathered,
    environments: &[String],
    layout: &Layout,
) -> Result<Layered, ConfigError> {
    let order = if layout.later_wins { Order::LaterWins } else { Order::Unordered };
    let (mut met, mut used) = (Vec::new(), vec![false; layout.decisions.len()]);
    let level = |environment: Option<&String>| {
        let is_here = |fragment: &&Fragment| fragment.environment.as_ref() == environment;
        let fragments: Vec<&Fragment> = gathered.fragments.iter().filter(is_here).collect();
        let mut tree = Node::empty_map(Origin::default());
        let mut own = Vec::new();
        for fragment in &fragments {
            let mut meetings: Vec<Meeting> = Vec::new();
            overlay(&mut tree, fragment.root.clone(), order, &mut meetings);
            own.extend(meetings.into_iter().map(|meeting| Met::new(meeting, environment.cloned(), order)));
        }
        (tree, own, fragments)
    };
    let (common, common_met, common_fragments) = level(None);
    let (mut commons, mut own) = (Vec::new(), Vec::new());
    for environment in environments {
        let mut decide = |(mut tree, mut met, fragments): (Node, Vec<Met>, Vec<&Fragment>)| {
            decided::decide(&mut met, &mut tree, &fragments, &layout.decisions, environment, &mut used)?;
            Ok::<_, ConfigError>((tree, met))
        };
        commons.push(decide((common.clone(), common_met.clone(), common_fragments.clone()))?);
        let (tree, of_own) = decide(level(Some(environment)))?;
        met.extend(of_own);
        own.push(tree);
    }
    let common_met: Vec<&[Met]> = commons.iter().map(|(_, met)| met.as_slice()).collect();
    met.splice(0..0, decided::of_all(&common_met, environments));
    // A decision may be about an environment that was not asked for.
    if gathered.environments.iter().all(|known| environments.contains(known)) {
        decided::refuse_unused(&layout.decisions, &used)?;
    }
    let (mut trees, mut overridden) = (Vec::new(), 0);
    for (((common, _), own), environment) in commons.into_iter().zip(own).zip(environments) {
        let (mut tree, mut meetings) = (common.clone(), Vec::new());
        overlay(&mut tree, own, Order::LaterWins, &mut meetings);
        overridden += meetings.iter().filter(|meeting| !meeting.is_duplicate()).count();
        if order == Order::LaterWins {
            // One by one, as a loader lays them: what a value in between has replaced does not come back with a later map.
            tree = common.clone();
            let fragments = gathered.fragments.iter();
            for fragment in fragments.filter(|fragment| fragment.environment.as_ref() == Some(environment)) {
                overlay(&mut tree, fragment.root.clone(), order, &mut Vec::new());
            }
        }
        trees.push(tree);
    }
    Ok(Layered { trees, met, overridden })
}

fn texts(
    request: &MergeRequest,
    made: &Consolidated,
    environments: &[String],
    [master, over]: [Format; 2],
) -> Result<Vec<(PathBuf, String)>, ConfigError> {
    let text = |root: &Node, format: Format, path: &Path| {
        write(root, format).map_err(|fault| {
            ConfigError::of(
                &path.to_string_lossy(),
                fault.to_string(),
                "write it in another format: the name of the file says which",
            )
        })
    };
    let mut files = vec![(request.master.clone(), text(&made.master, master, &request.master)?)];
    for (environment, root) in environments.iter().zip(&made.overrides) {
        let path = PathBuf::from(request.environments.replace("{name}", environment));
        if files.iter().any(|(known, _)| *known == path) {
            let hint = "name them apart with `{name}`";
            return Err(ConfigError::of(&path.to_string_lossy(), "two files would be written there", hint));
        }
        let is_empty = matches!(&root.value, Value::Map(entries) if entries.is_empty());
        let remark = match over {
            Format::Yaml(_) if is_empty => format!("#{NOTHING_DIFFERS}\n"),
            _ => String::new(),
        };
        let text = format!("{remark}{}", text(root, over, &path)?);
        files.push((path, text));
    }
    Ok(files)
}

/// The permission bits of the files that stand there already: those keep their owner, and are not opened further.
fn standing(
    world: &World,
    root: &Path,
    files: &[(PathBuf, String)],
    gathered: &Gathered,
) -> Result<Vec<Option<u32>>, ConfigError> {
    let look = |(path, text): &(PathBuf, String)| {
        let name = path.to_string_lossy();
        let wrong = |reason: &str, hint: &str| ConfigError::of(&name, reason, hint);
        let place = root.join(path);
        let disk = world.disk.as_ref();
        let meta = disk
            .look(&place)
            .map_err(|error| wrong(&error.to_string(), "name a file that can be written"))?;
        let Some(meta) = meta else { return Ok(None) };
        if meta.kind != FileKind::File {
            return Err(wrong(
                "something that is no file stands there",
                "name another file; a link is not written through",
            ));
        }
        let is_fragment = gathered.fragments.iter().any(|fragment| Path::new(&fragment.path) == path);
        let is_same = || disk.read(&place, FILE_BYTES_MAX).is_ok_and(|bytes| bytes == text.as_bytes());
        if !is_fragment && !is_same() {
            let hint = "name it as a fragment, move it away, or write elsewhere";
            return Err(wrong("a file that is no fragment stands there, and would be lost", hint));
        }
        Ok(Some(meta.mode & 0o777))
    };
    files.iter().map(look).collect()
}

/// How many comments of the fragments stand in none of the files. Most of them stand alone behind their sign, and are found at once.
fn comments_lost(gathered: &Gathered, files: &[(PathBuf, String)]) -> usize {
    let mut comments = Vec::new();
    for fragment in &gathered.fragments {
        collect(&fragment.root, &mut comments);
    }
    let mut written: HashSet<&str> = HashSet::new();
    for line in files.iter().flat_map(|(_, text)| text.lines()) {
        written.extend(line.match_indices('#').map(|(at, _)| line[at + 1..].trim()));
    }
    let is_there =
        |comment: &str| written.contains(comment) || files.iter().any(|(_, text)| text.contains(comment));
    comments.iter().filter(|comment| !is_there(comment.trim())).count()
}

fn collect<'n>(node: &'n Node, comments: &mut Vec<&'n String>) {
    comments.extend(node.comments.iter().flat_map(|comments| comments.all()));
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| collect(item, comments)),
        Value::Map(entries) => entries.iter().for_each(|entry| collect(&entry.node, comments)),
        _ => {}
    }
}

impl ConfigMerge {
    /// *Yes* when nothing is left to be decided and every environment is proved equal.
    pub fn verdict(&self) -> Verdict {
        let is_open = self.met.iter().any(Met::is_open);
        let is_proved = self.proofs.iter().all(|proof| proof.differences.is_empty());
        let holds_secrets = self.syntax == Syntax::None && !self.secrets.is_empty();
        if self.proofs.iter().all(|proof| proof.keys == 0) {
            Verdict::Unknown
        } else if is_open || !is_proved || holds_secrets {
            Verdict::No
        } else {
            Verdict::Yes
        }
    }

    /// What is to stand where, when the verdict is yes.
    pub fn puts(&self) -> Vec<(PathBuf, Put)> {
        if self.verdict() != Verdict::Yes {
            return Vec::new();
        }
        let put = |(number, ((path, text), standing)): (usize, (&(PathBuf, String), &Option<u32>))| {
            let (bytes, others) = (text.clone().into_bytes(), self.open_to_others(number));
            let put = match standing {
                Some(mode) if mode & 0o077 & !others != 0 => Put::Tightened(bytes, path.clone(), others),
                Some(_) => Put::Edited(bytes, path.clone()),
                None => Put::Bytes(bytes, 0o600 | 0o044 & others),
            };
            (path.clone(), put)
        };
        let written = self.files.iter().zip(&self.standing).enumerate().map(put);
        let is_written = |path: &Path| self.files.iter().any(|(written, _)| written == path);
        let fragments = self.gathered.fragments.iter().map(|fragment| PathBuf::from(&fragment.path));
        let removed = fragments.filter(|path| self.removes_fragments && !is_written(path));
        written.chain(removed.map(|path| (path, Put::Nothing))).collect()
    }

    /// What group and others may do with a file that is written: what they may do with each fragment of which something can stand in it.
    fn open_to_others(&self, number: usize) -> u32 {
        let environment = number.checked_sub(1).and_then(|number| self.environments.get(number));
        let is_part = |fragment: &&Fragment| {
            environment.is_none()
                || fragment.environment.is_none()
                || fragment.environment.as_ref() == environment
        };
        self.gathered.fragments.iter().filter(is_part).fold(0o077, |mode, fragment| mode & fragment.mode)
    }

    /// Every key of the master and of the overrides with the place that it comes from, and the environments that have it for
    /// themselves; none where all do.
    pub fn keys(&self) -> Vec<(KeyPath, Origin, Option<&str>)> {
        let of_master = crate::layers::leaves(&self.consolidated.master).into_iter();
        let mut keys: Vec<_> = of_master.map(|(path, node)| (path, node.origin, None)).collect();
        for (environment, root) in self.environments.iter().zip(&self.consolidated.overrides) {
            let own = crate::layers::leaves(root).into_iter().filter(|(path, _)| !path.steps().is_empty());
            keys.extend(own.map(|(path, node)| (path, node.origin, Some(environment.as_str()))));
        }
        keys
    }
}
