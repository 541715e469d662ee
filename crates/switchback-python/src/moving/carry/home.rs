//! The module that definitions come to: where they are put, and the imports that come with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::exports;
use super::need::{Need, Needs};
use super::old::future;
use super::site::Site;
use super::{DEPTH_MAX, Definition, Piece, Trouble, Work, origin};
use crate::index::{Index, ModuleName, Target};
use crate::moving::edit::{EditKind, Edits, Scene};
use crate::moving::mapping::{Mapping, parent_path};
use crate::moving::order::in_sections;
use crate::moving::statement::remove;
use crate::syntax::{Binding, Import, ImportedName, Span, StatementKind};

impl<'a> Work<'a> {
    /// Puts everything that goes to a module into it.
    pub(super) fn home(&mut self, home: &'a str) {
        let Some((pieces, needs)) = self.pieces.remove(home) else { return };
        let Some(one) = self.definitions.iter().find(|one| one.home.dotted == home) else { return };
        match Site::of(self.order.index, home) {
            Some(site) => {
                if let Err((name, trouble)) = self.put(&site, &pieces, &needs) {
                    let blamed = self.definitions.iter().find(|one| {
                        one.home.dotted == home && name.as_ref().is_none_or(|name| *name == one.name)
                    });
                    self.trouble(blamed.unwrap_or(one), home, &trouble);
                }
            }
            None => self.make(one, &pieces, &needs),
        }
    }

    /// A module that comes into being.
    fn make(&mut self, one: &Definition, pieces: &[Piece], needs: &Needs) {
        let origin =
            self.carried.origins.get(&one.home.dotted).and_then(|from| Site::of(self.order.index, from));
        let line_end = origin.as_ref().map_or("\n", |site| site.line_end);
        let mut imports: Vec<String> = Vec::new();
        if origin.as_ref().is_some_and(future) {
            imports.push("from __future__ import annotations".to_owned());
        }
        let (late, early): (Vec<&Need>, Vec<&Need>) =
            needs.imports.iter().partition(|need| need.is_typing && !has_twin(need, &needs.imports));
        imports.extend(early.iter().map(|need| need.statement(&one.home)));
        if !late.is_empty() && !early.iter().any(|need| need.bound() == "TYPE_CHECKING") {
            imports.push("from typing import TYPE_CHECKING".to_owned());
        }
        let lines = imports.iter().map(|line| format!("{line}{line_end}")).collect::<Vec<_>>().concat();
        let mapping = self.order.mapping;
        let is_own = |top: &str| self.order.index.has(top) || mapping.tops.contains(top);
        let style = self.order.styles.at(&one.home_path);
        let mut text = in_sections(&lines, style, &is_own);
        if !late.is_empty() {
            let lines: Vec<String> =
                late.iter().map(|need| format!("{line_end}    {}", need.statement(&one.home))).collect();
            text = format!("{text}{line_end}if TYPE_CHECKING:{}{line_end}", lines.concat());
        }
        let mut body = joined(pieces, line_end);
        let is_block = pieces.first().is_some_and(|piece| piece.is_block);
        if !text.is_empty() {
            body = format!("{}{body}", line_end.repeat(if is_block { 2 } else { 1 }));
        }
        text.push_str(&body);
        self.make_packages(one);
        self.carried.created.insert(one.home_path.clone());
        self.carried.contents.insert(one.home_path.clone(), Arc::from(text.into_bytes()));
    }

    /// Folders that come into being with a module are packages when the old module lay in one.
    fn make_packages(&mut self, one: &Definition) {
        let index = self.order.index;
        let own = index.file_of(&one.from).and_then(|at| index.tree.file(at)).map_or("", |file| &file.path);
        let was_regular = index.tree.find(&format!("{}/__init__.py", parent_path(own))).is_some();
        let mut folder = parent_path(&one.home_path);
        while was_regular && !folder.is_empty() && !index.roots.iter().any(|root| root == folder) {
            let init = format!("{folder}/__init__.py");
            let is_split = index.tree.find(&format!("{folder}.py")).is_some();
            let below = format!("{folder}/");
            let is_made = self.order.mapping.paths.values().any(|new| new.starts_with(&below));
            if index.tree.is_directory(folder) || is_split || is_made {
                break;
            }
            if !self.carried.contents.contains_key(&init) {
                self.carried.created.insert(init.clone());
                self.carried.contents.insert(init, Arc::from(Vec::new()));
            }
            folder = parent_path(folder);
        }
    }

    /// A module that is there.
    fn put(
        &mut self,
        site: &Site<'_>,
        pieces: &[Piece],
        needs: &Needs,
    ) -> Result<(), (Option<String>, Trouble)> {
        let whole = |trouble: Trouble| (None, trouble);
        if let Some(error) = site.facts.errors.first() {
            let why = format!("`{}` does not parse", site.path);
            return Err(whole(Trouble { offset: error.offset, why }));
        }
        let names: BTreeSet<&str> = pieces.iter().map(|piece| piece.name.as_str()).collect();
        let fresh = self.fresh_imports(site, needs, &names).map_err(whole)?;
        let mut edits = self.edits.remove(site.path).unwrap_or_default();
        let imported = self.drop_imports(site, &names, &mut edits);
        let done = imported.and_then(|imported| {
            shorten(self.order.index, site, self.definitions, &mut edits)?;
            place(site, pieces, &imported, &mut edits)
        });
        done?;
        let before = site.outline.statements.len();
        let (late, early): (Vec<Need>, Vec<Need>) = fresh.into_iter().partition(|need| need.is_typing);
        let mut lines: Vec<String> = early.iter().map(|need| need.statement(site.name)).collect();
        put_late(site, &late, &mut lines, &mut edits);
        if !lines.is_empty() {
            let (at, text) = site.import_text(before, &lines);
            edits.put(Span::new(at, at), text, EditKind::Import);
        }
        let listed: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| pieces.iter().any(|piece| piece.name == *name && piece.is_exported))
            .collect();
        if site.outline.has_exports && !listed.is_empty() {
            match exports::with(&site.bytes, &site.outline, &listed, site.line_end) {
                Some(puts) => {
                    for (at, text) in puts {
                        edits.put(Span::new(at, at), text, EditKind::Definition);
                    }
                }
                None => edits.leave(
                    &site.bytes,
                    Span::new(0, 0),
                    format!("`__all__` is no plain list; it should list `{}`", listed.join("`, `")),
                ),
            }
        }
        self.edits.insert(site.path.to_owned(), edits);
        Ok(())
    }

    /// The imports that the module does not have yet; a name that means something else there is in the way.
    fn fresh_imports(
        &self,
        site: &Site<'_>,
        needs: &Needs,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<Need>, Trouble> {
        let mut fresh: Vec<Need> = Vec::new();
        for need in &needs.imports {
            let bound = need.bound();
            let found = site.facts.bound_in(0, bound).map(|(_, bindings)| bindings).unwrap_or_default();
            if found.is_empty() && !names.contains(bound) {
                fresh.push(need.clone());
                continue;
            }
            let imports: Option<Vec<(&Import, &ImportedName)>> = found
                .iter()
                .map(|binding| {
                    let Binding::Import(import, at) = binding else { return None };
                    let import = site.facts.imports.get(*import)?;
                    Some((import, import.names.get(*at)?))
                })
                .collect();
            let in_the_way = || Trouble {
                offset: 0,
                why: format!("`{bound}` means something else in `{}`", site.name.dotted),
            };
            let imports = imports.ok_or_else(in_the_way)?;
            let is_root = need.base.is_none() && need.alias.is_none();
            if is_root {
                let is_alike =
                    |(import, name): &(&Import, &ImportedName)| import.from.is_none() && name.alias.is_none();
                if !imports.iter().all(is_alike) {
                    return Err(in_the_way());
                }
                if !imports.iter().any(|(import, name)| name.name.text == need.name && !import.is_typing) {
                    fresh.push(need.clone());
                }
                continue;
            }
            let is_same =
                |one: &(&Import, &ImportedName)| self.meaning(site.name, one) == self.wanted(site.name, need);
            if !imports.iter().all(is_same) {
                return Err(in_the_way());
            }
            let is_there = imports.iter().any(|(import, _)| {
                site.is_plain(import) || import.is_optional || (need.is_typing && import.is_typing)
            });
            if !is_there {
                fresh.push(need.clone());
            }
        }
        fresh.dedup_by(|one, other| {
            one.base == other.base && one.name == other.name && one.alias == other.alias
        });
        Ok(fresh)
    }

    /// What an import of the module means: a module, or a definition and where it comes from.
    fn meaning(&self, within: &ModuleName, (import, name): &(&Import, &ImportedName)) -> (String, String) {
        let index = self.order.index;
        match index.target(Some(within), import, name) {
            Target::Module(module) => (module, String::new()),
            Target::Symbol { module, name } => origin(index, &module, &name, DEPTH_MAX),
            Target::External(dotted) => (dotted, String::new()),
            Target::Missing(_) => {
                let base = import.from.as_ref().and_then(|from| Index::base(Some(within), from));
                (base.unwrap_or_default(), name.name.text.clone())
            }
        }
    }

    fn wanted(&self, within: &ModuleName, need: &Need) -> (String, String) {
        let index = self.order.index;
        let Some(base) = &need.base else { return (need.name.clone(), String::new()) };
        // A definition that moves too is still where it was.
        let moved = self.homes.iter().find(|((_, name), home)| **home == base && *name == need.name);
        if let Some(((from, name), _)) = moved {
            return origin(index, from, name, DEPTH_MAX);
        }
        match index.member(Some(&within.dotted), base, &need.name, 0) {
            Target::Module(module) => (module, String::new()),
            Target::Symbol { module, name } => origin(index, &module, &name, DEPTH_MAX),
            Target::External(dotted) => (dotted, String::new()),
            Target::Missing(_) => (base.clone(), need.name.clone()),
        }
    }

    /// What the module imported so far and has itself from now on is imported no more; which names these are.
    fn drop_imports(
        &self,
        site: &Site<'_>,
        names: &BTreeSet<&str>,
        edits: &mut Edits,
    ) -> Result<BTreeSet<String>, (Option<String>, Trouble)> {
        let index = self.order.index;
        let mut gone: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut imported = BTreeSet::new();
        for (at, import) in site.facts.imports.iter().enumerate() {
            for (number, name) in import.names.iter().enumerate() {
                let Target::Symbol { module, name: word } = index.target(Some(site.name), import, name)
                else {
                    continue;
                };
                let (module, word) = origin(index, &module, &word, DEPTH_MAX);
                let goes_here = self
                    .homes
                    .get(&(module.as_str(), word.as_str()))
                    .is_some_and(|home| *home == site.name.dotted);
                if !goes_here {
                    continue;
                }
                let trouble = |why: String| (Some(word.clone()), Trouble { offset: import.span.start, why });
                if name.alias.as_ref().is_some_and(|alias| alias.text != word) || name.name.text != word {
                    return Err(trouble(format!("`{}` has it under another name", site.name.dotted)));
                }
                if import.scope != 0 {
                    return Err(trouble(format!("a function of `{}` imports it", site.name.dotted)));
                }
                if !site.is_plain(import) && !import.is_typing {
                    return Err(trouble(format!("`{}` imports it on a condition", site.name.dotted)));
                }
                if import.is_typing && import.names.len() == 1 {
                    return Err(trouble(format!("`{}` imports it for type checkers", site.name.dotted)));
                }
                gone.entry(at).or_default().insert(number);
                imported.insert(word);
            }
        }
        for name in names {
            let is_taken = site.facts.binds(name) && !imported.contains(*name);
            if is_taken {
                let why = format!("`{name}` means something else in `{}`", site.name.dotted);
                return Err((Some((*name).to_owned()), Trouble { offset: 0, why }));
            }
        }
        self.take_out(site, &gone, edits);
        Ok(imported)
    }

    /// Takes names out of import statements, and whole statements when no name is left.
    fn take_out(&self, site: &Site<'_>, gone: &BTreeMap<usize, BTreeSet<usize>>, edits: &mut Edits) {
        let mapping = Mapping::default();
        let scene = Scene {
            index: self.order.index,
            mapping: &mapping,
            facts: &site.facts,
            bytes: &site.bytes,
            path: site.path,
            old: Some(site.name),
            new: Some(site.name),
            line_end: site.line_end,
        };
        for (at, numbers) in gone {
            let Some(import) = site.facts.imports.get(*at) else { continue };
            if numbers.len() == import.names.len() {
                let start = site.bytes.get(..import.span.start).unwrap_or_default();
                let start = start.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let stop = super::cut::line_stop(&site.bytes, import.span.end);
                edits.put(Span::new(start, stop), "", EditKind::FromImport);
            } else {
                remove(&scene, import, numbers, EditKind::FromImport, edits);
            }
        }
    }
}

fn has_twin(need: &Need, all: &BTreeSet<Need>) -> bool {
    all.iter().any(|other| !other.is_typing && other.bound() == need.bound())
}

/// `module.Name` in the very module that it goes to is `Name` there.
fn shorten(
    index: &Index<'_>,
    site: &Site<'_>,
    definitions: &[Definition],
    edits: &mut Edits,
) -> Result<(), (Option<String>, Trouble)> {
    for chain in site.facts.chains.iter().filter(|chain| chain.words.len() > 1) {
        let Some(first) = chain.words.first() else { continue };
        let Some((_, bindings)) = site.facts.resolve(chain.scope, &first.text) else { continue };
        let module = bindings.iter().find_map(|binding| {
            let Binding::Import(import, at) = binding else { return None };
            let import = site.facts.imports.get(*import)?;
            let name = import.names.get(*at)?;
            match index.target(Some(site.name), import, name) {
                Target::Module(_) if import.from.is_none() && name.alias.is_none() => {
                    Some(first.text.clone())
                }
                Target::Module(module) => Some(module),
                _ => None,
            }
        });
        let Some(module) = module else { continue };
        let reached = definitions.iter().filter(|one| one.home.dotted == site.name.dotted).find_map(|one| {
            let rest = one.rule.from.strip_prefix(module.as_str())?.strip_prefix('.')?;
            let count = rest.split('.').count();
            let words = chain.words.get(1..=count)?;
            words.iter().map(|word| word.text.as_str()).eq(rest.split('.')).then_some((one, words.last()?))
        });
        let Some((one, last)) = reached else { continue };
        let trouble = |why: String| (Some(one.name.clone()), Trouble { offset: first.span.start, why });
        if !site.is_late(chain.scope) {
            let written = chain.dotted(chain.words.len());
            return Err(trouble(format!("`{}` uses it as `{written}` as soon as it runs", site.name.dotted)));
        }
        if site.facts.resolve(chain.scope, &one.name).is_some_and(|(scope, _)| scope != 0) {
            return Err(trouble(format!("`{}` means something else there", one.name)));
        }
        edits.put(Span::new(first.span.start, last.span.end), one.name.clone(), EditKind::Attribute);
    }
    Ok(())
}

/// Puts the definitions at the end of the module, or before what uses them as soon as it runs.
fn place(
    site: &Site<'_>,
    pieces: &[Piece],
    imported: &BTreeSet<String>,
    edits: &mut Edits,
) -> Result<(), (Option<String>, Trouble)> {
    let statements = &site.outline.statements;
    let uses = |names: &[String]| names.iter().find(|name| imported.contains(*name)).cloned();
    let user = statements.iter().position(|statement| uses(&statement.eager).is_some());
    let main = statements.iter().position(|statement| statement.kind == StatementKind::Main);
    let at = match (user, main) {
        (Some(user), Some(main)) => Some(user.min(main)),
        (user, main) => user.or(main),
    };
    let text = joined(pieces, site.line_end);
    let end = site.line_end;
    if let Some(before) = at.and_then(|at| statements.get(at)) {
        let later: BTreeSet<&str> = statements
            .iter()
            .skip(at.unwrap_or(0))
            .filter_map(|statement| statement.name.as_deref())
            .collect();
        for piece in pieces {
            if let Some(name) = piece.eager.iter().find(|name| later.contains(name.as_str())) {
                let why = format!("`{}` uses it before `{name}` is there, which it needs", site.name.dotted);
                return Err((Some(piece.name.clone()), Trouble { offset: before.span.start, why }));
            }
        }
        let is_block =
            pieces.last().is_some_and(|piece| piece.is_block) || before.kind != StatementKind::Value;
        let place = site.above(before.span.start);
        edits.put(
            Span::new(place, place),
            format!("{text}{}", end.repeat(if is_block { 2 } else { 1 })),
            EditKind::Definition,
        );
        return Ok(());
    }
    let place = site.bytes.len();
    let open = if site.bytes.is_empty() || site.bytes.ends_with(b"\n") { "" } else { end };
    let is_block = |kind| matches!(kind, StatementKind::Definition | StatementKind::Overload);
    let first_is_block = pieces.first().is_some_and(|piece| piece.is_block);
    let blanks = match statements.last() {
        None => 0,
        Some(last) if is_block(last.kind) || first_is_block => 2,
        Some(last) if last.kind == StatementKind::Value => 0,
        Some(_) => 1,
    };
    edits.put(Span::new(place, place), format!("{open}{}{text}", end.repeat(blanks)), EditKind::Definition);
    Ok(())
}

/// The texts of definitions, one after the other, with blank lines as they should be.
fn joined(pieces: &[Piece], line_end: &str) -> String {
    let mut text = String::new();
    let mut last: Option<&Piece> = None;
    for piece in pieces {
        let blanks = match last {
            None => 0,
            Some(before) if before.name == piece.name => piece.blanks_above,
            Some(before) if before.is_block || piece.is_block => 2,
            Some(_) => piece.blanks_above.min(1),
        };
        text.push_str(&line_end.repeat(blanks));
        for line in piece.text.lines() {
            text.push_str(line);
            text.push_str(line_end);
        }
        last = Some(piece);
    }
    text
}

/// Imports for type checkers go into the block that is there, or make one.
fn put_late(site: &Site<'_>, late: &[Need], lines: &mut Vec<String>, edits: &mut Edits) {
    if late.is_empty() {
        return;
    }
    let end = site.line_end;
    let statements: Vec<String> = late.iter().map(|need| need.statement(site.name)).collect();
    let block = site.outline.statements.iter().find(|statement| statement.kind == StatementKind::Typing);
    if let Some(block) = block {
        let last = site
            .bytes
            .get(block.span.start..block.body_end)
            .unwrap_or_default()
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| block.span.start + at + 1);
        let indent: String = site
            .bytes
            .get(last..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .map(|byte| char::from(*byte))
            .collect();
        let place = super::cut::line_stop(&site.bytes, block.body_end);
        let lines: Vec<String> = statements.iter().map(|line| format!("{indent}{line}{end}")).collect();
        edits.put(Span::new(place, place), lines.concat(), EditKind::Import);
        return;
    }
    if !site.facts.binds("TYPE_CHECKING") {
        lines.push("from typing import TYPE_CHECKING".to_owned());
    }
    let body: Vec<String> = statements.iter().map(|line| format!("{end}    {line}")).collect();
    lines.push(format!("{end}if TYPE_CHECKING:{}", body.concat()));
}
