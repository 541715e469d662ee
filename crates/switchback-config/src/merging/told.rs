//! A merge as a person reads it.

use super::decided::Outcome;
use super::{ConfigMerge, Met};
use crate::read::Finding;
use crate::shown;

impl ConfigMerge {
    /// What was found, a line each: what has to be decided first.
    pub fn told(&self) -> Vec<String> {
        let sources = &self.gathered.sources;
        let mut told = Vec::new();
        for fragment in &self.gathered.fragments {
            if let (Some(environment), false) = (&fragment.environment, fragment.is_declared) {
                told.push(format!("{}: holds in `{environment}` only, by its name", fragment.path));
            }
        }
        for Finding::RepeatedKey { name, first, again } in &self.gathered.findings {
            let place = sources.place(*first);
            told.push(format!(
                "{place}: `{name}` stands again on line {}, and the last one wins",
                again.line
            ));
        }
        told.extend(self.met.iter().filter(|met| !met.meeting.is_duplicate()).map(|met| self.conflict(met)));
        let duplicates = self.met.iter().filter(|met| met.meeting.is_duplicate());
        told.extend(duplicates.map(|met| {
            let [first, second] =
                [&met.meeting.first, &met.meeting.second].map(|node| sources.place(node.origin));
            format!("duplicate `{}`: {first} and {second} say the same", met.meeting.path)
        }));
        for secret in &self.secrets {
            told.push(format!(
                "secret `{}` at {}: {}; `{}` is to hold it",
                secret.path,
                sources.place(secret.origin),
                secret.why.words(),
                secret.variable
            ));
        }
        for key in self.unused.iter().flat_map(|unused| &unused.keys) {
            told.push(format!("unused `{key}`: no code names it"));
        }
        told
    }

    fn conflict(&self, met: &Met) -> String {
        let sources = &self.gathered.sources;
        let path = &met.meeting.path;
        let [first, second] = [&met.meeting.first, &met.meeting.second].map(|node| {
            format!(
                "{} says {} ({})",
                sources.place(node.origin),
                shown::line(path, node),
                node.value.type_name()
            )
        });
        let within = met.environment.as_ref().map(|name| format!(" in `{name}`")).unwrap_or_default();
        let outcome = match &met.outcome {
            Outcome::Decided(place) => format!("; decided at {place}"),
            Outcome::LaterWins => "; the later one wins".to_owned(),
            Outcome::Open | Outcome::Duplicate => String::new(),
        };
        format!("conflict `{path}`{within}: {first}, {second}{outcome}")
    }

    /// What speaks against writing it, a line each.
    pub fn against(&self) -> Vec<String> {
        let mut against = Vec::new();
        let open = self.met.iter().filter(|met| met.is_open()).count();
        if open > 0 {
            against.push(format!("{open} conflicts are not decided"));
        }
        for proof in &self.proofs {
            for difference in &proof.differences {
                let (path, kind) = (&difference.path, difference.kind.word());
                against.push(format!("`{}`: `{path}` would not be what it was ({kind})", proof.environment));
            }
        }
        if self.syntax == crate::placeholder::Syntax::None && !self.secrets.is_empty() {
            against.push(format!(
                "{} literal secrets, and no placeholders to replace them by",
                self.secrets.len()
            ));
        }
        against
    }

    /// One line.
    pub fn summary(&self) -> String {
        let duplicates = self.met.iter().filter(|met| met.meeting.is_duplicate()).count();
        let conflicts = self.met.len() - duplicates;
        let proved = self.proofs.iter().filter(|proof| proof.differences.is_empty()).count();
        let keys: usize = self.proofs.iter().map(|proof| proof.keys).max().unwrap_or_default();
        format!(
            "{} fragments become {} files; {keys} keys, {conflicts} conflicts, {duplicates} duplicates, {} secrets; {proved} of {} \
             environments proved equal",
            self.gathered.fragments.len(),
            self.files.len(),
            self.secrets.len(),
            self.proofs.len(),
        )
    }
}
