//! The check `startup`: each module is imported by Python itself, in a process of its own, and the program is started.

use serde_json::Value;

use super::ground::Ground;

const CHECK: &str = "[[check]]\nname = \"starts\"\nkind = \"startup\"\nat = [\"before\", \"staged\"]\n";

fn ground(check: &str) -> Ground {
    let ground = Ground::shop(check);
    for (path, text) in [
        ("src/shop/__init__.py", ""),
        ("src/shop/prices.py", "PRICE = 10\n"),
        ("src/shop/cart.py", "from shop.prices import PRICE\n"),
        ("src/shop/__main__.py", "raise SystemExit('it ran')\n"),
        ("src/shop/tests/__init__.py", ""),
        ("src/shop/tests/test_cart.py", "import there_is_no_such_tool\n"),
        ("src/tool.py", "raise SystemExit('a script')\n"),
    ] {
        ground.write(path, text);
        ground.write(&format!("../new/{path}"), text);
    }
    ground
}

/// What the check said at `staged`: the verdict, the line, and the evidence.
fn said(ground: &Ground, code: i32) -> (String, String) {
    ground.expect(code, "run --until staged --restage");
    let document: Value = ground.run("status --json").json();
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["at"] == "staged");
    let check = check.unwrap_or_else(|| panic!("{document:#}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["summary"].as_str().unwrap().to_owned())
}

// rows: RB-7
#[test]
fn needs_python3_the_first_module_that_cannot_be_imported_is_named_with_its_place() {
    let ground = ground(CHECK);
    assert_eq!(said(&ground, 0), ("yes".to_owned(), "3 modules imported, none fails".to_owned()));
    ground.write("../new/src/shop/prices.py", "COST = 10\n");
    let (verdict, line) = said(&ground, 1);
    assert_eq!(verdict, "no");
    assert!(line.starts_with("3 modules, 1 cannot be imported; first `shop.cart` (src/shop/cart.py:1: ImportError: cannot import name 'PRICE'"), "{line}");
    ground.write("../new/src/shop/prices.py", "PRICE = \n");
    let (_, line) = said(&ground, 1);
    assert!(
        line.contains("2 cannot be imported; first `shop.cart` (src/shop/prices.py:1: SyntaxError"),
        "{line}"
    );
}

// rows: RB-7
#[test]
fn needs_python3_modules_that_end_die_or_hang_do_not_take_the_others_along() {
    let ground = ground(&format!("{CHECK}module_s = 2\n"));
    ground.write("../new/src/shop/ends.py", "import sys\nsys.exit(0)\n");
    ground.write("../new/src/shop/dies.py", "import os\nos._exit(7)\n");
    ground.write("../new/src/shop/hangs.py", "import time\ntime.sleep(60)\n");
    let keeps = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)\n";
    ground.write("../new/src/shop/keeps_a_child.py", keeps);
    ground.write("../new/src/shop/splits.py", "import os\nif os.fork() == 0:\n    raise SystemExit\n");
    let deaf = "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass\n";
    ground.write("../new/src/shop/deaf.py", deaf);
    ground.write("../new/src/json/__init__.py", "");
    ground.write("../new/src/json/mine.py", "VALUE = 1\n");
    ground.write("../new/src/shop/loud.py", "print('x' * 1000000)\nimport sys\nsys.path.clear()\n");
    let (verdict, line) = said(&ground, 1);
    assert_eq!(verdict, "no");
    assert!(
        line.starts_with(
            "12 modules, 4 cannot be imported; first `shop.deaf` (it was not imported within 2 s)"
        ),
        "{line}"
    );
    let report = ground.run("report --format json").out;
    for words in ["its process ended with exit code 7", "SystemExit"] {
        assert!(report.contains(words), "{words}: {report}");
    }
}

// rows: RB-7
#[test]
fn needs_python3_what_could_not_be_imported_before_is_not_held_against_the_candidate() {
    let ground = ground(CHECK);
    for side in ["", "../new/"] {
        ground.write(&format!("{side}src/shop/cloud.py"), "import there_is_no_such_library\n");
    }
    let (verdict, line) = said(&ground, 0);
    assert_eq!(
        (verdict.as_str(), line.as_str()),
        ("yes", "4 modules imported, none fails, 1 as before not counted")
    );
    ground.write("../new/src/shop/cart.py", "import there_is_no_such_library\n");
    let (_, line) = said(&ground, 1);
    assert!(line.contains("1 cannot be imported, 1 as before not counted; first `shop.cart`"), "{line}");
}

// rows: RB-7
#[test]
fn needs_python3_the_program_has_to_start_and_nothing_imported_is_no_answer() {
    let ground = ground(&format!(
        "{CHECK}modules = [\"shop.prices\"]\ncommand = \"PYTHONPATH=src python3 -c 'import shop.cart'\"\n"
    ));
    let (verdict, line) = said(&ground, 0);
    assert!(verdict == "yes" && line.starts_with("1 module imported, none fails; started in "), "{line}");
    ground.write("../new/src/shop/cart.py", "raise RuntimeError('no till')\n");
    let (verdict, line) = said(&ground, 1);
    assert!(
        verdict == "no" && line.contains("the program does not start: exit code 1: RuntimeError: no till"),
        "{line}"
    );
    ground.plan("", &format!("{CHECK}modules = [\"shop.gone\"]\n"));
    let seen = ground.expect(2, "run --until staged --restage");
    assert!(seen.err.contains("there is no module `shop.gone` in the tree"), "{seen}");
}

// rows: RB-7, RB-11
#[test]
fn needs_python3_bytecode_beside_the_sources_does_not_serve() {
    let ground = ground("[[check]]\nname = \"starts\"\nkind = \"startup\"\nat = [\"live\"]\n");
    // Bytecode of a module that can be imported, which says that it belongs to a source of this time and size.
    ground.write("../new/src/shop/cart.py", "VALUE = 11\n");
    ground.tool(
        "python3",
        &["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "../new/src/shop/cart.py"],
    );
    ground.write("../new/src/shop/cart.py", "VALUE = (1\n");
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("first `shop.cart` (src/shop/cart.py:1: SyntaxError"), "{seen}");
}
