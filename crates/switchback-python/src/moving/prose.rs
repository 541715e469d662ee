//! Files that are no code, and the sentences in code: names and paths that stand where only code stands are rewritten
//! when they resolve; everything else is listed.

use aho_corasick::AhoCorasick;

use super::dunder;
use super::edit::{EditKind, Edits};
use super::mapping::{Mapping, leaf_path};
use super::plan::line_end;
use super::setting;
use super::statement;
use super::string::{self, Answer};
use crate::index::{Index, ModuleName};
use crate::syntax::{Dialect, Span, is_word, parse};

/// How the text of a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// Everything but comments is code.
    Configuration,
    /// Code stands in backticks, fences and links.
    Markdown,
    /// Code stands in backticks, directives, literal blocks and doctests; so it does in docstrings.
    Restructured,
    /// Code stands in backticks and quotes: comments and messages.
    Sentence,
    /// What was true when it was written: nothing is rewritten.
    History,
}

/// How a file is to be read, by its name.
pub(crate) fn flavor_of(path: &str) -> Flavor {
    let name = leaf_path(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let is_history =
        ["changes", "changelog", "history", "news", "whatsnew", "release-notes", "release_notes", "releases"]
            .iter()
            .any(|word| {
                stem == *word
                    || path.to_ascii_lowercase().split('/').rev().skip(1).any(|folder| folder == *word)
            });
    let is_history =
        is_history || path.split('/').any(|folder| matches!(folder, "newsfragments" | "changelog.d"));
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "md" | "rst" | "txt" | "" if is_history => Flavor::History,
        "md" => Flavor::Markdown,
        "rst" => Flavor::Restructured,
        "txt" if !stem.contains("requirements") && !stem.contains("constraints") => Flavor::Restructured,
        _ => Flavor::Configuration,
    }
}

/// What looks through texts: the words that the move is about.
pub(crate) struct Reader<'a> {
    pub(crate) index: &'a Index<'a>,
    pub(crate) mapping: &'a Mapping,
    pub(crate) search: &'a AhoCorasick,
    /// The file, in the old tree.
    pub(crate) path: &'a str,
}

/// A name or a path, as far as it goes.
pub(crate) struct Token {
    pub(crate) span: Span,
    pub(crate) is_path: bool,
}

impl Reader<'_> {
    /// Plans the edits of the part `within` of a file.
    pub(crate) fn edit(&self, bytes: &[u8], within: Span, flavor: Flavor, kind: EditKind, edits: &mut Edits) {
        if !self.search.is_match(within.of(bytes)) {
            return;
        }
        let blocks = Blocks::new(bytes, within, flavor);
        if flavor != Flavor::Sentence && flavor != Flavor::Configuration && flavor != Flavor::History {
            self.edit_statements(bytes, &blocks, kind, edits);
        }
        let mut last = within.start;
        for found in self.search.find_iter(within.of(bytes)) {
            let at = within.start + found.start();
            if at < last {
                continue;
            }
            let Some(token) = token(bytes, within, at) else { continue };
            last = token.span.end.max(at + 1);
            let is_edited = edits
                .edits
                .iter()
                .any(|edit| edit.span.start < token.span.end && token.span.start < edit.span.end);
            if !is_edited {
                self.edit_token(bytes, within, &token, flavor, &blocks, kind, edits);
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what a token is can only be told from all that is around it"
    )]
    fn edit_token(
        &self,
        bytes: &[u8],
        within: Span,
        token: &Token,
        flavor: Flavor,
        blocks: &Blocks,
        kind: EditKind,
        edits: &mut Edits,
    ) {
        let Ok(text) = std::str::from_utf8(token.span.of(bytes)) else { return };
        let answer = if token.is_path {
            string::path(self.index, self.mapping, self.path, text)
        } else {
            // Followed by a star or the like, it is the beginning of a pattern.
            let is_import = follows_import(bytes, token.span.start)
                || setting::names_module(bytes, token.span, flavor == Flavor::Configuration);
            string::dotted(self.index, self.mapping, text, is_import)
        };
        let new = match answer {
            Answer::Nothing => {
                let is_setting = flavor == Flavor::Configuration;
                if let Some(why) =
                    setting::why_left(self.index, self.mapping, text, token.is_path, is_setting)
                {
                    edits.leave(bytes, token.span, why);
                }
                return;
            }
            Answer::Left(why) => return edits.leave(bytes, token.span, why),
            Answer::New(new) => new,
        };
        if flavor == Flavor::History {
            return edits.leave(bytes, token.span, "left, history");
        }
        let is_command = !token.is_path && is_run(bytes, token.span.start);
        if !is_command && !blocks.is_code(token.span.start) && !is_marked(bytes, within, token.span, flavor) {
            return edits.leave(bytes, token.span, "left, prose");
        }
        if flavor == Flavor::Configuration
            && !token.is_path
            && is_logger(bytes, token.span.start)
            && !string::logger_follows(self.index, text)
        {
            let why = "the module does not name its logger by `__name__`, so the logger keeps its name";
            return edits.leave(bytes, token.span, why);
        }
        if let Some((span, attribute)) = dunder::attribute(bytes, token.span, text, &new) {
            edits.put(span, attribute, kind);
        }
        edits.put(token.span, new, kind);
    }

    /// `from a import b` on a line of code.
    fn edit_statements(&self, bytes: &[u8], blocks: &Blocks, kind: EditKind, edits: &mut Edits) {
        for line in &blocks.lines {
            let text = line.of(bytes);
            let prompt = text.iter().take_while(|byte| b" \t>.".contains(byte)).count();
            let Some(code) = text.get(prompt..).filter(|code| code.starts_with(b"from ")) else { continue };
            if !self.search.is_match(code) {
                continue;
            }
            let facts = parse(code, Dialect::Module);
            let [import] = facts.imports.as_slice() else { continue };
            let Some(from) = import.from.as_ref().filter(|from| from.level == 0) else { continue };
            if !facts.errors.is_empty() {
                continue;
            }
            let nowhere: Option<&ModuleName> = None;
            let scene = super::edit::Scene {
                index: self.index,
                mapping: self.mapping,
                facts: &facts,
                bytes: code,
                path: self.path,
                old: nowhere,
                new: nowhere,
                line_end: line_end(bytes),
            };
            let mut found = Edits::default();
            statement::edit_from(&scene, import, from, &mut found);
            let offset = line.start + prompt;
            if found.edits.iter().any(|edit| edit.new.contains('\n')) {
                edits.leave(bytes, import.span.shifted(offset), "its names part ways; write two statements");
                continue;
            }
            for edit in found.edits {
                edits.put(edit.span.shifted(offset), edit.new, kind);
            }
        }
    }
}

/// The name or path around an offset; nothing when it is a part of something else.
pub(crate) fn token(bytes: &[u8], within: Span, at: usize) -> Option<Token> {
    let is_part = |byte: u8| is_word(byte) && byte.is_ascii() || matches!(byte, b'.' | b'/' | b'-');
    let mut start = at;
    while start > within.start && bytes.get(start - 1).is_some_and(|byte| is_part(*byte)) {
        start -= 1;
    }
    let mut end = at;
    while end < within.end && bytes.get(end).is_some_and(|byte| is_part(*byte)) {
        end += 1;
    }
    // `scheme://host/path` and `user@host`.
    let before = bytes.get(within.start..start).unwrap_or_default();
    if before.ends_with(b":") && bytes.get(start..end)?.starts_with(b"//") {
        return None;
    }
    if before.ends_with(b"@") && before.iter().rev().nth(1).is_some_and(|byte| is_word(*byte)) {
        return None;
    }
    // An option: `--cov=shop` was cut at the sign, `-shop` was not.
    while bytes.get(start) == Some(&b'-') {
        start += 1;
    }
    while end > start && bytes.get(end - 1).is_some_and(|byte| matches!(byte, b'.' | b'-')) {
        end -= 1;
    }
    let text = bytes.get(start..end)?;
    let is_path =
        text.contains(&b'/') || [".py", ".pyi", ".ipynb"].iter().any(|end| text.ends_with(end.as_bytes()));
    if is_path {
        return Some(Token { span: Span::new(start, end), is_path });
    }
    while bytes.get(start) == Some(&b'.') {
        start += 1;
    }
    // `[mypy-pkg.mod]`: a section of `setup.cfg`.
    if bytes.get(start..end)?.starts_with(b"mypy-") {
        start += "mypy-".len();
    }
    if bytes.get(start..end)?.contains(&b'-') {
        return None;
    }
    // `module:function`.
    if bytes.get(end) == Some(&b':')
        && bytes.get(end + 1).is_some_and(|byte| is_word(*byte) && !byte.is_ascii_digit())
    {
        let length = bytes
            .iter()
            .take(within.end)
            .skip(end + 1)
            .take_while(|byte| is_word(**byte) || **byte == b'.')
            .count();
        if length > 0 && end + 1 + length <= within.end {
            end += 1 + length;
        }
        while bytes.get(end - 1) == Some(&b'.') {
            end -= 1;
        }
    }
    Some(Token { span: Span::new(start, end), is_path })
}

/// What stands before a token on its line, as far as a word or two go.
fn before_on_line(bytes: &[u8], start: usize) -> String {
    let before = bytes.get(start.saturating_sub(24)..start).unwrap_or_default();
    let before = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(before).into_owned()
}

/// `python -m name`: a command, wherever it stands.
fn is_run(bytes: &[u8], start: usize) -> bool {
    let before = before_on_line(bytes, start);
    let mut words = before.split_whitespace().rev();
    before.ends_with([' ', '\t'])
        && words.next() == Some("-m")
        && words.next().is_some_and(|word| word.contains("python"))
}

/// `python -m name` and `import name`: even a single name is a module there.
pub(crate) fn follows_import(bytes: &[u8], start: usize) -> bool {
    let before = before_on_line(bytes, start);
    let mut words = before.split_whitespace().rev();
    let is_apart = before.ends_with([' ', '\t']);
    match words.next() {
        Some("-m") => is_run(bytes, start),
        Some("import" | "from") => is_apart && words.next().is_none_or(|word| matches!(word, ">>>" | "...")),
        // `python -c "import shop; …"`.
        Some("\"import" | "'import" | "\"from" | "'from") => is_apart && words.next() == Some("-c"),
        _ => false,
    }
}

/// Whether the marks right around a token say that it is code.
pub(crate) fn is_marked(bytes: &[u8], within: Span, token: Span, flavor: Flavor) -> bool {
    let start = bytes.get(within.start..token.start).unwrap_or_default();
    let line = start.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line).into_owned();
    if flavor == Flavor::Configuration {
        return !is_comment(&text) || is_quoted(bytes, within, token, &text);
    }
    let directive = text.trim_start();
    if flavor == Flavor::Restructured && directive.starts_with(".. ") && directive.trim_end().ends_with("::")
    {
        return true;
    }
    if matches!(flavor, Flavor::Markdown | Flavor::Restructured) && directive.trim_end() == ":::" {
        return true;
    }
    if flavor == Flavor::Markdown && text.ends_with("](") {
        return true;
    }
    // `module:function`, as entry points are written.
    // The pieces of a sentence that is split over several strings are no lines.
    let is_line = flavor != Flavor::Sentence || start.contains(&b'\n');
    if token.of(bytes).contains(&b':') || is_line && is_field(&text, bytes, within, token) {
        return true;
    }
    if (directive.starts_with(">>> ") || directive.starts_with("... ")) && flavor != Flavor::Sentence {
        return true;
    }
    is_quoted(bytes, within, token, &text)
}

/// Fields and comments that hold types, and names that have a line to themselves.
fn is_field(before: &str, bytes: &[u8], within: Span, token: Span) -> bool {
    let before = before.trim_start();
    if ["@type ", "@rtype", ":type ", ":rtype:", "# type: "].iter().any(|field| before.starts_with(field)) {
        return true;
    }
    let rest = bytes.get(token.end..within.end).unwrap_or_default();
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_alone =
        before.is_empty() || matches!(before.trim_end(), "@return:" | ":return:" | ":returns:" | "@returns:");
    is_alone && line.trim_ascii().is_empty()
}

/// Within backticks, or right between quotes.
fn is_quoted(bytes: &[u8], within: Span, token: Span, before: &str) -> bool {
    let rest = bytes.get(token.end..within.end).unwrap_or_default();
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let in_backticks = before.matches('`').count() % 2 == 1 && line.contains(&b'`');
    // Double backticks count twice; what stands between two pairs is not within one.
    let doubled = before.matches("``").count() % 2 == 1 && line.windows(2).any(|pair| pair == b"``");
    let open = before.chars().next_back();
    let quoted = matches!(open, Some('\'' | '"'))
        && line.iter().find(|byte| !is_word(**byte) && **byte != b'.').copied()
            == open.and_then(|open| u8::try_from(open).ok());
    in_backticks || doubled || quoted
}

/// Whether a `#` or `;` earlier on the line makes what follows a comment.
fn is_comment(before: &str) -> bool {
    let begins = before.trim_start();
    begins.starts_with('#') || begins.starts_with(';') || before.contains(" #")
}

/// Whether an offset lies below a key `loggers`, or after one on its line, or after `qualname =`.
fn is_logger(bytes: &[u8], offset: usize) -> bool {
    let before = bytes.get(..offset).unwrap_or_default();
    let before = String::from_utf8_lossy(before).into_owned();
    let mut lines = before.rsplit('\n');
    let line = lines.next().unwrap_or_default();
    if line.contains("loggers") || line.trim_start().starts_with("qualname") {
        return true;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut depth = indent(line);
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if indent(line) < depth {
            depth = indent(line);
            if line.trim_start().trim_start_matches(['"', '\'']).starts_with("loggers") {
                return true;
            }
        }
        if depth == 0 {
            break;
        }
    }
    false
}

/// Where the code of a text is: lines of fences, literal blocks and doctests.
pub(crate) struct Blocks {
    lines: Vec<Span>,
}

impl Blocks {
    pub(crate) fn new(bytes: &[u8], within: Span, flavor: Flavor) -> Self {
        let mut lines = Vec::new();
        let mut at = within.start;
        let mut fence: Option<&str> = None;
        // The indentation of what a literal block hangs on.
        let mut literal: Option<usize> = None;
        while at < within.end {
            let rest = bytes.get(at..within.end).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            let span = Span::new(at, at + length);
            at += length;
            let Ok(text) = std::str::from_utf8(span.of(bytes)) else { continue };
            let body = text.trim_start();
            let indent = text.len() - body.len();
            if let Some(mark) = fence {
                if body.starts_with(mark) {
                    fence = None;
                } else {
                    lines.push(span);
                }
                continue;
            }
            if flavor != Flavor::Sentence && (body.starts_with("```") || body.starts_with("~~~")) {
                fence = Some(if body.starts_with("```") { "```" } else { "~~~" });
                continue;
            }
            if body.starts_with(">>> ") || body.starts_with("... ") {
                lines.push(span);
                continue;
            }
            if flavor != Flavor::Restructured || body.trim().is_empty() {
                continue;
            }
            if let Some(depth) = literal {
                if indent > depth {
                    lines.push(span);
                    continue;
                }
                literal = None;
            }
            let trimmed = body.trim_end();
            let is_block = trimmed.ends_with("::") && !trimmed.starts_with(".. ");
            let is_code =
                [".. code-block::", ".. code::", ".. sourcecode::", ".. testcode::", ".. doctest::"]
                    .iter()
                    .any(|name| trimmed.starts_with(name));
            if is_block || is_code {
                literal = Some(indent);
            }
        }
        Self { lines }
    }

    pub(crate) fn is_code(&self, offset: usize) -> bool {
        let after = self.lines.partition_point(|line| line.start <= offset);
        after.checked_sub(1).and_then(|at| self.lines.get(at)).is_some_and(|line| offset < line.end)
    }
}
