//! The document of a merge, `switchback/config/1`.

use serde_json::{Value as Json, json};
use switchback_core::verdict::Verdict;

use super::{ConfigMerge, EnvironmentProof, Met};
use crate::difference::Difference;
use crate::merging::decided::Outcome;
use crate::path::KeyPath;
use crate::read::Finding;
use crate::shown;
use crate::value::{Node, Origin, Sources};

pub(crate) const SCHEMA: &str = "switchback/config/1";

impl ConfigMerge {
    /// The document. It holds no secret.
    pub fn to_json(&self) -> Json {
        let sources = &self.gathered.sources;
        let of = |wanted: fn(&Met) -> bool| -> Vec<Json> {
            self.met.iter().filter(|met| wanted(met)).map(|met| met_json(met, sources)).collect()
        };
        let keys = self.keys();
        json!({
            "schema": SCHEMA,
            "verdict": self.verdict().word(),
            "action": "merge",
            "environments": self.environments,
            "fragments": self.gathered.fragments.iter().map(|fragment| json!({
                "path": fragment.path,
                "at": (!fragment.at.steps().is_empty()).then(|| fragment.at.to_string()),
                "environment": fragment.environment,
                "declared": fragment.is_declared,
            })).collect::<Vec<_>>(),
            "keys": keys.iter().map(|(path, origin, only)| json!({
                "key": path.to_string(),
                "path": sources.name(origin.file),
                "line": line(*origin),
                "environment": only,
            })).collect::<Vec<_>>(),
            "conflicts": of(|met| !met.meeting.is_duplicate()),
            "duplicates": of(|met| met.meeting.is_duplicate()),
            "overridden": self.overridden,
            "repeated": self.gathered.findings.iter().map(|finding| repeated_json(finding, sources)).collect::<Vec<_>>(),
            "secrets": self.secrets.iter().map(|secret| json!({
                "key": secret.path.to_string(),
                "path": sources.name(secret.origin.file),
                "line": line(secret.origin),
                "why": secret.why.words(),
                "variable": secret.variable,
            })).collect::<Vec<_>>(),
            "unused": self.unused.as_ref().map(|unused| json!({
                "files": unused.files,
                "keys": unused.keys.iter().map(KeyPath::to_string).collect::<Vec<_>>(),
            })),
            "proof": self.proofs.iter().map(|proof| proof_json(proof, sources)).collect::<Vec<_>>(),
            "files": self.files.iter().map(|(path, text)| json!({
                "path": path.to_string_lossy(),
                "lines": text.lines().count(),
            })).collect::<Vec<_>>(),
            "comments_lost": self.comments_lost,
        })
    }
}

pub(crate) fn line(origin: Origin) -> Option<u32> {
    (origin.line > 0).then_some(origin.line)
}

fn met_json(met: &Met, sources: &Sources) -> Json {
    let path = &met.meeting.path;
    let values: Vec<Json> =
        [&met.meeting.first, &met.meeting.second].map(|node| value_json(path, node, sources)).into();
    let decided = match &met.outcome {
        Outcome::Open | Outcome::Duplicate => Json::Null,
        Outcome::LaterWins => json!("later wins"),
        Outcome::Decided(place) => json!(place),
    };
    json!({
        "key": path.to_string(),
        "environment": met.environment,
        "values": values,
        "open": met.is_open(),
        "decided": decided,
    })
}

pub(crate) fn value_json(path: &KeyPath, node: &Node, sources: &Sources) -> Json {
    json!({
        "path": sources.name(node.origin.file),
        "line": line(node.origin),
        "type": node.value.type_name(),
        "value": shown::json(path, &node.value),
    })
}

fn repeated_json(finding: &Finding, sources: &Sources) -> Json {
    let Finding::RepeatedKey { name, first, again } = finding;
    json!({"key": name, "path": sources.name(first.file), "lines": [first.line, again.line]})
}

fn proof_json(proof: &EnvironmentProof, sources: &Sources) -> Json {
    let verdict = match (proof.keys, proof.differences.is_empty()) {
        (0, _) => Verdict::Unknown,
        (_, true) => Verdict::Yes,
        (_, false) => Verdict::No,
    };
    json!({
        "environment": proof.environment,
        "verdict": verdict.word(),
        "keys": proof.keys,
        "differences": proof.differences.iter().map(|difference| difference_json(difference, sources)).collect::<Vec<_>>(),
    })
}

pub(crate) fn difference_json(difference: &Difference, sources: &Sources) -> Json {
    let side = |node: &Option<Node>| node.as_ref().map(|node| value_json(&difference.path, node, sources));
    json!({
        "key": difference.path.to_string(),
        "kind": difference.kind.word(),
        "old": side(&difference.old),
        "new": side(&difference.new),
    })
}
