//! How a project sorts its imports: what isort's and ruff's settings say, where a project has them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::tree::{Tree, has_extension};

/// How the imports below one folder are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of isort, one for one")]
pub(crate) struct Style {
    /// Whether the project says so itself.
    pub(crate) is_declared: bool,
    /// `import a` and `from a import b` stand among each other, by name.
    pub(crate) is_mixed: bool,
    /// `from a import b` is compared as `a.b`, where the two kinds are mixed.
    pub(crate) is_lexicographical: bool,
    /// `from …` stands before `import …`.
    pub(crate) from_first: bool,
    /// Capitals count.
    pub(crate) is_case_sensitive: bool,
    /// Among the names of one statement: constants, classes, the rest.
    pub(crate) by_type: bool,
    /// One name for each statement.
    pub(crate) is_single_line: bool,
    /// `from a import b as c` joins other names of `a`.
    pub(crate) joins_aliases: bool,
    /// `from . import a` stands before `from .. import a`.
    pub(crate) nearest_first: bool,
    /// Blank lines between `import …` and `from …`.
    pub(crate) blank_between_kinds: bool,
    /// No sections at all.
    pub(crate) is_unsectioned: bool,
    /// Modules that stand first in their section.
    pub(crate) tops: Vec<String>,
    /// Packages that are the project's own.
    pub(crate) own: Vec<String>,
    /// Packages that are others'.
    pub(crate) others: Vec<String>,
    /// How long a line may be, in characters.
    pub(crate) line_letters_max: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            is_declared: false,
            is_mixed: false,
            is_lexicographical: false,
            from_first: false,
            is_case_sensitive: false,
            by_type: true,
            is_single_line: false,
            joins_aliases: false,
            nearest_first: false,
            blank_between_kinds: false,
            is_unsectioned: false,
            tops: Vec::new(),
            own: Vec::new(),
            others: Vec::new(),
            line_letters_max: 79,
        }
    }
}

/// The styles of a tree, by the folders whose settings they come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Styles {
    folders: BTreeMap<String, Style>,
    fallback: Style,
}

/// Files with settings, the ones that win last.
const FILES: &[&str] = &["tox.ini", "setup.cfg", "pyproject.toml", "ruff.toml", ".ruff.toml", ".isort.cfg"];

impl Styles {
    /// Reads the settings of every project in a tree. What cannot be read says nothing.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut found = Self::default();
        for name in FILES {
            for file in &tree.files {
                let (folder, leaf) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
                if leaf != *name || file.is_link {
                    continue;
                }
                let Some(text) =
                    tree.content(file).ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
                else {
                    continue;
                };
                let style = if has_extension(leaf, "toml") { of_toml(leaf, &text) } else { of_ini(&text) };
                if let Some(style) = style {
                    found.folders.insert(folder.to_owned(), style);
                }
            }
        }
        found
    }

    /// The style of the file at `path`: the nearest settings above it.
    pub(crate) fn at(&self, path: &str) -> &Style {
        let mut folder = path;
        while let Some((parent, _)) = folder.rsplit_once('/') {
            if let Some(style) = self.folders.get(parent) {
                return style;
            }
            folder = parent;
        }
        self.folders.get("").unwrap_or(&self.fallback)
    }
}

fn of_toml(leaf: &str, text: &str) -> Option<Style> {
    let table: Table = text.parse().ok()?;
    let tool = |name: &str| table.get("tool").and_then(|tool| tool.get(name)).and_then(Value::as_table);
    if let Some(isort) = tool("isort") {
        return Some(of_settings(&|key| isort.get(key).map(listed)));
    }
    let ruff = if leaf == "pyproject.toml" { tool("ruff")? } else { &table };
    let lint = ruff.get("lint").and_then(Value::as_table).unwrap_or(ruff);
    let isort = lint.get("isort").and_then(Value::as_table);
    let is_chosen = ["select", "extend-select"].iter().any(|key| {
        lint.get(*key).map(listed).unwrap_or_default().iter().any(|code| {
            code == "ALL" || code == "I" || (code.starts_with("I0") && code.len() <= "I001".len())
        })
    });
    if isort.is_none() && !is_chosen {
        return None;
    }
    let mut style = of_settings(&|key| {
        let value = isort.and_then(|isort| isort.get(&key.replace('_', "-")))?;
        Some(listed(value))
    });
    let length = ruff.get("line-length").and_then(Value::as_integer);
    style.line_letters_max = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(88);
    let order = isort.and_then(|isort| isort.get("relative-imports-order")).and_then(Value::as_str);
    style.nearest_first = order == Some("closest-to-furthest");
    Some(style)
}

/// A setting as a list of words.
fn listed(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => words(text),
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        other => vec![other.to_string()],
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

fn of_ini(text: &str) -> Option<Style> {
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let mut is_ours = false;
    let mut is_there = false;
    let mut last = String::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_ours = matches!(section, "isort" | "settings" | "tool:isort");
            is_there |= is_ours;
            continue;
        }
        if !is_ours {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            let value = settings.entry(last.clone()).or_default();
            value.push('\n');
            value.push_str(bare);
        } else if let Some((key, value)) = bare.split_once(['=', ':']) {
            key.trim().clone_into(&mut last);
            settings.insert(last.clone(), value.trim().to_owned());
        }
    }
    is_there.then(|| of_settings(&|key| settings.get(key).map(|text| words(text))))
}

/// The style that settings under isort's names mean.
fn of_settings(get: &dyn Fn(&str) -> Option<Vec<String>>) -> Style {
    let mut style = Style { is_declared: true, ..Style::default() };
    match get("profile").unwrap_or_default().first().map(String::as_str) {
        Some("black") => style.line_letters_max = 88,
        Some("django") => style.joins_aliases = true,
        Some("pycharm") => style.is_mixed = true,
        Some("google") => {
            style.is_single_line = true;
            style.is_mixed = true;
            style.is_lexicographical = true;
            style.by_type = false;
        }
        Some("open_stack") => {
            style.is_single_line = true;
            style.is_mixed = true;
            style.is_lexicographical = true;
        }
        Some("appnexus") => {
            style.is_mixed = true;
            style.by_type = false;
            style.joins_aliases = true;
        }
        Some("plone") => style.is_single_line = true,
        _ => {}
    }
    let set = |key: &str, switch: &mut bool| {
        if let Some(value) = get(key).and_then(|value| value.into_iter().next()) {
            *switch = matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on");
        }
    };
    set("force_sort_within_sections", &mut style.is_mixed);
    set("lexicographical", &mut style.is_lexicographical);
    set("from_first", &mut style.from_first);
    set("case_sensitive", &mut style.is_case_sensitive);
    set("order_by_type", &mut style.by_type);
    set("force_single_line", &mut style.is_single_line);
    set("combine_as_imports", &mut style.joins_aliases);
    set("reverse_relative", &mut style.nearest_first);
    set("no_sections", &mut style.is_unsectioned);
    if let Some(lines) = get("lines_between_types").and_then(|value| value.into_iter().next()) {
        style.blank_between_kinds = lines != "0";
    }
    let length = get("line_length").and_then(|value| value.first()?.parse().ok());
    style.line_letters_max = length.unwrap_or(style.line_letters_max);
    style.tops = get("force_to_top").unwrap_or_default();
    style.own = get("known_first_party").unwrap_or_default();
    style.others = get("known_third_party").unwrap_or_default();
    style
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_every_kind_of_file() {
        let isort =
            of_toml("pyproject.toml", "[tool.isort]\nprofile = \"google\"\nknown_first_party = [\"a\"]\n");
        let isort = isort.unwrap();
        assert!(isort.is_mixed && isort.is_lexicographical && isort.is_single_line && !isort.by_type);
        assert_eq!(isort.own, ["a"]);
        let ruff = "line-length = 100\n[lint]\nselect = [\"E\", \"I001\"]\n[lint.isort]\nforce-sort-within-sections = true\n";
        let ruff = of_toml("ruff.toml", ruff).unwrap();
        assert!(ruff.is_mixed && ruff.is_declared);
        assert_eq!(ruff.line_letters_max, 100);
        let ini = "[flake8]\nx = 1\n[isort]\nknown_first_party =\n    a\n    b\nlines_between_types = 1\n";
        let ini = of_ini(ini).unwrap();
        assert_eq!(ini.own, ["a", "b"]);
        assert!(ini.blank_between_kinds);
    }

    #[test]
    fn a_project_that_says_nothing_declares_nothing() {
        assert_eq!(of_toml("pyproject.toml", "[tool.ruff.lint]\nselect = [\"E\"]\n"), None);
        assert_eq!(of_ini("[flake8]\nmax-line-length = 90\n"), None);
    }
}
