//! What went wrong inside this crate, before it is known what was being done: reasons and a next move.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustic_core::RusticError;
use switchback_core::port::PortError;
use switchback_core::tree::ScanError;
use switchback_core::world::DiskError;

/// At most this many findings are told one by one; the rest is counted.
const LISTED_MAX: usize = 20;

/// Reasons, outermost first, and perhaps a next move.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) causes: Vec<String>,
    pub(crate) hint: Option<String>,
}

impl Trouble {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self { causes: vec![cause.into()], hint: None }
    }

    /// Several findings of equal weight; more than a person would read are counted.
    pub(crate) fn list(findings: Vec<String>) -> Self {
        Self { causes: bounded(findings), hint: None }
    }

    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same trouble under a reason that explains it.
    pub(crate) fn under(mut self, cause: impl Into<String>) -> Self {
        self.causes.insert(0, cause.into());
        self
    }

    /// The error that leaves this crate: `doing` is what failed as a whole.
    pub(crate) fn failed(self, doing: impl Into<String>) -> PortError {
        PortError { message: doing.into(), causes: self.causes, hint: self.hint }
    }

    /// All reasons in one line.
    pub(crate) fn line(&self) -> String {
        self.causes.join(": ")
    }
}

impl From<DiskError> for Trouble {
    fn from(error: DiskError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<ScanError> for Trouble {
    fn from(error: ScanError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Box<RusticError>> for Trouble {
    fn from(error: Box<RusticError>) -> Self {
        let text = error.display_log();
        let words: Vec<&str> = text.trim_start_matches("Error: ").split_whitespace().collect();
        Self::new(words.join(" "))
    }
}

/// The first findings, and how many there are beyond them.
pub(crate) fn bounded(mut findings: Vec<String>) -> Vec<String> {
    let more = findings.len().saturating_sub(LISTED_MAX);
    if more > 0 {
        findings.truncate(LISTED_MAX);
        findings.push(format!("and {more} more of this kind"));
    }
    findings
}

/// Calls into the snapshot library, which panics on some damage and on full disks; a panic becomes trouble.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    // Nothing that the call could have left half done is used after a panic: the repository is opened anew each time.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "no message".to_owned());
        Err(Trouble::new(format!("the snapshot library gave up: {said}")))
    })
}
