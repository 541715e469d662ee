//! Dependency environments: built beside the tree from what the candidate asks for, and exchanged with it.
//!
//! The way: `inputs` says whether one has to be built anew → its command runs in a throwaway copy of the candidate →
//! `relocate` (with `script`) makes it run in any place → `versions` holds what is installed against the requirements →
//! `exchange` stands it beside its path, from where the transaction of the cutover takes it.

mod exchange;
mod inputs;
mod relocate;
mod script;
mod versions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

pub(super) use self::exchange::{
    add_contents, is_environment, link, link_live, missing, parents, participants, place, standing,
};
use self::inputs::Side;
use self::relocate::{Places, relocate};
use self::versions::{Versions, few};
use super::error::StepError;
use super::project::Work;
use super::trees::{Contents, copy_project};
use crate::check::shell::quoted;
use crate::journal::EnvironmentFact;
use crate::plan::{Dependencies, Phase, shown};
use crate::tree::copy::make_directories;
use crate::world::{Command, Confinement, FileKind};

/// What staging made of the environments of a plan.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// What became of each, in the order of the plan.
    pub(super) facts: Vec<EnvironmentFact>,
    /// Where each one stands that was built, and where it will be live.
    places: Vec<(PathBuf, PathBuf)>,
}

impl Built {
    /// How many take part in the exchange.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// The paths of those that take part in the exchange.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.places.iter().map(|(_, live)| live.to_string_lossy().into_owned())
    }
}

/// Where an attempt at staging works.
struct Attempt<'a> {
    work: &'a Work<'a>,
    phase: &'a Phase,
    /// The folder of the attempt.
    folder: &'a Path,
    /// A copy of the project with the candidate, for the commands that build.
    tree: PathBuf,
}

/// Builds the environments that the candidate in `folder`/tree asks for and the live tree does not have. `base` holds
/// the live managed paths. Nothing live is touched.
pub(super) fn build(work: &Work<'_>, phase: &Phase, base: &Path, folder: &Path) -> Result<Built, StepError> {
    let mut built = Built::default();
    let attempt = Attempt { work, phase, folder, tree: folder.join("environments").join("tree") };
    for (number, dependencies) in work.plan().dependencies.iter().enumerate() {
        let path = dependencies.path.display().to_string();
        let fact = match attempt.decide(dependencies, base)? {
            Decision::Stays(why) => {
                EnvironmentFact { path, is_built: false, summary: why.to_owned(), evidence: String::new() }
            }
            Decision::Build(digest) => {
                work.began(&phase.name, format!("environment {path}"));
                let (place, fact) = attempt.build(dependencies, number, &digest)?;
                built.places.push((place, dependencies.path.clone()));
                fact
            }
        };
        work.done(&phase.name, format!("environment {}: {}", fact.path, fact.summary));
        built.facts.push(fact);
    }
    Ok(built)
}

/// What is to be done about one environment.
enum Decision {
    /// It stays as it is, and this is why.
    Stays(&'static str),
    /// It is built anew, from what has this digest.
    Build(String),
}

impl Attempt<'_> {
    fn decide(&self, dependencies: &Dependencies, base: &Path) -> Result<Decision, StepError> {
        let (disk, plan) = (self.work.world().disk.as_ref(), self.work.plan());
        let managed = plan.project.managed.as_slice();
        let tree = self.folder.join("tree");
        let new = inputs::files(disk, Side { managed_in: &tree, root: &plan.root, managed }, dependencies)?;
        let is_missing =
            |path: &&PathBuf| new.iter().any(|(file, content)| file == *path && content.is_none());
        if let Some(file) = dependencies.requirements.iter().find(is_missing) {
            return Err(StepError::not_now(
                format!(
                    "the environment `{}` is built from `{}`, which the candidate does not have",
                    dependencies.path.display(),
                    file.display()
                ),
                "add the file to the candidate, or take it out of `requirements`",
            ));
        }
        let digest = inputs::digest(&dependencies.build, &new);
        let live = plan.root.join(&dependencies.path);
        if dependencies.requirements.is_empty() || disk.look(&live)?.is_none() {
            return Ok(Decision::Build(digest));
        }
        let is_same = match inputs::stamped(disk, &live)? {
            Some(stamp) => stamp == digest,
            // It was built elsewhere: then the files of the live tree say what it was built from.
            None => {
                inputs::files(disk, Side { managed_in: base, root: &plan.root, managed }, dependencies)?
                    == new
            }
        };
        if is_same {
            return Ok(Decision::Stays("stays as it is: nothing that it is built from changed"));
        }
        Ok(Decision::Build(digest))
    }

    /// Builds one environment; returns where it stands, and what there is to say about it.
    fn build(
        &self,
        dependencies: &Dependencies,
        number: usize,
        digest: &str,
    ) -> Result<(PathBuf, EnvironmentFact), StepError> {
        let (work, disk) = (self.work, self.work.world().disk.as_ref());
        let name = dependencies.path.file_name().unwrap_or_default();
        let folder = self.folder.join("environments").join(number.to_string());
        let built = folder.join(name);
        make_directories(disk, self.folder, &folder)?;
        self.lay_tree()?;
        self.run(dependencies, &built)?;
        let places = Places {
            folder: self.folder,
            built: &built,
            tree: &self.tree,
            root: &work.plan().root,
            live: &dependencies.path,
        };
        let relocated = relocate(disk, &places)?;
        inputs::stamp(disk, &built, digest)?;
        let new = self.judge(dependencies, &built)?;
        let live = work.plan().root.join(&dependencies.path);
        let old = versions::ask(work, &live, &work.plan().root, &[]);
        let summary = match (&old, &new) {
            (Ok(old), Ok(new)) => {
                format!("built anew: {}; {}", new.changed_since(old), packages(new))
            }
            (Err(_), Ok(new)) => format!("built anew: {} on Python {}", packages(new), new.python),
            (_, Err(why)) => format!("built anew; which versions it has is not known: {why}"),
        };
        let summary = work.redactor.clean(&summary);
        let versions = |side: &Result<Versions, String>| match side {
            Ok(versions) => versions.to_json(),
            Err(why) => json!({"unknown": why}),
        };
        let report = json!({
            "schema": "switchback/environment/1",
            "phase": self.phase.name,
            "path": dependencies.path.to_string_lossy(),
            "build": dependencies.build,
            "built_from": digest,
            "requirements": dependencies.requirements,
            "summary": summary,
            "old": versions(&old),
            "new": versions(&new),
            "rewritten": relocated.rewritten,
            "bytecode_removed": relocated.bytecode,
            "commands_confined": work.project.confinement().is_some(),
        });
        let text = work.redactor.clean(&format!("{report:#}\n"));
        let evidence = work.evidence.put(disk, text.as_bytes())?;
        let path = dependencies.path.display().to_string();
        Ok((built, EnvironmentFact { path, is_built: true, summary, evidence }))
    }

    /// A copy of the project with the candidate: what a command that builds leaves there does not become part of it.
    fn lay_tree(&self) -> Result<(), StepError> {
        let disk = self.work.world().disk.as_ref();
        if disk.look(&self.tree)?.is_some() {
            return Ok(());
        }
        let mut contents = Contents::new();
        for managed in &self.work.plan().project.managed {
            let content = self.folder.join("tree").join(&managed.path);
            let content = disk.look(&content)?.map(|_| content);
            contents.insert(managed.path.clone(), content);
        }
        copy_project(self.work.world(), self.work.plan(), &contents, &self.tree)
    }

    fn run(&self, dependencies: &Dependencies, built: &Path) -> Result<(), StepError> {
        let line = dependencies.build.replace("{env}", &quoted(built));
        let mut command = Command::shell(&line, &self.tree, Duration::from_secs(dependencies.timeout_s));
        command.confinement = self.work.project.confinement().map(|confinement| Confinement {
            is_strict: true,
            open: confinement.open.into_iter().chain(dependencies.writes.iter().cloned()).collect(),
            hidden: Vec::new(),
            ..confinement
        });
        let failed = |why: String| {
            StepError::not_now(
                self.work.redactor.clean(&format!(
                    "the environment `{}` could not be built: {why}",
                    dependencies.path.display()
                )),
                "correct `build` or what it reads; nothing live was touched",
            )
        };
        let finished =
            self.work.world().processes.run(&command).map_err(|error| failed(error.to_string()))?;
        if !finished.succeeded() {
            let words = finished.last_line().map_or_else(String::new, |line| format!(": {line}"));
            let line = shown(&dependencies.build);
            return Err(failed(format!("`{line}` ended with {}{words}", finished.ending())));
        }
        let made = self.work.world().disk.look(built)?;
        if made.is_none_or(|meta| meta.kind != FileKind::Directory) {
            return Err(failed("its command ended well and made no folder `{env}`".to_owned()));
        }
        Ok(())
    }

    /// What is installed; when requirements are named, also an error unless it is what they ask for.
    fn judge(
        &self,
        dependencies: &Dependencies,
        built: &Path,
    ) -> Result<Result<Versions, String>, StepError> {
        let files: Vec<&PathBuf> = dependencies.versioned().collect();
        let asked = versions::ask(self.work, built, &self.tree, &files);
        if files.is_empty() {
            return Ok(asked);
        }
        let names = few(files.iter().map(|file| format!("`{}`", file.display())).collect());
        let path = dependencies.path.display();
        let unknown = |why: String| {
            StepError::not_now(
                self.work.redactor.clean(&format!(
                    "could not tell whether the environment `{path}` holds what {names} asks for: {why}"
                )),
                "let `build` put pip into it, or name no requirement file: then its versions are not judged",
            )
        };
        let new = asked.map_err(&unknown)?;
        if !new.against.is_empty() {
            return Err(StepError::not_now(
                format!(
                    "the environment `{path}` is not what its requirements ask for: {}",
                    few(new.against)
                ),
                "correct `build` or the requirements; nothing live was touched",
            ));
        }
        let broken = versions::broken(self.work, built, &self.tree).map_err(&unknown)?;
        if !broken.is_empty() {
            return Err(StepError::not_now(
                format!("`pip check` finds the environment `{path}` broken: {}", few(broken)),
                "correct the requirements so that they agree; nothing live was touched",
            ));
        }
        Ok(Ok(new))
    }
}

/// How many packages there are, and how many requirements nobody could judge.
fn packages(versions: &Versions) -> String {
    let installed = match versions.installed.len() {
        1 => "1 package".to_owned(),
        count => format!("{count} packages"),
    };
    match versions.unjudged.len() {
        0 => installed,
        1 => format!("{installed}, 1 requirement that names no version"),
        count => format!("{installed}, {count} requirements that name no version"),
    }
}
