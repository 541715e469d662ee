//! `import a.b` and the dotted expressions that reach modules: both follow, and every root that is still used stays bound.

use std::collections::{BTreeMap, BTreeSet};

use super::edit::{EditKind, Edits, Scene};
use crate::index::{Bound, Target, join};
use crate::syntax::{Binding, Chain, Import, ImportedName, Span};

/// A scope and a name that `import name…` binds in it.
type Root = (usize, String);

/// A dotted expression that must be rewritten.
#[derive(Debug)]
struct Rewrite<'a> {
    chain: &'a Chain,
    /// How many of its names are replaced.
    count: usize,
    /// The new module.
    new: String,
    /// What it was called.
    old: String,
    /// The scope whose import reaches it.
    scope: usize,
}

#[derive(Debug, Default)]
struct Uses<'a> {
    rewrites: Vec<Rewrite<'a>>,
    /// Expressions that go on through the same name, with how many of their names are replaced by what.
    renames: Vec<(&'a Chain, usize, String)>,
    /// Uses of a root that stay as they are, with the longest module that they name.
    plain: BTreeMap<Root, BTreeSet<String>>,
}

/// Plans the edits of all `import …` statements of a file, and of the expressions that use modules.
pub(crate) fn edit_references(scene: &Scene<'_>, edits: &mut Edits) {
    let uses = find_uses(scene);
    let aliases = clashes(scene, &uses);
    let mut provided: BTreeSet<(usize, String)> = BTreeSet::new();
    for import in &scene.facts.imports {
        if import.from.is_some() {
            continue;
        }
        for name in &import.names {
            edit_plain(scene, import, name, &uses, &aliases, &mut provided, edits);
        }
    }
    for rewrite in &uses.rewrites {
        edit_chain(scene, rewrite, &aliases, edits);
    }
    for (chain, count, new) in &uses.renames {
        let (Some(first), Some(last)) = (chain.words.first(), chain.words.get(count - 1)) else { continue };
        let span = Span::new(first.span.start, last.span.end);
        edits.rename(scene.bytes, span, &chain.dotted(*count), new, EditKind::Attribute);
    }
    add_missing(scene, &uses, &aliases, &mut provided, edits);
    keep_roots(scene, &uses, &aliases, &provided, edits);
}

/// The new name of the module that `import` names.
fn renamed(scene: &Scene<'_>, name: &ImportedName) -> String {
    if scene.index.longest_module(&name.name.text).is_none() {
        return name.name.text.clone();
    }
    scene.mapping.module(&name.name.text)
}

fn root_of(dotted: &str) -> &str {
    dotted.split('.').next().unwrap_or(dotted)
}

/// Everything that `import …` without `as` binds to `root` in a scope, with whether anything else binds it too.
fn plain_imports<'a>(scene: &Scene<'a>, root: &Root) -> Vec<(&'a Import, &'a ImportedName)> {
    let Some((_, bindings)) = scene.facts.bound_in(root.0, &root.1) else { return Vec::new() };
    bindings
        .iter()
        .filter_map(|binding| {
            let Binding::Import(import, name) = binding else { return None };
            let import = scene.facts.imports.get(*import)?;
            let name = import.names.get(*name)?;
            (import.from.is_none() && name.alias.is_none()).then_some((import, name))
        })
        .collect()
}

fn find_uses<'a>(scene: &Scene<'a>) -> Uses<'a> {
    let mut uses = Uses::default();
    for chain in &scene.facts.chains {
        let Some(first) = chain.words.first() else { continue };
        let Some((scope, bindings)) = scene.facts.resolve(chain.scope, &first.text) else { continue };
        if !bindings.iter().any(|binding| matches!(binding, Binding::Import(..))) {
            continue;
        }
        let root = (scope, first.text.clone());
        if !plain_imports(scene, &root).is_empty() {
            use_of_root(scene, chain, &root, &mut uses);
        } else if chain.words.len() > 1
            && !chain.is_target
            && let Some(module) = bound_module(scene, bindings)
        {
            use_of_module(scene, chain, scope, &module, &mut uses);
        }
    }
    for name in scene.facts.exports.iter().flatten() {
        let root = (0, name.clone());
        if !plain_imports(scene, &root).is_empty() {
            uses.plain.entry(root).or_default().insert(name.clone());
        }
    }
    uses
}

/// The module that `import … as` or `from … import` binds a name to.
fn bound_module(scene: &Scene<'_>, bindings: &[Binding]) -> Option<String> {
    bindings.iter().find_map(|binding| {
        let Binding::Import(import, name) = binding else { return None };
        let import = scene.facts.imports.get(*import)?;
        let name = import.names.get(*name)?;
        match scene.index.target(scene.old, import, name) {
            Target::Module(module) if module != "*" && name.name.text != "*" => Some(module),
            _ => None,
        }
    })
}

fn use_of_root<'a>(scene: &Scene<'a>, chain: &'a Chain, root: &Root, uses: &mut Uses<'a>) {
    let imported: Vec<&str> =
        plain_imports(scene, root).iter().map(|(_, name)| name.name.text.as_str()).collect();
    let mut module = root.1.clone();
    let mut count = 1;
    while let Some(word) = chain.words.get(count) {
        let below = join(&module, &word.text);
        if !scene.index.has(&below) {
            break;
        }
        let is_imported = imported.iter().any(|name| {
            name.strip_prefix(below.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        match scene.index.explicit(&module, &word.text) {
            // A function that is called like its module hides it.
            Some(Bound::Symbol) => break,
            // What the package binds by itself, it binds after the move as well.
            Some(Bound::Module) if !is_imported && !is_as_it_was(scene, &module, &word.text, &below) => break,
            _ => {}
        }
        module = below;
        count += 1;
    }
    let moved = moved_member(scene, chain, &module, count);
    let (new, count) = moved.unwrap_or_else(|| (scene.mapping.module(&module), count));
    if new == chain.dotted(count) || !scene.index.has(&root.1) {
        uses.plain.entry(root.clone()).or_default().insert(module);
        return;
    }
    uses.rewrites.push(Rewrite { chain, count, new, old: chain.dotted(count), scope: root.0 });
}

/// `module.Name` where a rule moves this one definition: the new module, and how many names it replaces.
fn moved_member(scene: &Scene<'_>, chain: &Chain, module: &str, count: usize) -> Option<(String, usize)> {
    let word = chain.words.get(count)?;
    let new = scene.mapping.symbol(module, &word.text)?;
    (new != join(&scene.mapping.module(module), &word.text)).then(|| (new.to_owned(), count + 1))
}

fn use_of_module<'a>(scene: &Scene<'a>, chain: &'a Chain, scope: usize, bound: &str, uses: &mut Uses<'a>) {
    let mut module = bound.to_owned();
    let mut count = 1;
    while let Some(word) = chain.words.get(count) {
        let below = join(&module, &word.text);
        let is_own = scene.index.explicit(&module, &word.text).is_some();
        if !scene.index.has(&below) || (is_own && !is_as_it_was(scene, &module, &word.text, &below)) {
            break;
        }
        module = below;
        count += 1;
    }
    if let Some((new, count)) = moved_member(scene, chain, &module, count) {
        uses.rewrites.push(Rewrite { chain, count, new, old: chain.dotted(count), scope });
        return;
    }
    if count == 1 {
        return;
    }
    let rest = module.strip_prefix(bound).unwrap_or_default();
    let new = scene.mapping.module(&module);
    let home = scene.mapping.module(bound);
    if new == format!("{home}{rest}") {
        return;
    }
    // What was reached through a package that still holds it is reached through it still.
    let below = new.strip_prefix(&home).and_then(|rest| rest.strip_prefix('.'));
    if let (Some(below), Some(first)) = (below, chain.words.first()) {
        uses.renames.push((chain, count, format!("{}.{below}", first.text)));
    } else {
        uses.rewrites.push(Rewrite { chain, count, new, old: chain.dotted(count), scope });
    }
}

/// Whether a package binds a module of its own by its own name, and that module stays: what moves out of it is reached
/// through it as through any other.
fn is_as_it_was(scene: &Scene<'_>, module: &str, name: &str, below: &str) -> bool {
    scene.mapping.module(below) == below
        && scene.index.member(None, module, name, 0) == Target::Module(below.to_owned())
}

/// The module that has to be imported for an expression: for a single definition, the one that it is in.
fn module_of<'n>(scene: &Scene<'_>, new: &'n str) -> &'n str {
    if scene.mapping.symbols.values().any(|symbol| symbol == new) {
        crate::index::parent_of(new)
    } else {
        new
    }
}

/// New modules whose first name means something else where they are used, with the name that they get instead.
fn clashes(scene: &Scene<'_>, uses: &Uses<'_>) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    for rewrite in &uses.rewrites {
        let module = module_of(scene, &rewrite.new);
        let root = root_of(module);
        let is_taken = |scope: usize| {
            scene.facts.resolve(scope, root).is_some_and(|(at, bindings)| {
                let plain = plain_imports(scene, &(at, root.to_owned())).len();
                plain < bindings.len()
            })
        };
        if is_taken(rewrite.chain.scope) || is_taken(rewrite.scope) {
            aliases.entry(module.to_owned()).or_insert_with(|| fresh(scene, module));
        }
    }
    aliases
}

/// A name that the file does not use: `store_cart` for `store.cart`.
fn fresh(scene: &Scene<'_>, module: &str) -> String {
    let mut name = module.replace('.', "_");
    while scene.facts.scopes.iter().any(|scope| scope.bindings.contains_key(&name)) {
        name.push('_');
    }
    name
}

fn edit_plain(
    scene: &Scene<'_>,
    import: &Import,
    name: &ImportedName,
    uses: &Uses<'_>,
    aliases: &BTreeMap<String, String>,
    provided: &mut BTreeSet<(usize, String)>,
    edits: &mut Edits,
) {
    let old = name.name.text.as_str();
    if let Some(new) = scene.renamed_beside(old) {
        let new = if name.alias.is_some() { new } else { format!("{new} as {old}") };
        return edits.put(name.name.span, new, EditKind::Import);
    }
    let mut new = renamed(scene, name);
    if name.alias.is_none() && !old.contains('.') && new == old {
        // `import pip` that only serves `pip.index`: what is used is imported instead.
        if let Some(only) = only_use(scene, import, old, uses) {
            new = only;
        }
    }
    if name.alias.is_none() {
        provided.insert((import.scope, new.clone()));
    }
    if new == old {
        return;
    }
    let is_used = uses
        .rewrites
        .iter()
        .any(|rewrite| rewrite.scope == import.scope && module_of(scene, &rewrite.new) == new);
    match aliases.get(&new).filter(|_| name.alias.is_none() && is_used) {
        Some(alias) => edits.put(name.name.span, format!("{new} as {alias}"), EditKind::Import),
        None => edits.rename(scene.bytes, name.name.span, old, &new, EditKind::Import),
    }
}

/// The one module that `import root` is used for, when it is used for nothing else and binds the same root.
fn only_use(scene: &Scene<'_>, import: &Import, root: &str, uses: &Uses<'_>) -> Option<String> {
    if uses.plain.contains_key(&(import.scope, root.to_owned())) {
        return None;
    }
    let served: Vec<&Rewrite<'_>> = uses
        .rewrites
        .iter()
        .filter(|rewrite| rewrite.scope == import.scope && rewrite.old.split('.').next() == Some(root))
        .collect();
    if served.iter().all(|rewrite| is_loaded(scene, rewrite)) {
        return None;
    }
    let news: BTreeSet<&str> = served.iter().map(|rewrite| module_of(scene, &rewrite.new)).collect();
    let others = plain_imports(scene, &(import.scope, root.to_owned())).len();
    let [only] = news.into_iter().collect::<Vec<_>>()[..] else { return None };
    (others == 1).then(|| only.to_owned())
}

fn edit_chain(
    scene: &Scene<'_>,
    rewrite: &Rewrite<'_>,
    aliases: &BTreeMap<String, String>,
    edits: &mut Edits,
) {
    let (Some(first), Some(last)) = (rewrite.chain.words.first(), rewrite.chain.words.get(rewrite.count - 1))
    else {
        return;
    };
    let module = module_of(scene, &rewrite.new);
    let new = match aliases.get(module) {
        Some(alias) => format!("{alias}{}", rewrite.new.strip_prefix(module).unwrap_or_default()),
        None => rewrite.new.clone(),
    };
    let span = Span::new(first.span.start, last.span.end);
    edits.rename(scene.bytes, span, &rewrite.old, &new, EditKind::Attribute);
}

/// Whether what an expression reaches comes along with the module whose name it begins with, and still will: then no
/// import of its own is needed.
fn is_loaded(scene: &Scene<'_>, rewrite: &Rewrite<'_>) -> bool {
    let Some(first) = rewrite.chain.words.first() else { return false };
    let root = (rewrite.scope, first.text.clone());
    // The first name has to stay bound to what it is.
    let is_same_root = root_of(&rewrite.new) == first.text;
    is_same_root
        && scene.index.has(&rewrite.old)
        && plain_imports(scene, &root).iter().any(|(_, name)| {
            renamed(scene, name) == name.name.text
                && scene.index.comes_along(&name.name.text).contains(&rewrite.old)
        })
}

/// Modules that only somebody else's import made reachable are imported where they are used.
fn add_missing(
    scene: &Scene<'_>,
    uses: &Uses<'_>,
    aliases: &BTreeMap<String, String>,
    provided: &mut BTreeSet<(usize, String)>,
    edits: &mut Edits,
) {
    for rewrite in &uses.rewrites {
        let module = module_of(scene, &rewrite.new);
        let is_there = provided.iter().any(|(scope, name)| {
            *scope == rewrite.scope
                && name.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let Some(first) = rewrite.chain.words.first() else { continue };
        // What came along with another import before comes along with it after.
        let comes_along =
            plain_imports(scene, &(rewrite.scope, first.text.clone())).iter().any(|(_, name)| {
                let rest = rewrite.old.strip_prefix(name.name.text.as_str());
                rest.is_some_and(|rest| {
                    rest.starts_with('.') && format!("{}{rest}", renamed(scene, name)) == module
                })
            });
        if is_there || comes_along || is_loaded(scene, rewrite) {
            continue;
        }
        let Some(import) = import_of(scene, rewrite.scope, &first.text) else { continue };
        let item = match aliases.get(module) {
            Some(alias) => format!("{module} as {alias}"),
            None => module.to_owned(),
        };
        provided.insert((rewrite.scope, module.to_owned()));
        put_statement(scene, import, &format!("import {item}"), false, edits);
    }
}

fn import_of<'a>(scene: &Scene<'a>, scope: usize, name: &str) -> Option<&'a Import> {
    let (_, bindings) = scene.facts.bound_in(scope, name)?;
    bindings.iter().find_map(|binding| match binding {
        Binding::Import(import, _) => scene.facts.imports.get(*import),
        _ => None,
    })
}

/// A root that only a moved import bound, and that is used for something else, gets an import of its own.
fn keep_roots(
    scene: &Scene<'_>,
    uses: &Uses<'_>,
    aliases: &BTreeMap<String, String>,
    provided: &BTreeSet<(usize, String)>,
    edits: &mut Edits,
) {
    for (root, modules) in &uses.plain {
        let imports = plain_imports(scene, root);
        let is_bound = provided
            .iter()
            .any(|(scope, name)| *scope == root.0 && root_of(name) == root.1 && !aliases.contains_key(name));
        let Some((import, name)) = imports.iter().find(|(_, name)| renamed(scene, name) != name.name.text)
        else {
            continue;
        };
        let all = scene.facts.bound_in(root.0, &root.1).map_or(0, |(_, bindings)| bindings.len());
        if all > imports.len() {
            let why = format!("`{}` is bound by something else as well", root.1);
            edits.leave(scene.bytes, name.span, why);
        }
        if is_bound {
            continue;
        }
        // What was reached without an import of its own is named now.
        let needed: BTreeSet<&str> = modules.iter().map(String::as_str).collect();
        for module in needed.iter().filter(|module| {
            !needed.iter().any(|other| other.strip_prefix(**module).is_some_and(|rest| rest.starts_with('.')))
        }) {
            put_statement(scene, import, &format!("import {module}"), true, edits);
        }
    }
}

fn put_statement(scene: &Scene<'_>, import: &Import, statement: &str, is_before: bool, edits: &mut Edits) {
    let start = import.span.start;
    let end = import.span.end;
    match (scene.indent(start), scene.comment_after(end), is_before) {
        (Some(indent), _, true) => {
            let text = format!("{statement}{}{indent}", scene.line_end);
            edits.put(Span::new(start, start), text, EditKind::Import);
        }
        (Some(indent), Some(_), false) => {
            let stop = scene.line_stop(end);
            edits.put(
                Span::new(stop, stop),
                format!("{}{indent}{statement}", scene.line_end),
                EditKind::Import,
            );
        }
        (_, _, true) => edits.put(Span::new(start, start), format!("{statement}; "), EditKind::Import),
        (_, _, false) => edits.put(Span::new(end, end), format!("; {statement}"), EditKind::Import),
    }
}
