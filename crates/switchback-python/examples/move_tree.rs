//! `move_tree TREE [FROM TO]… [--rules F] [--source-root D]… [--no-text] [--write] [--json]`: a move and nothing else of Switchback.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::path::PathBuf;
use std::process::ExitCode;

use switchback_core::code::MoveRequest;
use switchback_core::port::PortError;
use switchback_core::verdict::Verdict;
use switchback_core::world::World;
use switchback_python::moving::{plan, write};
use switchback_python::ports::move_options;

/// The exit code of a move that could not be planned or written.
const COULD_NOT: u8 = 2;

struct Arguments {
    tree: PathBuf,
    request: MoveRequest,
    is_written: bool,
    is_json: bool,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| run(&arguments)) {
        Ok(verdict) => ExitCode::from(u8::from(verdict != Verdict::Yes)),
        Err(lines) => {
            eprintln!("{}", lines.join("\n"));
            ExitCode::from(COULD_NOT)
        }
    }
}

fn arguments() -> Result<Arguments, Vec<String>> {
    let mut given = std::env::args().skip(1);
    let mut names = Vec::new();
    let mut request = MoveRequest { with_text: true, ..MoveRequest::default() };
    let (mut is_written, mut is_json) = (false, false);
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| vec![format!("`{argument}` needs a value")]);
        match argument.as_str() {
            "--rules" => request.rules = Some(PathBuf::from(value()?)),
            "--source-root" => request.source_roots.push(value()?),
            "--no-text" => request.with_text = false,
            "--write" => is_written = true,
            "--json" => is_json = true,
            other if other.starts_with("--") => return Err(vec![format!("there is no option `{other}`")]),
            _ => names.push(argument),
        }
    }
    let mut names = names.into_iter();
    let tree = names.next().map(PathBuf::from).ok_or_else(|| vec!["give a tree".to_owned()])?;
    while let Some(from) = names.next() {
        let to = names.next().ok_or_else(|| vec![format!("`{from}` has no TO")])?;
        request.pairs.push((from, to));
    }
    Ok(Arguments { tree, request, is_written, is_json })
}

fn run(arguments: &Arguments) -> Result<Verdict, Vec<String>> {
    let world = World::real();
    let options = move_options(&world, &arguments.tree, &arguments.request).map_err(|error| told(&error))?;
    let planned = plan(world.disk.clone(), &options).map_err(|error| told(&PortError::from(&error)))?;
    if arguments.is_json {
        println!("{}", planned.to_json());
    } else {
        print!("{}", planned.diff());
        for line in planned.left_told().iter().chain(&planned.proof.told()) {
            eprintln!("{line}");
        }
        eprintln!("{}", planned.summary());
    }
    if arguments.is_written && planned.verdict() == Verdict::Yes {
        write(&world, &planned, "move_tree").map_err(|error| vec![error.to_string()])?;
    }
    Ok(planned.verdict())
}

fn told(error: &PortError) -> Vec<String> {
    std::iter::once(error.message.clone())
        .chain(error.causes.iter().map(|cause| format!("  caused by: {cause}")))
        .chain(error.hint.iter().map(|hint| format!("hint: {hint}")))
        .collect()
}
