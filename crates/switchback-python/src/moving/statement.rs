//! Import statements: the new statement binds the same names to what they meant before.

use std::collections::BTreeSet;

use super::edit::{EditKind, Edits, Scene};
use crate::index::{Index, ModuleName, Target, join, leaf_of, parent_of};
use crate::syntax::{From, Import, ImportedName, Span};

/// Where a name of a `from` statement is found after the move.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    /// The module that it is imported from; empty for a module at the top.
    base: String,
    /// Its name there.
    leaf: String,
}

/// Plans the edits of one `from … import …` statement.
pub(crate) fn edit_from(scene: &Scene<'_>, import: &Import, from: &From, edits: &mut Edits) {
    if from.level == 0 && from.module.is_empty() {
        return;
    }
    let Some(base) = Index::base(scene.old, from) else {
        if scene.old != scene.new {
            edits.leave(scene.bytes, import.span, "the dots lead out of the top package");
        }
        return;
    };
    if let Some(new) = scene.renamed_beside(&base).filter(|_| from.level == 0) {
        return edits.rename(scene.bytes, from.span, &base, &new, EditKind::FromImport);
    }
    let found: Vec<Found> = import.names.iter().map(|name| find(scene, import, name, &base)).collect();
    let natural = scene.mapping.module(&base);
    // A statement that breaks off before its first name has a base all the same.
    let kept = if found.is_empty() || found.iter().any(|one| one.base == natural) {
        natural
    } else {
        match found.iter().find(|one| !one.base.is_empty()) {
            Some(first) => first.base.clone(),
            None => return replace_by_imports(scene, import, &found, edits),
        }
    };
    let kind = if from.level > 0 { EditKind::RelativeImport } else { EditKind::FromImport };
    edit_base(scene, from, &base, &kept, kind, edits);
    let mut gone = BTreeSet::new();
    for (at, (name, one)) in import.names.iter().zip(&found).enumerate() {
        if one.base == kept {
            rename_kept(name, &one.leaf, kind, edits);
        } else {
            gone.insert(at);
        }
    }
    if !gone.is_empty() {
        take_out(scene, import, from, &found, &gone, kind, edits);
    }
}

fn find(scene: &Scene<'_>, import: &Import, name: &ImportedName, base: &str) -> Found {
    let word = name.name.text.as_str();
    let stays = || Found { base: scene.mapping.module(base), leaf: word.to_owned() };
    if word == "*" {
        return stays();
    }
    if let Some(new) = scene.mapping.symbol(base, word) {
        return Found { base: parent_of(new).to_owned(), leaf: leaf_of(new).to_owned() };
    }
    match scene.index.target(scene.old, import, name) {
        Target::Module(module) if module == join(base, word) => {
            let new = scene.mapping.module(&module);
            Found { base: parent_of(&new).to_owned(), leaf: leaf_of(&new).to_owned() }
        }
        _ => stays(),
    }
}

/// `from . import a` where everything becomes a module at the top.
fn replace_by_imports(scene: &Scene<'_>, import: &Import, found: &[Found], edits: &mut Edits) {
    let statements: Vec<String> =
        import.names.iter().zip(found).map(|(name, one)| statement(scene, false, one, name)).collect();
    let glue = match scene.indent(import.span.start) {
        Some(indent) => format!("{}{indent}", scene.line_end),
        None => "; ".to_owned(),
    };
    edits.put(import.span, statements.join(&glue), EditKind::FromImport);
}

/// The base as it has to be written, when what stands there does not mean it any more.
fn edit_base(scene: &Scene<'_>, from: &From, old: &str, new: &str, kind: EditKind, edits: &mut Edits) {
    if Index::base(scene.new, from).as_deref() == Some(new) {
        return;
    }
    let written = written_base(scene.new, new, from.level > 0);
    if from.level == 0 {
        edits.rename(scene.bytes, from.span, old, &written, kind);
        return;
    }
    let slice = from.span.of(scene.bytes);
    let tight = format!("{}{}", ".".repeat(from.level), from.module);
    let squeezed: Vec<u8> = slice.iter().copied().filter(|byte| !b" \t\x0c\\\r\n".contains(byte)).collect();
    if squeezed != tight.as_bytes() {
        edits.leave(scene.bytes, from.span, format!("it is not written as `{tight}`"));
        return;
    }
    // `from.cart import x` has no blank that could be kept.
    let is_glued =
        scene.bytes.get(from.span.start.wrapping_sub(1)).is_some_and(|byte| crate::syntax::is_word(*byte));
    let before = if is_glued && !written.starts_with('.') { " " } else { "" };
    let is_open = scene.bytes.get(from.span.end).is_some_and(|byte| crate::syntax::is_word(*byte));
    let after = if is_open && !written.ends_with('.') { " " } else { "" };
    edits.put(from.span, format!("{before}{written}{after}"), kind);
}

/// A module as `from` names it, seen from the module `name`: relative as long as both are in one top package.
pub(crate) fn written_base(name: Option<&ModuleName>, base: &str, is_relative: bool) -> String {
    let Some(name) = name.filter(|_| is_relative) else { return base.to_owned() };
    let package: Vec<&str> = name.package().split('.').filter(|word| !word.is_empty()).collect();
    let target: Vec<&str> = base.split('.').filter(|word| !word.is_empty()).collect();
    let common = package.iter().zip(&target).take_while(|(one, other)| one == other).count();
    if common == 0 {
        return base.to_owned();
    }
    let rest = target.get(common..).unwrap_or_default().join(".");
    format!("{}{rest}", ".".repeat(package.len() - common + 1))
}

/// The name within a statement that stays: the bound name is kept by `as`.
fn rename_kept(name: &ImportedName, leaf: &str, kind: EditKind, edits: &mut Edits) {
    if name.name.text == leaf {
        return;
    }
    match &name.alias {
        // The alias has served: this way a move and its inverse give back the same bytes.
        Some(alias) if alias.text == leaf => edits.put(name.span, leaf, kind),
        Some(_) => edits.put(name.name.span, leaf, kind),
        None => edits.put(name.name.span, format!("{leaf} as {}", name.name.text), kind),
    }
}

/// A statement of its own for one name.
fn statement(scene: &Scene<'_>, is_relative: bool, found: &Found, name: &ImportedName) -> String {
    let item = item(found, name);
    if found.base.is_empty() {
        return format!("import {item}");
    }
    format!("from {} import {item}", written_base(scene.new, &found.base, is_relative))
}

fn item(found: &Found, name: &ImportedName) -> String {
    match &name.alias {
        Some(alias) if alias.text == found.leaf && name.name.text != found.leaf => found.leaf.clone(),
        Some(alias) => format!("{} as {}", found.leaf, alias.text),
        None if name.name.text == found.leaf => found.leaf.clone(),
        None => format!("{} as {}", found.leaf, name.name.text),
    }
}

/// Takes names out of a statement and puts them into statements of their own behind it.
fn take_out(
    scene: &Scene<'_>,
    import: &Import,
    from: &From,
    found: &[Found],
    gone: &BTreeSet<usize>,
    kind: EditKind,
    edits: &mut Edits,
) {
    // Names with one comment, or none, stay together; a comment goes with its own name.
    let mut groups: Vec<(String, Vec<String>, String)> = Vec::new();
    for at in gone {
        let (Some(name), Some(one)) = (import.names.get(*at), found.get(*at)) else { continue };
        let comment = comment_of(scene, import, *at).unwrap_or_default();
        let is_same = |base: &str, other: &str| base == one.base && !base.is_empty() && other == comment;
        match groups.iter_mut().find(|(base, _, other)| is_same(base, other)) {
            Some((_, items, _)) => items.push(item(one, name)),
            None => groups.push((one.base.clone(), vec![item(one, name)], comment)),
        }
    }
    let statements: Vec<(String, String)> = groups
        .into_iter()
        .map(|(base, items, comment)| {
            let items = items.join(", ");
            let text = if base.is_empty() {
                format!("import {items}")
            } else {
                format!("from {} import {items}", written_base(scene.new, &base, from.level > 0))
            };
            (text, comment)
        })
        .collect();
    remove(scene, import, gone, kind, edits);
    put_behind(scene, import, &statements, kind, edits);
}

/// The comment that belongs to one name alone: the name has a line to itself.
fn comment_of(scene: &Scene<'_>, import: &Import, at: usize) -> Option<String> {
    let line = own_line(scene, import, at)?;
    let text = std::str::from_utf8(line.of(scene.bytes)).ok()?;
    let (_, comment) = text.split_once('#')?;
    Some(format!("#{}", comment.trim_end()))
}

/// The line of a name, with its line end, when nothing but the name, a comma and a comment is on it.
fn own_line(scene: &Scene<'_>, import: &Import, at: usize) -> Option<Span> {
    let name = import.names.get(at)?;
    let start = scene.line_start(name.span.start);
    let stop = scene.line_stop(name.span.end);
    if start <= import.span.start {
        return None;
    }
    let before = scene.bytes.get(start..name.span.start)?;
    let after = std::str::from_utf8(scene.bytes.get(name.span.end..stop)?).ok()?.trim_start();
    let after = after.strip_prefix(',').unwrap_or(after).trim_start();
    let is_alone = before.iter().all(u8::is_ascii_whitespace) && (after.is_empty() || after.starts_with('#'));
    if !is_alone {
        return None;
    }
    let rest = scene.bytes.get(stop..)?;
    let line_end = if rest.starts_with(b"\r\n") {
        2
    } else {
        usize::from(rest.starts_with(b"\n") || rest.starts_with(b"\r"))
    };
    Some(Span::new(start, stop + line_end))
}

/// Takes names out of a statement that keeps others.
pub(super) fn remove(
    scene: &Scene<'_>,
    import: &Import,
    gone: &BTreeSet<usize>,
    kind: EditKind,
    edits: &mut Edits,
) {
    let lines: Option<Vec<Span>> = gone.iter().map(|at| own_line(scene, import, *at)).collect();
    if let Some(lines) = lines {
        for line in lines {
            edits.put(line, "", kind);
        }
        return;
    }
    let count = import.names.len();
    let mut at = 0;
    while at < count {
        if !gone.contains(&at) {
            at += 1;
            continue;
        }
        let first = at;
        while at < count && gone.contains(&at) {
            at += 1;
        }
        let (Some(begin), Some(last)) = (import.names.get(first), import.names.get(at - 1)) else { return };
        let span = if let Some(next) = import.names.get(at) {
            Span::new(begin.span.start, next.span.start)
        } else {
            let before = first.checked_sub(1).and_then(|at| import.names.get(at));
            Span::new(before.map_or(begin.span.start, |before| before.span.end), last.span.end)
        };
        if span.of(scene.bytes).contains(&b'#') {
            edits.leave(scene.bytes, span, "a comment stood between the names; it is gone");
        }
        edits.put(span, "", kind);
    }
}

/// Comments that tell a tool something about the statement hold for what was taken out of it as well.
const DIRECTIVES: &[&str] =
    &["noqa", "type:", "pylint:", "isort:", "pragma:", "nosec", "mypy:", "pyright:", "ruff:"];

fn put_behind(
    scene: &Scene<'_>,
    import: &Import,
    statements: &[(String, String)],
    kind: EditKind,
    edits: &mut Edits,
) {
    let end = import.span.end;
    let (Some(indent), Some(comment)) = (scene.indent(import.span.start), scene.comment_after(end)) else {
        let texts: Vec<&str> = statements.iter().map(|(text, _)| text.as_str()).collect();
        edits.put(Span::new(end, end), format!("; {}", texts.join("; ")), kind);
        return;
    };
    let words = comment.trim_start_matches('#').trim_start();
    let directive = if DIRECTIVES.iter().any(|word| words.starts_with(word)) { comment } else { "" };
    let mut text = String::new();
    for (statement, comment) in statements {
        text.push_str(scene.line_end);
        text.push_str(indent);
        text.push_str(statement);
        let comment = if comment.is_empty() { directive } else { comment };
        if !comment.is_empty() {
            text.push_str("  ");
            text.push_str(comment);
        }
    }
    let stop = scene.line_stop(end);
    edits.put(Span::new(stop, stop), text, kind);
}
