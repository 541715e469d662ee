//! The HTTP routes of a tree, read without running it: FastAPI, Starlette, Flask, Django and OpenAPI documents.
//!
//! The way of the data: statements are followed (`evaluate`, `names`, `expression`, `calls`) with what the frameworks mean
//! by them (`serving`, `adding`, `patterns`, `rest`); entries are put together from the applications down (`collect`); two
//! trees are held against each other (`compare`). What cannot be read is listed, never left out.

mod adding;
mod arguments;
mod calls;
mod collect;
mod compare;
mod described;
mod evaluate;
mod expression;
mod handlers;
mod names;
mod patterns;
mod read;
mod report;
mod rest;
mod serving;
mod template;
mod value;

pub use compare::{
    CompareRoutesOptions, LostRoute, RouteChange, RouteChangeKind, RoutesComparison, compare_routes,
};
pub(crate) use read::files_of_routes;
pub use read::{RoutesError, RoutesOptions, RoutesOutcome, routes};
pub use value::Framework;

/// Where an application made by a class of the tree keeps its class.
const CLASS: &str = "(class)";

/// A parameter of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is restricted to, as it is written; empty when it is anything without a slash.
    pub converter: String,
}

/// One method of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method; `*` for any, `WEBSOCKET` for web sockets.
    pub method: String,
    /// The path as it is written, prefixes included; it ends in `**` where everything below is meant.
    pub path: String,
    /// The path with parameters as `{name}` and `{name:path}`; nothing where that would not be sound.
    pub normal: Option<String>,
    /// The path as it is compared.
    pub(crate) key: String,
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// What answers: `module:function`, `module:Class`; for a document, its `operationId`.
    pub handler: String,
    /// The file that says so.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whose route it is.
    pub framework: Framework,
    /// Under which condition it is there, as it is written.
    pub condition: Option<String>,
    /// What is worth knowing: a route that is asked before it and answers, the servers of a document.
    pub note: Option<String>,
    /// Whether the framework adds it by itself.
    pub is_implied: bool,
    /// Whether it stands for all routes of something outside of the tree.
    pub is_outside: bool,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// What, as far as it is known.
    pub what: String,
    /// Why.
    pub why: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whose it would be.
    pub framework: Option<Framework>,
}
