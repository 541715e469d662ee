//! Packages: made from what was proved, the same to the byte each time; whole, signed and newer, or refused by name.

mod after;
mod certified;
mod cut;
mod killed;
mod receive;
mod sent;
mod two_projects;
mod verify;

use std::io::Read;
use std::path::PathBuf;

use super::approvals::key_file;
use super::ground::{Ground, Seen};

const CHECK: &str = "[[check]]\nname = \"there\"\nkind = \"files\"\nexist = [\"src/app.py\"]\n\n";
const CART: &str = "def total(prices):\n    return sum(prices)\n";

/// A project whose candidate moves a module, changes another one, and is not staged yet.
fn shop(package: &str) -> Ground {
    let ground = Ground::shop("");
    for root in ["", "../new/"] {
        ground.write(&format!("{root}src/shop/__init__.py"), "");
    }
    ground.write("src/shop/cart.py", CART);
    ground.write("../new/src/store/__init__.py", "");
    ground.write("../new/src/store/cart.py", CART);
    ground.write("src/shop/tax.py", "RATE = 0.19\n\n\ndef tax(net, rate=RATE):\n    return net * rate\n");
    ground.write("../new/src/shop/tax.py", "RATE = 0.19\n\n\ndef tax(net):\n    return net * RATE\n");
    ground.write("src/settings.toml", "limit = 1\n");
    ground.write("../new/src/settings.toml", "limit = 2\n");
    ground.write("src/requirements.txt", "numpy==1.26.0\n");
    ground.write("../new/src/requirements.txt", "numpy==1.26.0\npandas==2.2.0\n");
    ground.write("requirements.txt", "-r src/requirements.txt\n");
    ground.write("README.md", "# Shop\n\nTotals are in `shop.cart`, a file src/shop/cart.py.\n");
    ground.plan("", &format!("{CHECK}{package}"));
    ground
}

fn rehearsed(package: &str) -> Ground {
    let ground = shop(package);
    ground.expect(0, "run --until rehearsed");
    ground
}

/// Signed by Ana, beside the project.
fn create(ground: &Ground, code: i32, more: &str) -> Seen {
    ground.expect(code, &format!("package create --key {} {more}", key_file("ana").display()))
}

fn packed(form: &str) -> (Ground, Vec<u8>) {
    let ground = rehearsed("");
    let file = format!("../shop.{form}");
    create(&ground, 0, &format!("--format {form} --output {file}"));
    let bytes = std::fs::read(ground.at(file)).unwrap();
    (ground, bytes)
}

/// What was said, without sizes: reports hold how long things took.
fn said(seen: &Seen) -> String {
    let text = ["ana.pub", "ana"]
        .iter()
        .fold(seen.to_string(), |text, name| text.replace(&key_file(name).display().to_string(), "[ANA]"));
    let text = regex::Regex::new(r"\b\d+ bytes").unwrap().replace_all(&text, "[N] bytes").into_owned();
    regex::Regex::new(r"\]  \d+  ").unwrap().replace_all(&text, "]  [N]  ").into_owned()
}

/// One file of a zip, by a library that is not ours.
fn text_in(path: PathBuf, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

// rows: RE-7
#[test]
fn a_package_made_twice_is_the_same_to_the_byte() {
    for form in ["zip", "tar.zst"] {
        let ground = rehearsed("");
        create(&ground, 0, &format!("--format {form} --output ../one"));
        // What is read in between, and times of access, change nothing.
        ground.expect(2, "status");
        create(&ground, 0, &format!("--format {form} --output ../two"));
        let (one, two) =
            (std::fs::read(ground.at("../one")).unwrap(), std::fs::read(ground.at("../two")).unwrap());
        assert!(one == two, "{form}");
        let again = create(&ground, 0, &format!("--format {form} --output ../one"));
        assert!(again.out.contains("it was there already"), "{again}");
        assert_eq!(ground.run("log --json").out.matches("\"packaged\"").count(), 1, "{form}");
    }
}

/// A project with notes on its change, and the package of it, `../shop.zip`.
fn noted() -> (Ground, Seen) {
    let ground = shop("[package]\nnotes = \"CHANGES.md\"\nsections = [\"Summary\"]\n");
    ground.write("CHANGES.md", "# Changes\n\n## Summary\nThe cart moved to `store`.\n");
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 0, "--output ../shop.zip");
    (ground, seen)
}

// rows: RE-5, RE-6
#[test]
fn the_change_log_says_what_changed_and_the_readiness_report_whether_it_may_go() {
    let (ground, _) = noted();
    insta::assert_snapshot!(text_in(ground.at("../shop.zip"), "CHANGES.md"), @r#"
    # shop: the phase unify

    ## Summary

    The cart moved to `store`.

    ## How it was made

    - take files from `../new`

    ## Modules moved

    - `shop.cart` is `store.cart`

    ## Public surface

    - `app.VERSION` value: `value = 1` → `value = 2`
    - **breaking**: `shop.tax.tax` signature: `(net, rate=RATE)` → `(net)`
    - `store` added: `module`

    ## Dependencies

    - `src/requirements.txt`: new `pandas==2.2.0`

    ## Configuration

    - `src/settings.toml`

    ## Files moved

    - `src/shop/cart.py` to `src/store/cart.py`

    ## Files added

    - `src/store/__init__.py`

    ## Files removed

    None.

    ## Files changed

    - `src/app.py`
    - `src/requirements.txt`
    - `src/settings.toml`
    - `src/shop/tax.py`

    ## Documents that name what moved, is gone or changed

    - `README.md:3` names `shop.cart`
    - `README.md:3` names `src/shop/cart.py`
    "#);
    insta::assert_snapshot!(text_in(ground.at("../shop.zip"), "readiness.json"), @r#"
    {
      "notes": [
        "the public surface has 1 breaking change",
        "documents name what moved, is gone or changed, at 2 places: see the change log"
      ],
      "reasons": [],
      "schema": "switchback/readiness/1",
      "verdict": "yes"
    }
    "#);
}

// rows: RE-7
#[test]
fn what_is_in_a_package_is_listed_with_hashes() {
    let (ground, seen) = noted();
    insta::assert_snapshot!(said(&seen), @r#"
    $ switchback package create --key [ANA] --output ../shop.zip
    --- stdout
    yes: package shop 1 of phase unify, ready
      [TMP]/project/../shop.zip: 17 files, [N] bytes
      blake3 [HASH]
      signed by SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20
      to be looked at: the public surface has 1 breaking change
      to be looked at: documents name what moved, is gone or changed, at 2 places: see the change log
    --- exit 0
    "#);
    insta::assert_snapshot!(said(&ground.run("package list ../shop.zip")), @r#"
    $ switchback package list ../shop.zip
    --- stdout
    [HASH]  [N]  CHANGES.md
    [HASH]  [N]  README.md
    [HASH]  [N]  change.json
    [HASH]  [N]  checks.json
    [HASH]  [N]  evidence/[HASH].json
    [HASH]  [N]  evidence/[HASH].json
    [HASH]  [N]  project/CHANGES.md
    [HASH]  [N]  project/requirements.txt
    [HASH]  [N]  project/switchback.toml
    [HASH]  [N]  readiness.json
    [HASH]  [N]  tree/src/app.py
    [HASH]  [N]  tree/src/requirements.txt
    [HASH]  [N]  tree/src/settings.toml
    [HASH]  [N]  tree/src/shop/__init__.py
    [HASH]  [N]  tree/src/shop/tax.py
    [HASH]  [N]  tree/src/store/__init__.py
    [HASH]  [N]  tree/src/store/cart.py
    --- stderr
    package shop 1 of phase unify of shop, of [TIME]: 17 files, [N] bytes
    --- exit 0
    "#);
    let checks: serde_json::Value =
        serde_json::from_str(&text_in(ground.at("../shop.zip"), "checks.json")).unwrap();
    let report = checks["checks"][0]["report"].as_str().unwrap();
    assert!(text_in(ground.at("../shop.zip"), &format!("evidence/{report}.json")).contains("\"there\""));
    assert_eq!(checks["checks"][0]["binding"]["new_tree"].as_str().unwrap().len(), 64);
    assert!(text_in(ground.at("../shop.zip"), "project/switchback.toml").contains("[package]"));
    // Another program reads it as well.
    ground.tool("python3", &["-m", "zipfile", "-t", ground.at("../shop.zip").to_str().unwrap()]);
}

// rows: RE-5, RE-6
#[test]
fn what_may_not_go_is_not_packed_and_every_reason_is_named() {
    let notes = "[package]\nnotes = \"CHANGES.md\"\nsections = [\"Summary\", \"Breaking changes\", \"Known issues\"]\n";
    let ground = shop(notes);
    ground.write("CHANGES.md", "## Summary\nThe cart moved.\n\n## Breaking changes\nTBD\n");
    ground.expect(0, "run --until staged");
    let seen = ground.expect(1, "package create --output ../shop.zip");
    insta::assert_snapshot!(seen, @r#"
    $ switchback package create --output ../shop.zip
    --- stdout
    no: the change may not go, and is not packed
      to be looked at: the public surface has 1 breaking change
      to be looked at: documents name what moved, is gone or changed, at 2 places: see the change log
    --- stderr
      no: the candidate was not rehearsed
      no: the change log lacks the section `Breaking changes`: `CHANGES.md` says nothing under `Breaking changes`
      no: the change log lacks the section `Known issues`: `CHANGES.md` has no heading `Known issues`

    next: `switchback run --until rehearsed` rehearses it
    --- exit 1
    "#);
    assert!(!ground.at("../shop.zip").exists());
    let seen = ground.expect(1, "package create --draft --output ../shop.zip");
    assert!(seen.out.contains("a draft, which may not go"), "{seen}");
    let page = text_in(ground.at("../shop.zip"), "CHANGES.md");
    assert!(
        page.contains("## Known issues\n\n**To be written:** `CHANGES.md` has no heading `Known issues`."),
        "{page}"
    );
    let readiness: serde_json::Value =
        serde_json::from_str(&text_in(ground.at("../shop.zip"), "readiness.json")).unwrap();
    assert_eq!((&readiness["verdict"], readiness["reasons"].as_array().unwrap().len()), (&"no".into(), 3));
    // Once all is said and rehearsed, it goes.
    ground.write("CHANGES.md", "## Summary\nx\n## Breaking changes\nNone.\n## Known issues\nNone.\n");
    ground.expect(0, "run --until rehearsed");
    ground.expect(0, "package create --output ../ready.zip");
    assert_eq!(ground.run("package create --json --output ../ready.zip").json()["package"]["sequence"], 2);
}

#[test]
fn there_is_no_package_without_a_candidate() {
    let ground = shop("");
    let seen = ground.expect(2, "package create");
    assert!(seen.err.contains("no phase has a candidate yet: there is nothing to pack"), "{seen}");
    let ground = Ground::shop("");
    ground.expect(0, "run --until rehearsed");
    let seen = ground.expect(2, "package create");
    assert!(seen.err.contains("no check looked at the candidate: nothing is proved of it"), "{seen}");
}

#[test]
fn what_is_live_can_be_packed_and_what_was_changed_since_cannot() {
    let ground = rehearsed("");
    ground.expect(0, "run");
    create(&ground, 0, "--output ../live.zip");
    ground.write("src/app.py", "VERSION = 3\n");
    let seen = create(&ground, 2, "--output ../changed.zip");
    assert!(seen.err.contains("`src/app.py` of the candidate was changed since it was staged"), "{seen}");
    assert!(!ground.at("../changed.zip").exists());
}

/// The trees of a package are those of the candidate, so its managed paths have to be those of then as well: what came to the plan later
/// would be told to be gone, and deleted where the package is taken.
#[test]
fn what_is_live_is_not_packed_with_managed_paths_that_came_later() {
    let ground = rehearsed("");
    ground.expect(0, "run");
    ground.write("more/x.py", "x = 1\n");
    let plan = ground.read("switchback.toml");
    ground.write("switchback.toml", plan.replace("[\"src\"]", "[\"src\", \"more\"]"));
    let words = "the plan says something else about managed paths, or the phase `unify`, than when its candidate was staged";
    let seen = create(&ground, 1, "--output ../live.zip");
    assert!(seen.err.contains(words), "{seen}");
    let seen = create(&ground, 2, "--draft --output ../live.zip");
    assert!(seen.err.contains(words) && !ground.at("../live.zip").exists(), "{seen}");
    ground.write("switchback.toml", plan);
    create(&ground, 0, "--output ../live.zip");
}

#[test]
fn nothing_is_written_over() {
    let ground = rehearsed("");
    ground.write("../shop.zip", "mine\n");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("is there, and is another file"), "{seen}");
    assert_eq!(ground.read("../shop.zip"), "mine\n");
    let left: Vec<_> =
        std::fs::read_dir(ground.at("..")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".switchback-package")), "{left:?}");
}

#[test]
fn a_secret_is_named_by_file_and_line_and_does_not_leave() {
    let ground = shop("");
    let secret = format!("AKIA{}", "Q3EGRIVXZ7ABCDEF");
    ground.write("../new/src/shop/keys.py", format!("REGION = \"eu\"\nKEY = \"{secret}\"\n"));
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(
        seen.err.contains("what looks like a secret would go into the package: `src/shop/keys.py` line 2"),
        "{seen}"
    );
    assert!(!seen.err.contains(&secret) && !ground.at("../shop.zip").exists(), "{seen}");
    // Where the plan says that it is none, it goes.
    ground.plan("", &format!("{CHECK}[package]\nallow_secrets = [\"src/shop/keys.py\"]\n"));
    ground.expect(0, "run --until rehearsed --restage");
    create(&ground, 0, "--output ../shop.zip");
    // The plan itself is looked at as well.
    let ground = shop(&format!("# {secret}\n"));
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("`switchback.toml` line"), "{seen}");
}

#[test]
fn a_secret_in_a_link_or_across_a_cut_does_not_leave_and_what_is_not_searched_is_counted() {
    let secret = format!("AKIA{}", "Q3EGRIVXZ7ABCDEF");
    let ground = shop("");
    std::os::unix::fs::symlink(&secret, ground.at("../new/src/shop/key")).unwrap();
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("`src/shop/key`, in what the link leads to"), "{seen}");
    assert!(!seen.err.contains(&secret) && !ground.at("../shop.zip").exists(), "{seen}");
    // A long line is read in parts of 1 MiB.
    let ground = shop("");
    let filler = "a ".repeat((1 << 19) - 5);
    ground.write("../new/src/shop/data.txt", format!("{filler}{secret} b\n"));
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("`src/shop/data.txt` line 1"), "{seen}");
    // Text of two bytes a letter is text.
    let ground = shop("");
    let text = format!("\u{feff}REGION = 1\r\nKEY = {secret}\r\n");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    ground.write("../new/src/shop/keys.ini", wide);
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("`src/shop/keys.ini` line 2"), "{seen}");
    let ground = shop("");
    ground.write("../new/src/shop/notes.bin", b"a\0b\0");
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 0, "--output ../shop.zip");
    assert!(seen.out.contains("\n  not searched for secrets, being no text: 1 file\n"), "{seen}");
    let told = create(&ground, 0, "--output ../shop.zip --json").json();
    assert_eq!(told["not_searched"], 1, "{told}");
}

#[test]
fn what_no_package_can_hold_is_named() {
    let ground = shop("");
    ground.write("../new/src/README", "a\n");
    ground.write("../new/src/readme", "b\n");
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("`tree/src/README` and `tree/src/readme` are one name"), "{seen}");
    let ground = shop("");
    std::os::unix::fs::symlink("/etc/hostname", ground.at("../new/src/host")).unwrap();
    ground.expect(0, "run --until rehearsed");
    let seen = create(&ground, 2, "--output ../shop.zip");
    assert!(seen.err.contains("entry `tree/src/host` is a link that leads out of it"), "{seen}");
}

#[test]
fn a_package_is_sent_to_a_folder_and_nothing_there_is_written_over() {
    let (ground, bytes) = packed("zip");
    std::fs::create_dir(ground.at("../share")).unwrap();
    let seen = ground.expect(0, "package send ../shop.zip ../share");
    assert!(seen.out.starts_with("yes: sent, and read back: "), "{seen}");
    assert_eq!(std::fs::read(ground.at("../share/shop.zip")).unwrap(), bytes);
    assert!(ground.expect(0, "package send ../shop.zip ../share").out.contains("was there already"));
    ground.write("../share/shop.zip", "another\n");
    let seen = ground.expect(2, "package send ../shop.zip ../share");
    assert!(seen.err.contains("is there, and is another file"), "{seen}");
    assert_eq!(ground.read("../share/shop.zip"), "another\n");
    assert_eq!(std::fs::read_dir(ground.at("../share")).unwrap().count(), 1);
    let seen = ground.expect(2, "package send ../shop.zip ../nowhere");
    assert!(seen.err.contains("there is no folder"), "{seen}");
    let mut damaged = bytes;
    *damaged.last_mut().unwrap() ^= 1;
    ground.write("../damaged.zip", damaged);
    let seen = ground.expect(2, "package send ../damaged.zip ../share");
    assert!(seen.err.contains("is not whole, and is not sent"), "{seen}");
}
