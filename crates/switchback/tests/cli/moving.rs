//! `move`, `undo`, `imports`, `api` and `shims`, as they are typed.

use super::ground::Ground;

fn shop() -> Ground {
    let ground = Ground::new();
    ground.write("shop/__init__.py", "");
    ground.write("shop/cart.py", "def add(x):\n    return x\n");
    ground.write("store/__init__.py", "");
    ground.write("app.py", "import shop.cart\nshop.cart.add(1)\n");
    ground
}

#[test]
fn a_move_is_shown_then_written_then_undone() {
    let ground = shop();
    let before = ground.listing();
    let seen = ground.expect(0, "move shop.cart store.cart");
    insta::assert_snapshot!(seen, @r"
    $ switchback move shop.cart store.cart
    --- stdout
    diff --git a/app.py b/app.py
    --- a/app.py
    +++ b/app.py
    @@ -1,2 +1,2 @@
    -import shop.cart
    -shop.cart.add(1)
    +import store.cart
    +store.cart.add(1)
    diff --git a/shop/cart.py b/store/cart.py
    similarity index 100%
    rename from shop/cart.py
    rename to store/cart.py
    --- stderr
    yes: 1 file moved, 1 edited, 0 shims; 1 import resolved before and after; nothing was touched; `--write` writes it
    --- exit 0
    ");
    assert_eq!(ground.listing(), before);
    ground.expect(0, "move shop.cart store.cart --write");
    assert_eq!(ground.read("app.py"), "import store.cart\nstore.cart.add(1)\n");
    assert!(!ground.at("shop/cart.py").exists());
    ground.expect(0, "undo");
    assert_eq!(ground.read("app.py"), "import shop.cart\nshop.cart.add(1)\n");
    assert!(ground.at("shop/cart.py").exists() && !ground.at("store/cart.py").exists());
    let seen = ground.expect(2, "undo");
    assert!(seen.err.contains("there is no write that could be taken back"), "{seen}");
}

#[test]
fn the_document_of_a_move_holds_to_the_contract() {
    let ground = shop();
    let seen = ground.expect(0, "move shop.cart store.cart --json --shims --write").json();
    assert_eq!(seen["schema"], "switchback/move/1");
    assert_eq!(seen["verdict"], "yes");
    assert_eq!((seen["files"]["moved"].as_u64(), seen["files"]["edited"].as_u64()), (Some(1), Some(1)));
    assert_eq!((seen["files"]["shims"].as_u64(), seen["files"]["scanned"].as_u64()), (Some(1), Some(4)));
    let edit = &seen["edits"][0];
    assert_eq!(
        (edit["path"].as_str(), edit["line"].as_u64(), edit["column"].as_u64()),
        (Some("app.py"), Some(1), Some(8))
    );
    assert_eq!((edit["old"].as_str(), edit["new"].as_str()), (Some("shop.cart"), Some("store.cart")));
    assert_eq!(
        (edit["kind"].as_str(), seen["edits"][1]["kind"].as_str()),
        (Some("import"), Some("attribute"))
    );
    for list in ["imports_unresolved", "old_names_left", "api_changes"] {
        assert_eq!(seen["proof"][list].as_array().map(Vec::len), Some(0), "{list}");
    }
    let shims = ground.expect(0, "shims --json").json();
    assert_eq!(
        (shims["shims"][0]["old"].as_str(), shims["shims"][0]["new"].as_str()),
        (Some("shop.cart"), Some("store.cart"))
    );
}

#[test]
fn what_cannot_be_moved_is_an_error_with_a_next_move() {
    let ground = shop();
    let seen = ground.expect(2, "move shop.card shop.cards");
    insta::assert_snapshot!(seen, @r"
    $ switchback move shop.card shop.cards
    --- stderr
    error: could not plan the move
      caused by: there is no module, file or folder `shop.card`

    hint: give a dotted module or a path in the tree; `--source-root` says where dotted names start
    --- exit 2
    ");
    let seen = ground.expect(2, "move shop.cart");
    assert!(seen.err.contains("`shop.cart` has no TO"), "{seen}");
    ground.write("rules.toml", "[[move]]\nfrom = \"a\"\nto = \"b\"\nform = 1\n");
    let seen = ground.expect(2, "move --rules rules.toml");
    assert!(seen.err.contains("line 4"), "{seen}");
    let seen = ground.expect(2, "move shop.cart store.cart --shims --remove-after soon");
    assert!(seen.err.contains("`--remove-after soon` is no day"), "{seen}");
}

#[test]
fn changes_that_git_does_not_have_are_not_written_onto() {
    let ground = shop();
    ground.tool("git", &["init", "--quiet"]);
    ground.tool("git", &["add", "."]);
    ground.tool(
        "git",
        &["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "a"],
    );
    ground.write("app.py", "import shop.cart  # mine\n");
    let seen = ground.expect(2, "move shop.cart store.cart --write");
    assert!(seen.err.contains("`app.py` has changes that are not committed"), "{seen}");
    assert_eq!(ground.read("app.py"), "import shop.cart  # mine\n");
    ground.expect(0, "move shop.cart store.cart --write --allow-dirty");
    assert_eq!(ground.read("app.py"), "import store.cart  # mine\n");
}

#[test]
fn imports_and_surfaces_are_told() {
    let ground = shop();
    let seen = ground.expect(0, "imports --json").json();
    assert_eq!(
        (seen["schema"].as_str(), seen["verdict"].as_str()),
        (Some("switchback/imports/1"), Some("yes"))
    );
    ground.write("late.py", "from shop.cart import gone\n");
    let seen = ground.expect(1, "imports");
    assert!(seen.out.contains("late.py:1: `shop.cart` has no `gone`"), "{seen}");
    let seen = ground.expect(0, "imports graph --of shop.cart");
    assert!(seen.out.contains("\"app\" -> \"shop.cart\""), "{seen}");
    ground.write("new/shop/__init__.py", "");
    ground.write("new/shop/cart.py", "def add(x, y):\n    return x\n");
    let seen = ground.expect(1, "api shop new/shop");
    assert!(seen.out.contains("breaking: signature: shop.cart.add: (x) → (x, y)"), "{seen}");
}

const MANAGED: &str =
    "version = 1\n[project]\nname = \"shop\"\nmanaged = [\"shop\", \"store\", \"app.py\"]\n";
const CHANGE: &str = "[[phase]]\nname = \"rename\"\n[[phase.change]]\nkind = \"move\"\n";
const PROOF: &str = "[[check]]\nname = \"imports\"\nkind = \"imports\"\nat = [\"before\", \"staged\", \"rehearsed\", \"live\"]\n\
                     [[check]]\nname = \"api\"\nkind = \"api\"\nmoved = { \"shop.cart\" = \"store.cart\" }\n\
                     at = [\"staged\", \"live\"]\n";

fn planned(change: &str) -> Ground {
    let ground = shop();
    ground.write("switchback.toml", format!("{MANAGED}{CHANGE}{change}{PROOF}"));
    ground
}

// rows: TM-5, TM-6, TM-8, TM-11, BX-6, OM-6
#[test]
fn needs_python3_a_plan_moves_code_proves_it_and_takes_it_back() {
    let change = "from = \"shop.cart\"\nto = \"store.cart\"\nshims = { remove_after = 2027-03-31 }\n";
    let ground = planned(change);
    let before = ground.listing();
    let seen = ground.expect(0, "plan --json").json();
    let files = &seen["changes"][0]["files"];
    assert_eq!((files["moved"].as_u64(), files["changed"].as_u64()), (Some(1), Some(1)), "{files}");
    assert_eq!(files["added"].as_u64(), Some(1), "a shim: {files}");
    ground.expect(0, "run --until staged");
    // The old place stands until everything was proved.
    assert_eq!(ground.read("app.py"), "import shop.cart\nshop.cart.add(1)\n");
    ground.expect(0, "run");
    assert_eq!(ground.read("app.py"), "import store.cart\nstore.cart.add(1)\n");
    assert!(ground.read("shop/cart.py").contains("2027-03-31"));
    let out = ground.tool(
        "python3",
        &[
            "-W",
            "error::DeprecationWarning:nobody",
            "-c",
            "import app, shop.cart; print(shop.cart is app.store.cart)",
        ],
    );
    assert_eq!(out.trim(), "True");
    std::fs::remove_dir_all(ground.at("store/__pycache__")).ok();
    std::fs::remove_dir_all(ground.at("shop/__pycache__")).ok();
    std::fs::remove_dir_all(ground.at("__pycache__")).ok();
    ground.expect(0, "rollback");
    let after = ground.listing();
    let sources = |listing: &str| -> Vec<String> {
        listing
            .lines()
            .filter(|line| !line.contains(".switchback") && line.contains(".py"))
            .map(ToOwned::to_owned)
            .collect()
    };
    assert_eq!(sources(&after), sources(&before));
}

#[test]
fn a_move_that_a_plan_cannot_prove_or_may_not_write_makes_no_candidate() {
    let ground = planned("from = \"shop.cart\"\nto = \"store.cart\"\n");
    ground.write("tools/report.py", "from shop.cart import add\n");
    let before = ground.read("app.py");
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("has to change what is not managed: `tools/report.py`"), "{seen}");
    assert_eq!(ground.read("app.py"), before);
    let ground = planned("from = \"shop.card\"\nto = \"store.cart\"\n");
    let seen = ground.expect(2, "run");
    assert!(seen.err.contains("there is no module, file or folder `shop.card`"), "{seen}");
}

// rows: TM-8
#[test]
fn an_import_that_breaks_is_a_no_and_one_that_was_broken_before_is_none() {
    let ground = shop();
    ground.write("late.py", "from shop.cart import gone\n");
    ground.write("../next/late.py", "from shop.cart import gone\n");
    ground.write("../next/app.py", "import shop.card\n");
    let plan = "version = 1\n[project]\nname = \"shop\"\nmanaged = [\"late.py\", \"app.py\"]\n[[phase]]\nname = \"files\"\n\
                [[phase.change]]\nkind = \"files\"\nfrom = \"../next\"\n[[check]]\nname = \"imports\"\nkind = \"imports\"\n\
                source_roots = [\".\"]\n";
    ground.write("switchback.toml", plan);
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("app.py:1") || seen.out.contains("app.py:1"), "{seen}");
    ground.write("../next/app.py", "import shop.cart\nprint(shop.cart)\n");
    ground.expect(0, "run --restage");
    ground.expect(0, "rollback");
    ground.write("switchback.toml", format!("{plan}known = \"refuse\"\n"));
    ground.expect(1, "run --restage");
}

// rows: RB-5, TM-2
#[test]
fn a_route_that_is_lost_and_a_name_that_is_gone_are_a_no() {
    let ground = shop();
    let api = "from flask import Flask\napp = Flask(__name__)\n@app.get('/items/<int:key>')\ndef item(key):\n    return {}\n";
    ground.write("web.py", api);
    let plan = "version = 1\n[project]\nname = \"shop\"\nmanaged = [\"web.py\"]\n[[phase]]\nname = \"files\"\n\
                [[phase.change]]\nkind = \"files\"\nfrom = \"../next\"\n[[check]]\nname = \"routes\"\nkind = \"routes\"\n\
                [[check]]\nname = \"names\"\nkind = \"symbols\"\nexist = [\"shop.cart:add\", \"web:item\"]\n\
                gone = [\"shop.legacy\"]\n";
    ground.write("switchback.toml", plan);
    ground.write("../next/web.py", api.replace("/items/", "/things/"));
    let seen = ground.expect(1, "run");
    assert!(seen.err.contains("routes at staged: no") && seen.err.contains("/items/"), "{seen}");
    ground.write("../next/web.py", api.replace("def item", "def thing"));
    let seen = ground.expect(1, "run --restage");
    assert!(seen.err.contains("names at staged: no"), "{seen}");
    ground.write("../next/web.py", api.replace("return {}", "return {\"key\": key}"));
    ground.expect(0, "run --restage");
    let seen = ground.expect(0, "routes");
    assert!(seen.out.contains("/items/<int:key>"), "{seen}");
    let seen = ground.expect(0, "imports references --of shop.cart");
    assert!(seen.out.contains("app.py"), "{seen}");
    ground.write("../next/web.py", "");
    let seen = ground.expect(1, "routes . ../next --json");
    assert_eq!(seen.json()["schema"], "switchback/routes/1");
}

#[test]
fn a_moved_file_that_was_written_to_in_place_is_not_taken_back() {
    let ground = shop();
    ground.expect(0, "move shop.cart store.cart --write");
    let moved = ground.at("store/cart.py");
    let mut file = std::fs::OpenOptions::new().append(true).open(&moved).unwrap();
    std::io::Write::write_all(&mut file, b"# mine\n").unwrap();
    let seen = ground.expect(2, "undo");
    assert!(seen.err.contains("store/cart.py"), "{seen}");
    assert!(ground.read("store/cart.py").ends_with("# mine\n"));
}
