//! Dependency environments: built beside the tree, exchanged with it, and back.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde_json::Value;

use super::ground::{Ground, Seen};

/// An environment that a shell can build: a tool that says which version it is of.
const TOOL: &str = "mkdir -p {env}/bin && cp tools.lock {env}/lock && printf '#!/bin/sh\\ncat \"$(dirname \"$0\")/../lock\"\\n' \
                    > {env}/bin/tool && chmod +x {env}/bin/tool && printf 'I am in %s\\n' {env} > {env}/where";

fn environment(build: &str, path: &str, more: &str) -> String {
    format!("[[environment.dependencies]]\nbuild = '''{build}'''\npath = \"{path}\"\n{more}\n")
}

/// A check at some moments.
fn check(name: &str, command: &str, at: &str) -> String {
    format!("[[check]]\nname = \"{name}\"\nkind = \"command\"\ncommand = '''{command}'''\nat = [{at}]\n\n")
}

/// A project whose candidate has another version of a tool.
fn with_tool(environments: &str, checks: &str) -> Ground {
    let ground = Ground::new();
    for (place, version) in [("", "1"), ("../new/", "2")] {
        ground.write(&format!("{place}src/app.py"), format!("VERSION = {version}\n"));
        ground.write(&format!("{place}tools.lock"), format!("tool {version}\n"));
    }
    ground.write("tools/lock", "tool 1\n");
    ground.write("tools/bin/tool", "#!/bin/sh\necho made by hand\n");
    plan(&ground, "", environments, checks);
    ground
}

fn plan(ground: &Ground, project: &str, environments: &str, checks: &str) {
    let plan = format!(
        "version = 1\n\n[project]\nname = \"shop\"\nmanaged = [\"src\", \"tools.lock\"]\n{project}\n{environments}\n\
         [[phase]]\nname = \"unify\"\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"../new\"\n\n{checks}"
    );
    ground.write("switchback.toml", plan);
}

fn tool() -> String {
    environment(TOOL, "tools", "requirements = [\"tools.lock\"]")
}

/// What was staged beside the environment, or parked there.
fn beside(ground: &Ground, path: &str) -> Option<PathBuf> {
    let begins = format!(".{path}.sb-");
    let entries = fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_name().to_str().unwrap().starts_with(&begins))
        .map(|entry| entry.path())
        .next()
}

fn inode(ground: &Ground, path: &str) -> u64 {
    fs::symlink_metadata(ground.at(path)).unwrap().ino()
}

/// The run is refused with this word, and nothing live was touched.
fn refused(ground: &Ground, word: &str) -> Seen {
    let live = |ground: &Ground| {
        let paths: Vec<PathBuf> =
            fs::read_dir(ground.at("")).unwrap().map(|entry| entry.unwrap().path()).collect();
        let mut names: Vec<String> =
            paths.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        names.retain(|name| name != ".switchback");
        names.sort();
        let inodes: Vec<u64> = names.iter().map(|name| inode(ground, name)).collect();
        (names, inodes)
    };
    let before = live(ground);
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains(word), "`{word}` is missing: {seen}");
    assert_eq!(live(ground), before, "{seen}");
    seen
}

// rows: RE-20, BX-1
#[test]
fn an_environment_goes_live_with_the_tree_and_comes_back_with_it() {
    let looks = check("old", "tools/bin/tool | grep -x 'made by hand'", "\"before\"")
        + &check(
            "new",
            "tools/bin/tool | grep -x 'tool 2' && grep -q 'VERSION = 2' src/app.py",
            "\"staged\", \"rehearsed\", \"live\"",
        )
        + &check("again", "tools/bin/tool | grep -x 'made by hand'", "\"rolled-back\"");
    let ground = with_tool(&tool(), &looks);
    ground.tool("chmod", &["+x", "tools/bin/tool"]);
    let old = inode(&ground, "tools");
    let seen = ground.expect(0, "plan");
    assert!(seen.out.contains("environment tools (built anew when tools.lock changes)"), "{seen}");
    ground.expect(0, "run --until approved");
    assert_eq!(inode(&ground, "tools"), old);
    assert!(beside(&ground, "tools").is_some());
    ground.expect(0, "run --until live");
    assert_ne!(inode(&ground, "tools"), old);
    assert_eq!(ground.tool("tools/bin/tool", &[]), "tool 2\n");
    // What it says of itself is where it is now, not where it was built.
    assert_eq!(ground.read("tools/where"), format!("I am in {}\n", ground.at("tools").display()));
    let status = ground.run("status --json").json();
    assert_eq!(status["environments"][0]["built"], true, "{status}");
    // Finished, it is still exchanged back, and nothing is left beside.
    ground.expect(0, "run");
    assert!(beside(&ground, "tools").is_none());
    let seen = ground.expect(0, "rollback");
    assert_eq!(inode(&ground, "tools"), old, "{seen}");
    assert_eq!(
        (ground.read("src/app.py").as_str(), ground.read("tools.lock").as_str()),
        ("VERSION = 1\n", "tool 1\n")
    );
    assert!(!seen.out.contains("generations"), "an environment is kept as a whole: {seen}");
    let kept = fs::read_dir(ground.at(".switchback/generations")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<PathBuf> =
        kept.map(|path| path.join("new/tools/lock")).filter(|path| path.exists()).collect();
    assert_eq!(kept.len(), 1);
}

// rows: RE-20, RE-12
#[test]
fn an_environment_whose_requirements_did_not_change_takes_no_part() {
    let ground = with_tool(&tool(), "");
    ground.write("../new/tools.lock", "tool 1\n");
    let old = inode(&ground, "tools");
    let seen = ground.expect(0, "run");
    assert!(
        seen.err.contains("environment tools: stays as it is: nothing that it is built from changed"),
        "{seen}"
    );
    assert_eq!(inode(&ground, "tools"), old);
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    // One that was built here knows what it was built from: the line that builds it counts too.
    ground.expect(0, "rollback");
    ground.write("../new/tools.lock", "tool 2\n");
    ground.expect(0, "run");
    let built = inode(&ground, "tools");
    assert_ne!(built, old);
    ground.write("../new/src/app.py", "VERSION = 3\n");
    plan(&ground, "", &environment(&format!("{TOOL} "), "tools", "requirements = [\"tools.lock\"]"), "");
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("environment tools: built anew"), "{seen}");
    assert_ne!(inode(&ground, "tools"), built);
    ground.write("../new/src/app.py", "VERSION = 4\n");
    plan(
        &ground,
        "",
        &environment(&format!("{TOOL} "), "tools", "requirements = [\"tools.lock\"]"),
        "# again\n",
    );
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("environment tools: stays as it is"), "{seen}");
}

// rows: RE-20
#[test]
fn what_cannot_be_built_is_refused_before_anything_live_is_touched() {
    let locked = "requirements = [\"tools.lock\"]";
    let cases = [
        ("echo no such wheel >&2; exit 3 # {env}", locked, "ended with exit code 3: no such wheel"),
        ("true {env}", locked, "made no folder `{env}`"),
        (
            TOOL,
            "requirements = [\"other.lock\"]",
            "is built from `other.lock`, which the candidate does not have",
        ),
        (
            "mkdir {env} && printf '\\0%s' {env} > {env}/fast.so",
            locked,
            "`fast.so` in it name the folder in which it was built",
        ),
        ("mkdir {env} && ln -s \"$PWD/src\" {env}/src", locked, "`src` in it name the folder"),
        (TOOL, "requirements = [\"tools.lock\", \"pins.txt\"]", "there is no `bin/python` in it"),
    ];
    for (build, more, word) in cases {
        let ground = with_tool(&environment(build, "tools", more), "");
        ground.write("../new/pins.txt", "dep==1\n");
        ground.write("pins.txt", "dep==1\n");
        refused(&ground, word);
    }
    // An environment below a folder that is not there has nowhere to stand.
    let ground = with_tool(&environment(TOOL, "deep/tools", locked), "");
    refused(&ground, "the environment `deep/tools` has no folder to stand in");
    ground.write("../elsewhere/kept", "");
    std::os::unix::fs::symlink("../elsewhere", ground.at("deep")).unwrap();
    refused(&ground, "`deep` is none");
    assert_eq!(fs::read_dir(ground.at("../elsewhere")).unwrap().count(), 1);
}

// rows: RE-20
#[test]
fn what_builds_changes_neither_the_candidate_nor_what_is_live() {
    let build = format!("{TOOL} && echo more >> src/app.py && ls > {{env}}/seen && ! test -e tools");
    let ground = with_tool(
        &environment(&build, "tools", ""),
        &check("kept", "grep -x 'VERSION = 2' src/app.py && ! grep more src/app.py", "\"staged\""),
    );
    ground.expect(0, "run");
    assert_eq!(ground.read("src/app.py"), "VERSION = 2\n");
    assert!(ground.read("tools/seen").contains("tools.lock"));
    if !switchback_core::world::can_confine() {
        return;
    }
    let ground = with_tool("", "");
    let build = format!("mkdir {{env}}; echo broken > {}", ground.at("tools/lock").display());
    plan(&ground, "", &environment(&build, "tools", ""), "");
    refused(&ground, "ended with exit code");
    assert_eq!(ground.read("tools/lock"), "tool 1\n");
}

// rows: RE-20, TM-12
#[test]
fn an_environment_is_rolled_back_alone_and_one_that_is_gone_is_refused() {
    let ground = with_tool(&tool(), "");
    let old = inode(&ground, "tools");
    ground.expect(0, "run --until approved");
    let staged = beside(&ground, "tools").unwrap();
    fs::rename(&staged, ground.at("../aside")).unwrap();
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("the staged environment `tools` is gone"), "{seen}");
    assert_eq!(inode(&ground, "tools"), old);
    fs::rename(ground.at("../aside"), &staged).unwrap();
    ground.expect(0, "run");
    ground.expect(0, "rollback --only tools");
    assert_eq!((inode(&ground, "tools"), ground.read("src/app.py").as_str()), (old, "VERSION = 2\n"));
    ground.expect(0, "rollback");
    assert_eq!((inode(&ground, "tools"), ground.read("src/app.py").as_str()), (old, "VERSION = 1\n"));
}

// rows: RE-20
#[test]
fn an_environment_is_exchanged_where_a_pointer_leads_to_the_tree() {
    let looks = check("new", "tools/bin/tool | grep -x 'tool 2'", "\"staged\", \"rehearsed\", \"live\"");
    let ground = with_tool(&tool(), "");
    plan(&ground, "mechanism = \"pointer\"\n", &tool(), &looks);
    fs::remove_dir_all(ground.at("tools")).unwrap();
    ground.expect(0, "run");
    assert_eq!(ground.tool("tools/bin/tool", &[]), "tool 2\n");
    ground.write("../new/tools.lock", "tool 2\ntool 3\n");
    let again = looks.replace("grep -x 'tool 2'", "grep -x 'tool 3'");
    plan(&ground, "mechanism = \"pointer\"\n", &tool(), &again);
    ground.expect(0, "run");
    assert_eq!(ground.tool("tools/bin/tool", &[]), "tool 2\ntool 3\n");
    ground.expect(0, "rollback");
    assert_eq!(ground.tool("tools/bin/tool", &[]), "tool 2\n");
    // There was none before the first cutover, and there is none again.
    ground.expect(0, "rollback");
    assert!(!ground.at("tools").exists());
}

// rows: RE-20, BX-1
#[test]
fn needs_strace_killed_at_any_exchange_tree_and_environment_are_old_together() {
    let ground = with_tool(&tool(), "");
    let old = inode(&ground, "tools");
    ground.expect(0, "run --until approved");
    let program = env!("CARGO_BIN_EXE_switchback");
    let mut killed = 0;
    for number in 1.. {
        assert!(number < 50, "it is killed for ever");
        let inject = format!("inject=renameat2:signal=KILL:when={number}");
        let line = format!(
            "strace -f -qq -o /dev/null -e trace=renameat2 -e {inject} {program} run --until live; echo $?"
        );
        let ended = ground.tool("sh", &["-c", &line]);
        if ended.lines().last() == Some("0") {
            break;
        }
        killed += 1;
        // Whatever the next command is, it ends what was begun.
        ground.run("check --at staged");
        assert_eq!(inode(&ground, "tools"), old, "killed at exchange {number}: {ended}");
        let live = (ground.read("src/app.py"), ground.read("tools.lock"));
        assert_eq!(live, ("VERSION = 1\n".to_owned(), "tool 1\n".to_owned()), "killed at exchange {number}");
    }
    assert!(killed >= 3, "two managed paths and an environment: {killed}");
    assert_ne!(inode(&ground, "tools"), old);
    assert_eq!(
        (ground.read("src/app.py").as_str(), ground.read("tools.lock").as_str()),
        ("VERSION = 2\n", "tool 2\n")
    );
}

/// Writes a wheel: `dep` says its version, also by the command `dep-tool`; `other` needs a `dep` before 2.
const WHEEL: &str = r#"
import sys, zipfile
name, version, needs = sys.argv[1], sys.argv[2], sys.argv[3:]
info = "%s-%s.dist-info/" % (name, version)
files = {
    name + "/__init__.py": "__version__ = '%s'\n\ndef main():\n    print('%s', __version__)\n" % (version, name),
    info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    + "".join("Requires-Dist: %s\n" % need for need in needs),
    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: plain\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    info + "entry_points.txt": "[console_scripts]\n%s-tool = %s:main\n" % (name, name),
}
with zipfile.ZipFile("../wheels/%s-%s-py3-none-any.whl" % (name, version), "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
    wheel.writestr(info + "RECORD", "".join("%s,,\n" % path for path in [*files, info + "RECORD"]))
"#;

/// A project with a virtual environment that has `dep` 1.0, and a candidate that asks for 2.0.
fn with_packages(build: &str, checks: &str) -> Ground {
    let ground = Ground::new();
    for (place, version) in [("", "1"), ("../new/", "2")] {
        ground.write(&format!("{place}src/app.py"), "import dep\nprint('app with', dep.__version__)\n");
        ground.write(
            &format!("{place}requirements.txt"),
            format!("# pinned\ndep[fast]=={version}.0 ; python_version > '3'\n"),
        );
    }
    ground.write("../new/src/more.py", "");
    ground.write("../wheels/.keep", "");
    for arguments in [["dep", "1.0", ""], ["dep", "2.0", ""], ["other", "1.0", "dep<2"]] {
        let needs = arguments.into_iter().filter(|argument| !argument.is_empty());
        ground.tool("python3", &["-c", WHEEL].into_iter().chain(needs).collect::<Vec<_>>());
    }
    let wheels = fs::canonicalize(ground.at("../wheels")).unwrap();
    let build = build.replace(
        "{pip}",
        &format!("{{env}}/bin/pip install -q --no-index --find-links {}", wheels.display()),
    );
    let environments = environment(&build, ".venv", "requirements = [\"requirements.txt\"]");
    plan(&ground, "", &environments, checks);
    let plan = ground.read("switchback.toml").replace("tools.lock", "requirements.txt");
    ground.write("switchback.toml", plan);
    ground
}

/// Makes a wheel in the folder `../wheels`, which is there: name, version, what it needs.
pub(crate) fn wheel(ground: &Ground, arguments: &[&str]) {
    ground.tool("python3", &["-c", WHEEL].into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>());
}

const BUILD: &str = "python3 -m venv {env} && {pip} -r requirements.txt";

fn make_live(ground: &Ground) {
    ground.tool("python3", &["-m", "venv", ".venv"]);
    let wheels = fs::canonicalize(ground.at("../wheels")).unwrap();
    let from = wheels.to_str().unwrap();
    ground.tool(
        ".venv/bin/pip",
        &["install", "-q", "--no-index", "--find-links", from, "-r", "requirements.txt"],
    );
}

// rows: RE-20, RE-11
#[test]
fn needs_venv_another_version_of_a_dependency_goes_live_and_comes_back_offline() {
    let is = |version: &str| {
        format!(
            "test \"$(.venv/bin/dep-tool)\" = 'dep {version}' && .venv/bin/python src/app.py | grep -x 'app with {version}' && \
             . .venv/bin/activate && test \"$(dep-tool)\" = 'dep {version}'"
        )
    };
    let looks = check("old", &is("1.0"), "\"before\", \"rolled-back\"")
        + &check("new", &is("2.0"), "\"staged\", \"rehearsed\", \"live\"");
    let ground = with_packages(BUILD, &looks);
    make_live(&ground);
    let old = inode(&ground, ".venv");
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("environment .venv: built anew: dep 1.0 → 2.0; 3 packages"), "{seen}");
    assert_eq!(ground.tool(".venv/bin/python", &["-c", "import dep; print(dep.__version__)"]), "2.0\n");
    assert_eq!(ground.tool(".venv/bin/dep-tool", &[]), "dep 2.0\n");
    // A link to a script, from a folder with another Python, finds the environment all the same.
    std::os::unix::fs::symlink(ground.at(".venv/bin/dep-tool"), ground.at("../linked")).unwrap();
    ground.tool("ln", &["-s", "/bin/false", "../python3"]);
    assert_eq!(ground.tool("../linked", &[]), "dep 2.0\n");
    let says = ". .venv/bin/activate && echo \"$VIRTUAL_ENV\" && command -v dep-tool && .venv/bin/pip check";
    let live = ground.at(".venv").display().to_string();
    let said = ground.tool("sh", &["-c", says]);
    assert_eq!(said, format!("{live}\n{live}/bin/dep-tool\nNo broken requirements found.\n"));
    // pip goes on working in it, and nothing in it knows where it was built.
    ground.tool(".venv/bin/pip", &["uninstall", "-q", "-y", "dep"]);
    let wheels = fs::canonicalize(ground.at("../wheels")).unwrap();
    ground.tool(
        ".venv/bin/pip",
        &["install", "-q", "--no-index", "--find-links", wheels.to_str().unwrap(), "dep==2.0"],
    );
    let found = ground.tool("sh", &["-c", "grep -rla 'switchback/work' .venv || true"]);
    assert_eq!(found, "");
    fs::remove_dir_all(wheels).unwrap();
    let seen = ground.expect(0, "rollback");
    assert!(seen.out.contains(".venv"), "{seen}");
    assert_eq!(inode(&ground, ".venv"), old);
    assert_eq!(ground.tool(".venv/bin/python", &["-c", "import dep; print(dep.__version__)"]), "1.0\n");
    assert_eq!(ground.tool(".venv/bin/dep-tool", &[]), "dep 1.0\n");
    assert_eq!(ground.tool(".venv/bin/pip", &["check"]), "No broken requirements found.\n");
    let log = ground.expect(0, "log --json").out;
    let staged: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let staged = staged.iter().find(|event| event["event"] == "staged").unwrap();
    let evidence = staged["body"]["environments"][0]["evidence"].as_str().unwrap();
    let report: Value =
        serde_json::from_str(&ground.read(&format!(".switchback/evidence/{evidence}"))).unwrap();
    let versions = (&report["old"]["installed"]["dep"], &report["new"]["installed"]["dep"]);
    assert_eq!(versions, (&Value::from("1.0"), &Value::from("2.0")), "{report}");
}

// rows: RE-20
#[test]
fn needs_venv_what_is_not_what_the_requirements_ask_for_is_refused() {
    let ground = with_packages("python3 -m venv {env} && {pip} dep==1.0", "");
    refused(&ground, "dep is 1.0, and `requirements.txt` asks for `dep[fast]==2.0`");
    let plan = |ground: &Ground, build: &str| {
        let with = ground.read("switchback.toml").replace("dep==1.0'''", &format!("{build}'''"));
        ground.write("switchback.toml", with);
    };
    plan(&ground, "--no-deps dep==2.0 other==1.0");
    let seen = refused(&ground, "`pip check` finds the environment `.venv` broken");
    assert!(seen.err.contains("other 1.0 has requirement dep<2"), "{seen}");
    // Without pip nobody can judge; that is not a yes.
    let ground = with_packages("python3 -m venv --without-pip {env}", "");
    refused(&ground, "could not tell whether the environment `.venv` holds what `requirements.txt` asks for");
}

// rows: RE-20
#[test]
fn needs_venv_what_is_installed_from_the_tree_is_found_in_the_tree_that_is_looked_at() {
    let build = "python3 -m venv --without-pip {env} && echo \"$PWD/src\" > \
                 \"$({env}/bin/python -c 'import site; print(site.getsitepackages()[0])')/shop.pth\"";
    let is = |version: u32| {
        format!("cd / && $SWITCHBACK_TREE/.venv/bin/python -c 'import app; assert app.VERSION == {version}'")
    };
    let looks = check("new", &is(2), "\"staged\", \"rehearsed\", \"live\"");
    let ground = Ground::shop(&format!("{}{looks}", environment(build, ".venv", "")));
    ground.expect(0, "run");
    ground.expect(0, "rollback");
    assert!(!ground.at(".venv").exists(), "there was none before");
}

// rows: RB-11
#[test]
fn needs_python3_no_bytecode_of_another_source_goes_live_or_comes_back() {
    // As long, and of the same time: nothing tells Python that its cache is of another source.
    let ground = Ground::shop("");
    let plan = ground.read("switchback.toml").replace(
        "kind = \"files\"\nfrom = \"../new\"",
        "kind = \"command\"\ncommand = \"printf 'VERSION = 2\\\\n' > src/app.py && touch -d @1700000000 src/app.py\"",
    );
    ground.write("switchback.toml", plan);
    ground.write("src/kept.py", "KEPT = 1\n");
    ground.tool("touch", &["-d", "@1700000000", "src/app.py", "src/kept.py"]);
    let says = || {
        ground.tool(
            "python3",
            &["-c", "import sys; sys.path.insert(0, 'src'); import app, kept; print(app.VERSION)"],
        )
    };
    let caches = || {
        let names =
            fs::read_dir(ground.at("src/__pycache__")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> =
            names.map(|name| name.to_str().unwrap().split('.').next().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!((says().as_str(), caches().join(" ").as_str()), ("1\n", "app kept"));
    let seen = ground.expect(0, "run");
    assert!(seen.err.contains("left out of the candidate: 1 of the live tree's bytecode files"), "{seen}");
    assert_eq!(caches(), ["kept"], "the cache of what did not change is as good as it was");
    assert_eq!(says(), "2\n");
    ground.expect(0, "rollback");
    assert_eq!(says(), "1\n");
}
