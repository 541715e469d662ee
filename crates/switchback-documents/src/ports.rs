//! The port of the run that migrates documents: a plan calls what the command calls.

use std::path::Path;

use switchback_core::code::Rewrite;
use switchback_core::documents::CheckpointsRequest;
use switchback_core::port::{Comparison, Migrator, PortError};
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

use crate::checkpoints::{self, CheckpointsError, CheckpointsOptions, CheckpointsPlan, Rules, RulesError};

/// How many reasons a summary names.
const NAMED_MAX: usize = 3;

/// Documents, through the door of a world.
#[derive(Debug, Clone)]
pub struct Documents {
    world: World,
}

impl Documents {
    /// Reads what is on the world's disk.
    pub fn new(world: World) -> Self {
        Self { world }
    }

    fn options(&self, tree: &Path, request: &CheckpointsRequest) -> Result<CheckpointsOptions, PortError> {
        let rules = Rules::load(tree, &request.rules, self.world.disk.as_ref())?;
        Ok(CheckpointsOptions { root: tree.to_owned(), directory: request.directory.clone(), rules })
    }
}

impl Migrator for Documents {
    fn plan_checkpoints(&self, tree: &Path, request: &CheckpointsRequest) -> Result<Rewrite, PortError> {
        let options = self.options(tree, request)?;
        let plan = checkpoints::plan(self.world.disk.as_ref(), &options)?;
        let verdict = plan.verdict();
        let mut against = plan.against();
        if verdict == Verdict::Unknown {
            against.push("no document was found".to_owned());
        }
        let moved = plan.files.iter().filter(|file| file.path != file.new_path).count() as u64;
        let changed = plan.files.iter().filter(|file| file.changes()).count() as u64;
        Ok(Rewrite {
            verdict,
            summary: plan.summary(),
            against,
            report: plan.to_json("migrate", verdict).to_string(),
            puts: plan.puts(),
            arrived: Vec::new(),
            moved,
            edited: changed - moved,
            created: 0,
        })
    }

    fn verify_checkpoints(&self, tree: &Path, request: &CheckpointsRequest) -> Result<Comparison, PortError> {
        let options = self.options(tree, request)?;
        let found = checkpoints::list(self.world.disk.as_ref(), &options)?;
        let verdict = found.verified();
        Ok(Comparison {
            verdict,
            summary: summary(&found, verdict),
            report: found.to_json("verify", verdict).to_string(),
        })
    }
}

/// One line: why not, or what was found.
fn summary(found: &CheckpointsPlan, verdict: Verdict) -> String {
    let mut against = found.against();
    against.extend(found.behind());
    let more = against.len().saturating_sub(NAMED_MAX);
    against.truncate(NAMED_MAX);
    if more > 0 {
        against.push(format!("and {more} more"));
    }
    match verdict {
        Verdict::No => against.join("; "),
        Verdict::Unknown => format!("a schema was not asked for every document: {}", found.summary()),
        Verdict::Yes => found.summary(),
    }
}

impl From<RulesError> for PortError {
    fn from(error: RulesError) -> Self {
        let mut causes = vec![error.to_string()];
        causes.extend(error.causes());
        let hint = match error {
            RulesError::Unreadable { .. } => "see whether it is there and can be read: `docs/checkpoints.md`",
            RulesError::Refused { .. } => "correct these places: see `docs/checkpoints.md`",
        };
        Self::new("could not read the rules of the checkpoints", causes).hinted(hint)
    }
}

impl From<CheckpointsError> for PortError {
    fn from(error: CheckpointsError) -> Self {
        Self::new("could not tell what becomes of the checkpoints", vec![error.to_string()])
            .hinted(error.hint())
    }
}
