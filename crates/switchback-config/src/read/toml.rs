//! TOML → nodes. The parser keeps keys by name; they are put back into the order in which they were written.

use num_bigint::BigInt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset};

use super::{Fault, Places, Read};
use crate::value::{Comments, Entry, FileNumber, Node, Origin, Style, Value};
use crate::yaml::remarks::{Remarks, Span};

pub(super) fn read(text: &str, file: FileNumber) -> Result<Read, Fault> {
    let places = Places::new(text);
    let table = DeTable::parse(text).map_err(|error| {
        let reason = error.message().lines().next().unwrap_or_default().to_owned();
        match error.span() {
            Some(span) => Fault::at(places.line(span.start), places.column(span.start), reason),
            None => Fault::whole(reason),
        }
    })?;
    let mut spans = Vec::new();
    text_spans(table.get_ref(), &places, &mut spans);
    spans.sort_by_key(|span: &Span| span.from);
    let reader = Reader { places, text, file };
    let mut root = Node::new(reader.table(table.into_inner())?, Origin { file, line: 1 });
    let mut remarks = Remarks::new(text, &spans);
    attach(&mut root, &mut remarks);
    let left = remarks.rest();
    if !left.is_empty() {
        root.comments_mut().after.extend(left);
    }
    Ok(Read { root, findings: Vec::new() })
}

/// Where texts stand: a `#` in one of them is no comment.
fn text_spans(table: &DeTable<'_>, places: &Places, spans: &mut Vec<Span>) {
    let mut add = |range: std::ops::Range<usize>| spans.push(places.span(range));
    for key in table.keys() {
        add(key.span());
    }
    for value in table.values() {
        value_spans(value, places, spans);
    }
}

fn value_spans(value: &Spanned<DeValue<'_>>, places: &Places, spans: &mut Vec<Span>) {
    match value.get_ref() {
        DeValue::String(_) => spans.push(places.span(value.span())),
        DeValue::Array(items) => items.iter().for_each(|item| value_spans(item, places, spans)),
        DeValue::Table(table) => text_spans(table, places, spans),
        _ => {}
    }
}

impl Places {
    /// Counted in characters, as comments are looked for.
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        let place = |at: usize| (u64::from(self.line(at)) - 1, u64::from(self.column(at)) - 1);
        Span { from: place(range.start), to: place(range.end), is_plain: false }
    }
}

struct Reader<'t> {
    places: Places,
    text: &'t str,
    file: FileNumber,
}

impl Reader<'_> {
    fn origin(&self, at: usize) -> Origin {
        Origin { file: self.file, line: self.places.line(at) }
    }

    fn table(&self, table: DeTable<'_>) -> Result<Value, Fault> {
        let mut entries = Vec::new();
        for (key, value) in table {
            let at = key.span().start;
            let name = key.into_inner().into_owned();
            let key = Node::new(Value::Text(name), self.origin(at));
            entries.push((at, Entry { key, node: self.node(value)? }));
        }
        entries.sort_by_key(|(at, _)| *at);
        Ok(Value::Map(entries.into_iter().map(|(_, entry)| entry).collect()))
    }

    fn node(&self, value: Spanned<DeValue<'_>>) -> Result<Node, Fault> {
        let span = value.span();
        let at = span.start;
        let wrong =
            |what: &str| Fault::at(self.places.line(at), self.places.column(at), format!("it is no {what}"));
        let mut style = Style::Free;
        let value = match value.into_inner() {
            DeValue::String(text) => {
                style = Style::DoubleQuoted;
                Value::Text(text.into_owned())
            }
            DeValue::Integer(number) => {
                let digits = number.as_str().as_bytes();
                Value::Integer(BigInt::parse_bytes(digits, number.radix()).ok_or_else(|| wrong("integer"))?)
            }
            DeValue::Float(number) => Value::Float(float(number.as_str()).ok_or_else(|| wrong("number"))?),
            DeValue::Boolean(flag) => Value::Bool(flag),
            DeValue::Datetime(moment) => {
                style = self.text.get(span).map_or(Style::Free, |raw| Style::Plain(raw.trim().into()));
                stamp(&moment).ok_or_else(|| wrong("time that Python has"))?
            }
            DeValue::Array(items) => {
                let items: Result<_, Fault> = items.into_iter().map(|item| self.node(item)).collect();
                Value::List(items?)
            }
            DeValue::Table(table) => self.table(table)?,
        };
        Ok(Node { style, ..Node::new(value, self.origin(at)) })
    }
}

/// A day, a time of day, or both, in the form that YAML's time stamps have, so that they can be compared. Python keeps microseconds, and
/// has no second 60.
pub(crate) fn stamp(moment: &Datetime) -> Option<Value> {
    let date = moment.date.map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day));
    let Some(time) = moment.time else { return date.map(Value::Date) };
    let second = time.second.filter(|second| *second < 60)?;
    let micros = time.nanosecond.unwrap_or(0) / 1000;
    let clock = format!("{:02}:{:02}:{second:02}.{micros:06}", time.hour, time.minute);
    let zone = match moment.offset {
        None => String::new(),
        Some(Offset::Z) => "+00:00".to_owned(),
        Some(Offset::Custom { minutes }) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    };
    Some(date.map_or(Value::Clock(clock.clone()), |date| Value::Time(format!("{date}T{clock}{zone}"))))
}

fn float(text: &str) -> Option<f64> {
    match text.trim_start_matches('+') {
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "nan" | "-nan" => Some(f64::NAN),
        number => number.parse().ok(),
    }
}

/// Gives each comment to what stands below it, or before it on its line. Entries stand in the order of their lines.
pub(super) fn attach(node: &mut Node, remarks: &mut Remarks) {
    match &mut node.value {
        Value::Map(entries) => {
            for Entry { key, node } in entries {
                take(key.origin.line, node, remarks);
            }
        }
        Value::List(items) => {
            for item in items {
                let line = item.origin.line;
                take(line, item, remarks);
            }
        }
        _ => {}
    }
}

fn take(line: u32, node: &mut Node, remarks: &mut Remarks) {
    let begins = u64::from(line.saturating_sub(1));
    let before = remarks.before(begins);
    let behind = remarks.on(begins);
    put(node, Comments { before, behind, after: Vec::new() });
    attach(node, remarks);
}

fn put(node: &mut Node, comments: Comments) {
    if !comments.is_empty() {
        *node.comments_mut() = comments;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_order_and_comments_are_kept() {
        let text = "# first\nzeta = 0x10 # hex\nalpha = 1.0\n\n# a table\n[db]\nurl = \"a#b\"\nday = 2024-02-29\n# last\n";
        let root = read(text, 0).unwrap().root;
        let Value::Map(entries) = &root.value else { panic!() };
        let names: Vec<String> = entries.iter().map(|entry| crate::path::words(&entry.key.value)).collect();
        assert_eq!(names, ["zeta", "alpha", "db"]);
        assert_eq!(entries[0].node.value, Value::Integer(16.into()));
        assert_eq!(entries[1].node.value, Value::Float(1.0));
        let comments = entries[0].node.comments.as_deref().unwrap();
        assert_eq!(
            (&comments.before[..], &comments.behind[..]),
            (&[" first".to_owned()][..], &[" hex".to_owned()][..])
        );
        assert_eq!(entries[2].node.comments.as_deref().unwrap().before, [" a table"]);
        let Value::Map(db) = &entries[2].node.value else { panic!() };
        assert_eq!(db[1].node.value, Value::Date("2024-02-29".to_owned()));
        assert_eq!(root.comments.unwrap().after, [" last"]);
    }

    #[test]
    fn days_and_times_are_those_of_yaml() {
        let yaml = |text: &str| {
            let format = crate::read::Format::Yaml(crate::yaml::Loader::PyYaml);
            crate::read::read(format!("x: {text}\n").as_bytes(), format, 0).unwrap().root
        };
        for (written, in_yaml) in [
            ("1979-05-27", "1979-05-27"),
            ("1979-05-27T07:32:00", "1979-05-27 07:32:00"),
            ("1979-05-27 07:32:00.5", "1979-05-27T07:32:00.500000"),
            ("1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"),
            ("1979-05-27t07:32:00.999999999-07:30", "1979-05-27 07:32:00.999999 -07:30"),
            ("1979-05-27T07:32:00-00:00", "1979-05-27T07:32:00+00:00"),
        ] {
            let text = format!("x = {written}\n");
            let root = read(&text, 0).unwrap().root;
            assert!(crate::value::is_same(&root.value, &yaml(in_yaml).value), "{written}: {root:?}");
            assert_eq!(crate::write::write(&root, crate::read::Format::Toml).unwrap(), text);
        }
        // A time of day is none of YAML's types: neither text, nor the number that YAML 1.1 takes it for.
        let clock = read("x = 07:32:00\n", 0).unwrap().root;
        assert_eq!(clock.entries().unwrap()[0].node.value, Value::Clock("07:32:00.000000".to_owned()));
        for other in ["07:32:00", "'07:32:00'", "'07:32:00.000000'"] {
            assert!(!crate::value::is_same(&clock.value, &yaml(other).value), "{other}");
        }
        let refused = |format| crate::write::write(&clock, format).unwrap_err().to_string();
        let yaml = refused(crate::read::Format::Yaml(crate::yaml::Loader::PyYaml));
        assert!(yaml.contains("`x` cannot be written as YAML: YAML has no time of day"), "{yaml}");
        assert!(refused(crate::read::Format::Json).contains("JSON has no time of day"));
        assert_eq!(read("a = 1\nx = 1979-05-27T07:32:60Z\n", 0).unwrap_err().line, 2);
    }

    #[test]
    fn a_repeated_key_is_refused_with_its_line() {
        let fault = read("a = 1\nb = 2\na = 3\n", 0).unwrap_err();
        assert_eq!(fault.line, 3, "{fault:?}");
    }
}
