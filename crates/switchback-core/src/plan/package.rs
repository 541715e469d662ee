//! What packages of a change hold beside it, and what a person has to write about it.

use std::path::PathBuf;

use super::fields::Fields;
use super::key::{Key, Shape};
use super::paths::relative;

/// What packages of a change hold, and what has to be written about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// What packages are called; `None`: as the project.
    pub name: Option<String>,
    /// The file, in Markdown, in which a person writes about the change.
    pub notes: Option<PathBuf>,
    /// The headings that have to be in it.
    pub sections: Vec<String>,
    /// Further files of the project.
    pub include: Vec<PathBuf>,
    /// Files and folders in which what looks like a secret is none.
    pub allow_secrets: Vec<PathBuf>,
}

/// The keys of `[package]`.
pub(super) const PACKAGE: &[Key] = &[
    Key::optional("name", Shape::Text, "what its packages are called; as the project when left out"),
    Key::optional("notes", Shape::Text, "the file in Markdown in which a person writes about the change"),
    Key::optional("sections", Shape::Texts, "headings that have to be in `notes`, each with a text"),
    Key::optional("include", Shape::Texts, "further files of the project that a package holds"),
    Key::optional(
        "allow_secrets",
        Shape::Texts,
        "files and folders in which what looks like a secret is none",
    ),
];

/// Reads `[package]`.
pub(super) fn read(fields: &Fields<'_>) -> Package {
    let name = fields.filled_text("name");
    let is_letter = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    if let Some(name) = &name
        && (!name.chars().all(is_letter) || name.starts_with(['.', '-']) || name.len() > 100)
    {
        let message = "the name of a package is part of the name of its file";
        fields.find("name", message, "use letters, digits, `-`, `_` and `.`, at most 100");
    }
    let notes = fields.filled_text("notes").and_then(|text| {
        relative(&text, fields.offset_of("notes"), "the path in `notes`", fields.findings())
    });
    let sections = fields.texts("sections").unwrap_or_default();
    if !sections.is_empty() && !fields.has("notes") {
        let message = "`sections` have to be written somewhere, and no file is named for it";
        fields.find("sections", message, "add `notes = \"docs/CHANGES.md\"`");
    }
    if let Some(blank) = sections.iter().find(|section| section.trim().is_empty()) {
        let message = format!("the section `{blank}` has no name");
        fields.find("sections", message, "name it as its heading is to be, or take it out");
    }
    let paths = |key: &str| -> Vec<PathBuf> {
        let texts = fields.placed_texts(key).unwrap_or_default();
        let what = format!("the path in `{key}`");
        let path = |(offset, text): &(usize, String)| relative(text, *offset, &what, fields.findings());
        texts.iter().filter_map(path).collect()
    };
    let (include, allow_secrets) = (paths("include"), paths("allow_secrets"));
    Package { name, notes, sections, include, allow_secrets }
}
