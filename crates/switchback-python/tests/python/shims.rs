//! Shims at work: Python itself says whether the old names still mean the very same objects (edge cases D49, D50).
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::lay_out;
use switchback_core::world::{Command, Disk, Exit, RealDisk, World};
use switchback_python::graph::ImportsOptions;
use switchback_python::moving::{MoveOptions, Pair, Rules, plan, write};
use switchback_python::standing::{ShimsOptions, ShimsOutcome, shims};

fn moved(files: &[(&str, &str)], from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), files);
    let pair = Pair { from: from.to_owned(), to: to.to_owned() };
    let options = MoveOptions {
        root: folder.path().to_owned(),
        rules: Rules { moves: vec![pair], ..Rules::default() },
        source_roots: Vec::new(),
        python_path: Vec::new(),
        shims: true,
        remove_after: Some("2027-03-31".to_owned()),
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    };
    let planned = plan(Arc::new(RealDisk), &options).unwrap();
    write(&World::real(), &planned, "switchback move").unwrap();
    folder
}

/// Runs a program in the tree; it fails the test when the program does.
fn python(root: &Path, program: &str) -> String {
    RealDisk.write_new(&root.join("check.py"), 0o644, &mut program.as_bytes()).unwrap();
    let line = "python3 -W always -B check.py 2>&1";
    let finished = World::real().processes.run(&Command::shell(line, root, Duration::from_mins(1))).unwrap();
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert!(finished.exit == Exit::Code(0), "{said}");
    said
}

#[test]
fn d49_a_module_is_the_same_object_under_both_names() {
    let files = [
        ("shop/__init__.py", ""),
        ("shop/cart.py", "STATE = []\nclass Cart: ...\ndef add(x): STATE.append(x)\n"),
        ("store/__init__.py", ""),
    ];
    let folder = moved(&files, "shop.cart", "store.cart");
    let said = python(
        folder.path(),
        "import pickle, importlib\nfrom unittest.mock import patch\n\
         import shop.cart, store.cart\nfrom shop import cart\nfrom shop.cart import *\nimport shop\n\
         assert shop.cart is store.cart is cart is shop.cart\n\
         assert isinstance(store.cart.Cart(), cart.Cart) and Cart is cart.Cart\n\
         add(1); assert store.cart.STATE == [1]\n\
         cart.NEW = 5; assert store.cart.NEW == 5\n\
         assert type(pickle.loads(b'cshop.cart\\nCart\\n.')) is type\n\
         with patch('shop.cart.add', 7): assert store.cart.add == 7\n\
         assert importlib.reload(cart) is store.cart\nimport shop.cart as again\nassert again is store.cart\n",
    );
    assert_eq!(
        said.matches("shop.cart moved to store.cart; the old name goes after 2027-03-31").count(),
        1,
        "{said}"
    );
}

#[test]
fn d49_a_package_has_no_clones_below_it() {
    let files = [
        ("shop/__init__.py", ""),
        ("shop/cart/__init__.py", "from . import fast\n"),
        ("shop/cart/fast.py", "STATE = []\n"),
        ("shop/cart/deep/__init__.py", ""),
        ("shop/cart/deep/core.py", "class Core: ...\n"),
        ("store/__init__.py", ""),
    ];
    let folder = moved(&files, "shop.cart", "store.cart");
    let said = python(
        folder.path(),
        "import shop.cart.deep.core, store.cart.deep.core\nfrom shop.cart import fast\nimport store.cart.fast, sys\n\
         assert shop.cart is store.cart\nassert shop.cart.deep.core is store.cart.deep.core\n\
         assert fast is store.cart.fast\nassert sys.modules['shop.cart.deep.core'].Core is store.cart.deep.core.Core\n\
         assert store.cart.deep.core.__spec__.name == 'store.cart.deep.core', store.cart.deep.core.__spec__\n",
    );
    assert_eq!(said.matches("shop.cart moved to store.cart").count(), 1, "{said}");
}

#[test]
fn d50_a_whole_top_package_keeps_its_old_surface() {
    let files = [
        ("shop/__init__.py", "from .cart import add\n"),
        ("shop/cart.py", "def add(x): return x\n"),
        ("shop/pay/__init__.py", "from ..cart import add\n"),
    ];
    let folder = moved(&files, "shop", "store");
    python(
        folder.path(),
        "from shop import add\nimport shop.pay, shop.cart, store\nassert shop is store\n\
         assert add is store.add is shop.pay.add is shop.cart.add\n",
    );
}

fn listed(root: &Path, day: &str, refuses_undated: bool) -> ShimsOutcome {
    let imports = ImportsOptions { root: root.to_owned(), source_roots: Vec::new(), python_path: Vec::new() };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    shims(&disk, &ShimsOptions { imports, day: day.to_owned(), refuses_undated }).unwrap()
}

#[test]
fn shims_are_listed_with_who_uses_them_and_are_due_after_their_day() {
    let files =
        [("shop/__init__.py", ""), ("shop/cart.py", "def add(x): return x\n"), ("store/__init__.py", "")];
    let folder = moved(&files, "shop.cart", "store.cart");
    let users = [
        ("late.py", "\nfrom shop.cart import add\nimport shop.cart\n"),
        ("job-runs/nightly-run.py", "import shop.cart\n"),
        ("config/app.yml", "handler: shop.cart.add\n"),
        ("switchback.toml", "from = \"shop.cart\"\n"),
        ("CHANGELOG.md", "`shop.cart` moved.\n"),
    ];
    lay_out(folder.path(), &users);
    for (day, is_due) in [("2026-05-05", false), ("2027-03-31", false), ("2027-04-01", true)] {
        let outcome = listed(folder.path(), day, true);
        let [shim] = outcome.shims.as_slice() else { panic!("{:?}", outcome.shims) };
        assert_eq!((shim.path.as_str(), shim.is_due, shim.warns), ("shop/cart.py", is_due, true));
        let used: Vec<(Option<&str>, &str, usize)> =
            shim.used_by.iter().map(|user| (user.from.as_deref(), user.path.as_str(), user.line)).collect();
        let late = Some("late");
        assert_eq!(used, [(None, "job-runs/nightly-run.py", 1), (late, "late.py", 2), (late, "late.py", 3)]);
        let named: Vec<(&str, usize)> =
            shim.named_in.iter().map(|one| (one.path.as_str(), one.line)).collect();
        assert_eq!(named, [("config/app.yml", 1)]);
        assert_eq!(outcome.verdict().word(), if is_due { "no" } else { "yes" });
        assert_eq!(outcome.summary().contains("late (late.py:2)"), is_due, "{}", outcome.summary());
    }
}

const DEPRECATED: &str =
    "# switchback deprecated: shop.old -> shop.new; since 2026-01-01; remove after 2026-06-30\n";

#[test]
fn a_module_that_a_person_deprecated_is_listed_and_must_warn() {
    let folder = tempfile::tempdir().unwrap();
    let warns = "import warnings\nwarnings.warn('shop.old goes', DeprecationWarning, stacklevel=2)\n";
    let old = format!("{DEPRECATED}{warns}");
    let files = [
        ("shop/__init__.py", ""),
        ("shop/new.py", "def add(x): return x\n"),
        ("shop/old.py", old.as_str()),
        ("app.py", "from shop import old\n"),
    ];
    lay_out(folder.path(), &files);
    assert!(python(folder.path(), "import app\n").contains("DeprecationWarning: shop.old goes"));
    let outcome = listed(folder.path(), "2026-06-30", true);
    assert_eq!(outcome.verdict().word(), "yes");
    assert_eq!(outcome.shims[0].used_by[0].path, "app.py");
    let outcome = listed(folder.path(), "2026-07-01", true);
    assert_eq!(
        outcome.summary(),
        "1 old name on 2026-07-01: `shop.old` due since 2026-06-30, used by app (app.py:1)"
    );
    for silent in [
        "",
        "# DeprecationWarning\n",
        "import warnings\nwarnings.filterwarnings('ignore', category=DeprecationWarning)\n",
        "\"Gives no DeprecationWarning.\"\n",
    ] {
        lay_out_again(folder.path(), "shop/old.py", &format!("{DEPRECATED}{silent}"));
        let outcome = listed(folder.path(), "2026-06-30", false);
        assert_eq!(outcome.verdict().word(), "no", "{silent}");
        assert!(outcome.summary().contains("`shop.old` does not warn"), "{}", outcome.summary());
    }
    lay_out_again(folder.path(), "shop/old.py", &format!("{DEPRECATED}def add(:\n"));
    let outcome = listed(folder.path(), "2026-06-30", false);
    assert_eq!(outcome.verdict().word(), "unknown");
    assert!(
        outcome.summary().contains("`shop/old.py` cannot be read: its code does not parse"),
        "{outcome:?}"
    );
}

#[test]
fn notes_without_a_day_or_that_cannot_be_read_are_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let shim = |rest: &str| format!("# switchback shim: {rest}\nraise DeprecationWarning\n");
    let dated = shim("a.x -> b.x; since 2026-01-01; remove after 2026-06-30");
    let undated = shim("a.a -> b.a; since 2026-01-01");
    let files = [("a/__init__.py", ""), ("a/x.py", dated.as_str()), ("a/a.py", undated.as_str())];
    lay_out(folder.path(), &files);
    let outcome = listed(folder.path(), "2026-06-30", false);
    let order: Vec<&str> = outcome.shims.iter().map(|shim| shim.note.old.as_str()).collect();
    assert_eq!((order, outcome.verdict().word()), (vec!["a.x", "a.a"], "yes"));
    let outcome = listed(folder.path(), "2026-06-30", true);
    assert_eq!(outcome.verdict().word(), "no");
    assert!(outcome.summary().contains("`a.a` has no day of its end"), "{}", outcome.summary());
    for wrong in [
        "a.y -> b.y; since 2026-01-01; remove after soon",
        "a.y -> b.y; since 2026-01-01; remove after 2026-02-31",
        "a.y -> b.y",
        "a.y",
    ] {
        lay_out_again(folder.path(), "a/y.py", &shim(wrong));
        let outcome = listed(folder.path(), "2026-06-30", false);
        assert_eq!(outcome.verdict().word(), "unknown", "{wrong}");
        assert_eq!(outcome.unread[0].0, "a/y.py", "{wrong}");
        assert_eq!(listed(folder.path(), "2026-07-01", false).verdict().word(), "no", "{wrong}");
    }
}

fn lay_out_again(root: &Path, path: &str, text: &str) {
    if RealDisk.look(&root.join(path)).unwrap().is_some() {
        RealDisk.remove_file(&root.join(path)).unwrap();
    }
    lay_out(root, &[(path, text)]);
}

fn wrapping(root: &Path, rules: &str) -> Result<switchback_python::moving::MovePlan, String> {
    let options = MoveOptions {
        root: root.to_owned(),
        rules: Rules::read("rules.toml".into(), rules).unwrap(),
        source_roots: Vec::new(),
        python_path: Vec::new(),
        shims: true,
        remove_after: Some("2027-03-31".to_owned()),
        today: "2026-01-01".to_owned(),
        with_text: true,
        ..MoveOptions::default()
    };
    plan(Arc::new(RealDisk), &options).map_err(|error| error.to_string())
}

const CART: &str = "import asyncio\n\
    STATE = []\n\
    class Total:\n    amount = 3\n\
    def add(item, quantity=1, *, currency):\n    STATE.append(item)\n    return {'item': item, 'count': quantity, 'currency': currency}\n\
    def parts():\n    return {'net': 1, 'tax': 2}\n\
    def total():\n    return Total()\n\
    async def fetch(key):\n    return [{'new': key}]\n\
    def plain(x): return x\n";

const SIGNATURES: &str = r#"
[[move]]
from = "shop.cart"
to = "store.cart"
[[signature]]
of = "shop.cart.add"
parameters = ["item", "qty", "debug"]
keywords = { qty = "quantity" }
dropped = ["debug"]
added = { currency = "EUR" }
result = { number = "count" }
[[signature]]
of = "shop.cart.parts"
result = ["net", "tax"]
[[signature]]
of = "shop.cart.total"
result = { sum = "amount" }
[[signature]]
of = "shop.cart.fetch"
keywords = { name = "key" }
result = { old = "new" }
"#;

const CALLS: &str = "import asyncio, pickle, shop.cart, store.cart\nfrom unittest.mock import patch\nfrom shop.cart import *\n\
    for _ in range(2):\n    assert shop.cart.add('a', 2, True) == {'item': 'a', 'number': 2, 'currency': 'EUR'}\n\
    assert add('b', qty=3)['number'] == 3 and shop.cart.add(item='c', debug=1, currency='USD')['currency'] == 'USD'\n\
    assert store.cart.STATE == ['a', 'a', 'b', 'c'] and shop.cart.STATE is store.cart.STATE\n\
    assert shop.cart.parts() == (1, 2)\n\
    t = shop.cart.total()\nassert t.sum == 3 and t.amount == 3 and isinstance(t, store.cart.Total)\n\
    assert asyncio.run(shop.cart.fetch(name='k')) == [{'old': 'k'}]\n\
    assert shop.cart.plain is store.cart.plain and shop.cart.Total is store.cart.Total\n\
    assert store.cart.add('d', quantity=4, currency='x')['count'] == 4\n\
    for wrong in (lambda: add('b', 1, 2, 3), lambda: add('b', qty=1, quantity=2), lambda: add('a', item='b')):\n\
    \x20   try:\n        wrong()\n        raise SystemExit('no error')\n    except TypeError:\n        pass\n\
    with patch('shop.cart.add', 7): assert shop.cart.add == 7 and store.cart.add != 7\n\
    assert shop.cart.add('e')['currency'] == 'EUR'\n\
    with patch('shop.cart.plain', 8): assert store.cart.plain == 8\n\
    shop.cart.NEW = 5\nassert store.cart.NEW == 5 and 'add' in dir(shop.cart)\n";

#[test]
fn om6_a_function_is_called_as_it_was_when_its_signature_changed() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[("shop/__init__.py", ""), ("store/__init__.py", ""), ("shop/cart.py", CART)]);
    let planned = wrapping(folder.path(), SIGNATURES).unwrap();
    write(&World::real(), &planned, "switchback move").unwrap();
    let said = python(folder.path(), CALLS);
    assert_eq!(said.matches("shop.cart.add is store.cart.add now").count(), 1, "{said}");
    assert_eq!(said.matches("shop.cart moved to store.cart").count(), 1, "{said}");
    let outcome = listed(folder.path(), "2026-01-01", false);
    assert_eq!(outcome.shims[0].note.signatures, ["add", "parts", "total", "fetch"]);
}

#[test]
fn om6_a_shim_that_stands_is_made_anew_and_a_package_holds_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("shop/__init__.py", "from .cart import parts\n"),
        ("shop/cart.py", CART),
        ("shop/pay.py", "def run(): ...\n"),
    ];
    lay_out(folder.path(), &files);
    let first = wrapping(folder.path(), "[[move]]\nfrom = \"shop\"\nto = \"store\"\n").unwrap();
    write(&World::real(), &first, "switchback move").unwrap();
    let later = "[[signature]]\nof = \"shop.parts\"\nby = \"store.cart.parts\"\nresult = [\"net\"]\n";
    let again = wrapping(folder.path(), later).unwrap();
    write(&World::real(), &again, "switchback move").unwrap();
    python(
        folder.path(),
        "import shop.pay, store.pay, shop\nassert shop.pay is store.pay\nassert shop.parts() == (1,)\n\
         import shop.cart\nassert shop.cart.parts() == {'net': 1, 'tax': 2}\n",
    );
}

#[test]
fn om6_a_module_below_a_package_that_moved_is_wrapped_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("shop/__init__.py", ""), ("shop/cart.py", CART), ("shop/pay.py", "def run(): ...\n")];
    lay_out(folder.path(), &files);
    let rules =
        SIGNATURES.replace("from = \"shop.cart\"\nto = \"store.cart\"", "from = \"shop\"\nto = \"store\"");
    let planned = wrapping(folder.path(), &rules).unwrap();
    write(&World::real(), &planned, "switchback move").unwrap();
    python(folder.path(), CALLS);
}

#[test]
fn om6_what_the_new_function_does_not_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(
        folder.path(),
        &[("shop/__init__.py", ""), ("shop/cart.py", "def add(x): ...\nclass Cart: ...\n")],
    );
    let head = "[[move]]\nfrom = \"shop.cart\"\nto = \"shop.core\"\n[[signature]]\n";
    let refused = |rest: &str| wrapping(folder.path(), &format!("{head}{rest}")).unwrap_err();
    let error = refused("of = \"shop.cart.add\"\nkeywords = { y = \"z\" }\n");
    assert_eq!(
        error,
        "`shop.cart.add` cannot be wrapped: `shop.core.add` has no parameter `z`; change the function first"
    );
    assert!(refused("of = \"shop.cart.Cart\"\n").contains("there is no function `shop.core.Cart`"));
    assert!(refused("of = \"shop.pay.run\"\n").contains("`shop.pay` is no shim"));
}
