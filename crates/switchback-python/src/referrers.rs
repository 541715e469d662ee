//! Who refers to a module: imports, routes, strings, configuration, documentation, scripts and notebooks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use serde_json::{Value, json};
use switchback_core::verdict::Verdict;
use switchback_core::world::Disk;

use crate::deep::deep;
use crate::index::{Index, ModuleName, Target, parent_of};
use crate::moving::{
    Blocks, Flavor, flavor_of, follows_import, is_marked, notebook_code, resolve_path, token, walk_names,
};
use crate::roots;
use crate::routes::{RoutesError, RoutesOptions, routes};
use crate::syntax::{Binding, Dialect, Facts, Role, Span, line_of, parse};
use crate::tree::{Class, File, Tree, has_extension, is_test};

/// How many letters of a line are shown.
const SHOWN_LETTERS_MAX: usize = 120;

/// What is to be looked for.
#[derive(Debug, Clone, Default)]
pub struct ReferencesOptions {
    /// The root of the tree.
    pub root: PathBuf,
    /// Source roots, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// The module, with everything below it; every module when there is none.
    pub of: Option<String>,
}

/// What kind of file refers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferrerKind {
    /// A module of the project.
    Source,
    /// A test.
    Test,
    /// A file in which routes are registered.
    Route,
    /// Configuration: YAML, TOML, JSON, INI, Docker, CI.
    Configuration,
    /// Documentation.
    Documentation,
    /// A script: shell, Makefile, or Python that is no module of a package.
    Script,
    /// A notebook.
    Notebook,
}

impl ReferrerKind {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Test => "test",
            Self::Route => "route",
            Self::Configuration => "configuration",
            Self::Documentation => "documentation",
            Self::Script => "script",
            Self::Notebook => "notebook",
        }
    }
}

/// How a file refers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// `import a.b`, `from a import b`.
    Import,
    /// `from . import b`.
    RelativeImport,
    /// A route whose handler is there.
    Route,
    /// A dotted name in a string, or in the code of a text file.
    Name,
    /// A path.
    Path,
    /// A sentence: it may mean something else.
    Prose,
}

impl Way {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::RelativeImport => "relative import",
            Self::Route => "route",
            Self::Name => "name",
            Self::Path => "path",
            Self::Prose => "prose",
        }
    }
}

/// One place that refers to a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The module that is meant.
    pub module: String,
    /// What kind of file refers.
    pub kind: ReferrerKind,
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// How.
    pub way: Way,
    /// What is written there.
    pub text: String,
}

/// Who refers to what.
#[derive(Debug, Clone, Default)]
pub struct ReferencesOutcome {
    /// The module that was asked for.
    pub of: Option<String>,
    /// Whether the tree has it.
    pub is_there: bool,
    /// The references, by module, kind and place.
    pub references: Vec<Reference>,
}

/// Finds who refers to one module, or to each.
pub fn references(
    disk: &Arc<dyn Disk>,
    options: &ReferencesOptions,
) -> Result<ReferencesOutcome, RoutesError> {
    let routes_options = RoutesOptions {
        root: options.root.clone(),
        source_roots: options.source_roots.clone(),
        with_tests: false,
    };
    let served = routes(disk.clone(), &routes_options)?;
    let found = deep(|| {
        let tree = Tree::open(disk.clone(), &options.root)?;
        let source_roots = roots::given_or_found(&tree, &options.source_roots);
        let index = Index::new(&tree, &source_roots);
        let route_files: BTreeSet<String> = served.routes.iter().map(|route| route.file.clone()).collect();
        let of = options.of.as_deref();
        let tops: BTreeSet<&str> = index
            .modules()
            .keys()
            .map(|name| name.split('.').next().unwrap_or(name))
            .filter(|top| of.is_none_or(|of| of.split('.').next() == Some(top)))
            .collect();
        let search = AhoCorasick::new(&tops).map_err(|error| RoutesError::Threads(error.to_string()))?;
        let looker = Looker { index: &index, search, route_files };
        let mut found: Vec<Reference> =
            (0..tree.files.len()).into_par_iter().flat_map_iter(|at| looker.of_file(at)).collect();
        for route in &served.routes {
            let module = route.handler.split(':').next().unwrap_or_default();
            if index.has(module) {
                found.push(Reference {
                    module: module.to_owned(),
                    kind: ReferrerKind::Route,
                    path: route.file.clone(),
                    line: route.line,
                    way: Way::Route,
                    text: format!("{} {} → {}", route.method, route.path, route.handler),
                });
            }
        }
        found.retain(|reference| looker.is_wanted(reference, of));
        found.sort();
        found.dedup_by(|one, other| {
            one.module == other.module
                && one.path == other.path
                && one.line == other.line
                && one.way == other.way
        });
        Ok(ReferencesOutcome {
            of: options.of.clone(),
            is_there: of.is_none_or(|of| index.has(of)),
            references: found,
        })
    });
    found.map_err(RoutesError::Threads)?
}

struct Looker<'a> {
    index: &'a Index<'a>,
    search: AhoCorasick,
    route_files: BTreeSet<String>,
}

/// Whether a dotted name is `of`, or below it.
pub(crate) fn is_within(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Looker<'_> {
    /// Whether a reference is asked for, and comes from outside of what is asked for.
    fn is_wanted(&self, reference: &Reference, of: Option<&str>) -> bool {
        let own = self
            .index
            .tree
            .find(&reference.path)
            .and_then(|at| self.index.names.get(at))
            .and_then(Option::as_ref);
        let is_itself = own.is_some_and(|own| own.dotted == reference.module);
        match of {
            None => !is_itself || reference.way == Way::Route,
            Some(of) => {
                let is_inside = own.is_some_and(|own| is_within(&own.dotted, of));
                is_within(&reference.module, of) && (!is_inside || reference.way == Way::Route)
            }
        }
    }

    fn kind(&self, at: usize, file: &File) -> ReferrerKind {
        let path = file.path.as_str();
        let name = path.rsplit('/').next().unwrap_or(path);
        match file.class {
            Class::Notebook => ReferrerKind::Notebook,
            _ if is_test(path) => ReferrerKind::Test,
            Class::Python if self.route_files.contains(path) => ReferrerKind::Route,
            Class::Python => {
                let is_module = self.index.names.get(at).is_some_and(Option::is_some);
                let is_setup =
                    matches!(name, "setup.py" | "manage.py" | "noxfile.py" | "fabfile.py" | "tasks.py")
                        && !path.contains('/');
                let in_scripts =
                    path.split('/').rev().skip(1).any(|part| matches!(part, "scripts" | "bin" | "tools"));
                if !is_module || is_setup || (in_scripts && !self.is_packaged(path)) {
                    ReferrerKind::Script
                } else {
                    ReferrerKind::Source
                }
            }
            _ => {
                let is_requirements = name.contains("requirements") || name.contains("constraints");
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                match extension {
                    "md" | "rst" => ReferrerKind::Documentation,
                    "txt" if !is_requirements => ReferrerKind::Documentation,
                    "sh" | "bash" | "cmd" | "bat" | "ps1" | "mk" => ReferrerKind::Script,
                    _ if name.contains("akefile") || name.contains("ustfile") || name == "crontab" => {
                        ReferrerKind::Script
                    }
                    "" if !name.starts_with('.') && !is_known(name) => ReferrerKind::Script,
                    _ => ReferrerKind::Configuration,
                }
            }
        }
    }

    fn is_packaged(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.index.tree.find(&format!("{folder}/__init__.py")).is_some()
    }

    fn of_file(&self, at: usize) -> Vec<Reference> {
        let Some(file) = self.index.tree.file(at) else { return Vec::new() };
        let kind = self.kind(at, file);
        match file.class {
            Class::Python => {
                let facts = self.index.tree.facts(file);
                let Ok(bytes) = self.index.tree.content(file) else { return Vec::new() };
                let name = self.index.names.get(at).and_then(Option::as_ref);
                let mut page = Page { looker: self, path: &file.path, bytes: &bytes, spots: Vec::new() };
                page.python(name, &facts);
                page.references(kind, |offset| line_of(&bytes, offset).0)
            }
            Class::Notebook => self.notebook(file, kind),
            Class::Text => self.text(file, kind),
            Class::Other => Vec::new(),
        }
    }

    fn notebook(&self, file: &File, kind: ReferrerKind) -> Vec<Reference> {
        let Ok(Some(bytes)) = self.index.tree.content_if(file, |bytes| self.search.is_match(bytes)) else {
            return Vec::new();
        };
        let code = notebook_code(&bytes);
        let facts = parse(&code.source, Dialect::Notebook);
        let mut page = Page { looker: self, path: &file.path, bytes: &code.source, spots: Vec::new() };
        page.python(None, &facts);
        // Lines are those of the file, not of the code in it.
        page.references(kind, |offset| {
            let place = code.place(Span::new(offset, offset)).map_or(0, |span| span.start);
            line_of(&bytes, place).0
        })
    }

    fn text(&self, file: &File, kind: ReferrerKind) -> Vec<Reference> {
        let is_wanted = |bytes: &[u8]| !bytes.contains(&0) && self.search.is_match(bytes);
        let Ok(Some(bytes)) = self.index.tree.content_if(file, is_wanted) else { return Vec::new() };
        // A list of everything that is locked refers to nothing.
        if has_extension(&file.path, "lock") {
            return Vec::new();
        }
        let mut page = Page { looker: self, path: &file.path, bytes: &bytes, spots: Vec::new() };
        page.words(Span::new(0, bytes.len()), flavor_of(&file.path));
        page.references(kind, |offset| line_of(&bytes, offset).0)
    }
}

fn is_known(name: &str) -> bool {
    name.starts_with("Dockerfile") || matches!(name, "Procfile" | "CODEOWNERS" | "Jenkinsfile" | "pylintrc")
}

/// A place that refers to a module.
struct Spot {
    offset: usize,
    module: String,
    way: Way,
}

/// One file, or the code of one.
struct Page<'a> {
    looker: &'a Looker<'a>,
    path: &'a str,
    bytes: &'a [u8],
    spots: Vec<Spot>,
}

impl Page<'_> {
    fn put(&mut self, offset: usize, module: String, way: Way) {
        self.spots.push(Spot { offset, module, way });
    }

    fn references(self, kind: ReferrerKind, line: impl Fn(usize) -> usize) -> Vec<Reference> {
        let path = self.path.to_owned();
        let text = |offset: usize| {
            let start = self.bytes.get(..offset).unwrap_or_default();
            let start = start.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let rest = self.bytes.get(start..).unwrap_or_default();
            let shown = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            String::from_utf8_lossy(shown).trim().chars().take(SHOWN_LETTERS_MAX).collect::<String>()
        };
        let made = self.spots.iter().map(|spot| Reference {
            module: spot.module.clone(),
            kind,
            path: path.clone(),
            line: line(spot.offset),
            way: spot.way,
            text: text(spot.offset),
        });
        made.collect()
    }

    fn python(&mut self, name: Option<&ModuleName>, facts: &Facts) {
        self.imports(name, facts);
        self.chains(facts);
        for text in &facts.texts {
            let flavor = match text.role {
                Role::Docstring => Flavor::Restructured,
                _ if text.value.contains(char::is_whitespace) => Flavor::Sentence,
                _ => {
                    if text.is_plain || text.parts.len() == 1 {
                        self.string(text.span.start, &text.value);
                    }
                    continue;
                }
            };
            for part in &text.parts {
                self.words(*part, flavor);
            }
        }
        for comment in &facts.comments {
            self.words(*comment, Flavor::Sentence);
        }
    }

    fn imports(&mut self, name: Option<&ModuleName>, facts: &Facts) {
        for import in &facts.imports {
            let is_relative = import.from.as_ref().is_some_and(|from| from.level > 0);
            let way = if is_relative { Way::RelativeImport } else { Way::Import };
            for imported in &import.names {
                let module = match self.looker.index.target(name, import, imported) {
                    Target::Module(module) | Target::Symbol { module, .. } => module,
                    // A script finds what lies beside it.
                    Target::External(dotted) => match self.beside(&dotted) {
                        Some(module) => module,
                        None => continue,
                    },
                    Target::Missing(_) => continue,
                };
                self.put(import.span.start, module, way);
            }
        }
    }

    fn beside(&self, dotted: &str) -> Option<String> {
        let top = dotted.split('.').next().unwrap_or_default();
        let place = self.looker.index.tree.beside(self.path, top)?;
        let at = self.looker.index.tree.find(&place)?;
        let own = self.looker.index.names.get(at).and_then(Option::as_ref)?;
        let rest = dotted.strip_prefix(top).unwrap_or_default();
        let mut whole = format!("{}{rest}", own.dotted);
        while !self.looker.index.has(&whole) {
            whole = parent_of(&whole).to_owned();
            if whole.is_empty() {
                return None;
            }
        }
        Some(whole)
    }

    /// `a.b.c` after `import a`: a module that the import does not name.
    fn chains(&mut self, facts: &Facts) {
        for chain in &facts.chains {
            let Some(first) = chain.words.first().filter(|_| chain.words.len() > 1) else { continue };
            let Some((_, bindings)) = facts.resolve(chain.scope, &first.text) else { continue };
            let is_plain = bindings.iter().any(|binding| match binding {
                Binding::Import(import, at) => facts.imports.get(*import).is_some_and(|import| {
                    import.from.is_none() && import.names.get(*at).is_some_and(|name| name.alias.is_none())
                }),
                _ => false,
            });
            if !is_plain {
                continue;
            }
            let words: Vec<&str> = chain.words.iter().map(|word| word.text.as_str()).collect();
            if let Some((module, count)) = walk_names(self.looker.index, &words)
                && count > 1
            {
                self.put(first.span.start, module, Way::Name);
            }
        }
    }

    /// A string without blanks: a dotted name or a path.
    fn string(&mut self, offset: usize, value: &str) {
        if let Some(module) = self.named(value, false) {
            self.put(offset, module, Way::Name);
        } else if let Some(module) = self.at_path(value) {
            self.put(offset, module, Way::Path);
        }
    }

    /// The module that a dotted name means.
    fn named(&self, text: &str, is_import: bool) -> Option<String> {
        let (head, tail) = text.split_once(':').map_or((text, None), |(head, tail)| (head, Some(tail)));
        let head = head.strip_suffix(".*").unwrap_or(head);
        if !crate::moving::is_dotted(head) || tail.is_some_and(|tail| !crate::moving::is_dotted(tail)) {
            return None;
        }
        let names: Vec<&str> = head.split('.').collect();
        let index = self.looker.index;
        let (module, count) = walk_names(index, &names)?;
        if names.len() == 1 && !is_import && tail.is_none() {
            return None;
        }
        let attribute = names.get(count).copied().or_else(|| tail.and_then(|tail| tail.split('.').next()));
        let is_one = attribute.is_none_or(|name| index.may_have(&module, name));
        is_one.then_some(module)
    }

    /// The module that a path leads to, from the root of the tree or from the folder of the file.
    fn at_path(&self, text: &str) -> Option<String> {
        if !text.contains('/') && !has_extension(text, "py") {
            return None;
        }
        let clean = text.trim_start_matches("./").trim_end_matches('/');
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let tree = self.looker.index.tree;
        let whole =
            ["", folder].iter().filter_map(|base| resolve_path(base, clean)).find(|path| tree.has(path))?;
        let index = self.looker.index;
        let file = tree.find(&whole).or_else(|| tree.find(&format!("{whole}/__init__.py")));
        if let Some(at) = file {
            return index.names.get(at).and_then(Option::as_ref).map(|name| name.dotted.clone());
        }
        let name = crate::index::module_name(&format!("{whole}.py"), &index.roots)?.dotted;
        index.has(&name).then_some(name)
    }

    /// Names and paths in text.
    fn words(&mut self, within: Span, flavor: Flavor) {
        let blocks = Blocks::new(self.bytes, within, flavor);
        let mut last = within.start;
        let spots: Vec<usize> = self
            .looker
            .search
            .find_iter(within.of(self.bytes))
            .map(|found| within.start + found.start())
            .collect();
        for at in spots {
            if at < last {
                continue;
            }
            let Some(token) = token(self.bytes, within, at) else { continue };
            last = token.span.end.max(at + 1);
            let Ok(text) = std::str::from_utf8(token.span.of(self.bytes)) else { continue };
            let found = if token.is_path {
                self.at_path(text).map(|module| (module, Way::Path))
            } else {
                self.named(text, follows_import(self.bytes, token.span.start))
                    .map(|module| (module, Way::Name))
            };
            let Some((module, way)) = found else { continue };
            let is_code =
                blocks.is_code(token.span.start) || is_marked(self.bytes, within, token.span, flavor);
            let way = if is_code && flavor != Flavor::History { way } else { Way::Prose };
            self.put(token.span.start, module, way);
        }
    }
}

impl ReferencesOutcome {
    /// *Yes* when somebody refers to it; *unknown* when nobody does, or the tree has no such module.
    pub fn verdict(&self) -> Verdict {
        if self.references.is_empty() { Verdict::Unknown } else { Verdict::Yes }
    }

    /// The references by module.
    pub fn by_module(&self) -> BTreeMap<&str, Vec<&Reference>> {
        let mut found: BTreeMap<&str, Vec<&Reference>> = BTreeMap::new();
        for reference in &self.references {
            found.entry(&reference.module).or_default().push(reference);
        }
        found
    }

    /// The document `switchback/references/1`.
    pub fn to_json(&self) -> Value {
        let modules: Vec<Value> = self
            .by_module()
            .into_iter()
            .map(|(module, references)| {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for reference in &references {
                    *counts.entry(reference.kind.word()).or_default() += 1;
                }
                let referrers: Vec<Value> = references
                    .iter()
                    .map(|reference| {
                        json!({
                            "kind": reference.kind.word(), "path": reference.path, "line": reference.line,
                            "how": reference.way.word(), "text": reference.text,
                        })
                    })
                    .collect();
                json!({"module": module, "counts": counts, "referrers": referrers})
            })
            .collect();
        let mut value = json!({
            "schema": "switchback/references/1", "verdict": self.verdict().word(), "references": self.references.len(),
            "modules": modules,
        });
        if let Some(of) = &self.of {
            value["of"] = json!(of);
            value["exists"] = json!(self.is_there);
        }
        value
    }

    /// One line for each reference, by module and kind.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (module, references) in self.by_module() {
            lines.push(format!("{module}: {} references", references.len()));
            lines.extend(references.into_iter().map(|reference| {
                format!(
                    "  {} ({}): {}:{}: {}",
                    reference.kind.word(),
                    reference.way.word(),
                    reference.path,
                    reference.line,
                    reference.text
                )
            }));
        }
        if let Some(of) = self.of.as_ref().filter(|_| !self.is_there) {
            lines.push(format!("there is no module `{of}` in the tree"));
        }
        lines
    }
}
