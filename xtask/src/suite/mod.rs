//! `cargo xtask test`: provides what tests need, runs all of them, and closes with one line of counts.

pub mod counts;
pub mod needs;
pub mod packages;

use std::io::IsTerminal;

use crate::problem::Problem;
use crate::program::{Call, Stream};
use crate::workspace::Workspace;
use counts::Counts;
use needs::Need;

/// How many tests that are not run are named one by one.
const NOT_RUN_LISTED_MAX: usize = 20;

/// What `cargo xtask test` was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuiteOptions {
    /// Nothing is installed; tests of a missing tool are left out and named.
    pub no_install: bool,
    /// Tests that are marked `#[ignore]` run too.
    pub slow: bool,
    /// Only tests whose name contains this run.
    pub filter: Option<String>,
}

/// Runs all tests of the workspace, then its doctests. Answers whether all that ran passed.
pub fn test(workspace: &Workspace, options: &SuiteOptions) -> Result<bool, Problem> {
    let mut missing = needs::provide(needs::NEEDS, !options.no_install)?;
    missing.extend(packages::provide(workspace, !options.no_install)?);
    let runner = Runner::of(workspace)?;
    announce_not_run(workspace, runner, &missing)?;

    let tests = runner.call(workspace, options, &missing).show_and_keep(runner.summary_stream())?;
    let mut counts = runner.counts(&tests.text);
    let mut succeeded = tests.status.success();
    if !succeeded && counts.failed == 0 {
        // It did not come as far as running a test: its own message is above.
        return Err(Problem::new("could not run the tests", tests.status)
            .hint("the build's or the runner's message is above"));
    }

    let doctests = coloured(workspace.cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]));
    let doctests = options.filter.iter().fold(doctests, Call::argument).show_and_keep(Stream::Out)?;
    let of_docs = counts::of_libtest(&doctests.text);
    if !doctests.status.success() && of_docs.failed == 0 {
        return Err(
            Problem::new("could not run the doctests", doctests.status).hint("the build's message is above")
        );
    }
    counts = counts.and(of_docs);
    succeeded &= doctests.status.success();

    if counts.passed + counts.failed == 0 {
        let cause = match &options.filter {
            Some(filter) => format!("no test has `{filter}` in its name"),
            None => "the workspace has no test".to_owned(),
        };
        return Err(Problem::new("could not tell whether the tests pass: none ran", cause));
    }
    for need in &missing {
        println!(
            "could not tell: tests with `{}` in their name did not run, for want of {}",
            need.marker(),
            need.name
        );
    }
    println!("{counts}");
    Ok(succeeded)
}

/// The program that runs the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// cargo-nextest, which also leaves a `JUnit` file for `cargo xtask rows`.
    Nextest,
    /// `cargo test`, which every toolchain has.
    CargoTest,
}

impl Runner {
    /// Nextest when it is there, else `cargo test`.
    pub fn of(workspace: &Workspace) -> Result<Self, Problem> {
        let nextest = workspace.cargo(&["nextest", "--version"]).run()?;
        Ok(if nextest.status.success() { Self::Nextest } else { Self::CargoTest })
    }

    /// The call that runs the tests (all but doctests).
    fn call(self, workspace: &Workspace, options: &SuiteOptions, missing: &[&Need]) -> Call {
        let call = match self {
            Self::Nextest => nextest_call(workspace, options, missing),
            Self::CargoTest => cargo_test_call(workspace, options, missing),
        };
        coloured(call)
    }

    /// Where it prints its summary.
    fn summary_stream(self) -> Stream {
        match self {
            Self::Nextest => Stream::Error,
            Self::CargoTest => Stream::Out,
        }
    }

    fn counts(self, text: &str) -> Counts {
        match self {
            Self::Nextest => counts::of_nextest(text),
            Self::CargoTest => counts::of_libtest(text),
        }
    }
}

fn nextest_call(workspace: &Workspace, options: &SuiteOptions, missing: &[&Need]) -> Call {
    // Only a whole run may leave the results that `cargo xtask rows` trusts.
    // What hangs on the machine is there or not, whoever runs it: no row rests on it alone.
    let whole = options.filter.is_none() && missing.iter().all(|need| need.depends_on_machine);
    let profile = if whole { "ci" } else { "default" };
    let mut call =
        workspace.cargo(&["nextest", "run", "--workspace", "--no-tests", "pass", "--profile", profile]);
    if options.slow {
        call = call.argument("--run-ignored").argument("all");
    }
    if !missing.is_empty() {
        let excluded: Vec<String> = missing.iter().map(|need| format!("test({})", need.marker())).collect();
        call = call.argument("-E").argument(format!("not ({})", excluded.join(" or ")));
    }
    options.filter.iter().fold(call, Call::argument)
}

fn cargo_test_call(workspace: &Workspace, options: &SuiteOptions, missing: &[&Need]) -> Call {
    let call = workspace.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    let mut call = options.filter.iter().fold(call, Call::argument).argument("--");
    if options.slow {
        call = call.argument("--include-ignored");
    }
    for need in missing {
        call = call.argument("--skip").argument(need.marker());
    }
    call
}

/// The runner's output is read as well as shown, so it has to be told that a person is looking.
fn coloured(call: Call) -> Call {
    if std::io::stderr().is_terminal() { call.with("CARGO_TERM_COLOR", "always") } else { call }
}

/// Names the tests that are left out for want of a tool.
fn announce_not_run(workspace: &Workspace, runner: Runner, missing: &[&Need]) -> Result<(), Problem> {
    for need in missing {
        let names = match runner {
            Runner::Nextest => {
                let filter = format!("test({})", need.marker());
                workspace
                    .cargo(&["nextest", "list", "--workspace", "--message-format", "oneline", "-E", &filter])
                    .output()?
            }
            Runner::CargoTest => {
                workspace.cargo(&["test", "--workspace", "--", "--list", &need.marker()]).output()?
            }
        };
        let names: Vec<&str> = names.lines().filter(|line| line.contains(&need.marker())).collect();
        println!("{} is missing ({}): {} tests are not run", need.name, need.used_by, names.len());
        for name in names.iter().take(NOT_RUN_LISTED_MAX) {
            println!("  not run: {}", name.trim_end_matches(": test"));
        }
        if let Some(more @ 1..) = names.len().checked_sub(NOT_RUN_LISTED_MAX) {
            println!("  … and {more} more");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(runner: Runner, options: &SuiteOptions, missing: &[&Need]) -> String {
        runner.call(&Workspace { root: ".".into() }, options, missing).to_string()
    }

    #[test]
    fn a_whole_run_leaves_results_for_the_rows() {
        let shown = line(Runner::Nextest, &SuiteOptions::default(), &[]);
        assert!(shown.ends_with("--profile ci"), "{shown}");
    }

    #[test]
    fn a_partial_run_does_not() {
        let filtered = SuiteOptions { filter: Some("journal".to_owned()), ..SuiteOptions::default() };
        let shown = line(Runner::Nextest, &filtered, &[]);
        assert!(shown.ends_with("--profile default journal"), "{shown}");
    }

    #[test]
    fn tests_of_a_missing_tool_are_excluded_by_name() {
        let missing: Vec<&Need> = needs::NEEDS.iter().filter(|need| need.name != "git").collect();
        let options = SuiteOptions { slow: true, ..SuiteOptions::default() };
        let shown = line(Runner::Nextest, &options, &missing);
        let excluded = "-E not (test(needs_python3) or test(needs_venv) or test(needs_pytest) or test(needs_rsync) or \
             test(needs_restic) or test(needs_borg) or test(needs_strace) or \
             test(needs_chromium) or test(needs_postgresql) or test(needs_sshd) or test(needs_npm) or test(needs_jupyter) or \
             test(needs_yaml_loaders) or test(needs_systemd) or test(needs_hyperfine) or test(needs_loop) or test(needs_xfs) or test(needs_btrfs))";
        assert!(shown.ends_with(&format!("--profile default --run-ignored all {excluded}")), "{shown}");
        let shown = line(Runner::CargoTest, &options, &missing);
        let excluded = "--skip needs_python3 --skip needs_venv --skip needs_pytest --skip needs_rsync --skip needs_restic \
             --skip needs_borg --skip needs_strace --skip needs_chromium \
             --skip needs_postgresql --skip needs_sshd --skip needs_npm --skip needs_jupyter --skip needs_yaml_loaders --skip needs_systemd --skip needs_hyperfine --skip needs_loop \
             --skip needs_xfs --skip needs_btrfs";
        assert!(shown.ends_with(&format!("-- --include-ignored {excluded}")), "{shown}");
    }
}
