//! The plan of a move: every file that moves, every edit, what is left, and the proof, before anything is touched.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use rayon::prelude::*;
use switchback_core::quantity::counted;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, DiskError};

use super::carried;
use super::carry::{self, Carried, Order, RefusedDefinitions};
use super::data;
use super::edit::{EditKind, Edits, Left, Scene};
use super::mapping::{Known, Mapping, MappingError};
use super::order::{Ordered, Sides, Styles, UNSORTED, out_of_order, put_in_order};
use super::proof::{self, Proof};
use super::prose::{self, Flavor};
use super::rules::{Pair, Rules};
use super::shim::{self, Term};
use super::signature::{self, SignatureError};
use super::{link, notebook, reference, statement, string};
use crate::index::{Index, module_name, parent_of};
use crate::roots;
use crate::syntax::{Dialect, Facts, Role, Span, line_of, parse};
use crate::tree::{Class, File, PassedOver, Tree};

/// What is to be moved, and how.
#[derive(Debug, Clone, Default)]
pub struct MoveOptions {
    /// The root of the tree.
    pub root: PathBuf,
    /// The rules.
    pub rules: Rules,
    /// What was taken over already, by a merge: where a file or folder stood, and where it stands now. It counts as moved:
    /// what names it is rewritten, and it gets a shim where shims are wanted.
    pub arrived: Vec<(String, String)>,
    /// Whether the tree is a part of a larger one, of which nothing else can be seen.
    pub is_part: bool,
    /// Files that say what is to be moved, relative to the tree: plan and rules. They stay as they are.
    pub kept: Vec<String>,
    /// Source roots, relative to the tree; found by looking when empty.
    pub source_roots: Vec<String>,
    /// Folders that `PYTHONPATH` names, relative to the tree: source roots beside all others.
    pub python_path: Vec<String>,
    /// Whether the old names stay importable.
    pub shims: bool,
    /// Until when, `YYYY-MM-DD`.
    pub remove_after: Option<String>,
    /// What day it is, `YYYY-MM-DD`: shims say since when they stand.
    pub today: String,
    /// Whether files that are no code are looked through.
    pub with_text: bool,
}

/// A move that could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// Rules that do not fit the tree.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A file that could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The search for words could not be set up.
    #[error("the names that move cannot be searched for: {0}")]
    Search(String),
    /// Definitions that cannot be moved safely.
    #[error(transparent)]
    Definitions(#[from] RefusedDefinitions),
    /// A function that cannot be called as it was.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Nothing was asked for.
    #[error("there is nothing to move: no FROM and TO, and no rules")]
    NoRules,
}

/// What becomes of one file.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// Where it is now.
    pub old_path: String,
    /// Where it will be.
    pub new_path: String,
    /// Its bytes now; nothing for a file that is moved unread.
    pub old: Option<Arc<[u8]>>,
    /// Its bytes afterwards; nothing when they stay.
    pub new: Option<Arc<[u8]>>,
    /// The edits, in the order of the file.
    pub edits: Vec<super::edit::Edit>,
    /// What was left in it.
    pub left: Vec<Left>,
}

/// A file that comes into being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Where.
    pub path: String,
    /// What it says.
    pub content: Vec<u8>,
    /// Whether it keeps an old name importable.
    pub is_shim: bool,
}

/// A file that did not parse before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsed {
    /// Its path now.
    pub path: String,
    /// The line of the first error, from 1.
    pub line: usize,
    /// What the error is.
    pub message: String,
    /// How many edits were made in it all the same.
    pub edits: usize,
}

/// A move as it would be done.
#[derive(Debug)]
pub struct MovePlan {
    /// The root of the tree.
    pub root: PathBuf,
    /// Files that move or are edited, by old path.
    pub changes: Vec<FileChange>,
    /// Files that come into being.
    pub created: Vec<NewFile>,
    /// Files that did not parse before.
    pub unparsed: Vec<Unparsed>,
    /// How many files were looked through.
    pub scanned: usize,
    /// What was not looked at, and links that would lead nowhere.
    pub passed_over: Vec<PassedOver>,
    /// Rules that were carried out earlier.
    pub done: Vec<Pair>,
    /// What was proved.
    pub proof: Proof,
}

impl MovePlan {
    /// Whether the proof holds.
    pub fn verdict(&self) -> Verdict {
        if self.proof.holds() { Verdict::Yes } else { Verdict::No }
    }

    /// How many files get another path.
    pub fn moved(&self) -> usize {
        self.changes.iter().filter(|change| change.old_path != change.new_path).count()
    }

    /// How many files get other bytes.
    pub fn edited(&self) -> usize {
        self.changes.iter().filter(|change| change.new.is_some()).count()
    }

    /// How many files get other bytes and keep their path.
    pub fn edited_in_place(&self) -> usize {
        let edited = |change: &&FileChange| change.new.is_some() && change.old_path == change.new_path;
        self.changes.iter().filter(edited).count()
    }

    /// What it would do, in one line.
    pub fn summary(&self) -> String {
        format!(
            "{} moved, {} edited, {}; {} resolved before and after",
            counted(self.moved() as u64, "file"),
            self.edited(),
            counted(self.shims() as u64, "shim"),
            counted(self.proof.imports as u64, "import")
        )
    }

    /// How many files keep old names importable.
    pub fn shims(&self) -> usize {
        self.created.iter().filter(|file| file.is_shim).count()
    }
}

/// Plans a move of the tree at `options.root`; nothing is touched.
pub fn plan(disk: Arc<dyn Disk>, options: &MoveOptions) -> Result<MovePlan, MoveError> {
    // Source that nests deeply needs a deep stack.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build();
    let pool = pool.map_err(|error| MoveError::Search(error.to_string()))?;
    pool.install(|| plan_here(disk, options))
}

/// The stack of a thread that parses.
pub(crate) const STACK_BYTES: usize = 64 << 20;

fn plan_here(disk: Arc<dyn Disk>, options: &MoveOptions) -> Result<MovePlan, MoveError> {
    let rules = &options.rules;
    let is_empty = rules.moves.is_empty() && rules.symbols.is_empty() && rules.bodies.is_empty();
    if is_empty && rules.signatures.is_empty() && options.arrived.is_empty() {
        return Err(MoveError::NoRules);
    }
    if let Some(one) = rules.signatures.first().filter(|_| !options.shims) {
        let module = parent_of(&one.of).to_owned();
        return Err(SignatureError::NoShim { of: one.of.clone(), module }.into());
    }
    let tree = Tree::open(disk, &options.root)?.with_gone(&options.arrived);
    let planned = plan_tree(&tree, options).map(|(plan, new_tree)| {
        new_tree.drop_aside();
        plan
    });
    tree.drop_aside();
    planned
}

/// Plans a move of a tree that was listed already; the tree as it would be, too.
pub(crate) fn plan_tree(tree: &Tree, options: &MoveOptions) -> Result<(MovePlan, Tree), MoveError> {
    let rules = &options.rules;
    let known = Known { arrived: &options.arrived, is_part: options.is_part };
    let (old_roots, new_roots) = source_roots(tree, options);
    let index = Index::new(tree, &old_roots);
    let styles = Styles::of(tree);
    if rules.symbols.is_empty() {
        let mapping = Mapping::new(&index, rules, &new_roots, known)?;
        let work = Work::new(&index, &mapping, &new_roots, options, &styles)?;
        return work.plan(&index, None);
    }
    // Definitions first: what moves then is a tree in which they stand where they belong.
    let rules = carry::with_splits(&index, rules);
    let mapping = Mapping::new(&index, &rules, &new_roots, known)?;
    let keeps_names = options.shims;
    let order = Order {
        index: &index,
        rules: &rules,
        mapping: &mapping,
        roots: &new_roots,
        styles: &styles,
        keeps_names,
    };
    let Some(found) = order.carry()? else {
        return Work::new(&index, &mapping, &new_roots, options, &styles)?.plan(&index, None);
    };
    let between = found.tree(tree);
    let between_index = Index::new(&between, &old_roots);
    let mut mapping = Mapping::new(&between_index, &found.rules(&rules), &new_roots, known)?;
    mapping.carried.clone_from(&found.names);
    let work = Work::new(&between_index, &mapping, &new_roots, options, &styles)?;
    work.plan(&index, Some(&found))
}

/// The roots of the old and of the new tree.
fn source_roots(tree: &Tree, options: &MoveOptions) -> (Vec<String>, Vec<String>) {
    if options.source_roots.is_empty() {
        let found = roots::source_roots(tree, &[], &options.python_path);
        let mut new = found.clone();
        // A layout that comes into being: `pkg` becomes `src/pkg`.
        for pair in &options.rules.moves {
            let path = roots::normal(&pair.to);
            let Some((first, _)) = path.split_once('/') else { continue };
            let is_new = matches!(first, "src" | "lib" | "python")
                && tree.find(&format!("{first}/__init__.py")).is_none();
            if is_new && !new.iter().any(|root| root == first) {
                new.push(first.to_owned());
            }
        }
        return (found, new);
    }
    let all = roots::source_roots(tree, &options.source_roots, &options.python_path);
    let old = all.iter().filter(|root| root.is_empty() || tree.is_directory(root)).cloned().collect();
    (old, all)
}

struct Work<'a> {
    index: &'a Index<'a>,
    mapping: &'a Mapping,
    roots: &'a [String],
    options: &'a MoveOptions,
    search: AhoCorasick,
    styles: &'a Styles,
}

struct Looked {
    at: usize,
    is_python: bool,
    /// Whether its import blocks have another order than the edits leave.
    is_ordered: bool,
    change: FileChange,
    unparsed: Option<Unparsed>,
}

impl<'a> Work<'a> {
    fn new(
        index: &'a Index<'a>,
        mapping: &'a Mapping,
        roots: &'a [String],
        options: &'a MoveOptions,
        styles: &'a Styles,
    ) -> Result<Self, MoveError> {
        let search =
            AhoCorasick::new(mapping.words()).map_err(|error| MoveError::Search(error.to_string()))?;
        Ok(Self { index, mapping, roots, options, search, styles })
    }

    /// The plan; `before` is the tree as it is on the disk, from which `carried` made the one that moves.
    fn plan(&self, before: &Index<'_>, carried: Option<&Carried>) -> Result<(MovePlan, Tree), MoveError> {
        let (plan, tree, asked) = self.plan_but(before, carried, &BTreeSet::new())?;
        if asked.is_empty() {
            return Ok((plan, tree));
        }
        // With their imports sorted, modules are asked for what is not there yet; as they stand, it may do no harm.
        let (unsorted, unsorted_tree, _) = self.plan_but(before, carried, &asked)?;
        let known: BTreeSet<&proof::Unresolved> = plan.proof.unresolved.iter().collect();
        let is_better = unsorted.proof.unresolved.len() < known.len()
            && unsorted.proof.unresolved.iter().all(|one| known.contains(one));
        Ok(if is_better { (unsorted, unsorted_tree) } else { (plan, tree) })
    }

    /// The plan with the import blocks of some files, by new path, left as they are; and which sorted files are asked too early.
    fn plan_but(
        &self,
        before: &Index<'_>,
        carried: Option<&Carried>,
        unsorted: &BTreeSet<String>,
    ) -> Result<(MovePlan, Tree, BTreeSet<String>), MoveError> {
        let (index, mapping, options) = (self.index, self.mapping, self.options);
        let tree = index.tree;
        let looked: Vec<Option<Looked>> = tree
            .files
            .par_iter()
            .enumerate()
            .map(|(at, file)| self.look(at, file, unsorted))
            .collect::<Result<_, _>>()?;
        let scanned = tree.files.iter().filter(|file| file.class != Class::Other && !file.is_gone).count();
        let looked: Vec<Looked> = looked.into_iter().flatten().collect();
        let mut created: Vec<NewFile> = mapping
            .packages
            .iter()
            .map(|path| NewFile { path: path.clone(), content: Vec::new(), is_shim: false })
            .collect();
        let edited: HashMap<usize, Arc<[u8]>> =
            looked.iter().filter_map(|one| Some((one.at, one.change.new.clone()?))).collect();
        let mut files = mapping.moved(&tree.files, &edited);
        files.extend(
            created.iter().map(|file| File::made(file.path.clone(), Arc::from(file.content.clone()))),
        );
        let new_tree = tree.with(files);
        let new_index = Index::new(&new_tree, self.roots);
        let unparsed = looked.iter().filter_map(|one| one.unparsed.clone()).collect();
        let parsed: Vec<(usize, String)> = looked
            .iter()
            .filter(|one| one.is_python)
            .map(|one| (one.at, one.change.new_path.clone()))
            .collect();
        let ordered: BTreeSet<String> =
            looked.iter().filter(|one| one.is_ordered).map(|one| one.change.new_path.clone()).collect();
        let mut asked = BTreeSet::new();
        let mut changes: Vec<FileChange> = looked.into_iter().map(|one| one.change).collect();
        let proof = match carried {
            None => {
                let mut proof = proof::prove(index, &new_index, mapping, &parsed);
                if !options.is_part {
                    let early = proof::too_early(index, &new_index, mapping);
                    let files = early.iter().filter_map(|one| new_tree.file(new_index.file_of(&one.module)?));
                    asked.extend(files.map(|file| file.path.clone()).filter(|path| ordered.contains(path)));
                    proof.unresolved.extend(early);
                }
                proof
            }
            Some(carried) => {
                carried::restore(before, carried, mapping, &new_index, &mut changes, &mut created)?;
                carried::prove(before, index, &new_index, carried, mapping, &parsed)
            }
        };
        if options.shims {
            // Outside of the proof: a shim makes old names resolve, and what still uses them is to be found.
            created.extend(self.shims(&new_index)?);
        }
        let mut passed_over = tree.passed_over();
        passed_over.extend(link::broken(tree, &new_tree, mapping)?);
        let plan = MovePlan {
            root: options.root.clone(),
            passed_over,
            changes,
            created,
            unparsed,
            scanned,
            done: mapping.done.clone(),
            proof,
        };
        Ok((plan, new_tree, asked))
    }

    /// The files that keep old names importable.
    fn shims(&self, new: &Index<'_>) -> Result<Vec<NewFile>, SignatureError> {
        let (index, mapping, options) = (self.index, self.mapping, self.options);
        let signatures = &options.rules.signatures;
        let wrapped: BTreeSet<&str> = signatures.iter().map(|one| parent_of(&one.of)).collect();
        let needed = shim::needed(index, new, mapping, &wrapped);
        let olds: BTreeSet<String> = needed.iter().map(|made| made.old().to_owned()).collect();
        let wrapped = signature::by_module(index, new, mapping, signatures, &olds)?;
        let term = Term { since: &options.today, until: options.remove_after.as_deref() };
        Ok(needed.iter().map(|made| made.file(wrapped.get(made.old()), term)).collect())
    }

    fn look(&self, at: usize, file: &File, unsorted: &BTreeSet<String>) -> Result<Option<Looked>, MoveError> {
        if file.is_gone || self.options.kept.contains(&file.path) {
            return Ok(None);
        }
        let new_path = self.mapping.new_path(&file.path).to_owned();
        let moves = new_path != file.path;
        let is_read = match file.class {
            Class::Python => true,
            Class::Notebook | Class::Text => self.options.with_text,
            Class::Other => self.options.with_text && file.unread.is_none() && data::is_data(&file.path),
        };
        let must = moves && file.class == Class::Python;
        let content = if is_read {
            self.index.tree.content_if(file, |bytes| must || self.search.is_match(bytes))?
        } else {
            None
        };
        let mut change = FileChange {
            old_path: file.path.clone(),
            new_path,
            old: content.clone(),
            new: None,
            edits: Vec::new(),
            left: Vec::new(),
        };
        let (mut unparsed, mut is_ordered) = (None, false);
        if let Some(bytes) = content {
            let mut edits = self.edits(at, file, &bytes);
            edits.settle(&bytes);
            if file.class == Class::Python {
                unparsed = self.unparsed(file, &bytes, edits.edits.len());
            }
            if !edits.edits.is_empty() {
                let mut new = edits.apply(&bytes);
                let ordered = self.out_of_order(file, &bytes, &edits, &new);
                is_ordered = !ordered.is_empty();
                if is_ordered && unsorted.contains(&change.new_path) {
                    edits.leave(&bytes, Span::new(0, 0), UNSORTED);
                } else if is_ordered {
                    new = put_in_order(&new, &ordered);
                    edits.edits = carried::with_order(&bytes, edits.edits, &ordered, &new);
                }
                change.new = Some(Arc::from(new));
            }
            change.edits = edits.edits;
            change.left = edits.left;
        } else if !moves {
            return Ok(None);
        }
        Ok(Some(Looked { at, is_python: file.class == Class::Python, is_ordered, change, unparsed }))
    }

    /// The import blocks that were sorted and are not any more, as they should be.
    fn out_of_order(&self, file: &File, old: &[u8], edits: &Edits, new: &[u8]) -> Vec<Ordered> {
        let is_import =
            |kind| matches!(kind, EditKind::Import | EditKind::FromImport | EditKind::RelativeImport);
        if file.class != Class::Python || !edits.edits.iter().any(|edit| is_import(edit.kind)) {
            return Vec::new();
        }
        let facts = self.index.tree.facts(file);
        let sides = Sides { old, facts: &facts, edits: &edits.edits, new, dialect: file.dialect() };
        let is_own = |top: &str| self.index.has(top) || self.mapping.tops.contains(top);
        out_of_order(sides, self.styles.at(&file.path), &is_own)
    }

    fn edits(&self, at: usize, file: &File, bytes: &[u8]) -> Edits {
        match file.class {
            Class::Python => self.python(at, file, bytes),
            Class::Notebook => self.notebook(file, bytes),
            Class::Text => {
                let mut edits = Edits::default();
                let whole = Span::new(0, bytes.len());
                // What is no text has no places in it.
                if !bytes.contains(&0) {
                    self.reader(file).edit(
                        bytes,
                        whole,
                        prose::flavor_of(&file.path),
                        EditKind::Prose,
                        &mut edits,
                    );
                }
                edits
            }
            Class::Other => {
                let mut edits = Edits::default();
                data::report(bytes, self.mapping, self.options.shims, &mut edits);
                edits
            }
        }
    }

    fn python(&self, at: usize, file: &File, bytes: &[u8]) -> Edits {
        let facts = self.index.tree.facts(file);
        let new = module_name(self.mapping.new_path(&file.path), self.roots);
        let scene = Scene {
            index: self.index,
            mapping: self.mapping,
            facts: &facts,
            bytes,
            path: &file.path,
            old: self.index.names.get(at).and_then(Option::as_ref),
            new: new.as_ref(),
            line_end: line_end(bytes),
        };
        let mut edits = Edits::default();
        edit_statements(&scene, &mut edits);
        string::edit_tasks(&scene, self.options.rules.pin_task_names, &mut edits);
        string::report_file_uses(&scene, &mut edits);
        if self.options.with_text {
            self.sentences(file, &facts, bytes, &mut edits);
        }
        edits
    }

    fn reader<'b>(&'b self, file: &'b File) -> prose::Reader<'b> {
        prose::Reader { index: self.index, mapping: self.mapping, search: &self.search, path: &file.path }
    }

    /// Docstrings, comments and messages.
    fn sentences(&self, file: &File, facts: &Facts, bytes: &[u8], edits: &mut Edits) {
        let reader = self.reader(file);
        for text in &facts.texts {
            let flavor = match text.role {
                Role::Docstring => Flavor::Restructured,
                _ if text.value.contains(char::is_whitespace) => Flavor::Sentence,
                _ => continue,
            };
            for part in &text.parts {
                reader.edit(bytes, *part, flavor, EditKind::Text, edits);
            }
        }
        for comment in &facts.comments {
            reader.edit(bytes, *comment, Flavor::Sentence, EditKind::Text, edits);
        }
    }

    /// The code of a notebook is edited as code, and each edit is put into the string that carries it.
    fn notebook(&self, file: &File, bytes: &[u8]) -> Edits {
        let code = notebook::code(bytes);
        let facts = parse(&code.source, Dialect::Notebook);
        let scene = Scene {
            index: self.index,
            mapping: self.mapping,
            facts: &facts,
            bytes: &code.source,
            path: &file.path,
            old: None,
            new: None,
            line_end: "\n",
        };
        let mut found = Edits::default();
        edit_statements(&scene, &mut found);
        let mut edits = Edits::default();
        for edit in found.edits {
            match code.place(edit.span) {
                Some(span) => edits.put(span, notebook::escaped(&edit.new), EditKind::Notebook),
                None => found.left.push(Left {
                    offset: edit.span.start,
                    text: String::from_utf8_lossy(edit.span.of(&code.source)).into_owned(),
                    why: format!(
                        "it is spread over several strings of the notebook; it would become `{}`",
                        edit.new
                    ),
                }),
            }
        }
        for left in found.left {
            let offset = code.place(Span::new(left.offset, left.offset)).map_or(0, |span| span.start);
            edits.left.push(Left { offset, ..left });
        }
        edits
    }

    fn unparsed(&self, file: &File, bytes: &[u8], edits: usize) -> Option<Unparsed> {
        let facts = self.index.tree.facts(file);
        let error = facts.errors.first()?;
        let (line, _) = line_of(bytes, error.offset);
        Some(Unparsed { path: file.path.clone(), line, message: error.message.clone(), edits })
    }
}

fn edit_statements(scene: &Scene<'_>, edits: &mut Edits) {
    for import in &scene.facts.imports {
        if let Some(from) = &import.from {
            statement::edit_from(scene, import, from, edits);
        }
    }
    reference::edit_references(scene, edits);
    string::edit_strings(scene, edits);
}

/// How the lines of a file end.
pub(crate) fn line_end(bytes: &[u8]) -> &'static str {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at > 0 && bytes.get(at - 1) == Some(&b'\r') => "\r\n",
        None if bytes.contains(&b'\r') => "\r",
        _ => "\n",
    }
}
