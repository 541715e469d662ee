//! Certificates: made from what was proved, verified by whoever has neither data nor project, and refused once anything in them changed.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use switchback_core::manifest::{Hash, to_hex};
use switchback_core::world::{Disk as _, RealDisk};

use super::approvals::{approver, key_file, public};
use super::ground::{Ground, Seen, packages};

const EQUAL: &str = "[[check]]\nname = \"equal\"\nkind = \"equivalence\"\nkey = [\"id\"]\n\
                     old = { tree = \"live\", path = \"src/out.csv\" }\nnew = { tree = \"candidate\", path = \"src/out.csv\" }\n\
                     tolerance = { absolute = 1e-6 }\ninputs = [\"rules.txt\"]\n\n";

/// A project whose phase is rehearsed and approved by Ana.
fn approved() -> Ground {
    let ground = Ground::shop("");
    ground.write("rules.txt", "at most 5 %\n");
    ground.write("src/out.csv", "id,score\n1,0.1\n2,0.2\n");
    ground.write("../new/src/out.csv", "id,score\n1,0.1\n2,0.2000000001\n");
    ground.plan(
        "approve = { roles = [\"risk\"] }\n",
        &format!("{EQUAL}{}", approver("Ana", "\"risk\"", "ana")),
    );
    ground.expect(0, "run --until rehearsed");
    ground.expect(0, &format!("approve unify --role risk --key {}", key_file("ana").display()));
    ground
}

/// A certificate of it, signed by Bo.
fn certified(ground: &Ground) -> PathBuf {
    let key = key_file("bo");
    ground.expect(0, &format!("certificate create --key {} --output ../unify.json", key.display()));
    ground.at("../unify.json")
}

/// Somewhere else, without project or data.
fn elsewhere(ground: &Ground, file: &str, more: &str) -> Seen {
    std::fs::create_dir_all(ground.at("../elsewhere")).unwrap();
    ground.run(&format!("-C ../elsewhere certificate verify {file} {more}"))
}

/// The statement in an envelope.
fn statement(path: &Path) -> Value {
    let seen: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    serde_json::from_slice(&decode(seen["payload"].as_str().unwrap())).unwrap()
}

fn decode(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

// rows: BX-5
#[test]
fn a_certificate_is_verified_where_neither_project_nor_data_is() {
    let ground = approved();
    let path = certified(&ground);
    let bo = key_file("bo.pub");
    let seen = elsewhere(&ground, "../unify.json", &format!("--key {}", bo.display()));
    insta::assert_snapshot!(seen.to_string().replace(&bo.display().to_string(), "[BO]"), @r#"
    $ switchback -C ../elsewhere certificate verify ../unify.json --key [BO]
    --- stdout
    yes: certificate of phase unify of shop, staged, made at [TIME]
      it says: yes
        old tree [ID]: 2 files, 33 bytes
        new tree [ID]: 2 files, 42 bytes
        check equal (equivalence) at staged: yes: equal within the tolerance (`out.csv`: 2 rows); worst |a - b| 9.999998051846148e-11 in `score` at id = 2; `score` has 1 digit at its source, too few for the tolerance (tolerance.absolute = 1e-6)
        approved in the role risk: Ana
      verified: every byte of it is as SHA256:tVk88Np2bY6UTavAwWYk9imZ27iq3bW8716PLpJA2z4 signed it
      verified: subjects, trees, settings, evidence, rehearsal and verdict belong together
      verified: 1 signed approval, of exactly this
      not verified: whose key SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20 is, which approved in the role `risk`: the certificate itself says that it is that of Ana; name it with `--key` as well, if you trust it
      not verified: that the checks saw what they say: for that, the data and the evidence with these hashes are needed
      not verified: whether a tree is the old or the new one: `--tree DIR` looks
    --- exit 0
    "#);
    insta::assert_snapshot!(elsewhere(&ground, "../unify.json", ""), @r#"
    $ switchback -C ../elsewhere certificate verify ../unify.json
    --- stdout
    yes: certificate of phase unify of shop, staged, made at [TIME]
      it says: yes
        old tree [ID]: 2 files, 33 bytes
        new tree [ID]: 2 files, 42 bytes
        check equal (equivalence) at staged: yes: equal within the tolerance (`out.csv`: 2 rows); worst |a - b| 9.999998051846148e-11 in `score` at id = 2; `score` has 1 digit at its source, too few for the tolerance (tolerance.absolute = 1e-6)
        approved in the role risk: Ana
      verified: every byte of it is as SHA256:tVk88Np2bY6UTavAwWYk9imZ27iq3bW8716PLpJA2z4 signed it
      verified: subjects, trees, settings, evidence, rehearsal and verdict belong together
      verified: 1 signed approval, of exactly this
      not verified: whose key SHA256:tVk88Np2bY6UTavAwWYk9imZ27iq3bW8716PLpJA2z4 is: anybody can make one; name the one that you trust with `--key`
      not verified: whose key SHA256:EGxd4OZcxRAYcfODAIoVONSd4wB3+yts2w+l4HiyS20 is, which approved in the role `risk`: the certificate itself says that it is that of Ana; name it with `--key` as well, if you trust it
      not verified: that the checks saw what they say: for that, the data and the evidence with these hashes are needed
      not verified: whether a tree is the old or the new one: `--tree DIR` looks
    --- exit 0
    "#);
    // Whose key approved is known where that key is named as well.
    let both = format!("--key {} --key {}", bo.display(), key_file("ana.pub").display());
    let seen = elsewhere(&ground, "../unify.json", &both);
    assert_eq!(seen.code, 0, "{seen}");
    assert!(!seen.out.contains("not verified: whose key"), "{seen}");
    let seen = elsewhere(&ground, "../unify.json", &format!("--key {}", key_file("cy.pub").display()));
    assert_eq!(seen.code, 1, "{seen}");
    assert!(seen.out.contains("that is none of the keys that count"), "{seen}");
    let statement = statement(&path);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "urn:switchback:equivalence-certificate:1");
    let predicate = &statement["predicate"];
    assert_eq!(predicate["checks"][0]["settings"]["tolerance.absolute"], "1e-6");
    assert_eq!(predicate["checks"][0]["items"][0]["relation"], "tolerance");
    assert_eq!(predicate["approvals"][0]["votes"][0]["who"], "Ana");
    assert!(!predicate["checks"][0]["binding"]["inputs"].as_str().unwrap().is_empty());
    let document = elsewhere(&ground, "../unify.json", "--json").json();
    assert_eq!(document["schema"], "switchback/certificate/1");
    assert_eq!(document["statement"], statement);
    assert_eq!(document["faults"], json!([]));
}

// rows: BX-5
#[test]
fn a_checkout_is_the_old_tree_the_new_one_or_neither() {
    let ground = approved();
    certified(&ground);
    // As a clone has them: other times, other owners, other folders beside.
    for (name, version, score) in [("old", 1, "0.2"), ("new", 2, "0.2000000001"), ("other", 3, "0.2")] {
        ground.write(&format!("../{name}/src/app.py"), format!("VERSION = {version}\n"));
        ground.write(&format!("../{name}/src/out.csv"), format!("id,score\n1,0.1\n2,{score}\n"));
    }
    std::fs::create_dir_all(ground.at("../new/src/empty")).unwrap();
    for (name, code) in [("old", 0), ("new", 0), ("other", 1)] {
        let seen = elsewhere(&ground, "../unify.json", &format!("--tree ../{name} --json"));
        assert_eq!(seen.code, code, "{name}: {seen}");
        let is = if name == "other" { "neither" } else { name };
        assert_eq!(seen.json()["tree"]["is"], is, "{name}");
    }
    let seen = elsewhere(&ground, "../unify.json", "--tree ../other");
    assert!(
        seen.out.contains("is neither the old nor the new one: `src` is another one than the new"),
        "{seen}"
    );
    assert_eq!(elsewhere(&ground, "../unify.json", "--tree ../nowhere").code, 2);
    // In the project itself it is looked at as well, and speaks against nothing.
    let seen = ground.expect(0, "certificate verify ../unify.json");
    assert!(seen.out.contains("is the old one"), "{seen}");
    ground.expect(0, "run");
    let seen = ground.expect(0, "certificate verify ../unify.json");
    assert!(seen.out.contains("is the new one"), "{seen}");
    ground.write("src/app.py", "VERSION = 4\n");
    let seen = ground.expect(0, "certificate verify ../unify.json");
    assert!(seen.out.contains("not verified: the tree in"), "{seen}");
}

// rows: BX-5
#[test]
fn with_one_value_changed_it_does_not_verify() {
    let ground = approved();
    let path = certified(&ground);
    let envelope: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let text = String::from_utf8(decode(envelope["payload"].as_str().unwrap())).unwrap();
    let hash = statement(&path)["predicate"]["checks"][0]["results"].as_str().unwrap().to_owned();
    let other = hash.replace(&hash[..1], if hash.starts_with('0') { "1" } else { "0" });
    for (from, to) in [
        ("\"tolerance.absolute\":\"1e-6\"", "\"tolerance.absolute\":\"1e-9\""),
        (hash.as_str(), other.as_str()),
        ("\"verdict\":\"yes\"", "\"verdict\":\"no\""),
        ("\"project\":\"shop\"", "\"project\":\"shoq\""),
        ("\"needed\":1", "\"needed\":2"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let mut envelope = envelope.clone();
        envelope["payload"] = encode(changed.as_bytes()).into();
        ground.write("../changed.json", envelope.to_string());
        for more in [String::new(), format!("--key {}", key_file("bo.pub").display())] {
            let seen = elsewhere(&ground, "../changed.json", &more);
            assert_eq!(seen.code, 1, "{from}: {seen}");
            assert!(seen.out.contains("is not over this content"), "{from}: {seen}");
        }
        // Not signed at all, it still contradicts itself, or proves nothing.
        ground.write("../changed.json", changed);
        assert_ne!(elsewhere(&ground, "../changed.json", "").code, 0, "{from}");
    }
}

/// Whoever signs anew what was changed is told apart by the key, and by what does not belong together.
// rows: BX-5
#[test]
fn what_contradicts_itself_is_found_even_where_it_is_signed() {
    let ground = approved();
    ground.expect(0, "certificate create --output ../bare.json");
    let text = ground.read("../bare.json");
    let seen = elsewhere(&ground, "../bare.json", "");
    assert_eq!(seen.code, 2, "{seen}");
    assert!(seen.out.contains("nobody signed it"), "{seen}");
    for (from, to, why) in [
        ("absolute\\\"=f1e-6", "absolute\\\"=f1e-3", "are not those that its evidence is about"),
        (
            "\"tolerance.absolute\":\"1e-6\"",
            "\"tolerance.absolute\":\"1e-3\"",
            "are not what its options say",
        ),
        (
            "\"at\":\"staged\",\"verdict\":\"yes\"",
            "\"at\":\"staged\",\"verdict\":\"no\"",
            "from what it holds follows *no*",
        ),
        ("\"needed\":1", "\"needed\":2", "from what it holds follows *unknown*"),
        ("\"phase\":\"unify\",\"point\"", "\"phase\":\"other\",\"point\"", "it is about another phase"),
        ("\"who\":\"Ana\"", "\"who\":\"Eve\"", "it is about another person"),
        ("\"paths\":{\"src\":\"", "\"paths\":{\"sra\":\"", "is not that of its paths"),
        (
            "\"name\":\"old tree\"",
            "\"name\":\"new tree\"",
            "what it is about is not what its predicate is about",
        ),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        ground.write("../changed.json", changed);
        let seen = elsewhere(&ground, "../changed.json", "");
        assert_eq!(seen.code, 1, "{from}: {seen}");
        assert!(seen.out.contains(why), "{from}: {seen}");
    }
    for (content, why) in [
        ("", "not an envelope"),
        ("{}", "not an envelope"),
        ("{\"_type\":\"https://in-toto.io/Statement/v1\"}", "it is no certificate of Switchback"),
        (&text.replacen("{\"_type\"", "{\"_type\" ", 1), "it is no certificate"),
        (&text.replacen("certificate:1", "certificate:9", 1), "predicateType"),
    ] {
        ground.write("../changed.json", content);
        let seen = elsewhere(&ground, "../changed.json", "");
        assert_eq!(seen.code, 2, "{content:.60}: {seen}");
        assert!(seen.err.contains(why), "{content:.60}: {seen}");
        assert_eq!(elsewhere(&ground, "../changed.json", "--json").json()["schema"], "switchback/error/1");
    }
}

// rows: BX-5
#[test]
fn there_is_no_certificate_of_what_does_not_hold() {
    let ground = Ground::shop(EQUAL);
    ground.write("rules.txt", "at most 5 %\n");
    ground.write("src/out.csv", "id,score\n1,0.1\n");
    ground.write("../new/src/out.csv", "id,score\n1,0.2\n");
    let seen = ground.expect(2, "certificate create");
    assert!(seen.err.contains("there is nothing to certify"), "{seen}");
    ground.expect(1, "run");
    let seen = ground.expect(1, "certificate create --output ../no.json");
    assert!(seen.out.contains("there is no certificate of what does not hold"), "{seen}");
    assert!(!ground.at("../no.json").exists());
    assert_eq!(ground.run("certificate create --json").json()["schema"], "switchback/certificate/1");
    // Evidence that changed under it is none, also later.
    let ground = approved();
    ground.expect(0, "run");
    let seen = ground.expect(0, "certificate create --output ../live.json");
    assert!(seen.err.contains("nobody signed it"), "{seen}");
    let evidence = statement_of(&ground.read("../live.json"))["predicate"]["checks"][0]["results"].clone();
    let report = format!(".switchback/evidence/{}", evidence.as_str().unwrap());
    ground.write(&report, ground.read(&report).replace("\"yes\"", "\"yea\""));
    let seen = ground.expect(2, "certificate create --output ../live.json");
    assert!(seen.err.contains("was changed after it was stored"), "{seen}");
    // What is no certificate is not written over.
    ground.write("../mine.txt", "mine\n");
    let other = approved();
    other.write("../mine.txt", "mine\n");
    let seen = other.expect(2, "certificate create --output ../mine.txt");
    assert!(seen.err.contains("is no certificate"), "{seen}");
    assert_eq!(other.read("../mine.txt"), "mine\n");
}

/// Who had to approve stands in the plan: one that was changed after the cutover says nothing about it.
// rows: BX-5, BX-10, RE-19
#[test]
fn what_is_live_is_certified_by_the_plan_that_it_went_live_with() {
    let ground = approved();
    ground.expect(0, "run");
    let plan = ground.read("switchback.toml");
    let (without, _) = plan.split_once("[[approver]]").unwrap();
    let without = without.replace("approve = { roles = [\"risk\"] }\n", "");
    assert!(!without.contains("risk"), "{without}");
    ground.write("switchback.toml", &without);
    let seen = ground.expect(2, "certificate create --output ../late.json");
    assert!(seen.err.contains("`switchback.toml` is another one than when it was rehearsed"), "{seen}");
    assert!(seen.err.contains("hint: put `switchback.toml` back as it was (its BLAKE3 was "), "{seen}");
    assert!(!ground.at("../late.json").exists(), "{seen}");
    ground.write("switchback.toml", &plan);
    certified(&ground);
    assert_eq!(statement(&ground.at("../unify.json"))["predicate"]["approvals"][0]["role"], "risk");
    // The archive says whether the plan beside it is that one.
    ground.write("switchback.toml", &without);
    let told = ground.expect(0, "package archive --json").json();
    let list: Value =
        serde_json::from_str(&ground.read(&format!("{}/archive.json", told["path"].as_str().unwrap())))
            .unwrap();
    assert_eq!((&list["plan"], &told["plan"]["is_that_one"]), (&told["plan"], &json!(false)));
    let hash = |text: &str| to_hex(&blake3_of(&ground, text));
    assert_eq!(list["plan"]["went_live"], hash(&plan).as_str());
    assert_eq!(list["plan"]["file"], hash(&without).as_str());
    let seen = ground.expect(0, "package archive");
    assert!(seen.out.contains("the plan in it is not the one that the phase went live with"), "{seen}");
}

fn blake3_of(ground: &Ground, text: &str) -> Hash {
    ground.write("../hashed", text);
    RealDisk.hash(&ground.at("../hashed")).unwrap()
}

fn statement_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// An implementation of others reads and verifies what is written here: securesystemslib the envelope, in-toto the statement.
// rows: BX-5
#[test]
fn needs_in_toto_an_independent_library_reads_and_verifies_the_envelope() {
    let mut ground = approved();
    certified(&ground);
    ground.set("PYTHONPATH", &packages().display().to_string());
    let script = "
import base64, json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

envelope = Envelope.from_dict(json.load(open(sys.argv[1])))
name = next(iter(envelope.signatures))

def key(line):
    raw = base64.b64decode(line.split()[1])[-32:]
    return SSlibKey(name, 'ed25519', 'ed25519', {'public': raw.hex()})

assert list(envelope.verify([key(sys.argv[2])], 1)) == [name]
for payload in (envelope.payload.replace(b'1e-6', b'1e-3'), envelope.payload + b' '):
    other = Envelope(payload, envelope.payload_type, envelope.signatures)
    try:
        other.verify([key(sys.argv[2])], 1)
        sys.exit('a changed payload was verified')
    except VerificationError:
        pass
try:
    envelope.verify([key(sys.argv[3])], 1)
    sys.exit('another key verified it')
except VerificationError:
    pass
assert envelope.payload_type == 'application/vnd.in-toto+json'
statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_pb2.Statement()))
statement.validate()
print(statement.pb.predicate_type, [subject.name for subject in statement.pb.subject], statement.pb.predicate['verdict'])
";
    let said = ground.tool("python3", &["-c", script, "../unify.json", &public("bo"), &public("cy")]);
    assert_eq!(said, "urn:switchback:equivalence-certificate:1 ['old tree', 'new tree'] yes\n");
}
