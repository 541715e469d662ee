//! Mail, as the core sees it: what is sent, and through which port.

use std::fmt::Debug;
use std::time::SystemTime;

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sends it: `name@host`, or `Name <name@host>`.
    pub from: String,
    /// Who gets it, each as `from`.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// What tells it from every other one: the same when it is sent again. `left@right`, without brackets.
    pub id: String,
    /// When what it is about happened.
    pub time: SystemTime,
}

/// What a failure is about, and so what may still be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The moment: the same message may be taken a little later.
    Passing,
    /// The receiver, or the way to it: no message is taken until something changes there.
    OfReceiver,
    /// This message: it is not taken later either, and others may be.
    OfMessage,
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFailure {
    /// In a line, without the address of the server, which may hold a password.
    pub why: String,
    /// What it is about.
    pub refusal: Refusal,
    /// Nobody knows that it did not arrive.
    pub may_have_arrived: bool,
}

impl MailFailure {
    /// What is wrong here, before anybody was asked.
    #[must_use]
    pub fn of_us(why: impl Into<String>) -> Self {
        Self { why: why.into(), refusal: Refusal::OfReceiver, may_have_arrived: false }
    }
}

/// Sends mail.
pub trait Mailer: Debug + Send + Sync {
    /// Sends one message through the server at this address, to everybody or to nobody.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached or refuses, or the message is none.
    fn send(&self, server: &str, mail: &Mail) -> Result<(), MailFailure>;
}
