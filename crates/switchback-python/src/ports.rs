//! The ports of the run that read and rewrite source code: the plan calls what the commands call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::json;
use switchback_core::code::{ApiRequest, ImportsRequest, MoveRequest, Rewrite};
use switchback_core::port::{Comparison, Inspector, Mover, PortError};
use switchback_core::verdict::Verdict;
use switchback_core::world::{DiskError, World};

use crate::api::{ApiOptions, api};
use crate::graph::{ImportsOptions, ImportsOutcome, imports};
use crate::moving::{MappingError, MoveError, MoveOptions, Pair, Rules, RulesError, plan, puts};

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
    let pairs = request.pairs.iter().map(|(from, to)| Pair { from: from.clone(), to: to.clone() });
    rules.moves.extend(pairs);
    Ok(MoveOptions {
        root: tree.to_owned(),
        rules,
        source_roots: request.source_roots.clone(),
        shims: request.shims,
        remove_after: request.remove_after.clone(),
        today: world.clock.now().to_string().chars().take(DAY_LETTERS).collect(),
        with_text: request.with_text,
    })
}

/// Reads the rules at `place`, which people know as `path`.
fn read_rules(world: &World, place: &Path, path: &Path) -> Result<Rules, PortError> {
    let what = "could not read the rules";
    let bytes = world.disk.read(place, RULES_BYTES_MAX).map_err(|error| {
        PortError::new(what, vec![error.to_string()]).hinted("name a file of rules: see `docs/move.md`")
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let why = format!("`{}`: byte {} is not UTF-8", path.display(), error.valid_up_to());
        PortError::new(what, vec![why]).hinted("save the file as UTF-8")
    })?;
    Rules::read(path.to_owned(), text).map_err(|error| PortError::from(&error))
}

impl From<&RulesError> for PortError {
    fn from(error: &RulesError) -> Self {
        let hint =
            "the rules are `[[move]]`, `[[symbol]]`, `[[package-body]]` and `[[leave]]`: see `docs/move.md`";
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
            moved: count(planned.moved()),
            edited: count(planned.edited_in_place()),
            created: count(planned.created.len()),
        })
    }
}

impl Inspector for PythonCode {
    fn imports(&self, request: &ImportsRequest) -> Result<Comparison, PortError> {
        let look = |tree: &PathBuf| {
            let options = ImportsOptions { root: tree.clone(), source_roots: request.source_roots.clone() };
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
