//! The exchange: all managed paths become new together, or old together, whatever happens in between.
//!
//! [`mod@probe`] finds the mechanism → [`record`] is the transaction's own file → [`participant`] is one thing that is
//! exchanged → [`protocol`] drives all of them, forward, back, and after a crash.
//!
//! A cutover is undo-logged (a crash before COMMIT ends all old), a rollback is redo-logged (a crash ends all old).

pub mod participant;
pub mod probe;
pub mod protocol;
pub mod record;

pub use participant::{Participant, Side};
pub use probe::{Probe, probe};
pub use protocol::{ExchangeError, Outcome, Transaction, recover};
pub use record::{Prepare, Record, State, TransactionFile};
