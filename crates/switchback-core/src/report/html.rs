//! A report as one HTML file: no script, no font, no picture, nothing that would have to be fetched.
//!
//! It is written so that an XML reader understands it too.

use super::page::{Block, Page, Section, Table};
use super::save::HTML_MARK;
use super::visible::{visible, visible_name};
use super::wording::{Bit, Words, moment};
use crate::verdict::Verdict;

/// How pages look: in light and dark, on a narrow screen, on paper.
pub const STYLE: &str = include_str!("page.css");
/// A bar is at least so many thousandths of the whole long, so that it is seen.
const BAR_PERMILLE_MIN: u64 = 4;
/// A name that is no longer than this is not broken in two.
const NAME_CHARACTERS_MAX: usize = 24;
/// A table of data with so many columns is moved sideways on a narrow page.
const WIDE_FROM: usize = 4;

/// Writes the page.
pub(super) fn html(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut parts = vec![format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         {HTML_MARK}\n<link rel=\"icon\" href=\"data:,\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<p class=\"project\">Switchback</p>\n<h1>{title}</h1>\n"
    )];
    let (class, word) = (class(page.verdict), page.verdict.spoken());
    let headline = escaped(&page.headline);
    parts.push(format!(
        "<p class=\"headline {class}\"><strong class=\"verdict {class}\">{word}</strong> {headline}</p>\n"
    ));
    for note in &page.notes {
        parts.push(format!("<p class=\"note\">{}</p>\n", inline(note)));
    }
    parts.push(facts("summary", &page.facts));
    parts.push("</header>\n<nav aria-label=\"Sections\">\n<ul>\n".to_owned());
    for section in page.sections.iter().filter(|section| section.level == 2) {
        parts.push(format!("<li><a href=\"#{}\">{}</a></li>\n", section.id, escaped(&section.title)));
    }
    parts.push("</ul>\n</nav>\n<main>\n".to_owned());
    let mut is_open = false;
    for section in &page.sections {
        if section.level == 2 {
            if is_open {
                parts.push("</section>\n".to_owned());
            }
            parts.push(format!("<section aria-labelledby=\"{}\">\n", section.id));
            is_open = true;
        }
        parts.push(content(section));
    }
    if is_open {
        parts.push("</section>\n".to_owned());
    }
    parts.push(format!("</main>\n<footer>\n<p>{}</p>\n</footer>\n</body>\n</html>\n", inline(&page.foot)));
    parts.concat()
}

fn content(section: &Section) -> String {
    let level = section.level;
    let mut parts = vec![format!("<h{level} id=\"{}\">{}</h{level}>\n", section.id, escaped(&section.title))];
    for block in &section.blocks {
        match block {
            Block::Text(words) => parts.push(format!("<p>{}</p>\n", inline(words))),
            Block::Note(words) => parts.push(format!("<p class=\"note\">{}</p>\n", inline(words))),
            Block::Command(line) => parts.push(format!("<pre><code>{}</code></pre>\n", escaped(line))),
            Block::Facts(pairs) => parts.push(facts("facts", pairs)),
            Block::List(items) if items.is_empty() => {}
            Block::List(items) => {
                let items: Vec<String> =
                    items.iter().map(|item| format!("<li>{}</li>\n", inline(item))).collect();
                parts.push(format!("<ul>\n{}</ul>\n", items.concat()));
            }
            Block::Table(of) => parts.push(table(of)),
            Block::Output { caption, lines, left_out } => {
                let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
                let more =
                    if *left_out > 0 { format!("… {left_out} lines before\n") } else { String::new() };
                let (caption, lines) = (escaped(caption), lines.join("\n"));
                parts.push(format!(
                    "<figure>\n<figcaption>{caption}</figcaption>\n<pre><code>{more}{lines}</code></pre>\n</figure>\n"
                ));
            }
        }
    }
    parts.concat()
}

fn facts(class: &str, pairs: &[(&'static str, Words)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, words)| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(name), inline(words)))
        .collect();
    format!("<dl class=\"{class}\">\n{}</dl>\n", pairs.concat())
}

/// A table of which the first cell of each row is the row's name.
fn table(table: &Table) -> String {
    let class = match (table.stacks, table.columns.len()) {
        (true, _) => "stacks",
        (false, WIDE_FROM..) => "wide",
        (false, _) => "narrow",
    };
    let caption = escaped(&table.caption);
    // A part of a page that moves sideways must be reached without a mouse.
    let mut parts = vec![format!(
        "<div class=\"table\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table class=\"{class}\">\n\
         <caption>{caption}</caption>\n<thead><tr>"
    )];
    for column in &table.columns {
        parts.push(format!("<th scope=\"col\">{}</th>", escaped(column)));
    }
    parts.push("</tr></thead>\n<tbody>\n".to_owned());
    let (left_out, after) = table.left_out;
    let gap = format!(
        "<tr class=\"gap\"><td colspan=\"{}\">{left_out} more are not shown here</td></tr>\n",
        table.columns.len()
    );
    for (at, row) in table.rows.iter().enumerate() {
        if left_out > 0 && at == after {
            parts.push(gap.clone());
        }
        parts.push("<tr>".to_owned());
        for (number, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
            let (open, close) = if number == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            // The name of the column stands before the cell where rows become blocks.
            parts.push(format!("<{open} data-column=\"{}\">{}</{close}>", escaped(column), inline(cell)));
        }
        parts.push("</tr>\n".to_owned());
    }
    if left_out > 0 && after >= table.rows.len() {
        parts.push(gap.clone());
    }
    parts.push("</tbody>\n</table>\n</div>\n".to_owned());
    parts.concat()
}

fn inline(words: &Words) -> String {
    words.iter().map(bit).collect()
}

fn bit(bit: &Bit) -> String {
    match bit {
        Bit::Text(text) => escaped(text),
        Bit::Code(text) if text.chars().count() <= NAME_CHARACTERS_MAX => fixed(text),
        Bit::Code(text) => format!("<code>{}</code>", escaped(&visible_name(text))),
        Bit::Fixed(text) => format!("<span class=\"fixed\">{}</span>", escaped(text)),
        Bit::Hash(text) => fixed(text),
        Bit::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        Bit::Verdict(verdict) => {
            format!("<span class=\"verdict {}\">{}</span>", class(*verdict), verdict.spoken())
        }
        Bit::NotYet => "<span class=\"verdict open\">not yet</span>".to_owned(),
        Bit::Time(time) => {
            format!("<time datetime=\"{}\">{}</time>", escaped(time), escaped(&moment(time)))
        }
        Bit::Bar(from, until) => {
            let from = (*from).min(1_000 - BAR_PERMILLE_MIN);
            let length = until.saturating_sub(from).clamp(BAR_PERMILLE_MIN, 1_000 - from);
            format!(
                "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
                 <rect class=\"whole\" width=\"1000\" height=\"10\"/><rect x=\"{from}\" width=\"{length}\" height=\"10\"/></svg>"
            )
        }
    }
}

fn fixed(name: &str) -> String {
    format!("<code class=\"fixed\">{}</code>", escaped(&visible_name(name)))
}

fn class(verdict: Verdict) -> &'static str {
    verdict.word()
}

/// Text as it may stand in content and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_quoted_becomes_markup() {
        assert_eq!(
            bit(&Bit::Code("</code><script>alert('x')</script>&\"\u{1b}".into())),
            "<code>&lt;/code&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\u{1b}</code>"
        );
    }

    #[test]
    fn a_bar_is_seen_and_stays_within_the_whole() {
        for (from, until) in [(0, 0), (1_000, 1_000), (999, 5_000), (500, 400)] {
            let bar = bit(&Bit::Bar(from, until));
            let number = |name: &str| -> u64 {
                let start = bar.rfind(&format!(" {name}=\"")).unwrap() + name.len() + 3;
                bar[start..].split('"').next().unwrap().parse().unwrap()
            };
            assert!(number("width") >= BAR_PERMILLE_MIN && number("x") + number("width") <= 1_000, "{bar}");
        }
    }

    #[test]
    fn the_style_sheet_fetches_nothing_and_is_xml() {
        for forbidden in ["url(", "@import", "@font-face", "<", "&", "http"] {
            assert!(!STYLE.contains(forbidden), "{forbidden}");
        }
    }
}
