//! The JSON of an envelope, as DSSE 1.0 has it (<https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md>).
//!
//! Unknown fields pass, as the specification asks; a field that is there twice does not.

use serde::{Deserialize, Serialize};

/// What is signed, what it is, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The payload, as base64.
    pub payload: String,
    /// What it is: a media type or an address.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// What its key is called: only a hint which key to try, and not itself signed.
    #[serde(default)]
    pub keyid: String,
    /// The signature, as base64.
    pub sig: String,
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Signature};

    #[test]
    fn the_format_is_pinned() {
        let envelope = Envelope {
            payload: "aGVsbG8=".into(),
            payload_type: "text/plain".into(),
            signatures: vec![Signature { keyid: "SHA256:abc".into(), sig: "AAAA".into() }],
        };
        let text = r#"{"payload":"aGVsbG8=","payloadType":"text/plain","signatures":[{"keyid":"SHA256:abc","sig":"AAAA"}]}"#;
        assert_eq!(serde_json::to_string(&envelope).unwrap(), text);
        assert_eq!(serde_json::from_str::<Envelope>(text).unwrap(), envelope);
    }

    #[test]
    fn unknown_fields_pass_and_a_field_twice_does_not() {
        let extra = r#"{"payload":"","payloadType":"t","signatures":[{"sig":"","cert":"x"}],"more":1}"#;
        assert_eq!(serde_json::from_str::<Envelope>(extra).unwrap().signatures[0].keyid, "");
        let twice = r#"{"payload":"","payload":"","payloadType":"t","signatures":[]}"#;
        assert!(serde_json::from_str::<Envelope>(twice).is_err());
    }
}
