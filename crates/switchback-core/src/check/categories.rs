//! Categories of tests (unit, integration, interface, end to end): each is run apart, with a minimum and a verdict of its own (TM-9).

use serde_json::{Map, Value, json};

use super::tests::TestsCheck;
use super::{Check, Looked, Scene, shell};
use crate::plan::{Fields, Key, Shape, shown};
use crate::verdict::Verdict;

const CATEGORY: &[Key] = &[
    Key::required(
        "select",
        Shape::Texts,
        "what takes the place of `{select}` in the command: paths, or options such as `[\"-m\", \"api\"]`",
    ),
    Key::optional(
        "minimum",
        Shape::Whole,
        "fewer tests than this are a no, also none at all; when left out, that of the check, and none at all could not tell",
    ),
];

/// The key of the categories.
pub(super) const CATEGORIES: Key = Key::optional(
    "categories",
    Shape::Named(CATEGORY),
    "the tests are run once for each of these, with `{select}` in the command filled in, and judged apart",
);

/// A part of the tests.
#[derive(Debug, Clone)]
pub(super) struct Category {
    name: String,
    select: Vec<String>,
    minimum: Option<u64>,
}

/// The categories in the order of the plan.
pub(super) fn read(fields: &Fields<'_>, command: Option<&str>) -> Vec<Category> {
    let mut tables = fields.named("categories");
    tables.sort_by_key(|(_, table)| table.offset());
    let is_selecting = command.is_none_or(|command| command.contains("{select}"));
    if !tables.is_empty() && !is_selecting {
        let message = "`command` does not name `{select}`: each category would run all tests";
        fields.find("command", message, "e.g. `python3 -m pytest {select}`");
    }
    if tables.is_empty() && command.is_some_and(|command| command.contains("{select}")) {
        let message = "`command` names `{select}`, and there are no `categories` to fill it in";
        fields.find("command", message, "e.g. `categories.unit = { select = [\"tests/unit\"] }`");
    }
    let mut categories: Vec<Category> = Vec::new();
    for (name, table) in tables {
        let select = table.texts("select").unwrap_or_default();
        if table.has("select") && select.iter().all(|word| word.trim().is_empty()) {
            table.find(
                "select",
                format!("`select` of the category `{}` is empty", shown(&name)),
                "name what is run",
            );
        }
        let minimum = table.whole("minimum");
        if minimum == Some(0) {
            table.find(
                "minimum",
                "`minimum` cannot be 0: a run that collects nothing is not a success",
                "use 1 or more",
            );
        }
        if categories.iter().any(|other| other.select == select) {
            let message = format!("the category `{}` selects what another one does", shown(&name));
            table.find("select", message, "let each select tests of its own");
        }
        categories.push(Category { name, select, minimum });
    }
    categories
}

/// Runs each category, and judges it by itself; any *no* makes the whole a *no*.
pub(super) fn look(tests: &TestsCheck, scene: &Scene<'_>) -> Looked {
    let disk = scene.world.disk.as_ref();
    let started = scene.world.clock.monotonic();
    let mut seen: Vec<(&Category, Looked)> = Vec::new();
    for (number, category) in tests.categories.iter().enumerate() {
        let out = scene.out.join(format!("category-{number}"));
        let spent = scene.world.clock.monotonic().saturating_sub(started);
        let timeout = scene.timeout.saturating_sub(spent);
        let looked = if timeout.is_zero() {
            Looked::unknown("the time was up before it was run", json!({}))
        } else if let Err(error) = disk.make_directory(&out, 0o755) {
            Looked::unknown(error.to_string(), json!({}))
        } else {
            let before = scene.before.and_then(|before| before["categories"][&category.name].get("details"));
            category.alone(tests).look(&Scene { out: &out, before, timeout, ..*scene })
        };
        seen.push((category, looked));
    }
    together(&seen).measured(scene.world.clock.monotonic().saturating_sub(started).as_secs_f64())
}

impl Category {
    /// The check of this category alone.
    fn alone(&self, tests: &TestsCheck) -> TestsCheck {
        let words: Vec<String> = self.select.iter().map(|word| shell::quoted_text(word)).collect();
        tests.of(&words.join(" "), self.minimum)
    }
}

fn together(seen: &[(&Category, Looked)]) -> Looked {
    let verdict = Verdict::all(seen.iter().map(|(_, looked)| looked.verdict));
    let mut details = Map::new();
    let mut table = vec![["category", "verdict", "tests"].map(str::to_owned).to_vec()];
    for (category, looked) in seen {
        details.insert(
            category.name.clone(),
            json!({"verdict": looked.verdict.word(), "summary": looked.summary, "details": looked.details}),
        );
        table.push(vec![shown(&category.name), looked.verdict.word().to_owned(), looked.summary.clone()]);
    }
    let mut told: Vec<&(&Category, Looked)> = seen.iter().collect();
    // What decides comes first.
    told.sort_by_key(|(_, looked)| looked.verdict != verdict);
    let told: Vec<String> = told
        .iter()
        .map(|(category, looked)| {
            let mark = match looked.verdict {
                Verdict::Yes => "",
                Verdict::No => "no, ",
                Verdict::Unknown => "could not tell, ",
            };
            format!("{}: {mark}{}", shown(&category.name), looked.summary)
        })
        .collect();
    Looked::new(verdict, told.join("; "), json!({"categories": Value::Object(details)})).shown(table)
}
