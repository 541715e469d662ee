//! Envelopes: content, what it is, and signatures over both (DSSE 1.0,
//! <https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md>).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use ed25519_dalek::{Signature as Bytes, Signer as _, SigningKey};
use switchback_core::signature::{Opened, PublicKey, SignatureFault};

use crate::format::{Envelope, Signature};
use crate::key;

/// A longer text is not an envelope of ours.
pub const ENVELOPE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// More signatures are not looked at.
pub const SIGNATURES_MAX: usize = 64;
/// A longer name of what is in it is a mistake.
const TYPE_BYTES_MAX: usize = 1024;

/// What a signature is over: the *pre-authentication encoding*, so that no content can be taken for one of another kind.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload`, lengths as decimal digits, of bytes.
pub fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// An envelope with one signature.
pub(crate) fn seal(secret: &SigningKey, key_id: String, payload_type: &str, payload: &[u8]) -> Envelope {
    let signature = secret.sign(&signed_bytes(payload_type, payload));
    Envelope {
        payload: STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: vec![Signature { keyid: key_id, sig: STANDARD.encode(signature.to_bytes()) }],
    }
}

/// What is in an envelope, whoever signed it.
#[derive(Debug)]
pub struct Content {
    /// What it holds.
    pub payload: Vec<u8>,
    /// Its signatures, with what the keys are called that they name.
    pub signatures: Vec<(String, [u8; 64])>,
}

/// Reads an envelope that holds what `payload_type` says. Nothing of it is verified.
///
/// # Errors
///
/// When it is too large, not an envelope, holds something else, or has no signature.
pub fn read(text: &str, payload_type: &str) -> Result<Content, SignatureFault> {
    let form = |why: String| SignatureFault::Form(why);
    if text.len() > ENVELOPE_BYTES_MAX {
        return Err(form(format!("it has {} bytes, and {ENVELOPE_BYTES_MAX} is the most", text.len())));
    }
    let envelope: Envelope = serde_json::from_str(text).map_err(|error| form(error.to_string()))?;
    if envelope.payload_type.len() > TYPE_BYTES_MAX {
        return Err(form("its `payloadType` is too long".to_owned()));
    }
    if envelope.payload_type != payload_type {
        let found = envelope.payload_type.escape_debug().take(100).collect();
        return Err(SignatureFault::Type { found, wanted: payload_type.to_owned() });
    }
    let payload = decode(&envelope.payload).ok_or_else(|| form("its `payload` is not base64".to_owned()))?;
    if envelope.signatures.is_empty() {
        return Err(SignatureFault::Unsigned);
    }
    if envelope.signatures.len() > SIGNATURES_MAX {
        return Err(form(format!("it has more than {SIGNATURES_MAX} signatures")));
    }
    let mut signatures = Vec::new();
    for (at, signature) in envelope.signatures.into_iter().enumerate() {
        let bytes = decode(&signature.sig).and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
        // One of another kind of key has another length; what is asked is whether one of ours is good.
        let Some(bytes) = bytes else { continue };
        if signature.keyid.len() > TYPE_BYTES_MAX {
            return Err(form(format!("the name of the key of signature {} is too long", at + 1)));
        }
        signatures.push((signature.keyid, bytes));
    }
    if signatures.is_empty() {
        return Err(form("it has no signature of ed25519, which is 64 bytes in base64".to_owned()));
    }
    Ok(Content { payload, signatures })
}

/// Opens an envelope, see [`Signatures::verify`](switchback_core::port::Signatures::verify).
///
/// # Errors
///
/// Those of [`read`], and when none of `keys` signed it, or the signature of one of them is not good.
pub fn open(text: &str, payload_type: &str, keys: &[PublicKey]) -> Result<Opened, SignatureFault> {
    let Content { payload, signatures } = read(text, payload_type)?;
    let message = signed_bytes(payload_type, &payload);
    let known: Vec<_> = keys
        .iter()
        .map(|key| Ok((key, key::fingerprint(key), key::verifying(key)?)))
        .collect::<Result<_, SignatureFault>>()?;
    let mut signed_by = Vec::new();
    for (key_id, bytes) in &signatures {
        let bytes = Bytes::from_bytes(bytes);
        for (key, fingerprint, verifying) in &known {
            // Strictly: no key of small order, no second form of the same signature.
            let is_good = verifying.verify_strict(&message, &bytes).is_ok();
            if !is_good && key_id == fingerprint {
                return Err(SignatureFault::Bad(fingerprint.clone()));
            }
            if is_good && !signed_by.contains(*key) {
                signed_by.push((*key).clone());
            }
        }
    }
    if signed_by.is_empty() {
        return Err(SignatureFault::Stranger(names(&signatures)));
    }
    Ok(Opened { payload, signed_by })
}

/// What the keys of signatures are called, as it may stand in a message.
pub(crate) fn names(signatures: &[(String, [u8; 64])]) -> Vec<String> {
    let name = |(key_id, _): &(String, [u8; 64])| match key_id.as_str() {
        "" => "a key without a name".to_owned(),
        key_id => key_id.escape_debug().take(100).collect(),
    };
    signatures.iter().map(name).collect()
}

/// Base64 in either of the two alphabets that the specification allows.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(seed: u8) -> (SigningKey, PublicKey) {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let public = key::public(&secret.verifying_key());
        (secret, public)
    }

    fn sealed(seed: u8, payload_type: &str, payload: &[u8]) -> String {
        let (secret, public) = secret(seed);
        serde_json::to_string(&seal(&secret, key::fingerprint(&public), payload_type, payload)).unwrap()
    }

    /// The example of the specification.
    #[test]
    fn what_is_signed_is_what_the_specification_says() {
        assert_eq!(
            signed_bytes("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(signed_bytes("", b""), b"DSSEv1 0  0 ");
        // Lengths are those of bytes, not of letters.
        assert_eq!(signed_bytes("é", "ü".as_bytes()), "DSSEv1 2 é 2 ü".as_bytes());
    }

    /// The third vector of RFC 8032, section 7.1: the crate behind it is the algorithm of the standard.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let bytes = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let seed = bytes("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
        let secret = SigningKey::from_bytes(&seed.try_into().unwrap());
        let expected = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                        18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
        assert_eq!(secret.sign(&[0xaf, 0x82]).to_bytes().to_vec(), bytes(expected));
    }

    #[test]
    fn an_envelope_opens_for_its_key_alone() {
        let text = sealed(1, "text/plain", b"hello");
        let (_, first) = secret(1);
        let (_, second) = secret(2);
        let opened = open(&text, "text/plain", &[second.clone(), first.clone()]).unwrap();
        assert_eq!(
            (opened.payload.as_slice(), opened.signed_by.as_slice()),
            (&b"hello"[..], &[first.clone()][..])
        );
        let stranger = open(&text, "text/plain", std::slice::from_ref(&second)).unwrap_err();
        assert_eq!(stranger, SignatureFault::Stranger(vec![key::fingerprint(&first)]));
        let other = open(&text, "text/html", std::slice::from_ref(&first)).unwrap_err();
        assert!(matches!(other, SignatureFault::Type { .. }));
        assert!(matches!(open(&text, "text/plain", &[]), Err(SignatureFault::Stranger(_))));
    }

    #[test]
    fn another_content_or_another_kind_of_content_is_not_what_was_signed() {
        let (_, first) = secret(1);
        let mut envelope: Envelope = serde_json::from_str(&sealed(1, "text/plain", b"hello")).unwrap();
        envelope.payload = STANDARD.encode(b"hellp");
        let bad =
            open(&serde_json::to_string(&envelope).unwrap(), "text/plain", std::slice::from_ref(&first));
        assert_eq!(bad.unwrap_err(), SignatureFault::Bad(key::fingerprint(&first)));
        let mut envelope: Envelope = serde_json::from_str(&sealed(1, "text/plain", b"hello")).unwrap();
        envelope.payload_type = "text/html".to_owned();
        let bad = open(&serde_json::to_string(&envelope).unwrap(), "text/html", std::slice::from_ref(&first));
        assert_eq!(bad.unwrap_err(), SignatureFault::Bad(key::fingerprint(&first)));
    }

    #[test]
    fn the_name_of_a_key_is_only_a_hint() {
        let (_, first) = secret(1);
        for name in ["", "0123abcd", "SHA256:somebody else"] {
            let mut envelope: Envelope = serde_json::from_str(&sealed(1, "t", b"x")).unwrap();
            name.clone_into(&mut envelope.signatures[0].keyid);
            let text = serde_json::to_string(&envelope).unwrap();
            assert!(open(&text, "t", std::slice::from_ref(&first)).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_good_signature_does_not_cover_for_a_bad_one_of_another_key_that_counts() {
        let ((_, first), (_, second)) = (secret(1), secret(2));
        let mut envelope: Envelope = serde_json::from_str(&sealed(1, "t", b"x")).unwrap();
        let other: Envelope = serde_json::from_str(&sealed(2, "t", b"y")).unwrap();
        envelope.signatures.extend(other.signatures);
        let text = serde_json::to_string(&envelope).unwrap();
        assert!(open(&text, "t", std::slice::from_ref(&first)).is_ok(), "the other one does not count");
        let bad = open(&text, "t", &[first, second.clone()]).unwrap_err();
        assert_eq!(bad, SignatureFault::Bad(key::fingerprint(&second)));
    }

    #[test]
    fn both_alphabets_of_base64_are_read() {
        let payload = [0xfb, 0xff, 0xfe, 0x3e];
        let mut envelope: Envelope = serde_json::from_str(&sealed(1, "t", &payload)).unwrap();
        envelope.payload = URL_SAFE.encode(payload);
        assert!(envelope.payload.contains(['-', '_']));
        let text = serde_json::to_string(&envelope).unwrap();
        assert_eq!(open(&text, "t", &[secret(1).1]).unwrap().payload, payload);
    }

    #[test]
    fn what_is_no_envelope_says_why() {
        let why = |text: &str| read(text, "t").unwrap_err().to_string();
        assert!(why("").contains("not an envelope"));
        assert!(why("[]").contains("not an envelope"));
        assert!(why(r#"{"payload":"","payloadType":"t","signatures":[]}"#).contains("nobody"));
        assert!(why(r#"{"payload":"=","payloadType":"t","signatures":[{"sig":""}]}"#).contains("`payload`"));
        assert!(
            why(r#"{"payload":"","payloadType":"t","signatures":[{"sig":"AAAA"}]}"#).contains("64 bytes")
        );
        let deep = "[".repeat(100_000);
        assert!(why(&deep).contains("not an envelope"));
        let many = vec![r#"{"sig":""}"#; SIGNATURES_MAX + 1].join(",");
        let many = format!(r#"{{"payload":"","payloadType":"t","signatures":[{many}]}}"#);
        assert!(why(&many).contains("more than"));
    }

    proptest! {
        #[test]
        fn whatever_is_signed_comes_out_again(kind in "[ -~]{0,40}", payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let opened = open(&sealed(3, &kind, &payload), &kind, &[secret(3).1]).unwrap();
            prop_assert_eq!(opened.payload, payload);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,300}") {
            drop(open(&text, "t", &[secret(1).1]));
        }

        /// One byte of an envelope changed: it is refused, or it says the very same as before.
        #[test]
        fn a_changed_byte_is_never_believed(at in any::<proptest::sample::Index>(), to in any::<u8>()) {
            let text = sealed(1, "t", b"tolerance 1e-12, verdict yes");
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to;
            if let Ok(changed) = String::from_utf8(bytes)
                && let Ok(opened) = open(&changed, "t", &[secret(1).1])
            {
                prop_assert_eq!(opened.payload, b"tolerance 1e-12, verdict yes");
            }
        }

        /// A signature cut short, or made longer, or of other bytes, opens nothing.
        #[test]
        fn a_made_up_signature_opens_nothing(sig in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut envelope: Envelope = serde_json::from_str(&sealed(1, "t", b"x")).unwrap();
            envelope.signatures[0].sig = STANDARD.encode(&sig);
            let opened = open(&serde_json::to_string(&envelope).unwrap(), "t", &[secret(1).1]);
            prop_assert!(opened.is_err());
        }
    }
}
