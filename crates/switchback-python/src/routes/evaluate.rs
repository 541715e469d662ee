//! The statements of a tree, followed in their order: what each name stands for, and which routes are added to what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::arguments::Arguments;
use super::value::{Class, Entry, Frame, Function, Instance, Place, Router, Value, What};
use crate::index::{Index, ModuleName, join};
use crate::syntax::Span;
use crate::syntax::values::{ClassDefinition, Deed, Definition, Expression, Form, Statement, values};
use crate::tree::Class as FileClass;

/// How many statements and expressions are followed; beyond, what is left is told as undecided.
const STEPS_MAX: usize = 4_000_000;
/// How deep calls and names may lead.
pub(super) const DEPTH_MAX: usize = 32;
/// How often one function is run.
const RUNS_MAX: usize = 64;
/// How many items of a list a loop is followed through.
const ITEMS_MAX: usize = 512;
/// How many letters of what could not be read are shown.
const SHOWN_LETTERS_MAX: usize = 120;

/// What follows the statements of a tree.
pub(super) struct Evaluator<'i, 't> {
    pub(super) index: &'i Index<'t>,
    /// Files that say something about routes: they are run as soon as they are imported, the others when asked for.
    relevant: Vec<bool>,
    modules: HashMap<usize, usize>,
    pub(super) frames: Vec<Frame>,
    pub(super) routers: Vec<Router>,
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) instances: Vec<Instance>,
    /// What belongs to no application that is known.
    pub(super) stray: Vec<Entry>,
    /// Lists of patterns that functions give which nobody calls.
    pub(super) loose: Vec<Vec<Value>>,
    conditions: Vec<String>,
    running: Vec<usize>,
    returns: Vec<Value>,
    steps: usize,
    pub(super) depth: usize,
}

impl<'i, 't> Evaluator<'i, 't> {
    pub(super) fn new(index: &'i Index<'t>, relevant: Vec<bool>) -> Self {
        Self {
            index,
            relevant,
            modules: HashMap::new(),
            frames: Vec::new(),
            routers: Vec::new(),
            functions: Vec::new(),
            classes: Vec::new(),
            instances: Vec::new(),
            stray: Vec::new(),
            loose: Vec::new(),
            conditions: Vec::new(),
            running: Vec::new(),
            returns: Vec::new(),
            steps: STEPS_MAX,
            depth: 0,
        }
    }

    /// Runs the statements of a file, once, and gives the frame of its names.
    pub(super) fn module(&mut self, file: usize) -> usize {
        if let Some(frame) = self.modules.get(&file) {
            return *frame;
        }
        self.frames.push(Frame { file, ..Frame::default() });
        let frame = self.frames.len() - 1;
        self.modules.insert(file, frame);
        let statements = self.statements(file);
        // What a file does as it is imported does not depend on who imports it.
        let conditions = std::mem::take(&mut self.conditions);
        let returns = std::mem::take(&mut self.returns);
        self.depth += 1;
        if self.depth < DEPTH_MAX * 4 {
            self.run(frame, &statements);
        }
        self.depth -= 1;
        self.conditions = conditions;
        self.returns = returns;
        frame
    }

    /// The frame of a file that was run.
    pub(super) fn frame_of(&self, file: usize) -> Option<usize> {
        self.modules.get(&file).copied()
    }

    fn statements(&self, file: usize) -> Arc<Vec<Statement>> {
        let content = self.index.tree.file(file).and_then(|file| self.index.tree.content(file).ok());
        Arc::new(content.map(|bytes| values(&bytes)).unwrap_or_default())
    }

    /// One step; nothing when there were too many.
    pub(super) fn step(&mut self, place: Place) -> Option<()> {
        if self.steps == 0 {
            return None;
        }
        self.steps -= 1;
        if self.steps == 0 {
            let why =
                format!("more than {STEPS_MAX} steps would have to be followed; what comes after was left");
            self.undecided(place, "…".to_owned(), why);
        }
        Some(())
    }

    /// Keeps something that belongs to no application that is known.
    pub(super) fn undecided(&mut self, place: Place, text: String, why: String) {
        let entry = Entry { place, condition: self.condition(), what: What::Undecided(text, why) };
        if !self.stray.contains(&entry) {
            self.stray.push(entry);
        }
    }

    /// The conditions that hold here.
    pub(super) fn condition(&self) -> Option<String> {
        let mut seen: Vec<&str> = Vec::new();
        for condition in &self.conditions {
            if !seen.contains(&condition.as_str()) {
                seen.push(condition);
            }
        }
        if seen.is_empty() { None } else { Some(seen.join(" and ")) }
    }

    /// The source of a range, on one line.
    pub(super) fn written(&self, file: usize, span: Span) -> String {
        let content = self.index.tree.file(file).and_then(|file| self.index.tree.content(file).ok());
        let text =
            content.map(|bytes| String::from_utf8_lossy(span.of(&bytes)).into_owned()).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(SHOWN_LETTERS_MAX) {
            Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
            None => text,
        }
    }

    pub(super) fn file_of(&self, frame: usize) -> usize {
        self.frames.get(frame).map_or(0, |frame| frame.file)
    }

    pub(super) fn place(&self, frame: usize, span: Span) -> Place {
        Place { file: self.file_of(frame), offset: span.start }
    }

    /// The dotted name of a file; its path when it cannot be imported.
    pub(super) fn module_of(&self, file: usize) -> String {
        let name = self.index.names.get(file).and_then(Option::as_ref);
        match name {
            Some(ModuleName { dotted, .. }) => dotted.clone(),
            None => self.index.tree.file(file).map(|file| file.path.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn names(&mut self, frame: usize) -> Option<&mut BTreeMap<String, Value>> {
        self.frames.get_mut(frame).map(|frame| &mut frame.names)
    }

    /// Runs statements; `true` when nothing behind them is reached.
    pub(super) fn run(&mut self, frame: usize, statements: &[Statement]) -> bool {
        for statement in statements {
            if self.step(self.place(frame, statement.span)).is_none() {
                return true;
            }
            if self.statement(frame, statement) {
                return true;
            }
        }
        false
    }

    fn statement(&mut self, frame: usize, statement: &Statement) -> bool {
        match &statement.deed {
            Deed::Import => self.import(frame, statement.span),
            Deed::Assign(targets, value) => {
                let value = self.value(frame, value);
                for target in targets {
                    self.assign(frame, target, value.clone());
                }
            }
            Deed::Extend(target, value) => {
                let place = self.place(frame, value.span);
                let written = self.written(place.file, value.span);
                let old = self.value(frame, target);
                let more = self.value(frame, value);
                let new = self.sum(old, more, place, &written);
                self.assign(frame, target, new);
            }
            Deed::Define(definition) => self.define(frame, definition),
            Deed::Class(definition) => self.define_class(frame, definition),
            Deed::Express(value) => {
                self.value(frame, value);
            }
            Deed::Branch(branches) => return self.branch(frame, branches),
            Deed::Loop(target, source, body) => self.each(frame, target, source, body),
            Deed::Perhaps(body) => {
                self.under("where the case holds", |this| this.run(frame, body));
            }
            Deed::With(items, body) => {
                for (value, target) in items {
                    let value = self.value(frame, value);
                    if let Some(target) = target {
                        self.assign(frame, target, value);
                    }
                }
                return self.run(frame, body);
            }
            Deed::Attempt(body, handlers, rest) => return self.attempt(frame, body, handlers, rest),
            Deed::Return(value) => {
                let value = value.as_ref().map_or(Value::Nothing, |value| self.value(frame, value));
                self.returns.push(value);
                return true;
            }
            Deed::Declare(_) | Deed::Other => {}
        }
        false
    }

    /// Does something under a condition.
    pub(super) fn under<T>(&mut self, condition: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        self.conditions.push(condition.to_owned());
        let result = act(self);
        self.conditions.pop();
        result
    }

    fn branch(&mut self, frame: usize, branches: &[(Option<Expression>, Vec<Statement>)]) -> bool {
        let file = self.file_of(frame);
        let before = self.frames.get(frame).map(|frame| frame.names.clone()).unwrap_or_default();
        let mut ends = Vec::new();
        let mut negated: Vec<String> = Vec::new();
        let mut has_else = false;
        for (test, body) in branches {
            let text = match test {
                Some(test) => self.written(file, test.span),
                None => format!("not ({})", negated.join(" or ")),
            };
            has_else |= test.is_none();
            if let Some(names) = self.names(frame) {
                names.clone_from(&before);
            }
            let is_plain = text.contains("__name__") || text.contains("TYPE_CHECKING");
            let is_ended = if is_plain {
                self.run(frame, body)
            } else {
                self.under(&text, |this| this.run(frame, body))
            };
            negated.push(text);
            if !is_ended {
                ends.extend(self.frames.get(frame).map(|frame| frame.names.clone()));
            }
        }
        if !has_else {
            ends.push(before);
        }
        let is_ended = ends.is_empty();
        self.merge(frame, ends);
        is_ended
    }

    fn merge(&mut self, frame: usize, ends: Vec<BTreeMap<String, Value>>) {
        let mut merged: BTreeMap<String, Value> = BTreeMap::new();
        for names in ends {
            for (name, value) in names {
                let value = match merged.remove(&name) {
                    Some(other) => either(other, value),
                    None => value,
                };
                merged.insert(name, value);
            }
        }
        if let Some(names) = self.names(frame) {
            *names = merged;
        }
    }

    fn each(&mut self, frame: usize, target: &Expression, source: &Expression, body: &[Statement]) {
        match self.value(frame, source) {
            Value::List(items) if items.len() <= ITEMS_MAX => {
                for item in items {
                    self.assign(frame, target, item);
                    self.run(frame, body);
                }
            }
            _ => {
                let file = self.file_of(frame);
                let condition = format!("for each of {}", self.written(file, source.span));
                self.assign(frame, target, Value::unknown("it runs over what could not be read"));
                self.under(&condition, |this| this.run(frame, body));
            }
        }
    }

    fn attempt(
        &mut self,
        frame: usize,
        body: &[Statement],
        handlers: &[Vec<Statement>],
        rest: &[Statement],
    ) -> bool {
        let before = self.frames.get(frame).map(|frame| frame.names.clone()).unwrap_or_default();
        let is_ended = self.run(frame, body);
        let kept = self.frames.get(frame).map(|frame| frame.names.clone()).unwrap_or_default();
        for handler in handlers {
            if let Some(names) = self.names(frame) {
                names.clone_from(&before);
            }
            self.under("where what is tried fails", |this| this.run(frame, handler));
            let after = self.frames.get(frame).map(|frame| frame.names.clone()).unwrap_or_default();
            // What was tried counts; what stands in for it only where it gave nothing.
            let mut names = kept.clone();
            for (name, value) in after {
                let is_better = names.get(&name).is_none_or(|old| old.is_unknown() || *old == Value::Nothing);
                if is_better {
                    names.insert(name, value);
                }
            }
            if let Some(there) = self.names(frame) {
                *there = names;
            }
        }
        self.run(frame, rest) || (is_ended && handlers.is_empty())
    }

    /// Binds a value to a name, an attribute, or several names.
    pub(super) fn assign(&mut self, frame: usize, target: &Expression, value: Value) {
        match &target.form {
            Form::Name(name) => {
                if let Some(names) = self.names(frame) {
                    names.insert(name.clone(), value);
                }
            }
            Form::Attribute(object, name) => match self.value(frame, object) {
                Value::Instance(at) => {
                    if let Some(instance) = self.instances.get_mut(at) {
                        instance.attributes.insert(name.clone(), value);
                    }
                }
                Value::Router(at) => {
                    if let Some(router) = self.routers.get_mut(at) {
                        router.attributes.insert(name.clone(), value);
                    }
                }
                _ => {}
            },
            Form::List(targets) => {
                for (at, target) in targets.iter().enumerate() {
                    let value = match &value {
                        Value::List(items) => items.get(at).cloned(),
                        _ => None,
                    };
                    self.assign(frame, target, value.unwrap_or_else(|| Value::unknown("it is taken apart")));
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, frame: usize, definition: &Arc<Definition>) {
        let file = self.file_of(frame);
        let (name, class) = self
            .frames
            .get(frame)
            .map_or((String::new(), None), |around| (join(&around.name, &definition.name), around.class));
        self.functions.push(Function {
            definition: definition.clone(),
            file,
            frame,
            name,
            class,
            runs: 0,
            is_property: false,
            methods: None,
            action: None,
        });
        let function = self.functions.len() - 1;
        // The name is there before the decorators are: what they register is the function.
        if let Some(names) = self.names(frame) {
            names.insert(definition.name.clone(), Value::Function(function));
        }
        for decorator in definition.decorators.iter().rev() {
            self.decorate(frame, decorator, &Value::Function(function));
        }
    }

    fn define_class(&mut self, frame: usize, definition: &Arc<ClassDefinition>) {
        let file = self.file_of(frame);
        let outer = self.frames.get(frame).map(|frame| frame.name.clone()).unwrap_or_default();
        let name = join(&outer, &definition.name);
        let bases = definition.bases.iter().map(|base| self.value(frame, base)).collect();
        let class = self.classes.len();
        self.frames.push(Frame {
            parent: Some(frame),
            file,
            name: name.clone(),
            class: Some(class),
            ..Frame::default()
        });
        let body = self.frames.len() - 1;
        self.classes.push(Class { definition: definition.clone(), file, name, bases, frame: body, runs: 0 });
        self.run(body, &definition.body);
        if let Some(names) = self.names(frame) {
            names.insert(definition.name.clone(), Value::Class(class));
        }
        for decorator in definition.decorators.iter().rev() {
            self.decorate(frame, decorator, &Value::Class(class));
        }
    }

    /// Runs a function; what it gives back, as far as that is clear.
    pub(super) fn call_function(&mut self, at: usize, own: Option<Value>, arguments: &Arguments) -> Value {
        let Some(function) = self.functions.get_mut(at) else { return Value::unknown("no such function") };
        let is_refused =
            function.runs >= RUNS_MAX || self.running.contains(&at) || self.running.len() > DEPTH_MAX;
        if is_refused {
            return Value::unknown("it calls itself, or is called too often");
        }
        function.runs += 1;
        let function = function.clone();
        let definition = function.definition.clone();
        // The body of a class is no scope for its methods.
        let parent = self
            .frames
            .get(function.frame)
            .and_then(|frame| if frame.class.is_some() { frame.parent } else { Some(function.frame) });
        let receiver = own.clone().zip(function.class).map(|(own, class)| (class, own));
        self.frames.push(Frame {
            parent,
            file: function.file,
            name: function.name.clone(),
            own: receiver,
            ..Frame::default()
        });
        let frame = self.frames.len() - 1;
        self.bind(frame, &function, own, arguments);
        let outer = std::mem::take(&mut self.returns);
        self.running.push(at);
        self.run(frame, &definition.body);
        self.running.pop();
        let returns = std::mem::replace(&mut self.returns, outer);
        returns.into_iter().reduce(either).unwrap_or(Value::Nothing)
    }

    fn bind(&mut self, frame: usize, function: &Function, own: Option<Value>, arguments: &Arguments) {
        let mut places = own.into_iter().chain(arguments.places.iter().cloned());
        let mut bound = BTreeMap::new();
        for parameter in &function.definition.parameters {
            let place = if parameter.is_place { places.next() } else { None };
            let named = arguments.names.iter().find(|(name, _)| *name == parameter.name);
            let value = place.or_else(|| named.map(|(_, value)| value.clone()));
            let value = match (value, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) if !arguments.is_open => self.value(function.frame, default),
                _ => Value::unknown("it is an argument that could not be read"),
            };
            bound.insert(parameter.name.clone(), value);
        }
        if let Some(rest) = &function.definition.rest.0 {
            let value = if arguments.is_open {
                Value::unknown("its arguments could not be read")
            } else {
                Value::List(places.collect())
            };
            bound.insert(rest.clone(), value);
        }
        if let Some(rest) = &function.definition.rest.1 {
            let is_own = |name: &str| function.definition.parameters.iter().any(|own| own.name == name);
            let others = arguments.names.iter().filter(|(name, _)| !is_own(name)).cloned().collect();
            let value = if arguments.is_open {
                Value::unknown("its arguments could not be read")
            } else {
                Value::Mapping(others)
            };
            bound.insert(rest.clone(), value);
        }
        if let Some(names) = self.names(frame) {
            *names = bound;
        }
    }

    /// Keeps what a function gave that nobody calls, if there are patterns in it.
    pub(super) fn keep_loose(&mut self, given: Value) {
        let Value::List(items) = given else { return };
        if items.iter().any(|item| matches!(item, Value::Entry(_) | Value::Included(_)))
            && !self.loose.contains(&items)
        {
            self.loose.push(items);
        }
    }

    /// Whether a file is about routes.
    pub(super) fn is_relevant(&self, file: usize) -> bool {
        self.relevant.get(file).copied().unwrap_or(false)
            && self.index.tree.file(file).is_some_and(|file| file.class == FileClass::Python)
    }
}

/// What stands for a name that one way binds to `one` and another to `other`.
pub(super) fn either(one: Value, other: Value) -> Value {
    if one == other {
        return one;
    }
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            if other.starts_with(&one) {
                return Value::List(other);
            }
            let mut all = one;
            for item in other {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
            Value::List(all)
        }
        (Value::Text(_), _) | (_, Value::Text(_)) => Value::unknown("it depends on a condition"),
        (Value::Nothing | Value::Unknown(..), known) | (known, Value::Nothing | Value::Unknown(..)) => known,
        (one @ (Value::Router(_) | Value::OneOf(_)), other @ (Value::Router(_) | Value::OneOf(_))) => {
            let mut all = Vec::new();
            for value in [one, other] {
                match value {
                    Value::OneOf(several) => all.extend(several),
                    value => all.push(value),
                }
            }
            all.dedup();
            Value::OneOf(all)
        }
        (one, _) => one,
    }
}
