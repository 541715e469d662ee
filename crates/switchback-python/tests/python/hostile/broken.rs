//! Files that cannot be read, or should not be followed: each is named, and left alone or refused.

use std::path::Path;

use switchback_core::verdict::Verdict;
use switchback_core::world::{Disk, FileKind, Meta, RealDisk};
use switchback_python::moving::{MovePlan, write};

use super::{new_bytes, planned, put};

/// A package whose module `shop.cart` is to become `shop.basket`.
fn shop(root: &Path) {
    put(root, "shop/__init__.py", b"");
    put(root, "shop/cart.py", b"class Cart: ...\n");
    put(root, "app.py", b"from shop.cart import Cart\n");
}

fn why<'p>(plan: &'p MovePlan, path: &str) -> &'p str {
    let one = plan.passed_over.iter().find(|one| one.path == path);
    one.map_or_else(|| panic!("{path} is not in {:?}", plan.passed_over), |one| one.why.as_str())
}

fn make_pipe(place: &Path) {
    let like = Meta {
        kind: FileKind::Fifo,
        mode: 0o644,
        ..RealDisk.look(place.parent().unwrap()).unwrap().unwrap()
    };
    RealDisk.make_special(place, &like).unwrap();
}

#[test]
fn a_syntax_error_and_python_2_are_named_and_their_imports_edited() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    put(folder.path(), "broken.py", b"from shop.cart import Cart\ndef f(:\n    pass\nimport shop.cart\n");
    put(folder.path(), "two.py", b"import shop.cart\nprint 'x', shop.cart.Cart\nexec 'y' in {}\n");
    put(folder.path(), "apart.py", b"def f(:\n");
    let plan = planned(folder.path(), "shop.cart", "shop.basket").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let named: Vec<(&str, usize)> = plan.unparsed.iter().map(|one| (one.path.as_str(), one.line)).collect();
    assert_eq!(named, [("broken.py", 2), ("two.py", 2)], "what does not name the module is not looked at");
    let broken = new_bytes(&plan, "broken.py").unwrap();
    assert_eq!(broken, b"from shop.basket import Cart\ndef f(:\n    pass\nimport shop.basket\n");
    let two = new_bytes(&plan, "two.py").unwrap();
    assert_eq!(two, b"import shop.basket\nprint 'x', shop.basket.Cart\nexec 'y' in {}\n");
}

#[test]
fn an_encoding_is_kept_and_a_wrong_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    let cases: &[(&str, &[u8], bool)] = &[
        ("declared.py", b"# -*- coding: latin-1 -*-\r\nfrom shop.cart import Cart  # \xe9\r\n", false),
        ("undeclared.py", b"from shop.cart import Cart  # \xe9\n", true),
        ("claimed.py", b"# coding: utf-8\nfrom shop.cart import Cart\nx = '\xff'\n", true),
        ("mark.py", b"\xef\xbb\xbffrom shop.cart import Cart\n", false),
        ("japanese.py", b"# coding: shift_jis\nx = '\x83\x5c'\nfrom shop.cart import Cart\n", false),
    ];
    for (path, content, _) in cases {
        put(folder.path(), path, content);
    }
    put(folder.path(), "seven.py", b"# coding: utf-7\nfrom shop.cart import Cart\n");
    put(folder.path(), "sixteen.py", b"\xff\xfef\0r\0o\0m\0 \0s\0h\0o\0p\0.\0c\0a\0r\0t\0");
    let plan = planned(folder.path(), "shop.cart", "shop.basket").unwrap();
    for (path, content, is_named) in cases {
        let at = content.windows(4).position(|word| word == b"cart").unwrap();
        let wanted = [&content[..at], b"basket", &content[at + 4..]].concat();
        assert_eq!(new_bytes(&plan, path).unwrap(), wanted, "{path}");
        assert_eq!(
            plan.unparsed.iter().any(|one| one.path == *path),
            *is_named,
            "{path}: {:?}",
            plan.unparsed
        );
    }
    assert_eq!(new_bytes(&plan, "seven.py"), None);
    assert!(plan.unparsed.iter().any(|one| one.path == "seven.py" && one.message.contains("utf-7")));
    assert_eq!(new_bytes(&plan, "sixteen.py"), None);
}

#[test]
fn lines_that_end_in_a_carriage_return_are_lines() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    put(folder.path(), "shop/pay.py", b"");
    put(
        folder.path(),
        "old.py",
        b"x = 1\rfrom shop import (\r    cart,  # the cart\r    pay,\r)  # all\ry = cart.Cart\r",
    );
    put(folder.path(), "flat.py", b"from shop import cart, pay  # all\ry = cart.Cart\r");
    let plan = planned(folder.path(), "shop.cart", "store.cart").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let told = |path: &str| String::from_utf8_lossy(new_bytes(&plan, path).unwrap()).into_owned();
    let wanted =
        "x = 1\rfrom shop import (\r    pay,\r)  # all\rfrom store import cart  # the cart\ry = cart.Cart\r";
    assert_eq!(told("old.py"), wanted);
    assert_eq!(told("flat.py"), "from shop import pay  # all\rfrom store import cart\ry = cart.Cart\r");
    let lines: Vec<String> = plan.to_json()["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| format!("{}:{}", edit["path"], edit["line"]))
        .collect();
    assert!(lines.contains(&"\"old.py\":3".to_owned()), "{lines:?}");
}

#[test]
fn a_module_and_a_package_of_one_name_move_together() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    put(folder.path(), "shop/cart/__init__.py", b"class Cart: ...\n");
    put(folder.path(), "shop/cart/line.py", b"");
    let plan = planned(folder.path(), "shop.cart", "shop.basket").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let moved: Vec<&str> = plan.changes.iter().map(|change| change.new_path.as_str()).collect();
    assert_eq!(moved, ["app.py", "shop/basket.py", "shop/basket/__init__.py", "shop/basket/line.py"]);
    assert_eq!(new_bytes(&plan, "app.py").unwrap(), b"from shop.basket import Cart\n");
}

#[test]
fn links_are_not_followed_and_one_that_would_lead_nowhere_is_named() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = folder.path();
    shop(root);
    put(outside.path(), "user.py", b"from shop.cart import Cart\n");
    put(root, "data/prices.csv", b"1\n");
    for (target, path) in [
        ("loop", "shop/loop"),
        ("..", "shop/up"),
        ("two", "one"),
        ("one", "two"),
        ("../data/prices.csv", "shop/prices.csv"),
        ("cart.py", "shop/alias.py"),
        ("shop", "store"),
        ("nowhere", "dangling"),
        (outside.path().to_str().unwrap(), "elsewhere"),
    ] {
        RealDisk.make_symlink(Path::new(target), &root.join(path)).unwrap();
    }
    let plan = planned(root, "shop", "parts.shop").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes, "{:?}", plan.proof);
    let named: Vec<&str> = plan.passed_over.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(named, ["shop/prices.csv", "shop/up", "store"]);
    assert!(why(&plan, "shop/prices.csv").contains("data/prices.csv"));
    let told = plan.to_json();
    assert_eq!(told["passed_over"].as_array().unwrap().len(), 3);
    assert!(plan.left_told().iter().any(|line| line.starts_with("store: it leads to `shop`")));
    write(&switchback_core::world::World::real(), &plan, "move").unwrap();
    let kept = RealDisk.read(&outside.path().join("user.py"), 100).unwrap();
    assert_eq!(kept, b"from shop.cart import Cart\n", "what a link leads to is no part of the tree");
    assert_eq!(RealDisk.read_link(&root.join("parts/shop/loop")).unwrap(), Path::new("loop"));
}

#[test]
fn what_is_no_file_and_what_has_no_name_in_utf_8_is_named_or_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    make_pipe(&folder.path().join("pipe.py"));
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9.py");
    RealDisk.write_new(&folder.path().join(odd), 0o644, &mut &b"import shop.cart\n"[..]).unwrap();
    let plan = planned(folder.path(), "shop.cart", "shop.basket").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes);
    assert!(why(&plan, "pipe.py").contains("neither a file"));
    assert!(why(&plan, "caf\u{fffd}.py").contains("not UTF-8"));
    RealDisk.write_new(&folder.path().join("shop").join(odd), 0o644, &mut &b""[..]).unwrap();
    let refused = planned(folder.path(), "shop", "store").unwrap_err().to_string();
    assert!(refused.contains("caf"), "{refused}");
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    let place = folder.path().join("secret.py");
    RealDisk.write_new(&place, 0o000, &mut &b"import shop.cart\n"[..]).unwrap();
    let planned = planned(folder.path(), "shop.cart", "shop.basket");
    // Nothing is closed to the superuser.
    if RealDisk.read(&place, 100).is_ok() {
        assert_eq!(new_bytes(&planned.unwrap(), "secret.py").unwrap(), b"import shop.basket\n");
    } else {
        let refused = planned.unwrap_err().to_string();
        assert!(refused.contains("secret.py"), "{refused}");
    }
}

#[test]
fn a_generated_file_of_20_megabytes_is_edited_as_code_and_named_as_text() {
    let folder = tempfile::tempdir().unwrap();
    shop(folder.path());
    let row = format!("    '{}',\n", "row ".repeat(250));
    let table = format!("TABLE = [\n{}]\nimport shop.cart\n", row.repeat(21_000));
    assert!(table.len() > 20 << 20);
    put(folder.path(), "table.py", table.as_bytes());
    put(folder.path(), "table.txt", table.as_bytes());
    let plan = planned(folder.path(), "shop.cart", "shop.basket").unwrap();
    assert_eq!(plan.verdict(), Verdict::Yes);
    let new = new_bytes(&plan, "table.py").unwrap();
    assert_eq!(new.len(), table.len() + "basket".len() - "cart".len());
    assert!(new.ends_with(b"import shop.basket\n") && new.starts_with(&table.as_bytes()[..20 << 20]));
    assert!(why(&plan, "table.txt").contains("larger than 4 MiB"));
}
