//! Two tables of six million rows, compared by Switchback and by what people would use instead.

use std::path::PathBuf;

use crate::bench::contest::{Contender, Contest};
use crate::bench::peer::{self, environment, json, samples, shown};
use crate::bench::{Benchmark, Setting};
use crate::problem::Problem;
use crate::program::Call;
use crate::workspace::{Workspace, read_text};

const RUNS: usize = 5;
const WARMUPS: usize = 1;
/// The slow peers take part where the targets name them, less often.
const SLOW_RUNS: usize = 3;
const KEY: &str = "l_orderkey,l_linenumber";
/// The scripts, from the root.
const SCRIPTS: &str = "xtask/bench/compare";
/// Where the large tables meet a small memory.
const SMALL_MEMORY: &str = "1GiB";

/// What takes part, and on what.
struct Ground {
    switchback: PathBuf,
    decode: PathBuf,
    scripts: PathBuf,
    /// DuckDB, polars, pointblank, diffly.
    python: PathBuf,
    datacompy: PathBuf,
    tables: PathBuf,
}

/// Lays out the comparison at scale factor 1, 6,001,215 rows.
pub fn lay_out(setting: &Setting) -> Result<Benchmark, Problem> {
    let ground = Ground::lay(setting, "1", &["same", "rewritten", "changed", "shuffled", "column"])?;
    let runs = setting.runs.unwrap_or(RUNS);
    let slow_runs = setting.runs.unwrap_or(SLOW_RUNS);
    let contest = |name: &str, runs: usize, contenders: Vec<Contender>| Contest {
        name: name.to_owned(),
        warmups: WARMUPS,
        runs,
        contenders,
    };
    let within = |contender: Contender| contender.held_to_times("wall", 1.2, "arrow-rs, decoding both");
    let faster = |contender: Contender| {
        let third = 1.0 / 3.0;
        contender.held_to_times("wall", third, "DuckDB").held_to_times("wall", third, "polars")
    };
    let contests = vec![
        contest("the same bytes", runs, ground.with_joins("old", "same", within)?),
        contest("the same rows by another writer", runs, ground.with_joins("old", "rewritten", within)?),
        contest("1 % of the rows changed", runs, ground.with_joins("old", "changed", faster)?),
        contest("the same rows in another order", runs, ground.with_joins("old", "shuffled", |ours| ours)?),
        contest("one column changed in every row", runs, ground.with_joins("plain", "column", |ours| ours)?),
        contest("1 % of the rows changed, the slower peers", slow_runs, ground.with_peers("old", "changed")?),
    ];
    Ok(Benchmark {
        name: "compare",
        about: "The table `lineitem` of TPC-H at scale factor 1 (6,001,215 rows, 16 columns) as Parquet, by its key \
                of two columns. DuckDB and polars count rows and cells that differ by a full outer join written by \
                hand. Each ends with the counts that it must find. *arrow-rs, decoding both* reads both files by two \
                threads and compares nothing."
            .to_owned(),
        versions: ground.versions(),
        contests,
    })
}

/// Lays out the comparison at scale factor 10 with a small memory.
pub fn lay_out_large(setting: &Setting) -> Result<Benchmark, Problem> {
    let ground = Ground::lay(setting, "10", &["changed", "shuffled"])?;
    let contest = |name: &str, new: &str| {
        let ours = ground.switchback("old", new, &["--memory", SMALL_MEMORY])?;
        let duckdb = ground.script("DuckDB", "duckdb_join.py", "old", new, &[SMALL_MEMORY])?;
        let contenders = vec![ours, duckdb];
        Ok(Contest { name: name.to_owned(), warmups: 0, runs: setting.runs.unwrap_or(1), contenders })
    };
    Ok(Benchmark {
        name: "compare-large",
        about: format!(
            "The same table at scale factor 10 (59,986,052 rows), with {SMALL_MEMORY} of memory allowed to each."
        ),
        versions: ground.versions(),
        contests: vec![
            contest("1 % of the rows changed", "changed")?,
            contest("the same rows in another order", "shuffled")?,
        ],
    })
}

impl Ground {
    fn lay(setting: &Setting, scale: &str, cases: &[&str]) -> Result<Self, Problem> {
        let workspace = Workspace::find()?;
        let scripts = workspace.root.join(SCRIPTS);
        let environments = workspace.target_directory()?.join("bench-environments");
        let python = environment(&environments.join("peers"), &scripts.join("requirements.txt"))?;
        let datacompy =
            environment(&environments.join("datacompy"), &scripts.join("requirements-datacompy.txt"))?;
        let tables = setting.scratch.join("tables");
        let cases = cases.join(",");
        Call::new(
            &shown(&python.join("python")),
            &[&shown(&scripts.join("cases.py")), scale, &shown(&tables), &cases],
        )
        .output()?;
        let arguments = ["build", "--release", "--package", "switchback-compare", "--example", "decode"];
        let status = workspace.cargo(&arguments).show()?;
        if !status.success() {
            return Err(Problem::new("could not build what decodes", status));
        }
        Ok(Self {
            switchback: setting.switchback.clone(),
            decode: workspace.target_directory()?.join("release/examples/decode"),
            scripts,
            python,
            datacompy,
            tables,
        })
    }

    fn versions(&self) -> Vec<Vec<String>> {
        vec![
            vec![shown(&self.switchback), "--version".to_owned()],
            peer::versions(&self.python, "duckdb polars pointblank diffly pyarrow tpchgen-cli"),
            peer::versions(&self.datacompy, "datacompy polars"),
        ]
    }

    fn table(&self, name: &str) -> String {
        shown(&self.tables.join(format!("{name}.parquet")))
    }

    fn with_joins(
        &self,
        old: &str,
        new: &str,
        held: impl Fn(Contender) -> Contender,
    ) -> Result<Vec<Contender>, Problem> {
        Ok(vec![
            held(self.switchback(old, new, &[])?),
            self.contender(
                "arrow-rs, decoding both",
                &[shown(&self.decode), "2".to_owned(), self.table(old), self.table(new)],
            )?,
            self.script("DuckDB", "duckdb_join.py", old, new, &[])?,
            self.script("polars", "polars_join.py", old, new, &[])?,
        ])
    }

    fn with_peers(&self, old: &str, new: &str) -> Result<Vec<Contender>, Problem> {
        let ours = self.switchback(old, new, &[])?.held_to_times("wall", 1.0 / 8.0, "datacompy");
        let (old, new) = (self.table(old), self.table(new));
        let line = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut pointblank = vec![shown(&self.python.join("pb"))];
        pointblank.extend(line("compare -k l_orderkey -k l_linenumber"));
        pointblank.extend([old.clone(), new.clone()]);
        let mut diffly = vec![shown(&self.python.join("diffly"))];
        diffly.extend(line("--primary-key l_orderkey --primary-key l_linenumber"));
        diffly.extend([old.clone(), new.clone()]);
        let mut datacompy = vec![shown(&self.datacompy.join("datacompy"))];
        datacompy.extend(line("compare --backend polars --on l_orderkey,l_linenumber --left"));
        datacompy.extend([old, "--right".to_owned(), new]);
        Ok(vec![
            ours,
            self.contender("pointblank", &pointblank)?,
            self.contender("datacompy", &datacompy)?,
            self.contender("diffly", &diffly)?,
        ])
    }

    /// Ours. That it finds what is there is asked once, before it is timed.
    fn switchback(&self, old: &str, new: &str, more: &[&str]) -> Result<Contender, Problem> {
        let mut command =
            vec![shown(&self.switchback), "compare".to_owned(), self.table(old), self.table(new)];
        command.extend(["--key", KEY].map(str::to_owned));
        command.extend(more.iter().map(|&argument| argument.to_owned()));
        let ask = Call::new(&command[0], &[]);
        let ask = command[1..].iter().fold(ask, |call, argument| call.argument(argument.as_str()));
        let report = json(&ask.argument("--json").run()?.text)?;
        let rows = &report["items"][0]["rows"];
        let found = (rows["different"].as_u64(), rows["compared"].as_u64());
        self.expect(old, new, found, (rows["only_old"].as_u64(), rows["only_new"].as_u64()))?;
        self.contender("switchback", &command)
    }

    fn script(
        &self,
        name: &str,
        script: &str,
        old: &str,
        new: &str,
        more: &[&str],
    ) -> Result<Contender, Problem> {
        let mut command = vec![shown(&self.python.join("python")), shown(&self.scripts.join(script))];
        command.extend([self.table(old), self.table(new)]);
        command.extend(more.iter().map(|&argument| argument.to_owned()));
        let ask = Call::new(&command[0], &[]);
        let ask = command[1..].iter().fold(ask, |call, argument| call.argument(argument.as_str()));
        let found = json(&ask.output()?)?;
        let truth = self.truth()?;
        let counts = (found["rows_changed"].as_u64(), truth["rows"].as_u64());
        self.expect(old, new, counts, (found["only_old"].as_u64(), found["only_new"].as_u64()))?;
        self.contender(name, &command)
    }

    fn truth(&self) -> Result<serde_json::Value, Problem> {
        json(&read_text(&self.tables.join("truth.json"))?)
    }

    /// Fails unless what was found is what was planted: who finds nothing is quick, too.
    fn expect(
        &self,
        old: &str,
        new: &str,
        (changed, rows): (Option<u64>, Option<u64>),
        one_sided: (Option<u64>, Option<u64>),
    ) -> Result<(), Problem> {
        let truth = self.truth()?;
        let expected = match new {
            "changed" => truth["rows_changed"].as_u64(),
            "column" => truth["rows"].as_u64(),
            _ => Some(0),
        };
        if changed == expected && rows == truth["rows"].as_u64() && one_sided == (Some(0), Some(0)) {
            return Ok(());
        }
        let cause =
            format!("{changed:?} of {rows:?} rows changed and {one_sided:?} on one side, not {expected:?}");
        Err(Problem::new(format!("could not trust a comparison of `{old}` with `{new}`"), cause))
    }

    fn contender(&self, name: &str, command: &[String]) -> Result<Contender, Problem> {
        let line = peer::line(command, &self.tables);
        let call = peer::measured(command)?;
        Ok(Contender::new(name, &[&line], Box::new(move || samples(&call))))
    }
}
