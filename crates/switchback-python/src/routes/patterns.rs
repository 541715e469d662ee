//! Django's `urlpatterns`: `path`, `re_path`, `url`, `include` and what is written around them.

use super::arguments::Arguments;
use super::evaluate::Evaluator;
use super::serving::route;
use super::template::{Style, UNREAD};
use super::value::{Inside, Methods, Place, Value, What};

impl Evaluator<'_, '_> {
    /// A function of Django is called; nothing for any other.
    pub(super) fn django_call(
        &mut self,
        dotted: &str,
        arguments: &Arguments,
        place: Place,
        text: &str,
    ) -> Option<Value> {
        let root = dotted.split('.').next().unwrap_or_default();
        let leaf = dotted.rsplit('.').next().unwrap_or_default();
        match (root, leaf) {
            ("django", "path" | "re_path" | "url") => {
                let style = if leaf == "path" { Style::Angles } else { Style::Pattern };
                Some(self.pattern(style, arguments, place, text))
            }
            ("django", "include") => {
                let value = arguments.get(0, "arg").cloned().unwrap_or(Value::Nothing);
                Some(Value::Included(Box::new(self.included(value, place))))
            }
            ("django", "i18n_patterns") => {
                let items = arguments.places.iter().flat_map(|value| match value {
                    Value::List(items) => items.clone(),
                    other => vec![other.clone()],
                });
                let mut items: Vec<Value> = items.collect();
                if arguments.is_open {
                    items.push(Value::Unknown(
                        format!("`{text}`: its patterns could not be read"),
                        Some(place),
                    ));
                }
                Some(Value::List(vec![self.group("<language>/".to_owned(), Inside::Values(items), place)]))
            }
            // `patterns(prefix, url(…), …)` of old.
            ("django", "patterns") => {
                Some(Value::List(arguments.places.get(1..).unwrap_or_default().to_vec()))
            }
            ("django", "static" | "staticfiles_urlpatterns")
                if dotted.contains(".urls") || dotted.contains("conf.urls") =>
            {
                let path = arguments.get(0, "prefix").map_or_else(|| UNREAD.to_owned(), Value::path);
                let path = path.trim_start_matches('/').to_owned();
                let inside = Inside::Outside(dotted.to_owned());
                Some(Value::List(vec![self.group(path, inside, place)]))
            }
            // What is translated is written in the language of the code.
            ("django", leaf) if leaf.starts_with("gettext") || leaf.starts_with("ugettext") => {
                arguments.places.first().cloned()
            }
            ("rest_framework", "format_suffix_patterns") => arguments.places.first().cloned(),
            _ => None,
        }
    }

    fn pattern(&mut self, style: Style, arguments: &Arguments, place: Place, text: &str) -> Value {
        let path = match arguments.get(0, "route").or_else(|| arguments.named("regex")) {
            Some(value) => value.path(),
            None => UNREAD.to_owned(),
        };
        let view = arguments.get(1, "view").cloned().unwrap_or(Value::Nothing);
        let inside = match view {
            Value::Included(inside) => *inside,
            Value::List(_) => self.included(view, place),
            Value::Outside(dotted) if dotted.rsplit('.').next() == Some("urls") => Inside::Outside(dotted),
            Value::Unknown(why, _) if text.contains(".urls") || text.contains("include") => {
                Inside::Unknown(why)
            }
            view => {
                // A text is the dotted name of a view, as it was written in old times.
                let view = match view {
                    Value::Text(dotted) => self.named_view(&dotted, place),
                    other => other,
                };
                let methods = Methods::Handlers(vec!["*".to_owned()]);
                return self.entry(place, route(style, path, methods, view));
            }
        };
        let what = match inside {
            Inside::Unknown(why) => What::Undecided(text.to_owned(), why),
            inside => What::Group { style, path, inside, is_replacing: false, is_closed: false },
        };
        self.entry(place, what)
    }

    fn named_view(&mut self, dotted: &str, place: Place) -> Value {
        match dotted.rsplit_once('.').and_then(|(module, name)| {
            self.module_for(place.file, module).map(|module| (module, name.to_owned()))
        }) {
            Some((module, name)) => self.member(&module, &name),
            None => Value::Outside(dotted.to_owned()),
        }
    }

    /// What `include(value)` includes.
    fn included(&mut self, value: Value, place: Place) -> Inside {
        match value {
            Value::Text(dotted) => match self.module_for(place.file, &dotted) {
                Some(module) => self.patterns_of(&module),
                None => Inside::Outside(dotted),
            },
            Value::Module(module) => self.patterns_of(&module),
            Value::Included(inside) => *inside,
            Value::Router(router) => {
                self.mark_included(router);
                Inside::Router(router)
            }
            Value::List(mut items) => {
                // `(patterns, application name)`.
                let is_named =
                    matches!(items.get(1), Some(Value::Text(_) | Value::Nothing | Value::Unknown(..)));
                let is_told = matches!(items.get(1), Some(Value::Text(_)));
                let is_list = match items.first() {
                    Some(Value::List(_) | Value::Text(_) | Value::Module(_) | Value::Included(_)) => true,
                    Some(Value::Outside(_) | Value::Unknown(..)) => is_told,
                    _ => false,
                };
                let is_pair = is_named && is_list && items.len() <= 3;
                if is_pair { self.included(items.swap_remove(0), place) } else { Inside::Values(items) }
            }
            Value::Outside(dotted) => Inside::Outside(dotted),
            Value::Unknown(why, _) => Inside::Unknown(why),
            _ => Inside::Unknown("what is included could not be read".to_owned()),
        }
    }

    fn patterns_of(&mut self, module: &str) -> Inside {
        match self.index.file_of(module) {
            Some(file) => {
                self.module(file);
                Inside::Patterns(file)
            }
            None => Inside::Unknown(format!("`{module}` is no file")),
        }
    }
}

impl Evaluator<'_, '_> {
    /// The files that a `ROOT_URLCONF` names, and all files that have `urlpatterns`.
    pub(super) fn url_configurations(&mut self) -> (Vec<usize>, Vec<usize>) {
        let (mut named, mut patterns) = (Vec::new(), Vec::new());
        for file in 0..self.index.tree.files.len() {
            if !self.is_relevant(file) {
                continue;
            }
            let Some(frame) = self.frame_of(file).and_then(|frame| self.frames.get(frame)) else { continue };
            if frame.names.contains_key("urlpatterns") {
                patterns.push(file);
            }
            if let Some(Value::Text(dotted)) = frame.names.get("ROOT_URLCONF").cloned()
                && let Some(root) =
                    self.module_for(file, &dotted).and_then(|module| self.index.file_of(&module))
                && !named.contains(&root)
            {
                named.push(root);
            }
        }
        (named, patterns)
    }

    /// What `django.conf.settings` says, where every settings file that was read says the same text.
    pub(super) fn django_setting(&self, name: &str) -> Option<Value> {
        let is_settings =
            |names: &std::collections::BTreeMap<String, Value>| names.contains_key("ROOT_URLCONF");
        let mut texts = self
            .frames
            .iter()
            .filter(|frame| frame.parent.is_none() && is_settings(&frame.names))
            .filter_map(|frame| frame.names.get(name));
        let first = texts.next()?;
        let is_text = matches!(first, Value::Text(_) | Value::Flag(_));
        (is_text && texts.all(|other| other == first)).then(|| first.clone())
    }

    /// The files whose `urlpatterns` another file includes, or takes into its own.
    pub(super) fn included_patterns(&self) -> std::collections::BTreeSet<usize> {
        let mut found = std::collections::BTreeSet::new();
        self.loose.iter().flatten().for_each(|item| inner(item, &mut found));
        for frame in &self.frames {
            for (name, value) in &frame.names {
                match value {
                    Value::Lazy(module, other) if other == "urlpatterns" && name == "urlpatterns" => {
                        found.extend(self.index.file_of(module));
                    }
                    value => inner(value, &mut found),
                }
            }
        }
        found
    }
}

fn inner(value: &Value, found: &mut std::collections::BTreeSet<usize>) {
    let inside = match value {
        Value::List(items) => return items.iter().for_each(|item| inner(item, found)),
        Value::Included(inside) => inside,
        Value::Entry(entry) => match &entry.what {
            What::Group { inside, .. } => inside,
            _ => return,
        },
        _ => return,
    };
    match inside {
        Inside::Patterns(file) => {
            found.insert(*file);
        }
        Inside::Values(items) => items.iter().for_each(|item| inner(item, found)),
        _ => {}
    }
}
