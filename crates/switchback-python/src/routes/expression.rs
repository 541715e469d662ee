//! What an expression stands for.

use super::evaluate::{DEPTH_MAX, Evaluator, either};
use super::template::Style;
use super::template::UNREAD;
use super::value::{Entry, Inside, Place, Value, What};
use crate::syntax::values::{Expression, Form};

impl Evaluator<'_, '_> {
    /// What an expression stands for.
    pub(super) fn value(&mut self, frame: usize, expression: &Expression) -> Value {
        if self.step(self.place(frame, expression.span)).is_none() {
            return Value::unknown("too much would have to be followed");
        }
        match &expression.form {
            Form::Text(text) => Value::Text(text.clone()),
            Form::Flag(flag) => Value::Flag(*flag),
            Form::Nothing => Value::Nothing,
            Form::Name(name) => self.name(frame, name),
            Form::Attribute(object, name) => {
                if matches!(&object.form, Form::Call(callee, _) if is_super(callee)) {
                    return self.inherited(frame, name);
                }
                let object = self.value(frame, object);
                self.attribute(&object, name)
            }
            Form::Call(callee, arguments) => self.call(frame, expression, callee, arguments),
            Form::List(elements) => self.list(frame, elements),
            Form::Mapping(items) => self.mapping(frame, items),
            Form::Sum(one, other) => {
                let place = self.place(frame, other.span);
                let written = self.written(place.file, other.span);
                let one = self.value(frame, one);
                let other = self.value(frame, other);
                self.sum(one, other, place, &written)
            }
            Form::Format(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match self.value(frame, piece) {
                        Value::Text(piece) => text.push_str(&piece),
                        _ => text.push_str(UNREAD),
                    }
                }
                Value::Text(text)
            }
            Form::Choice(one, other) => match (self.value(frame, one), self.value(frame, other)) {
                (Value::Text(text), Value::Nothing) | (Value::Nothing, Value::Text(text)) => {
                    Value::OneOf(vec![Value::Text(text), Value::Nothing])
                }
                (one, other) => either(one, other),
            },
            Form::FirstOf(values) => {
                let values: Vec<Value> = values.iter().map(|value| self.value(frame, value)).collect();
                values.into_iter().reduce(either).unwrap_or(Value::Nothing)
            }
            Form::Spread(inner) => self.value(frame, inner),
            Form::Item(object, key) => self.item(frame, object, key),
            Form::Comprehension { element, target, source, is_filtered } => {
                self.comprehension(frame, element, target, source, *is_filtered)
            }
            Form::Lambda => Value::Lambda,
            Form::Number(_) | Form::Below(..) | Form::Other => Value::unknown("it is computed"),
        }
    }

    fn name(&mut self, frame: usize, name: &str) -> Value {
        let mut at = Some(frame);
        let mut is_first = true;
        while let Some(frame) = at.and_then(|at| self.frames.get(at)) {
            // Functions do not see the names of the class around them.
            if (is_first || frame.class.is_none())
                && let Some(value) = frame.names.get(name).cloned()
            {
                return self.looked_up(value);
            }
            is_first = false;
            at = frame.parent;
        }
        match name {
            "str" | "list" | "tuple" | "set" | "reversed" | "sorted" | "super" | "dict" => {
                Value::Outside(format!("builtins.{name}"))
            }
            "__name__" => Value::Text(self.module_of(self.file_of(frame))),
            _ => Value::Unknown(format!("nothing that could be read binds `{name}`"), None),
        }
    }

    /// What `object.name` stands for.
    pub(super) fn attribute(&mut self, object: &Value, name: &str) -> Value {
        match object {
            Value::Module(module) if name == "__name__" => Value::Text(module.clone()),
            Value::Module(module) => self.member(module, name),
            Value::Lazy(module, own) => {
                let value = self.member(module, own);
                self.attribute(&value, name)
            }
            Value::Outside(dotted) if dotted == "django.conf.settings" => {
                self.django_setting(name).unwrap_or_else(|| Value::Outside(format!("{dotted}.{name}")))
            }
            Value::Outside(dotted) => Value::Outside(format!("{dotted}.{name}")),
            Value::Class(class) => self.class_attribute(*class, name),
            Value::Instance(at) => self.instance_attribute(*at, object, name),
            Value::Router(at) => self.router_attribute(*at, object, name),
            Value::OneOf(several) => {
                let several = several.clone();
                let values: Vec<Value> = several.iter().map(|value| self.attribute(value, name)).collect();
                Value::OneOf(values)
            }
            Value::Unknown(why, at) => Value::Unknown(why.clone(), *at),
            Value::Method(router, own) if own == "routes" => Value::Method(*router, format!("routes.{name}")),
            _ => Value::unknown("it is computed"),
        }
    }

    fn class_attribute(&mut self, class: usize, name: &str) -> Value {
        if name == "as_view" {
            return Value::AsView(Box::new(Value::Class(class)));
        }
        match self.in_class(class, name, 0) {
            Some(value) => value,
            None => Value::Unknown(format!("the class has no `{name}` that could be read"), None),
        }
    }

    /// What a class or one of its bases binds a name to.
    pub(super) fn in_class(&mut self, class: usize, name: &str, depth: usize) -> Option<Value> {
        let class = self.classes.get(class)?;
        let bases = class.bases.clone();
        let found = self.frames.get(class.frame).and_then(|frame| frame.names.get(name)).cloned();
        if let Some(value) = found {
            return Some(self.looked_up(value));
        }
        if depth > DEPTH_MAX {
            return None;
        }
        bases.into_iter().find_map(|base| match base {
            Value::Class(base) => self.in_class(base, name, depth + 1),
            _ => None,
        })
    }

    fn instance_attribute(&mut self, at: usize, object: &Value, name: &str) -> Value {
        let Some(instance) = self.instances.get(at) else { return Value::unknown("it is computed") };
        let class = instance.class;
        if let Some(value) = instance.attributes.get(name).cloned() {
            return self.looked_up(value);
        }
        // The `urls` of an own admin site: whoever made its base knows them.
        if name == "urls"
            && self.in_class(class, name, 0).is_none()
            && let Some(base) = self.outside_bases(class, 0).into_iter().find(|base| base != "?")
        {
            return Value::Outside(format!("{base}.urls"));
        }
        self.bound(class, object, name)
    }

    /// An attribute of a class, seen from something that is one.
    pub(super) fn bound(&mut self, class: usize, object: &Value, name: &str) -> Value {
        match self.class_attribute(class, name) {
            Value::Function(function) => {
                let is_property = self.functions.get(function).is_some_and(|function| function.is_property);
                if is_property {
                    return self.call_function(
                        function,
                        Some(object.clone()),
                        &super::arguments::Arguments::default(),
                    );
                }
                Value::Bound(function, Box::new(object.clone()))
            }
            value => value,
        }
    }

    /// `super().name` in a method.
    fn inherited(&mut self, frame: usize, name: &str) -> Value {
        let mut at = Some(frame);
        while let Some(around) = at.and_then(|at| self.frames.get(at)) {
            if let Some((class, own)) = around.own.clone() {
                let bases = self.classes.get(class).map(|class| class.bases.clone()).unwrap_or_default();
                for base in bases {
                    match (base, &own) {
                        (Value::Class(base), _) => {
                            if let Some(Value::Function(function)) = self.in_class(base, name, 0) {
                                return Value::Bound(function, Box::new(own));
                            }
                        }
                        (Value::Outside(_), Value::Router(router)) if name == "__init__" => {
                            return Value::Method(*router, name.to_owned());
                        }
                        _ => {}
                    }
                }
                return match own {
                    Value::Router(router) => Value::Method(router, name.to_owned()),
                    _ => Value::unknown("it is inherited from outside of the tree"),
                };
            }
            at = around.parent;
        }
        Value::unknown("it is computed")
    }

    fn list(&mut self, frame: usize, elements: &[Expression]) -> Value {
        let mut items = Vec::new();
        for element in elements {
            let place = self.place(frame, element.span);
            let written = self.written(place.file, element.span);
            let value = self.value(frame, element);
            if matches!(element.form, Form::Spread(_)) {
                items.extend(self.items(value, place, &written));
            } else {
                items.push(placed(value, place, &written));
            }
        }
        Value::List(items)
    }

    fn mapping(&mut self, frame: usize, items: &[(Option<Expression>, Expression)]) -> Value {
        let mut pairs = Vec::new();
        for (key, value) in items {
            let value = self.value(frame, value);
            match key.as_ref().map(|key| self.value(frame, key)) {
                Some(Value::Text(key)) => pairs.push((key, value)),
                None => match value {
                    Value::Mapping(more) => pairs.extend(more),
                    _ => return Value::unknown("a part of the dictionary could not be read"),
                },
                Some(_) => return Value::unknown("a key of the dictionary could not be read"),
            }
        }
        Value::Mapping(pairs)
    }

    fn item(&mut self, frame: usize, object: &Expression, key: &Expression) -> Value {
        let object = self.value(frame, object);
        match (object, self.value(frame, key)) {
            (Value::Mapping(pairs), Value::Text(key)) => pairs
                .into_iter()
                .find(|(own, _)| *own == key)
                .map_or_else(|| Value::unknown("the dictionary has no such key"), |(_, value)| value),
            (Value::Outside(dotted), _) => Value::Outside(dotted),
            // `Generic[T]`: what it is made of does not matter.
            (Value::Class(class), _) => Value::Class(class),
            _ => Value::unknown("it is looked up in what could not be read"),
        }
    }

    fn comprehension(
        &mut self,
        frame: usize,
        element: &Expression,
        target: &Expression,
        source: &Expression,
        is_filtered: bool,
    ) -> Value {
        match self.value(frame, source) {
            Value::List(items) if !is_filtered => {
                let mut made = Vec::new();
                for item in items {
                    self.assign(frame, target, item);
                    let place = self.place(frame, element.span);
                    let written = self.written(place.file, element.span);
                    let value = self.value(frame, element);
                    made.push(placed(value, place, &written));
                }
                Value::List(made)
            }
            _ => Value::unknown("it runs over what could not be read"),
        }
    }

    /// `one + other`, lists and texts.
    pub(super) fn sum(&mut self, one: Value, other: Value, place: Place, written: &str) -> Value {
        match (one, other) {
            (Value::Text(one), Value::Text(other)) => Value::Text(format!("{one}{other}")),
            (Value::Text(one), _) => Value::Text(format!("{one}{UNREAD}")),
            (_, Value::Text(other)) => Value::Text(format!("{UNREAD}{other}")),
            (one, other) => {
                let mut items = self.items(one, place, written);
                items.extend(self.items(other, place, written));
                Value::List(items)
            }
        }
    }

    /// A value as the items of a list.
    pub(super) fn items(&mut self, value: Value, place: Place, written: &str) -> Vec<Value> {
        match value {
            Value::List(items) => items,
            Value::Nothing => Vec::new(),
            Value::Included(inside) => vec![self.group(String::new(), *inside, place)],
            value => vec![placed(value, place, written)],
        }
    }

    /// Other routes below a path, as an item of a list.
    pub(super) fn group(&mut self, path: String, inside: Inside, place: Place) -> Value {
        Value::Entry(Box::new(Entry {
            place,
            condition: self.condition(),
            what: What::Group { style: Style::Angles, path, inside, is_replacing: false, is_closed: false },
        }))
    }
}

/// An item of a list that says where it could not be read.
fn placed(value: Value, place: Place, written: &str) -> Value {
    match value {
        Value::Unknown(why, None) => Value::Unknown(format!("`{written}`: {why}"), Some(place)),
        value => value,
    }
}

/// Whether a callee is `super`.
fn is_super(callee: &Expression) -> bool {
    matches!(&callee.form, Form::Name(name) if name == "super")
}
