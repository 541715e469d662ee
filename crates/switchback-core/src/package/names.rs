//! Names that a text for people may still have: of files and modules that moved or are gone, and of what changed for callers.
//!
//! A whole dotted name counts wherever it stands. A bare one may be any word, so it counts only where it cannot be another: in
//! `from MODULE import NAME`, or between backticks in a text that names its module as well.

use std::collections::{BTreeMap, BTreeSet};

/// What the shims of moved modules begin with; they name the old one on purpose.
const SHIM_WORDS: &str = "switchback";

/// Something of the public surface that changed so that callers can break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symbol {
    /// The module that offers it, dotted.
    pub(super) module: String,
    /// What it is called in there: `tax`, `Cart.total`.
    pub(super) name: String,
    /// How it changed: `removed`, `signature`, `type`.
    pub(super) kind: String,
}

impl Symbol {
    fn dotted(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }
}

/// A name in a line of a text, which is counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    pub(super) line: usize,
    /// The name, whole.
    pub(super) name: String,
    /// How it changed; `None`: it moved or is gone.
    pub(super) change: Option<String>,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Each name, and how it changed.
    whole: BTreeMap<String, Option<String>>,
    symbols: Vec<Symbol>,
    /// Where in `symbols` those with this last part are.
    by_last: BTreeMap<String, Vec<usize>>,
}

impl Names {
    /// Files and modules, and symbols.
    pub(super) fn new(gone: impl IntoIterator<Item = String>, symbols: &[Symbol]) -> Self {
        let mut names = Self { symbols: symbols.to_vec(), ..Self::default() };
        for (at, symbol) in symbols.iter().enumerate() {
            names.whole.insert(symbol.dotted(), Some(symbol.kind.clone()));
            names.by_last.entry(last_of(&symbol.name).to_owned()).or_default().push(at);
        }
        names.whole.extend(gone.into_iter().map(|name| (name, None)));
        names
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// The lines of a text that have one of them. Of code, only comments and docstrings are looked at.
    pub(super) fn in_text(&self, text: &str, is_code: bool) -> Vec<Mention> {
        if is_code && text.lines().next().is_some_and(|line| line.to_ascii_lowercase().contains(SHIM_WORDS)) {
            return Vec::new();
        }
        let mut in_string: Option<&str> = None;
        let mut lines: Vec<(usize, &str)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            lines.push((at + 1, if is_code { prose_of(line, &mut in_string) } else { line }));
        }
        let modules = self.modules_in(&lines);
        let mut found = Vec::new();
        for (line, prose) in lines {
            let whole = tokens(prose).filter_map(|token| self.name_in(token));
            let mut met: Vec<(String, Option<String>)> = whole.collect();
            for symbol in self.bare_in(prose, &modules) {
                let name = symbol.dotted();
                if !met.iter().any(|(there, _)| *there == name) {
                    met.push((name, Some(symbol.kind.clone())));
                }
            }
            found.extend(met.into_iter().map(|(name, change)| Mention { line, name, change }));
        }
        found
    }

    /// The name that a word of a text means: itself, or one that it goes into.
    fn name_in(&self, token: &str) -> Option<(String, Option<String>)> {
        let token = token.trim_start_matches("./").trim_matches(['.', '/', '-']);
        let known = |name: &str| self.whole.get(name).map(|change| (name.to_owned(), change.clone()));
        if let Some(found) = known(token) {
            return Some(found);
        }
        if token.contains('/') {
            return None;
        }
        let heads = token.match_indices('.').map(|(at, _)| &token[..at]);
        heads.rev().find_map(known)
    }

    /// The modules of symbols that a text names: by a dotted name, by a path, or, where it is one word, between backticks.
    fn modules_in(&self, lines: &[(usize, &str)]) -> BTreeSet<&str> {
        let mut wanted: BTreeMap<String, &str> = BTreeMap::new();
        for symbol in &self.symbols {
            wanted.insert(symbol.module.clone(), &symbol.module);
            wanted.insert(format!("{}.py", symbol.module.replace('.', "/")), &symbol.module);
        }
        let mut found = BTreeSet::new();
        if wanted.is_empty() {
            return found;
        }
        for (_, prose) in lines {
            for token in tokens(prose) {
                let token = token.trim_matches(['.', '/', '-']);
                let path_ends =
                    std::iter::once(token).chain(token.match_indices('/').map(|(at, _)| &token[at + 1..]));
                let heads = token.match_indices('.').map(|(at, _)| &token[..at]);
                let is_name = |name: &&str| name.contains('.');
                found.extend(
                    path_ends.chain(heads).filter(is_name).filter_map(|name| wanted.get(name).copied()),
                );
            }
            found.extend(spans(prose).into_iter().filter_map(|span| wanted.get(span).copied()));
        }
        found
    }

    /// The symbols that a line names without their modules, where that is not to be mistaken.
    fn bare_in(&self, prose: &str, modules: &BTreeSet<&str>) -> Vec<&Symbol> {
        let mut found: Vec<&Symbol> = Vec::new();
        if self.symbols.is_empty() {
            return found;
        }
        for (module, name) in imported(prose) {
            found.extend(self.called(name).filter(|symbol| symbol.module == module && symbol.name == name));
        }
        for span in spans(prose) {
            let name = span.split('(').next().unwrap_or_default().trim();
            let is_meant = |symbol: &&Symbol| {
                // `tax`, `Cart.total`, or with a part of the module before it: `tax.tax`.
                let is_tail = name.contains('.') && symbol.dotted().ends_with(&format!(".{name}"));
                modules.contains(symbol.module.as_str()) && (symbol.name == name || is_tail)
            };
            found.extend(self.called(last_of(name)).filter(is_meant));
        }
        found
    }

    fn called(&self, last: &str) -> impl Iterator<Item = &Symbol> {
        let at = self.by_last.get(last).map_or(&[][..], Vec::as_slice);
        at.iter().filter_map(|at| self.symbols.get(*at))
    }
}

fn last_of(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// The words of a line, paths and dotted names whole.
fn tokens(prose: &str) -> impl Iterator<Item = &str> {
    prose.split(|letter: char| !(letter.is_alphanumeric() || "_./-".contains(letter)))
}

/// What stands between backticks, however many open and close it.
fn spans(prose: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), prose);
    while let Some(at) = rest.find('`') {
        let body = rest[at..].trim_start_matches('`');
        let ticks = &rest[at..rest.len() - body.len()];
        let Some(end) = body.find(ticks) else { break };
        found.push(body[..end].trim());
        rest = &body[end + ticks.len()..];
    }
    found
}

/// What `from MODULE import NAME, NAME` in a line brings: module and name of each.
fn imported(prose: &str) -> Vec<(&str, &str)> {
    let Some((before, names)) = prose.split_once(" import ") else { return Vec::new() };
    let mut words = before.split_whitespace().rev();
    let (Some(module), Some(from)) = (words.next(), words.next()) else { return Vec::new() };
    if from.trim_start_matches(|letter: char| !letter.is_alphanumeric()) != "from" {
        return Vec::new();
    }
    let name = |part| {
        let part = str::trim_start_matches(part, [' ', '(']);
        let end = part.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        (module, &part[..end.unwrap_or(part.len())])
    };
    names.split(',').map(name).filter(|(_, name)| !name.is_empty()).collect()
}

/// What of a line of Python is said to people: a comment, or a part of a text of several lines.
fn prose_of<'l>(line: &'l str, in_string: &mut Option<&'static str>) -> &'l str {
    let was_within = in_string.is_some();
    let mut rest = line;
    let mut met = was_within;
    loop {
        if let Some(quotes) = *in_string {
            let Some(at) = rest.find(quotes) else { break };
            rest = &rest[at + 3..];
            *in_string = None;
        } else {
            let next =
                ["\"\"\"", "'''"].into_iter().filter_map(|quotes| Some((rest.find(quotes)?, quotes))).min();
            let Some((at, quotes)) = next else { break };
            met = true;
            rest = &rest[at + 3..];
            *in_string = Some(quotes);
        }
    }
    if met {
        return line;
    }
    line.find('#').map_or("", |at| &line[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(module: &str, name: &str, kind: &str) -> Symbol {
        Symbol { module: module.to_owned(), name: name.to_owned(), kind: kind.to_owned() }
    }

    fn found(text: &str, is_code: bool) -> Vec<(usize, String)> {
        let gone = ["shop.cart", "src/shop/cart.py"].map(str::to_owned);
        let symbols = [
            symbol("shop.tax", "tax", "signature"),
            symbol("shop.tax", "Rate.of", "removed"),
            symbol("shop.price", "tax", "removed"),
            symbol("app", "run", "type"),
        ];
        let found = Names::new(gone, &symbols).in_text(text, is_code);
        found.into_iter().map(|mention| (mention.line, mention.name)).collect()
    }

    #[test]
    fn words_are_taken_whole() {
        let cart = |line: usize| vec![(line, "shop.cart".to_owned())];
        assert_eq!(found("see\nshop.cart.", false), cart(2));
        assert_eq!(found("`shop.cart.Cart.total()`", false), cart(1));
        assert_eq!(found("(./src/shop/cart.py)", false), [(1, "src/shop/cart.py".to_owned())]);
        for other in
            ["shop.cartoon", "my_shop.cart", "workshop.cart", "shop", "old/src/shop/cart.py", "x.shop.cart"]
        {
            assert_eq!(found(other, false), [], "{other}");
        }
    }

    #[test]
    fn of_code_only_what_is_said_to_people_counts() {
        assert_eq!(found("import shop.cart\nx = shop.cart.y\n", true), []);
        assert_eq!(found("x = 1  # as shop.cart does\n", true).len(), 1);
        assert_eq!(
            found("\"\"\"One line, shop.cart.\"\"\"\nimport shop.cart\n", true),
            [(1, "shop.cart".to_owned())]
        );
        assert_eq!(found("'''\nshop.cart\n'''\nimport shop.cart\n", true), [(2, "shop.cart".to_owned())]);
        assert_eq!(found("# made by switchback\n\"\"\"shop.cart\"\"\"\n", true), []);
        assert_eq!(found("from shop.tax import tax\ntax(1)\n", true), []);
    }

    #[test]
    fn what_changed_for_callers_is_found_by_its_whole_name() {
        let tax = |line: usize| vec![(line, "shop.tax.tax".to_owned())];
        for text in ["shop.tax.tax", "`shop.tax.tax(net)`", "call shop.tax.tax().", ":func:`shop.tax.tax`"] {
            assert_eq!(found(text, false), tax(1), "{text}");
        }
        assert_eq!(found("shop.tax.Rate.of", false), [(1, "shop.tax.Rate.of".to_owned())]);
        for other in ["shop.tax", "shop.tax.taxes", "shop.tax.Rate", "x.shop.tax.tax"] {
            assert_eq!(found(other, false), [], "{other}");
        }
    }

    #[test]
    fn a_bare_name_counts_only_where_it_cannot_be_another() {
        let tax = |line: usize| vec![(line, "shop.tax.tax".to_owned())];
        for text in [
            "from shop.tax import tax",
            ">>> from shop.tax import rate, tax as t",
            "`from shop.tax import (tax)`",
        ] {
            assert_eq!(found(text, false), tax(1), "{text}");
        }
        for text in [
            "In `shop.tax`\n`tax` is there.",
            "See shop/tax.py:\n`tax(net, rate)`",
            "In shop.tax.\n``tax()``",
            "In shop.tax.\n`tax.tax`",
        ] {
            assert_eq!(found(text, false), tax(2), "{text}");
        }
        assert_eq!(found("shop.tax\n`Rate.of`\n`Rate`\n`of`", false), [(2, "shop.tax.Rate.of".to_owned())]);
        assert_eq!(found("`app`\n`run()`", false), [(2, "app.run".to_owned())]);
        for other in [
            "`tax`",
            "In `shop.taxes`, `tax`.",
            "In shop.tax, the tax is `net`.",
            "`app`: run it",
            "The app: `run`",
            "from shop.other import tax",
            "from shop.tax import taxes",
            "In shop.tax: `taxes`, `net tax`, `x.tax`, `tax",
        ] {
            assert_eq!(found(other, false), [], "{other}");
        }
    }
}
