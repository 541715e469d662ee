//! Names that lead from file to file: imports, and what the modules of the tree bind.

use super::evaluate::{DEPTH_MAX, Evaluator};
use super::value::Value;
use crate::index::{Index, Target, join, module_name};
use crate::syntax::Span;

/// Packages that are known by what they mean: their own code is not followed, even if it is in the tree.
const FRAMEWORKS: &[&str] = &[
    "apiflask",
    "django",
    "fastapi",
    "flask",
    "flask_openapi3",
    "flask_restful",
    "flask_smorest",
    "quart",
    "rest_framework",
    "starlette",
];

fn is_framework(dotted: &str) -> bool {
    FRAMEWORKS.contains(&dotted.split('.').next().unwrap_or_default())
}

impl Evaluator<'_, '_> {
    /// The module of the tree that `dotted` means in a file: by the source roots, else beside the file or its parents.
    pub(super) fn module_for(&self, file: usize, dotted: &str) -> Option<String> {
        let top = dotted.split('.').next().unwrap_or_default();
        if is_framework(dotted) {
            return None;
        }
        if self.index.has(top) {
            return self.index.has(dotted).then(|| dotted.to_owned());
        }
        let path = &self.index.tree.file(file)?.path;
        let mut folder = path.as_str();
        while let Some((parent, _)) = folder.rsplit_once('/') {
            folder = parent;
            let place = format!("{folder}/{top}");
            let is_there = self.index.tree.find(&format!("{place}.py")).is_some()
                || self.index.tree.is_directory(&place);
            if is_there {
                let name = module_name(&format!("{place}.py"), &self.index.roots)?.dotted;
                let rest = dotted.strip_prefix(top)?.trim_start_matches('.');
                let whole = join(&name, rest);
                return self.index.has(&whole).then_some(whole);
            }
        }
        None
    }

    pub(super) fn import(&mut self, frame: usize, span: Span) {
        let file = self.file_of(frame);
        let Some(facts) = self.index.tree.file(file).map(|file| self.index.tree.facts(file)) else { return };
        let found = facts.imports.iter().find(|import| import.span == span);
        let Some(import) = found else { return };
        let own = self.index.names.get(file).and_then(Option::as_ref).cloned();
        for imported in &import.names {
            let name = &imported.name.text;
            let (bound, value) = match (&import.from, &imported.alias) {
                (None, None) => {
                    self.load(file, name);
                    let top = name.split('.').next().unwrap_or(name);
                    (top.to_owned(), self.module_value(file, top))
                }
                (None, Some(alias)) => {
                    self.load(file, name);
                    (alias.text.clone(), self.module_value(file, name))
                }
                (Some(from), alias) => {
                    let Some(base) = Index::base(own.as_ref(), from) else { continue };
                    let base = self.module_for(file, &base).unwrap_or(base);
                    self.load(file, &base);
                    if name == "*" {
                        self.take_all(frame, &base);
                        continue;
                    }
                    let bound = alias.as_ref().map_or(name, |alias| &alias.text).clone();
                    self.load(file, &join(&base, name));
                    let value = if is_framework(&base) {
                        Value::Outside(join(&base, name))
                    } else if self.index.has(&base) {
                        Value::Lazy(base, name.clone())
                    } else {
                        match self.index.target(own.as_ref(), import, imported) {
                            Target::Module(module) => Value::Module(module),
                            _ => Value::Outside(join(&base, name)),
                        }
                    };
                    (bound, value)
                }
            };
            if let Some(names) = self.names(frame) {
                names.insert(bound, value);
            }
        }
    }

    fn module_value(&self, file: usize, dotted: &str) -> Value {
        match self.module_for(file, dotted) {
            Some(module) => Value::Module(module),
            None => Value::Outside(dotted.to_owned()),
        }
    }

    /// Runs the files that an import runs, packages first, as far as they are about routes.
    fn load(&mut self, file: usize, dotted: &str) {
        let Some(dotted) = self.module_for(file, dotted) else { return };
        let mut end = 0;
        for part in dotted.split('.') {
            end += part.len();
            let head = dotted.get(..end).unwrap_or_default();
            end += 1;
            if let Some(at) = self.index.file_of(head)
                && self.is_relevant(at)
            {
                self.module(at);
            }
        }
    }

    fn take_all(&mut self, frame: usize, base: &str) {
        let Some(at) = self.index.file_of(base).filter(|_| !is_framework(base)) else { return };
        let exports = self.index.tree.file(at).and_then(|file| self.index.tree.facts(file).exports.clone());
        let from = self.module(at);
        let names = self.frames.get(from).map(|frame| frame.names.clone()).unwrap_or_default();
        let taken = names.into_iter().filter(|(name, _)| match &exports {
            Some(exports) => exports.contains(name),
            None => !name.starts_with('_'),
        });
        if let Some(own) = self.names(frame) {
            own.extend(taken);
        }
    }

    /// What `name` in a module of the tree stands for.
    pub(super) fn member(&mut self, module: &str, name: &str) -> Value {
        self.depth += 1;
        let value = if self.depth > DEPTH_MAX * 4 {
            Value::unknown("the names lead in a circle")
        } else {
            self.member_here(module, name)
        };
        self.depth -= 1;
        value
    }

    fn member_here(&mut self, module: &str, name: &str) -> Value {
        if let Some(file) = self.index.file_of(module) {
            let frame = self.module(file);
            let found = self.frames.get(frame).and_then(|frame| frame.names.get(name)).cloned();
            match found {
                Some(Value::Lazy(there, other)) if there == module && other == name => {}
                Some(value) => return self.looked_up(value),
                None => {}
            }
        }
        let below = join(module, name);
        if self.index.has(&below) {
            return Value::Module(below);
        }
        Value::Unknown(format!("`{module}` has no `{name}` that could be read"), None)
    }

    /// A value, looked up where it was not yet.
    pub(super) fn looked_up(&mut self, value: Value) -> Value {
        match value {
            Value::Lazy(module, name) => self.member(&module, &name),
            value => value,
        }
    }
}
