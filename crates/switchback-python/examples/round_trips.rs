//! Moves every package of a tree away and back, one at a time, and says which of them do not come back byte for byte.
//!
//! `cargo run --release -p switchback-python --example round_trips -- SOURCE COPY TOP [AWAY] [ONLY…]`
//!
//! SOURCE is copied to COPY, which must not exist. TOP is the package whose packages move: each to its own name with
//! `_moved` behind it, or, when AWAY is given and is not `-`, below AWAY; with ONLY, these alone, modules too. After each move every edited file must compile
//! (`python3`), and as many imports must resolve as before; after the move back every file must have its old bytes.
#![expect(clippy::print_stdout, reason = "a program for the command line")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use switchback_core::tree::copy::make_directories;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Command, Disk, Exit, RealDisk, World};
use switchback_python::graph::{ImportsOptions, imports};
use switchback_python::moving::{MoveOptions, MovePlan, Pair, Rules, plan, write};
use switchback_python::tree::Tree;

type Files = BTreeMap<String, Vec<u8>>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const FILE_BYTES_MAX: u64 = 256 << 20;
const COMPILE_TIME_MAX: Duration = Duration::from_mins(5);

fn read(root: &Path) -> Outcome<Files> {
    let tree = Tree::open(Arc::new(RealDisk), root)?;
    let mut files = Files::new();
    for file in tree.files.iter().filter(|file| !file.is_link) {
        files.insert(file.path.clone(), RealDisk.read(&root.join(&file.path), FILE_BYTES_MAX)?);
    }
    Ok(files)
}

fn lay_out(root: &Path, files: &Files) -> Outcome<()> {
    for (path, bytes) in files {
        let place = root.join(path);
        make_directories(&RealDisk, root, place.parent().unwrap_or(root))?;
        RealDisk.write_new(&place, 0o644, &mut bytes.as_slice())?;
    }
    Ok(())
}

fn planned(root: &Path, from: &str, to: &str) -> Outcome<MovePlan> {
    let pair = Pair { from: from.to_owned(), to: to.to_owned() };
    let options = MoveOptions {
        root: root.to_owned(),
        rules: Rules { moves: vec![pair], ..Rules::default() },
        source_roots: Vec::new(),
        python_path: Vec::new(),
        shims: false,
        remove_after: None,
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    };
    Ok(plan(Arc::new(RealDisk), &options)?)
}

/// Moves, and says what was wrong.
fn moved(root: &Path, from: &str, to: &str) -> Outcome<MovePlan> {
    let plan = planned(root, from, to)?;
    if plan.verdict() != Verdict::Yes {
        return Err(format!("refuted: {}", plan.proof.told().join("; ")).into());
    }
    write(&World::real(), &plan, "round_trips")?;
    Ok(plan)
}

fn missing(root: &Path) -> Outcome<usize> {
    let options = ImportsOptions { root: root.to_owned(), source_roots: Vec::new(), python_path: Vec::new() };
    Ok(imports(Arc::new(RealDisk), &options)?.missing.len())
}

/// Compiles what a plan wrote, except for what did not parse before.
fn compile(root: &Path, plan: &MovePlan) -> Outcome<()> {
    let broken: Vec<&str> = plan.unparsed.iter().map(|one| one.path.as_str()).collect();
    let paths: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.new.is_some() && change.new_path.rsplit('.').next() == Some("py"))
        .filter(|change| !broken.contains(&change.old_path.as_str()))
        .map(|change| format!("{}\n", change.new_path))
        .collect();
    let list = root.join(".switchback/compiled.txt");
    if RealDisk.look(&list)?.is_some() {
        RealDisk.remove_file(&list)?;
    }
    RealDisk.write_new(&list, 0o644, &mut paths.concat().as_bytes())?;
    let line = "python3 -W ignore -c \"[compile(open(path, 'rb').read(), path, 'exec') for path in open('.switchback/compiled.txt').read().split()]\" 2>&1";
    let finished = World::real().processes.run(&Command::shell(line, root, COMPILE_TIME_MAX))?;
    if finished.exit == Exit::Code(0) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    Err(format!("does not compile: {}", said.lines().last().unwrap_or_default()).into())
}

/// There and back; what differs then.
fn round_trip(root: &Path, old: &Files, from: &str, to: &str, unresolved: usize) -> Outcome<Vec<String>> {
    let there = moved(root, from, to)?;
    compile(root, &there)?;
    let after = missing(root)?;
    if after != unresolved {
        return Err(format!("{after} imports do not resolve, and {unresolved} did not before").into());
    }
    moved(root, to, from)?;
    let new = read(root)?;
    let made: Vec<&str> = there.created.iter().map(|file| file.path.as_str()).collect();
    let mut wrong = Vec::new();
    for (path, bytes) in old {
        match new.get(path) {
            Some(now) if now == bytes => {}
            Some(now) => wrong.push(format!("{path}: {}", first_difference(bytes, now))),
            None => wrong.push(format!("{path}: it is gone")),
        }
    }
    // A package that came into being for the move is nobody's afterwards.
    for path in new.keys().filter(|path| !old.contains_key(*path)) {
        if made.contains(&path.as_str()) {
            RealDisk.remove_file(&root.join(path))?;
        } else {
            wrong.push(format!("{path}: it was not there"));
        }
    }
    Ok(wrong)
}

fn first_difference(old: &[u8], new: &[u8]) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let line = old.lines().zip(new.lines()).position(|(one, other)| one != other);
    let shown = |text: &str| line.and_then(|line| text.lines().nth(line)).unwrap_or_default().to_owned();
    format!("line {}: `{}` became `{}`", line.map_or(0, |line| line + 1), shown(&old), shown(&new))
}

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let (Some(source), Some(copy), Some(top)) = (args.next(), args.next(), args.next()) else {
        return Err("give SOURCE COPY TOP [AWAY] [ONLY…]".into());
    };
    let away = args.next().filter(|away| away != "-");
    let only: Vec<String> = args.collect();
    let (source, copy) = (PathBuf::from(source), PathBuf::from(copy));
    let old = read(&source)?;
    make_directories(&RealDisk, copy.parent().unwrap_or(&copy), &copy)?;
    lay_out(&copy, &old)?;
    let unresolved = missing(&copy)?;
    let below =
        |name: &String| name.strip_prefix(&top).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let all = old
        .keys()
        .filter_map(|path| path.strip_suffix("/__init__.py"))
        .map(|path| path.replace('/', "."))
        .filter(below);
    let packages: Vec<String> = if only.is_empty() { all.collect() } else { only };
    let mut counts = [0_usize; 3];
    for package in &packages {
        let leaf = package.rsplit('.').next().unwrap_or(package);
        let to = match &away {
            Some(away) => format!("{away}.{leaf}"),
            None => format!("{package}_moved"),
        };
        let answer = round_trip(&copy, &old, package, &to, unresolved);
        let (at, told) = match answer {
            Ok(wrong) if wrong.is_empty() => (0, Vec::new()),
            Ok(wrong) => (1, wrong),
            Err(error) => (2, vec![error.to_string()]),
        };
        counts[at] += 1;
        if at == 0 {
            continue;
        }
        println!("{package} -> {to}: {}", if at == 1 { "not the same" } else { "not done" });
        for line in &told {
            println!("    {line}");
        }
        for path in read(&copy)?.keys() {
            RealDisk.remove_file(&copy.join(path))?;
        }
        lay_out(&copy, &old)?;
    }
    println!(
        "{} packages: {} same, {} not the same, {} not done",
        packages.len(),
        counts[0],
        counts[1],
        counts[2]
    );
    Ok(())
}
