//! A certificate that goes along with a change: it counts where it verifies, says *yes*, and is about exactly what goes in (BX-10).

use std::collections::BTreeMap;
use std::path::Path;

use crate::certificate::format::Tree;
use crate::certificate::verify::{CERTIFICATE_BYTES_MAX, verify};
use crate::manifest::to_hex;
use crate::phase::{StepError, Work};
use crate::verdict::Verdict;

/// The next move where a certificate does not count.
pub(super) const NEXT: &str = "`switchback certificate create --key KEY --output FILE` makes one of this very candidate; `--certificate FILE` names it";
/// So many paths are named one by one.
const NAMED_MAX: usize = 5;

/// A certificate as it was read, so that what is looked at is what goes in.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    /// What it is called in reasons.
    pub(super) name: String,
    /// The whole of it.
    pub(super) content: Vec<u8>,
}

/// The managed paths of a side, each with the hash of its content.
pub(super) type Paths = BTreeMap<String, String>;

impl Certificate {
    /// Reads the one that was named.
    pub(super) fn read(work: &Work<'_>, file: &Path) -> Result<Self, StepError> {
        let content = work.world().disk.read(file, CERTIFICATE_BYTES_MAX)?;
        Ok(Self { name: format!("the certificate `{}`", file.display()), content })
    }

    /// Its BLAKE3.
    pub(super) fn hash(&self) -> String {
        to_hex(blake3::hash(&self.content).as_bytes())
    }

    /// Why it says nothing in favour of a change to `new`, from `old` where that is known; `None`: it does.
    pub(super) fn fault(
        &self,
        work: &Work<'_>,
        old: Option<&Paths>,
        new: &Paths,
    ) -> Option<(Verdict, String)> {
        let name = &self.name;
        let Ok(text) = std::str::from_utf8(&self.content) else {
            return Some((Verdict::No, format!("{name} cannot be read: it is not text")));
        };
        // Whoever is named in it signed it: there is no list of keys that may.
        let look = match verify(text, &[], work.project.ports.signatures.as_ref()) {
            Ok(look) => look,
            Err(why) => return Some((Verdict::No, format!("{name} cannot be read: {why}"))),
        };
        if !look.faults.is_empty() {
            return Some((Verdict::No, format!("{name} does not verify: {}", look.faults.join("; "))));
        }
        let predicate = &look.statement.predicate;
        let sides = [("new", Some(new), &predicate.new), ("old", old, &predicate.old)];
        for (side, paths, tree) in sides {
            if let Some(other) = paths.and_then(|paths| other_paths(paths, tree)) {
                let about = format!("{name} is about another {side} tree than what goes in: {other}");
                return Some((Verdict::No, about));
            }
        }
        if predicate.verdict != Verdict::Yes.word() {
            let (says, reasons) = (&predicate.verdict, predicate.reasons.join("; "));
            return Some((look.verdict, format!("{name} says *{says}* itself: {reasons}")));
        }
        // All that is left is that nobody signed it.
        let unsigned = || (look.verdict, format!("{name} proves nothing: nobody signed it"));
        (look.verdict != Verdict::Yes).then(unsigned)
    }
}

/// The paths that a tree has and `paths` has not, or another content of; `None`: it is the same.
fn other_paths(paths: &Paths, tree: &Tree) -> Option<String> {
    let differs = |name: &&String| paths.get(*name) != tree.paths.get(*name);
    let names: Vec<&String> =
        paths.keys().chain(tree.paths.keys().filter(|name| !paths.contains_key(*name))).collect();
    let other: Vec<String> =
        names.into_iter().filter(differs).map(|name| format!("`{}`", name.escape_debug())).collect();
    let more = other.len().saturating_sub(NAMED_MAX);
    let shown = other.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match (other.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown),
        (false, more) => Some(format!("{shown} and {more} more")),
    }
}
