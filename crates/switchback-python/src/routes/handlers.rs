//! What answers a route: its name, and the methods that it says itself.

use super::evaluate::{DEPTH_MAX, Evaluator};
use super::serving::VERBS;
use super::value::{Methods, Value};

impl Evaluator<'_, '_> {
    /// A handler as `module:name`.
    pub(super) fn handler_name(&self, handler: &Value) -> String {
        match handler {
            Value::Function(at) | Value::Bound(at, _) => self
                .functions
                .get(*at)
                .map(|function| format!("{}:{}", self.module_of(function.file), function.name))
                .unwrap_or_default(),
            Value::Class(at) => self
                .classes
                .get(*at)
                .map(|class| format!("{}:{}", self.module_of(class.file), class.name))
                .unwrap_or_default(),
            Value::Instance(at) => self
                .instances
                .get(*at)
                .map(|instance| self.handler_name(&Value::Class(instance.class)))
                .unwrap_or_default(),
            Value::View(class, _) | Value::AsView(class) => self.handler_name(class),
            Value::Outside(dotted) => outside_name(dotted),
            Value::Module(module) => module.clone(),
            Value::Lazy(module, name) => format!("{module}:{name}"),
            Value::Lambda => "<lambda>".to_owned(),
            _ => "?".to_owned(),
        }
    }

    /// The methods of a route; nothing when they could not be read.
    pub(super) fn methods(&self, methods: &Methods, handler: &Value) -> Option<Vec<String>> {
        match methods {
            Methods::These(methods) => Some(methods.clone()),
            Methods::Unread => None,
            Methods::Handlers(otherwise) => {
                let own = self.handler_methods(handler);
                Some(own.unwrap_or_else(|| {
                    if otherwise.is_empty() { vec!["*".to_owned()] } else { otherwise.clone() }
                }))
            }
        }
    }

    fn handler_methods(&self, handler: &Value) -> Option<Vec<String>> {
        match handler {
            Value::Function(at) | Value::Bound(at, _) => self.functions.get(*at)?.methods.clone(),
            Value::View(_, Some(methods)) => Some(methods.clone()),
            Value::View(class, None) => self.handler_methods(class),
            Value::Class(class) => {
                let mut found = Vec::new();
                if !self.verbs(*class, &mut found, 0) {
                    return Some(vec!["*".to_owned()]);
                }
                if found.is_empty() {
                    return None;
                }
                let ordered = VERBS.iter().filter(|verb| found.contains(*verb));
                Some(ordered.map(|verb| verb.to_ascii_uppercase()).collect())
            }
            Value::Outside(dotted) => {
                let mut found = Vec::new();
                let is_known = base_verbs(dotted, &mut found) && !found.is_empty();
                is_known.then(|| found.iter().map(|verb| verb.to_ascii_uppercase()).collect())
            }
            _ => None,
        }
    }

    /// The verbs that a class answers; `false` when a base from outside may answer others.
    fn verbs(&self, class: usize, found: &mut Vec<&'static str>, depth: usize) -> bool {
        let Some(class) = self.classes.get(class).filter(|_| depth < DEPTH_MAX) else { return false };
        let names = self.frames.get(class.frame).map(|frame| &frame.names);
        if let Some(names) = names {
            found.extend(VERBS.iter().filter(|verb| names.contains_key(**verb)));
            // Flask's plain `View` lists them.
            if let Some(texts) = names.get("methods").and_then(Value::texts) {
                found.extend(
                    VERBS.iter().filter(|verb| texts.iter().any(|text| text.eq_ignore_ascii_case(verb))),
                );
            }
        }
        class.bases.iter().fold(true, |is_whole, base| {
            let is_known = match base {
                Value::Class(base) => self.verbs(*base, found, depth + 1),
                Value::Outside(dotted) => base_verbs(dotted, found),
                _ => false,
            };
            is_whole && is_known
        })
    }
}

/// The verbs that a class of a framework answers; `false` when it is not known.
fn base_verbs(dotted: &str, found: &mut Vec<&'static str>) -> bool {
    let leaf = dotted.rsplit('.').next().unwrap_or_default();
    let verbs: &[&'static str] = match leaf {
        "View"
        | "MethodView"
        | "APIView"
        | "HTTPEndpoint"
        | "Resource"
        | "object"
        | "ABC"
        | "Protocol"
        | "LoginRequiredMixin"
        | "PermissionRequiredMixin"
        | "UserPassesTestMixin"
        | "ContextMixin"
        | "TemplateResponseMixin"
        | "GenericAPIView"
        | "SuccessMessageMixin"
        | "SingleObjectMixin"
        | "MultipleObjectMixin"
        | "FormMixin" => &[],
        "TemplateView" | "ListView" | "DetailView" | "ListAPIView" | "RetrieveAPIView"
        | "ArchiveIndexView" => &["get"],
        "FormView" | "CreateView" | "UpdateView" | "ListCreateAPIView" => &["get", "post"],
        "CreateAPIView" => &["post"],
        "UpdateAPIView" => &["put", "patch"],
        "DestroyAPIView" => &["delete"],
        "RetrieveUpdateAPIView" => &["get", "put", "patch"],
        "RetrieveDestroyAPIView" => &["get", "delete"],
        "RetrieveUpdateDestroyAPIView" => &["get", "put", "patch", "delete"],
        _ => return false,
    };
    found.extend(verbs);
    true
}

/// `a.b.C.d` as `a.b:C.d`: a module ends where a name begins with a capital, else before its last name.
fn outside_name(dotted: &str) -> String {
    let names: Vec<&str> = dotted.split('.').collect();
    let capital = names.iter().position(|name| name.starts_with(|letter: char| letter.is_ascii_uppercase()));
    let at = capital.unwrap_or(names.len().saturating_sub(1)).max(1);
    match (names.get(..at), names.get(at..)) {
        (Some(module), Some(name)) if !name.is_empty() => format!("{}:{}", module.join("."), name.join(".")),
        _ => dotted.to_owned(),
    }
}
