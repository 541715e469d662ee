//! From what was followed to routes: entries put together from the application down, in the order in which they are asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::evaluate::{DEPTH_MAX, Evaluator};
use super::template::{Glue, Style, Template, UNREAD, covers};
use super::value::{Entry, Framework, Inside, Methods, Place, Value, What};
use super::{Parameter, Route, Undecided};
use crate::syntax::line_of;

/// Where a list of routes begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// An application.
    Router(usize),
    /// The `urlpatterns` of a file.
    Patterns(usize),
    /// A list of patterns that a function gives which nobody calls.
    Loose(usize),
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) routes: Vec<Route>,
    pub(super) undecided: Vec<Undecided>,
}

/// One route on its way, or the end of a mount.
struct Step {
    route: Route,
    key: String,
    place: Place,
    /// Whether nothing behind it is asked for what it matches.
    is_closed: bool,
    /// Whether it is only there to say so.
    is_mark: bool,
}

/// How a route is reached.
#[derive(Clone)]
struct Way {
    template: Template,
    framework: Framework,
    condition: Option<String>,
}

pub(super) struct Collector<'e, 'i, 't> {
    evaluator: &'e mut Evaluator<'i, 't>,
    steps: Vec<Step>,
    undecided: Vec<Undecided>,
    stack: Vec<Root>,
    /// Files whose `urlpatterns` were read.
    pub(super) visited: BTreeSet<usize>,
    lines: HashMap<(usize, usize), usize>,
}

impl<'e, 'i, 't> Collector<'e, 'i, 't> {
    pub(super) fn new(evaluator: &'e mut Evaluator<'i, 't>) -> Self {
        Self {
            evaluator,
            steps: Vec::new(),
            undecided: Vec::new(),
            stack: Vec::new(),
            visited: BTreeSet::new(),
            lines: HashMap::new(),
        }
    }

    /// The routes from a root on.
    pub(super) fn collect(&mut self, root: Root) -> Found {
        let template = |text: &str| Template::read(Style::Braces, text, false);
        match root {
            Root::Router(at) => {
                let framework =
                    self.evaluator.routers.get(at).map_or(Framework::Starlette, |one| one.framework);
                let way = Way { template: template(""), framework, condition: None };
                self.router(at, &way, false);
            }
            Root::Patterns(file) => {
                let way = Way { template: template("/"), framework: Framework::Django, condition: None };
                self.patterns(file, &way);
            }
            Root::Loose(at) => {
                let way = Way { template: template("…/"), framework: Framework::Django, condition: None };
                let values = self.evaluator.loose.get(at).cloned().unwrap_or_default();
                self.values(values, &way, Place { file: 0, offset: 0 });
            }
        }
        let steps = std::mem::take(&mut self.steps);
        Found { routes: noted(once(steps)), undecided: std::mem::take(&mut self.undecided) }
    }

    fn router(&mut self, at: usize, way: &Way, is_replacing: bool) {
        let Some(router) = self.evaluator.routers.get(at) else { return };
        let framework = router.framework;
        let (prefix, entries) = (router.prefix.clone(), router.entries.clone());
        if self.stack.contains(&Root::Router(at)) || self.stack.len() > DEPTH_MAX {
            return;
        }
        let template = match prefix.filter(|_| !(is_replacing && framework == Framework::Flask)) {
            Some(prefix) => {
                way.template.then(&Template::read(style(framework), &prefix, false), glue(framework))
            }
            None => way.template.clone(),
        };
        let way = Way { template, framework, condition: way.condition.clone() };
        self.stack.push(Root::Router(at));
        for entry in &entries {
            self.entry(entry, &way);
        }
        self.stack.pop();
    }

    fn patterns(&mut self, file: usize, way: &Way) {
        self.visited.insert(file);
        let place = Place { file, offset: 0 };
        if self.stack.contains(&Root::Patterns(file)) || self.stack.len() > DEPTH_MAX {
            self.leave("urlpatterns", "it includes itself", place, way.framework);
            return;
        }
        let frame = self.evaluator.module(file);
        let value =
            self.evaluator.frames.get(frame).and_then(|frame| frame.names.get("urlpatterns")).cloned();
        let Some(value) = value else {
            return self.leave("urlpatterns", "the module has none that could be read", place, way.framework);
        };
        let value = self.evaluator.looked_up(value);
        self.stack.push(Root::Patterns(file));
        let items = self.evaluator.items(value, place, "urlpatterns");
        self.values(items, way, place);
        self.stack.pop();
    }

    fn values(&mut self, values: Vec<Value>, way: &Way, place: Place) {
        for value in values {
            match value {
                Value::Entry(entry) => self.entry(&entry, way),
                Value::List(items) => self.values(items, way, place),
                Value::Included(inside) => self.inside(&inside, way, place, false),
                Value::Router(at) => self.router(at, way, false),
                Value::Unknown(why, at) => {
                    let text = format!("{}…", way.template.shown);
                    self.leave(&text, &why, at.unwrap_or(place), way.framework);
                }
                Value::Outside(dotted) => self.outside(&dotted, way, place, false),
                Value::OneOf(several) => self.values(several, way, place),
                Value::Nothing => {}
                other => {
                    let text = format!("{}… → {}", way.template.shown, self.evaluator.handler_name(&other));
                    self.leave(&text, "it is no route that is known", place, way.framework);
                }
            }
        }
    }

    fn entry(&mut self, entry: &Entry, way: &Way) {
        let condition = both(way.condition.as_deref(), entry.condition.as_deref());
        match &entry.what {
            What::Route { style, path, methods, handler, is_implied } => {
                let template = way.template.then(&Template::read(*style, path, true), glue(way.framework));
                let way = Way { template, framework: way.framework, condition };
                self.route(&way, methods, handler, entry.place, *is_implied);
            }
            What::Group { style: written, path, inside, is_replacing, is_closed } => {
                let framework = match inside {
                    Inside::Router(at) => {
                        self.evaluator.routers.get(*at).map_or(way.framework, |router| router.framework)
                    }
                    _ => way.framework,
                };
                let written = if way.framework == Framework::Flask { Style::Angles } else { *written };
                let part = Template::read(written, path, false);
                let part_glue = if way.framework == Framework::Flask || framework == Framework::Flask {
                    Glue::Slash
                } else {
                    Glue::Plain
                };
                let template = way.template.then(&part, part_glue);
                let way = Way { template, framework: way.framework, condition };
                if let Inside::Router(at) = inside {
                    self.router(*at, &way, *is_replacing);
                } else {
                    self.inside(inside, &way, entry.place, *is_closed);
                }
                if *is_closed && !matches!(inside, Inside::Outside(_)) {
                    let path = below(&way);
                    let route = self.made("*", &path, "", &way, entry.place);
                    self.steps.push(Step {
                        route,
                        key: path.key(),
                        place: entry.place,
                        is_closed: true,
                        is_mark: true,
                    });
                }
            }
            What::Undecided(text, why) => self.leave(text, why, entry.place, way.framework),
        }
    }

    fn inside(&mut self, inside: &Inside, way: &Way, place: Place, is_closed: bool) {
        match inside {
            Inside::Values(values) => self.values(values.clone(), way, place),
            Inside::Patterns(file) => self.patterns(*file, way),
            Inside::Router(at) => self.router(*at, way, false),
            Inside::Outside(dotted) => self.outside(dotted, way, place, is_closed),
            Inside::Unknown(why) => {
                let text = format!("{}…", way.template.shown);
                self.leave(&text, why, place, way.framework);
            }
        }
    }

    /// Routes of somebody else: they are one, whatever they are.
    fn outside(&mut self, dotted: &str, way: &Way, place: Place, is_closed: bool) {
        let path = below(way);
        let handler = self.evaluator.handler_name(&Value::Outside(dotted.trim_end_matches("()").to_owned()));
        if path.shown.contains(UNREAD) && !dotted.contains("static") {
            return self.leave(
                &path.shown,
                &format!("`{dotted}` stands below a path that could not be read"),
                place,
                way.framework,
            );
        }
        let mut route = self.made("*", &path, &handler, way, place);
        route.is_outside = true;
        self.steps.push(Step { route, key: path.key(), place, is_closed, is_mark: false });
    }

    fn route(&mut self, way: &Way, methods: &Methods, handler: &Value, place: Place, is_implied: bool) {
        let mut name = self.evaluator.handler_name(handler);
        if name == "<lambda>" {
            name = format!("{}:<lambda>", self.evaluator.module_of(place.file));
        }
        let path = &way.template;
        let Some(mut methods) = self.evaluator.methods(methods, handler) else {
            let text = format!("? {} → {name}", path.shown);
            return self.leave(&text, "its methods could not be read", place, way.framework);
        };
        methods.dedup();
        for method in methods {
            if path.shown.contains(UNREAD) {
                let text = format!("{method} {} → {name}", path.shown);
                self.leave(&text, "its path could not be read", place, way.framework);
                continue;
            }
            let mut route = self.made(&method, path, &name, way, place);
            route.is_implied = is_implied;
            self.steps.push(Step { route, key: path.key(), place, is_closed: true, is_mark: false });
        }
    }

    fn made(&mut self, method: &str, path: &Template, handler: &str, way: &Way, place: Place) -> Route {
        let (file, line) = self.where_is(place);
        Route {
            method: method.to_owned(),
            path: path.shown.clone(),
            normal: path.normal.clone(),
            key: path.key(),
            parameters: path
                .parameters
                .iter()
                .map(|one| Parameter { name: one.name.clone(), converter: one.converter.clone() })
                .collect(),
            handler: handler.to_owned(),
            file,
            line,
            framework: way.framework,
            condition: way.condition.clone(),
            note: None,
            is_implied: false,
            is_outside: false,
        }
    }

    /// Lists something as undecided.
    pub(super) fn leave(&mut self, text: &str, why: &str, place: Place, framework: Framework) {
        let (file, line) = self.where_is(place);
        let one =
            Undecided { what: text.to_owned(), why: why.to_owned(), file, line, framework: Some(framework) };
        if !self.undecided.contains(&one) {
            self.undecided.push(one);
        }
    }

    /// The path and line of a place.
    pub(super) fn where_is(&mut self, place: Place) -> (String, usize) {
        let Some(file) = self.evaluator.index.tree.file(place.file) else { return (String::new(), 0) };
        let tree = self.evaluator.index.tree;
        let line = *self
            .lines
            .entry((place.file, place.offset))
            .or_insert_with(|| tree.content(file).map_or(0, |bytes| line_of(&bytes, place.offset).0));
        (file.path.clone(), line)
    }
}

/// How a framework writes its parameters.
fn style(framework: Framework) -> Style {
    if framework == Framework::Flask { Style::Angles } else { Style::Braces }
}

fn glue(framework: Framework) -> Glue {
    if framework == Framework::Flask { Glue::Slash } else { Glue::Plain }
}

/// Everything below a path; Django's paths go on letter by letter.
fn below(way: &Way) -> Template {
    let rest = Template { shown: "**".to_owned(), normal: Some("**".to_owned()), parameters: Vec::new() };
    let glue = if way.framework == Framework::Django { Glue::Plain } else { Glue::Slash };
    way.template.then(&rest, glue)
}

fn both(one: Option<&str>, other: Option<&str>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => Some(format!("{one} and {other}")),
        (Some(one), _) => Some(one.to_owned()),
        (None, other) => other.map(ToOwned::to_owned),
    }
}

/// Each step once: an application that is made several times has the same routes each time.
fn once(steps: Vec<Step>) -> Vec<Step> {
    let mut seen = BTreeSet::new();
    steps
        .into_iter()
        .filter(|step| {
            let route = &step.route;
            seen.insert((
                route.method.clone(),
                step.key.clone(),
                route.handler.clone(),
                step.place,
                step.is_mark,
            ))
        })
        .collect()
}

/// The routes, those noted that an earlier one answers instead.
fn noted(steps: Vec<Step>) -> Vec<Route> {
    // Only what begins alike, or with a parameter, can stand before another.
    let mut by_first: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let first = |key: &str| key.split('/').nth(1).unwrap_or_default().to_owned();
    let mut notes: Vec<Option<String>> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let own = first(&step.key);
        let is_ordered =
            matches!(step.route.framework, Framework::FastApi | Framework::Starlette | Framework::Django);
        let candidates = [own.as_str(), "{}", "{:path}", "**"]
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter_map(|first| by_first.get(first))
            .flatten();
        let earlier = if is_ordered && !step.is_mark {
            candidates
                .copied()
                .filter(|other| steps.get(*other).is_some_and(|other| hides(other, step)))
                .min()
        } else {
            None
        };
        notes.push(earlier.and_then(|at| steps.get(at)).map(|other| {
            let route = &other.route;
            format!(
                "`{} {}` at {}:{} is asked before it and answers",
                route.method, route.path, route.file, route.line
            )
        }));
        by_first.entry(first(&step.key)).or_default().push(at);
    }
    steps
        .into_iter()
        .zip(notes)
        .filter(|(step, _)| !step.is_mark)
        .map(|(step, note)| Route { note, ..step.route })
        .collect()
}

/// Whether `earlier` answers whatever `later` would.
fn hides(earlier: &Step, later: &Step) -> bool {
    let is_django = later.route.framework == Framework::Django;
    let is_asked = is_django
        || earlier.is_mark
        || earlier.route.method == later.route.method
        || (earlier.route.method == "*" && earlier.is_closed);
    let is_sure = earlier.route.condition.is_none() || earlier.route.condition == later.route.condition;
    // Two methods of one path, written in one place, are one route.
    let is_same = earlier.place == later.place && earlier.key == later.key;
    // A number is no word: `{id:int}` lets `me` pass.
    let is_open = earlier.route.parameters.iter().all(|parameter| parameter.converter.is_empty())
        || earlier.key == later.key
            && earlier.route.parameters.iter().map(|one| &one.converter).eq(later
                .route
                .parameters
                .iter()
                .map(|one| &one.converter));
    earlier.is_closed && is_asked && is_sure && !is_same && is_open && covers(&earlier.key, &later.key)
}
