//! The ports of the run that read and rewrite source code: the plan calls what the commands call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;
use switchback_core::code::{
    ApiRequest, CodeParts, ImportsRequest, MergeRequest, ModulesFound, ModulesRequest, MoveRequest,
    PartsRequest, Rewrite, RouteFound, RoutesFound, RoutesRequest, ShimsRequest, SymbolsRequest,
};
use switchback_core::mapping;
use switchback_core::plan::{PLAN_FILE, STATE_FOLDER};
use switchback_core::port::{Comparison, Inspector, Mover, PortError};
use switchback_core::quantity::counted;
use switchback_core::verdict::Verdict;
use switchback_core::world::{DiskError, World};

use crate::api::{ApiOptions, api};
use crate::graph::{ImportsOptions, ImportsOutcome, imports};
use crate::index::{Index, leaf_of};
use crate::merging::{self, Action, MergeError, MergeOptions, MergeRules, Side, WriteChoice};
use crate::moving::{MappingError, MoveError, MoveOptions, Pair, Rules, RulesError, Signature, plan, puts};
use crate::parts;
use crate::roots;
use crate::routes::{CompareRoutesOptions, Framework, Route, RoutesOptions, compare_routes, routes};
use crate::standing::{ShimsOptions, shims};
use crate::symbols::{SymbolsOptions, symbols};
use crate::tree::{Tree, has_extension, is_test};

/// The largest rules file that is read, in bytes.
const RULES_BYTES_MAX: u64 = 16 << 20;
/// `YYYY-MM-DD`.
const DAY_LETTERS: usize = 10;

/// Python source, through the door of a world.
#[derive(Debug, Clone)]
pub struct PythonCode {
    world: World,
}

impl PythonCode {
    /// Reads what is on the world's disk.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

/// The options of a move of `tree`: its rules are read, and what was asked for beside them is added.
///
/// # Errors
///
/// When the rules cannot be read.
pub fn move_options(world: &World, tree: &Path, request: &MoveRequest) -> Result<MoveOptions, PortError> {
    let mut rules = match &request.rules {
        None => Rules::default(),
        Some(path) => read_rules(world, &tree.join(path), path)?,
    };
    let mut kept = kept(tree, request.rules.as_deref());
    if let Some((beside, mapping)) = request.rules.as_ref().zip(rules.mapping.as_ref()) {
        let path = beside.with_file_name(mapping);
        let mapping = mapping::load(&tree.join(&path), world.disk.as_ref()).map_err(|error| {
            let mut causes = vec![error.to_string()];
            causes.extend(error.causes());
            PortError::new("could not read the mapping of the rules", causes).hinted("see `docs/mapping.md`")
        })?;
        rules.signatures.extend(mapping.calls.iter().map(Signature::from));
        kept.extend(path.strip_prefix(tree).unwrap_or(&path).to_str().map(ToOwned::to_owned));
    }
    let pairs = request.pairs.iter().map(|(from, to)| Pair { from: from.clone(), to: to.clone() });
    rules.moves.extend(pairs);
    Ok(MoveOptions {
        root: tree.to_owned(),
        rules,
        arrived: request.arrived.clone(),
        is_part: false,
        kept,
        source_roots: request.source_roots.clone(),
        python_path: request.python_path.clone(),
        shims: request.shims,
        remove_after: request.remove_after.clone(),
        today: world.clock.now().to_string().chars().take(DAY_LETTERS).collect(),
        with_text: request.with_text,
    })
}

/// What says what is to be done, and stays as it is: the plan, and the rules.
fn kept(tree: &Path, rules: Option<&Path>) -> Vec<String> {
    let rules = rules.and_then(|path| path.strip_prefix(tree).unwrap_or(path).to_str());
    std::iter::once(PLAN_FILE).chain(rules).map(ToOwned::to_owned).collect()
}

/// Reads the rules at `place`, which people know as `path`.
fn read_rules(world: &World, place: &Path, path: &Path) -> Result<Rules, PortError> {
    let text = rules_text(world, place, path)?;
    Rules::read(path.to_owned(), &text).map_err(|error| PortError::from(&error))
}

fn rules_text(world: &World, place: &Path, path: &Path) -> Result<String, PortError> {
    let what = "could not read the rules";
    let bytes = world.disk.read(place, RULES_BYTES_MAX).map_err(|error| {
        PortError::new(what, vec![error.to_string()]).hinted("name a file of rules: see `docs/move.md`")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let why = format!("`{}`: byte {} is not UTF-8", path.display(), error.utf8_error().valid_up_to());
        PortError::new(what, vec![why]).hinted("save the file as UTF-8")
    })
}

impl From<&RulesError> for PortError {
    fn from(error: &RulesError) -> Self {
        let hint = "the rules are `[[move]]`, `[[symbol]]`, `[[package-body]]`, `[[signature]]` and `[[leave]]`: see `docs/move.md`";
        Self::new("could not read the rules", vec![error.to_string()]).hinted(hint)
    }
}

impl From<&MoveError> for PortError {
    fn from(error: &MoveError) -> Self {
        let hint = match error {
            MoveError::NoRules => "give FROM and TO, or `--rules FILE`",
            MoveError::Disk(error) if error.source.kind() == std::io::ErrorKind::PermissionDenied => {
                "make it readable, or move as somebody who may read it"
            }
            MoveError::Disk(_) => FOLDER,
            MoveError::Search(_) => "give fewer rules at once",
            MoveError::Signature(_) => "correct the `[[signature]]`, and give `--shims`: see `docs/move.md`",
            MoveError::Definitions(_) => "move these by hand, or move what they need with them",
            MoveError::Mapping(error) => match error {
                MappingError::Missing(_) => {
                    "give a dotted module or a path in the tree; `--source-root` says where dotted names start"
                }
                MappingError::Taken { .. } => {
                    "move that file too, or keep this one where it is with `[[leave]]`"
                }
                MappingError::Collision { .. } => "give one of them another place",
                MappingError::Outside(_) => "give a path below the project",
                MappingError::Shadows { .. } | MappingError::Unimportable(_) => "give it another name",
                MappingError::Odd(_) => "move it by hand first, or name the files to be moved one by one",
            },
        };
        Self::new("could not plan the move", vec![error.to_string()]).hinted(hint)
    }
}

/// Where code may stand that was not found.
const FOLDER: &str = "name the folder that holds the code with `--project`";

fn unreadable(what: &str, error: &DiskError) -> PortError {
    PortError::new(what, vec![error.to_string()]).hinted(FOLDER)
}

impl Mover for PythonCode {
    fn plan_move(&self, tree: &Path, request: &MoveRequest) -> Result<Rewrite, PortError> {
        let options = move_options(&self.world, tree, request)?;
        let planned = plan(self.world.disk.clone(), &options).map_err(|error| PortError::from(&error))?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Ok(Rewrite {
            verdict: planned.verdict(),
            summary: planned.summary(),
            against: planned.proof.told(),
            report: planned.to_json().to_string(),
            puts: puts(&planned),
            arrived: Vec::new(),
            moved: count(planned.moved()),
            edited: count(planned.edited_in_place()),
            created: count(planned.created.len()),
        })
    }

    fn plan_merge(&self, tree: &Path, request: &MergeRequest) -> Result<Rewrite, PortError> {
        let options = merge_options(&self.world, tree, request)?;
        let planned = merging::plan(&self.world, &options).map_err(|error| PortError::from(&error))?;
        let verdict = planned.verdict();
        let choice = WriteChoice::default();
        let puts = match verdict {
            Verdict::Yes => merging::puts(&planned, choice).map_err(|error| {
                PortError::new("could not write the merge", vec![error.to_string()])
                    .hinted("name folders of the project as source and target")
            })?,
            _ => Vec::new(),
        };
        let acts = |wanted: &[Action]| {
            planned.files.iter().filter(|file| wanted.contains(&file.action)).count() as u64
        };
        let mut arrived = planned.taken_over.clone();
        if let (Some(source), Some(target)) = (&planned.source, &planned.target) {
            // The folder itself, for what names it as a path.
            arrived.push((source.clone(), target.clone()));
        }
        Ok(Rewrite {
            verdict,
            summary: planned.summary(),
            against: planned.against(),
            report: planned.to_json().to_string(),
            puts,
            arrived,
            moved: 0,
            edited: acts(&[Action::Merge, Action::Union]),
            created: acts(&[Action::Copy]),
        })
    }
}

/// The options of a merge in `tree`: its rules are read, and its sides are looked for.
///
/// # Errors
///
/// When the rules cannot be read, or a side is neither a folder nor a commit.
pub fn merge_options(world: &World, tree: &Path, request: &MergeRequest) -> Result<MergeOptions, PortError> {
    let side = |typed: &str| Side::read(world, tree, typed).map_err(|error| PortError::from(&error));
    let (rules, rules_folder) = match &request.rules {
        None => (MergeRules::default(), PathBuf::new()),
        Some(path) => {
            let text = rules_text(world, &tree.join(path), path)?;
            let rules = MergeRules::read(path, &text).map_err(|error| PortError::from(&error))?;
            (rules, path.parent().map(Path::to_owned).unwrap_or_default())
        }
    };
    Ok(MergeOptions {
        root: tree.to_owned(),
        source: side(&request.source)?,
        target: side(&request.target)?,
        base: request.base.as_deref().map(side).transpose()?,
        rules,
        rules_folder,
        kept: kept(tree, request.rules.as_deref()),
        removes_source: request.removes_source,
        source_roots: request.source_roots.clone(),
        scratch: tree.join(STATE_FOLDER).join("merge"),
    })
}

impl From<&MergeError> for PortError {
    fn from(error: &MergeError) -> Self {
        let hint = match error {
            MergeError::NoSide(_) => "give a folder of the project, `REVISION` or `REVISION:FOLDER`",
            MergeError::Same(_) => "give two trees",
            MergeError::Driver(_) => "correct the command of the `[[driver]]`",
            _ => "correct the rules, see `docs/merge.md`; nothing was touched",
        };
        Self::new("could not plan the merge", vec![error.to_string()]).hinted(hint)
    }
}

impl Inspector for PythonCode {
    fn imports(&self, request: &ImportsRequest) -> Result<Comparison, PortError> {
        let look = |tree: &PathBuf| {
            let options = ImportsOptions {
                root: tree.clone(),
                source_roots: request.source_roots.clone(),
                python_path: request.python_path.clone(),
            };
            imports(self.world.disk.clone(), &options)
                .map_err(|error| unreadable("could not look through the imports", &error))
        };
        let mut found = look(&request.tree)?;
        let mut known = 0;
        if let Some(before) = &request.before {
            let before = look(before)?;
            known = forget_known(&mut found, &before);
        }
        let mut report = found.to_json();
        report["known_before"] = json!(known);
        let summary = imports_told(&found, known);
        Ok(Comparison { verdict: found.verdict(), summary, report: report.to_string() })
    }

    fn api(&self, request: &ApiRequest) -> Result<Comparison, PortError> {
        let options =
            ApiOptions { old: request.old.clone(), new: request.new.clone(), moved: request.moved.clone() };
        let outcome = api(&self.world.disk, &options)
            .map_err(|error| unreadable("could not compare the public surfaces", &error))?;
        let breaking: Vec<&str> = outcome
            .changes
            .iter()
            .filter(|change| change.breaking)
            .map(|change| change.symbol.as_str())
            .collect();
        let summary = match breaking.as_slice() {
            [] if outcome.symbols == 0 => "the old code offers nothing that could be compared".to_owned(),
            [] => {
                format!("{} public names, {} changes, none breaking", outcome.symbols, outcome.changes.len())
            }
            [first, ..] => format!(
                "{} breaking changes of {} public names, first `{first}`",
                breaking.len(),
                outcome.symbols
            ),
        };
        let (verdict, report) = (outcome.verdict(), outcome.to_json().to_string());
        Ok(Comparison { verdict, summary, report })
    }

    fn symbols(&self, request: &SymbolsRequest) -> Result<Comparison, PortError> {
        let options = SymbolsOptions {
            root: request.tree.clone(),
            source_roots: request.source_roots.clone(),
            exist: request.exist.clone(),
            gone: request.gone.clone(),
        };
        let outcome = symbols(self.world.disk.clone(), &options)
            .map_err(|error| unread("could not look for the names", &error))?;
        let told = outcome.told();
        let asked = counted((request.exist.len() + request.gone.len()) as u64, "name");
        let summary = match outcome.verdict() {
            Verdict::Yes => format!("{asked}: all as they must be"),
            _ => format!("{asked}: {}", told.join("; ")),
        };
        Ok(Comparison { verdict: outcome.verdict(), summary, report: outcome.to_json().to_string() })
    }

    fn routes(&self, request: &RoutesRequest) -> Result<Comparison, PortError> {
        let side = |root: &PathBuf| RoutesOptions {
            root: root.clone(),
            source_roots: request.source_roots.clone(),
            with_tests: false,
        };
        let options = CompareRoutesOptions {
            old: side(&request.old),
            new: side(&request.new),
            moved: request.moved.clone(),
        };
        let outcome = compare_routes(&self.world.disk, &options)
            .map_err(|error| unread("could not read the routes", &error))?;
        let (verdict, report) = (outcome.verdict(), outcome.to_json().to_string());
        let summary = match outcome.told().first() {
            Some(first) if verdict != Verdict::Yes => format!("{}; first: {first}", outcome.summary()),
            _ => outcome.summary(),
        };
        Ok(Comparison { verdict, summary, report })
    }

    fn shims(&self, request: &ShimsRequest) -> Result<Comparison, PortError> {
        let imports = ImportsOptions {
            root: request.tree.clone(),
            source_roots: request.source_roots.clone(),
            python_path: request.python_path.clone(),
        };
        let options =
            ShimsOptions { imports, day: request.day.clone(), refuses_undated: request.refuses_undated };
        let outcome = shims(&self.world.disk, &options)
            .map_err(|error| unread("could not look for old names", &error))?;
        let report = outcome.to_json().to_string();
        Ok(Comparison { verdict: outcome.verdict(), summary: outcome.summary(), report })
    }

    fn listed_routes(&self, tree: &Path, source_roots: &[String]) -> Result<RoutesFound, PortError> {
        let options =
            RoutesOptions { root: tree.to_owned(), source_roots: source_roots.to_vec(), with_tests: false };
        let outcome = routes(self.world.disk.clone(), &options)
            .map_err(|error| unread("could not read the routes", &error))?;
        let found = |route: Route| RouteFound {
            is_code: route.framework != Framework::OpenApi,
            method: route.method,
            path: route.path,
            normal: route.normal,
            file: route.file,
            line: route.line,
            is_implied: route.is_implied,
            is_outside: route.is_outside,
        };
        Ok(RoutesFound {
            routes: outcome.routes.into_iter().map(found).collect(),
            undecided: outcome.undecided.len() as u64,
        })
    }

    fn modules(&self, request: &ModulesRequest) -> Result<ModulesFound, PortError> {
        let tree = Tree::open(self.world.disk.clone(), &request.tree)
            .map_err(|error| unreadable("could not list the modules", &error))?;
        let roots = roots::given_or_found(&tree, &request.source_roots);
        let index = Index::new(&tree, &roots);
        Ok(importable(&index, request))
    }

    fn parts(&self, request: &PartsRequest) -> Result<CodeParts, PortError> {
        parts::parts(&self.world.disk, request)
    }

    fn lost(&self, request: &PartsRequest) -> Result<Vec<String>, PortError> {
        parts::lost(&self.world.disk, request)
    }
}

/// What can be imported of a tree.
fn importable(index: &Index<'_>, request: &ModulesRequest) -> ModulesFound {
    let is_in = |name: &str, package: &str| {
        name.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut found = ModulesFound {
        roots: index.roots.iter().map(|root| request.tree.join(root)).collect(),
        missing: request.within.iter().filter(|name| !index.has(name)).cloned().collect(),
        ..ModulesFound::default()
    };
    for (name, at) in index.modules() {
        let Some(file) = index.tree.file(at) else { continue };
        let is_wanted = if request.within.is_empty() {
            // A file beside the packages is a script more often than not.
            (name.contains('.') || index.is_package(name)) && !is_test(&file.path)
        } else {
            request.within.iter().any(|package| is_in(name, package))
        };
        if is_wanted && has_extension(&file.path, "py") && leaf_of(name) != "__main__" {
            found.names.push(name.to_owned());
        }
    }
    found
}

/// What was read without the tree being changed, or not.
fn unread(what: &str, error: &dyn std::error::Error) -> PortError {
    PortError::new(what, vec![error.to_string()]).hinted(FOLDER)
}

/// Takes out what did not resolve, or not parse, before either; returns how much that was. The same name of the same
/// module counts as the same import, wherever it stands: files move.
fn forget_known(found: &mut ImportsOutcome, before: &ImportsOutcome) -> usize {
    let asked_for = |outcome: &ImportsOutcome| -> BTreeSet<(String, Option<String>)> {
        let imports = outcome.missing.iter().map(|missing| &missing.import);
        imports.map(|import| (import.module.clone(), import.name.clone())).collect()
    };
    let old = asked_for(before);
    let count = found.missing.len() + found.unparsed.len();
    found
        .missing
        .retain(|missing| !old.contains(&(missing.import.module.clone(), missing.import.name.clone())));
    let broken: BTreeSet<&str> =
        before.unparsed.iter().filter_map(|(path, _, _)| path.rsplit('/').next()).collect();
    found.unparsed.retain(|(path, _, _)| !path.rsplit('/').next().is_some_and(|name| broken.contains(name)));
    count - found.missing.len() - found.unparsed.len()
}

fn imports_told(found: &ImportsOutcome, known: usize) -> String {
    let known = if known > 0 { format!(", {known} as before not counted") } else { String::new() };
    let first = found.missing.iter().find(|missing| !missing.is_optional);
    let first = match (first, found.unparsed.first()) {
        (Some(missing), _) => {
            let import = &missing.import;
            format!("; first {}:{}: {}", import.path, import.line, import.why)
        }
        (None, Some((path, line, _))) if found.verdict() == Verdict::Unknown => {
            format!("; {path}:{line} does not parse")
        }
        _ => String::new(),
    };
    format!(
        "{} imports in {} modules, {} unresolved{known}{first}",
        found.imports,
        found.modules,
        found.missing.len()
    )
}
