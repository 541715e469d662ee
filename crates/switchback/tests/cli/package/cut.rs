//! Long lists: what matters comes first, what is left out is counted, and what nobody could look at is named.

use serde_json::Value;

use super::receive::{carry, receive, receiver};
use super::{Ground, create, shop, text_in};

const OLD_PROJECT: &str =
    "[tool.poetry]\nname = \"shop\"\n\n[tool.poetry.dependencies]\npython = \"^3.11\"\nnumpy = \"^1.26\"\n";
/// So many lines a lock file has.
const LOCK_LINES: usize = 700;

/// A project of Poetry whose candidate asks for one package more, by which its lock file becomes another one as a whole.
fn of_poetry() -> Ground {
    let ground = shop("");
    for (root, word) in [("", "old"), ("../new/", "new")] {
        let lock = (0..LOCK_LINES)
            .map(|line| format!("# {word}\n{word}-{line:03} = \"1.{line}\"\n"))
            .collect::<Vec<_>>()
            .concat();
        ground.write(&format!("{root}src/poetry.lock"), lock);
    }
    ground.write("src/pyproject.toml", OLD_PROJECT);
    ground.write("../new/src/pyproject.toml", format!("{OLD_PROJECT}zarr = \"^2.18\"\n"));
    ground.expect(0, "run --until rehearsed");
    ground
}

fn change_in(ground: &Ground, file: &str) -> Value {
    serde_json::from_str(&text_in(ground.at(file), "change.json")).unwrap()
}

// rows: RE-5, RE-10
#[test]
fn a_new_dependency_stands_before_the_lines_of_lock_files_and_what_is_cut_is_counted() {
    let maker = of_poetry();
    create(&maker, 0, "--output ../shop.zip");
    let page = text_in(maker.at("../shop.zip"), "CHANGES.md");
    let dependencies = page.split("## Dependencies\n\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let lines: Vec<&str> = dependencies.lines().collect();
    let first = "- `src/pyproject.toml`: new `zarr = \"^2.18\"`";
    assert_eq!((lines[0], lines[1]), (first, "- `src/requirements.txt`: new `pandas==2.2.0`"));
    let more = 2 + 2 * LOCK_LINES - 500;
    assert_eq!((lines.len(), lines[500]), (501, format!("- and {more} more, in `change.json`").as_str()));
    // Where the rest is, all of it is.
    let change = change_in(&maker, "../shop.zip");
    let lock = &change["dependencies"][2];
    assert_eq!(lock["file"], "src/poetry.lock");
    for side in ["gone", "new"] {
        assert_eq!(lock[side].as_array().unwrap().len(), LOCK_LINES, "{side}");
    }
    let taker = receiver("zip");
    carry(&maker, "../shop.zip", &taker);
    for (name, content) in [("src/poetry.lock", ""), ("src/pyproject.toml", OLD_PROJECT)] {
        taker.write(name, content);
    }
    let seen = receive(&taker, 0, "../shop.zip");
    let shown: Vec<&str> =
        seen.out.lines().filter_map(|line| line.trim().strip_prefix("new dependency: ")).collect();
    assert_eq!(shown[0], "src/pyproject.toml: zarr = \"^2.18\"", "{seen}");
    assert_eq!(shown[1], "src/requirements.txt: pandas==2.2.0", "{seen}");
    let more = 2 + LOCK_LINES - 100;
    let last = format!("and {more} more, all of which `--json` lists");
    assert_eq!((shown.len(), shown[100]), (101, last.as_str()), "{seen}");
    std::fs::remove_file(taker.at("incoming/change.zip")).unwrap();
    let seen = receive(&taker, 0, "../shop.zip --json").json();
    assert_eq!(seen["review"]["new_dependencies"].as_array().unwrap().len(), 2 + LOCK_LINES);
}

// rows: RE-5
#[test]
fn documents_that_name_what_changed_for_callers_are_found() {
    let maker = shop("");
    for root in ["", "../new/"] {
        let gone = if root.is_empty() { "\n\ndef round_up(net):\n    return -(-net // 1)\n" } else { "" };
        let tax = maker.read(&format!("{root}src/shop/tax.py"));
        maker.write(&format!("{root}src/shop/tax.py"), format!("{tax}{gone}"));
    }
    maker.write("docs/use.md", "Call `shop.tax.tax(net, rate=0.07)`.\n\n    from shop.tax import round_up\n\nThe tax is `round_up(3.2)`.\n");
    maker.write("docs/other.md", "The `tax` is due, and `round_up` is a word.\n");
    maker.expect(0, "run --until rehearsed");
    create(&maker, 0, "--output ../shop.zip");
    let page = text_in(maker.at("../shop.zip"), "CHANGES.md");
    let named = page.split("## Documents that name what moved, is gone or changed\n\n").nth(1).unwrap();
    let lines: Vec<&str> = named.lines().collect();
    assert_eq!(
        lines,
        [
            "- `README.md:3` names `shop.cart`",
            "- `README.md:3` names `src/shop/cart.py`",
            "- `docs/use.md:1` names `shop.tax.tax` (signature)",
            "- `docs/use.md:3` names `shop.tax.round_up` (removed)",
            "- `docs/use.md:5` names `shop.tax.round_up` (removed)",
        ]
    );
    let change = change_in(&maker, "../shop.zip");
    assert_eq!(change["still_named"][2]["change"], "signature", "{change}");
    assert_eq!(change["still_named"][0]["change"], Value::Null, "{change}");
}

// rows: RE-5, RE-10
#[test]
fn what_could_not_be_looked_at_is_named_and_does_not_pass_for_empty() {
    let maker = shop("");
    maker.write("docs/latin.md", b"Caf\xe9: see `shop.cart`.\n");
    maker.write("docs/large.txt", "shop.cart\n".repeat((8 << 20) / 10 + 1));
    maker.write("../new/src/requirements.txt", b"n\0u\0m\0p\0y\0\xff\n");
    maker.expect(0, "run --until rehearsed");
    let seen = create(&maker, 0, "--output ../shop.zip");
    let note =
        "to be looked at: 3 files could not be looked at for dependencies or old names: see the change log";
    assert!(seen.out.contains(note), "{seen}");
    let page = text_in(maker.at("../shop.zip"), "CHANGES.md");
    for line in [
        "- `src/requirements.txt` was not compared: the new one is not UTF-8\n",
        "- `docs/latin.md` was not looked at: it is not UTF-8\n",
        "- `docs/large.txt` was not looked at: it is larger than 8 MiB\n",
        "- `README.md:3` names `shop.cart`\n",
    ] {
        assert!(page.contains(line), "`{line}` is missing: {page}");
    }
    let change = change_in(&maker, "../shop.zip");
    assert_eq!(change["dependencies"][0]["not_read"], "the new one is not UTF-8");
    // The list of requirements is a text, too, and is counted once.
    assert_eq!(change["documents_not_read"].as_array().unwrap().len(), 3, "{change}");
    assert_eq!(change["still_named_more"], 0);
    let taker = receiver("zip");
    carry(&maker, "../shop.zip", &taker);
    let seen = receive(&taker, 0, "../shop.zip");
    let line = "not looked at: `src/requirements.txt` in the package is not UTF-8";
    assert!(seen.out.contains(line), "{seen}");
}
