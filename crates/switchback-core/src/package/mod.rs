//! Packages: a change on its way from the project that made it to the one that takes it.
//!
//! In the order of the data: `create` goes from a staged phase → `gather` (candidate, files of the project, evidence) and
//! `facts` with `api`, `dependencies` and `still_named`, which looks for `names` (what changed) → `change_log` and [`readiness`] (may it go?) → `leak` (no
//! secret goes with it; `picture`: what is in none; `certified`: a certificate counts only where it is about exactly this) → `shelf`, from which `switchback-package` packs. [`mod@verify`] holds one
//! against its manifest and its signature; `receive`
//! takes it into a project, as the candidate of a phase; `send` brings it to another place. What follows once it is live:
//! `commit` with its `message`, and `archive`; `taken` says which package it was.
//!
//! What an archive looks like, and that every byte of it counts, is the crate `switchback-package`; this is what is in it.

mod api;
mod archive;
mod certified;
mod change_log;
mod commit;
mod create;
mod dependencies;
mod facts;
pub mod format;
mod gather;
mod leak;
mod message;
mod names;
mod picture;
pub mod readiness;
mod receive;
mod review;
mod send;
mod shelf;
mod still_named;
mod taken;
mod text;
mod unpacked;
pub mod verify;

pub use archive::{Archived, ArchivedPlan, archive};
pub use commit::{CommitOptions, Commitment, commit};
pub use create::{CreateOptions, Created, Creation, create};
pub use readiness::Readiness;
pub use receive::{Receipt, ReceiveOptions, Received, receive};
pub use review::Review;
pub use send::{Sent, send, send_elsewhere};
pub use switchback_package::{Entry, Form, Manifest};
pub(crate) use taken::{arrived, other_packages, packages};
pub(crate) use unpacked::{Unusable, candidate_of};
pub use verify::{Look, verify};

use std::path::Path;

use switchback_package::PackageError;

use crate::phase::StepError;
use crate::world::DiskError;

/// The change log of a package.
pub const CHANGE_LOG: &str = "CHANGES.md";
/// The facts that it is made of.
pub const FACTS: &str = "change.json";
/// Whether the change may go, with every reason.
pub const READINESS: &str = "readiness.json";
/// The outcomes of the checks, each bound to what it was about.
pub const CHECKS: &str = "checks.json";
/// What to do with a package.
const INSTRUCTIONS: &str = "README.md";
/// The certificate, where one was given.
const CERTIFICATE: &str = "certificate.json";
/// The reports of the checks, by their hashes.
const EVIDENCE: &str = "evidence";
/// Files of the project that are not managed.
const PROJECT: &str = "project";

/// A package that cannot be used.
fn unusable(path: &Path, error: PackageError) -> StepError {
    match error {
        PackageError::Read(source) => DiskError::new("read", path, source).into(),
        PackageError::Refused(why) => StepError::not_now(
            format!("the package `{}` is refused: {why}", path.display()),
            "ask whoever made it for the package as it was; `switchback package verify` looks at it",
        ),
    }
}
