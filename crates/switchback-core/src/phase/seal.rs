//! A seal: a manifest of a tree together with a quick survey of the same moment.
//!
//! As long as the survey is the same, no inode was touched and the manifest still holds; reading content again is only
//! needed when it is not. Timestamps are coarse on some systems, so a seal waits until the newest change is older than
//! their granularity: a later change then always has a later time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::error::StepError;
use crate::manifest::{Entry, Manifest, from_hex, to_hex};
use crate::tree::scan;
use crate::world::{Survey, World};

/// How often a tree that keeps changing is looked at before that is an error.
const ATTEMPTS_MAX: u32 = 4;
/// The kernel stamps files at most once a tick; 20 ms covers ticks of 4 and 10 ms.
const GRANULARITY_NS: i128 = 20_000_000;
/// File systems that keep whole seconds (all stamps end in nine zeros) need more than that.
const COARSE_GRANULARITY_NS: i128 = 2_000_000_000;

/// What a survey said, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The digest.
    pub digest: String,
    /// The digest without the root's own change time, which a rename alters.
    pub digest_moved: String,
    /// How many entries were looked at, where that was written down. It proves nothing: it tells beforehand whether there is
    /// time to look at all of them again.
    pub entries: Option<u64>,
}

/// Old and new side of one managed path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SealedPath {
    /// The live tree; nothing where the path does not exist.
    pub old: Option<Sealed>,
    /// The candidate; nothing where the path is removed.
    pub new: Option<Sealed>,
}

/// The seals of a staged phase, by managed path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seal {
    /// By managed path: those that differ.
    pub paths: BTreeMap<PathBuf, SealedPath>,
    /// By managed path: what is live of those that the candidate leaves alone. They are part of both trees, and stand where they
    /// are. Versions before this was sealed left them out.
    pub kept: BTreeMap<PathBuf, Option<Sealed>>,
}

impl From<Survey> for Sealed {
    fn from(survey: Survey) -> Self {
        Self {
            digest: to_hex(&survey.digest),
            digest_moved: to_hex(&survey.digest_moved),
            entries: Some(survey.entries),
        }
    }
}

impl Sealed {
    fn to_json(&self) -> Value {
        let mut sealed = json!({"digest": self.digest, "digest_moved": self.digest_moved});
        if let Some(entries) = self.entries {
            sealed["entries"] = entries.into();
        }
        sealed
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| {
            let text = value.get(name)?.as_str()?;
            from_hex(text).map(|_| text.to_owned())
        };
        let entries = value.get("entries").and_then(Value::as_u64);
        Some(Self { digest: text("digest")?, digest_moved: text("digest_moved")?, entries })
    }
}

impl Seal {
    /// Whether it says what stood at a managed path on either side.
    pub fn has(&self, path: &Path) -> bool {
        self.paths.contains_key(path) || self.kept.contains_key(path)
    }

    /// As it is stored among the evidence.
    pub fn to_json(&self) -> Value {
        let paths: Vec<Value> = self
            .paths
            .iter()
            .map(|(path, sealed)| {
                json!({
                    "path": path.to_string_lossy(),
                    "old": sealed.old.as_ref().map(Sealed::to_json),
                    "new": sealed.new.as_ref().map(Sealed::to_json),
                })
            })
            .collect();
        let kept: Vec<Value> = self
            .kept
            .iter()
            .map(|(path, sealed)| {
                json!({"path": path.to_string_lossy(), "old": sealed.as_ref().map(Sealed::to_json)})
            })
            .collect();
        json!({"schema": "switchback/seal/1", "paths": paths, "kept": kept})
    }

    /// Reads what [`Seal::to_json`] wrote; `None` when it is damaged.
    pub fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let side = |item: &Value, name: &str| match item.get(name)? {
            Value::Null => Some(None),
            value => Some(Some(Sealed::from_json(value)?)),
        };
        let named = |item: &Value| Some(PathBuf::from(item.get("path")?.as_str()?));
        let (mut paths, mut kept) = (BTreeMap::new(), BTreeMap::new());
        for item in value.get("paths")?.as_array()? {
            paths.insert(named(item)?, SealedPath { old: side(item, "old")?, new: side(item, "new")? });
        }
        if let Some(items) = value.get("kept") {
            for item in items.as_array()? {
                kept.insert(named(item)?, side(item, "old")?);
            }
        }
        Some(Self { paths, kept })
    }
}

/// The manifest of what is at `content`, with entry paths that begin with `named`, and the survey of the same moment.
/// Nothing there: an empty manifest and no survey.
pub fn sealed_scan(
    world: &World,
    content: &Path,
    named: &Path,
) -> Result<(Manifest, Option<Sealed>), StepError> {
    for _ in 0..ATTEMPTS_MAX {
        if world.disk.look(content)?.is_none() {
            return Ok((Manifest::default(), None));
        }
        let Some(before) = world.disk.survey(content, None)? else { continue };
        settle(world, &before);
        let manifest = named_manifest(world, content, named)?;
        if world.disk.survey(content, None)?.is_some_and(|after| after.digest == before.digest) {
            return Ok((manifest, Some(before.into())));
        }
    }
    Err(StepError::not_now(
        format!("`{}` keeps changing while it is read", named.display()),
        "stop what writes to it, or take it out of `managed`",
    ))
}

/// The manifest of what is at `content`, with entry paths that begin with `named`.
pub fn named_manifest(world: &World, content: &Path, named: &Path) -> Result<Manifest, StepError> {
    if world.disk.look(content)?.is_none() {
        return Ok(Manifest::default());
    }
    let scanned = scan(world.disk.as_ref(), content, &[PathBuf::new()])?;
    let under = |path: &Path| if path.as_os_str().is_empty() { named.to_owned() } else { named.join(path) };
    let entries = scanned
        .entries
        .into_iter()
        .map(|entry| Entry {
            path: under(&entry.path),
            linked_to: entry.linked_to.as_deref().map(under),
            ..entry
        })
        .collect();
    Ok(Manifest::from_entries(entries))
}

fn settle(world: &World, survey: &Survey) {
    let granularity =
        if survey.newest_ctime_ns % 1_000_000_000 == 0 { COARSE_GRANULARITY_NS } else { GRANULARITY_NS };
    let age = world.clock.now().as_nanosecond() - survey.newest_ctime_ns;
    if (0..granularity).contains(&age) {
        world.clock.sleep(Duration::from_nanos(u64::try_from(granularity - age).unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_reads_back() {
        let sealed = Sealed { digest: "ab".repeat(32), digest_moved: "cd".repeat(32), entries: Some(7) };
        // As it was before entries were counted.
        let earlier = Sealed { entries: None, ..sealed.clone() };
        let mut seal = Seal::default();
        seal.paths.insert("a/b".into(), SealedPath { old: Some(sealed), new: None });
        seal.paths.insert("c".into(), SealedPath { old: None, new: Some(earlier.clone()) });
        seal.kept.insert("d".into(), Some(earlier));
        seal.kept.insert("e".into(), None);
        let mut json = seal.to_json();
        assert_eq!(Seal::from_json(&json.to_string()), Some(seal.clone()));
        for (path, is_known) in [("a/b", true), ("c", true), ("d", true), ("e", true), ("a", false)] {
            assert_eq!(seal.has(Path::new(path)), is_known, "{path}");
        }
        // As it was before what the candidate leaves alone was sealed.
        json.as_object_mut().unwrap().remove("kept");
        let earlier = Seal { kept: BTreeMap::new(), ..seal };
        assert_eq!(Seal::from_json(&json.to_string()), Some(earlier));
        json["kept"] = json!("d");
        assert_eq!(Seal::from_json(&json.to_string()), None);
        assert_eq!(Seal::from_json("{}"), None);
    }
}
