//! What a plan calls: the port of the core, implemented.

use std::path::Path;

use serde_json::{Value as Json, json};
use switchback_core::code::Rewrite;
use switchback_core::configuration::{ConfigComparison, ConfigPlace, ConfigReading, ConfigRequest};
use switchback_core::port::{Comparison, Configurer, PortError};
use switchback_core::tree::rewrite::Put;
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

use crate::difference::Difference;
use crate::error::ConfigError;
use crate::layers::leaves;
use crate::layout::{Layout, Pattern, read_rules};
use crate::merging::document::{SCHEMA, difference_json};
use crate::merging::{MergeRequest, plan};
use crate::path::KeyPath;
use crate::placeholder::Syntax;
use crate::resolve::{ResolveRequest, Resolved, diff, resolve};
use crate::yaml::Loader;

/// The largest file of rules.
const RULES_BYTES_MAX: u64 = 4 << 20;

/// Configuration of trees on the disk.
#[derive(Debug, Clone)]
pub struct Configurations {
    world: World,
}

impl Configurations {
    /// Of this world.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

/// What was said about reading, onto a layout.
pub fn read_as(layout: &mut Layout, reading: &ConfigReading) -> Result<(), ConfigError> {
    let wrong =
        |what: &str, known: &str| ConfigError::new(format!("{what} is not known"), format!("name {known}"));
    if let Some(word) = &reading.loader {
        layout.loader = Loader::from_word(word)
            .ok_or_else(|| wrong(&format!("the loader `{word}`"), "`pyyaml` or `ruamel`"))?;
    }
    if let Some(word) = &reading.placeholders {
        layout.placeholders = Syntax::from_word(word).ok_or_else(|| {
            wrong(&format!("the syntax `{word}` of placeholders"), "`shell`, `colon` or `none`")
        })?;
    }
    Ok(())
}

/// The layout that a request asks for: its own words, then those of its file of rules.
pub fn layout(world: &World, tree: &Path, request: &ConfigRequest) -> Result<Layout, ConfigError> {
    let mut layout = Layout {
        fragments: request.fragments.iter().map(|path| Pattern::new(path)).collect(),
        environments: request.names.clone(),
        later_wins: request.later_wins,
        ..Layout::default()
    };
    if let Some(path) = &request.rules {
        let name = path.to_string_lossy();
        let text = world.disk.read(&tree.join(path), RULES_BYTES_MAX).map_err(|error| {
            ConfigError::of(
                &name,
                error.to_string(),
                "name a file of rules; docs/config.md says what it holds",
            )
        })?;
        read_rules(&mut layout, &text, &name)?;
    }
    read_as(&mut layout, &request.reading)?;
    Ok(layout)
}

/// What a request comes to, in a tree.
pub fn merge_request(
    world: &World,
    tree: &Path,
    request: &ConfigRequest,
) -> Result<MergeRequest, ConfigError> {
    Ok(MergeRequest {
        layout: layout(world, tree, request)?,
        master: request.master.clone(),
        environments: request.environments.clone(),
        removes_fragments: request.removes_fragments,
    })
}

impl Configurer for Configurations {
    fn plan_config(&self, tree: &Path, request: &ConfigRequest) -> Result<Rewrite, PortError> {
        let planned = plan(&self.world, tree, &merge_request(&self.world, tree, request)?)?;
        let puts = planned.puts();
        let count = |wanted: fn(&Put) -> bool| puts.iter().filter(|(_, put)| wanted(put)).count() as u64;
        Ok(Rewrite {
            verdict: planned.verdict(),
            summary: planned.summary(),
            against: planned.against(),
            report: planned.to_json().to_string(),
            arrived: Vec::new(),
            moved: 0,
            edited: count(|put| matches!(put, Put::Edited(..) | Put::Tightened(..))),
            created: count(|put| matches!(put, Put::Bytes(..))),
            puts,
        })
    }

    fn compare_configs(&self, comparison: &ConfigComparison) -> Result<Comparison, PortError> {
        let environments: Vec<Option<&String>> = if comparison.names.is_empty() {
            vec![None]
        } else {
            comparison.names.iter().map(Some).collect()
        };
        let except: Vec<KeyPath> = comparison
            .except
            .iter()
            .map(|name| {
                KeyPath::parse_shown(name).map_err(|why| {
                    ConfigError::new(format!("`{name}` in `except` names no key: {why}"), "write it as `a.b`")
                })
            })
            .collect::<Result<_, _>>()?;
        let (mut documents, mut verdict, mut told) = (Vec::new(), Verdict::Yes, Vec::new());
        for environment in environments {
            let old = self.resolved(&comparison.old, environment, &comparison.reading)?;
            let new = self.resolved(&comparison.new, environment, &comparison.reading)?;
            let (excepted, found): (Vec<Difference>, Vec<Difference>) =
                diff(&old, &new).into_iter().partition(|difference| is_excepted(difference, &except));
            let keys = leaves(&old.root).iter().filter(|(path, _)| !path.steps().is_empty()).count();
            let here = match (keys, found.is_empty()) {
                (0, _) => Verdict::Unknown,
                (_, true) => Verdict::Yes,
                (_, false) => Verdict::No,
            };
            verdict = verdict.and(here);
            let name = environment.map_or("the master", String::as_str);
            told.push(match found.first() {
                None => format!("{name}: {keys} keys, 0 differences"),
                Some(first) => format!("{name}: {} differences, first `{}`", found.len(), first.path),
            });
            let list = |found: &[Difference]| -> Vec<Json> {
                found.iter().map(|difference| difference_json(difference, &old.sources)).collect()
            };
            documents.push(json!({
                "environment": environment,
                "verdict": here.word(),
                "keys": keys,
                "differences": list(&found),
                "excepted": list(&excepted),
            }));
        }
        let report =
            json!({"schema": SCHEMA, "verdict": verdict.word(), "action": "check", "proof": documents});
        Ok(Comparison { verdict, summary: told.join("; "), report: report.to_string() })
    }
}

fn is_excepted(difference: &Difference, except: &[KeyPath]) -> bool {
    except.iter().any(|path| difference.path.steps().starts_with(path.steps()))
}

impl Configurations {
    fn resolved(
        &self,
        place: &ConfigPlace,
        environment: Option<&String>,
        reading: &ConfigReading,
    ) -> Result<Resolved, ConfigError> {
        let mut layout = Layout::default();
        read_as(&mut layout, reading)?;
        let request = ResolveRequest {
            path: place.path.clone(),
            environment: environment.cloned(),
            environments: place.environments.clone(),
            layout,
            keeps_placeholders: true,
        };
        resolve(&self.world, &place.tree, &request)
    }
}
