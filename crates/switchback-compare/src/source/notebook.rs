//! Jupyter notebooks as documents: their cells in order, without what changes from one execution to the next.

use std::borrow::Cow;

use super::allowance::Meter;
use super::json::{self, Fault};
use crate::value::Value;

/// What a notebook's report says it leaves out.
pub(crate) const LEFT_OUT: &str =
    "execution counts, ids, timings and the version of the notebook format are not compared";

/// Members of a cell or an output that belong to one execution.
const FLEETING: &[&str] = &["execution_count", "prompt_number", "id", "transient"];
/// Members of metadata, at any depth, that are timings or ids, as Jupyter, its extensions, papermill and Colab write them.
const FLEETING_METADATA: &[&str] = &[
    "execution",
    "ExecuteTime",
    "executionInfo",
    "start_time",
    "end_time",
    "duration",
    "elapsed",
    "elapsed_time",
    "execution_time",
    "timestamp",
    "timing",
    "timings",
    "id",
    "cell_id",
    "outputId",
];

type Members = Vec<(Cow<'static, str>, Value<'static>)>;

/// Reads a notebook of format 4: an object of `metadata` and `cells`.
pub(crate) fn read(bytes: &[u8], meter: &mut Meter) -> Result<Value<'static>, Fault> {
    let failed = |reason: &str| Fault::new(1, 1, reason);
    let Value::Object(members) = json::read(bytes, meter)? else {
        return Err(failed("a notebook is one JSON object"));
    };
    let mut kept = Members::new();
    let mut has_cells = false;
    for (name, value) in members {
        match (name.as_ref(), value) {
            ("nbformat" | "nbformat_minor", _) => {}
            ("cells", Value::List(cells)) => {
                has_cells = true;
                kept.push((name, Value::List(cells.into_iter().map(cell).collect())));
            }
            ("metadata", value) => kept.push((name, metadata(value))),
            (_, value) => kept.push((name, value)),
        }
    }
    if has_cells {
        Ok(Value::Object(kept))
    } else {
        Err(failed("it has no list of `cells`: it is no notebook of format 4"))
    }
}

/// How many cells a notebook that was read has.
pub(crate) fn cells(notebook: &Value<'_>) -> usize {
    let Value::Object(members) = notebook else { return 0 };
    let cells = members.iter().find(|(name, _)| name == "cells");
    cells.map_or(0, |(_, cells)| if let Value::List(cells) = cells { cells.len() } else { 0 })
}

fn cell(cell: Value<'static>) -> Value<'static> {
    let Value::Object(members) = cell else { return cell };
    let kept = members.into_iter().filter(|(name, _)| !FLEETING.contains(&name.as_ref()));
    let kept = kept.map(|(name, value)| {
        let value = match (name.as_ref(), value) {
            ("source", value) => joined(value),
            ("metadata", value) => metadata(value),
            ("outputs", Value::List(outputs)) => {
                Value::List(streams_merged(outputs.into_iter().map(output).collect()))
            }
            (_, value) => value,
        };
        (name, value)
    });
    Value::Object(kept.collect())
}

fn output(output: Value<'static>) -> Value<'static> {
    let Value::Object(members) = output else { return output };
    let kept = members.into_iter().filter(|(name, _)| !FLEETING.contains(&name.as_ref()));
    let kept = kept.map(|(name, value)| {
        let value = match (name.as_ref(), value) {
            ("text", value) => joined(value),
            ("traceback", Value::List(lines)) => joined_with(lines, "\n"),
            ("metadata", value) => metadata(value),
            ("data", Value::Object(bundle)) => {
                Value::Object(bundle.into_iter().map(|(kind, content)| mime(kind, content)).collect())
            }
            (_, value) => value,
        };
        (name, value)
    });
    Value::Object(kept.collect())
}

/// The content of one MIME type: JSON stays a tree, all else is one text.
fn mime(kind: Cow<'static, str>, content: Value<'static>) -> (Cow<'static, str>, Value<'static>) {
    let content = match content {
        Value::Object(members) if kind.starts_with("application/vnd.jupyter.widget-view") => {
            Value::Object(members.into_iter().filter(|(name, _)| name != "model_id").collect())
        }
        content if kind.ends_with("json") => content,
        content => joined(content),
    };
    (kind, content)
}

fn metadata(value: Value<'static>) -> Value<'static> {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !FLEETING_METADATA.contains(&name.as_ref()));
            Value::Object(kept.map(|(name, value)| (name, metadata(value))).collect())
        }
        Value::List(items) => Value::List(items.into_iter().map(metadata).collect()),
        other => other,
    }
}

/// Text is stored whole or as a list of lines.
fn joined(value: Value<'static>) -> Value<'static> {
    match value {
        Value::List(lines) => joined_with(lines, ""),
        other => other,
    }
}

fn joined_with(lines: Vec<Value<'static>>, between: &str) -> Value<'static> {
    let texts: Option<Vec<&str>> = lines
        .iter()
        .map(|line| if let Value::Text(text) = line { Some(text.as_ref()) } else { None })
        .collect();
    match texts {
        Some(texts) => Value::Text(Cow::Owned(texts.join(between))),
        None => Value::List(lines),
    }
}

/// How often a program flushed its output is no result: pieces of one stream that follow one another are one.
fn streams_merged(outputs: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut merged: Vec<Value<'static>> = Vec::with_capacity(outputs.len());
    for output in outputs {
        let name = stream_name(&output);
        let last = merged.last_mut().filter(|last| name.is_some() && stream_name(last) == name);
        match (last.and_then(stream_text), text_of(&output)) {
            (Some(Value::Text(text)), Some(more)) => text.to_mut().push_str(&more),
            _ => merged.push(output),
        }
    }
    merged
}

fn member<'v>(of: &'v Value<'static>, name: &str) -> Option<&'v Value<'static>> {
    let Value::Object(members) = of else { return None };
    members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
}

fn stream_name(output: &Value<'static>) -> Option<String> {
    let is_stream = matches!(member(output, "output_type"), Some(Value::Text(kind)) if kind == "stream");
    match member(output, "name") {
        Some(Value::Text(name)) if is_stream => Some(name.to_string()),
        _ => None,
    }
}

fn stream_text<'v>(of: &'v mut Value<'static>) -> Option<&'v mut Value<'static>> {
    let Value::Object(members) = of else { return None };
    members
        .iter_mut()
        .find(|(name, value)| name == "text" && matches!(value, Value::Text(_)))
        .map(|(_, text)| text)
}

fn text_of(output: &Value<'static>) -> Option<String> {
    match member(output, "text") {
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}
