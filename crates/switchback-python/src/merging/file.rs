//! One file of the merge: which class it is of, what is done with it, at what risk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::world::World;

use super::decision::{Conflict, Decisions, Taken, inputs, replay};
use super::driver::{self, Driven};
use super::lines::{self, Labels, Piece};
use super::pairing::Trio;
use super::plan::MergeError;
use super::python::{self, Texts};
use super::rules::MergeRules;
use super::side::{Opened, Version};
use crate::moving::leaf_path;
use crate::tree::{Class, has_extension};

/// Which sides have a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sides {
    /// The source alone.
    SourceOnly,
    /// The target alone.
    TargetOnly,
    /// Both, and it is the same.
    Equal,
    /// Both, and it is not the same.
    Conflict,
}

impl Sides {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::SourceOnly => "source-only",
            Self::TargetOnly => "target-only",
            Self::Equal => "equal",
            Self::Conflict => "conflict",
        }
    }
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The source's is taken.
    Copy,
    /// The target's stays.
    Keep,
    /// One side took it out, and the other left it as it was: it goes.
    Remove,
    /// What both changed is put together.
    Merge,
    /// What both have is put together, without an ancestor that could say what was taken out.
    Union,
    /// Somebody has to decide.
    Ask,
}

impl Action {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Merge => "merge",
            Self::Union => "union",
            Self::Ask => "ask",
        }
    }
}

/// How likely it is that somebody has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing was decided.
    Low,
    /// Something was put together, or taken over, that never ran like this.
    Medium,
    /// Something is in conflict, or was decided against one side.
    High,
}

impl Risk {
    /// The word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What stands at a path of the merged tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    Nothing,
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// What stands at this place of the disk, too large to be read.
    Like(PathBuf),
    /// A symbolic link.
    Link(PathBuf),
}

/// One file of the merge.
#[derive(Debug, Clone)]
pub struct MergedFile {
    /// Its path in the merged tree.
    pub path: String,
    /// Which sides have it.
    pub class: Sides,
    /// What is done.
    pub action: Action,
    /// How likely it is that somebody has to look.
    pub risk: Risk,
    /// What the sides do not agree on, decided or not.
    pub conflicts: Vec<Conflict>,
    /// Why, where the class does not say it.
    pub note: Option<String>,
    /// What will stand there, markers included.
    pub(super) content: Content,
    /// Permission bits.
    pub(super) mode: u32,
    /// Whether its bytes are those of one side, as they are.
    pub(super) is_verbatim: bool,
}

impl MergedFile {
    /// How many conflicts nobody decided.
    pub fn open(&self) -> usize {
        self.conflicts.iter().filter(|conflict| conflict.is_open()).count()
    }

    /// Whether anything will stand there.
    pub fn stands(&self) -> bool {
        !matches!(self.content, Content::Nothing)
    }

    /// Where it leads, for a symbolic link.
    pub fn link(&self) -> Option<&Path> {
        match &self.content {
            Content::Link(to) => Some(to),
            _ => None,
        }
    }

    /// Its permission bits.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// What will stand there, where that is text that was read.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// What all files are merged with.
pub(super) struct Merging<'a> {
    pub(super) world: &'a World,
    pub(super) base: Option<&'a Opened>,
    pub(super) source: &'a Opened,
    pub(super) target: &'a Opened,
    pub(super) rules: &'a MergeRules,
    pub(super) decisions: &'a Decisions<'a>,
    pub(super) labels: &'a Labels,
    pub(super) scratch: &'a Path,
}

/// A file of which not every side is known yet.
struct Draft {
    class: Sides,
    action: Action,
    risk: Risk,
    note: Option<String>,
}

impl Merging<'_> {
    /// Merges one file; nothing when both sides took it out.
    pub(super) fn file(&self, trio: &Trio<'_>) -> Result<Option<MergedFile>, MergeError> {
        let merged = match (trio.base, trio.source, trio.target) {
            (_, None, None) => return Ok(None),
            (_, Some(source), Some(target)) => self.both(trio, source, target)?,
            (None, Some(source), None) => {
                let risk = if has_extension(&trio.path, "py") { Risk::Medium } else { Risk::Low };
                Self::taken(trio, self.source, source, &draft(Sides::SourceOnly, Action::Copy, risk, None))?
            }
            (None, None, Some(target)) => Self::taken(
                trio,
                self.target,
                target,
                &draft(Sides::TargetOnly, Action::Keep, Risk::Low, None),
            )?,
            (Some(base), Some(source), None) => {
                self.taken_out(trio, (base, source, self.source), Sides::SourceOnly, "target")?
            }
            (Some(base), None, Some(target)) => {
                self.taken_out(trio, (base, target, self.target), Sides::TargetOnly, "source")?
            }
        };
        Ok(Some(merged))
    }

    /// A version as it is.
    fn taken(
        trio: &Trio<'_>,
        side: &Opened,
        version: &Version,
        draft: &Draft,
    ) -> Result<MergedFile, MergeError> {
        let content = match (&version.link, side.bytes(version)?) {
            (Some(link), _) => Content::Link(link.clone()),
            (None, Some(bytes)) => Content::Bytes(bytes),
            (None, None) => side.place(version).map_or(Content::Nothing, Content::Like),
        };
        Ok(MergedFile {
            path: trio.path.clone(),
            class: draft.class,
            action: draft.action,
            risk: draft.risk,
            conflicts: Vec::new(),
            note: draft.note.clone().or_else(|| trio.note.clone()),
            content,
            mode: version.mode,
            is_verbatim: true,
        })
    }

    /// One side took it out.
    fn taken_out(
        &self,
        trio: &Trio<'_>,
        (base, version, side): (&Version, &Version, &Opened),
        class: Sides,
        remover: &str,
    ) -> Result<MergedFile, MergeError> {
        if base.is_same(version) && base.is_executable() == version.is_executable() {
            let renamed = trio.note.as_ref().map(|note| format!("{note}; ")).unwrap_or_default();
            let note = Some(format!("{renamed}the {remover} took it out, and nobody changed it"));
            let risk = if trio.note.is_some() { Risk::High } else { Risk::Medium };
            let mut merged = Self::taken(trio, side, version, &draft(class, Action::Remove, risk, note))?;
            merged.content = Content::Nothing;
            return Ok(merged);
        }
        let why = format!("the {remover} took it out, and the other changed it");
        let (source, target) =
            if remover == "target" { (Some(version), None) } else { (None, Some(version)) };
        self.asked(trio, class, (Some(base), source, target), &why)
    }

    fn both(&self, trio: &Trio<'_>, source: &Version, target: &Version) -> Result<MergedFile, MergeError> {
        if trio.is_contested {
            let why = trio.note.clone().unwrap_or_default();
            return self.asked(trio, Sides::Conflict, (trio.base, Some(source), Some(target)), &why);
        }
        let base = trio.base;
        let mode = merged_mode(base, source, target);
        let mut merged = if source.is_same(target) {
            let is_equal = source.is_executable() == target.is_executable() || source.link.is_some();
            let draft = if is_equal {
                draft(Sides::Equal, Action::Keep, Risk::Low, None)
            } else {
                let note = Some("one may be run, the other may not".to_owned());
                draft(Sides::Conflict, Action::Merge, Risk::Low, note)
            };
            Self::taken(trio, self.target, target, &draft)?
        } else if base.is_some_and(|base| base.is_same(source)) {
            Self::taken(trio, self.target, target, &draft(Sides::Conflict, Action::Keep, Risk::Low, None))?
        } else if base.is_some_and(|base| base.is_same(target)) {
            Self::taken(trio, self.source, source, &draft(Sides::Conflict, Action::Copy, Risk::Medium, None))?
        } else if source.link.is_some() || target.link.is_some() {
            let why = if source.link.is_some() && target.link.is_some() {
                "both are symbolic links, and lead to different places"
            } else {
                "one is a symbolic link, the other is a file"
            };
            return self.asked(trio, Sides::Conflict, (base, Some(source), Some(target)), why);
        } else {
            self.texts(trio, base.filter(|base| base.link.is_none()), source, target)?
        };
        if !matches!(merged.content, Content::Link(_)) {
            merged.mode = mode;
        }
        Ok(merged)
    }

    fn texts(
        &self,
        trio: &Trio<'_>,
        base: Option<&Version>,
        source: &Version,
        target: &Version,
    ) -> Result<MergedFile, MergeError> {
        let old = match (base, self.base) {
            (Some(version), Some(opened)) => opened.bytes(version)?,
            _ => None,
        };
        let (Some(one), Some(other)) = (self.source.bytes(source)?, self.target.bytes(target)?) else {
            let why = "it is too large to be merged";
            return self.asked(trio, Sides::Conflict, (base, Some(source), Some(target)), why);
        };
        let texts = Texts { base: old.as_deref(), source: &one, target: &other };
        if let Some(driver) = driver::for_path(&self.rules.drivers, &trio.path) {
            let name: String = inputs(&[Some(trio.path.as_bytes())]);
            let folder = self.scratch.join(format!("driver-{name}"));
            let driven = driver::run(self.world, driver, &trio.path, &folder, texts)?;
            return self.driven(trio, driven, (base, source, target));
        }
        if [texts.source, texts.target].iter().any(|text| is_binary(text)) {
            let why = "it is no text";
            return self.asked(trio, Sides::Conflict, (base, Some(source), Some(target)), why);
        }
        let is_python = self.target.class(target) == Class::Python;
        let mut pieces = match texts.base {
            _ if is_python => python::merge(texts),
            Some(base) => lines::merge(base, texts.source, texts.target),
            None => lines::compare(texts.source, texts.target),
        };
        let conflicts = replay(&mut pieces, &trio.path, self.decisions);
        Ok(self.put_together(trio, texts.base.is_some(), &pieces, conflicts))
    }

    fn put_together(
        &self,
        trio: &Trio<'_>,
        is_known: bool,
        pieces: &[Piece],
        conflicts: Vec<Conflict>,
    ) -> MergedFile {
        let is_open = conflicts.iter().any(Conflict::is_open);
        let is_init = leaf_path(&trio.path) == "__init__.py";
        MergedFile {
            path: trio.path.clone(),
            class: Sides::Conflict,
            action: match (is_open, is_known && !is_init) {
                (true, _) => Action::Ask,
                (false, true) => Action::Merge,
                (false, false) => Action::Union,
            },
            risk: if conflicts.is_empty() { Risk::Medium } else { Risk::High },
            conflicts,
            note: trio.note.clone(),
            content: Content::Bytes(Arc::from(lines::marked(pieces, self.labels))),
            mode: 0,
            is_verbatim: false,
        }
    }

    fn driven(
        &self,
        trio: &Trio<'_>,
        driven: Driven,
        (base, source, target): (Option<&Version>, &Version, &Version),
    ) -> Result<MergedFile, MergeError> {
        match driven {
            Driven::Merged(bytes) => {
                let mut merged = self.put_together(trio, base.is_some(), &[Piece::Text(bytes)], Vec::new());
                merged.note = Some("merged by the driver of the rules".to_owned());
                Ok(merged)
            }
            Driven::Conflicts(bytes) => {
                let why = "the driver of the rules left conflicts";
                let mut merged =
                    self.asked(trio, Sides::Conflict, (base, Some(source), Some(target)), why)?;
                if merged.open() > 0 {
                    merged.content = Content::Bytes(Arc::from(bytes));
                    merged.is_verbatim = false;
                }
                Ok(merged)
            }
            Driven::Failed(why) => {
                self.asked(trio, Sides::Conflict, (base, Some(source), Some(target)), &why)
            }
        }
    }

    /// A file that is decided as a whole. Until then, the target's stays as it is.
    pub(super) fn asked(
        &self,
        trio: &Trio<'_>,
        class: Sides,
        (base, source, target): (Option<&Version>, Option<&Version>, Option<&Version>),
        why: &str,
    ) -> Result<MergedFile, MergeError> {
        let print = |version: Option<&Version>| version.map(|version| version.print);
        let (old, one, other) = (print(base), print(source), print(target));
        let inputs = inputs(&[
            old.as_ref().map(<[u8; 32]>::as_slice),
            one.as_ref().map(<[u8; 32]>::as_slice),
            other.as_ref().map(<[u8; 32]>::as_slice),
        ]);
        let taken = self.decisions.on(&trio.path, "", 1, &inputs);
        let note = Some(why.to_owned());
        let asking = draft(class, Action::Ask, Risk::High, note.clone());
        let side = match &taken {
            Some(Taken::Source) => (source, self.source, Action::Copy),
            Some(Taken::Both) if target.is_none() => (source, self.source, Action::Copy),
            _ => (target, self.target, Action::Keep),
        };
        let mut merged = match side {
            (Some(version), opened, action) => {
                let draft = if taken.is_some() { draft(class, action, Risk::High, note) } else { asking };
                Self::taken(trio, opened, version, &draft)?
            }
            (None, _, _) => MergedFile {
                path: trio.path.clone(),
                class,
                action: if taken.is_some() { Action::Remove } else { Action::Ask },
                risk: Risk::High,
                conflicts: Vec::new(),
                note,
                content: Content::Nothing,
                mode: source.or(target).map_or(0o644, |version| version.mode),
                is_verbatim: true,
            },
        };
        if let Some(Taken::File(bytes)) = &taken {
            merged.content = Content::Bytes(Arc::from(*bytes));
            merged.action = Action::Merge;
            merged.is_verbatim = false;
        }
        let word = taken.as_ref().map(|taken| taken.word().to_owned());
        let cannot_be_both = matches!(taken, Some(Taken::Both)) && source.is_some() && target.is_some();
        if cannot_be_both {
            merged.action = Action::Ask;
        }
        merged.conflicts = vec![Conflict {
            definition: String::new(),
            number: 1,
            why: if cannot_be_both {
                format!("{why}: both cannot stand at one path")
            } else {
                why.to_owned()
            },
            inputs,
            taken: word.filter(|_| !cannot_be_both),
        }];
        Ok(merged)
    }
}

fn draft(class: Sides, action: Action, risk: Risk, note: Option<String>) -> Draft {
    Draft { class, action, risk, note }
}

/// Whether it may be run: what one side changed holds; without an ancestor, a right that one side has is kept.
fn merged_mode(base: Option<&Version>, source: &Version, target: &Version) -> u32 {
    let (one, other) = (source.is_executable(), target.is_executable());
    let is_executable = match base.map(Version::is_executable) {
        Some(old) if one == old => other,
        Some(_) => one,
        None => one || other,
    };
    match (is_executable, other) {
        (true, false) => target.mode | ((target.mode & 0o444) >> 2),
        (false, true) => target.mode & !0o111,
        _ => target.mode,
    }
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.contains(&0)
}
