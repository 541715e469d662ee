//! What files say about dependencies: of `pyproject.toml` the requirements alone, of every other file its lines.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::text::added_lines;
use crate::secret::clean_text;

/// The file of a Python project, which says much beside its dependencies.
const PYPROJECT: &str = "pyproject.toml";
/// Where lists of requirements stand in it; `*` is any name.
const LISTS: &[&str] = &[
    "build-system.requires",
    "project.dependencies",
    "project.optional-dependencies.*",
    "dependency-groups.*",
    "tool.flit.metadata.requires",
    "tool.flit.metadata.dev-requires",
    "tool.flit.metadata.requires-extra.*",
    "tool.hatch.build.hooks.*.dependencies",
    "tool.hatch.build.targets.*.dependencies",
    "tool.hatch.envs.*.dependencies",
    "tool.hatch.envs.*.extra-dependencies",
    "tool.pdm.dev-dependencies.*",
    "tool.rye.dev-dependencies",
    "tool.uv.build-constraint-dependencies",
    "tool.uv.constraint-dependencies",
    "tool.uv.dev-dependencies",
    "tool.uv.override-dependencies",
];
/// Where tables of requirements stand in it: a name, and which versions of it; or the files that name them.
const TABLES: &[&str] = &[
    "tool.pixi.dependencies",
    "tool.pixi.build-dependencies",
    "tool.pixi.host-dependencies",
    "tool.pixi.pypi-dependencies",
    "tool.pixi.feature.*.dependencies",
    "tool.pixi.feature.*.build-dependencies",
    "tool.pixi.feature.*.host-dependencies",
    "tool.pixi.feature.*.pypi-dependencies",
    "tool.pixi.feature.*.target.*.dependencies",
    "tool.pixi.feature.*.target.*.pypi-dependencies",
    "tool.pixi.target.*.dependencies",
    "tool.pixi.target.*.pypi-dependencies",
    "tool.poetry.dependencies",
    "tool.poetry.dev-dependencies",
    "tool.poetry.group.*.dependencies",
    "tool.poetry.requires-plugins",
    "tool.setuptools.dynamic.dependencies",
    "tool.setuptools.dynamic.optional-dependencies.*",
];
/// Where it says whence what is asked for comes: one name from another place is another dependency.
const ORIGINS: &[&str] = &[
    "tool.pdm.source",
    "tool.pixi.feature.*.channels",
    "tool.pixi.project.channels",
    "tool.pixi.pypi-options",
    "tool.pixi.workspace.channels",
    "tool.poetry.source",
    "tool.uv.extra-index-url",
    "tool.uv.find-links",
    "tool.uv.index",
    "tool.uv.index-url",
    "tool.uv.sources",
];

/// What became of the dependencies that a file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// What is no longer asked for.
    pub(super) gone: Vec<String>,
    /// What is asked for now.
    pub(super) new: Vec<String>,
    /// Whether it says something else than before beside its dependencies.
    pub(super) is_more: bool,
}

/// Compares what a file names before and after. A text that cannot be understood is compared line by line.
pub(super) fn difference(path: &Path, old: &str, new: &str) -> Difference {
    let read = |text: &str| text.parse::<Table>().ok();
    let is_pyproject = path.file_name().is_some_and(|name| name == PYPROJECT);
    match (read(old), read(new)) {
        (Some(mut old), Some(mut new)) if is_pyproject => {
            let (before, after) = (taken_out(&mut old), taken_out(&mut new));
            let missing = |from: &BTreeSet<String>, other: &BTreeSet<String>| {
                clean(from.difference(other).cloned().collect())
            };
            Difference { gone: missing(&before, &after), new: missing(&after, &before), is_more: old != new }
        }
        _ => Difference {
            gone: clean(added_lines(new, old)),
            new: clean(added_lines(old, new)),
            is_more: false,
        },
    }
}

/// The lines without the passwords that their addresses may hold.
fn clean(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| clean_text(&line)).collect()
}

/// Takes the requirements out of a document: each with the place where it stands, where that is not the list of what the project
/// itself needs.
fn taken_out(document: &mut Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for place in LISTS.iter().chain(TABLES).chain(ORIGINS) {
        let steps: Vec<&str> = place.split('.').collect();
        take(document, &steps, &mut Vec::new(), &mut found);
    }
    found
}

fn take(table: &mut Table, steps: &[&str], way: &mut Vec<String>, found: &mut BTreeSet<String>) {
    let [step, rest @ ..] = steps else { return };
    let names: Vec<String> =
        if *step == "*" { table.keys().cloned().collect() } else { vec![(*step).to_owned()] };
    for name in names {
        way.push(name.clone());
        if rest.is_empty() {
            let value = table.remove(&name);
            found.extend(value.into_iter().flat_map(|value| requirements(&value, way)));
        } else if let Some(Value::Table(inner)) = table.get_mut(&name) {
            take(inner, rest, way, found);
            // A table that held nothing else does not count as something else.
            if inner.is_empty() {
                table.remove(&name);
            }
        }
        way.pop();
    }
}

/// The requirements of a list or a table.
fn requirements(value: &Value, way: &[String]) -> Vec<String> {
    let place = way.join(".");
    let shown = |text: String| match place.as_str() {
        "project.dependencies" | "tool.poetry.dependencies" => text,
        place => format!("{text} (in {place})"),
    };
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| shown(item.as_str().map_or_else(|| item.to_string(), str::to_owned)))
            .collect(),
        Value::Table(items) => {
            items.iter().map(|(name, version)| shown(format!("{name} = {version}"))).collect()
        }
        other => vec![shown(other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"
[build-system]
requires = ["hatchling>=1.24"]
build-backend = "hatchling.build"

[project]
name = "loan-analytics"
version = "1.0.0"
requires-python = ">=3.10"
classifiers = ["Programming Language :: Python :: 3.10"]
keywords = ["loans"]
dependencies = ["numpy>=1.26", "pandas>=2.1,<3"]

[project.scripts]
loans = "loans.cli:main"

[project.optional-dependencies]
plots = ["matplotlib>=3.8"]

[dependency-groups]
test = ["pytest>=8", { include-group = "lint" }]
lint = ["ruff"]

[tool.pytest.ini_options]
markers = ["slow: takes minutes"]
addopts = ["-ra", "--strict-markers"]

[tool.ruff.lint]
select = ["E", "F"]

[tool.uv]
dev-dependencies = ["ipython"]
"#;

    fn of(new: &str) -> (Vec<String>, Vec<String>, bool) {
        let found = difference(Path::new("pyproject.toml"), OLD, new);
        (found.gone, found.new, found.is_more)
    }

    #[test]
    fn strings_of_a_pyproject_that_are_no_requirements_are_no_dependencies() {
        let none = || (Vec::new(), Vec::new());
        for (old, new) in [
            ("\"slow: takes minutes\"", "\"slow: takes minutes\", \"live: asks the service\""),
            ("\"--strict-markers\"", "\"--strict-markers\", \"--cov=loans\""),
            ("select = [\"E\", \"F\"]", "select = [\"E\", \"F\", \"I\"]"),
            ("Python :: 3.10", "Python :: 3.12"),
            ("[\"loans\"]", "[\"loans\", \"risk\"]"),
            ("version = \"1.0.0\"", "version = \"2.0.0\""),
            ("loans = \"loans.cli:main\"", "loans = \"loans.pipeline.cli:main\""),
        ] {
            let (gone, found, is_more) = of(&OLD.replace(old, new));
            assert_eq!(((gone, found), is_more), (none(), true), "{new}");
        }
        assert_eq!(of(&OLD.replace("\n[", "\n\n# a remark\n[")), (Vec::new(), Vec::new(), false));
        let reordered =
            OLD.replace("\"numpy>=1.26\", \"pandas>=2.1,<3\"", "\"pandas>=2.1,<3\",\n  \"numpy>=1.26\",\n");
        assert_eq!(of(&reordered), (Vec::new(), Vec::new(), false));
    }

    #[test]
    fn every_kind_of_requirement_counts_and_says_where_it_stands() {
        for (old, new, gone, come) in [
            ("pandas>=2.1,<3", "pandas>=2.2,<3", "pandas>=2.1,<3", "pandas>=2.2,<3"),
            (
                "hatchling>=1.24",
                "hatchling>=1.25",
                "hatchling>=1.24 (in build-system.requires)",
                "hatchling>=1.25 (in build-system.requires)",
            ),
            (
                "matplotlib>=3.8",
                "plotly",
                "matplotlib>=3.8 (in project.optional-dependencies.plots)",
                "plotly (in project.optional-dependencies.plots)",
            ),
            (
                "pytest>=8",
                "pytest>=9",
                "pytest>=8 (in dependency-groups.test)",
                "pytest>=9 (in dependency-groups.test)",
            ),
            (
                "ipython",
                "ipdb",
                "ipython (in tool.uv.dev-dependencies)",
                "ipdb (in tool.uv.dev-dependencies)",
            ),
        ] {
            assert_eq!(
                of(&OLD.replace(old, new)),
                (vec![gone.to_owned()], vec![come.to_owned()], false),
                "{new}"
            );
        }
        let pyproject = Path::new("app/pyproject.toml");
        let poetry = "[tool.poetry]\nname = \"loans\"\n[tool.poetry.dependencies]\npandas = \"^2.1\"\n\
                      [tool.poetry.group.dev.dependencies]\npytest = \"^8\"\n";
        let newer =
            poetry.replace("\"^2.1\"", "{ version = \"^2.2\", extras = [\"fast\"] }").replace("^8", "^9");
        let found = difference(pyproject, poetry, &newer);
        assert_eq!(
            found.gone,
            ["pandas = \"^2.1\"", "pytest = \"^8\" (in tool.poetry.group.dev.dependencies)"]
        );
        assert!(
            found.new.iter().any(|line| line.starts_with("pandas = {") && line.contains("^2.2")),
            "{found:?}"
        );
        let pdm = difference(pyproject, "", "[tool.pdm.dev-dependencies]\ntest = [\"pytest\"]\n");
        assert_eq!(
            (pdm.new, pdm.is_more),
            (vec!["pytest (in tool.pdm.dev-dependencies.test)".to_owned()], false)
        );
    }

    #[test]
    fn what_other_tools_ask_for_and_whence_it_comes_counts_too() {
        let pyproject = Path::new("pyproject.toml");
        for (added, line) in [
            (
                "[tool.hatch.envs.default]\ndependencies = [\"x\"]",
                "x (in tool.hatch.envs.default.dependencies)",
            ),
            (
                "[tool.hatch.envs.test]\nextra-dependencies = [\"x\"]",
                "x (in tool.hatch.envs.test.extra-dependencies)",
            ),
            ("[tool.pixi.dependencies]\nx = \">=1\"", "x = \">=1\" (in tool.pixi.dependencies)"),
            ("[tool.pixi.pypi-dependencies]\nx = \"*\"", "x = \"*\" (in tool.pixi.pypi-dependencies)"),
            (
                "[tool.pixi.feature.gpu.dependencies]\nx = \"*\"",
                "x = \"*\" (in tool.pixi.feature.gpu.dependencies)",
            ),
            (
                "[tool.pixi.workspace]\nchannels = [\"https://conda.example\"]",
                "https://conda.example (in tool.pixi.workspace.channels)",
            ),
            ("[tool.flit.metadata]\nrequires = [\"x\"]", "x (in tool.flit.metadata.requires)"),
            ("[tool.uv]\nconstraint-dependencies = [\"x<2\"]", "x<2 (in tool.uv.constraint-dependencies)"),
            ("[tool.uv]\noverride-dependencies = [\"x==2\"]", "x==2 (in tool.uv.override-dependencies)"),
            (
                "[tool.uv.sources]\nx = { git = \"https://git.example/x\" }",
                "x = { git = \"https://git.example/x\" } (in tool.uv.sources)",
            ),
            (
                "[[tool.uv.index]]\nurl = \"https://index.example\"",
                "{ url = \"https://index.example\" } (in tool.uv.index)",
            ),
            ("[[tool.poetry.source]]\nname = \"own\"", "{ name = \"own\" } (in tool.poetry.source)"),
            (
                "[tool.setuptools.dynamic]\ndependencies = { file = [\"needs.txt\"] }",
                "file = [\"needs.txt\"] (in tool.setuptools.dynamic.dependencies)",
            ),
        ] {
            let found = difference(
                pyproject,
                "[project]\nname = \"a\"\n",
                &format!("[project]\nname = \"a\"\n{added}\n"),
            );
            assert_eq!(
                (found.gone, found.new, found.is_more),
                (Vec::new(), vec![line.to_owned()], false),
                "{added}"
            );
        }
        let secret = "[[tool.uv.index]]\nurl = \"https://ada:tiger-lily-7@index.example\"\n";
        let found = difference(pyproject, "", secret);
        assert!(found.new[0].contains("index.example") && !found.new[0].contains("lily"), "{found:?}");
        // What else stands beside them is configuration.
        let scripts = difference(pyproject, "", "[tool.hatch.envs.default.scripts]\ntest = \"pytest\"\n");
        assert_eq!((scripts.new, scripts.is_more), (Vec::new(), true));
    }

    #[test]
    fn what_is_no_toml_and_every_other_file_is_compared_by_lines() {
        let torn = format!("{OLD}[tool\n");
        let (_, new, is_more) = of(&torn);
        assert_eq!((new, is_more), (vec!["[tool".to_owned()], false));
        let lines = difference(Path::new("requirements.txt"), "numpy\n", "numpy\n# new\npandas\n");
        assert_eq!((lines.gone, lines.new), (Vec::new(), vec!["pandas".to_owned()]));
    }
}
