//! Imports of a tree, and the public surface of two trees.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use crate::lay_out;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk};
use switchback_python::api::{ApiOptions, ApiOutcome, api};
use switchback_python::graph::{ImportsOptions, imports};

fn compared(old: &str, new: &str, moved: &[(&str, &str)]) -> ApiOutcome {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[("old/shop.py", old), ("new/shop.py", new)]);
    let moved = moved.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
    let options = ApiOptions { old: folder.path().join("old"), new: folder.path().join("new"), moved };
    api(&(Arc::new(RealDisk) as Arc<dyn Disk>), &options).unwrap()
}

/// The changes as `kind symbol`, breaking ones with a `!`.
fn told(old: &str, new: &str) -> Vec<String> {
    let changes = compared(old, new, &[]).changes;
    changes
        .iter()
        .map(|change| {
            format!("{}{} {}", if change.breaking { "!" } else { "" }, change.kind.word(), change.symbol)
        })
        .collect()
}

#[test]
fn each_kind_of_change_is_told_and_judged() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("def f(a): ...", "def f(a): ...  # the same", &[]),
        ("def f(a): ...", "", &["!removed shop.f"]),
        ("", "def f(a): ...", &["added shop.f"]),
        ("def f(a): ...", "def f(a, b): ...", &["!signature shop.f"]),
        ("def f(a): ...", "def f(a, b=1): ...", &["signature shop.f"]),
        ("def f(a, b=1): ...", "def f(a, c=2, b=1): ...", &["!signature shop.f"]),
        ("def f(a, b=1): ...", "def f(a, b=2): ...", &["signature shop.f"]),
        ("def f(a, b=1): ...", "def f(a, b): ...", &["!signature shop.f"]),
        ("def f(a, b): ...", "def f(a, *, b): ...", &["!signature shop.f"]),
        ("def f(*, a): ...", "def f(a): ...", &["signature shop.f"]),
        ("def f(a): ...", "def f(a, /): ...", &["!signature shop.f"]),
        ("def f(*args): ...", "def f(): ...", &["!signature shop.f"]),
        ("def f(a): ...", "async def f(a): ...", &["!type shop.f"]),
        ("def f(a: int): ...", "def f(a: str): ...", &["type shop.f"]),
        ("def f(): ...", "f = 1", &["!type shop.f"]),
        ("A = 1", "A = 2", &["value shop.A"]),
        ("A = g()", "A = h()", &[]),
        ("class C(Base): ...", "class C: ...", &["!signature shop.C"]),
        ("class C: ...", "class C(Base): ...", &["signature shop.C"]),
        ("class C:\n    def m(self): ...", "class C: ...", &["!removed shop.C.m"]),
        ("class C:\n    def _m(self): ...", "class C: ...", &[]),
        ("class C:\n    def m(self): ...", "", &["!removed shop.C"]),
        (
            "@dataclass\nclass C:\n    a: int = 1",
            "@dataclass\nclass C:\n    a: int",
            &["!signature shop.C.a"],
        ),
        ("__all__ = ['f']\ndef f(): ...\ndef g(): ...", "def f(): ...", &[]),
        (
            "@overload\ndef f(a: int): ...\n@overload\ndef f(a: str): ...\ndef f(a): ...",
            "def f(a): ...",
            &["!signature shop.f"],
        ),
    ];
    for (old, new, wanted) in cases {
        assert_eq!(told(old, new), *wanted, "{old} → {new}");
    }
}

#[test]
fn a_surface_is_compared_through_the_moves() {
    let folder = tempfile::tempdir().unwrap();
    let files =
        [("old/shop.py", "def f(a): ...\nclass C: ...\n"), ("new/store.py", "def f(a): ...\nclass C: ...\n")];
    lay_out(folder.path(), &files);
    let options = |moved: Vec<(String, String)>| ApiOptions {
        old: folder.path().join("old"),
        new: folder.path().join("new"),
        moved,
    };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let through = api(&disk, &options(vec![("shop".to_owned(), "store".to_owned())])).unwrap();
    assert_eq!((through.verdict(), through.changes.len()), (Verdict::Yes, 0));
    let plain = api(&disk, &options(Vec::new())).unwrap();
    assert_eq!(
        (plain.verdict(), plain.changes.len()),
        (Verdict::No, 2),
        "one line for the module that is gone"
    );
}

/// What a file `old/shop/cart.py` offers against several files of the new tree.
fn told_of(new: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[("old/shop/__init__.py", ""), ("new/shop/__init__.py", "")]);
    lay_out(
        folder.path(),
        &[("old/shop/cart.py", "RATE = 1\ndef add(a): ...\nclass Cart:\n    def total(self): ...\n")],
    );
    lay_out(folder.path(), new);
    let options =
        ApiOptions { old: folder.path().join("old"), new: folder.path().join("new"), moved: Vec::new() };
    let outcome = api(&(Arc::new(RealDisk) as Arc<dyn Disk>), &options).unwrap();
    let changes = outcome.changes.iter().filter(|change| change.kind.word() != "added");
    changes.map(|change| format!("{} {}", change.kind.word(), change.symbol)).collect()
}

#[test]
fn what_a_module_passes_on_is_not_gone() {
    let same = "RATE = 1\ndef add(a): ...\nclass Cart:\n    def total(self): ...\n";
    for shim in [
        "from shop.store import *\n",
        "from .store import *\n",
        "from .store import RATE, add, Cart\n",
        "from . import store\nfrom .store import add, Cart\nRATE = 1\n",
    ] {
        let new = [("new/shop/cart.py", shim), ("new/shop/store.py", same)];
        assert_eq!(told_of(&new), [""; 0], "{shim}");
    }
    // Through two modules, the second of them private.
    let chain = [
        ("new/shop/cart.py", "from .store import *\n"),
        ("new/shop/store.py", "from ._inner import *\n"),
        ("new/shop/_inner.py", same),
    ];
    assert_eq!(told_of(&chain), [""; 0]);
}

#[test]
fn what_comes_through_another_module_is_held_against_what_it_was() {
    let other = "RATE = 1\ndef add(a, b): ...\nclass Cart: ...\n";
    let new = [("new/shop/cart.py", "from .store import *\n"), ("new/shop/store.py", other)];
    assert_eq!(told_of(&new), ["removed shop.cart.Cart.total", "signature shop.cart.add"]);
    // A star brings what `__all__` names, and a name that begins with `_` never.
    let some = [
        ("new/shop/cart.py", "from .store import *\n"),
        ("new/shop/store.py", "__all__ = ['add', 'RATE']\nRATE = 1\ndef add(a): ...\nclass Cart: ...\n"),
    ];
    assert_eq!(told_of(&some), ["removed shop.cart.Cart"]);
    // What `__all__` leaves out is not offered, wherever it comes from.
    let left_out = [
        ("new/shop/cart.py", "from .store import *\n__all__ = ['add']\n"),
        ("new/shop/store.py", "RATE = 1\ndef add(a): ...\nclass Cart: ...\n"),
    ];
    assert_eq!(told_of(&left_out), ["removed shop.cart.Cart", "removed shop.cart.RATE"]);
    // Two modules that import from each other define nothing.
    let circle = [
        ("new/shop/cart.py", "from .store import *\n"),
        ("new/shop/store.py", "from .cart import *\nfrom .cart import add\n"),
    ];
    assert_eq!(
        told_of(&circle),
        ["removed shop.cart.Cart", "removed shop.cart.RATE", "removed shop.cart.add"]
    );
}

#[test]
fn nothing_to_compare_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[("old/readme.md", ""), ("new/readme.md", "")]);
    let options =
        ApiOptions { old: folder.path().join("old"), new: folder.path().join("new"), moved: Vec::new() };
    assert_eq!(api(&(Arc::new(RealDisk) as Arc<dyn Disk>), &options).unwrap().verdict(), Verdict::Unknown);
}

#[test]
fn imports_are_resolved_and_circles_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("src/shop/__init__.py", "from .cart import add, gone\nimport os.path\n"),
        ("src/shop/cart.py", "import shop.pay\nfrom . import missing\ndef add(): ...\n"),
        (
            "src/shop/pay.py",
            "from shop.cart import add\ntry:\n    import shop.fast\nexcept ImportError:\n    pass\n",
        ),
        ("pyproject.toml", "[project]\n"),
    ];
    lay_out(folder.path(), &files);
    let options =
        ImportsOptions { root: folder.path().to_owned(), source_roots: Vec::new(), python_path: Vec::new() };
    let outcome = imports(Arc::new(RealDisk), &options).unwrap();
    let missing: Vec<String> = outcome
        .missing
        .iter()
        .map(|one| format!("{}:{} {} {}", one.import.path, one.import.line, one.import.why, one.is_optional))
        .collect();
    assert_eq!(
        missing,
        [
            "src/shop/__init__.py:1 `shop.cart` has no `gone` false",
            "src/shop/cart.py:2 `shop` has no `missing` false",
            "src/shop/pay.py:3 there is no module `shop.fast` true",
        ]
    );
    assert_eq!((outcome.modules, outcome.imports, outcome.external), (3, 7, 1));
    assert_eq!(outcome.cycles, [["shop.cart", "shop.pay"]]);
    assert_eq!(outcome.verdict(), Verdict::No);
    assert!(outcome.graph_dot(Some("shop.pay")).contains("\"shop.cart\" -> \"shop.pay\""));
}
