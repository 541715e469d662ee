//! The comments of a text whose comments begin with a sign and end with the line: by line, and handed out once.

/// From a line and column to another, counted from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: (u64, u64),
    pub(crate) to: (u64, u64),
    /// Whether it is a scalar without quotes.
    pub(crate) is_plain: bool,
}

/// Comments that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Remarks {
    /// In the order of lines: the line, whether nothing else stands on it, and the text behind the sign.
    remarks: std::collections::VecDeque<Remark>,
}

#[derive(Debug)]
struct Remark {
    line: u64,
    stands_alone: bool,
    text: String,
}

impl Remarks {
    /// Finds the comments that begin with `#`, outside of the spans, which are in order.
    pub(crate) fn new(text: &str, spans: &[Span]) -> Self {
        let lines = (0..).zip(text.lines());
        let remarks = lines.filter(|(_, content)| content.contains('#'));
        let remarks = remarks.filter_map(|(line, content)| remark(content, line, spans)).collect();
        Self { remarks }
    }

    /// Those of lines before this one.
    pub(crate) fn before(&mut self, line: u64) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(remark) = self.remarks.pop_front_if(|remark| remark.line < line) {
            taken.push(remark.text);
        }
        taken
    }

    /// The one that stands behind something on this line.
    pub(crate) fn on(&mut self, line: u64) -> Vec<String> {
        let at = self
            .remarks
            .iter()
            .take_while(|remark| remark.line <= line)
            .position(|remark| remark.line == line && !remark.stands_alone);
        at.and_then(|at| self.remarks.remove(at)).map(|remark| remark.text).into_iter().collect()
    }

    /// All that are left.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        self.remarks.drain(..).map(|remark| remark.text).collect()
    }
}

fn remark(content: &str, line: u64, spans: &[Span]) -> Option<Remark> {
    let column = usize::try_from(begin(content, line, spans)?).ok()?;
    let (at, _) = content.char_indices().nth(column)?;
    let text = content[at + 1..].trim_end().to_owned();
    Some(Remark { line, stands_alone: content[..at].trim().is_empty(), text })
}

/// The column in which a comment begins, counted in characters from 0.
pub(crate) fn begin(content: &str, line: u64, spans: &[Span]) -> Option<u64> {
    let first = spans.partition_point(|span| span.to.0 < line);
    let mut before = None;
    for (column, letter) in (0..).zip(content.chars()) {
        let begins = letter == '#' && before.is_none_or(|before: char| before == ' ' || before == '\t');
        let is_within = || {
            let near = spans[first..].iter().take_while(|span| span.from.0 <= line);
            near.clone().any(|span| span.from <= (line, column) && (line, column) < span.to)
        };
        if begins && !is_within() {
            return Some(column);
        }
        before = Some(letter);
    }
    None
}
