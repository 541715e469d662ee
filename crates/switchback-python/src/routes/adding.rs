//! What the methods of applications, routers and blueprints add to them.

use super::arguments::Arguments;
use super::evaluate::Evaluator;
use super::serving::{VERBS, WEB_SOCKET, group, handler, methods, route};
use super::template::{Style, UNREAD};
use super::value::{Framework, Inside, Methods, Place, Registration, Value, What};

impl Evaluator<'_, '_> {
    /// A method of an application or router is called.
    pub(super) fn router_call(
        &mut self,
        router: usize,
        name: &str,
        arguments: &Arguments,
        place: Place,
        text: &str,
    ) -> Value {
        if let Some(decorator) = decorator(router, name, arguments, place) {
            return decorator;
        }
        let is_rest = self.routers.get(router).is_some_and(|router| router.is_rest);
        match name {
            "register" if is_rest => self.rest_register(router, arguments, place),
            "add_api_route"
            | "add_route"
            | "add_websocket_route"
            | "add_api_websocket_route"
            | "add_url_rule"
            | "add_resource" => self.add_by_call(router, name, arguments, place),
            "include_router" | "register_blueprint" => {
                let (word, own) =
                    if name == "include_router" { ("prefix", "router") } else { ("url_prefix", "blueprint") };
                let prefix = match arguments.named(word) {
                    Some(Value::Nothing) => None,
                    _ => arguments.path(usize::MAX, word),
                };
                let inner = arguments.get(0, own).cloned().unwrap_or(Value::Nothing);
                self.include(&Value::Router(router), &inner, prefix.as_deref(), place, text);
            }
            "init_app" => {
                if let Some(app) = arguments.get(0, "app") {
                    self.include(app, &Value::Router(router), None, place, text);
                }
            }
            "mount" | "host" | "frontend" => self.mount(router, name, arguments, place),
            "routes.append" | "routes.insert" => {
                let item = arguments.places.last().cloned().unwrap_or(Value::Nothing);
                self.add_item(router, item, place);
            }
            "routes.extend" => self.add_routes(router, arguments.places.first(), place),
            "__init__" => {
                let prefix = arguments.path(usize::MAX, "prefix");
                let prefix = prefix.or_else(|| arguments.path(usize::MAX, "url_prefix"));
                if let (Some(prefix), Some(router)) = (prefix, self.routers.get_mut(router)) {
                    router.prefix = Some(prefix);
                }
            }
            other => {
                let first = arguments.places.first();
                let is_path = matches!(first, Some(Value::Text(text)) if text.starts_with('/'));
                if is_path && !other.contains("url") {
                    let why = format!("`{other}` is no method that is known");
                    self.add(router, place, What::Undecided(text.to_owned(), why));
                }
            }
        }
        Value::unknown("it is what a method of an application gives")
    }

    fn add_by_call(&mut self, router: usize, name: &str, arguments: &Arguments, place: Place) {
        let path = |name: &str| arguments.path(0, name).unwrap_or_else(|| UNREAD.to_owned());
        let endpoint = || handler(arguments, 1, "endpoint");
        let what = match name {
            "add_url_rule" => {
                let methods = methods(arguments, usize::MAX);
                route(Style::Angles, path("rule"), methods, handler(arguments, 2, "view_func"))
            }
            "add_resource" => {
                let resource = handler(arguments, 0, "resource");
                for path in arguments.places.iter().skip(1).map(Value::path) {
                    let methods = Methods::Handlers(Vec::new());
                    self.add(router, place, route(Style::Angles, path, methods, resource.clone()));
                }
                return;
            }
            name if name.contains("websocket") => {
                route(self.style(router), path("path"), web_socket(), endpoint())
            }
            _ => route(self.style(router), path("path"), methods(arguments, 2), endpoint()),
        };
        self.add(router, place, what);
    }

    fn mount(&mut self, router: usize, name: &str, arguments: &Arguments, place: Place) {
        let inside = match (name, arguments.get(1, "app")) {
            // Asked last, whatever stands behind it.
            ("frontend", _) => Inside::Outside("fastapi.FastAPI.frontend".to_owned()),
            (_, Some(app)) => self.inside(app),
            (_, None) => Inside::Unknown("what is mounted could not be read".to_owned()),
        };
        if let Inside::Router(inner) = inside {
            self.mark_included(inner);
        }
        let path = match name {
            "host" => String::new(),
            _ => arguments.path(0, "path").unwrap_or_else(|| UNREAD.to_owned()),
        };
        let path = path.trim_end_matches('/').to_owned();
        self.add(router, place, group(path, inside, false, name == "mount"));
    }

    fn style(&self, router: usize) -> Style {
        match self.routers.get(router).map(|router| router.framework) {
            Some(Framework::Flask) => Style::Angles,
            _ => Style::Braces,
        }
    }

    /// Adds a router to another one.
    pub(super) fn include(
        &mut self,
        outer: &Value,
        inner: &Value,
        prefix: Option<&str>,
        place: Place,
        text: &str,
    ) {
        let outers: Vec<usize> = match outer {
            Value::Router(outer) => vec![*outer],
            Value::OneOf(several) => several
                .iter()
                .filter_map(|value| if let Value::Router(at) = value { Some(*at) } else { None })
                .collect(),
            _ => return,
        };
        let inners = match inner {
            Value::OneOf(several) => several.clone(),
            Value::List(items) => items.clone(),
            other => vec![other.clone()],
        };
        for outer in outers {
            for inner in &inners {
                let is_replacing = prefix.is_some();
                let path = prefix.unwrap_or_default().to_owned();
                let inside = match inner {
                    // `include_router(module)`: modules that have a `router`.
                    Value::Module(module) => {
                        let module = module.clone();
                        match self.member(&module, "router") {
                            Value::Router(at) => Inside::Router(at),
                            _ => Inside::Unknown("it is a module".to_owned()),
                        }
                    }
                    other => self.inside(other),
                };
                let what = match inside {
                    Inside::Unknown(why) => What::Undecided(text.to_owned(), why),
                    inside => {
                        if let Inside::Router(inner) = inside {
                            self.mark_included(inner);
                        }
                        group(path, inside, is_replacing, false)
                    }
                };
                self.add(outer, place, what);
            }
        }
    }

    /// Makes a function a route.
    pub(super) fn register(&mut self, registration: &Registration, handler: Value) {
        let style = self.style(registration.router);
        let what = route(style, registration.path.clone(), registration.methods.clone(), handler);
        self.add(registration.router, registration.place, what);
    }
}

fn web_socket() -> Methods {
    Methods::These(vec![WEB_SOCKET.to_owned()])
}

/// What a method gives that decorates functions.
fn decorator(router: usize, name: &str, arguments: &Arguments, place: Place) -> Option<Value> {
    let methods = match name {
        verb if VERBS.contains(&verb) => Methods::These(vec![verb.to_ascii_uppercase()]),
        "route" | "api_route" => methods(arguments, 1),
        "websocket" | "websocket_route" => web_socket(),
        _ => return None,
    };
    let path = arguments.path(0, "path").or_else(|| arguments.path(0, "rule"));
    let path = path.unwrap_or_else(|| UNREAD.to_owned());
    Some(Value::Decorator(Box::new(Registration { router, methods, path, place })))
}
