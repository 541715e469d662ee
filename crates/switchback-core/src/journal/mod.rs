//! The journal: the durable, hash-chained record of intents and outcomes, and the only source of a run's state.
//!
//! [`event`] says what can happen and how it is written, [`about`] what each event is about; [`fact`] is what is known of
//! one thing; [`history`] folds events into a state, without any input or output, [`processes`], [`databases`], [`shadow`] and
//! [`hand_over`] what it tells of each of them; [`store`] appends and reads; [`mod@verify`] walks the chain of hashes,
//! [`tail`] looks at its end, [`damage`] keeps what is damaged there, [`anchors`] is what the journal tells of heads
//! that are kept outside, and [`told`] of what people were told.

pub mod about;
pub mod anchors;
pub mod damage;
pub mod databases;
pub mod event;
pub mod fact;
pub mod hand_over;
pub mod history;
pub mod processes;
pub mod shadow;
pub mod store;
pub mod tail;
pub mod told;
pub mod verify;

pub use anchors::{AnchorFact, AnchorFacts, AnchorTurn};
pub use damage::Damage;
pub use databases::{DatabaseFact, DatabaseKey, Direction};
pub use event::{Binding, EnvironmentFact, Event, Record, RehearsedTrigger, ReliedOn, Signed};
pub use hand_over::{ArchiveFact, CommitFact};
pub use history::{History, PhaseHistory, PhaseState};
pub use processes::{ProcessFact, ProcessStep};
pub use shadow::{ShadowEnd, ShadowFact, ShadowInput};
pub use store::{Journal, JournalError};
pub use tail::Tail;
pub use told::{ToldFact, ToldFacts};
pub use verify::{ChainFault, FaultKind, verify};
