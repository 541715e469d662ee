//! Applications, routers and blueprints of FastAPI, Starlette and Flask: how they are made, and what is added to them.

use super::arguments::Arguments;
use super::evaluate::Evaluator;
use super::template::{Style, UNREAD};
use super::value::{Entry, Framework, Inside, Methods, Place, Router, Value, What};

/// Verbs that are names of methods of applications.
pub(super) const VERBS: &[&str] =
    &["get", "post", "put", "patch", "delete", "head", "options", "trace", "connect"];

/// The method that stands for a web socket.
pub(super) const WEB_SOCKET: &str = "WEBSOCKET";

impl Evaluator<'_, '_> {
    /// Makes what a class of a framework makes; nothing for any other class.
    pub(super) fn construct(&mut self, dotted: &str, arguments: &Arguments, place: Place) -> Option<Value> {
        let root = dotted.split('.').next().unwrap_or_default();
        let leaf = dotted.rsplit('.').next().unwrap_or_default();
        match (root, leaf) {
            ("fastapi", "FastAPI") => {
                let router = self.router(Framework::FastApi, true, None);
                self.add_routes(router, arguments.named("routes"), place);
                self.add_documentation(router, arguments, place);
                Some(Value::Router(router))
            }
            ("fastapi", "APIRouter") => {
                let prefix = arguments.path(usize::MAX, "prefix");
                let router = self.router(Framework::FastApi, false, prefix);
                self.add_routes(router, arguments.named("routes"), place);
                Some(Value::Router(router))
            }
            ("starlette" | "fastapi", "Starlette" | "Router") => {
                let is_application = leaf == "Starlette";
                let router = self.router(Framework::Starlette, is_application, None);
                self.add_routes(router, arguments.get(usize::from(is_application), "routes"), place);
                Some(Value::Router(router))
            }
            ("starlette" | "fastapi", "Route" | "APIRoute" | "WebSocketRoute" | "APIWebSocketRoute") => {
                let methods = if leaf.contains("WebSocket") {
                    Methods::These(vec![WEB_SOCKET.to_owned()])
                } else {
                    methods(arguments, 2)
                };
                let path = arguments.path(0, "path").unwrap_or_else(|| UNREAD.to_owned());
                let handler = handler(arguments, 1, "endpoint");
                Some(self.entry(place, route(Style::Braces, path, methods, handler)))
            }
            ("starlette" | "fastapi", "Mount" | "Host") => Some(self.mounted(leaf, arguments, place)),
            (
                "flask" | "quart" | "apiflask" | "flask_openapi3",
                "Flask" | "Quart" | "APIFlask" | "OpenAPI",
            ) => {
                let router = self.router(Framework::Flask, true, None);
                self.add_static(router, arguments, place);
                Some(Value::Router(router))
            }
            (
                "flask" | "quart" | "apiflask" | "flask_openapi3" | "flask_smorest",
                "Blueprint" | "APIBlueprint",
            ) => {
                let prefix = arguments.get(5, "url_prefix").cloned().unwrap_or(Value::Nothing);
                let prefix = match prefix {
                    Value::Nothing if arguments.is_open => Some(UNREAD.to_owned()),
                    Value::Nothing => None,
                    value => Some(value.path()),
                };
                let router = self.router(Framework::Flask, false, prefix);
                if arguments.get(2, "static_folder").is_some_and(|folder| *folder != Value::Nothing) {
                    self.add_static(router, arguments, place);
                }
                Some(Value::Router(router))
            }
            ("flask_restful", "Api") => {
                let prefix = arguments.get(1, "prefix").map(Value::path).filter(|prefix| !prefix.is_empty());
                let router = self.router(Framework::Flask, false, prefix);
                if let Some(app) = arguments.get(0, "app").cloned() {
                    self.include(&app, &Value::Router(router), None, place, "Api(…)");
                }
                Some(Value::Router(router))
            }
            ("rest_framework", "DefaultRouter" | "SimpleRouter") => {
                Some(self.rest_router(leaf == "DefaultRouter", arguments, place))
            }
            _ => None,
        }
    }

    pub(super) fn router(
        &mut self,
        framework: Framework,
        is_application: bool,
        prefix: Option<String>,
    ) -> usize {
        self.routers.push(Router {
            framework,
            is_application,
            is_given: false,
            is_rest: false,
            prefix,
            entries: Vec::new(),
            is_included: false,
            attributes: std::collections::BTreeMap::new(),
        });
        self.routers.len() - 1
    }

    /// An entry that is not in any list yet.
    pub(super) fn entry(&self, place: Place, what: What) -> Value {
        Value::Entry(Box::new(Entry { place, condition: self.condition(), what }))
    }

    pub(super) fn add(&mut self, router: usize, place: Place, what: What) {
        let entry = Entry { place, condition: self.condition(), what };
        if let Some(router) = self.routers.get_mut(router)
            && !router.entries.contains(&entry)
        {
            router.entries.push(entry);
        }
    }

    pub(super) fn add_routes(&mut self, router: usize, routes: Option<&Value>, place: Place) {
        let Some(routes) = routes.cloned() else { return };
        if routes == Value::Nothing {
            return;
        }
        for item in self.items(routes, place, "routes") {
            self.add_item(router, item, place);
        }
    }

    /// Adds an item of a list of routes.
    pub(super) fn add_item(&mut self, router: usize, item: Value, place: Place) {
        match item {
            Value::Entry(entry) => {
                if let What::Group { inside: Inside::Router(inner), .. } = &entry.what {
                    self.mark_included(*inner);
                }
                if let Some(router) = self.routers.get_mut(router) {
                    router.entries.push(*entry);
                }
            }
            Value::Method(inner, name) if name == "routes" => {
                self.add(router, place, group(String::new(), Inside::Router(inner), false, false));
                self.mark_included(inner);
            }
            Value::Unknown(why, at) => {
                let what = What::Undecided("an item of `routes`".to_owned(), why);
                self.add(router, at.unwrap_or(place), what);
            }
            Value::Outside(dotted) => {
                self.add(router, place, group(String::new(), Inside::Outside(dotted), false, false));
            }
            Value::Nothing => {}
            other => {
                let text = format!("an item of `routes`: {}", self.handler_name(&other));
                let what = What::Undecided(text, "it is no route that is known".to_owned());
                self.add(router, place, what);
            }
        }
    }

    pub(super) fn mark_included(&mut self, router: usize) {
        if let Some(router) = self.routers.get_mut(router) {
            router.is_included = true;
        }
    }

    /// `/docs` and what else FastAPI adds by itself.
    fn add_documentation(&mut self, router: usize, arguments: &Arguments, place: Place) {
        if arguments.is_open {
            let what = What::Undecided(
                "FastAPI(**…)".to_owned(),
                "the paths of its documentation could not be read".to_owned(),
            );
            return self.add(router, place, what);
        }
        let texts = |name: &str, default: &str| match arguments.named(name) {
            None => vec![default.to_owned()],
            Some(Value::OneOf(several)) => {
                several.iter().filter(|value| **value != Value::Nothing).map(Value::path).collect()
            }
            Some(value) => vec![value.path()],
        };
        let schema = texts("openapi_url", "/openapi.json");
        if schema.iter().all(String::is_empty) {
            return;
        }
        let docs = texts("docs_url", "/docs");
        let has_docs = docs.iter().any(|path| !path.is_empty());
        let redirect = texts("swagger_ui_oauth2_redirect_url", "/docs/oauth2-redirect");
        let redirect = if has_docs { redirect } else { Vec::new() };
        for (paths, name) in [
            (schema, "openapi"),
            (docs, "swagger_ui"),
            (redirect, "swagger_ui_redirect"),
            (texts("redoc_url", "/redoc"), "redoc"),
        ] {
            for path in paths.into_iter().filter(|path| !path.is_empty()) {
                let what = What::Route {
                    style: Style::Braces,
                    path,
                    methods: Methods::These(vec!["GET".to_owned()]),
                    handler: Value::Outside(format!("fastapi.FastAPI.{name}")),
                    is_implied: true,
                };
                self.add(router, place, what);
            }
        }
    }

    /// The files that Flask serves by itself.
    fn add_static(&mut self, router: usize, arguments: &Arguments, place: Place) {
        let is_application = self.routers.get(router).is_some_and(|router| router.is_application);
        let folder = arguments.get(if is_application { 2 } else { usize::MAX }, "static_folder");
        if folder == Some(&Value::Nothing) {
            return;
        }
        let path = match arguments.get(if is_application { 1 } else { 3 }, "static_url_path") {
            Some(Value::Nothing) | None => match arguments.get(2, "static_folder") {
                Some(Value::Text(folder)) => {
                    format!("/{}", folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
                }
                Some(_) => format!("/{UNREAD}"),
                None => "/static".to_owned(),
            },
            Some(value) => value.path(),
        };
        let what = What::Route {
            style: Style::Angles,
            path: format!("{}/<path:filename>", path.trim_end_matches('/')),
            methods: Methods::These(vec!["GET".to_owned()]),
            handler: Value::Outside("flask.Flask.send_static_file".to_owned()),
            is_implied: true,
        };
        self.add(router, place, what);
    }

    /// `Mount(…)` and `Host(…)`.
    fn mounted(&mut self, leaf: &str, arguments: &Arguments, place: Place) -> Value {
        let path = if leaf == "Host" {
            String::new()
        } else {
            arguments.path(0, "path").unwrap_or_else(|| UNREAD.to_owned())
        };
        let inside = match (arguments.get(1, "app"), arguments.get(2, "routes")) {
            (Some(app), _) if *app != Value::Nothing => self.inside(app),
            (_, Some(Value::Method(router, name))) if name == "routes" => Inside::Router(*router),
            (_, Some(Value::List(items))) => Inside::Values(items.clone()),
            (_, Some(Value::Unknown(why, _))) => Inside::Unknown(why.clone()),
            _ => Inside::Unknown("what is mounted could not be read".to_owned()),
        };
        if let Inside::Router(inner) = inside {
            self.mark_included(inner);
        }
        self.entry(place, group(path.trim_end_matches('/').to_owned(), inside, false, leaf == "Mount"))
    }

    pub(super) fn inside(&self, value: &Value) -> Inside {
        match value {
            Value::Router(router) => Inside::Router(*router),
            Value::OneOf(several) => Inside::Values(several.clone()),
            Value::Outside(dotted) => Inside::Outside(dotted.clone()),
            Value::Unknown(why, _) => Inside::Unknown(why.clone()),
            Value::Function(_) | Value::Class(_) | Value::Instance(_) | Value::Bound(..) => {
                Inside::Outside(self.handler_name(value))
            }
            _ => Inside::Unknown("what it is could not be read".to_owned()),
        }
    }

    /// An attribute of an application or router.
    pub(super) fn router_attribute(&mut self, at: usize, own: &Value, name: &str) -> Value {
        let Some(router) = self.routers.get(at) else { return Value::unknown("it is computed") };
        let (prefix, is_rest) = (router.prefix.clone(), router.is_rest);
        let class = router.attributes.get(super::CLASS).cloned();
        if let Some(value) = router.attributes.get(name).cloned() {
            return self.looked_up(value);
        }
        if let Some(Value::Class(class)) = class
            && self.in_class(class, name, 0).is_some()
        {
            return self.bound(class, own, name);
        }
        match (name, is_rest) {
            ("urls", true) => {
                self.mark_included(at);
                Value::Included(Box::new(Inside::Router(at)))
            }
            ("router" | "app", false) => Value::Router(at),
            ("prefix" | "url_prefix", _) => prefix.map_or(Value::Nothing, Value::Text),
            ("state" | "config" | "logger" | "extra" | "extensions", _) => {
                Value::unknown("it is what the application keeps")
            }
            _ => Value::Method(at, name.to_owned()),
        }
    }
}

pub(super) fn route(style: Style, path: String, methods: Methods, handler: Value) -> What {
    What::Route { style, path, methods, handler, is_implied: false }
}

pub(super) fn group(path: String, inside: Inside, is_replacing: bool, is_closed: bool) -> What {
    let style = Style::Braces;
    What::Group { style, path, inside, is_replacing, is_closed }
}

pub(super) fn handler(arguments: &Arguments, at: usize, name: &str) -> Value {
    arguments.get(at, name).cloned().unwrap_or_else(|| Value::unknown("it has no handler that could be read"))
}

/// The argument `methods`.
pub(super) fn methods(arguments: &Arguments, at: usize) -> Methods {
    match arguments.get(at, "methods") {
        None if arguments.is_open => Methods::Unread,
        None | Some(Value::Nothing) => Methods::Handlers(vec!["GET".to_owned()]),
        Some(value) => match value.texts() {
            Some(texts) => Methods::These(texts.iter().map(|text| text.to_ascii_uppercase()).collect()),
            None => Methods::Unread,
        },
    }
}
