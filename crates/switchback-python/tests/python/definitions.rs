//! Definitions that rules move: Python itself says whether a program still does what it did.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use switchback_core::tree::copy::make_directories;
use switchback_core::verdict::Verdict;
use switchback_core::world::{Command, Disk, Exit, RealDisk, World};
use switchback_python::moving::{MoveError, MoveOptions, MovePlan, Rules, plan, write};

const SHAPES: &str = r#"# -*- coding: utf-8 -*-
"""Shapes: `Circle`, `Square`, and what can be asked of them."""

from __future__ import annotations

import math
import json as _json
from collections import OrderedDict
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from .colors import Color

__all__ = ["Circle", "Square", "area", "describe"]

#: How many digits are told.
DIGITS = 2
_registry: dict[str, type] = {}


def _registered(kind):
    _registry[kind.__name__] = kind
    return kind


# Anything that has an area.
class Shape:
    color: Color | None = None

    def area(self) -> float:
        raise NotImplementedError


@_registered
class Circle(Shape):
    """Round."""

    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return round(math.pi * self.radius**2, DIGITS)

    def paint(self):
        from . import colors

        return colors.RED


@_registered
class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


@overload
def area(shape: Circle) -> float: ...
@overload
def area(shape: Square) -> int: ...
def area(shape):
    return shape.area()


def describe(shape):
    """As text."""
    return _json.dumps(OrderedDict(kind=type(shape).__name__, area=area(shape)))
"#;

const CHECK: &str = "import shapes_app.shapes as shapes\nfrom shapes_app.shapes import *\nfrom shapes_app import colors\n\
    import shapes_app.main\n\
    assert describe(Circle(1)) == '{\"kind\": \"Circle\", \"area\": 3.14}', describe(Circle(1))\n\
    assert area(Square(3)) == 9 and Circle(2).paint() is colors.RED\n\
    assert sorted(shapes._registry) == ['Circle', 'Square'] and shapes.DIGITS == 2\n\
    assert isinstance(shapes_app.main.default(), shapes.Shape)\nprint('well')\n";

fn lay_out(root: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let place = root.join(path);
        make_directories(&RealDisk, root, place.parent().unwrap()).unwrap();
        RealDisk.write_new(&place, 0o644, &mut text.as_bytes()).unwrap();
    }
}

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let main = "from . import shapes\nfrom .shapes import Circle, describe\n\
                def default() -> \"shapes.Shape\":\n    return shapes.Square(1)\n";
    lay_out(
        folder.path(),
        &[
            ("shapes_app/__init__.py", ""),
            ("shapes_app/shapes.py", SHAPES),
            ("shapes_app/colors.py", "class Color: ...\nRED = Color()\n"),
            ("shapes_app/main.py", main),
            ("check.py", CHECK),
        ],
    );
    folder
}

fn planned(root: &Path, rules: &[(&str, &str)]) -> Result<MovePlan, MoveError> {
    let rules: Vec<String> =
        rules.iter().map(|(from, to)| format!("[[symbol]]\nfrom = \"{from}\"\nto = \"{to}\"\n")).collect();
    let options = MoveOptions {
        root: root.to_owned(),
        rules: Rules::read("rules.toml".into(), &rules.concat()).unwrap(),
        source_roots: Vec::new(),
        python_path: Vec::new(),
        shims: false,
        remove_after: None,
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    };
    plan(Arc::new(RealDisk), &options)
}

fn runs(root: &Path) {
    let line = "python3 -W error -B check.py 2>&1";
    let finished = World::real().processes.run(&Command::shell(line, root, Duration::from_mins(1))).unwrap();
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(finished.exit == Exit::Code(0) && said.ends_with("well\n"), "{said}");
}

#[test]
fn a_module_that_is_split_into_a_package_does_what_it_did() {
    let folder = tree();
    runs(folder.path());
    let names = [
        ("DIGITS", "base"),
        ("_registry", "base"),
        ("_registered", "base"),
        ("Shape", "base"),
        ("Circle", "round"),
        ("Square", "square"),
        ("area", "verbs"),
    ];
    let rules: Vec<(String, String)> = names
        .iter()
        .map(|(name, to)| (format!("shapes_app.shapes.{name}"), format!("shapes_app.shapes.{to}.{name}")))
        .collect();
    let rules: Vec<(&str, &str)> = rules.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let plan = planned(folder.path(), &rules).unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    write(&World::real(), &plan, "switchback move").unwrap();
    runs(folder.path());
    let text =
        |path: &str| String::from_utf8(RealDisk.read(&folder.path().join(path), 1 << 20).unwrap()).unwrap();
    assert!(
        !text("shapes_app/shapes/__init__.py").contains("class "),
        "{}",
        text("shapes_app/shapes/__init__.py")
    );
    assert!(text("shapes_app/shapes/base.py").contains("#: How many digits are told.\nDIGITS = 2\n"));
    let again = planned(folder.path(), &rules).unwrap();
    assert_eq!((again.moved(), again.edited(), again.created.len()), (0, 0, 0));
}

#[test]
fn what_would_need_its_old_module_while_that_needs_it_is_refused() {
    let folder = tree();
    let rules = [
        ("shapes_app.shapes.describe", "shapes_app.main.describe"),
        ("shapes_app.shapes.Square", "shapes_app.squares.Square"),
    ];
    let refused = planned(folder.path(), &rules).unwrap_err().to_string();
    assert!(refused.contains("it uses `Shape`, `_registered`, which stays"), "{refused}");
    // `check.py` takes everything from the old module, which therefore goes on offering it.
    assert!(refused.contains("shapes_app/shapes.py:59: it uses `area`, which stays"), "{refused}");
}
