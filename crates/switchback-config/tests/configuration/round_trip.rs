//! `merge`, then `resolve`, is the old resolution: for fragment sets that nobody wrote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use switchback_config::layout::{Layout, Pattern};
use switchback_config::merging::{MergeRequest, plan};
use switchback_config::resolve::{ResolveRequest, resolve};
use switchback_config::value::is_same;
use switchback_core::tree::rewrite::rewrite;
use switchback_core::verdict::Verdict;
use switchback_core::world::World;

/// A tree as YAML text in block style, with a comment at each key.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(&'static str),
    List(Vec<&'static str>),
    Map(Vec<(&'static str, Tree)>),
}

const SCALARS: &[&str] = &[
    "1",
    "1.0",
    "'1'",
    "yes",
    "'yes'",
    "null",
    "''",
    "010",
    "0x1f",
    "1:30",
    "1e3",
    "2024-01-31",
    "'2024-01-31'",
    "a b",
    "\"x\\ty\"",
    "'it''s'",
    "[1, [a]]",
    "{k: {l: 1}}",
    "{}",
    "[]",
    "${HOME}",
    "a#b",
    "'# x'",
    ".nan",
    "-0.0",
    "1.5e+300",
    "|-\n{i}  one\n{i}    two",
    "'a: b'",
    "\"\\u2028\"",
    "é",
    "~",
    "on",
];
const KEYS: &[&str] = &["a", "b", "c", "host", "'1'", "1", "\"x.y\"", "on", "'a b'", "null"];

fn scalar() -> impl Strategy<Value = &'static str> {
    prop::sample::select(SCALARS)
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        4 => scalar().prop_map(Tree::Scalar),
        1 => prop::collection::vec(scalar(), 1..4).prop_map(Tree::List),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop::collection::vec((prop::sample::select(KEYS), inner), 1..5).prop_map(Tree::Map)
    })
}

fn fragment() -> impl Strategy<Value = Tree> {
    prop::collection::vec((prop::sample::select(KEYS), tree()), 0..6).prop_map(Tree::Map)
}

fn write(tree: &Tree, indent: usize, name: &str, count: &mut usize, text: &mut String) {
    let Tree::Map(entries) = tree else { return };
    let pad = " ".repeat(indent);
    let mut seen = Vec::new();
    for (key, value) in entries {
        if seen.contains(key) {
            continue;
        }
        seen.push(*key);
        *count += 1;
        writeln!(text, "{pad}# {name} before {count}.").unwrap();
        match value {
            Tree::Scalar(scalar) if scalar.starts_with('|') => {
                writeln!(text, "{pad}{key}: {}", scalar.replace("{i}", &pad)).unwrap();
            }
            Tree::Scalar(scalar) => writeln!(text, "{pad}{key}: {scalar}  # {name} behind {count}.").unwrap(),
            Tree::List(items) => {
                writeln!(text, "{pad}{key}:").unwrap();
                for item in items {
                    let item = item.replace("{i}", &format!("{pad}  "));
                    writeln!(text, "{pad}  - {item}").unwrap();
                }
            }
            Tree::Map(_) => {
                writeln!(text, "{pad}{key}:").unwrap();
                write(value, indent + 2, name, count, text);
            }
        }
    }
    if entries.is_empty() && indent == 0 {
        text.push_str("{}\n");
    }
}

/// A project with a common fragment or two, and one or two for each environment.
fn project(folder: &Path, common: &[Tree], own: &[Vec<Tree>]) -> (Vec<String>, Vec<String>) {
    let (mut paths, mut comments) = (Vec::new(), Vec::new());
    let mut put = |path: String, tree: &Tree| {
        let (mut text, mut count) = (String::new(), 0);
        let name = path.replace(['/', '.'], "-");
        write(tree, 0, &name, &mut count, &mut text);
        std::fs::create_dir_all(folder.join(&path).parent().unwrap()).unwrap();
        comments.extend(
            text.lines()
                .filter_map(|line| line.rsplit_once("# ").map(|(_, remark)| remark.to_owned()))
                .filter(|remark| remark.ends_with('.')),
        );
        std::fs::write(folder.join(&path), text).unwrap();
        paths.push(path);
    };
    for (number, tree) in common.iter().enumerate() {
        put(format!("config/base{number}.yml"), tree);
    }
    for (environment, trees) in ["dev", "staging", "prod"].iter().zip(own) {
        for (number, tree) in trees.iter().enumerate() {
            put(format!("config/{environment}/part{number}.yml"), tree);
        }
    }
    (paths, comments)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_merged_resolves_to_what_the_fragments_came_to(
        common in prop::collection::vec(fragment(), 1..3),
        own in prop::collection::vec(prop::collection::vec(fragment(), 1..3), 1..4),
        ending in prop::sample::select(&["yml", "yml", "json"][..]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let world = World::real();
        let (paths, comments) = project(folder.path(), &common, &own);
        // Later fragments win, so that no conflict has to be decided; without placeholders, for the texts are no real ones.
        let layout = Layout {
            fragments: paths.iter().map(|path| Pattern::new(path)).collect(),
            later_wins: true,
            ..Layout::default()
        };
        let request = MergeRequest {
            layout: layout.clone(),
            master: PathBuf::from(format!("new/pipeline.{ending}")),
            environments: format!("new/environments/{{name}}.{ending}"),
            removes_fragments: false,
        };
        let planned = match plan(&world, folder.path(), &request) {
            Ok(planned) => planned,
            // JSON has no dates, no other keys than text.
            Err(error) if ending == "json" && error.to_string().contains("cannot be written as JSON") => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        if planned.proofs.iter().all(|proof| proof.keys == 0) {
            return Ok(());
        }
        prop_assert_eq!(planned.verdict(), Verdict::Yes, "{:?}", planned.against());
        rewrite(&world, folder.path(), "a test", &planned.puts()).unwrap();
        for environment in &planned.environments {
            let ask = |path: &str, environments: Option<String>| {
                let request = ResolveRequest {
                    path: path.into(),
                    environment: Some(environment.clone()),
                    environments,
                    layout: Layout { fragments: Vec::new(), ..layout.clone() },
                    keeps_placeholders: true,
                };
                resolve(&world, folder.path(), &request).unwrap().root
            };
            let old = ask("config", None);
            let new = ask(&format!("new/pipeline.{ending}"), Some(format!("new/environments/{{name}}.{ending}")));
            prop_assert!(is_same(&old.value, &new.value), "{environment}: {:?}\n{:?}", old.value, new.value);
        }
        // Merged once more, what was written is written again, byte by byte.
        let again = MergeRequest {
            layout: Layout {
                fragments: planned.files.iter().map(|(path, _)| Pattern::new(&path.to_string_lossy())).collect(),
                ..layout.clone()
            },
            ..request.clone()
        };
        let again = plan(&world, folder.path(), &again).unwrap();
        prop_assert_eq!(again.verdict(), Verdict::Yes, "{:?}", again.against());
        prop_assert_eq!(&again.files, &planned.files);
        if ending == "yml" {
            let written: String = planned.files.iter().map(|(_, text)| text.as_str()).collect();
            let lost: Vec<&String> = comments.iter().filter(|comment| !written.contains(comment.as_str())).collect();
            prop_assert!(lost.is_empty(), "{lost:?}\n{written}");
        }
    }
}
