//! Scenarios as the plan writes them, and the cases that follow: every combination of the values of their parameters.

use std::collections::BTreeSet;

use regex::Regex;

use super::ScenariosCheck;
use super::condition::{self, CONDITION, Condition, Test};
use super::failing::{Failing, STREAMS, Streams};
use crate::exception::{self, EXCEPTION};
use crate::plan::{Fields, Key, OneOrMore, Shape, shown};
use crate::rule::Exception;

/// So many cases may one check have.
const CASES_MAX: usize = 100_000;
/// With these a program says that it fails.
const EXIT_CODES: std::ops::RangeInclusive<i32> = 1..=125;
/// Names that mean something else in a command.
const TAKEN: &[&str] = &["out", "tree"];

/// The keys of a `[[check.scenario]]`.
pub(super) const SCENARIO: &[Key] = &[
    Key::required("name", Shape::Text, "its name, of which there is only one"),
    Key::optional(
        "parameters",
        Shape::NamedValues,
        "values for `{name}` in commands; each value of a list makes a case of its own",
    ),
    Key::optional("fails", Shape::Flag, "`true`: both programs refuse their input, alike"),
    Key::optional("error", Shape::Word(STREAMS), "with `fails`: what both must say alike"),
    Key::optional("message", Shape::Text, "with `fails`: a regular expression that what both say matches"),
    Key::optional("exit_code", Shape::Whole, "with `fails`: how both end"),
    Key::optional(
        "leaves",
        Shape::Texts,
        "with `fails`: patterns of files that may be left in `{out}`, or in one of the trees alone",
    ),
    Key::optional("conditions", Shape::Tables(CONDITION), "what the results of this scenario satisfy"),
    Key::optional(
        "known",
        Shape::Tables(EXCEPTION),
        "differences on purpose, each with owner, reason and end",
    ),
];

/// A scenario.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    parameters: Vec<Parameter>,
    /// What it is about when both programs are to refuse their input.
    pub(super) failing: Option<Failing>,
    pub(super) conditions: Vec<Condition>,
    pub(super) known: Vec<Exception>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    /// At least one.
    values: Vec<String>,
    /// Whether its value is part of the name of a case.
    is_listed: bool,
}

/// One combination of values.
#[derive(Debug)]
pub(super) struct Case<'s> {
    pub(super) scenario: &'s Scenario,
    /// The scenario's name, and the values that tell its cases apart.
    pub(super) name: String,
    /// Names and values, in the order of the plan.
    pub(super) values: Vec<(&'s str, &'s str)>,
}

impl Scenario {
    /// Its cases, in the order of the plan: the last parameter changes first.
    pub(super) fn cases(&self) -> Vec<Case<'_>> {
        let mut all: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for parameter in &self.parameters {
            let mut longer = Vec::new();
            for values in &all {
                for value in &parameter.values {
                    let mut values = values.clone();
                    values.push((parameter.name.as_str(), value.as_str()));
                    longer.push(values);
                }
            }
            all = longer;
        }
        all.into_iter().map(|values| Case { scenario: self, name: self.case_name(&values), values }).collect()
    }

    fn case_name(&self, values: &[(&str, &str)]) -> String {
        let told = values.iter().zip(&self.parameters).filter(|(_, parameter)| parameter.is_listed);
        let told: Vec<String> = told.map(|((name, value), _)| format!("{name}={}", shown(value))).collect();
        if told.is_empty() { self.name.clone() } else { format!("{}[{}]", self.name, told.join(", ")) }
    }

    fn count(&self) -> usize {
        self.parameters.iter().fold(1, |count, parameter| count.saturating_mul(parameter.values.len()))
    }
}

/// The scenarios of a check; `None` when one of them cannot be read.
pub(super) fn read_all(fields: &Fields<'_>) -> Option<Vec<Scenario>> {
    if fields.is_empty_list("scenario") {
        fields.find("scenario", "there is no scenario: nothing would be run", "add a `[[check.scenario]]`");
    }
    let mut names = BTreeSet::new();
    let tables = fields.tables("scenario").into_iter().map(|(offset, table)| {
        let title = format!("a scenario of {}", fields.title());
        let item = Fields::new(table, offset, title, SCENARIO, fields.findings());
        let scenario = read_scenario(&item)?;
        if !names.insert(scenario.name.clone()) {
            let message = format!("two scenarios are called `{}`", shown(&scenario.name));
            item.find("name", message, "give each a name of its own");
        }
        Some(scenario)
    });
    // All of them are read before the first that is wrong ends it: each has findings of its own.
    let read: Vec<Option<Scenario>> = tables.collect();
    let scenarios = read.into_iter().collect::<Option<Vec<_>>>()?;
    let cases = scenarios.iter().map(Scenario::count).fold(0, usize::saturating_add);
    if cases > CASES_MAX {
        let message = format!("the scenarios of {} make {cases} cases", fields.title());
        fields.find("scenario", message, format!("leave out values: at most {CASES_MAX} are run"));
        return None;
    }
    Some(scenarios)
}

fn read_scenario(item: &Fields<'_>) -> Option<Scenario> {
    let name = item.filled_text("name");
    let parameters = read_parameters(item);
    let conditions = condition::read_all(item);
    let known = item.tables("known").into_iter().map(|(offset, table)| {
        let title = format!("a known difference of {}", item.title());
        exception::read(&Fields::new(table, offset, title, EXCEPTION, item.findings()))
    });
    let known: Vec<Option<Exception>> = known.collect();
    let failing = read_failing(item);
    Some(Scenario {
        name: name?,
        parameters: parameters?,
        failing,
        conditions: conditions?,
        known: known.into_iter().collect::<Option<_>>()?,
    })
}

fn read_parameters(item: &Fields<'_>) -> Option<Vec<Parameter>> {
    let mut parameters = Vec::new();
    let named = item.named_values("parameters");
    let count = named.len();
    for (offset, name, values) in named {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || name.is_empty() || TAKEN.contains(&name.as_str()) {
            let message = format!("a parameter cannot be called `{}`", shown(&name));
            let help = "use letters, digits and `_`, and neither `out` nor `tree`";
            item.findings().add(offset, message, help);
            continue;
        }
        let (values, is_listed) = match values {
            OneOrMore::One(value) => (vec![value], false),
            OneOrMore::More(values) => (read_values(item, offset, &name, values), true),
        };
        if !values.is_empty() {
            parameters.push(Parameter { name, values, is_listed });
        }
    }
    (parameters.len() == count).then_some(parameters)
}

fn read_values(item: &Fields<'_>, offset: usize, name: &str, values: Vec<(usize, String)>) -> Vec<String> {
    if values.is_empty() {
        item.findings().add(
            offset,
            format!("`{name}` has no value: nothing would be run"),
            "write at least one",
        );
    }
    let mut distinct = Vec::new();
    for (offset, value) in values {
        if distinct.contains(&value) {
            let message = format!("`{name}` has the value `{}` twice", shown(&value));
            item.findings().add(offset, message, "take one of them out: both would be the same case");
        } else {
            distinct.push(value);
        }
    }
    distinct
}

/// What a scenario says about failing; nothing when it is not to fail. What is wrong with it becomes a finding.
fn read_failing(item: &Fields<'_>) -> Option<Failing> {
    let message = item.filled_text("message").and_then(|text| {
        let regex = Regex::new(&text).ok();
        if regex.is_none() {
            let message =
                format!("`message` in {} is no regular expression: `{}`", item.title(), shown(&text));
            item.find("message", message, "correct it; `\\\\` stands for one backslash in TOML");
        }
        regex
    });
    let streams = item.word("error").and_then(|word| Streams::from_word(&word)).unwrap_or_default();
    let leaves = item.texts("leaves").unwrap_or_default();
    if item.flag("fails").unwrap_or(false) {
        for key in ["conditions", "known"].into_iter().filter(|key| item.has(key)) {
            let message = format!("`{key}` stands beside `fails` in {}: there are no results", item.title());
            item.find(key, message, "make it a scenario of its own");
        }
        if streams == Streams::Ignore && !item.has("message") && !item.has("exit_code") {
            let message =
                format!("`error = \"ignore\"` in {} leaves nothing that says how both fail", item.title());
            item.find("error", message, "say what the failure is, with `exit_code` or `message`");
        }
        let exit_code = read_exit_code(item);
        return Some(Failing { streams, message, exit_code, leaves });
    }
    for key in ["error", "message", "exit_code", "leaves"].into_iter().filter(|key| item.has(key)) {
        let message = format!("`{key}` in {} says nothing without `fails = true`", item.title());
        item.find(key, message, "add `fails = true`, or take it out");
    }
    None
}

fn read_exit_code(item: &Fields<'_>) -> Option<i32> {
    let code = item.whole("exit_code")?;
    let exit_code = i32::try_from(code).ok().filter(|code| EXIT_CODES.contains(code));
    if exit_code.is_none() {
        let message = format!("`exit_code` in {} is {code}", item.title());
        let help = "write 1 to 125: a shell says with 126 and more that a command was not run to its end";
        item.find("exit_code", message, help);
    }
    exit_code
}

/// A parameter that no command names would give the same run under different names.
pub(super) fn look_for_unused(check: &ScenariosCheck, fields: &Fields<'_>) {
    for scenario in &check.scenarios {
        let conditions = check.conditions.iter().chain(&scenario.conditions);
        let commands = conditions.filter_map(|condition| match &condition.test {
            Test::Command(line) => Some(line),
            Test::Constraint(_) => None,
        });
        let commands: Vec<&String> =
            [&check.old.command, &check.new.command].into_iter().chain(commands).collect();
        for parameter in &scenario.parameters {
            let placeholder = format!("{{{}}}", parameter.name);
            if !commands.iter().any(|line| line.contains(&placeholder)) {
                let name = shown(&scenario.name);
                let message =
                    format!("no command names `{placeholder}`, a parameter of the scenario `{name}`");
                fields.find("scenario", message, "name it in the command of `old` or `new`, or take it out");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_a_case_and_only_lists_are_part_of_its_name() {
        let parameter = |name: &str, values: &[&str], is_listed| Parameter {
            name: name.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
            is_listed,
        };
        let scenario = |parameters| Scenario {
            name: "growth".to_owned(),
            parameters,
            failing: None,
            conditions: Vec::new(),
            known: Vec::new(),
        };
        let all = scenario(vec![
            parameter("years", &["1", "3"], true),
            parameter("config", &["a.json"], false),
            parameter("rate", &["0.02", "0.05"], true),
        ]);
        let names: Vec<String> = all.cases().into_iter().map(|case| case.name).collect();
        let wanted = ["years=1, rate=0.02", "years=1, rate=0.05", "years=3, rate=0.02", "years=3, rate=0.05"];
        assert_eq!(names, wanted.map(|values| format!("growth[{values}]")));
        assert_eq!(all.cases()[3].values, [("years", "3"), ("config", "a.json"), ("rate", "0.05")]);
        assert_eq!(all.count(), 4);
        assert_eq!(scenario(Vec::new()).cases()[0].name, "growth");
    }
}
