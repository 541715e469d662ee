//! A master with the override of one environment, as the program gets it: `config resolve`, `explain`, `diff`.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

use crate::difference::{Difference, differences};
use crate::error::ConfigError;
use crate::gather::{Fragment, gather, read_file};
use crate::layers::{Order, leaves, overlay, placed};
use crate::layout::{self, Layout, Pattern};
use crate::merging::document::{SCHEMA, difference_json, line};
use crate::merging::{self, Layered};
use crate::path::{KeyPath, Step, find};
use crate::placeholder::{Filled, could_be_filled, fill};
use crate::read::Format;
use crate::shown;
use crate::value::{Node, Origin, Sources, Value};

/// Longer names of variables are cut off there.
const VARIABLE_PARTS_MAX: usize = 100;

/// Which configuration is to be resolved.
#[derive(Debug, Clone, Default)]
pub struct ResolveRequest {
    /// The master, a folder of fragments, or a file of rules.
    pub path: PathBuf,
    /// The environment; none: the master alone.
    pub environment: Option<String>,
    /// Where overrides are, with `{name}`; looked for beside the master when left out.
    pub environments: Option<String>,
    /// Loader, placeholders and variables.
    pub layout: Layout,
    /// Whether placeholders are left as they are.
    pub keeps_placeholders: bool,
}

/// A configuration as the program gets it.
#[derive(Debug)]
pub struct Resolved {
    /// The tree.
    pub root: Node,
    /// What each layer says, the lowest first: its name and its tree.
    pub layers: Vec<(String, Node)>,
    /// The files.
    pub sources: Sources,
    /// Keys into which the environment went, with the names of the variables.
    pub from_environment: Vec<(KeyPath, Vec<String>)>,
}

/// Resolves a configuration: layers, then variables, then placeholders.
pub fn resolve(world: &World, root: &Path, request: &ResolveRequest) -> Result<Resolved, ConfigError> {
    let (mut resolved, layout) = layered(world, root, request)?;
    if let Some(variables) = &layout.variables {
        let layer = from_variables(world, variables);
        overlay(&mut resolved.root, layer.clone(), Order::LaterWins, &mut Vec::new());
        resolved.layers.push(("the environment variables".to_owned(), layer));
    }
    // A large tree is not copied for nothing.
    if request.keeps_placeholders || !could_be_filled(&resolved.root) {
        return Ok(resolved);
    }
    let variable = |name: &str| world.surroundings.variable(name);
    let Filled { root, from_environment, unfilled } = fill(&resolved.root, layout.placeholders, &variable);
    if let Some(first) = unfilled.first() {
        let more = match unfilled.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return Err(ConfigError::at(
            resolved.sources.name(first.origin.file),
            first.origin.line,
            format!("the value of `{}` cannot be filled in: {}{more}", first.path, first.reason),
            "set the variable, give a default with `${NAME:-default}`, or `--keep-placeholders`",
        ));
    }
    Ok(Resolved { root, from_environment, ..resolved })
}

/// The layers without variables, and the layout with what a file of rules says.
fn layered(world: &World, root: &Path, request: &ResolveRequest) -> Result<(Resolved, Layout), ConfigError> {
    let disk = world.disk.as_ref();
    let name = request.path.to_string_lossy().into_owned();
    let place = root.join(&request.path);
    let is_folder = disk
        .look(&place)
        .map_err(|error| ConfigError::of(&name, error.to_string(), "name a file that can be read"))?
        .is_some_and(|meta| meta.kind == switchback_core::world::FileKind::Directory);
    if is_folder {
        let layout =
            Layout { fragments: vec![Pattern::new(&name)], later_wins: true, ..request.layout.clone() };
        return Ok((fragments(world, root, request, &layout)?, layout));
    }
    let is_toml = request.path.extension().is_some_and(|ending| ending == "toml");
    if is_toml
        && let Ok(text) = disk.read(&place, crate::read::FILE_BYTES_MAX)
        && layout::is_rules(&text)
    {
        let mut layout = request.layout.clone();
        layout::read_rules(&mut layout, &text, &name)?;
        return Ok((fragments(world, root, request, &layout)?, layout));
    }
    let mut sources = Sources::default();
    let mut read = |path: &Path| {
        let shown = path.to_string_lossy().into_owned();
        let format = Format::of(path, request.layout.loader).ok_or_else(|| {
            ConfigError::of(&shown, "its name says no format", "YAML, TOML, JSON, INI and .env are read")
        })?;
        let number = sources.add(&shown);
        let mut node = read_file(disk, &root.join(path), &shown, format, number)?.root;
        if node.value == Value::Null {
            node.value = Value::Map(Vec::new());
        }
        Ok((shown, node))
    };
    let mut layers = vec![read(&request.path)?];
    if let Some(environment) = &request.environment {
        let over = override_of(world, root, request, environment)?;
        layers.push(read(&over)?);
    }
    Ok((laid(layers, sources), request.layout.clone()))
}

fn fragments(
    world: &World,
    root: &Path,
    request: &ResolveRequest,
    layout: &Layout,
) -> Result<Resolved, ConfigError> {
    let name = request.path.to_string_lossy();
    let gathered = gather(world.disk.as_ref(), root, layout)?;
    let known = gathered.environments.join(", ");
    let has_own = gathered.fragments.iter().any(|fragment| fragment.environment.is_some());
    let environments = match &request.environment {
        Some(environment) if gathered.environments.contains(environment) => vec![environment.clone()],
        Some(environment) => {
            if known.is_empty() {
                let reason = format!("there is no environment `{environment}`: it names none");
                let hint =
                    "add `environments = [\"NAME\"]` to it, or name a fragment as its environment is called";
                return Err(ConfigError::of(&name, reason, hint));
            }
            let reason = format!("there is no environment `{environment}`; there are: {known}");
            return Err(ConfigError::of(&name, reason, "name one of them"));
        }
        None if has_own => {
            let reason = format!("it is another one in each environment: {known}");
            return Err(ConfigError::of(&name, reason, "name one of them: `--environment NAME`"));
        }
        None => vec![String::new()],
    };
    let Layered { mut trees, met, .. } = merging::layered(&gathered, &environments, layout)?;
    if let Some(open) = met.iter().find(|met| met.is_open()) {
        let reason = format!("what holds is not decided: fragments differ in `{}`", open.meeting.path);
        return Err(ConfigError::of(&name, reason, "decide it with `[[decide]]`, or let later ones win"));
    }
    let holds = |fragment: &&Fragment| match &fragment.environment {
        None => true,
        own => *own == request.environment,
    };
    // What holds everywhere first, then what holds here.
    let (common, own): (Vec<_>, Vec<_>) =
        gathered.fragments.iter().filter(holds).partition(|fragment| fragment.environment.is_none());
    let layers = common.into_iter().chain(own).map(|fragment| (fragment.path.clone(), fragment.root.clone()));
    Ok(Resolved {
        root: trees.swap_remove(0),
        layers: layers.collect(),
        sources: gathered.sources,
        from_environment: Vec::new(),
    })
}

fn laid(layers: Vec<(String, Node)>, sources: Sources) -> Resolved {
    let mut root = Node::empty_map(Origin::default());
    for (at, (_, layer)) in layers.iter().enumerate() {
        if at == 0 {
            root = layer.clone();
        } else {
            overlay(&mut root, layer.clone(), Order::LaterWins, &mut Vec::new());
        }
    }
    Resolved { root, layers, sources, from_environment: Vec::new() }
}

/// The override of an environment: where it was said, or where overrides usually are.
fn override_of(
    world: &World,
    root: &Path,
    request: &ResolveRequest,
    environment: &str,
) -> Result<PathBuf, ConfigError> {
    let folder = request.path.parent().unwrap_or(Path::new(""));
    let stem = request.path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = request.path.extension().unwrap_or_default().to_string_lossy();
    let mut candidates: Vec<PathBuf> = match &request.environments {
        Some(pattern) => vec![PathBuf::from(pattern.replace("{name}", environment))],
        None => [folder.join("environments"), folder.join("env"), folder.to_owned()]
            .iter()
            .flat_map(|folder| {
                let endings = std::iter::once(&*ending).chain(["yml", "yaml", "toml", "json"]);
                endings.map(|ending| folder.join(format!("{environment}.{ending}"))).collect::<Vec<_>>()
            })
            .collect(),
    };
    if request.environments.is_none() {
        candidates.push(folder.join(format!("{stem}.{environment}.{ending}")));
    }
    let is_there = |path: &&PathBuf| matches!(world.disk.look(&root.join(path)), Ok(Some(_)));
    candidates.iter().find(is_there).cloned().ok_or_else(|| {
        let looked: Vec<String> =
            candidates.iter().take(3).map(|path| format!("`{}`", path.display())).collect();
        ConfigError::of(
            &request.path.to_string_lossy(),
            format!("the environment `{environment}` has no override; looked for {} …", looked.join(", ")),
            "say where overrides are: `--environments 'config/environments/{name}.yml'`",
        )
    })
}

fn from_variables(world: &World, variables: &layout::Variables) -> Node {
    let mut root = Node::empty_map(Origin::default());
    let mut names = world.surroundings.variables();
    names.sort();
    for (name, value) in names {
        let Some(rest) = name.strip_prefix(&variables.prefix) else { continue };
        let mut path = KeyPath::default();
        for part in rest.split(&variables.separator).filter(|part| !part.is_empty()).take(VARIABLE_PARTS_MAX)
        {
            path = path.with(Step::Key(Value::Text(part.to_lowercase())));
        }
        if !path.steps().is_empty() {
            let leaf = placed(Node::new(Value::Text(value), Origin::default()), &path);
            overlay(&mut root, leaf, Order::LaterWins, &mut Vec::new());
        }
    }
    root
}

impl Resolved {
    /// Where the value at a path comes from: a file and line, or variables.
    pub fn origin(&self, path: &KeyPath, node: &Node) -> String {
        let place = match node.origin.line {
            0 if node.origin.file == 0 && self.layers.len() > 1 && !self.is_of_file(path) => {
                "the environment variables".to_owned()
            }
            _ => self.sources.place(node.origin),
        };
        let filled = self.from_environment.iter().find(|(filled, _)| filled == path);
        match filled {
            Some((_, variables)) => format!("{place}, with {}", variables.join(", ")),
            None => place,
        }
    }

    fn is_of_file(&self, path: &KeyPath) -> bool {
        let files = self.layers.iter().filter(|(name, _)| name != "the environment variables");
        let mut last = None;
        for (_, layer) in files {
            last = find(layer, path).or(last);
        }
        last.is_some_and(|node| node.origin.line > 0)
    }

    /// A value as it may be shown: what came out of the environment into a key, or a variable, that names a secret is hidden.
    pub fn shown(&self, path: &KeyPath, node: &Node) -> Json {
        let hides = |(filled, variables): &(KeyPath, Vec<String>)| {
            let begins = filled.steps().starts_with(path.steps());
            begins && variables.iter().any(|name| switchback_core::secret::is_secret_variable(name))
        };
        if self.from_environment.iter().any(hides) {
            return match &node.value {
                Value::List(_) | Value::Map(_) => self.masked(path, node),
                _ => json!(switchback_core::secret::MASK),
            };
        }
        shown::json(path, &node.value)
    }

    fn masked(&self, path: &KeyPath, node: &Node) -> Json {
        match &node.value {
            Value::Map(entries) => {
                let members = entries.iter().zip(shown::member_names(entries));
                let member = |(entry, name): (&crate::value::Entry, String)| {
                    (name, self.shown(&path.key(&entry.key.value), &entry.node))
                };
                Json::Object(members.map(member).collect())
            }
            Value::List(items) => {
                let items = items.iter().enumerate();
                items.map(|(at, item)| self.shown(&path.with(Step::Item(at)), item)).collect()
            }
            _ => self.shown(path, node),
        }
    }

    /// The document of `resolve`.
    pub fn to_json(&self, request: &ResolveRequest) -> Json {
        let keys: Vec<Json> = leaves(&self.root)
            .into_iter()
            .map(|(path, node)| {
                json!({
                    "key": path.to_string(),
                    "type": node.value.type_name(),
                    "value": self.shown(&path, node),
                    "origin": self.origin(&path, node),
                    "path": (node.origin.line > 0).then(|| self.sources.name(node.origin.file)),
                    "line": line(node.origin),
                })
            })
            .collect();
        let verdict = if keys.is_empty() { Verdict::Unknown } else { Verdict::Yes };
        json!({
            "schema": SCHEMA,
            "verdict": verdict.word(),
            "action": "resolve",
            "environment": request.environment,
            "keys": keys,
            "values": self.shown(&KeyPath::default(), &self.root),
        })
    }

    /// What each layer says of a key, the lowest first, and what holds.
    pub fn explain(&self, path: &KeyPath) -> Result<(Vec<(String, Node)>, Node), ConfigError> {
        let said: Vec<(String, Node)> = self
            .layers
            .iter()
            .filter_map(|(name, layer)| find(layer, path).map(|node| (name.clone(), node.clone())))
            .collect();
        let holds = find(&self.root, path).cloned();
        holds.map(|node| (said, node)).ok_or_else(|| {
            let known: Vec<String> = leaves(&self.root).iter().map(|(path, _)| path.to_string()).collect();
            let wanted = path.to_string();
            let near = known.iter().find(|known| known.ends_with(&wanted) || known.starts_with(&wanted));
            let near = near.map(|near| format!("; there is `{near}`")).unwrap_or_default();
            ConfigError::new(
                format!("there is no key `{path}`{near}"),
                "`switchback config resolve` lists all keys",
            )
        })
    }
}

/// What two configurations differ in.
pub fn diff(old: &Resolved, new: &Resolved) -> Vec<Difference> {
    differences(&old.root, &new.root)
}

/// The document of `diff`.
pub fn diff_json(found: &[Difference], old: &Resolved, new: &Resolved) -> Json {
    let verdict = match (leaves(&old.root).len() + leaves(&new.root).len(), found.is_empty()) {
        (0, _) => Verdict::Unknown,
        (_, true) => Verdict::Yes,
        (_, false) => Verdict::No,
    };
    let differences: Vec<Json> = found
        .iter()
        .map(|difference| {
            let mut document = difference_json(difference, &old.sources);
            if let Some(node) = &difference.new {
                document["new"]["path"] = json!(new.sources.name(node.origin.file));
            }
            document
        })
        .collect();
    json!({"schema": SCHEMA, "verdict": verdict.word(), "action": "diff", "differences": differences})
}
