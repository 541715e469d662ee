//! Checks of the kind `notebook`: executed by Jupyter, and compared with what they put out before.

use serde_json::{Value, json};

use super::ground::Ground;

/// A notebook as it is stored: each cell its source and what it put out on stdout, where it was executed.
fn notebook(cells: &[(&str, Option<&str>)]) -> String {
    let cells: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(at, (source, text))| {
            let outputs: Vec<Value> = text
                .iter()
                .map(|text| json!({"output_type": "stream", "name": "stdout", "text": text}))
                .collect();
            json!({"cell_type": "code", "id": format!("cell-{at}"), "execution_count": null, "metadata": {},
                   "source": source, "outputs": outputs})
        })
        .collect();
    let kernel = json!({"name": "python3", "display_name": "Python 3", "language": "python"});
    json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells})
        .to_string()
}

fn check(more: &str) -> String {
    format!("[[check]]\nname = \"notebooks\"\nkind = \"notebook\"\npaths = [\"src/*.ipynb\"]\n{more}\n")
}

/// What the check says: verdict and summary.
fn says(ground: &Ground, code: i32) -> (String, String) {
    let seen = ground.run("run --until staged --restage");
    assert_eq!(seen.code, code, "{seen}");
    let document = ground.run("status --json").json();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["at"] == "staged").unwrap_or_else(|| panic!("{seen}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

/// The stored notebook of the old tree, the one of the candidate, and what becomes of it.
fn expect(ground: &Ground, old: &str, new: &str, code: i32, words: &str) {
    ground.write("src/report.ipynb", old);
    ground.write("../new/src/report.ipynb", new);
    let (verdict, summary) = says(ground, code);
    assert_eq!(verdict, ["yes", "no", "unknown"][usize::try_from(code).unwrap()], "{summary}");
    assert!(summary.contains(words), "{summary}");
}

// rows: RE-14
#[test]
fn needs_jupyter_notebooks_are_executed_and_compared_with_the_executed_baseline() {
    let ground = Ground::shop(&check("tolerance = { absolute = 1e-9 }"));
    let old = notebook(&[
        ("x = 0.1 + 0.2\nprint(x, 'rows')", Some("0.3 rows\n")),
        ("print(x * 10)", Some("3.0\n")),
    ]);
    // Other code, the same results: 0.30000000000000004 is within the tolerance.
    let refactored = notebook(&[
        ("from app import VERSION\nx = sum([0.1, 0.2])\nprint(x, 'rows')", None),
        ("print(x * 10)", None),
    ]);
    expect(&ground, &old, &refactored, 0, "1 notebook executed, with the outputs of the baseline");
    let other = notebook(&[("x = 0.31\nprint(x, 'rows')", None), ("print(x * 10)", None)]);
    expect(
        &ground,
        &old,
        &other,
        1,
        "`src/report.ipynb`: `report.ipynb` differs: 2 values, first at `/cells/0/outputs/0/text`",
    );
    let raising = notebook(&[("x = 0.3\nprint(x, 'rows')", None), ("x / 0", None)]);
    expect(
        &ground,
        &old,
        &raising,
        1,
        "`src/report.ipynb`: cell 2 raised ZeroDivisionError: float division by zero",
    );
    let no_kernel = refactored.replace("python3", "no-such-kernel");
    expect(&ground, &old, &no_kernel, 2, "it was not executed: the command ended with exit code 1");
    assert_eq!(ground.read("src/report.ipynb"), old, "a check changes nothing");
}

/// A command that executes nothing: it takes what the candidate stores for what was executed.
const COPY: &str = "command = \"cp {notebook} {out}/\"";

// rows: RE-14
#[test]
fn what_was_executed_is_judged_cell_by_cell() {
    let ground = Ground::shop(&check(COPY));
    let old = notebook(&[("print(1)", Some("1\n"))]);
    expect(&ground, &old, &notebook(&[("print(2 - 1)", Some("1\n"))]), 0, "executed, with the outputs");
    expect(&ground, &old, &notebook(&[("print(1)", Some("1\n")), ("", None)]), 1, "first at `/cells/1`");
    expect(&ground, &notebook(&[("print(1)", None)]), &old, 2, "its baseline has no outputs");
    let error =
        json!({"output_type": "error", "ename": "ValueError", "evalue": "first\nlast line", "traceback": []});
    let mut raising: Value = serde_json::from_str(&old).unwrap();
    raising["cells"][0]["outputs"] = json!([error]);
    expect(&ground, &old, &raising.to_string(), 1, "cell 1 raised ValueError: last line");
    raising["cells"][0]["metadata"]["tags"] = json!(["raises-exception"]);
    expect(&ground, &raising.to_string(), &raising.to_string(), 0, "executed");
    expect(&ground, &old, "{", 2, "is no notebook");
    ground.plan("", &check(&format!("{COPY}\nsources = \"compare\"")));
    expect(&ground, &old, &notebook(&[("print(2 - 1)", Some("1\n"))]), 1, "first at `/cells/0/source`");
    ground.plan("", &check(&format!("{COPY}\nbaseline = \"executed\"")));
    expect(&ground, &old, &old, 2, "there is no baseline to compare it with");
    ground.write("executed/src/report.ipynb", notebook(&[("", Some("1\n"))]));
    expect(&ground, &notebook(&[("print(1)", None)]), &old, 0, "executed");
    ground.plan("", &check(&format!("{COPY}\n")).replace("*.ipynb", "*.nothing"));
    expect(&ground, &old, &old, 2, "no notebook of the tree fits src/*.nothing");
}

#[test]
fn a_notebook_without_jupyter_cannot_be_told_and_the_way_out_is() {
    let mut ground = Ground::shop(&check(""));
    ground.set("PATH", "/nonexistent");
    let old = notebook(&[("print(1)", Some("1\n"))]);
    expect(&ground, &old, &old.replace("(1)", "(2 - 1)"), 2, "pip install nbconvert ipykernel");
}
