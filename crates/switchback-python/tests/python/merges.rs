//! Every edge case of a merge as a text file: the trees, the rules, the merged tree, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use crate::{make_folder, unescaped};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use switchback_core::tree::rewrite::undo;
use switchback_core::world::{Disk, FileKind, RealDisk, World};
use switchback_python::merging::{MergeOptions, MergePlan, MergeRules, Side, WriteChoice, plan, write};

/// What stands at a path: bytes and whether they may be run, or where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>, bool),
    Link(PathBuf),
}

type Files = BTreeMap<String, Entry>;

#[derive(Debug, Default)]
struct Case {
    rules: String,
    /// The folders of source, target and base in the project; without, each stands for itself.
    trees: Option<Vec<String>>,
    verdict: Option<String>,
    removes_source: bool,
    /// The rest of the project, and what it is afterwards.
    project: Files,
    project_afterwards: Files,
    base: Option<Files>,
    source: Files,
    target: Files,
    merged: Files,
    files: Vec<String>,
    said: Vec<String>,
    error: Option<String>,
    unwritable: Option<String>,
}

fn parse(text: &str) -> Case {
    let mut case = Case::default();
    for section in format!("\n{text}").split("\n--- ").skip(1) {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        // The line end before the next section belongs to the body.
        let body =
            if body.is_empty() || body.ends_with('\n') { body.to_owned() } else { format!("{body}\n") };
        let words: Vec<&str> = head.split(' ').collect();
        let lines = || body.lines().map(ToOwned::to_owned).collect::<Vec<_>>();
        match words[0] {
            "rules" => case.rules.clone_from(&body),
            "trees" => case.trees = Some(words[1..].iter().map(|word| (*word).to_owned()).collect()),
            "verdict" => case.verdict = Some(words[1].to_owned()),
            "remove-source" => case.removes_source = true,
            "base" => {
                entries(case.base.get_or_insert_default(), &words, &body);
            }
            "source" => entries(&mut case.source, &words, &body),
            "target" => entries(&mut case.target, &words, &body),
            "project" => entries(&mut case.project, &words, &body),
            "afterwards" => entries(&mut case.project_afterwards, &words, &body),
            "merged" => entries(&mut case.merged, &words, &body),
            "all" => {
                entries(case.base.get_or_insert_default(), &words, &body);
                entries(&mut case.source, &words, &body);
                entries(&mut case.target, &words, &body);
            }
            "files" => case.files = lines(),
            "said" => case.said = lines(),
            "error" => case.error = Some(body.trim().to_owned()),
            "unwritable" => case.unwritable = Some(body.trim().to_owned()),
            other => panic!("a section `{other}`"),
        }
    }
    case
}

fn entries(files: &mut Files, words: &[&str], body: &str) {
    let entry = match words.get(2) {
        Some(&"link") => Entry::Link(PathBuf::from(body.trim())),
        Some(&"executable") => Entry::File(body.as_bytes().to_vec(), true),
        Some(&"escaped") => Entry::File(unescaped(body), false),
        None => Entry::File(body.as_bytes().to_vec(), false),
        Some(other) => panic!("a word `{other}`"),
    };
    if words.len() > 1 {
        files.insert(words[1].to_owned(), entry);
    }
}

fn lay_out(files: &Files, root: &Path) {
    make_folder(root);
    for (path, entry) in files {
        let place = root.join(path);
        make_folder(place.parent().unwrap());
        match entry {
            Entry::File(bytes, may_run) => {
                let mode = if *may_run { 0o755 } else { 0o644 };
                RealDisk.write_new(&place, mode, &mut bytes.as_slice()).unwrap();
            }
            Entry::Link(target) => RealDisk.make_symlink(target, &place).unwrap(),
        }
    }
}

fn read_back(root: &Path, below: &str, files: &mut Files) {
    let folder = root.join(below);
    for name in RealDisk.list(&folder).unwrap() {
        let name = name.into_string().unwrap();
        if name.starts_with(".switchback") {
            continue;
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let place = root.join(&path);
        let meta = RealDisk.look(&place).unwrap().unwrap();
        match meta.kind {
            FileKind::Directory => read_back(root, &path, files),
            FileKind::Symlink => {
                files.insert(path, Entry::Link(RealDisk.read_link(&place).unwrap()));
            }
            _ => {
                let bytes = RealDisk.read(&place, 1 << 20).unwrap();
                files.insert(path, Entry::File(bytes, meta.mode & 0o111 != 0));
            }
        }
    }
}

fn found(root: &Path) -> Files {
    let mut files = Files::new();
    if RealDisk.look(root).unwrap().is_some() {
        read_back(root, "", &mut files);
    }
    files
}

/// Where everything of a case lies.
struct Laid {
    _folder: tempfile::TempDir,
    options: MergeOptions,
    target: PathBuf,
    source: PathBuf,
}

fn laid(case: &Case) -> Laid {
    let folder = tempfile::tempdir().unwrap();
    let (root, source, target, base) = match &case.trees {
        Some(trees) => {
            let root = folder.path().to_owned();
            (
                root.clone(),
                root.join(&trees[0]),
                root.join(&trees[1]),
                trees.get(2).map(|base| root.join(base)),
            )
        }
        None => (
            folder.path().join("target"),
            folder.path().join("source"),
            folder.path().join("target"),
            case.base.as_ref().map(|_| folder.path().join("base")),
        ),
    };
    lay_out(&case.project, &root);
    lay_out(&case.source, &source);
    lay_out(&case.target, &target);
    if let (Some(base), Some(files)) = (&base, &case.base) {
        lay_out(files, base);
    }
    let typed = |index: usize, place: &Path| match &case.trees {
        Some(trees) => PathBuf::from(&trees[index]),
        None if index == 1 => PathBuf::from("."),
        None => place.to_owned(),
    };
    let options = MergeOptions {
        source: Side::Folder(typed(0, &source)),
        target: Side::Folder(typed(1, &target)),
        base: base.as_ref().map(|base| Side::Folder(typed(2, base))),
        rules: MergeRules::read(Path::new("rules.toml"), &case.rules).unwrap(),
        rules_folder: PathBuf::new(),
        kept: Vec::new(),
        source_roots: Vec::new(),
        removes_source: case.removes_source,
        scratch: root.join(".switchback/merge"),
        root,
    };
    Laid { _folder: folder, options, target, source }
}

fn check(name: &str, case: &Case) {
    let laid = laid(case);
    let world = World::real();
    let planned = plan(&world, &laid.options);
    if let Some(error) = &case.error {
        let said = planned.unwrap_err().to_string();
        assert!(said.contains(error.as_str()), "{name}: {said}");
        return;
    }
    let planned = planned.unwrap_or_else(|error| panic!("{name}: {error}"));
    is_reported(name, case, &planned);
    let before = found(&laid.target);
    let is_refuted = case.verdict.as_deref().is_some_and(|verdict| verdict != "yes");
    if is_refuted {
        let refused = write(&world, &planned, WriteChoice::default(), "switchback merge");
        assert!(refused.is_err(), "{name}: it was written");
        assert_eq!(found(&laid.target), before, "{name}: it was refused, and written");
    }
    let choice = WriteChoice { with_markers: is_refuted };
    if let Some(wanted) = &case.unwritable {
        let said = write(&world, &planned, choice, "switchback merge").unwrap_err().to_string();
        assert!(said.contains(wanted.as_str()), "{name}: {said}");
        assert_eq!(found(&laid.target), before, "{name}: it was refused, and written");
        return;
    }
    write(&world, &planned, choice, "switchback merge").unwrap_or_else(|error| panic!("{name}: {error}"));
    is_merged(name, &case.merged, &without_places(found(&laid.target), &laid));
    let project = found(&laid.options.root);
    for (path, entry) in &case.project_afterwards {
        assert_eq!(project.get(path), Some(entry), "{name}: {path}");
    }
    let rewritten: Vec<&String> = planned.users.iter().map(|user| &user.path).collect();
    assert_eq!(rewritten, case.project_afterwards.keys().collect::<Vec<_>>(), "{name}");
    if case.removes_source {
        assert_eq!(found(&laid.source), Files::new(), "{name}: the source is still there");
    } else {
        assert_eq!(found(&laid.source), case.source, "{name}: the source was touched");
        if !is_refuted && case.trees.is_none() && case.base.is_none() && !case.rules.contains("decide") {
            let again = plan(&world, &laid.options).unwrap();
            let left: Vec<&str> = again
                .files
                .iter()
                .filter(|file| !matches!(file.action.word(), "keep"))
                .map(|file| file.path.as_str())
                .collect();
            assert!(
                left.is_empty() || case.files.iter().any(|line| line.contains("union")),
                "{name}: {left:?}"
            );
        }
    }
    undo(&world, &laid.options.root).unwrap();
    assert_eq!(found(&laid.target), before, "{name}: it was not taken back");
    assert_eq!(found(&laid.source), case.source, "{name}: the source was not taken back");
}

/// Markers name the sides by where they are.
fn without_places(files: Files, laid: &Laid) -> Files {
    let base = laid.source.with_file_name("base").display().to_string();
    let plain = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes);
        text.map_or_else(std::string::FromUtf8Error::into_bytes, |text| {
            text.replace(&laid.source.display().to_string(), "SOURCE").replace(&base, "BASE").into_bytes()
        })
    };
    let entries = files.into_iter().map(|(path, entry)| match entry {
        Entry::File(bytes, may_run) => (path, Entry::File(plain(bytes), may_run)),
        link @ Entry::Link(_) => (path, link),
    });
    entries.collect()
}

fn is_merged(name: &str, wanted: &Files, found: &Files) {
    for (path, entry) in wanted {
        let there = found.get(path).unwrap_or_else(|| panic!("{name}: no {path} in {:?}", found.keys()));
        if let (Entry::File(wanted, _), Entry::File(bytes, _)) = (entry, there) {
            assert_eq!(String::from_utf8_lossy(bytes), String::from_utf8_lossy(wanted), "{name}: {path}");
        }
        assert_eq!(there, entry, "{name}: {path}");
    }
    let paths: Vec<&String> = wanted.keys().collect();
    assert_eq!(found.keys().collect::<Vec<_>>(), paths, "{name}");
}

fn is_reported(name: &str, case: &Case, planned: &MergePlan) {
    let json = planned.to_json();
    let wanted = case.verdict.as_deref().unwrap_or("yes");
    assert_eq!(json["verdict"], wanted, "{name}: {:#?} {}", planned.against(), json["union"]);
    for line in &case.files {
        let found: Vec<String> = json["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| {
                let word = |key: &str| file[key].as_str().unwrap().to_owned();
                format!(
                    "{} {} {} {} {}",
                    word("path"),
                    word("class"),
                    word("action"),
                    word("risk"),
                    file["conflicts"]
                )
            })
            .collect();
        assert!(found.contains(line), "{name}: `{line}` is not in {found:#?}");
    }
    let said: Vec<String> = planned.told().into_iter().chain(planned.against()).collect();
    for line in &case.said {
        assert!(said.iter().any(|one| one.contains(line)), "{name}: `{line}` is not in {said:#?}");
    }
}

// rows: TM-3, TM-4
#[test]
fn every_case_comes_out_byte_for_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merges");
    let mut names = RealDisk.list(&folder).unwrap();
    names.sort();
    assert!(names.len() >= 40, "only {} cases", names.len());
    let mut failed = Vec::new();
    for name in names {
        let text = String::from_utf8(RealDisk.read(&folder.join(&name), 1 << 20).unwrap()).unwrap();
        let name = name.to_string_lossy().into_owned();
        if std::panic::catch_unwind(|| check(&name, &parse(&text))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
