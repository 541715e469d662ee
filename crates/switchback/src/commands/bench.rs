//! `switchback bench`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use switchback_core::bisect::free_scratch;
use switchback_core::performance::document::{self, About};
use switchback_core::performance::{
    Baseline, BaselineError, CaseFinding, Draft, Kept, Line, Machine, Measure, PerformanceRule, Program,
    Programs, RatioRequest, RunFailed, Runs, Session, Step, page, refuse, seconds,
};
use switchback_core::phase::StepError;
use switchback_core::tree::copy::remove_tree;
use switchback_core::verdict::Verdict;

use super::Context;
use crate::bench_args::{
    BenchCommand, BenchCompareArgs, BenchRunArgs, BenchUpdateArgs, JudgedArgs, MeasuredArgs,
};
use crate::failure::Failure;

/// Runs that a baseline is made of, when nothing else is said.
const UPDATE_TURNS: u64 = 30;

pub(crate) fn bench(context: &Context<'_>, command: &BenchCommand) -> Result<Verdict, Failure> {
    match command {
        BenchCommand::Run(args) => run(context, args),
        BenchCommand::Compare(args) if args.samples.is_empty() => compare(context, args),
        BenchCommand::Compare(args) => samples(context, args),
        BenchCommand::Update(args) => update(context, args),
    }
}

fn run(context: &Context<'_>, args: &BenchRunArgs) -> Result<Verdict, Failure> {
    let new = Program { line: Line::of(&args.command), tree: context.root.clone() };
    let has_old = args.old.is_some() || args.old_command.is_some();
    let old = if has_old { Some(old_program(args, &new)?) } else { None };
    let mut draft = draft(&args.measured, Some(&args.judged))?;
    if !has_old && args.baseline.is_none() && draft.budgets.is_empty() {
        // Nothing is to be decided: no further turn would help.
        draft.turns_max = draft.turns_max.or(draft.turns).or(Some(10));
    }
    let rule = rule(&draft)?;
    let machine = Machine::this(context.ports.world.disk.as_ref());
    let kept = match &args.baseline {
        Some(path) => Some(kept(context, path, &args.measured.name, &args.judged, &machine)?),
        None => None,
    };
    let method = match () {
        () if has_old => "turns",
        () if kept.is_some() => "baseline",
        () if !rule.budgets.is_empty() => "budgets",
        () => "none",
    };
    let asked =
        Asked { rule: &rule, measured: &args.measured, old, new, kept: kept.as_ref(), machine: &machine };
    let cases = asked.carry_out(context)?;
    Ok(asked.show(context, method, &cases))
}

fn old_program(args: &BenchRunArgs, new: &Program) -> Result<Program, Failure> {
    let line = args.old_command.as_ref().map_or_else(|| new.line.clone(), |line| Line::Shell(line.clone()));
    let tree = match &args.old {
        Some(folder) => std::path::absolute(folder).map_err(|source| {
            let error = switchback_core::world::DiskError::new("find the folder", folder, source);
            Failure::doing("could not find the old program", StepError::Disk(error))
        })?,
        None => new.tree.clone(),
    };
    Ok(Program { line, tree: tree.components().collect() })
}

fn compare(context: &Context<'_>, args: &BenchCompareArgs) -> Result<Verdict, Failure> {
    let new = Program { line: Line::of(&args.command), tree: context.root.clone() };
    let rule = rule(&draft(&args.measured, Some(&args.judged))?)?;
    let machine = Machine::this(context.ports.world.disk.as_ref());
    let path = args.baseline.clone().unwrap_or_default();
    let kept = kept(context, &path, &args.measured.name, &args.judged, &machine)?;
    let asked =
        Asked { rule: &rule, measured: &args.measured, old: None, new, kept: Some(&kept), machine: &machine };
    let cases = asked.carry_out(context)?;
    Ok(asked.show(context, "baseline", &cases))
}

fn update(context: &Context<'_>, args: &BenchUpdateArgs) -> Result<Verdict, Failure> {
    let mut draft = draft(&args.measured, None)?;
    draft.turns = draft.turns.or(Some(UPDATE_TURNS));
    draft.turns_max = draft.turns;
    let rule = rule(&draft)?;
    let disk = context.ports.world.disk.as_ref();
    let machine = Machine::this(disk);
    // Whether it can be read is known before anything is measured.
    let mut baseline =
        Baseline::read_or_new(disk, &args.baseline).map_err(|error| baseline_failure(&error))?;
    let new = Program { line: Line::of(&args.command), tree: context.root.clone() };
    let shown = new.line.shown();
    let asked =
        Asked { rule: &rule, measured: &args.measured, old: None, new, kept: None, machine: &machine };
    let mut cases = asked.carry_out(context)?;
    for case in &mut cases {
        // Nothing was asked but to keep it.
        (case.verdict, case.why) = (Verdict::Yes, Vec::new());
    }
    let time = context.ports.world.clock.now().to_string();
    baseline.take(&args.measured.name, &shown, time, &machine, &cases);
    baseline.write(disk).map_err(|error| baseline_failure(&error))?;
    let verdict = asked.show(context, "update", &cases);
    context.ui.note(&format!("  kept as `{}` in `{}`", args.measured.name, args.baseline.display()));
    Ok(verdict)
}

/// What is asked for: what is run, and what it is held against.
struct Asked<'a> {
    rule: &'a PerformanceRule,
    measured: &'a MeasuredArgs,
    old: Option<Program>,
    new: Program,
    kept: Option<&'a Kept>,
    machine: &'a Machine,
}

impl Asked<'_> {
    fn carry_out(&self, context: &Context<'_>) -> Result<Vec<CaseFinding>, Failure> {
        let world = &context.ports.world;
        let over = over(&self.measured.over, [self.old.as_ref(), Some(&self.new)])?;
        let parent =
            world.surroundings.variable("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let at_scratch = |error| Failure::doing("could not make room for the runs", StepError::Disk(error));
        let scratch = free_scratch(world, &parent).map_err(at_scratch)?;
        world.disk.make_directory(&scratch, 0o700).map_err(at_scratch)?;
        let programs = Programs {
            world,
            old: self.old.clone(),
            new: self.new.clone(),
            values: Vec::new(),
            variables: &[],
            confinement: None,
            counters: &self.rule.counters,
            exit_code: self.measured.exit_code,
            timeout: Duration::from_secs(self.measured.timeout_s.max(1)),
            scratch: scratch.clone(),
            runs: 0,
        };
        let statistician = context.ports.statistician.as_ref();
        let mut session =
            Session { rule: self.rule, over: &over, statistician, programs, kept: self.kept, within: None };
        let mut told = |name: &str, step: Step| {
            if step.turns == 0 {
                let case = if name.is_empty() { String::new() } else { format!(" {name}") };
                context.ui.note(&format!("  measuring{case}: at most {} turns", step.turns_max));
            }
        };
        let found = session.carry_out(&mut told);
        let removed = remove_tree(world.disk.as_ref(), &scratch);
        let found = found.map_err(|failed| run_failure(&failed))?;
        removed.map_err(at_scratch)?;
        Ok(found)
    }

    fn show(&self, context: &Context<'_>, method: &str, cases: &[CaseFinding]) -> Verdict {
        let verdict = document::verdict(cases);
        let old = self.old.as_ref().map(|old| old.line.shown());
        let about = About {
            method,
            old: old.as_deref(),
            new: &self.new.line.shown(),
            rule: self.rule,
            machine: self.machine,
        };
        let ui = context.ui;
        if ui.json {
            let mut document = document::of_cases(&about, cases);
            if let Some(kept) = self.kept {
                document["baseline"] = told_baseline(&self.measured.name, kept);
            }
            ui.document(&document);
            return verdict;
        }
        for case in cases {
            let name = if case.name.is_empty() { String::new() } else { format!("{}: ", case.name) };
            ui.show(&format!("{name}{}: {}", ui.verdict(case.verdict), page::of_case(case)));
            for table in [page::table(case), page::budgets(case)] {
                ui.table(&table);
            }
            for found in &case.measures {
                if let Some(why) = &found.why {
                    ui.show(&format!("  not measured: {}: {why}", found.measure.name()));
                }
            }
        }
        if cases.len() > 1 {
            ui.show(&format!("{}: {}", ui.verdict(verdict), page::line(cases)));
        }
        verdict
    }
}

fn told_baseline(name: &str, kept: &Kept) -> Value {
    json!({"name": name, "time": kept.time, "command": kept.command, "differences": kept.differences})
}

fn samples(context: &Context<'_>, args: &BenchCompareArgs) -> Result<Verdict, Failure> {
    let mut draft = draft(&args.measured, Some(&args.judged))?;
    // They are times, whatever else could decide.
    draft.measures = vec!["time".to_owned()];
    let rule = rule(&draft)?;
    let disk = context.ports.world.disk.as_ref();
    let read = |path: &Path| {
        seconds(disk, path).map_err(|error| Failure {
            path: Some(path.to_owned()),
            line: error.line(),
            ..Failure::new("could not read the samples", vec![error.to_string()], error.help())
        })
    };
    let [old, new] = args.samples.as_slice() else { return Ok(Verdict::Unknown) };
    let (old, new) = (read(old)?, read(new)?);
    if args.paired && old.len() != new.len() {
        let what = format!("the lists have {} and {} values, and cannot be paired", old.len(), new.len());
        return Err(Failure::new(what, Vec::new(), "leave `--paired` out, or give both every turn"));
    }
    let turns: Vec<(f64, f64)> = old.iter().copied().zip(new.iter().copied()).collect();
    let margin = rule.margins.get(&Measure::Time).copied().unwrap_or_default();
    let runs = if args.paired { Runs::InTurn(&turns) } else { Runs::Apart { old: &old, new: &new } };
    let request = RatioRequest { runs, margin, alpha: rule.alpha, seed: rule.seed };
    let found = context.ports.statistician.slowdown(&request);
    if context.ui.json {
        context.ui.document(&document::of_samples(&request, &found));
        return Ok(found.verdict);
    }
    let lines = page::of_samples(&request, &found);
    let (first, rest) = lines.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    context.ui.show(&format!("{}: {first}", context.ui.verdict(found.verdict)));
    for line in rest {
        context.ui.show(&format!("  {line}"));
    }
    Ok(found.verdict)
}

fn kept(
    context: &Context<'_>,
    path: &Path,
    name: &str,
    judged: &JudgedArgs,
    machine: &Machine,
) -> Result<Kept, Failure> {
    let disk = context.ports.world.disk.as_ref();
    let baseline = Baseline::read(disk, path).map_err(|error| baseline_failure(&error))?;
    let kept = baseline.kept(name, machine).map_err(|error| baseline_failure(&error))?;
    if kept.differences.is_empty() {
        return Ok(kept);
    }
    if judged.other_machine {
        for difference in &kept.differences {
            context.ui.note(&format!("warning: the baseline is of another machine: {difference}"));
        }
        return Ok(kept);
    }
    let hint = "take figures on this machine with `switchback bench update`, or give `--other-machine`";
    let what = format!("the baseline `{}` is of another machine", path.display());
    Err(Failure { path: Some(path.to_owned()), ..Failure::new(what, kept.differences, hint) })
}

fn baseline_failure(error: &BaselineError) -> Failure {
    let (what, path, hint) = match error {
        BaselineError::None(path) => (
            "there is nothing to compare with",
            Some(path.clone()),
            "`switchback bench update --baseline FILE -- COMMAND` makes it",
        ),
        BaselineError::Disk(error) => (
            "could not get at the baseline",
            Some(error.path.clone()),
            "correct the cause, then run the same command again",
        ),
        BaselineError::Format { path, .. } => (
            "could not read the baseline",
            Some(path.clone()),
            "bring it back as it was, or remove it and make it anew with `switchback bench update`",
        ),
        BaselineError::NoEntry { path, .. } => (
            "there is nothing to compare with",
            Some(path.clone()),
            "name one of them with `--name`, or keep some under this name with `switchback bench update`",
        ),
    };
    Failure { path, ..Failure::new(what, vec![error.to_string()], hint) }
}

fn run_failure(failed: &RunFailed) -> Failure {
    let causes = std::iter::once(failed.what.clone()).chain(failed.output.iter().cloned()).collect();
    let hint =
        "make it run by itself first; `--exit-code N` if it ends with another one when it did its work";
    Failure::new("could not measure: a run that fails is no measurement", causes, hint)
}

fn rule(draft: &Draft) -> Result<PerformanceRule, Failure> {
    PerformanceRule::new(draft).map_err(|errors| {
        let flag = |key: &str| match key {
            "margins" => "--margin-of".to_owned(),
            "measures" => "--measure".to_owned(),
            "budgets" => "--budget".to_owned(),
            "counters" => "--counter".to_owned(),
            key => format!("--{}", key.replace('_', "-")),
        };
        let causes = errors.iter().map(|error| format!("`{}`: {}", flag(error.key), error.what)).collect();
        let hint = errors.first().map_or("", |error| error.help);
        Failure::new("could not follow the options", causes, hint)
    })
}

fn draft(measured: &MeasuredArgs, judged: Option<&JudgedArgs>) -> Result<Draft, Failure> {
    let mut draft = Draft {
        turns: measured.turns,
        warm_ups: measured.warm_ups,
        counters: pairs("--counter", &measured.counters, r"--counter 'queries=queries: (\d+)'")?,
        seed: Some(measured.seed),
        ..Draft::default()
    };
    let Some(judged) = judged else { return Ok(draft) };
    let wrong = |pair: &(String, String)| {
        let what = format!("`--margin-of {}={}` names no number", pair.0, pair.1);
        Failure::new(what, Vec::new(), "e.g. `--margin-of memory=0.2`")
    };
    let margins = pairs("--margin-of", &judged.margin_of, "--margin-of memory=0.2")?;
    let margins = margins.into_iter().map(|pair| {
        let margin = pair.1.parse().map_err(|_| wrong(&pair))?;
        Ok((pair.0, margin))
    });
    draft.margins = margins.collect::<Result<_, Failure>>()?;
    draft.alpha = judged.alpha;
    draft.margin = judged.margin;
    draft.measures.clone_from(&judged.measures);
    draft.budgets.clone_from(&judged.budgets);
    draft.turns_max = judged.turns_max;
    Ok(draft)
}

fn pairs(flag: &str, texts: &[String], example: &str) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::new(format!("`{flag} {text}` has no `=`"), Vec::new(), format!("e.g. `{example}`"))
        })?;
        Ok((name.trim().to_owned(), value.to_owned()))
    };
    texts.iter().map(pair).collect()
}

fn over(texts: &[String], programs: [Option<&Program>; 2]) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let example = "--over size=1000,100000";
    let lists = pairs("--over", texts, example)?.into_iter().map(|(name, values)| {
        (
            name,
            values
                .split(',')
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
                .collect(),
        )
    });
    let lists: Vec<(String, Vec<String>)> = lists.collect();
    if let Some(why) = refuse(&lists) {
        return Err(Failure::new("`--over` makes no cases", vec![why], format!("e.g. `{example}`")));
    }
    for (name, _) in &lists {
        let place = format!("{{{name}}}");
        let is_named = programs.iter().flatten().any(|program| match &program.line {
            Line::Shell(line) => line.contains(&place),
            Line::Words(words) => words.iter().any(|word| word.contains(&place)),
        });
        if !is_named {
            let what = format!("no command names `{place}`");
            return Err(Failure::new(what, Vec::new(), "name it where its value belongs"));
        }
    }
    Ok(lists)
}
