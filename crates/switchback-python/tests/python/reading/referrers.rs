//! Who refers to a module, and where imports lead that leave the project.

use std::sync::Arc;

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, RealDisk};
use switchback_python::graph::ImportsOptions;
use switchback_python::outside::{OutsideError, OutsideOptions, OutsideOutcome, outside};
use switchback_python::referrers::{ReferencesOptions, ReferencesOutcome, references};

use crate::lay_out;

fn referred(files: &[(&str, &str)], of: Option<&str>) -> ReferencesOutcome {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), files);
    let options = ReferencesOptions {
        root: folder.path().to_owned(),
        of: of.map(ToOwned::to_owned),
        ..ReferencesOptions::default()
    };
    references(&(Arc::new(RealDisk) as Arc<dyn Disk>), &options).unwrap()
}

const SHOP: &[(&str, &str)] = &[
    ("shop/__init__.py", ""),
    ("shop/cart.py", "from shop import prices\nclass Cart: ...\ndef show(): ...\n"),
    ("shop/prices.py", "RATE = 1\n"),
    ("shop/pay.py", "from . import cart\nimport shop\nx = shop.cart.Cart\ny = 'cart'\n"),
    (
        "web.py",
        "from flask import Flask\nfrom shop.cart import show\napp = Flask(__name__, static_folder=None)\napp.add_url_rule('/', view_func=show)\n",
    ),
    (
        "tests/test_cart.py",
        "from unittest import mock\ndef test():\n    with mock.patch('shop.cart.Cart'): ...\n",
    ),
    ("scripts/run.sh", "python -m shop.cart\n"),
    ("Dockerfile", "COPY shop/cart.py /srv/\nRUN echo shop\n"),
    ("settings.yaml", "# shop.cart is old\nhandler: shop.cart:show\nother: shop.cart.nothing\n"),
    ("README.md", "The module `shop.cart` is the cart. A shop.cart in a sentence.\n"),
    ("CHANGELOG.md", "Added `shop.cart`.\n"),
    (
        "play.ipynb",
        "{\"cells\": [{\"cell_type\": \"code\", \"source\": [\"x = 1\\n\",\n\"import shop.cart\\n\"]}]}",
    ),
];

// rows: TM-2
#[test]
fn referrers_are_classed_and_placed() {
    let outcome = referred(SHOP, Some("shop.cart"));
    let told: Vec<String> = outcome
        .references
        .iter()
        .map(|one| format!("{} {} {}:{}", one.kind.word(), one.way.word(), one.path, one.line))
        .collect();
    assert_eq!(
        told,
        [
            "source relative import shop/pay.py:1",
            "source name shop/pay.py:3",
            "test name tests/test_cart.py:3",
            "route import web.py:2",
            "route route web.py:4",
            "configuration path Dockerfile:1",
            "configuration prose settings.yaml:1",
            "configuration name settings.yaml:2",
            "documentation prose CHANGELOG.md:1",
            "documentation name README.md:1",
            "documentation prose README.md:1",
            "script name scripts/run.sh:1",
            "notebook import play.ipynb:2",
        ]
        .map(ToOwned::to_owned),
        "{:#?}",
        outcome.told()
    );
    assert_eq!(outcome.to_json()["modules"][0]["counts"]["documentation"], 3);
}

#[test]
fn every_module_is_listed_and_one_that_is_not_there_is_said() {
    let all = referred(SHOP, None);
    let modules: Vec<&str> = all.by_module().into_keys().collect();
    assert_eq!(modules, ["shop", "shop.cart", "shop.prices"]);
    let none = referred(SHOP, Some("shop.none"));
    assert_eq!((none.verdict(), none.is_there), (Verdict::Unknown, false));
    assert_eq!(none.told(), ["there is no module `shop.none` in the tree"]);
}

const PROJECT: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        "[project]\ndependencies = ['PyYAML>=6', 'httpx']\n[project.optional-dependencies]\ndev = ['pytest']\n",
    ),
    ("requirements/base.txt", "-r other.txt\nDjango==4.2  # web\n"),
    ("app/__init__.py", ""),
    (
        "app/main.py",
        "import os.path\nimport tomllib\nimport json.nothing\nimport yaml\nimport httpx\nimport installed.sub\nimport installed.none\nimport compiled\nimport typed\nimport nowhere\nfrom django.urls import path\ntry:\n    import ujson\nexcept ImportError:\n    ujson = None\n",
    ),
    (
        "tools/run.py",
        "import os, sys\nHERE = os.path.dirname(os.path.abspath(__file__))\nsys.path.insert(0, os.path.join(HERE, '..', 'vendor'))\nsys.path.append(os.environ['X'])\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'more'))\nimport vendored\nimport extra\nimport beside\n",
    ),
    ("tools/beside.py", ""),
    ("docs/conf.py", "import sys, os\nsys.path[:0] = [os.path.abspath('..')]\n"),
    ("vendor/vendored.py", ""),
    ("more/extra/mod.py", ""),
    ("given/handed.py", ""),
    ("app/late.py", "import handed\nimport vendored\n"),
    ("env/pyvenv.cfg", ""),
    ("env/lib/python3.12/site-packages/Inst-1.0.dist-info/METADATA", "Name: Inst-All\n"),
    (
        "env/lib/python3.12/site-packages/Inst-1.0.dist-info/RECORD",
        "installed/__init__.py,,\ninstalled/sub.py,,\ncompiled.cpython-312-x86_64-linux-gnu.so,,\n",
    ),
    ("env/lib/python3.12/site-packages/installed/__init__.py", ""),
    ("env/lib/python3.12/site-packages/installed/sub.py", ""),
    ("env/lib/python3.12/site-packages/compiled.cpython-312-x86_64-linux-gnu.so", ""),
    ("env/lib/python3.12/site-packages/types_typed-1.dist-info/METADATA", "Name: types-typed\n"),
    ("env/lib/python3.12/site-packages/types_typed-1.dist-info/RECORD", "typed-stubs/__init__.pyi,,\n"),
    ("env/lib/python3.12/site-packages/typed-stubs/__init__.pyi", ""),
];

fn looked_up(minor: u8, with_environment: bool, given: &[&str]) -> Result<OutsideOutcome, OutsideError> {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), PROJECT);
    // With roots given, what a script puts on its path is that script's alone.
    let source_roots = vec![".".to_owned()];
    let imports = ImportsOptions { root: folder.path().to_owned(), source_roots, python_path: Vec::new() };
    let options = OutsideOptions {
        python_minor: minor,
        environments: if with_environment { vec![folder.path().join("env")] } else { Vec::new() },
        search_folders: given.iter().map(|one| (*one).to_owned()).collect(),
    };
    outside(&(Arc::new(RealDisk) as Arc<dyn Disk>), &imports, &options)
}

#[test]
fn imports_outside_are_classed_by_where_they_were_found() {
    let outcome = looked_up(12, true, &["given"]).unwrap();
    let told: Vec<String> = outcome
        .imports
        .iter()
        .filter(|import| !matches!(import.module.as_str(), "os" | "sys" | "pathlib"))
        .map(|import| format!("{}:{} {} {}", import.path, import.line, import.module, import.origin.word()))
        .collect();
    assert_eq!(
        told,
        [
            "app/late.py:1 handed project",
            "app/late.py:2 vendored unknown",
            "app/main.py:1 os.path stdlib",
            "app/main.py:2 tomllib stdlib",
            "app/main.py:3 json.nothing unknown",
            "app/main.py:4 yaml declared",
            "app/main.py:5 httpx declared",
            "app/main.py:6 installed.sub installed",
            "app/main.py:7 installed.none unknown",
            "app/main.py:8 compiled installed",
            "app/main.py:9 typed stub",
            "app/main.py:10 nowhere unknown",
            "app/main.py:11 django.urls declared",
            "app/main.py:13 ujson unknown",
            "tools/run.py:7 vendored project",
            "tools/run.py:8 extra project",
            "tools/run.py:9 beside project",
        ]
        .map(ToOwned::to_owned)
    );
    assert_eq!(outcome.verdict(), Verdict::No);
    let folders: Vec<(usize, Option<&str>)> = outcome
        .search_folders
        .iter()
        .filter(|one| one.path == "tools/run.py")
        .map(|one| (one.line, one.folder.as_deref()))
        .collect();
    assert_eq!(folders, [(3, Some("vendor")), (4, None), (6, Some("more"))]);
    let docs = outcome.search_folders.iter().find(|one| one.path == "docs/conf.py").unwrap();
    assert_eq!((docs.line, docs.folder.as_deref()), (2, Some("")));
}

#[test]
fn another_version_and_a_missing_environment_are_said() {
    let outcome = looked_up(10, false, &[]).unwrap();
    let of = |module: &str| outcome.imports.iter().find(|import| import.module == module).unwrap();
    assert_eq!(of("tomllib").origin.word(), "unknown");
    assert_eq!(of("installed.sub").origin.word(), "unknown");
    assert!(of("ujson").is_optional);
    assert_eq!(outcome.verdict(), Verdict::Unknown);
    assert!(matches!(looked_up(2, false, &[]), Err(OutsideError::Version(2))));
    assert!(matches!(looked_up(12, false, &["none"]), Err(OutsideError::NoFolder(_))));
}
