//! The change log (RE-5): what can be generated from the change, and what a person has to write about it.

use std::fmt::Write as _;

use super::facts::Facts;
use super::text::read_text;
use crate::phase::{StepError, Work};

/// So many lines of one list are written; the others are in `change.json`.
const LISTED_MAX: usize = 500;
/// What stands for a text that somebody still has to write.
const PLACEHOLDERS: &[&str] = &["tbd", "todo", "to be written", "fixme", "..."];

/// A section that a person has to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Its heading.
    pub(super) name: String,
    /// What was written; `None`: nothing, and why that is known.
    pub(super) text: Result<String, String>,
}

/// The sections that the plan asks for, from its notes.
pub(super) fn sections(work: &Work<'_>) -> Result<Vec<Section>, StepError> {
    let package = &work.plan().package;
    let Some(notes) = &package.notes else { return Ok(Vec::new()) };
    let file = work.project.root.join(notes);
    let is_there = work.world().disk.look(&file)?.is_some();
    let text = read_text(work.world(), Some(&file))?;
    let section = |name: &String| {
        let text = if let Some(why) = text.not_read {
            Err(format!("`{}` {why}", notes.display()))
        } else if is_there {
            written(&text.text, name).map_err(|why| format!("`{}` {why}", notes.display()))
        } else {
            Err(format!("`{}` is not there", notes.display()))
        };
        Section { name: name.clone(), text }
    };
    Ok(package.sections.iter().map(section).collect())
}

/// What stands below a heading of that name.
fn written(text: &str, name: &str) -> Result<String, String> {
    let (mut depth, mut lines): (Option<usize>, Vec<&str>) = (None, Vec::new());
    let mut is_code = false;
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let hashes = line.chars().take_while(|letter| *letter == '#').count();
        let is_heading = !is_code && (1..=6).contains(&hashes) && line[hashes..].starts_with(' ');
        if !is_heading {
            lines.extend(depth.map(|_| line));
            continue;
        }
        let title = line[hashes..].trim().trim_end_matches('#').trim();
        match depth {
            Some(outer) if hashes <= outer => break,
            Some(_) => lines.push(line),
            None if title.eq_ignore_ascii_case(name) => depth = Some(hashes),
            None => {}
        }
    }
    if depth.is_none() {
        return Err(format!("has no heading `{name}`"));
    }
    let text = without_remarks(&lines.join("\n"));
    let plain = text.trim().trim_matches(['_', '*', '(', ')', '.', ' ']).to_lowercase();
    if text.trim().is_empty() || plain.is_empty() || PLACEHOLDERS.contains(&plain.as_str()) {
        return Err(format!("says nothing under `{name}`"));
    }
    Ok(text.trim().to_owned())
}

/// The text without what HTML does not show.
fn without_remarks(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(at) = rest.find("<!--") {
        shown.push_str(&rest[..at]);
        rest = rest[at..].find("-->").map_or("", |end| &rest[at + end + 3..]);
    }
    shown + rest
}

/// The change log in Markdown.
pub(super) fn markdown(title: &str, facts: &Facts, sections: &[Section]) -> String {
    let mut page = format!("# {title}\n");
    for section in sections {
        // Written for a heading of its own, whatever its depth was.
        let text = section.text.clone().unwrap_or_else(|why| format!("**To be written:** {why}."));
        let _ = write!(page, "\n## {}\n\n{text}\n", section.name);
    }
    list(&mut page, "How it was made", &facts.made_by);
    let modules = facts.api.modules.iter().map(|(old, new)| format!("{} is {}", code(old), code(new)));
    list(&mut page, "Modules moved", &modules.collect::<Vec<_>>());
    api(&mut page, facts);
    dependencies(&mut page, facts);
    list(&mut page, "Configuration", &coded(&facts.configuration));
    let moved = facts.moved.iter().map(|moved| {
        let changed = if moved.is_changed { ", and changed" } else { "" };
        format!("{} to {}{changed}", code(&moved.old), code(&moved.new))
    });
    list(&mut page, "Files moved", &moved.collect::<Vec<_>>());
    list(&mut page, "Files added", &coded(&facts.added));
    list(&mut page, "Files removed", &coded(&facts.removed));
    list(&mut page, "Files changed", &coded(&facts.changed));
    still_named(&mut page, facts);
    page
}

fn still_named(page: &mut String, facts: &Facts) {
    // What nobody looked at comes first, where no other line can push it out.
    let not_read = facts.still_named.not_read.iter();
    let mut lines: Vec<String> =
        not_read.map(|(path, why)| format!("{} was not looked at: it {why}", code(path))).collect();
    lines.extend(facts.still_named.places.iter().map(|named| {
        let mention = &named.mention;
        let change = mention.change.as_ref().map(|change| format!(" ({change})")).unwrap_or_default();
        let place = code(&format!("{}:{}", named.path, mention.line));
        format!("{place} names {}{change}", code(&mention.name))
    }));
    list(page, "Documents that name what moved, is gone or changed", &lines);
    if facts.still_named.more > 0 {
        let _ = writeln!(page, "- and {} more places, which are listed nowhere", facts.still_named.more);
    }
}

fn api(page: &mut String, facts: &Facts) {
    if let Some(why) = &facts.api.why_not {
        let _ = write!(page, "\n## Public surface\n\nIt was not compared: {}\n", one_line(why));
        return;
    }
    let change = |change: &serde_json::Value| {
        let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
        let breaking = if change["breaking"] == true { "**breaking**: " } else { "" };
        let mut line = format!("{breaking}{} {}", code(&text("symbol")), text("kind"));
        let sides: Vec<String> = [text("old"), text("new")]
            .iter()
            .filter(|side| !side.is_empty())
            .map(|side| code(side))
            .collect();
        if !sides.is_empty() {
            let _ = write!(line, ": {}", sides.join(" → "));
        }
        line
    };
    list(page, "Public surface", &facts.api.changes.iter().map(change).collect::<Vec<_>>());
}

fn dependencies(page: &mut String, facts: &Facts) {
    let mut lines = Vec::new();
    for file in &facts.dependencies {
        let gone = file.gone.iter().map(|line| format!("{}: gone {}", code(&file.file), code(line)));
        let new = file.new.iter().map(|line| format!("{}: new {}", code(&file.file), code(line)));
        lines.extend(gone.chain(new));
        if let Some(why) = &file.not_read {
            lines.push(format!("{} was not compared: {why}", code(&file.file)));
        } else if file.gone.is_empty() && file.new.is_empty() {
            lines.push(format!("{}: changed in layout or order alone", code(&file.file)));
        }
    }
    list(page, "Dependencies", &lines);
}

/// A section with a list, also where it is empty: that nothing changed is said.
fn list(page: &mut String, title: &str, lines: &[String]) {
    let _ = write!(page, "\n## {title}\n\n");
    if lines.is_empty() {
        page.push_str("None.\n");
    }
    for line in lines.iter().take(LISTED_MAX) {
        let _ = writeln!(page, "- {}", one_line(line));
    }
    if lines.len() > LISTED_MAX {
        let _ = writeln!(page, "- and {} more, in `change.json`", lines.len() - LISTED_MAX);
    }
}

fn coded(paths: &[String]) -> Vec<String> {
    paths.iter().map(|path| code(path)).collect()
}

/// A name as code: nothing in it ends it.
fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_written_when_something_is_said_under_its_heading() {
        let notes = "# Notes\n\n## Summary\nOne pipeline less.\n\n### Detail\nMore.\n\n## Breaking changes\n\
                     <!-- say what breaks -->\n\n## Known issues\nTBD\n\n## Code\n```\n## Hidden\n```\n";
        let nothing = |name: &str| Err(format!("says nothing under `{name}`"));
        assert_eq!(written(notes, "summary"), Ok("One pipeline less.\n\n### Detail\nMore.".to_owned()));
        assert_eq!(written(notes, "Breaking changes"), nothing("Breaking changes"));
        assert_eq!(written(notes, "Known issues"), nothing("Known issues"));
        assert_eq!(written(notes, "Code"), Ok("```\n## Hidden\n```".to_owned()));
        assert_eq!(written(notes, "Hidden"), Err("has no heading `Hidden`".to_owned()));
        assert_eq!(written("## A\n*(to be written)*\n", "A"), Err("says nothing under `A`".to_owned()));
    }

    #[test]
    fn the_page_says_also_what_did_not_change() {
        let facts = Facts { added: vec!["src/a`b.py".to_owned()], ..Facts::default() };
        let section = Section { name: "Summary".to_owned(), text: Err("`N.md` is not there".to_owned()) };
        let page = markdown("shop", &facts, &[section]);
        assert!(
            page.starts_with("# shop\n\n## Summary\n\n**To be written:** `N.md` is not there.\n"),
            "{page}"
        );
        assert!(page.contains("\n## Files added\n\n- `src/a'b.py`\n"), "{page}");
        assert!(page.contains("\n## Files removed\n\nNone.\n"), "{page}");
    }
}
