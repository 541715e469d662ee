//! The module that definitions leave: what is cut out, what it imports back, and what is told about it.

use std::collections::{BTreeMap, BTreeSet};

use super::cut::{Cut, cut, is_whole, taken};
use super::exports;
use super::need::{collect, within};
use super::site::Site;
use super::{Definition, Piece, Trouble, Work};
use crate::index::Index;
use crate::moving::edit::EditKind;
use crate::moving::statement::written_base;
use crate::syntax::{Binding, Chain, Role, Span, Statement, StatementKind};

/// A definition and the lines that it takes.
struct Taken<'a, 's> {
    one: &'a Definition,
    statement: &'s Statement,
    cut: Cut,
}

impl<'a> Work<'a> {
    /// Takes every definition out of a module that leaves it.
    pub(super) fn source(&mut self, site: &Site<'_>) {
        let leaving: Vec<&'a Definition> =
            self.definitions.iter().filter(|one| one.from == site.name.dotted).collect();
        let mut takes: Vec<Taken<'a, '_>> = Vec::new();
        for one in &leaving {
            match self.take(site, one) {
                Ok(found) => takes.extend(found),
                Err(trouble) => self.trouble(one, &site.name.dotted, &trouble),
            }
        }
        takes.sort_by_key(|take| take.cut.lines);
        for take in &takes {
            if let Err(trouble) = self.lift(site, take, &takes) {
                self.trouble(take.one, &site.name.dotted, &trouble);
            }
        }
        if !self.refused.is_empty() {
            return;
        }
        let cuts: Vec<Cut> = takes.iter().map(|take| take.cut).collect();
        let kept = self.kept(site, &leaving, &takes);
        self.refuse_back(site, &leaving, &kept);
        let edits = self.edits.entry(site.path.to_owned()).or_default();
        for span in taken(&site.bytes, &cuts) {
            edits.put(span, "", EditKind::Definition);
        }
        self.import_back(site, &kept);
        self.unlist(site, &leaving, &kept);
        self.tell_unused(site, &takes);
    }

    /// The statements of a definition.
    fn take<'s>(&self, site: &'s Site<'_>, one: &'a Definition) -> Result<Vec<Taken<'a, 's>>, Trouble> {
        let trouble = |offset: usize, why: String| Trouble { offset, why };
        if let Some(error) = site.facts.errors.first() {
            return Err(trouble(error.offset, "the file does not parse".to_owned()));
        }
        let name = one.name.as_str();
        let found: Vec<(usize, &Statement)> = site
            .outline
            .statements
            .iter()
            .enumerate()
            .filter(|(_, statement)| statement.name.as_deref() == Some(name))
            .collect();
        let statements: Vec<&Statement> = found.iter().map(|(_, statement)| *statement).collect();
        let bound = site.facts.bound_in(0, name).map_or(0, |(_, bindings)| bindings.len());
        let place = statements.first().map_or(0, |statement| statement.span.start);
        if statements.is_empty() {
            return Err(trouble(
                place,
                format!("`{name}` is no statement of its own: it stands in a condition, or with others"),
            ));
        }
        let goes_along = |statement: &Statement| {
            let other = statement.name.as_deref().and_then(|name| self.homes.get(&(one.from.as_str(), name)));
            other.is_some_and(|home| *home == one.home.dotted)
        };
        for statement in site.outline.statements.iter().filter(|statement| !goes_along(statement)) {
            if statement.globals.iter().any(|global| global == name) {
                return Err(trouble(
                    statement.span.start,
                    format!("a function that stays sets `{name}` by `global`"),
                ));
            }
            if statement.changed.iter().any(|changed| changed == name) {
                return Err(trouble(statement.span.start, format!("what stays sets a part of `{name}`")));
            }
        }
        if bound != statements.len() || !is_whole(&statements) {
            return Err(trouble(place, format!("`{name}` is bound more than once")));
        }
        found
            .into_iter()
            .map(|(at, statement)| {
                let alien = statement.globals.iter().find(|global| {
                    self.homes
                        .get(&(one.from.as_str(), global.as_str()))
                        .is_none_or(|home| *home != one.home.dotted)
                });
                if let Some(global) = alien {
                    let why = format!("it sets `{global}`, which stays, by `global`");
                    return Err(trouble(statement.span.start, why));
                }
                let cut = cut(&site.bytes, &site.outline, at).ok_or_else(|| {
                    trouble(statement.span.start, "it shares a line with other code".to_owned())
                })?;
                Ok(Taken { one, statement, cut })
            })
            .collect()
    }

    /// The text of a definition as its new module has it, and what it needs there.
    fn lift(&mut self, site: &Site<'_>, take: &Taken<'a, '_>, all: &[Taken<'a, '_>]) -> Result<(), Trouble> {
        let lines = take.cut.lines;
        let text = lifted(site, take.one, lines)?;
        for chain in site.facts.chains.iter().filter(|chain| within(chain, lines)) {
            self.look_at_dunder(site, take.one, chain)?;
        }
        let is_public = !take.one.name.starts_with('_');
        let is_exported =
            site.facts.exports.as_ref().map_or(is_public, |exports| exports.contains(&take.one.name));
        let is_first = all.iter().all(|other| other.one.home != take.one.home || other.cut.lines >= lines);
        let piece = Piece {
            text,
            is_block: matches!(take.statement.kind, StatementKind::Definition | StatementKind::Overload),
            blanks_above: if is_first { 0 } else { take.cut.blanks_above },
            name: take.one.name.clone(),
            eager: take.statement.eager.clone(),
            is_exported,
        };
        if take.statement.has_annotations && future(site) && !self.has_future(take.one) {
            let why = format!(
                "its annotations are read later, by `from __future__ import annotations`, which `{}` has not",
                take.one.home.dotted
            );
            return Err(Trouble { offset: take.statement.span.start, why });
        }
        let (pieces, needs) = self.pieces.entry(take.one.home.dotted.as_str()).or_default();
        collect(self.order.index, site, take.one, lines, &self.homes, needs)?;
        pieces.push(piece);
        if self.order.index.file_of(&take.one.home.dotted).is_none() {
            self.carried.origins.insert(take.one.home.dotted.clone(), site.name.dotted.clone());
        }
        Ok(())
    }

    /// `__file__` leads elsewhere in another folder, and `__name__` says another name.
    fn look_at_dunder(&mut self, site: &Site<'_>, one: &Definition, chain: &Chain) -> Result<(), Trouble> {
        let Some(first) = chain.words.first() else { return Ok(()) };
        match first.text.as_str() {
            "__file__" | "__path__" => {
                let why = format!("it uses `{}`, which leads elsewhere from `{}`", first.text, one.home_path);
                Err(Trouble { offset: first.span.start, why })
            }
            "__name__" | "__package__" | "__spec__" => {
                let edits = self.edits.entry(site.path.to_owned()).or_default();
                let why = format!("`{}` says `{}` there", first.text, one.home.dotted);
                edits.leave(&site.bytes, first.span, why);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether the module that a definition goes to reads annotations late, or is new and can be told to.
    fn has_future(&self, one: &Definition) -> bool {
        match Site::of(self.order.index, &one.home.dotted) {
            Some(home) => future(&home),
            None => true,
        }
    }

    /// The definitions whose names the old module goes on having, each with whether its own code uses them.
    fn kept(
        &self,
        site: &Site<'_>,
        leaving: &[&'a Definition],
        takes: &[Taken<'a, '_>],
    ) -> Vec<(&'a Definition, bool)> {
        let is_starred = self.is_starred(&site.name.dotted);
        let is_cut = |chain: &Chain| takes.iter().any(|take| within(chain, take.cut.lines));
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for chain in site.facts.chains.iter().filter(|chain| !is_cut(chain)) {
            let Some(first) = chain.words.first() else { continue };
            if site.facts.resolve(chain.scope, &first.text).is_some_and(|(scope, _)| scope == 0) {
                used.insert(&first.text);
            }
        }
        let mut kept = Vec::new();
        for one in leaving {
            let new_from = self.order.mapping.module(&one.from);
            let is_below = one.home.dotted.strip_prefix(&new_from).is_some_and(|rest| rest.starts_with('.'));
            let is_asked = self
                .order
                .rules
                .symbols
                .iter()
                .any(|pair| pair.from == pair.to && pair.from == one.rule.from);
            let is_used = used.contains(one.name.as_str());
            if is_used || is_below || is_asked || is_starred || self.order.keeps_names {
                kept.push((*one, is_used));
            }
        }
        kept
    }

    /// What a definition needs from its old module cannot be had when that one needs the new module.
    fn refuse_back(&mut self, site: &Site<'_>, leaving: &[&'a Definition], kept: &[(&'a Definition, bool)]) {
        for one in leaving {
            let home = one.home.dotted.as_str();
            let Some((_, needs)) = self.pieces.get(home) else { continue };
            let mine: Vec<&String> =
                needs.back.iter().filter(|(_, user)| **user == one.name).map(|(name, _)| name).collect();
            let Some((wanted, _)) = kept.iter().find(|(other, _)| other.home.dotted == home) else {
                continue;
            };
            let Some(first) = mine.first() else { continue };
            let place = site
                .outline
                .statements
                .iter()
                .find(|statement| statement.name.as_deref() == Some(first))
                .map_or(0, |statement| statement.span.start);
            let names: Vec<String> = mine.iter().map(|name| format!("`{name}`")).collect();
            let why = format!(
                "it uses {}, which stays in `{}`, and that needs `{}` from `{home}`: the two would import each other; \
                 move {} as well",
                names.join(", "),
                site.name.dotted,
                wanted.name,
                if names.len() == 1 { "it" } else { "them" },
            );
            self.trouble(one, &site.name.dotted, &Trouble { offset: place, why });
        }
        // What is needed from the old module is imported from there.
        let is_relative = site.is_relative;
        for home in leaving.iter().map(|one| one.home.dotted.as_str()).collect::<BTreeSet<_>>() {
            let Some((_, needs)) = self.pieces.get_mut(home) else { continue };
            for (name, _) in std::mem::take(&mut needs.back) {
                needs.imports.insert(super::need::Need {
                    base: Some(site.name.dotted.clone()),
                    is_relative,
                    name,
                    alias: None,
                    is_typing: false,
                });
            }
        }
    }

    /// The old module imports what it goes on having.
    fn import_back(&mut self, site: &Site<'_>, kept: &[(&'a Definition, bool)]) {
        let mut homes: BTreeMap<&str, Vec<(&Definition, bool)>> = BTreeMap::new();
        for (one, is_used) in kept {
            homes.entry(&one.home.dotted).or_default().push((one, *is_used));
        }
        let mut before = site.outline.statements.len();
        let mut lines = Vec::new();
        for (home, ones) in homes {
            let is_below = home.strip_prefix(&site.name.dotted).is_some_and(|rest| rest.starts_with('.'));
            let base = written_base(Some(site.name), home, site.is_relative || is_below);
            let mut names: Vec<&str> = ones.iter().map(|(one, _)| one.name.as_str()).collect();
            names.dedup();
            let is_plain = ones.iter().all(|(one, is_used)| {
                *is_used || site.facts.exports.as_ref().is_some_and(|exports| exports.contains(&one.name))
            });
            let comment = if is_plain { "" } else { "  # noqa: F401" };
            let line = format!("from {base} import {}", names.join(", "));
            if line.len() + comment.len() <= LINE_LETTERS_MAX {
                lines.push(format!("{line}{comment}"));
            } else {
                let end = site.line_end;
                let column =
                    names.iter().map(|name| format!("    {name},{end}")).collect::<Vec<_>>().concat();
                lines.push(format!("from {base} import ({comment}{end}{column})"));
            }
            let users = site.outline.statements.iter().position(|statement| {
                statement.eager.iter().any(|eager| names.contains(&eager.as_str()))
                    && statement.name.as_deref().is_none_or(|name| !names.contains(&name))
            });
            before = before.min(users.unwrap_or(before));
        }
        if lines.is_empty() {
            return;
        }
        let (place, text) = site.import_text(before, &lines);
        let edits = self.edits.entry(site.path.to_owned()).or_default();
        edits.put(Span::new(place, place), text, EditKind::Import);
    }

    /// `__all__` of the old module lists what it goes on having for others, and nothing else.
    fn unlist(&mut self, site: &Site<'_>, leaving: &[&'a Definition], kept: &[(&'a Definition, bool)]) {
        let is_starred = self.is_starred(&site.name.dotted);
        for one in leaving {
            let is_listed = site.facts.exports.as_ref().is_some_and(|exports| exports.contains(&one.name));
            let is_facade = kept.iter().any(|(other, is_used)| {
                other.name == one.name && (!is_used || is_starred || self.is_facade(site, one))
            });
            if !is_listed || is_facade {
                continue;
            }
            let edits = self.edits.entry(site.path.to_owned()).or_default();
            if let Some(span) = exports::without(&site.bytes, &site.outline, &one.name) {
                edits.put(span, "", EditKind::Definition);
            } else {
                let why = format!("`__all__` lists `{}`, and is no plain list", one.name);
                edits.leave(&site.bytes, Span::new(0, 0), why);
            }
        }
    }

    fn is_facade(&self, site: &Site<'_>, one: &Definition) -> bool {
        let new_from = self.order.mapping.module(&site.name.dotted);
        let is_below = one.home.dotted.strip_prefix(&new_from).is_some_and(|rest| rest.starts_with('.'));
        let is_asked =
            self.order.rules.symbols.iter().any(|pair| pair.from == pair.to && pair.from == one.rule.from);
        is_below || is_asked || self.order.keeps_names
    }

    /// Imports that only what moved has used: they stay, since somebody else may take them from here.
    fn tell_unused(&mut self, site: &Site<'_>, takes: &[Taken<'a, '_>]) {
        let is_cut = |chain: &Chain| takes.iter().any(|take| within(chain, take.cut.lines));
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for chain in &site.facts.chains {
            let Some(first) = chain.words.first() else { continue };
            if site.facts.resolve(chain.scope, &first.text).is_some_and(|(scope, _)| scope == 0) {
                if is_cut(chain) { &mut gone } else { &mut used }.insert(first.text.as_str());
            }
        }
        let exports: Vec<&str> = site.facts.exports.iter().flatten().map(String::as_str).collect();
        let edits = self.edits.entry(site.path.to_owned()).or_default();
        for name in gone.difference(&used).filter(|name| !exports.contains(name)) {
            let Some((_, bindings)) = site.facts.bound_in(0, name) else { continue };
            let Some(Binding::Import(import, _)) = bindings.first() else { continue };
            let Some(import) = site.facts.imports.get(*import) else { continue };
            let why =
                format!("nothing else here uses `{name}` now; it stays, as others may import it from here");
            edits.leave(&site.bytes, import.span, why);
        }
    }
}

/// How long a line of imports may be, in characters.
const LINE_LETTERS_MAX: usize = 88;

/// Whether a module has `from __future__ import annotations`.
pub(super) fn future(site: &Site<'_>) -> bool {
    site.facts.imports.iter().any(|import| {
        import.from.as_ref().is_some_and(|from| from.module == "__future__")
            && import.names.iter().any(|name| name.name.text == "annotations")
    })
}

/// The lines of a definition as they are written in its new module: dots of the imports in it are counted again.
fn lifted(site: &Site<'_>, one: &Definition, lines: Span) -> Result<String, Trouble> {
    let inside = |span: Span| span.start >= lines.start && span.end <= lines.end;
    let mut puts: Vec<(Span, String)> = Vec::new();
    for import in site.facts.imports.iter().filter(|import| inside(import.span)) {
        let Some(from) = import.from.as_ref().filter(|from| from.level > 0) else { continue };
        let base = Index::base(Some(site.name), from);
        let tight = format!("{}{}", ".".repeat(from.level), from.module);
        let Some(base) = base.filter(|_| from.span.of(&site.bytes) == tight.as_bytes()) else {
            let why = "an import in it cannot be counted again".to_owned();
            return Err(Trouble { offset: import.span.start, why });
        };
        puts.push((from.span, written_base(Some(&one.home), &base, true)));
    }
    for call in &site.facts.relative_calls {
        let is_own = call.package.is_none();
        if let Some(text) = site.facts.texts.get(call.name).filter(|text| is_own && inside(text.span)) {
            let why = "it imports by a name that is relative to its module".to_owned();
            return Err(Trouble { offset: text.span.start, why });
        }
    }
    let is_late = |role: &Role| *role != Role::Docstring;
    if let Some(text) = site
        .facts
        .texts
        .iter()
        .find(|text| inside(text.span) && is_late(&text.role) && text.value == "__main__")
    {
        let why = "it asks whether it is run as a program".to_owned();
        return Err(Trouble { offset: text.span.start, why });
    }
    let mut bytes = Vec::new();
    let mut at = lines.start;
    for (span, new) in puts {
        bytes.extend_from_slice(site.bytes.get(at..span.start).unwrap_or_default());
        bytes.extend_from_slice(new.as_bytes());
        at = span.end;
    }
    bytes.extend_from_slice(site.bytes.get(at..lines.end).unwrap_or_default());
    String::from_utf8(bytes)
        .map_err(|_| Trouble { offset: lines.start, why: "it is not written in UTF-8".to_owned() })
}
