//! What import statements are compared by: the section that they belong to, and their names in natural order.

use super::style::Style;
use crate::moving::reserved::STANDARD_LIBRARY;
use crate::syntax::{Import, ImportedName};

/// A text with its numbers read as numbers: `a10` comes after `a9`.
type Natural = Vec<(String, u64)>;

/// What a statement is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    is_low: bool,
    kind: u8,
    name: Natural,
}

/// How blocks are told into sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// One section for each class, blank lines between sections and nowhere else.
    Sections,
    /// Groups as blank lines make them; by class within one.
    Classed,
    /// Groups as blank lines make them; by name alone within one.
    Plain,
}

/// One way of sorting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    /// What the project says.
    pub(super) style: &'a Style,
    /// Whether both kinds of statements stand among each other.
    pub(super) is_mixed: bool,
    /// Whether the project's own packages are sorted among those of others.
    pub(super) own_is_other: bool,
    /// How sections are told.
    pub(super) grouping: Grouping,
}

impl<'a> Way<'a> {
    /// Every way that a block may have been sorted, the likeliest first.
    pub(super) fn all(style: &'a Style) -> Vec<Self> {
        let groupings: &[Grouping] = if style.is_unsectioned {
            &[Grouping::Plain]
        } else {
            &[Grouping::Sections, Grouping::Classed, Grouping::Plain]
        };
        let mixes: &[bool] = match (style.is_declared, style.is_mixed) {
            (true, true) => &[true],
            (true, false) => &[false],
            (false, _) => &[false, true],
        };
        let mut ways = Vec::new();
        for grouping in groupings {
            for is_mixed in mixes {
                for own_is_other in [false, true] {
                    let grouping = *grouping;
                    ways.push(Self { style, is_mixed: *is_mixed, own_is_other, grouping });
                }
            }
        }
        ways
    }

    /// The section: future, standard library, others, own, relative.
    pub(super) fn class(&self, import: &Import, is_own: &dyn Fn(&str) -> bool) -> u8 {
        let module = match &import.from {
            Some(from) if from.level > 0 => return 4,
            Some(from) => from.module.as_str(),
            None => import.names.first().map_or("", |name| name.name.text.as_str()),
        };
        let top = module.split('.').next().unwrap_or(module);
        let is_known = |list: &[String]| {
            list.iter().any(|known| {
                module
                    .strip_prefix(known.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        if top == "__future__" {
            0
        } else if is_known(&self.style.own) {
            3
        } else if is_known(&self.style.others) {
            2
        } else if STANDARD_LIBRARY.contains(&top) {
            1
        } else if is_own(top) && !self.own_is_other {
            3
        } else {
            2
        }
    }

    /// What a statement is compared by within its section.
    pub(super) fn key(&self, import: &Import) -> Key {
        let first = import.names.first().map_or("", |name| name.name.text.as_str());
        let (module, is_from) = match &import.from {
            Some(from) if from.level > 0 => {
                let glue = if self.style.nearest_first { " " } else { "_" };
                (format!("{}{glue}{}", ".".repeat(from.level), from.module), true)
            }
            Some(from) => (from.module.clone(), true),
            None => (first.to_owned(), false),
        };
        let name = match (self.is_mixed, is_from, self.style.is_lexicographical) {
            (true, true, true) => format!("{module}.{first}"),
            (true, true, false) => format!("{module} import {first}"),
            _ => module.clone(),
        };
        let kind = if self.is_mixed { 0 } else { u8::from(is_from != self.style.from_first) };
        Key { is_low: !self.style.tops.contains(&module), kind, name: self.natural(&name) }
    }

    /// What a name is compared by among the names of its statement.
    pub(super) fn member(&self, name: &ImportedName) -> (u8, Natural) {
        let text = name.name.text.as_str();
        let is_constant =
            text.len() > 1 && text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_lowercase);
        let kind = match (self.style.by_type, is_constant) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) if text.starts_with(char::is_uppercase) => 2,
            (true, false) => 3,
        };
        (kind, self.natural(text))
    }

    fn natural(&self, text: &str) -> Natural {
        let text = if self.style.is_case_sensitive { text.to_owned() } else { text.to_lowercase() };
        let mut parts: Natural = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let words = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(words);
            let digits = behind.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(behind.len());
            let (number, behind) = behind.split_at(digits);
            parts.push((word.to_owned(), number.parse().map_or(0, |number: u64| number.saturating_add(1))));
            rest = behind;
        }
        parts
    }
}
