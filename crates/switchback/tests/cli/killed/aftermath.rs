//! What must hold after a stroke: the next command ends what was interrupted, and the way back is open.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::judge::{Sides, Standing, nothing_beside};
use super::scene::{expect, program, said};

/// What is known of a change before it is struck.
#[derive(Debug, Clone)]
pub(super) struct Aftermath {
    pub(super) sides: Sides,
    /// What the tree is once the struck command was done.
    pub(super) end: Standing,
    /// Another phase is live before this one, so that a rollback of the old side is another matter.
    pub(super) is_second_phase: bool,
}

impl Aftermath {
    /// What was acknowledged is so.
    pub(super) fn stays_true(&self, is_acknowledged: bool, standing: &Standing, case: &str) {
        assert!(!is_acknowledged || *standing == self.end, "{case}: acknowledged, and {standing:?}");
    }

    /// Recovery leaves a whole tree, a second one does nothing more, and from there the tree can be made old again; where
    /// it is old, with `goes_on`, the change is made first.
    pub(super) fn holds(&self, root: &Path, is_acknowledged: bool, goes_on: bool, case: &str) -> Standing {
        let recovered = self.recover(root, case);
        self.stays_true(is_acknowledged, &recovered, case);
        let state = state_of(root);
        assert_eq!(self.recover(root, case), recovered, "{case}: a second recovery");
        assert_eq!(state_of(root), state, "{case}: a second recovery");
        if told(root).is_some() {
            expect(root, &["log", "verify"], 0);
        }
        if self.is_second_phase && recovered == Standing::Old {
            return recovered;
        }
        let mut code = if recovered == Standing::New { 0 } else { 2 };
        if recovered == Standing::Old && goes_on {
            expect(root, &["run", "--until", "live"], 0);
            assert_eq!(self.sides.standing(root), Standing::New, "{case}: run again");
            code = 0;
        }
        let rolled_back = program(root, &["rollback"]).output().unwrap();
        assert_eq!(rolled_back.status.code(), Some(code), "{case}: rollback: {}", said(&rolled_back));
        assert_eq!(self.sides.standing(root), Standing::Old, "{case}: rolled back");
        self.sides.others_stay(root, case);
        if code == 0 {
            nothing_beside(root, case);
        }
        recovered
    }

    /// The next command ends what was interrupted.
    pub(super) fn recover(&self, root: &Path, case: &str) -> Standing {
        let status = program(root, &["status", "--json"]).output().unwrap();
        let text = said(&status);
        let code = status.status.code();
        assert!(matches!(code, Some(0..=2)) && !text.contains("panicked"), "{case}: status: {text}");
        let document = serde_json::from_slice::<serde_json::Value>(&status.stdout);
        let is_status = document.is_ok_and(|document| document["schema"] == "switchback/status/1");
        assert!(is_status, "{case}: status: {text}");
        let standing = self.sides.standing(root);
        assert!(!matches!(standing, Standing::Mixed(_)), "{case}: {standing:?}, status: {text}");
        self.sides.others_stay(root, case);
        standing
    }
}

/// All that decides: the transactions' files, and the journal as it is told.
fn state_of(root: &Path) -> (BTreeMap<PathBuf, Vec<u8>>, Option<Vec<u8>>) {
    let folder = root.join(".switchback/txn");
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = files.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    (files, told(root))
}

/// What the journal tells; nothing where the run did not come as far as beginning it.
fn told(root: &Path) -> Option<Vec<u8>> {
    let log = program(root, &["log", "--json"]).output().unwrap();
    if log.status.success() {
        return Some(log.stdout);
    }
    assert!(said(&log).contains("there is no journal in"), "log: {}", said(&log));
    None
}
