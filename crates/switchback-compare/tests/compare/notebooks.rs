//! Notebooks: cells in order, without what changes from one execution to the next.

use serde_json::{Value as Json, json};
use switchback_core::rule::{Rule, TextRule, Tolerance};

use super::{failure, report};

/// A notebook of one cell with these outputs.
fn notebook(outputs: &Json, execution: u64) -> Json {
    json!({"nbformat": 4, "nbformat_minor": execution, "metadata": {"kernelspec": {"name": "python3"}}, "cells": [
        {"cell_type": "code", "id": format!("c{execution}"), "execution_count": execution,
         "metadata": {"execution": {"iopub.status.busy": execution}, "papermill": {"duration": execution, "status": "done"}},
         "source": ["a = 1.5\n", "a"], "outputs": outputs}]})
}

fn check(old: &Json, new: &Json, rule: &Rule, verdict: &str, path: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let (old_path, new_path) = (folder.path().join("old.ipynb"), folder.path().join("new.ipynb"));
    std::fs::write(&old_path, old.to_string()).unwrap();
    std::fs::write(&new_path, new.to_string()).unwrap();
    let report = report(&old_path, &new_path, rule);
    assert_eq!(report["verdict"], verdict, "{report:#}");
    assert_eq!(report["items"][0]["differences"][0]["path"].as_str(), path);
}

fn near() -> Rule {
    Rule { tolerance: Tolerance { absolute: Some(1e-6), ..Tolerance::default() }, ..Rule::default() }
}

fn shown(kind: &str, content: &str) -> Json {
    json!([{"output_type": "display_data", "metadata": {}, "data": {kind: content}}])
}

#[test]
fn an_execution_leaves_traces_that_do_not_count() {
    let stream = |text: Json| json!({"output_type": "stream", "name": "stdout", "text": text});
    let old = notebook(&json!([stream(json!("a\nb\n"))]), 1);
    let new = notebook(&json!([stream(json!(["a\n"])), stream(json!("b\n"))]), 9);
    check(&old, &new, &Rule::default(), "yes", None);
    let mut source = new.clone();
    source["cells"][0]["source"] = json!("a = 1.50000001\na");
    check(&old, &source, &near(), "no", Some("/cells/0/source"));
    let mut tagged = new.clone();
    tagged["cells"][0]["metadata"]["tags"] = json!(["slow"]);
    check(&old, &tagged, &Rule::default(), "no", Some("/cells/0/metadata/tags"));
    let mut longer = new;
    longer["cells"]
        .as_array_mut()
        .unwrap()
        .push(json!({"cell_type": "markdown", "source": "x", "metadata": {}}));
    check(&old, &longer, &Rule::default(), "no", Some("/cells/1"));
}

#[test]
fn numbers_in_outputs_are_near_and_pictures_are_exact() {
    let (old, new) = (shown("text/html", "<td>1.5</td>"), shown("text/html", "<td>1.50000001</td>"));
    let place = Some("/cells/0/outputs/0/data/text~1html");
    check(&notebook(&old, 1), &notebook(&new, 1), &near(), "yes", None);
    check(&notebook(&old, 1), &notebook(&new, 1), &Rule::default(), "no", place);
    let words = shown("text/html", "<th>1.5</th>");
    check(&notebook(&old, 1), &notebook(&words, 1), &near(), "no", place);
    let (old, new) = (shown("image/png", "AA 1.5 =="), shown("image/png", "AA 1.50000001 =="));
    let place = Some("/cells/0/outputs/0/data/image~1png");
    check(&notebook(&old, 1), &notebook(&new, 1), &near(), "no", place);
    let (old, new) = (shown("text/plain", "<A at 0x1f>"), shown("text/plain", "<A at 0x2e>"));
    let masks = vec!["0x[0-9a-f]+".to_owned()];
    let masked = Rule { text: TextRule { masks, ..TextRule::default() }, ..Rule::default() };
    check(&notebook(&old, 1), &notebook(&new, 1), &masked, "yes", None);
}

#[test]
fn a_notebook_without_cells_proves_nothing() {
    let empty = json!({"nbformat": 4, "metadata": {"a": 1}, "cells": []});
    check(&empty, &empty, &Rule::default(), "unknown", None);
    check(&empty, &empty, &Rule { allow_empty: true, ..Rule::default() }, "yes", None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.ipynb");
    std::fs::write(&path, "{}").unwrap();
    let said = failure(&path, &path, &Rule::default());
    assert!(
        said.starts_with("`bad.ipynb` line 1 column 1 cannot be read\nit has no list of `cells`"),
        "{said}"
    );
}
