//! The exchange: all managed paths become new together, or old together, whatever happens in between.
//!
//! [`mod@probe`] finds the mechanism → [`record`] is the transaction's own file → [`participant`] is one thing that is
//! exchanged, with `places` where it has to be done by several steps, and [`mirror`] where it is done entry by entry →
//! [`protocol`] drives all of them, forward, back, and after a crash.
//!
//! A cutover is undo-logged (a crash before COMMIT ends all old), a rollback is redo-logged (a crash ends all old).

pub mod mirror;
pub mod participant;
mod places;
pub mod probe;
pub mod protocol;
pub mod record;

pub use participant::{Participant, Side, Way};
pub use places::{aside, spare};
pub use probe::{Probe, moves, probe};
pub use protocol::{ExchangeError, Outcome, Transaction, recover};
pub use record::{Prepare, Record, State, TransactionFile};
