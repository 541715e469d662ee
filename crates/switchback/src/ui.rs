//! The only place that writes to a terminal: data to stdout, everything else to stderr.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use switchback_compare::page::Screen;
use switchback_core::phase::outlook::Ahead;
use switchback_core::phase::redact::Redactor;
use switchback_core::phase::{Notice, Witness};
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

use crate::cli::{ColorChoice, Common};
use crate::failure::Failure;
use crate::progress::Progress;

/// Writes what people and programs read.
#[derive(Debug)]
pub(crate) struct Ui {
    /// Whether stdout carries one JSON document.
    pub(crate) json: bool,
    screen: Screen,
    redactor: Redactor,
    quiet: bool,
    color: bool,
    progress: Arc<Progress>,
}

impl Ui {
    /// As the options and the terminal ask for.
    pub(crate) fn new(common: &Common, world: &World) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let no_color = world.surroundings.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match common.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && std::io::stdout().is_terminal() && !no_color,
        };
        let out = std::io::stdout();
        // A terminal that does not know its size says 0.
        let size = terminal_size::terminal_size_of(&out).filter(|(width, _)| width.0 > 0);
        let columns = size.map_or(Screen::NONE.columns, |(width, _)| usize::from(width.0));
        Self {
            json: common.json,
            screen: Screen { columns, color },
            redactor: Redactor::new(world.surroundings.as_ref()),
            quiet: common.quiet,
            color,
            progress: Arc::new(Progress::new(is_terminal && !common.quiet)),
        }
    }

    /// The line that shows how far something is.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// What tables are written for.
    pub(crate) fn screen(&self) -> Screen {
        self.screen
    }

    /// Whether what is written to stdout is seen at once, and nobody asked for less.
    pub(crate) fn is_read_by_a_person(&self) -> bool {
        std::io::stdout().is_terminal() && !self.json && !self.quiet
    }

    /// Data, one line.
    pub(crate) fn data(&self, line: &str) {
        self.progress.end();
        write_line(&mut std::io::stdout().lock(), line);
    }

    /// A whole text that ends as it should.
    pub(crate) fn text(&self, text: &str) {
        self.progress.end();
        write_text(&mut std::io::stdout().lock(), text);
    }

    /// One JSON document, which begins with its schema and its verdict.
    pub(crate) fn document(&self, document: &Value) {
        self.data(&document_text(document));
    }

    /// Data for a person; nothing when a program reads.
    pub(crate) fn show(&self, line: &str) {
        if !self.json {
            self.data(line);
        }
    }

    /// The rows of a table for a person, each column as wide as its widest cell.
    pub(crate) fn table(&self, rows: &[Vec<String>]) {
        for line in aligned(rows) {
            self.show(&format!("  {line}"));
        }
    }

    /// A message.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            self.progress.aside(|| write_line(&mut std::io::stderr().lock(), line));
        }
    }

    /// Tells the line that shows how far it is what is to come; `outlook` is asked only where there is such a line.
    pub(crate) fn expect<E>(&self, outlook: impl FnOnce() -> Result<Vec<Ahead>, E>) -> Result<(), E> {
        if self.progress.is_shown() {
            self.progress.expect(outlook()?);
        }
        Ok(())
    }

    /// A verdict as a word, with colour where there is any.
    pub(crate) fn verdict(&self, verdict: Verdict) -> String {
        let (color, word) = match verdict {
            Verdict::Yes => (AnsiColor::Green, "yes"),
            Verdict::No => (AnsiColor::Red, "no"),
            Verdict::Unknown => (AnsiColor::Yellow, "could not tell"),
        };
        self.styled(Style::new().fg_color(Some(color.into())).bold(), word)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// An error: what, why, and what now. It may quote what a command said, which may be a secret.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.progress.end();
        let failure = &failure.map_texts(|text| self.redactor.clean(text));
        if self.json {
            self.document(&failure.to_json());
            return;
        }
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let mut lines = vec![format!("{} {}", self.styled(red, "error:"), failure.message)];
        lines.extend(failure.causes.iter().map(|cause| format!("  caused by: {cause}")));
        if !failure.hint.is_empty() {
            lines.push(String::new());
            lines.push(format!("hint: {}", failure.hint));
        }
        write_line(&mut std::io::stderr().lock(), &lines.join("\n"));
    }

    /// Why something went no further, each reason behind the verdict in words, and what now. It is part of the result,
    /// so it is shown with `--quiet` too.
    pub(crate) fn refusal(&self, verdict: &str, reasons: &[String], next: &str) {
        let mut lines: Vec<String> = reasons.iter().map(|reason| format!("  {verdict}: {reason}")).collect();
        if !next.is_empty() {
            lines.push(format!("\nnext: {next}"));
        }
        self.progress.end();
        for line in lines {
            write_line(&mut std::io::stderr().lock(), &line);
        }
    }
}

impl Witness for Ui {
    fn notice(&self, notice: Notice) {
        match notice {
            Notice::Began { phase, what } => self.progress.begin(&phase, &what),
            Notice::Done { phase, what } => self.note(&format!("  {phase}: {what}")),
            Notice::Looked { check, at, verdict, summary, table } => {
                self.note(&format!("  check {check} at {at}: {}: {summary}", self.verdict(verdict)));
                for line in aligned(&table) {
                    self.note(&format!("    {line}"));
                }
            }
            Notice::Rehearsed { phase, verdict, summary } => {
                self.note(&format!("  {phase}: rehearsal: {}: {summary}", self.verdict(verdict)));
            }
            Notice::Acknowledged { phase, what, milliseconds } => {
                self.note(&format!("  {phase}: acknowledged: {what} ({milliseconds:.1} ms)"));
            }
            Notice::Warning(what) => self.note(&format!("warning: {what}")),
        }
    }
}

/// The rows of a table as lines: every column but the last of a row is as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let wide = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate().take(row.len().saturating_sub(1)) {
            if widths.len() <= column {
                widths.push(0);
            }
            widths[column] = widths[column].max(wide(cell));
        }
    }
    let line = |row: &Vec<String>| {
        let last = row.len().saturating_sub(1);
        let padded = row.iter().enumerate().map(|(column, cell)| {
            let room = if column == last { 0 } else { widths[column].saturating_sub(wide(cell)) };
            format!("{cell}{}", " ".repeat(room))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Says why this process could not become a command: it has no other voice.
pub(crate) fn complain(line: &str) {
    write_line(&mut std::io::stderr().lock(), &format!("switchback: {line}"));
}

/// Help, the version, or what is wrong with the arguments; under `--json` that is a document too.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let is_json =
        |argument: OsString| argument == "--json" || argument.to_string_lossy().starts_with("--json=");
    let wants_json = std::env::args_os().any(is_json);
    if !is_help && wants_json {
        let text = error.render().to_string();
        let (said, usage) = text.split_once("Usage: ").unwrap_or((&text, ""));
        // The next move stands in the hint.
        let is_said = |line: &&str| !line.is_empty() && !line.starts_with("For more information");
        let mut lines = said.lines().map(str::trim).filter(is_said);
        let first = lines.next().unwrap_or_default();
        let message = first.trim_start_matches("error: ").trim_end_matches(':').to_owned();
        let (tips, causes): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("tip: "));
        // The command ends where its arguments begin.
        let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_command = |word: &&str| is_word(word) && !word.starts_with('-');
        let command: Vec<&str> = usage.split_whitespace().take_while(is_command).collect();
        let command = if command.is_empty() { "switchback".to_owned() } else { command.join(" ") };
        let hint = match tips.first() {
            Some(tip) => tip.trim_start_matches("tip: ").to_owned(),
            None => format!("`{command} --help` shows what can be typed"),
        };
        let causes = causes.into_iter().map(str::to_owned).collect();
        let failure = Failure::new(message, causes, hint);
        write_line(&mut std::io::stdout().lock(), &document_text(&failure.to_json()));
        return ExitCode::from(2);
    }
    // A closed pipe is nobody's fault, and there is nowhere left to say so.
    drop(error.print());
    ExitCode::from(if is_help { 0 } else { 2 })
}

/// A document as text, without a line end. Keys are sorted, but for the two that a reader wants to see first.
pub(crate) fn document_text(document: &Value) -> String {
    let mut rest = document.clone();
    let first: Vec<String> = ["schema", "verdict"]
        .into_iter()
        .filter_map(|name| Some(format!("  \"{name}\": {},\n", rest.as_object_mut()?.remove(name)?)))
        .collect();
    let first = first.concat();
    let rest = format!("{rest:#}");
    match rest.strip_prefix("{\n") {
        Some(fields) => format!("{{\n{first}{fields}"),
        // Not an object, or nothing beside the two.
        None => format!("{document:#}"),
    }
}

fn write_line(out: &mut impl Write, line: &str) {
    write_text(out, &format!("{line}\n"));
}

/// A reader that went away (`switchback log | head`) is no error, and there is nowhere left to report another one.
fn write_text(out: &mut impl Write, text: &str) {
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
