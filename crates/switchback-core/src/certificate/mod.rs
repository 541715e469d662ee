//! The certificate: a signed statement that binds old tree, new tree, inputs, tolerances, method and verdict, which whoever has neither
//! the data nor the project can verify (BX-5).
//!
//! In the order of the data: [`make`] takes it from journal, evidence and plan → `content` hashes trees as a checkout keeps them,
//! `settings` says what the plan said → `conclusion` is what follows → [`mod@format`] is what is signed; [`mod@verify`] goes the way back; [`save`](fn@save) writes the file.

mod conclusion;
pub mod content;
pub mod format;
pub mod make;
mod save;
mod settings;
pub mod verify;

pub use format::{PAYLOAD_TYPE, PREDICATE_TYPE, Statement};
pub use make::{Certified, certify};
pub use save::save;
pub use verify::{CERTIFICATE_BYTES_MAX, Look, TreeIs, verify};
