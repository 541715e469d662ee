//! What is read of a module without all that is in its functions: the same as read with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use switchback_core::world::{Command, Disk, FileKind, Processes, RealDisk, RealProcesses};
use switchback_python::syntax::{Dialect, Facts, parse, parse_at_import, parse_imports};

/// What the importer asks for: the imports that run, with their places, what is bound where, and whether more may be.
fn at_import(facts: &Facts) -> String {
    let imports: Vec<String> = facts
        .imports
        .iter()
        .filter(|import| !import.is_late)
        .map(|one| {
            format!("{:?} {:?} {:?} {} {}", one.span, one.from, one.names, one.is_optional, one.is_typing)
        })
        .collect();
    format!("{}\n{:?}\n{}", imports.join("\n"), facts.first_bound, facts.is_dynamic)
}

/// What the resolver of imports asks for: every import, wherever it stands, what the module binds, and every error.
fn of_imports(facts: &Facts) -> String {
    let imports: Vec<String> = facts
        .imports
        .iter()
        .map(|one| {
            let flags = (one.is_optional, one.is_typing, one.is_late);
            format!("{:?} {:?} {:?} {flags:?}", one.span, one.from, one.names)
        })
        .collect();
    let bound: Vec<_> = facts.bound().map(|(name, bindings)| (name, bindings.len())).collect();
    let globals: BTreeSet<_> = facts.scopes.iter().flat_map(|scope| &scope.globals).collect();
    format!(
        "{}\n{bound:?}\n{globals:?}\n{:?}\n{}\n{:?}\n{:?}",
        imports.join("\n"),
        facts.exports,
        facts.is_dynamic,
        facts.script_folders,
        facts.errors
    )
}

fn is_read_alike(text: &str) {
    let lean = parse_imports(text.as_bytes(), Dialect::Module);
    assert_eq!(of_imports(&lean), of_imports(&parse(text.as_bytes(), Dialect::Module)), "{text}");
    let (whole, short) =
        (parse(text.as_bytes(), Dialect::Module), parse_at_import(text.as_bytes(), Dialect::Module));
    assert_eq!(at_import(&short), at_import(&whole), "{text}");
}

#[test]
fn bodies_do_not_matter() {
    for text in [
        "import a\ndef f():\n    import b\n    x = 1\nimport c\ny = 2\n",
        "def f():\n    \"\"\"Says\nimport a\n    this.\"\"\"\n    return 1\nimport b\n",
        "class C:\n    import a\n    def f(self):\n        import b\n\n    # said\n    async def g(self): import c\n    import d\n",
        "def f(\n    x=')',\n) -> 'int':  # a head:\n    import a\nimport b\n",
        "def f(x={'a': [1]}): return x\nimport a\n",
        "def f():\n    x = f'{a:{b}}' f\"{c['}']!r:>{d}}\"\n    y = f'{x:#}'\nimport a\n",
        "def f():\n    return f\"{x[\"(\"]}\"\nimport a\n",
        "def f():\n    return rf'\\{a}{{' r'\\' b'\\''\nimport a\nz = 1\n",
        "def f():\n    global made\n    made = 1\nimport a\n",
        "if True:\n    def f():\n        pass\n    import a\nelse:\n    def f(): pass\n    import b\n",
        "try:\n    def f():\n        import z\n    import a\nexcept ImportError:\n    a = None\n",
        "def outer():\n    def inner():\n        pass\n    import a\nimport b\n",
        "def f():\n    x = 1; \\\n  import_ = 2\nimport a\n",
        "def f():\n\timport a\nimport b\n",
        "def f():\r\n    import a\r\n    x = '''\r\n'''\r\nimport b\r\n",
        "import a\rdef f():\r    import b\rimport c\r",
        "@decorated(lambda: 0)\ndef f():\n    return (yield)\n@other\nclass D(Base):\n    def g(self):\n        return 1\n    h = g\n",
        "def f():\n    return 'é'\nnaïve = 1\nfrom .a import b as ç\n",
        "def f():\n    '''never ends\nimport a\n",
        "def f():\n    return (\nimport a\n",
        "def f():\n# at the margin\n    import b\nimport a",
        "def define(): pass\ndefine_ = 1\ndef_ = 2\n",
        "match x:\n    case 1:\n        def f():\n            import a\n        import b\n",
        "",
        "def f():\n    pass",
    ] {
        is_read_alike(text);
    }
}

/// Python's own library, with its tests, is the same read with and without bodies: files in which a test wants an error
/// of syntax apart.
#[test]
fn the_standard_library_is_read_alike() {
    let line = "python3 -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"))'";
    let asked = Command::shell(line, ".", Duration::from_mins(1));
    let asked = RealProcesses::default().run(&asked).expect("python3 runs");
    let root = PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim());
    let mut files = Vec::new();
    list(&root, &mut files);
    assert!(files.len() > 400, "{} files in {}", files.len(), root.display());
    let mut read = 0;
    for file in files {
        let bytes = RealDisk.read(&file, 64 << 20).unwrap();
        let whole = parse(&bytes, Dialect::Module);
        let lean = parse_imports(&bytes, Dialect::Module);
        assert_eq!(of_imports(&lean), of_imports(&whole), "{}", file.display());
        if whole.errors.is_empty() {
            let short = parse_at_import(&bytes, Dialect::Module);
            assert_eq!(at_import(&short), at_import(&whole), "{}", file.display());
            read += 1;
        }
    }
    assert!(read > 400, "{read} files parse");
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for name in RealDisk.list(folder).unwrap() {
        let place = folder.join(name);
        let Some(found) = RealDisk.look(&place).unwrap() else { continue };
        match found.kind {
            FileKind::Directory => list(&place, files),
            FileKind::File if place.extension().is_some_and(|extension| extension == "py") => {
                files.push(place);
            }
            _ => {}
        }
    }
}
