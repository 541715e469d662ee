//! What must hold of every merge, tried on modules that are made by chance from fixed seeds; and merges of commits.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use switchback_core::tree::rewrite::undo;
use switchback_core::world::{Command, Disk, RealDisk, World};
use switchback_python::merging::{
    MergeError, MergeOptions, MergePlan, MergeRules, Side, WriteChoice, plan, write,
};

/// Numbers by chance, the same for the same seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}

/// One definition, by name and version.
fn unit(name: usize, version: usize) -> String {
    match name % 5 {
        0 => format!("\n\ndef f{name}(x):\n    y = x + {version}\n    return y\n"),
        1 => format!(
            "\n\nclass C{name}:\n    z = {version}\n\n    def m{name}(self):\n        return self.z\n\n    def n{name}_{version}(self):\n        return {version}\n"
        ),
        2 => format!("\nV{name} = {version}\n"),
        3 => {
            format!("\n\n# about {name}\n@mark\nasync def g{name}():\n    await h()\n    return {version}\n")
        }
        _ => format!("\n\nclass Test{name}:\n    def test_{name}(self):\n        assert {version}\n"),
    }
}

type Units = Vec<(usize, usize)>;

fn module(imports: &BTreeSet<usize>, units: &Units) -> String {
    let mut text = String::from("\"\"\"Made by chance.\"\"\"\nimport base\n");
    text.extend(imports.iter().map(|one| format!("from lib{one} import name{one}\n")));
    text.extend(units.iter().map(|(name, version)| unit(*name, *version)));
    text
}

/// Some definitions changed, one taken out, some added.
fn changed(chance: &mut Chance, units: &Units, imports: &BTreeSet<usize>) -> String {
    let mut units = units.clone();
    let mut imports = imports.clone();
    for _ in 0..=chance.below(3) {
        match chance.below(4) {
            0 => {
                let at = chance.below(units.len());
                units[at].1 = 1 + chance.below(3);
            }
            1 if units.len() > 2 => {
                units.remove(chance.below(units.len()));
            }
            2 => {
                imports.insert(chance.below(9));
            }
            _ => {
                let name = 20 + chance.below(12);
                if units.iter().all(|(other, _)| *other != name) {
                    units.insert(chance.below(units.len() + 1), (name, chance.below(2)));
                }
            }
        }
    }
    module(&imports, &units)
}

fn lay(folder: &Path, text: &str) {
    RealDisk.make_directory(folder, 0o755).unwrap();
    RealDisk.write_new(&folder.join("test_m.py"), 0o644, &mut text.as_bytes()).unwrap();
}

fn merged(base: Option<&str>, source: &str, target: &str) -> MergePlan {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    lay(&place("source"), source);
    lay(&place("target"), target);
    if let Some(base) = base {
        lay(&place("base"), base);
    }
    let options = MergeOptions {
        root: place("target"),
        source: Side::Folder(place("source")),
        target: Side::Folder(PathBuf::from(".")),
        base: base.map(|_| Side::Folder(place("base"))),
        rules: MergeRules::default(),
        rules_folder: PathBuf::new(),
        kept: Vec::new(),
        source_roots: Vec::new(),
        removes_source: false,
        scratch: place("target").join(".switchback/merge"),
    };
    plan(&World::real(), &options).unwrap()
}

fn text(plan: &MergePlan) -> &str {
    std::str::from_utf8(plan.files[0].bytes().unwrap()).unwrap()
}

fn names(text: &str) -> BTreeSet<&str> {
    text.lines()
        .map(str::trim)
        .filter(|line| ["def ", "async def ", "class "].iter().any(|word| line.starts_with(word)))
        .map(|line| line.split(['(', ':']).next().unwrap())
        .collect()
}

#[test]
fn what_must_hold_of_every_merge() {
    let (mut clean, mut open) = (0, 0);
    for seed in 0..150 {
        let mut chance = Chance(seed);
        let units: Units = (0..4 + chance.below(6)).map(|name| (name, 0)).collect();
        let imports: BTreeSet<usize> = (0..chance.below(3)).map(|_| chance.below(9)).collect();
        let base = module(&imports, &units);
        let (one, other) = (changed(&mut chance, &units, &imports), changed(&mut chance, &units, &imports));

        assert_eq!(text(&merged(None, &one, &one)), one, "{seed}: two equal trees");
        assert_eq!(text(&merged(Some(&base), &one, &one)), one, "{seed}: two equal changes");
        assert_eq!(text(&merged(Some(&base), &one, &base)), one, "{seed}: a change of the source");
        assert_eq!(text(&merged(Some(&base), &base, &other)), other, "{seed}: a change of the target");

        let (there, back) = (merged(Some(&base), &one, &other), merged(Some(&base), &other, &one));
        assert_eq!(there.open(), back.open(), "{seed}: {:?} and {:?}", there.against(), back.against());
        assert_eq!(there.verdict(), back.verdict(), "{seed}: {:?} and {:?}", there.against(), back.against());
        if there.open() > 0 {
            open += 1;
            continue;
        }
        clean += 1;
        let (old, has) = (names(&base), names(text(&there)));
        for (side, against) in [(names(&one), names(&other)), (names(&other), names(&one))] {
            for name in side {
                assert!(
                    has.contains(name) || old.contains(name) && !against.contains(name),
                    "{seed}: `{name}` is lost"
                );
            }
        }
    }
    assert!(clean > 40 && open > 10, "{clean} clean, {open} open: too little was tried");
}

#[test]
fn without_an_ancestor_nothing_is_lost_either() {
    for seed in 1000..1060 {
        let mut chance = Chance(seed);
        let units: Units = (0..4 + chance.below(6)).map(|name| (name, 0)).collect();
        let imports = BTreeSet::new();
        let (one, other) = (changed(&mut chance, &units, &imports), changed(&mut chance, &units, &imports));
        let (there, back) = (merged(None, &one, &other), merged(None, &other, &one));
        assert_eq!(there.open(), back.open(), "{seed}");
        if there.open() == 0 {
            let has = names(text(&there));
            assert!(names(&one).union(&names(&other)).all(|name| has.contains(name)), "{seed}");
        }
    }
}

fn git(folder: &Path, line: &str) {
    let line = format!("git -c user.name=N -c user.email=n@example.org -c commit.gpgsign=false {line}");
    let done = World::real().processes.run(&Command::shell(&line, folder, Duration::from_mins(1))).unwrap();
    assert!(done.succeeded(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

fn put(folder: &Path, path: &str, text: &str) {
    let place = folder.join(path);
    if RealDisk.look(&place).unwrap().is_some() {
        RealDisk.remove_file(&place).unwrap();
    }
    RealDisk.write_new(&place, 0o644, &mut text.as_bytes()).unwrap();
}

fn options(root: &Path, source: &str, target: &str) -> Result<MergeOptions, MergeError> {
    let world = World::real();
    Ok(MergeOptions {
        root: root.to_owned(),
        source: Side::read(&world, root, source)?,
        target: Side::read(&world, root, target)?,
        base: None,
        rules: MergeRules::default(),
        rules_folder: PathBuf::new(),
        kept: Vec::new(),
        source_roots: Vec::new(),
        removes_source: false,
        scratch: root.join(".switchback/merge"),
    })
}

#[test]
fn a_branch_is_merged_into_the_work_tree_and_two_commits_meet_where_they_parted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    git(root, "init -q -b main");
    RealDisk.make_directory(&root.join("pkg"), 0o755).unwrap();
    put(root, "pkg/m.py", "def a():\n    return 1\n");
    git(root, "add . && git -c user.name=N -c user.email=n@example.org commit -qm one");
    git(root, "checkout -q -b side");
    put(root, "pkg/m.py", "def a():\n    return 1\n\n\ndef of_side(): ...\n");
    git(root, "commit -qam side");
    git(root, "checkout -q main");
    put(root, "pkg/m.py", "def a():\n    return 2\n\n\ndef of_main(): ...\n");
    git(root, "commit -qam main");
    let wanted = "def a():\n    return 2\n\n\ndef of_main(): ...\n\n\ndef of_side(): ...\n";
    let world = World::real();

    let commits = plan(&world, &options(root, "side", "main").unwrap()).unwrap();
    assert!(commits.has_base);
    assert_eq!(text(&commits), wanted);
    let refused = write(&world, &commits, WriteChoice::default(), "switchback merge").unwrap_err();
    assert!(refused.to_string().contains("no folder"), "{refused}");

    let below = plan(&world, &options(root, "side", "pkg").unwrap()).unwrap();
    assert_eq!((below.files[0].path.as_str(), text(&below)), ("m.py", wanted));

    let planned = plan(&world, &options(root, "side", ".").unwrap()).unwrap();
    assert_eq!(planned.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["pkg/m.py"]);
    put(root, "pkg/m.py", "def changed_meanwhile(): ...\n");
    let refused = write(&world, &planned, WriteChoice::default(), "switchback merge").unwrap_err();
    assert!(refused.to_string().contains("changed while the merge was planned"), "{refused}");
    git(root, "checkout -q -- .");
    write(&world, &planned, WriteChoice::default(), "switchback merge").unwrap();
    let bytes = RealDisk.read(&root.join("pkg/m.py"), 1 << 20).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), wanted);

    assert!(matches!(options(root, "nowhere", "."), Err(MergeError::NoSide(_))));
    assert!(matches!(plan(&world, &options(root, "pkg", "pkg").unwrap()), Err(MergeError::Same(_))));
}

#[test]
fn what_is_too_large_to_be_read_is_copied_and_never_merged() {
    const LARGE_BYTES: u64 = (64 << 20) + 1;
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for (side, end) in [("source", b"s"), ("target", b"t")] {
        lay(&place(side), "def a(): ...\n");
        let mut zeros = std::io::Read::chain(std::io::Read::take(std::io::repeat(0), LARGE_BYTES), &end[..]);
        RealDisk.write_new(&place(side).join("both.txt"), 0o644, &mut zeros).unwrap();
    }
    let mut zeros = std::io::Read::take(std::io::repeat(0), LARGE_BYTES);
    RealDisk.write_new(&place("source").join("one.bin"), 0o755, &mut zeros).unwrap();
    let mut options = options(&place("target"), ".", ".").unwrap();
    options.source = Side::Folder(place("source"));
    options.rules =
        MergeRules::read(Path::new("r.toml"), "[[decide]]\npath = \"both.txt\"\ntake = \"source\"\n")
            .unwrap();
    let planned = plan(&World::real(), &options).unwrap();
    assert_eq!(planned.verdict().word(), "yes", "{:?}", planned.against());
    let why = planned.files.iter().find(|file| file.path == "both.txt").unwrap().conflicts[0].why.clone();
    assert!(why.contains("too large"), "{why}");
    write(&World::real(), &planned, WriteChoice::default(), "switchback merge").unwrap();
    for name in ["both.txt", "one.bin"] {
        let hash = |side: &str| RealDisk.hash(&place(side).join(name)).unwrap();
        assert_eq!(hash("source"), hash("target"), "{name}");
        let identity = |side: &str| RealDisk.look(&place(side).join(name)).unwrap().unwrap().identity;
        assert_ne!(identity("source"), identity("target"), "{name} is one file under two names");
    }
    undo(&World::real(), &place("target")).unwrap();
    assert!(RealDisk.look(&place("target").join("one.bin")).unwrap().is_none());
}

#[test]
fn what_is_open_can_be_filled_in_and_decides_the_next_run() {
    let base = "def a():\n    return 1\n";
    let open = merged(Some(base), "def a():\n    return 2\n", "def a():\n    return 3\n");
    let asked = open.open_decisions();
    let filled = asked.replace("take = \"\"", "take = \"source\"");
    assert_ne!(asked, filled);
    let rules = MergeRules::read(Path::new("r.toml"), &filled).unwrap();
    assert_eq!(rules.decisions[0].definition.as_deref(), Some("a"));
    assert_eq!(rules.decisions[0].inputs.as_deref(), Some(open.files[0].conflicts[0].inputs.as_str()));
}
