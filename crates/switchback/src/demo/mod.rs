//! The demo: a complete example project is written into a folder, its plan is run, rolled back and run again, and every
//! step is shown to have done what it says.
//!
//! The way: `example` is the project, carried in the program → `scene` writes it and makes its data → `tour` drives
//! the plan with the same library calls as the commands → `found` reads from the evidence what a refusal named.

mod example;
mod found;
mod scene;
mod tour;

pub(crate) use found::Found;
pub(crate) use scene::{Scene, SceneOptions};
pub(crate) use tour::{Accepted, Tour, tour};
