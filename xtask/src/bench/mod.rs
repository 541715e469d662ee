//! `cargo xtask bench`: Switchback beside its peers, in one run on one machine, written to `docs/benchmarks.md`.
//!
//! A benchmark ([`start`], [`cutover`], [`undo`], [`compare`], [`code`]) lays its ground ([`ground`]) and says which contenders meet; [`contest`] lets
//! them take turns, [`timing`] times one command, [`peer`] measures one from outside, [`statistics`] sums up, [`machine`] says on what it was, and
//! [`document`] writes it down.

pub mod code;
pub mod compare;
pub mod contest;
pub mod cutover;
pub mod document;
pub mod ground;
pub mod machine;
pub mod peer;
pub mod start;
pub mod statistics;
pub mod timing;
pub mod undo;

use std::path::{Path, PathBuf};

use crate::problem::Problem;
use crate::suite::needs;
use crate::workspace::{Workspace, read_text, write_text};
use contest::Contest;

/// Where the results stand, from the root.
pub const PATH: &str = "docs/benchmarks.md";

/// What `cargo xtask bench` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// Only this benchmark.
    pub name: Option<String>,
    /// Another number of measured runs than the benchmark states.
    pub runs: Option<usize>,
    /// Another number of files than the benchmark states.
    pub files: Option<usize>,
    /// Where trees are laid; a folder of its own is made in it, and removed at the end.
    pub scratch: Option<PathBuf>,
    /// This program is measured, and none is built.
    pub program: Option<PathBuf>,
}

impl BenchOptions {
    /// Whether something else is measured than the benchmark states: then nothing is written down.
    fn is_trial(&self) -> bool {
        self.runs.is_some() || self.files.is_some() || self.program.is_some()
    }
}

/// What a benchmark is given.
#[derive(Debug)]
pub struct Setting {
    /// The program under measurement.
    pub switchback: PathBuf,
    /// An empty folder of its own.
    pub scratch: PathBuf,
    /// As asked for.
    pub runs: Option<usize>,
    /// As asked for.
    pub files: Option<usize>,
}

/// A benchmark that is laid out and ready to run.
#[derive(Debug)]
pub struct Benchmark {
    /// What it is asked by.
    pub name: &'static str,
    /// What it measures, in a sentence or two, with what has to be known to read the numbers.
    pub about: String,
    /// Commands that print the versions of all that take part.
    pub versions: Vec<Vec<String>>,
    /// What is measured under which condition.
    pub contests: Vec<Contest>,
}

/// A benchmark's name, the peers that it can do without, and what lays it out.
type Layout = (&'static str, &'static [&'static str], fn(&Setting) -> Result<Benchmark, Problem>);

/// All benchmarks, in the order of the document.
const BENCHMARKS: &[Layout] = &[
    ("start", &[], start::lay_out),
    ("cutover", &[], cutover::lay_out),
    ("undo", undo::PEERS, undo::lay_out),
    ("compare", &[], compare::lay_out),
    ("compare-large", &[], compare::lay_out_large),
    ("code", &[], code::lay_out),
];

/// Runs the benchmarks asked for, shows their tables, and writes them down. A missed target is shown, and no failure.
pub fn bench(workspace: &Workspace, options: &BenchOptions) -> Result<bool, Problem> {
    let chosen = chosen(options.name.as_deref())?;
    needs::provide(needs::NEEDS.iter().filter(|need| ["rsync", "git"].contains(&need.name)), true)?;
    let switchback = match &options.program {
        Some(program) => {
            program.canonicalize().map_err(|source| Problem::at("find the program", program, source))?
        }
        None => build(workspace)?,
    };
    for (name, peers, lay_out) in chosen {
        if let Err(problem) =
            needs::provide(needs::NEEDS.iter().filter(|need| peers.contains(&need.name)), true)
        {
            eprintln!("notice: {problem}");
        }
        let scratch = Scratch::new(workspace, options.scratch.as_deref(), name)?;
        let setting = Setting {
            switchback: switchback.clone(),
            scratch: scratch.path.clone(),
            runs: options.runs,
            files: options.files,
        };
        let section = run(workspace, &setting, &lay_out(&setting)?)?;
        print!("{section}");
        if options.is_trial() {
            println!("a trial: not written to {PATH}");
        } else {
            record(workspace, name, &section)?;
        }
    }
    Ok(true)
}

fn chosen(name: Option<&str>) -> Result<Vec<Layout>, Problem> {
    let chosen: Vec<Layout> =
        BENCHMARKS.iter().filter(|(known, ..)| name.is_none_or(|name| name == *known)).copied().collect();
    if chosen.is_empty() {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(name, ..)| *name).collect();
        return Err(Problem::new(
            "could not choose a benchmark",
            format!("there is no `{}`", name.unwrap_or_default()),
        )
        .hint(format!("there are: {}", known.join(", "))));
    }
    Ok(chosen)
}

fn build(workspace: &Workspace) -> Result<PathBuf, Problem> {
    // The drivers of databases and the engine of constraints take no part, and take long to build optimised.
    let package = ["--package", "switchback", "--bin", "switchback", "--no-default-features"];
    let call = workspace.cargo(&[&["build", "--release"][..], &package].concat());
    let status = call.show()?;
    if !status.success() {
        return Err(Problem::new("could not build the program to measure", status));
    }
    Ok(workspace.target_directory()?.join("release/switchback"))
}

fn run(workspace: &Workspace, setting: &Setting, benchmark: &Benchmark) -> Result<String, Problem> {
    let machine = machine::facts(&setting.scratch)?;
    let versions = machine::versions(&benchmark.versions)?;
    let mut notices = machine::disturbances()?;
    for notice in &notices {
        eprintln!("notice: {notice}");
    }
    let mut outcomes = Vec::new();
    for contest in &benchmark.contests {
        eprintln!(
            "{}, {}: {} runs after {} warm-up",
            benchmark.name, contest.name, contest.runs, contest.warmups
        );
        outcomes.push((contest, contest.hold()?));
    }
    for later in machine::disturbances()? {
        notices.push(format!("after the last run: {later}"));
    }
    let made_at = machine::made_at(workspace)?;
    Ok(document::section(
        benchmark,
        &document::Circumstances { made_at, machine, versions, notices },
        &outcomes,
    ))
}

fn record(workspace: &Workspace, name: &str, section: &str) -> Result<(), Problem> {
    let path = workspace.root.join(PATH);
    let old = if path.exists() { read_text(&path)? } else { String::new() };
    let order: Vec<&str> = BENCHMARKS.iter().map(|(name, ..)| *name).collect();
    write_text(&path, &document::merged(&old, name, section, &order))?;
    println!("written to {PATH}");
    Ok(())
}

/// A folder that is removed when the benchmark ends, however it ends.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(workspace: &Workspace, place: Option<&Path>, name: &str) -> Result<Self, Problem> {
        let place = match place {
            Some(place) => std::path::absolute(place).map_err(|source| Problem::at("find", place, source))?,
            None => workspace.target_directory()?.join("bench"),
        };
        let path = place.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|source| Problem::at("make", &path, source))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(source) = std::fs::remove_dir_all(&self.path) {
            eprintln!("notice: could not remove `{}`: {source}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_benchmark_is_chosen_by_name() {
        assert_eq!(chosen(None).unwrap().len(), BENCHMARKS.len());
        assert_eq!(chosen(Some("start")).unwrap()[0].0, "start");
        let shown = chosen(Some("speed")).unwrap_err().to_string();
        assert!(shown.contains("there is no `speed`") && shown.contains("start, cutover"), "{shown}");
    }

    #[test]
    fn what_is_not_measured_as_stated_is_a_trial() {
        assert!(!BenchOptions { name: Some("undo".to_owned()), ..BenchOptions::default() }.is_trial());
        assert!(BenchOptions { program: Some("built".into()), ..BenchOptions::default() }.is_trial());
    }

    #[test]
    fn the_peers_of_a_benchmark_can_be_provided() {
        let is_known = |peer: &&str| needs::NEEDS.iter().any(|need| need.name == *peer);
        assert!(BENCHMARKS.iter().flat_map(|(_, peers, _)| peers.iter()).all(is_known));
    }

    #[test]
    fn a_scratch_folder_is_gone_afterwards() {
        let place = tempfile::tempdir().unwrap();
        let workspace = Workspace::find().unwrap();
        let scratch = Scratch::new(&workspace, Some(place.path()), "start").unwrap();
        let path = scratch.path.clone();
        assert!(path.is_dir());
        drop(scratch);
        assert!(!path.exists());
    }
}
