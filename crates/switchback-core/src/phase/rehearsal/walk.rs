//! Walking one undo: the candidate is brought into the copy, the undo is carried out there by the code that ships, what it
//! left is compared with what it should leave and looked at by its checks, and the rest is taken back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Finding;
use super::ground::{self, Environments, Ground, State};
use super::meant::{Meant, Trace};
use super::proof::prove;
use super::undo::{Proof, Undo, Walked};
use crate::manifest::{Kind, Manifest};
use crate::phase::error::{StepError, with_causes};
use crate::phase::layout;
use crate::phase::parts::{clean, is_called};
use crate::phase::project::Work;
use crate::phase::roll_back::{RollBackOptions, live_phases, roll_back};
use crate::plan::{Phase, Restore};
use crate::tree::copy::{keeping_time, remove_tree};
use crate::verdict::Verdict;

/// The copy, and what is known of it.
pub(super) struct Walk<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) phase: &'a Phase,
    pub(super) ground: &'a Ground<'a>,
    /// The candidate, as it was staged.
    pub(super) new: &'a Manifest,
    /// What takes part in the exchange, by its live path.
    pub(super) participants: &'a [PathBuf],
    /// What is in the copy when nothing is brought in.
    pub(super) baseline: State,
    /// Where its environments lead then.
    pub(super) environments: &'a Environments,
    /// Which undo left the copy as it was not before: nothing can be rehearsed in it any more.
    pub(super) spoiled: Option<String>,
}

/// What one undo came to.
#[derive(Debug, Default)]
struct Seen {
    findings: Vec<Finding>,
    proofs: Vec<Proof>,
    restored: usize,
    refused: Option<String>,
}

impl Walk<'_> {
    /// Walks one undo. What is wrong with it is a finding; an error is for what has nothing to do with it.
    pub(super) fn walk(&mut self, undo: &Undo<'_>) -> Result<(Walked, Vec<Finding>), StepError> {
        let started = self.work.world().clock.monotonic();
        let words = undo.words();
        self.work.began(&self.phase.name, format!("rehearsal: {words}"));
        let seen = match &self.spoiled {
            Some(other) => {
                let why = format!("it was not rehearsed, because {other} left the copy as it was not before");
                Seen { findings: vec![Finding::unknown(why)], ..Seen::default() }
            }
            None => self.carry_out(undo)?,
        };
        let elapsed = self.work.world().clock.monotonic().saturating_sub(started);
        let verdict = seen.findings.iter().fold(Verdict::Yes, |verdict, one| verdict.and(one.verdict));
        let is_refused = seen.refused.is_some() && seen.findings.is_empty();
        let what = match (&seen.refused, seen.findings.is_empty()) {
            (Some(why), true) => format!("not possible: {why}"),
            (None, true) => self.told(undo, &seen),
            (_, false) => seen.findings.iter().map(|one| one.what.as_str()).collect::<Vec<_>>().join("; "),
        };
        let findings = seen
            .findings
            .iter()
            .map(|one| Finding { verdict: one.verdict, what: format!("{words}: {}", one.what) })
            .collect();
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (kind, name, proofs) = (undo.kind, undo.name.clone(), seen.proofs);
        Ok((Walked { kind, name, verdict, what, milliseconds, proofs, is_refused }, findings))
    }

    /// What was seen of an undo that nothing is wrong with.
    fn told(&self, undo: &Undo<'_>, seen: &Seen) -> String {
        let mut words = vec![match seen.restored {
            1 => "1 path went back, and all else is as it should be".to_owned(),
            count => format!("{count} paths went back, and all else is as it should be"),
        }];
        let held: Vec<String> = seen
            .proofs
            .iter()
            .filter(|proof| proof.verdict == Some(Verdict::Yes))
            .map(|proof| format!("`{}`", proof.check))
            .collect();
        if !held.is_empty() {
            words.push(format!("proved by {}", held.join(", ")));
        }
        for proof in seen.proofs.iter().filter(|proof| proof.verdict.is_none()) {
            words.push(format!("the check `{}` was not carried out: {}", proof.check, proof.summary));
        }
        let is_everything = undo.playbook.is_some_and(|playbook| playbook.restore == Restore::Everything);
        if is_everything && live_phases(self.work).is_ok_and(|live| !live.is_empty()) {
            words.push("the phases that are live already were rehearsed before they went in".to_owned());
        }
        words.join("; ")
    }

    fn carry_out(&mut self, undo: &Undo<'_>) -> Result<Seen, StepError> {
        let mut seen = Seen::default();
        self.ground.renew()?;
        if let Err(error) = self.ground.forward() {
            self.spoiled = Some(undo.words());
            seen.findings.push(Finding::unknown(format!("the candidate could not be brought in: {error}")));
            return Ok(seen);
        }
        let copy = self.work.on_copy(self.ground.root())?;
        let lost = self.lose(&copy, undo)?;
        let done = roll_back(&copy, &undo.options);
        let outcome = match done {
            Ok(outcome) if outcome.against.is_empty() => outcome,
            Ok(outcome) => {
                let named = ground::few(&outcome.against).unwrap_or_default();
                if undo.is_promised {
                    let what = format!("it would be refused, because it breaks: {named}");
                    seen.findings.push(Finding::no(what));
                } else {
                    seen.refused = Some(format!("it breaks: {named}"));
                }
                self.back(&copy, undo, &Trace::default(), None, &mut seen)?;
                return Ok(seen);
            }
            Err(error) => {
                let why = self.work.redactor.clean(&with_causes(&error));
                match (&error, undo.is_promised) {
                    (StepError::NotNow { .. }, true) => {
                        seen.findings.push(Finding::no(format!("it would be refused: {why}")));
                    }
                    (StepError::NotNow { .. }, false) => seen.refused = Some(why),
                    _ => seen.findings.push(Finding::unknown(format!("it could not be carried out: {why}"))),
                }
                self.back(&copy, undo, &Trace::default(), None, &mut seen)?;
                return Ok(seen);
            }
        };
        seen.restored = outcome.restored.len();
        let undone = self.ground.state()?;
        let meant = self.meant(undo, &outcome.restored, lost);
        if let Some(named) = meant.named_differences(&undone.managed) {
            seen.findings.push(Finding::no(format!("it does not leave what it should: {named}")));
        }
        if let Some(named) = ground::named_around(&self.baseline.around, &undone.around) {
            seen.findings.push(Finding::no(format!("it changes what is not managed: {named}")));
        }
        if let Some(named) = self.ground.shared_with_kept()? {
            seen.findings.push(Finding::no(format!(
                "afterwards, files are one file with what is kept to go back to: {named}; replace one of them by a copy, or \
                 let both go back together only (`rollback_together`)"
            )));
        }
        let is_back =
            |path: &Path| undo.is_whole() || outcome.restored.iter().any(|one| Path::new(one) == path);
        let environments = self.ground.environments_in(self.environments, is_back);
        if let Some(named) = self.ground.led_astray(&environments)? {
            seen.findings.push(Finding::no(format!("it leaves the wrong environment: {named}")));
        }
        let (trace, around) = self.prove(undo, &undone, &mut seen)?;
        self.back(&copy, undo, &trace, around.as_ref(), &mut seen)?;
        Ok(seen)
    }

    /// Carries out the checks that prove it. Returns what they did to the copy.
    fn prove(
        &self,
        undo: &Undo<'_>,
        undone: &State,
        seen: &mut Seen,
    ) -> Result<(Trace, Option<State>), StepError> {
        seen.proofs = prove(self.work, self.phase, self.ground, undo)?;
        if seen.proofs.iter().all(|proof| proof.verdict.is_none()) {
            return Ok((Trace::default(), None));
        }
        for proof in &seen.proofs {
            let words = format!("the check `{}`", proof.check);
            match proof.verdict {
                Some(Verdict::No) => {
                    seen.findings.push(Finding::no(format!("{words} says no afterwards: {}", proof.summary)));
                }
                Some(Verdict::Unknown) => {
                    let what = format!("{words} could not tell afterwards: {}", proof.summary);
                    seen.findings.push(Finding::unknown(what));
                }
                Some(Verdict::Yes) | None => {}
            }
        }
        let proved = self.ground.state()?;
        let trace = Trace::between(&undone.managed, &proved.managed);
        if let Some(named) = ground::few(&trace.altered) {
            seen.findings.push(Finding::no(format!("its checks alter what is managed: {named}")));
        }
        Ok((trace, Some(proved)))
    }

    /// Takes the copy the rest of the way back, and compares it with what it was. `proved` is what it was after checks
    /// looked at it.
    fn back(
        &mut self,
        copy: &Work<'_>,
        undo: &Undo<'_>,
        trace: &Trace,
        proved: Option<&State>,
        seen: &mut Seen,
    ) -> Result<(), StepError> {
        let before = seen.findings.len();
        if !live_phases(copy)?.is_empty()
            && let Err(error) = roll_back(copy, &RollBackOptions::default())
        {
            let why = self.work.redactor.clean(&with_causes(&error));
            seen.findings.push(Finding::no(format!("after it, the phase could not be taken back: {why}")));
            self.spoiled = Some(undo.words());
            return Ok(());
        }
        let after = self.ground.state()?;
        if let Some(named) = trace.named_beside(&self.baseline.managed, &after.managed) {
            let what = format!("after it, the phase does not go back to what was there: {named}");
            seen.findings.push(Finding::no(what));
        }
        let around = proved.map_or(&self.baseline.around, |proved| &proved.around);
        if let Some(named) = ground::named_around(around, &after.around) {
            seen.findings.push(Finding::no(format!("after it, what is not managed changes: {named}")));
        }
        if let Some(named) = self.ground.led_astray(self.environments)? {
            seen.findings.push(Finding::no(format!("after it, the environment does not go back: {named}")));
        }
        if seen.findings.len() > before {
            self.spoiled = Some(undo.words());
        }
        self.baseline = after;
        Ok(())
    }

    /// What the phase left alone has nothing to go back to until it is lost: so a file of it is lost, in the copy.
    fn lose(&self, copy: &Work<'_>, undo: &Undo<'_>) -> Result<BTreeSet<PathBuf>, StepError> {
        let disk = copy.world().disk.as_ref();
        let mut lost = BTreeSet::new();
        let differing = self.differing();
        for word in undo.options.only.iter().map(|word| clean(word)) {
            let is_exchanged = self.participants.iter().any(|path| word.starts_with(path) && *path != word);
            if !is_exchanged || differing.iter().any(|path| path.starts_with(&word)) {
                continue;
            }
            let files = self.new.entries.iter().filter(|entry| matches!(entry.kind, Kind::File { .. }));
            let Some(file) = files.map(|entry| &entry.path).find(|path| path.starts_with(&word)) else {
                continue;
            };
            let place = self.ground.root().join(file);
            keeping_time(disk, place.parent().unwrap_or(self.ground.root()), || remove_tree(disk, &place))?;
            lost.insert(file.clone());
        }
        Ok(lost)
    }

    /// Files and links that the phase changed, folders apart: they come and go with what is in them.
    fn differing(&self) -> Vec<PathBuf> {
        crate::phase::parts::files_of(&self.baseline.managed, self.new)
    }

    /// What an undo has to leave. `restored` is what it says that it restored: it is believed only where nobody else
    /// can know, which files import something else, define routes, or come of one change.
    fn meant(&self, undo: &Undo<'_>, restored: &[String], lost: BTreeSet<PathBuf>) -> Meant {
        let (old, new) = (&self.baseline.managed, self.new);
        let words: Vec<PathBuf> = undo.options.only.iter().map(|word| clean(word)).collect();
        if words.iter().all(|word| self.participants.contains(word)) {
            let is_all = words.is_empty() || words.contains(&layout::pointer());
            return Meant::exchanged(old, new, |path| {
                is_all || words.iter().any(|word| path.starts_with(word))
            });
        }
        let differing = self.differing();
        let mut files = lost;
        files
            .extend(differing.iter().filter(|path| words.iter().any(|word| path.starts_with(word))).cloned());
        let is_change = |word: &PathBuf| {
            let is_path = differing.iter().any(|path| path.starts_with(word));
            let is_named = |word: &str| self.phase.changes.iter().any(|change| is_called(change, word));
            !is_path && word.to_str().is_some_and(is_named)
        };
        let rest: BTreeSet<PathBuf> =
            restored.iter().map(PathBuf::from).filter(|path| !files.contains(path)).collect();
        let (mut known, mut rebuilt) = (files, BTreeSet::new());
        if words.iter().any(is_change) {
            rebuilt.extend(rest);
        } else {
            known.extend(rest);
        }
        Meant::Files { new: new.clone(), old: old.clone(), restored: known, rebuilt }
    }
}
