//! The phase: one reversible change, from its snapshot to its end, or back.
//!
//! The way of a phase: [`project`] opens and locks → [`cycle`] decides what is next → [`snapshot`] → [`stage`] →
//! [`look`] carries out checks → [`rehearsal`] → [`mod@shadow`] → [`gate`] → [`sign_off`] with [`approval`] → [`cut_over`] → [`watch`] → [`finish`]; or [`mod@roll_back`].
//! `restore` rolls back to a copy, and `safety` makes one in git. `recover` comes before all of them; `databases` and
//! `processes` stand around what exchanges trees.

pub mod alone;
pub mod approval;
mod bytecode;
pub mod criteria;
pub mod cut_over;
pub mod cycle;
mod databases;
mod doctor;
mod duration;
mod environment;
mod error;
pub mod evidence;
pub mod finish;
pub mod gate;
mod kept;
pub mod layout;
pub mod look;
mod mechanism;
pub mod outlook;
mod part_rebuilt;
mod part_records;
mod parts;
mod playbook;
pub mod preview;
mod processes;
pub mod project;
mod put_away;
mod recover;
pub mod redact;
pub mod rehearsal;
mod restore;
mod retention;
pub mod roll_back;
mod safety;
mod saved;
pub mod seal;
pub mod shadow;
pub mod sign_off;
pub mod snapshot;
pub mod stage;
mod telling;
mod together;
pub mod touched;
mod trees;
pub mod unknown_live;
mod validate;
pub mod watch;
pub mod witness;
mod writers;

pub use cycle::{Point, RunOptions, RunOutcome, run, watch_live};
pub use databases::DatabaseBack;
pub use doctor::{Examination, examine};
pub use error::StepError;
pub use playbook::{Repair, plan_repair, repair};
pub use processes::HandedOver;
pub use project::{Ports, Project, TOOL, Work};
pub use roll_back::{
    Origin, RollBackOptions, RollBackOutcome, RollBackPlan, plan_roll_back, roll_back, roll_back_changes,
};
pub use shadow::{ShadowOptions, shadow};
pub use telling::{Untold, open_to_tell};
pub use validate::{STEPS, Validation};
pub use witness::{Nobody, Notice, Witness};
