//! Packages that somebody changed, or made to do harm: each byte counts, and what is wrong is named.

use super::super::approvals::key_file;
use super::super::ground::{Ground, Seen};
use super::{packed, said};

/// Somewhere else, without the project.
fn verify(ground: &Ground, bytes: &[u8], key: &str) -> Seen {
    ground.write("../elsewhere/shop", bytes);
    let key = if key.is_empty() { String::new() } else { format!("--key {}", key_file(key).display()) };
    ground.run(&format!("-C ../elsewhere package verify ../elsewhere/shop {key}"))
}

// rows: RE-7
#[test]
fn a_package_verifies_for_its_key_and_for_no_other() {
    for form in ["zip", "tar.zst"] {
        let (ground, bytes) = packed(form);
        let seen = verify(&ground, &bytes, "ana.pub");
        if form == "zip" {
            insta::assert_snapshot!(said(&seen), @r#"
            $ switchback -C ../elsewhere package verify ../elsewhere/shop --key [ANA]
            --- stdout
            yes: package shop 1 of phase unify of shop, of [TIME]: 16 files, [N] bytes
              verified: its manifest is the one that SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20 signed
              verified: every byte of the archive is what its manifest makes it: 16 files
              not verified: that the checks saw what they say: for that, the evidence with these hashes, and the data, are needed
            --- exit 0
            "#);
        }
        assert_eq!(seen.code, 0, "{form}: {seen}");
        let seen = verify(&ground, &bytes, "");
        assert_eq!(seen.code, 0, "{form}: {seen}");
        assert!(seen.out.contains("not verified: whose key SHA256:"), "{seen}");
        let seen = verify(&ground, &bytes, "bo.pub");
        assert_eq!(seen.code, 1, "{form}: {seen}");
        assert!(
            seen.out
                .contains("it is signed by another key: SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20"),
            "{seen}"
        );
        ground.expect(0, &format!("package create --format {form} --output ../bare"));
        let bare = std::fs::read(ground.at("../bare")).unwrap();
        for key in ["", "ana.pub"] {
            let seen = verify(&ground, &bare, key);
            assert_eq!(seen.code, 2, "{form}: {seen}");
            assert!(seen.out.contains("nobody signed it"), "{seen}");
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

fn find_last(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).rposition(|window| window == what).unwrap()
}

/// One byte at each kind of place of a zip, and what is said of it.
// rows: RE-7
#[test]
fn one_changed_byte_at_each_kind_of_place_is_found_and_named() {
    let (ground, bytes) = packed("zip");
    let header = find(&bytes, b"PK\x03\x04\x14\0\0\x08\x08\0");
    let listed = find(&bytes, b"PK\x01\x02");
    let tree = find(&bytes[header..], b"tree/src/app.py") + header;
    let cases: Vec<(&str, usize, &str)> = vec![
        ("the header of the manifest", 10, "`switchback-package.json`, or its header"),
        ("a hash in the manifest", find(&bytes, b"\"blake3\":\"") + 12, "`switchback-package.json`"),
        ("the number in the manifest", find(&bytes, b"\"sequence\":1") + 11, "packages are counted from 1"),
        ("a name in the manifest", find(&bytes, b"\"project\":\"shop") + 11, "is not the manifest that"),
        ("the time in the manifest", find(&bytes, b"\"time\":\"") + 27, ""),
        (
            "the payload of the statement",
            find(&bytes, b"{\"payload\":") + 40,
            "switchback-package.statement.json",
        ),
        (
            "the name of the key",
            find(&bytes, b"\"keyid\":\"SHA256:") + 18,
            "switchback-package.statement.json",
        ),
        ("the signature", find(&bytes, b"\"sig\":\"") + 20, "switchback-package.statement.json"),
        ("the time in a header", header + 10, "the header of entry `CHANGES.md`"),
        ("the flags of a header", header + 6, "entry `CHANGES.md`: it is encrypted"),
        ("a name in a header", tree + 3, "it is not in the manifest"),
        ("a content", tree + 20, "entry `tree/src/app.py`: "),
        (
            "the last byte of a content",
            find(&bytes[tree..], b"PK\x03\x04") + tree - 1,
            "entry `tree/src/app.py`: ",
        ),
        ("the directory", listed + 38, "what the directory says about `switchback-package.json`"),
        (
            "the mode in the directory",
            find_last(&bytes, b"tree/src/app.py") - 7,
            "what the directory says about `tree/src/app.py`",
        ),
        ("a name in the directory", find_last(&bytes, b"tree/src/app.py") + 2, "it is not in the manifest"),
        ("the end", bytes.len() - 1, "the end of the archive"),
    ];
    for (place, at, words) in cases {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let seen = verify(&ground, &changed, "ana.pub");
        assert_ne!(seen.code, 0, "{place}: {seen}");
        assert!(format!("{}{}", seen.out, seen.err).contains(words), "{place}: {seen}");
    }
    // The same all over it, for whoever lists no kinds of places.
    for form in ["zip", "tar.zst"] {
        let (ground, bytes) = packed(form);
        for at in (0..bytes.len()).step_by(bytes.len() / 60) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            let seen = verify(&ground, &changed, "ana.pub");
            assert_ne!(seen.code, 0, "{form}: byte {at}: {seen}");
        }
    }
}

#[test]
fn the_other_alphabet_of_base64_and_another_order_of_fields_are_another_statement() {
    let (ground, bytes) = packed("tar.zst");
    let text = |from: &str, to: &str| {
        let at = find(&bytes, from.as_bytes());
        assert_eq!(from.len(), to.len());
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        changed
    };
    let begins = find(&bytes, b"\"sig\":\"") + 7;
    let signature = String::from_utf8(bytes[begins..begins + 88].to_vec()).unwrap();
    let mut cases = vec![text("{\"payload\":\"", "{\"PAYLOAD\":\"")];
    if signature.contains(['+', '/']) {
        cases.push(text(&signature, &signature.replace('+', "-").replace('/', "_")));
    }
    for changed in cases {
        let seen = verify(&ground, &changed, "ana.pub");
        assert_ne!(seen.code, 0, "{seen}");
    }
}

// rows: RE-7
#[test]
fn what_is_added_taken_away_or_cut_off_is_named() {
    for form in ["zip", "tar.zst"] {
        let (ground, bytes) = packed(form);
        let longer = [&bytes[..], b"more"].concat();
        let seen = verify(&ground, &longer, "ana.pub");
        assert_eq!(seen.code, 1, "{form}: {seen}");
        assert!(seen.out.contains("does not hold: the archive: 4 bytes follow its end"), "{seen}");
        let seen = verify(&ground, &bytes[..bytes.len() - 30], "ana.pub");
        assert_eq!(seen.code, 1, "{form}: {seen}");
        assert!(seen.out.contains("the archive ends in it") || seen.out.contains("is missing"), "{seen}");
        let seen = verify(&ground, &bytes[..100], "ana.pub");
        assert_eq!(seen.code, 2, "{form}: {seen}");
        assert!(seen.err.contains("it ends before its manifest"), "{seen}");
        let before = [b"PK\x05\x06", &bytes[..]].concat();
        assert_eq!(verify(&ground, &before, "ana.pub").code, 2, "{form}");
    }
    // A file that a program for zip archives added to it.
    let (ground, _) = packed("zip");
    ground.tool(
        "python3",
        &["-c", "import zipfile; zipfile.ZipFile('../shop.zip', 'a').writestr('tree/src/evil.py', 'x')"],
    );
    let added = std::fs::read(ground.at("../shop.zip")).unwrap();
    let seen = verify(&ground, &added, "ana.pub");
    assert_eq!(seen.code, 1, "{seen}");
    assert!(seen.out.contains("entry `tree/src/evil.py`: it is not in the manifest"), "{seen}");
}

#[test]
fn what_is_no_package_is_one_clear_error() {
    let ground = Ground::shop("");
    let zip = "import zipfile; zipfile.ZipFile('../other.zip', 'w').writestr('../evil', 'x')";
    ground.tool("python3", &["-c", zip]);
    let other = std::fs::read(ground.at("../other.zip")).unwrap();
    for bytes in [&b""[..], b"hello", &other, &[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let seen = verify(&ground, bytes, "");
        assert_eq!(seen.code, 2, "{seen}");
        assert!(seen.err.contains("error: could not read the package"), "{seen}");
        assert!(
            seen.err.contains("it is no package of Switchback") || seen.err.contains("it ends before"),
            "{seen}"
        );
        assert!(seen.err.contains("hint: name a file that `switchback package create` wrote"), "{seen}");
    }
    insta::assert_snapshot!(verify(&ground, b"hello", ""), @r#"
    $ switchback -C ../elsewhere package verify ../elsewhere/shop
    --- stderr
    error: could not read the package `../elsewhere/shop`
      caused by: it is no package of Switchback: it does not begin with a manifest

    hint: name a file that `switchback package create` wrote
    --- exit 2
    "#);
    let seen = ground.expect(2, "package verify ../nothing.zip --json");
    assert_eq!(seen.json()["schema"], "switchback/error/1");
    ground.expect(2, "package verify .");
}
