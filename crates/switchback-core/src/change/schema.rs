//! `schema`: steps of a database's schema go live, and back, with the phase (OM-1, PC-10).
//!
//! A database that is a file in a managed path is changed in the candidate, and exchanged with it. Any other is rehearsed on a copy,
//! changed right before the exchange, and changed back right after an exchange back: `phase/databases`.

use std::path::{Path, PathBuf};

use super::{Change, ChangeError, FileCounts, Kind, Stage};
use crate::database::{Database, Target};
use crate::plan::{Fields, Key, Managed, STATE_FOLDER, Shape, relative};
use crate::port::PortError;
use crate::schema_steps::{DeployOptions, Planned, SchemaRequest, deploy, fingerprint};
use crate::tree::copy::remove_tree;
use crate::verdict::Verdict;
use crate::world::Surroundings;

/// The kind `schema`.
pub(super) static KIND: Kind = Kind {
    word: "schema",
    doc: "steps of a database's schema, deployed with the cutover and reverted with the rollback",
    keys: &[
        Key::required(
            "database",
            Shape::Text,
            "an address of PostgreSQL, or a file of SQLite or DuckDB, relative to the project; `${NAME}` is a variable",
        ),
        Key::required(
            "steps",
            Shape::Text,
            "the folder of the steps, relative to the project; that of the candidate where it is in a managed path",
        ),
        Key::optional("to", Shape::Text, "the last step that is deployed; all when left out"),
    ],
    read,
};

/// Which steps of which database go with a phase.
#[derive(Debug, Clone)]
pub struct SchemaChange {
    /// The database, as the plan has it.
    pub database: Database,
    /// The folder of the steps, relative to the project.
    pub steps: PathBuf,
    /// The last step; all when `None`.
    pub to: Option<String>,
}

fn read(fields: &Fields<'_>) -> Option<Box<dyn Change>> {
    let to = fields.filled_text("to");
    let (database, steps) = database_and_steps(fields)?;
    Some(Box::new(SchemaChange { database, steps, to }))
}

/// The keys `database` and `steps`; what is wrong with them becomes a finding.
pub(crate) fn database_and_steps(fields: &Fields<'_>) -> Option<(Database, PathBuf)> {
    let (database, steps) = (fields.text("database"), fields.text("steps"));
    let steps = steps.and_then(|text| {
        relative(&text, fields.offset_of("steps"), "the path in `steps`", fields.findings())
    });
    match Database::parse(&database?) {
        Ok(database) => Some((database, steps?)),
        Err((message, help)) => {
            fields.find("database", message, &help);
            None
        }
    }
}

impl SchemaChange {
    /// Whether the database is a file in one of these paths, and is exchanged with it.
    pub fn is_in(&self, root: &Path, managed: &[Managed], surroundings: &dyn Surroundings) -> bool {
        self.holder(root, managed, surroundings).is_some()
    }

    /// The managed path that holds its file, and the file in the project.
    fn holder<'m>(
        &self,
        root: &Path,
        managed: &'m [Managed],
        surroundings: &dyn Surroundings,
    ) -> Option<(&'m Managed, PathBuf)> {
        let file = self.database.file(surroundings, root)?.strip_prefix(root).ok()?.to_owned();
        let holder = managed.iter().find(|managed| file.starts_with(&managed.path))?;
        Some((holder, file))
    }

    /// The same in the candidate, where the database is a file of it.
    fn in_candidate(&self, stage: &Stage<'_>) -> Result<Option<Self>, ChangeError> {
        let held = self.holder(stage.root, stage.managed, stage.world.surroundings.as_ref());
        let Some((holder, file)) = held else { return Ok(None) };
        if holder.path == file {
            let message = format!("could not {}", self.describe());
            let why = "the file is a managed path by itself: what SQLite and DuckDB keep beside it would not be exchanged with it";
            return Err(PortError::new(message, vec![why.to_owned()])
                .hinted("manage the folder that it is in, or do not manage it: then its steps go live around the exchange")
                .into());
        }
        let target = Target::of(stage.world, stage.root, &self.database, false)?;
        let database = Database::of_file(target.kind(), &stage.tree.join(file));
        Ok(Some(Self { database, ..self.clone() }))
    }

    fn request(&self, stage: &Stage<'_>, root: &Path) -> SchemaRequest {
        SchemaRequest {
            world: stage.world.clone(),
            schemas: stage.schemas.clone(),
            root: root.to_owned(),
            database: self.database.clone(),
            steps: root.join(&self.steps),
            is_made: false,
            confinement: stage.confinement.clone(),
        }
    }

    fn options(&self, is_dry: bool) -> DeployOptions {
        // What the candidate is made of is in the snapshot already.
        DeployOptions { to: self.to.clone(), is_dry, no_copy: true, ..DeployOptions::default() }
    }
}

impl Change for SchemaChange {
    fn describe(&self) -> String {
        format!("deploy the steps of `{}` into `{}`", self.steps.display(), self.database.shown())
    }

    fn replaces(&self, _managed: &Managed) -> bool {
        false
    }

    fn needs_project(&self) -> bool {
        true
    }

    fn schema(&self) -> Option<&SchemaChange> {
        Some(self)
    }

    fn preview(&self, stage: &Stage<'_>) -> Result<Option<FileCounts>, ChangeError> {
        let is_file = self.is_in(stage.root, stage.managed, stage.world.surroundings.as_ref());
        Ok((!is_file).then(FileCounts::default))
    }

    fn statements(&self, stage: &Stage<'_>) -> Vec<String> {
        let is_there = stage.world.disk.look(&stage.root.join(&self.steps)).is_ok_and(|meta| meta.is_some());
        if !is_there {
            return vec!["-- the steps are known once the candidate is staged".to_owned()];
        }
        let outcome = match deploy(&self.request(stage, stage.root), &self.options(true)) {
            Ok(outcome) => outcome,
            Err(error) => return vec![format!("-- {}", error.told())],
        };
        let mut lines: Vec<String> = outcome.refused.iter().map(|why| format!("-- {why}")).collect();
        lines.extend(outcome.planned.iter().flat_map(Planned::lines));
        if lines.is_empty() {
            lines.push("-- nothing to deploy: every step is there".to_owned());
        }
        lines
    }

    fn apply(&self, stage: &Stage<'_>) -> Result<(), ChangeError> {
        let Some(inside) = self.in_candidate(stage)? else {
            // It is deployed at the cutover; what is wrong with the steps is found now.
            let request =
                SchemaRequest { steps: stage.tree.join(&self.steps), ..self.request(stage, stage.root) };
            fingerprint(&request)?;
            return Ok(());
        };
        let outcome = deploy(&inside.request(stage, stage.tree), &self.options(false))?;
        remove_tree(stage.world.disk.as_ref(), &stage.tree.join(STATE_FOLDER))?;
        if outcome.verdict == Verdict::Yes {
            return Ok(());
        }
        let failed = outcome.failed.iter().map(crate::schema_steps::Failed::told);
        let causes = failed.chain(outcome.refused.iter().cloned()).collect();
        let message = format!("could not {} of the candidate", self.describe());
        Err(PortError::new(message, causes).hinted("correct the step, then `switchback run`").into())
    }
}
