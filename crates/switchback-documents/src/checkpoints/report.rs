//! What is told of a directory: for people as lines, for programs as the document `switchback/checkpoints/1`.

use serde_json::{Value, json};
use switchback_core::quantity::counted;
use switchback_core::verdict::Verdict;

use super::{Checkpoint, CheckpointsPlan, Kind};

/// More violations of one document are counted, not listed.
const LISTED_MAX: usize = 10;

impl CheckpointsPlan {
    /// What speaks against it, a line each.
    pub fn against(&self) -> Vec<String> {
        self.files.iter().flat_map(Checkpoint::against).collect()
    }

    /// One line: how many files, documents, steps, new names.
    pub fn summary(&self) -> String {
        let count = |is_one: &dyn Fn(&Checkpoint) -> bool| {
            self.files.iter().filter(|file| is_one(file)).count() as u64
        };
        let pickles = count(&|file| file.kind == Kind::Pickle);
        let mut parts = vec![counted(self.documents() as u64, "document")];
        if pickles > 0 {
            parts.push(format!("{} (never loaded)", counted(pickles, "pickle")));
        }
        let others = count(&|file| file.kind == Kind::Other);
        if others > 0 {
            parts.push(counted(others, "other file"));
        }
        if self.does_migrate {
            parts.push(format!("{} migrated", count(&|file| !file.taken.is_empty())));
            parts.push(format!("{} renamed", count(&|file| file.path != file.new_path)));
        }
        let asked = count(&|file| file.violations.is_some());
        if asked > 0 {
            parts.push(format!("{asked} held against a schema"));
        }
        parts.join(", ")
    }

    /// The document `switchback/checkpoints/1`.
    pub fn to_json(&self, action: &str, verdict: Verdict) -> Value {
        let documents = self.documents();
        json!({
            "schema": "switchback/checkpoints/1",
            "verdict": verdict.word(),
            "action": action,
            "directory": self.directory,
            "documents": {"old": documents, "new": documents},
            "files": self.files.iter().map(Checkpoint::to_json).collect::<Vec<_>>(),
            "against": self.against(),
            "behind": if action == "verify" { self.behind() } else { Vec::new() },
        })
    }
}

impl Checkpoint {
    /// What speaks against it, a line each.
    fn against(&self) -> Vec<String> {
        let path = &self.path;
        let mut lines: Vec<String> = self.damage.iter().map(|why| format!("`{path}`: {why}")).collect();
        for taken in &self.taken {
            let step = format!("{} → {}", taken.from, taken.to);
            for count in taken.counts.iter().filter(|count| count.items_old != count.items_new) {
                lines.push(format!(
                    "`{path}`: {step}: `{}` has {} and `{}` {}",
                    count.old, count.items_old, count.new, count.items_new
                ));
            }
            if let Some(Err(place)) = &taken.round_trip {
                let place = if place.is_empty() { "as a whole" } else { place };
                lines.push(format!("`{path}`: {step} and back is not what it was: {place}"));
            }
        }
        let violations = self.violations.iter().flatten();
        lines.extend(violations.clone().take(LISTED_MAX).map(|one| format!("`{}`: {one}", self.new_path)));
        let more = violations.count().saturating_sub(LISTED_MAX);
        if more > 0 {
            lines.push(format!("`{}`: and {more} more", self.new_path));
        }
        lines
    }

    /// One line for a list.
    pub fn told(&self) -> String {
        let mut line = self.path.clone();
        if self.path != self.new_path {
            line = format!("{line} → {}", self.new_path);
        }
        let mut notes = vec![self.kind.word().to_owned()];
        if let Some(version) = &self.version {
            let steps = self.taken.iter().map(|taken| format!(" → {}", taken.to));
            notes.push(format!("version {version}{}", steps.collect::<String>()));
        }
        for count in self.taken.iter().flat_map(|taken| &taken.counts) {
            let is_kept = count.items_old == count.items_new;
            let words = if is_kept { "items kept" } else { "items before, not as many after" };
            notes.push(format!("{} {words} in `{}`", count.items_old, count.new));
        }
        if self.taken.iter().any(|taken| taken.round_trip == Some(Ok(()))) {
            notes.push("there and back the same".to_owned());
        }
        match &self.violations {
            Some(found) if found.is_empty() => notes.push("its schema holds".to_owned()),
            Some(found) => notes.push(counted(found.len() as u64, "violation")),
            None => {}
        }
        if self.damage.is_some() {
            notes.push("damaged".to_owned());
        }
        format!("{line}  ({})", notes.join(", "))
    }

    fn to_json(&self) -> Value {
        let counts = |taken: &super::Taken| {
            let all = taken.counts.iter();
            all.map(|count| {
                json!({"old": count.old, "new": count.new, "items_old": count.items_old, "items_new": count.items_new})
            })
            .collect::<Vec<_>>()
        };
        let taken = self.taken.iter().map(|taken| {
            let differs_at = taken.round_trip.as_ref().and_then(|trip| trip.as_ref().err());
            json!({
                "from": taken.from,
                "to": taken.to,
                "counts": counts(taken),
                "round_trip": taken.round_trip.as_ref().map(|trip| if trip.is_ok() { "yes" } else { "no" }),
                "differs_at": differs_at,
            })
        });
        let violations = self.violations.as_ref().map(|all| {
            let all = all.iter();
            all.map(|one| json!({"pointer": one.pointer, "keyword": one.keyword, "message": one.message}))
                .collect::<Vec<_>>()
        });
        json!({
            "path": self.path,
            "new_path": self.new_path,
            "kind": self.kind.word(),
            "bytes": self.bytes,
            "version": self.version,
            "new_version": self.new_version(),
            "steps": taken.collect::<Vec<_>>(),
            "damage": self.damage,
            "violations": violations,
        })
    }
}
