//! Where a definition is cut out: with its decorators, the comments above it, and the blank lines that would be too many.

use crate::syntax::{Outline, Span, Statement, StatementKind};

/// A piece of a file that is cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// The lines of it, comments above included.
    pub(super) lines: Span,
    /// How many blank lines stand above.
    pub(super) blanks_above: usize,
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes.get(..at).unwrap_or_default().iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// The end of a line, its line end included.
pub(super) fn line_stop(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |length| length + 1)
}

/// The lines of the statement `at`, with the comments right above and the text right below that speak of it; nothing when
/// it shares a line with another.
pub(super) fn cut(bytes: &[u8], outline: &Outline, at: usize) -> Option<Cut> {
    let statement = outline.statements.get(at)?;
    let mut start = line_start(bytes, statement.span.start);
    let mut end = whole(bytes, statement.span)?;
    // A text below a value is its documentation.
    if let (StatementKind::Value, Some(next)) = (statement.kind, outline.statements.get(at + 1))
        && next.kind == StatementKind::Text
        && line_start(bytes, next.span.start) == end
    {
        end = whole(bytes, next.span)?;
    }
    let floor = at
        .checked_sub(1)
        .and_then(|before| outline.statements.get(before))
        .map_or(0, |before| line_stop(bytes, before.span.end));
    while start > floor {
        let above = line_start(bytes, start - 1);
        let line = Span::new(above, start).of(bytes).trim_ascii();
        // What the first lines of a file say, they say of the file.
        if above < floor || !line.starts_with(b"#") || is_head(bytes, above) {
            break;
        }
        start = above;
    }
    let mut blanks_above = 0;
    let mut top = start;
    while top > floor {
        let above = line_start(bytes, top - 1);
        if !Span::new(above, top).of(bytes).trim_ascii().is_empty() {
            break;
        }
        blanks_above += 1;
        top = above;
    }
    Some(Cut { lines: Span::new(start, end), blanks_above })
}

fn is_head(bytes: &[u8], at: usize) -> bool {
    let line = Span::new(at, line_stop(bytes, at)).of(bytes);
    line.starts_with(b"#!") || (at == 0 && line.windows(6).any(|part| part == b"coding"))
}

fn whole(bytes: &[u8], span: Span) -> Option<usize> {
    let before = Span::new(line_start(bytes, span.start), span.start).of(bytes);
    let stop = line_stop(bytes, span.end);
    let behind = Span::new(span.end, stop).of(bytes).trim_ascii();
    (before.is_empty() && (behind.is_empty() || behind.starts_with(b"#"))).then_some(stop)
}

/// What is taken out of the file, so that as many blank lines are left between what stood around it as there were at most.
pub(super) fn taken(bytes: &[u8], cuts: &[Cut]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    while let Some(first) = cuts.get(at) {
        let mut end = first.lines.end;
        at += 1;
        // Neighbours go together.
        while let Some(next) = cuts.get(at)
            && Span::new(end, next.lines.start).of(bytes).trim_ascii().is_empty()
        {
            end = next.lines.end;
            at += 1;
        }
        let start = first.lines.start;
        let mut below = 0;
        let mut stop = end;
        while stop < bytes.len() {
            let next = line_stop(bytes, stop);
            if !Span::new(stop, next).of(bytes).trim_ascii().is_empty() {
                break;
            }
            below += 1;
            stop = next;
        }
        let above: usize = first.blanks_above;
        let is_last = stop >= bytes.len();
        if is_last || below >= above {
            // The blank lines below stay, the ones above go.
            let mut top = start;
            for _ in 0..above {
                top = line_start(bytes, top - 1);
            }
            spans.push(Span::new(top, if is_last || top == 0 { stop } else { end }));
        } else {
            spans.push(Span::new(start, stop));
        }
    }
    spans
}

/// Whether a statement may be cut out at all.
pub(super) fn is_whole(statements: &[&Statement]) -> bool {
    let Some((last, before)) = statements.split_last() else { return false };
    matches!(last.kind, StatementKind::Definition | StatementKind::Value | StatementKind::Overload)
        && before.iter().all(|statement| statement.kind == StatementKind::Overload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::outline;

    fn rest(source: &str, names: &[&str]) -> (String, String) {
        let outline = outline(source.as_bytes());
        let cuts: Vec<Cut> = (0..outline.statements.len())
            .filter(|at| outline.statements[*at].name.as_deref().is_some_and(|name| names.contains(&name)))
            .map(|at| cut(source.as_bytes(), &outline, at).unwrap())
            .collect();
        let mut kept = String::new();
        let mut at = 0;
        for span in taken(source.as_bytes(), &cuts) {
            kept.push_str(&source[at..span.start]);
            at = span.end;
        }
        kept.push_str(&source[at..]);
        (kept, cuts.iter().map(|cut| &source[cut.lines.start..cut.lines.end]).collect())
    }

    #[test]
    fn comments_and_decorators_go_along_and_blank_lines_do_not_pile_up() {
        let source = "import os\n\nA = 1\n\n\n# about f\n@wrap\ndef f(): ...  # f\n\n\ndef g(): ...\n";
        let (kept, gone) = rest(source, &["f"]);
        assert_eq!(kept, "import os\n\nA = 1\n\n\ndef g(): ...\n");
        assert_eq!(gone, "# about f\n@wrap\ndef f(): ...  # f\n");
        assert_eq!(rest(source, &["f", "g"]).0, "import os\n\nA = 1\n");
        assert_eq!(rest(source, &["A", "f"]).0, "import os\n\n\ndef g(): ...\n");
    }

    #[test]
    fn a_text_below_a_value_goes_along() {
        let (kept, gone) = rest("A = 1\nB = 2\n\"\"\"About B.\"\"\"\nC = 3\n", &["B"]);
        assert_eq!((kept.as_str(), gone.as_str()), ("A = 1\nC = 3\n", "B = 2\n\"\"\"About B.\"\"\"\n"));
    }
}
