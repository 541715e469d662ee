//! Calls: of functions and classes of the tree, and of what frameworks offer.

use super::arguments::Arguments;
use super::evaluate::{Evaluator, either};
use super::template::UNREAD;
use super::value::{Action, Instance, Place, Registration, Value};
use crate::syntax::values::{Argument, Expression, Form};

/// Methods of something that could not be read which would register a route if it was an application.
const REGISTERING: &[&str] = &[
    "route",
    "get",
    "post",
    "put",
    "delete",
    "patch",
    "options",
    "head",
    "websocket",
    "api_route",
    "add_url_rule",
    "add_api_route",
    "add_route",
    "include_router",
    "register_blueprint",
    "mount",
    "add_resource",
    "add_namespace",
    "add_websocket_route",
    "add_api_websocket_route",
    "websocket_route",
];

impl Evaluator<'_, '_> {
    /// What a call gives.
    pub(super) fn call(
        &mut self,
        frame: usize,
        expression: &Expression,
        callee: &Expression,
        written: &[Argument],
    ) -> Value {
        let place = self.place(frame, expression.span);
        if let Form::Attribute(object, name) = &callee.form
            && let Some(value) = self.list_call(frame, object, name, written)
        {
            return value;
        }
        let function = self.value(frame, callee);
        let arguments = self.arguments(frame, written);
        match &function {
            Value::Unknown(why, _) => {
                self.unknown_call(frame, expression, callee, &arguments, why);
                Value::Unknown(why.clone(), None)
            }
            Value::OneOf(several) => {
                let several = several.clone();
                let text = self.written(place.file, expression.span);
                let values: Vec<Value> =
                    several.iter().map(|one| self.apply(one, &arguments, place, &text)).collect();
                if values.iter().any(|value| matches!(value, Value::Decorator(_))) {
                    return Value::OneOf(values);
                }
                values.into_iter().reduce(either).unwrap_or(Value::Nothing)
            }
            function => {
                let text = self.written(place.file, expression.span);
                self.apply(function, &arguments, place, &text)
            }
        }
    }

    /// Calls a value; `text` is how the call is written.
    pub(super) fn apply(
        &mut self,
        function: &Value,
        arguments: &Arguments,
        place: Place,
        text: &str,
    ) -> Value {
        match function {
            Value::Function(at) => self.call_function(*at, None, arguments),
            Value::Bound(at, own) => self.call_function(*at, Some(own.as_ref().clone()), arguments),
            Value::Class(class) => self.make(*class, arguments, place),
            Value::Outside(dotted) => self.outside_call(dotted, arguments, place, text),
            Value::Method(router, name) => self.router_call(*router, name, arguments, place, text),
            Value::Decorator(registration) => {
                let handler = arguments.places.first().cloned().unwrap_or(Value::Nothing);
                self.register(registration, handler.clone());
                handler
            }
            Value::AsView(class) => {
                let methods = match arguments.places.first().or_else(|| arguments.named("actions")) {
                    Some(Value::Mapping(pairs)) => {
                        Some(pairs.iter().map(|(verb, _)| verb.to_ascii_uppercase()).collect())
                    }
                    _ => None,
                };
                Value::View(class.clone(), methods)
            }
            _ => Value::unknown("it is computed"),
        }
    }

    /// The arguments of a call.
    pub(super) fn arguments(&mut self, frame: usize, written: &[Argument]) -> Arguments {
        let mut arguments = Arguments::default();
        for argument in written {
            let value = self.value(frame, &argument.value);
            match (&argument.name, argument.is_keywords, &argument.value.form) {
                (Some(name), _, _) => arguments.names.push((name.clone(), value)),
                (None, true, _) => match value {
                    Value::Mapping(pairs) => arguments.names.extend(pairs),
                    _ => arguments.is_open = true,
                },
                (None, false, Form::Spread(_)) => match value {
                    Value::List(items) => arguments.places.extend(items),
                    _ => arguments.is_open = true,
                },
                _ => arguments.places.push(value),
            }
        }
        arguments
    }

    /// `list.append(…)`, `extend` and `insert`, and what a dictionary gives.
    fn list_call(
        &mut self,
        frame: usize,
        object: &Expression,
        name: &str,
        written: &[Argument],
    ) -> Option<Value> {
        let is_known = ["append", "extend", "insert", "items", "values", "keys", "get", "copy", "format"];
        if !is_known.contains(&name) {
            return None;
        }
        // Only a plain name is looked at twice without running anything twice.
        if !matches!(object.form, Form::Name(_) | Form::Attribute(..) | Form::Text(_)) {
            return None;
        }
        match (self.value(frame, object), name) {
            (Value::List(mut items), "append" | "extend" | "insert") => {
                let last = written.last()?;
                let place = self.place(frame, last.value.span);
                let text = self.written(place.file, last.value.span);
                let value = self.value(frame, &last.value);
                let more = match (name, value) {
                    ("extend", value) => self.items(value, place, &text),
                    (_, Value::List(inner)) => vec![Value::List(inner)],
                    (_, value) => self.items(value, place, &text),
                };
                if name == "insert"
                    && written.first().is_some_and(|first| first.value.form == Form::Number(0))
                {
                    items.splice(0..0, more);
                } else {
                    items.extend(more);
                }
                self.assign(frame, object, Value::List(items));
                Some(Value::Nothing)
            }
            (Value::List(items), "copy") => Some(Value::List(items)),
            (Value::Mapping(pairs), "items") => Some(Value::List(
                pairs.into_iter().map(|(key, value)| Value::List(vec![Value::Text(key), value])).collect(),
            )),
            (Value::Mapping(pairs), "values") => {
                Some(Value::List(pairs.into_iter().map(|(_, value)| value).collect()))
            }
            (Value::Mapping(pairs), "keys") => {
                Some(Value::List(pairs.into_iter().map(|(key, _)| Value::Text(key)).collect()))
            }
            (Value::Text(text), "format") => {
                let arguments = self.arguments(frame, written);
                Some(Value::Text(formatted(&text, &arguments)))
            }
            (Value::Text(_) | Value::Mapping(_), _) => Some(Value::unknown("it is computed")),
            _ => None,
        }
    }

    /// Makes an instance of a class of the tree.
    fn make(&mut self, class: usize, arguments: &Arguments, place: Place) -> Value {
        if let Some(class) = self.classes.get_mut(class) {
            class.runs += 1;
        }
        let made =
            self.outside_bases(class, 0).into_iter().find_map(|base| self.construct(&base, arguments, place));
        // A route of the project's own kind is a route.
        if let Some(entry @ Value::Entry(_)) = made {
            return entry;
        }
        let own = if let Some(Value::Router(router)) = made {
            if let Some(router) = self.routers.get_mut(router) {
                router.attributes.insert(super::CLASS.to_owned(), Value::Class(class));
            }
            Value::Router(router)
        } else {
            self.instances.push(Instance { class, attributes: std::collections::BTreeMap::new() });
            Value::Instance(self.instances.len() - 1)
        };
        if let Some(Value::Function(function)) = self.in_class(class, "__init__", 0) {
            self.call_function(function, Some(own.clone()), arguments);
        }
        own
    }

    /// The bases of a class that are outside of the tree, its bases' bases included.
    pub(super) fn outside_bases(&self, class: usize, depth: usize) -> Vec<String> {
        let Some(class) = self.classes.get(class).filter(|_| depth < super::evaluate::DEPTH_MAX) else {
            return Vec::new();
        };
        class
            .bases
            .iter()
            .flat_map(|base| match base {
                Value::Class(base) => self.outside_bases(*base, depth + 1),
                Value::Outside(dotted) => vec![dotted.clone()],
                Value::Unknown(..) => vec!["?".to_owned()],
                _ => Vec::new(),
            })
            .collect()
    }

    /// Something outside of the tree is called.
    fn outside_call(&mut self, dotted: &str, arguments: &Arguments, place: Place, text: &str) -> Value {
        if let Some(value) = self.construct(dotted, arguments, place) {
            return value;
        }
        if let Some(value) = self.django_call(dotted, arguments, place, text) {
            return value;
        }
        if let Some(class) = dotted.strip_suffix(".as_view") {
            let view = Value::AsView(Box::new(Value::Outside(class.to_owned())));
            return self.apply(&view, arguments, place, text);
        }
        let leaf = dotted.rsplit('.').next().unwrap_or_default();
        match (dotted, leaf) {
            ("builtins.str", _) => return arguments.places.first().cloned().unwrap_or(Value::Nothing),
            ("builtins.list" | "builtins.tuple" | "builtins.set", _) => {
                return match arguments.places.first() {
                    None => Value::List(Vec::new()),
                    Some(Value::List(items)) => Value::List(items.clone()),
                    Some(_) => Value::unknown("it is computed"),
                };
            }
            ("builtins.dict", _) if arguments.places.is_empty() && !arguments.is_open => {
                return Value::Mapping(arguments.names.clone());
            }
            ("typing.cast", _) => {
                return arguments.places.get(1).cloned().unwrap_or(Value::Nothing);
            }
            ("functools.partial", _) => {
                return arguments.places.first().cloned().unwrap_or(Value::Nothing);
            }
            _ => {}
        }
        if dotted.starts_with("builtins.") {
            return Value::unknown("it is computed");
        }
        // What wraps an application serves its routes; what wraps a view answers as it does.
        let all = || arguments.places.iter().chain(arguments.names.iter().map(|(_, value)| value));
        let wrapped = all().find(|value| matches!(value, Value::Router(_) | Value::OneOf(_)));
        let wrapped = wrapped.or_else(|| {
            arguments.places.iter().find(|value| {
                matches!(
                    value,
                    Value::Function(_) | Value::Bound(..) | Value::Class(_) | Value::View(..) | Value::Lambda
                )
            })
        });
        match wrapped {
            Some(value) => value.clone(),
            None => Value::Outside(format!("{dotted}()")),
        }
    }

    /// Something that could not be read is called: said, if it looks as if routes came of it.
    fn unknown_call(
        &mut self,
        frame: usize,
        expression: &Expression,
        callee: &Expression,
        arguments: &Arguments,
        why: &str,
    ) {
        let Form::Attribute(_, name) = &callee.form else { return };
        let is_handed = arguments.places.iter().any(|value| matches!(value, Value::Router(_)));
        let is_path = matches!(arguments.places.first(), Some(Value::Text(text)) if text.starts_with('/') || text.is_empty());
        let is_one = match name.as_str() {
            // Clients are asked by the same names: only a decorator is a route for sure, and that is said there.
            "get" | "post" | "put" | "delete" | "patch" | "options" | "head" => false,
            "include_router" | "register_blueprint" | "add_resource" | "add_namespace" => true,
            name => REGISTERING.contains(&name) && (is_path || is_handed),
        };
        if is_one {
            let place = self.place(frame, expression.span);
            let text = self.written(place.file, expression.span);
            self.undecided(place, text, why.to_owned());
        }
    }

    /// Applies a decorator to a function or class.
    pub(super) fn decorate(&mut self, frame: usize, decorator: &Expression, target: &Value) {
        let place = self.place(frame, decorator.span);
        let value = self.value(frame, decorator);
        let values = match value {
            Value::OneOf(several) => several,
            value => vec![value],
        };
        for value in values {
            match value {
                Value::Decorator(registration) => {
                    let registration = Registration { place, ..*registration };
                    self.register(&registration, target.clone());
                }
                Value::Function(at) => {
                    let arguments = Arguments { places: vec![target.clone()], ..Arguments::default() };
                    self.call_function(at, None, &arguments);
                }
                Value::Bound(at, own) => {
                    let arguments = Arguments { places: vec![target.clone()], ..Arguments::default() };
                    self.call_function(at, Some(*own), &arguments);
                }
                Value::Outside(dotted) => self.mark(target, &dotted, frame, decorator),
                Value::Unknown(why, _) => self.unknown_decorator(frame, decorator, &why),
                _ => {}
            }
        }
        if let (Form::Name(name), Value::Function(at)) = (&decorator.form, target)
            && matches!(name.as_str(), "property" | "cached_property")
            && let Some(function) = self.functions.get_mut(*at)
        {
            function.is_property = true;
        }
    }

    fn unknown_decorator(&mut self, frame: usize, decorator: &Expression, why: &str) {
        let Form::Call(callee, arguments) = &decorator.form else { return };
        let Form::Attribute(_, name) = &callee.form else { return };
        let is_path = arguments.first().is_some_and(|first| match &first.value.form {
            Form::Text(text) => text.starts_with('/') || text.is_empty(),
            Form::Format(_) | Form::Sum(..) => true,
            _ => first.name.as_deref() == Some("path"),
        });
        if REGISTERING.contains(&name.as_str()) && is_path {
            let place = self.place(frame, decorator.span);
            let text = self.written(place.file, decorator.span);
            self.undecided(place, format!("@{text}"), why.to_owned());
        }
    }

    /// Decorators from outside that say something about methods.
    fn mark(&mut self, target: &Value, dotted: &str, frame: usize, decorator: &Expression) {
        let Value::Function(at) = target else { return };
        let called = dotted.trim_end_matches("()");
        let leaf = called.rsplit('.').next().unwrap_or_default();
        let arguments = match &decorator.form {
            Form::Call(_, written) => self.arguments(frame, written),
            _ => Arguments::default(),
        };
        let some = |list: &[&str]| Some(list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let methods = match leaf {
            "require_GET" => some(&["GET"]),
            "require_POST" => some(&["POST"]),
            "require_safe" => some(&["GET", "HEAD"]),
            "require_http_methods" | "api_view" => match arguments.places.first() {
                Some(value) => value.texts(),
                None => some(&["GET"]),
            },
            _ => None,
        };
        let upper = |list: Vec<String>| list.iter().map(|word| word.to_ascii_uppercase()).collect::<Vec<_>>();
        let Some(function) = self.functions.get_mut(*at) else { return };
        if leaf == "cached_property" {
            function.is_property = true;
        }
        if let Some(methods) = methods {
            function.methods = Some(upper(methods));
        }
        if leaf == "action" {
            let path = match arguments.named("url_path") {
                Some(value) => value.path(),
                None => function.definition.name.clone(),
            };
            let is_detail = arguments.get(1, "detail") == Some(&Value::Flag(true));
            let methods = arguments.get(0, "methods").and_then(Value::texts);
            let methods = methods.unwrap_or_else(|| vec!["get".to_owned()]);
            function.action = Some(Action { is_detail, methods: upper(methods), path });
        }
    }
}

impl Evaluator<'_, '_> {
    /// An instance of a class that nobody makes one of.
    pub(super) fn any_of(&mut self, class: usize) -> Value {
        let place = match self.classes.get(class) {
            Some(class) => Place { file: class.file, offset: class.definition.name_span.start },
            None => return Value::unknown("no such class"),
        };
        self.make(class, &Arguments::default(), place)
    }
}

/// A text with `{}`, `{0}` and `{name}` filled in; what could not be read is marked.
fn formatted(text: &str, arguments: &Arguments) -> String {
    let mut made = String::new();
    let mut rest = text;
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('{') {
        made.push_str(before);
        let Some((inner, behind)) = after.split_once('}').filter(|_| !after.starts_with('{')) else {
            // Doubled braces, or none that close: left to whoever reads it.
            made.push_str(UNREAD);
            rest = "";
            break;
        };
        let value = match inner.parse::<usize>() {
            Ok(at) => arguments.places.get(at),
            Err(_) if inner.is_empty() => {
                next += 1;
                arguments.places.get(next - 1)
            }
            Err(_) => arguments.named(inner),
        };
        made.push_str(&value.map_or_else(|| UNREAD.to_owned(), Value::path));
        rest = behind;
    }
    made.push_str(rest);
    made
}
