//! The folder of a demo: the project, its candidate, and the data that a seed makes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use switchback_core::phase::StepError;
use switchback_core::plan::STATE_FOLDER;
use switchback_core::tree::copy::make_directories;
use switchback_core::world::{Command, FileKind, World};

use super::example;
use super::found::row_words;
use crate::failure::Failure;

/// Making data takes seconds; what takes longer than this hangs.
const PYTHON_TIMEOUT: Duration = Duration::from_mins(10);
/// How many loans the tape of a demo has.
const LOANS: u32 = 5_000;
/// Names that are tried for a temporary folder before that is an error.
const FOLDERS_MAX: u32 = 1_000;

/// What a demo is made of.
#[derive(Debug, Clone)]
pub(crate) struct SceneOptions {
    /// Where; a new temporary folder when left out.
    pub(crate) directory: Option<PathBuf>,
    /// What the data, and the defect, follow from.
    pub(crate) seed: u64,
    /// Whether the candidate gets a defect.
    pub(crate) defect: bool,
}

/// The defect that was planted into the candidate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Defect {
    /// As its planter described it: table, row, column, factor.
    pub(crate) said: Value,
}

impl Defect {
    /// The table that it shows in.
    pub(crate) fn table(&self) -> &str {
        self.said["table"].as_str().unwrap_or_default()
    }

    /// The column that it shows in.
    pub(crate) fn column(&self) -> &str {
        self.said["column"].as_str().unwrap_or_default()
    }

    /// In words: the table, the row, the column, and by what it is wrong.
    pub(crate) fn words(&self) -> String {
        let place = format!("{}, {}, {}", self.table(), row_words(self.row()), self.column());
        match self.said["factor"].as_f64() {
            Some(factor) => {
                let percent = format!("{:.3}", (factor - 1.0).abs() * 100.0);
                let percent = percent.trim_end_matches('0').trim_end_matches('.');
                format!("{place}: {percent} % too {}", if factor < 1.0 { "small" } else { "large" })
            }
            None => place,
        }
    }

    /// The key of the row that it shows in.
    pub(crate) fn row(&self) -> &Value {
        &self.said["row"]
    }
}

/// A demo that is ready to be run.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The folder that everything is in.
    pub(crate) directory: PathBuf,
    /// The project's root.
    pub(crate) project: PathBuf,
    /// The candidate.
    pub(crate) candidate: PathBuf,
    /// Its defect, if one was planted.
    pub(crate) defect: Option<Defect>,
    /// What the generator said of the data: its last line.
    pub(crate) tape: String,
}

impl Scene {
    /// Writes the example, makes its data, and plants the defect that was asked for.
    pub(crate) fn set(world: &World, options: &SceneOptions) -> Result<Self, Failure> {
        // Before anything is written: a demo that was only begun is in the way of the next one.
        python(world, Path::new("/"), &["--version"])?;
        let directory = choose_directory(world, options.directory.as_deref())?;
        Self::fill(world, options, directory).map_err(Failure::making_demo)
    }

    fn fill(world: &World, options: &SceneOptions, directory: PathBuf) -> Result<Self, Failure> {
        let project = directory.join("project");
        for (path, content) in example::files() {
            let inside = match path.strip_prefix("live/") {
                Some(inside) => Path::new("project").join(inside),
                None => PathBuf::from(path),
            };
            write(world, &directory, &inside, &content)
                .map_err(|error| Failure::doing("could not write the example", error))?;
        }
        let seed = options.seed.to_string();
        let loans = LOANS.to_string();
        let tape = python(
            world,
            &directory,
            &["generate.py", "--seed", &seed, "--loans", &loans, "--out", "project/tape"],
        )?;
        let mut defect = None;
        if options.defect {
            let said = python(world, &directory, &["plant_defect.py", "--seed", &seed, "candidate"])?;
            let said = serde_json::from_str(last_line(&said)).map_err(|error| {
                Failure::new(
                    "could not understand what was planted",
                    vec![error.to_string()],
                    "run the demo in a new folder",
                )
            })?;
            defect = Some(Defect { said });
        }
        let candidate = directory.join("candidate");
        Ok(Self { directory, project, candidate, defect, tape: last_line(&tape).to_owned() })
    }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}

/// The folder that was named, which must be new or empty; else a new temporary one.
fn choose_directory(world: &World, asked: Option<&Path>) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::doing("could not make the folder of the demo", StepError::Disk(error));
    let disk = world.disk.as_ref();
    if let Some(asked) = asked {
        let directory = std::path::absolute(asked).unwrap_or_else(|_| asked.to_owned());
        match disk.look(&directory).map_err(failed)? {
            None => {
                let root = Path::new("/");
                make_directories(disk, root, &directory).map_err(failed)?;
            }
            Some(meta)
                if meta.kind == FileKind::Directory && disk.list(&directory).map_err(failed)?.is_empty() => {}
            Some(_) => {
                let project = directory.join("project");
                let is_begun = disk.look(&project.join(STATE_FOLDER)).is_ok_and(|meta| meta.is_some());
                return Err(Failure::demo_not_empty(&directory, is_begun.then_some(project.as_path())));
            }
        }
        return Ok(directory);
    }
    let parent = world.surroundings.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    for number in 0..FOLDERS_MAX {
        let directory = parent.join(format!("switchback-demo-{}-{number}", world.surroundings.process_id()));
        if disk.look(&directory).map_err(failed)?.is_none() {
            // Only its owner looks into it: a folder for everybody is no place for others to write.
            disk.make_directory(&directory, 0o700).map_err(failed)?;
            return Ok(directory);
        }
    }
    Err(Failure::new(
        format!("could not find a free name for the demo in `{}`", parent.display()),
        Vec::new(),
        "name a new folder: `switchback demo DIR`",
    ))
}

fn write(world: &World, directory: &Path, inside: &Path, content: &[u8]) -> Result<(), StepError> {
    let disk = world.disk.as_ref();
    let path = directory.join(inside);
    make_directories(disk, directory, path.parent().unwrap_or(directory))?;
    Ok(disk.write_new(&path, 0o644, &mut &content[..])?)
}

/// Runs a script of the example, and returns what it printed.
fn python(world: &World, directory: &Path, arguments: &[&str]) -> Result<String, Failure> {
    let mut argv = vec!["python3".to_owned()];
    argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let command = Command {
        argv,
        directory: directory.to_owned(),
        variables: vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned())],
        timeout: PYTHON_TIMEOUT,
        output_bytes_max: 1024 * 1024,
        confinement: None,
    };
    let line = command.argv.join(" ");
    let hint = "the demo needs Python 3.9 or newer as `python3` on the PATH, and a new or empty folder";
    let finished = world
        .processes
        .run(&command)
        .map_err(|error| Failure::new(format!("could not run `{line}`"), vec![error.to_string()], hint))?;
    if !finished.succeeded() {
        let words = finished.last_line().unwrap_or_default();
        let cause = format!("it ended with {}: {words}", finished.ending());
        return Err(Failure::new(format!("could not run `{line}`"), vec![cause], hint));
    }
    Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
}
