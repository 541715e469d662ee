//! What can go wrong while a test sets its scene.

use switchback_core::phase::StepError;
use switchback_core::tree::ScanError;
use switchback_core::tree::copy::CopyError;
use switchback_core::world::DiskError;

/// The scene could not be set, or not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A tree could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A tree could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// A step of the run could not be carried out.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A folder for the test could not be made.
    #[error("no folder for the test: {0}")]
    Folder(#[from] std::io::Error),
    /// The run held where the scene needs it to go on.
    #[error("the run went no further: {0}")]
    Held(String),
}
