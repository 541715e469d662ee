//! The document `switchback/compare/1` for people and for a CI: a table on a terminal, Markdown, HTML, JUnit XML.
//!
//! All are written from the document alone, so that one that was stored as evidence can be shown again: `words` read its
//! members, `whole`, `items`, `schema` and `proofs` say what is in it as `parts`, and `terminal` (with `layout`), `html`,
//! `markdown` and `junit` write these down.

mod html;
mod items;
mod junit;
mod layout;
mod markdown;
mod parts;
mod proofs;
mod schema;
mod terminal;
mod whole;
mod words;

use serde_json::Value as Json;

use parts::Section;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Tables that fit a screen.
    Text(Screen),
    /// Text with the tables of GitHub.
    Markdown,
    /// One file for a browser, that needs nothing else.
    Html,
    /// JUnit XML: a case for each pair of files, and for each stage.
    Junit,
}

/// What text is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// The characters that a line may have; fewer than 40 are taken for 40.
    pub columns: usize,
    /// Whether there may be colour. Nothing is told by colour alone.
    pub color: bool,
}

/// The narrowest screen that tables are made for.
const SCREEN_MIN: usize = 40;

impl Screen {
    /// What is no terminal: 100 columns, without colour.
    pub const NONE: Self = Self { columns: 100, color: false };
}

/// Writes a document. What it lacks is left out.
pub fn write(report: &Json, form: Form) -> String {
    if form == Form::Junit {
        return junit::junit(report);
    }
    let ordered = whole::in_order(report);
    let mut numbers = Vec::with_capacity(ordered.len());
    let mut items: Vec<Section> = Vec::new();
    for item in &ordered {
        let section = items::section(item, ordered.len() == 1);
        numbers.push(section.is_some().then_some(items.len()));
        items.extend(section);
    }
    let proofs: Vec<Section> =
        [proofs::noise(report), proofs::planted(report)].into_iter().flatten().collect();
    let whole = whole::whole(report, &ordered, &numbers);
    match form {
        Form::Text(screen) => terminal::terminal(&whole, &items, &proofs, screen),
        Form::Markdown => markdown::markdown(&whole, &items, &proofs),
        Form::Html | Form::Junit => html::html(&whole, &items, &proofs),
    }
}
