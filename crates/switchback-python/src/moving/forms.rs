//! The forms of a call, written as Python: what a shim gives the new function, and what it makes of its result.
//!
//! The comparison of documents carries out the same forms; both have to give the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use switchback_core::mapping::{Call, Form, Step, ValuePath};

use super::signature::{Literal, quoted};
use crate::index::leaf_of;

/// Old parameters that something new is made of, and that are not handed on themselves.
pub(super) fn taken(call: &Call) -> Vec<&str> {
    let mut taken: Vec<&str> =
        call.arguments.iter().flat_map(|(_, form)| form.paths()).filter_map(ValuePath::root).collect();
    taken.sort_unstable();
    taken.dedup();
    taken
}

/// The functions of a call: what makes its arguments, and what makes its result.
pub(super) fn functions(call: &Call) -> String {
    let name = leaf_of(&call.of);
    let mut code = format!("# {}\n", call.told());
    if !call.arguments.is_empty() {
        let mut lines = String::new();
        for (new, form) in &call.arguments {
            let value = expression(form, &|path| root(path));
            let needed: Vec<&str> = roots(form);
            // Writing to a string cannot fail; the same holds below.
            let _ = if needed.is_empty() {
                writeln!(lines, "    passed[{}] = {value}", quoted(new))
            } else {
                let needed: Vec<String> = needed.into_iter().map(quoted).collect();
                writeln!(
                    lines,
                    "    if _given({}, named, {}):\n        passed[{}] = {value}",
                    quoted(name),
                    needed.join(", "),
                    quoted(new)
                )
            };
        }
        let _ = write!(
            code,
            "def {}(named):\n    passed = {{}}\n{lines}    return passed\n\n\n",
            arguments_name(name)
        );
    }
    if !call.result.is_empty() {
        let tree = Tree::of(call);
        let _ = write!(code, "def _result_of_{name}(result):\n    return {}\n\n\n", tree.python(1));
    }
    code
}

/// The function that makes the result, where there is one.
pub(super) fn result_name(call: &Call) -> Option<String> {
    (!call.result.is_empty()).then(|| format!("_result_of_{}", leaf_of(&call.of)))
}

/// What the table of a shim says of a call beside its signature.
pub(super) fn entry(call: &Call) -> String {
    let mut lines = String::new();
    if !call.defaults.is_empty() {
        let defaults = call.defaults.iter();
        let defaults: Vec<String> = defaults
            .map(|(name, value)| format!("{}: {}", quoted(name), Literal::from(value).python()))
            .collect();
        let _ = writeln!(lines, "        \"defaults\": {{{}}},", defaults.join(", "));
    }
    if !call.arguments.is_empty() {
        let taken: Vec<String> = taken(call).into_iter().map(quoted).collect();
        let _ = writeln!(lines, "        \"arguments\": {},", arguments_name(leaf_of(&call.of)));
        let _ = writeln!(lines, "        \"taken\": [{}],", taken.join(", "));
    }
    lines
}

fn arguments_name(name: &str) -> String {
    format!("_arguments_of_{name}")
}

fn roots(form: &Form) -> Vec<&str> {
    form.paths().into_iter().filter_map(ValuePath::root).collect()
}

/// An old result with names in names.
enum Tree<'c> {
    Value(&'c Form),
    Names(BTreeMap<&'c str, Tree<'c>>),
}

impl<'c> Tree<'c> {
    fn of(call: &'c Call) -> Self {
        let mut whole = Self::Names(BTreeMap::new());
        for (name, form) in &call.result {
            whole.put(name, form);
        }
        whole
    }

    fn put(&mut self, name: &'c str, form: &'c Form) {
        // Names that lie in each other were refused.
        let Self::Names(names) = self else { return };
        match name.split_once('.') {
            None => drop(names.insert(name, Self::Value(form))),
            Some((head, rest)) => {
                names.entry(head).or_insert_with(|| Self::Names(BTreeMap::new())).put(rest, form);
            }
        }
    }

    fn python(&self, depth: usize) -> String {
        match self {
            Self::Value(form) => expression(form, &|path| held("result", &path.0)),
            Self::Names(names) => {
                let indent = "    ".repeat(depth);
                let mut lines = String::new();
                for (name, tree) in names {
                    let _ = writeln!(lines, "{indent}    {}: {},", quoted(name), tree.python(depth + 1));
                }
                format!("{{\n{lines}{indent}}}")
            }
        }
    }
}

fn expression(form: &Form, at: &dyn Fn(&ValuePath) -> String) -> String {
    let then = |value: String, rest: &Option<ValuePath>| match rest {
        Some(path) => held(&value, &path.0),
        None => value,
    };
    match form {
        Form::At(path) => at(path),
        Form::First(path, rest) => then(format!("{}[0]", at(path)), rest),
        Form::Last(path, rest) => then(format!("{}[-1]", at(path)), rest),
        Form::Range(start, end) => format!("list(range({}, {} + 1))", at(start), at(end)),
        Form::Difference(later, earlier) => format!("_difference({}, {})", at(later), at(earlier)),
        Form::Constant(value) => Literal::from(value).python(),
    }
}

/// What a path of old parameters leads to.
fn root(path: &ValuePath) -> String {
    match path.0.split_first() {
        Some((Step::Name(name), rest)) => held(&format!("named[{}]", quoted(name)), rest),
        _ => held("named", &path.0),
    }
}

fn held(value: &str, steps: &[Step]) -> String {
    steps.iter().fold(value.to_owned(), |value, step| match step {
        Step::Name(name) => format!("_held({value}, {})", quoted(name)),
        Step::Item(item) => format!("_held({value}, {item})"),
    })
}
