//! A certificate that goes along: only where it verifies, says yes, and is about exactly what goes in.

use std::fs;

use switchback_core::manifest::to_hex;
use switchback_core::world::{Disk as _, RealDisk};

use super::super::approvals::key_file;
use super::super::ground::{Ground, Seen, answering};
use super::after::{commits, in_git};
use super::{CHECK, create, shop};

/// A project whose certificates can say no: a check looks at the live tree, and says what a file says.
fn answered() -> Ground {
    let ground = shop("");
    ground.plan("", &format!("{CHECK}{}", answering("\"live\"")));
    ground.write("answer", "0\n");
    in_git(&ground);
    ground.expect(0, "run --until rehearsed");
    ground
}

fn certify(ground: &Ground, code: i32, file: &str) -> Seen {
    ground.expect(code, &format!("certificate create --key {} --output {file}", key_file("bo").display()))
}

/// Certificates of another candidate, with a changed byte in content or signature, of nobody, and no certificate at all; each with
/// what is said about it.
fn not_of_this(ground: &Ground) -> Vec<(&'static str, &'static str)> {
    let other = answered();
    other.write("../new/src/app.py", "VERSION = 3\n");
    other.expect(0, "run --until rehearsed --restage");
    certify(&other, 0, "../other.json");
    ground.write("../other.json", other.read("../other.json"));
    let text = ground.read("../good.json");
    let changed = |behind: &str, skipped: usize| {
        let at = text.find(behind).unwrap() + behind.len() + skipped;
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bytes
    };
    ground.write("../content.json", changed("\"payload\":\"", 400));
    ground.write("../signature.json", changed("\"sig\":\"", 10));
    ground.expect(0, "certificate create --output ../bare.json");
    ground.write("../notes.json", "{\"verdict\": \"yes\"}\n");
    vec![
        ("../other.json", "is about another new tree than what goes in: `src`"),
        ("../content.json", "../content.json` "),
        ("../signature.json", "does not verify: "),
        ("../bare.json", "proves nothing: nobody signed it"),
        ("../notes.json", "cannot be read: "),
    ]
}

// rows: BX-10, RE-6
#[test]
fn needs_git_a_certificate_of_anything_else_keeps_a_package_from_being_ready() {
    let ground = answered();
    certify(&ground, 0, "../good.json");
    for (file, why) in not_of_this(&ground) {
        let code = if file == "../bare.json" { 2 } else { 1 };
        let seen = create(&ground, code, &format!("--certificate {file} --output ../shop.zip"));
        assert!(seen.err.contains(why) && seen.out.contains("is not packed"), "{file}: {seen}");
        assert!(seen.err.contains("next: `switchback certificate create"), "{file}: {seen}");
        assert!(!ground.at("../shop.zip").exists(), "{file}");
    }
    // A draft says so itself.
    create(&ground, 1, "--certificate ../other.json --draft --output ../draft.zip");
    let readiness = super::text_in(ground.at("../draft.zip"), "readiness.json");
    assert!(readiness.contains("is about another new tree"), "{readiness}");
    let seen = create(&ground, 2, "--certificate ../nowhere.json --output ../shop.zip");
    assert!(seen.err.contains("nowhere.json"), "{seen}");
    create(&ground, 0, "--certificate ../good.json --output ../shop.zip");
    assert_eq!(super::text_in(ground.at("../shop.zip"), "certificate.json"), ground.read("../good.json"));
    // Of this very candidate, and it says no.
    says_no_of(&ground);
    let seen = create(&ground, 1, "--certificate ../no.json --output ../live.zip");
    assert!(seen.err.contains("says *no* itself: the check `answer` says no at live"), "{seen}");
    create(&ground, 0, "--certificate ../good.json --output ../live.zip");
}

/// Makes the phase live, and `../no.json`, its certificate while a check said no; by now it says yes again.
fn says_no_of(ground: &Ground) {
    ground.expect(0, "run --until live");
    ground.write("answer", "1\n");
    ground.expect(1, "check answer --at live");
    certify(ground, 1, "../no.json");
    ground.write("answer", "0\n");
    ground.expect(0, "check answer --at live");
}

// rows: BX-10, RE-17
#[test]
fn needs_git_a_certificate_of_anything_else_keeps_a_commit_from_being_made() {
    let ground = answered();
    certify(&ground, 0, "../good.json");
    let mut files = not_of_this(&ground);
    says_no_of(&ground);
    files.push(("../no.json", "says *no* itself: the check `answer` says no at live"));
    for (file, why) in files {
        let code = if file == "../bare.json" { 2 } else { 1 };
        for more in ["", " --dry-run"] {
            let seen = ground.expect(code, &format!("package commit --certificate {file}{more}"));
            assert!(seen.err.contains(why), "{file}: {seen}");
            assert!(seen.err.contains("next: `switchback certificate create"), "{file}: {seen}");
        }
        assert_eq!(commits(&ground), 1, "{file}");
    }
    let seen = ground.expect(0, "package commit --certificate ../good.json");
    let hash = to_hex(&RealDisk.hash(&ground.at("../good.json")).unwrap());
    let trailer = format!("Switchback-Certificate: blake3:{hash}");
    assert!(seen.out.contains(&trailer), "{seen}");
    assert!(ground.tool("git", &["log", "-1", "--format=%B"]).contains(&trailer));
}

// rows: BX-10
#[test]
fn needs_git_the_certificate_in_a_package_is_held_against_what_was_staged_from_it() {
    let maker = answered();
    certify(&maker, 0, "../good.json");
    create(&maker, 0, "--certificate ../good.json --output ../shop.zip");
    let taker = shop("");
    let from = "from = \"incoming/change.zip\"\n\n[[phase.change]]\nkind = \"command\"\ncommand = \"echo x=1 > src/extra.py\"";
    taker.write("switchback.toml", taker.read("switchback.toml").replace("from = \"../new\"", from));
    taker.write(".gitignore", "incoming/\n");
    in_git(&taker);
    taker.write("../shop.zip", fs::read(maker.at("../shop.zip")).unwrap());
    taker.expect(0, &format!("package receive ../shop.zip --key {}", key_file("ana.pub").display()));
    taker.expect(0, "run");
    let seen = taker.expect(1, "package commit");
    let why = "the certificate in the package shop 1 is about another new tree than what goes in: `src`";
    assert!(seen.err.contains(why), "{seen}");
    assert_eq!(commits(&taker), 1, "{seen}");
    // What is live here has a certificate of its own.
    certify(&taker, 0, "../own.json");
    taker.expect(0, "package commit --certificate ../own.json");
}
