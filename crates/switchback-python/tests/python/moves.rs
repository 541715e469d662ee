//! Every edge case of a move as a text file: the tree before, the rules, the tree after, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use crate::{make_folder, unescaped};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk};
use switchback_python::moving::{Edit, Leave, MoveOptions, MovePlan, Pair, Rules, plan};

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Default)]
struct Case {
    rules: Rules,
    roots: Vec<String>,
    python_path: Vec<String>,
    once: bool,
    shims: bool,
    is_refuted: bool,
    arrived: Vec<(String, String)>,
    old: Files,
    new: Files,
    left: Vec<String>,
    unparsed: Vec<String>,
    error: Option<String>,
}

fn read(path: &Path) -> Vec<u8> {
    RealDisk.read(path, 1 << 20).unwrap()
}

fn parse(text: &str) -> Case {
    let mut case = Case::default();
    for section in text.split("--- ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        match words[0] {
            "rules" => body.lines().for_each(|line| rule(&mut case, line)),
            "old" => {
                case.old.insert(words[1].to_owned(), content(body, &words));
            }
            "new" => {
                case.new.insert(words[1].to_owned(), content(body, &words));
            }
            "empty" => words[1..].iter().for_each(|path| {
                case.old.insert((*path).to_owned(), Vec::new());
            }),
            "left" => case.left = body.lines().map(ToOwned::to_owned).collect(),
            "unparsed" => case.unparsed = body.lines().map(ToOwned::to_owned).collect(),
            "error" => case.error = Some(body.trim().to_owned()),
            other => panic!("a section `{other}`"),
        }
    }
    case
}

fn rule(case: &mut Case, line: &str) {
    let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
    let pair = || {
        let (from, to) = rest.split_once(" -> ").unwrap();
        Pair { from: from.to_owned(), to: to.to_owned() }
    };
    match kind {
        "arrived" => case.arrived.push((pair().from, pair().to)),
        "move" => case.rules.moves.push(pair()),
        "symbol" => case.rules.symbols.push(pair()),
        "body" => case.rules.bodies.push(pair()),
        "leave" => case.rules.leaves.push(Leave { path: rest.to_owned() }),
        "root" => case.roots.push(rest.to_owned()),
        "python-path" => case.python_path.push(rest.to_owned()),
        "once" => case.once = true,
        "shims" => case.shims = true,
        "refuted" => case.is_refuted = true,
        "by-hand" => case.rules.definitions_by_hand = true,
        "pin-task-names" => case.rules.pin_task_names = true,
        other => panic!("a rule `{other}`"),
    }
}

/// What stands in a section; `escaped`: lines are joined, and `\n`, `\r`, `\t` and `\xNN` are bytes.
fn content(body: &str, words: &[&str]) -> Vec<u8> {
    if words.get(2) != Some(&"escaped") {
        return body.as_bytes().to_vec();
    }
    unescaped(body)
}

fn lay_out(files: &Files, root: &Path) {
    for (path, content) in files {
        let place = root.join(path);
        make_folder(place.parent().unwrap());
        RealDisk.write_new(&place, 0o644, &mut content.as_slice()).unwrap();
    }
}

fn options(case: &Case, root: PathBuf) -> MoveOptions {
    MoveOptions {
        root,
        rules: case.rules.clone(),
        arrived: case.arrived.clone(),
        kept: vec!["switchback.toml".to_owned()],
        source_roots: case.roots.clone(),
        python_path: case.python_path.clone(),
        shims: case.shims,
        remove_after: None,
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    }
}

/// The tree as it would be.
fn result(old: &Files, plan: &MovePlan) -> Files {
    let mut files = old.clone();
    for change in &plan.changes {
        files.remove(&change.old_path);
    }
    for change in &plan.changes {
        let bytes = change.new.as_ref().map_or_else(|| old[&change.old_path].clone(), |new| new.to_vec());
        assert!(files.insert(change.new_path.clone(), bytes).is_none(), "{} twice", change.new_path);
    }
    for file in &plan.created {
        files.insert(file.path.clone(), file.content.clone());
    }
    files
}

fn check(name: &str, case: &Case) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(&case.old, folder.path());
    let planned = plan(Arc::new(RealDisk), &options(case, folder.path().to_owned()));
    if let Some(error) = &case.error {
        let found = planned.unwrap_err().to_string();
        assert!(found.contains(error.as_str()), "{name}: {found}");
        return;
    }
    let plan_made = planned.unwrap_or_else(|error| panic!("{name}: {error}"));
    let files = result(&case.old, &plan_made);
    for (path, wanted) in &case.new {
        let found = files.get(path).unwrap_or_else(|| panic!("{name}: no {path} in {:?}", files.keys()));
        let shown = String::from_utf8_lossy(found);
        assert_eq!(shown, String::from_utf8_lossy(wanted), "{name}: {path}");
        assert_eq!(found, wanted, "{name}: {path}");
    }
    for change in &plan_made.changes {
        let is_expected = case.new.contains_key(&change.new_path) || change.new.is_none();
        assert!(is_expected, "{name}: {} was edited: {:?}", change.old_path, change.edits);
        // Who makes the edits that are listed has the file, and no other.
        let (Some(old), Some(new)) = (&change.old, &change.new) else { continue };
        assert_eq!(
            edited(old, &change.edits),
            new.as_ref(),
            "{name}: {}: {:?}",
            change.old_path,
            change.edits
        );
    }
    let wanted = if case.is_refuted { Verdict::No } else { Verdict::Yes };
    assert_eq!(plan_made.verdict(), wanted, "{name}: {:?}", plan_made.proof);
    reported(name, case, &plan_made);
    if !case.once && !case.is_refuted {
        is_settled(name, case, &files);
    }
}

fn edited(old: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut new = Vec::new();
    let mut at = 0;
    for edit in edits {
        assert!(edit.span.start >= at, "{edit:?} begins before the one before it ends");
        new.extend_from_slice(&old[at..edit.span.start]);
        new.extend_from_slice(edit.new.as_bytes());
        at = edit.span.end;
    }
    new.extend_from_slice(&old[at..]);
    new
}

fn reported(name: &str, case: &Case, plan: &MovePlan) {
    let json = plan.to_json();
    for line in &case.left {
        let (place, text) = line.split_once(' ').unwrap();
        let found = json["undecided"].as_array().unwrap().iter().any(|one| {
            let at = format!("{}:{}", one["path"].as_str().unwrap(), one["line"]);
            at == place
                && (one["why"].as_str().unwrap().contains(text)
                    || one["text"].as_str().unwrap().contains(text))
        });
        assert!(found, "{name}: `{line}` is not in {:#}", json["undecided"]);
    }
    let unparsed: Vec<String> =
        plan.unparsed.iter().map(|one| format!("{}:{} {}", one.path, one.line, one.edits)).collect();
    assert_eq!(unparsed, case.unparsed, "{name}");
}

/// A second run changes nothing.
fn is_settled(name: &str, case: &Case, files: &Files) {
    let folder = tempfile::tempdir().unwrap();
    lay_out(files, folder.path());
    let again = plan(Arc::new(RealDisk), &options(case, folder.path().to_owned())).unwrap();
    assert_eq!(again.edited() + again.moved(), 0, "{name}: a second run finds {:?}", again.changes);
}

// rows: TM-5, TM-6, TM-7, TM-8
#[test]
fn every_case_comes_out_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moves");
    let mut names = RealDisk.list(&folder).unwrap();
    names.sort();
    assert!(names.len() >= 40, "only {} cases", names.len());
    let mut failed = Vec::new();
    for name in names {
        let text = String::from_utf8(read(&folder.join(&name))).unwrap();
        let name = name.to_string_lossy().into_owned();
        if std::panic::catch_unwind(|| check(&name, &parse(&text))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
