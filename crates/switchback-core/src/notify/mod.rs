//! Telling people what turn a run took (PC-13): records of the journal → [`Message`]s → [`deliver()`].
//!
//! The journal is the outbox. What was told to whom is in it, so that a command that was killed, or a receiver that was down,
//! loses nothing: the next command goes on behind the last record that was delivered. Between the intent to tell and its outcome
//! nobody knows whether it arrived; then it is told again, and says so. What a
//! receiver refuses for good is journaled as that, and what comes after it is told.

mod deliver;
mod mail;
mod message;

pub use deliver::deliver;
pub use mail::{Mail, MailFailure, Mailer, Refusal};
pub use message::Message;
