//! How long the program takes to start: `--version`, and `status` over a journal of 10,000 events.

use crate::bench::contest::{Contender, Contest};
use crate::bench::timing::{samples, timed};
use crate::bench::{Benchmark, Setting, ground};
use crate::problem::Problem;
use crate::program::Call;

const RUNS: usize = 50;
const WARMUPS: usize = 5;
const EVENTS: usize = 10_000;
const TARGET_MS: f64 = 20.0;

/// Lays a project with a long journal, and lets the programs start in turns.
pub fn lay_out(setting: &Setting) -> Result<Benchmark, Problem> {
    let project = setting.scratch.join("project");
    let events = ground::lay_journal(&setting.switchback, &project, EVENTS)?;
    let status = ground::switchback(&setting.switchback, &project, &["status"]);
    expect_status(&ground::switchback(&setting.switchback, &project, &["status", "--json"]))?;

    let program = setting.switchback.display().to_string();
    let version = Call::new(&program, &["--version"]);
    let contenders = vec![
        starter("switchback --version", version).held_to("start, to exit", TARGET_MS),
        starter("switchback status", status).held_to("start, to exit", TARGET_MS),
        starter("rsync --version", Call::new("rsync", &["--version"])),
        starter("git --version", Call::new("git", &["--version"])),
    ];
    let versions = [program.as_str(), "rsync", "git"];
    Ok(Benchmark {
        name: "start",
        about: format!(
            "From the start of the process to its exit. The journal that `status` folds has {events} events. \
             `rsync --version` and `git --version` are the floor: programs that do nothing but start."
        ),
        versions: versions
            .iter()
            .map(|program| vec![(*program).to_owned(), "--version".to_owned()])
            .collect(),
        contests: vec![Contest {
            name: "warm".to_owned(),
            warmups: WARMUPS,
            runs: setting.runs.unwrap_or(RUNS),
            contenders,
        }],
    })
}

fn starter(line: &str, call: Call) -> Contender {
    Contender::new(line, &[line], Box::new(move || Ok(samples("start", timed(&call, None)?))))
}

/// A program that ends with an error is quick, too: what is timed must be a real answer.
fn expect_status(call: &Call) -> Result<(), Problem> {
    let document = call.output()?;
    if document.contains("switchback/status/") {
        return Ok(());
    }
    Err(Problem::new(format!("could not trust `{call}`"), "it printed no status document"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cutover::stand_in;

    #[test]
    fn needs_rsync_and_needs_git_all_contenders_start() {
        let scratch = tempfile::tempdir().unwrap();
        let setting = Setting {
            switchback: stand_in(scratch.path()),
            scratch: scratch.path().to_owned(),
            runs: Some(2),
            files: None,
        };
        let benchmark = lay_out(&setting).unwrap();
        assert!(benchmark.about.contains("12000 events"), "{}", benchmark.about);
        let rows = benchmark.contests[0].hold().unwrap();
        let who: Vec<&str> = rows.iter().map(|row| row.contender.as_str()).collect();
        assert_eq!(who, ["switchback --version", "switchback status", "rsync --version", "git --version"]);
        assert_eq!(rows.iter().filter(|row| !row.targets.is_empty()).count(), 2);
    }
}
