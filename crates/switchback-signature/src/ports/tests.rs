//! Keys as `ssh-keygen` wrote them, opened and refused.

#![expect(clippy::disallowed_methods, reason = "a test lays out and reads files directly")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const TYPE: &str = "text/plain";

fn keys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys")
}

fn place(file: impl Into<PathBuf>, passphrase: Passphrase) -> KeyPlace {
    KeyPlace { file: file.into(), passphrase, folder: PathBuf::from("/") }
}

fn open(file: impl Into<PathBuf>, passphrase: Passphrase) -> Result<Box<dyn Signer>, PortError> {
    OpenSsh::new(World::real()).open(&place(file, passphrase))
}

fn refused(file: impl Into<PathBuf>, passphrase: Passphrase) -> String {
    open(file, passphrase).unwrap_err().told()
}

#[test]
fn a_key_of_openssh_signs_what_its_public_half_opens() {
    let port = OpenSsh::new(World::real());
    let signer = open(keys().join("ana"), Passphrase::None).unwrap();
    let line = std::fs::read_to_string(keys().join("ana.pub")).unwrap();
    let public = PublicKey::read(&line).unwrap();
    assert_eq!(signer.public_key(), &public);
    let envelope = signer.sign(TYPE, b"hello");
    assert_eq!(port.verify(&envelope, TYPE, std::slice::from_ref(&public)).unwrap().payload, b"hello");
    assert_eq!(port.peek(&envelope, TYPE).unwrap(), (b"hello".to_vec(), vec![port.key_id(&public)]));
    // What is signed twice is the same to the byte.
    assert_eq!(signer.sign(TYPE, b"hello"), envelope);
}

/// As `ssh-keygen -lf ana.pub` shows it, once and for all.
#[test]
fn a_fingerprint_is_that_of_openssh() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzjvbhWEGgtxZnEnYfRyZanK9JhVTdDOixxjYs78R2V";
    let id = OpenSsh::new(World::real()).key_id(&PublicKey::read(key).unwrap());
    assert_eq!(id, "SHA256:T3qpPQ/AkEVh7y3yUNCoGuHzpsrK1PiLY8kXKPjxfE4");
}

#[test]
fn a_locked_key_opens_with_what_a_command_prints_and_with_nothing_else() {
    let locked = || keys().join("locked");
    let command = |line: &str| Passphrase::Command(line.to_owned());
    assert!(open(locked(), command("echo 'correct horse'")).is_ok());
    assert!(open(locked(), command("printf 'correct horse\\r\\n'")).is_ok());
    for (passphrase, why) in [
        (Passphrase::None, "it is locked with a passphrase"),
        (command("echo wrong-horse"), "the passphrase does not open it"),
        (command("echo wrong-horse >&2; exit 3"), "failed: exit code 3"),
        (command("true"), "it printed nothing"),
        (Passphrase::Variable("SWITCHBACK_NO_SUCH_VARIABLE".to_owned()), "holds no passphrase"),
    ] {
        let told = refused(locked(), passphrase);
        assert!(told.contains(why), "{told}");
        assert!(!told.contains("horse"), "{told}");
    }
}

#[test]
fn what_is_no_private_key_of_the_kind_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    assert!(refused(keys().join("nobody"), Passphrase::None).contains("nobody"));
    assert!(refused(keys().join("ana.pub"), Passphrase::None).contains("it is the public half"));
    assert!(refused(keys().join("ecdsa"), Passphrase::None).contains("not a private key of the kind"));
    assert!(refused(file("empty", b""), Passphrase::None).contains("not a private key"));
    assert!(refused(file("bytes", &[0xff; 40]), Passphrase::None).contains("not a private key"));
    let whole = std::fs::read_to_string(keys().join("ana")).unwrap();
    assert!(refused(file("half", &whole.as_bytes()[..200]), Passphrase::None).contains("not a private key"));
    assert!(open(file("windows", whole.replace('\n', "\r\n").as_bytes()), Passphrase::None).is_ok());
    assert!(refused(file("large", &vec![b'a'; 65 * 1024]), Passphrase::None).contains("large"));
}

/// A key whose file asks for four thousand million rounds is refused before the first of them.
#[test]
fn a_key_that_asks_for_endless_work_is_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let whole = std::fs::read_to_string(keys().join("locked")).unwrap();
    let body: String = whole.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut bytes = STANDARD.decode(body).unwrap();
    let bcrypt = bytes.windows(6).position(|window| window == b"bcrypt").unwrap();
    // The options: their length, that of the salt, the salt of 16 bytes, the rounds.
    let rounds = bcrypt + 6 + 4 + 4 + 16;
    bytes[rounds..rounds + 4].copy_from_slice(&[0xff; 4]);
    let encoded = STANDARD.encode(bytes);
    let lines: Vec<&str> =
        (0..encoded.len()).step_by(70).map(|at| &encoded[at..encoded.len().min(at + 70)]).collect();
    let text = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let asked = std::cell::Cell::new(false);
    let opened = key::open::<KeyFault>(&text, || {
        asked.set(true);
        Ok(None)
    });
    assert_eq!(opened.unwrap_err(), KeyFault::Rounds(u32::MAX));
    assert!(!asked.get(), "nobody is asked for a passphrase that is not used");
}

#[test]
fn a_key_that_is_no_point_of_the_curve_opens_nothing() {
    let port = OpenSsh::new(World::real());
    let envelope = open(keys().join("ana"), Passphrase::None).unwrap().sign(TYPE, b"x");
    // All zeros is a point of small order: anybody could sign for it.
    let zero = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let fault = port.verify(&envelope, TYPE, &[PublicKey::read(zero).unwrap()]).unwrap_err();
    assert!(matches!(fault, SignatureFault::Key(_)), "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A damaged key file is refused, or opens as the same key: the reader never panics.
    #[test]
    fn a_damaged_key_never_makes_the_reader_panic(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut bytes = std::fs::read(keys().join("ana")).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(text) = String::from_utf8(bytes) {
            drop(key::open::<KeyFault>(&text, || Ok(None)));
        }
    }

    #[test]
    fn no_text_is_taken_for_a_key(text in ".{0,200}") {
        prop_assert!(key::open::<KeyFault>(&text, || Ok(None)).is_err());
        drop(PublicKey::read(&text));
    }
}
