//! Calls in a mapping: how an old call becomes a new one, and how what the new one returns becomes what the old one did.
//!
//! The forms are few and closed, so that each can be written as Python for a shim, and carried out on a document that is
//! compared: both give the same.

use std::fmt;

use crate::plan::{Fields, Key, Scalar, Shape, TextOrTable, place, shown};

/// The keys of a form.
const FORM: &[Key] = &[
    Key::optional("path", Shape::Text, "what stands there: names with points between them"),
    Key::optional("first", Shape::Text, "the first item of a list; `path` goes on from there"),
    Key::optional("last", Shape::Text, "the last item of a list; `path` goes on from there"),
    Key::optional("range", Shape::Texts, "all whole numbers from one to another, both included"),
    Key::optional("difference", Shape::Texts, "the later less the earlier one: of times, in seconds"),
    Key::optional("constant", Shape::Scalar, "always this"),
];
/// The keys of a call.
pub(super) const CALL: &[Key] = &[
    Key::required("of", Shape::Text, "the old function, dotted"),
    Key::optional("by", Shape::Text, "the new function; the rules of a move say it when left out"),
    Key::optional("parameters", Shape::Texts, "old parameters that could be given by position, in order"),
    Key::optional("keywords", Shape::NamedTexts, "old keyword = new keyword"),
    Key::optional("arguments", Shape::NamedTextsOrTables(FORM), "new keyword = what it is made of"),
    Key::optional("defaults", Shape::NamedScalars, "what old parameters were when they were not given"),
    Key::optional("dropped", Shape::Texts, "old keywords that mean nothing any more"),
    Key::optional("added", Shape::NamedScalars, "new keywords that old callers do not know"),
    Key::optional("result", Shape::NamedTextsOrTables(FORM), "old name = what it is made of"),
    Key::optional("documents", Shape::Texts, "results that hold what it returned: names, with `*` and `?`"),
];

/// How an old function is called and answers, in terms of the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its line in the file, counted from 1.
    pub line: usize,
    /// The old function, dotted.
    pub of: String,
    /// The new function, where it is named.
    pub by: Option<String>,
    /// Old parameters that could be given by position, in order.
    pub parameters: Vec<String>,
    /// Old and new keywords.
    pub keywords: Vec<(String, String)>,
    /// New keywords, and what they are made of: old parameters.
    pub arguments: Vec<(String, Form)>,
    /// What old parameters were when they were not given.
    pub defaults: Vec<(String, Scalar)>,
    /// Old keywords that mean nothing any more.
    pub dropped: Vec<String>,
    /// New keywords that old callers do not know, and what they are given.
    pub added: Vec<(String, Scalar)>,
    /// Names of the old result (points make it nested), and what they are made of: the new result. Empty: it is the same.
    pub result: Vec<(String, Form)>,
    /// Results of runs that hold what the call returned.
    pub documents: Vec<String>,
}

/// What a value is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// What stands at a path.
    At(Path),
    /// The first item of the list at a path, and what stands at another one in it.
    First(Path, Option<Path>),
    /// The last item of the list at a path, and what stands at another one in it.
    Last(Path, Option<Path>),
    /// All whole numbers from one to another, both included.
    Range(Path, Path),
    /// The later less the earlier one; of times, in seconds.
    Difference(Path, Path),
    /// Always the same.
    Constant(Scalar),
}

/// A way into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// A step of a way into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key or an attribute.
    Name(String),
    /// An item of a list, from its end where it is negative; of what is no list, a key.
    Item(i64),
}

impl Form {
    /// The paths that it starts from.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::At(path) | Self::First(path, _) | Self::Last(path, _) => vec![path],
            Self::Range(one, other) | Self::Difference(one, other) => vec![one, other],
            Self::Constant(_) => Vec::new(),
        }
    }
}

impl Path {
    /// The name that it starts with.
    pub fn root(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Name(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let point = if at == 0 { "" } else { "." };
            match step {
                Step::Name(name) => write!(to, "{point}{name}")?,
                Step::Item(item) => write!(to, "{point}{item}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Form {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let then = |then: &Option<Path>| then.as_ref().map(|path| format!(".{path}")).unwrap_or_default();
        match self {
            Self::At(path) => write!(to, "{path}"),
            Self::First(path, rest) => write!(to, "first({path}){}", then(rest)),
            Self::Last(path, rest) => write!(to, "last({path}){}", then(rest)),
            Self::Range(start, end) => write!(to, "range({start}, {end})"),
            Self::Difference(later, earlier) => write!(to, "difference({later}, {earlier})"),
            Self::Constant(value) => write!(to, "{value}"),
        }
    }
}

impl Call {
    /// The old call and the new one in one line: `run(start, end) → execute(years=range(start, end))`.
    pub fn told(&self) -> String {
        let leaf = |dotted: &str| dotted.rsplit('.').next().unwrap_or_default().to_owned();
        let used = |name: &String| {
            self.keywords.iter().any(|(old, _)| old == name)
                || self
                    .arguments
                    .iter()
                    .flat_map(|(_, form)| form.paths())
                    .any(|path| path.root() == Some(name))
        };
        let kept = self.parameters.iter().filter(|name| !used(name) && !self.dropped.contains(name));
        let kept = kept.cloned();
        let renamed = self.keywords.iter().map(|(old, new)| format!("{new}={old}"));
        let made = self.arguments.iter().map(|(new, form)| format!("{new}={form}"));
        let added = self.added.iter().map(|(new, value)| format!("{new}={value}"));
        let new: Vec<String> = kept.chain(renamed).chain(made).chain(added).collect();
        let by = self.by.as_deref().unwrap_or(&self.of);
        format!("{}({}) → {}({})", leaf(&self.of), self.parameters.join(", "), leaf(by), new.join(", "))
    }
}

/// Reads one `[[call]]`.
pub(super) fn read(fields: &Fields<'_>, text: &str) -> Option<Call> {
    let line = place(text, fields.offset()).0;
    let forms = |key: &str| -> Vec<(String, Form)> {
        let read = |(offset, name, form): (usize, String, TextOrTable<'_>)| {
            if name.split('.').any(str::is_empty) {
                let message = format!("`{}` in `{key}` is no name", shown(&name));
                fields.findings().add(offset, message, "write a name; points between names make it nested");
            }
            Some((name, form_of(fields, offset, &form)?))
        };
        fields.named_texts_or_tables(key).into_iter().filter_map(read).collect()
    };
    let call = Call {
        line,
        by: fields.filled_text("by"),
        parameters: fields.texts("parameters").unwrap_or_default(),
        keywords: fields.named_texts("keywords").into_iter().map(|(_, old, new)| (old, new)).collect(),
        arguments: forms("arguments"),
        defaults: fields.named_scalars("defaults"),
        dropped: fields.texts("dropped").unwrap_or_default(),
        added: fields.named_scalars("added"),
        result: forms("result"),
        documents: fields.texts("documents").unwrap_or_default(),
        of: fields.filled_text("of")?,
    };
    agree(&call, fields);
    Some(call)
}

fn agree(call: &Call, fields: &Fields<'_>) {
    if !call.documents.is_empty() && call.result.is_empty() {
        let help = "say what the old result is made of in `[call.result]`, or take `documents` out";
        fields.find("documents", "`documents` are named and no `result`: nothing would be mapped", help);
    }
    for (at, (name, _)) in call.result.iter().enumerate() {
        let before = call.result.get(..at).unwrap_or_default();
        let is_within =
            |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
        if let Some((other, _)) =
            before.iter().find(|(other, _)| is_within(name, other) || is_within(other, name))
        {
            let message = format!("`{}` and `{}` in `result` lie in each other", shown(other), shown(name));
            fields.find("result", message, "one of them is a value and the other one holds it: name one");
        }
    }
    for (new, _) in &call.arguments {
        if call.keywords.iter().any(|(_, other)| other == new)
            || call.added.iter().any(|(other, _)| other == new)
        {
            let message = format!("`{}` is given twice to the new function", shown(new));
            fields.find("arguments", message, "name it once, in `keywords`, `arguments` or `added`");
        }
    }
}

fn form_of(fields: &Fields<'_>, offset: usize, form: &TextOrTable<'_>) -> Option<Form> {
    let at = |text: &str| {
        let path = path_of(text);
        if path.is_none() {
            let help = "write names with points between them: `summary.total`, `rows.-1`";
            fields.findings().add(offset, format!("`{}` is no path", shown(text)), help);
        }
        path
    };
    let table = match form {
        TextOrTable::Text(text) => return at(text).map(Form::At),
        TextOrTable::Table(table) => table,
    };
    let heads: Vec<&str> = ["first", "last", "range", "difference", "constant"]
        .into_iter()
        .filter(|key| table.has(key))
        .collect();
    let is_list = matches!(heads.as_slice(), ["first" | "last"]);
    if heads.len() > 1
        || (heads.is_empty() && !table.has("path"))
        || (!heads.is_empty() && !is_list && table.has("path"))
    {
        let message = format!("{} is not one form", table.title());
        let help = "write one of `path`, `first`, `last`, `range`, `difference`, `constant`; `path` also beside `first` and `last`";
        fields.findings().add(offset, message, help);
        return None;
    }
    let then = || -> Option<Option<Path>> {
        match table.filled_text("path") {
            Some(text) => at(&text).map(Some),
            None => Some(None),
        }
    };
    let pair = |key: &str| -> Option<(Path, Path)> {
        let texts = table.texts(key)?;
        let [one, other] = texts.as_slice() else {
            let help = "write two paths: `range = [\"start_year\", \"end_year\"]`, `difference = [\"ended\", \"started\"]`";
            table.find(key, format!("`{key}` has {} paths, not two", texts.len()), help);
            return None;
        };
        Some((at(one)?, at(other)?))
    };
    match heads.first() {
        None => at(&table.filled_text("path")?).map(Form::At),
        Some(&"first") => Some(Form::First(at(&table.filled_text("first")?)?, then()?)),
        Some(&"last") => Some(Form::Last(at(&table.filled_text("last")?)?, then()?)),
        Some(&"range") => pair("range").map(|(start, end)| Form::Range(start, end)),
        Some(&"difference") => pair("difference").map(|(later, earlier)| Form::Difference(later, earlier)),
        Some(_) => table.scalar("constant").map(Form::Constant),
    }
}

fn path_of(text: &str) -> Option<Path> {
    let step = |step: &str| match step.parse::<i64>() {
        // `01` is a name: only what is written as a number is would be found again in the result.
        Ok(item) if item.to_string() == step => Some(Step::Item(item)),
        _ if step.trim().is_empty() => None,
        _ => Some(Step::Name(step.to_owned())),
    };
    text.split('.').map(step).collect::<Option<Vec<_>>>().map(Path)
}

#[cfg(test)]
mod tests {
    use crate::mapping::read as read_mapping;

    /// The shapes of a legacy layer as a project wrote it by hand.
    const LEGACY: &str = r#"
version = 1

[[call]]
of = "planalign.legacy.run_multi_year_simulation"
by = "planalign.engine.execute"
parameters = ["start_year", "end_year", "config_path"]
keywords = { config_path = "config" }
arguments = { years = { range = ["start_year", "end_year"] }, growth = "target_growth_rate" }
dropped = ["verbose"]
added = { mode = "legacy" }
documents = ["summary*.json"]

[call.result]
years_completed = { range = ["start_year", "end_year"] }
total_workforce_growth = "growth_analysis.total_growth_pct"
final_workforce_size = { last = "workforce_progression", path = "total_employees" }
participation_rate = { last = "participation_trends" }
execution_time = { difference = ["generated_at", "start_time"] }
"#;

    #[test]
    fn the_shapes_of_a_legacy_layer_are_read() {
        let mapping = read_mapping(std::path::Path::new("m.toml"), LEGACY).unwrap();
        let [call] = mapping.calls.as_slice() else { panic!("{mapping:?}") };
        assert_eq!(call.line, 4);
        assert_eq!(
            call.told(),
            "run_multi_year_simulation(start_year, end_year, config_path) → execute(config=config_path, \
             growth=target_growth_rate, years=range(start_year, end_year), mode=\"legacy\")"
        );
        let result: Vec<String> = call.result.iter().map(|(old, form)| format!("{old} = {form}")).collect();
        assert_eq!(
            result,
            [
                "execution_time = difference(generated_at, start_time)",
                "final_workforce_size = last(workforce_progression).total_employees",
                "participation_rate = last(participation_trends)",
                "total_workforce_growth = growth_analysis.total_growth_pct",
                "years_completed = range(start_year, end_year)",
            ]
        );
    }

    #[test]
    fn what_is_no_form_is_found_with_its_place() {
        let head = "version = 1\n[[call]]\nof = \"a.f\"\n";
        for (rest, wanted) in [
            ("arguments = { x = { range = [\"a\"] } }", "m.toml:4:29: `range` has 1 paths, not two"),
            (
                "arguments = { x = { range = [\"a\", \"b\"], last = \"c\" } }",
                "m.toml:4:19: `arguments.x` of a `[[call]]` is not one form",
            ),
            ("arguments = { x = { constant = 1, path = \"c\" } }", "is not one form"),
            ("arguments = { x = {} }", "is not one form"),
            ("arguments = { x = \"a..b\" }", "m.toml:4:19: `a..b` is no path"),
            ("arguments = { x = { lst = \"a\" } }", "unknown key `lst`"),
            ("arguments = { x = \"a\" }\nkeywords = { b = \"x\" }", "`x` is given twice to the new function"),
            ("result = { \"a\" = \"x\", \"a.b\" = \"y\" }", "`a` and `a.b` in `result` lie in each other"),
            ("documents = [\"*.json\"]", "`documents` are named and no `result`"),
            ("added = { x = [1] }", "must be a table of texts, numbers and truths"),
        ] {
            let error = read_mapping(std::path::Path::new("m.toml"), &format!("{head}{rest}\n")).unwrap_err();
            assert!(
                error.causes().iter().any(|cause| cause.contains(wanted)),
                "{wanted}: {:?}",
                error.causes()
            );
        }
    }
}
