//! Routers of Django REST framework: the routes that a view set gets, as far as its methods are known.

use super::arguments::Arguments;
use super::evaluate::{DEPTH_MAX, Evaluator};
use super::serving::route;
use super::template::{Style, UNREAD};
use super::value::{Action, Entry, Framework, Methods, Place, Value, What};

/// The actions on all things and on one, with their methods.
const ACTIONS: &[(&str, bool, &str)] = &[
    ("list", false, "GET"),
    ("create", false, "POST"),
    ("retrieve", true, "GET"),
    ("update", true, "PUT"),
    ("partial_update", true, "PATCH"),
    ("destroy", true, "DELETE"),
];

impl Evaluator<'_, '_> {
    /// Makes a router.
    pub(super) fn rest_router(&mut self, is_default: bool, arguments: &Arguments, place: Place) -> Value {
        let router = self.router(Framework::Django, false, None);
        let slash = match arguments.get(0, "trailing_slash") {
            Some(Value::Flag(false)) => "",
            _ => "/",
        };
        let root = is_default.then(|| Entry {
            place,
            condition: self.condition(),
            what: What::Route {
                style: Style::Angles,
                path: String::new(),
                methods: Methods::These(vec!["GET".to_owned()]),
                handler: Value::Outside("rest_framework.routers.APIRootView".to_owned()),
                is_implied: true,
            },
        });
        if let Some(router) = self.routers.get_mut(router) {
            router.is_rest = true;
            router.attributes.insert(SLASH.to_owned(), Value::Text(slash.to_owned()));
            router.entries.extend(root);
        }
        Value::Router(router)
    }

    /// `router.register(prefix, viewset)`.
    pub(super) fn rest_register(&mut self, router: usize, arguments: &Arguments, place: Place) {
        let prefix = arguments.path(0, "prefix").unwrap_or_else(|| UNREAD.to_owned());
        let viewset = arguments.get(1, "viewset").cloned().unwrap_or(Value::Nothing);
        let slash = match self.routers.get(router).and_then(|router| router.attributes.get(SLASH)) {
            Some(Value::Text(slash)) => slash.clone(),
            _ => "/".to_owned(),
        };
        let head = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let (known, actions, is_whole) = self.actions(&viewset);
        let one = self.lookup(&viewset);
        let list_methods = methods_of(&known, false);
        let one_methods = methods_of(&known, true);
        let mut add = |path: String, methods: Methods| {
            let what = route(Style::Pattern, path, methods, viewset.clone());
            let entry = Entry { place, condition: self.condition(), what };
            if let Some(router) = self.routers.get_mut(router) {
                router.entries.push(entry);
            }
        };
        let list = if prefix.is_empty() { "^$".to_owned() } else { format!("^{prefix}{slash}$") };
        if is_whole {
            if !list_methods.is_empty() {
                add(list, Methods::These(list_methods));
            }
            if !one_methods.is_empty() {
                add(format!("^{head}{one}{slash}$"), Methods::These(one_methods));
            }
        } else {
            // Its base is outside: which actions it brings cannot be told.
            add(list, Methods::Unread);
            add(format!("^{head}{one}{slash}$"), Methods::Unread);
        }
        for Action { is_detail, methods, path } in actions {
            let before = if is_detail { format!("{head}{one}/") } else { head.clone() };
            add(format!("^{before}{path}{slash}$"), Methods::These(methods));
        }
    }

    /// How a view set names one thing.
    fn lookup(&mut self, viewset: &Value) -> String {
        let mut text = |name: &str| match viewset {
            Value::Class(class) => match self.in_class(*class, name, 0) {
                Some(Value::Text(text)) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let field =
            text("lookup_url_kwarg").or_else(|| text("lookup_field")).unwrap_or_else(|| "pk".to_owned());
        let pattern = text("lookup_value_regex").unwrap_or_else(|| "[^/.]+".to_owned());
        format!("(?P<{field}>{pattern})")
    }

    /// The actions of a view set by name, those that are marked, and whether all are known.
    fn actions(&mut self, viewset: &Value) -> (Vec<&'static str>, Vec<Action>, bool) {
        let (mut known, mut marked) = (Vec::new(), Vec::new());
        let is_whole = match viewset {
            Value::Class(class) => self.actions_of(*class, &mut known, &mut marked, 0),
            Value::Outside(dotted) => of_base(dotted, &mut known),
            _ => false,
        };
        (known, marked.into_iter().map(|(_, action)| action).collect(), is_whole)
    }

    fn actions_of(
        &self,
        class: usize,
        known: &mut Vec<&'static str>,
        marked: &mut Vec<(String, Action)>,
        depth: usize,
    ) -> bool {
        let Some(class) = self.classes.get(class).filter(|_| depth < DEPTH_MAX) else { return false };
        let names = self.frames.get(class.frame).map(|frame| &frame.names);
        let mut own: Vec<(String, Action)> = Vec::new();
        for (name, value) in names.into_iter().flatten() {
            known.extend(ACTIONS.iter().map(|(action, ..)| *action).filter(|action| action == name));
            if let Value::Function(at) = value
                && let Some(function) = self.functions.get(*at)
                && let Some(action) = &function.action
            {
                own.push((function.definition.name.clone(), action.clone()));
            }
        }
        own.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, action) in own {
            if !marked.iter().any(|(other, _)| *other == name) {
                marked.push((name, action));
            }
        }
        class.bases.iter().fold(true, |is_whole, base| {
            let is_known = match base {
                Value::Class(base) => self.actions_of(*base, known, marked, depth + 1),
                Value::Outside(dotted) => of_base(dotted, known),
                _ => false,
            };
            is_whole && is_known
        })
    }
}

/// Where a router keeps how its paths end.
const SLASH: &str = "(slash)";

/// The actions that a base from outside brings; `false` when it is not known.
fn of_base(dotted: &str, known: &mut Vec<&'static str>) -> bool {
    let leaf = dotted.rsplit('.').next().unwrap_or_default();
    let actions: &[&'static str] = match leaf {
        "ModelViewSet" => &["list", "create", "retrieve", "update", "partial_update", "destroy"],
        "ReadOnlyModelViewSet" => &["list", "retrieve"],
        "ListModelMixin" => &["list"],
        "CreateModelMixin" => &["create"],
        "RetrieveModelMixin" => &["retrieve"],
        "UpdateModelMixin" => &["update", "partial_update"],
        "DestroyModelMixin" => &["destroy"],
        "GenericViewSet" | "ViewSet" | "ViewSetMixin" | "GenericAPIView" | "APIView" | "object" | "ABC" => {
            &[]
        }
        _ => return false,
    };
    known.extend(actions);
    true
}

fn methods_of(known: &[&str], is_detail: bool) -> Vec<String> {
    ACTIONS
        .iter()
        .filter(|(name, detail, _)| *detail == is_detail && known.contains(name))
        .map(|(_, _, method)| (*method).to_owned())
        .collect()
}
