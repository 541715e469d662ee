//! Documents of the lineage: the evidence that checks left about what is live, and the reports that they looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lineage::{Look, Making, Output, Source};
use crate::manifest::to_hex;
use crate::phase::Project;
use crate::phase::evidence::{EvidenceError, EvidenceStore};
use crate::plan::STATE_FOLDER;
use crate::verdict::Verdict;

/// By this a text is known that may name reports with their hashes.
const HASHES: &str = "\"hashes\"";

/// The documents that were written about `makings`, the newest first, or those of them at or below `paths`.
pub(super) fn documents(
    project: &Project,
    evidence: &EvidenceStore,
    makings: &[Making],
    paths: &[PathBuf],
) -> Vec<Output> {
    let disk = project.ports.world.disk.as_ref();
    let mut found: BTreeMap<PathBuf, Output> = BTreeMap::new();
    let is_wanted = |path: &Path| paths.is_empty() || paths.iter().any(|wanted| path.starts_with(wanted));
    // What looked last says what a report was.
    let looks = makings.iter().rev().flat_map(|making| making.looks.iter().map(move |look| (making, look)));
    for (making, look) in looks {
        let (verdict, text, unknown) = match evidence.get(disk, &look.evidence) {
            Ok(text) => (Verdict::Yes, text, None),
            Err(EvidenceError::Changed(_)) => (Verdict::No, String::new(), None),
            Err(error) => (Verdict::Unknown, String::new(), Some(error.to_string())),
        };
        let path = Path::new(STATE_FOLDER).join("evidence").join(&look.evidence);
        let output = |kind, path: &Path, content: String, verdict, unknown| Output {
            path: path.to_owned(),
            kind,
            content,
            verdict,
            made_by: Some(making.transaction.clone()),
            unknown,
            seen_by: Some(look.clone()),
        };
        for (path, hash) in reports(&text) {
            if !is_wanted(&path) {
                continue;
            }
            let (content, verdict, unknown) = match disk.hash(&project.root.join(&path)) {
                Ok(now) if to_hex(&now) == hash => (hash, Verdict::Yes, None),
                Ok(now) => (to_hex(&now), Verdict::No, None),
                Err(error) => (String::new(), Verdict::Unknown, Some(error.to_string())),
            };
            found.insert(path.clone(), output(Source::Report, &path, content, verdict, unknown));
        }
        if is_wanted(&path) {
            let content = if verdict == Verdict::Yes { look.evidence.clone() } else { String::new() };
            found.insert(path.clone(), output(Source::Evidence, &path, content, verdict, unknown));
        }
    }
    found.into_values().collect()
}

/// The reports that a check of the kind `compliance` looked at, with the hashes of what they were then.
fn reports(evidence: &str) -> Vec<(PathBuf, String)> {
    if !evidence.contains(HASHES) {
        return Vec::new();
    }
    let Ok(document) = serde_json::from_str::<Value>(evidence) else { return Vec::new() };
    let reports = document["details"]["reports"].as_array().map_or(&[][..], Vec::as_slice);
    let hashes = reports.iter().filter_map(|report| report["hashes"].as_object()).flatten();
    hashes.filter_map(|(path, hash)| Some((PathBuf::from(path), hash.as_str()?.to_owned()))).collect()
}

/// As it stands in the document of the lineage.
pub(super) fn seen_by(look: &Look) -> Value {
    serde_json::json!({"check": look.check, "at": look.at, "verdict": look.verdict, "evidence": look.evidence})
}
