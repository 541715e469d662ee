//! A refactorer and a receiver: two projects, and nothing but the package goes from one to the other.

use std::fs;
use std::path::Path;

use super::super::approvals::key_file;
use super::super::environment::wheel;
use super::super::ground::Ground;

const CART: &str = "import dep\n\nfrom shop import tax\n\n\ndef total(prices):\n    return round(sum(prices) * (1 + tax.RATE), 2)\n\n\n\
                    def version():\n    return dep.__version__\n";
const APP: &str = "from shop.cart import total, version\n\nprint(total([1.0, 3.0]), version())\n";
const TESTS: &str = "import unittest\n\nfrom shop.cart import total, version\n\n\nclass Cart(unittest.TestCase):\n    def test_empty(self):\n        \
                     self.assertEqual(total([]), 0)\n\n    def test_tax(self):\n        self.assertEqual(total([100.0]), 119.0)\n\n    \
                     def test_version(self):\n        self.assertIn(version(), ('1.0', '2.0'))\n";

/// What both began with: a package of Python, its tests, and what it depends on.
fn shop() -> Ground {
    let ground = Ground::new();
    ground.write("src/shop/__init__.py", "");
    ground.write("src/shop/cart.py", CART);
    ground.write("src/shop/tax.py", "RATE = 0.19\n");
    ground.write("src/app.py", APP);
    ground.write("tests/test_cart.py", TESTS);
    ground.write("requirements.txt", "dep==1.0\n");
    ground.write("README.md", "# Shop\n\nTotals are in `shop.cart`.\n");
    ground.write(".gitignore", ".venv/\n__pycache__/\nincoming/\n");
    ground.write("../wheels/.keep", "");
    wheel(&ground, &["dep", "1.0"]);
    wheel(&ground, &["dep", "2.0"]);
    ground.tool("python3", &["-m", "venv", ".venv"]);
    let wheels = wheels(&ground);
    let install = ["install", "-q", "--no-index", "--find-links", &wheels, "-r", "requirements.txt"];
    ground.tool(".venv/bin/pip", &install);
    ground
}

fn wheels(ground: &Ground) -> String {
    fs::canonicalize(ground.at("../wheels")).unwrap().display().to_string()
}

/// The plan of either: the environment is built from the wheels that are there, without network.
fn plan(ground: &Ground, phase: &str, more: &str) {
    let wheels = wheels(ground);
    let plan = format!(
        "version = 1\n\n[project]\nname = \"shop\"\nmanaged = [\"src\", \"tests\", \"requirements.txt\", \"README.md\"]\n\n\
         [[environment.dependencies]]\nbuild = '''python3 -m venv {{env}} && {{env}}/bin/pip install -q --no-index --find-links {wheels} \
         -r requirements.txt'''\npath = \".venv\"\nrequirements = [\"requirements.txt\"]\n\n\
         [[check]]\nname = \"tests\"\nkind = \"tests\"\ncommand = \"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=src .venv/bin/python -m unittest \
         discover -v -s tests\"\nminimum = 3\nat = [\"before\", \"staged\", \"rehearsed\", \"live\", \"rolled-back\"]\n\n{more}\n[[phase]]\nname = \"unify\"\n{phase}"
    );
    ground.write("switchback.toml", plan);
}

/// The one who moves the module, and brings another version of what it depends on.
fn refactorer() -> Ground {
    let ground = shop();
    let package = "[package]\nnotes = \"CHANGES.md\"\nsections = [\"Summary\", \"Known issues\"]\n";
    plan(
        &ground,
        "\n[[phase.change]]\nkind = \"files\"\nfrom = \"../raised\"\npaths = [\"requirements.txt\"]\n\n\
         [[phase.change]]\nkind = \"move\"\nfrom = \"shop.cart\"\nto = \"shop.basket\"\n",
        package,
    );
    ground.write("../raised/requirements.txt", "dep==2.0\n");
    ground.write("CHANGES.md", "# Changes\n\n## Summary\nThe cart is a basket.\n\n## Known issues\nNone.\n");
    ground
}

/// The one who runs it, with a repository, and somebody who decides.
fn receiver() -> Ground {
    let ground = shop();
    plan(
        &ground,
        "approve = { roles = [\"risk\"] }\n\n[[phase.change]]\nkind = \"files\"\nfrom = \"incoming/change.zip\"\n",
        "",
    );
    ground.tool("git", &["init", "-q", "-b", "main"]);
    ground.tool("git", &["config", "user.name", "Bo Tester"]);
    ground.tool("git", &["config", "user.email", "bo@localhost"]);
    ground.tool("git", &["add", "."]);
    ground.tool("git", &["commit", "-q", "-m", "first"]);
    ground
}

/// The package, and no other file: from the folder that one sends to into one of the other's.
fn hand_over(from: &Ground, to: &Ground) {
    fs::create_dir(from.at("../share")).unwrap();
    from.expect(0, "package send ../shop-1.zip ../share");
    let names: Vec<_> =
        fs::read_dir(from.at("../share")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["shop-1.zip"]);
    to.write("../shop-1.zip", fs::read(from.at("../share/shop-1.zip")).unwrap());
}

fn key(name: &str) -> String {
    key_file(name).display().to_string()
}

fn says(ground: &Ground) -> String {
    ground.tool(".venv/bin/python", &["-B", "src/app.py"])
}

// rows: RE-8, RE-10, RE-11, RE-17, RE-19
#[test]
fn needs_venv_a_change_goes_from_one_project_to_the_other_with_nothing_but_its_package() {
    let maker = refactorer();
    maker.expect(0, "run --until rehearsed");
    maker.expect(0, &format!("certificate create --key {} --output ../unify.json", key("ana")));
    let made =
        format!("package create --key {} --certificate ../unify.json --output ../shop-1.zip", key("ana"));
    maker.expect(0, &made);
    let taker = receiver();
    hand_over(&maker, &taker);
    drop(maker);

    // Verified and shown.
    taker.expect(0, &format!("package verify ../shop-1.zip --key {}", key("ana.pub")));
    let seen = taker.expect(0, &format!("package receive ../shop-1.zip --key {}", key("ana.pub")));
    for words in [
        "what is live here is what it was made from",
        "new dependency: requirements.txt: dep==2.0",
        "The cart is a basket.",
        "- `shop.cart` is `shop.basket`",
    ] {
        assert!(seen.out.contains(words), "`{words}` is missing: {seen}");
    }
    assert!(taker.at("src/shop/cart.py").exists(), "nothing goes live by that");

    // Rehearsed with an environment of its own; nothing goes on before somebody decided.
    let seen = taker.run("run");
    assert_ne!(seen.code, 0, "{seen}");
    assert!(seen.err.contains("environment .venv: built anew: dep 1.0 → 2.0"), "{seen}");
    assert!(seen.err.contains("check tests at rehearsed: yes"), "{seen}");
    assert!(says(&taker).ends_with(" 1.0\n"), "what is live has its own environment");
    taker.expect(0, "approve unify --role risk");
    taker.expect(0, "run");
    assert_eq!(says(&taker), "4.76 2.0\n");
    assert!(taker.at("src/shop/basket.py").exists() && !taker.at("src/shop/cart.py").exists());

    // Committed, with what was proved; put away; taken back.
    let seen = taker.expect(0, "package commit");
    let message = taker.tool("git", &["log", "-1", "--format=%B"]);
    for words in [
        "unify: 1 module moved, 4 files changed",
        "- shop.cart is shop.basket",
        "- requirements.txt: new dep==2.0",
        "- yes: tests at live: 3 passed",
        "- risk by tester@",
        "Switchback-Package: shop 1 blake3:",
        "Switchback-Certificate: blake3:",
    ] {
        assert!(message.contains(words), "`{words}` is missing: {message}\n{seen}");
    }
    assert_eq!(taker.tool("git", &["status", "--porcelain"]), "");
    let told = taker.expect(0, "package archive --json").json();
    let folder = told["path"].as_str().unwrap().to_owned();
    let list = taker.read(&format!("{folder}/archive.json"));
    let commit = taker.tool("git", &["rev-parse", "HEAD"]);
    assert!(list.contains(commit.trim()), "{list}");
    taker.expect(0, "log verify");
    let seen = taker.expect(0, "rollback");
    assert!(says(&taker).ends_with(" 1.0\n"), "{seen}");
    assert_eq!(taker.read("src/shop/cart.py"), CART);
    assert!(Path::new(&taker.at(&folder)).join("change.zip").exists(), "nothing of the archive is lost");
    // The same package is not taken twice.
    taker.expect(1, &format!("package receive ../shop-1.zip --key {}", key("ana.pub")));
}

// rows: RE-10
#[test]
fn needs_venv_a_change_that_is_rejected_or_breaks_the_receivers_own_tests_does_not_go_live() {
    let maker = refactorer();
    maker.expect(0, "run --until rehearsed");
    maker.expect(0, &format!("package create --key {} --output ../shop-1.zip", key("ana")));
    let taker = receiver();
    hand_over(&maker, &taker);
    taker.expect(0, &format!("package receive ../shop-1.zip --key {}", key("ana.pub")));
    taker.run("run");
    let seen =
        taker.run_arguments(&["reject", "unify", "--role", "risk", "--why", "dep 2.0 is not released here"]);
    assert_eq!(seen.code, 0, "{seen}");
    let seen = taker.run("run");
    assert_ne!(seen.code, 0, "{seen}");
    assert!(seen.err.contains("dep 2.0 is not released here"), "{seen}");
    assert_eq!(taker.read("src/shop/cart.py"), CART);
    assert!(says(&taker).ends_with(" 1.0\n"));
    assert_eq!(taker.expect(2, "package commit").code, 2);
    // Without the wheel of the new version there is no environment to rehearse in.
    let other = receiver();
    other.write("../shop-1.zip", fs::read(maker.at("../shop-1.zip")).unwrap());
    fs::remove_file(other.at("../wheels/dep-2.0-py3-none-any.whl")).unwrap();
    other.expect(0, &format!("package receive ../shop-1.zip --key {}", key("ana.pub")));
    let seen = other.expect(2, "run");
    assert!(seen.err.contains("the environment `.venv` could not be built"), "{seen}");
    assert_eq!(other.read("src/shop/cart.py"), CART);
}
