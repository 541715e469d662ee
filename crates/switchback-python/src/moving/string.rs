//! Dotted names and paths in strings: rewritten when they resolve in the old tree, and in the new one after it.

use super::dunder;
use super::edit::{EditKind, Edits, Scene};
use super::mapping::{Mapping, parent_path};
use super::setting;
use crate::index::{Bound, Index, join};
use crate::syntax::{RelativeCall, Role, Span, Text, is_word};
use crate::tree::below;

/// What becomes of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It names nothing that moves.
    Nothing,
    /// It names something that moves, and this is its new name.
    New(String),
    /// It seems to name something that moves, and this is why it is left.
    Left(String),
}

/// Functions whose argument is a module, even of a single name.
const IMPORTERS: &[&str] = &[
    "import_module",
    "__import__",
    "importorskip",
    "find_spec",
    "run_module",
    "find_loader",
    "import_string",
];

/// A dotted name as text: what it becomes. `is_import` allows a single name, which elsewhere is an ordinary word.
pub(crate) fn dotted(index: &Index<'_>, mapping: &Mapping, text: &str, is_import: bool) -> Answer {
    let (head, tail) = text.split_once(':').map_or((text, None), |(head, tail)| (head, Some(tail)));
    let (head, star) = head.strip_suffix(".*").map_or((head, ""), |head| (head, ".*"));
    if !is_dotted(head) || tail.is_some_and(|tail| !is_dotted(tail) || !star.is_empty()) {
        return partial(index, mapping, text);
    }
    let names: Vec<&str> = head.split('.').collect();
    if names.len() == 1 && !is_import && tail.is_none() && star.is_empty() {
        return Answer::Nothing;
    }
    let Some((module, count)) = walk(index, &names) else { return Answer::Nothing };
    let rest = names.get(count..).unwrap_or_default();
    let attribute = rest.first().copied().or_else(|| tail.and_then(|tail| tail.split('.').next()));
    let symbol = attribute.and_then(|name| mapping.symbol(&module, name));
    let new = match (symbol, rest.is_empty()) {
        (Some(new), false) => join(new, &rest.get(1..).unwrap_or_default().join(".")),
        // `module:Name` keeps its colon.
        (Some(new), true) => crate::index::parent_of(new).to_owned(),
        (None, _) => join(&mapping.module(&module), &rest.join(".")),
    };
    if new == head {
        return Answer::Nothing;
    }
    let is_carried = attribute.is_some_and(|name| mapping.carried.contains(&join(&module, name)));
    if let Some(name) = attribute.filter(|name| !is_carried && !index.may_have(&module, name)) {
        return Answer::Left(format!("`{module}` has no `{name}`"));
    }
    if names.len() == 1 && tail.is_some() && index.file_of(&module).is_none() {
        return Answer::Nothing;
    }
    let tail = tail.map(|tail| format!(":{tail}")).unwrap_or_default();
    Answer::New(format!("{new}{star}{tail}"))
}

/// The longest module that the names reach, with how many of them; what a package binds to a function is none.
pub(crate) fn walk(index: &Index<'_>, names: &[&str]) -> Option<(String, usize)> {
    let mut module = (*names.first()?).to_owned();
    if !index.has(&module) {
        return None;
    }
    let mut count = 1;
    for name in names.iter().skip(1) {
        let below = join(&module, name);
        let is_hidden = count + 1 < names.len() && index.explicit(&module, name) == Some(Bound::Symbol);
        if !index.has(&below) || is_hidden {
            break;
        }
        module = below;
        count += 1;
    }
    Some((module, count))
}

/// A text that begins with a module and goes on with something that is computed: `shop.cart.%s`, `shop.cart.plug_%s`.
fn partial(index: &Index<'_>, mapping: &Mapping, text: &str) -> Answer {
    let length = text.bytes().take_while(|byte| is_word(*byte) || *byte == b'.').count();
    let Some((head, stem)) = text.get(..length).and_then(|known| known.rsplit_once('.')) else {
        return Answer::Nothing;
    };
    let rest = text.get(head.len() + 1..).unwrap_or_default();
    if !is_dotted(head) || !index.has(head) || rest.chars().any(char::is_whitespace) {
        return Answer::Nothing;
    }
    let below = format!("{head}.");
    let begins = |name: &&str| name.strip_prefix(&below).is_some_and(|rest| rest.starts_with(stem));
    // The beginning of a name has to be that of a module: `shop.db%s` may be a file.
    let is_module = || head.contains('.') && index.modules().keys().any(begins);
    if !stem.is_empty() && !is_module() {
        return Answer::Nothing;
    }
    let new = mapping.module(head);
    let is_uniform = index
        .modules()
        .keys()
        .filter_map(|name| Some((*name, name.strip_prefix(&below)?)))
        .all(|(name, rest)| mapping.module(name) == join(&new, rest));
    let moves = new != head;
    match (moves, is_uniform) {
        (true, true) => Answer::New(format!("{new}.{rest}")),
        (false, true) => Answer::Nothing,
        (_, false) => {
            Answer::Left("the rest of the name is computed, and not everything below moves alike".to_owned())
        }
    }
}

/// Whether a text is names with dots between.
pub(crate) fn is_dotted(text: &str) -> bool {
    text.split('.').all(|name| {
        name.bytes().next().is_some_and(|byte| is_word(byte) && !byte.is_ascii_digit())
            && name.bytes().all(is_word)
    })
}

/// A path as text: what it becomes. It is looked up from the root of the tree, then from the folder of its file.
pub(crate) fn path(index: &Index<'_>, mapping: &Mapping, file: &str, text: &str) -> Answer {
    let (before, clean) = text.strip_prefix("./").map_or(("", text), |clean| ("./", clean));
    let (clean, after) = clean.strip_suffix('/').map_or((clean, ""), |clean| (clean, "/"));
    if clean.is_empty() || clean.starts_with('/') || clean.contains("//") {
        return Answer::Nothing;
    }
    let (clean, glob) = match clean.find(['*', '?', '[', '{']) {
        Some(at) => match clean.get(..at).and_then(|head| head.rfind('/')) {
            Some(slash) => clean.split_at(slash),
            None => return Answer::Nothing,
        },
        None => (clean, ""),
    };
    if let Some(new) = moved_path(index, mapping, clean) {
        return Answer::New(format!("{before}{new}{glob}{after}"));
    }
    let folder = parent_path(file);
    let new_folder = parent_path(mapping.new_path(file)).to_owned();
    let Some(whole) = below(folder, clean) else { return Answer::Nothing };
    if whole == clean || !index.tree.has(&whole) {
        return Answer::Nothing;
    }
    let new = moved_path(index, mapping, &whole).unwrap_or_else(|| whole.clone());
    let written = relative(&new_folder, &new);
    let same = below(&new_folder, clean).is_some_and(|there| there == new);
    if same || written == clean {
        Answer::Nothing
    } else {
        Answer::New(format!("{before}{written}{glob}{after}"))
    }
}

fn moved_path(index: &Index<'_>, mapping: &Mapping, path: &str) -> Option<String> {
    if let Some(new) = mapping.paths.get(path) {
        return Some(new.clone());
    }
    let new = if index.tree.is_directory(path) { mapping.new_folder(index, path)? } else { return None };
    (new != path).then_some(new)
}

fn relative(folder: &str, path: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = path.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to.get(common..).unwrap_or_default().iter().copied()).collect::<Vec<_>>().join("/")
}

/// Plans the edits of all strings in the code of a file.
pub(crate) fn edit_strings(scene: &Scene<'_>, edits: &mut Edits) {
    let mut seen: Vec<usize> = Vec::new();
    for call in &scene.facts.relative_calls {
        edit_relative_call(scene, call, edits);
        seen.push(call.name);
        seen.extend(call.package);
    }
    for (at, text) in scene.facts.texts.iter().enumerate() {
        if !seen.contains(&at) {
            edit_text(scene, text, edits);
        }
    }
    edit_joined_paths(scene, edits);
    edit_quoted(scene, edits);
    for span in &scene.facts.computed_imports {
        if reaches(scene, *span) {
            edits.leave(scene.bytes, *span, "computed module name");
        }
    }
}

/// A quoted annotation that nothing in the file binds names a module for type checkers alone.
fn edit_quoted(scene: &Scene<'_>, edits: &mut Edits) {
    for chain in scene.facts.chains.iter().filter(|chain| chain.is_quoted) {
        let (Some(first), Some(last)) = (chain.words.first(), chain.words.last()) else { continue };
        if scene.facts.resolve(chain.scope, &first.text).is_some() {
            continue;
        }
        let old = chain.dotted(chain.words.len());
        if let Answer::New(new) = dotted(scene.index, scene.mapping, &old, false) {
            edits.rename(scene.bytes, Span::new(first.span.start, last.span.end), &old, &new, EditKind::Text);
        }
    }
}

/// `os.path.join("pkg", "mod.py")`: the parts of a path, one argument each.
fn edit_joined_paths(scene: &Scene<'_>, edits: &mut Edits) {
    let argument = |text: &Text| match &text.role {
        Role::Argument(name, at) if text.is_plain && text.parts.len() == 1 => Some((name.clone(), *at)),
        _ => None,
    };
    let mut texts = scene.facts.texts.iter().peekable();
    while let Some(first) = texts.next() {
        let Some((name, mut at)) = argument(first) else { continue };
        if !matches!(name.rsplit('.').next(), Some("join" | "joinpath" | "Path" | "PurePath")) {
            continue;
        }
        let mut parts = vec![first];
        while let Some(next) = texts.next_if(|next| argument(next) == Some((name.clone(), at + 1))) {
            parts.push(next);
            at += 1;
        }
        edit_joined_path(scene, &parts, edits);
    }
}

fn edit_joined_path(scene: &Scene<'_>, parts: &[&Text], edits: &mut Edits) {
    let [first, _, ..] = parts else { return };
    let old: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
    let Some(new) = moved_path(scene.index, scene.mapping, &old.join("/")) else { return };
    let new: Vec<&str> = new.split('/').collect();
    let same = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let (gone, fresh) = (&old[..old.len() - same], &new[..new.len() - same]);
    let Some(content) = first.parts.first() else { return };
    let quote = scene.bytes.get(content.end).map_or('"', |byte| char::from(*byte));
    let glue = format!("{quote}, {quote}");
    match gone {
        [] => edits.put(
            Span::new(content.start, content.start),
            format!("{}{glue}", fresh.join(&glue)),
            EditKind::Text,
        ),
        [_] if !fresh.is_empty() => edits.put(*content, fresh.join(&glue), EditKind::Text),
        _ => edits.leave(scene.bytes, first.span, format!("the path would become `{}`", new.join("/"))),
    }
}

/// Whether a computed import has anything to do with the move: the file, or the text, names one of its words.
fn reaches(scene: &Scene<'_>, span: Span) -> bool {
    let text = String::from_utf8_lossy(span.of(scene.bytes)).into_owned();
    scene.old != scene.new || scene.mapping.words().iter().any(|word| text.contains(word.as_str()))
}

fn edit_text(scene: &Scene<'_>, text: &Text, edits: &mut Edits) {
    if text.role == Role::Docstring {
        return;
    }
    // A name has no blanks; sentences are not looked at here.
    if text.value.len() > 300 || text.value.is_empty() || text.value.contains(char::is_whitespace) {
        return;
    }
    let callee = match &text.role {
        Role::Argument(name, at) => Some((name.rsplit('.').next().unwrap_or(name), *at)),
        _ => None,
    };
    let is_import = matches!(callee, Some((name, 0)) if IMPORTERS.contains(&name));
    let answer = match &text.role {
        // A later piece of an f-string does not begin a name.
        Role::Piece(false) => Answer::Nothing,
        Role::Piece(true) => match partial(scene.index, scene.mapping, &text.value) {
            Answer::Nothing => path(scene.index, scene.mapping, scene.path, text.value.trim_end_matches('/')),
            answer => answer,
        },
        _ => match dotted(scene.index, scene.mapping, &text.value, is_import) {
            Answer::Nothing if text.value.contains('/') => {
                path(scene.index, scene.mapping, scene.path, &text.value)
            }
            answer => answer,
        },
    };
    match answer {
        Answer::Nothing => {
            let is_whole = !matches!(text.role, Role::Piece(_));
            let why = setting::why_left(scene.index, scene.mapping, &text.value, false, true);
            if let Some(why) = why.filter(|_| is_whole) {
                edits.leave(scene.bytes, text.span, why);
            }
        }
        Answer::Left(why) => edits.leave(scene.bytes, text.span, why),
        Answer::New(new) => {
            if callee.is_some_and(|(name, at)| name == "getLogger" && at == 0)
                && !logs_by_name(scene, &text.value)
            {
                let why = "the module does not name its logger by `__name__`, so the logger keeps its name";
                edits.leave(scene.bytes, text.span, why);
                return;
            }
            let new = if text.value.ends_with('/') && text.role == Role::Piece(true) && !new.ends_with('/') {
                format!("{new}/")
            } else {
                new
            };
            if let [content] = text.parts.as_slice()
                && let Some((span, attribute)) = dunder::attribute(scene.bytes, *content, &text.value, &new)
            {
                edits.put(span, attribute, EditKind::Text);
            }
            put_text(scene, text, &new, edits);
        }
    }
}

/// Whether the module that a logger is called by names its logger by `__name__`.
pub(crate) fn logs_by_name(scene: &Scene<'_>, logger: &str) -> bool {
    logger_follows(scene.index, logger)
}

/// Whether a logger of this name is the one that the module of this name makes, or one below the package.
pub(crate) fn logger_follows(index: &Index<'_>, logger: &str) -> bool {
    if index.facts_of(logger).is_some_and(|facts| facts.logs_by_name) {
        return true;
    }
    let below = format!("{logger}.");
    index
        .modules()
        .keys()
        .filter(|name| name.starts_with(&below))
        .any(|name| index.facts_of(name).is_some_and(|facts| facts.logs_by_name))
}

/// Replaces what differs; in a string of several parts, the difference must lie within one.
fn put_text(scene: &Scene<'_>, text: &Text, new: &str, edits: &mut Edits) {
    if !text.is_plain {
        edits.leave(scene.bytes, text.span, format!("it is written with escapes; it would become `{new}`"));
        return;
    }
    if let [only] = text.parts.as_slice() {
        edits.put(*only, new, EditKind::Text);
        return;
    }
    let (old, new) = (text.value.as_bytes(), new.as_bytes());
    let head = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let tail = old
        .iter()
        .skip(head)
        .rev()
        .zip(new.iter().skip(head).rev())
        .take_while(|(one, other)| one == other)
        .count();
    let changed = Span::new(head, old.len() - tail);
    let fresh = String::from_utf8_lossy(new.get(head..new.len() - tail).unwrap_or_default()).into_owned();
    let mut begin = 0;
    for part in &text.parts {
        let length = part.end - part.start;
        if changed.start >= begin && changed.end <= begin + length {
            let at = Span::new(part.start + changed.start - begin, part.start + changed.end - begin);
            edits.put(at, fresh, EditKind::Text);
            return;
        }
        begin += length;
    }
    edits.leave(scene.bytes, text.span, "what changes is spread over several parts of the string");
}

/// `import_module(".cart", package="shop")`.
fn edit_relative_call(scene: &Scene<'_>, call: &RelativeCall, edits: &mut Edits) {
    let Some(name) = scene.facts.texts.get(call.name) else { return };
    let level = name.value.len() - name.value.trim_start_matches('.').len();
    let literal = call.package.and_then(|at| scene.facts.texts.get(at));
    let old_package = match literal {
        Some(package) => Some(package.value.clone()),
        None => scene.old.map(|module| module.package().to_owned()),
    };
    let Some(mut package) = old_package else { return };
    for _ in 1..level {
        package = crate::index::parent_of(&package).to_owned();
    }
    let old = join(&package, name.value.trim_start_matches('.'));
    let Some((module, _)) = scene.index.longest_module(&old) else { return };
    let new = join(
        &scene.mapping.module(&module),
        old.strip_prefix(module.as_str()).unwrap_or_default().trim_start_matches('.'),
    );
    let new_package = match literal {
        Some(package) => scene.mapping.module(&package.value),
        None => scene.new.map(|module| module.package().to_owned()).unwrap_or_default(),
    };
    let mut base = new_package.clone();
    for _ in 1..level {
        base = crate::index::parent_of(&base).to_owned();
    }
    let below = new.strip_prefix(&format!("{base}.")).filter(|_| !base.is_empty());
    let Some(below) = below else {
        put_text(scene, name, &new, edits);
        edits.put(call.rest, "", EditKind::Text);
        return;
    };
    let written = format!("{}{below}", ".".repeat(level));
    if written != name.value {
        put_text(scene, name, &written, edits);
    }
    if let Some(package) = literal.filter(|package| package.value != new_package) {
        put_text(scene, package, &new_package, edits);
    }
}

/// Names of tasks that are made from their module's name: written out when that is asked for, else reported.
pub(crate) fn edit_tasks(scene: &Scene<'_>, is_pinned: bool, edits: &mut Edits) {
    let (Some(old), Some(new)) = (scene.old, scene.new) else { return };
    if old.dotted == new.dotted {
        return;
    }
    for task in &scene.facts.tasks {
        let name = format!("{}.{}", old.dotted, task.function);
        if !is_pinned {
            let why = format!(
                "the task's name changes with its module: `{name}`; `pin-task-names` in the rules keeps it"
            );
            edits.leave(scene.bytes, task.span, why);
            continue;
        }
        let argument = format!("name=\"{name}\"");
        match task.inside {
            None => {
                edits.put(Span::new(task.span.end, task.span.end), format!("({argument})"), EditKind::Text);
            }
            Some(at) => {
                let comma = if task.has_arguments { ", " } else { "" };
                edits.put(Span::new(at, at), format!("{argument}{comma}"), EditKind::Text);
            }
        }
    }
}

/// `__file__` in a file whose depth changes: what it leads to has to be looked at.
pub(crate) fn report_file_uses(scene: &Scene<'_>, edits: &mut Edits) {
    let new = scene.mapping.new_path(scene.path);
    if new == scene.path || parent_path(new) == parent_path(scene.path) {
        return;
    }
    // What moves together with everything around it finds it where it was.
    let stays_together = scene.mapping.new_folder(scene.index, parent_path(scene.path)).is_some();
    let depth = |path: &str| path.matches('/').count();
    if stays_together && depth(new) == depth(scene.path) {
        return;
    }
    for span in &scene.facts.file_uses {
        let line = Span::new(scene.line_start(span.start), scene.line_stop(span.end));
        let change = depth(new).cmp(&depth(scene.path));
        let why = match change {
            std::cmp::Ordering::Greater => {
                let more = ".parent".repeat(depth(new) - depth(scene.path));
                format!(
                    "`__file__` lies deeper now, below `{}`: one that leads out needs `{more}` more",
                    parent_path(new)
                )
            }
            std::cmp::Ordering::Less => {
                format!("`__file__` lies less deep now, below `{}`", parent_path(new))
            }
            std::cmp::Ordering::Equal => format!("`__file__` lies below `{}` now", parent_path(new)),
        };
        edits.leave(scene.bytes, line, why);
    }
}
