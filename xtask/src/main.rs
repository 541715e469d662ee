//! `cargo xtask`: reads the command line, runs one chore, turns its end into an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line of the chores")]

use std::process::ExitCode;

use xtask::bench::{self, BenchOptions};
use xtask::problem::Problem;
use xtask::rows::{self, RowsOptions};
use xtask::suite::{self, SuiteOptions};
use xtask::workspace::Workspace;

const HELP: &str = "\
Chores of the project.

Usage: cargo xtask <CHORE>

  test [--no-install] [--slow] [FILTER]  runs every test, and installs what tests need when it is missing
       --no-install    installs nothing; says which tests are not run for want of what
       --slow          runs the slow tests too (those marked `#[ignore]`)
       FILTER          runs only the tests whose name contains this
  rows [--json]                          every row of the mission that is claimed: its tests, and how they ended
  bench [NAME] [--runs N] [--files N] [--scratch DIR] [--program FILE]
                                         measures beside the peers, and writes docs/benchmarks.md
       NAME            `start`, `cutover`, `undo`, `compare`, `compare-large` or `code`; all of them when left out
       --runs, --files fewer runs or files than stated: a trial, shown but not written
       --scratch       where the trees are laid; the target directory when left out
       --program       measures this program instead of one that is built for it: a trial, too

Exit codes: 0 it holds; 1 it does not (a test failed, a row is not proved); 2 could not tell.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Chore {
    Help,
    Test(SuiteOptions),
    Rows(RowsOptions),
    Bench(BenchOptions),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match read(&arguments).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

fn run(chore: Chore) -> Result<bool, Problem> {
    match chore {
        Chore::Help => {
            print!("{HELP}");
            Ok(true)
        }
        Chore::Test(options) => suite::test(&Workspace::find()?, &options),
        Chore::Rows(options) => rows::rows(&Workspace::find()?, &options),
        Chore::Bench(options) => bench::bench(&Workspace::find()?, &options),
    }
}

fn read(arguments: &[String]) -> Result<Chore, Problem> {
    let Some((chore, rest)) = arguments.split_first() else { return Ok(Chore::Help) };
    if rest.iter().any(|argument| argument == "--help" || argument == "-h") {
        return Ok(Chore::Help);
    }
    match chore.as_str() {
        "help" | "--help" | "-h" => Ok(Chore::Help),
        "test" => read_test(rest).map(Chore::Test),
        "rows" => read_rows(rest).map(Chore::Rows),
        "bench" => read_bench(rest).map(Chore::Bench),
        unknown => Err(misunderstood(&format!("`{unknown}` is not a chore"))),
    }
}

fn read_test(arguments: &[String]) -> Result<SuiteOptions, Problem> {
    let mut options = SuiteOptions::default();
    for argument in arguments {
        match argument.as_str() {
            "--no-install" => options.no_install = true,
            "--slow" => options.slow = true,
            flag if flag.starts_with('-') => {
                return Err(misunderstood(&format!("`test` has no option `{flag}`")));
            }
            filter => once(&mut options.filter, filter.to_owned(), "FILTER")?,
        }
    }
    Ok(options)
}

fn read_rows(arguments: &[String]) -> Result<RowsOptions, Problem> {
    let mut options = RowsOptions::default();
    for argument in arguments {
        match argument.as_str() {
            "--json" => options.json = true,
            other => return Err(misunderstood(&format!("`rows` does not take `{other}`"))),
        }
    }
    Ok(options)
}

fn read_bench(arguments: &[String]) -> Result<BenchOptions, Problem> {
    let mut options = BenchOptions::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value =
            || rest.next().ok_or_else(|| misunderstood(&format!("`{argument}` needs a value after it")));
        match argument.as_str() {
            "--runs" => options.runs = Some(count(argument, value()?)?),
            "--files" => options.files = Some(count(argument, value()?)?),
            "--scratch" => options.scratch = Some(value()?.into()),
            "--program" => options.program = Some(value()?.into()),
            flag if flag.starts_with('-') => {
                return Err(misunderstood(&format!("`bench` has no option `{flag}`")));
            }
            name => once(&mut options.name, name.to_owned(), "NAME")?,
        }
    }
    Ok(options)
}

fn once(place: &mut Option<String>, value: String, what: &str) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(first) => Err(misunderstood(&format!("one {what} is enough, and `{first}` was given already"))),
    }
}

fn count(flag: &str, text: &str) -> Result<usize, Problem> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(misunderstood(&format!("`{flag}` needs a whole number above zero, not `{text}`"))),
    }
}

fn misunderstood(cause: &str) -> Problem {
    Problem::new("could not read the command line", cause).hint("`cargo xtask help` shows what there is")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Chore, Problem> {
        read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_full_line_is_read() {
        let expected = SuiteOptions { no_install: true, slow: true, filter: Some("journal".to_owned()) };
        assert_eq!(read_line("test --slow journal --no-install").unwrap(), Chore::Test(expected));
        assert_eq!(read_line("rows --json").unwrap(), Chore::Rows(RowsOptions { json: true }));
        let bench = BenchOptions {
            name: Some("start".to_owned()),
            runs: Some(3),
            files: Some(10),
            scratch: Some("there".into()),
            program: Some("built/switchback".into()),
        };
        let line = "bench start --runs 3 --files 10 --scratch there --program built/switchback";
        assert_eq!(read_line(line).unwrap(), Chore::Bench(bench));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_reason() {
        for (line, reason) in [
            ("tests", "`tests` is not a chore"),
            ("test --fast", "`test` has no option `--fast`"),
            ("test a b", "`a` was given already"),
            ("rows RB-1", "`rows` does not take `RB-1`"),
            ("bench --runs", "`--runs` needs a value"),
            ("bench --runs 0", "above zero, not `0`"),
        ] {
            let shown = read_line(line).unwrap_err().to_string();
            assert!(shown.contains(reason), "`{line}` gave: {shown}");
        }
    }
}
