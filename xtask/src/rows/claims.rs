//! The rows that the project claims: `docs/mission-rows.toml`.
//!
//! ```toml
//! [claimed]
//! RB-1 = "A verified snapshot of code, tests and data is taken before each phase."
//! ```

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::rows::codes;

/// Where the claims stand, from the root.
pub const PATH: &str = "docs/mission-rows.toml";

/// Code of a row → one sentence of what is claimed.
pub type Claims = BTreeMap<String, String>;

/// Reads the claims. A code that the mission does not have, an empty sentence, or an empty list is an error.
pub fn parse(text: &str) -> Result<Claims, Problem> {
    let wrong = |cause: String| Problem::new(format!("could not read `{PATH}`"), cause);
    let document: toml::Table = text.parse().map_err(|source: toml::de::Error| wrong(source.to_string()))?;
    if let Some(other) = document.keys().find(|key| *key != "claimed") {
        return Err(wrong(format!("unknown key `{other}`")).hint("rows stand under `[claimed]`"));
    }
    let Some(toml::Value::Table(claimed)) = document.get("claimed") else {
        return Err(wrong("there is no table `[claimed]`".to_owned()));
    };
    let mut claims = Claims::new();
    let mut faults = Vec::new();
    for (code, sentence) in claimed {
        if !codes::is_known(code) {
            faults.push(format!("the mission has no row `{code}`"));
        }
        match sentence.as_str().map(str::trim) {
            Some(sentence) if !sentence.is_empty() => {
                claims.insert(code.clone(), sentence.to_owned());
            }
            _ => faults.push(format!("row `{code}` needs one sentence of what is claimed")),
        }
    }
    if claimed.is_empty() {
        faults.push("no row is claimed, so nothing can be accounted for".to_owned());
    }
    let mut faults = faults.into_iter();
    match faults.next() {
        None => Ok(claims),
        Some(first) => Err(faults.fold(wrong(first), Problem::because)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read() {
        let claims =
            parse("[claimed]\nRB-1 = \"Snapshots are taken.\"\nBX-2 = \"The undo is proved.\"\n").unwrap();
        assert_eq!(claims.len(), 2);
        assert_eq!(claims["BX-2"], "The undo is proved.");
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let shown = parse("[claimed]\nRB-99 = \"x\"\nZZ-1 = \"y\"\nRB-2 = \" \"\n").unwrap_err().to_string();
        for fault in ["no row `RB-99`", "no row `ZZ-1`", "`RB-2` needs one sentence"] {
            assert!(shown.contains(fault), "{shown}");
        }
    }

    #[test]
    fn broken_files_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "no table `[claimed]`"),
            ("[claimed]\n", "no row is claimed"),
            ("[claimed]\nRB-1 = \"a\"\nRB-1 = \"b\"\n", "duplicate key"),
            ("[claims]\nRB-1 = \"a\"\n", "unknown key `claims`"),
            ("[claimed]\nRB-1 = 1\n", "`RB-1` needs one sentence"),
        ] {
            let shown = parse(text).unwrap_err().to_string();
            assert!(shown.contains(reason), "{text:?} gave: {shown}");
        }
    }
}
