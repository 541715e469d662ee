//! Cobertura XML, as coverage.py, gcovr, coverlet, cargo-llvm-cov and many others write it.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Coverage, Covered, Place, Share};

/// The deepest nesting of elements that is read.
const LEVELS_MAX: usize = 64;
/// The most lines that one report may list.
const LINES_MAX: usize = 20_000_000;

/// Reads it. Lines are counted once a file, however many classes and methods list them. Document types and entities of one's own
/// are refused: no such report needs them.
pub(super) fn read(xml: &str, place: &Place<'_>) -> Result<Coverage, String> {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut report = Report::default();
    loop {
        let start = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|error| at(xml, reader.error_position(), &format!("it is no whole XML: {error}")))?;
        let end = matches!(event, Event::Eof);
        report.take(&event).map_err(|why| at(xml, start, &why))?;
        if end {
            break;
        }
    }
    report.finish(place)
}

fn at(xml: &str, offset: u64, why: &str) -> String {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(xml.len());
    let line = xml.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {why}")
}

/// What a line says, of all classes and methods that list it.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    is_run: bool,
    branches: Share,
}

#[derive(Debug, Default)]
struct Report {
    /// The names of the open elements.
    open: Vec<String>,
    sources: Vec<String>,
    text: String,
    /// The file of the open class.
    file: Option<String>,
    files: BTreeMap<String, BTreeMap<u64, Line>>,
    lines: usize,
    /// `lines-valid` and `lines-covered` of the whole, where it says so.
    said: (Option<u64>, Option<u64>),
    tool: String,
    is_closed: bool,
}

impl Report {
    fn take(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(element) => self.open(element),
            Event::End(_) => {
                self.close();
                Ok(())
            }
            Event::DocType(doctype) => foreign_doctype(doctype),
            Event::GeneralRef(name) => known_entity(name),
            Event::Text(text) => {
                if self.open.last().is_some_and(|name| name == "source") {
                    self.text.push_str(text);
                } else if self.open.is_empty() && !text.trim_ascii().is_empty() {
                    return Err("there is text outside the report".to_owned());
                }
                Ok(())
            }
            Event::Eof if !self.open.is_empty() => {
                Err("it ends before its last element is closed: it was cut off, or is still being written"
                    .to_owned())
            }
            Event::Eof if !self.is_closed => Err("it holds no element, so no report".to_owned()),
            Event::CData(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        if self.is_closed {
            return Err("a second report follows the first".to_owned());
        }
        if self.open.len() >= LEVELS_MAX {
            return Err(format!("its elements are nested more than {LEVELS_MAX} deep"));
        }
        let local = element.local_name();
        let name: &str = local.as_ref();
        let attributes = attributes(element)?;
        match (name, self.open.last().map(String::as_str)) {
            ("coverage", None) => {
                let number = |key: &str| attributes.get(key).and_then(|value| value.trim().parse().ok());
                self.said = (number("lines-valid"), number("lines-covered"));
                if !attributes.contains_key("line-rate") && self.said.0.is_none() {
                    return Err("its `<coverage>` has no `line-rate`: it is no Cobertura report".to_owned());
                }
                self.tool = attributes
                    .get("version")
                    .map_or_else(String::new, |version| format!("Cobertura ({version})"));
            }
            (other, None) => {
                return Err(format!("`<{other}>` is no Cobertura report; it would be `<coverage>`"));
            }
            ("source", _) => self.text.clear(),
            ("class", _) => {
                let file = attributes.get("filename").filter(|file| !file.is_empty());
                let file = file.ok_or("a class has no `filename`")?.clone();
                self.files.entry(file.clone()).or_default();
                self.file = Some(file);
            }
            ("line", Some("lines")) => self.line(&attributes)?,
            _ => {}
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn line(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), String> {
        let Some(file) = &self.file else { return Err("a line stands outside of any class".to_owned()) };
        let number = |key: &str| attributes.get(key).and_then(|value| value.trim().parse::<u64>().ok());
        let place = number("number").filter(|line| *line > 0).ok_or("a line has no `number`")?;
        // Counters of some tools overflow, and are written as negative numbers or as very large ones: they ran.
        let hits = attributes.get("hits").map(|hits| hits.trim()).filter(|hits| is_number(hits));
        let hits = hits.ok_or("a line does not say its `hits`")?;
        let branches = match attributes.get("condition-coverage") {
            Some(said) => share(said).ok_or_else(|| {
                format!(
                    "`condition-coverage` of line {place} is not like `50% (1/2)`: `{}`",
                    crate::plan::shown(said)
                )
            })?,
            None => Share::default(),
        };
        let lines = self.files.entry(file.clone()).or_default();
        let is_new = !lines.contains_key(&place);
        let line = lines.entry(place).or_default();
        line.is_run |= !hits.trim_start_matches(['0', '.']).is_empty();
        // The same condition, listed by its class and by its method; of two, that which says more.
        if (branches.all, branches.covered) > (line.branches.all, line.branches.covered) {
            line.branches = branches;
        }
        self.lines += usize::from(is_new);
        if self.lines > LINES_MAX {
            return Err(format!("it lists more than {LINES_MAX} lines"));
        }
        Ok(())
    }

    fn close(&mut self) {
        match self.open.pop().as_deref() {
            Some("source") => self.sources.push(self.text.trim().to_owned()),
            Some("class") => self.file = None,
            _ => {}
        }
        self.is_closed = self.open.is_empty();
    }

    fn finish(self, place: &Place<'_>) -> Result<Coverage, String> {
        let listed = self.files.values().map(|lines| lines.len() as u64).sum::<u64>();
        if let (0, (Some(said @ 1..), _)) = (listed, self.said) {
            return Err(format!("it says that there are {said} lines, and lists none"));
        }
        let mut coverage = Coverage { tool: self.tool, ..Coverage::default() };
        for (file, lines) in self.files {
            let mut covered = Covered::default();
            for line in lines.values() {
                covered.lines = covered.lines.plus(Share { covered: u64::from(line.is_run), all: 1 });
                covered.branches = covered.branches.plus(line.branches);
            }
            coverage.add(place.name(&file, &self.sources), covered)?;
        }
        Ok(coverage)
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `50% (1/2)`.
fn share(said: &str) -> Option<Share> {
    let (covered, all) = said.trim().strip_suffix(')')?.rsplit_once('(')?.1.split_once('/')?;
    let share = Share { covered: covered.trim().parse().ok()?, all: all.trim().parse().ok()? };
    (share.covered <= share.all).then_some(share)
}

/// The document type of Cobertura itself only names a file that is never fetched. One that declares anything is refused.
fn foreign_doctype(doctype: &str) -> Result<(), String> {
    let is_plain = doctype.trim_start().starts_with("coverage") && !doctype.contains('[');
    if is_plain {
        Ok(())
    } else {
        Err("it declares a document type of its own; no coverage report needs one".to_owned())
    }
}

/// Lets the five entities of XML and character references through.
fn known_entity(name: &str) -> Result<(), String> {
    let is_known = name.starts_with('#') || matches!(name, "lt" | "gt" | "amp" | "quot" | "apos");
    if is_known {
        Ok(())
    } else {
        Err(format!("it uses the unknown entity `&{};`", crate::plan::shown(name)))
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?
            .into_owned();
        let key: &str = attribute.key.as_ref();
        found.insert(key.to_owned(), value);
    }
    Ok(found)
}
