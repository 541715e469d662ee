//! What a name can stand for while a tree is read: texts, lists, functions, classes, applications and their routes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::template::{Style, UNREAD};
use crate::syntax::values::{ClassDefinition, Definition};

/// A framework that serves routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framework {
    /// FastAPI.
    FastApi,
    /// Starlette.
    Starlette,
    /// Flask, and what is written like it.
    Flask,
    /// Django.
    Django,
    /// No framework, but an OpenAPI document.
    OpenApi,
}

impl Framework {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::FastApi => "fastapi",
            Self::Starlette => "starlette",
            Self::Flask => "flask",
            Self::Django => "django",
            Self::OpenApi => "openapi",
        }
    }
}

/// A place in a file of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The number of the file.
    pub(super) file: usize,
    /// The offset in it.
    pub(super) offset: usize,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A text; [`UNREAD`] stands for what could not be read of it.
    Text(String),
    /// `True` or `False`.
    Flag(bool),
    /// `None`.
    Nothing,
    /// A list, tuple or set.
    List(Vec<Value>),
    /// A dictionary, as far as its keys are texts.
    Mapping(Vec<(String, Value)>),
    /// A module of the tree.
    Module(String),
    /// A name of a module of the tree that was not looked up yet.
    Lazy(String, String),
    /// Something outside of the tree, dotted; `()` after a name stands for a call.
    Outside(String),
    /// A function of the tree.
    Function(usize),
    /// A method with what it is bound to.
    Bound(usize, Box<Value>),
    /// A class of the tree.
    Class(usize),
    /// An instance of a class of the tree.
    Instance(usize),
    /// An application, router or blueprint.
    Router(usize),
    /// A method, or list, of one.
    Method(usize, String),
    /// What decorates a function to make it a route.
    Decorator(Box<Registration>),
    /// A route, mount or include that is not in any list yet.
    Entry(Box<Entry>),
    /// What `include(…)` gives.
    Included(Box<Inside>),
    /// `Class.as_view` before it is called; a class of the tree, or one outside.
    AsView(Box<Value>),
    /// `Class.as_view()`, with the methods that it was restricted to.
    View(Box<Value>, Option<Vec<String>>),
    /// `lambda`, in this module.
    Lambda,
    /// One of several.
    OneOf(Vec<Value>),
    /// Nothing that could be read, and why; with the place where it got into a list.
    Unknown(String, Option<Place>),
}

impl Value {
    /// Nothing that could be read.
    pub(super) fn unknown(why: &str) -> Self {
        Self::Unknown(why.to_owned(), None)
    }

    /// It as a path, what could not be read marked.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Nothing => String::new(),
            _ => UNREAD.to_owned(),
        }
    }

    /// The texts of a list; nothing when there is anything else in it.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let Self::List(items) = self else { return None };
        items
            .iter()
            .map(|item| match item {
                Self::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    /// Whether nothing is known of it.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(..))
    }
}

/// What registers a function as a route.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Registration {
    /// Where.
    pub(super) router: usize,
    /// The methods.
    pub(super) methods: Methods,
    /// The path.
    pub(super) path: String,
    /// Where it is written.
    pub(super) place: Place,
}

/// The methods of a route.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Methods {
    /// These.
    These(Vec<String>),
    /// What its handler says, else these.
    Handlers(Vec<String>),
    /// Nothing that could be read.
    Unread,
}

/// One entry of an application, router or list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Where it is written.
    pub(super) place: Place,
    /// Under which condition it is there.
    pub(super) condition: Option<String>,
    /// What it is.
    pub(super) what: What,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// A route.
    Route {
        /// How its path is written.
        style: Style,
        /// Its path.
        path: String,
        /// Its methods.
        methods: Methods,
        /// What answers.
        handler: Value,
        /// Whether the framework adds it by itself.
        is_implied: bool,
    },
    /// Other routes below a path.
    Group {
        /// How the path is written.
        style: Style,
        /// The path.
        path: String,
        /// What is below.
        inside: Inside,
        /// Whether the path replaces the one that a blueprint has of its own.
        is_replacing: bool,
        /// Whether nothing behind it is asked for the same path.
        is_closed: bool,
    },
    /// Something that could not be read, as it is written, and why.
    Undecided(String, String),
}

/// What stands below a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Inside {
    /// These values.
    Values(Vec<Value>),
    /// The `urlpatterns` of a file.
    Patterns(usize),
    /// An application, router or blueprint.
    Router(usize),
    /// Something outside of the tree.
    Outside(String),
    /// Something that could not be read, and why.
    Unknown(String),
}

/// An application, router or blueprint.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for alone, and any of them can go together")]
pub(super) struct Router {
    /// Its framework.
    pub(super) framework: Framework,
    /// Whether it is served by itself.
    pub(super) is_application: bool,
    /// Whether it is a parameter of a function that nobody calls in the tree.
    pub(super) is_given: bool,
    /// Whether it is Django REST framework's.
    pub(super) is_rest: bool,
    /// The prefix that it has of its own; nothing when it has none.
    pub(super) prefix: Option<String>,
    /// Its entries, in order.
    pub(super) entries: Vec<Entry>,
    /// Whether it is a part of another one.
    pub(super) is_included: bool,
    /// Attributes that the project gave it.
    pub(super) attributes: BTreeMap<String, Value>,
}

/// A function of the tree.
#[derive(Debug, Clone)]
pub(super) struct Function {
    /// What it says.
    pub(super) definition: Arc<Definition>,
    /// The file that it is in.
    pub(super) file: usize,
    /// The frame that it was defined in.
    pub(super) frame: usize,
    /// Its name within the module.
    pub(super) name: String,
    /// The class that it is a method of.
    pub(super) class: Option<usize>,
    /// How often it was run.
    pub(super) runs: usize,
    /// Whether it is looked up like an attribute.
    pub(super) is_property: bool,
    /// The methods that a decorator restricts it to.
    pub(super) methods: Option<Vec<String>>,
    /// What `@action` says, for views of Django REST framework.
    pub(super) action: Option<Action>,
}

/// An extra action of a view set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Action {
    /// Whether it is about one thing.
    pub(super) is_detail: bool,
    /// Its methods.
    pub(super) methods: Vec<String>,
    /// Its path.
    pub(super) path: String,
}

/// A class of the tree.
#[derive(Debug, Clone)]
pub(super) struct Class {
    /// What it says.
    pub(super) definition: Arc<ClassDefinition>,
    /// The file that it is in.
    pub(super) file: usize,
    /// Its name within the module.
    pub(super) name: String,
    /// Its bases.
    pub(super) bases: Vec<Value>,
    /// The frame of its body.
    pub(super) frame: usize,
    /// How often one was made.
    pub(super) runs: usize,
}

/// An instance of a class of the tree.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    /// Its class.
    pub(super) class: usize,
    /// Its own attributes.
    pub(super) attributes: BTreeMap<String, Value>,
}

/// The names of a module, function or class body.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// What they stand for.
    pub(super) names: BTreeMap<String, Value>,
    /// The frame around it.
    pub(super) parent: Option<usize>,
    /// The file.
    pub(super) file: usize,
    /// What names within it begin with.
    pub(super) name: String,
    /// The class whose body it is.
    pub(super) class: Option<usize>,
    /// The class whose method runs in it, with what it is bound to.
    pub(super) own: Option<(usize, Value)>,
}
